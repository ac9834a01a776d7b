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

/* What became of one data point (property, register, field, command) of a description. */
enum gw_import_fate {
	GW_FATE_STANDARD, /* a capability of the model */
	GW_FATE_VENDOR,	  /* x.<vendor>.<name>: nothing is lost, but no other product calls it so */
	GW_FATE_UNMAPPED, /* lost, because of a construct */
	GW_FATE_HIDDEN,	  /* the description itself hides it from people */
};

struct gw_import_point {
	char at[128];	  /* place in the description */
	char address[80]; /* capability, "" when unmapped or hidden */
	char construct
		[96]; /* unmapped: what blocked it, the same words for the same construct, so that they can be counted */
	enum gw_import_fate fate;
};

struct gw_import_result {
	struct gw_imported *devices;
	size_t n_devices;
	struct gw_import_note *notes;
	size_t n_notes;
	struct gw_import_point *points; /* of files only */
	size_t n_points;
};
void gw_import_result_fini(struct gw_import_result *r);

/* --- descriptions in files (hearth profile import); no state between files --- */

struct gw_file_importer {
	const char *name; /* "tuya-local" */
	/*
	 * root: the file as a tree; file: its name without folder and suffix, for ids. Each data point is told with
	 * gw_import_fate. -EBADMSG: refused as a whole (*reterr_ says what was found and what was expected), -ENOMEM.
	 */
	int (*import)(const struct gw_node *root, const char *file,
		      struct gw_import_result *ret_result, struct gw_error *reterr_);
};
const struct gw_file_importer *gw_file_importer_at(size_t index); /* NULL beyond the last */
/* text: YAML or JSON of at most GW_DESCRIPTION_BYTES × 4. The result is empty on failure. -EINVAL: it cannot be parsed. */
int gw_file_import(const struct gw_file_importer *i, struct gw_str text, const char *file,
		   struct gw_import_result *ret_result, struct gw_error *reterr_) GW_MUST_USE;

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
