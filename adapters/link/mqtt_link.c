/*
 * libmosquitto 2.0 on our loop. What it does by itself, and what we therefore do around it:
 *
 * - mosquitto_connect*_async() connects without blocking but looks the name up with getaddrinfo(), which may take half a
 *   minute. So names go through uv_getaddrinfo, libmosquitto gets the address, and mqtt_tls.c keeps checking the name.
 * - A connection is one struct mosquitto: made for an attempt, destroyed when it is lost. libmosquitto would otherwise send
 *   again what waited for an acknowledgement, and a command must not be carried out minutes later.
 * - mosquitto_loop_read() takes one packet a call, and publishing inside a callback only queues (the packet then waits for
 *   another call). So read_batch() reads until nothing comes and lets its user publish after every packet.
 * - The socket is closed inside libmosquitto, before we hear of it: the watch is freed as soon as the call returns, before
 *   anybody else can open a descriptor with the same number.
 */
#include "gw/mqtt_link.h"

#include <errno.h>
#include <fcntl.h>
#include <mosquitto.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "gw/limits.h"
#include "gw/log.h"
#include "gw/topic.h"
#include "link/mqtt_backlog.h"
#include "link/mqtt_filters.h"
#include "link/mqtt_names.h"
#include "link/mqtt_tls.h"

#define LOG_TOPIC	"mqtt"
#define KEEPALIVE_S	30
#define USER_TIMEOUT_MS 20000
#define CONNECT_MS	5000
#define BACKOFF_MIN_MS	1000
#define BACKOFF_LOCAL_MS                                                                           \
	50 /* the private broker is a child that is just starting: asking costs nothing */
#define BACKOFF_MAX_MS 30000
#define STEADY_MS      10000 /* a connection that held so long begins the back-off anew */
#define TICK_MS	       5000
#define CLOSE_MS       1000
#define BATCH_PACKETS  256
#define BATCH_US       20000

enum phase {
	PHASE_IDLE,
	PHASE_WAITING,	  /* back-off; the timer starts the next attempt */
	PHASE_LOOKING_UP, /* the pool looks the name up; the resolver has the time-outs */
	PHASE_CONNECTING, /* until CONNACK; the timer is the deadline */
	PHASE_UP,	  /* the timer drives libmosquitto's keepalive */
	PHASE_CLOSING,	  /* DISCONNECT waits for the socket; the timer is the deadline */
	PHASE_STOPPED
};

struct gw_mqtt_link {
	struct gw_loop *loop;
	const struct gw_broker_endpoint *endpoint;
	const struct gw_mqtt_ops *ops;
	void *ctx;
	char client_id[MOSQ_MQTT_ID_MAX_LENGTH + 1];
	struct {
		char *topic, *payload; /* topic NULL: none */
		size_t payload_len;
		uint8_t qos;
		bool retain;
	} will;

	enum phase phase;
	enum gw_link_state state;
	char reason[256];  /* of the last state */
	char refusal[128]; /* by our check of the certificate, else empty */
	unsigned failures;
	int64_t up_since_ms;
	struct gw_timer *timer;
	struct gw_deferred *deferred; /* (un)subscriptions of this turn, and the end of stop */
	void (*stopped)(void *ctx);
	bool stopping, freed;
	unsigned depth; /* calls of ours on the stack that still need the link */

	struct gw_mqtt_names names;

	SSL_CTX *tls;
	struct mosquitto *mosq;
	struct gw_watch *watch;
	int events;	   /* that the watch waits for */
	int connack;	   /* -1: not yet */
	unsigned packets;  /* that callbacks saw during the current call */
	unsigned messages; /* of these, messages */
	const int *
		publishing; /* id that gw_mqtt_link_publish() has not told its caller yet, or NULL */
	bool published;	    /* and it is written already */
	bool busy,
		corked; /* in this turn: something was published; more was, and waits for its end */

	struct gw_mqtt_backlog backlog;
	struct gw_mqtt_filters filters;
};

