/*
 * Where profiles come from. The library remembers the profiles that are in use without holding them: the daemon's memory
 * follows its devices, not the size of the shipped collection.
 */
#include "profile/library.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gw/alloc.h"
#include "profile/load.h"

#define PATH_BYTES   1024
#define ID_MAX_BYTES 96

struct added {
	char *text, *origin;
};

struct gw_library {
	char **dirs;
	size_t n_dirs;
	struct gw_map *added;	  /* id → struct added */
	struct gw_map *by_id;	  /* → struct gw_profile, those that gw_library_get loaded */
	struct gw_map *by_digest; /* digest and flags → struct gw_profile */
};

/* --- life --- */

static void free_added(void *value)
{
	struct added *t = value;
	gw_free(t->text);
	gw_free(t->origin);
	gw_free(t);
}

int gw_library_new(const char *const *dirs, size_t n_dirs, struct gw_library **ret_library)
{
	struct gw_library *l = gw_new(struct gw_library);
	if (!l) {
		return -ENOMEM;
	}
	l->dirs = gw_array(char *, n_dirs + 1);
	l->added = gw_map_new(GW_PROFILE_COUNT);
	l->by_id = gw_map_new(GW_PROFILE_COUNT);
	l->by_digest = gw_map_new(GW_PROFILE_COUNT);
	bool ok = l->dirs && l->added && l->by_id && l->by_digest;
	for (size_t i = 0; ok && i < n_dirs; i++) {
		l->dirs[i] = gw_strdup(dirs[i]);
		ok = l->dirs[i] != NULL;
		l->n_dirs += ok;
	}
	if (!ok) {
		gw_library_free(l);
		return -ENOMEM;
	}
	*ret_library = l;
	return 0;
}

void gw_library_free(struct gw_library *l)
{
	if (!l) {
		return;
	}
	size_t pos = 0;
	struct gw_str key;
	void *p;
	while (l->by_digest && gw_map_next(l->by_digest, &pos, &key, &p)) {
		((struct gw_profile *)p)->library = NULL;
	}
	for (size_t i = 0; i < l->n_dirs; i++) {
		gw_free(l->dirs[i]);
	}
	gw_free(l->dirs);
	gw_map_free(l->added, free_added);
	gw_map_free(l->by_id, /* free_value= */ NULL);
	gw_map_free(l->by_digest, /* free_value= */ NULL);
	gw_free(l);
}

/* --- the profiles in use --- */

#define DIGEST_KEY_BYTES 33

static struct gw_str digest_key(const uint8_t digest[32], unsigned flags, char *key)
{
	memcpy(key, digest, 32);
	key[32] = (char)flags;
	return (struct gw_str){key, DIGEST_KEY_BYTES};
}

struct gw_profile *gw_library_find(const struct gw_library *l, const uint8_t digest[32],
				   unsigned flags)
{
	char key[DIGEST_KEY_BYTES];
	return gw_map_find(l->by_digest, digest_key(digest, flags, key));
}

int gw_library_remember(struct gw_library *l, struct gw_profile *p)
{
	char key[DIGEST_KEY_BYTES];
	int r = gw_map_put(l->by_digest, digest_key(p->digest, p->flags, key), p);
	if (r == 0) {
		p->library = l;
	}
	return r;
}

void gw_library_forget(struct gw_library *l, struct gw_profile *p)
{
	char key[DIGEST_KEY_BYTES];
	if (gw_library_find(l, p->digest, p->flags) == p) {
		(void)gw_map_remove(l->by_digest, digest_key(p->digest, p->flags, key));
	}
	if (gw_map_find(l->by_id, gw_str(p->id)) == p) {
		(void)gw_map_remove(l->by_id, gw_str(p->id));
	}
}

/* --- files --- */

int gw_library_read(const char *path, struct gw_buf *ret_text, struct gw_error *reterr_)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int r = fd < 0 ? -errno : 0;
	struct stat st;
	if (r == 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
		r = -EINVAL;
	}
	char chunk[8192];
	while (r == 0) {
		ssize_t n = read(fd, chunk, sizeof(chunk));
		if (n <= 0) {
			r = n < 0 ? -errno : 0;
			break;
		}
		gw_buf_add(ret_text, chunk, (size_t)n);
		r = gw_buf_error(ret_text);
	}
	if (fd >= 0) {
		close(fd);
	}
	if (r == -E2BIG) {
		r = gw_error_set(reterr_, -EINVAL, "size", "a profile has at most 256 KiB");
	} else if (r < 0) {
		(void)gw_error_set(reterr_, r, "", "cannot read the file: %s", strerror(-r));
	}
	if (r < 0 && reterr_) {
		snprintf(reterr_->file, sizeof(reterr_->file), "%.*s",
			 (int)sizeof(reterr_->file) - 1, path);
	}
	return r;
}

