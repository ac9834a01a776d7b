#include "gw_test.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/json.h"

/* The tokens as one line of letters, texts in <>; "!" and the offset at an error. */
static const char *tokens(struct gw_str s, uint8_t depth)
{
	static const char letter[] = "!.{}[]kt#TFN";
	static char out[2000];
	/* An exact copy, so that a sanitizer sees a read behind the end. */
	char *exact = malloc(s.len ? s.len : 1);
	assert_non_null(exact);
	memcpy(exact, s.p, s.len);
	struct gw_buf b = GW_BUF_INIT(sizeof(out) - 1);
	struct gw_json_reader r;
	gw_json_reader_init(&r, (struct gw_str){exact, s.len}, depth);
	enum gw_json_token t;
	do {
		t = gw_json_next(&r);
		gw_buf_putc(&b, letter[t]);
		if (t == GW_JSON_KEY || t == GW_JSON_TEXT || t == GW_JSON_NUMBER) {
			gw_buf_printf(&b, "<" GW_STR_FMT ">%s", GW_STR_ARG(r.text),
				      t != GW_JSON_NUMBER && r.escaped ? "\\" : "");
		}
		if (t == GW_JSON_ERROR) {
			assert_non_null(r.error);
			assert_int_equal(gw_json_next(&r), GW_JSON_ERROR); /* stays in error */
			gw_buf_printf(&b, "%zu", gw_json_offset(&r));
		}
	} while (t != GW_JSON_ERROR && t != GW_JSON_END);
	assert_int_equal(gw_buf_error(&b), 0);
	memcpy(out, b.p, b.len + 1);
	gw_buf_fini(&b);
	free(exact);
	return out;
}

static void accepts(void **state)
{
	(void)state;
	static const struct {
		const char *json, *want;
	} rows[] = {
		{"1", "#<1>."},
		{" \t\r\n-0.5e+10 ", "#<-0.5e+10>."},
		{"0", "#<0>."},
		{"\"\"", "t<>."},
		{"true", "T."},
		{"[]", "[]."},
		{"{}", "{}."},
		{"[ ]", "[]."},
		{"{ }", "{}."},
		{"[1,[2],{\"a\":null}]", "[#<1>[#<2>]{k<a>N}]."},
		{"{\"a\" : false , \"b\":[{},[]]}", "{k<a>Fk<b>[{}[]]}."},
		{"\"a\\u00e4\\n\\\"\"", "t<a\\u00e4\\n\\\">\\."},
		{"\"Küche 灯 😀\"", "t<Küche 灯 😀>."},
		{"\"\x7f\"", "t<\x7f>."}, /* DEL is allowed by the grammar */
		{"[\"\\ud800\"]",
		 "[t<\\ud800>\\]."}, /* grammar only; gw_json_unescape refuses it */
		{"{\"a\":1,\"a\":2}",
		 "{k<a>#<1>k<a>#<2>}."}, /* the tree refuses this, not the reader */
	};
	for (size_t i = 0; i < gw_countof(rows); i++) {
		assert_string_equal(tokens(gw_str(rows[i].json), 8), rows[i].want);
	}
}

