#include "golden.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/binding.h"
#include "gw/limits.h"
#include "gw/profile.h"
#include "gw_test.h"
#include "profile/compose.h"
#include "profile/vectors.h"

#define FILE_BYTES (1024 * 1024)
#define NAMES_MAX  1024

GW_DEFINE_AUTO(struct gw_arena, gw_arena_free)
GW_DEFINE_AUTO(struct gw_library, gw_library_free)
GW_DEFINE_AUTO(struct gw_profile, gw_profile_unref)
GW_DEFINE_AUTO(struct gw_plan, gw_plan_unref)
GW_DEFINE_AUTO(struct gw_binding, gw_binding_free)

/* --- one case --- */

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
		       struct gw_buf *why)
{
	const char *code = gw_node_text(refuse, "code"), *at = gw_node_text(refuse, "at");
	if (r < 0 && strcmp(code, e->code) == 0 && strcmp(at, e->at) == 0) {
		return true;
	}
	gw_buf_printf(why, "expected refusal %s at %s; got %s at %s: %s", code, at,
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

static bool run_steps(struct gw_binding *b, const struct gw_node *steps, struct gw_buf *why)
{
	size_t i = 0;
	gw_item_for(step, steps)
	{
		int r = gw_vectors_step(b, step, why);
		if (r != 0) {
			gw_buf_printf(why, " (step %zu, %d)", i, r);
			return false;
		}
		i++;
	}
	return i > 0;
}

static bool run_case(const struct gw_node *c, struct gw_buf *why)
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
		return as_refused(refuse, r, &e, why);
	}
	r = r < 0 ? r : bind(p, gw_node_get(c, "vars"), &b, &e);
	if (r < 0) {
		gw_error_format(&e, why);
		return false;
	}
	return run_steps(b, gw_node_get(c, "steps"), why);
}

/* --- the form of a case: a misspelt key would be an expectation that nobody looks at --- */

static void check_keys(const char *file, const struct gw_node *n, const char *const *known,
		       size_t n_known)
{
	gw_member_for(m, n)
	{
		size_t i = 0;
		while (i < n_known && !gw_str_is(m->key, known[i])) {
			i++;
		}
		if (i == n_known) {
			fail_msg("%s:%u: unknown key %s", file, m->key_line, m->key.p);
		}
	}
}

static void check_form(const char *file, const struct gw_node *c)
{
	static const char *const keys[] = {"name", "profile", "library", "vars", "steps", "refuse"};
	static const char *const refuse_keys[] = {"code", "at"};
	static const char *const step_keys[] = {"reset", "match", "rx",	     "write",
						"act",	 "want",  "tx",	     "events",
						"error", "name",  "vars_out"};
	const struct gw_node *steps = gw_node_get(c, "steps"), *refuse = gw_node_get(c, "refuse");
	if (!gw_node_text(c, "name") || !gw_node_get(c, "profile") || !steps == !refuse) {
		fail_msg("%s:%u: a case has name, profile, and steps or refuse", file, c->line);
	}
	check_keys(file, c, keys, gw_countof(keys));
	check_keys(file, refuse, refuse_keys, gw_countof(refuse_keys));
	gw_item_for(step, steps)
	{
		check_keys(file, step, step_keys, gw_countof(step_keys));
	}
}

/* --- a folder --- */

struct names {
	char *name[NAMES_MAX];
	size_t n;
};

static void must_be_new(struct names *s, const char *file, const char *name)
{
	for (size_t i = 0; i < s->n; i++) {
		if (strcmp(s->name[i], name) == 0) {
			fail_msg("%s: the name \"%s\" is used twice", file, name);
		}
	}
	assert_true(s->n < NAMES_MAX);
	s->name[s->n] = gw_strdup(name);
	assert_non_null(s->name[s->n++]);
}

static struct gw_node *read_file(struct gw_arena *a, const char *path)
{
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(FILE_BYTES);
	const struct gw_node_limits limits = {.max_bytes = FILE_BYTES, .max_depth = 64};
	struct gw_node *root = NULL;
	struct gw_error e = {0};
	char chunk[4096];
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	for (size_t n; (n = fread(chunk, 1, sizeof(chunk), f)) > 0;) {
		gw_buf_add(&text, chunk, n);
	}
	fclose(f);
	if (gw_node_parse_yaml(a, gw_buf_str(&text), &limits, &root, &e) < 0) {
		fail_msg("%s:%u:%u: %s", path, e.line, e.column, e.text);
	}
	return root;
}

static void run_file(const char *folder, const char *file, struct golden *g, struct names *names)
{
	char path[512];
	GW_AUTO(gw_arena_free_auto) struct gw_arena *a = gw_arena_new(64 * FILE_BYTES);
	(void)snprintf(path, sizeof(path), GOLDEN_DIR "%s/%s", folder, file);
	const struct gw_node *root = read_file(a, path);
	assert_non_null(gw_node_text(root, "section"));
	gw_item_for(c, gw_node_get(root, "cases"))
	{
		GW_AUTO(gw_buf_fini) struct gw_buf why = GW_BUF_INIT(65536);
		check_form(file, c);
		must_be_new(names, file, gw_node_text(c, "name"));
		if (!run_case(c, &why)) {
			print_error("FAILED: %s:%u %s: %s\n", path, c->line,
				    gw_node_text(c, "name"), why.p ? why.p : "");
			g->failed++;
			continue;
		}
		g->passed++;
		if (g->fn) {
			g->fn(g->ctx, file, c);
		}
	}
}

static int is_yaml(const struct dirent *e)
{
	return gw_str_ends(gw_str(e->d_name), ".yaml");
}

void golden_run(const char *folder, struct golden *g)
{
	char path[512];
	struct dirent **file = NULL;
	struct names names = {.n = 0};
	(void)snprintf(path, sizeof(path), GOLDEN_DIR "%s", folder);
	int n = scandir(path, &file, is_yaml, alphasort);
	if (n <= 0) {
		fail_msg("no cases in %s", path);
	}
	for (int i = 0; i < n; i++) {
		run_file(folder, file[i]->d_name, g, &names);
		free(file[i]);
	}
	free(file);
	for (size_t i = 0; i < names.n; i++) {
		gw_free(names.name[i]);
	}
	print_message("%s: %zu passed, %zu failed\n", folder, g->passed, g->failed);
}
