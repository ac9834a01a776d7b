/* Plans: the cache by variant choice, references, and what others may know of one. */
#include "profile/plan.h"

#include <errno.h>

#include "gw/alloc.h"
#include "profile/compile.h"
#include "profile/compose.h"
#include "profile/source.h"

static struct gw_plan *find_cached(const struct gw_profile *p, uint64_t choice)
{
	for (struct gw_plan *plan = p->plans; plan; plan = plan->next) {
		if (plan->choice == choice) {
			return plan;
		}
	}
	return NULL;
}

int gw_plan_get(struct gw_profile *p, const struct gw_vars *vars, struct gw_plan **ret_plan,
		struct gw_error *reterr_)
{
	uint64_t choice = 0;
	int r = gw_compose_choice(p->tree, vars, &choice);
	if (r < 0) {
		return r;
	}
	struct gw_plan *plan = find_cached(p, choice);
	if (!plan) {
		struct gw_arena *a = gw_arena_new(GW_PLAN_BYTES);
		if (!a) {
			return -ENOMEM;
		}
		struct gw_node *tree = NULL;
		r = gw_compose_bind(a, p->tree, vars, &tree, &choice, reterr_);
		if (r < 0) {
			gw_arena_free(a);
			return r;
		}
		r = gw_compile(p, tree, a, choice, &plan, reterr_);
		if (r < 0) {
			return r;
		}
		plan->next = p->plans;
		p->plans = plan;
	}
	*ret_plan = gw_plan_ref(plan);
	return 0;
}

struct gw_plan *gw_plan_ref(struct gw_plan *p)
{
	if (p->refs++ == 0) {
		(void)gw_profile_ref(p->profile); /* the plan itself holds what it was made from */
	}
	return p;
}

void gw_plan_unref(struct gw_plan *p)
{
	if (p && --p->refs == 0) {
		gw_profile_unref(p->profile);
	}
}

void gw_plan_free(struct gw_plan *p)
{
	if (!p) {
		return;
	}
	for (size_t i = 0; i < p->n_exprs; i++) {
		gw_expr_fini(p->exprs[i]);
	}
	for (size_t i = 0; i < p->n_texts; i++) {
		gw_text_unref(p->texts[i]);
	}
	gw_free(p->exprs);
	gw_free(p->texts);
	gw_map_free(p->by_address, /* free_value= */ NULL);
	gw_arena_free(p->arena);
	gw_free(p);
}

void gw_engine_free_plans(struct gw_profile *p)
{
	while (p->plans) {
		struct gw_plan *plan = p->plans;
		p->plans = plan->next;
		gw_plan_free(plan);
	}
}

struct gw_profile *gw_plan_profile(const struct gw_plan *p)
{
	return p->profile;
}

size_t gw_plan_msg_count(const struct gw_plan *p)
{
	return p->n_msgs;
}

const struct gw_msg_info *gw_plan_msg(const struct gw_plan *p, size_t i)
{
	return i < p->n_msgs ? &p->msgs[i].info : NULL;
}

int gw_plan_find_msg(const struct gw_plan *p, struct gw_str name)
{
	for (int i = 0; i < p->n_msgs; i++) { /* at most GW_PROFILE_MSGS */
		if (gw_str_eq(p->msgs[i].name, name)) {
			return i;
		}
	}
	return -ENOENT;
}

size_t gw_plan_cap_count(const struct gw_plan *p)
{
	return p->n_caps;
}

const struct gw_cap_info *gw_plan_cap(const struct gw_plan *p, size_t i)
{
	return i < p->n_caps ? &p->caps[i].info : NULL;
}

int gw_address_find(const struct gw_plan *p, struct gw_str address)
{
	if (gw_str_starts(address, "main/")) {
		address = gw_str_sub(address, 5, address.len);
	}
	const struct gw_pl_cap *cap = p->by_address ? gw_map_find(p->by_address, address) : NULL;
	return cap ? (int)(cap - p->caps) : -ENOENT;
}

int gw_plan_find_cap(const struct gw_plan *p, struct gw_str address)
{
	int i = gw_address_find(p, address);
	for (size_t k = 0; i < 0 && k < p->n_moved; k++) {
		if (gw_str_eq(p->moved[k].from, address)) {
			i = p->moved[k].cap;
		}
	}
	return i;
}

const struct gw_link_info *gw_plan_link(const struct gw_plan *p)
{
	return &p->link;
}
