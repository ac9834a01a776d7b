/* Shelly: what all generations share. */
#include "profile/import/shelly.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "profile/import/file.h"

#define MAX_DEPTH 6
#define SPARE_MSGS                                                                                 \
	6 /* kept for what is sent: a member without a message of its own still comes with others */

const char *gw_shelly_text(const struct gw_node *map, const char *key)
{
	const char *text = map ? gw_node_text(map, key) : NULL;
	return text ? text : "";
}

/* --- tables --- */

static bool is_path(const char *row, const char *path)
{
	size_t n = strlen(row);
	return n > 0 && row[n - 1] == '*' ? strncmp(row, path, n - 1) == 0 : strcmp(row, path) == 0;
}

const struct gw_shelly_field *gw_shelly_find(const struct gw_shelly_field *rows, size_t n,
					     const char *type, const char *path)
{
	for (size_t i = 0; i < n; i++) {
		bool fits = strcmp(rows[i].type, "*") == 0 || strcmp(rows[i].type, type) == 0;
		if (fits && is_path(rows[i].path, path)) {
			return &rows[i];
		}
	}
	return NULL;
}

void gw_shelly_walk(struct gw_shelly *s, const struct gw_shelly_walk *w, const char *path,
		    const struct gw_node *node)
{
	size_t depth = 0, i = 0;
	for (const char *p = path; *p; p++) {
		depth += *p == '/';
	}
	gw_node_for(n, node)
	{
		struct gw_str key = n->key;
		char index[24];
		if (node->type == GW_NODE_LIST) {
			(void)snprintf(index, sizeof(index), "%zu", i++);
			key = gw_str(index);
		}
		const char *below = gw_draft_pointer(s->b, path, key);
		const char *member = gw_draft_printf(s->b, "%s/0", below);
		bool deeper = n->type == GW_NODE_MAP ||
			      (n->type == GW_NODE_LIST &&
			       gw_shelly_find(w->rows, w->n_rows, w->type, member));
		if (deeper && depth < MAX_DEPTH) {
			gw_shelly_walk(s, w, below, n);
		} else {
			w->fn(s, w->ctx, below, n);
		}
	}
}

/* --- messages --- */

const char *gw_shelly_topic(struct gw_shelly *s, const char *rest)
{
	return gw_draft_printf(s->b, "%s/%s", s->base, rest);
}

const char *gw_shelly_rx(struct gw_shelly *s, const char *rest, const char *codec)
{
	if (s->b->msgs->count + SPARE_MSGS >= GW_PROFILE_MSGS) {
		return NULL;
	}
	return gw_draft_rx(s->b, gw_str(gw_shelly_topic(s, rest)), codec);
}

void gw_shelly_action(struct gw_shelly *s, const char *component, const char *cap,
		      const char *topic, const char *codec, const struct gw_node *body)
{
	const char *msg =
		body && !gw_draft_has(s->b, component, cap)
			? gw_draft_fixed(s->b, gw_str(gw_shelly_topic(s, topic)), codec, body, 0)
			: NULL;
	struct gw_node *c = msg ? gw_draft_cap(s->b, component, cap) : NULL;
	if (c) {
		gw_set_text(s->b, c, "send", msg);
	}
}

static void add_presence(struct gw_shelly *s)
{
	const char *name = NULL;
	const char *lwt = gw_draft_rx(s->b, gw_str(gw_shelly_topic(s, "online")), "text");
	struct gw_node *p = lwt ? gw_draft_point(s->b, "online", &name) : NULL;
	struct gw_node *c = p ? gw_draft_point_cap(s->b, NULL, "link.online", name) : NULL;
	if (!c) {
		return;
	}
	gw_draft_ref(s->b, p, "in", lwt, "");
	struct gw_node *map = gw_set_map(s->b, p, "map");
	gw_set_bool(s->b, map, "true", true);
	gw_set_bool(s->b, map, "false", false);
	struct gw_node *presence = gw_set_map(s->b, s->b->link, "presence");
	gw_set_text(s->b, presence, "point", name);
	gw_set_bool(s->b, presence, "is", true);
}

