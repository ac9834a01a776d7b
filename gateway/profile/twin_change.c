/* What changes a twin (profile-language §13): a message that arrives, somebody at the appliance itself; and what it answers. */
#include <errno.h>

#include "profile/compose.h"
#include "profile/twin.h"

GW_DEFINE_AUTO(struct gw_arena, gw_arena_free)

/* --- what arrives --- */

struct arrival {
	struct gw_twin *t;
	struct gw_arena *a;
	uint64_t *points;  /* that the message set */
	uint64_t *replies; /* messages to answer with */
};

/* How much of a fixed tree stands in a body; −1 when something else does. */
static int likeness(const struct gw_node *fixed, const struct gw_node *body)
{
	int n = 0;
	if (!body) {
		return -1;
	}
	if (fixed->type != GW_NODE_MAP) {
		return gw_node_equal(fixed, body) ? 1 : -1;
	}
	gw_member_for(m, fixed)
	{
		int r = likeness(m, gw_node_get_str(body, m->key)); /* as deep as the profile */
		if (r < 0) {
			return r;
		}
		n += r;
	}
	return n;
}

/* The base with what the points of the message changed in it. */
static int rank_base(struct gw_arena *a, const struct gw_pl_msg *m, const struct gw_twin_body *body)
{
	struct gw_node *base = gw_node_copy(a, m->base);
	for (uint16_t i = 0; base && i < m->n_outs; i++) {
		const struct gw_ref *ref = m->outs[i].ref;
		const struct gw_node *v =
			ref->kind == GW_REF_TREE ? gw_path_get(body->tree, ref) : NULL;
		struct gw_node *copy = v ? gw_node_copy(a, v) : NULL;
		if (copy) {
			gw_ignore(gw_path_set(a, &base, ref, copy)); /* else it is not alike */
		}
	}
	return base ? likeness(base, body->tree) : -1;
}

/* Does the arrived body belong to this message? −1: no; else the higher the surer. */
static int rank_fixed(const struct gw_pl_msg *m, const struct gw_twin_body *body)
{
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_BODY_BYTES);
	GW_AUTO(gw_buf_fini) struct gw_buf bytes = GW_BUF_INIT(GW_BODY_BYTES);
	if (body->tree && m->body->type != GW_NODE_TEXT) {
		return gw_node_equal(m->body, body->tree) ? 1000 : -1;
	}
	if (gw_node_text_form(m->body, &text) < 0) {
		return -1;
	}
	struct gw_str wanted = gw_buf_str(&text);
	if (m->codec->bytes) {
		if (gw_hex_decode(wanted, &bytes) < 0) {
			return -1;
		}
		wanted = gw_buf_str(&bytes);
	}
	return gw_str_eq(wanted, body->bytes) ? 1000 : -1;
}

static int rank(struct gw_twin *t, struct gw_arena *a, const struct gw_pl_msg *m,
		const struct gw_twin_body *body)
{
	if (m->body) {
		return rank_fixed(m, body);
	}
	int like = m->base && body->tree ? rank_base(a, m, body) : 0;
	if (like < 0) {
		return like;
	}
	for (uint16_t i = 0; i < m->n_outs; i++) {
		struct gw_slot found = {.raw = {.type = GW_RAW_NULL}};
		int r = gw_twin_body_get(t, body, m->outs[i].ref,
					 &t->plan->points[m->outs[i].point], &found);
		gw_slot_fini(&found);
		if (r == 0) {
			return like + 1;
		}
	}
	return m->n_outs == 0 || m->n_layers > 0 ? like : -1;
}

static int take_outs(struct arrival *r, const struct gw_twin_body *body)
{
	struct gw_twin *t = r->t;
	for (uint16_t i = 0; i < body->m->n_outs; i++) {
		const struct gw_out *out = &body->m->outs[i];
		const struct gw_pl_point *p = &t->plan->points[out->point];
		int e = gw_twin_body_get(t, body, out->ref, p, &t->b->slots[out->point]);
		if (e == 0) {
			gw_bit_set(r->points, out->point);
		} else if (e == -ENOMEM) {
			return e;
		}
	}
	for (uint16_t i = 0; i < t->plan->n_msgs; i++) {
		const struct gw_pl_msg *layer = &t->plan->msgs[i];
		struct gw_twin_body inner;
		if (layer->from && &t->plan->msgs[layer->from->msg] == body->m &&
		    gw_twin_layer_open(r->a, body, layer, &inner) == 0) {
			int e = take_outs(r, &inner); /* at most GW_LAYER_DEPTH deep */
			if (e < 0) {
				return e;
			}
		}
	}
	return 0;
}

