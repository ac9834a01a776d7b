/* Writing (profile-language §11), composing (§6), confirmation (§5). */
#include "gw_test.h"

#include <stdio.h>

#include "profile_case.h"

static const char ac[] =
	"msgs: {m: {rx: s, tx: c}, q: {tx: ask, codec: text, body: '?', reply: m, on: [bind]}}\n"
	"points:\n"
	"  on: {io: m#/1}\n"
	"  md: {io: m#/4}\n"
	"  t:  {io: m#/2, div: 10}\n"
	"  bz: {out: m#/9, init: 0, oneshot: true}\n"
	"caps:\n"
	"  thermostat.mode: {table: [on, md], rows: [[false, any, off], [true, [cold, wind], cool], [true, hot, heat]]}\n"
	"  thermostat.setpoint: {point: t, limits: [{if: {thermostat.mode: off}, ro: true}, {if: {md: hot}, range: [10, 30, 0.5]}, {range: [16, 30, 0.5]}]}\n"
	"  x.t.beep: {type: int, point: bz}\n";

static void refusals_say_the_bounds(void **state)
{
	struct profile_case c;
	(void)state;
	case_open(&c, ac);
	assert_int_equal(case_receive(&c, "m", "{\"1\":true,\"4\":\"cold\"}"), 0);
	assert_int_equal(case_write(&c, "thermostat.setpoint", "12"), -EINVAL);
	assert_string_equal(c.refused.code, "range");
	assert_string_equal(c.refused.address, "thermostat.setpoint");
	assert_non_null(strstr(c.refused.text, "16"));
	assert_int_equal(case_write(&c, "thermostat.setpoint", "16.2"), -EINVAL);
	assert_string_equal(c.refused.code, "step");
	assert_int_equal(case_write(&c, "thermostat.mode", "\"fast\""), -EINVAL);
	assert_string_equal(c.refused.code, "value");
	assert_non_null(strstr(c.refused.text, "off, cool, heat"));
	assert_int_equal(case_write(&c, "thermostat.setpoint", "\"warm\""), -EINVAL);
	assert_string_equal(c.refused.code, "type");
	assert_int_equal(case_write(&c, "nothing.here", "1"), -EINVAL);
	assert_string_equal(c.refused.code, "unknown-capability");
	case_close(&c);
}

static void limits_follow_the_mode(void **state)
{
	struct profile_case c;
	struct gw_domain d;
	bool ro;
	(void)state;
	case_open(&c, ac);
	int cap = gw_plan_find_cap(c.plan, GW_STR("thermostat.setpoint"));
	assert_true(gw_plan_cap(c.plan, (size_t)cap)->limited);
	assert_int_equal(case_receive(&c, "m", "{\"1\":true,\"4\":\"hot\"}"), 0);
	gw_binding_limits(c.b, (size_t)cap, &d, &ro);
	assert_false(ro);
	assert_int_equal(d.min, 10 * d.res.d / d.res.n);
	assert_int_equal(d.max, 30 * d.res.d / d.res.n);
	assert_int_equal(case_receive(&c, "m", "{\"1\":false}"), 0);
	gw_binding_limits(c.b, (size_t)cap, &d, &ro);
	assert_true(ro);
	const struct gw_domain *modes =
		&gw_plan_cap(c.plan, 0)->domain; /* only what the table writes is offered */
	assert_int_equal(modes->n_symbols, 3);
	assert_string_equal(modes->symbols[1], "cool");
	case_close(&c);
}

static void pending_ends_with_time_and_report(void **state)
{
	struct profile_case c;
	(void)state;
	case_open(&c, ac);
	assert_int_equal(case_receive(&c, "m", "{\"1\":false,\"4\":\"cold\"}"), 0);
	assert_int_equal(case_write_at(&c, "thermostat.setpoint", "20", 0), -EINVAL);
	assert_string_equal(c.refused.code, "mode");
	assert_int_equal(case_write_at(&c, "thermostat.mode", "\"cool\"", 0), 0);
	assert_string_equal(case_sent(&c), "m {\"1\":true}");
	assert_string_equal(case_value(&c, "thermostat.mode"),
			    "\"off\""); /* never shown as reported */
	assert_int_equal(case_write_at(&c, "thermostat.setpoint", "20", 2999), 0);
	assert_int_equal(case_write_at(&c, "thermostat.setpoint", "20", 3000),
			 -EINVAL); /* over: off again */
	assert_int_equal(case_write_at(&c, "thermostat.mode", "\"cool\"", 4000), 0);
	assert_int_equal(case_receive(&c, "m", "{\"1\":false}"), 0); /* the device says otherwise */
	assert_int_equal(case_write_at(&c, "thermostat.setpoint", "20", 4001), -EINVAL);
	case_close(&c);
}

