/* Composition at bind: variants that hold, then repeat (profile-language §3). */
#include <errno.h>
#include <stdio.h>

#include "gw/limits.h"
#include "profile/compose.h"

#define MAX_VARIANTS 64 /* the choice is a 64-bit set */
#define SCALAR_BYTES 512

static int no_memory(struct gw_error *e)
{
	return gw_error_set(e, -ENOMEM, "size", "the composed profile does not fit in memory");
}

static void set_at(struct gw_error *e, const char *at)
{
	if (e) {
		snprintf(e->at, sizeof(e->at), "%s", at);
	}
}

/* --- conditions on variables --- */

/* The next run of digits, without leading zeros; empty when there is none: it counts as 0. */
static struct gw_str next_run(struct gw_str *rest)
{
	size_t i = 0;
	while (i < rest->len && (rest->p[i] < '0' || rest->p[i] > '9')) {
		i++;
	}
	while (i < rest->len && rest->p[i] == '0') {
		i++;
	}
	size_t start = i;
	while (i < rest->len && rest->p[i] >= '0' && rest->p[i] <= '9') {
		i++;
	}
	struct gw_str run = gw_str_sub(*rest, start, i - start);
	*rest = gw_str_sub(*rest, i, rest->len);
	return run;
}

/* Runs of digits compared as integers, missing = 0: 1.10 > 1.9, 1.0 = 1. */
static int compare_versions(struct gw_str a, struct gw_str b)
{
	while (a.len > 0 || b.len > 0) {
		struct gw_str x = next_run(&a), y = next_run(&b);
		if (x.len != y.len) {
			return x.len < y.len ? -1 : 1;
		}
		int c = gw_str_cmp(x, y);
		if (c != 0) {
			return c;
		}
	}
	return 0;
}

/* The text form in buffer; p is NULL for lists and maps and for texts too long for any variable. */
static struct gw_str text_form(const struct gw_node *n, struct gw_buf *b)
{
	if (n->type == GW_NODE_TEXT) {
		return n->text;
	}
	gw_buf_reset(b);
	if (gw_node_text_form(n, b) < 0 || gw_buf_error(b) < 0) {
		return (struct gw_str){NULL, 0};
	}
	return gw_buf_str(b);
}

static int compare(struct gw_str value, const struct gw_node *bound, struct gw_buf *b)
{
	double x;
	if (bound->type == GW_NODE_NUMBER && gw_parse_double(value, &x) == 0) {
		return (x > bound->number) - (x < bound->number);
	}
	return compare_versions(value, text_form(bound, b));
}

static bool holds_bound(struct gw_str value, const struct gw_node *bound, struct gw_buf *b)
{
	static const struct {
		const char *word;
		bool less, equal, greater;
	} words[] = {
		{"lt", true, false, false},
		{"le", true, true, false},
		{"gt", false, false, true},
		{"ge", false, true, true},
	};
	if (bound->type != GW_NODE_TEXT && bound->type != GW_NODE_NUMBER) {
		return false;
	}
	for (size_t i = 0; i < gw_countof(words); i++) {
		if (gw_str_is(bound->key, words[i].word)) {
			int c = compare(value, bound, b);
			return c < 0 ? words[i].less : c > 0 ? words[i].greater : words[i].equal;
		}
	}
	return false;
}

static bool holds_test(struct gw_str value, const struct gw_node *test, struct gw_buf *b)
{
	if (test->type == GW_NODE_MAP) {
		gw_node_for(bound, test)
		{
			if (!holds_bound(value, bound, b)) {
				return false;
			}
		}
		return true;
	}
	if (test->type != GW_NODE_LIST) {
		return gw_str_eq(value, text_form(test, b));
	}
	gw_node_for(item, test)
	{
		if (gw_str_eq(value, text_form(item, b))) {
			return true;
		}
	}
	return false;
}

bool gw_compose_holds(const struct gw_node *condition, const struct gw_vars *vars)
{
	if (condition->type != GW_NODE_MAP) {
		return false;
	}
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(SCALAR_BYTES);
	gw_member_for(test, condition)
	{
		const char *value = gw_vars_get(vars, test->key.p);
		if (!value || !holds_test(gw_str(value), test, &b)) {
			return false;
		}
	}
	return true;
}

