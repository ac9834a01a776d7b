/* The compiler's driver and what all sections share: places, the text pool, literals, names. */
#include "profile/compile.h"

#include <errno.h>
#include <stdio.h>

#include "gw/alloc.h"
#include "gw/limits.h"
#include "profile/compose.h"
#include "profile/match.h"
#include "profile/source.h"
#include "profile/suggest.h"

#define GW_POOL_ENTRIES 65536

/* --- places and refusals --- */

size_t gw_at(struct gw_compiler *c, struct gw_str token)
{
	size_t mark = strlen(c->at);
	gw_at_push(c->at, sizeof(c->at), token);
	return mark;
}

size_t gw_at_index(struct gw_compiler *c, size_t index)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%zu", index);
	return gw_at(c, (struct gw_str){text, (size_t)n});
}

void gw_at_back(struct gw_compiler *c, size_t mark)
{
	c->at[mark] = 0;
}

int gw_refuse_placed(struct gw_compiler *c, const struct gw_node *n, const char *child)
{
	struct gw_error *e = c->error;
	if (!e) {
		return -EINVAL;
	}
	memcpy(e->at, c->at, sizeof(e->at));
	if (child) {
		gw_at_push(e->at, sizeof(e->at), gw_str(child));
	}
	if (c->profile->origin) {
		(void)snprintf(e->file, sizeof(e->file), "%s", c->profile->origin);
	}
	if (n) {
		e->line = n->line;
		e->column = n->column;
	}
	return -EINVAL;
}

int gw_refuse(struct gw_compiler *c, const struct gw_node *n, const char *child, const char *code,
	      const char *fmt, ...)
{
	if (!c->error) {
		return -EINVAL;
	}
	char text[sizeof(c->error->text)];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)gw_error_set(c->error, -EINVAL, code, "%s", text);
	return gw_refuse_placed(c, n, child);
}

/* --- memory and the text pool --- */

void *gw_compile_alloc(struct gw_compiler *c, size_t count, size_t size)
{
	if (count > GW_PLAN_BYTES / (size ? size : 1)) {
		return NULL;
	}
	return gw_arena_alloc(c->arena, count * size);
}

struct gw_text *gw_compile_text(struct gw_compiler *c, struct gw_str s)
{
	struct gw_text *t = gw_map_find(c->pool, s);
	if (t) {
		return t;
	}
	struct gw_plan *p = c->plan;
	if (p->n_texts == p->texts_size) {
		size_t size = p->texts_size ? p->texts_size * 2 : 64;
		struct gw_text **grown = gw_realloc(p->texts, size, sizeof(*grown));
		if (!grown) {
			return NULL;
		}
		p->texts = grown;
		p->texts_size = size;
	}
	t = gw_text_new(s);
	if (!t) {
		return NULL;
	}
	if (gw_map_put(c->pool, s, t) < 0) {
		gw_text_unref(t);
		return NULL;
	}
	p->texts[p->n_texts++] = t;
	return t;
}

int gw_compile_raw(struct gw_compiler *c, const struct gw_node *n, struct gw_raw *ret_raw)
{
	switch (n->type) {
	case GW_NODE_NULL: *ret_raw = (struct gw_raw){.type = GW_RAW_NULL}; return 0;
	case GW_NODE_BOOL:
		*ret_raw = (struct gw_raw){.type = GW_RAW_BOOL, .flag = n->flag};
		return 0;
	case GW_NODE_NUMBER: *ret_raw = gw_raw_number(n->number); return 0;
	case GW_NODE_TEXT: {
		struct gw_text *t = gw_compile_text(c, n->text);
		if (!t) {
			return -ENOMEM;
		}
		*ret_raw = (struct gw_raw){.type = GW_RAW_TEXT, .text = t};
		return 0;
	}
	case GW_NODE_LIST:
	case GW_NODE_MAP: *ret_raw = (struct gw_raw){.type = GW_RAW_TREE, .tree = n}; return 0;
	}
	return -EINVAL;
}

int gw_compile_raws(struct gw_compiler *c, const struct gw_node *n, const struct gw_raw **ret_raws,
		    uint16_t *ret_n)
{
	size_t count = n->type == GW_NODE_LIST ? n->count : 1;
	struct gw_raw *raws = gw_compile_array(c, struct gw_raw, count);
	if (!raws) {
		return -ENOMEM;
	}
	if (n->type != GW_NODE_LIST) {
		int r = gw_compile_raw(c, n, raws);
		if (r < 0) {
			return r;
		}
	} else {
		size_t i = 0;
		gw_node_for(item, n)
		{
			int r = gw_compile_raw(c, item, &raws[i++]);
			if (r < 0) {
				return r;
			}
		}
	}
	*ret_raws = raws;
	*ret_n = (uint16_t)count;
	return 0;
}

