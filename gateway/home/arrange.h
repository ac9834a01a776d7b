/* What people arrange: names, rooms, removal. Each change is durable before it shows (R37). */
#pragma once

#include "gw/home.h"
#include "home/registry.h"

/* Makes an id [a-z0-9_-]{1,64} of display text; what has no ASCII letters or digits gives fallback. taken says which ids are in use. */
void gw_slug(const char *text, const char *fallback, bool (*taken)(void *ctx, const char *id),
	     void *ctx, char ret_id[GW_ID_BYTES]);
bool gw_is_id(const char *s);
/* Cleans a name of a person's (R32). False when nothing is left. */
bool gw_clean_name(const char *name, char ret_name[GW_NAME_BYTES]);
int gw_room_insert(struct gw_registry *r, const char *id, const char *name) GW_MUST_USE;
bool gw_room_known(const struct gw_registry *r, const char *id);
enum gw_status gw_store_status(int r); /* of a put: 0 is DONE */
