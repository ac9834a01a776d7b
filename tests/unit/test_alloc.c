#include "gw_test.h"

#include <string.h>

#include "gw/alloc.h"

static void zeroed_and_overflow(void **state)
{
	(void)state;
	unsigned char *p = gw_alloc0(3, 5);
	assert_non_null(p);
	for (int i = 0; i < 15; i++) {
		assert_int_equal(p[i], 0);
	}
	gw_free(p);
	gw_free(NULL);
	volatile size_t huge = SIZE_MAX / 2 + 1; /* hides the size from the compiler's own check */
	assert_null(gw_alloc0(huge, 2));
	assert_null(gw_realloc(NULL, huge, 2));
	assert_null(gw_strndup("x", huge * 2 - 1));
	void *empty = gw_alloc0(0, 8);
	assert_non_null(empty);
	gw_free(empty);
}

static void realloc_keeps_on_failure(void **state)
{
	(void)state;
	char *p = gw_realloc(NULL, 4, 1);
	assert_non_null(p);
	memcpy(p, "abc", 4);
	gw_alloc_fail_at(1);
	assert_null(gw_realloc(p, 1000, 1));
	assert_string_equal(p, "abc");
	p = gw_realloc(p, 1000, 1);
	assert_non_null(p);
	assert_string_equal(p, "abc");
	gw_free(p);
}

static void text_copies(void **state)
{
	(void)state;
	char *s = gw_strdup("Küche");
	assert_string_equal(s, "Küche");
	gw_free(s);
	s = gw_strndup("abcdef", 3);
	assert_string_equal(s, "abc");
	gw_free(s);
	s = gw_strndup(NULL, 0);
	assert_string_equal(s, "");
	gw_free(s);
}

static void nth_failure(void **state)
{
	(void)state;
	uint64_t before = gw_alloc_count();
	gw_alloc_fail_at(2);
	char *a = gw_strdup("a"), *b = gw_strdup("b"), *c = gw_strdup("c");
	assert_non_null(a);
	assert_null(b);
	assert_non_null(c);
	assert_int_equal(gw_alloc_count() - before, 3);
	gw_alloc_fail_at(1);
	gw_alloc_fail_at(0);
	b = gw_strdup("b");
	assert_non_null(b);
	gw_free(a);
	gw_free(b);
	gw_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zeroed_and_overflow),
		cmocka_unit_test(realloc_keeps_on_failure),
		cmocka_unit_test(text_copies),
		cmocka_unit_test(nth_failure),
	};
	return cmocka_run_group_tests_name("alloc", tests, NULL, NULL);
}
