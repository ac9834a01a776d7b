/* The state of one source of descriptions: what each device said of itself so far. */
#pragma once

#include "gw/list.h"
#include "profile/import/draft.h"

/* One remembered message, or one component of it. */
struct gw_part {
	struct gw_list link; /* in its device, sorted by key */
	char *key;	     /* topic, for components "topic#component" */
	char *text;	     /* as far as the importer wants to remember it */
	size_t bytes;
};

struct gw_part_device {
	struct gw_list link;  /* in the importer, the least recently described first */
	struct gw_list parts; /* gw_part */
	size_t n_parts;
	char identity[sizeof(((struct gw_imported *)0)->identity)];
	uint64_t emitted; /* hash of the last result, 0: none */
	bool seen;	  /* for descriptions that list all devices */
};

struct gw_importer {
	const struct gw_importer_class *class;
	struct gw_list devices;
	size_t n_devices, bytes;
};

/* NULL: not known. */
struct gw_part_device *gw_part_find(struct gw_importer *i, const char *identity);
/* The device that has a part with this key. */
struct gw_part_device *gw_part_find_key(struct gw_importer *i, struct gw_str key);
const struct gw_part *gw_part_get(const struct gw_part_device *d, struct gw_str key);
/* Remembers text for key of the device, replacing what was there; makes the device. Over the caps the oldest device is forgotten. */
int gw_part_put(struct gw_importer *i, const char *identity, struct gw_str key, struct gw_str text,
		struct gw_part_device **ret_device) GW_MUST_USE;
/* True when there was such a part. The device stays, maybe without parts. */
bool gw_part_remove(struct gw_importer *i, struct gw_part_device *d, struct gw_str key);
void gw_part_forget(struct gw_importer *i, struct gw_part_device *d);
/* Adds a device with profile NULL to the result, unless it was never in one. */
int gw_part_removed(struct gw_part_device *d, struct gw_import_result *result) GW_MUST_USE;
/* Drops the last device of the result when it equals what was emitted for d before. */
void gw_part_emit(struct gw_part_device *d, struct gw_import_result *result);

extern const struct gw_importer_class gw_importer_homeassistant, gw_importer_homie,
	gw_importer_tasmota, gw_importer_zigbee2mqtt;
