/* Tasmota: what the arrays of the configuration say is there. */
#include "profile/import/tasmota.h"

#include <math.h>

enum relay { RELAY_NONE, RELAY_SWITCH, RELAY_LIGHT, RELAY_SHUTTER };

#define MAX_RELAYS 32

struct relays {
	enum relay kind[MAX_RELAYS];
	size_t n;	/* up to the last that is used */
	size_t n_power; /* that have a POWER */
	size_t n_switch;
};

/* so.30 makes every relay a light (§A3). */
static struct relays read_relays(const struct gw_tas *t)
{
	struct relays r = {.n = 0};
	for (size_t i = 0; i < MAX_RELAYS; i++) {
		double v = gw_tas_item(t, "rl", i, 0);
		r.kind[i] = v == 1   ? RELAY_SWITCH
			    : v == 2 ? RELAY_LIGHT
			    : v == 3 ? RELAY_SHUTTER
				     : RELAY_NONE;
		if (r.kind[i] == RELAY_SWITCH && gw_tas_option(t, "30")) {
			r.kind[i] = RELAY_LIGHT;
		}
		if (r.kind[i] != RELAY_NONE) {
			r.n = i + 1;
			r.n_power++;
		}
		r.n_switch += r.kind[i] == RELAY_SWITCH;
	}
	return r;
}

/* POWER, or POWER1 … when there are several. */
static const char *power_key(struct gw_tas *t, const struct relays *r, size_t i)
{
	return r->n_power > 1 || i > 0 ? gw_draft_printf(t->b, "POWER%zu", i + 1) : "POWER";
}

static const char *state_text(const struct gw_tas *t, size_t i, const char *fallback)
{
	const struct gw_node *n = gw_node_at(gw_node_get(t->config, "state"), i);
	return n && n->type == GW_NODE_TEXT && n->text.len > 0 ? n->text.p : fallback;
}

static const char *friendly_name(const struct gw_tas *t, size_t i)
{
	const struct gw_node *n = gw_node_at(gw_node_get(t->config, "fn"), i);
	return n && n->type == GW_NODE_TEXT && n->text.len > 0 ? n->text.p : NULL;
}

static const char *power_point(struct gw_tas *t, const struct relays *r, size_t i)
{
	const char *key = power_key(t, r, i), *name = NULL;
	struct gw_node *p = gw_tas_point(t, key, gw_draft_printf(t->b, "/%s", key), key, &name);
	/* A single relay is called POWER by some firmware and POWER1 by others. */
	const char *other = strcmp(key, "POWER") == 0 ? "/POWER1"
			    : r->n_power == 1	      ? "/POWER"
						      : NULL;
	if (p && other) {
		gw_draft_ref(t->b, p, "in", t->state, other);
		gw_draft_ref(t->b, p, "in", t->result, other);
	}
	if (!p) {
		return NULL;
	}
	struct gw_node *map = gw_set_map(t->b, p, "map");
	gw_set_bool(t->b, map, state_text(t, 1, "ON"), true);
	gw_set_bool(t->b, map, state_text(t, 0, "OFF"), false);
	gw_set_text(t->b, p, "raw", "text");
	return name;
}

static void add_switches(struct gw_tas *t, const struct relays *r)
{
	bool metered = gw_draft_anywhere(t->b, "meter.power");
	for (size_t i = 0; i < r->n; i++) {
		if (r->kind[i] != RELAY_SWITCH) {
			continue;
		}
		const char *point = power_point(t, r, i), *component = NULL;
		if (point && r->n_switch > 1) {
			component = gw_draft_component(
				t->b,
				gw_draft_printf(t->b, "%s_%zu", metered ? "outlet" : "gang", i + 1),
				friendly_name(t, i));
		}
		if (point) {
			(void)gw_draft_point_cap(t->b, component, "switch.on",
						 point); /* NULL: noted */
		}
	}
}

/* --- light --- */

static void add_dimmer(struct gw_tas *t)
{
	const char *name = NULL;
	struct gw_node *p = gw_tas_point(t, "dimmer", "/Dimmer", "Dimmer", &name);
	if (p) {
		(void)gw_draft_point_cap(t->b, NULL, "level.value", name); /* NULL: noted */
	}
}

static void add_ct(struct gw_tas *t)
{
	bool narrow = gw_tas_option(t, "82"); /* 200 to 380 mired instead of 153 to 500 */
	const char *name = NULL;
	struct gw_node *p = gw_tas_point(t, "ct", "/CT", "CT", &name);
	struct gw_node *c = p ? gw_draft_cap(t->b, NULL, "color.temperature") : NULL;
	if (!c) {
		return;
	}
	gw_set_text(t->b, c, "expr", gw_draft_printf(t->b, "1000000 / %s", name));
	gw_set_text(t->b, gw_set_map(t->b, c, "set"), name, "round(1000000 / v)");
	struct gw_node *range = gw_set_list(t->b, c, "range");
	gw_add_number(t->b, range, narrow ? ceil(1e6 / 380) : 2000);
	gw_add_number(t->b, range, narrow ? 5000 : floor(1e6 / 153));
}

