#include "gw_test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "gw/loop.h"

/* One fixture for all tests: what happened, as letters, and what the callbacks work on. */
static struct {
	struct gw_loop *loop;
	struct gw_timer *timer, *other;
	struct gw_watch *watch;
	struct gw_deferred *deferred, *second;
	int fd, events, ticks, turns;
	char seen[64];
	size_t n_seen;
} f;

static void see(char c)
{
	if (f.n_seen < sizeof(f.seen) - 1) {
		f.seen[f.n_seen++] = c;
	}
}

/* No test waits longer than this for what it expects. */
static void too_late(void *ctx)
{
	(void)ctx;
	fail_msg("deadline passed; seen: %s", f.seen);
}

static struct gw_timer *deadline;

static int setup(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	f.loop = gw_loop_new();
	deadline = gw_timer_new(f.loop, too_late, NULL);
	gw_timer_start(deadline, 10000, 0);
	return f.loop ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	gw_timer_free(deadline);
	gw_loop_free(f.loop);
	return 0;
}

static void stop(void *ctx)
{
	(void)ctx;
	see('s');
	gw_loop_stop(f.loop);
}

/* --- timers --- */

static void tick(void *ctx)
{
	(void)ctx;
	see('t');
	if (++f.ticks == 3) {
		gw_timer_free(f.timer); /* inside its own callback */
		f.timer = NULL;
		gw_loop_stop(f.loop);
	}
}

static void timer_repeats_and_is_freed_inside(void **state)
{
	(void)state;
	f.timer = gw_timer_new(f.loop, tick, NULL);
	assert_false(gw_timer_active(f.timer));
	gw_timer_start(f.timer, 1, 1);
	assert_true(gw_timer_active(f.timer));
	assert_int_equal(gw_loop_run(f.loop), 0);
	assert_string_equal(f.seen, "ttt");
	gw_timer_free(NULL);
}

static void timer_restarts_and_stops(void **state)
{
	(void)state;
	f.timer = gw_timer_new(f.loop, stop, NULL);
	f.other = gw_timer_new(f.loop, tick, NULL);
	int64_t begin = gw_clock_ms();
	gw_timer_start(f.other, 0, 0);
	gw_timer_stop(f.other); /* never comes */
	assert_false(gw_timer_active(f.other));
	gw_timer_start(f.timer, 100000, 0);
	gw_timer_start(f.timer, 20, 0); /* replaces the first start */
	assert_int_equal(gw_loop_run(f.loop), 0);
	assert_true(gw_clock_ms() - begin >= 19);
	assert_string_equal(f.seen, "s");
	assert_false(gw_timer_active(f.timer)); /* one shot */
	gw_timer_start(f.timer, -5, 0);		/* the past is now */
	assert_int_equal(gw_loop_run(f.loop), 0);
	assert_string_equal(f.seen, "ss");
	gw_timer_free(f.timer);
	gw_timer_free(f.other);
}

/* --- watches --- */

static void on_fd(void *ctx, int events)
{
	(void)ctx;
	f.events |= events;
	see(events & UV_READABLE ? 'r' : 'w');
	if (events & UV_READABLE) {
		gw_watch_free(f.watch); /* inside its own callback */
		f.watch = NULL;
		gw_loop_stop(f.loop);
	} else {
		assert_int_equal(gw_watch_set(f.watch, UV_READABLE), 0);
		assert_int_equal(write(f.fd, "x", 1), 1);
	}
}

static void watch_reads_and_writes(void **state)
{
	(void)state;
	int fd[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd), 0);
	f.fd = fd[1];
	f.watch = gw_watch_new(f.loop, fd[0], on_fd, NULL);
	assert_non_null(f.watch);
	assert_int_equal(gw_watch_set(f.watch, UV_WRITABLE), 0);
	assert_int_equal(gw_watch_set(f.watch, 0), 0); /* paused */
	f.timer = gw_timer_new(f.loop, stop, NULL);
	gw_timer_start(f.timer, 5, 0);
	assert_int_equal(gw_loop_run(f.loop), 0);
	assert_string_equal(f.seen, "s");
	assert_int_equal(gw_watch_set(f.watch, UV_WRITABLE), 0);
	assert_int_equal(gw_loop_run(f.loop), 0);
	assert_string_equal(f.seen, "swr");
	gw_timer_free(f.timer);
	gw_watch_free(NULL);
	close(fd[0]);
	close(fd[1]);
}

