#include "gw_test.h"

#include "gw/adapter.h"
#include "gw/alloc.h"
#include "gw/broker.h"
#include "gw/mqtt_link.h"
#include "mosquitto.h"

/* --- the host's side: what the adapter reported --- */

#define DEVICES 3

struct device {
	struct gw_adapter_device ad;
	bool attached;
	unsigned received[4]; /* by channel */
	char body[64];
	bool retained;
};

static struct host {
	struct gw_loop *loop;
	struct mosquitto_process mosquitto;
	struct gw_arena *arena;
	struct gw_broker *broker;
	struct gw_adapter adapter;
	enum gw_link_state state;
	unsigned ups, stopped, found, flushes, done;
	enum gw_status status;
	char found_on[128], found_kind[16];
	struct gw_mqtt_link *other; /* another client of the broker */
	bool other_up, other_retained;
	unsigned other_heard, other_acknowledged, expected;
	char other_body[64];
	struct device device[DEVICES];
	struct device *detach_on_receive;
	struct gw_send *send_again;
} h;

void gw_adapter_link(struct gw_adapter *a, enum gw_link_state state, const char *reason)
{
	(void)reason;
	assert_ptr_equal(a, &h.adapter);
	h.state = state;
	h.ups += state == GW_LINK_UP;
}

void gw_adapter_stopped(struct gw_adapter *a)
{
	assert_ptr_equal(a, &h.adapter);
	h.stopped++;
}

void gw_adapter_receive(struct gw_adapter_device *ad, uint16_t channel_index, struct gw_str bytes,
			bool retained)
{
	struct device *d = gw_container(ad, struct device, ad);
	assert_true(d->attached);
	assert_true(channel_index < gw_countof(d->received));
	d->received[channel_index]++;
	d->retained = retained;
	(void)snprintf(d->body, sizeof(d->body), GW_STR_FMT, GW_STR_ARG(bytes));
	if (h.detach_on_receive) {
		struct device *gone = h.detach_on_receive;
		h.detach_on_receive = NULL;
		gone->attached = false;
		h.adapter.class->detach(&h.adapter, &gone->ad);
	}
}

void gw_adapter_found(struct gw_adapter *a, const char *kind, struct gw_str channel,
		      struct gw_str bytes, bool retained)
{
	(void)a;
	(void)bytes;
	(void)retained;
	h.found++;
	(void)snprintf(h.found_on, sizeof(h.found_on), GW_STR_FMT, GW_STR_ARG(channel));
	(void)snprintf(h.found_kind, sizeof(h.found_kind), "%s", kind);
}

void gw_send_done(struct gw_send *s, enum gw_status status)
{
	h.done++;
	h.status = status;
	if (h.send_again) { /* the host sends the next of its queue from within */
		struct gw_send *next = h.send_again;
		h.send_again = NULL;
		assert_ptr_not_equal(next, s);
		assert_int_equal(h.adapter.class->send(&h.adapter, &h.device[0].ad, next), 0);
	}
}

void gw_adapter_flush(struct gw_adapter *a)
{
	(void)a;
	h.flushes++;
}

/* --- the other client --- */

static void other_state(void *ctx, enum gw_link_state state, const char *reason)
{
	(void)ctx;
	(void)reason;
	h.other_up = state == GW_LINK_UP;
}

static void other_message(void *ctx, const struct gw_mqtt_message *m)
{
	(void)ctx;
	h.other_heard++;
	h.other_retained = m->retained;
	(void)snprintf(h.other_body, sizeof(h.other_body), GW_STR_FMT, GW_STR_ARG(m->payload));
}

static void other_published(void *ctx, int mid)
{
	(void)ctx;
	(void)mid;
	h.other_acknowledged++;
}

static const struct gw_mqtt_ops other_ops = {other_state, other_message, NULL, other_published};
static struct gw_broker_endpoint other_endpoint = {.host = "127.0.0.1"};

static bool everybody_up(void *ctx)
{
	(void)ctx;
	return h.state == GW_LINK_UP && h.other_up;
}