/* The state has h,s,b as one text, which the language does not take apart: hue and saturation are written only. */
static void add_colour(struct gw_tas *t)
{
	static const struct {
		const char *id, *hint, *command;
	} parts[] = {{"color.hue", "hue", "HSBColor1"}, {"color.saturation", "sat", "HSBColor2"}};
	for (size_t i = 0; i < gw_countof(parts); i++) {
		const char *name = NULL;
		struct gw_node *p = gw_tas_point(t, parts[i].hint, NULL, parts[i].command, &name);
		if (p) {
			(void)gw_draft_point_cap(t->b, NULL, parts[i].id, name); /* NULL: noted */
		}
	}
	gw_draft_note(t->b,
		      "HSBColor: reported as one text, so the colour is written but not read");
}

static void add_light(struct gw_tas *t, const struct relays *r)
{
	const struct gw_node *lt = gw_node_get(t->config, "lt_st");
	double kind = lt && lt->type == GW_NODE_NUMBER ? lt->number : 0;
	bool done = false;
	for (size_t i = 0; i < r->n; i++) {
		if (r->kind[i] != RELAY_LIGHT) {
			continue;
		}
		const char *point = power_point(t, r, i), *component = NULL;
		if (point && gw_draft_has(t->b, NULL, "switch.on")) {
			component =
				gw_draft_component(t->b, gw_draft_printf(t->b, "light_%zu", i + 1),
						   friendly_name(t, i));
		}
		if (point) {
			(void)gw_draft_point_cap(t->b, component, "switch.on",
						 point); /* NULL: noted */
		}
		t->b->hints |= GW_HINT_LIGHT;
		if (done || kind < 1) {
			continue;
		}
		done = true; /* the channels belong to the first light */
		add_dimmer(t);
		if (kind == 2 || kind == 5) {
			add_ct(t);
		}
		if (kind >= 3) {
			add_colour(t);
		}
	}
}

/* --- shutters, fan --- */

static void add_shutter(struct gw_tas *t, size_t n, bool several)
{
	static const struct {
		const char *id, *word;
	} actions[] = {{"covering.open", "ShutterOpen"},
		       {"covering.close", "ShutterClose"},
		       {"covering.stop", "ShutterStop"}};
	const char *key = gw_draft_printf(t->b, "/Shutter%zu", n), *name = NULL;
	const char *component =
		several ? gw_draft_component(t->b, gw_draft_printf(t->b, "shutter_%zu", n), NULL)
			: NULL;
	const char *pointer = gw_draft_printf(t->b, "%s/Position", key);
	struct gw_node *p = gw_tas_point(t, gw_draft_printf(t->b, "position_%zu", n), pointer,
					 gw_draft_printf(t->b, "ShutterPosition%zu", n), &name);
	if (p) {
		gw_draft_ref(t->b, p, "in", t->sensor, pointer);
		if ((unsigned)gw_tas_item(t, "sho", n - 1, 0) & 1U) { /* inverted: 100 is closed */
			gw_set_number(t->b, p, "mul", -1);
			gw_set_number(t->b, p, "add", 100);
		}
		(void)gw_draft_point_cap(t->b, component, "covering.position",
					 name); /* NULL: noted */
	}
	pointer = gw_draft_printf(t->b, "%s/Direction", key);
	p = gw_tas_point(t, gw_draft_printf(t->b, "direction_%zu", n), pointer, NULL, &name);
	if (p) {
		struct gw_node *map = gw_set_map(t->b, p, "map");
		gw_draft_ref(t->b, p, "in", t->sensor, pointer);
		gw_set_text(t->b, map, "0", "stopped");
		gw_set_text(t->b, map, "1", "opening");
		gw_set_text(t->b, map, "-1", "closing");
		struct gw_node *c = gw_draft_point_cap(t->b, component, "covering.moving", name);
		if (c) {
			gw_set_bool(t->b, c, "ro", true);
		}
	}
	for (size_t i = 0; i < gw_countof(actions); i++) {
		gw_tas_action(t, component, actions[i].id,
			      gw_draft_printf(t->b, "%s%zu", actions[i].word, n), "");
	}
}

static void add_shutters(struct gw_tas *t, const struct relays *r)
{
	size_t pairs = 0, n = 0;
	for (size_t i = 0; i + 1 < MAX_RELAYS; i++) {
		if (r->kind[i] == RELAY_SHUTTER && r->kind[i + 1] == RELAY_SHUTTER) {
			pairs++;
			i++;
		} else if (r->kind[i] == RELAY_SHUTTER) {
			gw_draft_note(t->b, "relay %zu is a shutter without its second relay",
				      i + 1);
		}
	}
	while (n < pairs) {
		add_shutter(t, ++n, pairs > 1);
	}
}