static void attempt(struct gw_mqtt_link *k);
static bool connect_next(struct gw_mqtt_link *k);
static void begin_stop(struct gw_mqtt_link *k);

/* --- life --- */

static void end_connection(struct gw_mqtt_link *k)
{
	gw_watch_free(k->watch);
	k->watch = NULL;
	k->events = 0;
	k->busy = k->corked = false;
	mosquitto_destroy(k->mosq);
	k->mosq = NULL;
	gw_mqtt_backlog_clear(&k->backlog);
	if (k->filters.all) {
		gw_mqtt_filters_end(&k->filters);
	}
}

static void destroy(struct gw_mqtt_link *k)
{
	end_connection(k);
	gw_mqtt_names_abandon(&k->names);
	gw_timer_free(k->timer);
	gw_deferred_free(k->deferred);
	gw_mqtt_tls_free(k->tls);
	gw_mqtt_filters_fini(&k->filters);
	gw_mqtt_backlog_fini(&k->backlog);
	gw_free(k->will.topic);
	gw_free(k->will.payload);
	gw_free(k);
	(void)mosquitto_lib_cleanup(); /* counts; cannot fail */
}

static void enter(struct gw_mqtt_link *k)
{
	k->depth++;
}

static void leave(struct gw_mqtt_link *k)
{
	if (--k->depth > 0) {
		return;
	}
	if (k->freed) {
		destroy(k);
	} else if (k->stopping && k->phase != PHASE_CLOSING && k->phase != PHASE_STOPPED) {
		begin_stop(k);
	}
}

static bool usable(const struct gw_mqtt_link *k)
{
	return !k->freed && !k->stopping;
}

static void set_state(struct gw_mqtt_link *k, enum gw_link_state state, const char *reason)
{
	if (!usable(k) || (state == k->state && strcmp(reason, k->reason) == 0)) {
		return;
	}
	k->state = state;
	(void)snprintf(k->reason, sizeof(k->reason), "%s", reason);
	if (k->ops->state) {
		k->ops->state(k->ctx, state, k->reason[0] ? k->reason : NULL);
	}
}

/* --- losing a connection, and the next attempt --- */

static uint64_t random_below(uint64_t n)
{
	uint64_t v = 0;
	/* Eight bytes are never cut short; without them the wait is the longest one. */
	return getrandom(&v, sizeof(v), 0) == (ssize_t)sizeof(v) ? v % n : n - 1;
}

static bool is_local(const struct gw_broker_endpoint *e)
{
	return e->port == 0 && e->host[0] == '/';
}

/* Full jitter: anything between nothing and the limit, so that a house of clients does not come back in one instant. */
static void wait_for_attempt(struct gw_mqtt_link *k, bool refused)
{
	uint64_t limit = is_local(k->endpoint) ? BACKOFF_LOCAL_MS : BACKOFF_MIN_MS;
	for (unsigned i = 0; i < k->failures && limit < BACKOFF_MAX_MS; i++) {
		limit *= 2;
	}
	if (limit > BACKOFF_MAX_MS || refused) {
		limit = BACKOFF_MAX_MS;
	}
	uint64_t wait = refused ? limit / 2 + random_below(limit / 2) : random_below(limit);
	k->failures++;
	k->phase = PHASE_WAITING;
	gw_timer_start(k->timer, (int64_t)wait + 1, /* repeat_ms= */ 0);
}

static void fail(struct gw_mqtt_link *k, enum gw_link_state state, const char *fmt, ...)
	GW_PRINTF(3, 4);
