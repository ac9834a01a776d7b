/* The state of one device: its memory, its values, and what expressions see of it. */
#include <errno.h>

#include "gw/alloc.h"
#include "gw/limits.h"
#include "profile/source.h"
#include "profile/state.h"

/* --- memory: one allocation, arrays by falling alignment --- */

struct part {
	void **at;
	size_t count, size;
};

static size_t lay_out(struct gw_binding *b, const struct gw_plan *p, char *base)
{
	size_t pw = p->point_words, cw = p->cap_words;
	const struct part parts[] = {
		{(void **)&b->slots, p->n_points, sizeof(*b->slots)},
		{(void **)&b->values, p->n_caps, sizeof(*b->values)},
		{(void **)&b->found, p->max_extracts, sizeof(*b->found)},
		{(void **)&b->events, p->n_events, sizeof(*b->events)},
		{(void **)&b->kept, p->n_kept, sizeof(*b->kept)},
		{(void **)&b->vars, p->profile->n_vars, sizeof(*b->vars)},
		{(void **)&b->seen, pw, sizeof(uint64_t)},
		{(void **)&b->pending_set, pw, sizeof(uint64_t)},
		{(void **)&b->touched, pw, sizeof(uint64_t)},
		{(void **)&b->arrived, pw, sizeof(uint64_t)},
		{(void **)&b->changed, pw, sizeof(uint64_t)},
		{(void **)&b->dirty, cw, sizeof(uint64_t)},
		{(void **)&b->recompute, cw, sizeof(uint64_t)},
		{(void **)&b->caps, p->n_caps, sizeof(*b->caps)},
		{(void **)&b->quality, p->n_caps, sizeof(*b->quality)},
		{(void **)&b->wished, p->n_toggles, sizeof(*b->wished)},
	};
	size_t at = (sizeof(*b) + 15) & ~(size_t)15;
	for (size_t i = 0; i < gw_countof(parts); i++) {
		if (base) {
			*parts[i].at = base + at;
		}
		at += parts[i].count * parts[i].size;
		at = (at + 7) & ~(size_t)7;
	}
	return at;
}

static int bind_vars(struct gw_binding *b, const struct gw_vars *vars)
{
	const struct gw_profile *p = b->plan->profile;
	for (size_t i = 0; vars && i < p->n_vars; i++) {
		const char *value = gw_vars_get(vars, p->vars[i].name);
		if (value) {
			b->vars[i] = gw_text_new(gw_str(value));
			if (!b->vars[i]) {
				return -ENOMEM;
			}
		}
	}
	return 0;
}

static int start(struct gw_binding *b)
{
	const struct gw_plan *p = b->plan;
	for (uint16_t i = 0; i < p->n_points; i++) {
		struct gw_slot init = {.raw = p->points[i].has_init
						      ? p->points[i].init
						      : (struct gw_raw){.type = GW_RAW_NULL}};
		if (init.raw.type == GW_RAW_TEXT) {
			(void)gw_text_ref(init.raw.text);
		}
		b->slots[i] = init; /* a tree is the plan's */
	}
	for (uint16_t i = 0; i < p->n_toggles; i++) {
		b->wished[i] = -1;
	}
	return gw_binding_recompute(b);
}

int gw_binding_new(struct gw_plan *plan, const struct gw_vars *vars,
		   struct gw_binding **ret_binding, struct gw_error *reterr_)
{
	struct gw_binding sizes;
	struct gw_binding *b = gw_alloc0(1, lay_out(&sizes, plan, /* base= */ NULL));
	if (!b) {
		return gw_error_set(reterr_, -ENOMEM, "memory", "out of memory");
	}
	(void)lay_out(b, plan, (char *)b);
	b->plan = gw_plan_ref(plan);
	b->last_msg = GW_NO_INDEX;
	gw_buf_init(&b->scratch, GW_BODY_BYTES);
	for (uint16_t i = 0; i < plan->n_kept; i++) {
		gw_buf_init(&b->kept[i], GW_BODY_BYTES);
	}
	int r = bind_vars(b, vars);
	r = r < 0 ? r : start(b);
	if (r < 0) {
		gw_binding_free(b);
		return gw_error_set(reterr_, r, "memory", "out of memory");
	}
	*ret_binding = b;
	return 0;
}

static void clear(struct gw_binding *b)
{
	const struct gw_plan *p = b->plan;
	for (uint16_t i = 0; i < p->n_points; i++) {
		gw_slot_fini(&b->slots[i]);
		if (gw_bit_test(b->pending_set, i)) {
			gw_slot_fini(&b->pending[i]);
		}
	}
	for (uint16_t i = 0; i < p->n_caps; i++) {
		gw_value_fini(&b->values[i]);
	}
	for (uint16_t i = 0; i < p->n_events; i++) {
		gw_value_fini(&b->events[i].value);
	}
	for (uint16_t i = 0; i < p->n_kept; i++) {
		gw_buf_reset(&b->kept[i]);
	}
	memset(b->seen, 0, p->point_words * sizeof(uint64_t));
	memset(b->pending_set, 0, p->point_words * sizeof(uint64_t));
	b->last_msg = GW_NO_INDEX;
}

