/*
 * The compiled form (profile-language §16): flat arrays that receiving, writing and the laws run on. A plan is immutable once
 * compiled and shared by all devices with the same variant choice; everything in it lives in its arena, texts in its pool.
 */
#pragma once

#include "gw/binding.h"
#include "gw/map.h"
#include "gw/node.h"
#include "gw/profile.h"
#include "profile/expr.h"
#include "profile/raw.h"

#define GW_NO_INDEX	 0xffffu
#define GW_PLAN_BYTES	 (32 * 1024 * 1024)
#define GW_LAYER_DEPTH	 4
#define GW_TABLE_COLUMNS 8
#define GW_CAP_DEPTH	 16   /* capabilities that name capabilities that … */
#define GW_FRAME_BYTES	 4096 /* a byte frame that we compose */

/* --- bit sets --- */

static inline size_t gw_words(size_t n)
{
	return (n + 63) / 64;
}
static inline void gw_bit_set(uint64_t *set, size_t i)
{
	set[i / 64] |= (uint64_t)1 << (i % 64);
}
static inline void gw_bit_clear(uint64_t *set, size_t i)
{
	set[i / 64] &= ~((uint64_t)1 << (i % 64));
}
static inline bool gw_bit_test(const uint64_t *set, size_t i)
{
	return (set[i / 64] >> (i % 64)) & 1;
}

/* --- types of §8 --- */

enum gw_as_kind {
	GW_AS_UNSIGNED,
	GW_AS_SIGNED,
	GW_AS_FLOAT,
	GW_AS_BCD,
	GW_AS_ASCII,
	GW_AS_UTF8,
	GW_AS_UTF16BE,
	GW_AS_UTF16LE,
	GW_AS_RAW,
	GW_AS_NUM, /* from here on: of # references */
	GW_AS_TEXT,
	GW_AS_HMS,
	GW_AS_HM,
	GW_AS_HEX,
};

struct gw_as {
	enum gw_as_kind kind;
	bool little, swapped;
	uint16_t size; /* bytes, 0: to the end of the frame; HEX: digits, 0: any */
};

/* A value on its way from a body into a slot; text is borrowed. */
struct gw_cooked {
	enum gw_raw_type type;
	union {
		bool flag;
		double number;
		struct gw_str text;
		const struct gw_node *tree;
	};
};

int gw_as_parse(struct gw_str s, struct gw_as *ret_as) GW_MUST_USE;
static inline bool gw_as_is_bytes(const struct gw_as *as)
{
	return as->kind < GW_AS_NUM;
}
/* Integers of at most 6 bytes, which binary64 holds: what most fields are. False: another kind. */
bool gw_as_read_integer(const struct gw_as *as, const char *p, double *ret_number);
/* Texts go into scratch and stay valid until its next use. */
struct gw_cooked gw_as_read_bytes(const struct gw_as *as, struct gw_str bytes,
				  struct gw_buf *scratch);
/* Fills all len bytes at p. NULL, or the error word of §8: "value", "range". */
const char *gw_as_write_bytes(const struct gw_as *as, const struct gw_raw *v, uint8_t *p,
			      size_t len) GW_MUST_USE;
struct gw_cooked gw_as_read_scalar(const struct gw_as *as, const struct gw_cooked *c,
				   struct gw_buf *scratch);
/* The scalar as it stands in the body: num, hms, hm, hex as text. NULL or "value", "range". */
const char *gw_as_write_scalar(const struct gw_as *as, const struct gw_raw *v,
			       struct gw_buf *ret_text) GW_MUST_USE;
/* Text form (§1) of a raw that is a scalar. */
void gw_raw_text_form(const struct gw_raw *r, struct gw_buf *b);

/* --- references of §7 --- */

enum gw_ref_kind { GW_REF_TREE, GW_REF_BYTE, GW_REF_OPTION };

struct gw_step {
	bool select;	     /* [key=value] */
	bool positional;     /* key is an index: the element is a list */
	bool number;	     /* [key:value]: made as a number */
	uint32_t index;	     /* decimal step or positional key, else UINT32_MAX */
	struct gw_text *key; /* of the pool */
	struct gw_text *value;
};

struct gw_ref {
	uint16_t msg;
	enum gw_ref_kind kind;
	uint16_t n_steps;
	struct gw_step *steps;
	uint32_t byte;	    /* or the option's number */
	uint8_t bit, width; /* width 0: whole bytes, with `as` */
};

