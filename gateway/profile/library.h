/* What the library gives to composition and loading. */
#pragma once

#include "profile/source.h"

/* The parsed text under an id; source->origin and ->root are in a. -ENOENT, else the refusal of the text itself. */
int gw_library_source(struct gw_library *l, struct gw_str id, struct gw_arena *a,
		      struct gw_source *source, struct gw_error *reterr_) GW_MUST_USE;
/* The live profile of this text and these flags, borrowed, or NULL. */
struct gw_profile *gw_library_find(const struct gw_library *l, const uint8_t digest[32],
				   unsigned flags);
/* The library remembers p without holding a reference; gw_library_forget when the last one goes. */
int gw_library_remember(struct gw_library *l, struct gw_profile *p) GW_MUST_USE;
void gw_library_forget(struct gw_library *l, struct gw_profile *p);
/* A whole file of at most GW_PROFILE_BYTES. "size", or -errno of the system with a text. */
int gw_library_read(const char *path, struct gw_buf *ret_text,
		    struct gw_error *reterr_) GW_MUST_USE;
