#include "profile/import/jinja.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>

#include "gw/alloc.h"
#include "gw/limits.h"

int gw_jinja_refuse(struct gw_jinja *t, const char *why)
{
	t->why = why;
	return -ENOTSUP;
}

int gw_jinja_no_memory(struct gw_jinja *t)
{
	t->why = "out of memory";
	return -ENOMEM;
}

/* --- text --- */

static void blanks(struct gw_jinja *t)
{
	while (t->p < t->end && isspace((unsigned char)*t->p)) {
		t->p++;
	}
}

bool gw_jinja_take(struct gw_jinja *t, const char *token)
{
	blanks(t);
	size_t n = strlen(token);
	if ((size_t)(t->end - t->p) < n || memcmp(t->p, token, n) != 0) {
		return false;
	}
	t->p += n;
	return true;
}

static bool is_word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

bool gw_jinja_take_word(struct gw_jinja *t, const char *word)
{
	const char *before = t->p;
	if (gw_jinja_take(t, word) && (t->p == t->end || !is_word_char(*t->p))) {
		return true;
	}
	t->p = before;
	return false;
}

struct gw_str gw_jinja_name(struct gw_jinja *t)
{
	blanks(t);
	const char *from = t->p;
	while (t->p < t->end && is_word_char(*t->p)) {
		t->p++;
	}
	return (struct gw_str){from, (size_t)(t->p - from)};
}

char gw_jinja_peek(struct gw_jinja *t)
{
	blanks(t);
	return t->p < t->end ? *t->p : 0;
}

struct gw_str gw_tpl_print(struct gw_arena *a, const struct gw_node *n)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
	if (n->type == GW_NODE_BOOL) {
		return gw_arena_text(a, n->flag ? GW_STR("True") : GW_STR("False"));
	}
	if (n->type == GW_NODE_NULL) {
		return gw_arena_text(a, GW_STR("None"));
	}
	if (gw_node_text_form(n, &b) < 0) {
		return (struct gw_str){NULL, 0};
	}
	return gw_arena_text(a, gw_buf_str(&b));
}

/* The text form that a raw of the body has (profile-language §1): true, not True. */
struct gw_str gw_jinja_raw_form(struct gw_jinja *t, const struct gw_node *n)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
	if (gw_node_text_form(n, &b) < 0) {
		return (struct gw_str){NULL, 0};
	}
	return gw_arena_text(t->a, gw_buf_str(&b));
}

/* Texts that outgrow their buffer are refused, never cut. */
static int check(struct gw_jinja *t, const struct gw_buf *b)
{
	int r = gw_buf_error(b);
	return r == 0	     ? 0
	       : r == -E2BIG ? gw_jinja_refuse(t, "a text that is too long")
			     : gw_jinja_no_memory(t);
}

static struct gw_sym of_const(struct gw_node *n)
{
	return (struct gw_sym){
		.kind = GW_SYM_CONST,
		.t = {.kind = GW_TPL_CONST, .constant = n, .linear = GW_LINEAR_NONE}};
}

int gw_jinja_text(struct gw_jinja *t, struct gw_str s, struct gw_sym *ret)
{
	*ret = of_const(gw_node_new_text(t->a, s));
	return ret->t.constant ? 0 : gw_jinja_no_memory(t);
}

int gw_jinja_bool(struct gw_jinja *t, bool v, struct gw_sym *ret)
{
	*ret = of_const(gw_node_new_bool(t->a, v));
	return ret->t.constant ? 0 : gw_jinja_no_memory(t);
}

static int number_const(struct gw_jinja *t, double v, struct gw_sym *ret)
{
	if (!isfinite(v)) {
		return gw_jinja_refuse(t, "a number that is too large");
	}
	*ret = of_const(gw_node_new_number(t->a, v));
	return ret->t.constant ? 0 : gw_jinja_no_memory(t);
}

static bool const_number(const struct gw_sym *s, double *ret)
{
	if (s->kind != GW_SYM_CONST) {
		return false;
	}
	const struct gw_node *n = s->t.constant;
	if (n->type == GW_NODE_NUMBER) {
		*ret = n->number;
		return true;
	}
	return false;
}