static bool acknowledged(void *ctx)
{
	(void)ctx;
	return h.other_acknowledged >= h.expected;
}

static bool other_heard(void *ctx)
{
	(void)ctx;
	return h.other_heard >= h.expected;
}

static bool is_done(void *ctx)
{
	(void)ctx;
	return h.done >= h.expected;
}

static bool is_found(void *ctx)
{
	(void)ctx;
	return h.found >= h.expected;
}

static bool is_down(void *ctx)
{
	(void)ctx;
	return h.state != GW_LINK_UP;
}

static bool is_stopped(void *ctx)
{
	(void)ctx;
	return h.stopped > 0;
}

static void publish(const char *topic, const char *body, bool retain)
{
	assert_int_equal(
		gw_mqtt_link_publish(h.other, gw_str(topic), gw_str(body), 1, retain, NULL), 0);
	h.expected = h.other_acknowledged + 1;
	assert_true(loop_until(h.loop, acknowledged, NULL));
}

static const struct gw_channel sync_rx[] = {{"sync", 0}};
static struct device sync_device = {.ad = {.id = "sync", .rx = sync_rx, .n_rx = 1}};

static bool synced(void *ctx)
{
	(void)ctx;
	if (sync_device.received[0] == 0) {
		publish("sync", "x", false);
	}
	return sync_device.received[0] > 0;
}

/* SUBSCRIBE packets are carried out in order, and messages of one connection arrive in order: a device made last tells. */
static void sync_adapter(void)
{
	sync_device.attached = true;
	sync_device.received[0] = 0;
	sync_device.ad.adapter = &h.adapter;
	assert_int_equal(h.adapter.class->attach(&h.adapter, &sync_device.ad), 0);
	assert_true(loop_until(h.loop, synced, NULL));
	h.adapter.class->detach(&h.adapter, &sync_device.ad);
	loop_turns(h.loop, 2);
}

static void attach(struct device *d, const char *id, const struct gw_channel *rx, size_t n)
{
	*d = (struct device){.ad = {.adapter = &h.adapter, .id = id, .rx = rx, .n_rx = n}};
	d->attached = true;
	assert_int_equal(h.adapter.class->attach(&h.adapter, &d->ad), 0);
}

static int set_up(void **state)
{
	(void)state;
	memset(&h, 0, sizeof(h));
	h.loop = gw_loop_new();
	h.arena = gw_arena_new(65536);
	mosquitto_prepare(&h.mosquitto);
	mosquitto_start(&h.mosquitto, "allow_anonymous true\n");
	char yaml[64];
	(void)snprintf(yaml, sizeof(yaml), "url: \"mqtt://127.0.0.1:%u\"\n", h.mosquitto.port);
	const struct gw_node_limits limits = {4096, 8, 100, 4096};
	struct gw_node *section = NULL;
	struct gw_error error;
	assert_int_equal(gw_node_parse_yaml(h.arena, gw_str(yaml), &limits, &section, &error), 0);
	assert_int_equal(gw_broker_new(h.loop, section, NULL, h.mosquitto.dir, &h.broker, &error),
			 0);

	const struct gw_adapter_class *class = gw_adapter_class_at(0);
	assert_non_null(class);
	assert_string_equal(class->name, "mqtt");
	assert_null(gw_adapter_class_at(1));
	h.adapter = (struct gw_adapter){.class = class,
					.name = "mqtt",
					.impl = gw_alloc0(1, class->instance_size),
					.loop = h.loop,
					.broker = h.broker};
	assert_int_equal(class->init(&h.adapter), 0);
	assert_int_equal(class->start(&h.adapter), 0);
	other_endpoint.port = h.mosquitto.port;
	assert_int_equal(
		gw_mqtt_link_new(h.loop, &other_endpoint, NULL, NULL, &other_ops, NULL, &h.other),
		0);
	assert_int_equal(gw_mqtt_link_start(h.other), 0);
	assert_true(loop_until(h.loop, everybody_up, NULL));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	h.adapter.class->stop(&h.adapter);
	h.adapter.class->stop(&h.adapter);
	assert_true(loop_until(h.loop, is_stopped, NULL));
	h.adapter.class->fini(&h.adapter);
	gw_free(h.adapter.impl);
	gw_mqtt_link_free(h.other);
	gw_broker_free(h.broker);
	gw_arena_free(h.arena);
	mosquitto_end(&h.mosquitto);
	gw_loop_free(h.loop);
	assert_int_equal(h.stopped, 1);
	return 0;
}

