#include "gw_test.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/value.h"

static void rounding(void **state)
{
	(void)state;
	assert_true(gw_round(0.5) == 1 && gw_round(-0.5) == -1);
	assert_true(gw_round(1.4999) == 1 && gw_round(-2.5) == -3);
	assert_true(gw_round(0.499999999999) == 1); /* decimal noise below one half */
	assert_true(gw_round(0.49999) == 0);
	assert_false(signbit(gw_round(-0.2))); /* −0 is 0 */
	assert_true(gw_round(4503599627370497.0) == 4503599627370497.0);
	assert_true(gw_round(-1e300) == -1e300);
	assert_true(isinf(gw_round(INFINITY)) && isnan(gw_round(NAN)));
}

static void resolution(const char *text, int64_t n, int64_t d)
{
	struct gw_resolution r = {0, 0};
	assert_int_equal(gw_resolution_parse(gw_str(text), &r), 0);
	assert_int_equal(r.n, n);
	assert_int_equal(r.d, d);
}

static void resolutions(void **state)
{
	(void)state;
	resolution("1", 1, 1);
	resolution("0.1", 1, 10);
	resolution("0.5", 5, 10);
	resolution("0.25", 25, 100);
	resolution("0.10", 1, 10);
	resolution("2.0", 2, 1);
	resolution("100", 100, 1);
	resolution("0.000001", 1, 1000000);
	static const char *const wrong[] = {
		"",    "0",   "0.0", "-1", "+1",    ".5",	 "1.",
		"1e3", "0x1", " 1",  "1 ", "1.2.3", "0.0000001", "99999999999999999999999"};
	for (size_t i = 0; i < gw_countof(wrong); i++) {
		struct gw_resolution r = {7, 7};
		assert_int_equal(gw_resolution_parse(gw_str(wrong[i]), &r), -EINVAL);
		assert_int_equal(r.n, 7);
	}
	static const struct {
		double x;
		int64_t n, d;
	} doubles[] = {{1, 1, 1},	 {0.1, 1, 10},		 {0.25, 25, 100},
		       {0.005, 5, 1000}, {0.000001, 1, 1000000}, {10, 10, 1},
		       {2.5, 25, 10}};
	for (size_t i = 0; i < gw_countof(doubles); i++) {
		struct gw_resolution r;
		assert_int_equal(gw_resolution_from(doubles[i].x, &r), 0);
		assert_int_equal(r.n, doubles[i].n);
		assert_int_equal(r.d, doubles[i].d);
	}
	static const double bad[] = {0, -1, 0.1234567, 1e-7, 1e300, INFINITY, NAN, 1.0 / 3};
	for (size_t i = 0; i < gw_countof(bad); i++) {
		struct gw_resolution r;
		assert_int_equal(gw_resolution_from(bad[i], &r), -EINVAL);
	}
}

static void quantising(void **state)
{
	(void)state;
	static const struct {
		double x;
		struct gw_resolution res;
		int64_t count;
	} cases[] = {
		{21.46, {1, 10}, 215}, {-0.05, {1, 10}, -1},
		{0.3, {5, 10}, 1},     {1.005, {1, 100}, 101}, /* 1.005 is 1.00499… in binary */
		{17, {5, 1}, 3},       {9007199254740991.0, {1, 1}, 9007199254740991},
	};
	for (size_t i = 0; i < gw_countof(cases); i++) {
		int64_t c;
		assert_int_equal(gw_quantise(cases[i].x, cases[i].res, &c), 0);
		assert_int_equal(c, cases[i].count);
	}
	static const double beyond[] = {9007199254740992.0, -9007199254740992.0, INFINITY, NAN};
	for (size_t i = 0; i < gw_countof(beyond); i++) {
		int64_t c = 7;
		assert_int_equal(gw_quantise(beyond[i], (struct gw_resolution){1, 1}, &c), -ERANGE);
		assert_int_equal(c, 7);
	}
}

static void writes(const struct gw_value *v, struct gw_resolution res, const char *json,
		   const char *text)
{
	struct gw_buf b = GW_BUF_INIT(1000);
	gw_value_write_json(&b, v, res);
	assert_string_equal(b.p ? b.p : "", json);
	gw_buf_reset(&b);
	gw_value_write_text(&b, v, res);
	assert_string_equal(b.p ? b.p : "", text);
	gw_buf_fini(&b);
}

