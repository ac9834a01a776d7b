/* What all platforms of Home Assistant share: topics, templates, payloads → points and capabilities. */
#include "profile/import/ha.h"

#include <ctype.h>
#include <math.h>

#include "gw/alloc.h"

const char *gw_ha_text(const struct gw_ha_entity *e, const char *key)
{
	return gw_node_text(e->config, key);
}

struct gw_str gw_ha_word(struct gw_ha_entity *e, const char *key, const char *fallback)
{
	const struct gw_node *n = gw_node_get(e->config, key);
	if (!n || n->type == GW_NODE_LIST || n->type == GW_NODE_MAP) {
		return gw_str(fallback);
	}
	if (n->type == GW_NODE_NULL) { /* payload_stop: null switches it off */
		return (struct gw_str){NULL, 0};
	}
	struct gw_str s = gw_tpl_print(e->b->a, n);
	e->b->failed |= !s.p;
	return s;
}

double gw_ha_double(const struct gw_ha_entity *e, const char *key, double fallback)
{
	const struct gw_node *n = gw_node_get(e->config, key);
	double v;
	if (n && n->type == GW_NODE_NUMBER) {
		return n->number;
	}
	return n && n->type == GW_NODE_TEXT && gw_parse_double(n->text, &v) == 0 ? v : fallback;
}

bool gw_ha_flag(const struct gw_ha_entity *e, const char *key)
{
	const struct gw_node *n = gw_node_get(e->config, key);
	return n && ((n->type == GW_NODE_BOOL && n->flag) || gw_node_is_text(n, "true"));
}

/* --- where values come from and go to --- */

bool gw_ha_reads(struct gw_ha_entity *e, const char *topic_key, const char *template_key,
		 struct gw_ha_read *ret)
{
	const char *topic = gw_ha_text(e, topic_key);
	const char *text = template_key ? gw_ha_text(e, template_key) : NULL;
	*ret = (struct gw_ha_read){.present = topic != NULL, .topic = gw_str(topic ? topic : "")};
	ret->tpl = (struct gw_tpl){
		.kind = GW_TPL_PATH, .whole = true, .pointer = "", .linear = GW_LINEAR_NONE};
	if (!topic || !text || !text[0]) {
		return true;
	}
	const char *why = "";
	if (gw_tpl_read(e->b->a, gw_str(text), &ret->tpl, &why) < 0) {
		gw_draft_note(e->b, "%s is not understood: %s", template_key, why);
		return false;
	}
	if (ret->tpl.kind == GW_TPL_CONST) {
		gw_draft_note(e->b, "%s never changes", template_key);
		return false;
	}
	return true;
}

bool gw_ha_writes(struct gw_ha_entity *e, const char *topic_key, const char *template_key,
		  struct gw_ha_write *ret)
{
	const char *topic = gw_ha_text(e, topic_key);
	const char *text = template_key ? gw_ha_text(e, template_key) : NULL;
	*ret = (struct gw_ha_write){.present = topic != NULL, .topic = gw_str(topic ? topic : "")};
	ret->command.pointer = "";
	if (!topic || !text || !text[0]) {
		return true;
	}
	const char *why = "";
	if (gw_tpl_command(e->b->a, gw_str(text), &ret->command, &why) < 0) {
		gw_draft_note(e->b, "%s is not understood: %s", template_key, why);
		return false;
	}
	ret->templated = true;
	return true;
}

void gw_ha_reads_json(struct gw_ha_entity *e, const char *topic_key, const char *pointer,
		      struct gw_ha_read *ret)
{
	const char *topic = gw_ha_text(e, topic_key);
	*ret = (struct gw_ha_read){
		.present = topic != NULL,
		.topic = gw_str(topic ? topic : ""),
		.tpl = {.kind = GW_TPL_PATH, .pointer = pointer, .linear = GW_LINEAR_NONE}};
}

void gw_ha_writes_json(struct gw_ha_entity *e, const char *topic_key, const char *pointer,
		       struct gw_ha_write *ret)
{
	const char *topic = gw_ha_text(e, topic_key);
	*ret = (struct gw_ha_write){.present = topic != NULL,
				    .topic = gw_str(topic ? topic : ""),
				    .command = {.json = true, .pointer = pointer}};
}

/* --- references --- */

