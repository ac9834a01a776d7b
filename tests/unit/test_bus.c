/* Events: numbered, in order, state first; listeners that come and go; replay and its limits. */
#include "gw_test.h"

#include <errno.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "home/bus.h"
#include "home/registry.h"
#include "live_fixture.h"

static void emit(enum gw_event_type type)
{
	const struct gw_emit e = {.type = type, .time_wall_ms = 1};

	(void)gw_bus_emit(h.g, &e);
}

struct ear {
	struct gw_listener l;
	uint64_t seqs[16];
	size_t n, flushes;
	struct gw_listener *remove; /* on the first event */
	bool emit;		    /* on the first event */
};

static void on_event(struct gw_listener *l, const struct gw_event *e)
{
	struct ear *x = gw_container(l, struct ear, l);

	x->seqs[x->n++ % gw_countof(x->seqs)] = e->seq;
	if (x->n == 1 && x->remove) {
		gw_bus_unlisten(x->remove);
	}
	if (x->n == 1 && x->emit) {
		emit(GW_EVENT_HOME);
		gw_bus_flush(h.g); /* does nothing within a delivery */
	}
}

static void on_flush(struct gw_listener *l)
{
	gw_container(l, struct ear, l)->flushes++;
}

static void tune_in(struct ear *x)
{
	x->l.event = on_event;
	x->l.flush = on_flush;
	gw_bus_listen(h.g, &x->l);
}

static void goes_out_at_the_end_of_the_turn_in_order(void **state)
{
	struct ear x = {0};
	uint64_t before = gw_bus_seq(h.g);

	(void)state;
	tune_in(&x);
	emit(GW_EVENT_HOME);
	emit(GW_EVENT_CANDIDATE);
	assert_int_equal(x.n, 0);
	assert_int_equal(gw_bus_seq(h.g), before + 2);
	(void)uv_run(gw_loop_uv(h.loop), UV_RUN_NOWAIT);
	assert_int_equal(x.n, 2);
	assert_int_equal(x.seqs[0], before + 1);
	assert_int_equal(x.seqs[1], before + 2);
	assert_int_equal(x.flushes, 1);
	gw_bus_flush(h.g);
	assert_int_equal(x.flushes, 1);
	gw_bus_unlisten(&x.l);
}

static void state_is_first(void **state)
{
	(void)state;
	live_home_add(&h, "p", "test.plug", "topic=a");
	live_home_up(&h);
	(void)live_home_heard(&h);
	played_receive("stat/a", "{\"on\":true,\"power\":5.04}", false);
	assert_string_equal(live_home_heard(&h),
			    "property p switch.on=true ok\nproperty p meter.power=5 ok\n");
	const struct gw_property *p = gw_device_property(gw_device_find(h.g, GW_STR("p")), 0);
	assert_int_equal(p->seq, gw_bus_seq(h.g) - 1);
	/* Nothing changed: no event. */
	played_receive("stat/a", "{\"on\":true,\"power\":5.01}", false);
	assert_string_equal(live_home_heard(&h), "");
}

static void a_handler_may_remove_any_listener(void **state)
{
	struct ear a = {0}, b = {0}, c = {0};

	(void)state;
	tune_in(&a);
	tune_in(&b);
	tune_in(&c);
	a.remove = &b.l; /* the next one */
	c.remove = &c.l; /* itself */
	emit(GW_EVENT_HOME);
	emit(GW_EVENT_HOME);
	gw_bus_flush(h.g);
	assert_int_equal(a.n, 2);
	assert_int_equal(b.n, 0);
	assert_int_equal(c.n, 1);
	gw_bus_unlisten(&a.l);
	gw_bus_unlisten(&a.l); /* idempotent */
}

static void what_a_handler_emits_follows_in_the_same_delivery(void **state)
{
	struct ear a = {.emit = true}, b = {0};

	(void)state;
	tune_in(&a);
	tune_in(&b);
	emit(GW_EVENT_HOME);
	gw_bus_flush(h.g);
	assert_int_equal(a.n, 2);
	assert_int_equal(b.n, 2);
	assert_int_equal(b.seqs[1], b.seqs[0] + 1);
	assert_int_equal(b.flushes, 1);
	gw_bus_unlisten(&a.l);
	gw_bus_unlisten(&b.l);
}

