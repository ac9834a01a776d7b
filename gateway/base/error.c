#include "gw/error.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int gw_error_set(struct gw_error *e, int err, const char *code, const char *fmt, ...)
{
	if (!e) {
		return err;
	}
	char text[2 * sizeof(e->text)] = "";
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* a cut text is good enough */
	va_end(ap);
	memset(e, 0, sizeof(*e));
	(void)gw_str_clean(gw_str(code), sizeof(e->code), e->code, sizeof(e->code));
	(void)gw_str_clean(gw_str(text), sizeof(e->text), e->text, sizeof(e->text));
	return err;
}

void gw_error_format(const struct gw_error *e, struct gw_buf *b)
{
	if (e->file[0]) {
		gw_buf_printf(b, "%s:", e->file);
	}
	if (e->line) {
		gw_buf_printf(b, "%" PRIu32 ":%" PRIu32 ":", e->line, e->column);
	}
	if (e->file[0] || e->line) {
		gw_buf_putc(b, ' ');
	}
	gw_buf_puts(b, e->text);
	if (e->code[0] && e->at[0]) {
		gw_buf_printf(b, " (%s at %s)", e->code, e->at);
	} else if (e->code[0]) {
		gw_buf_printf(b, " (%s)", e->code);
	} else if (e->at[0]) {
		gw_buf_printf(b, " (at %s)", e->at);
	}
}
