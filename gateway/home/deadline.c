#include "home/deadline.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>

#include "gw/alloc.h"
#include "gw/clock.h"

struct gw_deadlines {
	struct gw_timer *timer;
	struct gw_deadline **heap; /* heap[0] is the earliest */
	size_t count, reserved, room;
	int64_t armed_ms; /* what the timer waits for; INT64_MAX: nothing */
	int64_t run_ms;	  /* while running: nothing may become due again in the same run */
	bool running;
};

static void place(struct gw_deadlines *ds, size_t i, struct gw_deadline *d)
{
	ds->heap[i] = d;
	d->pos = i + 1;
}

static void sift_up(struct gw_deadlines *ds, size_t i)
{
	struct gw_deadline *d = ds->heap[i];

	while (i > 0 && ds->heap[(i - 1) / 2]->at_ms > d->at_ms) {
		place(ds, i, ds->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	place(ds, i, d);
}

static void sift_down(struct gw_deadlines *ds, size_t i)
{
	struct gw_deadline *d = ds->heap[i];

	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= ds->count) {
			break;
		}
		if (child + 1 < ds->count && ds->heap[child + 1]->at_ms < ds->heap[child]->at_ms) {
			child++;
		}
		if (ds->heap[child]->at_ms >= d->at_ms) {
			break;
		}
		place(ds, i, ds->heap[child]);
		i = child;
	}
	place(ds, i, d);
}

static void take_out(struct gw_deadlines *ds, struct gw_deadline *d)
{
	size_t i = d->pos - 1;
	struct gw_deadline *last = ds->heap[--ds->count];

	d->pos = 0;
	if (last != d) {
		place(ds, i, last);
		sift_up(ds, i);
		sift_down(ds, last->pos - 1);
	}
}

/* The timer is only ever moved to an earlier time; a wake-up that finds nothing due arms it anew. */
static void arm(struct gw_deadlines *ds)
{
	if (ds->running || ds->count == 0 || ds->heap[0]->at_ms >= ds->armed_ms) {
		return;
	}
	int64_t wait = ds->heap[0]->at_ms - gw_clock_ms();
	ds->armed_ms = ds->heap[0]->at_ms;
	gw_timer_start(ds->timer, wait > 0 ? wait : 0, 0);
}

void gw_deadlines_run(struct gw_deadlines *ds)
{
	ds->run_ms = gw_clock_ms();
	ds->running = true;
	while (ds->count > 0 && ds->heap[0]->at_ms <= ds->run_ms) {
		struct gw_deadline *d = ds->heap[0];
		take_out(ds, d);
		d->fn(d);
	}
	ds->running = false;
	ds->armed_ms = INT64_MAX;
	if (ds->count == 0) {
		gw_timer_stop(ds->timer);
	}
	arm(ds);
}

static void on_timer(void *ctx)
{
	gw_deadlines_run(ctx);
}

int gw_deadlines_new(struct gw_loop *l, struct gw_deadlines **ret_deadlines)
{
	struct gw_deadlines *ds = gw_new(struct gw_deadlines);

	if (!ds) {
		return -ENOMEM;
	}
	ds->armed_ms = INT64_MAX;
	ds->timer = gw_timer_new(l, on_timer, ds);
	if (!ds->timer) {
		gw_free(ds);
		return -ENOMEM;
	}
	*ret_deadlines = ds;
	return 0;
}

void gw_deadlines_free(struct gw_deadlines *ds)
{
	if (!ds) {
		return;
	}
	gw_timer_free(ds->timer);
	gw_free(ds->heap);
	gw_free(ds);
}

int gw_deadlines_reserve(struct gw_deadlines *ds, size_t n)
{
	if (ds->reserved + n > ds->room) {
		size_t room = (ds->reserved + n) * 3 / 2 + 16;
		struct gw_deadline **heap =
			gw_realloc(ds->heap, room, sizeof(struct gw_deadline *));
		if (!heap) {
			return -ENOMEM;
		}
		ds->heap = heap;
		ds->room = room;
	}
	ds->reserved += n;
	return 0;
}

void gw_deadlines_release(struct gw_deadlines *ds, size_t n)
{
	assert(n <= ds->reserved);
	ds->reserved -= n;
}

void gw_deadline_set(struct gw_deadlines *ds, struct gw_deadline *d, int64_t at_ms)
{
	if (ds->running && at_ms <= ds->run_ms) {
		at_ms = ds->run_ms + 1;
	}
	if (d->pos == 0) {
		assert(ds->count < ds->reserved);
		d->at_ms = at_ms;
		place(ds, ds->count++, d);
		sift_up(ds, d->pos - 1);
	} else {
		bool earlier = at_ms < d->at_ms;
		d->at_ms = at_ms;
		if (earlier) {
			sift_up(ds, d->pos - 1);
		} else {
			sift_down(ds, d->pos - 1);
		}
	}
	arm(ds);
}

void gw_deadline_advance(struct gw_deadlines *ds, struct gw_deadline *d, int64_t at_ms)
{
	if (d->pos == 0 || at_ms < d->at_ms) {
		gw_deadline_set(ds, d, at_ms);
	}
}

void gw_deadline_clear(struct gw_deadlines *ds, struct gw_deadline *d)
{
	if (d->pos != 0) {
		take_out(ds, d);
	}
}
