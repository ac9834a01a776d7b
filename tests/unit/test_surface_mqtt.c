#include "gw_test.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "live_profiles.h"
#include "mqtt_home.h"

/* Every type of value, to be written. */
static const char panel_profile[] =
	"profile: 1\n"
	"id: test.panel\n"
	"version: 1.0.0\n"
	"type: light_color\n"
	"name: Test panel\n"
	"match: [{mqtt: panels/+/config, set: {topic: \"topic:1\"}}]\n"
	"vars: {topic: {}}\n"
	"link: {confirm: {within: 1s}}\n"
	"msgs:\n"
	"  state: {rx: \"panel/{topic}\"}\n"
	"  set: {tx: \"panel/{topic}/set\"}\n"
	"  text: {tx: \"panel/{topic}/text\", codec: text}\n"
	"points:\n"
	"  on: {in: \"state#/on\", out: \"set#/on\"}\n"
	"  level: {in: \"state#/level\", out: \"set#/level\", frac: true}\n"
	"  mode: {in: \"state#/mode\", out: \"set#/mode\"}\n"
	"  effect: {in: \"state#/effect\", out: \"set#/effect\"}\n"
	"  note: {in: \"state#/note\", out: \"set#/note\"}\n"
	"  mood: {in: \"state#/mood\", out: \"set#/mood\"}\n"
	"caps:\n"
	"  switch.on: {point: on}\n"
	"  level.value: {point: level, res: 0.5}\n"
	"  color.mode: {point: mode}\n"
	"  color.effect: {point: effect, enum: [\"60\", fire]}\n"
	"  media.app: {point: note}\n"
	"  x.acme.mood: {type: int, point: mood}\n"
	"tests:\n"
	"  - {name: state, rx: [{state: {on: true, level: 7, mode: hs, effect: fire, note: a, mood: 1}}], want: {switch.on: true, level.value: 7, color.mode: hs, "
	"color.effect: fire, media.app: a, x.acme.mood: 1}}\n"
	"  - {name: command, write: {switch.on: true, level.value: 9, color.mode: hs, color.effect: fire, media.app: b, x.acme.mood: 2}, tx: [{set: {on: true, "
	"level: 9, mode: hs, effect: fire, note: b, mood: 2}}]}\n";

static const char *const profiles[] = {plug_profile,  lamp_profile,  lock_profile,
				       valve_profile, panel_profile, 0};

static void add_plug(struct mqtt_home *m)
{
	(void)live_home_add(&m->home, "plug", "test.plug", "topic=p mac=001122334455");
	live_home_up(&m->home);
	played_receive("lwt/p", "Online", false);
}

/* --- state and events --- */

static void test_state_document(void **state)
{
	(void)state;
	struct mqtt_home m;
	mqtt_home_open(&m, profiles, "");
	add_plug(&m);
	mqtt_home_wait(&m, "hearth/plug/state", "{\"$online\":true,\"link.online\":true}");
	played_receive("stat/p", "{\"on\":true,\"power\":3.04}", false);
	assert_string_equal(
		mqtt_home_wait(&m, "hearth/plug/state", "power"),
		"{\"$online\":true,\"switch.on\":true,\"meter.power\":3,\"link.online\":true}");

	/* What is not fresh is named, and only that. */
	live_home_pass(&m.home, 11 * 60 * 1000);
	assert_string_equal(mqtt_home_wait(&m, "hearth/plug/state", "quality"),
			    "{\"$online\":true,\"switch.on\":true,\"meter.power\":3,"
			    "\"link.online\":true,\"$quality\":{\"meter.power\":\"stale\"}}");
	played_receive("lwt/p", "Offline", false);
	assert_string_equal(mqtt_home_wait(&m, "hearth/plug/state", "\"$online\":false"),
			    "{\"$online\":false,\"switch.on\":true,\"meter.power\":3,"
			    "\"link.online\":false,\"$quality\":{\"switch.on\":\"stale\","
			    "\"meter.power\":\"stale\"}}");

	/* It is retained, and so is the status. */
	mqtt_home_listen_again(&m);
	mqtt_home_wait(&m, "hearth/plug/state", "\"$online\":false");
	mqtt_home_wait(&m, "hearth/status", "online");
	mqtt_home_close(&m);
}

