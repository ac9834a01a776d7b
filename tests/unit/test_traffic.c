/*
 * hearth profile new: recordings (formats and values of open-protocols.md: Tasmota A3, zigbee2mqtt A4, Shelly A5; plain topics made up)
 * become drafts that pass the checker, tell their assumptions, and hold nothing of one household.
 */
#include "gw_test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/traffic.h"
#include "profile/import/traffic.h"
#include "profile_case.h"

struct drafted {
	struct gw_traffic *t;
	struct gw_import_result notes;
	struct gw_buf yaml;
	struct gw_error error;
	int r;
};

static void add(struct gw_traffic *t, const char *topic, const char *payload)
{
	const struct gw_traffic_message m = {gw_str(topic), gw_str(payload), false};
	assert_int_equal(gw_traffic_add(t, &m), 0);
}

/* Pairs of topic and payload, up to NULL. */
static void draft(struct drafted *d, const char *const *pairs)
{
	*d = (struct drafted){.t = gw_traffic_new(), .yaml = GW_BUF_INIT(1u << 20)};
	assert_non_null(d->t);
	for (size_t i = 0; pairs[i]; i += 2) {
		add(d->t, pairs[i], pairs[i + 1]);
	}
	d->r = gw_traffic_draft(d->t, "acme", &d->yaml, &d->notes, &d->error);
}

static void drop(struct drafted *d)
{
	gw_traffic_free(d->t);
	gw_import_result_fini(&d->notes);
	gw_buf_fini(&d->yaml);
}

static void has(const struct drafted *d, const char *part)
{
	if (d->r < 0 || !strstr(d->yaml.p, part)) {
		fail_msg("%d %s: \"%s\" is not in\n%s", d->r, d->error.text, part,
			 d->yaml.p ? d->yaml.p : "");
	}
}

static void lacks(const struct drafted *d, const char *part)
{
	assert_int_equal(d->r, 0);
	if (strstr(d->yaml.p, part)) {
		fail_msg("\"%s\" is in\n%s", part, d->yaml.p);
	}
}

static void notes(const struct drafted *d, const char *at, const char *part)
{
	for (size_t i = 0; i < d->notes.n_notes; i++) {
		if (strcmp(d->notes.notes[i].at, at) == 0 &&
		    strstr(d->notes.notes[i].reason, part)) {
			return;
		}
	}
	fail_msg("no note \"%s: …%s…\" among %zu", at, part, d->notes.n_notes);
}

/* The full check, as of a profile that is shipped. */
static void passes_the_full_check(const struct drafted *d)
{
	struct gw_library *l = NULL;
	struct gw_profile *p = NULL;
	struct gw_error e = {0};
	assert_int_equal(gw_library_new(NULL, 0, &l), 0);
	if (gw_profile_load_text(l, gw_buf_str(&d->yaml), "draft", 0, &p, &e) < 0) {
		fail_msg("%u:%u %s: %s\n%s", e.line, e.column, e.at, e.text, d->yaml.p);
	}
	gw_profile_unref(p);
	gw_library_free(l);
}

/* --- the four kinds --- */

#define STATE(up, on)                                                                              \
	"{\"Time\":\"2023-06-24T09:19:26\",\"Uptime\":\"0T00:40:09\",\"UptimeSec\":" up            \
	",\"SleepMode\":\"Dynamic\",\"POWER\":\"" on                                               \
	"\",\"Wifi\":{\"AP\":1,\"SSId\":\"Beneden\",\"BSSId\":\"2C:91:AB:45:EE:E1\","              \
	"\"RSSI\":92,\"Signal\":-54}}"
#define ENERGY(total, watts)                                                                       \
	"{\"Time\":\"2023-06-24T09:24:26\",\"ENERGY\":{\"Total\":" total ",\"Today\":0.001,"       \
	"\"Power\":" watts ",\"Factor\":0.08,\"Voltage\":233,\"Current\":0.039}}"

