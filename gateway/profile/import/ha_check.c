/* What Home Assistant refuses (open-protocols.md §A1.4, §A1.5): an entity that does not work there is not imported here either. */

#include "profile/import/ha.h"

static bool is(const struct gw_node *config, const char *key, const char *text)
{
	const struct gw_node *n = gw_node_get(config, key);
	return n && gw_node_is_text(n, text);
}

static bool has(const struct gw_node *config, const char *key)
{
	const struct gw_node *n = gw_node_get(config, key);
	return n && n->type != GW_NODE_NULL;
}

static double number(const struct gw_node *config, const char *key, double fallback)
{
	const struct gw_node *n = gw_node_get(config, key);
	return n && n->type == GW_NODE_NUMBER ? n->number : fallback;
}

static bool lists(const struct gw_node *config, const char *key, const char *text)
{
	gw_node_for(n, gw_node_get(config, key))
	{
		if (gw_node_is_text(n, text)) {
			return true;
		}
	}
	return false;
}

/* --- the head --- */

static bool has_identity(const struct gw_node *device)
{
	const struct gw_node *ids = gw_node_get(device, "identifiers");
	const struct gw_node *cns = gw_node_get(device, "connections");
	bool by_id = ids && ((ids->type == GW_NODE_TEXT && ids->text.len > 0) ||
			     (ids->type == GW_NODE_LIST && ids->count > 0));
	return by_id || (cns && cns->type == GW_NODE_LIST && cns->count > 0);
}

const char *gw_ha_head_refusal(const struct gw_node *config, bool device_form)
{
	static const char *const schemes[] = {"http://", "https://", "homeassistant://"};
	const struct gw_node *device = gw_node_get(config, "device");
	const struct gw_node *origin = gw_node_get(config, "origin");
	if (!device || device->type != GW_NODE_MAP || !has_identity(device)) {
		return "the device has neither identifiers nor connections";
	}
	if ((device_form && !origin) ||
	    (origin && (origin->type != GW_NODE_MAP || !gw_node_text(origin, "name")))) {
		return "the origin is missing or has no name";
	}
	const char *url = gw_node_text(device, "configuration_url");
	bool known = url == NULL;
	for (size_t i = 0; url && i < gw_countof(schemes); i++) {
		known |= gw_str_starts(gw_str(url), schemes[i]);
	}
	if (!known) {
		return "configuration_url is no http, https or homeassistant URL";
	}
	if (device_form) {
		const struct gw_node *components = gw_node_get(config, "components");
		if (!components || components->type != GW_NODE_MAP) {
			return "components is missing";
		}
	}
	return NULL;
}

/* --- every entity --- */

static bool is_published(struct gw_str key)
{
	return gw_str_ends(key, "command_topic") || gw_str_is(key, "set_position_topic") ||
	       gw_str_is(key, "set_fan_speed_topic") || gw_str_is(key, "send_command_topic");
}

static const char *common(const struct gw_node *config)
{
	gw_node_for(n, config)
	{
		bool wild = n->type == GW_NODE_TEXT && (memchr(n->text.p, '+', n->text.len) ||
							memchr(n->text.p, '#', n->text.len));
		if (is_published(n->key) && (n->type != GW_NODE_TEXT || wild)) {
			return "a topic for commands has wildcards or is no text";
		}
	}
	const struct gw_node *qos = gw_node_get(config, "qos");
	if (qos && (qos->type != GW_NODE_NUMBER ||
		    (qos->number != 0 && qos->number != 1 && qos->number != 2))) {
		return "qos is not 0, 1 or 2";
	}
	if (has(config, "availability") && has(config, "availability_topic")) {
		return "both availability and availability_topic";
	}
	return NULL;
}

/* --- by platform --- */

static const char *sensor(const struct gw_node *c)
{
	bool is_enum = is(c, "device_class", "enum");
	if (is_enum && (has(c, "unit_of_measurement") || has(c, "state_class"))) {
		return "device_class enum with a unit or state_class";
	}
	if (has(c, "options") && !is_enum) {
		return "options without device_class enum";
	}
	return is(c, "entity_category", "config") ? "a sensor in the category config" : NULL;
}

static const char *binary_sensor(const struct gw_node *c)
{
	return is(c, "entity_category", "config") ? "a sensor in the category config" : NULL;
}

static const char *number_platform(const struct gw_node *c)
{
	return number(c, "min", 1) < number(c, "max", 100) ? NULL : "min is not below max";
}

static const char *fan(const struct gw_node *c)
{
	double low = number(c, "speed_range_min", 1), high = number(c, "speed_range_max", 100);
	if (low >= high || low < 1) {
		return "speed_range_min is not between 1 and speed_range_max";
	}
	if (has(c, "preset_modes") != has(c, "preset_mode_command_topic")) {
		return "preset_modes and preset_mode_command_topic need each other";
	}
	return lists(c, "preset_modes", "None") ? "preset_modes contains the reset payload" : NULL;
}

