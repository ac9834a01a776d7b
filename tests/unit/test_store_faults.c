/*
 * The store when things go wrong (security-rules R39, R40, R42, R51): power cuts, kills, truncated and flipped files, a full, broken
 * or read-only disk, a newer schema, a hostile file. No acknowledged change is lost, and nothing that is lost opens the home.
 */
#include "gw_test.h"
#include "store_fixture.h"

#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "fault_vfs.h"
#include "gw/alloc.h"
#include "gw/limits.h"
#include "gw/log.h"
#include "home/store_schema.h"

/* --- power and kill --- */

struct acknowledged {
	unsigned now, at_cut;
};

static void note_cut(void *ctx)
{
	struct acknowledged *a = ctx;
	a->at_cut = a->now;
}

static void put_many(struct fixture *f, struct acknowledged *a, unsigned n)
{
	for (unsigned i = 1; i <= n; i++) {
		struct gw_device_record r = {.id = "lamp", .name = "Lamp", .revision = i};
		assert_int_equal(put_meta(f->store, i), 0);
		a->now = i;
		assert_int_equal(gw_store_put_device(f->store, &r, NULL), 0);
	}
}

static int see_revision(void *ctx, const struct gw_device_record *r)
{
	*(uint64_t *)ctx = r->revision;
	return 0;
}

/* Opens what a power cut left: every acknowledged change is there, the one under way whole or not at all. */
static void check_image(struct fixture *f, const struct acknowledged *a, uint64_t cut_at)
{
	uint64_t revision = 0;
	if (store_try(f, f->image) < 0) {
		fail_msg("cut at %llu: %s", (unsigned long long)cut_at, f->error.text);
	}
	if (f->note[0] != '\0') {
		fail_msg("cut at %llu: %s", (unsigned long long)cut_at, f->note);
	}
	for (unsigned i = 1; i <= a->at_cut; i++) {
		if (!has_meta(f->store, i)) {
			fail_msg("cut at %llu: change %u of %u is lost", (unsigned long long)cut_at,
				 i, a->at_cut);
		}
	}
	assert_int_equal(gw_store_each_device(f->store, see_revision, &revision), 0);
	assert_true(revision + 1 >= a->at_cut && revision <= a->at_cut);
	store_close(f);
}

static void test_power_cut_at_every_moment(void **state)
{
	struct fixture *f = *state;
	const unsigned changes = 40;
	struct acknowledged a = {0};
	/* Without a cut, to know how many moments there are. 80 commits are more than one checkpoint. */
	store_open(f);
	fault_vfs_cut_at(0, NULL, NULL, 0);
	put_many(f, &a, changes);
	store_close(f);
	uint64_t moments = fault_vfs_count();
	assert_true(moments > 160);
	fault_vfs_on_cut(note_cut, &a);
	for (uint64_t at = 1; at <= moments; at += at < 40 || at > moments - 60 ? 1 : 3) {
		dir_empty(f->dir);
		dir_empty(f->image);
		store_open(f);
		a = (struct acknowledged){0};
		fault_vfs_cut_at(at, f->dir, f->image, (uint32_t)at * 7919);
		put_many(f, &a, changes);
		store_close(f);
		if (!fault_vfs_was_cut()) {
			continue; /* the pool's part came at another moment */
		}
		fault_vfs_cut_at(0, NULL, NULL, 0);
		check_image(f, &a, at);
	}
	fault_vfs_on_cut(NULL, NULL);
}

