/* The whole home: configuration, adoption, announcements of what is adopted, checks and metrics, start and stop. */
#include "gw_test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "gw/log.h"
#include "home/adopt.h"
#include "home/bus.h"
#include "home/registry.h"
#include "live_fixture.h"
#include "until.h"

#define assert_property(device, address, text)                                                     \
	assert_string_equal(live_home_property(&h, device, address), text)

/* --- configuration --- */

static const char *refusal(const char *text)
{
	static char said[1024];
	char path[] = "/tmp/hearth-config-XXXXXX";
	int fd = mkstemp(path);
	struct gw_error e = {0};
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(1000);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(close(fd), 0);
	int r = gw_gateway_check_config(h.loop, path, &e);
	assert_int_equal(unlink(path), 0);
	if (r == 0) {
		return "valid";
	}
	assert_string_equal(e.file, path);
	gw_buf_printf(&b, "%u:%u: %s", e.line, e.column, e.text);
	(void)snprintf(said, sizeof(said), "%s", b.p);
	return said;
}

static void mistakes_are_named_with_place_and_nearest_name(void **state)
{
	(void)state;
	assert_string_equal(refusal("broker: false\n"), "valid");
	assert_string_equal(refusal("broker: false\nadapters: {mqtt: {}}\nlog: {level: debug}\n"
				    "limits: {device_rate: 0}\n"),
			    "valid");
	assert_string_equal(refusal("broker: false\nadaptors: {}\n"),
			    "2:1: unknown section \"adaptors\"; did you mean \"adapters\"?");
	assert_string_equal(refusal("broker: false\nadapters:\n  mqtr: {}\n"),
			    "3:3: unknown adapter \"mqtr\"; did you mean \"mqtt\"?");
	assert_string_equal(
		refusal("broker: false\nfurniture: {}\n"),
		"2:1: unknown section \"furniture\"; expected one of: broker, adapters, "
		"surfaces, limits, log");
	assert_true(strstr(refusal("broker: false\nlimits: {device_rat: 1}\n"), "device_rate") !=
		    NULL);
	assert_true(strstr(refusal("broker: false\nlog: {level: loud}\n"), "expected error") !=
		    NULL);
	assert_true(strstr(refusal("broker: false\nlog: 3\n"), "2:6:") != NULL);
	assert_true(strstr(refusal("broker: [\n"), ":") != NULL);
	struct gw_error e = {0};
	assert_true(gw_gateway_check_config(h.loop, "/nonexistent/hearth.yaml", &e) < 0);
	assert_string_equal(e.file, "/nonexistent/hearth.yaml");
	gw_log_set_level(GW_LOG_ERROR);
}

static void a_part_can_be_switched_off(void **state)
{
	struct live_home other;
	struct gw_adapter_info info;

	(void)state;
	live_home_close(&h);
	live_home_open(&other, all_profiles, "adapters: {mqtt: false}\n");
	assert_false(gw_adapter_at(other.g, 0, &info));
	struct gw_device *d = live_home_add(&other, "p", "test.plug", "topic=a");
	struct gw_device_info device;
	gw_device_info(d, &device);
	assert_true(strstr(device.problem, "no adapter mqtt") != NULL);
	live_home_close(&other);
	live_home_open(&h, all_profiles, NULL);
}

/* --- candidates and adoption --- */

#define PLUG_CONFIG "{\"kind\":\"plug\",\"topic\":\"a\",\"mac\":\"DC4F22A1B2C3\"}"

/* The profiles are indexed in idle steps after the start. */
static bool is_indexed(void *ctx)
{
	return gw_adopt_indexed(ctx);
}

static void index_profiles(void)
{
	assert_true(loop_until(h.loop, is_indexed, h.g->adopt));
	live_home_up(&h);
	(void)live_home_heard(&h);
}

static struct gw_candidate_info announce_plug(void)
{
	struct gw_candidate_info c;

	played_announce("announce/1", PLUG_CONFIG);
	assert_true(gw_candidate_at(h.g, 0, &c));
	return c;
}

static void watches_what_profiles_match(void **state)
{
	bool found = false;

	(void)state;
	index_profiles();
	assert_true(played.discovers >= 1);
	for (size_t i = 0; i < played.n_filters; i++) {
		found |= strcmp(played.filters[i], "announce/+") == 0;
	}
	assert_true(found);
}