/* What the capability of a toggle reads now; -1: neither. */
static int toggle_reads(const struct gw_twin *t, const struct gw_pl_cap *cap)
{
	const struct gw_view view = gw_view_reported(t->b);
	struct gw_reading reading = {.x = {.type = GW_RAW_NULL}};
	cap->form->ops->read(cap->form, &view, &reading);
	return reading.x.type == GW_RAW_BOOL ? reading.x.flag : -1;
}

static bool turn_over(const struct gw_pl_point *p, struct gw_raw *raw)
{
	if (p->n_map == 2) {
		*raw = p->map[gw_raw_equal(raw, &p->map[0].raw) ? 1 : 0].raw;
	} else if (raw->type == GW_RAW_BOOL) {
		raw->flag = !raw->flag;
	} else if (raw->type == GW_RAW_NUMBER && (raw->number == 0 || raw->number == 1)) {
		raw->number = raw->number == 0;
	} else {
		return false;
	}
	return true;
}

/* One bit turns over: the only way in which a fixed message can change what we know of. */
static void invert(struct arrival *r, const struct gw_pl_cap *cap)
{
	struct gw_twin *t = r->t;
	const struct gw_toggle_form *f = gw_container(cap->form, const struct gw_toggle_form, form);
	if (f->n_points != 1) {
		return;
	}
	uint16_t point = f->points[0];
	struct gw_slot *slot = &t->b->slots[point];
	const struct gw_slot before = *slot;
	const int was = toggle_reads(t, cap);
	struct gw_raw raw = before.raw;
	if (was < 0 || !turn_over(&t->plan->points[point], &raw)) {
		return;
	}
	*slot = (struct gw_slot){.raw = raw}; /* looked at only */
	bool turned = toggle_reads(t, cap) == !was;
	*slot = before;
	if (turned && gw_twin_set_point(t, point, &raw) == 0) {
		gw_bit_set(r->points, point);
	}
}

static int take(struct arrival *r, uint16_t msg, const struct gw_twin_body *body)
{
	struct gw_twin *t = r->t;
	const struct gw_pl_msg *m = &t->plan->msgs[msg];
	for (uint16_t i = 0; i < t->plan->n_caps; i++) {
		const struct gw_form *form = t->plan->caps[i].form;
		if (form->ops == &gw_form_toggle &&
		    gw_container(form, const struct gw_toggle_form, form)->msg == msg) {
			invert(r, &t->plan->caps[i]);
		}
	}
	if (m->reply != GW_NO_INDEX) {
		gw_bit_set(r->replies, t->plan->msgs[m->reply].root);
	}
	return take_outs(r, body);
}

/* The replies, and every message that carries a point that was set. A point for one command returns to its init. */
static void answer(struct arrival *r)
{
	struct gw_twin *t = r->t;
	gw_ignore(gw_binding_recompute(t->b)); /* without memory a list value stays as it was */
	for (uint16_t i = 0; i < t->plan->n_msgs; i++) {
		const struct gw_pl_msg *m = &t->plan->msgs[i];
		if (m->info.parent < 0 &&
		    (gw_bit_test(r->replies, i) || gw_twin_carries(t, m, r->points))) {
			gw_twin_emit(t, i);
		}
	}
	for (uint16_t i = 0; i < t->plan->n_points; i++) {
		const struct gw_pl_point *p = &t->plan->points[i];
		if (gw_bit_test(r->points, i) && (p->oneshot || t->points[i].event)) {
			struct gw_raw rest =
				p->has_init ? p->init : (struct gw_raw){.type = GW_RAW_NULL};
			gw_ignore(gw_slot_set(&t->b->slots[i], &rest)); /* shared text or number */
		}
	}
	gw_ignore(gw_binding_recompute(t->b));
}

static int arrival_init(struct arrival *r, struct gw_twin *t, struct gw_arena *a)
{
	*r = (struct arrival){.t = t, .a = a};
	r->points = gw_arena_alloc(a, (t->plan->point_words + 1) * sizeof(uint64_t));
	r->replies = gw_arena_alloc(a, (gw_words(t->plan->n_msgs) + 1) * sizeof(uint64_t));
	return r->points && r->replies ? 0 : -ENOMEM;
}

