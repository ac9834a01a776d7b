/*
 * The device side of a profile (profile-language §13). The state is the slots of a binding of our own: what arrives is taken at the out
 * references, what is reported is written at the in references of the body that the tests last showed.
 */
#include "profile/twin.h"

#include <errno.h>
#include <stdio.h>

#include "gw/alloc.h"
#include "profile/compose.h"
#include "profile/source.h"

GW_DEFINE_AUTO(struct gw_arena, gw_arena_free)

/* --- life --- */

static void free_channels(char **list, size_t n)
{
	for (size_t i = 0; list && i < n; i++) {
		gw_free(list[i]);
	}
	gw_free(list);
}

void gw_twin_free(struct gw_twin *t)
{
	if (!t) {
		return;
	}
	if (t->plan) {
		free_channels(t->sent, t->plan->n_msgs);
		free_channels(t->heard, t->plan->n_msgs);
	}
	gw_free(t->points);
	gw_free(t->models);
	gw_free(t->drifts);
	gw_vars_fini(&t->vars);
	gw_binding_free(t->b);
	gw_plan_unref(t->plan);
	gw_arena_free(t->arena);
	gw_profile_unref(t->profile);
	gw_free(t);
}

/* *ret_channel stays NULL for none, and for one with an unbound variable. */
static int expand(const struct gw_twin *t, const char *channel, char **ret_channel)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(GW_TOPIC_BYTES);
	int r = channel ? gw_binding_channel(t->b, channel, &b) : -ENOENT;
	if (r < 0) {
		return r == -ENOMEM ? r : 0;
	}
	*ret_channel = gw_buf_take(&b);
	return *ret_channel ? 0 : -ENOMEM;
}

/* The channel on which a message leaves the device: one without wildcards, else the answer to a request. */
static const char *report_channel(const struct gw_msg_info *m)
{
	for (uint16_t i = 0; i < m->n_rx; i++) {
		if (!strpbrk(m->rx[i], "+#")) {
			return m->rx[i];
		}
	}
	return m->get;
}

static int add_channels(struct gw_twin *t)
{
	t->sent = gw_array(char *, t->plan->n_msgs);
	t->heard = gw_array(char *, t->plan->n_msgs);
	if (!t->sent || !t->heard) {
		return -ENOMEM;
	}
	for (uint16_t i = 0; i < t->plan->n_msgs; i++) {
		const struct gw_msg_info *m = &t->plan->msgs[i].info;
		int r = expand(t, report_channel(m), &t->sent[i]);
		r = r < 0 ? r : expand(t, m->tx, &t->heard[i]);
		if (r < 0) {
			return r;
		}
		bool known = !t->heard[i] || t->n_filters == GW_TWIN_FILTERS;
		for (size_t k = 0; k < t->n_filters && !known; k++) {
			known = strcmp(t->filters[k], t->heard[i]) == 0;
		}
		if (!known) {
			t->filters[t->n_filters++] = t->heard[i];
		}
	}
	return 0;
}

static int start(struct gw_twin *t, const struct gw_vars *vars, struct gw_error *reterr_)
{
	int r = gw_vars_copy(&t->vars, vars);
	r = r < 0 ? r : gw_twin_borrow_vars(t);
	r = r < 0 ? r : gw_profile_complete_vars(t->profile, &t->vars, reterr_);
	r = r < 0 ? r : gw_plan_get(t->profile, &t->vars, &t->plan, reterr_);
	r = r < 0 ? r : gw_binding_new(t->plan, &t->vars, &t->b, reterr_);
	if (r < 0) {
		return r;
	}
	t->points = gw_array(struct gw_twin_point, (size_t)t->plan->n_points + 1);
	t->models = gw_array(struct gw_twin_body, (size_t)t->plan->n_msgs + 1);
	if (!t->points || !t->models) {
		return -ENOMEM;
	}
	r = add_channels(t);
	r = r < 0 ? r : gw_twin_learn(t);
	return r < 0 ? r : gw_twin_drift_new(t);
}

int gw_twin_new(struct gw_profile *p, const struct gw_vars *vars, uint64_t seed,
		const struct gw_twin_ops *ops, void *ctx, struct gw_twin **ret_twin,
		struct gw_error *reterr_)
{
	struct gw_twin *t = gw_new(struct gw_twin);
	if (!t) {
		return gw_error_set(reterr_, -ENOMEM, "memory", "out of memory");
	}
	t->profile = gw_profile_ref(p);
	t->ops = ops;
	t->ctx = ctx;
	t->seed = seed * UINT64_C(0x9E3779B97F4A7C15) + 1; /* never 0 */
	t->arena = gw_arena_new(GW_PLAN_BYTES);
	int r = t->arena ? start(t, vars, reterr_) : -ENOMEM;
	if (r < 0) {
		gw_twin_free(t);
		return r == -ENOMEM ? gw_error_set(reterr_, r, "memory", "out of memory") : r;
	}
	*ret_twin = t;
	return 0;
}

