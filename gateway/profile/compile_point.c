/* Points (profile-language §8): references, types, maps, packing; what may not stand together. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "gw/alloc.h"
#include "gw/json.h"
#include "gw/limits.h"
#include "profile/compile.h"

/* --- in, out, io --- */

static int refs(struct gw_compiler *c, const struct gw_node *n, bool out, struct gw_ref **ret_refs,
		uint16_t *ret_n)
{
	bool many = n->type == GW_NODE_LIST;
	size_t count = many ? n->count : 1;
	struct gw_ref *list = gw_compile_array(c, struct gw_ref, count);
	if (!list) {
		return -ENOMEM;
	}
	if (count == 0) {
		return gw_refuse(c, n, NULL, "schema", "expected at least one reference");
	}
	if (!many) {
		int r = gw_compile_ref(c, n, out, list);
		if (r < 0) {
			return r;
		}
	}
	size_t i = 0;
	for (const struct gw_node *item = many ? n->first : NULL; item; item = item->next) {
		size_t mark = gw_at_index(c, i);
		int r = gw_compile_ref(c, item, out, &list[i++]);
		if (r < 0) {
			return r;
		}
		gw_at_back(c, mark);
	}
	*ret_refs = list;
	*ret_n = (uint16_t)count;
	return 0;
}

static int references(struct gw_compiler *c, struct gw_pl_point *p, const struct gw_node *n)
{
	const struct gw_node *in = gw_node_get(n, "in"), *out = gw_node_get(n, "out"),
			     *io = gw_node_get(n, "io");
	if (io && (in || out)) {
		return gw_refuse(c, io, "io", "schema",
				 "io stands for both in and out; give one or the other");
	}
	if (!in && !out && !io) {
		return gw_refuse(c, n, NULL, "schema", "a point needs in, out or io");
	}
	const struct {
		const struct gw_node *node;
		const char *key;
		bool out;
	} all[] = {{io ? io : in, io ? "io" : "in", false},
		   {io ? io : out, io ? "io" : "out", true}};
	for (size_t i = 0; i < gw_countof(all); i++) {
		if (!all[i].node) {
			continue;
		}
		size_t mark = gw_at(c, gw_str(all[i].key));
		int r = refs(c, all[i].node, all[i].out, all[i].out ? &p->out : &p->in,
			     all[i].out ? &p->n_out : &p->n_in);
		if (r < 0) {
			return r;
		}
		gw_at_back(c, mark);
	}
	return 0;
}

/* --- as --- */

static bool takes_bytes(const struct gw_plan *plan, const struct gw_ref *r)
{
	return r->kind == GW_REF_BYTE || plan->msgs[r->msg].codec->codec == GW_CODEC_TLV;
}

static int check_as(struct gw_compiler *c, const struct gw_pl_point *p, const struct gw_node *as)
{
	const struct gw_ref *lists[] = {p->in, p->out};
	const uint16_t counts[] = {p->n_in, p->n_out};
	for (size_t k = 0; k < gw_countof(lists); k++) {
		for (uint16_t i = 0; i < counts[k]; i++) {
			const struct gw_ref *r = &lists[k][i];
			if (r->width) {
				return gw_refuse(c, as, "as", "as",
						 "a bit reference takes no `as`");
			}
			if (r->kind != GW_REF_OPTION &&
			    takes_bytes(c->plan, r) != gw_as_is_bytes(&p->as)) {
				return gw_refuse(c, as, "as", "as",
						 "type \"" GW_STR_FMT "\" is for %s references",
						 GW_STR_ARG(as->text),
						 gw_as_is_bytes(&p->as) ? "@" : "#");
			}
		}
	}
	return 0;
}

static int type(struct gw_compiler *c, struct gw_pl_point *p, const struct gw_node *n)
{
	const struct gw_node *as = gw_node_get(n, "as");
	p->as = (struct gw_as){.kind = GW_AS_UNSIGNED, .size = 1};
	if (!as) {
		return 0;
	}
	if (as->type != GW_NODE_TEXT || gw_as_parse(as->text, &p->as) < 0) {
		return gw_refuse(
			c, as, "as", "as",
			"unknown type; expected u8, s16be, f32le, bcd2, ascii:4, num, hms …");
	}
	p->has_as = true;
	return p->list ? 0 : check_as(c, p, as);
}