static void on_broken(void *ctx, int events)
{
	(void)ctx;
	char c;
	assert_true(events & UV_READABLE); /* so that the owner reads and meets the error */
	see(read(f.fd, &c, 1) < 0 && errno == ECONNRESET ? 'e' : 'o');
	if (++f.ticks == 2) {
		gw_loop_stop(f.loop);
	}
}

/* A reset makes libuv stop its poll; the watch goes on until its owner ends it. */
static void watch_survives_an_error(void **state)
{
	(void)state;
	int fd[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd), 0);
	assert_int_equal(write(fd[0], "unread", 6), 6);
	close(fd[1]); /* with unread data: fd[0] gets ECONNRESET */
	f.fd = fd[0];
	f.watch = gw_watch_new(f.loop, fd[0], on_broken, NULL);
	assert_int_equal(gw_watch_set(f.watch, UV_READABLE), 0);
	assert_int_equal(gw_loop_run(f.loop), 0);
	assert_string_equal(f.seen, "eo");
	gw_watch_free(f.watch);
	close(fd[0]);
}

static void watch_refuses_files(void **state)
{
	(void)state;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	assert_null(gw_watch_new(f.loop, fd, on_fd, NULL)); /* epoll knows no regular files */
	close(fd);
}

/* --- deferred --- */

static void on_deferred(void *ctx)
{
	(void)ctx;
	see('d');
	gw_loop_stop(f.loop);
}

static void on_turn(uv_prepare_t *p)
{
	(void)p;
	f.turns++;
}

static void schedule_twice(void *ctx)
{
	(void)ctx;
	see('t');
	gw_deferred_schedule(f.deferred);
	gw_deferred_schedule(f.deferred);
}

static void deferred_runs_in_the_same_turn_once(void **state)
{
	(void)state;
	uv_prepare_t prepare;
	assert_int_equal(uv_prepare_init(gw_loop_uv(f.loop), &prepare), 0);
	assert_int_equal(uv_prepare_start(&prepare, on_turn), 0);
	f.deferred = gw_deferred_new(f.loop, on_deferred, NULL);
	f.timer = gw_timer_new(f.loop, schedule_twice, NULL);
	gw_timer_start(f.timer, 1, 0);
	assert_int_equal(gw_loop_run(f.loop), 0);
	assert_string_equal(f.seen, "td");
	/* From outside of the loop: the next turn does not wait for events. */
	int64_t begin = gw_clock_ms();
	f.turns = 0;
	gw_deferred_schedule(f.deferred);
	assert_int_equal(gw_loop_run(f.loop), 0);
	assert_true(gw_clock_ms() - begin < 5000);
	assert_string_equal(f.seen, "tdd");
	assert_int_equal(f.turns, 1);
	/* Idle again: a turn for the timer and none for us. */
	f.turns = 0;
	gw_timer_free(f.timer);
	f.timer = gw_timer_new(f.loop, stop, NULL);
	gw_timer_start(f.timer, 30, 0);
	assert_int_equal(gw_loop_run(f.loop), 0);
	assert_true(f.turns <= 3);
	gw_timer_free(f.timer);
	gw_deferred_free(f.deferred);
	uv_close((uv_handle_t *)&prepare, NULL);
	(void)uv_run(gw_loop_uv(f.loop), UV_RUN_NOWAIT); /* prepare is on this stack */
}

static void again(void *ctx)
{
	(void)ctx;
	see('a');
	if (++f.ticks == 3) {
		gw_loop_stop(f.loop);
	} else {
		gw_deferred_schedule(f.deferred);
	}
}

static void free_both(void *ctx)
{
	(void)ctx;
	see('f');
	gw_deferred_free(f.deferred); /* itself */
	gw_deferred_free(f.second);   /* one that waits in the same turn */
	f.deferred = f.second = NULL;
	gw_loop_stop(f.loop);
}

static void deferred_again_and_freed_inside(void **state)
{
	(void)state;
	f.deferred = gw_deferred_new(f.loop, again, NULL);
	gw_deferred_schedule(f.deferred);
	assert_int_equal(gw_loop_run(f.loop), 0);
	assert_string_equal(f.seen, "aaa");
	gw_deferred_free(f.deferred);
	f.deferred = gw_deferred_new(f.loop, free_both, NULL);
	f.second = gw_deferred_new(f.loop, on_deferred, NULL);
	gw_deferred_schedule(f.deferred);
	gw_deferred_schedule(f.second);
	assert_int_equal(gw_loop_run(f.loop), 0);
	assert_string_equal(f.seen, "aaaf");
	gw_deferred_free(NULL);
}

