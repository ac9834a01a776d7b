/* People and what they may stand for: accounts, principals made from them, and the rules for changing accounts. */
#include "home/account.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "gw/log.h"
#include "home/account_impl.h"
#include "home/bus.h"
#include "home/password.h"

#define HOUR_MS (60 * 60 * INT64_C(1000))

struct gw_account *gw_accounts_find(const struct gw_accounts *a, const char *id)
{
	for (size_t i = 0; i < a->n_accounts; i++) {
		if (strcmp(a->list[i]->rec.info.id, id) == 0) {
			return a->list[i];
		}
	}
	return NULL;
}

static size_t count_owners(const struct gw_accounts *a)
{
	size_t n = 0;
	for (size_t i = 0; i < a->n_accounts; i++) {
		n += a->list[i]->rec.info.role == GW_ROLE_OWNER;
	}
	return n;
}

bool gw_accounts_has_owner(const struct gw_accounts *a)
{
	return count_owners(a) > 0;
}

void gw_accounts_changed(struct gw_accounts *a)
{
	if (a->g->bus) {
		(void)gw_bus_emit(a->g, &(struct gw_emit){.type = GW_EVENT_HOME}); /* its number */
	}
}

enum gw_status gw_accounts_status(int err)
{
	switch (err) {
	case 0: return GW_STATUS_DONE;
	case -EROFS:
	case -ENOSPC:
	case -EIO: return GW_STATUS_READ_ONLY;
	default: return GW_STATUS_FAILED;
	}
}

bool gw_home_claimed(struct gw_gateway *g)
{
	const struct gw_accounts *a = g->accounts;
	if (!a || gw_accounts_has_owner(a)) {
		return true; /* without accounts nobody may do anything, claiming included */
	}
	bool was = a->unreadable || a->n_accounts > 0 || gw_store_claimed(g->store);
	return was && !a->reopened;
}

/* --- loading --- */

static int append(struct gw_accounts *a, const struct gw_account_record *r)
{
	if (a->n_accounts == GW_ACCOUNTS) {
		return -ENOSPC;
	}
	struct gw_account *account = gw_new(struct gw_account);
	if (!account) {
		return -ENOMEM;
	}
	account->rec = *r;
	a->list[a->n_accounts++] = account;
	return 0;
}

static int load_one(void *ctx, const struct gw_account_record *r)
{
	return append(ctx, r);
}

static void free_list(struct gw_accounts *a)
{
	for (size_t i = 0; i < a->n_accounts; i++) {
		OPENSSL_cleanse(a->list[i], sizeof(*a->list[i]));
		gw_free(a->list[i]);
	}
	a->n_accounts = 0;
}

int gw_accounts_new(struct gw_gateway *g, struct gw_accounts **ret_accounts,
		    struct gw_error *reterr_)
{
	struct gw_accounts *a = gw_new(struct gw_accounts);
	if (!a) {
		return gw_error_set(reterr_, -ENOMEM, "memory", "out of memory");
	}
	a->g = g;
	gw_list_init(&a->waiting);
	gw_list_init(&a->sources_by_age);
	int r = gw_logins_new(a);
	if (r == 0) {
		a->by_hash = gw_map_new(GW_SLOTS);
		r = a->by_hash ? gw_store_each_account(g->store, load_one, a) : -ENOMEM;
		r = r < 0 ? r : gw_tokens_load(a);
	}
	if (r == -ENOMEM) {
		gw_accounts_free(a);
		return gw_error_set(reterr_, r, "memory", "out of memory");
	}
	if (r < 0) {
		gw_tokens_free(a);
		free_list(a);
		a->unreadable = true;
		gw_log_error("account", "GW-ACCOUNT-READ",
			     "the accounts cannot be read (%s): nobody can log in", strerror(-r));
	}
	if (gw_accounts_has_owner(a) && gw_store_set_claimed(g->store) < 0) {
		gw_log_warning("account", "GW-ACCOUNT-MARKER",
			       "the marker of a claimed home cannot be written");
	}
	g->accounts = a;
	gw_claim_begin(a);
	*ret_accounts = a;
	return 0;
}

