/* What forms say of their worst case (cost.c). */
#pragma once

#include "profile/plan.h"

struct gw_costing {
	const struct gw_plan *plan;
	const uint64_t *caps; /* of those that the present one may name */
};

uint64_t gw_cost_add(uint64_t a, uint64_t b); /* saturates */
uint64_t gw_cost_point(const struct gw_costing *c, uint16_t point);
uint64_t gw_cost_expr(const struct gw_costing *c, const struct gw_expr *e); /* NULL: a constant */
uint64_t gw_cost_cond(const struct gw_costing *c, const struct gw_cond *cond); /* NULL: always */
uint64_t gw_cost_sets(const struct gw_costing *c, const struct gw_set *sets, uint16_t n);