static void a_tasmota_plug(void **state)
{
	(void)state;
	struct drafted d;
	struct profile_case c;
	draft(&d, (const char *const[]){"tele/tasmota_F17F56/LWT",
					"Online",
					"tasmota/discovery/E09806F17F56/config",
					"{\"t\":\"tasmota_F17F56\"}",
					"tele/tasmota_F17F56/STATE",
					STATE("2409", "ON"),
					"tele/tasmota_F17F56/SENSOR",
					ENERGY("0.001", "1"),
					"cmnd/tasmota_F17F56/POWER",
					"OFF",
					"stat/tasmota_F17F56/RESULT",
					"{\"POWER\":\"OFF\"}",
					"stat/tasmota_F17F56/POWER",
					"OFF",
					"cmnd/tasmota_F17F56/POWER",
					"TOGGLE",
					"cmnd/tasmota_F17F56/POWER",
					"",
					"stat/tasmota_F17F56/RESULT",
					"{\"POWER\":\"ON\"}",
					"cmnd/tasmota_F17F56/STATUS",
					"8",
					"stat/tasmota_F17F56/STATUS8",
					"{\"StatusSNS\":" ENERGY("0.002", "2") "}",
					"tele/tasmota_F17F56/STATE",
					STATE("2709", "ON"),
					"tele/kettle/STATE",
					STATE("1", "ON"),
					NULL});
	has(&d, "id: acme.plug\n");
	has(&d, "type: plug  # by its capabilities");
	has(&d, "  presence: {point: online, is: true}");
	has(&d,
	    "  online: {in: \"lwt#\", map: {Online: true, Offline: false}}  # seen: Online; Offline was not seen");
	has(&d,
	    "  power: {in: [\"state#/POWER\", \"result#/POWER\", \"power#\"], out: \"set_power#\", map: {\"OFF\": false, \"ON\": true}}");
	has(&d,
	    "  ask_status_8: {tx: \"cmnd/{id}/STATUS\", codec: text, body: \"8\", reply: status8, on: [bind, online]}");
	has(&d, "meter.power: {point: power_2}  # by the name \"Power\"; W assumed");
	has(&d, "[\"sensor#/ENERGY/Power\", \"status8#/StatusSNS/ENERGY/Power\"]");
	has(&d, "link.rssi: {point: signal}");
	has(&d, "x.acme.rssi: {type: int");
	has(&d, "  - {name: set switch.on, write: {switch.on: false}, tx: [{set_power: \"OFF\"}]}");
	has(&d, "# state#/Wifi/SSId left out: it never changed");
	has(&d, "# state#/Time left out: it is a clock");
	/* what is of one household, in the tests too */
	lacks(&d, "Beneden");
	lacks(&d, "2C:91");
	lacks(&d, "F17F56");
	notes(&d, "tasmota/discovery/E09806F17F56/config",
	      "describes devices in the way of tasmota");
	notes(&d, "tele/kettle/STATE", "of another device");
	passes_the_full_check(&d);
	case_open(&c, d.yaml.p);
	assert_int_equal(case_receive(&c, "sensor", ENERGY("3.5", "42")), 0);
	assert_string_equal(case_value(&c, "meter.power"), "42");
	assert_int_equal(case_receive(&c, "power", "ON"), 0);
	assert_string_equal(case_value(&c, "switch.on"), "true");
	assert_int_equal(case_write(&c, "switch.on", "false"), 0);
	assert_string_equal(case_sent(&c), "set_power OFF");
	case_close(&c);
	drop(&d);
}

static void a_sensor_with_plain_topics(void **state)
{
	(void)state;
	struct drafted d;
	struct profile_case c;
	draft(&d,
	      (const char *const[]){"home/cellar/temperature", "20.5", "home/cellar/humidity", "40",
				    "home/cellar/battery", "87", "home/cellar/firmware", "1.2.3",
				    "home/cellar/status", "online", "home/cellar/door", "closed",
				    "home/cellar/temperature", "21.5", "home/attic/temperature",
				    "19", "home/attic/humidity", "50", NULL});
	has(&d,
	    "  id: {identity: true}  # level 1 of the topics: the level that differs between devices");
	has(&d, "  temperature: {rx: \"home/{id}/temperature\", codec: text}  # 2 heard");
	has(&d, "  temperature: {in: \"temperature#\", as: num}");
	has(&d,
	    "  door: {in: \"door#\", map: {closed: false, open: true}}  # seen: closed; open was not seen");
	has(&d, "# firmware# left out: it never changed");
	lacks(&d, "1.2.3");
	lacks(&d, "cellar");
	notes(&d, "home/attic/temperature",
	      "of another device: not drafted (2 topics, 2 messages)");
	passes_the_full_check(&d);
	case_open(&c, d.yaml.p);
	assert_int_equal(case_receive(&c, "temperature", "-3.25"), 0);
	assert_string_equal(case_value(&c, "temperature.measured"), "-3.25");
	assert_int_equal(case_receive(&c, "door", "open"), 0);
	assert_string_equal(case_value(&c, "contact.open"), "true");
	case_close(&c);
	drop(&d);
}

