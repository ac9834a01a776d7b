#include "gw_test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/limits.h"
#include "gw/node.h"

static struct gw_arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = gw_arena_new(64 << 20);
	return arena ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	gw_arena_free(arena);
	return 0;
}

static struct gw_node *parse(const char *json)
{
	struct gw_node *n = NULL;
	struct gw_error e;
	if (gw_node_parse_json(arena, gw_str(json), /* limits= */ NULL, &n, &e) < 0) {
		fail_msg("%s: %s", json, e.text);
	}
	return n;
}

static void assert_written(const struct gw_node *n, bool source_order, const char *want)
{
	struct gw_buf b = GW_BUF_INIT(1 << 20);
	gw_node_write(&b, n, source_order);
	assert_int_equal(gw_buf_error(&b), 0);
	assert_string_equal(b.p, want);
	gw_buf_fini(&b);
}

static void arena_cap(void **state)
{
	(void)state;
	struct gw_arena *a = gw_arena_new(100);
	assert_non_null(gw_arena_alloc(a, 16));
	assert_null(gw_arena_alloc(a, SIZE_MAX));
	assert_null(gw_arena_alloc(a, 101));
	struct gw_str s = gw_arena_text(a, GW_STR("hello"));
	assert_string_equal(s.p, "hello");
	unsigned char *p = gw_arena_alloc(a, 64);
	assert_non_null(p);
	assert_int_equal((uintptr_t)p % 16, 0);
	for (int i = 0; i < 64; i++) {
		assert_int_equal(p[i], 0);
	}
	assert_null(gw_arena_alloc(a, 16)); /* 16 + 6 + padding + 64 of 100 are used */
	assert_non_null(gw_arena_text(a, GW_STR("12")).p);
	gw_arena_free(a);
	gw_arena_free(NULL);
	a = gw_arena_new(1000);
	for (int i = 0; i < 1000 / 16; i++) {
		assert_non_null(gw_arena_alloc(a, 16));
	}
	assert_null(gw_arena_alloc(a, 16));
	gw_arena_free(a);
}

static void json_values(void **state)
{
	(void)state;
	const struct gw_node *n =
		parse("{\"z\":null,\"b\":[true,false],\"n\":-21.5,\"t\":\"a\\u00e4\",\"m\":{}}");
	assert_int_equal(n->type, GW_NODE_MAP);
	assert_int_equal(n->count, 5);
	assert_int_equal(gw_node_get(n, "z")->type, GW_NODE_NULL);
	assert_int_equal(gw_node_get(n, "b")->count, 2);
	assert_true(gw_node_at(gw_node_get(n, "b"), 0)->flag);
	assert_false(gw_node_at(gw_node_get(n, "b"), 1)->flag);
	assert_null(gw_node_at(gw_node_get(n, "b"), 2));
	assert_true(gw_node_get(n, "n")->number == -21.5);
	assert_string_equal(gw_node_text(n, "t"), "aä");
	assert_null(gw_node_text(n, "n"));
	assert_null(gw_node_text(n, "x"));
	assert_true(gw_node_is_text(gw_node_get(n, "t"), "aä"));
	assert_false(gw_node_is_text(NULL, "x"));
	assert_null(gw_node_get(n, "x"));
	assert_null(gw_node_get(NULL, "x"));
	assert_null(gw_node_get(gw_node_get(n, "b"), "x"));
	assert_null(gw_node_at(n, 0));
	assert_int_equal(gw_node_get(n, "t")->line, 0);
	/* A text that C would cut short is no C text. */
	assert_null(gw_node_text(parse("{\"a\":\"x\\u0000y\"}"), "a"));
}

static void json_numbers(void **state)
{
	(void)state;
	assert_written(parse("[-0,-0.0,9007199254740991,-9007199254740991,1.5e3]"), true,
		       "[0,0,9007199254740991,-9007199254740991,1500]");
	/* profile-language §1: magnitude ≥ 2^53, or not finite, is null. */
	assert_written(parse("[9007199254740992,-9007199254740992,1e300,1e999,-1e999]"), true,
		       "[null,null,null,null,null]");
}

