/* Embedded tests (profile-language §14): each on a fresh device, step by step through the line protocol. */
#include "profile/vectors.h"

#include <errno.h>

#include "gw/alloc.h"
#include "gw/limits.h"
#include "profile/compose.h"
#include "profile/line.h"
#include "profile/source.h"
#include "profile/state.h"

#define GW_VECTOR_BYTES (16 * 1024 * 1024)

GW_DEFINE_AUTO(struct gw_arena, gw_arena_free)
GW_DEFINE_AUTO(struct gw_binding, gw_binding_free)
GW_DEFINE_AUTO(struct gw_plan, gw_plan_unref)

struct stepping {
	struct gw_binding *b;
	struct gw_arena *a;
	struct gw_buf *text; /* what differed */
};

/* --- asking --- */

static int ask(struct stepping *s, const struct gw_node *request, const struct gw_node **ret_answer)
{
	GW_AUTO(gw_buf_fini) struct gw_buf line = GW_BUF_INIT(GW_VECTOR_BYTES);
	const struct gw_node_limits limits = {.max_bytes = GW_VECTOR_BYTES, .max_depth = 64};
	struct gw_node *answer = NULL;
	int r = gw_line_step(s->b, request, &line);
	r = r < 0 ? r
		  : gw_node_parse_json(s->a, gw_buf_str(&line), &limits, &answer,
				       /* reterr_= */ NULL);
	if (r == 0) {
		*ret_answer = answer;
	}
	return r;
}

static int put(struct stepping *s, struct gw_node *request, const struct gw_node *step,
	       const char *key)
{
	const struct gw_node *n = gw_node_get(step, key);
	struct gw_node *copy = n ? gw_node_copy(s->a, n) : NULL;
	if (n && !copy) {
		return -ENOMEM;
	}
	return n ? gw_node_set(s->a, request, gw_str(key), copy) : 0;
}

/* Tests write act as [address, {args}]; the line protocol as {address: {args}}. */
static int put_act(struct stepping *s, struct gw_node *request, const struct gw_node *step)
{
	const struct gw_node *act = gw_node_get(step, "act");
	if (!act || act->type != GW_NODE_LIST) {
		return put(s, request, step, "act");
	}
	const struct gw_node *address = gw_node_at(act, 0), *args = gw_node_at(act, 1);
	if (!address || address->type != GW_NODE_TEXT) {
		return -EINVAL;
	}
	struct gw_node *map = gw_node_new(s->a, GW_NODE_MAP);
	struct gw_node *copy = args ? gw_node_copy(s->a, args) : gw_node_new(s->a, GW_NODE_MAP);
	int r = map && copy ? gw_node_set(s->a, map, address->text, copy) : -ENOMEM;
	return r < 0 ? r : gw_node_set(s->a, request, GW_STR("act"), map);
}

/* --- comparing --- */

static int differs(struct stepping *s, const char *what, const struct gw_node *got,
		   const struct gw_node *wanted)
{
	gw_buf_printf(s->text, "%s: got ", what);
	if (got) {
		gw_node_write(s->text, got, /* source_order= */ false);
	} else {
		gw_buf_puts(s->text, "nothing");
	}
	gw_buf_puts(s->text, ", expected ");
	gw_node_write(s->text, wanted, /* source_order= */ false);
	return 1;
}

static bool same_hex(const struct gw_node *a, const struct gw_node *b)
{
	GW_AUTO(gw_buf_fini) struct gw_buf x = GW_BUF_INIT(GW_VECTOR_BYTES);
	GW_AUTO(gw_buf_fini) struct gw_buf y = GW_BUF_INIT(GW_VECTOR_BYTES);
	return a->type == GW_NODE_TEXT && b->type == GW_NODE_TEXT &&
	       gw_hex_decode(a->text, &x) == 0 && gw_hex_decode(b->text, &y) == 0 &&
	       gw_str_eq(gw_buf_str(&x), gw_buf_str(&y));
}

