/* Between adapters and devices: channels, ownership of addresses, pacing, polls, the life of an adapter. */
#include "gw_test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gw/clock.h"
#include "home/adapter_host.h"
#include "home/deadline.h"
#include "home/registry.h"
#include "live_fixture.h"

static void channels_are_expanded_and_listed_once(void **state)
{
	(void)state;
	live_home_add(&h, "p", "test.plug", "topic=a");
	assert_int_equal(played.n_devices, 1);
	const struct gw_adapter_device *d = played.devices[0];
	assert_string_equal(d->id, "p");
	assert_int_equal(d->n_rx, 2);
	assert_string_equal(d->rx[0].name, "stat/a");
	assert_string_equal(d->rx[1].name, "lwt/a");
	assert_string_equal(gw_vars_get(d->vars, "topic"), "a");
	/* A channel that it does not have is ignored. */
	gw_adapter_receive(played.devices[0], 2, GW_STR("{}"), false);
	assert_int_equal(h.g->registry->messages, 0);
}

static void the_first_device_owns_its_address(void **state)
{
	struct gw_device_info info;

	(void)state;
	live_home_add(&h, "p", "test.plug", "topic=a");
	struct gw_device *second = live_home_add(&h, "q", "test.plug", "topic=a");
	gw_device_info(second, &info);
	assert_true(strstr(info.problem, " p ") != NULL);
	assert_false(info.reachable);
	assert_int_equal(played.n_devices, 1);
	/* It is free again when the first one goes. */
	gw_registry_remove(gw_device_find(h.g, GW_STR("p")));
	assert_int_equal(gw_route_attach(second), 0);
	assert_int_equal(played.n_devices, 1);
	/* An adapter's own refusal is a problem too. */
	played.refuse_attach = -EADDRINUSE;
	gw_device_info(live_home_add(&h, "r", "test.plug", "topic=c"), &info);
	assert_true(info.problem[0] != 0);
	played.refuse_attach = 0;
	assert_int_equal(gw_route_attach(gw_device_find(h.g, GW_STR("r"))), 0);
}

static void asks_when_it_comes_online(void **state)
{
	(void)state;
	live_home_add(&h, "p", "test.plug", "topic=a");
	live_home_up(&h);
	played_clear();
	played_receive("lwt/a", "Online", true);
	live_home_settle(&h);
	live_home_pass(&h, 10);
	assert_string_equal(played_sent(0), "cmnd/a/get 1");
	assert_int_equal(played.n_sends, 1);
	played_receive("stat/a", "{\"on\":true}", false);
	/* Offline and back: asked again, once. */
	played_receive("lwt/a", "Offline", false);
	played_receive("lwt/a", "Online", false);
	live_home_pass(&h, 10);
	assert_int_equal(played.n_sends, 2);
}

static size_t sent_gets(void)
{
	size_t n = 0;

	for (size_t i = 0; i < played.n_sends; i++) {
		n += strcmp(played_sent(i), "lamp/x/get ?") == 0 ? 1 : 0;
	}
	return n;
}

static void polls_at_its_interval_after_each_answer(void **state)
{
	(void)state;
	live_home_add(&h, "l", "test.lamp", "topic=x");
	live_home_up(&h);
	assert_int_equal(sent_gets(), 1); /* at once after binding */
	played_receive("lamp/x", "{\"on\":true}", false);
	live_home_pass(&h, 57000 - 100); /* a minute less 5 % */
	assert_int_equal(sent_gets(), 1);
	live_home_pass(&h, 6200);
	assert_int_equal(sent_gets(), 2);
	played_receive("lamp/x", "{\"on\":true}", false);
	live_home_pass(&h, 64000);
	assert_int_equal(sent_gets(), 3);
}

static void asks_wait_for_a_link_that_is_late(void **state)
{
	(void)state;
	live_home_add(&h, "l", "test.lamp", "topic=x");
	live_home_pass(&h, 60 * 1000);
	assert_int_equal(played.n_sends, 0);
	live_home_up(&h);
	assert_int_equal(sent_gets(), 1);
}

static void keeps_the_gap_between_two_sends(void **state)
{
	(void)state;
	live_home_add(&h, "l", "test.lamp", "topic=x");
	live_home_up(&h);
	played_receive("lamp/x", "{\"on\":true}", false);
	live_home_pass(&h, 500);
	played_clear();
	struct gw_route *r = gw_device_find(h.g, GW_STR("l"))->route;
	int get = gw_plan_find_msg(gw_binding_plan(r->device->binding), GW_STR("get"));
	int64_t before = gw_clock_ms();
	gw_queue_ask(r, (uint16_t)get, 0);
	live_home_settle(&h);
	assert_int_equal(played.n_sends, 1);
	played_receive("lamp/x", "{\"on\":true}", false);
	gw_queue_ask(r, (uint16_t)get, 0);
	live_home_settle(&h);
	assert_int_equal(played.n_sends, 1);
	live_home_pass(&h, 250);
	assert_int_equal(played.n_sends, 2);
	assert_true(gw_clock_ms() - before >= 200);
}

