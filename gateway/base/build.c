#include "base/build.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "gw/alloc.h"

/* Maps up to this size are searched member by member. */
enum { SMALL = 16 };

struct gw_place gw_place_of(struct gw_str text, size_t offset)
{
	struct gw_place at = {1, 1};
	for (size_t i = 0; i < offset && i < text.len; i++) {
		if (text.p[i] == '\n') {
			at.line++;
			at.column = 1;
		} else if (((unsigned char)text.p[i] & 0xc0) != 0x80) {
			at.column++;
		}
	}
	return at;
}

void gw_build_init(struct gw_build *b, struct gw_arena *a, const struct gw_node_limits *limits,
		   struct gw_error *error)
{
	*b = (struct gw_build){.arena = a, .error = error};
	if (limits) {
		b->limits = *limits;
	}
	if (b->limits.max_depth == 0 || b->limits.max_depth > GW_BUILD_DEPTH) {
		b->limits.max_depth = GW_BUILD_DEPTH;
	}
}

void gw_build_fini(struct gw_build *b)
{
	gw_free(b->table);
	b->table = NULL;
}

static void add_pointer_step(struct gw_buf *p, struct gw_str key)
{
	gw_buf_putc(p, '/');
	for (size_t i = 0; i < key.len; i++) { /* RFC 6901 §3 */
		if (key.p[i] == '~' || key.p[i] == '/') {
			gw_buf_puts(p, key.p[i] == '~' ? "~0" : "~1");
		} else {
			gw_buf_putc(p, key.p[i]);
		}
	}
}

static void write_pointer(const struct gw_build *b, char *ret_at, size_t cap)
{
	struct gw_buf p = GW_BUF_INIT(cap - 1);
	for (size_t i = 0; i < b->depth; i++) {
		const struct gw_node *n = b->open[i];
		bool innermost = i + 1 == b->depth;
		if (n->type == GW_NODE_LIST) {
			gw_buf_printf(&p, "/%zu", innermost ? n->count : n->count - 1);
		} else if (!innermost) {
			add_pointer_step(&p, n->last->key);
		} else if (b->member) {
			add_pointer_step(&p, b->member->key);
		}
	}
	(void)gw_str_clean(gw_buf_str(&p), cap, ret_at, cap);
	gw_buf_fini(&p);
}

int gw_build_fail(struct gw_build *b, int err, const char *code, struct gw_place at,
		  const char *fmt, ...)
{
	if (!b->error) {
		return err;
	}
	char text[sizeof(b->error->text)];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* a cut text is good enough */
	va_end(ap);
	(void)gw_error_set(b->error, err, code, "%s", text); /* returns err */
	b->error->line = at.line;
	b->error->column = at.column;
	write_pointer(b, b->error->at, sizeof(b->error->at));
	return err;
}

static int fail_memory(struct gw_build *b, struct gw_place at)
{
	(void)gw_build_fail(b, -ENOMEM, "size", at, "needs more memory than it may take");
	return -ENOMEM;
}

static struct gw_build_member *find(const struct gw_build *b, const struct gw_node *map,
				    struct gw_str key, uint64_t hash)
{
	size_t i = (size_t)hash & (b->table_size - 1);
	for (;; i = (i + 1) & (b->table_size - 1)) {
		struct gw_build_member *m = &b->table[i];
		if (!m->map ||
		    (m->hash == hash && m->map == map && gw_str_eq(m->member->key, key))) {
			return m;
		}
	}
}

static bool grow_table(struct gw_build *b)
{
	if (b->table_used < b->table_size / 2) {
		return true;
	}
	struct gw_build old = *b;
	b->table_size = old.table ? old.table_size * 2 : 64;
	b->table = gw_array(struct gw_build_member, b->table_size);
	if (!b->table) {
		*b = old;
		return false;
	}
	if (!old.table) {
		b->hash_key = gw_hash_key_new();
	}
	for (size_t i = 0; old.table && i < old.table_size; i++) {
		const struct gw_build_member *m = &old.table[i];
		if (m->map) {
			*find(b, m->map, m->member->key, m->hash) = *m;
		}
	}
	gw_free(old.table);
	return true;
}

