/* Values and their quality (profile-language §5), held updates (security-rules §3), last values, rooms and names. */
#include "gw_test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "home/adapter_host.h"
#include "home/arrange.h"
#include "home/bus.h"
#include "home/deadline.h"
#include "home/registry.h"
#include "live_fixture.h"

#define assert_property(device, address, text)                                                     \
	assert_string_equal(live_home_property(&h, device, address), text)

static struct gw_device *plug(void)
{
	struct gw_device *d = live_home_add(&h, "p", "test.plug", "topic=a");

	live_home_up(&h);
	(void)live_home_heard(&h);
	return d;
}

static void unknown_then_ok_then_stale_by_age(void **state)
{
	(void)state;
	plug();
	assert_property("p", "meter.power", "null unknown");
	played_receive("stat/a", "{\"on\":true,\"power\":5}", false);
	assert_property("p", "meter.power", "5 ok");
	(void)live_home_heard(&h);
	live_home_pass(&h, 10 * 60 * 1000 - 1000);
	assert_property("p", "meter.power", "5 ok");
	/* Heard again in time, unchanged: fresh for another ten minutes, no event. */
	played_receive("stat/a", "{\"power\":5}", false);
	live_home_pass(&h, 10 * 60 * 1000 - 1000);
	assert_property("p", "meter.power", "5 ok");
	assert_string_equal(live_home_heard(&h), "");
	live_home_pass(&h, 2000);
	assert_property("p", "meter.power", "5 stale");
	assert_property("p", "switch.on", "true ok"); /* no stale_after */
	assert_string_equal(live_home_heard(&h), "property p meter.power=5 stale\n");
	played_receive("stat/a", "{\"power\":5}", false);
	assert_property("p", "meter.power", "5 ok");
	assert_string_equal(live_home_heard(&h), "property p meter.power=5 ok\n");
}

static void null_is_unknown(void **state)
{
	(void)state;
	plug();
	played_receive("stat/a", "{\"power\":5}", false);
	played_receive("stat/a", "{\"power\":null}", false);
	assert_property("p", "meter.power", "null unknown");
}

static void a_value_outside_the_range_is_shown_as_reported(void **state)
{
	(void)state;
	plug();
	played_receive("stat/a", "{\"power\":5000000}", false);
	assert_property("p", "meter.power", "5000000 ok");
}

static void a_bad_message_leaves_the_last_good_value_as_stale(void **state)
{
	struct gw_device_info info;
	struct gw_device *d = plug();

	(void)state;
	played_receive("lwt/a", "Online", false);
	played_receive("stat/a", "{\"on\":true,\"power\":5}", false);
	played_receive("stat/a", "{\"on\":", false);
	assert_property("p", "switch.on", "true stale");
	assert_property("p", "meter.power", "5 stale");
	assert_property("p", "link.online", "true ok"); /* of another message */
	gw_device_info(d, &info);
	assert_int_equal(info.bad_messages, 1);
	played_receive("stat/a", "{\"on\":true}", false);
	assert_property("p", "switch.on", "true ok");
}

static void a_message_that_is_too_long_is_bad(void **state)
{
	static char big[GW_BODY_BYTES + 2];
	struct gw_device *d = plug();

	(void)state;
	memset(big, ' ', sizeof(big) - 1);
	memcpy(big, "{\"on\":true}", 11);
	big[GW_BODY_BYTES] = 0; /* at the limit */
	played_receive("stat/a", big, false);
	assert_property("p", "switch.on", "true ok");
	big[GW_BODY_BYTES] = ' ';
	played_receive("stat/a", big, false);
	assert_property("p", "switch.on", "true stale");
	assert_int_equal(d->bad_messages, 1);
}

static void presence_decides_online_and_makes_stale(void **state)
{
	struct gw_device_info info;
	struct gw_device *d = plug();

	(void)state;
	played_receive("stat/a", "{\"on\":true}", false);
	gw_device_info(d, &info);
	assert_false(info.online); /* only its will says that */
	assert_true(info.reachable);
	played_receive("lwt/a", "Online", true);
	gw_device_info(d, &info);
	assert_true(info.online);
	assert_string_equal(live_home_heard(&h), "property p switch.on=true ok\n"
						 "property p link.online=true ok\n"
						 "changed p\n");
	played_receive("lwt/a", "Offline", false);
	assert_property("p", "switch.on", "true stale");
	assert_property("p", "link.online", "false ok"); /* this very message said so */
	assert_string_equal(live_home_heard(&h), "property p link.online=false ok\n"
						 "property p switch.on=true stale\n"
						 "changed p\n");
	/* What the broker kept of a device that is away is not fresh. */
	played_receive("stat/a", "{\"on\":false}", true);
	assert_property("p", "switch.on", "false stale");
	played_receive("lwt/a", "Online", false);
	played_receive("stat/a", "{\"on\":false}", false);
	assert_property("p", "switch.on", "false ok");
}

