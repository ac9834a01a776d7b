/*
 * What a Thing Description must be before it is believed: the members, types and words that W3C "Thing Description 1.1" §5.3 demands, as
 * tables; what ties two places together (security names, uriVariables) as code. Members that are not known are passed over (§5.4).
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "profile/import/td.h"

struct check {
	const struct gw_node *root;
	struct gw_error *error;
	char at[sizeof(((struct gw_error *)0)->at)];
};

typedef int (*check_fn)(struct check *c, const struct gw_node *n);

/* --- places and refusals --- */

static size_t push(struct check *c, struct gw_str key)
{
	size_t mark = strlen(c->at), n = mark;
	if (n + 1 < sizeof(c->at)) {
		c->at[n++] = '/';
	}
	for (size_t i = 0; i < key.len && n + 2 < sizeof(c->at); i++) {
		char ch = key.p[i];
		if (ch == '~' || ch == '/') {
			c->at[n++] = '~';
			c->at[n++] = ch == '~' ? '0' : '1';
		} else {
			c->at[n++] = ch;
		}
	}
	c->at[n] = 0;
	return mark;
}

static size_t push_index(struct check *c, size_t i)
{
	char digits[24];
	(void)snprintf(digits, sizeof(digits), "%zu", i);
	return push(c, gw_str(digits));
}

static void pop(struct check *c, size_t mark)
{
	c->at[mark] = 0;
}

static int refuse(struct check *c, const struct gw_node *n, const char *fmt, ...) GW_PRINTF(3, 4);

static int refuse(struct check *c, const struct gw_node *n, const char *fmt, ...)
{
	char text[sizeof(c->error->text)];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)gw_error_set(c->error, -EBADMSG, "import", "%s", text);
	if (c->error) {
		(void)snprintf(c->error->at, sizeof(c->error->at), "%s", c->at);
		c->error->line = n ? n->line : 0;
		c->error->column = n ? n->column : 0;
	}
	return -EBADMSG;
}

/* --- tables of members --- */

enum kinds {
	TEXT = 1 << GW_NODE_TEXT,
	NUMBER = 1 << GW_NODE_NUMBER,
	BOOL = 1 << GW_NODE_BOOL,
	LIST = 1 << GW_NODE_LIST,
	MAP = 1 << GW_NODE_MAP,
	TEXTS = TEXT | LIST | 1 << 8, /* a text or a list of texts, not empty */
	ANY = -1,
};

struct member {
	const char *key;
	int kinds;
	bool required;
	check_fn check; /* NULL: the kind is enough */
};

static const char *kinds_text(int kinds)
{
	static const struct {
		int kinds;
		const char *text;
	} names[] = {{TEXT, "a text"},
		     {NUMBER, "a number"},
		     {BOOL, "true or false"},
		     {LIST, "a list"},
		     {MAP, "a map"},
		     {TEXTS, "a text or a list of texts"},
		     {TEXT | LIST, "a text or a list"},
		     {LIST | MAP, "a map or a list"},
		     {TEXTS | MAP, "a text, a map or a list"}};
	for (size_t i = 0; i < gw_countof(names); i++) {
		if (names[i].kinds == kinds) {
			return names[i].text;
		}
	}
	return "something else";
}

static int check_texts(struct check *c, const struct gw_node *n)
{
	size_t i = 0;
	if (n->type == GW_NODE_LIST && n->count == 0) {
		return refuse(c, n, "the list is empty; expected at least one");
	}
	gw_node_for(item, n)
	{
		size_t mark = push_index(c, i++);
		if (item->type != GW_NODE_TEXT) {
			return refuse(c, item, "expected a text");
		}
		pop(c, mark);
	}
	return 0;
}

static int check_members(struct check *c, const struct gw_node *map, const struct member *members)
{
	for (const struct member *m = members; m->key; m++) {
		const struct gw_node *n = gw_node_get(map, m->key);
		if (!n && m->required) {
			return refuse(c, map, "\"%s\" is missing, which is mandatory here", m->key);
		}
		if (!n) {
			continue;
		}
		size_t mark = push(c, gw_str(m->key));
		if (m->kinds != ANY && !(m->kinds & 1 << n->type)) {
			return refuse(c, n, "\"%s\" must be %s", m->key, kinds_text(m->kinds));
		}
		int r = m->kinds == TEXTS ? check_texts(c, n) : 0;
		r = r == 0 && m->check ? m->check(c, n) : r;
		if (r < 0) {
			return r;
		}
		pop(c, mark);
	}
	return 0;
}

