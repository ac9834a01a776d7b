/*
 * The claim of a home without owner, logins, changes of passwords: everything that hashes a password. It waits in one bounded queue,
 * because one hash needs 16 MiB, and because tries are slowed down here (R1, §3: delay, never ban).
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/random.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "gw/log.h"
#include "home/account_impl.h"
#include "home/password.h"

/* A limit of so many in so long is an interval; a burst may use up the whole limit at once. */
#define SOURCE_INTERVAL_MS  (60 * INT64_C(1000) / GW_LOGIN_PER_SOURCE_MIN)
#define ACCOUNT_INTERVAL_MS (3600 * INT64_C(1000) / GW_LOGIN_PER_ACCOUNT_H)
#define SOURCE_BYTES	    64
#define PASSWORD_BYTES	    (GW_PASSWORD_MAX * 4 + 1)

struct source {
	struct gw_list link; /* by age, oldest first */
	char name[SOURCE_BYTES];
	int64_t tat_ms;
};

enum kind { CLAIM, LOGIN, PUT };

struct gw_login {
	struct gw_list link;
	struct gw_accounts *owner; /* NULL: the accounts are gone, nobody waits */
	enum kind kind;
	enum gw_status status; /* ACCEPTED: not decided yet */
	bool hash_it;
	int64_t not_before_ms;
	char account[GW_ID_BYTES];
	char password[PASSWORD_BYTES];
	uint8_t salt[GW_SALT_BYTES], hash[GW_HASH_BYTES];
	int hashed; /* result of the hash */
	gw_login_done *done;
	void (*put_done)(void *ctx, enum gw_status status);
	void *ctx;
	/* PUT */
	struct gw_account_info info;
	struct gw_principal by;
};

static void free_login(struct gw_login *j)
{
	OPENSSL_cleanse(j, sizeof(*j));
	gw_free(j);
}

/* --- claim --- */

static void close_claim(struct gw_accounts *a)
{
	OPENSSL_cleanse(a->code, sizeof(a->code));
}

static bool claim_is_open(struct gw_accounts *a)
{
	if (a->code[0] && (gw_clock_ms() >= a->code_until_ms || a->code_tries >= GW_CLAIM_TRIES ||
			   gw_home_claimed(a->g))) {
		close_claim(a);
	}
	return a->code[0] != '\0';
}

/* 40 bits as two groups of four characters (Crockford base 32: no I, L, O, U). */
static int open_claim(struct gw_accounts *a)
{
	static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint8_t random[8];
	if (getrandom(random, sizeof(random), 0) != sizeof(random)) {
		return -EIO; /* no entropy, no code (R21) */
	}
	char *to = a->code;
	for (size_t i = 0; i < sizeof(random); i++) {
		if (i == 4) {
			*to++ = '-';
		}
		*to++ = letters[random[i] % 32];
	}
	*to = '\0';
	OPENSSL_cleanse(random, sizeof(random));
	a->code_tries = 0;
	a->code_until_ms = gw_clock_ms() + GW_CLAIM_WINDOW_MS;
	return 0;
}

/* The console is where the code may be seen (R1): who reads it has the machine in hand. */
static void show_code(const struct gw_accounts *a)
{
	gw_log_info("claim",
		    "this home has no owner yet: claim it within %d minutes with the code %s",
		    GW_CLAIM_WINDOW_MS / 60000, a->code);
}

void gw_claim_begin(struct gw_accounts *a)
{
	if (gw_home_claimed(a->g)) {
		return;
	}
	if (open_claim(a) < 0) {
		gw_log_error("claim", "GW-CLAIM-RANDOM",
			     "no random numbers: the home cannot be claimed");
		return;
	}
	show_code(a);
}

const char *gw_claim_code(struct gw_gateway *g)
{
	return g->accounts && claim_is_open(g->accounts) ? g->accounts->code : NULL;
}

int gw_claim_open(struct gw_gateway *g)
{
	struct gw_accounts *a = g->accounts;
	if (!a || a->unreadable) {
		return -EIO;
	}
	if (gw_accounts_has_owner(a)) {
		return -EEXIST;
	}
	int r = open_claim(a);
	if (r < 0) {
		return r;
	}
	a->reopened = true;
	const struct gw_audit_line audit = {"local", "control", "claim.open", "", ""};
	if (gw_store_put_audit(g->store, &audit) < 0) {
		gw_log_warning("claim", "GW-CLAIM-AUDIT", "opening the claim cannot be audited");
	}
	show_code(a);
	return 0;
}