void gw_twin_receive(struct gw_twin *t, struct gw_str channel, struct gw_str body)
{
	GW_AUTO(gw_arena_free_auto)
	struct gw_arena *a = gw_arena_new(
		4 * GW_TWIN_ARENA_BYTES); /* parsed again for each message of the channel */
	struct arrival r;
	int best = -1;
	if (!a || arrival_init(&r, t, a) < 0) {
		return; /* lost, as on a real network */
	}
	for (int pass = 0; pass < 2; pass++) { /* find the surest, then take all that are as sure */
		for (uint16_t i = 0; i < t->plan->n_msgs; i++) {
			struct gw_twin_body parsed;
			if (!t->heard[i] || !gw_str_is(channel, t->heard[i]) ||
			    gw_twin_body_parse(a, &t->plan->msgs[i], body, &parsed) < 0) {
				continue;
			}
			int sure = rank(t, a, &t->plan->msgs[i], &parsed);
			if (pass == 0) {
				best = sure > best ? sure : best;
			} else if (sure >= 0 && sure == best && take(&r, i, &parsed) < 0) {
				return;
			}
		}
	}
	answer(&r);
}

/* --- by hand --- */

static int raw_of_node(const struct gw_node *n, struct gw_raw *ret_raw, struct gw_text **ret_text)
{
	switch (n->type) {
	case GW_NODE_NULL: return -EINVAL;
	case GW_NODE_BOOL:
		*ret_raw = (struct gw_raw){.type = GW_RAW_BOOL, .flag = n->flag};
		return 0;
	case GW_NODE_NUMBER: *ret_raw = gw_raw_number(n->number); return 0;
	case GW_NODE_TEXT:
		*ret_text = gw_text_new(n->text);
		*ret_raw = (struct gw_raw){.type = GW_RAW_TEXT, .text = *ret_text};
		return *ret_text ? 0 : -ENOMEM;
	case GW_NODE_LIST:
	case GW_NODE_MAP: *ret_raw = (struct gw_raw){.type = GW_RAW_TREE, .tree = n}; return 0;
	}
	return -EINVAL;
}

/* A point that only the device writes: the value goes backwards through its map or scale, the raw of a number keeps its decimals. */
static int set_reported(struct arrival *r, const struct gw_pl_cap *cap, uint16_t point,
			const struct gw_raw *v)
{
	struct gw_twin *t = r->t;
	const struct gw_pl_point *p = &t->plan->points[point];
	struct gw_raw raw = *v;
	double number;
	if (v->type == GW_RAW_NUMBER && !p->has_map) {
		if (gw_twin_solve(t, cap, v->number, &number) < 0) {
			return -EINVAL;
		}
		raw = gw_raw_number(number);
	} else if (gw_point_encode(t->plan, p, v, r->a, &raw)) {
		return -EINVAL;
	}
	int e = gw_twin_set_point(t, point, &raw);
	if (e == 0) {
		gw_bit_set(r->points, point);
	}
	return e;
}

/* A row of a table whose value is wanted, for tables that are only read. */
static int set_row(struct arrival *r, const struct gw_pl_cap *cap, const struct gw_node *value)
{
	gw_item_for(row, gw_node_get(cap->node, "rows"))
	{
		bool map = row->type == GW_NODE_MAP;
		const struct gw_node *shown = map ? gw_node_get(row, "value") : row->last;
		const struct gw_node *cells = map ? gw_node_get(row, "cells") : row;
		const struct gw_node *cell = gw_node_at(cells, 0);
		cell = cell && cell->type == GW_NODE_LIST ? cell->first : cell;
		struct gw_raw v;
		struct gw_text *text = NULL;
		if (!gw_node_equal(shown, value) || !cell || cell->type == GW_NODE_NULL ||
		    raw_of_node(cell, &v, &text) < 0) {
			continue;
		}
		const struct gw_pl_point *p = &r->t->plan->points[cap->points[0]];
		struct gw_raw raw = v;
		int e = gw_point_encode(r->t->plan, p, &v, r->a, &raw)
				? -EINVAL
				: gw_twin_set_point(r->t, cap->points[0], &raw);
		gw_text_unref(text);
		if (e == 0) {
			gw_bit_set(r->points, cap->points[0]);
		}
		return e;
	}
	return -EINVAL;
}

