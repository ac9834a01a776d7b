/* YAML subset → tree, from libyaml's events (profile-language.md §1). */
#include <errno.h>
#include <yaml.h>

#include "base/build.h"
#include "base/scalar.h"

static bool is_hex_integer(struct gw_str s)
{
	if (s.len < 3 || s.len > 2 + 13 || s.p[0] != '0' || s.p[1] != 'x') {
		return false;
	}
	uint64_t v;
	return gw_parse_hex(s, &v) == 0;
}

int gw_scalar_set(struct gw_node *n, struct gw_str s)
{
	double v;
	uint64_t hex;
	if (gw_str_is(s, "true") || gw_str_is(s, "false")) {
		n->type = GW_NODE_BOOL;
		n->flag = s.p[0] == 't';
		return 0;
	}
	if (gw_str_is(s, "null")) {
		n->type = GW_NODE_NULL;
		return 0;
	}
	if (is_hex_integer(s) && gw_parse_hex(s, &hex) == 0) {
		n->type = GW_NODE_NUMBER;
		n->number = (double)hex; /* at most 52 bits */
		return 0;
	}
	int r = gw_parse_double(s, &v); /* its grammar is the one of §1 */
	if (r == -ERANGE || (r == 0 && (v >= 9007199254740992.0 || v <= -9007199254740992.0))) {
		return -ERANGE;
	}
	if (r == 0) {
		n->type = GW_NODE_NUMBER;
		n->number = v + 0.0; /* -0 is 0 */
		return 0;
	}
	n->type = GW_NODE_TEXT;
	n->text = s;
	return 0;
}

struct parser {
	struct gw_str text;
	yaml_parser_t yaml;
	struct gw_build build;
	unsigned documents;
	bool done;
	size_t last_end; /* index of the character where the last event ends (a map: begins) */
	/* Where the character with index `index` begins: libyaml counts characters, and marks only grow. */
	size_t index, offset;
};

static struct gw_place place_of(const yaml_mark_t *m)
{
	return (struct gw_place){(uint32_t)m->line + 1, (uint32_t)m->column + 1};
}

static int refuse(struct parser *p, const yaml_mark_t *at, const char *found, const char *expected)
{
	return gw_build_fail(&p->build, -EINVAL, "syntax", place_of(at), "found %s, expected %s",
			     found, expected);
}

static int fail_in_yaml(struct parser *p)
{
	const yaml_parser_t *y = &p->yaml;
	const char *problem = y->problem ? y->problem : "not YAML";
	switch (y->error) {
	case YAML_MEMORY_ERROR:
		return gw_build_fail(&p->build, -ENOMEM, "size", place_of(&y->mark),
				     "needs more memory than there is");
	case YAML_READER_ERROR:
		return gw_build_fail(&p->build, -EINVAL, "syntax",
				     /* its reader knows only the byte */
				     gw_place_of(p->text, y->problem_offset),
				     "%s, expected printable UTF-8", problem);
	case YAML_SCANNER_ERROR:
	case YAML_PARSER_ERROR:
	case YAML_NO_ERROR:
	case YAML_COMPOSER_ERROR:
	case YAML_WRITER_ERROR:
	case YAML_EMITTER_ERROR: break;
	}
	return gw_build_fail(&p->build, -EINVAL, "syntax", place_of(&y->problem_mark), "%s%s%s",
			     y->context ? y->context : "", y->context ? ": " : "", problem);
}

/* True when the next event is a key: a map is open and none of its keys waits for a value. */
static bool wants_key(const struct gw_build *b)
{
	return b->depth > 0 && b->open[b->depth - 1]->type == GW_NODE_MAP && !b->member;
}

static size_t byte_of(struct parser *p, size_t index)
{
	while (p->index < index && p->offset < p->text.len) {
		do {
			p->offset++;
		} while (p->offset < p->text.len &&
			 ((unsigned char)p->text.p[p->offset] & 0xc0) == 0x80);
		p->index++;
	}
	return p->offset;
}

/*
 * "? key" has the same events as "key". Between the last event and a key stand only blanks, comments and indicators,
 * so a question mark there is the one of an explicit key.
 */
static bool is_explicit_key(struct parser *p, const yaml_mark_t *start)
{
	size_t i = byte_of(p, p->last_end), end = byte_of(p, start->index);
	bool comment = false;
	for (; i < end; i++) {
		char c = p->text.p[i];
		if (!comment && c == '?') {
			return true;
		}
		comment = comment ? c != '\n' && c != '\r' : c == '#';
	}
	return false;
}

static int add_key(struct parser *p, const yaml_event_t *e, struct gw_str text)
{
	if (text.len == 0 && e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
		return refuse(p, &e->start_mark, "no key", "a key before the colon");
	}
	if (e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && gw_str_is(text, "<<")) {
		return refuse(p, &e->start_mark, "a merge key (<<)", "the members themselves");
	}
	if (is_explicit_key(p, &e->start_mark)) {
		return refuse(p, &e->start_mark, "a complex key (?)", "key: value");
	}
	return gw_build_key(&p->build, text, place_of(&e->start_mark));
}

