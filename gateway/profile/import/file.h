/* The kinds of files that can be imported, one each: a table from its vocabulary to the model, and what is peculiar to it. */
#pragma once

#include "gw/import.h"

/* extern const struct gw_file_importer gw_import_<kind>; */
extern const struct gw_file_importer gw_import_smartir;
extern const struct gw_file_importer gw_import_shelly;
extern const struct gw_file_importer gw_import_miot;
extern const struct gw_file_importer gw_import_thing_description;
extern const struct gw_file_importer gw_import_tuya;
extern const struct gw_file_importer gw_import_homeassistant, gw_import_homie,
	gw_import_zigbee2mqtt;
