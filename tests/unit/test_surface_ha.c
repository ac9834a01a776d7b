/*
 * What the MQTT surface announces to Home Assistant: each document is what Home Assistant accepts, what it then sends arrives at the device,
 * and our own importer reads the same home back out of it.
 */
#include "gw_test.h"

#include <stdio.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/import.h"
#include "gw/json.h"
#include "gw/node.h"
#include "home/adapter_host.h"
#include "home/registry.h"
#include "live_profiles.h"
#include "made_profile.h"
#include "mqtt_home.h"
#include "profile/import/ha.h"

/* clang-format off */
static const struct made_cap light[] = {
	{"switch.on", "true", "false", 0},
	{"level.value", "40", "55", 0},
	{"color.temperature", "2700", "4000", "range: [2000, 6500]"},
	{"color.hue", "120", "240", 0},
	{"color.saturation", "50", "100", 0},
	{"color.mode", "\"hs\"", 0, "ro: true"},
	{"color.effect", "\"fire\"", "\"rainbow\"", "enum: [fire, rainbow]"},
};
static const struct made_cap lamp_xy[] = {
	{"switch.on", "true", "false", 0},
	{"color.xy", "{\"x\":0.3,\"y\":0.4}", "{\"x\":0.1,\"y\":0.2}", 0},
};
static const struct made_cap strip[] = {
	{"meter.power", "12.5", 0, 0},
	{"meter.energy", "3.25", 0, 0},
	{"link.rssi", "-60", 0, 0},
	{"outlet_1/switch.on", "true", "false", 0},
	{"outlet_2/switch.on", "false", "true", 0},
};
static const struct made_cap outlet[] = {
	{"switch.on", "true", "false", 0},
	{"child_lock.on", "false", "true", 0},
	{"switch.on_for", "60", "{seconds: 60}", "action: {switch_on_for: seconds}, args: {seconds: {type: int, range: [1, 6553]}}"},
	{"device.restart", 0, "{}", 0},
};
static const struct made_cap curtain[] = {
	{"covering.position", "30", "70", 0},
	{"covering.moving", "\"stopped\"", 0, 0},
	{"covering.tilt", "50", "20", 0},
	{"covering.open", 0, "{}", 0},
	{"covering.close", 0, "{}", 0},
	{"covering.stop", 0, "{}", 0},
};
static const struct made_cap blind[] = {
	{"covering.position", "30", "70", 0},
};
static const struct made_cap garage[] = {
	{"closure.state", "\"closed\"", 0, 0},
	{"closure.move", "\"open\"", "{to: open}", "action: {closure_move: to}, args: {to: {type: enum, enum: [open, closed]}}"},
};
static const struct made_cap thermostat[] = {
	{"thermostat.mode", "\"heat\"", "\"cool\"", "enum: [\"off\", auto, heat, cool]"},
	{"thermostat.setpoint", "21.5", "22", "range: [5, 30, 0.5]"},
	{"thermostat.current", "20.5", 0, 0},
	{"thermostat.action", "\"heating\"", 0, 0},
	{"thermostat.preset", "\"eco\"", "\"away\"", "enum: [none, eco, away]"},
	{"humidity.measured", "45", 0, 0},
};
static const struct made_cap aircon[] = {
	{"switch.on", "true", "false", 0},
	{"thermostat.mode", "\"cool\"", "\"heat\"", "enum: [auto, cool, heat, dry, fan_only]"},
	{"thermostat.setpoint", "24", "26", "range: [16, 30]"},
	{"temperature.measured", "25", 0, 0},
	{"fan.mode", "\"low\"", "\"high\"", "enum: [low, medium, high, auto]"},
	{"fan.rock_ud", "false", "true", 0},
};
static const struct made_cap heater[] = {
	{"switch.on", "true", "false", 0},
	{"thermostat.setpoint", "20", "21", "range: [5, 35]"},
	{"thermostat.current", "19", 0, 0},
};
static const struct made_cap humidifier[] = {
	{"switch.on", "true", "false", 0},
	{"humidity.setpoint", "50", "60", "range: [30, 80]"},
	{"humidity.measured", "41", 0, 0},
	{"humidifier.mode", "\"auto\"", "\"sleep\"", "enum: [auto, sleep]"},
	{"humidifier.action", "\"humidifying\"", 0, 0},
	{"fan.mode", "\"low\"", "\"high\"", "enum: [low, high]"},
	{"fan.percent", "30", "60", 0},
};
static const struct made_cap fan[] = {
	{"switch.on", "true", "false", 0},
	{"fan.percent", "30", "60", 0},
	{"fan.mode", "\"low\"", "\"auto\"", "enum: [\"off\", low, auto]"},
	{"fan.rock_lr", "false", "true", 0},
	{"fan.direction", "\"forward\"", "\"reverse\"", 0},
};
static const struct made_cap purifier[] = {
	{"fan.mode", "\"low\"", "\"high\"", "enum: [\"off\", low, high]"},
	{"fan.percent", "30", "60", 0},
	{"air.pm2_5", "12", 0, 0},
};
static const struct made_cap door[] = {
	{"lock.state", "\"locked\"", 0, 0},
	{"lock.lock", 0, "{}", 0},
	{"lock.unlock", 0, "{}", 0},
	{"lock.unlatch", 0, "{}", 0},
	{"lock.door", "\"closed\"", 0, 0},
	{"battery.level", "80", 0, 0},
};
static const struct made_cap valve[] = {
	{"valve.open", "true", "false", 0},
};
static const struct made_cap dosing[] = {
	{"valve.open", "true", "false", 0},
	{"valve.level", "30", "60", 0},
};
static const struct made_cap siren[] = {
	{"siren.active", "false", "true", 0},
	{"siren.tone", "\"fire\"", "\"bell\"", "enum: [fire, bell]"},
	{"siren.duration", "10", "20", 0},
};
static const struct made_cap vacuum[] = {
	{"operation.state", "\"docked\"", 0, 0},
	{"operation.error", "\"none\"", 0, 0},
	{"robot.run_mode", "\"idle\"", "\"cleaning\"", 0},
	{"robot.suction", "\"quiet\"", "\"max\"", "enum: [quiet, max]"},
	{"operation.start", 0, "{}", 0},
	{"operation.pause", 0, "{}", 0},
	{"robot.go_home", 0, "{}", 0},
	{"robot.locate", 0, "{}", 0},
};
static const struct made_cap mower[] = {
	{"mower.activity", "\"docked\"", 0, 0},
	{"operation.start", 0, "{}", 0},
	{"operation.pause", 0, "{}", 0},
	{"robot.go_home", 0, "{}", 0},
};
static const struct made_cap mixed[] = {
	{"switch.on", "true", "false", 0},
	{"firmware.version", "\"1.2\"", 0, 0},
	{"firmware.available", "\"1.3\"", 0, 0},
	{"link.last_seen", "1700000000000", 0, 0},
	{"contact.open", "true", 0, 0},
	{"smoke.state", "\"warning\"", 0, 0},
	{"battery.charging", "\"charging\"", 0, 0},
	{"temperature.alarm", "\"high\"", 0, 0},
	{"fault.active", "[\"pump\",\"filter\"]", 0, 0},
	{"lock.mode", "\"normal\"", "\"vacation\"", "enum: [normal, vacation]"},
	{"lock.auto_relock", "30", "60", "range: [0, 600, 5]"},
	{"media.app", "\"it's \\\"7\\\"\"", "\"b\"", 0},
	{"button.press", "\"double\"", 0, 0},
	{"x.acme.mood", "3", "4", "type: int, range: [0, 9]"},
	{"x.acme.shine", "true", "false", "type: bool"},
};
static const struct made_cap deaf[] = {
	{"cook.off", 0, "{}", 0},
};
/* clang-format on */

