/* Bodies from the device's side: what a command carries is read at the out references, a report is written at the in references. */
#include <errno.h>
#include <math.h>

#include "gw/alloc.h"
#include "gw/limits.h"
#include "profile/compose.h"
#include "profile/twin.h"

static struct gw_str keep(struct gw_arena *a, struct gw_str s)
{
	return gw_arena_text(a, s.p ? s : GW_STR(""));
}

/* --- whole bodies --- */

int gw_twin_body_parse(struct gw_arena *a, const struct gw_pl_msg *m, struct gw_str bytes,
		       struct gw_twin_body *ret_body)
{
	struct gw_twin_body body = {.m = m};
	int r = 0;
	if (m->codec->tree) {
		r = m->codec->parse(a, bytes, &body.tree);
	} else {
		body.bytes = keep(a, bytes);
		r = body.bytes.p ? 0 : -ENOMEM;
	}
	if (r == 0) {
		*ret_body = body;
	}
	return r;
}

int gw_twin_body_from_node(struct gw_arena *a, const struct gw_pl_msg *m, const struct gw_node *n,
			   struct gw_twin_body *ret_body)
{
	const struct gw_node *options = gw_node_get(n, "$opt");
	if (n->type == GW_NODE_MAP && (options || gw_node_get(n, "$body"))) {
		n = gw_node_get(n, "$body");
	}
	if (!n) {
		return -EBADMSG;
	}
	struct gw_twin_body body = {.m = m};
	int r = 0;
	if (m->codec->tree && n->type != GW_NODE_TEXT) {
		body.tree = gw_node_copy(a, n);
		r = body.tree ? 0 : -ENOMEM;
	} else {
		GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(GW_BODY_BYTES);
		r = m->codec->bytes
			    ? gw_hex_decode(n->type == GW_NODE_TEXT ? n->text : GW_STR("?"), &b)
			    : gw_node_text_form(n, &b);
		r = r < 0 ? -EBADMSG : gw_twin_body_parse(a, m, gw_buf_str(&b), &body);
	}
	if (r == 0 && options) {
		body.options = gw_node_copy(a, options);
		r = body.options ? 0 : -ENOMEM;
	}
	if (r == 0) {
		*ret_body = body;
	}
	return r;
}

int gw_twin_body_copy(struct gw_arena *a, const struct gw_pl_msg *m,
		      const struct gw_twin_body *from, struct gw_twin_body *ret_body)
{
	struct gw_twin_body body = {.m = m};
	if (!from || !from->m) {
		body.bytes = keep(a, GW_STR(""));
		*ret_body = body;
		return body.bytes.p ? 0 : -ENOMEM;
	}
	if (from->tree) {
		body.tree = gw_node_copy(a, from->tree);
	} else {
		body.bytes = keep(a, from->bytes);
	}
	body.options = from->options ? gw_node_copy(a, from->options) : NULL;
	*ret_body = body;
	return (body.tree || body.bytes.p) && (body.options || !from->options) ? 0 : -ENOMEM;
}

void gw_twin_body_print(const struct gw_twin_body *body, struct gw_buf *b)
{
	static const struct gw_node empty = {.type = GW_NODE_MAP};
	if (body->m->codec->tree) {
		gw_ignore(body->m->codec->print(body->tree ? body->tree : &empty, b));
	} else {
		gw_buf_add_str(b, body->bytes);
	}
}

/* --- reading at a reference --- */

static struct gw_cooked cook(const struct gw_node *n)
{
	struct gw_cooked c = {.type = GW_RAW_NULL};
	struct gw_raw number;
	switch (n->type) {
	case GW_NODE_NULL: break;
	case GW_NODE_BOOL:
		c.type = GW_RAW_BOOL;
		c.flag = n->flag;
		break;
	case GW_NODE_NUMBER:
		number = gw_raw_number(n->number);
		c.type = number.type;
		c.number = n->number;
		break;
	case GW_NODE_TEXT:
		c.type = GW_RAW_TEXT;
		c.text = n->text;
		break;
	case GW_NODE_LIST:
	case GW_NODE_MAP:
		c.type = GW_RAW_TREE;
		c.tree = n;
		break;
	}
	return c;
}

