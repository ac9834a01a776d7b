/* Forms, types and codecs beyond the conformance cases (profile-language §6, §8, §10), and what `explain` says of them. */
#include "gw_test.h"

#include <stdio.h>

#include "gw/limits.h"
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

/* --- the codecs, each against its specification --- */

/* A body as hex pairs; "00*5" repeats what stands before the star. */
static void hex_body(const char *hex, struct gw_buf *ret)
{
	struct gw_str rest = gw_str(hex), word;
	while (gw_str_split(&rest, ' ', &word)) {
		struct gw_str pairs = word;
		uint64_t times = 1;
		const char *star = memchr(word.p, '*', word.len);
		if (star) {
			pairs.len = (size_t)(star - word.p);
			assert_int_equal(
				gw_parse_u64(gw_str_sub(word, pairs.len + 1, word.len), &times), 0);
		}
		while (times-- > 0) {
			assert_int_equal(gw_hex_decode(pairs, ret), 0);
		}
	}
	assert_int_equal(gw_buf_error(ret), 0);
}

static int parse_body(const struct gw_codec_ops *codec, struct gw_str body, struct gw_buf *ret_json)
{
	struct gw_arena *a = gw_arena_new(GW_TREE_BYTES);
	struct gw_node *tree = NULL;
	assert_non_null(a);
	int r = codec->parse(a, body, &tree);
	assert_true((r == 0) == (tree != NULL));
	if (r == 0) {
		gw_node_write(ret_json, tree, /* source_order= */ true);
	}
	gw_arena_free(a);
	return r;
}

static int print_body(const struct gw_codec_ops *codec, const char *json, struct gw_buf *ret)
{
	const struct gw_node_limits limits = {
		.max_bytes = 65536, .max_depth = 24, .max_nodes = 100, .max_text_bytes = 65536};
	struct gw_arena *a = gw_arena_new(GW_TREE_BYTES);
	struct gw_node *tree = NULL;
	assert_int_equal(gw_node_parse_json(a, gw_str(json), &limits, &tree, NULL), 0);
	int r = codec->print(tree, ret);
	gw_arena_free(a);
	return r;
}

static void cbor_is_read_as_rfc8949_says(void **state)
{
	static const struct {
		const char *hex, *json;
	} rows[] = {
		/* appendix A: numbers */
		{"00", "0"},
		{"17", "23"},
		{"1818", "24"},
		{"1903e8", "1000"},
		{"1a000f4240", "1000000"},
		{"1b000000e8d4a51000", "1000000000000"},
		{"1bffffffffffffffff", "null"}, /* beyond 2^53 we know no number */
		{"20", "-1"},
		{"3903e7", "-1000"},
		{"3bffffffffffffffff", "null"},
		{"f90000", "0"},
		{"f98000", "0"},
		{"f93c00", "1"},
		{"f93e00", "1.5"},
		{"f97bff", "65504"},
		{"f90400", "0.00006103515625"},
		{"f90001", "5.960464477539063e-8"}, /* subnormal */
		{"f9c400", "-4"},
		{"f97c00", "null"}, /* infinity, not a number */
		{"f9fc00", "null"},
		{"f97e00", "null"},
		{"fa47c35000", "100000"},
		{"fac0600000", "-3.5"},
		{"fb3ff199999999999a", "1.1"},
		{"fb7ff0000000000000", "null"},
		/* simple values */
		{"f4", "false"},
		{"f5", "true"},
		{"f6", "null"},
		{"f7", "null"},
		{"f0", "null"},
		{"f8ff", "null"},
		/* tags say nothing to us */
		{"c11a514b67b0", "1363896240"},
		{"d9d9f7a0", "{}"},
		{"c0d820c0f5", "true"},
		/* texts */
		{"40", "\"\""},
		{"4401020304", "\"01020304\""},
		{"60", "\"\""},
		{"6161", "\"a\""},
		{"62c3bc", "\"\xc3\xbc\""},
		/* lists and maps, counted or ended by a break */
		{"80", "[]"},
		{"83010203", "[1,2,3]"},
		{"8301820203820405", "[1,[2,3],[4,5]]"},
		{"9fff", "[]"},
		{"9f018202039f0405ffff", "[1,[2,3],[4,5]]"},
		{"a0", "{}"},
		{"a26161016162820203", "{\"a\":1,\"b\":[2,3]}"},
		{"bf61610161629f0203ffff", "{\"a\":1,\"b\":[2,3]}"},
		/* keys in text form */
		{"a3010220042602", "{\"1\":2,\"-1\":4,\"-7\":2}"},
		{"a2f501f602", "{\"true\":1,\"null\":2}"},
		{"a1f93e0001", "{\"1.5\":1}"},
		{"a142c0de01", "{\"c0de\":1}"},
		{"a16000", "{\"\":0}"},
	};
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		GW_AUTO(gw_buf_fini) struct gw_buf body = GW_BUF_INIT(GW_BODY_BYTES);
		GW_AUTO(gw_buf_fini) struct gw_buf json = GW_BUF_INIT(GW_BODY_BYTES);
		hex_body(rows[i].hex, &body);
		int r = parse_body(&gw_codec_cbor, gw_buf_str(&body), &json);
		if (r < 0 || !gw_str_is(gw_buf_str(&json), rows[i].json)) {
			fail_msg("%s is read as %s (%d)", rows[i].hex, r < 0 ? "nothing" : json.p,
				 r);
		}
		for (size_t len = 0; len < body.len; len++) { /* no beginning of it is a body */
			assert_int_equal(parse_body(&gw_codec_cbor,
						    gw_str_sub(gw_buf_str(&body), 0, len), &json),
					 -EBADMSG);
		}
	}
}