static void refusal(const char *json, const struct gw_node_limits *limits, int result,
		    const char *want)
{
	struct gw_node *n = (struct gw_node *)(uintptr_t)16;
	struct gw_error e = {0};
	struct gw_buf b = GW_BUF_INIT(1000);
	assert_int_equal(gw_node_parse_json(arena, gw_str(json), limits, &n, &e), result);
	gw_error_format(&e, &b);
	assert_string_equal(gw_buf_str(&b).p, want);
	assert_ptr_equal(n, (void *)(uintptr_t)16); /* untouched on failure */
	assert_int_equal(gw_node_parse_json(arena, gw_str(json), limits, &n, NULL), result);
	gw_buf_fini(&b);
}

static void json_refusals(void **state)
{
	(void)state;
	refusal("{\"a\":{\"b\":[1,\n \"ä\", x]}}", NULL, -EINVAL,
		"2:7: found neither a value nor a closing bracket; expected JSON (RFC 8259) "
		"(syntax at /a/b/2)");
	refusal("{\"a/b\":{\"c~\":1,\"c~\":2}}", NULL, -EINVAL,
		"1:21: key \"c~\" is here a second time; expected each key once (syntax at "
		"/a~1b/c~0)");
	refusal("[\"\\ud800\"]", NULL, -EINVAL,
		"1:10: found half a surrogate pair; expected JSON (RFC 8259) (syntax at /0)");
	refusal("", NULL, -EINVAL,
		"1:1: found the end where a value should be; expected JSON (RFC 8259) (syntax)");
}

static void json_limits(void **state)
{
	(void)state;
	static const struct gw_node_limits limits = {
		.max_bytes = 40, .max_depth = 2, .max_nodes = 4, .max_text_bytes = 5};
	struct gw_node *n;
	struct gw_error e;
	assert_int_equal(gw_node_parse_json(arena, GW_STR("[[1],\"12345\"]"), &limits, &n, &e), 0);
	assert_int_equal(gw_node_parse_json(arena, GW_STR("{\"12345\":{\"a\":0,\"b\":1        } }"),
					    &limits, &n, &e),
			 0);
	refusal("[[[]]]", &limits, -E2BIG,
		"1:4: nesting deeper than 2, expected at most that (size at /0/0)");
	refusal("[1,2,3,4]", &limits, -E2BIG,
		"1:9: more than 4 values, expected at most that many (size at /3)");
	refusal("[\"123456\"]", &limits, -E2BIG,
		"1:10: a text of 6 bytes, expected at most 5 (size at /0)");
	refusal("{\"123456\":1}", &limits, -E2BIG,
		"1:11: a text of 6 bytes, expected at most 5 (size)");
	refusal("[                                       ]", &limits, -E2BIG,
		"1:1: a text of 41 bytes, expected at most 40 (size)");
	/* Without a limit of its own the depth ends at 64. */
	char text[131];
	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	assert_int_equal(gw_node_parse_json(arena, (struct gw_str){text + 1, 128}, NULL, &n, &e),
			 0);
	assert_int_equal(gw_node_parse_json(arena, (struct gw_str){text, 130}, NULL, &n, &e),
			 -E2BIG);
	assert_string_equal(e.code, "size");
}

static void duplicates_in_large_maps(void **state)
{
	(void)state;
	enum { N = 20000 };
	struct gw_buf b = GW_BUF_INIT(1 << 20);
	struct gw_node *n;
	struct gw_error e;
	/* Also inside of each other, so that members of many maps share the table. */
	gw_buf_puts(
		&b,
		"{\"in\":{\"k0\":0,\"k1\":0,\"k2\":0,\"k3\":0,\"k4\":0,\"k5\":0,\"k6\":0,\"k7\":0,"
		"\"k8\":0,\"k9\":0}");
	for (int i = 0; i < N; i++) {
		gw_buf_printf(&b, ",\"k%d\":%d", i, i);
	}
	size_t len = b.len;
	gw_buf_puts(&b, "}");
	assert_int_equal(gw_node_parse_json(arena, gw_buf_str(&b), NULL, &n, &e), 0);
	assert_int_equal(n->count, N + 1);
	for (int i = 0; i < N; i += 3331) {
		gw_buf_truncate(&b, len);
		gw_buf_printf(&b, ",\"k%d\":1}", i);
		assert_int_equal(gw_node_parse_json(arena, gw_buf_str(&b), NULL, &n, &e), -EINVAL);
		assert_non_null(strstr(e.text, "a second time"));
	}
	gw_buf_fini(&b);
	for (int n_keys = 1; n_keys < 40; n_keys++) { /* each size around the switch to the table */
		struct gw_buf s = GW_BUF_INIT(1000);
		for (int i = 0; i < n_keys; i++) {
			gw_buf_printf(&s, "%c\"k%d\":0", i ? ',' : '{', i);
		}
		gw_buf_printf(&s, ",\"k%d\":0}", n_keys / 2);
		assert_int_equal(gw_node_parse_json(arena, gw_buf_str(&s), NULL, &n, &e), -EINVAL);
		gw_buf_fini(&s);
	}
}

