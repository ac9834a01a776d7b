/* Messages (profile-language §6): channels, codecs, layers, and what receiving extracts from each. */
#include <errno.h>

#include "gw/alloc.h"
#include "gw/limits.h"
#include "profile/compile.h"
#include "profile/compose.h"
#include "profile/source.h"

/* --- channels --- */

/* Variables and containment (§4) are gw_match_check_channels' business. */
static int channel(struct gw_compiler *c, const struct gw_node *msg, const char *key,
		   const char **ret_channel)
{
	const struct gw_node *n = gw_node_get(msg, key);
	if (n && n->type != GW_NODE_TEXT) {
		return gw_refuse(c, n, key, "schema", "expected a channel");
	}
	if (n) {
		*ret_channel = n->text.p;
	}
	return 0;
}

static int rx_channels(struct gw_compiler *c, const struct gw_node *msg, struct gw_msg_info *info)
{
	const struct gw_node *n = gw_node_get(msg, "rx");
	if (!n) {
		return 0;
	}
	bool many = n->type == GW_NODE_LIST;
	const char **rx = gw_compile_array(c, const char *, many ? n->count : 1);
	if (!rx) {
		return -ENOMEM;
	}
	info->rx = rx;
	if (!many) {
		info->n_rx = 1;
		return channel(c, msg, "rx", &rx[0]);
	}
	gw_node_for(item, n)
	{
		if (item->type != GW_NODE_TEXT) {
			return gw_refuse(c, item, "rx", "schema", "expected a list of channels");
		}
		rx[info->n_rx++] = item->text.p;
	}
	return 0;
}

static int channels(struct gw_compiler *c, struct gw_pl_msg *m)
{
	static const struct {
		const char *key;
		enum gw_verb verb;
	} sends[] = {{"tx", GW_VERB_SEND}, {"put", GW_VERB_PUT}, {"post", GW_VERB_POST}};
	int r = rx_channels(c, m->node, &m->info);
	if (r == 0) {
		r = channel(c, m->node, "get", &m->info.get);
	}
	for (size_t i = 0; r == 0 && i < gw_countof(sends); i++) {
		if (gw_node_get(m->node, sends[i].key)) {
			r = channel(c, m->node, sends[i].key, &m->info.tx);
			m->info.verb = sends[i].verb;
		}
	}
	if (r < 0) {
		return r;
	}
	m->sendable = m->info.tx != NULL;
	if (!m->sendable && !m->info.get && m->info.n_rx == 0 && !gw_node_get(m->node, "from")) {
		return gw_refuse(c, m->node, NULL, "schema",
				 "a message needs a channel (rx, tx, get, put, post) or from");
	}
	return 0;
}

/* --- keys --- */

static int word(struct gw_compiler *c, const struct gw_node *msg, const char *key,
		const char *const *words, size_t n, unsigned *index)
{
	const struct gw_node *v = gw_node_get(msg, key);
	if (!v) {
		return 0;
	}
	for (size_t i = 0; v->type == GW_NODE_TEXT && i < n; i++) {
		if (gw_str_is(v->text, words[i])) {
			*index = (unsigned)i;
			return 0;
		}
	}
	return gw_refuse(c, v, key, "schema", "not one of the words for %s (first: %s)", key,
			 words[0]);
}

static int mode(struct gw_compiler *c, struct gw_pl_msg *m)
{
	static const char *const words[] = {"patch", "full", "rmw"};
	unsigned index = (unsigned)m->codec->mode;
	int r = word(c, m->node, "mode", words, gw_countof(words), &index);
	m->mode = (enum gw_mode)index;
	bool rmw = m->codec->codec == GW_CODEC_JSON || m->codec->codec == GW_CODEC_CBOR ||
		   m->codec->codec == GW_CODEC_BYTES;
	if (r == 0 && m->mode == GW_MODE_RMW && !rmw) {
		return gw_refuse(c, m->node, "mode", "schema",
				 "rmw is for json, cbor and bytes, not for %s", m->codec->name);
	}
	return r;
}

static int nibble(char ch)
{
	uint64_t v;
	return gw_parse_hex((struct gw_str){&ch, 1}, &v) < 0 ? -1 : (int)v;
}

