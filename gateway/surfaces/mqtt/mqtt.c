/*
 * MQTT surface: the home as topics, through any broker.
 *
 *   hearth/status                                     "online" / "offline" (retained, will)
 *   hearth/<device>/state                             one JSON document per device (retained, QoS 0)
 *   hearth/<device>/event                             {"address":…,"value":…,"time":…} as events happen
 *   hearth/<device>/<component>/<group>/<name>/set    a value, or {"value":…,"id":…}; for actions the arguments, or any word
 *   hearth/<device>/set                               {"set":{address: value,…},"id":…} or {"action":…,"args":{…},"id":…}
 *   hearth/<device>/result                            the outcome of a command, with its id
 *
 * and, for controllers that read a vocabulary of their own:
 *
 *   homeassistant/device/hearth_<device>/config       Home Assistant discovery, see ha.c
 *   homie/5/hearth-<device>/…                         Homie 5, see homie.c
 *
 * Topic levels are [a-z0-9_-] only: `thermostat.setpoint` is thermostat/setpoint. The store of the gateway is the truth; the whole state is
 * published anew after every connect (security rule R25), and a ledger makes sure that nothing stale stays retained.
 */
#include "surfaces/mqtt/mqtt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/json.h"
#include "gw/log.h"
#include "gw/topic.h"

#define RETRY_MS 250 /* after the broker was choked */

static const struct gw_option options[] = {
	{"prefix", GW_OPTION_TEXT, offsetof(struct mqtt_surface, prefix), "hearth", 0, 0, 0,
	 "First level of every topic."},
	{"rights", GW_OPTION_TEXT, offsetof(struct mqtt_surface, rights), "operate", 0, 0, 0,
	 "What commands over MQTT may do: see (none), operate, or critical (locks, gas, doors)."},
	{"homeassistant", GW_OPTION_BOOL, offsetof(struct mqtt_surface, homeassistant), "true", 0,
	 0, 0, "Announce every device to Home Assistant."},
	{"discovery_prefix", GW_OPTION_TEXT, offsetof(struct mqtt_surface, discovery_prefix),
	 "homeassistant", 0, 0, 0, "First level of Home Assistant's discovery topics."},
	{"homie", GW_OPTION_BOOL, offsetof(struct mqtt_surface, homie_on), "false", 0, 0, 0,
	 "Publish every device by the Homie 5 convention too."},
	{"homie_domain", GW_OPTION_TEXT, offsetof(struct mqtt_surface, homie_domain), "homie", 0, 0,
	 0, "First level of the Homie topics."},
	{0},
};

/* --- what all files of this surface use --- */

void mqtt_cap_levels(struct gw_buf *b, const struct gw_cap_info *cap)
{
	const char *name = strrchr(cap->id, '.');
	gw_buf_puts(b, cap->component);
	gw_buf_putc(b, '/');
	for (const char *p = cap->id; p != name; p++) {
		gw_buf_putc(b, *p == '.' ? '-' : *p);
	}
	gw_buf_putc(b, '/');
	gw_buf_puts(b, name + 1);
}

bool mqtt_may_command(struct mqtt_surface *s, const struct gw_device *d,
		      const struct gw_cap_info *cap)
{
	return (cap->writable || cap->invokable) &&
	       gw_access_decide(s->gateway, &s->principal, gw_access_action(cap), d) ==
		       GW_STATUS_DONE;
}

/* FNV-1a: nobody but ourselves chooses what goes in. */
uint64_t mqtt_digest(struct gw_str s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < s.len; i++) {
		h = (h ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
	}
	return h ? h : 1;
}

bool mqtt_publish(struct mqtt_surface *s, struct gw_str topic, struct gw_str payload, bool retain)
{
	int r = gw_mqtt_link_publish(s->link, topic, payload, 0, retain, NULL);
	if (r == -ENOBUFS || r == -ENOTCONN) {
		return false;
	}
	s->dropped += r < 0; /* too large for any broker: trying again would not help */
	return true;
}

/* --- devices --- */

