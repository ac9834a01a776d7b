/* JSON bodies: one forward scan against the message's key table; a tree only when selectors need one. */
#include <errno.h>

#include "gw/alloc.h"
#include "gw/json.h"
#include "gw/limits.h"
#include "profile/state.h"

#define GW_FEW_KEYS 8

struct scan {
	struct gw_json_reader r;
	const struct gw_trie *trie;
	struct gw_found *found;
	struct gw_buf *scratch;
};

static const struct gw_trie_node *find_key(const struct gw_trie *t, const struct gw_trie_node *n,
					   struct gw_str key)
{
	const struct gw_trie_key *keys = t->keys + n->first_key;
	size_t low = 0, high = n->n_keys;
	while (high - low > GW_FEW_KEYS) { /* sorted by length, then bytes */
		size_t mid = (low + high) / 2;
		int order = keys[mid].key.len != key.len ? (keys[mid].key.len < key.len ? -1 : 1)
							 : memcmp(keys[mid].key.p, key.p, key.len);
		if (order <= 0) {
			low = mid;
		} else {
			high = mid;
		}
	}
	for (; low < high; low++) {
		const struct gw_trie_key *k = &keys[low];
		if (k->key.len == key.len && (key.len == 0 || k->key.p[0] == key.p[0]) &&
		    memcmp(k->key.p, key.p, key.len) == 0) {
			return &t->nodes[k->node];
		}
	}
	return NULL;
}

static const struct gw_trie_node *find_index(const struct gw_trie *t, const struct gw_trie_node *n,
					     uint32_t index)
{
	for (uint16_t i = 0; i < n->n_keys; i++) {
		if (t->keys[n->first_key + i].index == index) {
			return &t->nodes[t->keys[n->first_key + i].node];
		}
	}
	return NULL;
}

/* Passes over a value whose first token was read. */
static bool skip_value(struct gw_json_reader *r, enum gw_json_token t)
{
	size_t depth = 0;
	for (;;) {
		if (t == GW_JSON_OBJECT || t == GW_JSON_LIST) {
			depth++;
		} else if (t == GW_JSON_OBJECT_END || t == GW_JSON_LIST_END) {
			depth--;
		} else if (t == GW_JSON_ERROR || t == GW_JSON_END) {
			return false;
		}
		if (depth == 0) {
			return true;
		}
		t = gw_json_next(r);
	}
}

/* False when the body named the place twice. */
static bool hit(struct scan *s, const struct gw_trie_node *n, enum gw_found_kind kind,
		struct gw_str text)
{
	for (uint16_t i = 0; i < n->n_extracts; i++) {
		struct gw_found *f = &s->found[s->trie->hits[n->first_extract + i]];
		if (f->kind != GW_FOUND_MISSING) {
			return false;
		}
		f->kind = kind;
		f->escaped = s->r.escaped;
		f->text = text;
	}
	return true;
}

static bool scan_value(struct scan *s, const struct gw_trie_node *n, enum gw_json_token t);

static bool scan_object(struct scan *s, const struct gw_trie_node *n)
{
	for (;;) {
		enum gw_json_token t = gw_json_next(&s->r);
		if (t == GW_JSON_OBJECT_END) {
			return true;
		}
		if (t != GW_JSON_KEY) {
			return false;
		}
		struct gw_str key = s->r.text;
		if (gw_unlikely(s->r.escaped)) {
			gw_buf_reset(s->scratch);
			if (gw_json_unescape(key, s->scratch) < 0) {
				return false;
			}
			key = gw_buf_str(s->scratch);
		}
		const struct gw_trie_node *child = find_key(s->trie, n, key);
		if (child ? !scan_value(s, child, gw_json_next(&s->r)) : !gw_json_skip(&s->r)) {
			return false;
		}
	}
}

static bool scan_list(struct scan *s, const struct gw_trie_node *n)
{
	for (uint32_t i = 0;; i++) {
		enum gw_json_token t = gw_json_next(&s->r);
		if (t == GW_JSON_LIST_END) {
			return true;
		}
		const struct gw_trie_node *child = find_index(s->trie, n, i);
		if (child ? !scan_value(s, child, t) : !skip_value(&s->r, t)) {
			return false;
		}
	}
}