static int add_plain(struct parser *p, const yaml_event_t *e, struct gw_str text)
{
	struct gw_node value = {0}, *n;
	if (text.len == 0) {
		return refuse(p, &e->start_mark, "no value",
			      "a value (\"\" for an empty text, null for none)");
	}
	if (gw_scalar_set(&value, text) < 0) {
		return gw_build_fail(&p->build, -EINVAL, "syntax", place_of(&e->start_mark),
				     "found the number %.40s, expected a magnitude below 2^53",
				     text.p);
	}
	if (value.type == GW_NODE_TEXT) {
		return gw_build_text(&p->build, text, place_of(&e->start_mark));
	}
	int r = gw_build_value(&p->build, place_of(&e->start_mark), &n);
	if (r < 0) {
		return r;
	}
	n->type = value.type;
	if (value.type == GW_NODE_NUMBER) {
		n->number = value.number;
	} else if (value.type == GW_NODE_BOOL) {
		n->flag = value.flag;
	}
	return 0;
}

static int refuse_properties(struct parser *p, const yaml_event_t *e, const yaml_char_t *anchor,
			     const yaml_char_t *tag)
{
	if (anchor) {
		return refuse(p, &e->start_mark, "an anchor (&)", "a plain value");
	}
	return tag ? refuse(p, &e->start_mark, "a tag (!)", "a plain value") : 0;
}

static int on_scalar(struct parser *p, const yaml_event_t *e)
{
	int r = refuse_properties(p, e, e->data.scalar.anchor, e->data.scalar.tag);
	if (r < 0) {
		return r;
	}
	struct gw_str text = {(const char *)e->data.scalar.value, e->data.scalar.length};
	if (wants_key(&p->build)) {
		return add_key(p, e, text);
	}
	return e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE
		       ? add_plain(p, e, text)
		       : gw_build_text(&p->build, text, place_of(&e->start_mark));
}

static int on_open(struct parser *p, const yaml_event_t *e)
{
	bool map = e->type == YAML_MAPPING_START_EVENT;
	int r = map ? refuse_properties(p, e, e->data.mapping_start.anchor,
					e->data.mapping_start.tag)
		    : refuse_properties(p, e, e->data.sequence_start.anchor,
					e->data.sequence_start.tag);
	if (r < 0) {
		return r;
	}
	if (wants_key(&p->build)) {
		return refuse(p, &e->start_mark, map ? "a map as key" : "a list as key", "a text");
	}
	return gw_build_open(&p->build, map ? GW_NODE_MAP : GW_NODE_LIST, place_of(&e->start_mark));
}

static int on_document(struct parser *p, const yaml_event_t *e)
{
	if (e->data.document_start.version_directive ||
	    e->data.document_start.tag_directives.start !=
		    e->data.document_start.tag_directives.end) {
		return refuse(p, &e->start_mark, "a directive (%)", "the document itself");
	}
	if (p->documents++ > 0) {
		return refuse(p, &e->start_mark, "a second document", "one document");
	}
	return 0;
}

static int on_end(struct parser *p, const yaml_event_t *e)
{
	p->done = true;
	return p->build.root
		       ? 0
		       : gw_build_fail(&p->build, -ENODATA, "syntax", place_of(&e->start_mark),
				       "found nothing, expected a value");
}

static int on_event(struct parser *p, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT: return on_document(p, e);
	case YAML_STREAM_END_EVENT: return on_end(p, e);
	case YAML_ALIAS_EVENT: return refuse(p, &e->start_mark, "an alias (*)", "a plain value");
	case YAML_SCALAR_EVENT: return on_scalar(p, e);
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT: return on_open(p, e);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT: gw_build_close(&p->build); return 0;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT: return 0;
	}
	return -EINVAL;
}

static int parse(struct parser *p)
{
	int r = 0;
	while (r == 0 && !p->done) {
		yaml_event_t event;
		if (!yaml_parser_parse(&p->yaml, &event)) {
			return fail_in_yaml(p);
		}
		r = on_event(p, &event);
		/* The begin of a pair in a list, [? a : b], has the question mark inside of its own marks. */
		p->last_end = event.type == YAML_MAPPING_START_EVENT ? event.start_mark.index
								     : event.end_mark.index;
		yaml_event_delete(&event);
	}
	return r;
}

int gw_node_parse_yaml(struct gw_arena *a, struct gw_str text, const struct gw_node_limits *limits,
		       struct gw_node **ret_root, struct gw_error *reterr_)
{
	if (gw_str_starts(text, "\xef\xbb\xbf")) { /* a byte order mark says nothing in UTF-8 */
		text = gw_str_sub(text, 3, text.len);
	}
	struct parser p = {.text = text};
	gw_build_init(&p.build, a, limits, reterr_);
	if (limits && limits->max_bytes && text.len > limits->max_bytes) {
		return gw_build_fail(&p.build, -E2BIG, "size", (struct gw_place){1, 1},
				     "a text of %zu bytes, expected at most %zu", text.len,
				     limits->max_bytes);
	}
	if (!yaml_parser_initialize(&p.yaml)) {
		return gw_build_fail(&p.build, -ENOMEM, "size", (struct gw_place){1, 1},
				     "needs more memory than there is");
	}
	yaml_parser_set_encoding(&p.yaml, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&p.yaml, (const unsigned char *)(text.p ? text.p : ""),
				     text.len);
	int r = parse(&p);
	if (r == 0) {
		*ret_root = p.build.root;
	}
	yaml_parser_delete(&p.yaml);
	gw_build_fini(&p.build);
	return r;
}