static void test_one_document_for_many_changes(void **state)
{
	(void)state;
	struct mqtt_home m;
	mqtt_home_open(&m, profiles, "");
	add_plug(&m);
	mqtt_home_settle(&m);
	size_t before = mqtt_home_count(&m, "hearth/plug/state");
	played_receive("stat/p", "{\"on\":true,\"power\":5}", false);
	played_receive("stat/p", "{\"on\":true,\"power\":5}", false);
	mqtt_home_wait(&m, "hearth/plug/state", "\"meter.power\":5");
	mqtt_home_settle(&m);
	assert_int_equal(mqtt_home_count(&m, "hearth/plug/state"), before + 1);
	mqtt_home_close(&m);
}

static void test_event(void **state)
{
	(void)state;
	struct mqtt_home m;
	mqtt_home_open(&m, profiles, "");
	add_plug(&m);
	played_receive("stat/p", "{\"key\":\"double\"}", false);
	const char *text = mqtt_home_wait(&m, "hearth/plug/event", "double");
	assert_ptr_equal(
		strstr(text, "{\"address\":\"button.press\",\"value\":\"double\",\"time\":"), text);
	/* An event is never state (R11): nobody hears it later. */
	mqtt_home_listen_again(&m);
	mqtt_home_settle(&m);
	assert_null(mqtt_home_last(&m, "hearth/plug/event"));
	mqtt_home_close(&m);
}

/* With Home Assistant on and Homie off: nothing is allocated for a message on its way out. */
static void test_path_allocates_nothing(void **state)
{
	(void)state;
	struct mqtt_home m;
	char body[64];
	mqtt_home_open(&m, profiles, "");
	add_plug(&m);
	gw_bus_unlisten(&m.home.listener); /* the test's own ear allocates */
	for (int i = 0; i < 300; i++) {	   /* the ring of the bus, the buffers */
		(void)snprintf(body, sizeof(body), "{\"on\":%s,\"power\":%d}",
			       i % 2 ? "true" : "false", 1000 + i);
		played_receive("stat/p", body, false);
	}
	mqtt_home_wait(&m, "hearth/plug/state", "\"meter.power\":1299");
	uint64_t before = gw_alloc_count();
	for (int i = 0; i < 100; i++) {
		(void)snprintf(body, sizeof(body), "{\"on\":%s,\"power\":%d}",
			       i % 2 ? "true" : "false", 2000 + i);
		played_receive("stat/p", body, false);
	}
	assert_int_equal(gw_alloc_count() - before, 0);
	mqtt_home_wait(&m, "hearth/plug/state", "\"meter.power\":2099");
	mqtt_home_close(&m);
}

/* --- commands --- */

/* Asks are no commands. */
static size_t commands_sent(void)
{
	size_t n = 0;
	for (size_t i = 0; i < played.n_sends; i++) {
		n += !strstr(played.sends[i].channel, "/get");
	}
	return n;
}