static void a_candidate_is_shown_and_nothing_more(void **state)
{
	(void)state;
	index_profiles();
	struct gw_candidate_info c = announce_plug();
	assert_int_equal(gw_candidate_count(h.g), 1);
	assert_string_equal(c.profile, "test.plug");
	assert_string_equal(c.adapter, "mqtt");
	assert_string_equal(c.type, "plug");
	assert_false(c.adopted);
	assert_true(c.reason[0] != 0);
	assert_null(c.ties[0]);
	assert_true(strstr(live_home_heard(&h), "candidate") != NULL);
	assert_int_equal(gw_device_count(h.g), 0);
	assert_int_equal(played.n_devices, 0); /* quarantine: nothing of it is subscribed */
	assert_int_equal(played.n_sends, 0);
	assert_true(gw_candidate_find(h.g, c.id, &c));
	assert_false(gw_candidate_find(h.g, "0000", &c));
	assert_false(gw_candidate_at(h.g, 1, &c));
}

static enum gw_status adopt(const struct gw_adoption *a, struct gw_device **ret_device,
			    struct gw_error *e)
{
	*e = (struct gw_error){0};
	return gw_candidate_adopt(h.g, &h.owner, a, ret_device, e);
}

static void adopted_is_durable_attached_and_alive(void **state)
{
	struct gw_device *d;
	struct gw_device_info info;
	struct gw_error e;
	char room[GW_ID_BYTES];

	(void)state;
	index_profiles();
	struct gw_candidate_info c = announce_plug();
	char id[32];
	(void)snprintf(id, sizeof(id), "%s", c.id);
	assert_int_equal(gw_room_add(h.g, &h.owner, "Kitchen", room, sizeof(room)), GW_STATUS_DONE);
	(void)live_home_heard(&h);
	const struct gw_adoption a = {.candidate = id, .name = "Coffee Machine!", .room = room};
	assert_int_equal(adopt(&a, &d, &e), GW_STATUS_DONE);
	gw_device_info(d, &info);
	assert_string_equal(info.id, "coffee-machine");
	assert_string_equal(info.name, "Coffee Machine!");
	assert_string_equal(info.room, "kitchen");
	assert_string_equal(info.profile, "test.plug");
	assert_string_equal(info.problem, "");
	assert_true(strstr(live_home_heard(&h), "added coffee-machine\n") != NULL);
	assert_int_equal(played.n_devices, 1);
	played_receive("stat/a", "{\"on\":true}", false);
	assert_property("coffee-machine", "switch.on", "true ok");
	assert_true(gw_candidate_find(h.g, id, &c));
	assert_true(c.adopted);
	assert_int_equal(adopt(&a, &d, &e), GW_STATUS_CONFLICT); /* it is a device already */
	live_home_restart(&h);
	assert_property("coffee-machine", "switch.on", "true stale");
}

static void refusals_of_an_adoption_change_nothing(void **state)
{
	struct gw_device *d = NULL;
	struct gw_error e;
	struct gw_principal service;
	char id[32];

	(void)state;
	index_profiles();
	(void)snprintf(id, sizeof(id), "%s", announce_plug().id);
	struct gw_adoption a = {.candidate = "0123456789abcdef"};
	assert_int_equal(adopt(&a, &d, &e), GW_STATUS_NOT_FOUND);
	a = (struct gw_adoption){.candidate = id, .device = "No Id"};
	assert_int_equal(adopt(&a, &d, &e), GW_STATUS_INVALID);
	a = (struct gw_adoption){.candidate = id, .room = "nowhere"};
	assert_int_equal(adopt(&a, &d, &e), GW_STATUS_INVALID);
	a = (struct gw_adoption){.candidate = id, .name = "\t"};
	assert_int_equal(adopt(&a, &d, &e), GW_STATUS_INVALID);
	a = (struct gw_adoption){.candidate = id, .profile = "no.such"};
	assert_int_equal(adopt(&a, &d, &e), GW_STATUS_INVALID);
	/* Its address belongs to somebody. */
	live_home_add(&h, "first", "test.plug", "topic=a");
	a = (struct gw_adoption){.candidate = id};
	assert_int_equal(adopt(&a, &d, &e), GW_STATUS_CONFLICT);
	assert_true(strstr(e.text, "first") != NULL);
	a.device = "first";
	assert_int_equal(adopt(&a, &d, &e), GW_STATUS_CONFLICT);
	gw_principal_service(&service, "mqtt", GW_SCOPE_SEE | GW_SCOPE_OPERATE | GW_SCOPE_CRITICAL);
	a = (struct gw_adoption){.candidate = id};
	assert_true(gw_candidate_adopt(h.g, &service, &a, &d, &e) != GW_STATUS_DONE);
	assert_null(d);
	assert_int_equal(gw_device_count(h.g), 1);
}

