/* Home Assistant platforms with one value: sensor, binary_sensor, switch, number, select, button, text, event, … */
#include "profile/import/ha.h"

#include <math.h>

/* --- sensor --- */

struct class_row {
	const char *word, *cap;
};

/* Device classes whose measure is the main one of a product. */
static const struct class_row sensor_classes[] = {
	{"apparent_power", "meter.apparent_power"},
	{"atmospheric_pressure", "pressure.measured"},
	{"battery", "battery.level"},
	{"carbon_dioxide", "air.co2"},
	{"carbon_monoxide", "air.co"},
	{"conductivity", "soil.conductivity"},
	{"current", "meter.current"},
	{"energy", "meter.energy"},
	{"frequency", "meter.frequency"},
	{"gas", "meter.gas"},
	{"humidity", "humidity.measured"},
	{"illuminance", "illuminance.measured"},
	{"irradiance", "solar.irradiance"},
	{"moisture", "soil.moisture"},
	{"nitrogen_dioxide", "air.no2"},
	{"ozone", "air.o3"},
	{"ph", "water.ph"},
	{"pm1", "air.pm1"},
	{"pm10", "air.pm10"},
	{"pm25", "air.pm2_5"},
	{"power", "meter.power"},
	{"power_factor", "meter.power_factor"},
	{"precipitation_intensity", "rain.rate"},
	{"pressure", "pressure.measured"},
	{"reactive_power", "meter.reactive_power"},
	{"signal_strength", "link.rssi"},
	{"sound_pressure", "sound.level"},
	{"temperature", "temperature.measured"},
	{"voltage", "meter.voltage"},
	{"volatile_organic_compounds", "air.tvoc"},
	{"volume_flow_rate", "flow.measured"},
	{"water", "meter.water"},
	{"weight", "weight.measured"},
	{"wind_direction", "wind.direction"},
	{"wind_speed", "wind.speed"},
};

/* A diagnostic entity says this of the device itself; anything else that it measures is about its electronics. */
static const char *const diagnostics[] = {"battery.level", "battery.state", "link.rssi",
					  "device.uptime"};

static bool may_be_main(const struct gw_ha_entity *e, const char *cap)
{
	if (!e->config_category) {
		return true;
	}
	for (size_t i = 0; i < gw_countof(diagnostics); i++) {
		if (strcmp(diagnostics[i], cap) == 0) {
			return true;
		}
	}
	return false;
}

static const char *class_cap(const struct gw_ha_entity *e, const struct class_row *rows, size_t n)
{
	const char *class = gw_ha_text(e, "device_class");
	for (size_t i = 0; class && i < n; i++) {
		if (strcmp(rows[i].word, class) == 0) {
			return rows[i].cap;
		}
	}
	return NULL;
}

static struct gw_str unit_of(const struct gw_ha_entity *e)
{
	const char *unit = gw_ha_text(e, "unit_of_measurement");
	return gw_str(unit ? unit : "");
}

/* expire_after: what was reported is old after these seconds. */
static void set_expiry(struct gw_ha_entity *e, struct gw_node *c)
{
	double seconds = gw_ha_double(e, "expire_after", 0);
	if (c && seconds >= 1 && seconds <= 10 * 86400) {
		gw_set_text(e->b, c, "stale_after", gw_draft_printf(e->b, "%.0fs", seconds));
	}
}

/* The capability of a measure, when its unit can be converted. */
static const char *measure(struct gw_ha_entity *e)
{
	const char *id = class_cap(e, sensor_classes, gw_countof(sensor_classes));
	const struct gw_capability *cap = id ? gw_capability_find(gw_str(id)) : NULL;
	if (!cap || !may_be_main(e, id)) {
		return NULL;
	}
	if (!gw_unit_to(unit_of(e), cap->unit, &e->unit)) {
		gw_draft_note(e->b, "unit \"" GW_STR_FMT "\" does not fit %s",
			      GW_STR_ARG(unit_of(e)), id);
		e->unit = GW_LINEAR_NONE;
		return NULL;
	}
	return id;
}

