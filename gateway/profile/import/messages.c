/*
 * Descriptions that a broker holds, in a file: a JSON object of topics and payloads ("homie", "homeassistant", "zigbee2mqtt"), or one
 * description alone (a $description of Homie 5, a device document of Home Assistant, the list of bridge/devices). They go through the
 * importers of the running gateway, one message after another; of each device the last word counts.
 */
#include <errno.h>
#include <stdio.h>

#include "gw/alloc.h"
#include "gw/topic.h"
#include "profile/import/file.h"
#include "profile/import/importer.h"

#define ARENA_BYTES (16 * 1024 * 1024)

struct source {
	const struct gw_importer_class *class;
	const char *
		alone; /* topic of a description alone, "%s" is the name of the file; NULL: there is none */
	enum gw_node_type alone_type;
};

/* --- what became of each data point, where the importer does not tell --- */

static void tell_caps(struct gw_import_result *r, const char *device, const char *component,
		      const struct gw_node *caps)
{
	gw_node_for(cap, caps)
	{
		char at[sizeof(r->points->at)], address[128];
		(void)snprintf(address, sizeof(address), "%s%s%.80s", component ? component : "",
			       component ? "/" : "", cap->key.p);
		(void)snprintf(at, sizeof(at), "%.40s: %.80s", device, address);
		gw_import_fate(r, at,
			       gw_draft_is_extension(cap->key.p) ? GW_FATE_VENDOR
								 : GW_FATE_STANDARD,
			       address, NULL);
	}
}

/* "temperature: nothing for "x"" → "nothing for …": the same words for the same construct. */
static const char *construct_of(const char *reason, char *ret, size_t cap)
{
	const char *colon = strstr(reason, ": ");
	const char *space = strchr(reason, ' ');
	const char *from = colon && space == colon + 1 ? space + 1 : reason; /* one word before */
	GW_AUTO(gw_buf_fini) struct gw_buf out = GW_BUF_INIT(cap);
	bool quoted = false;
	for (const char *p = from; *p; p++) {
		if (*p == '"') {
			gw_buf_puts(&out, quoted ? "" : "…");
			quoted = !quoted;
		} else if (!quoted) {
			gw_buf_putc(&out, *p);
		}
	}
	(void)snprintf(ret, cap, "%.*s", (int)cap - 1, out.p && !gw_buf_error(&out) ? out.p : from);
	return ret;
}

static int tell(struct gw_import_result *r)
{
	static const struct gw_node_limits limits = {.max_bytes = GW_PROFILE_BYTES};
	for (size_t i = 0; i < r->n_devices; i++) {
		struct gw_arena *a = gw_arena_new(ARENA_BYTES);
		struct gw_node *profile = NULL;
		const struct gw_imported *d = &r->devices[i];
		int e = a ? gw_node_parse_json(a, gw_str(d->profile), &limits, &profile, NULL)
			  : -ENOMEM;
		if (e == 0) {
			tell_caps(r, d->name, NULL, gw_node_get(profile, "caps"));
		}
		gw_node_for(c, e == 0 ? gw_node_get(profile, "components") : NULL)
		{
			tell_caps(r, d->name, c->key.p, gw_node_get(c, "caps"));
		}
		gw_arena_free(a);
		if (e < 0) {
			return -ENOMEM; /* it was written by us */
		}
	}
	for (size_t i = 0; i < r->n_notes; i++) {
		char construct[sizeof(r->points->construct)];
		gw_import_fate(r, r->notes[i].at, GW_FATE_UNMAPPED, NULL,
			       construct_of(r->notes[i].reason, construct, sizeof(construct)));
	}
	return 0;
}

/* --- results one after another --- */

/* What is told of a device again is told instead. */
static void forget_device(struct gw_import_result *all, const char *identity)
{
	for (size_t i = 0; i < all->n_devices; i++) {
		if (strcmp(all->devices[i].identity, identity) == 0) {
			gw_imported_fini(&all->devices[i]);
			all->devices[i] = all->devices[--all->n_devices];
			return;
		}
	}
}