const char *gw_twin_filter(const struct gw_twin *t, size_t i)
{
	return i < t->n_filters ? t->filters[i] : NULL;
}

/* --- reporting --- */

/* Where the body has the point already, else where the profile looks first. */
static const struct gw_ref *place_of(struct gw_twin *t, const struct gw_twin_body *body,
				     const struct gw_msg_point *mp)
{
	const struct gw_extract *e = &body->m->extracts[mp->first];
	for (uint16_t k = 0; k < mp->n; k++) {
		struct gw_slot found = {.raw = {.type = GW_RAW_NULL}};
		int r = gw_twin_body_get(t, body, e[k].ref, &t->plan->points[mp->point], &found);
		gw_slot_fini(&found);
		if (r == 0) {
			return e[k].ref;
		}
	}
	return e[0].ref;
}

static bool same_place(const struct gw_ref *x, const struct gw_ref *y)
{
	if (x->kind != y->kind || x->n_steps != y->n_steps || x->byte != y->byte) {
		return false;
	}
	for (uint16_t i = 0; i < x->n_steps; i++) {
		if (x->steps[i].select || y->steps[i].select ||
		    !gw_str_eq(gw_text_str(x->steps[i].key), gw_text_str(y->steps[i].key))) {
			return false;
		}
	}
	return true;
}

/* Makes the filter hold. -ENOENT: a point stands there and says otherwise, so it is not the time for this message. */
static int satisfy(struct gw_twin *t, struct gw_arena *a, struct gw_twin_body *body,
		   const struct gw_filter *f)
{
	const struct gw_pl_msg *m = body->m;
	const struct gw_ref *ref = m->extracts[f->extract].ref;
	struct gw_slot found = {.raw = {.type = GW_RAW_NULL}};
	int r = gw_twin_body_get(t, body, ref, /* p= */ NULL, &found);
	bool holds = r == 0 && gw_raw_in(&found.raw, f->values, f->n_values);
	gw_slot_fini(&found);
	if (holds || f->n_values == 0) {
		return 0;
	}
	for (uint16_t i = 0; i < m->n_points; i++) {
		for (uint16_t k = 0; k < m->points[i].n; k++) {
			if (same_place(ref, m->extracts[m->points[i].first + k].ref)) {
				return -ENOENT;
			}
		}
	}
	return gw_twin_body_set(a, body, ref, /* p= */ NULL, &f->values[0]);
}

/* What cannot stand there (a raw that does not fit, a selector that does not exist) stays as the model has it. */
static int fill_body(struct gw_twin *t, struct gw_arena *a, struct gw_twin_body *body)
{
	const struct gw_pl_msg *m = body->m;
	for (uint16_t i = 0; i < m->n_points; i++) {
		const struct gw_msg_point *mp = &m->points[i];
		gw_ignore(gw_twin_body_set(a, body, place_of(t, body, mp),
					   &t->plan->points[mp->point],
					   &t->b->slots[mp->point].raw));
	}
	for (uint16_t i = 0; i < m->n_filters; i++) {
		int r = satisfy(t, a, body, &m->filters[i]);
		if (r < 0) {
			return r;
		}
	}
	for (uint16_t i = 0; i < m->n_layers; i++) {
		const struct gw_pl_msg *layer = &t->plan->msgs[m->layers[i].msg];
		struct gw_twin_body inner;
		int r = gw_twin_layer_open(a, body, layer, &inner);
		r = r == 0 ? 0 : gw_twin_body_copy(a, layer, /* from= */ NULL, &inner);
		if (r == 0 && fill_body(t, a, &inner) == 0) { /* at most GW_LAYER_DEPTH deep */
			gw_ignore(gw_twin_layer_close(a, body, &inner));
		}
	}
	return 0;
}

static int print_message(struct gw_twin *t, uint16_t msg, struct gw_buf *ret_body)
{
	GW_AUTO(gw_arena_free_auto) struct gw_arena *a = gw_arena_new(GW_TWIN_ARENA_BYTES);
	struct gw_twin_body body;
	int r = a ? gw_twin_body_copy(a, &t->plan->msgs[msg], &t->models[msg], &body) : -ENOMEM;
	if (r == 0) {
		r = fill_body(t, a, &body);
	}
	if (r == 0) {
		gw_twin_body_print(&body, ret_body);
		r = gw_buf_error(ret_body);
	}
	return r;
}