static void set_unit(struct gw_ha_entity *e, struct gw_node *c)
{
	const char *code = gw_unit_code(unit_of(e));
	if (c && code) {
		gw_set_text(e->b, c, "unit", code);
	}
}

/* Three decimals unless the entity says how many people want to see. */
static void set_precision(struct gw_ha_entity *e, struct gw_node *c)
{
	double places = gw_ha_double(e, "suggested_display_precision", 3);
	if (c) {
		gw_set_number(e->b, c, "res",
			      places >= 0 && places <= 6 ? pow(10, -floor(places)) : 0.001);
	}
}

static void sensor_number(struct gw_ha_entity *e, const struct gw_ha_read *r)
{
	const struct gw_ha_write none = {.present = false};
	const char *id = measure(e);
	const char *point = gw_ha_number_point(e, e->object, r, &none, false);
	if (!point) {
		return;
	}
	if (id) {
		const char *component = gw_draft_place(e->b, e->object, e->label, &id, 1);
		struct gw_node *c = gw_ha_cap(e, component, id, point);
		if (c) {
			gw_set_bool(e->b, c, "ro", true);
		}
		set_expiry(e, c);
		e->b->hints |= strcmp(id, "battery.level") == 0 ? GW_HINT_BATTERY : 0;
		return;
	}
	struct gw_node *c = gw_ha_extension(e, NULL, "num", point);
	if (c) {
		gw_set_bool(e->b, c, "ro", true);
	}
	set_unit(e, c);
	set_precision(e, c);
	set_expiry(e, c);
}

static bool is_number(const struct gw_ha_entity *e, const struct gw_ha_read *r)
{
	return unit_of(e).len > 0 || gw_ha_text(e, "state_class") || r->tpl.number ||
	       gw_node_get(e->config, "suggested_display_precision") ||
	       class_cap(e, sensor_classes, gw_countof(sensor_classes));
}

/* A text that a template chooses from the body. */
static void sensor_table(struct gw_ha_entity *e, const struct gw_ha_read *r)
{
	const struct gw_ha_write none = {.present = false};
	struct gw_ha_choices c = {.n = 0};
	struct gw_node *symbols = gw_node_new(e->b->a, GW_NODE_LIST);
	const struct gw_node *first = r->tpl.rows->first;
	for (const struct gw_node *n = first ? first : r->tpl.other; n;
	     n = n == r->tpl.other ? NULL
		 : n->next	   ? n->next
				   : r->tpl.other) {
		struct gw_str text = gw_tpl_print(e->b->a, n);
		bool known = text.len == 0;
		gw_node_for(s, symbols)
		{
			known |= gw_str_eq(s->text, text);
		}
		if (!known) {
			gw_ha_choice_add(&c, gw_text_node(e->b, text), text, text);
			gw_add_text(e->b, symbols, text);
		}
	}
	struct gw_node *out =
		gw_ha_extension(e, NULL, "enum", gw_ha_choice_point(e, e->object, r, &none, &c));
	if (out) {
		gw_set_node(e->b, out, "enum", symbols);
		gw_set_bool(e->b, out, "ro", true);
	}
}

void gw_ha_sensor(struct gw_ha_entity *e)
{
	const struct gw_ha_write none = {.present = false};
	struct gw_ha_read r;
	if (!gw_ha_reads(e, "state_topic", "value_template", &r)) {
		return;
	}
	const struct gw_node *options = gw_node_get(e->config, "options");
	if (r.tpl.kind == GW_TPL_TABLE) {
		sensor_table(e, &r);
	} else if (options && options->type == GW_NODE_LIST) {
		const struct gw_name_row *row = gw_name_find(gw_str(e->object));
		gw_ha_options(e, NULL, row && !row->map ? row->cap : NULL, NULL, options, &r,
			      &none);
	} else if (is_number(e, &r)) {
		sensor_number(e, &r);
	} else {
		struct gw_node *c =
			gw_ha_extension(e, NULL, "str", gw_ha_text_point(e, e->object, &r, &none));
		if (c) {
			gw_set_bool(e->b, c, "ro", true);
		}
	}
}

/* --- booleans --- */

struct binary_row {
	const char *word, *cap;
	const char *on, *off; /* symbols; NULL: a boolean */
};