/* Each member of a map, or item of a list, which must be a map. */
static int check_each(struct check *c, const struct gw_node *group, check_fn each)
{
	size_t i = 0;
	gw_node_for(n, group)
	{
		size_t mark = group->type == GW_NODE_MAP ? push(c, n->key) : push_index(c, i++);
		int r = n->type == GW_NODE_MAP ? each(c, n) : refuse(c, n, "expected a map");
		if (r < 0) {
			return r;
		}
		pop(c, mark);
	}
	return 0;
}

static bool is_one_of(struct gw_str s, const char *const *words)
{
	for (; *words; words++) {
		if (gw_str_is(s, *words)) {
			return true;
		}
	}
	return false;
}

/* Each text of n is one of words. */
static int check_words(struct check *c, const struct gw_node *n, const char *what,
		       const char *const *words)
{
	const struct gw_node *first = n->type == GW_NODE_LIST ? n->first : n;
	for (const struct gw_node *i = first; i; i = i == n ? NULL : i->next) {
		if (i->type != GW_NODE_TEXT || !is_one_of(i->text, words)) {
			struct gw_str found = i->type == GW_NODE_TEXT ? i->text : GW_STR("?");
			return refuse(c, i, "\"%.60s\" is no %s (first: \"%s\")", found.p, what,
				      words[0]);
		}
	}
	return 0;
}

const char *gw_td_first_text(const struct gw_node *n)
{
	const struct gw_node *first = n && n->type == GW_NODE_LIST ? n->first : n;
	return first && first->type == GW_NODE_TEXT ? first->text.p : NULL;
}

bool gw_td_has_text(const struct gw_node *n, const char *word)
{
	if (n && n->type == GW_NODE_TEXT) {
		return gw_str_is(n->text, word);
	}
	gw_node_for(i, n)
	{
		if (i->type == GW_NODE_TEXT && gw_str_is(i->text, word)) {
			return true;
		}
	}
	return false;
}

/* --- small forms --- */

/* RFC 3986 §3.1: "scheme:" and more. */
static int check_uri(struct check *c, const struct gw_node *n)
{
	size_t i = 0;
	while (i < n->text.len &&
	       (isalnum((unsigned char)n->text.p[i]) || strchr("+-.", n->text.p[i]))) {
		i++;
	}
	bool ok = i > 0 && isalpha((unsigned char)n->text.p[0]) && i + 1 < n->text.len &&
		  n->text.p[i] == ':';
	return ok ? 0 : refuse(c, n, "\"%.60s\" is no URI with a scheme", n->text.p);
}

static int check_title(struct check *c, const struct gw_node *n)
{
	return n->text.len ? 0 : refuse(c, n, "the text is empty");
}

static int check_languages(struct check *c, const struct gw_node *n)
{
	gw_node_for(text, n)
	{
		size_t mark = push(c, text->key);
		if (text->type != GW_NODE_TEXT) {
			return refuse(c, text, "expected a text for each language");
		}
		pop(c, mark);
	}
	return 0;
}

/* xsd:dateTime, as far as it tells a date from anything else */
static int check_time(struct check *c, const struct gw_node *n)
{
	static const char pattern[] = "0000-00-00T00:00";
	bool ok = n->text.len >= sizeof(pattern) - 1;
	for (size_t i = 0; ok && i < sizeof(pattern) - 1; i++) {
		unsigned char ch = (unsigned char)n->text.p[i];
		ok = pattern[i] == '0' ? isdigit(ch) : ch == (unsigned char)pattern[i];
	}
	return ok ? 0
		  : refuse(c, n, "\"%.40s\" is no date and time (2020-01-31T12:00:00Z)", n->text.p);
}

static int check_version(struct check *c, const struct gw_node *n)
{
	static const struct member members[] = {
		{"instance", TEXT, true, NULL}, {"model", TEXT, false, NULL}, {NULL}};
	return check_members(c, n, members);
}

