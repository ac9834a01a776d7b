/* JSON bodies: one forward scan against the message's key table, without a tree. */
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

/* --- elements that a selector chooses --- */

/* Is the text form of this scalar the selector's value? */
static bool is_chosen(struct scan *s, const struct gw_trie_key *k, enum gw_json_token t)
{
	struct gw_str text = s->r.text;
	double v;
	switch (t) {
	case GW_JSON_TEXT:
		if (s->r.escaped) {
			gw_buf_reset(s->scratch);
			if (gw_json_unescape(text, s->scratch) < 0) {
				return false;
			}
			text = gw_buf_str(s->scratch);
		}
		return gw_str_eq(text, k->value);
	case GW_JSON_NUMBER:
		return k->is_number && gw_parse_double(text, &v) == 0 && v == k->number;
	case GW_JSON_TRUE: return gw_str_is(k->value, "true");
	case GW_JSON_FALSE: return gw_str_is(k->value, "false");
	case GW_JSON_NULL: return gw_str_is(k->value, "null");
	case GW_JSON_ERROR:
	case GW_JSON_END:
	case GW_JSON_OBJECT:
	case GW_JSON_OBJECT_END:
	case GW_JSON_LIST:
	case GW_JSON_LIST_END:
	case GW_JSON_KEY: return false;
	}
	return false;
}

/* Looks at one member (key) or item (index) of an element, and passes over it. */
static bool peek_value(struct scan *s, const struct gw_trie_node *n, struct gw_str key,
		       uint32_t index, enum gw_json_token t, uint64_t *chosen)
{
	const struct gw_trie_key *keys = s->trie->keys + n->first_select;
	for (uint16_t i = 0; i < n->n_selects; i++) {
		bool here = key.p ? gw_str_eq(keys[i].key, key) : keys[i].index == index;
		if (here && is_chosen(s, &keys[i], t)) {
			*chosen |= UINT64_C(1) << i;
		}
	}
	return skip_value(&s->r, t);
}

/* Passes over an element whose first token is t: which selectors does it answer? */
static bool peek(struct scan *s, const struct gw_trie_node *n, enum gw_json_token t,
		 uint64_t *chosen)
{
	if (t != GW_JSON_OBJECT && t != GW_JSON_LIST) {
		return skip_value(&s->r, t);
	}
	for (uint32_t index = 0;; index++) {
		enum gw_json_token next = gw_json_next(&s->r);
		struct gw_str key = {NULL, 0};
		if (next == GW_JSON_OBJECT_END || next == GW_JSON_LIST_END) {
			return true;
		}
		if (next == GW_JSON_KEY) {
			key = s->r.text; /* one with escapes selects nothing */
			next = gw_json_next(&s->r);
		}
		if (!peek_value(s, n, key, index, next, chosen)) {
			return false;
		}
	}
}

static bool scan_again(struct scan *s, const struct gw_json_reader *before,
		       const struct gw_trie_node *n)
{
	s->r = *before;
	return scan_value(s, n, gw_json_next(&s->r));
}

/* The first element that answers a selector is scanned once more with what lies below it. */
static bool scan_element(struct scan *s, const struct gw_trie_node *n,
			 const struct gw_json_reader *before, enum gw_json_token t, uint64_t *done)
{
	uint64_t chosen = 0;
	if (!peek(s, n, t, &chosen)) {
		return false;
	}
	const struct gw_json_reader after = s->r;
	chosen &= ~*done;
	*done |= chosen;
	for (; chosen; chosen &= chosen - 1) {
		const struct gw_trie_key *k =
			&s->trie->keys[n->first_select + __builtin_ctzll(chosen)];
		if (!scan_again(s, before, &s->trie->nodes[k->node])) {
			return false;
		}
	}
	s->r = after;
	return true;
}

static bool scan_list(struct scan *s, const struct gw_trie_node *n)
{
	uint64_t done = 0;
	for (uint32_t i = 0;; i++) {
		const struct gw_json_reader before = s->r;
		enum gw_json_token t = gw_json_next(&s->r);
		if (t == GW_JSON_LIST_END) {
			return true;
		}
		const struct gw_trie_node *child = n->indexed ? find_index(s->trie, n, i) : NULL;
		if (n->n_selects && !scan_element(s, n, &before, t, &done)) {
			return false;
		}
		bool again = n->n_selects && child;
		if (again   ? !scan_again(s, &before, child)
		    : child ? !scan_value(s, child, t)
			    : !n->n_selects && !skip_value(&s->r, t)) {
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
	case GW_JSON_LIST:
		whole = n->indexed || n->n_selects ? scan_list(s, n) : skip_value(&s->r, t);
		break;
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
	(void)a;
	if (body->tree) {
		gw_extract_tree(m, body->tree, found);
		return 0;
	}
	return scan_body(b, m->trie, body->bytes, found);
}

static int parse(struct gw_arena *a, struct gw_str bytes, struct gw_node **ret_tree)
{
	static const struct gw_node_limits limits = {.max_bytes = GW_BODY_BYTES,
						     .max_depth = GW_BODY_DEPTH,
						     .max_nodes = GW_BODY_NODES,
						     .max_text_bytes = GW_BODY_TEXT_BYTES};
	int r = gw_node_parse_json(a, bytes, &limits, ret_tree, /* reterr_= */ NULL);
	return r == 0 || r == -ENOMEM ? r : -EBADMSG;
}

static int print(const struct gw_node *tree, struct gw_buf *b)
{
	gw_node_write(b, tree, /* source_order= */ false);
	return gw_buf_error(b);
}

const struct gw_codec_ops gw_codec_json = {.name = "json",
					   .codec = GW_CODEC_JSON,
					   .tree = true,
					   .refs = GW_REF_TREE,
					   .mode = GW_MODE_PATCH,
					   .extract = extract,
					   .compose = gw_tree_compose,
					   .parse = parse,
					   .print = print};
