/*
 * Values and their quality: the table of profile-language §5. Every message ends here; nothing on that path allocates, takes a lock
 * or walks a list that grows with the home.
 */
#include <errno.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "gw/json.h"
#include "gw/log.h"
#include "home/adapter_host.h"
#include "home/bus.h"
#include "home/command.h"
#include "home/journey.h"
#include "home/registry.h"

#define SAVE_AFTER_MS 20000 /* R37: what a crash may lose is less than 60 s */

static const struct gw_value none = {.type = GW_VALUE_NONE};

/* --- the token bucket of a device (security-rules §3): updates beyond it are held and go out newest only --- */

static bool take_token(struct gw_device *d, int64_t now_us)
{
	const struct gw_registry *r = d->gateway->registry;

	if (r->rate_interval_us == 0) {
		return true;
	}
	if (d->rate_us < now_us) {
		d->rate_us = now_us;
	}
	if (d->rate_us - now_us > r->rate_burst_us) {
		return false;
	}
	d->rate_us += r->rate_interval_us;
	return true;
}

static int64_t next_token_ms(const struct gw_device *d)
{
	return (d->rate_us - d->gateway->registry->rate_burst_us) / 1000 + 1;
}

static void emit_property(struct gw_device *d, size_t i, int64_t time_wall_ms)
{
	struct gw_property *p = &d->props[i];
	const struct gw_emit e = {
		.type = GW_EVENT_PROPERTY,
		.device = d,
		.index = (uint16_t)i,
		.quality = p->quality,
		.value = &p->value,
		.time_wall_ms = time_wall_ms,
		.cause = p->cause,
	};

	p->seq = gw_bus_emit(d->gateway, &e);
}

static void hold(struct gw_device *d, size_t i)
{
	if (!(d->states[i].flags & GW_STATE_HELD)) {
		d->states[i].flags |= GW_STATE_HELD;
		d->n_held++;
		d->gateway->registry->events_held++;
	}
}

static void release_held(struct gw_device *d)
{
	int64_t wall = gw_wall_ms();

	for (size_t i = 0; i < d->n_props && d->n_held > 0; i++) {
		if (d->states[i].flags & GW_STATE_HELD) {
			d->states[i].flags &= (uint8_t)~GW_STATE_HELD;
			d->n_held--;
			emit_property(d, i, wall);
		}
	}
}

/* A change that no message brought: it waits only when an event of the same property waits already. */
static void announce(struct gw_device *d, size_t i)
{
	if (!(d->states[i].flags & GW_STATE_HELD)) {
		emit_property(d, i, gw_wall_ms());
	}
}

void gw_registry_mark_unsaved(struct gw_device *d, size_t i)
{
	struct gw_registry *r = d->gateway->registry;

	d->states[i].flags |= GW_STATE_UNSAVED;
	if (gw_list_empty(&d->dirty)) {
		gw_list_append(&r->dirty, &d->dirty);
		gw_deadline_advance(d->gateway->deadlines, &r->save, gw_clock_ms() + SAVE_AFTER_MS);
	}
}

/* --- assumed values --- */

static struct gw_assumption *take_assumption(struct gw_device *d, size_t i)
{
	struct gw_assumption **link = &d->assumptions;

	while (*link && (*link)->index != i) {
		link = &(*link)->next;
	}
	struct gw_assumption *a = *link;
	if (a) {
		*link = a->next;
	}
	d->states[i].flags &= (uint8_t)~GW_STATE_ASSUMED;
	return a;
}

static void free_assumption(struct gw_assumption *a)
{
	if (a) {
		gw_value_fini(&a->before.value);
		gw_free(a);
	}
}

void gw_registry_forget_assumptions(struct gw_device *d)
{
	while (d->assumptions) {
		free_assumption(take_assumption(d, d->assumptions->index));
	}
}

