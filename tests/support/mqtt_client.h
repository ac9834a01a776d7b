/*
 * A client of the MQTT link and what it saw, on a loop beside a real mosquitto; and the edges of libc that these tests hold: time and names.
 */
#pragma once

#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <time.h>

#include "gw/alloc.h"
#include "gw/limits.h"
#include "gw/mqtt_link.h"
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
	/* The first address refuses: the broker listens on the second. */
	if (strcmp(node, "two.test") == 0) {
		int r = real("127.0.0.2", service, hints, res);
		return r ? r : real("127.0.0.1", service, hints, &(*res)->ai_next);
	}
	return real("127.0.0.1", service, hints, res);
}

/* Once for all tests of a file. */
static inline int set_up_edges(void **state)
{
	(void)state;
	loop_thread = pthread_self();
	return sem_init(&slow_lookup, 0, 0) < 0 || sem_init(&slow_release, 0, 0) < 0 ? -1 : 0;
}

/* --- a client and what it saw --- */

#define NUMBER_FMT    "%06u"
#define NUMBER_DIGITS 6

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
	bool numbered;	     /* the n-th message begins with n, NUMBER_DIGITS digits */
	unsigned expected;
	enum trick trick;
};

static inline void drop(struct client *c)
{
	gw_mqtt_link_free(c->link);
	c->link = NULL;
}

static inline void on_stopped(void *ctx)
{
	struct client *c = ctx;
	c->stopped++;
}

static inline void on_state(void *ctx, enum gw_link_state state, const char *reason)
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

static inline void on_message(void *ctx, const struct gw_mqtt_message *m)
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
	if (c->numbered) {
		char number[16];
		(void)snprintf(number, sizeof(number), NUMBER_FMT, c->messages);
		assert_memory_equal(c->payload, number, NUMBER_DIGITS);
	}
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

static inline void on_flush(void *ctx)
{
	struct client *c = ctx;
	c->flushes++;
	c->flushed_inside = c->flushed_inside || c->inside;
	assert_int_equal(c->flushes, c->messages);
	if (c->trick == FREE_IN_FLUSH) {
		drop(c);
	}
}

static inline void on_published(void *ctx, int mid)
{
	struct client *c = ctx;
	c->published++;
	c->last_mid = mid;
}

static const struct gw_mqtt_ops client_ops = {on_state, on_message, on_flush, on_published};

static inline void client_init(struct client *c, struct gw_loop *l, const char *host, uint16_t port)
{
	*c = (struct client){.loop = l, .endpoint = {.host = host, .port = port}};
}

static inline void client_start(struct client *c)
{
	assert_int_equal(
		gw_mqtt_link_new(c->loop, &c->endpoint, NULL, NULL, &client_ops, c, &c->link), 0);
	assert_int_equal(gw_mqtt_link_start(c->link), 0);
}

static inline bool is_up(void *ctx)
{
	return ((struct client *)ctx)->state == GW_LINK_UP;
}

static inline bool is_down(void *ctx)
{
	return ((struct client *)ctx)->state == GW_LINK_DOWN;
}

static inline bool was_down(void *ctx)
{
	return ((struct client *)ctx)->downs > 0;
}

static inline bool has_messages(void *ctx)
{
	const struct client *c = ctx;
	return c->messages >= c->expected;
}

static inline bool has_published(void *ctx)
{
	const struct client *c = ctx;
	return c->published >= c->expected;
}

static inline bool has_stopped(void *ctx)
{
	return ((struct client *)ctx)->stopped > 0;
}

static inline void client_up(struct client *c, struct gw_loop *l, const char *host, uint16_t port)
{
	client_init(c, l, host, port);
	client_start(c);
	assert_true(loop_until(l, is_up, c));
}

static inline void publish(struct client *c, const char *topic, const char *payload)
{
	assert_int_equal(
		gw_mqtt_link_publish(c->link, gw_str(topic), gw_str(payload), 0, false, NULL), 0);
}

static inline void subscribe(struct client *c, const char *filter)
{
	assert_int_equal(gw_mqtt_link_subscribe(c->link, gw_str(filter), 0), 0);
}

/* (Un)subscriptions go out at the end of the turn, and the broker acknowledges a later packet after it carried them out. */
static inline void settle_subscriptions(struct client *c)
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

static inline int set_up_empty(void **state)
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

static inline int set_up(void **state)
{
	(void)set_up_empty(state);
	mosquitto_start(&((struct fixture *)*state)->broker, ANONYMOUS);
	return 0;
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;
	mosquitto_end(&f->broker);
	gw_loop_free(f->loop);
	gw_free(f);
	assert_false(looked_up_on_loop);
	return 0;
}

#define WITH_BROKER(fn)	   cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
#define WITHOUT_BROKER(fn) cmocka_unit_test_setup_teardown(fn, set_up_empty, tear_down)

/* --- how long a turn of the loop takes --- */

struct ticker {
	int64_t last_ns, worst_ns;
	unsigned n;
};

static inline void on_tick(void *ctx)
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
