/*
 * Profiles that mean harm, as texts through the whole loader: each is refused at its place, with line and column, before anything of it
 * runs; what the language lets pass (a division by zero) has no value and sends nothing. Two profiles that match equally well are each
 * lawful: that neither is taken is shown in test_discovery.c.
 */
#include "gw_test.h"

#include <string.h>

#include "gw/limits.h"
#include "profile_case.h"

#define TEXT_BYTES (1024 * 1024)

struct row {
	const char *text, *code, *at;
	uint32_t line, column;
};

static void must_refuse(struct gw_library *l, struct gw_str text, const struct row *row)
{
	struct gw_profile *p = NULL;
	struct gw_error e = {0};
	int r = gw_profile_load_text(l, text, "hostile", GW_PROFILE_LAX, &p, &e);
	if (r != -EINVAL || strcmp(e.code, row->code) != 0 || strcmp(e.at, row->at) != 0 ||
	    e.line != row->line || e.column != row->column || !e.text[0]) {
		fail_msg("%.300s\nexpected %s at %s (%u:%u); got %d %s at %s (%u:%u): %s", text.p,
			 row->code, row->at, row->line, row->column, r, e.code, e.at, e.line,
			 e.column, e.text);
	}
	assert_null(p);
}

static void each_must_refuse(const struct row *rows, size_t n)
{
	struct gw_library *l = NULL;
	assert_int_equal(gw_library_new(NULL, 0, &l), 0);
	for (size_t i = 0; i < n; i++) {
		must_refuse(l, gw_str(rows[i].text), &rows[i]);
	}
	gw_library_free(l);
}

/* --- composition that does not end --- */

static void add(struct gw_library *l, const char *id, const char *text)
{
	struct gw_error e = {0};
	assert_int_equal(gw_library_add_text(l, gw_str(id), gw_str(text), id, &e), 0);
}

static void profiles_that_extend_each_other(void **state)
{
	static const struct row rows[] = {
		{"id: c\nextends: a\n", "cycle", "/extends", 2, 1},
		{"id: itself\nextends: itself\n", "cycle", "/extends", 2, 1},
		{"id: c\nuse: [f, g]\n", "cycle", "/use/1", 2, 10},
	};
	struct gw_library *l = NULL;
	(void)state;
	assert_int_equal(gw_library_new(NULL, 0, &l), 0);
	add(l, "a", "{id: a, extends: b}");
	add(l, "b", "{id: b, extends: a}");
	add(l, "itself", "{id: itself, extends: itself}");
	add(l, "f", "{fragment: true, vars: {x: {}}}");
	add(l, "g", "{fragment: true, extends: a}");
	for (size_t i = 0; i < gw_countof(rows); i++) {
		must_refuse(l, gw_str(rows[i].text), &rows[i]);
	}
	gw_library_free(l);
}

/* --- texts that are too much --- */

static void many_nodes(void **state)
{
	struct gw_buf b = GW_BUF_INIT(TEXT_BYTES);
	(void)state;
	gw_buf_puts(&b, "no_test:\n [");
	for (int i = 0; i < 100000; i++) {
		gw_buf_puts(&b, "a,");
	}
	gw_buf_puts(&b, "a]\n");
	assert_true(b.len < GW_PROFILE_BYTES);
	/* The map, the list, and then each "a," of two bytes: the first that is one too many. */
	must_refuse(NULL, gw_buf_str(&b),
		    &(struct row){.code = "size",
				  .at = "/no_test/65534",
				  .line = 2,
				  .column = 3 + 2 * (GW_PROFILE_NODES - 2)});
	gw_buf_fini(&b);
}

static void depth(void **state)
{
	/* The map around it is the first level; 24 are allowed, at two bytes or more each. */
	static const struct {
		const char *open, *code;
		uint32_t column;
	} rows[] = {
		{"[", "size", 2 + 23},
		{"{a: ", "size", 2 + 4 * 23},
		{"- ", "size", 2 + 2 * 23},
		{"? [", "syntax", 4}, /* a list as key, at its first */
	};
	struct gw_buf b = GW_BUF_INIT(TEXT_BYTES);
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		struct gw_profile *p = NULL;
		struct gw_error e = {0};
		gw_buf_reset(&b);
		gw_buf_puts(&b, "base:\n ");
		for (int n = 0; n < 50000; n++) {
			gw_buf_puts(&b, rows[i].open);
		}
		assert_int_equal(gw_profile_load_text(NULL, gw_buf_str(&b), "hostile",
						      GW_PROFILE_LAX, &p, &e),
				 -EINVAL);
		assert_string_equal(e.code, rows[i].code);
		assert_int_equal(e.line, 2);
		assert_int_equal(e.column, rows[i].column);
	}
	gw_buf_fini(&b);
}

