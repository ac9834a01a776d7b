/* The store as a whole: the directory and its lock, kept statements, transactions, and what happens when writing fails (R37, R40). */
#include "home/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "gw/log.h"
#include "home/store_impl.h"

#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 60000
/*
 * At most so many old audit lines go with each new one. By age only a few, so that a clock that jumps cannot wipe the audit at once.
 */
#define TRIM_LINES     128
#define TRIM_OLD_LINES 16
#define LINE_BYTES     40 /* of an audit line beside its texts, about */
#define DAY_MS	       (24 * 60 * 60 * INT64_C(1000))

static const char *const statements[GW_SQL_COUNT] = {
	[GW_SQL_BEGIN] = "BEGIN IMMEDIATE",
	[GW_SQL_COMMIT] = "COMMIT",
	[GW_SQL_ROLLBACK] = "ROLLBACK",
	[GW_SQL_PUT_DEVICE] =
		"INSERT INTO device(id, name, room, type, vendor, model, firmware, identity, weak, adopted, revision)"
		" VALUES(?1, ?2, nullif(?3, ''), ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT(id) DO UPDATE SET"
		" name=excluded.name, room=excluded.room, type=excluded.type, vendor=excluded.vendor, model=excluded.model,"
		" firmware=excluded.firmware, identity=excluded.identity, weak=excluded.weak, adopted=excluded.adopted,"
		" revision=excluded.revision",
	[GW_SQL_PUT_ROUTE] =
		"INSERT INTO route(device, adapter, profile, profile_text, vars)"
		" SELECT number, ?2, ?3, ?4, ?5 FROM device WHERE id=?1 ON CONFLICT(device) DO UPDATE SET"
		" adapter=excluded.adapter, profile=excluded.profile, profile_text=excluded.profile_text, vars=excluded.vars",
	[GW_SQL_REMOVE_DEVICE] = "DELETE FROM device WHERE id=?1",
	[GW_SQL_HAS_DEVICE] = "SELECT 1 FROM device WHERE id=?1",
	[GW_SQL_PUT_ROOM] =
		"INSERT INTO room(id, name) VALUES(?1, ?2) ON CONFLICT(id) DO UPDATE SET name=excluded.name",
	[GW_SQL_REMOVE_ROOM] = "DELETE FROM room WHERE id=?1",
	[GW_SQL_PUT_ACCOUNT] =
		"INSERT INTO account(id, name, role, created, expires, devices, salt, hash, generation)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT(id) DO UPDATE SET name=excluded.name,"
		" role=excluded.role, created=excluded.created, expires=excluded.expires, devices=excluded.devices,"
		" salt=excluded.salt, hash=excluded.hash, generation=excluded.generation",
	[GW_SQL_REMOVE_ACCOUNT] = "DELETE FROM account WHERE id=?1",
	[GW_SQL_PUT_TOKEN] =
		"INSERT INTO token(id, account, name, scope, created, expires, used, devices, hash, generation)"
		" VALUES(?1, nullif(?2, ''), ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT(id) DO UPDATE SET"
		" account=excluded.account, name=excluded.name, scope=excluded.scope, created=excluded.created,"
		" expires=excluded.expires, used=excluded.used, devices=excluded.devices, hash=excluded.hash,"
		" generation=excluded.generation",
	[GW_SQL_REMOVE_TOKEN] = "DELETE FROM token WHERE id=?1",
	[GW_SQL_PUT_META] =
		"INSERT INTO meta(key, value) VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET value=excluded.value",
	[GW_SQL_GET_META] = "SELECT value FROM meta WHERE key=?1",
	[GW_SQL_PUT_AUDIT] =
		"INSERT INTO audit(time, who, via, what, object, detail) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	[GW_SQL_COUNT_AUDIT] =
		"SELECT ifnull(sum(?1 + length(who) + length(via) + length(what) + length(object) + length(detail)), 0)"
		" FROM audit",
	[GW_SQL_OLDEST_AUDIT] =
		"SELECT number, time, ?1 + length(who) + length(via) + length(what) + length(object) + length(detail)"
		" FROM audit ORDER BY number LIMIT ?2",
	[GW_SQL_TRIM_AUDIT] = "DELETE FROM audit WHERE number <= ?1",
};

