/* The line protocol (profile-language §15): how any program, the embedded tests and the conformance cases ask the engine. */
#include "profile/line.h"

#include <errno.h>
#include <stdio.h>

#include "gw/alloc.h"
#include "gw/limits.h"
#include "gw/profile.h"
#include "profile/state.h"

#define GW_LINE_BYTES (4 * 1024 * 1024)
#define GW_LINE_NODES 100000

GW_DEFINE_AUTO(struct gw_arena, gw_arena_free)

struct answer {
	struct gw_arena *a;
	struct gw_binding *b;
	struct gw_node *events, *tx, *vars_out;
	char error[64]; /* empty: none */
};

static void set_error(struct answer *r, const char *code)
{
	(void)snprintf(r->error, sizeof(r->error), "%s", code);
}

/* {key: value} at the end of a list. */
static int append_pair(struct answer *r, struct gw_node *list, const char *key,
		       struct gw_node *value)
{
	struct gw_node *map = gw_node_new(r->a, GW_NODE_MAP);
	if (!map || !value || gw_node_set(r->a, map, gw_str(key), value) < 0) {
		return -ENOMEM;
	}
	return gw_node_append(list, map);
}

static struct gw_node *value_node(struct answer *r, const struct gw_pl_cap *cap,
				  const struct gw_value *v)
{
	const struct gw_node_limits limits = {.max_bytes = GW_LINE_BYTES, .max_depth = 64};
	struct gw_node *n = NULL;
	switch (v->type) {
	case GW_VALUE_NONE: return gw_node_new(r->a, GW_NODE_NULL);
	case GW_VALUE_BOOL: return gw_node_new_bool(r->a, v->flag);
	case GW_VALUE_NUMBER:
		return gw_node_new_number(r->a, gw_count_value(v->count, cap->info.domain.res));
	case GW_VALUE_SYMBOL:
	case GW_VALUE_TEXT: return gw_node_new_text(r->a, gw_text_str(v->text));
	case GW_VALUE_TREE:
		return gw_node_parse_json(r->a, gw_text_str(v->text), &limits, &n, NULL) < 0 ? NULL
											     : n;
	}
	return NULL;
}

/* --- rx --- */

static int take_bytes(const struct gw_node *n, struct gw_buf *b, struct gw_body *body)
{
	if (n->type != GW_NODE_TEXT || gw_hex_decode(n->text, b) < 0) {
		return -EBADMSG;
	}
	body->bytes = gw_buf_str(b);
	return 0;
}

static int take_body(const struct gw_pl_msg *m, const struct gw_node *n, struct gw_buf *b,
		     struct gw_body *body)
{
	if (n->type == GW_NODE_MAP && (gw_node_get(n, "$opt") || gw_node_get(n, "$body"))) {
		body->options = gw_node_get(n, "$opt");
		n = gw_node_get(n, "$body");
	}
	if (!n) {
		return -EBADMSG;
	}
	if (m->codec->bytes) {
		return take_bytes(n, b, body);
	}
	if (m->codec->tree && (n->type != GW_NODE_TEXT || m->codec->codec == GW_CODEC_CBOR)) {
		body->tree = n;
		return 0;
	}
	if (gw_node_text_form(n, b) < 0) {
		return -EBADMSG;
	}
	body->bytes = gw_buf_str(b);
	return 0;
}

static int add_events(struct answer *r, const struct gw_received *received)
{
	for (size_t i = 0; i < received->n_events; i++) {
		const struct gw_pl_cap *cap = &r->b->plan->caps[received->events[i].cap];
		int res = append_pair(r, r->events, cap->info.address,
				      value_node(r, cap, &received->events[i].value));
		if (res < 0) {
			return res;
		}
	}
	return 0;
}

