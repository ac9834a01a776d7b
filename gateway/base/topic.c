#include "gw/topic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "gw/alloc.h"
#include "gw/limits.h"

/* --- texts --- */

/* MQTT 3.1.1 §1.5.3, §4.7: UTF-8, 1 byte at least, no zero; control characters are a MUST NOT of ours. */
static bool is_text(struct gw_str s)
{
	if (s.len == 0 || s.len > GW_TOPIC_BYTES || !gw_str_is_utf8(s)) {
		return false;
	}
	size_t levels = 1;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c < 0x20 || c == 0x7f) {
			return false;
		}
		levels += c == '/';
	}
	return levels <= GW_TOPIC_LEVELS;
}

bool gw_topic_is_topic(struct gw_str s)
{
	return is_text(s) && !memchr(s.p, '+', s.len) && !memchr(s.p, '#', s.len);
}

bool gw_topic_is_filter(struct gw_str s)
{
	if (!is_text(s)) {
		return false;
	}
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] != '+' && s.p[i] != '#') {
			continue;
		}
		bool begins = i == 0 || s.p[i - 1] == '/';
		bool ends = i + 1 == s.len || (s.p[i] == '+' && s.p[i + 1] == '/');
		if (!begins || !ends) {
			return false;
		}
	}
	return true;
}

bool gw_topic_matches(struct gw_str filter, struct gw_str topic)
{
	struct gw_str f = filter, t = topic, want, have;
	bool system = topic.len > 0 && topic.p[0] == '$';
	for (bool first = true;; first = false) {
		if (!gw_str_split(&f, '/', &want)) {
			return !t.p;
		}
		bool wild = gw_str_is(want, "+"), all = gw_str_is(want, "#");
		if (first && system && (wild || all)) {
			return false;
		}
		if (all) {
			return true; /* also the level above it: t may be used up */
		}
		if (!gw_str_split(&t, '/', &have) || (!wild && !gw_str_eq(want, have))) {
			return false;
		}
	}
}

bool gw_topic_level(struct gw_str topic, size_t level, struct gw_str *ret_level)
{
	struct gw_str piece;
	for (size_t i = 0; gw_str_split(&topic, '/', &piece); i++) {
		if (i == level) {
			*ret_level = piece;
			return true;
		}
	}
	return false;
}

bool gw_topic_has_level(struct gw_str topic, struct gw_str level)
{
	struct gw_str piece;
	while (gw_str_split(&topic, '/', &piece)) {
		if (gw_str_eq(piece, level)) {
			return true;
		}
	}
	return false;
}

/* --- trie --- */

struct subscriber {
	void *subscriber;
	uint32_t tag;
};

/* One level of a filter. All nodes stand in one table by (parent, level); the hash chains that of the parent. */
struct node {
	uint64_t hash;
	struct node *parent, *plus, *rest; /* rest: the child "#" */
	struct subscriber *subscribers;	   /* &only, while one is enough */
	struct subscriber only;
	uint32_t count, size; /* of subscribers */
	uint32_t children;
	uint16_t len;
	char level[];
};

/* With the hash of its node, so that a probe touches only nodes that it looks for. */
struct slot {
	uint64_t hash;
	struct node *node; /* NULL: free */
};

struct gw_topic_trie {
	struct gw_hash_key key;
	struct node *root; /* level "" above the first; not in the table */
	struct slot *table;
	size_t size, used; /* size: a power of two, at most half of it is used */
	size_t subscriptions;
};

static struct node *new_node(struct node *parent, uint64_t hash, struct gw_str level)
{
	struct node *n = gw_alloc0(1, sizeof(*n) + level.len);
	if (n) {
		n->hash = hash;
		n->parent = parent;
		n->subscribers = &n->only;
		n->size = 1;
		n->len = (uint16_t)level.len;
		if (level.len > 0) {
			memcpy(n->level, level.p, level.len);
		}
	}
	return n;
}

struct gw_topic_trie *gw_topic_trie_new(void)
{
	enum { FIRST = 64 };
	struct gw_topic_trie *t = gw_new(struct gw_topic_trie);
	if (!t) {
		return NULL;
	}
	t->key = gw_hash_key_new();
	t->size = FIRST;
	t->table = gw_array(struct slot, t->size);
	t->root = new_node(NULL, 0, GW_STR(""));
	if (!t->table || !t->root) {
		gw_topic_trie_free(t);
		return NULL;
	}
	return t;
}

static void free_node(struct node *n)
{
	if (n && n->subscribers != &n->only) {
		gw_free(n->subscribers);
	}
	gw_free(n);
}