/* --- primaries --- */

static int string(struct gw_jinja *t, struct gw_str *ret)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
	char quote = gw_jinja_peek(t);
	for (t->p++; t->p < t->end && *t->p != quote; t->p++) {
		if (*t->p == '\\') {
			if (++t->p == t->end || !strchr("\\'\"", *t->p)) {
				return gw_jinja_refuse(t, "an escape in a text");
			}
		}
		gw_buf_putc(&b, *t->p);
	}
	if (t->p == t->end) {
		return gw_jinja_refuse(t, "a text without its closing quote");
	}
	t->p++;
	int r = check(t, &b);
	if (r < 0) {
		return r;
	}
	*ret = gw_arena_text(t->a, gw_buf_str(&b));
	return ret->p ? 0 : gw_jinja_no_memory(t);
}

static int number(struct gw_jinja *t, struct gw_sym *ret)
{
	const char *from = t->p;
	while (t->p < t->end && (isdigit((unsigned char)*t->p) || *t->p == '.')) {
		t->p++;
	}
	double v;
	if (gw_parse_double((struct gw_str){from, (size_t)(t->p - from)}, &v) < 0) {
		return gw_jinja_refuse(t, "a malformed number");
	}
	return number_const(t, v, ret);
}

/* Items up to close, constants only. */
static int list(struct gw_jinja *t, const char *close, struct gw_sym *ret)
{
	*ret = (struct gw_sym){.kind = GW_SYM_LIST, .values = gw_node_new(t->a, GW_NODE_LIST)};
	if (!ret->values) {
		return gw_jinja_no_memory(t);
	}
	while (!gw_jinja_take(t, close)) {
		struct gw_sym item = {.kind = GW_SYM_CONST};
		int r = gw_jinja_expression(t, &item);
		if (r < 0) {
			return r;
		}
		if (item.kind != GW_SYM_CONST || gw_node_append(ret->values, item.t.constant) < 0) {
			return gw_jinja_refuse(t, "a list of more than constants");
		}
		if (!gw_jinja_take(t, ",") && gw_jinja_peek(t) != close[0]) {
			return gw_jinja_refuse(t, "a malformed list");
		}
	}
	return 0;
}

static int dict(struct gw_jinja *t, struct gw_sym *ret)
{
	*ret = (struct gw_sym){.kind = GW_SYM_DICT, .values = gw_node_new(t->a, GW_NODE_MAP)};
	if (!ret->values) {
		return gw_jinja_no_memory(t);
	}
	while (!gw_jinja_take(t, "}")) {
		struct gw_sym key = {.kind = GW_SYM_CONST}, value = {.kind = GW_SYM_CONST};
		int r = gw_jinja_expression(t, &key);
		if (r == 0) {
			r = gw_jinja_take(t, ":") ? gw_jinja_expression(t, &value)
						  : gw_jinja_refuse(t, "a malformed dictionary");
		}
		if (r < 0) {
			return r;
		}
		if (key.kind != GW_SYM_CONST || value.kind != GW_SYM_CONST) {
			return gw_jinja_refuse(t, "a dictionary of more than constants");
		}
		struct gw_str text = gw_jinja_raw_form(t, key.t.constant);
		if (!text.p || gw_node_set(t->a, ret->values, text, value.t.constant) < 0) {
			return gw_jinja_no_memory(t);
		}
		if (!gw_jinja_take(t, ",") && gw_jinja_peek(t) != '}') {
			return gw_jinja_refuse(t, "a malformed dictionary");
		}
	}
	return 0;
}

