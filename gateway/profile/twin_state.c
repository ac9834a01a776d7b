/* What a twin is like when it is switched on: points from init and the embedded tests, the bodies of its messages, its announcement. */
#include <errno.h>

#include "gw/json.h"
#include "gw/topic.h"
#include "profile/compose.h"
#include "profile/match.h"
#include "profile/source.h"
#include "profile/twin.h"

int gw_twin_set_point(struct gw_twin *t, uint16_t point, const struct gw_raw *raw)
{
	t->points[point].known = true;
	return gw_slot_set(&t->b->slots[point], raw);
}

/* --- from the tests --- */

/* Digits behind the point, of a number as JSON writes it. */
static uint8_t decimals_of(double v)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(64);
	gw_json_write_double(&b, v);
	const char *dot = b.p ? strchr(b.p, '.') : NULL;
	return dot && !strchr(dot, 'e') ? (uint8_t)strlen(dot + 1) : 0;
}

/* The first body of a message gives its points; each of them tells how exactly the device shows its numbers. */
static int learn_points(struct gw_twin *t, const struct gw_twin_body *body)
{
	const struct gw_pl_msg *m = body->m;
	for (uint16_t i = 0; i < m->n_points; i++) {
		const struct gw_msg_point *mp = &m->points[i];
		const struct gw_pl_point *p = &t->plan->points[mp->point];
		struct gw_twin_point *tp = &t->points[mp->point];
		struct gw_slot found = {.raw = {.type = GW_RAW_NULL}};
		int r = -ENOENT;
		for (uint16_t k = 0; k < mp->n && r == -ENOENT; k++) {
			r = gw_twin_body_get(t, body, m->extracts[mp->first + k].ref, p, &found);
		}
		if (r == 0 && found.raw.type == GW_RAW_NUMBER) {
			uint8_t d = decimals_of(found.raw.number);
			tp->decimals = d > tp->decimals ? d : tp->decimals;
		}
		if (r == 0 && !tp->known && !tp->event && !gw_raw_in(&found.raw, p->na, p->n_na)) {
			r = gw_twin_set_point(t, mp->point, &found.raw);
		}
		gw_slot_fini(&found);
		if (r < 0 && r != -ENOENT) {
			return r;
		}
	}
	return 0;
}

static int learn_layers(struct gw_twin *t, struct gw_arena *a, const struct gw_twin_body *body)
{
	int r = learn_points(t, body);
	for (uint16_t i = 0; r == 0 && i < body->m->n_layers; i++) {
		struct gw_twin_body layer;
		if (gw_twin_layer_open(a, body, &t->plan->msgs[body->m->layers[i].msg], &layer) ==
		    0) {
			r = learn_layers(t, a, &layer); /* at most GW_LAYER_DEPTH deep */
		}
	}
	return r;
}

static bool accepts(struct gw_twin *t, const struct gw_twin_body *body)
{
	const struct gw_pl_msg *m = body->m;
	for (uint16_t i = 0; i < m->n_filters; i++) {
		const struct gw_filter *f = &m->filters[i];
		struct gw_slot found = {.raw = {.type = GW_RAW_NULL}};
		int r = gw_twin_body_get(t, body, m->extracts[f->extract].ref, /* p= */ NULL,
					 &found);
		bool holds = r == 0 && gw_raw_in(&found.raw, f->values, f->n_values);
		gw_slot_fini(&found);
		if (!holds) {
			return false;
		}
	}
	return true;
}

static int learn_body(struct gw_twin *t, const struct gw_node *n)
{
	int msg = n ? gw_plan_find_msg(t->plan, n->key) : -ENOENT;
	struct gw_twin_body body;
	if (msg < 0 || gw_twin_body_from_node(t->arena, &t->plan->msgs[msg], n, &body) < 0) {
		return 0; /* a test may show that such a body is refused */
	}
	if (!accepts(t, &body)) {
		return 0; /* … or not looked at */
	}
	t->models[msg] = body;
	return learn_layers(t, t->arena, &body);
}

