/*
 * Device maps of tuya-local (YAML): entities of Home Assistant whose values are data points (dps) of the Tuya protocol.
 *
 *   tuya.c        the file: products, entities, link
 *   tuya_dp.c     a dp → a raw point (fields of blobs are layers)
 *   tuya_map.c    the mapping of a dp → rows (table) or cases (linear, by condition)
 *   tuya_form.c   rows → a boolean, an enum; tuya_number.c: cases → a number; tuya_as.c: either as a capability
 *   tuya_words.c  kind, class, key, name → capability: tables only
 *   tuya_simple.c, tuya_climate.c, tuya_light.c, tuya_moves.c   the kinds of entities
 */
#pragma once

#include "profile/import/draft.h"
#include "profile/import/vocabulary.h"

#define GW_TUYA_CELLS  8 /* columns of a table: profile-language §10 */
#define GW_TUYA_ROWS   512
#define GW_TUYA_BARRED 16
#define GW_TUYA_CASES  32

/* --- data points --- */

enum gw_tuya_type {
	GW_TUYA_BOOLEAN,
	GW_TUYA_INTEGER,
	GW_TUYA_BITFIELD,
	GW_TUYA_STRING,
	GW_TUYA_BASE64,
	GW_TUYA_HEX,
	GW_TUYA_UTF16,
	GW_TUYA_TIME,
	GW_TUYA_JSON
};

struct gw_tuya_entity;

struct gw_tuya_dp {
	struct gw_tuya_entity *entity;
	const struct gw_node *node, *mapping;
	const char *id, *name, *at;
	enum gw_tuya_type type;
	const char *mask; /* of a field in a blob or a number; NULL: the whole */
	bool readonly, hidden;
	bool told;			 /* its fate was reported */
	const char *address;		 /* where it stands; NULL: nowhere yet */
	const struct gw_tuya_rows *rows; /* of its mapping, once asked for */
	bool bits;			 /* a field of a number: read by expression */
	unsigned low, width;		 /* then: its bits */
};

struct gw_tuya_entity {
	struct gw_tuya *t;
	const struct gw_node *node;
	const char *kind, *class, *key; /* "" when not given */
	const char *label;		/* of people */
	const char *word;		/* the same in lower case, for tables */
	const char *component;		/* where its capabilities stand; NULL: main */
	bool config;			/* a setting or a diagnosis, not what the product is for */
	size_t n;
	struct gw_tuya_dp *dp;
};

struct gw_tuya {
	struct gw_draft *b;
	struct gw_import_result *result;
	const struct gw_node *root;
	struct gw_tuya_field *fields; /* made points */
	struct gw_node *blobs;	      /* id → bytes of the whole blob */
	size_t n_entities;
	struct gw_tuya_entity *entities;
};

/* tuya_dp.c */
bool gw_tuya_open_dp(struct gw_tuya_entity *e, const struct gw_node *node, struct gw_tuya_dp *ret);
struct gw_tuya_dp *gw_tuya_dp(const struct gw_tuya_entity *e, const char *name);
/* The point of the dp's raw value. NULL: *ret_why is the construct that forbids it. */
const char *gw_tuya_point(struct gw_tuya_dp *dp, bool writable, const char **ret_why);
/* A point of its own, for events: the map is not shared. */
struct gw_node *gw_tuya_own_point(struct gw_tuya_dp *dp, const char **ret_name);
/* A field of a blob at a byte: for formats. bytes 1, 2 or 4. */
const char *gw_tuya_blob_field(struct gw_tuya_dp *dp, const char *name, unsigned at, unsigned bytes,
			       unsigned all);
/* May it be written at all, by what the description says? */
bool gw_tuya_writes(const struct gw_tuya_dp *dp);
/* A raw value as the device sends it, by the type of the dp: dps_val of a mapping. NULL: none. */
struct gw_node *gw_tuya_raw(struct gw_tuya_dp *dp, const struct gw_node *dps_val);

/* tuya_map.c */
struct gw_tuya_cell {
	struct gw_tuya_dp *dp;
	const struct gw_node *raw; /* a scalar, or a list of them */
	bool mask;		   /* any of these bits */
};

struct gw_tuya_row {
	size_t n;
	struct gw_tuya_cell cell[GW_TUYA_CELLS];
	const struct gw_node *value; /* NULL: none */
	const struct gw_node *given; /* before it was put into our words */
	bool ro;
	bool other; /* for what no row before names: any raw of the last dp */
};

struct gw_tuya_rows {
	size_t n, size;
	struct gw_tuya_row *row;
	bool open; /* raws that no row names are their own values */
	size_t n_barred;
	struct gw_tuya_barred {
		struct gw_tuya_cell cell;
		const struct gw_node *value;
	} barred[GW_TUYA_BARRED]; /* values that may not be set while a point is so */
	const char *why;
};

struct gw_tuya_case {
	size_t n;
	struct gw_tuya_cell cell[GW_TUYA_CELLS];
	struct gw_tuya_dp *dp; /* NULL: the constant */
	double constant;
	struct gw_linear linear;
	double low, high, step; /* in values; low > high: none. step 0: none */
	bool invalid;		/* not to be set in this state */
	bool ro;
	const char *unit;
};

struct gw_tuya_cases {
	size_t n;
	struct gw_tuya_case item[GW_TUYA_CASES];
	bool mirrored; /* a part of it only shows another dp */
	const char *why;
};

