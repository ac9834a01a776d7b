/* Point values (profile-language §8): raw → na → map or linear → value, and back; packed lists of §10. */
#include <errno.h>
#include <math.h>

#include "gw/alloc.h"
#include "gw/limits.h"
#include "profile/plan.h"

/* --- slots --- */

void gw_slot_fini(struct gw_slot *s)
{
	if (s->raw.type == GW_RAW_TEXT) {
		gw_text_unref(s->raw.text);
	}
	gw_arena_free(s->tree);
	*s = (struct gw_slot){.raw = {.type = GW_RAW_NULL}};
}

int gw_slot_set(struct gw_slot *s, const struct gw_raw *r)
{
	struct gw_slot next = {.raw = *r};
	if (r->type == GW_RAW_TEXT) {
		(void)gw_text_ref(r->text);
	}
	if (r->type == GW_RAW_TREE) {
		next.tree = gw_arena_new(GW_BODY_BYTES * 8);
		next.raw.tree = next.tree ? gw_node_copy(next.tree, r->tree) : NULL;
		if (!next.raw.tree) {
			gw_arena_free(next.tree);
			return -ENOMEM;
		}
	}
	gw_slot_fini(s);
	*s = next;
	return 0;
}

/* --- reading --- */

bool gw_raw_in(const struct gw_raw *r, const struct gw_raw *set, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (gw_raw_equal(r, &set[i])) {
			return true;
		}
	}
	return false;
}

/* The key is the text form of the raw. */
static bool is_key(const struct gw_map_entry *e, const struct gw_raw *raw)
{
	switch (raw->type) {
	case GW_RAW_TEXT:
		return raw->text == e->key ||
		       gw_str_eq(gw_text_str(raw->text), gw_text_str(e->key));
	case GW_RAW_NUMBER: return e->is_number && e->number == raw->number;
	case GW_RAW_BOOL: return e->is_flag && raw->flag == (e->key->len == 4);
	case GW_RAW_NULL:
	case GW_RAW_TREE: return false;
	}
	return false;
}

static struct gw_raw mapped(const struct gw_pl_point *p, const struct gw_raw *raw)
{
	for (uint16_t i = 0; i < p->n_map; i++) {
		if (is_key(&p->map[i], raw)) {
			return p->map[i].value;
		}
	}
	switch (p->map_else) {
	case GW_ELSE_NULL: break;
	case GW_ELSE_KEEP: return *raw;
	case GW_ELSE_VALUE: return p->else_value;
	}
	return (struct gw_raw){.type = GW_RAW_NULL};
}

struct gw_raw gw_point_value(const struct gw_pl_point *p, const struct gw_raw *raw)
{
	if (raw->type == GW_RAW_NULL || (p->n_na && gw_raw_in(raw, p->na, p->n_na))) {
		return (struct gw_raw){.type = GW_RAW_NULL};
	}
	if (p->has_map) {
		return mapped(p, raw);
	}
	if (p->linear && raw->type == GW_RAW_NUMBER) {
		return gw_raw_number(raw->number * p->mul / p->div + p->add);
	}
	return *raw;
}

/* --- writing --- */

static const char *fit_bits(const struct gw_ref *ref, struct gw_raw *raw)
{
	double v = raw->type == GW_RAW_BOOL	? raw->flag
		   : raw->type == GW_RAW_NUMBER ? raw->number
						: 0.5;
	if (v != floor(v)) {
		return "value";
	}
	if (v < 0 || v >= (double)(1u << ref->width)) {
		return "range";
	}
	*raw = gw_raw_number(v);
	return NULL;
}

/* What the device will read back is what later rules of the same write see. */
static const char *fit_bytes(const struct gw_pl_point *p, struct gw_raw *raw)
{
	uint8_t bytes[8];
	if (p->as.kind >= GW_AS_ASCII) { /* texts: checked by size only */
		uint8_t long_bytes[GW_FRAME_BYTES];
		size_t size = p->as.size ? p->as.size : sizeof(long_bytes);
		return p->as.kind == GW_AS_RAW || p->as.size
			       ? gw_as_write_bytes(&p->as, raw, long_bytes, size)
			       : (raw->type == GW_RAW_TEXT ? NULL : "value");
	}
	const char *code = gw_as_write_bytes(&p->as, raw, bytes, p->as.size);
	if (code) {
		return code;
	}
	struct gw_buf none = GW_BUF_INIT(1);
	struct gw_cooked c =
		gw_as_read_bytes(&p->as, (struct gw_str){(const char *)bytes, p->as.size}, &none);
	if (c.type != GW_RAW_NUMBER) {
		return "range";
	}
	*raw = gw_raw_number(c.number);
	return NULL;
}

