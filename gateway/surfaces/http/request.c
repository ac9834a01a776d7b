/* From a complete head, and then a complete body, to the API. */
#include <openssl/crypto.h>
#include <string.h>

#include "gw/clock.h"
#include "surfaces/http/http.h"

#define WORK_MS		(11 * 60 * 1000) /* a command may take up to its own expiry, at most 10 minutes */
#define ANONYMOUS_BYTES 4096		 /* before anybody has logged in: room for a login (R13) */
#define EVENTS_WS	"/api/v1/events/ws"

struct request {
	struct gw_http_head head;
	struct gw_principal principal;
	bool somebody; /* principal is set */
	struct gw_http_framing body;
	char token[GW_HTTP_TOKEN_BYTES];
};

static bool has_body(const struct request *r)
{
	return r->body.length || r->body.chunked;
}

/* --- who asks --- */

static bool csrf_holds(const struct gw_http *h, const char *session, struct gw_str given)
{
	char want[GW_HTTP_CSRF_BYTES];
	gw_http_csrf(h, session, want);
	return given.len == GW_HTTP_CSRF_BYTES - 1 && CRYPTO_memcmp(given.p, want, given.len) == 0;
}

/* False: c->out holds the refusal. */
static bool identify(struct conn *c, struct request *r)
{
	static const struct gw_http_refusal forged = {
		403, GW_STATUS_DENIED, "a session needs the header X-Hearth-CSRF here"};
	struct gw_str token = {0};
	enum gw_http_credential kind = gw_http_token(&r->head, &token);
	if (kind == GW_HTTP_NOBODY || token.len >= sizeof(r->token)) {
		return true;
	}
	memcpy(r->token, token.p, token.len);
	r->token[token.len] = '\0';
	r->somebody = gw_authenticate(c->http->surface->gateway, r->token, "http", &r->principal) ==
		      GW_STATUS_DONE;
	if (kind != GW_HTTP_SESSION) {
		return true;
	}
	if (gw_http_is_safe(r->head.method)) {
		gw_http_csrf(c->http, r->token, c->csrf);
	} else if (!csrf_holds(c->http, r->token, r->head.header[GW_HTTP_CSRF])) {
		c->close |= has_body(r);
		gw_http_answer_refusal(c, &forged, c->chinese);
		return false;
	}
	return true;
}

/* False: answered. */
static bool admit(struct conn *c, struct request *r)
{
	struct gw_http_refusal refusal;
	struct gw_http_place place = {c->http->names, c->local, c->ssl != NULL};
	r->somebody = false;
	r->token[0] = '\0';
	if (!gw_http_parse_head(gw_buf_str(&c->head), &r->head, &refusal)) {
		c->close = true; /* where the next request begins is not known */
		gw_http_answer_refusal(c, &refusal, /* chinese= */ false);
		return false;
	}
	c->close = r->head.close;
	c->head_only = gw_str_is(r->head.method, "HEAD");
	c->chinese = gw_api_wants_chinese(r->head.header[GW_HTTP_ACCEPT_LANGUAGE]);
	if (!gw_http_check(&r->head, &place, &refusal, &r->body)) {
		c->close = true;
		gw_http_answer_refusal(c, &refusal, c->chinese);
		return false;
	}
	return identify(c, r);
}

static void fill_request(struct conn *c, const struct request *r, struct gw_api_request *ret)
{
	const struct gw_str *header = r->head.header;
	*ret = (struct gw_api_request){
		.method = c->head_only ? GW_STR("GET") : r->head.method,
		.path = r->head.target.path,
		.query = r->head.target.query,
		.n_query = r->head.target.n_query,
		.body = gw_buf_str(&c->body),
		.principal = r->somebody ? &r->principal : NULL,
		.source = c->source,
		.token = r->token[0] ? r->token : NULL,
		.key = header[GW_HTTP_IDEMPOTENCY_KEY],
		.if_match = header[GW_HTTP_IF_MATCH],
		.last_event = header[GW_HTTP_LAST_EVENT_ID],
		.chinese = c->chinese,
	};
}

/* --- to the API --- */

static void on_reply(void *ctx, const struct gw_api_reply *reply)
{
	struct conn *c = ctx;
	c->call = NULL;
	if (reply->stream) {
		gw_http_answer_events(c, reply->stream);
	} else {
		gw_http_answer(c, reply);
	}
	gw_http_conn_due(c);
}

