/*
 * state.db: the last value of every property, for the first moments after a start. Values are collected in memory, newest per address, and written by
 * the pool. A day's writing has a budget (R43): when values change faster than flash should be written, flushes come less often.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "gw/limits.h"
#include "gw/log.h"
#include "gw/map.h"
#include "home/store_impl.h"

#define FLUSH_MS 60000
/* Bytes that may be written: so many at once, and so many a second (8 MiB a day; the rest of the 10 is for home.db). */
#define BUDGET_BYTES  (1024 * 1024)
#define BUDGET_PER_S  97
#define ADDRESS_BYTES 256
#define KEY_BYTES     (GW_ID_BYTES + ADDRESS_BYTES + 1)
#define FRAME_BYTES   24 /* of the WAL, for each page */

struct value {
	int64_t time_wall_ms;
	char *json; /* owned; in size bytes, so that a new value of the same length needs no memory */
	uint32_t len, size;
	char device[GW_ID_BYTES];
	char address[];
};

/* What one flush writes. On the pool it is the job's alone. */
struct batch {
	struct gw_map *values; /* device TAB address → struct value; NULL: none */
	struct gw_map *
		removed; /* ids of devices whose values go first; the value is the map itself; NULL: none */
};

struct flush {
	struct gw_store_values *owner; /* NULL: the store is closed */
	uv_sem_t over;
	struct batch batch;
	sqlite3 **db; /* the owner's, lent; opened by the flush when it is not */
	char path[PATH_MAX];
	int result;
	int64_t bytes; /* written */
};

struct gw_store_values {
	struct gw_store *store;
	struct gw_timer *timer;
	sqlite3 *db; /* touched by the running flush only, while there is one */
	struct batch batch;
	struct flush *flush;
	int64_t budget, budget_ms; /* bytes that may be written, as of that time */
	bool failed;
	uint64_t dropped;
};

static void free_value(void *p)
{
	struct value *v = p;
	gw_free(v->json);
	gw_free(v);
}

static void batch_fini(struct batch *b)
{
	gw_map_free(b->values, free_value);
	gw_map_free(b->removed, /* free_value= */ NULL);
	*b = (struct batch){0};
}

/* --- collecting --- */

static void schedule(struct gw_store_values *v)
{
	if (v->flush || gw_timer_active(v->timer)) {
		return;
	}
	int64_t now = gw_clock_ms();
	int64_t budget = v->budget + (now - v->budget_ms) * BUDGET_PER_S / 1000;
	v->budget = budget > BUDGET_BYTES ? BUDGET_BYTES : budget;
	v->budget_ms = now;
	int64_t wait = v->budget < 0 ? -v->budget * 1000 / BUDGET_PER_S : 0;
	gw_timer_start(v->timer, wait > FLUSH_MS ? wait : FLUSH_MS, /* repeat_ms= */ 0);
}

static bool key_of(struct gw_str device, struct gw_str address, char ret_key[KEY_BYTES])
{
	if (device.len == 0 || device.len >= GW_ID_BYTES || address.len == 0 ||
	    address.len >= ADDRESS_BYTES) {
		return false;
	}
	(void)snprintf(ret_key, KEY_BYTES, GW_STR_FMT "\t" GW_STR_FMT, GW_STR_ARG(device),
		       GW_STR_ARG(address)); /* fits, as just checked */
	return true;
}

static struct value *add_value(struct gw_store_values *v, const char *key, struct gw_str device,
			       struct gw_str address)
{
	if (!v->batch.values) {
		v->batch.values = gw_map_new(GW_VALUES_KEPT);
	}
	struct value *value = gw_alloc0(1, sizeof(*value) + address.len + 1);
	if (!v->batch.values || !value || gw_map_put(v->batch.values, gw_str(key), value) < 0) {
		gw_free(value);
		return NULL;
	}
	memcpy(value->device, device.p, device.len);
	memcpy(value->address, address.p, address.len);
	return value;
}

static bool set_json(struct value *value, struct gw_str json)
{
	if (json.len > value->size) {
		char *p = gw_realloc(value->json, json.len, 1);
		if (!p) {
			return false;
		}
		value->json = p;
		value->size = (uint32_t)json.len;
	}
	memcpy(value->json, json.p, json.len);
	value->len = (uint32_t)json.len;
	return true;
}