static void test_payload_forms(void **state)
{
	(void)state;
	static const struct {
		const char *topic, *payload,
			*sent; /* sent: to the device; "": refused, status is the reason */
		const char *reason;
	} rows[] = {
		{"main/switch/on", "ON", "{\"on\":true}", 0},
		{"main/switch/on", "off", "{\"on\":false}", 0},
		{"main/switch/on", "true", "{\"on\":true}", 0},
		{"main/switch/on", "0", "{\"on\":false}", 0},
		{"main/switch/on", "\"on\"", "{\"on\":true}", 0},
		{"main/switch/on", " on\n", "{\"on\":true}", 0},
		{"main/switch/on", "{\"value\":false}", "{\"on\":false}", 0},
		{"main/switch/on", "{\"value\":\"ON\",\"id\":\"a\"}", "{\"on\":true}", 0},
		{"main/switch/on", "maybe", "", "type"},
		{"main/switch/on", "null", "", "type"},
		{"main/switch/on", "[true]", "", "type"},
		{"main/switch/on", "{}", "", "invalid"},
		{"main/switch/on", "{\"value\":", "", "type"},
		{"main/level/value", "21.5", "{\"level\":21.5}", 0},
		{"main/level/value", "\"21.5\"", "{\"level\":21.5}", 0},
		{"main/level/value", "{\"value\":7}", "{\"level\":7}", 0},
		{"main/level/value", "7.1", "{\"level\":7}", 0},
		{"main/level/value", "101", "", "range"},
		{"main/level/value", "much", "", "type"},
		{"main/color/mode", "xy", "{\"mode\":\"xy\"}", 0},
		{"main/color/mode", "\"ct\"", "{\"mode\":\"ct\"}", 0},
		{"main/color/mode", "pink", "", "value"},
		{"main/color/effect", "60", "{\"effect\":\"60\"}", 0},
		{"main/media/app", "true", "{\"note\":\"true\"}", 0},
		{"main/media/app", " a b ", "{\"note\":\" a b \"}", 0},
		{"main/media/app", "\"\"", "{\"note\":\"\"}", 0},
		{"main/media/app", "12.50", "{\"note\":\"12.5\"}", 0},
		{"main/x-acme/mood", "4", "{\"mood\":4}", 0},
	};
	struct mqtt_home m;
	mqtt_home_open(&m, profiles, "");
	(void)live_home_add(&m.home, "panel", "test.panel", "topic=q");
	live_home_up(&m.home);
	played_receive(
		"panel/q",
		"{\"on\":true,\"level\":1,\"mode\":\"hs\",\"effect\":\"fire\",\"note\":\"\",\"mood\":0}",
		false);
	for (size_t i = 0; i < gw_countof(rows); i++) {
		char topic[128], want[160];
		(void)snprintf(topic, sizeof(topic), "hearth/panel/%s/set", rows[i].topic);
		played_clear();
		if (rows[i].reason) {
			const char *got =
				mqtt_home_ask(&m, topic, rows[i].payload, "hearth/panel/result");
			(void)snprintf(want, sizeof(want), "\"%s\"", rows[i].reason);
			if (!strstr(got, want) || commands_sent()) {
				fail_msg("%s <- %s: %s, %s", topic, rows[i].payload, got,
					 played_sent(0));
			}
			continue;
		}
		size_t results = mqtt_home_count(&m, "hearth/panel/result");
		mqtt_home_say(&m, topic, rows[i].payload, false);
		(void)snprintf(want, sizeof(want), "panel/q/set %s", rows[i].sent);
		mqtt_home_wait_sent(&m, want);
		live_home_pass(&m.home, 4000); /* nobody confirms */
		mqtt_home_wait_count(&m, "hearth/panel/result", results + 1);
	}
	mqtt_home_close(&m);
}

static void test_result(void **state)
{
	(void)state;
	struct mqtt_home m;
	mqtt_home_open(&m, profiles, "");
	add_plug(&m);
	played_receive("stat/p", "{\"on\":false}", false);
	played_clear();
	mqtt_home_say(&m, "hearth/plug/main/switch/on/set", "{\"value\":true,\"id\":\"k1\"}",
		      false);
	mqtt_home_wait_sent(&m, "cmnd/p/set {\"on\":true}");
	assert_null(
		mqtt_home_last(&m, "hearth/plug/result")); /* not before the device has done it */
	played_receive("stat/p", "{\"on\":true}", false);
	const char *got = mqtt_home_wait(&m, "hearth/plug/result", "done");
	assert_non_null(strstr(got, "{\"status\":\"done\",\"command\":"));
	assert_non_null(strstr(got, "\"id\":\"k1\""));

	/* The same id is the same command: its first outcome, and nothing is sent. */
	played_clear();
	got = mqtt_home_ask(&m, "hearth/plug/main/switch/on/set", "{\"value\":false,\"id\":\"k1\"}",
			    "hearth/plug/result");
	assert_non_null(strstr(got, "\"status\":\"done\""));
	assert_int_equal(commands_sent(), 0);

	/* At another device it is another command. */
	(void)live_home_add(&m.home, "lamp", "test.lamp", "topic=l");
	live_home_up(&m.home);
	played_clear();
	mqtt_home_say(&m, "hearth/lamp/set",
		      "{\"set\":{\"switch.on\":true,\"level.value\":9},\"id\":\"k1\"}", false);
	mqtt_home_wait_sent(&m, "lamp/l/set {\"level\":9,\"on\":true}");
	mqtt_home_close(&m);
}

