/*
 * The journey: the last messages and commands, hop by hop. Hops are kept as they are (bytes, value references, microseconds) in a ring
 * of bytes; text is made when somebody reads. Recording allocates nothing.
 */
#pragma once

#include "gw/home.h"
#include "home/gateway.h"

#define GW_JOURNEY_VALUES 12 /* capabilities remembered of one message */

struct gw_hop_value {
	uint16_t cap; /* index in the device */
	struct gw_value value;
};

/* What happened; texts, raw and values are copied or referenced. */
struct gw_hop_note {
	enum gw_hop_kind kind;
	enum gw_status status;
	uint64_t cause;
	int64_t time_wall_ms;
	struct gw_device *device;
	uint16_t msg;	     /* of the device's plan; UINT16_MAX: none */
	const char *channel; /* NULL: none */
	struct gw_str raw;
	const char *who, *origin; /* of commands, or NULL */
	const struct gw_hop_value *values;
	size_t n_values;
	int64_t decode_us, state_us, total_us; /* -1: not of this hop */
	int64_t end_us; /* monotonic: publishing is counted from here; 0: it made no event that waits */
};

int gw_journey_new(struct gw_journey **ret_journey) GW_MUST_USE;
void gw_journey_free(struct gw_journey *j);
void gw_journey_note(struct gw_journey *j, const struct gw_hop_note *n);
/* The events of all hops so far have been handed to the surfaces. */
void gw_journey_published(struct gw_journey *j);