void gw_registry_assume(struct gw_device *d, size_t cap, const struct gw_value *value,
			int64_t until_ms, uint64_t cause)
{
	struct gw_property *p = &d->props[cap];

	if (p->quality == GW_QUALITY_UNAVAILABLE) {
		return;
	}
	if (!(d->states[cap].flags & GW_STATE_ASSUMED)) {
		struct gw_assumption *a = gw_new(struct gw_assumption);
		if (!a) {
			return; /* the reported value stays: true, only less prompt */
		}
		a->index = (uint16_t)cap;
		a->before = *p; /* the reference of its text moves along */
		p->value = none;
		a->next = d->assumptions;
		d->assumptions = a;
		d->states[cap].flags |= GW_STATE_ASSUMED;
	}
	for (struct gw_assumption *a = d->assumptions; a; a = a->next) {
		if (a->index == cap) {
			a->until_ms = until_ms;
		}
	}
	gw_value_set(&p->value, value);
	p->quality = GW_QUALITY_ASSUMED;
	p->time_wall_ms = gw_wall_ms();
	p->cause = cause;
	announce(d, cap);
	if (until_ms != INT64_MAX) {
		gw_deadline_advance(d->gateway->deadlines, &d->due, until_ms);
	}
}

/* "assume over without such a message: back to the last reported value and quality" */
static void end_assumptions(struct gw_device *d, int64_t now_ms, int64_t *next_ms)
{
	for (struct gw_assumption *a = d->assumptions, *next; a; a = next) {
		next = a->next;
		if (a->until_ms > now_ms) {
			if (a->until_ms < *next_ms) {
				*next_ms = a->until_ms;
			}
			continue;
		}
		size_t i = a->index;
		struct gw_property *p = &d->props[i];
		(void)take_assumption(d, i);
		gw_value_set(&p->value, &a->before.value);
		p->quality = a->before.quality;
		p->time_wall_ms = a->before.time_wall_ms;
		p->cause = a->before.cause;
		free_assumption(a);
		announce(d, i);
	}
}

/* --- stale, offline --- */

static void make_stale(struct gw_device *d, size_t i)
{
	if (d->props[i].quality == GW_QUALITY_OK) {
		d->props[i].quality = GW_QUALITY_STALE;
		announce(d, i);
	}
}

/* All values of a device that went offline, but not those of the message that says so. */
static void make_all_stale(struct gw_device *d, uint64_t but_cause)
{
	for (size_t i = 0; i < d->n_props; i++) {
		if (d->props[i].cause != but_cause || but_cause == 0) {
			make_stale(d, i);
		}
	}
	for (struct gw_assumption *a = d->assumptions; a; a = a->next) {
		if (a->before.quality == GW_QUALITY_OK) {
			a->before.quality = GW_QUALITY_STALE;
		}
	}
}

static void update_online(struct gw_device *d, uint64_t cause)
{
	bool link_up = d->route && gw_route_reachable(d->route);
	bool online = d->presence == GW_PRESENCE_ONLINE && link_up;

	if (d->presence == GW_PRESENCE_OFFLINE || (d->online && !online)) {
		make_all_stale(d, cause);
	}
	if (online == d->online) {
		return;
	}
	d->online = online;
	gw_registry_changed(d);
	if (online) {
		gw_queue_wake(d->route, GW_ASK_ONLINE);
	}
	gw_bus_relieve(d->gateway);
}

void gw_registry_update_online(struct gw_device *d)
{
	update_online(d, 0);
}

bool gw_registry_sendable(const struct gw_device *d)
{
	return d->route && gw_route_reachable(d->route) && d->presence != GW_PRESENCE_OFFLINE;
}

void gw_registry_set_presence(struct gw_device *d, enum gw_presence presence)
{
	if (d->presence != presence) {
		d->presence = presence;
		update_online(d, 0);
	}
}

static void end_stale(struct gw_device *d, int64_t now_ms, int64_t *next_ms)
{
	for (size_t i = 0; i < d->n_props; i++) {
		if (d->props[i].quality != GW_QUALITY_OK || d->states[i].seen_ms == 0) {
			continue;
		}
		int64_t after = gw_binding_stale_after_ms(d->binding, i);
		int64_t due = d->states[i].seen_ms + after;
		if (after > 0 && due < now_ms) {
			make_stale(d, i);
		} else if (after > 0 && due + 1 < *next_ms) {
			*next_ms = due + 1;
		}
	}
}

static void end_silence(struct gw_device *d, int64_t now_ms, int64_t *next_ms)
{
	const struct gw_link_info *link = gw_plan_link(gw_binding_plan(d->binding));
	int64_t due = d->rx_ms + link->offline_after_ms;

	if (link->offline_after_ms == 0 || link->sleepy || link->has_presence || d->rx_ms == 0 ||
	    d->presence != GW_PRESENCE_ONLINE) {
		return;
	}
	if (due <= now_ms) {
		gw_registry_set_presence(d, GW_PRESENCE_OFFLINE);
	} else if (due < *next_ms) {
		*next_ms = due;
	}
}

