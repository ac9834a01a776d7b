#include "home/bus.h"

#include <errno.h>
#include <sys/random.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "home/journey.h"
#include "home/registry.h"

/* An event as it is kept; generation tells whether the index still means the same capability of the device. */
struct kept {
	uint8_t type, quality, status;
	uint16_t index;
	uint32_t generation;
	int64_t time_wall_ms;
	uint64_t cause;
	struct gw_device *device; /* a reference, or NULL */
	struct gw_value value;	  /* COMMAND: the reason as TEXT */
};

struct gw_bus {
	struct gw_gateway *gateway;
	struct gw_deferred *deferred;
	struct gw_list listeners;
	uint64_t epoch;
	uint64_t seq;	    /* of the last event */
	uint64_t delivered; /* of the last one handed out */
	uint64_t lost;
	bool delivering;
	struct kept ring[GW_EVENT_RING];
};

static void on_turn_end(void *ctx)
{
	gw_bus_flush(ctx);
}

int gw_bus_new(struct gw_gateway *g, struct gw_bus **ret_bus)
{
	struct gw_bus *b = gw_new(struct gw_bus);

	if (!b) {
		return -ENOMEM;
	}
	b->gateway = g;
	gw_list_init(&b->listeners);
	b->deferred = gw_deferred_new(g->loop, on_turn_end, g);
	if (!b->deferred ||
	    getrandom(&b->epoch, sizeof(b->epoch), 0) != (ssize_t)sizeof(b->epoch)) {
		gw_bus_free(b);
		return -ENOMEM;
	}
	/* A number that JSON keeps exact. */
	b->epoch &= ((uint64_t)1 << 53) - 1;
	*ret_bus = b;
	return 0;
}

static void kept_fini(struct kept *k)
{
	gw_device_unref(k->device);
	gw_value_fini(&k->value);
}

void gw_bus_free(struct gw_bus *b)
{
	if (!b) {
		return;
	}
	gw_deferred_free(b->deferred);
	for (size_t i = 0; i < GW_EVENT_RING && i < b->seq; i++) {
		kept_fini(&b->ring[i]);
	}
	gw_free(b);
}

uint64_t gw_bus_emit(struct gw_gateway *g, const struct gw_emit *e)
{
	struct gw_bus *b = g->bus;
	struct kept *k = &b->ring[b->seq % GW_EVENT_RING];

	if (b->seq - b->delivered >= GW_EVENT_RING - 1) {
		b->delivered++; /* the oldest is gone unseen: a bound that our own callers keep */
		b->lost++;
	}
	if (b->seq >= GW_EVENT_RING) {
		kept_fini(k);
	}
	b->seq++;
	k->type = (uint8_t)e->type;
	k->quality = (uint8_t)e->quality;
	k->status = (uint8_t)e->status;
	k->index = e->index;
	k->generation = e->device ? e->device->generation : 0;
	k->time_wall_ms = e->time_wall_ms > 0 ? e->time_wall_ms : gw_wall_ms();
	k->cause = e->cause;
	k->device = e->device ? gw_device_ref(e->device) : NULL;
	k->value = (struct gw_value){.type = GW_VALUE_NONE};
	if (e->reason) {
		k->value = (struct gw_value){.type = GW_VALUE_TEXT, .text = gw_text_ref(e->reason)};
	} else if (e->value) {
		gw_value_set(&k->value, e->value);
	}
	gw_deferred_schedule(b->deferred);
	return b->seq;
}