static bool carries(const struct gw_twin *t, const struct gw_pl_msg *m, const uint64_t *points)
{
	for (uint16_t i = 0; i < m->n_points; i++) {
		if (gw_bit_test(points, m->points[i].point)) {
			return true;
		}
	}
	for (uint16_t i = 0; i < m->n_layers; i++) {
		if (carries(t, &t->plan->msgs[m->layers[i].msg], points)) {
			return true;
		}
	}
	return false;
}

static bool carries_point(const struct gw_twin *t, const struct gw_pl_msg *m, uint16_t point)
{
	uint64_t set[GW_PROFILE_POINTS / 64 + 1] = {0};
	if (point == GW_NO_INDEX) {
		return false;
	}
	gw_bit_set(set, point);
	return carries(t, m, set);
}

static void emit(struct gw_twin *t, uint16_t msg)
{
	const struct gw_pl_msg *m = &t->plan->msgs[msg];
	GW_AUTO(gw_buf_fini) struct gw_buf body = GW_BUF_INIT(GW_BODY_BYTES);
	if (!t->sent[msg] || print_message(t, msg, &body) < 0) {
		return; /* no channel, not the time, or no memory: the next report comes */
	}
	const struct gw_emission e = {.channel = gw_str(t->sent[msg]),
				      .body = body.p ? gw_buf_str(&body) : GW_STR(""),
				      .qos = m->info.qos,
				      .retain = m->info.retain ||
						carries_point(t, m, t->plan->presence_point)};
	t->ops->emit(t->ctx, &e);
}

/* A message that says something by itself: not one that only carries happenings. */
static bool has_state(const struct gw_twin *t, const struct gw_pl_msg *m)
{
	for (uint16_t i = 0; i < m->n_points; i++) {
		if (!t->points[m->points[i].point].event) {
			return true;
		}
	}
	for (uint16_t i = 0; i < m->n_layers; i++) {
		if (has_state(t, &t->plan->msgs[m->layers[i].msg])) {
			return true;
		}
	}
	return false;
}

/* Every readable message; presence only when it is asked for. */
static void emit_all(struct gw_twin *t, bool presence)
{
	for (uint16_t i = 0; i < t->plan->n_msgs; i++) {
		const struct gw_pl_msg *m = &t->plan->msgs[i];
		bool only_presence =
			m->n_points == 1 && m->points[0].point == t->plan->presence_point;
		if (m->info.parent < 0 && has_state(t, m) && (presence || !only_presence)) {
			emit(t, i);
		}
	}
}

void gw_twin_report(struct gw_twin *t)
{
	gw_twin_drift(t);
	emit_all(t, /* presence= */ false);
}

/* --- coming and going --- */

static bool is_sent(const struct gw_twin *t, struct gw_str topic)
{
	for (uint16_t i = 0; i < t->plan->n_msgs; i++) {
		if (t->sent[i] && gw_str_is(topic, t->sent[i])) {
			return true;
		}
	}
	return false;
}

static void emit_announcement(struct gw_twin *t)
{
	GW_AUTO(gw_arena_free_auto) struct gw_arena *a = gw_arena_new(GW_TWIN_ARENA_BYTES);
	GW_AUTO(gw_buf_fini) struct gw_buf topic = GW_BUF_INIT(GW_TOPIC_BYTES);
	GW_AUTO(gw_buf_fini) struct gw_buf body = GW_BUF_INIT(GW_BODY_BYTES);
	if (!a || gw_twin_announcement(t, a, &topic, &body) < 0) {
		return; /* a product that announces itself by other means */
	}
	/* A description stays with the broker; a state that also announces does not, or an old one would come first. */
	const struct gw_emission e = {.channel = gw_buf_str(&topic),
				      .body = body.p ? gw_buf_str(&body) : GW_STR(""),
				      .retain = !is_sent(t, gw_buf_str(&topic))};
	t->ops->emit(t->ctx, &e);
}

void gw_twin_announce(struct gw_twin *t)
{
	if (t->has_presence) {
		gw_ignore(gw_twin_set_point(t, t->plan->presence_point, &t->online));
		gw_ignore(gw_binding_recompute(
			t->b)); /* without memory a list value stays as it was */
	}
	emit_announcement(t);
	emit_all(t, /* presence= */ true);
}

