/* zigbee2mqtt: the kinds of exposes, and actions as events. */
#include "profile/import/z2m.h"

/* --- features of a specific expose --- */

typedef void feature(struct gw_z2m *z, const struct gw_z2m_expose *x);

static void as_switch(struct gw_z2m *z, const struct gw_z2m_expose *x)
{
	gw_z2m_switch_as(z, x, "switch.on");
}

static double top_of(const struct gw_z2m_expose *x, double fallback)
{
	const struct gw_node *n = gw_node_get(x->node, "value_max");
	return n && n->type == GW_NODE_NUMBER && n->number > 0 ? n->number : fallback;
}

/* 0…value_max → 0…100 %, without the range in their counts */
static void percent_as(struct gw_z2m *z, const struct gw_z2m_expose *x, const char *id)
{
	struct gw_node *c = gw_z2m_number_as(z, x, id, (struct gw_linear){100, top_of(x, 254), 0});
	if (c) {
		(void)gw_node_remove(c,
				     GW_STR("range")); /* the model's, whether one was set or not */
	}
}

static void light_level(struct gw_z2m *z, const struct gw_z2m_expose *x)
{
	percent_as(z, x, "level.value");
}

static void light_ct(struct gw_z2m *z, const struct gw_z2m_expose *x)
{
	gw_z2m_mired_as(z, x, "color.temperature");
}

/* color_hs: property color with hue and saturation */
static void light_hs(struct gw_z2m *z, const struct gw_z2m_expose *x)
{
	gw_node_for(n, gw_node_get(x->node, "features"))
	{
		struct gw_z2m_expose inner;
		if (!gw_z2m_open(z, n, x->pointer, x->component, &inner)) {
			continue;
		}
		bool hue = strcmp(inner.name, "hue") == 0;
		if (hue || strcmp(inner.name, "saturation") == 0) {
			inner.access = x->access;
			(void)gw_z2m_number_as(z, &inner, hue ? "color.hue" : "color.saturation",
					       GW_LINEAR_NONE);
		}
	}
}

/* color_xy: the map is the value */
static void light_xy(struct gw_z2m *z, const struct gw_z2m_expose *x)
{
	const char *name = NULL;
	struct gw_node *p;
	if (z->colour_hs || gw_draft_has(z->b, x->component, "color.xy")) {
		return;
	}
	p = gw_z2m_point(z, x, x->property, /* writable= */ true, &name);
	if (p) {
		(void)gw_draft_point_cap(z->b, x->component, "color.xy", name); /* NULL: noted */
	}
}

static void fan_speed(struct gw_z2m *z, const struct gw_z2m_expose *x)
{
	percent_as(z, x, "fan.percent");
}

static void fan_mode(struct gw_z2m *z, const struct gw_z2m_expose *x)
{
	if (!gw_z2m_enum_as(z, x, "fan.mode")) {
		gw_z2m_enum(z, x);
	}
}

static void cover_state(struct gw_z2m *z, const struct gw_z2m_expose *x)
{
	static const struct {
		const char *id, *value;
	} actions[] = {
		{"covering.open", "OPEN"}, {"covering.close", "CLOSE"}, {"covering.stop", "STOP"}};
	for (size_t i = 0; i < gw_countof(actions); i++) {
		gw_node_for(n, gw_node_get(x->node, "values"))
		{
			if (gw_node_is_text(n, actions[i].value)) {
				gw_z2m_action(z, x, actions[i].id, actions[i].value);
			}
		}
	}
}

static void cover_position(struct gw_z2m *z, const struct gw_z2m_expose *x)
{
	(void)gw_z2m_number_as(z, x, "covering.position", GW_LINEAR_NONE); /* NULL: noted */
}

static void cover_tilt(struct gw_z2m *z, const struct gw_z2m_expose *x)
{
	(void)gw_z2m_number_as(z, x, "covering.tilt", GW_LINEAR_NONE); /* NULL: noted */
}

static void lock_reported(struct gw_z2m *z, const struct gw_z2m_expose *x)
{
	struct gw_z2m_expose shown = *x;
	shown.access &= GW_Z2M_STATE;
	(void)gw_z2m_enum_as(z, &shown, "lock.state"); /* false: noted */
}

static void lock_state(struct gw_z2m *z, const struct gw_z2m_expose *x)
{
	gw_z2m_action(z, x, "lock.lock", "LOCK");
	gw_z2m_action(z, x, "lock.unlock", "UNLOCK");
}

static void setpoint(struct gw_z2m *z, const struct gw_z2m_expose *x)
{
	(void)gw_z2m_number_as(z, x, "thermostat.setpoint", GW_LINEAR_NONE); /* NULL: noted */
}

static void cool_setpoint(struct gw_z2m *z, const struct gw_z2m_expose *x)
{
	(void)gw_z2m_number_as(z, x, "thermostat.cool_setpoint", GW_LINEAR_NONE); /* NULL: noted */
}

static void system_mode(struct gw_z2m *z, const struct gw_z2m_expose *x)
{
	(void)gw_z2m_enum_as(z, x, "thermostat.mode"); /* false: noted */
}

