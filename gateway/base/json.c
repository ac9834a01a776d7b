#include "gw/json.h"

#include <errno.h>

#include "base/utf8.h"

/* What may come next. FIRST_* are right after an opening bracket, where the closing one may follow. */
enum state { VALUE, FIRST_KEY, FIRST_ITEM, AFTER, FAILED };

/* How a byte acts inside a text. */
enum { PLAIN, QUOTE, BACKSLASH, HIGH, CONTROL };
#define C4 CONTROL, CONTROL, CONTROL, CONTROL
#define H16                                                                                        \
	HIGH, HIGH, HIGH, HIGH, HIGH, HIGH, HIGH, HIGH, HIGH, HIGH, HIGH, HIGH, HIGH, HIGH, HIGH,  \
		HIGH
static const uint8_t text_class[256] = {
	C4,	     C4,  C4,  C4,  C4,	 C4,  C4,  C4,	['"'] = QUOTE, ['\\'] = BACKSLASH,
	[128] = H16, H16, H16, H16, H16, H16, H16, H16,
};
#undef C4
#undef H16

void gw_json_reader_init(struct gw_json_reader *r, struct gw_str s, uint8_t max_depth)
{
	static const char nothing[1];
	const char *p = s.p ? s.p : nothing;
	*r = (struct gw_json_reader){
		.start = p,
		.p = p,
		.end = p + s.len,
		.max_depth = max_depth < 64 ? max_depth : 64,
		.state = VALUE,
	};
}

size_t gw_json_offset(const struct gw_json_reader *r)
{
	return (size_t)(r->p - r->start);
}

static enum gw_json_token fail(struct gw_json_reader *r, const char *error)
{
	if (r->state != FAILED) {
		r->error = error;
		r->state = FAILED;
		r->end = r->p; /* the offset stays */
	}
	return GW_JSON_ERROR;
}

static inline void skip_blanks(struct gw_json_reader *r)
{
	const char *p = r->p;
	while (p < r->end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) {
		p++;
	}
	r->p = p;
}

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex4(const char *p)
{
	for (int i = 0; i < 4; i++) {
		char low = (char)(p[i] | 0x20);
		if (!is_digit(p[i]) && !(low >= 'a' && low <= 'f')) {
			return false;
		}
	}
	return true;
}

/* p is behind a backslash; returns the length of the rest of the escape, or 0. */
static size_t escape_len(const char *p, const char *end)
{
	if (p == end) {
		return 0;
	}
	switch (*p) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't': return 1;
	case 'u': return end - p >= 5 && is_hex4(p + 1) ? 5 : 0;
	default: return 0;
	}
}

/* r->p is behind the opening quote. */
static bool read_text(struct gw_json_reader *r)
{
	const char *p = r->p, *end = r->end;
	r->escaped = false;
	for (;;) {
		while (p < end && text_class[(unsigned char)*p] == PLAIN) {
			p++;
		}
		if (p == end) {
			r->p = p;
			fail(r, "a text without closing quote");
			return false;
		}
		size_t n = 0;
		const char *error;
		switch (text_class[(unsigned char)*p]) {
		case QUOTE:
			r->text = (struct gw_str){r->p, (size_t)(p - r->p)};
			r->p = p + 1;
			return true;
		case BACKSLASH:
			n = escape_len(p + 1, end);
			n += n > 0;
			r->escaped = true;
			error = "a backslash that begins no escape";
			break;
		case HIGH:
			n = gw_utf8_len((const unsigned char *)p, (const unsigned char *)end);
			error = "bytes that are not UTF-8";
			break;
		default: error = "a control character inside a text"; break;
		}
		if (n == 0) {
			r->p = p;
			fail(r, error);
			return false;
		}
		p += n;
	}
}

