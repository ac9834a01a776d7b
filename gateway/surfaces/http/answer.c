/* What goes out. */
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "gw/clock.h"
#include "surfaces/http/http.h"

#define EVENTS_BYTES (8 * 1024) /* at once */

static const char *reason_phrase(int code)
{
	static const struct {
		int code;
		const char *text;
	} rows[] = {
		{200, "OK"},
		{201, "Created"},
		{202, "Accepted"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{409, "Conflict"},
		{413, "Content Too Large"},
		{415, "Unsupported Media Type"},
		{417, "Expectation Failed"},
		{421, "Misdirected Request"},
		{422, "Unprocessable Content"},
		{426, "Upgrade Required"},
		{429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"},
		{500, "Internal Server Error"},
		{501, "Not Implemented"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
		{505, "HTTP Version Not Supported"},
	};
	for (size_t i = 0; i < gw_countof(rows); i++) {
		if (rows[i].code == code) {
			return rows[i].text;
		}
	}
	return "Other";
}

/* R31: nothing of ours is framed, stored, sniffed or runs inline. */
static const char security_headers[] =
	"Content-Security-Policy: default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'\r\n"
	"X-Content-Type-Options: nosniff\r\n"
	"X-Frame-Options: DENY\r\n"
	"Referrer-Policy: no-referrer\r\n"
	"Cross-Origin-Resource-Policy: same-origin\r\n"
	"Cache-Control: no-store\r\n"
	"Vary: Accept-Language\r\n";

/* RFC 9110 §5.6.7 */
static void write_date(struct gw_buf *b)
{
	static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t now = (time_t)(gw_wall_ms() / 1000);
	struct tm t = {0};
	if (gmtime_r(&now, &t)) {
		gw_buf_printf(b, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", days[t.tm_wday],
			      t.tm_mday, months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min,
			      t.tm_sec);
	}
}

static void begin_head(struct conn *c, int code, const char *type)
{
	struct gw_buf *b = &c->out;
	gw_buf_printf(b, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\n", code, reason_phrase(code), type);
	write_date(b);
	gw_buf_puts(b, security_headers);
	if (c->close) {
		gw_buf_puts(b, "Connection: close\r\n");
	}
	if (code == 401) {
		gw_buf_puts(b, "WWW-Authenticate: Bearer\r\n");
	}
	if (code == 426) {
		gw_buf_puts(b, "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
	}
}

static void end_head(struct conn *c, struct gw_str body)
{
	gw_buf_printf(&c->out, "Content-Length: %zu\r\n\r\n", body.len);
	if (!c->head_only) {
		gw_buf_add_str(&c->out, body);
	}
	c->state = CONN_ANSWER;
	c->deadline_ms = gw_clock_ms() + GW_HTTP_IDLE_MS;
}

void gw_http_answer_refusal(struct conn *c, const struct gw_http_refusal *r, bool chinese)
{
	GW_AUTO(gw_buf_fini) struct gw_buf body = GW_BUF_INIT(8192);
	gw_api_write_error(&body, r->status, chinese, r->text, /* at= */ "");
	begin_head(c, r->http, "application/json");
	end_head(c, gw_buf_str(&body));
}

void gw_http_answer_page(struct conn *c, bool chinese)
{
	GW_AUTO(gw_buf_fini) struct gw_buf page = GW_BUF_INIT(16 * 1024);
	gw_http_page(c->http->surface->gateway, chinese, &page);
	begin_head(c, 200, "text/html; charset=utf-8");
	gw_buf_printf(&c->out, "Content-Language: %s\r\n", chinese ? "zh-CN" : "en");
	end_head(c, gw_buf_str(&page));
}

/* A page of another site can send our cookie's owner here, but cannot know this (R30). */
void gw_http_csrf(const struct gw_http *h, const char *session, char ret_hex[GW_HTTP_CSRF_BYTES])
{
	unsigned char mac[EVP_MAX_MD_SIZE] = {0};
	unsigned len = 0;
	(void)HMAC(EVP_sha256(), h->csrf_key, sizeof(h->csrf_key), (const unsigned char *)session,
		   strlen(session), mac, &len); /* a fixed digest over memory cannot fail */
	for (size_t i = 0; i < GW_HTTP_CSRF_BYTES / 2; i++) {
		snprintf(ret_hex + 2 * i, 3, "%02x", mac[i]);
	}
}

static void write_cookie(struct conn *c, const char *session)
{
	gw_buf_printf(&c->out,
		      "Set-Cookie: " GW_HTTP_COOKIE
		      "=%s; Path=/; HttpOnly; SameSite=Strict%s%s\r\n",
		      session, c->ssl ? "; Secure" : "", session[0] ? "" : "; Max-Age=0");
	if (session[0]) {
		gw_http_csrf(c->http, session, c->csrf);
	}
}

void gw_http_answer(struct conn *c, const struct gw_api_reply *r)
{
	struct gw_buf *b = &c->out;
	begin_head(c, r->http, r->content_type);
	if (r->etag) {
		gw_buf_printf(b, "ETag: \"%" PRIu64 "\"\r\n", r->etag);
	}
	if (r->has_seq) {
		gw_buf_printf(b, "X-Hearth-Seq: %" PRIx64 ":%" PRIu64 "\r\n", r->epoch, r->seq);
	}
	if (r->allow) {
		bool get = gw_http_has_word(gw_str(r->allow), "GET");
		gw_buf_printf(b, "Allow: %s%s\r\n", r->allow, get ? ", HEAD" : "");
	}
	if (r->retry_after_s) {
		gw_buf_printf(b, "Retry-After: %d\r\n", r->retry_after_s);
	}
	if (r->session) {
		write_cookie(c, r->session);
	}
	if (c->csrf[0]) {
		gw_buf_printf(b, "X-Hearth-CSRF: %s\r\n", c->csrf);
	}
	end_head(c, gw_buf_str(r->body));
}

/* --- server-sent events (WHATWG HTML §9.2) --- */

static void on_wake(void *ctx)
{
	gw_http_conn_due(ctx);
}

void gw_http_answer_events(struct conn *c, struct gw_api_stream *s)
{
	c->close = true; /* the end of the stream is the end of the connection */
	begin_head(c, 200, "text/event-stream");
	gw_buf_puts(&c->out, "\r\n");
	c->deadline_ms = gw_clock_ms() + GW_HTTP_IDLE_MS;
	if (c->head_only) {
		gw_api_stream_close(s);
		c->state = CONN_ANSWER;
		return;
	}
	c->state = CONN_EVENTS;
	c->stream = s;
	gw_api_stream_attach(s, on_wake, c);
}

void gw_http_fill_events(struct conn *c, bool ping)
{
	struct gw_str text;
	char id[64];
	while (c->out.len < EVENTS_BYTES && gw_api_stream_next(c->stream, &text, id, sizeof(id))) {
		gw_buf_printf(&c->out, "id: %s\ndata: ", id);
		gw_buf_add_str(&c->out, text);
		gw_buf_puts(&c->out, "\n\n");
	}
	if (c->out.len == 0 && gw_api_stream_ended(c->stream)) {
		c->broken = true; /* the right to see them is gone (R10) */
	} else if (c->out.len == 0 && ping) {
		gw_buf_puts(&c->out, ":\n\n");
	}
}