static void running_state(struct gw_z2m *z, const struct gw_z2m_expose *x)
{
	(void)gw_z2m_enum_as(z, x, "thermostat.action"); /* false: noted */
}

static const struct {
	const char *type, *name;
	feature *import;
} features[] = {
	{"switch", "state", as_switch},
	{"light", "state", as_switch},
	{"light", "brightness", light_level},
	{"light", "color_temp", light_ct},
	{"light", "color_hs", light_hs},
	{"light", "color_xy", light_xy},
	{"fan", "state", as_switch},
	{"fan", "mode", fan_mode},
	{"fan", "speed", fan_speed},
	{"cover", "state", cover_state},
	{"cover", "position", cover_position},
	{"cover", "tilt", cover_tilt},
	{"lock", "state", lock_state},
	{"lock", "lock_state", lock_reported},
	{"climate", "occupied_heating_setpoint", setpoint},
	{"climate", "current_heating_setpoint", setpoint},
	{"climate", "occupied_cooling_setpoint", cool_setpoint},
	{"climate", "system_mode", system_mode},
	{"climate", "running_state", running_state},
	{"climate", "fan_mode", fan_mode},
};

static feature *feature_of(const char *type, const char *name)
{
	for (size_t i = 0; i < gw_countof(features); i++) {
		if (strcmp(features[i].type, type) == 0 && strcmp(features[i].name, name) == 0) {
			return features[i].import;
		}
	}
	return NULL;
}

static bool is_specific(const char *type)
{
	for (size_t i = 0; i < gw_countof(features); i++) {
		if (strcmp(features[i].type, type) == 0) {
			return true;
		}
	}
	return false;
}

/* --- actions --- */

/* "1_single", "single_left", "button_1_hold": the kind of press and which button; false: another action. */
static bool split_action(struct gw_str value, const char **ret_symbol, struct gw_str *ret_button)
{
	const struct gw_capability *press = gw_capability_find(GW_STR("button.press"));
	*ret_symbol = gw_symbol_for(press, value);
	*ret_button = (struct gw_str){"", 0};
	for (size_t i = 1; !*ret_symbol && i + 1 < value.len; i++) {
		if (value.p[i] != '_') {
			continue;
		}
		struct gw_str before = gw_str_sub(value, 0, i);
		struct gw_str after = gw_str_sub(value, i + 1, value.len);
		*ret_symbol = gw_symbol_for(press, after);
		*ret_button = before;
		if (!*ret_symbol) {
			*ret_symbol = gw_symbol_for(press, before);
			*ret_button = after;
		}
	}
	return *ret_symbol != NULL;
}

/* The event of one button: its point takes one row for each kind of press. */
static struct gw_node *button_map(struct gw_z2m *z, const struct gw_z2m_expose *x,
				  struct gw_str button)
{
	struct gw_str digits =
		gw_str_starts(button, "button_") ? gw_str_sub(button, 7, button.len) : button;
	const char *hint = gw_draft_printf(z->b, "button_" GW_STR_FMT, GW_STR_ARG(digits));
	const char *component = button.len == 0
					? x->component
					: gw_draft_component(z->b, hint, button.len ? hint : NULL);
	struct gw_node *caps =
		component ? gw_node_get(gw_node_get(z->b->components, component), "caps")
			  : z->b->caps;
	struct gw_node *cap = gw_node_get(caps, "button.press");
	const char *name = cap ? gw_node_text(gw_node_get(cap, "event"), "point") : NULL;
	if (!name) {
		struct gw_node *p = gw_z2m_point(z, x, button.len ? hint : "action",
						 /* writable= */ false, &name);
		cap = p ? gw_draft_cap(z->b, component, "button.press") : NULL;
		if (!cap) {
			return NULL;
		}
		gw_set_text(z->b, gw_set_map(z->b, cap, "event"), "point", name);
		return gw_set_map(z->b, p, "map");
	}
	return gw_node_get(gw_node_get(z->b->points, name), "map");
}

static void action_event(struct gw_z2m *z, const struct gw_z2m_expose *x)
{
	struct gw_node *others = gw_node_new(z->b->a, GW_NODE_LIST);
	struct gw_z2m_expose shown = *x;
	shown.access = GW_Z2M_STATE;
	gw_node_for(n, gw_node_get(x->node, "values"))
	{
		const char *symbol;
		struct gw_str button;
		if (n->type != GW_NODE_TEXT || n->text.len == 0) {
			continue;
		}
		struct gw_node *map = split_action(n->text, &symbol, &button)
					      ? button_map(z, &shown, button)
					      : NULL;
		if (map) {
			gw_set_text(z->b, map, n->text.p, symbol);
		} else {
			gw_add_text(z->b, others, n->text);
		}
	}
	const char *name = NULL;
	if (!others || others->count == 0 || !gw_z2m_point(z, &shown, x->property, false, &name)) {
		return;
	}
	struct gw_node *c = gw_draft_cap(z->b, x->component,
					 gw_draft_extension(z->b, x->component, x->property));
	if (c) {
		struct gw_node *event = gw_set_map(z->b, c, "event");
		gw_set_text(z->b, event, "point", name);
		gw_set_node(z->b, event, "only", others);
	}
}

