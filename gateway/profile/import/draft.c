#include "profile/import/draft.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "gw/alloc.h"
#include "gw/topic.h"
#include "profile/expr.h"

#define NAME_BYTES 32 /* of messages, points, components: profile-language §1 */

/* --- notes and texts --- */

void gw_import_vnote(struct gw_import_result *r, const char *at, const char *fmt, va_list ap)
{
	if (r->n_notes == GW_IMPORT_NOTES) {
		return;
	}
	struct gw_import_note *notes =
		gw_realloc(r->notes, r->n_notes + 1, sizeof(struct gw_import_note));
	if (!notes) {
		return; /* a note is a courtesy: the import goes on without it */
	}
	r->notes = notes;
	struct gw_import_note *n = &notes[r->n_notes++];
	char reason[sizeof(n->reason) * 2];
	vsnprintf(reason, sizeof(reason), fmt, ap);
	/* Both quote the description: cleaned like every text from outside. Lengths unused. */
	(void)gw_str_clean(gw_str(reason), sizeof(n->reason), n->reason, sizeof(n->reason));
	(void)gw_str_clean(gw_str(at), sizeof(n->at), n->at, sizeof(n->at));
}

void gw_import_note(struct gw_import_result *r, const char *at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	gw_import_vnote(r, at, fmt, ap);
	va_end(ap);
}

void gw_draft_note(struct gw_draft *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	gw_import_vnote(b->result, b->at ? b->at : "", fmt, ap);
	va_end(ap);
}

static const char *keep(struct gw_draft *b, struct gw_str s)
{
	struct gw_str copy = gw_arena_text(b->a, s);
	b->failed |= !copy.p;
	return copy.p ? copy.p : "";
}

const char *gw_draft_printf(struct gw_draft *b, const char *fmt, ...)
{
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
	va_list ap;
	va_start(ap, fmt);
	gw_buf_vprintf(&text, fmt, ap);
	va_end(ap);
	b->failed |= gw_buf_error(&text) == -ENOMEM;
	return keep(b, gw_buf_str(&text));
}

const char *gw_draft_slug(struct gw_draft *b, struct gw_str s)
{
	char name[NAME_BYTES + 1];
	size_t n = 0;
	for (size_t i = 0; i < s.len && n < NAME_BYTES; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c < 128 && isalnum(c)) {
			if (n == 0 && isdigit(c)) {
				name[n++] = 'n'; /* a name begins with a letter */
			}
			name[n++] = (char)tolower(c);
		} else if (n > 0 && name[n - 1] != '_') {
			name[n++] = '_';
		}
	}
	n = n > NAME_BYTES ? NAME_BYTES : n;
	while (n > 0 && name[n - 1] == '_') {
		n--;
	}
	return keep(b, (struct gw_str){name, n});
}

/* A name like hint that map has no member of: hint, hint_2, hint_3 … */
static const char *free_name(struct gw_draft *b, const struct gw_node *map, const char *hint)
{
	const char *base = hint[0] ? hint : "n";
	const char *name = base;
	for (unsigned i = 2; gw_node_get(map, name) && !b->failed; i++) {
		name = gw_draft_printf(b, "%.*s_%u", NAME_BYTES - 5, base, i);
	}
	return name;
}

/* --- nodes --- */

void gw_set_node(struct gw_draft *b, struct gw_node *map, const char *key, struct gw_node *value)
{
	if (!map || !value || gw_node_set(b->a, map, gw_str(key), value) < 0) {
		b->failed = true;
	}
}

void gw_add_node(struct gw_draft *b, struct gw_node *list, struct gw_node *value)
{
	if (!list || !value || gw_node_append(list, value) < 0) {
		b->failed = true;
	}
}

static struct gw_node *set_new(struct gw_draft *b, struct gw_node *map, const char *key,
			       enum gw_node_type type)
{
	struct gw_node *n = gw_node_new(b->a, type);
	gw_set_node(b, map, key, n);
	return n;
}

struct gw_node *gw_set_map(struct gw_draft *b, struct gw_node *map, const char *key)
{
	return set_new(b, map, key, GW_NODE_MAP);
}

struct gw_node *gw_set_list(struct gw_draft *b, struct gw_node *map, const char *key)
{
	return set_new(b, map, key, GW_NODE_LIST);
}

