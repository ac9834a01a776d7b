#include "discovery/index.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "gw/alloc.h"
#include "gw/limits.h"
#include "gw/log.h"
#include "gw/topic.h"

#define FILES_PER_STEP 4
#define INDEX_BYTES    (8 * 1024 * 1024)
#define PARSE_BYTES    (16 * 1024 * 1024)
#define FIELD_BYTES    1024

struct file {
	char *path, *id;
};

struct entries {
	struct gw_index_entry **list;
	size_t n, room;
};

struct gw_index {
	struct gw_library *library;
	struct gw_arena *arena; /* of the entries and their trees */
	struct gw_topic_trie *trie;
	struct entries mqtt, others; /* by kind */
	struct file *files;
	size_t n_files, next;
	bool listed;
};

static void free_files(struct gw_index *x)
{
	for (size_t i = 0; i < x->n_files; i++) {
		gw_free(x->files[i].path);
		gw_free(x->files[i].id);
	}
	gw_free(x->files);
	x->files = NULL;
	x->n_files = 0;
}

struct gw_index *gw_index_new(struct gw_library *l)
{
	struct gw_index *x = gw_new(struct gw_index);
	if (!x) {
		return NULL;
	}
	x->library = l;
	x->arena = gw_arena_new(INDEX_BYTES);
	x->trie = gw_topic_trie_new();
	if (!x->arena || !x->trie) {
		gw_index_free(x);
		return NULL;
	}
	return x;
}

void gw_index_free(struct gw_index *x)
{
	if (!x) {
		return;
	}
	free_files(x);
	gw_free(x->mqtt.list);
	gw_free(x->others.list);
	gw_topic_trie_free(x->trie);
	gw_arena_free(x->arena);
	gw_free(x);
}

/* --- reading --- */

static int add_file(void *ctx, const char *path, const char *id)
{
	struct gw_index *x = ctx;
	if (x->n_files == GW_PROFILE_COUNT) {
		return -ENOSPC;
	}
	struct file *grown = gw_realloc(x->files, x->n_files + 1, sizeof(*grown));
	if (!grown) {
		return -ENOMEM;
	}
	x->files = grown;
	struct file f = {gw_strdup(path), gw_strdup(id)};
	if (!f.path || !f.id) {
		gw_free(f.path);
		gw_free(f.id);
		return -ENOMEM;
	}
	x->files[x->n_files++] = f;
	return 0;
}

static int read_file(const char *path, struct gw_buf *ret_text)
{
	char bytes[8192];
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	ssize_t n = read(fd, bytes, sizeof(bytes));
	while (n > 0 && gw_buf_error(ret_text) == 0) {
		gw_buf_add(ret_text, bytes, (size_t)n);
		n = read(fd, bytes, sizeof(bytes));
	}
	int r = n < 0 ? -errno : gw_buf_error(ret_text);
	close(fd);
	return r;
}

static int append(struct entries *l, struct gw_index_entry *e)
{
	if (l->n == l->room) {
		struct gw_index_entry **grown =
			gw_realloc(l->list, l->room * 2 + 16, sizeof(struct gw_index_entry *));
		if (!grown) {
			return -ENOMEM;
		}
		l->list = grown;
		l->room = l->room * 2 + 16;
	}
	l->list[l->n++] = e;
	return 0;
}

static int add_entry(struct gw_index *x, const struct gw_node *written,
		     struct gw_index_profile *profile)
{
	struct gw_index_entry *e = gw_arena_alloc(x->arena, sizeof(*e));
	const struct gw_node *copy = e ? gw_node_copy(x->arena, written) : NULL;
	bool first;
	if (!copy) {
		return -ENOMEM;
	}
	e->profile = profile;
	e->json = gw_node_get(copy, "json");
	gw_node_for(m, copy)
	{
		if (!gw_str_is(m->key, "json") && !gw_str_is(m->key, "set")) {
			e->kind = m->key.p;
			e->test = m;
		}
	}
	if (!e->kind || (e->json && e->json->type != GW_NODE_MAP)) {
		return -EINVAL;
	}
	if (strcmp(e->kind, "mqtt") != 0) {
		return append(&x->others, e);
	}
	if (e->test->type != GW_NODE_TEXT || !gw_topic_is_filter(e->test->text)) {
		return -EINVAL;
	}
	int r = gw_topic_trie_add(x->trie, e->test->text, e, /* tag= */ 0, &first);
	return r < 0 ? r : append(&x->mqtt, e);
}

/* `match` is never inherited (profile-language §3), so the file alone tells it. */
static int add_profile(struct gw_index *x, const struct gw_node *root, const char *id)
{
	const struct gw_node *match = gw_node_get(root, "match");
	struct gw_index_profile *p = gw_arena_alloc(x->arena, sizeof(*p));
	int r = 0;
	if (!p) {
		return -ENOMEM;
	}
	p->id = gw_arena_text(x->arena, gw_str(id)).p;
	if (!p->id) {
		return -ENOMEM;
	}
	if (!match || match->type != GW_NODE_LIST) {
		return 0; /* a fragment */
	}
	gw_node_for(written, match)
	{
		r = written->type == GW_NODE_MAP ? add_entry(x, written, p) : -EINVAL;
		if (r < 0) {
			break;
		}
	}
	return r;
}