static bool same_text(const struct gw_node *a, const struct gw_node *b)
{
	GW_AUTO(gw_buf_fini) struct gw_buf x = GW_BUF_INIT(GW_VECTOR_BYTES);
	GW_AUTO(gw_buf_fini) struct gw_buf y = GW_BUF_INIT(GW_VECTOR_BYTES);
	return gw_node_text_form(a, &x) == 0 && gw_node_text_form(b, &y) == 0 &&
	       gw_str_eq(gw_buf_str(&x), gw_buf_str(&y));
}

static bool same_tree(struct stepping *s, const struct gw_node *got, const struct gw_node *wanted)
{
	const struct gw_node_limits limits = {.max_bytes = GW_VECTOR_BYTES, .max_depth = 64};
	struct gw_node *parsed = NULL;
	if (gw_node_equal(got, wanted)) {
		return true;
	}
	return wanted->type == GW_NODE_TEXT &&
	       gw_node_parse_json(s->a, wanted->text, &limits, &parsed, NULL) == 0 &&
	       gw_node_equal(got, parsed);
}

/* One {msg: body} of tx. */
static bool same_message(struct stepping *s, const struct gw_node *got,
			 const struct gw_node *wanted)
{
	const struct gw_node *g = gw_node_first(got, GW_NODE_MAP),
			     *w = gw_node_first(wanted, GW_NODE_MAP);
	int msg = g ? gw_plan_find_msg(s->b->plan, g->key) : -ENOENT;
	if (!g || !w || msg < 0 || !gw_str_eq(g->key, w->key)) {
		return false;
	}
	const struct gw_codec_ops *codec = s->b->plan->msgs[msg].codec;
	if (codec->bytes) {
		return same_hex(g, w);
	}
	return codec->tree && !codec->text ? same_tree(s, g, w) : same_text(g, w);
}

static int compare_sent(struct stepping *s, const struct gw_node *got, const struct gw_node *wanted)
{
	if (!wanted) {
		return 0;
	}
	const struct gw_node *g = gw_node_first(got, GW_NODE_LIST),
			     *w = gw_node_first(wanted, GW_NODE_LIST);
	for (; g && w; g = g->next, w = w->next) {
		if (!same_message(s, g, w)) {
			break;
		}
	}
	return g || w ? differs(s, "tx", got, wanted) : 0;
}

static int compare_wants(struct stepping *s, const struct gw_node *got,
			 const struct gw_node *wanted)
{
	gw_member_for(w, wanted)
	{
		struct gw_str address =
			gw_str_starts(w->key, "main/") ? gw_str_sub(w->key, 5, w->key.len) : w->key;
		const struct gw_node *g = gw_node_get_str(got, address);
		if (!g || !gw_node_equal(g, w)) {
			return differs(s, w->key.p, g, w);
		}
	}
	return 0;
}

static int compare_error(struct stepping *s, const struct gw_node *got,
			 const struct gw_node *wanted)
{
	static const struct gw_node none = {.type = GW_NODE_NULL};
	wanted = wanted ? wanted : &none;
	return got && gw_node_equal(got, wanted) ? 0 : differs(s, "error", got, wanted);
}

static int compare_plain(struct stepping *s, const char *key, const struct gw_node *answer,
			 const struct gw_node *step)
{
	const struct gw_node *got = gw_node_get(answer, key), *wanted = gw_node_get(step, key);
	return !wanted || (got && gw_node_equal(got, wanted)) ? 0 : differs(s, key, got, wanted);
}

