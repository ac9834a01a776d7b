/* The public device maps of tuya-local: how many are whole, how much of what people see is standard. */
#include "import_case.h"

static void test_public_maps(void **state)
{
	char folder[1024];
	(void)state;
	const struct corpus_figures f =
		corpus_run("tuya-local", corpus_folder("tuya-local", folder, sizeof(folder)),
			   /* each= */ NULL);
	size_t visible =
		f.points[GW_FATE_STANDARD] + f.points[GW_FATE_VENDOR] + f.points[GW_FATE_UNMAPPED];
	printf("%zu files, %zu whole, %zu refused; %zu of %zu points standard\n", f.files, f.whole,
	       f.refused, f.points[GW_FATE_STANDARD], visible);
	assert_true(f.files > 0);
	assert_int_equal(f.refused, 0);
	assert_true(f.whole * 100 >= f.files * 98);
	assert_true(f.points[GW_FATE_STANDARD] * 100 >= visible * 65);
	assert_true(visible > f.points[GW_FATE_HIDDEN]); /* hiding is no way to a figure */
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_public_maps)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
