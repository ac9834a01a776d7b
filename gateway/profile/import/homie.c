/*
 * Homie over MQTT: 5 describes a device in one document, <domain>/5/<device>/$description; 3 and 4 in one retained topic for each attribute,
 * in any order, so the device is read again with each of them once $homie, $nodes, $properties and $datatype are all there. What our own
 * surface announces is not ours to read: the host leaves it out.
 */
#include "profile/import/homie.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "profile/import/importer.h"

#define ARENA_BYTES (16 * 1024 * 1024)

static const char *const filters[] = {"+/5/+/$description",    "homie/+/$homie",
				      "homie/+/$name",	       "homie/+/$nodes",
				      "homie/+/+/$name",       "homie/+/+/$type",
				      "homie/+/+/$properties", "homie/+/+/+/$name",
				      "homie/+/+/+/$datatype", "homie/+/+/+/$format",
				      "homie/+/+/+/$settable", "homie/+/+/+/$retained",
				      "homie/+/+/+/$unit",     NULL};

static const struct gw_node_limits limits = {.max_bytes = GW_DESCRIPTION_BYTES,
					     .max_depth = GW_BODY_DEPTH,
					     .max_nodes = GW_DESCRIPTION_NODES};

/* --- topics --- */

struct source {
	struct gw_str base, device; /* base: "homie", "homie/5" */
	struct gw_str attribute;    /* behind the device: "$homie", "lamp/on/$datatype" */
	bool document;		    /* $description of Homie 5 */
	char prefix[GW_TOPIC_BYTES + 1];
	char identity[sizeof(((struct gw_imported *)0)->identity)];
};

static bool is_mac(struct gw_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!isxdigit((unsigned char)s.p[i])) {
			return false;
		}
	}
	return s.len == 12;
}

/* An id of 12 hex digits is the hardware's address (the default of the firmware for ESP8266). */
static void name_device(struct source *s)
{
	size_t n = 0;
	(void)snprintf(s->prefix, sizeof(s->prefix), GW_STR_FMT "/" GW_STR_FMT, GW_STR_ARG(s->base),
		       GW_STR_ARG(s->device));
	if (!is_mac(s->device)) {
		(void)snprintf(s->identity, sizeof(s->identity), "homie:%.100s", s->prefix);
		return;
	}
	for (const char *p = "mac:"; *p; p++) {
		s->identity[n++] = *p;
	}
	for (size_t i = 0; i < s->device.len; i++) {
		s->identity[n++] = (char)tolower((unsigned char)s->device.p[i]);
	}
	s->identity[n] = 0;
}

static bool parse_topic(struct gw_str topic, struct source *ret)
{
	struct gw_str rest = topic, level[6];
	size_t n = 0;
	while (n < gw_countof(level) && gw_str_split(&rest, '/', &level[n])) {
		n++;
	}
	if (rest.p || n < 3 || topic.len > GW_TOPIC_BYTES || !gw_str_starts(level[n - 1], "$")) {
		return false;
	}
	bool five = gw_str_is(level[1], "5");
	size_t device = five ? 2 : 1;
	*ret = (struct source){
		.base = gw_str_sub(topic, 0, (size_t)(level[device].p - topic.p) - 1),
		.device = level[device],
		.attribute = gw_str_sub(topic,
					(size_t)(level[device].p - topic.p) + level[device].len + 1,
					topic.len),
		.document = five,
	};
	name_device(ret);
	return gw_draft_is_level(ret->device) && gw_draft_is_level(level[0]) &&
	       (!five || (n == 4 && gw_str_is(level[3], "$description")));
}

/* --- one device --- */

static unsigned major_of(const char *version)
{
	unsigned major = 0;
	for (const char *p = version; p && isdigit((unsigned char)*p) && major < 100; p++) {
		major = major * 10 + (unsigned)(*p - '0');
	}
	return major;
}

static int import(const char *identity, const char *prefix, const struct gw_node *description,
		  struct gw_import_result *result)
{
	struct gw_draft b;
	const char *name = gw_node_text(description, "name");
	struct gw_arena *a = gw_arena_new(ARENA_BYTES);
	struct gw_imported *out = a ? gw_import_add(result) : NULL;
	int r = out ? gw_draft_init(&b, a, "homie", result) : -ENOMEM;
	if (r == 0) {
		struct gw_homie h = {&b, prefix, description};
		(void)snprintf(out->identity, sizeof(out->identity), "%s", identity);
		(void)gw_str_clean(gw_str(name ? name : prefix), sizeof(out->name) - 1, out->name,
				   sizeof(out->name)); /* length unused */
		r = gw_homie_build(&h, out);
	}
	if (r < 0 && out) {
		gw_imported_fini(out);
		result->n_devices--;
	}
	gw_arena_free(a);
	return r;
}

