/* From the recording to messages and points: what is heard and told, and which of them are the same value. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "gw/alloc.h"
#include "profile/import/traffic.h"

#define PARSE_ARENA ((size_t)GW_BODY_BYTES * 64)

GW_DEFINE_AUTO(struct gw_arena, gw_arena_free)

/* --- messages --- */

static enum gw_traffic_codec codec_of_body(struct gw_str body)
{
	struct gw_str trimmed = gw_str_trim(body);
	bool tree = trimmed.len > 0 && (trimmed.p[0] == '{' || trimmed.p[0] == '[');
	GW_AUTO(gw_arena_free_auto) struct gw_arena *a = tree ? gw_arena_new(PARSE_ARENA) : NULL;
	if (a && gw_traffic_parse(a, body)) {
		return GW_TRAFFIC_IN_JSON;
	}
	bool text = body.len <= GW_BODY_TEXT_BYTES && gw_str_is_utf8(body) &&
		    (body.len == 0 || !memchr(body.p, 0, body.len));
	return text ? GW_TRAFFIC_IN_TEXT : GW_TRAFFIC_IN_BYTES;
}

/* What most bodies of the topic are. */
static enum gw_traffic_codec codec_of_topic(const struct gw_traffic *t, uint32_t topic)
{
	size_t n[3] = {0};
	for (size_t i = 0; i < t->n_messages; i++) {
		const struct gw_recorded *m = &t->messages[i];
		if (m->topic == topic && m->payload.len > 0) {
			n[codec_of_body(m->payload)]++;
		}
	}
	return n[GW_TRAFFIC_IN_BYTES] > n[GW_TRAFFIC_IN_JSON] + n[GW_TRAFFIC_IN_TEXT]
		       ? GW_TRAFFIC_IN_BYTES
	       : n[GW_TRAFFIC_IN_TEXT] > n[GW_TRAFFIC_IN_JSON] ? GW_TRAFFIC_IN_TEXT
							       : GW_TRAFFIC_IN_JSON;
}

/* Commands on one topic that a member or the text itself tells apart. */
static const char *method_of(struct gw_traffic_draft *d, enum gw_traffic_role role,
			     struct gw_str body)
{
	static const char *const members[] = {"method", "cmd", "command"};
	if (role == GW_TRAFFIC_HEARD) {
		return NULL;
	}
	if (codec_of_body(body) == GW_TRAFFIC_IN_TEXT) {
		return role == GW_TRAFFIC_QUERY && body.len < GW_TRAFFIC_WORD_BYTES
			       ? gw_draft_printf(&d->d, GW_STR_FMT, GW_STR_ARG(body))
			       : NULL;
	}
	GW_AUTO(gw_arena_free_auto) struct gw_arena *a = gw_arena_new(PARSE_ARENA);
	const struct gw_node *root = a ? gw_traffic_parse(a, body) : NULL;
	for (size_t i = 0; root && i < gw_countof(members); i++) {
		const char *text = gw_node_text(root, members[i]);
		if (text && strlen(text) < GW_TRAFFIC_WORD_BYTES) {
			return gw_draft_printf(&d->d, "%s", text);
		}
	}
	return NULL;
}

static bool is_taken(const struct gw_traffic_draft *d, const char *name)
{
	for (size_t i = 0; i < d->n_msgs; i++) {
		if (strcmp(d->msgs[i]->name, name) == 0) {
			return true;
		}
	}
	return false;
}

/* What names the message: the end of its path, with the level before when it is a number; else the last level of the topic. */
static const char *word_of(struct gw_traffic_draft *d, const struct gw_traffic_msg *m,
			   struct gw_str topic)
{
	struct gw_str rest = gw_str(m->path), level, last = {"", 0}, before = {"", 0};
	const char *slash = strrchr(topic.p, '/');
	struct gw_str end = gw_str(slash ? slash + 1 : topic.p);
	while (gw_str_split(&rest, '/', &level)) {
		before = last;
		last = level;
	}
	if (last.len > 0) {
		bool number = isdigit((unsigned char)last.p[0]) != 0;
		return gw_draft_printf(&d->d, GW_STR_FMT "%s" GW_STR_FMT,
				       GW_STR_ARG(number ? before : GW_STR("")), number ? "_" : "",
				       GW_STR_ARG(last));
	}
	bool own = !gw_str_eq(end, d->identity.level) && m->role != GW_TRAFFIC_COMMAND;
	return m->role == GW_TRAFFIC_QUERY && m->method && m->codec == GW_TRAFFIC_IN_JSON ? ""
	       : own ? gw_draft_printf(&d->d, GW_STR_FMT, GW_STR_ARG(end))
		     : "";
}

