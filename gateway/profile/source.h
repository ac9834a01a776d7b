/* A loaded profile, private to the room: the front (load, compose, match) fills it, the engine (compile, run) caches plans in it. */
#pragma once

#include "gw/map.h"
#include "gw/profile.h"

/* A file that took part in a composition: to name it in errors about what was inherited. In the profile's arena. */
struct gw_source {
	struct gw_source *next;
	const char *origin;
	const struct gw_node *root; /* as written */
};

struct gw_profile {
	uint32_t refs;
	unsigned flags;		    /* gw_profile_flag */
	struct gw_library *library; /* NULL once the library is gone */
	struct gw_arena *arena;	    /* of the trees below */
	struct gw_node *root;	    /* as written */
	struct gw_node *tree;	    /* after extends and use */
	struct gw_source *sources;  /* what was inherited, the nearest first */
	char *origin;		    /* path or name of the source, for errors */
	const char *id, *version, *adapter;
	const struct gw_device_type *type;
	uint8_t digest[32];
	struct gw_var_info *vars; /* in the arena */
	size_t n_vars;
	struct gw_match_entry *matches; /* match.c; in the arena */
	size_t n_matches;
	struct gw_plan *plans; /* list of compiled plans by variant choice; the engine's */
};

/*
 * Fills file, line and column of a refusal from its pointer: the deepest existing node along it in tree (NULL: p->tree; an
 * expanded tree knows more). Does nothing when they are known. The loader calls it for what gw_engine_check refuses.
 */
void gw_profile_locate(const struct gw_profile *p, const struct gw_node *tree, struct gw_error *e);

/*
 * The engine's share of checking (messages, points, capabilities, variants, tests of §16), called by the loader after syntax, composition
 * and match passed. Compiles the plan without variables and one for each variant alone, proves the laws, runs the embedded tests
 * unless flags say otherwise.
 */
int gw_engine_check(struct gw_profile *p, struct gw_error *reterr_) GW_MUST_USE;
void gw_engine_free_plans(
	struct gw_profile *
		p); /* when the last reference goes: plans hold no reference of their profile while cached only */
