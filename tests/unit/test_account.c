/* Claim, logins, sessions, tokens, revocation (security-rules R1, R2, R10, R11, R21, R39). */
#include "gw_test.h"
#include "store_fixture.h"

#include <errno.h>

#include "gw/alloc.h"
#include "gw/limits.h"
#include "gw/log.h"
#include "gw/str.h"
#include "home/account.h"
#include "home/bus.h"
#include "home/gateway.h"
#include "home/password.h"

static unsigned events;

uint64_t gw_bus_emit(struct gw_gateway *g, const struct gw_emit *e)
{
	(void)g;
	events += e->type == GW_EVENT_HOME;
	return 0;
}

void gw_device_info(const struct gw_device *d, struct gw_device_info *ret_info)
{
	(void)d;
	*ret_info = (struct gw_device_info){.id = "lamp"};
}

static struct gw_gateway g;

#define GOOD "correct horse"

static void home_open(struct fixture *f)
{
	store_open(f);
	g = (struct gw_gateway){
		.loop = f->loop, .store = f->store, .bus = (struct gw_bus *)(void *)&g};
	assert_int_equal(gw_accounts_new(&g, &g.accounts, &f->error), 0);
}

static void home_close(struct fixture *f)
{
	gw_accounts_free(g.accounts);
	g.accounts = NULL;
	store_close(f);
}

static void home_reopen(struct fixture *f)
{
	home_close(f);
	home_open(f);
}

static int setup(void **state)
{
	events = 0;
	gw_log_set_level(GW_LOG_ERROR); /* the claim code is not for the log of the tests */
	int r = fixture_setup(state);
	if (r == 0) {
		home_open(*state);
	}
	return r;
}

static int teardown(void **state)
{
	home_close(*state);
	gw_log_set_level(GW_LOG_INFO);
	return fixture_teardown(state);
}

/* --- asking and waiting --- */

struct answer {
	bool came;
	enum gw_status status;
	char token[64];
	struct gw_principal principal;
};

static void on_answer(void *ctx, enum gw_status status, const char *token,
		      const struct gw_principal *principal)
{
	struct answer *a = ctx;
	assert_false(a->came);
	a->came = true;
	a->status = status;
	assert_int_equal(status == GW_STATUS_DONE, token != NULL);
	if (token) {
		assert_int_equal(strlen(token), 43);
		memcpy(a->token, token, 44);
		a->principal = *principal;
	}
}

static void on_put(void *ctx, enum gw_status status)
{
	struct answer *a = ctx;
	assert_false(a->came);
	a->came = true;
	a->status = status;
}

/* Turns the loop without touching its timers: the pool's work may take its time. */
static void await(struct fixture *f, struct answer *a)
{
	int64_t end = gw_clock_ms() + 20000;
	assert_false(a->came); /* never from within */
	while (!a->came && gw_clock_ms() < end) {
		uv_run(gw_loop_uv(f->loop), UV_RUN_NOWAIT);
	}
	assert_true(a->came);
}

static enum gw_status claim(struct fixture *f, const char *code, const char *account,
			    const char *password, struct answer *ret)
{
	*ret = (struct answer){0};
	assert_int_equal(gw_claim(&g, code, account, password, on_answer, ret), 0);
	await(f, ret);
	return ret->status;
}

static enum gw_status login(struct fixture *f, const char *account, const char *password,
			    struct answer *ret)
{
	*ret = (struct answer){0};
	assert_int_equal(gw_login(&g, "10.0.0.7", account, password, on_answer, ret), 0);
	await(f, ret);
	return ret->status;
}

static enum gw_status put(struct fixture *f, const struct gw_principal *by,
			  const struct gw_account_info *info, const char *password)
{
	struct answer a = {0};
	assert_int_equal(gw_account_put(&g, by, info, password, on_put, &a), 0);
	await(f, &a);
	return a.status;
}

static struct gw_principal local(void)
{
	struct gw_principal p;
	gw_principal_local(&p);
	return p;
}

/* anna owns the home. */
static void be_claimed(struct fixture *f, struct answer *ret)
{
	char code[16];
	assert_non_null(gw_claim_code(&g));
	snprintf(code, sizeof(code), "%s", gw_claim_code(&g));
	assert_int_equal(claim(f, code, "anna", GOOD, ret), GW_STATUS_DONE);
}

static struct gw_account_info person(const char *id, enum gw_role role)
{
	struct gw_account_info info = {.role = role};
	snprintf(info.id, sizeof(info.id), "%s", id);
	snprintf(info.name, sizeof(info.name), "Name of %s", id);
	return info;
}

/* --- passwords --- */

