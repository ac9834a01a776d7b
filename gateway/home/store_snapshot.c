/*
 * The last good copy of home.db, and what is done with a bad one (R39). The copy is made page by page between other work (online
 * backup), the fsync and the check of the finished copy run on the pool.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "gw/limits.h"
#include "gw/log.h"
#include "home/store_impl.h"

#define SNAPSHOT_AFTER_MS 60000
#define SNAPSHOT_RETRY_MS (10 * 60 * 1000)
#define STEP_PAGES	  32
#define STEP_MS		  2
#define BAD_PREFIX	  "home.db.bad-"

/* The end of a snapshot on the pool; owns itself, so that the store may be closed meanwhile. */
struct finish {
	struct gw_store_snapshot *owner; /* NULL: the store is closed */
	uv_sem_t over;
	int result;
	char temp[PATH_MAX], path[PATH_MAX];
};

struct gw_store_snapshot {
	struct gw_store *store;
	struct gw_timer *timer;
	bool due;
	sqlite3 *to;
	sqlite3_backup *backup; /* while copying */
	struct finish *finish;	/* while the pool works */
};

/* --- bad files --- */

static int is_bad_file(const struct dirent *e)
{
	size_t len = strlen(BAD_PREFIX);
	return strncmp(e->d_name, BAD_PREFIX, len) == 0 && !strchr(e->d_name + len, '-');
}

/* The names hold the time with leading zeros, so that their order is the order in time. */
static void keep_few_bad_files(const struct gw_store *s)
{
	char path[PATH_MAX], wal[PATH_MAX];
	struct dirent **names = NULL;
	int n = scandir(s->dir, &names, is_bad_file, alphasort);
	for (int i = 0; i < n; i++) {
		if (i < n - GW_STORE_BAD_FILES &&
		    gw_store_path(s, names[i]->d_name, path, sizeof(path) - 8) == 0) {
			(void)snprintf(wal, sizeof(wal), "%.*s-wal", PATH_MAX - 8, path);
			(void)unlink(path); /* room is made as well as it can be */
			(void)unlink(wal);
		}
		free(names[i]);
	}
	free(names);
}

/* home.db or the snapshot → home.db.bad-<time>, with its WAL, for whoever wants to look. */
static int set_aside(const struct gw_store *s, const char *name)
{
	char path[PATH_MAX], bad[PATH_MAX], name_wal[64], path_wal[PATH_MAX], bad_wal[PATH_MAX];
	struct stat st;
	int r = gw_store_path(s, name, path, sizeof(path));
	int64_t time = gw_wall_ms();
	do {
		char bad_name[64];
		(void)snprintf(bad_name, sizeof(bad_name), BAD_PREFIX "%014lld", (long long)time++);
		r = r < 0 ? r : gw_store_path(s, bad_name, bad, sizeof(bad) - 8);
	} while (r == 0 && lstat(bad, &st) == 0);
	(void)snprintf(name_wal, sizeof(name_wal), "%s-wal", name);
	r = r < 0 ? r : gw_store_path(s, name_wal, path_wal, sizeof(path_wal));
	if (r < 0) {
		return r;
	}
	(void)snprintf(bad_wal, sizeof(bad_wal), "%.*s-wal", PATH_MAX - 8, bad);
	if (rename(path, bad) < 0) {
		return -errno;
	}
	if (rename(path_wal, bad_wal) < 0 && errno != ENOENT) {
		return -errno; /* it would be taken for the WAL of the next home.db */
	}
	gw_log_error("store", "GW-STORE-BAD", "%s is set aside as %s", name, bad);
	keep_few_bad_files(s);
	return 0;
}

/* --- opening --- */

static void format_time_of(const char *path, char *ret_text, size_t cap)
{
	struct stat st;
	int64_t ms = lstat(path, &st) == 0 ? (int64_t)st.st_mtim.tv_sec * 1000 : 0;
	gw_wall_format(ms, ret_text, cap);
}