static const char *fit_scalar(const struct gw_pl_point *p, struct gw_raw *raw)
{
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
	GW_AUTO(gw_buf_fini) struct gw_buf scratch = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
	const char *code = gw_as_write_scalar(&p->as, raw, &text);
	if (code || gw_buf_error(&text)) {
		return code ? code : "range";
	}
	struct gw_cooked c = {.type = GW_RAW_TEXT, .text = gw_buf_str(&text)};
	c = gw_as_read_scalar(&p->as, &c, &scratch);
	if (c.type == GW_RAW_NUMBER) {
		*raw = gw_raw_number(c.number);
	}
	return NULL;
}

static const char *fit(const struct gw_plan *plan, const struct gw_pl_point *p, struct gw_raw *raw)
{
	for (uint16_t i = 0; i < p->n_out; i++) {
		const struct gw_ref *ref = &p->out[i];
		bool bytes = ref->kind == GW_REF_BYTE ||
			     plan->msgs[ref->msg].codec->codec == GW_CODEC_TLV;
		const char *code = ref->width  ? fit_bits(ref, raw)
				   : bytes     ? fit_bytes(p, raw)
				   : p->has_as ? fit_scalar(p, raw)
					       : NULL;
		if (code) {
			return code;
		}
	}
	return NULL;
}

static const char *encode_list(const struct gw_pl_point *p, const struct gw_raw *v,
			       struct gw_arena *a, struct gw_raw *ret_raw)
{
	if (v->type != GW_RAW_TREE) {
		return "type";
	}
	GW_AUTO(gw_buf_fini) struct gw_buf bytes = GW_BUF_INIT(GW_FRAME_BYTES * 32);
	const char *code = gw_packing_write(p->list, v->tree, &bytes);
	if (code) {
		return code;
	}
	const struct gw_node *tree = gw_packing_read(p->list, gw_buf_str(&bytes), a);
	if (gw_buf_error(&bytes) || !tree) {
		return "range";
	}
	*ret_raw = (struct gw_raw){.type = GW_RAW_TREE, .tree = tree};
	return NULL;
}

static const char *unmap(const struct gw_pl_point *p, const struct gw_raw *v, struct gw_raw *raw)
{
	for (uint16_t i = 0; i < p->n_map; i++) {
		if (gw_raw_equal(&p->map[i].value, v)) {
			*raw = p->map[i].raw;
			return NULL;
		}
	}
	*raw = *v;
	return p->map_else == GW_ELSE_KEEP ? NULL : "value";
}

const char *gw_point_encode(const struct gw_plan *plan, const struct gw_pl_point *p,
			    const struct gw_raw *v, struct gw_arena *a, struct gw_raw *ret_raw)
{
	if (v->type == GW_RAW_NULL) {
		return "value";
	}
	if (p->list) {
		return encode_list(p, v, a, ret_raw);
	}
	struct gw_raw raw = *v;
	if (p->has_map) {
		const char *code = unmap(p, v, &raw);
		if (code) {
			return code;
		}
	} else if (v->type == GW_RAW_NUMBER) {
		double y = (v->number - p->add) * p->div / p->mul;
		raw = gw_raw_number(p->frac ? gw_round(y * 1e6) / 1e6 : gw_round(y));
		if (raw.type == GW_RAW_NULL) {
			return "range";
		}
	}
	if (gw_raw_in(&raw, p->na, p->n_na)) {
		return "value"; /* a sentinel is never written */
	}
	const char *code = fit(plan, p, &raw);
	if (!code) {
		*ret_raw = raw;
	}
	return code;
}

/* --- packed lists --- */

static bool is_pad(const struct gw_packing *k, const uint8_t *p)
{
	for (uint32_t i = 0; k->pad >= 0 && i < k->stride; i++) {
		if (p[i] != k->pad) {
			return false;
		}
	}
	return k->pad >= 0;
}

