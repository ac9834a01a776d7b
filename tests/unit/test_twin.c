/* Twin ↔ binding: whatever a profile plays, the same profile understands. */
#include "gw_test.h"

#include <errno.h>

#include "twin_bench.h"

/* --- what holds for every profile --- */

static size_t count_known(const struct bench *b)
{
	size_t n = 0;
	for (size_t i = 0; i < gw_plan_cap_count(b->plan); i++) {
		n += gw_binding_value(b->binding, i, NULL)->type != GW_VALUE_NONE;
	}
	return n;
}

static void check_presence(struct bench *b)
{
	struct gw_buf channel = GW_BUF_INIT(1000), body = GW_BUF_INIT(1000);
	bool has = gw_plan_link(b->plan)->has_presence;
	assert_int_equal(gw_twin_will(b->twin, &channel, &body), has);
	gw_twin_leave(b->twin);
	assert_int_equal(b->count, has);
	if (has) {
		assert_int_equal(b->presence, 1);
		assert_string_equal(b->list[0].channel, channel.p);
		assert_string_equal(b->list[0].body, body.p);
		assert_true(b->list[0].retain);
		deliver(b);
		assert_int_equal(b->presence, 0);
		gw_twin_announce(b->twin);
		deliver(b);
		assert_int_equal(b->presence, 1);
	}
	gw_buf_fini(&channel);
	gw_buf_fini(&body);
}

/* Numbers stay in their range, counters only grow, everything is understood. */
static void check_reports(struct bench *b)
{
	int64_t before[GW_PROFILE_CAPS] = {0};
	for (int round = 0; round < 60; round++) {
		gw_twin_report(b->twin);
		deliver(b);
		for (size_t i = 0; i < gw_plan_cap_count(b->plan); i++) {
			const struct gw_cap_info *cap = gw_plan_cap(b->plan, i);
			const struct gw_value *v = gw_binding_value(b->binding, i, NULL);
			if (v->type != GW_VALUE_NUMBER || cap->writable) {
				continue;
			}
			assert_true(!cap->domain.has_min || v->count >= cap->domain.min);
			assert_true(!cap->domain.has_max || v->count <= cap->domain.max);
			if (strcmp(cap->id, "meter.energy") == 0) {
				assert_true(round == 0 || v->count >= before[i]);
			}
			before[i] = v->count;
		}
	}
	both_see_the_same(b);
}

static void round_trip(struct bench *b, struct gw_profile *p)
{
	size_t writable = 0, events = 0, actions = 0;
	play(b, p);
	both_see_the_same(b);
	size_t known = count_known(b);
	for (size_t i = 0; i < gw_plan_cap_count(b->plan); i++) {
		if (gw_plan_cap(b->plan, i)->writable) {
			writable++;
			if (command_somewhere(b, i) == 0) {
				fail_msg("%s: no value of %s could be written", gw_profile_id(p),
					 gw_plan_cap(b->plan, i)->address);
			}
		}
	}
	both_see_the_same(b);
	(void)command_together(b); /* some states allow it, some not */
	for (size_t i = 0; i < gw_plan_cap_count(b->plan); i++) {
		const struct gw_cap_info *cap = gw_plan_cap(b->plan, i);
		events += cap->kind == GW_KIND_EVENT;
		actions += cap->kind == GW_KIND_ACTION;
		if ((cap->kind == GW_KIND_EVENT && happen(b, i) == 0) ||
		    (cap->kind == GW_KIND_ACTION && !act(b, i))) {
			fail_msg("%s: nothing comes of %s", gw_profile_id(p), cap->address);
		}
	}
	check_presence(b);
	check_reports(b);
	print_message("%s: %zu values, %zu writable, %zu events, %zu actions\n", gw_profile_id(p),
		      known, writable, events, actions);
	assert_true(known > 0);
	stop(b);
}

static int each(void *ctx, const char *path, const char *id)
{
	struct bench *b = ctx;
	struct gw_profile *p = NULL;
	struct gw_error e = {0};
	(void)id;
	unsigned flags = strstr(path, "/golden/") ? GW_PROFILE_LAX : 0;
	if (gw_profile_load_file(b->library, path, flags, &p, &e) < 0) {
		fail_msg("%s:%u:%u %s at %s: %s", e.file, e.line, e.column, e.code, e.at, e.text);
	}
	if (gw_profile_is_fragment(p)) {
		gw_profile_unref(p);
	} else {
		round_trip(b, p);
	}
	return 0;
}

