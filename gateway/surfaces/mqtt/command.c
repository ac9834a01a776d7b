#include "surfaces/mqtt/mqtt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "gw/json.h"
#include "gw/log.h"

#define TOPIC	      "mqtt-surface"
#define COMMAND_NODES 1000

/* What the answer of a command needs: kept until the outcome is there. */
struct pending {
	struct mqtt_surface *s;
	char device[GW_ID_BYTES];
	char key[GW_ID_BYTES]; /* the sender's id, or "" */
};

int mqtt_command_subscribe(struct mqtt_surface *s)
{
	static const char *const tails[] = {"/+/+/+/+/set", "/+/set"};
	for (size_t i = 0; i < gw_countof(tails); i++) {
		GW_AUTO(gw_buf_fini) struct gw_buf filter = GW_BUF_INIT(GW_TOPIC_BYTES);
		gw_buf_printf(&filter, "%s%s", s->prefix, tails[i]);
		int r = gw_buf_error(&filter);
		r = r ? r : gw_mqtt_link_subscribe(s->link, gw_buf_str(&filter), 1);
		if (r) {
			return r;
		}
	}
	return 0;
}

static void publish_result(struct mqtt_surface *s, const char *device, const char *key,
			   const struct gw_outcome *o)
{
	const struct gw_status_row *row = gw_status_row(o->status);
	GW_AUTO(gw_buf_fini) struct gw_buf topic = GW_BUF_INIT(GW_TOPIC_BYTES);
	GW_AUTO(gw_buf_fini) struct gw_buf body = GW_BUF_INIT(4096);
	gw_buf_printf(&topic, "%s/%s/result", s->prefix, device);
	gw_buf_puts(&body, "{\"status\":");
	gw_json_write_text(&body, gw_str(row->name));
	gw_buf_printf(&body, ",\"command\":%llu", (unsigned long long)o->command_id);
	const struct {
		const char *name, *value;
	} members[] = {
		{"id", key}, {"reason", o->reason}, {"address", o->address}, {"text", o->text}};
	for (size_t i = 0; i < gw_countof(members); i++) {
		if (members[i].value && members[i].value[0]) {
			gw_buf_printf(&body, ",\"%s\":", members[i].name);
			gw_json_write_text(&body, gw_str(members[i].value));
		}
	}
	gw_buf_putc(&body, '}');
	if (gw_buf_error(&topic) || gw_buf_error(&body) ||
	    gw_mqtt_link_publish(s->link, gw_buf_str(&topic), gw_buf_str(&body), 0,
				 /* retain= */ false, NULL) < 0) {
		s->dropped++;
	}
}

static void on_done(void *ctx, const struct gw_outcome *o)
{
	struct pending *p = ctx;
	publish_result(p->s, p->device, p->key, o);
	gw_free(p);
}

static void refuse(struct mqtt_surface *s, const char *device, enum gw_status status,
		   const char *text)
{
	struct gw_outcome o = {.status = status, .reason = "", .text = text, .address = ""};
	publish_result(s, device, "", &o);
}

struct parsed {
	struct gw_wanted wanted[64];
	size_t n_wanted;
	struct gw_str action;
	const struct gw_node *args;
	const char *key;
};

/* hearth/<device>/set: {"set":{…}} or {"action":…,"args":{…}}, both with an optional "id". */
static int parse_whole(const struct gw_node *root, struct parsed *p)
{
	const struct gw_node *set = gw_node_get(root, "set");
	const struct gw_node *action = gw_node_get(root, "action");
	p->key = gw_node_text(root, "id");
	if (set && set->type == GW_NODE_MAP && !action && set->count > 0 &&
	    set->count <= gw_countof(p->wanted)) {
		gw_node_for(v, set)
		{
			p->wanted[p->n_wanted++] = (struct gw_wanted){v->key, v};
		}
		return 0;
	}
	if (action && action->type == GW_NODE_TEXT && !set) {
		p->action = action->text;
		p->args = gw_node_get(root, "args");
		return 0;
	}
	return -EINVAL;
}

/*
 * …/<component>/<group>/<name>/set. For a property the payload is {"value":…,"id":…}, a JSON value, or text as people write it ("ON",
 * "cool", "21.5"); for an action it is the map of arguments, or nothing.
 */
static int parse_single(struct gw_arena *a, const struct gw_cap_info *cap,
			const struct gw_node *root, struct gw_str payload, struct parsed *p)
{
	const struct gw_node *value = root;
	if (root && root->type == GW_NODE_MAP) {
		p->key = gw_node_text(root, "id");
		value = gw_node_get(root, "value");
	}
	if (cap->kind == GW_KIND_ACTION) {
		p->action = gw_str(cap->address);
		const struct gw_node *args = gw_node_get(root, "args");
		p->args = args ? args : root && root->type == GW_NODE_MAP && !p->key ? root : NULL;
		return 0;
	}
	if (!value || (value->type == GW_NODE_TEXT && cap->domain.type == GW_TYPE_BOOL)) {
		struct gw_value v = {0};
		struct gw_str text = value ? value->text : payload;
		GW_AUTO(gw_buf_fini) struct gw_buf json = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
		if (gw_value_parse(text, &cap->domain, &v, NULL) < 0) {
			/* The pipeline refuses it with its reason; it needs a value to speak of. */
			value = gw_node_new_text(a, text);
		} else {
			struct gw_node *n = NULL;
			gw_value_write_json(&json, &v, cap->domain.res);
			int r = gw_node_parse_json(a, gw_buf_str(&json), NULL, &n, NULL);
			value = r == 0 ? n : NULL;
			gw_value_fini(&v);
		}
	}
	if (!value) {
		return -ENOMEM;
	}
	p->wanted[0] = (struct gw_wanted){gw_str(cap->address), value};
	p->n_wanted = 1;
	return 0;
}

