/* Forms, types and codecs beyond the conformance cases (profile-language §6, §8, §10), and what `explain` says of them. */
#include "gw_test.h"

#include <stdio.h>

#include "profile/plan.h"
#include "profile_case.h"

static void explain_names_rule_and_raws(void **state)
{
	struct profile_case c;
	(void)state;
	case_open(
		&c,
		"msgs: {m: {rx: s}, o: {rx: t}}\n"
		"points: {on: {in: m#/1}, md: {in: m#/4}, t: {in: m#/2, div: 10}, f: {in: m#/f}, z: {in: o#/z}}\n"
		"caps:\n"
		"  thermostat.mode: {table: [on, md], rows: [[false, any, off], [true, hot, heat], [true, cold, cool]]}\n"
		"  thermostat.current: {select: [{if: {on: true}, point: t}]}\n"
		"  fault.active: {point: f, flags: {0: sensor, 3: pump}}\n"
		"  x.t.e: {type: num, res: 0.5, expr: \"t * 2\"}\n"
		"  x.t.p: {type: int, parts: {t: 1, f: 0.5}, ro: true}\n"
		"  x.t.a: {type: int, point: t, avail: {md: hot}, ro: true}\n"
		"  x.t.z: {type: int, point: z, ro: true}\n");
	assert_int_equal(case_receive(&c, "m", "{\"1\":true,\"4\":\"cold\",\"2\":215,\"f\":9}"), 0);
	gw_buf_reset(&c.text);
	gw_binding_explain(c.b, 0, &c.text);
	assert_string_equal(c.text.p,
			    "thermostat.mode = cool  by table[on, md] row 2 [true, cold]\n"
			    "thermostat.current = 21.5  by select[0] by t = 215\n"
			    "fault.active = [\"sensor\",\"pump\"]  by flags of f = 9\n"
			    "x.t.e = 43  by expr with t = 215\n"
			    "x.t.p = 26  by parts t = 21.5, f = 9\n"
			    "x.t.a = unavailable\n");
	case_close(&c);
}

static void types_round_trip(void **state)
{
	static const struct {
		const char *as;
		double value;
		const char *bytes;
		const char *error; /* of value */
	} rows[] = {
		{"u8", 255, "ff", NULL},
		{"u8", 256, NULL, "range"},
		{"u8", 1.5, NULL, "value"},
		{"s8", -128, "80", NULL},
		{"s8", 128, NULL, "range"},
		{"u16be", 0x1234, "1234", NULL},
		{"u16le", 0x1234, "3412", NULL},
		{"s24be", -2, "fffffe", NULL},
		{"s24le", -2, "feffff", NULL},
		{"u32be.ws", 0x01020304, "03040102", NULL},
		{"u32le.ws", 0x01020304, "02010403", NULL},
		{"u48be", 281474976710655, "ffffffffffff", NULL},
		{"s64le", -1, "ffffffffffffffff", NULL},
		{"f32be", 21.5, "41ac0000", NULL},
		{"f64le", -0.5, "000000000000e0bf", NULL},
		{"bcd2", 1234, "1234", NULL},
		{"bcd2le", 1234, "3412", NULL},
		{"bcd1", 100, NULL, "range"},
	};
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		struct gw_as as;
		uint8_t bytes[8] = {0};
		assert_int_equal(gw_as_parse(gw_str(rows[i].as), &as), 0);
		const struct gw_raw raw = {.type = GW_RAW_NUMBER, .number = rows[i].value};
		const char *code = gw_as_write_bytes(&as, &raw, bytes, as.size);
		if (rows[i].error) {
			assert_string_equal(code, rows[i].error);
			continue;
		}
		GW_AUTO(gw_buf_fini) struct gw_buf hex = GW_BUF_INIT(64);
		GW_AUTO(gw_buf_fini) struct gw_buf scratch = GW_BUF_INIT(64);
		assert_null(code);
		gw_layer_encode(GW_DECODE_HEX, (struct gw_str){(char *)bytes, as.size}, &hex);
		assert_string_equal(hex.p, rows[i].bytes);
		struct gw_cooked back =
			gw_as_read_bytes(&as, (struct gw_str){(char *)bytes, as.size}, &scratch);
		assert_int_equal(back.type, GW_RAW_NUMBER);
		assert_true(back.number == rows[i].value);
	}
}

