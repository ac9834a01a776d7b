/*
 * The Thing Descriptions of eclipse-thingweb/playground: what is valid becomes a profile, what is not is refused. Files called assertions-td__*
 * are no descriptions but JSON Schemas of the specification's assertions, so they are refused, too.
 */
#include "import_case.h"

static const struct {
	const char *prefix;
	size_t files;
	bool accepted;
} groups[] = {
	{"valid__", 20, true},	  {"warning__", 3, true},	  {"notValidYet__", 3, true},
	{"invalid__", 10, false}, {"assertions-td__", 93, false},
};

static size_t group_of(const char *name)
{
	size_t i = 0;
	while (i < gw_countof(groups) && !gw_str_starts(gw_str(name), groups[i].prefix)) {
		i++;
	}
	assert_true(i < gw_countof(groups));
	return i;
}

static void test_valid_and_invalid(void **state)
{
	(void)state;
	char folder[2048], path[4096];
	struct corpus_figures f[gw_countof(groups)] = {0};
	struct gw_library *l = NULL;
	struct dirent **entries = NULL;
	int n = scandir(corpus_folder("wot-td", folder, sizeof(folder)), &entries, NULL, alphasort);
	assert_true(n > 0);
	assert_int_equal(gw_library_new(NULL, 0, &l), 0);
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		if (gw_str_ends(gw_str(name), ".json")) {
			(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
			corpus_file(case_kind("thing-description"), l, path, &f[group_of(name)],
				    NULL);
		}
		free(entries[i]);
	}
	free(entries);
	gw_library_free(l);
	size_t points[4] = {0};
	for (size_t i = 0; i < gw_countof(groups); i++) {
		printf("%s: %zu files, %zu whole, %zu partial, %zu refused\n", groups[i].prefix,
		       f[i].files, f[i].whole, f[i].partial, f[i].refused);
		assert_int_equal(f[i].files, groups[i].files);
		assert_int_equal(f[i].refused, groups[i].accepted ? 0 : groups[i].files);
		for (size_t k = 0; k < gw_countof(points); k++) {
			points[k] += f[i].points[k];
		}
	}
	printf("points: %zu standard, %zu vendor, %zu unmapped\n", points[0], points[1], points[2]);
	/* What is lost: other hosts, long polling, a schema of type null. */
	assert_int_equal(f[0].whole + f[1].whole + f[2].whole, 18);
	assert_true(points[GW_FATE_STANDARD] >= 9);
	assert_true(points[GW_FATE_UNMAPPED] <= 18);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_valid_and_invalid)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