void gw_shelly_link(struct gw_shelly *s, const char *word)
{
	gw_set_text(s->b, s->b->link, "min_gap", "50ms");
	if (s->sleepy) {
		gw_set_bool(s->b, s->b->link, "sleepy", true);
		return;
	}
	add_presence(s);
	struct gw_node *body = gw_text_node(s->b, gw_str(word));
	const char *ask = body && s->asked
				  ? gw_draft_fixed(s->b, gw_str(gw_shelly_topic(s, "command")),
						   "text", body, 0)
				  : NULL;
	struct gw_node *msg = ask ? gw_draft_msg(s->b, ask) : NULL;
	if (msg) {
		gw_set_text(s->b, msg, "reply", s->asked);
		gw_set_text(s->b, msg, "every", "5m");
		struct gw_node *on = gw_set_list(s->b, msg, "on");
		gw_add_text(s->b, on, GW_STR("bind"));
		gw_add_text(s->b, on, GW_STR("online"));
	}
}

/* --- one member --- */

static void set_map(struct gw_shelly *s, struct gw_node *point, const char *map)
{
	struct gw_node *n = gw_set_map(s->b, point, "map");
	struct gw_str rest = gw_str(map), pair;
	while (gw_str_split(&rest, '|', &pair)) {
		struct gw_str value = pair, key;
		(void)gw_str_split(&value, '=', &key); /* the tables have it */
		const char *name = gw_draft_printf(s->b, GW_STR_FMT, GW_STR_ARG(key));
		if (gw_str_is(value, "true") || gw_str_is(value, "false")) {
			gw_set_bool(s->b, n, name, gw_str_is(value, "true"));
		} else {
			gw_set_node(s->b, n, name, gw_text_node(s->b, value));
		}
	}
}

/* What a member without a capability of the model is. NULL: nothing can be said of it. */
static const char *type_of(const struct gw_shelly_io *io)
{
	if (io->field && io->field->map) {
		return strstr(io->field->map, "=true") ? "bool" : "str";
	}
	switch (io->leaf->type) {
	case GW_NODE_BOOL: return "bool";
	case GW_NODE_NUMBER: return "num";
	case GW_NODE_TEXT: return "str";
	case GW_NODE_LIST: return "list";
	case GW_NODE_MAP:
	case GW_NODE_NULL: break;
	}
	return NULL;
}

/* Of the capability: the component in which it is free, or NULL with *ret_main for main. False: nowhere. */
static bool place(struct gw_shelly *s, const struct gw_shelly_io *io, const char *id,
		  const char **ret_component)
{
	*ret_component = io->component;
	if (!gw_draft_has(s->b, io->component, id)) {
		return true;
	}
	if (io->spare && !gw_draft_has(s->b, io->spare, id)) {
		*ret_component = gw_draft_component(s->b, io->spare, io->label);
		return true;
	}
	return false;
}

static const char *add_point(struct gw_shelly *s, const struct gw_shelly_io *io)
{
	const char *name = NULL;
	struct gw_node *p = gw_draft_point(s->b, io->name, &name);
	if (!p) {
		return NULL;
	}
	for (size_t i = 0; i < io->n_in; i++) {
		gw_draft_ref(s->b, p, "in", io->in[i].msg, io->in[i].pointer);
	}
	if (io->out.msg) {
		gw_draft_ref(s->b, p, "out", io->out.msg, io->out.pointer);
	}
	const struct gw_shelly_field *f = io->field;
	if (f && f->map) {
		set_map(s, p, f->map);
	} else if (f && f->div > 0) {
		gw_set_number(s->b, p, "div", f->div);
	}
	if (io->out.msg && io->leaf->type == GW_NODE_NUMBER && f && f->cap &&
	    (strstr(f->cap, "setpoint") || gw_draft_is_extension(f->cap))) {
		gw_set_bool(s->b, p, "frac", true);
	}
	if (io->plain && !(f && f->map) && io->leaf->type == GW_NODE_NUMBER) {
		gw_set_text(s->b, p, "as", "num");
	}
	return name;
}