void gw_property_due(struct gw_deadline *due)
{
	struct gw_device *d = gw_container(due, struct gw_device, due);
	int64_t now_ms = gw_clock_ms();
	int64_t next_ms = INT64_MAX;

	if (d->n_held > 0) {
		if (take_token(d, gw_clock_us())) {
			release_held(d);
		} else {
			next_ms = next_token_ms(d);
		}
	}
	if (d->binding) {
		end_silence(d, now_ms, &next_ms);
		end_assumptions(d, now_ms, &next_ms);
		end_stale(d, now_ms, &next_ms);
	}
	if (next_ms != INT64_MAX) {
		gw_deadline_set(d->gateway->deadlines, &d->due, next_ms);
	}
	gw_bus_relieve(d->gateway);
}

/* --- receiving --- */

/* What one message does while it is applied. */
struct applying {
	int64_t now_ms, now_us, wall_ms;
	uint64_t cause, seq; /* seq: of the last event before it */
	uint16_t msg;
	bool decided, held; /* whether the device's token was asked for, and refused */
	bool offline;	    /* the device is known to be away: what it left behind is stale */
	struct gw_hop_value changed[GW_JOURNEY_VALUES];
	size_t n_changed;
};

static bool must_hold(struct gw_device *d, struct applying *a)
{
	if (!a->decided) {
		a->decided = true;
		a->held = d->n_held > 0 || !take_token(d, a->now_us);
	}
	return a->held;
}

static void note_change(struct applying *a, size_t i, const struct gw_value *v)
{
	if (a->n_changed < GW_JOURNEY_VALUES) {
		a->changed[a->n_changed++] =
			(struct gw_hop_value){.cap = (uint16_t)i, .value = *v}; /* borrowed */
	}
}

static void apply_value(struct gw_device *d, size_t i, struct applying *a)
{
	struct gw_property *p = &d->props[i];
	struct gw_property_state *s = &d->states[i];
	enum gw_quality quality;
	const struct gw_value *v = gw_binding_value(d->binding, i, &quality);

	if (gw_unlikely(s->flags & GW_STATE_ASSUMED)) {
		free_assumption(take_assumption(d, i));
	}
	if (gw_unlikely(a->offline) && quality == GW_QUALITY_OK) {
		quality = GW_QUALITY_STALE;
	}
	s->seen_ms = a->now_ms;
	s->msg = a->msg;
	p->time_wall_ms = a->wall_ms;
	p->cause = a->cause;
	int64_t after = gw_binding_stale_after_ms(d->binding, i);
	if (after > 0) {
		gw_deadline_advance(d->gateway->deadlines, &d->due, a->now_ms + after + 1);
	}
	bool same = gw_value_equal(&p->value, v);
	if (same && p->quality == quality) {
		return;
	}
	p->quality = quality;
	if (!same) {
		gw_value_set(&p->value, v);
		gw_registry_mark_unsaved(d, i);
	}
	note_change(a, i, &p->value);
	if (must_hold(d, a)) {
		hold(d, i);
	} else {
		emit_property(d, i, a->wall_ms);
	}
}

static void apply_event(struct gw_device *d, const struct gw_happened *h, struct applying *a)
{
	const struct gw_emit e = {
		.type = GW_EVENT_HAPPENED,
		.device = d,
		.index = h->cap,
		.quality = GW_QUALITY_OK,
		.value = &h->value,
		.time_wall_ms = a->wall_ms,
		.cause = a->cause,
	};

	note_change(a, h->cap, &h->value);
	if (must_hold(d, a)) {
		/* Events cannot be merged: beyond the limit they are lost, and counted. */
		d->dropped_events++;
		d->gateway->registry->events_dropped++;
		return;
	}
	d->props[h->cap].time_wall_ms = a->wall_ms;
	d->props[h->cap].cause = a->cause;
	d->props[h->cap].seq = gw_bus_emit(d->gateway, &e);
}

/* presence: what link.presence says; without such a point any message is a sign of life. */
static void apply_presence(struct gw_device *d, int presence, struct applying *a)
{
	const struct gw_link_info *link = gw_plan_link(gw_binding_plan(d->binding));
	enum gw_presence now = d->presence;

	if (presence >= 0) {
		now = presence ? GW_PRESENCE_ONLINE : GW_PRESENCE_OFFLINE;
	} else if (!link->has_presence) {
		now = GW_PRESENCE_ONLINE;
		if (link->offline_after_ms > 0) {
			gw_deadline_advance(d->gateway->deadlines, &d->due,
					    a->now_ms + link->offline_after_ms);
		}
	}
	if (now != d->presence) {
		d->presence = now;
		update_online(d, a->cause);
	}
}

