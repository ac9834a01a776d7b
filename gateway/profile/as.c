/* The types of profile-language §8: how bytes and texts of a message become raws, and back. */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "gw/json.h"
#include "profile/plan.h"

#define GW_MAX_NUMBER 9007199254740992.0 /* 2^53 */

/* --- names --- */

static bool take(struct gw_str *s, const char *prefix)
{
	if (!gw_str_starts(*s, prefix)) {
		return false;
	}
	*s = gw_str_sub(*s, strlen(prefix), s->len);
	return true;
}

static bool take_number(struct gw_str *s, uint64_t max, uint16_t *ret_n)
{
	size_t n = 0;
	while (n < s->len && n < 5 && s->p[n] >= '0' && s->p[n] <= '9') {
		n++;
	}
	uint64_t v;
	if (n == 0 || s->p[0] == '0' || gw_parse_u64(gw_str_sub(*s, 0, n), &v) < 0 || v > max) {
		return false;
	}
	*ret_n = (uint16_t)v;
	*s = gw_str_sub(*s, n, s->len);
	return true;
}

static int parse_number_type(struct gw_str s, enum gw_as_kind kind, struct gw_as *as)
{
	uint16_t bits;
	if (!take_number(&s, 64, &bits) || bits % 8 != 0 || bits == 40 || bits == 56) {
		return -EINVAL;
	}
	if (kind == GW_AS_FLOAT && bits != 32 && bits != 64) {
		return -EINVAL;
	}
	as->kind = kind;
	as->size = bits / 8;
	if (bits == 8) {
		return s.len == 0 ? 0 : -EINVAL;
	}
	as->little = take(&s, "le");
	if (!as->little && !take(&s, "be")) {
		return -EINVAL;
	}
	as->swapped = take(&s, ".ws");
	return s.len == 0 && (!as->swapped || bits == 32 || bits == 64) ? 0 : -EINVAL;
}

static int parse_bcd(struct gw_str s, struct gw_as *as)
{
	as->kind = GW_AS_BCD;
	if (!take_number(&s, 6, &as->size)) {
		return -EINVAL;
	}
	as->little = take(&s, "le");
	return s.len == 0 ? 0 : -EINVAL;
}

static int parse_sized(struct gw_str s, enum gw_as_kind kind, struct gw_as *as)
{
	as->kind = kind;
	if (s.len == 0) {
		return kind == GW_AS_RAW ? -EINVAL : 0;
	}
	uint64_t max = kind == GW_AS_HEX ? 13 : 4096;
	return take(&s, ":") && take_number(&s, max, &as->size) && s.len == 0 ? 0 : -EINVAL;
}

static int parse_plain(struct gw_str s, enum gw_as_kind kind, struct gw_as *as)
{
	as->kind = kind;
	return s.len == 0 ? 0 : -EINVAL;
}

int gw_as_parse(struct gw_str s, struct gw_as *ret_as)
{
	static const struct {
		const char *prefix;
		enum gw_as_kind kind;
		int (*parse)(struct gw_str s, enum gw_as_kind kind, struct gw_as *as);
	} types[] = {
		{"ascii", GW_AS_ASCII, parse_sized},
		{"utf8", GW_AS_UTF8, parse_sized},
		{"utf16be", GW_AS_UTF16BE, parse_sized},
		{"utf16le", GW_AS_UTF16LE, parse_sized},
		{"raw", GW_AS_RAW, parse_sized},
		{"num", GW_AS_NUM, parse_plain},
		{"text", GW_AS_TEXT, parse_plain},
		{"hms", GW_AS_HMS, parse_plain},
		{"hm", GW_AS_HM, parse_plain},
		{"hex", GW_AS_HEX, parse_sized},
		{"u", GW_AS_UNSIGNED, parse_number_type},
		{"s", GW_AS_SIGNED, parse_number_type},
		{"f", GW_AS_FLOAT, parse_number_type},
	};
	struct gw_as as = {0};
	struct gw_str rest = s;
	if (take(&rest, "bcd")) {
		int r = parse_bcd(rest, &as);
		if (r == 0) {
			*ret_as = as;
		}
		return r;
	}
	for (size_t i = 0; i < gw_countof(types); i++) {
		rest = s;
		as = (struct gw_as){0};
		if (take(&rest, types[i].prefix) && types[i].parse(rest, types[i].kind, &as) == 0) {
			*ret_as = as;
			return 0;
		}
	}
	return -EINVAL;
}

/* --- bytes → value --- */

