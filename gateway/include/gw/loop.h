/*
 * The one event loop, on libuv. Callbacks run on the loop's thread; none may block. Handles are owned by their creator;
 * a handle may be freed inside its own callback.
 */
#pragma once

#include <stdbool.h>

#include <stdint.h>
#include <uv.h>

#include "gw/compiler.h"

struct gw_loop;
struct gw_timer;
struct gw_watch;
struct gw_deferred;

struct gw_loop *gw_loop_new(void) GW_MUST_USE;
void gw_loop_free(struct gw_loop *l); /* runs the loop until closed handles are gone */
uv_loop_t *gw_loop_uv(struct gw_loop *l);
int gw_loop_run(struct gw_loop *l);   /* until gw_loop_stop */
void gw_loop_stop(struct gw_loop *l); /* from any callback */

/* One-shot or (repeat_ms > 0) periodic. Starting a running timer restarts it. */
struct gw_timer *gw_timer_new(struct gw_loop *l, void (*fn)(void *ctx), void *ctx) GW_MUST_USE;
void gw_timer_start(struct gw_timer *t, int64_t after_ms, int64_t repeat_ms);
void gw_timer_stop(struct gw_timer *t);
bool gw_timer_active(const struct gw_timer *t);
void gw_timer_free(struct gw_timer *t); /* accepts NULL */

/*
 * Watches fd; events are UV_READABLE and UV_WRITABLE, and both when the fd is in error, so that the owner's read or write
 * meets it. The fd stays the caller's: free the watch before closing it. One watch for each fd.
 */
struct gw_watch *gw_watch_new(struct gw_loop *l, int fd, void (*fn)(void *ctx, int events),
			      void *ctx) GW_MUST_USE;
int gw_watch_set(struct gw_watch *w, int events) GW_MUST_USE; /* 0 pauses */
void gw_watch_free(struct gw_watch *w);

/* Runs fn once at the end of the current loop turn (uv check phase) after gw_deferred_schedule; idempotent. */
struct gw_deferred *gw_deferred_new(struct gw_loop *l, void (*fn)(void *ctx),
				    void *ctx) GW_MUST_USE;
void gw_deferred_schedule(struct gw_deferred *d);
void gw_deferred_free(struct gw_deferred *d);

/*
 * Blocking work on the pool: work runs on a pool thread and touches only *job; done runs on the loop afterwards, also
 * when the loop is being freed (status -ECANCELED when it never ran).
 */
int gw_loop_work(struct gw_loop *l, void (*work)(void *job), void (*done)(void *job, int status),
		 void *job) GW_MUST_USE;