/* 1: the snapshot is home.db now; 0: there is no usable one. */
static int restore_snapshot(struct gw_store *s, char *ret_time, size_t cap,
			    struct gw_error *reterr_)
{
	char path[PATH_MAX], snapshot[PATH_MAX];
	sqlite3 *db = NULL;
	int r = gw_store_path(s, "home.db", path, sizeof(path));
	if (r == 0) {
		r = gw_store_path(s, "home.db.snapshot", snapshot, sizeof(snapshot));
	}
	if (r < 0) {
		return r;
	}
	r = gw_store_schema_open(&gw_store_schema_home, snapshot, GW_STORE_READ, &db, reterr_);
	if (r == 0) {
		(void)sqlite3_close(db); /* nothing was prepared that could hold it open */
		format_time_of(snapshot, ret_time, cap);
		r = gw_store_file_copy(snapshot, path);
		return r < 0 ? gw_error_set(reterr_, r, "store",
					    "home.db cannot be restored from its snapshot: %s",
					    strerror(-r))
			     : 1;
	}
	if (r == -EBADMSG) {
		r = set_aside(s, "home.db.snapshot");
	}
	return r == -ENOENT ? 0 : r;
}

/* Journals of a home.db that is gone would be played into the next one. */
static int remove_journals(const struct gw_store *s)
{
	static const char *const names[] = {"home.db-wal", "home.db-journal"};
	char path[PATH_MAX];
	for (size_t i = 0; i < gw_countof(names); i++) {
		int r = gw_store_path(s, names[i], path, sizeof(path));
		if (r < 0) {
			return r;
		}
		if (unlink(path) < 0 && errno != ENOENT) {
			return -errno;
		}
	}
	return 0;
}

/* home.db is not there (any more): the snapshot, else an empty one. what: why. */
static int start_over(struct gw_store *s, const char *what, char *note, struct gw_error *reterr_)
{
	char path[PATH_MAX], time[32];
	int r = remove_journals(s);
	if (r == 0) {
		r = restore_snapshot(s, time, sizeof(time), reterr_);
	}
	if (r < 0) {
		return r;
	}
	if (r == 1) {
		(void)snprintf(note, 256,
			       "home.db was %s: the snapshot of %s is used, later changes are lost",
			       what, time);
		return 0;
	}
	r = gw_store_path(s, "home.db", path, sizeof(path));
	if (r == 0) {
		r = gw_store_schema_create(&gw_store_schema_home, path, reterr_);
	}
	if (r == 0 && s->claimed) {
		(void)snprintf(note, 256,
			       "home.db was %s and there is no snapshot: the home is empty, and "
			       "claiming it needs `hearth claim --open` on this machine",
			       what);
	} else if (r == 0 && strcmp(what, "missing") != 0) {
		(void)snprintf(note, 256,
			       "home.db was %s and there is no snapshot: the home is empty", what);
	}
	return r;
}

/* A directory in memory for a moment; other users cannot look into it. */
static int make_temp_dir(char *ret_dir, size_t cap)
{
	static const char *const bases[] = {"/dev/shm", "/run", "/tmp"};
	for (size_t i = 0; i < gw_countof(bases); i++) {
		(void)snprintf(ret_dir, cap, "%s/hearth-XXXXXX", bases[i]);
		if (mkdtemp(ret_dir)) {
			return 0;
		}
	}
	return -errno;
}