struct gw_node *gw_text_node(struct gw_draft *b, struct gw_str s)
{
	return gw_node_new_text(b->a, s);
}

struct gw_node *gw_bool_node(struct gw_draft *b, bool v)
{
	return gw_node_new_bool(b->a, v);
}

void gw_set_text(struct gw_draft *b, struct gw_node *map, const char *key, const char *text)
{
	gw_set_node(b, map, key, gw_text_node(b, gw_str(text)));
}

void gw_set_number(struct gw_draft *b, struct gw_node *map, const char *key, double v)
{
	gw_set_node(b, map, key, gw_node_new_number(b->a, v));
}

void gw_set_bool(struct gw_draft *b, struct gw_node *map, const char *key, bool v)
{
	gw_set_node(b, map, key, gw_bool_node(b, v));
}

void gw_add_text(struct gw_draft *b, struct gw_node *list, struct gw_str text)
{
	gw_add_node(b, list, gw_text_node(b, text));
}

void gw_add_number(struct gw_draft *b, struct gw_node *list, double v)
{
	gw_add_node(b, list, gw_node_new_number(b->a, v));
}

struct gw_node *gw_copy(struct gw_draft *b, const struct gw_node *n)
{
	struct gw_node *copy = n ? gw_node_copy(b->a, n) : NULL;
	b->failed |= !copy;
	return copy;
}

/* --- levels and channels --- */

int gw_draft_init(struct gw_draft *b, struct gw_arena *a, const char *vendor,
		  struct gw_import_result *result)
{
	*b = (struct gw_draft){.a = a, .vendor = vendor, .result = result, .at = ""};
	struct gw_node **maps[] = {&b->msgs, &b->points, &b->caps, &b->components, &b->link};
	for (size_t i = 0; i < gw_countof(maps); i++) {
		*maps[i] = gw_node_new(a, GW_NODE_MAP);
		if (!*maps[i]) {
			return -ENOMEM;
		}
	}
	return 0;
}

/* profile-language §4, containment */
bool gw_draft_is_level(struct gw_str s)
{
	if (s.len == 0 || s.len > GW_VAR_CHANNEL_BYTES || s.p[0] == '$') {
		return false;
	}
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c < 0x20 || c == 0x7f || strchr("/+#", c)) {
			return false;
		}
	}
	return true;
}

static size_t add_level(struct gw_draft *b, const char *name, struct gw_str value)
{
	b->level[b->n_levels] = (struct gw_draft_level){.name = name, .value = value};
	return b->n_levels++;
}

void gw_draft_identity(struct gw_draft *b, struct gw_str level)
{
	b->identity = add_level(b, "id", level);
}

int gw_draft_prefix(struct gw_draft *b, struct gw_str prefix)
{
	struct gw_str level;
	while (gw_str_split(&prefix, '/', &level)) {
		if (!gw_draft_is_level(level) || b->n_levels == GW_TOPIC_LEVELS) {
			return -EINVAL;
		}
		bool last = prefix.p == NULL;
		(void)add_level(b, last ? "id" : gw_draft_printf(b, "l%zu", b->n_levels + 1),
				level);
	}
	b->n_prefix = b->n_levels;
	b->identity = b->n_levels - 1;
	return b->failed ? -ENOMEM : 0;
}

static bool is_level_name(const struct gw_draft *b, const char *name)
{
	for (size_t i = 0; i < b->n_levels; i++) {
		if (strcmp(name, b->level[i].name) == 0) {
			return true;
		}
	}
	return false;
}

const char *gw_draft_asked(struct gw_draft *b, const char *word, bool secret)
{
	const char *base = gw_draft_slug(b, gw_str(word)), *name = base[0] ? base : "value";
	for (size_t i = 0; i < b->n_levels; i++) {
		if (b->level[i].asked && strcmp(b->level[i].asked, word) == 0) {
			return b->level[i].name;
		}
	}
	if (b->n_levels == gw_countof(b->level)) {
		gw_draft_note(b, "more than %zu variables", gw_countof(b->level));
		return NULL;
	}
	for (unsigned n = 2; (is_level_name(b, name) || gw_node_get(b->points, name)) && !b->failed;
	     n++) {
		name = gw_draft_printf(b, "%.*s_%u", NAME_BYTES - 5, base, n);
	}
	struct gw_draft_level *l =
		&b->level[add_level(b, name, (struct gw_str){.p = NULL, .len = 0})];
	l->asked = keep(b, gw_str(word));
	l->secret = secret;
	return name;
}