/* --- walking --- */

static const char *component_of(struct gw_z2m *z, const struct gw_node *expose, const char *outer)
{
	const char *endpoint = gw_node_text(expose, "endpoint");
	if (!endpoint || !endpoint[0]) {
		return outer;
	}
	return gw_draft_component(z->b, gw_draft_printf(z->b, "%s_%s", z->prefix, endpoint),
				  endpoint);
}

static void generic(struct gw_z2m *z, const struct gw_node *expose, const char *type,
		    const char *parent, const char *component)
{
	static const struct {
		const char *type;
		feature *import;
	} kinds[] = {
		{"binary", gw_z2m_binary}, {"numeric", gw_z2m_numeric}, {"enum", gw_z2m_enum},
		{"text", gw_z2m_text},	   {"list", gw_z2m_list},
	};
	struct gw_z2m_expose x;
	if (!gw_z2m_open(z, expose, parent, component_of(z, expose, component), &x)) {
		gw_draft_note(z->b, "an expose without a name");
		return;
	}
	if (strcmp(type, "enum") == 0 && strcmp(x.name, "action") == 0) {
		action_event(z, &x);
		return;
	}
	if (strcmp(type, "composite") == 0) {
		if (x.access & GW_Z2M_STATE) {
			gw_z2m_exposes(z, gw_node_get(expose, "features"), x.pointer, x.component);
		} else {
			gw_draft_note(z->b, "%s: a command of several members", x.property);
		}
		return;
	}
	for (size_t i = 0; i < gw_countof(kinds); i++) {
		if (strcmp(type, kinds[i].type) == 0) {
			kinds[i].import(z, &x);
			return;
		}
	}
	gw_draft_note(z->b, "%s: an expose of type %s", x.property, type);
}

/* The state that zigbee2mqtt adds to lights with several colour modes. */
static void colour_mode(struct gw_z2m *z, const char *component)
{
	static const struct {
		const char *seen, *symbol;
	} modes[] = {{"hs", "hs"}, {"xy", "xy"}, {"color_temp", "ct"}};
	const char *name = NULL;
	const struct gw_z2m_expose x = {.pointer = "/color_mode", .access = GW_Z2M_STATE};
	struct gw_node *p = gw_z2m_point(z, &x, "color_mode", /* writable= */ false, &name);
	struct gw_node *c = p ? gw_draft_point_cap(z->b, component, "color.mode", name) : NULL;
	if (!c) {
		return;
	}
	struct gw_node *map = gw_set_map(z->b, p, "map");
	for (size_t i = 0; i < gw_countof(modes); i++) {
		gw_set_text(z->b, map, modes[i].seen, modes[i].symbol);
	}
	gw_set_bool(z->b, c, "ro", true);
}

static bool has_feature(const struct gw_node *expose, const char *name)
{
	gw_node_for(n, gw_node_get(expose, "features"))
	{
		const char *has = gw_node_text(n, "name");
		if (has && strcmp(has, name) == 0) {
			return true;
		}
	}
	return false;
}

static void specific(struct gw_z2m *z, const struct gw_node *expose, const char *type,
		     const char *component)
{
	bool light = strcmp(type, "light") == 0;
	component = component_of(z, expose, component);
	z->colour_hs = has_feature(expose, "color_hs");
	z->b->hints |= light ? GW_HINT_LIGHT : 0;
	gw_node_for(n, gw_node_get(expose, "features"))
	{
		struct gw_z2m_expose x;
		const char *name = gw_node_text(n, "name"), *kind = gw_node_text(n, "type");
		feature *import = name ? feature_of(type, name) : NULL;
		if (import && gw_z2m_open(z, n, "", component, &x)) {
			import(z, &x);
		} else if (name && kind) {
			generic(z, n, kind, "", component);
		}
	}
	if (light && (z->colour_hs || has_feature(expose, "color_xy"))) {
		colour_mode(z, component);
	}
	/* A lock without a reported lock_state reports the state that is set. */
	if (strcmp(type, "lock") == 0 && !has_feature(expose, "lock_state")) {
		gw_node_for(n, gw_node_get(expose, "features"))
		{
			struct gw_z2m_expose x;
			if (gw_z2m_open(z, n, "", component, &x) && strcmp(x.name, "state") == 0) {
				lock_reported(z, &x);
			}
		}
	}
}

void gw_z2m_exposes(struct gw_z2m *z, const struct gw_node *exposes, const char *parent,
		    const char *component)
{
	if (!exposes || exposes->type != GW_NODE_LIST) {
		return;
	}
	gw_node_for(n, exposes) /* composites nest as deep as the parser allows */
	{
		const char *type = n->type == GW_NODE_MAP ? gw_node_text(n, "type") : NULL;
		if (!type) {
			gw_draft_note(z->b, "an expose without a type");
		} else if (is_specific(type) && parent[0] == 0) {
			specific(z, n, type, component);
		} else {
			generic(z, n, type, parent, component);
		}
	}
}