/* A text body has no types: it takes that of what stood there, so that "16" is a number where the device reports numbers. */
static struct gw_cooked typed(struct gw_str text, const struct gw_slot *before)
{
	struct gw_cooked c = {.type = GW_RAW_TEXT, .text = text};
	double v;
	if (before->raw.type == GW_RAW_NUMBER && gw_parse_double(text, &v) == 0) {
		c.type = GW_RAW_NUMBER;
		c.number = v;
	} else if (before->raw.type == GW_RAW_BOOL &&
		   (gw_str_is(text, "true") || gw_str_is(text, "false"))) {
		c.type = GW_RAW_BOOL;
		c.flag = text.p[0] == 't';
	}
	return c;
}

static int store(struct gw_slot *slot, const struct gw_cooked *c)
{
	struct gw_raw raw = {.type = c->type};
	int r;
	switch (c->type) {
	case GW_RAW_NULL: return -ENOENT;
	case GW_RAW_BOOL: raw.flag = c->flag; break;
	case GW_RAW_NUMBER: raw = gw_raw_number(c->number); break;
	case GW_RAW_TREE: raw.tree = c->tree; break;
	case GW_RAW_TEXT:
		raw.text = gw_text_new(c->text);
		if (!raw.text) {
			return -ENOMEM;
		}
		r = gw_slot_set(slot, &raw);
		gw_text_unref(raw.text);
		return r;
	}
	return gw_slot_set(slot, &raw);
}

static const struct gw_as byte_type = {.kind = GW_AS_UNSIGNED, .size = 1};

/* The bytes of a type from an offset; p is NULL beyond the frame. */
static struct gw_str span(struct gw_str frame, uint32_t offset, size_t size)
{
	if (offset >= frame.len || frame.len - offset < size) {
		return (struct gw_str){NULL, 0};
	}
	return gw_str_sub(frame, offset, size ? size : frame.len);
}

static int get_bytes(struct gw_twin *t, struct gw_str frame, const struct gw_ref *ref,
		     const struct gw_pl_point *p, struct gw_slot *slot)
{
	const struct gw_as *as = p && p->has_as ? &p->as : &byte_type;
	bool list = p && p->list;
	struct gw_str s = span(frame, ref->byte, ref->width ? 1 : list ? 0 : as->size);
	if (!s.p) {
		return -ENOENT;
	}
	if (ref->width) {
		unsigned bits = (unsigned)(uint8_t)s.p[0] >> ref->bit & ((1u << ref->width) - 1);
		return store(slot, &(struct gw_cooked){.type = GW_RAW_NUMBER, .number = bits});
	}
	if (list) {
		struct gw_arena *a = gw_arena_new(GW_TWIN_ARENA_BYTES);
		const struct gw_node *n = a ? gw_packing_read(p->list, s, a) : NULL;
		int r = n ? store(slot, &(struct gw_cooked){.type = GW_RAW_TREE, .tree = n})
			  : -ENOMEM;
		gw_arena_free(a);
		return r;
	}
	struct gw_cooked c = gw_as_read_bytes(as, s, &t->b->scratch);
	return store(slot, &c);
}

/* Where the value of a tag lies, and where what can be read ends. */
struct tag_place {
	bool found;
	size_t at, end;
	struct gw_as as;
};