#define MADE(name, kind)                                                                           \
	{                                                                                          \
		.id = #name, .type = (kind), .caps = (name), .n_caps = gw_countof(name)            \
	}
static const struct made_profile devices[] = {
	MADE(light, "light_color"),
	MADE(lamp_xy, "light_on_off"),
	MADE(strip, "power_strip"),
	MADE(outlet, "plug"),
	MADE(curtain, "curtain"),
	MADE(blind, "clothes_airer"),
	MADE(garage, "garage_door"),
	MADE(thermostat, "thermostat"),
	MADE(aircon, "room_air_conditioner"),
	MADE(heater, "gas_water_heater"),
	MADE(humidifier, "humidifier"),
	MADE(fan, "fan"),
	MADE(purifier, "air_purifier"),
	MADE(door, "door_lock"),
	MADE(valve, "water_valve"),
	MADE(dosing, "water_valve"),
	MADE(siren, "siren"),
	MADE(vacuum, "robot_vacuum"),
	MADE(mower, "lawn_mower"),
	MADE(mixed, "plug"),
	MADE(deaf, "cooktop"),
};

/* --- a home of all of them --- */

struct ha_home {
	struct mqtt_home m;
	struct gw_buf texts[gw_countof(devices)];
	const char *profiles[gw_countof(devices) + 2];
	struct gw_arena *arena;
};

static void add_device(struct ha_home *h, const struct made_profile *p)
{
	GW_AUTO(gw_buf_fini) struct gw_buf state = GW_BUF_INIT(4096);
	char profile[64], vars[64], topic[64];
	(void)snprintf(profile, sizeof(profile), "made.%s", p->id);
	(void)snprintf(vars, sizeof(vars), "topic=%s", p->id);
	(void)snprintf(topic, sizeof(topic), "dev/%s", p->id);
	(void)live_home_add_typed(&h->m.home, p->id, profile, vars, p->type);
	live_home_up(&h->m.home);
	made_state(p, &state);
	played_receive(topic, state.p, false);
}

static void open_home(struct ha_home *h, const char *options)
{
	memset(h, 0, sizeof(*h));
	for (size_t i = 0; i < gw_countof(devices); i++) {
		gw_buf_init(&h->texts[i], 65536);
		made_write(&devices[i], &h->texts[i]);
		h->profiles[i] = h->texts[i].p;
	}
	h->profiles[gw_countof(devices)] = plug_profile;
	h->arena = gw_arena_new(16u << 20);
	assert_non_null(h->arena);
	mqtt_home_open(&h->m, h->profiles, options);
}

static void close_home(struct ha_home *h)
{
	mqtt_home_close(&h->m);
	gw_arena_free(h->arena);
	for (size_t i = 0; i < gw_countof(devices); i++) {
		gw_buf_fini(&h->texts[i]);
	}
}

static void add_all(struct ha_home *h)
{
	(void)live_home_add(&h->m.home, "plug", "test.plug", "topic=p mac=001122334455");
	played_receive("lwt/p", "Online", false);
	for (size_t i = 0; i < gw_countof(devices); i++) {
		add_device(h, &devices[i]);
	}
	mqtt_home_settle(&h->m);
}

static const struct gw_node *parse(struct ha_home *h, const char *text)
{
	static const struct gw_node_limits limits = {256u << 10, 16, 20000, 16384};
	struct gw_node *root = NULL;
	struct gw_error e = {0};
	if (gw_node_parse_json(h->arena, gw_str(text), &limits, &root, &e) < 0) {
		fail_msg("%u:%u: %s in %s", e.line, e.column, e.text, text);
	}
	return root;
}

static const char *document_topic(const char *device)
{
	static char topic[128];
	(void)snprintf(topic, sizeof(topic), "homeassistant/device/hearth_%s/config", device);
	return topic;
}

static const struct gw_node *document(struct ha_home *h, const char *device)
{
	const char *text = mqtt_home_last(&h->m, document_topic(device));
	if (!text) {
		fail_msg("%s is not announced", device);
	}
	return parse(h, text);
}

static const struct gw_node *entity_of(const struct gw_node *doc, const char *key)
{
	const struct gw_node *entity = gw_node_get(gw_node_get(doc, "components"), key);
	if (!entity) {
		fail_msg("there is no entity %s", key);
	}
	return entity;
}

static bool is_announced(const struct gw_node *doc, const char *key)
{
	return gw_node_get(gw_node_get(doc, "components"), key) != NULL;
}

/* --- the documents --- */

static void check_head(const struct gw_node *doc, const struct made_profile *p)
{
	char state[80];
	const char *refusal = gw_ha_head_refusal(doc, /* device_form= */ true);
	if (refusal) {
		fail_msg("%s: %s", p->id, refusal);
	}
	const struct gw_node *device = gw_node_get(doc, "device"),
			     *availability = gw_node_get(doc, "availability");
	assert_string_equal(gw_node_text(gw_node_get(doc, "origin"), "name"), "Hearth");
	assert_non_null(gw_node_text(gw_node_get(doc, "origin"), "sw_version"));
	assert_string_equal(gw_node_text(device, "name"), p->id);
	assert_string_equal(gw_node_text(device, "manufacturer"), "Vendor");
	assert_string_equal(gw_node_text(device, "model"), "Model");
	assert_string_equal(gw_node_text(device, "sw_version"), "1.0");
	assert_int_equal(gw_node_get(device, "identifiers")->count, 1);
	assert_string_equal(gw_node_text(doc, "availability_mode"), "all");
	assert_int_equal(availability->count, 2);
	(void)snprintf(state, sizeof(state), "hearth/%s/state", p->id);
	assert_string_equal(gw_node_text(gw_node_at(availability, 0), "topic"), "hearth/status");
	assert_string_equal(gw_node_text(gw_node_at(availability, 1), "topic"), state);
}

/* Of this device, to be read or to be commanded; and braces in pairs. */
static void check_text(const char *device, const struct gw_node *member)
{
	const char *text = member->text.p;
	char prefix[80];
	(void)snprintf(prefix, sizeof(prefix), "hearth/%s/", device);
	if (gw_str_ends(member->key, "_topic")) {
		if (!gw_str_starts(member->text, prefix) ||
		    (strstr(member->key.p, "command") && !gw_str_ends(member->text, "/set"))) {
			fail_msg("%s: %s is %s", device, member->key.p, text);
		}
	}
	if (gw_str_ends(member->key, "_template")) {
		int open = 0;
		for (const char *p = text; *p; p++) {
			open += (p[0] == '{') - (p[0] == '}');
			assert_true(open >= 0);
		}
		assert_int_equal(open, 0);
		assert_null(strchr(text, '<')); /* every place was filled in */
	}
}