static void any_message_is_a_sign_of_life_without_presence(void **state)
{
	struct gw_device *d = live_home_add(&h, "l", "test.lamp", "topic=x");

	(void)state;
	live_home_up(&h);
	assert_false(d->online);
	played_receive("lamp/x", "{\"on\":true}", false);
	assert_true(d->online);
	/* Two polls in a row without answer: away. */
	live_home_pass(&h, 60 * 1000 + 3000 + 5000 + 1000);
	assert_true(d->online);
	live_home_pass(&h, 60 * 1000 + 3000 + 5000 + 1000);
	assert_false(d->online);
	assert_property("l", "switch.on", "true stale");
	played_receive("lamp/x", "{\"on\":true}", false);
	assert_true(d->online);
	assert_property("l", "switch.on", "true ok");
}

static void silence_means_away(void **state)
{
	struct gw_device *d = live_home_add(&h, "b", "test.beacon", "topic=x");

	(void)state;
	live_home_up(&h);
	played_receive("beacon/x", "{\"on\":true}", false);
	live_home_pass(&h, 59000);
	assert_true(d->online);
	played_receive("beacon/x", "{\"on\":true}", false);
	live_home_pass(&h, 59000);
	assert_true(d->online);
	live_home_pass(&h, 1100);
	assert_false(d->online);
	assert_property("b", "switch.on", "true stale");
}

static void a_lost_link_matters_only_after_a_while(void **state)
{
	struct gw_device *d = plug();

	(void)state;
	played_receive("lwt/a", "Online", false);
	played_receive("stat/a", "{\"on\":true}", false);
	gw_adapter_link(played.adapter, GW_LINK_CONNECTING, "the broker went away");
	live_home_pass(&h, 4000);
	assert_true(d->online);
	gw_adapter_link(played.adapter, GW_LINK_UP, NULL);
	live_home_pass(&h, 4000);
	assert_true(d->online);
	gw_adapter_link(played.adapter, GW_LINK_CONNECTING, "the broker went away");
	live_home_pass(&h, 6000);
	assert_false(d->online);
	assert_property("p", "switch.on", "true stale");
	gw_adapter_link(played.adapter, GW_LINK_UP, NULL);
	assert_true(d->online);
}

static void a_retained_message_raises_no_event(void **state)
{
	(void)state;
	plug();
	played_receive("stat/a", "{\"key\":\"press\"}", true);
	assert_string_equal(live_home_heard(&h), "");
	played_receive("stat/a", "{\"key\":\"press\"}", false);
	assert_string_equal(live_home_heard(&h), "happened p button.press=\"press\" ok\n");
	played_receive("stat/a", "{\"key\":\"press\"}", false);
	assert_string_equal(live_home_heard(&h), "happened p button.press=\"press\" ok\n");
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++) {
		n += *text == '\n' ? 1 : 0;
	}
	return n;
}

static void send_powers(int from, int n)
{
	char body[64];

	for (int i = 0; i < n; i++) {
		(void)snprintf(body, sizeof(body), "{\"power\":%d}", from + i);
		played_receive("stat/a", body, false);
	}
}

static void updates_beyond_the_limit_are_held_and_go_out_newest_only(void **state)
{
	(void)state;
	plug();
	send_powers(1, GW_DEVICE_BURST);
	assert_int_equal(count_lines(live_home_heard(&h)), GW_DEVICE_BURST); /* at the limit */
	send_powers(1001, 50);
	assert_string_equal(live_home_heard(&h), "");	/* above it: held … */
	assert_property("p", "meter.power", "1050 ok"); /* … but the state is there */
	live_home_pass(&h, 1000 / GW_DEVICE_RATE + 10);
	assert_string_equal(live_home_heard(&h), "property p meter.power=1050 ok\n");
	assert_true(h.g->registry->events_held > 0);
	/* Ten seconds of silence fill the bucket again. */
	live_home_pass(&h, 10000);
	send_powers(1, GW_DEVICE_BURST);
	assert_int_equal(count_lines(live_home_heard(&h)), GW_DEVICE_BURST);
	/* Momentary events cannot be merged: they are dropped and counted. */
	played_receive("stat/a", "{\"key\":\"press\"}", false);
	assert_string_equal(live_home_heard(&h), "");
	assert_int_equal(h.g->registry->events_dropped, 1);
}