int gw_compile_duration(struct gw_compiler *c, const struct gw_node *map, const char *key,
			int64_t *ms)
{
	const struct gw_node *n = gw_node_get(map, key);
	if (!n) {
		return 0;
	}
	if (n->type == GW_NODE_NUMBER && n->number == 0) {
		*ms = 0;
		return 0;
	}
	if (n->type != GW_NODE_TEXT || gw_parse_duration_ms(n->text, ms) < 0) {
		return gw_refuse(c, n, key, "schema",
				 "expected a duration like 500ms, 3s, 5m or 0");
	}
	return 0;
}

/* --- names --- */

uint16_t gw_find_point(const struct gw_plan *p, struct gw_str name)
{
	for (uint16_t i = 0; i < p->n_points; i++) {
		if (gw_str_is(name, p->points[i].name)) {
			return i;
		}
	}
	return GW_NO_INDEX;
}

void gw_compile_reads_point(struct gw_compiler *c, uint16_t point)
{
	if (c->reads) {
		gw_bit_set(c->reads, point);
	}
}

int gw_refuse_point(struct gw_compiler *c, const struct gw_node *n, struct gw_str name)
{
	struct gw_suggest near;
	char text[96];
	gw_suggest_init(&near, name);
	for (uint16_t i = 0; i < c->plan->n_points; i++) {
		gw_suggest_offer(&near, gw_str(c->plan->points[i].name));
	}
	return gw_refuse(c, n, /* child= */ NULL, "ref", "there is no point \"" GW_STR_FMT "\"%s",
			 GW_STR_ARG(name), gw_suggest_text(&near, text, sizeof(text)));
}

int gw_refuse_msg(struct gw_compiler *c, const struct gw_node *n, struct gw_str name)
{
	struct gw_suggest near;
	char text[96];
	gw_suggest_init(&near, name);
	for (uint16_t i = 0; i < c->plan->n_msgs; i++) {
		gw_suggest_offer(&near, c->plan->msgs[i].name);
	}
	return gw_refuse(c, n, /* child= */ NULL, "ref", "there is no message \"" GW_STR_FMT "\"%s",
			 GW_STR_ARG(name), gw_suggest_text(&near, text, sizeof(text)));
}

int gw_refuse_unfit(struct gw_compiler *c, const struct gw_node *n, const char *child,
		    const char *code, const struct gw_raw *found)
{
	const struct gw_pl_cap *cap = c->cap;
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(64);
	struct gw_suggest near;
	char text[96] = "";
	gw_raw_text_form(found, &b);
	if (found->type == GW_RAW_TEXT) {
		gw_suggest_init(&near, gw_text_str(found->text));
		for (uint16_t i = 0; i < cap->n_symbols; i++) {
			gw_suggest_offer(&near, gw_text_str(cap->symbols[i]));
		}
		(void)gw_suggest_text(&near, text, sizeof(text));
	}
	return gw_refuse(c, n, child, code, "%s%.60s%s is no value of %s, which is %s%s",
			 found->type == GW_RAW_TEXT ? "\"" : "",
			 gw_buf_error(&b) || !b.p ? "this" : b.p,
			 found->type == GW_RAW_TEXT ? "\"" : "", cap->info.id,
			 gw_type_name(cap->info.domain.type), text);
}

int gw_compile_point_name(struct gw_compiler *c, const struct gw_node *n, uint16_t *ret_point)
{
	struct gw_str name = n->key;
	if (n->type == GW_NODE_TEXT) {
		name = n->text;
	}
	uint16_t point = gw_find_point(c->plan, name);
	if (point == GW_NO_INDEX) {
		return gw_refuse_point(c, n, name);
	}
	gw_compile_reads_point(c, point);
	*ret_point = point;
	return 0;
}

int gw_compile_msg_name(struct gw_compiler *c, const struct gw_node *n, uint16_t *ret_msg)
{
	int i = n->type == GW_NODE_TEXT ? gw_plan_find_msg(c->plan, n->text) : -ENOENT;
	if (i < 0) {
		return gw_refuse_msg(c, n, n->type == GW_NODE_TEXT ? n->text : n->key);
	}
	*ret_msg = (uint16_t)i;
	return 0;
}

