/*
 * MQTT surface: the home as topics, through any broker.
 *
 *   hearth/status                                     "online" / "offline" (retained, will)
 *   hearth/<device>/state                             one JSON document per device (retained, QoS 0)
 *   hearth/<device>/event                             {"address":…,"value":…,"time":…} as events happen
 *   hearth/<device>/<component>/<group>/<name>/set    a value, or {"value":…,"id":…}; for actions the arguments
 *   hearth/<device>/set                               {"set":{address: value,…},"id":…} or {"action":…,"args":{…},"id":…}
 *   hearth/<device>/result                            the outcome of a command, with its id
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

#define TOPIC	  "mqtt-surface"
#define DOC_BYTES (256u * 1024)

static const struct gw_option options[] = {
	{"prefix", GW_OPTION_TEXT, offsetof(struct mqtt_surface, prefix), "hearth", 0, 0, 0,
	 "First level of every topic."},
	{"rights", GW_OPTION_TEXT, offsetof(struct mqtt_surface, rights), "operate", 0, 0, 0,
	 "What commands over MQTT may do: see (none), operate, or critical (locks, gas, doors)."},
	{0},
};

/* --- devices --- */

static struct mqtt_device *device_of(const struct mqtt_surface *s, const struct gw_device *d)
{
	return gw_device_surface_data(d, s->surface->data_slot);
}

static void mark_dirty(struct mqtt_surface *s, struct mqtt_device *d)
{
	if (gw_list_empty(&d->dirty)) {
		gw_list_append(&s->dirty, &d->dirty);
	}
}

static void free_device(void *p)
{
	struct mqtt_device *d = p;
	gw_list_remove(&d->dirty);
	gw_free(d->state_topic);
	gw_free(d);
}

static struct mqtt_device *add_device(struct mqtt_surface *s, struct gw_device *device)
{
	struct gw_device_info info;
	gw_device_info(device, &info);
	struct mqtt_device *d = gw_new(struct mqtt_device);
	if (!d) {
		return NULL;
	}
	gw_list_init(&d->dirty);
	d->device = device;
	(void)snprintf(d->id, sizeof(d->id), "%s", info.id);
	GW_AUTO(gw_buf_fini) struct gw_buf topic = GW_BUF_INIT(GW_TOPIC_BYTES + 1);
	gw_buf_printf(&topic, "%s/%s/state", s->prefix, info.id);
	d->state_topic = gw_buf_take(&topic);
	if (!d->state_topic || gw_map_put(s->devices, gw_str(d->id), d) < 0) {
		free_device(d);
		return NULL;
	}
	gw_device_set_surface_data(device, s->surface->data_slot, d);
	return d;
}

static void clear_topic(void *ctx, struct gw_str topic)
{
	struct mqtt_surface *s = ctx;
	if (gw_mqtt_link_publish(s->link, topic, GW_STR(""), 0, /* retain= */ true, NULL) < 0) {
		s->dropped++;
	}
}

static void remove_device(struct mqtt_surface *s, const char *id)
{
	struct mqtt_device *d = gw_map_remove(s->devices, gw_str(id));
	if (!d) {
		return;
	}
	/* While down the ledger keeps the device, and the next connect clears its topics. */
	if (s->up) {
		mqtt_ledger_forget(s->ledger, gw_str(id), clear_topic, s);
		mqtt_ledger_flush(s->ledger);
	}
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
	    gw_mqtt_link_publish(s->link, gw_buf_str(&topic), gw_buf_str(&body), 0,
				 /* retain= */ false, NULL) < 0) {
		s->dropped++;
	}
}

static void on_event(struct gw_listener *l, const struct gw_event *e)
{
	struct mqtt_surface *s = gw_container(l, struct mqtt_surface, listener);
	struct mqtt_device *d = e->device ? device_of(s, e->device) : NULL;
	switch (e->type) {
	case GW_EVENT_PROPERTY:
	case GW_EVENT_DEVICE_CHANGED:
		if (d) {
			mark_dirty(s, d);
		}
		break;
	case GW_EVENT_HAPPENED:
		if (s->up && d) {
			publish_event(s, e);
		}
		break;
	case GW_EVENT_DEVICE_ADDED:
		d = e->device && !d ? add_device(s, e->device) : d;
		if (d) {
			mark_dirty(s, d);
		}
		break;
	case GW_EVENT_DEVICE_REMOVED: remove_device(s, e->device_id); break;
	case GW_EVENT_CANDIDATE:
	case GW_EVENT_COMMAND:
	case GW_EVENT_HOME:
	case GW_EVENT_TYPES: break;
	}
}

static void on_flush(struct gw_listener *l)
{
	struct mqtt_surface *s = gw_container(l, struct mqtt_surface, listener);
	if (!s->up) {
		return; /* what is dirty stays so: the newest values go out after the next connect */
	}
	gw_list_for_safe(pos, &s->dirty)
	{
		struct mqtt_device *d = gw_container(pos, struct mqtt_device, dirty);
		gw_list_remove(pos);
		mqtt_state_publish(s, d);
	}
	mqtt_ledger_flush(s->ledger);
}

/* --- link --- */

struct stale {
	struct mqtt_surface *s;
	char ids[64][GW_ID_BYTES];
	size_t n;
};

static void find_stale(void *ctx, struct gw_str device)
{
	struct stale *x = ctx;
	if (x->n < gw_countof(x->ids) && device.len < GW_ID_BYTES &&
	    !gw_map_find(x->s->devices, device)) {
		memcpy(x->ids[x->n], device.p, device.len);
		x->ids[x->n++][device.len] = '\0';
	}
}

