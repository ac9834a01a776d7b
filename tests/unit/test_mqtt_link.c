#include "gw_test.h"

#include <dlfcn.h>
#include <netdb.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <time.h>

#include "gw/alloc.h"
#include "gw/limits.h"
#include "gw/mqtt_link.h"
#include "link/mqtt_tls.h"
#include "mosquitto.h"

/* --- the edges of libc: the clock can be put forward, names ending in .test are ours --- */

static int64_t clock_ahead_s;
static sem_t slow_lookup, slow_release;
static pthread_t loop_thread;
static bool looked_up_on_loop;

int clock_gettime(clockid_t id, struct timespec *ts)
{
	long r = syscall(SYS_clock_gettime, id, ts);
	if (r == 0 && (id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_COARSE)) {
		ts->tv_sec += clock_ahead_s;
	}
	return (int)r;
}

typedef int getaddrinfo_fn(const char *node, const char *service, const struct addrinfo *hints,
			   struct addrinfo **res);

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		struct addrinfo **res)
{
	getaddrinfo_fn *real = (getaddrinfo_fn *)(uintptr_t)dlsym(RTLD_NEXT, "getaddrinfo");
	size_t len = strlen(node);
	if (len < 5 || strcmp(node + len - 5, ".test") != 0) {
		return real(node, service, hints, res);
	}
	if (pthread_equal(pthread_self(), loop_thread)) {
		looked_up_on_loop = true;
	}
	if (strcmp(node, "none.test") == 0) {
		return EAI_NONAME;
	}
	if (strcmp(node, "slow.test") == 0) {
		(void)sem_post(&slow_lookup);
		(void)sem_wait(&slow_release);
	}
	if (strcmp(node, "two.test") ==
	    0) { /* the first refuses: the broker listens on the second */
		int r = real("127.0.0.2", service, hints, res);
		return r ? r : real("127.0.0.1", service, hints, &(*res)->ai_next);
	}
	return real("127.0.0.1", service, hints, res);
}

/* --- a client and what it saw --- */

enum trick { KEEP, FREE_IN_MESSAGE, STOP_IN_MESSAGE, FREE_IN_STATE, FREE_IN_FLUSH };

struct client {
	struct gw_loop *loop;
	struct gw_mqtt_link *link;
	struct gw_broker_endpoint endpoint;
	enum gw_link_state state;
	unsigned ups, downs;
	char reason[256];

	unsigned messages, flushes, published, stopped;
	int last_mid;
	bool inside, flushed_inside;
	char topic[GW_TOPIC_BYTES + 1], payload[64];
	size_t payload_len;
	bool retained;
	uint8_t qos;

	const char *echo_to; /* message() publishes there */
	unsigned expected;
	enum trick trick;
};

static void drop(struct client *c)
{
	gw_mqtt_link_free(c->link);
	c->link = NULL;
}

static void on_stopped(void *ctx)
{
	struct client *c = ctx;
	c->stopped++;
}

static void on_state(void *ctx, enum gw_link_state state, const char *reason)
{
	struct client *c = ctx;
	assert_non_null(c->link);
	c->state = state;
	c->ups += state == GW_LINK_UP;
	c->downs += state == GW_LINK_DOWN;
	if (reason) {
		(void)snprintf(c->reason, sizeof(c->reason), "%s", reason);
	}
	if (c->trick == FREE_IN_STATE && state == GW_LINK_UP) {
		drop(c);
	}
}

static void on_message(void *ctx, const struct gw_mqtt_message *m)
{
	struct client *c = ctx;
	assert_non_null(c->link);
	c->inside = true;
	c->messages++;
	(void)snprintf(c->topic, sizeof(c->topic), GW_STR_FMT, GW_STR_ARG(m->topic));
	c->payload_len = m->payload.len;
	size_t n =
		m->payload.len < sizeof(c->payload) - 1 ? m->payload.len : sizeof(c->payload) - 1;
	if (n > 0) {
		memcpy(c->payload, m->payload.p, n);
	}
	c->payload[n] = '\0';
	c->retained = m->retained;
	c->qos = m->qos;
	if (c->echo_to) {
		assert_int_equal(gw_mqtt_link_publish(c->link, gw_str(c->echo_to), m->payload, 0,
						      false, NULL),
				 0);
	}
	c->inside = false;
	if (c->trick == FREE_IN_MESSAGE) {
		drop(c);
	} else if (c->trick == STOP_IN_MESSAGE) {
		gw_mqtt_link_stop(c->link, on_stopped);
	}
}

static void on_flush(void *ctx)
{
	struct client *c = ctx;
	c->flushes++;
	c->flushed_inside = c->flushed_inside || c->inside;
	assert_int_equal(c->flushes, c->messages);
	if (c->trick == FREE_IN_FLUSH) {
		drop(c);
	}
}

static void on_published(void *ctx, int mid)
{
	struct client *c = ctx;
	c->published++;
	c->last_mid = mid;
}

static const struct gw_mqtt_ops client_ops = {on_state, on_message, on_flush, on_published};

static void client_init(struct client *c, struct gw_loop *l, const char *host, uint16_t port)
{
	*c = (struct client){.loop = l, .endpoint = {.host = host, .port = port}};
}

static void client_start(struct client *c)
{
	assert_int_equal(
		gw_mqtt_link_new(c->loop, &c->endpoint, NULL, NULL, &client_ops, c, &c->link), 0);
	assert_int_equal(gw_mqtt_link_start(c->link), 0);
}

static bool is_up(void *ctx)
{
	return ((struct client *)ctx)->state == GW_LINK_UP;
}

static bool is_down(void *ctx)
{
	return ((struct client *)ctx)->state == GW_LINK_DOWN;
}

static bool was_down(void *ctx)
{
	return ((struct client *)ctx)->downs > 0;
}

static bool has_messages(void *ctx)
{
	const struct client *c = ctx;
	return c->messages >= c->expected;
}

static bool has_published(void *ctx)
{
	const struct client *c = ctx;
	return c->published >= c->expected;
}

static bool has_stopped(void *ctx)
{
	return ((struct client *)ctx)->stopped > 0;
}

static void client_up(struct client *c, struct gw_loop *l, const char *host, uint16_t port)
{
	client_init(c, l, host, port);
	client_start(c);
	assert_true(loop_until(l, is_up, c));
}

