/* Faults on demand: what an appliance does on a bad day, and that the gateway neither believes nor loses anything. */
#include "gw_test.h"

#include <errno.h>

#include "twin_bench.h"

static void play_text(struct bench *b, const char *text, uint64_t seed)
{
	struct gw_profile *p = NULL;
	struct gw_error e = {0};
	struct gw_vars none = {0};
	assert_int_equal(gw_profile_load_text(NULL, gw_str(text), "test", GW_PROFILE_LAX, &p, &e),
			 0);
	*b = (struct bench){0};
	play_seeded(b, p, &none, seed);
	bind_as(b, NULL);
}

static const char *shown(struct bench *b, const char *address, struct gw_buf *text)
{
	int i = gw_plan_find_cap(b->plan, gw_str(address));
	assert_true(i >= 0);
	gw_buf_reset(text);
	gw_value_write_json(text, gw_binding_value(b->binding, (size_t)i, NULL),
			    gw_plan_cap(b->plan, (size_t)i)->domain.res);
	return text->p;
}

static void expect_shown_as(struct bench *b, const char *address, const char *json)
{
	struct gw_buf text = GW_BUF_INIT(4096);
	assert_string_equal(shown(b, address, &text), json);
	gw_buf_fini(&text);
}

static void set_number(struct bench *b, const char *address, double v)
{
	struct gw_arena *a = gw_arena_new(4096);
	struct gw_error e = {0};
	assert_int_equal(gw_twin_set(b->twin, gw_str(address), gw_node_new_number(a, v), &e), 0);
	gw_arena_free(a);
}

#define LAMP                                                                                                                                                                      \
	"{msgs: {m: {rx: s, tx: c}, w: {rx: w, codec: text}}, points: {on: {io: m#/on}, n: {io: m#/n, na: [-9]}, k: {in: m#/k}, av: {in: \"w#\", map: {up: true, down: false}}}," \
	" link: {presence: {point: av, is: true}},"                                                                                                                               \
	" caps: {switch.on: {point: on}, x.t.n: {type: int, point: n}, button.press: {event: {point: k}}}, tests: [{name: a, rx: [{m: {on: true, n: 3}}]}]}"

static void silence(void **state)
{
	(void)state;
	struct bench b;
	play_text(&b, LAMP, 1);
	gw_twin_fault(b.twin, GW_FAULT_SILENCE, 0, true);
	gw_twin_report(b.twin);
	set_number(&b, "x.t.n", 7);
	gw_twin_leave(b.twin);
	assert_int_equal(b.count, 0);
	gw_twin_fault(b.twin, GW_FAULT_SILENCE, 0, false);
	gw_twin_announce(b.twin);
	deliver(&b);
	expect_shown_as(&b, "x.t.n", "7"); /* it had obeyed */
	stop(&b);
}

static void duplicate(void **state)
{
	(void)state;
	struct bench b;
	play_text(&b, LAMP, 1);
	gw_twin_fault(b.twin, GW_FAULT_DUPLICATE, 0, true);
	set_number(&b, "x.t.n", 7);
	assert_int_equal(b.count, 2);
	assert_string_equal(b.list[0].body, b.list[1].body);
	deliver(&b);
	expect_shown_as(&b, "x.t.n", "7");
	stop(&b);
	/* A product that numbers its messages says the same number twice; it is taken once. */
	play_text(
		&b,
		"{link: {dedup: serial}, msgs: {m: {rx: s}}, points: {k: {in: m#/k}, serial: {in: m#/i}}, caps: {button.press: {event: {point: k}}}, tests: [{name: a, rx: [{m: {i: 4}}]}]}",
		1);
	struct gw_arena *a = gw_arena_new(4096);
	struct gw_error e = {0};
	gw_twin_fault(b.twin, GW_FAULT_DUPLICATE, 0, true);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(gw_twin_set(b.twin, GW_STR("button.press"),
					     gw_node_new_text(a, GW_STR("press")), &e),
				 0);
		assert_int_equal(b.count, 2);
		deliver(&b);
		assert_int_equal(b.happened, 1);
	}
	gw_arena_free(a);
	stop(&b);
}