static void a_lamp_as_zigbee2mqtt_has_it(void **state)
{
	(void)state;
	struct drafted d;
	struct profile_case c;
	draft(&d,
	      (const char *const[]){
		      "zigbee2mqtt/bridge/state", "{\"state\":\"online\"}",
		      "zigbee2mqtt/lamp/availability", "{\"state\":\"online\"}", "zigbee2mqtt/lamp",
		      "{\"state\":\"ON\",\"brightness\":254,\"linkquality\":90}",
		      "zigbee2mqtt/lamp/set", "{\"state\":\"OFF\"}", "zigbee2mqtt/lamp",
		      "{\"state\":\"OFF\",\"brightness\":254,\"linkquality\":91}",
		      "zigbee2mqtt/lamp/set", "{\"brightness\":120}", "zigbee2mqtt/lamp",
		      "{\"state\":\"ON\",\"brightness\":120,\"linkquality\":80}",
		      "zigbee2mqtt/hall", "{\"contact\":true,\"battery\":100,\"voltage\":3005}",
		      NULL});
	has(&d, "type: light_dimmable");
	has(&d, "  state: {rx: \"zigbee2mqtt/{id}\", tx: \"zigbee2mqtt/{id}/set\"}");
	has(&d, "{io: \"state#/state\", map: {\"OFF\": false, \"ON\": true}}");
	has(&d, "{io: \"state#/brightness\", mul: 100, div: 254}");
	has(&d, "0 to 254 assumed; writable: a command was recorded");
	has(&d, "mqtt: zigbee2mqtt/+,");
	lacks(&d, "bridge");
	passes_the_full_check(&d);
	case_open(&c, d.yaml.p);
	assert_int_equal(case_write(&c, "level.value", "50"), 0);
	assert_string_equal(case_sent(&c), "state {\"brightness\":127}");
	case_close(&c);
	drop(&d);
	draft(&d, (const char *const[]){
			  "zigbee2mqtt/hall", "{\"contact\":true,\"battery\":100,\"voltage\":3005}",
			  "zigbee2mqtt/hall/availability", "{\"state\":\"offline\"}", NULL});
	has(&d, "contact: {in: \"state#/contact\", map: {\"true\": false, \"false\": true}}");
	has(&d,
	    "battery.voltage: {point: voltage}  # by the name \"voltage\"; V assumed; never changed; mV of a battery assumed");
	passes_the_full_check(&d);
	drop(&d);
}

#define SHELLY "shellyplus1pm-485519992590"
#define SWITCH(id, on, watts)                                                                      \
	"{\"id\":" id ",\"output\":" on ",\"apower\":" watts                                       \
	",\"aenergy\":{\"by_minute\":[0.0,0.0,0.0],\"minute_ts\":1707326934,\"total\":110.046},"   \
	"\"temperature\":{\"tC\":30.3,\"tF\":86.6}}"
#define SET(id, on)                                                                                \
	"{\"id\":" id                                                                              \
	",\"src\":\"user_1\",\"method\":\"Switch.Set\",\"params\":{\"id\":0,\"on\":" on "}}"

static void a_shelly_of_the_second_generation(void **state)
{
	(void)state;
	struct drafted d;
	struct profile_case c;
	draft(&d,
	      (const char *const[]){
		      SHELLY "/online", "true", SHELLY "/status/switch:0",
		      SWITCH("0", "false", "0.0"), SHELLY "/rpc", SET("1", "true"), "user_1/rpc",
		      "{\"id\":1,\"src\":\"" SHELLY "\"}", SHELLY "/status/switch:0",
		      SWITCH("0", "true", "12.3"), SHELLY "/events/rpc",
		      "{\"src\":\"" SHELLY "\",\"method\":\"NotifyStatus\",\"params\":{\"ts\":1.5,"
		      "\"switch:0\":{\"id\":0,\"output\":true,\"apower\":12.3}}}",
		      SHELLY "/rpc", SET("2", "false"), SHELLY "/status/switch:1",
		      SWITCH("1", "true", "1.5"), SHELLY "/rpc",
		      "{\"id\":3,\"src\":\"user_1\",\"method\":\"Shelly.GetStatus\"}", NULL});
	has(&d,
	    "set_switch_set: {tx: \"{id}/rpc\", base: {id: 2, src: user_1, method: Switch.Set, params: {id: 0}}}");
	has(&d,
	    "output: {in: [\"switch_0#/output\", \"events#/params/switch:0/output\"], out: \"set_switch_set#/params/on\"}");
	has(&d, "total: {in: \"switch_0#/aenergy/total\", div: 1000}");
	has(&d, "# status/switch:0/temperature/tF left out: t_c in another unit");
	has(&d, "# switch_0#/aenergy/by_minute left out: it is a list");
	has(&d, "components:\n  switch_1:\n    caps:\n      switch.on: {point: output_2}");
	has(&d,
	    "tx: [{set_switch_set: {id: 2, method: Switch.Set, params: {id: 0, \"on\": true}, src: user_1}}]");
	lacks(&d, "485519992590");
	notes(&d, "profile check", "outlet:switch.on");
	case_open(&c, d.yaml.p);
	assert_int_equal(case_write(&c, "switch.on", "false"), 0);
	assert_string_equal(
		case_sent(&c),
		"set_switch_set {\"id\":2,\"method\":\"Switch.Set\",\"params\":{\"id\":0,"
		"\"on\":false},\"src\":\"user_1\"}");
	assert_int_equal(case_receive(&c, "switch_1", SWITCH("1", "false", "7")), 0);
	assert_string_equal(case_value(&c, "switch_1/meter.power"), "7");
	assert_string_equal(case_value(&c, "switch.on"), "null");
	case_close(&c);
	drop(&d);
}