static void fail(struct gw_mqtt_link *k, enum gw_link_state state, const char *fmt, ...)
{
	char why[160], reason[sizeof(k->reason)];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	if (is_local(k->endpoint)) {
		(void)snprintf(reason, sizeof(reason), "private broker: %s", why);
	} else {
		(void)snprintf(reason, sizeof(reason), "broker %.50s:%u: %s", k->endpoint->host,
			       k->endpoint->port, why);
	}
	bool was_up = k->phase == PHASE_UP;
	end_connection(k);
	if (!was_up && state == GW_LINK_DOWN && connect_next(k)) {
		return;
	}
	if (was_up && gw_clock_ms() - k->up_since_ms >= STEADY_MS) {
		k->failures = 0;
	}
	gw_log_debug(LOG_TOPIC, "%s", reason);
	wait_for_attempt(k, state == GW_LINK_REFUSED);
	set_state(k, state, reason);
}

/* CONNACK return codes, MQTT 3.1.1 §3.2.2.3. */
static void fail_refused(struct gw_mqtt_link *k)
{
	static const struct {
		enum gw_link_state state;
		const char *text;
	} codes[] = {
		[1] = {GW_LINK_DOWN, "it does not speak MQTT 3.1.1"},
		[2] = {GW_LINK_REFUSED, "it refuses our client id"},
		[3] = {GW_LINK_DOWN, "it says that it is not available"},
		[4] = {GW_LINK_REFUSED, "it refuses the user name or password"},
		[5] = {GW_LINK_REFUSED, "it does not let this user in"},
	};
	size_t code = (size_t)k->connack;
	if (code < gw_countof(codes) && codes[code].text) {
		fail(k, codes[code].state, "%s", codes[code].text);
	} else {
		fail(k, GW_LINK_DOWN, "it answers CONNECT with the unknown code %d", k->connack);
	}
}

/* rc is what libmosquitto returned, err is errno at that moment. */
static void lost(struct gw_mqtt_link *k, int rc, int err)
{
	if (k->connack > 0) {
		fail_refused(k);
	} else if (k->refusal[0]) {
		fail(k, GW_LINK_DOWN, "%s", k->refusal);
	} else if (rc == MOSQ_ERR_KEEPALIVE) {
		fail(k, GW_LINK_DOWN, "it does not answer any more");
	} else if (rc == MOSQ_ERR_CONN_LOST || rc == MOSQ_ERR_SUCCESS) {
		fail(k, GW_LINK_DOWN, "it closed the connection");
	} else if (rc == MOSQ_ERR_ERRNO) {
		fail(k, GW_LINK_DOWN, "%s", strerror(err));
	} else {
		fail(k, GW_LINK_DOWN, "%s", mosquitto_strerror(rc));
	}
}

/* --- callbacks of libmosquitto: they only note, except for messages --- */

static void on_connect(struct mosquitto *m, void *obj, int code)
{
	(void)m;
	struct gw_mqtt_link *k = obj;
	k->packets++;
	k->connack = code;
}

static void on_message(struct mosquitto *m, void *obj, const struct mosquitto_message *in)
{
	(void)m;
	struct gw_mqtt_link *k = obj;
	k->packets++;
	size_t topic_len = strlen(in->topic);
	if (!usable(k)) {
		return;
	}
	if (topic_len > GW_TOPIC_BYTES || in->payloadlen > GW_DESCRIPTION_BYTES) {
		gw_log_warning(
			LOG_TOPIC, "GW-MQTT-SIZE",
			"a message with a topic of %zu and a payload of %d bytes is too large, ignoring",
			topic_len, in->payloadlen);
		return;
	}
	k->messages++;
	k->ops->message(k->ctx, &(struct gw_mqtt_message){
					.topic = {in->topic, topic_len},
					.payload = {in->payload, (size_t)in->payloadlen},
					.qos = (uint8_t)in->qos,
					.retained = in->retain,
				});
}

/* QoS 0 written or QoS 1 acknowledged. */
static void on_publish(struct mosquitto *m, void *obj, int mid)
{
	(void)m;
	struct gw_mqtt_link *k = obj;
	k->packets++;
	gw_mqtt_backlog_pop(&k->backlog, mid);
	if (k->publishing && *k->publishing == mid) {
		k->published = true;
	} else if (k->ops->published && usable(k)) {
		k->ops->published(k->ctx, mid);
	}
}