static const char *name_of(struct gw_traffic_draft *d, const struct gw_traffic_msg *m,
			   struct gw_str topic)
{
	static const char *const leads[] = {"", "set", "ask"};
	const char *const parts[] = {leads[m->role], word_of(d, m, topic),
				     m->method ? m->method : ""};
	const char *text = "";
	for (size_t i = 0; i < gw_countof(parts); i++) {
		text = parts[i][0] ? gw_draft_printf(&d->d, "%s%s%s", text, text[0] ? "_" : "",
						     parts[i])
				   : text;
	}
	const char *slug = gw_draft_slug(&d->d, gw_str(text));
	const char *base = slug[0] ? slug : "state", *name = base;
	for (unsigned i = 2; is_taken(d, name) && !d->d.failed; i++) {
		name = gw_draft_printf(&d->d, "%.28s_%u", base, i);
	}
	return name;
}

static struct gw_traffic_msg *find_msg(struct gw_traffic_draft *d, uint32_t topic,
				       const char *method)
{
	for (size_t i = 0; i < d->n_msgs; i++) {
		struct gw_traffic_msg *m = d->msgs[i];
		bool same = method ? m->method && strcmp(m->method, method) == 0 : !m->method;
		if (m->topic == topic && same) {
			return m;
		}
	}
	return NULL;
}

static struct gw_traffic_msg *new_msg(struct gw_traffic_draft *d, uint32_t topic,
				      enum gw_traffic_role role, const char *method)
{
	struct gw_str name = d->t->topics[topic].name;
	if (d->n_msgs == GW_PROFILE_MSGS) {
		gw_import_note(d->d.result, name.p, "the profile would have more than %d messages",
			       GW_PROFILE_MSGS);
		return NULL;
	}
	struct gw_traffic_msg *m = gw_arena_alloc(d->d.a, sizeof(*m));
	struct gw_traffic_leaf *leaves =
		gw_arena_alloc(d->d.a, GW_TRAFFIC_LEAVES * sizeof(struct gw_traffic_leaf));
	if (!m || !leaves) {
		d->d.failed = true;
		return NULL;
	}
	*m = (struct gw_traffic_msg){
		.topic = topic, .role = role, .method = method, .leaf = leaves};
	m->codec = codec_of_topic(d->t, topic);
	m->path = gw_traffic_path(&d->d, name, d->identity.level);
	m->name = name_of(d, m, name);
	d->msgs[d->n_msgs++] = m;
	return m;
}

/* TOGGLE says nothing of what is wanted. */
static bool is_toggle(struct gw_str body)
{
	char word[GW_TRAFFIC_WORD_BYTES];
	gw_traffic_fold(body, word);
	return strcmp(word, "toggle") == 0;
}

static int take_message(struct gw_traffic_draft *d, size_t i)
{
	const struct gw_recorded *r = &d->t->messages[i];
	const struct gw_traffic_topic *topic = &d->t->topics[r->topic];
	if (!gw_traffic_is_of(topic, d->identity.level) || strpbrk(topic->name.p, "{}") ||
	    r->payload.len == 0) {
		return 0; /* an empty body forgets a retained one, or asks */
	}
	enum gw_traffic_role role = gw_traffic_role(topic->name);
	const char *method = method_of(d, role, r->payload);
	struct gw_traffic_msg *m = find_msg(d, r->topic, method);
	m = m ? m : new_msg(d, r->topic, role, method);
	if (!m || (role == GW_TRAFFIC_COMMAND && is_toggle(r->payload))) {
		return d->d.failed ? -ENOMEM : 0;
	}
	if (m->codec == GW_TRAFFIC_IN_BYTES || codec_of_body(r->payload) != m->codec) {
		m->n_odd += m->codec != GW_TRAFFIC_IN_BYTES;
		m->at = m->codec == GW_TRAFFIC_IN_BYTES ? i : m->at;
		return 0;
	}
	m->at = i;
	return gw_traffic_observe(d, m, r->payload);
}

/* --- which values are one --- */

static const char *full_of(struct gw_traffic_draft *d, const struct gw_traffic_msg *m,
			   const char *pointer)
{
	if (!m->path[0] && !pointer[0]) { /* home/lamp/state, home/lamp */
		return gw_draft_printf(&d->d, "/%s", m->role == GW_TRAFFIC_HEARD ? m->name : "");
	}
	return gw_draft_printf(&d->d, "%s%s", m->path, pointer);
}