int gw_store_path(const struct gw_store *s, const char *name, char *ret_path, size_t cap)
{
	int n = snprintf(ret_path, cap, "%s/%s", s->dir, name);
	return n < 0 || (size_t)n >= cap ? -ENAMETOOLONG : 0;
}

/* --- kept statements --- */

int gw_store_bind(sqlite3_stmt *st, const struct gw_store_arg *args, size_t n)
{
	int rc = SQLITE_OK;
	for (size_t i = 0; i < n && rc == SQLITE_OK; i++) {
		const struct gw_store_arg *a = &args[i];
		int at = (int)i + 1;
		int len = (int)a->bytes.len;
		switch (a->type) {
		case GW_ARG_INT: rc = sqlite3_bind_int64(st, at, a->number); break;
		case GW_ARG_TEXT:
			rc = sqlite3_bind_text(st, at, a->bytes.p, len, SQLITE_STATIC);
			break;
		case GW_ARG_BLOB:
			rc = sqlite3_bind_blob(st, at, a->bytes.p, len, SQLITE_STATIC);
			break;
		}
	}
	return gw_store_errno(sqlite3_db_handle(st), rc);
}

sqlite3_stmt *gw_store_start(struct gw_store *s, enum gw_store_sql sql,
			     const struct gw_store_arg *args, size_t n, int *ret_err)
{
	if (!s->db) {
		*ret_err = -EIO;
		return NULL;
	}
	if (!s->stmt[sql]) {
		int rc = sqlite3_prepare_v3(s->db, statements[sql], -1, SQLITE_PREPARE_PERSISTENT,
					    &s->stmt[sql], /* tail= */ NULL);
		if (rc != SQLITE_OK) {
			*ret_err = gw_store_errno(s->db, rc);
			return NULL;
		}
	}
	int r = gw_store_bind(s->stmt[sql], args, n);
	if (r < 0) {
		*ret_err = r;
		return NULL;
	}
	return s->stmt[sql];
}

void gw_store_done(sqlite3_stmt *st)
{
	(void)sqlite3_reset(st); /* repeats the error of the step */
	(void)sqlite3_clear_bindings(st);
}

int gw_store_run(struct gw_store *s, enum gw_store_sql sql, const struct gw_store_arg *args,
		 size_t n)
{
	int r = 0;
	sqlite3_stmt *st = gw_store_start(s, sql, args, n, &r);
	if (!st) {
		return r;
	}
	r = gw_store_errno(s->db, sqlite3_step(st));
	gw_store_done(st);
	return r;
}

static void drop_connection(struct gw_store *s)
{
	for (size_t i = 0; i < GW_SQL_COUNT; i++) {
		(void)sqlite3_finalize(s->stmt[i]); /* repeats an old error */
		s->stmt[i] = NULL;
	}
	if (s->db && sqlite3_close(s->db) != SQLITE_OK) {
		gw_log_error("store", "GW-STORE-CLOSE", "home.db was not closed: %s",
			     sqlite3_errmsg(s->db));
	}
	s->db = NULL;
}

/* --- health --- */

static const char *why(int err)
{
	switch (err) {
	case -ENOSPC: return "the disk is full";
	case -EROFS: return "the file system is read-only";
	case -EBADMSG: return "home.db is damaged; a restart uses the last snapshot";
	default: return "the disk reports errors";
	}
}

/* Controlling devices goes on; changes of people are refused until writing works again (R40). */
static void go_read_only(struct gw_store *s, int err)
{
	if (s->problem[0] == '\0') {
		s->retry_ms = RETRY_MIN_MS;
		gw_log_error("store", "GW-STORE-READONLY", "nothing can be saved: %s", why(err));
	}
	s->error = err == -EBADMSG ? -EIO : err;
	(void)snprintf(s->problem, sizeof(s->problem), "Nothing can be saved: %s.", why(err));
	if (err != -EBADMSG) {
		gw_timer_start(s->retry, s->retry_ms, /* repeat_ms= */ 0);
	}
}

static bool is_about_the_disk(int err)
{
	return err == -ENOSPC || err == -EROFS || err == -EIO || err == -EBADMSG || err == -EACCES;
}

