/*
 * Laws (profile-language §13): what is written reads back. Tables, maps, linear forms and parts are proved by their forms; where an
 * expression, a select or a side effect stands in between, states and values are sampled with a fixed seed.
 */
#include <errno.h>
#include <math.h>

#include "gw/alloc.h"
#include "profile/compile.h"
#include "profile/state.h"

#define GW_LAW_SEED   UINT64_C(20240229)
#define GW_LAW_STATES 8
#define GW_LAW_VALUES 32
#define GW_LAW_BYTES  (1024 * 1024)

GW_DEFINE_AUTO(struct gw_arena, gw_arena_free)

struct sampler {
	struct gw_compiler *c;
	const struct gw_pl_cap *cap;
	uint16_t index;
	struct gw_binding *b; /* its slots are the sampled state */
	uint64_t seed;
	struct gw_writing w;
	struct gw_write_error refused;
	struct gw_arena *a;
};

/* splitmix64 */
static uint64_t draw(struct sampler *s)
{
	uint64_t z = s->seed += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* --- states --- */

/* Point values that the profile itself names: in tables and conditions. */
struct named {
	const struct gw_raw *pick; /* after counting down */
	uint64_t left;
	size_t n;
};

static void see(struct named *n, const struct gw_raw *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (values[i].type == GW_RAW_NULL || values[i].type == GW_RAW_TREE) {
			continue;
		}
		if (n->left-- == 0) {
			n->pick = &values[i];
		}
		n->n++;
	}
}

static void see_cond(struct named *n, const struct gw_cond *c, uint16_t point)
{
	for (uint16_t i = 0; c && i < c->n_terms; i++) {
		if (c->terms[i].kind == GW_NAME_POINT && c->terms[i].index == point) {
			see(n, c->terms[i].values, c->terms[i].n_values);
		}
	}
}

static void see_all(const struct sampler *s, struct named *n, uint16_t point)
{
	const struct gw_plan *p = s->b->plan;
	for (uint16_t i = 0; i < p->n_caps; i++) {
		const struct gw_pl_cap *cap = &p->caps[i];
		see_cond(n, cap->avail, point);
		for (uint16_t k = 0; k < cap->n_rules; k++) {
			see_cond(n, cap->rules[k].cond, point);
		}
		if (cap->form->ops->names) {
			const struct gw_raw *values;
			size_t count;
			for (size_t k = 0;
			     cap->form->ops->names(cap->form, point, k, &values, &count); k++) {
				see(n, values, count);
			}
		}
	}
}

static struct gw_raw number_state(struct sampler *s, const struct gw_pl_point *p)
{
	const struct gw_ref *ref = p->n_out ? &p->out[0] : p->n_in ? &p->in[0] : NULL;
	uint64_t span = 128;
	if (ref && ref->width) {
		span = UINT64_C(1) << ref->width;
	} else if (ref && ref->kind == GW_REF_BYTE && p->as.kind <= GW_AS_SIGNED) {
		span = UINT64_C(1) << (p->as.size * 8u - 1 < 16 ? p->as.size * 8u - 1 : 16);
	}
	return gw_raw_number((double)(draw(s) % span));
}

static int set_state(struct sampler *s, uint16_t point, unsigned state)
{
	const struct gw_pl_point *p = &s->b->plan->points[point];
	struct gw_raw raw = p->init;
	if (p->list) {
		return 0;
	}
	if (state > 0 || !p->has_init) { /* the first state is that of init */
		struct named count = {.left = UINT64_MAX};
		see_all(s, &count, point);
		/* One more than are named: a condition must also be sampled where it does not hold. */
		uint64_t pick = count.n > 0 ? draw(s) % (count.n + 1) : 0;
		if (p->has_map && p->n_map) {
			raw = p->map[draw(s) % p->n_map].raw;
		} else if (pick < count.n) {
			struct named chosen = {.left = pick};
			see_all(s, &chosen, point);
			const char *code = gw_point_encode(s->b->plan, p, chosen.pick, s->a, &raw);
			raw = code ? *chosen.pick : raw;
		} else if (!p->has_init || p->init.type == GW_RAW_NUMBER) {
			raw = number_state(s, p);
		} else if (p->init.type == GW_RAW_BOOL) {
			raw = (struct gw_raw){.type = GW_RAW_BOOL, .flag = draw(s) & 1};
		}
	}
	return gw_slot_set(&s->b->slots[point], &raw);
}

/* --- one value in one state --- */

static void describe(struct sampler *s, struct gw_buf *b)
{
	const struct gw_plan *p = s->b->plan;
	gw_buf_puts(b, "in state ");
	for (uint16_t i = 0; i < s->cap->n_points; i++) {
		uint16_t point = s->cap->points[i];
		gw_buf_printf(b, "%s%s = ", i ? ", " : "", p->points[point].name);
		gw_raw_text_form(&s->b->slots[point].raw, b);
	}
	gw_buf_puts(b, " → frame ");
	bool first = true;
	for (uint16_t i = 0; i < p->n_points; i++) {
		if (gw_bit_test(s->w.assigned, i)) {
			gw_buf_printf(b, "%s%s = ", first ? "" : ", ", p->points[i].name);
			gw_raw_text_form(&s->w.slots[i].raw, b);
			first = false;
		}
	}
}

