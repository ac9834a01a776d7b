/* A dp as a capability of the model, as an extension, as an action or an event. */
#include <string.h>

#include "profile/import/tuya.h"
#include "profile/import/tuya_form.h"

static bool is_text(const struct gw_tuya_dp *dp)
{
	return (dp->type == GW_TUYA_STRING || dp->type == GW_TUYA_BASE64 ||
		dp->type == GW_TUYA_HEX || dp->type == GW_TUYA_UTF16 || dp->type == GW_TUYA_JSON) &&
	       !dp->mask;
}

static bool as_text(struct gw_tuya_dp *dp, bool writable, struct gw_node *cap, bool *ret_writable,
		    const char **ret_why)
{
	const char *p = is_text(dp) ? gw_tuya_point(dp, writable, ret_why) : NULL;
	if (p) {
		gw_set_text(dp->entity->t->b, cap, "point", p);
		*ret_writable = writable;
	}
	return p != NULL;
}

/* A number whose mapping lists what can be chosen, and nothing for the rest. */
static bool enumerates(struct gw_tuya_dp *dp)
{
	struct gw_tuya_rows rows;
	size_t choices = 0;
	gw_node_for(m, dp->mapping)
	{
		if (!gw_node_get(m, "dps_val")) {
			return false;
		}
	}
	for (size_t i = 0; dp->mapping && gw_tuya_rows(dp, &rows) && i < rows.n; i++) {
		choices += !rows.row[i].ro;
	}
	return choices > 1;
}

static bool build(struct gw_tuya_dp *dp, const struct gw_tuya_want *w, bool writable,
		  struct gw_node *cap, bool *ret_writable, const char **ret_why)
{
	switch (w->cap ? w->cap->type : w->type) {
	case GW_TYPE_BOOL:
	case GW_TYPE_ENUM:
	case GW_TYPE_LIST: return gw_tuya_discrete(dp, w, writable, cap, ret_writable, ret_why);
	case GW_TYPE_INT:
	case GW_TYPE_NUM:
	case GW_TYPE_TIME:
		return is_text(dp) || dp->type == GW_TUYA_BOOLEAN || enumerates(dp)
			       ? gw_tuya_discrete(dp, w, writable, cap, ret_writable, ret_why)
			       : gw_tuya_numeric(dp, w, writable, cap, ret_writable, ret_why) ||
					 (!*ret_why && dp->mapping &&
					  gw_tuya_discrete(dp, w, writable, cap, ret_writable,
							   ret_why));
	case GW_TYPE_STR: return as_text(dp, writable, cap, ret_writable, ret_why);
	case GW_TYPE_REC:
	case GW_TYPE_NONE: break;
	}
	return false;
}

/* Does a point of the form have an out? It may be missing: another capability writes these bits. */
static bool can_write(struct gw_tuya *t, const struct gw_node *form)
{
	const char *point = gw_node_text(form, "point");
	if (point) {
		const struct gw_node *p = gw_node_get(t->b->points, point);
		return gw_node_get(p, "out") != NULL;
	}
	gw_node_for(n, gw_node_get(form, "set"))
	{
		const struct gw_node *p = gw_node_get(t->b->points, n->key.p);
		if (!gw_node_get(p, "out")) {
			return false;
		}
	}
	return true;
}

