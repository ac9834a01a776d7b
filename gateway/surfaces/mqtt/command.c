/*
 * Commands over MQTT. Every command is answered on hearth/<device>/result; what is refused at once costs nobody but us, so a flood of that is
 * answered within a rate. An empty payload is never a command: it is how a retained message is cleared, and comes back to us when we clear one.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "gw/json.h"
#include "gw/log.h"
#include "surfaces/mqtt/mqtt.h"

#define COMMAND_NODES	1000
#define RESULT_BURST	500   /* results that cost nothing, at once … */
#define RESULT_EVERY_US 10000 /* … and then one each */

/* What the answer of a command needs: kept until the outcome is there. */
struct pending {
	struct mqtt_surface *s;
	struct gw_list accepted; /* in mqtt_surface.accepted */
	uint64_t command_id;
	char device[GW_ID_BYTES];
	char key[]; /* the sender's id, or "" */
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

/* --- results --- */

static void publish_result(struct mqtt_surface *s, const char *device, const char *key,
			   const struct gw_outcome *o)
{
	const struct gw_status_row *row = gw_status_row(o->status);
	GW_AUTO(gw_buf_fini) struct gw_buf topic = GW_BUF_INIT(GW_TOPIC_BYTES);
	GW_AUTO(gw_buf_fini) struct gw_buf body = GW_BUF_INIT(GW_BODY_BYTES);
	/* Not printf: this runs for every command. */
	gw_buf_puts(&topic, s->prefix);
	gw_buf_putc(&topic, '/');
	gw_buf_puts(&topic, device);
	gw_buf_puts(&topic, "/result");
	gw_buf_puts(&body, "{\"status\":");
	gw_json_write_text(&body, gw_str(row->name));
	if (o->command_id) {
		gw_buf_puts(&body, ",\"command\":");
		gw_buf_i64(&body, (int64_t)o->command_id);
	}
	const struct {
		const char *name, *value;
	} members[] = {
		{"id", key}, {"reason", o->reason}, {"address", o->address}, {"text", o->text}};
	for (size_t i = 0; i < gw_countof(members); i++) {
		if (members[i].value && members[i].value[0]) {
			gw_buf_putc(&body, ',');
			gw_json_write_text(&body, gw_str(members[i].name));
			gw_buf_putc(&body, ':');
			gw_json_write_text(&body, gw_str(members[i].value));
		}
	}
	gw_buf_putc(&body, '}');
	if (gw_buf_error(&topic) || gw_buf_error(&body) ||
	    !mqtt_publish(s, gw_buf_str(&topic), gw_buf_str(&body), /* retain= */ false)) {
		s->dropped++;
	}
}

/* For a result that cost no device anything. */
static bool take_token(struct mqtt_surface *s)
{
	int64_t now_us = gw_clock_us();
	if (s->result_us < now_us) {
		s->result_us = now_us;
	}
	if (s->result_us - now_us > (int64_t)RESULT_BURST * RESULT_EVERY_US) {
		s->dropped++;
		gw_log_warning(MQTT_LOG, "GW-MQTT-FLOOD",
			       "more commands are refused than results can be sent");
		return false;
	}
	s->result_us += RESULT_EVERY_US;
	return true;
}

static void refuse(struct mqtt_surface *s, const char *device, const char *key,
		   enum gw_status status, const char *text)
{
	struct gw_outcome o = {.status = status, .reason = "", .text = text, .address = ""};
	if (take_token(s)) {
		publish_result(s, device, key ? key : "", &o);
	}
}

static void free_pending(struct pending *p)
{
	if (!gw_list_empty(&p->accepted)) {
		gw_list_remove(&p->accepted);
		p->s->n_accepted--;
	}
	gw_free(p);
}

static void on_done(void *ctx, const struct gw_outcome *o)
{
	struct pending *p = ctx;
	struct mqtt_surface *s = p->s;
	if (!s->submitting || o->status == GW_STATUS_ACCEPTED || take_token(s)) {
		publish_result(s, p->device, p->key, o);
	}
	if (o->status != GW_STATUS_ACCEPTED) {
		free_pending(p);
		return;
	}
	/* The outcome comes as an event, maybe in an hour. */
	p->command_id = o->command_id;
	if (s->n_accepted == GW_COMMANDS_PENDING) {
		free_pending(gw_container(s->accepted.next, struct pending, accepted));
	}
	gw_list_append(&s->accepted, &p->accepted);
	s->n_accepted++;
}

void mqtt_command_settled(struct mqtt_surface *s, const struct gw_event *e)
{
	gw_list_for(pos, &s->accepted)
	{
		struct pending *p = gw_container(pos, struct pending, accepted);
		if (p->command_id == e->command_id) {
			struct gw_outcome o = {.command_id = e->command_id,
					       .status = e->status,
					       .reason = e->reason,
					       .text = gw_status_row(e->status)->text_en,
					       .address = ""};
			publish_result(s, p->device, p->key, &o);
			free_pending(p);
			return;
		}
	}
}

void mqtt_command_fini(struct mqtt_surface *s)
{
	while (s->accepted.next && !gw_list_empty(&s->accepted)) {
		free_pending(gw_container(s->accepted.next, struct pending, accepted));
	}
}

/* --- what a payload asks for --- */

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
		return p->args && p->args->type != GW_NODE_MAP ? -EINVAL : 0;
	}
	return -EINVAL;
}

