/* Scenes: a washing machine goes through its programme, and the gateway sees each phase. */
#include "gw_test.h"

#include <errno.h>
#include <stdio.h>

#include "gw/limits.h"
#include "twin_bench.h"

#define SIM HEARTH_SOURCE_DIR "/tests/vectors/sim/"

GW_DEFINE_AUTO(struct gw_arena, gw_arena_free)

static const struct gw_node *scenario_of(struct gw_arena *a, const char *yaml)
{
	const struct gw_node_limits limits = {.max_bytes = 65536, .max_depth = 16};
	struct gw_node *root = NULL;
	assert_int_equal(gw_node_parse_yaml(a, gw_str(yaml), &limits, &root, NULL), 0);
	return root;
}

static const struct gw_node *scenario_file(struct gw_arena *a, const char *path)
{
	char text[65536];
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	size_t len = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[len] = '\0';
	return scenario_of(a, text);
}

static void expect_read(struct bench *b, const char *address, const char *json)
{
	struct gw_buf text = GW_BUF_INIT(4096);
	int i = gw_plan_find_cap(b->plan, gw_str(address));
	assert_true(i >= 0);
	gw_value_write_json(&text, gw_binding_value(b->binding, (size_t)i, NULL),
			    gw_plan_cap(b->plan, (size_t)i)->domain.res);
	assert_string_equal(text.p, json);
	gw_buf_fini(&text);
}

static void expect_phase(struct bench *b, const char *state, const char *phase, const char *left)
{
	deliver(b);
	expect_read(b, "operation.state", state);
	expect_read(b, "operation.phase", phase);
	expect_read(b, "operation.remaining", left);
}

static void act_on(struct bench *b, const char *address)
{
	assert_true(act(b, (size_t)gw_plan_find_cap(b->plan, gw_str(address))));
}

#define MINUTE 60000

static void a_washer_runs_through_its_phases(void **state)
{
	(void)state;
	GW_AUTO(gw_arena_free_auto) struct gw_arena *a = gw_arena_new(1 << 20);
	const struct gw_node *s = scenario_file(a, SIM "washer-programme.yaml");
	struct gw_profile *p = NULL;
	struct gw_error e = {0};
	struct bench b = {0};
	struct gw_scene_place place = {0};
	int64_t wait;
	if (gw_profile_load_file(NULL, SIM "washer.yaml", 0, &p, &e) < 0) {
		fail_msg("%u:%u %s at %s: %s", e.line, e.column, e.code, e.at, e.text);
	}
	play(&b, p);
	assert_int_equal(gw_scenario_check(s, &e), 0);
	assert_int_equal(gw_scenario_fits(s, b.twin, &e), 0);
	for (int round = 0; round < 2; round++) {
		/* Nobody started it: it stands still. */
		assert_int_equal(gw_scenario_play(s, b.twin, 0, &place, &wait, &e), 0);
		assert_int_equal(wait, -1);
		assert_int_equal(b.count, 0);
		act_on(&b, "operation.start");
		assert_int_equal(gw_scenario_play(s, b.twin, 1000, &place, &wait, &e), 0);
		assert_int_equal(wait, 30 * MINUTE);
		assert_int_equal(b.count, 1); /* all of a scene in one message */
		expect_phase(&b, "\"running\"", "\"washing\"", "3600");
		expect_read(&b, "operation.door_locked", "true");
		/* Asked too early it does nothing. */
		assert_int_equal(gw_scenario_play(s, b.twin, 1000 + 29 * MINUTE, &place, &wait, &e),
				 0);
		assert_int_equal(wait, MINUTE);
		assert_int_equal(b.count, 0);
		assert_int_equal(gw_scenario_play(s, b.twin, 1000 + 30 * MINUTE, &place, &wait, &e),
				 0);
		assert_int_equal(wait, 20 * MINUTE);
		expect_phase(&b, "\"running\"", "\"rinsing\"", "1800");
		assert_int_equal(gw_scenario_play(s, b.twin, 1000 + 50 * MINUTE, &place, &wait, &e),
				 0);
		assert_int_equal(wait, 10 * MINUTE);
		expect_phase(&b, "\"running\"", "\"spinning\"", "600");
		assert_int_equal(gw_scenario_play(s, b.twin, 1000 + 60 * MINUTE, &place, &wait, &e),
				 0);
		assert_int_equal(wait, -1);
		expect_phase(&b, "\"stopped\"", "\"spinning\"", "0");
		assert_int_equal(b.happened, 1);
		assert_string_equal(b.happened_value, "\"ok\"");
	}
	stop(&b);
}

