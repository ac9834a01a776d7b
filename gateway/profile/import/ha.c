/*
 * Home Assistant MQTT discovery: <prefix>/<component>/[<node>/]<object>/config and <prefix>/device/…/config with all entities in one
 * document (open-protocols.md §A1). Each entity is remembered with its device, because a device is the sum of its entities.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "gw/alloc.h"
#include "profile/import/ha_build.h"
#include "profile/import/importer.h"

#define ARENA_BYTES (16 * 1024 * 1024)

static const char *const filters[] = {"homeassistant/+/+/config", "homeassistant/+/+/+/config",
				      NULL};

/* --- topic --- */

struct address {
	struct gw_str component, node, object; /* node empty in the short form */
};

static bool is_id(struct gw_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c >= 128 || !(isalnum(c) || c == '_' || c == '-')) {
			return false;
		}
	}
	return s.len > 0;
}

static bool parse_topic(struct gw_str topic, struct address *ret)
{
	struct gw_str piece, level[6];
	size_t n = 0;
	while (gw_str_split(&topic, '/', &piece)) {
		if (n == gw_countof(level)) {
			return false;
		}
		level[n++] = piece;
	}
	if (n < 4 || n > 5 || !gw_str_is(level[n - 1], "config") || !is_id(level[1]) ||
	    !is_id(level[n - 2]) || (n == 5 && !is_id(level[2]))) {
		return false;
	}
	*ret = (struct address){
		.component = level[1],
		.node = n == 5 ? level[2] : (struct gw_str){"", 0},
		.object = level[n - 2],
	};
	return true;
}

/* --- identity --- */

static const struct gw_node *first_of(const struct gw_node *n)
{
	return n && n->type == GW_NODE_LIST ? n->first : n;
}

/* 12 hex digits, perhaps with colons: a MAC address. */
static bool as_mac(struct gw_str s, char mac[13])
{
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if ((c == ':' || c == '-') && n > 0 && n % 2 == 0) {
			continue;
		}
		if (!isxdigit(c) || n == 12) {
			return false;
		}
		mac[n++] = (char)tolower(c);
	}
	mac[n] = 0;
	return n == 12;
}

/*
 * The first identifier, so that it does not depend on which entity is described first: later ones may leave the rest out. The same
 * hardware found in another way has the same identity, where the identifier shows it.
 */
static void identity_of(const struct gw_node *device, char *ret, size_t cap)
{
	static const char *const zigbee = "zigbee2mqtt_0x";
	const struct gw_node *id = first_of(gw_node_get(device, "identifiers"));
	const struct gw_node *connection = first_of(gw_node_get(device, "connections"));
	char mac[13];
	if (!id && connection && connection->type == GW_NODE_LIST) {
		id = gw_node_at(connection, 1);
	}
	struct gw_str s = id && id->type == GW_NODE_TEXT ? id->text : GW_STR("unknown");
	if (as_mac(s, mac)) {
		snprintf(ret, cap, "mac:%s", mac);
	} else if (gw_str_starts(s, zigbee)) {
		snprintf(ret, cap, "ieee:" GW_STR_FMT,
			 GW_STR_ARG(gw_str_sub(s, strlen(zigbee) - 2, 18)));
	} else {
		snprintf(ret, cap, "ha:%.*s", (int)(cap - 8 < s.len ? cap - 8 : s.len), s.p);
	}
}

/* --- parts --- */

/* What is remembered of an entity: {platform, object, config}, so that it can be read back without its topic. */
static int remember(struct gw_importer *i, struct gw_arena *a, const char *identity,
		    struct gw_str key, const char *platform, struct gw_str object,
		    struct gw_node *config, struct gw_part_device **ret)
{
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_DESCRIPTION_BYTES);
	struct gw_node *part = gw_node_new(a, GW_NODE_MAP);
	struct gw_node *p = gw_node_new_text(a, gw_str(platform)), *o = gw_node_new_text(a, object);
	if (!part || !p || !o || gw_node_set(a, part, GW_STR("platform"), p) < 0 ||
	    gw_node_set(a, part, GW_STR("object"), o) < 0 ||
	    gw_node_set(a, part, GW_STR("config"), config) < 0) {
		return -ENOMEM;
	}
	gw_node_write(&text, part, /* source_order= */ true);
	if (gw_buf_error(&text)) {
		return gw_buf_error(&text);
	}
	return gw_part_put(i, identity, key, gw_buf_str(&text), ret);
}