static void test_passwords(void **state)
{
	static const char *const bad[] = {
		"",	      "short77",    "password",	   "PassWord1",
		"12345678",   "87654321",   "aaaaaaaaaaa", "abcdefgh",
		"QWERTYUIOP", "zyxwvutsrq", "ann-marie",   "Ann-Marie",
		"1q2w3e4r",   "66666666",   "五个字密码",  "\xff\xfe\xff\xfe\xff\xfe\xff\xfe",
	};
	static const char *const good[] = {"correct horse", "1234567890a", "tr0ub4dor&3",
					   "一二三四五六七八"};
	(void)state;
	for (size_t i = 0; i < gw_countof(bad); i++) {
		if (!gw_password_fault(bad[i], "ann-marie")) {
			fail_msg("\"%s\" passed", bad[i]);
		}
	}
	for (size_t i = 0; i < gw_countof(good); i++) {
		assert_null(gw_password_fault(good[i], "ann-marie"));
	}
	char edge[GW_PASSWORD_MAX + 2];
	for (size_t i = 0; i < sizeof(edge); i++) {
		edge[i] = (char)('a' + i * 7 % 26);
	}
	edge[GW_PASSWORD_MAX + 1] = '\0';
	assert_non_null(gw_password_fault(edge, "a"));
	edge[GW_PASSWORD_MAX] = '\0';
	assert_null(gw_password_fault(edge, "a"));
	edge[GW_PASSWORD_MIN] = '\0';
	edge[0] = '!';
	assert_null(gw_password_fault(edge, "a"));
	edge[GW_PASSWORD_MIN - 1] = '\0';
	assert_non_null(gw_password_fault(edge, "a"));
}

static void test_scrypt(void **state)
{
	(void)state;
	const uint8_t salt[GW_SALT_BYTES] = {1};
	uint8_t one[GW_HASH_BYTES], two[GW_HASH_BYTES];
	/* Computed once with another implementation (Python's hashlib.scrypt, same parameters). */
	static const uint8_t expected[] = {0x2c, 0x65, 0x48, 0x31, 0x9d, 0x29, 0x8e, 0x92,
					   0x54, 0xbb, 0xd8, 0x7c, 0x59, 0xd7, 0x3c, 0x75,
					   0x86, 0x65, 0x8d, 0x72, 0xa7, 0x39, 0x30, 0x79,
					   0x9a, 0x4c, 0xde, 0xfd, 0x66, 0x48, 0x1c, 0xcb};
	assert_int_equal(gw_password_hash("correct horse", salt, one), 0);
	assert_memory_equal(one, expected, sizeof(expected));
	assert_int_equal(gw_password_hash("correct horsf", salt, two), 0);
	assert_memory_not_equal(one, two, sizeof(one));
}

/* --- claim --- */

static void test_claim(void **state)
{
	struct fixture *f = *state;
	struct answer a, b;
	char code[16], typed[24];
	assert_false(gw_home_claimed(&g));
	assert_int_equal(login(f, "anna", GOOD, &a), GW_STATUS_UNCLAIMED);
	snprintf(code, sizeof(code), "%s", gw_claim_code(&g));
	assert_int_equal(strlen(code), 9);
	assert_int_equal(code[4], '-');
	assert_int_equal(strspn(code, "-0123456789ABCDEFGHJKMNPQRSTVWXYZ"), 9);
	assert_int_equal(claim(f, "", "anna", GOOD, &a), GW_STATUS_DENIED);
	assert_int_equal(claim(f, "0000-00000", "anna", GOOD, &a), GW_STATUS_DENIED);
	assert_int_equal(claim(f, code, "anna", "password", &a), GW_STATUS_INVALID);
	assert_int_equal(claim(f, code, "anna", "", &a), GW_STATUS_INVALID);
	assert_int_equal(claim(f, code, "Anna!", GOOD, &a), GW_STATUS_INVALID);
	assert_int_equal(claim(f, code, "local", GOOD, &a), GW_STATUS_INVALID);
	assert_false(gw_home_claimed(&g));
	/* As people type it; two at once: one wins. */
	snprintf(typed, sizeof(typed), " %.4s %s", code, code + 5);
	for (char *c = typed; *c; c++) {
		*c = *c == '1' ? 'l' : *c == '0' ? 'o' : *c >= 'A' ? (char)(*c + 32) : *c;
	}
	a = b = (struct answer){0};
	assert_int_equal(gw_claim(&g, typed, "anna", GOOD, on_answer, &a), 0);
	assert_int_equal(gw_claim(&g, code, "eve", GOOD, on_answer, &b), 0);
	await(f, &a);
	await(f, &b);
	assert_int_equal(a.status, GW_STATUS_DONE);
	assert_int_equal(b.status, GW_STATUS_CONFLICT);
	assert_true(gw_home_claimed(&g));
	assert_null(gw_claim_code(&g));
	assert_true(gw_store_claimed(f->store));
	assert_true(events > 0);
	assert_int_equal(a.principal.role, GW_ROLE_OWNER);
	assert_string_equal(a.principal.who, "anna");
	assert_int_equal(claim(f, code, "eve", GOOD, &b), GW_STATUS_CONFLICT);
	assert_int_equal(gw_claim_open(&g), -EEXIST);
	home_reopen(f);
	assert_true(gw_home_claimed(&g));
	assert_null(gw_claim_code(&g));
	assert_int_equal(gw_access_decide(&g, NULL, GW_DO_CLAIM, NULL), GW_STATUS_CONFLICT);
}