static void another_device_is_not_held(void **state)
{
	(void)state;
	plug();
	live_home_add(&h, "q", "test.plug", "topic=b");
	send_powers(1, GW_DEVICE_BURST + 10);
	(void)live_home_heard(&h);
	played_receive("stat/b", "{\"power\":7}", false);
	assert_string_equal(live_home_heard(&h), "property q meter.power=7 ok\n");
}

static void last_values_come_back_as_stale(void **state)
{
	(void)state;
	plug();
	played_receive("lwt/a", "Online", false);
	played_receive("stat/a", "{\"on\":true,\"power\":12.3}", false);
	live_home_restart(&h);
	assert_int_equal(gw_device_count(h.g), 1);
	assert_property("p", "switch.on", "true stale");
	assert_property("p", "meter.power", "12.3 stale");
	struct gw_device *d = gw_device_find(h.g, GW_STR("p"));
	assert_non_null(d);
	assert_false(d->online);
	assert_int_equal(played.n_devices, 1); /* attached again */
	live_home_up(&h);
	played_receive("stat/a", "{\"on\":true}", true);
	assert_property("p", "switch.on", "true ok");
	assert_property("p", "meter.power", "12.3 stale");
}

static void a_device_without_its_profile_has_a_problem(void **state)
{
	char path[128];
	struct gw_device_info info;

	(void)state;
	plug();
	(void)snprintf(path, sizeof(path), "%s/test.plug.yaml", h.profiles);
	assert_int_equal(remove(path), 0);
	live_home_restart(&h);
	struct gw_device *d = gw_device_find(h.g, GW_STR("p"));
	assert_non_null(d);
	gw_device_info(d, &info);
	assert_true(strstr(info.problem, "test.plug") != NULL);
	assert_int_equal(gw_device_property_count(d), 0);
	assert_null(gw_device_binding(d));
	assert_int_equal(gw_device_rename(h.g, &h.owner, d, "Still here"), GW_STATUS_DONE);
	assert_int_equal(gw_device_remove(h.g, &h.owner, d), GW_STATUS_DONE);
}

static void names_and_rooms_are_durable(void **state)
{
	struct gw_room_info room;
	struct gw_device_info info;
	char id[GW_ID_BYTES], second[GW_ID_BYTES];
	struct gw_device *d = plug();

	(void)state;
	assert_int_equal(gw_room_add(h.g, &h.owner, "Living Room", id, sizeof(id)), GW_STATUS_DONE);
	assert_string_equal(id, "living-room");
	assert_int_equal(gw_room_add(h.g, &h.owner, "客厅", second, sizeof(second)),
			 GW_STATUS_DONE);
	assert_string_equal(second, "room-1");
	assert_int_equal(gw_room_add(h.g, &h.owner, " \t", second, sizeof(second)),
			 GW_STATUS_INVALID);
	assert_int_equal(gw_device_set_room(h.g, &h.owner, d, "nowhere"), GW_STATUS_NOT_FOUND);
	assert_int_equal(gw_device_set_room(h.g, &h.owner, d, id), GW_STATUS_DONE);
	assert_int_equal(gw_device_rename(h.g, &h.owner, d, " Kettle\x1b[31m "), GW_STATUS_DONE);
	assert_int_equal(gw_device_rename(h.g, NULL, d, "Mine"), GW_STATUS_UNCLAIMED);
	(void)live_home_heard(&h);
	live_home_restart(&h);
	d = gw_device_find(h.g, GW_STR("p"));
	assert_non_null(d);
	gw_device_info(d, &info);
	assert_string_equal(info.room, "living-room");
	assert_true(strncmp(info.name, "Kettle", 6) == 0);
	assert_null(strchr(info.name, '\x1b'));
	assert_int_equal(info.revision, 3);
	assert_true(gw_room_at(h.g, 1, &room));
	assert_int_equal(gw_room_rename(h.g, &h.owner, "living-room", "Salon"), GW_STATUS_DONE);
	assert_int_equal(gw_room_remove(h.g, &h.owner, "living-room"), GW_STATUS_DONE);
	assert_int_equal(gw_room_remove(h.g, &h.owner, "living-room"), GW_STATUS_NOT_FOUND);
	gw_device_info(d, &info);
	assert_string_equal(info.room, "");
	assert_false(gw_room_at(h.g, 1, &room));
}

static void removal_takes_everything_along(void **state)
{
	struct gw_device *d = plug();

	(void)state;
	played_receive("stat/a", "{\"on\":true}", false);
	(void)live_home_heard(&h);
	assert_int_equal(gw_device_remove(h.g, &h.owner, d), GW_STATUS_DONE);
	assert_string_equal(live_home_heard(&h), "removed p\n");
	assert_null(gw_device_find(h.g, GW_STR("p")));
	assert_int_equal(played.n_devices, 0);
	live_home_restart(&h);
	assert_int_equal(gw_device_count(h.g), 0);
	live_home_add(&h, "p", "test.plug", "topic=a");
	assert_property("p", "switch.on", "null unknown");
}

