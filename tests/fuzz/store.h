/* Of fuzz_store and fuzz_rows: a state directory in memory, opened as at a start, and everything in it read. */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "home/store.h"

static char store_dir[] = "/dev/shm/hearth-fuzz-XXXXXX";
static size_t store_seen; /* bytes */

static inline const char *store_path(const char *name)
{
	static char path[512]; /* until the next call */
	snprintf(path, sizeof(path), "%s/%s", store_dir, name);
	return path;
}

static inline void store_put_file(const char *name, const void *data, size_t len)
{
	int fd = open(store_path(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, data, len) != (ssize_t)len || close(fd) < 0) {
		abort();
	}
}

static void store_remove_dir(void)
{
	DIR *d = opendir(store_dir);
	for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
		unlink(store_path(e->d_name)); /* not of directories: there is none in it */
	}
	if (d) {
		closedir(d);
	}
	rmdir(store_dir);
}

static inline void store_make_dir(void)
{
	if (!mkdtemp(store_dir) || atexit(store_remove_dir) != 0) {
		abort();
	}
}

/* One callback each; all texts that a record has must be there to the end. */
#define STORE_SEE(fn, record, ...)                                                                 \
	static inline int fn(void *ctx, record)                                                    \
	{                                                                                          \
		const char *const texts[] = {__VA_ARGS__};                                         \
		for (size_t i = 0; i < gw_countof(texts); i++) {                                   \
			store_seen += texts[i] ? strlen(texts[i]) : 0;                             \
		}                                                                                  \
		return ctx != NULL; /* never */                                                    \
	}
STORE_SEE(store_see_device, const struct gw_device_record *r, r->id, r->name, r->room, r->type,
	  r->vendor, r->model, r->firmware, r->identity, r->adapter, r->profile, r->profile_text)
STORE_SEE(store_see_account, const struct gw_account_record *r, r->info.id, r->info.name,
	  r->info.devices)
STORE_SEE(store_see_token, const struct gw_token_record *r, r->account, r->info.id, r->info.name,
	  r->info.devices)
STORE_SEE(store_see_audit, const struct gw_audit_record *r, r->who, r->via, r->what, r->object,
	  r->detail)

static inline int store_see_room(void *ctx, const char *id, const char *name)
{
	store_seen += strlen(id) + strlen(name);
	return ctx != NULL;
}

static inline int store_see_value(void *ctx, const char *device, const char *address,
				  const char *json, int64_t time_wall_ms)
{
	store_seen += strlen(device) + strlen(address) + strlen(json) + (time_wall_ms > 0);
	return ctx != NULL;
}

static inline void store_read_all(void)
{
	static struct gw_loop *loop;
	struct gw_store *s = NULL;
	char note[256], value[256];
	if (!loop && !(loop = gw_loop_new())) {
		abort();
	}
	unlink(store_path("home.db.snapshot")); /* of the input before */
	if (gw_store_open(loop, store_dir, &s, note, NULL) == 0) {
		gw_ignore(gw_store_each_room(s, store_see_room, NULL));
		gw_ignore(gw_store_each_device(s, store_see_device, NULL));
		gw_ignore(gw_store_each_account(s, store_see_account, NULL));
		gw_ignore(gw_store_each_token(s, store_see_token, NULL));
		gw_ignore(gw_store_each_audit(s, store_see_audit, NULL));
		gw_ignore(gw_store_each_value(s, store_see_value, NULL));
		gw_ignore(gw_store_get_meta(s, "gateway.id", value, sizeof(value)));
		gw_ignore(gw_store_put_meta(s, "fuzz", note));
	}
	gw_store_close(s);
	(void)uv_run(gw_loop_uv(loop), UV_RUN_NOWAIT); /* handles end within the loop */
}