/* Remembers member n of map; *ret_twin is the member with the same key, if there is one. */
static bool remember(struct gw_build *b, const struct gw_node *map, const struct gw_node *n,
		     const struct gw_node **ret_twin)
{
	if (!grow_table(b)) {
		return false;
	}
	uint64_t hash = gw_hash(&b->hash_key, (uintptr_t)map, n->key);
	struct gw_build_member *m = find(b, map, n->key, hash);
	*ret_twin = m->member;
	if (!m->map) {
		*m = (struct gw_build_member){map, n, hash};
		b->table_used++;
	}
	return true;
}

static bool find_twin(struct gw_build *b, const struct gw_node *map, const struct gw_node *n,
		      const struct gw_node **ret_twin)
{
	*ret_twin = NULL;
	if (map->count < SMALL) {
		*ret_twin = gw_node_get_str(map, n->key);
		return true;
	}
	const struct gw_node *none;
	if (map->count == SMALL) {
		gw_node_for(m, map)
		{
			if (!remember(b, map, m, &none)) {
				return false;
			}
		}
	}
	return remember(b, map, n, ret_twin);
}

static int check_text(struct gw_build *b, struct gw_str text, struct gw_place at)
{
	if (b->limits.max_text_bytes && text.len > b->limits.max_text_bytes) {
		return gw_build_fail(b, -E2BIG, "size", at,
				     "a text of %zu bytes, expected at most %" PRIu32, text.len,
				     b->limits.max_text_bytes);
	}
	return 0;
}

int gw_build_key(struct gw_build *b, struct gw_str key, struct gw_place at)
{
	const struct gw_node *map = b->open[b->depth - 1], *twin;
	int r = check_text(b, key, at);
	if (r < 0) {
		return r;
	}
	struct gw_node *n = gw_node_new(b->arena, GW_NODE_NULL);
	struct gw_str copy = gw_arena_text(b->arena, key);
	if (!n || !copy.p) {
		return fail_memory(b, at);
	}
	n->key = copy;
	n->key_line = at.line;
	n->key_column = at.column;
	if (!find_twin(b, map, n, &twin)) {
		return fail_memory(b, at);
	}
	b->member = n;
	if (twin) {
		return twin->key_line
			       ? gw_build_fail(b, -EINVAL, "syntax", at,
					       "key \"%.64s\" is here a second time, first on line "
					       "%" PRIu32 "; expected each key once",
					       copy.p, twin->key_line)
			       : gw_build_fail(b, -EINVAL, "syntax", at,
					       "key \"%.64s\" is here a second time; expected each "
					       "key once",
					       copy.p);
	}
	return 0;
}

int gw_build_value(struct gw_build *b, struct gw_place at, struct gw_node **ret_node)
{
	if (b->limits.max_nodes && b->nodes >= b->limits.max_nodes) {
		(void)gw_build_fail(b, -E2BIG, "size", at,
				    "more than %" PRIu32 " values, expected at most that many",
				    b->limits.max_nodes);
		return -E2BIG;
	}
	struct gw_node *n = b->member ? b->member : gw_node_new(b->arena, GW_NODE_NULL);
	if (!n) {
		return fail_memory(b, at);
	}
	n->line = at.line;
	n->column = at.column;
	if (b->depth == 0) {
		b->root = n;
	} else {
		struct gw_node *parent = b->open[b->depth - 1];
		*(parent->last ? &parent->last->next : &parent->first) = n;
		parent->last = n;
		parent->count++;
	}
	b->member = NULL;
	b->nodes++;
	*ret_node = n;
	return 0;
}

int gw_build_text(struct gw_build *b, struct gw_str text, struct gw_place at)
{
	struct gw_node *n;
	int r = check_text(b, text, at);
	if (r < 0) {
		return r;
	}
	struct gw_str copy = gw_arena_text(b->arena, text);
	if (!copy.p) {
		return fail_memory(b, at);
	}
	r = gw_build_value(b, at, &n);
	if (r == 0) {
		n->type = GW_NODE_TEXT;
		n->text = copy;
	}
	return r;
}

int gw_build_open(struct gw_build *b, enum gw_node_type type, struct gw_place at)
{
	struct gw_node *n;
	if (b->depth >= b->limits.max_depth) {
		return gw_build_fail(b, -E2BIG, "size", at,
				     "nesting deeper than %" PRIu32 ", expected at most that",
				     b->limits.max_depth);
	}
	int r = gw_build_value(b, at, &n);
	if (r == 0) {
		n->type = type;
		b->open[b->depth++] = n;
	}
	return r;
}

void gw_build_close(struct gw_build *b)
{
	b->depth--;
}