void gw_accounts_free(struct gw_accounts *a)
{
	if (!a) {
		return;
	}
	gw_logins_free(a);
	gw_tokens_free(a);
	free_list(a);
	gw_map_free(a->by_hash, /* free_value= */ NULL);
	if (a->g->accounts == a) {
		a->g->accounts = NULL;
	}
	gw_free(a);
}

/* --- principals --- */

/* Those that are made from no account: of the machine itself, and of peers that a transport knows (access.c makes them). */
static bool is_built_in(const struct gw_principal *p)
{
	if (p->generation != 0 || !p->via) {
		return false;
	}
	if (p->role == GW_ROLE_OWNER) {
		return strcmp(p->who, "local") == 0 && strcmp(p->via, "control") == 0;
	}
	return p->role == GW_ROLE_TOKEN && p->who[0] != '\0' && strcmp(p->who, p->via) == 0;
}

bool gw_principal_valid(struct gw_gateway *g, const struct gw_principal *p)
{
	if (!p || p->role == GW_ROLE_NONE) {
		return false;
	}
	if (is_built_in(p)) {
		return true;
	}
	return g->accounts && gw_tokens_of(g->accounts, p) != NULL &&
	       (p->expires_wall_ms == 0 || gw_wall_ms() < p->expires_wall_ms);
}

/* --- changing accounts --- */

bool gw_account_id_ok(const char *id)
{
	/* Names of what is not an account, see is_built_in. */
	static const char *const reserved[] = {"local", "control", "mqtt",    "coap",
					       "http",	"none",	   "service", "system"};
	size_t n = strlen(id);
	if (n == 0 || n >= GW_ID_BYTES ||
	    strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_-") != n) {
		return false;
	}
	for (size_t i = 0; i < gw_countof(reserved); i++) {
		if (strcmp(id, reserved[i]) == 0) {
			return false;
		}
	}
	return true;
}

/* Device ids, one space between them. */
bool gw_device_list_ok(const char *devices)
{
	struct gw_str rest = gw_str(devices), piece;
	if (rest.len == 0) {
		return true;
	}
	while (gw_str_split(&rest, ' ', &piece)) {
		if (piece.len == 0 || piece.len >= GW_ID_BYTES) {
			return false;
		}
	}
	return strspn(devices, "abcdefghijklmnopqrstuvwxyz0123456789_- ") == strlen(devices);
}

static bool put_in_order(struct gw_account_info *info)
{
	char name[GW_NAME_BYTES];
	size_t n = gw_str_clean(gw_str_trim(gw_str(info->name)), GW_NAME_CHARS, name, sizeof(name));
	bool role = info->role > GW_ROLE_NONE && info->role < GW_ROLE_TOKEN;
	if (!gw_account_id_ok(info->id) || n == 0 || !role || !gw_device_list_ok(info->devices) ||
	    info->expires_wall_ms < 0 ||
	    (info->role == GW_ROLE_OWNER && info->expires_wall_ms != 0)) {
		return false;
	}
	memcpy(info->name, name, sizeof(name));
	/* Guests and installers are there for a time (§2). */
	if (info->role == GW_ROLE_INSTALLER && info->expires_wall_ms == 0) {
		info->expires_wall_ms = gw_wall_ms() + 8 * HOUR_MS;
	}
	if (info->role == GW_ROLE_GUEST && info->expires_wall_ms == 0) {
		info->expires_wall_ms = gw_wall_ms() + 24 * HOUR_MS;
	}
	return true;
}

/* One's own name and password, freshly logged in; everything else stays. */
static bool is_own(struct gw_accounts *a, const struct gw_principal *by,
		   const struct gw_account *old, struct gw_account_info *info)
{
	const struct gw_token *t = by ? gw_tokens_of(a, by) : NULL;
	if (!t || !t->is_session || !old || strcmp(t->rec.account, info->id) != 0 ||
	    !gw_principal_valid(a->g, by) || by->fresh_until_ms <= gw_clock_ms()) {
		return false;
	}
	char name[GW_NAME_BYTES];
	memcpy(name, info->name, sizeof(name));
	*info = old->rec.info;
	memcpy(info->name, name, sizeof(name));
	return true;
}

static bool same_rights(const struct gw_account_info *x, const struct gw_account_info *y)
{
	return x->role == y->role && x->expires_wall_ms == y->expires_wall_ms &&
	       strcmp(x->devices, y->devices) == 0;
}

