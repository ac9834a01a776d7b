/*
 * Tasmota's own discovery: retained tasmota/discovery/<MAC>/config and …/sensors, in either order (open-protocols.md §A3). The
 * configuration makes the profile; the sensors join it when they are known.
 */
#include "profile/import/tasmota.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "profile/import/importer.h"

#define ARENA_BYTES (8 * 1024 * 1024)

static const char *const filters[] = {"tasmota/discovery/+/config", "tasmota/discovery/+/sensors",
				      NULL};

double gw_tas_item(const struct gw_tas *t, const char *list, size_t index, double fallback)
{
	const struct gw_node *n = gw_node_at(gw_node_get(t->config, list), index);
	return n && n->type == GW_NODE_NUMBER ? n->number : fallback;
}

bool gw_tas_option(const struct gw_tas *t, const char *number)
{
	const struct gw_node *so = gw_node_get(t->config, "so");
	const struct gw_node *n = so ? gw_node_get(so, number) : NULL;
	return n && n->type == GW_NODE_NUMBER && n->number != 0;
}

static void add_answer(struct gw_tas *t, const char *command)
{
	char word[64];
	size_t n = 0;
	for (; command[n] && n + 1 < sizeof(word); n++) {
		word[n] = (char)toupper((unsigned char)command[n]);
	}
	word[n] = 0;
	gw_draft_rx_also(t->b, t->result, gw_str(gw_draft_printf(t->b, "%s%s", t->stat, word)));
}

struct gw_node *gw_tas_point(struct gw_tas *t, const char *hint, const char *pointer,
			     const char *command, const char **ret_name)
{
	const char *out = NULL;
	if (command) {
		const char *topic = gw_draft_printf(t->b, "%s%s", t->cmnd, command);
		out = gw_draft_tx(t->b, gw_str(topic), "text", NULL, "", 0);
		if (!out) {
			return NULL;
		}
	}
	/* SetOption4: the answer comes under the command's own word. */
	if (command && pointer && gw_tas_option(t, "4")) {
		add_answer(t, command);
	}
	struct gw_node *p = gw_draft_point(t->b, hint, ret_name);
	if (p && pointer) {
		gw_draft_ref(t->b, p, "in", t->state, pointer);
		gw_draft_ref(t->b, p, "in", t->result, pointer);
	}
	if (p && out) {
		gw_draft_ref(t->b, p, "out", out, "");
	}
	return p;
}

void gw_tas_action(struct gw_tas *t, const char *component, const char *id, const char *word,
		   const char *payload)
{
	struct gw_node *body = gw_text_node(t->b, gw_str(payload));
	const char *topic = gw_draft_printf(t->b, "%s%s", t->cmnd, word);
	const char *msg = body ? gw_draft_fixed(t->b, gw_str(topic), "text", body, 0) : NULL;
	struct gw_node *c = msg ? gw_draft_cap(t->b, component, id) : NULL;
	if (c) {
		gw_set_text(t->b, c, "send", msg);
	}
}

/* --- topics --- */

static const char *config_text(const struct gw_tas *t, const char *key)
{
	const char *text = gw_node_text(t->config, key);
	return text ? text : "";
}

/* ft with its tokens: %prefix%/%topic%/ → cmnd/plug/ */
static const char *full_topic(struct gw_tas *t, size_t prefix, const char *fallback)
{
	const struct gw_node *tp = gw_node_at(gw_node_get(t->config, "tp"), prefix);
	const struct {
		const char *token, *value;
	} tokens[] = {
		{"%prefix%", tp && tp->type == GW_NODE_TEXT ? tp->text.p : fallback},
		{"%topic%", config_text(t, "t")},
		{"%hostname%", config_text(t, "hn")},
		{"%id%", config_text(t, "mac")},
	};
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(GW_TOPIC_BYTES * 4);
	const char *p = config_text(t, "ft");
	while (*p) {
		size_t i = 0;
		while (i < gw_countof(tokens) && !gw_str_starts(gw_str(p), tokens[i].token)) {
			i++;
		}
		if (i < gw_countof(tokens)) {
			gw_buf_puts(&b, tokens[i].value);
			p += strlen(tokens[i].token);
		} else {
			gw_buf_putc(&b, *p++);
		}
	}
	bool slash = b.len > 0 && b.p[b.len - 1] == '/';
	return gw_draft_printf(t->b, GW_STR_FMT "%s", GW_STR_ARG(gw_buf_str(&b)), slash ? "" : "/");
}