static const struct gw_node_limits limits = {.max_bytes = GW_DESCRIPTION_BYTES,
					     .max_depth = GW_BODY_DEPTH,
					     .max_nodes = GW_DESCRIPTION_NODES};

static int parse_parts(struct gw_arena *a, const struct gw_part_device *d, struct gw_ha_part *parts,
		       size_t *ret_n)
{
	size_t n = 0;
	gw_list_for(l, &d->parts)
	{
		const struct gw_part *p = gw_container(l, struct gw_part, link);
		struct gw_node *root;
		int r = gw_node_parse_json(a, gw_str(p->text), &limits, &root, /* reterr_= */ NULL);
		if (r < 0) {
			return r;
		}
		parts[n++] = (struct gw_ha_part){.platform = gw_node_text(root, "platform"),
						 .object = gw_node_text(root, "object"),
						 .config = gw_node_get(root, "config")};
	}
	*ret_n = n;
	return 0;
}

/* A key of the device that any of its entities gives. */
static const char *device_text(const struct gw_ha_part *parts, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++) {
		const struct gw_node *device = gw_node_get(parts[i].config, "device");
		const char *text = device ? gw_node_text(device, key) : NULL;
		if (text && text[0]) {
			return text;
		}
	}
	return "";
}

static void set_text(char *to, size_t cap, const char *from)
{
	(void)gw_str_clean(gw_str(from), cap - 1, to, cap); /* length unused */
}

/* The device as it is described now, into the result. */
static int rebuild(struct gw_importer *i, struct gw_part_device *d, struct gw_arena *a,
		   struct gw_import_result *result)
{
	struct gw_draft b;
	struct gw_ha_part *parts = gw_arena_alloc(a, GW_IMPORT_PARTS * sizeof(struct gw_ha_part));
	size_t n = 0;
	if (d->n_parts == 0) {
		int gone = gw_part_removed(d, result);
		gw_part_forget(i, d);
		return gone;
	}
	int r = parts ? parse_parts(a, d, parts, &n) : -ENOMEM;
	r = r < 0 ? r : gw_draft_init(&b, a, "ha", result);
	if (r < 0) {
		return r;
	}
	struct gw_imported *out = gw_import_add(result);
	if (!out) {
		return -ENOMEM;
	}
	snprintf(out->identity, sizeof(out->identity), "%s", d->identity);
	set_text(out->name, sizeof(out->name), device_text(parts, n, "name"));
	set_text(out->firmware, sizeof(out->firmware), device_text(parts, n, "sw_version"));
	const struct gw_draft_head head = {.source = "ha",
					   .kind = "homeassistant_model",
					   .vendor = device_text(parts, n, "manufacturer"),
					   .model = device_text(parts, n, "model")};
	const struct gw_ha_names names = {d->identity, device_text(parts, n, "name")};
	r = gw_ha_build(&b, &names, parts, n, &head, out);
	if (r < 0) {
		gw_imported_fini(out);
		result->n_devices--;
		return r == -ENOENT || r == -E2BIG ? gw_part_removed(d, result) : r;
	}
	gw_part_emit(d, result);
	return 0;
}

/* --- the two forms --- */

static int refuse(struct gw_error *e, const char *why)
{
	return gw_error_set(e, -EBADMSG, "import", "%s", why);
}