static void publish(struct client *c, const char *topic, const char *payload)
{
	assert_int_equal(
		gw_mqtt_link_publish(c->link, gw_str(topic), gw_str(payload), 0, false, NULL), 0);
}

static void subscribe(struct client *c, const char *filter)
{
	assert_int_equal(gw_mqtt_link_subscribe(c->link, gw_str(filter), 0), 0);
}

/* (Un)subscriptions go out at the end of the turn, and the broker acknowledges a later packet after it carried them out. */
static void settle_subscriptions(struct client *c)
{
	loop_turns(c->loop, 2);
	c->expected = c->published + 1;
	assert_int_equal(
		gw_mqtt_link_publish(c->link, GW_STR("barrier"), GW_STR("x"), 1, false, NULL), 0);
	assert_true(loop_until(c->loop, has_published, c));
	c->messages = c->flushes = 0;
}

struct fixture {
	struct gw_loop *loop;
	struct mosquitto_process broker;
};

#define ANONYMOUS "allow_anonymous true\n"

static int set_up_empty(void **state)
{
	struct fixture *f = gw_new(struct fixture);
	clock_ahead_s = 0;
	looked_up_on_loop = false;
	f->loop = gw_loop_new();
	assert_non_null(f->loop);
	mosquitto_prepare(&f->broker);
	*state = f;
	return 0;
}

static int set_up(void **state)
{
	(void)set_up_empty(state);
	mosquitto_start(&((struct fixture *)*state)->broker, ANONYMOUS);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	mosquitto_end(&f->broker);
	gw_loop_free(f->loop);
	gw_free(f);
	assert_false(looked_up_on_loop);
	return 0;
}

/* --- messages --- */

static void test_messages(void **state)
{
	struct fixture *f = *state;
	struct client a, b;
	client_up(&a, f->loop, "127.0.0.1", f->broker.port);
	client_up(&b, f->loop, "127.0.0.1", f->broker.port);
	subscribe(&a, "home/+/in");
	settle_subscriptions(&a);
	subscribe(&b, "home/out");
	settle_subscriptions(&b);

	a.echo_to = "home/out"; /* from within message() */
	a.expected = b.expected = 1;
	publish(&b, "home/kitchen/in", "hello");
	assert_true(loop_until(f->loop, has_messages, &b));
	assert_string_equal(a.topic, "home/kitchen/in");
	assert_string_equal(b.payload, "hello");
	assert_false(b.retained);
	assert_int_equal(a.flushes, 1);
	assert_false(a.flushed_inside);

	publish(&b, "home/kitchen/in", ""); /* an empty payload is a message, too */
	b.expected = 2;
	assert_true(loop_until(f->loop, has_messages, &b));
	assert_int_equal(b.payload_len, 0);
	drop(&a);
	drop(&b);
}

static void test_qos1_and_retain(void **state)
{
	struct fixture *f = *state;
	struct client a, b;
	client_up(&a, f->loop, "127.0.0.1", f->broker.port);
	int mid = 0;
	assert_int_equal(gw_mqtt_link_publish(a.link, GW_STR("kept"), GW_STR("1"), 1, true, &mid),
			 0);
	assert_int_equal(a.published, 0); /* not before the acknowledgement */
	a.expected = 1;
	assert_true(loop_until(f->loop, has_published, &a));
	assert_int_equal(a.last_mid, mid);
	assert_int_equal(gw_mqtt_link_publish(a.link, GW_STR("other"), GW_STR("0"), 0, false, &mid),
			 0);
	assert_int_equal(a.published, 2); /* QoS 0: written at once */
	assert_int_equal(a.last_mid, mid);

	client_init(&b, f->loop, "127.0.0.1", f->broker.port);
	assert_int_equal(
		gw_mqtt_link_new(f->loop, &b.endpoint, "named", NULL, &client_ops, &b, &b.link), 0);
	assert_int_equal(gw_mqtt_link_subscribe(b.link, GW_STR("kept"), 1), 0); /* before start */
	assert_int_equal(gw_mqtt_link_start(b.link), 0);
	b.expected = 1;
	assert_true(loop_until(f->loop, has_messages, &b));
	assert_true(b.retained);
	assert_int_equal(b.qos, 1);
	drop(&a);
	drop(&b);
}

static void test_arguments(void **state)
{
	struct fixture *f = *state;
	struct client c;
	client_init(&c, f->loop, "127.0.0.1", f->broker.port);
	struct gw_mqtt_link *k = NULL;
	assert_int_equal(gw_mqtt_link_new(f->loop, &c.endpoint, "longer than 23 characters", NULL,
					  &client_ops, &c, &k),
			 -EINVAL);
	const struct gw_mqtt_will will = {GW_STR("a/#"), GW_STR(""), 0, false};
	assert_int_equal(gw_mqtt_link_new(f->loop, &c.endpoint, NULL, &will, &client_ops, &c, &k),
			 -EINVAL);
	assert_null(k);
	client_start(&c);
	assert_int_equal(gw_mqtt_link_publish(c.link, GW_STR("a"), GW_STR("x"), 0, false, NULL),
			 -ENOTCONN); /* not yet */
	assert_int_equal(gw_mqtt_link_start(c.link), -EALREADY);
	assert_true(loop_until(f->loop, is_up, &c));
	static const char *const bad[] = {"", "a/+", "a/#", "a\001b", "a\xff"};
	for (size_t i = 0; i < gw_countof(bad); i++) {
		assert_int_equal(
			gw_mqtt_link_publish(c.link, gw_str(bad[i]), GW_STR("x"), 0, false, NULL),
			-EINVAL);
	}
	assert_int_equal(gw_mqtt_link_publish(c.link, (struct gw_str){"a\0b", 3}, GW_STR("x"), 0,
					      false, NULL),
			 -EINVAL);
	assert_int_equal(gw_mqtt_link_publish(c.link, GW_STR("a"), GW_STR("x"), 2, false, NULL),
			 -EINVAL);
	assert_int_equal(gw_mqtt_link_subscribe(c.link, GW_STR("a/#/b"), 0), -EINVAL);
	assert_int_equal(gw_mqtt_link_subscribe(c.link, GW_STR("a"), 2), -EINVAL);
	assert_int_equal(gw_mqtt_link_unsubscribe(c.link, GW_STR("never")), -ENOENT);
	drop(&c);
}