struct gw_node *gw_tuya_as(struct gw_tuya_dp *dp, const struct gw_tuya_want *w,
			   const char **ret_address, const char **ret_why)
{
	struct gw_tuya_entity *e = dp->entity;
	struct gw_draft *b = e->t->b;
	bool may = gw_tuya_writes(dp) && !w->ro && (!w->cap || (w->cap->access & GW_ACCESS_WRITE));
	bool writable = false;
	struct gw_node *form = gw_node_new(b->a, GW_NODE_MAP);
	const char *hint = w->hint ? w->hint : e->label, *label = w->label ? w->label : e->label;
	*ret_why = NULL;
	if (!form) {
		b->failed = true;
		return NULL;
	}
	if (w->cap && w->main && gw_draft_has(b, e->component, w->cap->id)) {
		return NULL;
	}
	if (!w->cap) {
		gw_set_text(b, form, "type", gw_type_name(w->type));
		gw_set_text(b, form, "name", label);
	}
	if (!build(dp, w, may, form, &writable, ret_why)) {
		return NULL;
	}
	*ret_why = NULL;
	if (w->cap ? w->cap->profile_named : w->type == GW_TYPE_ENUM) {
		gw_tuya_list_symbols(e->t, form);
	}
	const char *id =
		w->cap ? w->cap->id : gw_draft_extension(b, e->component, w->id ? w->id : label);
	struct gw_node *c = gw_tuya_cap(e, hint, label, id, w->main, ret_address);
	if (!c) {
		return NULL;
	}
	gw_node_for(n, form)
	{
		gw_set_node(b, c, n->key.p, gw_copy(b, n));
	}
	if (!writable || !can_write(e->t, form)) {
		gw_set_bool(b, c, "ro", true);
		if (may) {
			gw_draft_note(b, "%s: shown, not written: its mapping has no inverse",
				      dp->name);
		}
	}
	gw_tuya_avail(e, c);
	return c;
}

bool gw_tuya_standard(struct gw_tuya_dp *dp, const char *id, bool ro, const char *map)
{
	struct gw_tuya *t = dp->entity->t;
	struct gw_tuya_want w = {.cap = gw_capability_find(gw_str(id)), .ro = ro, .on = NULL};
	const char *bar = map ? strchr(map, '|') : NULL, *address = NULL, *why = NULL;
	if (!w.cap) {
		return false;
	}
	if (bar) {
		w.on = gw_draft_printf(t->b, "%.*s", (int)(bar - map), map);
		w.off = bar + 1;
	} else {
		w.on = map;
	}
	if (w.cap->kind == GW_KIND_EVENT) {
		if (!gw_tuya_event(dp, id, &address)) {
			return false;
		}
	} else if (w.cap->kind == GW_KIND_ACTION || !gw_tuya_as(dp, &w, &address, &why)) {
		return false;
	}
	gw_tuya_fate(dp, address, NULL);
	return true;
}

static enum gw_type own_type(struct gw_tuya_dp *dp)
{
	struct gw_tuya_rows rows;
	bool enumerates = dp->mapping && gw_tuya_rows(dp, &rows) && !rows.open;
	size_t truths = 0, numbers = 0, values = 0;
	for (size_t i = 0; enumerates && i < rows.n; i++) {
		const struct gw_node *v = rows.row[i].value;
		truths += v && v->type == GW_NODE_BOOL;
		numbers += v && v->type == GW_NODE_NUMBER;
		values += v && rows.row[i].cell[0].raw;
	}
	if (enumerates && values > 0) {
		return truths == values	   ? GW_TYPE_BOOL
		       : numbers == values ? GW_TYPE_NUM
					   : GW_TYPE_ENUM;
	}
	return dp->type == GW_TUYA_BOOLEAN ? GW_TYPE_BOOL : is_text(dp) ? GW_TYPE_STR : GW_TYPE_NUM;
}

void gw_tuya_vendor(struct gw_tuya_dp *dp, const char *name, bool ro)
{
	const char *address = NULL, *why = NULL, *first = NULL;
	struct gw_draft *b = dp->entity->t->b;
	struct gw_tuya_want w = {.type = own_type(dp), .id = name, .ro = ro, .label = name};
	if (w.type == GW_TYPE_NUM && dp->type == GW_TUYA_TIME) {
		w.ro = true;
	}
	struct gw_node *c = gw_tuya_as(dp, &w, &address, &first);
	if (!c && w.type != GW_TYPE_STR && is_text(dp)) { /* what its mapping says is lost */
		w.type = GW_TYPE_STR;
		c = gw_tuya_as(dp, &w, &address, &why);
	} else if (!c && w.type != GW_TYPE_NUM && !is_text(dp) && dp->type != GW_TUYA_BOOLEAN) {
		w.type = GW_TYPE_NUM;
		c = gw_tuya_as(dp, &w, &address, &why);
	} else if (!c) {
		first = first ? first : "a value of no type";
	}
	if (c && first) {
		gw_draft_note(b, "%s: %s: as it comes", dp->name, first);
	}
	gw_tuya_fate(dp, c ? address : NULL, c ? NULL : first ? first : "a value of no type");
}

