#include "profile/load.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>

#include "gw/alloc.h"
#include "profile/compose.h"
#include "profile/library.h"
#include "profile/match.h"

#define MAX_MEMBERS    2048 /* of one map: members are looked up one after the other */
#define COMPILED_BYTES (4 * GW_PROFILE_BYTES)

GW_DEFINE_AUTO(struct gw_arena, gw_arena_free)
GW_DEFINE_AUTO(struct gw_profile, gw_profile_unref)

/* --- parsing --- */

static const struct gw_node *too_many_members(const struct gw_node *n)
{
	if (n->type == GW_NODE_MAP && n->count > MAX_MEMBERS) {
		return n;
	}
	if (n->type != GW_NODE_MAP && n->type != GW_NODE_LIST) {
		return NULL;
	}
	gw_node_for(child, n) /* as deep as the parser allows */
	{
		const struct gw_node *found = too_many_members(child);
		if (found) {
			return found;
		}
	}
	return NULL;
}

static void set_file(struct gw_error *e, const char *origin)
{
	if (e && !e->file[0]) {
		snprintf(e->file, sizeof(e->file), "%.*s", (int)sizeof(e->file) - 1, origin);
	}
}

int gw_load_parse(struct gw_arena *a, struct gw_str text, const char *origin,
		  struct gw_node **ret_root, struct gw_error *reterr_)
{
	static const struct gw_node_limits limits = {.max_bytes = GW_PROFILE_BYTES,
						     .max_depth = GW_PROFILE_DEPTH,
						     .max_nodes = GW_PROFILE_NODES};
	struct gw_node *root = NULL;
	int r = gw_node_parse_yaml(a, text, &limits, &root, reterr_);
	const struct gw_node *wide = r == 0 ? too_many_members(root) : NULL;
	if (wide) {
		r = gw_error_set(reterr_, -EINVAL, "size", "a map has at most %d members",
				 MAX_MEMBERS);
		if (reterr_) {
			reterr_->line = wide->line;
			reterr_->column = wide->column;
		}
	}
	if (r < 0) {
		set_file(reterr_, origin);
		return r == -ENOMEM ? r : -EINVAL;
	}
	*ret_root = root;
	return 0;
}

/* --- places --- */

static struct gw_str unescape(struct gw_str token, char *text, size_t cap)
{
	size_t n = 0;
	for (size_t i = 0; i < token.len && n < cap; i++) {
		char c = token.p[i];
		if (c == '~' && i + 1 < token.len) {
			c = token.p[++i] == '0' ? '~' : '/';
		}
		text[n++] = c;
	}
	return (struct gw_str){text, n};
}

/* The deepest node along the pointer, at most max steps down; *ret_depth steps were taken. */
static const struct gw_node *descend(const struct gw_node *root, const char *at, size_t max,
				     size_t *ret_depth)
{
	struct gw_str rest = gw_str(at), token;
	const struct gw_node *n = root;
	size_t depth = 0;
	(void)gw_str_split(&rest, '/', &token); /* what stands before the first step: nothing */
	while (depth < max && gw_str_split(&rest, '/', &token)) {
		char text[256];
		struct gw_str key = unescape(token, text, sizeof(text));
		uint64_t index = 0;
		const struct gw_node *child = NULL;
		if (n->type == GW_NODE_MAP) {
			child = gw_node_get_str(n, key);
		} else if (n->type == GW_NODE_LIST && gw_parse_u64(key, &index) == 0) {
			child = gw_node_at(n, (size_t)index);
		}
		if (!child) {
			break;
		}
		n = child;
		depth++;
	}
	*ret_depth = depth;
	return n;
}

static bool same_place(const struct gw_node *root, const char *at, size_t depth,
		       const struct gw_node *n)
{
	size_t found = 0;
	const struct gw_node *m = descend(root, at, depth, &found);
	return found == depth && m->line == n->line && m->column == n->column;
}

void gw_profile_locate(const struct gw_profile *p, const struct gw_node *tree, struct gw_error *e)
{
	if (!e || e->line) {
		return;
	}
	/* An expanded tree has no variants any more. */
	tree = tree && !gw_str_starts(gw_str(e->at), "/variants") ? tree : p->tree;
	if (!tree) {
		return;
	}
	size_t depth = 0;
	const struct gw_node *n = descend(tree, e->at, SIZE_MAX, &depth);
	const char *origin = p->origin;
	if (!same_place(p->root, e->at, depth, n)) {
		for (const struct gw_source *s = p->sources; s; s = s->next) {
			if (same_place(s->root, e->at, depth, n)) {
				origin = s->origin;
				break;
			}
		}
	}
	e->line = n->key_line ? n->key_line : n->line;
	e->column = n->key_line ? n->key_column : n->column;
	e->file[0] = '\0';
	set_file(e, origin);
}

