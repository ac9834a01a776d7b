/*
 * A chunked body (RFC 9112 §7.1), strictly: a size is 1 to 8 digits, there are no extensions and no trailer fields. Pure, fuzzed. Private to
 * surfaces/http.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gw/compiler.h"
#include "gw/str.h"

/* All zero: the body begins. */
struct gw_http_chunks {
	enum { GW_CHUNK_SIZE, GW_CHUNK_DATA, GW_CHUNK_LINE_END, GW_CHUNK_DONE } state;
	uint32_t left; /* of the chunk's data */
	bool last;     /* it is the empty chunk that ends the body */
};

/*
 * Takes one element from the front of what has arrived. > 0: bytes used, *ret_data is the data among them, maybe none. 0: more bytes are needed,
 * or the body is complete (GW_CHUNK_DONE). -EPROTO: against the protocol.
 */
long gw_http_chunk_decode(struct gw_http_chunks *k, struct gw_str arrived,
			  struct gw_str *ret_data) GW_MUST_USE;
