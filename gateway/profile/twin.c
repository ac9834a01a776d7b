/*
 * The device side of a profile (profile-language §13). The state is the slots of a binding of our own: what arrives is taken at the out
 * references, what is reported is written at the in references of the body that the tests last showed.
 */
#include "profile/twin.h"

#include <errno.h>
#include <math.h>
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
	gw_text_unref(t->wrong.text);
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
	t->wrong = (struct gw_raw){.type = GW_RAW_TEXT, .text = gw_text_new(GW_STR("wrong"))};
	t->points = gw_array(struct gw_twin_point, (size_t)t->plan->n_points + 1);
	t->models = gw_array(struct gw_twin_body, (size_t)t->plan->n_msgs + 1);
	if (!t->points || !t->models || !t->wrong.text) {
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
	t->fault_seed = t->seed;
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

/*
 * What a body says is what the device has: points that read the same bytes, a raw that has no room. Not of happenings, which are
 * over with their message.
 */
static void take_back(struct gw_twin *t, const struct gw_twin_body *body)
{
	for (uint16_t i = 0; i < body->m->n_points; i++) {
		const struct gw_msg_point *mp = &body->m->points[i];
		const struct gw_pl_point *p = &t->plan->points[mp->point];
		struct gw_slot *slot = &t->b->slots[mp->point];
		if (slot->raw.type != GW_RAW_NULL && !p->oneshot && !t->points[mp->point].event) {
			gw_ignore(gw_twin_body_get(t, body, place_of(t, body, mp), p, slot));
		}
	}
}

/* What cannot stand there (a raw that does not fit, a selector that does not exist) stays as the model has it. */
static int fill_body(struct gw_twin *t, struct gw_arena *a, struct gw_twin_body *body)
{
	static const struct gw_raw nothing = {.type = GW_RAW_NUMBER, .number = 0};
	const struct gw_pl_msg *m = body->m;
	for (uint16_t i = 0; i < m->n_points; i++) {
		const struct gw_msg_point *mp = &m->points[i];
		const struct gw_pl_point *p = &t->plan->points[mp->point];
		const struct gw_raw *raw = &t->b->slots[mp->point].raw;
		if (raw->type == GW_RAW_NULL && t->points[mp->point].event && m->codec->bytes) {
			raw = &nothing; /* in a frame there is no null */
		}
		const struct gw_ref *place = place_of(t, body, mp);
		raw = gw_twin_fault_raw(t, m, raw, &p);
		gw_ignore(gw_twin_body_set(a, body, place, p, raw));
	}
	if (!gw_twin_lies(t)) {
		take_back(t, body);
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

/* The body of a message as it is now; in a, since it may be written to. */
static int fill_message(struct gw_twin *t, struct gw_arena *a, uint16_t msg,
			struct gw_twin_body *ret_body)
{
	int r = gw_twin_body_copy(a, &t->plan->msgs[msg], &t->models[msg], ret_body);
	return r < 0 ? r : fill_body(t, a, ret_body);
}

static int print_message(struct gw_twin *t, uint16_t msg, struct gw_buf *ret_body)
{
	GW_AUTO(gw_arena_free_auto) struct gw_arena *a = gw_arena_new(GW_TWIN_ARENA_BYTES);
	struct gw_twin_body body;
	int r = a ? fill_message(t, a, msg, &body) : -ENOMEM;
	if (r == 0) {
		gw_twin_body_print(&body, ret_body);
		r = gw_buf_error(ret_body);
	}
	return r;
}

bool gw_twin_carries(const struct gw_twin *t, const struct gw_pl_msg *m, const uint64_t *points)
{
	for (uint16_t i = 0; i < m->n_points; i++) {
		if (gw_bit_test(points, m->points[i].point)) {
			return true;
		}
	}
	for (uint16_t i = 0; i < m->n_layers; i++) {
		if (gw_twin_carries(t, &t->plan->msgs[m->layers[i].msg], points)) {
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
	return gw_twin_carries(t, m, set);
}

/* Where messages are told apart by a number each has its own, or the gateway drops them (link.dedup, §5). */
static void count_up(struct gw_twin *t, const struct gw_pl_msg *m)
{
	const uint16_t point = t->plan->dedup_point;
	if (!carries_point(t, m, point) || t->b->slots[point].raw.type != GW_RAW_NUMBER) {
		return;
	}
	const struct gw_pl_point *p = &t->plan->points[point];
	const struct gw_ref *ref = &p->in[0];
	double size = ref->width				    ? (double)(1u << ref->width)
		      : ref->kind == GW_REF_BYTE && p->as.size == 1 ? 256
								    : 65536;
	struct gw_raw next = gw_raw_number(fmod(t->b->slots[point].raw.number + 1, size));
	gw_ignore(gw_twin_set_point(t, point, &next)); /* a number needs no memory */
}

void gw_twin_emit(struct gw_twin *t, uint16_t msg)
{
	const struct gw_pl_msg *m = &t->plan->msgs[msg];
	GW_AUTO(gw_arena_free_auto) struct gw_arena *a = gw_arena_new(GW_TWIN_ARENA_BYTES);
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_BODY_BYTES);
	struct gw_twin_body body;
	count_up(t, m);
	if (!t->sent[msg] || !a || fill_message(t, a, msg, &body) < 0) {
		return; /* no channel, not the time, or no memory: the next report comes */
	}
	gw_twin_body_print(&body, &text);
	gw_twin_fault_body(t, m, &text);
	if (gw_buf_error(&text) < 0) {
		return;
	}
	const struct gw_emission e = {.channel = gw_str(t->sent[msg]),
				      .body = text.p ? gw_buf_str(&text) : GW_STR(""),
				      .options = body.options,
				      .qos = m->info.qos,
				      .retain = m->info.retain ||
						carries_point(t, m, t->plan->presence_point),
				      .delay_ms = t->slow_ms};
	for (unsigned i = gw_twin_fault_copies(t); i > 0; i--) {
		t->ops->emit(t->ctx, &e);
	}
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
			gw_twin_emit(t, i);
		}
	}
}

void gw_twin_report(struct gw_twin *t)
{
	gw_twin_drift(t);
	emit_all(t, /* presence= */ false);
	gw_ignore(gw_binding_recompute(t->b)); /* without memory a list value stays as it was */
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
	gw_ignore(gw_binding_recompute(t->b));
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
			gw_twin_emit(t, msg);
		}
	}
}

bool gw_twin_will(struct gw_twin *t, struct gw_buf *ret_channel, struct gw_buf *ret_body)
{
	if (!t->has_presence) {
		return false;
	}
	const unsigned faults = t->faults;
	uint16_t msg = GW_NO_INDEX;
	t->faults = 0;
	struct gw_slot now = {.raw = {.type = GW_RAW_NULL}};
	struct gw_slot *slot = &t->b->slots[t->plan->presence_point];
	if (gw_slot_set(&now, &slot->raw) == 0 && gw_slot_set(slot, &t->offline) == 0) {
		msg = presence_message(t, ret_body);
	}
	gw_ignore(gw_slot_set(slot, &now.raw)); /* shared text, flag or number */
	gw_slot_fini(&now);
	t->faults = faults;
	gw_buf_puts(ret_channel, msg == GW_NO_INDEX ? "" : t->sent[msg]);
	return msg != GW_NO_INDEX && gw_buf_error(ret_channel) == 0;
}