/* §5.3.1.1: the URI of TD 1.1, or of 1.0, comes first; behind it other vocabularies. */
static int check_context(struct check *c, const struct gw_node *n)
{
	static const char *const uris[] = {"https://www.w3.org/2022/wot/td/v1.1",
					   "https://www.w3.org/2019/wot/td/v1", NULL};
	const struct gw_node *first = n->type == GW_NODE_LIST ? n->first : n;
	if (!first || first->type != GW_NODE_TEXT || !is_one_of(first->text, uris)) {
		return refuse(c, n, "not the context of a Thing Description; expected \"%s\"",
			      uris[0]);
	}
	gw_node_for(item, n)
	{
		if (item->type == GW_NODE_MAP) {
			gw_node_for(prefix, item)
			{
				if (prefix->type != GW_NODE_TEXT && prefix->type != GW_NODE_MAP) {
					return refuse(c, prefix, "a prefix stands for a text");
				}
			}
		} else if (item->type != GW_NODE_TEXT) {
			return refuse(c, item, "expected a URI or a map of prefixes");
		}
	}
	return 0;
}

static int check_link(struct check *c, const struct gw_node *n)
{
	static const struct member members[] = {{"href", TEXT, true, NULL},
						{"type", TEXT, false, NULL},
						{"rel", TEXT, false, NULL},
						{"anchor", TEXT, false, NULL},
						{"sizes", TEXT, false, NULL},
						{"hreflang", TEXTS, false, NULL},
						{NULL}};
	return check_members(c, n, members);
}

static int check_links(struct check *c, const struct gw_node *n)
{
	return check_each(c, n, check_link);
}

/* --- data schemas --- */

static int check_schema(struct check *c, const struct gw_node *n);

static int check_schemas(struct check *c, const struct gw_node *n)
{
	return check_each(c, n, check_schema);
}

static int check_schema_or_schemas(struct check *c, const struct gw_node *n)
{
	return n->type == GW_NODE_LIST ? check_each(c, n, check_schema) : check_schema(c, n);
}

static int check_type(struct check *c, const struct gw_node *n)
{
	static const char *const types[] = {"object",  "array",	  "string", "number",
					    "integer", "boolean", "null",   NULL};
	return check_words(c, n, "type of a data schema", types);
}

static int check_enum(struct check *c, const struct gw_node *n)
{
	if (n->count == 0) {
		return refuse(c, n, "the enum is empty; expected at least one value");
	}
	if (n->count > GW_IMPORT_NOTES) {
		return 0; /* too many to compare each with each; it becomes a text */
	}
	gw_node_for(a, n)
	{
		for (const struct gw_node *b = a->next; b; b = b->next) {
			if (gw_node_equal(a, b)) {
				return refuse(c, b, "the enum has a value twice");
			}
		}
	}
	return 0;
}

static int check_count(struct check *c, const struct gw_node *n)
{
	return n->number >= 0 && n->number == (double)(uint32_t)n->number
		       ? 0
		       : refuse(c, n, "expected a whole number from 0 up");
}

static int check_positive(struct check *c, const struct gw_node *n)
{
	return n->number > 0 ? 0 : refuse(c, n, "expected a number above 0");
}

#define LABELS                                                                                     \
	{"title", TEXT, false, NULL}, {"titles", MAP, false, check_languages},                     \
		{"description", TEXT, false, NULL}, {"descriptions", MAP, false, check_languages}, \
	{                                                                                          \
		"@type", TEXTS, false, NULL                                                        \
	}

static int check_schema(struct check *c, const struct gw_node *n)
{
	static const struct member members[] = {
		LABELS,
		{"type", TEXT, false, check_type},
		{"unit", TEXT, false, NULL},
		{"oneOf", LIST, false, check_schemas},
		{"enum", LIST, false, check_enum},
		{"readOnly", BOOL, false, NULL},
		{"writeOnly", BOOL, false, NULL},
		{"format", TEXT, false, NULL},
		{"items", MAP | LIST, false, check_schema_or_schemas},
		{"minItems", NUMBER, false, check_count},
		{"maxItems", NUMBER, false, check_count},
		{"minimum", NUMBER, false, NULL},
		{"maximum", NUMBER, false, NULL},
		{"exclusiveMinimum", NUMBER, false, NULL},
		{"exclusiveMaximum", NUMBER, false, NULL},
		{"multipleOf", NUMBER, false, check_positive},
		{"properties", MAP, false, check_schemas},
		{"required", LIST, false, check_texts},
		{"minLength", NUMBER, false, check_count},
		{"maxLength", NUMBER, false, check_count},
		{"pattern", TEXT, false, NULL},
		{"contentEncoding", TEXT, false, NULL},
		{"contentMediaType", TEXT, false, NULL},
		{NULL}};
	return check_members(c, n, members);
}