/* --- tests --- */

static const struct gw_channel plug1[] = {
	{"stat/p1/POWER", 0}, {"tele/p1/+", 1}, {"bridge/state", 2}};
static const struct gw_channel plug2[] = {{"stat/p2/POWER", 0}, {"bridge/state", 2}};

static void test_receive(void **state)
{
	(void)state;
	struct device *a = &h.device[0], *b = &h.device[1];
	publish("bridge/state", "online", true);
	attach(a, "p1", plug1, gw_countof(plug1));
	attach(b, "p2", plug2, gw_countof(plug2));
	sync_adapter();
	assert_int_equal(a->received[2], 1); /* a shared topic, and what the broker had kept */
	assert_int_equal(b->received[2], 1);
	assert_true(b->retained);
	h.flushes = 0;
	publish("stat/p1/POWER", "ON", false);
	publish("tele/p1/SENSOR", "{}", false);
	publish("tele/p3/SENSOR", "{}", false);
	sync_adapter();
	assert_int_equal(a->received[0], 1);
	assert_int_equal(a->received[1], 1);
	assert_string_equal(a->body, "{}");
	assert_false(a->retained);
	assert_int_equal(b->received[0], 0);
	assert_true(h.flushes >= 2);
	assert_int_equal(h.found, 0);

	/* A device that leaves takes only its own channels along. */
	h.adapter.class->detach(&h.adapter, &a->ad);
	a->attached = false;
	publish("bridge/state", "offline", false);
	publish("stat/p1/POWER", "OFF", false);
	sync_adapter();
	assert_int_equal(b->received[2], 2);
	h.adapter.class->detach(&h.adapter, &b->ad);
}

/* What the first device of a message makes the host do must not reach a device that is gone. */
static void test_detach_while_receiving(void **state)
{
	(void)state;
	static const struct gw_channel shared[] = {{"shared", 0}};
	for (int i = 0; i < DEVICES; i++) {
		attach(&h.device[i], "x", shared, 1);
	}
	sync_adapter();
	h.detach_on_receive = &h.device[1];
	publish("shared", "x", false);
	h.detach_on_receive = &h.device[1];
	sync_adapter();
	h.detach_on_receive = NULL;
	unsigned heard = 0;
	for (int i = 0; i < DEVICES; i++) {
		heard += h.device[i].received[0];
	}
	assert_true(heard == 2 || heard == 3); /* 3: the trie named it first */
	assert_false(h.device[1].attached);
	h.adapter.class->detach(&h.adapter, &h.device[0].ad);
	h.adapter.class->detach(&h.adapter, &h.device[2].ad);
}

static void test_attach_refuses(void **state)
{
	(void)state;
	static const struct gw_channel bad[] = {{"good/topic", 0}, {"bad/#/topic", 1}};
	struct device *d = &h.device[0];
	*d = (struct device){.ad = {.adapter = &h.adapter, .id = "x", .rx = bad, .n_rx = 2}};
	assert_int_equal(h.adapter.class->attach(&h.adapter, &d->ad), -EINVAL);
	publish("good/topic", "x",
		false); /* nothing of it stays: it would fail in gw_adapter_receive */
	sync_adapter();
	for (uint64_t i = 1;; i++) {
		*d = (struct device){
			.ad = {.adapter = &h.adapter, .id = "x", .rx = plug1, .n_rx = 3}};
		gw_alloc_fail_at(i);
		int r = h.adapter.class->attach(&h.adapter, &d->ad);
		gw_alloc_fail_at(0);
		if (r == 0) {
			break;
		}
		assert_int_equal(r, -ENOMEM);
		assert_true(i < 100);
	}
	h.adapter.class->detach(&h.adapter, &d->ad);
}