static void a_model_that_is_told(void **state)
{
	(void)state;
	struct drafted d;
	draft(&d,
	      (const char *const[]){
		      "shellies/shellyplug-s-DDEEFF/relay/0", "on",
		      "shellies/shellyplug-s-DDEEFF/relay/0/power", "12.34",
		      "shellies/shellyplug-s-DDEEFF/relay/0/command", "off",
		      "shellies/shellyplug-s-DDEEFF/announce",
		      "{\"id\":\"shellyplug-s-DDEEFF\",\"model\":\"SHPLG-S\",\"mac\":\"68C63ADDEEFF\",\"ip\":\"192.168.1.5\",\"new_fw\":false}",
		      NULL});
	has(&d, "id: acme.shplg_s\n");
	has(&d,
	    "  # by the model that it tells\n  - {mqtt: shellies/+/announce, json: {/model: SHPLG-S}, set: {id: \"topic:1\"}}");
	has(&d,
	    "relay_0: {rx: \"shellies/{id}/relay/0\", codec: text, tx: \"shellies/{id}/relay/0/command\"}");
	has(&d, "by the name \"relay/0\"");
	lacks(&d, "DDEEFF");
	lacks(&d, "192.168");
	passes_the_full_check(&d);
	drop(&d);
}

/* --- what values become --- */

static void values_become_what_they_were_seen_to_be(void **state)
{
	(void)state;
	struct drafted d;
	draft(&d,
	      (const char *const[]){
		      "acme/dev1/report",
		      "{\"strokes\":1,\"gear\":\"low\",\"turbo\":true,\"depth\":1.25,\"note\":\"a b\",\"power_w\":5,\"temp\":70,\"TempUnit\":\"F\",\"either\":1,\"key\":\"hunter2\",\"gone\":null}",
		      "acme/dev1/report",
		      "{\"strokes\":2,\"gear\":\"high\",\"turbo\":false,\"depth\":2.5,\"note\":\"c d\",\"power_w\":7,\"temp\":71,\"TempUnit\":\"F\",\"either\":\"x\",\"key\":\"hunter2\"}",
		      "acme/dev1/report",
		      "{\"strokes\":2,\"gear\":\"low\",\"depth\":0.5,\"note\":\"e\"}",
		      "acme/dev1/report",
		      "{\"strokes\":9,\"gear\":\"low\",\"depth\":0.5,\"note\":\"f\"}", NULL});
	has(&d,
	    "x.acme.strokes: {type: int, point: strokes}  # raw 1 … 9 seen; only grows: a counter");
	has(&d, "x.acme.gear: {type: enum, enum: [low, high], point: gear}");
	has(&d, "x.acme.turbo: {type: bool, point: turbo}");
	has(&d, "x.acme.depth: {type: num, res: 0.01, point: depth}");
	has(&d, "x.acme.note: {type: str, point: note}");
	has(&d, "meter.power: {point: power_w}");
	has(&d, "temp: {in: \"report#/temp\", mul: 5, div: 9, add: -17.77777777777778}");
	has(&d, "# report#/TempUnit left out: it tells a unit");
	has(&d, "# report#/either left out: it is a number, a text or a boolean by turns");
	has(&d, "# report#/key left out: it looks like a secret");
	has(&d, "# report#/gone left out: it was never anything but null");
	lacks(&d, "hunter2");
	drop(&d);
}

