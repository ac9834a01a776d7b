#include <errno.h>

#include "gw/alloc.h"
#include "gw/limits.h"
#include "profile/import/jinja.h"

/* --- conditions --- */

/* Jinja's truth of a constant. */
static bool truth(const struct gw_node *n)
{
	switch (n->type) {
	case GW_NODE_NULL: return false;
	case GW_NODE_BOOL: return n->flag;
	case GW_NODE_NUMBER: return n->number != 0;
	case GW_NODE_TEXT: return n->text.len > 0;
	case GW_NODE_LIST:
	case GW_NODE_MAP: return n->count > 0;
	}
	return false;
}

static bool same_place(const struct gw_tpl *a, const struct gw_tpl *b)
{
	return a->whole == b->whole && strcmp(a->pointer, b->pointer) == 0;
}

static int text_list(struct gw_jinja *t, const struct gw_node *items, struct gw_node **ret)
{
	*ret = gw_node_new(t->a, GW_NODE_LIST);
	bool one = items->type != GW_NODE_LIST && items->type != GW_NODE_MAP;
	for (const struct gw_node *n = one ? items : items->first; n; n = one ? NULL : n->next) {
		struct gw_str s = items->type == GW_NODE_MAP ? n->key : gw_jinja_raw_form(t, n);
		if (!*ret || !s.p || gw_node_append(*ret, gw_node_new_text(t->a, s)) < 0) {
			return gw_jinja_no_memory(t);
		}
	}
	return *ret ? 0 : gw_jinja_no_memory(t);
}

/* values: a constant, a list, or a map whose keys count. */
static int membership(struct gw_jinja *t, struct gw_sym *left, const struct gw_node *values,
		      bool negated)
{
	struct gw_node *texts;
	int r = text_list(t, values, &texts);
	if (r < 0) {
		return r;
	}
	if (left->kind == GW_SYM_CONST) {
		struct gw_str s = gw_jinja_raw_form(t, left->t.constant);
		if (!s.p) {
			return gw_jinja_no_memory(t);
		}
		bool found = false;
		gw_node_for(n, texts)
		{
			found |= gw_str_eq(n->text, s);
		}
		return gw_jinja_bool(t, found != negated, left);
	}
	if (left->kind != GW_SYM_PATH || !gw_linear_is_none(left->t.linear)) {
		return gw_jinja_refuse(t, "a comparison of something that is not one value");
	}
	left->kind = GW_SYM_COND;
	left->values = texts;
	left->negated = negated;
	return 0;
}

static int is_test(struct gw_jinja *t, struct gw_sym *s)
{
	bool negated = gw_jinja_take_word(t, "not");
	bool undefined = gw_jinja_take_word(t, "undefined") || gw_jinja_take_word(t, "none") ||
			 gw_jinja_take_word(t, "None");
	if (!undefined && !gw_jinja_take_word(t, "defined")) {
		return gw_jinja_refuse(t, "a test other than defined and none");
	}
	if (s->kind != GW_SYM_PATH) {
		return gw_jinja_refuse(t, "a test of something that is no part of value_json");
	}
	s->kind = GW_SYM_DEFINED;
	s->negated = negated != undefined;
	return 0;
}

static int has_member(struct gw_jinja *t, struct gw_sym *place, bool negated, struct gw_sym *ret)
{
	int r = gw_jinja_step(t, place, gw_jinja_raw_form(t, ret->t.constant));
	*ret = *place;
	ret->kind = GW_SYM_DEFINED;
	ret->negated = negated;
	return r;
}

