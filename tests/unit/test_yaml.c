#include "gw_test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/limits.h"
#include "gw/node.h"

/* The tree as JSON in source order, or the refusal. */
static const char *read_yaml(struct gw_str text, const struct gw_node_limits *limits)
{
	static char out[1 << 16];
	struct gw_arena *a = gw_arena_new(16 << 20);
	struct gw_node *n = NULL;
	struct gw_error e = {0};
	struct gw_buf b = GW_BUF_INIT(sizeof(out) - 1);
	int r = gw_node_parse_yaml(a, text, limits, &n, &e);
	if (r == 0) {
		gw_node_write(&b, n, /* source_order= */ true);
	} else {
		assert_null(n);
		bool syntax = r == -EINVAL || r == -ENODATA;
		assert_string_equal(e.code, syntax ? "syntax" : "size");
		gw_error_format(&e, &b);
	}
	assert_int_equal(gw_buf_error(&b), 0);
	memcpy(out, b.p, b.len + 1);
	gw_buf_fini(&b);
	gw_arena_free(a);
	return out;
}

static void assert_yaml(const char *text, const char *want)
{
	assert_string_equal(read_yaml(gw_str(text), NULL), want);
}

/* The table of profile-language §1, each row with its near misses. */
static void plain_scalars(void **state)
{
	(void)state;
	static const struct {
		const char *plain, *json;
	} rows[] = {
		{"true", "true"},
		{"false", "false"},
		{"null", "null"},
		{"True", "\"True\""},
		{"FALSE", "\"FALSE\""},
		{"Null", "\"Null\""},
		{"~", "\"~\""},
		{"on", "\"on\""},
		{"off", "\"off\""},
		{"no", "\"no\""},
		{"yes", "\"yes\""},
		{"0xFF", "255"},
		{"0xff", "255"},
		{"0x0", "0"},
		{"0xfffffffffffff", "4503599627370495"},
		{"0xffffffffffffff", "\"0xffffffffffffff\""}, /* 14 digits */
		{"0x", "\"0x\""},
		{"0XFF", "\"0XFF\""},
		{"-0x1", "\"-0x1\""},
		{"0xfg", "\"0xfg\""},
		{"0", "0"},
		{"-0", "0"},
		{"12", "12"},
		{"-1.5e2", "-150"},
		{"1.5E+2", "150"},
		{"21.50", "21.5"},
		{"007", "\"007\""},
		{"+5", "\"+5\""},
		{".5", "\".5\""},
		{"5.", "\"5.\""},
		{"1e", "\"1e\""},
		{"1_000", "\"1_000\""},
		{"0.30.1", "\"0.30.1\""},
		{"0o17", "\"0o17\""},
		{"1:30", "\"1:30\""},
		{".inf", "\".inf\""},
		{".nan", "\".nan\""},
		{"2026-11-25", "\"2026-11-25\""},
		{"9007199254740991", "9007199254740991"},
		{"-9007199254740991", "-9007199254740991"},
		{"a plain text", "\"a plain text\""},
		{"\"12\"", "\"12\""},
		{"'true'", "\"true\""},
		{"\"\"", "\"\""},
		{"''", "\"\""},
		{"\"\\u00e4\\x41\\n\"", "\"äA\\n\""},
		{"'it''s'", "\"it's\""},
		{"|\n  12\n", "\"12\\n\""},
		{">-\n  a\n  b\n", "\"a b\""},
		{"灯 # comment", "\"灯\""},
	};
	for (size_t i = 0; i < gw_countof(rows); i++) {
		char text[200], want[200];
		(void)snprintf(text, sizeof(text), "k: %s", rows[i].plain);
		(void)snprintf(want, sizeof(want), "{\"k\":%s}", rows[i].json);
		assert_yaml(text, want);
	}
}

static void keys_are_texts(void **state)
{
	(void)state;
	assert_yaml("1: a\ntrue: b\n~: c\n0x10: d\n",
		    "{\"1\":\"a\",\"true\":\"b\",\"~\":\"c\",\"0x10\":\"d\"}");
	assert_yaml("\"<<\": 1\n\"\": 2\n", "{\"<<\":1,\"\":2}");
	assert_yaml("1: a\n\"1\": b\n", "2:1: key \"1\" is here a second time, first on line 1; "
					"expected each key once (syntax at /1)");
}

