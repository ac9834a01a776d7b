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

/*
 * item: a struct entry, or the value itself when it has its key inside. NULL: free. The mark REMOVED keeps probe sequences whole, so that an
 * iteration may remove what it sees.
 */
struct slot {
	uint64_t hash;
	void *item;
};

struct gw_map {
	struct gw_hash_key key;
	bool inside; /* keys are texts in the values, at offset */
	size_t offset;
	size_t max, count, used; /* used: items and removed marks */
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

struct gw_map *gw_map_new_inside(size_t max_entries, size_t key_offset)
{
	struct gw_map *m = gw_map_new(max_entries);
	if (m) {
		m->inside = true;
		m->offset = key_offset;
	}
	return m;
}

static bool is_live(const struct slot *s)
{
	return s->item && s->item != REMOVED;
}

static struct gw_str key_of(const struct gw_map *m, const void *item)
{
	const struct entry *e = item;
	return m->inside ? gw_str((const char *)item + m->offset) : (struct gw_str){e->key, e->len};
}

static void *value_of(const struct gw_map *m, void *item)
{
	return m->inside ? item : ((struct entry *)item)->value;
}

void gw_map_free(struct gw_map *m, void (*free_value)(void *))
{
	if (!m) {
		return;
	}
	for (size_t i = 0; i < m->size; i++) {
		if (is_live(&m->slots[i])) {
			void *item = m->slots[i].item;
			if (free_value) {
				free_value(value_of(m, item));
			}
			if (!m->inside) {
				gw_free(item);
			}
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
		if (!s->item) {
			return NULL;
		}
		if (s->hash == hash && s->item != REMOVED && gw_str_eq(key_of(m, s->item), key)) {
			return s;
		}
	}
}

void *gw_map_find(const struct gw_map *m, struct gw_str key)
{
	struct slot *s = find_slot(m, key, gw_hash(&m->key, 0, key));
	return s ? value_of(m, s->item) : NULL;
}

static void place(struct slot *slots, size_t size, struct slot what)
{
	size_t i = (size_t)what.hash & (size - 1);
	while (slots[i].item) {
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

static struct entry *new_entry(struct gw_str key, void *value)
{
	size_t bytes;
	if (__builtin_add_overflow(sizeof(struct entry), key.len, &bytes)) {
		return NULL;
	}
	struct entry *e = gw_alloc0(1, bytes);
	if (e) {
		e->value = value;
		e->len = key.len;
		if (key.len > 0) {
			memcpy(e->key, key.p, key.len);
		}
	}
	return e;
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
	void *item = m->inside ? value : new_entry(key, value);
	if (!item || make_room(m) < 0) {
		if (!m->inside) {
			gw_free(item);
		}
		return -ENOMEM;
	}
	place(m->slots, m->size, (struct slot){hash, item});
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
	void *value = value_of(m, s->item);
	if (!m->inside) {
		gw_free(s->item);
	}
	s->item = REMOVED;
	m->count--;
	return value;
}

bool gw_map_next(const struct gw_map *m, size_t *pos, struct gw_str *ret_key, void **ret_value)
{
	for (; *pos < m->size; (*pos)++) {
		const struct slot *s = &m->slots[*pos];
		if (is_live(s)) {
			*ret_key = key_of(m, s->item);
			*ret_value = value_of(m, s->item);
			(*pos)++;
			return true;
		}
	}
	return false;
}
