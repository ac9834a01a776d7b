/*
 * Ordered tree of everything that people or peers write: profiles, configuration, bodies that are changed.
 * Nodes live in an arena and are freed together. Order of members is kept; every node from a file knows its place.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gw/buf.h"
#include "gw/compiler.h"
#include "gw/error.h"
#include "gw/str.h"

enum gw_node_type {
	GW_NODE_NULL,
	GW_NODE_BOOL,
	GW_NODE_NUMBER,
	GW_NODE_TEXT,
	GW_NODE_LIST,
	GW_NODE_MAP
};

struct gw_node {
	enum gw_node_type type;
	uint32_t line, column; /* 1-based; 0 when not from a file. The place of the value */
	uint32_t key_line, key_column;
	struct gw_str key; /* of a map member, else empty; zero-terminated, in the arena */
	struct gw_node *next;
	/* Of a list or map; none for a scalar, so that a walk over what came from outside needs no check of its type. */
	struct gw_node *first, *last;
	size_t count;
	union {
		bool flag;
		double number;
		struct gw_str text; /* zero-terminated, in the arena */
	};
};

struct gw_arena;
struct gw_arena *gw_arena_new(size_t cap_bytes) GW_MUST_USE;
void gw_arena_free(struct gw_arena *a);
void *gw_arena_alloc(struct gw_arena *a,
		     size_t size) GW_MUST_USE; /* zeroed, aligned to 16; NULL beyond the cap */
struct gw_str
gw_arena_text(struct gw_arena *a,
	      struct gw_str s); /* zero-terminated copy; p == NULL when out of memory */

struct gw_node_limits {
	size_t max_bytes;
	uint32_t max_depth, max_nodes, max_text_bytes; /* 0: no limit of its own */
};

/*
 * The strict YAML subset of profile-language.md §1, through libyaml's event stream (JSON is a subset of it). On refusal
 * *reterr_ has line, column and what was expected; error->code is "syntax" or "size". -ENODATA: only blanks and comments.
 */
int gw_node_parse_yaml(struct gw_arena *a, struct gw_str text, const struct gw_node_limits *limits,
		       struct gw_node **ret_root, struct gw_error *reterr_) GW_MUST_USE;
/* Strict JSON (RFC 8259), duplicate keys refused. An integer of magnitude ≥ 2^53 becomes null (profile-language §1). */
int gw_node_parse_json(struct gw_arena *a, struct gw_str text, const struct gw_node_limits *limits,
		       struct gw_node **ret_root, struct gw_error *reterr_) GW_MUST_USE;

/* Borrowed members; NULL when absent or of another type. */
struct gw_node *gw_node_get(const struct gw_node *map, const char *key);
struct gw_node *gw_node_get_str(const struct gw_node *map, struct gw_str key);
struct gw_node *gw_node_at(const struct gw_node *list, size_t index);
/* JSON Pointer (RFC 6901); "" is the root. */
struct gw_node *gw_node_pointer(const struct gw_node *root, struct gw_str pointer);
bool gw_node_is_text(const struct gw_node *n, const char *text);
/* Zero-terminated; NULL when not a text member, or when the text holds a zero itself. */
const char *gw_node_text(const struct gw_node *map, const char *key);

#define gw_node_for(pos, parent)                                                                   \
	for (struct gw_node *pos = (parent) ? (parent)->first : NULL; pos; pos = pos->next)

/* Makers. NULL when the arena is full. set replaces in place or appends; text and keys are copied. */
struct gw_node *gw_node_new(struct gw_arena *a, enum gw_node_type type) GW_MUST_USE;
struct gw_node *gw_node_new_number(struct gw_arena *a, double v) GW_MUST_USE;
struct gw_node *gw_node_new_text(struct gw_arena *a, struct gw_str s) GW_MUST_USE;
struct gw_node *gw_node_new_bool(struct gw_arena *a, bool v) GW_MUST_USE;
struct gw_node *gw_node_copy(struct gw_arena *a,
			     const struct gw_node *n) GW_MUST_USE; /* deep; places kept */
int gw_node_set(struct gw_arena *a, struct gw_node *map, struct gw_str key,
		struct gw_node *value) GW_MUST_USE;
int gw_node_append(struct gw_node *list, struct gw_node *value) GW_MUST_USE;
bool gw_node_remove(struct gw_node *map, struct gw_str key);

/* Type and value; members in any order (members in different order take memory: false when there is none). */
bool gw_node_equal(const struct gw_node *a, const struct gw_node *b);
/* Canonical JSON, RFC 8785 (members sorted by UTF-16 units); with source_order members as written. */
void gw_node_write(struct gw_buf *b, const struct gw_node *n, bool source_order);
/* Text form of a scalar (profile-language §1); -EINVAL for lists and maps. */
int gw_node_text_form(const struct gw_node *n, struct gw_buf *b) GW_MUST_USE;