/* Text as people write it: ON, 21.5, cool. What it is not stays text, and the pipeline refuses it with its reason. */
static const struct gw_node *from_text(struct gw_arena *a, const struct gw_domain *d,
				       struct gw_str text)
{
	struct gw_value v = {0};
	double number;
	switch (d->type) {
	case GW_TYPE_BOOL:
		if (gw_value_parse(text, d, &v, NULL) == 0) {
			return gw_node_new_bool(a, v.flag);
		}
		break;
	case GW_TYPE_INT:
	case GW_TYPE_NUM:
	case GW_TYPE_TIME:
		if (gw_parse_double(gw_str_trim(text), &number) == 0) {
			return gw_node_new_number(a, number);
		}
		break;
	case GW_TYPE_ENUM: text = gw_str_trim(text); break;
	case GW_TYPE_STR:
	case GW_TYPE_LIST:
	case GW_TYPE_REC:
	case GW_TYPE_NONE: break;
	}
	return gw_node_new_text(a, text);
}

static const struct gw_node *value_of(struct gw_arena *a, const struct gw_domain *d,
				      const struct gw_node *n, struct gw_str raw)
{
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_BODY_BYTES);
	if (!n) {
		return from_text(a, d, raw);
	}
	if (n->type == GW_NODE_LIST || n->type == GW_NODE_MAP || n->type == GW_NODE_NULL) {
		return n;
	}
	if (n->type == GW_NODE_TEXT) {
		return from_text(a, d, n->text);
	}
	/* 1 for a switch, 60 for a symbol or a text: as it was written. */
	return gw_node_text_form(n, &text) < 0 ? NULL : from_text(a, d, gw_buf_str(&text));
}

static int parse_property(struct gw_arena *a, const struct gw_cap_info *cap,
			  const struct gw_node *root, struct gw_str payload, struct parsed *p)
{
	const struct gw_node *value = root;
	if (root && root->type == GW_NODE_MAP) {
		value = gw_node_get(root, "value");
		if (!value && cap->domain.type == GW_TYPE_REC) {
			value = root;
		}
		if (!value) {
			return -EINVAL;
		}
	}
	value = value_of(a, &cap->domain, value, payload);
	if (!value) {
		return -ENOMEM;
	}
	p->wanted[0] = (struct gw_wanted){gw_str(cap->address), value};
	p->n_wanted = 1;
	return 0;
}

/* For an action {"args":{…},"id":…}, the map of its arguments, or any word ("PRESS"). */
static void parse_action(const struct gw_cap_info *cap, const struct gw_node *root,
			 struct parsed *p)
{
	p->action = gw_str(cap->address);
	if (root && root->type == GW_NODE_MAP) {
		const struct gw_node *args = gw_node_get(root, "args");
		p->args = args && args->type == GW_NODE_MAP ? args
			  : p->key && root->count == 1	    ? NULL
							    : root;
	}
}

/* cap NULL: the form for the whole device. */
static int parse(struct gw_arena *a, const struct gw_cap_info *cap, const struct gw_node *root,
		 struct gw_str payload, struct parsed *p)
{
	p->key = gw_node_text(root, "id");
	if (!cap) {
		return root ? parse_whole(root, p) : -EINVAL;
	}
	if (cap->kind == GW_KIND_ACTION) {
		parse_action(cap, root, p);
		return 0;
	}
	return parse_property(a, cap, root, payload, p);
}

static struct pending *new_pending(struct mqtt_surface *s, const char *device, const char *key)
{
	size_t len = strlen(key);
	struct pending *p = gw_alloc0(1, sizeof(*p) + len + 1);
	if (p) {
		p->s = s;
		gw_list_init(&p->accepted);
		(void)snprintf(p->device, sizeof(p->device), "%s", device);
		memcpy(p->key, key, len);
	}
	return p;
}

static void submit(struct mqtt_surface *s, const char *device, const struct parsed *p)
{
	/* Every client counts its ids by itself: the same id at another device is another command. */
	GW_AUTO(gw_buf_fini) struct gw_buf once = GW_BUF_INIT(GW_BODY_TEXT_BYTES + GW_ID_BYTES + 2);
	const char *key = p->key ? p->key : "";
	if (key[0]) {
		gw_buf_printf(&once, "%s %s", device, key);
	}
	struct pending *pending = new_pending(s, device, key);
	if (gw_buf_error(&once) || !pending) {
		gw_free(pending);
		return;
	}
	struct gw_command_request r = {
		.principal = &s->principal,
		.origin = "mqtt",
		.device = gw_str(pending->device),
		.wanted = p->n_wanted ? p->wanted : NULL,
		.n_wanted = p->n_wanted,
		.action = p->action,
		.args = p->args,
		.key = key[0] ? once.p : NULL,
	};
	s->submitting = true;
	if (gw_command_submit(s->gateway, &r, on_done, pending, NULL) < 0) {
		gw_free(pending);
	}
	s->submitting = false;
}

