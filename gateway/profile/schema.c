#include "profile/schema.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "gw/profile.h"
#include "profile/compose.h"
#include "profile/suggest.h"

static int check_value(struct gw_schema_walk *w, const struct gw_node *n, const struct gw_shape *s);

/* --- refusing --- */

int gw_schema_refuse(struct gw_schema_walk *w, const char *key, const char *code, const char *fmt,
		     ...)
{
	char text[300];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* a clipped text is still an error text */
	va_end(ap);
	int r = gw_error_set(w->error, -EINVAL, code, "%s", text);
	if (w->error) {
		snprintf(w->error->at, sizeof(w->error->at), "%s", w->at);
		if (key) {
			gw_at_push(w->error->at, sizeof(w->error->at), gw_str(key));
		}
	}
	return r;
}

static const char *kind_name(enum gw_node_type t)
{
	static const char *const names[] = {"null",   "a boolean", "a number",
					    "a text", "a list",	   "a map"};
	return names[t];
}

/* The value as found, short, for error texts. */
static const char *found(const struct gw_node *n, char *text, size_t cap)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(1024);
	if (n->type == GW_NODE_LIST || n->type == GW_NODE_MAP || gw_node_text_form(n, &b) < 0 ||
	    gw_buf_error(&b) < 0) {
		return kind_name(n->type);
	}
	const char *quote = n->type == GW_NODE_TEXT ? "\"" : "";
	snprintf(text, cap, "%s" GW_STR_FMT "%s%s", quote,
		 GW_STR_ARG(gw_str_sub(gw_buf_str(&b), 0, 40)), b.len > 40 ? "…" : "", quote);
	return text;
}

static int unexpected(struct gw_schema_walk *w, const struct gw_node *n, const char *code,
		      const char *what, const char *hint)
{
	char text[100];
	return gw_schema_refuse(w, /* key= */ NULL, code ? code : "schema",
				"expected %s, found %s%s", what, found(n, text, sizeof(text)),
				hint);
}

/* --- scalars --- */

static int check_number(struct gw_schema_walk *w, const struct gw_node *n, const struct gw_shape *s)
{
	bool outside = s->min < s->max && (n->number < s->min || n->number > s->max);
	if (outside || (s->whole && n->number != trunc(n->number))) {
		return unexpected(w, n, s->code, s->what, "");
	}
	return 0;
}

static int check_text(struct gw_schema_walk *w, const struct gw_node *n, const struct gw_shape *s)
{
	if (s->format && !s->format->is(n->text)) {
		return unexpected(w, n, s->code ? s->code : s->format->code, s->format->what, "");
	}
	if (!s->words) {
		return 0;
	}
	struct gw_suggest suggest;
	gw_suggest_init(&suggest, n->text);
	for (size_t i = 0; s->words[i]; i++) {
		if (gw_str_is(n->text, s->words[i])) {
			return 0;
		}
		gw_suggest_offer(&suggest, gw_str(s->words[i]));
	}
	char hint[100];
	return unexpected(w, n, s->code, s->what, gw_suggest_text(&suggest, hint, sizeof(hint)));
}

/* --- maps and lists --- */

static int unknown_key(struct gw_schema_walk *w, const struct gw_node *m, const struct gw_shape *s)
{
	struct gw_suggest suggest;
	char hint[100];
	gw_suggest_init(&suggest, m->key);
	for (size_t i = 0; s->keys[i].name; i++) {
		gw_suggest_offer(&suggest, gw_str(s->keys[i].name));
	}
	return gw_schema_refuse(w, m->key.p, "schema", "unknown key \"" GW_STR_FMT "\" of %s%s",
				GW_STR_ARG(gw_str_sub(m->key, 0, 60)), s->what,
				gw_suggest_text(&suggest, hint, sizeof(hint)));
}

static const struct gw_schema_key *find_key(const struct gw_shape *s, struct gw_str name)
{
	for (size_t i = 0; s->keys[i].name; i++) {
		if (gw_str_is(name, s->keys[i].name)) {
			return &s->keys[i];
		}
	}
	return NULL;
}

static bool is_required(const struct gw_schema_walk *w, const struct gw_schema_key *k)
{
	return (k->flags & GW_KEY_REQUIRED) &&
	       !((k->flags & GW_KEY_LAX) && (w->flags & GW_PROFILE_LAX)) &&
	       !((k->flags & GW_KEY_IMPORTED) && (w->flags & GW_PROFILE_IMPORTED)) &&
	       !((k->flags & GW_KEY_FRAGMENT) && w->fragment);
}

/* Calls fn for each word of a rule; stops at the first non-zero answer. */
static bool any_word(const struct gw_node *map, const char *words, struct gw_str *ret_word)
{
	struct gw_str rest = gw_str(words), word;
	while (gw_str_split(&rest, ' ', &word)) {
		if (gw_node_get_str(map, word)) {
			*ret_word = word;
			return true;
		}
	}
	return false;
}

static bool has_word(const char *words, struct gw_str wanted)
{
	struct gw_str rest = gw_str(words), word;
	while (gw_str_split(&rest, ' ', &word)) {
		if (gw_str_eq(word, wanted)) {
			return true;
		}
	}
	return false;
}