static int entity_form(struct gw_importer *i, struct gw_arena *a, const struct address *at,
		       struct gw_str topic, struct gw_node *config, struct gw_import_result *result,
		       struct gw_error *reterr_)
{
	char identity[sizeof(((struct gw_imported *)0)->identity)];
	struct gw_part_device *d;
	struct gw_str component = gw_arena_text(a, at->component);
	if (!gw_ha_is_platform(at->component)) {
		gw_import_note(result, component.p ? component.p : "",
			       "the platform is not supported");
		return 0;
	}
	const char *why = gw_ha_head_refusal(config, /* device_form= */ false);
	why = why ? why : gw_ha_refusal(component.p ? component.p : "", config);
	if (why) {
		return refuse(reterr_, why);
	}
	identity_of(gw_node_get(config, "device"), identity, sizeof(identity));
	int r = remember(i, a, identity, topic, component.p, at->object, config, &d);
	return r < 0 ? r : rebuild(i, d, a, result);
}

/* Shared options stand in every component that does not say otherwise. */
static int inherit(struct gw_arena *a, const struct gw_node *config, struct gw_node *component)
{
	static const char *const shared[] = {"device",
					     "origin",
					     "availability",
					     "availability_topic",
					     "availability_template",
					     "availability_mode",
					     "payload_available",
					     "payload_not_available",
					     "state_topic",
					     "command_topic",
					     "qos",
					     "encoding"};
	bool own = gw_node_get(component, "availability") ||
		   gw_node_get(component, "availability_topic");
	for (size_t i = 0; i < gw_countof(shared); i++) {
		const struct gw_node *n = gw_node_get(config, shared[i]);
		bool availability = gw_str_starts(gw_str(shared[i]), "availability");
		if (!n || gw_node_get(component, shared[i]) || (availability && own)) {
			continue;
		}
		struct gw_node *copy = gw_node_copy(a, n);
		if (!copy || gw_node_set(a, component, gw_str(shared[i]), copy) < 0) {
			return -ENOMEM;
		}
	}
	return 0;
}

static int add_component(struct gw_importer *i, struct gw_arena *a, const char *identity,
			 struct gw_str topic, const struct gw_node *config,
			 const struct gw_node *member, struct gw_part_device **d,
			 struct gw_import_result *result)
{
	GW_AUTO(gw_buf_fini) struct gw_buf key = GW_BUF_INIT(GW_TOPIC_BYTES * 4);
	struct gw_node *component;
	gw_buf_add_str(&key, topic);
	gw_buf_putc(&key, '#');
	gw_buf_add_str(&key, member->key);
	int r = member->type == GW_NODE_MAP ? gw_ha_expand(a, member, &component) : -EBADMSG;
	if (r == -EBADMSG || gw_buf_error(&key) == -E2BIG) {
		gw_import_note(result, member->key.p, "a component that is no map of keys");
		return 0;
	}
	const char *platform = r == 0 ? gw_node_text(component, "platform") : NULL;
	if (r < 0 || gw_buf_error(&key)) {
		return r < 0 ? r : gw_buf_error(&key);
	}
	if (component->count == 1 && platform) { /* only the platform: the component is removed */
		*d = *d ? *d : gw_part_find(i, identity);
		if (*d) {
			(void)gw_part_remove(i, *d, gw_buf_str(&key)); /* whether it was there */
		}
		return 0;
	}
	r = inherit(a, config, component);
	const char *why = !platform ? "a component without platform"
			  : !gw_ha_is_platform(gw_str(platform))
				  ? "the platform is not supported"
				  : gw_ha_refusal(platform, component);
	if (r == 0 && why) {
		gw_import_note(result, member->key.p, "%s", why);
		return 0;
	}
	return r < 0 ? r
		     : remember(i, a, identity, gw_buf_str(&key), platform, member->key, component,
				d);
}

