/* Home Assistant platforms that make a climate: climate, water_heater, humidifier, fan. */
#include "profile/import/ha.h"

/* --- helpers --- */

/* A number with a state and a command topic (keys[2] NULL: read-only); its capability, NULL: none was made. */
static struct gw_node *number(struct gw_ha_entity *e, const char *component, const char *id,
			      const char *const keys[4], bool whole)
{
	struct gw_ha_read r;
	struct gw_ha_write w = {.present = false};
	if (!gw_ha_reads(e, keys[0], keys[1], &r) ||
	    (keys[2] && !gw_ha_writes(e, keys[2], keys[3], &w)) || (!r.present && !w.present)) {
		return NULL;
	}
	struct gw_node *c = gw_ha_cap(e, component, id, gw_ha_number_point(e, id, &r, &w, whole));
	if (c && !keys[2]) {
		gw_set_bool(e->b, c, "ro", true);
	}
	return c;
}

/* A boolean of two payloads under their keys. */
static void flag(struct gw_ha_entity *e, const char *component, const char *id,
		 const char *const keys[4], struct gw_str on, struct gw_str off)
{
	struct gw_ha_read r;
	struct gw_ha_write w;
	struct gw_ha_choices c = {.n = 0};
	if (!gw_ha_reads(e, keys[0], keys[1], &r) || !gw_ha_writes(e, keys[2], keys[3], &w) ||
	    (!r.present && !w.present)) {
		return;
	}
	gw_ha_choice_add(&c, gw_bool_node(e->b, true), on, on);
	gw_ha_choice_add(&c, gw_bool_node(e->b, false), off, off);
	(void)gw_ha_cap(e, component, id, gw_ha_choice_point(e, id, &r, &w, &c));
}

static void options(struct gw_ha_entity *e, const char *component, const char *id,
		    const char *suffix, const char *list_key, const char *const keys[4])
{
	const struct gw_node *list = gw_node_get(e->config, list_key);
	struct gw_ha_read r;
	struct gw_ha_write w;
	if (list && list->type == GW_NODE_LIST && gw_ha_reads(e, keys[0], keys[1], &r) &&
	    gw_ha_writes(e, keys[2], keys[3], &w) && (r.present || w.present)) {
		gw_ha_options(e, component, id, suffix, list, &r, &w);
	}
}

/* Words of a list that have a symbol in the model; others are noted. read_only: what is only reported (climate action). */
static void mode(struct gw_ha_entity *e, const char *component, const char *id,
		 const struct gw_node *words, const char *const keys[4])
{
	const struct gw_capability *cap = gw_capability_find(gw_str(id));
	struct gw_ha_choices c = {.n = 0};
	struct gw_ha_read r;
	struct gw_ha_write w = {.present = false};
	struct gw_node *symbols = gw_node_new(e->b->a, GW_NODE_LIST);
	if (!gw_ha_reads(e, keys[0], keys[1], &r) ||
	    (keys[2] && !gw_ha_writes(e, keys[2], keys[3], &w)) || (!r.present && !w.present)) {
		return;
	}
	gw_node_for(n, words)
	{
		const char *symbol = n->type == GW_NODE_TEXT ? gw_symbol_for(cap, n->text) : NULL;
		bool taken = false;
		for (size_t i = 0; symbol && i < c.n; i++) {
			taken |= gw_node_is_text(c.row[i].value, symbol);
		}
		if (!symbol || (taken && keys[2])) {
			gw_draft_note(e->b, "%s has nothing for \"%s\"", id,
				      n->type == GW_NODE_TEXT ? n->text.p : "");
			continue;
		}
		gw_ha_choice_add(&c, gw_text_node(e->b, gw_str(symbol)), n->text, n->text);
		if (!taken) {
			gw_add_text(e->b, symbols, gw_str(symbol));
		}
	}
	struct gw_node *out =
		c.n > 0 ? gw_ha_cap(e, component, id, gw_ha_choice_point(e, id, &r, &w, &c)) : NULL;
	if (out) {
		gw_set_node(e->b, out, "enum", symbols);
	}
	if (out && !keys[2]) {
		gw_set_bool(e->b, out, "ro", true);
	}
}