static void structure(void **state)
{
	(void)state;
	assert_yaml("--- # start\na:\n- 1\n- [x, {y: z}]\nb: {c: [], d: {}}\n...\n",
		    "{\"a\":[1,[\"x\",{\"y\":\"z\"}]],\"b\":{\"c\":[],\"d\":{}}}");
	assert_yaml("- - 1\n  - 2\n- a: 1\n  b: 2\n", "[[1,2],{\"a\":1,\"b\":2}]");
	assert_yaml("{\"a\":1,\"b\":[true,null,\"x\\/y\"],\"c\":{\"d\":-0.5}}",
		    "{\"a\":1,\"b\":[true,null,\"x/y\"],\"c\":{\"d\":-0.5}}"); /* JSON as it is */
	assert_yaml("{\n\t\"a\": [\n\t\t1\n\t]\n}", "{\"a\":[1]}");
	assert_yaml("\xef\xbb\xbf"
		    "a: 1\r\nb: 2\r\n",
		    "{\"a\":1,\"b\":2}");
	assert_yaml("text", "\"text\"");
	assert_yaml("a: what?\nb: is it ? c\n", "{\"a\":\"what?\",\"b\":\"is it ? c\"}");
	/* Question marks that begin no key. */
	assert_yaml(
		"a: x, ?y\nb: y ?\nc: |\n  ?\nd: '?'\n# ?\ne: {f: g?, h: i}\n?k: l\n",
		"{\"a\":\"x, ?y\",\"b\":\"y ?\",\"c\":\"?\\n\",\"d\":\"?\",\"e\":{\"f\":\"g?\",\"h\":\"i\"},"
		"\"?k\":\"l\"}");
}

static void refusals(void **state)
{
	(void)state;
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"a: &x 1", "1:4: found an anchor (&), expected a plain value (syntax at /a)"},
		{"a: &x [1]", "1:4: found an anchor (&), expected a plain value (syntax at /a)"},
		{"a: &x {b: 1}", "1:4: found an anchor (&), expected a plain value (syntax at /a)"},
		{"&x a: 1", "1:1: found an anchor (&), expected a plain value (syntax)"},
		{"a: *x", "1:4: found an alias (*), expected a plain value (syntax at /a)"},
		{"*x : 1", "1:1: found an alias (*), expected a plain value (syntax)"},
		{"a: !!str 1", "1:4: found a tag (!), expected a plain value (syntax at /a)"},
		{"a: ! 1", "1:4: found a tag (!), expected a plain value (syntax at /a)"},
		{"a: !x [1]", "1:4: found a tag (!), expected a plain value (syntax at /a)"},
		{"!x\na: 1", "1:1: found a tag (!), expected a plain value (syntax)"},
		{"b: 1\n<<: {a: 1}",
		 "2:1: found a merge key (<<), expected the members themselves (syntax)"},
		{"x:\n  a: 1\n  b: 2\n  a: 3",
		 "4:3: key \"a\" is here a second time, first on line 2; expected each key once "
		 "(syntax at /x/a)"},
		{"a:\n  b:\nc: 1",
		 "2:5: found no value, expected a value (\"\" for an empty text, null "
		 "for none) (syntax at /a/b)"},
		{"- 1\n-\n",
		 "2:2: found no value, expected a value (\"\" for an empty text, null for none) "
		 "(syntax at /1)"},
		{"{a, b: 1}",
		 "1:3: found no value, expected a value (\"\" for an empty text, null for none) "
		 "(syntax at /a)"},
		{"{: 1}",
		 "1:2: while parsing a flow node: did not find expected node content (syntax)"},
		{"? a\n: b", "1:3: found a complex key (?), expected key: value (syntax)"},
		{"?\n  a\n: b", "2:3: found a complex key (?), expected key: value (syntax)"},
		{"x: 1\n? a\n: b", "2:3: found a complex key (?), expected key: value (syntax)"},
		{"a: >\n  x\n? # why\n  b\n: c",
		 "4:3: found a complex key (?), expected key: value (syntax)"},
		{"- ? a\n  : b",
		 "1:5: found a complex key (?), expected key: value (syntax at /0)"},
		{"{? a : b}", "1:4: found a complex key (?), expected key: value (syntax)"},
		{"ä: {x: [1], ? b : c}",
		 "1:15: found a complex key (?), expected key: value (syntax at /ä)"},
		{"[? a : b]", "1:4: found a complex key (?), expected key: value (syntax at /0)"},
		{"[a]: b", "1:1: found a list as key, expected a text (syntax)"},
		{"{a: 1}: b", "1:1: found a map as key, expected a text (syntax)"},
		{"? {a: 1}\n: b", "1:3: found a map as key, expected a text (syntax)"},
		{"%YAML 1.2\n---\na: 1",
		 "1:1: found a directive (%), expected the document itself (syntax)"},
		{"%TAG ! x\n---\na: 1",
		 "1:1: found a directive (%), expected the document itself (syntax)"},
		{"--- 1\n--- 2\n", "2:1: found a second document, expected one document (syntax)"},
		{"", "1:1: found nothing, expected a value (syntax)"},
		{"# only a comment\n", "2:1: found nothing, expected a value (syntax)"},
		{"---\n...\n",
		 "2:1: found no value, expected a value (\"\" for an empty text, null for none) "
		 "(syntax)"},
		{"k: 9007199254740992",
		 "1:4: found the number 9007199254740992, expected a magnitude below 2^53 (syntax at /k)"},
		{"k: [-1e999]",
		 "1:5: found the number -1e999, expected a magnitude below 2^53 (syntax at /k/0)"},
		{"a: [1, 2",
		 "2:1: while parsing a flow sequence: did not find expected ',' or ']' (syntax at "
		 "/a/2)"},
		{"a: 'x",
		 "1:6: while scanning a quoted scalar: found unexpected end of stream (syntax at /a)"},
		{"a: b: c", "1:5: mapping values are not allowed in this context (syntax)"},
		{"a: \"\\q\"",
		 "1:5: while parsing a quoted scalar: found unknown escape character (syntax at "
		 "/a)"},
		{"\ta: 1",
		 "1:1: while scanning for the next token: found character that cannot start any "
		 "token (syntax)"},
	};
	for (size_t i = 0; i < gw_countof(rows); i++) {
		assert_yaml(rows[i].text, rows[i].want);
	}
}

