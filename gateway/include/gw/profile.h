/*
 * Profiles (reference: profile-language.md): loading, checking and compiling.
 *
 *   text ── front end ──► tree ── extends, use ──► gw_profile (checked, shared, immutable)
 *   gw_profile + variables ── variants, repeat, compile ──► gw_plan (flat arrays, shared by all devices with equal variant choice)
 *   gw_plan + variables ──► gw_binding (gw/binding.h: the state of one device)
 *
 * Nothing here touches the network. Loading reads files and may block; the daemon does it at start and on the pool.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gw/buf.h"
#include "gw/compiler.h"
#include "gw/error.h"
#include "gw/limits.h"
#include "gw/model.h"
#include "gw/node.h"
#include "gw/str.h"
#include "gw/value.h"

struct gw_library;
struct gw_profile;
struct gw_plan;

enum gw_profile_flag {
	GW_PROFILE_LAX =
		1, /* --lax: §15. Missing heads, mandatory capabilities and tests are accepted */
	GW_PROFILE_IMPORTED =
		2, /* made by an importer: tests and mandatory capabilities may be missing, nothing else */
	GW_PROFILE_NO_TESTS =
		4, /* do not run the embedded tests (a shipped profile whose digest was checked before) */
};

/* --- library: where extends, use and the daemon find profiles --- */

/*
 * dirs are searched in order. The profile with id "a.b.c" is the file <dir>/a.b.c.yaml, <dir>/a/b.c.yaml or the same with
 * .json. The library caches profiles by id and by digest; it is not thread-safe.
 */
int gw_library_new(const char *const *dirs, size_t n_dirs,
		   struct gw_library **ret_library) GW_MUST_USE;
void gw_library_free(struct gw_library *l); /* profiles still referenced stay alive */
/* By id, from the cache or the files. *ret_profile is a new reference. -ENOENT, -EINVAL (refused), -ENOMEM, -EIO. */
int gw_library_get(struct gw_library *l, struct gw_str id, struct gw_profile **ret_profile,
		   struct gw_error *reterr_) GW_MUST_USE;
/* Adds a text under its id, as the conformance cases' `library` does; it hides a file with the same id. */
int gw_library_add_text(struct gw_library *l, struct gw_str id, struct gw_str text,
			const char *origin, struct gw_error *reterr_) GW_MUST_USE;
/* Calls fn with the path and id of each profile file, in sorted order; fn returns non-zero to stop. Reads directories only. */
int gw_library_each_file(struct gw_library *l,
			 int (*fn)(void *ctx, const char *path, const char *id),
			 void *ctx) GW_MUST_USE;

/* --- profile --- */

int gw_profile_load_file(struct gw_library *l, const char *path, unsigned flags,
			 struct gw_profile **ret_profile, struct gw_error *reterr_) GW_MUST_USE;
/* origin names the text in errors ("tasmota/discovery/…"). An equal text gives the same profile (by digest). */
int gw_profile_load_text(struct gw_library *l, struct gw_str text, const char *origin,
			 unsigned flags, struct gw_profile **ret_profile,
			 struct gw_error *reterr_) GW_MUST_USE;
/* As gw_profile_load_text from a tree that the caller keeps (conformance cases). */
int gw_profile_load_node(struct gw_library *l, const struct gw_node *root, const char *origin,
			 unsigned flags, struct gw_profile **ret_profile,
			 struct gw_error *reterr_) GW_MUST_USE;
struct gw_profile *gw_profile_ref(struct gw_profile *p);
void gw_profile_unref(struct gw_profile *p); /* accepts NULL */

const char *gw_profile_id(const struct gw_profile *p);
const char *gw_profile_version(const struct gw_profile *p);
const struct gw_device_type *gw_profile_type(const struct gw_profile *p); /* NULL with --lax */
/* Label in "en", "zh-CN"; falls back to English, then to the id. */
const char *gw_profile_name(const struct gw_profile *p, const char *language);
const char *gw_profile_adapter(
	const struct gw_profile *p); /* link.adapter, or by match kind: mqtt, coap … "" when none */
const uint8_t *
gw_profile_digest(const struct gw_profile *p); /* SHA-256, 32 bytes, of the compiled form §1 */
bool gw_profile_is_fragment(const struct gw_profile *p);
const struct gw_node *
gw_profile_tree(const struct gw_profile *p); /* after extends and use; borrowed */
/* The compiled form: source tree as JSON in source order. */
void gw_profile_write_compiled(const struct gw_profile *p, struct gw_buf *b);

/* The JSON Schema (draft-07) of the language, for editors; made from the tables that check. */
void gw_profile_write_schema(struct gw_buf *b);

struct gw_var_info {
	const char *name, *fallback; /* fallback NULL: no default */
	const char *label;	     /* English; the name when none is given */
	bool identity, ask, secret;
	bool in_channel; /* used in a channel: containment rules of §4 */
};
size_t gw_profile_var_count(const struct gw_profile *p);
const struct gw_var_info *gw_profile_var(const struct gw_profile *p, size_t i);

/* Variables by name. Values are text; NULL value = unbound. Small: looked up linearly, at most 64. */
struct gw_vars {
	struct gw_vars_entry {
		char *name,
			*value; /* owned, in one piece of memory that begins at name; value may be NULL */
	} * entry;
	size_t count;
};
void gw_vars_fini(struct gw_vars *v);
int gw_vars_set(struct gw_vars *v, struct gw_str name,
		struct gw_str value) GW_MUST_USE; /* replaces; -E2BIG over 64 or 256 bytes */
