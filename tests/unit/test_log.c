#include "gw_test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gw/clock.h"
#include "gw/log.h"

static char text[64 * 1024];
static int saved, file;

/* Standard error goes to a file, so that what was written can be read back. */
static void capture(void)
{
	FILE *f = tmpfile();
	assert_non_null(f);
	saved = dup(STDERR_FILENO);
	file = dup(fileno(f));
	assert_int_equal(fclose(f), 0);
	assert_int_equal(dup2(file, STDERR_FILENO), STDERR_FILENO);
}

static const char *release(void)
{
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	ssize_t n = pread(file, text, sizeof(text) - 1, 0);
	assert_true(n >= 0);
	text[n] = '\0';
	close(saved);
	close(file);
	return text;
}

static unsigned count(const char *where, const char *what)
{
	unsigned n = 0;
	for (const char *p = strstr(where, what); p; p = strstr(p + 1, what)) {
		n++;
	}
	return n;
}

static void lines(void **state)
{
	(void)state;
	capture();
	gw_log_error("mqtt", "GW-TEST-A", "broker %s refused: %d", "x", 5);
	gw_log_info("home", "ready");
	gw_log_debug("home", "not shown");
	assert_string_equal(release(), "error mqtt GW-TEST-A: broker x refused: 5\n"
				       "info home: ready\n");
}

static void levels(void **state)
{
	(void)state;
	assert_true(gw_log_enabled(GW_LOG_INFO));
	assert_false(gw_log_enabled(GW_LOG_DEBUG));
	gw_log_set_level(GW_LOG_DEBUG);
	capture();
	gw_log_debug("home", "shown");
	gw_log_set_level(GW_LOG_ERROR);
	gw_log_warning("home", "GW-TEST-B", "hidden");
	gw_log_set_level(GW_LOG_INFO);
	assert_string_equal(release(), "debug home: shown\n");
}

static void text_is_cleaned(void **state)
{
	(void)state;
	char longer[5000];
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	capture();
	gw_log_info("t", "%s", "one\ninfo fake: line\033[2J\xff");
	gw_log_info("t", "%s", longer);
	const char *out = release();
	assert_int_equal(count(out, "\n"), 2);
	assert_null(strchr(out, '\033'));
	assert_non_null(strstr(out, "one info fake: line[2J\ufffd\n"));
}

static void rate_limit(void **state)
{
	(void)state;
	capture();
	for (int i = 0; i < 15; i++) {
		gw_log_warning("t", "GW-TEST-R1", "again");
		gw_log_warning("t", "GW-TEST-R2", "other");
		gw_log_info("t", "no id, no limit");
	}
	const char *out = release();
	assert_int_equal(count(out, "again"), 10);
	assert_int_equal(count(out, "other"), 10);
	assert_int_equal(count(out, "no limit"), 15);

	/* A minute later any line brings out the counts, once, and the id is free again. */
	gw_clock_advance_ms(60001);
	capture();
	gw_log_info("t", "something else");
	gw_log_warning("t", "GW-TEST-R1", "again");
	gw_log_info("t", "something else");
	out = release();
	assert_int_equal(count(out, "warning t GW-TEST-R1: 5 more of these"), 1);
	assert_int_equal(count(out, "warning t GW-TEST-R2: 5 more of these"), 1);
	assert_int_equal(count(out, "more of these"), 2);
	assert_int_equal(count(out, "again"), 1);
}

static void more_ids_than_rows(void **state)
{
	(void)state;
	static char ids[300][16];
	capture();
	for (int i = 0; i < 300; i++) {
		(void)snprintf(ids[i], sizeof(ids[i]), "GW-MANY-%d", i);
		gw_log_warning("t", ids[i], "x");
	}
	unsigned n = count(release(), "\n");
	assert_true(n > 100 && n < 150); /* the ids beyond the table share one limit */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(levels),
		cmocka_unit_test(text_is_cleaned),
		cmocka_unit_test(rate_limit),
		cmocka_unit_test(more_ids_than_rows),
	};
	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
