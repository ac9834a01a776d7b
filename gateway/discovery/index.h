/*
 * The match entries of all profile files, without the profiles: an announcement finds the entries whose topic filter fits through a trie, tests
 * their fields, and only a profile that passes is loaded. Private to discovery.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "gw/compiler.h"
#include "gw/node.h"
#include "gw/profile.h"
#include "gw/str.h"

struct gw_index;

struct gw_index_entry {
	const char *kind;
	const struct gw_node *test, *json; /* as written; json may be NULL */
	struct gw_index_profile {
		const char *id;
		bool broken; /* could not be loaded: not tried again */
	} * profile;
};

struct gw_index *gw_index_new(struct gw_library *l) GW_MUST_USE;
void gw_index_free(struct gw_index *x);
/* Reads the next few files; true when all are read. */
bool gw_index_step(struct gw_index *x);
/* Calls fn for each entry whose fields fit the observation; kind and what as in gw_discovery_observe. */
void gw_index_match(struct gw_index *x, const char *kind, struct gw_str channel,
		    const struct gw_node *observation,
		    void (*fn)(void *ctx, const struct gw_index_entry *e), void *ctx);
/* Whether an entry of kind mqtt has a filter for this topic. */
bool gw_index_wants(struct gw_index *x, struct gw_str topic);
/* The filters of the entries of kind mqtt, with repetitions; NULL beyond the last. They live as long as the index. */
const char *gw_index_filter(const struct gw_index *x, size_t i);
