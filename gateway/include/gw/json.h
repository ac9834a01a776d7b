/*
 * JSON, strict (RFC 8259): a pull reader for the message path, which allocates nothing, and a writer into a gw_buf.
 * Trees are gw_node (profiles, bodies) or jansson (surfaces, CLI).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gw/buf.h"
#include "gw/compiler.h"
#include "gw/str.h"

enum gw_json_token {
	GW_JSON_ERROR,	/* malformed, too deep, or not UTF-8; the reader stays in error */
	GW_JSON_END,	/* the one value is complete and only white space follows */
	GW_JSON_OBJECT, /* { */
	GW_JSON_OBJECT_END,
	GW_JSON_LIST, /* [ */
	GW_JSON_LIST_END,
	GW_JSON_KEY, /* text = the raw key between its quotes */
	GW_JSON_TEXT,
	GW_JSON_NUMBER,
	GW_JSON_TRUE,
	GW_JSON_FALSE,
	GW_JSON_NULL,
};

struct gw_json_reader {
	const char *start, *p, *end;
	uint64_t objects; /* bit k: level k is an object */
	uint8_t depth, max_depth, state;
	const char *error;  /* static text, set with GW_JSON_ERROR */
	struct gw_str text; /* of KEY, TEXT (raw, between the quotes), NUMBER (as written) */
	bool escaped;	    /* text holds backslashes: use gw_json_unescape */
};

/* Borrows s until the last call of gw_json_next. max_depth is at most 64. */
void gw_json_reader_init(struct gw_json_reader *r, struct gw_str s, uint8_t max_depth);
enum gw_json_token gw_json_next(struct gw_json_reader *r);
/* Right after KEY, or before a value: passes over the whole value. False in case of error. */
bool gw_json_skip(struct gw_json_reader *r);
size_t gw_json_offset(const struct gw_json_reader *r); /* bytes from the start, for error texts */

/* Decodes \uXXXX and the like of raw text. Lone surrogates: -EINVAL. Appends to b. */
int gw_json_unescape(struct gw_str raw, struct gw_buf *b) GW_MUST_USE;

void gw_json_write_text(struct gw_buf *b,
			struct gw_str s); /* with quotes; RFC 8785 §3.2.2.2 escapes */
void gw_json_write_double(struct gw_buf *b,
			  double v); /* RFC 8785 §3.2.2.3 (ECMAScript shortest); not finite: null */