static void pointer(void **state)
{
	(void)state;
	/* RFC 6901 §5 */
	struct gw_node *n =
		parse("{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,\"g|h\":4,"
		      "\"i\\\\j\":5,\"k\\\"l\":6,\" \":7,\"m~n\":8}");
	static const struct {
		const char *pointer;
		int number;
	} rows[] = {{"/", 0},	  {"/a~1b", 1}, {"/c%d", 2}, {"/e^f", 3}, {"/g|h", 4},
		    {"/i\\j", 5}, {"/k\"l", 6}, {"/ ", 7},   {"/m~0n", 8}};
	for (size_t i = 0; i < gw_countof(rows); i++) {
		struct gw_node *at = gw_node_pointer(n, gw_str(rows[i].pointer));
		assert_non_null(at);
		assert_true(at->number == rows[i].number);
	}
	assert_ptr_equal(gw_node_pointer(n, GW_STR("")), n);
	assert_true(gw_node_is_text(gw_node_pointer(n, GW_STR("/foo/1")), "baz"));
	static const char *nowhere[] = {"foo",
					"/foo/2",
					"/foo/01",
					"/foo/-",
					"/foo/",
					"/foo/0/x",
					"/m~n",
					"/m~",
					"/m~2n",
					"/fo",
					"/fooo",
					"/foo/1x",
					"/foo/18446744073709551616"};
	for (size_t i = 0; i < gw_countof(nowhere); i++) {
		assert_null(gw_node_pointer(n, gw_str(nowhere[i])));
	}
	assert_null(gw_node_pointer(NULL, GW_STR("")));
}

static void makers(void **state)
{
	(void)state;
	struct gw_node *map = gw_node_new(arena, GW_NODE_MAP);
	struct gw_node *list = gw_node_new(arena, GW_NODE_LIST);
	assert_int_equal(gw_node_set(arena, map, GW_STR("a"), gw_node_new_number(arena, 1)), 0);
	assert_int_equal(gw_node_set(arena, map, GW_STR("b"), list), 0);
	assert_int_equal(gw_node_set(arena, map, GW_STR("c"), gw_node_new_bool(arena, true)), 0);
	assert_int_equal(gw_node_append(list, gw_node_new_text(arena, GW_STR("x"))), 0);
	assert_int_equal(gw_node_append(list, gw_node_new(arena, GW_NODE_TEXT)), 0);
	assert_written(map, true, "{\"a\":1,\"b\":[\"x\",\"\"],\"c\":true}");
	/* A member that replaces keeps its place. */
	assert_int_equal(gw_node_set(arena, map, GW_STR("a"), gw_node_new_number(arena, 2)), 0);
	assert_int_equal(gw_node_set(arena, map, GW_STR("c"), gw_node_new_number(arena, 3)), 0);
	assert_int_equal(gw_node_set(arena, map, GW_STR("d"), gw_node_new_number(arena, 4)), 0);
	assert_int_equal(gw_node_set(arena, map, GW_STR("d"), gw_node_get(map, "d")), 0);
	assert_written(map, true, "{\"a\":2,\"b\":[\"x\",\"\"],\"c\":3,\"d\":4}");
	assert_int_equal(map->count, 4);
	assert_true(gw_node_remove(map, GW_STR("d")));
	assert_true(gw_node_remove(map, GW_STR("a")));
	assert_false(gw_node_remove(map, GW_STR("a")));
	assert_false(gw_node_remove(list, GW_STR("a")));
	assert_int_equal(gw_node_set(arena, map, GW_STR("e"), gw_node_new(arena, GW_NODE_NULL)), 0);
	assert_written(map, true, "{\"b\":[\"x\",\"\"],\"c\":3,\"e\":null}");
	assert_true(gw_node_remove(map, GW_STR("b")));
	assert_true(gw_node_remove(map, GW_STR("c")));
	assert_true(gw_node_remove(map, GW_STR("e")));
	assert_written(map, true, "{}");
	assert_int_equal(gw_node_set(arena, list, GW_STR("a"), map), -EINVAL);
	assert_int_equal(gw_node_append(map, list), -EINVAL);
	assert_int_equal(gw_node_append(list, NULL), -EINVAL);
}

