/*
 * The bus: state first, event after. Events are numbered, kept in a ring of GW_EVENT_RING and handed to every listener in order at the
 * end of the loop turn or of the adapter's read batch. Emitting allocates nothing.
 */
#pragma once

#include "gw/home.h"
#include "home/gateway.h"

int gw_bus_new(struct gw_gateway *g, struct gw_bus **ret_bus) GW_MUST_USE;
void gw_bus_free(struct gw_bus *b);

/* What becomes an event; everything is copied or referenced. */
struct gw_emit {
	enum gw_event_type type;
	struct gw_device *device; /* or NULL */
	uint16_t index;
	enum gw_quality quality;
	const struct gw_value *value; /* or NULL */
	int64_t time_wall_ms;	      /* 0: now */
	uint64_t cause;
	enum gw_status status; /* COMMAND; cause is the command's number */
	struct gw_text *reason;
};
/* Returns the number. */
uint64_t gw_bus_emit(struct gw_gateway *g, const struct gw_emit *e);
/* Hands out what waits. Within a delivery it does nothing: what a listener emits follows in the same delivery. */
void gw_bus_flush(struct gw_gateway *g);
/* Between two pieces of work of which each emits less than a quarter of the ring: hands out early when the ring fills up. */
void gw_bus_relieve(struct gw_gateway *g);
bool gw_bus_waits(const struct gw_bus *b,
		  uint64_t since); /* whether an event after that number is not handed out yet */
uint64_t
gw_bus_lost(const struct gw_bus *b); /* events that found the ring full; 0 unless we are wrong */