static void ids_are_unique_and_never_empty(void **state)
{
	struct gw_device *d;
	struct gw_device_info info;
	struct gw_error e;
	char id[32];

	(void)state;
	index_profiles();
	live_home_add(&h, "lamp", "test.plug", "topic=z");
	(void)snprintf(id, sizeof(id), "%s", announce_plug().id);
	struct gw_adoption a = {.candidate = id, .name = "Lamp"};
	assert_int_equal(adopt(&a, &d, &e), GW_STATUS_DONE);
	gw_device_info(d, &info);
	assert_string_equal(info.id, "lamp-2");
	assert_int_equal(gw_device_remove(h.g, &h.owner, d), GW_STATUS_DONE);
	a.name = "客厅插座";
	assert_int_equal(adopt(&a, &d, &e), GW_STATUS_DONE);
	gw_device_info(d, &info);
	assert_string_equal(info.id, "plug-1");
	assert_string_equal(info.name, "客厅插座");
}

static void a_device_that_moves_is_followed(void **state)
{
	struct gw_device *d;
	struct gw_error e;
	char id[32];

	(void)state;
	index_profiles();
	(void)snprintf(id, sizeof(id), "%s", announce_plug().id);
	const struct gw_adoption a = {.candidate = id, .device = "p"};
	assert_int_equal(adopt(&a, &d, &e), GW_STATUS_DONE);
	played_receive("stat/a", "{\"on\":true}", false);
	(void)live_home_heard(&h);
	played_announce("announce/1",
			"{\"kind\":\"plug\",\"topic\":\"b\",\"mac\":\"DC4F22A1B2C3\"}");
	assert_string_equal(gw_vars_get(&d->vars, "topic"), "a"); /* not before it has settled */
	live_home_pass(&h, 3100);
	assert_string_equal(gw_vars_get(&d->vars, "topic"), "b");
	assert_property("p", "switch.on", "true stale");
	played_receive("stat/b", "{\"on\":true}", false);
	assert_property("p", "switch.on", "true ok");
	live_home_restart(&h);
	d = gw_device_find(h.g, GW_STR("p"));
	assert_non_null(d);
	assert_string_equal(gw_vars_get(&d->vars, "topic"), "b");
	/* Onto the address of another device: refused, and said; the old one goes on. */
	index_profiles();
	live_home_add(&h, "q", "test.plug", "topic=c");
	played_announce("announce/1",
			"{\"kind\":\"plug\",\"topic\":\"c\",\"mac\":\"DC4F22A1B2C3\"}");
	live_home_pass(&h, 3100);
	struct gw_device_info info;
	gw_device_info(d, &info);
	assert_true(strstr(info.problem, " q ") != NULL);
	played_receive("stat/c", "{\"on\":true}", false);
	assert_property("q", "switch.on", "true ok");
	assert_property("p", "switch.on", "true stale");
	played_receive("stat/b", "{\"on\":false}", false);
	assert_property("p", "switch.on", "false ok");
	played_announce("announce/1",
			"{\"kind\":\"plug\",\"topic\":\"b\",\"mac\":\"DC4F22A1B2C3\"}");
	live_home_pass(&h, 3100);
	gw_device_info(d, &info);
	assert_string_equal(info.problem, "");
}

static void dismissed_is_hidden(void **state)
{
	char id[32];

	(void)state;
	index_profiles();
	(void)snprintf(id, sizeof(id), "%s", announce_plug().id);
	assert_int_equal(gw_candidate_dismiss(h.g, &h.owner, id), GW_STATUS_DONE);
	assert_int_equal(gw_candidate_count(h.g), 0);
	assert_int_equal(gw_candidate_dismiss(h.g, &h.owner, "0000"), GW_STATUS_NOT_FOUND);
	assert_int_equal(gw_scan(h.g, &h.owner, 7), GW_STATUS_DONE);
	assert_int_equal(played.scans, 7);
}

