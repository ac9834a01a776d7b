/* The JSON Schema (draft-07) for editors, from the tables that also check: yaml-language-server and others read it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gw/json.h"
#include "gw/model.h"
#include "gw/profile.h"
#include "profile/schema.h"

#define MAX_SHAPES 256

/* Shapes become definitions; they are written in the order in which they are met. */
struct writer {
	struct gw_buf *b;
	const struct gw_shape *shapes[MAX_SHAPES];
	size_t n;
};

static void text(struct writer *w, const char *s)
{
	gw_json_write_text(w->b, gw_str(s));
}

static void key(struct writer *w, const char *name)
{
	gw_buf_putc(w->b, ',');
	text(w, name);
	gw_buf_putc(w->b, ':');
}

static void reference(struct writer *w, const struct gw_shape *s)
{
	size_t i = 0;
	while (i < w->n && w->shapes[i] != s) {
		i++;
	}
	if (i == w->n && w->n < MAX_SHAPES) {
		w->shapes[w->n++] = s;
	}
	gw_buf_printf(w->b, "{\"$ref\":\"#/definitions/%zu\"}", i);
}

static void kinds(struct writer *w, const struct gw_shape *s)
{
	static const char *const names[] = {
		[GW_NODE_NULL] = "null",   [GW_NODE_BOOL] = "boolean", [GW_NODE_NUMBER] = "number",
		[GW_NODE_TEXT] = "string", [GW_NODE_LIST] = "array",   [GW_NODE_MAP] = "object"};
	const char *lead = "[";
	key(w, "type");
	for (size_t i = 0; i < gw_countof(names); i++) {
		if (s->kinds & (1u << i)) {
			gw_buf_puts(w->b, lead);
			text(w, s->whole && i == GW_NODE_NUMBER ? "integer" : names[i]);
			lead = ",";
		}
	}
	gw_buf_putc(w->b, ']');
}

static void scalars(struct writer *w, const struct gw_shape *s)
{
	if (s->min < s->max) {
		gw_buf_printf(w->b, ",\"minimum\":%.15g,\"maximum\":%.15g", s->min, s->max);
	}
	if (s->format && s->format->pattern) {
		key(w, "pattern");
		text(w, s->format->pattern);
	}
	if (!s->words) {
		return;
	}
	/* Words bind texts only: a number or boolean beside them stays free. */
	bool alone = s->kinds == GW_SHAPE_TEXT;
	gw_buf_puts(w->b, alone ? ",\"enum\":[" : ",\"anyOf\":[{\"enum\":[");
	for (size_t i = 0; s->words[i]; i++) {
		gw_buf_puts(w->b, i ? "," : "");
		text(w, s->words[i]);
	}
	gw_buf_puts(w->b, alone ? "]" : "]},{\"not\":{\"type\":\"string\"}}]");
}

static void bounds(struct writer *w, const struct gw_shape *s, const char *min, const char *max)
{
	if (s->min_count) {
		key(w, min);
		gw_buf_printf(w->b, "%u", s->min_count);
	}
	if (s->max_count) {
		key(w, max);
		gw_buf_printf(w->b, "%u", s->max_count);
	}
}

/* --- maps --- */

/* Names of the model that an editor offers; other names are allowed. */
static void capabilities(struct writer *w, const struct gw_shape *member)
{
	const struct gw_capability *c;
	key(w, "properties");
	gw_buf_putc(w->b, '{');
	for (size_t i = 0; (c = gw_capability_at(i)); i++) {
		gw_buf_puts(w->b, i ? "," : "");
		text(w, c->id);
		gw_buf_puts(w->b, ":{\"description\":");
		text(w, c->label_en);
		gw_buf_puts(w->b, ",\"allOf\":[");
		reference(w, member);
		gw_buf_puts(w->b, "]}");
	}
	gw_buf_putc(w->b, '}');
}

static void device_types(struct writer *w)
{
	const struct gw_device_type *t;
	key(w, "examples");
	gw_buf_putc(w->b, '[');
	for (size_t i = 0; (t = gw_device_type_at(i)); i++) {
		gw_buf_puts(w->b, i ? "," : "");
		text(w, t->id);
	}
	gw_buf_putc(w->b, ']');
}

static void properties(struct writer *w, const struct gw_shape *s)
{
	key(w, "properties");
	gw_buf_putc(w->b, '{');
	for (size_t i = 0; s->keys[i].name; i++) {
		const struct gw_schema_key *k = &s->keys[i];
		gw_buf_puts(w->b, i ? "," : "");
		text(w, k->name);
		gw_buf_puts(w->b, ":{\"description\":");
		text(w, k->help);
		if (k->known == GW_KNOWN_TYPES) {
			device_types(w);
		}
		gw_buf_puts(w->b, ",\"allOf\":[");
		reference(w, k->shape);
		gw_buf_puts(w->b, "]}");
	}
	gw_buf_putc(w->b, '}');
}