/* --- messages --- */

enum gw_found_kind {
	GW_FOUND_MISSING,
	GW_FOUND_NULL,
	GW_FOUND_FALSE,
	GW_FOUND_TRUE,
	GW_FOUND_NUMBER, /* text as written */
	GW_FOUND_JSON, /* text of a JSON string between its quotes; escaped when it holds backslashes */
	GW_FOUND_PLAIN, /* text */
	GW_FOUND_SPAN,	/* JSON text of a list or map */
	GW_FOUND_NODE,
	GW_FOUND_FRAME, /* bytes, read by as */
};

struct gw_found {
	enum gw_found_kind kind;
	bool escaped;
	const struct gw_as *as; /* FRAME: how the wire says it is read; NULL: as the point says */
	union {
		struct gw_str text;
		const struct gw_node *node;
	};
};

/* One place in a body that is looked at: for a point, a filter or a layer. */
struct gw_extract {
	const struct gw_ref *ref;
	uint16_t point; /* GW_NO_INDEX: filter or layer */
};

/* A point that a message carries: its extracts, first found wins. */
struct gw_msg_point {
	uint16_t point, first, n;
};

struct gw_filter {
	uint16_t extract;
	uint16_t n_values;
	const struct gw_raw *values;
};

enum gw_decode { GW_DECODE_NONE, GW_DECODE_BASE64, GW_DECODE_HEX, GW_DECODE_UTF16B64 };
enum gw_mode { GW_MODE_PATCH, GW_MODE_FULL, GW_MODE_RMW };

struct gw_out {
	uint16_t point;
	const struct gw_ref *ref;
};

struct gw_tlv_type {
	uint8_t code;
	struct gw_as as;
};

/* The key table of a JSON body: level → wanted keys → level. */
struct gw_trie_key {
	struct gw_str key;
	uint32_t index; /* of a list, UINT32_MAX: none */
	uint16_t node;
	/* of a selector [key=value]: index is its position in an element that is a list */
	bool is_number; /* value is the text form of number */
	struct gw_str value;
	double number;
};
struct gw_trie_node {
	uint16_t first_key, n_keys;	    /* sorted by length, then bytes */
	uint16_t first_select, n_selects;   /* behind them */
	uint16_t first_extract, n_extracts; /* in hits */
	bool indexed;
};
#define GW_SELECTS 64 /* of one list */
struct gw_trie {
	const struct gw_trie_node *nodes;
	const struct gw_trie_key *keys;
	const uint16_t *hits; /* extract numbers */
};

struct gw_pl_msg {
	struct gw_msg_info info;
	struct gw_str name;
	const struct gw_node *node;
	const struct gw_codec_ops *codec;
	enum gw_mode mode;
	bool sendable;
	uint16_t reply;	      /* GW_NO_INDEX: none */
	uint16_t keep;	      /* index of the kept body, GW_NO_INDEX: not kept */
	uint16_t depth, root; /* of nested layers */

	struct gw_extract *extracts;
	uint16_t n_extracts;
	struct gw_msg_point *points;
	uint16_t n_points;
	struct gw_filter *filters;
	uint16_t n_filters;
	struct gw_layer_use {
		uint16_t msg, extract;
	} * layers;
	uint16_t n_layers;
	const struct gw_trie *trie; /* of json */
	bool options;		    /* has % references */

	struct gw_out *outs; /* in order of the points */
	uint16_t n_outs;
	uint8_t *fill;
	bool *fill_keep; /* -- */
	uint32_t fill_len;
	bool has_fill;
	const struct gw_node *base, *body;
	struct gw_tlv_type *types;
	uint16_t n_types;

	const struct gw_ref *from; /* nested layer */
	enum gw_decode decode;
	uint32_t len;
};

struct gw_binding;
struct gw_composing;

