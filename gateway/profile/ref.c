/* References into messages (profile-language §7): parsing, and what two of them have in common. */
#include <errno.h>

#include "gw/alloc.h"
#include "profile/compile.h"

static uint32_t decimal_index(struct gw_str s)
{
	uint64_t n;
	if (s.len == 0 || s.len > 9 || (s.p[0] == '0' && s.len > 1) || s.p[0] == '-' ||
	    gw_parse_u64(s, &n) < 0) {
		return UINT32_MAX;
	}
	return (uint32_t)n;
}

static size_t find_any(struct gw_str s, const char *set)
{
	size_t i = 0;
	while (i < s.len && !strchr(set, s.p[i])) {
		i++;
	}
	return i;
}

static int selector(struct gw_compiler *c, struct gw_str body, struct gw_step *step)
{
	size_t at = find_any(body, "=:");
	if (at == 0 || at == body.len) {
		return -EINVAL;
	}
	struct gw_str key = gw_str_sub(body, 0, at);
	step->select = true;
	step->number = body.p[at] == ':';
	step->index = decimal_index(key);
	step->positional = step->index != UINT32_MAX;
	step->key = gw_compile_text(c, key);
	step->value = gw_compile_text(c, gw_str_sub(body, at + 1, body.len));
	return step->key && step->value ? 0 : -ENOMEM;
}

/* RFC 6901: ~1 is /, ~0 is ~ */
static int member(struct gw_compiler *c, struct gw_str token, struct gw_step *step)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(4096);
	for (size_t i = 0; i < token.len; i++) {
		char ch = token.p[i];
		if (ch == '~') {
			if (++i == token.len || (token.p[i] != '0' && token.p[i] != '1')) {
				return -EINVAL;
			}
			ch = token.p[i] == '0' ? '~' : '/';
		}
		gw_buf_putc(&b, ch);
	}
	if (gw_buf_error(&b)) {
		return -EINVAL;
	}
	step->key = gw_compile_text(c, gw_buf_str(&b));
	step->index = decimal_index(token);
	return step->key ? 0 : -ENOMEM;
}

/* The text up to the next slash; inside brackets a slash is literal. */
static int next_token(struct gw_str *rest, struct gw_str *ret_token, bool *ret_bracket)
{
	size_t end;
	*ret_bracket = rest->len > 0 && rest->p[0] == '[';
	if (*ret_bracket) {
		end = find_any(*rest, "]");
		if (end == rest->len || (end + 1 < rest->len && rest->p[end + 1] != '/')) {
			return -EINVAL;
		}
		*ret_token = gw_str_sub(*rest, 1, end - 1);
		end++;
	} else {
		end = find_any(*rest, "/");
		*ret_token = gw_str_sub(*rest, 0, end);
	}
	*rest = gw_str_sub(*rest, end, rest->len);
	return 0;
}