static void bytes(void **state)
{
	(void)state;
	assert_non_null(strstr(read_yaml(GW_STR("a: 1\nb: \xff"), NULL), "2:4: "));
	assert_non_null(strstr(read_yaml(GW_STR("a: \x01"), NULL), "1:4: control characters"));
	assert_non_null(strstr(read_yaml((struct gw_str){"a: 1\0", 5}, NULL), "1:5: "));
	assert_non_null(strstr(read_yaml(GW_STR("\xff\xfe"
						"a\0"),
					 NULL),
			       "1:1: ")); /* not UTF-16 */
}

static void places(void **state)
{
	(void)state;
	struct gw_arena *a = gw_arena_new(1 << 16);
	struct gw_node *n;
	struct gw_error e;
	assert_int_equal(gw_node_parse_yaml(a, GW_STR("ä:  1\nb:\n  - c: {d: x}\n"), NULL, &n, &e),
			 0);
	assert_int_equal(n->line, 1);
	assert_int_equal(n->column, 1);
	const struct gw_node *first = gw_node_get(n, "ä"), *list = gw_node_get(n, "b");
	assert_int_equal(first->key_column, 1);
	assert_int_equal(first->column, 5); /* characters, not bytes */
	assert_int_equal(list->key_line, 2);
	assert_int_equal(list->line, 3);
	assert_int_equal(list->column, 3);
	const struct gw_node *d = gw_node_pointer(n, GW_STR("/b/0/c/d"));
	assert_int_equal(d->key_line, 3);
	assert_int_equal(d->key_column, 9);
	assert_int_equal(d->column, 12);
	gw_arena_free(a);
}

static void limits(void **state)
{
	(void)state;
	static const struct gw_node_limits l = {
		.max_bytes = 40, .max_depth = 2, .max_nodes = 4, .max_text_bytes = 5};
	assert_string_equal(read_yaml(GW_STR("[[1], 12345]"), &l), "[[1],12345]");
	assert_string_equal(read_yaml(GW_STR("[[[]]]"), &l),
			    "1:3: nesting deeper than 2, expected at most that (size at /0/0)");
	assert_string_equal(read_yaml(GW_STR("[1, 2, 3, 4]"), &l),
			    "1:11: more than 4 values, expected at most that many (size at /3)");
	assert_string_equal(read_yaml(GW_STR("- abcdef"), &l),
			    "1:3: a text of 6 bytes, expected at most 5 (size at /0)");
	assert_string_equal(read_yaml(GW_STR("abcdef: 1"), &l),
			    "1:1: a text of 6 bytes, expected at most 5 (size)");
	assert_string_equal(read_yaml(GW_STR("a: 1 #                                  x"), &l),
			    "1:1: a text of 41 bytes, expected at most 40 (size)");
	assert_string_equal(read_yaml(GW_STR("a: 1 #                                 x"), &l),
			    "{\"a\":1}");
	/* Profiles: 24 levels. */
	static const struct gw_node_limits profile = {.max_bytes = (size_t)GW_PROFILE_BYTES,
						      .max_depth = GW_PROFILE_DEPTH};
	char text[51];
	memset(text, '[', 25);
	memset(text + 25, ']', 25);
	assert_int_equal(read_yaml((struct gw_str){text + 1, 48}, &profile)[0], '[');
	assert_non_null(strstr(read_yaml((struct gw_str){text, 50}, &profile), "(size at /0/0"));
}

static void out_of_memory(void **state)
{
	(void)state;
	for (uint64_t n = 1;; n++) {
		struct gw_arena *a = gw_arena_new(100000);
		struct gw_node *root = NULL;
		struct gw_error e;
		gw_alloc_fail_at(n);
		int r = gw_node_parse_yaml(
			a,
			GW_STR("{a: [x, y], b: {9: 0, 8: 0, 7: 0, 6: 0, 5: 0, 4: 0, 3: 0, 2: 0, 1: 0}}"),
			NULL, &root, &e);
		gw_alloc_fail_at(0);
		gw_arena_free(a);
		if (r == 0) {
			assert_true(n > 2);
			return;
		}
		assert_int_equal(r, -ENOMEM);
		assert_string_equal(e.code, "size");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_scalars), cmocka_unit_test(keys_are_texts),
		cmocka_unit_test(structure),	 cmocka_unit_test(refusals),
		cmocka_unit_test(bytes),	 cmocka_unit_test(places),
		cmocka_unit_test(limits),	 cmocka_unit_test(out_of_memory),
	};
	return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
