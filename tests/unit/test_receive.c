/* Receiving (profile-language §6, §7): the scan, filters, layers, events, what is recomputed. */
#include "gw_test.h"

#include <errno.h>
#include <stdio.h>

#include "gw/limits.h"
#include "profile_case.h"

static const char plug[] =
	"msgs: {s: {rx: s}, w: {rx: w}}\n"
	"points:\n"
	"  on: {in: s#/POWER, map: {\"ON\": true, \"OFF\": false}}\n"
	"  p:  {in: [s#/E/P, w#/P]}\n"
	"  t:  {in: s#/E/T}\n"
	"  l1: {in: s#/L/1}\n"
	"caps:\n"
	"  switch.on: {point: on}\n"
	"  meter.power: {point: p, ro: true, res: 0.1}\n"
	"  x.t.text: {type: str, point: t, ro: true}\n"
	"  x.t.item: {type: int, point: l1, ro: true}\n"
	"  x.t.both: {type: bool, expr: \"on and p > 10\"}\n"
	"  x.t.level: {type: enum, table: [p], rows: [[0, idle]], else: busy, ro: true}\n"
	"  x.t.idle: {type: bool, expr: \"x.t.level == 'idle'\"}\n";

static void only_dependents_are_listed(void **state)
{
	struct profile_case c;
	(void)state;
	case_open(&c, plug);
	assert_int_equal(case_receive(&c, "s", "{\"POWER\":\"ON\",\"other\":[1,{\"POWER\":2}]}"),
			 0);
	assert_int_equal(c.received.n_caps, 2); /* switch.on, x.t.both */
	assert_int_equal(c.received.caps[0], 0);
	assert_int_equal(c.received.caps[1], 4);
	assert_string_equal(case_value(&c, "switch.on"), "true");
	assert_int_equal(case_quality(&c, "switch.on"), GW_QUALITY_OK);
	assert_int_equal(case_quality(&c, "meter.power"), GW_QUALITY_UNKNOWN);
	assert_int_equal(case_receive(&c, "w", "{\"P\":0}"), 0);
	assert_string_equal(case_value(&c, "x.t.level"), "\"idle\"");
	assert_string_equal(case_value(&c, "x.t.idle"),
			    "true"); /* after the capability that it names */
	assert_int_equal(case_receive(&c, "w", "{\"P\":11.04}"), 0);
	assert_string_equal(case_value(&c, "meter.power"), "11");
	assert_string_equal(case_value(&c, "x.t.both"), "true");
	assert_string_equal(case_value(&c, "x.t.idle"), "false");
	case_close(&c);
}

static void values_of_all_kinds(void **state)
{
	struct profile_case c;
	(void)state;
	case_open(&c, plug);
	assert_int_equal(
		case_receive(&c, "s",
			     " { \"E\" : { \"T\" : \"a\\u00e4\\n\\\"\" , \"P\" : -1.5e1 } } "),
		0);
	assert_string_equal(case_value(&c, "x.t.text"), "\"a\xc3\xa4\\n\\\"\"");
	assert_string_equal(case_value(&c, "meter.power"), "-15");
	assert_int_equal(case_receive(&c, "s", "{\"\\u0045\":{\"T\":null},\"L\":[7,8,9]}"),
			 0); /* an escaped key */
	assert_string_equal(case_value(&c, "x.t.text"), "null");
	assert_string_equal(case_value(&c, "x.t.item"), "8");
	assert_int_equal(case_receive(&c, "s", "{\"L\":{\"1\":5}}"), 0);
	assert_string_equal(case_value(&c, "x.t.item"), "5");
	assert_int_equal(case_receive(&c, "s", "{\"E\":{\"T\":{\"deep\":[1]}},\"L\":[]}"), 0);
	assert_string_equal(case_value(&c, "x.t.text"), "null"); /* a map is no text */
	assert_string_equal(case_value(&c, "x.t.item"), "5");
	assert_int_equal(case_receive(&c, "s", "[1,2]"), 0); /* nothing of ours */
	assert_int_equal(c.received.n_caps, 0);
	case_close(&c);
}

