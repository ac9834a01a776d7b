/* Composition (profile-language §3) on trees. Refusals carry the pointer in error->at. */
#pragma once

#include "gw/error.h"
#include "gw/node.h"
#include "gw/profile.h"

/* At load: extends, use → one tree in a. root is unchanged. Codes: ref cycle merge size schema. */
int gw_compose_load(struct gw_arena *a, struct gw_library *l, const struct gw_node *root,
		    struct gw_node **ret_tree, struct gw_error *reterr_) GW_MUST_USE;
/*
 * At bind: the variants that hold for vars, then repeat → the tree to compile (a copy in a, without `variants`, `repeat`).
 * *ret_choice: bit k = variant k was merged (at most 64 variants, more: "size"); plans are cached by it.
 */
int gw_compose_bind(struct gw_arena *a, const struct gw_node *tree, const struct gw_vars *vars,
		    struct gw_node **ret_tree, uint64_t *ret_choice,
		    struct gw_error *reterr_) GW_MUST_USE;
/* Only the choice: cheap, for looking up a cached plan. */
int gw_compose_choice(const struct gw_node *tree, const struct gw_vars *vars,
		      uint64_t *ret_choice) GW_MUST_USE;
/*
 * Structure of the whole tree against the key tables: unknown keys, wrong kinds of value, names, missing required keys ("schema", "name").
 * expanded: after gw_compose_bind. `part` limits to one section for the order of refusals in §16 ("" = heads and composition keys, "match",
 * "msgs", "points", "caps", "components", "tests").
 */
int gw_schema_check(const struct gw_node *tree, const char *part, unsigned flags,
		    struct gw_error *reterr_) GW_MUST_USE;
/* Appends /escaped-token (RFC 6901) to e->at, for building pointers. */
void gw_at_push(char *at, size_t cap, struct gw_str token);
