/*
 * "thing-description": a W3C Thing Description (1.0, 1.1). Properties, actions and events become capabilities by their semantic types, else by
 * name and unit, else x.td.<name>; the forms on the device's own host become its channels.
 *
 *   http(s)  link.adapter http: get, put, post with the path of the href; server-sent events
 *   coap(s)  link.adapter coap: the same; observe
 *   mqtt(s)  the device's own level is the last one that all topics share
 *
 * A description has one profile and a profile one adapter: of several hosts the one with most affordances is the device, the others are not asked.
 * Credentials are the adapter's business; only a key that stands in the path is a (secret) variable.
 */
#include "profile/import/td.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "profile/import/file.h"

#define ARENA_BYTES (16 * 1024 * 1024)
#define LEAF_DEPTH  4
#define MAX_ARGS    32 /* profile-language: args of an action */

static void unmapped(struct gw_td *t, const char *at, const char *why)
{
	gw_import_fate(t->b->result, at, GW_FATE_UNMAPPED, NULL, why);
}

static bool is_true(const struct gw_node *n, const char *key)
{
	const struct gw_node *flag = gw_node_get(n, key);
	return flag && flag->type == GW_NODE_BOOL && flag->flag;
}

static double number_of(const struct gw_node *n, const char *key, double fallback)
{
	const struct gw_node *v = n ? gw_node_get(n, key) : NULL;
	return v && v->type == GW_NODE_NUMBER ? v->number : fallback;
}

static const char *label_of(const struct gw_node *n)
{
	const char *title = gw_node_text(n, "title");
	const struct gw_node *titles = gw_node_get(n, "titles");
	const char *english = titles ? gw_node_text(titles, "en") : NULL;
	return title ? title : english;
}

/* --- data schemas --- */

static const char *type_of_value(const struct gw_node *n)
{
	switch (n->type) {
	case GW_NODE_NULL: return "null";
	case GW_NODE_BOOL: return "boolean";
	case GW_NODE_NUMBER: return "number";
	case GW_NODE_TEXT: return "string";
	case GW_NODE_LIST: return "array";
	case GW_NODE_MAP: return "object";
	}
	return NULL;
}

/* The type that a schema says, or that follows from what else it says; NULL: any. */
static const char *type_of(const struct gw_node *schema)
{
	static const struct {
		const char *key, *type;
	} marks[] = {{"properties", "object"}, {"items", "array"},     {"minimum", "number"},
		     {"maximum", "number"},    {"unit", "number"},     {"multipleOf", "number"},
		     {"maxLength", "string"},  {"minLength", "string"}};
	const char *type = gw_node_text(schema, "type");
	const struct gw_node *value = gw_node_get(schema, "const");
	const struct gw_node *words = gw_node_get(schema, "enum");
	value = value ? value : words ? words->first : NULL;
	if (type || value) {
		return type ? type : type_of_value(value);
	}
	for (size_t i = 0; i < gw_countof(marks); i++) {
		if (gw_node_get(schema, marks[i].key)) {
			return marks[i].type;
		}
	}
	return NULL;
}

/* §5.3.2.1: of several schemas, the type that all have; "any" in between. */
static const char *common_type(const struct gw_node *schema)
{
	const struct gw_node *several = gw_node_get(schema, "oneOf");
	const char *type = type_of(schema);
	if (type || !several) {
		return type;
	}
	gw_node_for(one, several)
	{
		const char *own = type_of(one);
		if (!own || (type && strcmp(own, type) != 0)) {
			return NULL;
		}
		type = own;
	}
	return type;
}

