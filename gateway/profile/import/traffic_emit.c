/* From messages and points to the tree of a profile, each assumption a comment. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "gw/alloc.h"
#include "gw/topic.h"
#include "profile/import/traffic.h"

#define PARSE_ARENA ((size_t)GW_BODY_BYTES * 64)

GW_DEFINE_AUTO(struct gw_arena, gw_arena_free)

void gw_yaml_say(struct gw_traffic_draft *t, const struct gw_node *at, int place, const char *fmt,
		 ...)
{
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
	char clean[512];
	va_list ap;
	va_start(ap, fmt);
	gw_buf_vprintf(&text, fmt, ap);
	va_end(ap);
	/* It quotes devices: no line end may get into a comment. */
	size_t n = gw_str_clean(gw_buf_str(&text), 160, clean, sizeof(clean));
	struct gw_yaml_note *note = gw_arena_alloc(t->d.a, sizeof(*note));
	struct gw_str copy = gw_arena_text(t->d.a, (struct gw_str){clean, n});
	if (!note || !copy.p) {
		t->d.failed = true;
		return;
	}
	note->at = at;
	note->place = place == GW_YAML_BESIDE ? GW_YAML_BESIDE
		      : place == GW_YAML_END  ? GW_YAML_END
					      : GW_YAML_ABOVE;
	note->text = copy.p;
	*t->notes_tail = note;
	t->notes_tail = &note->next;
}

/* --- messages --- */

/* The topic with the identity as {id}, or as + with its place in *ret_at. */
static const char *channel_of(struct gw_traffic_draft *d, struct gw_str topic, const char *as,
			      size_t *ret_at)
{
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_TOPIC_BYTES * 4);
	struct gw_str level;
	size_t at = 0, found = SIZE_MAX;
	for (; gw_str_split(&topic, '/', &level); at++) {
		bool id = gw_str_eq(level, d->identity.level);
		found = id && found == SIZE_MAX ? at : found;
		gw_buf_puts(&text, at ? "/" : "");
		gw_buf_add_str(&text, id ? gw_str(as) : level);
	}
	d->d.failed |= gw_buf_error(&text) != 0;
	*ret_at = found;
	return gw_draft_printf(&d->d, "%s", text.p ? text.p : "");
}

static bool keeps(const struct gw_traffic_msg *m, const char *pointer)
{
	for (size_t i = 0; i < m->n_leaves; i++) {
		const struct gw_traffic_leaf *l = &m->leaf[i];
		if (strcmp(l->pointer, pointer) == 0) {
			bool secret = l->left_out && strstr(l->left_out, "secret");
			return !l->point && !secret && l->seen.count == m->n_bodies;
		}
	}
	return false;
}

/* What of a command's body stays the same whatever is set. */
static struct gw_node *base_of(struct gw_traffic_draft *d, const struct gw_traffic_msg *m,
			       const struct gw_node *n, const char *pointer, unsigned depth)
{
	if (n->type != GW_NODE_MAP || depth == GW_BODY_DEPTH) {
		return keeps(m, pointer) ? gw_node_copy(d->d.a, n) : NULL;
	}
	struct gw_node *map = gw_node_new(d->d.a, GW_NODE_MAP);
	gw_node_for(member, n)
	{
		struct gw_node *copy = base_of(
			d, m, member, gw_draft_pointer(&d->d, pointer, member->key), depth + 1);
		if (copy && map && gw_node_set(d->d.a, map, member->key, copy) < 0) {
			d->d.failed = true;
		}
	}
	return map && map->first ? map : NULL;
}

static void emit_body(struct gw_traffic_draft *d, struct gw_traffic_msg *m)
{
	struct gw_str body = d->t->messages[m->at].payload;
	if (m->codec == GW_TRAFFIC_IN_TEXT) {
		if (m->fixed) {
			gw_set_node(&d->d, m->node, "body", gw_text_node(&d->d, body));
		}
		return;
	}
	GW_AUTO(gw_arena_free_auto) struct gw_arena *a = gw_arena_new(PARSE_ARENA);
	const struct gw_node *root = a ? gw_traffic_parse(a, body) : NULL;
	struct gw_node *base = root ? base_of(d, m, root, "", 0) : NULL;
	if (base) {
		gw_set_node(&d->d, m->node, m->fixed ? "body" : "base", base);
	}
}