static void refuses(void **state)
{
	(void)state;
	static const struct {
		const char *json;
		size_t offset;
	} rows[] = {
		{"", 0},
		{"  ", 2},
		{"x", 0},
		{"tru", 0},
		{"True", 0},
		{"nul", 0},
		{"truefalse", 4},
		{"1 2", 2},
		{"1,", 1},
		{"01", 1},
		{"-", 0},
		{"-x", 0},
		{"+1", 0},
		{".5", 0},
		{"1.", 0},
		{"1e", 0},
		{"1e+", 0},
		{"0x10", 1},
		{"NaN", 0},
		{"Infinity", 0},
		{"\"", 1},
		{"\"a", 2},
		{"\"a\nb\"", 2},
		{"\"\\x\"", 1},
		{"\"\\", 1},
		{"\"\\u12\"", 1},
		{"\"\\u12g4\"", 1},
		{"\"\\u123", 1},
		{"'a'", 0},
		{"\"\x80\"", 1},
		{"\"\xc0\x80\"", 1},
		{"\"\xed\xa0\x80\"", 1},
		{"\"\xe2\x82\"", 1},
		{"[", 1},
		{"[1", 2},
		{"[1,", 3},
		{"[1,]", 3},
		{"[,1]", 1},
		{"[1 2]", 3},
		{"[1}", 2},
		{"]", 0},
		{"{", 1},
		{"{\"a\"", 4},
		{"{\"a\":", 5},
		{"{\"a\":1", 6},
		{"{\"a\":1,", 7},
		{"{\"a\":1,}", 7},
		{"{,}", 1},
		{"{\"a\" 1}", 5},
		{"{\"a\":}", 5},
		{"{a:1}", 1},
		{"{1:2}", 1},
		{"{\"a\":1]", 6},
		{"{\"a\":1 \"b\":2}", 7},
		{"[1]]", 3},
		{"\xef\xbb\xbf{}", 0},
		{"// c\n1", 0},
	};
	for (size_t i = 0; i < gw_countof(rows); i++) {
		const char *got = strchr(tokens(gw_str(rows[i].json), 8), '!');
		uint64_t offset = SIZE_MAX;
		if (!got || gw_parse_u64(gw_str(got + 1), &offset) < 0 ||
		    offset != rows[i].offset) {
			fail_msg("%s: %s, expected offset %zu", rows[i].json,
				 got ? got : "accepted", rows[i].offset);
		}
	}
	assert_non_null(strchr(tokens((struct gw_str){"1\0", 2}, 8), '!'));
	assert_non_null(strchr(tokens((struct gw_str){"\"a\0b\"", 5}, 8), '!'));
}

static void depth(void **state)
{
	(void)state;
	assert_string_equal(tokens(GW_STR("[[{}]]"), 3), "[[{}]].");
	assert_string_equal(tokens(GW_STR("[[{}]]"), 2), "[[!2");
	assert_string_equal(tokens(GW_STR("1"), 0), "#<1>.");
	assert_string_equal(tokens(GW_STR("[]"), 0), "!0");
	char text[131];
	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	text[130] = '\0';
	assert_non_null(strchr(tokens((struct gw_str){text + 1, 128}, 255), '.')); /* 64 */
	assert_non_null(strchr(tokens((struct gw_str){text, 130}, 255), '!'));	   /* 65 */
	/* Objects and lists keep apart at every depth. */
	struct gw_buf b = GW_BUF_INIT(1000);
	for (int i = 0; i < 32; i++) {
		gw_buf_puts(&b, "[{\"\":");
	}
	gw_buf_putc(&b, '1');
	for (int i = 0; i < 32; i++) {
		gw_buf_puts(&b, "}]");
	}
	assert_non_null(strchr(tokens(gw_buf_str(&b), 64), '.'));
	b.p[b.len - 4] = ']';
	assert_non_null(strchr(tokens(gw_buf_str(&b), 64), '!'));
	gw_buf_fini(&b);
}

static void skips(void **state)
{
	(void)state;
	struct gw_json_reader r;
	gw_json_reader_init(&r, GW_STR("{\"a\":{\"x\":[1,{}]},\"b\":\"t\",\"c\":[]}"), 8);
	assert_int_equal(gw_json_next(&r), GW_JSON_OBJECT);
	for (int c = 'a'; c <= 'c'; c++) {
		assert_int_equal(gw_json_next(&r), GW_JSON_KEY);
		assert_int_equal(r.text.p[0], c);
		assert_true(gw_json_skip(&r));
	}
	assert_int_equal(gw_json_next(&r), GW_JSON_OBJECT_END);
	assert_int_equal(gw_json_next(&r), GW_JSON_END);
	assert_false(gw_json_skip(&r)); /* nothing is left */
	gw_json_reader_init(&r, GW_STR("[1,2]"), 8);
	assert_true(gw_json_skip(&r)); /* the whole document */
	assert_int_equal(gw_json_next(&r), GW_JSON_END);
	gw_json_reader_init(&r, GW_STR("[[1,}"), 8);
	assert_false(gw_json_skip(&r));
	gw_json_reader_init(&r, GW_STR("[]"), 8);
	assert_int_equal(gw_json_next(&r), GW_JSON_LIST);
	assert_false(gw_json_skip(&r)); /* a closing bracket is no value */
}