/* The values that a schema leaves: enum, const, or a oneOf of nothing but const. NULL: any. */
static const struct gw_node *words_of(struct gw_td *t, const struct gw_node *schema)
{
	const struct gw_node *words = gw_node_get(schema, "enum");
	const struct gw_node *value = gw_node_get(schema, "const");
	const struct gw_node *several = gw_node_get(schema, "oneOf");
	struct gw_node *list = words ? gw_copy(t->b, words) : gw_node_new(t->b->a, GW_NODE_LIST);
	if (!words && value) {
		gw_add_node(t->b, list, gw_copy(t->b, value));
	}
	gw_node_for(one, words || value ? NULL : several)
	{
		const struct gw_node *only = gw_node_get(one, "const");
		if (!only) {
			return NULL;
		}
		gw_add_node(t->b, list, gw_copy(t->b, only));
	}
	gw_node_for(n, list)
	{
		if (n->type == GW_NODE_NULL || n->type == GW_NODE_LIST || n->type == GW_NODE_MAP) {
			return NULL;
		}
	}
	return list && list->count > 0 ? list : NULL;
}

static enum gw_datum_type datum_type(const char *type, bool words)
{
	static const struct {
		const char *type;
		enum gw_datum_type datum;
	} types[] = {{"boolean", GW_DATUM_BOOL},  {"integer", GW_DATUM_INTEGER},
		     {"number", GW_DATUM_NUMBER}, {"string", GW_DATUM_TEXT},
		     {"array", GW_DATUM_LIST},	  {"object", GW_DATUM_MAP}};
	for (size_t i = 0; type && i < gw_countof(types); i++) {
		if (strcmp(types[i].type, type) == 0) {
			bool choice = words && types[i].datum != GW_DATUM_BOOL;
			return choice ? GW_DATUM_WORDS : types[i].datum;
		}
	}
	return words ? GW_DATUM_WORDS : GW_DATUM_ANY;
}

/* Everything but the messages. */
static struct gw_datum datum_of(struct gw_td *t, const struct gw_node *schema, const char *at,
				const char *name)
{
	const char *type = common_type(schema), *unit = gw_node_text(schema, "unit");
	const struct gw_node *words = words_of(t, schema);
	double one = type && strcmp(type, "integer") == 0 ? 1 : 0;
	return (struct gw_datum){
		.at = at,
		.name = name,
		.label = label_of(schema),
		.cap = gw_td_semantic(t, schema),
		.type = datum_type(type, words != NULL),
		.unit = gw_str(unit ? unit : ""),
		.min = number_of(schema, "minimum",
				 number_of(schema, "exclusiveMinimum", NAN) + one),
		.max = number_of(schema, "maximum",
				 number_of(schema, "exclusiveMaximum", NAN) - one),
		.step = number_of(schema, "multipleOf", 0),
		.words = words,
	};
}

/* --- properties --- */

/* Where a property is read and written. */
struct refs {
	const char *in, *in_also; /* messages; NULL: none */
	const char *in_pointer, *out_pointer;
	bool plain;
	const struct gw_td_channel *write; /* NULL: not written */
};

static bool is_structure(const struct gw_node *schema)
{
	const struct gw_node *members = gw_node_get(schema, "properties");
	return members && members->count > 0;
}

static void add_leaf(struct gw_td *t, const char *at, const char *name,
		     const struct gw_node *schema, const struct refs *r)
{
	struct gw_datum d = datum_of(t, schema, at, name);
	d.in = is_true(schema, "writeOnly") ? NULL : r->in;
	d.in_also = d.in ? r->in_also : NULL;
	d.in_pointer = r->in_pointer;
	d.out_pointer = r->out_pointer;
	d.plain = r->plain;
	if (r->write && !is_true(schema, "readOnly")) {
		d.out = gw_td_message(t, r->write, r->out_pointer, NULL);
	}
	if (!d.in && !d.out) {
		unmapped(t, at,
			 r->write || r->in ? "neither read nor written"
					   : "the profile has no more room");
		return;
	}
	if (d.plain && (d.type == GW_DATUM_LIST || d.type == GW_DATUM_MAP)) {
		unmapped(t, at, "a structure in a text body");
		return;
	}
	(void)gw_datum_add(t->b, &d); /* its fate is told */
}