/* The variable for a level that cannot stand literally in a channel, because it holds a brace; NULL: it can. */
static const char *brace_level(struct gw_draft *b, struct gw_str level)
{
	if (!memchr(level.p, '{', level.len)) {
		return NULL;
	}
	for (size_t i = 0; i < b->n_levels; i++) {
		if (gw_str_eq(b->level[i].value, level)) {
			return b->level[i].name;
		}
	}
	if (b->n_levels == gw_countof(b->level) || !gw_draft_is_level(level)) {
		return NULL;
	}
	return b->level[add_level(b, gw_draft_printf(b, "t%zu", b->n_levels), level)].name;
}

/* The topic with its variables as {name}; NULL with a note when it does not hold the identity. */
static const char *channel(struct gw_draft *b, struct gw_str topic)
{
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_TOPIC_BYTES * 4);
	struct gw_str rest = topic, level;
	bool contains = false;
	if (!gw_topic_is_topic(topic)) {
		gw_draft_note(b, "\"" GW_STR_FMT "\" is not a topic", GW_STR_ARG(topic));
		return NULL;
	}
	for (size_t i = 0; gw_str_split(&rest, '/', &level); i++) {
		const char *name = NULL;
		if (b->n_prefix > 0 && i < b->n_prefix) {
			name = gw_str_eq(level, b->level[i].value) ? b->level[i].name : NULL;
			contains |= name && i == b->identity;
		} else if (b->n_prefix == 0 && gw_str_eq(level, b->level[b->identity].value)) {
			name = b->level[b->identity].name;
			contains = true;
		}
		name = name ? name : brace_level(b, level);
		if (!name && memchr(level.p, '{', level.len)) {
			gw_draft_note(b, "a level with a brace that no variable can hold");
			return NULL;
		}
		gw_buf_puts(&text, i ? "/" : "");
		if (name) {
			gw_buf_printf(&text, "{%s}", name);
		} else {
			gw_buf_add_str(&text, level);
		}
	}
	if (!contains) {
		gw_draft_note(b,
			      "topic \"" GW_STR_FMT
			      "\" does not hold the device's own level \"" GW_STR_FMT "\"",
			      GW_STR_ARG(topic), GW_STR_ARG(b->level[b->identity].value));
		return NULL;
	}
	b->failed |= gw_buf_error(&text) != 0;
	return keep(b, gw_buf_str(&text));
}

/* --- messages --- */

static bool same_codec(const struct gw_node *msg, const char *codec)
{
	const char *has = gw_node_text(msg, "codec");
	return strcmp(has ? has : "json", codec) == 0;
}

static bool is_variable(const struct gw_draft *b, struct gw_str level)
{
	for (size_t i = 0; i < b->n_levels; i++) {
		if (b->level[i].value.p && gw_str_eq(b->level[i].value, level)) {
			return true;
		}
	}
	return false;
}

static struct gw_node *new_msg(struct gw_draft *b, struct gw_str topic, const char *dir,
			       const char *ch, const char *codec, const char **ret_name)
{
	if (b->msgs->count == GW_PROFILE_MSGS) {
		gw_draft_note(b, "the profile would have more than %d messages", GW_PROFILE_MSGS);
		return NULL;
	}
	struct gw_str level = {"", 0}, rest = topic, piece;
	while (gw_str_split(&rest, '/', &piece)) {
		if (!is_variable(b, piece)) { /* names are the same for equal products */
			level = piece;
		}
	}
	const char *slug = gw_draft_slug(b, level);
	*ret_name = free_name(b, b->msgs,
			      slug[0]			? slug
			      : strcmp(dir, "rx") == 0	? "state"
			      : strcmp(dir, "get") == 0 ? "state"
							: "set");
	struct gw_node *m = gw_set_map(b, b->msgs, *ret_name);
	gw_set_text(b, m, dir, ch);
	if (strcmp(codec, "json") != 0) {
		gw_set_text(b, m, "codec", codec);
	}
	return m;
}

struct gw_node *gw_draft_msg(struct gw_draft *b, const char *name)
{
	return gw_node_get(b->msgs, name);
}

