#include "profile/match.h"

#include <errno.h>
#include <stdio.h>

#include "gw/alloc.h"
#include "gw/topic.h"
#include "profile/compose.h"

#define SCALAR_BYTES   1024 /* text form of a field; longer ones match nothing */
#define MAX_STARS      16
#define IDENTITY_SCORE 4

struct gw_match_entry {
	const char *kind;
	const struct gw_node *test, *json, *set;
};

/* --- compiling --- */

static bool is_kind(const struct gw_node *m)
{
	return !gw_str_is(m->key, "json") && !gw_str_is(m->key, "set");
}

static int fill_entry(struct gw_profile *p, const struct gw_node *entry, size_t index,
		      struct gw_error *error)
{
	struct gw_match_entry *e = &p->matches[p->n_matches++];
	gw_node_for(m, entry)
	{
		if (is_kind(m)) {
			e->kind = m->key.p;
			e->test = m;
		}
	}
	e->json = gw_node_get(entry, "json");
	e->set = gw_node_get(entry, "set");
	gw_node_for(s, e->set)
	{
		if (!gw_var_find(p, s->key)) {
			int r = gw_error_set(error, -EINVAL, "ref",
					     "the variable \"%.60s\" is not declared", s->key.p);
			if (error) {
				snprintf(error->at, sizeof(error->at), "/match/%zu/set", index);
				gw_at_push(error->at, sizeof(error->at), s->key);
			}
			return r;
		}
	}
	return 0;
}

