/* What the MQTT surface publishes by the Homie 5 convention (homieiot/convention, 5.0), and what it makes of a /set. */
#include "gw_test.h"

#include <stdio.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/json.h"
#include "gw/node.h"
#include "home/registry.h"
#include "made_home.h"

/* clang-format off */
static const struct made_cap things[] = {
	{"switch.on", "true", "false", 0},
	{"level.value", "40.5", "55", 0},
	{"color.temperature", "2700", "4000", "range: [2000, 6500]"},
	{"color.effect", "\"a \\\"b\\\"\"", "\"fire\"", "enum: [fire, \"a \\\"b\\\"\"]"},
	{"siren.tone", "\"one, two\"", "\"bell\"", "enum: [bell, \"one, two\"]"},
	{"thermostat.setpoint", "21.5", "22", "range: [5, 30, 0.5]"},
	{"thermostat.current", "-2.5", 0, 0},
	{"link.last_seen", "1700000000000", 0, 0},
	{"fault.active", "[\"pump\"]", 0, 0},
	{"media.app", "\"it\"", "\"b\"", 0},
	{"x.acme.level_value", "3", "4", "type: int, range: [0, 9]"},
	{"x.acme_level.value", "5", "6", "type: int, range: [0, 9]", "shadowed"}, /* the same id in Homie's alphabet */
	{"device.restart", 0, "{}", 0},
	{"switch.on_for", "60", "{seconds: 60}", "action: {switch_on_for: seconds}, args: {seconds: {type: int, range: [1, 6553]}}"},
	{"button.press", "\"double\"", 0, 0},
	{"outlet_1/switch.on", "false", "true", 0},
};
static const struct made_cap other[] = {
	{"switch.on", "true", "false", 0},
	{"meter.power", "12.5", 0, 0},
};
/* clang-format on */

static const struct made_profile devices[] = {MADE(things, "plug"), MADE(other, "plug")};

#define THINGS "homie/5/hearth-things/"

static void open_home(struct made_home *h, const char *options)
{
	made_home_open(h, devices, gw_countof(devices), options);
	made_home_add(h, "things", &devices[0]);
}

static const char *at_root(const struct made_home *h, const char *attribute)
{
	static char topic[128];
	(void)snprintf(topic, sizeof(topic), "homie/5/hearth-%s/%s", h->gateway, attribute);
	return topic;
}

static const struct gw_node *description(struct made_home *h, const char *topic)
{
	return made_home_parse(h, mqtt_home_wait(&h->m, topic, "{"));
}

static double version(struct made_home *h, const char *topic)
{
	const struct gw_node *v = gw_node_get(description(h, topic), "version");
	assert_non_null(v);
	assert_int_equal(v->type, GW_NODE_NUMBER);
	return v->number;
}

static void wait_ready(struct made_home *h)
{
	mqtt_home_wait(&h->m, THINGS "main/switch-on", "true");
	mqtt_home_wait(&h->m, THINGS "$state", "ready");
	mqtt_home_wait(&h->m, at_root(h, "$state"), "ready");
}

/* --- what is published --- */

static void test_off_by_default(void **state)
{
	(void)state;
	struct made_home h;
	open_home(&h, "");
	mqtt_home_settle(&h.m);
	mqtt_home_watch(&h.m, "homie/");
	mqtt_home_listen_again(&h.m);
	mqtt_home_settle(&h.m);
	assert_string_equal(mqtt_home_watched(&h.m), "");
	made_home_close(&h);
}

static bool is_homie_id(const struct gw_str id)
{
	for (size_t i = 0; i < id.len; i++) {
		if (!id.p[i] || !strchr("abcdefghijklmnopqrstuvwxyz0123456789-", id.p[i])) {
			return false;
		}
	}
	return id.len > 0;
}

static void check_ids(const struct gw_node *doc)
{
	gw_node_for(node, gw_node_get(doc, "nodes"))
	{
		assert_true(is_homie_id(node->key));
		assert_true(gw_node_get(node, "properties")->count > 0);
		gw_node_for(property, gw_node_get(node, "properties"))
		{
			assert_true(is_homie_id(property->key));
			assert_non_null(gw_node_text(property, "datatype"));
			assert_non_null(gw_node_text(property, "name"));
		}
	}
}

