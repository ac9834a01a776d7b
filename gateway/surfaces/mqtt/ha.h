/* Home Assistant discovery, private to the MQTT surface: see ha.c. */
#pragma once

#include "surfaces/mqtt/mqtt.h"

/* One document while it is written. */
struct ha_doc {
	struct mqtt_surface *s;
	const struct gw_device *device;
	const struct gw_device_info *info;
	const struct gw_device_type *type; /* NULL: unknown */
	const struct gw_plan *plan;
	struct gw_buf *out;
	bool *used; /* capabilities that a composite entity shows */
	/* Called for each entity; what is written for it comes behind it. */
	void (*began)(struct ha_doc *doc, const char *key, const char *platform);
	struct gw_map *keys;  /* of the entities that were begun, for began */
	struct gw_buf *stubs; /* entities that are gone, for began */
};

/* Opens an entity: its key from component and id, platform, unique id; name NULL: that of the device. */
void ha_begin(struct ha_doc *doc, const char *component, const char *id, const char *platform,
	      const char *name);
void ha_end(struct ha_doc *doc);
/* ,"key": and the text as a JSON string, the topic or the like. */
void ha_text(struct ha_doc *doc, const char *key, const char *text);
void ha_raw(struct ha_doc *doc, const char *key, const char *json);
void ha_state_topic(struct ha_doc *doc, const char *key);
void ha_command_topic(struct ha_doc *doc, const char *key, const struct gw_cap_info *cap);
/* hearth/<device>/set */
void ha_device_topic(struct ha_doc *doc, const char *key, const char *last_level);
void ha_number(struct ha_doc *doc, const char *key, double v);
/* "Outlet 1 Power", cleaned; component "main" is not named. */
void ha_name(char *ret_name, size_t cap, const char *component, const char *label);
/* "outlet" of "switch/outlet, sensor", when the device type is seen as this platform; "" without a class; NULL: it is not. */
const char *ha_type_class(const struct ha_doc *doc, const char *platform, char *ret_class,
			  size_t cap);
const struct gw_cap_info *ha_find(const struct ha_doc *doc, const char *component, const char *id);

void ha_write_composites(struct ha_doc *doc); /* ha_rules.c */
void ha_write_entities(struct ha_doc *doc);   /* ha_entity.c */
/* Robot vacuums read a document of their own: their state in Home Assistant's words. */
bool ha_is_vacuum(const struct ha_doc *doc);