/* §5.3.1.6: a variable is serialized to a string, so it is neither object nor array. */
static int check_variable(struct check *c, const struct gw_node *n)
{
	const char *type = gw_node_text(n, "type");
	if (type && (strcmp(type, "object") == 0 || strcmp(type, "array") == 0)) {
		return refuse(c, n, "a URI variable cannot be of type %s", type);
	}
	return check_schema(c, n);
}

static int check_variables(struct check *c, const struct gw_node *n)
{
	return check_each(c, n, check_variable);
}

/* --- security --- */

/* A name, or names, of securityDefinitions. */
static int check_security_names(struct check *c, const struct gw_node *n)
{
	const struct gw_node *definitions = gw_node_get(c->root, "securityDefinitions");
	const struct gw_node *first = n->type == GW_NODE_LIST ? n->first : n;
	for (const struct gw_node *i = first; i; i = i == n ? NULL : i->next) {
		if (!gw_node_get_str(definitions, i->text)) {
			return refuse(c, i, "securityDefinitions has no \"%.60s\"", i->text.p);
		}
	}
	return 0;
}

static int check_in(struct check *c, const struct gw_node *n)
{
	static const char *const places[] = {"header", "query", "body", "cookie",
					     "uri",    "auto",	NULL};
	return check_words(c, n, "place of a credential", places);
}

static int check_qop(struct check *c, const struct gw_node *n)
{
	static const char *const words[] = {"auth", "auth-int", NULL};
	return check_words(c, n, "quality of protection", words);
}

/* §5.3.3: the words of the specification; what an extension defines has its prefix. */
static int check_scheme(struct check *c, const struct gw_node *n)
{
	static const char *const schemes[] = {"nosec",	"auto",	  "combo", "basic",  "digest",
					      "apikey", "bearer", "psk",   "oauth2", NULL};
	return memchr(n->text.p, ':', n->text.len) ? 0
						   : check_words(c, n, "security scheme", schemes);
}

static int check_combo(struct check *c, const struct gw_node *n)
{
	static const struct member members[] = {{"oneOf", TEXTS, false, check_security_names},
						{"allOf", TEXTS, false, check_security_names},
						{NULL}};
	const struct gw_node *one = gw_node_get(n, "oneOf"), *all = gw_node_get(n, "allOf");
	if (!one == !all) {
		return refuse(c, n, "a combo has either oneOf or allOf");
	}
	if ((one ? one : all)->type == GW_NODE_LIST && (one ? one : all)->count < 2) {
		return refuse(c, n, "a combo combines at least two schemes");
	}
	return check_members(c, n, members);
}

/* §5.3.3.10: which endpoints a flow needs. */
static int check_oauth2(struct check *c, const struct gw_node *n)
{
	static const struct {
		const char *flow;
		bool authorization, token;
	} flows[] = {{"code", true, true}, {"client", false, true}, {"device", true, true}};
	const char *flow = gw_node_text(n, "flow");
	bool authorization = gw_node_get(n, "authorization"), token = gw_node_get(n, "token");
	if (!flow) {
		return refuse(c, n, "\"flow\" is missing, which is mandatory for oauth2");
	}
	for (size_t i = 0; i < gw_countof(flows); i++) {
		if (strcmp(flow, flows[i].flow) != 0) {
			continue;
		}
		if ((flows[i].authorization && !authorization) || (flows[i].token && !token)) {
			return refuse(c, n, "the flow %s needs \"%s\"", flow,
				      token ? "authorization" : "token");
		}
		if (!flows[i].authorization && authorization) {
			return refuse(c, n, "the flow %s has no \"authorization\"", flow);
		}
	}
	return 0; /* other flows are an extension's */
}

static bool declares(const struct gw_node *holder, const char *name)
{
	const struct gw_node *variables = gw_node_get(holder, "uriVariables");
	return variables && gw_node_get(variables, name);
}

/* §5.3.3.7: a key in the address is a variable with a name of its own. */
static int check_apikey(struct check *c, const struct gw_node *n)
{
	static const char *const groups[] = {"properties", "actions", "events"};
	const char *in = gw_node_text(n, "in"), *name = gw_node_text(n, "name");
	if (!in || strcmp(in, "uri") != 0) {
		return 0;
	}
	if (!name) {
		return refuse(c, n, "\"name\" is missing, which a key in the address needs");
	}
	bool twice = declares(c->root, name);
	for (size_t i = 0; i < gw_countof(groups); i++) {
		gw_node_for(affordance, gw_node_get(c->root, groups[i]))
		{
			twice |= declares(affordance, name);
		}
	}
	return twice ? refuse(c, n, "the key \"%.60s\" is a URI variable too", name) : 0;
}