/* As people type it: any case, without the dash, with letters that look like digits. */
static bool code_is_right(const struct gw_accounts *a, const char *code)
{
	char typed[GW_CLAIM_CODE_BYTES] = "";
	size_t n = 0;
	for (; *code; code++) {
		char c = *code >= 'a' && *code <= 'z' ? (char)(*code - 32) : *code;
		if (c == '-' || c == ' ') {
			continue;
		}
		if (n == 4) {
			typed[n++] = '-';
		}
		if (n >= GW_CLAIM_CODE_BYTES - 1) {
			return false;
		}
		typed[n++] = c == 'O' ? '0' : c == 'I' || c == 'L' ? '1' : c;
	}
	return CRYPTO_memcmp(typed, a->code, sizeof(typed)) == 0;
}

static enum gw_status check_claim(struct gw_accounts *a, const char *code, const char *account,
				  const char *password)
{
	if (gw_home_claimed(a->g)) {
		return GW_STATUS_CONFLICT;
	}
	if (!claim_is_open(a)) {
		return GW_STATUS_DENIED;
	}
	if (!code_is_right(a, code)) {
		if (++a->code_tries >= GW_CLAIM_TRIES) {
			close_claim(a);
			gw_log_warning(
				"claim", "GW-CLAIM-CLOSED",
				"%d wrong codes: claiming is closed until `hearth claim --open`",
				GW_CLAIM_TRIES);
		}
		return GW_STATUS_DENIED;
	}
	if (!gw_account_id_ok(account) || gw_password_fault(password, account)) {
		return GW_STATUS_INVALID;
	}
	return gw_store_read_only(a->g->store) ? GW_STATUS_READ_ONLY : GW_STATUS_ACCEPTED;
}

static enum gw_status finish_claim(struct gw_accounts *a, const struct gw_login *j, char *token,
				   struct gw_principal *principal)
{
	if (gw_home_claimed(a->g) || gw_accounts_find(a, j->account)) {
		return GW_STATUS_CONFLICT; /* somebody was faster */
	}
	struct gw_account_record r = {
		.info = {.role = GW_ROLE_OWNER, .created_wall_ms = gw_wall_ms()}, .generation = 1};
	memcpy(r.info.id, j->account, sizeof(j->account));
	memcpy(r.info.name, j->account, sizeof(j->account));
	memcpy(r.salt, j->salt, sizeof(r.salt));
	memcpy(r.hash, j->hash, sizeof(r.hash));
	const struct gw_audit_line audit = {j->account, "claim", "claim", j->account, "owner"};
	enum gw_status s =
		gw_accounts_put(a, &r, /* new_password= */ true, /* keep= */ NULL, &audit);
	if (s != GW_STATUS_DONE) {
		return s;
	}
	close_claim(a);
	if (gw_store_set_claimed(a->g->store) < 0) { /* written at the next start otherwise */
		gw_log_warning("claim", "GW-ACCOUNT-MARKER",
			       "the marker of a claimed home cannot be written");
	}
	gw_log_info("claim", "the home has an owner now");
	return gw_accounts_status(gw_session_start(a, gw_accounts_find(a, j->account),
						   /* audit= */ NULL, token, principal, "claim"));
}

/* --- limits --- */

/* When a try that comes now may go on, -1: later than anybody should wait. *tat_ms moves only when it may. */
static int64_t turn_of(int64_t *tat_ms, int64_t interval_ms, int64_t burst, int64_t now_ms)
{
	int64_t at = *tat_ms - (burst - 1) * interval_ms;
	at = at > now_ms ? at : now_ms;
	if (at - now_ms > GW_LOGIN_DELAY_MS) {
		return -1;
	}
	*tat_ms = (*tat_ms > now_ms ? *tat_ms : now_ms) + interval_ms;
	return at;
}

static struct source *find_source(struct gw_accounts *a, const char *name)
{
	struct gw_str key = gw_str_sub(gw_str(name ? name : ""), 0, SOURCE_BYTES - 1);
	struct source *s = gw_map_find(a->sources, key);
	if (s) {
		gw_list_remove(&s->link);
		gw_list_append(&a->sources_by_age, &s->link);
		return s;
	}
	if (gw_map_count(a->sources) >= GW_LOGIN_SOURCES) {
		struct source *oldest = gw_container(a->sources_by_age.next, struct source, link);
		gw_list_remove(&oldest->link);
		(void)gw_map_remove(a->sources, gw_str(oldest->name)); /* it is oldest */
		gw_free(oldest);
	}
	s = gw_new(struct source);
	if (!s) {
		return NULL;
	}
	memcpy(s->name, key.p, key.len);
	if (gw_map_put(a->sources, key, s) < 0) {
		gw_free(s);
		return NULL;
	}
	gw_list_append(&a->sources_by_age, &s->link);
	return s;
}