static void test_discover(void **state)
{
	(void)state;
	static const char *const first[] = {"tasmota/discovery/+/config", "homeassistant/#",
					    "tasmota/discovery/+/config"};
	static const char *const second[] = {"homeassistant/#", "homeassistant/sensor/+/config"};
	publish("homeassistant/sensor/a/config", "{}", true);
	assert_int_equal(h.adapter.class->discover(&h.adapter, first, 3), 0);
	sync_adapter();
	assert_int_equal(h.found, 1);
	assert_string_equal(h.found_on, "homeassistant/sensor/a/config");
	assert_string_equal(h.found_kind, "mqtt");
	publish("tasmota/discovery/AABBCC/config", "{}", false);
	sync_adapter();
	assert_int_equal(h.found, 2);
	/* Another set: what is in both stays subscribed, so its retained messages come for the new filter only. */
	assert_int_equal(h.adapter.class->discover(&h.adapter, second, 2), 0);
	sync_adapter();
	assert_int_equal(h.found, 3);
	publish("tasmota/discovery/AABBCC/config", "{}", false);
	publish("homeassistant/sensor/b/config", "{}", false); /* matches both: one announcement */
	sync_adapter();
	assert_int_equal(h.found, 4);
	/* A device's own message on a discovery filter is both. */
	static const struct gw_channel own[] = {{"homeassistant/sensor/b/config", 0}};
	attach(&h.device[0], "b", own, 1);
	publish("homeassistant/sensor/b/config", "{}", false);
	sync_adapter();
	assert_int_equal(h.found, 5);
	assert_true(h.device[0].received[0] >= 1);
	for (uint64_t i = 1;; i++) {
		gw_alloc_fail_at(i);
		int r = h.adapter.class->discover(&h.adapter, first, 3);
		gw_alloc_fail_at(0);
		if (r == 0) {
			break;
		}
		assert_int_equal(r, -ENOMEM);
		assert_true(i < 100);
	}
	assert_int_equal(h.adapter.class->discover(&h.adapter, NULL, 0), 0);
	publish("homeassistant/sensor/b/config", "{}", false);
	sync_adapter();
	h.expected = 6;
	assert_true(loop_until(h.loop, is_found, NULL) || h.found == 5);
	h.adapter.class->detach(&h.adapter, &h.device[0].ad);
}

static struct gw_send command(const char *channel, const char *body, uint8_t qos)
{
	return (struct gw_send){.channel = gw_str(channel), .body = gw_str(body), .qos = qos};
}

static void test_send(void **state)
{
	(void)state;
	attach(&h.device[0], "p1", plug1, gw_countof(plug1));
	assert_int_equal(gw_mqtt_link_subscribe(h.other, GW_STR("cmnd/#"), 0), 0);
	loop_turns(h.loop, 3);
	publish("barrier", "x", false);
	struct gw_send s0 = command("cmnd/p1/POWER", "ON", 0),
		       s1 = command("cmnd/p1/POWER", "OFF", 1);
	assert_int_equal(h.adapter.class->send(&h.adapter, &h.device[0].ad, &s0), 0);
	assert_int_equal(h.done, 1); /* written */
	assert_int_equal(h.status, GW_STATUS_DONE);
	assert_int_equal(h.adapter.class->send(&h.adapter, &h.device[0].ad, &s1), 0);
	assert_int_equal(h.done, 1); /* not acknowledged */
	h.expected = 2;
	assert_true(loop_until(h.loop, is_done, NULL));
	assert_true(loop_until(h.loop, other_heard, NULL));
	assert_string_equal(h.other_body, "OFF");

	h.send_again = &s1; /* from within gw_send_done, within send */
	assert_int_equal(h.adapter.class->send(&h.adapter, &h.device[0].ad, &s0), 0);
	h.expected = 4;
	assert_true(loop_until(h.loop, is_done, NULL));

	struct gw_send bad = command("cmnd/+/POWER", "ON", 0);
	assert_int_equal(h.adapter.class->send(&h.adapter, &h.device[0].ad, &bad), -EINVAL);
	assert_null(bad.impl);
	assert_int_equal(h.done, 4);

	struct gw_send kept = command("cmnd/p1/kept", "x", 1);
	kept.retain = true;
	assert_int_equal(h.adapter.class->send(&h.adapter, &h.device[0].ad, &kept), 0);
	h.adapter.class->cancel(&h.adapter, &kept); /* it went out, but nobody waits */
	h.expected = h.other_heard + 1;
	assert_true(loop_until(h.loop, other_heard, NULL));
	loop_turns(h.loop, 20);
	assert_int_equal(h.done, 4);
	h.adapter.class->detach(&h.adapter, &h.device[0].ad);
}