static int probe(struct gw_store *s)
{
	char now[48]; /* always another text: SQLite writes nothing when nothing differs */
	(void)snprintf(now, sizeof(now), "%lld/%u", (long long)gw_wall_ms(), ++s->probes);
	int r = gw_store_run(s, GW_SQL_BEGIN, NULL, 0);
	if (r == 0) {
		r = gw_store_run(s, GW_SQL_PUT_META, GW_ARGS(GW_TEXT("written"), GW_TEXT(now)));
	}
	return gw_store_end(s, r, /* audit= */ NULL);
}

static int reopen(struct gw_store *s)
{
	char path[PATH_MAX];
	sqlite3 *db = NULL;
	int r = gw_store_path(s, "home.db", path, sizeof(path));
	if (r == 0) {
		r = gw_store_schema_open(&gw_store_schema_home, path, GW_STORE_WRITE, &db,
					 /* reterr_= */ NULL);
	}
	if (r < 0) {
		return r;
	}
	drop_connection(s);
	s->db = db;
	s->opened_read_only = false;
	return 0;
}

static void on_retry(void *ctx)
{
	struct gw_store *s = ctx;
	s->retry_ms = s->retry_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : s->retry_ms * 2;
	int r = s->opened_read_only ? reopen(s) : 0;
	if (r == 0) {
		r = probe(s);
	}
	if (r < 0) {
		go_read_only(s, r);
		return;
	}
	s->error = 0;
	s->problem[0] = '\0';
	gw_log_info("store", "changes can be saved again");
}

bool gw_store_read_only(const struct gw_store *s)
{
	return s->error != 0;
}

const char *gw_store_problem(const struct gw_store *s)
{
	return s->problem;
}

/* --- transactions --- */

int gw_store_begin(struct gw_store *s)
{
	if (s->error) {
		return s->error;
	}
	int r = gw_store_run(s, GW_SQL_BEGIN, NULL, 0);
	if (is_about_the_disk(r)) {
		go_read_only(s, r);
		return s->error;
	}
	return r;
}

static int count_audit(struct gw_store *s)
{
	int r = 0;
	sqlite3_stmt *st = gw_store_start(s, GW_SQL_COUNT_AUDIT, GW_ARGS(GW_INT(LINE_BYTES)), &r);
	if (!st) {
		return r;
	}
	int rc = sqlite3_step(st);
	s->audit_bytes = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
	r = gw_store_errno(s->db, rc);
	gw_store_done(st);
	return r;
}

/* Old lines and, over the byte limit, the oldest ones go. */
static int trim_audit(struct gw_store *s, int64_t now)
{
	int r = 0;
	sqlite3_stmt *st = gw_store_start(s, GW_SQL_OLDEST_AUDIT,
					  GW_ARGS(GW_INT(LINE_BYTES), GW_INT(TRIM_LINES)), &r);
	if (!st) {
		return r;
	}
	int64_t last = 0, bytes = s->audit_bytes;
	int64_t old = now - GW_AUDIT_DAYS * DAY_MS;
	int n = 0, rc = sqlite3_step(st);
	while (rc == SQLITE_ROW && (bytes > GW_AUDIT_BYTES ||
				    (n < TRIM_OLD_LINES && sqlite3_column_int64(st, 1) < old))) {
		last = sqlite3_column_int64(st, 0);
		bytes -= sqlite3_column_int64(st, 2);
		n++;
		rc = sqlite3_step(st);
	}
	r = gw_store_errno(s->db, rc);
	gw_store_done(st);
	if (r == 0 && last > 0) {
		r = gw_store_run(s, GW_SQL_TRIM_AUDIT, GW_ARGS(GW_INT(last)));
	}
	s->audit_bytes = r == 0 ? bytes : -1;
	return r;
}

static struct gw_store_arg clipped(const char *text)
{
	struct gw_str s = gw_str(text ? text : "");
	while (s.len > GW_AUDIT_TEXT ||
	       (s.len > 0 && !gw_str_is_utf8(s) && s.len > GW_AUDIT_TEXT - 4)) {
		s.len = s.len > GW_AUDIT_TEXT ? GW_AUDIT_TEXT
					      : s.len - 1; /* never half a character */
	}
	return (struct gw_store_arg){.type = GW_ARG_TEXT, .bytes = s};
}