/* codec: of a whole payload; members are always JSON. False with a note of the builder. */
static bool add_in(struct gw_ha_entity *e, struct gw_node *p, const struct gw_ha_read *r,
		   const char *codec)
{
	const char *msg = gw_draft_rx(e->b, r->topic, r->tpl.whole ? codec : "json");
	if (msg) {
		gw_draft_ref(e->b, p, "in", msg, r->tpl.pointer);
	}
	return msg != NULL;
}

static bool add_out(struct gw_ha_entity *e, struct gw_node *p, const struct gw_ha_write *w)
{
	const struct gw_tpl_command *c = &w->command;
	const char *msg =
		gw_draft_tx(e->b, w->topic, c->json ? "json" : "text", c->base, c->pointer, e->qos);
	if (msg) {
		gw_draft_ref(e->b, p, "out", msg, c->pointer);
	}
	return msg != NULL;
}

static void set_absent(struct gw_ha_entity *e, struct gw_node *p, const struct gw_tpl *t)
{
	if (t->absent && (t->absent->type == GW_NODE_NUMBER || t->absent->type == GW_NODE_BOOL ||
			  (t->absent->type == GW_NODE_TEXT && t->absent->text.len > 0))) {
		gw_set_node(e->b, p, "absent", gw_copy(e->b, t->absent));
	}
}

/* The point joins the others when it is whole; its name. */
static const char *join(struct gw_ha_entity *e, const char *hint, const struct gw_node *p)
{
	const char *name = NULL;
	struct gw_node *point = gw_draft_point(e->b, hint, &name);
	gw_node_for(member, p)
	{
		gw_set_node(e->b, point, member->key.p, gw_copy(e->b, member));
	}
	return point ? name : NULL;
}

/* --- choices --- */

void gw_ha_choice_add(struct gw_ha_choices *c, struct gw_node *value, struct gw_str sent,
		      struct gw_str seen)
{
	if (c->n < gw_countof(c->row) && value) {
		c->row[c->n++] = (struct gw_ha_choice){value, sent, seen};
	}
}

/* False when the key means something else already. */
static bool map_row(struct gw_ha_entity *e, struct gw_node *map, struct gw_str key,
		    const struct gw_node *value)
{
	const struct gw_node *has = gw_node_get_str(map, key);
	if (has) {
		return gw_node_equal(has, value);
	}
	struct gw_str name = gw_arena_text(e->b->a, key);
	gw_set_node(e->b, map, name.p ? name.p : "", gw_copy(e->b, value));
	return true;
}

/* Spellings that a template makes one: True of a JSON true, lower and upper. */
static bool map_spellings(struct gw_ha_entity *e, struct gw_node *map, const struct gw_tpl *t,
			  struct gw_str seen, const struct gw_node *value)
{
	char text[GW_BODY_TEXT_BYTES];
	bool ok = map_row(e, map, seen, value);
	if (!t->whole && (gw_str_is(seen, "True") || gw_str_is(seen, "False"))) {
		ok &= map_row(e, map, gw_str_is(seen, "True") ? GW_STR("true") : GW_STR("false"),
			      value);
	}
	if (!t->any_case || seen.len == 0 || seen.len > sizeof(text)) {
		return ok;
	}
	for (size_t i = 0; i < seen.len; i++) {
		text[i] = (char)tolower((unsigned char)seen.p[i]);
	}
	ok &= map_row(e, map, (struct gw_str){text, seen.len}, value);
	text[0] = (char)toupper((unsigned char)text[0]);
	ok &= map_row(e, map, (struct gw_str){text, seen.len}, value);
	for (size_t i = 0; i < seen.len; i++) {
		text[i] = (char)toupper((unsigned char)text[i]);
	}
	return map_row(e, map, (struct gw_str){text, seen.len}, value) && ok;
}

static const struct gw_node *value_of(const struct gw_ha_choices *c, struct gw_str seen)
{
	for (size_t i = 0; i < c->n; i++) {
		if (c->row[i].seen.p && gw_str_eq(c->row[i].seen, seen)) {
			return c->row[i].value;
		}
	}
	return NULL;
}

