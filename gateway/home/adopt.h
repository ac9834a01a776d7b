/* Candidates become devices, and devices follow what their announcements say (design §7). */
#pragma once

#include "gw/home.h"
#include "home/gateway.h"

struct gw_adopt;
/* Makes g->discovery too. */
int gw_adopt_new(struct gw_gateway *g, struct gw_adopt **ret_adopt) GW_MUST_USE;
void gw_adopt_free(struct gw_adopt *a); /* frees g->discovery */
/* Begins to read the match entries of the profiles, step by step; then the adapters get their filters. */
void gw_adopt_start(struct gw_adopt *a);
bool gw_adopt_indexed(const struct gw_adopt *a);