static void test_sizes(void **state)
{
	struct fixture *f = *state;
	struct client c;
	client_up(&c, f->loop, "127.0.0.1", f->broker.port);
	subscribe(&c, "#");
	settle_subscriptions(&c);
	static char big[GW_DESCRIPTION_BYTES + 1];
	memset(big, 'a', sizeof(big));
	const struct gw_str topic = {big, GW_TOPIC_BYTES}, body = {big, GW_BODY_BYTES * 4};

	assert_int_equal(gw_mqtt_link_publish(c.link, topic, body, 0, false, NULL), 0);
	c.expected = 1;
	assert_true(loop_until(f->loop, has_messages, &c));
	assert_int_equal(c.payload_len, GW_BODY_BYTES * 4);
	assert_int_equal(strlen(c.topic), GW_TOPIC_BYTES);
	assert_int_equal(gw_mqtt_link_publish(c.link, topic, (struct gw_str){big, body.len + 1}, 0,
					      false, NULL),
			 -E2BIG);
	assert_int_equal(gw_mqtt_link_publish(c.link, (struct gw_str){big, topic.len + 1},
					      GW_STR("x"), 0, false, NULL),
			 -EINVAL);

	/* From others: a description of 1 MiB comes through, one byte more and a longer topic do not. */
	char path[128], command[512];
	(void)snprintf(path, sizeof(path), "%s/big", f->broker.dir);
	static const struct {
		size_t payload;
		unsigned arrives;
	} cases[] = {{GW_DESCRIPTION_BYTES, 1}, {GW_DESCRIPTION_BYTES + 1, 0}};
	for (size_t i = 0; i < gw_countof(cases); i++) {
		FILE *file = fopen(path, "w");
		assert_int_equal(fwrite(big, 1, cases[i].payload, file), cases[i].payload);
		assert_int_equal(fclose(file), 0);
		(void)snprintf(command, sizeof(command), "mosquitto_pub -p %u -t big -f %s",
			       f->broker.port, path);
		c.messages = c.flushes = 0;
		assert_int_equal(system(command), 0);
		publish(&c, "after", "x"); /* arrives after it, whatever became of it */
		c.expected = 1 + cases[i].arrives;
		assert_true(loop_until(f->loop, has_messages, &c));
		loop_turns(f->loop, 50);
		assert_int_equal(c.messages, 1 + cases[i].arrives);
	}
	drop(&c);
}

/* --- many subscriptions, sessions lost --- */

static void test_many_subscriptions(void **state)
{
	enum { N = 5000 };
	struct fixture *f = *state;
	struct client c, other;
	client_up(&c, f->loop, "127.0.0.1", f->broker.port);
	char text[64];
	for (int i = 0; i < N; i++) {
		(void)snprintf(text, sizeof(text), "tele/plug-%d/SENSOR", i);
		subscribe(&c, text);
	}
	subscribe(&c, "tele/plug-7/SENSOR"); /* again: nothing happens */
	settle_subscriptions(&c);
	client_up(&other, f->loop, "127.0.0.1", f->broker.port);
	for (int round = 0; round < 2; round++) {
		c.expected = N;
		for (int i = 0; i < N; i++) {
			(void)snprintf(text, sizeof(text), "tele/plug-%d/SENSOR", i);
			publish(&other, text, "1");
		}
		assert_true(loop_until(f->loop, has_messages, &c));
		assert_int_equal(c.messages, N);
		if (round == 1) {
			break;
		}
		/* The broker dies; a new one knows nothing of us. */
		mosquitto_kill(&f->broker);
		assert_true(loop_until(f->loop, is_down, &c));
		assert_int_equal(
			gw_mqtt_link_publish(c.link, GW_STR("a"), GW_STR("x"), 0, false, NULL),
			-ENOTCONN);
		assert_int_equal(gw_mqtt_link_unsubscribe(c.link, GW_STR("tele/plug-0/SENSOR")), 0);
		subscribe(&c, "tele/plug-0/SENSOR"); /* while down */
		mosquitto_start(&f->broker, ANONYMOUS);
		assert_true(loop_until(f->loop, is_up, &c));
		assert_true(loop_until(f->loop, is_up, &other));
		settle_subscriptions(&c);
	}
	assert_int_equal(gw_mqtt_link_unsubscribe(c.link, GW_STR("tele/plug-1/SENSOR")), 0);
	settle_subscriptions(&c);
	publish(&other, "tele/plug-1/SENSOR", "1");
	publish(&other, "tele/plug-2/SENSOR", "1");
	c.expected = 1;
	assert_true(loop_until(f->loop, has_messages, &c));
	loop_turns(f->loop, 50);
	assert_int_equal(c.messages, 1);
	assert_string_equal(c.topic, "tele/plug-2/SENSOR");
	drop(&c);
	drop(&other);
}

/* The cap on filters, which the broker never sees: the link is not started. */
static void test_filter_cap(void **state)
{
	struct fixture *f = *state;
	struct client c;
	client_init(&c, f->loop, "127.0.0.1", 1);
	assert_int_equal(
		gw_mqtt_link_new(f->loop, &c.endpoint, NULL, NULL, &client_ops, &c, &c.link), 0);
	char text[32];
	int r = 0, n = 0;
	for (; r == 0 && n < 100000; n++) {
		(void)snprintf(text, sizeof(text), "f/%d", n);
		r = gw_mqtt_link_subscribe(c.link, gw_str(text), 0);
	}
	assert_int_equal(r, -ENOSPC);
	assert_int_equal(n, 32769);
	assert_int_equal(gw_mqtt_link_unsubscribe(c.link, GW_STR("f/0")), 0);
	assert_int_equal(gw_mqtt_link_subscribe(c.link, gw_str(text), 0), 0);
	drop(&c);
}