static struct gw_cooked cooked_number(double v)
{
	struct gw_raw r = gw_raw_number(v);
	struct gw_cooked c = {.type = r.type};
	if (r.type == GW_RAW_NUMBER) {
		c.number = r.number;
	}
	return c;
}

/* Position of the i-th most significant byte. */
static size_t significant(const struct gw_as *as, size_t i)
{
	size_t n = as->size;
	size_t at = as->little ? n - 1 - i : i;
	if (!as->swapped) {
		return at;
	}
	size_t word = i / 2, last = n / 2 - 1; /* 16-bit words in reversed order */
	size_t j = (last - word) * 2 + i % 2;
	return as->little ? n - 1 - j : j;
}

static uint64_t load(const struct gw_as *as, const uint8_t *p)
{
	uint64_t v = 0;
	for (size_t i = 0; i < as->size; i++) {
		v = v << 8 | p[significant(as, i)];
	}
	return v;
}

static void store(const struct gw_as *as, uint64_t v, uint8_t *p)
{
	for (size_t i = as->size; i-- > 0;) {
		p[significant(as, i)] = (uint8_t)v;
		v >>= 8;
	}
}

static double integer(const struct gw_as *as, const uint8_t *p)
{
	uint64_t v = load(as, p);
	unsigned bits = as->size * 8u;
	if (as->kind == GW_AS_SIGNED && (v >> (bits - 1)) & 1) {
		uint64_t magnitude =
			(~v + 1) & (bits == 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1);
		return -(double)magnitude;
	}
	return (double)v;
}

bool gw_as_read_integer(const struct gw_as *as, const char *p, double *ret_number)
{
	if (as->kind > GW_AS_SIGNED || as->size > 6) {
		return false;
	}
	*ret_number = integer(as, (const uint8_t *)p);
	return true;
}

static struct gw_cooked read_float(const struct gw_as *as, const uint8_t *p)
{
	uint64_t v = load(as, p);
	if (as->size == 4) {
		uint32_t word = (uint32_t)v;
		float f;
		memcpy(&f, &word, sizeof(f));
		return cooked_number((double)f);
	}
	double d;
	memcpy(&d, &v, sizeof(d));
	return cooked_number(d);
}

static struct gw_cooked read_bcd(const struct gw_as *as, const uint8_t *p)
{
	double v = 0;
	for (size_t i = 0; i < as->size; i++) {
		uint8_t byte = p[as->little ? as->size - 1u - i : i];
		if (byte >> 4 > 9 || (byte & 15) > 9) {
			return (struct gw_cooked){.type = GW_RAW_NULL};
		}
		v = v * 100 + (byte >> 4) * 10 + (byte & 15);
	}
	return cooked_number(v);
}

static struct gw_cooked cooked_text(struct gw_buf *b)
{
	while (b->len > 0 && b->p[b->len - 1] == ' ') {
		gw_buf_truncate(b, b->len - 1);
	}
	if (gw_buf_error(b)) {
		return (struct gw_cooked){.type = GW_RAW_NULL};
	}
	struct gw_str s = gw_buf_str(b);
	return (struct gw_cooked){.type = GW_RAW_TEXT, .text = s.p ? s : GW_STR("")};
}

static struct gw_cooked read_narrow(const struct gw_as *as, struct gw_str bytes, struct gw_buf *b)
{
	size_t n = strnlen(bytes.p, bytes.len);
	struct gw_str s = gw_str_sub(bytes, 0, n);
	bool valid = as->kind == GW_AS_UTF8 ? gw_str_is_utf8(s) : true;
	for (size_t i = 0; as->kind == GW_AS_ASCII && i < n; i++) {
		valid &= s.p[i] >= 0x20 && s.p[i] <= 0x7e;
	}
	if (!valid) {
		return (struct gw_cooked){.type = GW_RAW_NULL};
	}
	gw_buf_add_str(b, s);
	return cooked_text(b);
}

