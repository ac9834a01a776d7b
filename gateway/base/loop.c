#include "gw/loop.h"

#include <errno.h>

#include "gw/alloc.h"
#include "gw/list.h"

struct gw_loop {
	uv_loop_t uv;
	uv_check_t check; /* always on: it costs no wake-up and keeps an idle loop alive */
	uv_idle_t
		idle; /* on while something is deferred, so that the turn does not wait for events */
	struct gw_list deferred, works;
};

struct gw_timer {
	uv_timer_t uv;
	void (*fn)(void *ctx);
	void *ctx;
};

struct gw_watch {
	uv_poll_t uv;
	int events;
	void (*fn)(void *ctx, int events);
	void *ctx;
};

struct gw_deferred {
	struct gw_list link; /* in loop->deferred while scheduled */
	struct gw_loop *loop;
	void (*fn)(void *ctx);
	void *ctx;
};

struct work {
	uv_work_t uv;
	struct gw_list link;
	void (*work)(void *job);
	void (*done)(void *job, int status);
	void *job;
};

static void on_idle(uv_idle_t *idle)
{
	(void)idle; /* being active is its whole effect */
}

static void on_check(uv_check_t *check)
{
	struct gw_loop *l = check->data;
	if (gw_list_empty(&l->deferred)) {
		return;
	}
	/* What is scheduled from here on runs in the next turn: a callback that schedules itself does not hold the loop. */
	struct gw_list now;
	gw_list_init(&now);
	while (!gw_list_empty(&l->deferred)) {
		struct gw_list *first = l->deferred.next;
		gw_list_remove(first);
		gw_list_append(&now, first);
	}
	(void)uv_idle_stop(&l->idle); /* cannot fail */
	while (!gw_list_empty(&now)) {
		struct gw_deferred *d = gw_container(now.next, struct gw_deferred, link);
		gw_list_remove(&d->link);
		d->fn(d->ctx); /* may free d */
	}
}

struct gw_loop *gw_loop_new(void)
{
	struct gw_loop *l = gw_new(struct gw_loop);
	if (!l || uv_loop_init(&l->uv) < 0) {
		gw_free(l);
		return NULL;
	}
	gw_list_init(&l->deferred);
	gw_list_init(&l->works);
	/* These cannot fail. */
	(void)uv_idle_init(&l->uv, &l->idle);
	(void)uv_check_init(&l->uv, &l->check);
	l->check.data = l;
	(void)uv_check_start(&l->check, on_check);
	return l;
}

void gw_loop_free(struct gw_loop *l)
{
	enum { TURNS = 1000 };
	if (!l) {
		return;
	}
	gw_list_for(pos, &l->works)
	{
		/* Fails for work that runs already: that one ends first. */
		(void)uv_cancel((uv_req_t *)&gw_container(pos, struct work, link)->uv);
	}
	while (!gw_list_empty(&l->works)) {
		(void)uv_run(&l->uv, UV_RUN_ONCE);
	}
	uv_close((uv_handle_t *)&l->check, NULL);
	uv_close((uv_handle_t *)&l->idle, NULL);
	for (int i = 0; i < TURNS; i++) {
		(void)uv_run(&l->uv, UV_RUN_NOWAIT);
		if (uv_loop_close(&l->uv) == 0) {
			gw_free(l);
			return;
		}
	}
	/* A handle was not closed by its creator: our bug. Memory that libuv still uses is rather leaked than freed. */
}

uv_loop_t *gw_loop_uv(struct gw_loop *l)
{
	return &l->uv;
}

int gw_loop_run(struct gw_loop *l)
{
	int r = uv_run(&l->uv, UV_RUN_DEFAULT);
	return r < 0 ? r : 0;
}

void gw_loop_stop(struct gw_loop *l)
{
	uv_stop(&l->uv);
}

static void free_closed(uv_handle_t *h)
{
	gw_free(h->data);
}

/* --- timers --- */

static void on_timer(uv_timer_t *uv)
{
	struct gw_timer *t = uv->data;
	t->fn(t->ctx);
}