static void remove_temp_dir(const char *dir)
{
	static const char *const names[] = {"home.db", "home.db-wal"};
	char path[PATH_MAX];
	for (size_t i = 0; i < gw_countof(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		(void)unlink(path); /* may be gone */
	}
	(void)rmdir(dir); /* in memory; at the latest the next boot removes it */
}

/* The WAL holds changes that are not in the file yet, and cannot be written back where they are: both are put together elsewhere. */
static int open_copy(const char *path, const char *wal, sqlite3 **ret_db)
{
	char dir[64], copy[80], copy_wal[80];
	sqlite3 *db = NULL;
	int r = make_temp_dir(dir, sizeof(dir));
	if (r < 0) {
		return r;
	}
	(void)snprintf(copy, sizeof(copy), "%s/home.db", dir);
	(void)snprintf(copy_wal, sizeof(copy_wal), "%s/home.db-wal", dir);
	r = gw_store_file_copy(path, copy);
	if (r == 0) {
		r = gw_store_file_copy(wal, copy_wal);
	}
	if (r == 0) {
		r = gw_store_schema_open(&gw_store_schema_home, copy, GW_STORE_WRITE, &db,
					 /* reterr_= */ NULL);
	}
	if (r == 0) {
		(void)sqlite3_close(
			db); /* writes the WAL back; the next line sees whether it did */
		r = gw_store_schema_open(&gw_store_schema_home, copy, GW_STORE_READ, ret_db,
					 /* reterr_= */ NULL);
	}
	remove_temp_dir(dir); /* what is open lives until it is closed */
	return r;
}

/* The disk cannot be written now, but what is on it can be read: devices are controlled, nothing is saved (R40). */
static int open_as_it_is(struct gw_store *s, const char *path, int err, char *note,
			 struct gw_error *error)
{
	char wal[PATH_MAX];
	struct stat st;
	if (err != -ENOSPC && err != -EROFS && err != -EIO) {
		return err;
	}
	int r = gw_store_path(s, "home.db-wal", wal, sizeof(wal));
	if (r == 0 && lstat(wal, &st) == 0 && st.st_size > 0) {
		r = open_copy(path, wal, &s->db);
	} else if (r == 0) {
		r = gw_store_schema_open(&gw_store_schema_home, path, GW_STORE_READ, &s->db,
					 /* reterr_= */ NULL);
	}
	if (r < 0) {
		return err; /* and *error is that of err */
	}
	(void)snprintf(note, 256, "%.200s: opened for reading only", error->text);
	s->opened_read_only = true;
	s->error = err;
	return 0;
}

int gw_store_open_home(struct gw_store *s, char *ret_note, struct gw_error *reterr_)
{
	char path[PATH_MAX];
	struct gw_error e = {0};
	int r = gw_store_path(s, "home.db", path, sizeof(path));
	if (r < 0) {
		return gw_error_set(reterr_, r, "store", "the name of the directory is too long");
	}
	const char *what = "missing";
	r = gw_store_schema_open(&gw_store_schema_home, path, GW_STORE_WRITE, &s->db, &e);
	if (r == -EBADMSG) {
		gw_log_error("store", "GW-STORE-DAMAGED", "%s", e.text);
		what = "damaged";
		r = set_aside(s, "home.db");
		r = r < 0 ? r : -ENOENT;
	}
	if (r == -ENOENT) {
		r = start_over(s, what, ret_note, &e);
		if (r == 0) {
			r = gw_store_schema_open(&gw_store_schema_home, path, GW_STORE_WRITE,
						 &s->db, &e);
		}
	}
	if (r < 0) {
		r = open_as_it_is(s, path, r, ret_note, &e);
	}
	if (r < 0 && reterr_) {
		*reterr_ = e;
		if (e.text[0] == '\0') {
			(void)gw_error_set(reterr_, r, "store", "home.db: %s", strerror(-r));
		}
	}
	return r;
}

/* --- copying --- */

static void end_copy(struct gw_store_snapshot *n)
{
	(void)sqlite3_backup_finish(n->backup); /* repeats the error of the last step */
	(void)sqlite3_close(n->to);		/* nothing was prepared that could hold it open */
	n->backup = NULL;
	n->to = NULL;
}

static int begin_copy(struct gw_store_snapshot *n)
{
	char temp[PATH_MAX];
	int r = gw_store_path(n->store, "home.db.snapshot.new", temp, sizeof(temp));
	if (r == 0) {
		r = gw_store_file_make(temp);
	}
	if (r < 0) {
		return r;
	}
	int rc = sqlite3_open_v2(temp, &n->to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW,
				 /* vfs= */ NULL);
	r = gw_store_errno(n->to, rc);
	if (r == 0) {
		r = gw_store_exec(n->to, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=OFF;"
					 "PRAGMA synchronous=OFF; PRAGMA cache_size=-64");
	}
	if (r == 0) {
		n->backup = sqlite3_backup_init(n->to, "main", n->store->db, "main");
		r = n->backup ? 0 : gw_store_errno(n->to, sqlite3_errcode(n->to));
	}
	if (r < 0) {
		end_copy(n);
	}
	return r;
}

static void work_finish(void *job)
{
	struct finish *f = job;
	sqlite3 *db = NULL;
	f->result = gw_store_schema_open(&gw_store_schema_home, f->temp, GW_STORE_READ, &db,
					 /* reterr_= */ NULL);
	if (f->result == 0) {
		(void)sqlite3_close(db); /* nothing was prepared that could hold it open */
		f->result = gw_store_file_commit(f->temp, f->path);
	}
	uv_sem_post(&f->over);
}

static void report(struct gw_store_snapshot *n, int r)
{
	if (r < 0) {
		gw_log_warning("store", "GW-STORE-SNAPSHOT", "no snapshot was made: %s",
			       strerror(-r));
		n->due = true;
		gw_timer_start(n->timer, SNAPSHOT_RETRY_MS, /* repeat_ms= */ 0);
	} else if (n->due) {
		gw_timer_start(n->timer, SNAPSHOT_AFTER_MS, /* repeat_ms= */ 0);
	}
}

static void done_finish(void *job, int status)
{
	struct finish *f = job;
	if (f->owner) {
		f->owner->finish = NULL;
		report(f->owner, status < 0 ? status : f->result);
	}
	uv_sem_destroy(&f->over);
	gw_free(f);
}

static struct finish *new_finish(struct gw_store_snapshot *n)
{
	struct finish *f = gw_new(struct finish);
	if (!f || uv_sem_init(&f->over, 0) < 0 ||
	    gw_store_path(n->store, "home.db.snapshot.new", f->temp, sizeof(f->temp)) < 0 ||
	    gw_store_path(n->store, "home.db.snapshot", f->path, sizeof(f->path)) < 0) {
		gw_free(f);
		return NULL;
	}
	f->owner = n;
	return f;
}

static int begin_finish(struct gw_store_snapshot *n)
{
	n->finish = new_finish(n);
	if (!n->finish) {
		return -ENOMEM;
	}
	int r = gw_loop_work(n->store->loop, work_finish, done_finish, n->finish);
	if (r < 0) {
		uv_sem_destroy(&n->finish->over);
		gw_free(n->finish);
		n->finish = NULL;
	}
	return r;
}

/* Between two steps others write; what they change in pages that are copied already is copied again by SQLite. */
static void on_timer(void *ctx)
{
	struct gw_store_snapshot *n = ctx;
	int r = 0;
	if (n->store->error || !n->store->db) {
		gw_timer_start(n->timer, SNAPSHOT_RETRY_MS, /* repeat_ms= */ 0);
		return;
	}
	if (!n->backup) {
		n->due = false;
		r = begin_copy(n);
	}
	int rc = r == 0 ? sqlite3_backup_step(n->backup, STEP_PAGES) : SQLITE_ERROR;
	if (r == 0 && (rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED)) {
		gw_timer_start(n->timer, STEP_MS, /* repeat_ms= */ 0);
		return;
	}
	if (r == 0) {
		r = gw_store_errno(n->to, rc);
		end_copy(n);
	}
	if (r == 0) {
		r = begin_finish(n);
	}
	if (r < 0) {
		report(n, r);
	}
}

void gw_store_snapshot_due(struct gw_store *s)
{
	struct gw_store_snapshot *n = s->snapshot;
	if (!n || n->due) {
		return;
	}
	n->due = true;
	if (!n->backup && !n->finish) {
		gw_timer_start(n->timer, SNAPSHOT_AFTER_MS, /* repeat_ms= */ 0);
	}
}

/* A snapshot that is as new as the store (both were left alone since) is not made again. */
static bool is_current(const struct gw_store *s)
{
	char path[PATH_MAX];
	struct stat home, snapshot;
	return gw_store_path(s, "home.db", path, sizeof(path)) == 0 && stat(path, &home) == 0 &&
	       gw_store_path(s, "home.db.snapshot", path, sizeof(path)) == 0 &&
	       stat(path, &snapshot) == 0 && snapshot.st_mtim.tv_sec >= home.st_mtim.tv_sec;
}

int gw_store_snapshot_new(struct gw_store *s)
{
	struct gw_store_snapshot *n = gw_new(struct gw_store_snapshot);
	if (!n) {
		return -ENOMEM;
	}
	n->store = s;
	n->timer = gw_timer_new(s->loop, on_timer, n);
	s->snapshot = n;
	if (!n->timer) {
		return -ENOMEM;
	}
	if (!is_current(s)) {
		gw_store_snapshot_due(s);
	}
	return 0;
}

/* At the end there is nothing to wait for: the whole copy at once. */
static void finish_now(struct gw_store_snapshot *n)
{
	int r = n->backup ? 0 : begin_copy(n);
	if (r < 0) {
		report(n, r);
		return;
	}
	int rc = sqlite3_backup_step(n->backup, -1);
	end_copy(n);
	struct finish *f = rc == SQLITE_DONE ? new_finish(n) : NULL;
	if (f) {
		work_finish(f);
		uv_sem_destroy(&f->over);
		gw_free(f);
	}
}

void gw_store_snapshot_free(struct gw_store *s)
{
	struct gw_store_snapshot *n = s->snapshot;
	if (!n) {
		return;
	}
	if (n->finish) {
		uv_sem_wait(&n->finish->over);
		n->finish->owner = NULL;
	}
	if ((n->due || n->backup) && n->timer && s->db && !s->error) {
		finish_now(n);
	}
	if (n->backup) {
		end_copy(n);
	}
	gw_timer_free(n->timer);
	gw_free(n);
	s->snapshot = NULL;
}
