/* Laws and refusals of the engine (profile-language §13, §16): code, place, and a counter-example that can be followed. */
#include "gw_test.h"

#include "profile_case.h"

#define MSG    "msgs: {m: {rx: s, tx: c}}\n"
#define POINTS "points: {p: {io: m#/p}, q: {io: m#/q}}\n"

static void a_hidden_row(void **state)
{
	(void)state;
	case_refused(
		MSG POINTS
		"caps: {x.t.a: {type: enum, table: [p, q], rows: [[0, any, off], [any, 1, cool]]}}",
		"law", "/caps/x.t.a/rows/1",
		"set cool → row 1 is written → row 0 matches first → read off");
}

static void rows_that_share_a_list_item(void **state)
{
	struct profile_case c;
	(void)state;
	case_refused(
		MSG POINTS
		"caps: {x.t.a: {type: enum, table: [p], rows: [[[1, 2], low], [[2, 3], high]]}}",
		"law", "/caps/x.t.a/rows/1", "high");
	/* a hidden row that is never written breaks nothing */
	case_open(
		&c, MSG POINTS
		"caps: {x.t.a: {type: enum, table: [p], rows: [[[1, 2], low], {cells: [2], value: high, ro: true}]}}");
	case_close(&c);
}

static void an_expression_that_does_not_invert(void **state)
{
	(void)state;
	case_refused(MSG POINTS
		     "caps: {x.t.a: {type: int, range: [0, 100], expr: \"p * 2\", set: {p: v}}}",
		     "law", "/caps/x.t.a", "frame p = ");
	case_refused(MSG POINTS "caps: {switch.on: {expr: \"p == 1\", set: {p: \"v ? 0 : 1\"}}}",
		     "law", "/caps/switch.on", "set true in state ");
	/* rounding to what the device can show is lawful: 24 → 75 °F → 23.9 */
	struct profile_case c;
	case_open(
		&c, MSG POINTS
		"caps: {thermostat.setpoint: {expr: \"(p - 32) / 1.8\", set: {p: \"round(v * 1.8 + 32)\"}}}");
	case_close(&c);
	/* rounding down is not: what is read would be written differently */
	case_refused(
		MSG POINTS
		"caps: {thermostat.setpoint: {expr: \"(p - 32) / 1.8\", set: {p: \"floor(v * 1.8 + 32)\"}}}",
		"law", "/caps/thermostat.setpoint", "→ read ");
}

static void a_side_effect_that_undoes_the_value(void **state)
{
	(void)state;
	case_refused(
		MSG
		"points: {p: {io: m#/p}, u: {io: m#/u, init: c}}\n"
		"caps: {x.t.a: {type: int, range: [0, 50], select: [{if: {u: f}, point: p, mul: 2}, {point: p}], also: {u: \"'f'\"}}}",
		"law", "/caps/x.t.a", "set ");
}

static void a_select_that_leaves_its_entry(void **state)
{
	(void)state;
	case_refused(
		MSG POINTS
		"caps: {x.t.a: {type: int, range: [1, 20], select: [{if: \"q == 0\", for: [1, 9], point: p}, {point: q}]}}",
		"law", "/caps/x.t.a", "seed");
}

static void weights(void **state)
{
	(void)state;
	case_refused(MSG POINTS "caps: {x.t.a: {type: num, parts: {p: 5, q: 2}}}", "law",
		     "/caps/x.t.a/parts", "5");
}