static void test_description(void **state)
{
	(void)state;
	static const struct {
		const char *node, *property, *json;
	} rows[] = {
		{"main", "switch-on", "{\"datatype\":\"boolean\",\"settable\":true}"},
		{"main", "level-value",
		 "{\"datatype\":\"float\",\"format\":\"0:100\",\"settable\":true,\"unit\":\"%\"}"},
		{"main", "color-temperature",
		 "{\"datatype\":\"integer\",\"format\":\"2000:6500\",\"settable\":true,\"unit\":"
		 "\"K\"}"},
		{"main", "color-effect",
		 "{\"datatype\":\"enum\",\"format\":\"fire,a \\\"b\\\"\",\"settable\":true}"},
		{"main", "siren-tone", "{\"datatype\":\"string\",\"settable\":true}"},
		{"main", "thermostat-setpoint",
		 "{\"datatype\":\"float\",\"format\":\"5:30:0.5\",\"settable\":true,\"unit\":"
		 "\"°C\"}"},
		{"main", "thermostat-current",
		 "{\"datatype\":\"float\",\"format\":\"-50:120\",\"unit\":\"°C\"}"},
		{"main", "link-last-seen", "{\"datatype\":\"datetime\"}"},
		{"main", "fault-active", "{\"datatype\":\"json\"}"},
		{"main", "media-app", "{\"datatype\":\"string\",\"settable\":true}"},
		{"main", "x-acme-level-value",
		 "{\"datatype\":\"integer\",\"format\":\"0:9\",\"settable\":true}"},
		{"main", "device-restart",
		 "{\"datatype\":\"enum\",\"format\":\"run\",\"retained\":false,\"settable\":true}"},
		{"main", "switch-on-for",
		 "{\"datatype\":\"json\",\"retained\":false,\"settable\":true}"},
		{"main", "button-press",
		 "{\"datatype\":\"enum\",\"format\":\"press,double,triple,long,release\","
		 "\"retained\":false}"},
		{"outlet-1", "switch-on", "{\"datatype\":\"boolean\",\"settable\":true}"},
	};
	struct made_home h;
	open_home(&h, "homie: true");
	wait_ready(&h);
	const struct gw_node *doc = description(&h, THINGS "$description");
	const struct gw_node *root = description(&h, at_root(&h, "$description"));
	char root_id[64];
	(void)snprintf(root_id, sizeof(root_id), "hearth-%s", h.gateway);
	assert_string_equal(gw_node_text(doc, "homie"), "5.0");
	assert_string_equal(gw_node_text(doc, "name"), "things");
	assert_string_equal(gw_node_text(doc, "type"), "plug");
	assert_string_equal(gw_node_text(doc, "root"), root_id);
	assert_string_equal(gw_node_text(doc, "parent"), root_id);
	assert_string_equal(gw_node_text(root, "homie"), "5.0");
	assert_int_equal(gw_node_get(root, "children")->count, 2);
	check_ids(doc);
	size_t n = 0;
	for (size_t i = 0; i < gw_countof(rows); i++, n++) {
		GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(4096);
		struct gw_node *p = gw_node_get(
			gw_node_get(gw_node_get(gw_node_get(doc, "nodes"), rows[i].node),
				    "properties"),
			rows[i].property);
		if (!p) {
			fail_msg("no property %s/%s", rows[i].node, rows[i].property);
		}
		(void)gw_node_remove(p, GW_STR("name"));
		gw_node_write(&text, p, /* source_order= */ false);
		if (strcmp(text.p, rows[i].json) != 0) {
			fail_msg("%s/%s is %s", rows[i].node, rows[i].property, text.p);
		}
	}
	/* And no others: one of the two that share an id is not there. */
	gw_node_for(node, gw_node_get(doc, "nodes"))
	{
		n -= gw_node_get(node, "properties")->count;
	}
	assert_int_equal(n, 0);
	made_home_close(&h);
}