static struct mqtt_device *device_of(const struct mqtt_surface *s, const struct gw_device *d)
{
	return gw_device_surface_data(d, s->surface->data_slot);
}

static void mark(struct gw_list *list, struct gw_list *node)
{
	if (gw_list_empty(node)) {
		gw_list_append(list, node);
	}
}

static void free_device(void *p)
{
	struct mqtt_device *d = p;
	gw_list_remove(&d->dirty);
	gw_list_remove(&d->config);
	gw_plan_unref(d->plan);
	gw_free(d->vacuum_topic);
	gw_free(d->state_topic);
	gw_free(d);
}

/* What the home wants to have retained for this device, and nothing else. */
static void note_topics(struct mqtt_surface *s, struct mqtt_device *d)
{
	mqtt_ledger_doubt(s->ledger, gw_str(d->id));
	mqtt_ledger_note(s->ledger, gw_str(d->id), gw_str(d->state_topic));
	if (s->homeassistant) {
		mqtt_ha_note(s, d);
	}
	if (s->homie) {
		mqtt_homie_note(s->homie, d);
	}
}

static void device_changed(struct mqtt_surface *s, struct mqtt_device *d)
{
	if (s->homie) {
		mqtt_homie_changed(s->homie, d);
	}
	note_topics(s, d);
	mark(&s->dirty, &d->dirty);
	if (s->homeassistant) {
		mark(&s->configs, &d->config);
	}
}

static int add_device(struct mqtt_surface *s, struct gw_device *device)
{
	struct gw_device_info info;
	gw_device_info(device, &info);
	struct mqtt_device *d = gw_new(struct mqtt_device);
	if (!d) {
		return -ENOMEM;
	}
	gw_list_init(&d->dirty);
	gw_list_init(&d->config);
	d->device = device;
	(void)snprintf(d->id, sizeof(d->id), "%s", info.id);
	GW_AUTO(gw_buf_fini) struct gw_buf topic = GW_BUF_INIT(GW_TOPIC_BYTES + 1);
	gw_buf_printf(&topic, "%s/%s/state", s->prefix, info.id);
	d->state_topic = gw_buf_take(&topic);
	if (!d->state_topic || gw_map_put(s->devices, gw_str(d->id), d) < 0) {
		free_device(d);
		return -ENOMEM;
	}
	gw_device_set_surface_data(device, s->surface->data_slot, d);
	int r = s->homie ? mqtt_homie_add(s->homie, d) : 0;
	device_changed(s, d);
	return r;
}

/* With an acknowledgement: nobody says it again when it gets lost. */
static int clear_topic(void *ctx, struct gw_str topic)
{
	struct mqtt_surface *s = ctx;
	int message = 0;
	int r = gw_mqtt_link_publish(s->link, topic, GW_STR(""), 1, /* retain= */ true, &message);
	return r == 0 ? message : r == -ENOBUFS || r == -ENOTCONN ? r : 0;
}

static void remove_device(struct mqtt_surface *s, const char *id)
{
	struct mqtt_device *d = gw_map_remove(s->devices, gw_str(id));
	if (!d) {
		return;
	}
	if (s->homie) {
		mqtt_homie_remove(s->homie, d);
	}
	mqtt_ledger_doubt(s->ledger, gw_str(id));
	free_device(d);
}

/* --- bus --- */

static void publish_event(struct mqtt_surface *s, const struct gw_event *e)
{
	GW_AUTO(gw_buf_fini) struct gw_buf topic = GW_BUF_INIT(GW_TOPIC_BYTES + 1);
	GW_AUTO(gw_buf_fini) struct gw_buf body = GW_BUF_INIT(GW_BODY_BYTES);
	gw_buf_printf(&topic, "%s/%s/event", s->prefix, e->device_id);
	gw_buf_puts(&body, "{\"address\":");
	gw_json_write_text(&body, gw_str(e->cap->address));
	gw_buf_puts(&body, ",\"value\":");
	gw_value_write_json(&body, &e->value, e->cap->domain.res);
	gw_buf_printf(&body, ",\"time\":%lld}", (long long)e->time_wall_ms);
	if (gw_buf_error(&topic) || gw_buf_error(&body) ||
	    !mqtt_publish(s, gw_buf_str(&topic), gw_buf_str(&body), /* retain= */ false)) {
		s->dropped++; /* an event of the past is nothing to say later (R11) */
	}
}