static struct gw_cooked read_field(const struct gw_field *f, const uint8_t *record)
{
	struct gw_buf none = GW_BUF_INIT(1);
	if (f->width) {
		unsigned bits = (unsigned)record[f->at] >> f->bit & ((1u << f->width) - 1);
		return (struct gw_cooked){.type = GW_RAW_NUMBER, .number = bits};
	}
	return gw_as_read_bytes(&f->as, (struct gw_str){(const char *)record + f->at, f->as.size},
				&none);
}

const struct gw_node *gw_packing_read(const struct gw_packing *k, struct gw_str bytes,
				      struct gw_arena *a)
{
	struct gw_node *list = gw_node_new(a, GW_NODE_LIST);
	for (uint32_t i = 0; list && i < k->count; i++) {
		size_t from = k->at + (size_t)i * k->stride;
		const uint8_t *record = (const uint8_t *)bytes.p + from;
		if (from + k->stride > bytes.len || is_pad(k, record)) {
			break;
		}
		struct gw_node *map = gw_node_new(a, GW_NODE_MAP);
		if (!map || gw_node_append(list, map) < 0) {
			return NULL;
		}
		for (uint16_t j = 0; j < k->n_fields; j++) {
			const struct gw_field *f = &k->fields[j];
			struct gw_cooked c = read_field(f, record);
			struct gw_raw v =
				c.type == GW_RAW_NUMBER
					? gw_raw_number(c.number * f->mul / f->div + f->add)
					: (struct gw_raw){.type = GW_RAW_NULL};
			struct gw_node *n = v.type == GW_RAW_NUMBER
						    ? gw_node_new_number(a, v.number)
						    : gw_node_new(a, GW_NODE_NULL);
			if (!n || gw_node_set(a, map, gw_text_str(f->name), n) < 0) {
				return NULL;
			}
		}
	}
	return list;
}

static const char *write_field(const struct gw_field *f, double v, uint8_t *record)
{
	struct gw_raw raw = gw_raw_number(gw_round((v - f->add) * f->div / f->mul));
	if (raw.type == GW_RAW_NULL) {
		return "range";
	}
	if (!f->width) {
		return gw_as_write_bytes(&f->as, &raw, record + f->at, f->as.size);
	}
	if (raw.number < 0 || raw.number >= (double)(1u << f->width)) {
		return "range";
	}
	record[f->at] |= (uint8_t)((unsigned)raw.number << f->bit);
	return NULL;
}

static const char *write_record(const struct gw_packing *k, const struct gw_node *map,
				struct gw_buf *b)
{
	uint8_t record[256] = {0};
	if (map->type != GW_NODE_MAP || map->count != k->n_fields) {
		return "type";
	}
	for (uint16_t j = 0; j < k->n_fields; j++) {
		const struct gw_node *n = gw_node_get_str(map, gw_text_str(k->fields[j].name));
		if (!n || n->type != GW_NODE_NUMBER) {
			return "type";
		}
		const char *code = write_field(&k->fields[j], n->number, record);
		if (code) {
			return code;
		}
	}
	gw_buf_add(b, record, k->stride);
	return NULL;
}

const char *gw_packing_write(const struct gw_packing *k, const struct gw_node *list,
			     struct gw_buf *ret_bytes)
{
	if (list->type != GW_NODE_LIST) {
		return "type";
	}
	if (list->count > k->count) {
		return "range";
	}
	for (uint32_t i = 0; i < k->at; i++) {
		uint8_t byte = 0;
		for (uint32_t j = 0; j < k->n_head; j++) {
			byte = k->head[j].offset == i ? k->head[j].value : byte;
		}
		gw_buf_putc(ret_bytes, (char)byte);
	}
	gw_node_for(record, list)
	{
		const char *code = write_record(k, record, ret_bytes);
		if (code) {
			return code;
		}
	}
	for (size_t i = list->count * k->stride; k->pad >= 0 && i < (size_t)k->count * k->stride;
	     i++) {
		gw_buf_putc(ret_bytes, (char)k->pad);
	}
	return gw_buf_error(ret_bytes) ? "range" : NULL;
}