/* The list under key, else the words that Home Assistant takes by default. */
static const struct gw_node *words(struct gw_ha_entity *e, const char *key,
				   const char *const *fallback, size_t n)
{
	const struct gw_node *list = key ? gw_node_get(e->config, key) : NULL;
	if (list && list->type == GW_NODE_LIST) {
		return list;
	}
	struct gw_node *made = gw_node_new(e->b->a, GW_NODE_LIST);
	for (size_t i = 0; i < n; i++) {
		gw_add_text(e->b, made, gw_str(fallback[i]));
	}
	return made;
}

static void use_unit(struct gw_ha_entity *e)
{
	const char *unit = gw_ha_text(e, "temperature_unit");
	if (!gw_unit_to(gw_str(unit ? unit : "C"), "Cel", &e->unit)) {
		gw_draft_note(e->b, "temperature_unit %s", unit);
	}
}

/* Fahrenheit steps do not fall on tenths of a degree Celsius: then no step is asked of a value. */
static void temperature_range(struct gw_ha_entity *e, struct gw_node *c, const char *id, double low,
			      double high)
{
	double step = gw_linear_is_none(e->unit) ? gw_ha_double(e, "temp_step", 0) : 0;
	low = gw_linear_apply(e->unit, gw_ha_double(e, "min_temp", low));
	high = gw_linear_apply(e->unit, gw_ha_double(e, "max_temp", high));
	if (c) {
		gw_ha_range(e, c, id, gw_round(low * 10) / 10, gw_round(high * 10) / 10, step);
	}
}

static const char *const current_keys[] = {"current_temperature_topic",
					   "current_temperature_template", NULL, NULL};
static const char *const target_keys[] = {"temperature_state_topic", "temperature_state_template",
					  "temperature_command_topic",
					  "temperature_command_template"};
static const char *const mode_keys[] = {"mode_state_topic", "mode_state_template",
					"mode_command_topic", "mode_command_template"};

/* There is no topic on which the power is reported. */
static const char *const power_keys[] = {"", NULL, "power_command_topic", "power_command_template"};

/* --- climate --- */

static void climate_temperatures(struct gw_ha_entity *e)
{
	static const struct {
		const char *id;
		const char *keys[4];
	} targets[] = {
		{"thermostat.setpoint",
		 {"temperature_state_topic", "temperature_state_template",
		  "temperature_command_topic", "temperature_command_template"}},
		{"thermostat.heat_setpoint",
		 {"temperature_low_state_topic", "temperature_low_state_template",
		  "temperature_low_command_topic", "temperature_low_command_template"}},
		{"thermostat.cool_setpoint",
		 {"temperature_high_state_topic", "temperature_high_state_template",
		  "temperature_high_command_topic", "temperature_high_command_template"}},
	};
	bool fahrenheit = !gw_linear_is_none(e->unit);
	for (size_t i = 0; i < gw_countof(targets); i++) {
		struct gw_node *c = number(e, NULL, targets[i].id, targets[i].keys, false);
		temperature_range(e, c, targets[i].id, fahrenheit ? 44.6 : 7, fahrenheit ? 95 : 35);
	}
	if (number(e, NULL, "thermostat.current", current_keys, false)) {
		/* room_air_conditioner names the same measure temperature.measured */
		const char *point =
			gw_node_text(gw_node_get(e->b->caps, "thermostat.current"), "point");
		struct gw_node *c = gw_draft_point_cap(e->b, NULL, "temperature.measured", point);
		if (c) {
			gw_set_bool(e->b, c, "ro", true);
		}
	}
}

static void climate_modes(struct gw_ha_entity *e)
{
	static const char *const modes[] = {"auto", "off", "cool", "heat", "dry", "fan_only"};
	static const char *const actions[] = {"off",  "heating", "cooling",    "drying",
					      "idle", "fan",	 "preheating", "defrosting"};
	static const char *const action_keys[] = {"action_topic", "action_template", NULL, NULL};
	mode(e, NULL, "thermostat.mode", words(e, "modes", modes, gw_countof(modes)), mode_keys);
	mode(e, NULL, "thermostat.action", words(e, NULL, actions, gw_countof(actions)),
	     action_keys);
	if (gw_ha_text(e, "power_command_topic") && !gw_ha_text(e, "mode_command_topic")) {
		flag(e, NULL, "switch.on", power_keys, gw_ha_word(e, "payload_on", "ON"),
		     gw_ha_word(e, "payload_off", "OFF"));
	}
}

