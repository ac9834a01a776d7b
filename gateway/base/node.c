#include "gw/node.h"

#include <errno.h>
#include <stdlib.h>

#include "gw/alloc.h"
#include "gw/json.h"

/* --- arena --- */

/* The first chunk and its head: within what malloc keeps at hand (1,032 bytes with glibc). */
enum { ALIGN = 16, FIRST_CHUNK = 1024 - 16, LARGEST_CHUNK = 64 * 1024 };

struct chunk {
	struct chunk *next;
	size_t size;
	_Alignas(ALIGN) char data[];
};

struct gw_arena {
	struct chunk *chunk; /* the one that is being filled, then the full ones */
	size_t used;	     /* of chunk */
	size_t left;	     /* of the cap */
};

struct gw_arena *gw_arena_new(size_t cap_bytes)
{
	struct gw_arena *a = gw_new(struct gw_arena);
	if (a) {
		a->left = cap_bytes;
	}
	return a;
}

void gw_arena_free(struct gw_arena *a)
{
	if (!a) {
		return;
	}
	while (a->chunk) {
		struct chunk *next = a->chunk->next;
		gw_free(a->chunk);
		a->chunk = next;
	}
	gw_free(a);
}

static bool add_chunk(struct gw_arena *a, size_t need)
{
	size_t size = a->chunk ? a->chunk->size * 2 : FIRST_CHUNK, bytes;
	size = size > LARGEST_CHUNK ? LARGEST_CHUNK : size;
	size = size > a->left ? a->left : size;
	size = size < need ? need : size;
	if (__builtin_add_overflow(sizeof(struct chunk), size, &bytes)) {
		return false;
	}
	struct chunk *c = gw_realloc(NULL, bytes, 1);
	if (!c) {
		return false;
	}
	c->next = a->chunk;
	c->size = size;
	a->chunk = c;
	a->used = 0;
	return true;
}

static void *take(struct gw_arena *a, size_t size, size_t align)
{
	size_t pad = a->chunk ? -a->used & (align - 1) : 0;
	size_t need;
	if (__builtin_add_overflow(size, pad, &need) || need > a->left) {
		return NULL;
	}
	if (!a->chunk || need > a->chunk->size - a->used) {
		if (!add_chunk(a, size)) {
			return NULL;
		}
		need = size;
	}
	a->used += need;
	a->left -= need;
	return a->chunk->data + a->used - size;
}

void *gw_arena_alloc(struct gw_arena *a, size_t size)
{
	void *p = take(a, size ? size : 1, ALIGN);
	return p ? memset(p, 0, size) : NULL; /* not whole chunks: most are never filled */
}

struct gw_str gw_arena_text(struct gw_arena *a, struct gw_str s)
{
	size_t bytes;
	char *p = __builtin_add_overflow(s.len, 1, &bytes) ? NULL : take(a, bytes, 1);
	if (!p) {
		return (struct gw_str){NULL, 0};
	}
	if (s.len > 0) {
		memcpy(p, s.p, s.len);
	}
	p[s.len] = '\0';
	return (struct gw_str){p, s.len};
}

/* --- access --- */

struct gw_node *gw_node_get_str(const struct gw_node *map, struct gw_str key)
{
	if (!map || map->type != GW_NODE_MAP) {
		return NULL;
	}
	gw_node_for(n, map)
	{
		if (gw_str_eq(n->key, key)) {
			return n;
		}
	}
	return NULL;
}

struct gw_node *gw_node_get(const struct gw_node *map, const char *key)
{
	return gw_node_get_str(map, gw_str(key));
}

struct gw_node *gw_node_at(const struct gw_node *list, size_t index)
{
	if (!list || list->type != GW_NODE_LIST || index >= list->count) {
		return NULL;
	}
	struct gw_node *n = list->first;
	while (index-- > 0) {
		n = n->next;
	}
	return n;
}

/* RFC 6901 §4: "~1" is "/", "~0" is "~"; anything else after "~" is an error and matches nothing. */
static bool step_is(struct gw_str step, struct gw_str key)
{
	size_t k = 0;
	for (size_t i = 0; i < step.len; i++, k++) {
		char c = step.p[i];
		if (c == '~') {
			i++;
			if (i == step.len || (step.p[i] != '0' && step.p[i] != '1')) {
				return false;
			}
			c = step.p[i] == '0' ? '~' : '/';
		}
		if (k >= key.len || key.p[k] != c) {
			return false;
		}
	}
	return k == key.len;
}