static void words_of_the_model(void **state)
{
	(void)state;
	struct drafted d;
	struct profile_case c;
	draft(&d,
	      (const char *const[]){
		      "ac/bedroom_A1B2C3/state",
		      "{\"mode\":\"cool\",\"target_temperature\":21.5,\"fan_speed\":\"turbo\",\"action\":\"single\"}",
		      "ac/bedroom_A1B2C3/state",
		      "{\"mode\":\"fan\",\"target_temperature\":22,\"fan_speed\":\"low\",\"action\":\"hold\"}",
		      "ac/bedroom_A1B2C3/set", "{\"mode\":\"fan\",\"target_temperature\":22.5}",
		      NULL});
	has(&d, "mode: {io: \"state#/mode\", map: {fan: fan_only, cool: cool}}");
	has(&d, "target_temperature: {io: \"state#/target_temperature\", frac: true}");
	has(&d, "fan_speed: {in: \"state#/fan_speed\", map: {turbo: max, low: low}}");
	has(&d, "button.press: {event: {point: action}}");
	has(&d, "events: [{button.press: long}]");
	case_open(&c, d.yaml.p);
	assert_int_equal(case_write(&c, "thermostat.mode", "\"fan_only\""), 0);
	assert_string_equal(case_sent(&c), "state {\"mode\":\"fan\"}");
	assert_int_equal(case_write(&c, "thermostat.setpoint", "23.5"), 0);
	assert_string_equal(case_sent(&c), "state {\"target_temperature\":23.5}");
	case_close(&c);
	drop(&d);
}

static void two_of_a_kind_are_not_one(void **state)
{
	(void)state;
	struct drafted d;
	draft(&d, (const char *const[]){"x/A1B2C3/inside", "{\"temperature\":20}",
					"x/A1B2C3/outside", "{\"temperature\":5}", NULL});
	has(&d, "temperature: {in: \"inside#/temperature\"}");
	has(&d, "temperature_2: {in: \"outside#/temperature\"}");
	has(&d, "a second one of its kind");
	drop(&d);
}

static void commands_without_a_state(void **state)
{
	(void)state;
	struct drafted d;
	draft(&d, (const char *const[]){"acme/A1B2C3/temperature", "20", "acme/A1B2C3/horn/set",
					"loud", "acme/A1B2C3/horn/set", "quiet",
					"acme/A1B2C3/horn/set", "loud", NULL});
	has(&d, "set_horn: {tx: \"acme/{id}/horn/set\", codec: text}");
	has(&d,
	    "horn: {out: \"set_horn#\"}  # seen: loud, quiet; only commands were seen, no state");
	has(&d, "write: {x.acme.horn: loud}, tx: [{set_horn: loud}]");
	drop(&d);
}

static void bytes_are_left_to_the_author(void **state)
{
	(void)state;
	struct drafted d;
	d = (struct drafted){.t = gw_traffic_new(), .yaml = GW_BUF_INIT(1u << 20)};
	const struct gw_traffic_message frame = {
		GW_STR("acme/A1B2C3/raw"), {"\xaa\x00\x1f", 3}, false};
	assert_int_equal(gw_traffic_add(d.t, &frame), 0);
	d.r = gw_traffic_draft(d.t, NULL, &d.yaml, &d.notes, &d.error);
	has(&d,
	    "raw: {rx: \"acme/{id}/raw\", codec: bytes}  # bytes aa 00 1f … points are yours to add, as raw@0");
	has(&d, "id: vendor.gateway");
	drop(&d);
}

/* --- what comes from outside --- */

static void texts_from_outside_stay_texts(void **state)
{
	(void)state;
	struct drafted d;
	draft(&d,
	      (const char *const[]){
		      "acme/A1B2C3/say",
		      "{\"word\":\"x\\n- y: # z\",\"a#b\":1,\"c: d\":\"e: f\",\"q'\\\"\":\"'\\\"\",\"[0]\":5,\"\":7}",
		      "acme/A1B2C3/say",
		      "{\"word\":\"\\u2028\\u0085\\u0000\\ufeff\",\"a#b\":2,\"c: d\":\"null\"}",
		      "acme/A1B2C3/{id}", "20", "acme/A1B2C3/state", "\xe2\x80\xa6 on", NULL});
	assert_int_equal(d.r, 0);
	lacks(&d, "\n- y");
	lacks(&d, "/{id}/{id}");
	drop(&d);
}