/* --- map --- */

static int map_raw(struct gw_compiler *c, const struct gw_node *raw_type, struct gw_map_entry *e)
{
	struct gw_str key = gw_text_str(e->key);
	double v;
	bool number = gw_parse_double(key, &v) == 0;
	bool flag = gw_str_is(key, "true") || gw_str_is(key, "false");
	bool as_text = gw_node_is_text(raw_type, "text");
	if (gw_node_is_text(raw_type, "num") ? !number
					     : (gw_node_is_text(raw_type, "bool") && !flag)) {
		return gw_refuse(c, NULL, NULL, "schema",
				 "key \"%s\" is no raw of the type that `raw` says", e->key->s);
	}
	if (number) {
		GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(64);
		gw_json_write_double(&b, v);
		e->is_number =
			gw_str_eq(gw_buf_str(&b), key); /* only the text form is found again */
		e->number = v;
	}
	e->is_flag = flag;
	if (number && !as_text) {
		e->raw = gw_raw_number(v);
	} else if (flag && !as_text) {
		e->raw = (struct gw_raw){.type = GW_RAW_BOOL, .flag = key.len == 4};
	} else {
		e->raw = (struct gw_raw){.type = GW_RAW_TEXT, .text = e->key};
	}
	return 0;
}

static int map(struct gw_compiler *c, struct gw_pl_point *p, const struct gw_node *n)
{
	const struct gw_node *entries = gw_node_get(n, "map"), *otherwise = gw_node_get(n, "else");
	p->has_map = entries != NULL;
	if (!entries) {
		return otherwise
			       ? gw_refuse(c, otherwise, "else", "schema", "else belongs to a map")
			       : 0;
	}
	if (gw_node_get(n, "mul") || gw_node_get(n, "div") || gw_node_get(n, "add")) {
		return gw_refuse(c, entries, "map", "schema",
				 "map does not stand together with mul, div or add");
	}
	p->map = gw_compile_array(c, struct gw_map_entry, entries->count);
	if (!p->map) {
		return -ENOMEM;
	}
	size_t mark = gw_at(c, GW_STR("map"));
	gw_node_for(entry, entries)
	{
		struct gw_map_entry *e = &p->map[p->n_map++];
		size_t inner = gw_at(c, entry->key);
		e->key = gw_compile_text(c, entry->key);
		int r = e->key ? gw_compile_raw(c, entry, &e->value) : -ENOMEM;
		r = r < 0 ? r : map_raw(c, gw_node_get(n, "raw"), e);
		if (r < 0) {
			return r;
		}
		gw_at_back(c, inner);
	}
	gw_at_back(c, mark);
	if (otherwise) {
		p->map_else = gw_node_is_text(otherwise, "keep") ? GW_ELSE_KEEP : GW_ELSE_VALUE;
		return gw_compile_raw(c, otherwise, &p->else_value);
	}
	return 0;
}

/* --- numbers --- */

int gw_compile_linear(struct gw_compiler *c, const struct gw_node *n, double *mul, double *div,
		      double *add, bool *ret_linear)
{
	const struct {
		const char *key;
		double *v;
		bool zero;
	} keys[] = {{"mul", mul, false}, {"div", div, false}, {"add", add, true}};
	*mul = *div = 1;
	*add = 0;
	for (size_t i = 0; i < gw_countof(keys); i++) {
		const struct gw_node *v = gw_node_get(n, keys[i].key);
		if (!v) {
			continue;
		}
		if (v->type != GW_NODE_NUMBER || (v->number == 0 && !keys[i].zero)) {
			return gw_refuse(c, v, keys[i].key, "schema", "expected a number%s",
					 keys[i].zero ? "" : " that is not 0");
		}
		*keys[i].v = v->number;
		*ret_linear = true;
	}
	return 0;
}

/* --- list (§10) --- */