struct replayed {
	uint64_t first, last;
	size_t n;
};

static void on_replay(void *ctx, const struct gw_event *e)
{
	struct replayed *r = ctx;

	r->first = r->n == 0 ? e->seq : r->first;
	r->last = e->seq;
	r->n++;
}

static void replays_what_is_kept(void **state)
{
	struct replayed r = {0};
	uint64_t start;

	(void)state;
	gw_bus_flush(h.g);
	start = gw_bus_seq(h.g);
	assert_int_equal(gw_bus_replay(h.g, start, on_replay, &r), 0);
	assert_int_equal(r.n, 0);
	assert_int_equal(gw_bus_replay(h.g, start + 1, on_replay, &r), -ESTALE);
	for (int i = 0; i < GW_EVENT_RING; i++) {
		emit(GW_EVENT_HOME);
		gw_bus_flush(h.g);
	}
	assert_int_equal(gw_bus_replay(h.g, start, on_replay, &r), 0); /* at the limit */
	assert_int_equal(r.n, GW_EVENT_RING);
	assert_int_equal(r.first, start + 1);
	assert_int_equal(r.last, start + GW_EVENT_RING);
	emit(GW_EVENT_HOME);
	gw_bus_flush(h.g);
	assert_int_equal(gw_bus_replay(h.g, start, on_replay, &r), -ESTALE); /* above it */
	assert_true(gw_bus_epoch(h.g) != 0);
}

static void replay_leaves_out_what_is_gone(void **state)
{
	struct gw_device *d = live_home_add(&h, "p", "test.plug", "topic=a");
	struct replayed r = {0};
	uint64_t start;

	(void)state;
	live_home_up(&h);
	gw_bus_flush(h.g);
	start = gw_bus_seq(h.g);
	played_receive("stat/a", "{\"on\":true}", false);
	assert_int_equal(gw_bus_replay(h.g, start, on_replay, &r), 0);
	assert_int_equal(r.n, 1);
	gw_registry_remove(d);
	gw_bus_flush(h.g);
	r.n = 0;
	assert_int_equal(gw_bus_replay(h.g, start, on_replay, &r), 0);
	assert_int_equal(r.n, 1); /* the removal only */
	assert_int_equal(r.first, start + 2);
}

static void a_flood_loses_the_oldest_and_is_counted(void **state)
{
	(void)state;
	gw_bus_flush(h.g);
	for (int i = 0; i < GW_EVENT_RING - 1; i++) {
		emit(GW_EVENT_HOME);
	}
	assert_int_equal(gw_bus_lost(h.g->bus), 0);
	emit(GW_EVENT_HOME);
	assert_int_equal(gw_bus_lost(h.g->bus), 1);
	gw_bus_relieve(h.g); /* over half full: hands out at once */
	struct replayed r = {0};
	assert_int_equal(gw_bus_replay(h.g, gw_bus_seq(h.g) - 1, on_replay, &r), 0);
	assert_int_equal(r.n, 1);
	(void)live_home_heard(&h);
}

static void out_of_memory(void **state)
{
	struct gw_gateway g = {.loop = h.loop};

	(void)state;
	for (uint64_t n = 1;; n++) {
		gw_alloc_fail_at(n);
		int r = gw_bus_new(&g, &g.bus);
		gw_alloc_fail_at(0);
		if (r == 0) {
			break;
		}
		assert_int_equal(r, -ENOMEM);
		assert_null(g.bus);
	}
	gw_bus_free(g.bus);
	gw_bus_free(NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(goes_out_at_the_end_of_the_turn_in_order),
		TEST(state_is_first),
		TEST(a_handler_may_remove_any_listener),
		TEST(what_a_handler_emits_follows_in_the_same_delivery),
		TEST(replays_what_is_kept),
		TEST(replay_leaves_out_what_is_gone),
		TEST(a_flood_loses_the_oldest_and_is_counted),
		TEST(out_of_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
