/* From an observation to the written profiles that match it. Private to discovery. */
#pragma once

#include "discovery/index.h"

#define GW_SIDE_TIES 8

/* What one source says of a device: the written profiles that match, or its own description. */
struct gw_side {
	struct gw_profile *profiles[GW_SIDE_TIES]; /* references; more than one: a tie */
	size_t n;
	int score; /* of written profiles */
	struct gw_vars vars;
	char reason[256];
	char name[257], vendor[129], model[129], firmware[64];
	char adapter[32];
};
void gw_side_fini(struct gw_side *s);
void gw_side_free(struct gw_side *s);
/* s is moved into memory of its own; NULL: out of memory, s as before. */
struct gw_side *gw_side_keep(struct gw_side *s) GW_MUST_USE;
/* Display text of a peer, cleaned once here (security rule R32). */
void gw_side_clean(const char *text, char *ret, size_t cap);

/* *ret_side stays empty (n == 0) when nothing matches. -EBADMSG: malformed; -ENOMEM. kind, channel, bytes as in gw_discovery_observe. */
int gw_recognise(struct gw_library *l, struct gw_index *x, const char *adapter, const char *kind,
		 struct gw_str channel, struct gw_str bytes, struct gw_side *ret_side) GW_MUST_USE;
