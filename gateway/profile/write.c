/*
 * Writing (profile-language §11): a set of capability values, carried out whole or not at all, on a view in which a raw is the one
 * assigned in this write, else the pending one, else the last received, else init.
 */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "gw/alloc.h"
#include "gw/limits.h"
#include "profile/state.h"

#define GW_WRITE_BYTES (4 * 1024 * 1024)

/* --- refusals --- */

int gw_write_refuse(struct gw_writing *w, const char *code, const char *fmt, ...)
{
	struct gw_write_error *e = w->error;
	if (!e) {
		return -EINVAL;
	}
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	(void)snprintf(e->code, sizeof(e->code), "%s", code);
	(void)snprintf(e->address, sizeof(e->address), "%s", w->address ? w->address : "");
	return -EINVAL;
}

int gw_write_unknown(struct gw_writing *w, uint16_t point)
{
	const char *name = w->plan->points[point].name;
	char code[sizeof(w->error->code)];
	(void)snprintf(code, sizeof(code), "state-unknown:%s", name);
	return gw_write_refuse(
		w, code, "the device has not yet reported \"%s\", which the command needs", name);
}

/* --- the write view --- */

static void drop_overdue(struct gw_binding *b, int64_t now_ms)
{
	for (uint16_t i = 0; b->pending && i < b->plan->n_points; i++) {
		if (gw_bit_test(b->pending_set, i) && b->pending_until_ms[i] <= now_ms) {
			gw_slot_fini(&b->pending[i]);
			gw_bit_clear(b->pending_set, i);
		}
	}
}

int gw_writing_init(struct gw_writing *w, struct gw_binding *b, int64_t now_ms, struct gw_arena *a,
		    struct gw_write_error *reterr_)
{
	const struct gw_plan *p = b->plan;
	*w = (struct gw_writing){.b = b,
				 .plan = p,
				 .arena = a,
				 .error = reterr_,
				 .within_ms = GW_PENDING_MIN_MS,
				 .confirm_by = -1,
				 .scratch = GW_BUF_INIT(GW_BODY_BYTES)};
	w->slots = gw_arena_alloc(a, p->n_points * sizeof(*w->slots));
	w->assigned = gw_arena_alloc(a, p->point_words * sizeof(uint64_t));
	w->by_also = gw_arena_alloc(a, p->point_words * sizeof(uint64_t));
	w->fixed = gw_arena_alloc(a, (p->n_caps + GW_PROFILE_MSGS) * sizeof(*w->fixed));
	w->toggled = gw_arena_alloc(a, p->n_toggles * sizeof(*w->toggled));
	if (!w->slots || !w->assigned || !w->by_also || !w->fixed || !w->toggled) {
		return -ENOMEM;
	}
	drop_overdue(b, now_ms);
	for (uint16_t i = 0; i < p->n_points; i++) {
		w->slots[i].raw =
			gw_bit_test(b->pending_set, i) ? b->pending[i].raw : b->slots[i].raw;
	}
	w->view = (struct gw_view){.plan = p, .vars = b->vars, .slots = w->slots};
	return 0;
}

static void release(struct gw_writing *w, uint16_t point)
{
	if (gw_bit_test(w->assigned, point) && w->slots[point].raw.type == GW_RAW_TEXT) {
		gw_text_unref(w->slots[point].raw.text);
	}
}

void gw_writing_fini(struct gw_writing *w)
{
	for (uint16_t i = 0; w->assigned && i < w->plan->n_points; i++) {
		release(w, i);
	}
	gw_buf_fini(&w->scratch);
}

/* --- assigning --- */

int gw_write_assign(struct gw_writing *w, uint16_t point, const struct gw_raw *value)
{
	const struct gw_pl_point *p = &w->plan->points[point];
	if (w->also && gw_bit_test(w->assigned, point) && !gw_bit_test(w->by_also, point)) {
		return 0; /* a side effect never replaces what a form assigned (§11.3) */
	}
	struct gw_raw raw = {.type = GW_RAW_NULL};
	const char *code = gw_point_encode(w->plan, p, value, w->arena, &raw);
	if (code) {
		return gw_write_refuse(w, code, "point \"%s\" cannot take this value", p->name);
	}
	if (raw.type == GW_RAW_TEXT) {
		(void)gw_text_ref(raw.text);
	}
	release(w, point);
	w->slots[point].raw = raw;
	gw_bit_set(w->assigned, point);
	if (w->also) {
		gw_bit_set(w->by_also, point);
	} else {
		gw_bit_clear(w->by_also, point);
	}
	return 0;
}