static void play_text(struct bench *b, const char *text)
{
	struct gw_profile *p = NULL;
	struct gw_error e = {0};
	struct gw_vars none = {0};
	assert_int_equal(gw_profile_load_text(NULL, gw_str(text), "test", GW_PROFILE_LAX, &p, &e),
			 0);
	play_as(b, p, &none);
	bind_as(b, NULL);
}

#define LAMP                                                                                       \
	"{msgs: {m: {rx: s, tx: c}}, points: {on: {io: m#/on}, n: {in: m#/n}}, caps: {switch.on: {point: on}, x.t.n: {type: int, point: n, ro: true}}}"

/* Once; what cannot be set is told and the rest goes on. */
static void an_end_and_an_error(void **state)
{
	(void)state;
	GW_AUTO(gw_arena_free_auto) struct gw_arena *a = gw_arena_new(1 << 20);
	struct bench b = {0};
	struct gw_error e = {0};
	struct gw_scene_place place = {0};
	int64_t wait;
	play_text(&b, LAMP);
	const struct gw_node *s = scenario_of(
		a,
		"scenes: [{after: 1s, set: {x.t.n: 5, switch.on: maybe}}, {set: {switch.on: true}}]");
	assert_int_equal(gw_scenario_play(s, b.twin, 0, &place, &wait, &e), 0);
	assert_int_equal(wait, 1000);
	assert_int_equal(gw_scenario_play(s, b.twin, 5000, &place, &wait, &e), -EINVAL);
	assert_string_equal(e.code, "type");
	assert_int_equal(wait, -1);
	deliver(&b);
	expect_read(&b, "x.t.n", "5");
	expect_read(&b, "switch.on", "true");
	assert_int_equal(gw_scenario_play(s, b.twin, 9000, &place, &wait, &e), 0);
	assert_int_equal(wait, -1);
	assert_int_equal(b.count, 0);
	stop(&b);
}

static void refusals(void **state)
{
	static const struct {
		const char *yaml, *text;
	} rows[] = {
		{"[1]", "a map with scenes"},
		{"{loop: true}", "a map with scenes"},
		{"{scenes: {}}", "is a list"},
		{"{scenes: [], speed: 2}", "a scenario has"},
		{"{scenes: [5]}", "a scene is a map"},
		{"{scenes: [{after: 5}]}", "is a duration"},
		{"{scenes: [{after: soon}]}", "is a duration"},
		{"{scenes: [{after: 5s, sets: {a: 1}}]}", "a scene has"},
		{"{scenes: [{set: 1}]}", "is a map of"},
		{"{scenes: [{when: [1]}]}", "is a map of"},
		{"{loop: yes, scenes: []}", "true or false"},
		{"{loop: true, scenes: [{set: {a: 1}}]}", "need an `after`"},
		{"{loop: true, scenes: []}", "need an `after`"},
	};
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		GW_AUTO(gw_arena_free_auto) struct gw_arena *a = gw_arena_new(1 << 20);
		struct gw_error e = {0};
		assert_int_equal(gw_scenario_check(scenario_of(a, rows[i].yaml), &e), -EINVAL);
		assert_string_equal(e.code, "schema");
		assert_int_equal(e.line, 1);
		if (!strstr(e.text, rows[i].text)) {
			fail_msg("%s: %s", rows[i].yaml, e.text);
		}
	}
}

static void a_scenario_of_another_product(void **state)
{
	static const char *const rows[] = {
		"{scenes: [{set: {switch.on: true}}, {set: {fan.mode: low}}]}",
		"{scenes: [{when: {fan.mode: low}}]}"};
	(void)state;
	GW_AUTO(gw_arena_free_auto) struct gw_arena *a = gw_arena_new(1 << 20);
	struct bench b = {0};
	play_text(&b, LAMP);
	for (size_t i = 0; i < gw_countof(rows); i++) {
		struct gw_error e = {0};
		assert_int_equal(gw_scenario_fits(scenario_of(a, rows[i]), b.twin, &e), -ENOENT);
		assert_string_equal(e.code, "ref");
		assert_non_null(strstr(e.text, "fan.mode"));
		assert_int_equal(e.line, 1);
	}
	stop(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_washer_runs_through_its_phases),
		cmocka_unit_test(an_end_and_an_error),
		cmocka_unit_test(refusals),
		cmocka_unit_test(a_scenario_of_another_product),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