static bool has_note(const struct gw_import_result *r, const struct gw_import_note *n)
{
	for (size_t i = 0; i < r->n_notes; i++) {
		if (strcmp(r->notes[i].at, n->at) == 0 &&
		    strcmp(r->notes[i].reason, n->reason) == 0) {
			return true;
		}
	}
	return false;
}

static bool replace_point(struct gw_import_result *r, const struct gw_import_point *p)
{
	for (size_t i = 0; i < r->n_points; i++) {
		if (strcmp(r->points[i].at, p->at) == 0) {
			r->points[i] = *p;
			return true;
		}
	}
	return false;
}

/* The points of a device that is read again and again are told once; prefix tells devices apart. */
static void add_points(struct gw_import_result *all, const struct gw_import_result *r,
		       const char *prefix)
{
	for (size_t i = 0; i < r->n_points; i++) {
		struct gw_import_point p = r->points[i];
		char at[sizeof(p.at)];
		(void)snprintf(at, sizeof(at), "%.50s: %.70s", prefix, p.at);
		(void)snprintf(p.at, sizeof(p.at), "%s", at);
		if (!replace_point(all, &p)) {
			gw_import_fate(all, p.at, p.fate, p.address, p.construct);
		}
	}
}

/* Moves everything of r into all. */
static int merge(struct gw_import_result *all, struct gw_import_result *r, const char *prefix)
{
	for (size_t i = 0; i < r->n_notes; i++) {
		if (!has_note(all, &r->notes[i])) {
			gw_import_note(all, r->notes[i].at, "%s", r->notes[i].reason);
		}
	}
	add_points(all, r, prefix);
	for (size_t i = 0; i < r->n_devices; i++) {
		forget_device(all, r->devices[i].identity);
		if (!r->devices[i].profile) {
			continue;
		}
		struct gw_imported *to = gw_import_add(all);
		if (!to) {
			return -ENOMEM;
		}
		*to = r->devices[i];
		r->devices[i] = (struct gw_imported){.profile = NULL}; /* moved */
	}
	return 0;
}

/* --- messages --- */

/* The first level is a setting of the household. */
static bool wants(const struct gw_importer_class *class, struct gw_str topic)
{
	const char *slash = topic.len ? memchr(topic.p, '/', topic.len) : NULL;
	for (size_t i = 0; slash && class->filters[i]; i++) {
		const char *rest = strchr(class->filters[i], '/');
		struct gw_str filter = gw_str(rest + 1);
		if (gw_topic_matches(filter,
				     gw_str_sub(topic, (size_t)(slash - topic.p) + 1, topic.len))) {
			return true;
		}
	}
	return false;
}

/* The device that a topic speaks of, for people: its first two levels, three for Homie 5. */
static const char *prefix_of(struct gw_str topic, char *ret, size_t cap)
{
	size_t n = 0, levels = 0;
	size_t most = gw_str_glob(GW_STR("*/5/*"), topic) ? 3 : 2;
	while (n < topic.len && (levels += topic.p[n] == '/') < most) {
		n++;
	}
	(void)snprintf(ret, cap, "%.*s", (int)n, topic.p);
	return ret;
}

struct reading {
	struct gw_importer *importer;
	struct gw_import_result *all;
	struct gw_error *error; /* of the first message that was refused */
	size_t taken, refused;
};

static int take(struct reading *g, struct gw_str topic, struct gw_str payload)
{
	struct gw_import_result r = {.devices = NULL};
	struct gw_error e = {.text = ""};
	char prefix[64];
	int err = gw_importer_class(g->importer)->message(g->importer, topic, payload, &r, &e);
	g->taken++;
	if (err == -EBADMSG) {
		char at[sizeof(r.notes->at)];
		(void)snprintf(at, sizeof(at), "%.*s", (int)topic.len, topic.p);
		gw_import_note(g->all, at, "%s", e.text);
		if (g->refused++ == 0 && g->error) {
			*g->error = e;
			(void)snprintf(g->error->at, sizeof(g->error->at), "%s", at);
		}
		return 0;
	}
	err = err < 0 ? err : merge(g->all, &r, prefix_of(topic, prefix, sizeof(prefix)));
	gw_import_result_fini(&r);
	return err;
}