static void test_values(void **state)
{
	(void)state;
	static const struct {
		const char *topic, *text;
	} rows[] = {
		{THINGS "main/switch-on", "true"},
		{THINGS "main/level-value", "40.5"},
		{THINGS "main/color-temperature", "2700"},
		{THINGS "main/color-effect", "a \"b\""},
		{THINGS "main/siren-tone", "one, two"},
		{THINGS "main/thermostat-setpoint", "21.5"},
		{THINGS "main/thermostat-current", "-2.5"},
		{THINGS "main/link-last-seen", "2023-11-14T22:13:20.000Z"},
		{THINGS "main/fault-active", "[\"pump\"]"},
		{THINGS "main/media-app", "it"},
		{THINGS "main/x-acme-level-value", "3"},
		{THINGS "outlet-1/switch-on", "false"},
	};
	struct made_home h;
	open_home(&h, "homie: true");
	wait_ready(&h);
	mqtt_home_listen_again(&h.m); /* retained, all of them */
	for (size_t i = 0; i < gw_countof(rows); i++) {
		assert_string_equal(mqtt_home_wait(&h.m, rows[i].topic, ""), rows[i].text);
	}
	mqtt_home_settle(&h.m);
	assert_null(mqtt_home_last(&h.m, THINGS "main/button-press"));
	assert_null(mqtt_home_last(&h.m, THINGS "main/device-restart"));

	/* Only what changes is said. */
	mqtt_home_watch(&h.m, THINGS);
	played_receive("dev/things", "{\"level_value\":41,\"switch_on\":true}", false);
	mqtt_home_wait(&h.m, THINGS "main/level-value", "41");
	played_receive("dev/things", "{\"button_press\":\"long\"}", false);
	mqtt_home_wait(&h.m, THINGS "main/button-press", "long");
	assert_string_equal(mqtt_home_watched(&h.m),
			    "main/level-value=41\nmain/button-press=long\n");
	/* Unknown again: cleared. An empty text is something else: the convention writes it as a zero byte. */
	mqtt_home_watch(&h.m, THINGS);
	played_receive("dev/things", "{\"media_app\":\"\",\"thermostat_current\":null}", false);
	mqtt_home_wait(&h.m, THINGS "main/thermostat-current", NULL);
	mqtt_home_listen_again(&h.m);
	mqtt_home_wait(&h.m, THINGS "main/switch-on", "true");
	assert_int_equal(mqtt_home_count(&h.m, THINGS "main/media-app"), 1);
	assert_int_equal(mqtt_home_count(&h.m, THINGS "main/thermostat-current"), 0);
	made_home_close(&h);
}

/* --- commands --- */

static void test_set(void **state)
{
	(void)state;
	static const struct {
		const char *topic, *payload, *sent; /* sent: behind "dev/things/" */
	} rows[] = {
		{"main/switch-on", "false", "set {\"switch_on\":false}"},
		{"main/level-value", "55.5", "set {\"level_value\":55.5}"},
		{"main/color-temperature", "4000", "set {\"color_temperature\":4000}"},
		{"main/color-effect", "a \"b\"", "set {\"color_effect\":\"a \\\"b\\\"\"}"},
		{"main/siren-tone", "one, two", "set {\"siren_tone\":\"one, two\"}"},
		{"main/thermostat-setpoint", "22.5", "set {\"thermostat_setpoint\":22.5}"},
		{"main/media-app", "true", "set {\"media_app\":\"true\"}"},
		{"main/x-acme-level-value", "7", "set {\"x_acme_level_value\":7}"},
		{"main/device-restart", "run", "device_restart go"},
		{"main/switch-on-for", "{\"seconds\":30}", "set {\"switch_on_for\":30}"},
		{"outlet-1/switch-on", "true", "set {\"outlet_1_switch_on\":true}"},
	};
	struct made_home h;
	open_home(&h, "homie: true");
	wait_ready(&h);
	for (size_t i = 0; i < gw_countof(rows); i++) {
		char topic[128], sent[256];
		(void)snprintf(topic, sizeof(topic), THINGS "%s/set", rows[i].topic);
		(void)snprintf(sent, sizeof(sent), "dev/things/%s", rows[i].sent);
		played_clear();
		mqtt_home_say(&h.m, topic, rows[i].payload, false);
		mqtt_home_wait_sent(&h.m, sent);
	}
	/* The empty text. */
	played_clear();
	assert_int_equal(gw_mqtt_link_publish(h.m.ear, GW_STR(THINGS "main/media-app/set"),
					      (struct gw_str){"", 1}, 0, false, NULL),
			 0);
	mqtt_home_wait_sent(&h.m, "dev/things/set {\"media_app\":\"\"}");
	/* The device does not say so: what it has said before is shown again. */
	mqtt_home_settle(&h.m);
	size_t said = mqtt_home_count(&h.m, THINGS "main/media-app");
	live_home_pass(&h.m.home, 2000);
	mqtt_home_wait_count(&h.m, THINGS "main/media-app", said + 1);
	mqtt_home_wait(&h.m, THINGS "main/media-app", "it");
	/* What is refused is told on the result, as everywhere; behind those of the commands that nobody confirmed. */
	mqtt_home_say(&h.m, THINGS "main/level-value/set", "101", false);
	mqtt_home_wait(&h.m, "hearth/things/result", "range");
	made_home_close(&h);
}

