#include "gw_test.h"

#include <errno.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "home/deadline.h"

struct thing {
	struct gw_deadline due;
	struct gw_deadlines *ds;
	int64_t again_ms; /* sets itself again that much later */
	int fired, order;
};

static int order;

static void on_due(struct gw_deadline *d)
{
	struct thing *t = gw_container(d, struct thing, due);

	t->fired++;
	t->order = ++order;
	if (t->again_ms >= 0) {
		gw_deadline_set(t->ds, d, gw_clock_ms() + t->again_ms);
	}
}

struct fixture {
	struct gw_loop *loop;
	struct gw_deadlines *ds;
	struct thing things[64];
};

static void open_fixture(struct fixture *f)
{
	*f = (struct fixture){.loop = gw_loop_new()};
	order = 0;
	assert_non_null(f->loop);
	assert_int_equal(gw_deadlines_new(f->loop, &f->ds), 0);
	assert_int_equal(gw_deadlines_reserve(f->ds, gw_countof(f->things)), 0);
	for (size_t i = 0; i < gw_countof(f->things); i++) {
		f->things[i] = (struct thing){.due = {.fn = on_due}, .ds = f->ds, .again_ms = -1};
	}
}

static void close_fixture(struct fixture *f)
{
	gw_deadlines_free(f->ds);
	gw_loop_free(f->loop);
}

static void fires_in_order_of_time(void **state)
{
	struct fixture f;
	int64_t now = gw_clock_ms();

	(void)state;
	open_fixture(&f);
	for (size_t i = 0; i < 64; i++) {
		/* 37 is prime to 64: every time once, in no order */
		gw_deadline_set(f.ds, &f.things[i].due, now + 1000 + (int64_t)(i * 37 % 64) * 10);
	}
	gw_deadlines_run(f.ds);
	assert_int_equal(order, 0);
	gw_clock_advance_ms(2000);
	gw_deadlines_run(f.ds);
	assert_int_equal(order, 64);
	for (size_t i = 0; i < 64; i++) {
		assert_int_equal(f.things[i].order, i * 37 % 64 + 1);
	}
	close_fixture(&f);
}

static void moves_and_clears(void **state)
{
	struct fixture f;
	int64_t now = gw_clock_ms();

	(void)state;
	open_fixture(&f);
	gw_deadline_set(f.ds, &f.things[0].due, now + 100);
	gw_deadline_set(f.ds, &f.things[1].due, now + 200);
	gw_deadline_set(f.ds, &f.things[2].due, now + 300);
	gw_deadline_set(f.ds, &f.things[0].due, now + 400);	/* later */
	gw_deadline_advance(f.ds, &f.things[1].due, now + 500); /* not earlier: stays */
	gw_deadline_advance(f.ds, &f.things[2].due, now + 50);	/* earlier */
	gw_deadline_clear(f.ds, &f.things[1].due);
	gw_deadline_clear(f.ds, &f.things[1].due);
	gw_clock_advance_ms(60);
	gw_deadlines_run(f.ds);
	assert_int_equal(f.things[2].fired, 1);
	assert_int_equal(order, 1);
	gw_clock_advance_ms(1000);
	gw_deadlines_run(f.ds);
	assert_int_equal(f.things[0].fired, 1);
	assert_int_equal(f.things[1].fired, 0);
	close_fixture(&f);
}

static void one_that_sets_itself_does_not_hold_the_run(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f);
	f.things[0].again_ms = 0;
	gw_deadline_set(f.ds, &f.things[0].due, gw_clock_ms());
	gw_deadlines_run(f.ds);
	assert_int_equal(f.things[0].fired, 1);
	gw_clock_advance_ms(5);
	gw_deadlines_run(f.ds);
	assert_int_equal(f.things[0].fired, 2);
	close_fixture(&f);
}

static void stop_loop(struct gw_deadline *d)
{
	struct thing *t = gw_container(d, struct thing, due);

	t->fired++;
	gw_loop_stop((struct gw_loop *)(void *)t->ds);
}

static void the_timer_fires_by_itself(void **state)
{
	struct fixture f;
	struct thing t = {.due = {.fn = stop_loop}};

	(void)state;
	open_fixture(&f);
	t.ds = (struct gw_deadlines *)(void *)f.loop;
	gw_deadline_set(f.ds, &f.things[0].due, gw_clock_ms() + 1);
	gw_deadline_set(f.ds, &t.due, gw_clock_ms() + 20);
	assert_int_equal(gw_loop_run(f.loop), 0);
	assert_int_equal(t.fired, 1);
	assert_int_equal(f.things[0].fired, 1);
	close_fixture(&f);
}

static void out_of_memory(void **state)
{
	struct gw_loop *loop = gw_loop_new();
	struct gw_deadlines *ds = NULL;

	(void)state;
	assert_non_null(loop);
	for (uint64_t n = 1;; n++) {
		gw_alloc_fail_at(n);
		int r = gw_deadlines_new(loop, &ds);
		gw_alloc_fail_at(0);
		if (r == 0) {
			assert_true(n > 1);
			break;
		}
		assert_int_equal(r, -ENOMEM);
	}
	gw_alloc_fail_at(1);
	assert_int_equal(gw_deadlines_reserve(ds, 1), -ENOMEM);
	gw_alloc_fail_at(0);
	assert_int_equal(gw_deadlines_reserve(ds, 1), 0);
	gw_deadlines_release(ds, 1);
	gw_deadlines_free(ds);
	gw_loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fires_in_order_of_time),
		cmocka_unit_test(moves_and_clears),
		cmocka_unit_test(one_that_sets_itself_does_not_hold_the_run),
		cmocka_unit_test(the_timer_fires_by_itself),
		cmocka_unit_test(out_of_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