/* The names of rooms go into the documents for Home Assistant. */
static void look_at_rooms(struct mqtt_surface *s)
{
	GW_AUTO(gw_buf_fini) struct gw_buf names = GW_BUF_INIT(MQTT_DOC_BYTES);
	struct gw_room_info room;
	for (size_t i = 0; gw_room_at(s->gateway, i, &room); i++) {
		gw_buf_printf(&names, "%s %s\n", room.id, room.name);
	}
	uint64_t now = mqtt_digest(gw_buf_str(&names));
	if (now == s->rooms) {
		return;
	}
	s->rooms = now;
	size_t pos = 0;
	struct gw_str id;
	void *device;
	while (gw_map_next(s->devices, &pos, &id, &device)) {
		mark(&s->configs, &((struct mqtt_device *)device)->config);
	}
}

static void on_event(struct gw_listener *l, const struct gw_event *e)
{
	struct mqtt_surface *s = gw_container(l, struct mqtt_surface, listener);
	struct mqtt_device *d = e->device ? device_of(s, e->device) : NULL;
	switch (e->type) {
	case GW_EVENT_PROPERTY:
		if (d) {
			mark(&s->dirty, &d->dirty);
			if (s->homie) {
				mqtt_homie_property(s->homie, d, e->index);
			}
		}
		break;
	case GW_EVENT_HAPPENED:
		if (s->up && d) {
			publish_event(s, e);
		}
		if (s->homie && d) {
			mqtt_homie_happened(s->homie, d, e);
		}
		break;
	case GW_EVENT_DEVICE_ADDED:
		if (e->device && !d && add_device(s, e->device) < 0) {
			gw_log_error(MQTT_LOG, "GW-MQTT-MEMORY",
				     "out of memory: %s is not on MQTT until the next start",
				     e->device_id);
		}
		break;
	case GW_EVENT_DEVICE_CHANGED:
		if (d) {
			device_changed(s, d);
		}
		break;
	case GW_EVENT_DEVICE_REMOVED: remove_device(s, e->device_id); break;
	case GW_EVENT_HOME:
		if (s->homeassistant) {
			look_at_rooms(s);
		}
		break;
	case GW_EVENT_COMMAND: mqtt_command_settled(s, e); break;
	case GW_EVENT_CANDIDATE:
	case GW_EVENT_TYPES: break;
	}
}

/* False: down or choked. What is dirty stays so, and the newest values go out later. */
static bool publish_all(struct mqtt_surface *s)
{
	while (!gw_list_empty(&s->configs)) {
		struct mqtt_device *d = gw_container(s->configs.next, struct mqtt_device, config);
		if (!mqtt_ha_publish(s, d)) {
			return false;
		}
		gw_list_remove(&d->config);
	}
	while (!gw_list_empty(&s->dirty)) {
		struct mqtt_device *d = gw_container(s->dirty.next, struct mqtt_device, dirty);
		if (!mqtt_state_publish(s, d)) {
			return false;
		}
		gw_list_remove(&d->dirty);
	}
	return true;
}

static void flush(struct mqtt_surface *s)
{
	/* First the list of what will be retained: what is not in it can never be cleared. */
	mqtt_ledger_flush(s->ledger);
	if (s->homie) {
		mqtt_homie_flush(s->homie);
	}
	if (!s->up) {
		return;
	}
	if ((!publish_all(s) || !mqtt_ledger_sweep(s->ledger, clear_topic, s)) && s->up) {
		gw_timer_start(s->retry, RETRY_MS, 0);
	}
}

static void on_flush(struct gw_listener *l)
{
	flush(gw_container(l, struct mqtt_surface, listener));
}

static void on_retry(void *ctx)
{
	flush(ctx);
}