static int comparison(struct gw_jinja *t, struct gw_sym *ret)
{
	int r = gw_jinja_sum(t, ret);
	if (r < 0) {
		return r;
	}
	if (gw_jinja_take_word(t, "is")) {
		return is_test(t, ret);
	}
	const char *before = t->p;
	bool not_in = gw_jinja_take_word(t, "not") && gw_jinja_take_word(t, "in");
	if (!not_in) {
		t->p = before;
	}
	bool in = not_in || gw_jinja_take_word(t, "in");
	bool equal = !in && gw_jinja_take(t, "==");
	bool differs = !in && !equal && gw_jinja_take(t, "!=");
	if (!in && !equal && !differs) {
		return gw_jinja_peek(t) == '<' || gw_jinja_peek(t) == '>'
			       ? gw_jinja_refuse(t, "a comparison of numbers")
			       : 0;
	}
	struct gw_sym right = {.kind = GW_SYM_CONST};
	r = gw_jinja_sum(t, &right);
	if (r < 0) {
		return r;
	}
	if (in && ret->kind == GW_SYM_CONST && right.kind == GW_SYM_PATH && !right.t.whole) {
		return has_member(t, &right, not_in, ret); /* 'key' in value_json */
	}
	if (in) {
		return right.kind == GW_SYM_LIST || right.kind == GW_SYM_DICT
			       ? membership(t, ret, right.values, not_in)
			       : gw_jinja_refuse(t, "in without a list of constants");
	}
	if (right.kind != GW_SYM_CONST && ret->kind == GW_SYM_CONST) {
		struct gw_sym swap = *ret;
		*ret = right;
		right = swap;
	}
	return right.kind == GW_SYM_CONST ? membership(t, ret, right.t.constant, differs)
					  : gw_jinja_refuse(t, "a comparison of two values");
}

/* A place as a condition: true but for what Jinja calls false. */
static int as_condition(struct gw_jinja *t, struct gw_sym *s)
{
	static const char *const falsy[] = {"false", "0", ""};
	if (s->kind == GW_SYM_TABLE) {
		return gw_jinja_refuse(t, "a condition on a chosen text");
	}
	if (s->kind != GW_SYM_PATH) {
		return 0;
	}
	if (!gw_linear_is_none(s->t.linear)) {
		return gw_jinja_refuse(t, "a condition on a computed number");
	}
	struct gw_node *values = gw_node_new(t->a, GW_NODE_LIST);
	for (size_t i = 0; values && i < gw_countof(falsy); i++) {
		if (gw_node_append(values, gw_node_new_text(t->a, gw_str(falsy[i]))) < 0) {
			return gw_jinja_no_memory(t);
		}
	}
	s->kind = GW_SYM_COND;
	s->values = values;
	s->negated = true;
	return values ? 0 : gw_jinja_no_memory(t);
}

static int negation(struct gw_jinja *t, struct gw_sym *ret)
{
	bool negated = false;
	while (gw_jinja_take_word(t, "not")) {
		negated = !negated;
	}
	int r = comparison(t, ret);
	if (r < 0 || !negated) {
		return r;
	}
	r = as_condition(t, ret);
	if (r == 0 && ret->kind == GW_SYM_CONST) {
		return gw_jinja_bool(t, !truth(ret->t.constant), ret);
	}
	ret->negated = !ret->negated;
	return r;
}

/* a == 'x' or a == 'y'; `x is defined and …` needs nothing: a missing place changes nothing. */
static int junction(struct gw_jinja *t, struct gw_sym *ret)
{
	int r = negation(t, ret);
	while (r == 0) {
		bool both = gw_jinja_take_word(t, "and");
		if (!both && !gw_jinja_take_word(t, "or")) {
			break;
		}
		struct gw_sym right = {.kind = GW_SYM_CONST};
		r = as_condition(t, ret);
		r = r < 0 ? r : negation(t, &right);
		r = r < 0 ? r : as_condition(t, &right);
		if (r < 0) {
			return r;
		}
		if (both && ret->kind == GW_SYM_DEFINED && !ret->negated &&
		    right.kind == GW_SYM_COND) {
			*ret = right;
			continue;
		}
		if (both || ret->kind != GW_SYM_COND || right.kind != GW_SYM_COND || ret->negated ||
		    right.negated || !same_place(&ret->t, &right.t)) {
			return gw_jinja_refuse(t, "a condition on several values");
		}
		gw_node_for(n, right.values)
		{
			if (gw_node_append(ret->values, gw_node_new_text(t->a, n->text)) < 0) {
				return gw_jinja_no_memory(t);
			}
		}
	}
	return r;
}

