/*
 * The hash of this room: multiply-and-fold over 16 bytes a step (the construction of wyhash), keyed with two secret
 * words, so that a peer cannot choose colliding keys.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "gw/str.h"

struct gw_hash_key {
	uint64_t a, b;
};

struct gw_hash_key gw_hash_key_new(void);

static inline uint64_t gw_hash_fold(uint64_t x, uint64_t y)
{
#ifdef __SIZEOF_INT128__
	__extension__ unsigned __int128 m = (unsigned __int128)x * y;
	return (uint64_t)m ^ (uint64_t)(m >> 64);
#else
	uint64_t xl = (uint32_t)x, xh = x >> 32, yl = (uint32_t)y, yh = y >> 32;
	uint64_t low = xl * yl, mid1 = xh * yl, mid2 = xl * yh;
	uint64_t mid = (low >> 32) + (uint32_t)mid1 + (uint32_t)mid2;
	uint64_t high = xh * yh + (mid1 >> 32) + (mid2 >> 32) + (mid >> 32);
	return (mid << 32 | (uint32_t)low) ^ high;
#endif
}

static inline uint64_t gw_hash_read8(const char *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t gw_hash_read4(const char *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

/* start: where the key stands, for example the hash of its parent. */
static inline uint64_t gw_hash(const struct gw_hash_key *k, uint64_t start, struct gw_str s)
{
	uint64_t h = start ^ k->a, x, y;
	const char *p = s.p;
	size_t n = s.len;
	for (; n > 16; n -= 16, p += 16) {
		h = gw_hash_fold(gw_hash_read8(p) ^ k->b, gw_hash_read8(p + 8) ^ h);
	}
	if (n >= 8) {
		x = gw_hash_read8(p);
		y = gw_hash_read8(p + n - 8);
	} else if (n >= 4) {
		x = gw_hash_read4(p);
		y = gw_hash_read4(p + n - 4);
	} else if (n > 0) {
		x = (uint64_t)(unsigned char)p[0] << 16 | (uint64_t)(unsigned char)p[n / 2] << 8 |
		    (unsigned char)p[n - 1];
		y = 0;
	} else {
		x = y = 0;
	}
	h = gw_hash_fold(x ^ k->b, y ^ h);
	return gw_hash_fold(h ^ s.len, k->a ^ UINT64_C(0x9e3779b97f4a7c15));
}
