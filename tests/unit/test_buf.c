#include "gw_test.h"

#include <errno.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/buf.h"

static void empty(void **state)
{
	(void)state;
	struct gw_buf b = GW_BUF_INIT(10);
	assert_string_equal(gw_buf_str(&b).p, "");
	assert_int_equal(gw_buf_str(&b).len, 0);
	gw_buf_reset(&b);
	gw_buf_truncate(&b, 0);
	gw_buf_fini(&b);
	char *s = gw_buf_take(&b);
	assert_string_equal(s, "");
	gw_free(s);
}

static void appends(void **state)
{
	(void)state;
	struct gw_buf b;
	gw_buf_init(&b, 1000);
	gw_buf_puts(&b, "a");
	gw_buf_putc(&b, 'b');
	gw_buf_add(&b, "cd", 2);
	gw_buf_add(&b, NULL, 0);
	gw_buf_add_str(&b, GW_STR("ef"));
	gw_buf_printf(&b, "%d-%s", 7, "x");
	gw_buf_i64(&b, -12);
	assert_int_equal(gw_buf_error(&b), 0);
	assert_string_equal(b.p, "abcdef7-x-12");
	assert_int_equal(b.len, 12);
	gw_buf_truncate(&b, 3);
	assert_string_equal(b.p, "abc");
	gw_buf_truncate(&b, 30);
	assert_int_equal(b.len, 3);
	gw_buf_printf(&b, "%0200d", 5); /* larger than the room that is left */
	assert_int_equal(b.len, 203);
	assert_int_equal(b.p[202], '5');
	char *s = gw_buf_take(&b);
	assert_int_equal(strlen(s), 203);
	assert_null(b.p);
	gw_free(s);
	gw_buf_puts(&b, "again");
	assert_string_equal(b.p, "again");
	gw_buf_fini(&b);
	assert_int_equal(b.cap, 1000);
}

static void integers(void **state)
{
	(void)state;
	static const struct {
		int64_t v;
		const char *text;
	} rows[] = {{0, "0"},
		    {-1, "-1"},
		    {10, "10"},
		    {INT64_MAX, "9223372036854775807"},
		    {INT64_MIN, "-9223372036854775808"}};
	struct gw_buf b = GW_BUF_INIT(64);
	for (size_t i = 0; i < gw_countof(rows); i++) {
		gw_buf_reset(&b);
		gw_buf_i64(&b, rows[i].v);
		assert_string_equal(b.p, rows[i].text);
	}
	gw_buf_fini(&b);
}

static void cap_is_exact_and_sticky(void **state)
{
	(void)state;
	struct gw_buf b = GW_BUF_INIT(8);
	gw_buf_puts(&b, "12345678");
	assert_int_equal(gw_buf_error(&b), 0);
	gw_buf_putc(&b, '9');
	assert_int_equal(gw_buf_error(&b), -E2BIG);
	assert_string_equal(b.p, "12345678");
	gw_buf_truncate(&b, 2);
	gw_buf_puts(&b, "x"); /* would fit, but the error is sticky */
	assert_string_equal(b.p, "12");
	assert_null(gw_buf_take(&b));
	gw_buf_reset(&b);
	assert_int_equal(gw_buf_error(&b), 0);
	gw_buf_printf(&b, "%s", "12345678");
	assert_int_equal(gw_buf_error(&b), 0);
	gw_buf_reset(&b);
	gw_buf_puts(&b, "1");
	gw_buf_printf(&b, "%s", "12345678");
	assert_int_equal(gw_buf_error(&b), -E2BIG);
	assert_string_equal(b.p, "1");
	gw_buf_fini(&b);
	gw_buf_add(&b, "x", SIZE_MAX);
	assert_int_equal(gw_buf_error(&b), -E2BIG);
	gw_buf_fini(&b);
	b = GW_BUF_INIT(0);
	gw_buf_puts(&b, "");
	assert_int_equal(gw_buf_error(&b), 0);
	gw_buf_putc(&b, 'x');
	assert_int_equal(gw_buf_error(&b), -E2BIG);
	gw_buf_fini(&b);
}

static void out_of_memory(void **state)
{
	(void)state;
	struct gw_buf b = GW_BUF_INIT(1000);
	gw_alloc_fail_at(1);
	gw_buf_puts(&b, "x");
	assert_int_equal(gw_buf_error(&b), -ENOMEM);
	gw_buf_puts(&b, "y");
	assert_int_equal(gw_buf_error(&b), -ENOMEM);
	assert_string_equal(gw_buf_str(&b).p, "");
	gw_buf_reset(&b);
	gw_buf_puts(&b, "z");
	assert_string_equal(b.p, "z");
	gw_alloc_fail_at(1);
	gw_buf_printf(&b, "%0500d", 1);
	assert_int_equal(gw_buf_error(&b), -ENOMEM);
	assert_string_equal(b.p, "z");
	gw_buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty),	 cmocka_unit_test(appends),
		cmocka_unit_test(integers),	 cmocka_unit_test(cap_is_exact_and_sticky),
		cmocka_unit_test(out_of_memory),
	};
	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