/* --- steps of loading --- */

static int digest(struct gw_profile *p)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(COMPILED_BYTES);
	gw_profile_write_compiled(p, &b);
	if (gw_buf_error(&b) < 0) {
		return gw_buf_error(&b);
	}
	return EVP_Digest(b.p, b.len, p->digest, /* size= */ NULL, EVP_sha256(),
			  /* impl= */ NULL)
		       ? 0
		       : -EIO;
}

/* By kind of the match entries: the adapters whose observations carry that kind. */
static const char *adapter_of_match(const struct gw_node *tree)
{
	static const char *const kinds[] = {"mqtt", "coap"};
	gw_item_for(entry, gw_node_get(tree, "match"))
	{
		for (size_t i = 0; i < gw_countof(kinds); i++) {
			if (gw_node_get(entry, kinds[i])) {
				return kinds[i];
			}
		}
	}
	return "";
}

static int fill_heads(struct gw_profile *p, struct gw_error *error)
{
	const char *id = gw_node_text(p->tree, "id");
	const char *version = gw_node_text(p->tree, "version");
	const char *type = gw_node_text(p->tree, "type");
	const struct gw_node *link = gw_node_get(p->tree, "link");
	const char *adapter = link ? gw_node_text(link, "adapter") : NULL;
	p->id = id ? id : "";
	p->version = version ? version : "";
	p->adapter = adapter ? adapter : adapter_of_match(p->tree);
	p->type = type ? gw_device_type_find(gw_str(type)) : NULL;
	if (type && !p->type) {
		const char *near = gw_device_type_suggest(gw_str(type));
		int r = gw_error_set(
			error, -EINVAL, "ref", "\"%.60s\" is no device type of the model%s%s%s",
			type, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
		if (error) {
			gw_at_push(error->at, sizeof(error->at), GW_STR("type"));
		}
		return r;
	}
	return 0;
}

/* What does not need the engine: a fragment alone is checked no further, since others complete it. */
static int check_fragment(struct gw_profile *p, const struct gw_node *expanded,
			  struct gw_error *error)
{
	static const char *const parts[] = {"msgs", "points", "caps", "components"};
	int r = 0;
	for (size_t i = 0; i < gw_countof(parts) && r == 0; i++) {
		r = gw_schema_check(expanded, parts[i], p->flags, error);
	}
	return r == 0 ? gw_schema_check(p->tree, "variants", p->flags, error) : r;
}

static int check_messages(struct gw_profile *p, const struct gw_node *expanded,
			  struct gw_error *error)
{
	int r = gw_schema_check(expanded, "msgs", p->flags, error);
	return r == 0 ? gw_match_check_channels(p, expanded, error) : r;
}

/* In the order of §16: heads and composition, match, messages with their channels; the rest is the engine's. */
static int check(struct gw_profile *p, struct gw_node **ret_expanded, struct gw_arena *scratch,
		 struct gw_error *error)
{
	int r = gw_schema_check(p->tree, "", p->flags, error);
	if (r == 0) {
		r = fill_heads(p, error);
	}
	if (r == 0) {
		r = gw_compose_chosen(scratch, p->tree, /* choice= */ 0, ret_expanded, error);
	}
	if (r == 0) {
		r = gw_vars_compile(p, error);
	}
	if (r == 0) {
		r = gw_schema_check(p->tree, "match", p->flags, error);
	}
	if (r == 0) {
		r = gw_match_compile(p, error);
	}
	if (r == 0 && gw_profile_is_fragment(p)) {
		return check_fragment(p, *ret_expanded, error);
	}
	if (r == 0) {
		r = check_messages(p, *ret_expanded, error);
	}
	return r == 0 ? gw_engine_check(p, error) : r;
}

static int check_and_locate(struct gw_profile *p, struct gw_error *error)
{
	GW_AUTO(gw_arena_free_auto) struct gw_arena *scratch = gw_arena_new(GW_LOAD_ARENA_BYTES);
	struct gw_node *expanded = NULL;
	if (!scratch) {
		return -ENOMEM;
	}
	int r = check(p, &expanded, scratch, error);
	if (r < 0) {
		gw_profile_locate(p, expanded, error);
	}
	return r;
}

/* p->arena and p->root are there. The profile that is there already, or p itself after all checks. */
static int finish(struct gw_library *l, struct gw_profile *p, struct gw_profile **ret_profile,
		  struct gw_error *reterr_)
{
	int r = digest(p);
	if (r < 0) {
		return gw_error_set(reterr_, r, "size", "the compiled form is too long");
	}
	struct gw_profile *same = l ? gw_library_find(l, p->digest, p->flags) : NULL;
	if (same) {
		*ret_profile = gw_profile_ref(same);
		return 0;
	}
	r = gw_compose_load(p->arena, l, p->root, &p->tree, &p->sources, reterr_);
	if (r < 0) {
		gw_profile_locate(p, p->root, reterr_);
		return r;
	}
	r = check_and_locate(p, reterr_);
	if (r < 0) {
		return r;
	}
	if (l && gw_library_remember(l, p) == -ENOMEM) {
		return -ENOMEM; /* a full library (-ENOSPC) only loses the sharing */
	}
	*ret_profile = gw_profile_ref(p);
	return 0;
}

static struct gw_profile *new_profile(const char *origin, unsigned flags)
{
	struct gw_profile *p = gw_new(struct gw_profile);
	if (!p) {
		return NULL;
	}
	p->refs = 1;
	p->flags = flags;
	p->id = p->version = p->adapter = "";
	p->arena = gw_arena_new(GW_LOAD_ARENA_BYTES);
	p->origin = gw_strdup(origin);
	if (!p->arena || !p->origin) {
		gw_profile_unref(p);
		return NULL;
	}
	return p;
}

/* --- contract --- */

int gw_profile_load_text(struct gw_library *l, struct gw_str text, const char *origin,
			 unsigned flags, struct gw_profile **ret_profile, struct gw_error *reterr_)
{
	GW_AUTO(gw_profile_unref_auto) struct gw_profile *p = new_profile(origin, flags);
	if (!p) {
		return -ENOMEM;
	}
	int r = gw_load_parse(p->arena, text, origin, &p->root, reterr_);
	return r < 0 ? r : finish(l, p, ret_profile, reterr_);
}

int gw_profile_load_node(struct gw_library *l, const struct gw_node *root, const char *origin,
			 unsigned flags, struct gw_profile **ret_profile, struct gw_error *reterr_)
{
	GW_AUTO(gw_profile_unref_auto) struct gw_profile *p = new_profile(origin, flags);
	if (!p) {
		return -ENOMEM;
	}
	p->root = gw_node_copy(p->arena, root);
	return p->root ? finish(l, p, ret_profile, reterr_) : -ENOMEM;
}

int gw_profile_load_file(struct gw_library *l, const char *path, unsigned flags,
			 struct gw_profile **ret_profile, struct gw_error *reterr_)
{
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_PROFILE_BYTES + 1);
	int r = gw_library_read(path, &text, reterr_);
	return r < 0 ? r
		     : gw_profile_load_text(l, gw_buf_str(&text), path, flags, ret_profile,
					    reterr_);
}