static void numbers_are_exact(void **state)
{
	static const struct {
		const char *body, *value;
	} rows[] = {
		{"{\"a\":0}", "0"},
		{"{\"a\":-0.0}", "0"},
		{"{\"a\":0.1}", "0.1"},
		{"{\"a\":123456.789012}", "123456.789012"},
		{"{\"a\":-0.000001}", "-0.000001"},
		{"{\"a\":1234567890123456}", "1234567890123456"},
		{"{\"a\":9007199254740992}", "null"},
		{"{\"a\":1e2}", "100"},
		{"{\"a\":1e400}", "null"},
		{"{\"a\":\"1\"}", "null"},
	};
	struct profile_case c;
	(void)state;
	case_open(
		&c,
		"msgs: {m: {rx: s}}\npoints: {p: {in: m#/a}}\n"
		"caps: {x.t.a: {type: num, res: 0.000001, point: p, ro: true}, x.t.b: {type: int, point: p, ro: true}}");
	for (size_t i = 0; i < gw_countof(rows); i++) {
		assert_int_equal(case_receive(&c, "m", rows[i].body), 0);
		if (strlen(rows[i].value) < 16) { /* beyond 2^53 counts of 10^-6 */
			assert_string_equal(case_value(&c, "x.t.a"), rows[i].value);
		} else {
			assert_string_equal(case_value(&c, "x.t.b"), rows[i].value);
		}
	}
	case_close(&c);
}

static void malformed_bodies_change_nothing(void **state)
{
	static const char *const bodies[] = {
		"",
		"{",
		"{\"POWER\":\"OFF\"",
		"{\"POWER\":\"OFF\"}}",
		"{\"POWER\":\"OFF\",\"POWER\":\"ON\"}", /* twice */
		"{\"POWER\":\"OFF\",\"x\":01}",
		"{\"POWER\":\"OFF\",\"x\":\"\xff\"}",
		"{\"POWER\":\"OFF\",\"x\":[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]}", /* deeper than GW_BODY_DEPTH */
		"{POWER:\"OFF\"}",
		"{\"\\ud800\":\"OFF\"}", /* half a surrogate pair is no key */
		"{\"L\":[1,2}",
		"{\"L\":[1,{\"a\"]}",
		"nope",
	};
	struct profile_case c;
	(void)state;
	case_open(&c, plug);
	assert_int_equal(case_receive(&c, "s", "{\"POWER\":\"ON\"}"), 0);
	for (size_t i = 0; i < gw_countof(bodies); i++) {
		assert_int_equal(case_receive(&c, "s", bodies[i]), -EBADMSG);
		assert_string_equal(case_value(&c, "switch.on"), "true");
	}
	char *large = gw_alloc0(1, GW_BODY_BYTES + 2);
	memset(large, ' ', GW_BODY_BYTES + 1);
	assert_int_equal(case_receive(&c, "s", large), -EBADMSG);
	gw_free(large);
	case_close(&c);
}

static void nothing_is_allocated_per_message(void **state)
{
	static const char *const bodies[] = {"{\"POWER\":\"ON\",\"E\":{\"P\":1}}",
					     "{\"POWER\":\"OFF\",\"E\":{\"P\":0}}"};
	struct profile_case c;
	(void)state;
	case_open(&c, plug);
	assert_int_equal(case_receive(&c, "s", bodies[0]), 0);
	uint64_t before = gw_alloc_count();
	for (size_t i = 0; i < 100; i++) {
		assert_int_equal(case_receive(&c, "s", bodies[i % 2]), 0);
	}
	assert_int_equal(gw_alloc_count(), before);
	assert_string_equal(case_value(&c, "switch.on"), "false");
	assert_true(gw_binding_bytes(c.b) < 1536);
	case_close(&c);
}

static void retained_raises_no_event(void **state)
{
	struct profile_case c;
	(void)state;
	case_open(
		&c,
		"msgs: {m: {rx: s}}\npoints: {k: {in: m#/k}}\n"
		"caps: {button.press: {event: {point: k}}, x.t.k: {type: str, point: k, ro: true}}");
	assert_int_equal(case_receive_at(&c, "m", GW_STR("{\"k\":\"press\"}"), true), 0);
	assert_int_equal(c.received.n_events, 0);
	assert_string_equal(case_value(&c, "x.t.k"), "\"press\"");
	assert_int_equal(case_receive(&c, "m", "{\"k\":\"long\"}"), 0);
	assert_int_equal(c.received.n_events, 1);
	assert_string_equal(c.received.events[0].value.text->s, "long");
	assert_int_equal(case_receive(&c, "m", "{\"k\":\"no symbol\"}"), 0);
	assert_int_equal(c.received.n_events, 0);
	case_close(&c);
}