static bool is_on_off(const struct gw_node *list)
{
	bool on = false, off = false;
	gw_node_for(n, list)
	{
		on |= gw_node_is_text(n, "on");
		off |= gw_node_is_text(n, "off");
	}
	return list && list->count == 2 && on && off;
}

static void swing(struct gw_ha_entity *e, const char *id, const char *suffix, const char *list_key,
		  const char *const keys[4])
{
	static const char *const fallback[] = {"on", "off"};
	const struct gw_node *list = words(e, list_key, fallback, gw_countof(fallback));
	if (is_on_off(list)) {
		flag(e, NULL, id, keys, GW_STR("on"), GW_STR("off"));
	} else {
		options(e, NULL, NULL, suffix, list_key, keys);
	}
}

static void climate_air(struct gw_ha_entity *e)
{
	static const char *const fan[] = {"fan_mode_state_topic", "fan_mode_state_template",
					  "fan_mode_command_topic", "fan_mode_command_template"};
	static const char *const fan_words[] = {"auto", "low", "medium", "high"};
	static const char *const vertical[] = {
		"swing_mode_state_topic", "swing_mode_state_template", "swing_mode_command_topic",
		"swing_mode_command_template"};
	static const char *const horizontal[] = {
		"swing_horizontal_mode_state_topic", "swing_horizontal_mode_state_template",
		"swing_horizontal_mode_command_topic", "swing_horizontal_mode_command_template"};
	static const char *const preset[] = {
		"preset_mode_state_topic", "preset_mode_value_template",
		"preset_mode_command_topic", "preset_mode_command_template"};
	struct gw_ha_read r;
	struct gw_ha_write w;
	if (gw_ha_reads(e, fan[0], fan[1], &r) && gw_ha_writes(e, fan[2], fan[3], &w) &&
	    (r.present || w.present)) {
		gw_ha_options(e, NULL, "fan.mode", "fan_mode",
			      words(e, "fan_modes", fan_words, gw_countof(fan_words)), &r, &w);
	}
	swing(e, "fan.rock_ud", "swing_mode", "swing_modes", vertical);
	swing(e, "fan.rock_lr", "swing_horizontal_mode", "swing_horizontal_modes", horizontal);
	options(e, NULL, "thermostat.preset", "preset_mode", "preset_modes", preset);
}

static void climate_humidity(struct gw_ha_entity *e)
{
	static const char *const current[] = {"current_humidity_topic", "current_humidity_template",
					      NULL, NULL};
	static const char *const target[] = {
		"target_humidity_state_topic", "target_humidity_state_template",
		"target_humidity_command_topic", "target_humidity_command_template"};
	e->unit = GW_LINEAR_NONE;
	(void)number(e, NULL, "humidity.measured", current, false); /* NULL: not there, or noted */
	struct gw_node *c = number(e, NULL, "humidity.setpoint", target, true);
	gw_ha_range(e, c, "humidity.setpoint", gw_ha_double(e, "min_humidity", 30),
		    gw_ha_double(e, "max_humidity", 99), 0);
}

void gw_ha_climate(struct gw_ha_entity *e)
{
	if (gw_draft_has(e->b, NULL, "thermostat.mode") ||
	    gw_draft_has(e->b, NULL, "thermostat.setpoint")) {
		gw_draft_note(e->b, "a second climate of one device");
		return;
	}
	use_unit(e);
	gw_node_for(n, gw_node_get(e->config, "modes"))
	{
		e->b->hints |= gw_node_is_text(n, "dry") ? GW_HINT_DRIES : 0;
	}
	/* The mode before the setpoint, so that one write may switch on and set (profile-language §11). */
	climate_modes(e);
	climate_temperatures(e);
	climate_air(e);
	climate_humidity(e);
}

/* --- water heater --- */

