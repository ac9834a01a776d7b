#include "gw_test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gw/path.h"

static void profiles(void **state)
{
	(void)state;
	char path[4096];
	assert_int_equal(setenv("HEARTH_PROFILES", "/some/where", 1), 0);
	assert_int_equal(gw_path_profiles(path, sizeof(path)), 0);
	assert_string_equal(path, "/some/where");
	assert_int_equal(gw_path_profiles(path, strlen("/some/where") + 1), 0);
	assert_int_equal(gw_path_profiles(path, strlen("/some/where")), -ENAMETOOLONG);
	/* Without it: from where this program stands, in the source tree. Empty counts as not set. */
	assert_int_equal(setenv("HEARTH_PROFILES", "", 1), 0);
	int r = gw_path_profiles(path, sizeof(path));
	assert_true(r == -ENOENT ||
		    (r == 0 && strstr(path, "profiles") && access(path, X_OK) == 0));
}

static void state_directory(void **state)
{
	(void)state;
	char path[4096];
	assert_int_equal(setenv("HEARTH_STATE", "/some/state", 1), 0);
	assert_int_equal(gw_path_state(path, sizeof(path)), 0);
	assert_string_equal(path, "/some/state");
	assert_int_equal(unsetenv("HEARTH_STATE"), 0);
	assert_int_equal(setenv("XDG_STATE_HOME", "/xdg", 1), 0);
	assert_int_equal(gw_path_state(path, sizeof(path)), 0);
	assert_string_equal(path, geteuid() == 0 ? "/var/lib/hearth" : "/xdg/hearth");
	if (geteuid() == 0) {
		return; /* the rest is for other users */
	}
	assert_int_equal(setenv("XDG_STATE_HOME", "relative", 1), 0); /* not allowed by XDG */
	assert_int_equal(setenv("HOME", "/home/x", 1), 0);
	assert_int_equal(gw_path_state(path, sizeof(path)), 0);
	assert_string_equal(path, "/home/x/.local/state/hearth");
	assert_int_equal(unsetenv("HOME"), 0);
	assert_int_equal(gw_path_state(path, sizeof(path)), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(profiles),
					   cmocka_unit_test(state_directory)};
	return cmocka_run_group_tests_name("path", tests, NULL, NULL);
}
