#include "home/store_schema.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gw/limits.h"

#define COPY_BYTES 16384

/* Texts are length-checked again when they are read; the file may come from anywhere. */
static const char *const home_steps[] = {
	"CREATE TABLE meta(key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE room(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL) STRICT;"
	"CREATE TABLE device(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,"
	" room TEXT REFERENCES room(id) ON UPDATE CASCADE ON DELETE SET NULL, type TEXT NOT NULL, vendor TEXT NOT NULL,"
	" model TEXT NOT NULL, firmware TEXT NOT NULL, identity TEXT NOT NULL, weak INTEGER NOT NULL,"
	" adopted INTEGER NOT NULL, revision INTEGER NOT NULL) STRICT;"
	"CREATE INDEX device_room ON device(room);"
	/* vars: names and values, sealed with the key file. */
	"CREATE TABLE route(device INTEGER PRIMARY KEY REFERENCES device(number) ON DELETE CASCADE, adapter TEXT NOT NULL,"
	" profile TEXT NOT NULL, profile_text TEXT, vars BLOB NOT NULL) STRICT;"
	"CREATE TABLE account(id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL, created INTEGER NOT NULL,"
	" expires INTEGER NOT NULL, devices TEXT NOT NULL, salt BLOB NOT NULL CHECK(length(salt) = 16),"
	" hash BLOB NOT NULL CHECK(length(hash) = 32), generation INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE token(id TEXT PRIMARY KEY NOT NULL, account TEXT REFERENCES account(id) ON DELETE CASCADE,"
	" name TEXT NOT NULL, scope INTEGER NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL, used INTEGER NOT NULL,"
	" devices TEXT NOT NULL, hash BLOB NOT NULL UNIQUE CHECK(length(hash) = 32), generation INTEGER NOT NULL) STRICT;"
	"CREATE INDEX token_account ON token(account);"
	"CREATE TABLE audit(number INTEGER PRIMARY KEY, time INTEGER NOT NULL, who TEXT NOT NULL, via TEXT NOT NULL,"
	" what TEXT NOT NULL, object TEXT NOT NULL, detail TEXT NOT NULL) STRICT;"
	"INSERT INTO meta VALUES('schema', '1');", /* in each step, see check_identity */
};

static const char *const state_steps[] = {
	"CREATE TABLE value(device TEXT NOT NULL, address TEXT NOT NULL, json TEXT NOT NULL, time INTEGER NOT NULL,"
	" PRIMARY KEY(device, address)) STRICT, WITHOUT ROWID;",
};

const struct gw_store_schema gw_store_schema_home = {
	.name = "home.db",
	.application_id = 0x48727468, /* "Hrth" */
	.page_bytes = 4096,
	.steps = home_steps,
	.n_steps = gw_countof(home_steps),
	.durable = true,
};

/* Small pages: a flush writes those that hold a changed value, and flash is worn by what is written (R43). */
const struct gw_store_schema gw_store_schema_state = {
	.name = "state.db",
	.application_id = 0x48727473, /* "Hrts" */
	.page_bytes = 1024,
	.steps = state_steps,
	.n_steps = gw_countof(state_steps),
};

/* --- errors --- */

/* EFBIG: the size limit of the process; for us as good as a full disk. */
static int full_or(int sys, int otherwise)
{
	if (sys == ENOSPC || sys == EDQUOT || sys == EFBIG) {
		return -ENOSPC;
	}
	return sys == EROFS ? -EROFS : otherwise;
}

int gw_store_errno(sqlite3 *db, int rc)
{
	static const struct {
		int rc, err;
	} rows[] = {
		{SQLITE_OK, 0},
		{SQLITE_ROW, 0},
		{SQLITE_DONE, 0},
		{SQLITE_FULL, -ENOSPC},
		{SQLITE_READONLY, -EROFS},
		{SQLITE_NOMEM, -ENOMEM},
		{SQLITE_BUSY, -EBUSY},
		{SQLITE_LOCKED, -EBUSY},
		{SQLITE_ERROR, -EBADMSG}, /* no such table, unsupported format: not our file */
		{SQLITE_CORRUPT, -EBADMSG},
		{SQLITE_NOTADB, -EBADMSG},
		{SQLITE_CONSTRAINT, -EINVAL},
		{SQLITE_MISMATCH, -EINVAL},
		{SQLITE_TOOBIG, -E2BIG},
	};
	for (size_t i = 0; i < gw_countof(rows); i++) {
		if (rows[i].rc == (rc & 0xff)) {
			return rows[i].err;
		}
	}
	if (rc == SQLITE_IOERR_NOMEM) {
		return -ENOMEM;
	}
	/* SQLite knows ENOSPC, but neither quotas nor size limits, and does not always tell the number. */
	int sys = errno;
	if (db && sqlite3_system_errno(db) != 0) {
		sys = sqlite3_system_errno(db);
	}
	return full_or(sys, sys == EACCES || sys == EPERM ? -EACCES : -EIO);
}