/* --- choices --- */

static int set_rows(struct gw_jinja *t, struct gw_node *rows, const struct gw_node *texts,
		    const struct gw_node *value)
{
	gw_node_for(n, texts)
	{
		if (!gw_node_get_str(rows, n->text) && /* the first condition that holds decides */
		    gw_node_set(t->a, rows, n->text, gw_node_copy(t->a, value)) < 0) {
			return gw_jinja_no_memory(t);
		}
	}
	return 0;
}

/* A if x is defined else C: the default of x. */
static int choose_defined(struct gw_jinja *t, const struct gw_sym *c, const struct gw_sym *yes,
			  const struct gw_sym *no, struct gw_sym *ret)
{
	const struct gw_sym *there = c->negated ? no : yes, *missing = c->negated ? yes : no;
	if (there->kind == GW_SYM_PATH && missing->kind == GW_SYM_PATH) {
		return gw_jinja_refuse(t, "a choice between two places");
	}
	if ((there->kind != GW_SYM_PATH && there->kind != GW_SYM_TABLE) ||
	    missing->kind != GW_SYM_CONST) {
		return gw_jinja_refuse(t, "a choice by what is defined, other than a default");
	}
	struct gw_sym s = *there;
	s.t.absent = missing->t.constant->type == GW_NODE_NULL ? NULL : missing->t.constant;
	*ret = s;
	return 0;
}

/* Moves the rows of a table on the same place, or a constant, behind rows. */
static int add_rest(struct gw_jinja *t, struct gw_node *rows, const struct gw_sym *c,
		    const struct gw_sym *rest, struct gw_node **ret_other)
{
	if (rest->kind == GW_SYM_CONST) {
		*ret_other = rest->t.constant;
		return 0;
	}
	if (rest->kind != GW_SYM_TABLE || !same_place(&c->t, &rest->t)) {
		return gw_jinja_refuse(t, "a choice among more than constants");
	}
	gw_node_for(n, rest->t.rows)
	{
		if (!gw_node_get_str(rows, n->key) &&
		    gw_node_set(t->a, rows, n->key, gw_node_copy(t->a, n)) < 0) {
			return gw_jinja_no_memory(t);
		}
	}
	*ret_other = rest->t.other;
	return 0;
}

static int choose(struct gw_jinja *t, struct gw_sym *c, const struct gw_sym *yes,
		  const struct gw_sym *no, struct gw_sym *ret)
{
	int r = as_condition(t, c);
	if (r < 0) {
		return r;
	}
	if (c->kind == GW_SYM_CONST) {
		*ret = truth(c->t.constant) ? *yes : *no;
		return 0;
	}
	if (c->kind == GW_SYM_DEFINED) {
		return choose_defined(t, c, yes, no, ret);
	}
	if (c->kind != GW_SYM_COND) {
		return gw_jinja_refuse(t, "a condition on more than one value");
	}
	/* x if x in dictionary else …: the dictionary's own keys guard it */
	if (yes->kind == GW_SYM_TABLE && !c->negated && no->kind == GW_SYM_CONST &&
	    same_place(&c->t, &yes->t)) {
		*ret = *yes;
		ret->t.other = no->t.constant;
		return 0;
	}
	const struct gw_sym *match = c->negated ? no : yes, *rest = c->negated ? yes : no;
	if (match->kind != GW_SYM_CONST) {
		return gw_jinja_refuse(t, "a choice among more than constants");
	}
	struct gw_sym s = {.kind = GW_SYM_TABLE, .t = c->t};
	s.t.kind = GW_TPL_TABLE;
	s.t.rows = gw_node_new(t->a, GW_NODE_MAP);
	r = s.t.rows ? set_rows(t, s.t.rows, c->values, match->t.constant) : gw_jinja_no_memory(t);
	r = r < 0 ? r : add_rest(t, s.t.rows, c, rest, &s.t.other);
	if (r == 0) {
		*ret = s;
	}
	return r;
}

