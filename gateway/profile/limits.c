/* What may be written now (profile-language §9): the first limits rule that holds, then the capability, then the model. */
#include <math.h>

#include "profile/plan.h"
#include "profile/state.h"

static void resolve_bound(const struct gw_view *v, struct gw_bound *b)
{
	if (b->open || b->point == GW_NO_INDEX) {
		return;
	}
	const struct gw_raw now = gw_view_point(v, b->point);
	b->open = now.type != GW_RAW_NUMBER; /* a bound without value is open */
	b->value = b->open ? 0 : now.number;
	b->point = GW_NO_INDEX;
}

/* The model's bounds, in the unit. */
static struct gw_range model_range(const struct gw_pl_cap *cap)
{
	const struct gw_capability *m = cap->info.model;
	struct gw_range r = {.min = {.open = true, .point = GW_NO_INDEX},
			     .max = {.open = true, .point = GW_NO_INDEX}};
	if (m && m->has_min) {
		r.min = (struct gw_bound){.point = GW_NO_INDEX,
					  .value = gw_count_value(m->min, m->res)};
	}
	if (m && m->has_max) {
		r.max = (struct gw_bound){.point = GW_NO_INDEX,
					  .value = gw_count_value(m->max, m->res)};
	}
	return r;
}

void gw_limits_now(const struct gw_view *v, const struct gw_pl_cap *cap,
		   struct gw_limits_now *ret_limits)
{
	struct gw_limits_now l = {.range = cap->range.given ? cap->range : model_range(cap),
				  .symbols = cap->info.domain.symbols,
				  .n_symbols = cap->info.domain.n_symbols};
	for (uint16_t i = 0; i < cap->n_rules; i++) {
		const struct gw_rule *rule = &cap->rules[i];
		if (!gw_cond_holds(rule->cond, v)) {
			continue;
		}
		if (rule->range.given) {
			l.range = rule->range;
		}
		if (rule->symbols) {
			l.symbols = rule->symbols;
			l.n_symbols = rule->n_symbols;
		}
		l.ro = rule->ro;
		break;
	}
	resolve_bound(v, &l.range.min);
	resolve_bound(v, &l.range.max);
	*ret_limits = l;
}

void gw_limits_domain(const struct gw_pl_cap *cap, const struct gw_limits_now *l,
		      struct gw_domain *ret_domain)
{
	struct gw_domain d = cap->info.domain;
	double scale = (double)d.res.d / (double)d.res.n;
	d.has_min = !l->range.min.open;
	d.has_max = !l->range.max.open;
	d.min = d.has_min ? (int64_t)ceil(l->range.min.value * scale - 1e-6) : 0;
	d.max = d.has_max ? (int64_t)floor(l->range.max.value * scale + 1e-6) : 0;
	d.step = (int64_t)gw_round(l->range.step * scale);
	d.symbols = l->symbols;
	d.n_symbols = l->n_symbols;
	*ret_domain = d;
}

void gw_binding_limits(struct gw_binding *b, size_t cap, struct gw_domain *ret_domain, bool *ret_ro)
{
	const struct gw_plan *p = b->plan;
	if (cap >= p->n_caps) {
		*ret_domain = (struct gw_domain){.type = GW_TYPE_NONE, .res = {1, 1}};
		*ret_ro = true;
		return;
	}
	const struct gw_view v = gw_view_reported(b);
	struct gw_limits_now l;
	gw_limits_now(&v, &p->caps[cap], &l);
	gw_limits_domain(&p->caps[cap], &l, ret_domain);
	*ret_ro = l.ro || !p->caps[cap].info.writable;
}