/* What a person does at the appliance itself: the raws that a command would have brought. */
static int set_written(struct arrival *r, uint16_t cap, const struct gw_node *value,
		       struct gw_write_error *error)
{
	struct gw_twin *t = r->t;
	struct gw_writing w = {0};
	int e = gw_writing_init(&w, t->b, /* now_ms= */ 0, r->a, error);
	e = e < 0 ? e : gw_write_cap(&w, cap, value);
	for (uint16_t i = 0; e == 0 && i < t->plan->n_points; i++) {
		if (gw_bit_test(w.assigned, i)) {
			e = gw_twin_set_point(t, i, &w.slots[i].raw);
			gw_bit_set(r->points, i);
		}
	}
	if (e == 0 && w.n_toggled > 0) {
		invert(r, &t->plan->caps[cap]);
	}
	gw_writing_fini(&w);
	return e;
}

static int set_unwritten(struct arrival *r, const struct gw_pl_cap *cap,
			 const struct gw_node *value)
{
	struct gw_raw v;
	struct gw_text *text = NULL;
	const struct gw_event_form *event =
		cap->form->ops == &gw_form_event
			? gw_container(cap->form, const struct gw_event_form, form)
			: NULL;
	uint16_t point = event ? event->point : cap->n_points == 1 ? cap->points[0] : GW_NO_INDEX;
	if (point == GW_NO_INDEX) {
		return -EINVAL;
	}
	if (cap->form->ops == &gw_form_table) {
		return set_row(r, cap, value);
	}
	int e = raw_of_node(value, &v, &text);
	if (e == 0 && event && event->n_only > 0 && !gw_raw_in(&v, event->only, event->n_only)) {
		e = -EINVAL; /* the profile does not look at it */
	}
	e = e < 0 ? e : set_reported(r, cap, point, &v);
	gw_text_unref(text);
	return e;
}

static int set_one(struct arrival *r, struct gw_str address, const struct gw_node *value,
		   struct gw_error *reterr_)
{
	struct gw_twin *t = r->t;
	struct gw_write_error refused = {.code = "readonly",
					 .text = "it does not follow from one point"};
	int index = gw_plan_find_cap(t->plan, address);
	if (index < 0) {
		return gw_error_set(reterr_, -ENOENT, "ref", "no capability \"%.*s\"",
				    GW_STR_ARG(gw_str_sub(address, 0, 80)));
	}
	const struct gw_pl_cap *cap = &t->plan->caps[index];
	int e = cap->info.writable ? set_written(r, (uint16_t)index, value, &refused)
				   : set_unwritten(r, cap, value);
	if (e < 0) {
		return e == -ENOMEM ? e
				    : gw_error_set(reterr_, -EINVAL, refused.code, "%s: %s",
						   cap->info.address, refused.text);
	}
	for (size_t i = 0; i < t->n_drifts; i++) { /* from now on it moves around what was set */
		if (value->type == GW_NODE_NUMBER && t->drifts[i].cap == index) {
			t->drifts[i].base = value->number;
		}
	}
	return 0;
}

int gw_twin_set(struct gw_twin *t, struct gw_str address, const struct gw_node *value,
		struct gw_error *reterr_)
{
	GW_AUTO(gw_arena_free_auto) struct gw_arena *a = gw_arena_new(GW_TWIN_ARENA_BYTES);
	struct arrival r;
	if (!a || arrival_init(&r, t, a) < 0) {
		return -ENOMEM;
	}
	int e = set_one(&r, address, value, reterr_);
	if (e == 0) {
		answer(&r);
	}
	return e;
}

int gw_twin_set_all(struct gw_twin *t, const struct gw_node *values, struct gw_error *reterr_)
{
	GW_AUTO(gw_arena_free_auto) struct gw_arena *a = gw_arena_new(GW_TWIN_ARENA_BYTES);
	struct arrival r;
	int e = a ? arrival_init(&r, t, a) : -ENOMEM;
	if (e < 0) {
		return e;
	}
	gw_member_for(value, values)
	{
		e = e < 0 ? e : set_one(&r, value->key, value, reterr_);
	}
	answer(&r); /* also of what came before a refusal */
	return e;
}
