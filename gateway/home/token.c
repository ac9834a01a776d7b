/*
 * Sessions of people and tokens of programs: 256 random bits, kept as SHA-256. A principal names the slot and the serial number of
 * its token, so that whether it still holds costs one look (R10).
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "gw/log.h"
#include "home/account_impl.h"

#define SECRET_BYTES 32
#define SECRET_CHARS 43 /* of base64url without padding */
#define ID_BYTES     8
#define DAY_MS	     (24 * 60 * 60 * INT64_C(1000))
#define ALL_SCOPES                                                                                 \
	(GW_SCOPE_SEE | GW_SCOPE_OPERATE | GW_SCOPE_CRITICAL | GW_SCOPE_PRESENCE |                 \
	 GW_SCOPE_DIAGNOSE)

static struct gw_str hash_key(const struct gw_token *t)
{
	return (struct gw_str){(const char *)t->rec.hash, sizeof(t->rec.hash)};
}

/* A new serial: what was made with the former one is over. */
static void renumber(struct gw_accounts *a, struct gw_token *t, size_t slot)
{
	t->generation = ++a->serial << GW_SLOT_BITS | slot;
}

static int insert(struct gw_accounts *a, struct gw_token *t)
{
	size_t slot = 0;
	while (slot < GW_SLOTS && a->slots[slot]) {
		slot++;
	}
	if (slot == GW_SLOTS) {
		return -ENOSPC;
	}
	int r = gw_map_put(a->by_hash, hash_key(t), t);
	if (r < 0) {
		return r;
	}
	a->slots[slot] = t;
	renumber(a, t, slot);
	*(t->is_session ? &a->n_sessions : &a->n_tokens) += 1;
	return 0;
}

static void drop(struct gw_accounts *a, struct gw_token *t)
{
	a->slots[t->generation & ((1 << GW_SLOT_BITS) - 1)] = NULL;
	(void)gw_map_remove(a->by_hash, hash_key(t)); /* it is t */
	*(t->is_session ? &a->n_sessions : &a->n_tokens) -= 1;
	OPENSSL_cleanse(t, sizeof(*t));
	gw_free(t);
}

/* From the disk, too. When that fails (a disk that is full) it is gone until the next start at least, and by then it has often expired. */
static void drop_stored(struct gw_accounts *a, struct gw_token *t)
{
	if (gw_store_remove_token(a->g->store, t->rec.info.id, /* audit= */ NULL) < 0) {
		gw_log_warning("account", "GW-ACCOUNT-SESSION",
			       "the end of a login cannot be stored");
	}
	drop(a, t);
}

static bool is_over(const struct gw_token *t, int64_t wall_ms)
{
	return t->rec.info.expires_wall_ms != 0 && wall_ms >= t->rec.info.expires_wall_ms;
}

/* --- loading --- */

static int load_one(void *ctx, const struct gw_token_record *r)
{
	struct gw_accounts *a = ctx;
	bool is_session = r->account[0] != '\0';
	if (is_session ? a->n_sessions == GW_SESSIONS : a->n_tokens == GW_TOKENS) {
		gw_log_warning("account", "GW-ACCOUNT-MANY",
			       "too many tokens in the store, ignoring more");
		return 0;
	}
	struct gw_token *t = gw_new(struct gw_token);
	if (!t) {
		return -ENOMEM;
	}
	t->rec = *r;
	t->is_session = is_session;
	t->stored_used_wall_ms = r->info.used_wall_ms;
	int e = insert(a, t);
	if (e < 0) {
		gw_free(t);
	}
	return e == -EEXIST ? 0 : e;
}

int gw_tokens_load(struct gw_accounts *a)
{
	return gw_store_each_token(a->g->store, load_one, a);
}

/* When a token was used last is written now, and only when it is news: flash is worn by what is written (R43). */
static void store_use(struct gw_accounts *a, struct gw_token *t)
{
	if (!t->is_session && t->rec.info.used_wall_ms - t->stored_used_wall_ms > DAY_MS &&
	    gw_store_put_token(a->g->store, &t->rec, /* audit= */ NULL) < 0) {
		gw_log_debug("account", "the last use of a token cannot be stored");
	}
}