/* The message that came next each time this one was sent; NULL when it was not always the same. */
static const struct gw_traffic_msg *answer_to(const struct gw_traffic_draft *d,
					      const struct gw_traffic_msg *ask)
{
	const struct gw_traffic_msg *answer = NULL;
	struct gw_str wanted = d->t->messages[ask->at].payload;
	for (size_t i = 0; i < d->t->n_messages; i++) {
		const struct gw_recorded *r = &d->t->messages[i];
		if (r->topic != ask->topic || !gw_str_eq(r->payload, wanted)) {
			continue;
		}
		const struct gw_traffic_msg *next = NULL;
		for (size_t k = 0; k < d->n_msgs && i + 1 < d->t->n_messages; k++) {
			if (d->msgs[k]->topic == d->t->messages[i + 1].topic &&
			    d->msgs[k]->role == GW_TRAFFIC_HEARD) {
				next = d->msgs[k];
			}
		}
		if (!next || (answer && answer != next)) {
			return NULL;
		}
		answer = next;
	}
	return answer;
}

static void emit_sent(struct gw_traffic_draft *d, struct gw_traffic_msg *m)
{
	emit_body(d, m);
	if (!m->fixed) {
		if (gw_node_get(m->node, "base")) {
			gw_yaml_say(d, m->node, GW_YAML_BESIDE, "base: as it was recorded");
		}
		return;
	}
	const struct gw_traffic_msg *answer = answer_to(d, m);
	if (!answer) {
		gw_yaml_say(d, m->node, GW_YAML_BESIDE,
			    "asks or does something: `reply: MESSAGE` when it is answered");
		return;
	}
	gw_set_text(&d->d, m->node, "reply", answer->name);
	struct gw_node *on = gw_set_list(&d->d, m->node, "on");
	gw_add_text(&d->d, on, GW_STR("bind"));
	gw_add_text(&d->d, on, GW_STR("online"));
	gw_yaml_say(d, m->node, GW_YAML_BESIDE, "reply: %s came next each time", answer->name);
}

static void emit_bytes(struct gw_traffic_draft *d, const struct gw_traffic_msg *m)
{
	GW_AUTO(gw_buf_fini) struct gw_buf hex = GW_BUF_INIT(256);
	struct gw_str body = gw_str_sub(d->t->messages[m->at].payload, 0, 24);
	for (size_t i = 0; i < body.len; i++) {
		gw_buf_printf(&hex, " %02x", (unsigned)(unsigned char)body.p[i]);
	}
	gw_yaml_say(d, m->node, GW_YAML_BESIDE, "bytes%s … points are yours to add, as %s@0",
		    hex.p ? hex.p : "", m->name);
}

static const char *const codec_names[] = {NULL, "text", "bytes"};

static void emit_msg(struct gw_traffic_draft *d, struct gw_traffic_msg *m)
{
	size_t at;
	const struct gw_traffic_topic *topic = &d->t->topics[m->topic];
	bool heard = m->role == GW_TRAFFIC_HEARD;
	const char *channel = channel_of(d, topic->name, "{id}", &at);
	if (m->merged) {
		gw_set_text(&d->d, m->merged->node, "tx", channel);
		m->name = m->merged->name;
		return;
	}
	m->node = gw_set_map(&d->d, d->d.msgs, m->name);
	gw_set_text(&d->d, m->node, heard ? "rx" : "tx", channel);
	if (codec_names[m->codec]) {
		gw_set_text(&d->d, m->node, "codec", codec_names[m->codec]);
	}
	if (m->codec == GW_TRAFFIC_IN_BYTES) {
		emit_bytes(d, m);
	} else if (!heard) {
		emit_sent(d, m);
	}
	if (heard && m->codec != GW_TRAFFIC_IN_BYTES) {
		gw_yaml_say(d, m->node, GW_YAML_BESIDE, "%zu heard%s", m->n_bodies,
			    topic->retained ? ", retained" : "");
	}
	if (m->n_odd) {
		gw_yaml_say(d, m->node, GW_YAML_BESIDE, "%zu bodies of another kind passed over",
			    m->n_odd);
	}
	if (m->more) {
		gw_yaml_say(d, m->node, GW_YAML_BESIDE, "has more values than are drafted");
	}
}