/* `tag type value` with types, else `tag length value` (§6). */
static struct tag_place find_tag(const struct gw_pl_msg *m, struct gw_str frame,
				 const struct gw_ref *ref)
{
	struct tag_place place = {.found = false};
	while (place.end + 2 <= frame.len && ref->n_steps == 1) {
		uint8_t tag = (uint8_t)frame.p[place.end], second = (uint8_t)frame.p[place.end + 1];
		struct gw_as as = {.kind = second <= 6 ? GW_AS_UNSIGNED : GW_AS_RAW,
				   .size = second};
		uint16_t i = 0;
		while (i < m->n_types && m->types[i].code != second) {
			i++;
		}
		if (m->n_types > 0 && i == m->n_types) {
			break; /* an unknown type ends the block */
		}
		as = m->n_types > 0 ? m->types[i].as : as;
		if (frame.len - place.end - 2 < as.size) {
			break;
		}
		if (tag == ref->steps[0].index) { /* the last one counts */
			place.found = true;
			place.at = place.end + 2;
			place.as = as;
		}
		place.end += 2 + (size_t)as.size;
	}
	return place;
}

/* Types say how a value is read, else the point does when it is no longer than the value. */
static bool tag_type(const struct gw_pl_msg *m, const struct gw_pl_point *p,
		     struct tag_place *place)
{
	if (m->n_types == 0 && p && p->has_as) {
		bool fits = p->as.size <= place->as.size;
		uint16_t size = p->as.size ? p->as.size : place->as.size;
		place->as = p->as;
		place->as.size = size;
		return fits;
	}
	return true;
}

static int get_tag(struct gw_twin *t, const struct gw_twin_body *body, const struct gw_ref *ref,
		   const struct gw_pl_point *p, struct gw_slot *slot)
{
	struct tag_place place = find_tag(body->m, body->bytes, ref);
	if (!place.found || !tag_type(body->m, p, &place)) {
		return -ENOENT;
	}
	struct gw_cooked c = gw_as_read_bytes(
		&place.as, gw_str_sub(body->bytes, place.at, place.as.size), &t->b->scratch);
	return store(slot, &c);
}

/* A packed list stands as text in its parent's tree. */
static int get_packed(struct gw_twin *t, const struct gw_node *n, const struct gw_pl_point *p,
		      struct gw_slot *slot)
{
	GW_AUTO(gw_buf_fini) struct gw_buf bytes = GW_BUF_INIT(GW_FRAME_BYTES);
	const struct gw_ref start = {.kind = GW_REF_BYTE};
	if (n->type != GW_NODE_TEXT || gw_layer_decode(p->pack, n->text, &bytes) < 0) {
		return -ENOENT;
	}
	return get_bytes(t, gw_buf_str(&bytes), &start, p, slot);
}

/* Options stand under their decimal number. */
static struct gw_str option_key(const struct gw_ref *ref, struct gw_buf *b)
{
	gw_buf_printf(b, "%u", (unsigned)ref->byte);
	return gw_buf_str(b);
}

static int get_option(const struct gw_twin_body *body, const struct gw_ref *ref,
		      struct gw_slot *slot)
{
	GW_AUTO(gw_buf_fini) struct gw_buf key = GW_BUF_INIT(16);
	const struct gw_node *n = gw_node_get_str(body->options, option_key(ref, &key));
	if (!n) {
		return -ENOENT;
	}
	struct gw_cooked c = cook(n);
	return store(slot, &c);
}

int gw_twin_body_get(struct gw_twin *t, const struct gw_twin_body *body, const struct gw_ref *ref,
		     const struct gw_pl_point *p, struct gw_slot *slot)
{
	if (ref->kind == GW_REF_OPTION) {
		return get_option(body, ref, slot);
	}
	if (ref->kind == GW_REF_BYTE) {
		return get_bytes(t, body->bytes, ref, p, slot);
	}
	struct gw_cooked c;
	if (body->m->codec->tree) {
		const struct gw_node *n = body->tree ? gw_path_get(body->tree, ref) : NULL;
		if (!n) {
			return -ENOENT;
		}
		if (p && p->list) {
			return get_packed(t, n, p, slot);
		}
		c = cook(n);
	} else if (body->m->codec->bytes) {
		return get_tag(t, body, ref, p, slot);
	} else {
		c = p && p->has_as ? (struct gw_cooked){.type = GW_RAW_TEXT, .text = body->bytes}
				   : typed(body->bytes, slot);
	}
	if (p && p->has_as && !gw_as_is_bytes(&p->as)) {
		c = gw_as_read_scalar(&p->as, &c, &t->b->scratch);
	}
	return store(slot, &c);
}