/* The whole profile is checked when it is used; here a bad file only brings no entries. */
static void add(struct gw_index *x, const struct file *f)
{
	static const struct gw_node_limits limits = {.max_bytes = GW_PROFILE_BYTES,
						     .max_depth = GW_PROFILE_DEPTH,
						     .max_nodes = GW_PROFILE_NODES};
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_PROFILE_BYTES + 1);
	struct gw_arena *a = gw_arena_new(PARSE_BYTES);
	struct gw_node *root = NULL;
	struct gw_error e = {0};
	int r = a ? read_file(f->path, &text) : -ENOMEM;
	if (r == 0) {
		r = gw_node_parse_yaml(a, gw_buf_str(&text), &limits, &root, &e);
	}
	if (r == 0) {
		r = root->type == GW_NODE_MAP ? add_profile(x, root, f->id) : -EINVAL;
	}
	if (r < 0) {
		gw_log_warning("discovery", "GW-DISCOVERY-PROFILE",
			       "%s recognises nothing: %s (see `hearth profile check`), ignoring",
			       f->path, e.text[0] ? e.text : strerror(-r));
	}
	gw_arena_free(a);
}

bool gw_index_step(struct gw_index *x)
{
	if (!x->listed) {
		x->listed = true;
		int r = gw_library_each_file(x->library, add_file, x);
		if (r < 0) {
			gw_log_error("discovery", "GW-DISCOVERY-LIST",
				     "the profiles cannot be listed: %s", strerror(-r));
		}
		return x->n_files == 0;
	}
	for (int i = 0; i < FILES_PER_STEP && x->next < x->n_files; i++) {
		add(x, &x->files[x->next++]);
	}
	if (x->next == x->n_files) {
		free_files(x);
		x->next = 0;
		return true;
	}
	return false;
}

/* --- testing: what gw_profile_match will test again, so that it is asked for few profiles only --- */

static bool fits(const struct gw_node *test, const struct gw_node *field)
{
	if (!field) {
		return false;
	}
	if (test->type != GW_NODE_TEXT) {
		return gw_node_equal(test, field);
	}
	if (field->type == GW_NODE_TEXT) {
		return gw_str_glob(test->text, field->text);
	}
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(FIELD_BYTES);
	return gw_node_text_form(field, &text) == 0 && gw_buf_error(&text) == 0 &&
	       gw_str_glob(test->text, gw_buf_str(&text));
}

static bool json_fits(const struct gw_index_entry *e, const struct gw_node *observation)
{
	const struct gw_node *json = gw_node_get(observation, "json");
	gw_node_for(t, e->json)
	{
		if (!json || !fits(t, gw_node_pointer(json, t->key))) {
			return false;
		}
	}
	return true;
}

/* The plain fields of a structured kind; the globs of an identity word. */
static bool kind_fits(const struct gw_index_entry *e, const struct gw_node *seen)
{
	if (!seen) {
		return false;
	}
	if (e->test->type == GW_NODE_MAP) {
		gw_node_for(t, e->test)
		{
			bool plain = t->type != GW_NODE_MAP && t->type != GW_NODE_LIST;
			if (plain && !fits(t, gw_node_get_str(seen, t->key))) {
				return false;
			}
		}
		return true;
	}
	if (e->test->type != GW_NODE_LIST) {
		return fits(e->test, seen);
	}
	gw_node_for(t, e->test)
	{
		if (fits(t, seen)) {
			return true;
		}
	}
	return false;
}

struct matching {
	const struct gw_node *observation;
	void (*fn)(void *ctx, const struct gw_index_entry *e);
	void *ctx;
};

static void on_filter(void *ctx, void *subscriber, uint32_t tag)
{
	struct matching *m = ctx;
	const struct gw_index_entry *e = subscriber;
	(void)tag;
	if (json_fits(e, m->observation)) {
		m->fn(m->ctx, e);
	}
}

void gw_index_match(struct gw_index *x, const char *kind, struct gw_str channel,
		    const struct gw_node *observation,
		    void (*fn)(void *ctx, const struct gw_index_entry *e), void *ctx)
{
	struct matching m = {observation, fn, ctx};
	if (strcmp(kind, "mqtt") == 0) {
		(void)gw_topic_trie_match(x->trie, channel, on_filter, &m); /* their number */
		return;
	}
	const struct gw_node *seen = gw_node_get(observation, kind);
	for (size_t i = 0; i < x->others.n; i++) {
		const struct gw_index_entry *e = x->others.list[i];
		if (strcmp(e->kind, kind) == 0 && kind_fits(e, seen) && json_fits(e, observation)) {
			fn(ctx, e);
		}
	}
}

static void count(void *ctx, void *subscriber, uint32_t tag)
{
	(void)ctx;
	(void)subscriber;
	(void)tag;
}

bool gw_index_wants(struct gw_index *x, struct gw_str topic)
{
	return gw_topic_trie_match(x->trie, topic, count, /* ctx= */ NULL) > 0;
}

const char *gw_index_filter(const struct gw_index *x, size_t i)
{
	return i < x->mqtt.n ? x->mqtt.list[i]->test->text.p : NULL;
}