static enum gw_status check_login(struct gw_accounts *a, const char *source, const char *name,
				  int64_t *ret_not_before_ms)
{
	if (!gw_home_claimed(a->g)) {
		return GW_STATUS_UNCLAIMED;
	}
	int64_t now = gw_clock_ms();
	struct source *s = find_source(a, source);
	struct gw_account *account = gw_accounts_find(a, name);
	int64_t first =
		s ? turn_of(&s->tat_ms, SOURCE_INTERVAL_MS, GW_LOGIN_PER_SOURCE_MIN, now) : -1;
	if (first < 0) {
		return GW_STATUS_TOO_MANY;
	}
	int64_t second = turn_of(account ? &account->tat_ms : &a->unknown_tat_ms,
				 ACCOUNT_INTERVAL_MS, GW_LOGIN_PER_ACCOUNT_H, now);
	if (second < 0) {
		return GW_STATUS_TOO_MANY;
	}
	*ret_not_before_ms = first > second ? first : second;
	return GW_STATUS_ACCEPTED;
}

/* An account that does not exist was hashed, too, so that the time tells nothing. */
static enum gw_status finish_login(struct gw_accounts *a, const struct gw_login *j, char *token,
				   struct gw_principal *principal)
{
	const struct gw_account *account = gw_accounts_find(a, j->account);
	if (!account || memcmp(account->rec.salt, j->salt, sizeof(j->salt)) != 0 ||
	    CRYPTO_memcmp(account->rec.hash, j->hash, sizeof(j->hash)) != 0) {
		gw_log_warning("account", "GW-ACCOUNT-LOGIN", "a login with a wrong password");
		return GW_STATUS_UNAUTHENTICATED;
	}
	const struct gw_audit_line audit = {j->account, "login", "login", j->account, ""};
	int r = gw_session_start(a, account, &audit, token, principal, "login");
	return r == -EACCES ? GW_STATUS_UNAUTHENTICATED : gw_accounts_status(r);
}

/* --- the queue --- */

static void schedule(struct gw_accounts *a)
{
	gw_deferred_schedule(a->turn);
}

static void finish(struct gw_accounts *a, struct gw_login *j)
{
	char token[64] = "";
	struct gw_principal principal = {0};
	enum gw_status s = j->status;
	if (s == GW_STATUS_ACCEPTED && j->hashed < 0) {
		s = GW_STATUS_FAILED;
	}
	if (j->kind == PUT) {
		if (s == GW_STATUS_ACCEPTED) {
			s = gw_accounts_apply(a, &j->by, &j->info, j->salt,
					      j->hash_it ? j->hash : NULL);
		}
		j->put_done(j->ctx, s);
	} else {
		if (s == GW_STATUS_ACCEPTED) {
			s = j->kind == CLAIM ? finish_claim(a, j, token, &principal)
					     : finish_login(a, j, token, &principal);
		}
		bool in = s == GW_STATUS_DONE;
		j->done(j->ctx, s, in ? token : NULL, in ? &principal : NULL);
	}
	OPENSSL_cleanse(token, sizeof(token));
	free_login(j);
}

static void work_hash(void *job)
{
	struct gw_login *j = job;
	j->hashed = gw_password_hash(j->password, j->salt, j->hash);
}

static void done_hash(void *job, int status)
{
	struct gw_login *j = job;
	struct gw_accounts *a = j->owner;
	if (!a) {
		free_login(j);
		return;
	}
	j->hashed = status < 0 ? status : j->hashed;
	a->hashing = NULL;
	schedule(a); /* first: finish may free everything */
	finish(a, j);
}

static void begin_hash(struct gw_accounts *a, struct gw_login *j)
{
	const struct gw_account *account =
		j->kind == LOGIN ? gw_accounts_find(a, j->account) : NULL;
	if (account) {
		memcpy(j->salt, account->rec.salt, sizeof(j->salt));
	} else if (getrandom(j->salt, sizeof(j->salt), 0) != sizeof(j->salt)) {
		j->hashed = -EIO; /* no entropy, no hash (R21) */
	}
	a->hashing = j;
	int r = j->hashed < 0 ? j->hashed : gw_loop_work(a->g->loop, work_hash, done_hash, j);
	if (r < 0) {
		done_hash(j, r);
	}
}

static struct gw_login *take(struct gw_accounts *a, struct gw_login *j)
{
	gw_list_remove(&j->link);
	a->n_waiting--;
	return j;
}

