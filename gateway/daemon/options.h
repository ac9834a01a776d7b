/* The command line of hearthd. */
#pragma once

#include <stdbool.h>

#include "gw/log.h"

struct daemon_options {
	const char *config, *state_dir, *profiles;
	bool check, has_level;
	enum gw_log_level level;
};

/* -1: go on; else the exit code: 0 after --help and --version, 2 after a mistake that was explained. */
int daemon_options_parse(int argc, char **argv, struct daemon_options *ret_options);