static void writes_count(int64_t count, int64_t n, int64_t d, const char *text)
{
	struct gw_value v = {.type = GW_VALUE_NUMBER, .count = count};
	writes(&v, (struct gw_resolution){n, d}, text, text);
}

static void writing(void **state)
{
	(void)state;
	writes_count(215, 1, 10, "21.5");
	writes_count(210, 1, 10, "21");
	writes_count(-5, 1, 10, "-0.5");
	writes_count(-205, 1, 100, "-2.05");
	writes_count(0, 1, 1000, "0");
	writes_count(3, 5, 10, "1.5");
	writes_count(7, 25, 100, "1.75");
	writes_count(3, 5, 1, "15");
	writes_count(32599, 5, 1000, "162.995");
	writes_count(1, 1, 1000000, "0.000001");
	writes_count(100001, 1, 1000000, "0.100001");
	writes_count(9007199254740991, 1, 10, "900719925474099.1");
	writes_count(-9007199254740991, 1, 1, "-9007199254740991");
	writes_count(9007199254740991, 1000000000000, 1, "9.007199254740991e+27");
	struct gw_resolution one = {1, 1};
	writes(&(struct gw_value){.type = GW_VALUE_NONE}, one, "null", "");
	writes(&(struct gw_value){.type = GW_VALUE_BOOL, .flag = true}, one, "true", "true");
	struct gw_value v = {.type = GW_VALUE_SYMBOL, .text = gw_text_new(GW_STR("cool"))};
	writes(&v, one, "\"cool\"", "cool");
	gw_value_fini(&v);
	v = (struct gw_value){.type = GW_VALUE_TEXT, .text = gw_text_new(GW_STR("a\"b"))};
	writes(&v, one, "\"a\\\"b\"", "a\"b");
	gw_value_fini(&v);
	v = (struct gw_value){.type = GW_VALUE_TREE, .text = gw_text_new(GW_STR("[1,2]"))};
	writes(&v, one, "[1,2]", "[1,2]");
	gw_value_fini(&v);
	assert_int_equal(v.type, GW_VALUE_NONE);
}

static void sharing(void **state)
{
	(void)state;
	struct gw_value a = {.type = GW_VALUE_SYMBOL, .text = gw_text_new(GW_STR("cool"))};
	struct gw_value b = {.type = GW_VALUE_NONE};
	uint64_t before = gw_alloc_count();
	gw_value_set(&b, &a);
	gw_value_set(&b, &b);			    /* itself */
	assert_int_equal(gw_alloc_count(), before); /* setting a symbol allocates nothing */
	assert_ptr_equal(a.text, b.text);
	assert_int_equal(a.text->refs, 2);
	assert_true(gw_value_equal(&a, &b));
	gw_value_fini(&a);
	assert_int_equal(b.text->refs, 1);
	a = (struct gw_value){.type = GW_VALUE_SYMBOL, .text = gw_text_new(GW_STR("cool"))};
	assert_true(gw_value_equal(&a, &b)); /* by text, not by pointer */
	a.type = GW_VALUE_TEXT;
	assert_false(gw_value_equal(&a, &b));
	struct gw_value number = {.type = GW_VALUE_NUMBER, .count = 3}, other = number;
	assert_true(gw_value_equal(&number, &other));
	other.count = 4;
	assert_false(gw_value_equal(&number, &other));
	gw_value_set(&b, &number);
	assert_int_equal(b.count, 3);
	gw_value_fini(&a);
	gw_value_fini(&b);
	gw_text_unref(NULL);
	gw_alloc_fail_at(1);
	assert_null(gw_text_new(GW_STR("x")));
	gw_alloc_fail_at(0);
	assert_string_equal(gw_quality_name(GW_QUALITY_UNAVAILABLE), "unavailable");
	assert_string_equal(gw_quality_name(GW_QUALITY_UNKNOWN), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rounding),   cmocka_unit_test(resolutions),
		cmocka_unit_test(quantising), cmocka_unit_test(writing),
		cmocka_unit_test(sharing),
	};
	return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