static void events_without_a_type_keep_their_datum(void **state)
{
	struct profile_case c;
	(void)state;
	case_open(
		&c,
		"msgs: {m: {rx: s}}\npoints: {k: {in: m#/k}}\ncaps: {doorbell.ring: {event: {point: k}}}");
	assert_int_equal(case_receive(&c, "m", "{\"k\":3.5}"), 0);
	assert_int_equal(c.received.n_events, 1);
	gw_value_write_json(&c.text, &c.received.events[0].value,
			    gw_plan_cap(c.plan, 0)->domain.res);
	assert_string_equal(c.text.p, "3.5");
	assert_int_equal(case_receive(&c, "m", "{\"k\":true}"), 0);
	assert_int_equal(c.received.events[0].value.type, GW_VALUE_BOOL);
	assert_int_equal(case_receive(&c, "m", "{\"k\":null}"), 0);
	assert_int_equal(c.received.n_events, 0);
	case_close(&c);
}

static void presence_and_dedup(void **state)
{
	struct profile_case c;
	(void)state;
	case_open(
		&c,
		"link: {presence: {point: up, is: true}, dedup: n}\n"
		"msgs: {m: {rx: s}, l: {rx: t, codec: text}}\n"
		"points: {n: {in: m#/n}, val: {in: m#/v}, up: {in: l#, map: {Online: true, Offline: false}}}\n"
		"caps: {x.t.v: {type: int, point: val, ro: true}}");
	assert_int_equal(case_receive(&c, "l", "Online"), 0);
	assert_int_equal(c.received.presence, 1);
	assert_int_equal(case_receive(&c, "l", "Offline"), 0);
	assert_int_equal(c.received.presence, 0);
	assert_int_equal(case_receive(&c, "l", "maybe"), 0);
	assert_int_equal(c.received.presence, -1);
	assert_int_equal(case_receive(&c, "m", "{\"n\":1,\"v\":1}"), 0);
	assert_false(c.received.ignored);
	assert_int_equal(c.received.presence, -1);
	assert_int_equal(case_receive(&c, "m", "{\"n\":1,\"v\":2}"), 0);
	assert_true(c.received.ignored);
	assert_string_equal(case_value(&c, "x.t.v"), "1");
	assert_int_equal(case_receive(&c, "m", "{\"n\":2,\"v\":2}"), 0);
	assert_string_equal(case_value(&c, "x.t.v"), "2");
	case_close(&c);
}

static void cbor_is_the_same_tree(void **state)
{
	struct profile_case c;
	/* {"t": 21.5, 7: h'0AFF', "l": [1, {"v": -3}], "u": null} */
	static const char body[] =
		"\xa4\x61t\xf9\x4d\x60\x07\x42\x0a\xff\x61l\x82\x01\xa1\x61v\x22\x61u\xf6";
	(void)state;
	case_open(
		&c,
		"msgs: {m: {rx: s, tx: c, codec: cbor, mode: rmw}}\n"
		"points: {t: {io: m#/t, frac: true}, h: {in: m#/7}, val: {in: m#/l/1/v}}\n"
		"caps: {x.t.t: {type: num, res: 0.1, point: t}, x.t.h: {type: str, point: h, ro: true},\n"
		"  x.t.v: {type: int, point: val, ro: true}}");
	assert_int_equal(case_receive_at(&c, "m", (struct gw_str){body, sizeof(body) - 1}, false),
			 0);
	assert_string_equal(case_value(&c, "x.t.t"), "21.5");
	assert_string_equal(case_value(&c, "x.t.h"), "\"0aff\"");
	assert_string_equal(case_value(&c, "x.t.v"), "-3");
	for (size_t len = 0; len < sizeof(body) - 1; len++) { /* every truncation is malformed */
		assert_int_equal(case_receive_at(&c, "m", (struct gw_str){body, len}, false),
				 -EBADMSG);
	}
	assert_int_equal(case_write(&c, "x.t.t", "22"), 0);
	assert_int_equal(case_receive_at(&c, "m", c.out.msgs[0].body, false),
			 0); /* what it sends, it reads */
	assert_string_equal(case_value(&c, "x.t.t"), "22");
	assert_string_equal(case_value(&c, "x.t.v"), "-3");
	case_close(&c);
}

