/* What is put into the store comes out again, in order, also after a restart; files, modes, the audit, the last values. */
#include "gw_test.h"
#include "store_fixture.h"

#include <errno.h>
#include <sqlite3.h>

#include "gw/alloc.h"
#include "gw/limits.h"

static const struct gw_audit_line line = {"anna", "http", "device.rename", "lamp", "Lamp → Light"};

static int put_lamp(struct gw_store *s, const char *id, const char *room, const char *secret)
{
	struct gw_vars vars = {0};
	assert_int_equal(gw_vars_set(&vars, GW_STR("topic"), gw_str(id)), 0);
	assert_int_equal(gw_vars_set(&vars, GW_STR("key"), gw_str(secret)), 0);
	assert_int_equal(gw_vars_set(&vars, GW_STR("empty"), GW_STR("")), 0);
	int r = gw_store_put_device(s,
				    &(struct gw_device_record){.id = id,
							       .name = "灯",
							       .room = room,
							       .type = "light",
							       .vendor = "Acme",
							       .model = "L1",
							       .firmware = "1.2",
							       .identity = "mac:001122334455",
							       .weak_identity = true,
							       .adopted_wall_ms = 1700000000000,
							       .revision = UINT64_MAX / 4,
							       .adapter = "mqtt",
							       .profile = "acme.lamp",
							       .vars = &vars},
				    &line);
	gw_vars_fini(&vars);
	return r;
}

struct seen {
	char text[8192];
	size_t n;
};

static void note(struct seen *seen, const char *fmt, ...) GW_PRINTF(2, 3);
static void note(struct seen *seen, const char *fmt, ...)
{
	size_t len = strlen(seen->text);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(seen->text + len, sizeof(seen->text) - len, fmt, ap);
	va_end(ap);
	seen->n++;
}

static int see_device(void *ctx, const struct gw_device_record *r)
{
	const char *topic = gw_vars_get(r->vars, "topic"), *key = gw_vars_get(r->vars, "key");
	note(ctx, "%s|%s|%s|%s|%s|%s|%s|%s|%d|%lld|%llu|%s|%s|%s|%s|%s|%s\n", r->id, r->name,
	     r->room, r->type, r->vendor, r->model, r->firmware, r->identity, r->weak_identity,
	     (long long)r->adopted_wall_ms, (unsigned long long)r->revision, r->adapter, r->profile,
	     r->profile_text ? r->profile_text : "-", topic ? topic : "-", key ? key : "-",
	     gw_vars_get(r->vars, "empty") ? "e" : "-");
	return 0;
}

static int see_room(void *ctx, const char *id, const char *name)
{
	note(ctx, "%s=%s\n", id, name);
	return 0;
}

static int see_account(void *ctx, const struct gw_account_record *r)
{
	note(ctx, "%s|%s|%s|%lld|%lld|%s|%02x%02x|%llu\n", r->info.id, r->info.name,
	     gw_role_name(r->info.role), (long long)r->info.created_wall_ms,
	     (long long)r->info.expires_wall_ms, r->info.devices, r->salt[15], r->hash[31],
	     (unsigned long long)r->generation);
	return 0;
}

static int see_token(void *ctx, const struct gw_token_record *r)
{
	note(ctx, "%s|%s|%s|%u|%lld|%lld|%lld|%s|%02x|%llu\n", r->info.id, r->account, r->info.name,
	     r->info.scope, (long long)r->info.created_wall_ms, (long long)r->info.expires_wall_ms,
	     (long long)r->info.used_wall_ms, r->info.devices, r->hash[0],
	     (unsigned long long)r->generation);
	return 0;
}

static int see_audit(void *ctx, const struct gw_audit_record *r)
{
	assert_true(r->time_wall_ms > 0);
	note(ctx, "%llu|%s|%s|%s|%s|%s\n", (unsigned long long)r->number, r->who, r->via, r->what,
	     r->object, r->detail);
	return 0;
}

static int see_value(void *ctx, const char *device, const char *address, const char *json,
		     int64_t time_wall_ms)
{
	note(ctx, "%s %s %s %lld\n", device, address, json, (long long)time_wall_ms);
	return 0;
}