static void only_the_device_confirms(void **state)
{
	struct profile_case c;
	uint16_t asks[4];
	(void)state;
	case_open(&c, ac);
	assert_int_equal(case_receive(&c, "m", "{\"1\":true,\"4\":\"cold\",\"2\":200}"), 0);
	assert_int_equal(case_write(&c, "thermostat.mode", "\"heat\""), 0);
	struct gw_expect *e = c.out.expect;
	c.out.expect = NULL;
	assert_non_null(e);
	assert_false(gw_expect_met(e, c.b, 0));
	assert_int_equal(case_receive(&c, "m", "{\"1\":true}"), 0);
	assert_false(gw_expect_met(e, c.b, 0)); /* half */
	assert_int_equal(case_receive(&c, "m", "{\"4\":\"cold\"}"), 0);
	assert_false(gw_expect_met(e, c.b, 0)); /* another value: wait on */
	assert_int_equal(case_receive(&c, "m", "{\"2\":210}"), 0);
	assert_false(gw_expect_met(e, c.b, 0));
	assert_int_equal(case_receive(&c, "m", "{\"4\":\"hot\"}"), 0);
	assert_true(gw_expect_met(e, c.b, 0));
	assert_int_equal(gw_expect_asks(e, c.b, asks, 4), 1); /* q, whose reply is m */
	assert_int_equal(asks[0], 1);
	gw_expect_free(e);
	assert_int_equal(case_write(&c, "x.t.beep", "1"), 0);
	assert_null(c.out.expect); /* nothing can be read back */
	case_close(&c);
}

static void expectation_by_a_message(void **state)
{
	struct profile_case c;
	(void)state;
	case_open(&c, "link: {confirm: {within: 5s, by: b, else: reread}, assume: 0}\n"
		      "msgs: {a: {rx: s}, b: {rx: t}, w: {tx: c}}\n"
		      "points: {p: {in: [a#/p, b#/p], out: w#/p}}\ncaps: {switch.on: {point: p}}");
	const struct gw_cap_info *i = gw_plan_cap(c.plan, 0);
	assert_int_equal(i->confirm_within_ms, 5000);
	assert_int_equal(i->confirm_by, 1);
	assert_int_equal(i->confirm_else, GW_CONFIRM_REREAD);
	assert_int_equal(i->assume_ms, 0);
	assert_int_equal(case_write(&c, "switch.on", "true"), 0);
	assert_int_equal(case_receive(&c, "a", "{\"p\":true}"), 0);
	assert_false(gw_expect_met(c.out.expect, c.b, 0));
	assert_int_equal(case_receive(&c, "b", "{\"p\":true}"), 0);
	assert_true(gw_expect_met(c.out.expect, c.b, 1));
	case_close(&c);
}

static void asks(void **state)
{
	struct profile_case c;
	struct gw_outgoing out;
	(void)state;
	case_open(
		&c,
		"link: {every: 30s}\n"
		"msgs: {a: {get: /a, observe: true}, q: {tx: c, codec: text, body: \"8\", reply: a, every: 5m, on: [bind, online]}, w: {tx: d}}\n"
		"points: {p: {in: a#/p, out: w#/p}}\ncaps: {switch.on: {point: p}}");
	const struct gw_msg_info *a = gw_plan_msg(c.plan, 0), *q = gw_plan_msg(c.plan, 1),
				 *w = gw_plan_msg(c.plan, 2);
	assert_true(a->asks && a->observe && a->every_ms == 30000);
	assert_true(q->asks && q->has_body && q->every_ms == 300000 && q->reply == 0);
	assert_int_equal(q->on, GW_ASK_BIND | GW_ASK_ONLINE);
	assert_true(!w->asks && w->every_ms == 0 && !w->has_body);
	assert_int_equal(gw_binding_ask(c.b, 1, &out), 0);
	assert_int_equal(out.n_msgs, 1);
	assert_true(gw_str_is(out.msgs[0].body, "8"));
	gw_outgoing_fini(&out);
	assert_int_equal(gw_binding_ask(c.b, 0, &out), 0);
	assert_int_equal(out.msgs[0].body.len, 0); /* a request of get has none */
	gw_outgoing_fini(&out);
	assert_int_equal(gw_binding_ask(c.b, 9, &out), -EINVAL);
	case_close(&c);
}

