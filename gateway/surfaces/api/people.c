/* Claim, login, accounts, tokens. Passwords and tokens are wiped on their way out (R21). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gw/clock.h"
#include "surfaces/api/call.h"

/* --- claim and login --- */

static void session_done(void *ctx, enum gw_status status, const char *token,
			 const struct gw_principal *p)
{
	struct gw_api_call *c = ctx;
	if (status == GW_STATUS_DONE && c->reply) {
		gw_out_open(&c->out, NULL, '{');
		if (c->cookie) {
			snprintf(c->session, sizeof(c->session), "%s", token);
			c->answer.session = c->session;
		} else {
			gw_out_text(&c->out, "token", token);
		}
		gw_out_text(&c->out, "account", p->who);
		gw_out_text(&c->out, "role", gw_role_name(p->role));
		gw_out_time(&c->out, "expires", p->expires_wall_ms);
		gw_out_close(&c->out, '}');
	}
	gw_api_finish(c, status);
}

static bool wants_cookie(const struct gw_api_call *c)
{
	const struct gw_node *cookie = gw_node_get(c->body, "cookie");
	return cookie && cookie->flag;
}

static enum gw_status check_password(struct gw_api_call *c, const char *account)
{
	const char *password = gw_node_text(c->body, "password");
	const char *fault = password ? gw_password_fault(password, account) : NULL;
	return fault ? gw_api_fail(c, GW_STATUS_INVALID, "/password", "%s", fault) : GW_STATUS_DONE;
}

enum gw_status gw_api_claim(struct gw_api_call *c)
{
	const char *account = gw_node_text(c->body, "account");
	if (check_password(c, account ? account : "") != GW_STATUS_DONE) {
		return GW_STATUS_INVALID; /* no try is lost */
	}
	c->cookie = wants_cookie(c);
	int r = gw_claim(c->api->gateway, gw_node_text(c->body, "code"),
			 gw_node_text(c->body, "account"), gw_node_text(c->body, "password"),
			 session_done, c);
	return r ? GW_STATUS_FAILED : GW_STATUS_ACCEPTED;
}

enum gw_status gw_api_login(struct gw_api_call *c)
{
	c->cookie = wants_cookie(c);
	int r = gw_login(c->api->gateway, c->request->source, gw_node_text(c->body, "account"),
			 gw_node_text(c->body, "password"), session_done, c);
	return r ? GW_STATUS_FAILED : GW_STATUS_ACCEPTED;
}

enum gw_status gw_api_logout(struct gw_api_call *c)
{
	if (!c->request->token) {
		return GW_STATUS_UNAUTHENTICATED;
	}
	gw_logout(c->api->gateway, c->request->token);
	c->answer.session = "";
	return GW_STATUS_DONE;
}

static enum gw_status answer_claim(struct gw_api_call *c)
{
	gw_out_open(&c->out, NULL, '{');
	gw_out_bool(&c->out, "claimed", gw_home_claimed(c->api->gateway));
	gw_out_text(&c->out, "code", gw_claim_code(c->api->gateway));
	gw_out_close(&c->out, '}');
	return GW_STATUS_DONE;
}

enum gw_status gw_api_claim_code(struct gw_api_call *c)
{
	return answer_claim(c);
}

enum gw_status gw_api_claim_open(struct gw_api_call *c)
{
	int r = gw_claim_open(c->api->gateway);
	if (r == -EEXIST) {
		return gw_api_fail(c, GW_STATUS_CONFLICT, "", "the home has an owner");
	}
	return r < 0 ? GW_STATUS_FAILED : answer_claim(c);
}

static void write_scope(struct gw_buf *b, unsigned scope)
{
	static const char *const names[] = {"see", "operate", "critical", "presence", "diagnose"};
	gw_out_open(b, "scope", '[');
	for (size_t i = 0; i < gw_countof(names); i++) {
		if (scope & 1u << i) {
			gw_out_text(b, NULL, names[i]);
		}
	}
	gw_out_close(b, ']');
}

enum gw_status gw_api_me(struct gw_api_call *c)
{
	const struct gw_principal *p = &c->principal;
	gw_out_open(&c->out, NULL, '{');
	gw_out_text(&c->out, "who", p->who);
	gw_out_text(&c->out, "role", gw_role_name(p->role));
	gw_out_text(&c->out, "via", p->via ? p->via : "");
	write_scope(&c->out, p->scope);
	gw_out_words(&c->out, "devices", p->devices);
	gw_out_time(&c->out, "expires", p->expires_wall_ms);
	gw_out_bool(&c->out, "fresh", p->fresh_until_ms > gw_clock_ms());
	gw_out_close(&c->out, '}');
	return GW_STATUS_DONE;
}