static void submit_on(struct gw_device *d, bool on_or_off)
{
	struct gw_node on = {.type = GW_NODE_BOOL, .flag = on_or_off};
	const struct gw_wanted wanted = {GW_STR("switch.on"), &on};
	struct gw_outgoing out = {0};
	struct gw_write_error e;

	assert_int_equal(gw_binding_write(d->binding, &wanted, 1, gw_clock_ms(), &out, &e), 0);
	assert_non_null(
		gw_queue_submit(d->route, &out, 1, gw_clock_ms() + 60000, false, NULL, NULL));
	gw_outgoing_fini(&out);
	gw_queue_pump(d->route);
}

static void one_message_is_in_flight(void **state)
{
	(void)state;
	struct gw_device *d = live_home_add(&h, "p", "test.plug", "topic=a");
	live_home_up(&h);
	played.hold = true;
	submit_on(d, true);
	submit_on(d, false);
	assert_int_equal(played.n_sends, 1);
	played_done(0, GW_STATUS_DONE);
	assert_int_equal(played.n_sends, 2);
	assert_string_equal(played_sent(1), "cmnd/a/set {\"on\":false}");
}

static void a_silent_ask_delays_asks_but_no_command(void **state)
{
	(void)state;
	struct gw_device *d = live_home_add(&h, "p", "test.plug", "topic=a");
	live_home_up(&h);
	played_receive("lwt/a", "Online", true);
	live_home_pass(&h, 10);
	assert_string_equal(played_sent(0), "cmnd/a/get 1"); /* its answer is awaited */
	gw_queue_wake(d->route, GW_ASK_ONLINE);
	live_home_pass(&h, 4800);
	assert_int_equal(played.n_sends, 1);
	submit_on(d, true);
	assert_int_equal(played.n_sends, 2);
	assert_string_equal(played_sent(1), "cmnd/a/set {\"on\":true}");
	gw_queue_wake(d->route, GW_ASK_ONLINE);
	live_home_pass(&h, 100);
	assert_int_equal(played.n_sends, 3);
	assert_string_equal(played_sent(2), "cmnd/a/get 1");
}

static void a_send_that_never_ends_is_cancelled(void **state)
{
	(void)state;
	live_home_add(&h, "l", "test.lamp", "topic=x");
	played.hold = true;
	live_home_up(&h);
	assert_int_equal(played.n_sends, 1);
	live_home_pass(&h, 29000);
	assert_false(played.sends[0].cancelled);
	live_home_pass(&h, 1100);
	assert_true(played.sends[0].cancelled);
}

static void the_link_is_told_to_the_home(void **state)
{
	struct gw_adapter_info info;

	(void)state;
	assert_true(gw_adapter_at(h.g, 0, &info));
	assert_string_equal(info.name, "mqtt");
	assert_int_equal(info.state, GW_LINK_CONNECTING);
	gw_adapter_link(played.adapter, GW_LINK_REFUSED, "bad password");
	assert_true(gw_adapter_at(h.g, 0, &info));
	assert_int_equal(info.state, GW_LINK_REFUSED);
	assert_string_equal(info.reason, "bad password");
	live_home_add(&h, "p", "test.plug", "topic=a");
	assert_true(gw_adapter_at(h.g, 0, &info));
	assert_int_equal(info.devices, 1);
	assert_false(gw_adapter_at(h.g, 1, &info));
}

static void detaching_in_flight_cancels(void **state)
{
	(void)state;
	struct gw_device *d = live_home_add(&h, "l", "test.lamp", "topic=x");
	played.hold = true;
	live_home_up(&h);
	assert_int_equal(played.n_sends, 1);
	gw_route_detach(d);
	assert_true(played.sends[0].cancelled);
	gw_route_detach(d); /* idempotent */
	assert_int_equal(gw_route_attach(d), 0);
}

static void jitter_stays_in_its_bounds(void **state)
{
	bool low = false, high = false;

	(void)state;
	assert_int_equal(gw_hosts_random(h.g->hosts, 0), 0);
	for (int i = 0; i < 1000; i++) {
		uint32_t x = gw_hosts_random(h.g->hosts, 10);
		assert_true(x < 10);
		low |= x == 0;
		high |= x == 9;
	}
	assert_true(low && high);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(channels_are_expanded_and_listed_once),
		TEST(the_first_device_owns_its_address),
		TEST(asks_when_it_comes_online),
		TEST(polls_at_its_interval_after_each_answer),
		TEST(asks_wait_for_a_link_that_is_late),
		TEST(keeps_the_gap_between_two_sends),
		TEST(one_message_is_in_flight),
		TEST(a_silent_ask_delays_asks_but_no_command),
		TEST(a_send_that_never_ends_is_cancelled),
		TEST(the_link_is_told_to_the_home),
		TEST(detaching_in_flight_cancels),
		TEST(jitter_stays_in_its_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
