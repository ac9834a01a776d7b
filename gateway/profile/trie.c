/* The key table of a JSON message: one level of wanted keys per level of the body, so that one scan finds every point. */
#include <errno.h>
#include <stdlib.h>

#include "gw/alloc.h"
#include "profile/plan.h"

/* While it is built, children hang in lists. */
struct branch {
	struct gw_text *key;
	uint32_t index;
	uint16_t first_child, next_sibling; /* GW_NO_INDEX: none */
	uint16_t n_children, n_hits;
};

struct builder {
	struct branch *branches;
	uint16_t n;
	uint16_t *end; /* by extract: the branch where it ends, GW_NO_INDEX: not in the table */
};

static uint16_t child_of(struct builder *b, uint16_t parent, const struct gw_step *s)
{
	struct branch *p = &b->branches[parent];
	for (uint16_t i = p->first_child; i != GW_NO_INDEX; i = b->branches[i].next_sibling) {
		if (b->branches[i].key == s->key) { /* of one pool */
			return i;
		}
	}
	uint16_t i = b->n++;
	b->branches[i] = (struct branch){.key = s->key,
					 .index = s->index,
					 .first_child = GW_NO_INDEX,
					 .next_sibling = p->first_child};
	p->first_child = i;
	p->n_children++;
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

static void flatten(const struct builder *b, uint16_t n_extracts, struct gw_trie_node *nodes,
		    struct gw_trie_key *keys, uint16_t *hits)
{
	uint16_t n_keys = 0, n_hits = 0;
	for (uint16_t i = 0; i < b->n; i++) {
		struct gw_trie_node *node = &nodes[i];
		node->first_key = n_keys;
		uint16_t c = b->branches[i].first_child;
		for (; c != GW_NO_INDEX; c = b->branches[c].next_sibling) {
			keys[n_keys++] =
				(struct gw_trie_key){.key = gw_text_str(b->branches[c].key),
						     .index = b->branches[c].index,
						     .node = c};
			node->indexed |= b->branches[c].index != UINT32_MAX;
		}
		node->n_keys = (uint16_t)(n_keys - node->first_key);
		if (node->n_keys > 1) {
			qsort(keys + node->first_key, node->n_keys, sizeof(*keys), compare_keys);
		}
		node->first_extract = n_hits;
		for (uint16_t x = 0; x < n_extracts; x++) {
			if (b->end[x] == i) {
				hits[n_hits++] = x;
			}
		}
		node->n_extracts = (uint16_t)(n_hits - node->first_extract);
	}
}

static bool is_plain(const struct gw_pl_msg *m, size_t *ret_steps)
{
	size_t steps = 0;
	for (uint16_t i = 0; i < m->n_extracts; i++) {
		const struct gw_ref *ref = m->extracts[i].ref;
		for (uint16_t k = 0; k < ref->n_steps; k++) {
			if (ref->steps[k].select) {
				return false;
			}
		}
		steps += ref->n_steps;
	}
	*ret_steps = steps;
	return steps < GW_NO_INDEX - 1;
}

int gw_trie_compile(struct gw_arena *a, struct gw_pl_msg *m)
{
	size_t steps = 0;
	if (!is_plain(m, &steps)) {
		return 0; /* selectors choose by content: such a body becomes a tree */
	}
	struct gw_trie *t = gw_arena_alloc(a, sizeof(*t));
	struct gw_trie_node *nodes = gw_arena_alloc(a, (steps + 1) * sizeof(*nodes));
	struct gw_trie_key *keys = gw_arena_alloc(a, (steps + 1) * sizeof(*keys));
	uint16_t *hits = gw_arena_alloc(a, (m->n_extracts + 1u) * sizeof(*hits));
	struct builder b = {.branches = gw_array(struct branch, steps + 1),
			    .end = gw_array(uint16_t, m->n_extracts + 1u),
			    .n = 1};
	int r = -ENOMEM;
	if (t && nodes && keys && hits && b.branches && b.end) {
		b.branches[0] = (struct branch){.index = UINT32_MAX,
						.first_child = GW_NO_INDEX,
						.next_sibling = GW_NO_INDEX};
		for (uint16_t i = 0; i < m->n_extracts; i++) {
			const struct gw_ref *ref = m->extracts[i].ref;
			uint16_t at = 0;
			for (uint16_t k = 0; k < ref->n_steps; k++) {
				at = child_of(&b, at, &ref->steps[k]);
			}
			b.end[i] = ref->kind == GW_REF_TREE ? at : GW_NO_INDEX;
		}
		flatten(&b, m->n_extracts, nodes, keys, hits);
		*t = (struct gw_trie){.nodes = nodes, .keys = keys, .hits = hits};
		m->trie = t;
		r = 0;
	}
	gw_free(b.branches);
	gw_free(b.end);
	return r;
}