/* The tree of a Homie 3 or 4 device out of its attributes. */
struct attributes {
	struct gw_arena *a;
	const struct gw_part_device *d;
	const char *prefix;
	bool failed, incomplete;
};

static const char *attribute(struct attributes *t, const char *path, const char *key)
{
	char topic[GW_TOPIC_BYTES * 2];
	int n = snprintf(topic, sizeof(topic), "%s/%s%s", t->prefix, path, key);
	const struct gw_part *p =
		n > 0 && (size_t)n < sizeof(topic) ? gw_part_get(t->d, gw_str(topic)) : NULL;
	return p ? p->text : NULL;
}

static struct gw_node *set_map(struct attributes *t, struct gw_node *map, struct gw_str key)
{
	struct gw_node *n = gw_node_new(t->a, GW_NODE_MAP);
	t->failed |= !n || gw_node_set(t->a, map, key, n) < 0;
	return t->failed ? NULL : n;
}

static void set_text(struct attributes *t, struct gw_node *map, const char *path, const char *key)
{
	const char *text = attribute(t, path, key);
	struct gw_node *n = text ? gw_node_new_text(t->a, gw_str(text)) : NULL;
	t->failed |= text && (!n || gw_node_set(t->a, map, gw_str(key + 1), n) < 0); /* after $ */
}

static void set_flag(struct attributes *t, struct gw_node *map, const char *path, const char *key)
{
	const char *text = attribute(t, path, key);
	struct gw_node *n = text ? gw_node_new_bool(t->a, strcmp(text, "true") == 0) : NULL;
	t->failed |= text && (!n || gw_node_set(t->a, map, gw_str(key + 1), n) < 0);
}

static void add_property(struct attributes *t, struct gw_node *properties, struct gw_str node,
			 struct gw_str id)
{
	static const char *const texts[] = {"$name", "$datatype", "$format", "$unit"};
	static const char *const flags[] = {"$settable", "$retained"};
	char path[GW_TOPIC_BYTES * 2];
	struct gw_node *p = set_map(t, properties, id);
	(void)snprintf(path, sizeof(path), GW_STR_FMT "/" GW_STR_FMT "/", GW_STR_ARG(node),
		       GW_STR_ARG(id)); /* what does not fit names no topic */
	for (size_t i = 0; p && i < gw_countof(texts); i++) {
		set_text(t, p, path, texts[i]);
	}
	for (size_t i = 0; p && i < gw_countof(flags); i++) {
		set_flag(t, p, path, flags[i]);
	}
	t->incomplete |= !attribute(t, path, "$datatype");
}

static void add_node(struct attributes *t, struct gw_node *nodes, struct gw_str id)
{
	char path[GW_TOPIC_BYTES + 2];
	struct gw_node *n = set_map(t, nodes, id);
	(void)snprintf(path, sizeof(path), GW_STR_FMT "/", GW_STR_ARG(id));
	struct gw_node *properties = n ? set_map(t, n, GW_STR("properties")) : NULL;
	struct gw_str rest = gw_str(attribute(t, path, "$properties")), property;
	if (!properties || !rest.p) {
		t->incomplete = true;
		return;
	}
	set_text(t, n, path, "$name");
	set_text(t, n, path, "$type");
	while (gw_str_split(&rest, ',', &property)) {
		if (property.len > 0) {
			add_property(t, properties, id, property);
		}
	}
}

static struct gw_node *tree_of(struct attributes *t)
{
	struct gw_node *root = gw_node_new(t->a, GW_NODE_MAP);
	struct gw_node *nodes = root ? set_map(t, root, GW_STR("nodes")) : NULL;
	struct gw_str rest = gw_str(attribute(t, "", "$nodes")), id;
	if (!nodes) {
		t->failed = true;
		return NULL;
	}
	t->incomplete |= !rest.p;
	set_text(t, root, "", "$name");
	while (gw_str_split(&rest, ',', &id)) {
		if (id.len > 0) {
			add_node(t, nodes, id);
		}
	}
	return root;
}

/* -EAGAIN: not all of it is known yet. */
static int describe(struct gw_arena *a, const struct source *s, const struct gw_part_device *d,
		    struct gw_node **ret_tree)
{
	if (s->document) {
		const struct gw_part *p = gw_part_get(d, GW_STR("$description"));
		return p ? gw_node_parse_json(a, gw_str(p->text), &limits, ret_tree, NULL)
			 : -EAGAIN;
	}
	struct attributes t = {.a = a, .d = d, .prefix = s->prefix};
	*ret_tree = tree_of(&t);
	bool begun = major_of(attribute(&t, "", "$homie")) > 0;
	return t.failed ? -ENOMEM : t.incomplete || !begun ? -EAGAIN : 0;
}