/* RFC 8259 §6 */
static enum gw_json_token read_number(struct gw_json_reader *r)
{
	const char *p = r->p, *end = r->end;
	p += *p == '-';
	if (p < end && *p == '0') {
		p++;
	} else {
		const char *from = p;
		while (p < end && is_digit(*p)) {
			p++;
		}
		if (p == from) {
			return fail(r, "a minus sign without a number");
		}
	}
	if (p < end && *p == '.') {
		const char *from = ++p;
		while (p < end && is_digit(*p)) {
			p++;
		}
		if (p == from) {
			return fail(r, "a decimal point without digits behind it");
		}
	}
	if (p < end && (*p | 0x20) == 'e') {
		p++;
		p += p < end && (*p == '+' || *p == '-');
		const char *from = p;
		while (p < end && is_digit(*p)) {
			p++;
		}
		if (p == from) {
			return fail(r, "an exponent without digits");
		}
	}
	r->text = (struct gw_str){r->p, (size_t)(p - r->p)};
	r->p = p;
	r->state = AFTER;
	return GW_JSON_NUMBER;
}

static enum gw_json_token read_word(struct gw_json_reader *r)
{
	static const struct {
		struct gw_str word;
		enum gw_json_token token;
	} words[] = {
		{{"true", 4}, GW_JSON_TRUE},
		{{"false", 5}, GW_JSON_FALSE},
		{{"null", 4}, GW_JSON_NULL},
	};
	size_t left = (size_t)(r->end - r->p);
	for (size_t i = 0; i < gw_countof(words); i++) {
		size_t n = words[i].word.len;
		if (left >= n && memcmp(r->p, words[i].word.p, n) == 0) {
			r->p += n;
			r->state = AFTER;
			return words[i].token;
		}
	}
	return fail(r, "neither a value nor a closing bracket");
}

static enum gw_json_token open_container(struct gw_json_reader *r, bool object)
{
	if (r->depth >= r->max_depth) {
		return fail(r, "nesting that is too deep");
	}
	uint64_t bit = UINT64_C(1) << r->depth++;
	r->objects = object ? r->objects | bit : r->objects & ~bit;
	r->state = object ? FIRST_KEY : FIRST_ITEM;
	r->p++;
	return object ? GW_JSON_OBJECT : GW_JSON_LIST;
}

static inline bool in_object(const struct gw_json_reader *r)
{
	return r->objects >> (r->depth - 1) & 1;
}

static enum gw_json_token close_container(struct gw_json_reader *r)
{
	bool object = in_object(r);
	if (*r->p != (object ? '}' : ']')) {
		return fail(r, object ? "neither a comma nor a closing brace after a member"
				      : "neither a comma nor a closing bracket after an item");
	}
	r->depth--;
	r->p++;
	r->state = AFTER;
	return object ? GW_JSON_OBJECT_END : GW_JSON_LIST_END;
}

static inline enum gw_json_token read_key(struct gw_json_reader *r)
{
	if (r->p == r->end || *r->p != '"') {
		return fail(r, "something other than a key in quotes");
	}
	r->p++;
	if (!read_text(r)) {
		return GW_JSON_ERROR;
	}
	if (r->p == r->end || *r->p != ':') {
		skip_blanks(r);
		if (r->p == r->end || *r->p != ':') {
			return fail(r, "a key without a colon");
		}
	}
	r->p++;
	r->state = VALUE;
	return GW_JSON_KEY;
}

static inline enum gw_json_token read_value(struct gw_json_reader *r)
{
	if (r->p == r->end) {
		return fail(r, "the end where a value should be");
	}
	char c = *r->p;
	if (c == '"') {
		r->p++;
		if (!read_text(r)) {
			return GW_JSON_ERROR;
		}
		r->state = AFTER;
		return GW_JSON_TEXT;
	}
	if (c == '-' || is_digit(c)) {
		return read_number(r);
	}
	if (c == '{' || c == '[') {
		return open_container(r, c == '{');
	}
	return read_word(r);
}

enum gw_json_token gw_json_next(struct gw_json_reader *r)
{
	skip_blanks(r);
	switch ((enum state)r->state) {
	case VALUE: return read_value(r);
	case FIRST_KEY: return r->p < r->end && *r->p == '}' ? close_container(r) : read_key(r);
	case FIRST_ITEM: return r->p < r->end && *r->p == ']' ? close_container(r) : read_value(r);
	case AFTER: break;
	case FAILED: return GW_JSON_ERROR;
	}
	if (r->depth == 0) {
		return r->p == r->end ? GW_JSON_END : fail(r, "something after the value");
	}
	if (r->p == r->end) {
		return fail(r, "the end inside of brackets");
	}
	if (*r->p != ',') {
		return close_container(r);
	}
	r->p++;
	skip_blanks(r);
	return in_object(r) ? read_key(r) : read_value(r);
}

