/* The surface host: makes the surfaces of the configuration from the build's static table, starts and stops them. */
#pragma once

#include "gw/surface.h"
#include "home/gateway.h"

int gw_surfaces_new(struct gw_gateway *g, const struct gw_node *section,
		    struct gw_surfaces **ret_surfaces, struct gw_error *reterr_) GW_MUST_USE;
int gw_surfaces_start(struct gw_surfaces *s, struct gw_error *reterr_) GW_MUST_USE;
void gw_surfaces_stop(struct gw_surfaces *s);
bool gw_surfaces_stopped(const struct gw_surfaces *s);
void gw_surfaces_free(struct gw_surfaces *s);