/* A structure with named members is as many data points as it has leaves. */
static void add_schema(struct gw_td *t, const char *at, const char *name,
		       const struct gw_node *schema, const struct refs *r, unsigned depth)
{
	if (!is_structure(schema) || r->plain || depth == LEAF_DEPTH || gw_td_semantic(t, schema)) {
		add_leaf(t, at, name, schema, r);
		return;
	}
	gw_node_for(member, gw_node_get(schema, "properties"))
	{
		struct refs inner = *r;
		if (!gw_draft_is_member(member->key)) {
			unmapped(t, gw_draft_printf(t->b, "%s/%.60s", at, member->key.p),
				 "a member whose name begins with a bracket");
			continue;
		}
		inner.in_pointer = gw_draft_pointer(t->b, r->in_pointer, member->key);
		inner.out_pointer = gw_draft_pointer(t->b, r->out_pointer, member->key);
		if (is_true(schema, "readOnly")) {
			inner.write = NULL;
		}
		add_schema(t, gw_draft_printf(t->b, "%s/%.60s", at, member->key.p),
			   gw_draft_printf(t->b, "%.60s_%.60s", name, member->key.p), member,
			   &inner, depth + 1);
	}
}

/* What is written whole needs all of its members. */
static void write_whole(struct gw_td *t, const struct gw_node *schema,
			const struct gw_td_channel *write)
{
	const struct gw_node *required = gw_node_get(schema, "required");
	if (!write || !required || !is_structure(schema) || required->count < 2) {
		return;
	}
	gw_node_for(m, t->b->msgs)
	{
		const char *ch = gw_node_text(m, write->verb);
		if (ch && strcmp(ch, write->path) == 0) {
			gw_set_text(t->b, m, "mode", "full");
		}
	}
}

static bool is_text(const struct gw_td_channel *c)
{
	return strcmp(c->codec, "text") == 0;
}

/* The message that answers a read, and the one that comes by itself. */
static void find_reads(struct gw_td *t, const struct gw_node *p, struct refs *r,
		       const char **ret_why)
{
	const char *why = NULL, *messages[2] = {NULL, NULL};
	struct gw_td_channel c[2];
	static const char *const ops[] = {"readproperty", "observeproperty"};
	if (t->all && !is_true(p, "writeOnly") && gw_draft_is_member(p->key)) {
		r->in = t->all;
		r->in_pointer = gw_draft_pointer(t->b, "", p->key);
		return;
	}
	for (size_t i = 0; i < gw_countof(ops); i++) {
		if (gw_td_channel(t, p, ops[i], &c[i], &why)) {
			messages[i] = gw_td_message(t, &c[i], "", NULL);
		}
		*ret_why = *ret_why ? *ret_why : why;
	}
	size_t first = messages[0] ? 0 : 1;
	r->in = messages[first];
	r->plain = r->in && is_text(&c[first]);
	bool other = first == 0 && messages[1] && strcmp(messages[0], messages[1]) != 0;
	r->in_also = other && is_text(&c[1]) == r->plain ? messages[1] : NULL;
}

static void add_property(struct gw_td *t, const struct gw_node *p)
{
	const char *at = gw_draft_printf(t->b, "/properties/%.100s", p->key.p);
	const char *why = NULL, *why_write = NULL;
	struct gw_td_channel write;
	struct refs r = {.in_pointer = "", .out_pointer = ""};
	const char *type = common_type(p);
	t->b->at = at;
	if (type && strcmp(type, "null") == 0) {
		unmapped(t, at, "a data schema of type null");
		return;
	}
	find_reads(t, p, &r, &why);
	if (gw_td_channel(t, p, "writeproperty", &write, &why_write)) {
		r.write = &write;
	}
	if (!r.in && !r.write) {
		why = why ? why : why_write;
		unmapped(t, at, why ? why : "neither read nor written");
		return;
	}
	if (r.in && r.write && is_text(&write) != r.plain) {
		gw_draft_note(t->b, "read and written in different media types: it is not written");
		r.write = NULL;
	}
	r.plain = r.in ? r.plain : is_text(&write);
	add_schema(t, at, p->key.p, p, &r, 0);
	write_whole(t, p, r.write);
}