/* How a codec's bodies are read and written. */
struct gw_codec_ops {
	const char *name;
	enum gw_codec codec;
	bool tree;  /* bodies are trees: json, cbor, form */
	bool text;  /* trees that are texts in tests and lines: form */
	bool bytes; /* bodies are hex pairs in tests and lines */
	enum gw_ref_kind refs;
	enum gw_mode mode; /* by default */
	/* Fills found[] of the message's extracts from bytes or tree. -EBADMSG: malformed. a: for trees, freed after the receive. */
	int (*extract)(struct gw_binding *b, const struct gw_pl_msg *m, const struct gw_body *body,
		       struct gw_found *found, struct gw_arena **a);
	/* Makes the body of a message from the write view; see send.c. */
	int (*compose)(struct gw_composing *c, const struct gw_pl_msg *m);
	/* Trees only: a body as a tree, -EBADMSG when it is malformed; and back, -EINVAL for what such a body cannot hold. */
	int (*parse)(struct gw_arena *a, struct gw_str bytes, struct gw_node **ret_tree);
	int (*print)(const struct gw_node *tree, struct gw_buf *b);
};

/* An arena for the tree of one body. */
#define GW_TREE_BYTES (GW_BODY_NODES * sizeof(struct gw_node) + 4 * (size_t)GW_BODY_BYTES)
/* extract and compose of codecs that parse and print (codec_tree.c). */
int gw_tree_extract(struct gw_binding *b, const struct gw_pl_msg *m, const struct gw_body *body,
		    struct gw_found *found, struct gw_arena **a);
int gw_tree_compose(struct gw_composing *c, const struct gw_pl_msg *m);

extern const struct gw_codec_ops gw_codec_json, gw_codec_text, gw_codec_bytes, gw_codec_tlv,
	gw_codec_form, gw_codec_cbor;
const struct gw_codec_ops *gw_codec_find(struct gw_str name); /* NULL when unknown */

int gw_trie_compile(struct gw_arena *a, struct gw_pl_msg *m) GW_MUST_USE;

/* Steps on a tree. */
const struct gw_node *gw_path_get(const struct gw_node *root, const struct gw_ref *ref);
/* Sets v at ref below *root (made when NULL), making what is missing. -EINVAL: a scalar is in the way. */
int gw_path_set(struct gw_arena *a, struct gw_node **root, const struct gw_ref *ref,
		struct gw_node *v) GW_MUST_USE;
void gw_extract_tree(const struct gw_pl_msg *m, const struct gw_node *tree, struct gw_found *found);

int gw_layer_decode(enum gw_decode d, struct gw_str text, struct gw_buf *ret) GW_MUST_USE;
void gw_layer_encode(enum gw_decode d, struct gw_str bytes, struct gw_buf *ret);
int gw_hex_decode(struct gw_str text, struct gw_buf *ret) GW_MUST_USE; /* spaces allowed */

/* --- points --- */

enum gw_map_else { GW_ELSE_NULL, GW_ELSE_KEEP, GW_ELSE_VALUE };

struct gw_map_entry {
	struct gw_text *key;
	bool is_number, is_flag;
	double number;
	struct gw_raw raw, value; /* what is written; what is read */
};

struct gw_field {
	struct gw_text *name;
	uint32_t at;
	struct gw_as as;
	uint8_t bit, width;
	double mul, div, add;
};

struct gw_packing {
	uint32_t at, stride, count;
	int16_t pad; /* -1: none */
	uint32_t n_head;
	struct gw_head_byte {
		uint32_t offset;
		uint8_t value;
	} * head;
	uint16_t n_fields;
	struct gw_field *fields;
};

struct gw_pl_point {
	const char *name;
	const struct gw_node *node;
	struct gw_ref *in, *out;
	uint16_t n_in, n_out;
	bool has_as, has_init, has_absent, oneshot, linear, frac, has_map;
	uint8_t order;
	struct gw_as as;
	struct gw_raw init, absent;
	uint16_t n_na, n_map, n_known;
	const struct gw_raw *na;
	struct gw_map_entry *map;
	enum gw_map_else map_else;
	struct gw_raw else_value;
	double mul, div, add;
	struct gw_text **
		known; /* sorted: texts that the profile names for this point, so that they are not allocated */
	const struct gw_packing *list;
	enum gw_decode pack; /* NONE: not packed into text */
};

/* A raw with what it owns: one reference of a text, the arena of a tree. */
struct gw_slot {
	struct gw_raw raw;
	struct gw_arena *tree; /* NULL: borrowed from the plan */
};

void gw_slot_fini(struct gw_slot *s);
int gw_slot_set(struct gw_slot *s,
		const struct gw_raw *r) GW_MUST_USE; /* takes references, copies trees */