static int word(struct gw_jinja *t, struct gw_sym *ret)
{
	struct gw_str w = gw_jinja_name(t);
	/* Covers call the wanted value position and tilt_position. */
	bool wanted = t->command && (gw_str_is(w, "position") || gw_str_is(w, "tilt_position"));
	if (gw_str_is(w, "value") || wanted) {
		if (t->value) {
			*ret = of_const(gw_node_copy(t->a, t->value));
			return ret->t.constant ? 0 : gw_jinja_no_memory(t);
		}
		*ret = (struct gw_sym){.kind = GW_SYM_PATH,
				       .t = {.kind = GW_TPL_PATH,
					     .whole = true,
					     .pointer = "",
					     .linear = GW_LINEAR_NONE}};
		return 0;
	}
	if (gw_str_is(w, "value_json") && !t->command) {
		*ret = (struct gw_sym){
			.kind = GW_SYM_PATH,
			.t = {.kind = GW_TPL_PATH, .pointer = "", .linear = GW_LINEAR_NONE}};
		return 0;
	}
	if (t->set_dict && gw_str_eq(w, t->set_name)) {
		*ret = (struct gw_sym){.kind = GW_SYM_DICT, .values = t->set_dict};
		return 0;
	}
	if (gw_str_is(w, "true") || gw_str_is(w, "True")) {
		return gw_jinja_bool(t, true, ret);
	}
	if (gw_str_is(w, "false") || gw_str_is(w, "False")) {
		return gw_jinja_bool(t, false, ret);
	}
	if (gw_str_is(w, "none") || gw_str_is(w, "None")) {
		*ret = of_const(gw_node_new(t->a, GW_NODE_NULL));
		return ret->t.constant ? 0 : gw_jinja_no_memory(t);
	}
	return gw_jinja_refuse(t, "a name that is neither value nor value_json");
}

static int apply_filter(struct gw_jinja *t, struct gw_str filter, struct gw_sym *s);

/* float(x), int(x): functions that are filters too. */
static int function(struct gw_jinja *t, struct gw_str called, struct gw_sym *ret)
{
	int r = gw_jinja_expression(t, ret);
	if (r < 0) {
		return r;
	}
	while (gw_jinja_take(t, ",")) {
		struct gw_sym
			ignored; /* the default of float() and int() is for texts that are no number */
		r = gw_jinja_expression(t, &ignored);
		if (r < 0) {
			return r;
		}
	}
	if (!gw_jinja_take(t, ")")) {
		return gw_jinja_refuse(t, "a call without its closing parenthesis");
	}
	return apply_filter(t, called, ret);
}

static int primary(struct gw_jinja *t, struct gw_sym *ret)
{
	char c = gw_jinja_peek(t);
	if (c == '\'' || c == '"') {
		struct gw_str s;
		int r = string(t, &s);
		return r < 0 ? r : gw_jinja_text(t, s, ret);
	}
	if (isdigit((unsigned char)c)) {
		return number(t, ret);
	}
	if (gw_jinja_take(t, "(")) {
		int r = gw_jinja_expression(t, ret);
		if (r == 0 && ret->kind == GW_SYM_CONST &&
		    gw_jinja_take(t, ",")) { /* a tuple of constants */
			struct gw_sym rest = {.kind = GW_SYM_CONST};
			struct gw_node *first = ret->t.constant;
			r = list(t, ")", &rest);
			if (r == 0) {
				r = gw_node_append(rest.values, first);
			}
			*ret = rest;
			return r;
		}
		if (r < 0) {
			return r;
		}
		return gw_jinja_take(t, ")") ? 0
					     : gw_jinja_refuse(t, "a missing closing parenthesis");
	}
	if (gw_jinja_take(t, "[")) {
		return list(t, "]", ret);
	}
	if (gw_jinja_take(t, "{")) {
		return dict(t, ret);
	}
	const char *before = t->p;
	struct gw_str called = gw_jinja_name(t);
	if ((gw_str_is(called, "float") || gw_str_is(called, "int")) && gw_jinja_take(t, "(")) {
		return function(t, called, ret);
	}
	t->p = before;
	return word(t, ret);
}

/* --- members and filters --- */