static void put_utf8(struct gw_buf *b, uint32_t c)
{
	if (c < 0x80) {
		gw_buf_putc(b, (char)c);
		return;
	}
	if (c < 0x800) {
		gw_buf_putc(b, (char)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			gw_buf_putc(b, (char)(0xe0 | c >> 12));
		} else {
			gw_buf_putc(b, (char)(0xf0 | c >> 18));
			gw_buf_putc(b, (char)(0x80 | (c >> 12 & 0x3f)));
		}
		gw_buf_putc(b, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	gw_buf_putc(b, (char)(0x80 | (c & 0x3f)));
}

static uint32_t utf16_unit(const struct gw_as *as, struct gw_str s, size_t i)
{
	const uint8_t *p = (const uint8_t *)s.p + i;
	return as->kind == GW_AS_UTF16BE ? (uint32_t)(p[0] << 8 | p[1])
					 : (uint32_t)(p[1] << 8 | p[0]);
}

static struct gw_cooked read_wide(const struct gw_as *as, struct gw_str s, struct gw_buf *b)
{
	const struct gw_cooked invalid = {.type = GW_RAW_NULL};
	if (s.len % 2) {
		return invalid;
	}
	for (size_t i = 0; i < s.len; i += 2) {
		uint32_t c = utf16_unit(as, s, i);
		if (c == 0) {
			break;
		}
		if (c >= 0xd800 && c < 0xe000) {
			uint32_t low = i + 2 < s.len ? utf16_unit(as, s, i + 2) : 0;
			if (c >= 0xdc00 || low < 0xdc00 || low >= 0xe000) {
				return invalid;
			}
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			i += 2;
		}
		put_utf8(b, c);
	}
	return cooked_text(b);
}

static struct gw_cooked read_hex_text(struct gw_str s, struct gw_buf *b)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < s.len; i++) {
		gw_buf_putc(b, digits[(uint8_t)s.p[i] >> 4]);
		gw_buf_putc(b, digits[(uint8_t)s.p[i] & 15]);
	}
	return cooked_text(b);
}

struct gw_cooked gw_as_read_bytes(const struct gw_as *as, struct gw_str bytes,
				  struct gw_buf *scratch)
{
	const uint8_t *p = (const uint8_t *)bytes.p;
	gw_buf_reset(scratch);
	switch (as->kind) {
	case GW_AS_UNSIGNED:
	case GW_AS_SIGNED: return cooked_number(integer(as, p));
	case GW_AS_FLOAT: return read_float(as, p);
	case GW_AS_BCD: return read_bcd(as, p);
	case GW_AS_ASCII:
	case GW_AS_UTF8: return read_narrow(as, bytes, scratch);
	case GW_AS_UTF16BE:
	case GW_AS_UTF16LE: return read_wide(as, bytes, scratch);
	case GW_AS_RAW: return read_hex_text(bytes, scratch);
	case GW_AS_NUM:
	case GW_AS_TEXT:
	case GW_AS_HMS:
	case GW_AS_HM:
	case GW_AS_HEX: break; /* of # references: never asked for here */
	}
	return (struct gw_cooked){.type = GW_RAW_NULL};
}

/* --- value → bytes --- */

static const char *number_of(const struct gw_raw *v, double *ret_number)
{
	if (v->type == GW_RAW_BOOL) {
		*ret_number = v->flag;
	} else if (v->type == GW_RAW_NUMBER) {
		*ret_number = v->number;
	} else {
		return "value";
	}
	return NULL;
}

static const char *whole_of(const struct gw_raw *v, double min, double max, double *ret_number)
{
	const char *code = number_of(v, ret_number);
	if (code) {
		return code;
	}
	if (*ret_number != floor(*ret_number)) {
		return "value";
	}
	return *ret_number < min || *ret_number > max ? "range" : NULL;
}

static const char *write_integer(const struct gw_as *as, const struct gw_raw *v, uint8_t *p)
{
	bool is_signed = as->kind == GW_AS_SIGNED;
	double span = ldexp(1, as->size * 8);
	double number;
	const char *code = whole_of(v, is_signed ? -span / 2 : 0,
				    is_signed ? span / 2 - 1 : span - 1, &number);
	if (!code) {
		store(as, number < 0 ? (uint64_t)(int64_t)number : (uint64_t)number, p);
	}
	return code;
}

static const char *write_float(const struct gw_as *as, const struct gw_raw *v, uint8_t *p)
{
	double number;
	const char *code = number_of(v, &number);
	if (code) {
		return code;
	}
	uint64_t bits;
	if (as->size == 4) {
		float f = (float)number;
		uint32_t word;
		memcpy(&word, &f, sizeof(word));
		bits = word;
	} else {
		memcpy(&bits, &number, sizeof(bits));
	}
	store(as, bits, p);
	return NULL;
}