static int add_audit(struct gw_store *s, const struct gw_audit_line *a)
{
	int64_t now = gw_wall_ms();
	const struct gw_store_arg args[] = {GW_INT(now),	clipped(a->who),
					    clipped(a->via),	clipped(a->what),
					    clipped(a->object), clipped(a->detail)};
	int r = s->audit_bytes < 0 ? count_audit(s) : 0;
	if (r == 0) {
		r = gw_store_run(s, GW_SQL_PUT_AUDIT, args, gw_countof(args));
	}
	if (r < 0) {
		return r;
	}
	s->audit_bytes += LINE_BYTES;
	for (size_t i = 1; i < gw_countof(args); i++) {
		s->audit_bytes += (int64_t)args[i].bytes.len;
	}
	return trim_audit(s, now);
}

int gw_store_end(struct gw_store *s, int r, const struct gw_audit_line *audit)
{
	if (r == 0 && audit && audit->who) {
		r = add_audit(s, audit);
	}
	if (r == 0) {
		r = gw_store_run(s, GW_SQL_COMMIT, NULL, 0); /* WAL, FULL: on the disk now */
	}
	if (r == 0) {
		gw_store_snapshot_due(s);
		return 0;
	}
	s->audit_bytes = -1;
	if (s->db && !sqlite3_get_autocommit(s->db)) {
		int undone = gw_store_run(s, GW_SQL_ROLLBACK, NULL, 0);
		(void)undone; /* the first error is the one that counts */
	}
	if (is_about_the_disk(r)) {
		go_read_only(s, r);
		return s->error;
	}
	return r;
}

/* --- opening and closing --- */

static int use_dir(struct gw_store *s, const char *state_dir, struct gw_error *reterr_)
{
	struct stat st;
	if (mkdir(state_dir, 0700) < 0 && errno != EEXIST) {
		int err = -errno;
		return gw_error_set(reterr_, err, "store", "%s cannot be made: %s", state_dir,
				    strerror(-err));
	}
	if (!realpath(state_dir, s->dir) || stat(s->dir, &st) < 0) {
		int err = -errno;
		return gw_error_set(reterr_, err, "store", "%s: %s", state_dir, strerror(-err));
	}
	if (!S_ISDIR(st.st_mode)) {
		return gw_error_set(reterr_, -ENOTDIR, "store", "%s is not a directory", state_dir);
	}
	if ((st.st_mode & 077) != 0 && chmod(s->dir, 0700) < 0 && errno != EROFS) {
		int err = -errno;
		return gw_error_set(reterr_, err, "store", "%s is open to others: %s", state_dir,
				    strerror(-err));
	}
	return 0;
}

static long other_pid(int fd)
{
	char text[24];
	int64_t pid = 0;
	ssize_t n = pread(fd, text, sizeof(text), 0);
	int r = n > 0 ? gw_parse_i64(gw_str_trim((struct gw_str){text, (size_t)n}), &pid) : -EINVAL;
	return r < 0 ? 0 : (long)pid;
}

/* The lock goes with the process, also when it is killed. Without a writable directory there is nothing to protect. */
static int lock_dir(struct gw_store *s, struct gw_error *reterr_)
{
	char path[PATH_MAX];
	int r = gw_store_path(s, "lock", path, sizeof(path));
	if (r < 0) {
		return gw_error_set(reterr_, r, "store", "the name of the directory is too long");
	}
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (s->lock_fd < 0) {
		int err = -errno;
		return err == -EROFS || err == -ENOSPC
			       ? 0
			       : gw_error_set(reterr_, err, "store", "%s: %s", path,
					      strerror(-err));
	}
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		return gw_error_set(reterr_, -EBUSY, "store",
				    "another hearthd (process %ld) uses %s: stop it, or give this "
				    "one a state directory of its own",
				    other_pid(s->lock_fd), s->dir);
	}
	char pid[24];
	int n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	if (ftruncate(s->lock_fd, 0) < 0 || pwrite(s->lock_fd, pid, (size_t)n, 0) != n) {
		gw_log_debug("store", "the lock file does not tell our process"); /* full disk */
	}
	return 0;
}

