#include "surfaces/http/head.h"

#include <errno.h>
#include <string.h>

#include "gw/limits.h"

#define METHOD_BYTES 16

static const char *const names[GW_HTTP_HEADER_COUNT] = {
	[GW_HTTP_HOST] = "host",
	[GW_HTTP_ORIGIN] = "origin",
	[GW_HTTP_CONTENT_TYPE] = "content-type",
	[GW_HTTP_CONTENT_LENGTH] = "content-length",
	[GW_HTTP_TRANSFER_ENCODING] = "transfer-encoding",
	[GW_HTTP_CONNECTION] = "connection",
	[GW_HTTP_UPGRADE] = "upgrade",
	[GW_HTTP_EXPECT] = "expect",
	[GW_HTTP_AUTHORIZATION] = "authorization",
	[GW_HTTP_COOKIES] = "cookie",
	[GW_HTTP_CSRF] = "x-hearth-csrf",
	[GW_HTTP_ACCEPT_LANGUAGE] = "accept-language",
	[GW_HTTP_IDEMPOTENCY_KEY] = "idempotency-key",
	[GW_HTTP_IF_MATCH] = "if-match",
	[GW_HTTP_LAST_EVENT_ID] = "last-event-id",
	[GW_HTTP_WS_KEY] = "sec-websocket-key",
	[GW_HTTP_WS_VERSION] = "sec-websocket-version",
};

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool gw_http_equal_fold(struct gw_str a, struct gw_str b)
{
	if (a.len != b.len) {
		return false;
	}
	for (size_t i = 0; i < a.len; i++) {
		if (lower(a.p[i]) != lower(b.p[i])) {
			return false;
		}
	}
	return true;
}

bool gw_http_has_word(struct gw_str list, const char *word)
{
	struct gw_str rest = list, item;
	while (gw_str_split(&rest, ',', &item)) {
		if (gw_http_equal_fold(gw_str_trim(item), gw_str(word))) {
			return true;
		}
	}
	return false;
}

enum gw_http_end gw_http_find_end(struct gw_str text, size_t *scanned, size_t *ret_len)
{
	for (size_t i = *scanned; i < text.len; i++) {
		if (text.p[i] != '\n') {
			continue;
		}
		if (i == 0 || text.p[i - 1] != '\r') {
			return GW_HTTP_BAD;
		}
		if (i == 1 || (i >= 3 && text.p[i - 2] == '\n')) {
			*scanned = i + 1;
			*ret_len = i + 1;
			return GW_HTTP_COMPLETE;
		}
	}
	*scanned = text.len;
	return GW_HTTP_MORE;
}

static bool refuse(struct gw_http_refusal *ret, int http, const char *text)
{
	*ret = (struct gw_http_refusal){http, GW_STATUS_INVALID, text};
	return false;
}

/* RFC 9110 §5.6.2: tchar. */
static bool is_token(struct gw_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];
		bool letter = lower(c) >= 'a' && lower(c) <= 'z';
		if (!letter && !(c >= '0' && c <= '9') &&
		    (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c))) {
			return false;
		}
	}
	return s.len > 0;
}

/* RFC 9110 §5.5: visible characters, spaces, tabs, and bytes above 0x7f. */
static bool is_value(struct gw_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f) {
			return false;
		}
	}
	return true;
}

/* Takes a line without its CR LF; the text is known to end with one. */
static struct gw_str take_line(struct gw_str *rest)
{
	struct gw_str line = {0};
	(void)gw_str_split(rest, '\n', &line);
	if (line.len) {
		line.len--; /* the CR, which gw_http_find_end has seen */
	}
	return line;
}

static bool parse_request_line(struct gw_str line, struct gw_http_head *h,
			       struct gw_http_refusal *ret)
{
	struct gw_str rest = line, target = {0};
	if (line.len > GW_HTTP_LINE_BYTES) {
		return refuse(ret, 431, "the request line is too long");
	}
	(void)gw_str_split(&rest, ' ', &h->method);
	(void)gw_str_split(&rest, ' ', &target);
	if (!is_token(h->method) || h->method.len > METHOD_BYTES || !target.p || !rest.p) {
		return refuse(ret, 400, "the request line is not well-formed");
	}
	h->http10 = gw_str_is(rest, "HTTP/1.0");
	if (!h->http10 && !gw_str_is(rest, "HTTP/1.1")) {
		return gw_str_starts(rest, "HTTP/")
			       ? refuse(ret, 505, "HTTP/1.1 is spoken here")
			       : refuse(ret, 400, "the request line is not well-formed");
	}
	int r = gw_api_target_parse(target, &h->target);
	if (r == -E2BIG) {
		return refuse(ret, 431, "the target is too long, or has too many parameters");
	}
	return r ? refuse(ret, 400, "the target is not well-formed") : true;
}

static bool parse_header(struct gw_str line, struct gw_http_head *h, struct gw_http_refusal *ret)
{
	struct gw_str value = line, name = {0};
	if (line.len > GW_HTTP_LINE_BYTES) {
		return refuse(ret, 431, "a header is too long");
	}
	(void)gw_str_split(&value, ':', &name);
	if (!value.p || !is_token(name) || !is_value(value)) {
		return refuse(ret, 400, "a header is not well-formed");
	}
	for (size_t i = 0; i < GW_HTTP_HEADER_COUNT; i++) {
		if (gw_http_equal_fold(name, gw_str(names[i]))) {
			h->repeated[i] = h->header[i].p != NULL;
			if (!h->repeated[i]) {
				h->header[i] = gw_str_trim(value);
			}
			break;
		}
	}
	return true;
}

bool gw_http_parse_head(struct gw_str text, struct gw_http_head *ret_head,
			struct gw_http_refusal *ret_refusal)
{
	struct gw_http_head *h = ret_head;
	struct gw_str rest = text, line;
	*h = (struct gw_http_head){0};
	if (!parse_request_line(take_line(&rest), h, ret_refusal)) {
		return false;
	}
	for (size_t n = 0; (line = take_line(&rest)).len; n++) {
		if (n == GW_HTTP_HEADERS) {
			return refuse(ret_refusal, 431, "too many headers");
		}
		if (!parse_header(line, h, ret_refusal)) {
			return false;
		}
	}
	struct gw_str connection = h->header[GW_HTTP_CONNECTION];
	h->close = h->http10 || gw_http_has_word(connection, "close");
	h->upgrade = gw_http_has_word(connection, "upgrade") &&
		     gw_http_has_word(h->header[GW_HTTP_UPGRADE], "websocket");
	return true;
}