static int device_form(struct gw_importer *i, struct gw_arena *a, struct gw_str topic,
		       const struct gw_node *config, struct gw_import_result *result,
		       struct gw_error *reterr_)
{
	char identity[sizeof(((struct gw_imported *)0)->identity)];
	struct gw_part_device *d = NULL;
	const char *why = gw_ha_head_refusal(config, /* device_form= */ true);
	if (!why && gw_node_get(config, "availability") &&
	    gw_node_get(config, "availability_topic")) {
		why = "both availability and availability_topic";
	}
	if (why) {
		return refuse(reterr_, why);
	}
	identity_of(gw_node_get(config, "device"), identity, sizeof(identity));
	gw_node_for(member, gw_node_get(config, "components"))
	{
		int r = add_component(i, a, identity, topic, config, member, &d, result);
		if (r == -E2BIG) {
			gw_import_note(result, member->key.p, "more than %d entities of one device",
				       GW_IMPORT_PARTS);
		} else if (r < 0) {
			return r;
		}
	}
	return d ? rebuild(i, d, a, result) : 0;
}

/* --- removal --- */

static bool is_part_of(const struct gw_part *p, struct gw_str topic)
{
	return strncmp(p->key, topic.p, topic.len) == 0 &&
	       (p->key[topic.len] == 0 || p->key[topic.len] == '#');
}

static int remove_topic(struct gw_importer *i, struct gw_arena *a, struct gw_str topic,
			struct gw_import_result *result)
{
	gw_list_for_safe(l, &i->devices)
	{
		struct gw_part_device *d = gw_container(l, struct gw_part_device, link);
		size_t before = d->n_parts;
		gw_list_for_safe(k, &d->parts)
		{
			struct gw_part *p = gw_container(k, struct gw_part, link);
			if (is_part_of(p, topic)) {
				(void)gw_part_remove(i, d, gw_str(p->key)); /* it is there */
			}
		}
		if (d->n_parts != before) {
			int r = rebuild(i, d, a, result);
			if (r < 0) {
				return r;
			}
		}
	}
	return 0;
}

static int read_config(struct gw_importer *i, struct gw_arena *a, struct gw_str topic,
		       struct gw_str payload, struct gw_import_result *result,
		       struct gw_error *reterr_)
{
	struct address at;
	struct gw_node *root, *config;
	if (!parse_topic(topic, &at)) {
		return refuse(reterr_,
			      "the topic is not <prefix>/<component>/[<node>/]<object>/config");
	}
	if (payload.len == 0) {
		return remove_topic(i, a, topic, result);
	}
	int r = gw_node_parse_json(a, payload, &limits, &root, reterr_);
	if (r < 0 || root->type != GW_NODE_MAP) {
		return r == -ENOMEM ? r : refuse(reterr_, "the payload is no JSON object");
	}
	if (gw_node_get(root, "migrate_discovery") || gw_node_get(root, "migr_discvry")) {
		return 0; /* the device form follows, and then the removal of this topic */
	}
	r = gw_ha_expand(a, root, &config);
	if (r < 0) {
		return r == -EBADMSG ? refuse(reterr_, "availability is no list of maps") : r;
	}
	if (gw_str_is(at.component, "device")) {
		return device_form(i, a, topic, config, result, reterr_);
	}
	return entity_form(i, a, &at, topic, config, result, reterr_);
}

static int message(struct gw_importer *i, struct gw_str topic, struct gw_str payload,
		   struct gw_import_result *ret_result, struct gw_error *reterr_)
{
	struct gw_import_result result = {.devices = NULL};
	struct gw_arena *a = gw_arena_new(ARENA_BYTES);
	if (!a) {
		return gw_error_set(reterr_, -ENOMEM, "memory", "out of memory");
	}
	int r = read_config(i, a, topic, payload, &result, reterr_);
	gw_arena_free(a);
	if (r < 0) {
		gw_import_result_fini(&result);
		return r == -EBADMSG || r == -ENOMEM ? r
						     : gw_error_set(reterr_, -EBADMSG, "import",
								    "too much of one device");
	}
	*ret_result = result;
	return 0;
}

const struct gw_importer_class gw_importer_homeassistant = {
	.name = "homeassistant",
	.filters = filters,
	.message = message,
};