/* --- actions --- */

static void set_arg(struct gw_td *t, struct gw_node *args, const char *name,
		    const struct gw_node *schema)
{
	static const char *const types[] = {
		[GW_DATUM_BOOL] = "bool",  [GW_DATUM_INTEGER] = "int", [GW_DATUM_NUMBER] = "num",
		[GW_DATUM_WORDS] = "enum", [GW_DATUM_TEXT] = "str",    [GW_DATUM_ANY] = "str",
		[GW_DATUM_LIST] = "list",  [GW_DATUM_MAP] = "rec",
	};
	struct gw_datum d = datum_of(t, schema, "", name);
	struct gw_node *arg = gw_set_map(t->b, args, name);
	bool symbols = d.type == GW_DATUM_WORDS;
	gw_node_for(n, d.words)
	{
		symbols &= n->type == GW_NODE_TEXT;
	}
	enum gw_datum_type type = d.type == GW_DATUM_WORDS && !symbols
					  ? datum_type(common_type(schema), false)
					  : d.type;
	gw_set_text(t->b, arg, "type", types[type]);
	if (symbols) {
		gw_set_node(t->b, arg, "enum", gw_copy(t->b, d.words));
	}
	if (d.min < d.max && fabs(d.min) < 1e9 && fabs(d.max) < 1e9) {
		struct gw_node *range = gw_set_list(t->b, arg, "range");
		gw_add_number(t->b, range, d.min);
		gw_add_number(t->b, range, d.max);
	}
	const struct gw_node *value = gw_node_get(schema, "default");
	if (value && strcmp(type_of_value(value), "null") != 0 && value->type < GW_NODE_LIST) {
		gw_set_node(t->b, arg, "default", gw_copy(t->b, value));
	}
}

/* One argument: a point that is written at pointer. */
static bool add_arg(struct gw_td *t, const struct gw_td_channel *c, const char *pointer,
		    const char *hint, const struct gw_node *schema, struct gw_node *assign,
		    struct gw_node *args)
{
	const char *point = NULL, *slug = gw_draft_slug(t->b, gw_str(hint));
	const char *base = slug[0] ? slug : "value";
	const char *name =
		gw_draft_is_reserved(t->b, base) ? gw_draft_printf(t->b, "%.24s_arg", base) : base;
	for (unsigned i = 2; gw_node_get(args, name) && !t->b->failed; i++) {
		name = gw_draft_printf(t->b, "%.24s_%u", base, i);
	}
	const char *msg = gw_td_message(t, c, pointer, NULL);
	struct gw_node *p = msg ? gw_draft_point(t->b, hint, &point) : NULL;
	const char *type = common_type(schema);
	if (!p) {
		return false;
	}
	gw_draft_ref(t->b, p, "out", msg, pointer);
	if (type && strcmp(type, "number") == 0) {
		gw_set_bool(t->b, p, "frac", true);
	}
	set_arg(t, args, name, schema);
	gw_set_text(t->b, assign, point, name);
	return true;
}

/* The action with arguments: of a structure each member is one. */
static bool add_inputs(struct gw_td *t, const struct gw_td_channel *c, const struct gw_node *input,
		       struct gw_node *assign, struct gw_node *args)
{
	if (!is_structure(input)) {
		return add_arg(t, c, "", "value", input, assign, args);
	}
	gw_node_for(member, gw_node_get(input, "properties"))
	{
		if (!add_arg(t, c, gw_draft_pointer(t->b, "", member->key), member->key.p, member,
			     assign, args)) {
			return false;
		}
	}
	return true;
}