static void nothing_to_draft(void **state)
{
	(void)state;
	struct drafted d;
	draft(&d, (const char *const[]){NULL});
	assert_int_equal(d.r, -ENODATA);
	drop(&d);
	draft(&d, (const char *const[]){"state", "1", "tele/status", "on", NULL});
	assert_int_equal(d.r, -ENODATA);
	assert_string_equal(d.error.text, "nothing in the recording can be drafted");
	drop(&d);
}

static void the_caps_hold(void **state)
{
	(void)state;
	static char big[GW_BODY_BYTES + 1];
	struct gw_traffic *t = gw_traffic_new();
	memset(big, 'x', sizeof(big));
	struct gw_traffic_message m = {GW_STR("a/b"), {big, GW_BODY_BYTES + 1}, false};
	assert_int_equal(gw_traffic_add(t, &m), -E2BIG);
	m.payload.len = GW_BODY_BYTES;
	for (size_t i = 0; i < GW_TRAFFIC_BYTES / GW_BODY_BYTES; i++) {
		assert_int_equal(gw_traffic_add(t, &m), 0);
	}
	m.payload.len = 1;
	assert_int_equal(gw_traffic_add(t, &m), -ENOSPC);
	gw_traffic_free(t);
	t = gw_traffic_new();
	for (size_t i = 0; i < GW_TRAFFIC_MESSAGES; i++) {
		assert_int_equal(gw_traffic_add(t, &m), 0);
	}
	assert_int_equal(gw_traffic_add(t, &m), -ENOSPC);
	assert_int_equal(gw_traffic_messages(t), GW_TRAFFIC_MESSAGES);
	assert_int_equal(gw_traffic_topics(t), 1);
	m.topic = GW_STR("a/+");
	assert_int_equal(gw_traffic_add(t, &m), -EINVAL);
	gw_traffic_free(t);
}

static void more_than_a_profile_holds(void **state)
{
	(void)state;
	struct drafted d = {.t = gw_traffic_new(), .yaml = GW_BUF_INIT(1u << 20)};
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(1u << 16);
	for (unsigned i = 0; i < GW_PROFILE_MSGS + 3; i++) {
		gw_buf_reset(&text);
		gw_buf_printf(&text, "acme/A1B2C3/topic%c%c", 'a' + i / 26, 'a' + i % 26);
		add(d.t, text.p, "1.5");
	}
	gw_buf_reset(&text);
	gw_buf_putc(&text, '{');
	for (unsigned i = 0; i < GW_TRAFFIC_LEAVES + 2; i++) {
		gw_buf_printf(&text, "%s\"leaf%c%c\":%u", i ? "," : "", 'a' + i / 26, 'a' + i % 26,
			      i);
	}
	gw_buf_putc(&text, '}');
	add(d.t, "acme/A1B2C3/topicaa", text.p);
	add(d.t, "acme/A1B2C3/topicaa", text.p);
	d.r = gw_traffic_draft(d.t, "acme", &d.yaml, &d.notes, &d.error);
	has(&d, "1 bodies of another kind passed over; has more values than are drafted");
	has(&d, "leafcl"); /* the 64th */
	lacks(&d, "leafcm");
	notes(&d, "acme/A1B2C3/topicbg", "more than 32 messages");
	drop(&d);
}

static void lines_are_read_back(void **state)
{
	(void)state;
	GW_AUTO(gw_buf_fini) struct gw_buf line = GW_BUF_INIT(4096);
	struct gw_error e = {0};
	struct gw_traffic *t = gw_traffic_new();
	const struct gw_traffic_message said[] = {
		{GW_STR("a/b"), GW_STR("{\"x\":\"\xe2\x82\xac\n\"}"), true},
		{GW_STR("a/c"), {"\x00\xff", 2}, false},
		{GW_STR("a/d"), GW_STR(""), false},
	};
	static const char *const lines[] = {
		"{\"topic\":\"a/b\",\"payload\":\"{\\\"x\\\":\\\"\xe2\x82\xac\\n\\\"}\",\"retained\":true}",
		"{\"topic\":\"a/c\",\"hex\":\"00ff\",\"retained\":false}",
		"{\"topic\":\"a/d\",\"payload\":\"\",\"retained\":false}",
	};
	for (size_t i = 0; i < gw_countof(said); i++) {
		gw_buf_reset(&line);
		gw_traffic_write_line(&said[i], &line);
		assert_string_equal(line.p, lines[i]);
		assert_int_equal(gw_traffic_read_line(t, gw_buf_str(&line), &e), 0);
		const struct gw_recorded *r = &t->messages[i];
		assert_true(gw_str_eq(r->payload, said[i].payload));
		assert_true(gw_str_eq(t->topics[r->topic].name, said[i].topic));
		assert_int_equal(r->retained, said[i].retained);
	}
	assert_int_equal(gw_traffic_read_line(t, GW_STR(" \r\n"), &e), 0);
	static const char *const bad[] = {"{",
					  "[]",
					  "{\"topic\":\"a\"}",
					  "{\"topic\":1,\"payload\":\"\"}",
					  "{\"topic\":\"a/#\",\"payload\":\"\"}",
					  "{\"topic\":\"a\",\"hex\":\"0\"}"};
	for (size_t i = 0; i < gw_countof(bad); i++) {
		e = (struct gw_error){.line = 0};
		assert_int_equal(gw_traffic_read_line(t, gw_str(bad[i]), &e), -EINVAL);
		assert_true(e.text[0]);
	}
	assert_int_equal(gw_traffic_messages(t), gw_countof(said));
	gw_traffic_free(t);
}