enum gw_status gw_accounts_put(struct gw_accounts *a, const struct gw_account_record *r,
			       bool new_password, const struct gw_token *keep,
			       const struct gw_audit_line *audit)
{
	struct gw_account *old = gw_accounts_find(a, r->info.id);
	if (!old && a->n_accounts == GW_ACCOUNTS) {
		return GW_STATUS_TOO_MANY;
	}
	int e = gw_store_put_account(a->g->store, r, audit);
	if (e < 0) {
		return gw_accounts_status(e);
	}
	if (!old) {
		e = append(a, r);
	} else {
		bool renew = !same_rights(&old->rec.info, &r->info);
		old->rec = *r;
		if (new_password) {
			gw_sessions_end(a, r->info.id, keep);
		}
		if (renew) {
			gw_sessions_renew(a, r->info.id);
		}
	}
	gw_accounts_changed(a);
	return gw_accounts_status(e);
}

enum gw_status gw_accounts_apply(struct gw_accounts *a, const struct gw_principal *by,
				 const struct gw_account_info *info, const uint8_t *salt,
				 const uint8_t *hash)
{
	struct gw_account_record r = {.info = *info};
	const struct gw_account *old = gw_accounts_find(a, info->id);
	enum gw_status s = gw_access_decide(a->g, by, GW_DO_ADMINISTER, /* device= */ NULL);
	if (s != GW_STATUS_DONE && !is_own(a, by, old, &r.info)) {
		return s;
	}
	if (!put_in_order(&r.info) || (!old && !hash)) {
		return GW_STATUS_INVALID;
	}
	if (old && old->rec.info.role == GW_ROLE_OWNER && r.info.role != GW_ROLE_OWNER &&
	    count_owners(a) == 1) {
		return GW_STATUS_CONFLICT;
	}
	r.info.created_wall_ms = old ? old->rec.info.created_wall_ms : gw_wall_ms();
	r.generation = old ? old->rec.generation + 1 : 1;
	memcpy(r.salt, hash ? salt : old->rec.salt, sizeof(r.salt));
	memcpy(r.hash, hash ? hash : old->rec.hash, sizeof(r.hash));
	const struct gw_audit_line audit = {by->who, by->via,
					    old ? "account.change" : "account.add", info->id,
					    gw_role_name(r.info.role)};
	return gw_accounts_put(a, &r, hash != NULL, gw_tokens_of(a, by), &audit);
}

int gw_account_put(struct gw_gateway *g, const struct gw_principal *by,
		   const struct gw_account_info *info, const char *password,
		   void (*done)(void *ctx, enum gw_status status), void *ctx)
{
	return g->accounts ? gw_login_put(g->accounts, by, info, password, done, ctx) : -EINVAL;
}

enum gw_status gw_account_remove(struct gw_gateway *g, const struct gw_principal *by,
				 const char *id)
{
	struct gw_accounts *a = g->accounts;
	enum gw_status s = gw_access_decide(g, by, GW_DO_ADMINISTER, /* device= */ NULL);
	if (s != GW_STATUS_DONE) {
		return s;
	}
	struct gw_account *account = gw_accounts_find(a, id);
	if (!account) {
		return GW_STATUS_NOT_FOUND;
	}
	if (account->rec.info.role == GW_ROLE_OWNER && count_owners(a) == 1) {
		return GW_STATUS_CONFLICT;
	}
	const struct gw_audit_line audit = {by->who, by->via, "account.remove", id,
					    gw_role_name(account->rec.info.role)};
	int e = gw_store_remove_account(g->store, id, &audit);
	if (e < 0) {
		return gw_accounts_status(e);
	}
	gw_sessions_end(a, id, /* keep= */ NULL);
	size_t i = 0;
	while (a->list[i] != account) {
		i++;
	}
	memmove(&a->list[i], &a->list[i + 1], (--a->n_accounts - i) * sizeof(a->list[0]));
	gw_free(account);
	gw_accounts_changed(a);
	return GW_STATUS_DONE;
}

bool gw_account_at(struct gw_gateway *g, size_t index, struct gw_account_info *ret_info)
{
	if (!g->accounts || index >= g->accounts->n_accounts) {
		return false;
	}
	*ret_info = g->accounts->list[index]->rec.info;
	return true;
}