static bool is_id(struct gw_str id)
{
	if (id.len == 0 || id.len > ID_MAX_BYTES || id.p[0] == '.') {
		return false;
	}
	for (size_t i = 0; i < id.len; i++) {
		char c = id.p[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '.' && c != '_' &&
		    c != '-') {
			return false;
		}
	}
	return true;
}

/* <dir>/a.b.c.yaml, <dir>/a/b.c.yaml, and the same with .json. */
static bool find_file(const struct gw_library *l, struct gw_str id, char *ret_path)
{
	static const char *const endings[] = {"yaml", "json"};
	const char *dot = memchr(id.p, '.', id.len);
	int head = dot ? (int)(dot - id.p) : 0;
	for (size_t d = 0; d < l->n_dirs; d++) {
		for (size_t e = 0; e < gw_countof(endings); e++) {
			int n = snprintf(ret_path, PATH_BYTES, "%s/%.*s.%s", l->dirs[d],
					 GW_STR_ARG(id), endings[e]);
			if (n > 0 && n < PATH_BYTES && access(ret_path, R_OK) == 0) {
				return true;
			}
			n = dot ? snprintf(ret_path, PATH_BYTES, "%s/%.*s/%.*s.%s", l->dirs[d],
					   head, id.p, (int)id.len - head - 1, dot + 1, endings[e])
				: 0;
			if (n > 0 && n < PATH_BYTES && access(ret_path, R_OK) == 0) {
				return true;
			}
		}
	}
	return false;
}

/* The text under an id. *ret_origin is borrowed from the library or lies in path. */
static int find_text(const struct gw_library *l, struct gw_str id, struct gw_buf *ret_text,
		     char *path, const char **ret_origin, struct gw_error *reterr_)
{
	const struct added *t = l ? gw_map_find(l->added, id) : NULL;
	if (t) {
		gw_buf_puts(ret_text, t->text);
		*ret_origin = t->origin;
		return gw_buf_error(ret_text);
	}
	if (!l || !is_id(id) || !find_file(l, id, path)) {
		return gw_error_set(reterr_, -ENOENT, "ref", "no profile \"%.*s\" in the library",
				    GW_STR_ARG(gw_str_sub(id, 0, ID_MAX_BYTES)));
	}
	*ret_origin = path;
	return gw_library_read(path, ret_text, reterr_);
}

int gw_library_source(struct gw_library *l, struct gw_str id, struct gw_arena *a,
		      struct gw_source *source, struct gw_error *reterr_)
{
	char path[PATH_BYTES];
	const char *origin = NULL;
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_PROFILE_BYTES + 1);
	struct gw_node *root = NULL;
	int r = find_text(l, id, &text, path, &origin, reterr_);
	if (r == 0) {
		r = gw_load_parse(a, gw_buf_str(&text), origin, &root, reterr_);
	}
	if (r < 0) {
		return r;
	}
	source->root = root;
	source->origin = gw_arena_text(a, gw_str(origin)).p;
	return source->origin ? 0 : -ENOMEM;
}

/* --- contract --- */

int gw_library_get(struct gw_library *l, struct gw_str id, struct gw_profile **ret_profile,
		   struct gw_error *reterr_)
{
	struct gw_profile *p = gw_map_find(l->by_id, id);
	if (p) {
		*ret_profile = gw_profile_ref(p);
		return 0;
	}
	char path[PATH_BYTES];
	const char *origin = NULL;
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_PROFILE_BYTES + 1);
	int r = find_text(l, id, &text, path, &origin, reterr_);
	if (r == 0) {
		r = gw_profile_load_text(l, gw_buf_str(&text), origin, /* flags= */ 0, &p, reterr_);
	}
	if (r < 0) {
		return r;
	}
	if (!gw_str_is(id, p->id)) {
		r = gw_error_set(reterr_, -EINVAL, "ref", "the file has the id \"%s\"", p->id);
		if (reterr_) {
			snprintf(reterr_->at, sizeof(reterr_->at), "/id");
			gw_profile_locate(p, /* tree= */ NULL, reterr_);
		}
	} else {
		r = gw_map_put(l->by_id, id, p);
	}
	if (r < 0 && r != -EEXIST) {
		gw_profile_unref(p);
		return r;
	}
	*ret_profile = p;
	return 0;
}

