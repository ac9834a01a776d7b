/*
 * A Homie device → profile. A property is a topic with a plain text; what is not retained is an event, or a command when it can be set. Nodes
 * that have a property in common (two relays) are components, the others share main.
 */
#include "profile/import/homie.h"

#include <errno.h>
#include <math.h>

static const char *text_of(const struct gw_node *map, const char *key)
{
	const char *text = map ? gw_node_text(map, key) : NULL;
	return text ? text : "";
}

static bool flag_of(const struct gw_node *map, const char *key, bool fallback)
{
	const struct gw_node *n = gw_node_get(map, key);
	return n && n->type == GW_NODE_BOOL ? n->flag : fallback;
}

/* --- formats --- */

/* Homie 5: [min]:[max][:step]; 4: min:max. False: malformed. */
static bool parse_range(const char *format, struct gw_datum *d)
{
	double *const parts[] = {&d->min, &d->max, &d->step};
	struct gw_str rest = gw_str(format), piece;
	size_t i = 0;
	for (; gw_str_split(&rest, ':', &piece); i++) {
		if (i == gw_countof(parts) ||
		    (piece.len > 0 && gw_parse_double(piece, parts[i]) < 0)) {
			return false;
		}
	}
	return i != 1 && (isnan(d->min) || isnan(d->max) || d->min <= d->max) && d->step >= 0;
}

static const struct gw_node *parse_words(struct gw_draft *b, const char *format)
{
	struct gw_node *list = gw_node_new(b->a, GW_NODE_LIST);
	struct gw_str rest = gw_str(format), word;
	while (gw_str_split(&rest, ',', &word)) {
		if (word.len > 0) {
			gw_add_text(b, list, word);
		}
	}
	return list;
}

static const struct {
	const char *word;
	enum gw_datum_type type;
} datatypes[] = {
	{"integer", GW_DATUM_INTEGER}, {"float", GW_DATUM_NUMBER},  {"percent", GW_DATUM_NUMBER},
	{"boolean", GW_DATUM_BOOL},    {"string", GW_DATUM_TEXT},   {"enum", GW_DATUM_WORDS},
	{"color", GW_DATUM_TEXT},      {"datetime", GW_DATUM_TEXT}, {"duration", GW_DATUM_TEXT},
	{"json", GW_DATUM_MAP},
};

/* The format is a JSON Schema: does it say that the value is a list? */
static bool is_list(struct gw_draft *b, const char *format)
{
	static const struct gw_node_limits limits = {.max_bytes = GW_BODY_TEXT_BYTES,
						     .max_depth = GW_BODY_DEPTH,
						     .max_nodes = GW_BODY_NODES};
	struct gw_node *schema = NULL;
	return gw_node_parse_json(b->a, gw_str(format), &limits, &schema, /* reterr_= */ NULL) ==
		       0 &&
	       gw_node_is_text(gw_node_get(schema, "type"), "array");
}

/* What the property says of its value. NULL, or the construct that makes it illegal (§A2: a property with an illegal field is passed over). */
static const char *read_datatype(struct gw_homie *h, const struct gw_node *p, struct gw_datum *d)
{
	const char *datatype = text_of(p, "datatype"), *format = text_of(p, "format");
	size_t i = 0;
	datatype = datatype[0] ? datatype : "string"; /* Homie 3 */
	while (i < gw_countof(datatypes) && strcmp(datatypes[i].word, datatype) != 0) {
		i++;
	}
	if (i == gw_countof(datatypes)) {
		return gw_draft_printf(h->b, "datatype %.40s", datatype);
	}
	d->type = datatypes[i].type;
	d->unit = gw_str(text_of(p, "unit"));
	bool number = d->type == GW_DATUM_INTEGER || d->type == GW_DATUM_NUMBER;
	if (number && format[0] && !parse_range(format, d)) {
		return "a format that is no range";
	}
	if (strcmp(datatype, "percent") == 0 && d->unit.len == 0) {
		d->unit = GW_STR("%");
	}
	if (gw_str_is(d->unit, "#")) { /* a count */
		d->unit = GW_STR("");
	}
	if (d->type == GW_DATUM_WORDS) {
		d->words = parse_words(h->b, format);
		if (!d->words || d->words->count == 0) {
			return "an enum without values";
		}
	}
	if (d->type == GW_DATUM_MAP && is_list(h->b, format)) {
		d->type = GW_DATUM_LIST;
	}
	return NULL;
}