void gw_tokens_free(struct gw_accounts *a)
{
	for (size_t i = 0; i < GW_SLOTS; i++) {
		if (a->slots[i]) {
			store_use(a, a->slots[i]);
			drop(a, a->slots[i]);
		}
	}
}

/* --- principals --- */

struct gw_token *gw_tokens_of(const struct gw_accounts *a, const struct gw_principal *p)
{
	size_t slot = p->generation & ((1 << GW_SLOT_BITS) - 1);
	struct gw_token *t = p->generation != 0 && slot < GW_SLOTS ? a->slots[slot] : NULL;
	return t && t->generation == p->generation ? t : NULL;
}

static int64_t earlier(int64_t x, int64_t y)
{
	return x == 0 || (y != 0 && y < x) ? y : x; /* 0: never */
}

static bool fill(const struct gw_accounts *a, const struct gw_token *t, const char *via,
		 struct gw_principal *ret_principal)
{
	struct gw_principal p = {.via = via, .generation = t->generation};
	const struct gw_account_info *info = NULL;
	if (t->is_session) {
		const struct gw_account *account = gw_accounts_find(a, t->rec.account);
		if (!account) {
			return false;
		}
		info = &account->rec.info;
		p.role = info->role;
		p.fresh_until_ms = t->fresh_until_ms;
		memcpy(p.who, info->id, sizeof(p.who));
		memcpy(p.devices, info->devices, sizeof(p.devices));
	} else {
		p.role = GW_ROLE_TOKEN;
		p.scope = t->rec.info.scope;
		memcpy(p.who, t->rec.info.id, sizeof(p.who));
		memcpy(p.devices, t->rec.info.devices, sizeof(p.devices));
	}
	p.expires_wall_ms = earlier(t->rec.info.expires_wall_ms, info ? info->expires_wall_ms : 0);
	if (p.expires_wall_ms != 0 && gw_wall_ms() >= p.expires_wall_ms) {
		return false;
	}
	*ret_principal = p;
	return true;
}

/* The map is asked with a hash, which nobody can choose; what it finds is compared once more in constant time (R21). */
static struct gw_token *find_secret(const struct gw_accounts *a, const char *secret)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	if (!secret || strlen(secret) != SECRET_CHARS ||
	    EVP_Digest(secret, SECRET_CHARS, hash, /* size= */ NULL, EVP_sha256(),
		       /* impl= */ NULL) != 1) {
		return NULL;
	}
	struct gw_token *t =
		gw_map_find(a->by_hash, (struct gw_str){(const char *)hash, sizeof(hash)});
	return t && CRYPTO_memcmp(t->rec.hash, hash, sizeof(hash)) == 0 ? t : NULL;
}

enum gw_status gw_authenticate(struct gw_gateway *g, const char *token, const char *via,
			       struct gw_principal *ret_principal)
{
	struct gw_accounts *a = g->accounts;
	struct gw_token *t = a ? find_secret(a, token) : NULL;
	if (!t || !fill(a, t, via, ret_principal)) {
		return GW_STATUS_UNAUTHENTICATED;
	}
	t->used_ms = gw_clock_ms();
	t->rec.info.used_wall_ms = gw_wall_ms();
	return GW_STATUS_DONE;
}

/* --- making --- */