static void check_entity(struct gw_map *ids, const char *device, const struct gw_node *entity)
{
	const char *platform = gw_node_text(entity, "platform");
	const char *id = gw_node_text(entity, "unique_id");
	assert_non_null(platform);
	assert_non_null(id);
	if (gw_map_put(ids, gw_str(id), ids) < 0) {
		fail_msg("%s: %s is not unique", device, id);
	}
	const char *refusal = gw_ha_refusal(platform, entity);
	if (refusal) {
		fail_msg("%s %s: Home Assistant refuses it: %s", device, entity->key.p, refusal);
	}
	gw_node_for(member, entity)
	{
		if (member->type == GW_NODE_TEXT) {
			check_text(device, member);
		}
	}
}

static void test_documents(void **state)
{
	(void)state;
	/* Each platform that we can make is there. */
	static const char *const platforms[] = {
		"binary_sensor", "button", "climate", "cover",	"event",  "fan",    "humidifier",
		"lawn_mower",	 "light",  "lock",    "number", "select", "sensor", "siren",
		"switch",	 "text",   "update",  "vacuum", "valve"};
	struct ha_home h;
	struct gw_map *ids = gw_map_new(1000);
	bool seen[gw_countof(platforms)] = {false};
	open_home(&h, "rights: critical");
	add_all(&h);
	for (size_t i = 0; i < gw_countof(devices); i++) {
		const struct gw_node *doc = document(&h, devices[i].id);
		check_head(doc, &devices[i]);
		assert_true(gw_node_get(doc, "components")->count > 0);
		gw_node_for(entity, gw_node_get(doc, "components"))
		{
			check_entity(ids, devices[i].id, entity);
			for (size_t k = 0; k < gw_countof(platforms); k++) {
				seen[k] =
					seen[k] || gw_node_is_text(gw_node_get(entity, "platform"),
								   platforms[k]);
			}
		}
	}
	for (size_t k = 0; k < gw_countof(platforms); k++) {
		if (!seen[k]) {
			fail_msg("no %s was announced", platforms[k]);
		}
	}
	gw_map_free(ids, NULL);
	close_home(&h);
}

/* What one row of the table cannot say. */
static void test_members(void **state)
{
	(void)state;
	static const struct {
		const char *device, *entity, *member, *json;
	} rows[] = {
		{"light", "light", "min_mireds", "154"}, /* 6500 K; rounded inwards */
		{"light", "light", "max_mireds", "500"},
		{"light", "light", "effect_list", "[\"fire\",\"rainbow\"]"},
		{"light", "light", "name", "null"},
		{"strip", "outlet_2-switch-on", "name", "\"Outlet 2\""},
		{"strip", "outlet_2-switch-on", "device_class", "\"outlet\""},
		{"strip", "meter-energy", "state_class", "\"total_increasing\""},
		{"strip", "meter-energy", "unit_of_measurement", "\"kWh\""},
		{"strip", "link-rssi", "entity_category", "\"diagnostic\""},
		{"outlet", "child_lock-on", "entity_category", "\"config\""},
		{"outlet", "switch-on_for", "unit_of_measurement", "\"s\""},
		{"outlet", "switch-on_for", "max", "6553"},
		{"curtain", "cover", "device_class", "\"curtain\""},
		{"blind", "cover", "payload_stop", "null"},
		{"thermostat", "climate", "modes", "[\"off\",\"heat_cool\",\"heat\",\"cool\"]"},
		{"thermostat", "climate", "temp_step", "0.5"},
		{"thermostat", "climate", "preset_modes", "[\"eco\",\"away\"]"},
		{"aircon", "climate", "modes",
		 "[\"off\",\"heat_cool\",\"cool\",\"heat\",\"dry\",\"fan_only\"]"},
		{"heater", "climate", "modes", "[\"off\",\"heat\"]"},
		{"fan", "fan", "preset_modes", "[\"low\",\"auto\"]"},
		{"dosing", "valve", "reports_position", "true"},
		{"siren", "siren", "available_tones", "[\"fire\",\"bell\"]"},
		{"siren", "siren", "support_volume_set", "false"},
		{"vacuum", "vacuum", "supported_features",
		 "[\"start\",\"pause\",\"return_home\",\"locate\",\"fan_speed\"]"},
		{"mixed", "lock-auto_relock", "step", "5"},
		{"mixed", "temperature-alarm", "options", "[\"normal\",\"low\",\"high\"]"},
		{"mixed", "button-press", "event_types",
		 "[\"press\",\"double\",\"triple\",\"long\",\"release\"]"},
		{"mixed", "link-last_seen", "device_class", "\"timestamp\""},
	};
	/* What a composite shows is no entity of its own. */
	static const struct {
		const char *device, *entity;
	} absent[] = {
		{"light", "switch-on"},
		{"light", "level-value"},
		{"light", "color-effect"},
		{"curtain", "covering-open"},
		{"aircon", "switch-on"},
		{"aircon", "fan-mode"},
		{"fan", "fan"
			"-mode"},
		{"dosing", "valve-open"},
		{"siren", "siren-tone"},
		{"vacuum", "operation-start"},
	};
	struct ha_home h;
	open_home(&h, "rights: critical");
	add_all(&h);
	for (size_t i = 0; i < gw_countof(rows); i++) {
		const struct gw_node *member = gw_node_get(
			entity_of(document(&h, rows[i].device), rows[i].entity), rows[i].member);
		GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(4096);
		if (member) {
			gw_node_write(&text, member, /* source_order= */ true);
		}
		if (!member || strcmp(text.p, rows[i].json) != 0) {
			fail_msg("%s %s: %s is %s", rows[i].device, rows[i].entity, rows[i].member,
				 member ? text.p : "absent");
		}
	}
	for (size_t i = 0; i < gw_countof(absent); i++) {
		if (is_announced(document(&h, absent[i].device), absent[i].entity)) {
			fail_msg("%s announces %s", absent[i].device, absent[i].entity);
		}
	}
	close_home(&h);
}

/* --- what Home Assistant sends --- */

struct trip {
	const char *device, *entity, *topic;
	const char *
		how; /* NULL: the payload as it is; a template that makes it of value; a member that is it */
	const char *value;   /* what is chosen in Home Assistant */
	const char *payload; /* what it sends for that; NULL: the member of how */
	const char *sent;    /* to the device: behind "dev/<device>/" */
};