static int open_key(struct gw_store *s, char *note, struct gw_error *reterr_)
{
	int r = gw_seal_open(s->dir, /* make= */ false, &s->seal);
	if (r == -ENOENT || r == -EBADMSG) {
		r = gw_seal_open(s->dir, /* make= */ true, &s->seal);
		bool used = false;
		sqlite3_stmt *st = NULL;
		if (s->db && sqlite3_prepare_v2(s->db, "SELECT 1 FROM route LIMIT 1", -1, &st,
						/* tail= */ NULL) == SQLITE_OK) {
			used = sqlite3_step(st) == SQLITE_ROW;
		}
		(void)sqlite3_finalize(st); /* repeats the error of the step */
		size_t n = strlen(note);
		if (used && n < 200) {
			(void)snprintf(note + n, 256 - n,
				       "%sstore.key is lost: addresses and secrets of the devices "
				       "must be given again",
				       n > 0 ? "; " : "");
		}
	}
	if (r < 0 && r != -EROFS && r != -ENOSPC) {
		return gw_error_set(reterr_, r, "store", "store.key: %s", strerror(-r));
	}
	return 0;
}

static void look_for_marker(struct gw_store *s)
{
	char path[PATH_MAX];
	struct stat st;
	/* Whatever has that name counts: the answer that lets nobody in is the safe one. */
	s->claimed = gw_store_path(s, "claimed", path, sizeof(path)) < 0 || lstat(path, &st) == 0 ||
		     errno != ENOENT;
}

bool gw_store_claimed(const struct gw_store *s)
{
	return s->claimed;
}

int gw_store_set_claimed(struct gw_store *s)
{
	char path[PATH_MAX], temp[PATH_MAX];
	if (s->claimed) {
		return 0;
	}
	int r = gw_store_path(s, "claimed", path, sizeof(path));
	if (r == 0) {
		r = gw_store_path(s, "claimed.new", temp, sizeof(temp));
	}
	if (r == 0) {
		r = gw_store_file_make(temp);
	}
	if (r == 0) {
		r = gw_store_file_commit(temp, path);
	}
	s->claimed = r == 0;
	return r;
}

static int open_all(struct gw_store *s, const char *state_dir, char *note, struct gw_error *reterr_)
{
	int r = use_dir(s, state_dir, reterr_);
	if (r == 0) {
		r = lock_dir(s, reterr_);
	}
	if (r < 0) {
		return r;
	}
	look_for_marker(s);
	r = gw_store_open_home(s, note, reterr_);
	if (r == 0) {
		r = open_key(s, note, reterr_);
	}
	if (r < 0) {
		return r;
	}
	if (s->opened_read_only) {
		go_read_only(s, s->error ? s->error : -EROFS);
	}
	r = gw_store_snapshot_new(s);
	if (r == 0) {
		r = gw_store_values_new(s);
	}
	return r < 0 ? gw_error_set(reterr_, r, "store", "%s", strerror(-r)) : 0;
}

int gw_store_open(struct gw_loop *l, const char *state_dir, struct gw_store **ret_store,
		  char *ret_note, struct gw_error *reterr_)
{
	char note[256] = "";
	if (!sqlite3_threadsafe()) {
		return gw_error_set(reterr_, -ENOTSUP, "store",
				    "this SQLite is built without threads");
	}
	struct gw_store *s = gw_new(struct gw_store);
	if (!s) {
		return -ENOMEM;
	}
	s->loop = l;
	s->lock_fd = -1;
	s->audit_bytes = -1;
	s->retry = gw_timer_new(l, on_retry, s);
	int r = s->retry ? open_all(s, state_dir, note, reterr_) : -ENOMEM;
	if (r < 0) {
		gw_store_close(s);
		return r;
	}
	memcpy(ret_note, note, sizeof(note));
	*ret_store = s;
	return 0;
}

void gw_store_close(struct gw_store *s)
{
	if (!s) {
		return;
	}
	gw_store_values_free(s);
	gw_store_snapshot_free(s);
	gw_timer_free(s->retry);
	drop_connection(s); /* the last connection writes the WAL back and removes it */
	if (s->lock_fd >= 0) {
		close(s->lock_fd);
	}
	gw_seal_close(s->seal);
	gw_free(s);
}