static int fail(const struct gw_store_schema *sc, sqlite3 *db, int err, struct gw_error *reterr_)
{
	return gw_error_set(reterr_, err, "store", "%s cannot be used: %s", sc->name,
			    db ? sqlite3_errmsg(db) : strerror(-err));
}

int gw_store_exec(sqlite3 *db, const char *sql)
{
	return gw_store_errno(db, sqlite3_exec(db, sql, /* callback= */ NULL, /* ctx= */ NULL,
					       /* errmsg= */ NULL));
}

/* The first column of the first row; max bytes of text are kept. */
static int query_text(sqlite3 *db, const char *sql, char *ret_text, size_t cap)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, /* tail= */ NULL);
	if (rc == SQLITE_OK) {
		rc = sqlite3_step(st);
		const unsigned char *text = rc == SQLITE_ROW ? sqlite3_column_text(st, 0) : NULL;
		(void)snprintf(ret_text, cap, "%s", text ? (const char *)text : ""); /* clipped */
	}
	int r = gw_store_errno(db, rc);
	(void)sqlite3_finalize(st); /* repeats the error of the step */
	return r;
}

int gw_store_pragma_int(sqlite3 *db, const char *pragma, int *ret_value)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, pragma, -1, &st, /* tail= */ NULL);
	int value = 0;
	if (rc == SQLITE_OK) {
		rc = sqlite3_step(st);
		value = rc == SQLITE_ROW ? sqlite3_column_int(st, 0) : 0;
	}
	int r = gw_store_errno(db, rc);
	(void)sqlite3_finalize(st); /* repeats the error of the step */
	if (r == 0) {
		*ret_value = value;
	}
	return r;
}

/* --- files --- */