static const char *humidifier(const struct gw_node *c)
{
	double low = number(c, "min_humidity", 0), high = number(c, "max_humidity", 100);
	if (low >= high || high > 100) {
		return "min_humidity is not below max_humidity";
	}
	return has(c, "modes") != has(c, "mode_command_topic")
		       ? "modes and mode_command_topic need each other"
		       : NULL;
}

static const char *climate(const struct gw_node *c)
{
	static const char *const removed[] = {"aux_command_topic",
					      "aux_state_topic",
					      "away_mode_command_topic",
					      "away_mode_state_topic",
					      "hold_command_topic",
					      "hold_state_topic",
					      "hold_modes",
					      "send_if_off"};
	for (size_t i = 0; i < gw_countof(removed); i++) {
		if (has(c, removed[i])) {
			return "a climate with keys that were removed (aux, away_mode, hold, send_if_off)";
		}
	}
	if (lists(c, "preset_modes", "none")) {
		return "preset_modes contains none";
	}
	if (has(c, "preset_modes") != has(c, "preset_mode_command_topic")) {
		return "preset_modes and preset_mode_command_topic need each other";
	}
	if (has(c, "target_humidity_state_topic") && !has(c, "target_humidity_command_topic")) {
		return "target_humidity_state_topic without target_humidity_command_topic";
	}
	if (number(c, "min_humidity", 30) >= number(c, "max_humidity", 99)) {
		return "min_humidity is not below max_humidity";
	}
	return number(c, "min_temp", 7) < number(c, "max_temp", 95)
		       ? NULL
		       : "min_temp is not below max_temp";
}

static const char *light(const struct gw_node *c)
{
	static const char *const legal[] = {"onoff", "brightness", "color_temp", "hs",	 "xy",
					    "rgb",   "rgbw",	   "rgbww",	 "white"};
	const struct gw_node *modes = gw_node_get(c, "supported_color_modes");
	gw_node_for(n, modes)
	{
		bool known = false;
		for (size_t i = 0; i < gw_countof(legal); i++) {
			known |= gw_node_is_text(n, legal[i]);
		}
		if (!known) {
			return "supported_color_modes has an unknown mode";
		}
	}
	bool alone = lists(c, "supported_color_modes", "onoff") ||
		     lists(c, "supported_color_modes", "brightness");
	return modes && alone && modes->count > 1
		       ? "onoff and brightness must be the only colour mode"
		       : NULL;
}

static const char *cover(const struct gw_node *c)
{
	if (has(c, "set_position_topic") && !has(c, "position_topic")) {
		return "set_position_topic without position_topic";
	}
	if (has(c, "value_template") && !has(c, "state_topic")) {
		return "value_template without state_topic";
	}
	return has(c, "position_template") && !has(c, "position_topic")
		       ? "position_template without position_topic"
		       : NULL;
}

static const char *valve(const struct gw_node *c)
{
	const struct gw_node *reports = gw_node_get(c, "reports_position");
	bool position = reports && reports->type == GW_NODE_BOOL && reports->flag;
	return position && (has(c, "payload_open") || has(c, "payload_close"))
		       ? "payload_open and payload_close with reports_position"
		       : NULL;
}

static const char *vacuum(const struct gw_node *c)
{
	return is(c, "schema", "legacy") ? "a vacuum with schema legacy" : NULL;
}

static const struct {
	const char *platform;
	const char *required[2];
	const char *(*check)(const struct gw_node *config);
} platforms[] = {
	{"alarm_control_panel", {"command_topic", "state_topic"}, NULL},
	{"binary_sensor", {"state_topic"}, binary_sensor},
	{"button", {"command_topic"}, NULL},
	{"climate", {NULL}, climate},
	{"cover", {NULL}, cover},
	{"device_automation", {"topic", "type"}, NULL},
	{"device_tracker", {NULL}, NULL},
	{"event", {"state_topic", "event_types"}, NULL},
	{"fan", {"command_topic"}, fan},
	{"humidifier", {"command_topic", "target_humidity_command_topic"}, humidifier},
	{"lawn_mower", {NULL}, NULL},
	{"light", {"command_topic"}, light},
	{"lock", {"command_topic"}, NULL},
	{"number", {"command_topic"}, number_platform},
	{"scene", {"command_topic"}, NULL},
	{"select", {"command_topic", "options"}, NULL},
	{"sensor", {"state_topic"}, sensor},
	{"siren", {"command_topic"}, NULL},
	{"switch", {"command_topic"}, NULL},
	{"text", {"command_topic"}, NULL},
	{"vacuum", {NULL}, vacuum},
	{"valve", {NULL}, valve},
	{"water_heater", {NULL}, NULL},
};

const char *gw_ha_refusal(const char *platform, const struct gw_node *config)
{
	const char *why = common(config);
	for (size_t i = 0; !why && i < gw_countof(platforms); i++) {
		if (strcmp(platforms[i].platform, platform) != 0) {
			continue;
		}
		for (size_t k = 0;
		     k < gw_countof(platforms[i].required) && platforms[i].required[k]; k++) {
			if (!has(config, platforms[i].required[k])) {
				return "a topic or list that the platform needs is missing";
			}
		}
		why = platforms[i].check ? platforms[i].check(config) : NULL;
	}
	return why;
}
