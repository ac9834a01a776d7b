#include "surfaces/http/check.h"

#include <string.h>

#include "gw/limits.h"

bool gw_http_is_safe(struct gw_str method)
{
	return gw_str_is(method, "GET") || gw_str_is(method, "HEAD");
}

/* --- host and origin --- */

/* host [":" port] → host without brackets; false when it is not well-formed (RFC 9112 §3.2). */
static bool split_host(struct gw_str host, struct gw_str *ret_name)
{
	struct gw_str name = host, port = {0};
	if (host.len && host.p[0] == '[') {
		const char *end = memchr(host.p, ']', host.len);
		if (!end) {
			return false;
		}
		name = (struct gw_str){host.p + 1, (size_t)(end - host.p) - 1};
		struct gw_str rest = gw_str_sub(host, name.len + 2, host.len);
		if (rest.len && rest.p[0] != ':') {
			return false;
		}
		port = gw_str_sub(rest, 1, rest.len);
	} else {
		struct gw_str rest = host;
		if (!gw_str_split(&rest, ':', &name)) {
			return false;
		}
		port = rest;
	}
	uint64_t number = 0;
	if (port.len && (gw_parse_u64(port, &number) || number > 65535)) {
		return false;
	}
	*ret_name = name;
	return name.len > 0;
}

/* A name that is not ours is what DNS rebinding needs; an address of another interface is not ours either. */
bool gw_http_host_is_ours(struct gw_str host, const struct gw_http_place *place)
{
	struct gw_str name, word;
	if (!split_host(host, &name)) {
		return false;
	}
	if (name.p[name.len - 1] == '.' && name.len > 1) { /* a fully qualified name */
		name.len--;
	}
	if (gw_http_equal_fold(name, gw_str(place->local))) {
		return true;
	}
	struct gw_str names = gw_str(place->names);
	while (gw_str_split(&names, ' ', &word)) {
		if (word.len && gw_http_equal_fold(name, word)) {
			return true;
		}
	}
	return false;
}

/* RFC 6454: scheme "://" host [":" port]; ours is what the browser wrote into Host. */
static bool origin_is_ours(const struct gw_http_head *h, const struct gw_http_place *place)
{
	struct gw_str origin = h->header[GW_HTTP_ORIGIN];
	struct gw_str scheme = place->tls ? GW_STR("https://") : GW_STR("http://");
	if (!gw_http_equal_fold(gw_str_sub(origin, 0, scheme.len), scheme)) {
		return false;
	}
	return gw_http_equal_fold(gw_str_sub(origin, scheme.len, origin.len),
				  h->header[GW_HTTP_HOST]);
}

/* --- the body that follows --- */

static bool is_json(struct gw_str type)
{
	struct gw_str rest = type, media;
	if (!gw_str_split(&rest, ';', &media)) {
		return false;
	}
	return gw_http_equal_fold(gw_str_trim(media), GW_STR("application/json"));
}

/* RFC 9110 §8.6: digits only. */
static bool length_of(struct gw_str text, uint64_t *ret_length)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] < '0' || text.p[i] > '9') {
			return false;
		}
	}
	return text.len > 0 && gw_parse_u64(text, ret_length) == 0;
}

static bool refuse(struct gw_http_refusal *ret, int http, enum gw_status status, const char *text)
{
	*ret = (struct gw_http_refusal){http, status, text};
	return false;
}

/* RFC 9112 §6.3: one way to tell where the body ends. */
static bool check_framing(const struct gw_http_head *h, struct gw_http_refusal *ret,
			  struct gw_http_framing *ret_framing)
{
	struct gw_str length = h->header[GW_HTTP_CONTENT_LENGTH],
		      coding = h->header[GW_HTTP_TRANSFER_ENCODING];
	*ret_framing = (struct gw_http_framing){.chunked = coding.p};
	if (coding.p && (length.p || h->http10 || h->repeated[GW_HTTP_TRANSFER_ENCODING])) {
		return refuse(ret, 400, GW_STATUS_INVALID, "two ways to tell where the body ends");
	}
	if (coding.p && !gw_http_equal_fold(coding, GW_STR("chunked"))) {
		return refuse(ret, 501, GW_STATUS_INVALID,
			      "chunked is the only transfer coding that is understood");
	}
	if (h->repeated[GW_HTTP_CONTENT_LENGTH] ||
	    (length.p && !length_of(length, &ret_framing->length))) {
		return refuse(ret, 400, GW_STATUS_INVALID, "Content-Length is not one number");
	}
	return true;
}

