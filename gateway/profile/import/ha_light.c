/* Home Assistant lights, default and JSON schema. */
#include "profile/import/ha.h"

#include <math.h>

/* Where the parts of a light are read and written; both schemas fill it. */
struct light {
	struct gw_ha_read on, level, ct, hue, sat, effect, mode;
	struct gw_ha_write w_on, w_level, w_ct, w_hue, w_sat, w_effect;
};

static const char *light_place(struct gw_ha_entity *e)
{
	static const char *const ids[] = {"switch.on",	 "level.value",	     "color.temperature",
					  "color.hue",	 "color.saturation", "color.mode",
					  "color.effect"};
	return gw_draft_place(e->b, e->object, e->label, ids, gw_countof(ids));
}

static void add_on(struct gw_ha_entity *e, const char *component, const struct light *l)
{
	struct gw_ha_choices c = {.n = 0};
	struct gw_str on = gw_ha_word(e, "payload_on", "ON"),
		      off = gw_ha_word(e, "payload_off", "OFF");
	gw_ha_choice_add(&c, gw_bool_node(e->b, true), on, on);
	gw_ha_choice_add(&c, gw_bool_node(e->b, false), off, off);
	(void)gw_ha_cap(e, component, "switch.on",
			gw_ha_choice_point(e, "on", &l->on, &l->w_on, &c));
}

static void add_level(struct gw_ha_entity *e, const char *component, const struct light *l)
{
	double scale = gw_ha_double(e, "brightness_scale", 255);
	e->unit = (struct gw_linear){100, scale > 0 ? scale : 255, 0};
	(void)gw_ha_cap(e, component, "level.value",
			gw_ha_number_point(e, "level", &l->level, &l->w_level, /* whole= */ true));
	e->unit = GW_LINEAR_NONE;
}

/* The light's own range; mireds count the other way round. */
static void ct_range(struct gw_ha_entity *e, struct gw_node *cap, bool kelvin)
{
	double warm = gw_ha_double(e, "max_mireds", 500), cold = gw_ha_double(e, "min_mireds", 153);
	double low = gw_ha_double(e, "min_kelvin", kelvin || warm <= 0 ? 2000 : ceil(1e6 / warm));
	double high = gw_ha_double(e, "max_kelvin", kelvin || cold <= 0 ? 6535 : floor(1e6 / cold));
	gw_ha_range(e, cap, "color.temperature", low, high, 0);
}

static void add_ct(struct gw_ha_entity *e, const char *component, const struct light *l)
{
	bool kelvin = gw_ha_flag(e, "color_temp_kelvin");
	const char *point = gw_ha_number_point(e, "ct", &l->ct, &l->w_ct, /* whole= */ true);
	if (!point) {
		return;
	}
	struct gw_node *c;
	if (kelvin) {
		c = gw_ha_cap(e, component, "color.temperature", point);
	} else {
		c = gw_draft_cap(e->b, component, "color.temperature");
		if (!c) {
			return;
		}
		gw_set_text(e->b, c, "expr", gw_draft_printf(e->b, "1000000 / %s", point));
		if (gw_node_get(gw_node_get(e->b->points, point), "out")) {
			gw_set_text(e->b, gw_set_map(e->b, c, "set"), point, "round(1000000 / v)");
		}
	}
	ct_range(e, c, kelvin);
}

static void add_hs(struct gw_ha_entity *e, const char *component, const struct light *l)
{
	struct gw_node *hue = gw_ha_cap(e, component, "color.hue",
					gw_ha_number_point(e, "hue", &l->hue, &l->w_hue, true));
	gw_ha_range(e, hue, "color.hue", 0, 360, 0);
	(void)gw_ha_cap(e, component, "color.saturation",
			gw_ha_number_point(e, "sat", &l->sat, &l->w_sat, true));
}

static void add_effect(struct gw_ha_entity *e, const char *component, const struct light *l)
{
	const struct gw_node *list = gw_node_get(e->config, "effect_list");
	if (list && (l->effect.present || l->w_effect.present)) {
		gw_ha_options(e, component, "color.effect", "effect", list, &l->effect,
			      &l->w_effect);
	}
}

/* --- default schema --- */

static void default_light(struct gw_ha_entity *e)
{
	struct light l = {.on = {.present = false}};
	bool ok = gw_ha_reads(e, "state_topic", "state_value_template", &l.on) &&
		  gw_ha_writes(e, "command_topic", NULL, &l.w_on);
	if (!ok) {
		return;
	}
	const char *component = light_place(e);
	add_on(e, component, &l);
	if (gw_ha_reads(e, "brightness_state_topic", "brightness_value_template", &l.level) &&
	    gw_ha_writes(e, "brightness_command_topic", "brightness_command_template",
			 &l.w_level) &&
	    l.w_level.present) {
		add_level(e, component, &l);
	}
	if (gw_ha_reads(e, "color_temp_state_topic", "color_temp_value_template", &l.ct) &&
	    gw_ha_writes(e, "color_temp_command_topic", "color_temp_command_template", &l.w_ct) &&
	    l.w_ct.present) {
		add_ct(e, component, &l);
	}
	if (gw_ha_reads(e, "effect_state_topic", "effect_value_template", &l.effect) &&
	    gw_ha_writes(e, "effect_command_topic", "effect_command_template", &l.w_effect)) {
		add_effect(e, component, &l);
	}
	static const char *const texts[] = {"rgb_command_topic", "rgbw_command_topic",
					    "rgbww_command_topic", "hs_command_topic",
					    "xy_command_topic"};
	for (size_t i = 0; i < gw_countof(texts); i++) {
		if (gw_ha_text(e, texts[i])) {
			gw_draft_note(e->b, "%s: a colour as text of several numbers", texts[i]);
		}
	}
}