static int whole(struct gw_compiler *c, const struct gw_node *n, const char *key, uint32_t max,
		 bool required, uint32_t *v)
{
	const struct gw_node *m = gw_node_get(n, key);
	if (!m && !required) {
		return 0;
	}
	if (!m || m->type != GW_NODE_NUMBER || m->number < 0 || m->number > max ||
	    m->number != floor(m->number)) {
		return gw_refuse(c, m ? m : n, m ? key : NULL, "schema",
				 "%s: expected a whole number from 0 to %u", key, max);
	}
	*v = (uint32_t)m->number;
	return 0;
}

static int field(struct gw_compiler *c, const struct gw_node *n, uint32_t stride,
		 struct gw_field *f)
{
	uint32_t bit = 0, width = 0;
	bool scaled = false;
	f->name = gw_compile_text(c, n->key);
	f->as = (struct gw_as){.kind = GW_AS_UNSIGNED, .size = 1};
	const struct gw_node *as = gw_node_get(n, "as");
	if (!f->name) {
		return -ENOMEM;
	}
	if (as && (as->type != GW_NODE_TEXT || gw_as_parse(as->text, &f->as) < 0 ||
		   f->as.kind > GW_AS_BCD)) {
		return gw_refuse(c, as, "as", "as",
				 "a field of a record is a number type like u16le");
	}
	int r = whole(c, n, "at", GW_FRAME_BYTES, true, &f->at);
	r = r < 0 ? r : whole(c, n, "bit", 7, false, &bit);
	r = r < 0 ? r : whole(c, n, "w", 8, false, &width);
	r = r < 0 ? r : gw_compile_linear(c, n, &f->mul, &f->div, &f->add, &scaled);
	if (r < 0) {
		return r;
	}
	if (gw_node_get(n, "bit") && width == 0) {
		width = 1;
	}
	if (bit + width > 8 || (width && as)) {
		return gw_refuse(c, n, NULL, width && as ? "as" : "ref",
				 "bits of one byte, without `as`");
	}
	if (f->at + (width ? 1u : f->as.size) > stride) {
		return gw_refuse(c, n, NULL, "frame", "the field reaches beyond stride %u", stride);
	}
	f->bit = (uint8_t)bit;
	f->width = (uint8_t)width;
	return 0;
}

static int list_head(struct gw_compiler *c, const struct gw_node *n, struct gw_packing *k)
{
	const struct gw_node *head = gw_node_get(n, "head");
	if (!head) {
		return 0;
	}
	k->head = gw_compile_array(c, struct gw_head_byte, head->count);
	if (!k->head) {
		return -ENOMEM;
	}
	gw_node_for(byte, head)
	{
		uint64_t offset;
		if (gw_parse_u64(byte->key, &offset) < 0 || offset >= k->at ||
		    byte->type != GW_NODE_NUMBER || byte->number < 0 || byte->number > 255 ||
		    byte->number != floor(byte->number)) {
			return gw_refuse(c, byte, "head", "schema",
					 "expected offset: byte, before the first record");
		}
		k->head[k->n_head++] =
			(struct gw_head_byte){(uint32_t)offset, (uint8_t)byte->number};
	}
	return 0;
}

