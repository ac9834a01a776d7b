/*
 * Importers: a self-description → a profile in memory (JSON text) that goes through the same checks as a written one.
 * An importer is data-driven: tables from the foreign vocabulary to capabilities, no branches per device.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gw/buf.h"
#include "gw/compiler.h"
#include "gw/error.h"
#include "gw/node.h"
#include "gw/profile.h"
#include "gw/str.h"

/* One device that a description describes. All texts are owned by the result. */
struct gw_imported {
	char identity
		[128]; /* hardware identity in the form kind:value, e.g. "mac:dc4f22a1b2c3", "ieee:0x00158d…", "ha:<identifier>" */
	char name[256]; /* the maker's or user's name, cleaned */
	char vendor[128], model[128], firmware[64];
	char *profile; /* the profile as JSON text; NULL: the device was removed by its description */
	struct gw_vars vars; /* what the profile's variables are bound to */
};

struct gw_import_note {
	char at[128];	  /* place in the description */
	char reason[192]; /* what did not map, and why */
};

struct gw_import_result {
	struct gw_imported *devices;
	size_t n_devices;
	struct gw_import_note *notes;
	size_t n_notes;
};
void gw_import_result_fini(struct gw_import_result *r);

/*
 * State of one source of descriptions: some devices are described by several messages (Tasmota config + sensors, Home Assistant
 * entities of one device), so the importer remembers earlier parts, bounded by GW_CANDIDATES devices, oldest dropped.
 */
struct gw_importer;
struct gw_importer_class {
	const char *name;	    /* "tasmota", "homeassistant", "zigbee2mqtt" */
	const char *const *filters; /* MQTT topic filters of its descriptions, NULL-terminated */
	/*
	 * One message. An empty payload removes. Devices whose profile changed are in the result. -EBADMSG when the description is
	 * refused as a whole (*reterr_ says why), 0 when it merely described nothing yet.
	 */
	int (*message)(struct gw_importer *i, struct gw_str topic, struct gw_str payload,
		       struct gw_import_result *ret_result, struct gw_error *reterr_);
};

const struct gw_importer_class *gw_importer_class_at(size_t index); /* NULL beyond the last */
struct gw_importer *gw_importer_new(const struct gw_importer_class *class) GW_MUST_USE;
void gw_importer_free(struct gw_importer *i);
const struct gw_importer_class *gw_importer_class(const struct gw_importer *i);