static void allocates_nothing(void **state)
{
	(void)state;
	uint64_t before = gw_alloc_count();
	struct gw_json_reader r;
	gw_json_reader_init(&r, GW_STR("{\"a\":[1,\"\\u00e4\",{\"b\":null}]}"), 8);
	assert_true(gw_json_skip(&r));
	assert_int_equal(gw_alloc_count(), before);
}

static void unescape(void **state)
{
	(void)state;
	static const struct {
		const char *raw, *want;
	} rows[] = {
		{"plain", "plain"},
		{"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"},
		{"\\u0041\\u00e4\\u706f\\ud83d\\ude00", "Aä灯😀"},
		{"a\\u00E4b", "aäb"},
		{"\\ud800", NULL},
		{"\\udc00", NULL},
		{"\\ud83d\\u0041", NULL},
		{"\\ud83d\\ud83d", NULL},
		{"\\ud83dx", NULL},
		{"\\ud83d\\ude0", NULL},
		{"\\u12", NULL},
		{"\\uzzzz", NULL},
		{"\\", NULL},
		{"\\x", NULL},
	};
	struct gw_buf b = GW_BUF_INIT(100);
	for (size_t i = 0; i < gw_countof(rows); i++) {
		gw_buf_reset(&b);
		int r = gw_json_unescape(gw_str(rows[i].raw), &b);
		assert_int_equal(r, rows[i].want ? 0 : -EINVAL);
		if (rows[i].want) {
			assert_string_equal(gw_buf_str(&b).p, rows[i].want);
		}
	}
	gw_buf_reset(&b);
	assert_int_equal(gw_json_unescape(GW_STR("a\\u0000b"), &b), 0);
	assert_int_equal(b.len, 3);
	gw_buf_fini(&b);
	b = GW_BUF_INIT(2);
	assert_int_equal(gw_json_unescape(GW_STR("abc"), &b), -E2BIG);
	gw_buf_fini(&b);
}

static void write_text(void **state)
{
	(void)state;
	struct gw_buf b = GW_BUF_INIT(200);
	/* RFC 8785 §3.2.2.2 and its example */
	gw_json_write_text(&b, GW_STR("\u20ac$\x0f\nA'B\"\\\\\"/\b\t\f\r\x7f\x1f"));
	assert_string_equal(b.p,
			    "\"\u20ac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\\b\\t\\f\\r\x7f\\u001f\"");
	gw_buf_reset(&b);
	gw_json_write_text(&b, GW_STR("a\xff\xc3z\xe2\x82"));
	assert_string_equal(b.p, "\"a\ufffd\ufffdz\ufffd\ufffd\"");
	gw_buf_reset(&b);
	gw_json_write_text(&b, (struct gw_str){"a\0b", 3});
	assert_string_equal(b.p, "\"a\\u0000b\"");
	gw_buf_reset(&b);
	gw_json_write_text(&b, GW_STR(""));
	assert_string_equal(b.p, "\"\"");
	gw_buf_fini(&b);
}

