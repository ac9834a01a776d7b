/* Where things are, for hearthd and hearth alike. None blocks longer than a stat. */
#pragma once

#include <stddef.h>

#include "gw/compiler.h"

/*
 * The shipped profiles: $HEARTH_PROFILES, else share/hearth/profiles beside the bin directory of this program, else profiles/ of the source
 * tree that it was built in. -ENOENT when none of them is a directory.
 */
int gw_path_profiles(char *ret_path, size_t cap) GW_MUST_USE;
/* The state directory: $HEARTH_STATE, else /var/lib/hearth for root and the user hearth, else $XDG_STATE_HOME/hearth or ~/.local/state/hearth. */
int gw_path_state(char *ret_path, size_t cap) GW_MUST_USE;