/* Payloads of templates are as Jinja renders them. */
static const struct trip trips[] = {
	{"light", "light", "command_topic", 0, 0, "OFF", "set {\"switch_on\":false}"},
	{"light", "light", "brightness_command_topic", 0, 0, "55", "set {\"level_value\":55}"},
	{"light", "light", "color_temp_command_topic", "color_temp_command_template", "250", "4000",
	 "set {\"color_temperature\":4000}"},
	{"light", "light", "hs_command_topic", "hs_command_template", 0,
	 "{\"set\":{\"color.hue\":240.0,\"color.saturation\":99.5}}",
	 "set {\"color_hue\":240,\"color_saturation\":99.5}"},
	{"light", "light", "effect_command_topic", 0, 0, "rainbow",
	 "set {\"color_effect\":\"rainbow\"}"},
	{"lamp_xy", "light", "xy_command_topic", "xy_command_template", 0,
	 "{\"value\":{\"x\":0.1,\"y\":0.2}}", "set {\"color_xy\":{\"x\":0.1,\"y\":0.2}}"},
	{"strip", "outlet_1-switch-on", "command_topic", 0, 0, "OFF",
	 "set {\"outlet_1_switch_on\":false}"},
	{"strip", "outlet_2-switch-on", "command_topic", 0, 0, "ON",
	 "set {\"outlet_2_switch_on\":true}"},
	{"outlet", "switch-on", "command_topic", 0, 0, "OFF", "set {\"switch_on\":false}"},
	{"outlet", "child_lock-on", "command_topic", 0, 0, "ON", "set {\"child_lock_on\":true}"},
	{"outlet", "switch-on_for", "command_topic", "command_template", 0,
	 "{\"args\": {\"seconds\": 60}}", "set {\"switch_on_for\":60}"},
	{"outlet", "device-restart", "command_topic", 0, 0, "PRESS", "device_restart go"},
	{"curtain", "cover", "command_topic", "payload_open", 0, 0, "covering_open go"},
	{"curtain", "cover", "command_topic", "payload_close", 0, 0, "covering_close go"},
	{"curtain", "cover", "command_topic", "payload_stop", 0, 0, "covering_stop go"},
	{"curtain", "cover", "set_position_topic", 0, 0, "70", "set {\"covering_position\":70}"},
	{"curtain", "cover", "tilt_command_topic", 0, 0, "20", "set {\"covering_tilt\":20}"},
	{"blind", "cover", "command_topic", "payload_open", 0, 0,
	 "set {\"covering_position\":100}"},
	{"blind", "cover", "command_topic", "payload_close", 0, 0, "set {\"covering_position\":0}"},
	{"garage", "closure", "command_topic", "payload_open", 0, 0,
	 "set {\"closure_move\":\"open\"}"},
	{"garage", "closure", "command_topic", "payload_close", 0, 0,
	 "set {\"closure_move\":\"closed\"}"},
	{"thermostat", "climate", "mode_command_topic", "mode_command_template", "heat_cool",
	 "auto", "set {\"thermostat_mode\":\"auto\"}"},
	{"thermostat", "climate", "mode_command_topic", "mode_command_template", "off", "off",
	 "set {\"thermostat_mode\":\"off\"}"},
	{"thermostat", "climate", "temperature_command_topic", 0, 0, "22.5",
	 "set {\"thermostat_setpoint\":22.5}"},
	{"thermostat", "climate", "preset_mode_command_topic", 0, 0, "away",
	 "set {\"thermostat_preset\":\"away\"}"},
	{"thermostat", "climate", "preset_mode_command_topic", 0, 0, "none",
	 "set {\"thermostat_preset\":\"none\"}"},
	{"aircon", "climate", "mode_command_topic", "mode_command_template", "off",
	 "{\"set\":{\"switch.on\":false}}", "set {\"switch_on\":false}"},
	{"aircon", "climate", "mode_command_topic", "mode_command_template", "heat_cool",
	 "{\"set\":{\"switch.on\":true,\"thermostat.mode\":\"auto\"}}",
	 "set {\"switch_on\":true,\"thermostat_mode\":\"auto\"}"},
	{"aircon", "climate", "mode_command_topic", "mode_command_template", "dry",
	 "{\"set\":{\"switch.on\":true,\"thermostat.mode\":\"dry\"}}",
	 "set {\"switch_on\":true,\"thermostat_mode\":\"dry\"}"},
	{"aircon", "climate", "fan_mode_command_topic", 0, 0, "high",
	 "set {\"fan_mode\":\"high\"}"},
	{"aircon", "climate", "swing_mode_command_topic", 0, 0, "on", "set {\"fan_rock_ud\":true}"},
	{"heater", "climate", "mode_command_topic", "mode_command_template", "heat", "ON",
	 "set {\"switch_on\":true}"},
	{"heater", "climate", "mode_command_topic", "mode_command_template", "off", "OFF",
	 "set {\"switch_on\":false}"},
	{"humidifier", "humidifier", "command_topic", 0, 0, "OFF", "set {\"switch_on\":false}"},
	{"humidifier", "humidifier", "target_humidity_command_topic", 0, 0, "60",
	 "set {\"humidity_setpoint\":60}"},
	{"humidifier", "humidifier", "mode_command_topic", 0, 0, "sleep",
	 "set {\"humidifier_mode\":\"sleep\"}"},
	{"humidifier", "fan-mode", "command_topic", 0, 0, "high", "set {\"fan_mode\":\"high\"}"},
	{"humidifier", "fan-percent", "command_topic", 0, 0, "60.0", "set {\"fan_percent\":60}"},
	{"fan", "fan", "command_topic", 0, 0, "OFF", "set {\"switch_on\":false}"},
	{"fan", "fan", "percentage_command_topic", 0, 0, "60", "set {\"fan_percent\":60}"},
	{"fan", "fan", "preset_mode_command_topic", 0, 0, "auto", "set {\"fan_mode\":\"auto\"}"},
	{"fan", "fan", "oscillation_command_topic", "payload_oscillation_on", 0, 0,
	 "set {\"fan_rock_lr\":true}"},
	{"fan", "fan", "direction_command_topic", 0, 0, "reverse",
	 "set {\"fan_direction\":\"reverse\"}"},
	{"purifier", "fan", "command_topic", "command_template", "ON", "low",
	 "set {\"fan_mode\":\"low\"}"},
	{"purifier", "fan", "command_topic", "command_template", "OFF", "off",
	 "set {\"fan_mode\":\"off\"}"},
	{"purifier", "fan", "preset_mode_command_topic", 0, 0, "high",
	 "set {\"fan_mode\":\"high\"}"},
	{"door", "lock", "command_topic", "payload_lock", 0, 0, "lock_lock go"},
	{"door", "lock", "command_topic", "payload_unlock", 0, 0, "lock_unlock go"},
	{"door", "lock", "command_topic", "payload_open", 0, 0, "lock_unlatch go"},
	{"valve", "valve", "command_topic", "payload_open", 0, 0, "set {\"valve_open\":true}"},
	{"valve", "valve", "command_topic", "payload_close", 0, 0, "set {\"valve_open\":false}"},
	{"dosing", "valve", "command_topic", 0, 0, "60", "set {\"valve_level\":60}"},
	{"siren", "siren", "command_topic", "command_template", 0,
	 "{\"set\":{\"siren.active\":true,\"siren.tone\":\"bell\",\"siren.duration\":20}}",
	 "set {\"siren_active\":true,\"siren_duration\":20,\"siren_tone\":\"bell\"}"},
	{"siren", "siren", "command_topic", "command_template", 0,
	 "{\"set\":{\"siren.active\":false}}", "set {\"siren_active\":false}"},
	{"vacuum", "vacuum", "command_topic", "payload_start", 0, 0, "operation_start go"},
	{"vacuum", "vacuum", "command_topic", "payload_pause", 0, 0, "operation_pause go"},
	{"vacuum", "vacuum", "command_topic", "payload_return_to_base", 0, 0, "robot_go_home go"},
	{"vacuum", "vacuum", "command_topic", "payload_locate", 0, 0, "robot_locate go"},
	{"vacuum", "vacuum", "set_fan_speed_topic", 0, 0, "max", "set {\"robot_suction\":\"max\"}"},
	{"vacuum", "robot-run_mode", "command_topic", 0, 0, "mapping",
	 "set {\"robot_run_mode\":\"mapping\"}"},
	{"mower", "mower", "start_mowing_command_topic", 0, 0, "start_mowing",
	 "operation_start go"},
	{"mower", "mower", "pause_command_topic", 0, 0, "pause", "operation_pause go"},
	{"mower", "mower", "dock_command_topic", 0, 0, "dock", "robot_go_home go"},
	{"mixed", "lock-mode", "command_topic", 0, 0, "vacation",
	 "set {\"lock_mode\":\"vacation\"}"},
	{"mixed", "lock-auto_relock", "command_topic", 0, 0, "60", "set {\"lock_auto_relock\":60}"},
	{"mixed", "media-app", "command_topic", 0, 0, "it's \"7\"",
	 "set {\"media_app\":\"it's \\\"7\\\"\"}"},
	{"mixed", "x-acme-mood", "command_topic", 0, 0, "4", "set {\"x_acme_mood\":4}"},
	{"mixed", "x-acme-shine", "command_topic", 0, 0, "OFF", "set {\"x_acme_shine\":false}"},
};