static struct gw_node *pointer_step(const struct gw_node *n, struct gw_str step)
{
	if (n->type == GW_NODE_MAP) {
		gw_node_for(m, n)
		{
			if (step_is(step, m->key)) {
				return m;
			}
		}
		return NULL;
	}
	uint64_t index;
	if (n->type != GW_NODE_LIST || (step.len > 1 && step.p[0] == '0') ||
	    gw_parse_u64(step, &index) < 0 || index > SIZE_MAX) {
		return NULL;
	}
	return gw_node_at(n, (size_t)index);
}

struct gw_node *gw_node_pointer(const struct gw_node *root, struct gw_str pointer)
{
	union {
		const struct gw_node *in;
		struct gw_node
			*out; /* the caller's tree: what it may do with it is its own affair */
	} n = {.in = root};
	if (pointer.len == 0 || !root) {
		return n.out;
	}
	if (pointer.p[0] != '/') {
		return NULL;
	}
	struct gw_str rest = gw_str_sub(pointer, 1, pointer.len), step;
	while (n.in && gw_str_split(&rest, '/', &step)) {
		n.out = pointer_step(n.in, step);
	}
	return n.out;
}

bool gw_node_is_text(const struct gw_node *n, const char *text)
{
	return n && n->type == GW_NODE_TEXT && gw_str_is(n->text, text);
}

const char *gw_node_text(const struct gw_node *map, const char *key)
{
	const struct gw_node *n = gw_node_get(map, key);
	if (!n || n->type != GW_NODE_TEXT || memchr(n->text.p, '\0', n->text.len)) {
		return NULL;
	}
	return n->text.p;
}

/* --- makers --- */

struct gw_node *gw_node_new(struct gw_arena *a, enum gw_node_type type)
{
	struct gw_node *n = take(a, sizeof(*n), _Alignof(struct gw_node));
	if (n) {
		*n = (struct gw_node){.type = type, .key = {"", 0}};
		if (type == GW_NODE_TEXT) {
			n->text.p = "";
		}
	}
	return n;
}

struct gw_node *gw_node_new_number(struct gw_arena *a, double v)
{
	struct gw_node *n = gw_node_new(a, GW_NODE_NUMBER);
	if (n) {
		n->number = v;
	}
	return n;
}

struct gw_node *gw_node_new_text(struct gw_arena *a, struct gw_str s)
{
	struct gw_node *n = gw_node_new(a, GW_NODE_TEXT);
	struct gw_str copy = gw_arena_text(a, s);
	if (!n || !copy.p) {
		return NULL;
	}
	n->text = copy;
	return n;
}

struct gw_node *gw_node_new_bool(struct gw_arena *a, bool v)
{
	struct gw_node *n = gw_node_new(a, GW_NODE_BOOL);
	if (n) {
		n->flag = v;
	}
	return n;
}

static void link_last(struct gw_node *parent, struct gw_node *child)
{
	child->next = NULL;
	*(parent->last ? &parent->last->next : &parent->first) = child;
	parent->last = child;
	parent->count++;
}

int gw_node_append(struct gw_node *list, struct gw_node *value)
{
	if (!list || list->type != GW_NODE_LIST || !value) {
		return -EINVAL;
	}
	link_last(list, value);
	return 0;
}

int gw_node_set(struct gw_arena *a, struct gw_node *map, struct gw_str key, struct gw_node *value)
{
	if (!map || map->type != GW_NODE_MAP || !value) {
		return -EINVAL;
	}
	struct gw_node *before = NULL, *old = map->first;
	while (old && !gw_str_eq(old->key, key)) {
		before = old;
		old = old->next;
	}
	if (old == value && old) {
		return 0;
	}
	value->key = old ? old->key : gw_arena_text(a, key);
	if (!value->key.p) {
		value->key = GW_STR("");
		return -ENOMEM;
	}
	if (!old) {
		link_last(map, value);
		return 0;
	}
	value->next = old->next;
	*(before ? &before->next : &map->first) = value;
	map->last = map->last == old ? value : map->last;
	return 0;
}