static int check_rule(struct gw_schema_walk *w, const struct gw_node *map, const struct gw_shape *s,
		      const struct gw_schema_rule *rule)
{
	struct gw_str word = {NULL, 0};
	const char *codec = gw_node_text(map, "codec");
	if (rule->key && !gw_node_get(map, rule->key)) {
		return 0;
	}
	switch (rule->kind) {
	case GW_RULE_END: return 0;
	case GW_RULE_ANY_OF:
		return any_word(map, rule->words, &word)
			       ? 0
			       : gw_schema_refuse(w, /* key= */ NULL, "schema",
						  "%s needs one of: %s", s->what, rule->words);
	case GW_RULE_WITH:
		return any_word(map, rule->words, &word)
			       ? 0
			       : gw_schema_refuse(w, rule->key, "schema",
						  "\"%s\" stands only together with one of: %s",
						  rule->key, rule->words);
	case GW_RULE_WITHOUT:
		return any_word(map, rule->words, &word)
			       ? gw_schema_refuse(w, rule->key, "schema",
						  "\"%s\" may not stand together with \"" GW_STR_FMT
						  "\"",
						  rule->key, GW_STR_ARG(word))
			       : 0;
	case GW_RULE_CODEC:
		return has_word(rule->words, gw_str(codec ? codec : "json"))
			       ? 0
			       : gw_schema_refuse(w, rule->key, "schema",
						  "\"%s\" needs one of the codecs: %s", rule->key,
						  rule->words);
	}
	return 0;
}

static int check_member(struct gw_schema_walk *w, const struct gw_node *m, const struct gw_shape *s)
{
	const struct gw_schema_key *key = s->keys ? find_key(s, m->key) : NULL;
	if (s->keys && !key && !s->member) {
		return unknown_key(w, m, s);
	}
	if (!key && s->key && !s->key->is(m->key)) {
		return gw_schema_refuse(w, m->key.p, s->key->code,
					"expected %s, found \"" GW_STR_FMT "\"", s->key->what,
					GW_STR_ARG(gw_str_sub(m->key, 0, 60)));
	}
	if (key && (key->flags & GW_KEY_LATER)) {
		return 0;
	}
	const struct gw_shape *shape = key ? key->shape : s->member;
	if (!shape) {
		return 0;
	}
	size_t stem = strlen(w->at);
	gw_at_push(w->at, sizeof(w->at), m->key);
	int r = check_value(w, m, shape);
	w->at[stem] = '\0';
	return r;
}

static int check_map(struct gw_schema_walk *w, const struct gw_node *n, const struct gw_shape *s)
{
	gw_member_for(m, n)
	{
		int r = check_member(w, m, s);
		if (r < 0) {
			return r;
		}
	}
	for (size_t i = 0; s->keys && s->keys[i].name; i++) {
		if (is_required(w, &s->keys[i]) && !gw_node_get(n, s->keys[i].name)) {
			return gw_schema_refuse(w, s->keys[i].name, "schema", "%s needs \"%s\"",
						s->what, s->keys[i].name);
		}
	}
	for (size_t i = 0; s->rules && s->rules[i].kind != GW_RULE_END; i++) {
		int r = check_rule(w, n, s, &s->rules[i]);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

static int check_list(struct gw_schema_walk *w, const struct gw_node *n, const struct gw_shape *s)
{
	size_t i = 0, stem = strlen(w->at);
	gw_item_for(item, n)
	{
		gw_at_push_index(w->at, sizeof(w->at), i++);
		int r = s->item ? check_value(w, item, s->item) : 0;
		w->at[stem] = '\0';
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

static int check_count(struct gw_schema_walk *w, const struct gw_node *n, const struct gw_shape *s)
{
	if (s->max_count && n->count > s->max_count) {
		return gw_schema_refuse(w, /* key= */ NULL, s->code ? s->code : "size",
					"expected at most %u, found %zu", s->max_count, n->count);
	}
	if (n->count < s->min_count) {
		return gw_schema_refuse(w, /* key= */ NULL, s->code ? s->code : "schema",
					"expected at least %u, found %zu", s->min_count, n->count);
	}
	return 0;
}

/* Recursion follows the shapes, which nest finitely. */
static int check_value(struct gw_schema_walk *w, const struct gw_node *n, const struct gw_shape *s)
{
	if (!(s->kinds & (1u << n->type))) {
		return unexpected(w, n, s->code, s->what, "");
	}
	int r = 0;
	switch (n->type) {
	case GW_NODE_NULL:
	case GW_NODE_BOOL: break;
	case GW_NODE_NUMBER: r = check_number(w, n, s); break;
	case GW_NODE_TEXT: r = check_text(w, n, s); break;
	case GW_NODE_LIST:
		r = check_count(w, n, s);
		r = r < 0 ? r : check_list(w, n, s);
		break;
	case GW_NODE_MAP:
		r = check_count(w, n, s);
		r = r < 0 ? r : check_map(w, n, s);
		break;
	}
	return r == 0 && s->check ? s->check(w, n) : r;
}

int gw_schema_check(const struct gw_node *tree, const char *part, unsigned flags,
		    struct gw_error *reterr_)
{
	const struct gw_node *fragment = gw_node_get(tree, "fragment");
	struct gw_schema_walk w = {.flags = flags, .tree = tree, .error = reterr_};
	w.fragment = fragment && fragment->type == GW_NODE_BOOL && fragment->flag;
	if (!part[0]) {
		return check_value(&w, tree, &gw_schema_top);
	}
	const struct gw_schema_key *key = find_key(&gw_schema_top, gw_str(part));
	const struct gw_node *n = gw_node_get(tree, part);
	if (!key || !n) {
		return key ? 0 : -EINVAL;
	}
	gw_at_push(w.at, sizeof(w.at), gw_str(part));
	return check_value(&w, n, key->shape);
}