void gw_store_keep_value(struct gw_store *s, const char *device, const char *address,
			 struct gw_str json, int64_t time_wall_ms)
{
	struct gw_store_values *v = s->values;
	char key[KEY_BYTES];
	if (!v || json.len == 0 || json.len > GW_VALUE_BYTES ||
	    !key_of(gw_str(device), gw_str(address), key)) {
		return;
	}
	struct value *value = v->batch.values ? gw_map_find(v->batch.values, gw_str(key)) : NULL;
	if (!value) {
		value = add_value(v, key, gw_str(device), gw_str(address));
	}
	if (!value || !set_json(value, json)) {
		if (v->dropped++ == 0) {
			gw_log_warning(
				"store", "GW-STORE-VALUES",
				"a last value cannot be kept until it is written, ignoring more");
		}
		return;
	}
	value->time_wall_ms = time_wall_ms;
	schedule(v);
}

static void drop_values_of(struct gw_map *values, struct gw_str device)
{
	size_t pos = 0;
	struct gw_str key;
	void *p;
	while (values && gw_map_next(values, &pos, &key, &p)) {
		struct value *value = p;
		if (gw_str_is(device, value->device)) {
			(void)gw_map_remove(values, key); /* it is value */
			free_value(value);
		}
	}
}

void gw_store_values_forget(struct gw_store *s, const char *device)
{
	struct gw_store_values *v = s->values;
	if (!v) {
		return;
	}
	drop_values_of(v->batch.values, gw_str(device));
	if (!v->batch.removed) {
		v->batch.removed = gw_map_new(GW_DEVICES);
	}
	/* When this fails, the values of an unknown device are left out and removed at the next start. */
	int r = v->batch.removed ? gw_map_put(v->batch.removed, gw_str(device), v) : -ENOMEM;
	(void)r;
	schedule(v);
}

/* --- writing --- */

static int open_state(const char *path, sqlite3 **ret_db)
{
	char other[PATH_MAX + 16];
	int r = gw_store_schema_open(&gw_store_schema_state, path, GW_STORE_WRITE, ret_db,
				     /* reterr_= */ NULL);
	if (r != -ENOENT && r != -EBADMSG && r != -ENOTSUP) {
		return r;
	}
	/* Only last values: a new file is as good. */
	(void)unlink(path);
	(void)snprintf(other, sizeof(other), "%s-wal", path);
	(void)unlink(other);
	(void)snprintf(other, sizeof(other), "%s-journal", path);
	(void)unlink(other);
	r = gw_store_schema_create(&gw_store_schema_state, path, /* reterr_= */ NULL);
	return r < 0 ? r
		     : gw_store_schema_open(&gw_store_schema_state, path, GW_STORE_WRITE, ret_db,
					    /* reterr_= */ NULL);
}

static int step(sqlite3 *db, sqlite3_stmt *st, const struct gw_store_arg *args, size_t n)
{
	int r = gw_store_bind(st, args, n);
	if (r == 0) {
		r = gw_store_errno(db, sqlite3_step(st));
	}
	(void)sqlite3_reset(st); /* repeats the error of the step */
	return r;
}

static int write_removed(sqlite3 *db, const struct gw_map *removed)
{
	sqlite3_stmt *st = NULL;
	size_t pos = 0;
	struct gw_str key;
	void *p;
	int rc = sqlite3_prepare_v2(db, "DELETE FROM value WHERE device=?1", -1, &st,
				    /* tail= */ NULL);
	int r = gw_store_errno(db, rc);
	while (r == 0 && gw_map_next(removed, &pos, &key, &p)) {
		const struct gw_store_arg id = {.type = GW_ARG_TEXT, .bytes = key};
		r = step(db, st, &id, 1);
	}
	(void)sqlite3_finalize(st); /* repeats the error of the step */
	return r;
}

static int in_order(const void *a, const void *b)
{
	const struct value *x = *(const struct value *const *)a,
			   *y = *(const struct value *const *)b;
	int r = strcmp(x->device, y->device);
	return r ? r : strcmp(x->address, y->address);
}

/* In the order of the file, so that a page is written once. */
static const struct value **sorted(const struct gw_map *values, size_t *ret_n)
{
	const struct value **list = gw_array(const struct value *, gw_map_count(values) + 1);
	size_t pos = 0, n = 0;
	struct gw_str key;
	void *p;
	while (list && gw_map_next(values, &pos, &key, &p)) {
		list[n++] = p;
	}
	if (list) {
		qsort(list, n, sizeof(*list), in_order);
	}
	*ret_n = n;
	return list;
}