/* "40 -- 1f": hex pairs, -- is a byte of the last body. */
static int fill(struct gw_compiler *c, struct gw_pl_msg *m)
{
	const struct gw_node *n = gw_node_get(m->node, "fill");
	if (!n) {
		return 0;
	}
	m->fill = gw_compile_array(c, uint8_t, n->text.len / 2 + 1);
	m->fill_keep = gw_compile_array(c, bool, n->text.len / 2 + 1);
	if (!m->fill || !m->fill_keep) {
		return -ENOMEM;
	}
	struct gw_str s = n->text;
	size_t i = 0;
	for (; i < s.len; i++) {
		if (s.p[i] == ' ') {
			continue;
		}
		bool keep = i + 1 < s.len && s.p[i] == '-' && s.p[i + 1] == '-';
		int high = nibble(s.p[i]), low = i + 1 < s.len ? nibble(s.p[i + 1]) : -1;
		if ((!keep && (high < 0 || low < 0)) || (keep && m->mode != GW_MODE_RMW) ||
		    m->fill_len == GW_FRAME_BYTES) {
			return gw_refuse(
				c, n, "fill", "schema",
				"expected hex pairs (and -- in mode rmw), at most %d bytes",
				GW_FRAME_BYTES);
		}
		m->fill_keep[m->fill_len] = keep;
		m->fill[m->fill_len++] = keep ? 0 : (uint8_t)(high * 16 + low);
		i++;
	}
	m->has_fill = true;
	return 0;
}

static int tlv_types(struct gw_compiler *c, struct gw_pl_msg *m)
{
	const struct gw_node *types = gw_node_get(m->node, "types");
	if (!types) {
		return 0;
	}
	m->types = gw_compile_array(c, struct gw_tlv_type, types->count);
	if (!m->types) {
		return -ENOMEM;
	}
	size_t mark = gw_at(c, GW_STR("types"));
	gw_node_for(n, types)
	{
		struct gw_tlv_type *t = &m->types[m->n_types++];
		size_t inner = gw_at(c, n->key);
		uint64_t code;
		if (gw_parse_u64(n->key, &code) < 0 || code > 255) {
			return gw_refuse(c, n, NULL, "schema",
					 "a type code is a number from 0 to 255");
		}
		if (n->type != GW_NODE_TEXT || gw_as_parse(n->text, &t->as) < 0 ||
		    !gw_as_is_bytes(&t->as) || t->as.size == 0) {
			return gw_refuse(c, n, NULL, "as",
					 "expected a byte type of fixed length like u16le");
		}
		t->code = (uint8_t)code;
		gw_at_back(c, inner);
	}
	gw_at_back(c, mark);
	return 0;
}

static int asks(struct gw_compiler *c, struct gw_pl_msg *m)
{
	static const char *const words[] = {"bind", "online", "wake", "write"};
	const struct gw_node *on = gw_node_get(m->node, "on");
	gw_item_for(n, on)
	{
		unsigned bit = gw_countof(words);
		for (unsigned i = 0; n->type == GW_NODE_TEXT && i < gw_countof(words); i++) {
			bit = gw_str_is(n->text, words[i]) ? i : bit;
		}
		if (bit == gw_countof(words)) {
			return gw_refuse(c, n, "on", "schema",
					 "expected bind, online, wake or write");
		}
		m->info.on |= 1u << bit;
	}
	const struct gw_node *link = gw_node_get(c->plan->tree, "link");
	struct gw_msg_info *i = &m->info;
	int r = 0;
	const struct gw_node *from[] = {link, m->node};
	for (size_t k = 0; r == 0 && k < gw_countof(from); k++) { /* the innermost wins */
		r = gw_compile_duration(c, from[k], "every", &i->every_ms);
		r = r < 0 ? r : gw_compile_duration(c, from[k], "min_gap", &i->min_gap_ms);
		r = r < 0 ? r : gw_compile_duration(c, from[k], "coalesce", &i->coalesce_ms);
		const struct gw_node *con = gw_node_get(from[k], "con");
		i->con = con && con->type == GW_NODE_BOOL ? con->flag : (k == 0 || i->con);
	}
	i->asks = i->get || (i->tx && i->reply >= 0);
	if (!i->asks) {
		i->every_ms = 0;
	}
	return r;
}