static int packing(struct gw_compiler *c, struct gw_pl_point *p, const struct gw_node *point)
{
	const struct gw_node *n = gw_node_get(point, "list"), *pack = gw_node_get(point, "pack");
	if (!n) {
		return pack ? gw_refuse(c, pack, "pack", "schema", "pack belongs to a list") : 0;
	}
	struct gw_packing *k = gw_compile_array(c, struct gw_packing, 1);
	const struct gw_node *fields = gw_node_get(n, "fields");
	if (!k) {
		return -ENOMEM;
	}
	size_t mark = gw_at(c, GW_STR("list"));
	uint32_t pad = 0;
	int r = whole(c, n, "at", GW_FRAME_BYTES, false, &k->at);
	r = r < 0 ? r : whole(c, n, "stride", 256, true, &k->stride);
	r = r < 0 ? r : whole(c, n, "count", 256, true, &k->count);
	r = r < 0 ? r : whole(c, n, "pad", 255, false, &pad);
	if (r == 0 && (!fields || fields->count == 0 || k->stride == 0)) {
		r = gw_refuse(c, n, NULL, "schema", "a list needs stride and fields");
	}
	r = r < 0 ? r : list_head(c, n, k);
	if (r < 0) {
		return r;
	}
	k->pad = gw_node_get(n, "pad") ? (int16_t)pad : -1;
	k->fields = gw_compile_array(c, struct gw_field, fields->count);
	if (!k->fields) {
		return -ENOMEM;
	}
	size_t inner = gw_at(c, GW_STR("fields"));
	gw_node_for(f, fields)
	{
		size_t innermost = gw_at(c, f->key);
		r = field(c, f, k->stride, &k->fields[k->n_fields++]);
		if (r < 0) {
			return r;
		}
		gw_at_back(c, innermost);
	}
	gw_at_back(c, inner);
	gw_at_back(c, mark);
	p->list = k;
	if (pack) {
		bool base64 = gw_node_is_text(pack, "base64");
		if (!base64 && !gw_node_is_text(pack, "hex")) {
			return gw_refuse(c, pack, "pack", "schema", "expected base64 or hex");
		}
		p->pack = base64 ? GW_DECODE_BASE64 : GW_DECODE_HEX;
	}
	return 0;
}

/* --- frames and overlaps --- */

static uint32_t out_bytes(const struct gw_plan *plan, const struct gw_pl_point *p,
			  const struct gw_ref *r)
{
	const struct gw_pl_msg *m = &plan->msgs[r->msg];
	if (p->list) {
		return p->list->at + p->list->stride * p->list->count;
	}
	if (p->as.size == 0) { /* to the end of the frame */
		return m->fill_len > r->byte ? m->fill_len - r->byte : 0;
	}
	return p->as.size;
}

static int check_frame(struct gw_compiler *c, const struct gw_pl_point *p, const struct gw_node *n,
		       const struct gw_ref *r)
{
	const struct gw_pl_msg *m = &c->plan->msgs[r->msg];
	if (r->kind != GW_REF_BYTE || (!m->has_fill && m->mode == GW_MODE_RMW)) {
		return 0; /* the last body decides */
	}
	uint32_t bytes = r->width ? 1 : p->list ? p->list->at : out_bytes(c->plan, p, r);
	if (r->byte + bytes > m->fill_len || (p->as.size == 0 && !r->width && bytes == 0)) {
		return gw_refuse(c, n, NULL, "frame",
				 "the point ends at byte %u; the frame of \"%s\" has %u",
				 r->byte + bytes, m->info.name, m->fill_len);
	}
	return 0;
}

static int check_overlap(struct gw_compiler *c, uint16_t index, const struct gw_node *n,
			 uint16_t out)
{
	const struct gw_pl_point *p = &c->plan->points[index];
	uint32_t bytes = out_bytes(c->plan, p, &p->out[out]);
	for (uint16_t k = 0; k <= index; k++) {
		const struct gw_pl_point *q = &c->plan->points[k];
		for (uint16_t i = 0; i < (k == index ? out : q->n_out); i++) {
			if (gw_ref_overlaps(&p->out[out], bytes, &q->out[i],
					    out_bytes(c->plan, q, &q->out[i]))) {
				return gw_refuse(c, n, NULL, "overlap",
						 "point \"%s\" writes the same place", q->name);
			}
		}
	}
	return 0;
}

static int check_outs(struct gw_compiler *c, uint16_t index)
{
	const struct gw_pl_point *p = &c->plan->points[index];
	const char *key = gw_node_get(p->node, "io") ? "io" : "out";
	const struct gw_node *n = gw_node_get(p->node, key);
	size_t mark = gw_at(c, gw_str(key));
	for (uint16_t i = 0; i < p->n_out; i++) {
		const struct gw_node *item = n->type == GW_NODE_LIST ? gw_node_at(n, i) : n;
		size_t inner = n->type == GW_NODE_LIST ? gw_at_index(c, i) : strlen(c->at);
		int r = check_frame(c, p, item, &p->out[i]);
		r = r < 0 ? r : check_overlap(c, index, item, i);
		if (r < 0) {
			return r;
		}
		gw_at_back(c, inner);
	}
	gw_at_back(c, mark);
	return 0;
}