/* What waited for its acknowledgement is not sent again after the restart: a command would come minutes late. */
static void test_nothing_is_sent_twice(void **state)
{
	struct fixture *f = *state;
	struct client c, other;
	client_up(&c, f->loop, "127.0.0.1", f->broker.port);
	(void)kill(f->broker.pid, SIGSTOP);
	assert_int_equal(
		gw_mqtt_link_publish(c.link, GW_STR("cmnd/x"), GW_STR("ON"), 1, false, NULL), 0);
	mosquitto_kill(&f->broker);
	assert_true(loop_until(f->loop, is_down, &c));
	clock_ahead_s += 20; /* the back-off of this client may not win against the other's */
	mosquitto_start(&f->broker, ANONYMOUS);
	client_up(&other, f->loop, "127.0.0.1", f->broker.port);
	subscribe(&other, "cmnd/#");
	settle_subscriptions(&other);
	if (!is_up(&c)) {
		assert_true(loop_until(f->loop, is_up, &c));
	}
	publish(&c, "cmnd/last", "x");
	other.expected = 1;
	assert_true(loop_until(f->loop, has_messages, &other));
	assert_string_equal(other.topic, "cmnd/last");
	assert_int_equal(c.published, 1);
	drop(&c);
	drop(&other);
}

/* --- names --- */

static bool lookup_runs(void *ctx)
{
	(void)ctx;
	return sem_trywait(&slow_lookup) == 0;
}

struct ticker {
	int64_t last_ns, worst_ns;
	unsigned n;
};