static const char *write_bcd(const struct gw_as *as, const struct gw_raw *v, uint8_t *p)
{
	double number;
	const char *code = whole_of(v, 0, pow(100, as->size) - 1, &number);
	if (code) {
		return code;
	}
	uint64_t n = (uint64_t)number;
	for (size_t i = 0; i < as->size; i++) {
		uint64_t pair = n % 100;
		p[as->little ? i : as->size - 1u - i] = (uint8_t)(pair / 10 << 4 | pair % 10);
		n /= 100;
	}
	return NULL;
}

static const char *write_narrow(const struct gw_as *as, struct gw_str s, uint8_t *p, size_t len)
{
	for (size_t i = 0; as->kind == GW_AS_ASCII && i < s.len; i++) {
		if (s.p[i] < 0x20 || s.p[i] > 0x7e) {
			return "value";
		}
	}
	if (s.len > len) {
		return "range";
	}
	memset(p, 0, len);
	memcpy(p, s.p, s.len);
	return NULL;
}

/* One code point of valid UTF-8. */
static uint32_t next_code(struct gw_str s, size_t *i)
{
	const uint8_t *p = (const uint8_t *)s.p + *i;
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	uint32_t c = n == 1 ? p[0] : p[0] & (0x7fu >> n);
	for (size_t k = 1; k < n; k++) {
		c = c << 6 | (p[k] & 0x3fu);
	}
	*i += n;
	return c;
}

static const char *write_wide(const struct gw_as *as, struct gw_str s, uint8_t *p, size_t len)
{
	size_t at = 0;
	memset(p, 0, len);
	for (size_t i = 0; i < s.len;) {
		uint32_t c = next_code(s, &i);
		uint32_t units[2] = {c, 0};
		size_t n = 1;
		if (c >= 0x10000) {
			units[0] = 0xd800 + ((c - 0x10000) >> 10);
			units[1] = 0xdc00 + ((c - 0x10000) & 0x3ff);
			n = 2;
		}
		for (size_t k = 0; k < n; k++, at += 2) {
			if (at + 2 > len) {
				return "range";
			}
			bool big = as->kind == GW_AS_UTF16BE;
			p[at + (big ? 0 : 1)] = (uint8_t)(units[k] >> 8);
			p[at + (big ? 1 : 0)] = (uint8_t)units[k];
		}
	}
	return NULL;
}

static const char *write_raw_bytes(struct gw_str s, uint8_t *p, size_t len)
{
	if (s.len != len * 2) {
		return "value";
	}
	for (size_t i = 0; i < len; i++) {
		uint64_t byte;
		if (s.p[i * 2 + 1] == 'x' || gw_parse_hex(gw_str_sub(s, i * 2, 2), &byte) < 0) {
			return "value";
		}
		p[i] = (uint8_t)byte;
	}
	return NULL;
}

const char *gw_as_write_bytes(const struct gw_as *as, const struct gw_raw *v, uint8_t *p,
			      size_t len)
{
	bool text = as->kind >= GW_AS_ASCII && as->kind <= GW_AS_RAW;
	if (text && v->type != GW_RAW_TEXT) {
		return "value";
	}
	if (!text && len != as->size) {
		return "range";
	}
	switch (as->kind) {
	case GW_AS_UNSIGNED:
	case GW_AS_SIGNED: return write_integer(as, v, p);
	case GW_AS_FLOAT: return write_float(as, v, p);
	case GW_AS_BCD: return write_bcd(as, v, p);
	case GW_AS_ASCII:
	case GW_AS_UTF8: return write_narrow(as, gw_text_str(v->text), p, len);
	case GW_AS_UTF16BE:
	case GW_AS_UTF16LE: return write_wide(as, gw_text_str(v->text), p, len);
	case GW_AS_RAW: return write_raw_bytes(gw_text_str(v->text), p, len);
	case GW_AS_NUM:
	case GW_AS_TEXT:
	case GW_AS_HMS:
	case GW_AS_HM:
	case GW_AS_HEX: break;
	}
	return "value";
}

/* --- scalars of # references --- */

static void cooked_text_form(const struct gw_cooked *c, struct gw_buf *b)
{
	switch (c->type) {
	case GW_RAW_NULL: gw_buf_puts(b, "null"); break;
	case GW_RAW_BOOL: gw_buf_puts(b, c->flag ? "true" : "false"); break;
	case GW_RAW_NUMBER: gw_json_write_double(b, c->number); break;
	case GW_RAW_TEXT: gw_buf_add_str(b, c->text); break;
	case GW_RAW_TREE: gw_node_write(b, c->tree, /* source_order= */ false); break;
	}
}