static void several_values_are_one_write(void **state)
{
	struct profile_case c;
	const struct gw_node heat = {.type = GW_NODE_TEXT, .text = GW_STR("heat")};
	const struct gw_node warm = {.type = GW_NODE_NUMBER, .number = 12};
	const struct gw_wanted wanted[] = {{GW_STR("thermostat.setpoint"), &warm},
					   {GW_STR("main/thermostat.mode"), &heat}};
	(void)state;
	case_open(&c, ac);
	assert_int_equal(case_receive(&c, "m", "{\"1\":false,\"4\":\"cold\"}"), 0);
	assert_int_equal(gw_binding_write(c.b, wanted, 2, 0, &c.out, &c.refused),
			 0); /* limits see the new mode */
	assert_string_equal(case_sent(&c), "m {\"1\":true,\"2\":120,\"4\":\"hot\"}");
	case_close(&c);
}

static void channels(void **state)
{
	struct profile_case c;
	struct gw_vars vars = {0};
	struct gw_error e = {0};
	struct gw_binding *b = NULL;
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(256);
	(void)state;
	case_open(
		&c,
		"vars: {id: {identity: true}, root: {default: home}}\nmsgs: {m: {rx: \"{root}/{id}/s\"}}");
	assert_int_equal(gw_binding_channel(c.b, gw_plan_msg(c.plan, 0)->rx[0], &text),
			 -ENOENT); /* id is unbound */
	assert_int_equal(gw_vars_set(&vars, GW_STR("id"), GW_STR("kitchen")), 0);
	assert_int_equal(gw_profile_complete_vars(c.profile, &vars, &e), 0);
	assert_int_equal(gw_binding_new(c.plan, &vars, &b, &e), 0);
	gw_buf_reset(&text);
	assert_int_equal(gw_binding_channel(b, gw_plan_msg(c.plan, 0)->rx[0], &text), 0);
	assert_string_equal(text.p, "home/kitchen/s");
	gw_binding_free(b);
	gw_vars_fini(&vars);
	case_close(&c);
}

/* The one body as hex, or the code that the write is refused with. */
static void written_is(struct profile_case *c, const char *address, const char *value,
		       const char *sent)
{
	int r = case_write(c, address, value);
	const char *got = r < 0 ? c->refused.code : case_sent_hex(c);
	if (strcmp(got, sent) != 0) {
		fail_msg("%s := %s gives %s (%s), not %s", address, value, got, c->refused.text,
			 sent);
	}
}

static const char frame[] =
	"msgs: {m: {rx: s, tx: c, codec: bytes, mode: rmw}, "
	"f: {tx: d, codec: bytes, mode: rmw, fill: 'a5 -- -- -- 5a', reply: m}, "
	"l: {tx: e, codec: bytes, fill: '00 ff ff 00'}}\n"
	"points:\n"
	"  w: {io: \"m@1\", as: u16be}\n"
	"  b: {io: \"m@3.4:3\", map: {0: low, 2: mid, 9: high}}\n"
	"  o: {io: \"m@0.7\"}\n"
	"  val: {in: \"m@3\", out: \"f@3\"}\n"
	"  k: {out: \"f@0\", init: 0}\n"
	"  t: {io: \"m@4\", as: ascii}\n"
	"  r: {out: \"l@1\", list: {at: 0, stride: 1, count: 4, fields: {a: {at: 0}}}, init: []}\n"
	"caps:\n"
	"  x.t.w: {type: int, point: w}\n"
	"  x.t.b: {type: enum, enum: [low, mid, high], point: b}\n"
	"  x.t.o: {type: int, point: o}\n"
	"  x.t.v: {type: int, point: val}\n"
	"  x.t.k: {type: int, point: k}\n"
	"  x.t.t: {type: str, point: t}\n"
	"  x.t.r: {type: list, point: r}\n";