static void on_tick(void *ctx)
{
	struct ticker *t = ctx;
	struct timespec ts;
	(void)timespec_get(&ts, TIME_UTC);
	int64_t now = (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
	if (t->last_ns && now - t->last_ns > t->worst_ns) {
		t->worst_ns = now - t->last_ns;
	}
	t->last_ns = now;
	t->n++;
}

static bool ticked_100(void *ctx)
{
	return ((struct ticker *)ctx)->n >= 100;
}

/* R14: a loop turn stays under 100 ms while the resolver hangs. */
static void test_slow_lookup(void **state)
{
	struct fixture *f = *state;
	struct client c, gone;
	struct ticker ticker = {0};
	client_init(&c, f->loop, "slow.test", f->broker.port);
	client_start(&c);
	assert_true(loop_until(f->loop, lookup_runs, NULL));
	struct gw_timer *t = gw_timer_new(f->loop, on_tick, &ticker);
	gw_timer_start(t, 1, 1);
	assert_true(loop_until(f->loop, ticked_100, &ticker));
	assert_true(ticker.worst_ns < 100000000);
	assert_int_equal(c.state, GW_LINK_CONNECTING);
	gw_timer_free(t);

	client_init(&gone, f->loop, "slow.test", f->broker.port);
	client_start(&gone);
	assert_true(loop_until(f->loop, lookup_runs, NULL));
	drop(&gone); /* while its look-up hangs */
	(void)sem_post(&slow_release);
	(void)sem_post(&slow_release);
	assert_true(loop_until(f->loop, is_up, &c));
	drop(&c);
}

static void test_names(void **state)
{
	struct fixture *f = *state;
	struct client c;
	client_up(&c, f->loop, "two.test",
		  f->broker.port); /* falls through to the second address */
	assert_int_equal(c.downs, 0);
	drop(&c);
	client_init(&c, f->loop, "none.test", f->broker.port);
	client_start(&c);
	assert_true(loop_until(f->loop, was_down, &c));
	assert_non_null(strstr(c.reason, "none.test"));
	assert_non_null(strstr(c.reason, "not found"));
	drop(&c);
}

/* --- peers that are not brokers, made by hand --- */

struct peer {
	int listener, fd;
	uint16_t port;
	uint8_t in[65536];
	size_t n, total; /* in the buffer; ever */
	bool closed;
	size_t expected;
};

static void peer_init(struct peer *p)
{
	*p = (struct peer){.fd = -1};
	p->listener = test_listen(&p->port);
}

static void peer_close(struct peer *p)
{
	if (p->fd >= 0) {
		(void)close(p->fd);
	}
	p->fd = -1;
	p->n = 0;
	p->closed = false;
}

static void peer_fini(struct peer *p)
{
	peer_close(p);
	(void)close(p->listener);
}

static void peer_step(struct peer *p)
{
	if (p->fd < 0) {
		p->fd = accept4(p->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	}
	if (p->fd >= 0 && p->n < sizeof(p->in)) {
		ssize_t n = read(p->fd, p->in + p->n, sizeof(p->in) - p->n);
		p->n += n > 0 ? (size_t)n : 0;
		p->total += n > 0 ? (size_t)n : 0;
		p->closed = p->closed || n == 0 || (n < 0 && errno != EAGAIN);
	}
}

static bool peer_has(void *ctx)
{
	struct peer *p = ctx;
	peer_step(p);
	return p->n >= p->expected;
}

static bool peer_is_left(void *ctx)
{
	struct peer *p = ctx;
	peer_step(p);
	return p->closed;
}

static void peer_send(struct peer *p, const void *bytes, size_t n)
{
	assert_int_equal(send(p->fd, bytes, n, MSG_NOSIGNAL), n);
}

static const uint8_t CONNACK[] = {0x20, 2, 0, 0};

static void peer_take_connect(struct peer *p, struct gw_loop *l)
{
	p->expected = 2;
	assert_true(loop_until(l, peer_has, p));
	assert_int_equal(p->in[0], 0x10);
	p->expected = 2u + p->in[1];
	assert_true(loop_until(l, peer_has, p));
	p->n = 0;
}

/* Plays the broker until the client is up, through as many attempts as that takes. */
struct service {
	struct peer *peer;
	struct client *client;
};

static bool is_served(void *ctx)
{
	struct service *s = ctx;
	struct peer *p = s->peer;
	peer_step(p);
	if (p->n >= 2 && p->n >= 2u + p->in[1]) {
		p->n = 0;
		(void)send(p->fd, CONNACK, sizeof(CONNACK), MSG_NOSIGNAL);
	}
	if (p->closed) {
		peer_close(p); /* an attempt that the client gave up before we came to it */
	}
	return is_up(s->client);
}

static void test_silent_peer(void **state)
{
	struct fixture *f = *state;
	struct peer p;
	struct client c;
	peer_init(&p);
	client_init(&c, f->loop, "127.0.0.1", p.port);
	client_start(&c);
	peer_take_connect(&p, f->loop);
	loop_turns(f->loop, 20);
	assert_int_equal(c.state, GW_LINK_CONNECTING);
	clock_ahead_s += 5;
	assert_true(loop_until(f->loop, is_down, &c));
	assert_non_null(strstr(c.reason, "no answer within 5 s"));
	assert_true(loop_until(f->loop, peer_is_left, &p));
	drop(&c);
	peer_fini(&p);
}

static void test_hostile_answers(void **state)
{
	static const struct {
		const char *name, *bytes;
		size_t n;
	} cases[] = {
		{"PUBLISH before CONNACK",
		 "\x30\x03\x00\x01"
		 "a",
		 5},
		{"closed within a packet", "\x20\x02", 2},
		{"remaining length of five bytes", "\x20\xff\xff\xff\xff\x7f", 6},
		{"not MQTT", "HTTP/1.1 400 Bad Request\r\n\r\n", 28},
		{"unknown code", "\x20\x02\x00\x63", 4},
		{"CONNACK, then half a PUBLISH",
		 "\x20\x02\x00\x00\x30\x7f\x00\x01"
		 "a",
		 9},
		{"CONNACK, then a topic longer than its packet",
		 "\x20\x02\x00\x00\x30\x03\xff\xff\x01", 9},
		{"CONNACK, then a wildcard topic", "\x20\x02\x00\x00\x30\x03\x00\x01#", 9},
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < gw_countof(cases); i++) {
		struct peer p;
		struct client c;
		peer_init(&p);
		client_init(&c, f->loop, "127.0.0.1", p.port);
		client_start(&c);
		peer_take_connect(&p, f->loop);
		peer_send(&p, cases[i].bytes, cases[i].n);
		loop_turns(f->loop, 5);
		(void)shutdown(p.fd, SHUT_WR);
		assert_true(loop_until(f->loop, was_down, &c));
		assert_true(c.reason[0] != '\0');
		/* It comes back. */
		peer_close(&p);
		clock_ahead_s += 2;
		assert_true(loop_until(f->loop, is_served, &(struct service){&p, &c}));
		drop(&c);
		peer_fini(&p);
	}
}

/* R12: what waits for a peer that does not read has a cap in bytes, and goes out when it reads again. */
static void test_backlog(void **state)
{
	enum { BODY = 60000 };
	static char body[BODY];
	struct fixture *f = *state;
	struct peer p;
	struct client c;
	peer_init(&p);
	client_init(&c, f->loop, "127.0.0.1", p.port);
	client_start(&c);
	peer_take_connect(&p, f->loop);
	peer_send(&p, CONNACK, sizeof(CONNACK));
	assert_true(loop_until(f->loop, is_up, &c));
	unsigned n = 0;
	int r;
	while ((r = gw_mqtt_link_publish(c.link, GW_STR("t"), (struct gw_str){body, BODY}, 0, false,
					 NULL)) == 0) {
		n++;
		assert_true(n < 1000);
	}
	assert_int_equal(r, -ENOBUFS);
	unsigned written = c.published;
	assert_true(written < n);
	assert_true((size_t)(n - written) * BODY <= 4u * 1024 * 1024);
	assert_true((size_t)(n - written + 1) * BODY > 4u * 1024 * 1024 - BODY);
	/* It reads again: all of it comes, and room is free. */
	size_t total = (size_t)n * (1 + 3 + 3 + BODY);
	size_t base = p.total;
	while (p.total - base < total) {
		p.n = 0;
		p.expected = 1;
		assert_true(loop_until(f->loop, peer_has, &p));
	}
	assert_int_equal(p.total - base, total);
	assert_int_equal(c.published, n);
	publish(&c, "t", "more");
	drop(&c);
	peer_fini(&p);
}

/* Many small packets hit the cap on entries first. */
static void test_backlog_entries(void **state)
{
	struct fixture *f = *state;
	struct peer p;
	struct client c;
	peer_init(&p);
	client_init(&c, f->loop, "127.0.0.1", p.port);
	client_start(&c);
	peer_take_connect(&p, f->loop);
	peer_send(&p, CONNACK, sizeof(CONNACK));
	assert_true(loop_until(f->loop, is_up, &c));
	unsigned n = 0;
	int r;
	while ((r = gw_mqtt_link_publish(c.link, GW_STR("t"), GW_STR("1"), 0, false, NULL)) == 0) {
		n++;
		assert_true(n < 10000000);
	}
	assert_int_equal(r, -ENOBUFS);
	assert_int_equal(n - c.published, 16384);
	while (c.published < n) {
		p.n = 0;
		p.expected = 1;
		assert_true(loop_until(f->loop, peer_has, &p));
	}
	drop(&c);
	peer_fini(&p);
}

static bool refused(void *ctx)
{
	return ((struct client *)ctx)->state == GW_LINK_REFUSED;
}

static void test_refused(void **state)
{
	struct fixture *f = *state;
	struct client c;
	mosquitto_start(&f->broker, "allow_anonymous false\n");
	client_init(&c, f->loop, "127.0.0.1", f->broker.port);
	c.endpoint.username = "hearth";
	c.endpoint.password = "wrong";
	client_start(&c);
	assert_true(loop_until(f->loop, refused, &c));
	assert_non_null(strstr(c.reason, "it does not let this user in"));
	mosquitto_kill(&f->broker);
	mosquitto_start(&f->broker, ANONYMOUS);
	clock_ahead_s += 14; /* it asks slowly … */
	loop_turns(f->loop, 20);
	assert_int_equal(c.state, GW_LINK_REFUSED);
	clock_ahead_s += 17; /* … but does not give up */
	assert_true(loop_until(f->loop, is_up, &c));
	drop(&c);
}

/* --- half-open: a path that stops carrying anything, without a word --- */

struct proxy {
	struct peer near;
	int far;
	bool dead;
	unsigned pings, pongs;
};

/* Returns the first byte: each packet of these tests comes alone. */
static int carry(int from, int to)
{
	uint8_t bytes[4096];
	ssize_t n = recv(from, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (n > 0 && to >= 0) {
		assert_int_equal(send(to, bytes, (size_t)n, MSG_NOSIGNAL), n);
	}
	return n > 0 ? bytes[0] : -1;
}

static void proxy_step(struct proxy *p, uint16_t port)
{
	if (p->near.fd < 0) {
		p->near.fd = accept4(p->near.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (p->near.fd >= 0) {
			p->far = test_connect(port);
			assert_true(p->far >= 0);
		}
	}
	if (p->near.fd >= 0) {
		p->pings += carry(p->near.fd, p->dead ? -1 : p->far) == 0xc0;
		p->pongs += !p->dead && carry(p->far, p->near.fd) == 0xd0;
	}
}

struct proxied {
	struct proxy proxy;
	struct client client;
	uint16_t port;
	enum gw_link_state wanted;
};

static bool proxied_is(void *ctx)
{
	struct proxied *p = ctx;
	proxy_step(&p->proxy, p->port);
	return p->client.state == p->wanted;
}

static bool proxied_pinged(void *ctx)
{
	struct proxied *p = ctx;
	proxy_step(&p->proxy, p->port);
	return p->client.state != GW_LINK_UP ||
	       (p->proxy.pings > 0 && (p->proxy.dead || p->proxy.pongs > 0));
}

static void test_half_open(void **state)
{
	struct fixture *f = *state;
	struct proxied p = {.port = f->broker.port, .wanted = GW_LINK_UP};
	peer_init(&p.proxy.near);
	client_init(&p.client, f->loop, "127.0.0.1", p.proxy.near.port);
	client_start(&p.client);
	assert_true(loop_until(f->loop, proxied_is, &p));
	/* A quiet hour on a healthy path: PINGREQ and PINGRESP keep it up. */
	for (int i = 0; i < 120; i++) {
		clock_ahead_s += 30;
		p.proxy.pings = p.proxy.pongs = 0;
		assert_true(loop_until(f->loop, proxied_pinged, &p));
		loop_turns(f->loop, 3); /* the answer was sent to our socket: it is read */
		assert_int_equal(p.client.state, GW_LINK_UP);
	}
	p.proxy.dead = true;
	clock_ahead_s += 31; /* PINGREQ goes out … */
	p.proxy.pings = 0;
	assert_true(loop_until(f->loop, proxied_pinged, &p));
	loop_turns(f->loop, 20);
	assert_int_equal(p.client.state, GW_LINK_UP);
	clock_ahead_s += 31; /* … and nobody answers */
	p.wanted = GW_LINK_DOWN;
	assert_true(loop_until(f->loop, proxied_is, &p));
	assert_non_null(strstr(p.client.reason, "does not answer any more"));
	/* The path is back. */
	p.proxy.dead = false;
	peer_close(&p.proxy.near);
	(void)close(p.proxy.far);
	clock_ahead_s += 2;
	p.wanted = GW_LINK_UP;
	assert_true(loop_until(f->loop, proxied_is, &p));
	drop(&p.client);
	peer_fini(&p.proxy.near);
	(void)close(p.proxy.far);
}

/* --- life and death --- */

static void test_stop(void **state)
{
	struct fixture *f = *state;
	struct peer p;
	struct client c;
	peer_init(&p);
	client_init(&c, f->loop, "127.0.0.1", p.port);
	client_start(&c);
	peer_take_connect(&p, f->loop);
	peer_send(&p, CONNACK, sizeof(CONNACK));
	assert_true(loop_until(f->loop, is_up, &c));
	gw_mqtt_link_stop(c.link, on_stopped);
	assert_int_equal(c.stopped, 0); /* on the loop, not from within */
	gw_mqtt_link_stop(c.link, on_stopped);
	assert_true(loop_until(f->loop, has_stopped, &c));
	assert_true(loop_until(f->loop, peer_is_left, &p));
	assert_int_equal(p.n, 2);
	assert_memory_equal(p.in, "\xe0\x00", 2); /* DISCONNECT: no will is published */
	loop_turns(f->loop, 20);
	assert_int_equal(c.stopped, 1);
	assert_int_equal(gw_mqtt_link_publish(c.link, GW_STR("a"), GW_STR("x"), 0, false, NULL),
			 -ENOTCONN);
	drop(&c);
	peer_fini(&p);

	/* Before it came up, and before it was started. */
	client_init(&c, f->loop, "127.0.0.1", f->broker.port);
	client_start(&c);
	gw_mqtt_link_stop(c.link, on_stopped);
	assert_true(loop_until(f->loop, has_stopped, &c));
	drop(&c);
	gw_mqtt_link_free(NULL);
}

/* A peer that does not read cannot hold the stop up. */
static void test_stop_is_bounded(void **state)
{
	static char body[60000];
	struct fixture *f = *state;
	struct peer p;
	struct client c;
	peer_init(&p);
	client_init(&c, f->loop, "127.0.0.1", p.port);
	client_start(&c);
	peer_take_connect(&p, f->loop);
	peer_send(&p, CONNACK, sizeof(CONNACK));
	assert_true(loop_until(f->loop, is_up, &c));
	while (gw_mqtt_link_publish(c.link, GW_STR("t"), (struct gw_str){body, sizeof(body)}, 0,
				    false, NULL) == 0) {
	}
	gw_mqtt_link_stop(c.link, on_stopped);
	loop_turns(f->loop, 20);
	assert_int_equal(c.stopped, 0);
	clock_ahead_s += 1;
	assert_true(loop_until(f->loop, has_stopped, &c));
	drop(&c);
	peer_fini(&p);
}

static bool is_gone(void *ctx)
{
	const struct client *c = ctx;
	return !c->link;
}

static void test_free_in_callbacks(void **state)
{
	struct fixture *f = *state;
	static const enum trick tricks[] = {FREE_IN_MESSAGE, FREE_IN_FLUSH, FREE_IN_STATE};
	for (size_t i = 0; i < gw_countof(tricks); i++) {
		struct client c;
		client_init(&c, f->loop, "127.0.0.1", f->broker.port);
		client_start(&c);
		c.trick = tricks[i];
		if (tricks[i] != FREE_IN_STATE) {
			assert_true(loop_until(f->loop, is_up, &c));
			c.trick = KEEP;
			subscribe(&c, "x");
			settle_subscriptions(&c);
			c.trick = tricks[i];
			publish(&c, "x", "1");
			publish(&c, "x", "2");
		}
		assert_true(loop_until(f->loop, is_gone, &c));
		assert_true(c.messages <= 1);
	}
	struct client c;
	client_up(&c, f->loop, "127.0.0.1", f->broker.port);
	subscribe(&c, "x");
	settle_subscriptions(&c);
	c.trick = STOP_IN_MESSAGE;
	publish(&c, "x", "1");
	publish(&c, "x", "2");
	assert_true(loop_until(f->loop, has_stopped, &c));
	assert_int_equal(c.messages, 1);
	drop(&c);
}

static void test_will(void **state)
{
	struct fixture *f = *state;
	struct client watcher, c;
	client_up(&watcher, f->loop, "127.0.0.1", f->broker.port);
	subscribe(&watcher, "hearth/state");
	settle_subscriptions(&watcher);
	const struct gw_mqtt_will will = {GW_STR("hearth/state"), GW_STR("lost"), 1, true};
	client_init(&c, f->loop, "127.0.0.1", f->broker.port);
	assert_int_equal(
		gw_mqtt_link_new(f->loop, &c.endpoint, NULL, &will, &client_ops, &c, &c.link), 0);
	assert_int_equal(gw_mqtt_link_start(c.link), 0);
	assert_true(loop_until(f->loop, is_up, &c));
	drop(&c); /* without DISCONNECT */
	watcher.expected = 1;
	assert_true(loop_until(f->loop, has_messages, &watcher));
	assert_string_equal(watcher.payload, "lost");
	drop(&watcher);
}

/* A flood does not keep others waiting: a batch ends after 256 packets or 20 ms. */
static void test_flood(void **state)
{
	enum { N = 20000 };
	struct fixture *f = *state;
	struct client c;
	struct ticker ticker = {0};
	char command[256];
	client_up(&c, f->loop, "127.0.0.1", f->broker.port);
	subscribe(&c, "flood");
	settle_subscriptions(&c);
	struct gw_timer *t = gw_timer_new(f->loop, on_tick, &ticker);
	gw_timer_start(t, 1, 1);
	(void)snprintf(command, sizeof(command), "seq %d | mosquitto_pub -p %u -t flood -l &", N,
		       f->broker.port);
	assert_int_equal(system(command), 0);
	c.expected = N;
	assert_true(loop_until(f->loop, has_messages, &c));
	assert_int_equal(c.messages, N);
	assert_true(ticker.worst_ns < 100000000);
	gw_timer_free(t);
	drop(&c);
}

static void test_allocations_fail(void **state)
{
	struct fixture *f = *state;
	struct client c;
	const struct gw_mqtt_will will = {GW_STR("a"), GW_STR("b"), 0, false};
	client_init(&c, f->loop, "127.0.0.1", f->broker.port);
	int r = -ENOMEM;
	for (uint64_t i = 1; r == -ENOMEM; i++) {
		assert_true(i < 100);
		gw_alloc_fail_at(i);
		r = gw_mqtt_link_new(f->loop, &c.endpoint, NULL, &will, &client_ops, &c, &c.link);
		gw_alloc_fail_at(0);
	}
	assert_int_equal(r, 0);
	for (uint64_t i = 1;; i++) {
		gw_alloc_fail_at(i);
		r = gw_mqtt_link_subscribe(c.link, GW_STR("a/b"), 0);
		gw_alloc_fail_at(0);
		if (r == 0) {
			break;
		}
		assert_int_equal(r, -ENOMEM);
	}
	drop(&c);
	/* An attempt that finds no memory is one that failed: it is repeated. */
	client_init(&c, f->loop, "two.test", f->broker.port);
	client_start(&c);
	gw_alloc_fail_at(2); /* the first one is loop_until's */
	assert_true(loop_until(f->loop, is_up, &c));
	gw_alloc_fail_at(0);
	assert_int_equal(c.downs, 1);
	drop(&c);
}

/* --- TLS --- */

static EVP_PKEY *make_key(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	assert_non_null(key);
	return key;
}

static X509 *make_cert(EVP_PKEY *key, const char *name, const char *alt, X509 *issuer,
		       EVP_PKEY *signer)
{
	X509 *x = X509_new();
	assert_int_equal(X509_set_version(x, 2), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x), issuer ? 2 : 1), 1);
	(void)X509_gmtime_adj(X509_getm_notBefore(x), -60);
	(void)X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_NAME *n = X509_get_subject_name(x);
	assert_int_equal(X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC,
						    (const unsigned char *)name, -1, -1, 0),
			 1);
	assert_int_equal(X509_set_issuer_name(x, issuer ? X509_get_subject_name(issuer) : n), 1);
	assert_int_equal(X509_set_pubkey(x, key), 1);
	X509_EXTENSION *e =
		alt ? X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alt)
		    : X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
	assert_int_equal(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
	assert_true(X509_sign(x, signer, EVP_sha256()) > 0);
	return x;
}

static void write_pem(const char *dir, const char *name, X509 *x, EVP_PKEY *key)
{
	char path[128];
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(x ? PEM_write_X509(file, x)
			   : PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL),
			 1);
	assert_int_equal(fclose(file), 0);
}