static void required(struct writer *w, const struct gw_shape *s)
{
	const char *lead = ",\"required\":[";
	for (size_t i = 0; s->keys && s->keys[i].name; i++) {
		/* What a fragment or an imported profile may lack is left to the checker. */
		if ((s->keys[i].flags & GW_KEY_REQUIRED) &&
		    !(s->keys[i].flags & (GW_KEY_FRAGMENT | GW_KEY_IMPORTED))) {
			gw_buf_puts(w->b, lead);
			text(w, s->keys[i].name);
			lead = ",";
		}
	}
	gw_buf_puts(w->b, lead[0] == ',' && lead[1] == '\0' ? "]" : "");
}

/* [{"required":[word]},…] */
static void any_of(struct writer *w, const char *words)
{
	struct gw_str rest = gw_str(words), word;
	const char *lead = "\"anyOf\":[";
	while (gw_str_split(&rest, ' ', &word)) {
		gw_buf_printf(w->b, "%s{\"required\":[\"" GW_STR_FMT "\"]}", lead,
			      GW_STR_ARG(word));
		lead = ",";
	}
	gw_buf_putc(w->b, ']');
}

/* The body's codec is one of words; json is meant where none is named. */
static void codec(struct writer *w, const char *words)
{
	struct gw_str rest = gw_str(words), word;
	const char *lead = "\"properties\":{\"codec\":{\"enum\":[";
	bool json = false;
	while (gw_str_split(&rest, ' ', &word)) {
		gw_buf_printf(w->b, "%s\"" GW_STR_FMT "\"", lead, GW_STR_ARG(word));
		json = json || gw_str_is(word, "json");
		lead = ",";
	}
	gw_buf_puts(w->b, json ? "]}}" : "]}},\"required\":[\"codec\"]");
}

static void rules(struct writer *w, const struct gw_shape *s)
{
	const char *lead = ",\"allOf\":[";
	for (const struct gw_schema_rule *r = s->rules; r && r->kind != GW_RULE_END; r++) {
		gw_buf_puts(w->b, lead);
		lead = ",";
		gw_buf_putc(w->b, '{');
		if (r->key) {
			gw_buf_puts(w->b, "\"dependencies\":{");
			text(w, r->key);
			gw_buf_puts(w->b, ":{");
		}
		switch (r->kind) {
		case GW_RULE_END: break;
		case GW_RULE_ANY_OF:
		case GW_RULE_WITH: any_of(w, r->words); break;
		case GW_RULE_WITHOUT:
			gw_buf_puts(w->b, "\"not\":{");
			any_of(w, r->words);
			gw_buf_putc(w->b, '}');
			break;
		case GW_RULE_CODEC: codec(w, r->words); break;
		}
		gw_buf_puts(w->b, r->key ? "}}}" : "}");
	}
	gw_buf_puts(w->b, lead[1] == '\0' ? "]" : "");
}

static void map(struct writer *w, const struct gw_shape *s)
{
	bounds(w, s, "minProperties", "maxProperties");
	if (s->keys) {
		properties(w, s);
		required(w, s);
	} else if (s->known == GW_KNOWN_CAPS) {
		capabilities(w, s->member);
	}
	if (!s->keys && s->key && s->key->pattern) {
		key(w, "propertyNames");
		gw_buf_puts(w->b, "{\"pattern\":");
		text(w, s->key->pattern);
		gw_buf_putc(w->b, '}');
	}
	if (s->member) {
		key(w, "additionalProperties");
		reference(w, s->member);
	} else if (s->keys) {
		gw_buf_puts(w->b, ",\"additionalProperties\":false");
	}
	rules(w, s);
}

static void shape(struct writer *w, const struct gw_shape *s)
{
	gw_buf_puts(w->b, "\"description\":");
	text(w, s->what);
	kinds(w, s);
	scalars(w, s);
	if (s->kinds & GW_SHAPE_LIST) {
		bounds(w, s, "minItems", "maxItems");
		if (s->item) {
			key(w, "items");
			reference(w, s->item);
		}
	}
	if (s->kinds & GW_SHAPE_MAP) {
		map(w, s);
	}
}

void gw_profile_write_schema(struct gw_buf *b)
{
	struct writer w = {.b = b};
	gw_buf_puts(b, "{\"$schema\":\"http://json-schema.org/draft-07/schema#\","
		       "\"title\":\"Hearth profile\",");
	shape(&w, &gw_schema_top);
	gw_buf_puts(b, ",\"definitions\":{");
	for (size_t i = 0; i < w.n; i++) { /* grows while it is written */
		gw_buf_printf(b, "%s\"%zu\":{", i ? "," : "", i);
		shape(&w, w.shapes[i]);
		gw_buf_putc(b, '}');
	}
	gw_buf_puts(b, "}}\n");
}