/* Rows of what is seen; `else` for what a template gives to everything else. */
static bool map_seen(struct gw_ha_entity *e, struct gw_node *p, struct gw_node *map,
		     const struct gw_ha_read *r, const struct gw_ha_choices *c)
{
	bool ok = true;
	if (r->tpl.kind == GW_TPL_PATH) {
		for (size_t i = 0; i < c->n; i++) {
			ok &= !c->row[i].seen.p ||
			      map_spellings(e, map, &r->tpl, c->row[i].seen, c->row[i].value);
		}
		return ok;
	}
	gw_node_for(row, r->tpl.rows)
	{
		const struct gw_node *value = value_of(c, gw_tpl_print(e->b->a, row));
		ok &= !value || map_spellings(e, map, &r->tpl, row->key, value);
	}
	const struct gw_node *other =
		r->tpl.other ? value_of(c, gw_tpl_print(e->b->a, r->tpl.other)) : NULL;
	if (other) {
		gw_set_node(e->b, p, "else", gw_copy(e->b, other));
	}
	return ok;
}

/* Rows of what is sent come first: the first key of a value is the one that is written (profile-language §8). */
static bool map_sent(struct gw_ha_entity *e, struct gw_node *map, const struct gw_ha_write *w,
		     const struct gw_ha_choices *c)
{
	for (size_t i = 0; i < c->n; i++) {
		struct gw_str text = c->row[i].sent;
		const char *why = "";
		if (!text.p) {
			continue;
		}
		if (w->templated &&
		    gw_tpl_send_value(e->b->a, &w->command, text, &text, &why) < 0) {
			gw_draft_note(e->b, "the command template is not understood: %s", why);
			return false;
		}
		if (!map_row(e, map, text, c->row[i].value)) {
			return false;
		}
	}
	return true;
}

static bool fill_map(struct gw_ha_entity *e, struct gw_node *p, const struct gw_ha_read *r,
		     const struct gw_ha_write *w, const struct gw_ha_choices *c)
{
	struct gw_node *map = gw_set_map(e->b, p, "map");
	if (w && !map_sent(e, map, w, c)) {
		return false;
	}
	if (r->present && !map_seen(e, p, map, r, c)) {
		return false;
	}
	if (w && (!w->command.json || w->command.quoted || !w->templated)) {
		gw_set_text(e->b, p, "raw", "text");
	}
	return true;
}

/* Takes back what a failed attempt left in the point. */
static void clear(struct gw_node *p)
{
	(void)gw_node_remove(p, GW_STR("map")); /* whether it was there does not matter */
	(void)gw_node_remove(p, GW_STR("else"));
	(void)gw_node_remove(p, GW_STR("raw"));
}

const char *gw_ha_choice_point(struct gw_ha_entity *e, const char *hint, const struct gw_ha_read *r,
			       const struct gw_ha_write *w, const struct gw_ha_choices *c)
{
	struct gw_node *p = gw_node_new(e->b->a, GW_NODE_MAP);
	e->b->failed |= !p;
	if (!p || (!r->present && !w->present)) {
		return NULL;
	}
	if (r->present && !add_in(e, p, r, "text")) {
		return NULL;
	}
	bool sends = w->present && fill_map(e, p, r, w, c);
	if (sends && !add_out(e, p, w)) {
		return NULL;
	}
	if (w->present && !sends) {
		clear(p);
		gw_draft_note(e->b, "it cannot be written in the words in which it is read");
	}
	if (!sends && (!r->present || !fill_map(e, p, r, NULL, c))) {
		return NULL;
	}
	set_absent(e, p, &r->tpl);
	return join(e, hint, p);
}

/* --- numbers --- */

/* The linear form of a command template: value → payload. */
static bool sent_linear(struct gw_ha_entity *e, const struct gw_ha_write *w, struct gw_linear *ret)
{
	const char *why = "not linear in the value";
	struct gw_tpl t;
	*ret = GW_LINEAR_NONE;
	if (!w->templated) {
		return true;
	}
	if (gw_tpl_send(e->b->a, &w->command, &t, &why) < 0 || t.kind != GW_TPL_PATH ||
	    t.linear.mul == 0) {
		gw_draft_note(e->b, "the command template is not understood: %s", why);
		return false;
	}
	*ret = t.linear;
	return true;
}

static void set_linear(struct gw_ha_entity *e, struct gw_node *p, struct gw_linear l)
{
	if (l.mul != 1) {
		gw_set_number(e->b, p, "mul", l.mul);
	}
	if (l.div != 1) {
		gw_set_number(e->b, p, "div", l.div);
	}
	if (l.add != 0) {
		gw_set_number(e->b, p, "add", l.add);
	}
}

