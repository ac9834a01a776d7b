/* Loading, for the other files of the front. */
#pragma once

#include "profile/source.h"

#define GW_LOAD_ARENA_BYTES (32 * 1024 * 1024) /* of one profile with all that it inherits */

/* A profile's text → tree, with the limits of §1. The refusal names origin. */
int gw_load_parse(struct gw_arena *a, struct gw_str text, const char *origin,
		  struct gw_node **ret_root, struct gw_error *reterr_) GW_MUST_USE;