/* An expression gave null: the first point named in it that is null is what is not known. */
static int refuse_null(struct gw_writing *w, const struct gw_expr *e)
{
	enum gw_name_kind kind;
	uint16_t index;
	for (size_t i = 0; gw_expr_name(e, i, &kind, &index); i++) {
		if (kind == GW_NAME_POINT && gw_view_point(&w->view, index).type == GW_RAW_NULL) {
			return gw_write_unknown(w, index);
		}
	}
	return gw_write_refuse(w, "value", "the profile's expression has no value for this");
}

int gw_write_sets(struct gw_writing *w, const struct gw_set *sets, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct gw_raw v =
			sets[i].expr ? gw_view_expr(&w->view, sets[i].expr) : sets[i].constant;
		int r = v.type == GW_RAW_NULL && sets[i].expr
				? refuse_null(w, sets[i].expr)
				: gw_write_assign(w, sets[i].point, &v);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

int gw_write_fixed(struct gw_writing *w, uint16_t msg)
{
	if (w->n_fixed == w->plan->n_caps + GW_PROFILE_MSGS) {
		return -E2BIG;
	}
	w->fixed[w->n_fixed++] = msg;
	return 0;
}

/* --- checks 1–8 --- */

static void amount(const struct gw_pl_cap *cap, double v, char *ret_text, size_t size)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(size);
	const char *unit = gw_unit_symbol(cap->info.unit);
	gw_buf_printf(&b, "%.10g%s%s", v, unit[0] && strcmp(unit, "1") != 0 ? " " : "",
		      strcmp(unit, "1") != 0 ? unit : "");
	(void)snprintf(ret_text, size, GW_STR_FMT, GW_STR_ARG(gw_buf_str(&b)));
}

static int refuse_bound(struct gw_writing *w, const struct gw_pl_cap *cap, double v,
			const char *where, double bound)
{
	char value[64], limit[64];
	amount(cap, v, value, sizeof(value));
	amount(cap, bound, limit, sizeof(limit));
	return gw_write_refuse(w, "range", "%s is %s %s", value, where, limit);
}

static int check_number(struct gw_writing *w, const struct gw_pl_cap *cap,
			const struct gw_limits_now *l)
{
	double v = w->view.wanted.number;
	const struct gw_range *range = &l->range;
	if (!range->min.open && v < range->min.value - 1e-9) {
		return refuse_bound(w, cap, v, "below the lowest allowed,", range->min.value);
	}
	if (!range->max.open && v > range->max.value + 1e-9) {
		return refuse_bound(w, cap, v, "above the highest allowed,", range->max.value);
	}
	double from = range->min.open ? 0 : range->min.value;
	double k = range->step > 0 ? (v - from) / range->step : 0;
	if (fabs(k - gw_round(k)) > 1e-6) {
		char value[64], step[64], first[64];
		amount(cap, v, value, sizeof(value));
		amount(cap, range->step, step, sizeof(step));
		amount(cap, from, first, sizeof(first));
		return gw_write_refuse(w, "step", "%s is no whole number of steps of %s from %s",
				       value, step, first);
	}
	return 0;
}

static int check_symbol(struct gw_writing *w, const struct gw_limits_now *l)
{
	for (uint16_t i = 0; i < l->n_symbols; i++) {
		if (gw_str_is(gw_text_str(w->view.wanted.text), l->symbols[i])) {
			return 0;
		}
	}
	if (!l->symbols) {
		return 0;
	}
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(200);
	for (uint16_t i = 0; i < l->n_symbols; i++) {
		gw_buf_printf(&b, "%s%s", i ? ", " : "", l->symbols[i]);
	}
	return gw_write_refuse(w, "value", "\"%.40s\" is not offered now; choose one of: %s",
			       w->view.wanted.text->s, gw_buf_error(&b) || !b.p ? "…" : b.p);
}

