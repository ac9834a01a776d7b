/*
 * MQTT topics (MQTT 3.1.1 §4.7): validation, matching, and a trie from filters to subscribers. Finding the subscribers
 * of a topic costs one hash look-up per level, however many filters there are.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gw/compiler.h"
#include "gw/limits.h"
#include "gw/str.h"

bool gw_topic_is_filter(
	struct gw_str s); /* well-formed filter within GW_TOPIC_BYTES, GW_TOPIC_LEVELS */
bool gw_topic_is_topic(
	struct gw_str s); /* the same without wildcards, and no zero or control characters */
bool gw_topic_matches(struct gw_str filter,
		      struct gw_str topic); /* '+' and '#' never match a first level with '$' */
bool gw_topic_level(struct gw_str topic, size_t level,
		    struct gw_str *ret_level); /* level N from 0 */
bool gw_topic_has_level(struct gw_str topic, struct gw_str level); /* anywhere */

struct gw_topic_trie;
struct gw_topic_trie *gw_topic_trie_new(void) GW_MUST_USE;
void gw_topic_trie_free(struct gw_topic_trie *t);
/*
 * (filter, subscriber, tag) may be added once: -EEXIST. *ret_first tells whether the filter is new to the trie. -EINVAL for
 * what is no filter, -ENOSPC beyond GW_TOPIC_SUBSCRIPTIONS, -ENOMEM.
 */
int gw_topic_trie_add(struct gw_topic_trie *t, struct gw_str filter, void *subscriber, uint32_t tag,
		      bool *ret_first) GW_MUST_USE;
/* *ret_last tells whether the filter has no subscriber any more. -ENOENT when it was not there. */
int gw_topic_trie_remove(struct gw_topic_trie *t, struct gw_str filter, void *subscriber,
			 uint32_t tag, bool *ret_last) GW_MUST_USE;
/* Calls fn for each match; returns their number. fn may not change the trie. */
size_t gw_topic_trie_match(const struct gw_topic_trie *t, struct gw_str topic,
			   void (*fn)(void *ctx, void *subscriber, uint32_t tag), void *ctx);
/* Calls fn for each filter in the trie, in no defined order. */
void gw_topic_trie_each(const struct gw_topic_trie *t, void (*fn)(void *ctx, struct gw_str filter),
			void *ctx);
