#include "surfaces/http/chunk.h"

#include <errno.h>

#define DIGITS 8

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	char lower = (char)(c | 0x20);
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Length of a line's end; 0: not all of it is here; -EPROTO: something else is. */
static long line_end(struct gw_str s)
{
	if (!gw_str_eq(s, gw_str_sub(GW_STR("\r\n"), 0, s.len))) {
		return -EPROTO;
	}
	return s.len == 2 ? 2 : 0;
}

static long take_size(struct gw_http_chunks *k, struct gw_str in)
{
	uint32_t size = 0;
	size_t n = 0;
	for (int digit; n < in.len && n < DIGITS && (digit = hex_digit(in.p[n])) >= 0; n++) {
		size = size << 4 | (uint32_t)digit;
	}
	if (n == 0) {
		return in.len ? -EPROTO : 0;
	}
	long end = line_end(gw_str_sub(in, n, 2));
	if (end <= 0) {
		return end;
	}
	k->left = size;
	k->last = size == 0;
	k->state = size ? GW_CHUNK_DATA : GW_CHUNK_LINE_END;
	return (long)n + end;
}

static long take_line_end(struct gw_http_chunks *k, struct gw_str in)
{
	long end = line_end(gw_str_sub(in, 0, 2));
	if (end > 0) {
		k->state = k->last ? GW_CHUNK_DONE : GW_CHUNK_SIZE;
	}
	return end;
}

long gw_http_chunk_decode(struct gw_http_chunks *k, struct gw_str arrived, struct gw_str *ret_data)
{
	*ret_data = (struct gw_str){0};
	switch (k->state) {
	case GW_CHUNK_SIZE: return take_size(k, arrived);
	case GW_CHUNK_LINE_END: return take_line_end(k, arrived);
	case GW_CHUNK_DATA:
		*ret_data = gw_str_sub(arrived, 0, k->left);
		k->left -= (uint32_t)ret_data->len;
		k->state = k->left ? GW_CHUNK_DATA : GW_CHUNK_LINE_END;
		return (long)ret_data->len;
	case GW_CHUNK_DONE: break;
	}
	return 0;
}