/* --- JSON schema --- */

struct modes {
	bool level, ct, hs, xy, rgb, any_colour;
};

static struct modes modes_of(const struct gw_ha_entity *e)
{
	struct modes m = {.level = gw_ha_flag(e, "brightness")};
	gw_node_for(n, gw_node_get(e->config, "supported_color_modes"))
	{
		m.level |= !gw_node_is_text(n, "onoff");
		m.ct |= gw_node_is_text(n, "color_temp");
		m.hs |= gw_node_is_text(n, "hs");
		m.xy |= gw_node_is_text(n, "xy");
		m.rgb |= gw_node_is_text(n, "rgb") || gw_node_is_text(n, "rgbw") ||
			 gw_node_is_text(n, "rgbww");
	}
	m.any_colour = m.hs || m.xy || m.rgb;
	return m;
}

static void add_colour_mode(struct gw_ha_entity *e, const char *component)
{
	static const struct {
		const char *seen, *symbol;
	} words[] = {
		{"hs", "hs"},	   {"xy", "xy"},    {"color_temp", "ct"}, {"rgb", "hs"},
		{"rgbw", "hs"},	   {"rgbww", "hs"}, {"white", "white"},	  {"brightness", "white"},
		{"onoff", "white"}};
	const struct gw_ha_write none = {.present = false};
	struct gw_ha_choices c = {.n = 0};
	struct gw_ha_read r;
	gw_ha_reads_json(e, "state_topic", "/color_mode", &r);
	for (size_t i = 0; i < gw_countof(words); i++) {
		struct gw_str seen = gw_str(words[i].seen);
		gw_ha_choice_add(&c, gw_text_node(e->b, gw_str(words[i].symbol)), seen, seen);
	}
	if (r.present) {
		struct gw_node *cap = gw_ha_cap(e, component, "color.mode",
						gw_ha_choice_point(e, "color_mode", &r, &none, &c));
		if (cap) {
			gw_set_bool(e->b, cap, "ro", true);
		}
	}
}

/* x and y go together: one point for the map. */
static void add_xy(struct gw_ha_entity *e, const char *component)
{
	struct gw_ha_read r;
	struct gw_ha_write w;
	const char *name = NULL;
	gw_ha_reads_json(e, "state_topic", "/color", &r);
	gw_ha_writes_json(e, "command_topic", "/color", &w);
	const char *rx = r.present ? gw_draft_rx(e->b, r.topic, "json") : NULL;
	const char *tx = gw_draft_tx(e->b, w.topic, "json", NULL, "/color", e->qos);
	struct gw_node *p = tx ? gw_draft_point(e->b, "color", &name) : NULL;
	if (!p) {
		return;
	}
	if (rx) {
		gw_draft_ref(e->b, p, "in", rx, "/color");
	}
	gw_draft_ref(e->b, p, "out", tx, "/color");
	(void)gw_ha_cap(e, component, "color.xy", name);
}

static void json_light(struct gw_ha_entity *e)
{
	struct light l;
	struct modes m = modes_of(e);
	const char *component = light_place(e);
	gw_ha_reads_json(e, "state_topic", "/state", &l.on);
	gw_ha_writes_json(e, "command_topic", "/state", &l.w_on);
	add_on(e, component, &l);
	if (m.level) {
		gw_ha_reads_json(e, "state_topic", "/brightness", &l.level);
		gw_ha_writes_json(e, "command_topic", "/brightness", &l.w_level);
		add_level(e, component, &l);
	}
	if (m.ct) {
		gw_ha_reads_json(e, "state_topic", "/color_temp", &l.ct);
		gw_ha_writes_json(e, "command_topic", "/color_temp", &l.w_ct);
		add_ct(e, component, &l);
	}
	if (m.hs) {
		gw_ha_reads_json(e, "state_topic", "/color/h", &l.hue);
		gw_ha_writes_json(e, "command_topic", "/color/h", &l.w_hue);
		gw_ha_reads_json(e, "state_topic", "/color/s", &l.sat);
		gw_ha_writes_json(e, "command_topic", "/color/s", &l.w_sat);
		add_hs(e, component, &l);
	} else if (m.xy) {
		add_xy(e, component);
	} else if (m.rgb) {
		gw_draft_note(e->b, "a colour as red, green and blue");
	}
	if (m.any_colour) {
		add_colour_mode(e, component);
	}
	if (gw_ha_flag(e, "effect")) {
		gw_ha_reads_json(e, "state_topic", "/effect", &l.effect);
		gw_ha_writes_json(e, "command_topic", "/effect", &l.w_effect);
		add_effect(e, component, &l);
	}
}

void gw_ha_light(struct gw_ha_entity *e)
{
	const char *schema = gw_ha_text(e, "schema");
	e->b->hints |= GW_HINT_LIGHT;
	if (!schema || strcmp(schema, "default") == 0 || strcmp(schema, "basic") == 0) {
		default_light(e);
	} else if (strcmp(schema, "json") == 0) {
		json_light(e);
	} else {
		gw_draft_note(e->b, "a light with schema %s", schema);
	}
}