static int check_limits(struct gw_writing *w, const struct gw_pl_cap *cap)
{
	struct gw_limits_now l;
	gw_limits_now(&w->view, cap, &l);
	if (l.ro) {
		return gw_write_refuse(w, "mode", "cannot be set in the device's present mode");
	}
	switch (w->view.wanted.type) {
	case GW_RAW_TEXT: return cap->info.domain.type == GW_TYPE_ENUM ? check_symbol(w, &l) : 0;
	case GW_RAW_NUMBER: return check_number(w, cap, &l);
	case GW_RAW_NULL:
	case GW_RAW_BOOL:
	case GW_RAW_TREE: return 0;
	}
	return 0;
}

static struct gw_raw wanted_raw(const struct gw_pl_cap *cap, const struct gw_value *v,
				const struct gw_node *n)
{
	switch (v->type) {
	case GW_VALUE_NONE: break;
	case GW_VALUE_BOOL: return (struct gw_raw){.type = GW_RAW_BOOL, .flag = v->flag};
	case GW_VALUE_NUMBER: return gw_raw_number(gw_count_value(v->count, cap->info.domain.res));
	case GW_VALUE_SYMBOL:
	case GW_VALUE_TEXT: return (struct gw_raw){.type = GW_RAW_TEXT, .text = v->text};
	case GW_VALUE_TREE: return (struct gw_raw){.type = GW_RAW_TREE, .tree = n};
	}
	return (struct gw_raw){.type = GW_RAW_NULL};
}

static int carry_out(struct gw_writing *w, const struct gw_pl_cap *cap)
{
	int r = check_limits(w, cap);
	r = r < 0 ? r : cap->form->ops->write(cap->form, w);
	if (r == 0 && cap->n_also) {
		w->also = true;
		r = gw_write_sets(w, cap->also, cap->n_also);
		w->also = false;
	}
	return r;
}

int gw_write_cap(struct gw_writing *w, uint16_t index, const struct gw_node *value)
{
	const struct gw_pl_cap *cap = &w->plan->caps[index];
	w->address = cap->info.address;
	if (!cap->info.writable) {
		return gw_write_refuse(w, "readonly", "%s cannot be set", cap->info.address);
	}
	if (!gw_cond_holds(cap->avail, &w->view)) {
		return gw_write_refuse(w, "unavailable", "the device does not offer %s now",
				       cap->info.address);
	}
	const struct gw_domain type_only = {.type = cap->info.domain.type,
					    .res = cap->info.domain.res,
					    .unit = cap->info.domain.unit};
	struct gw_error error = {0};
	struct gw_value v = {.type = GW_VALUE_NONE};
	int r = gw_value_from_node(value, &type_only, &v, &error);
	if (r == -EINVAL) {
		return gw_write_refuse(w, error.code, "%s", error.text);
	}
	if (r < 0) {
		return r;
	}
	w->view.wanted = wanted_raw(cap, &v, value);
	w->within_ms = cap->info.confirm_within_ms > w->within_ms ? cap->info.confirm_within_ms
								  : w->within_ms;
	w->confirm_by = w->n_written++ == 0 || w->confirm_by == cap->info.confirm_by
				? cap->info.confirm_by
				: -1; /* confirmed by different messages: any counts */
	r = carry_out(w, cap);
	w->view.wanted = (struct gw_raw){.type = GW_RAW_NULL};
	gw_value_fini(&v);
	return r;
}

/* --- after all is composed --- */

static int keep_pending(struct gw_writing *w, int64_t now_ms)
{
	struct gw_binding *b = w->b;
	const struct gw_plan *p = w->plan;
	if (!b->pending_until_ms) {
		struct gw_slot *pending = gw_array(struct gw_slot, p->n_points);
		b->pending_until_ms = pending ? gw_array(int64_t, p->n_points) : NULL;
		if (!b->pending_until_ms) {
			gw_free(pending);
			return -ENOMEM;
		}
		b->pending = pending;
	}
	for (uint16_t i = 0; i < p->n_points; i++) {
		if (!gw_bit_test(w->assigned, i) || p->points[i].oneshot) {
			continue;
		}
		int r = gw_slot_set(&b->pending[i], &w->slots[i].raw);
		if (r < 0) {
			return r;
		}
		gw_bit_set(b->pending_set, i);
		b->pending_until_ms[i] = now_ms + w->within_ms;
	}
	for (uint16_t i = 0; i < w->n_toggled; i++) {
		b->wished[w->toggled[i] >> 1] = w->toggled[i] & 1;
	}
	return 0;
}