/* Where our reader knows the template, it must render the same. */
static void check_rendering(struct ha_home *h, const struct trip *t, struct gw_str template)
{
	struct gw_tpl_command command;
	struct gw_str text;
	const char *why = NULL;
	if (!t->value || gw_tpl_command(h->arena, template, &command, &why) < 0 ||
	    gw_tpl_send_value(h->arena, &command, gw_str(t->value), &text, &why) < 0) {
		return;
	}
	if (!gw_str_is(text, t->payload)) {
		fail_msg("%s %s of %s renders as " GW_STR_FMT, t->device, t->how, t->value,
			 GW_STR_ARG(text));
	}
}

static void test_commands(void **state)
{
	(void)state;
	struct ha_home h;
	open_home(&h, "rights: critical");
	add_all(&h);
	for (size_t i = 0; i < gw_countof(trips); i++) {
		const struct trip *t = &trips[i];
		char sent[512];
		const struct gw_node *entity = entity_of(document(&h, t->device), t->entity);
		const char *topic = gw_node_text(entity, t->topic);
		const char *how = t->how ? gw_node_text(entity, t->how) : NULL;
		if (!topic || (t->how && !how)) {
			fail_msg("%s %s has no %s or no %s", t->device, t->entity, t->topic,
				 t->how ? t->how : "");
		}
		if (t->how && t->payload) {
			check_rendering(&h, t, gw_str(how));
		}
		(void)snprintf(sent, sizeof(sent), "dev/%s/%s", t->device, t->sent);
		played_clear();
		mqtt_home_say(&h.m, topic, t->payload ? t->payload : how, false);
		mqtt_home_wait_sent(&h.m, sent);
	}
	close_home(&h);
}

/* --- what our own importer reads out of it --- */

struct reader {
	struct gw_importer *importer;
	struct gw_import_result result;
	struct gw_profile *profile;
	struct gw_plan *plan;
	struct gw_binding *binding;
	struct gw_vars vars;
};

static const struct gw_importer_class *homeassistant(void)
{
	const struct gw_importer_class *c;
	for (size_t i = 0; (c = gw_importer_class_at(i)) != NULL; i++) {
		if (strcmp(c->name, "homeassistant") == 0) {
			return c;
		}
	}
	fail_msg("no importer for Home Assistant");
	return NULL;
}

static void open_reader(struct ha_home *h, struct reader *r, const char *device)
{
	struct gw_error e = {0};
	*r = (struct reader){.importer = gw_importer_new(homeassistant())};
	assert_non_null(r->importer);
	const char *topic = document_topic(device);
	if (homeassistant()->message(r->importer, gw_str(topic),
				     gw_str(mqtt_home_last(&h->m, topic)), &r->result, &e) < 0 ||
	    r->result.n_devices != 1) {
		fail_msg("%s: %zu devices: %s", device, r->result.n_devices, e.text);
	}
	const struct gw_imported *d = &r->result.devices[0];
	assert_string_equal(d->name, device);
	assert_string_equal(d->vendor, "Vendor");
	if (gw_profile_load_text(h->m.home.g->library, gw_str(d->profile), d->identity,
				 GW_PROFILE_IMPORTED, &r->profile, &e) < 0 ||
	    gw_vars_copy(&r->vars, &d->vars) < 0 ||
	    gw_profile_complete_vars(r->profile, &r->vars, &e) < 0 ||
	    gw_plan_get(r->profile, &r->vars, &r->plan, &e) < 0 ||
	    gw_binding_new(r->plan, &r->vars, &r->binding, &e) < 0) {
		fail_msg("%s: %s at %s: %s", device, e.text, e.at, d->profile);
	}
}

static void close_reader(struct reader *r)
{
	gw_binding_free(r->binding);
	gw_plan_unref(r->plan);
	gw_profile_unref(r->profile);
	gw_vars_fini(&r->vars);
	gw_import_result_fini(&r->result);
	gw_importer_free(r->importer);
}

/* Everything that is retained for it. */
static void receive_all(struct ha_home *h, struct reader *r)
{
	for (size_t i = 0; i < gw_plan_msg_count(r->plan); i++) {
		const struct gw_msg_info *m = gw_plan_msg(r->plan, i);
		for (size_t k = 0; k < m->n_rx; k++) {
			GW_AUTO(gw_buf_fini) struct gw_buf topic = GW_BUF_INIT(1000);
			struct gw_received got;
			assert_int_equal(gw_binding_channel(r->binding, m->rx[k], &topic), 0);
			const char *text = mqtt_home_last(&h->m, topic.p);
			struct gw_body body = {.bytes = gw_str(text ? text : "")};
			if (text && gw_binding_receive(r->binding, i, &body, true, 0, &got) < 0) {
				fail_msg("%s: %s cannot be read", topic.p, text);
			}
		}
	}
}

static void check_value(struct ha_home *h, const struct reader *r, const char *device,
			const struct gw_node *want)
{
	GW_AUTO(gw_buf_fini) struct gw_buf got = GW_BUF_INIT(10000);
	int cap = gw_plan_find_cap(r->plan, want->key);
	enum gw_quality quality;
	if (cap < 0) {
		fail_msg("%s: %s was not read back", device, want->key.p);
	}
	const struct gw_value *v = gw_binding_value(r->binding, (size_t)cap, &quality);
	gw_value_write_json(&got, v, gw_plan_cap(r->plan, (size_t)cap)->domain.res);
	if (!gw_node_equal(parse(h, got.p), want)) {
		fail_msg("%s: %s is read back as %s", device, want->key.p, got.p);
	}
}