/* The capability of an action: by semantic type, by its name when it takes nothing, else its own. */
static const char *action_id(struct gw_td *t, const struct gw_node *a, bool takes)
{
	const char *word = gw_datum_word(t->b, a->key.p), *id = gw_td_semantic(t, a);
	const struct gw_capability *cap = id ? gw_capability_find(gw_str(id)) : NULL;
	if (!cap || cap->kind != GW_KIND_ACTION || gw_draft_has(t->b, NULL, id)) {
		id = NULL;
	}
	id = id || takes ? id : gw_datum_action(t->b, word);
	return id ? id : gw_draft_extension(t->b, NULL, word);
}

/* What is sent when nothing is chosen: nothing, or the one value that the input may have. */
static const struct gw_node *fixed_body(struct gw_td *t, const struct gw_node *input,
					struct gw_td_channel *c)
{
	const struct gw_node *words = input ? words_of(t, input) : NULL;
	if (words && words->count == 1) {
		return words->first;
	}
	if (input) {
		return NULL;
	}
	c->codec = "text"; /* an empty body is no JSON */
	return gw_text_node(t->b, GW_STR(""));
}

/* Why the members of an input cannot be arguments; NULL: they can. */
static const char *unfit_structure(const struct gw_node *input, const struct gw_td_channel *c)
{
	const struct gw_node *members = gw_node_get(input, "properties");
	gw_node_for(member, members)
	{
		if (!gw_draft_is_member(member->key)) {
			return "a member whose name begins with a bracket";
		}
	}
	return is_text(c)		   ? "a structure in a text body"
	       : members->count > MAX_ARGS ? "more arguments than an action has"
					   : NULL;
}

static void add_action(struct gw_td *t, const struct gw_node *a)
{
	struct gw_draft *b = t->b;
	const char *at = gw_draft_printf(b, "/actions/%.100s", a->key.p), *why = NULL;
	const struct gw_node *input = gw_node_get(a, "input");
	struct gw_td_channel c;
	b->at = at;
	if (!gw_td_channel(t, a, "invokeaction", &c, &why)) {
		unmapped(t, at, why ? why : "an action without a form to invoke it");
		return;
	}
	why = input && is_structure(input) ? unfit_structure(input, &c) : NULL;
	if (why) {
		unmapped(t, at, why);
		return;
	}
	const struct gw_node *fixed = fixed_body(t, input, &c);
	const char *id = action_id(t, a, !fixed), *msg = NULL;
	struct gw_node *assign = gw_node_new(b->a, GW_NODE_MAP),
		       *args = gw_node_new(b->a, GW_NODE_MAP);
	bool ok = fixed ? (msg = gw_td_message(t, &c, "", fixed)) != NULL
			: add_inputs(t, &c, input, assign, args);
	struct gw_node *cap = ok ? gw_draft_cap(b, NULL, id) : NULL;
	if (!cap) {
		unmapped(t, at, "the profile has no more room");
		return;
	}
	if (fixed) {
		gw_set_text(b, cap, "send", msg);
	} else {
		gw_set_node(b, cap, "action", assign);
		gw_set_node(b, cap, "args", args);
	}
	const char *label = label_of(a);
	if (label && label[0] && gw_draft_is_extension(id)) {
		gw_set_text(b, cap, "name", label);
	}
	gw_import_fate(b->result, at, gw_draft_is_extension(id) ? GW_FATE_VENDOR : GW_FATE_STANDARD,
		       id, NULL);
}

/* --- events --- */

static void add_event(struct gw_td *t, const struct gw_node *e)
{
	const char *at = gw_draft_printf(t->b, "/events/%.100s", e->key.p), *why = NULL;
	const struct gw_node *data = gw_node_get(e, "data");
	struct gw_td_channel c;
	t->b->at = at;
	if (!gw_td_channel(t, e, "subscribeevent", &c, &why)) {
		unmapped(t, at, why ? why : "an event without a form to subscribe");
		return;
	}
	if (!data) {
		c.codec = "text"; /* whatever comes, it is the event */
	}
	struct gw_datum d = {.at = at, .name = e->key.p, .type = GW_DATUM_TEXT};
	if (data) {
		d = datum_of(t, data, at, e->key.p);
	}
	const char *id = gw_td_semantic(t, e);
	const struct gw_capability *cap =
		id ? gw_capability_find(gw_str_sub(gw_str(id), 0, strcspn(id, "="))) : NULL;
	d.cap = cap && cap->kind == GW_KIND_EVENT ? id : NULL;
	d.label = label_of(e);
	d.plain = is_text(&c);
	d.in_pointer = "";
	d.in = gw_td_message(t, &c, "", NULL);
	if (!d.in) {
		unmapped(t, at, "the profile has no more room");
		return;
	}
	(void)gw_datum_event(t->b, &d); /* its fate is told */
}