static size_t levels_of(const char *path)
{
	size_t n = 0;
	for (; *path; path++) {
		n += *path == '/';
	}
	return n;
}

/* The last level of the first len bytes. */
static struct gw_str last_level(const char *path, size_t len)
{
	size_t from = len;
	while (from > 0 && path[from - 1] != '/') {
		from--;
	}
	return (struct gw_str){path + from, len - from};
}

static bool equal_folded(struct gw_str a, struct gw_str b)
{
	bool same = a.len == b.len;
	for (size_t i = 0; same && i < a.len; i++) {
		same = tolower((unsigned char)a.p[i]) == tolower((unsigned char)b.p[i]);
	}
	return same;
}

/* Number of levels that both end with; *ret_a and *ret_b are what stands before them. */
static size_t common_end(const char *a, const char *b, size_t *ret_a, size_t *ret_b)
{
	size_t n = 0;
	*ret_a = strlen(a);
	*ret_b = strlen(b);
	while (*ret_a > 0 && *ret_b > 0) {
		struct gw_str x = last_level(a, *ret_a), y = last_level(b, *ret_b);
		if (!equal_folded(x, y)) {
			break;
		}
		n++;
		*ret_a -= x.len + (*ret_a > x.len);
		*ret_b -= y.len + (*ret_b > y.len);
	}
	return n;
}

/* The last level with a number, "switch:0": which of several. */
static struct gw_str index_of(const char *path, size_t len)
{
	while (len > 0) {
		struct gw_str level = last_level(path, len);
		for (size_t i = 0; i < level.len; i++) {
			if (isdigit((unsigned char)level.p[i])) {
				return level;
			}
		}
		len -= level.len + (len > level.len);
	}
	return (struct gw_str){NULL, 0};
}

static bool same_index(const char *a, size_t len_a, const char *b, size_t len_b)
{
	struct gw_str x = index_of(a, len_a), y = index_of(b, len_b);
	return !x.p || !y.p || equal_folded(x, y);
}

static bool has_message(const struct gw_traffic_point *p, const struct gw_traffic_msg *m)
{
	for (size_t i = 0; i < p->n_in; i++) {
		if (p->in[i].msg == m) {
			return true;
		}
	}
	return false;
}

/*
 * Is the leaf the value of the point? The ends of their names are equal as far as the shorter goes, and what stands before does not
 * tell two of a kind apart: inside/temperature is not outside/temperature, STATE/POWER is RESULT/POWER.
 */
static bool is_same(const struct gw_traffic_point *p, const char *full, const char *own, bool told)
{
	const struct gw_traffic_ref *in = &p->in[0];
	const char *theirs = in->msg ? (in->pointer[0] ? in->pointer : in->msg->path) : "";
	size_t a, b, n = common_end(p->full, full, &a, &b);
	size_t need = levels_of(theirs) < levels_of(own) ? levels_of(theirs) : levels_of(own);
	bool nameless = told && need == 0 && !own[0] && levels_of(p->full) == 1;
	if (nameless) {
		return true;
	}
	if (n == 0 || n < need || !same_index(p->full, a, full, b)) {
		return false;
	}
	struct gw_str x = last_level(p->full, a), y = last_level(full, b);
	return told || ((!x.len || gw_traffic_is_shared(x)) && (!y.len || gw_traffic_is_shared(y)));
}

static struct gw_traffic_point *new_point(struct gw_traffic_draft *d, const char *full)
{
	struct gw_traffic_point *p =
		d->n_points < GW_PROFILE_POINTS ? gw_arena_alloc(d->d.a, sizeof(*p)) : NULL;
	if (!p) {
		d->d.failed |= d->n_points < GW_PROFILE_POINTS;
		return NULL;
	}
	*p = (struct gw_traffic_point){.full = full};
	*d->tail = p;
	d->tail = &p->next;
	d->n_points++;
	return p;
}

static void add_ref(struct gw_traffic_ref *refs, size_t *n, struct gw_traffic_msg *m,
		    const char *pointer)
{
	if (*n < GW_TRAFFIC_REFS) {
		refs[(*n)++] = (struct gw_traffic_ref){m, pointer};
	}
}