static void start(struct conn *c, const struct request *r)
{
	struct gw_api_request request;
	struct gw_api_call *call = NULL;
	fill_request(c, r, &request);
	c->state = CONN_WORK;
	c->deadline_ms = gw_clock_ms() + WORK_MS;
	if (gw_api_start(c->http->api, &request, on_reply, c, &call)) {
		c->broken = true;
	}
	if (call) {
		c->call = call;
	}
	gw_http_wipe(&c->body);
}

/* The upgrade's answer is the stream, or an ordinary one that says why not. */
static void on_upgrade(void *ctx, const struct gw_api_reply *reply)
{
	struct conn *c = ctx;
	if (reply->stream) {
		c->stream = reply->stream;
	} else {
		gw_http_answer(c, reply);
	}
}

static void upgrade(struct conn *c, const struct request *r)
{
	static const struct gw_http_refusal nothing = {404, GW_STATUS_NOT_FOUND,
						       "no WebSocket here"},
					    full = {503, GW_STATUS_TOO_MANY,
						    "all WebSockets are taken"},
					    bad = {400, GW_STATUS_INVALID,
						   "the WebSocket handshake is not well-formed"},
					    version = {426, GW_STATUS_INVALID,
						       "WebSocket version 13 is spoken here"};
	struct gw_api_request request;
	struct gw_api_call *call = NULL;
	const struct gw_http_refusal *refusal = NULL;
	char accept[32];
	if (!gw_str_is(r->head.target.path, EVENTS_WS)) {
		refusal = &nothing;
	} else if (!gw_str_is(r->head.method, "GET") || r->head.http10 || has_body(r) ||
		   !gw_ws_accept(r->head.header[GW_HTTP_WS_KEY], accept, sizeof(accept))) {
		refusal = &bad;
	} else if (!gw_str_is(r->head.header[GW_HTTP_WS_VERSION], "13")) {
		refusal = &version;
	} else if (c->http->n_sockets >= GW_WS_CLIENTS) {
		refusal = &full;
	}
	if (refusal) {
		c->close = true;
		gw_http_answer_refusal(c, refusal, c->chinese);
		return;
	}
	fill_request(c, r, &request);
	if (gw_api_start(c->http->api, &request, on_upgrade, c, &call) || call) {
		c->broken = true; /* this route answers at once, but for want of memory */
		c->call = call;
	} else if (c->stream) {
		struct gw_api_stream *s = c->stream;
		c->stream = NULL;
		gw_http_socket_open(c, &r->head, &r->principal, s);
	}
}

static void serve(struct conn *c, const struct request *r)
{
	static const struct gw_http_refusal upgrade_first = {426, GW_STATUS_INVALID,
							     "this path speaks WebSocket"};
	if (r->head.upgrade) {
		upgrade(c, r);
	} else if (gw_str_is(r->head.target.path, EVENTS_WS)) {
		gw_http_answer_refusal(c, &upgrade_first, c->chinese);
	} else if (gw_str_is(r->head.target.path, "/") && gw_http_is_safe(r->head.method)) {
		gw_http_answer_page(c, c->chinese);
	} else {
		start(c, r);
	}
}

static void expect_body(struct conn *c, const struct request *r)
{
	static const struct gw_http_refusal large = {413, GW_STATUS_INVALID,
						     "the body is larger than a login needs"};
	size_t max = r->somebody ? GW_HTTP_BODY_BYTES : ANONYMOUS_BYTES;
	if (r->body.length > max) {
		c->close = true;
		gw_http_answer_refusal(c, &large, c->chinese);
		return;
	}
	c->chunked = r->body.chunked;
	c->chunks = (struct gw_http_chunks){0};
	c->body_max = c->chunked ? max : (size_t)r->body.length;
	c->state = CONN_BODY;
	c->deadline_ms = gw_clock_ms() + GW_HTTP_BODY_MS;
	if (r->head.header[GW_HTTP_EXPECT].p && !r->head.http10) {
		gw_buf_puts(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
	}
}

void gw_http_request_head(struct conn *c)
{
	struct request r;
	if (admit(c, &r)) {
		if (has_body(&r)) {
			expect_body(c, &r);
		} else {
			serve(c, &r);
		}
	}
	explicit_bzero(r.token, sizeof(r.token));
}

void gw_http_request_body(struct conn *c)
{
	struct request r;
	/* Once more: the right may have ended while the body came (R9). */
	if (admit(c, &r)) {
		serve(c, &r);
	}
	explicit_bzero(r.token, sizeof(r.token));
}