/* How it is read and sent in one linear form; *ret_sends false: read-only. */
static bool number_form(struct gw_ha_entity *e, const struct gw_ha_read *r,
			const struct gw_ha_write *w, struct gw_linear *ret, bool *ret_sends)
{
	struct gw_linear sent;
	if (r->present && r->tpl.kind != GW_TPL_PATH) {
		gw_draft_note(e->b, "a number that is chosen from texts");
		return false;
	}
	*ret_sends = w->present && sent_linear(e, w, &sent);
	*ret = gw_linear_then(r->tpl.linear, e->unit);
	if (!*ret_sends) {
		return r->present;
	}
	struct gw_linear inverse = gw_linear_then(gw_linear_inverse(sent), e->unit);
	if (!r->present) {
		*ret = inverse;
	} else if (!gw_linear_equal(*ret, inverse)) {
		gw_draft_note(e->b, "it cannot be written in the scale in which it is read");
		*ret_sends = false;
	}
	return true;
}

const char *gw_ha_number_point(struct gw_ha_entity *e, const char *hint, const struct gw_ha_read *r,
			       const struct gw_ha_write *w, bool whole)
{
	struct gw_linear l;
	bool sends;
	if (!number_form(e, r, w, &l, &sends)) {
		return NULL;
	}
	/* A text that is a number is read with `as: num`, which writes a text: not for a JSON number. */
	bool json_number = sends && w->command.json && !w->command.quoted;
	struct gw_node *p = gw_node_new(e->b->a, GW_NODE_MAP);
	e->b->failed |= !p;
	if (!p || (r->present && !add_in(e, p, r, json_number ? "json" : "text")) ||
	    (sends && !add_out(e, p, w))) {
		return NULL;
	}
	if (!json_number && ((r->present && (r->tpl.whole || r->tpl.number)) || sends)) {
		gw_set_text(e->b, p, "as", "num");
	}
	set_linear(e, p, l);
	if (sends && !whole) {
		gw_set_bool(e->b, p, "frac", true);
	}
	set_absent(e, p, &r->tpl);
	return join(e, hint, p);
}

const char *gw_ha_text_point(struct gw_ha_entity *e, const char *hint, const struct gw_ha_read *r,
			     const struct gw_ha_write *w)
{
	if (r->present && (r->tpl.kind != GW_TPL_PATH || !gw_linear_is_none(r->tpl.linear))) {
		gw_draft_note(e->b, "a text that is computed");
		return NULL;
	}
	struct gw_node *p = gw_node_new(e->b->a, GW_NODE_MAP);
	e->b->failed |= !p;
	if (!p || (!r->present && !w->present) || (r->present && !add_in(e, p, r, "text")) ||
	    (w->present && !add_out(e, p, w))) {
		return NULL;
	}
	gw_set_text(e->b, p, "as", "text");
	return join(e, hint, p);
}

/* --- capabilities --- */

struct gw_node *gw_ha_cap(struct gw_ha_entity *e, const char *component, const char *id,
			  const char *point)
{
	return point ? gw_draft_point_cap(e->b, component, id, point) : NULL;
}

struct gw_node *gw_ha_extension(struct gw_ha_entity *e, const char *suffix, const char *type,
				const char *point)
{
	if (!point) {
		return NULL;
	}
	const char *hint =
		suffix && suffix[0] ? gw_draft_printf(e->b, "%s_%s", e->object, suffix) : e->object;
	const char *id = gw_draft_extension(e->b, NULL, hint);
	struct gw_node *c = gw_draft_cap(e->b, NULL, id);
	if (!c) {
		return NULL;
	}
	if (type) {
		gw_set_text(e->b, c, "type", type);
	}
	if (e->label) {
		gw_set_text(e->b, c, "name", e->label);
	}
	gw_set_text(e->b, c, "point", point);
	return c;
}

static bool all_known(const struct gw_capability *cap, const struct gw_node *options)
{
	const char *used[GW_HA_CHOICES];
	size_t n = 0;
	gw_node_for(o, options)
	{
		const char *symbol = o->type == GW_NODE_TEXT ? gw_symbol_for(cap, o->text) : NULL;
		if (!symbol || n == gw_countof(used)) {
			return false;
		}
		for (size_t i = 0; i < n; i++) {
			if (strcmp(used[i], symbol) == 0) {
				return false; /* two words would become one */
			}
		}
		used[n++] = symbol;
	}
	return n > 0;
}