static void take_heard(struct gw_traffic_draft *d, struct gw_traffic_msg *m,
		       struct gw_traffic_leaf *l)
{
	const char *full = full_of(d, m, l->pointer), *own = l->pointer[0] ? l->pointer : m->path;
	struct gw_meaning any;
	bool presence = gw_traffic_is_presence(&d->d, full, &l->seen, &any);
	struct gw_traffic_point *p = d->points;
	while (p &&
	       (has_message(p, m) || p->presence != presence || !gw_seen_like(&p->seen, &l->seen) ||
		p->n_in == GW_TRAFFIC_REFS || !is_same(p, full, own, /* told= */ false))) {
		p = p->next;
	}
	if (p) {
		gw_seen_merge(&p->seen, &l->seen);
	} else {
		p = new_point(d, full);
		if (!p) {
			return;
		}
		p->seen = l->seen;
		p->presence = presence;
	}
	add_ref(p->in, &p->n_in, m, l->pointer);
	l->point = p;
}

/* --- units that the message tells --- */

/* "TempUnit":"C" beside "Temperature"; "unit":"W" beside any. */
static struct gw_str told_unit(const struct gw_traffic_point *p)
{
	char name[GW_TRAFFIC_WORD_BYTES], own[GW_TRAFFIC_WORD_BYTES];
	const struct gw_traffic_msg *m = p->in[0].msg;
	gw_traffic_fold(last_level(p->full, strlen(p->full)), own);
	for (size_t i = 0; m && i < m->n_leaves; i++) {
		const struct gw_traffic_leaf *l = &m->leaf[i];
		gw_traffic_fold(last_level(l->pointer, strlen(l->pointer)), name);
		struct gw_str unit = gw_traffic_unit(name, &l->seen);
		size_t lead = strlen(name) < 4 ? 0 : strlen(name) - 4;
		lead -= lead > 0 && name[lead - 1] == '_';
		if (unit.p && strncmp(own, name, lead) == 0) {
			return unit;
		}
	}
	return GW_STR("");
}

/* tC and tF beside each other. */
static const struct gw_traffic_point *repeated_by(const struct gw_traffic_draft *d,
						  const struct gw_traffic_point *p)
{
	const char *end = strrchr(p->full, '/');
	size_t parent = end ? (size_t)(end - p->full) : 0;
	for (const struct gw_traffic_point *q = d->points; q != p && p->meaning.cap; q = q->next) {
		const char *other = strrchr(q->full, '/');
		if (q->meaning.cap && strcmp(q->meaning.cap, p->meaning.cap) == 0 && other &&
		    (size_t)(other - q->full) == parent && strncmp(q->full, p->full, parent) == 0 &&
		    !gw_linear_equal(q->meaning.linear, p->meaning.linear)) {
			return q;
		}
	}
	return NULL;
}

static void mean_points(struct gw_traffic_draft *d)
{
	bool presence = false;
	for (struct gw_traffic_point *p = d->points; p; p = p->next) {
		struct gw_meaning m;
		p->presence = !presence && gw_traffic_is_presence(&d->d, p->full, &p->seen, &m);
		if (p->presence) { /* the first one */
			p->meaning = m;
			presence = true;
			continue;
		}
		p->meaning = gw_traffic_mean(&d->d, p->full, told_unit(p), &p->seen);
		p->repeats = repeated_by(d, p);
	}
}

/* --- commands --- */

static bool can_write(const struct gw_meaning *m)
{
	const struct gw_capability *cap = m->cap ? gw_capability_find(gw_str(m->cap)) : NULL;
	return !m->cap || (cap && (cap->access & GW_ACCESS_WRITE));
}

/* The command's words first: a write takes the first that means the value. */
static bool take_words(struct gw_traffic_draft *d, struct gw_traffic_point *p,
		       const struct gw_traffic_leaf *l)
{
	struct gw_seen both = l->seen;
	gw_seen_merge(&both, &p->seen);
	struct gw_meaning m = gw_traffic_mean(&d->d, p->full, told_unit(p), &both);
	bool same = m.type == p->meaning.type &&
		    (m.cap == p->meaning.cap ||
		     (m.cap && p->meaning.cap && strcmp(m.cap, p->meaning.cap) == 0));
	if (same) {
		p->seen = both;
		p->meaning = m;
	}
	return same;
}

static struct gw_traffic_point *wanted_by_name(struct gw_traffic_draft *d, const char *full,
					       const char *own, const struct gw_traffic_leaf *l)
{
	for (struct gw_traffic_point *p = d->points; p; p = p->next) {
		if (!p->presence && can_write(&p->meaning) && p->n_in > 0 &&
		    gw_seen_like(&p->seen, &l->seen) && is_same(p, full, own, /* told= */ true)) {
			return p;
		}
	}
	return NULL;
}

