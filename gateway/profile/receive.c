/*
 * Receiving (profile-language §6): parse, filter, extract into slots, nested layers, events, dependent capabilities. Bodies are
 * looked through before anything is changed, so that a malformed one changes nothing.
 */
#include <errno.h>

#include "gw/alloc.h"
#include "gw/json.h"
#include "gw/limits.h"
#include "profile/compose.h"
#include "profile/state.h"

/* --- found → value --- */

static int parse_span(const struct gw_found *f, struct gw_arena **own, struct gw_cooked *c)
{
	struct gw_node *tree = NULL;
	*own = gw_arena_new(GW_TREE_BYTES);
	if (!*own) {
		return -ENOMEM;
	}
	int r = gw_codec_json.parse(*own, f->text, &tree);
	c->type = r < 0 ? GW_RAW_NULL : GW_RAW_TREE; /* a tree beyond the limits is unknown */
	c->tree = r < 0 ? NULL : tree;
	return 0;
}

static void cook_node(const struct gw_node *n, struct gw_cooked *c)
{
	switch (n->type) {
	case GW_NODE_NULL: c->type = GW_RAW_NULL; break;
	case GW_NODE_BOOL:
		c->type = GW_RAW_BOOL;
		c->flag = n->flag;
		break;
	case GW_NODE_NUMBER: {
		struct gw_raw r = gw_raw_number(n->number);
		c->type = r.type;
		c->number = r.type == GW_RAW_NUMBER ? r.number : 0;
		break;
	}
	case GW_NODE_TEXT:
		c->type = GW_RAW_TEXT;
		c->text = n->text;
		break;
	case GW_NODE_LIST:
	case GW_NODE_MAP:
		c->type = GW_RAW_TREE;
		c->tree = n;
		break;
	}
}

static double bits(const struct gw_ref *ref, struct gw_str bytes)
{
	return (unsigned)(uint8_t)bytes.p[0] >> ref->bit & ((1u << ref->width) - 1);
}

static int cook_frame(struct gw_binding *b, const struct gw_found *f, const struct gw_ref *ref,
		      const struct gw_pl_point *p, struct gw_arena **own, struct gw_cooked *c)
{
	static const struct gw_as byte = {.kind = GW_AS_UNSIGNED, .size = 1};
	struct gw_as as = f->as ? *f->as : p ? p->as : byte;
	if (ref->width) {
		*c = (struct gw_cooked){.type = GW_RAW_NUMBER, .number = bits(ref, f->text)};
		return 0;
	}
	if (p && p->list) {
		*own = gw_arena_new(GW_BODY_NODES * sizeof(struct gw_node));
		c->tree = *own ? gw_packing_read(p->list, f->text, *own) : NULL;
		c->type = GW_RAW_TREE;
		return c->tree ? 0 : -ENOMEM;
	}
	if (ref->kind == GW_REF_TREE && !f->as &&
	    !p->has_as) { /* tag length value, without a type */
		as.kind = f->text.len <= 6 ? GW_AS_UNSIGNED : GW_AS_RAW;
		as.size = (uint16_t)f->text.len;
	}
	*c = gw_as_read_bytes(&as, f->text, &b->scratch);
	return 0;
}

/*
 * A number token, which the reader has validated. At most 15 digits over a power of ten up to 10^22: both are exact in binary64,
 * so one division rounds correctly (Clinger 1990). Others take the general parser.
 */