/* A if C else B */
int gw_jinja_expression(struct gw_jinja *t, struct gw_sym *ret)
{
	if (++t->depth > GW_JINJA_DEPTH) {
		return gw_jinja_refuse(t, "an expression that is too deep");
	}
	int r = junction(t, ret);
	if (r == 0 && gw_jinja_take_word(t, "if")) {
		struct gw_sym condition = {.kind = GW_SYM_CONST}, other = {.kind = GW_SYM_CONST};
		r = junction(t, &condition);
		if (r == 0 && !gw_jinja_take_word(t, "else")) {
			r = gw_jinja_refuse(t, "an if without else");
		}
		r = r < 0 ? r : gw_jinja_expression(t, &other);
		struct gw_sym yes = *ret;
		r = r < 0 ? r : choose(t, &condition, &yes, &other, ret);
	}
	t->depth--;
	return r;
}

/* --- statements: {% set %}, {% if %} --- */

static bool open_tag(struct gw_jinja *t)
{
	return gw_jinja_take(t, "{%-") || gw_jinja_take(t, "{%");
}

static bool close_tag(struct gw_jinja *t)
{
	return gw_jinja_take(t, "-%}") || gw_jinja_take(t, "%}");
}

static int output(struct gw_jinja *t, struct gw_sym *ret)
{
	int r = gw_jinja_expression(t, ret);
	if (r == 0 && !gw_jinja_take(t, "-}}") && !gw_jinja_take(t, "}}")) {
		return gw_jinja_refuse(t, "something behind the expression");
	}
	return r;
}

/* Plain text or {{ … }} up to the next tag. */
static int block(struct gw_jinja *t, struct gw_sym *ret)
{
	if (gw_jinja_take(t, "{{-") || gw_jinja_take(t, "{{")) {
		return output(t, ret);
	}
	(void)gw_jinja_peek(t); /* passes over blanks */
	const char *from = t->p;
	while (t->p < t->end && *t->p != '{') {
		t->p++;
	}
	struct gw_str s = gw_str_trim((struct gw_str){from, (size_t)(t->p - from)});
	return gw_jinja_text(t, s, ret);
}

static int set_statement(struct gw_jinja *t)
{
	struct gw_sym s = {.kind = GW_SYM_CONST};
	t->set_name = gw_jinja_name(t);
	int r = gw_jinja_take(t, "=") ? gw_jinja_expression(t, &s)
				      : gw_jinja_refuse(t, "a malformed set");
	if (r < 0) {
		return r;
	}
	if (s.kind != GW_SYM_DICT || t->set_dict || !close_tag(t)) {
		return gw_jinja_refuse(t, "a set of something other than one dictionary");
	}
	t->set_dict = s.values;
	return 0;
}

/* Behind {% if or {% elif */
static int if_statement(struct gw_jinja *t, struct gw_sym *ret)
{
	struct gw_sym condition = {.kind = GW_SYM_CONST}, yes = {.kind = GW_SYM_CONST},
		      no = {.kind = GW_SYM_CONST};
	if (++t->depth > GW_JINJA_DEPTH) {
		return gw_jinja_refuse(t, "an if that is too deep");
	}
	int r = junction(t, &condition);
	r = r < 0 ? r : close_tag(t) ? block(t, &yes) : gw_jinja_refuse(t, "a malformed if");
	if (r < 0) {
		return r;
	}
	if (!open_tag(t)) {
		return gw_jinja_refuse(t, "more than one text in an if");
	}
	if (gw_jinja_take_word(t, "elif")) {
		r = if_statement(t, &no);
	} else if (gw_jinja_take_word(t, "else")) {
		r = close_tag(t) ? block(t, &no) : gw_jinja_refuse(t, "a malformed else");
		if (r == 0 && (!open_tag(t) || !gw_jinja_take_word(t, "endif") || !close_tag(t))) {
			r = gw_jinja_refuse(t, "an if without endif");
		}
	} else if (gw_jinja_take_word(t, "endif") && close_tag(t)) {
		r = gw_jinja_text(t, GW_STR(""), &no);
	} else {
		r = gw_jinja_refuse(t, "a malformed if");
	}
	t->depth--;
	return r < 0 ? r : choose(t, &condition, &yes, &no, ret);
}