/* As JSON: what is reported, under the addresses that the importer gives. */
static const struct {
	const char *device, *want;
} read_back[] = {
	{"light", "{\"switch.on\":true,\"level.value\":40,\"color.effect\":\"fire\"}"},
	{"lamp_xy", "{\"switch.on\":true}"},
	{"strip", "{\"switch.on\":true,\"outlet_2_switch_on/switch.on\":false,\"link.rssi\":-60,"
		  "\"meter.power\":12.5,\"meter.energy\":3.25}"},
	{"outlet", "{\"switch.on\":true,\"x.ha.child_lock_on\":false}"},
	{"curtain",
	 "{\"covering.position\":30,\"covering.tilt\":50,\"covering.moving\":\"stopped\"}"},
	{"blind", "{\"covering.position\":30}"},
	{"garage", "{\"closure.state\":\"closed\"}"},
	{"thermostat",
	 "{\"thermostat.setpoint\":21.5,\"thermostat.current\":20.5,\"thermostat.action\":"
	 "\"heating\",\"thermostat.preset\":\"eco\",\"humidity.measured\":45}"},
	{"aircon", "{\"thermostat.setpoint\":24,\"thermostat.current\":25,\"fan.mode\":\"low\","
		   "\"fan.rock_ud\":false}"},
	{"heater", "{\"thermostat.mode\":\"heat\",\"thermostat.setpoint\":20,"
		   "\"thermostat.current\":19}"},
	{"humidifier", "{\"switch.on\":true,\"humidity.setpoint\":50,\"humidity.measured\":41,"
		       "\"humidifier.mode\":\"auto\",\"humidifier.action\":\"humidifying\","
		       "\"x.ha.fan_mode\":\"low\",\"x.ha.fan_percent\":30}"},
	{"fan", "{\"switch.on\":true,\"fan.percent\":30,\"fan.rock_lr\":false,"
		"\"fan.direction\":\"forward\",\"link.online\":true}"},
	{"purifier", "{\"switch.on\":true,\"fan.percent\":30,\"air.pm2_5\":12}"},
	{"door", "{\"lock.state\":\"locked\",\"contact.open\":false,\"battery.level\":80}"},
	{"valve", "{\"valve.open\":true,\"link.online\":true}"},
	{"dosing", "{\"valve.level\":30}"},
	{"vacuum", "{\"operation.state\":\"docked\",\"robot.suction\":\"quiet\","
		   "\"x.ha.robot_run_mode\":\"idle\"}"},
	{"mower", "{\"mower.activity\":\"docked\"}"},
	{"mixed", "{\"switch.on\":true,\"contact.open\":true,\"x.ha.battery_charging\":true,"
		  "\"x.ha.temperature_alarm\":\"high\",\"x.ha.lock_mode\":\"normal\","
		  "\"x.ha.lock_auto_relock\":30,\"x.ha.x_acme_mood\":3,"
		  "\"x_acme_shine/switch.on\":true}"},
};

static void test_read_back(void **state)
{
	(void)state;
	struct ha_home h;
	open_home(&h, "rights: critical");
	add_all(&h);
	for (size_t i = 0; i < gw_countof(read_back); i++) {
		struct reader r;
		open_reader(&h, &r, read_back[i].device);
		receive_all(&h, &r);
		gw_node_for(want, parse(&h, read_back[i].want))
		{
			check_value(&h, &r, read_back[i].device, want);
		}
		close_reader(&r);
	}
	close_home(&h);
}

/* A command through the profile that was read back, over the broker, through our surface, to the device. value NULL: an action. */
static const struct {
	const char *device, *address, *value, *sent;
} through[] = {
	{"light", "switch.on", "false", "set {\"switch_on\":false}"},
	{"light", "level.value", "60", "set {\"level_value\":60}"},
	{"light", "color.effect", "\"rainbow\"", "set {\"color_effect\":\"rainbow\"}"},
	{"strip", "outlet_2_switch_on/switch.on", "true", "set {\"outlet_2_switch_on\":true}"},
	{"outlet", "x.ha.child_lock_on", "true", "set {\"child_lock_on\":true}"},
	{"outlet", "device.restart", 0, "device_restart go"},
	{"curtain", "covering.position", "70", "set {\"covering_position\":70}"},
	{"curtain", "covering.tilt", "10", "set {\"covering_tilt\":10}"},
	{"curtain", "covering.open", 0, "covering_open go"},
	{"curtain", "covering.close", 0, "covering_close go"},
	{"curtain", "covering.stop", 0, "covering_stop go"},
	{"blind", "covering.open", 0, "set {\"covering_position\":100}"},
	{"blind", "covering.close", 0, "set {\"covering_position\":0}"},
	{"thermostat", "thermostat.setpoint", "23.5", "set {\"thermostat_setpoint\":23.5}"},
	{"thermostat", "thermostat.preset", "\"away\"", "set {\"thermostat_preset\":\"away\"}"},
	{"aircon", "fan.mode", "\"high\"", "set {\"fan_mode\":\"high\"}"},
	{"aircon", "fan.rock_ud", "true", "set {\"fan_rock_ud\":true}"},
	{"heater", "thermostat.mode", "\"off\"", "set {\"switch_on\":false}"},
	{"humidifier", "humidity.setpoint", "70", "set {\"humidity_setpoint\":70}"},
	{"humidifier", "humidifier.mode", "\"sleep\"", "set {\"humidifier_mode\":\"sleep\"}"},
	{"fan", "fan.percent", "80", "set {\"fan_percent\":80}"},
	{"fan", "fan.rock_lr", "true", "set {\"fan_rock_lr\":true}"},
	{"fan", "fan.direction", "\"reverse\"", "set {\"fan_direction\":\"reverse\"}"},
	{"purifier", "switch.on", "false", "set {\"fan_mode\":\"off\"}"},
	{"door", "lock.lock", 0, "lock_lock go"},
	{"door", "lock.unlock", 0, "lock_unlock go"},
	{"door", "lock.unlatch", 0, "lock_unlatch go"},
	{"valve", "valve.open", "false", "set {\"valve_open\":false}"},
	{"dosing", "valve.level", "75", "set {\"valve_level\":75}"},
	{"vacuum", "operation.start", 0, "operation_start go"},
	{"vacuum", "operation.pause", 0, "operation_pause go"},
	{"vacuum", "robot.go_home", 0, "robot_go_home go"},
	{"vacuum", "robot.locate", 0, "robot_locate go"},
	{"vacuum", "robot.suction", "\"max\"", "set {\"robot_suction\":\"max\"}"},
	{"mower", "operation.start", 0, "operation_start go"},
	{"mower", "operation.pause", 0, "operation_pause go"},
	{"mower", "robot.go_home", 0, "robot_go_home go"},
	{"mixed", "x.ha.lock_mode", "\"vacation\"", "set {\"lock_mode\":\"vacation\"}"},
	{"mixed", "x.ha.lock_auto_relock", "45", "set {\"lock_auto_relock\":45}"},
	{"mixed", "x_acme_shine/switch.on", "false", "set {\"x_acme_shine\":false}"},
};