/* --- points --- */

/* A name for the value: its last level, with the one before when it is a number. */
static const char *hint_of(struct gw_traffic_draft *d, const char *full)
{
	char own[GW_TRAFFIC_WORD_BYTES] = "", before[GW_TRAFFIC_WORD_BYTES] = "";
	struct gw_str rest = gw_str(full), level;
	while (gw_str_split(&rest, '/', &level)) {
		memcpy(before, own, sizeof(before));
		gw_traffic_fold(level, own);
	}
	bool number = own[0] == 0 || isdigit((unsigned char)own[0]);
	return gw_draft_slug(&d->d, gw_str(gw_draft_printf(&d->d, "%s%s%s", number ? before : "",
							   number && before[0] ? "_" : "", own)));
}

static void add_refs(struct gw_traffic_draft *d, struct gw_traffic_point *p)
{
	if (p->n_in == 1 && p->n_out == 1 && p->out[0].msg->merged == p->in[0].msg) {
		gw_draft_ref(&d->d, p->node, "io", p->in[0].msg->name, p->in[0].pointer);
		return;
	}
	for (size_t i = 0; i < p->n_in; i++) {
		gw_draft_ref(&d->d, p->node, "in", p->in[i].msg->name, p->in[i].pointer);
	}
	for (size_t i = 0; i < p->n_out; i++) {
		gw_draft_ref(&d->d, p->node, "out", p->out[i].msg->name, p->out[i].pointer);
	}
}

/* Words that are the symbols already need no map. */
static bool needs_map(const struct gw_meaning *m)
{
	for (unsigned i = 0; i < m->n_map; i++) {
		if (!m->map[i].value || strcmp(m->map[i].value, m->map[i].word) != 0) {
			return true;
		}
	}
	return false;
}

static void add_map(struct gw_traffic_draft *d, const struct gw_traffic_point *p)
{
	const struct gw_meaning *m = &p->meaning;
	struct gw_node *map = gw_set_map(&d->d, p->node, "map");
	double number;
	bool looks = false;
	for (unsigned i = 0; i < m->n_map; i++) {
		const char *word = m->map[i].word;
		if (m->map[i].value) {
			gw_set_text(&d->d, map, word, m->map[i].value);
		} else {
			gw_set_bool(&d->d, map, word, m->map[i].flag);
		}
		looks |= gw_parse_double(gw_str(word), &number) == 0 || strcmp(word, "true") == 0 ||
			 strcmp(word, "false") == 0;
	}
	/* A text that looks like a number is written as a text only when the profile says so. */
	if (looks && p->n_out && p->out[0].msg->codec == GW_TRAFFIC_IN_JSON && p->seen.texts) {
		gw_set_text(&d->d, p->node, "raw", "text");
	}
}

static void add_linear(struct gw_traffic_draft *d, const struct gw_traffic_point *p)
{
	const struct gw_linear *l = &p->meaning.linear;
	bool number = p->meaning.type == GW_TYPE_INT || p->meaning.type == GW_TYPE_NUM;
	if (number && !gw_linear_is_none(*l)) {
		const struct {
			const char *key;
			double value, none;
		} parts[] = {{"mul", l->mul, 1}, {"div", l->div, 1}, {"add", l->add, 0}};
		for (size_t i = 0; i < gw_countof(parts); i++) {
			if (parts[i].value < parts[i].none || parts[i].value > parts[i].none) {
				gw_set_number(&d->d, p->node, parts[i].key, parts[i].value);
			}
		}
	}
	if (number && p->n_out && p->seen.decimals) {
		gw_set_bool(&d->d, p->node, "frac", true);
	}
}

