/*
 * Growable byte buffer with a mandatory cap. Errors are sticky: after -ENOMEM or -E2BIG further writes do nothing and
 * gw_buf_error() tells the first error, so a chain of appends is checked once. The text is always zero-terminated.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gw/compiler.h"
#include "gw/str.h"

struct gw_buf {
	char *p; /* owned; NULL while empty */
	size_t len, size, cap;
	int error;
};

#define GW_BUF_INIT(cap_bytes) ((struct gw_buf){.cap = (cap_bytes)})

void gw_buf_init(struct gw_buf *b, size_t cap_bytes);
void gw_buf_fini(struct gw_buf *b);  /* frees; b is empty again with the same cap */
void gw_buf_reset(struct gw_buf *b); /* length 0, error 0, memory kept */
int gw_buf_error(const struct gw_buf *b);
struct gw_str gw_buf_str(const struct gw_buf *b); /* borrowed until the next write */
char *gw_buf_take(
	struct gw_buf *b); /* moves the text out; NULL when in error. Caller frees with gw_free */

void gw_buf_add(struct gw_buf *b, const void *data, size_t len);
void gw_buf_add_str(struct gw_buf *b, struct gw_str s);
void gw_buf_puts(struct gw_buf *b, const char *s);
void gw_buf_putc(struct gw_buf *b, char c);
void gw_buf_printf(struct gw_buf *b, const char *fmt, ...) GW_PRINTF(2, 3);
void gw_buf_vprintf(struct gw_buf *b, const char *fmt, va_list ap) GW_PRINTF(2, 0);
void gw_buf_i64(struct gw_buf *b, int64_t v); /* decimal, fast path of the hot loop */
void gw_buf_truncate(struct gw_buf *b, size_t len);