/* --- YAML --- */

static void yaml_is_read_back_to_the_same_tree(void **state)
{
	(void)state;
	static const char *const trees[] = {
		"{\"a\":{\"b\":{\"c\":[1,-0.5,1e21,true,null,\"\"]}},\"d\":[],\"e\":{},\"f\":\"x\"}",
		"{\"on\":\"off\",\"null\":\"null\",\"1\":\"1\",\"0x1f\":\"0x1f\",\"-\":\"-\",\"~\":\"~\",\"<<\":\"<<\",\"yes\":\"No\"}",
		"{\"a\":\" lead\",\"b\":\"trail \",\"c\":\"a: b\",\"d\":\"a #b\",\"e\":\"#\",\"f\":\"'\",\"g\":\"\\\"\",\"h\":\"\\\\\",\"i\":\"it's \\\"both\\\"\"}",
		"{\"a\":\"line\\nbreak\\t\\u0007\\u0085\\u2028\\u2029\\ufeff\\u007f\",\"b\":\"\xe2\x80\xa6\xe4\xb8\xad\xf0\x9f\x92\xa1\",\"\":\"\",\"c\":\"\\u00a0\\u009f\\ue000\\ufffd\"}",
		"[1,[2,[3]],{\"a\":[{\"b\":1},{\"c\":[]}]}]",
		"\"alone\"",
		"{\"tests\":[{\"name\":\"a test with a name that is rather long, so that it does not fit into one line with the others\",\"rx\":[{\"m\":\"{\\\"a\\\":\\\"it's a body in a text with quotes of both kinds and it is long enough\\\"}\"}],\"want\":{\"a.b\":1}}]}",
	};
	for (size_t i = 0; i < gw_countof(trees); i++) {
		GW_AUTO(gw_buf_fini) struct gw_buf yaml = GW_BUF_INIT(65536);
		GW_AUTO(gw_buf_fini) struct gw_buf a = GW_BUF_INIT(65536);
		GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(65536);
		struct gw_arena *arena = gw_arena_new(1u << 20);
		struct gw_node *tree = NULL, *back = NULL;
		struct gw_error e = {0};
		assert_int_equal(gw_node_parse_json(arena, gw_str(trees[i]), NULL, &tree, &e), 0);
		gw_yaml_write(&yaml, tree, NULL);
		if (gw_node_parse_yaml(arena, gw_buf_str(&yaml), NULL, &back, &e) < 0) {
			fail_msg("%u:%u %s\n%s", e.line, e.column, e.text, yaml.p);
		}
		gw_node_write(&a, tree, /* source_order= */ true);
		gw_node_write(&b, back, /* source_order= */ true);
		assert_string_equal(a.p, b.p);
		gw_arena_free(arena);
	}
}

