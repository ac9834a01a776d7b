/* Device maps of tuya-local: each construct on its own. */
#include "import_case.h"

static void test_each_construct(void **state)
{
	(void)state;
	case_folder("tuya-local");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_construct)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