static void types_that_do_not_exist(void **state)
{
	static const char *const names[] = {
		"",	"u",   "u16",	 "u40be", "u8be",  "f16be",  "u16be.ws", "bcd7",
		"bcd0", "raw", "ascii:", "hex:0", "utf8x", "hex:14", "u32be.x",	 "int"};
	(void)state;
	for (size_t i = 0; i < gw_countof(names); i++) {
		struct gw_as as;
		assert_int_equal(gw_as_parse(gw_str(names[i]), &as), -EINVAL);
	}
}

static void texts_in_frames(void **state)
{
	struct profile_case c;
	static const char frame[] = "\x41\x20\x00\x00"
				    "\x00\xe4\xd8\x3d\xde\x00\x00\x00"
				    "\xff\x00";
	(void)state;
	case_open(
		&c,
		"msgs: {m: {rx: s, tx: c, codec: bytes, fill: '00 00 00 00 00 00 00 00 00 00 00 00 00 00'}}\n"
		"points: {a: {io: \"m@0\", as: \"ascii:4\", init: ''}, w: {io: \"m@4\", as: \"utf16be:8\", init: ''}, r: {in: \"m@12\", as: \"raw:2\"}, u: {in: \"m@12\", as: utf8}}\n"
		"caps: {x.t.a: {type: str, point: a}, x.t.w: {type: str, point: w}, x.t.r: {type: str, point: r, ro: true}, x.t.u: {type: str, point: u, ro: true}}");
	assert_int_equal(case_receive_at(&c, "m", (struct gw_str){frame, 14}, false), 0);
	assert_string_equal(case_value(&c, "x.t.a"),
			    "\"A\""); /* trailing spaces dropped, ends at zero */
	assert_string_equal(case_value(&c, "x.t.w"), "\"\xc3\xa4\xf0\x9f\x98\x80\"");
	assert_string_equal(case_value(&c, "x.t.r"), "\"ff00\"");
	assert_string_equal(case_value(&c, "x.t.u"), "null"); /* not UTF-8 */
	assert_int_equal(case_write(&c, "x.t.a", "\"\xc3\xa4\""), -EINVAL);
	assert_string_equal(c.refused.code, "value"); /* not ASCII */
	assert_int_equal(case_write(&c, "x.t.w", "\"\xf0\x9f\x98\x80\xc3\xa4\""), 0);
	assert_memory_equal(c.out.msgs[0].body.p + 4, "\xd8\x3d\xde\x00\x00\xe4\x00\x00", 8);
	case_close(&c);
}

static void scalars_in_texts(void **state)
{
	struct profile_case c;
	(void)state;
	case_open(
		&c,
		"msgs: {m: {rx: s, tx: c}}\n"
		"points: {h: {io: m#/h, as: hm}, x: {io: m#/x, as: hex}, n: {io: m#/n, as: num, frac: true}, t: {in: m#/t, as: text}}\n"
		"caps: {x.t.h: {type: int, point: h}, x.t.x: {type: int, point: x}, x.t.n: {type: num, res: 0.01, point: n}, x.t.t: {type: str, point: t, ro: true}}");
	assert_int_equal(
		case_receive(&c, "m",
			     "{\"h\":\"999:59\",\"x\":\"0xFF\",\"n\":\"-1.25\",\"t\":21.50}"),
		0);
	assert_string_equal(case_value(&c, "x.t.h"), "3599940");
	assert_string_equal(case_value(&c, "x.t.x"), "255");
	assert_string_equal(case_value(&c, "x.t.n"), "-1.25");
	assert_string_equal(case_value(&c, "x.t.t"), "\"21.5\"");
	assert_int_equal(
		case_receive(&c, "m", "{\"h\":\"12:30:10\",\"x\":\"fg\",\"n\":\"1.\",\"t\":true}"),
		0);
	assert_string_equal(case_value(&c, "x.t.h"), "null"); /* hm refuses seconds */
	assert_string_equal(case_value(&c, "x.t.x"), "null");
	assert_string_equal(case_value(&c, "x.t.n"), "null");
	assert_string_equal(case_value(&c, "x.t.t"), "\"true\"");
	assert_int_equal(case_write(&c, "x.t.h", "90"),
			 0); /* rounded to minutes: half away from zero */
	assert_string_equal(case_sent(&c), "m {\"h\":\"00:02\"}");
	assert_int_equal(case_write(&c, "x.t.h", "3600000"), -EINVAL);
	assert_string_equal(c.refused.code, "range");
	assert_int_equal(case_write(&c, "x.t.n", "0.5"), 0);
	assert_string_equal(case_sent(&c), "m {\"n\":\"0.5\"}");
	case_close(&c);
}

