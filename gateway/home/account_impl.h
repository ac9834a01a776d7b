/*
 * Inside of the accounts: account.c (people and principals), token.c (sessions, client tokens), login.c (claim, login, the queue before the
 * hash).
 */
#pragma once

#include "gw/list.h"
#include "gw/loop.h"
#include "gw/map.h"
#include "home/account.h"
#include "home/gateway.h"
#include "home/store.h"

/* Sessions and client tokens share one array; a principal's generation names the place and its occupant. */
#define GW_SLOTS     (GW_TOKENS + GW_SESSIONS)
#define GW_SLOT_BITS 10
_Static_assert(GW_SLOTS <= 1 << GW_SLOT_BITS, "a slot fits into its bits");

#define GW_CLAIM_CODE_BYTES 10 /* "XXXX-XXXX" */

struct gw_account {
	struct gw_account_record rec;
	int64_t tat_ms; /* login limit: when the next try would be due if they came evenly */
};

struct gw_token {
	struct gw_token_record rec;
	uint64_t generation;	/* as in principals: serial, slot */
	int64_t fresh_until_ms; /* monotonic; 0 after a restart */
	int64_t used_ms;	/* monotonic: which session ends when there are too many */
	int64_t stored_used_wall_ms;
	bool is_session;
};

struct gw_login;

struct gw_accounts {
	struct gw_gateway *g;
	struct gw_account *list[GW_ACCOUNTS]; /* in order of creation */
	size_t n_accounts, n_sessions, n_tokens;
	struct gw_token *slots[GW_SLOTS];
	struct gw_map *by_hash; /* SHA-256 of the secret → struct gw_token */
	uint64_t serial;
	bool unreadable; /* nobody is authorised (R39) */
	/* Claim. */
	bool reopened; /* by a local action, although the home had an owner once */
	char code[GW_CLAIM_CODE_BYTES];
	int64_t code_until_ms;
	unsigned code_tries;
	/* Logins that wait: for their turn, for their delay. */
	struct gw_list waiting;
	size_t n_waiting;
	struct gw_login *hashing; /* on the pool: one at a time */
	struct gw_deferred *turn;
	struct gw_timer *later;
	struct gw_map *sources; /* limit per source */
	struct gw_list sources_by_age;
	int64_t unknown_tat_ms; /* limit of tries at accounts that do not exist */
};

struct gw_account *gw_accounts_find(const struct gw_accounts *a, const char *id);
bool gw_accounts_has_owner(const struct gw_accounts *a);
/* Tells surfaces that people or tokens changed. */
void gw_accounts_changed(struct gw_accounts *a);
enum gw_status gw_accounts_status(int err); /* of a store's answer */
bool gw_account_id_ok(const char *id);
bool gw_device_list_ok(const char *devices);
/* Stores the account and puts it into memory; keep: the session that stays when the password is new (NULL: none does). */
enum gw_status gw_accounts_put(struct gw_accounts *a, const struct gw_account_record *r,
			       bool new_password, const struct gw_token *keep,
			       const struct gw_audit_line *audit) GW_MUST_USE;

/* --- token.c --- */

int gw_tokens_load(struct gw_accounts *a) GW_MUST_USE;
void gw_tokens_free(struct gw_accounts *a);
struct gw_token *gw_tokens_of(const struct gw_accounts *a, const struct gw_principal *p);
/* A new login of the account: *ret_secret (64 bytes) is the session token. */
int gw_session_start(struct gw_accounts *a, const struct gw_account *account,
		     const struct gw_audit_line *audit, char *ret_secret,
		     struct gw_principal *ret_principal, const char *via) GW_MUST_USE;
/* The rights of the account changed: principals made before are over, its sessions stay. */
void gw_sessions_renew(struct gw_accounts *a, const char *account);
/* Its sessions end, but for keep. */
void gw_sessions_end(struct gw_accounts *a, const char *account, const struct gw_token *keep);

/* --- login.c --- */

int gw_logins_new(struct gw_accounts *a) GW_MUST_USE;
void gw_logins_free(struct gw_accounts *a);
void gw_claim_begin(struct gw_accounts *a); /* at start */
/* A change of an account that waits for its password's hash. */
int gw_login_put(struct gw_accounts *a, const struct gw_principal *by,
		 const struct gw_account_info *info, const char *password,
		 void (*done)(void *ctx, enum gw_status status), void *ctx) GW_MUST_USE;
/* The same when the hash is there (or password NULL); decides again. */
enum gw_status gw_accounts_apply(struct gw_accounts *a, const struct gw_principal *by,
				 const struct gw_account_info *info, const uint8_t *salt,
				 const uint8_t *hash) GW_MUST_USE;