const char *gw_draft_rx(struct gw_draft *b, struct gw_str topic, const char *codec)
{
	const char *ch = channel(b, topic), *name = NULL;
	if (!ch) {
		return NULL;
	}
	gw_node_for(m, b->msgs)
	{
		const char *rx = gw_node_text(m, "rx");
		if (rx && strcmp(rx, ch) == 0 && same_codec(m, codec)) {
			return m->key.p;
		}
	}
	return new_msg(b, topic, "rx", ch, codec, &name) ? name : NULL;
}

void gw_draft_rx_also(struct gw_draft *b, const char *msg, struct gw_str topic)
{
	struct gw_node *m = gw_node_get(b->msgs, msg);
	struct gw_node *rx = m ? gw_node_get(m, "rx") : NULL;
	const char *ch = channel(b, topic);
	if (!rx || !ch) {
		return;
	}
	if (rx->type == GW_NODE_TEXT) {
		struct gw_node *first = gw_copy(b, rx);
		rx = gw_set_list(b, m, "rx");
		gw_add_node(b, rx, first);
	}
	gw_add_text(b, rx, gw_str(ch));
}

static const char *ref_text(struct gw_draft *b, const char *msg, const char *pointer)
{
	return gw_draft_printf(b, "%s#%s", msg, pointer);
}

static bool below(const char *a, const char *b)
{
	size_t n = strlen(a);
	return strncmp(a, b, n) == 0 && (b[n] == 0 || b[n] == '/');
}

/* profile-language §7: two points may not write the same pointer, or one below another's. */
static bool is_taken(const struct gw_draft *b, const char *ref)
{
	gw_node_for(p, b->points)
	{
		const struct gw_node *out = gw_node_get(p, "out");
		const struct gw_node *first = out && out->type == GW_NODE_LIST ? out->first : out;
		for (const struct gw_node *r = first; r; r = r == out ? NULL : r->next) {
			if (below(r->text.p, ref) || below(ref, r->text.p)) {
				return true;
			}
		}
	}
	return false;
}

static bool same_node(const struct gw_node *a, const struct gw_node *b)
{
	return a == b || (a && b && gw_node_equal(a, b));
}

/* The message on ch with verb dir into which pointer will be set; from names it. */
static const char *sent_msg(struct gw_draft *b, const char *dir, struct gw_str from, const char *ch,
			    const char *codec, const struct gw_node *base, const char *pointer)
{
	const char *name = NULL;
	gw_node_for(m, b->msgs)
	{
		const char *has = gw_node_text(m, dir);
		if (has && strcmp(has, ch) == 0 && strcmp(codec, "text") != 0 &&
		    same_codec(m, codec) && !gw_node_get(m, "body") &&
		    same_node(gw_node_get(m, "base"), base) &&
		    !is_taken(b, ref_text(b, m->key.p, pointer))) {
			return m->key.p;
		}
	}
	struct gw_node *m = new_msg(b, from, dir, ch, codec, &name);
	if (m && base) {
		gw_set_node(b, m, "base", gw_copy(b, base));
	}
	return m ? name : NULL;
}

static const char *fixed_msg(struct gw_draft *b, const char *dir, struct gw_str from,
			     const char *ch, const char *codec, const struct gw_node *body)
{
	const char *name = NULL;
	gw_node_for(m, b->msgs)
	{
		const char *has = gw_node_text(m, dir);
		if (has && strcmp(has, ch) == 0 && same_codec(m, codec) && gw_node_get(m, "body") &&
		    same_node(gw_node_get(m, "body"), body)) {
			return m->key.p;
		}
	}
	struct gw_node *m = new_msg(b, from, dir, ch, codec, &name);
	if (!m) {
		return NULL;
	}
	gw_set_node(b, m, "body", gw_copy(b, body));
	return name;
}

static const char *with_qos(struct gw_draft *b, const char *msg, uint8_t qos)
{
	if (msg && qos) {
		gw_set_number(b, gw_node_get(b->msgs, msg), "qos", qos);
	}
	return msg;
}

const char *gw_draft_tx(struct gw_draft *b, struct gw_str topic, const char *codec,
			const struct gw_node *base, const char *pointer, uint8_t qos)
{
	const char *ch = channel(b, topic);
	return ch ? with_qos(b, sent_msg(b, "tx", topic, ch, codec, base, pointer), qos) : NULL;
}