static bool assigns_any(const struct gw_writing *w)
{
	for (size_t i = 0; i < w->plan->point_words; i++) {
		if (w->assigned[i]) {
			return true;
		}
	}
	return w->n_toggled > 0;
}

/* Composes, keeps what is pending, and moves everything to the caller. */
static int finish(struct gw_writing *w, int64_t now_ms, struct gw_outgoing *ret_outgoing)
{
	struct gw_outgoing out = {.arena = w->arena};
	int r = gw_send_all(w, &out);
	if (r == 0 && assigns_any(w)) {
		r = gw_expect_new(w, &out.expect);
		r = r < 0 ? r : keep_pending(w, now_ms);
	}
	if (r < 0) {
		gw_expect_free(out.expect);
		return r;
	}
	*ret_outgoing = out;
	return 0;
}

static int unknown_capability(struct gw_write_error *e, struct gw_str address)
{
	if (e) {
		(void)snprintf(e->code, sizeof(e->code), "unknown-capability");
		(void)snprintf(e->address, sizeof(e->address), GW_STR_FMT, GW_STR_ARG(address));
		(void)snprintf(e->text, sizeof(e->text), "the device has no \"" GW_STR_FMT "\"",
			       GW_STR_ARG(address));
	}
	return -EINVAL;
}