int gw_match_compile(struct gw_profile *p, struct gw_error *reterr_)
{
	const struct gw_node *match = gw_node_get(p->tree, "match");
	size_t n = match ? match->count : 0, i = 0;
	p->matches = gw_arena_alloc(p->arena, (n + 1) * sizeof(*p->matches));
	if (!p->matches) {
		return -ENOMEM;
	}
	gw_node_for(entry, match)
	{
		int r = fill_entry(p, entry, i++, reterr_);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

const char *gw_profile_match_filter(const struct gw_profile *p, size_t i)
{
	for (size_t k = 0; k < p->n_matches; k++) {
		if (strcmp(p->matches[k].kind, "mqtt") == 0 && i-- == 0) {
			return p->matches[k].test->text.p;
		}
	}
	return NULL;
}

/* --- testing --- */

struct matcher {
	const struct gw_match_entry *entry;
	const struct gw_node *observation; /* the whole: kind and json */
	const struct gw_node *seen;	   /* what stands at the kind */
	struct gw_buf text;
	int score;
};

/* Text form; p is NULL for null, lists, maps and what is too long. */
static struct gw_str text_form(struct matcher *m, const struct gw_node *n)
{
	if (n->type == GW_NODE_TEXT) {
		return n->text;
	}
	gw_buf_reset(&m->text);
	if (gw_node_text_form(n, &m->text) < 0 || gw_buf_error(&m->text) < 0) {
		return (struct gw_str){NULL, 0};
	}
	return gw_buf_str(&m->text);
}

static bool fits(struct matcher *m, const struct gw_node *test, const struct gw_node *field)
{
	if (test->type != GW_NODE_TEXT) {
		return gw_node_equal(test, field);
	}
	struct gw_str s = text_form(m, field);
	return s.p && gw_str_glob(test->text, s);
}

/* A tested field: missing never fits; "*" proves nothing and counts nothing. */
static bool test_field(struct matcher *m, const struct gw_node *test, const struct gw_node *field,
		       int worth)
{
	if (!field || !fits(m, test, field)) {
		return false;
	}
	m->score += gw_node_is_text(test, "*") ? 0 : worth;
	return true;
}

/* One of a list fits: links, and the globs of an adapter identity. */
static bool test_any(struct matcher *m, const struct gw_node *test, const struct gw_node *fields)
{
	gw_item_for(field, fields)
	{
		if (test_field(m, test, field, 1)) {
			return true;
		}
	}
	return false;
}

/* A member of mdns, coap, ssdp, udp: a field, a map of fields (txt, option, headers), or a list of links. */
static bool test_member(struct matcher *m, const struct gw_node *test, const struct gw_node *field)
{
	if (test->type == GW_NODE_MAP) {
		gw_node_for(t, test)
		{
			if (!field || !test_field(m, t, gw_node_get_str(field, t->key), 1)) {
				return false;
			}
		}
		return true;
	}
	if (test->type == GW_NODE_LIST) {
		gw_node_for(t, test)
		{
			if (!test_any(m, t, field)) {
				return false;
			}
		}
		return true;
	}
	return test_field(m, test, field, 1);
}

static bool test_kind(struct matcher *m)
{
	const struct gw_node *test = m->entry->test;
	if (strcmp(m->entry->kind, "mqtt") == 0) {
		m->score = 1;
		return m->seen->type == GW_NODE_TEXT && gw_topic_matches(test->text, m->seen->text);
	}
	if (test->type == GW_NODE_MAP) {
		gw_node_for(t, test)
		{
			if (!test_member(m, t, gw_node_get_str(m->seen, t->key))) {
				return false;
			}
		}
		return true;
	}
	if (test->type != GW_NODE_LIST) {
		return test_field(m, test, m->seen, IDENTITY_SCORE);
	}
	gw_node_for(t, test)
	{
		if (test_field(m, t, m->seen, IDENTITY_SCORE)) {
			return true;
		}
	}
	return false;
}

static bool test_entry(struct matcher *m)
{
	m->seen = gw_node_get(m->observation, m->entry->kind);
	m->score = 0;
	if (!m->seen || !test_kind(m)) {
		return false;
	}
	const struct gw_node *json = gw_node_get(m->observation, "json");
	gw_node_for(t, m->entry->json)
	{
		if (!json || !test_field(m, t, gw_node_pointer(json, t->key), 1)) {
			return false;
		}
	}
	return true;
}

/* --- sources of variables --- */

/* "NUMBER" or "NUMBER:I" → the option's text, or its I-th piece between '#'. */
static struct gw_str option_source(struct matcher *m, struct gw_str arg)
{
	struct gw_str number, piece = {NULL, 0};
	(void)gw_str_split(&arg, ':', &number); /* never empty-handed: arg is a text */
	const struct gw_node *options = gw_node_get(m->seen, "option");
	const struct gw_node *option = options ? gw_node_get_str(options, number) : NULL;
	struct gw_str text = option ? text_form(m, option) : piece;
	uint64_t index = 0;
	if (!arg.p || !text.p) {
		return text;
	}
	if (gw_parse_u64(arg, &index) < 0) {
		return piece;
	}
	for (uint64_t i = 0; gw_str_split(&text, '#', &piece); i++) {
		if (i == index) {
			return piece;
		}
	}
	return (struct gw_str){NULL, 0};
}

static struct gw_str name_source(struct matcher *m, struct gw_str arg)
{
	const struct gw_node *glob = gw_node_get(m->entry->test, "name");
	const struct gw_node *name = gw_node_get(m->seen, "name");
	struct gw_str none = {NULL, 0};
	uint64_t k = 0;
	if (!name || name->type != GW_NODE_TEXT || gw_parse_u64(arg, &k) < 0) {
		return none;
	}
	if (k == 0) {
		return name->text;
	}
	struct gw_str stars[MAX_STARS];
	size_t n = 0;
	if (!glob || glob->type != GW_NODE_TEXT ||
	    !gw_str_glob_stars(glob->text, name->text, stars, MAX_STARS, &n)) {
		return none;
	}
	return k <= n && k <= MAX_STARS ? stars[k - 1] : none;
}

static struct gw_str topic_source(struct matcher *m, struct gw_str arg)
{
	struct gw_str level = {NULL, 0};
	uint64_t n = 0;
	if (m->seen->type != GW_NODE_TEXT || gw_parse_u64(arg, &n) < 0 ||
	    !gw_topic_level(m->seen->text, (size_t)n, &level)) {
		return (struct gw_str){NULL, 0};
	}
	return level;
}

static struct gw_str txt_source(struct matcher *m, struct gw_str arg)
{
	const struct gw_node *txt = gw_node_get(m->seen, "txt");
	const struct gw_node *field = txt ? gw_node_get_str(txt, arg) : NULL;
	return field && field->type != GW_NODE_NULL ? text_form(m, field)
						    : (struct gw_str){NULL, 0};
}

static struct gw_str id_source(struct matcher *m, struct gw_str arg)
{
	(void)arg;
	return text_form(m, m->seen);
}

static struct gw_str json_source(struct matcher *m, struct gw_str pointer)
{
	const struct gw_node *json = gw_node_get(m->observation, "json");
	const struct gw_node *field = json ? gw_node_pointer(json, pointer) : NULL;
	return field && field->type != GW_NODE_NULL ? text_form(m, field)
						    : (struct gw_str){NULL, 0};
}

static const struct {
	const char *prefix;
	struct gw_str (*get)(struct matcher *m, struct gw_str arg);
} sources[] = {
	{"topic:", topic_source}, {"opt:", option_source}, {"txt:", txt_source},
	{"name:", name_source},	  {"id", id_source},
};

/* The text to bind; p is NULL when there is nothing. */
static struct gw_str source_text(struct matcher *m, struct gw_str source)
{
	if (gw_str_starts(source, "/")) {
		return json_source(m, source);
	}
	for (size_t i = 0; i < gw_countof(sources); i++) {
		if (gw_str_starts(source, sources[i].prefix)) {
			size_t n = strlen(sources[i].prefix);
			return sources[i].get(m, gw_str_sub(source, n, source.len));
		}
	}
	return (struct gw_str){NULL, 0};
}

/* 1 when all values may be used, 0 when one breaks containment: then the entry does not match. */
static int bind_vars(const struct gw_profile *p, struct matcher *m, struct gw_vars *ret_vars)
{
	gw_node_for(set, m->entry->set)
	{
		const struct gw_var_info *info = gw_var_find(p, set->key);
		struct gw_str value = source_text(m, set->text);
		if (!value.p) {
			continue;
		}
		if (info->in_channel ? !gw_var_fits_channel(value) : value.len > GW_VAR_BYTES) {
			return 0;
		}
		int r = gw_vars_set(ret_vars, set->key, value);
		if (r < 0) {
			return r;
		}
	}
	return 1;
}

int gw_profile_match(const struct gw_profile *p, const struct gw_node *observation, int *ret_score,
		     struct gw_vars *ret_vars)
{
	struct matcher m = {.observation = observation, .text = GW_BUF_INIT(SCALAR_BYTES)};
	struct gw_vars best = {0};
	int score = -1, r = 0;
	for (size_t i = 0; i < p->n_matches && r >= 0; i++) {
		m.entry = &p->matches[i];
		if (!test_entry(&m) || m.score <= score) {
			continue;
		}
		struct gw_vars vars = {0};
		r = bind_vars(p, &m, &vars);
		if (r > 0) {
			gw_vars_fini(&best);
			best = vars;
			score = m.score;
		} else {
			gw_vars_fini(&vars);
		}
	}
	gw_buf_fini(&m.text);
	if (r >= 0) {
		r = gw_vars_copy(ret_vars, &best);
	}
	gw_vars_fini(&best);
	if (r >= 0) {
		*ret_score = score;
	}
	return r < 0 ? r : 0;
}