/* A CA, a certificate for broker.test and 127.0.0.1, and a CA that signed nothing. */
static void make_pki(const char *dir)
{
	EVP_PKEY *ca_key = make_key(), *key = make_key(), *other_key = make_key();
	X509 *ca = make_cert(ca_key, "Test CA", NULL, NULL, ca_key);
	X509 *cert = make_cert(key, "broker", "DNS:broker.test,IP:127.0.0.1", ca, ca_key);
	X509 *other = make_cert(other_key, "Other CA", NULL, NULL, other_key);
	write_pem(dir, "ca.pem", ca, NULL);
	write_pem(dir, "cert.pem", cert, NULL);
	write_pem(dir, "key.pem", NULL, key);
	write_pem(dir, "other.pem", other, NULL);
	X509_free(ca);
	X509_free(cert);
	X509_free(other);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
}

static void test_tls(void **state)
{
	static const struct {
		const char *host, *ca;
		bool insecure, up;
		const char *reason;
	} cases[] = {
		{"broker.test", "ca.pem", false, true, NULL},
		{"127.0.0.1", "ca.pem", false, true, NULL}, /* an address in the certificate */
		{"other.test", "ca.pem", false, false, "hostname mismatch"},
		{"other.test", "ca.pem", true, true, NULL},
		{"broker.test", "other.pem", false, false, "certificate is refused"},
		{"broker.test", "other.pem", true, false, "certificate is refused"},
		{"broker.test", NULL, false, false,
		 "certificate is refused"}, /* the system's CAs */
		{"broker.test", "absent.pem", false, false, "cannot use the CA certificates from"},
	};
	struct fixture *f = *state;
	char lines[512], ca[128];
	make_pki(f->broker.dir);
	(void)snprintf(lines, sizeof(lines), ANONYMOUS "certfile %s/cert.pem\nkeyfile %s/key.pem\n",
		       f->broker.dir, f->broker.dir);
	mosquitto_start(&f->broker, lines);
	for (size_t i = 0; i < gw_countof(cases); i++) {
		struct client c;
		client_init(&c, f->loop, cases[i].host, f->broker.port);
		(void)snprintf(ca, sizeof(ca), "%s/%s", f->broker.dir,
			       cases[i].ca ? cases[i].ca : "");
		c.endpoint.tls = true;
		c.endpoint.ca_file = cases[i].ca ? ca : NULL;
		c.endpoint.tls_insecure = cases[i].insecure;
		client_start(&c);
		if (!cases[i].up) {
			assert_true(loop_until(f->loop, was_down, &c));
			assert_non_null(strstr(c.reason, cases[i].reason));
			drop(&c);
			continue;
		}
		assert_true(loop_until(f->loop, is_up, &c));
		/* A message larger than a TLS record, and several in one. */
		static char body[100000];
		memset(body, 'b', sizeof(body));
		subscribe(&c, "t");
		settle_subscriptions(&c);
		c.expected = 4;
		for (int k = 0; k < 4; k++) {
			size_t len = k == 1 ? sizeof(body) : 10;
			assert_int_equal(gw_mqtt_link_publish(c.link, GW_STR("t"),
							      (struct gw_str){body, len}, 0, false,
							      NULL),
					 0);
		}
		assert_true(loop_until(f->loop, has_messages, &c));
		drop(&c);
	}
}