static void test_send_while_broker_is_away(void **state)
{
	(void)state;
	attach(&h.device[0], "p1", plug1, gw_countof(plug1));
	sync_adapter();
	struct gw_send s = command("cmnd/p1/POWER", "ON", 1),
		       later = command("cmnd/p1/POWER", "ON", 0);
	(void)kill(h.mosquitto.pid, SIGSTOP);
	assert_int_equal(h.adapter.class->send(&h.adapter, &h.device[0].ad, &s), 0);
	assert_int_equal(h.done, 0);
	mosquitto_kill(&h.mosquitto);
	assert_true(loop_until(h.loop, is_down, NULL));
	assert_int_equal(h.done, 1);
	assert_int_equal(h.status, GW_STATUS_UNREACHABLE);
	assert_int_equal(h.adapter.class->send(&h.adapter, &h.device[0].ad, &later), -ENOTCONN);
	assert_null(later.impl);

	mosquitto_start(&h.mosquitto, "allow_anonymous true\n");
	assert_true(loop_until(h.loop, everybody_up, NULL));
	assert_int_equal(h.ups, 2);
	h.device[0].received[0] = 0;
	sync_adapter();
	publish("stat/p1/POWER", "ON", false); /* subscribed again */
	sync_adapter();
	assert_int_equal(h.device[0].received[0], 1);
	h.adapter.class->detach(&h.adapter, &h.device[0].ad);
}

static void test_send_cap(void **state)
{
	(void)state;
	enum { N = 257 };
	static struct gw_send sends[N];
	attach(&h.device[0], "p1", plug1, gw_countof(plug1));
	for (int i = 0; i < N; i++) {
		sends[i] = command("cmnd/p1/POWER", "ON", 1);
		int r = h.adapter.class->send(&h.adapter, &h.device[0].ad, &sends[i]);
		assert_int_equal(r, i < 256 ? 0 : -ENOBUFS);
	}
	h.expected = 256;
	assert_true(loop_until(h.loop, is_done, NULL));
	assert_int_equal(h.adapter.class->send(&h.adapter, &h.device[0].ad, &sends[256]), 0);
	h.adapter.class->cancel(&h.adapter, &sends[256]);
	h.adapter.class->detach(&h.adapter, &h.device[0].ad);
}

static void test_no_broker(void **state)
{
	(void)state;
	const struct gw_adapter_class *class = gw_adapter_class_at(0);
	struct gw_adapter a = {
		.class = class, .impl = gw_alloc0(1, class->instance_size), .loop = h.loop};
	assert_int_equal(class->init(&a), -EINVAL);
	class->fini(&a); /* legal after a failed init */
	a.broker = h.broker;
	for (uint64_t i = 1;; i++) {
		gw_alloc_fail_at(i);
		int r = class->init(&a);
		gw_alloc_fail_at(0);
		class->fini(&a);
		if (r == 0) {
			break;
		}
		assert_int_equal(r, -ENOMEM);
		assert_true(i < 100);
	}
	gw_free(a.impl);
}

int main(void)
{
	if (!mosquitto_is_there()) {
		return MOSQUITTO_SKIP;
	}
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_receive),	   TEST(test_detach_while_receiving),
		TEST(test_attach_refuses), TEST(test_discover),
		TEST(test_send),	   TEST(test_send_while_broker_is_away),
		TEST(test_send_cap),	   TEST(test_no_broker),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