/* The message that says the presence as it is now, with its body; GW_NO_INDEX: none. */
static uint16_t presence_message(struct gw_twin *t, struct gw_buf *ret_body)
{
	for (uint16_t i = 0; t->has_presence && i < t->plan->n_msgs; i++) {
		const struct gw_pl_msg *m = &t->plan->msgs[i];
		gw_buf_reset(ret_body);
		if (m->info.parent < 0 && t->sent[i] &&
		    carries_point(t, m, t->plan->presence_point) &&
		    print_message(t, i, ret_body) == 0) {
			return i;
		}
	}
	return GW_NO_INDEX;
}

void gw_twin_leave(struct gw_twin *t)
{
	GW_AUTO(gw_buf_fini) struct gw_buf body = GW_BUF_INIT(GW_BODY_BYTES);
	if (t->has_presence && gw_twin_set_point(t, t->plan->presence_point, &t->offline) == 0) {
		uint16_t msg = presence_message(t, &body);
		if (msg != GW_NO_INDEX) {
			emit(t, msg);
		}
	}
}

bool gw_twin_will(struct gw_twin *t, struct gw_buf *ret_channel, struct gw_buf *ret_body)
{
	if (!t->has_presence) {
		return false;
	}
	struct gw_slot *slot = &t->b->slots[t->plan->presence_point];
	struct gw_slot now = *slot;
	*slot = (struct gw_slot){.raw = t->offline};
	uint16_t msg = presence_message(t, ret_body);
	*slot = now;
	gw_buf_puts(ret_channel, msg == GW_NO_INDEX ? "" : t->sent[msg]);
	return msg != GW_NO_INDEX && gw_buf_error(ret_channel) == 0;
}

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

/* One bit turns over: the only way in which a fixed message can change what we know of. */
static void invert(struct arrival *r, const struct gw_toggle_form *f)
{
	struct gw_twin *t = r->t;
	if (f->n_points != 1) {
		return;
	}
	uint16_t point = f->points[0];
	const struct gw_pl_point *p = &t->plan->points[point];
	struct gw_raw raw = t->b->slots[point].raw;
	if (p->n_map == 2) {
		raw = p->map[gw_raw_equal(&raw, &p->map[0].raw) ? 1 : 0].raw;
	} else if (raw.type == GW_RAW_BOOL) {
		raw.flag = !raw.flag;
	} else if (raw.type == GW_RAW_NUMBER && (raw.number == 0 || raw.number == 1)) {
		raw.number = raw.number == 0;
	} else {
		return;
	}
	if (gw_twin_set_point(t, point, &raw) == 0) {
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
			invert(r, gw_container(form, const struct gw_toggle_form, form));
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
		    (gw_bit_test(r->replies, i) || carries(t, m, r->points))) {
			emit(t, i);
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
		invert(r, gw_container(t->plan->caps[cap].form, const struct gw_toggle_form, form));
	}
	gw_writing_fini(&w);
	return e;
}

static int set_unwritten(struct arrival *r, const struct gw_pl_cap *cap,
			 const struct gw_node *value)
{
	struct gw_raw v;
	struct gw_text *text = NULL;
	bool event = cap->form->ops == &gw_form_event;
	uint16_t point = event ? gw_container(cap->form, const struct gw_event_form, form)->point
			 : cap->n_points == 1 ? cap->points[0]
					      : GW_NO_INDEX;
	if (point == GW_NO_INDEX) {
		return -EINVAL;
	}
	if (cap->form->ops == &gw_form_table) {
		return set_row(r, cap, value);
	}
	int e = raw_of_node(value, &v, &text);
	e = e < 0 ? e : set_reported(r, cap, point, &v);
	gw_text_unref(text);
	return e;
}

int gw_twin_set(struct gw_twin *t, struct gw_str address, const struct gw_node *value,
		struct gw_error *reterr_)
{
	GW_AUTO(gw_arena_free_auto) struct gw_arena *a = gw_arena_new(GW_TWIN_ARENA_BYTES);
	struct gw_write_error refused = {.code = "readonly",
					 .text = "it does not follow from one point"};
	struct arrival r;
	int index = gw_plan_find_cap(t->plan, address);
	if (index < 0) {
		return gw_error_set(reterr_, -ENOENT, "ref", "no capability \"%.*s\"",
				    GW_STR_ARG(gw_str_sub(address, 0, 80)));
	}
	if (!a || arrival_init(&r, t, a) < 0) {
		return -ENOMEM;
	}
	const struct gw_pl_cap *cap = &t->plan->caps[index];
	int e = cap->info.writable ? set_written(&r, (uint16_t)index, value, &refused)
				   : set_unwritten(&r, cap, value);
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
	answer(&r);
	return 0;
}