static void say_words(struct gw_traffic_draft *d, const struct gw_traffic_point *p)
{
	GW_AUTO(gw_buf_fini) struct gw_buf words = GW_BUF_INIT(256);
	for (unsigned i = 0; i < p->seen.n_words && !p->seen.numeric; i++) {
		gw_buf_printf(&words, "%s%s", i ? ", " : "", p->seen.word[i]);
	}
	if (words.len > 0 && p->meaning.type != GW_TYPE_STR) {
		gw_yaml_say(d, p->node, GW_YAML_BESIDE, "seen: %s", words.p);
	}
	if (p->meaning.why && p->meaning.type == GW_TYPE_BOOL) {
		gw_yaml_say(d, p->node, GW_YAML_BESIDE, "%s", p->meaning.why);
	}
	if (p->n_in > 1) {
		gw_yaml_say(d, p->node, GW_YAML_BESIDE, "the same value in %zu messages: assumed",
			    p->n_in);
	}
	if (p->n_in == 0) {
		gw_yaml_say(d, p->node, GW_YAML_BESIDE, "only commands were seen, no state");
	}
}

static void emit_point(struct gw_traffic_draft *d, struct gw_traffic_point *p)
{
	if (p->repeats) {
		gw_yaml_say(d, d->d.points, GW_YAML_END, "%s left out: %s in another unit",
			    p->full + 1, p->repeats->name);
		return;
	}
	p->node = gw_draft_point(&d->d, p->presence ? "online" : hint_of(d, p->full), &p->name);
	if (!p->node) {
		return;
	}
	add_refs(d, p);
	if (p->meaning.as_num) {
		gw_set_text(&d->d, p->node, "as", "num");
	}
	if (needs_map(&p->meaning)) {
		add_map(d, p);
	}
	add_linear(d, p);
	say_words(d, p);
}

/* --- capabilities --- */

/* "switch:1" of "/status/switch:1/output": the part of the device whose value it is. */
static const char *part_of(struct gw_traffic_draft *d, const struct gw_traffic_point *p)
{
	struct gw_str rest = gw_str(p->full), level, part = {NULL, 0}, before = {"", 0};
	while (gw_str_split(&rest, '/', &level)) {
		for (size_t i = 0; i < level.len; i++) {
			bool digit = isdigit((unsigned char)level.p[i]) != 0;
			part = digit ? level : part;
		}
		before = rest.p ? level : before;
	}
	bool bare = part.p && isdigit((unsigned char)part.p[0]);
	const char *hint = bare	    ? gw_draft_printf(&d->d, "part_" GW_STR_FMT, GW_STR_ARG(part))
			   : part.p ? gw_draft_printf(&d->d, GW_STR_FMT, GW_STR_ARG(part))
				    : gw_draft_printf(&d->d, GW_STR_FMT, GW_STR_ARG(before));
	const char *slug = gw_draft_slug(&d->d, gw_str(hint));
	return slug[0] ? slug : p->name;
}

static void say_range(struct gw_traffic_draft *d, const struct gw_traffic_point *p)
{
	const struct gw_seen *s = &p->seen;
	bool number = p->meaning.type == GW_TYPE_INT || p->meaning.type == GW_TYPE_NUM;
	if (number && s->changed) {
		gw_yaml_say(d, p->cap, GW_YAML_BESIDE, "raw %.15g … %.15g seen", s->min, s->max);
	} else if (number) {
		gw_yaml_say(d, p->cap, GW_YAML_BESIDE, "never changed");
	}
	if (number && p->meaning.why) {
		gw_yaml_say(d, p->cap, GW_YAML_BESIDE, "%s", p->meaning.why);
	}
}

/* "POWER", "relay/0" */
static const char *name_in(const char *full)
{
	const char *name = strrchr(full, '/') + 1; /* full begins with one */
	if (!isdigit((unsigned char)name[0])) {
		return name;
	}
	for (name -= name - full > 1 ? 2 : 1; name > full && *name != '/'; name--) {
	}
	return name + 1;
}