int gw_jinja_step(struct gw_jinja *t, struct gw_sym *s, struct gw_str token)
{
	if (s->kind != GW_SYM_PATH || s->t.whole || !gw_linear_is_none(s->t.linear)) {
		return gw_jinja_refuse(t, "a member of something that is no part of value_json");
	}
	if (!token.p) {
		return gw_jinja_no_memory(t);
	}
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
	gw_buf_puts(&b, s->t.pointer);
	gw_buf_putc(&b, '/');
	for (size_t i = 0; i < token.len; i++) {
		if (token.p[i] == '~' || token.p[i] == '/') {
			gw_buf_puts(&b, token.p[i] == '~' ? "~0" : "~1");
		} else {
			gw_buf_putc(&b, token.p[i]);
		}
	}
	int r = check(t, &b);
	if (r < 0) {
		return r;
	}
	struct gw_str pointer = gw_arena_text(t->a, gw_buf_str(&b));
	s->t.pointer = pointer.p;
	return pointer.p ? 0 : gw_jinja_no_memory(t);
}

/* {'a': 1}[key]: a constant of a constant, a table of a place. */
static int look_up(struct gw_jinja *t, struct gw_sym *d, const struct gw_sym *key,
		   struct gw_node *other)
{
	if (key->kind == GW_SYM_CONST) {
		struct gw_str text = gw_jinja_raw_form(t, key->t.constant);
		if (!text.p) {
			return gw_jinja_no_memory(t);
		}
		struct gw_node *found = gw_node_get_str(d->values, text);
		found = found ? found : other;
		if (!found) {
			int r = gw_jinja_text(t, GW_STR(""), d); /* undefined prints nothing */
			d->undefined = true;
			return r;
		}
		*d = of_const(gw_node_copy(t->a, found));
		return d->t.constant ? 0 : gw_jinja_no_memory(t);
	}
	if (key->kind != GW_SYM_PATH || !gw_linear_is_none(key->t.linear)) {
		return gw_jinja_refuse(t, "a dictionary that is not looked up by a value");
	}
	struct gw_node *rows = d->values;
	*d = *key;
	d->kind = GW_SYM_TABLE;
	d->t.kind = GW_TPL_TABLE;
	d->t.rows = rows;
	d->t.other = other;
	return 0;
}

/* .get(key) and .get(key, default); .keys() changes nothing. */
static int method(struct gw_jinja *t, struct gw_sym *s, struct gw_str called)
{
	if (gw_str_is(called, "keys") && s->kind == GW_SYM_DICT) {
		return gw_jinja_take(t, ")") ? 0 : gw_jinja_refuse(t, "keys() takes nothing");
	}
	if (!gw_str_is(called, "get")) {
		return gw_jinja_refuse(t, "a method other than get");
	}
	struct gw_sym key, other = {.kind = GW_SYM_CONST};
	int r = gw_jinja_expression(t, &key);
	if (r == 0 && gw_jinja_take(t, ",")) {
		r = gw_jinja_expression(t, &other);
	}
	if (r < 0) {
		return r;
	}
	if (!gw_jinja_take(t, ")") || other.kind != GW_SYM_CONST) {
		return gw_jinja_refuse(t, "get() with more than a key and a constant");
	}
	if (s->kind == GW_SYM_DICT) {
		return look_up(t, s, &key, other.t.constant);
	}
	if (key.kind != GW_SYM_CONST) {
		return gw_jinja_refuse(t, "get() of a key that is no constant");
	}
	r = gw_jinja_step(t, s, gw_jinja_raw_form(t, key.t.constant));
	s->t.absent = other.t.constant;
	return r;
}

static int subscript(struct gw_jinja *t, struct gw_sym *s)
{
	struct gw_sym key = {.kind = GW_SYM_CONST};
	int r = gw_jinja_expression(t, &key);
	if (r < 0) {
		return r;
	}
	if (!gw_jinja_take(t, "]")) {
		return gw_jinja_refuse(t, "a missing ]");
	}
	if (s->kind == GW_SYM_DICT) {
		return look_up(t, s, &key, NULL);
	}
	if (key.kind != GW_SYM_CONST) {
		return gw_jinja_refuse(t, "a member whose name is computed");
	}
	double index;
	if (const_number(&key, &index) && index < 0) {
		return gw_jinja_refuse(t, "an index from the end");
	}
	return gw_jinja_step(t, s, gw_jinja_raw_form(t, key.t.constant));
}

