/* hearth.yaml: sections broker, adapters.<name>, surfaces.<name>, limits, log. */
#pragma once

#include <stdbool.h>

#include "gw/error.h"
#include "gw/log.h"
#include "gw/node.h"
#include "gw/option.h"

struct gw_config_limits {
	int64_t device_rate, device_burst;
};
extern const struct gw_option gw_limits_options[];

struct gw_config_log {
	char *level;
};
extern const struct gw_option gw_log_options[];

/* file NULL or "", or only comments in it: no configuration, *ret_root is NULL. Unknown sections, adapters and surfaces are refused with the nearest name. */
int gw_config_read(struct gw_arena *a, const char *file, const struct gw_node **ret_root,
		   struct gw_error *reterr_) GW_MUST_USE;
/*
 * A part of a section: false when it is switched off (`mqtt: false`); *ret_own is its map, or NULL for defaults (absent, or `true`).
 * section may be NULL.
 */
bool gw_config_part(const struct gw_node *section, const char *name,
		    const struct gw_node **ret_own);
/* "error", "warning", "info", "debug". */
bool gw_config_log_level(const char *name, enum gw_log_level *ret_level);