#define SEE(each, fn, expected)                                                                    \
	do {                                                                                       \
		struct seen see_now = {0};                                                         \
		assert_int_equal(each(f->store, fn, &see_now), 0);                                 \
		assert_string_equal(see_now.text, expected);                                       \
	} while (0)

static void test_a_new_store(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	store_open(f);
	assert_string_equal(f->note, "");
	assert_string_equal(gw_store_problem(f->store), "");
	assert_false(gw_store_read_only(f->store));
	assert_false(gw_store_claimed(f->store));
	SEE(gw_store_each_device, see_device, "");
	SEE(gw_store_each_account, see_account, "");
	SEE(gw_store_each_value, see_value, "");
	static const char *const files[] = {"home.db", "home.db-wal", "state.db", "store.key",
					    "lock"};
	assert_int_equal(put_meta(f->store, 1), 0);
	for (size_t i = 0; i < gw_countof(files); i++) {
		assert_int_equal(stat(path_in(f->dir, files[i]), &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
	assert_int_equal(gw_store_set_claimed(f->store), 0);
	assert_int_equal(gw_store_set_claimed(f->store), 0);
	store_reopen(f);
	assert_true(gw_store_claimed(f->store));
	assert_int_equal(stat(path_in(f->dir, "claimed"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(dir_count(f->dir, "home.db.new"), 0);
	assert_int_equal(dir_count(f->dir, "home.db-shm"), 0);
}

#define LAMP(id, room, key)                                                                               \
	id "|灯|" room                                                                                    \
	   "|light|Acme|L1|1.2|mac:001122334455|1|1700000000000|4611686018427387903|mqtt|acme.lamp|-|" id \
	   "|" key "|e\n"

static void test_devices_and_rooms(void **state)
{
	struct fixture *f = *state;
	store_open(f);
	assert_int_equal(gw_store_put_room(f->store, "hall", "Hall", &line), 0);
	assert_int_equal(gw_store_put_room(f->store, "bath", "Bath", NULL), 0);
	assert_int_equal(gw_store_put_room(f->store, "hall", "Big hall", NULL), 0);
	assert_int_equal(put_lamp(f->store, "z-lamp", "hall", "s1"), 0);
	assert_int_equal(put_lamp(f->store, "a-lamp", "bath", "s2"), 0);
	assert_int_equal(put_lamp(f->store, "m-lamp", "", "s3"), 0);
	assert_int_equal(put_lamp(f->store, "z-lamp", "hall", "s4"), 0);
	assert_int_equal(put_lamp(f->store, "x", "attic", "no such room"), -EINVAL);
	for (int i = 0; i < 2; i++) {
		SEE(gw_store_each_device, see_device,
		    LAMP("z-lamp", "hall", "s4") LAMP("a-lamp", "bath", "s2")
			    LAMP("m-lamp", "", "s3"));
		SEE(gw_store_each_room, see_room, "hall=Big hall\nbath=Bath\n");
		store_reopen(f);
	}
	assert_int_equal(gw_store_remove_room(f->store, "hall", &line), 0);
	assert_int_equal(gw_store_remove_device(f->store, "a-lamp", &line), 0);
	assert_int_equal(gw_store_remove_device(f->store, "nobody", NULL), 0);
	SEE(gw_store_each_device, see_device, LAMP("z-lamp", "", "s4") LAMP("m-lamp", "", "s3"));
	SEE(gw_store_each_room, see_room, "bath=Bath\n");
}

static void test_a_described_device(void **state)
{
	struct fixture *f = *state;
	store_open(f);
	struct gw_device_record r = {.id = "d", .profile_text = "{\"profile\":1}"};
	assert_int_equal(gw_store_put_device(f->store, &r, NULL), 0);
	SEE(gw_store_each_device, see_device, "d||||||||0|0|0|||{\"profile\":1}|-|-|-\n");
	r.profile_text = NULL;
	assert_int_equal(gw_store_put_device(f->store, &r, NULL), 0);
	SEE(gw_store_each_device, see_device, "d||||||||0|0|0|||-|-|-|-\n");
}

/* What could not be read again is refused, at the limit and above it. */
static void test_texts_that_are_too_long(void **state)
{
	struct fixture *f = *state;
	char id[GW_ID_BYTES + 1], name[GW_NAME_BYTES + 1];
	memset(id, 'a', sizeof(id));
	memset(name, 'n', sizeof(name));
	store_open(f);
	id[GW_ID_BYTES] = '\0';
	name[GW_NAME_BYTES] = '\0';
	struct gw_device_record r = {.id = "d", .name = name};
	assert_int_equal(gw_store_put_device(f->store, &r, NULL), -EINVAL);
	assert_int_equal(gw_store_put_room(f->store, "r", name, NULL), -EINVAL);
	assert_int_equal(gw_store_put_room(f->store, id, "r", NULL), -EINVAL);
	r = (struct gw_device_record){.id = id};
	assert_int_equal(gw_store_put_device(f->store, &r, NULL), -EINVAL);
	r.id = "";
	assert_int_equal(gw_store_put_device(f->store, &r, NULL), -EINVAL);
	id[GW_ID_BYTES - 1] = '\0';
	name[GW_NAME_BYTES - 1] = '\0';
	r = (struct gw_device_record){.id = id, .name = name};
	assert_int_equal(gw_store_put_device(f->store, &r, NULL), 0);
	assert_int_equal(gw_store_put_room(f->store, id, name, NULL), 0);
	struct seen seen = {0};
	assert_int_equal(gw_store_each_device(f->store, see_device, &seen), 0);
	assert_int_equal(seen.n, 1);
}

static void test_accounts_and_tokens(void **state)
{
	struct fixture *f = *state;
	store_open(f);
	struct gw_account_record a = {
		.info = {.id = "anna", .name = "Anna", .role = GW_ROLE_OWNER, .created_wall_ms = 5},
		.generation = 7};
	a.salt[15] = 0xab;
	a.hash[31] = 0xcd;
	assert_int_equal(gw_store_put_account(f->store, &a, &line), 0);
	struct gw_account_record guest = {.info = {.id = "bob",
						   .name = "Bob",
						   .role = GW_ROLE_GUEST,
						   .created_wall_ms = 6,
						   .expires_wall_ms = 99,
						   .devices = "lamp fan"}};
	assert_int_equal(gw_store_put_account(f->store, &guest, &line), 0);
	struct gw_token_record t = {.info = {.id = "t1", .name = "HA", .scope = 3, .devices = "x"},
				    .generation = 1};
	t.hash[0] = 0x11;
	assert_int_equal(gw_store_put_token(f->store, &t, &line), 0);
	struct gw_token_record session = {.info = {.id = "s1", .created_wall_ms = 1}};
	memcpy(session.account, "bob", 4);
	session.hash[0] = 0x22;
	assert_int_equal(gw_store_put_token(f->store, &session, NULL), 0);
	memcpy(session.account, "eve", 4);
	memcpy(session.info.id, "s2", 3);
	session.hash[0] = 0x33;
	assert_int_equal(gw_store_put_token(f->store, &session, NULL), -EINVAL);
	store_reopen(f);
	SEE(gw_store_each_account, see_account,
	    "anna|Anna|owner|5|0||abcd|7\nbob|Bob|guest|6|99|lamp fan|0000|0\n");
	SEE(gw_store_each_token, see_token, "t1||HA|3|0|0|0|x|11|1\ns1|bob||0|1|0|0||22|0\n");
	assert_int_equal(gw_store_remove_account(f->store, "bob", &line), 0);
	SEE(gw_store_each_account, see_account, "anna|Anna|owner|5|0||abcd|7\n");
	SEE(gw_store_each_token, see_token, "t1||HA|3|0|0|0|x|11|1\n");
	assert_int_equal(gw_store_remove_token(f->store, "t1", &line), 0);
	SEE(gw_store_each_token, see_token, "");
}

static void test_meta(void **state)
{
	struct fixture *f = *state;
	char value[8];
	store_open(f);
	assert_int_equal(gw_store_get_meta(f->store, "id", value, sizeof(value)), -ENOENT);
	assert_int_equal(gw_store_put_meta(f->store, "id", "1234567"), 0);
	assert_int_equal(gw_store_get_meta(f->store, "id", value, sizeof(value)), 0);
	assert_string_equal(value, "1234567");
	assert_int_equal(gw_store_put_meta(f->store, "id", "12345678"), 0);
	assert_int_equal(gw_store_get_meta(f->store, "id", value, sizeof(value)), -E2BIG);
}

static int stop_at_once(void *ctx, const struct gw_audit_record *r)
{
	(void)ctx;
	return (int)r->number;
}

static void test_audit(void **state)
{
	struct fixture *f = *state;
	char big[GW_AUDIT_TEXT + 10];
	memset(big, 'x', sizeof(big));
	memcpy(big + GW_AUDIT_TEXT - 2, "灯灯", 7);
	store_open(f);
	assert_int_equal(gw_store_put_room(f->store, "hall", "Hall", &line), 0);
	assert_int_equal(gw_store_put_room(f->store, "bath", "Bath", &(struct gw_audit_line){0}),
			 0);
	assert_int_equal(gw_store_put_audit(f->store, &(struct gw_audit_line){.who = "bob"}), 0);
	SEE(gw_store_each_audit, see_audit,
	    "2|bob||||\n1|anna|http|device.rename|lamp|Lamp → Light\n");
	assert_int_equal(gw_store_each_audit(f->store, stop_at_once, NULL), 2);
	/* A change that fails leaves no line; a long text is cut at a character. */
	assert_int_equal(put_lamp(f->store, "x", "attic", ""), -EINVAL);
	assert_int_equal(
		gw_store_put_audit(f->store, &(struct gw_audit_line){"c", "", "", "", big}), 0);
	struct seen seen = {0};
	assert_int_equal(gw_store_each_audit(f->store, see_audit, &seen), 0);
	assert_int_equal(seen.n, 3);
	assert_int_equal(strcspn(seen.text, "\n"), strlen("3|c||||") + GW_AUDIT_TEXT - 2);
}

static void run_sql(struct fixture *f, const char *name, const char *sql)
{
	sqlite3 *db = NULL;
	char *error = NULL;
	assert_int_equal(sqlite3_open(path_in(f->dir, name), &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK) {
		fail_msg("%s: %s", sql, error);
	}
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static int count_line(void *ctx, const struct gw_audit_record *r)
{
	int64_t *n = ctx;
	n[0]++;
	n[1] += (int64_t)(strlen(r->detail) + 40);
	return 0;
}

static void test_audit_is_trimmed(void **state)
{
	struct fixture *f = *state;
	store_open(f);
	store_close(f);
	/* 60 lines that are too old, then 9 MiB of recent ones. */
	run_sql(f, "home.db",
		"WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<60)"
		" INSERT INTO audit SELECT i, 1000, 'o', '', '', '', 'old' FROM n");
	store_open(f);
	int64_t n[2] = {0};
	for (int i = 1; i <= 4; i++) {
		assert_int_equal(gw_store_put_audit(f->store, &line), 0);
		memset(n, 0, sizeof(n));
		assert_int_equal(gw_store_each_audit(f->store, count_line, n), 0);
		assert_int_equal(n[0], i < 4 ? 60 + i - 16 * i : 4); /* a few with each line */
	}
	assert_int_equal(gw_store_each_audit(f->store, stop_at_once, NULL), 64);
	store_close(f);
	run_sql(f, "home.db",
		"WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<9300)"
		" INSERT INTO audit(time, who, via, what, object, detail)"
		" SELECT (SELECT max(time) FROM audit), 'n', '', '', '', hex(zeroblob(492)) FROM n");
	store_open(f);
	for (int i = 0; i < 40; i++) {
		assert_int_equal(gw_store_put_audit(f->store, &line), 0);
	}
	memset(n, 0, sizeof(n));
	assert_int_equal(gw_store_each_audit(f->store, count_line, n), 0);
	assert_true(n[1] <= GW_AUDIT_BYTES);
	assert_true(n[1] > GW_AUDIT_BYTES - 200000); /* and not more than needed */
}

/* --- last values --- */

static void keep(struct fixture *f, const char *device, const char *address, const char *json,
		 int64_t time)
{
	gw_store_keep_value(f->store, device, address, gw_str(json), time);
}

static void test_values(void **state)
{
	struct fixture *f = *state;
	store_open(f);
	assert_int_equal(put_lamp(f->store, "lamp", "", ""), 0);
	assert_int_equal(put_lamp(f->store, "fan", "", ""), 0);
	keep(f, "lamp", "switch.on", "true", 1);
	keep(f, "lamp", "switch.on", "false", 2);
	keep(f, "lamp", "level.value", "12.5", 3);
	keep(f, "fan", "fan.speed", "\"灯\"", 4);
	keep(f, "ghost", "switch.on", "true", 5);
	keep(f, "lamp", "", "true", 6);
	keep(f, "", "switch.on", "true", 7);
	keep(f, "lamp", "too.big", "", 8);
	store_reopen(f);
	SEE(gw_store_each_value, see_value,
	    "fan fan.speed \"灯\" 4\nlamp level.value 12.5 3\nlamp switch.on false 2\n");
	/* The pool's flush, and another value while it may still run. */
	keep(f, "lamp", "switch.on", "true", 9);
	RUN_UNTIL(f, size_of(f->dir, "state.db-wal") > 0);
	keep(f, "lamp", "switch.on", "1", 10);
	assert_int_equal(gw_store_remove_device(f->store, "fan", NULL), 0);
	store_reopen(f);
	SEE(gw_store_each_value, see_value, "lamp level.value 12.5 3\nlamp switch.on 1 10\n");
	/* A device of the same name that comes right after. */
	assert_int_equal(gw_store_remove_device(f->store, "lamp", NULL), 0);
	assert_int_equal(put_lamp(f->store, "lamp", "", ""), 0);
	keep(f, "lamp", "level.value", "1", 11);
	store_reopen(f);
	SEE(gw_store_each_value, see_value, "lamp level.value 1 11\n");
}

static void test_values_of_unknown_devices_are_removed(void **state)
{
	struct fixture *f = *state;
	store_open(f);
	keep(f, "ghost", "switch.on", "true", 5);
	store_reopen(f);
	SEE(gw_store_each_value, see_value, "");
	store_reopen(f);
	assert_int_equal(put_lamp(f->store, "ghost", "", ""), 0);
	SEE(gw_store_each_value, see_value, "");
}

static void test_a_bad_state_file_is_made_anew(void **state)
{
	struct fixture *f = *state;
	store_open(f);
	assert_int_equal(put_lamp(f->store, "lamp", "", ""), 0);
	store_close(f);
	int fd = open(path_in(f->dir, "state.db"), O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd,
			       "not a database, but long enough to have a header of one hundred"
			       " bytes, which is what SQLite reads first",
			       103),
			 103);
	close(fd);
	store_open(f);
	SEE(gw_store_each_value, see_value, "");
	keep(f, "lamp", "switch.on", "true", 5);
	store_reopen(f);
	SEE(gw_store_each_value, see_value, "lamp switch.on true 5\n");
}

static void test_values_have_a_cap(void **state)
{
	struct fixture *f = *state;
	char address[32];
	store_open(f);
	assert_int_equal(put_lamp(f->store, "lamp", "", ""), 0);
	for (int i = 0; i < GW_VALUES_KEPT + 10; i++) {
		snprintf(address, sizeof(address), "a.%d", i);
		keep(f, "lamp", address, "1", i);
	}
	keep(f, "lamp", "a.0", "2", 99);
	store_reopen(f);
	int64_t n = 0;
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	store_close(f);
	assert_int_equal(sqlite3_open(path_in(f->dir, "state.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*) + sum(json = '2') FROM value", -1,
					    &st, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	assert_int_equal(n, GW_VALUES_KEPT + 1);
}

static void latest(uv_handle_t *h, void *ctx)
{
	uint64_t *due = ctx;
	if (h->type == UV_TIMER && uv_is_active(h)) {
		uint64_t in = uv_timer_get_due_in((uv_timer_t *)(void *)h);
		*due = in > *due ? in : *due;
	}
}

static uint64_t latest_timer_ms(struct fixture *f)
{
	uint64_t due = 0;
	uv_walk(gw_loop_uv(f->loop), latest, &due);
	return due;
}

/* A new value starts the timer of the next flush, unless a flush still runs. */
static bool flushed(struct fixture *f)
{
	keep(f, "lamp", "switch.on", "true", 2);
	return latest_timer_ms(f) > 0;
}

/* R43: who fills the day's budget at once waits longer than a minute for the next flush; who is quiet does not. */
static void test_values_have_a_budget(void **state)
{
	struct fixture *f = *state;
	char address[32];
	store_open(f);
	assert_int_equal(put_lamp(f->store, "lamp", "", ""), 0);
	keep(f, "lamp", "switch.on", "true", 1);
	assert_in_range(latest_timer_ms(f), 59000, 60000);
	RUN_UNTIL(f, size_of(f->dir, "state.db-wal") > 0);
	RUN_UNTIL(f, flushed(f)); /* it was on the pool, and the file grows before it is over */
	for (int i = 0; i < 15000; i++) {
		snprintf(address, sizeof(address), "group.number_%d", i);
		keep(f, "lamp", address, "21.5", i);
	}
	assert_in_range(latest_timer_ms(f), 59000, 60000);
	RUN_UNTIL(f, size_of(f->dir, "state.db") > 300000);
	int64_t end = gw_clock_ms() + 10000;
	while (latest_timer_ms(f) <= 60000 && gw_clock_ms() < end) {
		uv_run(gw_loop_uv(f->loop), UV_RUN_NOWAIT);
		keep(f, "lamp", "switch.on", "false", 2);
	}
	print_message("15000 values: the next flush waits %llu s\n",
		      (unsigned long long)latest_timer_ms(f) / 1000);
	assert_true(latest_timer_ms(f) > 600 * 1000);
	assert_true(latest_timer_ms(f) < 24 * 3600 * 1000);
}

/* --- secrets, locks, memory, speed --- */

static bool contains(const char *dir, const char *name, const char *needle)
{
	size_t len = (size_t)size_of(dir, name);
	char *bytes = calloc(1, len + 1);
	FILE *file = fopen(path_in(dir, name), "rb");
	assert_non_null(file);
	assert_int_equal(fread(bytes, 1, len, file), len);
	fclose(file);
	bool found = memmem(bytes, len, needle, strlen(needle)) != NULL;
	free(bytes);
	return found;
}

/* R51: a canary that may be in no file, neither in the open store nor in the closed one. */
static void test_secrets_are_sealed(void **state)
{
	struct fixture *f = *state;
	store_open(f);
	assert_int_equal(put_lamp(f->store, "lamp", "", "CANARY-5f3b9"), 0);
	assert_int_equal(gw_store_remove_room(f->store, "x", NULL), 0);
	for (int i = 0; i < 2; i++) {
		unsigned files = 0;
		DIR *d = opendir(f->dir);
		for (struct dirent *e = readdir(d); e; e = readdir(d)) {
			if (e->d_type == DT_REG) {
				assert_false(contains(f->dir, e->d_name, "CANARY-5f3b9"));
				files++;
			}
		}
		closedir(d);
		assert_true(files >= 4);
		store_close(f);
	}
	assert_true(contains(f->dir, "home.db.snapshot", "acme.lamp"));
}

static void test_a_lost_key(void **state)
{
	struct fixture *f = *state;
	store_open(f);
	assert_int_equal(put_lamp(f->store, "lamp", "", "s"), 0);
	store_close(f);
	assert_int_equal(unlink(path_in(f->dir, "store.key")), 0);
	store_open(f);
	assert_non_null(strstr(f->note, "store.key is lost"));
	struct seen seen = {0};
	assert_int_equal(gw_store_each_device(f->store, see_device, &seen), 0);
	assert_non_null(strstr(seen.text, "acme.lamp|-|-|-|-\n")); /* there, without variables */
	assert_int_equal(put_lamp(f->store, "lamp", "", "s"), 0);
	store_reopen(f);
	assert_string_equal(f->note, "");
	SEE(gw_store_each_device, see_device, LAMP("lamp", "", "s"));
}

static void test_one_process_only(void **state)
{
	struct fixture *f = *state;
	struct gw_store *second = NULL;
	char note_[256], pid[32];
	store_open(f);
	assert_int_equal(gw_store_open(f->loop, f->dir, &second, note_, &f->error), -EBUSY);
	assert_null(second);
	snprintf(pid, sizeof(pid), "process %ld", (long)getpid());
	assert_non_null(strstr(f->error.text, pid));
	assert_int_equal(put_meta(f->store, 1), 0);
	store_reopen(f);
	assert_true(has_meta(f->store, 1));
}

static void test_directories_that_cannot_be_one(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	char path[128];
	snprintf(path, sizeof(path), "%s/new", f->dir);
	assert_int_equal(store_try(f, path), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	store_close(f);
	assert_int_equal(chmod(path, 0755), 0);
	assert_int_equal(store_try(f, path), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	store_close(f);
	dir_remove(path);
	snprintf(path, sizeof(path), "%s/none/new", f->dir);
	assert_int_equal(store_try(f, path), -ENOENT);
	assert_true(f->error.text[0] != '\0');
	snprintf(path, sizeof(path), "%s/file", f->dir);
	assert_int_equal(close(open(path, O_CREAT | O_WRONLY, 0600)), 0);
	assert_int_equal(store_try(f, path), -ENOTDIR);
}

/* R54: each allocation of ours fails once while the store is opened, used and closed. */
static void test_allocation_failures(void **state)
{
	struct fixture *f = *state;
	unsigned failed = 0;
	for (uint64_t n = 1; n < 60; n++) {
		dir_empty(f->dir);
		gw_alloc_fail_at(n);
		int r = store_try(f, f->dir);
		if (r == 0) {
			r = gw_store_put_device(f->store, &(struct gw_device_record){.id = "d"},
						&line);
			keep(f, "d", "switch.on", "true", 1);
			keep(f, "d", "switch.on", "false", 1);
		}
		gw_alloc_fail_at(0);
		failed += r < 0;
		assert_true(r == 0 || r == -ENOMEM);
		store_close(f);
		assert_int_equal(store_try(f, f->dir), 0);
		assert_string_equal(f->note, "");
		store_close(f);
	}
	assert_true(failed > 3);
}

static int count_device(void *ctx, const struct gw_device_record *r)
{
	size_t *n = ctx;
	n[0]++;
	n[1] += r->vars->count;
	return 0;
}

static int count_value(void *ctx, const char *device, const char *address, const char *json,
		       int64_t time_wall_ms)
{
	size_t *n = ctx;
	n[2] += device && address && json && time_wall_ms;
	return 0;
}

/* A home of a thousand devices is read in a moment. The bar (15 ms) holds for a release build; here only the order of size. */
static void test_a_thousand_devices(void **state)
{
	struct fixture *f = *state;
	char id[24], address[32];
	store_open(f);
	store_close(f);
	store_open(f);
	for (int i = 0; i < 1000; i++) {
		snprintf(id, sizeof(id), "lamp-%d", i);
		assert_int_equal(put_lamp(f->store, id, "", "secret"), 0);
		for (int k = 0; k < 8; k++) {
			snprintf(address, sizeof(address), "group.value_%d", k);
			keep(f, id, address, "21.5", 1700000000000 + k);
		}
	}
	store_close(f);
	size_t n[3] = {0};
	int64_t t0 = gw_clock_us();
	store_open(f);
	int64_t t1 = gw_clock_us();
	assert_int_equal(gw_store_each_device(f->store, count_device, n), 0);
	int64_t t2 = gw_clock_us();
	assert_int_equal(gw_store_each_value(f->store, count_value, n), 0);
	int64_t t3 = gw_clock_us();
	print_message(
		"1000 devices: open %lld us, devices %lld us, 8000 values %lld us, home.db %ld bytes\n",
		(long long)(t1 - t0), (long long)(t2 - t1), (long long)(t3 - t2),
		size_of(f->dir, "home.db"));
	assert_int_equal(n[0], 1000);
	assert_int_equal(n[1], 3000);
	assert_int_equal(n[2], 8000);
	assert_true(t3 - t0 < 500000);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_a_new_store),
		T(test_devices_and_rooms),
		T(test_a_described_device),
		T(test_texts_that_are_too_long),
		T(test_accounts_and_tokens),
		T(test_meta),
		T(test_audit),
		T(test_audit_is_trimmed),
		T(test_values),
		T(test_values_of_unknown_devices_are_removed),
		T(test_a_bad_state_file_is_made_anew),
		T(test_values_have_a_cap),
		T(test_values_have_a_budget),
		T(test_secrets_are_sealed),
		T(test_a_lost_key),
		T(test_one_process_only),
		T(test_directories_that_cannot_be_one),
		T(test_allocation_failures),
		T(test_a_thousand_devices),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