static void slow(void **state)
{
	(void)state;
	struct bench b;
	play_text(&b, LAMP, 1);
	gw_twin_fault(b.twin, GW_FAULT_SLOW, 2500, true);
	set_number(&b, "x.t.n", 7);
	assert_int_equal(b.count, 1);
	assert_int_equal(b.list[0].delay_ms, 2500);
	drop_emissions(&b);
	gw_twin_fault(b.twin, GW_FAULT_SLOW, 2500, false);
	set_number(&b, "x.t.n", 8);
	assert_int_equal(b.list[0].delay_ms, 0);
	stop(&b);
}

/* A sentinel is not a value, and what has none goes on. */
static void na(void **state)
{
	(void)state;
	struct bench b;
	play_text(&b, LAMP, 1);
	gw_twin_fault(b.twin, GW_FAULT_NA, 0, true);
	gw_twin_report(b.twin);
	deliver(&b);
	expect_shown_as(&b, "x.t.n", "null");
	expect_shown_as(&b, "switch.on", "true");
	gw_twin_fault(b.twin, GW_FAULT_NA, 0, false);
	gw_twin_report(b.twin);
	deliver(&b);
	expect_shown_as(&b, "x.t.n", "3"); /* the device had it all the time */
	stop(&b);
}

/* Values of another type are unknown in every codec that has types, and back with the first good message. */
static void wrong_type(void **state)
{
	static const struct {
		const char *profile, *during;
	} rows[] = {
		{"{msgs: {m: {rx: s}}, points: {n: {in: m#/n}}, caps: {x.t.n: {type: int, point: n, ro: true}}, tests: [{name: a, rx: [{m: {n: 5}}]}]}",
		 "null"},
		{"{msgs: {m: {rx: s}}, points: {n: {in: m#/n}}, caps: {x.t.n: {type: bool, point: n, ro: true}}, tests: [{name: a, rx: [{m: {n: true}}]}]}",
		 "null"},
		{"{msgs: {m: {rx: s}}, points: {n: {in: m#/n}}, caps: {x.t.n: {type: str, point: n, ro: true}}, tests: [{name: a, rx: [{m: {n: txt}}]}]}",
		 "null"},
		{"{msgs: {m: {rx: s, codec: cbor}}, points: {n: {in: m#/n}}, caps: {x.t.n: {type: int, point: n, ro: true}}, tests: [{name: a, rx: [{m: {n: 5}}]}]}",
		 "null"},
		{"{msgs: {m: {rx: s, codec: form}}, points: {n: {in: m#/n, as: num}}, caps: {x.t.n: {type: int, point: n, ro: true}}, tests: [{name: a, rx: [{m: n=5}]}]}",
		 "null"},
		{"{msgs: {m: {rx: s, codec: text}}, points: {n: {in: \"m#\", as: num}}, caps: {x.t.n: {type: int, point: n, ro: true}}, tests: [{name: a, rx: [{m: \"5\"}]}]}",
		 "null"},
		{"{msgs: {m: {rx: s, codec: text}}, points: {n: {in: \"m#\", map: {ON: 1, OFF: 0}}}, caps: {x.t.n: {type: int, point: n, ro: true}}, tests: [{name: a, rx: [{m: ON}]}]}",
		 "null"},
		{"{msgs: {d: {rx: s}, m: {from: d#/x, decode: hex}}, points: {n: {in: m#/n}}, caps: {x.t.n: {type: int, point: n, ro: true}}, tests: [{name: a, rx: [{d: {x: 7b226e223a357d}}]}]}",
		 "null"},
		{"{msgs: {m: {rx: s, codec: bytes}}, points: {n: {in: \"m@0\"}}, caps: {x.t.n: {type: int, point: n, ro: true}}, tests: [{name: a, rx: [{m: \"05\"}]}]}",
		 "5"},
		{"{msgs: {m: {rx: s, codec: tlv}}, points: {n: {in: m#/1}}, caps: {x.t.n: {type: int, point: n, ro: true}}, tests: [{name: a, rx: [{m: 01 01 05}]}]}",
		 "5"},
	};
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		struct bench b;
		struct gw_buf before = GW_BUF_INIT(100);
		play_text(&b, rows[i].profile, 1);
		assert_string_not_equal(shown(&b, "x.t.n", &before), "null");
		gw_twin_fault(b.twin, GW_FAULT_WRONG_TYPE, 0, true);
		gw_twin_announce(b.twin);
		deliver(&b);
		expect_shown_as(&b, "x.t.n", rows[i].during);
		gw_twin_fault(b.twin, GW_FAULT_WRONG_TYPE, 0, false);
		gw_twin_announce(b.twin);
		deliver(&b);
		expect_shown_as(&b, "x.t.n", before.p);
		gw_buf_fini(&before);
		stop(&b);
	}
}

