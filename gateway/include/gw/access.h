/*
 * Who may do what. One function decides, from one table (home/access.c), for every transport; a missing row fails the build.
 * Deny by default: a NULL principal, an expired login, a missing store mean no.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gw/compiler.h"
#include "gw/limits.h"
#include "gw/status.h"

struct gw_gateway;
struct gw_device;
struct gw_cap_info;

enum gw_role {
	GW_ROLE_NONE,
	GW_ROLE_OWNER,
	GW_ROLE_MEMBER,
	GW_ROLE_GUEST,
	GW_ROLE_INSTALLER,
	GW_ROLE_TOKEN,
	GW_ROLE_COUNT
};

/* What somebody wants to do. Every API route, MQTT topic and CLI verb names one. */
enum gw_action {
	GW_DO_PUBLIC,	    /* health, claim page, login: anybody */
	GW_DO_CLAIM,	    /* with the claim code, only while unclaimed */
	GW_DO_SEE,	    /* state of allowed devices */
	GW_DO_SEE_PRESENCE, /* presence, door and location class properties */
	GW_DO_OPERATE,	    /* ordinary devices */
	GW_DO_CRITICAL,	    /* access `sec`: unlock, open, disarm, heat on */
	GW_DO_ARRANGE,	    /* rooms, names */
	GW_DO_ADOPT,	    /* accept, remove, replace a device; install a profile */
	GW_DO_DIAGNOSE,	    /* journey, metrics, doctor */
	GW_DO_ADMINISTER,   /* people, tokens, backup, audit, reset: step-up */
	GW_DO_COUNT,
};

enum gw_scope {
	GW_SCOPE_SEE = 1,
	GW_SCOPE_OPERATE = 2,
	GW_SCOPE_CRITICAL = 4,
	GW_SCOPE_PRESENCE = 8,
	GW_SCOPE_DIAGNOSE = 16
};

struct gw_principal {
	enum gw_role role;
	char who[GW_ID_BYTES]; /* account or token id; "local" for the control socket */
	const char *via;       /* transport: "http", "control", "mqtt"; static text */
	unsigned scope;	       /* gw_scope, of tokens */
	char devices
		[512]; /* guests, tokens: ids separated by spaces; empty for tokens: all; for guests: none */
	int64_t expires_wall_ms; /* 0: never */
	int64_t fresh_until_ms;	 /* monotonic: step-up holds until then */
	uint64_t
		generation; /* of the account or token when it was checked; a revocation raises it */
};

const char *gw_role_name(enum gw_role r);
enum gw_role gw_role_find(const char *name);
/* device may be NULL (not about one device); guests and scoped tokens then get GW_STATUS_DONE for GW_DO_SEE and must be filtered per device. */
enum gw_status gw_access_decide(struct gw_gateway *g, const struct gw_principal *p,
				enum gw_action action, const struct gw_device *device) GW_MUST_USE;
/* Who speaks on the control socket after the peer credentials were checked: the machine's own administrator, always fresh. */
void gw_principal_local(struct gw_principal *ret_principal);
/* Peers that a transport authenticates by itself (the broker's account "home"): a token with this scope, valid while the gateway runs. via: static text. */
void gw_principal_service(struct gw_principal *ret_principal, const char *via, unsigned scope);
/* The action that a write or act on this capability is: OPERATE, CRITICAL (sec) or ADMINISTER (adm). */
enum gw_action gw_access_action(const struct gw_cap_info *cap);
/* The action that reading it is: SEE or SEE_PRESENCE. */
enum gw_action gw_access_read_action(const struct gw_cap_info *cap);

/* --- accounts, tokens, claim (home/account.c). Secrets are stored as hashes only. --- */

bool gw_home_claimed(struct gw_gateway *g);
/* The claim code while unclaimed and the window is open, else NULL. Shown on the console and by `hearth claim` (control socket) only. */
const char *gw_claim_code(struct gw_gateway *g);
/* Opens the window again with a new code: a local action. -EEXIST when the home has an owner, -EIO when the accounts cannot be read. */
int gw_claim_open(struct gw_gateway *g) GW_MUST_USE;
/* NULL: good enough; else what is wrong with it. 8 to 128 characters, no common one, not the account, not one key or row of keys. */
const char *gw_password_fault(const char *password, const char *account);
/*
 * Makes the first owner. Password hashing runs on the pool; done is called once on the loop with the status and, when DONE, a session
 * token of 256 bits (base64url; wiped after the call). Codes: DENIED (wrong code, counted, or the window is closed), CONFLICT (claimed),
 * INVALID (weak password, name), TOO_MANY (others are being hashed), READ_ONLY. A login: UNAUTHENTICATED (wrong), UNCLAIMED, TOO_MANY.
 * Over the limits a login is delayed, never banned; done is never called from within.
 */
typedef void gw_login_done(void *ctx, enum gw_status status, const char *token,
			   const struct gw_principal *principal);
int gw_claim(struct gw_gateway *g, const char *code, const char *account, const char *password,
	     gw_login_done *done, void *ctx) GW_MUST_USE;
int gw_login(struct gw_gateway *g, const char *source, const char *account, const char *password,
	     gw_login_done *done, void *ctx) GW_MUST_USE;
void gw_logout(struct gw_gateway *g, const char *token);
/* A bearer or session token → principal. DONE, UNAUTHENTICATED. Constant-time comparison of hashes. */
enum gw_status gw_authenticate(struct gw_gateway *g, const char *token, const char *via,
			       struct gw_principal *ret_principal) GW_MUST_USE;
/* False when what p was made from is revoked, expired or changed: checked before every delivery and execution. */
bool gw_principal_valid(struct gw_gateway *g, const struct gw_principal *p);

struct gw_account_info {
	char id[GW_ID_BYTES], name[GW_NAME_BYTES];
	enum gw_role role;
	int64_t created_wall_ms, expires_wall_ms;
	char devices[512];
};
struct gw_token_info {
	char id[GW_ID_BYTES], name[GW_NAME_BYTES];
	unsigned scope;
	int64_t created_wall_ms, expires_wall_ms, used_wall_ms;
	char devices[512];
};
/* index from 0; false beyond the last. */
bool gw_account_at(struct gw_gateway *g, size_t index, struct gw_account_info *ret_info);
bool gw_token_at(struct gw_gateway *g, size_t index, struct gw_token_info *ret_info);
/*
 * Changes need GW_DO_ADMINISTER of `by`, which is checked here again and named in the audit. Everybody may also put his own account
 * with another name or password, freshly logged in.
 *
 * Adds or changes (same id) an account; password NULL keeps the old one, a new one ends its other logins. Without an expiry an installer
 * gets 8 hours, a guest 24; an owner has none. done is called once on the loop, when it is durable.
 */
int gw_account_put(struct gw_gateway *g, const struct gw_principal *by,
		   const struct gw_account_info *info, const char *password,
		   void (*done)(void *ctx, enum gw_status status), void *ctx) GW_MUST_USE;
enum gw_status gw_account_remove(struct gw_gateway *g, const struct gw_principal *by,
				 const char *id) GW_MUST_USE; /* CONFLICT: the last owner */
/* Makes a token; ret_id has cap GW_ID_BYTES, ret_secret (cap ≥ 64) is shown once. Durable when it returns DONE. */
enum gw_status gw_token_create(struct gw_gateway *g, const struct gw_principal *by,
			       const struct gw_token_info *info, char *ret_id, char *ret_secret,
			       size_t cap) GW_MUST_USE;
enum gw_status gw_token_revoke(struct gw_gateway *g, const struct gw_principal *by,
			       const char *id) GW_MUST_USE;
