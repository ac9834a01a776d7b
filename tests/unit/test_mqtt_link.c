/* The MQTT link with a real mosquitto: messages, subscriptions, what waits to be sent, and its end. */
#include "gw_test.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "mqtt_client.h"
#include "mqtt_peer.h"
#include "spawn.h"

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
	char path[128], port[8];
	(void)snprintf(path, sizeof(path), "%s/input", f->broker.dir);
	(void)snprintf(port, sizeof(port), "%u", f->broker.port);
	const char *const pub[] = {"mosquitto_pub", "-p", port, "-t", "big", "-f", path, NULL};
	static const struct {
		size_t payload;
		unsigned arrives;
	} cases[] = {{GW_DESCRIPTION_BYTES, 1}, {GW_DESCRIPTION_BYTES + 1, 0}};
	for (size_t i = 0; i < gw_countof(cases); i++) {
		FILE *file = fopen(path, "w");
		assert_int_equal(fwrite(big, 1, cases[i].payload, file), cases[i].payload);
		assert_int_equal(fclose(file), 0);
		c.messages = c.flushes = 0;
		spawn_run(pub, /* input= */ NULL);
		publish(&c, "after", "x"); /* arrives after it, whatever became of it */
		c.expected = 1 + cases[i].arrives;
		assert_true(loop_until(f->loop, has_messages, &c));
		loop_turns(f->loop, 50);
		assert_int_equal(c.messages, 1 + cases[i].arrives);
	}
	drop(&c);
}

/* --- what is published in one turn shares segments --- */

/* Our socket that is connected to this port; the only one. */
static int socket_to(uint16_t port)
{
	int found = -1;
	for (int fd = 3; fd < 1024; fd++) {
		struct sockaddr_in at = {0};
		socklen_t len = sizeof(at);
		if (getpeername(fd, (struct sockaddr *)&at, &len) == 0 &&
		    at.sin_family == AF_INET && ntohs(at.sin_port) == port) {
			assert_int_equal(found, -1);
			found = fd;
		}
	}
	assert_true(found >= 0);
	return found;
}

/* Bytes that the kernel holds back: in no segment yet. */
static int unsent(int fd)
{
	int n = -1;
	assert_int_equal(ioctl(fd, SIOCOUTQNSD, &n), 0);
	return n;
}

static void publish_number(struct client *c, unsigned number)
{
	char payload[201];
	(void)snprintf(payload, sizeof(payload), NUMBER_FMT "%0194u", number, 0u);
	publish(c, "n", payload);
}

/*
 * A cork that stays in would cost 200 ms a turn, until the kernel sends by itself. It is looked for in what the kernel holds back,
 * not in the time, so that a slow machine fails nothing.
 */
static void test_turns(void **state)
{
	enum { TURNS = 20, MANY = 300 };
	struct fixture *f = *state;
	struct client c, other;
	unsigned n = 0, shared = 0;
	client_up(&c, f->loop, "127.0.0.1", f->broker.port);
	int fd = socket_to(f->broker.port);
	client_up(&other, f->loop, "127.0.0.1", f->broker.port);
	subscribe(&other, "n");
	settle_subscriptions(&other);
	other.numbered = true;
	for (int turn = 0; turn < TURNS; turn++) {
		publish_number(&c, ++n);
		assert_int_equal(unsent(fd), 0); /* the first does not wait for others */
		if (turn % 2 == 0) {
			publish_number(&c, ++n);
			publish_number(&c, ++n);
			shared += unsent(fd) > 2 * 200;
		}
		loop_turns(f->loop, 1);
		assert_int_equal(unsent(fd), 0);
		other.expected = n;
		assert_true(loop_until(f->loop, has_messages, &other));
	}
	assert_true(shared > TURNS / 4); /* of half of them: one may have taken the 200 ms */
	for (int i = 0; i < MANY; i++) {
		publish_number(&c, ++n);
	}
	other.expected = n;
	assert_true(loop_until(f->loop, has_messages, &other));
	assert_int_equal(other.messages, n);
	drop(&c);
	drop(&other);
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

/* --- a peer that does not read --- */

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
	char path[128], port[8];
	(void)snprintf(path, sizeof(path), "%s/input", f->broker.dir);
	(void)snprintf(port, sizeof(port), "%u", f->broker.port);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	for (int i = 1; i <= N; i++) {
		assert_true(fprintf(file, "%d\n", i) > 0);
	}
	assert_int_equal(fclose(file), 0);
	client_up(&c, f->loop, "127.0.0.1", f->broker.port);
	subscribe(&c, "flood");
	settle_subscriptions(&c);
	struct gw_timer *t = gw_timer_new(f->loop, on_tick, &ticker);
	gw_timer_start(t, 1, 1);
	pid_t pub = spawn_start(
		(const char *const[]){"mosquitto_pub", "-p", port, "-t", "flood", "-l", NULL},
		path);
	c.expected = N;
	assert_true(loop_until(f->loop, has_messages, &c));
	assert_int_equal(c.messages, N);
	assert_true(ticker.worst_ns < 100000000);
	spawn_wait(pub);
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

int main(void)
{
	if (!mosquitto_is_there()) {
		return MOSQUITTO_SKIP;
	}
	const struct CMUnitTest tests[] = {
		WITH_BROKER(test_messages),
		WITH_BROKER(test_qos1_and_retain),
		WITH_BROKER(test_arguments),
		WITH_BROKER(test_sizes),
		WITH_BROKER(test_turns),
		WITH_BROKER(test_many_subscriptions),
		WITHOUT_BROKER(test_filter_cap),
		WITH_BROKER(test_nothing_is_sent_twice),
		WITHOUT_BROKER(test_backlog),
		WITHOUT_BROKER(test_backlog_entries),
		WITH_BROKER(test_stop),
		WITHOUT_BROKER(test_stop_is_bounded),
		WITH_BROKER(test_free_in_callbacks),
		WITH_BROKER(test_will),
		WITH_BROKER(test_flood),
		WITH_BROKER(test_allocations_fail),
	};
	return cmocka_run_group_tests(tests, set_up_edges, NULL);
}