static void toggles_remember_their_wish(void **state)
{
	struct profile_case c;
	(void)state;
	case_open(
		&c,
		"msgs: {m: {rx: s}, t: {tx: c, codec: bytes, fill: 'A5 01'}}\npoints: {led: {in: m#/led}, oth: {in: m#/oth}}\n"
		"caps: {display.on: {expr: \"led != 7\", toggle: t}, x.t.o: {type: int, point: oth, ro: true}}");
	assert_int_equal(case_write(&c, "display.on", "false"), 0); /* null != 7 is true */
	assert_int_equal(c.out.n_msgs, 1);
	assert_int_equal(case_write(&c, "display.on", "false"), 0);
	assert_int_equal(c.out.n_msgs, 0);
	assert_int_equal(case_receive(&c, "m", "{\"oth\":1}"), 0); /* no point of it */
	assert_int_equal(case_write(&c, "display.on", "false"), 0);
	assert_int_equal(c.out.n_msgs, 0);
	assert_int_equal(case_receive(&c, "m", "{\"led\":1}"), 0);
	assert_int_equal(case_write(&c, "display.on", "false"), 0);
	assert_int_equal(c.out.n_msgs, 1);
	case_close(&c);
}

static void layers_write_what_they_read(void **state)
{
	struct profile_case c;
	(void)state;
	case_open(&c,
		  "msgs:\n  d: {rx: s, tx: c}\n  t: {from: d#/t, decode: utf16b64, codec: text}\n"
		  "  f: {from: d#/f, decode: base64, codec: bytes, fill: '01 00 00 ff'}\n"
		  "  g: {from: \"f@1\", len: 2, codec: bytes, fill: '00 00'}\n"
		  "points: {x: {io: \"t#\"}, y: {io: \"g@0\", as: u16be}}\n"
		  "caps: {x.t.x: {type: str, point: x}, x.t.y: {type: int, point: y}}");
	assert_int_equal(case_write(&c, "x.t.x", "\"Hi\""), 0);
	assert_string_equal(case_sent(&c), "d {\"t\":\"AEgAaQ==\"}");
	assert_int_equal(case_receive_at(&c, "d", c.out.msgs[0].body, false), 0);
	assert_string_equal(case_value(&c, "x.t.x"), "\"Hi\"");
	assert_int_equal(case_write(&c, "x.t.y", "258"), 0);
	assert_string_equal(case_sent(&c), "d {\"f\":\"AQEC/w==\"}"); /* 01 0102 ff */
	assert_int_equal(case_receive_at(&c, "d", c.out.msgs[0].body, false), 0);
	assert_string_equal(case_value(&c, "x.t.y"), "258");
	assert_int_equal(case_receive(&c, "d", "{\"f\":\"AQ\"}"),
			 0); /* too short: the point keeps its raw */
	assert_string_equal(case_value(&c, "x.t.y"), "258");
	case_close(&c);
}