static int counter_example(struct sampler *s, const struct gw_node *wanted,
			   const struct gw_reading *read, const char *why)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(300);
	gw_buf_puts(&b, "set ");
	gw_node_write(&b, wanted, /* source_order= */ false);
	gw_buf_putc(&b, ' ');
	describe(s, &b);
	gw_buf_puts(&b, " → read ");
	gw_raw_text_form(&read->x, &b);
	gw_buf_printf(&b, "%s (seed %llu)", why, (unsigned long long)GW_LAW_SEED);
	gw_compile_go_to(s->c, s->cap);
	return gw_refuse(s->c, s->cap->node, NULL, "law", "%s",
			 b.p ? b.p : "the value written is not read back");
}

static void read_back(const struct sampler *s, const struct gw_view *v, struct gw_reading *r)
{
	enum gw_quality quality;
	gw_cap_read(v, s->cap, r, &quality);
}

/* Can the device report this raw at all? */
static bool reportable(const struct gw_pl_point *p, double raw)
{
	for (uint16_t i = 0; i < p->n_out; i++) {
		const struct gw_ref *ref = &p->out[i];
		if (ref->width && (raw < 0 || raw >= (double)(1u << ref->width))) {
			return false;
		}
		if (!ref->width && ref->kind == GW_REF_BYTE && p->as.kind <= GW_AS_BCD) {
			uint8_t bytes[8];
			const struct gw_raw x = gw_raw_number(raw);
			if (gw_as_write_bytes(&p->as, &x, bytes, p->as.size)) {
				return false;
			}
		}
	}
	return true;
}

/* L2: no assigned raw changed by one step reads nearer. */
static bool is_nearest(struct sampler *s, double wanted, double read)
{
	const struct gw_plan *p = s->b->plan;
	for (uint16_t i = 0; i < p->n_points; i++) {
		struct gw_slot *slot = &s->w.slots[i];
		if (!gw_bit_test(s->w.assigned, i) || slot->raw.type != GW_RAW_NUMBER ||
		    p->points[i].has_map) {
			continue;
		}
		const double was = slot->raw.number;
		bool nearer = false;
		for (int step = -1; step <= 1; step += 2) {
			struct gw_reading r;
			slot->raw.number = was + step;
			if (!reportable(&p->points[i], was + step)) {
				continue;
			}
			read_back(s, &s->w.view, &r);
			nearer |= r.x.type == GW_RAW_NUMBER &&
				  fabs(r.x.number - wanted) < fabs(read - wanted) - 1e-9;
		}
		slot->raw.number = was;
		if (nearer) {
			return false;
		}
	}
	return true;
}

static int write_once(struct sampler *s, const struct gw_node *value)
{
	s->refused = (struct gw_write_error){0};
	int r = gw_writing_init(&s->w, s->b, INT64_MIN, s->a, &s->refused);
	return r < 0 ? r : gw_write_cap(&s->w, s->index, value);
}

/* L2: writing what was read assigns the same raws, unless it is refused. */
static int is_stable(struct sampler *s, double read, bool *ret_stable)
{
	struct gw_writing first = s->w;
	struct gw_node *n = gw_node_new_number(s->a, read);
	int r = n ? write_once(s, n) : -ENOMEM;
	*ret_stable = true;
	for (uint16_t i = 0; r == 0 && i < s->b->plan->n_points; i++) {
		bool was = gw_bit_test(first.assigned, i), is = gw_bit_test(s->w.assigned, i);
		*ret_stable &=
			was == is && (!is || gw_raw_equal(&first.slots[i].raw, &s->w.slots[i].raw));
	}
	gw_writing_fini(&s->w);
	s->w = first;
	return r == -EINVAL ? 0 : r;
}

static int check_number(struct sampler *s, const struct gw_node *value,
			const struct gw_reading *read)
{
	bool stable = true;
	double wanted = s->w.view.wanted.number;
	if (read->x.type != GW_RAW_NUMBER) {
		return counter_example(s, value, read, "");
	}
	if (fabs(read->x.number - wanted) < 1e-9) {
		return 0;
	}
	if (!is_nearest(s, wanted, read->x.number)) {
		return counter_example(s, value, read,
				       ", though the device can show a nearer value");
	}
	int r = is_stable(s, read->x.number, &stable);
	if (r == 0 && !stable) {
		return counter_example(s, value, read, ", which would be written differently");
	}
	return r;
}