/* --- two writers of one bit, ranges that are none --- */

#define FRAME "msgs:\n  m: {rx: s, tx: c, codec: bytes, fill: \"00 00 00 00\"}\npoints:\n"
#define JSON  "msgs:\n  m: {rx: s, tx: c}\npoints:\n  p: {io: m#/p}\n  q: {io: m#/q}\ncaps:\n"

static void bits_that_overlap(void **state)
{
	static const struct row rows[] = {
		/* a field of bits below a word, a word across another, the last bit of the last byte, a list over a field */
		{FRAME "  p: {out: m@0, as: u16be}\n  q: {out: m@1.7}\n", "overlap",
		 "/points/q/out", 5, 12},
		{FRAME "  p: {out: m@0, as: u24be}\n  q: {out: m@2, as: u16le}\n", "overlap",
		 "/points/q/out", 5, 12},
		{FRAME "  p: {out: \"m@3.1:7\"}\n  q:\n    out: [m@0, m@3.7]\n", "overlap",
		 "/points/q/out/1", 6, 16},
		{FRAME
		 "  p: {out: m@2}\n  q: {out: m@1, list: {stride: 1, count: 2, fields: {a: {at: 0}}}}\n",
		 "overlap", "/points/q/out", 5, 12},
		{"repeat:\n- for: {n: [0, 1]}\n  points:\n    \"p{n}\": {out: \"m@{n}\", as: u16be}\n"
		 "msgs:\n  m: {tx: c, codec: bytes, fill: \"00 00 00\"}\n",
		 "overlap", "/points/p1/out", 4, 19},
	};
	(void)state;
	each_must_refuse(rows, gw_countof(rows));
}

static void ranges_that_are_none(void **state)
{
	static const struct row rows[] = {
		{JSON "  x.t.a: {type: int, point: p, range: [1, -1]}\n", "range",
		 "/caps/x.t.a/range", 7, 32},
		{JSON "  x.t.a: {type: int, point: p, range: [0, 9, -1]}\n", "range",
		 "/caps/x.t.a/range", 7, 32},
		{JSON "  x.t.a: {type: int, point: p, limits: [{range: [9, 0]}]}\n", "range",
		 "/caps/x.t.a/limits/0/range", 7, 42},
		{JSON "  x.t.a: {type: int, select: [{for: [9, 0], point: p}]}\n", "range",
		 "/caps/x.t.a/select/0/for", 7, 32},
		{JSON "  x.t.a: {action: {p: n}, args: {n: {type: int, range: [2, 1]}}}\n", "range",
		 "/caps/x.t.a/args/n/range", 7, 49},
	};
	(void)state;
	each_must_refuse(rows, gw_countof(rows));
}

/* --- expressions --- */

