/* A store in a directory of its own, for the tests of the store. */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gw/clock.h"
#include "gw/loop.h"
#include "home/store.h"

struct fixture {
	struct gw_loop *loop;
	char dir[64], image[64];
	struct gw_store *store;
	char note[256];
	struct gw_error error;
};

static inline void dir_remove(const char *dir)
{
	char path[512];
	DIR *d = opendir(dir);
	for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		(void)unlink(path); /* fails for . and .. */
	}
	if (d) {
		closedir(d);
	}
	(void)rmdir(dir); /* may not be there */
}

static inline void dir_empty(const char *dir)
{
	dir_remove(dir);
	assert_int_equal(mkdir(dir, 0700), 0);
}

static inline size_t dir_count(const char *dir, const char *prefix)
{
	size_t n = 0;
	DIR *d = opendir(dir);
	for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
		n += strncmp(e->d_name, prefix, strlen(prefix)) == 0;
	}
	closedir(d);
	return n;
}

static inline int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	/* In memory when there is such a place: these tests sync some ten thousand times. */
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(f->dir, sizeof(f->dir), "%s/hearth-store-XXXXXX", base);
	snprintf(f->image, sizeof(f->image), "%s/hearth-image-XXXXXX", base);
	f->loop = gw_loop_new();
	*state = f;
	return !f->loop || !mkdtemp(f->dir) || !mkdtemp(f->image);
}

static inline int fixture_teardown(void **state)
{
	struct fixture *f = *state;
	gw_store_close(f->store);
	gw_loop_free(f->loop);
	dir_remove(f->dir);
	dir_remove(f->image);
	free(f);
	return 0;
}

static inline int store_try(struct fixture *f, const char *dir)
{
	return gw_store_open(f->loop, dir, &f->store, f->note, &f->error);
}

static inline void store_open(struct fixture *f)
{
	int r = store_try(f, f->dir);
	if (r < 0) {
		fail_msg("open: %d %s", r, f->error.text);
	}
}

static inline void store_close(struct fixture *f)
{
	gw_store_close(f->store);
	f->store = NULL;
}

static inline void store_reopen(struct fixture *f)
{
	store_close(f);
	store_open(f);
}

static inline const char *path_in(const char *dir, const char *name)
{
	static char path[512]; /* until the next call */
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static inline long size_of(const char *dir, const char *name)
{
	struct stat st;
	return stat(path_in(dir, name), &st) < 0 ? -1 : (long)st.st_size;
}

static inline void expire(uv_handle_t *h, void *ctx)
{
	(void)ctx;
	if (h->type == UV_TIMER && uv_is_active(h)) {
		uv_timer_t *t = (uv_timer_t *)(void *)h;
		(void)uv_timer_start(t, t->timer_cb, 0,
				     uv_timer_get_repeat(t)); /* has a callback */
	}
}

/* Every timer that runs is over: no test waits for time. */
static inline void expire_timers(struct fixture *f)
{
	uv_walk(gw_loop_uv(f->loop), expire, /* arg= */ NULL);
}

/* Runs the loop, with timers that are over at once, until the condition holds or the deadline passes. */
#define RUN_UNTIL(f, condition)                                                                    \
	do {                                                                                       \
		int64_t run_end = gw_clock_ms() + 10000;                                           \
		while (!(condition) && gw_clock_ms() < run_end) {                                  \
			expire_timers(f);                                                          \
			uv_run(gw_loop_uv((f)->loop), UV_RUN_NOWAIT);                              \
		}                                                                                  \
		assert_true(condition);                                                            \
	} while (0)

static inline int put_meta(struct gw_store *s, unsigned n)
{
	char key[16], value[16];
	snprintf(key, sizeof(key), "key-%u", n);
	snprintf(value, sizeof(value), "value-%u", n);
	return gw_store_put_meta(s, key, value);
}

static inline bool has_meta(struct gw_store *s, unsigned n)
{
	char key[16], value[16], found[16];
	snprintf(key, sizeof(key), "key-%u", n);
	snprintf(value, sizeof(value), "value-%u", n);
	return gw_store_get_meta(s, key, found, sizeof(found)) == 0 && strcmp(found, value) == 0;
}