/* A frame too short for a point says nothing about it; one that is longer than asked for is read as far as it goes (§7). */
static void frames_of_any_length(void **state)
{
	static const struct {
		const char *hex, *word, *bit, *text, *layer;
	} rows[] = {
		{"", "null", "null", "null", "null"},
		{"01", "null", "null", "null", "null"},
		{"0102", "258", "null", "null", "null"},
		{"010203", "258", "1", "null", "null"},
		{"010204", "258", "0", "null", "null"},
		{"01020341", "258", "1", "\"A\"", "null"},
		{"0102034142", "258", "1", "\"AB\"", "66"},
		{"010203410007", "258", "1", "\"A\"", "0"},
	};
	struct profile_case c;
	(void)state;
	case_open(
		&c,
		"msgs: {m: {rx: s, codec: bytes}, l: {from: \"m@4\", len: 1, codec: bytes}}\n"
		"points: {w: {in: \"m@0\", as: u16be}, b: {in: \"m@2.0\"}, t: {in: \"m@3\", as: ascii}, "
		"l: {in: \"l@0\"}, o: {in: \"m%258\"}}\n"
		"caps: {x.t.w: {type: int, point: w, ro: true}, "
		"x.t.b: {type: int, point: b, ro: true}, "
		"x.t.t: {type: str, point: t, ro: true}, x.t.l: {type: int, point: l, ro: true}, "
		"x.t.o: {type: int, point: o, ro: true}}");
	for (size_t i = 0; i < gw_countof(rows); i++) {
		gw_binding_reset(c.b);
		assert_int_equal(case_receive_hex(&c, "m", rows[i].hex), 0);
		assert_string_equal(case_value(&c, "x.t.w"), rows[i].word);
		assert_string_equal(case_value(&c, "x.t.b"), rows[i].bit);
		assert_string_equal(case_value(&c, "x.t.t"), rows[i].text);
		assert_string_equal(case_value(&c, "x.t.l"), rows[i].layer);
		assert_string_equal(case_value(&c, "x.t.o"), "null"); /* options are beside it */
	}
	case_close(&c);
}

static void blocks_of_any_length(void **state)
{
	static const struct {
		const char *hex, *word, *plain, *layer;
	} rows[] = {
		{"", "null", "null", "null"},
		{"01", "null", "null", "null"},
		{"0102", "null", "null", "null"},   /* a head without its value */
		{"010201", "null", "null", "null"}, /* half a value */
		{"01020102", "258", "null", "null"},
		{"010101", "null", "null", "null"},		   /* shorter than its type */
		{"0103010203", "258", "null", "null"},		   /* longer: what the type needs */
		{"02020102", "null", "258", "null"},		   /* without a type: unsigned */
		{"020701020304050607", "null", "null", "null"},	   /* a text by then */
		{"ff0105", "null", "null", "null"},		   /* nobody's tag */
		{"030107 010201", "null", "null", "7"},		   /* what was read before counts */
		{"0300 01020102 01020103", "259", "null", "null"}, /* the last of two */
	};
	struct profile_case c;
	(void)state;
	case_open(
		&c,
		"msgs: {m: {rx: s, codec: tlv}, l: {from: m#/3, codec: bytes}}\n"
		"points: {w: {in: m#/1, as: u16be}, p: {in: m#/2}, l: {in: \"l@0\"}}\n"
		"caps: {x.t.w: {type: int, point: w, ro: true}, x.t.p: {type: int, point: p, ro: true}, "
		"x.t.l: {type: int, point: l, ro: true}}");
	for (size_t i = 0; i < gw_countof(rows); i++) {
		gw_binding_reset(c.b);
		assert_int_equal(case_receive_hex(&c, "m", rows[i].hex), 0);
		assert_string_equal(case_value(&c, "x.t.w"), rows[i].word);
		assert_string_equal(case_value(&c, "x.t.p"), rows[i].plain);
		assert_string_equal(case_value(&c, "x.t.l"), rows[i].layer);
	}
	case_close(&c);
}

static void texts_have_limits(void **state)
{
	static char longest[GW_BODY_TEXT_BYTES + 1];
	struct profile_case c;
	(void)state;
	case_open(&c, "msgs: {m: {rx: s, codec: text}}\npoints: {t: {in: m#}, o: {in: \"m%1\"}}\n"
		      "caps: {x.t.t: {type: str, point: t, ro: true}}");
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(
		case_receive_at(&c, "m", (struct gw_str){longest, sizeof(longest) - 1}, false), 0);
	assert_int_equal(strlen(case_value(&c, "x.t.t")), GW_BODY_TEXT_BYTES + 2);
	assert_int_equal(case_receive(&c, "m", ""), 0);
	assert_string_equal(case_value(&c, "x.t.t"), "\"\"");
	assert_int_equal(case_receive_at(&c, "m", (struct gw_str){longest, sizeof(longest)}, false),
			 -EBADMSG);
	assert_int_equal(case_receive(&c, "m", "a\xc3"), -EBADMSG);
	assert_string_equal(case_value(&c, "x.t.t"), "\"\"");
	case_close(&c);
}