/* rx first, then write or act: `want` is looked at in between (§14). */
static int run_step(struct stepping *s, const struct gw_node *step)
{
	static const char *const before[] = {"reset", "match", "rx"};
	const struct gw_node *received = NULL, *sent = NULL, *error;
	struct gw_node *first = gw_node_new(s->a, GW_NODE_MAP),
		       *second = gw_node_new(s->a, GW_NODE_MAP);
	int r = first && second ? 0 : -ENOMEM;
	for (size_t i = 0; r == 0 && i < gw_countof(before); i++) {
		r = put(s, first, step, before[i]);
	}
	r = r < 0 ? r : put(s, second, step, "write");
	r = r < 0 ? r : put_act(s, second, step);
	r = r < 0 ? r : ask(s, first, &received);
	if (r < 0) {
		return r;
	}
	error = gw_node_get(received, "error");
	sent = received;
	if (error->type == GW_NODE_NULL && second->count > 0) {
		r = ask(s, second, &sent);
		error = r < 0 ? NULL : gw_node_get(sent, "error");
	}
	r = r != 0 ? r : compare_error(s, error, gw_node_get(step, "error"));
	r = r != 0 ? r : compare_wants(s, gw_node_get(received, "want"), gw_node_get(step, "want"));
	r = r != 0 ? r : compare_plain(s, "events", received, step);
	r = r != 0 ? r : compare_plain(s, "vars_out", received, step);
	return r != 0 ? r : compare_sent(s, gw_node_get(sent, "tx"), gw_node_get(step, "tx"));
}

int gw_vectors_step(struct gw_binding *b, const struct gw_node *step, struct gw_buf *ret_text)
{
	GW_AUTO(gw_arena_free_auto) struct gw_arena *a = gw_arena_new(2 * GW_VECTOR_BYTES);
	struct stepping s = {.b = b, .a = a, .text = ret_text};
	return a ? run_step(&s, step) : -ENOMEM;
}

/* --- the profile's tests --- */

static int test_vars(struct gw_profile *p, const struct gw_node *test, struct gw_vars *vars,
		     struct gw_buf *text)
{
	struct gw_error error = {0};
	int r = 0;
	gw_member_for(n, gw_node_get(test, "vars"))
	{
		GW_AUTO(gw_buf_fini) struct gw_buf value = GW_BUF_INIT(GW_VAR_BYTES + 1);
		r = r < 0 ? r : gw_node_text_form(n, &value);
		r = r < 0 ? r : gw_vars_set(vars, n->key, gw_buf_str(&value));
	}
	r = r < 0 ? r : gw_profile_complete_vars(p, vars, &error);
	if (r == -EINVAL || r == -E2BIG) {
		gw_buf_printf(text, "vars: %s", error.text);
		return 1;
	}
	return r;
}

static int run_steps(struct gw_binding *b, const struct gw_node *test, struct gw_buf *text)
{
	const struct gw_node *steps = gw_node_get(test, "steps");
	int r = 0;
	size_t i = 0;
	if (!steps) {
		return gw_vectors_step(b, test, text);
	}
	for (const struct gw_node *step = gw_node_first(steps, GW_NODE_LIST); step && r == 0;
	     step = step->next) {
		r = gw_vectors_step(b, step, text);
		if (r > 0) {
			gw_buf_printf(text, " (step %zu)", i);
		}
		i++;
	}
	return r;
}

static int run_test(struct gw_profile *p, const struct gw_node *test, struct gw_buf *text)
{
	struct gw_vars vars = {0};
	struct gw_error error = {0};
	GW_AUTO(gw_plan_unref_auto) struct gw_plan *plan = NULL;
	GW_AUTO(gw_binding_free_auto) struct gw_binding *b = NULL;
	int r = test_vars(p, test, &vars, text);
	r = r != 0 ? r : gw_plan_get(p, &vars, &plan, &error);
	r = r != 0 ? r : gw_binding_new(plan, &vars, &b, &error);
	gw_vars_fini(&vars);
	if (r == -EINVAL) {
		gw_error_format(&error, text);
		return 1;
	}
	return r != 0 ? r : run_steps(b, test, text);
}

int gw_profile_run_tests(struct gw_profile *p,
			 void (*report)(void *ctx, const struct gw_test_report *r), void *ctx)
{
	int failures = 0;
	gw_item_for(test, gw_node_get(p->tree, "tests"))
	{
		GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(4096);
		int r = run_test(p, test, &text);
		if (r < 0) {
			return r;
		}
		const char *name = gw_node_text(test, "name");
		const struct gw_test_report line = {
			.name = name ? name : "", .passed = r == 0, .text = text.p ? text.p : ""};
		failures += r;
		if (report) {
			report(ctx, &line);
		}
	}
	return failures;
}