/* --- devices that describe themselves --- */

#define HA_DEVICE                                                                                  \
	"\"device\":{\"identifiers\":[\"dev1\"],\"name\":\"Heater plug\",\"manufacturer\":\"ACME\",\"model\":\"X1\"}"
#define HA_SWITCH                                                                                  \
	"{\"name\":\"Relay\",\"unique_id\":\"dev1_relay\",\"state_topic\":\"dev1/state\","         \
	"\"command_topic\":\"dev1/set\"," HA_DEVICE "}"
#define HA_POWER                                                                                   \
	"{\"name\":\"Power\",\"unique_id\":\"dev1_power\",\"state_topic\":\"dev1/power\","         \
	"\"device_class\":\"power\",\"unit_of_measurement\":\"W\"," HA_DEVICE "}"

static void a_description_becomes_a_device_and_is_followed(void **state)
{
	struct gw_candidate_info c;
	struct gw_device_info info;
	struct gw_device *d;
	struct gw_error e;
	char id[32];

	(void)state;
	index_profiles();
	played_announce("homeassistant/switch/dev1/relay/config", HA_SWITCH);
	assert_true(gw_candidate_at(h.g, 0, &c));
	assert_true(c.described);
	assert_string_equal(c.name, "Heater plug");
	(void)snprintf(id, sizeof(id), "%s", c.id);
	const struct gw_adoption a = {.candidate = id};
	if (adopt(&a, &d, &e) != GW_STATUS_DONE) {
		fail_msg("%s at %s: %s", e.code, e.at, e.text);
	}
	gw_device_info(d, &info);
	assert_string_equal(info.id, "heater-plug");
	assert_string_equal(info.vendor, "ACME");
	played_receive("dev1/state", "ON", false);
	assert_property("heater-plug", "switch.on", "true ok");
	/* One more entity: the device grows, and keeps what it knows. */
	uint32_t generation = d->generation;
	played_announce("homeassistant/sensor/dev1/power/config", HA_POWER);
	live_home_pass(&h, 3100);
	assert_true(d->generation > generation);
	assert_property("heater-plug", "switch.on", "true stale");
	played_receive("dev1/power", "12.5", false);
	assert_property("heater-plug", "meter.power", "12.5 ok");
	/* Its own description comes back with it after a start, before anything announces. */
	live_home_restart(&h);
	assert_property("heater-plug", "switch.on", "true stale");
	assert_property("heater-plug", "meter.power", "12.5 stale");
	d = gw_device_find(h.g, GW_STR("heater-plug"));
	assert_non_null(d);
	/* What the broker kept arrives in pieces: the device does not shrink on the way. */
	index_profiles();
	generation = d->generation;
	played_announce("homeassistant/switch/dev1/relay/config", HA_SWITCH);
	live_home_pass(&h, 1000);
	played_announce("homeassistant/sensor/dev1/power/config", HA_POWER);
	live_home_pass(&h, 5000);
	assert_int_equal(d->generation, generation);
	assert_property("heater-plug", "meter.power", "12.5 stale");
	/* Withdrawn: said, not removed. */
	played_announce("homeassistant/switch/dev1/relay/config", "");
	played_announce("homeassistant/sensor/dev1/power/config", "");
	live_home_pass(&h, 5000);
	gw_device_info(d, &info);
	assert_true(info.problem[0] != 0);
	assert_non_null(gw_device_find(h.g, GW_STR("heater-plug")));
	played_announce("homeassistant/switch/dev1/relay/config", HA_SWITCH);
	played_announce("homeassistant/sensor/dev1/power/config", HA_POWER);
	live_home_pass(&h, 5000);
	gw_device_info(d, &info);
	assert_string_equal(info.problem, "");
}

static void what_we_announce_ourselves_is_no_candidate(void **state)
{
	char body[512];

	(void)state;
	index_profiles();
	(void)snprintf(body, sizeof(body),
		       "{\"name\":\"Relay\",\"unique_id\":\"x\",\"state_topic\":\"hearth/p/state\","
		       "\"command_topic\":\"hearth/p/main/switch/on/set\","
		       "\"device\":{\"identifiers\":[\"hearth_%s_p\"],\"name\":\"Plug\"}}",
		       gw_gateway_id(h.g));
	played_announce("homeassistant/switch/hearth_p/relay/config", body);
	assert_int_equal(gw_candidate_count(h.g), 0);
}

