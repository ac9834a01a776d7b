/*
 * What the MQTT surface announces to Home Assistant: each document is what Home Assistant accepts, and what it then sends arrives at the device.
 */
#include "gw_test.h"

#include <stdio.h>
#include <string.h>

#include "gw/node.h"
#include "ha_home.h"
#include "home/registry.h"
#include "profile/import/ha.h"

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
	struct made_home h;
	struct gw_map *ids = gw_map_new(1000);
	bool seen[gw_countof(platforms)] = {false};
	open_home(&h, "rights: critical");
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
	made_home_close(&h);
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
	struct made_home h;
	open_home(&h, "rights: critical");
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
	made_home_close(&h);
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
static void check_rendering(struct made_home *h, const struct trip *t, struct gw_str template)
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
	struct made_home h;
	open_home(&h, "rights: critical");
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
	made_home_close(&h);
}

/* --- documents that change --- */

static void check_member(struct made_home *h, const char *pointer, const char *text)
{
	const struct gw_node *n = gw_node_pointer(document(h, "plug"), gw_str(pointer));
	if (text ? !gw_node_is_text(n, text) : n != NULL) {
		fail_msg("%s is %s", pointer, n ? n->text.p : "absent");
	}
}

static void test_names_and_rooms(void **state)
{
	(void)state;
	struct made_home h;
	char kitchen[GW_ID_BYTES], hall[GW_ID_BYTES];
	open_home(&h, "");
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
	made_home_close(&h);
}

/* Home Assistant keeps what is left out; what is named with its platform only, it removes. */
static void test_lost_entities(void **state)
{
	(void)state;
	struct made_home h;
	open_home(&h, "rights: critical");
	live_home_rebind(&h.m.home, "vacuum", "made.outlet", "topic=vacuum");
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
	live_home_rebind(&h.m.home, "vacuum", "made.vacuum", "topic=vacuum");
	mqtt_home_settle(&h.m);
	doc = document(&h, "vacuum");
	assert_non_null(gw_node_text(entity_of(doc, "vacuum"), "command_topic"));
	assert_int_equal(entity_of(doc, "switch-on")->count, 1);
	played_receive("dev/vacuum", "{\"operation_state\":\"paused\"}", false);
	mqtt_home_wait(&h.m, "hearth/vacuum/vacuum", "{\"state\":\"paused\"");
	made_home_close(&h);
}

static void remove_device(struct made_home *h, const char *id)
{
	struct gw_device *d = gw_device_find(h->m.home.g, gw_str(id));
	assert_int_equal(gw_device_remove(h->m.home.g, &h->m.home.owner, d), GW_STATUS_DONE);
	live_home_settle(&h->m.home);
}

static void test_removed_and_off(void **state)
{
	(void)state;
	struct made_home h;
	open_home(&h, "");
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
	made_home_close(&h);
}

/* Commands over MQTT may do nothing: then nothing is offered. */
static void test_rights(void **state)
{
	(void)state;
	struct made_home h;
	open_home(&h, "rights: see");
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
	made_home_close(&h);
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
	struct made_home h;
	open_home(&h, "");
	for (size_t i = 0; i < gw_countof(rows); i++) {
		char body[80];
		(void)snprintf(body, sizeof(body), "{\"operation_state\":\"%s\"}", rows[i].ours);
		played_receive("dev/vacuum", body, false);
		mqtt_home_wait(&h.m, "hearth/vacuum/vacuum", rows[i].theirs);
	}
	made_home_close(&h);
}

/* The event's topic and what its template looks at. */
static void test_event(void **state)
{
	(void)state;
	struct made_home h;
	open_home(&h, "");
	const struct gw_node *entity = entity_of(document(&h, "mixed"), "button-press");
	const char *topic = gw_node_text(entity, "state_topic");
	assert_string_equal(gw_node_text(entity, "value_template"),
			    "{% if value_json.address == 'button.press' %}"
			    "{{ {'event_type': value_json.value} | tojson }}{% endif %}");
	played_receive("dev/mixed", "{\"button_press\":\"triple\"}", false);
	const struct gw_node *event = made_home_parse(&h, mqtt_home_wait(&h.m, topic, "triple"));
	assert_string_equal(gw_node_text(event, "address"), "button.press");
	assert_string_equal(gw_node_text(event, "value"), "triple");
	made_home_close(&h);
}

static bool is_said_again(void *ctx)
{
	struct made_home *h = ctx;
	return mqtt_home_count(&h->m, document_topic("mixed")) == 2;
}

/* Home Assistant comes up: everything again, after some seconds. A retained birth is old news, a last will none. */
static void test_birth(void **state)
{
	(void)state;
	struct made_home h;
	open_home(&h, "");
	assert_int_equal(mqtt_home_count(&h.m, document_topic("mixed")), 1);
	size_t states = mqtt_home_count(&h.m, "hearth/mixed/state");
	mqtt_home_say(&h.m, "homeassistant/status", "online", true);
	mqtt_home_say(&h.m, "homeassistant/status", "offline", false);
	mqtt_home_say(&h.m, "homeassistant/status", "online", false);
	assert_true(loop_until(h.m.loop, is_said_again, &h));
	mqtt_home_settle(&h.m);
	assert_int_equal(mqtt_home_count(&h.m, document_topic("mixed")), 2); /* once for all */
	assert_int_equal(mqtt_home_count(&h.m, "hearth/mixed/state"), states + 1);
	made_home_close(&h);
}

/* A device of which nothing can be shown has no document, and loses the one that it had. */
static void test_nothing_to_show(void **state)
{
	(void)state;
	struct made_home h;
	open_home(&h, "rights: see");
	live_home_rebind(&h.m.home, "outlet", "made.deaf", "topic=outlet");
	mqtt_home_wait(&h.m, document_topic("outlet"), NULL);
	live_home_rebind(&h.m.home, "outlet", "made.outlet", "topic=outlet");
	mqtt_home_wait(&h.m, document_topic("outlet"), "switch-on");
	made_home_close(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_documents),	cmocka_unit_test(test_members),
		cmocka_unit_test(test_commands),	cmocka_unit_test(test_names_and_rooms),
		cmocka_unit_test(test_lost_entities),	cmocka_unit_test(test_removed_and_off),
		cmocka_unit_test(test_rights),		cmocka_unit_test(test_vacuum_states),
		cmocka_unit_test(test_event),		cmocka_unit_test(test_birth),
		cmocka_unit_test(test_nothing_to_show),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