const char *gw_draft_fixed(struct gw_draft *b, struct gw_str topic, const char *codec,
			   const struct gw_node *body, uint8_t qos)
{
	const char *ch = channel(b, topic);
	return ch ? with_qos(b, fixed_msg(b, "tx", topic, ch, codec, body), qos) : NULL;
}

/* --- requests --- */

/* What names a message: the path without its query. */
static struct gw_str without_query(const char *path)
{
	return (struct gw_str){path, strcspn(path, "?")};
}

const char *gw_draft_get(struct gw_draft *b, const char *path, const char *codec, bool observe)
{
	const char *name = NULL;
	gw_node_for(m, b->msgs)
	{
		const char *has = gw_node_text(m, "get");
		if (has && strcmp(has, path) == 0 && same_codec(m, codec)) {
			name = m->key.p;
		}
	}
	if (!name && !new_msg(b, without_query(path), "get", path, codec, &name)) {
		return NULL;
	}
	if (observe) {
		gw_set_bool(b, gw_node_get(b->msgs, name), "observe", true);
	}
	return name;
}

const char *gw_draft_request(struct gw_draft *b, const char *verb, const char *path,
			     const char *codec, const char *pointer)
{
	return sent_msg(b, verb, without_query(path), path, codec, /* base= */ NULL, pointer);
}

const char *gw_draft_request_fixed(struct gw_draft *b, const char *verb, const char *path,
				   const char *codec, const struct gw_node *body)
{
	return fixed_msg(b, verb, without_query(path), path, codec, body);
}

/* --- points --- */

bool gw_draft_is_reserved(const struct gw_draft *b, const char *name)
{
	static const char *const words[] = {"v", "and", "or", "not", "true", "false", "null"};
	for (size_t i = 0; i < gw_countof(words); i++) {
		if (strcmp(name, words[i]) == 0) {
			return true;
		}
	}
	if (is_level_name(b, name)) {
		return true;
	}
	/* Variables of braces are found later than points: keep their names free. */
	return gw_expr_is_function(gw_str(name)) ||
	       (name[0] == 't' && isdigit((unsigned char)name[1]));
}

struct gw_node *gw_draft_point(struct gw_draft *b, const char *hint, const char **ret_name)
{
	if (b->points->count == GW_PROFILE_POINTS) {
		gw_draft_note(b, "the profile would have more than %d points", GW_PROFILE_POINTS);
		return NULL;
	}
	const char *slug = gw_draft_slug(b, gw_str(hint));
	if (gw_draft_is_reserved(b, slug)) {
		slug = gw_draft_printf(b, "%.*s_p", NAME_BYTES - 2, slug);
	}
	*ret_name = free_name(b, b->points, slug);
	return gw_set_map(b, b->points, *ret_name);
}

void gw_draft_ref(struct gw_draft *b, struct gw_node *point, const char *dir, const char *msg,
		  const char *pointer)
{
	struct gw_node *has = point ? gw_node_get(point, dir) : NULL;
	const char *ref = ref_text(b, msg, pointer);
	if (!has) {
		gw_set_text(b, point, dir, ref);
		return;
	}
	if (has->type == GW_NODE_TEXT) {
		struct gw_node *first = gw_copy(b, has);
		has = gw_set_list(b, point, dir);
		gw_add_node(b, has, first);
	}
	gw_add_text(b, has, gw_str(ref));
}

bool gw_draft_is_member(struct gw_str token)
{
	return !gw_str_starts(token, "[");
}

const char *gw_draft_pointer(struct gw_draft *b, const char *pointer, struct gw_str token)
{
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
	gw_buf_puts(&text, pointer);
	gw_buf_putc(&text, '/');
	for (size_t i = 0; i < token.len; i++) {
		switch (token.p[i]) {
		case '~': gw_buf_puts(&text, "~0"); break;
		case '/': gw_buf_puts(&text, "~1"); break;
		default: gw_buf_putc(&text, token.p[i]);
		}
	}
	b->failed |= gw_buf_error(&text) == -ENOMEM;
	return keep(b, gw_buf_str(&text));
}

/* --- capabilities --- */