/* --- work --- */

struct job {
	int input, output, status;
	bool done;
};

static void compute(void *ctx)
{
	struct job *j = ctx;
	j->output = j->input * 2;
}

static void computed(void *ctx, int status)
{
	struct job *j = ctx;
	j->status = status;
	j->done = true;
	see('w');
	gw_loop_stop(f.loop);
}

static void work(void **state)
{
	(void)state;
	struct job j = {.input = 21};
	assert_int_equal(gw_loop_work(f.loop, compute, computed, &j), 0);
	assert_int_equal(gw_loop_run(f.loop), 0);
	assert_true(j.done);
	assert_int_equal(j.status, 0);
	assert_int_equal(j.output, 42);
}

static int release_fd[2];

static void block(void *ctx)
{
	struct job *j = ctx;
	char c;
	j->output = (int)read(release_fd[0], &c, 1);
}

static void unblock(void *ctx, int status)
{
	computed(ctx, status);
	/* The first cancelled job lets the blocked threads go. */
	if (status == -ECANCELED) {
		char x[16] = {0};
		(void)!write(release_fd[1], x, sizeof(x));
	}
}

/* More jobs than threads: the waiting ones are cancelled, the running ones end, and each is told. */
static void work_while_freeing(void **state)
{
	(void)state;
	enum { JOBS = 8 };
	struct job j[JOBS] = {0};
	assert_int_equal(pipe2(release_fd, O_CLOEXEC), 0);
	struct gw_loop *l = gw_loop_new();
	for (int i = 0; i < JOBS; i++) {
		assert_int_equal(gw_loop_work(l, block, unblock, &j[i]), 0);
	}
	gw_loop_free(l);
	int cancelled = 0;
	for (int i = 0; i < JOBS; i++) {
		assert_true(j[i].done);
		assert_true(j[i].status == 0 || j[i].status == -ECANCELED);
		assert_int_equal(j[i].output, j[i].status == 0 ? 1 : 0);
		cancelled += j[i].status == -ECANCELED;
	}
	assert_true(cancelled >= JOBS - 4); /* libuv has 4 threads */
	close(release_fd[0]);
	close(release_fd[1]);
}

static void idle_costs_nothing(void **state)
{
	(void)state;
	/* Nothing is deferred: the loop may block until its next timer. */
	(void)uv_run(gw_loop_uv(f.loop), UV_RUN_NOWAIT);
	assert_true(uv_backend_timeout(gw_loop_uv(f.loop)) > 1000);
	f.deferred = gw_deferred_new(f.loop, on_deferred, NULL);
	gw_deferred_schedule(f.deferred);
	assert_int_equal(uv_backend_timeout(gw_loop_uv(f.loop)), 0);
	(void)uv_run(gw_loop_uv(f.loop), UV_RUN_NOWAIT);
	assert_string_equal(f.seen, "d");
	(void)uv_run(gw_loop_uv(f.loop), UV_RUN_NOWAIT);
	assert_true(uv_backend_timeout(gw_loop_uv(f.loop)) > 1000);
	gw_deferred_free(f.deferred);
}

static void out_of_memory(void **state)
{
	(void)state;
	gw_alloc_fail_at(1);
	assert_null(gw_loop_new());
	gw_alloc_fail_at(1);
	assert_null(gw_timer_new(f.loop, tick, NULL));
	gw_alloc_fail_at(1);
	assert_null(gw_watch_new(f.loop, 0, on_fd, NULL));
	gw_alloc_fail_at(1);
	assert_null(gw_deferred_new(f.loop, on_deferred, NULL));
	gw_alloc_fail_at(1);
	assert_int_equal(gw_loop_work(f.loop, compute, computed, NULL), -ENOMEM);
	gw_alloc_fail_at(0);
	gw_loop_free(NULL);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(timer_repeats_and_is_freed_inside),
		T(timer_restarts_and_stops),
		T(watch_reads_and_writes),
		T(watch_survives_an_error),
		T(watch_refuses_files),
		T(deferred_runs_in_the_same_turn_once),
		T(deferred_again_and_freed_inside),
		T(work),
		T(work_while_freeing),
		T(idle_costs_nothing),
		T(out_of_memory),
	};
	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
