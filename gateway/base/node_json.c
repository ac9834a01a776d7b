/* JSON text → tree: the bodies of peers, and JSON that programs wrote. */
#include <errno.h>

#include "base/build.h"
#include "gw/json.h"

struct parser {
	struct gw_str text;
	struct gw_json_reader reader;
	struct gw_build build;
	struct gw_buf plain; /* the last text without escapes */
};

static int fail_at_reader(struct parser *p, int err, const char *code, const char *what)
{
	return gw_build_fail(&p->build, err, code, gw_place_of(p->text, gw_json_offset(&p->reader)),
			     "found %s; expected JSON (RFC 8259)", what);
}

static int fail_in_reader(struct parser *p)
{
	const struct gw_json_reader *r = &p->reader;
	size_t at = gw_json_offset(r);
	bool deep = r->depth == r->max_depth && at < p->text.len &&
		    (p->text.p[at] == '{' || p->text.p[at] == '[');
	return deep ? fail_at_reader(p, -E2BIG, "size", r->error)
		    : fail_at_reader(p, -EINVAL, "syntax", r->error);
}

static int unescape(struct parser *p, struct gw_str *ret_text)
{
	*ret_text = p->reader.text;
	if (!p->reader.escaped) {
		return 0;
	}
	gw_buf_reset(&p->plain);
	int r = gw_json_unescape(p->reader.text, &p->plain);
	if (r < 0) {
		return fail_at_reader(p, r, r == -EINVAL ? "syntax" : "size",
				      r == -EINVAL ? "half a surrogate pair"
						   : "a text that takes too much memory");
	}
	*ret_text = gw_buf_str(&p->plain);
	return 0;
}

/* profile-language §1: what binary64 does not hold as an exact integer is null, and -0 is 0. */
static int add_number(struct parser *p)
{
	struct gw_node *n;
	double v = 0;
	int r = gw_build_value(&p->build, (struct gw_place){0}, &n);
	if (r < 0) {
		return r;
	}
	r = gw_parse_double(p->reader.text, &v);
	if (r == 0 && v > -9007199254740992.0 && v < 9007199254740992.0) {
		n->type = GW_NODE_NUMBER;
		n->number = v + 0.0;
	}
	return 0;
}

static int add_constant(struct parser *p, enum gw_json_token token)
{
	struct gw_node *n;
	int r = gw_build_value(&p->build, (struct gw_place){0}, &n);
	if (r == 0 && token != GW_JSON_NULL) {
		n->type = GW_NODE_BOOL;
		n->flag = token == GW_JSON_TRUE;
	}
	return r;
}

/* 1: the value is complete; 0: go on. */
static int add_token(struct parser *p, enum gw_json_token token)
{
	const struct gw_place nowhere = {0};
	struct gw_str text;
	int r;
	switch (token) {
	case GW_JSON_ERROR: return fail_in_reader(p);
	case GW_JSON_END: return 1;
	case GW_JSON_OBJECT: return gw_build_open(&p->build, GW_NODE_MAP, nowhere);
	case GW_JSON_LIST: return gw_build_open(&p->build, GW_NODE_LIST, nowhere);
	case GW_JSON_OBJECT_END:
	case GW_JSON_LIST_END: gw_build_close(&p->build); return 0;
	case GW_JSON_KEY:
		r = unescape(p, &text);
		return r < 0 ? r : gw_build_key(&p->build, text, nowhere);
	case GW_JSON_TEXT:
		r = unescape(p, &text);
		return r < 0 ? r : gw_build_text(&p->build, text, nowhere);
	case GW_JSON_NUMBER: return add_number(p);
	case GW_JSON_TRUE:
	case GW_JSON_FALSE:
	case GW_JSON_NULL: return add_constant(p, token);
	}
	return -EINVAL;
}

int gw_node_parse_json(struct gw_arena *a, struct gw_str text, const struct gw_node_limits *limits,
		       struct gw_node **ret_root, struct gw_error *reterr_)
{
	struct parser p = {.text = text, .plain = GW_BUF_INIT(text.len)};
	gw_build_init(&p.build, a, limits, reterr_);
	gw_json_reader_init(&p.reader, text, GW_BUILD_DEPTH);
	int r = 0;
	if (limits && limits->max_bytes && text.len > limits->max_bytes) {
		r = gw_build_fail(&p.build, -E2BIG, "size", (struct gw_place){1, 1},
				  "a text of %zu bytes, expected at most %zu", text.len,
				  limits->max_bytes);
	}
	while (r == 0) {
		r = add_token(&p, gw_json_next(&p.reader));
	}
	if (r < 0 && reterr_ && reterr_->line == 0) {
		struct gw_place at = gw_place_of(text, gw_json_offset(&p.reader));
		reterr_->line = at.line;
		reterr_->column = at.column;
	}
	if (r > 0) {
		*ret_root = p.build.root;
	}
	gw_buf_fini(&p.plain);
	gw_build_fini(&p.build);
	return r < 0 ? r : 0;
}