static int small_number(struct gw_compiler *c, const struct gw_node *msg, const char *key,
			double max, double *value)
{
	const struct gw_node *n = gw_node_get(msg, key);
	if (!n) {
		return 0;
	}
	if (n->type != GW_NODE_NUMBER || n->number < 0 || n->number > max ||
	    n->number != (double)(uint32_t)n->number) {
		return gw_refuse(c, n, key, "schema", "expected a whole number from 0 to %.0f",
				 max);
	}
	*value = n->number;
	return 0;
}

static int numbers(struct gw_compiler *c, struct gw_pl_msg *m)
{
	double qos = 0, ct = -1, len = 0;
	int r = small_number(c, m->node, "qos", 2, &qos);
	r = r < 0 ? r : small_number(c, m->node, "ct", INT16_MAX, &ct);
	r = r < 0 ? r : small_number(c, m->node, "len", GW_BODY_BYTES, &len);
	m->info.qos = (uint8_t)qos;
	m->info.ct = (int16_t)ct;
	m->len = (uint32_t)len;
	const struct gw_node *retain = gw_node_get(m->node, "retain");
	const struct gw_node *observe = gw_node_get(m->node, "observe");
	m->info.retain = retain && retain->flag;
	m->info.observe = observe && observe->flag;
	return r;
}

/* --- nested layers (§7) --- */

static int layer(struct gw_compiler *c, struct gw_pl_msg *m)
{
	static const char *const words[] = {"none", "base64", "hex", "utf16b64"};
	const struct gw_node *from = gw_node_get(m->node, "from");
	m->info.parent = -1;
	if (!from) {
		return 0;
	}
	unsigned decode = GW_DECODE_NONE;
	int r = word(c, m->node, "decode", words, gw_countof(words), &decode);
	if (r < 0) {
		return r;
	}
	m->decode = (enum gw_decode)decode;
	struct gw_ref *ref = gw_compile_array(c, struct gw_ref, 1);
	if (!ref) {
		return -ENOMEM;
	}
	size_t mark = gw_at(c, GW_STR("from"));
	r = gw_compile_ref(c, from, /* out= */ false, ref);
	if (r == 0 && (ref->kind == GW_REF_OPTION || ref->width)) {
		r = gw_refuse(c, from, NULL, "ref", "a layer comes from msg#/pointer or msg@byte");
	}
	if (r < 0) {
		return r;
	}
	gw_at_back(c, mark);
	m->from = ref;
	m->info.parent = (int16_t)ref->msg;
	return 0;
}

static int layer_roots(struct gw_compiler *c)
{
	struct gw_plan *p = c->plan;
	for (uint16_t i = 0; i < p->n_msgs; i++) {
		struct gw_pl_msg *m = &p->msgs[i];
		uint16_t root = i;
		unsigned depth = 0;
		while (p->msgs[root].info.parent >= 0 && depth <= GW_LAYER_DEPTH) {
			root = (uint16_t)p->msgs[root].info.parent;
			depth++;
		}
		if (depth > GW_LAYER_DEPTH) {
			size_t mark = gw_at(c, m->name);
			int r = gw_refuse(c, gw_node_get(m->node, "from"), "from", "cycle",
					  "layers go round, or are deeper than %d", GW_LAYER_DEPTH);
			(void)mark;
			return r;
		}
		m->root = root;
		m->depth = (uint16_t)depth;
		m->sendable = p->msgs[root].info.tx != NULL;
	}
	return 0;
}

/* --- filters --- */