/* A refused filter is named by nothing but its place in a packet, so the owner is told the number and where to look. */
static void on_subscribe(struct mosquitto *m, void *obj, int mid, int n, const int *granted)
{
	(void)m;
	(void)mid;
	struct gw_mqtt_link *k = obj;
	k->packets++;
	int refused = 0;
	for (int i = 0; i < n; i++) {
		refused += granted[i] > 2; /* 0x80, MQTT 3.1.1 §3.9.3 */
	}
	if (refused > 0) {
		gw_log_warning(
			LOG_TOPIC, "GW-MQTT-ACL",
			"the broker refuses %d of %d subscriptions: look at its access rules",
			refused, n);
	}
}

static void on_unsubscribe(struct mosquitto *m, void *obj, int mid)
{
	(void)m;
	(void)mid;
	struct gw_mqtt_link *k = obj;
	k->packets++;
}

/* --- a connection --- */

static void update_events(struct gw_mqtt_link *k)
{
	int events = UV_READABLE | (mosquitto_want_write(k->mosq) ? UV_WRITABLE : 0);
	if (events == k->events) {
		return;
	}
	k->events = events;
	int r = gw_watch_set(k->watch, events);
	if (r < 0) {
		fail(k, GW_LINK_DOWN, "cannot watch its socket: %s", strerror(-r));
	}
}

/* libmosquitto takes a connection that breaks within the TLS handshake for one that needs more time. */
static bool is_broken(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT);
	return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static int handshake(struct gw_mqtt_link *k)
{
	int rc = mosquitto_loop_read(k->mosq, /* max_packets= */ 1);
	if (rc == MOSQ_ERR_SUCCESS && k->connack < 0 && is_broken(mosquitto_socket(k->mosq))) {
		rc = MOSQ_ERR_CONN_LOST;
	}
	return rc;
}

static int read_batch(struct gw_mqtt_link *k)
{
	int64_t until_us = 0;
	for (unsigned i = 1; i <= BATCH_PACKETS; i++) {
		k->packets = k->messages = 0;
		int rc = mosquitto_loop_read(k->mosq, /* max_packets= */ 1);
		if (rc != MOSQ_ERR_SUCCESS || k->packets == 0 || !usable(k)) {
			return rc;
		}
		if (k->messages > 0 && k->ops->flush) {
			k->ops->flush(k->ctx);
			if (!usable(k)) {
				return MOSQ_ERR_SUCCESS;
			}
		}
		if (mosquitto_want_write(k->mosq)) { /* message() has published */
			rc = mosquitto_loop_write(k->mosq, /* max_packets= */ 1);
			if (rc != MOSQ_ERR_SUCCESS || !usable(k)) {
				return rc;
			}
		}
		if (i % 16 == 0) {
			int64_t now_us = gw_clock_us();
			until_us = until_us ? until_us : now_us + BATCH_US;
			if (now_us >= until_us) {
				break;
			}
		}
	}
	return MOSQ_ERR_SUCCESS;
}

static void send_filters(struct gw_mqtt_link *k)
{
	int rc = gw_mqtt_filters_send(&k->filters, k->mosq);
	if (rc != MOSQ_ERR_SUCCESS) {
		/* The socket tells the loss to on_watch(), and after it everything is subscribed again. */
		gw_log_debug(LOG_TOPIC, "cannot subscribe: %s", mosquitto_strerror(rc));
	}
}

static void come_up(struct gw_mqtt_link *k)
{
	k->phase = PHASE_UP;
	k->up_since_ms = gw_clock_ms();
	gw_timer_start(k->timer, TICK_MS, TICK_MS);
	gw_mqtt_filters_begin(&k->filters); /* a clean session has none */
	send_filters(k);
	set_state(k, GW_LINK_UP, "");
}

