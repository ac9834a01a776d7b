/* Composing and ordering of what goes out (profile-language §6, §7): fixed messages, then each touched message once. */
#include <errno.h>

#include "gw/alloc.h"
#include "gw/limits.h"
#include "profile/state.h"

/* --- what each codec asks while it composes --- */

int gw_compose_current(struct gw_composing *c, uint16_t point, struct gw_raw *ret_raw)
{
	struct gw_writing *w = c->w;
	const struct gw_pl_point *p = &w->plan->points[point];
	struct gw_raw raw = w->slots[point].raw;
	if (raw.type == GW_RAW_NULL && p->has_init) {
		raw = p->init;
	}
	if (raw.type == GW_RAW_NULL) {
		return gw_write_unknown(w, point);
	}
	*ret_raw = raw;
	return 0;
}

bool gw_compose_wants(const struct gw_composing *c, const struct gw_pl_msg *m, size_t out)
{
	return m->mode == GW_MODE_FULL ||
	       (!c->single && gw_bit_test(c->w->assigned, m->outs[out].point));
}

static int first_assigned(struct gw_composing *c, const struct gw_pl_msg *m)
{
	for (uint16_t i = 0; i < m->n_outs; i++) {
		if (gw_bit_test(c->w->assigned, m->outs[i].point)) {
			return m->outs[i].point;
		}
	}
	for (uint16_t i = 0; i < m->n_layers; i++) {
		int point = first_assigned(c, &c->w->plan->msgs[m->layers[i].msg]);
		if (point >= 0) {
			return point;
		}
	}
	return -1;
}

int gw_compose_unknown(struct gw_composing *c, const struct gw_pl_msg *m)
{
	int point = first_assigned(c, m);
	return point >= 0 ? gw_write_unknown(c->w, (uint16_t)point)
			  : gw_write_refuse(c->w, "state-unknown", "\"%s\" was never received",
					    m->info.name);
}

const struct gw_buf *gw_compose_kept(const struct gw_composing *c, const struct gw_pl_msg *m)
{
	const struct gw_plan *p = c->w->plan;
	const struct gw_pl_msg *source = m->reply != GW_NO_INDEX ? &p->msgs[m->reply] : m;
	const struct gw_buf *kept = &c->w->b->kept[source->keep];
	return kept->len > 0 ? kept : NULL;
}

/* --- nodes --- */

static int packed_text(struct gw_composing *c, const struct gw_pl_point *p,
		       const struct gw_raw *raw, struct gw_node **ret_node)
{
	GW_AUTO(gw_buf_fini) struct gw_buf bytes = GW_BUF_INIT(GW_BODY_BYTES);
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_BODY_BYTES * 2);
	if (raw->type != GW_RAW_TREE || gw_packing_write(p->list, raw->tree, &bytes)) {
		return gw_write_refuse(c->w, "value", "the list of \"%s\" cannot be packed",
				       p->name);
	}
	gw_layer_encode(p->pack, gw_buf_str(&bytes), &text);
	*ret_node = gw_buf_error(&text) ? NULL : gw_node_new_text(c->w->arena, gw_buf_str(&text));
	return *ret_node ? 0 : -ENOMEM;
}

static int scalar_text(struct gw_composing *c, const struct gw_pl_point *p,
		       const struct gw_raw *raw, struct gw_node **ret_node)
{
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
	const char *code = gw_as_write_scalar(&p->as, raw, &text);
	if (code) {
		return gw_write_refuse(c->w, code, "point \"%s\" does not fit its message",
				       p->name);
	}
	*ret_node = gw_node_new_text(c->w->arena, gw_buf_str(&text));
	return *ret_node ? 0 : -ENOMEM;
}

int gw_compose_node(struct gw_composing *c, uint16_t point, const struct gw_raw *raw,
		    struct gw_node **ret_node)
{
	const struct gw_pl_point *p = &c->w->plan->points[point];
	struct gw_arena *a = c->w->arena;
	if (p->list && p->pack != GW_DECODE_NONE) {
		return packed_text(c, p, raw, ret_node);
	}
	if (p->has_as && !gw_as_is_bytes(&p->as)) {
		return scalar_text(c, p, raw, ret_node);
	}
	switch (raw->type) {
	case GW_RAW_NULL: *ret_node = gw_node_new(a, GW_NODE_NULL); break;
	case GW_RAW_BOOL: *ret_node = gw_node_new_bool(a, raw->flag); break;
	case GW_RAW_NUMBER: *ret_node = gw_node_new_number(a, raw->number); break;
	case GW_RAW_TEXT: *ret_node = gw_node_new_text(a, gw_text_str(raw->text)); break;
	case GW_RAW_TREE: *ret_node = gw_node_copy(a, raw->tree); break;
	}
	return *ret_node ? 0 : -ENOMEM;
}