static const struct binary_row binary_classes[] = {
	{"battery", "battery.state", "warning", "ok"},
	{"battery_charging", "battery.charging", "charging", "not_charging"},
	{"carbon_monoxide", "co_alarm.state", "critical", "normal"},
	{"cold", "freeze.detected", NULL, NULL},
	{"door", "contact.open", NULL, NULL},
	{"garage_door", "contact.open", NULL, NULL},
	{"gas", "gas_alarm.state", "critical", "normal"},
	{"moisture", "leak.detected", NULL, NULL},
	{"motion", "motion.detected", NULL, NULL},
	{"occupancy", "occupancy.detected", NULL, NULL},
	{"opening", "contact.open", NULL, NULL},
	{"presence", "occupancy.detected", NULL, NULL},
	{"smoke", "smoke.state", "critical", "normal"},
	{"tamper", "tamper.detected", NULL, NULL},
	{"vibration", "vibration.detected", NULL, NULL},
	{"window", "contact.open", NULL, NULL},
};

static const struct binary_row *binary_class(const struct gw_ha_entity *e)
{
	const char *class = gw_ha_text(e, "device_class");
	for (size_t i = 0; class && i < gw_countof(binary_classes); i++) {
		if (strcmp(binary_classes[i].word, class) == 0 &&
		    may_be_main(e, binary_classes[i].cap)) {
			return &binary_classes[i];
		}
	}
	return NULL;
}

void gw_ha_binary_sensor(struct gw_ha_entity *e)
{
	const struct gw_ha_write none = {.present = false};
	const struct binary_row *row = binary_class(e);
	bool symbols = row && row->on;
	struct gw_ha_choices c = {.n = 0};
	struct gw_ha_read r;
	struct gw_str on = gw_ha_word(e, "payload_on", "ON"),
		      off = gw_ha_word(e, "payload_off", "OFF");
	if (!gw_ha_reads(e, "state_topic", "value_template", &r)) {
		return;
	}
	gw_ha_choice_add(&c,
			 symbols ? gw_text_node(e->b, gw_str(row->on)) : gw_bool_node(e->b, true),
			 on, on);
	gw_ha_choice_add(&c,
			 symbols ? gw_text_node(e->b, gw_str(row->off)) : gw_bool_node(e->b, false),
			 off, off);
	const char *point = gw_ha_choice_point(e, e->object, &r, &none, &c);
	struct gw_node *cap;
	if (point && row) {
		cap = gw_ha_cap(e, gw_draft_place(e->b, e->object, e->label, &row->cap, 1),
				row->cap, point);
	} else {
		cap = gw_ha_extension(e, NULL, "bool", point);
	}
	if (cap) {
		gw_set_bool(e->b, cap, "ro", true);
	}
	set_expiry(e, cap);
	if (gw_node_get(e->config, "off_delay")) {
		gw_draft_note(e->b, "off_delay: it stays on until it is reported off");
	}
}

/* A boolean that can be switched: payloads for commands, perhaps others in the state. */
static const char *switch_point(struct gw_ha_entity *e, const char *hint)
{
	struct gw_ha_choices c = {.n = 0};
	struct gw_ha_read r;
	struct gw_ha_write w;
	struct gw_str on = gw_ha_word(e, "payload_on", "ON"),
		      off = gw_ha_word(e, "payload_off", "OFF");
	if (!gw_ha_reads(e, "state_topic", "value_template", &r) ||
	    !gw_ha_writes(e, "command_topic", "command_template", &w)) {
		return NULL;
	}
	gw_ha_choice_add(&c, gw_bool_node(e->b, true), on,
			 gw_ha_word(e, "state_on", on.p ? on.p : ""));
	gw_ha_choice_add(&c, gw_bool_node(e->b, false), off,
			 gw_ha_word(e, "state_off", off.p ? off.p : ""));
	return gw_ha_choice_point(e, hint, &r, &w, &c);
}