static void hostile_cbor_is_refused(void **state)
{
	static const struct {
		const char *hex;
		int r;
	} rows[] = {
		{"", -EBADMSG},
		{"1c", -EBADMSG}, /* §3: 28 to 30 are reserved */
		{"5d", -EBADMSG},
		{"fe", -EBADMSG},
		{"1f", -EBADMSG}, /* what cannot have an open end */
		{"3f", -EBADMSG},
		{"df00", -EBADMSG},
		{"ff", -EBADMSG}, /* a break that ends nothing */
		{"81ff", -EBADMSG},
		{"bf6161ff", -EBADMSG}, /* a break in place of a value */
		{"5f4101ff", -EBADMSG}, /* texts in pieces */
		{"7f6161ff", -EBADMSG},
		{"62c328", -EBADMSG}, /* not UTF-8 */
		{"0000", -EBADMSG},   /* something behind it */
		{"a0ff", -EBADMSG},
		{"a18001", -EBADMSG}, /* keys that have no text form */
		{"a1a001", -EBADMSG},
		{"a2616101616102", -EBADMSG}, /* a key twice, also in text form */
		{"a20102613103", -EBADMSG},
		{"9bffffffffffffffff00", -EBADMSG}, /* lengths that nothing stands behind */
		{"bbffffffffffffffff", -EBADMSG},
		{"5bffffffffffffffff", -EBADMSG},
		{"7bffffffffffffffff", -EBADMSG},
		/* the limits, each met and passed by one */
		{"81*16 00", 0},
		{"81*17 00", -EBADMSG},
		{"99270f 00*9999", 0},
		{"992710 00*10000", -EBADMSG},
		{"c0*9999 00", 0},
		{"c0*10000 00", -EBADMSG},
		{"791000 61*4096", 0},
		{"791001 61*4097", -EBADMSG},
		{"591000 61*4096", 0},
		{"591001 61*4097", -EBADMSG},
	};
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		GW_AUTO(gw_buf_fini) struct gw_buf body = GW_BUF_INIT(GW_BODY_BYTES);
		GW_AUTO(gw_buf_fini) struct gw_buf json = GW_BUF_INIT(GW_BODY_BYTES);
		hex_body(rows[i].hex, &body);
		int r = parse_body(&gw_codec_cbor, gw_buf_str(&body), &json);
		if (r != rows[i].r) {
			fail_msg("%s gives %d", rows[i].hex, r);
		}
	}
}

static void cbor_is_written_short(void **state)
{
	static const struct {
		const char *json, *hex;
	} rows[] = {
		{"null", "f6"},
		{"false", "f4"},
		{"true", "f5"},
		{"23", "17"},
		{"24", "1818"},
		{"255", "18ff"},
		{"256", "190100"},
		{"65535", "19ffff"},
		{"65536", "1a00010000"},
		{"4294967295", "1affffffff"},
		{"4294967296", "1b0000000100000000"},
		{"-1", "20"},
		{"-24", "37"},
		{"-500", "3901f3"},
		{"1.5", "fb3ff8000000000000"},
		{"-0.5", "fbbfe0000000000000"},
		{"9007199254740991", "1b001fffffffffffff"},
		{"\"\"", "60"},
		{"\"\xc3\xbc\"", "62c3bc"},
		{"[]", "80"},
		{"{\"b\":1,\"a\":[2,{}]}", "a261620161618202a0"},
	};
	GW_AUTO(gw_buf_fini) struct gw_buf deep = GW_BUF_INIT(256);
	GW_AUTO(gw_buf_fini) struct gw_buf body = GW_BUF_INIT(256);
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		GW_AUTO(gw_buf_fini) struct gw_buf hex = GW_BUF_INIT(256);
		gw_buf_reset(&body);
		assert_int_equal(print_body(&gw_codec_cbor, rows[i].json, &body), 0);
		gw_layer_encode(GW_DECODE_HEX, gw_buf_str(&body), &hex);
		assert_string_equal(hex.p, rows[i].hex);
	}
	for (int i = 0; i < 2; i++) { /* as deep as it is read, and one deeper */
		gw_buf_reset(&body);
		gw_buf_reset(&deep);
		for (int k = 0; k < GW_BODY_DEPTH + i; k++) {
			gw_buf_putc(&deep, '[');
		}
		gw_buf_putc(&deep, '1');
		for (int k = 0; k < GW_BODY_DEPTH + i; k++) {
			gw_buf_putc(&deep, ']');
		}
		assert_int_equal(print_body(&gw_codec_cbor, deep.p, &body), i ? -E2BIG : 0);
	}
}

