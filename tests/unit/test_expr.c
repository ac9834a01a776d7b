#include "gw_test.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/node.h"
#include "profile/expr.h"

/* Names of these tests: p1 … p3 are points with the values 1, null, 'on'; tree a list; v 5; a.b a capability, true. */
static int resolve(void *ctx, struct gw_str name, enum gw_name_kind *ret_kind, uint16_t *ret_index)
{
	(void)ctx;
	static const struct {
		const char *name;
		enum gw_name_kind kind;
		uint16_t index;
	} names[] = {{"p1", GW_NAME_POINT, 1}, {"p2", GW_NAME_POINT, 2},
		     {"p3", GW_NAME_POINT, 3}, {"v", GW_NAME_WANTED, 0},
		     {"a.b", GW_NAME_CAP, 7},  {"tree", GW_NAME_POINT, 4}};
	for (size_t i = 0; i < gw_countof(names); i++) {
		if (gw_str_is(name, names[i].name)) {
			*ret_kind = names[i].kind;
			*ret_index = names[i].index;
			return 0;
		}
	}
	return -ENOENT;
}

struct values {
	struct gw_text *on;
	struct gw_node *tree;
};

static struct gw_raw fetch(void *ctx, enum gw_name_kind kind, uint16_t index)
{
	const struct values *values = ctx;
	if (kind == GW_NAME_WANTED) {
		return gw_raw_number(5);
	}
	if (kind == GW_NAME_CAP) {
		return (struct gw_raw){.type = GW_RAW_BOOL, .flag = true};
	}
	if (index == 3) {
		return (struct gw_raw){.type = GW_RAW_TEXT, .text = values->on};
	}
	if (index == 4) {
		return (struct gw_raw){.type = GW_RAW_TREE, .tree = values->tree};
	}
	return index == 1 ? gw_raw_number(1) : (struct gw_raw){.type = GW_RAW_NULL};
}

static const struct gw_expr_scope scope = {.resolve = resolve};

static int compile(struct gw_arena *a, const char *source, struct gw_expr **ret_expr,
		   struct gw_error *error)
{
	memset(error, 0, sizeof(*error));
	return gw_expr_compile(a, gw_str(source), &scope, ret_expr, error);
}

/* The result as JSON, or the refusal. */
static void answer(const char *source, char *ret_text, size_t cap)
{
	struct gw_arena *a = gw_arena_new(1 << 20);
	struct values values = {.on = gw_text_new(GW_STR("on")),
				.tree = gw_node_new(a, GW_NODE_LIST)};
	struct gw_expr *e = NULL;
	struct gw_error error;
	if (compile(a, source, &e, &error) < 0) {
		snprintf(ret_text, cap, "%s: %s", error.code, error.text);
	} else {
		struct gw_expr_env env = {.fetch = fetch, .ctx = &values};
		struct gw_raw r = gw_expr_eval(e, &env);
		struct gw_buf b = GW_BUF_INIT(200);
		struct gw_node n = {0};
		switch (r.type) {
		case GW_RAW_NULL: n.type = GW_NODE_NULL; break;
		case GW_RAW_BOOL: n.type = GW_NODE_BOOL, n.flag = r.flag; break;
		case GW_RAW_NUMBER: n.type = GW_NODE_NUMBER, n.number = r.number; break;
		case GW_RAW_TEXT: n.type = GW_NODE_TEXT, n.text = gw_text_str(r.text); break;
		case GW_RAW_TREE: n = *r.tree; break;
		}
		gw_node_write(&b, &n, false);
		snprintf(ret_text, cap, "%s", b.p);
		gw_buf_fini(&b);
	}
	gw_expr_fini(e);
	gw_text_unref(values.on);
	gw_arena_free(a);
}

static void check(const char *const (*rows)[2], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char text[400];
		answer(rows[i][0], text, sizeof(text));
		if (strcmp(text, rows[i][1]) != 0) {
			print_error("%s\n", rows[i][0]);
		}
		assert_string_equal(text, rows[i][1]);
	}
}

static void operators(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"1 + 2 * 3 - 8 / 4", "5"},
		{"6 & 3 == 2", "true"}, /* & binds tighter than == */
		{"1 | 2 ^ 3 & 5", "3"},
		{"1 << 2 + 1", "8"},
		{"10 - 3 - 2", "5"},
		{"2 * -3", "-6"},
		{"- - 3", "3"},
		{"-7 % 3", "-1"},
		{"7 % -3", "1"},
		{"1 / 0", "null"},
		{"5 % 0", "null"},
		{"true + 1", "2"},
		{"'a' + 1", "null"},
		{"9007199254740991 + 1", "null"},
		{"0x10 + 010", "26"}, /* digits are decimal, also after a zero */
		{"1.5e2", "150"},
		{"1e-2", "0.01"},
		{"0 * -1", "0"},
		{"1.5 | 1", "null"},
		{"true | 1", "null"},
		{"-1 & 255", "255"},
		{"-5 >> 1", "-3"},
		{"1 << 52", "4503599627370496"},
		{"1 << 53", "null"},
		{"1 << 64", "null"},
		{"1 << -1", "null"},
		{"0 << 63", "0"},
		{"'on' == p3", "true"},
		{"1 == true", "false"},
		{"'1' == 1", "false"},
		{"'a' != 'b'", "true"},
		{"'a' < 'b'", "null"},
		{"true > 0", "true"},
		{"2 <= 2", "true"},
		{"tree == tree", "true"},
		{"tree + 1", "null"},
		{"tree", "[]"},
		{"p1 == 1 and a.b", "true"},
		{"null == null", "true"},
		{"p2 == null", "true"},
		{"p2 > 1", "null"},
	};
	check(rows, gw_countof(rows));
}