static void test_refusals(void **state)
{
	(void)state;
	static const struct {
		const char *topic, *payload, *answer, *text;
	} rows[] = {
		{"hearth/nobody/main/switch/on/set", "{\"value\":1,\"id\":\"i7\"}",
		 "hearth/nobody/result",
		 "{\"status\":\"not-found\",\"id\":\"i7\",\"text\":\"There is no such device.\"}"},
		{"hearth/plug/main/level/value/set", "1", "hearth/plug/result",
		 "{\"status\":\"not-found\",\"text\":\"The device has no such capability.\"}"},
		{"hearth/plug/set", "on", "hearth/plug/result", "\"status\":\"invalid\""},
		{"hearth/plug/set", "{\"set\":{}}", "hearth/plug/result", "\"status\":\"invalid\""},
		{"hearth/plug/set", "{\"action\":\"a\",\"set\":{\"b\":1},\"id\":\"i8\"}",
		 "hearth/plug/result", "\"status\":\"invalid\",\"id\":\"i8\""},
		{"hearth/plug/set", "{\"action\":\"switch.fly\"}", "hearth/plug/result",
		 "unknown-capability"},
		{"hearth/plug/set", "{\"action\":\"switch.on\"}", "hearth/plug/result",
		 "unknown-action"},
		{"hearth/plug/main/meter/power/set", "5", "hearth/plug/result", "readonly"},
		{"hearth/lock/main/lock/unlock/set", "PRESS", "hearth/lock/result",
		 "\"status\":\"denied\""},
	};
	struct mqtt_home m;
	mqtt_home_open(&m, profiles, "");
	add_plug(&m);
	(void)live_home_add(&m.home, "lock", "test.lock", "topic=k");
	live_home_up(&m.home);
	played_clear();
	for (size_t i = 0; i < gw_countof(rows); i++) {
		const char *got = mqtt_home_ask(&m, rows[i].topic, rows[i].payload, rows[i].answer);
		if (!strstr(got, rows[i].text)) {
			fail_msg("%s <- %s: %s", rows[i].topic, rows[i].payload, got);
		}
	}
	assert_int_equal(commands_sent(), 0);

	/* What cannot be an id is not answered: nobody writes topics through us. */
	mqtt_home_say(&m, "hearth/No Body/main/switch/on/set", "1", false);
	mqtt_home_say(&m, "hearth/$sys/set", "{}", false);
	mqtt_home_settle(&m);
	assert_null(mqtt_home_last(&m, "hearth/No Body/result"));
	assert_null(mqtt_home_last(&m, "hearth/$sys/result"));
	mqtt_home_close(&m);
}

static void test_sizes(void **state)
{
	(void)state;
	struct mqtt_home m;
	mqtt_home_open(&m, profiles, "");
	add_plug(&m);
	size_t max = GW_BODY_BYTES;
	char *body = gw_array(char, max + 2);
	assert_non_null(body);
	/* One byte over the limit, and just at it. */
	memset(body, ' ', max + 1);
	memcpy(body, "true", 4);
	const char *got =
		mqtt_home_ask(&m, "hearth/plug/main/switch/on/set", body, "hearth/plug/result");
	assert_non_null(strstr(got, "too large"));
	body[max] = '\0';
	played_clear();
	mqtt_home_say(&m, "hearth/plug/main/switch/on/set", body, false);
	mqtt_home_wait_sent(&m, "cmnd/p/set {\"on\":true}");
	live_home_pass(&m.home, 5000);
	mqtt_home_wait(&m, "hearth/plug/result", "unconfirmed");
	/* 64 capabilities are a command, 65 are not. */
	for (int n = 64; n <= 65; n++) {
		size_t at = (size_t)snprintf(body, max, "{\"set\":{");
		for (int i = 0; i < n; i++) {
			at += (size_t)snprintf(body + at, max - at, "%s\"c%d.x\":1", i ? "," : "",
					       i);
		}
		(void)snprintf(body + at, max - at, "}}");
		got = mqtt_home_ask(&m, "hearth/plug/set", body, "hearth/plug/result");
		assert_non_null(strstr(got, n == 64 ? "unknown-capability" : "\"invalid\""));
	}
	/* Too deep, too many members: malformed, not a crash. */
	memset(body, '[', 1000);
	body[1000] = '\0';
	got = mqtt_home_ask(&m, "hearth/plug/set", body, "hearth/plug/result");
	assert_non_null(strstr(got, "\"invalid\""));
	gw_free(body);
	mqtt_home_close(&m);
}

