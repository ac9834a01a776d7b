#include "gw_test.h"

#include <string.h>

#include "gw/clock.h"

static void monotonic(void **state)
{
	(void)state;
	int64_t us = gw_clock_us(), ms = gw_clock_ms();
	assert_true(us > 0 && ms >= us / 1000 && ms <= us / 1000 + 5000);
	for (int i = 0; i < 1000; i++) {
		int64_t next = gw_clock_us();
		assert_true(next >= us);
		us = next;
	}
	gw_clock_advance_ms(INT64_C(90) * 86400 * 1000 + 1);
	int64_t later = gw_clock_us();
	assert_true(later - us >= INT64_C(90) * 86400 * 1000000 + 1000);
	assert_true(later - us < INT64_C(90) * 86400 * 1000000 + 5000000);
}

static void format(void **state)
{
	(void)state;
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {
		{0, "1970-01-01T00:00:00.000Z"},
		{INT64_C(1795573800123), "2026-11-25T02:30:00.123Z"},
		{-1, "1969-12-31T23:59:59.999Z"},
		{INT64_C(951782400000), "2000-02-29T00:00:00.000Z"},
		{INT64_MAX, "9999-12-31T23:59:59.999Z"},
		{INT64_MIN, "0000-01-01T00:00:00.000Z"},
	};
	for (size_t i = 0; i < gw_countof(rows); i++) {
		char text[25];
		gw_wall_format(rows[i].ms, text, sizeof(text));
		assert_string_equal(text, rows[i].text);
	}
	assert_true(gw_wall_ms() > INT64_C(1700000000000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(monotonic), cmocka_unit_test(format)};
	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