static int rebuild(struct gw_importer *i, struct gw_arena *a, const struct source *s,
		   struct gw_part_device *d, struct gw_import_result *result)
{
	struct gw_node *tree = NULL;
	int r = describe(a, s, d, &tree);
	if (r == -EAGAIN) {
		if (d->n_parts > 0) {
			return 0;
		}
		r = gw_part_removed(d, result);
		gw_part_forget(i, d);
		return r;
	}
	r = r < 0 ? r : import(d->identity, s->prefix, tree, result);
	if (r == -ENOENT || r == -EINVAL || r == -E2BIG) {
		gw_import_note(result, s->prefix, "nothing to import");
		return gw_part_removed(d, result);
	}
	if (r == 0) {
		gw_part_emit(d, result);
	}
	return r;
}

/* --- messages --- */

/* §A2: what a document must be. */
static int check_document(struct gw_arena *a, struct gw_str payload, struct gw_error *reterr_)
{
	struct gw_node *root = NULL;
	int r = gw_node_parse_json(a, payload, &limits, &root, /* reterr_= */ NULL);
	if (r == -ENOMEM) {
		return r;
	}
	if (r < 0 || root->type != GW_NODE_MAP) {
		return gw_error_set(reterr_, -EBADMSG, "import",
				    "the description is no JSON object");
	}
	if (major_of(gw_node_text(root, "homie")) != 5) {
		return gw_error_set(reterr_, -EBADMSG, "import",
				    "the description is not of Homie 5");
	}
	const struct gw_node *nodes = gw_node_get(root, "nodes");
	return nodes && nodes->type != GW_NODE_MAP
		       ? gw_error_set(reterr_, -EBADMSG, "import", "nodes is no map")
		       : 0;
}

/* The key of the message among the parts of its device. */
static struct gw_str key_of(const struct source *s, struct gw_str topic)
{
	return s->document ? GW_STR("$description") : topic;
}

static int remove_part(struct gw_importer *i, struct gw_arena *a, const struct source *s,
		       struct gw_str key, struct gw_import_result *result)
{
	struct gw_part_device *d = gw_part_find(i, s->identity);
	if (!d || !gw_part_remove(i, d, key)) {
		return 0;
	}
	if (!s->document && !gw_str_is(s->attribute, "$homie")) {
		return rebuild(i, a, s, d, result);
	}
	int r = gw_part_removed(d, result); /* without its first attribute it is gone */
	if (r == 0) {
		gw_part_forget(i, d);
	}
	return r;
}

static int read_message(struct gw_importer *i, struct gw_arena *a, const struct source *s,
			struct gw_str topic, struct gw_str payload, struct gw_import_result *result,
			struct gw_error *reterr_)
{
	struct gw_str key = key_of(s, topic);
	struct gw_part_device *d = gw_part_find(i, s->identity);
	const struct gw_part *before = d ? gw_part_get(d, key) : NULL;
	if (payload.len == 0) {
		return remove_part(i, a, s, key, result);
	}
	if (before && gw_str_is(payload, before->text)) {
		return 0; /* a broker repeats what is retained */
	}
	if (!s->document && payload.len > GW_BODY_TEXT_BYTES) {
		return gw_error_set(reterr_, -EBADMSG, "import", "an attribute that is too long");
	}
	int r = s->document ? check_document(a, payload, reterr_) : 0;
	r = r < 0 ? r : gw_part_put(i, s->identity, key, payload, &d);
	return r < 0 ? r : rebuild(i, a, s, d, result);
}

static int message(struct gw_importer *i, struct gw_str topic, struct gw_str payload,
		   struct gw_import_result *ret_result, struct gw_error *reterr_)
{
	struct gw_import_result result = {.devices = NULL};
	struct source s;
	if (!parse_topic(topic, &s)) {
		return gw_error_set(reterr_, -EBADMSG, "import",
				    "the topic is no attribute of a Homie device");
	}
	struct gw_arena *a = gw_arena_new(ARENA_BYTES);
	int r = a ? read_message(i, a, &s, topic, payload, &result, reterr_) : -ENOMEM;
	gw_arena_free(a);
	if (r < 0) {
		gw_import_result_fini(&result);
		return r == -ENOMEM    ? gw_error_set(reterr_, r, "memory", "out of memory")
		       : r == -EBADMSG ? r
				       : gw_error_set(reterr_, -EBADMSG, "import",
						      "too much of one device");
	}
	*ret_result = result;
	return 0;
}

const struct gw_importer_class gw_importer_homie = {
	.name = "homie",
	.filters = filters,
	.message = message,
};
