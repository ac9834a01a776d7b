/*
 * The structure of the language as data: one shape for each kind of value, one key table for each map. schema.c walks a tree
 * against them; the JSON Schema for editors is made from the same tables.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gw/error.h"
#include "gw/node.h"

enum {
	GW_SHAPE_NULL = 1 << GW_NODE_NULL,
	GW_SHAPE_BOOL = 1 << GW_NODE_BOOL,
	GW_SHAPE_NUMBER = 1 << GW_NODE_NUMBER,
	GW_SHAPE_TEXT = 1 << GW_NODE_TEXT,
	GW_SHAPE_LIST = 1 << GW_NODE_LIST,
	GW_SHAPE_MAP = 1 << GW_NODE_MAP,
	GW_SHAPE_SCALAR = GW_SHAPE_BOOL | GW_SHAPE_NUMBER | GW_SHAPE_TEXT,
	GW_SHAPE_ANY = GW_SHAPE_SCALAR | GW_SHAPE_NULL | GW_SHAPE_LIST | GW_SHAPE_MAP,
};

/* What a text or a key must look like. */
struct gw_format {
	const char *what; /* "a name ([a-z][a-z0-9_]{0,31})" */
	const char *code; /* of the refusal */
	bool (*is)(struct gw_str s);
	const char *pattern; /* as a regular expression, for JSON Schema; NULL: none */
};

/* Names of the model that may stand somewhere, for completion in editors. */
enum gw_schema_known { GW_KNOWN_NOTHING, GW_KNOWN_CAPS, GW_KNOWN_TYPES };

struct gw_schema_key;
struct gw_schema_rule;
struct gw_schema_walk;

struct gw_shape {
	const char *what; /* for error texts: "expected <what>" */
	const char *code; /* of a refusal of the value itself; NULL: "schema" */
	uint8_t kinds;	  /* GW_SHAPE_ flags */
	bool whole;	  /* numbers: no fraction */
	double min, max;  /* numbers, when min < max */
	const struct gw_format *format;
	const char *const *words; /* the texts that are allowed; NULL-terminated */
	const struct gw_shape *item;
	uint16_t min_count, max_count; /* of items or members; 0: no bound */
	const struct gw_format *key;   /* maps with free keys */
	const struct gw_shape *member;
	const struct gw_schema_key *keys; /* maps with fixed keys; ends with name NULL */
	enum gw_schema_known known;	  /* as keys of a map */
	const struct gw_schema_rule *rules;
	/* What no table says; at is the pointer to n. */
	int (*check)(struct gw_schema_walk *w, const struct gw_node *n);
};

enum gw_key_flag {
	GW_KEY_REQUIRED = 1,
	GW_KEY_LAX = 2,	     /* … but not with --lax */
	GW_KEY_FRAGMENT = 4, /* … and not in a fragment */
	GW_KEY_IMPORTED = 8, /* … and not in an imported profile */
	GW_KEY_LATER = 16,   /* a section of its own in the order of §16 */
};

struct gw_schema_key {
	const char *name;
	const struct gw_shape *shape;
	unsigned flags;
	const char *help;	    /* one line for editors */
	enum gw_schema_known known; /* as values */
};

enum gw_rule_kind {
	GW_RULE_END,
	GW_RULE_ANY_OF,	 /* the map has at least one of words; key NULL */
	GW_RULE_WITH,	 /* key only together with one of words */
	GW_RULE_WITHOUT, /* key not together with any of words */
	GW_RULE_CODEC,	 /* key only in a message whose codec is one of words */
};

struct gw_schema_rule {
	enum gw_rule_kind kind;
	const char *key;
	const char *words; /* separated by spaces */
};

/* The walk over one tree. */
struct gw_schema_walk {
	unsigned flags; /* gw_profile_flag */
	const struct gw_node *tree;
	bool fragment;
	struct gw_error *error;
	char at[256];
};

extern const struct gw_shape gw_schema_top;

/* Refuses what stands at w->at, or at its member key. */
int gw_schema_refuse(struct gw_schema_walk *w, const char *key, const char *code, const char *fmt,
		     ...) GW_PRINTF(4, 5);

/* Checks of shapes (schema_rules.c). */
int gw_schema_match_entry(struct gw_schema_walk *w, const struct gw_node *n);
int gw_schema_message(struct gw_schema_walk *w, const struct gw_node *n);
int gw_schema_point(struct gw_schema_walk *w, const struct gw_node *n);
int gw_schema_range(struct gw_schema_walk *w, const struct gw_node *n);
int gw_schema_resolution(struct gw_schema_walk *w, const struct gw_node *n);
int gw_schema_table(struct gw_schema_walk *w, const struct gw_node *n);
int gw_schema_condition_names(struct gw_schema_walk *w, const struct gw_node *n);
int gw_schema_tests(struct gw_schema_walk *w, const struct gw_node *n);

/* Formats (schema_rules.c). */
extern const struct gw_format gw_format_name, gw_format_point, gw_format_variable, gw_format_id,
	gw_format_version, gw_format_duration, gw_format_pointer, gw_format_frame, gw_format_digits,
	gw_format_filter, gw_format_source, gw_format_word;