static void forms_are_read(void **state)
{
	static const struct {
		const char *body, *json; /* NULL: malformed */
	} rows[] = {
		{"", "{}"},
		{"a=1", "{\"a\":\"1\"}"},
		{"a=1&b=2&a=3", "{\"a\":\"3\",\"b\":\"2\"}"}, /* the last of two counts */
		{"a", "{\"a\":\"\"}"},
		{"a=", "{\"a\":\"\"}"},
		{"=1", "{\"\":\"1\"}"},
		{"a=b=c", "{\"a\":\"b=c\"}"},
		{"a+b=c+d", "{\"a b\":\"c d\"}"},
		{"%61%3D=%26%2b", "{\"a=\":\"&+\"}"},
		{"n=%C3%A4%e2%82%ac", "{\"n\":\"\xc3\xa4\xe2\x82\xac\"}"},
		{"a=%", NULL},
		{"a=%4", NULL},
		{"a=%4&b=1", NULL},
		{"%4=1", NULL},
		{"a=%4g", NULL},
		{"a=%0x", NULL}, /* a prefix is no digit */
		{"a=%0X", NULL},
		{"a=%-1", NULL},
		{"a=%ff", NULL}, /* not UTF-8 */
		{"%ff=a", NULL},
		{"a=\xff", NULL},
		{"&", NULL}, /* pairs of nothing */
		{"a=1&", NULL},
		{"&a=1", NULL},
		{"a=1&&b=2", NULL},
	};
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		GW_AUTO(gw_buf_fini) struct gw_buf json = GW_BUF_INIT(GW_BODY_BYTES);
		int r = parse_body(&gw_codec_form, gw_str(rows[i].body), &json);
		if (r != (rows[i].json ? 0 : -EBADMSG) ||
		    (r == 0 && !gw_str_is(gw_buf_str(&json), rows[i].json))) {
			fail_msg("%s is read as %s (%d)", rows[i].body, r < 0 ? "nothing" : json.p,
				 r);
		}
	}
}

static void forms_have_limits(void **state)
{
	GW_AUTO(gw_buf_fini) struct gw_buf body = GW_BUF_INIT(GW_BODY_BYTES);
	GW_AUTO(gw_buf_fini) struct gw_buf json = GW_BUF_INIT(4 * GW_BODY_BYTES);
	(void)state;
	for (unsigned i = 0; i < 2; i++) { /* a value as long as allowed, and one longer */
		gw_buf_reset(&body);
		gw_buf_puts(&body, "a=");
		for (unsigned k = 0; k < GW_BODY_TEXT_BYTES + i; k++) {
			gw_buf_putc(&body, 'x');
		}
		gw_buf_reset(&json);
		assert_int_equal(parse_body(&gw_codec_form, gw_buf_str(&body), &json),
				 i ? -EBADMSG : 0);
	}
	for (unsigned i = 0; i < 2; i++) { /* as many members as allowed, and one more */
		gw_buf_reset(&body);
		for (unsigned k = 0; k < GW_BODY_NODES + i; k++) {
			gw_buf_printf(&body, "%s%x", k ? "&" : "", k);
		}
		gw_buf_reset(&json);
		assert_int_equal(parse_body(&gw_codec_form, gw_buf_str(&body), &json),
				 i ? -EBADMSG : 0);
	}
}