/* Cut-off bodies of every codec, many of them: the last good value stays. */
static void garbage(void **state)
{
	static const struct {
		const char *profile;
		bool refused; /* else what is left of a frame counts */
	} rows[] = {
		{"{msgs: {m: {rx: s}}, points: {n: {in: m#/n}}, caps: {x.t.n: {type: int, point: n, ro: true}}, tests: [{name: a, rx: [{m: {n: 5}}]}]}",
		 true},
		{"{msgs: {m: {rx: s, codec: cbor}}, points: {n: {in: m#/n}}, caps: {x.t.n: {type: int, point: n, ro: true}}, tests: [{name: a, rx: [{m: {n: 5, d: 0.1}}]}]}",
		 true},
		{"{msgs: {m: {rx: s, codec: form}}, points: {n: {in: m#/n, as: num}}, caps: {x.t.n: {type: int, point: n, ro: true}}, tests: [{name: a, rx: [{m: n=5&m=6}]}]}",
		 true},
		{"{msgs: {m: {rx: s, codec: text}}, points: {n: {in: \"m#\", as: num}}, caps: {x.t.n: {type: int, point: n, ro: true}}, tests: [{name: a, rx: [{m: \"512\"}]}]}",
		 true},
		{"{msgs: {m: {rx: s, codec: bytes}}, points: {n: {in: \"m@1\", as: u16be}}, caps: {x.t.n: {type: int, point: n, ro: true}}, tests: [{name: a, rx: [{m: 01 02 03}]}]}",
		 false},
		{"{msgs: {m: {rx: s, codec: tlv}}, points: {n: {in: m#/1, as: u16be}}, caps: {x.t.n: {type: int, point: n, ro: true}}, tests: [{name: a, rx: [{m: 01 02 02 05}]}]}",
		 false},
	};
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		struct bench b;
		struct gw_buf before = GW_BUF_INIT(100);
		play_text(&b, rows[i].profile, i);
		b.tolerant = true;
		assert_string_not_equal(shown(&b, "x.t.n", &before), "null");
		gw_twin_fault(b.twin, GW_FAULT_GARBAGE, 0, true);
		for (int k = 0; k < 200; k++) {
			gw_twin_announce(b.twin); /* reports as it is, without drifting */
			assert_int_equal(b.count, 1);
			deliver(&b);
			assert_int_equal(b.refused, rows[i].refused);
			expect_shown_as(&b, "x.t.n", before.p);
		}
		gw_twin_fault(b.twin, GW_FAULT_GARBAGE, 0, false);
		gw_twin_announce(b.twin);
		deliver(&b);
		assert_int_equal(b.refused, 0);
		expect_shown_as(&b, "x.t.n", before.p);
		gw_buf_fini(&before);
		stop(&b);
	}
}

/* The same seed gives the same garbage; and garbage does not change how the values move. */
static void seeds(void **state)
{
	static const char text[] =
		"{msgs: {m: {rx: s}}, points: {t: {in: m#/t}}, caps: {temperature.measured: {point: t, ro: true}}, tests: [{name: a, rx: [{m: {t: 21.5123, long: abcdefghijklmnopqrstuvwxyz}}]}]}";
	struct bench b[3];
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		play_text(&b[i], text, i == 2 ? 5 : 4);
		gw_twin_fault(b[i].twin, GW_FAULT_GARBAGE, 0, true);
		for (int k = 0; k < 10; k++) {
			gw_twin_report(b[i].twin);
		}
	}
	size_t same = 0;
	for (size_t k = 0; k < 10; k++) {
		assert_string_equal(b[0].list[k].body, b[1].list[k].body);
		same += strcmp(b[0].list[k].body, b[2].list[k].body) == 0;
	}
	assert_true(same < 10);
	gw_twin_fault(b[0].twin, GW_FAULT_GARBAGE, 0, false);
	drop_emissions(&b[0]);
	struct bench clean;
	play_text(&clean, text, 4);
	for (int k = 0; k < 10; k++) {
		gw_twin_report(clean.twin);
	}
	drop_emissions(&clean);
	for (size_t k = 0; k < 5; k++) {
		gw_twin_report(b[0].twin);
		gw_twin_report(clean.twin);
		assert_string_equal(b[0].list[k].body, clean.list[k].body);
	}
	stop(&clean);
	for (size_t i = 0; i < 3; i++) {
		stop(&b[i]);
	}
}

