/* Numbers as ECMAScript writes them (RFC 8785 §3.2.2.3): the shortest digits that read back as the same number. */
#include <float.h>
#include <math.h>
#include <stdio.h>

#include "gw/json.h"

/* v = 0.d1d2…dn · 10^point, d1 ≠ 0, dn ≠ 0 */
struct shortest {
	char digits[20];
	int n, point;
};

/* The n digits nearest to v > 0, in the terms of struct shortest; without looking at the locale's decimal point. */
static void round_digits(double v, int n, struct shortest *ret)
{
	char text[40];
	(void)snprintf(text, sizeof(text), "%.*e", n - 1, v); /* at most 26 bytes */
	const char *p = text;
	ret->n = 0;
	for (; *p != 'e'; p++) {
		if (*p >= '0' && *p <= '9') {
			ret->digits[ret->n++] = *p;
		}
	}
	bool down = p[1] == '-';
	int exp = 0;
	for (p += 2; *p; p++) {
		exp = exp * 10 + (*p - '0');
	}
	ret->point = (down ? -exp : exp) + 1;
	while (ret->n > 1 && ret->digits[ret->n - 1] == '0') {
		ret->n--;
	}
}

static bool reads_back(const struct shortest *s, double v)
{
	char text[40];
	double back;
	int n = snprintf(text, sizeof(text), "%.*se%d", s->n, s->digits, s->point - s->n);
	return n > 0 && gw_parse_double((struct gw_str){text, (size_t)n}, &back) == 0 && back == v;
}

/* The next larger number of the same digits. */
static void increment(struct shortest *s)
{
	int i = s->n - 1;
	while (i >= 0 && s->digits[i] == '9') {
		i--;
	}
	if (i < 0) {
		s->digits[0] = '1';
		s->n = 1;
		s->point++;
		return;
	}
	s->digits[i]++;
	s->n = i + 1;
}

static void find_shortest(double v, struct shortest *ret)
{
	/* Up to 15 digits survive the way through a normal binary64, so only subnormal ones can be shorter than %.15g shows. */
	int n = v < DBL_MIN ? 1 : 15;
	for (; n < 17; n++) {
		round_digits(v, n, ret);
		if (reads_back(ret, v)) {
			return;
		}
		/* Below a power of two the neighbours are closer: the nearest decimal may miss where the next one hits. */
		struct shortest next = *ret;
		int exp;
		if (frexp(v, &exp) == 0.5 && next.n == n) {
			increment(&next);
			if (reads_back(&next, v)) {
				*ret = next;
				return;
			}
		}
	}
	round_digits(v, 17, ret);
}

static void write_zeros(struct gw_buf *b, int n)
{
	for (int i = 0; i < n; i++) {
		gw_buf_putc(b, '0');
	}
}

/* ECMA-262 Number::toString, steps 6 to 10. */
static void write_shortest(struct gw_buf *b, const struct shortest *s)
{
	size_t n = (size_t)s->n;
	if (s->point > 21 || s->point <= -6) {
		gw_buf_putc(b, s->digits[0]);
		if (n > 1) {
			gw_buf_putc(b, '.');
			gw_buf_add(b, s->digits + 1, n - 1);
		}
		gw_buf_puts(b, s->point > 0 ? "e+" : "e");
		gw_buf_i64(b, s->point - 1);
	} else if (s->point <= 0) {
		gw_buf_puts(b, "0.");
		write_zeros(b, -s->point);
		gw_buf_add(b, s->digits, n);
	} else if (s->n <= s->point) {
		gw_buf_add(b, s->digits, n);
		write_zeros(b, s->point - s->n);
	} else {
		gw_buf_add(b, s->digits, (size_t)s->point);
		gw_buf_putc(b, '.');
		gw_buf_add(b, s->digits + s->point, n - (size_t)s->point);
	}
}

/*
 * Sensor values have few decimals. m/10^k with m < 10^15 rounds correctly, so when it gives v, m is the only number of up to
 * 15 digits that does; the smallest such k leaves no zero at its end.
 */
static bool write_few_decimals(struct gw_buf *b, double v)
{
	static const double pow10[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
	if (FLT_EVAL_METHOD != 0 || v < 1e-6 || v >= 1e9) {
		return false;
	}
	for (int k = 1; k <= 6; k++) {
		double m = floor(v * pow10[k] + 0.5);
		if (m / pow10[k] != v) {
			continue;
		}
		int64_t scale = (int64_t)pow10[k], all = (int64_t)m;
		char text[8] = ".";
		int64_t rest = all % scale;
		for (int i = k; i > 0; i--) {
			text[i] = (char)('0' + rest % 10);
			rest /= 10;
		}
		gw_buf_i64(b, all / scale);
		gw_buf_add(b, text, (size_t)k + 1);
		return true;
	}
	return false;
}

void gw_json_write_double(struct gw_buf *b, double v)
{
	if (!isfinite(v)) {
		gw_buf_puts(b, "null");
		return;
	}
	if (fabs(v) < 9007199254740992.0 && v == (double)(int64_t)v) {
		gw_buf_i64(b, (int64_t)v); /* -0 becomes 0 */
		return;
	}
	if (v < 0) {
		gw_buf_putc(b, '-');
		v = -v;
	}
	if (!write_few_decimals(b, v)) {
		struct shortest s;
		find_shortest(v, &s);
		write_shortest(b, &s);
	}
}