static void write_double(void **state)
{
	(void)state;
	/* RFC 8785 Appendix B, by their bits. */
	static const struct {
		uint64_t bits;
		const char *want;
	} rows[] = {
		{0x0000000000000000, "0"},
		{0x8000000000000000, "0"},
		{0x0000000000000001, "5e-324"},
		{0x8000000000000001, "-5e-324"},
		{0x7fefffffffffffff, "1.7976931348623157e+308"},
		{0xffefffffffffffff, "-1.7976931348623157e+308"},
		{0x4340000000000000, "9007199254740992"},
		{0xc340000000000000, "-9007199254740992"},
		{0x4430000000000000, "295147905179352830000"},
		{0x7fffffffffffffff, "null"},
		{0x7ff0000000000000, "null"},
		{0x44b52d02c7e14af5, "9.999999999999997e+22"},
		{0x44b52d02c7e14af6, "1e+23"},
		{0x44b52d02c7e14af7, "1.0000000000000001e+23"},
		{0x444b1ae4d6e2ef4e, "999999999999999700000"},
		{0x444b1ae4d6e2ef4f, "999999999999999900000"},
		{0x444b1ae4d6e2ef50, "1e+21"},
		{0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
		{0x3eb0c6f7a0b5ed8d, "0.000001"},
		{0x41b3de4355555553, "333333333.3333332"},
		{0x41b3de4355555554, "333333333.33333325"},
		{0x41b3de4355555555, "333333333.3333333"},
		{0x41b3de4355555556, "333333333.3333334"},
		{0x41b3de4355555557, "333333333.33333343"},
		{0xbecbf647612f3696, "-0.0000033333333333333333"},
		{0x43143ff3c1cb0959, "1424953923781206.2"},
		{0x3d30000000000000,
		 "5.684341886080802e-14"}, /* 2^-44: the nearest 16 digits miss */
		{0x0010000000000000, "2.2250738585072014e-308"},
		{0x000fffffffffffff, "2.225073858507201e-308"},
	};
	struct gw_buf b = GW_BUF_INIT(100);
	for (size_t i = 0; i < gw_countof(rows); i++) {
		double v;
		memcpy(&v, &rows[i].bits, sizeof(v));
		gw_buf_reset(&b);
		gw_json_write_double(&b, v);
		assert_string_equal(b.p, rows[i].want);
	}
	static const char *texts[] = {"21.5",	       "0.1",	"-0.25",    "100.01",
				      "4.35",	       "1e-7",	"123456.7", "0.001",
				      "999999.999999", "1.005", "230.7",    "1234567890.123"};
	for (size_t i = 0; i < gw_countof(texts); i++) {
		gw_buf_reset(&b);
		gw_json_write_double(&b, strtod(texts[i], NULL));
		assert_string_equal(b.p, texts[i]);
	}
	gw_buf_fini(&b);
}

/* What is written reads back as the same number and no shorter text does (tried with one digit less). */
static void write_double_random(void **state)
{
	(void)state;
	uint64_t x = 2463534242;
	struct gw_buf b = GW_BUF_INIT(100);
	for (int i = 0; i < 20000; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		double v, back;
		uint64_t bits = i % 8 ? x : x & 0xfff0000000000000U; /* also powers of two */
		memcpy(&v, &bits, sizeof(v));
		if (i % 4 == 1) {
			v = (double)(int64_t)(x % 2000000) / 1000 - 500;
		}
		if (!isfinite(v) || v == 0) {
			continue;
		}
		gw_buf_reset(&b);
		gw_json_write_double(&b, v);
		assert_int_equal(gw_parse_double(gw_buf_str(&b), &back), 0);
		assert_true(back == v);
		int digits = 0;
		bool leading = true;
		for (const char *p = b.p; *p && *p != 'e'; p++) {
			leading = leading && (*p < '1' || *p > '9');
			digits += !leading && *p >= '0' && *p <= '9';
		}
		if (digits < 2 || digits > 17) {
			continue;
		}
		char shorter[40];
		(void)snprintf(shorter, sizeof(shorter), "%.*e", digits - 2, v);
		bool trailing_zero = b.p[b.len - 1] == '0' && !strpbrk(b.p, ".e");
		assert_true(trailing_zero || strtod(shorter, NULL) != v);
	}
	gw_buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts),
		cmocka_unit_test(refuses),
		cmocka_unit_test(depth),
		cmocka_unit_test(skips),
		cmocka_unit_test(allocates_nothing),
		cmocka_unit_test(unescape),
		cmocka_unit_test(write_text),
		cmocka_unit_test(write_double),
		cmocka_unit_test(write_double_random),
	};
	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