/* Reading (§8): raw → point value. */
struct gw_raw gw_point_value(const struct gw_pl_point *p, const struct gw_raw *raw);
/* Writing: value → raw, fitted to every out reference. A new text is owned by the caller. NULL or "value", "range", "type". */
const char *gw_point_encode(const struct gw_plan *plan, const struct gw_pl_point *p,
			    const struct gw_raw *v, struct gw_arena *a,
			    struct gw_raw *ret_raw) GW_MUST_USE;
bool gw_raw_in(const struct gw_raw *r, const struct gw_raw *set, size_t n);
/* List points (§10). */
const struct gw_node *gw_packing_read(const struct gw_packing *k, struct gw_str bytes,
				      struct gw_arena *a);
const char *gw_packing_write(const struct gw_packing *k, const struct gw_node *list,
			     struct gw_buf *ret_bytes) GW_MUST_USE;

/* --- capabilities --- */

struct gw_view;
struct gw_writing;
struct gw_compiler;
struct gw_costing;
struct gw_form;

struct gw_cond_term {
	enum gw_name_kind kind;
	uint16_t index, n_values;
	const struct gw_raw *values;
};

struct gw_cond {
	bool constant; /* true or false when there is neither expr nor terms */
	struct gw_expr *expr;
	uint16_t n_terms;
	struct gw_cond_term *terms;
};

struct gw_bound {
	bool open;
	uint16_t point; /* GW_NO_INDEX: value */
	double value;
};

struct gw_range {
	bool given;
	struct gw_bound min, max;
	double step; /* 0: none */
};

struct gw_rule {
	const struct gw_cond *cond; /* NULL: always */
	struct gw_range range;
	uint16_t n_symbols;
	const char *const *symbols; /* NULL: not narrowed */
	bool ro, has_ro;
};

struct gw_set {
	uint16_t point;
	struct gw_expr *expr; /* NULL: constant */
	struct gw_raw constant;
};

/* What a form read, and how: for typing and for explain. */
struct gw_reading {
	struct gw_raw x;
	const struct gw_form *by; /* the innermost form that gave it; NULL: none did */
	int32_t row;		  /* table row or select entry, -1 */
	int32_t entry;
	int64_t count; /* of a number, after rounding */
};

enum gw_form_place {
	GW_FORM_PROPERTY = 1,
	GW_FORM_EVENT = 2,
	GW_FORM_ACTION = 4,
	GW_FORM_INNER = 8
};

struct gw_form_ops {
	const char *key;
	unsigned place; /* gw_form_place */
	bool sampled;	/* its round trip is sampled; else it is proved or has none */
	int (*compile)(struct gw_compiler *c, const struct gw_node *cap, struct gw_form **ret_form);
	void (*read)(const struct gw_form *f, const struct gw_view *v, struct gw_reading *r);
	/* Assigns; the wanted value is w->view.wanted. 0 or -EINVAL with w's error. NULL: no write rule. */
	int (*write)(const struct gw_form *f, struct gw_writing *w);
	void (*list)(const struct gw_form *f, double bits,
		     struct gw_buf *b); /* flags: JSON list of the symbols */
	int (*prove)(const struct gw_form *f, struct gw_compiler *c, const struct gw_node *cap);
	/* Steps to read and write it once, at worst; NULL: one. */
	uint64_t (*cost)(const struct gw_form *f, const struct gw_costing *c);
	/* The k-th set of values that it names for a point, for sampling; false beyond the last. */
	bool (*names)(const struct gw_form *f, uint16_t point, size_t k,
		      const struct gw_raw **ret_values, size_t *ret_n);
	void (*explain)(const struct gw_form *f, const struct gw_view *v,
			const struct gw_reading *r, struct gw_buf *b);
};

struct gw_form {
	const struct gw_form_ops *ops;
	bool writable;
};

extern const struct gw_form_ops gw_form_point, gw_form_table, gw_form_select, gw_form_parts,
	gw_form_flags, gw_form_expr, gw_form_const, gw_form_event, gw_form_toggle, gw_form_send,
	gw_form_action;

struct gw_event_form {
	struct gw_form form;
	uint16_t point, n_only;
	const struct gw_raw *only;
	bool on_change;
};

struct gw_toggle_form {
	struct gw_form form;
	uint16_t msg, toggle;  /* toggle: index of the remembered wish */
	struct gw_form *inner; /* point or expr that reads */
	uint16_t n_points;
	uint16_t *points;
};