/* A body scanned as text and the same body as a tree give the same, whatever stands in it. */
static void selectors_scan_like_trees(void **state)
{
	static const struct {
		const char *body, *a, *b, *c, *d;
	} rows[] = {
		{"{\"e\":[{\"n\":\"1\",\"v\":5},{\"n\":\"2\",\"v\":6},{\"n\":\"1\",\"v\":7}]}", "5",
		 "6", "null", "null"},
		{"{\"e\":[{\"v\":5,\"n\":1},{\"v\":6,\"n\":2.0}]}", "5", "6", "null",
		 "null"}, /* numbers by text form */
		{"{\"e\":[{\"v\":5,\"n\":\"\\u0031\"},[],7,null,{\"n\":{\"n\":\"2\"}}]}", "5",
		 "null", "null", "null"},
		{"{\"e\":[{\"n\":true,\"v\":1},{\"n\":null}]}", "null", "null", "null", "null"},
		{"{\"g\":[[0,9103,1],[0,3101,21,[8,9]]]}", "null", "null", "21", "9"},
		{"{\"g\":[{\"1\":3101,\"2\":4}]}", "null", "null", "4",
		 "null"}, /* a map with decimal keys */
		{"{\"e\":{\"n\":\"1\",\"v\":5},\"g\":3}", "null", "null", "null", "null"},
		{"{\"e\":[{\"n\":\"1\"},{\"n\":\"1\",\"v\":5}]}", "null", "null", "null",
		 "null"}, /* the first counts */
	};
	const struct gw_node_limits limits = {.max_bytes = 4096, .max_depth = 16};
	struct profile_case c;
	(void)state;
	case_open(
		&c,
		"msgs: {m: {rx: s}}\n"
		"points: {a: {in: \"m#/e/[n=1]/v\"}, b: {in: \"m#/e/[n=2]/v\"}, c: {in: \"m#/g/[1=3101]/2\"}, d: {in: \"m#/g/[1=3101]/3/1\"}, e: {in: m#/g/1/1}}\n"
		"caps: {x.t.a: {type: int, point: a, ro: true}, x.t.b: {type: int, point: b, ro: true}, x.t.c: {type: int, point: c, ro: true}, x.t.d: {type: int, point: d, ro: true}, x.t.e: {type: int, point: e, ro: true}}");
	for (size_t i = 0; i < gw_countof(rows) * 2; i++) {
		const char *body = rows[i / 2].body;
		const char *const values[] = {rows[i / 2].a, rows[i / 2].b, rows[i / 2].c,
					      rows[i / 2].d};
		struct gw_arena *a = gw_arena_new(65536);
		struct gw_node *tree = NULL;
		assert_int_equal(gw_node_parse_json(a, gw_str(body), &limits, &tree, NULL), 0);
		const struct gw_body given = {.bytes = gw_str(i % 2 ? "" : body),
					      .tree = i % 2 ? tree : NULL};
		gw_binding_reset(c.b);
		for (size_t len = 0; len < given.bytes.len; len++) { /* cut, it is no body */
			assert_int_equal(
				case_receive_at(&c, "m", gw_str_sub(gw_str(body), 0, len), false),
				-EBADMSG);
		}
		gw_binding_reset(c.b);
		assert_int_equal(gw_binding_receive(c.b, 0, &given, false, 0, &c.received), 0);
		for (size_t k = 0; k < gw_countof(values); k++) {
			char address[] = "x.t.a";
			address[4] = (char)('a' + k);
			assert_string_equal(case_value(&c, address), values[k]);
		}
		assert_string_equal(case_value(&c, "x.t.e"), i / 2 == 4 ? "3101" : "null");
		gw_arena_free(a);
	}
	case_close(&c);
}