static void a_new_binding_keeps_what_still_exists(void **state)
{
	struct gw_device *d = plug();
	struct gw_vars vars = {0};
	struct gw_error e;

	(void)state;
	played_receive("stat/a", "{\"on\":true,\"power\":5}", false);
	assert_int_equal(gw_vars_set(&vars, GW_STR("topic"), GW_STR("b")), 0);
	assert_int_equal(gw_registry_rebind(d, d->profile, &vars, &e), 0);
	assert_int_equal(gw_route_attach(d), 0);
	assert_property("p", "switch.on", "true stale");
	assert_property("p", "meter.power", "5 stale");
	played_receive("stat/a", "{\"on\":false}", false); /* the old address means nothing now */
	assert_property("p", "switch.on", "true stale");
	played_receive("stat/b", "{\"on\":false}", false);
	assert_property("p", "switch.on", "false ok");
	/* A refusal changes nothing. */
	assert_int_equal(gw_vars_set(&vars, GW_STR("topic"), GW_STR("b/c")), 0);
	assert_true(gw_registry_rebind(d, d->profile, &vars, &e) < 0);
	gw_vars_fini(&vars);
	assert_property("p", "switch.on", "false ok");
}

static void slugs(void **state)
{
	char name[GW_NAME_BYTES];

	(void)state;
	assert_true(gw_is_id("a-b_9"));
	assert_false(gw_is_id(""));
	assert_false(gw_is_id("A"));
	assert_false(gw_is_id("a/b"));
	char longest[GW_ID_BYTES + 1];
	memset(longest, 'a', sizeof(longest));
	longest[GW_ID_BYTES - 1] = 0;
	assert_true(gw_is_id(longest)); /* 64 */
	longest[GW_ID_BYTES - 1] = 'a';
	longest[GW_ID_BYTES] = 0;
	assert_false(gw_is_id(longest)); /* 65 */
	assert_true(gw_clean_name("  x ", name));
	assert_string_equal(name, "x");
}

static void out_of_memory(void **state)
{
	struct gw_profile *p = NULL;
	struct gw_vars vars = {0};
	struct gw_error e;
	struct gw_device *d = NULL;

	(void)state;
	assert_int_equal(gw_library_get(h.g->library, GW_STR("test.plug"), &p, &e), 0);
	assert_int_equal(gw_vars_set(&vars, GW_STR("topic"), GW_STR("z")), 0);
	const struct gw_device_record rec = {.id = "z",
					     .name = "z",
					     .identity = "test:z",
					     .adapter = "mqtt",
					     .profile = "test.plug",
					     .vars = &vars};
	bool failed = true;
	for (uint64_t n = 1; failed && n < 2000; n++) {
		gw_alloc_fail_at(n);
		int r = gw_registry_add(h.g, &rec, p, &d);
		if (r == 0) {
			r = gw_route_attach(d);
		}
		bool hit = r == -ENOMEM || (d && d->problem[0]);
		gw_alloc_fail_at(0);
		if (!d) {
			assert_int_equal(r, -ENOMEM);
			continue;
		}
		failed = hit;
		if (failed) {
			gw_registry_remove(d);
			d = NULL;
		}
	}
	assert_non_null(d);
	assert_int_equal(gw_registry_add(h.g, &rec, p, &d), -EEXIST);
	gw_profile_unref(p);
	gw_vars_fini(&vars);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(unknown_then_ok_then_stale_by_age),
		TEST(null_is_unknown),
		TEST(a_value_outside_the_range_is_shown_as_reported),
		TEST(a_bad_message_leaves_the_last_good_value_as_stale),
		TEST(a_message_that_is_too_long_is_bad),
		TEST(presence_decides_online_and_makes_stale),
		TEST(any_message_is_a_sign_of_life_without_presence),
		TEST(silence_means_away),
		TEST(a_lost_link_matters_only_after_a_while),
		TEST(a_retained_message_raises_no_event),
		TEST(updates_beyond_the_limit_are_held_and_go_out_newest_only),
		TEST(another_device_is_not_held),
		TEST(last_values_come_back_as_stale),
		TEST(a_device_without_its_profile_has_a_problem),
		TEST(names_and_rooms_are_durable),
		TEST(removal_takes_everything_along),
		TEST(a_new_binding_keeps_what_still_exists),
		TEST(slugs),
		TEST(out_of_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