static int resolve_arg(const struct gw_compiler *c, struct gw_str name, uint16_t *ret_index)
{
	uint16_t i = 0;
	gw_node_for(arg, c->args)
	{
		if (gw_str_eq(arg->key, name)) {
			*ret_index = i;
			return 0;
		}
		i++;
	}
	return -ENOENT;
}

/* §12: arguments, v, points, variables, capabilities of the same component */
static int resolve(void *ctx, struct gw_str name, enum gw_name_kind *ret_kind, uint16_t *ret_index)
{
	struct gw_compiler *c = ctx;
	if (resolve_arg(c, name, ret_index) == 0) {
		*ret_kind = GW_NAME_ARG;
		return 0;
	}
	if (c->wanted && gw_str_is(name, "v")) {
		*ret_kind = GW_NAME_WANTED;
		*ret_index = 0;
		return 0;
	}
	uint16_t point = gw_find_point(c->plan, name);
	if (point != GW_NO_INDEX) {
		gw_compile_reads_point(c, point);
		*ret_kind = GW_NAME_POINT;
		*ret_index = point;
		return 0;
	}
	for (size_t i = 0; i < c->profile->n_vars; i++) {
		if (gw_str_is(name, c->profile->vars[i].name)) {
			*ret_kind = GW_NAME_VAR;
			*ret_index = (uint16_t)i;
			return 0;
		}
	}
	for (uint16_t i = 0; c->cap && i < c->plan->n_caps; i++) {
		const struct gw_pl_cap *cap = &c->plan->caps[i];
		if (cap->component == c->cap->component && gw_str_is(name, cap->info.id) &&
		    cap->info.kind == GW_KIND_PROPERTY) {
			if (c->reads_caps) {
				gw_bit_set(c->reads_caps, i);
			}
			*ret_kind = GW_NAME_CAP;
			*ret_index = i;
			return 0;
		}
	}
	return -ENOENT;
}

static int keep_expr(struct gw_compiler *c, struct gw_expr *e)
{
	struct gw_plan *p = c->plan;
	if (p->n_exprs == p->exprs_size) {
		size_t size = p->exprs_size ? p->exprs_size * 2 : 16;
		struct gw_expr **grown = gw_realloc(p->exprs, size, sizeof(struct gw_expr *));
		if (!grown) {
			gw_expr_fini(e);
			return -ENOMEM;
		}
		p->exprs = grown;
		p->exprs_size = size;
	}
	p->exprs[p->n_exprs++] = e;
	return 0;
}

int gw_compile_expr(struct gw_compiler *c, const struct gw_node *n, struct gw_expr **ret_expr)
{
	const struct gw_expr_scope scope = {.resolve = resolve, .ctx = c};
	struct gw_expr *e = NULL;
	int r = gw_expr_compile(c->arena, n->text, &scope, &e, c->error);
	if (r == -EINVAL) {
		return gw_refuse_placed(c, n, /* child= */ NULL);
	}
	if (r < 0) {
		return r;
	}
	r = keep_expr(c, e);
	if (r == 0) {
		*ret_expr = e;
	}
	return r;
}

static int compile_terms(struct gw_compiler *c, const struct gw_node *n, struct gw_cond *cond)
{
	cond->terms = gw_compile_array(c, struct gw_cond_term, n->count);
	if (!cond->terms) {
		return -ENOMEM;
	}
	gw_node_for(term, n)
	{
		struct gw_cond_term *t = &cond->terms[cond->n_terms++];
		size_t mark = gw_at(c, term->key);
		if (resolve(c, term->key, &t->kind, &t->index) < 0 || t->kind == GW_NAME_WANTED) {
			return gw_refuse(c, term, /* child= */ NULL, "ref",
					 "\"" GW_STR_FMT "\" is no point, variable or capability",
					 GW_STR_ARG(term->key));
		}
		int r = gw_compile_raws(c, term, &t->values, &t->n_values);
		if (r < 0) {
			return r;
		}
		gw_at_back(c, mark);
	}
	return 0;
}