/* The secret as base64url (RFC 4648 §5) and its hash. */
static int make_secret(char *ret_secret, size_t cap, uint8_t ret_hash[SHA256_DIGEST_LENGTH])
{
	uint8_t random[SECRET_BYTES];
	char text[48];
	if (cap <= SECRET_CHARS) {
		return -EINVAL;
	}
	if (getrandom(random, sizeof(random), 0) != sizeof(random)) {
		return -EIO; /* no entropy, no key (R21) */
	}
	(void)EVP_EncodeBlock((uint8_t *)text, random, sizeof(random)); /* 44 characters */
	for (size_t i = 0; i < SECRET_CHARS; i++) {
		ret_secret[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
	}
	ret_secret[SECRET_CHARS] = '\0';
	OPENSSL_cleanse(random, sizeof(random));
	OPENSSL_cleanse(text, sizeof(text));
	return EVP_Digest(ret_secret, SECRET_CHARS, ret_hash, /* size= */ NULL, EVP_sha256(),
			  /* impl= */ NULL) == 1
		       ? 0
		       : -ENOMEM;
}

static int make_id(char prefix, char *ret_id, size_t cap)
{
	uint8_t r[ID_BYTES];
	if (getrandom(r, sizeof(r), 0) != sizeof(r)) {
		return -EIO;
	}
	(void)snprintf(ret_id, cap, "%c%02x%02x%02x%02x%02x%02x%02x%02x", prefix, r[0], r[1], r[2],
		       r[3], r[4], r[5], r[6], r[7]); /* 17 characters */
	return 0;
}

static struct gw_token *new_token(char prefix, char *ret_secret, size_t cap, int *ret_err)
{
	struct gw_token *t = gw_new(struct gw_token);
	int r = t ? make_secret(ret_secret, cap, t->rec.hash) : -ENOMEM;
	if (r == 0) {
		r = make_id(prefix, t->rec.info.id, sizeof(t->rec.info.id));
	}
	if (r < 0) {
		gw_free(t);
		*ret_err = r;
		return NULL;
	}
	t->rec.info.created_wall_ms = gw_wall_ms();
	t->used_ms = gw_clock_ms();
	return t;
}

/* --- sessions --- */

static struct gw_token *longest_unused(const struct gw_accounts *a, const char *account)
{
	struct gw_token *oldest = NULL;
	for (size_t i = 0; i < GW_SLOTS; i++) {
		struct gw_token *t = a->slots[i];
		if (t && t->is_session && (!account || strcmp(t->rec.account, account) == 0) &&
		    (!oldest || t->used_ms < oldest->used_ms ||
		     (t->used_ms == oldest->used_ms && t->generation < oldest->generation))) {
			oldest = t;
		}
	}
	return oldest;
}

static size_t count_sessions(const struct gw_accounts *a, const char *account)
{
	size_t n = 0;
	for (size_t i = 0; i < GW_SLOTS; i++) {
		const struct gw_token *t = a->slots[i];
		n += t && t->is_session && strcmp(t->rec.account, account) == 0;
	}
	return n;
}

/* Those that are over go; then those that are too many. */
static void make_room(struct gw_accounts *a, const char *account)
{
	int64_t now = gw_wall_ms();
	for (size_t i = 0; i < GW_SLOTS; i++) {
		if (a->slots[i] && a->slots[i]->is_session && is_over(a->slots[i], now)) {
			drop_stored(a, a->slots[i]);
		}
	}
	while (count_sessions(a, account) >= GW_SESSIONS_PER_ACCOUNT) {
		drop_stored(a, longest_unused(a, account));
	}
	while (a->n_sessions >= GW_SESSIONS) {
		drop_stored(a, longest_unused(a, /* account= */ NULL));
	}
}

int gw_session_start(struct gw_accounts *a, const struct gw_account *account,
		     const struct gw_audit_line *audit, char *ret_secret,
		     struct gw_principal *ret_principal, const char *via)
{
	int r = 0;
	make_room(a, account->rec.info.id);
	struct gw_token *t = new_token('s', ret_secret, SECRET_CHARS + 1, &r);
	if (!t) {
		return r;
	}
	t->is_session = true;
	t->rec.info.expires_wall_ms = gw_wall_ms() + GW_SESSION_DAYS * DAY_MS;
	t->fresh_until_ms = gw_clock_ms() + GW_STEP_UP_MS;
	memcpy(t->rec.account, account->rec.info.id, sizeof(t->rec.account));
	r = insert(a, t);
	if (r < 0 || !fill(a, t, via, ret_principal)) {
		if (r == 0) {
			drop(a, t);
		} else {
			gw_free(t);
		}
		return r < 0 ? r : -EACCES;
	}
	/* With a disk that is full one must still get in: then the login lasts until the next start. */
	if (gw_store_put_token(a->g->store, &t->rec, audit) < 0) {
		gw_log_warning("account", "GW-ACCOUNT-SESSION", "a login cannot be stored");
	}
	return 0;
}

void gw_sessions_renew(struct gw_accounts *a, const char *account)
{
	for (size_t i = 0; i < GW_SLOTS; i++) {
		struct gw_token *t = a->slots[i];
		if (t && t->is_session && strcmp(t->rec.account, account) == 0) {
			renumber(a, t, i);
		}
	}
}

void gw_sessions_end(struct gw_accounts *a, const char *account, const struct gw_token *keep)
{
	for (size_t i = 0; i < GW_SLOTS; i++) {
		struct gw_token *t = a->slots[i];
		if (t && t != keep && t->is_session && strcmp(t->rec.account, account) == 0) {
			drop_stored(a, t);
		}
	}
}

void gw_logout(struct gw_gateway *g, const char *token)
{
	struct gw_token *t = g->accounts ? find_secret(g->accounts, token) : NULL;
	if (t && t->is_session) {
		drop_stored(g->accounts, t);
	}
}

/* --- client tokens --- */

static bool scope_ok(const struct gw_token_info *info)
{
	return info->scope != 0 && (info->scope & ~(unsigned)ALL_SCOPES) == 0 &&
	       info->expires_wall_ms >= 0 && gw_device_list_ok(info->devices);
}

enum gw_status gw_token_create(struct gw_gateway *g, const struct gw_principal *by,
			       const struct gw_token_info *info, char *ret_id, char *ret_secret,
			       size_t cap)
{
	struct gw_accounts *a = g->accounts;
	char name[GW_NAME_BYTES];
	int r = 0;
	enum gw_status s = gw_access_decide(g, by, GW_DO_ADMINISTER, /* device= */ NULL);
	if (s != GW_STATUS_DONE) {
		return s;
	}
	if (gw_str_clean(gw_str_trim(gw_str(info->name)), GW_NAME_CHARS, name, sizeof(name)) == 0 ||
	    !scope_ok(info)) {
		return GW_STATUS_INVALID;
	}
	if (!a || a->n_tokens >= GW_TOKENS) {
		return a ? GW_STATUS_TOO_MANY : GW_STATUS_FAILED;
	}
	struct gw_token *t = new_token('t', ret_secret, cap, &r);
	if (!t) {
		return r == -EINVAL ? GW_STATUS_INVALID : GW_STATUS_FAILED;
	}
	memcpy(t->rec.info.name, name, sizeof(name));
	memcpy(t->rec.info.devices, info->devices, sizeof(t->rec.info.devices));
	t->rec.info.scope = info->scope;
	t->rec.info.expires_wall_ms = info->expires_wall_ms;
	t->rec.generation = 1;
	const struct gw_audit_line audit = {by->who, by->via, "token.create", t->rec.info.id, name};
	r = insert(a, t);
	if (r < 0) {
		gw_free(t);
		return GW_STATUS_FAILED;
	}
	r = gw_store_put_token(g->store, &t->rec, &audit);
	if (r < 0) {
		drop(a, t);
		OPENSSL_cleanse(ret_secret, cap);
		return gw_accounts_status(r);
	}
	memcpy(ret_id, t->rec.info.id, sizeof(t->rec.info.id));
	gw_accounts_changed(a);
	return GW_STATUS_DONE;
}

static struct gw_token *find_id(const struct gw_accounts *a, const char *id)
{
	for (size_t i = 0; i < GW_SLOTS; i++) {
		if (a->slots[i] && !a->slots[i]->is_session &&
		    strcmp(a->slots[i]->rec.info.id, id) == 0) {
			return a->slots[i];
		}
	}
	return NULL;
}

enum gw_status gw_token_revoke(struct gw_gateway *g, const struct gw_principal *by, const char *id)
{
	enum gw_status s = gw_access_decide(g, by, GW_DO_ADMINISTER, /* device= */ NULL);
	if (s != GW_STATUS_DONE) {
		return s;
	}
	struct gw_token *t = g->accounts ? find_id(g->accounts, id) : NULL;
	if (!t) {
		return GW_STATUS_NOT_FOUND;
	}
	const struct gw_audit_line audit = {by->who, by->via, "token.revoke", id, t->rec.info.name};
	int r = gw_store_remove_token(g->store, id, &audit);
	if (r < 0) {
		return gw_accounts_status(r);
	}
	drop(g->accounts, t);
	gw_accounts_changed(g->accounts);
	return GW_STATUS_DONE;
}

bool gw_token_at(struct gw_gateway *g, size_t index, struct gw_token_info *ret_info)
{
	const struct gw_accounts *a = g->accounts;
	for (size_t i = 0; a && i < GW_SLOTS; i++) {
		if (a->slots[i] && !a->slots[i]->is_session && index-- == 0) {
			*ret_info = a->slots[i]->rec.info;
			return true;
		}
	}
	return false;
}