static int check_value(struct sampler *s, const struct gw_node *value)
{
	int r = write_once(s, value);
	if (r < 0) {
		gw_writing_fini(&s->w);
		return r == -EINVAL ? 0 : r; /* a refused write is no counter-example */
	}
	struct gw_reading read;
	read_back(s, &s->w.view, &read);
	if (value->type == GW_NODE_NUMBER) {
		int64_t count;
		r = gw_quantise(value->number, s->cap->info.domain.res, &count);
		s->w.view.wanted = gw_raw_number(gw_count_value(count, s->cap->info.domain.res));
		r = r < 0 ? 0 : check_number(s, value, &read);
	} else if ((value->type == GW_NODE_BOOL &&
		    (read.x.type != GW_RAW_BOOL || read.x.flag != value->flag)) ||
		   (value->type == GW_NODE_TEXT &&
		    (read.x.type != GW_RAW_TEXT ||
		     !gw_str_eq(gw_text_str(read.x.text), value->text)))) {
		r = counter_example(s, value, &read, "");
	}
	gw_writing_fini(&s->w);
	return r;
}

/* --- values --- */

static int check_double(struct sampler *s, double v)
{
	struct gw_node *n = gw_node_new_number(s->a, v);
	return n ? check_value(s, n) : -ENOMEM;
}

static int check_numbers(struct sampler *s)
{
	struct gw_limits_now l;
	const struct gw_view v = {.plan = s->b->plan, .vars = s->b->vars, .slots = s->b->slots};
	gw_limits_now(&v, s->cap, &l);
	double low = l.range.min.open ? -100 : l.range.min.value,
	       high = l.range.max.open ? 100 : l.range.max.value;
	if (l.range.min.open && !l.range.max.open) {
		low = high - 200;
	} else if (l.range.max.open && !l.range.min.open) {
		high = low + 200;
	}
	double step = l.range.step > 0 ? l.range.step : gw_count_value(1, s->cap->info.domain.res);
	double steps = floor((high - low) / step + 1e-6);
	int r = check_double(s, low);
	r = r < 0 ? r : check_double(s, low + steps * step);
	r = r < 0 ? r : check_double(s, low + floor(steps / 2) * step);
	for (unsigned i = 0; r == 0 && i < GW_LAW_VALUES && steps > 0; i++) {
		r = check_double(s, low + (double)(draw(s) % ((uint64_t)steps + 1)) * step);
	}
	return r;
}

static int check_symbols(struct sampler *s)
{
	const struct gw_domain *d = &s->cap->info.domain;
	int r = 0;
	for (uint16_t i = 0; r == 0 && i < d->n_symbols; i++) {
		struct gw_node *n = gw_node_new_text(s->a, gw_str(d->symbols[i]));
		r = n ? check_value(s, n) : -ENOMEM;
	}
	return r;
}

static int check_bools(struct sampler *s)
{
	struct gw_node *on = gw_node_new_bool(s->a, true), *off = gw_node_new_bool(s->a, false);
	int r = on && off ? check_value(s, on) : -ENOMEM;
	return r < 0 ? r : check_value(s, off);
}

static int check_nothing(struct sampler *s)
{
	(void)s; /* texts and lists pass through unchanged */
	return 0;
}

static int (*const check_type[])(struct sampler *s) = {
	[GW_TYPE_BOOL] = check_bools,	[GW_TYPE_INT] = check_numbers,
	[GW_TYPE_NUM] = check_numbers,	[GW_TYPE_ENUM] = check_symbols,
	[GW_TYPE_STR] = check_nothing,	[GW_TYPE_TIME] = check_numbers,
	[GW_TYPE_LIST] = check_nothing, [GW_TYPE_REC] = check_nothing,
	[GW_TYPE_NONE] = check_nothing,
};

static int sample(struct gw_compiler *c, struct gw_binding *b, uint16_t index)
{
	struct sampler s = {
		.c = c, .cap = &c->plan->caps[index], .index = index, .b = b, .seed = GW_LAW_SEED};
	int r = 0;
	for (unsigned state = 0; r == 0 && state < GW_LAW_STATES; state++) {
		GW_AUTO(gw_arena_free_auto) struct gw_arena *a = gw_arena_new(64 * GW_LAW_BYTES);
		s.a = a;
		r = a ? 0 : -ENOMEM;
		for (uint16_t i = 0; r == 0 && i < c->plan->n_points; i++) {
			r = set_state(&s, i, state);
		}
		r = r < 0 ? r : check_type[s.cap->info.domain.type](&s);
	}
	return r;
}

int gw_law_check(struct gw_compiler *c)
{
	struct gw_plan *p = c->plan;
	struct gw_binding *b = NULL;
	int r = gw_binding_new(p, /* vars= */ NULL, &b, c->error);
	for (uint16_t i = 0; r == 0 && i < p->n_caps; i++) {
		const struct gw_pl_cap *cap = &p->caps[i];
		if (!cap->info.writable) {
			continue;
		}
		gw_compile_go_to(c, cap);
		r = cap->form->ops->prove ? cap->form->ops->prove(cap->form, c, cap->node) : 0;
		if (r == 0 && (cap->form->ops->sampled || cap->n_also)) {
			r = sample(c, b, i);
		}
	}
	gw_binding_free(b);
	return r;
}