static int start_tree(struct gw_composing *c, const struct gw_pl_msg *m, struct gw_node **ret_tree)
{
	struct gw_arena *a = c->w->arena;
	*ret_tree = NULL;
	if (m->mode == GW_MODE_RMW && !m->body && !c->single) {
		const struct gw_buf *kept = gw_compose_kept(c, m);
		return !kept || gw_codec_json.parse(a, gw_buf_str(kept), ret_tree) < 0
			       ? gw_compose_unknown(c, m)
			       : 0;
	}
	const struct gw_node *start = m->body ? m->body : m->base;
	if (start) {
		*ret_tree = gw_node_copy(a, start);
	} else if (m->n_outs > 0) {
		const struct gw_ref *first = m->outs[0].ref;
		*ret_tree = gw_node_new(a, first->n_steps && first->steps[0].select ? GW_NODE_LIST
										    : GW_NODE_MAP);
	} else {
		*ret_tree = gw_node_new(a, GW_NODE_MAP);
	}
	return *ret_tree ? 0 : -ENOMEM;
}

int gw_compose_tree(struct gw_composing *c, const struct gw_pl_msg *m, struct gw_node **ret_tree)
{
	struct gw_node *tree = NULL;
	int r = start_tree(c, m, &tree);
	for (uint16_t i = 0; r == 0 && i < m->n_outs; i++) {
		struct gw_raw raw = {.type = GW_RAW_NULL};
		struct gw_node *n = NULL;
		if (!gw_compose_wants(c, m, i)) {
			continue;
		}
		r = gw_compose_current(c, m->outs[i].point, &raw);
		r = r < 0 ? r : gw_compose_node(c, m->outs[i].point, &raw, &n);
		r = r < 0 ? r : gw_path_set(c->w->arena, &tree, m->outs[i].ref, n);
		if (r == -EINVAL && c->w->error && !c->w->error->code[0]) {
			r = gw_write_refuse(c->w, "value", "the body has no place for \"%s\"",
					    c->w->plan->points[m->outs[i].point].name);
		}
	}
	r = r < 0 ? r : gw_compose_layers(c, m, &tree, /* frame= */ NULL, 0);
	if (r == 0) {
		*ret_tree = tree;
	}
	return r;
}

/* --- nested layers --- */

static bool has_outs(const struct gw_plan *p, const struct gw_pl_msg *m)
{
	bool any = m->n_outs > 0;
	for (uint16_t i = 0; i < m->n_layers; i++) {
		any |= has_outs(p, &p->msgs[m->layers[i].msg]); /* at most GW_LAYER_DEPTH deep */
	}
	return any;
}

static int place_layer(struct gw_composing *c, const struct gw_pl_msg *layer, struct gw_str body,
		       struct gw_node **tree, uint8_t *frame, size_t len)
{
	if (frame) {
		size_t at = layer->from->byte, room = at < len ? len - at : 0;
		if (body.len > room || (layer->len && body.len > layer->len)) {
			return gw_write_refuse(c->w, "range", "layer \"%s\" does not fit its frame",
					       layer->info.name);
		}
		memcpy(frame + at, body.p, body.len);
		return 0;
	}
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_BODY_BYTES * 2);
	gw_layer_encode(layer->decode, body, &text);
	struct gw_str s = gw_buf_str(&text);
	struct gw_node *n =
		gw_buf_error(&text) ? NULL : gw_node_new_text(c->w->arena, s.p ? s : GW_STR(""));
	return n ? gw_path_set(c->w->arena, tree, layer->from, n) : -ENOMEM;
}