/* R25; and topics that are nobody's. */
static void test_set_ignored(void **state)
{
	(void)state;
	struct made_home h;
	open_home(&h, "homie: true");
	wait_ready(&h);
	mqtt_home_stop(&h.m);
	mqtt_home_say(&h.m, THINGS "main/switch-on/set", "false", true);
	mqtt_home_wait(&h.m, THINGS "main/switch-on/set", "false");
	mqtt_home_start(&h.m, NULL);
	mqtt_home_wait(&h.m, THINGS "main/switch-on/set", NULL);
	mqtt_home_say(&h.m, THINGS "main/thermostat-current/set", "5", false);
	mqtt_home_say(&h.m, THINGS "main/nothing/set", "5", false);
	mqtt_home_say(&h.m, "homie/5/hearth-nobody/main/switch-on/set", "true", false);
	mqtt_home_say(&h.m, "homie/5/somebody/main/switch-on/set", "true", false);
	/* After all of them, on the same connection. */
	played_clear();
	played_receive("dev/things", "{\"switch_on\":true}", false);
	mqtt_home_say(&h.m, THINGS "outlet-1/switch-on/set", "true", false);
	mqtt_home_wait_sent(&h.m, "dev/things/set {\"outlet_1_switch_on\":true}");
	assert_int_equal(played.n_sends, 1);
	mqtt_home_listen_again(&h.m);
	mqtt_home_wait(&h.m, THINGS "$state", "ready");
	mqtt_home_settle(&h.m);
	assert_int_equal(mqtt_home_count(&h.m, THINGS "main/switch-on/set"), 0);
	made_home_close(&h);
}

/* --- states --- */

static size_t position(const char *log, const char *line)
{
	const char *at = strstr(log, line);
	if (!at) {
		fail_msg("\"%s\" is not in\n%s", line, log);
	}
	return (size_t)(at - log);
}

/* A description changes while the state is init, and the values are there before it is ready. */
static void test_states(void **state)
{
	(void)state;
	struct made_home h;
	open_home(&h, "homie: true");
	wait_ready(&h);
	mqtt_home_cut(&h.m);
	mqtt_home_watch(&h.m, THINGS);
	const char *log = mqtt_home_wait_watched(&h.m, "$state=ready\n");
	assert_int_equal(position(log, "$state=init\n$description={"), 0);
	assert_true(position(log, "main/switch-on=true\n") < position(log, "$state=ready\n"));
	assert_true(position(log, "outlet-1/switch-on=false\n") < position(log, "$state=ready\n"));

	/* The root is the last of all: ready as it was retained, lost, init, ready. */
	mqtt_home_wait_count(&h.m, at_root(&h, "$state"), 4);

	/* The device goes and comes. */
	mqtt_home_watch(&h.m, "homie/5/hearth-plug/");
	played_receive("lwt/p", "Offline", false);
	mqtt_home_wait(&h.m, "homie/5/hearth-plug/$state", "lost");
	played_receive("lwt/p", "Online", false);
	mqtt_home_wait(&h.m, "homie/5/hearth-plug/$state", "ready");
	assert_null(strstr(mqtt_home_watched(&h.m), "$description")); /* the same as before */
	made_home_close(&h);
}

static void test_root_state(void **state)
{
	(void)state;
	struct made_home h;
	open_home(&h, "homie: true");
	wait_ready(&h);
	double before = version(&h, at_root(&h, "$description"));
	/* A broken connection: the last will. */
	mqtt_home_cut(&h.m);
	mqtt_home_watch(&h.m, at_root(&h, "$state"));
	mqtt_home_wait_watched(&h.m, "=lost\n=init\n=ready\n");
	assert_true(version(&h, at_root(&h, "$description")) > before);
	/* An orderly end. */
	mqtt_home_stop(&h.m);
	mqtt_home_wait(&h.m, at_root(&h, "$state"), "disconnected");
	mqtt_home_start(&h.m, NULL);
	mqtt_home_wait(&h.m, at_root(&h, "$state"), "ready");
	made_home_close(&h);
}

/* --- changes --- */