static int filters(struct gw_compiler *c, struct gw_pl_msg *m, const char *key, char mark_char)
{
	const struct gw_node *map = gw_node_get(m->node, key);
	if (!map) {
		return 0;
	}
	if (m->codec->bytes != (mark_char == '@') || m->codec->codec == GW_CODEC_TLV) {
		return gw_refuse(c, map, key, "schema", "%s does not fit codec %s", key,
				 m->codec->name);
	}
	m->filters = gw_compile_array(c, struct gw_filter, map->count);
	if (!m->filters) {
		return -ENOMEM;
	}
	size_t mark = gw_at(c, gw_str(key));
	gw_node_for(n, map)
	{
		struct gw_filter *f = &m->filters[m->n_filters++];
		size_t inner = gw_at(c, n->key);
		GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(4096);
		gw_buf_printf(&b, "%s%c", m->info.name, mark_char);
		gw_buf_add_str(&b, n->key);
		struct gw_node text = *n;
		text.type = GW_NODE_TEXT;
		text.text = gw_buf_str(&b);
		struct gw_ref *ref = gw_compile_array(c, struct gw_ref, 1);
		int r = ref ? gw_compile_ref(c, &text, /* out= */ false, ref) : -ENOMEM;
		r = r < 0 ? r : gw_compile_raws(c, n, &f->values, &f->n_values);
		if (r < 0) {
			return r;
		}
		m->extracts[m->n_extracts] = (struct gw_extract){.ref = ref, .point = GW_NO_INDEX};
		f->extract = m->n_extracts++;
		gw_at_back(c, inner);
	}
	gw_at_back(c, mark);
	return 0;
}

/* --- extracts: what receiving looks for --- */

static size_t refs_into(const struct gw_pl_point *p, uint16_t msg)
{
	size_t n = 0;
	for (uint16_t i = 0; i < p->n_in; i++) {
		n += p->in[i].msg == msg;
	}
	return n;
}

static void extracts_of_point(struct gw_pl_msg *m, uint16_t msg, const struct gw_pl_point *p,
			      uint16_t index)
{
	struct gw_msg_point *mp = &m->points[m->n_points];
	*mp = (struct gw_msg_point){.point = index, .first = m->n_extracts};
	for (uint16_t i = 0; i < p->n_in; i++) {
		if (p->in[i].msg == msg) {
			m->extracts[m->n_extracts++] =
				(struct gw_extract){.ref = &p->in[i], .point = index};
			m->options |= p->in[i].kind == GW_REF_OPTION;
			mp->n++;
		}
	}
	if (mp->n > 0) {
		m->n_points++;
	}
}

static void outs_of_point(struct gw_pl_msg *m, uint16_t msg, const struct gw_pl_point *p,
			  uint16_t index)
{
	for (uint16_t i = 0; i < p->n_out; i++) {
		if (p->out[i].msg == msg) {
			m->outs[m->n_outs++] = (struct gw_out){.point = index, .ref = &p->out[i]};
		}
	}
}

static int msg_extracts(struct gw_compiler *c, uint16_t index)
{
	struct gw_plan *p = c->plan;
	struct gw_pl_msg *m = &p->msgs[index];
	size_t refs = 0, outs = 0;
	for (uint16_t i = 0; i < p->n_points; i++) {
		refs += refs_into(&p->points[i], index);
		for (uint16_t k = 0; k < p->points[i].n_out; k++) {
			outs += p->points[i].out[k].msg == index;
		}
	}
	const struct gw_node *if_json = gw_node_get(m->node, "if_json");
	const struct gw_node *if_byte = gw_node_get(m->node, "if_byte");
	refs += (if_json ? if_json->count : 0) + (if_byte ? if_byte->count : 0) + p->n_msgs;
	if (refs >= GW_NO_INDEX) {
		return gw_refuse(c, m->node, NULL, "size", "too many references into one message");
	}
	m->extracts = gw_compile_array(c, struct gw_extract, refs);
	m->points = gw_compile_array(c, struct gw_msg_point, p->n_points);
	m->outs = gw_compile_array(c, struct gw_out, outs);
	m->layers = gw_compile_array(c, struct gw_layer_use, p->n_msgs);
	if (!m->extracts || !m->points || !m->outs || !m->layers) {
		return -ENOMEM;
	}
	for (uint16_t i = 0; i < p->n_points; i++) {
		extracts_of_point(m, index, &p->points[i], i);
		outs_of_point(m, index, &p->points[i], i);
	}
	int r = filters(c, m, "if_json", '#');
	r = r < 0 ? r : filters(c, m, "if_byte", '@');
	for (uint16_t i = 0; r == 0 && i < p->n_msgs; i++) {
		if (p->msgs[i].info.parent == (int16_t)index) {
			m->layers[m->n_layers++] =
				(struct gw_layer_use){.msg = i, .extract = m->n_extracts};
			m->extracts[m->n_extracts++] =
				(struct gw_extract){.ref = p->msgs[i].from, .point = GW_NO_INDEX};
		}
	}
	return r;
}

