/* The last messages and commands, hop by hop. */
#include "gw_test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gw/alloc.h"
#include "home/journey.h"
#include "home/registry.h"
#include "live_fixture.h"

static struct gw_hop hops[8];
static size_t n_hops;

static bool keep(void *ctx, const struct gw_hop *hop)
{
	(void)ctx;
	if (n_hops < gw_countof(hops)) {
		hops[n_hops] = *hop;
	}
	n_hops++;
	return true;
}

static void read_hops(const char *device)
{
	n_hops = 0;
	gw_journey_each(h.g, device, keep, NULL);
}

static void a_message_and_what_became_of_it(void **state)
{
	(void)state;
	live_home_add(&h, "p", "test.plug", "topic=a");
	live_home_up(&h);
	played_receive("stat/a", "{\"on\":true,\"power\":5}", false);
	played_receive("stat/a", "{\"on\":false}", false);
	read_hops("p");
	assert_int_equal(n_hops, 2);
	assert_int_equal(hops[0].kind, GW_HOP_RECEIVED); /* the newest first */
	assert_string_equal(hops[0].device, "p");
	assert_string_equal(hops[0].channel, "stat/a");
	assert_string_equal(hops[0].msg, "state");
	assert_int_equal(hops[0].raw_len, strlen("{\"on\":false}"));
	assert_memory_equal(hops[0].raw, "{\"on\":false}", hops[0].raw_len);
	assert_true(strstr(hops[0].rules, "switch.on") != NULL);
	assert_true(hops[0].decode_us >= 0 && hops[0].state_us >= 0);
	assert_true(hops[0].publish_us >= 0);
	assert_int_equal(hops[0].total_us,
			 hops[0].decode_us + hops[0].state_us + hops[0].publish_us);
	assert_true(hops[0].cause > hops[1].cause);
	/* An older one shows the values of then. */
	assert_string_equal(hops[1].rules, "switch.on = true  by point relay\n"
					   "meter.power = 5 W  by point watts\n");
	read_hops("nobody");
	assert_int_equal(n_hops, 0);
	read_hops(NULL);
	assert_int_equal(n_hops, 2);
}

static void assert_unpublished(const struct gw_hop *hop)
{
	assert_int_equal(hop->publish_us, -1);
	assert_true(hop->decode_us >= 0 && hop->state_us >= 0);
	assert_int_equal(hop->total_us, hop->decode_us + hop->state_us);
}

static void what_changed_nothing_is_not_published(void **state)
{
	(void)state;
	live_home_add(&h, "p", "test.plug", "topic=a");
	live_home_up(&h);
	played_receive("stat/a", "{\"on\":true}", false);
	played_receive("stat/a", "{\"on\":true}", false);
	played_receive("stat/a", "{\"on\":false}", false);
	live_home_settle(&h);
	read_hops("p");
	assert_int_equal(n_hops, 3);
	assert_true(hops[0].publish_us >= 0 && hops[2].publish_us >= 0);
	assert_string_equal(hops[1].rules, "");
	assert_unpublished(&hops[1]);
}

/* The rate lets one update through; the second is not in the flush that follows it. */
static void what_is_held_back_is_not_published(void **state)
{
	(void)state;
	live_home_open(&h, all_profiles, "limits: {device_rate: 1, device_burst: 1}\n");
	live_home_add(&h, "p", "test.plug", "topic=a");
	live_home_add(&h, "q", "test.plug", "topic=b");
	live_home_up(&h);
	played_receive("stat/a", "{\"on\":true}", false);
	played_receive("stat/a", "{\"on\":false}", false);
	played_receive("stat/b", "{\"on\":true}", false);
	read_hops("p");
	assert_int_equal(n_hops, 2);
	assert_true(hops[1].publish_us >= 0);
	assert_true(strstr(hops[0].rules, "switch.on") != NULL);
	assert_unpublished(&hops[0]);
}

static void on_done(void *ctx, const struct gw_outcome *o)
{
	(void)o;
	(*(int *)ctx)++;
}

static void a_command_from_entry_to_echo(void **state)
{
	struct gw_node on = {.type = GW_NODE_BOOL, .flag = true};
	const struct gw_wanted wanted = {GW_STR("switch.on"), &on};
	const struct gw_command_request r = {.principal = &h.owner,
					     .origin = "control",
					     .device = GW_STR("p"),
					     .wanted = &wanted,
					     .n_wanted = 1};
	uint64_t id;
	int done = 0;

	(void)state;
	live_home_add(&h, "p", "test.plug", "topic=a");
	live_home_up(&h);
	assert_int_equal(gw_command_submit(h.g, &r, on_done, &done, &id), 0);
	played_receive("stat/a", "{\"on\":true}", false);
	assert_int_equal(done, 1);
	read_hops("p");
	assert_int_equal(n_hops, 4);
	assert_int_equal(hops[3].kind, GW_HOP_COMMAND);
	assert_int_equal(hops[3].cause, id);
	assert_string_equal(hops[3].who, "local");
	assert_string_equal(hops[3].origin, "control");
	assert_memory_equal(hops[3].raw, "switch.on = true", hops[3].raw_len);
	assert_int_equal(hops[2].kind, GW_HOP_SENT);
	assert_int_equal(hops[2].cause, id);
	assert_string_equal(hops[2].channel, "cmnd/a/set");
	assert_string_equal(hops[2].msg, "set");
	assert_memory_equal(hops[2].raw, "{\"on\":true}", hops[2].raw_len);
	assert_int_equal(hops[1].kind, GW_HOP_RECEIVED);
	assert_int_equal(hops[0].kind, GW_HOP_CONFIRMED);
	assert_int_equal(hops[0].cause, id);
	assert_int_equal(hops[0].status, GW_STATUS_DONE);
	assert_true(hops[0].total_us >= 0);
}

