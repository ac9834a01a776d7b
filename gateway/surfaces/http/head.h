/*
 * A request head (RFC 9112), strictly: lines end with CR LF, no folding, no white space before a colon, no control characters. Pure functions, fuzzed.
 * Private to surfaces/http.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "gw/compiler.h"
#include "gw/str.h"
#include "surfaces/api/api.h"

enum gw_http_header {
	GW_HTTP_HOST,
	GW_HTTP_ORIGIN,
	GW_HTTP_CONTENT_TYPE,
	GW_HTTP_CONTENT_LENGTH,
	GW_HTTP_TRANSFER_ENCODING,
	GW_HTTP_CONNECTION,
	GW_HTTP_UPGRADE,
	GW_HTTP_EXPECT,
	GW_HTTP_AUTHORIZATION,
	GW_HTTP_COOKIES,
	GW_HTTP_CSRF,
	GW_HTTP_ACCEPT_LANGUAGE,
	GW_HTTP_IDEMPOTENCY_KEY,
	GW_HTTP_IF_MATCH,
	GW_HTTP_LAST_EVENT_ID,
	GW_HTTP_WS_KEY,
	GW_HTTP_WS_VERSION,
	GW_HTTP_HEADER_COUNT,
};

struct gw_http_head {
	struct gw_str method;	     /* borrowed from the text, as are the headers */
	struct gw_api_target target; /* decoded */
	bool http10;
	struct gw_str header[GW_HTTP_HEADER_COUNT]; /* p == NULL: absent; the first when repeated */
	bool repeated[GW_HTTP_HEADER_COUNT];
	bool upgrade; /* Connection: upgrade and Upgrade: websocket */
	bool close;   /* Connection: close, or HTTP/1.0 */
};

struct gw_http_refusal {
	int http;
	enum gw_status status;
	const char *text; /* static, English */
};

enum gw_http_end { GW_HTTP_MORE, GW_HTTP_COMPLETE, GW_HTTP_BAD };
/*
 * Looks for the end of a head in what has arrived; *scanned is what was looked at before (0 at first). COMPLETE: *ret_len bytes, the empty
 * line included. BAD: a line feed without its carriage return.
 */
enum gw_http_end gw_http_find_end(struct gw_str text, size_t *scanned, size_t *ret_len);
/* text: as gw_http_find_end found it. False with *ret_refusal. */
bool gw_http_parse_head(struct gw_str text, struct gw_http_head *ret_head,
			struct gw_http_refusal *ret_refusal) GW_MUST_USE;
/* A comma-separated list holds this word, whatever its case. */
bool gw_http_has_word(struct gw_str list, const char *word);
bool gw_http_equal_fold(struct gw_str a, struct gw_str b);