static int numeric(struct gw_jinja *t, struct gw_sym *s)
{
	double v;
	if (s->kind == GW_SYM_CONST) {
		if (s->t.constant->type == GW_NODE_TEXT) {
			return gw_parse_double(s->t.constant->text, &v) == 0
				       ? number_const(t, v, s)
				       : gw_jinja_refuse(t, "a text that is no number");
		}
		return const_number(s, &v)
			       ? 0
			       : gw_jinja_refuse(t, "a number of something that is none");
	}
	if (s->kind != GW_SYM_PATH) {
		return gw_jinja_refuse(t, "a number of something that is none");
	}
	s->t.number = true;
	return 0;
}

static int filter_number(struct gw_jinja *t, struct gw_sym *s)
{
	return numeric(t, s);
}

static int filter_int(struct gw_jinja *t, struct gw_sym *s)
{
	double v;
	int r = numeric(t, s);
	return r == 0 && const_number(s, &v) ? number_const(t, trunc(v), s) : r;
}

static int filter_same(struct gw_jinja *t, struct gw_sym *s)
{
	(void)t;
	(void)s;
	return 0;
}

static int filter_case(struct gw_jinja *t, struct gw_sym *s)
{
	if (s->kind != GW_SYM_PATH) {
		return gw_jinja_refuse(t, "lower or upper of a constant");
	}
	s->t.any_case = true;
	return 0;
}

/* A text is itself; a number or boolean is printed. */
static int filter_string(struct gw_jinja *t, struct gw_sym *s)
{
	if (s->kind != GW_SYM_CONST || s->t.constant->type == GW_NODE_TEXT) {
		return 0;
	}
	struct gw_str text = gw_tpl_print(t->a, s->t.constant);
	return text.p ? gw_jinja_text(t, text, s) : gw_jinja_no_memory(t);
}

static int apply_filter(struct gw_jinja *t, struct gw_str filter, struct gw_sym *s)
{
	static const struct {
		const char *name;
		int (*fn)(struct gw_jinja *t, struct gw_sym *s);
	} filters[] = {
		{"float", filter_number},    {"int", filter_int},	{"round", filter_number},
		{"is_defined", filter_same}, {"trim", filter_same},	{"string", filter_string},
		{"lower", filter_case},	     {"upper", filter_case},	{"tojson", filter_same},
		{"to_json", filter_same},    {"truncate", filter_same},
	};
	for (size_t i = 0; i < gw_countof(filters); i++) {
		if (gw_str_is(filter, filters[i].name)) {
			return filters[i].fn(t, s);
		}
	}
	return gw_jinja_refuse(
		t,
		"a filter that is not float, int, round, default, is_defined, lower, upper, trim or string");
}

static bool is_default(struct gw_str filter)
{
	return gw_str_is(filter, "default") || gw_str_is(filter, "d");
}

/* float(0), round(2), default('x'): the arguments; default is the only one that counts. */
static int arguments(struct gw_jinja *t, struct gw_str filter, struct gw_sym *s)
{
	struct gw_node *first = NULL;
	while (!gw_jinja_take(t, ")")) {
		struct gw_sym arg = {.kind = GW_SYM_CONST};
		const char *before = t->p;
		if (gw_jinja_name(t).len == 0 ||
		    !gw_jinja_take(t, "=")) { /* keyword arguments are named */
			t->p = before;
		}
		int r = gw_jinja_expression(t, &arg);
		if (r < 0) {
			return r;
		}
		if (arg.kind != GW_SYM_CONST) {
			return gw_jinja_refuse(t, "an argument that is no constant");
		}
		first = first ? first : arg.t.constant;
		if (!gw_jinja_take(t, ",") && gw_jinja_peek(t) != ')') {
			return gw_jinja_refuse(t, "malformed arguments");
		}
	}
	if (!is_default(filter) || !first) {
		return 0;
	}
	if (s->kind == GW_SYM_PATH) {
		s->t.absent = first;
	} else if (s->kind == GW_SYM_TABLE && !s->t.other) {
		s->t.other = first;
	} else if (s->kind == GW_SYM_CONST && s->undefined) {
		*s = of_const(first);
	}
	return 0;
}