static void yaml_looks_as_profiles_do(void **state)
{
	(void)state;
	GW_AUTO(gw_buf_fini) struct gw_buf yaml = GW_BUF_INIT(65536);
	struct gw_arena *arena = gw_arena_new(1u << 20);
	struct gw_node *tree = NULL;
	const char *json = "{\"id\":\"a.b\",\"msgs\":{\"m\":{\"rx\":\"x/{id}\",\"on\":[\"bind\"]}},"
			   "\"points\":{\"p\":{\"in\":\"m#/a\",\"map\":{\"ON\":true}}},"
			   "\"components\":{\"c\":{\"caps\":{\"switch.on\":{\"point\":\"p\"}}}},"
			   "\"tests\":[{\"name\":\"t\",\"rx\":[{\"m\":\"1\"}]}]}";
	assert_int_equal(gw_node_parse_json(arena, gw_str(json), NULL, &tree, NULL), 0);
	const struct gw_node *cap = gw_node_pointer(tree, GW_STR("/components/c/caps/switch.on"));
	struct gw_yaml_note notes[] = {
		{.next = &notes[1], .at = tree, .place = GW_YAML_ABOVE, .text = "head"},
		{.next = &notes[2], .at = cap, .place = GW_YAML_BESIDE, .text = "one"},
		{.next = &notes[3], .at = cap, .place = GW_YAML_BESIDE, .text = "two"},
		{.next = &notes[4],
		 .at = gw_node_get(tree, "points"),
		 .place = GW_YAML_END,
		 .text = "end"},
		{.next = NULL,
		 .at = gw_node_at(gw_node_get(tree, "tests"), 0),
		 .place = GW_YAML_ABOVE,
		 .text = "above"},
	};
	gw_yaml_write(&yaml, tree, notes);
	assert_string_equal(yaml.p, "# head\n"
				    "id: a.b\n"
				    "msgs:\n"
				    "  m: {rx: \"x/{id}\", on: [bind]}\n"
				    "points:\n"
				    "  p: {in: \"m#/a\", map: {\"ON\": true}}\n"
				    "  # end\n"
				    "components:\n"
				    "  c:\n"
				    "    caps:\n"
				    "      switch.on: {point: p}  # one; two\n"
				    "tests:\n"
				    "  # above\n"
				    "  - {name: t, rx: [{m: \"1\"}]}\n");
	gw_arena_free(arena);
}

/* --- without memory --- */

static void each_allocation_may_fail(void **state)
{
	(void)state;
	struct gw_traffic *t = gw_traffic_new();
	add(t, "acme/A1B2C3/state",
	    "{\"state\":\"ON\",\"temperature\":20.5,\"mac\":\"aa:bb:cc:dd:ee:ff\"}");
	add(t, "acme/A1B2C3/set", "{\"state\":\"OFF\"}");
	bool done = false;
	for (uint64_t n = 1; !done; n++) {
		GW_AUTO(gw_buf_fini) struct gw_buf yaml = GW_BUF_INIT(1u << 20);
		struct gw_import_result notes = {.devices = NULL};
		struct gw_error e = {0};
		gw_alloc_fail_at(n);
		int r = gw_traffic_draft(t, "acme", &yaml, &notes, &e);
		gw_alloc_fail_at(0);
		if (r < 0) {
			/* Where the checker takes missing memory for a malformed text, it is a refusal. */
			assert_true(r == -ENOMEM || r == -EINVAL);
		} else {
			struct gw_library *l = NULL;
			struct gw_profile *p = NULL;
			assert_int_equal(gw_library_new(NULL, 0, &l), 0);
			assert_int_equal(gw_profile_load_text(l, gw_buf_str(&yaml), "draft",
							      GW_PROFILE_LAX, &p, &e),
					 0);
			gw_profile_unref(p);
			gw_library_free(l);
			done = n > 20000; /* all were reached: the draft takes some thousands */
		}
		gw_import_result_fini(&notes);
		n += n > 400 ? 36 : 0; /* every one at first, then a sample */
	}
	gw_traffic_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tasmota_plug),
		cmocka_unit_test(a_sensor_with_plain_topics),
		cmocka_unit_test(a_lamp_as_zigbee2mqtt_has_it),
		cmocka_unit_test(a_shelly_of_the_second_generation),
		cmocka_unit_test(a_model_that_is_told),
		cmocka_unit_test(values_become_what_they_were_seen_to_be),
		cmocka_unit_test(words_of_the_model),
		cmocka_unit_test(two_of_a_kind_are_not_one),
		cmocka_unit_test(commands_without_a_state),
		cmocka_unit_test(bytes_are_left_to_the_author),
		cmocka_unit_test(texts_from_outside_stay_texts),
		cmocka_unit_test(nothing_to_draft),
		cmocka_unit_test(the_caps_hold),
		cmocka_unit_test(more_than_a_profile_holds),
		cmocka_unit_test(lines_are_read_back),
		cmocka_unit_test(yaml_is_read_back_to_the_same_tree),
		cmocka_unit_test(yaml_looks_as_profiles_do),
		cmocka_unit_test(each_allocation_may_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
