/* zigbee2mqtt: <base>/bridge/devices, a list of all devices with their exposes (open-protocols.md §A4). */
#include "profile/import/z2m.h"

#include <errno.h>
#include <stdio.h>

#include "profile/import/importer.h"

#define LIST_BYTES   (64 * 1024 * 1024) /* of the parsed list */
#define DEVICE_BYTES (8 * 1024 * 1024)	/* of one profile while it is made */
#define LIST_TOPIC   "/bridge/devices"

static const char *const filters[] = {"+/bridge/devices", NULL};

static const char *text_of(const struct gw_node *map, const char *key)
{
	const char *text = map ? gw_node_text(map, key) : NULL;
	return text ? text : "";
}

static bool is_true(const struct gw_node *map, const char *key)
{
	const struct gw_node *n = gw_node_get(map, key);
	return n && n->type == GW_NODE_BOOL && n->flag;
}

/* --- one device --- */

static bool any_expose(const struct gw_node *exposes, const char *name)
{
	gw_node_for(n, exposes)
	{
		const char *has = gw_node_text(n, "name");
		if (has && strcmp(has, name) == 0) {
			return true;
		}
	}
	return false;
}

/* What several endpoints of a product are called: outlets when it measures, else gangs when it switches. */
static const char *prefix_of(const struct gw_node *exposes)
{
	bool switches = false;
	gw_node_for(n, exposes)
	{
		switches |= strcmp(text_of(n, "type"), "switch") == 0;
	}
	if (!switches) {
		return "part";
	}
	return any_expose(exposes, "power") || any_expose(exposes, "energy") ? "outlet" : "gang";
}

/*
 * The availability topic exists only when the feature is switched on, so any state says online too: linkquality is in every one
 * of them and is not in the map.
 */
static void add_presence(struct gw_z2m *z)
{
	const char *name = NULL;
	const char *topic = gw_draft_printf(z->b, GW_STR_FMT "/availability", GW_STR_ARG(z->topic));
	const char *availability = gw_draft_rx(z->b, gw_str(topic), "json");
	const char *state = availability ? gw_draft_rx(z->b, z->topic, "json") : NULL;
	struct gw_node *p = state ? gw_draft_point(z->b, "online", &name) : NULL;
	if (!p) {
		return;
	}
	gw_draft_ref(z->b, p, "in", availability, "/state");
	gw_draft_ref(z->b, p, "in", state, "/linkquality");
	struct gw_node *map = gw_set_map(z->b, p, "map");
	gw_set_bool(z->b, map, "online", true);
	gw_set_bool(z->b, map, "offline", false);
	gw_set_bool(z->b, p, "else", true);
	struct gw_node *presence = gw_set_map(z->b, z->b->link, "presence");
	gw_set_text(z->b, presence, "point", name);
	gw_set_bool(z->b, presence, "is", true);
	struct gw_node *cap = gw_draft_point_cap(z->b, NULL, "link.online", name);
	if (cap) {
		gw_set_bool(z->b, cap, "ro", true);
	}
}

/* Products whose firmware can be replaced report both versions; the update itself is the bridge's command. */
static void add_versions(struct gw_z2m *z)
{
	static const struct {
		const char *id, *pointer;
	} versions[] = {{"firmware.version", "/update/installed_version"},
			{"firmware.available", "/update/latest_version"}};
	for (size_t i = 0; i < gw_countof(versions); i++) {
		const struct gw_z2m_expose x = {.pointer = versions[i].pointer,
						.access = GW_Z2M_STATE};
		const char *name = NULL;
		struct gw_node *p =
			gw_z2m_point(z, &x, versions[i].id, /* writable= */ false, &name);
		struct gw_node *c = p ? gw_draft_point_cap(z->b, NULL, versions[i].id, name) : NULL;
		if (c) {
			gw_set_text(z->b, p, "as", "text");
			gw_set_bool(z->b, c, "ro", true);
		}
	}
}