/* R25. The clearing comes back to us as an empty message, which must not be an action without arguments. */
static void test_retained_command(void **state)
{
	(void)state;
	struct mqtt_home m;
	mqtt_home_open(&m, profiles, "rights: critical");
	(void)live_home_add(&m.home, "lock", "test.lock", "topic=k");
	add_plug(&m);
	played_receive("lock/k/lwt", "Online", false);
	/* The next life of the gateway finds it at the broker. */
	mqtt_home_say(&m, "hearth/lock/main/lock/unlock/set", "PRESS", true);
	mqtt_home_say(&m, "hearth/plug/main/switch/on/set", "ON", true);
	mqtt_home_wait(&m, "hearth/lock/main/lock/unlock/set", "PRESS");
	loop_turns(m.loop, 20);
	live_home_settle(&m.home);
	mqtt_home_restart(&m, NULL);
	played_receive("lock/k/lwt", "Online", false);
	mqtt_home_wait(&m, "hearth/lock/main/lock/unlock/set", NULL);
	mqtt_home_wait(&m, "hearth/plug/main/switch/on/set", NULL);
	mqtt_home_settle(&m);
	live_home_pass(&m.home, 1000);
	assert_int_equal(commands_sent(), 0);
	mqtt_home_listen_again(&m);
	mqtt_home_settle(&m);
	assert_null(mqtt_home_last(&m, "hearth/lock/main/lock/unlock/set"));

	/* The same command, said now, is carried out. */
	played_clear();
	mqtt_home_say(&m, "hearth/lock/main/lock/unlock/set", "PRESS", false);
	mqtt_home_wait_sent(&m, "lock/k/open open");
	mqtt_home_close(&m);
}

static void test_sleeping_device(void **state)
{
	(void)state;
	struct mqtt_home m;
	mqtt_home_open(&m, profiles, "");
	(void)live_home_add(&m.home, "valve", "test.valve", "topic=v");
	live_home_up(&m.home);
	const char *got = mqtt_home_ask(&m, "hearth/valve/main/switch/on/set",
					"{\"value\":true,\"id\":\"s1\"}", "hearth/valve/result");
	assert_non_null(strstr(got, "\"status\":\"accepted\""));
	assert_non_null(strstr(got, "\"id\":\"s1\""));
	played_receive("valve/v", "{\"on\":false}", false); /* it wakes up */
	live_home_pass(&m.home, 100);
	played_receive("valve/v", "{\"on\":true}", false);
	got = mqtt_home_wait(&m, "hearth/valve/result", "\"status\":\"done\"");
	assert_non_null(strstr(got, "\"id\":\"s1\""));
	mqtt_home_close(&m);
}

static void test_rights(void **state)
{
	(void)state;
	struct mqtt_home m;
	mqtt_home_open(&m, profiles, "rights: see");
	add_plug(&m);
	const char *got =
		mqtt_home_ask(&m, "hearth/plug/main/switch/on/set", "ON", "hearth/plug/result");
	assert_non_null(strstr(got, "\"status\":\"denied\""));
	mqtt_home_close(&m);
}

static void test_flood(void **state)
{
	(void)state;
	enum { FLOOD = 3000 };
	struct mqtt_home m;
	mqtt_home_open(&m, profiles, "");
	add_plug(&m);
	mqtt_home_settle(&m);
	int64_t start = gw_clock_ms();
	for (int i = 0; i < FLOOD; i++) {
		mqtt_home_say(&m, "hearth/nobody/main/switch/on/set", "1", false);
		if (i % 100 == 0) {
			loop_turns(m.loop, 1);
		}
	}
	mqtt_home_say(&m, "hearth/plug/main/switch/on/set", "ON", false);
	mqtt_home_wait_sent(&m, "cmnd/p/set {\"on\":true}");
	/* A command that is carried out is answered, also now. */
	played_receive("stat/p", "{\"on\":true}", false);
	mqtt_home_wait(&m, "hearth/plug/result", "\"done\"");
	size_t answers = mqtt_home_count(&m, "hearth/nobody/result");
	size_t allowed = 502 + (size_t)(gw_clock_ms() - start) / 10;
	assert_true(answers >= 400);
	assert_true(answers <= allowed);
	assert_true(allowed < FLOOD); /* else this machine is too slow to say anything */
	mqtt_home_close(&m);
}

