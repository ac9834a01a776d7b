/* What names mean at run time, conditions, and reading a capability (profile-language §9): avail, form, type. */
#include <errno.h>

#include "gw/alloc.h"
#include "gw/json.h"
#include "profile/plan.h"

/* --- names --- */

static struct gw_raw text_raw(struct gw_text *t)
{
	return t ? (struct gw_raw){.type = GW_RAW_TEXT, .text = t}
		 : (struct gw_raw){.type = GW_RAW_NULL};
}

static struct gw_raw value_raw(const struct gw_pl_cap *cap, const struct gw_value *v)
{
	static const struct gw_node tree = {
		.type = GW_NODE_LIST}; /* lists count only as not null (§12) */
	switch (v->type) {
	case GW_VALUE_NONE: break;
	case GW_VALUE_BOOL: return (struct gw_raw){.type = GW_RAW_BOOL, .flag = v->flag};
	case GW_VALUE_NUMBER: return gw_raw_number(gw_count_value(v->count, cap->info.domain.res));
	case GW_VALUE_SYMBOL:
	case GW_VALUE_TEXT: return text_raw(v->text);
	case GW_VALUE_TREE: return (struct gw_raw){.type = GW_RAW_TREE, .tree = &tree};
	}
	return (struct gw_raw){.type = GW_RAW_NULL};
}

static struct gw_raw cap_raw(const struct gw_view *v, uint16_t index)
{
	const struct gw_pl_cap *cap = &v->plan->caps[index];
	if (v->values) {
		return value_raw(cap, &v->values[index]);
	}
	struct gw_view inner = *v;
	struct gw_reading r;
	enum gw_quality quality;
	inner.depth++;
	if (inner.depth > GW_CAP_DEPTH) { /* the compiler refuses longer chains */
		return (struct gw_raw){.type = GW_RAW_NULL};
	}
	gw_cap_read(&inner, cap, &r, &quality);
	return r.x;
}

struct gw_raw gw_view_name(const struct gw_view *v, enum gw_name_kind kind, uint16_t index)
{
	switch (kind) {
	case GW_NAME_ARG: return v->args ? v->args[index] : (struct gw_raw){.type = GW_RAW_NULL};
	case GW_NAME_WANTED: return v->wanted;
	case GW_NAME_POINT: return gw_view_point(v, index);
	case GW_NAME_VAR: return text_raw(v->vars ? v->vars[index] : NULL);
	case GW_NAME_CAP: return cap_raw(v, index);
	}
	return (struct gw_raw){.type = GW_RAW_NULL};
}

static struct gw_raw fetch(void *ctx, enum gw_name_kind kind, uint16_t index)
{
	return gw_view_name(ctx, kind, index);
}

struct gw_raw gw_view_expr(const struct gw_view *v, const struct gw_expr *e)
{
	struct gw_view copy = *v; /* the evaluator's context is not const */
	const struct gw_expr_env env = {.fetch = fetch, .ctx = &copy};
	return gw_expr_eval(e, &env);
}

bool gw_cond_holds(const struct gw_cond *c, const struct gw_view *v)
{
	if (!c) {
		return true;
	}
	if (c->expr) {
		struct gw_raw r = gw_view_expr(v, c->expr);
		return (r.type == GW_RAW_BOOL && r.flag) ||
		       (r.type == GW_RAW_NUMBER && r.number != 0);
	}
	for (uint16_t i = 0; i < c->n_terms; i++) {
		const struct gw_cond_term *t = &c->terms[i];
		struct gw_raw r = gw_view_name(v, t->kind, t->index);
		if (!gw_raw_in(&r, t->values, t->n_values)) {
			return false;
		}
	}
	return c->constant;
}

/* --- reading --- */

static bool in_domain(const struct gw_pl_cap *cap, struct gw_raw *x)
{
	for (uint16_t i = 0; i < cap->n_symbols; i++) {
		if (cap->symbols[i] == x->text) {
			return true;
		}
	}
	for (uint16_t i = 0; i < cap->n_symbols; i++) {
		if (gw_str_eq(gw_text_str(cap->symbols[i]), gw_text_str(x->text))) {
			x->text = cap->symbols[i];
			return true;
		}
	}
	return !cap->symbols;
}