static int sync_dir_of(const char *path)
{
	char dir[PATH_MAX];
	if (snprintf(dir, sizeof(dir), "%s", path) >= (int)sizeof(dir)) {
		return -ENAMETOOLONG;
	}
	int fd = open(dirname(dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	int r = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return r;
}

int gw_store_file_make(const char *path)
{
	if (unlink(path) < 0 && errno != ENOENT) {
		return -errno;
	}
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		return -errno;
	}
	return close(fd) < 0 ? -errno : 0;
}

int gw_store_file_commit(const char *temp, const char *path)
{
	int fd = open(temp, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	int r = fsync(fd) < 0 ? -errno : 0;
	if (close(fd) < 0 && r == 0) {
		r = -errno;
	}
	if (r == 0 && rename(temp, path) < 0) {
		r = -errno;
	}
	return r < 0 ? r : sync_dir_of(path);
}

static int copy_bytes(int from, int to)
{
	char bytes[COPY_BYTES];
	for (;;) {
		ssize_t n = read(from, bytes, sizeof(bytes));
		if (n <= 0) {
			return n < 0 ? -errno : 0;
		}
		for (ssize_t done = 0; done < n;) {
			ssize_t w = write(to, bytes + done, (size_t)(n - done));
			if (w < 0) {
				return -errno;
			}
			done += w;
		}
	}
}

int gw_store_file_copy(const char *from, const char *to)
{
	char temp[PATH_MAX];
	if (snprintf(temp, sizeof(temp), "%s.new", to) >= (int)sizeof(temp)) {
		return -ENAMETOOLONG;
	}
	int r = gw_store_file_make(temp);
	if (r < 0) {
		return r;
	}
	int in = open(from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int out = open(temp, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	r = in < 0 || out < 0 ? -errno : copy_bytes(in, out);
	if (in >= 0) {
		close(in);
	}
	if (out >= 0 && close(out) < 0 && r == 0) {
		r = -errno;
	}
	if (r == 0) {
		r = gw_store_file_commit(temp, to);
	}
	if (r < 0) {
		(void)unlink(temp); /* what could not be written is of no use */
	}
	return r;
}

/*
 * What SQLite would read over: a header that says "read-only" or another text encoding is damage, too. Only before SQLite has the file
 * open: closing ours would drop its locks.
 */
static int check_header(const struct gw_store_schema *sc, const char *path,
			struct gw_error *reterr_)
{
	uint8_t h[100];
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		int err = -errno;
		return gw_error_set(reterr_, err, "store", "%s: %s", sc->name, strerror(-err));
	}
	ssize_t n = read(fd, h, sizeof(h));
	close(fd);
	if (n != (ssize_t)sizeof(h) || memcmp(h, "SQLite format 3", 16) != 0 || h[18] < 1 ||
	    h[18] > 2 || h[19] < 1 || h[19] > 2 || h[59] != 1) {
		return gw_error_set(reterr_, -EBADMSG, "store", "%s has no header of a store",
				    sc->name);
	}
	return 0;
}

/* A regular file of a plausible size, for nobody else. */
static int check_file(const struct gw_store_schema *sc, const char *path, struct gw_error *reterr_)
{
	struct stat st;
	if (lstat(path, &st) < 0) {
		int err = -errno;
		return gw_error_set(reterr_, err, "store", "%s: %s", sc->name, strerror(-err));
	}
	if (!S_ISREG(st.st_mode)) {
		return gw_error_set(reterr_, -EBADMSG, "store", "%s is not a regular file",
				    sc->name);
	}
	if (st.st_size == 0 || st.st_size > GW_STORE_BYTES) {
		return gw_error_set(reterr_, -EBADMSG, "store", "%s has %lld bytes", sc->name,
				    (long long)st.st_size);
	}
	if ((st.st_mode & 077) != 0 && chmod(path, 0600) < 0 && errno != EROFS) {
		int err = -errno;
		return gw_error_set(reterr_, err, "store", "%s is open to others: %s", sc->name,
				    strerror(-err));
	}
	return check_header(sc, path, reterr_);
}

/* --- opening --- */

/*
 * What the file may not do to us: no triggers or views of its own, no functions in its schema beyond the harmless, no writing to the
 * schema, small limits. Memory-lean: 256 KiB of cache, no mmap, nothing temporary on disk.
 */
static int harden(sqlite3 *db, bool durable)
{
	static const struct {
		int op, value;
	} config[] = {
		{SQLITE_DBCONFIG_DEFENSIVE, 1},
		{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
		{SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
		{SQLITE_DBCONFIG_ENABLE_VIEW, 0},
		{SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
	};
	static const struct {
		int id, value;
	} limits[] = {
		{SQLITE_LIMIT_LENGTH, 2 * GW_DESCRIPTION_BYTES},
		{SQLITE_LIMIT_SQL_LENGTH, 16384},
		{SQLITE_LIMIT_COLUMN, 64},
		{SQLITE_LIMIT_EXPR_DEPTH, 32},
		{SQLITE_LIMIT_COMPOUND_SELECT, 4},
		{SQLITE_LIMIT_VDBE_OP, 25000},
		{SQLITE_LIMIT_FUNCTION_ARG, 8},
		{SQLITE_LIMIT_ATTACHED, 0},
		{SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 64},
		{SQLITE_LIMIT_VARIABLE_NUMBER, 32},
		{SQLITE_LIMIT_TRIGGER_DEPTH, 1},
		{SQLITE_LIMIT_WORKER_THREADS, 0},
	};
	(void)sqlite3_extended_result_codes(db, 1); /* cannot fail with a valid handle */
	for (size_t i = 0; i < gw_countof(config); i++) {
		int rc = sqlite3_db_config(db, config[i].op, config[i].value, /* ret= */ NULL);
		if (rc != SQLITE_OK) {
			return gw_store_errno(db, rc);
		}
	}
	for (size_t i = 0; i < gw_countof(limits); i++) {
		(void)sqlite3_limit(db, limits[i].id, limits[i].value); /* returns the old one */
	}
	int r = gw_store_exec(
		db, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0;"
		    "PRAGMA cache_size=-256; PRAGMA temp_store=MEMORY; PRAGMA foreign_keys=ON;"
		    "PRAGMA secure_delete=ON;");
	if (r < 0) {
		return r;
	}
	return gw_store_exec(db, durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
}

static int check_identity(const struct gw_store_schema *sc, sqlite3 *db, struct gw_error *reterr_)
{
	int id = 0, version = 0;
	int r = gw_store_pragma_int(db, "PRAGMA application_id", &id);
	if (r == 0) {
		r = gw_store_pragma_int(db, "PRAGMA user_version", &version);
	}
	if (r < 0) {
		return fail(sc, db, r, reterr_);
	}
	if (id != sc->application_id || version < 0) {
		return gw_error_set(reterr_, -EBADMSG, "store", "%s is not a store of this program",
				    sc->name);
	}
	/* Newer stores tell their version in meta, too: a flipped bit of the header is not taken for one. */
	char told[16] = "", expected[16];
	(void)snprintf(expected, sizeof(expected), "%d", version);
	if (version > sc->n_steps && sc->durable) {
		r = query_text(db, "SELECT value FROM meta WHERE key='schema'", told, sizeof(told));
		if (r < 0 || strcmp(told, expected) != 0) {
			return gw_error_set(reterr_, r < 0 && r != -EBADMSG ? r : -EBADMSG, "store",
					    "%s does not know its schema", sc->name);
		}
	}
	if (version > sc->n_steps) {
		return gw_error_set(reterr_, -ENOTSUP, "store",
				    "%s was written by a newer version (schema %d, this one knows "
				    "%d): install that version again, or restore a backup",
				    sc->name, version, sc->n_steps);
	}
	return 0;
}

static int check_content(const struct gw_store_schema *sc, sqlite3 *db, struct gw_error *reterr_)
{
	char text[160];
	int r = query_text(db,
			   "SELECT count(*) FROM sqlite_schema WHERE type NOT IN ('table','index')",
			   text, sizeof(text));
	if (r == 0 && strcmp(text, "0") != 0) {
		return gw_error_set(reterr_, -EBADMSG, "store", "%s has triggers or views",
				    sc->name);
	}
	if (r == 0 && sc->durable) {
		r = query_text(db, "PRAGMA quick_check(1)", text, sizeof(text));
		if (r == 0 && strcmp(text, "ok") != 0) {
			return gw_error_set(reterr_, -EBADMSG, "store", "%s is damaged: %s",
					    sc->name, text);
		}
	}
	return r < 0 ? fail(sc, db, r, reterr_) : 0;
}

static int migrate_step(const struct gw_store_schema *sc, sqlite3 *db, int version)
{
	char pragma[48];
	(void)snprintf(pragma, sizeof(pragma), "PRAGMA user_version=%d", version + 1);
	int r = gw_store_exec(db, "BEGIN IMMEDIATE");
	if (r < 0) {
		return r;
	}
	r = gw_store_exec(db, sc->steps[version]);
	if (r == 0) {
		r = gw_store_exec(db, pragma);
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

int gw_store_schema_migrate(const struct gw_store_schema *sc, sqlite3 *db, struct gw_error *reterr_)
{
	int version = 0;
	int r = gw_store_pragma_int(db, "PRAGMA user_version", &version);
	for (; r == 0 && version < sc->n_steps; version++) {
		r = migrate_step(sc, db, version);
	}
	return r < 0 ? fail(sc, db, r, reterr_) : 0;
}

static int use_wal(const struct gw_store_schema *sc, sqlite3 *db, struct gw_error *reterr_)
{
	char mode[16] = "";
	int r = query_text(db, "PRAGMA journal_mode=WAL", mode, sizeof(mode));
	if (r == 0 && strcmp(mode, "wal") != 0) {
		r = -EROFS;
	}
	if (r == 0) {
		r = gw_store_exec(
			db, "PRAGMA wal_autocheckpoint=256; PRAGMA journal_size_limit=1048576");
	}
	return r < 0 ? fail(sc, db, r, reterr_) : 0;
}

static int open_checked(const struct gw_store_schema *sc, sqlite3 *db, enum gw_store_open how,
			struct gw_error *reterr_)
{
	if (how == GW_STORE_WRITE && sqlite3_db_readonly(db, "main") == 1) {
		return fail(sc, /* db= */ NULL, -EROFS,
			    reterr_); /* SQLite falls back to it silently */
	}
	int r = harden(db, sc->durable);
	if (r < 0) {
		return fail(sc, db, r, reterr_);
	}
	r = check_identity(sc, db, reterr_);
	if (r == 0) {
		r = check_content(sc, db, reterr_);
	}
	if (r == 0 && how == GW_STORE_WRITE) {
		r = use_wal(sc, db, reterr_);
	}
	if (r == 0 && how == GW_STORE_WRITE) {
		r = gw_store_schema_migrate(sc, db, reterr_);
	}
	return r;
}

/* For a file: URI: everything that has a meaning there is escaped. */
static int uri_of(const char *path, char *ret_uri, size_t cap)
{
	size_t n = (size_t)snprintf(ret_uri, cap, "file:");
	for (; *path; path++) {
		bool plain = strchr("?#%", *path) == NULL;
		int w = snprintf(ret_uri + n, cap - n, plain ? "%c" : "%%%02x",
				 (unsigned char)*path);
		if (w < 0 || (size_t)w >= cap - n) {
			return -ENAMETOOLONG;
		}
		n += (size_t)w;
	}
	int w = snprintf(ret_uri + n, cap - n, "?immutable=1");
	return w < 0 || (size_t)w >= cap - n ? -ENAMETOOLONG : 0;
}

int gw_store_schema_open(const struct gw_store_schema *sc, const char *path, enum gw_store_open how,
			 sqlite3 **ret_db, struct gw_error *reterr_)
{
	char uri[PATH_MAX];
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX;
	int r = check_file(sc, path, reterr_);
	if (r < 0) {
		return r;
	}
	if (how == GW_STORE_READ) {
		flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOFOLLOW;
		r = uri_of(path, uri, sizeof(uri));
		if (r < 0) {
			return fail(sc, /* db= */ NULL, r, reterr_);
		}
		path = uri;
	}
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(path, &db, flags, /* vfs= */ NULL);
	r = rc == SQLITE_OK ? open_checked(sc, db, how, reterr_)
			    : fail(sc, db, gw_store_errno(db, rc), reterr_);
	if (r < 0) {
		(void)sqlite3_close(db); /* nothing was prepared that could hold it open */
		return r;
	}
	*ret_db = db;
	return 0;
}

static int fill_new(const struct gw_store_schema *sc, sqlite3 *db, struct gw_error *reterr_)
{
	char pragma[160];
	(void)snprintf(pragma, sizeof(pragma),
		       "PRAGMA page_size=%d; PRAGMA journal_mode=MEMORY; PRAGMA application_id=%d",
		       sc->page_bytes, sc->application_id);
	int r = harden(db, sc->durable);
	if (r == 0) {
		r = gw_store_exec(db, pragma);
	}
	return r < 0 ? fail(sc, db, r, reterr_) : gw_store_schema_migrate(sc, db, reterr_);
}

int gw_store_schema_create(const struct gw_store_schema *sc, const char *path,
			   struct gw_error *reterr_)
{
	char temp[PATH_MAX];
	if (snprintf(temp, sizeof(temp), "%s.new", path) >= (int)sizeof(temp)) {
		return fail(sc, /* db= */ NULL, -ENAMETOOLONG, reterr_);
	}
	int r = gw_store_file_make(temp);
	if (r < 0) {
		return fail(sc, /* db= */ NULL, r, reterr_);
	}
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(temp, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW,
				 /* vfs= */ NULL);
	r = rc == SQLITE_OK ? fill_new(sc, db, reterr_)
			    : fail(sc, db, gw_store_errno(db, rc), reterr_);
	(void)sqlite3_close(db); /* nothing was prepared that could hold it open */
	if (r == 0) {
		r = gw_store_file_commit(temp, path);
		if (r < 0) {
			(void)fail(sc, /* db= */ NULL, r, reterr_);
		}
	}
	if (r < 0) {
		(void)unlink(temp); /* half a store is of no use */
	}
	return r;
}
