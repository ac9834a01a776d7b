/* The static table of the adapters that the build enabled (HEARTH_ADAPTER_…); nothing is loaded at run time. */
#include "gw/adapter.h"

#ifdef HEARTH_ADAPTER_MQTT
extern const struct gw_adapter_class gw_adapter_mqtt;
#endif

static const struct gw_adapter_class *const classes[] = {
#ifdef HEARTH_ADAPTER_MQTT
	&gw_adapter_mqtt,
#endif
	NULL,
};

const struct gw_adapter_class *gw_adapter_class_at(size_t index)
{
	return index < gw_countof(classes) ? classes[index] : NULL;
}