static bool check_body(const struct gw_http_head *h, struct gw_http_refusal *ret,
		       struct gw_http_framing *ret_framing)
{
	if (!check_framing(h, ret, ret_framing)) {
		return false;
	}
	if (ret_framing->length == 0 && !ret_framing->chunked) {
		return true;
	}
	if (gw_http_is_safe(h->method) || gw_str_is(h->method, "DELETE")) {
		return refuse(ret, 400, GW_STATUS_INVALID, "no body is expected with this method");
	}
	if (h->repeated[GW_HTTP_CONTENT_TYPE] || !is_json(h->header[GW_HTTP_CONTENT_TYPE])) {
		return refuse(ret, 415, GW_STATUS_INVALID, "the body must be application/json");
	}
	if (ret_framing->length > GW_HTTP_BODY_BYTES) {
		return refuse(ret, 413, GW_STATUS_INVALID, "the body is larger than 1 MiB");
	}
	return true;
}

/* --- the whole --- */

bool gw_http_check(const struct gw_http_head *h, const struct gw_http_place *place,
		   struct gw_http_refusal *ret_refusal, struct gw_http_framing *ret_framing)
{
	struct gw_str host = h->header[GW_HTTP_HOST];
	if (!host.p || h->repeated[GW_HTTP_HOST] || h->repeated[GW_HTTP_ORIGIN] ||
	    h->repeated[GW_HTTP_AUTHORIZATION]) {
		return refuse(ret_refusal, 400, GW_STATUS_INVALID,
			      "one Host is needed, and at most one Origin and Authorization");
	}
	if (!gw_http_host_is_ours(host, place)) {
		return refuse(ret_refusal, 421, GW_STATUS_INVALID,
			      "Host names another machine; http: names adds a name to this one");
	}
	struct gw_str expect = h->header[GW_HTTP_EXPECT];
	if (expect.p && !gw_http_equal_fold(expect, GW_STR("100-continue"))) {
		return refuse(ret_refusal, 417, GW_STATUS_INVALID,
			      "only 100-continue is understood");
	}
	if (h->header[GW_HTTP_ORIGIN].p && !origin_is_ours(h, place)) { /* R30: for reads too */
		return refuse(ret_refusal, 403, GW_STATUS_DENIED,
			      "the request comes from a page of another site");
	}
	return check_body(h, ret_refusal, ret_framing);
}

/* --- credentials --- */

/* RFC 6265 §5.4: name=value pairs separated by "; ". */
static struct gw_str cookie(struct gw_str cookies, const char *name)
{
	struct gw_str rest = cookies, pair;
	while (gw_str_split(&rest, ';', &pair)) {
		struct gw_str value = gw_str_trim(pair), key;
		if (gw_str_split(&value, '=', &key) && gw_str_is(key, name) && value.p) {
			return value;
		}
	}
	return (struct gw_str){0};
}

enum gw_http_credential gw_http_token(const struct gw_http_head *h, struct gw_str *ret_token)
{
	struct gw_str auth = h->header[GW_HTTP_AUTHORIZATION];
	static const struct gw_str bearer = {"Bearer ", 7};
	if (auth.p) {
		if (!gw_http_equal_fold(gw_str_sub(auth, 0, bearer.len), bearer)) {
			return GW_HTTP_NOBODY;
		}
		*ret_token = gw_str_trim(gw_str_sub(auth, bearer.len, auth.len));
		return ret_token->len ? GW_HTTP_BEARER : GW_HTTP_NOBODY;
	}
	if (!h->header[GW_HTTP_COOKIES].p) {
		return GW_HTTP_NOBODY;
	}
	*ret_token = cookie(h->header[GW_HTTP_COOKIES], GW_HTTP_COOKIE);
	return ret_token->len ? GW_HTTP_SESSION : GW_HTTP_NOBODY;
}