/* --- writing at a reference --- */

/* old: what stands there; a number that is read with `as: num` stays one. */
static struct gw_node *node_of(struct gw_arena *a, const struct gw_pl_point *p,
			       const struct gw_raw *raw, const struct gw_node *old)
{
	bool plain =
		p && p->has_as && p->as.kind == GW_AS_NUM && old && old->type == GW_NODE_NUMBER;
	if (p && p->has_as && !plain && raw->type != GW_RAW_NULL) {
		GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
		return gw_as_write_scalar(&p->as, raw, &b) ? NULL
							   : gw_node_new_text(a, gw_buf_str(&b));
	}
	switch (raw->type) {
	case GW_RAW_NULL: return gw_node_new(a, GW_NODE_NULL);
	case GW_RAW_BOOL: return gw_node_new_bool(a, raw->flag);
	case GW_RAW_NUMBER: return gw_node_new_number(a, raw->number);
	case GW_RAW_TEXT: return gw_node_new_text(a, gw_text_str(raw->text));
	case GW_RAW_TREE: return gw_node_copy(a, raw->tree);
	}
	return NULL;
}

static struct gw_node *packed_node(struct gw_arena *a, const struct gw_pl_point *p,
				   const struct gw_raw *raw)
{
	GW_AUTO(gw_buf_fini) struct gw_buf bytes = GW_BUF_INIT(GW_FRAME_BYTES);
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
	if (raw->type != GW_RAW_TREE || gw_packing_write(p->list, raw->tree, &bytes)) {
		return NULL;
	}
	gw_layer_encode(p->pack, gw_buf_str(&bytes), &text);
	return gw_node_new_text(a, gw_buf_str(&text));
}

/* Makes the frame long enough; returns its bytes to be changed. */
static uint8_t *room(struct gw_arena *a, struct gw_twin_body *body, size_t len)
{
	if (len > GW_FRAME_BYTES) {
		return NULL;
	}
	size_t size = len > body->bytes.len ? len : body->bytes.len;
	uint8_t *frame = gw_arena_alloc(a, size + 1);
	if (frame) {
		memcpy(frame, body->bytes.p, body->bytes.len);
		body->bytes = (struct gw_str){(const char *)frame, size};
	}
	return frame;
}

static int set_bytes(struct gw_arena *a, struct gw_twin_body *body, const struct gw_ref *ref,
		     const struct gw_pl_point *p, const struct gw_raw *raw)
{
	const struct gw_as *as = p && p->has_as ? &p->as : &byte_type;
	GW_AUTO(gw_buf_fini) struct gw_buf list = GW_BUF_INIT(GW_FRAME_BYTES);
	size_t size = ref->width ? 1 : as->size;
	if (p && p->list) {
		if (raw->type != GW_RAW_TREE || gw_packing_write(p->list, raw->tree, &list)) {
			return -EINVAL;
		}
		size = list.len;
	} else if (size == 0) { /* to the end of the frame */
		size = body->bytes.len > ref->byte ? body->bytes.len - ref->byte : 0;
	}
	uint8_t *frame = room(a, body, (size_t)ref->byte + size);
	if (!frame) {
		return -EINVAL;
	}
	if (p && p->list) {
		memcpy(frame + ref->byte, list.p, list.len);
		if (p->list->pad < 0 && raw->tree->count < p->list->count) {
			body->bytes.len = (size_t)ref->byte +
					  list.len; /* only the end of the frame ends it */
		}
		return 0;
	}
	if (!ref->width) {
		return gw_as_write_bytes(as, raw, frame + ref->byte, size) ? -EINVAL : 0;
	}
	double v = raw->type == GW_RAW_BOOL	? raw->flag
		   : raw->type == GW_RAW_NUMBER ? raw->number
						: -1;
	unsigned mask = (1u << ref->width) - 1;
	if (v != trunc(v) || v < 0 || v > mask) {
		return -EINVAL;
	}
	frame[ref->byte] =
		(uint8_t)((frame[ref->byte] & ~(mask << ref->bit)) | ((unsigned)v << ref->bit));
	return 0;
}