static int write_all(struct gw_writing *w, const struct gw_wanted *wanted, size_t n)
{
	const struct gw_plan *p = w->plan;
	const struct gw_node **values =
		gw_arena_alloc(w->arena, p->n_caps * sizeof(struct gw_node *));
	if (!values) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		int cap = gw_plan_find_cap(p, wanted[i].address);
		if (cap < 0) {
			return unknown_capability(w->error, wanted[i].address);
		}
		values[cap] = wanted[i].value;
	}
	for (uint16_t i = 0; i < p->n_caps; i++) { /* in order of declaration */
		int r = values[i] ? gw_write_cap(w, i, values[i]) : 0;
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

/* --- actions --- */

static int take_arg(struct gw_writing *w, const struct gw_pl_arg *arg, const struct gw_node *n,
		    struct gw_value *v, struct gw_raw *ret_raw)
{
	struct gw_error error = {0};
	*ret_raw = arg->fallback;
	if (!n || n->type == GW_NODE_NULL) {
		return 0;
	}
	if (arg->domain.type == GW_TYPE_NONE) {
		return gw_write_refuse(w, "type", "argument \"%s\" has no type", arg->name->s);
	}
	int r = gw_value_from_node(n, &arg->domain, v, &error);
	if (r == -EINVAL) {
		return gw_write_refuse(w, error.code, "%s: %s", arg->name->s, error.text);
	}
	const struct gw_pl_cap typed = {.info = {.domain = arg->domain}};
	*ret_raw = r < 0 ? *ret_raw : wanted_raw(&typed, v, n);
	return r;
}

static const struct gw_pl_arg *find_arg(const struct gw_pl_cap *cap, struct gw_str name)
{
	for (uint8_t i = 0; i < cap->info.n_args; i++) {
		if (gw_str_eq(name, gw_text_str(cap->args[i].name))) {
			return &cap->args[i];
		}
	}
	return NULL;
}

static int act(struct gw_writing *w, const struct gw_pl_cap *cap, const struct gw_node *args)
{
	struct gw_value *values = gw_arena_alloc(w->arena, cap->info.n_args * sizeof(*values));
	struct gw_raw *raws = gw_arena_alloc(w->arena, cap->info.n_args * sizeof(*raws));
	if (!values || !raws) {
		return -ENOMEM;
	}
	gw_node_for(n, args)
	{
		if (!find_arg(cap, n->key)) {
			return gw_write_refuse(w, "type",
					       "the action has no argument \"" GW_STR_FMT "\"",
					       GW_STR_ARG(n->key));
		}
	}
	int r = 0;
	for (uint8_t i = 0; r == 0 && i < cap->info.n_args; i++) {
		const struct gw_node *n = gw_node_get(args, cap->args[i].name->s);
		r = take_arg(w, &cap->args[i], n, &values[i], &raws[i]);
	}
	w->view.args = raws;
	r = r < 0 ? r : cap->form->ops->write(cap->form, w);
	w->view.args = NULL;
	for (uint8_t i = 0; i < cap->info.n_args; i++) {
		gw_value_fini(&values[i]);
	}
	return r;
}

static int act_on(struct gw_writing *w, struct gw_str address, const struct gw_node *args)
{
	int index = gw_plan_find_cap(w->plan, address);
	if (index < 0) {
		return unknown_capability(w->error, address);
	}
	const struct gw_pl_cap *cap = &w->plan->caps[index];
	w->address = cap->info.address;
	if (cap->info.kind != GW_KIND_ACTION) {
		return gw_write_refuse(w, "unknown-action", "%s is no action", cap->info.address);
	}
	if (!gw_cond_holds(cap->avail, &w->view)) {
		return gw_write_refuse(w, "unavailable", "the device does not offer %s now",
				       cap->info.address);
	}
	return act(w, cap, args);
}

/* --- the contract --- */

/* What is asked for: values of capabilities, or one action. */
struct request {
	const struct gw_wanted *wanted;
	size_t n;
	struct gw_str action; /* NULL: none */
	const struct gw_node *args;
};

static int serve(struct gw_binding *b, const struct request *q, int64_t now_ms,
		 struct gw_outgoing *ret_outgoing, struct gw_write_error *reterr_)
{
	struct gw_writing w = {0};
	struct gw_arena *a = gw_arena_new(GW_WRITE_BYTES);
	if (!a) {
		return -ENOMEM;
	}
	int r = gw_writing_init(&w, b, now_ms, a, reterr_);
	if (r == 0) {
		r = q->action.p ? act_on(&w, q->action, q->args) : write_all(&w, q->wanted, q->n);
	}
	r = r < 0 ? r : finish(&w, now_ms, ret_outgoing);
	gw_writing_fini(&w);
	if (r < 0) {
		gw_arena_free(a);
	}
	return r;
}

int gw_binding_write(struct gw_binding *b, const struct gw_wanted *wanted, size_t n, int64_t now_ms,
		     struct gw_outgoing *ret_outgoing, struct gw_write_error *reterr_)
{
	const struct request q = {.wanted = wanted, .n = n};
	return serve(b, &q, now_ms, ret_outgoing, reterr_);
}

int gw_binding_act(struct gw_binding *b, struct gw_str address, const struct gw_node *args,
		   int64_t now_ms, struct gw_outgoing *ret_outgoing, struct gw_write_error *reterr_)
{
	const struct request q = {.action = address, .args = args};
	return serve(b, &q, now_ms, ret_outgoing, reterr_);
}

int gw_binding_ask(struct gw_binding *b, size_t msg, struct gw_outgoing *ret_outgoing)
{
	struct gw_writing w = {0};
	struct gw_write_error error = {0};
	if (msg >= b->plan->n_msgs) {
		return -EINVAL;
	}
	struct gw_arena *a = gw_arena_new(GW_WRITE_BYTES);
	if (!a) {
		return -ENOMEM;
	}
	struct gw_outgoing out = {.arena = a};
	int r = gw_writing_init(&w, b, INT64_MIN, a, &error);
	r = r < 0 ? r : gw_send_one(&w, (uint16_t)msg, &out);
	gw_writing_fini(&w);
	if (r < 0) {
		gw_arena_free(a);
		return r;
	}
	*ret_outgoing = out;
	return 0;
}

void gw_outgoing_fini(struct gw_outgoing *o)
{
	gw_expect_free(o->expect);
	gw_arena_free(o->arena);
	*o = (struct gw_outgoing){0};
}