/* The level that is the device: the topic, else the address or host name when those stand in the full topic. */
static bool choose_identity(struct gw_tas *t)
{
	static const struct {
		const char *token, *key;
	} levels[] = {{"%topic%", "t"}, {"%id%", "mac"}, {"%hostname%", "hn"}};
	const char *ft = config_text(t, "ft");
	for (size_t i = 0; i < gw_countof(levels); i++) {
		struct gw_str value = gw_str(config_text(t, levels[i].key)), rest = value,
			      last = value;
		if (!strstr(ft, levels[i].token)) {
			continue;
		}
		while (gw_str_split(&rest, '/', &value)) {
			last = value;
		}
		if (gw_draft_is_level(last)) {
			gw_draft_identity(t->b, last);
			return true;
		}
	}
	return false;
}

/* --- the profile --- */

static void add_presence(struct gw_tas *t)
{
	const char *name = NULL;
	const char *topic = gw_draft_printf(t->b, "%sLWT", t->tele);
	const char *lwt = gw_draft_rx(t->b, gw_str(topic), "text");
	struct gw_node *p = lwt ? gw_draft_point(t->b, "online", &name) : NULL;
	if (!p) {
		return;
	}
	struct gw_node *map = gw_set_map(t->b, p, "map");
	const char *on = config_text(t, "onln"), *off = config_text(t, "ofln");
	gw_draft_ref(t->b, p, "in", lwt, "");
	gw_set_bool(t->b, map, on[0] ? on : "Online", true);
	gw_set_bool(t->b, map, off[0] ? off : "Offline", false);
	struct gw_node *presence = gw_set_map(t->b, t->b->link, "presence");
	gw_set_text(t->b, presence, "point", name);
	gw_set_bool(t->b, presence, "is", true);
	struct gw_node *c = gw_draft_point_cap(t->b, NULL, "link.online", name);
	if (c) {
		gw_set_bool(t->b, c, "ro", true);
	}
}

static void add_common(struct gw_tas *t)
{
	static const struct {
		const char *id, *hint, *pointer;
	} values[] = {{"link.rssi", "signal", "/Wifi/Signal"},
		      {"device.uptime", "uptime", "/UptimeSec"}};
	for (size_t i = 0; i < gw_countof(values); i++) {
		const char *name = NULL;
		struct gw_node *p = gw_tas_point(t, values[i].hint, values[i].pointer, NULL, &name);
		struct gw_node *c = p ? gw_draft_point_cap(t->b, NULL, values[i].id, name) : NULL;
		if (c) {
			gw_set_bool(t->b, c, "ro", true);
		}
	}
	gw_tas_action(t, NULL, "device.restart", "Restart", "1");
}

/* Asks for the state when the device is bound and when it comes back. */
static void add_ask(struct gw_tas *t, const char *word, const char *payload, const char *reply)
{
	struct gw_node *body = gw_text_node(t->b, gw_str(payload));
	const char *topic = gw_draft_printf(t->b, "%s%s", t->cmnd, word);
	const char *ask =
		body && reply ? gw_draft_fixed(t->b, gw_str(topic), "text", body, 0) : NULL;
	struct gw_node *msg = ask ? gw_draft_msg(t->b, ask) : NULL;
	if (msg) {
		gw_set_text(t->b, msg, "reply", reply);
		struct gw_node *on = gw_set_list(t->b, msg, "on");
		gw_add_text(t->b, on, GW_STR("bind"));
		gw_add_text(t->b, on, GW_STR("online"));
	}
}