static void all_in(const char *dir)
{
	struct bench b = {0};
	assert_int_equal(gw_library_new(&dir, 1, &b.library), 0);
	assert_int_equal(gw_library_each_file(b.library, each, &b), 0);
	gw_library_free(b.library);
}

static void shipped_profiles(void **state)
{
	(void)state;
	all_in(HEARTH_SOURCE_DIR "/profiles");
}

static void example_profiles(void **state)
{
	(void)state;
	all_in(HEARTH_SOURCE_DIR "/tests/golden/profiles");
}

/* --- the rules of §13 one by one --- */

static void play_text(struct bench *b, const char *text)
{
	struct gw_profile *p = NULL;
	struct gw_error e = {0};
	*b = (struct bench){0};
	if (gw_profile_load_text(NULL, gw_str(text), "test", GW_PROFILE_LAX, &p, &e) < 0) {
		fail_msg("%s at %s: %s", e.code, e.at, e.text);
	}
	play(b, p);
}

static void receive(struct bench *b, const char *channel, const char *body)
{
	gw_twin_receive(b->twin, gw_str(channel), gw_str(body));
}

static void expect_emission(const struct bench *b, size_t i, const char *channel, const char *body)
{
	assert_true(i < b->count);
	assert_string_equal(b->list[i].channel, channel);
	assert_string_equal(b->list[i].body, body);
}

static void commands_change_points_and_are_answered(void **state)
{
	(void)state;
	struct bench b;
	play_text(
		&b,
		"{msgs: {state: {rx: s}, set: {tx: c, base: {method: set, params: {id: 0}}, reply: ok}, ok: {rx: r}, other: {tx: c, base: {method: go}}},"
		" points: {on: {in: state#/on, out: set#/params/on}, n: {in: [state#/n, ok#/n], out: other#/n}},"
		" caps: {switch.on: {point: on}, x.t.n: {type: int, point: n}},"
		" tests: [{name: a, rx: [{state: {on: false, n: 3, kept: x}}], want: {x.t.n: 3}}, {name: b, rx: [{state: {on: true, kept: y}}]}]}");
	receive(&b, "c", "{\"method\":\"set\",\"params\":{\"id\":0,\"on\":true}}");
	assert_int_equal(b.count, 2);
	expect_emission(&b, 0, "s", "{\"kept\":\"y\",\"n\":3,\"on\":true}");
	expect_emission(&b, 1, "r", "{\"n\":3}");
	drop_emissions(&b);
	receive(&b, "c", "{\"method\":\"go\",\"n\":5}");
	assert_int_equal(b.count, 2);
	expect_emission(&b, 0, "s", "{\"kept\":\"y\",\"n\":5,\"on\":true}");
	drop_emissions(&b);
	/* Nothing that it knows: silence. */
	receive(&b, "c", "{\"method\":\"other\",\"params\":{\"id\":1,\"on\":false}}");
	receive(&b, "c", "not json");
	receive(&b, "elsewhere", "{\"method\":\"go\",\"n\":6}");
	assert_int_equal(b.count, 0);
	stop(&b);
}

static void fixed_messages(void **state)
{
	(void)state;
	struct bench b;
	play_text(
		&b,
		"{msgs: {state: {rx: s}, flip: {tx: c, codec: text, body: TOGGLE}, ask: {tx: c, codec: text, body: STATUS, reply: state}, set: {tx: c, codec: text}},"
		" points: {led: {in: state#/led}, name: {in: state#/name, out: \"set#\"}},"
		" caps: {display.on: {toggle: flip, point: led}, x.t.n: {type: str, point: name}},"
		" tests: [{name: a, rx: [{state: {led: false, name: n}}]}]}");
	receive(&b, "c", "TOGGLE");
	assert_int_equal(b.count, 1);
	expect_emission(&b, 0, "s", "{\"led\":true,\"name\":\"n\"}");
	drop_emissions(&b);
	receive(&b, "c", "STATUS");
	assert_int_equal(b.count, 1);
	drop_emissions(&b);
	receive(&b, "c", "anything else");
	expect_emission(&b, 0, "s", "{\"led\":true,\"name\":\"anything else\"}");
	assert_string_equal(gw_twin_filter(b.twin, 0), "c");
	assert_null(gw_twin_filter(b.twin, 1));
	stop(&b);
}