static void expressions_that_cost(void **state)
{
	static const struct row rows[] = {
		{JSON "  x.t.a: {type: int, expr: \"--------------------1\"}\n", "expr",
		 "/caps/x.t.a/expr", 7, 28},
		{JSON
		 "  x.t.a: {type: int, expr: \"abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(1)))))))))))))))))\"}\n",
		 "expr", "/caps/x.t.a/expr", 7, 28},
		{JSON
		 "  x.t.a: {type: int, expr: \"p ? 1 : p ? 1 : p ? 1 : p ? 1 : p ? 1 : p ? 1 : p ? 1 : p ? 1 : p ? 1 : p ? 1 : p ? 1 : p ? 1 : p ? 1 : p ? 1 : p ? 1 : p ? 1 : p ? 1 : 2\"}\n",
		 "expr", "/caps/x.t.a/expr", 7, 28},
		{JSON "  x.t.a: {type: int, expr: \"x.t.a + 1\"}\n", "cycle", "/caps/x.t.a", 7, 10},
		{JSON "  x.t.a: {type: int, expr: x.t.b}\n  x.t.b: {type: int, expr: x.t.c}\n"
		      "  x.t.c: {type: int, point: p, avail: {x.t.a: 1}}\n",
		 "cycle", "/caps/x.t.a", 7, 10},
		{JSON "  x.t.a: {type: int, expr: \"1e999\"}\n", "expr", "/caps/x.t.a/expr", 7, 28},
		{JSON "  x.t.a: {type: int, expr: \"0x1fffffffffffffffff\"}\n", "expr",
		 "/caps/x.t.a/expr", 7, 28},
		{JSON "  x.t.a: {type: int, expr: \"9007199254740992\"}\n", "expr",
		 "/caps/x.t.a/expr", 7, 28},
		{JSON "  x.t.a: {type: int, const: 9007199254740992}\n", "syntax",
		 "/caps/x.t.a/const", 7, 29},
		{JSON "  x.t.a: {type: int, point: p, range: [0, 5], also: {q: \"p / 0 +\"}}\n",
		 "expr", "/caps/x.t.a/also/q", 7, 57},
		{JSON "  x.t.a: {type: int, point: p, range: [0, 5], mul: 0}\n", "schema",
		 "/caps/x.t.a/mul", 7, 47},
	};
	(void)state;
	each_must_refuse(rows, gw_countof(rows));
}

/* The language lets them pass (§12: null); they have no value, send nothing, and nothing else suffers. */
static void expressions_without_a_value(void **state)
{
	static const char profile[] =
		JSON "  x.t.zero: {type: int, expr: \"p / 0\"}\n"
		     "  x.t.huge: {type: int, expr: \"p * pow10(15) * pow10(15)\"}\n"
		     "  x.t.rest: {type: int, expr: \"p % (p - p)\"}\n"
		     "  x.t.go: {action: {q: \"1 / 0\"}}\n"
		     "  x.t.w: {type: int, range: [0, 9], expr: p, set: {p: \"v / (v - v)\"}}\n"
		     "  x.t.p: {type: int, point: p}\n";
	struct profile_case c;
	(void)state;
	case_open(&c, profile);
	assert_int_equal(case_receive(&c, "m", "{\"p\":5}"), 0);
	assert_string_equal(case_value(&c, "x.t.zero"), "null");
	assert_string_equal(case_value(&c, "x.t.huge"), "null");
	assert_string_equal(case_value(&c, "x.t.rest"), "null");
	assert_string_equal(case_value(&c, "x.t.p"), "5");
	assert_int_equal(case_write(&c, "x.t.w", "5"), -EINVAL);
	assert_int_equal(c.out.n_msgs, 0);
	case_close(&c);
}

/* --- channels that reach for other devices --- */

#define HOME "vars:\n  t: {identity: true}\n  u: {}\nmatch: [{mqtt: d/+}]\nmsgs:\n"

static void channels_that_leave_their_device(void **state)
{
	static const struct row rows[] = {
		{HOME "  m: {rx: \"home/#\"}\n", "containment", "/msgs/m/rx", 6, 7},
		{HOME "  m: {rx: \"x/{u}/s\"}\n", "containment", "/msgs/m/rx", 6, 7},
		{HOME "  m: {rx: [\"x/{t}\", \"+/set\"]}\n", "containment", "/msgs/m/rx/1", 6, 21},
		{HOME "  m: {tx: \"{t}/#\"}\n", "containment", "/msgs/m/tx", 6, 7},
		{HOME "  m: {rx: \"{t}/s\", tx: \"lock/open\"}\n", "containment", "/msgs/m/tx", 6,
		 20},
		{HOME "  m: {rx: \"{t}/s\"}\nlink: {adapter: mqtt}\nvariants:\n- if: {u: 1}\n"
		      "  msgs:\n    m: {tx: \"lock/open\"}\n",
		 "containment", "/variants/0", 9, 3},
		{"vars: {t: {default: \"a/b\"}}\nmatch: [{mqtt: d/+}]\nmsgs:\n  m: {rx: \"{t}/s\"}\n",
		 "containment", "/vars/t/default", 1, 12},
		{"vars: {t: {default: \"$SYS\"}}\nmatch: [{mqtt: d/+}]\nmsgs:\n  m: {rx: \"{t}/s\"}\n",
		 "containment", "/vars/t/default", 1, 12},
		{HOME "  m: {rx: \"{t}/s\", get: \"{t}/{lock}\"}\n", "ref", "/msgs/m/get", 6, 20},
		{"vars: {t: {}}\nmatch: [{mqtt: d/+}]\nrepeat:\n- for: {k: [a, b], n: [a, \"+\"]}\n  msgs:\n    \"m{k}\": {tx: \"{t}/{n}\"}\n",
		 "containment", "/msgs/mb/tx", 6, 14},
	};
	(void)state;
	each_must_refuse(rows, gw_countof(rows));
}