void gw_topic_trie_free(struct gw_topic_trie *t)
{
	if (!t) {
		return;
	}
	for (size_t i = 0; t->table && i < t->size; i++) {
		free_node(t->table[i].node);
	}
	free_node(t->root);
	gw_free(t->table);
	gw_free(t);
}

static size_t slot_of(const struct gw_topic_trie *t, const struct node *parent, uint64_t hash,
		      struct gw_str level)
{
	size_t i = (size_t)hash & (t->size - 1);
	for (;; i = (i + 1) & (t->size - 1)) {
		const struct node *n = t->table[i].node;
		if (!n || (t->table[i].hash == hash && n->parent == parent &&
			   gw_str_eq((struct gw_str){n->level, n->len}, level))) {
			return i;
		}
	}
}

static struct node *child_of(const struct gw_topic_trie *t, const struct node *parent,
			     struct gw_str level)
{
	return t->table[slot_of(t, parent, gw_hash(&t->key, parent->hash, level), level)].node;
}

static int grow_table(struct gw_topic_trie *t)
{
	if (t->used + 1 <= t->size / 2) {
		return 0;
	}
	size_t size = t->size * 2;
	struct slot *table = gw_array(struct slot, size);
	if (!table) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < t->size; i++) {
		if (t->table[i].node) {
			size_t k = (size_t)t->table[i].hash & (size - 1);
			while (table[k].node) {
				k = (k + 1) & (size - 1);
			}
			table[k] = t->table[i];
		}
	}
	gw_free(t->table);
	t->table = table;
	t->size = size;
	return 0;
}

static struct node *make_child(struct gw_topic_trie *t, struct node *parent, struct gw_str level)
{
	if (grow_table(t) < 0) {
		return NULL;
	}
	uint64_t hash = gw_hash(&t->key, parent->hash, level);
	size_t i = slot_of(t, parent, hash, level);
	if (t->table[i].node) {
		return t->table[i].node;
	}
	struct node *n = new_node(parent, hash, level);
	if (!n) {
		return NULL;
	}
	t->table[i] = (struct slot){hash, n};
	t->used++;
	parent->children++;
	if (gw_str_is(level, "+")) {
		parent->plus = n;
	} else if (gw_str_is(level, "#")) {
		parent->rest = n;
	}
	return n;
}

/* Takes n out of the table and closes the gap, so that no probe sequence is cut. */
static void unlink_node(struct gw_topic_trie *t, struct node *n)
{
	size_t mask = t->size - 1;
	size_t gap = slot_of(t, n->parent, n->hash, (struct gw_str){n->level, n->len});
	t->table[gap].node = NULL;
	for (size_t i = (gap + 1) & mask; t->table[i].node; i = (i + 1) & mask) {
		size_t home = (size_t)t->table[i].hash & mask;
		if (((i - home) & mask) >= ((i - gap) & mask)) {
			t->table[gap] = t->table[i];
			t->table[i].node = NULL;
			gap = i;
		}
	}
	t->used--;
	struct node *parent = n->parent;
	parent->children--;
	parent->plus = parent->plus == n ? NULL : parent->plus;
	parent->rest = parent->rest == n ? NULL : parent->rest;
}

/* Nodes that lead nowhere go away, from n upwards. */
static void prune(struct gw_topic_trie *t, struct node *n)
{
	while (n->parent && n->count == 0 && n->children == 0) {
		struct node *parent = n->parent;
		unlink_node(t, n);
		free_node(n);
		n = parent;
	}
}

static int append(struct node *n, void *subscriber, uint32_t tag)
{
	if (n->count == n->size) {
		bool first = n->subscribers == &n->only;
		uint32_t size = n->size * 2;
		struct subscriber *s = gw_realloc(first ? NULL : n->subscribers, size, sizeof(*s));
		if (!s) {
			return -ENOMEM;
		}
		if (first) {
			s[0] = n->only;
		}
		n->subscribers = s;
		n->size = size;
	}
	n->subscribers[n->count++] = (struct subscriber){subscriber, tag};
	return 0;
}

static bool find_subscriber(const struct node *n, const void *subscriber, uint32_t tag,
			    uint32_t *ret_index)
{
	for (uint32_t i = 0; i < n->count; i++) {
		if (n->subscribers[i].subscriber == subscriber && n->subscribers[i].tag == tag) {
			*ret_index = i;
			return true;
		}
	}
	return false;
}