/* --- link --- */

void mqtt_say_everything(struct mqtt_surface *s)
{
	size_t pos = 0;
	struct gw_str id;
	void *p;
	while (gw_map_next(s->devices, &pos, &id, &p)) {
		struct mqtt_device *d = p;
		d->digest = d->vacuum_digest = 0;
		mark(&s->dirty, &d->dirty);
		if (s->homeassistant) {
			mark(&s->configs, &d->config);
		}
	}
	flush(s);
}

static void on_link_state(void *ctx, enum gw_link_state state, const char *reason)
{
	struct mqtt_surface *s = ctx;
	bool up = state == GW_LINK_UP;
	if (state == GW_LINK_REFUSED) {
		gw_log_error(MQTT_LOG, "GW-MQTT-SURFACE-AUTH", "the broker refuses the surface: %s",
			     reason ? reason : "credentials");
	}
	if (up != s->up && !s->stopping) {
		s->up = up;
		if (up) {
			gw_ignore(mqtt_publish(s, gw_str(s->status_topic), GW_STR("online"),
					       /* retain= */ true)); /* it has just come up */
			mqtt_say_everything(s);
		} else {
			mqtt_ledger_interrupted(s->ledger);
		}
	}
}

static void on_message(void *ctx, const struct gw_mqtt_message *m)
{
	struct mqtt_surface *s = ctx;
	if (s->birth_topic && gw_str_is(m->topic, s->birth_topic)) {
		mqtt_ha_birth(s, m);
	} else {
		mqtt_command_receive(s, m);
	}
}

static void on_published(void *ctx, int message)
{
	struct mqtt_surface *s = ctx;
	if (mqtt_ledger_cleared(s->ledger, message) &&
	    !mqtt_ledger_sweep(s->ledger, clear_topic, s)) {
		gw_timer_start(s->retry, RETRY_MS, 0);
	}
}

/* --- class --- */

static int set_rights(struct mqtt_surface *s)
{
	static const struct {
		const char *name;
		unsigned scope;
	} rows[] = {
		{"see", GW_SCOPE_SEE},
		{"operate", GW_SCOPE_SEE | GW_SCOPE_OPERATE},
		{"critical", GW_SCOPE_SEE | GW_SCOPE_OPERATE | GW_SCOPE_CRITICAL},
	};
	for (size_t i = 0; i < gw_countof(rows); i++) {
		if (strcmp(rows[i].name, s->rights) == 0) {
			gw_principal_service(&s->principal, "mqtt", rows[i].scope);
			return 0;
		}
	}
	gw_log_error(MQTT_LOG, "GW-MQTT-RIGHTS",
		     "rights is \"%s\"; expected see, operate or critical", s->rights);
	return -EINVAL;
}

static int check_level(const char *option, const char *level)
{
	size_t n = strspn(level, "abcdefghijklmnopqrstuvwxyz0123456789_-");
	if (n > 0 && n <= 64 && level[n] == '\0') {
		return 0;
	}
	gw_log_error(MQTT_LOG, "GW-MQTT-PREFIX",
		     "%s is \"%s\"; expected one topic level of [a-z0-9_-], at most 64 characters",
		     option, level);
	return -EINVAL;
}

static int init(struct gw_surface *surface)
{
	struct mqtt_surface *s = surface->impl;
	s->surface = surface;
	s->gateway = surface->gateway;
	gw_list_init(&s->dirty);
	gw_list_init(&s->configs);
	gw_list_init(&s->accepted);
	gw_buf_init(&s->doc, MQTT_DOC_BYTES);
	s->prefix_len = strlen(s->prefix);
	int r = check_level("prefix", s->prefix);
	r = r ? r : check_level("discovery_prefix", s->discovery_prefix);
	r = r ? r : check_level("homie_domain", s->homie_domain);
	return r ? r : set_rights(s);
}