static int bodies(struct gw_compiler *c, struct gw_pl_msg *m)
{
	const struct gw_node *body = gw_node_get(m->node, "body");
	m->body = body;
	m->base = gw_node_get(m->node, "base");
	if (body && m->n_outs > 0) {
		return gw_refuse(
			c, body, "body", "schema",
			"a message with a fixed body cannot have points that are written to it");
	}
	if (m->codec->codec == GW_CODEC_TEXT && m->n_outs > 1) {
		return gw_refuse(c, m->node, NULL, "overlap", "a text body holds one point");
	}
	m->info.has_body = m->info.parent < 0 && (m->sendable || m->info.get) && m->n_outs == 0;
	if (m->mode == GW_MODE_RMW) {
		struct gw_pl_msg *source = m->reply != GW_NO_INDEX ? &c->plan->msgs[m->reply] : m;
		if (source->keep == GW_NO_INDEX) {
			source->keep = c->plan->n_kept++;
		}
	}
	return 0;
}

/* Extracts of a message and of all its layers lie side by side while it is received. */
static uint32_t extracts_below(const struct gw_plan *p, uint16_t index)
{
	uint32_t n = p->msgs[index].n_extracts;
	for (uint16_t i = 0; i < p->n_msgs; i++) {
		n += i != index && p->msgs[i].root == index ? p->msgs[i].n_extracts : 0u;
	}
	return n;
}

int gw_compile_extracts(struct gw_compiler *c)
{
	struct gw_plan *p = c->plan;
	size_t mark = gw_at(c, GW_STR("msgs"));
	for (uint16_t i = 0; i < p->n_msgs; i++) {
		size_t inner = gw_at(c, p->msgs[i].name);
		int r = msg_extracts(c, i);
		r = r < 0 ? r : bodies(c, &p->msgs[i]);
		if (r == 0 && p->msgs[i].codec->codec == GW_CODEC_JSON) {
			r = gw_trie_compile(c->arena, &p->msgs[i]);
			r = r == -E2BIG
				    ? gw_refuse(
					      c, p->msgs[i].node, NULL, "size",
					      "too many references, or more than %d selectors of one list",
					      GW_SELECTS)
				    : r;
		}
		if (r < 0) {
			return r;
		}
		gw_at_back(c, inner);
	}
	for (uint16_t i = 0; i < p->n_msgs; i++) {
		uint32_t n = extracts_below(p, i);
		p->max_extracts = n > p->max_extracts ? (uint16_t)n : p->max_extracts;
	}
	gw_at_back(c, mark);
	return 0;
}

/* --- the section --- */

static int compile_msg(struct gw_compiler *c, struct gw_pl_msg *m)
{
	int r = channels(c, m);
	r = r < 0 ? r : mode(c, m);
	r = r < 0 ? r : fill(c, m);
	r = r < 0 ? r : tlv_types(c, m);
	r = r < 0 ? r : numbers(c, m);
	r = r < 0 ? r : layer(c, m);
	const struct gw_node *reply = gw_node_get(m->node, "reply");
	m->reply = m->keep = GW_NO_INDEX;
	m->info.reply = -1;
	if (r == 0 && reply) {
		size_t mark = gw_at(c, GW_STR("reply"));
		r = gw_compile_msg_name(c, reply, &m->reply);
		if (r < 0) {
			return r;
		}
		m->info.reply = (int16_t)m->reply;
		gw_at_back(c, mark);
	}
	uint16_t by; /* as in gw_compile_link */
	r = r < 0 ? r : gw_compile_confirm_by(c, m->node, &by);
	return r < 0 ? r : asks(c, m);
}

