/*
 * What a well-formed request must say before anything is done for it (security-rules R4, R30). Pure functions over what was received, so that they
 * can be fuzzed. Private to surfaces/http.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gw/compiler.h"
#include "gw/status.h"
#include "gw/str.h"
#include "surfaces/http/head.h"

#define GW_HTTP_COOKIE "hearth_session"

/* Where the request came in. */
struct gw_http_place {
	const char *names; /* host names that are ours, lower case, separated by spaces */
	const char *local; /* address of our end of the connection, as text without brackets */
	bool tls;
};

/* What follows a head: a body of this length or in chunks, else nothing. */
struct gw_http_framing {
	uint64_t length;
	bool chunked;
};

/* False with *ret_refusal. */
bool gw_http_check(const struct gw_http_head *h, const struct gw_http_place *place,
		   struct gw_http_refusal *ret_refusal,
		   struct gw_http_framing *ret_framing) GW_MUST_USE;
/* GET and HEAD change nothing. */
bool gw_http_is_safe(struct gw_str method);
bool gw_http_host_is_ours(struct gw_str host, const struct gw_http_place *place);

enum gw_http_credential { GW_HTTP_NOBODY, GW_HTTP_BEARER, GW_HTTP_SESSION };
/* The token of `Authorization: Bearer`, else of our cookie; borrowed from the head. */
enum gw_http_credential gw_http_token(const struct gw_http_head *h, struct gw_str *ret_token);