/* --- the broker comes and goes --- */

static void test_broker_restart(void **state)
{
	(void)state;
	struct mqtt_home m;
	mqtt_home_open(&m, profiles, "");
	add_plug(&m);
	played_receive("stat/p", "{\"on\":true,\"power\":3}", false);
	mqtt_home_wait(&m, "hearth/plug/state", "\"meter.power\":3");
	mqtt_home_kill_broker(&m);
	loop_turns(m.loop, 10);
	for (int i = 4; i < 10; i++) {
		char body[32];
		(void)snprintf(body, sizeof(body), "{\"power\":%d}", i);
		played_receive("stat/p", body, false);
	}
	/* The broker has forgotten everything; the newest comes again, once. */
	mqtt_home_start_broker(&m);
	mqtt_home_wait(&m, "hearth/plug/state", "\"meter.power\":9");
	mqtt_home_wait(&m, "hearth/status", "online");
	mqtt_home_close(&m);
}

/* A broker that does not read for a while: what it missed is said when it reads again. */
static void test_choked_broker(void **state)
{
	(void)state;
	struct mqtt_home m;
	mqtt_home_open(&m, profiles, "homeassistant: false");
	(void)live_home_add(&m.home, "panel", "test.panel", "topic=q");
	add_plug(&m);
	mqtt_home_settle(&m);
	char *body = gw_array(char, 5000);
	assert_non_null(body);
	assert_int_equal(kill(m.broker.pid, SIGSTOP), 0);
	for (int i = 0; i < 4000; i++) {
		int n = snprintf(body, 5000, "{\"mood\":%d,\"note\":\"%04000d\"}", i, i);
		assert_in_range(n, 4000, 4999);
		played_receive("panel/q", body, false);
	}
	assert_int_equal(kill(m.broker.pid, SIGCONT), 0);
	mqtt_home_wait(&m, "hearth/panel/state", "\"x.acme.mood\":3999");
	gw_free(body);
	mqtt_home_close(&m);
}

/* A broken connection is told by the broker, an orderly stop by ourselves: a clean DISCONNECT sends no will. */
static void test_status(void **state)
{
	(void)state;
	struct mqtt_home m;
	mqtt_home_open(&m, profiles, "");
	add_plug(&m);
	mqtt_home_settle(&m);
	mqtt_home_cut(&m);
	mqtt_home_wait(&m, "hearth/status", "offline");
	mqtt_home_wait(&m, "hearth/status", "online");
	mqtt_home_settle(&m);

	mqtt_home_stop(&m);
	mqtt_home_wait(&m, "hearth/status", "offline");
	mqtt_home_listen_again(&m);
	mqtt_home_wait(&m, "hearth/status", "offline");
	mqtt_home_wait(&m, "hearth/plug/state", "link.online"); /* what we knew stays */
	mqtt_home_start(&m, NULL);
	mqtt_home_close(&m);
}

/* --- the ledger --- */

static void open_with_lamp(struct mqtt_home *m)
{
	mqtt_home_open(m, profiles, "");
	add_plug(m);
	(void)live_home_add(&m->home, "lamp", "test.lamp", "topic=l");
	mqtt_home_wait(m, "hearth/lamp/state", "online");
	mqtt_home_wait(m, "homeassistant/device/hearth_lamp/config", "components");
}

static void remove_device(struct mqtt_home *m, const char *id)
{
	struct gw_device *d = gw_device_find(m->home.g, gw_str(id));
	assert_non_null(d);
	assert_int_equal(gw_device_remove(m->home.g, &m->home.owner, d), GW_STATUS_DONE);
	live_home_settle(&m->home);
}