/* A standard capability by the entity's name, when it has the type and may be written. */
static const char *named_cap(const struct gw_ha_entity *e, enum gw_type type)
{
	const struct gw_name_row *row = gw_name_find(gw_str(e->object));
	const struct gw_capability *cap =
		row && !row->map ? gw_capability_find(gw_str(row->cap)) : NULL;
	return cap && cap->type == type && (cap->access & GW_ACCESS_WRITE) &&
			       !gw_draft_has(e->b, NULL, cap->id)
		       ? cap->id
		       : NULL;
}

void gw_ha_switch(struct gw_ha_entity *e)
{
	static const char *const on = "switch.on";
	const char *class = gw_ha_text(e, "device_class");
	const char *named = named_cap(e, GW_TYPE_BOOL);
	const char *point = switch_point(e, e->object);
	if (named) {
		(void)gw_ha_cap(e, NULL, named, point); /* NULL: noted */
	} else if (e->config_category) {
		(void)gw_ha_extension(e, NULL, "bool", point);
	} else if (point) {
		(void)gw_ha_cap(e, gw_draft_place(e->b, e->object, e->label, &on, 1), on, point);
		e->b->hints |= class && strcmp(class, "outlet") == 0 ? GW_HINT_OUTLET : 0;
	}
}

/* --- number, select, text --- */

void gw_ha_number(struct gw_ha_entity *e)
{
	struct gw_ha_read r;
	struct gw_ha_write w;
	double low = gw_ha_double(e, "min", 1), high = gw_ha_double(e, "max", 100);
	double step = gw_ha_double(e, "step", 1);
	if (!gw_ha_reads(e, "state_topic", "value_template", &r) ||
	    !gw_ha_writes(e, "command_topic", "command_template", &w)) {
		return;
	}
	const char *id = named_cap(e, GW_TYPE_INT);
	id = id ? id : named_cap(e, GW_TYPE_NUM);
	const struct gw_capability *cap = id ? gw_capability_find(gw_str(id)) : NULL;
	if (cap && !gw_unit_to(unit_of(e), cap->unit, &e->unit)) {
		cap = NULL;
	}
	bool whole = step == floor(step) && low == floor(low);
	const char *point = gw_ha_number_point(e, e->object, &r, &w, whole);
	if (cap) {
		gw_ha_range(e, gw_ha_cap(e, NULL, id, point), id, gw_linear_apply(e->unit, low),
			    gw_linear_apply(e->unit, high), 0);
		return;
	}
	struct gw_node *c = gw_ha_extension(e, NULL, "num", point);
	struct gw_resolution res;
	if (c) {
		set_unit(e, c);
		gw_set_number(e->b, c, "res",
			      whole				    ? 1
			      : gw_resolution_from(step, &res) == 0 ? step
								    : 0.001);
		gw_ha_range(e, c, "", low, high, 0);
	}
}

void gw_ha_select(struct gw_ha_entity *e)
{
	struct gw_ha_read r;
	struct gw_ha_write w;
	if (!gw_ha_reads(e, "state_topic", "value_template", &r) ||
	    !gw_ha_writes(e, "command_topic", "command_template", &w)) {
		return;
	}
	gw_ha_options(e, NULL, named_cap(e, GW_TYPE_ENUM), NULL, gw_node_get(e->config, "options"),
		      &r, &w);
}

void gw_ha_text_entity(struct gw_ha_entity *e)
{
	struct gw_ha_read r;
	struct gw_ha_write w;
	if (gw_ha_reads(e, "state_topic", "value_template", &r) &&
	    gw_ha_writes(e, "command_topic", "command_template", &w)) {
		(void)gw_ha_extension(e, NULL, "str", gw_ha_text_point(e, e->object, &r, &w));
	}
}

/* --- actions --- */

void gw_ha_button(struct gw_ha_entity *e)
{
	static const struct class_row classes[] = {
		{"identify", "identify.run"},
		{"restart", "device.restart"},
		{"update", "firmware.update"},
	};
	const char *id = class_cap(e, classes, gw_countof(classes));
	if (!id || gw_draft_has(e->b, NULL, id)) {
		id = gw_draft_extension(e->b, NULL, e->object);
	}
	gw_ha_action(e, NULL, id, "command_topic", "command_template",
		     gw_ha_word(e, "payload_press", "PRESS"));
}

