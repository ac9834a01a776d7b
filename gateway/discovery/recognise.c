#include "discovery/recognise.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/limits.h"
#include "gw/log.h"

#define OBSERVATION_BYTES (4 * 1024 * 1024)
#define MAX_HITS	  32 /* profiles that pass the index for one observation */

void gw_side_fini(struct gw_side *s)
{
	for (size_t i = 0; i < s->n; i++) {
		gw_profile_unref(s->profiles[i]);
	}
	gw_vars_fini(&s->vars);
	*s = (struct gw_side){0};
}

void gw_side_free(struct gw_side *s)
{
	if (s) {
		gw_side_fini(s);
		gw_free(s);
	}
}

struct gw_side *gw_side_keep(struct gw_side *s)
{
	struct gw_side *kept = gw_new(struct gw_side);
	if (kept) {
		*kept = *s;
		*s = (struct gw_side){0};
	}
	return kept;
}

void gw_side_clean(const char *text, char *ret, size_t cap)
{
	(void)gw_str_clean(gw_str_trim(gw_str(text ? text : "")), cap - 1, ret, cap);
}

static bool is_structured(const char *kind)
{
	static const char *const kinds[] = {"mdns", "coap", "ssdp", "udp"};
	for (size_t i = 0; i < gw_countof(kinds); i++) {
		if (strcmp(kinds[i], kind) == 0) {
			return true;
		}
	}
	return false;
}

static bool looks_like_json(struct gw_str s)
{
	s = gw_str_trim(s);
	return s.len > 0 && (s.p[0] == '{' || s.p[0] == '[');
}

/* The map that profiles are tested against (profile-language §4). -EBADMSG: malformed. */
static int observation_of(struct gw_arena *a, const char *kind, struct gw_str channel,
			  struct gw_str bytes, struct gw_node **ret_observation)
{
	static const struct gw_node_limits limits = {.max_bytes = GW_DESCRIPTION_BYTES,
						     .max_depth = GW_BODY_DEPTH,
						     .max_nodes = GW_BODY_NODES,
						     .max_text_bytes = GW_BODY_TEXT_BYTES};
	struct gw_node *o = gw_node_new(a, GW_NODE_MAP);
	struct gw_node *tree = NULL, *what = NULL;
	int parsed = bytes.len > 0
			     ? gw_node_parse_json(a, bytes, &limits, &tree, /* reterr_= */ NULL)
			     : -EINVAL;
	if (is_structured(kind)) {
		what = parsed == 0 && tree->type == GW_NODE_MAP ? tree : NULL;
		tree = what ? gw_node_get(what, "json") : NULL;
		tree = tree ? gw_node_copy(a, tree) : NULL;
		if (!what) {
			return parsed == -ENOMEM ? -ENOMEM : -EBADMSG;
		}
	} else {
		if (parsed < 0 && looks_like_json(bytes)) {
			return parsed == -ENOMEM ? -ENOMEM : -EBADMSG;
		}
		tree = parsed == 0 ? tree : NULL;
		what = gw_node_new_text(a, channel);
	}
	int r = o && what ? gw_node_set(a, o, gw_str(kind), what) : -ENOMEM;
	if (r == 0 && tree) {
		r = gw_node_set(a, o, GW_STR("json"), tree);
	}
	if (r == 0) {
		*ret_observation = o;
	}
	return r;
}

/* Profiles of which an entry fits; the most telling entry of each. */
struct hits {
	const struct gw_index_entry *entry[MAX_HITS];
	size_t n;
};

static size_t count_tests(const struct gw_index_entry *e)
{
	return e->json ? e->json->count : 0;
}

static void on_hit(void *ctx, const struct gw_index_entry *e)
{
	struct hits *h = ctx;
	for (size_t i = 0; i < h->n; i++) {
		if (h->entry[i]->profile == e->profile) {
			if (count_tests(e) > count_tests(h->entry[i])) {
				h->entry[i] = e;
			}
			return;
		}
	}
	if (!e->profile->broken && h->n < gw_countof(h->entry)) {
		h->entry[h->n++] = e;
	}
}

/* "tasmota.plug 1.0.0: topic tasmota/discovery/+/config, /ft, /rl/0 (score 4)" */
static void write_reason(const struct gw_profile *p, const struct gw_index_entry *e, int score,
			 char *ret, size_t cap)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(4096);
	gw_buf_printf(&b, "%s %s: ", gw_profile_id(p), gw_profile_version(p));
	if (e->test->type == GW_NODE_TEXT) {
		gw_buf_printf(&b, "%s %s", strcmp(e->kind, "mqtt") == 0 ? "topic" : e->kind,
			      e->test->text.p);
	} else {
		gw_buf_puts(&b, e->kind);
		for (struct gw_node *t = e->test->type == GW_NODE_MAP ? e->test->first : NULL; t;
		     t = t->next) {
			gw_buf_printf(&b, "%s%s", t == e->test->first ? " " : ", ", t->key.p);
		}
	}
	gw_node_for(t, e->json)
	{
		if (!gw_node_is_text(t, "*")) {
			gw_buf_printf(&b, ", %s", t->key.p);
		}
	}
	gw_buf_printf(&b, " (score %d)", score);
	(void)gw_str_clean(gw_buf_str(&b), cap - 1, ret, cap);
}

