/* Every case of the profile language's conformance suite (tests/golden/conformance), one rule each. */
#include "gw_test.h"

#include <stdio.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/binding.h"
#include "gw/limits.h"
#include "gw/node.h"
#include "gw/profile.h"
#include "profile/compose.h"
#include "profile/vectors.h"

#define SUITE HEARTH_SOURCE_DIR "/tests/golden/conformance/"

static const char *const files[] = {"01-syntax.yaml", "02-match.yaml", "03-points.yaml",
				    "04-bytes.yaml",  "05-forms.yaml", "06-writes.yaml"};
#define CASES 207

GW_DEFINE_AUTO(struct gw_arena, gw_arena_free)
GW_DEFINE_AUTO(struct gw_library, gw_library_free)
GW_DEFINE_AUTO(struct gw_profile, gw_profile_unref)
GW_DEFINE_AUTO(struct gw_plan, gw_plan_unref)
GW_DEFINE_AUTO(struct gw_binding, gw_binding_free)

/* Cases that need a construct that is not built, with the construct. They are counted, never passed. */
static const struct {
	const char *name, *missing;
} left_out[] = {
	{NULL, NULL},
};

static const char *why_left_out(const struct gw_node *c)
{
	for (size_t i = 0; i < gw_countof(left_out) && left_out[i].name; i++) {
		if (gw_node_is_text(gw_node_get(c, "name"), left_out[i].name)) {
			return left_out[i].missing;
		}
	}
	return NULL;
}

static int fill_library(struct gw_library *l, const struct gw_node *library, struct gw_error *e)
{
	gw_member_for(n, library)
	{
		GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_PROFILE_BYTES);
		gw_node_write(&text, n, /* source_order= */ true);
		int r = gw_library_add_text(l, n->key, gw_buf_str(&text), "library", e);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

static bool as_refused(const struct gw_node *refuse, int r, const struct gw_error *e,
		       struct gw_buf *text)
{
	const char *code = gw_node_text(refuse, "code"), *at = gw_node_text(refuse, "at");
	if (r < 0 && strcmp(code, e->code) == 0 && strcmp(at, e->at) == 0) {
		return true;
	}
	gw_buf_printf(text, "expected refusal %s at %s; got %s at %s: %s", code, at,
		      r < 0 ? e->code : "none", e->at, e->text);
	return false;
}

static int bind(struct gw_profile *p, const struct gw_node *vars_node,
		struct gw_binding **ret_binding, struct gw_error *e)
{
	struct gw_vars vars = {0};
	GW_AUTO(gw_plan_unref_auto) struct gw_plan *plan = NULL;
	int r = 0;
	gw_member_for(n, vars_node)
	{
		GW_AUTO(gw_buf_fini) struct gw_buf value = GW_BUF_INIT(256);
		assert_int_equal(gw_node_text_form(n, &value), 0);
		assert_int_equal(gw_vars_set(&vars, n->key, gw_buf_str(&value)), 0);
	}
	r = gw_profile_complete_vars(p, &vars, e);
	r = r < 0 ? r : gw_plan_get(p, &vars, &plan, e);
	r = r < 0 ? r : gw_binding_new(plan, &vars, ret_binding, e);
	gw_vars_fini(&vars);
	return r;
}

static bool run_steps(struct gw_binding *b, const struct gw_node *steps, struct gw_buf *text)
{
	size_t i = 0;
	gw_item_for(step, steps)
	{
		int r = gw_vectors_step(b, step, text);
		if (r != 0) {
			gw_buf_printf(text, " (step %zu, %d)", i, r);
			return false;
		}
		i++;
	}
	return i > 0;
}

static bool run_case(const struct gw_node *c, struct gw_buf *text)
{
	GW_AUTO(gw_library_free_auto) struct gw_library *l = NULL;
	GW_AUTO(gw_profile_unref_auto) struct gw_profile *p = NULL;
	GW_AUTO(gw_binding_free_auto) struct gw_binding *b = NULL;
	struct gw_error e = {0};
	const struct gw_node *refuse = gw_node_get(c, "refuse");
	assert_int_equal(gw_library_new(NULL, 0, &l), 0);
	int r = fill_library(l, gw_node_get(c, "library"), &e);
	if (r == 0) {
		r = gw_profile_load_node(l, gw_node_get(c, "profile"), "case", GW_PROFILE_LAX, &p,
					 &e);
	}
	if (refuse) {
		return as_refused(refuse, r, &e, text);
	}
	r = r < 0 ? r : bind(p, gw_node_get(c, "vars"), &b, &e);
	if (r < 0) {
		gw_error_format(&e, text);
		return false;
	}
	return run_steps(b, gw_node_get(c, "steps"), text);
}

static void every_case(void **state)
{
	size_t passed = 0, failed = 0, skipped = 0;
	(void)state;
	for (size_t i = 0; i < gw_countof(files); i++) {
		char path[512];
		GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(1024 * 1024);
		GW_AUTO(gw_arena_free_auto) struct gw_arena *a = gw_arena_new(64 * 1024 * 1024);
		struct gw_node *root = NULL;
		struct gw_error e = {0};
		(void)snprintf(path, sizeof(path), "%s%s", SUITE, files[i]);
		FILE *f = fopen(path, "rb");
		assert_non_null(f);
		char chunk[4096];
		for (size_t n; (n = fread(chunk, 1, sizeof(chunk), f)) > 0;) {
			gw_buf_add(&text, chunk, n);
		}
		fclose(f);
		const struct gw_node_limits limits = {.max_bytes = 1024 * 1024, .max_depth = 64};
		if (gw_node_parse_yaml(a, gw_buf_str(&text), &limits, &root, &e) < 0) {
			fail_msg("%s:%u: %s", path, e.line, e.text);
		}
		gw_item_for(c, gw_node_get(root, "cases"))
		{
			GW_AUTO(gw_buf_fini) struct gw_buf why = GW_BUF_INIT(65536);
			const char *missing = why_left_out(c);
			if (missing) {
				printf("left out: %s (needs %s)\n", gw_node_text(c, "name"),
				       missing);
				skipped++;
			} else if (run_case(c, &why)) {
				passed++;
			} else {
				printf("FAILED: %s:%u %s: %s\n", files[i], c->line,
				       gw_node_text(c, "name"), why.p ? why.p : "");
				failed++;
			}
		}
	}
	printf("conformance: %zu passed, %zu failed, %zu left out\n", passed, failed, skipped);
	assert_int_equal(failed, 0);
	assert_int_equal(passed + skipped, CASES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_case)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