/* A broker that is there on TCP and closes within the handshake: not a connection that needs more time. */
static void test_tls_closed(void **state)
{
	struct fixture *f = *state;
	struct peer p;
	struct client c;
	peer_init(&p);
	make_pki(f->broker.dir);
	char ca[128];
	(void)snprintf(ca, sizeof(ca), "%s/ca.pem", f->broker.dir);
	for (int reset = 0; reset < 2; reset++) {
		client_init(&c, f->loop, "127.0.0.1", p.port);
		c.endpoint.tls = true;
		c.endpoint.ca_file = ca;
		client_start(&c);
		p.expected = 5;
		assert_true(loop_until(f->loop, peer_has, &p));
		assert_int_equal(p.in[0], 0x16); /* ClientHello */
		if (reset) {
			const struct linger hard = {1, 0};
			assert_int_equal(
				setsockopt(p.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)), 0);
		}
		peer_close(&p);
		assert_true(loop_until(f->loop, was_down, &c));
		drop(&c);
	}
	peer_fini(&p);
}

/* libmosquitto sets what it connects to as SNI; the context must put the name there, and nothing for an address. */
static void test_tls_sni(void **state)
{
	(void)state;
	static const struct {
		const char *host;
		bool sni;
	} cases[] = {{"broker.example", true}, {"192.0.2.7", false}};
	for (size_t i = 0; i < gw_countof(cases); i++) {
		const struct gw_broker_endpoint e = {.host = cases[i].host, .tls = true};
		char refusal[64], reason[160];
		SSL_CTX *ctx = NULL;
		assert_int_equal(
			gw_mqtt_tls_new(&e, refusal, sizeof(refusal), &ctx, reason, sizeof(reason)),
			0);
		SSL *ssl = SSL_new(ctx);
		BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
		SSL_set_bio(ssl, in, out);
		assert_int_equal(SSL_set_tlsext_host_name(ssl, "198.51.100.1"), 1);
		assert_int_equal(SSL_connect(ssl), -1);
		char *hello;
		long n = BIO_get_mem_data(out, &hello);
		assert_true(n > 0);
		assert_int_equal(memmem(hello, (size_t)n, cases[i].host, strlen(cases[i].host)) !=
					 NULL,
				 cases[i].sni);
		assert_null(memmem(hello, (size_t)n, "198.51.100.1", 12));
		SSL_free(ssl);
		gw_mqtt_tls_free(ctx);
	}
}