static struct gw_node *caps_of(const struct gw_draft *b, const char *component)
{
	if (!component) {
		return b->caps;
	}
	struct gw_node *c = gw_node_get(b->components, component);
	return c ? gw_node_get(c, "caps") : NULL;
}

bool gw_draft_has(const struct gw_draft *b, const char *component, const char *id)
{
	const struct gw_node *caps = caps_of(b, component);
	return caps && gw_node_get(caps, id);
}

size_t gw_draft_count(const struct gw_draft *b, const char *id)
{
	size_t n = gw_draft_has(b, NULL, id);
	gw_node_for(c, b->components)
	{
		n += gw_draft_has(b, c->key.p, id);
	}
	return n;
}

bool gw_draft_anywhere(const struct gw_draft *b, const char *id)
{
	return gw_draft_count(b, id) > 0;
}

static bool all_free(const struct gw_draft *b, const char *component, const char *const *ids,
		     size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (gw_draft_has(b, component, ids[i])) {
			return false;
		}
	}
	return true;
}

const char *gw_draft_component(struct gw_draft *b, const char *hint, const char *label)
{
	const char *slug = gw_draft_slug(b, gw_str(hint));
	const char *name = slug[0] && strcmp(slug, "main") != 0 ? slug : "part";
	if (!gw_node_get(b->components, name)) {
		struct gw_node *c = gw_set_map(b, b->components, name);
		if (label && label[0]) {
			gw_set_text(b, c, "name", label);
		}
		(void)gw_set_map(b, c, "caps"); /* filled by gw_draft_cap */
	}
	return name;
}

const char *gw_draft_place(struct gw_draft *b, const char *hint, const char *label,
			   const char *const *ids, size_t n)
{
	if (all_free(b, NULL, ids, n)) {
		return NULL;
	}
	const char *slug = gw_draft_slug(b, gw_str(hint));
	const char *name = slug[0] && strcmp(slug, "main") != 0 ? slug : "part";
	const char *base = name;
	for (unsigned i = 2; !all_free(b, name, ids, n) && !b->failed; i++) {
		name = gw_draft_printf(b, "%.*s_%u", NAME_BYTES - 5, base, i);
	}
	return gw_draft_component(b, name, label);
}

static size_t cap_count(const struct gw_draft *b)
{
	size_t n = b->caps->count;
	gw_node_for(c, b->components)
	{
		const struct gw_node *caps = caps_of(b, c->key.p);
		n += caps ? caps->count : 0;
	}
	return n;
}

struct gw_node *gw_draft_cap(struct gw_draft *b, const char *component, const char *id)
{
	struct gw_node *caps = caps_of(b, component);
	if (!caps || gw_node_get(caps, id)) {
		return NULL;
	}
	if (cap_count(b) == GW_PROFILE_CAPS) {
		gw_draft_note(b, "the profile would have more than %d capabilities",
			      GW_PROFILE_CAPS);
		return NULL;
	}
	return gw_set_map(b, caps, id);
}

struct gw_node *gw_draft_point_cap(struct gw_draft *b, const char *component, const char *id,
				   const char *point)
{
	struct gw_node *c = gw_draft_cap(b, component, id);
	if (c) {
		gw_set_text(b, c, "point", point);
	}
	return c;
}

bool gw_draft_is_extension(const char *id)
{
	return strncmp(id, "x.", 2) == 0;
}

const char *gw_draft_extension(struct gw_draft *b, const char *component, const char *hint)
{
	const char *slug = gw_draft_slug(b, gw_str(hint));
	const char *base = gw_draft_printf(b, "x.%s.%s", b->vendor, slug[0] ? slug : "value");
	const char *id = base;
	for (unsigned i = 2; gw_draft_has(b, component, id) && !b->failed; i++) {
		id = gw_draft_printf(b, "%s_%u", base, i);
	}
	return id;
}

void gw_draft_row(struct gw_draft *b, struct gw_node *rows, struct gw_node *cells,
		  struct gw_node *value, bool ro)
{
	struct gw_node *row = ro ? gw_node_new(b->a, GW_NODE_MAP) : cells;
	if (ro) {
		gw_set_node(b, row, "cells", cells);
		gw_set_node(b, row, "value", value);
		gw_set_bool(b, row, "ro", true);
	} else {
		gw_add_node(b, cells, value);
	}
	gw_add_node(b, rows, row);
}
