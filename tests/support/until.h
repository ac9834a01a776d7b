/*
 * A loop that runs until something is true or a deadline is over. A bare uv_run(UV_RUN_ONCE) may sleep until the next timer after the one that it
 * has just run; the tick here bounds that.
 */
#pragma once

#include <time.h>

#include "gw/loop.h"
#include "gw_test.h"

#define UNTIL_MS 10000

static inline void until_tick(void *ctx)
{
	(void)ctx; /* wakes uv_run, so that the condition is looked at */
}

/* Runs the loop until done(ctx) is true; false after 10 s. */
static inline bool loop_until(struct gw_loop *l, bool (*done)(void *ctx), void *ctx)
{
	struct gw_timer *t = gw_timer_new(l, until_tick, NULL);
	struct timespec begin, now;
	(void)timespec_get(&begin, TIME_UTC);
	gw_timer_start(t, 1, 1);
	bool ok;
	do {
		(void)uv_run(gw_loop_uv(l), UV_RUN_ONCE);
		ok = done(ctx);
		(void)timespec_get(&now, TIME_UTC);
	} while (!ok &&
		 (now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 <
			 UNTIL_MS);
	gw_timer_free(t);
	return ok;
}

static inline bool loop_never(void *ctx)
{
	(*(int *)ctx)--;
	return *(int *)ctx <= 0;
}

/* Lets the loop turn some times, each at most a millisecond. */
static inline void loop_turns(struct gw_loop *l, int n)
{
	assert_true(loop_until(l, loop_never, &n));
}
