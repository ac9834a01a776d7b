#include "gw/str.h"

#include <errno.h>

#include "base/utf8.h"

int gw_str_cmp(struct gw_str a, struct gw_str b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int r = n ? memcmp(a.p, b.p, n) : 0;
	return r ? r : (a.len > b.len) - (a.len < b.len);
}

bool gw_str_starts(struct gw_str s, const char *prefix)
{
	size_t n = strlen(prefix);
	return s.len >= n && (n == 0 || memcmp(s.p, prefix, n) == 0);
}

bool gw_str_ends(struct gw_str s, const char *suffix)
{
	size_t n = strlen(suffix);
	return s.len >= n && (n == 0 || memcmp(s.p + s.len - n, suffix, n) == 0);
}

struct gw_str gw_str_sub(struct gw_str s, size_t from, size_t len)
{
	if (from > s.len) {
		from = s.len;
	}
	if (len > s.len - from) {
		len = s.len - from;
	}
	return (struct gw_str){s.p ? s.p + from : NULL, len};
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct gw_str gw_str_trim(struct gw_str s)
{
	while (s.len > 0 && is_blank(s.p[0])) {
		s.p++;
		s.len--;
	}
	while (s.len > 0 && is_blank(s.p[s.len - 1])) {
		s.len--;
	}
	return s;
}

bool gw_str_split(struct gw_str *rest, char sep, struct gw_str *ret_piece)
{
	if (!rest->p) {
		return false;
	}
	const char *at = rest->len ? memchr(rest->p, sep, rest->len) : NULL;
	if (!at) {
		*ret_piece = *rest;
		*rest = (struct gw_str){NULL, 0};
		return true;
	}
	size_t n = (size_t)(at - rest->p);
	*ret_piece = (struct gw_str){rest->p, n};
	rest->p += n + 1;
	rest->len -= n + 1;
	return true;
}

static unsigned char lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* Bytes of the character at s[i]; a byte that begins no valid character stands for itself. */
static size_t char_len(struct gw_str s, size_t i)
{
	size_t n = gw_utf8_len((const unsigned char *)s.p + i, (const unsigned char *)s.p + s.len);
	return n ? n : 1;
}

bool gw_str_glob(struct gw_str pattern, struct gw_str s)
{
	size_t n;
	return gw_str_glob_stars(pattern, s, /* stars= */ NULL, 0, &n);
}

/* Each star takes as little as it can; only the last star seen is ever extended, which suffices for globs. */
bool gw_str_glob_stars(struct gw_str pattern, struct gw_str s, struct gw_str *stars, size_t n,
		       size_t *ret_n)
{
	size_t p = 0, i = 0, seen = 0;
	size_t after_star = 0, star_from = 0, star_to = 0; /* valid once seen > 0 */
	while (i < s.len || p < pattern.len) {
		if (p < pattern.len && pattern.p[p] == '*') {
			seen++;
			after_star = ++p;
			star_from = star_to = i;
		} else if (p < pattern.len && i < s.len && pattern.p[p] == '?') {
			p++;
			i += char_len(s, i);
			continue;
		} else if (p < pattern.len && i < s.len && lower(pattern.p[p]) == lower(s.p[i])) {
			p++;
			i++;
			continue;
		} else if (seen > 0 && star_to < s.len) {
			star_to += char_len(s, star_to);
			i = star_to;
			p = after_star;
		} else {
			return false;
		}
		if (seen <= n) {
			stars[seen - 1] = gw_str_sub(s, star_from, star_to - star_from);
		}
	}
	*ret_n = seen < n ? seen : n;
	return true;
}

bool gw_str_is_utf8(struct gw_str s)
{
	if (s.len == 0) {
		return true; /* p may be NULL, to which not even 0 may be added */
	}
	const unsigned char *p = (const unsigned char *)s.p, *end = p + s.len;
	while (p < end) {
		uint64_t word;
		if (end - p >= 8 && (memcpy(&word, p, 8), (word & 0x8080808080808080U) == 0)) {
			p += 8;
			continue;
		}
		size_t n = gw_utf8_len(p, end);
		if (n == 0) {
			return false;
		}
		p += n;
	}
	return true;
}

/* Control, bidirectional and other characters that change how the text around them is shown. */
static bool is_hidden(uint32_t c)
{
	static const struct {
		uint32_t from, to;
	} ranges[] = {
		{0x00, 0x1f},	  {0x7f, 0x9f},	    {0x61c, 0x61c},
		{0x200e, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},
		{0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
	};
	for (size_t i = 0; i < gw_countof(ranges); i++) {
		if (c >= ranges[i].from && c <= ranges[i].to) {
			return true;
		}
	}
	return false;
}

size_t gw_str_clean(struct gw_str s, size_t max_chars, char *ret_text, size_t cap)
{
	const unsigned char *p = (const unsigned char *)s.p, *end = p + s.len;
	size_t len = 0;
	if (cap == 0) {
		return 0;
	}
	for (size_t chars = 0; p < end && chars < max_chars;) {
		size_t n = gw_utf8_len(p, end);
		const char *piece = (const char *)p;
		size_t piece_len = n;
		if (n == 0) { /* not UTF-8: U+FFFD for each byte */
			piece = "\xef\xbf\xbd";
			piece_len = 3;
			n = 1;
		} else if (*p == '\t' || *p == '\n') {
			piece = " ";
		} else if (is_hidden(gw_utf8_decode(p, n))) {
			p += n;
			continue;
		}
		if (piece_len > cap - 1 - len) {
			break;
		}
		memcpy(ret_text + len, piece, piece_len);
		len += piece_len;
		chars++;
		p += n;
	}
	ret_text[len] = '\0';
	return len;
}

size_t gw_str_distance(struct gw_str a, struct gw_str b, size_t max)
{
	enum { LONGEST = 128 };
	size_t gap = a.len > b.len ? a.len - b.len : b.len - a.len;
	if (gap > max || a.len > LONGEST || b.len > LONGEST) {
		return max + 1;
	}
	/* Three rows of the edit matrix: two back (for a swap of neighbours), the last, and this one. */
	size_t rows[3][LONGEST + 1];
	for (size_t j = 0; j <= b.len; j++) {
		rows[0][j] = j;
	}
	for (size_t i = 1; i <= a.len; i++) {
		const size_t *before = rows[(i + 1) % 3], *last = rows[(i + 2) % 3];
		size_t *now = rows[i % 3];
		now[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t best = last[j - 1] + (a.p[i - 1] != b.p[j - 1]);
			best = last[j] + 1 < best ? last[j] + 1 : best;
			best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] &&
			    a.p[i - 2] == b.p[j - 1] && before[j - 2] + 1 < best) {
				best = before[j - 2] + 1;
			}
			now[j] = best;
		}
	}
	size_t d = rows[a.len % 3][b.len];
	return d > max ? max + 1 : d;
}