/* There is no silent conversion between types. */
static bool fits(const struct gw_pl_cap *cap, struct gw_reading *r)
{
	struct gw_raw *x = &r->x;
	switch (cap->info.domain.type) {
	case GW_TYPE_BOOL: return x->type == GW_RAW_BOOL;
	case GW_TYPE_INT:
	case GW_TYPE_NUM:
	case GW_TYPE_TIME:
		if (x->type != GW_RAW_NUMBER ||
		    gw_quantise(x->number, cap->info.domain.res, &r->count) < 0) {
			return false;
		}
		x->number = gw_count_value(r->count, cap->info.domain.res);
		return true;
	case GW_TYPE_ENUM: return x->type == GW_RAW_TEXT && in_domain(cap, x);
	case GW_TYPE_STR: return x->type == GW_RAW_TEXT;
	case GW_TYPE_LIST:
		return (x->type == GW_RAW_TREE && x->tree->type == GW_NODE_LIST) ||
		       (x->type == GW_RAW_NUMBER && r->by->ops->list);
	case GW_TYPE_REC: return x->type == GW_RAW_TREE && x->tree->type == GW_NODE_MAP;
	case GW_TYPE_NONE: return x->type != GW_RAW_NULL;
	}
	return false;
}

void gw_cap_read(const struct gw_view *v, const struct gw_pl_cap *cap,
		 struct gw_reading *ret_reading, enum gw_quality *ret_quality)
{
	*ret_reading = (struct gw_reading){.x = {.type = GW_RAW_NULL}, .row = -1, .entry = -1};
	if (cap->avail && !gw_cond_holds(cap->avail, v)) {
		*ret_quality = GW_QUALITY_UNAVAILABLE;
		return;
	}
	cap->form->ops->read(cap->form, v, ret_reading);
	if (ret_reading->x.type != GW_RAW_NULL && !fits(cap, ret_reading)) {
		ret_reading->x = (struct gw_raw){.type = GW_RAW_NULL};
	}
	*ret_quality = ret_reading->x.type == GW_RAW_NULL ? GW_QUALITY_UNKNOWN : GW_QUALITY_OK;
}

/* --- storing --- */

static int store_text(enum gw_value_type type, struct gw_text *text, struct gw_value *slot)
{
	const struct gw_value v = {.type = type, .text = text};
	gw_value_set(slot, &v);
	return 0;
}

static int store_tree(const struct gw_reading *r, struct gw_buf *scratch, struct gw_value *slot)
{
	gw_buf_reset(scratch);
	if (r->x.type == GW_RAW_NUMBER) {
		r->by->ops->list(r->by, r->x.number, scratch);
	} else {
		gw_node_write(scratch, r->x.tree, /* source_order= */ false);
	}
	if (gw_buf_error(scratch)) {
		return gw_buf_error(scratch);
	}
	struct gw_str json = gw_buf_str(scratch);
	if (slot->type == GW_VALUE_TREE && gw_str_eq(gw_text_str(slot->text), json)) {
		return 0;
	}
	struct gw_text *t = gw_text_new(json);
	if (!t) {
		return -ENOMEM;
	}
	gw_value_fini(slot);
	*slot = (struct gw_value){.type = GW_VALUE_TREE, .text = t};
	return 0;
}

static int store_number(const struct gw_pl_cap *cap, const struct gw_reading *r,
			struct gw_value *slot)
{
	struct gw_value v = {.type = GW_VALUE_NUMBER, .count = r->count};
	if (slot->type == GW_VALUE_NUMBER && cap->info.domain.type != GW_TYPE_NONE) {
		slot->count = r->count;
		return 0;
	}
	if (cap->info.domain.type == GW_TYPE_NONE &&
	    gw_quantise(r->x.number, cap->info.domain.res, &v.count) < 0) {
		v.type = GW_VALUE_NONE;
	}
	gw_value_set(slot, &v);
	return 0;
}

int gw_cap_store(const struct gw_pl_cap *cap, const struct gw_reading *r, struct gw_buf *scratch,
		 struct gw_value *slot)
{
	bool list = r->by && r->by->ops->list;
	switch (r->x.type) {
	case GW_RAW_NULL: gw_value_fini(slot); return 0;
	case GW_RAW_BOOL: {
		const struct gw_value v = {.type = GW_VALUE_BOOL, .flag = r->x.flag};
		gw_value_set(slot, &v);
		return 0;
	}
	case GW_RAW_NUMBER: return list ? store_tree(r, scratch, slot) : store_number(cap, r, slot);
	case GW_RAW_TEXT:
		return store_text(cap->info.domain.type == GW_TYPE_ENUM ? GW_VALUE_SYMBOL
									: GW_VALUE_TEXT,
				  r->x.text, slot);
	case GW_RAW_TREE: return store_tree(r, scratch, slot);
	}
	return -EINVAL;
}
