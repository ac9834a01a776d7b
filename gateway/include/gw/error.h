/*
 * An error that a person reads: where, what, and what was expected. Functions return 0 or -errno; those that parse
 * what people or peers wrote have a last parameter reterr_ (may be NULL) that is filled on failure.
 */
#pragma once

#include <stdint.h>

#include "gw/buf.h"
#include "gw/compiler.h"

struct gw_error {
	char file[160]; /* empty when not from a file */
	uint32_t line, column;
	char code
		[16]; /* stable word: a refusal code of profile-language.md §16, or an API error code */
	char at[256];	/* JSON Pointer to the place, or empty */
	char text[320]; /* one line, English: what was found and what was expected */
};

/* Fills code and text of *e (may be NULL), clears its place, and returns err, which is negative. */
int gw_error_set(struct gw_error *e, int err, const char *code, const char *fmt, ...)
	GW_PRINTF(4, 5);
/* "file:line:column: text (code at /pointer)", without the parts that are missing. */
void gw_error_format(const struct gw_error *e, struct gw_buf *b);
