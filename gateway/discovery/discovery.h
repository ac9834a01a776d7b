/*
 * What was seen but is not adopted. Announcements come in from the adapters, are matched against the profiles and importers, and become
 * candidates, merged by hardware identity, at most GW_CANDIDATES (the one seen longest ago is dropped). Knows nothing of the home.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gw/error.h"
#include "gw/import.h"
#include "gw/profile.h"

struct gw_discovery;

struct gw_candidate {
	char id[17];	    /* first 64 bits of SHA-256 of the identity, hex */
	char identity[160]; /* "mac:…", else "<kind>:<channel or id>" with weak_identity */
	const char *name, *vendor, *model, *firmware; /* "" when unknown */
	const char *reason;
	char adapter[32];
	struct gw_profile *profile; /* the best; NULL: unknown or a tie */
	struct gw_profile **ties;   /* NULL-terminated when several match equally, else NULL */
	struct gw_vars
		vars; /* bound by match or import; of a tie those of all: the chosen profile takes what it declares */
	bool weak_identity, described, dismissed;
	int64_t first_seen_wall_ms, last_seen_wall_ms, used; /* used: order for eviction */
};

struct gw_discovery_ops {
	void (*changed)(void *ctx, const struct gw_candidate *c); /* new or different */
	void (*removed)(void *ctx, const char *identity,
			const char *adapter); /* its description was withdrawn */
};

int gw_discovery_new(struct gw_library *l, const struct gw_discovery_ops *ops, void *ctx,
		     struct gw_discovery **ret_discovery) GW_MUST_USE;
void gw_discovery_free(struct gw_discovery *d);
/*
 * Reads the match entries of the next few profile files; true when all are read. Called from an idle timer after the home is ready, so that starting does
 * not wait for profiles that nobody uses.
 */
bool gw_discovery_index_step(struct gw_discovery *d);
/*
 * Topic filters to watch: of all match entries and importers, sorted, no duplicates; NULL-terminated, borrowed until the next index step. Watch them
 * when the index is complete: what was announced before is not looked at again.
 */
const char *const *gw_discovery_filters(struct gw_discovery *d, size_t *ret_count);
/*
 * One announcement. Malformed ones are counted, the first is logged. kind "mqtt": channel is the topic, bytes the payload (empty: withdrawn). "mdns",
 * "coap", "ssdp", "udp": bytes is a JSON map of the observation's fields (profile-language §4), among them `json`. Any other kind is an identity
 * word: channel is the identity text, bytes a JSON body or empty.
 */
void gw_discovery_observe(struct gw_discovery *d, const char *adapter, const char *kind,
			  struct gw_str channel, struct gw_str bytes, int64_t wall_ms);
size_t gw_discovery_count(const struct gw_discovery *d);
const struct gw_candidate *gw_discovery_at(const struct gw_discovery *d,
					   size_t i); /* newest first */
const struct gw_candidate *gw_discovery_find(const struct gw_discovery *d, const char *id);
const struct gw_candidate *gw_discovery_find_identity(const struct gw_discovery *d,
						      const char *identity);
int gw_discovery_dismiss(struct gw_discovery *d,
			 const char *id) GW_MUST_USE; /* until its description differs */
uint64_t gw_discovery_bad_count(const struct gw_discovery *d);
