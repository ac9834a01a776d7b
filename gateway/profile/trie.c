/* The key table of a JSON message: one level of wanted keys per level of the body, so that one scan finds every point. */
#include <errno.h>
#include <stdlib.h>

#include "gw/alloc.h"
#include "gw/json.h"
#include "profile/plan.h"

/* While it is built, children hang in lists. */
struct branch {
	const struct gw_step *step;
	uint16_t first_child, next_sibling; /* GW_NO_INDEX: none */
};

struct builder {
	struct branch *branches;
	uint16_t n;
	uint16_t *end; /* by extract: the branch where it ends, GW_NO_INDEX: not in the table */
};

static bool same_step(const struct gw_step *a, const struct gw_step *b)
{
	return a->select == b->select && a->key == b->key && a->value == b->value; /* of one pool */
}

static uint16_t child_of(struct builder *b, uint16_t parent, const struct gw_step *s)
{
	struct branch *p = &b->branches[parent];
	for (uint16_t i = p->first_child; i != GW_NO_INDEX; i = b->branches[i].next_sibling) {
		if (same_step(b->branches[i].step, s)) {
			return i;
		}
	}
	uint16_t i = b->n++;
	b->branches[i] = (struct branch){
		.step = s, .first_child = GW_NO_INDEX, .next_sibling = p->first_child};
	p->first_child = i;
	return i;
}

static int compare_keys(const void *x, const void *y)
{
	const struct gw_trie_key *a = x, *b = y;
	if (a->key.len != b->key.len) {
		return a->key.len < b->key.len ? -1 : 1;
	}
	return memcmp(a->key.p, b->key.p, a->key.len);
}

static struct gw_trie_key make_key(const struct gw_step *s, uint16_t node)
{
	struct gw_trie_key k = {.key = gw_text_str(s->key), .index = s->index, .node = node};
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(64);
	if (s->select) {
		k.value = gw_text_str(s->value);
		k.index = s->positional ? s->index : UINT32_MAX;
		if (gw_parse_double(k.value, &k.number) == 0) {
			gw_json_write_double(&b, k.number);
			k.is_number = gw_str_eq(gw_buf_str(&b), k.value);
		}
	}
	return k;
}

/* The children of a branch that are selectors, or those that are not. */
static uint16_t put_keys(const struct builder *b, uint16_t branch, bool selects,
			 struct gw_trie_key *keys)
{
	uint16_t n = 0, c = b->branches[branch].first_child;
	for (; c != GW_NO_INDEX; c = b->branches[c].next_sibling) {
		if (b->branches[c].step->select == selects) {
			keys[n++] = make_key(b->branches[c].step, c);
		}
	}
	return n;
}

static int flatten(const struct builder *b, uint16_t n_extracts, struct gw_trie_node *nodes,
		   struct gw_trie_key *keys, uint16_t *hits)
{
	uint16_t n_keys = 0, n_hits = 0;
	for (uint16_t i = 0; i < b->n; i++) {
		struct gw_trie_node *node = &nodes[i];
		node->first_key = n_keys;
		node->n_keys = put_keys(b, i, /* selects= */ false, keys + n_keys);
		n_keys = (uint16_t)(n_keys + node->n_keys);
		node->first_select = n_keys;
		node->n_selects = put_keys(b, i, /* selects= */ true, keys + n_keys);
		n_keys = (uint16_t)(n_keys + node->n_selects);
		if (node->n_selects > GW_SELECTS) {
			return -E2BIG;
		}
		if (node->n_keys > 1) {
			qsort(keys + node->first_key, node->n_keys, sizeof(*keys), compare_keys);
		}
		for (uint16_t k = 0; k < node->n_keys; k++) {
			node->indexed |= keys[node->first_key + k].index != UINT32_MAX;
		}
		node->first_extract = n_hits;
		for (uint16_t x = 0; x < n_extracts; x++) {
			if (b->end[x] == i) {
				hits[n_hits++] = x;
			}
		}
		node->n_extracts = (uint16_t)(n_hits - node->first_extract);
	}
	return 0;
}

static void grow(struct builder *b, const struct gw_pl_msg *m)
{
	b->n = 1;
	b->branches[0] = (struct branch){.first_child = GW_NO_INDEX, .next_sibling = GW_NO_INDEX};
	for (uint16_t i = 0; i < m->n_extracts; i++) {
		const struct gw_ref *ref = m->extracts[i].ref;
		uint16_t at = 0;
		for (uint16_t k = 0; k < ref->n_steps; k++) {
			at = child_of(b, at, &ref->steps[k]);
		}
		b->end[i] = ref->kind == GW_REF_TREE ? at : GW_NO_INDEX;
	}
}

int gw_trie_compile(struct gw_arena *a, struct gw_pl_msg *m)
{
	size_t steps = 0;
	for (uint16_t i = 0; i < m->n_extracts; i++) {
		steps += m->extracts[i].ref->n_steps;
	}
	if (steps >= GW_NO_INDEX - 1) {
		return -E2BIG;
	}
	struct gw_trie *t = gw_arena_alloc(a, sizeof(*t));
	struct gw_trie_node *nodes = gw_arena_alloc(a, (steps + 1) * sizeof(*nodes));
	struct gw_trie_key *keys = gw_arena_alloc(a, (steps + 1) * sizeof(*keys));
	uint16_t *hits = gw_arena_alloc(a, (m->n_extracts + 1u) * sizeof(*hits));
	struct builder b = {.branches = gw_array(struct branch, steps + 1),
			    .end = gw_array(uint16_t, m->n_extracts + 1u)};
	int r = -ENOMEM;
	if (t && nodes && keys && hits && b.branches && b.end) {
		grow(&b, m);
		r = flatten(&b, m->n_extracts, nodes, keys, hits);
	}
	if (r == 0) {
		*t = (struct gw_trie){.nodes = nodes, .keys = keys, .hits = hits};
		m->trie = t;
	}
	gw_free(b.branches);
	gw_free(b.end);
	return r;
}