static const struct gw_cap_info *find_cap(struct gw_device *device, const struct gw_str *levels)
{
	struct gw_binding *b = gw_device_binding(device);
	if (!b) {
		return NULL;
	}
	char address[GW_TOPIC_BYTES];
	int n = snprintf(address, sizeof(address), GW_STR_FMT "/" GW_STR_FMT "." GW_STR_FMT,
			 GW_STR_ARG(levels[0]), GW_STR_ARG(levels[1]), GW_STR_ARG(levels[2]));
	if (n < 0 || (size_t)n >= sizeof(address)) {
		return NULL;
	}
	int index = gw_plan_find_cap(gw_binding_plan(b), gw_str(address));
	return index < 0 ? NULL : gw_plan_cap(gw_binding_plan(b), (size_t)index);
}

static void submit(struct mqtt_surface *s, const char *device, const struct parsed *p)
{
	struct pending *pending = gw_new(struct pending);
	if (!pending) {
		return;
	}
	pending->s = s;
	(void)snprintf(pending->device, sizeof(pending->device), "%s", device);
	(void)snprintf(pending->key, sizeof(pending->key), "%s", p->key ? p->key : "");
	struct gw_command_request r = {
		.principal = &s->principal,
		.origin = "mqtt",
		.device = gw_str(pending->device),
		.wanted = p->n_wanted ? p->wanted : NULL,
		.n_wanted = p->n_wanted,
		.action = p->action,
		.args = p->args,
		.key = p->key,
	};
	if (gw_command_submit(s->gateway, &r, on_done, pending, NULL) < 0) {
		gw_free(pending);
	}
}

/* Levels after the prefix: device, [component, group, name,] "set". */
static size_t split_levels(struct gw_str rest, struct gw_str *levels, size_t max)
{
	size_t n = 0;
	struct gw_str level;
	while (n < max && gw_str_split(&rest, '/', &level)) {
		levels[n++] = level;
	}
	return n;
}

void mqtt_command_receive(struct mqtt_surface *s, const struct gw_mqtt_message *m)
{
	struct gw_str levels[6];
	if (m->retained || m->topic.len <= s->prefix_len) {
		/* R25: a retained command would act on every start. It is cleared, so that it does not come again. */
		if (m->retained && m->payload.len > 0) {
			gw_log_warning(TOPIC, "GW-MQTT-RETAINED-SET",
				       "a retained command on " GW_STR_FMT
				       " was ignored and cleared",
				       GW_STR_ARG(m->topic));
			gw_ignore(gw_mqtt_link_publish(s->link, m->topic, GW_STR(""), 0,
						       /* retain= */ true, NULL));
		}
		return;
	}
	size_t n = split_levels(gw_str_sub(m->topic, s->prefix_len + 1, m->topic.len), levels,
				gw_countof(levels));
	if ((n != 2 && n != 5) || levels[0].len >= GW_ID_BYTES) {
		return;
	}
	char id[GW_ID_BYTES];
	memcpy(id, levels[0].p, levels[0].len);
	id[levels[0].len] = '\0';
	struct gw_device *device = gw_device_find(s->gateway, levels[0]);
	const struct gw_cap_info *cap = device && n == 5 ? find_cap(device, levels + 1) : NULL;
	if (!device || (n == 5 && !cap)) {
		refuse(s, id, GW_STATUS_NOT_FOUND,
		       device ? "the device has no such capability" : "no such device");
		return;
	}
	struct gw_arena *arena = gw_arena_new(GW_BODY_BYTES * 8);
	if (!arena) {
		return;
	}
	struct gw_node_limits limits = {GW_BODY_BYTES, GW_BODY_DEPTH, COMMAND_NODES,
					GW_BODY_TEXT_BYTES};
	struct gw_node *root = NULL;
	bool json = gw_node_parse_json(arena, m->payload, &limits, &root, NULL) == 0;
	struct parsed parsed = {0};
	int r = n == 5 ? parse_single(arena, cap, json ? root : NULL, m->payload, &parsed)
		: json ? parse_whole(root, &parsed)
		       : -EINVAL;
	if (r) {
		refuse(s, id, GW_STATUS_INVALID,
		       "expected {\"set\":{address: value}} or {\"action\": address, \"args\":{}}");
	} else {
		submit(s, id, &parsed);
	}
	gw_arena_free(arena);
}