void gw_binding_free(struct gw_binding *b)
{
	if (!b) {
		return;
	}
	clear(b);
	for (size_t i = 0; i < b->plan->profile->n_vars; i++) {
		gw_text_unref(b->vars[i]);
	}
	for (uint16_t i = 0; i < b->plan->n_kept; i++) {
		gw_buf_fini(&b->kept[i]);
	}
	gw_free(b->pending);
	gw_free(b->pending_until_ms);
	gw_buf_fini(&b->scratch);
	gw_plan_unref(b->plan);
	gw_free(b);
}

size_t gw_binding_bytes(const struct gw_binding *b)
{
	struct gw_binding sizes;
	size_t pending = b->pending ? sizeof(*b->pending) + sizeof(*b->pending_until_ms) : 0;
	return lay_out(&sizes, b->plan, /* base= */ NULL) + pending * b->plan->n_points;
}

struct gw_plan *gw_binding_plan(const struct gw_binding *b)
{
	return b->plan;
}

void gw_binding_reset(struct gw_binding *b)
{
	clear(b);
	(void)start(
		b); /* list values may need memory: without it they stay unknown until received */
}

/* --- values --- */

struct gw_view gw_view_reported(const struct gw_binding *b)
{
	return (struct gw_view){
		.plan = b->plan, .vars = b->vars, .slots = b->slots, .values = b->values};
}

int gw_binding_recompute(struct gw_binding *b)
{
	const struct gw_plan *p = b->plan;
	const struct gw_view v = gw_view_reported(b);
	for (uint16_t i = 0; i < p->n_caps; i++) {
		uint16_t c = p->order ? p->order[i] : i;
		const struct gw_pl_cap *cap = &p->caps[c];
		if (cap->info.kind != GW_KIND_PROPERTY) {
			continue;
		}
		struct gw_reading reading;
		enum gw_quality quality;
		gw_cap_read(&v, cap, &reading, &quality);
		b->quality[c] = (uint8_t)quality;
		int r = gw_cap_store(cap, &reading, &b->scratch, &b->values[c]);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

const struct gw_value *gw_binding_value(const struct gw_binding *b, size_t cap,
					enum gw_quality *ret_quality)
{
	static const struct gw_value none = {.type = GW_VALUE_NONE};
	bool known = cap < b->plan->n_caps;
	if (ret_quality) {
		*ret_quality = known ? (enum gw_quality)b->quality[cap] : GW_QUALITY_UNKNOWN;
	}
	return known ? &b->values[cap] : &none;
}

int64_t gw_binding_stale_after_ms(struct gw_binding *b, size_t cap)
{
	if (cap >= b->plan->n_caps) {
		return 0;
	}
	const struct gw_pl_cap *c = &b->plan->caps[cap];
	if (!c->stale_after) {
		return c->info.stale_after_ms;
	}
	const struct gw_view v = gw_view_reported(b);
	struct gw_raw seconds = gw_view_expr(&v, c->stale_after);
	return seconds.type == GW_RAW_NUMBER && seconds.number > 0
		       ? (int64_t)(seconds.number * 1000)
		       : 0;
}

/* --- channels --- */

static const struct gw_text *var_named(const struct gw_binding *b, struct gw_str name)
{
	const struct gw_profile *p = b->plan->profile;
	for (size_t i = 0; i < p->n_vars; i++) {
		if (gw_str_is(name, p->vars[i].name)) {
			return b->vars[i];
		}
	}
	return NULL;
}

int gw_binding_channel(const struct gw_binding *b, const char *channel, struct gw_buf *ret)
{
	struct gw_str s = gw_str(channel);
	while (s.len > 0) {
		const char *open = memchr(s.p, '{', s.len);
		const char *close = open ? memchr(open, '}', s.len - (size_t)(open - s.p)) : NULL;
		if (!close) {
			gw_buf_add_str(ret, s);
			break;
		}
		struct gw_str name = {open + 1, (size_t)(close - open) - 1};
		const struct gw_text *value = var_named(b, name);
		if (!value) {
			return -ENOENT; /* unbound: no such channel */
		}
		gw_buf_add(ret, s.p, (size_t)(open - s.p));
		gw_buf_add_str(ret, gw_text_str(value));
		s = gw_str_sub(s, (size_t)(close - s.p) + 1, s.len);
	}
	return gw_buf_error(ret);
}