void gw_ha_scene(struct gw_ha_entity *e)
{
	gw_ha_action(e, NULL, gw_draft_extension(e->b, NULL, e->object), "command_topic", NULL,
		     gw_ha_word(e, "payload_on", "ON"));
}

/*
 * The state is JSON with both versions, or a template makes such a JSON text: then each member has its own expression. The map that
 * stands for the entity while one of them is read has it as its template.
 */
static bool version_template(struct gw_ha_entity *e, const char *member, struct gw_node **ret)
{
	const char *text = gw_ha_text(e, "value_template");
	const char *at = text ? strstr(text, member) : NULL;
	const char *open = at ? strstr(at, "{{") : NULL, *close = open ? strstr(open, "}}") : NULL;
	struct gw_node *topic = gw_text_node(e->b, gw_str(gw_ha_text(e, "state_topic")));
	if (!close) {
		return false;
	}
	*ret = gw_node_new(e->b->a, GW_NODE_MAP);
	gw_set_node(e->b, *ret, "state_topic", topic);
	gw_set_node(e->b, *ret, "value_template",
		    gw_text_node(e->b, (struct gw_str){open, (size_t)(close + 2 - open)}));
	return true;
}

static bool version_reads(struct gw_ha_entity *e, const char *member, struct gw_ha_read *ret)
{
	struct gw_ha_entity inner = *e;
	struct gw_node *config;
	if (!gw_ha_text(e, "state_topic")) {
		return false;
	}
	if (!gw_ha_text(e, "value_template")) {
		gw_ha_reads_json(e, "state_topic", gw_draft_printf(e->b, "/%s", member), ret);
		return true;
	}
	if (!version_template(e, member, &config)) {
		return false;
	}
	inner.config = config;
	return gw_ha_reads(&inner, "state_topic", "value_template", ret);
}

void gw_ha_update(struct gw_ha_entity *e)
{
	const struct gw_ha_write none = {.present = false};
	static const struct {
		const char *id, *member;
	} parts[] = {{"firmware.version", "installed_version"},
		     {"firmware.available", "latest_version"}};
	for (size_t i = 0; i < gw_countof(parts); i++) {
		struct gw_ha_read r;
		const char *point = version_reads(e, parts[i].member, &r)
					    ? gw_ha_text_point(e, parts[i].id, &r, &none)
					    : NULL;
		struct gw_node *c = gw_ha_cap(e, NULL, parts[i].id, point);
		if (c) {
			gw_set_bool(e->b, c, "ro", true);
		}
	}
	gw_ha_action(e, NULL, "firmware.update", "command_topic", NULL,
		     gw_ha_word(e, "payload_install", NULL));
}

/* --- events --- */

static struct gw_node *event_cap(struct gw_ha_entity *e, const char *component, const char *id,
				 const char *point)
{
	struct gw_node *c = point ? gw_draft_cap(e->b, component, id) : NULL;
	if (c) {
		gw_set_text(e->b, gw_set_map(e->b, c, "event"), "point", point);
	}
	return c;
}

void gw_ha_event(struct gw_ha_entity *e)
{
	static const char *const press = "button.press", *const ring = "doorbell.ring";
	const struct gw_ha_write none = {.present = false};
	const struct gw_node *types = gw_node_get(e->config, "event_types");
	const struct gw_capability *cap = gw_capability_find(GW_STR("button.press"));
	const char *class = gw_ha_text(e, "device_class");
	struct gw_ha_read r;
	struct gw_ha_choices c = {.n = 0};
	if (gw_ha_text(e, "value_template") || !types || types->type != GW_NODE_LIST) {
		gw_draft_note(e->b, "an event with a value_template or without event_types");
		return;
	}
	gw_ha_reads_json(e, "state_topic", "/event_type", &r);
	bool is_press = true;
	gw_node_for(t, types)
	{
		is_press &= t->type == GW_NODE_TEXT && gw_symbol_for(cap, t->text);
	}
	gw_node_for(t, types)
	{
		if (t->type == GW_NODE_TEXT) {
			struct gw_str symbol =
				is_press ? gw_str(gw_symbol_for(cap, t->text)) : t->text;
			gw_ha_choice_add(&c, gw_text_node(e->b, symbol), t->text, t->text);
		}
	}
	const char *point = gw_ha_choice_point(e, e->object, &r, &none, &c);
	if (class && strcmp(class, "doorbell") == 0) {
		(void)event_cap(e, gw_draft_place(e->b, e->object, e->label, &ring, 1), ring,
				point);
	} else if (is_press) {
		(void)event_cap(e, gw_draft_place(e->b, e->object, e->label, &press, 1), press,
				point);
	} else {
		struct gw_node *x =
			event_cap(e, NULL, gw_draft_extension(e->b, NULL, e->object), point);
		if (x && e->label) {
			gw_set_text(e->b, x, "name", e->label);
		}
	}
}