/* --- properties --- */

struct place {
	const struct gw_node *node, *property;
	const char *part; /* component of the node; NULL: main */
	const char *at;
};

/* "temperature/degrees": the node tells what the value is. */
static bool is_generic(const char *id)
{
	static const char *const words[] = {"value",   "degrees",      "reading", "measurement",
					    "percent", "measurements", "data"};
	for (size_t i = 0; i < gw_countof(words); i++) {
		if (strcmp(words[i], id) == 0) {
			return true;
		}
	}
	return false;
}

static const char *topic_of(struct gw_homie *h, const struct place *p, const char *more)
{
	return gw_draft_printf(h->b, "%s/%s/%s%s", h->prefix, p->node->key.p, p->property->key.p,
			       more);
}

/* One word that can be set, and nothing that is kept: pressing it is an action. */
static bool add_action(struct gw_homie *h, const struct place *p, const struct gw_datum *d,
		       const char *codec)
{
	struct gw_draft *b = h->b;
	const char *word = gw_datum_word(b, d->name);
	const char *known = p->part ? NULL : gw_datum_action(b, word);
	const char *id = known ? known : gw_draft_extension(b, p->part, word);
	const char *msg =
		gw_draft_fixed(b, gw_str(topic_of(h, p, "/set")), codec, d->words->first, 0);
	struct gw_node *cap = msg ? gw_draft_cap(b, p->part, id) : NULL;
	if (!cap) {
		return false;
	}
	gw_set_text(b, cap, "send", msg);
	if (!known && d->label && d->label[0]) {
		gw_set_text(b, cap, "name", d->label);
	}
	gw_import_fate(b->result, d->at, known ? GW_FATE_STANDARD : GW_FATE_VENDOR,
		       gw_draft_printf(b, "%s%s%s", p->part ? p->part : "", p->part ? "/" : "", id),
		       NULL);
	return true;
}

static void unmapped(struct gw_homie *h, const char *at, const char *why)
{
	gw_import_fate(h->b->result, at, GW_FATE_UNMAPPED, NULL, why);
}

static void add_property(struct gw_homie *h, const struct place *p)
{
	struct gw_draft *b = h->b;
	const struct gw_node *property = p->property;
	bool settable = flag_of(property, "settable", false);
	bool retained = flag_of(property, "retained", true);
	const char *name = text_of(property, "name");
	struct gw_datum d = {.at = p->at,
			     .name = is_generic(property->key.p) ? p->node->key.p : property->key.p,
			     .label = name[0] ? name : NULL,
			     .part = p->part,
			     .place = p->node->key.p,
			     .min = NAN,
			     .max = NAN,
			     .in_pointer = "",
			     .out_pointer = ""};
	const char *why = read_datatype(h, property, &d);
	if (!gw_draft_is_level(p->node->key) || !gw_draft_is_level(property->key)) {
		why = "an id that is no level of a topic";
	}
	if (why) {
		unmapped(h, p->at, why);
		return;
	}
	bool tree = d.type == GW_DATUM_MAP || d.type == GW_DATUM_LIST;
	const char *codec = tree ? "json" : "text";
	d.plain = !tree;
	if (settable && !retained && d.type == GW_DATUM_WORDS && d.words->count == 1) {
		if (!add_action(h, p, &d, codec)) {
			unmapped(h, p->at, "the profile has no more room");
		}
		return;
	}
	d.in = gw_draft_rx(b, gw_str(topic_of(h, p, "")), codec);
	d.out = d.in && settable ? gw_draft_tx(b, gw_str(topic_of(h, p, "/set")), codec, NULL, "",
					       retained ? 1 : 0)
				 : NULL;
	if (!d.in || (settable && !d.out)) {
		unmapped(h, p->at, "the profile has no more room");
		return;
	}
	(void)(retained || settable ? gw_datum_add(b, &d)
				    : gw_datum_event(b, &d)); /* the fate is told */
}

/* --- nodes --- */

static bool shares_property(const struct gw_node *nodes, const struct gw_node *node)
{
	gw_node_for(other, nodes)
	{
		gw_node_for(p, other == node ? NULL : gw_node_get(other, "properties"))
		{
			const struct gw_node *own = gw_node_get(node, "properties");
			if (own && gw_node_get_str(own, p->key)) {
				return true;
			}
		}
	}
	return false;
}