static int check_definition(struct check *c, const struct gw_node *n)
{
	static const struct member members[] = {{"@type", TEXTS, false, NULL},
						{"description", TEXT, false, NULL},
						{"descriptions", MAP, false, check_languages},
						{"proxy", TEXT, false, check_uri},
						{"scheme", TEXT, true, check_scheme},
						{"in", TEXT, false, check_in},
						{"name", TEXT, false, NULL},
						{"qop", TEXT, false, check_qop},
						{"authorization", TEXT, false, check_uri},
						{"token", TEXT, false, check_uri},
						{"refresh", TEXT, false, check_uri},
						{"scopes", TEXTS, false, NULL},
						{"flow", TEXT, false, NULL},
						{"alg", TEXT, false, NULL},
						{"format", TEXT, false, NULL},
						{"identity", TEXT, false, NULL},
						{NULL}};
	static const struct {
		const char *scheme;
		check_fn check;
	} own[] = {{"combo", check_combo}, {"oauth2", check_oauth2}, {"apikey", check_apikey}};
	int r = check_members(c, n, members);
	const char *scheme = r < 0 ? NULL : gw_node_text(n, "scheme");
	for (size_t i = 0; scheme && r == 0 && i < gw_countof(own); i++) {
		r = strcmp(scheme, own[i].scheme) == 0 ? own[i].check(c, n) : 0;
	}
	return r;
}

static int check_definitions(struct check *c, const struct gw_node *n)
{
	return n->count ? check_each(c, n, check_definition)
			: refuse(c, n, "no security is defined; nosec is a scheme, too");
}

/* --- forms and affordances --- */

static int check_response(struct check *c, const struct gw_node *n)
{
	static const struct member members[] = {
		{"contentType", TEXT, true, NULL}, {"contentCoding", TEXT, false, NULL}, {NULL}};
	return check_members(c, n, members);
}

static int check_additional_one(struct check *c, const struct gw_node *n)
{
	static const struct member members[] = {{"success", BOOL, false, NULL},
						{"contentType", TEXT, false, NULL},
						{"schema", TEXT, false, NULL},
						{NULL}};
	return check_members(c, n, members);
}

static int check_additional(struct check *c, const struct gw_node *n)
{
	return n->type == GW_NODE_LIST ? check_each(c, n, check_additional_one)
				       : check_additional_one(c, n);
}

static int check_form(struct check *c, const struct gw_node *n, const char *const *ops)
{
	static const struct member members[] = {
		{"href", TEXT, true, check_title},
		{"op", TEXTS, false, NULL},
		{"contentType", TEXT, false, NULL},
		{"contentCoding", TEXT, false, NULL},
		{"subprotocol", TEXT, false, NULL},
		{"security", TEXTS, false, check_security_names},
		{"scopes", TEXTS, false, NULL},
		{"response", MAP, false, check_response},
		{"additionalResponses", MAP | LIST, false, check_additional},
		{"htv:methodName", TEXT, false, NULL},
		{NULL}};
	const struct gw_node *op = gw_node_get(n, "op");
	int r = check_members(c, n, members);
	if (r < 0 || !op) {
		return r;
	}
	size_t mark = push(c, GW_STR("op"));
	r = check_words(c, op, "operation here", ops);
	if (r == 0) {
		pop(c, mark);
	}
	return r;
}

static int check_forms(struct check *c, const struct gw_node *forms, const char *const *ops)
{
	size_t i = 0;
	if (forms->count == 0) {
		return refuse(c, forms, "no form; expected at least one");
	}
	gw_node_for(form, forms)
	{
		size_t mark = push_index(c, i++);
		int r = form->type == GW_NODE_MAP ? check_form(c, form, ops)
						  : refuse(c, form, "expected a map");
		if (r < 0) {
			return r;
		}
		pop(c, mark);
	}
	return 0;
}

static int check_property_forms(struct check *c, const struct gw_node *n)
{
	static const char *const ops[] = {"readproperty", "writeproperty", "observeproperty",
					  "unobserveproperty", NULL};
	return check_forms(c, n, ops);
}