static int write_values(sqlite3 *db, const struct gw_map *values)
{
	sqlite3_stmt *st = NULL;
	size_t n = 0;
	const struct value **list = sorted(values, &n);
	if (!list) {
		return -ENOMEM;
	}
	int rc = sqlite3_prepare_v2(
		db,
		"INSERT INTO value(device, address, json, time) VALUES(?1, ?2, ?3, ?4) ON CONFLICT(device, address)"
		" DO UPDATE SET json=excluded.json, time=excluded.time",
		-1, &st, /* tail= */ NULL);
	int r = gw_store_errno(db, rc);
	for (size_t i = 0; r == 0 && i < n; i++) {
		const struct value *v = list[i];
		const struct gw_store_arg args[] = {
			GW_TEXT(v->device),
			GW_TEXT(v->address),
			{.type = GW_ARG_TEXT, .bytes = {v->json, v->len}},
			GW_INT(v->time_wall_ms)};
		r = step(db, st, args, gw_countof(args));
	}
	(void)sqlite3_finalize(st); /* repeats the error of the step */
	gw_free(list);
	return r;
}

static int write_batch(sqlite3 *db, const struct batch *b)
{
	int r = gw_store_exec(db, "BEGIN IMMEDIATE");
	if (r < 0) {
		return r;
	}
	if (b->removed) {
		r = write_removed(db, b->removed);
	}
	if (r == 0 && b->values) {
		r = write_values(db, b->values);
	}
	if (r == 0) {
		r = gw_store_exec(db, "COMMIT");
	}
	if (r < 0 && !sqlite3_get_autocommit(db)) {
		(void)sqlite3_exec(db, "ROLLBACK", /* callback= */ NULL, /* ctx= */ NULL,
				   /* errmsg= */ NULL); /* the first error is the one that counts */
	}
	return r;
}

/* On the pool (at the end: on the loop). Each page goes to the WAL and later to the file. */
static void work_flush(void *job)
{
	struct flush *f = job;
	int pages = 0, peak = 0;
	f->result = *f->db ? 0 : open_state(f->path, f->db);
	if (f->result == 0) {
		f->result = write_batch(*f->db, &f->batch);
		(void)sqlite3_db_status(*f->db, SQLITE_DBSTATUS_CACHE_WRITE, &pages, &peak, 1);
		f->bytes = (int64_t)pages * (2 * gw_store_schema_state.page_bytes + FRAME_BYTES);
	}
	if (f->result < 0 &&
	    *f->db) { /* opened anew the next time; a damaged one is then replaced */
		(void)sqlite3_close(*f->db);
		*f->db = NULL;
	}
	uv_sem_post(&f->over);
}

/* What could not be written waits again, unless there is something newer. */
static void put_back(struct gw_store_values *v, struct batch *b)
{
	size_t pos = 0;
	struct gw_str key;
	void *p;
	while (b->removed && gw_map_next(b->removed, &pos, &key, &p)) {
		if (!v->batch.removed) {
			v->batch.removed = gw_map_new(GW_DEVICES);
		}
		int r = v->batch.removed ? gw_map_put(v->batch.removed, key, v) : -ENOMEM;
		(void)r; /* there already, or done at the next start */
	}
	pos = 0;
	while (b->values && gw_map_next(b->values, &pos, &key, &p)) {
		struct value *old = p;
		if (!v->batch.values) {
			v->batch.values = gw_map_new(GW_VALUES_KEPT);
		}
		bool gone = v->batch.removed &&
			    gw_map_find(v->batch.removed, gw_str(old->device)) != NULL;
		if (!gone && v->batch.values && gw_map_put(v->batch.values, key, old) == 0) {
			(void)gw_map_remove(b->values, key); /* it is old, which has moved */
		}
	}
}

static void take_result(struct gw_store_values *v, struct flush *f, int r)
{
	v->budget -= f->bytes;
	if (r < 0) {
		if (!v->failed) {
			gw_log_warning("store", "GW-STORE-STATE",
				       "the last values cannot be saved: %s", strerror(-r));
		}
		put_back(v, &f->batch);
	}
	v->failed = r < 0;
}

static void free_flush(struct flush *f)
{
	batch_fini(&f->batch);
	uv_sem_destroy(&f->over);
	gw_free(f);
}

static void done_flush(void *job, int status)
{
	struct flush *f = job;
	struct gw_store_values *v = f->owner;
	if (v) {
		v->flush = NULL;
		take_result(v, f, status < 0 ? status : f->result);
		if (v->batch.values || v->batch.removed) {
			schedule(v);
		}
	}
	free_flush(f);
}

static struct flush *new_flush(struct gw_store_values *v)
{
	struct flush *f = gw_new(struct flush);
	if (!f || uv_sem_init(&f->over, 0) < 0 ||
	    gw_store_path(v->store, "state.db", f->path, sizeof(f->path)) < 0) {
		gw_free(f);
		return NULL;
	}
	f->owner = v;
	f->db = &v->db;
	f->batch = v->batch;
	v->batch = (struct batch){0};
	return f;
}