int gw_compile_cond(struct gw_compiler *c, const struct gw_node *n, const struct gw_cond **ret_cond)
{
	struct gw_cond *cond = gw_compile_array(c, struct gw_cond, 1);
	if (!cond) {
		return -ENOMEM;
	}
	int r = 0;
	if (n->type == GW_NODE_BOOL) {
		cond->constant = n->flag;
	} else if (n->type == GW_NODE_TEXT) {
		r = gw_compile_expr(c, n, &cond->expr);
	} else if (n->type == GW_NODE_MAP) {
		cond->constant = true;
		r = compile_terms(c, n, cond);
	} else {
		r = gw_refuse(
			c, n, /* child= */ NULL, "schema",
			"a condition is true, false, an expression, or a map of names to values");
	}
	if (r == 0) {
		*ret_cond = cond;
	}
	return r;
}

int gw_compile_sets(struct gw_compiler *c, const struct gw_node *map, struct gw_set **ret_sets,
		    uint16_t *ret_n)
{
	struct gw_set *sets = gw_compile_array(c, struct gw_set, map->count);
	if (!sets) {
		return -ENOMEM;
	}
	uint64_t *reads = c->reads, *reads_caps = c->reads_caps;
	c->reads = c->reads_caps = NULL;
	uint16_t count = 0;
	gw_node_for(n, map)
	{
		struct gw_set *s = &sets[count++];
		size_t mark = gw_at(c, n->key);
		s->point = gw_find_point(c->plan, n->key);
		if (s->point == GW_NO_INDEX) {
			return gw_refuse_point(c, n, n->key);
		}
		if (c->plan->points[s->point].n_out == 0) {
			return gw_refuse(c, n, NULL, "inverse",
					 "point \"" GW_STR_FMT "\" has no out", GW_STR_ARG(n->key));
		}
		if (n->type != GW_NODE_TEXT && n->type != GW_NODE_NUMBER &&
		    n->type != GW_NODE_BOOL) {
			return gw_refuse(c, n, NULL, "schema",
					 "expected an expression, a number or a boolean");
		}
		int r = n->type == GW_NODE_TEXT ? gw_compile_expr(c, n, &s->expr)
						: gw_compile_raw(c, n, &s->constant);
		if (r < 0) {
			return r;
		}
		gw_at_back(c, mark);
	}
	c->reads = reads;
	c->reads_caps = reads_caps;
	*ret_sets = sets;
	*ret_n = count;
	return 0;
}

/* --- the driver --- */

static int check_channels(struct gw_compiler *c)
{
	return gw_match_check_channels(c->profile, c->plan->tree, c->error);
}

static int schema(struct gw_compiler *c, const char *part)
{
	return gw_schema_check(c->plan->tree, part, c->profile->flags, c->error);
}

static int compile_sections(struct gw_compiler *c)
{
	static const struct {
		const char *schema; /* checked before; NULL: with an earlier one */
		int (*compile)(struct gw_compiler *c);
	} sections[] = {
		{"msgs", check_channels},
		{NULL, gw_compile_msgs},
		{"points", gw_compile_points},
		{NULL, gw_compile_extracts},
		{NULL, gw_compile_link},
		{"caps", NULL},
		{"components", gw_compile_caps},
		{NULL, gw_compile_order},
		{NULL, gw_compile_moved},
		{NULL, gw_cost_check},
		{NULL, gw_law_check},
	};
	for (size_t i = 0; i < gw_countof(sections); i++) {
		c->at[0] = 0;
		int r = sections[i].schema ? schema(c, sections[i].schema) : 0;
		if (r == 0 && sections[i].compile) {
			r = sections[i].compile(c);
		}
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

int gw_compile(struct gw_profile *p, struct gw_node *tree, struct gw_arena *a, uint64_t choice,
	       struct gw_plan **ret_plan, struct gw_error *reterr_)
{
	struct gw_error ignored = {0};
	struct gw_plan *plan = gw_new(struct gw_plan);
	if (!plan) {
		gw_arena_free(a);
		return -ENOMEM;
	}
	plan->arena = a;
	plan->tree = tree;
	plan->choice = choice;
	plan->profile = p;
	plan->presence_point = plan->dedup_point = GW_NO_INDEX;
	struct gw_compiler c = {.profile = p,
				.plan = plan,
				.arena = a,
				.pool = gw_map_new(GW_POOL_ENTRIES),
				.error = reterr_ ? reterr_ : &ignored};
	int r = c.pool ? compile_sections(&c) : -ENOMEM;
	gw_map_free(c.pool, /* free_value= */ NULL);
	gw_free(c.known);
	if (r < 0) {
		if (r == -ENOMEM) {
			(void)gw_error_set(reterr_, r, "memory",
					   "the profile does not fit into memory");
		}
		gw_plan_free(plan);
		return r;
	}
	*ret_plan = plan;
	return 0;
}