static int check_action_forms(struct check *c, const struct gw_node *n)
{
	static const char *const ops[] = {"invokeaction", "queryaction", "cancelaction", NULL};
	return check_forms(c, n, ops);
}

static int check_event_forms(struct check *c, const struct gw_node *n)
{
	static const char *const ops[] = {"subscribeevent", "unsubscribeevent", NULL};
	return check_forms(c, n, ops);
}

/* §5.3.4.2: a form of the thing says what it is for. */
static int check_thing_forms(struct check *c, const struct gw_node *n)
{
	static const char *const ops[] = {"readallproperties",	    "writeallproperties",
					  "readmultipleproperties", "writemultipleproperties",
					  "observeallproperties",   "unobserveallproperties",
					  "queryallactions",	    "subscribeallevents",
					  "unsubscribeallevents",   NULL};
	size_t i = 0;
	gw_node_for(form, n)
	{
		size_t mark = push_index(c, i++);
		if (form->type == GW_NODE_MAP && !gw_node_get(form, "op")) {
			return refuse(c, form, "\"op\" is missing, which is mandatory here");
		}
		pop(c, mark);
	}
	return check_forms(c, n, ops);
}

static int check_property(struct check *c, const struct gw_node *n)
{
	static const struct member members[] = {{"forms", LIST, true, check_property_forms},
						{"observable", BOOL, false, NULL},
						{"uriVariables", MAP, false, check_variables},
						{NULL}};
	int r = check_members(c, n, members);
	return r < 0 ? r : check_schema(c, n);
}

static int check_action(struct check *c, const struct gw_node *n)
{
	static const struct member members[] = {LABELS,
						{"forms", LIST, true, check_action_forms},
						{"input", MAP, false, check_schema},
						{"output", MAP, false, check_schema},
						{"safe", BOOL, false, NULL},
						{"idempotent", BOOL, false, NULL},
						{"synchronous", BOOL, false, NULL},
						{"uriVariables", MAP, false, check_variables},
						{NULL}};
	return check_members(c, n, members);
}

static int check_event(struct check *c, const struct gw_node *n)
{
	static const struct member members[] = {LABELS,
						{"forms", LIST, true, check_event_forms},
						{"subscription", MAP, false, check_schema},
						{"data", MAP, false, check_schema},
						{"dataResponse", MAP, false, check_schema},
						{"cancellation", MAP, false, check_schema},
						{"uriVariables", MAP, false, check_variables},
						{NULL}};
	return check_members(c, n, members);
}

static int check_properties(struct check *c, const struct gw_node *n)
{
	return check_each(c, n, check_property);
}

static int check_actions(struct check *c, const struct gw_node *n)
{
	return check_each(c, n, check_action);
}

static int check_events(struct check *c, const struct gw_node *n)
{
	return check_each(c, n, check_event);
}

/* --- the thing --- */

int gw_td_check(const struct gw_node *root, struct gw_error *reterr_)
{
	static const struct member members[] = {
		{"@context", TEXT | LIST, true, check_context},
		{"title", TEXT, true, check_title},
		{"id", TEXT, false, check_uri},
		{"titles", MAP, false, check_languages},
		{"description", TEXT, false, NULL},
		{"descriptions", MAP, false, check_languages},
		{"@type", TEXTS, false, NULL},
		{"version", MAP, false, check_version},
		{"created", TEXT, false, check_time},
		{"modified", TEXT, false, check_time},
		{"support", TEXT, false, check_uri},
		{"base", TEXT, false, check_uri},
		{"profile", TEXTS, false, NULL},
		{"securityDefinitions", MAP, true, check_definitions},
		{"security", TEXTS, true, check_security_names},
		{"schemaDefinitions", MAP, false, check_schemas},
		{"uriVariables", MAP, false, check_variables},
		{"links", LIST, false, check_links},
		{"forms", LIST, false, check_thing_forms},
		{"properties", MAP, false, check_properties},
		{"actions", MAP, false, check_actions},
		{"events", MAP, false, check_events},
		{NULL}};
	struct check c = {.root = root, .error = reterr_};
	if (root->type != GW_NODE_MAP) {
		return refuse(&c, root, "a Thing Description is a map");
	}
	if (gw_td_has_text(gw_node_get(root, "@type"), "tm:ThingModel")) {
		return refuse(&c, root, "a Thing Model describes many things; expected one thing");
	}
	return check_members(&c, root, members);
}
