/* The kinds of files that can be imported, one each: a table from its vocabulary to the model, and what is peculiar to it. */
#pragma once

#include "profile/import/draft.h"

/* One device of a file: its draft, which make fills and finishes. Returns what make returns, or -ENOMEM. */
int gw_import_draft(const char *vendor, const char *file, struct gw_import_result *result,
		    int (*make)(void *ctx, struct gw_draft *b, struct gw_imported *ret),
		    void *ctx) GW_MUST_USE;

extern const struct gw_file_importer gw_import_smartir;
extern const struct gw_file_importer gw_import_shelly;
extern const struct gw_file_importer gw_import_miot;
extern const struct gw_file_importer gw_import_thing_description;
extern const struct gw_file_importer gw_import_tuya;
extern const struct gw_file_importer gw_import_homeassistant, gw_import_homie,
	gw_import_zigbee2mqtt;
