/* Runs files of cases of the profile language (format: tests/golden/conformance/README.md). */
#pragma once

#include <stddef.h>

#include "gw/node.h"

#define GOLDEN_DIR HEARTH_SOURCE_DIR "/tests/golden/"

struct golden {
	size_t passed, failed;
	/* Called for each case that passed; file is its name without the folder. May be NULL. */
	void (*fn)(void *ctx, const char *file, const struct gw_node *c);
	void *ctx;
};

/*
 * Every case of every .yaml of GOLDEN_DIR/<folder>, in order of their names. What fails is printed with file and line; a file that
 * cannot be read, a key that is unknown and a name that is used twice in the folder fail the test at once.
 */
void golden_run(const char *folder, struct golden *g);