/* All rows of an enumerating mapping, a copy of its own. False: it does not enumerate, or why says what is in the way. */
bool gw_tuya_rows(struct gw_tuya_dp *dp, struct gw_tuya_rows *ret);
/* All cases of a numeric dp. False: it is none, or why says what is in the way. */
bool gw_tuya_cases(struct gw_tuya_dp *dp, struct gw_tuya_cases *ret);
/* "(p == 1 or p == 2) and q == 'on'"; NULL: it would be too long, or a point cannot be made. */
const char *gw_tuya_cells_expr(struct gw_tuya *t, const struct gw_tuya_cell *cell, size_t n);

/* tuya_form.c */
struct gw_tuya_want {
	const struct gw_capability *cap; /* NULL: an extension */
	enum gw_type type;		 /* of an extension */
	const char *on, *off;		 /* symbols of a boolean; "!" in on: inverted */
	const char *id;			 /* of an extension; NULL: by the dp */
	const char *hint, *label;	 /* of component or extension; NULL: the entity's */
	bool ro;
	bool partial;		    /* some words without a symbol are no obstacle */
	bool *lost;		    /* then: there were some; NULL: not asked */
	bool main;		    /* only where the entity is: no component of its own */
	double scale;		    /* of numbers, beside the units; 0: none */
	const char *unit;	    /* of numbers that have none; NULL: none */
	struct gw_tuya_dp *unit_of; /* tells the unit of temperatures; NULL: none */
};

/* One dp as a capability. NULL: it does not fit (*ret_why: or cannot be). *ret_address is where it stands. */
struct gw_node *gw_tuya_as(struct gw_tuya_dp *dp, const struct gw_tuya_want *want,
			   const char **ret_address, const char **ret_why);
/* The value that is full: the upper end of its range, else fallback. */
double gw_tuya_full(struct gw_tuya_dp *dp, double fallback);
/* As a standard capability, and its fate. False: it does not fit. */
bool gw_tuya_standard(struct gw_tuya_dp *dp, const char *cap, bool ro, const char *map);
/* As x.tuya.<name> whatever it is, and its fate. */
void gw_tuya_vendor(struct gw_tuya_dp *dp, const char *name, bool ro);
void gw_tuya_fate(struct gw_tuya_dp *dp, const char *address, const char *construct);
/* Capability of this entity, in main or in a component of its own; *ret_address. */
struct gw_node *gw_tuya_cap(struct gw_tuya_entity *e, const char *hint, const char *label,
			    const char *id, bool main, const char **ret_address);
/* The action that writes raw. */
bool gw_tuya_action(struct gw_tuya_dp *dp, const char *id, const struct gw_node *raw,
		    const char **ret_address);
/* An action with one argument that chooses among words. */
bool gw_tuya_choice_action(struct gw_tuya_dp *dp, const char *id, const char *arg,
			   const char **ret_address);
/* The condition under which the entity's `available` says yes. */
void gw_tuya_avail(struct gw_tuya_entity *e, struct gw_node *cap);
struct gw_node *gw_tuya_faults(struct gw_tuya_dp *dp, const char **ret_address);
bool gw_tuya_event(struct gw_tuya_dp *dp, const char *id, const char **ret_address);
const char *gw_tuya_symbol(struct gw_tuya *t, const struct gw_capability *cap,
			   const struct gw_node *value);
const char *gw_tuya_literal(struct gw_tuya *t, const struct gw_node *raw);

/* tuya_words.c */
struct gw_tuya_word {
	const char *kinds; /* of entities, between blanks */
	const char *key;   /* class or translation key; "" or NULL: any */
	const char *name;  /* glob on the label in lower case; NULL: any */
	const char *cap;
	const char *map; /* of a boolean: "critical|normal", "!" */
};
const struct gw_tuya_word *gw_tuya_word_at(size_t i);
bool gw_tuya_word_is(const struct gw_tuya_word *w, const struct gw_tuya_entity *e);
const char *gw_tuya_symbol_word(const char *cap, struct gw_str word);
/* Prefix of components for a key with a placeholder: "outlet_x" → "outlet". */
const char *gw_tuya_prefix(const char *key);

/* What the dps of a kind are, by name; the first row that fits counts. */
struct gw_tuya_part {
	const char *dp, *cap;
	const char *map; /* of a boolean */
	bool ro, partial;
	const char *unit; /* of numbers without one */
};
void gw_tuya_parts(struct gw_tuya_entity *e, const struct gw_tuya_part *parts, size_t n,
		   struct gw_tuya_dp *unit_of);

/* kinds of entities */
typedef void gw_tuya_kind(struct gw_tuya_entity *e);
gw_tuya_kind gw_tuya_sensor, gw_tuya_button, gw_tuya_time, gw_tuya_events; /* tuya_simple.c */
gw_tuya_kind gw_tuya_climate, gw_tuya_humidifier, gw_tuya_fan;		   /* tuya_climate.c */
gw_tuya_kind gw_tuya_light;						   /* tuya_light.c */
gw_tuya_kind gw_tuya_cover, gw_tuya_lock, gw_tuya_vacuum, gw_tuya_alarm, gw_tuya_remote,
	gw_tuya_valve, gw_tuya_siren, gw_tuya_camera; /* tuya_moves.c */
/* Dps that a told one reads with (constraints, redirections) share its fate. */
void gw_tuya_share(struct gw_tuya_entity *e);
/* What no kind took: standard by name, else x.tuya. */
void gw_tuya_rest(struct gw_tuya_entity *e);
