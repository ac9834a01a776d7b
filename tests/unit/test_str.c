#include "gw_test.h"

#include <string.h>

#include "gw/str.h"

#define S(s) GW_STR(s)

static void assert_str(struct gw_str s, const char *want)
{
	assert_int_equal(s.len, strlen(want));
	assert_memory_equal(s.p, want, s.len);
}

static void compare(void **state)
{
	(void)state;
	assert_true(gw_str_eq(S("ab"), S("ab")));
	assert_false(gw_str_eq(S("ab"), S("abc")));
	assert_true(gw_str_eq((struct gw_str){NULL, 0}, S("")));
	assert_true(gw_str_is(S("x"), "x"));
	assert_true(gw_str_cmp(S("a"), S("b")) < 0);
	assert_true(gw_str_cmp(S("ab"), S("a")) > 0);
	assert_true(gw_str_cmp(S("\xc3"), S("a")) > 0); /* bytes are unsigned */
	assert_int_equal(gw_str_cmp((struct gw_str){NULL, 0}, S("")), 0);
	assert_true(gw_str_starts(S("tele/x"), "tele/"));
	assert_false(gw_str_starts(S("tel"), "tele"));
	assert_true(gw_str_starts((struct gw_str){NULL, 0}, ""));
	assert_true(gw_str_ends(S("a.yaml"), ".yaml"));
	assert_false(gw_str_ends(S("yaml"), ".yaml"));
}

static void pieces(void **state)
{
	(void)state;
	assert_str(gw_str_sub(S("abcdef"), 2, 3), "cde");
	assert_str(gw_str_sub(S("abc"), 2, 99), "c");
	assert_int_equal(gw_str_sub(S("abc"), 9, 9).len, 0);
	assert_int_equal(gw_str_sub(S("abc"), 1, SIZE_MAX).len, 2);
	assert_str(gw_str_trim(S(" \t\r\n x y \n")), "x y");
	assert_int_equal(gw_str_trim(S(" \t ")).len, 0);

	struct gw_str rest = S("a//b/"), piece;
	const char *want[] = {"a", "", "b", ""};
	for (size_t i = 0; i < 4; i++) {
		assert_true(gw_str_split(&rest, '/', &piece));
		assert_str(piece, want[i]);
	}
	assert_false(gw_str_split(&rest, '/', &piece));
	rest = S("");
	assert_true(gw_str_split(&rest, '/', &piece));
	assert_int_equal(piece.len, 0);
	assert_false(gw_str_split(&rest, '/', &piece));
}

static void glob(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *text;
		bool match;
	} rows[] = {
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "anything", true},
		{"?", "", false},
		{"?", "ü", true}, /* one character, not one byte */
		{"??", "ü", false},
		{"a?c", "a灯c", true},
		{"shelly*-*", "ShellyPlug-S-1234", true},
		{"shelly*-*", "shellyplug", false},
		{"*.local", "x.local", true},
		{"*.local", "x.local.", false},
		{"a*b*c", "aXXbYYbZZc", true},
		{"a*b*c", "aXXbYY", false},
		{"**", "x", true},
		{"*a", "aaaa", true},
		{"*ab", "aab", true},
		{"*?", "", false},
		{"*?", "ab", true},
		{"É", "é", false}, /* only ASCII ignores case */
		{"a", "a*", false},
		{"a*", "A", true},
	};
	for (size_t i = 0; i < gw_countof(rows); i++) {
		if (gw_str_glob(gw_str(rows[i].pattern), gw_str(rows[i].text)) != rows[i].match) {
			fail_msg("%s on %s", rows[i].pattern, rows[i].text);
		}
	}
	/* Not exponential: a pattern of many stars on a text that does not match. */
	char text[2001], pattern[401];
	memset(text, 'a', sizeof(text));
	for (size_t i = 0; i < 400; i += 2) {
		pattern[i] = '*';
		pattern[i + 1] = 'a';
	}
	pattern[400] = 'b';
	assert_false(gw_str_glob((struct gw_str){pattern, 401}, (struct gw_str){text, 2001}));
}

static void glob_stars(void **state)
{
	(void)state;
	struct gw_str stars[2] = {S("unset"), S("unset")};
	size_t n = 9;
	assert_true(gw_str_glob_stars(S("shelly*-*"), S("shellyplug-A1-B2"), stars, 2, &n));
	assert_int_equal(n, 2);
	assert_str(stars[0], "plug");
	assert_str(stars[1], "A1-B2");
	assert_true(gw_str_glob_stars(S("*x*y*"), S("axbyc"), stars, 2, &n)); /* three stars */
	assert_int_equal(n, 2);
	assert_str(stars[0], "a");
	assert_str(stars[1], "b");
	assert_true(gw_str_glob_stars(S("a*"), S("a"), stars, 2, &n));
	assert_int_equal(n, 1);
	assert_int_equal(stars[0].len, 0);
	assert_true(gw_str_glob_stars(S("a*z"), S("a灯?z"), stars, 2, &n));
	assert_str(stars[0], "灯?");
	n = 9;
	assert_false(gw_str_glob_stars(S("a*"), S("b"), stars, 2, &n));
	assert_int_equal(n, 9);
}