static void test_removal(void **state)
{
	(void)state;
	struct mqtt_home m;
	open_with_lamp(&m);
	remove_device(&m, "lamp");
	mqtt_home_wait(&m, "hearth/lamp/state", NULL);
	mqtt_home_wait(&m, "homeassistant/device/hearth_lamp/config", NULL);
	assert_non_null(mqtt_home_last(&m, "hearth/plug/state"));
	mqtt_home_close(&m);
}

/* Removed, and this life of the gateway over, before the broker heard of it. */
static void test_removal_without_broker(void **state)
{
	(void)state;
	struct mqtt_home m;
	mqtt_home_open(&m, profiles, "homie: true");
	add_plug(&m);
	(void)live_home_add(&m.home, "lamp", "test.lamp", "topic=l");
	played_receive("lamp/l", "{\"on\":true,\"level\":4}", false);
	mqtt_home_wait(&m, "hearth/lamp/state", "\"level.value\":4");
	mqtt_home_wait(&m, "homeassistant/device/hearth_lamp/config", "components");
	mqtt_home_wait(&m, "homie/5/hearth-lamp/main/level-value", "4");
	mqtt_home_wait(&m, "homie/5/hearth-lamp/$state", "ready");
	mqtt_home_stop_broker(&m);
	remove_device(&m, "lamp");
	mqtt_home_restart(&m, NULL);
	live_home_pass(&m.home, 1000);
	mqtt_home_stop(&m);
	mqtt_home_start_broker(&m);
	mqtt_home_listen_again(&m); /* the broker has kept it all … */
	static const char *const topics[] = {"hearth/lamp/state",
					     "homeassistant/device/hearth_lamp/config",
					     "homie/5/hearth-lamp/$state",
					     "homie/5/hearth-lamp/$description",
					     "homie/5/hearth-lamp/main/switch-on",
					     "homie/5/hearth-lamp/main/level-value"};
	for (size_t i = 0; i < gw_countof(topics); i++) {
		mqtt_home_wait(&m, topics[i], "");
	}
	mqtt_home_start(&m, NULL);
	for (size_t i = 0; i < gw_countof(topics); i++) {
		mqtt_home_wait(&m, topics[i], NULL);
	}
	mqtt_home_settle(&m);
	mqtt_home_listen_again(&m);
	mqtt_home_settle(&m);
	for (size_t i = 0; i < gw_countof(topics); i++) {
		assert_int_equal(mqtt_home_count(&m, topics[i]), 0);
	}
	assert_non_null(mqtt_home_last(&m, "hearth/plug/state")); /* … and keeps what is there */
	mqtt_home_close(&m);
}

/* The broker is taken away in the middle of it, and comes back with what it had on disk before. */
static void test_removal_cut_short(void **state)
{
	(void)state;
	struct mqtt_home m;
	open_with_lamp(&m);
	mqtt_home_stop_broker(&m); /* on disk */
	mqtt_home_start_broker(&m);
	mqtt_home_wait_up(&m);
	assert_int_equal(kill(m.broker.pid, SIGSTOP), 0);
	remove_device(&m, "lamp"); /* sent, into a buffer of the system */
	mosquitto_kill(&m.broker);
	mqtt_home_start_broker(&m);
	mqtt_home_listen_again(&m);
	mqtt_home_wait_up(&m);
	mqtt_home_wait(&m, "hearth/lamp/state", NULL);
	mqtt_home_wait(&m, "homeassistant/device/hearth_lamp/config", NULL);
	mqtt_home_listen_again(&m);
	assert_null(mqtt_home_last(&m, "hearth/lamp/state"));
	mqtt_home_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_state_document),
		cmocka_unit_test(test_one_document_for_many_changes),
		cmocka_unit_test(test_event),
		cmocka_unit_test(test_path_allocates_nothing),
		cmocka_unit_test(test_payload_forms),
		cmocka_unit_test(test_result),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_retained_command),
		cmocka_unit_test(test_sleeping_device),
		cmocka_unit_test(test_rights),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_broker_restart),
		cmocka_unit_test(test_choked_broker),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_removal),
		cmocka_unit_test(test_removal_without_broker),
		cmocka_unit_test(test_removal_cut_short),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