bool gw_node_remove(struct gw_node *map, struct gw_str key)
{
	struct gw_node *before = NULL;
	if (!map || map->type != GW_NODE_MAP) {
		return false;
	}
	gw_node_for(n, map)
	{
		if (gw_str_eq(n->key, key)) {
			*(before ? &before->next : &map->first) = n->next;
			map->last = map->last == n ? before : map->last;
			map->count--;
			return true;
		}
		before = n;
	}
	return false;
}

/* --- whole trees: explicit stacks, so that depth costs no C stack --- */

enum { DEPTH = 64 };

static bool is_container(const struct gw_node *n)
{
	return n->type == GW_NODE_LIST || n->type == GW_NODE_MAP;
}

static struct gw_node *copy_one(struct gw_arena *a, const struct gw_node *n)
{
	struct gw_node *c = gw_node_new(a, n->type);
	if (!c) {
		return NULL;
	}
	*c = *n;
	c->next = NULL;
	c->key = gw_arena_text(a, n->key);
	bool copied = c->key.p;
	if (n->type == GW_NODE_TEXT) {
		c->text = gw_arena_text(a, n->text);
		copied = copied && c->text.p;
	} else if (is_container(n)) {
		c->first = c->last = NULL;
		c->count = 0;
	}
	return copied ? c : NULL;
}

struct gw_node *gw_node_copy(struct gw_arena *a, const struct gw_node *n)
{
	struct {
		const struct gw_node *from; /* the next child to copy */
		struct gw_node *to;
	} stack[DEPTH];
	size_t depth = 0;
	struct gw_node *root = copy_one(a, n);
	if (root && is_container(n)) {
		stack[0].from = n->first;
		stack[depth++].to = root;
	}
	while (root && depth > 0) {
		const struct gw_node *from = stack[depth - 1].from;
		if (!from) {
			depth--;
			continue;
		}
		stack[depth - 1].from = from->next;
		struct gw_node *c = copy_one(a, from);
		if (!c || (is_container(from) && depth == DEPTH)) {
			return NULL;
		}
		link_last(stack[depth - 1].to, c);
		if (is_container(from)) {
			stack[depth].from = from->first;
			stack[depth++].to = c;
		}
	}
	return root;
}

/* Order of UTF-16 code units (RFC 8785 §3.2.3): as that of bytes, but surrogates (4 bytes) come before U+E000…U+FFFF. */
static int cmp_utf16(struct gw_str a, struct gw_str b)
{
	size_t n = a.len < b.len ? a.len : b.len, i = 0;
	while (i < n && a.p[i] == b.p[i]) {
		i++;
	}
	if (i == n) {
		return (a.len > b.len) - (a.len < b.len);
	}
	unsigned char x = (unsigned char)a.p[i], y = (unsigned char)b.p[i];
	if (x >= 0xee && y >= 0xee && (x >= 0xf0) != (y >= 0xf0)) {
		return x >= 0xf0 ? -1 : 1;
	}
	return x < y ? -1 : 1;
}

static int cmp_members(const void *a, const void *b)
{
	return cmp_utf16((*(const struct gw_node *const *)a)->key,
			 (*(const struct gw_node *const *)b)->key);
}

/* One container on the way through a tree: its children as they are, or sorted. */
struct walk {
	const struct gw_node *parent, *next;
	const struct gw_node **sorted;
	size_t i;
};

static bool is_sorted(const struct gw_node *map)
{
	gw_node_for(n, map)
	{
		if (n->next && cmp_utf16(n->key, n->next->key) > 0) {
			return false;
		}
	}
	return true;
}

static int walk_open(struct walk *w, const struct gw_node *n, bool sort)
{
	*w = (struct walk){.parent = n, .next = n->first};
	if (!sort || n->type != GW_NODE_MAP || is_sorted(n)) {
		return 0;
	}
	w->sorted = gw_array(const struct gw_node *, n->count);
	if (!w->sorted) {
		return -ENOMEM;
	}
	size_t i = 0;
	gw_node_for(m, n)
	{
		w->sorted[i++] = m;
	}
	qsort(w->sorted, n->count, sizeof(void *), cmp_members);
	return 0;
}

static const struct gw_node *walk_next(struct walk *w)
{
	if (w->sorted) {
		return w->i < w->parent->count ? w->sorted[w->i++] : NULL;
	}
	const struct gw_node *n = w->next;
	if (n) {
		w->next = n->next;
		w->i++;
	}
	return n;
}

