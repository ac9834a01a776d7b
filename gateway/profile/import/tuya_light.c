/* Lights: brightness on any scale, colour as fields of a block, white by temperature. */
#include <math.h>
#include <string.h>

#include "profile/import/tuya.h"

#define FIELDS 8

struct field {
	const char *point;
	double low, high;
};

struct colour {
	struct field hue, saturation, value;
	bool rgb; /* also as red, green, blue, which would have to agree */
};

static double bound(const struct gw_node *range, const char *key, double fallback)
{
	const struct gw_node *n = gw_node_get(range, key);
	return n && n->type == GW_NODE_NUMBER ? n->number : fallback;
}

static struct field *field_of(struct colour *c, const char *name)
{
	switch (name[0]) {
	case 'h': return &c->hue;
	case 's': return &c->saturation;
	case 'v': return &c->value;
	default: return NULL;
	}
}

static unsigned format_bytes(const struct gw_node *format)
{
	double sum = 0;
	gw_node_for(f, format)
	{
		sum += bound(f, "bytes", 0);
	}
	return sum > 0 && sum < 64 ? (unsigned)sum : 0;
}

/* Points for the fields of a format; false: none is known. */
static bool open_colour(struct gw_tuya_dp *dp, struct colour *ret)
{
	const struct gw_node *format = gw_node_get(dp->node, "format");
	unsigned at = 0, all = format_bytes(format);
	*ret = (struct colour){.rgb = false};
	gw_node_for(f, format)
	{
		const char *name = gw_node_text(f, "name");
		unsigned bytes = (unsigned)fmin(bound(f, "bytes", 0), 8);
		const char *point =
			name && bytes ? gw_tuya_blob_field(dp, name, at, bytes, all) : NULL;
		struct field *to = name ? field_of(ret, name) : NULL;
		ret->rgb |= name && strchr("rgb", name[0]) != NULL;
		if (to) {
			*to = (struct field){point, bound(gw_node_get(f, "range"), "min", 0),
					     bound(gw_node_get(f, "range"), "max", 255)};
		}
		at += bytes;
	}
	return ret->hue.point && ret->saturation.point && ret->hue.high > 0 &&
	       ret->saturation.high > 0;
}

static struct gw_node *field_cap(struct gw_tuya_dp *dp, const struct colour *c,
				 const struct field *f, const char *id, double full,
				 const char **ret_address)
{
	struct gw_tuya_entity *e = dp->entity;
	struct gw_draft *b = e->t->b;
	struct gw_node *cap = gw_tuya_cap(e, e->label, e->label, id, false, ret_address);
	if (!cap) {
		return NULL;
	}
	gw_set_text(b, cap, "point", f->point);
	if (full != f->high) {
		gw_set_number(b, cap, "mul", full);
		gw_set_number(b, cap, "div", f->high);
	}
	if (c->rgb) { /* the same colour twice: one half alone would contradict the other */
		gw_set_bool(b, cap, "ro", true);
	}
	gw_tuya_avail(e, cap);
	return cap;
}

static void colour(struct gw_tuya_dp *dp)
{
	struct gw_tuya_entity *e = dp->entity;
	struct colour c;
	const char *hue = NULL, *address = NULL;
	struct gw_tuya_dp *brightness = gw_tuya_dp(e, "brightness");
	if (!open_colour(dp, &c) || !field_cap(dp, &c, &c.hue, "color.hue", 360, &hue)) {
		return;
	}
	(void)field_cap(dp, &c, &c.saturation, "color.saturation", 100, &address); /* NULL: noted */
	if (c.value.point && c.value.high > 0) {
		const char *id =
			brightness ? gw_draft_extension(e->t->b, e->component, "colour_brightness")
				   : "level.value";
		struct gw_node *cap = field_cap(dp, &c, &c.value, id, 100, &address);
		if (cap && brightness) {
			gw_set_text(e->t->b, cap, "type", "num");
			gw_set_text(e->t->b, cap, "unit", "%");
			gw_set_number(e->t->b, cap, "res", 0.1);
			gw_set_text(e->t->b, cap, "name", "Brightness of colours");
		}
	}
	if (c.rgb) {
		gw_draft_note(e->t->b, "%s: shown, not written: red, green and blue would differ",
			      dp->name);
	}
	gw_tuya_fate(dp, hue, NULL);
}

