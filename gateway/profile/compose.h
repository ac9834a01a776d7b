/* Composition (profile-language §3) on trees. Refusals carry the pointer in error->at. */
#pragma once

#include "gw/error.h"
#include "gw/node.h"
#include "gw/profile.h"
#include "profile/source.h"

/*
 * At load: extends, use → one tree in a. root is unchanged. *ret_sources: the files that took part, the nearest first, without
 * root itself. Codes: syntax ref cycle merge size schema.
 */
int gw_compose_load(struct gw_arena *a, struct gw_library *l, const struct gw_node *root,
		    struct gw_node **ret_tree, struct gw_source **ret_sources,
		    struct gw_error *reterr_) GW_MUST_USE;
/*
 * At bind: the variants that hold for vars, then repeat → the tree to compile (a copy in a, without `variants`, `repeat`).
 * *ret_choice: bit k = variant k was merged (at most 64 variants, more: "size"); plans are cached by it.
 */
int gw_compose_bind(struct gw_arena *a, const struct gw_node *tree, const struct gw_vars *vars,
		    struct gw_node **ret_tree, uint64_t *ret_choice,
		    struct gw_error *reterr_) GW_MUST_USE;
/* The same for a given choice: what the checker compiles for each variant. */
int gw_compose_chosen(struct gw_arena *a, const struct gw_node *tree, uint64_t choice,
		      struct gw_node **ret_tree, struct gw_error *reterr_) GW_MUST_USE;
/* Variant i and those that hold whenever it does, since their conditions are part of its own. i < 64. */
uint64_t gw_compose_with(const struct gw_node *tree, size_t i);
/* Only the choice: cheap, for looking up a cached plan. A malformed variant does not hold. */
int gw_compose_choice(const struct gw_node *tree, const struct gw_vars *vars,
		      uint64_t *ret_choice) GW_MUST_USE;
/* Whether a condition map *variable → test* holds (variants, advice). */
bool gw_compose_holds(const struct gw_node *condition, const struct gw_vars *vars);
/*
 * Structure of the tree against the key tables (schema_tables.c): unknown keys, wrong kinds of value, names, missing required keys,
 * keys that exclude each other ("schema", "name", "size", "range", "type", "res", "variant"). `part` limits to one section for the order of
 * refusals in §16: "" = heads, link, composition keys; "match"; then on the tree after gw_compose_bind "msgs", "points",
 * "caps", "components"; on the tree before it "variants", "tests".
 */
int gw_schema_check(const struct gw_node *tree, const char *part, unsigned flags,
		    struct gw_error *reterr_) GW_MUST_USE;
/* n when it is of that type, else NULL; the loops over nothing when it is not: for trees whose structure is not checked yet. */
static inline const struct gw_node *gw_node_if(const struct gw_node *n, enum gw_node_type type)
{
	return n && n->type == type ? n : NULL;
}
static inline const struct gw_node *gw_node_first(const struct gw_node *n, enum gw_node_type type)
{
	return n && n->type == type ? n->first : NULL;
}
#define gw_member_for(pos, map)                                                                    \
	for (const struct gw_node *pos = gw_node_first(map, GW_NODE_MAP); pos; pos = pos->next)
#define gw_item_for(pos, list)                                                                     \
	for (const struct gw_node *pos = gw_node_first(list, GW_NODE_LIST); pos; pos = pos->next)

/* merge() of §3 for one member of from, by key: into is changed, from is copied. */
int gw_compose_merge_member(struct gw_arena *a, struct gw_node *into, const struct gw_node *from,
			    const char *key) GW_MUST_USE;
/* Appends /escaped-token (RFC 6901) to at, for building pointers; clipped to cap. */
void gw_at_push(char *at, size_t cap, struct gw_str token);
void gw_at_push_index(char *at, size_t cap, size_t index);
