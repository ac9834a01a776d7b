/* Byte frames and blocks of tag, type or length, value (profile-language §6). */
#include <errno.h>
#include <limits.h>
#include <math.h>

#include "gw/alloc.h"
#include "gw/limits.h"
#include "profile/state.h"

/* --- frames --- */

static const struct gw_pl_point *point_of(const struct gw_binding *b, const struct gw_extract *x)
{
	return x->point == GW_NO_INDEX ? NULL : &b->plan->points[x->point];
}

static int extract_frame(struct gw_binding *b, const struct gw_pl_msg *m,
			 const struct gw_body *body, struct gw_found *found, struct gw_arena **a)
{
	(void)a;
	struct gw_str frame = body->bytes;
	for (uint16_t i = 0; i < m->n_extracts; i++) {
		const struct gw_extract *x = &m->extracts[i];
		const struct gw_pl_point *p = point_of(b, x);
		if (x->ref->kind != GW_REF_BYTE || x->ref->byte >= frame.len) {
			continue; /* outside the frame: missing */
		}
		size_t left = frame.len - x->ref->byte;
		bool layer = m->n_layers &&
			     i >= m->layers[0].extract; /* they stand behind points and filters */
		size_t size = layer || (p && p->list) ? left
			      : x->ref->width || !p   ? 1
			      : p->as.size	      ? p->as.size
						      : left;
		if (size > left) {
			continue;
		}
		found[i] = (struct gw_found){.kind = GW_FOUND_FRAME,
					     .text = {frame.p + x->ref->byte, size}};
	}
	return 0;
}

/* The bytes that the points are set into. */
static int start_frame(struct gw_composing *c, const struct gw_pl_msg *m, uint8_t **ret_frame,
		       size_t *ret_len)
{
	bool rmw = m->mode == GW_MODE_RMW && !c->single;
	const struct gw_buf *kept = rmw ? gw_compose_kept(c, m) : NULL;
	if (rmw && !kept) {
		return gw_compose_unknown(c, m);
	}
	size_t len = rmw && !m->has_fill ? kept->len : m->fill_len;
	uint8_t *frame = gw_arena_alloc(c->w->arena, len + 1);
	if (!frame) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < len; i++) {
		bool from_last = rmw && (!m->has_fill || m->fill_keep[i]);
		if (from_last && i >= kept->len) {
			for (uint16_t k = 0; k < m->n_outs; k++) {
				if (m->outs[k].ref->byte == i) {
					return gw_write_unknown(c->w, m->outs[k].point);
				}
			}
			return gw_compose_unknown(c, m);
		}
		frame[i] = from_last ? (uint8_t)kept->p[i] : m->fill[i];
	}
	*ret_frame = frame;
	*ret_len = len;
	return 0;
}

/* NULL, or the error word of §8: what was received elsewhere need not fit here. */
static const char *set_bits(const struct gw_ref *ref, const struct gw_raw *raw, uint8_t *frame)
{
	unsigned mask = ((1u << ref->width) - 1) << ref->bit;
	double v = raw->type == GW_RAW_BOOL	? (double)raw->flag
		   : raw->type == GW_RAW_NUMBER ? raw->number
						: 0.5;
	if (v != floor(v)) {
		return "value";
	}
	if (v < 0 || v >= (double)(1u << ref->width)) {
		return "range";
	}
	frame[ref->byte] = (uint8_t)((frame[ref->byte] & ~mask) | ((unsigned)v << ref->bit & mask));
	return NULL;
}

static int set_list(struct gw_composing *c, const struct gw_pl_point *p, const struct gw_raw *raw,
		    uint8_t *at, size_t room)
{
	GW_AUTO(gw_buf_fini) struct gw_buf bytes = GW_BUF_INIT(GW_BODY_BYTES);
	if (raw->type != GW_RAW_TREE || gw_packing_write(p->list, raw->tree, &bytes) ||
	    bytes.len > room) {
		return gw_write_refuse(c->w, "range", "the list of \"%s\" does not fit its frame",
				       p->name);
	}
	memcpy(at, bytes.p, bytes.len);
	return 0;
}

static int set_point(struct gw_composing *c, const struct gw_pl_msg *m, const struct gw_out *out,
		     uint8_t *frame, size_t len)
{
	const struct gw_pl_point *p = &c->w->plan->points[out->point];
	struct gw_raw raw = {.type = GW_RAW_NULL};
	int r = gw_compose_current(c, out->point, &raw);
	if (r < 0) {
		return r;
	}
	size_t at = out->ref->byte, room = at < len ? len - at : 0;
	size_t size = out->ref->width ? 1 : p->list ? 1 : p->as.size ? p->as.size : room;
	if (size > room || size == 0) {
		return m->mode == GW_MODE_RMW
			       ? gw_write_unknown(c->w, out->point)
			       : gw_write_refuse(c->w, "range", "\"%s\" is outside the frame",
						 p->name);
	}
	if (p->list && !out->ref->width) {
		return set_list(c, p, &raw, frame + at, room);
	}
	const char *code = out->ref->width ? set_bits(out->ref, &raw, frame)
					   : gw_as_write_bytes(&p->as, &raw, frame + at, size);
	return code ? gw_write_refuse(c->w, code, "\"%s\" does not fit its frame", p->name) : 0;
}

static int finish(struct gw_composing *c, const struct gw_pl_msg *m, const void *bytes, size_t len)
{
	struct gw_str s = {len ? bytes : "", len};
	struct gw_str *body = &c->bodies[m - c->w->plan->msgs];
	*body = gw_arena_text(c->w->arena, s);
	return body->p ? 0 : -ENOMEM;
}

