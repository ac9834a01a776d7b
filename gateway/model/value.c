#include "gw/value.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/json.h"

/* --- texts --- */

struct gw_text *gw_text_new(struct gw_str s)
{
	if (s.len >= UINT32_MAX - sizeof(struct gw_text)) {
		return NULL;
	}
	struct gw_text *t = gw_alloc0(1, sizeof(*t) + s.len + 1);
	if (!t) {
		return NULL;
	}
	t->refs = 1;
	t->len = (uint32_t)s.len;
	if (s.len > 0) {
		memcpy(t->s, s.p, s.len);
	}
	return t;
}

struct gw_text *gw_text_ref(struct gw_text *t)
{
	t->refs++;
	return t;
}

void gw_text_unref(struct gw_text *t)
{
	if (t && --t->refs == 0) {
		gw_free(t);
	}
}

/* --- values --- */

static bool owns_text(enum gw_value_type type)
{
	return type == GW_VALUE_SYMBOL || type == GW_VALUE_TEXT || type == GW_VALUE_TREE;
}

void gw_value_fini(struct gw_value *v)
{
	if (owns_text(v->type)) {
		gw_text_unref(v->text);
	}
	*v = (struct gw_value){.type = GW_VALUE_NONE};
}

void gw_value_set(struct gw_value *v, const struct gw_value *from)
{
	struct gw_value next = *from;
	if (owns_text(next.type)) {
		gw_text_ref(next.text); /* first: v may be from, or hold the last reference */
	}
	gw_value_fini(v);
	*v = next;
}

bool gw_value_equal(const struct gw_value *a, const struct gw_value *b)
{
	if (a->type != b->type) {
		return false;
	}
	switch (a->type) {
	case GW_VALUE_NONE: return true;
	case GW_VALUE_BOOL: return a->flag == b->flag;
	case GW_VALUE_NUMBER: return a->count == b->count;
	case GW_VALUE_SYMBOL:
	case GW_VALUE_TEXT:
	case GW_VALUE_TREE:
		return a->text == b->text || gw_str_eq(gw_text_str(a->text), gw_text_str(b->text));
	}
	return false;
}

const char *gw_quality_name(enum gw_quality q)
{
	static const char *const names[] = {
		[GW_QUALITY_UNKNOWN] = "unknown",	  [GW_QUALITY_OK] = "ok",
		[GW_QUALITY_ASSUMED] = "assumed",	  [GW_QUALITY_STALE] = "stale",
		[GW_QUALITY_UNAVAILABLE] = "unavailable",
	};
	return names[q];
}

/* --- numbers --- */

#define MAX_EXACT 9007199254740992.0 /* 2^53 */

/* profile-language §1, R(y) */
double gw_round(double y)
{
	if (fabs(y) >= 4503599627370496.0 || isnan(y)) { /* 2^52 */
		return y;
	}
	double r = floor(fabs(y) + 0.500000001);
	return y < 0 ? 0 - r : r; /* never −0 */
}

/* profile-language §1, Q(x, res): multiplication first */
int gw_quantise(double x, struct gw_resolution res, int64_t *ret_count)
{
	double c = gw_round(x * (double)res.d / (double)res.n);
	if (!(fabs(c) < MAX_EXACT)) {
		return -ERANGE;
	}
	*ret_count = (int64_t)c;
	return 0;
}

#define RES_PLACES   6
#define RES_MAX_N    1000000000000LL /* so that a remainder times n stays far below 2^63 */
#define RES_MAX_TEXT 20

/* Takes common factors of ten out, so that 0.10 and 0.1 are the same fraction. */
static void shorten(struct gw_resolution *r)
{
	while (r->d > 1 && r->n % 10 == 0) {
		r->n /= 10;
		r->d /= 10;
	}
}

int gw_resolution_parse(struct gw_str s, struct gw_resolution *ret_res)
{
	struct gw_resolution r = {0, 1};
	size_t places = 0, digits = 0;
	bool point = false;
	if (s.len == 0 || s.len > RES_MAX_TEXT) {
		return -EINVAL;
	}
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];
		if (c == '.' && !point && digits > 0) {
			point = true;
			continue;
		}
		if (c < '0' || c > '9' || r.n > RES_MAX_N / 10 || places == RES_PLACES) {
			return -EINVAL;
		}
		r.n = r.n * 10 + (c - '0');
		digits++;
		if (point) {
			places++;
			r.d *= 10;
		}
	}
	if (r.n <= 0 || r.n > RES_MAX_N || (point && places == 0)) {
		return -EINVAL;
	}
	shorten(&r);
	*ret_res = r;
	return 0;
}

int gw_resolution_from(double res, struct gw_resolution *ret_res)
{
	if (!(res > 0) || res > (double)RES_MAX_N) {
		return -EINVAL;
	}
	int64_t d = 1;
	for (int places = 0; places <= RES_PLACES; places++, d *= 10) {
		double n = gw_round(res * (double)d);
		/* n and d are exact, so the division gives the double that the shortest decimal has. */
		if (n >= 1 && n <= (double)RES_MAX_N && n / (double)d == res) {
			*ret_res = (struct gw_resolution){(int64_t)n, d};
			return 0;
		}
	}
	return -EINVAL;
}

/* count·n/d in decimal, exactly: no binary fraction ever stands between the count and its digits. */
static void write_count(struct gw_buf *b, int64_t count, struct gw_resolution res)
{
	uint64_t n = (uint64_t)res.n, d = (uint64_t)res.d, whole;
	uint64_t a = count < 0 ? -(uint64_t)count : (uint64_t)count;
	uint64_t rest = a % d * n; /* d ≤ 10^6, n ≤ 10^12 */
	if (__builtin_mul_overflow(a / d, n, &whole) || whole > INT64_MAX / 2) {
		gw_json_write_double(b, gw_count_value(count, res));
		return;
	}
	whole += rest / d;
	rest %= d;
	if (count < 0) {
		gw_buf_putc(b, '-');
	}
	gw_buf_i64(b, (int64_t)whole);
	if (rest == 0) {
		return;
	}
	char digits[RES_PLACES + 1] = ".";
	size_t len = 1, used = 1;
	while (d > 1 && len < sizeof(digits)) {
		d /= 10;
		digits[len++] = (char)('0' + rest / d % 10);
		if (digits[len - 1] != '0') {
			used = len;
		}
	}
	gw_buf_add(b, digits, used);
}

static void write_value(struct gw_buf *b, const struct gw_value *v, struct gw_resolution res,
			bool json)
{
	switch (v->type) {
	case GW_VALUE_NONE: gw_buf_puts(b, json ? "null" : ""); break;
	case GW_VALUE_BOOL: gw_buf_puts(b, v->flag ? "true" : "false"); break;
	case GW_VALUE_NUMBER: write_count(b, v->count, res); break;
	case GW_VALUE_SYMBOL:
	case GW_VALUE_TEXT:
		if (json) {
			gw_json_write_text(b, gw_text_str(v->text));
		} else {
			gw_buf_add_str(b, gw_text_str(v->text));
		}
		break;
	case GW_VALUE_TREE: gw_buf_add_str(b, gw_text_str(v->text)); break;
	}
}

void gw_value_write_json(struct gw_buf *b, const struct gw_value *v, struct gw_resolution res)
{
	write_value(b, v, res, /* json= */ true);
}

void gw_value_write_text(struct gw_buf *b, const struct gw_value *v, struct gw_resolution res)
{
	write_value(b, v, res, /* json= */ false);
}