int main(void)
{
	if (!mosquitto_is_there()) {
		return MOSQUITTO_SKIP;
	}
	loop_thread = pthread_self();
	(void)sem_init(&slow_lookup, 0, 0);
	(void)sem_init(&slow_release, 0, 0);
#define WITH_BROKER(fn)	   cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
#define WITHOUT_BROKER(fn) cmocka_unit_test_setup_teardown(fn, set_up_empty, tear_down)
	const struct CMUnitTest tests[] = {
		WITH_BROKER(test_messages),
		WITH_BROKER(test_qos1_and_retain),
		WITH_BROKER(test_arguments),
		WITH_BROKER(test_sizes),
		WITH_BROKER(test_many_subscriptions),
		WITHOUT_BROKER(test_filter_cap),
		WITH_BROKER(test_nothing_is_sent_twice),
		WITH_BROKER(test_slow_lookup),
		WITH_BROKER(test_names),
		WITHOUT_BROKER(test_silent_peer),
		WITHOUT_BROKER(test_hostile_answers),
		WITHOUT_BROKER(test_backlog),
		WITHOUT_BROKER(test_backlog_entries),
		WITHOUT_BROKER(test_refused),
		WITH_BROKER(test_half_open),
		WITH_BROKER(test_stop),
		WITHOUT_BROKER(test_stop_is_bounded),
		WITH_BROKER(test_free_in_callbacks),
		WITH_BROKER(test_will),
		WITH_BROKER(test_flood),
		WITH_BROKER(test_allocations_fail),
		WITHOUT_BROKER(test_tls),
		WITHOUT_BROKER(test_tls_closed),
		cmocka_unit_test(test_tls_sni),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