static void logic(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"not 1 == 2 and true", "true"},
		{"false and p2", "false"},
		{"p2 and false", "false"},
		{"true and p2", "null"},
		{"p2 and true", "null"},
		{"true or p2", "true"},
		{"p2 or 3", "true"},
		{"false or p2", "null"},
		{"p2 or false", "null"},
		{"0 or 2", "true"},
		{"'x' or 0", "null"},
		{"not p2", "null"},
		{"not 'x'", "null"},
		{"not not 0", "false"},
		{"false ? 1 : true ? 2 : 3", "2"},
		{"true ? false ? 1 : 2 : 3", "2"},
		{"p2 ? 1 : 2", "null"},
		{"2 ? 'a' : 'b'", "\"a\""},
		{"v ? tree : 1", "[]"},
		{"1 + (p2 ? 1 : 2) * 3", "null"},
		{"(1 ? 2 : 3) + (0 ? 4 : 5)", "7"},
		{"1 and 2 and 0 or 1", "true"},
	};
	check(rows, gw_countof(rows));
}

static void functions(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"abs(-2)", "2"},
		{"floor(-1.5)", "-2"},
		{"ceil(-1.5)", "-1"},
		{"trunc(-1.5)", "-1"},
		{"round(-2.5)", "-3"},
		{"round(0.4999999999)", "1"}, /* safe against decimal noise: R(y) */
		{"frac(-1.25)", "0.75"},
		{"clamp(15, 0, 10) + min(3, 1, 2) + max(1, 5)", "16"},
		{"min(8,7,6,5,4,3,2,1)", "1"},
		{"bits(0xABCD, 4, 8)", "188"},
		{"bits(-1, 0, 8)", "255"},
		{"bits(1.5, 0, 8)", "null"},
		{"bits(1, 53, 1)", "null"},
		{"bits(1, 0, 0)", "null"},
		{"s8(0xFE)", "-2"},
		{"s16(0x18000)", "-32768"},
		{"s24(0xFFFFFF)", "-1"},
		{"s32(0x7FFFFFFF)", "2147483647"},
		{"bcd(0x1234)", "1234"},
		{"bcd(0x1A)", "null"},
		{"bcd(-1)", "null"},
		{"tobcd(59)", "89"},
		{"tobcd(9007199254740991)", "null"},
		{"25 * pow10(-2)", "0.25"},
		{"pow10(15)", "1000000000000000"},
		{"pow10(16)", "null"},
		{"pow10(0.5)", "null"},
		{"log10(1000)", "3"},
		{"log10(0)", "null"},
		{"has(p2)", "false"},
		{"has('x')", "true"},
		{"has(tree)", "true"},
		{"or(p2, 7)", "7"},
		{"or(p3, 7)", "\"on\""},
		{"or(tree, 7)", "7"},
		{"abs(p2)", "null"},
		{"abs('x')", "null"},
		{"abs(true)", "1"},
		{"or(or(p2, null), 1) or 0", "true"},
	};
	check(rows, gw_countof(rows));
}

static void refusals(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"", "expr: column 1: expected an operand, found the end"},
		{"p1 +", "expr: column 5: expected an operand, found the end"},
		{"1 < 2 < 3",
		 "expr: column 7: expected \"and\" between two comparisons (they do not chain), found \"<\""},
		{"sqrt(4)", "expr: column 1: expected a function, found \"sqrt\""},
		{"flor(4)",
		 "expr: column 1: expected a function, found \"flor\"; did you mean \"floor\"?"},
		{"p1 + q", "ref: column 6: unknown name \"q\""},
		{"abs(1, 2)", "expr: column 8: expected at most 1 arguments of abs()"},
		{"min(1)", "expr: column 6: expected at least 2 arguments of min()"},
		{"clamp(1, 2)", "expr: column 11: expected exactly 3 arguments of clamp()"},
		{"max(1,)", "expr: column 7: expected an argument, found \")\""},
		{"(1", "expr: column 3: expected an operator or \")\", found the end"},
		{"1 ? 2", "expr: column 6: expected an operator or \":\", found the end"},
		{"1 2", "expr: column 3: expected an operator or the end, found \"2\""},
		{"'abc", "expr: column 2: expected ' at the end of the text"},
		{"1 = 2", "expr: column 3: expected an operator or the end, found \"=\""},
		{"1 == not 2", "expr: column 6: expected an operand, found \"not\""},
		{"9007199254740992",
		 "expr: column 1: expected a number below 2^53, found 9007199254740992"},
		{"0xFFFFFFFFFFFFFFFFFF",
		 "expr: column 1: expected a number below 2^53, found 0xFFFFFFFFFFFFFFFFFF"},
		{"abs", "ref: column 1: unknown name \"abs\""},
		{"a.b.c", "ref: column 1: unknown name \"a.b.c\""},
		{"\xc3\xa4", "expr: column 1: expected an operand, found \"\xef\xbf\xbd\""},
	};
	check(rows, gw_countof(rows));
}

