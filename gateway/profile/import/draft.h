/*
 * Making a profile: messages, points and capabilities by name, from topics and foreign names. Errors are sticky: once memory is
 * out, every maker returns NULL and accepts NULL, and gw_draft_finish says so. Everything lives in the arena.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gw/import.h"
#include "gw/limits.h"
#include "gw/model.h"
#include "gw/node.h"

/* What an importer knows about the product beside its capabilities, to choose among device types (device_type.c). */
enum gw_draft_hint {
	GW_HINT_LIGHT = 1 << 0,
	GW_HINT_OUTLET = 1 << 1,
	GW_HINT_DEHUMIDIFIER = 1 << 2,
	GW_HINT_BLIND = 1 << 3,
	GW_HINT_BATTERY = 1 << 4, /* battery powered, or with a battery */
	GW_HINT_PHONE = 1 << 5,
	GW_HINT_DRIES = 1 << 6, /* a climate that can dry: an air conditioner */
	GW_HINT_GANGS = 1 << 7, /* its switches are wired, not plugged */
};

/* A level of the topics that a variable holds (profile-language §4: containment), or a part of a path that the owner is asked for. */
struct gw_draft_level {
	const char *name;
	struct gw_str value; /* p NULL: asked for */
	const char *asked;   /* what the owner is asked for, in the description's word */
	bool secret;
};

struct gw_draft {
	struct gw_arena *a;
	const char *vendor;		 /* of extensions: x.<vendor>.<name> */
	struct gw_import_result *result; /* takes the notes */
	const char *at; /* place in the description that is being read, for notes */
	struct gw_node *msgs, *points, *caps, *components, *link;
	struct gw_draft_level level[GW_TOPIC_LEVELS + 8];
	size_t n_levels;
	size_t n_prefix; /* the first n_prefix levels stand at the start of every topic; 0: level[0] anywhere */
	size_t identity; /* index in level */
	unsigned hints;	 /* gw_draft_hint */
	bool bare;	 /* a product without capabilities is one too */
	bool failed;
};

int gw_draft_init(struct gw_draft *b, struct gw_arena *a, const char *vendor,
		  struct gw_import_result *result) GW_MUST_USE;
/* One level, wherever it stands in a topic, is the identity variable {id}. */
void gw_draft_identity(struct gw_draft *b, struct gw_str level);
/* Every topic begins with prefix ("zigbee2mqtt/kitchen/lamp"): each level a variable, the last one the identity. -EINVAL: a level cannot be one. */
int gw_draft_prefix(struct gw_draft *b, struct gw_str prefix) GW_MUST_USE;
/* A variable that the owner is asked for at pairing: its name, the same for the same word. NULL with a note: too many. */
const char *gw_draft_asked(struct gw_draft *b, const char *word, bool secret);
/* May the text be a variable in a channel? */
bool gw_draft_is_level(struct gw_str s);

/* "at: reason" for what did not map; at most GW_IMPORT_NOTES are kept. */
void gw_draft_note(struct gw_draft *b, const char *fmt, ...) GW_PRINTF(2, 3);
void gw_import_note(struct gw_import_result *r, const char *at, const char *fmt, ...)
	GW_PRINTF(3, 4);
void gw_import_vnote(struct gw_import_result *r, const char *at, const char *fmt, va_list ap)
	GW_PRINTF(3, 0);
/* What became of a data point of a file; address or construct may be NULL. At most GW_IMPORT_POINTS are kept. */
void gw_import_fate(struct gw_import_result *r, const char *at, enum gw_import_fate fate,
		    const char *address, const char *construct);
/* Text in the arena; "" when memory is out. */
const char *gw_draft_printf(struct gw_draft *b, const char *fmt, ...) GW_PRINTF(2, 3);
/* [a-z][a-z0-9_]* of at most 32 bytes; "" when nothing is left of the text. */
const char *gw_draft_slug(struct gw_draft *b, struct gw_str s);

/* --- nodes --- */

struct gw_node *gw_set_map(struct gw_draft *b, struct gw_node *map, const char *key);
struct gw_node *gw_set_list(struct gw_draft *b, struct gw_node *map, const char *key);
void gw_set_node(struct gw_draft *b, struct gw_node *map, const char *key, struct gw_node *value);
void gw_set_text(struct gw_draft *b, struct gw_node *map, const char *key, const char *text);
void gw_set_number(struct gw_draft *b, struct gw_node *map, const char *key, double v);
void gw_set_bool(struct gw_draft *b, struct gw_node *map, const char *key, bool v);
void gw_add_node(struct gw_draft *b, struct gw_node *list, struct gw_node *value);
void gw_add_text(struct gw_draft *b, struct gw_node *list, struct gw_str text);
void gw_add_number(struct gw_draft *b, struct gw_node *list, double v);
struct gw_node *gw_copy(struct gw_draft *b, const struct gw_node *n);
struct gw_node *gw_text_node(struct gw_draft *b, struct gw_str s);
struct gw_node *gw_bool_node(struct gw_draft *b, bool v);