static void finish_stop(struct gw_mqtt_link *k)
{
	end_connection(k);
	gw_timer_stop(k->timer);
	k->phase = PHASE_STOPPED;
	k->state = GW_LINK_DOWN;
	gw_deferred_schedule(k->deferred);
}

/* After each call into libmosquitto: is the connection still there, and what does it wait for? */
static void settle(struct gw_mqtt_link *k, int rc, int err)
{
	if (k->phase == PHASE_CLOSING) {
		if (rc != MOSQ_ERR_SUCCESS || mosquitto_socket(k->mosq) < 0) {
			finish_stop(k);
		}
		return;
	}
	if (!usable(k)) {
		return; /* leave() ends it */
	}
	if (rc != MOSQ_ERR_SUCCESS || mosquitto_socket(k->mosq) < 0) {
		lost(k, rc, err);
		return;
	}
	if (k->phase == PHASE_CONNECTING && k->connack == 0) {
		come_up(k);
	}
	if (usable(k) && k->mosq) {
		update_events(k);
	}
}

static void on_watch(void *ctx, int events)
{
	(void)events; /* an error shows in reading, too */
	struct gw_mqtt_link *k = ctx;
	enter(k);
	int rc = k->phase == PHASE_UP		? read_batch(k)
		 : k->phase == PHASE_CONNECTING ? handshake(k)
						: MOSQ_ERR_SUCCESS;
	if (rc == MOSQ_ERR_SUCCESS && !k->freed && mosquitto_want_write(k->mosq)) {
		rc = mosquitto_loop_write(k->mosq, /* max_packets= */ 1);
	}
	settle(k, rc, errno);
	leave(k);
}

/* Without it everything works, only with more segments; the kernel itself sends what waits after 200 ms. */
static void set_cork(struct gw_mqtt_link *k, bool on)
{
	const int value = on;
	(void)setsockopt(mosquitto_socket(k->mosq), IPPROTO_TCP, TCP_CORK, &value, sizeof(value));
	k->corked = on;
}

static void tune_socket(int fd, bool tcp)
{
	/* A failure only costs comfort: an inherited descriptor is closed by exec's caller, too, and MQTT has its own keepalive. */
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (!tcp) {
		return;
	}
	const struct {
		int level, name, value;
	} options[] = {
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_S},
		{IPPROTO_TCP, TCP_KEEPINTVL, 10},
		{IPPROTO_TCP, TCP_KEEPCNT, 3},
		{IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS},
	};
	for (size_t i = 0; i < gw_countof(options); i++) {
		(void)setsockopt(fd, options[i].level, options[i].name, &options[i].value,
				 sizeof(options[i].value));
	}
}

/*
 * What is published second in a turn, and after it, shares segments: it leaves at the end of the turn, or when a segment is
 * full. A write that sends nothing saves a busy small router a fifth of the work for a message.
 */
static void share_segments(struct gw_mqtt_link *k)
{
	if (!k->busy) {
		k->busy = true;
		gw_deferred_schedule(k->deferred);
	} else if (!k->corked && !is_local(k->endpoint)) {
		set_cork(k, true);
	}
}