static void frames_are_changed_in_place(void **state)
{
	static const struct {
		const char *kept; /* NULL: nothing received yet */
		const char *address, *value;
		const char *sent; /* or the code it is refused with */
	} rows[] = {
		{NULL, "x.t.w", "1", "state-unknown:w"},
		{"", "x.t.w", "1", "state-unknown:w"},
		{"00", "x.t.w", "1", "state-unknown:w"}, /* outside the frame */
		{"0000", "x.t.w", "1", "state-unknown:w"},
		{"ffffff", "x.t.w", "258", "ff0102"},
		{"ffffff", "x.t.w", "65536", "range"},
		{"ffffff", "x.t.w", "-1", "range"},
		{"00000000", "x.t.b", "\"mid\"", "00000020"},
		{"000000ff", "x.t.b", "\"mid\"", "000000af"}, /* the other bits are kept */
		{"000000ff", "x.t.b", "\"high\"", "range"},   /* 9 does not fit three bits */
		{"000000", "x.t.b", "\"low\"", "state-unknown:b"},
		{"00", "x.t.o", "1", "80"},
		{"ff01", "x.t.o", "0", "7f01"},
		{"0000000000", "x.t.t", "\"A\"", "0000000041"},
		{"00000000", "x.t.t", "\"A\"", "state-unknown:t"}, /* no byte is left for it */
		{"0000000000", "x.t.t", "\"AB\"", "range"},
		/* with fill: as long as it is, -- takes the byte of the last body */
		{"00010203", "x.t.v", "7", "a50102075a"},
		{"0001020304", "x.t.v", "7", "a50102075a"},
		{"000102", "x.t.v", "7", "state-unknown:val"}, /* the point at that byte */
		{"0001", "x.t.v", "7", "state-unknown:val"}, /* no point there: the one assigned */
		{"00010203", "x.t.k", "1", "010102035a"},
		{NULL, "x.t.k", "1", "state-unknown:k"},
		/* a list */
		{NULL, "x.t.r", "[{\"a\":1},{\"a\":2}]", "00010200"},
		{NULL, "x.t.r", "[{\"a\":1},{\"a\":2},{\"a\":3}]", "00010203"},
		{NULL, "x.t.r", "[{\"a\":1},{\"a\":2},{\"a\":3},{\"a\":4}]",
		 "range"}, /* behind the frame */
		{NULL, "x.t.r", "[{\"a\":1},{\"a\":2},{\"a\":3},{\"a\":4},{\"a\":5}]", "range"},
		{NULL, "x.t.r", "[{\"a\":256}]", "range"},
	};
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		struct profile_case c;
		case_open(&c, frame);
		if (rows[i].kept) {
			assert_int_equal(case_receive_hex(&c, "m", rows[i].kept), 0);
		}
		written_is(&c, rows[i].address, rows[i].value, rows[i].sent);
		case_close(&c);
	}
}

/* What is sent along was received elsewhere and need not fit the frame (§8): then nothing is sent. */
static void frames_refuse_what_does_not_fit(void **state)
{
	static const struct {
		const char *seen, *sent;
	} rows[] = {
		{"{}", "000201"},	    {"{\"a\":7}", "070201"},	{"{\"a\":true}", "010201"},
		{"{\"a\":8}", "range"},	    {"{\"a\":-1}", "range"},	{"{\"a\":1.5}", "value"},
		{"{\"a\":\"x\"}", "value"}, {"{\"b\":255}", "00ff01"},	{"{\"b\":256}", "range"},
		{"{\"b\":0.5}", "value"},   {"{\"b\":\"x\"}", "value"},
	};
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		struct profile_case c;
		case_open(&c, "msgs: {j: {rx: s}, f: {tx: d, codec: bytes, fill: '00 00 00'}}\n"
			      "points: {a: {in: j#/a, out: \"f@0.0:3\", init: 0}, "
			      "b: {in: j#/b, out: \"f@1\", init: 2}, "
			      "d: {out: \"f@2\"}}\n"
			      "caps: {x.t.d: {type: int, point: d}}");
		assert_int_equal(case_receive(&c, "j", rows[i].seen), 0);
		written_is(&c, "x.t.d", "1", rows[i].sent);
		case_close(&c);
	}
}