static void emit_standard(struct gw_traffic_draft *d, struct gw_traffic_point *p)
{
	const struct gw_capability *cap = gw_capability_find(gw_str(p->meaning.cap));
	const char *ids[] = {p->meaning.cap};
	const char *part = part_of(d, p);
	p->component = gw_draft_place(&d->d, part, /* label= */ NULL, ids, 1);
	p->address = p->meaning.cap;
	if (p->meaning.event) {
		p->cap = gw_draft_cap(&d->d, p->component, p->address);
		gw_set_text(&d->d, gw_set_map(&d->d, p->cap, "event"), "point", p->name);
	} else {
		p->cap = gw_draft_point_cap(&d->d, p->component, p->address, p->name);
	}
	if (!p->cap || !cap) {
		return;
	}
	const char *unit = gw_unit_symbol(cap->unit);
	gw_yaml_say(d, p->cap, GW_YAML_BESIDE, "by the name \"%s\"%s%s%s", name_in(p->full),
		    unit[0] ? "; " : "", unit, unit[0] ? " assumed" : "");
	say_range(d, p);
	if (p->component) {
		gw_yaml_say(d, p->cap, GW_YAML_BESIDE, "a second one of its kind");
	}
}

static void emit_own(struct gw_traffic_draft *d, struct gw_traffic_point *p)
{
	p->address = gw_draft_extension(&d->d, /* component= */ NULL, hint_of(d, p->full));
	p->cap = gw_draft_cap(&d->d, /* component= */ NULL, p->address);
	gw_set_text(&d->d, p->cap, "type", gw_type_name(p->meaning.type));
	if (p->meaning.type == GW_TYPE_NUM) {
		double res = 1;
		for (unsigned i = 0; i < p->seen.decimals; i++) {
			res /= 10;
		}
		gw_set_number(&d->d, p->cap, "res", res);
	}
	if (p->meaning.type == GW_TYPE_ENUM) {
		struct gw_node *symbols = gw_set_list(&d->d, p->cap, "enum");
		for (unsigned i = 0; i < p->meaning.n_map; i++) {
			gw_add_text(&d->d, symbols, gw_str(p->meaning.map[i].value));
		}
	}
	gw_set_text(&d->d, p->cap, "point", p->name);
	say_range(d, p);
}

static void emit_cap(struct gw_traffic_draft *d, struct gw_traffic_point *p)
{
	if (!p->node) {
		return;
	}
	if (p->meaning.cap) {
		emit_standard(d, p);
	} else {
		emit_own(d, p);
	}
	if (p->cap && p->n_out) {
		gw_yaml_say(d, p->cap, GW_YAML_BESIDE, "writable: a command was recorded");
	}
	if (p->cap && p->presence) {
		struct gw_node *presence = gw_set_map(&d->d, d->d.link, "presence");
		gw_set_text(&d->d, presence, "point", p->name);
		gw_set_bool(&d->d, presence, "is", true);
		gw_yaml_say(d, presence, GW_YAML_BESIDE,
			    "by its name and words: says whether the device is there");
	}
}

/* --- the head --- */

static const char *const model_names[] = {"model", "md", "model_id", "product", "app"};

/* What the device calls its model, and where. */
static const struct gw_traffic_leaf *find_model(const struct gw_traffic_draft *d,
						const struct gw_traffic_msg **ret_msg)
{
	char name[GW_TRAFFIC_WORD_BYTES];
	for (size_t i = 0; i < d->n_msgs; i++) {
		const struct gw_traffic_msg *m = d->msgs[i];
		for (size_t k = 0; k < m->n_leaves && m->role == GW_TRAFFIC_HEARD; k++) {
			const struct gw_traffic_leaf *l = &m->leaf[k];
			const char *slash = strrchr(l->pointer, '/');
			gw_traffic_fold(gw_str(slash ? slash + 1 : ""), name);
			for (size_t n = 0; n < gw_countof(model_names); n++) {
				if (strcmp(name, model_names[n]) == 0 && l->left_out &&
				    l->seen.n_words == 1 && !l->seen.many) {
					*ret_msg = m;
					return l;
				}
			}
		}
	}
	return NULL;
}