static void what_could_not_be_read_is_shown_too(void **state)
{
	(void)state;
	live_home_add(&h, "p", "test.plug", "topic=a");
	live_home_up(&h);
	played_receive("stat/a", "nonsense", false);
	read_hops("p");
	assert_int_equal(n_hops, 1);
	assert_int_equal(hops[0].kind, GW_HOP_BAD);
	assert_memory_equal(hops[0].raw, "nonsense", hops[0].raw_len);
}

static void secrets_are_masked(void **state)
{
	(void)state;
	live_home_add(&h, "p", "test.plug", "topic=a token=hunter2");
	live_home_up(&h);
	played_receive("stat/a", "{\"on\":true,\"t\":\"hunter2\",\"u\":\"hunter2\"}", false);
	read_hops("p");
	assert_memory_equal(hops[0].raw, "{\"on\":true,\"t\":\"*******\",\"u\":\"*******\"}",
			    hops[0].raw_len);
}

static void a_secret_at_the_clipped_end_is_masked(void **state)
{
	char body[GW_JOURNEY_BYTES + 64];

	(void)state;
	live_home_add(&h, "p", "test.plug", "topic=a token=hunter2");
	live_home_up(&h);
	memset(body, ' ', sizeof(body));
	(void)snprintf(body + GW_JOURNEY_BYTES - 5, 32, "\"hunter2\"");
	played_receive("stat/a", body, false);
	read_hops("p");
	assert_int_equal(hops[0].raw_len, GW_JOURNEY_BYTES);
	assert_memory_equal(hops[0].raw + GW_JOURNEY_BYTES - 5, "\"****", 5);
}

static void long_bodies_are_clipped(void **state)
{
	static char body[4000];

	(void)state;
	live_home_add(&h, "p", "test.plug", "topic=a");
	live_home_up(&h);
	memset(body, ' ', sizeof(body) - 1);
	memcpy(body, "{\"on\":true}", 11);
	played_receive("stat/a", body, false);
	read_hops("p");
	assert_int_equal(hops[0].raw_len, GW_JOURNEY_BYTES);
	assert_int_equal(hops[0].body_len, sizeof(body) - 1);
}

static void the_ring_forgets_the_oldest(void **state)
{
	(void)state;
	live_home_add(&h, "p", "test.plug", "topic=a");
	live_home_up(&h);
	for (int i = 0; i < GW_JOURNEY_RING; i++) {
		played_receive("stat/a", i % 2 ? "{\"on\":true}" : "{\"on\":false}", false);
	}
	read_hops("p");
	assert_int_equal(n_hops, GW_JOURNEY_RING);
	uint64_t newest = hops[0].cause;
	played_receive("stat/a", "{\"on\":true}", false);
	read_hops("p");
	assert_int_equal(n_hops, GW_JOURNEY_RING);
	assert_int_equal(hops[0].cause, newest + 1);
}

static void long_hops_fill_it_sooner(void **state)
{
	static char body[2048];
	uint64_t last = 0;

	(void)state;
	live_home_add(&h, "p", "test.plug", "topic=a");
	live_home_up(&h);
	for (int i = 0; i < 3 * GW_JOURNEY_RING; i++) {
		/* Lengths that never fit the end of the ring evenly. */
		size_t len = 20 + (size_t)(i * 131 % 700);
		memset(body, ' ', sizeof(body));
		(void)snprintf(body, 20, "{\"power\":%d}", i);
		body[strlen(body)] = ' ';
		body[len] = 0;
		played_receive("stat/a", body, false);
	}
	read_hops("p");
	assert_true(n_hops > 200 && n_hops < GW_JOURNEY_RING);
	for (size_t i = 0; i < gw_countof(hops); i++) {
		assert_true(last == 0 || hops[i].cause == last - 1);
		last = hops[i].cause;
		assert_memory_equal(hops[i].raw, "{\"power\":", 9);
	}
}

static void a_removed_device_takes_its_hops_along(void **state)
{
	struct gw_device *d = live_home_add(&h, "p", "test.plug", "topic=a token=hunter2");

	(void)state;
	live_home_up(&h);
	played_receive("stat/a", "{\"t\":\"hunter2\"}", false);
	gw_registry_remove(d);
	read_hops(NULL);
	assert_int_equal(n_hops, 0);
}

static void out_of_memory(void **state)
{
	struct gw_journey *j = NULL;

	(void)state;
	gw_alloc_fail_at(1);
	assert_int_equal(gw_journey_new(&j), -ENOMEM);
	gw_alloc_fail_at(0);
	assert_null(j);
	gw_journey_free(NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_message_and_what_became_of_it),
		TEST(a_command_from_entry_to_echo),
		TEST(what_could_not_be_read_is_shown_too),
		TEST(secrets_are_masked),
		TEST(a_secret_at_the_clipped_end_is_masked),
		TEST(long_bodies_are_clipped),
		TEST(the_ring_forgets_the_oldest),
		TEST(long_hops_fill_it_sooner),
		TEST(a_removed_device_takes_its_hops_along),
		TEST(out_of_memory),
		TEST(what_changed_nothing_is_not_published),
		cmocka_unit_test_teardown(what_is_held_back_is_not_published, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