/* before, n times; middle; after, n times. */
static int compile_nested(const char *before, const char *middle, const char *after, int n,
			  unsigned *ret_cost)
{
	struct gw_arena *a = gw_arena_new(1 << 20);
	struct gw_buf b = GW_BUF_INIT(100000);
	struct gw_expr *e = NULL;
	struct gw_error error;
	for (int i = 0; i < n; i++) {
		gw_buf_puts(&b, before);
	}
	gw_buf_puts(&b, middle);
	for (int i = 0; i < n; i++) {
		gw_buf_puts(&b, after);
	}
	int r = compile(a, b.p, &e, &error);
	*ret_cost = e ? gw_expr_cost(e) : 0;
	if (r < 0) {
		assert_string_equal(error.code, "expr");
	}
	gw_buf_fini(&b);
	gw_arena_free(a);
	return r;
}

static void limits(void **state)
{
	(void)state;
	unsigned cost;
	assert_int_equal(compile_nested("", "1", " + 1", 64, &cost), 0);
	assert_int_equal(cost, 64);
	assert_int_equal(compile_nested("", "1", " + 1", 65, &cost), -EINVAL);
	assert_int_equal(compile_nested("(", "1", ")", 16, &cost), 0);
	assert_int_equal(compile_nested("(", "1", ")", 17, &cost), -EINVAL);
	assert_int_equal(compile_nested("abs(", "1", ")", 16, &cost), 0);
	assert_int_equal(compile_nested("abs(", "1", ")", 17, &cost), -EINVAL);
	assert_int_equal(compile_nested("-", "1", "", 16, &cost), 0);
	assert_int_equal(compile_nested("-", "1", "", 20000, &cost), -EINVAL);
	assert_int_equal(compile_nested("not ", "1", "", 16, &cost), 0);
	assert_int_equal(compile_nested("not ", "1", "", 17, &cost), -EINVAL);
	assert_int_equal(compile_nested("1 ? 2 : ", "3", "", 16, &cost), 0);
	assert_int_equal(compile_nested("1 ? 2 : ", "3", "", 17, &cost), -EINVAL);
	assert_int_equal(compile_nested("max(1,2,3,4,5,6,7,", "8", ")", 16, &cost), 0);
}

static void names_in_order_of_appearance(void **state)
{
	(void)state;
	struct gw_arena *a = gw_arena_new(1 << 20);
	struct gw_expr *e = NULL;
	struct gw_error error;
	enum gw_name_kind kind;
	uint16_t index;
	assert_int_equal(compile(a, "p2 + v * p1 - p2", &e, &error), 0);
	assert_true(gw_expr_name(e, 0, &kind, &index));
	assert_int_equal(index, 2);
	assert_true(gw_expr_name(e, 1, &kind, &index));
	assert_int_equal(kind, GW_NAME_WANTED);
	assert_true(gw_expr_name(e, 2, &kind, &index));
	assert_int_equal(index, 1);
	assert_false(gw_expr_name(e, 3, &kind, &index));
	gw_arena_free(a);
}

static void out_of_memory(void **state)
{
	(void)state;
	for (uint64_t n = 1;; n++) {
		struct gw_arena *a = gw_arena_new(1 << 20);
		struct gw_expr *e = NULL;
		struct gw_error error;
		gw_alloc_fail_at(n);
		int r = compile(a, "p3 == 'on' ? 'a' : p1 < 2 ? 'b' : 'c'", &e, &error);
		gw_alloc_fail_at(0);
		gw_expr_fini(e);
		gw_arena_free(a);
		if (r == 0) {
			assert_true(n > 4);
			break;
		}
		assert_int_equal(r, -ENOMEM);
	}
}

static void raws(void **state)
{
	(void)state;
	assert_int_equal(gw_raw_number(0x1p53).type, GW_RAW_NULL);
	assert_int_equal(gw_raw_number(0.0 / 1 - 0.0).type, GW_RAW_NUMBER);
	struct gw_raw zero = gw_raw_number(-0.0);
	assert_int_equal(signbit(zero.number), 0);
	struct gw_raw one = gw_raw_number(1), yes = {.type = GW_RAW_BOOL, .flag = true};
	assert_false(gw_raw_equal(&one, &yes));
	assert_true(gw_raw_equal(&one, &one));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operators),	 cmocka_unit_test(logic),
		cmocka_unit_test(functions),	 cmocka_unit_test(refusals),
		cmocka_unit_test(limits),	 cmocka_unit_test(names_in_order_of_appearance),
		cmocka_unit_test(out_of_memory), cmocka_unit_test(raws),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