static size_t points_of(const struct gw_traffic_msg *m)
{
	size_t n = 0;
	for (size_t i = 0; i < m->n_leaves; i++) {
		n += m->leaf[i].point != NULL;
	}
	return n;
}

/* The message that tells most of the product; one with bytes when there is no other. */
static const struct gw_traffic_msg *speaker_of(const struct gw_traffic_draft *d)
{
	const struct gw_traffic_msg *best = NULL;
	for (size_t i = 0; i < d->n_msgs; i++) {
		const struct gw_traffic_msg *m = d->msgs[i];
		if (m->role == GW_TRAFFIC_HEARD && (!best || points_of(m) > points_of(best))) {
			best = m;
		}
	}
	return best;
}

/* Values that are always there; those that the model knows first, because they will stay in the profile. */
static void name_values(struct gw_traffic_draft *d, const struct gw_traffic_msg *m,
			struct gw_node *json)
{
	for (size_t k = 0; k < m->n_leaves * 2 && json->count < 3; k++) {
		const struct gw_traffic_leaf *l = &m->leaf[k % m->n_leaves];
		bool known = l->point && l->point->meaning.cap;
		if (l->point && l->seen.count == m->n_bodies && known == (k < m->n_leaves)) {
			gw_set_text(&d->d, json, l->pointer, "*");
		}
	}
}

static void emit_match(struct gw_traffic_draft *d, const struct gw_traffic_leaf *model,
		       const struct gw_traffic_msg *says)
{
	size_t at = 0;
	const struct gw_traffic_msg *m = model ? says : speaker_of(d);
	m = m ? m : d->msgs[0];
	struct gw_node *list = gw_set_list(&d->d, d->root, "match");
	struct gw_node *entry = gw_node_new(d->d.a, GW_NODE_MAP);
	gw_add_node(&d->d, list, entry);
	gw_set_text(&d->d, entry, "mqtt", channel_of(d, d->t->topics[m->topic].name, "+", &at));
	struct gw_node *json =
		model || m->codec == GW_TRAFFIC_IN_JSON ? gw_set_map(&d->d, entry, "json") : NULL;
	if (json && !model) {
		name_values(d, m, json);
	}
	if (model) {
		gw_set_text(&d->d, json, model->pointer, model->seen.word[0]);
	}
	if (json && !json->first) {
		(void)gw_node_remove(entry, GW_STR("json")); /* it is there */
	}
	gw_set_text(&d->d, gw_set_map(&d->d, entry, "set"), "id",
		    gw_draft_printf(&d->d, "topic:%zu", at));
	gw_yaml_say(d, entry, GW_YAML_ABOVE,
		    model ? "by the model that it tells"
			  : "a guess: nothing told the model; name what only this product sends");
}

/* A component whose name begins so: outlet_1. */
static bool has_part(const struct gw_traffic_draft *d, const char *name, size_t len)
{
	gw_node_for(c, d->d.components)
	{
		if (strncmp(c->key.p, name, len) == 0) {
			return true;
		}
	}
	return false;
}

static void say_missing(struct gw_traffic_draft *d, const struct gw_node *at, const char *type)
{
	const struct gw_device_type *t = gw_device_type_find(gw_str(type));
	gw_yaml_say(d, at, GW_YAML_BESIDE,
		    "by its capabilities: see gateway/model/device-types.txt");
	for (uint8_t i = 0; t && i < t->n_mandatory; i++) {
		const char *colon = strchr(t->mandatory[i], ':');
		struct gw_str rest = gw_str(colon ? colon + 1 : t->mandatory[i]), one;
		bool has = false;
		while (gw_str_split(&rest, '|', &one)) {
			has |= gw_draft_anywhere(
				&d->d, gw_draft_printf(&d->d, GW_STR_FMT, GW_STR_ARG(one)));
		}
		if (!has ||
		    (colon && !has_part(d, t->mandatory[i], (size_t)(colon - t->mandatory[i])))) {
			gw_yaml_say(d, at, GW_YAML_BESIDE, "wants %s", t->mandatory[i]);
		}
	}
}