/* R36: the values that such a message last brought are not to be trusted any more; the last good ones stay, as stale. */
void gw_registry_bad(struct gw_device *d, uint16_t msg, const char *channel, struct gw_str bytes,
		     const char *why)
{
	struct gw_gateway *g = d->gateway;
	const struct gw_hop_note hop = {
		.kind = GW_HOP_BAD,
		.status = GW_STATUS_INVALID,
		.cause = g->next_cause++,
		.time_wall_ms = gw_wall_ms(),
		.device = d,
		.msg = msg,
		.channel = channel,
		.raw = bytes,
		.decode_us = -1,
		.state_us = -1,
		.total_us = -1,
	};

	g->registry->bad_messages++;
	if (d->bad_messages++ == 0) {
		gw_log_warning(
			"home", "GW-HOME-BAD-MESSAGE",
			"%s sent a message on %s that %s; its values are marked stale, further "
			"ones are only counted",
			d->id, channel, why);
	}
	for (size_t i = 0; i < d->n_props; i++) {
		if (d->states[i].seen_ms != 0 && d->states[i].msg == msg) {
			make_stale(d, i);
		}
	}
	gw_journey_note(g->journey, &hop);
}

static void note_received(struct gw_device *d, const struct applying *a, const char *channel,
			  struct gw_str bytes, int64_t decoded_us)
{
	int64_t end_us = gw_clock_us();
	const struct gw_hop_note hop = {
		.kind = GW_HOP_RECEIVED,
		.cause = a->cause,
		.time_wall_ms = a->wall_ms,
		.device = d,
		.msg = a->msg,
		.channel = channel,
		.raw = bytes,
		.values = a->changed,
		.n_values = a->n_changed,
		.decode_us = decoded_us - a->now_us,
		.state_us = end_us - decoded_us,
		.total_us = end_us - a->now_us,
		.end_us = gw_bus_waits(d->gateway->bus, a->seq) ? end_us : 0,
	};

	gw_journey_note(d->gateway->journey, &hop);
}

bool gw_registry_receive(struct gw_device *d, uint16_t msg, const char *channel,
			 struct gw_str bytes, bool retained)
{
	struct gw_gateway *g = d->gateway;
	const struct gw_body body = {.bytes = bytes};
	struct gw_received got;
	struct applying a = {.now_us = gw_clock_us(), .wall_ms = gw_wall_ms(), .msg = msg};

	a.seq = gw_bus_seq(g);
	a.now_ms = a.now_us / 1000;
	g->registry->messages++;
	int r = gw_binding_receive(d->binding, msg, &body, retained, a.now_ms, &got);
	if (gw_unlikely(r < 0)) {
		gw_registry_bad(d, msg, channel, bytes, "could not be read");
		return false;
	}
	int64_t decoded_us = gw_clock_us();
	d->rx_ms = a.now_ms;
	if (!retained) {
		d->last_seen_wall_ms = a.wall_ms;
	}
	if (got.ignored) {
		apply_presence(d, -1, &a);
		return false;
	}
	a.cause = d->last_cause = g->next_cause++;
	a.offline = d->presence == GW_PRESENCE_OFFLINE && got.presence < 0 &&
		    gw_plan_link(gw_binding_plan(d->binding))->has_presence;
	for (size_t i = 0; i < got.n_caps; i++) {
		apply_value(d, got.caps[i], &a);
	}
	for (size_t i = 0; i < got.n_events; i++) {
		apply_event(d, &got.events[i], &a);
	}
	if (a.held) {
		gw_deadline_advance(g->deadlines, &d->due, next_token_ms(d));
	}
	apply_presence(d, got.presence, &a);
	note_received(d, &a, channel, bytes, decoded_us);
	if (!gw_list_empty(&d->commands)) {
		gw_commands_received(d, msg);
	}
	return true;
}

void gw_registry_sync(struct gw_device *d)
{
	int64_t wall = gw_wall_ms();

	for (size_t i = 0; i < d->n_props; i++) {
		enum gw_quality quality;
		if (d->props[i].cap->kind != GW_KIND_PROPERTY) {
			continue;
		}
		const struct gw_value *v = gw_binding_value(d->binding, i, &quality);
		gw_value_set(&d->props[i].value, v);
		d->props[i].quality = quality;
		d->props[i].time_wall_ms = v->type == GW_VALUE_NONE ? 0 : wall;
	}
}

