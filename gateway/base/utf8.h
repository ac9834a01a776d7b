/* One UTF-8 character (RFC 3629): shared by the text, JSON and log files of this room. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Length of the valid character at p (p < end), or 0: overlong forms, surrogates and values above U+10FFFF are invalid. */
static inline size_t gw_utf8_len(const unsigned char *p, const unsigned char *end)
{
	size_t left = (size_t)(end - p);
	unsigned char c = p[0];
	if (c < 0x80) {
		return 1;
	}
	/* RFC 3629 §4: only the second byte has a range that depends on the first. */
	unsigned char low = 0x80, high = 0xbf;
	size_t n;
	if (c >= 0xc2 && c <= 0xdf) {
		n = 2;
	} else if (c >= 0xe0 && c <= 0xef) {
		n = 3;
		low = c == 0xe0 ? 0xa0 : 0x80;
		high = c == 0xed ? 0x9f : 0xbf;
	} else if (c >= 0xf0 && c <= 0xf4) {
		n = 4;
		low = c == 0xf0 ? 0x90 : 0x80;
		high = c == 0xf4 ? 0x8f : 0xbf;
	} else {
		return 0;
	}
	if (left < n || p[1] < low || p[1] > high) {
		return 0;
	}
	for (size_t i = 2; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80) {
			return 0;
		}
	}
	return n;
}

/* The code point of a character of n bytes that gw_utf8_len has accepted. */
static inline uint32_t gw_utf8_decode(const unsigned char *p, size_t n)
{
	static const unsigned char mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t c = (uint32_t)(p[0] & mask[n]);
	for (size_t i = 1; i < n; i++) {
		c = c << 6 | (p[i] & 0x3fU);
	}
	return c;
}

/* Writes code point c (valid) to out; returns the number of bytes, 1 to 4. */
static inline size_t gw_utf8_encode(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}