static void send_through(struct ha_home *h, struct reader *r, const char *address,
			 const char *value)
{
	struct gw_outgoing out = {.msgs = NULL};
	struct gw_write_error e = {.code = ""};
	struct gw_wanted wanted = {gw_str(address), value ? parse(h, value) : NULL};
	int result = value ? gw_binding_write(r->binding, &wanted, 1, 0, &out, &e)
			   : gw_binding_act(r->binding, gw_str(address), NULL, 0, &out, &e);
	if (result < 0) {
		fail_msg("%s: %s: %s", address, e.code, e.text);
	}
	for (size_t i = 0; i < out.n_msgs; i++) {
		GW_AUTO(gw_buf_fini) struct gw_buf topic = GW_BUF_INIT(1000);
		const struct gw_msg_info *m = gw_plan_msg(r->plan, out.msgs[i].msg);
		assert_int_equal(gw_binding_channel(r->binding, m->tx, &topic), 0);
		assert_int_equal(gw_mqtt_link_publish(h->m.ear, gw_buf_str(&topic),
						      out.msgs[i].body, 0, false, NULL),
				 0);
	}
	gw_outgoing_fini(&out);
}

static void test_command_through_importer(void **state)
{
	(void)state;
	struct ha_home h;
	open_home(&h, "rights: critical");
	add_all(&h);
	for (size_t i = 0; i < gw_countof(through); i++) {
		struct reader r;
		char sent[256];
		open_reader(&h, &r, through[i].device);
		receive_all(&h, &r);
		played_clear();
		send_through(&h, &r, through[i].address, through[i].value);
		(void)snprintf(sent, sizeof(sent), "dev/%s/%s", through[i].device, through[i].sent);
		mqtt_home_wait_sent(&h.m, sent);
		close_reader(&r);
	}
	close_home(&h);
}

/* --- documents that change --- */

static void check_member(struct ha_home *h, const char *pointer, const char *text)
{
	const struct gw_node *n = gw_node_pointer(document(h, "plug"), gw_str(pointer));
	if (text ? !gw_node_is_text(n, text) : n != NULL) {
		fail_msg("%s is %s", pointer, n ? n->text.p : "absent");
	}
}

static void test_names_and_rooms(void **state)
{
	(void)state;
	struct ha_home h;
	char kitchen[GW_ID_BYTES], hall[GW_ID_BYTES];
	open_home(&h, "");
	add_all(&h);
	struct gw_gateway *g = h.m.home.g;
	const struct gw_principal *owner = &h.m.home.owner;
	struct gw_device *plug = gw_device_find(g, GW_STR("plug"));
	size_t lamps = mqtt_home_count(&h.m, document_topic("light"));
	check_member(&h, "/device/suggested_area", NULL);

	assert_int_equal(gw_device_rename(g, owner, plug, "Tea \"5\" – 茶"), GW_STATUS_DONE);
	mqtt_home_settle(&h.m);
	check_member(&h, "/device/name", "Tea \"5\" – 茶");
	assert_int_equal(gw_room_add(g, owner, "Kitchen", kitchen, sizeof(kitchen)),
			 GW_STATUS_DONE);
	assert_int_equal(gw_room_add(g, owner, "Hall", hall, sizeof(hall)), GW_STATUS_DONE);
	assert_int_equal(gw_device_set_room(g, owner, plug, kitchen), GW_STATUS_DONE);
	mqtt_home_settle(&h.m);
	check_member(&h, "/device/suggested_area", "Kitchen");
	assert_int_equal(gw_room_rename(g, owner, kitchen, "Küche"), GW_STATUS_DONE);
	mqtt_home_settle(&h.m);
	check_member(&h, "/device/suggested_area", "Küche");
	assert_int_equal(gw_room_remove(g, owner, kitchen), GW_STATUS_DONE);
	mqtt_home_settle(&h.m);
	check_member(&h, "/device/suggested_area", NULL);
	/* Nobody else's document has changed, so it was not said again. */
	assert_int_equal(mqtt_home_count(&h.m, document_topic("light")), lamps);
	close_home(&h);
}

static void rebind(struct ha_home *h, const char *device, const char *profile)
{
	struct gw_device *d = gw_device_find(h->m.home.g, gw_str(device));
	struct gw_profile *p = NULL;
	struct gw_vars vars = {0};
	struct gw_error e = {0};
	assert_int_equal(gw_library_get(h->m.home.g->library, gw_str(profile), &p, &e), 0);
	assert_int_equal(gw_vars_set(&vars, GW_STR("topic"), gw_str(device)), 0);
	if (gw_registry_rebind(d, p, &vars, &e) < 0) {
		fail_msg("%s as %s: %s", device, profile, e.text);
	}
	(void)gw_route_attach(d);
	gw_registry_changed(d);
	gw_vars_fini(&vars);
	gw_profile_unref(p);
	live_home_settle(&h->m.home);
}

/* Home Assistant keeps what is left out; what is named with its platform only, it removes. */
static void test_lost_entities(void **state)
{
	(void)state;
	struct ha_home h;
	open_home(&h, "rights: critical");
	add_all(&h);
	rebind(&h, "vacuum", "made.outlet");
	mqtt_home_settle(&h.m);
	const struct gw_node *doc = document(&h, "vacuum");
	static const struct {
		const char *key, *platform;
	} lost[] = {
		{"vacuum", "vacuum"}, {"operation-error", "sensor"}, {"robot-run_mode", "select"}};
	for (size_t i = 0; i < gw_countof(lost); i++) {
		const struct gw_node *stub = entity_of(doc, lost[i].key);
		assert_int_equal(stub->count, 1);
		assert_string_equal(gw_node_text(stub, "platform"), lost[i].platform);
	}
	assert_non_null(gw_node_text(entity_of(doc, "switch-on"), "unique_id"));
	/* Its second document is nobody's now. */
	mqtt_home_wait(&h.m, "hearth/vacuum/vacuum", NULL);
	/* With the next document they are gone for good. */
	assert_int_equal(gw_device_rename(h.m.home.g, &h.m.home.owner,
					  gw_device_find(h.m.home.g, GW_STR("vacuum")), "Plug"),
			 GW_STATUS_DONE);
	mqtt_home_settle(&h.m);
	assert_false(is_announced(document(&h, "vacuum"), "vacuum"));

	/* And back. */
	rebind(&h, "vacuum", "made.vacuum");
	mqtt_home_settle(&h.m);
	doc = document(&h, "vacuum");
	assert_non_null(gw_node_text(entity_of(doc, "vacuum"), "command_topic"));
	assert_int_equal(entity_of(doc, "switch-on")->count, 1);
	played_receive("dev/vacuum", "{\"operation_state\":\"paused\"}", false);
	mqtt_home_wait(&h.m, "hearth/vacuum/vacuum", "{\"state\":\"paused\"");
	close_home(&h);
}

static void remove_device(struct ha_home *h, const char *id)
{
	struct gw_device *d = gw_device_find(h->m.home.g, gw_str(id));
	assert_int_equal(gw_device_remove(h->m.home.g, &h->m.home.owner, d), GW_STATUS_DONE);
	live_home_settle(&h->m.home);
}

