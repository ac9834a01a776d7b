/*
 * Deadlines of the whole home on one timer: a binary heap of nodes that live inside their owners. Nothing wakes up while nothing is
 * due. Each owner reserves its place when it is made, so that setting a deadline later cannot fail.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "gw/compiler.h"
#include "gw/loop.h"

struct gw_deadlines;

struct gw_deadline {
	int64_t at_ms; /* monotonic */
	size_t pos;    /* place in the heap from 1; 0: not set */
	void (*fn)(struct gw_deadline *d);
};

int gw_deadlines_new(struct gw_loop *l, struct gw_deadlines **ret_deadlines) GW_MUST_USE;
void gw_deadlines_free(struct gw_deadlines *ds);
/* n more nodes may be set at once from now on; give them back with release. */
int gw_deadlines_reserve(struct gw_deadlines *ds, size_t n) GW_MUST_USE;
void gw_deadlines_release(struct gw_deadlines *ds, size_t n);
/* Runs everything that is due: the timer's callback; tests call it after advancing the clock. */
void gw_deadlines_run(struct gw_deadlines *ds);

/* Sets or moves. fn is called once, then the node is idle; it may set itself again. */
void gw_deadline_set(struct gw_deadlines *ds, struct gw_deadline *d, int64_t at_ms);
/* Sets only when that is earlier than what is set; the callee looks again when it is called too early. */
void gw_deadline_advance(struct gw_deadlines *ds, struct gw_deadline *d, int64_t at_ms);
void gw_deadline_clear(struct gw_deadlines *ds, struct gw_deadline *d); /* idempotent */
