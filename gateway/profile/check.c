/* The engine's share of checking a profile (profile-language §16): compile it, then each variant, then heads and tests. */
#include <errno.h>
#include <stdio.h>

#include "gw/alloc.h"
#include "profile/compile.h"
#include "profile/compose.h"
#include "profile/source.h"
#include "profile/vectors.h"

GW_DEFINE_AUTO(struct gw_plan, gw_plan_free)

static int refuse(struct gw_error *e, const char *at, const char *code, const char *fmt, ...)
	GW_PRINTF(4, 5);

static int refuse(struct gw_error *e, const char *at, const char *code, const char *fmt, ...)
{
	char text[sizeof(e->text)];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)gw_error_set(e, -EINVAL, code, "%s", text);
	if (e) {
		(void)snprintf(e->at, sizeof(e->at), "%s", at);
	}
	return -EINVAL;
}

/* --- variants --- */

static int check_variant(struct gw_profile *p, size_t i, struct gw_error *reterr_)
{
	uint64_t choice = gw_compose_with(p->tree, i);
	struct gw_arena *a = gw_arena_new(GW_PLAN_BYTES);
	struct gw_node *tree = NULL;
	if (!a) {
		return -ENOMEM;
	}
	GW_AUTO(gw_plan_free_auto) struct gw_plan *plan = NULL;
	int r = gw_compose_chosen(a, p->tree, choice, &tree, reterr_);
	if (r < 0) {
		gw_arena_free(a);
	} else {
		r = gw_compile(p, tree, a, choice, &plan, reterr_);
	}
	if (r == -EINVAL && reterr_) {
		(void)snprintf(reterr_->at, sizeof(reterr_->at), "/variants/%zu", i);
	}
	return r;
}

/* --- mandatory capabilities --- */

/* "outlet:switch.on" is wanted in some component outlet…, "switch.on" in main. */
static bool has_capability(const struct gw_plan *p, struct gw_str wanted, uint16_t *ret_cap)
{
	struct gw_str id = wanted, component = {NULL, 0};
	const char *colon = memchr(wanted.p, ':', wanted.len);
	if (colon) {
		component = gw_str_sub(wanted, 0, (size_t)(colon - wanted.p));
		id = gw_str_sub(wanted, component.len + 1, wanted.len);
	}
	for (uint16_t i = 0; i < p->n_caps; i++) {
		const struct gw_pl_cap *cap = &p->caps[i];
		struct gw_str name = gw_str(cap->info.component);
		bool there = component.p ? name.len >= component.len &&
						   memcmp(name.p, component.p, component.len) == 0
					 : cap->component == 0;
		if (there && gw_str_is(id, cap->info.id)) {
			*ret_cap = i;
			return true;
		}
	}
	return false;
}

/* Alternatives are separated by |. */
static bool has_any(const struct gw_plan *p, const char *alternatives, uint16_t *ret_cap)
{
	struct gw_str one;
	for (struct gw_str rest = gw_str(alternatives); gw_str_split(&rest, '|', &one);) {
		if (has_capability(p, one, ret_cap)) {
			return true;
		}
	}
	return false;
}

static int check_mandatory(const struct gw_profile *p, const struct gw_plan *plan,
			   struct gw_error *reterr_)
{
	uint16_t cap;
	for (uint8_t i = 0; p->type && i < p->type->n_mandatory; i++) {
		if (!has_any(plan, p->type->mandatory[i], &cap)) {
			return refuse(reterr_, "/caps", "cap", "a %s must have %s", p->type->id,
				      p->type->mandatory[i]);
		}
	}
	return 0;
}

/* --- tests --- */

static bool step_names(const struct gw_node *step, const char *key, struct gw_str address)
{
	const struct gw_node *n = gw_node_get(step, key);
	if (!n || n->type != GW_NODE_MAP) {
		return false;
	}
	return gw_node_get_str(n, address) != NULL;
}

static bool test_names(const struct gw_node *test, const char *key, struct gw_str address)
{
	bool found = step_names(test, key, address);
	gw_item_for(step, gw_node_get(test, "steps"))
	{
		found |= step_names(step, key, address);
	}
	return found;
}

static bool tests_name(const struct gw_profile *p, const char *key, struct gw_str address)
{
	gw_item_for(test, gw_node_get(p->tree, "tests"))
	{
		if (test_names(test, key, address)) {
			return true;
		}
	}
	return false;
}

/* What the type demands must be shown by a vector: a write where it can be written, else its value. */
static int check_covered(const struct gw_profile *p, const struct gw_plan *plan,
			 struct gw_error *reterr_)
{
	uint16_t index;
	for (uint8_t i = 0; p->type && i < p->type->n_mandatory; i++) {
		if (!has_any(plan, p->type->mandatory[i], &index)) {
			continue;
		}
		const struct gw_pl_cap *cap = &plan->caps[index];
		const char *key = cap->info.writable ? "write" : "want";
		if (cap->info.kind == GW_KIND_PROPERTY && !tests_name(p, key, cap->address)) {
			return refuse(reterr_, "/tests", "test", "no test has a `%s` of %s", key,
				      cap->info.address);
		}
	}
	return 0;
}

struct first_failure {
	struct gw_error *error;
	size_t index;
	bool failed;
};

static void note_failure(void *ctx, const struct gw_test_report *r)
{
	struct first_failure *f = ctx;
	if (!r->passed && !f->failed) {
		char at[64];
		(void)snprintf(at, sizeof(at), "/tests/%zu", f->index);
		(void)refuse(f->error, at, "test", "%s: %s", r->name, r->text);
		f->failed = true;
	}
	f->index++;
}

static int check_tests(struct gw_profile *p, const struct gw_plan *plan, struct gw_error *reterr_)
{
	const unsigned waived = GW_PROFILE_LAX | GW_PROFILE_IMPORTED;
	int r = gw_schema_check(p->tree, "tests", p->flags, reterr_);
	if (r == 0 && !(p->flags & waived)) {
		r = check_covered(p, plan, reterr_);
	}
	if (r < 0 || (p->flags & GW_PROFILE_NO_TESTS)) {
		return r;
	}
	struct first_failure f = {.error = reterr_};
	r = gw_profile_run_tests(p, note_failure, &f);
	return r > 0 ? -EINVAL : r;
}

int gw_engine_check(struct gw_profile *p, struct gw_error *reterr_)
{
	struct gw_vars none = {0};
	struct gw_plan *plan = NULL;
	int r = gw_plan_get(p, &none, &plan, reterr_);
	if (r < 0) {
		return r;
	}
	if (!(p->flags & (GW_PROFILE_LAX | GW_PROFILE_IMPORTED))) {
		r = check_mandatory(p, plan, reterr_);
	}
	const struct gw_node *variants = gw_node_get(p->tree, "variants");
	r = r < 0 ? r : gw_schema_check(p->tree, "variants", p->flags, reterr_);
	for (size_t i = 0; r == 0 && variants && i < variants->count; i++) {
		r = check_variant(p, i, reterr_);
	}
	r = r < 0 ? r : check_tests(p, plan, reterr_);
	gw_plan_unref(plan);
	return r;
}
