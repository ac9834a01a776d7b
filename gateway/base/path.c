#include "gw/path.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int format(char *ret_path, size_t cap, const char *fmt, ...) GW_PRINTF(3, 4);

static int format(char *ret_path, size_t cap, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(ret_path, cap, fmt, ap);
	va_end(ap);
	return n < 0 || (size_t)n >= cap ? -ENAMETOOLONG : 0;
}

static bool is_directory(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int gw_path_profiles(char *ret_path, size_t cap)
{
	const char *env = getenv("HEARTH_PROFILES");
	if (env && env[0]) {
		return format(ret_path, cap, "%s", env);
	}
	char exe[2048];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	if (n <= 0) {
		return -ENOENT;
	}
	exe[n] = '\0';
	char *slash = strrchr(exe, '/');
	if (!slash) {
		return -ENOENT;
	}
	*slash = '\0';
	/* Installed: bin beside share. In the source tree: build/<preset>/bin. */
	static const char *const places[] = {"../share/hearth/profiles", "../../../profiles"};
	for (size_t i = 0; i < gw_countof(places); i++) {
		char path[2200];
		if (format(path, sizeof(path), "%s/%s", exe, places[i]) == 0 &&
		    is_directory(path)) {
			return format(ret_path, cap, "%s", path);
		}
	}
	return -ENOENT;
}

int gw_path_state(char *ret_path, size_t cap)
{
	const char *env = getenv("HEARTH_STATE");
	if (env && env[0]) {
		return format(ret_path, cap, "%s", env);
	}
	struct passwd *user = getpwuid(geteuid());
	if (geteuid() == 0 || (user && strcmp(user->pw_name, "hearth") == 0)) {
		return format(ret_path, cap, "/var/lib/hearth");
	}
	env = getenv("XDG_STATE_HOME");
	if (env && env[0] == '/') {
		return format(ret_path, cap, "%s/hearth", env);
	}
	env = getenv("HOME");
	return env && env[0] ? format(ret_path, cap, "%s/.local/state/hearth", env) : -ENOENT;
}
