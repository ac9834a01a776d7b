/* Encodings of nested layers (profile-language §7): base64, hex, UTF-16 in base64; and hex pairs of frames. */
#include <errno.h>

#include "gw/alloc.h"
#include "profile/plan.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int sextet(char c)
{
	const char *p = c ? strchr(alphabet, c) : NULL;
	return p ? (int)(p - alphabet) : -1;
}

/* RFC 4648 §4; padding is optional, nothing else is allowed in between. */
static int base64_decode(struct gw_str s, struct gw_buf *b)
{
	size_t padding = 0;
	while (padding < 2 && s.len > 0 && s.p[s.len - 1] == '=') {
		s.len--;
		padding++;
	}
	if (s.len % 4 == 1 || (padding && (s.len + padding) % 4 != 0)) {
		return -EINVAL;
	}
	uint32_t bits = 0;
	for (size_t i = 0; i < s.len; i++) {
		int v = sextet(s.p[i]);
		if (v < 0) {
			return -EINVAL;
		}
		bits = bits << 6 | (uint32_t)v;
		if (i % 4 != 0) {
			gw_buf_putc(b, (char)(bits >> (6 - i % 4 * 2)));
		}
	}
	return gw_buf_error(b);
}

static void base64_encode(struct gw_str s, struct gw_buf *b)
{
	const uint8_t *p = (const uint8_t *)s.p;
	for (size_t i = 0; i < s.len; i += 3) {
		uint32_t bits = (uint32_t)p[i] << 16;
		bits |= i + 1 < s.len ? (uint32_t)p[i + 1] << 8 : 0;
		bits |= i + 2 < s.len ? p[i + 2] : 0;
		gw_buf_putc(b, alphabet[bits >> 18]);
		gw_buf_putc(b, alphabet[bits >> 12 & 63]);
		gw_buf_putc(b, i + 1 < s.len ? alphabet[bits >> 6 & 63] : '=');
		gw_buf_putc(b, i + 2 < s.len ? alphabet[bits & 63] : '=');
	}
}

static int digit(char c)
{
	char low = (char)(c | 0x20);
	return c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

int gw_hex_decode(struct gw_str s, struct gw_buf *ret)
{
	int high = -1;
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == ' ') {
			continue;
		}
		int v = digit(s.p[i]);
		if (v < 0) {
			return -EINVAL;
		}
		if (high < 0) {
			high = v;
		} else {
			gw_buf_putc(ret, (char)(high << 4 | v));
			high = -1;
		}
	}
	return high >= 0 ? -EINVAL : gw_buf_error(ret);
}

static int plain(struct gw_str s, struct gw_buf *b)
{
	gw_buf_add_str(b, s);
	return gw_buf_error(b);
}

static void plain_encode(struct gw_str s, struct gw_buf *b)
{
	gw_buf_add_str(b, s);
}

static void hex_encode(struct gw_str s, struct gw_buf *b)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < s.len; i++) {
		gw_buf_putc(b, digits[(uint8_t)s.p[i] >> 4]);
		gw_buf_putc(b, digits[(uint8_t)s.p[i] & 15]);
	}
}

static int utf16_decode(struct gw_str s, struct gw_buf *b)
{
	static const struct gw_as wide = {.kind = GW_AS_UTF16BE};
	GW_AUTO(gw_buf_fini) struct gw_buf bytes = GW_BUF_INIT(b->cap);
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(b->cap * 2);
	int r = base64_decode(s, &bytes);
	if (r < 0) {
		return r;
	}
	struct gw_cooked c = gw_as_read_bytes(&wide, gw_buf_str(&bytes), &text);
	if (c.type != GW_RAW_TEXT) {
		return -EINVAL;
	}
	gw_buf_add_str(b, c.text);
	return gw_buf_error(b);
}

static void utf16_encode(struct gw_str s, struct gw_buf *b)
{
	static const struct gw_as wide = {.kind = GW_AS_UTF16BE};
	struct gw_text *text = gw_text_new(s);
	uint8_t *bytes = gw_array(uint8_t, s.len * 2 + 2); /* UTF-16 is at most twice as long */
	size_t len = 0;
	if (text && bytes) {
		const struct gw_raw raw = {.type = GW_RAW_TEXT, .text = text};
		const char *code = gw_as_write_bytes(&wide, &raw, bytes, s.len * 2 + 2);
		while (!code && (bytes[len] || bytes[len + 1])) {
			len += 2;
		}
	} else {
		b->error = -ENOMEM;
	}
	base64_encode((struct gw_str){(const char *)bytes, len}, b);
	gw_text_unref(text);
	gw_free(bytes);
}

static const struct {
	int (*decode)(struct gw_str s, struct gw_buf *b);
	void (*encode)(struct gw_str s, struct gw_buf *b);
} encodings[] = {
	[GW_DECODE_NONE] = {plain, plain_encode},
	[GW_DECODE_BASE64] = {base64_decode, base64_encode},
	[GW_DECODE_HEX] = {gw_hex_decode, hex_encode},
	[GW_DECODE_UTF16B64] = {utf16_decode, utf16_encode},
};

int gw_layer_decode(enum gw_decode d, struct gw_str text, struct gw_buf *ret)
{
	return encodings[d].decode(text, ret);
}

void gw_layer_encode(enum gw_decode d, struct gw_str bytes, struct gw_buf *ret)
{
	encodings[d].encode(bytes, ret);
}