/* --- what is not a value --- */

static struct gw_node *const_action(struct gw_tuya_dp *dp, const char *id, const char *point,
				    const char *literal, const char **ret_address)
{
	struct gw_tuya_entity *e = dp->entity;
	struct gw_draft *b = e->t->b;
	struct gw_node *c = gw_tuya_cap(e, e->label, e->label, id, false, ret_address);
	if (c) {
		gw_set_text(b, gw_set_map(b, c, "action"), point, literal);
		if (gw_draft_is_extension(id)) {
			gw_set_text(b, c, "name", e->label);
		}
		gw_tuya_avail(e, c);
	}
	return c;
}

static bool has_out(const struct gw_tuya *t, const char *point)
{
	const struct gw_node *p = gw_node_get(t->b->points, point);
	return gw_node_get(p, "out") != NULL;
}

bool gw_tuya_action(struct gw_tuya_dp *dp, const char *id, const struct gw_node *raw,
		    const char **ret_address)
{
	struct gw_tuya *t = dp->entity->t;
	const char *why = NULL, *literal = raw ? gw_tuya_literal(t, raw) : NULL;
	const char *point = literal ? gw_tuya_point(dp, /* writable= */ true, &why) : NULL;
	return point && has_out(t, point) && const_action(dp, id, point, literal, ret_address);
}

bool gw_tuya_choice_action(struct gw_tuya_dp *dp, const char *id, const char *arg,
			   const char **ret_address)
{
	struct gw_tuya *t = dp->entity->t;
	struct gw_draft *b = t->b;
	struct gw_tuya_rows rows;
	const char *why = NULL, *expr = NULL;
	struct gw_node *words = gw_node_new(b->a, GW_NODE_LIST);
	if (!gw_tuya_rows(dp, &rows)) {
		return false;
	}
	for (size_t i = rows.n; i-- > 0;) {
		const struct gw_tuya_row *r = &rows.row[i];
		const char *raw = !r->ro && r->n == 1 && !r->cell[0].mask && !dp->bits
					  ? gw_tuya_literal(t, r->cell[0].raw)
					  : NULL;
		if (!raw || rows.n > 14) {
			continue;
		}
		const char *word = gw_tuya_symbol(t, NULL, r->value);
		expr = expr ? gw_draft_printf(b, "%s == '%s' ? %s : %s", arg, word, raw, expr)
			    : raw;
		gw_add_text(b, words, gw_str(word));
	}
	const char *point = expr ? gw_tuya_point(dp, /* writable= */ true, &why) : NULL;
	struct gw_node *c =
		point && has_out(t, point) ? const_action(dp, id, point, expr, ret_address) : NULL;
	if (!c) {
		return false;
	}
	struct gw_node *args = gw_set_map(b, gw_set_map(b, c, "args"), arg);
	gw_set_text(b, args, "type", "enum");
	gw_set_node(b, args, "enum", words);
	return true;
}

bool gw_tuya_event(struct gw_tuya_dp *dp, const char *id, const char **ret_address)
{
	struct gw_tuya_entity *e = dp->entity;
	struct gw_draft *b = e->t->b;
	const struct gw_capability *cap = gw_capability_find(gw_str(id));
	const char *point = NULL;
	struct gw_tuya_rows rows;
	bool open = !gw_tuya_rows(dp, &rows) || rows.open;
	struct gw_node *p = gw_tuya_own_point(dp, &point);
	struct gw_node *map = gw_node_new(b->a, GW_NODE_MAP);
	for (size_t i = 0; p && map && i < rows.n; i++) {
		const struct gw_tuya_row *r = &rows.row[i];
		open |= r->other || r->n != 1 || r->cell[0].mask || dp->bits;
		if (open || !r->value || r->cell[0].raw->type == GW_NODE_LIST ||
		    r->cell[0].raw->type == GW_NODE_NULL) {
			continue;
		}
		const char *symbol =
			gw_tuya_symbol(e->t, cap && cap->n_symbols ? cap : NULL, r->value);
		GW_AUTO(gw_buf_fini) struct gw_buf key = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
		if (symbol && gw_node_text_form(r->cell[0].raw, &key) == 0 && !gw_buf_error(&key)) {
			gw_set_text(b, map, key.p ? key.p : "", symbol);
		}
	}
	bool mapped = !open && map && map->count > 0;
	if (!p || (cap && cap->n_symbols && !mapped)) {
		return false;
	}
	if (mapped) {
		gw_set_node(b, p, "map", map);
	}
	struct gw_node *c = gw_tuya_cap(e, e->label, e->label, id, false, ret_address);
	if (c) {
		gw_set_text(b, gw_set_map(b, c, "event"), "point", point);
		if (gw_draft_is_extension(id)) {
			gw_set_text(b, c, "name", e->label);
		}
	}
	return c != NULL;
}