static void test_removed_and_off(void **state)
{
	(void)state;
	struct ha_home h;
	open_home(&h, "");
	add_all(&h);
	mqtt_home_wait(&h.m, "hearth/vacuum/vacuum", "docked");
	remove_device(&h, "vacuum");
	mqtt_home_wait(&h.m, document_topic("vacuum"), NULL);
	mqtt_home_wait(&h.m, "hearth/vacuum/vacuum", NULL);
	mqtt_home_wait(&h.m, "hearth/vacuum/state", NULL);

	/* Off: what another life announced is taken back; the states stay. */
	mqtt_home_restart(&h.m, "homeassistant: false");
	mqtt_home_settle(&h.m);
	mqtt_home_listen_again(&h.m);
	mqtt_home_settle(&h.m);
	for (size_t i = 0; i < gw_countof(devices); i++) {
		assert_null(mqtt_home_last(&h.m, document_topic(devices[i].id)));
	}
	assert_null(mqtt_home_last(&h.m, document_topic("plug")));
	mqtt_home_wait(&h.m, "hearth/light/state", "online");

	/* On again, elsewhere. */
	mqtt_home_restart(&h.m, "discovery_prefix: ha");
	mqtt_home_wait(&h.m, "ha/device/hearth_light/config", "components");
	assert_null(mqtt_home_last(&h.m, document_topic("light")));
	/* And from there back: not two of everything. */
	mqtt_home_restart(&h.m, "");
	mqtt_home_wait(&h.m, document_topic("light"), "components");
	mqtt_home_settle(&h.m);
	mqtt_home_wait(&h.m, "ha/device/hearth_light/config", NULL);
	close_home(&h);
}

/* Commands over MQTT may do nothing: then nothing is offered. */
static void test_rights(void **state)
{
	(void)state;
	struct ha_home h;
	open_home(&h, "rights: see");
	add_all(&h);
	for (size_t i = 0; i < gw_countof(devices); i++) {
		const char *text = mqtt_home_last(&h.m, document_topic(devices[i].id));
		if (text && strstr(text, "command_topic")) {
			fail_msg("%s: %s", devices[i].id, text);
		}
	}
	/* A light that cannot be switched is seen as what it is. */
	assert_string_equal(gw_node_text(entity_of(document(&h, "light"), "switch-on"), "platform"),
			    "binary_sensor");
	/* With the rights of everyday: no lock, no garage door, but their states. */
	mqtt_home_restart(&h.m, "rights: operate");
	mqtt_home_settle(&h.m);
	assert_false(is_announced(document(&h, "door"), "lock"));
	assert_string_equal(gw_node_text(entity_of(document(&h, "door"), "lock-state"), "platform"),
			    "sensor");
	assert_false(is_announced(document(&h, "garage"), "closure"));
	assert_true(is_announced(document(&h, "light"), "light"));
	close_home(&h);
}

static void test_vacuum_states(void **state)
{
	(void)state;
	static const struct {
		const char *ours, *theirs;
	} rows[] = {
		{"running", "{\"state\":\"cleaning\",\"fan_speed\":\"quiet\"}"},
		{"paused", "{\"state\":\"paused\",\"fan_speed\":\"quiet\"}"},
		{"seeking_charger", "{\"state\":\"returning\",\"fan_speed\":\"quiet\"}"},
		{"charging", "{\"state\":\"docked\",\"fan_speed\":\"quiet\"}"},
		{"error", "{\"state\":\"error\",\"fan_speed\":\"quiet\"}"},
		{"stopped", "{\"state\":\"idle\",\"fan_speed\":\"quiet\"}"},
	};
	struct ha_home h;
	open_home(&h, "");
	add_all(&h);
	for (size_t i = 0; i < gw_countof(rows); i++) {
		char body[80];
		(void)snprintf(body, sizeof(body), "{\"operation_state\":\"%s\"}", rows[i].ours);
		played_receive("dev/vacuum", body, false);
		mqtt_home_wait(&h.m, "hearth/vacuum/vacuum", rows[i].theirs);
	}
	close_home(&h);
}

/* The event's topic and what its template looks at. */
static void test_event(void **state)
{
	(void)state;
	struct ha_home h;
	open_home(&h, "");
	add_all(&h);
	const struct gw_node *entity = entity_of(document(&h, "mixed"), "button-press");
	const char *topic = gw_node_text(entity, "state_topic");
	assert_string_equal(gw_node_text(entity, "value_template"),
			    "{% if value_json.address == 'button.press' %}"
			    "{{ {'event_type': value_json.value} | tojson }}{% endif %}");
	played_receive("dev/mixed", "{\"button_press\":\"triple\"}", false);
	const struct gw_node *event = parse(&h, mqtt_home_wait(&h.m, topic, "triple"));
	assert_string_equal(gw_node_text(event, "address"), "button.press");
	assert_string_equal(gw_node_text(event, "value"), "triple");
	close_home(&h);
}

static bool is_said_again(void *ctx)
{
	struct ha_home *h = ctx;
	return mqtt_home_count(&h->m, document_topic("mixed")) == 2;
}

/* Home Assistant comes up: everything again, after some seconds. A retained birth is old news, a last will none. */
static void test_birth(void **state)
{
	(void)state;
	struct ha_home h;
	open_home(&h, "");
	add_all(&h);
	assert_int_equal(mqtt_home_count(&h.m, document_topic("mixed")), 1);
	size_t states = mqtt_home_count(&h.m, "hearth/mixed/state");
	mqtt_home_say(&h.m, "homeassistant/status", "online", true);
	mqtt_home_say(&h.m, "homeassistant/status", "offline", false);
	mqtt_home_say(&h.m, "homeassistant/status", "online", false);
	assert_true(loop_until(h.m.loop, is_said_again, &h));
	mqtt_home_settle(&h.m);
	assert_int_equal(mqtt_home_count(&h.m, document_topic("mixed")), 2); /* once for all */
	assert_int_equal(mqtt_home_count(&h.m, "hearth/mixed/state"), states + 1);
	close_home(&h);
}

/* A device of which nothing can be shown has no document, and loses the one that it had. */
static void test_nothing_to_show(void **state)
{
	(void)state;
	struct ha_home h;
	open_home(&h, "rights: see");
	add_all(&h);
	rebind(&h, "outlet", "made.deaf");
	mqtt_home_wait(&h.m, document_topic("outlet"), NULL);
	rebind(&h, "outlet", "made.outlet");
	mqtt_home_wait(&h.m, document_topic("outlet"), "switch-on");
	close_home(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_documents),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_read_back),
		cmocka_unit_test(test_command_through_importer),
		cmocka_unit_test(test_names_and_rooms),
		cmocka_unit_test(test_lost_entities),
		cmocka_unit_test(test_removed_and_off),
		cmocka_unit_test(test_rights),
		cmocka_unit_test(test_vacuum_states),
		cmocka_unit_test(test_event),
		cmocka_unit_test(test_birth),
		cmocka_unit_test(test_nothing_to_show),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