/* What the device or a node says it is. */
static unsigned hint_of(const char *type)
{
	static const struct {
		const char *glob;
		unsigned hint;
	} hints[] = {{"*dehumidifier*", GW_HINT_DEHUMIDIFIER},
		     {"*light*", GW_HINT_LIGHT},
		     {"*lamp*", GW_HINT_LIGHT},
		     {"*bulb*", GW_HINT_LIGHT},
		     {"*outlet*", GW_HINT_OUTLET},
		     {"*plug*", GW_HINT_OUTLET},
		     {"*socket*", GW_HINT_OUTLET},
		     {"*blind*", GW_HINT_BLIND},
		     {"*shutter*", GW_HINT_BLIND},
		     {"*air*condition*", GW_HINT_DRIES}};
	for (size_t i = 0; i < gw_countof(hints); i++) {
		if (gw_str_glob(gw_str(hints[i].glob), gw_str(type))) {
			return hints[i].hint;
		}
	}
	return 0;
}

static void add_node(struct gw_homie *h, const struct gw_node *nodes, const struct gw_node *node)
{
	const struct gw_node *properties = gw_node_get(node, "properties");
	struct place p = {.node = node};
	h->b->hints |= hint_of(text_of(node, "type")) | hint_of(node->key.p);
	if (shares_property(nodes, node)) {
		p.part = gw_draft_component(h->b, node->key.p, text_of(node, "name"));
	}
	gw_node_for(property, properties)
	{
		p.property = property;
		p.at = gw_draft_printf(h->b, "%.60s/%.60s", node->key.p, property->key.p);
		h->b->at = p.at;
		if (property->type == GW_NODE_MAP) {
			add_property(h, &p);
		} else {
			unmapped(h, p.at, "a property that is no map");
		}
	}
}

/* A component of which nothing was imported is none. */
static void drop_empty(struct gw_draft *b)
{
	for (struct gw_node *c = b->components->first, *next; c; c = next) {
		const struct gw_node *caps = gw_node_get(c, "caps");
		next = c->next;
		if (!caps || caps->count == 0) {
			(void)gw_node_remove(b->components, c->key); /* it is there */
		}
	}
}

static void add_presence(struct gw_homie *h)
{
	static const struct {
		const char *state;
		bool online;
	} states[] = {{"ready", true}, {"sleeping", true},	{"alert", true},
		      {"init", false}, {"disconnected", false}, {"lost", false}};
	struct gw_draft *b = h->b;
	const char *name = NULL, *topic = gw_draft_printf(b, "%s/$state", h->prefix);
	const char *state = gw_draft_rx(b, gw_str(topic), "text");
	struct gw_node *p = state ? gw_draft_point(b, "online", &name) : NULL;
	if (!p) {
		return;
	}
	gw_draft_ref(b, p, "in", state, "");
	struct gw_node *map = gw_set_map(b, p, "map");
	for (size_t i = 0; i < gw_countof(states); i++) {
		gw_set_bool(b, map, states[i].state, states[i].online);
	}
	struct gw_node *presence = gw_set_map(b, b->link, "presence");
	gw_set_text(b, presence, "point", name);
	gw_set_bool(b, presence, "is", true);
	struct gw_node *cap = gw_draft_point_cap(b, NULL, "link.online", name);
	if (cap) {
		gw_set_bool(b, cap, "ro", true);
	}
	if (gw_node_text(h->description, "root")) {
		gw_draft_note(b, "the loss of its root device is not seen");
	}
}

int gw_homie_build(struct gw_homie *h, struct gw_imported *ret)
{
	struct gw_draft *b = h->b;
	const struct gw_node *nodes = gw_node_get(h->description, "nodes");
	const char *type = text_of(h->description, "type");
	const char *name = text_of(h->description, "name");
	int r = gw_draft_prefix(b, gw_str(h->prefix));
	if (r < 0) {
		return r;
	}
	b->hints |= hint_of(type);
	add_presence(h);
	gw_node_for(node, nodes)
	{
		if (node->type == GW_NODE_MAP) {
			add_node(h, nodes, node);
		}
	}
	drop_empty(b);
	bool nothing = b->caps->count <= 1 && b->components->count == 0; /* only its presence */
	const struct gw_draft_head head = {.source = "homie",
					   .kind = "homie_device",
					   .vendor = "",
					   .model = type[0] ? type : name};
	return nothing ? b->failed ? -ENOMEM : -ENOENT : gw_draft_finish(b, &head, ret);
}