static void blocks_are_written(void **state)
{
	static const char long_text[] =
		"\"0123456789012345678901234567890123456789012345678901234567890123456789"
		"0123456789012345678901234567890123456789012345678901234567890123456789"
		"0123456789012345678901234567890123456789012345678901234567890123456789"
		"0123456789012345678901234567890123456789012345\"";
	static const struct {
		const char *address, *value, *sent;
	} rows[] = {
		{"x.t.w", "258", "01020102"},
		{"x.t.w", "65536", "range"},
		{"x.t.t", "\"AB\"", "02024142"},
		{"x.t.t", "\"\"", "0200"},
		{"x.t.t", long_text, "range"},	    /* one byte tells the length */
		{"x.t.t", "\"\xc3\xa4\"", "value"}, /* not ASCII */
		{"x.t.u", "5", "030105"},
		{"x.t.l", "258", "04020201"}, /* the same size, the other order */
		{"x.t.s", "-1", "0503ffff"},
		{"x.t.y", "1", "070500010000"},
		{"x.t.x", "1", "value"}, /* a type that the message does not have */
	};
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		struct profile_case c;
		case_open(
			&c,
			"msgs: {p: {tx: a, codec: tlv}, q: {tx: b, codec: tlv, types: {1: u8, 2: u16le, 3: s16be, 4: u32be, 5: u32be.ws}}}\n"
			"points: {w: {out: p#/1, as: u16be}, t: {out: p#/2, as: ascii}, "
			"u: {out: q#/3}, l: {out: q#/4, as: u16le}, s: {out: q#/5, as: s16be}, x: {out: q#/6, as: u16be}, y: {out: q#/7, as: u32be.ws}}\n"
			"caps: {x.t.w: {type: int, point: w}, x.t.t: {type: str, point: t}, "
			"x.t.u: {type: int, point: u}, x.t.l: {type: int, point: l}, x.t.s: {type: int, point: s}, "
			"x.t.x: {type: int, point: x}, x.t.y: {type: int, point: y}}");
		written_is(&c, rows[i].address, rows[i].value, rows[i].sent);
		case_close(&c);
	}
}

/* Bodies that the profile gives: those that their codec cannot hold are refused when they are to be sent. */
static void fixed_bodies(void **state)
{
	static const struct {
		const char *msg, *sent;
	} rows[] = {
		{"codec: bytes, body: 'A5 01'", "a501"},
		{"codec: bytes, body: ''", ""},
		{"codec: bytes, body: 'A5 0'", "value"},
		{"codec: bytes, body: 5", "value"},
		{"codec: tlv, body: '01 01 05'", "010105"},
		{"codec: tlv, body: 'x'", "value"},
		{"codec: text, body: PING", "50494e47"},
		{"codec: text, body: 1.5", "312e35"},
		{"codec: text", ""},
		{"codec: text, body: {a: 1}", "value"},
		{"codec: form, body: {a: b c}", "613d6225323063"},
		{"codec: form, body: {a: [1]}", "value"},
		{"codec: cbor, body: {a: [1]}", "a161618101"},
		{"body: {b: 1, a: [true]}", "7b2261223a5b747275655d2c2262223a317d"},
	};
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		struct profile_case c;
		char yaml[256];
		snprintf(yaml, sizeof(yaml),
			 "msgs: {s: {rx: s}, m: {tx: c, %s}}\npoints: {p: {in: s#/p}}\n"
			 "caps: {x.t.t: {type: bool, toggle: m, point: p}}",
			 rows[i].msg);
		case_open(&c, yaml);
		assert_int_equal(case_receive(&c, "s", "{\"p\":false}"), 0);
		written_is(&c, "x.t.t", "true", rows[i].sent);
		case_close(&c);
	}
}

static void texts_are_written(void **state)
{
	static const struct {
		const char *address, *value, *sent;
	} rows[] = {
		{"x.t.h", "5400", "30313a3330"}, /* 01:30 */
		{"x.t.h", "36000000", "range"},
		{"x.t.n", "2", "32"},
		{"x.t.i", "true", "state-unknown:n"}, /* full: the point that it always has */
		{"x.t.w", "\"A\xc4\x80\"", "7b2277223a224145454241413d3d227d"},
		{"x.t.w", "\"\"", "7b2277223a22227d"},
	};
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		struct profile_case c;
		case_open(
			&c,
			"msgs: {j: {rx: s, tx: c}, t: {tx: t, codec: text}, f: {tx: f, codec: text, mode: full}, "
			"w: {from: j#/w, codec: text, decode: utf16b64}}\n"
			"points: {h: {out: t#, as: hm}, n: {in: j#/n, out: f#}, w: {out: w#}, i: {in: j#/i}}\n"
			"caps: {x.t.h: {type: int, point: h}, x.t.n: {type: int, point: n}, "
			"x.t.w: {type: str, point: w}, x.t.i: {type: bool, toggle: f, point: i}}\n");
		assert_int_equal(case_receive(&c, "j", "{\"i\":false}"), 0);
		written_is(&c, rows[i].address, rows[i].value, rows[i].sent);
		case_close(&c);
	}
}

