/* The static table of the surfaces; home/ does not know them. */
#include "gw/surface.h"

extern const struct gw_surface_class gw_surface_control;
extern const struct gw_surface_class gw_surface_http;
extern const struct gw_surface_class gw_surface_mqtt;

static const struct gw_surface_class *const classes[] = {
	&gw_surface_control,
	&gw_surface_http,
	&gw_surface_mqtt,
};

const struct gw_surface_class *gw_surface_class_at(size_t index)
{
	return index < gw_countof(classes) ? classes[index] : NULL;
}