/* What a fixed message does to a field of several bits nobody knows: it stays, and nothing false is said. */
static void a_toggle_of_no_bit(void **state)
{
	(void)state;
	struct bench b;
	play_text(
		&b,
		"{msgs: {state: {rx: s}, flip: {tx: c, codec: text, body: TOGGLE}}, points: {led: {in: state#/led}}, caps: {display.on: {toggle: flip, expr: \"led != 7\"}},"
		" tests: [{name: a, rx: [{state: {led: 1}}]}]}");
	receive(&b, "c", "TOGGLE");
	assert_int_equal(b.count, 0);
	gw_twin_report(b.twin);
	expect_emission(&b, 0, "s", "{\"led\":1}");
	stop(&b);
}

static void layers_filters_and_oneshots(void **state)
{
	(void)state;
	struct bench b;
	play_text(
		&b,
		"{msgs: {m: {rx: s, tx: c, if_json: {/t: [report, full]}}, in: {from: m#/x, decode: hex, codec: json}},"
		" points: {a: {io: in#/a}, b: {io: m#/b, init: 0, oneshot: true}},"
		" caps: {x.t.a: {type: int, point: a}, x.t.b: {type: int, point: b}},"
		" tests: [{name: a, rx: [{m: {t: full, x: 7b2261223a317d, b: 0}}], want: {x.t.a: 1}}, {name: b, rx: [{m: {t: other}}]}]}");
	receive(&b, "c", "{\"x\":\"7b2261223a327d\",\"b\":9}");
	assert_int_equal(b.count, 1);
	expect_emission(&b, 0, "s", "{\"b\":9,\"t\":\"full\",\"x\":\"7b2261223a327d\"}");
	drop_emissions(&b);
	gw_twin_report(b.twin);
	expect_emission(&b, 0, "s", "{\"b\":0,\"t\":\"full\",\"x\":\"7b2261223a327d\"}");
	stop(&b);
}

static void set_by_hand(void **state)
{
	(void)state;
	struct bench b;
	struct gw_error e = {0};
	struct gw_arena *a = gw_arena_new(1 << 16);
	play_text(
		&b,
		"{msgs: {m: {rx: s, tx: c}, k: {rx: k}},"
		" points: {on: {io: m#/on, map: {\"1\": true, \"0\": false}}, t: {in: m#/t, div: 10}, st: {in: m#/st}, act: {in: k#/action}},"
		" caps: {switch.on: {point: on}, temperature.measured: {point: t, ro: true}, button.press: {event: {point: act}},"
		" battery.state: {table: [st], rows: [[[5, 6], ok], [1, warning]], ro: true}, x.t.sum: {type: num, expr: \"t + st\"}},"
		" tests: [{name: a, rx: [{m: {on: 0, t: 215, st: 6}}, {k: {action: press}}], events: [{button.press: press}]}]}");
	assert_int_equal(gw_twin_set(b.twin, GW_STR("switch.on"), gw_node_new_bool(a, true), &e),
			 0);
	expect_emission(&b, 0, "s", "{\"on\":1,\"st\":6,\"t\":215}");
	drop_emissions(&b);
	assert_int_equal(gw_twin_set(b.twin, GW_STR("temperature.measured"),
				     gw_node_new_number(a, 18.5), &e),
			 0);
	expect_emission(&b, 0, "s", "{\"on\":1,\"st\":6,\"t\":185}");
	drop_emissions(&b);
	assert_int_equal(gw_twin_set(b.twin, GW_STR("battery.state"),
				     gw_node_new_text(a, GW_STR("warning")), &e),
			 0);
	expect_emission(&b, 0, "s", "{\"on\":1,\"st\":1,\"t\":185}");
	drop_emissions(&b);
	/* Something happens once; the next report does not repeat it. */
	assert_int_equal(gw_twin_set(b.twin, GW_STR("button.press"),
				     gw_node_new_text(a, GW_STR("press")), &e),
			 0);
	assert_int_equal(b.count, 1);
	expect_emission(&b, 0, "k", "{\"action\":\"press\"}");
	drop_emissions(&b);
	gw_twin_report(b.twin);
	assert_int_equal(b.count, 1);
	drop_emissions(&b);
	assert_int_equal(gw_twin_set(b.twin, GW_STR("x.t.sum"), gw_node_new_number(a, 5), &e),
			 -EINVAL);
	assert_int_equal(gw_twin_set(b.twin, GW_STR("battery.state"),
				     gw_node_new_text(a, GW_STR("none")), &e),
			 -EINVAL);
	assert_int_equal(gw_twin_set(b.twin, GW_STR("switch.on"), gw_node_new_number(a, 5), &e),
			 -EINVAL);
	assert_string_equal(e.code, "type");
	assert_int_equal(gw_twin_set(b.twin, GW_STR("nothing"), gw_node_new_bool(a, true), &e),
			 -ENOENT);
	assert_int_equal(b.count, 0);
	gw_arena_free(a);
	stop(&b);
}