void gw_raw_text_form(const struct gw_raw *r, struct gw_buf *b)
{
	struct gw_cooked c = {.type = r->type};
	switch (r->type) {
	case GW_RAW_NULL: break;
	case GW_RAW_BOOL: c.flag = r->flag; break;
	case GW_RAW_NUMBER: c.number = r->number; break;
	case GW_RAW_TEXT: c.text = gw_text_str(r->text); break;
	case GW_RAW_TREE: c.tree = r->tree; break;
	}
	cooked_text_form(&c, b);
}

/* hh:mm or hh:mm:ss, 1 to 3 digits of hours → seconds, −1: malformed. */
static double parse_time(struct gw_str s, bool seconds_allowed)
{
	struct gw_str part;
	uint64_t v[3] = {0, 0, 0};
	size_t n = 0;
	for (struct gw_str rest = s; gw_str_split(&rest, ':', &part); n++) {
		if (n == 3 || part.len == 0 || part.len > (n == 0 ? 3u : 2u) ||
		    (n > 0 && part.len != 2) || gw_parse_u64(part, &v[n]) < 0 ||
		    (n > 0 && v[n] > 59)) {
			return -1;
		}
	}
	if (n < 2 || (n == 3 && !seconds_allowed)) {
		return -1;
	}
	return (double)(v[0] * 3600 + v[1] * 60 + v[2]);
}

static struct gw_cooked read_hex(const struct gw_as *as, struct gw_str s)
{
	uint64_t v;
	size_t digits = gw_str_starts(s, "0x") ? s.len - 2 : s.len;
	if (gw_parse_hex(s, &v) < 0 || (as->size && digits > as->size)) {
		return (struct gw_cooked){.type = GW_RAW_NULL};
	}
	return cooked_number((double)v);
}

struct gw_cooked gw_as_read_scalar(const struct gw_as *as, const struct gw_cooked *c,
				   struct gw_buf *scratch)
{
	const struct gw_cooked null = {.type = GW_RAW_NULL};
	if (c->type == GW_RAW_NULL || c->type == GW_RAW_TREE) {
		return null;
	}
	if (as->kind == GW_AS_TEXT) {
		if (c->type == GW_RAW_TEXT) {
			return *c;
		}
		gw_buf_reset(scratch);
		cooked_text_form(c, scratch);
		return (struct gw_cooked){.type = GW_RAW_TEXT, .text = gw_buf_str(scratch)};
	}
	if (as->kind == GW_AS_NUM && c->type == GW_RAW_NUMBER) {
		return *c;
	}
	if (c->type != GW_RAW_TEXT) {
		return null;
	}
	if (as->kind == GW_AS_NUM) {
		double v;
		return gw_parse_double(c->text, &v) < 0 ? null : cooked_number(v);
	}
	if (as->kind == GW_AS_HEX) {
		return read_hex(as, c->text);
	}
	double t = parse_time(c->text, as->kind == GW_AS_HMS);
	return t < 0 ? null : cooked_number(t);
}

static const char *write_time(const struct gw_as *as, double v, struct gw_buf *b)
{
	if (as->kind == GW_AS_HM) {
		v = gw_round(v / 60) * 60;
	}
	if (v < 0 || v >= 1000.0 * 3600) {
		return "range";
	}
	unsigned t = (unsigned)v;
	gw_buf_printf(b, "%02u:%02u", t / 3600, t / 60 % 60);
	if (as->kind == GW_AS_HMS) {
		gw_buf_printf(b, ":%02u", t % 60);
	}
	return NULL;
}

const char *gw_as_write_scalar(const struct gw_as *as, const struct gw_raw *v,
			       struct gw_buf *ret_text)
{
	if (as->kind == GW_AS_TEXT || as->kind == GW_AS_NUM) {
		if (v->type == GW_RAW_TREE || v->type == GW_RAW_NULL ||
		    (as->kind == GW_AS_NUM && v->type != GW_RAW_NUMBER && v->type != GW_RAW_BOOL)) {
			return "value";
		}
		gw_raw_text_form(v, ret_text);
		return NULL;
	}
	double number;
	const char *code = whole_of(v, 0, GW_MAX_NUMBER, &number);
	if (code) {
		return code;
	}
	if (as->kind != GW_AS_HEX) {
		return write_time(as, number, ret_text);
	}
	if (as->size && number >= ldexp(1, as->size * 4)) {
		return "range";
	}
	gw_buf_printf(ret_text, "%0*llx", as->size, (unsigned long long)number);
	return NULL;
}