static int learn_step(struct gw_twin *t, const struct gw_node *step)
{
	gw_item_for(item, gw_node_get(step, "rx"))
	{
		int r = learn_body(t, gw_node_first(item, GW_NODE_MAP));
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

static int learn_tests(struct gw_twin *t)
{
	gw_item_for(test, gw_node_get(t->profile->tree, "tests"))
	{
		int r = learn_step(t, test);
		gw_item_for(step, gw_node_get(test, "steps"))
		{
			r = r < 0 ? r : learn_step(t, step);
		}
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

/* --- what no test tells --- */

/* The cell of a table's first row, so that an unknown selector starts at a symbol that exists. */
static const struct gw_node *first_cell(const struct gw_twin *t, const char *point)
{
	for (uint16_t i = 0; i < t->plan->n_caps; i++) {
		const struct gw_node *cap = t->plan->caps[i].node;
		const struct gw_node *row = gw_node_at(gw_node_get(cap, "rows"), 0);
		const struct gw_node *cells =
			gw_node_if(row, GW_NODE_MAP) ? gw_node_get(row, "cells") : row;
		size_t column = 0;
		gw_item_for(name, gw_node_get(cap, "table"))
		{
			const struct gw_node *cell = gw_node_at(cells, column++);
			if (gw_node_is_text(name, point) && cell) {
				return cell->type == GW_NODE_LIST ? cell->first : cell;
			}
		}
	}
	return NULL;
}

static enum gw_type type_of(const struct gw_twin *t, uint16_t point)
{
	for (uint16_t i = 0; i < t->plan->n_caps; i++) {
		const struct gw_pl_cap *cap = &t->plan->caps[i];
		if (cap->n_points == 1 && cap->points[0] == point) {
			return cap->info.domain.type;
		}
	}
	return GW_TYPE_NUM;
}

/* 0, false or empty text; a map's raw for false, else its first. */
static int guess(struct gw_twin *t, uint16_t point)
{
	const struct gw_pl_point *p = &t->plan->points[point];
	enum gw_type type = type_of(t, point);
	const struct gw_node *cell = p->has_map ? NULL : first_cell(t, p->name);
	struct gw_raw raw = {.type = GW_RAW_NUMBER, .number = 0};
	struct gw_text *text = NULL;
	if (p->has_map) {
		raw = p->map[0].raw;
		for (uint16_t i = 0; i < p->n_map; i++) {
			if (p->map[i].value.type == GW_RAW_BOOL && !p->map[i].value.flag) {
				raw = p->map[i].raw;
			}
		}
	} else if (cell && cell->type == GW_NODE_NUMBER) {
		raw.number = cell->number;
	} else if ((cell && cell->type == GW_NODE_BOOL) || type == GW_TYPE_BOOL) {
		raw = (struct gw_raw){.type = GW_RAW_BOOL,
				      .flag = cell && cell->type == GW_NODE_BOOL && cell->flag};
	} else if ((cell && cell->type == GW_NODE_TEXT) || type == GW_TYPE_STR ||
		   type == GW_TYPE_ENUM) {
		text = gw_text_new(cell && cell->type == GW_NODE_TEXT ? cell->text : GW_STR(""));
		raw = (struct gw_raw){.type = GW_RAW_TEXT, .text = text};
	}
	int r = raw.type == GW_RAW_TEXT && !raw.text ? -ENOMEM
						     : gw_slot_set(&t->b->slots[point], &raw);
	gw_text_unref(text);
	return r;
}

static void mark_events(struct gw_twin *t)
{
	for (uint16_t i = 0; i < t->plan->n_caps; i++) {
		const struct gw_form *form = t->plan->caps[i].form;
		if (form->ops == &gw_form_event) {
			t->points[gw_container(form, const struct gw_event_form, form)->point]
				.event = true;
		}
	}
	for (uint16_t i = 0; i < t->plan->n_caps; i++) {
		const struct gw_pl_cap *cap = &t->plan->caps[i];
		for (uint16_t k = 0; cap->info.kind == GW_KIND_PROPERTY && k < cap->n_points; k++) {
			t->points[cap->points[k]].event = false; /* it is a state too */
		}
	}
}

/* The presence point's raws for online and offline. */
static void learn_presence(struct gw_twin *t)
{
	uint16_t point = t->plan->presence_point;
	if (point == GW_NO_INDEX) {
		return;
	}
	const struct gw_pl_point *p = &t->plan->points[point];
	const struct gw_raw *is = &t->plan->presence_is;
	for (uint16_t i = 0; i < p->n_map; i++) {
		bool online = gw_raw_equal(&p->map[i].value, is);
		struct gw_raw *raw = online ? &t->online : &t->offline;
		if (raw->type == GW_RAW_NULL) {
			*raw = p->map[i].raw;
		}
	}
	if (!p->has_map && is->type == GW_RAW_BOOL) {
		t->online = *is;
		t->offline = (struct gw_raw){.type = GW_RAW_BOOL, .flag = !is->flag};
	} else if (!p->has_map && is->type == GW_RAW_NUMBER) {
		t->online = *is;
		t->offline = gw_raw_number(is->number == 0);
	}
	t->has_presence = t->online.type != GW_RAW_NULL && t->offline.type != GW_RAW_NULL;
}

int gw_twin_learn(struct gw_twin *t)
{
	mark_events(t);
	for (uint16_t i = 0; i < t->plan->n_points; i++) {
		t->points[i].known = t->plan->points[i].has_init;
	}
	int r = learn_tests(t);
	for (uint16_t i = 0; r == 0 && i < t->plan->n_points; i++) {
		if (!t->points[i].known && !t->points[i].event) {
			r = guess(t, i);
		}
	}
	if (r == 0) {
		learn_presence(t);
	}
	if (r == 0 && t->has_presence) {
		r = gw_twin_set_point(t, t->plan->presence_point, &t->online);
	}
	return r < 0 ? r : gw_binding_recompute(t->b);
}

/* --- announcement --- */

/* The first observation over MQTT that this profile matches. */
static const struct gw_node *observation_of(const struct gw_node *test)
{
	const struct gw_node *match = gw_node_get(test, "match");
	const struct gw_node *out = gw_node_get(test, "vars_out");
	return gw_node_get(match, "mqtt") && out && out->type == GW_NODE_MAP ? match : NULL;
}

static const struct gw_node *find_observation(const struct gw_twin *t)
{
	gw_item_for(test, gw_node_get(t->profile->tree, "tests"))
	{
		const struct gw_node *found = observation_of(test);
		gw_item_for(step, gw_node_get(test, "steps"))
		{
			found = found ? found : observation_of(step);
		}
		if (found) {
			return found;
		}
	}
	return NULL;
}

int gw_twin_borrow_vars(struct gw_twin *t)
{
	const struct gw_node *observation = find_observation(t);
	struct gw_vars shown = {0};
	int score = 0;
	int r = observation ? gw_profile_match(t->profile, observation, &score, &shown) : 0;
	for (size_t i = 0; i < shown.count && r == 0; i++) {
		const struct gw_vars_entry *e = &shown.entry[i];
		const struct gw_var_info *info = gw_var_find(t->profile, gw_str(e->name));
		if (!info->fallback && !gw_vars_get(&t->vars, e->name)) {
			r = gw_vars_set(&t->vars, gw_str(e->name), gw_str(e->value));
		}
	}
	gw_vars_fini(&shown);
	return r;
}

/* Level n of a topic replaced. */
static int replace_level(struct gw_arena *a, struct gw_str *topic, size_t n, struct gw_str value)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(GW_TOPIC_BYTES);
	struct gw_str rest = *topic, level;
	for (size_t i = 0; gw_str_split(&rest, '/', &level); i++) {
		gw_buf_puts(&b, i > 0 ? "/" : "");
		gw_buf_add_str(&b, i == n ? value : level);
	}
	*topic = gw_arena_text(a, gw_buf_str(&b));
	return topic->p ? gw_buf_error(&b) : -ENOMEM;
}

/* The value at a pointer replaced; a number stays a number when it can. Nothing happens where nothing is. */
static int replace_value(struct gw_arena *a, struct gw_node *json, struct gw_str pointer,
			 struct gw_str value)
{
	struct gw_node *at = gw_node_pointer(json, pointer);
	double number;
	if (!at || at->type == GW_NODE_LIST || at->type == GW_NODE_MAP) {
		return 0;
	}
	if (at->type == GW_NODE_NUMBER && gw_parse_double(value, &number) == 0) {
		at->number = number;
		return 0;
	}
	at->type = GW_NODE_TEXT;
	at->text = gw_arena_text(a, value);
	return at->text.p ? 0 : -ENOMEM;
}

struct announcing {
	const struct gw_twin *t;
	struct gw_arena *a;
	struct gw_str topic;
	struct gw_node *json;
	struct gw_vars before; /* what the observation of the test binds */
};

/* This instance's variables written back to where the entry takes them from. */
static int write_back(struct announcing *w, const struct gw_node *entry)
{
	gw_member_for(set, gw_node_get(entry, "set"))
	{
		const char *value = gw_vars_get(&w->t->vars, set->key.p);
		int64_t level = 0;
		int r = 0;
		if (!value) {
			continue;
		}
		if (gw_str_starts(set->text, "/") && w->json) {
			r = replace_value(w->a, w->json, set->text, gw_str(value));
		} else if (gw_str_starts(set->text, "topic:") &&
			   gw_parse_i64(gw_str_sub(set->text, 6, set->text.len), &level) == 0) {
			r = replace_level(w->a, &w->topic, (size_t)level, gw_str(value));
		}
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

/* This instance's value of the variable that has the shown value in the test; NULL: none. */
static const char *instance_value(const struct announcing *w, struct gw_str shown)
{
	for (size_t i = 0; i < w->before.count; i++) {
		const struct gw_vars_entry *e = &w->before.entry[i];
		const char *value = gw_vars_get(&w->t->vars, e->name);
		if (value && gw_str_is(shown, e->value)) {
			return value;
		}
	}
	return NULL;
}

/*
 * A level under '+' that shows the value of a variable of the test (the MAC in tasmota/discovery/<MAC>/config) shows this instance's,
 * or two instances would share one retained topic.
 */
static int rename_levels(struct announcing *w, struct gw_str filter)
{
	struct gw_str rest = filter, level, shown;
	for (size_t i = 0; gw_str_split(&rest, '/', &level); i++) {
		const char *value = gw_str_is(level, "+") && gw_topic_level(w->topic, i, &shown)
					    ? instance_value(w, shown)
					    : NULL;
		int r = value ? replace_level(w->a, &w->topic, i, gw_str(value)) : 0;
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

static int rewrite(struct announcing *w)
{
	gw_item_for(entry, gw_node_get(w->t->profile->tree, "match"))
	{
		const struct gw_node *filter = gw_node_get(entry, "mqtt");
		if (filter && gw_topic_matches(filter->text, w->topic)) {
			int r = rename_levels(w, filter->text);
			return r < 0 ? r : write_back(w, entry);
		}
	}
	return 0;
}

int gw_twin_announcement(const struct gw_twin *t, struct gw_arena *a, struct gw_buf *ret_topic,
			 struct gw_buf *ret_body)
{
	const struct gw_node *observation = find_observation(t);
	if (!observation) {
		return -ENOENT;
	}
	const struct gw_node *json = gw_node_get(observation, "json");
	struct announcing w = {.t = t,
			       .a = a,
			       .topic = gw_node_get(observation, "mqtt")->text,
			       .json = json ? gw_node_copy(a, json) : NULL};
	int score = 0;
	int r = json && !w.json ? -ENOMEM
				: gw_profile_match(t->profile, observation, &score, &w.before);
	r = r < 0 ? r : rewrite(&w);
	gw_vars_fini(&w.before);
	if (r < 0) {
		return r;
	}
	gw_buf_add_str(ret_topic, w.topic);
	if (w.json && w.json->type == GW_NODE_TEXT) {
		gw_buf_add_str(ret_body, w.json->text); /* a body that is no JSON, as it is */
	} else if (w.json) {
		gw_node_write(ret_body, w.json, /* source_order= */ true);
	}
	return gw_buf_error(ret_topic) < 0 ? gw_buf_error(ret_topic) : gw_buf_error(ret_body);
}
