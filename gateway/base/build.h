/*
 * Grows a gw_node tree from a stream of keys and values, for the JSON and the YAML front end: limits, duplicate keys and
 * the JSON Pointer of errors are handled here, once.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "gw/error.h"
#include "gw/node.h"

enum { GW_BUILD_DEPTH = 64 };

struct gw_place {
	uint32_t line, column;
};
/* Line and column (in characters, from 1) of the byte at offset. */
struct gw_place gw_place_of(struct gw_str text, size_t offset);

struct gw_build_member {
	const struct gw_node *map, *member;
	uint64_t hash;
};

struct gw_build {
	struct gw_arena *arena;
	struct gw_node_limits limits;
	struct gw_error *error; /* may be NULL */
	struct gw_node *root;
	struct gw_node *open[GW_BUILD_DEPTH];
	size_t depth;
	uint32_t nodes;
	struct gw_node *member; /* of a map: has its key, waits for its value */
	/* Members of the larger maps, by (map, key). */
	struct gw_hash_key hash_key;
	struct gw_build_member *table;
	size_t table_size, table_used;
};

/* limits may be NULL. */
void gw_build_init(struct gw_build *b, struct gw_arena *a, const struct gw_node_limits *limits,
		   struct gw_error *error);
void gw_build_fini(struct gw_build *b);

/* All return 0 or -EINVAL (code syntax), -E2BIG (size), -ENOMEM (size) with the error filled. */
int gw_build_key(struct gw_build *b, struct gw_str key, struct gw_place at) GW_MUST_USE;
/* *ret_node is in the tree, of type NULL: the caller sets type and value. */
int gw_build_value(struct gw_build *b, struct gw_place at, struct gw_node **ret_node) GW_MUST_USE;
int gw_build_text(struct gw_build *b, struct gw_str text, struct gw_place at) GW_MUST_USE;
/* type LIST or MAP; the values until gw_build_close are its members. */
int gw_build_open(struct gw_build *b, enum gw_node_type type, struct gw_place at) GW_MUST_USE;
void gw_build_close(struct gw_build *b);

/* Sets the error with the pointer to where the tree has grown to; returns err. */
int gw_build_fail(struct gw_build *b, int err, const char *code, struct gw_place at,
		  const char *fmt, ...) GW_PRINTF(5, 6);