static int receive_one(struct answer *r, const struct gw_node *item)
{
	const struct gw_node *n = item->type == GW_NODE_MAP ? item->first : NULL;
	int msg = n ? gw_plan_find_msg(r->b->plan, n->key) : -ENOENT;
	if (msg < 0 || r->b->plan->msgs[msg].info.parent >= 0) {
		set_error(r, "unknown-message");
		return 0;
	}
	GW_AUTO(gw_buf_fini) struct gw_buf bytes = GW_BUF_INIT(GW_LINE_BYTES);
	struct gw_body body = {.bytes = GW_STR("")};
	struct gw_received received = {0};
	int res = take_body(&r->b->plan->msgs[msg], n, &bytes, &body);
	body.bytes.p = body.bytes.p ? body.bytes.p : "";
	res = res < 0 ? res
		      : gw_binding_receive(r->b, (size_t)msg, &body, /* retained= */ false, 0,
					   &received);
	if (res == -EBADMSG) {
		set_error(r, "body");
		return 0;
	}
	return res < 0 ? res : add_events(r, &received);
}

static int receive_all(struct answer *r, const struct gw_node *request)
{
	int res = 0;
	for (const struct gw_node *item = gw_node_at(gw_node_get(request, "rx"), 0);
	     item && res == 0 && !r->error[0]; item = item->next) {
		res = receive_one(r, item);
	}
	return res;
}

/* --- write, act --- */

static struct gw_node *hex_pairs(struct answer *r, struct gw_str bytes)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(GW_LINE_BYTES);
	for (size_t i = 0; i < bytes.len; i++) {
		gw_buf_printf(&b, "%s%02x", i ? " " : "", (unsigned)(uint8_t)bytes.p[i]);
	}
	struct gw_str s = gw_buf_str(&b);
	return gw_node_new_text(r->a, s.p ? s : GW_STR(""));
}

static int add_sent(struct answer *r, const struct gw_outgoing *out)
{
	for (size_t i = 0; i < out->n_msgs; i++) {
		const struct gw_out_msg *o = &out->msgs[i];
		const struct gw_pl_msg *m = &r->b->plan->msgs[o->msg];
		struct gw_node *body = o->tree		 ? gw_node_copy(r->a, o->tree)
				       : m->codec->bytes ? hex_pairs(r, o->body)
							 : gw_node_new_text(r->a, o->body);
		int res = append_pair(r, r->tx, m->info.name, body);
		if (res < 0) {
			return res;
		}
	}
	return 0;
}

static int write_request(struct answer *r, const struct gw_node *map, struct gw_outgoing *out,
			 struct gw_write_error *e)
{
	struct gw_wanted *wanted = gw_arena_alloc(r->a, map->count * sizeof(*wanted));
	size_t n = 0;
	if (!wanted) {
		return -ENOMEM;
	}
	gw_node_for(member, map)
	{
		wanted[n++] = (struct gw_wanted){.address = member->key, .value = member};
	}
	return gw_binding_write(r->b, wanted, n, 0, out, e);
}

static int command(struct answer *r, const struct gw_node *request)
{
	const struct gw_node *write = gw_node_get(request, "write"),
			     *act = gw_node_get(request, "act");
	struct gw_outgoing out = {0};
	struct gw_write_error e = {0};
	int res = 0;
	if (write && write->type == GW_NODE_MAP) {
		res = write_request(r, write, &out, &e);
	} else if (act && act->type == GW_NODE_MAP && act->count == 1) {
		res = gw_binding_act(r->b, act->first->key, act->first, 0, &out, &e);
	} else if (write || act) {
		set_error(r, "line");
		return 0;
	}
	if (res == -EINVAL) {
		set_error(r, e.code);
		return 0;
	}
	res = res < 0 ? res : add_sent(r, &out);
	gw_outgoing_fini(&out);
	return res;
}

/* --- match, want --- */

static int match(struct answer *r, const struct gw_node *observation)
{
	struct gw_vars vars = {0};
	int score = -1;
	int res =
		observation ? gw_profile_match(r->b->plan->profile, observation, &score, &vars) : 0;
	if (res == 0 && score >= 0) {
		r->vars_out = gw_node_new(r->a, GW_NODE_MAP);
		for (size_t i = 0; r->vars_out && i < vars.count; i++) {
			struct gw_node *value =
				vars.entry[i].value
					? gw_node_new_text(r->a, gw_str(vars.entry[i].value))
					: NULL;
			if (value &&
			    gw_node_set(r->a, r->vars_out, gw_str(vars.entry[i].name), value) < 0) {
				res = -ENOMEM;
			}
		}
		res = r->vars_out ? res : -ENOMEM;
	}
	gw_vars_fini(&vars);
	return res == -EINVAL ? 0 : res; /* an observation that is none matches nothing */
}