static int take_node(struct reading *g, struct gw_str topic, const struct gw_node *payload)
{
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT((size_t)GW_DESCRIPTION_BYTES * 4);
	if (payload->type == GW_NODE_TEXT) {
		return take(g, topic, payload->text);
	}
	gw_node_write(&text, payload, /* source_order= */ true);
	return gw_buf_error(&text) ? gw_buf_error(&text) : take(g, topic, gw_buf_str(&text));
}

static bool is_dump(const struct gw_node *root)
{
	return root->type == GW_NODE_MAP && root->first &&
	       memchr(root->first->key.p, '/', root->first->key.len);
}

static int take_alone(struct reading *g, const struct source *s, const struct gw_node *root,
		      const char *file)
{
	char name[64], topic[GW_TOPIC_BYTES];
	size_t n = 0;
	for (; file[n] && n + 1 < sizeof(name); n++) { /* what every topic may hold */
		name[n] =
			strchr("/+#{}$ ", file[n]) || (unsigned char)file[n] >= 128 ? '-' : file[n];
	}
	name[n] = 0;
	const char *mark = strstr(s->alone, "%s");
	(void)snprintf(topic, sizeof(topic), "%.*s%s%s",
		       (int)(mark ? (size_t)(mark - s->alone) : strlen(s->alone)), s->alone,
		       mark ? name : "", mark ? mark + 2 : "");
	return take_node(g, gw_str(topic), root);
}

static int read_all(struct reading *g, const struct source *s, const struct gw_node *root,
		    const char *file)
{
	if (!is_dump(root)) {
		return take_alone(g, s, root, file);
	}
	gw_node_for(n, root)
	{
		int r = wants(s->class, n->key) ? take_node(g, n->key, n) : 0;
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

static int import(const struct source *s, const struct gw_node *root, const char *file,
		  struct gw_import_result *ret_result, struct gw_error *reterr_)
{
	bool told = s->class == &gw_importer_homie; /* it tells of each property itself */
	if (!is_dump(root) && root->type != s->alone_type) {
		return gw_error_set(reterr_, -EBADMSG, "import",
				    "expected a map of topics and payloads, or one description");
	}
	struct gw_error error = {.text = ""};
	struct reading g = {
		.importer = gw_importer_new(s->class), .all = ret_result, .error = &error};
	int r = g.importer ? read_all(&g, s, root, file) : -ENOMEM;
	gw_importer_free(g.importer);
	if (r == 0 && g.taken == 0) {
		return gw_error_set(reterr_, -EBADMSG, "import",
				    "no topic of a description; expected one like %s",
				    s->class->filters[0]);
	}
	if (r == 0 && g.refused == g.taken) {
		if (reterr_) {
			*reterr_ = error;
		}
		return -EBADMSG;
	}
	r = r == 0 && !told ? tell(ret_result) : r;
	return r < 0 ? gw_error_set(reterr_, r == -E2BIG ? -EBADMSG : -ENOMEM, "memory",
				    "out of memory")
		     : 0;
}

static int import_homie(const struct gw_node *root, const char *file, struct gw_import_result *ret,
			struct gw_error *reterr_)
{
	static const struct source s = {&gw_importer_homie, "homie/5/%s/$description", GW_NODE_MAP};
	return import(&s, root, file, ret, reterr_);
}

static int import_homeassistant(const struct gw_node *root, const char *file,
				struct gw_import_result *ret, struct gw_error *reterr_)
{
	static const struct source s = {&gw_importer_homeassistant,
					"homeassistant/device/%s/config", GW_NODE_MAP};
	return import(&s, root, file, ret, reterr_);
}

static int import_zigbee2mqtt(const struct gw_node *root, const char *file,
			      struct gw_import_result *ret, struct gw_error *reterr_)
{
	static const struct source s = {&gw_importer_zigbee2mqtt, "zigbee2mqtt/bridge/devices",
					GW_NODE_LIST};
	return import(&s, root, file, ret, reterr_);
}

const struct gw_file_importer gw_import_homie = {.name = "homie", .import = import_homie};
const struct gw_file_importer gw_import_homeassistant = {.name = "homeassistant",
							 .import = import_homeassistant};
const struct gw_file_importer gw_import_zigbee2mqtt = {.name = "zigbee2mqtt",
						       .import = import_zigbee2mqtt};