static void refusals(void **state)
{
	static const struct {
		const char *profile, *code, *at, *text;
	} rows[] = {
		{"caps: {switch.onn: {const: true}}", "cap", "/caps/switch.onn", "switch.on"},
		{MSG POINTS "caps: {switch.on: {point: r}}", "ref", "/caps/switch.on/point",
		 "\"r\""},
		{MSG "points: {p: {in: m#a}}", "ref", "/points/p/in", "malformed"},
		{MSG "points: {p: {in: \"m#/[a]\"}}", "ref", "/points/p/in", "malformed"},
		{MSG "points: {p: {in: \"m%x\"}}", "ref", "/points/p/in", ""},
		{MSG "points: {p: {out: \"m%1\"}}", "ref", "/points/p/out", "read only"},
		{MSG "points: {p: {io: m#/a, as: u8}}", "as", "/points/p/as", "@"},
		{"msgs: {m: {rx: s, codec: bytes}}\npoints: {p: {in: \"m@1.2\", as: u8}}", "as",
		 "/points/p/as", "bit"},
		{"msgs: {m: {}}", "schema", "/msgs/m", "rx"},
		{"msgs: {a: {rx: s}, b: {from: b#/x}}", "cycle", "/msgs/b/from", "round"},
		{MSG POINTS "caps: {x.t.a: {type: bool, point: p, flags: {0: a}}}", "type",
		 "/caps/x.t.a/flags", "list"},
		{MSG
		 "points: {p: {in: m#/p}}\ncaps: {x.t.a: {type: list, point: p, rw: true, flags: {0: a}}}",
		 "inverse", "/caps/x.t.a/rw", "no out"},
		{MSG POINTS "caps: {switch.on: {expr: p, set: {p: null}}}", "schema",
		 "/caps/switch.on/set/p", ""},
		{MSG POINTS "caps: {x.t.a: {type: enum, enum: [a], table: [p], rows: [[1, b]]}}",
		 "enum", "/caps/x.t.a/rows/0", "b"},
		{MSG POINTS
		 "caps: {x.t.a: {type: int, select: [{if: {p: 1}, for: [9, 1], point: p}]}}",
		 "range", "/caps/x.t.a/select/0/for", ""},
		{MSG POINTS
		 "caps: {x.t.a: {type: int, point: p, avail: {x.t.b: 1}}, x.t.b: {type: int, point: q, avail: {x.t.a: 1}}}",
		 "cycle", "/caps/x.t.a", "itself"},
		{MSG POINTS "caps: {x.t.a: {type: int, point: p, avail: {zz: 1}}}", "ref",
		 "/caps/x.t.a/avail/zz", "zz"},
		{"link: {presence: {point: p, is: 1}}\n" MSG, "ref", "/link/presence/point",
		 "\"p\""},
		{"link: {stale_after: \"pp * 2\"}\n" MSG POINTS
		 "caps: {x.t.a: {type: int, point: p}}",
		 "ref", "/link/stale_after", "pp"},
		{"no_test: [switch.on]\n" MSG, "ref", "/no_test/0", ""},
		{"vars: {k: {}}\n" MSG POINTS
		 "caps: {x.t.a: {type: int, point: p}}\nvariants: [{if: {k: 1}, caps: {x.t.a: {point: zz}}}]",
		 "ref", "/variants/0", "zz"},
	};
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		case_refused(rows[i].profile, rows[i].code, rows[i].at, rows[i].text);
	}
}

static void what_the_full_check_demands(void **state)
{
	static const char plug[] =
		"profile: 1\nid: t.plug\nversion: 1.0.0\ntype: plug\nname: t\nmatch: [{miio_model: a}]\n" MSG
		"points: {p: {io: m#/p}}\ncaps: {%s}\ntests: [%s]\n";
	static const struct {
		const char *caps, *tests, *code, *at;
	} rows[] = {
		{"level.value: {point: p}", "{name: a, write: {level.value: 5}, tx: [{m: {p: 5}}]}",
		 "cap", "/caps"},
		{"switch.on: {point: p}",
		 "{name: a, rx: [{m: {p: true}}], want: {switch.on: true}}", "test", "/tests"},
		{"switch.on: {point: p}",
		 "{name: a, write: {switch.on: true}, tx: [{m: {p: false}}]}", "test", "/tests/0"},
		{"switch.on: {point: p}",
		 "{name: a, write: {switch.on: true}, tx: [{m: {p: true}}]}", NULL, NULL},
		{"switch.on: {point: p}",
		 "{name: a, write: {switch.on: true}, tx: [{m: {p: true}}]}, {name: b, steps: [{rx: [{m: {p: true}}]}, {reset: true, want: {switch.on: true}}]}",
		 "test", "/tests/1"},
	};
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(4096);
		struct gw_library *l = NULL;
		struct gw_profile *p = NULL;
		struct gw_error e = {0};
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		gw_buf_printf(&text, plug, rows[i].caps, rows[i].tests);
#pragma GCC diagnostic pop
		assert_int_equal(gw_library_new(NULL, 0, &l), 0);
		int r = gw_profile_load_text(l, gw_buf_str(&text), "case", 0, &p, &e);
		assert_int_equal(r, rows[i].code ? -EINVAL : 0);
		if (rows[i].code) {
			assert_string_equal(e.code, rows[i].code);
			assert_string_equal(e.at, rows[i].at);
		}
		gw_profile_unref(p);
		gw_library_free(l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hidden_row),
		cmocka_unit_test(rows_that_share_a_list_item),
		cmocka_unit_test(an_expression_that_does_not_invert),
		cmocka_unit_test(a_side_effect_that_undoes_the_value),
		cmocka_unit_test(a_select_that_leaves_its_entry),
		cmocka_unit_test(weights),
		cmocka_unit_test(refusals),
		cmocka_unit_test(what_the_full_check_demands),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