static void test_claim_closes_after_wrong_tries(void **state)
{
	struct fixture *f = *state;
	struct answer a;
	char code[16], other[16];
	snprintf(code, sizeof(code), "%s", gw_claim_code(&g));
	for (int i = 1; i < GW_CLAIM_TRIES; i++) {
		assert_int_equal(claim(f, "AAAA-AAAA", "anna", GOOD, &a), GW_STATUS_DENIED);
	}
	assert_non_null(gw_claim_code(&g));
	assert_int_equal(claim(f, "AAAA-AAAA", "anna", GOOD, &a), GW_STATUS_DENIED);
	assert_null(gw_claim_code(&g));
	assert_int_equal(claim(f, code, "anna", GOOD, &a), GW_STATUS_DENIED);
	assert_int_equal(claim(f, "", "anna", GOOD, &a), GW_STATUS_DENIED);
	assert_int_equal(gw_claim_open(&g), 0);
	snprintf(other, sizeof(other), "%s", gw_claim_code(&g));
	assert_string_not_equal(code, other);
	assert_int_equal(claim(f, other, "anna", GOOD, &a), GW_STATUS_DONE);
}

static void test_claim_closes_after_a_while(void **state)
{
	struct fixture *f = *state;
	struct answer a;
	char code[16];
	snprintf(code, sizeof(code), "%s", gw_claim_code(&g));
	gw_clock_advance_ms(GW_CLAIM_WINDOW_MS - 1000);
	assert_non_null(gw_claim_code(&g));
	gw_clock_advance_ms(1001);
	assert_null(gw_claim_code(&g));
	assert_int_equal(claim(f, code, "anna", GOOD, &a), GW_STATUS_DENIED);
	assert_false(gw_home_claimed(&g));
	home_reopen(f); /* a start is a local action */
	assert_non_null(gw_claim_code(&g));
	assert_string_not_equal(gw_claim_code(&g), code);
}

/* R2, R39: without its accounts a home that had an owner is neither open nor unclaimed, until a local action. */
static void test_a_lost_store_is_not_unclaimed(void **state)
{
	struct fixture *f = *state;
	struct answer a;
	be_claimed(f, &a);
	home_close(f);
	assert_int_equal(unlink(path_in(f->dir, "home.db")), 0);
	assert_int_equal(unlink(path_in(f->dir, "home.db.snapshot")), 0);
	home_open(f);
	assert_true(gw_home_claimed(&g));
	assert_null(gw_claim_code(&g));
	assert_int_equal(claim(f, "AAAA-AAAA", "eve", GOOD, &a), GW_STATUS_CONFLICT);
	assert_int_equal(login(f, "anna", GOOD, &a), GW_STATUS_UNAUTHENTICATED);
	assert_int_equal(gw_claim_open(&g), 0);
	assert_false(gw_home_claimed(&g));
	be_claimed(f, &a);
	assert_true(gw_home_claimed(&g));
}

static void test_no_accounts_no_rights(void **state)
{
	struct fixture *f = *state;
	struct answer a;
	be_claimed(f, &a);
	struct gw_accounts *accounts = g.accounts;
	g.accounts = NULL; /* as while starting and stopping */
	struct gw_principal p;
	assert_true(gw_home_claimed(&g));
	assert_null(gw_claim_code(&g));
	assert_int_equal(gw_authenticate(&g, a.token, "http", &p), GW_STATUS_UNAUTHENTICATED);
	assert_false(gw_principal_valid(&g, &a.principal));
	assert_int_equal(gw_access_decide(&g, &a.principal, GW_DO_SEE, NULL),
			 GW_STATUS_UNAUTHENTICATED);
	assert_int_equal(gw_claim_open(&g), -EIO);
	gw_logout(&g, a.token);
	g.accounts = accounts;
	assert_true(gw_principal_valid(&g, &a.principal));
}

/* --- logins and sessions --- */

static void test_login_and_sessions(void **state)
{
	struct fixture *f = *state;
	struct answer a, b, c;
	struct gw_principal p;
	be_claimed(f, &a);
	assert_int_equal(gw_authenticate(&g, a.token, "http", &p), GW_STATUS_DONE);
	assert_string_equal(p.who, "anna");
	assert_string_equal(p.via, "http");
	assert_true(gw_principal_valid(&g, &p));
	assert_int_equal(login(f, "anna", "wrong horse", &b), GW_STATUS_UNAUTHENTICATED);
	assert_int_equal(login(f, "nobody", GOOD, &b), GW_STATUS_UNAUTHENTICATED);
	assert_int_equal(login(f, "", "", &b), GW_STATUS_UNAUTHENTICATED);
	assert_int_equal(login(f, "anna", GOOD, &b), GW_STATUS_DONE);
	assert_string_not_equal(a.token, b.token);
	/* Logout ends one of them, at once. */
	gw_logout(&g, a.token);
	assert_false(gw_principal_valid(&g, &p));
	assert_int_equal(gw_authenticate(&g, a.token, "http", &p), GW_STATUS_UNAUTHENTICATED);
	assert_true(gw_principal_valid(&g, &b.principal));
	home_reopen(f);
	assert_int_equal(gw_authenticate(&g, a.token, "http", &p), GW_STATUS_UNAUTHENTICATED);
	assert_int_equal(gw_authenticate(&g, b.token, "http", &p), GW_STATUS_DONE);
	/* A login of an earlier life is not fresh. */
	assert_int_equal(gw_access_decide(&g, &p, GW_DO_CRITICAL, NULL), GW_STATUS_STEP_UP);
	assert_int_equal(gw_access_decide(&g, &p, GW_DO_ADOPT, NULL), GW_STATUS_DONE);
	assert_int_equal(login(f, "anna", GOOD, &c), GW_STATUS_DONE);
	assert_int_equal(gw_access_decide(&g, &c.principal, GW_DO_CRITICAL, NULL), GW_STATUS_DONE);
	gw_clock_advance_ms(GW_STEP_UP_MS);
	assert_int_equal(gw_access_decide(&g, &c.principal, GW_DO_CRITICAL, NULL),
			 GW_STATUS_STEP_UP);
}