/* The child says each acknowledged number through a pipe and is killed in the middle of its work. */
static unsigned run_and_kill(struct fixture *f, unsigned from)
{
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(fds[0]);
		struct gw_loop *loop = gw_loop_new();
		struct gw_store *s = NULL;
		char note[256];
		if (!loop || gw_store_open(loop, f->dir, &s, note, NULL) < 0) {
			_exit(1);
		}
		for (unsigned i = from; put_meta(s, i) == 0; i++) {
			if (write(fds[1], &i, sizeof(i)) != (ssize_t)sizeof(i)) {
				_exit(2);
			}
		}
		_exit(3);
	}
	close(fds[1]);
	unsigned last = 0, n = 0;
	while (n < 25 + from % 17 && read(fds[0], &last, sizeof(last)) == (ssize_t)sizeof(last)) {
		n++;
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	while (read(fds[0], &last, sizeof(last)) == (ssize_t)sizeof(last)) {
		n++;
	}
	close(fds[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(n > 0);
	return last;
}

static void test_kill(void **state)
{
	struct fixture *f = *state;
	unsigned last = 0;
	for (int i = 0; i < 6; i++) {
		last = run_and_kill(f, last + 1);
		store_open(f);
		assert_string_equal(f->note, "");
		for (unsigned k = 1; k <= last; k++) {
			assert_true(has_meta(f->store, k));
		}
		store_close(f);
	}
}

/* --- damaged files --- */

static int fill(struct fixture *f)
{
	static const struct gw_account_record owner = {
		.info = {.id = "anna", .name = "Anna", .role = GW_ROLE_OWNER}, .generation = 1};
	struct gw_device_record r = {.id = "lamp", .name = "Lamp", .identity = "mac:1"};
	store_open(f);
	int e = gw_store_put_account(f->store, &owner, NULL);
	e = e < 0 ? e : gw_store_put_device(f->store, &r, NULL);
	e = e < 0 ? e : gw_store_set_claimed(f->store);
	store_close(f);
	return e;
}

static int count_account(void *ctx, const struct gw_account_record *r)
{
	assert_string_equal(r->info.id, "anna");
	++*(unsigned *)ctx;
	return 0;
}

static unsigned accounts(struct fixture *f)
{
	unsigned n = 0;
	assert_int_equal(gw_store_each_account(f->store, count_account, &n), 0);
	return n;
}

static uint8_t *slurp(const char *path, size_t *ret_len)
{
	struct stat st;
	int fd = open(path, O_RDONLY);
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	uint8_t *bytes = malloc((size_t)st.st_size + 1);
	assert_int_equal(read(fd, bytes, (size_t)st.st_size), st.st_size);
	close(fd);
	*ret_len = (size_t)st.st_size;
	return bytes;
}

static void spill(const char *path, const uint8_t *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

static void spoil(struct fixture *f, const char *name, const char *text)
{
	spill(path_in(f->dir, name), (const uint8_t *)text, strlen(text));
}

static void test_truncation_and_bit_flips_of_the_store(void **state)
{
	struct fixture *f = *state;
	unsigned restored = 0, flips = 0;
	assert_int_equal(fill(f), 0);
	size_t len;
	uint8_t *good = slurp(path_in(f->dir, "home.db"), &len);
	gw_log_set_level(GW_LOG_ERROR);
	for (size_t i = 0; i < 400; i++) {
		uint8_t *bad = malloc(len);
		memcpy(bad, good, len);
		size_t n = len;
		if (i % 4 == 0) {
			n = len * i / 400; /* 0: an empty file */
		} else {
			size_t at = i < 200 ? i : (i * 7919) % len;
			bad[at] = (uint8_t)(bad[at] ^ 1u << i % 8);
			flips++;
		}
		spill(path_in(f->dir, "home.db"), bad, n);
		free(bad);
		store_open(f);
		/* Either the flip hit nothing that counts, or the snapshot is used: the owner is there in both. */
		restored += strstr(f->note, "the snapshot of") != NULL;
		assert_int_equal(accounts(f), 1);
		store_close(f);
		assert_true(dir_count(f->dir, "home.db.bad-") <= GW_STORE_BAD_FILES * 2);
	}
	free(good);
	assert_true(restored >= 100 && flips > 0);
}

static void test_a_damaged_snapshot_too(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(fill(f), 0);
	spoil(f, "home.db", "no database");
	spoil(f, "home.db.snapshot", "no database");
	store_open(f);
	assert_non_null(strstr(f->note, "damaged"));
	assert_non_null(strstr(f->note, "hearth claim --open"));
	assert_int_equal(accounts(f), 0);
	assert_true(gw_store_claimed(f->store)); /* empty, but not open to the network */
	assert_int_equal(dir_count(f->dir, "home.db.bad-"), 2);
}

static void test_a_missing_store(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(fill(f), 0);
	assert_int_equal(unlink(path_in(f->dir, "home.db")), 0);
	store_open(f);
	assert_non_null(strstr(f->note, "missing: the snapshot of"));
	assert_int_equal(accounts(f), 1);
	store_close(f);
	assert_int_equal(unlink(path_in(f->dir, "home.db")), 0);
	assert_int_equal(unlink(path_in(f->dir, "home.db.snapshot")), 0);
	store_open(f);
	assert_non_null(strstr(f->note, "hearth claim --open"));
	assert_int_equal(accounts(f), 0);
	assert_true(gw_store_claimed(f->store));
}

/* A WAL without its store is not played into the next one. */
static void test_a_wal_that_was_left(void **state)
{
	struct fixture *f = *state;
	size_t len;
	store_open(f);
	assert_int_equal(put_meta(f->store, 1), 0);
	uint8_t *wal = slurp(path_in(f->dir, "home.db-wal"), &len);
	assert_true(len > 0);
	store_close(f);
	assert_int_equal(unlink(path_in(f->dir, "home.db")), 0);
	assert_int_equal(unlink(path_in(f->dir, "home.db.snapshot")), 0);
	spill(path_in(f->dir, "home.db-wal"), wal, len);
	free(wal);
	store_open(f);
	assert_false(has_meta(f->store, 1));
	assert_int_equal(put_meta(f->store, 2), 0);
	store_reopen(f);
	assert_string_equal(f->note, "");
	assert_true(has_meta(f->store, 2));
}

static void test_few_bad_files_are_kept(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(fill(f), 0);
	for (int i = 0; i < GW_STORE_BAD_FILES + 3; i++) {
		spoil(f, "home.db", "no database");
		store_open(f);
		store_close(f);
		size_t kept = i + 1 < GW_STORE_BAD_FILES ? (size_t)i + 1 : GW_STORE_BAD_FILES;
		assert_int_equal(dir_count(f->dir, "home.db.bad-"), kept);
	}
}

static void run_sql(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	char *error = NULL;
	/* Not on our disk without shared memory: this is another program. */
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, "unix"), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK) {
		fail_msg("%s: %s", sql, error);
	}
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* Files that SQLite accepts and we do not; the snapshot takes their place. */
static void test_hostile_stores(void **state)
{
	static const char *const sql[] = {
		"PRAGMA application_id=1",
		"PRAGMA user_version=-1",
		"CREATE TRIGGER t AFTER INSERT ON meta BEGIN DELETE FROM account; END",
		"CREATE VIEW v AS SELECT * FROM account",
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < gw_countof(sql); i++) {
		assert_int_equal(fill(f), 0);
		run_sql(path_in(f->dir, "home.db"), sql[i]);
		store_open(f);
		assert_non_null(strstr(f->note, "damaged: the snapshot of"));
		assert_int_equal(accounts(f), 1);
		store_close(f);
	}
	/* Neither a link nor something of an impossible size is opened. */
	char from[128];
	snprintf(from, sizeof(from), "%s/home.db", f->dir);
	assert_int_equal(rename(from, path_in(f->image, "elsewhere")), 0);
	assert_int_equal(symlink(path_in(f->image, "elsewhere"), from), 0);
	store_open(f);
	assert_non_null(strstr(f->note, "damaged"));
	store_close(f);
	assert_int_equal(truncate(from, GW_STORE_BYTES + 4096), 0);
	store_open(f);
	assert_non_null(strstr(f->note, "damaged"));
	assert_int_equal(accounts(f), 1);
}

/* Rows that no version of ours wrote are left out, and give no rights. */
static void test_malformed_rows(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(fill(f), 0);
	run_sql(path_in(f->dir, "home.db"),
		"INSERT INTO account VALUES('eve', 'Eve', 'god', 0, 0, '', zeroblob(16), zeroblob(32), 1);"
		"INSERT INTO account VALUES('tok', 'T', 'token', 0, 0, '', zeroblob(16), zeroblob(32), 1);"
		"INSERT INTO account VALUES(printf('%0100d', 1), '', 'owner', 0, 0, '', zeroblob(16), zeroblob(32), 1);"
		"INSERT INTO account VALUES('nul' || char(0) || 'x', '', 'owner', 0, 0, '', zeroblob(16), zeroblob(32), 1);"
		"INSERT INTO account VALUES('big', '', 'owner', 0, 0, printf('%0600d', 1), zeroblob(16), zeroblob(32), 1);"
		"UPDATE device SET name = printf('%01000d', 1);");
	store_open(f);
	assert_string_equal(f->note, "");
	assert_int_equal(accounts(f), 1);
	uint64_t revision = 77;
	assert_int_equal(gw_store_each_device(f->store, see_revision, &revision), 0);
	assert_int_equal(revision, 77);
}

/* --- each column, each table --- */

enum { DEVICES, ROOMS, ACCOUNTS, TOKENS, AUDITS, TABLES };

struct tables {
	unsigned rows[TABLES];
	int answer; /* of each row */
};

static int take_device(void *ctx, const struct gw_device_record *r)
{
	struct tables *t = ctx;
	t->rows[DEVICES] += r->id[0] != '\0';
	return t->answer;
}

static int take_room(void *ctx, const char *id, const char *name)
{
	struct tables *t = ctx;
	t->rows[ROOMS] += id && name;
	return t->answer;
}

static int take_account(void *ctx, const struct gw_account_record *r)
{
	struct tables *t = ctx;
	t->rows[ACCOUNTS] += r->info.role != GW_ROLE_NONE;
	return t->answer;
}

static int take_token(void *ctx, const struct gw_token_record *r)
{
	struct tables *t = ctx;
	t->rows[TOKENS] += r->info.id[0] != '\0';
	return t->answer;
}

static int take_audit(void *ctx, const struct gw_audit_record *r)
{
	struct tables *t = ctx;
	t->rows[AUDITS] += r->number != 0;
	return t->answer;
}

/* Reads them all; every iteration must end with this. */
static void take_all(struct gw_store *s, struct tables *t, int expected)
{
	assert_int_equal(gw_store_each_device(s, take_device, t), expected);
	assert_int_equal(gw_store_each_room(s, take_room, t), expected);
	assert_int_equal(gw_store_each_account(s, take_account, t), expected);
	assert_int_equal(gw_store_each_token(s, take_token, t), expected);
	assert_int_equal(gw_store_each_audit(s, take_audit, t), expected);
}

static void fill_all(struct fixture *f)
{
	static const struct gw_account_record owner = {
		.info = {.id = "anna", .name = "Anna", .role = GW_ROLE_OWNER}};
	static const struct gw_token_record token = {.info = {.id = "t1"}, .account = "anna"};
	struct gw_device_record r = {.id = "lamp", .room = "hall", .profile_text = "{}"};
	dir_empty(f->dir);
	store_open(f);
	assert_int_equal(gw_store_put_room(f->store, "hall", "Hall", NULL), 0);
	assert_int_equal(gw_store_put_account(f->store, &owner, NULL), 0);
	assert_int_equal(gw_store_put_token(f->store, &token, NULL), 0);
	assert_int_equal(gw_store_put_device(f->store, &r, &(struct gw_audit_line){.who = "anna"}),
			 0);
	store_close(f);
}

/* A row whose column is too long or cut by a zero is left out; the rows of the other tables stand. */
static void test_each_malformed_column(void **state)
{
	static const struct {
		unsigned table;
		const char *column;
		unsigned fits, above; /* characters */
	} rows[] = {
		{DEVICES, "device.id", GW_ID_BYTES - 1, GW_ID_BYTES},
		{DEVICES, "device.name", GW_NAME_BYTES - 1, GW_NAME_BYTES},
		{DEVICES, "device.room", GW_ID_BYTES - 1, GW_ID_BYTES},
		{DEVICES, "device.type", 256, 257},
		{DEVICES, "device.vendor", 256, 257},
		{DEVICES, "device.model", 256, 257},
		{DEVICES, "device.firmware", 256, 257},
		{DEVICES, "device.identity", 256, 257},
		{DEVICES, "route.adapter", 256, 257},
		{DEVICES, "route.profile", 256, 257},
		{DEVICES, "route.profile_text", GW_PROFILE_BYTES, GW_PROFILE_BYTES + 1},
		{ROOMS, "room.id", GW_ID_BYTES - 1, GW_ID_BYTES},
		{ROOMS, "room.name", GW_NAME_BYTES - 1, GW_NAME_BYTES},
		{ACCOUNTS, "account.id", GW_ID_BYTES - 1, GW_ID_BYTES},
		{ACCOUNTS, "account.name", GW_NAME_BYTES - 1, GW_NAME_BYTES},
		{ACCOUNTS, "account.role", 0, GW_ID_BYTES + 1},
		{ACCOUNTS, "account.devices", 511, 512},
		{TOKENS, "token.id", GW_ID_BYTES - 1, GW_ID_BYTES},
		{TOKENS, "token.account", GW_ID_BYTES - 1, GW_ID_BYTES},
		{TOKENS, "token.name", GW_NAME_BYTES - 1, GW_NAME_BYTES},
		{TOKENS, "token.devices", 511, 512},
		{AUDITS, "audit.who", GW_AUDIT_TEXT, GW_AUDIT_TEXT + 1},
		{AUDITS, "audit.via", GW_AUDIT_TEXT, GW_AUDIT_TEXT + 1},
		{AUDITS, "audit.what", GW_AUDIT_TEXT, GW_AUDIT_TEXT + 1},
		{AUDITS, "audit.object", GW_AUDIT_TEXT, GW_AUDIT_TEXT + 1},
		{AUDITS, "audit.detail", GW_AUDIT_TEXT, GW_AUDIT_TEXT + 1},
	};
	struct fixture *f = *state;
	gw_log_set_level(GW_LOG_ERROR);
	for (size_t i = 0; i < 3 * gw_countof(rows); i++) {
		size_t row = i / 3;
		char value[64], sql[256];
		bool kept = i % 3 == 0;
		const char *dot = strchr(rows[row].column, '.');
		if (i % 3 == 2) {
			snprintf(value, sizeof(value), "'a' || char(0) || 'b'");
		} else {
			unsigned n = kept ? rows[row].fits : rows[row].above;
			snprintf(value, sizeof(value), "printf('%%0%ud', 0)", n);
			kept = kept && n > 0;
		}
		fill_all(f);
		snprintf(sql, sizeof(sql), "UPDATE %.*s SET %s = %s", (int)(dot - rows[row].column),
			 rows[row].column, dot + 1, value);
		run_sql(path_in(f->dir, "home.db"), sql);
		store_open(f);
		struct tables t = {0};
		take_all(f->store, &t, 0);
		for (unsigned k = 0; k < TABLES; k++) {
			unsigned expected = k != rows[row].table || kept;
			if (t.rows[k] != expected) {
				fail_msg("%s: %u rows of table %u", sql, t.rows[k], k);
			}
		}
		store_close(f);
	}
}

/* Whatever is answered for a row ends the iteration with it, also what a malformed row is called. */
static void test_an_iteration_that_is_stopped(void **state)
{
	static const int answers[] = {7, -EBADMSG, -EIO};
	struct fixture *f = *state;
	fill_all(f);
	store_open(f);
	for (size_t i = 0; i < gw_countof(answers); i++) {
		struct tables t = {.answer = answers[i]};
		take_all(f->store, &t, answers[i]);
		for (unsigned k = 0; k < TABLES; k++) {
			assert_int_equal(t.rows[k], 1);
		}
	}
}

/* Without memory a device is not taken for one whose variables are lost: the reading ends. */
static void test_devices_without_memory(void **state)
{
	struct fixture *f = *state;
	fill_all(f);
	store_open(f);
	struct gw_vars vars = {0};
	assert_int_equal(gw_vars_set(&vars, GW_STR("key"), GW_STR("secret")), 0);
	struct gw_device_record r = {.id = "lamp", .vars = &vars};
	assert_int_equal(gw_store_put_device(f->store, &r, NULL), 0);
	for (uint64_t n = 1;; n++) {
		struct tables t = {0};
		gw_alloc_fail_at(n);
		int e = gw_store_each_device(f->store, take_device, &t);
		gw_alloc_fail_at(0);
		if (e == 0) {
			assert_true(n > 1);
			assert_int_equal(t.rows[DEVICES], 1);
			break;
		}
		assert_int_equal(e, -ENOMEM);
		assert_int_equal(t.rows[DEVICES], 0);
	}
	gw_vars_fini(&vars);
}

/* Every kind of change is refused as long as the disk is full, and changes nothing. */
static void test_each_change_on_a_full_disk(void **state)
{
	static const struct gw_audit_line line = {.who = "anna"};
	struct fixture *f = *state;
	gw_log_set_level(GW_LOG_ERROR);
	fill_all(f);
	store_open(f);
	char value[8];
	char *large = malloc(GW_PROFILE_BYTES + 2);
	memset(large, ' ', GW_PROFILE_BYTES + 1);
	large[GW_PROFILE_BYTES + 1] = '\0';
	struct gw_device_record r = {.id = "lamp", .profile_text = large};
	assert_int_equal(gw_store_put_device(f->store, &r, NULL), -EINVAL);
	free(large);
	r = (struct gw_device_record){0};
	assert_int_equal(gw_store_put_device(f->store, &r, NULL), -EINVAL);
	fault_vfs_fail(SQLITE_FULL);
	r.id = "fan";
	assert_true(gw_store_put_device(f->store, &r, &line) < 0);
	assert_true(gw_store_remove_device(f->store, "lamp", &line) < 0);
	assert_true(gw_store_put_room(f->store, "bath", "Bath", &line) < 0);
	assert_true(gw_store_remove_room(f->store, "hall", &line) < 0);
	assert_true(gw_store_remove_account(f->store, "anna", &line) < 0);
	assert_true(gw_store_remove_token(f->store, "t1", &line) < 0);
	assert_true(gw_store_put_audit(f->store, &line) < 0);
	assert_true(gw_store_put_meta(f->store, "k", "v") < 0);
	fault_vfs_fail(0);
	assert_int_equal(gw_store_get_meta(f->store, "k", value, sizeof(value)), -ENOENT);
	struct tables t = {0};
	take_all(f->store, &t, 0);
	for (unsigned k = 0; k < TABLES; k++) {
		assert_int_equal(t.rows[k], 1);
	}
}

/* --- versions --- */

static void test_a_newer_store_is_refused(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(fill(f), 0);
	run_sql(path_in(f->dir, "home.db"),
		"PRAGMA user_version=99; UPDATE meta SET value=99 WHERE key='schema'");
	assert_int_equal(store_try(f, f->dir), -ENOTSUP);
	assert_non_null(strstr(f->error.text, "newer version (schema 99"));
	assert_int_equal(dir_count(f->dir, "home.db.bad-"), 0);
	run_sql(path_in(f->dir, "home.db"),
		"PRAGMA user_version=1; UPDATE meta SET value=1 WHERE key='schema'");
	store_open(f);
	assert_int_equal(accounts(f), 1);
	store_close(f);
	/* A snapshot of a newer version is not thrown away either. */
	run_sql(path_in(f->dir, "home.db.snapshot"),
		"PRAGMA user_version=99; UPDATE meta SET value=99 WHERE key='schema'");
	assert_int_equal(unlink(path_in(f->dir, "home.db")), 0);
	assert_int_equal(store_try(f, f->dir), -ENOTSUP);
	assert_true(size_of(f->dir, "home.db.snapshot") > 0);
	assert_int_equal(size_of(f->dir, "home.db"), -1);
}

/* R42: a migration that was interrupted after its first step goes on with the second. */
static void test_migrations_are_resumable(void **state)
{
	struct fixture *f = *state;
	static const char *const broken[] = {
		"CREATE TABLE a(x INTEGER) STRICT; INSERT INTO a VALUES(1)",
		"UPDATE a SET x = 2; INSERT INTO nowhere VALUES(1)",
	};
	static const char *const whole[] = {
		"CREATE TABLE a(x INTEGER) STRICT; INSERT INTO a VALUES(1)",
		"UPDATE a SET x = x + 10",
		"UPDATE a SET x = x * 2",
	};
	struct gw_store_schema sc = {
		.name = "t.db", .page_bytes = 4096, .steps = broken, .n_steps = 2};
	sqlite3 *db = NULL;
	int version = 0;
	assert_int_equal(sqlite3_open(path_in(f->dir, "t.db"), &db), SQLITE_OK);
	assert_true(gw_store_schema_migrate(&sc, db, &f->error) < 0);
	assert_int_equal(gw_store_pragma_int(db, "PRAGMA user_version", &version), 0);
	assert_int_equal(version, 1);
	sc.steps = whole;
	sc.n_steps = 3;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(gw_store_schema_migrate(&sc, db, &f->error), 0);
		assert_int_equal(gw_store_pragma_int(db, "SELECT x FROM a", &version), 0);
		assert_int_equal(version, 22);
	}
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* --- a disk that fails --- */

static void fail_and_recover(struct fixture *f, int code, int expected, unsigned n)
{
	fault_vfs_fail(code);
	assert_int_equal(put_meta(f->store, n), expected);
	assert_true(gw_store_read_only(f->store));
	assert_true(strstr(gw_store_problem(f->store), "Nothing can be saved") != NULL);
	assert_int_equal(put_meta(f->store, n), expected); /* at once, without trying */
	assert_true(has_meta(f->store, n - 1));		   /* reading goes on */
	expire_timers(f);
	uv_run(gw_loop_uv(f->loop), UV_RUN_NOWAIT);
	assert_true(gw_store_read_only(f->store));
	fault_vfs_fail(0);
	RUN_UNTIL(f, !gw_store_read_only(f->store));
	assert_string_equal(gw_store_problem(f->store), "");
	assert_false(has_meta(f->store, n)); /* refused is refused */
	assert_int_equal(put_meta(f->store, n), 0);
}

static void test_disk_full_and_broken(void **state)
{
	struct fixture *f = *state;
	gw_log_set_level(GW_LOG_ERROR);
	store_open(f);
	assert_int_equal(put_meta(f->store, 1), 0);
	fail_and_recover(f, SQLITE_FULL, -ENOSPC, 2);
	fail_and_recover(f, SQLITE_IOERR_WRITE, -EIO, 3);
	fail_and_recover(f, SQLITE_IOERR_FSYNC, -EIO, 4);
	fail_and_recover(f, SQLITE_READONLY, -EROFS, 5);
	/* It may also be closed while it is so. */
	fault_vfs_fail(SQLITE_FULL);
	gw_store_keep_value(f->store, "lamp", "switch.on", GW_STR("true"), 1);
	assert_int_equal(put_meta(f->store, 6), -ENOSPC);
	store_close(f);
	fault_vfs_fail(0);
	store_open(f);
	for (unsigned i = 1; i <= 5; i++) {
		assert_true(has_meta(f->store, i));
	}
	assert_false(has_meta(f->store, 6));
}

/* A real limit of the system instead of a made one. */
static void test_file_size_limit(void **state)
{
	struct fixture *f = *state;
	gw_log_set_level(GW_LOG_ERROR);
	store_open(f);
	struct rlimit old, small = {.rlim_cur = 256 * 1024};
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	char big[64 * 1024];
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	struct gw_device_record r = {.id = "d", .profile_text = big};
	int e = 0;
	for (int i = 0; i < 10 && e == 0; i++) {
		char id[16];
		snprintf(id, sizeof(id), "d-%d", i);
		r.id = id;
		e = gw_store_put_device(f->store, &r, NULL);
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(e, -ENOSPC);
	RUN_UNTIL(f, !gw_store_read_only(f->store));
	r.id = "again";
	assert_int_equal(gw_store_put_device(f->store, &r, NULL), 0);
}

/* The system starts with a disk that cannot be written: the home is there, changes are refused until it can. */
static void start_read_only(struct fixture *f, unsigned last)
{
	gw_log_set_level(GW_LOG_ERROR);
	fault_vfs_read_only(f->dir);
	store_open(f);
	assert_non_null(strstr(f->note, "opened for reading only"));
	assert_true(gw_store_read_only(f->store));
	assert_int_equal(accounts(f), 1);
	assert_int_equal(put_meta(f->store, last + 1), -EROFS);
	expire_timers(f);
	uv_run(gw_loop_uv(f->loop), UV_RUN_NOWAIT);
	assert_true(gw_store_read_only(f->store));
	for (unsigned i = 1; i <= last; i++) {
		assert_true(has_meta(f->store, i));
	}
	fault_vfs_read_only(NULL);
	RUN_UNTIL(f, !gw_store_read_only(f->store));
	assert_int_equal(put_meta(f->store, last + 1), 0);
	assert_int_equal(accounts(f), 1);
	store_reopen(f);
	assert_string_equal(f->note, "");
	assert_true(has_meta(f->store, last + 1));
}

static void test_start_on_a_read_only_disk(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(fill(f), 0);
	start_read_only(f, 0);
}

/* The last changes are still in the WAL, which cannot be written back. */
static void test_start_on_a_read_only_disk_after_a_kill(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(fill(f), 0);
	unsigned last = run_and_kill(f, 1);
	assert_true(size_of(f->dir, "home.db-wal") > 0);
	start_read_only(f, last);
}

/* A new store cannot be made on it: that is said. */
static void test_first_start_on_a_full_disk(void **state)
{
	struct fixture *f = *state;
	fault_vfs_fail(SQLITE_FULL);
	assert_int_equal(store_try(f, f->dir), -ENOSPC);
	assert_true(f->error.text[0] != '\0');
	fault_vfs_fail(0);
	store_open(f);
	assert_string_equal(f->note, "");
}

static void test_last_values_wait_for_the_disk(void **state)
{
	struct fixture *f = *state;
	gw_log_set_level(GW_LOG_ERROR);
	struct gw_device_record r = {.id = "lamp"};
	store_open(f);
	assert_int_equal(gw_store_put_device(f->store, &r, NULL), 0);
	fault_vfs_fail(SQLITE_FULL);
	gw_store_keep_value(f->store, "lamp", "switch.on", GW_STR("true"), 1);
	for (int i = 0; i < 20; i++) {
		expire_timers(f);
		uv_run(gw_loop_uv(f->loop), UV_RUN_NOWAIT);
	}
	fault_vfs_fail(0);
	RUN_UNTIL(f, size_of(f->dir, "state.db-wal") > 0);
}

/* --- snapshot --- */

/* Made while others write, on the loop and the pool; whole at every moment. */
static void test_a_snapshot_while_writing(void **state)
{
	struct fixture *f = *state;
	char big[20000];
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	store_open(f);
	for (unsigned i = 0; i < 200; i++) {
		char id[16];
		snprintf(id, sizeof(id), "d-%u", i);
		struct gw_device_record r = {.id = id, .profile_text = big};
		assert_int_equal(gw_store_put_device(f->store, &r, NULL), 0);
	}
	unsigned n = 0;
	int64_t end = gw_clock_ms() + 10000;
	while (size_of(f->dir, "home.db.snapshot") < 0 && gw_clock_ms() < end) {
		expire_timers(f);
		uv_run(gw_loop_uv(f->loop), UV_RUN_NOWAIT);
		assert_int_equal(put_meta(f->store, ++n), 0);
	}
	assert_true(n > 10);
	sqlite3 *db = NULL;
	assert_int_equal(gw_store_schema_open(&gw_store_schema_home,
					      path_in(f->dir, "home.db.snapshot"), GW_STORE_READ,
					      &db, &f->error),
			 0);
	int count = 0;
	assert_int_equal(gw_store_pragma_int(db, "SELECT count(*) FROM device", &count), 0);
	assert_int_equal(count, 200);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(dir_count(f->dir, "home.db.snapshot-"), 0);
}

static int teardown(void **state)
{
	fault_vfs_fail(0);
	fault_vfs_read_only(NULL);
	fault_vfs_cut_at(0, NULL, NULL, 0);
	gw_log_set_level(GW_LOG_INFO);
	return fixture_teardown(state);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_power_cut_at_every_moment),
		T(test_kill),
		T(test_truncation_and_bit_flips_of_the_store),
		T(test_a_damaged_snapshot_too),
		T(test_a_missing_store),
		T(test_a_wal_that_was_left),
		T(test_few_bad_files_are_kept),
		T(test_hostile_stores),
		T(test_malformed_rows),
		T(test_each_malformed_column),
		T(test_an_iteration_that_is_stopped),
		T(test_devices_without_memory),
		T(test_each_change_on_a_full_disk),
		T(test_a_newer_store_is_refused),
		T(test_migrations_are_resumable),
		T(test_disk_full_and_broken),
		T(test_file_size_limit),
		T(test_start_on_a_read_only_disk),
		T(test_start_on_a_read_only_disk_after_a_kill),
		T(test_first_start_on_a_full_disk),
		T(test_last_values_wait_for_the_disk),
		T(test_a_snapshot_while_writing),
	};
	fault_vfs_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
