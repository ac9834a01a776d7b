/* Hardware identity: what stays the same when a device changes its name, its address or its profile. Private to discovery. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "gw/profile.h"
#include "gw/str.h"

#define GW_IDENTITY_BYTES 160

/*
 * From the variables that a match bound: "mac:…", "ieee:0x…", "did:…", "uuid:…"; else, weak, "<adapter>:<profile>:<identity
 * variable>"; else "<adapter>:<channel>". Returns whether it is weak.
 */
bool gw_identity_of(const struct gw_profile *p, const struct gw_vars *vars, const char *adapter,
		    struct gw_str channel, char ret_identity[GW_IDENTITY_BYTES]);
/* Whether an identity of an importer names hardware. */
bool gw_identity_is_strong(const char *identity);
/* The first 64 bits of its SHA-256, hex; 17 bytes. */
void gw_identity_id(const char *identity, char ret_id[17]);