const char *gw_vars_get(const struct gw_vars *v, const char *name); /* NULL when unbound */
int gw_vars_copy(struct gw_vars *to, const struct gw_vars *from) GW_MUST_USE;
/* Checks all of v against the profile (unknown name: "ref", containment, length) and fills in defaults. */
int gw_profile_complete_vars(const struct gw_profile *p, struct gw_vars *v,
			     struct gw_error *reterr_) GW_MUST_USE;

/*
 * Observation (§4): a map with exactly one kind ({mqtt: topic, json: body}, {mdns: {…}}, {miio_model: word} …), as in the
 * line protocol. *ret_score < 0: no match. ret_vars gets only variables bound by `set`.
 */
int gw_profile_match(const struct gw_profile *p, const struct gw_node *observation, int *ret_score,
		     struct gw_vars *ret_vars) GW_MUST_USE;
/* Topic filters of the match entries of kind mqtt; NULL beyond the last. */
const char *gw_profile_match_filter(const struct gw_profile *p, size_t i);

/* Runs the embedded tests with a report line for each; returns the number of failures, or -errno. */
struct gw_test_report {
	const char *name;
	bool passed;
	const char *text; /* of a failure: what differed */
};
int gw_profile_run_tests(struct gw_profile *p,
			 void (*report)(void *ctx, const struct gw_test_report *r),
			 void *ctx) GW_MUST_USE;

/* --- plan --- */

enum gw_codec {
	GW_CODEC_JSON,
	GW_CODEC_TEXT,
	GW_CODEC_BYTES,
	GW_CODEC_TLV,
	GW_CODEC_FORM,
	GW_CODEC_CBOR
};
enum gw_ask_on { GW_ASK_BIND = 1, GW_ASK_ONLINE = 2, GW_ASK_WAKE = 4, GW_ASK_WRITE = 8 };
enum gw_confirm_else { GW_CONFIRM_NONE, GW_CONFIRM_REREAD, GW_CONFIRM_RESEND };
enum gw_verb { GW_VERB_SEND, GW_VERB_GET, GW_VERB_PUT, GW_VERB_POST };

/* One message of the plan. Channel texts still hold {name}; gw_binding_channel expands them. */
struct gw_msg_info {
	const char *name;
	enum gw_codec codec;
	const char *const *rx; /* channels on which it arrives */
	uint16_t n_rx;
	const char *tx; /* channel on which it is sent with verb; NULL: never sent */
	enum gw_verb verb;
	const char *get; /* request path whose answer is this message, or NULL */
	bool observe, retain, con;
	uint8_t qos;
	int16_t ct;	/* content format, -1: none */
	int16_t reply;	/* message index, -1: none */
	int16_t parent; /* nested layer: its parent message, else -1 */
	bool has_body;	/* fixed body: can be sent by itself (asks, actions) */
	unsigned on;	/* gw_ask_on */
	int64_t every_ms, min_gap_ms, coalesce_ms;
	bool asks; /* has get, or tx with reply: can be polled */
	uint64_t cost; /* steps to receive it, at worst (profile/cost.c) */
};

/* One capability of the plan. */
struct gw_cap_info {
	const char *address;		   /* "outlet_1/switch.on"; "switch.on" in main */
	const char *component;		   /* "main", "outlet_1" */
	const char *id;			   /* "switch.on" */
	const struct gw_capability *model; /* NULL for x.<vendor>.<name> */
	enum gw_kind kind;
	struct gw_domain
		domain; /* static: of profile and model; limits narrow it (gw_binding_limits) */
	const char *unit;
	bool readable, writable, invokable;
	uint8_t access;		/* of the model; extensions: from what the profile offers */
	bool limited;		/* has `limits` or a range that names points */
	const char *label;	/* English; NULL: the model's */
	int64_t stale_after_ms; /* 0: never */
	int64_t assume_ms;	/* 0: never shown as assumed */
	int64_t confirm_within_ms;
	enum gw_confirm_else confirm_else;
	int16_t confirm_by; /* message index, -1: any */
	int64_t renew_ms;
	const struct gw_arg_info {
		const char *name;
		struct gw_domain domain;
	} * args;
	uint8_t n_args;
};

struct gw_link_info {
	const char *adapter;
	int64_t min_gap_ms, coalesce_ms, offline_after_ms;
	bool sleepy, has_presence;
};

/* The plan for these variables, compiled or from the profile's cache; a new reference. Refusals as when checking. */
int gw_plan_get(struct gw_profile *p, const struct gw_vars *vars, struct gw_plan **ret_plan,
		struct gw_error *reterr_) GW_MUST_USE;
struct gw_plan *gw_plan_ref(struct gw_plan *p);
void gw_plan_unref(struct gw_plan *p);
struct gw_profile *gw_plan_profile(const struct gw_plan *p); /* borrowed */
size_t gw_plan_msg_count(const struct gw_plan *p);
const struct gw_msg_info *gw_plan_msg(const struct gw_plan *p, size_t i);
int gw_plan_find_msg(const struct gw_plan *p, struct gw_str name); /* index or -ENOENT */
size_t gw_plan_cap_count(const struct gw_plan *p);
const struct gw_cap_info *gw_plan_cap(const struct gw_plan *p, size_t i);
int gw_plan_find_cap(const struct gw_plan *p,
		     struct gw_str address); /* index, also through `moved` and main/x; -ENOENT */
const struct gw_link_info *gw_plan_link(const struct gw_plan *p);
