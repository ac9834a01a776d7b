/*
 * The shapes of bodies, as tables: requests are checked against them, the OpenAPI document is printed from them, and the tests hold
 * every answer against them. Private to surfaces/api.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "gw/compiler.h"
#include "gw/error.h"
#include "gw/node.h"

enum gw_api_type {
	GW_API_TYPE_TEXT, /* ref: a vocabulary, or NULL */
	GW_API_TYPE_BOOL,
	GW_API_TYPE_INT,
	GW_API_TYPE_NUMBER,
	GW_API_TYPE_TIME,   /* RFC 3339 */
	GW_API_TYPE_ANY,    /* a value of the model: number, boolean, text, list */
	GW_API_TYPE_OBJECT, /* ref: schema */
	GW_API_TYPE_LIST,   /* ref: schema, vocabulary, or NULL: texts */
	GW_API_TYPE_MAP,    /* ref: schema, "text", or NULL: any value */
};
enum gw_api_field_flag { GW_API_REQUIRED = 1, GW_API_NULLABLE = 2 };

struct gw_api_field {
	const char *name;
	enum gw_api_type type;
	unsigned flags;
	const char *ref;
	int64_t min, max; /* of INT; both 0: no bounds. max of TEXT: bytes, 0: GW_BODY_TEXT_BYTES */
	const char *help;
};
struct gw_api_schema {
	const char *name;
	const struct gw_api_field *fields; /* ends with a row without name */
	const char *help;
};
const struct gw_api_schema *gw_api_schema_at(size_t index); /* NULL beyond the last */
const struct gw_api_schema *gw_api_schema_find(const char *name);

/* Known members of the right type, none missing. -EINVAL with *reterr_ (code "invalid", at = JSON Pointer). */
int gw_api_schema_check(const struct gw_api_schema *s, const struct gw_node *n,
			struct gw_error *reterr_) GW_MUST_USE;

/* Words of a closed set, in order; NULL beyond the last, or when there is no such vocabulary. */
const char *gw_api_word(const char *vocabulary, size_t index);