static int names(struct gw_compiler *c, const struct gw_node *msgs)
{
	struct gw_plan *p = c->plan;
	gw_node_for(n, msgs)
	{
		struct gw_pl_msg *m = &p->msgs[p->n_msgs++];
		m->name = n->key;
		m->info.name = n->key.p;
		m->node = n;
		const struct gw_node *codec = gw_node_get(n, "codec");
		m->codec = codec ? gw_codec_find(codec->text) : &gw_codec_json;
		if (!m->codec) {
			size_t mark = gw_at(c, n->key);
			int r = gw_refuse(c, codec, "codec", "schema",
					  "no codec \"" GW_STR_FMT
					  "\"; there are json, text, bytes, tlv, form, cbor",
					  GW_STR_ARG(codec->text));
			(void)mark;
			return r;
		}
		m->info.codec = m->codec->codec;
	}
	return 0;
}

int gw_compile_msgs(struct gw_compiler *c)
{
	const struct gw_node *msgs = gw_node_get(c->plan->tree, "msgs");
	if (!msgs) {
		return 0;
	}
	size_t mark = gw_at(c, GW_STR("msgs"));
	if (msgs->count > GW_PROFILE_MSGS) {
		return gw_refuse(c, msgs, NULL, "size", "%zu messages; at most %d", msgs->count,
				 GW_PROFILE_MSGS);
	}
	c->plan->msgs = gw_compile_array(c, struct gw_pl_msg, msgs->count);
	if (!c->plan->msgs) {
		return -ENOMEM;
	}
	int r = names(c, msgs);
	for (uint16_t i = 0; r == 0 && i < c->plan->n_msgs; i++) {
		size_t inner = gw_at(c, c->plan->msgs[i].name);
		r = compile_msg(c, &c->plan->msgs[i]);
		if (r == 0) {
			gw_at_back(c, inner);
		}
	}
	r = r < 0 ? r : layer_roots(c);
	if (r == 0) {
		gw_at_back(c, mark);
	}
	return r;
}

int gw_compile_link(struct gw_compiler *c)
{
	struct gw_plan *p = c->plan;
	const struct gw_node *link = gw_node_get(p->tree, "link");
	p->link.adapter = c->profile->adapter ? c->profile->adapter : "";
	if (!link) {
		return 0;
	}
	size_t mark = gw_at(c, GW_STR("link"));
	uint16_t
		by; /* resolved again for each capability; here so that it is refused at its own place */
	int r = gw_compile_duration(c, link, "min_gap", &p->link.min_gap_ms);
	r = r < 0 ? r : gw_compile_duration(c, link, "coalesce", &p->link.coalesce_ms);
	r = r < 0 ? r : gw_compile_duration(c, link, "offline_after", &p->link.offline_after_ms);
	r = r < 0 ? r : gw_compile_confirm_by(c, link, &by);
	const struct gw_node *sleepy = gw_node_get(link, "sleepy");
	p->link.sleepy = sleepy && sleepy->flag;
	const struct gw_node *presence = gw_node_get(link, "presence");
	if (r == 0 && presence) {
		size_t inner = gw_at(c, GW_STR("presence"));
		const struct gw_node *point = gw_node_get(presence, "point"),
				     *is = gw_node_get(presence, "is");
		if (!point || !is) {
			return gw_refuse(c, presence, NULL, "schema",
					 "presence needs point and is");
		}
		size_t innermost = gw_at(c, GW_STR("point"));
		r = gw_compile_point_name(c, point, &p->presence_point);
		r = r < 0 ? r : gw_compile_raw(c, is, &p->presence_is);
		if (r < 0) {
			return r;
		}
		gw_at_back(c, innermost);
		gw_at_back(c, inner);
		p->link.has_presence = true;
	}
	const struct gw_node *dedup = gw_node_get(link, "dedup");
	if (r == 0 && dedup) {
		size_t inner = gw_at(c, GW_STR("dedup"));
		r = gw_compile_point_name(c, dedup, &p->dedup_point);
		if (r < 0) {
			return r;
		}
		gw_at_back(c, inner);
	}
	if (r == 0) {
		gw_at_back(c, mark);
	}
	return r;
}
