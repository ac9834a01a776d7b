#include "profile/compose.h"

#include <errno.h>
#include <stdio.h>

#include "gw/limits.h"
#include "profile/library.h"

/* --- pointers --- */

void gw_at_push(char *at, size_t cap, struct gw_str token)
{
	size_t n = strlen(at);
	if (n + 1 < cap) {
		at[n++] = '/';
	}
	for (size_t i = 0; i < token.len && n + 2 < cap; i++) {
		char c = token.p[i];
		if (c == '~' || c == '/') { /* RFC 6901 §3 */
			at[n++] = '~';
			c = c == '~' ? '0' : '1';
		}
		at[n++] = c;
	}
	at[n] = '\0';
}

void gw_at_push_index(char *at, size_t cap, size_t index)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%zu", index);
	gw_at_push(at, cap, (struct gw_str){text, (size_t)n});
}

/* --- merge (§3) --- */

static int no_memory(struct gw_error *e)
{
	return gw_error_set(e, -ENOMEM, "size", "the composed profile does not fit in memory");
}

/* Puts a copy of from in the place of m, which keeps its place and name. */
static int replace(struct gw_arena *a, struct gw_node *m, const struct gw_node *from)
{
	struct gw_node *c = gw_node_copy(a, from);
	if (!c) {
		return -ENOMEM;
	}
	c->key = m->key;
	c->next = m->next;
	c->key_line = from->key_line;
	c->key_column = from->key_column;
	*m = *c;
	return 0;
}

static int append(struct gw_arena *a, struct gw_node *map, const struct gw_node *from)
{
	struct gw_node *c = gw_node_copy(a, from);
	if (!c || gw_node_set(a, map, from->key, c) < 0) {
		return -ENOMEM;
	}
	map->last->key_line = from->key_line;
	map->last->key_column = from->key_column;
	return 0;
}