int gw_compose_layers(struct gw_composing *c, const struct gw_pl_msg *m, struct gw_node **tree,
		      uint8_t *frame, size_t len)
{
	const struct gw_plan *p = c->w->plan;
	for (uint16_t i = 0; i < m->n_layers; i++) {
		uint16_t index = m->layers[i].msg;
		const struct gw_pl_msg *layer = &p->msgs[index];
		bool wanted = m->mode == GW_MODE_FULL
				      ? has_outs(p, layer)
				      : !c->single && gw_bit_test(c->touched, index);
		if (!wanted) {
			continue;
		}
		int r = layer->codec->compose(c, layer);
		r = r < 0 ? r : place_layer(c, layer, c->bodies[index], tree, frame, len);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

/* --- which messages, in which order --- */

static int compose_init(struct gw_composing *c, struct gw_writing *w)
{
	const struct gw_plan *p = w->plan;
	*c = (struct gw_composing){.w = w};
	c->trees = gw_arena_alloc(w->arena, p->n_msgs * sizeof(struct gw_node *));
	c->bodies = gw_arena_alloc(w->arena, p->n_msgs * sizeof(*c->bodies));
	c->touched = gw_arena_alloc(w->arena, sizeof(uint64_t));
	c->order = gw_arena_alloc(w->arena, p->n_msgs);
	return c->trees && c->bodies && c->touched && c->order ? 0 : -ENOMEM;
}

static void touch(struct gw_composing *c)
{
	const struct gw_plan *p = c->w->plan;
	for (uint16_t i = 0; i < p->n_points; i++) {
		if (!gw_bit_test(c->w->assigned, i)) {
			continue;
		}
		const struct gw_pl_point *point = &p->points[i];
		for (uint16_t k = 0; k < point->n_out; k++) {
			int msg = point->out[k].msg;
			for (; msg >= 0; msg = p->msgs[msg].info.parent) {
				bool first = !gw_bit_test(c->touched, (size_t)msg);
				gw_bit_set(c->touched, (size_t)msg);
				if (first || point->order < c->order[msg]) {
					c->order[msg] = point->order;
				}
			}
		}
	}
}

static int add_message(struct gw_composing *c, uint16_t msg, struct gw_outgoing *out)
{
	const struct gw_pl_msg *m = &c->w->plan->msgs[msg];
	int r = m->sendable ? m->codec->compose(c, m) : 0; /* a request of `get` has no body */
	if (r == 0) {
		out->msgs[out->n_msgs++] = (struct gw_out_msg){
			.msg = msg, .body = c->bodies[msg], .tree = c->trees[msg]};
	}
	return r;
}

/* The touched message that goes next, −1: none is left. */
static int next_message(const struct gw_composing *c, uint64_t *sent)
{
	const struct gw_plan *p = c->w->plan;
	int best = -1;
	for (int i = 0; i < p->n_msgs; i++) {
		bool waiting = p->msgs[i].info.parent < 0 && gw_bit_test(c->touched, (size_t)i) &&
			       !gw_bit_test(sent, (size_t)i);
		if (waiting && (best < 0 || c->order[i] < c->order[best])) {
			best = i;
		}
	}
	if (best >= 0) {
		gw_bit_set(sent, (size_t)best);
	}
	return best;
}

int gw_send_all(struct gw_writing *w, struct gw_outgoing *ret_outgoing)
{
	struct gw_composing c;
	struct gw_outgoing out = {.arena = w->arena};
	int r = compose_init(&c, w);
	out.msgs = gw_arena_alloc(w->arena, (w->n_fixed + w->plan->n_msgs) * sizeof(*out.msgs));
	if (r < 0 || !out.msgs) {
		return -ENOMEM;
	}
	touch(&c);
	c.single = true;
	for (uint16_t i = 0; r == 0 && i < w->n_fixed; i++) {
		r = add_message(&c, w->fixed[i], &out);
	}
	c.single = false;
	uint64_t sent = 0;
	for (int msg = next_message(&c, &sent); r == 0 && msg >= 0; msg = next_message(&c, &sent)) {
		r = add_message(&c, (uint16_t)msg, &out);
	}
	if (r == 0) {
		*ret_outgoing = out;
	}
	return r;
}

int gw_send_one(struct gw_writing *w, uint16_t msg, struct gw_outgoing *ret_outgoing)
{
	return gw_write_fixed(w, msg) < 0 ? -E2BIG : gw_send_all(w, ret_outgoing);
}