int gw_topic_trie_add(struct gw_topic_trie *t, struct gw_str filter, void *subscriber, uint32_t tag,
		      bool *ret_first)
{
	if (!gw_topic_is_filter(filter)) {
		return -EINVAL;
	}
	if (t->subscriptions >= GW_TOPIC_SUBSCRIPTIONS) {
		return -ENOSPC;
	}
	struct node *n = t->root;
	struct gw_str level;
	while (gw_str_split(&filter, '/', &level)) {
		struct node *child = make_child(t, n, level);
		if (!child) {
			prune(t, n);
			return -ENOMEM;
		}
		n = child;
	}
	uint32_t index;
	bool first = n->count == 0;
	int r = find_subscriber(n, subscriber, tag, &index) ? -EEXIST : append(n, subscriber, tag);
	if (r < 0) {
		prune(t, n);
		return r;
	}
	t->subscriptions++;
	*ret_first = first;
	return 0;
}

int gw_topic_trie_remove(struct gw_topic_trie *t, struct gw_str filter, void *subscriber,
			 uint32_t tag, bool *ret_last)
{
	struct node *n = t->root;
	struct gw_str level;
	uint32_t i;
	while (n && gw_str_split(&filter, '/', &level)) {
		n = child_of(t, n, level);
	}
	if (!n || !find_subscriber(n, subscriber, tag, &i)) {
		return -ENOENT;
	}
	memmove(&n->subscribers[i], &n->subscribers[i + 1],
		(n->count - i - 1) * sizeof(n->subscribers[0]));
	n->count--;
	t->subscriptions--;
	*ret_last = n->count == 0;
	prune(t, n);
	return 0;
}

/* The levels of a topic; 0 when it is none. */
static size_t split_topic(struct gw_str topic, struct gw_str ret_levels[GW_TOPIC_LEVELS])
{
	size_t n = 0, from = 0;
	if (topic.len == 0 || topic.len > GW_TOPIC_BYTES) {
		return 0;
	}
	for (size_t i = 0; i <= topic.len; i++) {
		if (i < topic.len && topic.p[i] != '/') {
			if (topic.p[i] == '+' || topic.p[i] == '#') {
				return 0;
			}
			continue;
		}
		if (n == GW_TOPIC_LEVELS) {
			return 0;
		}
		ret_levels[n++] = (struct gw_str){topic.p + from, i - from};
		from = i + 1;
	}
	return n;
}

struct match {
	void (*fn)(void *ctx, void *subscriber, uint32_t tag);
	void *ctx;
	size_t count;
};

static void report(struct match *m, const struct node *n)
{
	for (uint32_t i = 0; n && i < n->count; i++) {
		m->fn(m->ctx, n->subscribers[i].subscriber, n->subscribers[i].tag);
		m->count++;
	}
}

size_t gw_topic_trie_match(const struct gw_topic_trie *t, struct gw_str topic,
			   void (*fn)(void *ctx, void *subscriber, uint32_t tag), void *ctx)
{
	struct gw_str levels[GW_TOPIC_LEVELS];
	size_t n_levels = split_topic(topic, levels);
	if (n_levels == 0) {
		return 0;
	}
	/* Ways not yet gone: "+" beside the exact child, at most one for each level. */
	struct {
		const struct node *node;
		size_t depth;
	} open[GW_TOPIC_LEVELS + 1];
	size_t n_open = 0;
	struct match m = {.fn = fn, .ctx = ctx};
	const struct node *n = t->root;
	size_t depth = 0;
	for (;;) {
		bool hidden = depth == 0 && topic.p[0] == '$'; /* §4.7.2 */
		if (n && !hidden) {
			report(&m, n->rest);
		}
		if (n && depth < n_levels) {
			if (n->plus && !hidden) {
				open[n_open].node = n->plus;
				open[n_open++].depth = depth + 1;
			}
			n = child_of(t, n, levels[depth]);
			depth++;
			continue;
		}
		report(&m, n);
		if (n_open == 0) {
			return m.count;
		}
		n = open[--n_open].node;
		depth = open[n_open].depth;
	}
}

void gw_topic_trie_each(const struct gw_topic_trie *t, void (*fn)(void *ctx, struct gw_str filter),
			void *ctx)
{
	for (size_t i = 0; i < t->size; i++) {
		const struct node *n = t->table[i].node;
		if (!n || n->count == 0) {
			continue;
		}
		char text[GW_TOPIC_BYTES];
		size_t at = sizeof(text);
		for (const struct node *last = n; n->parent; n = n->parent) {
			if (n != last) {
				text[--at] = '/';
			}
			at -= n->len;
			memcpy(text + at, n->level, n->len);
		}
		fn(ctx, (struct gw_str){text + at, sizeof(text) - at});
	}
}