/* --- the thing --- */

/* One answer with everything instead of one for each property. */
static void find_all(struct gw_td *t)
{
	struct gw_td_channel c;
	const char *why = NULL;
	const struct gw_node *properties = gw_node_get(t->root, "properties");
	if (strcmp(t->adapter, "mqtt") != 0 && properties && properties->count > 1 &&
	    gw_td_channel(t, t->root, "readallproperties", &c, &why) &&
	    strcmp(c.codec, "json") == 0) {
		t->all = gw_td_message(t, &c, "", NULL);
	}
}

static void build(struct gw_td *t)
{
	struct gw_draft *b = t->b;
	gw_td_choose_host(t);
	gw_set_text(b, b->link, "adapter", t->adapter);
	b->hints |= gw_td_hints(t);
	b->bare = true; /* a thing without affordances is a thing */
	if (strcmp(t->adapter, "mqtt") == 0) {
		if (!gw_td_share_topics(t)) {
			t->host = "";
		}
	} else {
		b->identity = SIZE_MAX; /* the address of the route tells one thing from another */
	}
	find_all(t);
	gw_node_for(p, gw_node_get(t->root, "properties"))
	{
		add_property(t, p);
	}
	gw_node_for(a, gw_node_get(t->root, "actions"))
	{
		add_action(t, a);
	}
	gw_node_for(e, gw_node_get(t->root, "events"))
	{
		add_event(t, e);
	}
	b->at = "";
}

static void name_device(const struct gw_node *root, struct gw_imported *out)
{
	const char *id = gw_node_text(root, "id"), *title = gw_node_text(root, "title");
	char text[sizeof(out->identity) - 8];
	(void)gw_str_clean(gw_str(id ? id : title), sizeof(text) - 1, text,
			   sizeof(text)); /* length */
	(void)snprintf(out->identity, sizeof(out->identity), "td:%s", text);
	(void)gw_str_clean(gw_str(title), sizeof(out->name) - 1, out->name,
			   sizeof(out->name)); /* length unused */
}

static int import(const struct gw_node *root, const char *file, struct gw_import_result *ret_result,
		  struct gw_error *reterr_)
{
	int r = gw_td_check(root, reterr_);
	if (r < 0) {
		return r;
	}
	struct gw_draft b;
	struct gw_arena *a = gw_arena_new(ARENA_BYTES);
	struct gw_imported *out = a ? gw_import_add(ret_result) : NULL;
	r = out ? gw_draft_init(&b, a, "td", ret_result) : -ENOMEM;
	if (r == 0) {
		const char *base = gw_node_text(root, "base"), *title = gw_node_text(root, "title");
		struct gw_td t = {.b = &b, .root = root, .base = base ? base : ""};
		const struct gw_draft_head head = {.source = "td",
						   .kind = "thing_description",
						   .vendor = "",
						   .model = title ? title : file};
		name_device(root, out);
		build(&t);
		r = gw_draft_finish(&b, &head, out);
	}
	gw_arena_free(a);
	if (r == -E2BIG) {
		return gw_error_set(reterr_, -EBADMSG, "size", "its profile would be too large");
	}
	return r < 0 ? gw_error_set(reterr_, r, "memory", "out of memory") : 0;
}

const struct gw_file_importer gw_import_thing_description = {
	.name = "thing-description",
	.import = import,
};