static bool add_messages(struct gw_tas *t, bool sensors)
{
	const struct {
		const char **ret;
		const char *base, *word;
	} msgs[] = {{&t->state, t->tele, "STATE"},
		    {&t->result, t->stat, "RESULT"},
		    {&t->sensor, t->tele, "SENSOR"}};
	for (size_t i = 0; i < gw_countof(msgs); i++) {
		const char *topic = gw_draft_printf(t->b, "%s%s", msgs[i].base, msgs[i].word);
		*msgs[i].ret = gw_draft_rx(t->b, gw_str(topic), "json");
		if (!*msgs[i].ret) {
			return false;
		}
	}
	if (sensors) {
		const char *topic = gw_draft_printf(t->b, "%sSTATUS10", t->stat);
		t->status10 = gw_draft_rx(t->b, gw_str(topic), "json");
	}
	return true;
}

static int build(struct gw_draft *b, const struct gw_node *config, const struct gw_node *sn,
		 struct gw_imported *out)
{
	struct gw_tas t = {.b = b, .config = config};
	const struct gw_node *sleep = gw_node_get(config, "dslp"),
			     *bat = gw_node_get(config, "bat");
	bool sleepy = sleep && sleep->type == GW_NODE_NUMBER && sleep->number > 0;
	t.cmnd = full_topic(&t, 0, "cmnd");
	t.stat = full_topic(&t, 1, "stat");
	t.tele = full_topic(&t, 2, "tele");
	if (!choose_identity(&t) || !add_messages(&t, sn && sn->count > 0)) {
		return b->failed ? -ENOMEM : -EINVAL;
	}
	b->hints |= bat && bat->type == GW_NODE_NUMBER && bat->number > 0 ? GW_HINT_BATTERY : 0;
	gw_tas_sensors(&t, sn);
	gw_tas_parts(&t);
	if (b->caps->count == 0 && b->components->count == 0) {
		gw_draft_note(b, "neither relays nor sensors");
	}
	add_presence(&t);
	add_common(&t);
	if (sleepy) {
		gw_set_bool(b, b->link, "sleepy", true);
	} else {
		add_ask(&t, "STATE", "", t.result);
		add_ask(&t, "STATUS", "10", t.status10);
	}
	const struct gw_draft_head head = {.source = "tasmota",
					   .kind = "tasmota_module",
					   .vendor = "Tasmota",
					   .model = config_text(&t, "md")};
	return gw_draft_finish(b, &head, out);
}

/* --- messages --- */

struct source {
	struct gw_str mac;
	bool sensors;
};

static bool parse_topic(struct gw_str topic, struct source *ret)
{
	static const char *const prefix = "tasmota/discovery/";
	if (!gw_str_starts(topic, prefix)) {
		return false;
	}
	struct gw_str rest = gw_str_sub(topic, strlen(prefix), topic.len), mac;
	(void)gw_str_split(&rest, '/', &mac); /* what is left is checked below */
	bool config = rest.p && gw_str_is(rest, "config");
	ret->mac = mac;
	ret->sensors = rest.p && gw_str_is(rest, "sensors");
	if (mac.len != 12 || (!config && !ret->sensors)) {
		return false;
	}
	for (size_t i = 0; i < mac.len; i++) {
		if (!isxdigit((unsigned char)mac.p[i])) {
			return false;
		}
	}
	return true;
}

/* Why a configuration is ignored (§A3 rules); NULL: it is used. */
static const char *refusal(const struct gw_node *root, const struct source *s)
{
	static const char *const mandatory[] = {"t",  "ft",    "tp",   "mac", "rl",
						"so", "state", "onln", "ofln"};
	if (root->type != GW_NODE_MAP) {
		return "the payload is no JSON object";
	}
	const struct gw_node *ver = gw_node_get(root, "ver");
	if (s->sensors) {
		const struct gw_node *sn = gw_node_get(root, "sn");
		return sn && sn->type == GW_NODE_MAP ? NULL : "sn is missing";
	}
	if (!ver || ver->type != GW_NODE_NUMBER || ver->number != 1) {
		return "ver is not 1";
	}
	for (size_t i = 0; i < gw_countof(mandatory); i++) {
		if (!gw_node_get(root, mandatory[i])) {
			return "a mandatory key is missing";
		}
	}
	const char *mac = gw_node_text(root, "mac");
	return mac && gw_str_is(s->mac, mac) ? NULL : "mac is not the one of the topic";
}

static const struct gw_node_limits limits = {
	.max_bytes = GW_BODY_BYTES, .max_depth = GW_BODY_DEPTH, .max_nodes = GW_BODY_NODES};