bool gw_json_skip(struct gw_json_reader *r)
{
	unsigned open = 0;
	do {
		switch (gw_json_next(r)) {
		case GW_JSON_ERROR:
		case GW_JSON_END: return false;
		case GW_JSON_OBJECT:
		case GW_JSON_LIST: open++; break;
		case GW_JSON_OBJECT_END:
		case GW_JSON_LIST_END:
			if (open == 0) {
				return false; /* there was no value to pass over */
			}
			open--;
			break;
		case GW_JSON_KEY:
		case GW_JSON_TEXT:
		case GW_JSON_NUMBER:
		case GW_JSON_TRUE:
		case GW_JSON_FALSE:
		case GW_JSON_NULL: break;
		}
	} while (open > 0);
	return true;
}

/* p is at four hex digits; false when there are none. */
static bool read_unit(const char *p, const char *end, uint32_t *ret_unit)
{
	uint64_t v;
	if (end - p < 4 || !is_hex4(p) || gw_parse_hex((struct gw_str){p, 4}, &v) < 0) {
		return false;
	}
	*ret_unit = (uint32_t)v;
	return true;
}

/* *p is behind "\u"; moves it behind the character, which may be a pair of surrogates (RFC 8259 §7). */
static bool read_code_point(const char **p, const char *end, uint32_t *ret_c)
{
	uint32_t c, low;
	if (!read_unit(*p, end, &c)) {
		return false;
	}
	*p += 4;
	if (c >= 0xd800 && c <= 0xdfff) {
		if (c > 0xdbff || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u' ||
		    !read_unit(*p + 2, end, &low) || low < 0xdc00 || low > 0xdfff) {
			return false;
		}
		*p += 6;
		c = 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff));
	}
	*ret_c = c;
	return true;
}

int gw_json_unescape(struct gw_str raw, struct gw_buf *b)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *p = raw.p, *end = raw.p + raw.len;
	while (p < end) {
		const char *stop = memchr(p, '\\', (size_t)(end - p));
		if (!stop) {
			stop = end;
		}
		gw_buf_add(b, p, (size_t)(stop - p));
		p = stop;
		if (p == end) {
			break;
		}
		if (++p == end) {
			return -EINVAL;
		}
		char c = *p++;
		const char *known = memchr(from, c, sizeof(from) - 1);
		if (known) {
			gw_buf_putc(b, to[known - from]);
			continue;
		}
		uint32_t code;
		char utf8[4];
		if (c != 'u' || !read_code_point(&p, end, &code)) {
			return -EINVAL;
		}
		gw_buf_add(b, utf8, gw_utf8_encode(code, utf8));
	}
	return gw_buf_error(b);
}

/* RFC 8785 §3.2.2.2: the short escapes where there are, else \u00xx in lower case. */
static void write_escape(struct gw_buf *b, unsigned char c)
{
	static const char short_form[32] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r',
	};
	static const char hex[] = "0123456789abcdef";
	if (c >= 32 || short_form[c]) {
		char text[2] = {'\\', (char)(c >= 32 ? c : short_form[c])};
		gw_buf_add(b, text, sizeof(text));
	} else {
		char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
		gw_buf_add(b, text, sizeof(text));
	}
}

void gw_json_write_text(struct gw_buf *b, struct gw_str s)
{
	const char *p = s.p, *end = s.p + s.len, *run = p;
	gw_buf_putc(b, '"');
	while (p < end) {
		uint8_t class = text_class[(unsigned char)*p];
		size_t n = 1;
		if (class == PLAIN) {
			p++;
			continue;
		}
		if (class == HIGH) {
			n = gw_utf8_len((const unsigned char *)p, (const unsigned char *)end);
			if (n > 0) {
				p += n;
				continue;
			}
		}
		gw_buf_add(b, run, (size_t)(p - run));
		if (n == 0) { /* what is not UTF-8 would spoil the whole document */
			gw_buf_puts(b, "\xef\xbf\xbd");
		} else {
			write_escape(b, (unsigned char)*p);
		}
		run = ++p;
	}
	gw_buf_add(b, run, (size_t)(end - run));
	gw_buf_putc(b, '"');
}