static int load(struct gw_library *l, const struct gw_index_entry *e, struct gw_profile **ret)
{
	struct gw_error error = {0};
	int r = gw_library_get(l, gw_str(e->profile->id), ret, &error);
	if (r < 0 && r != -ENOMEM) {
		e->profile->broken = true;
		GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(2048);
		gw_error_format(&error, &text);
		gw_log_warning("discovery", "GW-DISCOVERY-PROFILE",
			       "%s cannot be used, ignoring: %s", e->profile->id,
			       gw_buf_str(&text).p);
	}
	return r;
}

/* Names that profiles give to what a device tells about itself. */
static const char *told(const struct gw_vars *v, const char *const *names)
{
	for (; *names; names++) {
		const char *value = gw_vars_get(v, *names);
		if (value && *value) {
			return value;
		}
	}
	return NULL;
}

static void describe_match(struct gw_side *s)
{
	static const char *const name[] = {"name", "device_name", "hostname", "host", NULL};
	static const char *const vendor[] = {"vendor", "manufacturer", "brand", NULL};
	static const char *const model[] = {"model", "model_id", "product", NULL};
	static const char *const firmware[] = {"firmware", "fw", "sw", "version", NULL};
	const char *n = told(&s->vars, name);
	gw_side_clean(n ? n : gw_profile_name(s->profiles[0], "en"), s->name, sizeof(s->name));
	gw_side_clean(told(&s->vars, vendor), s->vendor, sizeof(s->vendor));
	gw_side_clean(told(&s->vars, model), s->model, sizeof(s->model));
	gw_side_clean(told(&s->vars, firmware), s->firmware, sizeof(s->firmware));
}

/* One profile's answer into the best so far: alone, one more of a tie, or forgotten. */
static void weigh(struct gw_side *s, struct gw_profile *p, const struct gw_index_entry *e,
		  int score, struct gw_vars *vars)
{
	if (s->n == 0 || score > s->score) {
		gw_side_fini(s);
		s->n = 1;
		s->profiles[0] = gw_profile_ref(p);
		s->score = score;
		s->vars = *vars;
		*vars = (struct gw_vars){0};
		write_reason(p, e, score, s->reason, sizeof(s->reason));
		return;
	}
	if (score < s->score || s->n == GW_SIDE_TIES) {
		return;
	}
	s->profiles[s->n++] = gw_profile_ref(p);
	for (size_t i = 0; i < vars->count; i++) {
		const struct gw_vars_entry *v = &vars->entry[i];
		if (v->value && !gw_vars_get(&s->vars, v->name) &&
		    gw_vars_set(&s->vars, gw_str(v->name), gw_str(v->value)) < 0) {
			gw_log_debug("discovery", "a tie binds too many variables");
		}
	}
}

static void match_all(struct gw_library *l, const struct hits *h, const struct gw_node *observation,
		      struct gw_side *s)
{
	for (size_t i = 0; i < h->n; i++) {
		struct gw_profile *p = NULL;
		struct gw_vars vars = {0};
		int score = -1;
		if (load(l, h->entry[i], &p) < 0) {
			continue;
		}
		if (gw_profile_match(p, observation, &score, &vars) == 0 && score >= 0) {
			weigh(s, p, h->entry[i], score, &vars);
		}
		gw_vars_fini(&vars);
		gw_profile_unref(p);
	}
	if (s->n > 1) {
		(void)snprintf(s->reason, sizeof(s->reason),
			       "%.80s and %.80s match equally (score %d): choose one",
			       gw_profile_id(s->profiles[0]), gw_profile_id(s->profiles[1]),
			       s->score);
	}
}

int gw_recognise(struct gw_library *l, struct gw_index *x, const char *adapter, const char *kind,
		 struct gw_str channel, struct gw_str bytes, struct gw_side *ret_side)
{
	struct gw_arena *a = gw_arena_new(OBSERVATION_BYTES);
	struct gw_node *observation = NULL;
	struct hits h = {.n = 0};
	int r = a ? observation_of(a, kind, channel, bytes, &observation) : -ENOMEM;
	if (r == 0) {
		gw_index_match(x, kind, channel, observation, on_hit, &h);
		match_all(l, &h, observation, ret_side);
	}
	gw_arena_free(a);
	if (r == 0 && ret_side->n > 0) {
		(void)snprintf(ret_side->adapter, sizeof(ret_side->adapter), "%s", adapter);
		describe_match(ret_side);
	}
	return r;
}