static struct gw_node *parse_part(struct gw_arena *a, const struct gw_part *p)
{
	struct gw_node *root = NULL;
	if (p && gw_node_parse_json(a, gw_str(p->text), &limits, &root, /* reterr_= */ NULL) < 0) {
		return NULL; /* it was parsed when it came: only memory can be missing */
	}
	return root;
}

static void set_text(char *to, size_t cap, const char *from)
{
	(void)gw_str_clean(gw_str(from ? from : ""), cap - 1, to, cap); /* length unused */
}

static int rebuild(struct gw_part_device *d, struct gw_arena *a, struct gw_import_result *result)
{
	struct gw_draft b;
	const struct gw_part *part = gw_part_get(d, GW_STR("config"));
	struct gw_node *config = parse_part(a, part);
	struct gw_node *sensors = parse_part(a, gw_part_get(d, GW_STR("sensors")));
	if (!config) {
		return part ? -ENOMEM : gw_part_removed(d, result);
	}
	struct gw_imported *out = gw_import_add(result);
	int r = out ? gw_draft_init(&b, a, "tasmota", result) : -ENOMEM;
	if (r < 0) {
		return r;
	}
	snprintf(out->identity, sizeof(out->identity), "%s", d->identity);
	set_text(out->name, sizeof(out->name), gw_node_text(config, "dn"));
	set_text(out->firmware, sizeof(out->firmware), gw_node_text(config, "sw"));
	r = build(&b, config, sensors ? gw_node_get(sensors, "sn") : NULL, out);
	if (r == 0) {
		gw_part_emit(d, result);
		return 0;
	}
	gw_imported_fini(out);
	result->n_devices--;
	if (r == -EINVAL) {
		gw_import_note(result, d->identity, "its topic does not name the device");
	}
	return r == -ENOMEM ? r : gw_part_removed(d, result);
}

static int read_message(struct gw_importer *i, struct gw_arena *a, const struct source *s,
			struct gw_str payload, struct gw_import_result *result,
			struct gw_error *reterr_)
{
	char identity[32] = "mac:";
	struct gw_str key = s->sensors ? GW_STR("sensors") : GW_STR("config");
	for (size_t k = 0; k < s->mac.len; k++) {
		identity[4 + k] = (char)tolower((unsigned char)s->mac.p[k]);
	}
	struct gw_part_device *d = gw_part_find(i, identity);
	if (payload.len == 0) {
		if (!d || !gw_part_remove(i, d, key)) {
			return 0;
		}
		int gone = rebuild(d, a, result);
		if (gone == 0 && d->n_parts == 0) {
			gw_part_forget(i, d);
		}
		return gone;
	}
	struct gw_node *root;
	int r = gw_node_parse_json(a, payload, &limits, &root, reterr_);
	const char *why = r < 0 ? "the payload is no JSON object" : refusal(root, s);
	if (r == -ENOMEM) {
		return r;
	}
	if (why) {
		return gw_error_set(reterr_, -EBADMSG, "import", "%s", why);
	}
	r = gw_part_put(i, identity, key, payload, &d);
	return r < 0 ? r : rebuild(d, a, result);
}

static int message(struct gw_importer *i, struct gw_str topic, struct gw_str payload,
		   struct gw_import_result *ret_result, struct gw_error *reterr_)
{
	struct gw_import_result result = {.devices = NULL};
	struct source s;
	if (!parse_topic(topic, &s)) {
		return gw_error_set(reterr_, -EBADMSG, "import",
				    "the topic is not tasmota/discovery/<MAC>/config or sensors");
	}
	struct gw_arena *a = gw_arena_new(ARENA_BYTES);
	int r = a ? read_message(i, a, &s, payload, &result, reterr_) : -ENOMEM;
	gw_arena_free(a);
	if (r < 0) {
		gw_import_result_fini(&result);
		return r == -ENOMEM ? gw_error_set(reterr_, r, "memory", "out of memory") : r;
	}
	*ret_result = result;
	return 0;
}

const struct gw_importer_class gw_importer_tasmota = {
	.name = "tasmota",
	.filters = filters,
	.message = message,
};