/* --- the section --- */

static int flag_of(const struct gw_node *n, const char *key)
{
	const struct gw_node *v = gw_node_get(n, key);
	return v && v->type == GW_NODE_BOOL && v->flag;
}

static int raws(struct gw_compiler *c, struct gw_pl_point *p, const struct gw_node *n)
{
	const struct gw_node *init = gw_node_get(n, "init"), *absent = gw_node_get(n, "absent"),
			     *na = gw_node_get(n, "na"), *order = gw_node_get(n, "order");
	int r = 0;
	p->order = 100;
	if (init) {
		p->has_init = true;
		r = gw_compile_raw(c, init, &p->init);
	}
	if (r == 0 && absent) {
		p->has_absent = true;
		r = gw_compile_raw(c, absent, &p->absent);
	}
	if (r == 0 && na) {
		r = gw_compile_raws(c, na, &p->na, &p->n_na);
	}
	if (r == 0 && order) {
		if (order->type != GW_NODE_NUMBER || order->number < 1 || order->number > 99 ||
		    order->number != floor(order->number)) {
			return gw_refuse(c, order, "order", "schema",
					 "expected a whole number from 1 to 99");
		}
		p->order = (uint8_t)order->number;
	}
	p->oneshot = flag_of(n, "oneshot");
	p->frac = flag_of(n, "frac");
	if (r == 0 && p->oneshot && !p->has_init) {
		return gw_refuse(c, gw_node_get(n, "oneshot"), "oneshot", "schema",
				 "oneshot needs init: the raw of all other sends");
	}
	return r;
}

static int compile_point(struct gw_compiler *c, uint16_t index)
{
	struct gw_pl_point *p = &c->plan->points[index];
	const struct gw_node *n = p->node;
	int r = packing(c, p, n);
	r = r < 0 ? r : references(c, p, n);
	r = r < 0 ? r : type(c, p, n);
	r = r < 0 ? r : map(c, p, n);
	r = r < 0 ? r : gw_compile_linear(c, n, &p->mul, &p->div, &p->add, &p->linear);
	r = r < 0 ? r : raws(c, p, n);
	return r < 0 ? r : check_outs(c, index);
}

static int check_name(struct gw_compiler *c, const struct gw_node *n)
{
	static const char *const reserved[] = {"v", "and", "or", "not", "true", "false", "null"};
	bool taken = gw_expr_is_function(n->key);
	for (size_t i = 0; i < gw_countof(reserved); i++) {
		taken |= gw_str_is(n->key, reserved[i]);
	}
	for (size_t i = 0; i < gw_profile_var_count(c->profile); i++) {
		taken |= gw_str_is(n->key, gw_profile_var(c->profile, i)->name);
	}
	if (taken) {
		return gw_refuse(
			c, n, NULL, "name",
			"a point may not be called like a word of expressions, a function or a variable");
	}
	return 0;
}

int gw_compile_points(struct gw_compiler *c)
{
	struct gw_plan *plan = c->plan;
	const struct gw_node *points = gw_node_get(plan->tree, "points");
	if (!points) {
		return 0;
	}
	size_t mark = gw_at(c, GW_STR("points"));
	if (points->count > GW_PROFILE_POINTS) {
		return gw_refuse(c, points, NULL, "size", "%zu points; at most %d", points->count,
				 GW_PROFILE_POINTS);
	}
	plan->points = gw_compile_array(c, struct gw_pl_point, points->count);
	if (!plan->points) {
		return -ENOMEM;
	}
	gw_node_for(n, points)
	{
		plan->points[plan->n_points] = (struct gw_pl_point){.name = n->key.p, .node = n};
		size_t inner = gw_at(c, n->key);
		int r = check_name(c, n);
		r = r < 0 ? r : compile_point(c, plan->n_points);
		if (r < 0) {
			return r;
		}
		gw_at_back(c, inner);
		plan->n_points++;
	}
	plan->point_words = gw_words(plan->n_points);
	gw_at_back(c, mark);
	return 0;
}