void gw_ha_water_heater(struct gw_ha_entity *e)
{
	static const char *const modes[] = {"eco",	   "electric",	  "gas", "heat_pump",
					    "high_demand", "performance", "off"};
	use_unit(e);
	mode(e, NULL, "water_heater.mode", words(e, "modes", modes, gw_countof(modes)), mode_keys);
	bool fahrenheit = !gw_linear_is_none(e->unit);
	struct gw_node *c = number(e, NULL, "thermostat.setpoint", target_keys, false);
	temperature_range(e, c, "thermostat.setpoint", fahrenheit ? 110 : 43.3,
			  fahrenheit ? 140 : 60);
	(void)number(e, NULL, "thermostat.current", current_keys, false); /* NULL: noted */
	if (gw_ha_text(e, "power_command_topic") && !gw_ha_text(e, "mode_command_topic")) {
		flag(e, NULL, "switch.on", power_keys, gw_ha_word(e, "payload_on", "ON"),
		     gw_ha_word(e, "payload_off", "OFF"));
	}
}

/* --- humidifier --- */

void gw_ha_humidifier(struct gw_ha_entity *e)
{
	static const char *const on[] = {"state_topic", "state_value_template", "command_topic",
					 "command_template"};
	static const char *const target[] = {
		"target_humidity_state_topic", "target_humidity_state_template",
		"target_humidity_command_topic", "target_humidity_command_template"};
	static const char *const current[] = {"current_humidity_topic", "current_humidity_template",
					      NULL, NULL};
	static const char *const action[] = {"action_topic", "action_template", NULL, NULL};
	static const char *const actions[] = {"off", "humidifying", "drying", "idle"};
	const char *class = gw_ha_text(e, "device_class");
	e->b->hints |= class && strcmp(class, "dehumidifier") == 0 ? GW_HINT_DEHUMIDIFIER : 0;
	flag(e, NULL, "switch.on", on, gw_ha_word(e, "payload_on", "ON"),
	     gw_ha_word(e, "payload_off", "OFF"));
	struct gw_node *c = number(e, NULL, "humidity.setpoint", target, true);
	gw_ha_range(e, c, "humidity.setpoint", gw_ha_double(e, "min_humidity", 0),
		    gw_ha_double(e, "max_humidity", 100), 0);
	(void)number(e, NULL, "humidity.measured", current, false); /* NULL: not there, or noted */
	options(e, NULL, "humidifier.mode", "mode", "modes", mode_keys);
	mode(e, NULL, "humidifier.action", words(e, NULL, actions, gw_countof(actions)), action);
}

/* --- fan --- */

void gw_ha_fan(struct gw_ha_entity *e)
{
	static const char *const on[] = {"state_topic", "state_value_template", "command_topic",
					 "command_template"};
	static const char *const speed[] = {"percentage_state_topic", "percentage_value_template",
					    "percentage_command_topic",
					    "percentage_command_template"};
	static const char *const preset[] = {
		"preset_mode_state_topic", "preset_mode_value_template",
		"preset_mode_command_topic", "preset_mode_command_template"};
	static const char *const rock[] = {"oscillation_state_topic", "oscillation_value_template",
					   "oscillation_command_topic",
					   "oscillation_command_template"};
	static const char *const direction[] = {"direction_state_topic", "direction_value_template",
						"direction_command_topic",
						"direction_command_template"};
	static const char *const directions[] = {"forward", "reverse"};
	static const char *const ids[] = {"switch.on", "fan.percent", "fan.mode", "fan.rock_lr"};
	const char *component = gw_draft_place(e->b, e->object, e->label, ids, gw_countof(ids));
	flag(e, component, "switch.on", on, gw_ha_word(e, "payload_on", "ON"),
	     gw_ha_word(e, "payload_off", "OFF"));
	/* HA: percentage = (raw − (min − 1)) · 100 / (max − min + 1) */
	double low = gw_ha_double(e, "speed_range_min", 1),
	       high = gw_ha_double(e, "speed_range_max", 100);
	double count = high - low + 1;
	e->unit = (struct gw_linear){100, count, -(low - 1) * 100 / count};
	(void)number(e, component, "fan.percent", speed, true); /* NULL: not there, or noted */
	e->unit = GW_LINEAR_NONE;
	options(e, component, "fan.mode", "preset_mode", "preset_modes", preset);
	flag(e, component, "fan.rock_lr", rock,
	     gw_ha_word(e, "payload_oscillation_on", "oscillate_on"),
	     gw_ha_word(e, "payload_oscillation_off", "oscillate_off"));
	mode(e, component, "fan.direction", words(e, NULL, directions, gw_countof(directions)),
	     direction);
}