static void forms_are_written(void **state)
{
	static const struct {
		const char *json, *body; /* NULL: a form cannot hold this */
	} rows[] = {
		{"{}", ""},
		{"{\"b\":1.5,\"a\":true,\"c\":null}", "b=1.5&a=true&c=null"},
		{"{\"k k\":\"azAZ09-._~\"}", "k%20k=azAZ09-._~"},
		{"{\"\":\"\"}", "="},
		{"{\"a\":\"/@[`{:\\u0000\xc3\xa4\"}", "a=%2F%40%5B%60%7B%3A%00%C3%A4"},
		{"\"a=1&b\"", "a=1&b"}, /* a fixed body goes out as it stands */
		{"{\"a\":1,\"b\":[]}", NULL},
		{"{\"a\":{}}", NULL},
	};
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		GW_AUTO(gw_buf_fini) struct gw_buf body = GW_BUF_INIT(GW_BODY_BYTES);
		assert_int_equal(print_body(&gw_codec_form, rows[i].json, &body),
				 rows[i].body ? 0 : -EINVAL);
		assert_true(!rows[i].body || gw_str_is(gw_buf_str(&body), rows[i].body));
	}
}

/* Each allocation of reading a body fails once: told as such, never as a malformed or another body. */
static void bodies_without_memory(void **state)
{
	static const struct {
		const struct gw_codec_ops *codec;
		const char *hex;
	} rows[] = {
		{&gw_codec_cbor, "a5 4101 62c3bc 6161 8201f5 6162 7907d0 61*2000 6163 f4 f93e00 "
				 "5907d0 61*2000"},
		{&gw_codec_form, "613d62 26 633d 64*2000 26 65*2000 3d66"},
	};
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		GW_AUTO(gw_buf_fini) struct gw_buf body = GW_BUF_INIT(GW_BODY_BYTES);
		hex_body(rows[i].hex, &body);
		for (uint64_t n = 1;; n++) {
			struct gw_arena *a = gw_arena_new(GW_TREE_BYTES);
			struct gw_node *tree = NULL;
			assert_non_null(a);
			gw_alloc_fail_at(n);
			int r = rows[i].codec->parse(a, gw_buf_str(&body), &tree);
			gw_alloc_fail_at(0);
			gw_arena_free(a);
			if (r == 0) {
				assert_true(n > 4);
				break;
			}
			assert_int_equal(r, -ENOMEM);
			assert_null(tree);
		}
	}
}

/* The same through a device, whose point keeps what it had. */
static void receiving_without_memory(void **state)
{
	static const char *const codecs[] = {"cbor", "form"}, *const bodies[] = {
								      "\xa1\x61\x61\x61\x32",
								      "a=2"};
	(void)state;
	assert_null(gw_codec_find(GW_STR("xml")));
	for (size_t i = 0; i < gw_countof(codecs); i++) {
		struct profile_case c;
		char yaml[200];
		snprintf(
			yaml, sizeof(yaml),
			"msgs: {m: {rx: s, codec: %s}}\npoints: {p: {in: m#/a, as: num, init: '1'}}\n"
			"caps: {x.t.p: {type: int, point: p, ro: true}}",
			codecs[i]);
		case_open(&c, yaml);
		for (uint64_t n = 1;; n++) {
			gw_alloc_fail_at(n);
			int r = case_receive(&c, "m", bodies[i]);
			gw_alloc_fail_at(0);
			if (r == 0) {
				assert_true(n > 2);
				assert_string_equal(case_value(&c, "x.t.p"), "2");
				break;
			}
			assert_int_equal(r, -ENOMEM);
			assert_string_not_equal(case_value(&c, "x.t.p"), "2");
		}
		case_close(&c);
	}
}

/* What is malformed in a layer is skipped, its points keep their raws (§7). */
static void a_form_in_a_layer_is_skipped(void **state)
{
	struct profile_case c;
	(void)state;
	case_open(&c, "msgs: {m: {rx: s}, f: {from: m#/f, codec: form}}\n"
		      "points: {a: {in: f#/a, as: num}, b: {in: m#/b}}\n"
		      "caps: {x.t.a: {type: int, point: a, ro: true}, "
		      "x.t.b: {type: int, point: b, ro: true}}");
	assert_int_equal(case_receive(&c, "m", "{\"f\":\"a=1&x=%20\",\"b\":1}"), 0);
	assert_string_equal(case_value(&c, "x.t.a"), "1");
	assert_int_equal(case_receive(&c, "m", "{\"f\":\"a=2&x=%2\",\"b\":2}"), 0);
	assert_string_equal(case_value(&c, "x.t.a"), "1");
	assert_string_equal(case_value(&c, "x.t.b"), "2");
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
		cmocka_unit_test(cbor_is_read_as_rfc8949_says),
		cmocka_unit_test(hostile_cbor_is_refused),
		cmocka_unit_test(cbor_is_written_short),
		cmocka_unit_test(forms_are_read),
		cmocka_unit_test(forms_have_limits),
		cmocka_unit_test(forms_are_written),
		cmocka_unit_test(bodies_without_memory),
		cmocka_unit_test(receiving_without_memory),
		cmocka_unit_test(a_form_in_a_layer_is_skipped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