/* Does every device for which `narrow` holds meet `wide` too? */
static bool implied(const struct gw_node *wide, const struct gw_node *narrow)
{
	gw_member_for(test, wide)
	{
		const struct gw_node *same = gw_node_get_str(narrow, test->key);
		if (!same || !gw_node_equal(test, same)) {
			return false;
		}
	}
	return true;
}

uint64_t gw_compose_with(const struct gw_node *tree, size_t i)
{
	const struct gw_node *variants = gw_node_get(tree, "variants");
	const struct gw_node *narrow = gw_node_get(gw_node_at(variants, i), "if");
	uint64_t choice = UINT64_C(1) << i, bit = 1;
	gw_item_for(variant, variants)
	{
		const struct gw_node *wide = gw_node_get(variant, "if");
		choice |= wide && narrow && implied(wide, narrow) ? bit : 0;
		bit <<= 1;
	}
	return choice;
}

int gw_compose_choice(const struct gw_node *tree, const struct gw_vars *vars, uint64_t *ret_choice)
{
	const struct gw_node *variants = gw_node_get(tree, "variants");
	uint64_t choice = 0;
	unsigned i = 0;
	if (variants && variants->type == GW_NODE_LIST && variants->count > MAX_VARIANTS) {
		return -E2BIG;
	}
	if (variants && variants->type == GW_NODE_LIST) {
		gw_node_for(variant, variants)
		{
			const struct gw_node *condition = gw_node_get(variant, "if");
			if (condition && gw_compose_holds(condition, vars)) {
				choice |= UINT64_C(1) << i;
			}
			i++;
		}
	}
	*ret_choice = choice;
	return 0;
}

/* --- variants --- */

static const char *const variant_groups[] = {"link", "msgs",	   "points",
					     "caps", "components", "repeat"};

static int append_copy(struct gw_arena *a, struct gw_node *list, const struct gw_node *from)
{
	gw_node_for(item, from)
	{
		struct gw_node *c = gw_node_copy(a, item);
		if (!c || gw_node_append(list, c) < 0) {
			return -ENOMEM;
		}
	}
	return 0;
}