/* Mains powered devices answer: they are asked when they are bound and when they come back. */
static void add_ask(struct gw_z2m *z)
{
	if (z->battery || z->gets->count == 0) {
		return;
	}
	const char *topic = gw_draft_printf(z->b, GW_STR_FMT "/get", GW_STR_ARG(z->topic));
	const char *ask = gw_draft_fixed(z->b, gw_str(topic), "json", z->gets, 0);
	const char *state = ask ? gw_draft_rx(z->b, z->topic, "json") : NULL;
	struct gw_node *msg = state ? gw_draft_msg(z->b, ask) : NULL;
	if (msg) {
		gw_set_text(z->b, msg, "reply", state);
		struct gw_node *on = gw_set_list(z->b, msg, "on");
		gw_add_text(z->b, on, GW_STR("bind"));
		gw_add_text(z->b, on, GW_STR("online"));
	}
}

static int build(struct gw_draft *b, struct gw_str base, const struct gw_node *device,
		 struct gw_imported *out)
{
	const struct gw_node *definition = gw_node_get(device, "definition");
	const struct gw_node *exposes = gw_node_get(definition, "exposes");
	const char *topic = gw_draft_printf(b, GW_STR_FMT "/%s", GW_STR_ARG(base),
					    text_of(device, "friendly_name"));
	struct gw_z2m z = {.b = b,
			   .topic = gw_str(topic),
			   .state = topic,
			   .set = gw_draft_printf(b, "%s/set", topic),
			   .prefix = prefix_of(exposes),
			   .gets = gw_node_new(b->a, GW_NODE_MAP),
			   .battery = strcmp(text_of(device, "power_source"), "Battery") == 0 ||
				      any_expose(exposes, "battery")};
	int r = z.gets ? gw_draft_prefix(b, z.topic) : -ENOMEM;
	if (r < 0) {
		return r;
	}
	b->hints |= z.battery ? GW_HINT_BATTERY : 0;
	gw_z2m_exposes(&z, exposes, "", NULL);
	add_presence(&z);
	if (is_true(definition, "supports_ota")) {
		add_versions(&z);
	}
	add_ask(&z);
	const struct gw_draft_head head = {.source = "z2m",
					   .kind = "zigbee2mqtt_model",
					   .vendor = text_of(definition, "vendor"),
					   .model = text_of(definition, "model")};
	return gw_draft_finish(b, &head, out);
}

static void set_text(char *to, size_t cap, const char *from)
{
	(void)gw_str_clean(gw_str(from), cap - 1, to, cap); /* length unused */
}

static int add_device(struct gw_importer *i, struct gw_str topic, struct gw_str base,
		      const struct gw_node *device, struct gw_import_result *result)
{
	struct gw_draft b;
	struct gw_part_device *d;
	char identity[sizeof(((struct gw_imported *)0)->identity)];
	snprintf(identity, sizeof(identity), "ieee:%s", text_of(device, "ieee_address"));
	int r = gw_part_put(i, identity, topic, GW_STR(""), &d);
	struct gw_arena *a = r < 0 ? NULL : gw_arena_new(DEVICE_BYTES);
	struct gw_imported *out = a ? gw_import_add(result) : NULL;
	if (!out) {
		gw_arena_free(a);
		return -ENOMEM;
	}
	d->seen = true;
	snprintf(out->identity, sizeof(out->identity), "%s", identity);
	set_text(out->name, sizeof(out->name), text_of(device, "friendly_name"));
	set_text(out->firmware, sizeof(out->firmware), text_of(device, "software_build_id"));
	r = gw_draft_init(&b, a, "z2m", result);
	b.at = out->name;
	r = r < 0 ? r : build(&b, base, device, out);
	gw_arena_free(a);
	if (r == 0) {
		gw_part_emit(d, result);
		return 0;
	}
	if (r != -ENOMEM) {
		gw_import_note(result, out->name,
			       r == -EINVAL ? "its name cannot be part of a topic"
					    : "nothing to import");
	}
	gw_imported_fini(out);
	result->n_devices--;
	return r == -ENOMEM ? r : gw_part_removed(d, result);
}

/* --- the list --- */