int gw_library_add_text(struct gw_library *l, struct gw_str id, struct gw_str text,
			const char *origin, struct gw_error *reterr_)
{
	struct gw_arena *a = gw_arena_new(GW_LOAD_ARENA_BYTES);
	struct gw_node *root = NULL;
	int r = a ? gw_load_parse(a, text, origin, &root, reterr_) : -ENOMEM;
	gw_arena_free(a);
	if (r < 0) {
		return r;
	}
	struct added *t = gw_new(struct added);
	if (!t) {
		return -ENOMEM;
	}
	t->text = gw_strndup(text.p, text.len);
	t->origin = gw_strdup(origin);
	struct added *old = gw_map_remove(l->added, id);
	if (old) {
		free_added(old);
	}
	r = t->text && t->origin ? gw_map_put(l->added, id, t) : -ENOMEM;
	if (r < 0) {
		free_added(t);
	}
	return r;
}

/* --- every file --- */

struct walk {
	int (*fn)(void *ctx, const char *path, const char *id);
	void *ctx;
	struct gw_map *seen; /* an id of an earlier folder hides later ones */
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_names(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		gw_free(names[i]);
	}
	gw_free(names);
}

/* Sorted names of a folder, without hidden ones; an unreadable folder is empty. */
static int list_folder(const char *path, char ***ret_names, size_t *ret_n)
{
	DIR *d = opendir(path);
	char **names = gw_array(char *, GW_PROFILE_COUNT);
	size_t n = 0;
	int r = names ? 0 : -ENOMEM;
	for (struct dirent *e; d && r == 0 && n < GW_PROFILE_COUNT && (e = readdir(d));) {
		if (e->d_name[0] == '.') {
			continue;
		}
		names[n] = gw_strdup(e->d_name);
		r = names[n] ? 0 : -ENOMEM;
		n += names[n] != NULL;
	}
	if (d) {
		closedir(d);
	}
	if (r < 0) {
		free_names(names, n);
		return r;
	}
	qsort(names, n, sizeof(*names), compare_names);
	*ret_names = names;
	*ret_n = n;
	return 0;
}

static int visit_file(struct walk *w, const char *path, const char *prefix, struct gw_str name)
{
	char id[2 * ID_MAX_BYTES + 2];
	struct gw_str stem = gw_str_sub(name, 0, name.len - sizeof(".yaml") + 1);
	int n = snprintf(id, sizeof(id), "%s%s%.*s", prefix ? prefix : "", prefix ? "." : "",
			 GW_STR_ARG(stem));
	if (n < 0 || (size_t)n >= sizeof(id) || !is_id(gw_str(id))) {
		return 0;
	}
	int r = gw_map_put(w->seen, gw_str(id), w);
	return r == -EEXIST ? 0 : r < 0 ? r : w->fn(w->ctx, path, id);
}

static int walk_folder(struct walk *w, const char *folder, const char *prefix)
{
	char **names = NULL;
	size_t n = 0;
	int r = list_folder(folder, &names, &n);
	for (size_t i = 0; i < n && r == 0; i++) {
		char path[PATH_BYTES];
		struct stat st;
		int len = snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		if (len < 0 || (size_t)len >= sizeof(path) || stat(path, &st) < 0) {
			continue;
		}
		struct gw_str name = gw_str(names[i]);
		if (S_ISDIR(st.st_mode) && !prefix) {
			r = walk_folder(w, path, names[i]);
		} else if (S_ISREG(st.st_mode) &&
			   (gw_str_ends(name, ".yaml") || gw_str_ends(name, ".json"))) {
			r = visit_file(w, path, prefix, name);
		}
	}
	free_names(names, n);
	return r;
}

int gw_library_each_file(struct gw_library *l,
			 int (*fn)(void *ctx, const char *path, const char *id), void *ctx)
{
	struct walk w = {.fn = fn, .ctx = ctx, .seen = gw_map_new(GW_PROFILE_COUNT)};
	int r = w.seen ? 0 : -ENOMEM;
	for (size_t i = 0; i < l->n_dirs && r == 0; i++) {
		r = walk_folder(&w, l->dirs[i], /* prefix= */ NULL);
	}
	gw_map_free(w.seen, /* free_value= */ NULL);
	return r;
}