/* --- last known values --- */

static int text_from_json(struct gw_str json, struct gw_value *ret_value)
{
	struct gw_json_reader reader;
	GW_AUTO(gw_buf_fini) struct gw_buf plain = GW_BUF_INIT(GW_BODY_BYTES);

	gw_json_reader_init(&reader, json, 1);
	if (gw_json_next(&reader) != GW_JSON_TEXT) {
		return -EINVAL;
	}
	struct gw_str text = reader.text;
	if (reader.escaped) {
		int r = gw_json_unescape(text, &plain);
		if (r < 0) {
			return r;
		}
		text = gw_buf_str(&plain);
	}
	ret_value->text = gw_text_new(text);
	return ret_value->text ? 0 : -ENOMEM;
}

/* What gw_value_write_json made of a value; bounds are not checked, it was reported like that. */
static int value_from_json(const struct gw_domain *d, struct gw_str json, struct gw_value *ret)
{
	double x;
	int r;

	switch (d->type) {
	case GW_TYPE_BOOL:
		if (!gw_str_is(json, "true") && !gw_str_is(json, "false")) {
			return -EINVAL;
		}
		*ret = (struct gw_value){GW_VALUE_BOOL, {.flag = gw_str_is(json, "true")}};
		return 0;
	case GW_TYPE_INT:
	case GW_TYPE_NUM:
	case GW_TYPE_TIME:
		ret->type = GW_VALUE_NUMBER;
		r = gw_parse_double(json, &x);
		return r < 0 ? r : gw_quantise(x, d->res, &ret->count);
	case GW_TYPE_ENUM: ret->type = GW_VALUE_SYMBOL; return text_from_json(json, ret);
	case GW_TYPE_STR: ret->type = GW_VALUE_TEXT; return text_from_json(json, ret);
	case GW_TYPE_LIST:
	case GW_TYPE_REC:
		ret->type = GW_VALUE_TREE;
		ret->text = gw_text_new(json);
		return ret->text ? 0 : -ENOMEM;
	case GW_TYPE_NONE: break;
	}
	return -EINVAL;
}

void gw_registry_restore_value(struct gw_device *d, size_t cap, struct gw_str json,
			       int64_t time_wall_ms)
{
	struct gw_property *p = &d->props[cap];
	struct gw_value v = {.type = GW_VALUE_NONE};

	if (p->cap->kind != GW_KIND_PROPERTY || value_from_json(&p->cap->domain, json, &v) < 0) {
		return; /* the profile has changed since: the device will say it anew */
	}
	gw_value_fini(&p->value);
	p->value = v;
	p->quality = GW_QUALITY_STALE;
	p->time_wall_ms = time_wall_ms;
}

static void save_device(struct gw_device *d, struct gw_buf *json)
{
	for (size_t i = 0; i < d->n_props; i++) {
		struct gw_property *p = &d->props[i];
		if (!(d->states[i].flags & GW_STATE_UNSAVED) ||
		    (d->states[i].flags & GW_STATE_ASSUMED)) {
			continue;
		}
		d->states[i].flags &= (uint8_t)~GW_STATE_UNSAVED;
		gw_buf_reset(json);
		gw_value_write_json(json, &p->value, p->cap->domain.res);
		if (gw_buf_error(json) == 0) {
			gw_store_keep_value(d->gateway->store, d->id, p->cap->address,
					    gw_buf_str(json), p->time_wall_ms);
		}
	}
}

void gw_registry_save(struct gw_registry *r)
{
	GW_AUTO(gw_buf_fini) struct gw_buf json = GW_BUF_INIT(GW_BODY_BYTES);

	gw_list_for_safe(pos, &r->dirty)
	{
		struct gw_device *d = gw_container(pos, struct gw_device, dirty);
		gw_list_remove(pos);
		save_device(d, &json);
	}
}

int gw_property_value(const struct gw_cap_info *cap, const struct gw_node *node,
		      struct gw_value *ret_value)
{
	struct gw_domain open = cap->domain;

	open.has_min = open.has_max = false;
	open.step = 0;
	open.symbols = NULL;
	open.n_symbols = 0;
	return gw_value_from_node(node, &open, ret_value, /* reterr_= */ NULL);
}