static void copy(void **state)
{
	(void)state;
	const char *json = "{\"a\":[1,[],{\"b\":\"x\"}],\"c\":null,\"d\":{\"e\":true}}";
	struct gw_node *n = parse(json);
	n->line = 7;
	struct gw_arena *other = gw_arena_new(10000);
	struct gw_node *c = gw_node_copy(other, n);
	assert_non_null(c);
	assert_int_equal(c->line, 7);
	assert_true(gw_node_equal(c, n));
	assert_true(gw_node_remove(n, GW_STR("a")));
	assert_written(c, true, json);
	gw_arena_free(other);
	other = gw_arena_new(200);
	assert_null(gw_node_copy(other, n)); /* larger than the arena */
	gw_arena_free(other);
}

/* Deeper than any parser lets through, as made by hand: refused, not run away with. */
static void too_deep_by_hand(void **state)
{
	(void)state;
	struct gw_node *n = gw_node_new(arena, GW_NODE_LIST);
	for (int i = 1; i < 64; i++) {
		struct gw_node *outer = gw_node_new(arena, GW_NODE_LIST);
		assert_int_equal(gw_node_append(outer, n), 0);
		n = outer;
	}
	struct gw_buf b = GW_BUF_INIT(1000);
	gw_node_write(&b, n, false);
	assert_int_equal(gw_buf_error(&b), 0);
	assert_non_null(gw_node_copy(arena, n));
	assert_true(gw_node_equal(n, n));
	struct gw_node *outer = gw_node_new(arena, GW_NODE_LIST);
	assert_int_equal(gw_node_append(outer, n), 0);
	gw_buf_reset(&b);
	gw_node_write(&b, outer, false);
	assert_int_equal(gw_buf_error(&b), -E2BIG);
	assert_null(gw_node_copy(arena, outer));
	assert_false(gw_node_equal(outer, outer));
	gw_buf_fini(&b);
}

static void equal(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b;
		bool equal;
	} rows[] = {
		{"1", "1.0", true},
		{"1", "true", false},
		{"1", "\"1\"", false},
		{"null", "null", true},
		{"[]", "{}", false},
		{"[1,2]", "[2,1]", false},
		{"[1,2]", "[1,2,3]", false},
		{"{\"a\":1,\"b\":[{}]}", "{\"b\":[{}],\"a\":1}", true},
		{"{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":2}", false},
		{"{\"a\":1}", "{\"a\":2}", false},
		{"{\"x\":{\"b\":1,\"a\":[2,{\"q\":1,\"p\":2}]}}",
		 "{\"x\":{\"a\":[2,{\"p\":2,\"q\":1}],\"b\":1}}", true},
		{"{\"x\":{\"b\":1,\"a\":[2,{\"q\":1,\"p\":2}]}}",
		 "{\"x\":{\"a\":[2,{\"p\":2,\"q\":3}],\"b\":1}}", false},
	};
	for (size_t i = 0; i < gw_countof(rows); i++) {
		if (gw_node_equal(parse(rows[i].a), parse(rows[i].b)) != rows[i].equal ||
		    gw_node_equal(parse(rows[i].b), parse(rows[i].a)) != rows[i].equal) {
			fail_msg("%s and %s", rows[i].a, rows[i].b);
		}
	}
}