/* [k=v] compares text forms, whatever the body holds there. */
static void selectors_know_every_scalar(void **state)
{
	static const struct {
		const char *selector, *member, *value;
	} rows[] = {
		{"true", "true", "5"},
		{"true", "\"true\"", "5"},
		{"true", "false", "null"},
		{"false", "false", "5"},
		{"false", "null", "null"},
		{"null", "null", "5"},
		{"null", "\"\"", "null"},
		{"1.5", "1.50", "5"},
		{"1.5", "15e-1", "5"},
		{"1.5", "\"1.5\"", "5"},
		{"1.5", "\"1.50\"", "null"},
		{"1.50", "1.50", "null"},
		{"2", "1", "null"},
		{"", "\"\"", "5"},
		{"", "null", "null"},
		{"a/b", "\"a\\/b\"", "5"},
		{"a", "\"\\u0061\"", "5"},
		{"a", "[\"a\"]", "null"},
		{"a", "{\"a\":\"a\"}", "null"},
		{"a", "\"\\ud800\"", "null"}, /* half a surrogate pair is no text */
	};
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		struct profile_case c;
		char text[256];
		snprintf(text, sizeof(text),
			 "msgs: {m: {rx: s}}\npoints: {p: {in: \"m#/e/[n=%s]/v\"}}\n"
			 "caps: {x.t.p: {type: int, point: p, ro: true}}",
			 rows[i].selector);
		case_open(&c, text);
		snprintf(text, sizeof(text), "{\"e\":[{\"v\":5,\"n\":%s}]}", rows[i].member);
		assert_int_equal(case_receive(&c, "m", text), 0);
		if (strcmp(case_value(&c, "x.t.p"), rows[i].value) != 0) {
			fail_msg("[n=%s] in %s gives %s", rows[i].selector, text, c.text.p);
		}
		case_close(&c);
	}
}

/* A layer of a tree codec reads the map that its parent carries, and a text that it parses itself. */
static void layers_of_trees(void **state)
{
	static const struct {
		const char *codec, *body, *value;
	} rows[] = {
		{"json", "{\"f\":{\"a\":1}}", "1"},
		{"json", "{\"f\":\"{\\\"a\\\":1}\"}", "1"},
		{"json", "{\"f\":\"{\"}", "null"},
		{"cbor", "{\"f\":{\"a\":1}}", "1"},
		{"cbor", "{\"f\":\"a\"}", "null"},
		{"form", "{\"f\":{\"a\":1}}", "1"},
		{"form", "{\"f\":[1]}", "null"},
		{"form", "{\"f\":5}", "null"},
		{"form", "{\"f\":null}", "null"},
		{"form", "{}", "null"},
		{"text", "{\"f\":{\"a\":1}}", "null"},
		{"bytes", "{\"f\":{\"a\":1}}", "null"},
		{"cbor, decode: hex", "{\"f\":\"a1616101\"}", "1"},
		{"cbor, decode: hex", "{\"f\":\"A1 61 61 01\"}", "1"},
		{"cbor, decode: hex", "{\"f\":\"a16161\"}", "null"},
		{"cbor, decode: hex", "{\"f\":\"a161610\"}", "null"},
		{"cbor, decode: hex", "{\"f\":\"a16161g1\"}", "null"},
		{"cbor, decode: hex", "{\"f\":\"a16161:1\"}", "null"},
		{"cbor, decode: hex", "{\"f\":\"a16161-1\"}", "null"},
		{"cbor, decode: base64", "{\"f\":\"oWFhAQ==\"}", "1"},
		{"cbor, decode: base64", "{\"f\":\"oWFhAQ=\"}", "null"},
		{"cbor, decode: base64", "{\"f\":\"oWFh\\u0000Q==\"}", "null"},
		{"json, decode: utf16b64", "{\"f\":\"AHsAIgBhACIAOgAxAH0=\"}", "1"},
		{"json, decode: utf16b64", "{\"f\":\"AHs*\"}", "null"},
		{"json, decode: utf16b64", "{\"f\":\"2AA=\"}", "null"}, /* half a pair */
	};
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		struct profile_case c;
		char yaml[256];
		bool tree = rows[i].codec[0] != 't' && rows[i].codec[0] != 'b';
		snprintf(
			yaml, sizeof(yaml),
			"msgs: {m: {rx: s}, f: {from: m#/f, codec: %s}}\npoints: {p: {in: \"%s\", as: %s}}\n"
			"caps: {x.t.p: {type: int, point: p, ro: true}}",
			rows[i].codec,
			tree			  ? "f#/a"
			: rows[i].codec[0] == 't' ? "f#"
						  : "f@0",
			rows[i].codec[0] == 'b' ? "u8" : "num");
		case_open(&c, yaml);
		assert_int_equal(case_receive(&c, "m", rows[i].body), 0);
		if (strcmp(case_value(&c, "x.t.p"), rows[i].value) != 0) {
			fail_msg("%s of %s gives %s", rows[i].codec, rows[i].body, c.text.p);
		}
		case_close(&c);
	}
}

