#include "gw_test.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gw/str.h"

static void integers(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int result;
		int64_t value;
	} rows[] = {
		{"0", 0, 0},
		{"-0", 0, 0},
		{"007", 0, 7},
		{"9223372036854775807", 0, INT64_MAX},
		{"9223372036854775808", -ERANGE, 0},
		{"-9223372036854775808", 0, INT64_MIN},
		{"-9223372036854775809", -ERANGE, 0},
		{"99999999999999999999999", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"-", -EINVAL, 0},
		{"+1", -EINVAL, 0},
		{" 1", -EINVAL, 0},
		{"1 ", -EINVAL, 0},
		{"1.0", -EINVAL, 0},
		{"--1", -EINVAL, 0},
		{"99999999999999999999999x", -EINVAL, 0},
	};
	for (size_t i = 0; i < gw_countof(rows); i++) {
		int64_t v = 42;
		assert_int_equal(gw_parse_i64(gw_str(rows[i].text), &v), rows[i].result);
		assert_true(v == (rows[i].result ? 42 : rows[i].value)); /* untouched on failure */
	}
	uint64_t u = 42;
	assert_int_equal(gw_parse_u64(GW_STR("18446744073709551615"), &u), 0);
	assert_true(u == UINT64_MAX);
	assert_int_equal(gw_parse_u64(GW_STR("18446744073709551616"), &u), -ERANGE);
	assert_int_equal(gw_parse_u64(GW_STR("-1"), &u), -EINVAL);
	assert_int_equal(gw_parse_u64((struct gw_str){"1\0", 2}, &u), -EINVAL);
}

static void hex(void **state)
{
	(void)state;
	uint64_t v;
	assert_int_equal(gw_parse_hex(GW_STR("0xdeadBEEF"), &v), 0);
	assert_true(v == 0xdeadbeef);
	assert_int_equal(gw_parse_hex(GW_STR("ffffffffffffffff"), &v), 0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(gw_parse_hex(GW_STR("10000000000000000"), &v), -EINVAL);
	assert_int_equal(gw_parse_hex(GW_STR("0x"), &v), -EINVAL);
	assert_int_equal(gw_parse_hex(GW_STR(""), &v), -EINVAL);
	assert_int_equal(gw_parse_hex(GW_STR("g"), &v), -EINVAL);
	assert_int_equal(gw_parse_hex(GW_STR("0x@"), &v), -EINVAL); /* '@' | 0x20 is '`' */
}

static void durations(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int result;
		int64_t ms;
	} rows[] = {
		{"0", 0, 0},
		{"250ms", 0, 250},
		{"5s", 0, 5000},
		{"2m", 0, 120000},
		{"3h", 0, 10800000},
		{"1d", 0, 86400000},
		{"0s", 0, 0},
		{"106751991167d", 0, INT64_C(9223372036828800000)},
		{"106751991168d", -ERANGE, 0},
		{"99999999999999999999s", -ERANGE, 0},
		{"5", -EINVAL, 0},
		{"", -EINVAL, 0},
		{"s", -EINVAL, 0},
		{"-1s", -EINVAL, 0},
		{"1.5s", -EINVAL, 0},
		{"5 s", -EINVAL, 0},
		{"5S", -EINVAL, 0},
		{"5min", -EINVAL, 0},
	};
	for (size_t i = 0; i < gw_countof(rows); i++) {
		int64_t ms = -7;
		assert_int_equal(gw_parse_duration_ms(gw_str(rows[i].text), &ms), rows[i].result);
		assert_true(ms == (rows[i].result ? -7 : rows[i].ms));
	}
}

static void double_grammar(void **state)
{
	(void)state;
	static const char *bad[] = {"",	  "-",	   "+1",   "01",  "-01",  "1.",	 ".5",
				    "1e", "1e+",   "1.e1", "0x1", "inf",  "nan", " 1",
				    "1 ", "1e1.5", "--1",  "1,5", "1e1e1"};
	double v = 42;
	for (size_t i = 0; i < gw_countof(bad); i++) {
		assert_int_equal(gw_parse_double(gw_str(bad[i]), &v), -EINVAL);
	}
	assert_int_equal(gw_parse_double(GW_STR("1e309"), &v), -ERANGE);
	assert_int_equal(gw_parse_double(GW_STR("-1e999999999999999999999"), &v), -ERANGE);
	assert_true(v == 42);
	assert_int_equal(gw_parse_double(GW_STR("0e999999999999999999999"), &v), 0);
	assert_true(v == 0);
	assert_int_equal(gw_parse_double(GW_STR("-0.0"), &v), 0);
	assert_true(v == 0 && signbit(v));
	assert_int_equal(gw_parse_double(GW_STR("1e-999999999999"), &v), 0);
	assert_true(v == 0);
}