static void add_fan(struct gw_tas *t)
{
	static const struct {
		const char *raw, *mode;
	} speeds[] = {{"0", "off"}, {"1", "low"}, {"2", "medium"}, {"3", "high"}};
	const struct gw_node *fan = gw_node_get(t->config, "if");
	const char *name = NULL;
	if (!fan || fan->type != GW_NODE_NUMBER || fan->number != 1) {
		return;
	}
	struct gw_node *p = gw_tas_point(t, "fan_speed", "/FanSpeed", "FanSpeed", &name);
	struct gw_node *c = p ? gw_draft_point_cap(t->b, NULL, "fan.mode", name) : NULL;
	if (!c) {
		return;
	}
	struct gw_node *map = gw_set_map(t->b, p, "map"), *modes = gw_set_list(t->b, c, "enum");
	for (size_t i = 0; i < gw_countof(speeds); i++) {
		gw_set_text(t->b, map, speeds[i].raw, speeds[i].mode);
		gw_add_text(t->b, modes, gw_str(speeds[i].mode));
	}
}

/* --- switches and buttons --- */

struct action_word {
	const char *raw, *symbol;
};

static void add_event(struct gw_tas *t, const char *component, const char *pointer,
		      const struct action_word *words, size_t n)
{
	const char *name = NULL;
	struct gw_node *p = gw_tas_point(t, component ? component : "press", pointer, NULL, &name);
	struct gw_node *c = p ? gw_draft_cap(t->b, component, "button.press") : NULL;
	if (!c) {
		return;
	}
	struct gw_node *map = gw_set_map(t->b, p, "map");
	for (size_t i = 0; i < n; i++) {
		gw_set_text(t->b, map, words[i].raw, words[i].symbol);
	}
	gw_set_text(t->b, gw_set_map(t->b, c, "event"), "point", name);
}

/* so.73: buttons report {"Button1":{"Action":"SINGLE"}} instead of acting on relays. */
static void add_buttons(struct gw_tas *t)
{
	static const struct action_word words[] = {
		{"SINGLE", "press"}, {"DOUBLE", "double"}, {"TRIPLE", "triple"},
		{"HOLD", "long"},    {"CLEAR", "release"},
	};
	if (!gw_tas_option(t, "73")) {
		return;
	}
	for (size_t i = 0; i < MAX_RELAYS; i++) {
		if (gw_tas_item(t, "btn", i, 0) == 1) {
			const char *component = gw_draft_component(
				t->b, gw_draft_printf(t->b, "button_%zu", i + 1), NULL);
			add_event(t, component, gw_draft_printf(t->b, "/Button%zu/Action", i + 1),
				  words, gw_countof(words));
		}
	}
}

/* A follow switch (modes 1 and 2) is a contact; a push-button is an event. */
static void add_switch(struct gw_tas *t, size_t i, double mode)
{
	static const struct action_word words[] = {
		{"ON", "press"},    {"TOGGLE", "press"},  {"HOLD", "long"},
		{"OFF", "release"}, {"CLEAR", "release"},
	};
	const struct gw_node *swn = gw_node_at(gw_node_get(t->config, "swn"), i);
	const char *label = swn && swn->type == GW_NODE_TEXT ? swn->text.p : NULL;
	const char *pointer = gw_draft_printf(t->b, "/Switch%zu/Action", i + 1), *name = NULL;
	if (mode != 1 && mode != 2) {
		const char *component =
			gw_draft_component(t->b, gw_draft_printf(t->b, "switch_%zu", i + 1), label);
		add_event(t, component, pointer, words, gw_countof(words));
		return;
	}
	const char *hint = gw_draft_printf(t->b, "switch_%zu", i + 1);
	struct gw_node *p = gw_tas_point(t, hint, pointer, NULL, &name);
	struct gw_node *c =
		p ? gw_draft_point_cap(t->b, NULL, gw_draft_extension(t->b, NULL, hint), name)
		  : NULL;
	if (!c) {
		return;
	}
	gw_draft_ref(t->b, p, "in", t->sensor, gw_draft_printf(t->b, "/Switch%zu", i + 1));
	struct gw_node *map = gw_set_map(t->b, p, "map");
	gw_set_bool(t->b, map, state_text(t, 1, "ON"), true);
	gw_set_bool(t->b, map, state_text(t, 0, "OFF"), false);
	gw_set_text(t->b, c, "type", "bool");
	gw_set_bool(t->b, c, "ro", true);
	if (label) {
		gw_set_text(t->b, c, "name", label);
	}
}

static void add_inputs(struct gw_tas *t)
{
	for (size_t i = 0; gw_tas_option(t, "114") && i < MAX_RELAYS; i++) {
		double mode = gw_tas_item(t, "swc", i, -1);
		if (mode >= 0) {
			add_switch(t, i, mode);
		}
	}
}

void gw_tas_parts(struct gw_tas *t)
{
	struct relays r = read_relays(t);
	t->b->at = "rl";
	add_switches(t, &r);
	add_light(t, &r);
	add_shutters(t, &r);
	add_fan(t);
	t->b->at = "btn, swc";
	add_buttons(t);
	add_inputs(t);
}