static void test_tokens_that_are_none(void **state)
{
	struct fixture *f = *state;
	struct answer a;
	struct gw_principal p = {.role = GW_ROLE_NONE};
	be_claimed(f, &a);
	char other[64];
	const char *bad[] = {NULL,
			     "",
			     "x",
			     other,
			     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
			     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
	memcpy(other, a.token, 44);
	other[42] = other[42] == 'A' ? 'B' : 'A';
	for (size_t i = 0; i < gw_countof(bad); i++) {
		assert_int_equal(gw_authenticate(&g, bad[i], "http", &p),
				 GW_STATUS_UNAUTHENTICATED);
	}
	assert_int_equal(p.role, GW_ROLE_NONE);
	/* Made-up principals, also of a generation that exists. */
	struct gw_principal made = {.role = GW_ROLE_OWNER, .who = "local", .via = "http"};
	assert_false(gw_principal_valid(&g, &made));
	made.via = NULL;
	assert_false(gw_principal_valid(&g, &made));
	made = (struct gw_principal){.role = GW_ROLE_GUEST, .who = "mqtt", .via = "mqtt"};
	assert_false(gw_principal_valid(&g, &made));
	made = a.principal;
	made.generation += 1;
	assert_false(gw_principal_valid(&g, &made));
	made.generation = UINT64_MAX;
	assert_false(gw_principal_valid(&g, &made));
	assert_false(gw_principal_valid(&g, NULL));
	assert_false(gw_principal_valid(&g, &(struct gw_principal){0}));
	made = local();
	assert_true(gw_principal_valid(&g, &made));
}

static void test_sessions_have_a_cap(void **state)
{
	struct fixture *f = *state;
	struct answer first, a = {0};
	be_claimed(f, &first);
	struct gw_principal p;
	for (int i = 0; i < GW_SESSIONS_PER_ACCOUNT; i++) {
		gw_clock_advance_ms(60 * 60 * 1000); /* past the limit of tries */
		if (i == 1) {			     /* used ones stay longest */
			assert_int_equal(gw_authenticate(&g, first.token, "http", &p),
					 GW_STATUS_DONE);
		}
		struct answer next;
		assert_int_equal(login(f, "anna", GOOD, &next), GW_STATUS_DONE);
		if (i == 0) {
			a = next;
		}
	}
	assert_int_equal(gw_authenticate(&g, first.token, "http", &p), GW_STATUS_DONE);
	assert_int_equal(gw_authenticate(&g, a.token, "http", &p), GW_STATUS_UNAUTHENTICATED);
	home_reopen(f);
	assert_int_equal(gw_authenticate(&g, first.token, "http", &p), GW_STATUS_DONE);
	assert_int_equal(gw_authenticate(&g, a.token, "http", &p), GW_STATUS_UNAUTHENTICATED);
}

static void test_login_limits(void **state)
{
	struct fixture *f = *state;
	struct answer a[GW_LOGIN_PER_SOURCE_MIN + 1];
	be_claimed(f, &a[0]);
	memset(a, 0, sizeof(a));
	/* Ten of one source at once, the eleventh waits for its turn (6 s), and is not refused. */
	for (int i = 0; i <= GW_LOGIN_PER_SOURCE_MIN; i++) {
		assert_int_equal(gw_login(&g, "10.0.0.9", "anna", "wrong horse", on_answer, &a[i]),
				 0);
	}
	for (int i = 0; i < GW_LOGIN_PER_SOURCE_MIN; i++) {
		await(f, &a[i]);
		assert_int_equal(a[i].status, GW_STATUS_UNAUTHENTICATED);
	}
	for (int i = 0; i < 100; i++) {
		uv_run(gw_loop_uv(f->loop), UV_RUN_NOWAIT);
	}
	assert_false(a[GW_LOGIN_PER_SOURCE_MIN].came);
	struct answer other = {0}, late = {0};
	assert_int_equal(gw_login(&g, "10.0.0.8", "anna", GOOD, on_answer, &other), 0);
	await(f, &other); /* another source is not held up */
	assert_int_equal(other.status, GW_STATUS_DONE);
	gw_clock_advance_ms(6001);
	RUN_UNTIL(f, a[GW_LOGIN_PER_SOURCE_MIN].came);
	assert_int_equal(a[GW_LOGIN_PER_SOURCE_MIN].status, GW_STATUS_UNAUTHENTICATED);
	/* Over thirty seconds of delay: later, please. */
	struct answer many[8];
	memset(many, 0, sizeof(many));
	for (int i = 0; i < 8; i++) {
		assert_int_equal(gw_login(&g, "10.0.0.9", "anna", GOOD, on_answer, &many[i]), 0);
	}
	RUN_UNTIL(f, many[7].came);
	assert_int_equal(many[7].status, GW_STATUS_TOO_MANY);
	assert_false(many[0].came);
	gw_clock_advance_ms(10 * 60 * 1000);
	RUN_UNTIL(f, many[0].came && many[1].came && many[2].came && many[3].came && many[4].came);
	assert_int_equal(gw_login(&g, "10.0.0.9", "anna", GOOD, on_answer, &late), 0);
	RUN_UNTIL(f, late.came);
	assert_int_equal(late.status, GW_STATUS_DONE);
}

static void count_answer(void *ctx, enum gw_status status, const char *token,
			 const struct gw_principal *principal)
{
	(void)token;
	(void)principal;
	((unsigned *)ctx)[status]++;
}

/* Many sources: the account's own limit holds, the queue and the list of sources stay bounded. */
static void test_a_flood_of_logins(void **state)
{
	struct fixture *f = *state;
	struct answer a;
	unsigned n[GW_STATUS_COUNT] = {0}, refused = 0;
	be_claimed(f, &a);
	for (int i = 0; i < GW_LOGIN_SOURCES * 2; i++) {
		char source[32];
		snprintf(source, sizeof(source), "10.1.%d.%d", i / 250, i % 250);
		refused += gw_login(&g, source, "anna", "wrong horse", count_answer, n) < 0;
	}
	assert_true(refused > 0); /* more than a queue and all connections can hold */
	int64_t end = gw_clock_ms() + 20000;
	while (n[GW_STATUS_TOO_MANY] + n[GW_STATUS_UNAUTHENTICATED] + refused <
		       GW_LOGIN_SOURCES * 2 &&
	       gw_clock_ms() < end) {
		expire_timers(f);
		uv_run(gw_loop_uv(f->loop), UV_RUN_NOWAIT);
	}
	assert_int_equal(n[GW_STATUS_UNAUTHENTICATED], GW_LOGIN_PENDING);
	assert_int_equal(n[GW_STATUS_TOO_MANY] + GW_LOGIN_PENDING + refused, GW_LOGIN_SOURCES * 2);
	/* Closing while one is hashed and others wait calls nobody. */
	assert_int_equal(gw_login(&g, "10.2.0.1", "anna", "wrong horse", count_answer, n), 0);
	assert_int_equal(gw_login(&g, "10.2.0.2", "anna", "wrong horse", count_answer, n), 0);
	uv_run(gw_loop_uv(f->loop), UV_RUN_NOWAIT);
	memset(n, 0, sizeof(n));
	home_reopen(f);
	for (int i = 0; i < 200; i++) {
		uv_run(gw_loop_uv(f->loop), UV_RUN_NOWAIT);
	}
	for (int i = 0; i < GW_STATUS_COUNT; i++) {
		assert_int_equal(n[i], 0);
	}
}

/* --- accounts --- */

static void test_accounts(void **state)
{
	struct fixture *f = *state;
	struct answer anna, bob;
	be_claimed(f, &anna);
	struct gw_account_info info = person("bob", GW_ROLE_MEMBER), found;
	assert_int_equal(put(f, &anna.principal, &info, NULL), GW_STATUS_INVALID);
	assert_int_equal(put(f, &anna.principal, &info, "password"), GW_STATUS_INVALID);
	assert_int_equal(put(f, &anna.principal, &info, GOOD), GW_STATUS_DONE);
	assert_true(gw_account_at(&g, 1, &found));
	assert_string_equal(found.name, "Name of bob");
	assert_true(found.created_wall_ms > 0);
	assert_false(gw_account_at(&g, 2, &found));
	assert_int_equal(login(f, "bob", GOOD, &bob), GW_STATUS_DONE);
	/* Nobody below an owner changes others; one's own name and password, and nothing else. */
	info.role = GW_ROLE_OWNER;
	snprintf(info.name, sizeof(info.name), "Robert");
	assert_int_equal(put(f, &bob.principal, &info, NULL), GW_STATUS_DONE);
	assert_true(gw_account_at(&g, 1, &found));
	assert_string_equal(found.name, "Robert");
	assert_int_equal(found.role, GW_ROLE_MEMBER);
	struct gw_account_info eve = person("eve", GW_ROLE_OWNER),
			       mine = person("anna", GW_ROLE_OWNER);
	assert_int_equal(put(f, &bob.principal, &eve, GOOD), GW_STATUS_DENIED);
	assert_int_equal(put(f, &bob.principal, &mine, GOOD), GW_STATUS_DENIED);
	assert_int_equal(gw_account_remove(&g, &bob.principal, "anna"), GW_STATUS_DENIED);
	/* A new password ends the other logins, not the one that set it. */
	struct answer second;
	assert_int_equal(login(f, "bob", GOOD, &second), GW_STATUS_DONE);
	assert_int_equal(put(f, &bob.principal, &info, "another horse"), GW_STATUS_DONE);
	assert_true(gw_principal_valid(&g, &bob.principal));
	assert_false(gw_principal_valid(&g, &second.principal));
	assert_int_equal(login(f, "bob", GOOD, &second), GW_STATUS_UNAUTHENTICATED);
	assert_int_equal(login(f, "bob", "another horse", &second), GW_STATUS_DONE);
	/* Without a fresh login neither works. */
	gw_clock_advance_ms(GW_STEP_UP_MS);
	assert_int_equal(put(f, &bob.principal, &info, GOOD), GW_STATUS_DENIED);
	assert_int_equal(put(f, &anna.principal, &eve, GOOD), GW_STATUS_STEP_UP);
	assert_int_equal(gw_account_remove(&g, &anna.principal, "bob"), GW_STATUS_STEP_UP);
	struct gw_principal by = local();
	assert_int_equal(gw_account_remove(&g, &by, "bob"), GW_STATUS_DONE);
	assert_int_equal(gw_account_remove(&g, &by, "bob"), GW_STATUS_NOT_FOUND);
	assert_false(gw_principal_valid(&g, &bob.principal));
	home_reopen(f);
	assert_int_equal(gw_authenticate(&g, bob.token, "http", &by), GW_STATUS_UNAUTHENTICATED);
	assert_true(gw_account_at(&g, 0, &found));
	assert_false(gw_account_at(&g, 1, &found));
}

static void test_the_last_owner(void **state)
{
	struct fixture *f = *state;
	struct answer a;
	struct gw_principal by = local();
	be_claimed(f, &a);
	struct gw_account_info anna = person("anna", GW_ROLE_MEMBER);
	assert_int_equal(gw_account_remove(&g, &by, "anna"), GW_STATUS_CONFLICT);
	assert_int_equal(put(f, &by, &anna, NULL), GW_STATUS_CONFLICT);
	struct gw_account_info bob = person("bob", GW_ROLE_OWNER);
	bob.expires_wall_ms = gw_wall_ms() + 1000;
	assert_int_equal(put(f, &by, &bob, GOOD), GW_STATUS_INVALID); /* an owner does not expire */
	bob.expires_wall_ms = 0;
	assert_int_equal(put(f, &by, &bob, GOOD), GW_STATUS_DONE);
	assert_int_equal(put(f, &by, &anna, NULL), GW_STATUS_DONE);
	/* What she was logged in with is over; the session itself now gives the lesser rights. */
	assert_false(gw_principal_valid(&g, &a.principal));
	struct gw_principal p;
	assert_int_equal(gw_authenticate(&g, a.token, "http", &p), GW_STATUS_DONE);
	assert_int_equal(p.role, GW_ROLE_MEMBER);
}

static void test_guests_and_installers(void **state)
{
	struct fixture *f = *state;
	struct answer a, guest;
	struct gw_principal by = local(), p;
	struct gw_account_info found;
	be_claimed(f, &a);
	struct gw_account_info info = person("carl", GW_ROLE_GUEST);
	snprintf(info.devices, sizeof(info.devices), "lamp  fan");
	assert_int_equal(put(f, &by, &info, GOOD), GW_STATUS_INVALID); /* two spaces */
	snprintf(info.devices, sizeof(info.devices), "lamp fan");
	assert_int_equal(put(f, &by, &info, GOOD), GW_STATUS_DONE);
	assert_true(gw_account_at(&g, 1, &found));
	assert_true(found.expires_wall_ms > gw_wall_ms() + 23 * 3600 * 1000);
	assert_int_equal(login(f, "carl", GOOD, &guest), GW_STATUS_DONE);
	assert_string_equal(guest.principal.devices, "lamp fan");
	assert_int_equal(guest.principal.expires_wall_ms, found.expires_wall_ms);
	/* The time is over: at once, everywhere. */
	info.expires_wall_ms = gw_wall_ms();
	assert_int_equal(put(f, &by, &info, NULL), GW_STATUS_DONE);
	assert_false(gw_principal_valid(&g, &guest.principal));
	assert_int_equal(gw_authenticate(&g, guest.token, "http", &p), GW_STATUS_UNAUTHENTICATED);
	assert_int_equal(login(f, "carl", GOOD, &guest), GW_STATUS_UNAUTHENTICATED);
	info = person("ines", GW_ROLE_INSTALLER);
	assert_int_equal(put(f, &by, &info, GOOD), GW_STATUS_DONE);
	assert_true(gw_account_at(&g, 2, &found));
	assert_true(found.expires_wall_ms <= gw_wall_ms() + 8 * 3600 * 1000);
	static const char *const ids[] = {"", "Ann", "a b", "ä", "local", "mqtt", "a/b"};
	for (size_t i = 0; i < gw_countof(ids); i++) {
		info = person(ids[i], GW_ROLE_MEMBER);
		assert_int_equal(put(f, &by, &info, GOOD), GW_STATUS_INVALID);
	}
	info = person("tok", GW_ROLE_TOKEN);
	assert_int_equal(put(f, &by, &info, GOOD), GW_STATUS_INVALID);
	info = person("nom", GW_ROLE_MEMBER);
	snprintf(info.name, sizeof(info.name), "\x1b\x01");
	assert_int_equal(put(f, &by, &info, GOOD), GW_STATUS_INVALID);
}

static void test_accounts_have_a_cap(void **state)
{
	struct fixture *f = *state;
	struct answer a;
	struct gw_principal by = local();
	be_claimed(f, &a);
	home_close(f);
	store_open(f);
	for (int i = 1; i < GW_ACCOUNTS; i++) {
		struct gw_account_record r = {
			.info = {.role = GW_ROLE_MEMBER, .created_wall_ms = i}};
		snprintf(r.info.id, sizeof(r.info.id), "m-%d", i);
		assert_int_equal(gw_store_put_account(f->store, &r, NULL), 0);
	}
	store_close(f);
	home_open(f);
	struct gw_account_info info = person("one-more", GW_ROLE_MEMBER);
	assert_int_equal(put(f, &by, &info, GOOD), GW_STATUS_TOO_MANY);
	assert_int_equal(gw_account_remove(&g, &by, "m-7"), GW_STATUS_DONE);
	assert_int_equal(put(f, &by, &info, GOOD), GW_STATUS_DONE);
}

/* --- tokens --- */

static void test_tokens(void **state)
{
	struct fixture *f = *state;
	struct answer a;
	char id[GW_ID_BYTES], secret[64];
	struct gw_principal p, by = local();
	be_claimed(f, &a);
	struct gw_token_info info = {.name = "HA\n", .scope = GW_SCOPE_SEE, .devices = "lamp"},
			     found;
	assert_int_equal(gw_token_create(&g, NULL, &info, id, secret, sizeof(secret)),
			 GW_STATUS_UNAUTHENTICATED);
	assert_int_equal(gw_token_create(&g, &by, &info, id, secret, 20), GW_STATUS_INVALID);
	assert_int_equal(gw_token_create(&g, &by, &info, id, secret, sizeof(secret)),
			 GW_STATUS_DONE);
	assert_int_equal(strlen(secret), 43);
	assert_int_equal(gw_authenticate(&g, secret, "http", &p), GW_STATUS_DONE);
	assert_int_equal(p.role, GW_ROLE_TOKEN);
	assert_string_equal(p.who, id);
	assert_string_equal(p.devices, "lamp");
	assert_int_equal(gw_access_decide(&g, &p, GW_DO_SEE, NULL), GW_STATUS_DONE);
	assert_int_equal(gw_access_decide(&g, &p, GW_DO_OPERATE, NULL), GW_STATUS_DENIED);
	assert_int_equal(gw_token_create(&g, &p, &info, id, secret, sizeof(secret)),
			 GW_STATUS_DENIED);
	gw_logout(&g, secret); /* is no login */
	assert_true(gw_principal_valid(&g, &p));
	home_reopen(f);
	assert_int_equal(gw_authenticate(&g, secret, "http", &p), GW_STATUS_DONE);
	assert_true(gw_token_at(&g, 0, &found));
	assert_string_equal(found.name, "HA");
	assert_true(found.used_wall_ms > 0);
	assert_false(gw_token_at(&g, 1, &found));
	assert_int_equal(gw_token_revoke(&g, &p, id), GW_STATUS_DENIED);
	assert_int_equal(gw_token_revoke(&g, &by, "none"), GW_STATUS_NOT_FOUND);
	assert_int_equal(gw_token_revoke(&g, &by, id), GW_STATUS_DONE);
	assert_false(gw_principal_valid(&g, &p));
	home_reopen(f);
	assert_int_equal(gw_authenticate(&g, secret, "http", &p), GW_STATUS_UNAUTHENTICATED);
}

static void test_tokens_that_are_refused(void **state)
{
	struct fixture *f = *state;
	struct answer a;
	char id[GW_ID_BYTES], secret[64];
	struct gw_principal by = local(), p;
	const struct gw_token_info bad[] = {
		{.name = "", .scope = 1},
		{.name = "no scope"},
		{.name = "unknown scope", .scope = 64},
		{.name = "list", .scope = 1, .devices = "a,b"},
		{.name = "time", .scope = 1, .expires_wall_ms = -1},
	};
	be_claimed(f, &a);
	for (size_t i = 0; i < gw_countof(bad); i++) {
		assert_int_equal(gw_token_create(&g, &by, &bad[i], id, secret, sizeof(secret)),
				 GW_STATUS_INVALID);
	}
	struct gw_token_info info = {.name = "over", .scope = 1, .expires_wall_ms = 1};
	assert_int_equal(gw_token_create(&g, &by, &info, id, secret, sizeof(secret)),
			 GW_STATUS_DONE);
	assert_int_equal(gw_authenticate(&g, secret, "http", &p), GW_STATUS_UNAUTHENTICATED);
	info.expires_wall_ms = 0;
	for (int i = 1; i < GW_TOKENS; i++) {
		assert_int_equal(gw_token_create(&g, &by, &info, id, secret, sizeof(secret)),
				 GW_STATUS_DONE);
	}
	assert_int_equal(gw_token_create(&g, &by, &info, id, secret, sizeof(secret)),
			 GW_STATUS_TOO_MANY);
	assert_int_equal(gw_authenticate(&g, a.token, "http", &p), GW_STATUS_DONE);
}

/* R21: neither passwords nor secrets are in any file. */
static void test_nothing_secret_is_stored(void **state)
{
	struct fixture *f = *state;
	struct answer a;
	char id[GW_ID_BYTES], secret[64];
	struct gw_principal by = local();
	struct gw_token_info info = {.name = "t", .scope = 1};
	be_claimed(f, &a);
	assert_int_equal(gw_token_create(&g, &by, &info, id, secret, sizeof(secret)),
			 GW_STATUS_DONE);
	const char *needles[] = {GOOD, a.token, secret};
	home_close(f);
	DIR *d = opendir(f->dir);
	for (struct dirent *e = readdir(d); e; e = readdir(d)) {
		long len = e->d_type == DT_REG ? size_of(f->dir, e->d_name) : 0;
		char *bytes = calloc(1, (size_t)len + 1);
		FILE *file = fopen(path_in(f->dir, e->d_name), "rb");
		assert_int_equal(fread(bytes, 1, (size_t)len, file), len);
		fclose(file);
		for (size_t i = 0; i < gw_countof(needles); i++) {
			assert_null(memmem(bytes, (size_t)len, needles[i], strlen(needles[i])));
		}
		free(bytes);
	}
	closedir(d);
	home_open(f);
}

static int see_audit(void *ctx, const struct gw_audit_record *r)
{
	char *text = ctx;
	size_t len = strlen(text);
	snprintf(text + len, 1024 - len, "%s:%s ", r->who, r->what);
	return 0;
}

static void test_everything_is_audited(void **state)
{
	struct fixture *f = *state;
	struct answer a;
	char id[GW_ID_BYTES], secret[64], text[1024] = "";
	struct gw_principal by = local();
	be_claimed(f, &a);
	assert_int_equal(login(f, "anna", GOOD, &a), GW_STATUS_DONE);
	struct gw_account_info bob = person("bob", GW_ROLE_MEMBER);
	struct gw_token_info t = {.name = "t", .scope = 1};
	assert_int_equal(put(f, &a.principal, &bob, GOOD), GW_STATUS_DONE);
	assert_int_equal(put(f, &by, &bob, NULL), GW_STATUS_DONE);
	assert_int_equal(gw_token_create(&g, &by, &t, id, secret, sizeof(secret)), GW_STATUS_DONE);
	assert_int_equal(gw_token_revoke(&g, &a.principal, id), GW_STATUS_DONE);
	assert_int_equal(gw_account_remove(&g, &by, "bob"), GW_STATUS_DONE);
	assert_int_equal(gw_store_each_audit(f->store, see_audit, text), 0);
	assert_string_equal(text, "local:account.remove anna:token.revoke local:token.create "
				  "local:account.change anna:account.add anna:login anna:claim ");
}

/* R54: each allocation of ours fails once; nobody gets in by that, and nothing leaks. */
static void test_allocation_failures(void **state)
{
	struct fixture *f = *state;
	struct answer owner;
	char id[GW_ID_BYTES], secret[64];
	unsigned refused = 0;
	be_claimed(f, &owner);
	for (uint64_t n = 1; n < 40; n++) {
		struct gw_principal by = local(), p;
		struct gw_token_info t = {.name = "t", .scope = 1};
		unsigned answers[GW_STATUS_COUNT] = {0};
		gw_accounts_free(g.accounts);
		g.accounts = NULL;
		gw_alloc_fail_at(n);
		int r = gw_accounts_new(&g, &g.accounts, &f->error);
		assert_true(r == 0 || r == -ENOMEM);
		if (r == 0) {
			r = gw_login(&g, "10.0.0.1", "anna", "wrong horse", count_answer, answers);
			assert_true(r == 0 || r == -ENOMEM);
			refused += r < 0;
			enum gw_status s = gw_token_create(&g, &by, &t, id, secret, sizeof(secret));
			assert_true(s == GW_STATUS_DONE || s == GW_STATUS_FAILED);
			assert_true(gw_home_claimed(&g));
			assert_null(gw_claim_code(&g));
		}
		gw_alloc_fail_at(0);
		if (!g.accounts) {
			refused++;
			assert_true(gw_home_claimed(&g));
			assert_int_equal(gw_accounts_new(&g, &g.accounts, &f->error), 0);
		}
		assert_int_equal(gw_authenticate(&g, owner.token, "http", &p), GW_STATUS_DONE);
		assert_int_equal(answers[GW_STATUS_DONE], 0);
	}
	assert_true(refused > 3);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passwords),
		cmocka_unit_test(test_scrypt),
		T(test_claim),
		T(test_claim_closes_after_wrong_tries),
		T(test_claim_closes_after_a_while),
		T(test_a_lost_store_is_not_unclaimed),
		T(test_no_accounts_no_rights),
		T(test_login_and_sessions),
		T(test_tokens_that_are_none),
		T(test_sessions_have_a_cap),
		T(test_login_limits),
		T(test_a_flood_of_logins),
		T(test_accounts),
		T(test_the_last_owner),
		T(test_guests_and_installers),
		T(test_accounts_have_a_cap),
		T(test_tokens),
		T(test_tokens_that_are_refused),
		T(test_nothing_secret_is_stored),
		T(test_everything_is_audited),
		T(test_allocation_failures),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