/* Devices of the ledger that the home no longer has: their topics are cleared, 64 at a time. */
static void clear_stale(struct mqtt_surface *s)
{
	struct stale *x = gw_new(struct stale);
	if (!x) {
		return;
	}
	x->s = s;
	do {
		x->n = 0;
		mqtt_ledger_each(s->ledger, find_stale, x);
		for (size_t i = 0; i < x->n; i++) {
			mqtt_ledger_forget(s->ledger, gw_str(x->ids[i]), clear_topic, s);
		}
	} while (x->n == gw_countof(x->ids));
	gw_free(x);
}

static void on_link_state(void *ctx, enum gw_link_state state, const char *reason)
{
	struct mqtt_surface *s = ctx;
	bool up = state == GW_LINK_UP;
	if (state == GW_LINK_REFUSED) {
		gw_log_error(TOPIC, "GW-MQTT-SURFACE-AUTH", "the broker refuses the surface: %s",
			     reason ? reason : "credentials");
	}
	if (up == s->up) {
		return;
	}
	s->up = up;
	if (!up) {
		return;
	}
	if (gw_mqtt_link_publish(s->link, gw_str(s->status_topic), GW_STR("online"), 0,
				 /* retain= */ true, NULL) < 0) {
		s->dropped++;
	}
	clear_stale(s);
	size_t pos = 0;
	struct gw_str id;
	void *device;
	while (gw_map_next(s->devices, &pos, &id, &device)) {
		mark_dirty(s, device);
	}
	on_flush(&s->listener);
}

static void on_message(void *ctx, const struct gw_mqtt_message *m)
{
	mqtt_command_receive(ctx, m);
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
			s->principal = (struct gw_principal){.role = GW_ROLE_TOKEN,
							     .who = "mqtt",
							     .via = "mqtt",
							     .scope = rows[i].scope};
			return 0;
		}
	}
	gw_log_error(TOPIC, "GW-MQTT-RIGHTS", "rights is \"%s\"; expected see, operate or critical",
		     s->rights);
	return -EINVAL;
}

static int init(struct gw_surface *surface)
{
	struct mqtt_surface *s = surface->impl;
	s->surface = surface;
	s->gateway = surface->gateway;
	gw_list_init(&s->dirty);
	gw_buf_init(&s->doc, DOC_BYTES);
	s->prefix_len = strlen(s->prefix);
	if (!gw_topic_is_topic(gw_str(s->prefix)) || strchr(s->prefix, '/')) {
		gw_log_error(TOPIC, "GW-MQTT-PREFIX", "prefix \"%s\" must be one topic level",
			     s->prefix);
		return -EINVAL;
	}
	return set_rights(s);
}

static int start(struct gw_surface *surface)
{
	static const struct gw_mqtt_ops ops = {.state = on_link_state, .message = on_message};
	struct mqtt_surface *s = surface->impl;
	if (!surface->broker) {
		return 0; /* a home without a broker has no MQTT surface */
	}
	GW_AUTO(gw_buf_fini) struct gw_buf topic = GW_BUF_INIT(GW_TOPIC_BYTES);
	gw_buf_printf(&topic, "%s/status", s->prefix);
	s->status_topic = gw_buf_take(&topic);
	s->devices = gw_map_new(GW_DEVICES);
	if (!s->status_topic || !s->devices) {
		return -ENOMEM;
	}
	struct gw_mqtt_will will = {gw_str(s->status_topic), GW_STR("offline"), 0, true};
	int r = mqtt_ledger_open(surface->state_dir, &s->ledger);
	if (r == 0) {
		r = gw_mqtt_link_new(gw_gateway_loop(s->gateway),
				     gw_broker_endpoint(surface->broker, GW_BROKER_SURFACE), NULL,
				     &will, &ops, s, &s->link);
	}
	if (r == 0) {
		r = mqtt_command_subscribe(s);
	}
	if (r) {
		return r;
	}
	struct gw_device *d;
	for (size_t i = 0; (d = gw_device_at(s->gateway, i)) != NULL; i++) {
		if (!add_device(s, d)) {
			return -ENOMEM;
		}
	}
	s->listener = (struct gw_listener){.event = on_event, .flush = on_flush};
	gw_bus_listen(s->gateway, &s->listener);
	return gw_mqtt_link_start(s->link);
}

static void on_stopped(void *ctx)
{
	struct mqtt_surface *s = ctx; /* the link's context */
	gw_surface_stopped(s->surface);
}

static void stop(struct gw_surface *surface)
{
	struct mqtt_surface *s = surface->impl;
	if (s->listener.event) {
		gw_bus_unlisten(&s->listener);
		s->listener.event = NULL;
	}
	if (!s->link) {
		gw_surface_stopped(surface);
		return;
	}
	if (s->up) {
		/* A clean DISCONNECT sends no will. */
		gw_ignore(gw_mqtt_link_publish(s->link, gw_str(s->status_topic), GW_STR("offline"),
					       0, /* retain= */ true, NULL));
	}
	s->up = false;
	gw_mqtt_link_stop(s->link, on_stopped);
}

static void fini(struct gw_surface *surface)
{
	struct mqtt_surface *s = surface->impl;
	gw_mqtt_link_free(s->link);
	gw_map_free(s->devices, free_device);
	mqtt_ledger_close(s->ledger);
	gw_buf_fini(&s->doc);
	gw_free(s->status_topic);
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