static struct gw_node *wants(struct answer *r)
{
	const struct gw_plan *p = r->b->plan;
	struct gw_node *map = gw_node_new(r->a, GW_NODE_MAP);
	struct gw_node **tail = map ? &map->first : NULL;
	for (uint16_t i = 0; tail && i < p->n_caps; i++) {
		const struct gw_pl_cap *cap = &p->caps[i];
		if (cap->info.kind != GW_KIND_PROPERTY) {
			continue;
		}
		struct gw_node *n = value_node(r, cap, gw_binding_value(r->b, i, NULL));
		if (!n) {
			return NULL;
		}
		n->key = cap->address; /* addresses are unique: no look-up as gw_node_set makes */
		*tail = n;
		tail = &n->next;
		map->last = n;
		map->count++;
	}
	return map;
}

static struct gw_node *null_or(struct answer *r, struct gw_node *n)
{
	return n ? n : gw_node_new(r->a, GW_NODE_NULL);
}

static int write_answer(struct answer *r, struct gw_buf *ret_answer)
{
	struct gw_node *root = gw_node_new(r->a, GW_NODE_MAP);
	const struct {
		const char *key;
		struct gw_node *value;
	} members[] = {
		{"error",
		 null_or(r, r->error[0] ? gw_node_new_text(r->a, gw_str(r->error)) : NULL)},
		{"events", r->events},
		{"tx", r->tx},
		{"vars_out", null_or(r, r->vars_out)},
		{"want", wants(r)},
	};
	for (size_t i = 0; i < gw_countof(members); i++) {
		if (!root || !members[i].value ||
		    gw_node_set(r->a, root, gw_str(members[i].key), members[i].value) < 0) {
			return -ENOMEM;
		}
	}
	gw_node_write(ret_answer, root, /* source_order= */ false);
	return gw_buf_error(ret_answer);
}

int gw_line_step(struct gw_binding *b, const struct gw_node *request, struct gw_buf *ret_answer)
{
	GW_AUTO(gw_arena_free_auto) struct gw_arena *a = gw_arena_new(16 * GW_LINE_BYTES);
	if (!a) {
		return -ENOMEM;
	}
	struct answer r = {.a = a,
			   .b = b,
			   .events = gw_node_new(a, GW_NODE_LIST),
			   .tx = gw_node_new(a, GW_NODE_LIST)};
	int res = r.events && r.tx ? 0 : -ENOMEM;
	const struct gw_node *reset = gw_node_get(request, "reset");
	if (!request || request->type != GW_NODE_MAP) {
		set_error(&r, "line");
	} else if (res == 0) {
		if (reset && reset->type == GW_NODE_BOOL && reset->flag) {
			gw_binding_reset(b);
		}
		res = match(&r, gw_node_get(request, "match"));
		res = res < 0 ? res : receive_all(&r, request);
		res = res < 0 || r.error[0] ? res : command(&r, request);
	}
	return res < 0 ? res : write_answer(&r, ret_answer);
}

int gw_line_answer(struct gw_binding *b, struct gw_str request, struct gw_buf *ret_answer)
{
	const struct gw_node_limits limits = {.max_bytes = GW_LINE_BYTES,
					      .max_depth = GW_PROFILE_DEPTH,
					      .max_nodes = GW_LINE_NODES};
	GW_AUTO(gw_arena_free_auto) struct gw_arena *a = gw_arena_new(16 * GW_LINE_BYTES);
	struct gw_node *root = NULL;
	if (!a) {
		return -ENOMEM;
	}
	if (gw_node_parse_json(a, request, &limits, &root, /* reterr_= */ NULL) < 0) {
		root = NULL; /* answered with error "line" */
	}
	return gw_line_step(b, root, ret_answer);
}
