/*
 * Values of the unified model (device-model.md R1–R3). A number is an int64 count of its capability's resolution, so
 * that comparison and confirmation are exact. Text of every kind is an immutable, reference-counted gw_text, so that
 * setting a symbol allocates nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gw/buf.h"
#include "gw/compiler.h"
#include "gw/node.h"
#include "gw/str.h"

struct gw_text {
	uint32_t refs;
	uint32_t len;
	char s[]; /* zero-terminated */
};

struct gw_text *gw_text_new(struct gw_str s) GW_MUST_USE;
struct gw_text *gw_text_ref(struct gw_text *t);
void gw_text_unref(struct gw_text *t); /* accepts NULL */
static inline struct gw_str gw_text_str(const struct gw_text *t)
{
	return (struct gw_str){t->s, t->len};
}

enum gw_value_type {
	GW_VALUE_NONE, /* unknown */
	GW_VALUE_BOOL,
	GW_VALUE_NUMBER, /* int, num, time */
	GW_VALUE_SYMBOL, /* enum */
	GW_VALUE_TEXT,	 /* str */
	GW_VALUE_TREE,	 /* list, rec: canonical JSON */
};

struct gw_value {
	enum gw_value_type type;
	union {
		bool flag;
		int64_t count;
		struct gw_text *text; /* SYMBOL, TEXT, TREE: one reference is owned */
	};
};

/* Resolution n/d, d a power of ten, both > 0: value = count·n/d. */
struct gw_resolution {
	int64_t n, d;
};

enum gw_quality {
	GW_QUALITY_UNKNOWN,
	GW_QUALITY_OK,
	GW_QUALITY_ASSUMED,
	GW_QUALITY_STALE,
	GW_QUALITY_UNAVAILABLE
};
const char *gw_quality_name(enum gw_quality q); /* "unknown", "ok", … */

void gw_value_fini(struct gw_value *v); /* drops the reference; v becomes NONE */
void gw_value_set(struct gw_value *v,
		  const struct gw_value *from); /* v's old text is dropped, from's is shared */
bool gw_value_equal(const struct gw_value *a, const struct gw_value *b);

double gw_round(
	double y); /* R(y) of profile-language §1: half away from zero, safe against decimal noise */
/* "0.1" → 1/10; at most 6 places, > 0, else -EINVAL. */
int gw_resolution_parse(struct gw_str s, struct gw_resolution *ret_res) GW_MUST_USE;
int gw_resolution_from(double res, struct gw_resolution *ret_res) GW_MUST_USE;
/* Q(x, res): the count; -ERANGE when |count| ≥ 2^53 or x is not finite. */
int gw_quantise(double x, struct gw_resolution res, int64_t *ret_count) GW_MUST_USE;
static inline double gw_count_value(int64_t count, struct gw_resolution res)
{
	return (double)count * (double)res.n / (double)res.d;
}

/* Appends the value as JSON: number in the capability's unit without trailing zeros, boolean, text, list, null. */
void gw_value_write_json(struct gw_buf *b, const struct gw_value *v, struct gw_resolution res);
/* As a person or an MQTT client writes it: 21.5, true, cool; trees as JSON; NONE as empty text. */
void gw_value_write_text(struct gw_buf *b, const struct gw_value *v, struct gw_resolution res);