static void base64_is_strict(void **state)
{
	static const struct {
		const char *text, *hex; /* NULL: malformed */
	} rows[] = {{"", ""},		{"AQ==", "01"}, {"AQ", "01"},	 {"AQI=", "0102"},
		    {"AQID", "010203"}, {"A", NULL},	{"AQ=", NULL},	 {"A Q", NULL},
		    {"AQ-_", NULL},	{"====", NULL}, {"AQ==\n", NULL}};
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(64);
		GW_AUTO(gw_buf_fini) struct gw_buf hex = GW_BUF_INIT(64);
		int r = gw_layer_decode(GW_DECODE_BASE64, gw_str(rows[i].text), &b);
		assert_int_equal(r, rows[i].hex ? 0 : -EINVAL);
		gw_layer_encode(GW_DECODE_HEX, gw_buf_str(&b), &hex);
		assert_true(!rows[i].hex || gw_str_is(gw_buf_str(&hex), rows[i].hex));
	}
}

static void tlv_writes_its_type(void **state)
{
	struct profile_case c;
	(void)state;
	case_open(&c, "msgs: {m: {rx: s, tx: c, codec: tlv, types: {32: u8, 33: u16le}}}\n"
		      "points: {a: {io: m#/1, as: u16le}, b: {io: m#/2}}\n"
		      "caps: {x.t.a: {type: int, point: a}, x.t.b: {type: int, point: b}}");
	assert_int_equal(case_write(&c, "x.t.a", "513"), 0);
	assert_memory_equal(c.out.msgs[0].body.p, "\x01\x21\x01\x02", 4);
	assert_int_equal(case_write(&c, "x.t.b", "7"), 0);
	assert_memory_equal(c.out.msgs[0].body.p, "\x02\x20\x07", 3);
	/* a repeated tag: the last counts; a truncated item ends the block */
	assert_int_equal(case_receive_at(&c, "m",
					 (struct gw_str){"\x02\x20\x01\x02\x20\x05\x01\x21\x01", 9},
					 false),
			 0);
	assert_string_equal(case_value(&c, "x.t.b"), "5");
	assert_string_equal(case_value(&c, "x.t.a"), "null");
	case_close(&c);
}

static void several_messages_have_an_order(void **state)
{
	struct profile_case c;
	(void)state;
	case_open(
		&c,
		"msgs: {a: {tx: a}, b: {tx: b}, t: {tx: t, codec: text, body: PING}}\n"
		"points: {x: {out: a#/x}, y: {out: b#/y, order: 1}, z: {out: a#/z}}\n"
		"caps: {identify.run: {send: [t, t], action: {x: 1, y: \"seconds + 1\", z: \"'on'\"}, args: {seconds: {type: int}}}}");
	struct gw_arena *a = gw_arena_new(4096);
	struct gw_node *args = gw_node_new(a, GW_NODE_MAP);
	assert_int_equal(gw_node_set(a, args, GW_STR("seconds"), gw_node_new_number(a, 4)), 0);
	assert_int_equal(gw_binding_act(c.b, GW_STR("identify.run"), args, 0, &c.out, &c.refused),
			 0);
	assert_string_equal(case_sent(&c), "t PING; t PING; b {\"y\":5}; a {\"x\":1,\"z\":\"on\"}");
	gw_outgoing_fini(&c.out);
	assert_int_equal(gw_binding_act(c.b, GW_STR("identify.run"), NULL, 0, &c.out, &c.refused),
			 -EINVAL);
	assert_string_equal(c.refused.code, "value"); /* a missing argument is null */
	gw_arena_free(a);
	case_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(explain_names_rule_and_raws),
		cmocka_unit_test(types_round_trip),
		cmocka_unit_test(types_that_do_not_exist),
		cmocka_unit_test(texts_in_frames),
		cmocka_unit_test(scalars_in_texts),
		cmocka_unit_test(toggles_remember_their_wish),
		cmocka_unit_test(layers_write_what_they_read),
		cmocka_unit_test(base64_is_strict),
		cmocka_unit_test(tlv_writes_its_type),
		cmocka_unit_test(several_messages_have_an_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