static int merge_variant(struct gw_arena *a, struct gw_node *tree, const struct gw_node *variant)
{
	for (size_t i = 0; i < gw_countof(variant_groups); i++) {
		const struct gw_node *from = gw_node_get(variant, variant_groups[i]);
		struct gw_node *into = gw_node_get(tree, variant_groups[i]);
		int r = 0;
		if (from && into && from->type == GW_NODE_LIST && into->type == GW_NODE_LIST) {
			r = append_copy(a, into, from); /* repeat */
		} else if (from) {
			r = gw_compose_merge_member(a, tree, variant, variant_groups[i]);
		}
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

/* --- repeat --- */

struct repeat {
	struct gw_arena *arena;
	const struct gw_node *names; /* `for` */
	size_t round;
	char at[64]; /* /repeat/<i> */
	struct gw_error *error;
	struct gw_buf text;
};

static int refuse(struct repeat *r, const char *group, const char *name, int err, const char *code,
		  const char *text)
{
	err = gw_error_set(r->error, err, code, "%s", text);
	set_at(r->error, r->at);
	if (r->error) {
		gw_at_push(r->error->at, sizeof(r->error->at), gw_str(group));
		if (name) {
			gw_at_push(r->error->at, sizeof(r->error->at), gw_str(name));
		}
	}
	return err;
}

/* The loop name at the start of s, which begins with "{", and its item in this round. */
static const struct gw_node *loop_item(const struct repeat *r, struct gw_str s, size_t *ret_len)
{
	gw_node_for(list, r->names)
	{
		size_t n = list->key.len;
		if (s.len >= n + 2 && s.p[n + 1] == '}' && memcmp(s.p + 1, list->key.p, n) == 0) {
			*ret_len = n + 2;
			return gw_node_at(list, r->round);
		}
	}
	return NULL;
}

/* Every {n} in s by the text form of its item. The result lies in the arena. */
static int substitute(struct repeat *r, struct gw_str s, struct gw_str *ret_text)
{
	gw_buf_reset(&r->text);
	for (size_t i = 0; i < s.len; i++) {
		size_t len = 0;
		const struct gw_node *item =
			s.p[i] == '{' ? loop_item(r, gw_str_sub(s, i, s.len), &len) : NULL;
		if (!item) {
			gw_buf_putc(&r->text, s.p[i]);
			continue;
		}
		if (gw_node_text_form(item, &r->text) < 0) {
			return refuse(r, "for", NULL, -EINVAL, "schema",
				      "a list or map can only replace a whole text");
		}
		i += len - 1;
	}
	if (gw_buf_error(&r->text) == -E2BIG) {
		return refuse(r, "for", NULL, -EINVAL, "size", "a repeated text becomes too long");
	}
	*ret_text = gw_arena_text(r->arena, gw_buf_str(&r->text));
	return ret_text->p ? 0 : no_memory(r->error);
}

static int expand(struct repeat *r, const struct gw_node *n, struct gw_node **ret_copy);

static int expand_members(struct repeat *r, const struct gw_node *n, struct gw_node *copy)
{
	gw_node_for(m, n)
	{
		struct gw_node *c = NULL;
		struct gw_str key = {NULL, 0};
		int e = expand(r, m, &c);
		if (e == 0 && n->type == GW_NODE_MAP) {
			e = substitute(r, m->key, &key);
		}
		if (e < 0) {
			return e;
		}
		if (n->type == GW_NODE_LIST) {
			e = gw_node_append(copy, c);
		} else if (gw_node_get_str(copy, key)) {
			return refuse(r, "for", NULL, -EINVAL, "name",
				      "two keys of a map become the same");
		} else {
			e = gw_node_set(r->arena, copy, key, c);
		}
		if (e < 0) {
			return no_memory(r->error);
		}
		copy->last->key_line = m->key_line;
		copy->last->key_column = m->key_column;
	}
	return 0;
}

/* A copy of n for this round; its place in the file is that of n. */
static int expand(struct repeat *r, const struct gw_node *n, struct gw_node **ret_copy)
{
	struct gw_node *c = NULL;
	size_t len = 0;
	int e = 0;
	if (n->type == GW_NODE_TEXT) {
		bool open = n->text.len > 0 && n->text.p[0] == '{';
		const struct gw_node *item = open ? loop_item(r, n->text, &len) : NULL;
		struct gw_str text;
		if (item && len == n->text.len) { /* exactly {n}: the item with its type */
			c = gw_node_copy(r->arena, item);
		} else {
			e = substitute(r, n->text, &text);
			c = e == 0 ? gw_node_new_text(r->arena, text) : NULL;
		}
	} else if (n->type == GW_NODE_LIST || n->type == GW_NODE_MAP) {
		c = gw_node_new(r->arena, n->type);
		e = c ? expand_members(r, n, c) : 0;
	} else {
		c = gw_node_copy(r->arena, n);
	}
	if (e < 0) {
		return e;
	}
	if (!c) {
		return no_memory(r->error);
	}
	c->line = n->line;
	c->column = n->column;
	*ret_copy = c;
	return 0;
}

static const char *const repeat_groups[] = {"msgs", "points", "caps", "components"};

/* One group of one round into the tree. */
static int add_group(struct repeat *r, struct gw_node *tree, const struct gw_node *from,
		     const char *group)
{
	struct gw_node *into = gw_node_get(tree, group);
	struct gw_node *copy = NULL;
	if (!from || from->type != GW_NODE_MAP) {
		return from ? refuse(r, group, NULL, -EINVAL, "schema", "expected a map") : 0;
	}
	int e = expand(r, from, &copy);
	if (e < 0) {
		return e;
	}
	if (!into) {
		return gw_node_set(r->arena, tree, gw_str(group), copy) < 0 ? no_memory(r->error)
									    : 0;
	}
	if (into->type != GW_NODE_MAP) {
		return 0; /* not a map: the check of that section says so */
	}
	for (struct gw_node *m = copy->first, *next; m; m = next) {
		next = m->next;
		uint32_t line = m->key_line, column = m->key_column;
		if (gw_node_get_str(into, m->key)) {
			char text[160];
			snprintf(text, sizeof(text), "\"%.*s\" exists already",
				 GW_STR_ARG(gw_str_sub(m->key, 0, 100)));
			return refuse(r, group, NULL, -EINVAL, "name", text);
		}
		if (gw_node_set(r->arena, into, m->key, m) < 0) {
			return no_memory(r->error);
		}
		into->last->key_line = line;
		into->last->key_column = column;
	}
	return 0;
}

/* The lists of `for`: same length, at most 64 items, names that are no variables. */
static int check_for(struct repeat *r, const struct gw_node *tree, size_t *ret_rounds)
{
	const struct gw_node *vars = gw_node_get(tree, "vars");
	size_t rounds = 0;
	if (!r->names || r->names->type != GW_NODE_MAP || r->names->count == 0) {
		return refuse(r, "for", NULL, -EINVAL, "schema",
			      "expected a map of loop names to lists");
	}
	gw_node_for(list, r->names)
	{
		if (list->type != GW_NODE_LIST) {
			return refuse(r, "for", list->key.p, -EINVAL, "schema", "expected a list");
		}
		if (list != r->names->first && list->count != rounds) {
			return refuse(r, "for", NULL, -EINVAL, "schema",
				      "the lists must have equal length");
		}
		rounds = list->count;
		if (vars && vars->type == GW_NODE_MAP && gw_node_get_str(vars, list->key)) {
			return refuse(r, "for", list->key.p, -EINVAL, "name",
				      "a variable has this name");
		}
	}
	if (rounds > GW_PROFILE_REPEAT) {
		return refuse(r, "for", NULL, -EINVAL, "size", "more than 64 rounds");
	}
	*ret_rounds = rounds;
	return 0;
}

static int run_repeat(struct repeat *r, struct gw_node *tree, const struct gw_node *block)
{
	size_t rounds = 0;
	r->names = block->type == GW_NODE_MAP ? gw_node_get(block, "for") : NULL;
	int e = check_for(r, tree, &rounds);
	for (r->round = 0; e == 0 && r->round < rounds; r->round++) {
		for (size_t g = 0; e == 0 && g < gw_countof(repeat_groups); g++) {
			e = add_group(r, tree, gw_node_get(block, repeat_groups[g]),
				      repeat_groups[g]);
		}
	}
	return e;
}

static int expand_repeats(struct gw_arena *a, struct gw_node *tree, struct gw_error *error)
{
	const struct gw_node *repeat = gw_node_get(tree, "repeat");
	struct repeat r = {.arena = a, .error = error, .text = GW_BUF_INIT(GW_PROFILE_BYTES)};
	size_t i = 0;
	int e = 0;
	if (repeat && repeat->type == GW_NODE_LIST) {
		for (const struct gw_node *b = repeat->first; b && e == 0; b = b->next) {
			snprintf(r.at, sizeof(r.at), "/repeat/%zu", i++);
			e = run_repeat(&r, tree, b);
		}
	}
	gw_buf_fini(&r.text);
	return e;
}

/* --- both --- */

int gw_compose_chosen(struct gw_arena *a, const struct gw_node *tree, uint64_t choice,
		      struct gw_node **ret_tree, struct gw_error *reterr_)
{
	struct gw_node *copy = gw_node_copy(a, tree);
	if (!copy) {
		return no_memory(reterr_);
	}
	unsigned i = 0;
	const struct gw_node *variants = choice ? gw_node_get(tree, "variants") : NULL;
	gw_node_for(variant, variants)
	{
		if (choice >> i++ & 1 && merge_variant(a, copy, variant) < 0) {
			return no_memory(reterr_);
		}
	}
	int r = expand_repeats(a, copy, reterr_);
	if (r < 0) {
		return r;
	}
	(void)gw_node_remove(copy, GW_STR("variants")); /* absent already is as good */
	(void)gw_node_remove(copy, GW_STR("repeat"));
	*ret_tree = copy;
	return 0;
}

int gw_compose_bind(struct gw_arena *a, const struct gw_node *tree, const struct gw_vars *vars,
		    struct gw_node **ret_tree, uint64_t *ret_choice, struct gw_error *reterr_)
{
	uint64_t choice = 0;
	if (gw_compose_choice(tree, vars, &choice) < 0) {
		int r = gw_error_set(reterr_, -EINVAL, "size", "more than %d variants",
				     MAX_VARIANTS);
		set_at(reterr_, "/variants");
		return r;
	}
	int r = gw_compose_chosen(a, tree, choice, ret_tree, reterr_);
	if (r == 0) {
		*ret_choice = choice;
	}
	return r;
}