struct gw_profile *gw_profile_ref(struct gw_profile *p)
{
	p->refs++;
	return p;
}

void gw_profile_unref(struct gw_profile *p)
{
	if (!p || --p->refs > 0) {
		return;
	}
	gw_engine_free_plans(p);
	if (p->library) {
		gw_library_forget(p->library, p);
	}
	gw_arena_free(p->arena);
	gw_free(p->origin);
	gw_free(p);
}

const char *gw_profile_id(const struct gw_profile *p)
{
	return p->id;
}

const char *gw_profile_version(const struct gw_profile *p)
{
	return p->version;
}

const struct gw_device_type *gw_profile_type(const struct gw_profile *p)
{
	return p->type;
}

const char *gw_profile_name(const struct gw_profile *p, const char *language)
{
	const struct gw_node *name = gw_node_get(p->tree, "name");
	if (name && name->type == GW_NODE_TEXT) {
		return name->text.p;
	}
	const char *text = name ? gw_node_text(name, language) : NULL;
	if (!text && name) {
		text = gw_node_text(name, "en");
	}
	return text ? text : p->id;
}

const char *gw_profile_adapter(const struct gw_profile *p)
{
	return p->adapter;
}

const uint8_t *gw_profile_digest(const struct gw_profile *p)
{
	return p->digest;
}

bool gw_profile_is_fragment(const struct gw_profile *p)
{
	const struct gw_node *n = gw_node_get(p->tree, "fragment");
	return n && n->type == GW_NODE_BOOL && n->flag;
}

const struct gw_node *gw_profile_tree(const struct gw_profile *p)
{
	return p->tree;
}

void gw_profile_write_compiled(const struct gw_profile *p, struct gw_buf *b)
{
	gw_node_write(b, p->root, /* source_order= */ true);
}
