/*
 * The worst case of a profile (profile-language §12, §16): how many steps a message, a write and the sampling of its laws may take.
 * One step is an operator, a name, a cell, a value that is compared, a place in a body. A capability that names others pays for them each
 * time it names them, so that a chain of a few names cannot hide 64^16 evaluations. Sums saturate.
 */
#include <errno.h>

#include "gw/alloc.h"
#include "profile/compile.h"
#include "profile/cost.h"

uint64_t gw_cost_add(uint64_t a, uint64_t b)
{
	uint64_t sum;
	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static uint64_t times(uint64_t a, uint64_t b)
{
	uint64_t product;
	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

uint64_t gw_cost_point(const struct gw_costing *c, uint16_t point)
{
	const struct gw_pl_point *p = &c->plan->points[point];
	uint64_t list = p->list ? times(p->list->count, p->list->n_fields) : 0;
	return gw_cost_add(1U + p->n_na + p->n_map, list);
}

static uint64_t name(const struct gw_costing *c, enum gw_name_kind kind, uint16_t index)
{
	switch (kind) {
	case GW_NAME_POINT: return gw_cost_point(c, index);
	case GW_NAME_CAP: return c->caps[index]; /* known: see gw_cost_check */
	case GW_NAME_ARG:
	case GW_NAME_WANTED:
	case GW_NAME_VAR: break;
	}
	return 1;
}

uint64_t gw_cost_expr(const struct gw_costing *c, const struct gw_expr *e)
{
	enum gw_name_kind kind;
	uint16_t index;
	uint64_t sum = e ? 1U + gw_expr_cost(e) : 1;
	for (size_t pos = 0; e && gw_expr_use(e, &pos, &kind, &index);) {
		sum = gw_cost_add(sum, name(c, kind, index));
	}
	return sum;
}

uint64_t gw_cost_cond(const struct gw_costing *c, const struct gw_cond *cond)
{
	if (!cond || cond->expr) {
		return gw_cost_expr(c, cond ? cond->expr : NULL);
	}
	uint64_t sum = 1;
	for (uint16_t i = 0; i < cond->n_terms; i++) {
		const struct gw_cond_term *t = &cond->terms[i];
		sum = gw_cost_add(sum, t->n_values + name(c, t->kind, t->index));
	}
	return sum;
}

uint64_t gw_cost_sets(const struct gw_costing *c, const struct gw_set *sets, uint16_t n)
{
	uint64_t sum = 0;
	for (uint16_t i = 0; i < n; i++) {
		sum = gw_cost_add(sum, gw_cost_expr(c, sets[i].expr));
		sum = gw_cost_add(sum, gw_cost_point(c, sets[i].point));
	}
	return sum;
}

/* To read it and to write it once. */
static uint64_t capability(const struct gw_costing *c, const struct gw_pl_cap *cap)
{
	uint64_t sum = gw_cost_cond(c, cap->avail);
	sum = gw_cost_add(sum, cap->form->ops->cost ? cap->form->ops->cost(cap->form, c) : 1);
	sum = gw_cost_add(sum, gw_cost_expr(c, cap->stale_after));
	sum = gw_cost_add(sum, gw_cost_sets(c, cap->also, cap->n_also));
	sum = gw_cost_add(sum, cap->n_symbols);
	for (uint16_t i = 0; i < cap->n_rules; i++) {
		sum = gw_cost_add(sum, gw_cost_cond(c, cap->rules[i].cond));
		sum = gw_cost_add(sum, cap->rules[i].n_symbols);
	}
	return sum;
}

/* Its places, and each capability that one of its points changes. */
static uint64_t message(const struct gw_costing *c, const struct gw_pl_msg *m)
{
	const struct gw_plan *p = c->plan;
	uint64_t sum = m->n_extracts;
	for (uint16_t i = 0; i < m->n_filters; i++) {
		sum = gw_cost_add(sum, m->filters[i].n_values);
	}
	for (uint16_t i = 0; i < m->n_points; i++) {
		sum = gw_cost_add(sum, gw_cost_point(c, m->points[i].point));
	}
	for (uint16_t cap = 0; cap < p->n_caps; cap++) {
		bool depends = false;
		for (uint16_t i = 0; i < m->n_points && !depends; i++) {
			depends = gw_bit_test(p->deps + m->points[i].point * p->cap_words, cap);
		}
		sum = depends ? gw_cost_add(sum, c->caps[cap]) : sum;
	}
	for (uint16_t i = 0; i < m->n_layers; i++) { /* in their own order: no loops */
		sum = gw_cost_add(sum, message(c, &p->msgs[m->layers[i].msg]));
	}
	return sum;
}

/* At the place in c->at. */
static int too_dear(struct gw_compiler *c, const struct gw_node *n, uint64_t cost, uint64_t most)
{
	return gw_refuse(c, n, NULL, "size",
			 "takes up to %llu steps, expected at most %llu: fewer rows, or names of "
			 "capabilities that name capabilities",
			 (unsigned long long)cost, (unsigned long long)most);
}

int gw_cost_check(struct gw_compiler *c)
{
	struct gw_plan *p = c->plan;
	struct gw_costing costing = {.plan = p};
	uint64_t *caps = gw_compile_array(c, uint64_t, p->n_caps);
	uint64_t sampled = 0;
	if (!caps) {
		return -ENOMEM;
	}
	costing.caps = caps;
	for (uint16_t i = 0; i < p->n_caps; i++) {
		uint16_t k = p->order ? p->order[i] : i; /* after those that it names */
		const struct gw_pl_cap *cap = &p->caps[k];
		caps[k] = capability(&costing, cap);
		gw_compile_go_to(c, cap);
		if (caps[k] > GW_COST_CAPABILITY) {
			return too_dear(c, cap->node, caps[k], GW_COST_CAPABILITY);
		}
		if (cap->info.writable && (cap->form->ops->sampled || cap->n_also)) {
			sampled = gw_cost_add(sampled, times(caps[k], GW_LAW_SAMPLES));
		}
		if (sampled > GW_COST_SAMPLING) {
			return too_dear(c, cap->node, sampled, GW_COST_SAMPLING);
		}
	}
	c->at[0] = 0;
	(void)gw_at(c, GW_STR("msgs"));
	for (uint16_t i = 0; i < p->n_msgs; i++) {
		struct gw_pl_msg *m = &p->msgs[i];
		m->info.cost = message(&costing, m);
		if (m->info.cost > GW_COST_MESSAGE) {
			(void)gw_at(c, m->name);
			return too_dear(c, m->node, m->info.cost, GW_COST_MESSAGE);
		}
	}
	return 0;
}