static void same_as_libc(struct gw_str s, const char *text)
{
	double v = -42, want = strtod(text, NULL);
	assert_int_equal(gw_parse_double(s, &v), 0);
	if (v != want || signbit(v) != signbit(want)) {
		fail_msg("%s: %.17g, expected %.17g", text, v, want);
	}
}

static void double_exact(void **state)
{
	(void)state;
	static const char *texts[] = {
		"1",
		"-1",
		"21.5",
		"0.1",
		"100.10",
		"9007199254740992",
		"9007199254740993",
		"9007199254740991.5",
		"1e22",
		"1e23",
		"8.5e22",
		"123456789012345678901234567890",
		"5e-324",
		"2.4703282292062327e-324",
		"2.4703282292062328e-324",
		"2.2250738585072011e-308",
		"2.2250738585072014e-308",
		"1.7976931348623157e308",
		"1.7976931348623158e308",
		"0.000000000000000000000000000000000000001",
		"6.02214076e23",
		"3.14159265358979323846",
		"0.30000000000000004",
		"1E5",
		"1e+5",
		"4.35",
		"18446744073709551615",
		"18446744073709551616",
		"1000000000000000000000",
		"1.00000000000000011102230246251565404236316680908203125",
	};
	for (size_t i = 0; i < gw_countof(texts); i++) {
		same_as_libc(gw_str(texts[i]), texts[i]);
	}
	/* Half way between two numbers, decided by the last of many digits (2^-1074 · 1.5). */
	char text[1200];
	int n = snprintf(text, sizeof(text), "%.1100f", 0x1p-1074 * 3);
	assert_true(n > 1000);
	same_as_libc((struct gw_str){text, (size_t)n}, text);
	/* 2^53 + 1 is a tie that goes down; a single digit far behind turns it. */
	n = snprintf(text, sizeof(text), "9007199254740993.%01000d", 0);
	same_as_libc((struct gw_str){text, (size_t)n}, text);
	text[n - 1] = '1';
	same_as_libc((struct gw_str){text, (size_t)n}, text);
}

static void double_random(void **state)
{
	(void)state;
	uint64_t x = 88172645463325252;
	for (int i = 0; i < 20000; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		double v, back;
		char text[64];
		memcpy(&v, &x, sizeof(v));
		if (!isfinite(v)) {
			continue;
		}
		int n = snprintf(text, sizeof(text), i % 2 ? "%.17g" : "%.9g", v);
		if (!isfinite(strtod(text, NULL))) {
			continue;
		}
		same_as_libc((struct gw_str){text, (size_t)n}, text);
		n = snprintf(text, sizeof(text), "%.3f", (double)(int32_t)x / 1000);
		same_as_libc((struct gw_str){text, (size_t)n}, text);
		assert_int_equal(gw_parse_double((struct gw_str){text, (size_t)n}, &back), 0);
	}
}

static void reads_only_its_bytes(void **state)
{
	(void)state;
	static const char digits[17] = "3.141592653589793";
	char *exact = malloc(sizeof(digits)); /* a sanitizer sees the 18th */
	assert_non_null(exact);
	memcpy(exact, digits, sizeof(digits));
	double v;
	assert_int_equal(gw_parse_double((struct gw_str){exact, 17}, &v), 0);
	assert_true(v == 3.141592653589793);
	assert_int_equal(gw_parse_double((struct gw_str){exact, 4}, &v), 0);
	assert_true(v == 3.14);
	free(exact);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers),
		cmocka_unit_test(hex),
		cmocka_unit_test(durations),
		cmocka_unit_test(double_grammar),
		cmocka_unit_test(double_exact),
		cmocka_unit_test(double_random),
		cmocka_unit_test(reads_only_its_bytes),
	};
	return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