static void announcement_and_will_stay_whole(void **state)
{
	(void)state;
	struct bench b;
	struct gw_buf channel[2] = {GW_BUF_INIT(1000), GW_BUF_INIT(1000)};
	struct gw_buf body[2] = {GW_BUF_INIT(1000), GW_BUF_INIT(1000)};
	play_text(
		&b,
		"{vars: {id: {}}, match: [{mqtt: hello/+, json: {/kind: lamp}, set: {id: \"topic:1\"}}], msgs: {w: {rx: \"{id}/w\", codec: text, retain: true}}, points: {av: {in: \"w#\", map: {up: true, down: false}}},"
		" link: {presence: {point: av, is: true}}, caps: {x.t.a: {type: bool, point: av, ro: true}}, tests: [{name: a, match: {mqtt: hello/l1, json: {kind: lamp}}, vars_out: {id: l1}}]}",
		1);
	assert_true(gw_twin_will(b.twin, &channel[0], &body[0]));
	for (unsigned f = 0; f < GW_FAULT_COUNT; f++) {
		gw_twin_fault(b.twin, (enum gw_fault)f, 1000, true);
	}
	gw_buf_reset(&channel[1]);
	assert_true(gw_twin_will(b.twin, &channel[1], &body[1]));
	assert_string_equal(channel[0].p, channel[1].p);
	assert_string_equal(body[0].p, body[1].p);
	assert_string_equal(body[0].p, "down");
	gw_twin_announce(b.twin);
	assert_int_equal(b.count, 1);
	assert_string_equal(b.list[0].channel, "hello/l1");
	assert_string_equal(b.list[0].body, "{\"kind\":\"lamp\"}");
	assert_int_equal(b.list[0].delay_ms, 0);
	for (size_t i = 0; i < 2; i++) {
		gw_buf_fini(&channel[i]);
		gw_buf_fini(&body[i]);
	}
	stop(&b);
}

static void words(void **state)
{
	static const struct {
		const char *text;
		int result;
		enum gw_fault fault;
		int64_t ms;
		const char *refusal;
	} rows[] = {
		{"silence", 0, GW_FAULT_SILENCE, 0, NULL},
		{"garbage", 0, GW_FAULT_GARBAGE, 0, NULL},
		{"wrong-type", 0, GW_FAULT_WRONG_TYPE, 0, NULL},
		{"slow=2s", 0, GW_FAULT_SLOW, 2000, NULL},
		{"duplicate", 0, GW_FAULT_DUPLICATE, 0, NULL},
		{"reboot=5m", 0, GW_FAULT_REBOOT, 300000, NULL},
		{"na", 0, GW_FAULT_NA, 0, NULL},
		{"slow", -EINVAL, 0, 0, "slow takes a duration"},
		{"slow=", -EINVAL, 0, 0, "slow takes a duration"},
		{"slow=0", -EINVAL, 0, 0, "slow takes a duration"},
		{"slow=soon", -EINVAL, 0, 0, "slow takes a duration"},
		{"na=5s", -EINVAL, 0, 0, "na takes no value"},
		{"", -EINVAL, 0, 0, "there is silence, garbage, wrong-type, slow=DURATION"},
		{"smoke", -EINVAL, 0, 0, "no fault \"smoke\""},
	};
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		enum gw_fault fault = GW_FAULT_COUNT;
		int64_t ms = -1;
		struct gw_error e = {0};
		assert_int_equal(gw_fault_parse(gw_str(rows[i].text), &fault, &ms, &e),
				 rows[i].result);
		if (rows[i].refusal) {
			assert_non_null(strstr(e.text, rows[i].refusal));
			assert_int_equal(fault, GW_FAULT_COUNT);
		} else {
			assert_int_equal(fault, rows[i].fault);
			assert_int_equal(ms, rows[i].ms);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silence),    cmocka_unit_test(duplicate),
		cmocka_unit_test(slow),	      cmocka_unit_test(na),
		cmocka_unit_test(wrong_type), cmocka_unit_test(garbage),
		cmocka_unit_test(seeds),      cmocka_unit_test(announcement_and_will_stay_whole),
		cmocka_unit_test(words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
