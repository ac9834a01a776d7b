#include "gw_test.h"

#include <errno.h>
#include <string.h>

#include "gw/error.h"

static void set(void **state)
{
	(void)state;
	struct gw_error e;
	memset(&e, 'x', sizeof(e));
	assert_int_equal(gw_error_set(&e, -EINVAL, "syntax", "found %s\n\033", "it"), -EINVAL);
	assert_string_equal(e.code, "syntax");
	assert_string_equal(e.text, "found it "); /* one line, nothing for the terminal */
	assert_string_equal(e.file, "");
	assert_string_equal(e.at, "");
	assert_int_equal(e.line, 0);
	assert_int_equal(gw_error_set(NULL, -ENOMEM, "x", "y"), -ENOMEM);
	char longer[2000];
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	(void)gw_error_set(&e, -EINVAL, "a-code-that-is-too-long", "%s", longer);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
	assert_int_equal(strlen(e.code), sizeof(e.code) - 1);
}

static void format(void **state)
{
	(void)state;
	static const struct {
		struct gw_error e;
		const char *want;
	} rows[] = {
		{{.text = "t"}, "t"},
		{{.text = "t", .code = "c"}, "t (c)"},
		{{.text = "t", .code = "c", .at = "/a"}, "t (c at /a)"},
		{{.text = "t", .at = "/a"}, "t (at /a)"},
		{{.text = "t", .line = 3, .column = 7}, "3:7: t"},
		{{.text = "t", .file = "f"}, "f: t"},
		{{.text = "t", .file = "f", .line = 3, .column = 7, .code = "c", .at = "/a"},
		 "f:3:7: t (c at /a)"},
	};
	struct gw_buf b = GW_BUF_INIT(1000);
	for (size_t i = 0; i < gw_countof(rows); i++) {
		gw_buf_reset(&b);
		gw_error_format(&rows[i].e, &b);
		assert_string_equal(b.p, rows[i].want);
	}
	gw_buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(set), cmocka_unit_test(format)};
	return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