struct gw_action_form {
	struct gw_form form;
	uint16_t n_sets, n_sends;
	struct gw_set *sets;
	uint16_t *sends;
};

struct gw_pl_arg {
	struct gw_domain domain;
	struct gw_text *name;
	struct gw_raw fallback;
};

struct gw_pl_cap {
	struct gw_cap_info info;
	struct gw_str address;
	const struct gw_node *node;
	struct gw_form *form;
	const struct gw_cond *avail; /* NULL: always */
	uint16_t component, n_rules, n_also, n_symbols;
	struct gw_rule *rules;
	struct gw_range range;
	struct gw_text **symbols; /* explicit domain of an enum; NULL: any text */
	struct gw_set *also;
	struct gw_expr *stale_after; /* seconds; NULL: info.stale_after_ms */
	struct gw_pl_arg *args;
	const struct gw_node *safe;
	uint16_t n_points; /* that its value depends on, capabilities followed */
	uint16_t *points;
};

struct gw_moved {
	struct gw_str from;
	uint16_t cap;
};

struct gw_plan {
	uint32_t refs;		    /* by bindings and callers; the cache itself holds none */
	struct gw_profile *profile; /* a reference while refs > 0 */
	struct gw_plan *next;
	uint64_t choice;
	struct gw_arena *arena;
	struct gw_node *tree; /* expanded */
	struct gw_link_info link;
	uint16_t presence_point, dedup_point; /* GW_NO_INDEX: none */
	struct gw_raw presence_is;
	struct gw_expr *stale_after;

	struct gw_pl_msg *msgs;
	struct gw_pl_point *points;
	struct gw_pl_cap *caps;
	uint16_t n_msgs, n_points, n_caps, n_events, n_toggles, n_kept, n_components, n_moved;
	uint16_t max_extracts;	 /* over all messages and their layers together */
	const char **components; /* names; [0] = main */
	struct gw_moved *moved;
	const struct gw_toggle_form **toggles;
	size_t point_words, cap_words;
	uint64_t *deps;	       /* by point: capabilities that depend on it */
	uint64_t *ranked;      /* the same by place in order; NULL without it */
	const uint16_t *order; /* each capability after those it names; NULL: as declared */

	struct gw_text **texts; /* the pool */
	size_t n_texts, texts_size;
	struct gw_expr **exprs;
	size_t n_exprs, exprs_size;
	struct gw_map *by_address;
};

/* What expressions, conditions and forms see: reported values, or those of a write. */
struct gw_view {
	const struct gw_plan *plan;
	struct gw_text *const *vars; /* by variable of the profile; NULL: unbound */
	const struct gw_slot *slots;
	const struct gw_value *values; /* reported capabilities; NULL: computed from the slots */
	const struct gw_raw *args;
	struct gw_raw wanted;
	unsigned depth;
};

static inline struct gw_raw gw_view_point(const struct gw_view *v, size_t point)
{
	return gw_point_value(&v->plan->points[point], &v->slots[point].raw);
}
struct gw_raw gw_view_name(const struct gw_view *v, enum gw_name_kind kind, uint16_t index);
struct gw_raw gw_view_expr(const struct gw_view *v, const struct gw_expr *e);
bool gw_cond_holds(const struct gw_cond *c, const struct gw_view *v); /* c may be NULL: true */

/* Reading of §9: avail, form, type. */
void gw_cap_read(const struct gw_view *v, const struct gw_pl_cap *cap,
		 struct gw_reading *ret_reading, enum gw_quality *ret_quality);
/* Reading → value in place; nothing is allocated when it stays as it was. */
int gw_cap_store(const struct gw_pl_cap *cap, const struct gw_reading *r, struct gw_buf *scratch,
		 struct gw_value *slot) GW_MUST_USE;

struct gw_limits_now {
	struct gw_range range; /* bounds resolved: open or value */
	const char *const *symbols;
	uint16_t n_symbols;
	bool ro;
};
void gw_limits_now(const struct gw_view *v, const struct gw_pl_cap *cap,
		   struct gw_limits_now *ret_limits);
void gw_limits_domain(const struct gw_pl_cap *cap, const struct gw_limits_now *l,
		      struct gw_domain *ret_domain);
int gw_address_find(const struct gw_plan *p, struct gw_str address);