static void without_tests(void **state)
{
	(void)state;
	struct bench b;
	play_text(
		&b,
		"{msgs: {m: {rx: s, tx: c}, w: {rx: w, codec: text}}, points: {on: {io: m#/on}, t: {in: m#/t}, mode: {io: m#/mode}, av: {in: \"w#\", map: {up: true, down: false}}},"
		" link: {presence: {point: av, is: true}},"
		" caps: {switch.on: {point: on}, temperature.measured: {point: t, ro: true}, x.t.m: {type: enum, table: [mode], rows: [[eco, low], [turbo, high]]}}}");
	assert_int_equal(b.presence, 1);
	enum gw_quality q;
	assert_int_equal(gw_binding_value(b.binding, 0, &q)->type, GW_VALUE_BOOL);
	assert_int_equal(gw_binding_value(b.binding, 1, &q)->count, 2150);
	assert_string_equal(gw_binding_value(b.binding, 2, &q)->text->s, "low");
	stop(&b);
}

/* The same seed tells the same story, another one another. */
static void seeds(void **state)
{
	(void)state;
	static const char text[] =
		"{msgs: {m: {rx: s}}, points: {t: {in: m#/t}, e: {in: m#/e}}, caps: {temperature.measured: {point: t, ro: true}, meter.energy: {point: e, ro: true}},"
		" tests: [{name: a, rx: [{m: {t: 21.53, e: 7.125}}]}]}";
	struct gw_profile *p = NULL;
	struct gw_error e = {0};
	struct gw_vars none = {0};
	struct bench b[3] = {0};
	assert_int_equal(gw_profile_load_text(NULL, gw_str(text), "test", GW_PROFILE_LAX, &p, &e),
			 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(gw_twin_new(p, &none, i == 2, &ops, &b[i], &b[i].twin, &e), 0);
		for (int k = 0; k < 5; k++) {
			gw_twin_report(b[i].twin);
		}
		assert_int_equal(b[i].count, 5);
	}
	assert_string_equal(b[0].list[4].body, b[1].list[4].body);
	assert_string_not_equal(b[0].list[4].body, b[2].list[4].body);
	for (size_t i = 0; i < 3; i++) {
		drop_emissions(&b[i]);
		gw_twin_free(b[i].twin);
	}
	gw_profile_unref(p);
}

static void out_of_memory(void **state)
{
	(void)state;
	struct gw_profile *p = NULL;
	struct gw_error e = {0};
	struct gw_vars none = {0};
	struct bench b = {0};
	assert_int_equal(
		gw_profile_load_text(
			NULL,
			GW_STR("{msgs: {m: {rx: s, tx: c}}, points: {t: {io: m#/t}, u: {in: m#/u, map: {a: 1}}}, caps: {x.t.t: {type: str, point: t}},"
			       " tests: [{name: a, rx: [{m: {t: x, u: a}}]}]}"),
			"test", GW_PROFILE_LAX, &p, &e),
		0);
	for (uint64_t n = 1;; n++) {
		gw_alloc_fail_at(n);
		int r = gw_twin_new(p, &none, 1, &ops, &b, &b.twin, &e);
		gw_alloc_fail_at(0);
		if (r == 0) {
			break;
		}
		assert_int_equal(r, -ENOMEM);
	}
	for (uint64_t n = 1; n < 40; n++) { /* lost, but not broken */
		gw_alloc_fail_at(n);
		gw_twin_receive(b.twin, GW_STR("c"), GW_STR("{\"t\":\"y\"}"));
		gw_alloc_fail_at(0);
		drop_emissions(&b);
	}
	gw_twin_receive(b.twin, GW_STR("c"), GW_STR("{\"t\":\"z\"}"));
	expect_emission(&b, 0, "s", "{\"t\":\"z\",\"u\":\"a\"}");
	drop_emissions(&b);
	gw_twin_free(b.twin);
	gw_profile_unref(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shipped_profiles),
		cmocka_unit_test(example_profiles),
		cmocka_unit_test(commands_change_points_and_are_answered),
		cmocka_unit_test(fixed_messages),
		cmocka_unit_test(a_toggle_of_no_bit),
		cmocka_unit_test(layers_filters_and_oneshots),
		cmocka_unit_test(set_by_hand),
		cmocka_unit_test(without_tests),
		cmocka_unit_test(seeds),
		cmocka_unit_test(out_of_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
