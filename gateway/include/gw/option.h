/*
 * Options of the daemon, adapters and surfaces: one table row each; the parser, --help, the man page and the
 * reference in hearth.yaml follow from it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gw/buf.h"
#include "gw/compiler.h"
#include "gw/error.h"
#include "gw/node.h"

enum gw_option_type {
	GW_OPTION_BOOL,	    /* bool */
	GW_OPTION_INT,	    /* int64_t, with min..max */
	GW_OPTION_DURATION, /* int64_t milliseconds, written 5s */
	GW_OPTION_TEXT,	    /* char *, owned */
	GW_OPTION_SECRET, /* char *, owned; never printed. Also {file: PATH}: first line of a file with mode 0600 */
};

enum gw_option_flag { GW_OPTION_REQUIRED = 1, GW_OPTION_LIVE = 2 };

struct gw_option {
	const char *name;
	enum gw_option_type type;
	size_t offset;	      /* into the instance */
	const char *fallback; /* default as written in hearth.yaml; NULL: zero */
	int64_t min, max;     /* INT, DURATION; both 0: no bounds */
	unsigned flags;
	const char *help; /* one English sentence */
};

/*
 * Sets every option of the table (defaults first) in *instance from a map (NULL: defaults only). An unknown key is an error
 * that names the nearest one; file:line:column is that of the node. The table ends with a row without name. *instance is
 * zeroed before the first time; on failure it may hold a part of the new values. Reads secret files, so it may block.
 */
int gw_options_apply(const struct gw_option *table, void *instance, const struct gw_node *map,
		     const char *file, struct gw_error *reterr_) GW_MUST_USE;
void gw_options_free(const struct gw_option *table,
		     void *instance); /* frees the texts, wipes the secrets */
void gw_options_help(const struct gw_option *table, const char *section, struct gw_buf *b);