/* References that §7 does not know, each with its neighbour that it does. */
static void references_refused(void **state)
{
	static const struct {
		const char *point, *code, *part; /* code NULL: accepted */
	} rows[] = {
		{"{in: j}", "ref", "is no reference"},
		{"{in: ''}", "ref", "is no reference"},
		{"{in: \"#/a\"}", "ref", "is no reference"},
		{"{in: 5}", "schema", "expected"},
		{"{in: [5]}", "schema", "expected"},
		{"{in: \"k#/a\"}", "ref", "k"},
		{"{in: \"j#\"}", NULL, NULL},
		{"{in: \"j#/\"}", NULL, NULL},
		{"{in: \"j#a\"}", "ref", "malformed"},
		{"{in: \"j#/a~0~1\"}", NULL, NULL},
		{"{in: \"j#/a~\"}", "ref", "malformed"},
		{"{in: \"j#/a~2\"}", "ref", "malformed"},
		{"{in: \"j#/[n=1]\"}", NULL, NULL},
		{"{in: \"j#/[n=1]/v\"}", NULL, NULL},
		{"{in: \"j#/[n=a/b]/v\"}", NULL, NULL},
		{"{in: \"j#/[n=1\"}", "ref", "malformed"},
		{"{in: \"j#/[n=1]v\"}", "ref", "malformed"},
		{"{in: \"j#/[n]\"}", "ref", "malformed"},
		{"{in: \"j#/[=1]\"}", "ref", "malformed"},
		{"{in: \"j#/[]\"}", "ref", "malformed"},
		{"{in: \"j@1\"}", "ref", "msg#/pointer"},
		{"{in: \"j%258\"}", NULL, NULL},
		{"{in: \"j%\"}", "ref", "malformed"},
		{"{in: \"j%x\"}", "ref", "malformed"},
		{"{out: \"j%258\"}", "ref", "read only"},
		{"{out: \"j#/a\"}", NULL, NULL},
		{"{out: \"j#/[n:1]/v\"}", NULL, NULL},
		{"{out: \"j#/[1=1]/v\"}", "ref", "by position"},
		{"{in: \"j#/[1=1]/v\"}", NULL, NULL},
		{"{out: \"i#/a\"}", "access", "cannot be sent"},
		{"{in: \"i#/a\"}", NULL, NULL},
		{"{in: \"b@0\"}", NULL, NULL},
		{"{in: \"b@999999999\"}", NULL, NULL},
		{"{in: \"b@1234567890\"}", "ref", "malformed"},
		{"{in: \"b@01\"}", "ref", "malformed"},
		{"{in: \"b@-1\"}", "ref", "malformed"},
		{"{in: \"b@\"}", "ref", "malformed"},
		{"{in: \"b@x\"}", "ref", "malformed"},
		{"{in: \"b@0.7\"}", NULL, NULL},
		{"{in: \"b@0.8\"}", "ref", "malformed"},
		{"{in: \"b@0.\"}", "ref", "malformed"},
		{"{in: \"b@0.0:8\"}", NULL, NULL},
		{"{in: \"b@0.0:0\"}", "ref", "malformed"},
		{"{in: \"b@0.0:9\"}", "ref", "malformed"},
		{"{in: \"b@0.7:2\"}", "ref", "malformed"},
		{"{in: \"b@0.6:2\"}", NULL, NULL},
		{"{in: \"b#/a\"}", "ref", "msg@12"},
		{"{in: \"t#\"}", NULL, NULL},
		{"{in: \"t#/a\"}", "ref", "one scalar"},
		{"{in: \"v#/255\"}", NULL, NULL},
		{"{in: \"v#/256\"}", "ref", "a tag"},
		{"{in: \"v#/a\"}", "ref", "a tag"},
		{"{in: \"v#\"}", "ref", "a tag"},
		{"{in: \"v#/1/2\"}", "ref", "a tag"},
		/* two that write the same place */
		{"{out: [\"j#/a\", \"j#/b\"]}", NULL, NULL},
		{"{out: [\"j#/a\", \"j#/a\"]}", "overlap", ""},
		{"{out: [\"j#/a\", \"j#/a/b\"]}", "overlap", ""},
		{"{out: [\"j#/[n=1]/v\", \"j#/[n=2]/v\"]}", NULL, NULL},
		{"{out: [\"j#/[n=1]/v\", \"j#/[m=1]/v\"]}", NULL, NULL},
		{"{out: [\"j#/[n=1]/v\", \"j#/n/v\"]}", NULL, NULL},
		{"{out: [\"j#/[n=1]/v\", \"j#/[n:1]/v\"]}", "overlap", ""},
		{"{out: [\"b@0.0:4\", \"b@0.4:4\"]}", NULL, NULL},
		{"{out: [\"b@0.0:4\", \"b@0.3\"]}", "overlap", ""},
		{"{out: [\"b@1\", \"b@0\"]}", NULL, NULL},
		{"{out: [\"b@1\", \"b@1.7\"]}", "overlap", ""},
		{"{out: [\"b@1\", \"j#/a\"]}", NULL, NULL},
	};
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		struct profile_case c;
		struct gw_error e = {0};
		GW_AUTO(gw_buf_fini) struct gw_buf yaml = GW_BUF_INIT(4096);
		gw_buf_printf(
			&yaml,
			"msgs: {j: {rx: s, tx: c}, i: {rx: t}, b: {rx: u, tx: d, codec: bytes, fill: '00 00'}, "
			"t: {rx: w, codec: text}, v: {rx: x, codec: tlv}}\npoints: {p: %s}\n",
			rows[i].point);
		int r = case_load(&c, yaml.p, &e);
		const char *code = r < 0 ? e.code : "";
		if (strcmp(code, rows[i].code ? rows[i].code : "") != 0 ||
		    (rows[i].code && !strstr(e.text, rows[i].part))) {
			fail_msg("%s: %s at %s, %s", rows[i].point, code, e.at, e.text);
		}
		case_close(&c);
	}
}

