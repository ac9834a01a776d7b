#include "gw/map.h"

#include <errno.h>
#include <stdint.h>

#include "base/hash.h"
#include "gw/alloc.h"

struct entry {
	void *value;
	size_t len;
	char key[];
};

/* entry NULL: free. The mark REMOVED keeps probe sequences whole, so that an iteration may remove what it sees. */
struct slot {
	uint64_t hash;
	struct entry *entry;
};

struct gw_map {
	struct gw_hash_key key;
	size_t max, count, used; /* used: entries and removed marks */
	size_t size;		 /* of slots: 0 or a power of two */
	struct slot *slots;
};

static struct entry removed_mark;
#define REMOVED (&removed_mark)

struct gw_map *gw_map_new(size_t max_entries)
{
	struct gw_map *m = gw_new(struct gw_map);
	if (m) {
		m->key = gw_hash_key_new();
		m->max = max_entries;
	}
	return m;
}

static bool is_live(const struct slot *s)
{
	return s->entry && s->entry != REMOVED;
}

void gw_map_free(struct gw_map *m, void (*free_value)(void *))
{
	if (!m) {
		return;
	}
	for (size_t i = 0; i < m->size; i++) {
		if (is_live(&m->slots[i])) {
			if (free_value) {
				free_value(m->slots[i].entry->value);
			}
			gw_free(m->slots[i].entry);
		}
	}
	gw_free(m->slots);
	gw_free(m);
}

size_t gw_map_count(const struct gw_map *m)
{
	return m->count;
}

static struct slot *find_slot(const struct gw_map *m, struct gw_str key, uint64_t hash)
{
	if (m->size == 0) {
		return NULL;
	}
	for (size_t i = (size_t)hash & (m->size - 1);; i = (i + 1) & (m->size - 1)) {
		struct slot *s = &m->slots[i];
		if (!s->entry) {
			return NULL;
		}
		if (s->hash == hash && s->entry != REMOVED &&
		    gw_str_eq((struct gw_str){s->entry->key, s->entry->len}, key)) {
			return s;
		}
	}
}

void *gw_map_find(const struct gw_map *m, struct gw_str key)
{
	struct slot *s = find_slot(m, key, gw_hash(&m->key, 0, key));
	return s ? s->entry->value : NULL;
}

static void place(struct slot *slots, size_t size, struct slot what)
{
	size_t i = (size_t)what.hash & (size - 1);
	while (slots[i].entry) {
		i = (i + 1) & (size - 1);
	}
	slots[i] = what;
}

/* At most three quarters are used; removed marks go away with each move. */
static int make_room(struct gw_map *m)
{
	if (m->used + 1 <= m->size / 4 * 3) {
		return 0;
	}
	size_t size = 8;
	while (size / 2 < m->count + 1) {
		if (__builtin_mul_overflow(size, 2U, &size)) {
			return -ENOMEM;
		}
	}
	struct slot *slots = gw_array(struct slot, size);
	if (!slots) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < m->size; i++) {
		if (is_live(&m->slots[i])) {
			place(slots, size, m->slots[i]);
		}
	}
	gw_free(m->slots);
	m->slots = slots;
	m->size = size;
	m->used = m->count;
	return 0;
}

int gw_map_put(struct gw_map *m, struct gw_str key, void *value)
{
	uint64_t hash = gw_hash(&m->key, 0, key);
	if (find_slot(m, key, hash)) {
		return -EEXIST;
	}
	if (m->count >= m->max) {
		return -ENOSPC;
	}
	size_t bytes;
	if (__builtin_add_overflow(sizeof(struct entry), key.len, &bytes)) {
		return -ENOMEM;
	}
	struct entry *e = gw_alloc0(1, bytes);
	if (!e || make_room(m) < 0) {
		gw_free(e);
		return -ENOMEM;
	}
	e->value = value;
	e->len = key.len;
	if (key.len > 0) {
		memcpy(e->key, key.p, key.len);
	}
	place(m->slots, m->size, (struct slot){hash, e});
	m->count++;
	m->used++;
	return 0;
}

void *gw_map_remove(struct gw_map *m, struct gw_str key)
{
	struct slot *s = find_slot(m, key, gw_hash(&m->key, 0, key));
	if (!s) {
		return NULL;
	}
	void *value = s->entry->value;
	gw_free(s->entry);
	s->entry = REMOVED;
	m->count--;
	return value;
}

bool gw_map_next(const struct gw_map *m, size_t *pos, struct gw_str *ret_key, void **ret_value)
{
	for (; *pos < m->size; (*pos)++) {
		const struct slot *s = &m->slots[*pos];
		if (is_live(s)) {
			*ret_key = (struct gw_str){s->entry->key, s->entry->len};
			*ret_value = s->entry->value;
			(*pos)++;
			return true;
		}
	}
	return false;
}