/* --- health --- */

static void count_check(void *ctx, const struct gw_check *c)
{
	unsigned *seen = ctx;
	static const char *const ids[] = {"broker",	  "store",   "claim", "profiles",
					  "adapter.mqtt", "devices", "clock"};

	assert_true(c->text[0] != 0);
	assert_true(c->state == GW_CHECK_OK || c->next_step[0] != 0);
	for (size_t i = 0; i < gw_countof(ids); i++) {
		if (strcmp(ids[i], c->id) == 0) {
			*seen |= 1u << i;
		}
	}
}

static void every_check_says_something(void **state)
{
	unsigned seen = 0;

	(void)state;
	gw_checks_each(h.g, count_check, &seen);
	assert_int_equal(seen, 0x7f);
}

struct metrics {
	size_t n;
	double devices, messages;
};

static void on_metric(void *ctx, const struct gw_metric *m)
{
	struct metrics *all = ctx;

	all->n++;
	assert_true(strcmp(m->type, "counter") == 0 || strcmp(m->type, "gauge") == 0);
	assert_true(m->help[0] != 0 && m->value >= 0);
	if (strcmp(m->name, "hearth_devices") == 0) {
		all->devices = m->value;
	}
	if (strcmp(m->name, "hearth_messages_total") == 0) {
		all->messages = m->value;
	}
}

static void metrics_count(void **state)
{
	struct metrics all = {0};

	(void)state;
	live_home_add(&h, "p", "test.plug", "topic=a");
	played_receive("stat/a", "{\"on\":true}", false);
	gw_metrics_each(h.g, on_metric, &all);
	assert_true(all.n > 30);
	assert_true(all.devices == 1 && all.messages == 1);
}

static void is_ready_soon_with_many_devices(void **state)
{
	char id[16], vars[32];

	(void)state;
	for (int i = 0; i < 300; i++) {
		(void)snprintf(id, sizeof(id), "p%d", i);
		(void)snprintf(vars, sizeof(vars), "topic=t%d", i);
		live_home_add(&h, id, "test.plug", vars);
	}
	live_home_restart(&h);
	assert_int_equal(gw_device_count(h.g), 300);
	assert_int_equal(played.n_devices, 300);
	assert_true(gw_ready_us(h.g) > 0);
	assert_string_equal(gw_gateway_id(h.g), h.g->id);
	assert_int_equal(strlen(gw_gateway_id(h.g)), 16);
	char first[17];
	(void)snprintf(first, sizeof(first), "%s", gw_gateway_id(h.g));
	live_home_restart(&h);
	assert_string_equal(gw_gateway_id(h.g), first);
}

static void out_of_memory_at_the_start(void **state)
{
	const char *dir = h.profiles;
	struct gw_gateway_options o = {
		.config_file = h.config, .profile_dirs = &dir, .n_profile_dirs = 1};
	struct gw_gateway *g = NULL;
	char state_dir[96];
	size_t failures = 0;

	(void)state;
	(void)snprintf(state_dir, sizeof(state_dir), "%s/other", h.dir);
	o.state_dir = state_dir;
	for (uint64_t n = 1; !g && n < 5000; n += n < 200 ? 1 : 37) {
		struct gw_error e = {0};
		gw_alloc_fail_at(n);
		int r = gw_gateway_new(h.loop, &o, &g, &e);
		gw_alloc_fail_at(0);
		if (r < 0) {
			assert_null(g);
			assert_true(e.text[0] != 0);
			failures++;
		}
	}
	assert_non_null(g);
	assert_true(failures > 10);
	gw_gateway_free(g);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(mistakes_are_named_with_place_and_nearest_name),
		TEST(a_part_can_be_switched_off),
		TEST(watches_what_profiles_match),
		TEST(a_candidate_is_shown_and_nothing_more),
		TEST(adopted_is_durable_attached_and_alive),
		TEST(refusals_of_an_adoption_change_nothing),
		TEST(ids_are_unique_and_never_empty),
		TEST(a_device_that_moves_is_followed),
		TEST(dismissed_is_hidden),
		TEST(a_description_becomes_a_device_and_is_followed),
		TEST(what_we_announce_ourselves_is_no_candidate),
		TEST(every_check_says_something),
		TEST(metrics_count),
		TEST(is_ready_soon_with_many_devices),
		TEST(out_of_memory_at_the_start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
