/* A profile from a file, and one device of it, for the verbs of `profile`. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli/cli.h"
#include "gw/binding.h"
#include "gw/profile.h"

struct cli_profile_file {
	bool lax;
	const char *vars[64]; /* name=value */
	size_t n_vars;
	struct gw_library *library;
	struct gw_profile *profile;
	struct gw_binding *binding; /* of cli_profile_open */
};

/* Loads and checks; a refusal is printed. Returns an exit code. `extends` and `use`: the folder of the file, then the shipped profiles. */
int cli_profile_load(struct cli *c, struct cli_profile_file *f, const char *path) GW_MUST_USE;
/* Also makes a device of it: variables that nobody gave are their own names. */
int cli_profile_open(struct cli *c, struct cli_profile_file *f, const char *path) GW_MUST_USE;
void cli_profile_close(struct cli_profile_file *f);

/* The verbs; argv[0] is the verb. */
int cli_profile_new(struct cli *c, int argc, char **argv);
int cli_profile_import(struct cli *c, int argc, char **argv);
int cli_profile_explain(struct cli *c, int argc, char **argv);
int cli_profile_diff(struct cli *c, int argc, char **argv);
int cli_profile_migrate(struct cli *c, int argc, char **argv);