static bool short_number(struct gw_str s, double *ret_number)
{
	static const double tens[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,	1e6,  1e7,
				      1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
	bool negative = s.p[0] == '-';
	uint64_t digits = 0;
	size_t places = 0, i = negative;
	if (s.len - i > 16) {
		return false;
	}
	for (; i < s.len; i++) {
		unsigned digit = (unsigned)(s.p[i] - '0');
		if (digit <= 9) {
			digits = digits * 10 + digit;
		} else if (s.p[i] == '.') {
			places = s.len - i - 1;
		} else {
			return false;
		}
	}
	if (digits > 999999999999999) {
		return false;
	}
	double v = places ? (double)digits / tens[places] : (double)digits;
	*ret_number = negative && v != 0 ? -v : v;
	return true;
}

static void cook_number(struct gw_str s, struct gw_cooked *c)
{
	double v;
	if (short_number(s, &v)) {
		c->type = GW_RAW_NUMBER;
		c->number = v;
	} else if (gw_parse_double(s, &v) == 0) {
		struct gw_raw raw = gw_raw_number(v);
		c->type = raw.type;
		c->number = raw.type == GW_RAW_NUMBER ? raw.number : 0;
	}
}

int gw_found_cook(struct gw_binding *b, const struct gw_found *f, const struct gw_ref *ref,
		  const struct gw_pl_point *p, struct gw_arena **own, struct gw_cooked *ret_cooked)
{
	struct gw_cooked c = {.type = GW_RAW_NULL};
	int r = 0;
	switch (f->kind) {
	case GW_FOUND_MISSING:
	case GW_FOUND_NULL: break;
	case GW_FOUND_FALSE:
	case GW_FOUND_TRUE:
		c.type = GW_RAW_BOOL;
		c.flag = f->kind == GW_FOUND_TRUE;
		break;
	case GW_FOUND_NUMBER: cook_number(f->text, &c); break;
	case GW_FOUND_JSON:
	case GW_FOUND_PLAIN:
		c.type = GW_RAW_TEXT;
		c.text = f->text;
		if (f->kind == GW_FOUND_JSON && f->escaped) {
			gw_buf_reset(&b->scratch);
			if (gw_json_unescape(f->text, &b->scratch) < 0) {
				c.type = GW_RAW_NULL;
				break;
			}
			c.text = gw_buf_str(&b->scratch);
		}
		break;
	case GW_FOUND_SPAN: r = parse_span(f, own, &c); break;
	case GW_FOUND_NODE: cook_node(f->node, &c); break;
	case GW_FOUND_FRAME: r = cook_frame(b, f, ref, p, own, &c); break;
	}
	if (r == 0) {
		bool scalar =
			p && p->has_as && !gw_as_is_bytes(&p->as) && f->kind != GW_FOUND_FRAME;
		*ret_cooked = scalar ? gw_as_read_scalar(&p->as, &c, &b->scratch) : c;
	}
	return r;
}

static struct gw_raw borrow(const struct gw_cooked *c)
{
	struct gw_raw r = {.type = c->type};
	switch (c->type) {
	case GW_RAW_NULL:
	case GW_RAW_TEXT: break;
	case GW_RAW_BOOL: r.flag = c->flag; break;
	case GW_RAW_NUMBER: r.number = c->number; break;
	case GW_RAW_TREE: r.tree = c->tree; break;
	}
	return r;
}

static bool cooked_is(const struct gw_cooked *c, const struct gw_raw *r)
{
	if (c->type != r->type) {
		return false;
	}
	if (c->type == GW_RAW_TEXT) {
		return gw_str_eq(c->text, gw_text_str(r->text));
	}
	const struct gw_raw x = borrow(c);
	return gw_raw_equal(&x, r);
}

/* --- value → slot --- */

static struct gw_text *known_text(const struct gw_pl_point *p, struct gw_str s)
{
	size_t low = 0, high = p->n_known;
	while (low < high) {
		size_t mid = (low + high) / 2;
		int order = gw_str_cmp(gw_text_str(p->known[mid]), s);
		if (order == 0) {
			return gw_text_ref(p->known[mid]);
		}
		if (order < 0) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	return gw_text_new(s);
}

static int set_slot(struct gw_binding *b, uint16_t point, const struct gw_cooked *c,
		    struct gw_arena **own)
{
	struct gw_slot *slot = &b->slots[point];
	if (c->type == GW_RAW_NUMBER && slot->raw.type == GW_RAW_NUMBER) {
		if (c->number != slot->raw.number) {
			slot->raw.number = c->number;
			gw_bit_set(b->changed, point);
		}
		return 0;
	}
	if (cooked_is(c, &slot->raw)) {
		return 0;
	}
	struct gw_slot next = {.raw = borrow(c)};
	if (c->type == GW_RAW_TEXT) {
		next.raw.text = known_text(&b->plan->points[point], c->text);
		if (!next.raw.text) {
			return -ENOMEM;
		}
	} else if (c->type == GW_RAW_TREE && *own) {
		next.tree = gw_steal(*own);
	} else if (c->type == GW_RAW_TREE) {
		int r = gw_slot_set(slot, &next.raw);
		if (r == 0) {
			gw_bit_set(b->changed, point);
		}
		return r;
	}
	gw_slot_fini(slot);
	*slot = next;
	gw_bit_set(b->changed, point);
	return 0;
}

static void end_pending(struct gw_binding *b, uint16_t point)
{
	gw_bit_set(b->touched, point);
	if (gw_bit_test(b->pending_set, point)) {
		gw_slot_fini(&b->pending[point]);
		gw_bit_clear(b->pending_set, point);
	}
}

GW_DEFINE_AUTO(struct gw_arena, gw_arena_free)

/* First found and not null, else null, else missing (§7). */
static const struct gw_found *choose(const struct gw_found *found, const struct gw_msg_point *mp,
				     uint16_t *ret_extract)
{
	const struct gw_found *null = NULL;
	for (uint16_t i = mp->first; i < mp->first + mp->n; i++) {
		*ret_extract = i;
		if (found[i].kind > GW_FOUND_NULL) {
			return &found[i];
		}
		null = found[i].kind == GW_FOUND_NULL ? &found[i] : null;
	}
	return null;
}

/* The common cases of gw_found_cook. */
static bool quick_number(const struct gw_found *f, const struct gw_ref *ref,
			 const struct gw_pl_point *p, double *ret_number)
{
	switch (f->kind) {
	case GW_FOUND_NUMBER: return !p->has_as && short_number(f->text, ret_number);
	case GW_FOUND_FRAME:
		if (ref->width) {
			*ret_number = bits(ref, f->text);
			return true;
		}
		return ref->kind == GW_REF_BYTE && !p->list &&
		       gw_as_read_integer(&p->as, f->text.p, ret_number);
	case GW_FOUND_MISSING:
	case GW_FOUND_NULL:
	case GW_FOUND_FALSE:
	case GW_FOUND_TRUE:
	case GW_FOUND_JSON:
	case GW_FOUND_PLAIN:
	case GW_FOUND_SPAN:
	case GW_FOUND_NODE: break;
	}
	return false;
}

static int fill_point(struct gw_binding *b, const struct gw_pl_msg *m,
		      const struct gw_msg_point *mp, const struct gw_found *found)
{
	const struct gw_pl_point *p = &b->plan->points[mp->point];
	uint16_t extract = mp->first;
	const struct gw_found *f = choose(found, mp, &extract);
	if (!f && !p->has_absent) {
		return 0;
	}
	end_pending(b, mp->point);
	if (!f) {
		if (!gw_raw_equal(&b->slots[mp->point].raw, &p->absent)) {
			gw_bit_set(b->changed, mp->point);
			return gw_slot_set(&b->slots[mp->point], &p->absent);
		}
		return 0;
	}
	struct gw_slot *slot = &b->slots[mp->point];
	double number;
	if (slot->raw.type == GW_RAW_NUMBER &&
	    quick_number(f, m->extracts[extract].ref, p, &number)) {
		gw_bit_set(b->arrived, mp->point);
		if (number != slot->raw.number) {
			slot->raw.number = number;
			gw_bit_set(b->changed, mp->point);
		}
		return 0;
	}
	GW_AUTO(gw_arena_free_auto) struct gw_arena *own = NULL;
	struct gw_cooked c;
	int r = gw_found_cook(b, f, m->extracts[extract].ref, p, &own, &c);
	if (r == 0) {
		gw_bit_set(b->arrived, mp->point);
		r = set_slot(b, mp->point, &c, &own);
	}
	return r;
}

/* --- filters, options, the kept body --- */

static bool filters_hold(struct gw_binding *b, const struct gw_pl_msg *m,
			 const struct gw_found *found)
{
	for (uint16_t i = 0; i < m->n_filters; i++) {
		const struct gw_filter *filter = &m->filters[i];
		const struct gw_found *f = &found[filter->extract];
		GW_AUTO(gw_arena_free_auto) struct gw_arena *own = NULL;
		struct gw_cooked c;
		if (f->kind == GW_FOUND_MISSING ||
		    gw_found_cook(b, f, m->extracts[filter->extract].ref, /* p= */ NULL, &own, &c) <
			    0) {
			return false;
		}
		bool holds = false;
		for (uint16_t k = 0; k < filter->n_values; k++) {
			holds |= cooked_is(&c, &filter->values[k]);
		}
		if (!holds) {
			return false;
		}
	}
	return true;
}

static void find_options(const struct gw_pl_msg *m, const struct gw_node *options,
			 struct gw_found *found)
{
	for (uint16_t i = 0; i < m->n_extracts; i++) {
		const struct gw_ref *ref = m->extracts[i].ref;
		gw_member_for(n, ref->kind == GW_REF_OPTION ? options : NULL)
		{
			uint64_t number;
			if (gw_parse_u64(n->key, &number) == 0 && number == ref->byte) {
				found[i] = (struct gw_found){.kind = GW_FOUND_NODE, .node = n};
			}
		}
	}
}

static int keep_body(struct gw_binding *b, const struct gw_pl_msg *m, const struct gw_body *body)
{
	struct gw_buf *kept = &b->kept[m->keep];
	gw_buf_reset(kept);
	if (body->tree) {
		gw_node_write(kept, body->tree, /* source_order= */ true);
	} else if (m->codec->tree && m->codec->codec != GW_CODEC_JSON) { /* kept as JSON */
		GW_AUTO(gw_arena_free_auto) struct gw_arena *a = gw_arena_new(GW_TREE_BYTES);
		struct gw_node *tree;
		if (!a || m->codec->parse(a, body->bytes, &tree) < 0) {
			return -ENOMEM;
		}
		gw_node_write(kept, tree, /* source_order= */ true);
	} else {
		gw_buf_add_str(kept, body->bytes);
	}
	return gw_buf_error(kept);
}

/* link.dedup: the same value as last time → the whole message is dropped. */
static bool is_duplicate(struct gw_binding *b, const struct gw_pl_msg *m,
			 const struct gw_found *found)
{
	uint16_t point = b->plan->dedup_point;
	if (point == GW_NO_INDEX || !gw_bit_test(b->seen, point)) {
		return false;
	}
	for (uint16_t i = 0; i < m->n_points; i++) {
		if (m->points[i].point != point) {
			continue;
		}
		uint16_t extract = 0;
		const struct gw_found *f = choose(found, &m->points[i], &extract);
		GW_AUTO(gw_arena_free_auto) struct gw_arena *own = NULL;
		struct gw_cooked c;
		return f &&
		       gw_found_cook(b, f, m->extracts[extract].ref, &b->plan->points[point], &own,
				     &c) == 0 &&
		       c.type != GW_RAW_NULL && cooked_is(&c, &b->slots[point].raw);
	}
	return false;
}

/* --- one message and its layers --- */

static int receive_msg(struct gw_binding *b, const struct gw_pl_msg *m, const struct gw_body *body,
		       struct gw_found *found, bool *ret_ignored);

static int receive_layer(struct gw_binding *b, const struct gw_pl_msg *layer,
			 const struct gw_found *f, const struct gw_ref *ref, struct gw_found *found)
{
	GW_AUTO(gw_buf_fini) struct gw_buf bytes = GW_BUF_INIT(GW_BODY_BYTES);
	GW_AUTO(gw_arena_free_auto) struct gw_arena *own = NULL;
	struct gw_body body = {0};
	struct gw_cooked c;
	bool ignored;
	if (f->kind == GW_FOUND_FRAME) {
		size_t len = layer->len ? layer->len : f->text.len;
		if (len > f->text.len) {
			return 0;
		}
		gw_buf_add(&bytes, f->text.p, len);
	} else {
		int r = gw_found_cook(b, f, ref, /* p= */ NULL, &own, &c);
		if (r < 0 || (c.type != GW_RAW_TEXT && c.type != GW_RAW_TREE)) {
			return r;
		}
		if (c.type == GW_RAW_TREE) {
			if (!layer->codec->tree || layer->decode != GW_DECODE_NONE) {
				return 0;
			}
			body.tree = c.tree;
		} else if (gw_layer_decode(layer->decode, c.text, &bytes) < 0) {
			return 0; /* skipped: its points keep their raws (§7) */
		}
	}
	body.bytes = gw_buf_str(&bytes);
	body.bytes.p = body.bytes.p ? body.bytes.p : "";
	if (gw_buf_error(&bytes)) {
		return 0;
	}
	int r = receive_msg(b, layer, &body, found, &ignored);
	return r == -EBADMSG ? 0 : r;
}

static int receive_msg(struct gw_binding *b, const struct gw_pl_msg *m, const struct gw_body *body,
		       struct gw_found *found, bool *ret_ignored)
{
	GW_AUTO(gw_arena_free_auto) struct gw_arena *a = NULL;
	for (uint16_t i = 0; i < m->n_extracts; i++) {
		found[i].kind = GW_FOUND_MISSING;
		found[i].as = NULL;
	}
	int r = m->codec->extract(b, m, body, found, &a);
	if (r < 0) {
		return r;
	}
	if (m->options && body->options) {
		find_options(m, body->options, found);
	}
	*ret_ignored = (m->n_filters && !filters_hold(b, m, found)) || is_duplicate(b, m, found);
	if (*ret_ignored) {
		return 0;
	}
	r = m->keep != GW_NO_INDEX ? keep_body(b, m, body) : 0;
	for (uint16_t i = 0; r == 0 && i < m->n_points; i++) {
		r = fill_point(b, m, &m->points[i], found);
	}
	for (uint16_t i = 0; r == 0 && i < m->n_layers; i++) {
		const struct gw_found *f = &found[m->layers[i].extract];
		if (f->kind > GW_FOUND_NULL) {
			r = receive_layer(b, &b->plan->msgs[m->layers[i].msg], f,
					  m->extracts[m->layers[i].extract].ref,
					  found + m->n_extracts);
		}
	}
	return r;
}

/* --- events and capabilities --- */

static int raise_event(struct gw_binding *b, uint16_t index, bool retained, struct gw_received *ret)
{
	const struct gw_pl_cap *cap = &b->plan->caps[index];
	const struct gw_event_form *e = gw_container(cap->form, struct gw_event_form, form);
	const struct gw_view v = gw_view_reported(b);
	struct gw_reading r;
	enum gw_quality quality;
	if (retained || !gw_bit_test(b->arrived, e->point) ||
	    (e->on_change &&
	     !(gw_bit_test(b->changed, e->point) && gw_bit_test(b->seen, e->point)))) {
		return 0;
	}
	gw_cap_read(&v, cap, &r, &quality);
	if (r.x.type == GW_RAW_NULL || (e->n_only && !gw_raw_in(&r.x, e->only, e->n_only))) {
		return 0;
	}
	struct gw_happened *h = &b->events[ret->n_events];
	h->cap = index;
	int res = gw_cap_store(cap, &r, &b->scratch, &h->value);
	ret->n_events += res == 0 && h->value.type != GW_VALUE_NONE;
	return res;
}

/* Unites the capabilities of the points. */
static void collect(const uint64_t *points, const struct gw_plan *p, const uint64_t *deps,
		    uint64_t *caps)
{
	for (size_t w = 0; w < p->point_words; w++) {
		for (uint64_t bits = points[w]; bits; bits &= bits - 1) {
			size_t point = w * 64 + (size_t)__builtin_ctzll(bits);
			for (size_t k = 0; k < p->cap_words; k++) {
				caps[k] |= deps[point * p->cap_words + k];
			}
		}
	}
}

static int recompute(struct gw_binding *b, const struct gw_view *v, uint16_t index)
{
	const struct gw_pl_cap *cap = &b->plan->caps[index];
	struct gw_reading r;
	enum gw_quality quality;
	if (cap->info.kind != GW_KIND_PROPERTY) {
		return 0;
	}
	gw_cap_read(v, cap, &r, &quality);
	b->quality[index] = (uint8_t)quality;
	return gw_cap_store(cap, &r, &b->scratch, &b->values[index]);
}

/* What depends on changed raws, each capability after those that it names. */
static int recompute_all(struct gw_binding *b)
{
	const struct gw_plan *p = b->plan;
	const struct gw_view v = gw_view_reported(b);
	int r = 0;
	collect(b->changed, p, p->ranked ? p->ranked : p->deps, b->recompute);
	for (size_t w = 0; w < p->cap_words; w++) {
		for (uint64_t bits = b->recompute[w]; r == 0 && bits; bits &= bits - 1) {
			uint16_t rank = (uint16_t)(w * 64 + (size_t)__builtin_ctzll(bits));
			r = recompute(b, &v, p->order ? p->order[rank] : rank);
		}
	}
	return r;
}

static int after(struct gw_binding *b, bool retained, struct gw_received *ret)
{
	const struct gw_plan *p = b->plan;
	int r = recompute_all(b);
	collect(b->touched, p, p->deps, b->dirty);
	for (size_t w = 0; r == 0 && w < p->cap_words; w++) {
		for (uint64_t bits = b->dirty[w]; r == 0 && bits; bits &= bits - 1) {
			uint16_t index = (uint16_t)(w * 64 + (size_t)__builtin_ctzll(bits));
			if (p->caps[index].info.kind == GW_KIND_EVENT) {
				r = raise_event(b, index, retained, ret);
			} else {
				b->caps[ret->n_caps++] = index;
			}
		}
	}
	for (size_t w = 0; w < p->point_words; w++) {
		b->seen[w] |= b->arrived[w];
	}
	ret->caps = b->caps;
	ret->events = b->events;
	return r;
}

/* A toggle's wish counts until one of its points arrives (§10). */
static void forget_wishes(struct gw_binding *b)
{
	const struct gw_plan *p = b->plan;
	for (uint16_t i = 0; i < p->n_toggles; i++) {
		const struct gw_toggle_form *t = p->toggles[i];
		for (uint16_t k = 0; k < t->n_points; k++) {
			if (gw_bit_test(b->touched, t->points[k])) {
				b->wished[i] = -1;
			}
		}
	}
}

static int presence(const struct gw_binding *b)
{
	uint16_t point = b->plan->presence_point;
	if (point == GW_NO_INDEX || !gw_bit_test(b->touched, point)) {
		return -1;
	}
	const struct gw_view v = gw_view_reported(b);
	const struct gw_raw value = gw_view_point(&v, point);
	return value.type == GW_RAW_NULL ? -1 : gw_raw_equal(&value, &b->plan->presence_is);
}

int gw_binding_receive(struct gw_binding *b, size_t msg, const struct gw_body *body, bool retained,
		       int64_t now_ms, struct gw_received *ret_received)
{
	const struct gw_plan *p = b->plan;
	(void)now_ms; /* pending raws that are over are dropped by the next write */
	if (msg >= p->n_msgs || p->msgs[msg].info.parent >= 0) {
		return -EINVAL;
	}
	if (body->bytes.len > GW_BODY_BYTES) {
		return -EBADMSG;
	}
	memset(b->touched, 0, p->point_words * sizeof(uint64_t));
	memset(b->arrived, 0, p->point_words * sizeof(uint64_t));
	memset(b->changed, 0, p->point_words * sizeof(uint64_t));
	memset(b->dirty, 0, p->cap_words * sizeof(uint64_t));
	memset(b->recompute, 0, p->cap_words * sizeof(uint64_t));
	struct gw_received ret = {.presence = -1};
	int r = receive_msg(b, &p->msgs[msg], body, b->found, &ret.ignored);
	if (r < 0) {
		return r;
	}
	if (!ret.ignored) {
		b->last_msg = (uint16_t)msg;
		r = after(b, retained, &ret);
		forget_wishes(b);
		ret.presence = presence(b);
	}
	if (r == 0) {
		*ret_received = ret;
	}
	return r;
}