/* The next that is decided, or may be hashed now; else the timer is set to the earliest. */
static struct gw_login *next(struct gw_accounts *a)
{
	int64_t now = gw_clock_ms(), earliest = INT64_MAX;
	gw_list_for(pos, &a->waiting)
	{
		struct gw_login *j = gw_container(pos, struct gw_login, link);
		if (j->status != GW_STATUS_ACCEPTED || !j->hash_it ||
		    (!a->hashing && j->not_before_ms <= now)) {
			return take(a, j);
		}
		earliest = j->not_before_ms < earliest ? j->not_before_ms : earliest;
	}
	if (earliest != INT64_MAX && !a->hashing) {
		gw_timer_start(a->later, earliest - now, /* repeat_ms= */ 0);
	}
	return NULL;
}

static void on_turn(void *ctx)
{
	struct gw_accounts *a = ctx;
	struct gw_login *j = next(a);
	if (!j) {
		return;
	}
	schedule(a); /* one each turn: its callback may do anything */
	if (j->status == GW_STATUS_ACCEPTED && j->hash_it) {
		begin_hash(a, j);
	} else {
		finish(a, j);
	}
}

static int enqueue(struct gw_accounts *a, const struct gw_login *made, const char *account,
		   const char *password)
{
	/* Refusals wait too, for the next turn only; no more of them than anybody has connections. */
	if (a->n_waiting >= GW_LOGIN_PENDING + GW_HTTP_CONNECTIONS) {
		return -ENOBUFS;
	}
	struct gw_login *j = gw_new(struct gw_login);
	if (!j) {
		return -ENOMEM;
	}
	*j = *made;
	j->owner = a;
	if (j->status == GW_STATUS_ACCEPTED && a->n_waiting >= GW_LOGIN_PENDING) {
		j->status = GW_STATUS_TOO_MANY;
	}
	if (strlen(account) < sizeof(j->account) && strlen(password) < sizeof(j->password)) {
		memcpy(j->account, account, strlen(account) + 1);
		memcpy(j->password, password, strlen(password) + 1);
	} else if (j->status == GW_STATUS_ACCEPTED) { /* no such account, no such password */
		j->status = j->kind == LOGIN ? GW_STATUS_UNAUTHENTICATED : GW_STATUS_INVALID;
	}
	gw_list_append(&a->waiting, &j->link);
	a->n_waiting++;
	schedule(a);
	return 0;
}

int gw_claim(struct gw_gateway *g, const char *code, const char *account, const char *password,
	     gw_login_done *done, void *ctx)
{
	if (!g->accounts || !code || !account || !password || !done) {
		return -EINVAL;
	}
	const struct gw_login j = {.kind = CLAIM,
				   .status = check_claim(g->accounts, code, account, password),
				   .hash_it = true,
				   .done = done,
				   .ctx = ctx};
	return enqueue(g->accounts, &j, account, password);
}

int gw_login(struct gw_gateway *g, const char *source, const char *account, const char *password,
	     gw_login_done *done, void *ctx)
{
	if (!g->accounts || !account || !password || !done) {
		return -EINVAL;
	}
	struct gw_login j = {.kind = LOGIN, .hash_it = true, .done = done, .ctx = ctx};
	j.status = check_login(g->accounts, source, account, &j.not_before_ms);
	return enqueue(g->accounts, &j, account, password);
}

int gw_login_put(struct gw_accounts *a, const struct gw_principal *by,
		 const struct gw_account_info *info, const char *password,
		 void (*done)(void *ctx, enum gw_status status), void *ctx)
{
	if (!by || !info || !done) {
		return -EINVAL;
	}
	struct gw_login j = {.kind = PUT,
			     .status = GW_STATUS_ACCEPTED,
			     .hash_it = password != NULL,
			     .put_done = done,
			     .ctx = ctx,
			     .info = *info,
			     .by = *by};
	if (password && gw_password_fault(password, info->id)) {
		j.status = GW_STATUS_INVALID;
	}
	return enqueue(a, &j, info->id, password ? password : "");
}

int gw_logins_new(struct gw_accounts *a)
{
	a->turn = gw_deferred_new(a->g->loop, on_turn, a);
	a->later = gw_timer_new(a->g->loop, on_turn, a);
	a->sources = gw_map_new(GW_LOGIN_SOURCES);
	return a->turn && a->later && a->sources ? 0 : -ENOMEM;
}

/* Whoever waited is gone already: surfaces end before the accounts. */
void gw_logins_free(struct gw_accounts *a)
{
	if (a->hashing) {
		a->hashing->owner = NULL;
	}
	gw_list_for_safe(pos, &a->waiting)
	{
		free_login(gw_container(pos, struct gw_login, link));
	}
	gw_map_free(a->sources, gw_free);
	gw_timer_free(a->later);
	gw_deferred_free(a->turn);
	close_claim(a);
}