static int template(struct gw_jinja *t, struct gw_sym *ret)
{
	int r;
	const char *before = t->p;
	if (open_tag(t) && gw_jinja_take_word(t, "set")) {
		r = set_statement(t);
		if (r < 0) {
			return r;
		}
		before = t->p;
	}
	t->p = before;
	if (open_tag(t)) {
		r = gw_jinja_take_word(t, "if")
			    ? if_statement(t, ret)
			    : gw_jinja_refuse(t, "a statement other than set and if");
	} else if (gw_jinja_take(t, "{{-") || gw_jinja_take(t, "{{")) {
		r = output(t, ret);
	} else {
		r = gw_jinja_refuse(t, "text outside of {{ }}");
	}
	if (r == 0 && gw_jinja_peek(t) != 0) {
		return gw_jinja_refuse(t, "more than one expression");
	}
	return r;
}

/* Conditions print True or False; what is only intermediate is refused. */
static int conclude(struct gw_jinja *t, struct gw_sym *s, struct gw_tpl *ret)
{
	struct gw_sym yes = {.kind = GW_SYM_CONST}, no = {.kind = GW_SYM_CONST};
	int r = 0;
	if (s->kind == GW_SYM_COND) {
		r = gw_jinja_text(t, GW_STR("True"), &yes);
		r = r < 0 ? r : gw_jinja_text(t, GW_STR("False"), &no);
		struct gw_sym condition = *s;
		r = r < 0 ? r : choose(t, &condition, &yes, &no, s);
	}
	if (r < 0) {
		return r;
	}
	if (s->kind != GW_SYM_CONST && s->kind != GW_SYM_PATH && s->kind != GW_SYM_TABLE) {
		return gw_jinja_refuse(t, "a list, a dictionary or a test as the result");
	}
	*ret = s->t;
	return 0;
}

static int run(struct gw_jinja *t, struct gw_tpl *ret, const char **ret_why)
{
	struct gw_sym s = {.kind = GW_SYM_CONST};
	int r = template(t, &s);
	r = r < 0 ? r : conclude(t, &s, ret);
	if (r < 0) {
		*ret_why = t->why;
	}
	return r;
}

int gw_tpl_read(struct gw_arena *a, struct gw_str text, struct gw_tpl *ret, const char **ret_why)
{
	struct gw_jinja t = {.a = a, .p = text.p, .end = text.p + text.len};
	return run(&t, ret, ret_why);
}

int gw_tpl_send(struct gw_arena *a, const struct gw_tpl_command *c, struct gw_tpl *ret,
		const char **ret_why)
{
	struct gw_jinja t = {.a = a,
			     .p = c->expression.p,
			     .end = c->expression.p + c->expression.len,
			     .command = true};
	return run(&t, ret, ret_why);
}

int gw_tpl_send_value(struct gw_arena *a, const struct gw_tpl_command *c, struct gw_str value,
		      struct gw_str *ret_text, const char **ret_why)
{
	struct gw_jinja t = {.a = a,
			     .p = c->expression.p,
			     .end = c->expression.p + c->expression.len,
			     .value = gw_node_new_text(a, value),
			     .command = true};
	struct gw_tpl tpl;
	int r = t.value ? run(&t, &tpl, ret_why) : gw_jinja_no_memory(&t);
	if (r == 0 && tpl.kind != GW_TPL_CONST) {
		r = gw_jinja_refuse(&t, "a command that depends on more than the value");
	}
	struct gw_str text = {NULL, 0};
	if (r == 0) {
		text = gw_tpl_print(a, tpl.constant);
		r = text.p ? 0 : gw_jinja_no_memory(&t);
	}
	if (r < 0) {
		*ret_why = t.why;
		return r;
	}
	*ret_text = text;
	return 0;
}