/* --- accounts --- */

static void write_account(struct gw_buf *b, const struct gw_account_info *i)
{
	gw_out_open(b, NULL, '{');
	gw_out_text(b, "id", i->id);
	gw_out_text(b, "name", i->name);
	gw_out_text(b, "role", gw_role_name(i->role));
	gw_out_time(b, "created", i->created_wall_ms);
	gw_out_time(b, "expires", i->expires_wall_ms);
	gw_out_words(b, "devices", i->devices);
	gw_out_close(b, '}');
}

static bool account_find(struct gw_gateway *g, const char *id, struct gw_account_info *ret_info)
{
	for (size_t i = 0; gw_account_at(g, i, ret_info); i++) {
		if (strcmp(ret_info->id, id) == 0) {
			return true;
		}
	}
	return false;
}

enum gw_status gw_api_accounts(struct gw_api_call *c)
{
	struct gw_account_info info;
	gw_out_open(&c->out, NULL, '{');
	gw_out_open(&c->out, "accounts", '[');
	for (size_t i = 0; gw_account_at(c->api->gateway, i, &info); i++) {
		write_account(&c->out, &info);
	}
	gw_out_close(&c->out, ']');
	gw_out_close(&c->out, '}');
	return GW_STATUS_DONE;
}

/* The answer is what is stored now. */
static void account_done(void *ctx, enum gw_status status)
{
	struct gw_api_call *c = ctx;
	struct gw_account_info info;
	if (status == GW_STATUS_DONE && c->reply) {
		if (account_find(c->api->gateway, c->subject, &info)) {
			write_account(&c->out, &info);
		} else {
			status = GW_STATUS_NOT_FOUND; /* removed meanwhile */
		}
	}
	gw_api_finish(c, status);
}

/* Members of the body over what *info holds. */
static enum gw_status put_account(struct gw_api_call *c, struct gw_account_info *info)
{
	const char *name = gw_node_text(c->body, "name"), *role = gw_node_text(c->body, "role");
	if (name &&
	    gw_str_clean(gw_str(name), GW_NAME_CHARS, info->name, sizeof(info->name)) == 0) {
		return gw_api_fail(c, GW_STATUS_INVALID, "/name", "the name is empty");
	}
	if (role) {
		info->role = gw_role_find(role);
	}
	enum gw_status s = GW_STATUS_DONE;
	if (gw_node_get(c->body, "expires_in")) {
		s = gw_api_expiry(c, "expires_in", &info->expires_wall_ms);
	}
	if (s == GW_STATUS_DONE && gw_node_get(c->body, "devices")) {
		s = gw_api_word_list(c, "devices", info->devices, sizeof(info->devices));
	}
	if (s == GW_STATUS_DONE && info->role == GW_ROLE_TOKEN) {
		s = gw_api_fail(c, GW_STATUS_INVALID, "/role", "tokens are made at /api/v1/tokens");
	}
	if (s != GW_STATUS_DONE) {
		return s;
	}
	if (check_password(c, info->id) != GW_STATUS_DONE) {
		return GW_STATUS_INVALID;
	}
	snprintf(c->subject, sizeof(c->subject), "%s", info->id);
	int r = gw_account_put(c->api->gateway, &c->principal, info,
			       gw_node_text(c->body, "password"), account_done, c);
	return r ? GW_STATUS_FAILED : GW_STATUS_ACCEPTED;
}

enum gw_status gw_api_account_add(struct gw_api_call *c)
{
	struct gw_account_info info = {0}, old;
	const char *id = gw_node_text(c->body, "id");
	c->param[0] = gw_str(id);
	enum gw_status s = gw_api_param_id(c, 0, info.id);
	if (s != GW_STATUS_DONE) {
		return gw_api_fail(c, GW_STATUS_INVALID, "/id",
				   "an id consists of a-z, 0-9, _ and -");
	}
	if (account_find(c->api->gateway, info.id, &old)) {
		return gw_api_fail(c, GW_STATUS_CONFLICT, "/id", "there is such an account");
	}
	snprintf(info.name, sizeof(info.name), "%s", info.id);
	return put_account(c, &info);
}

enum gw_status gw_api_account_change(struct gw_api_call *c)
{
	struct gw_account_info info;
	char id[GW_ID_BYTES];
	enum gw_status s = gw_api_param_id(c, 0, id);
	if (s == GW_STATUS_DONE && !account_find(c->api->gateway, id, &info)) {
		s = gw_api_fail(c, GW_STATUS_NOT_FOUND, "account", "no such account");
	}
	return s == GW_STATUS_DONE ? put_account(c, &info) : s;
}

