/* What depends on what: point → capabilities, the order of recomputing, known texts; addresses that moved. */
#include <errno.h>
#include <stdlib.h>

#include "gw/alloc.h"
#include "profile/compile.h"

/* --- texts that a point may carry --- */

int gw_compile_known(struct gw_compiler *c, uint16_t point, const struct gw_raw *raw)
{
	if (raw->type != GW_RAW_TEXT) {
		return 0;
	}
	if (c->n_known == c->known_size) {
		size_t size = c->known_size ? c->known_size * 2 : 64;
		struct gw_known *grown = gw_realloc(c->known, size, sizeof(*grown));
		if (!grown) {
			return -ENOMEM;
		}
		c->known = grown;
		c->known_size = size;
	}
	c->known[c->n_known++] = (struct gw_known){point, raw->text};
	return 0;
}

static int known_of_point(struct gw_compiler *c, uint16_t index)
{
	const struct gw_pl_point *p = &c->plan->points[index];
	int r = gw_compile_known(c, index, &p->init);
	r = r < 0 ? r : gw_compile_known(c, index, &p->absent);
	for (uint16_t i = 0; r == 0 && i < p->n_map; i++) {
		const struct gw_raw key = {.type = GW_RAW_TEXT, .text = p->map[i].key};
		r = gw_compile_known(c, index, &key);
	}
	for (uint16_t i = 0; r == 0 && i < p->n_na; i++) {
		r = gw_compile_known(c, index, &p->na[i]);
	}
	return r;
}

static int compare_known(const void *x, const void *y)
{
	const struct gw_known *a = x, *b = y;
	if (a->point != b->point) {
		return a->point < b->point ? -1 : 1;
	}
	return gw_str_cmp(gw_text_str(a->text), gw_text_str(b->text));
}

static int known_texts(struct gw_compiler *c)
{
	struct gw_plan *p = c->plan;
	for (uint16_t i = 0; i < p->n_points; i++) {
		int r = known_of_point(c, i);
		if (r < 0) {
			return r;
		}
	}
	struct gw_text **texts = gw_compile_array(c, struct gw_text *, c->n_known);
	if (!texts) {
		return -ENOMEM;
	}
	if (c->n_known > 1) {
		qsort(c->known, c->n_known, sizeof(*c->known), compare_known);
	}
	for (size_t i = 0; i < c->n_known; i++) {
		struct gw_pl_point *point = &p->points[c->known[i].point];
		texts[i] = c->known[i].text;
		if (!point->known) {
			point->known = &texts[i];
		}
		point->n_known++; /* a text twice does no harm */
	}
	return 0;
}

/* --- capabilities that name capabilities --- */

static void unite(uint64_t *into, const uint64_t *from, size_t words)
{
	for (size_t i = 0; i < words; i++) {
		into[i] |= from[i];
	}
}

static bool names_any(const uint64_t *set, size_t words)
{
	uint64_t any = 0;
	for (size_t i = 0; i < words; i++) {
		any |= set[i];
	}
	return any != 0;
}

/* Each round takes those whose capabilities are all done; the number of rounds is the depth of the chain. */
static int sort_caps(struct gw_compiler *c, uint16_t *order, uint64_t *done)
{
	struct gw_plan *p = c->plan;
	size_t n = 0;
	for (unsigned round = 0; n < p->n_caps && round <= GW_CAP_DEPTH; round++) {
		size_t before = n;
		for (uint16_t i = 0; i < p->n_caps; i++) {
			const uint64_t *reads = c->cap_reads + i * p->cap_words;
			bool ready = !gw_bit_test(done, i);
			for (size_t w = 0; w < p->cap_words; w++) {
				ready &= (reads[w] & ~done[w]) == 0;
			}
			if (!ready) {
				continue;
			}
			for (uint16_t k = 0; k < p->n_caps; k++) {
				if (gw_bit_test(reads, k)) {
					unite(c->cap_points + i * p->point_words,
					      c->cap_points + k * p->point_words, p->point_words);
				}
			}
			order[n++] = i;
		}
		for (size_t i = before; i < n; i++) {
			gw_bit_set(done, order[i]);
		}
		if (n == before) {
			break;
		}
	}
	for (uint16_t i = 0; n < p->n_caps && i < p->n_caps; i++) {
		if (!gw_bit_test(done, i)) {
			gw_compile_go_to(c, &p->caps[i]);
			return gw_refuse(
				c, p->caps[i].node, NULL, "cycle",
				"its value depends on itself, or on a chain of more than %d capabilities",
				GW_CAP_DEPTH);
		}
	}
	return 0;
}