static void emit_head(struct gw_traffic_draft *d)
{
	const struct gw_traffic_msg *says = NULL;
	const struct gw_traffic_leaf *model = find_model(d, &says);
	char name[128] = "";
	if (model) {
		(void)gw_str_clean(gw_str(model->seen.word[0]), 60, name, sizeof(name));
	}
	const char *type = gw_draft_type(&d->d), *slug = gw_draft_slug(&d->d, gw_str(name));
	const struct gw_device_type *t = gw_device_type_find(gw_str(type));
	gw_set_number(&d->d, d->root, "profile", 1);
	gw_set_text(&d->d, d->root, "id",
		    gw_draft_printf(&d->d, "%s.%s", d->d.vendor, slug[0] ? slug : type));
	gw_set_text(&d->d, d->root, "version", "0.1.0");
	gw_set_text(&d->d, d->root, "type", type);
	say_missing(d, gw_node_get(d->root, "type"), type);
	gw_set_text(&d->d, d->root, "name", name[0] ? name : t && t->label_en ? t->label_en : type);
	gw_yaml_say(d, gw_node_get(d->root, "name"), GW_YAML_BESIDE,
		    "for people; {en: …, zh-CN: …} for two languages");
	emit_match(d, model, says);
	struct gw_node *id = gw_set_map(&d->d, gw_set_map(&d->d, d->root, "vars"), "id");
	gw_set_bool(&d->d, id, "identity", true);
	gw_yaml_say(d, id, GW_YAML_BESIDE, "level %zu of the topics: %s", d->identity.at,
		    d->identity.why);
}

static void say_left_out(struct gw_traffic_draft *d)
{
	for (size_t i = 0; i < d->n_msgs; i++) {
		const struct gw_traffic_msg *m = d->msgs[i];
		for (size_t k = 0; k < m->n_leaves; k++) {
			if (m->leaf[k].left_out && m->role == GW_TRAFFIC_HEARD) {
				gw_yaml_say(d, d->d.points, GW_YAML_END, "%s#%s left out: it %s",
					    m->name, m->leaf[k].pointer, m->leaf[k].left_out);
			}
		}
	}
}

int gw_traffic_emit(struct gw_traffic_draft *d)
{
	d->root = gw_node_new(d->d.a, GW_NODE_MAP);
	for (size_t merged = 0; merged < 2; merged++) { /* what others merge into comes first */
		for (size_t i = 0; i < d->n_msgs; i++) {
			if ((d->msgs[i]->merged != NULL) == (merged == 1)) {
				emit_msg(d, d->msgs[i]);
			}
		}
	}
	for (struct gw_traffic_point *p = d->points; p; p = p->next) {
		emit_point(d, p);
		emit_cap(d, p);
	}
	emit_head(d);
	say_left_out(d);
	const struct {
		const char *key;
		struct gw_node *map;
	} sections[] = {{"link", d->d.link},
			{"msgs", d->d.msgs},
			{"points", d->d.points},
			{"caps", d->d.caps},
			{"components", d->d.components}};
	for (size_t i = 0; i < gw_countof(sections); i++) {
		if (sections[i].map->first) {
			gw_set_node(&d->d, d->root, sections[i].key, sections[i].map);
		}
	}
	gw_yaml_say(
		d, d->root, GW_YAML_ABOVE,
		"Drafted from %zu recorded messages. Each comment is an assumption: keep, correct or delete it.",
		d->t->n_messages);
	gw_yaml_say(d, d->root, GW_YAML_ABOVE,
		    "Next: hearth profile check --lax FILE, then gateway/docs/profiles.md.");
	return d->d.failed ? -ENOMEM : 0;
}