/* --- brightness, temperature --- */

/* A colour shows in its mode only: the write of the one sets the other. */
static void set_mode_too(struct gw_tuya_entity *e, const char *id, const char *mode)
{
	struct gw_draft *b = e->t->b;
	struct gw_tuya_dp *dp = gw_tuya_dp(e, "color_mode");
	struct gw_node *caps =
		e->component ? gw_node_get(gw_node_get(b->components, e->component), "caps")
			     : b->caps;
	struct gw_node *cap = gw_node_get(caps, id);
	struct gw_tuya_rows rows;
	const char *why = NULL;
	if (!dp || !cap || gw_node_get(cap, "ro") || dp->readonly || !gw_tuya_rows(dp, &rows)) {
		return;
	}
	for (size_t i = 0; i < rows.n; i++) {
		const struct gw_tuya_row *r = &rows.row[i];
		const char *raw = r->n == 1 && !r->ro && r->value && gw_node_is_text(r->value, mode)
					  ? gw_tuya_literal(e->t, r->cell[0].raw)
					  : NULL;
		const char *p = raw ? gw_tuya_point(dp, /* writable= */ true, &why) : NULL;
		if (p) {
			gw_set_text(b, gw_set_map(b, cap, "also"), p, raw);
			return;
		}
	}
}

static void brightness(struct gw_tuya_dp *dp)
{
	const char *address = NULL, *why = NULL;
	const struct gw_tuya_want w = {.cap = gw_capability_find(GW_STR("level.value")),
				       .scale = 100 / gw_tuya_full(dp, 255),
				       .unit = "%"};
	if (gw_tuya_as(dp, &w, &address, &why)) {
		gw_tuya_fate(dp, address, NULL);
	} else {
		gw_tuya_vendor(dp, dp->name, /* ro= */ false);
	}
}

/* In kelvin when its range can be one; else it is a scale of its own. */
static void temperature(struct gw_tuya_dp *dp)
{
	struct gw_tuya_cases cases;
	const char *address = NULL, *why = NULL;
	const struct gw_tuya_want w = {.cap = gw_capability_find(GW_STR("color.temperature")),
				       .unit = "K"};
	bool kelvin = gw_tuya_cases(dp, &cases);
	for (size_t i = 0; kelvin && i < cases.n; i++) {
		kelvin = cases.item[i].low >= 1000 && cases.item[i].high <= 20000;
	}
	if (kelvin && gw_tuya_as(dp, &w, &address, &why)) {
		gw_tuya_fate(dp, address, NULL);
	} else {
		gw_tuya_vendor(dp, dp->name, /* ro= */ false);
	}
}

static const struct gw_tuya_part parts[] = {
	{"switch", "switch.on", NULL, false, false, NULL},
	{"color_mode", "color.mode", NULL, false, true, NULL},
	{"color_mode", "color.effect", NULL, false, false, NULL},
	{"effect", "color.effect", NULL, false, false, NULL},
	{"named_color", "color.effect", NULL, false, false, NULL},
	{"minimum_brightness", "level.min", NULL, false, false, "%"},
};

void gw_tuya_light(struct gw_tuya_entity *e)
{
	static const struct {
		const char *dp;
		void (*take)(struct gw_tuya_dp *dp);
	} own[] = {{"brightness", brightness}, {"color_temp", temperature}, {"rgbhsv", colour}};
	static const struct gw_tuya_part display = {"switch", "display.on", NULL,
						    false,    false,	    NULL};
	bool is_display =
		strcmp(e->key, "display") == 0 || gw_str_glob(GW_STR("*display*"), gw_str(e->word));
	if (is_display && !gw_tuya_dp(e, "brightness")) {
		gw_tuya_parts(e, &display, 1, NULL);
	} else if (!e->config) {
		e->t->b->hints |= GW_HINT_LIGHT;
	}
	gw_tuya_parts(e, parts, gw_countof(parts), NULL);
	for (size_t i = 0; i < gw_countof(own); i++) {
		struct gw_tuya_dp *dp = gw_tuya_dp(e, own[i].dp);
		if (dp && !dp->told && !dp->hidden) {
			own[i].take(dp);
		}
	}
	set_mode_too(e, "color.hue", "hs");
	set_mode_too(e, "color.saturation", "hs");
	set_mode_too(e, "color.temperature", "color_temp");
}