/* One's own name and password; gw_account_put asks for a fresh login. */
enum gw_status gw_api_me_change(struct gw_api_call *c)
{
	struct gw_account_info info;
	if (!account_find(c->api->gateway, c->principal.who, &info)) {
		return gw_api_fail(c, GW_STATUS_DENIED, "",
				   "only accounts have a name and a password");
	}
	return put_account(c, &info);
}

enum gw_status gw_api_account_remove(struct gw_api_call *c)
{
	char id[GW_ID_BYTES];
	enum gw_status s = gw_api_param_id(c, 0, id);
	return s == GW_STATUS_DONE ? gw_account_remove(c->api->gateway, &c->principal, id) : s;
}

/* --- tokens --- */

static void write_token(struct gw_buf *b, const struct gw_token_info *i, const char *secret)
{
	gw_out_open(b, NULL, '{');
	gw_out_text(b, "id", i->id);
	gw_out_text(b, "name", i->name);
	write_scope(b, i->scope);
	gw_out_words(b, "devices", i->devices);
	gw_out_time(b, "created", i->created_wall_ms);
	gw_out_time(b, "expires", i->expires_wall_ms);
	gw_out_time(b, "used", i->used_wall_ms);
	if (secret) {
		gw_out_text(b, "secret", secret);
	}
	gw_out_close(b, '}');
}

enum gw_status gw_api_tokens(struct gw_api_call *c)
{
	struct gw_token_info info;
	gw_out_open(&c->out, NULL, '{');
	gw_out_open(&c->out, "tokens", '[');
	for (size_t i = 0; gw_token_at(c->api->gateway, i, &info); i++) {
		write_token(&c->out, &info, NULL);
	}
	gw_out_close(&c->out, ']');
	gw_out_close(&c->out, '}');
	return GW_STATUS_DONE;
}

static unsigned read_scope(const struct gw_node *list)
{
	static const struct {
		const char *word;
		unsigned scope;
	} rows[] = {
		{"see", GW_SCOPE_SEE},		 {"operate", GW_SCOPE_OPERATE},
		{"critical", GW_SCOPE_CRITICAL}, {"presence", GW_SCOPE_PRESENCE},
		{"diagnose", GW_SCOPE_DIAGNOSE},
	};
	unsigned scope = 0;
	gw_node_for(n, list)
	{
		for (size_t i = 0; i < gw_countof(rows); i++) {
			scope |= gw_node_is_text(n, rows[i].word) ? rows[i].scope : 0;
		}
	}
	return scope;
}

static bool token_find(struct gw_gateway *g, const char *id, struct gw_token_info *ret_info)
{
	for (size_t i = 0; gw_token_at(g, i, ret_info); i++) {
		if (strcmp(ret_info->id, id) == 0) {
			return true;
		}
	}
	return false;
}

enum gw_status gw_api_token_add(struct gw_api_call *c)
{
	struct gw_token_info info = {.scope = read_scope(gw_node_get(c->body, "scope"))};
	char secret[128] = "";
	if (info.scope == 0) {
		return gw_api_fail(c, GW_STATUS_INVALID, "/scope", "at least one word");
	}
	const char *name = gw_node_text(c->body, "name");
	if (gw_str_clean(gw_str(name), GW_NAME_CHARS, info.name, sizeof(info.name)) == 0) {
		return gw_api_fail(c, GW_STATUS_INVALID, "/name", "the name is empty");
	}
	enum gw_status s = gw_api_expiry(c, "expires_in", &info.expires_wall_ms);
	s = s == GW_STATUS_DONE ? gw_api_word_list(c, "devices", info.devices, sizeof(info.devices))
				: s;
	s = s == GW_STATUS_DONE ? gw_token_create(c->api->gateway, &c->principal, &info, info.id,
						  secret, sizeof(secret))
				: s;
	if (s == GW_STATUS_DONE) {
		struct gw_token_info stored;
		write_token(&c->out,
			    token_find(c->api->gateway, info.id, &stored) ? &stored : &info,
			    secret);
	}
	explicit_bzero(secret, sizeof(secret));
	return s;
}

enum gw_status gw_api_token_remove(struct gw_api_call *c)
{
	char id[GW_ID_BYTES];
	enum gw_status s = gw_api_param_id(c, 0, id);
	return s == GW_STATUS_DONE ? gw_token_revoke(c->api->gateway, &c->principal, id) : s;
}