static int merge(struct gw_arena *a, struct gw_node *into, const struct gw_node *from)
{
	gw_node_for(b, from)
	{
		struct gw_node *m = gw_node_get_str(into, b->key);
		int r = 0;
		if (b->type == GW_NODE_NULL) {
			(void)gw_node_remove(into, b->key); /* absent already is as good */
		} else if (m && m->type == GW_NODE_MAP && b->type == GW_NODE_MAP) {
			r = merge(a, m, b); /* depth: both sides passed the nesting limit */
		} else if (m) {
			r = replace(a, m, b);
		} else {
			r = append(a, into, b);
		}
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

int gw_compose_merge_member(struct gw_arena *a, struct gw_node *into, const struct gw_node *from,
			    const char *key)
{
	const struct gw_node *b = gw_node_get(from, key);
	struct gw_node *m = gw_node_get(into, key);
	if (!b || b->type == GW_NODE_NULL) {
		return 0;
	}
	if (m && m->type == GW_NODE_MAP && b->type == GW_NODE_MAP) {
		return merge(a, m, b);
	}
	return m ? replace(a, m, b) : append(a, into, b);
}

/* --- extends and use --- */

struct composer {
	struct gw_arena *arena;
	struct gw_library *library;
	struct gw_error *error;
	struct gw_source *sources, **last;
	struct gw_str path[GW_PROFILE_EXTENDS + 1]; /* ids being composed: loops */
	unsigned depth;
};

static int refuse(struct composer *c, const char *at, const char *code, const char *fmt, ...)
	GW_PRINTF(4, 5);

static int refuse(struct composer *c, const char *at, const char *code, const char *fmt, ...)
{
	char text[200];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* a clipped text is still an error text */
	va_end(ap);
	int r = gw_error_set(c->error, -EINVAL, code, "%s", text);
	if (c->error) {
		snprintf(c->error->at, sizeof(c->error->at), "%s", at);
	}
	return r;
}

static int compose(struct composer *c, const struct gw_node *root, struct gw_node **ret_tree);

/* The composed tree of another file. Whatever is wrong inside is shown at the place that names it. */
static int inherit(struct composer *c, const struct gw_node *name, const char *at,
		   struct gw_node **ret_tree)
{
	if (name->type != GW_NODE_TEXT) {
		return refuse(c, at, "schema", "expected the id of a profile");
	}
	for (unsigned i = 0; i < c->depth; i++) {
		if (gw_str_eq(c->path[i], name->text)) {
			return refuse(c, at, "cycle", "\"%.*s\" leads back to itself",
				      GW_STR_ARG(gw_str_sub(name->text, 0, 80)));
		}
	}
	if (c->depth > GW_PROFILE_EXTENDS) {
		return refuse(c, at, "size",
			      "\"%.*s\" lies more than 8 levels of extends and use deep",
			      GW_STR_ARG(gw_str_sub(name->text, 0, 80)));
	}
	struct gw_source *source = gw_arena_alloc(c->arena, sizeof(*source));
	if (!source) {
		return no_memory(c->error);
	}
	int r = gw_library_source(c->library, name->text, c->arena, source, c->error);
	if (r == -ENOENT) {
		return refuse(c, at, "ref", "no profile \"%.*s\" in the library",
			      GW_STR_ARG(gw_str_sub(name->text, 0, 80)));
	}
	if (r == 0) {
		*c->last = source;
		c->last = &source->next;
		c->path[c->depth++] = name->text;
		r = compose(c, source->root, ret_tree);
		c->depth--;
	}
	if (r < 0 && c->error) { /* the outermost file wins: it is the one that is checked */
		snprintf(c->error->at, sizeof(c->error->at), "%s", at);
	}
	return r;
}

static const char *const not_inherited[] = {"profile", "id",	"version",  "match",   "moved",
					    "advice",  "tests", "fragment", "extends", "use"};
static const char *const used[] = {"vars",	 "msgs",   "points",  "caps",
				   "components", "repeat", "variants"};

/* A member that both maps have; NULL when they are disjoint. */
static const struct gw_node *common(const struct gw_node *x, const struct gw_node *y)
{
	gw_member_for(m, y)
	{
		if (x && gw_node_get_str(x, m->key)) {
			return m;
		}
	}
	return NULL;
}

/* A variable, message, point or capability that two used files define. */
static const struct gw_node *clash(const struct gw_node *x, const struct gw_node *y)
{
	static const char *const groups[] = {"vars", "msgs", "points", "caps"};
	for (size_t i = 0; i < gw_countof(groups); i++) {
		const struct gw_node *m =
			common(gw_node_get(x, groups[i]), gw_node_get(y, groups[i]));
		if (m) {
			return m;
		}
	}
	const struct gw_node *theirs = gw_node_get(x, "components");
	gw_member_for(component, gw_node_get(y, "components"))
	{
		const struct gw_node *other =
			theirs ? gw_node_get_str(theirs, component->key) : NULL;
		const struct gw_node *m =
			other ? common(gw_node_get(other, "caps"), gw_node_get(component, "caps"))
			      : NULL;
		if (m) {
			return m;
		}
	}
	return NULL;
}

static int apply_use(struct composer *c, const struct gw_node *use, struct gw_node *tree)
{
	if (use->type != GW_NODE_LIST) {
		return refuse(c, "/use", "schema", "expected a list of profile ids");
	}
	struct gw_node *seen = gw_node_new(c->arena, GW_NODE_MAP);
	size_t i = 0;
	gw_node_for(name, use)
	{
		char at[32];
		snprintf(at, sizeof(at), "/use/%zu", i++);
		struct gw_node *file = NULL;
		int r = inherit(c, name, at, &file);
		if (r < 0) {
			return r;
		}
		const struct gw_node *twice = seen ? clash(seen, file) : NULL;
		if (twice) {
			return refuse(c, at, "merge",
				      "\"%.*s\" is defined by two of the used files",
				      GW_STR_ARG(gw_str_sub(twice->key, 0, 80)));
		}
		for (size_t k = 0; seen && r == 0 && k < gw_countof(used); k++) {
			r = gw_compose_merge_member(c->arena, seen, file, used[k]);
		}
		if (!seen || r < 0) {
			return no_memory(c->error);
		}
	}
	return seen && merge(c->arena, tree, seen) == 0 ? 0 : no_memory(c->error);
}

static int compose(struct composer *c, const struct gw_node *root, struct gw_node **ret_tree)
{
	if (root->type != GW_NODE_MAP) {
		return refuse(c, "", "schema", "expected a map at the top");
	}
	const struct gw_node *extends = gw_node_get(root, "extends");
	const struct gw_node *use = gw_node_get(root, "use");
	if (!extends && !use) {
		*ret_tree = gw_node_copy(c->arena, root);
		return *ret_tree ? 0 : no_memory(c->error);
	}
	struct gw_node *tree = NULL;
	int r = 0;
	if (extends) {
		r = inherit(c, extends, "/extends", &tree);
		for (size_t i = 0; r == 0 && i < gw_countof(not_inherited); i++) {
			(void)gw_node_remove(tree, gw_str(not_inherited[i]));
		}
	} else {
		tree = gw_node_new(c->arena, GW_NODE_MAP);
	}
	if (r == 0 && use && tree) {
		r = apply_use(c, use, tree);
	}
	if (r < 0) {
		return r;
	}
	if (!tree || merge(c->arena, tree, root) < 0) {
		return no_memory(c->error);
	}
	tree->line = root->line;
	tree->column = root->column;
	*ret_tree = tree;
	return 0;
}

int gw_compose_load(struct gw_arena *a, struct gw_library *l, const struct gw_node *root,
		    struct gw_node **ret_tree, struct gw_source **ret_sources,
		    struct gw_error *reterr_)
{
	struct composer c = {.arena = a, .library = l, .error = reterr_, .depth = 1};
	c.last = &c.sources;
	const struct gw_node *id = root->type == GW_NODE_MAP ? gw_node_get(root, "id") : NULL;
	if (id && id->type == GW_NODE_TEXT) {
		c.path[0] = id->text;
	}
	int r = compose(&c, root, ret_tree);
	*ret_sources = c.sources; /* also of a refusal: they tell which file is meant */
	return r;
}
