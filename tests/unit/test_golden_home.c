/* Rows of profile-language §17 whose proof is time or the gateway, where no test of a unit shows them by itself. */
#include "gw_test.h"

#include "gw/home.h"
#include "gw/node.h"
#include "home/command.h"
#include "live_home.h"

/* Sleeps, and must be asked for its power each time that it is awake. */
static const char meter_profile[] =
	"profile: 1\n"
	"id: test.meter\n"
	"version: 1.0.0\n"
	"type: plug\n"
	"name: Test meter\n"
	"match: [{mqtt: meters/+/config, set: {topic: \"topic:1\"}}]\n"
	"vars: {topic: {}}\n"
	"link: {sleepy: true}\n"
	"msgs:\n"
	"  state: {rx: \"meter/{topic}\"}\n"
	"  power: {rx: \"meter/{topic}/power\"}\n"
	"  set: {tx: \"meter/{topic}/set\"}\n"
	"  ask: {tx: \"meter/{topic}/get\", codec: text, body: power, reply: power, on: [wake]}\n"
	"points:\n"
	"  on: {in: \"state#/on\", out: \"set#/on\"}\n"
	"  watts: {in: \"power#/w\"}\n"
	"caps:\n"
	"  switch.on: {point: on}\n"
	"  meter.power: {point: watts}\n"
	"tests:\n"
	"  - {name: state, rx: [{state: {on: true}}, {power: {w: 5}}], want: {switch.on: true, meter.power: 5}}\n"
	"  - {name: command, write: {switch.on: true}, tx: [{set: {on: true}}]}\n";

/* What was sent is shown for longer than its confirmation is waited for. */
static const char heater_profile[] =
	"profile: 1\n"
	"id: test.heater\n"
	"version: 1.0.0\n"
	"type: plug\n"
	"name: Test heater\n"
	"match: [{mqtt: heaters/+/config, set: {topic: \"topic:1\"}}]\n"
	"vars: {topic: {}}\n"
	"link: {assume: 5s, confirm: {within: 1s}}\n"
	"msgs:\n"
	"  state: {rx: \"heater/{topic}\"}\n"
	"  set: {tx: \"heater/{topic}/set\"}\n"
	"points:\n"
	"  on: {in: \"state#/on\", out: \"set#/on\"}\n"
	"caps:\n"
	"  switch.on: {point: on}\n"
	"tests:\n"
	"  - {name: state, rx: [{state: {on: true}}], want: {switch.on: true}}\n"
	"  - {name: command, write: {switch.on: true}, tx: [{set: {on: true}}]}\n";

static const char *const profiles[] = {meter_profile, heater_profile, NULL};
static struct live_home h;
static enum gw_status status;
static unsigned ends;

static int setup(void **state)
{
	(void)state;
	ends = 0;
	live_home_open(&h, profiles, /* config= */ NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	live_home_close(&h);
	return 0;
}

static void on_done(void *ctx, const struct gw_outcome *o)
{
	(void)ctx;
	status = o->status;
	ends++;
}

static void golden_44_asked_when_it_wakes(void **state)
{
	(void)state;
	live_home_add(&h, "m", "test.meter", "topic=m");
	live_home_up(&h);
	live_home_pass(&h, 60 * 60 * 1000);
	assert_int_equal(played.n_sends, 0); /* it sleeps: no polling */
	played_receive("meter/m", "{\"on\":true}", /* retained= */ false);
	live_home_pass(&h, 10);
	assert_int_equal(played.n_sends, 1);
	assert_string_equal(played_sent(0), "meter/m/get power");
	played_receive("meter/m/power", "{\"w\":41.5}", /* retained= */ false);
	assert_string_equal(live_home_property(&h, "m", "meter.power"), "41.5 ok");
	live_home_pass(&h, 60 * 60 * 1000);
	played_clear();
	played_receive("meter/m", "{\"on\":false}", /* retained= */ true); /* not awake */
	live_home_settle(&h);
	assert_int_equal(played.n_sends, 0);
}

static void golden_47_assumed_for_its_own_time(void **state)
{
	const struct gw_node on = {.type = GW_NODE_BOOL, .flag = true};
	const struct gw_wanted wanted = {.address = GW_STR("switch.on"), .value = &on};
	const struct gw_command_request r = {.principal = &h.owner,
					     .origin = "test",
					     .device = GW_STR("x"),
					     .wanted = &wanted,
					     .n_wanted = 1};
	uint64_t id;
	(void)state;
	live_home_add(&h, "x", "test.heater", "topic=x");
	live_home_up(&h);
	played_receive("heater/x", "{\"on\":false}", /* retained= */ false);
	assert_int_equal(gw_command_submit(h.g, &r, on_done, /* ctx= */ NULL, &id), 0);
	live_home_pass(&h, 1100);
	assert_int_equal(ends, 1);
	assert_int_equal(status, GW_STATUS_UNCONFIRMED);
	assert_string_equal(live_home_property(&h, "x", "switch.on"), "true assumed");
	live_home_pass(&h, 3700);
	assert_string_equal(live_home_property(&h, "x", "switch.on"), "true assumed");
	live_home_pass(&h, 300);
	assert_string_equal(live_home_property(&h, "x", "switch.on"), "false ok");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(golden_44_asked_when_it_wakes),
		TEST(golden_47_assumed_for_its_own_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