static void utf8(void **state)
{
	(void)state;
	static const char *good[] = {"",
				     "abcdefghijklmnop",
				     "Küche",
				     "\xed\x9f\xbf",
				     "\xee\x80\x80",
				     "\xf0\x90\x80\x80",
				     "\xf4\x8f\xbf\xbf",
				     "1234567\xc3\xa4",
				     "\xe0\xa0\x80"};
	static const char *bad[] = {"\x80",
				    "\xc0\x80",
				    "\xc1\xbf",
				    "\xc3",
				    "\xe0\x9f\xbf",
				    "\xed\xa0\x80", /* surrogate */
				    "\xf0\x8f\xbf\xbf",
				    "\xf4\x90\x80\x80",
				    "\xf5\x80\x80\x80",
				    "\xe2\x82",
				    "abcdefgh\xff",
				    "\xc3\x28",
				    "\xe2\x28\xa1"};
	for (size_t i = 0; i < gw_countof(good); i++) {
		assert_true(gw_str_is_utf8(gw_str(good[i])));
	}
	for (size_t i = 0; i < gw_countof(bad); i++) {
		assert_false(gw_str_is_utf8(gw_str(bad[i])));
	}
}

static void clean(void **state)
{
	(void)state;
	char text[32];
	assert_int_equal(gw_str_clean(S("a\tb\nc"), 64, text, sizeof(text)), 5);
	assert_string_equal(text, "a b c");
	(void)gw_str_clean(S("\033[31mred\x7f\xc2\x9b"), 64, text, sizeof(text));
	assert_string_equal(text, "[31mred"); /* C0, DEL and C1 are gone */
	(void)gw_str_clean(S("a\u202egnp.exe\u2066\u200f\ufeff"), 64, text, sizeof(text));
	assert_string_equal(text, "agnp.exe");
	(void)gw_str_clean(S("x\xff\xc3y"), 64, text, sizeof(text));
	assert_string_equal(text, "x\ufffd\ufffdy");
	(void)gw_str_clean(S("👩‍🍳"), 64, text, sizeof(text)); /* joiners make emoji */
	assert_string_equal(text, "👩‍🍳");
	assert_int_equal(gw_str_clean(S("灯灯灯"), 2, text, sizeof(text)), 6);
	assert_string_equal(text, "灯灯");
	assert_int_equal(gw_str_clean(S("灯灯灯"), 64, text, 8), 6); /* whole characters only */
	assert_string_equal(text, "灯灯");
	assert_int_equal(gw_str_clean(S("abc"), 64, text, 4), 3);
	assert_int_equal(gw_str_clean(S("abcd"), 64, text, 4), 3);
	assert_string_equal(text, "abc");
	assert_int_equal(gw_str_clean(S("abc"), 64, text, 1), 0);
	assert_string_equal(text, "");
	assert_int_equal(gw_str_clean((struct gw_str){"a\0b", 3}, 64, text, sizeof(text)), 2);
	assert_string_equal(text, "ab");
}

static void distance(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b;
		size_t max, want;
	} rows[] = {
		{"", "", 3, 0},
		{"port", "port", 3, 0},
		{"prot", "port", 3, 1}, /* a swap of neighbours is one step */
		{"port", "ports", 3, 1},
		{"", "abc", 3, 3},
		{"", "abcd", 3, 4},
		{"kitten", "sitting", 5, 3},
		{"kitten", "sitting", 2, 3},
		{"ca", "abc", 5, 3}, /* restricted: no edits inside of a swap */
		{"thermostat.setpoint", "thermostat.setpiont", 3, 1},
	};
	for (size_t i = 0; i < gw_countof(rows); i++) {
		assert_int_equal(gw_str_distance(gw_str(rows[i].a), gw_str(rows[i].b), rows[i].max),
				 rows[i].want);
		assert_int_equal(gw_str_distance(gw_str(rows[i].b), gw_str(rows[i].a), rows[i].max),
				 rows[i].want);
	}
	char at[128], over[129];
	memset(at, 'x', sizeof(at));
	memset(over, 'x', sizeof(over));
	struct gw_str limit = {at, sizeof(at)}, above = {over, sizeof(over)};
	assert_int_equal(gw_str_distance(limit, limit, 3), 0);
	assert_int_equal(gw_str_distance(above, above, 3), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compare),    cmocka_unit_test(pieces), cmocka_unit_test(glob),
		cmocka_unit_test(glob_stars), cmocka_unit_test(utf8),	cmocka_unit_test(clean),
		cmocka_unit_test(distance),
	};
	return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