static void on_timer(void *ctx)
{
	struct gw_store_values *v = ctx;
	struct flush *f = new_flush(v);
	if (f && gw_loop_work(v->store->loop, work_flush, done_flush, f) == 0) {
		v->flush = f;
		return;
	}
	if (f) {
		take_result(v, f, -ENOMEM);
		free_flush(f);
	}
	schedule(v);
}

/* --- reading, beginning, end --- */

static bool is_stored(struct gw_store *s, const char *device)
{
	int r = 0;
	sqlite3_stmt *st = gw_store_start(s, GW_SQL_HAS_DEVICE, GW_ARGS(GW_TEXT(device)), &r);
	if (!st) {
		return true; /* not known: then nothing is removed */
	}
	bool there = sqlite3_step(st) != SQLITE_DONE;
	gw_store_done(st);
	return there;
}

struct reader {
	struct gw_store *s;
	int (*fn)(void *ctx, const char *device, const char *address, const char *json,
		  int64_t time_wall_ms);
	void *ctx;
	char device[GW_ID_BYTES]; /* of the last row */
	bool known;
};

static int read_row(struct reader *rd, sqlite3_stmt *st)
{
	const char *device, *address, *json;
	if (!gw_store_column(st, 0, GW_ID_BYTES - 1, &device) ||
	    !gw_store_column(st, 1, ADDRESS_BYTES - 1, &address) ||
	    !gw_store_column(st, 2, GW_VALUE_BYTES, &json)) {
		return 0;
	}
	if (strcmp(rd->device, device) != 0) {
		(void)snprintf(rd->device, sizeof(rd->device), "%s", device);
		rd->known = is_stored(rd->s, device);
		if (!rd->known) { /* power went between its removal and the next flush */
			gw_store_values_forget(rd->s, device);
		}
	}
	return rd->known ? rd->fn(rd->ctx, device, address, json, sqlite3_column_int64(st, 3)) : 0;
}

int gw_store_each_value(struct gw_store *s,
			int (*fn)(void *ctx, const char *device, const char *address,
				  const char *json, int64_t time_wall_ms),
			void *ctx)
{
	struct gw_store_values *v = s->values;
	struct reader rd = {.s = s, .fn = fn, .ctx = ctx};
	sqlite3_stmt *st = NULL;
	if (!v->db || v->flush) {
		return 0; /* no state.db: nothing is known, and the first flush makes one */
	}
	int rc = sqlite3_prepare_v2(v->db,
				    "SELECT device, address, json, time FROM value ORDER BY device",
				    -1, &st, /* tail= */ NULL);
	int r = 0;
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(st);
		if (rc != SQLITE_ROW) {
			break;
		}
		r = read_row(&rd, st);
		if (r != 0) {
			break;
		}
	}
	(void)sqlite3_finalize(st);		       /* repeats the error of the step */
	(void)sqlite3_db_release_memory(v->db);	       /* as each_row does */
	if (r == 0 && gw_store_errno(v->db, rc) < 0) { /* damaged: what came is what there is */
		gw_log_warning("store", "GW-STORE-STATE", "state.db is damaged, ignoring the rest");
		(void)sqlite3_close(v->db);
		v->db = NULL;
	}
	return r;
}

int gw_store_values_new(struct gw_store *s)
{
	char path[PATH_MAX];
	struct gw_store_values *v = gw_new(struct gw_store_values);
	if (!v) {
		return -ENOMEM;
	}
	s->values = v;
	v->store = s;
	v->budget = BUDGET_BYTES;
	v->budget_ms = gw_clock_ms();
	v->timer = gw_timer_new(s->loop, on_timer, v);
	if (!v->timer) {
		return -ENOMEM;
	}
	int r = gw_store_path(s, "state.db", path, sizeof(path));
	if (r == 0) {
		r = open_state(path, &v->db);
	}
	if (r < 0) { /* the home works without; each flush tries again */
		gw_log_warning("store", "GW-STORE-STATE", "the last values cannot be read: %s",
			       strerror(-r));
		v->db = NULL;
	}
	return 0;
}

void gw_store_values_free(struct gw_store *s)
{
	struct gw_store_values *v = s->values;
	if (!v) {
		return;
	}
	if (v->flush) {
		uv_sem_wait(&v->flush->over);
		take_result(v, v->flush, v->flush->result);
		v->flush->owner = NULL;
	}
	struct flush *f = v->batch.values || v->batch.removed ? new_flush(v) : NULL;
	if (f) {
		work_flush(f);
		free_flush(f);
	}
	batch_fini(&v->batch);
	(void)sqlite3_close(v->db); /* nothing is prepared that could hold it open */
	gw_timer_free(v->timer);
	gw_free(v);
	s->values = NULL;
}
