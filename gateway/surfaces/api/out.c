#include "surfaces/api/out.h"

#include <inttypes.h>

#include "gw/clock.h"
#include "gw/json.h"

void gw_out_key(struct gw_buf *b, const char *key)
{
	char last = b->len ? b->p[b->len - 1] : '{';
	if (last != '{' && last != '[' && last != ':') {
		gw_buf_putc(b, ',');
	}
	if (key) {
		gw_json_write_text(b, gw_str(key));
		gw_buf_putc(b, ':');
	}
}

void gw_out_open(struct gw_buf *b, const char *key, char bracket)
{
	gw_out_key(b, key);
	gw_buf_putc(b, bracket);
}

void gw_out_close(struct gw_buf *b, char bracket)
{
	gw_buf_putc(b, bracket);
}

void gw_out_str(struct gw_buf *b, const char *key, struct gw_str s)
{
	gw_out_key(b, key);
	gw_json_write_text(b, s);
}

void gw_out_text(struct gw_buf *b, const char *key, const char *text)
{
	if (text) {
		gw_out_str(b, key, gw_str(text));
	} else {
		gw_out_key(b, key);
		gw_buf_puts(b, "null");
	}
}

void gw_out_i64(struct gw_buf *b, const char *key, int64_t v)
{
	gw_out_key(b, key);
	gw_buf_i64(b, v);
}

void gw_out_u64(struct gw_buf *b, const char *key, uint64_t v)
{
	gw_out_i64(b, key, v > INT64_MAX ? INT64_MAX : (int64_t)v);
}

void gw_out_id(struct gw_buf *b, const char *key, uint64_t v)
{
	gw_out_key(b, key);
	gw_buf_printf(b, "\"%" PRIx64 "\"", v);
}

void gw_out_bool(struct gw_buf *b, const char *key, bool v)
{
	gw_out_key(b, key);
	gw_buf_puts(b, v ? "true" : "false");
}

void gw_out_double(struct gw_buf *b, const char *key, double v)
{
	gw_out_key(b, key);
	gw_json_write_double(b, v);
}

void gw_out_time(struct gw_buf *b, const char *key, int64_t wall_ms)
{
	char text[32];
	if (wall_ms) {
		gw_wall_format(wall_ms, text, sizeof(text));
	}
	gw_out_text(b, key, wall_ms ? text : NULL);
}

void gw_out_value(struct gw_buf *b, const char *key, const struct gw_value *v,
		  struct gw_resolution res)
{
	gw_out_key(b, key);
	gw_value_write_json(b, v, res);
}

void gw_out_count(struct gw_buf *b, const char *key, bool has, int64_t count,
		  struct gw_resolution res)
{
	struct gw_value v = {.type = has ? GW_VALUE_NUMBER : GW_VALUE_NONE, .count = count};
	gw_out_value(b, key, &v, res);
}

void gw_out_words(struct gw_buf *b, const char *key, const char *words)
{
	gw_out_open(b, key, '[');
	struct gw_str rest = gw_str(words), word;
	while (gw_str_split(&rest, ' ', &word)) {
		if (word.len) {
			gw_out_str(b, NULL, word);
		}
	}
	gw_out_close(b, ']');
}