/* The code of the first type that is the point's, or the length; -EINVAL: none. */
static int second_of(const struct gw_pl_msg *m, const struct gw_as *as, size_t size)
{
	for (uint16_t i = 0; i < m->n_types; i++) {
		const struct gw_as *x = &m->types[i].as;
		if (x->kind == as->kind && x->size == as->size && x->little == as->little &&
		    x->swapped == as->swapped) {
			return m->types[i].code;
		}
	}
	return m->n_types == 0 && size <= UINT8_MAX ? (int)size : -EINVAL;
}

/* A new item behind what can be read: of a repeated tag the last counts. */
static int add_tag(struct gw_arena *a, struct gw_twin_body *body, const struct gw_ref *ref,
		   const struct gw_pl_point *p, const struct gw_raw *raw, size_t end)
{
	const struct gw_as *as = p->has_as ? &p->as : &byte_type;
	size_t size = as->size ? as->size : raw->type == GW_RAW_TEXT ? raw->text->len : 0;
	int second = second_of(body->m, as, size);
	size_t len = body->bytes.len;
	if (second < 0 || ref->n_steps != 1) {
		return -EINVAL;
	}
	uint8_t *frame = room(a, body, len + 2 + size);
	if (!frame) {
		return -EINVAL;
	}
	memmove(frame + end + 2 + size, frame + end, len - end);
	frame[end] = (uint8_t)ref->steps[0].index;
	frame[end + 1] = (uint8_t)second;
	return gw_as_write_bytes(as, raw, frame + end + 2, size) ? -EINVAL : 0;
}

/* An item that is there takes the value when it has the size for it. */
static int set_tag(struct gw_arena *a, struct gw_twin_body *body, const struct gw_ref *ref,
		   const struct gw_pl_point *p, const struct gw_raw *raw)
{
	struct tag_place place = find_tag(body->m, body->bytes, ref);
	uint16_t size = place.as.size;
	if (!place.found || !tag_type(body->m, p, &place) || place.as.size != size) {
		return p ? add_tag(a, body, ref, p, raw, place.end) : -EINVAL;
	}
	uint8_t *frame = room(a, body, place.at + size);
	return frame && !gw_as_write_bytes(&place.as, raw, frame + place.at, size) ? 0 : -EINVAL;
}

static int set_text(struct gw_arena *a, struct gw_twin_body *body, const struct gw_pl_point *p,
		    const struct gw_raw *raw)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
	if (raw->type == GW_RAW_TREE) {
		return -EINVAL;
	}
	if (p && p->has_as && raw->type != GW_RAW_NULL) {
		if (gw_as_write_scalar(&p->as, raw, &b)) {
			return -EINVAL;
		}
	} else if (raw->type != GW_RAW_NULL) {
		gw_raw_text_form(raw, &b);
	}
	body->bytes = keep(a, gw_buf_str(&b));
	return body->bytes.p ? gw_buf_error(&b) : -ENOMEM;
}

static int set_option(struct gw_arena *a, struct gw_twin_body *body, const struct gw_ref *ref,
		      const struct gw_raw *raw)
{
	GW_AUTO(gw_buf_fini) struct gw_buf key = GW_BUF_INIT(16);
	struct gw_node *n = node_of(a, /* p= */ NULL, raw, /* old= */ NULL);
	body->options = body->options ? body->options : gw_node_new(a, GW_NODE_MAP);
	return n && body->options ? gw_node_set(a, body->options, option_key(ref, &key), n)
				  : -ENOMEM;
}