static void unavailable_has_no_value(void **state)
{
	struct profile_case c;
	(void)state;
	case_open(&c, "msgs: {m: {rx: s}}\npoints: {f: {in: m#/f}, val: {in: m#/v}}\n"
		      "caps: {x.t.v: {type: int, avail: {f: true}, point: val, ro: true}}");
	assert_int_equal(case_quality(&c, "x.t.v"), GW_QUALITY_UNAVAILABLE);
	assert_int_equal(case_receive(&c, "m", "{\"f\":true,\"v\":3}"), 0);
	assert_int_equal(case_quality(&c, "x.t.v"), GW_QUALITY_OK);
	assert_int_equal(case_receive(&c, "m", "{\"f\":false}"), 0);
	assert_int_equal(case_quality(&c, "x.t.v"), GW_QUALITY_UNAVAILABLE);
	assert_string_equal(case_value(&c, "x.t.v"), "null");
	gw_binding_reset(c.b);
	assert_int_equal(case_quality(&c, "x.t.v"), GW_QUALITY_UNAVAILABLE);
	case_close(&c);
}

/* Every allocation of loading, binding, receiving and writing fails once: no crash, no leak, an error. */
static void out_of_memory(void **state)
{
	static const char body[] =
		"{\"POWER\":\"ON\",\"E\":{\"T\":\"a text of its own\",\"P\":[1]}}";
	(void)state;
	for (uint64_t n = 1;; n++) {
		struct profile_case c = {.text = GW_BUF_INIT(65536)};
		struct gw_error e = {0};
		const struct gw_vars vars = {0};
		struct gw_body received = {.bytes = GW_STR(body)};
		gw_alloc_fail_at(n);
		int r = gw_library_new(NULL, 0, &c.library);
		r = r < 0 ? r
			  : gw_profile_load_text(c.library, gw_str(plug), "case", GW_PROFILE_LAX,
						 &c.profile, &e);
		r = r < 0 ? r : gw_plan_get(c.profile, &vars, &c.plan, &e);
		r = r < 0 ? r : gw_binding_new(c.plan, &vars, &c.b, &e);
		r = r < 0 ? r : gw_binding_receive(c.b, 0, &received, false, 0, &c.received);
		gw_alloc_fail_at(0);
		case_close(&c);
		if (r == 0) {
			assert_true(n > 50);
			break;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_dependents_are_listed),
		cmocka_unit_test(values_of_all_kinds),
		cmocka_unit_test(numbers_are_exact),
		cmocka_unit_test(malformed_bodies_change_nothing),
		cmocka_unit_test(nothing_is_allocated_per_message),
		cmocka_unit_test(retained_raises_no_event),
		cmocka_unit_test(events_without_a_type_keep_their_datum),
		cmocka_unit_test(presence_and_dedup),
		cmocka_unit_test(cbor_is_the_same_tree),
		cmocka_unit_test(frames_of_any_length),
		cmocka_unit_test(blocks_of_any_length),
		cmocka_unit_test(texts_have_limits),
		cmocka_unit_test(selectors_scan_like_trees),
		cmocka_unit_test(selectors_know_every_scalar),
		cmocka_unit_test(layers_of_trees),
		cmocka_unit_test(references_refused),
		cmocka_unit_test(unavailable_has_no_value),
		cmocka_unit_test(out_of_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