static void canonical(void **state)
{
	(void)state;
	/* RFC 8785 §3.2.3: sorted by UTF-16 units, so the emoji (D83D…) comes before U+FB33. */
	const struct gw_node *n = parse(
		"{\"\\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage Return\",\"\\ufb33\":\"Hebrew "
		"Letter Dalet With Dagesh\",\"1\":\"One\",\"\\ud83d\\ude00\":\"Emoji: Grinning "
		"Face\",\"\\u0080\":\"Control\",\"\\u00f6\":\"Latin Small Letter O With "
		"Diaeresis\"}");
	assert_written(n, false,
		       "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\","
		       "\"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\","
		       "\"😀\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With "
		       "Dagesh\"}");
	n = parse("{\"b\":{\"d\":1,\"c\":[{\"z\":1,\"y\":2}]},\"ab\":1,\"a\":[]}");
	assert_written(n, false, "{\"a\":[],\"ab\":1,\"b\":{\"c\":[{\"y\":2,\"z\":1}],\"d\":1}}");
	assert_written(n, true, "{\"b\":{\"d\":1,\"c\":[{\"z\":1,\"y\":2}]},\"ab\":1,\"a\":[]}");
}

static void text_form(void **state)
{
	(void)state;
	static const struct {
		const char *json, *text;
	} rows[] = {{"21.5", "21.5"}, {"1e21", "null"},	      {"true", "true"},
		    {"null", "null"}, {"\"a\\\"b\"", "a\"b"}, {"-0", "0"}};
	struct gw_buf b = GW_BUF_INIT(100);
	for (size_t i = 0; i < gw_countof(rows); i++) {
		gw_buf_reset(&b);
		assert_int_equal(gw_node_text_form(parse(rows[i].json), &b), 0);
		assert_string_equal(gw_buf_str(&b).p, rows[i].text);
	}
	assert_int_equal(gw_node_text_form(parse("[]"), &b), -EINVAL);
	assert_int_equal(gw_node_text_form(parse("{}"), &b), -EINVAL);
	gw_buf_fini(&b);
}

/* Each allocation of a parse and of a write fails once; nothing leaks and the error says so. */
static void out_of_memory(void **state)
{
	(void)state;
	const char *json =
		"{\"b\":\"x\\ny\",\"a\":[1,2,{\"9\":0,\"8\":0,\"7\":0,\"6\":0,\"5\":0,\"4\":0,\"3\":0,"
		"\"2\":0,\"1\":0,\"0\":0}]}";
	gw_alloc_fail_at(1);
	assert_null(gw_arena_new(10));
	for (uint64_t n = 1;; n++) {
		struct gw_arena *a = gw_arena_new(100000);
		struct gw_node *root = NULL;
		struct gw_error e;
		struct gw_buf b = GW_BUF_INIT(1000);
		gw_alloc_fail_at(n);
		int r = gw_node_parse_json(a, gw_str(json), NULL, &root, &e);
		int w = 0;
		if (r == 0) {
			gw_node_write(&b, root, false);
			w = gw_buf_error(&b);
		}
		gw_alloc_fail_at(0);
		if (r < 0) {
			assert_int_equal(r, -ENOMEM);
			assert_string_equal(e.code, "size");
		} else if (w < 0) {
			assert_int_equal(w, -ENOMEM);
		}
		gw_buf_fini(&b);
		gw_arena_free(a);
		if (r == 0 && w == 0) {
			assert_true(n > 5);
			return;
		}
	}
}

static void arena_full(void **state)
{
	(void)state;
	for (size_t cap = 0; cap < 2000; cap += 40) {
		struct gw_arena *a = gw_arena_new(cap);
		struct gw_node *root;
		struct gw_error e;
		int r = gw_node_parse_json(a, GW_STR("{\"a\":[1,2,\"text\"],\"b\":{\"c\":true}}"),
					   NULL, &root, &e);
		assert_true(r == 0 ? cap > 400 : r == -ENOMEM && cap < 1000);
		gw_arena_free(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arena_cap),	cmocka_unit_test(json_values),
		cmocka_unit_test(json_numbers), cmocka_unit_test(json_refusals),
		cmocka_unit_test(json_limits),	cmocka_unit_test(duplicates_in_large_maps),
		cmocka_unit_test(pointer),	cmocka_unit_test(makers),
		cmocka_unit_test(copy),		cmocka_unit_test(too_deep_by_hand),
		cmocka_unit_test(equal),	cmocka_unit_test(canonical),
		cmocka_unit_test(text_form),	cmocka_unit_test(out_of_memory),
		cmocka_unit_test(arena_full),
	};
	return cmocka_run_group_tests_name("node", tests, setup, teardown);
}