struct gw_node *gw_shelly_add(struct gw_shelly *s, const struct gw_shelly_io *io)
{
	struct gw_draft *b = s->b;
	const char *cap = io->field ? io->field->cap : io->name;
	if (io->field && !cap) {
		gw_import_fate(b->result, io->at, GW_FATE_HIDDEN, NULL, NULL);
		return NULL;
	}
	if (!io->field &&
	    strpbrk(io->at, "[]")) { /* it would be a selector (profile-language §7) */
		gw_import_fate(b->result, io->at, GW_FATE_UNMAPPED, NULL,
			       "a member with a bracket in its name");
		return NULL;
	}
	bool vendor = !io->field || gw_draft_is_extension(cap);
	const char *component = io->component;
	if (!vendor && !place(s, io, cap, &component)) {
		vendor = true;
		cap = gw_draft_printf(b, "x.%s", io->name);
	}
	const char *type = type_of(io);
	if (vendor && !type) {
		gw_import_fate(b->result, io->at, GW_FATE_UNMAPPED, NULL,
			       "a member that is null in the description");
		return NULL;
	}
	const char *id = vendor ? gw_draft_extension(b, component, io->field ? cap + 2 : cap) : cap;
	const char *point = io->n_in || io->out.msg ? add_point(s, io) : NULL;
	struct gw_node *c = point ? gw_draft_point_cap(b, component, id, point) : NULL;
	if (!c) {
		gw_import_fate(b->result, io->at, GW_FATE_UNMAPPED, NULL,
			       "more than a profile can have");
		return NULL;
	}
	if (vendor) {
		gw_set_text(b, c, "type", type);
	}
	if (vendor && strcmp(type, "num") == 0) {
		gw_set_number(b, c, "res", 0.001);
	}
	gw_import_fate(b->result, io->at, vendor ? GW_FATE_VENDOR : GW_FATE_STANDARD,
		       component ? gw_draft_printf(b, "%s/%s", component, id) : id, NULL);
	return c;
}

/* --- the file --- */

static int refuse(struct gw_shelly *s, const char *at, const char *text)
{
	int r = gw_error_set(s->error, -EBADMSG, "import", "%s", text);
	if (s->error) {
		(void)snprintf(s->error->at, sizeof(s->error->at), "%s", at);
	}
	return r;
}

static const struct gw_node *map_of(const struct gw_node *root, const char *key)
{
	const struct gw_node *n = gw_node_get(root, key);
	return n && n->type == GW_NODE_MAP ? n : NULL;
}

static int build(struct gw_shelly *s, const struct gw_node *root, struct gw_imported *out)
{
	const struct gw_node *shelly = map_of(root, "shelly"), *settings = map_of(root, "settings");
	s->status = map_of(root, "status");
	s->config = settings ? settings : map_of(root, "config");
	if (!shelly || !gw_node_text(shelly, "mac")) {
		return refuse(s, "/shelly/mac", "found no address, expected what /shelly answers");
	}
	if (!s->status) {
		return refuse(s, "/status", "found no map, expected the answer of the status");
	}
	int r = settings ? gw_shelly_first(s, shelly) : gw_shelly_later(s, shelly);
	if (r < 0) {
		return r == -EINVAL ? refuse(s,
					     settings ? "/settings/mqtt/id"
						      : "/config/mqtt/topic_prefix",
					     "found what cannot be part of a topic")
				    : r;
	}
	char mac[32];
	size_t n = 0;
	for (const char *p = gw_node_text(shelly, "mac"); *p && n + 1 < sizeof(mac); p++) {
		if (isalnum((unsigned char)*p)) {
			mac[n++] = (char)tolower((unsigned char)*p);
		}
	}
	mac[n] = 0;
	(void)snprintf(out->identity, sizeof(out->identity), "mac:%s", mac);
	const char *name = gw_shelly_text(shelly, "name"), *model = gw_shelly_text(shelly, "app");
	const char *fw = gw_shelly_text(shelly, settings ? "fw" : "ver");
	model = model[0] ? model : gw_shelly_text(shelly, settings ? "type" : "model");
	(void)gw_str_clean(gw_str(name[0] ? name : model), sizeof(out->name) - 1, out->name,
			   sizeof(out->name)); /* lengths unused */
	(void)gw_str_clean(gw_str(fw), sizeof(out->firmware) - 1, out->firmware,
			   sizeof(out->firmware));
	const struct gw_draft_head head = {
		.source = "shelly", .kind = "shelly_model", .vendor = "Shelly", .model = model};
	r = gw_draft_finish(s->b, &head, out);
	return r == -ENOENT  ? refuse(s, "/status", "found no component that can be read")
	       : r == -E2BIG ? refuse(s, "/status",
				      "the components need more than the 256 KiB of a profile")
			     : r;
}

struct making {
	struct gw_shelly s;
	const struct gw_node *root;
};

static int make(void *ctx, struct gw_draft *b, struct gw_imported *out)
{
	struct making *m = ctx;
	m->s.b = b;
	return build(&m->s, m->root, out);
}

static int import(const struct gw_node *root, const char *file, struct gw_import_result *ret_result,
		  struct gw_error *reterr_)
{
	struct making m = {.s = {.error = reterr_}, .root = root};
	return gw_import_draft("shelly", file, ret_result, make, &m);
}

const struct gw_file_importer gw_import_shelly = {.name = "shelly", .import = import};