/* The depth is that of the reader, at most GW_BODY_DEPTH. */
static bool scan_value(struct scan *s, const struct gw_trie_node *n, enum gw_json_token t)
{
	const char *start = s->r.p - 1; /* of a list or map: its bracket */
	bool whole = false;
	switch (t) {
	case GW_JSON_TEXT: return hit(s, n, GW_FOUND_JSON, s->r.text);
	case GW_JSON_NUMBER: return hit(s, n, GW_FOUND_NUMBER, s->r.text);
	case GW_JSON_TRUE: return hit(s, n, GW_FOUND_TRUE, s->r.text);
	case GW_JSON_FALSE: return hit(s, n, GW_FOUND_FALSE, s->r.text);
	case GW_JSON_NULL: return hit(s, n, GW_FOUND_NULL, s->r.text);
	case GW_JSON_OBJECT: whole = n->n_keys ? scan_object(s, n) : skip_value(&s->r, t); break;
	case GW_JSON_LIST: whole = n->indexed ? scan_list(s, n) : skip_value(&s->r, t); break;
	case GW_JSON_ERROR:
	case GW_JSON_END:
	case GW_JSON_KEY:
	case GW_JSON_OBJECT_END:
	case GW_JSON_LIST_END: return false;
	}
	return whole && hit(s, n, GW_FOUND_SPAN, (struct gw_str){start, (size_t)(s->r.p - start)});
}

static int scan_body(struct gw_binding *b, const struct gw_trie *trie, struct gw_str bytes,
		     struct gw_found *found)
{
	struct scan s = {.trie = trie, .found = found, .scratch = &b->scratch};
	gw_json_reader_init(&s.r, bytes, GW_BODY_DEPTH);
	if (!scan_value(&s, &trie->nodes[0], gw_json_next(&s.r)) ||
	    gw_json_next(&s.r) != GW_JSON_END) {
		return -EBADMSG;
	}
	return 0;
}

static int extract(struct gw_binding *b, const struct gw_pl_msg *m, const struct gw_body *body,
		   struct gw_found *found, struct gw_arena **a)
{
	if (body->tree) {
		gw_extract_tree(m, body->tree, found);
		return 0;
	}
	if (m->trie) {
		return scan_body(b, m->trie, body->bytes, found);
	}
	const struct gw_node_limits limits = {.max_bytes = GW_BODY_BYTES,
					      .max_depth = GW_BODY_DEPTH,
					      .max_nodes = GW_BODY_NODES,
					      .max_text_bytes = GW_BODY_TEXT_BYTES};
	struct gw_node *tree = NULL;
	*a = *a ? *a : gw_arena_new(GW_BODY_NODES * sizeof(struct gw_node) + 4 * GW_BODY_BYTES);
	if (!*a) {
		return -ENOMEM;
	}
	if (gw_node_parse_json(*a, body->bytes, &limits, &tree, /* reterr_= */ NULL) < 0) {
		return -EBADMSG;
	}
	gw_extract_tree(m, tree, found);
	return 0;
}

static int compose(struct gw_composing *c, const struct gw_pl_msg *m)
{
	struct gw_node *tree = NULL;
	int r = gw_compose_tree(c, m, &tree);
	if (r < 0) {
		return r;
	}
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(GW_BODY_BYTES);
	gw_node_write(&b, tree, /* source_order= */ false);
	size_t i = (size_t)(m - c->w->plan->msgs);
	c->trees[i] = tree;
	c->bodies[i] = gw_arena_text(c->w->arena, gw_buf_str(&b));
	return gw_buf_error(&b) || !c->bodies[i].p ? -ENOMEM : 0;
}

const struct gw_codec_ops gw_codec_json = {.name = "json",
					   .codec = GW_CODEC_JSON,
					   .tree = true,
					   .refs = GW_REF_TREE,
					   .mode = GW_MODE_PATCH,
					   .extract = extract,
					   .compose = compose};