/* The public form of a kept event; false when what it speaks of is not there any more. */
static bool unfold(struct gw_bus *b, uint64_t seq, struct gw_event *ret)
{
	const struct kept *k = &b->ring[(seq - 1) % GW_EVENT_RING];
	struct gw_device *d = k->device && !k->device->removed ? k->device : NULL;

	*ret = (struct gw_event){
		.seq = seq,
		.type = (enum gw_event_type)k->type,
		.time_wall_ms = k->time_wall_ms,
		.device_id = k->device ? k->device->id : "",
		.device = d,
		.index = k->index,
		.quality = (enum gw_quality)k->quality,
		.cause = k->cause,
		.status = (enum gw_status)k->status,
		.reason = "",
	};
	switch (ret->type) {
	case GW_EVENT_PROPERTY:
	case GW_EVENT_HAPPENED:
		if (!d || d->generation != k->generation) {
			return false;
		}
		ret->cap = d->props[k->index].cap;
		ret->value = k->value;
		break;
	case GW_EVENT_COMMAND:
		ret->command_id = k->cause;
		ret->reason = k->value.type == GW_VALUE_TEXT ? k->value.text->s : "";
		break;
	case GW_EVENT_DEVICE_ADDED:
	case GW_EVENT_DEVICE_CHANGED: return d != NULL;
	case GW_EVENT_DEVICE_REMOVED:
	case GW_EVENT_CANDIDATE:
	case GW_EVENT_HOME:
	case GW_EVENT_TYPES: break;
	}
	return true;
}

/*
 * Calls every listener; e NULL: flush. A marker walks through the list, so that a handler may remove any listener,
 * itself and the next one included.
 */
static void call_all(struct gw_bus *b, const struct gw_event *e)
{
	struct gw_list marker;

	gw_list_init(&marker);
	gw_list_append(b->listeners.next, &marker); /* before the first */
	while (marker.next != &b->listeners) {
		struct gw_list *at = marker.next;
		gw_list_remove(&marker);
		gw_list_append(at->next, &marker); /* right after it */
		struct gw_listener *l = gw_container(at, struct gw_listener, link);
		if (e) {
			l->event(l, e);
		} else if (l->flush) {
			l->flush(l);
		}
	}
	gw_list_remove(&marker);
}

void gw_bus_flush(struct gw_gateway *g)
{
	struct gw_bus *b = g->bus;

	if (b->delivering || b->delivered == b->seq) {
		return;
	}
	b->delivering = true;
	while (b->delivered < b->seq) {
		struct gw_event e;
		if (unfold(b, ++b->delivered, &e)) {
			call_all(b, &e);
		}
	}
	call_all(b, /* e= */ NULL);
	b->delivering = false;
	gw_journey_published(g->journey);
	if (b->delivered < b->seq) {
		gw_deferred_schedule(b->deferred); /* what the flush handlers emitted */
	}
}

void gw_bus_relieve(struct gw_gateway *g)
{
	if (g->bus->seq - g->bus->delivered > GW_EVENT_RING / 2) {
		gw_bus_flush(g);
	}
}

bool gw_bus_waits(const struct gw_bus *b, uint64_t since)
{
	return b->seq > since && b->seq > b->delivered;
}

uint64_t gw_bus_lost(const struct gw_bus *b)
{
	return b->lost;
}

void gw_bus_listen(struct gw_gateway *g, struct gw_listener *l)
{
	gw_list_append(&g->bus->listeners, &l->link);
}

void gw_bus_unlisten(struct gw_listener *l)
{
	gw_list_remove(&l->link);
}

uint64_t gw_bus_seq(struct gw_gateway *g)
{
	return g->bus->seq;
}

uint64_t gw_bus_epoch(struct gw_gateway *g)
{
	return g->bus->epoch;
}

int gw_bus_replay(struct gw_gateway *g, uint64_t after_seq,
		  void (*fn)(void *ctx, const struct gw_event *e), void *ctx)
{
	struct gw_bus *b = g->bus;

	/* Only up to what was delivered: the rest comes by itself. */
	if (after_seq > b->seq || (b->seq > GW_EVENT_RING && after_seq < b->seq - GW_EVENT_RING)) {
		return -ESTALE;
	}
	for (uint64_t seq = after_seq + 1; seq <= b->delivered; seq++) {
		struct gw_event e;
		if (unfold(b, seq, &e)) {
			fn(ctx, &e);
		}
	}
	return 0;
}
