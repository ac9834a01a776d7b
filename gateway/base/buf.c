#include "gw/buf.h"

#include <errno.h>
#include <stdio.h>

#include "gw/alloc.h"

void gw_buf_init(struct gw_buf *b, size_t cap_bytes)
{
	*b = GW_BUF_INIT(cap_bytes);
}

void gw_buf_fini(struct gw_buf *b)
{
	gw_free(b->p);
	*b = GW_BUF_INIT(b->cap);
}

void gw_buf_reset(struct gw_buf *b)
{
	b->len = 0;
	b->error = 0;
	if (b->p) {
		b->p[0] = '\0';
	}
}

int gw_buf_error(const struct gw_buf *b)
{
	return b->error;
}

struct gw_str gw_buf_str(const struct gw_buf *b)
{
	return (struct gw_str){b->p ? b->p : "", b->len};
}

char *gw_buf_take(struct gw_buf *b)
{
	if (b->error) {
		return NULL;
	}
	char *text = b->p ? b->p : gw_strndup("", 0);
	*b = GW_BUF_INIT(b->cap);
	return text;
}

/* Makes room for more bytes and the zero. The cap counts the text, not the zero. */
static bool grow(struct gw_buf *b, size_t more)
{
	if (b->error) {
		return false;
	}
	if (b->len > b->cap || more > b->cap - b->len) {
		b->error = -E2BIG;
		return false;
	}
	size_t need = b->len + more + 1;
	size_t size = b->size < 32 ? 64 : b->size > SIZE_MAX / 2 ? SIZE_MAX : b->size * 2;
	if (size < need) {
		size = need;
	}
	if (size - 1 > b->cap) {
		size = b->cap + 1;
	}
	char *p = gw_realloc(b->p, size, 1);
	if (!p) {
		b->error = -ENOMEM;
		return false;
	}
	b->p = p;
	b->size = size;
	return true;
}

static inline bool room(struct gw_buf *b, size_t more)
{
	return (b->error == 0 && b->size > b->len && more < b->size - b->len) || grow(b, more);
}

void gw_buf_add(struct gw_buf *b, const void *data, size_t len)
{
	if (gw_unlikely(!room(b, len))) {
		return;
	}
	if (len > 0) {
		memcpy(b->p + b->len, data, len);
	}
	b->len += len;
	b->p[b->len] = '\0';
}

void gw_buf_add_str(struct gw_buf *b, struct gw_str s)
{
	gw_buf_add(b, s.p, s.len);
}

void gw_buf_puts(struct gw_buf *b, const char *s)
{
	gw_buf_add(b, s, strlen(s));
}

void gw_buf_putc(struct gw_buf *b, char c)
{
	if (gw_unlikely(!room(b, 1))) {
		return;
	}
	b->p[b->len++] = c;
	b->p[b->len] = '\0';
}

void gw_buf_vprintf(struct gw_buf *b, const char *fmt, va_list ap)
{
	if (!room(b, 0)) {
		return;
	}
	va_list again;
	va_copy(again, ap);
	size_t space = b->size - b->len;
	int n = vsnprintf(b->p + b->len, space, fmt, ap);
	if (n < 0) {
		b->error = -EINVAL;
		b->p[b->len] = '\0';
	} else if ((size_t)n < space) {
		b->len += (size_t)n;
	} else if (room(b, (size_t)n)) {
		(void)vsnprintf(b->p + b->len, (size_t)n + 1, fmt, again); /* as long as before */
		b->len += (size_t)n;
	} else {
		b->p[b->len] = '\0'; /* takes the cut text back */
	}
	va_end(again);
}

void gw_buf_printf(struct gw_buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	gw_buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void gw_buf_i64(struct gw_buf *b, int64_t v)
{
	char text[20];
	size_t n = sizeof(text);
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	do {
		text[--n] = (char)('0' + u % 10);
		u /= 10;
	} while (u > 0);
	if (v < 0) {
		text[--n] = '-';
	}
	gw_buf_add(b, text + n, sizeof(text) - n);
}

void gw_buf_truncate(struct gw_buf *b, size_t len)
{
	if (len < b->len) {
		b->len = len;
		b->p[len] = '\0';
	}
}