/* --- names that imitate others --- */

static void names_that_imitate_others(void **state)
{
	static const struct row rows[] = {
		/* a Cyrillic а, a blank behind, one before, a zero-width joiner, the other case, a full-width letter */
		{JSON "  switch.on: {point: p}\n  \"switch.\xd0\xben\": {point: q}\n", "cap",
		 "/caps/switch.\xd0\xben", 8, 16},
		{JSON "  switch.on: {point: p}\n  \"switch.on \": {point: q}\n", "cap",
		 "/caps/switch.on ", 8, 17},
		{JSON "  switch.on: {point: p}\n  Switch.on: {point: q}\n", "cap",
		 "/caps/Switch.on", 8, 14},
		{JSON "  \"x.t.a \": {type: int, point: p}\n", "cap", "/caps/x.t.a ", 7, 13},
		{JSON "  \"x.t.a\\0\": {type: int, point: p}\n", "cap", "/caps/x.t.a", 7, 14},
		{JSON "  \"x.t.\xd0\xb0\": {type: int, point: p}\n", "cap", "/caps/x.t.\xd0\xb0", 7,
		 12},
		{"points:\n  \"p \": {in: m#/a}\nmsgs: {m: {rx: s}}\n", "name", "/points/p ", 2, 3},
		{"msgs:\n  m: {rx: s}\n  \"m\xe2\x80\x8d\": {rx: t}\n", "name",
		 "/msgs/m\xe2\x80\x8d", 3, 3},
		{"vars:\n  t: {}\n  \"\xef\xbd\x94\": {}\n", "name", "/vars/\xef\xbd\x94", 3, 3},
		{"components:\n  \"main \": {}\n", "name", "/components/main ", 2, 3},
		{"components:\n  main: {}\n", "name", "/components/main", 2, 9},
		{"points:\n  p: {in: m#/a}\n  \"\\x70\": {in: m#/b}\n", "syntax", "/points/p", 3,
		 3},
		{"id: \"vendor.plug \"\n", "schema", "/id", 1, 1},
		{"id: vendor.pl\xd1\x83g\n", "schema", "/id", 1, 1},
		{"type: \"plug \"\n", "ref", "/type", 1, 1},
		{JSON
		 "  switch.on: {point: p}\nmoved: {\"switch.on \": main/switch.on, switch.on: switch.on}\n",
		 "name", "/moved/switch.on", 8, 50},
		{JSON "  switch.on: {point: \"p \"}\n", "schema", "/caps/switch.on/point", 7, 15},
		{"msgs: {m: {rx: s}}\npoints: {p: {in: \"m #/a\"}}\n", "ref", "/points/p/in", 2,
		 18},
		{"vars: {t: {}}\nmatch:\n- {miio_model: a, set: {\"t \": id}}\n", "ref",
		 "/match/0/set/t ", 3, 25},
	};
	(void)state;
	each_must_refuse(rows, gw_countof(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(profiles_that_extend_each_other),
		cmocka_unit_test(many_nodes),
		cmocka_unit_test(depth),
		cmocka_unit_test(bits_that_overlap),
		cmocka_unit_test(ranges_that_are_none),
		cmocka_unit_test(expressions_that_cost),
		cmocka_unit_test(expressions_without_a_value),
		cmocka_unit_test(channels_that_leave_their_device),
		cmocka_unit_test(names_that_imitate_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