static int points_of_cap(struct gw_compiler *c, uint16_t index, uint16_t rank)
{
	struct gw_plan *p = c->plan;
	struct gw_pl_cap *cap = &p->caps[index];
	const uint64_t *points = c->cap_points + index * p->point_words;
	size_t n = 0;
	for (size_t w = 0; w < p->point_words; w++) {
		n += (size_t)__builtin_popcountll(points[w]);
	}
	cap->points = gw_compile_array(c, uint16_t, n);
	if (!cap->points) {
		return -ENOMEM;
	}
	for (uint16_t i = 0; i < p->n_points; i++) {
		if (gw_bit_test(points, i)) {
			cap->points[cap->n_points++] = i;
			gw_bit_set(p->deps + i * p->cap_words, index);
			if (p->ranked) {
				gw_bit_set(p->ranked + i * p->cap_words, rank);
			}
		}
	}
	return 0;
}

int gw_compile_order(struct gw_compiler *c)
{
	struct gw_plan *p = c->plan;
	uint16_t *order = gw_compile_array(c, uint16_t, p->n_caps);
	uint64_t *done = gw_compile_array(c, uint64_t, p->cap_words);
	p->deps = gw_compile_array(c, uint64_t, p->n_points * p->cap_words);
	if (!order || !done || !p->deps) {
		return -ENOMEM;
	}
	if (names_any(c->cap_reads, p->n_caps * p->cap_words)) {
		int r = sort_caps(c, order, done);
		if (r < 0) {
			return r;
		}
		p->order = order;
		p->ranked = gw_compile_array(c, uint64_t, p->n_points * p->cap_words);
		if (!p->ranked) {
			return -ENOMEM;
		}
	}
	for (uint16_t rank = 0; rank < p->n_caps; rank++) {
		int r = points_of_cap(c, p->order ? p->order[rank] : rank, rank);
		if (r < 0) {
			return r;
		}
	}
	return known_texts(c);
}

/* --- moved, no_test --- */

static int moved(struct gw_compiler *c, const struct gw_node *map)
{
	struct gw_plan *p = c->plan;
	p->moved = gw_compile_array(c, struct gw_moved, map ? map->count : 0);
	if (!p->moved) {
		return -ENOMEM;
	}
	size_t mark = gw_at(c, GW_STR("moved"));
	gw_node_for(n, map)
	{
		size_t inner = gw_at(c, n->key);
		int cap = n->type == GW_NODE_TEXT ? gw_address_find(p, n->text) : -ENOENT;
		if (cap < 0) {
			return gw_refuse(c, n, NULL, "ref", "the new address names no capability");
		}
		if (gw_address_find(p, n->key) >= 0) {
			return gw_refuse(c, n, NULL, "name",
					 "the old address is still a capability");
		}
		p->moved[p->n_moved++] = (struct gw_moved){.from = n->key, .cap = (uint16_t)cap};
		gw_at_back(c, inner);
	}
	gw_at_back(c, mark);
	return 0;
}

int gw_compile_moved(struct gw_compiler *c)
{
	c->at[0] = 0;
	int r = moved(c, gw_node_get(c->plan->tree, "moved"));
	size_t i = 0;
	if (r < 0) {
		return r;
	}
	size_t mark = gw_at(c, GW_STR("no_test"));
	gw_node_for(n, gw_node_get(c->plan->tree, "no_test"))
	{
		size_t inner = gw_at_index(c, i++);
		if (n->type != GW_NODE_TEXT || gw_plan_find_cap(c->plan, n->text) < 0) {
			return gw_refuse(c, n, NULL, "ref", "no capability of this profile");
		}
		gw_at_back(c, inner);
	}
	gw_at_back(c, mark);
	return 0;
}