static void walk_close(struct walk *w)
{
	gw_free(w->sorted);
}

static void write_scalar(struct gw_buf *b, const struct gw_node *n)
{
	if (n->type == GW_NODE_TEXT) {
		gw_json_write_text(b, n->text);
	} else if (n->type == GW_NODE_NUMBER) {
		gw_json_write_double(b, n->number);
	} else if (n->type == GW_NODE_BOOL) {
		gw_buf_puts(b, n->flag ? "true" : "false");
	} else {
		gw_buf_puts(b, "null");
	}
}

struct writer {
	struct gw_buf *out;
	bool sort;
	size_t depth;
	struct walk stack[DEPTH];
};

/* Writes a scalar, or the begin of a container. */
static int write_begin(struct writer *w, const struct gw_node *n)
{
	if (!is_container(n)) {
		write_scalar(w->out, n);
		return 0;
	}
	int r = w->depth < DEPTH ? walk_open(&w->stack[w->depth], n, w->sort) : -E2BIG;
	if (r == 0) {
		w->depth++;
		gw_buf_putc(w->out, n->type == GW_NODE_MAP ? '{' : '[');
	}
	return r;
}

/* Closes what is complete; writes what stands before the next node, which is returned. */
static const struct gw_node *write_between(struct writer *w)
{
	while (w->depth > 0) {
		struct walk *top = &w->stack[w->depth - 1];
		bool map = top->parent->type == GW_NODE_MAP;
		const struct gw_node *n = walk_next(top);
		if (!n) {
			gw_buf_putc(w->out, map ? '}' : ']');
			walk_close(top);
			w->depth--;
			continue;
		}
		if (top->i > 1) {
			gw_buf_putc(w->out, ',');
		}
		if (map) {
			gw_json_write_text(w->out, n->key);
			gw_buf_putc(w->out, ':');
		}
		return n;
	}
	return NULL;
}

void gw_node_write(struct gw_buf *b, const struct gw_node *n, bool source_order)
{
	struct writer w;
	w.out = b;
	w.sort = !source_order;
	w.depth = 0; /* the stack is filled as far as it is used */
	while (n) {
		int r = write_begin(&w, n);
		if (r < 0) {
			b->error = b->error ? b->error : r;
			break;
		}
		n = write_between(&w);
	}
	while (w.depth > 0) {
		walk_close(&w.stack[--w.depth]);
	}
}

static bool equal_flat(const struct gw_node *a, const struct gw_node *b)
{
	if (a->type != b->type) {
		return false;
	}
	switch (a->type) {
	case GW_NODE_NULL: return true;
	case GW_NODE_BOOL: return a->flag == b->flag;
	case GW_NODE_NUMBER: return a->number == b->number;
	case GW_NODE_TEXT: return gw_str_eq(a->text, b->text);
	case GW_NODE_LIST:
	case GW_NODE_MAP: return a->count == b->count;
	}
	return false;
}

bool gw_node_equal(const struct gw_node *a, const struct gw_node *b)
{
	struct walk stack[DEPTH][2];
	size_t depth = 0;
	bool equal = equal_flat(a, b);
	while (equal) {
		if (is_container(a)) {
			if (depth == DEPTH) {
				equal = false;
				break;
			}
			struct walk *w = stack[depth++];
			int r = walk_open(&w[0], a, /* sort= */ true);
			equal = (walk_open(&w[1], b, /* sort= */ true) | r) == 0;
		}
		a = NULL;
		while (equal && depth > 0 && !(a = walk_next(&stack[depth - 1][0]))) {
			depth--;
			walk_close(&stack[depth][0]);
			walk_close(&stack[depth][1]);
		}
		if (!equal || !a) {
			break;
		}
		b = walk_next(&stack[depth - 1][1]);
		equal = b && equal_flat(a, b) && gw_str_eq(a->key, b->key);
	}
	while (depth > 0) {
		depth--;
		walk_close(&stack[depth][0]);
		walk_close(&stack[depth][1]);
	}
	return equal;
}

int gw_node_text_form(const struct gw_node *n, struct gw_buf *b)
{
	if (is_container(n)) {
		return -EINVAL;
	}
	if (n->type == GW_NODE_TEXT) {
		gw_buf_add_str(b, n->text);
	} else {
		write_scalar(b, n);
	}
	return gw_buf_error(b);
}