int gw_twin_body_set(struct gw_arena *a, struct gw_twin_body *body, const struct gw_ref *ref,
		     const struct gw_pl_point *p, const struct gw_raw *raw)
{
	if (ref->kind == GW_REF_OPTION) {
		return set_option(a, body, ref, raw);
	}
	if (ref->kind == GW_REF_BYTE) {
		return set_bytes(a, body, ref, p, raw);
	}
	if (!body->m->codec->tree) {
		return body->m->codec->bytes ? set_tag(a, body, ref, p, raw)
					     : set_text(a, body, p, raw);
	}
	const struct gw_node *old = body->tree ? gw_path_get(body->tree, ref) : NULL;
	if (raw->type == GW_RAW_NULL && !old) {
		return 0; /* nothing is said where nothing was */
	}
	struct gw_node *n = p && p->list ? packed_node(a, p, raw) : node_of(a, p, raw, old);
	return n ? gw_path_set(a, &body->tree, ref, n) : -EINVAL;
}

/* --- layers --- */

int gw_twin_layer_open(struct gw_arena *a, const struct gw_twin_body *parent,
		       const struct gw_pl_msg *m, struct gw_twin_body *ret_body)
{
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_BODY_BYTES);
	GW_AUTO(gw_buf_fini) struct gw_buf bytes = GW_BUF_INIT(GW_BODY_BYTES);
	if (m->from->kind == GW_REF_BYTE) {
		struct gw_str s = span(parent->bytes, m->from->byte, m->len);
		if (!s.p) {
			return -EBADMSG;
		}
		return gw_twin_body_parse(a, m, s, ret_body);
	}
	const struct gw_node *n = parent->tree ? gw_path_get(parent->tree, m->from) : NULL;
	if (n && n->type != GW_NODE_TEXT && m->decode == GW_DECODE_NONE && m->codec->tree) {
		*ret_body = (struct gw_twin_body){.m = m, .tree = gw_node_copy(a, n)};
		return ret_body->tree ? 0 : -ENOMEM;
	}
	if (!n || gw_node_text_form(n, &text) < 0 ||
	    gw_layer_decode(m->decode, gw_buf_str(&text), &bytes) < 0) {
		return -EBADMSG;
	}
	return gw_twin_body_parse(a, m, gw_buf_str(&bytes), ret_body);
}

int gw_twin_layer_close(struct gw_arena *a, struct gw_twin_body *parent,
			const struct gw_twin_body *layer)
{
	const struct gw_pl_msg *m = layer->m;
	GW_AUTO(gw_buf_fini) struct gw_buf bytes = GW_BUF_INIT(GW_BODY_BYTES);
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_BODY_BYTES);
	const struct gw_node *old = m->from->kind == GW_REF_TREE && parent->tree
					    ? gw_path_get(parent->tree, m->from)
					    : NULL;
	if (old && old->type != GW_NODE_TEXT && layer->tree && m->decode == GW_DECODE_NONE) {
		return gw_path_set(a, &parent->tree, m->from, layer->tree);
	}
	gw_twin_body_print(layer, &bytes);
	if (m->from->kind == GW_REF_BYTE) {
		uint8_t *frame = room(a, parent, m->from->byte + bytes.len);
		if (frame) {
			memcpy(frame + m->from->byte, bytes.p, bytes.len);
		}
		return frame ? 0 : -EINVAL;
	}
	gw_layer_encode(m->decode, gw_buf_str(&bytes), &text);
	struct gw_node *n = gw_node_new_text(a, gw_buf_str(&text));
	return n ? gw_path_set(a, &parent->tree, m->from, n) : -ENOMEM;
}
