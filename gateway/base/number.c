/* Bounded parsing of numbers out of borrowed text. */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "gw/str.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int gw_parse_u64(struct gw_str s, uint64_t *ret_value)
{
	uint64_t v = 0;
	if (s.len == 0) {
		return -EINVAL;
	}
	bool too_big = false;
	for (size_t i = 0; i < s.len; i++) {
		if (!is_digit(s.p[i])) {
			return -EINVAL;
		}
		too_big |= __builtin_mul_overflow(v, 10U, &v) ||
			   __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v);
	}
	if (too_big) {
		return -ERANGE;
	}
	*ret_value = v;
	return 0;
}

int gw_parse_i64(struct gw_str s, int64_t *ret_value)
{
	bool negative = s.len > 0 && s.p[0] == '-';
	uint64_t v;
	int r = gw_parse_u64(negative ? gw_str_sub(s, 1, s.len) : s, &v);
	if (r < 0) {
		return r;
	}
	if (v > (uint64_t)INT64_MAX + negative) {
		return -ERANGE;
	}
	*ret_value = (int64_t)(negative ? 0 - v : v);
	return 0;
}

static int hex_digit(char c)
{
	if (is_digit(c)) {
		return c - '0';
	}
	char low = (char)(c | 0x20);
	return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

int gw_parse_hex(struct gw_str s, uint64_t *ret_value)
{
	if (gw_str_starts(s, "0x") || gw_str_starts(s, "0X")) {
		s = gw_str_sub(s, 2, s.len);
	}
	if (s.len == 0 || s.len > 16) {
		return -EINVAL;
	}
	uint64_t v = 0;
	for (size_t i = 0; i < s.len; i++) {
		int d = hex_digit(s.p[i]);
		if (d < 0) {
			return -EINVAL;
		}
		v = v << 4 | (uint64_t)d;
	}
	*ret_value = v;
	return 0;
}

int gw_parse_duration_ms(struct gw_str s, int64_t *ret_ms)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
	if (gw_str_is(s, "0")) {
		*ret_ms = 0;
		return 0;
	}
	size_t digits = 0;
	while (digits < s.len && is_digit(s.p[digits])) {
		digits++;
	}
	struct gw_str unit = gw_str_sub(s, digits, s.len);
	for (size_t i = 0; i < gw_countof(units); i++) {
		if (!gw_str_is(unit, units[i].unit)) {
			continue;
		}
		uint64_t n;
		int r = gw_parse_u64(gw_str_sub(s, 0, digits), &n);
		if (r < 0) {
			return r;
		}
		if (__builtin_mul_overflow(n, units[i].ms, &n) || n > INT64_MAX) {
			return -ERANGE;
		}
		*ret_ms = (int64_t)n;
		return 0;
	}
	return -EINVAL;
}

/*
 * A decimal number after the grammar check: value = ±digits·10^exp, without a decimal point, so that strtod does not
 * look at the locale. No binary64 depends on more than 767 significant digits; a non-zero rest is kept as a last '1'.
 */
enum { DIGITS = 768 };

struct decimal {
	bool negative;
	uint64_t mantissa;  /* the first 19 significant digits */
	size_t n;	    /* significant digits, also those not in mantissa */
	int64_t exp;	    /* of the number made of all n digits */
	struct gw_str body; /* from the first significant digit to the last digit; may hold a '.' */
};

/* Digits of a run: counts significant ones into d, moves *i behind the run. False when there is none. */
static bool scan_digits(struct gw_str s, size_t *i, struct decimal *d)
{
	size_t from = *i;
	for (; *i < s.len && is_digit(s.p[*i]); (*i)++) {
		if (d->n == 0 && s.p[*i] == '0') {
			continue;
		}
		if (d->n == 0) {
			d->body.p = s.p + *i;
		}
		if (d->n < 19) {
			d->mantissa = d->mantissa * 10 + (uint64_t)(s.p[*i] - '0');
		}
		d->n++;
	}
	return *i > from;
}

/* RFC 8259 §6: [ minus ] int [ frac ] [ exp ] */
static bool scan_number(struct gw_str s, struct decimal *d)
{
	size_t i = 0;
	if (i < s.len && s.p[i] == '-') {
		d->negative = true;
		i++;
	}
	size_t first = i;
	if (!scan_digits(s, &i, d) || (s.p[first] == '0' && i - first > 1)) {
		return false;
	}
	if (i < s.len && s.p[i] == '.') {
		size_t from = ++i;
		if (!scan_digits(s, &i, d)) {
			return false;
		}
		d->exp = -(int64_t)(i - from);
	}
	if (d->n > 0) {
		d->body.len = (size_t)(s.p + i - d->body.p);
	}
	if (i == s.len) {
		return true;
	}
	if ((s.p[i] | 0x20) != 'e' || ++i == s.len) {
		return false;
	}
	bool down = s.p[i] == '-';
	i += down || s.p[i] == '+';
	int64_t e = 0;
	if (i == s.len) {
		return false;
	}
	for (; i < s.len && is_digit(s.p[i]); i++) {
		e = e < 100000000 ? e * 10 + (s.p[i] - '0') : e; /* far out of range already */
	}
	d->exp += down ? -e : e;
	return i == s.len;
}

static double slow_double(const struct decimal *d)
{
	char text[DIGITS + 32];
	size_t n = 0, taken = 0;
	bool rest = false;
	for (size_t i = 0; i < d->body.len; i++) {
		char c = d->body.p[i];
		if (c == '.') {
			continue;
		}
		if (taken < DIGITS) {
			text[n++] = c;
			taken++;
		} else {
			rest |= c != '0';
		}
	}
	int64_t exp = d->exp + (int64_t)(d->n - taken);
	if (rest) {
		text[n++] = '1';
		exp--;
	}
	/* Beyond this every number of ≤ 769 digits is 0 or infinite; keeps the text short. */
	exp = exp > 9999 ? 9999 : exp < -9999 ? -9999 : exp;
	text[n++] = 'e';
	text[n++] = exp < 0 ? '-' : '+';
	uint64_t e = (uint64_t)(exp < 0 ? -exp : exp);
	for (uint64_t unit = 1000; unit > 0; unit /= 10) {
		text[n++] = (char)('0' + e / unit % 10);
	}
	text[n] = '\0';
	return strtod(text, NULL);
}

int gw_parse_double(struct gw_str s, double *ret_value)
{
	static const double pow10[] = {1e0,  1e1,  1e2,	 1e3,  1e4,  1e5,  1e6,	 1e7,
				       1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
				       1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
	struct decimal d = {0};
	if (!scan_number(s, &d)) {
		return -EINVAL;
	}
	double v;
	/* Clinger's fast path: both operands are exact, so one operation rounds correctly. Not with x87's excess precision. */
	bool exact = d.n <= 19 && d.mantissa <= (UINT64_C(1) << 53);
	if (d.n == 0) {
		v = 0;
	} else if (exact && d.exp == 0) {
		v = (double)d.mantissa;
	} else if (FLT_EVAL_METHOD == 0 && exact && d.exp < 0 && d.exp >= -22) {
		v = (double)d.mantissa / pow10[-d.exp];
	} else if (FLT_EVAL_METHOD == 0 && exact && d.exp > 0 && d.exp <= 22) {
		v = (double)d.mantissa * pow10[d.exp];
	} else {
		v = slow_double(&d);
	}
	if (!isfinite(v)) {
		return -ERANGE;
	}
	*ret_value = d.negative ? -v : v;
	return 0;
}