/* cap NULL: for the whole device. device is an id of the home, or may be one. */
static void run(struct mqtt_surface *s, const char *device, bool known,
		const struct gw_cap_info *cap, struct gw_str payload)
{
	static const struct gw_node_limits limits = {GW_BODY_BYTES, GW_BODY_DEPTH, COMMAND_NODES,
						     GW_BODY_TEXT_BYTES};
	struct gw_arena *arena = gw_arena_new(GW_BODY_BYTES * 8);
	if (!arena) {
		return;
	}
	struct gw_node *root = NULL;
	struct parsed parsed = {0};
	bool fits = payload.len <= GW_BODY_BYTES;
	if (fits && gw_node_parse_json(arena, payload, &limits, &root, NULL) < 0) {
		root = NULL;
	}
	if (!known) {
		refuse(s, device, gw_node_text(root, "id"), GW_STATUS_NOT_FOUND,
		       gw_device_find(s->gateway, gw_str(device))
			       ? "The device has no such capability."
			       : "There is no such device.");
	} else if (!fits) {
		refuse(s, device, NULL, GW_STATUS_INVALID, "The message is too large.");
	} else if (parse(arena, cap, root, payload, &parsed) < 0) {
		refuse(s, device, parsed.key, GW_STATUS_INVALID,
		       cap ? "Expected a value, or {\"value\": …}."
			   : "Expected {\"set\": {address: value}} or {\"action\": address, "
			     "\"args\": {}}.");
	} else {
		submit(s, device, &parsed);
	}
	gw_arena_free(arena);
}

void mqtt_command_single(struct mqtt_surface *s, const char *device, const struct gw_cap_info *cap,
			 struct gw_str payload)
{
	run(s, device, /* known= */ true, cap, payload);
}

/* --- topics --- */

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

/* R25: what may become a part of a topic. */
static bool is_id(struct gw_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789_-", s.p[i]) || !s.p[i]) {
			return false;
		}
	}
	return s.len > 0 && s.len < GW_ID_BYTES;
}

/* The inverse of mqtt_cap_levels. */
static const struct gw_cap_info *find_cap(struct gw_device *device, const struct gw_str *levels)
{
	struct gw_binding *b = gw_device_binding(device);
	char group[GW_ID_BYTES];
	char address[GW_TOPIC_BYTES];
	if (!b || levels[1].len >= sizeof(group)) {
		return NULL;
	}
	for (size_t i = 0; i < levels[1].len; i++) {
		group[i] = levels[1].p[i] == '-' ? '.' : levels[1].p[i];
	}
	int n = snprintf(address, sizeof(address), GW_STR_FMT "/%.*s." GW_STR_FMT,
			 GW_STR_ARG(levels[0]), (int)levels[1].len, group, GW_STR_ARG(levels[2]));
	if (n < 0 || (size_t)n >= sizeof(address)) {
		return NULL;
	}
	int index = gw_plan_find_cap(gw_binding_plan(b), gw_str(address));
	return index < 0 ? NULL : gw_plan_cap(gw_binding_plan(b), (size_t)index);
}

void mqtt_command_receive(struct mqtt_surface *s, const struct gw_mqtt_message *m)
{
	struct gw_str levels[6];
	if (m->topic.len <= s->prefix_len || m->payload.len == 0) {
		return;
	}
	if (m->retained) {
		/* R25: a retained command would act on every start. It is cleared, so that it does not come again. */
		gw_log_warning(MQTT_LOG, "GW-MQTT-RETAINED-SET",
			       "a retained command on " GW_STR_FMT " was ignored and cleared",
			       GW_STR_ARG(m->topic));
		(void)mqtt_publish(s, m->topic, GW_STR(""), /* retain= */ true);
		return;
	}
	size_t n = split_levels(gw_str_sub(m->topic, s->prefix_len + 1, m->topic.len), levels,
				gw_countof(levels));
	if ((n != 2 && n != 5) || !is_id(levels[0])) {
		return;
	}
	char id[GW_ID_BYTES];
	memcpy(id, levels[0].p, levels[0].len);
	id[levels[0].len] = '\0';
	struct gw_device *device = gw_device_find(s->gateway, levels[0]);
	const struct gw_cap_info *cap = device && n == 5 ? find_cap(device, levels + 1) : NULL;
	run(s, id, device && (n == 2 || cap), cap, m->payload);
}