struct gw_timer *gw_timer_new(struct gw_loop *l, void (*fn)(void *ctx), void *ctx)
{
	struct gw_timer *t = gw_new(struct gw_timer);
	if (t) {
		t->fn = fn;
		t->ctx = ctx;
		(void)uv_timer_init(&l->uv, &t->uv); /* cannot fail */
		t->uv.data = t;
	}
	return t;
}

void gw_timer_start(struct gw_timer *t, int64_t after_ms, int64_t repeat_ms)
{
	/* libuv counts from the begin of the turn; after a long one the timer would come too early. */
	uv_update_time(t->uv.loop);
	/* Fails only without callback or while closing. */
	(void)uv_timer_start(&t->uv, on_timer, after_ms > 0 ? (uint64_t)after_ms : 0,
			     repeat_ms > 0 ? (uint64_t)repeat_ms : 0);
}

void gw_timer_stop(struct gw_timer *t)
{
	(void)uv_timer_stop(&t->uv); /* cannot fail */
}

bool gw_timer_active(const struct gw_timer *t)
{
	return uv_is_active((const uv_handle_t *)&t->uv) != 0;
}

void gw_timer_free(struct gw_timer *t)
{
	if (t) {
		uv_close((uv_handle_t *)&t->uv, free_closed);
	}
}

/* --- watches --- */

static void on_poll(uv_poll_t *uv, int status, int events)
{
	struct gw_watch *w = uv->data;
	/* libuv reports an error of the descriptor once and stops. The owner meets it in its own read or write. */
	w->fn(w->ctx, status < 0 ? UV_READABLE | UV_WRITABLE : events);
	if (status < 0 && w->events && !uv_is_closing((uv_handle_t *)uv)) {
		(void)uv_poll_start(uv, w->events, on_poll); /* cannot fail for a known fd */
	}
}

struct gw_watch *gw_watch_new(struct gw_loop *l, int fd, void (*fn)(void *ctx, int events),
			      void *ctx)
{
	struct gw_watch *w = gw_new(struct gw_watch);
	if (!w || uv_poll_init(&l->uv, &w->uv, fd) < 0) {
		gw_free(w);
		return NULL;
	}
	w->fn = fn;
	w->ctx = ctx;
	w->uv.data = w;
	return w;
}

int gw_watch_set(struct gw_watch *w, int events)
{
	int r = events ? uv_poll_start(&w->uv, events, on_poll) : uv_poll_stop(&w->uv);
	if (r == 0) {
		w->events = events;
	}
	return r;
}

void gw_watch_free(struct gw_watch *w)
{
	if (w) {
		uv_close((uv_handle_t *)&w->uv, free_closed);
	}
}

/* --- deferred --- */

struct gw_deferred *gw_deferred_new(struct gw_loop *l, void (*fn)(void *ctx), void *ctx)
{
	struct gw_deferred *d = gw_new(struct gw_deferred);
	if (d) {
		gw_list_init(&d->link);
		d->loop = l;
		d->fn = fn;
		d->ctx = ctx;
	}
	return d;
}

void gw_deferred_schedule(struct gw_deferred *d)
{
	if (gw_list_empty(&d->link)) {
		gw_list_append(&d->loop->deferred, &d->link);
		(void)uv_idle_start(&d->loop->idle, on_idle); /* cannot fail */
	}
}

void gw_deferred_free(struct gw_deferred *d)
{
	if (d) {
		gw_list_remove(&d->link);
		gw_free(d);
	}
}

/* --- work --- */

static void on_work(uv_work_t *uv)
{
	struct work *w = uv->data;
	w->work(w->job);
}

static void on_work_done(uv_work_t *uv, int status)
{
	struct work *w = uv->data;
	gw_list_remove(&w->link);
	w->done(w->job, status);
	gw_free(w);
}

int gw_loop_work(struct gw_loop *l, void (*work)(void *job), void (*done)(void *job, int status),
		 void *job)
{
	struct work *w = gw_new(struct work);
	if (!w) {
		return -ENOMEM;
	}
	*w = (struct work){.work = work, .done = done, .job = job};
	w->uv.data = w;
	int r = uv_queue_work(&l->uv, &w->uv, on_work, on_work_done);
	if (r < 0) {
		gw_free(w);
		return r;
	}
	gw_list_append(&l->works, &w->link);
	return 0;
}