/* One more payload for the buttons of a subtype: their event has one point with one row for each trigger. */
static void add_trigger(struct gw_ha_entity *e, const char *component, const char *symbol,
			const struct gw_ha_read *r, struct gw_str payload)
{
	const struct gw_ha_write none = {.present = false};
	struct gw_ha_choices c = {.n = 0};
	gw_ha_choice_add(&c, gw_text_node(e->b, gw_str(symbol)), payload, payload);
	const char *point = gw_ha_choice_point(e, component, r, &none, &c);
	if (event_cap(e, component, "button.press", point) || !point) {
		return;
	}
	/* The component has its event: the row moves to the event's own point when both look at the same place. */
	struct gw_node *parts = gw_node_get(e->b->components, component);
	struct gw_node *cap =
		parts ? gw_node_get(gw_node_get(parts, "caps"), "button.press") : NULL;
	const char *first = cap ? gw_node_text(gw_node_get(cap, "event"), "point") : NULL;
	struct gw_node *into = first ? gw_node_get(e->b->points, first) : NULL;
	struct gw_node *from = gw_node_get(e->b->points, point);
	if (into && from && gw_node_equal(gw_node_get(into, "in"), gw_node_get(from, "in"))) {
		gw_node_for(row, gw_node_get(from, "map"))
		{
			gw_set_node(e->b, gw_node_get(into, "map"), row->key.p, gw_copy(e->b, row));
		}
	} else {
		gw_draft_note(e->b, "several topics for one button");
	}
	(void)gw_node_remove(e->b->points, gw_str(point)); /* it is there */
}

void gw_ha_trigger(struct gw_ha_entity *e)
{
	const struct gw_capability *cap = gw_capability_find(GW_STR("button.press"));
	const char *type = gw_ha_text(e, "type"), *subtype = gw_ha_text(e, "subtype");
	const char *symbol = type ? gw_symbol_for(cap, gw_str(type)) : NULL;
	struct gw_str payload = gw_ha_word(e, "payload", NULL);
	struct gw_ha_read r;
	if (!symbol || !subtype || !payload.p) {
		gw_draft_note(e->b, "a trigger that is no button press with a payload");
		return;
	}
	if (gw_ha_reads(e, "topic", "value_template", &r) && r.present) {
		add_trigger(e, gw_draft_component(e->b, subtype, subtype), symbol, &r, payload);
	}
}

/* --- device_tracker --- */

void gw_ha_device_tracker(struct gw_ha_entity *e)
{
	const struct gw_ha_write none = {.present = false};
	struct gw_ha_read r;
	struct gw_ha_choices c = {.n = 0};
	struct gw_str home = gw_ha_word(e, "payload_home", "home");
	struct gw_str away = gw_ha_word(e, "payload_not_home", "not_home");
	if (!gw_ha_reads(e, "state_topic", "value_template", &r)) {
		return;
	}
	gw_ha_choice_add(&c, gw_bool_node(e->b, true), home, home);
	gw_ha_choice_add(&c, gw_bool_node(e->b, false), away, away);
	struct gw_node *cap = gw_ha_cap(e, NULL, "occupancy.detected",
					gw_ha_choice_point(e, e->object, &r, &none, &c));
	if (cap) {
		gw_set_bool(e->b, cap, "ro", true);
		e->b->hints |= GW_HINT_PHONE;
	}
}