static struct gw_traffic_point *wanted_by_meaning(struct gw_traffic_draft *d, const char *full,
						  const struct gw_meaning *m)
{
	for (struct gw_traffic_point *p = d->points; p && m->cap; p = p->next) {
		if (!p->presence && p->meaning.cap && strcmp(p->meaning.cap, m->cap) == 0 &&
		    p->n_in > 0 && same_index(p->full, strlen(p->full), full, strlen(full))) {
			return p;
		}
	}
	return NULL;
}

static void take_command(struct gw_traffic_draft *d, struct gw_traffic_msg *m,
			 struct gw_traffic_leaf *l)
{
	const char *full = full_of(d, m, l->pointer), *own = l->pointer[0] ? l->pointer : m->path;
	struct gw_meaning meaning = gw_traffic_mean(&d->d, full, GW_STR(""), &l->seen);
	struct gw_traffic_point *p = wanted_by_name(d, full, own, l);
	p = p ? p : can_write(&meaning) ? wanted_by_meaning(d, full, &meaning) : NULL;
	if (p && take_words(d, p, l)) {
		add_ref(p->out, &p->n_out, m, l->pointer);
		l->point = p;
		return;
	}
	bool own_value = m->codec == GW_TRAFFIC_IN_TEXT || l->seen.changed || meaning.cap;
	if (!can_write(&meaning) || !own_value || meaning.event) {
		return; /* it stays in `base` */
	}
	p = new_point(d, full);
	if (p) {
		p->seen = l->seen;
		p->meaning = meaning;
		add_ref(p->out, &p->n_out, m, l->pointer);
		l->point = p;
	}
}

/* shellies/x/relay/0 and shellies/x/relay/0/command, x and x/set: one message that goes both ways. */
static void merge_command(struct gw_traffic_draft *d, struct gw_traffic_msg *m)
{
	for (size_t i = 0; i < d->n_msgs && !m->fixed; i++) {
		struct gw_traffic_msg *heard = d->msgs[i];
		bool fits = heard->role == GW_TRAFFIC_HEARD && heard->codec == m->codec &&
			    strcmp(heard->path, m->path) == 0 && heard->topic != m->topic;
		for (size_t k = 0; k < m->n_leaves && fits; k++) {
			const struct gw_traffic_point *p = m->leaf[k].point;
			fits = p && has_message(p, heard) && p->n_in == 1 && p->n_out == 1 &&
			       strcmp(p->in[0].pointer, m->leaf[k].pointer) == 0;
		}
		for (size_t k = 0; k < i && fits; k++) {
			fits = d->msgs[k]->merged != heard;
		}
		if (fits && m->n_leaves > 0) {
			m->merged = heard;
			return;
		}
	}
}

static void take_commands(struct gw_traffic_draft *d)
{
	for (size_t i = 0; i < d->n_msgs; i++) {
		struct gw_traffic_msg *m = d->msgs[i];
		bool any = false;
		if (m->role == GW_TRAFFIC_HEARD) {
			continue;
		}
		for (size_t k = 0; k < m->n_leaves; k++) {
			struct gw_traffic_leaf *l = &m->leaf[k];
			l->left_out = gw_traffic_left_out(d, m, l);
			if (m->role == GW_TRAFFIC_COMMAND && !l->left_out &&
			    !gw_traffic_is_envelope(l->pointer)) {
				take_command(d, m, l);
			}
			any |= l->point != NULL;
		}
		m->fixed = !any;
		merge_command(d, m);
	}
}

int gw_traffic_collect(struct gw_traffic_draft *d)
{
	d->tail = &d->points;
	d->identity = gw_traffic_identify(&d->d, d->t);
	d->identity.level = d->identity.level.p ? gw_arena_text(d->d.a, d->identity.level)
						: (struct gw_str){NULL, 0};
	if (!d->identity.level.p) {
		return -ENODATA;
	}
	for (size_t i = 0; i < d->t->n_messages; i++) {
		int r = take_message(d, i);
		if (r < 0) {
			return r;
		}
	}
	for (size_t i = 0; i < d->n_msgs; i++) {
		struct gw_traffic_msg *m = d->msgs[i];
		for (size_t k = 0; k < m->n_leaves && m->role == GW_TRAFFIC_HEARD; k++) {
			m->leaf[k].left_out = gw_traffic_left_out(d, m, &m->leaf[k]);
			if (!m->leaf[k].left_out) {
				take_heard(d, m, &m->leaf[k]);
			}
		}
	}
	mean_points(d);
	take_commands(d);
	return d->d.failed ? -ENOMEM : d->n_msgs ? 0 : -ENODATA;
}
