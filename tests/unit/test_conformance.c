/* Every case of the profile language's conformance suite (tests/golden/conformance), one rule each. */
#include "gw_test.h"

#include "golden.h"

#define CASES 207

static void every_case(void **state)
{
	struct golden g = {0};
	(void)state;
	golden_run("conformance", &g);
	assert_int_equal(g.failed, 0);
	assert_int_equal(g.passed, CASES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_case)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
