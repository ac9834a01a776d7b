/*
 * Answers are written, not built: JSON goes straight into the call's buffer. Commas follow from the last byte, so a
 * writer needs no state. key NULL: an element of a list. Private to surfaces/.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gw/buf.h"
#include "gw/value.h"

void gw_out_open(struct gw_buf *b, const char *key, char bracket);     /* '{' or '[' */
void gw_out_close(struct gw_buf *b, char bracket);		       /* '}' or ']' */
void gw_out_text(struct gw_buf *b, const char *key, const char *text); /* NULL: null */
void gw_out_str(struct gw_buf *b, const char *key, struct gw_str s);
void gw_out_i64(struct gw_buf *b, const char *key, int64_t v);
void gw_out_u64(struct gw_buf *b, const char *key, uint64_t v); /* below 2^53 */
void gw_out_id(struct gw_buf *b, const char *key, uint64_t v);	/* 64 bits: hexadecimal text */
void gw_out_bool(struct gw_buf *b, const char *key, bool v);
void gw_out_double(struct gw_buf *b, const char *key, double v);
void gw_out_time(struct gw_buf *b, const char *key, int64_t wall_ms); /* RFC 3339; 0: null */
void gw_out_value(struct gw_buf *b, const char *key, const struct gw_value *v,
		  struct gw_resolution res);
/* count of res, in the unit; null when !has */
void gw_out_count(struct gw_buf *b, const char *key, bool has, int64_t count,
		  struct gw_resolution res);
/* Words separated by spaces as a list of texts. */
void gw_out_words(struct gw_buf *b, const char *key, const char *words);
/* Only a key with its colon: the value is written by somebody else. */
void gw_out_key(struct gw_buf *b, const char *key);