static void test_changes(void **state)
{
	(void)state;
	struct made_home h;
	open_home(&h, "homie: true");
	wait_ready(&h);
	double v1 = version(&h, THINGS "$description");
	struct gw_device *d = gw_device_find(h.m.home.g, GW_STR("things"));
	assert_int_equal(gw_device_rename(h.m.home.g, &h.m.home.owner, d, "Tea \"5\""),
			 GW_STATUS_DONE);
	mqtt_home_wait(&h.m, THINGS "$description", "\"Tea \\\"5\\\"\"");
	double v2 = version(&h, THINGS "$description");
	assert_true(v2 > v1);

	/* Other capabilities: what is gone is cleared, what is new has its value. */
	live_home_rebind(&h.m.home, "things", "made.other", "topic=things");
	played_receive("dev/things", "{\"switch_on\":true,\"meter_power\":7.5}", false);
	mqtt_home_wait(&h.m, THINGS "main/meter-power", "7.5");
	mqtt_home_wait(&h.m, THINGS "main/level-value", NULL);
	mqtt_home_wait(&h.m, THINGS "outlet-1/switch-on", NULL);
	mqtt_home_wait(&h.m, THINGS "$state", "ready");
	assert_true(version(&h, THINGS "$description") > v2);
	const struct gw_node *doc = description(&h, THINGS "$description");
	assert_int_equal(gw_node_get(doc, "nodes")->count, 1);
	assert_non_null(
		gw_node_pointer(doc, GW_STR("/nodes/main/properties/meter-power/datatype")));
	made_home_close(&h);
}

static void test_removal(void **state)
{
	(void)state;
	struct made_home h;
	open_home(&h, "homie: true");
	wait_ready(&h);
	double before = version(&h, at_root(&h, "$description"));
	struct gw_device *d = gw_device_find(h.m.home.g, GW_STR("things"));
	assert_int_equal(gw_device_remove(h.m.home.g, &h.m.home.owner, d), GW_STATUS_DONE);
	mqtt_home_wait(&h.m, THINGS "$description", NULL);
	mqtt_home_settle(&h.m);
	mqtt_home_watch(&h.m, THINGS);
	mqtt_home_listen_again(&h.m);
	mqtt_home_wait(&h.m, at_root(&h, "$description"), "children");
	mqtt_home_settle(&h.m);
	assert_string_equal(mqtt_home_watched(&h.m), "");
	assert_true(version(&h, at_root(&h, "$description")) > before);
	const struct gw_node *children =
		gw_node_get(description(&h, at_root(&h, "$description")), "children");
	assert_int_equal(children->count, 1);
	assert_true(gw_node_is_text(children->first, "hearth-plug"));

	/* Off: nothing of it stays. */
	mqtt_home_restart(&h.m, "homie: false");
	mqtt_home_settle(&h.m);
	mqtt_home_watch(&h.m, "homie/");
	mqtt_home_listen_again(&h.m);
	mqtt_home_settle(&h.m);
	assert_string_equal(mqtt_home_watched(&h.m), "");
	made_home_close(&h);
}

/* '_' and '-' are one in Homie's alphabet: the first has it, the other is not there; and its removal takes nothing away. */
static void test_same_id(void **state)
{
	(void)state;
	struct made_home h;
	open_home(&h, "homie: true");
	wait_ready(&h);
	made_home_add(&h, "tea-pot", &devices[1]);
	made_home_add(&h, "tea_pot", &devices[1]);
	mqtt_home_wait(&h.m, "homie/5/hearth-tea-pot/main/meter-power", "12.5");
	played_receive("dev/tea_pot", "{\"meter_power\":99}", false);
	mqtt_home_wait(&h.m, "hearth/tea_pot/state", "\"meter.power\":99");
	mqtt_home_settle(&h.m);
	assert_string_equal(mqtt_home_last(&h.m, "homie/5/hearth-tea-pot/main/meter-power"),
			    "12.5");
	struct gw_device *d = gw_device_find(h.m.home.g, GW_STR("tea_pot"));
	assert_int_equal(gw_device_remove(h.m.home.g, &h.m.home.owner, d), GW_STATUS_DONE);
	mqtt_home_wait(&h.m, "hearth/tea_pot/state", NULL);
	mqtt_home_settle(&h.m);
	assert_string_equal(mqtt_home_last(&h.m, "homie/5/hearth-tea-pot/main/meter-power"),
			    "12.5");
	made_home_close(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_off_by_default), cmocka_unit_test(test_description),
		cmocka_unit_test(test_values),	       cmocka_unit_test(test_set),
		cmocka_unit_test(test_set_ignored),    cmocka_unit_test(test_states),
		cmocka_unit_test(test_root_state),     cmocka_unit_test(test_changes),
		cmocka_unit_test(test_removal),	       cmocka_unit_test(test_same_id),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