static int filter(struct gw_jinja *t, struct gw_sym *s)
{
	struct gw_str f = gw_jinja_name(t);
	int r = gw_jinja_take(t, "(") ? arguments(t, f, s) : 0;
	return r < 0 || is_default(f) ? r : apply_filter(t, f, s);
}

static int postfix(struct gw_jinja *t, struct gw_sym *ret)
{
	int r = primary(t, ret);
	while (r == 0) {
		if (gw_jinja_take(t, ".")) {
			struct gw_str member = gw_jinja_name(t);
			if (member.len == 0) {
				return gw_jinja_refuse(t, "a member without a name");
			}
			r = gw_jinja_take(t, "(") ? method(t, ret, member)
						  : gw_jinja_step(t, ret, member);
		} else if (gw_jinja_take(t, "[")) {
			r = subscript(t, ret);
		} else if (gw_jinja_take(t, "|")) {
			r = filter(t, ret);
		} else {
			break;
		}
	}
	return r;
}

/* --- arithmetic --- */

static struct gw_linear operation(char op, double c, bool constant_first)
{
	switch (op) {
	case '+': return (struct gw_linear){1, 1, c};
	case '-':
		return constant_first ? (struct gw_linear){-1, 1, c} : (struct gw_linear){1, 1, -c};
	case '*': return (struct gw_linear){c, 1, 0};
	default: return (struct gw_linear){1, c, 0};
	}
}

static int combine(struct gw_jinja *t, char op, struct gw_sym *left, const struct gw_sym *right)
{
	double a, b;
	bool left_const = const_number(left, &a), right_const = const_number(right, &b);
	if (left_const && right_const) {
		return op == '/' && b == 0 ? gw_jinja_refuse(t, "a division by zero")
					   : number_const(t,
							  op == '+'   ? a + b
							  : op == '-' ? a - b
							  : op == '*' ? a * b
								      : a / b,
							  left);
	}
	const struct gw_sym *place = left_const ? right : left;
	double c = left_const ? a : right_const ? b : 0;
	if (place->kind != GW_SYM_PATH || (!left_const && !right_const) ||
	    (left_const && op == '/') || ((op == '*' || op == '/') && c == 0)) {
		return gw_jinja_refuse(t, "arithmetic that is not linear in one value");
	}
	struct gw_sym s = *place;
	s.t.number = true;
	s.t.linear = gw_linear_then(s.t.linear, operation(op, c, left_const));
	*left = s;
	return 0;
}

static int unary(struct gw_jinja *t, struct gw_sym *ret)
{
	if (gw_jinja_peek(t) == '-') {
		t->p++;
		struct gw_sym minus = {.kind = GW_SYM_CONST};
		int r = postfix(t, ret);
		r = r < 0 ? r : number_const(t, -1, &minus);
		return r < 0 ? r : combine(t, '*', ret, &minus);
	}
	return postfix(t, ret);
}

static int product(struct gw_jinja *t, struct gw_sym *ret)
{
	int r = unary(t, ret);
	while (r == 0) {
		char op = gw_jinja_peek(t);
		if (op != '*' && op != '/') {
			break;
		}
		t->p++;
		struct gw_sym right = {.kind = GW_SYM_CONST};
		r = unary(t, &right);
		r = r < 0 ? r : combine(t, op, ret, &right);
	}
	return r;
}

int gw_jinja_sum(struct gw_jinja *t, struct gw_sym *ret)
{
	int r = product(t, ret);
	while (r == 0) {
		char op = gw_jinja_peek(t);
		bool close = op == '-' && t->p + 1 < t->end && (t->p[1] == '}' || t->p[1] == '%');
		if ((op != '+' && op != '-') || close) {
			break;
		}
		t->p++;
		struct gw_sym right = {.kind = GW_SYM_CONST};
		r = product(t, &right);
		r = r < 0 ? r : combine(t, op, ret, &right);
	}
	return r;
}