static int set_up(struct gw_mqtt_link *k, struct mosquitto *m)
{
	mosquitto_connect_callback_set(m, on_connect);
	mosquitto_message_callback_set(m, on_message);
	mosquitto_publish_callback_set(m, on_publish);
	mosquitto_subscribe_callback_set(m, on_subscribe);
	mosquitto_unsubscribe_callback_set(m, on_unsubscribe);
	int rc = mosquitto_username_pw_set(m, k->endpoint->username, k->endpoint->password);
	if (rc == MOSQ_ERR_SUCCESS && k->will.topic) {
		rc = mosquitto_will_set(m, k->will.topic, (int)k->will.payload_len, k->will.payload,
					k->will.qos, k->will.retain);
	}
	/* QoS 1 goes out at once and in order: the host keeps one command in flight per device. 0: no limit of its own. */
	if (rc == MOSQ_ERR_SUCCESS) {
		rc = mosquitto_int_option(m, MOSQ_OPT_SEND_MAXIMUM, 0);
	}
	if (rc == MOSQ_ERR_SUCCESS && k->endpoint->port != 0) {
		rc = mosquitto_int_option(m, MOSQ_OPT_TCP_NODELAY, 1);
	}
	if (rc == MOSQ_ERR_SUCCESS && k->tls) {
		rc = mosquitto_int_option(m, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
	}
	if (rc == MOSQ_ERR_SUCCESS && k->tls) {
		rc = mosquitto_void_option(m, MOSQ_OPT_SSL_CTX, k->tls);
	}
	return rc;
}

static int connect_to(struct gw_mqtt_link *k, const char *address)
{
	k->connack = -1;
	k->refusal[0] = '\0';
	k->mosq = mosquitto_new(k->client_id, /* clean_start= */ true, k);
	if (!k->mosq) {
		errno = ENOMEM;
		return MOSQ_ERR_ERRNO;
	}
	int rc = set_up(k, k->mosq);
	if (rc == MOSQ_ERR_SUCCESS) {
		rc = mosquitto_connect_async(k->mosq, address, k->endpoint->port, KEEPALIVE_S);
	}
	if (rc != MOSQ_ERR_SUCCESS) {
		return rc;
	}
	tune_socket(mosquitto_socket(k->mosq), k->endpoint->port != 0);
	k->watch = gw_watch_new(k->loop, mosquitto_socket(k->mosq), on_watch, k);
	if (!k->watch) {
		errno = ENOMEM;
		return MOSQ_ERR_ERRNO;
	}
	return MOSQ_ERR_SUCCESS;
}

/* To the next address, which has its own deadline; false when none is left. */
static bool connect_next(struct gw_mqtt_link *k)
{
	const char *address = gw_mqtt_names_next(&k->names);
	if (!address) {
		return false;
	}
	k->phase = PHASE_CONNECTING;
	gw_timer_start(k->timer, CONNECT_MS, /* repeat_ms= */ 0);
	int rc = connect_to(k, address);
	settle(k, rc, errno);
	return true;
}

static void on_names(void *ctx, int status)
{
	struct gw_mqtt_link *k = ctx;
	enter(k);
	if (status < 0) {
		fail(k, GW_LINK_DOWN, "its name is not found: %s", uv_strerror(status));
	} else {
		(void)connect_next(k); /* there is one */
	}
	leave(k);
}

static void attempt(struct gw_mqtt_link *k)
{
	if (k->endpoint->tls && !k->tls) {
		char reason[160];
		if (gw_mqtt_tls_new(k->endpoint, k->refusal, sizeof(k->refusal), &k->tls, reason,
				    sizeof(reason)) < 0) {
			fail(k, GW_LINK_DOWN, "%s", reason);
			return;
		}
	}
	set_state(k, GW_LINK_CONNECTING, "");
	if (!usable(k)) {
		return;
	}
	k->phase = PHASE_LOOKING_UP;
	int r = gw_mqtt_names_begin(&k->names, k->loop, k->endpoint->host, on_names, k);
	if (r != 0) {
		on_names(k, r);
	}
}

/* --- timer, end of turn --- */

static void on_timer(void *ctx)
{
	struct gw_mqtt_link *k = ctx;
	enter(k);
	switch (k->phase) {
	case PHASE_WAITING: attempt(k); break;
	case PHASE_CONNECTING:
		fail(k, GW_LINK_DOWN, "no answer within %d s", CONNECT_MS / 1000);
		break;
	case PHASE_UP: {
		int rc = mosquitto_loop_misc(k->mosq);
		settle(k, rc, errno);
		break;
	}
	case PHASE_CLOSING: finish_stop(k); break;
	case PHASE_IDLE:
	case PHASE_LOOKING_UP:
	case PHASE_STOPPED: break;
	}
	leave(k);
}

static void on_deferred(void *ctx)
{
	struct gw_mqtt_link *k = ctx;
	enter(k);
	if (k->corked) {
		set_cork(k, false);
	}
	k->busy = false;
	if (k->phase == PHASE_UP && usable(k)) {
		send_filters(k);
		update_events(k);
	} else if (k->phase == PHASE_STOPPED && k->stopped) {
		void (*stopped)(void *ctx) = k->stopped;
		k->stopped = NULL;
		stopped(k->ctx);
	}
	leave(k);
}

static void begin_stop(struct gw_mqtt_link *k)
{
	gw_mqtt_names_abandon(&k->names);
	enter(k); /* DISCONNECT may be written at once */
	if (k->phase == PHASE_UP && mosquitto_disconnect(k->mosq) == MOSQ_ERR_SUCCESS &&
	    mosquitto_socket(k->mosq) >= 0) {
		k->phase = PHASE_CLOSING;
		gw_timer_start(k->timer, CLOSE_MS, /* repeat_ms= */ 0);
		if (gw_watch_set(k->watch, UV_WRITABLE) < 0) {
			finish_stop(k);
		}
	} else {
		finish_stop(k);
	}
	leave(k);
}

/* --- the contract --- */

static int copy_will(struct gw_mqtt_link *k, const struct gw_mqtt_will *will)
{
	k->will.topic = gw_strndup(will->topic.p, will->topic.len);
	k->will.payload = gw_strndup(will->payload.p, will->payload.len);
	k->will.payload_len = will->payload.len;
	k->will.qos = will->qos;
	k->will.retain = will->retain;
	return k->will.topic && k->will.payload ? 0 : -ENOMEM;
}

static int choose_client_id(struct gw_mqtt_link *k, const char *client_id)
{
	if (client_id) {
		(void)snprintf(k->client_id, sizeof(k->client_id), "%s", client_id);
		return 0;
	}
	uint64_t id;
	if (getrandom(&id, sizeof(id), 0) != (ssize_t)sizeof(id)) {
		return -EIO;
	}
	(void)snprintf(k->client_id, sizeof(k->client_id), "hearth-%016llx",
		       (unsigned long long)id);
	return 0;
}

int gw_mqtt_link_new(struct gw_loop *l, const struct gw_broker_endpoint *endpoint,
		     const char *client_id, const struct gw_mqtt_will *will,
		     const struct gw_mqtt_ops *ops, void *ctx, struct gw_mqtt_link **ret_link)
{
	if (!l || !endpoint || !endpoint->host || !ops || !ops->message ||
	    (client_id && (!client_id[0] || strlen(client_id) > MOSQ_MQTT_ID_MAX_LENGTH)) ||
	    (will && (!gw_topic_is_topic(will->topic) || will->qos > 1))) {
		return -EINVAL;
	}
	if (mosquitto_lib_init() != MOSQ_ERR_SUCCESS) {
		return -ENOMEM;
	}
	struct gw_mqtt_link *k = gw_new(struct gw_mqtt_link);
	if (!k) {
		(void)mosquitto_lib_cleanup(); /* counts; cannot fail */
		return -ENOMEM;
	}
	k->loop = l;
	k->endpoint = endpoint;
	k->ops = ops;
	k->ctx = ctx;
	k->timer = gw_timer_new(l, on_timer, k);
	k->deferred = gw_deferred_new(l, on_deferred, k);
	int r = k->timer && k->deferred ? gw_mqtt_filters_init(&k->filters) : -ENOMEM;
	if (r == 0 && will) {
		r = copy_will(k, will);
	}
	if (r == 0) {
		r = choose_client_id(k, client_id);
	}
	if (r < 0) {
		destroy(k);
		return r;
	}
	*ret_link = k;
	return 0;
}

int gw_mqtt_link_start(struct gw_mqtt_link *k)
{
	if (k->phase != PHASE_IDLE || k->stopping) {
		return -EALREADY;
	}
	k->phase = PHASE_WAITING;
	gw_timer_start(k->timer, /* after_ms= */ 0, /* repeat_ms= */ 0);
	return 0;
}

void gw_mqtt_link_stop(struct gw_mqtt_link *k, void (*stopped)(void *ctx))
{
	if (k->stopping) {
		return;
	}
	k->stopping = true;
	k->stopped = stopped;
	if (k->depth == 0) {
		begin_stop(k);
	}
}

void gw_mqtt_link_free(struct gw_mqtt_link *k)
{
	if (!k || k->freed) {
		return;
	}
	k->freed = true;
	if (k->depth == 0) {
		destroy(k);
	}
}

enum gw_link_state gw_mqtt_link_state(const struct gw_mqtt_link *k)
{
	return k->state;
}

int gw_mqtt_link_subscribe(struct gw_mqtt_link *k, struct gw_str filter, uint8_t qos)
{
	if (!gw_topic_is_filter(filter) || qos > 1) {
		return -EINVAL;
	}
	int r = gw_mqtt_filters_add(&k->filters, filter, qos, k->phase == PHASE_UP);
	if (r > 0) {
		gw_deferred_schedule(k->deferred);
	}
	return r < 0 ? r : 0;
}

int gw_mqtt_link_unsubscribe(struct gw_mqtt_link *k, struct gw_str filter)
{
	int r = gw_mqtt_filters_remove(&k->filters, filter, k->phase == PHASE_UP);
	if (r > 0) {
		gw_deferred_schedule(k->deferred);
	}
	return r < 0 ? r : 0;
}

static int publish_error(int rc)
{
	switch (rc) {
	case MOSQ_ERR_SUCCESS: return 0;
	case MOSQ_ERR_INVAL:
	case MOSQ_ERR_MALFORMED_UTF8: return -EINVAL;
	case MOSQ_ERR_NOMEM: return -ENOMEM;
	default:
		return -ENOTCONN; /* on_watch() hears the same from the socket and tells the state */
	}
}

int gw_mqtt_link_publish(struct gw_mqtt_link *k, struct gw_str topic, struct gw_str payload,
			 uint8_t qos, bool retain, int *ret_mid)
{
	if (k->phase != PHASE_UP || k->stopping) {
		return -ENOTCONN;
	}
	if (payload.len > GW_BODY_BYTES * 4U) {
		return -E2BIG;
	}
	if (topic.len == 0 || topic.len > GW_TOPIC_BYTES || qos > 1 ||
	    memchr(topic.p, '\0', topic.len)) {
		return -EINVAL; /* wildcards, control characters and bad UTF-8 are libmosquitto's */
	}
	size_t bytes = topic.len + payload.len;
	int r = gw_mqtt_backlog_reserve(&k->backlog, bytes);
	if (r < 0) {
		return r;
	}
	char text[GW_TOPIC_BYTES + 1];
	memcpy(text, topic.p, topic.len);
	text[topic.len] = '\0';
	int mid = 0;
	const int *outer = k->publishing;
	enter(k); /* published() may free the link */
	share_segments(k);
	k->publishing = &mid;
	k->published = false;
	int rc = mosquitto_publish(k->mosq, &mid, text, (int)payload.len, payload.p, qos, retain);
	bool written = k->published;
	k->publishing = outer;
	k->published = false;
	if (rc == MOSQ_ERR_SUCCESS) {
		if (mosquitto_want_write(k->mosq)) {
			gw_mqtt_backlog_push(&k->backlog, mid, bytes);
		} else {
			gw_mqtt_backlog_clear(&k->backlog);
		}
		if (ret_mid) {
			*ret_mid = mid;
		}
		if (k->depth == 1) { /* else settle() looks at it */
			update_events(k);
		}
		if (written && k->ops->published && usable(k)) {
			k->ops->published(k->ctx, mid);
		}
	}
	leave(k);
	return publish_error(rc);
}