/* --- messages: the name, or NULL with a note (topic unfit, too many, out of memory) --- */

/* A message that arrives on topic; one for each topic and codec. */
const char *gw_draft_rx(struct gw_draft *b, struct gw_str topic, const char *codec);
/* The message arrives on topic too. */
void gw_draft_rx_also(struct gw_draft *b, const char *msg, struct gw_str topic);
/* A message that is sent, into which pointer will be set; not text: shared while base is equal and pointer is not below a taken one. */
const char *gw_draft_tx(struct gw_draft *b, struct gw_str topic, const char *codec,
			const struct gw_node *base, const char *pointer, uint8_t qos);
/* A message with a fixed body; one for each topic and body. */
const char *gw_draft_fixed(struct gw_draft *b, struct gw_str topic, const char *codec,
			   const struct gw_node *body, uint8_t qos);
/* The same for requests; path is a channel already: its variables are written {name}. verb: "get" (the answer is the message), "put", "post". */
const char *gw_draft_get(struct gw_draft *b, const char *path, const char *codec, bool observe);
const char *gw_draft_request(struct gw_draft *b, const char *verb, const char *path,
			     const char *codec, const char *pointer);
const char *gw_draft_request_fixed(struct gw_draft *b, const char *verb, const char *path,
				   const char *codec, const struct gw_node *body);
/* The message's map, to add `reply`, `on`. */
struct gw_node *gw_draft_msg(struct gw_draft *b, const char *name);

/* --- points --- */

/* A new point called like hint; *ret_name is its name. NULL with a note when there are too many. */
struct gw_node *gw_draft_point(struct gw_draft *b, const char *hint, const char **ret_name);
/* dir: "in" or "out"; several references become a list. */
void gw_draft_ref(struct gw_draft *b, struct gw_node *point, const char *dir, const char *msg,
		  const char *pointer);
/* Has the name a meaning in expressions already? Points are never called so; arguments may not be, either. */
bool gw_draft_is_reserved(const struct gw_draft *b, const char *name);
/* May a pointer name the member? One that begins with a bracket would be a selector (profile-language §7). */
bool gw_draft_is_member(struct gw_str token);
/* Appends /escaped-token (RFC 6901) to a pointer. */
const char *gw_draft_pointer(struct gw_draft *b, const char *pointer, struct gw_str token);

/* --- capabilities --- */

bool gw_draft_has(const struct gw_draft *b, const char *component, const char *id);
/* The component called like hint; made, with the label, when it does not exist. */
const char *gw_draft_component(struct gw_draft *b, const char *hint, const char *label);
/* The component in which all ids are free: NULL for main, else one called like hint, labelled when it is new. */
const char *gw_draft_place(struct gw_draft *b, const char *hint, const char *label,
			   const char *const *ids, size_t n);
/* The capability's map; NULL when it exists, or with a note when there are too many. component NULL: main. */
struct gw_node *gw_draft_cap(struct gw_draft *b, const char *component, const char *id);
/* As gw_draft_cap with form point. */
struct gw_node *gw_draft_point_cap(struct gw_draft *b, const char *component, const char *id,
				   const char *point);
/* A free extension id x.<vendor>.<slug of hint>. */
const char *gw_draft_extension(struct gw_draft *b, const char *component, const char *hint);
bool gw_draft_is_extension(const char *id);
/* Does any component have it? */
bool gw_draft_anywhere(const struct gw_draft *b, const char *id);
size_t gw_draft_count(const struct gw_draft *b, const char *id);

/* A row of a table form; ro: it is only read. */
void gw_draft_row(struct gw_draft *b, struct gw_node *rows, struct gw_node *cells,
		  struct gw_node *value, bool ro);

/* --- the result --- */

struct gw_draft_head {
	const char *source; /* "z2m": first part of the id */
	const char *kind;   /* adapter identity in `match`: never matches by accident */
	const char *vendor, *model;
	const char *name;	     /* of the profile; NULL: vendor and model */
	const char *type;	     /* of the device; NULL: by what exists */
	const struct gw_node *match; /* identities of kind; NULL: the name */
};
/* Device type by what exists (device_type.c). */
const char *gw_draft_type(const struct gw_draft *b);
/*
 * The whole profile as text, and the variables, into ret. -ENOENT: nothing was imported. The same capabilities of the same model
 * give the same text, so that equal products share one compiled plan.
 */
int gw_draft_finish(struct gw_draft *b, const struct gw_draft_head *head,
		    struct gw_imported *ret) GW_MUST_USE;

/* A new device in the result; NULL when out of memory or beyond GW_CANDIDATES. */
struct gw_imported *gw_import_add(struct gw_import_result *r);
void gw_imported_fini(struct gw_imported *d);
