/*
 * Hash map from text to pointer. Keys are copied, or are texts inside the values; values are the caller's. The hash is seeded per process (getrandom),
 * so that peers cannot choose colliding keys. O(1) amortised; iteration order is not defined.
 */
#pragma once

#include <stddef.h>

#include "gw/compiler.h"
#include "gw/str.h"

struct gw_map;

struct gw_map *
gw_map_new(size_t max_entries) GW_MUST_USE; /* the cap: gw_map_put answers -ENOSPC beyond it */
/* A map of values that have their key inside: an array of char at key_offset, zero-terminated, not changed while the value is in the map. */
struct gw_map *gw_map_new_inside(size_t max_entries, size_t key_offset) GW_MUST_USE;
void gw_map_free(struct gw_map *m, void (*free_value)(void *)); /* free_value may be NULL */
size_t gw_map_count(const struct gw_map *m);
void *gw_map_find(const struct gw_map *m, struct gw_str key); /* NULL when absent */
int gw_map_put(struct gw_map *m, struct gw_str key,
	       void *value) GW_MUST_USE;		  /* -EEXIST, -ENOSPC, -ENOMEM */
void *gw_map_remove(struct gw_map *m, struct gw_str key); /* the value, or NULL */
/* *pos starts at 0; false at the end. The entry just returned may be removed; no other change while iterating. */
bool gw_map_next(const struct gw_map *m, size_t *pos, struct gw_str *ret_key, void **ret_value);
