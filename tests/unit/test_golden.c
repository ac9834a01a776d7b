/*
 * The cases of tests/golden: what the language must express (profile-language §17, one file for each of its 60 rows), and rules that
 * the conformance suite does not show. README.md of that folder says where each row is proven; that page is checked too.
 */
#include "gw_test.h"

#include <stdio.h>
#include <string.h>

#include "golden.h"
#include "gw/str.h"

#define ROWS	 60
#define MORE_MIN 60

struct rows {
	bool seen[ROWS + 1];
	char file[ROWS + 1][64];
};

/* The number that a text begins with, two digits and then after; 0 when it does not. */
static size_t number_of(const char *text, char after)
{
	bool two = text[0] >= '0' && text[0] <= '9' && text[1] >= '0' && text[1] <= '9';
	size_t n = two && text[2] == after ? (size_t)(text[0] - '0') * 10 + (size_t)(text[1] - '0')
					   : 0;
	return n <= ROWS ? n : 0;
}

static void row_of_case(void *ctx, const char *file, const struct gw_node *c)
{
	struct rows *rows = ctx;
	size_t n = number_of(gw_node_text(c, "name"), ' ');
	if (n == 0 || n != number_of(file, '-')) {
		fail_msg("%s: the name \"%s\" does not begin with its number", file,
			 gw_node_text(c, "name"));
	}
	rows->seen[n] = true;
	(void)snprintf(rows->file[n], sizeof(rows->file[n]), "%s", file);
}

static void each_row_has_a_case(void **state)
{
	struct rows rows = {0};
	struct golden g = {.fn = row_of_case, .ctx = &rows};
	(void)state;
	golden_run("cases", &g);
	for (size_t n = 1; n <= ROWS; n++) {
		if (!rows.seen[n]) {
			print_error("number %02zu has no case\n", n);
			g.failed++;
		}
	}
	assert_int_equal(g.failed, 0);
}

static void rules_of_the_text(void **state)
{
	struct golden g = {0};
	(void)state;
	golden_run("more", &g);
	assert_int_equal(g.failed, 0);
	assert_true(g.passed >= MORE_MIN);
}

/* --- the page that says where a row is proven --- */

static bool has_line(const char *path, const char *part)
{
	char line[1024];
	bool found = false;
	FILE *f = fopen(path, "r");
	while (f && !found && fgets(line, sizeof(line), f)) {
		found = strstr(line, part) != NULL;
	}
	if (f) {
		fclose(f);
	}
	return found;
}

/* `cases/NN-x.yaml` is a file of cases, `test_x.c: function` a test of a unit. */
static void must_exist(size_t n, const char *word)
{
	char path[512], part[128];
	const char *colon = strstr(word, ".c: ");
	if (!colon) {
		(void)snprintf(path, sizeof(path), GOLDEN_DIR "%s", word);
		(void)snprintf(part, sizeof(part), "name: %02zu ", n);
	} else {
		(void)snprintf(path, sizeof(path), HEARTH_SOURCE_DIR "/tests/unit/%.*s",
			       (int)(colon + 2 - word), word);
		(void)snprintf(part, sizeof(part), "static void %s(void **state)", colon + 4);
	}
	if (!has_line(path, part)) {
		fail_msg("README.md, row %02zu: \"%s\" is not there", n, word);
	}
}

static size_t check_words(size_t n, char *line)
{
	size_t words = 0;
	for (char *at = line, *end; (at = strchr(at, '`')) != NULL; at = end + 1) {
		end = strchr(++at, '`');
		assert_non_null(end);
		*end = '\0';
		must_exist(n, at);
		words++;
	}
	return words;
}

static void the_page_tells_the_truth(void **state)
{
	char line[1024];
	size_t last = 0;
	FILE *f = fopen(GOLDEN_DIR "README.md", "r");
	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		size_t n = gw_str_starts(gw_str(line), "| ") ? number_of(line + 2, ' ') : 0;
		if (n > 0) {
			assert_int_equal(n, last + 1);
			assert_true(check_words(n, line) > 0);
			last = n;
		}
	}
	fclose(f);
	assert_int_equal(last, ROWS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_has_a_case),
		cmocka_unit_test(rules_of_the_text),
		cmocka_unit_test(the_page_tells_the_truth),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
