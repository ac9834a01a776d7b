/*
 * Borrowed text (pointer and length) and bounded parsing of it. Nothing here allocates or blocks.
 * A gw_str need not end with a zero and never owns its bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "gw/compiler.h"

struct gw_str {
	const char *p;
	size_t len;
};

#define GW_STR(literal) ((struct gw_str){(literal), sizeof(literal) - 1})
#define GW_STR_FMT	"%.*s"
#define GW_STR_ARG(s)	(int)(s).len, (s).p

static inline struct gw_str gw_str(const char *s)
{
	return (struct gw_str){s, s ? strlen(s) : 0};
}

static inline bool gw_str_eq(struct gw_str a, struct gw_str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static inline bool gw_str_is(struct gw_str a, const char *b)
{
	return gw_str_eq(a, gw_str(b));
}

int gw_str_cmp(struct gw_str a, struct gw_str b); /* byte order; <0, 0, >0 */
bool gw_str_starts(struct gw_str s, const char *prefix);
bool gw_str_ends(struct gw_str s, const char *suffix);
struct gw_str gw_str_sub(struct gw_str s, size_t from, size_t len); /* clipped to s */
struct gw_str gw_str_trim(struct gw_str s); /* spaces, tabs, CR, LF at both ends */

/* Takes the text up to sep (or the rest) out of *rest; false when *rest is used up (p == NULL). */
bool gw_str_split(struct gw_str *rest, char sep, struct gw_str *ret_piece);

/* Glob: '*' any run, '?' one character, ASCII case ignored. Linear space, O(n·m) worst case, no recursion. */
bool gw_str_glob(struct gw_str pattern, struct gw_str s);

/* As gw_str_glob; the text of the K-th '*' goes to stars[K-1]. At most n are stored; *ret_n is their number. */
bool gw_str_glob_stars(struct gw_str pattern, struct gw_str s, struct gw_str *stars, size_t n,
		       size_t *ret_n);

/* Valid UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool gw_str_is_utf8(struct gw_str s);

/*
 * Display text is cleaned once at the border (security rule R32): valid UTF-8, no control, escape or bidi-override
 * characters, at most max_chars characters. Writes at most cap-1 bytes and a zero; returns the length.
 */
size_t gw_str_clean(struct gw_str s, size_t max_chars, char *ret_text, size_t cap);

/* The whole text must be the number: no blanks, no sign beyond '-', locale-independent. -EINVAL, or -ERANGE. */
int gw_parse_i64(struct gw_str s, int64_t *ret_value) GW_MUST_USE;
int gw_parse_u64(struct gw_str s, uint64_t *ret_value) GW_MUST_USE;
int gw_parse_hex(struct gw_str s, uint64_t *ret_value) GW_MUST_USE; /* optional 0x, 1–16 digits */
/* JSON number grammar (RFC 8259 §6), correctly rounded binary64. A result that is not finite: -ERANGE. */
int gw_parse_double(struct gw_str s, double *ret_value) GW_MUST_USE;
/* "0", or an integer with ms s m h d; result in milliseconds. */
int gw_parse_duration_ms(struct gw_str s, int64_t *ret_ms) GW_MUST_USE;

/*
 * Edit distance in bytes (insert, delete, replace, swap of neighbours), for "did you mean". More than max, or a text
 * over 128 bytes: max + 1.
 */
size_t gw_str_distance(struct gw_str a, struct gw_str b, size_t max);