static int parse_steps(struct gw_compiler *c, struct gw_str pointer, struct gw_ref *ref)
{
	size_t n = 0;
	for (size_t i = 0; i < pointer.len; i++) {
		n += pointer.p[i] == '/';
	}
	ref->steps = gw_compile_array(c, struct gw_step, n);
	if (!ref->steps) {
		return -ENOMEM;
	}
	while (pointer.len > 0) {
		struct gw_str token;
		bool bracket;
		if (pointer.p[0] != '/') {
			return -EINVAL;
		}
		pointer = gw_str_sub(pointer, 1, pointer.len);
		int r = next_token(&pointer, &token, &bracket);
		if (r < 0) {
			return r;
		}
		struct gw_step *step = &ref->steps[ref->n_steps++];
		r = bracket ? selector(c, token, step) : member(c, token, step);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

/* 12, 12.3, 12.3:4 */
static int parse_byte(struct gw_str s, struct gw_ref *ref)
{
	size_t dot = find_any(s, ".");
	ref->byte = decimal_index(gw_str_sub(s, 0, dot));
	if (ref->byte == UINT32_MAX) {
		return -EINVAL;
	}
	if (dot == s.len) {
		return 0;
	}
	struct gw_str bits = gw_str_sub(s, dot + 1, s.len);
	size_t colon = find_any(bits, ":");
	uint32_t bit = decimal_index(gw_str_sub(bits, 0, colon));
	uint32_t width =
		colon == bits.len ? 1 : decimal_index(gw_str_sub(bits, colon + 1, bits.len));
	if (bit > 7 || width < 1 || width > 8 || bit + width > 8) {
		return -EINVAL;
	}
	ref->bit = (uint8_t)bit;
	ref->width = (uint8_t)width;
	return 0;
}

static int parse_kind(struct gw_compiler *c, char mark, struct gw_str rest, struct gw_ref *ref)
{
	switch (mark) {
	case '#': ref->kind = GW_REF_TREE; return parse_steps(c, rest, ref);
	case '@': ref->kind = GW_REF_BYTE; return parse_byte(rest, ref);
	default:
		ref->kind = GW_REF_OPTION;
		ref->byte = decimal_index(rest);
		return ref->byte == UINT32_MAX ? -EINVAL : 0;
	}
}

/* Does the form of reference exist in bodies of this codec? */
static const char *misfit(const struct gw_pl_msg *m, const struct gw_ref *ref)
{
	if (ref->kind == GW_REF_OPTION) {
		return NULL;
	}
	if (ref->kind != m->codec->refs) {
		return m->codec->refs == GW_REF_BYTE ? "a byte frame is read with msg@12"
						     : "this body is read with msg#/pointer";
	}
	if (m->codec->codec == GW_CODEC_TEXT && ref->n_steps > 0) {
		return "a text body is one scalar: msg#";
	}
	if (m->codec->codec == GW_CODEC_TLV && (ref->n_steps != 1 || ref->steps[0].index > 255)) {
		return "a tag is one decimal number: msg#/33";
	}
	return NULL;
}

static int check_out(struct gw_compiler *c, const struct gw_node *n, const struct gw_ref *ref)
{
	if (ref->kind == GW_REF_OPTION) {
		return gw_refuse(c, n, NULL, "ref", "an option of a message is read only");
	}
	for (uint16_t i = 0; i < ref->n_steps; i++) {
		if (ref->steps[i].positional) {
			return gw_refuse(c, n, NULL, "ref",
					 "[%s=…] selects by position and cannot be written",
					 ref->steps[i].key->s);
		}
	}
	const struct gw_pl_msg *m = &c->plan->msgs[ref->msg];
	if (!m->sendable) {
		return gw_refuse(c, n, NULL, "access",
				 "message \"%s\" cannot be sent: it has no tx, put or post",
				 m->info.name);
	}
	return 0;
}

int gw_compile_ref(struct gw_compiler *c, const struct gw_node *n, bool out, struct gw_ref *ret_ref)
{
	if (n->type != GW_NODE_TEXT) {
		return gw_refuse(c, n, NULL, "schema",
				 "expected a reference like msg#/a/b or msg@3");
	}
	struct gw_str s = n->text;
	size_t mark = find_any(s, "#@%");
	if (mark == s.len || mark == 0) {
		return gw_refuse(c, n, NULL, "ref",
				 "\"" GW_STR_FMT
				 "\" is no reference; expected msg#/a/b, msg@3 or msg%%12",
				 GW_STR_ARG(s));
	}
	int msg = gw_plan_find_msg(c->plan, gw_str_sub(s, 0, mark));
	if (msg < 0) {
		return gw_refuse_msg(c, n, gw_str_sub(s, 0, mark));
	}
	struct gw_ref ref = {.msg = (uint16_t)msg};
	int r = parse_kind(c, s.p[mark], gw_str_sub(s, mark + 1, s.len), &ref);
	if (r == -EINVAL) {
		return gw_refuse(c, n, NULL, "ref", "\"" GW_STR_FMT "\" is malformed",
				 GW_STR_ARG(s));
	}
	if (r < 0) {
		return r;
	}
	const char *why = misfit(&c->plan->msgs[msg], &ref);
	if (why) {
		return gw_refuse(c, n, NULL, "ref", "\"" GW_STR_FMT "\" does not fit codec %s: %s",
				 GW_STR_ARG(s), c->plan->msgs[msg].codec->name, why);
	}
	r = out ? check_out(c, n, &ref) : 0;
	if (r == 0) {
		*ret_ref = ref;
	}
	return r;
}

static bool steps_equal(const struct gw_step *a, const struct gw_step *b)
{
	return a->select == b->select && a->key == b->key && a->value == b->value; /* of one pool */
}

static bool bits_overlap(const struct gw_ref *a, uint32_t a_bytes, const struct gw_ref *b,
			 uint32_t b_bytes)
{
	uint64_t a_from = (uint64_t)a->byte * 8 + a->bit, b_from = (uint64_t)b->byte * 8 + b->bit;
	uint64_t a_to = a_from + (a->width ? a->width : (uint64_t)a_bytes * 8);
	uint64_t b_to = b_from + (b->width ? b->width : (uint64_t)b_bytes * 8);
	return a_from < b_to && b_from < a_to;
}

bool gw_ref_overlaps(const struct gw_ref *a, uint32_t a_bytes, const struct gw_ref *b,
		     uint32_t b_bytes)
{
	if (a->msg != b->msg || a->kind != b->kind) {
		return false;
	}
	if (a->kind == GW_REF_BYTE) {
		return bits_overlap(a, a_bytes, b, b_bytes);
	}
	for (uint16_t i = 0; i < a->n_steps && i < b->n_steps; i++) {
		if (!steps_equal(&a->steps[i], &b->steps[i])) {
			return false;
		}
	}
	return true; /* the same, or one below the other */
}