/* --- available --- */

void gw_tuya_avail(struct gw_tuya_entity *e, struct gw_node *cap)
{
	struct gw_tuya_dp *dp = gw_tuya_dp(e, "available");
	struct gw_tuya_rows rows;
	const char *expr = "false", *why = NULL;
	if (!dp || !cap || gw_node_get(cap, "avail")) {
		return;
	}
	if (!gw_tuya_rows(dp, &rows) || rows.n > 12) {
		const char *p = dp->mapping ? NULL : gw_tuya_point(dp, false, &why);
		if (p) {
			gw_set_text(e->t->b, cap, "avail", p);
		}
		return;
	}
	for (size_t i = rows.n; i-- > 0;) {
		const struct gw_tuya_row *r = &rows.row[i];
		const char *cond = gw_tuya_cells_expr(e->t, r->cell, r->n);
		bool yes = r->value && r->value->type == GW_NODE_BOOL && r->value->flag;
		if (!cond) {
			return;
		}
		expr = strcmp(cond, "true") == 0 ? (yes ? "true" : "false")
						 : gw_draft_printf(e->t->b, "%s ? %s : %s", cond,
								   yes ? "true" : "false", expr);
	}
	gw_set_text(e->t->b, cap, "avail", expr);
}

/* --- faults --- */

/* Symbols of bits: from a dp `description` of the same id, or the mapping itself. */
static struct gw_node *bit_symbols(struct gw_tuya_dp *dp)
{
	struct gw_tuya *t = dp->entity->t;
	struct gw_node *flags = gw_node_new(t->b->a, GW_NODE_MAP);
	for (size_t i = 0; flags && i < dp->entity->n; i++) {
		struct gw_tuya_dp *d = &dp->entity->dp[i];
		if (strcmp(d->id, dp->id) != 0 || d->mask) {
			continue;
		}
		gw_node_for(m, d->mapping)
		{
			const struct gw_node *n = gw_node_get(m, "dps_val"),
					     *v = gw_node_get(m, "value");
			for (int bit = 0; n && v && v->type == GW_NODE_TEXT && bit <= 52 &&
					  n->type == GW_NODE_NUMBER;
			     bit++) {
				const char *key = gw_draft_printf(t->b, "%d", bit);
				if (n->number == (double)(UINT64_C(1) << bit) &&
				    !gw_node_get(flags, key)) {
					gw_set_text(t->b, flags, key, gw_tuya_symbol(t, NULL, v));
				}
			}
		}
	}
	return flags && flags->count > 0 ? flags : NULL;
}

struct gw_node *gw_tuya_faults(struct gw_tuya_dp *dp, const char **ret_address)
{
	struct gw_tuya_entity *e = dp->entity;
	const char *why = NULL;
	struct gw_node *flags = dp->type == GW_TUYA_BITFIELD ? bit_symbols(dp) : NULL;
	const char *point = flags ? gw_tuya_point(dp, /* writable= */ false, &why) : NULL;
	if (!point) {
		const struct gw_tuya_want w = {.cap = gw_capability_find(GW_STR("fault.active")),
					       .ro = true};
		return gw_tuya_as(dp, &w, ret_address, &why);
	}
	struct gw_node *c = gw_tuya_cap(e, e->label, e->label, "fault.active", false, ret_address);
	if (c) {
		gw_set_text(e->t->b, c, "point", point);
		gw_set_node(e->t->b, c, "flags", flags);
		gw_set_bool(e->t->b, c, "ro", true);
		gw_tuya_avail(e, c);
	}
	return c;
}