/* Why a device of the list is passed over; NULL: it is imported. "" without a note. */
static const char *passed_over(const struct gw_node *device)
{
	if (device->type != GW_NODE_MAP || !gw_node_text(device, "ieee_address") ||
	    !gw_node_text(device, "friendly_name")) {
		return "a device without ieee_address and friendly_name";
	}
	const struct gw_node *definition = gw_node_get(device, "definition");
	if (strcmp(text_of(device, "type"), "Coordinator") == 0 || is_true(device, "disabled") ||
	    is_true(device, "interviewing")) {
		return "";
	}
	if (!definition || definition->type != GW_NODE_MAP) {
		return "zigbee2mqtt does not support it";
	}
	return NULL;
}

static int add_list(struct gw_importer *i, struct gw_str topic, const struct gw_node *list,
		    struct gw_import_result *result)
{
	struct gw_str base = gw_str_sub(topic, 0, topic.len - strlen(LIST_TOPIC));
	size_t n = 0;
	gw_node_for(device, list)
	{
		const char *why = passed_over(device);
		if (!why && n == GW_CANDIDATES) {
			why = "more devices than are followed";
		}
		if (why && why[0]) {
			gw_import_note(
				result,
				device->type == GW_NODE_MAP ? text_of(device, "friendly_name") : "",
				"%s", why);
		}
		int r = why ? 0 : add_device(i, topic, base, device, result);
		if (r < 0) {
			return r;
		}
		n += !why;
	}
	return 0;
}

/* Devices of this list that are not in it any more. */
static int drop_unseen(struct gw_importer *i, struct gw_str topic, struct gw_import_result *result)
{
	gw_list_for_safe(l, &i->devices)
	{
		struct gw_part_device *d = gw_container(l, struct gw_part_device, link);
		if (d->seen || !gw_part_get(d, topic)) {
			continue;
		}
		int r = gw_part_removed(d, result);
		if (r < 0) {
			return r;
		}
		gw_part_forget(i, d);
	}
	return 0;
}

static int read_list(struct gw_importer *i, struct gw_str topic, struct gw_str payload,
		     struct gw_import_result *result, struct gw_error *reterr_)
{
	static const struct gw_node_limits limits = {.max_bytes = GW_DESCRIPTION_BYTES,
						     .max_depth = GW_BODY_DEPTH,
						     .max_nodes = GW_DESCRIPTION_NODES};
	struct gw_node *list = NULL;
	struct gw_arena *a = gw_arena_new(LIST_BYTES);
	int r = !a		   ? -ENOMEM
		: payload.len == 0 ? 0
				   : gw_node_parse_json(a, payload, &limits, &list, reterr_);
	if (r == 0 && list && list->type != GW_NODE_LIST) {
		r = -EBADMSG;
	}
	if (r == 0) {
		gw_list_for(l, &i->devices)
		{
			gw_container(l, struct gw_part_device, link)->seen = false;
		}
		r = add_list(i, topic, list, result);
		r = r < 0 ? r : drop_unseen(i, topic, result);
	}
	gw_arena_free(a);
	if (r < 0 && r != -ENOMEM) {
		return gw_error_set(reterr_, -EBADMSG, "import", "bridge/devices is no JSON list");
	}
	return r < 0 ? gw_error_set(reterr_, r, "memory", "out of memory") : 0;
}

static int message(struct gw_importer *i, struct gw_str topic, struct gw_str payload,
		   struct gw_import_result *ret_result, struct gw_error *reterr_)
{
	struct gw_import_result result = {.devices = NULL};
	if (!gw_str_ends(topic, LIST_TOPIC) || topic.len == strlen(LIST_TOPIC)) {
		return gw_error_set(reterr_, -EBADMSG, "import",
				    "the topic is not <base>" LIST_TOPIC);
	}
	int r = read_list(i, topic, payload, &result, reterr_);
	if (r < 0) {
		gw_import_result_fini(&result);
		return r;
	}
	*ret_result = result;
	return 0;
}

const struct gw_importer_class gw_importer_zigbee2mqtt = {
	.name = "zigbee2mqtt",
	.filters = filters,
	.message = message,
};