static int connect_all(struct mqtt_surface *s)
{
	static const struct gw_mqtt_ops ops = {
		.state = on_link_state, .message = on_message, .published = on_published};
	struct gw_mqtt_will will = {gw_str(s->status_topic), GW_STR("offline"), 0, true};
	int r = mqtt_ledger_open(s->surface->state_dir, &s->ledger);
	if (r == 0) {
		mqtt_ledger_note(s->ledger, GW_STR(MQTT_LEDGER_ROOT), gw_str(s->status_topic));
	}
	r = r ? r
	      : gw_mqtt_link_new(gw_gateway_loop(s->gateway),
				 gw_broker_endpoint(s->surface->broker, GW_BROKER_SURFACE), NULL,
				 &will, &ops, s, &s->link);
	r = r ? r : mqtt_command_subscribe(s);
	r = r || !s->homeassistant ? r : mqtt_ha_start(s);
	return r || !s->homie_on ? r : mqtt_homie_new(s);
}

static int start(struct gw_surface *surface)
{
	struct mqtt_surface *s = surface->impl;
	if (!surface->broker) {
		return 0; /* a home without a broker has no MQTT surface */
	}
	GW_AUTO(gw_buf_fini) struct gw_buf topic = GW_BUF_INIT(GW_TOPIC_BYTES);
	gw_buf_printf(&topic, "%s/status", s->prefix);
	s->status_topic = gw_buf_take(&topic);
	s->devices = gw_map_new_inside(GW_DEVICES, offsetof(struct mqtt_device, id));
	s->retry = gw_timer_new(gw_gateway_loop(s->gateway), on_retry, s);
	if (!s->status_topic || !s->devices || !s->retry) {
		return -ENOMEM;
	}
	int r = connect_all(s);
	struct gw_device *d;
	for (size_t i = 0; r == 0 && (d = gw_device_at(s->gateway, i)) != NULL; i++) {
		r = add_device(s, d);
	}
	if (r) {
		return r;
	}
	s->listener = (struct gw_listener){.event = on_event, .flush = on_flush};
	gw_bus_listen(s->gateway, &s->listener);
	r = s->homie ? mqtt_homie_start(s->homie) : 0;
	return r ? r : gw_mqtt_link_start(s->link);
}

void mqtt_part_stopped(struct mqtt_surface *s)
{
	if (--s->parts == 0) {
		gw_surface_stopped(s->surface);
	}
}

static void on_stopped(void *ctx)
{
	mqtt_part_stopped(ctx);
}

static void stop(struct gw_surface *surface)
{
	struct mqtt_surface *s = surface->impl;
	if (s->stopping) {
		return;
	}
	s->stopping = true;
	if (s->listener.event) {
		gw_bus_unlisten(&s->listener);
	}
	if (!s->link) {
		gw_surface_stopped(surface);
		return;
	}
	gw_timer_stop(s->retry);
	if (s->up) {
		/* A clean DISCONNECT sends no will. */
		gw_ignore(
			mqtt_publish(s, gw_str(s->status_topic), GW_STR("offline"),
				     /* retain= */ true)); /* choked: it will be dropped with us */
	}
	s->up = false;
	s->parts = s->homie ? 2 : 1;
	if (s->homie) {
		mqtt_homie_stop(s->homie);
	}
	gw_mqtt_link_stop(s->link, on_stopped);
}

static void fini(struct gw_surface *surface)
{
	struct mqtt_surface *s = surface->impl;
	if (s->listener.event) {
		gw_bus_unlisten(&s->listener);
	}
	mqtt_command_fini(s);
	mqtt_homie_free(s->homie);
	gw_mqtt_link_free(s->link);
	gw_timer_free(s->retry);
	gw_timer_free(s->birth);
	gw_map_free(s->devices, free_device);
	mqtt_ledger_close(s->ledger);
	gw_buf_fini(&s->doc);
	gw_free(s->status_topic);
	gw_free(s->birth_topic);
}

const struct gw_surface_class gw_surface_mqtt = {
	.name = "mqtt",
	.instance_size = sizeof(struct mqtt_surface),
	.options = options,
	.init = init,
	.start = start,
	.stop = stop,
	.fini = fini,
};