/* Every allocation of a write fails once: nothing is sent, nothing is lost, and it is told as what it is. */
static void failed_allocations(void **state)
{
	static const struct {
		const char *profile, *msg, *seen, *address, *value;
	} rows[] = {
		{ac, "m", "{\"1\":true,\"4\":\"cold\"}", "thermostat.mode", "\"heat\""},
		{frame, "m", "00010203", "x.t.w", "258"},
		{frame, "m", "00010203", "x.t.v", "7"},
		{"msgs: {m: {rx: s, tx: c, codec: cbor}}\npoints: {p: {io: m#/a/b}}\ncaps: {x.t.p: {type: str, point: p}}",
		 "m", "a0", "x.t.p", "\"text\""},
		{"msgs: {m: {rx: s, tx: c, codec: form}}\npoints: {p: {io: m#/a}}\ncaps: {x.t.p: {type: str, point: p}}",
		 "m", "613d62", "x.t.p", "\"text\""},
		{"msgs: {m: {rx: s, tx: c, codec: tlv}}\npoints: {p: {io: m#/1}}\ncaps: {x.t.p: {type: int, point: p}}",
		 "m", "", "x.t.p", "5"},
		{"msgs: {m: {rx: s, tx: c}, w: {from: m#/w, codec: text, decode: utf16b64}}\n"
		 "points: {p: {io: w#}}\ncaps: {x.t.p: {type: str, point: p}}",
		 "m", "{}", "x.t.p", "\"text\""},
	};
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		struct profile_case c;
		case_open(&c, rows[i].profile);
		assert_int_equal(rows[i].seen[0] == '{'
					 ? case_receive(&c, rows[i].msg, rows[i].seen)
					 : case_receive_hex(&c, rows[i].msg, rows[i].seen),
				 0);
		const struct gw_node_limits limits = {.max_bytes = 256, .max_depth = 4};
		struct gw_arena *a = gw_arena_new(4096);
		struct gw_node *value = NULL;
		assert_int_equal(
			gw_node_parse_json(a, gw_str(rows[i].value), &limits, &value, NULL), 0);
		const struct gw_wanted wanted = {gw_str(rows[i].address), value};
		for (uint64_t n = 1;; n++) {
			struct gw_outgoing out = {0};
			c.refused = (struct gw_write_error){0};
			gw_alloc_fail_at(n);
			int r = gw_binding_write(c.b, &wanted, 1, 0, &out, &c.refused);
			gw_alloc_fail_at(0);
			if (r == 0) {
				assert_int_equal(out.n_msgs, 1);
				gw_outgoing_fini(&out);
				assert_true(n > 4);
				break;
			}
			if (r != -ENOMEM) {
				fail_msg("%s, allocation %d: %d %s %s", rows[i].address, (int)n, r,
					 c.refused.code, c.refused.text);
			}
			assert_int_equal(out.n_msgs, 0);
		}
		gw_arena_free(a);
		case_close(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals_say_the_bounds),
		cmocka_unit_test(limits_follow_the_mode),
		cmocka_unit_test(pending_ends_with_time_and_report),
		cmocka_unit_test(only_the_device_confirms),
		cmocka_unit_test(expectation_by_a_message),
		cmocka_unit_test(asks),
		cmocka_unit_test(several_values_are_one_write),
		cmocka_unit_test(channels),
		cmocka_unit_test(frames_are_changed_in_place),
		cmocka_unit_test(frames_refuse_what_does_not_fit),
		cmocka_unit_test(blocks_are_written),
		cmocka_unit_test(fixed_bodies),
		cmocka_unit_test(texts_are_written),
		cmocka_unit_test(failed_allocations),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