void gw_ha_options(struct gw_ha_entity *e, const char *component, const char *id,
		   const char *suffix, const struct gw_node *options, const struct gw_ha_read *r,
		   const struct gw_ha_write *w)
{
	struct gw_ha_choices c = {.n = 0};
	const struct gw_capability *cap = id ? gw_capability_find(gw_str(id)) : NULL;
	bool standard = cap && !gw_draft_has(e->b, component, id) &&
			(cap->profile_named || all_known(cap, options));
	struct gw_node *symbols = gw_node_new(e->b->a, GW_NODE_LIST);
	if (options && options->count > GW_HA_CHOICES) {
		gw_draft_note(e->b, "%zu options; the first %d are kept", options->count,
			      GW_HA_CHOICES);
	}
	gw_node_for(o, options)
	{
		if (c.n == GW_HA_CHOICES) {
			break;
		}
		if (o->type != GW_NODE_TEXT || o->text.len == 0) {
			gw_draft_note(e->b, "an option that is no text");
			continue;
		}
		struct gw_str symbol = standard && !cap->profile_named
					       ? gw_str(gw_symbol_for(cap, o->text))
					       : o->text;
		gw_ha_choice_add(&c, gw_text_node(e->b, symbol), o->text, o->text);
		gw_add_text(e->b, symbols, symbol);
	}
	if (c.n == 0) {
		return;
	}
	const char *point =
		gw_ha_choice_point(e, suffix && suffix[0] ? suffix : e->object, r, w, &c);
	struct gw_node *out = standard ? gw_ha_cap(e, component, id, point)
				       : gw_ha_extension(e, suffix, "enum", point);
	if (out) {
		gw_set_node(e->b, out, "enum", symbols);
	}
}

/* The JSON around a command with the value as a member of the root; NULL: it stands deeper. */
static struct gw_node *json_body(struct gw_ha_entity *e, const struct gw_tpl_command *c,
				 struct gw_node *value)
{
	const char *key = c->pointer + 1;
	if (c->pointer[0] != '/' || strpbrk(key, "/~")) {
		return NULL;
	}
	struct gw_node *body = c->base ? gw_copy(e->b, c->base) : gw_node_new(e->b->a, GW_NODE_MAP);
	gw_set_node(e->b, body, key, value);
	return body;
}

void gw_ha_action(struct gw_ha_entity *e, const char *component, const char *id,
		  const char *topic_key, const char *template_key, struct gw_str payload)
{
	struct gw_ha_write w;
	const char *why = "";
	if (!payload.p || !gw_ha_writes(e, topic_key, template_key, &w) || !w.present) {
		return;
	}
	if (w.templated && gw_tpl_send_value(e->b->a, &w.command, payload, &payload, &why) < 0) {
		gw_draft_note(e->b, "the command template is not understood: %s", why);
		return;
	}
	struct gw_node *text = gw_text_node(e->b, payload);
	struct gw_node *body = w.command.json ? json_body(e, &w.command, text) : text;
	if (!body) {
		gw_draft_note(e->b, "a command deep inside JSON for %s", id);
		return;
	}
	const char *msg =
		gw_draft_fixed(e->b, w.topic, w.command.json ? "json" : "text", body, e->qos);
	struct gw_node *c = msg ? gw_draft_cap(e->b, component, id) : NULL;
	if (c) {
		gw_set_text(e->b, c, "send", msg);
		if (gw_draft_is_extension(id) && e->label) {
			gw_set_text(e->b, c, "name", e->label);
		}
	}
}

void gw_ha_range(struct gw_ha_entity *e, struct gw_node *cap, const char *id, double low,
		 double high, double step)
{
	const struct gw_capability *model = gw_capability_find(gw_str(id));
	if (!cap || !(low < high)) {
		return;
	}
	if (model && model->has_min && low < gw_count_value(model->min, model->res)) {
		low = gw_count_value(model->min, model->res);
	}
	if (model && model->has_max && high > gw_count_value(model->max, model->res)) {
		high = gw_count_value(model->max, model->res);
	}
	struct gw_node *range = gw_set_list(e->b, cap, "range");
	gw_add_number(e->b, range, low);
	gw_add_number(e->b, range, high);
	if (step > 0) {
		gw_add_number(e->b, range, step);
	}
}