static int compose_fixed(struct gw_composing *c, const struct gw_pl_msg *m)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(GW_FRAME_BYTES);
	if (m->body->type != GW_NODE_TEXT || gw_hex_decode(m->body->text, &b) < 0) {
		return gw_write_refuse(c->w, "value", "the fixed body of \"%s\" is no hex",
				       m->info.name);
	}
	return finish(c, m, b.p, b.len);
}

static int compose_frame(struct gw_composing *c, const struct gw_pl_msg *m)
{
	if (m->body) {
		return compose_fixed(c, m);
	}
	uint8_t *frame = NULL;
	size_t len = 0;
	int r = start_frame(c, m, &frame, &len);
	for (uint16_t i = 0; r == 0 && i < m->n_outs; i++) {
		if (gw_compose_wants(c, m, i)) {
			r = set_point(c, m, &m->outs[i], frame, len);
		}
	}
	r = r < 0 ? r : gw_compose_layers(c, m, /* tree= */ NULL, frame, len);
	return r < 0 ? r : finish(c, m, frame, len);
}

const struct gw_codec_ops gw_codec_bytes = {.name = "bytes",
					    .codec = GW_CODEC_BYTES,
					    .bytes = true,
					    .refs = GW_REF_BYTE,
					    .mode = GW_MODE_FULL,
					    .extract = extract_frame,
					    .compose = compose_frame};

/* --- tlv --- */

static const struct gw_as *type_of(const struct gw_pl_msg *m, uint8_t code)
{
	for (uint16_t i = 0; i < m->n_types; i++) {
		if (m->types[i].code == code) {
			return &m->types[i].as;
		}
	}
	return NULL;
}

static void item(const struct gw_binding *b, const struct gw_pl_msg *m, uint8_t tag,
		 struct gw_str value, const struct gw_as *as, struct gw_found *found)
{
	for (uint16_t i = 0; i < m->n_extracts; i++) {
		const struct gw_ref *ref = m->extracts[i].ref;
		const struct gw_pl_point *p = point_of(b, &m->extracts[i]);
		if (ref->kind != GW_REF_TREE || ref->steps[0].index != tag) {
			continue;
		}
		bool fits = as || !p || !p->has_as || p->as.size == 0 || p->as.size <= value.len;
		found[i] = (struct gw_found){.kind = fits ? GW_FOUND_FRAME : GW_FOUND_MISSING,
					     .as = as,
					     .text = value}; /* a repeated tag: the last counts */
		if (fits && !as && p && p->has_as && p->as.size) {
			found[i].text.len = p->as.size;
		}
	}
}

static int extract_tlv(struct gw_binding *b, const struct gw_pl_msg *m, const struct gw_body *body,
		       struct gw_found *found, struct gw_arena **a)
{
	(void)a;
	struct gw_str s = body->bytes;
	for (size_t at = 0; at + 2 <= s.len;) {
		uint8_t tag = (uint8_t)s.p[at], second = (uint8_t)s.p[at + 1];
		const struct gw_as *as = m->types ? type_of(m, second) : NULL;
		size_t len = m->types ? (as ? as->size : SIZE_MAX) : second;
		if (len > s.len - at - 2) {
			break; /* unknown type or truncated: what was read before counts */
		}
		item(b, m, tag, gw_str_sub(s, at + 2, len), as, found);
		at += 2 + len;
	}
	return 0;
}

static bool same_type(const struct gw_as *a, const struct gw_as *b)
{
	return a->kind == b->kind && a->size == b->size && a->little == b->little &&
	       a->swapped == b->swapped;
}

static int write_item(struct gw_composing *c, const struct gw_pl_msg *m, const struct gw_out *out,
		      struct gw_buf *b)
{
	const struct gw_pl_point *p = &c->w->plan->points[out->point];
	struct gw_raw raw = {.type = GW_RAW_NULL};
	int r = gw_compose_current(c, out->point, &raw);
	if (r < 0) {
		return r;
	}
	uint8_t value[UINT8_MAX];
	size_t size = p->as.size;
	if (size == 0) {
		size = raw.type == GW_RAW_TEXT ? raw.text->len : 0;
	}
	unsigned second = m->n_types ? UINT_MAX : (unsigned)size;
	for (uint16_t i = m->n_types; i-- > 0;) {
		second = same_type(&m->types[i].as, &p->as) ? m->types[i].code : second;
	}
	if (second == UINT_MAX) {
		return gw_write_refuse(c->w, "value", "\"%s\" has none of the types of \"%s\"",
				       p->name, m->info.name);
	}
	if (size > sizeof(value)) {
		return gw_write_refuse(c->w, "range", "\"%s\" is too long for its item", p->name);
	}
	const char *code = gw_as_write_bytes(&p->as, &raw, value, size);
	if (code) {
		return gw_write_refuse(c->w, code, "\"%s\" does not fit its bytes", p->name);
	}
	gw_buf_putc(b, (char)out->ref->steps[0].index);
	gw_buf_putc(b, (char)second);
	gw_buf_add(b, value, size);
	return gw_buf_error(b);
}

static int compose_tlv(struct gw_composing *c, const struct gw_pl_msg *m)
{
	if (m->body) {
		return compose_fixed(c, m);
	}
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(GW_FRAME_BYTES);
	int r = 0;
	for (uint16_t i = 0; r == 0 && i < m->n_outs; i++) {
		r = gw_compose_wants(c, m, i) ? write_item(c, m, &m->outs[i], &b) : 0;
	}
	return r < 0 ? r : finish(c, m, b.p, b.len);
}

const struct gw_codec_ops gw_codec_tlv = {.name = "tlv",
					  .codec = GW_CODEC_TLV,
					  .bytes = true,
					  .refs = GW_REF_TREE,
					  .mode = GW_MODE_PATCH,
					  .extract = extract_tlv,
					  .compose = compose_tlv};
