/* A twin and a binding agree on every construct of the language: the conformance cases, and what those do not write. */
#include "gw_test.h"

#include <errno.h>
#include <stdio.h>

#include "gw/limits.h"
#include "twin_bench.h"

#define SUITE HEARTH_SOURCE_DIR "/tests/golden/conformance/"

GW_DEFINE_AUTO(struct gw_arena, gw_arena_free)
GW_DEFINE_AUTO(struct gw_library, gw_library_free)

#define MAX_CAPS 32

/* Writes everything that can be written; marks the capabilities of which some value was. */
static void write_all(struct bench *b, bool *written)
{
	assert_true(gw_plan_cap_count(b->plan) <= MAX_CAPS);
	for (size_t i = 0; i < gw_plan_cap_count(b->plan); i++) {
		written[i] |= gw_plan_cap(b->plan, i)->writable && command_somewhere(b, i) > 0;
	}
}

/* --- conformance cases --- */

/* The bodies that the steps of a case receive, as an embedded test: from them the device learns what its messages look like. */
static void add_test(struct gw_arena *a, struct gw_node *profile, const struct gw_node *c)
{
	struct gw_node *tests = gw_node_new(a, GW_NODE_LIST), *test = gw_node_new(a, GW_NODE_MAP);
	struct gw_node *steps = gw_node_new(a, GW_NODE_LIST);
	gw_node_for(step, gw_node_get(c, "steps"))
	{
		const struct gw_node *rx = gw_node_get(step, "rx"),
				     *error = gw_node_get(step, "error");
		if (rx && !error) {
			struct gw_node *s = gw_node_new(a, GW_NODE_MAP);
			assert_int_equal(gw_node_set(a, s, GW_STR("rx"), gw_node_copy(a, rx)), 0);
			assert_int_equal(gw_node_append(steps, s), 0);
		}
	}
	if (steps->count > 0 && !gw_node_get(profile, "tests")) {
		assert_int_equal(gw_node_set(a, test, GW_STR("name"),
					     gw_node_new_text(a, GW_STR("as received"))),
				 0);
		assert_int_equal(gw_node_set(a, test, GW_STR("steps"), steps), 0);
		assert_int_equal(gw_node_append(tests, test), 0);
		assert_int_equal(gw_node_set(a, profile, GW_STR("tests"), tests), 0);
	}
}

static struct gw_profile *load_case(struct gw_library *l, struct gw_arena *a,
				    const struct gw_node *c)
{
	struct gw_node *tree = gw_node_copy(a, gw_node_get(c, "profile"));
	struct gw_profile *p = NULL;
	struct gw_error e = {0};
	gw_node_for(n, gw_node_get(c, "library"))
	{
		struct gw_buf text = GW_BUF_INIT(GW_PROFILE_BYTES);
		gw_node_write(&text, n, /* source_order= */ true);
		assert_int_equal(gw_library_add_text(l, n->key, gw_buf_str(&text), "library", &e),
				 0);
		gw_buf_fini(&text);
	}
	add_test(a, tree, c);
	if (gw_profile_load_node(l, tree, "case", GW_PROFILE_LAX, &p, &e) < 0) {
		fail_msg("%s: %s at %s: %s", gw_node_text(c, "name"), e.code, e.at, e.text);
	}
	return p;
}

/* The values that the case itself writes. */
static void write_steps(struct bench *b, const struct gw_node *c, bool *written)
{
	gw_node_for(step, gw_node_get(c, "steps"))
	{
		gw_node_for(value, gw_node_get(step, "write"))
		{
			int i = gw_plan_find_cap(b->plan, value->key);
			if (i >= 0 && !gw_node_get(step, "error")) {
				written[i] |= command(b, gw_plan_cap(b->plan, (size_t)i), value);
			}
		}
	}
}

/* In the state that the case shows first nothing can be written, or what it writes is refused for ever. */
static const char *const refusing[] = {"value without a key", "select without an entry",
				       "constant entry cannot be written", "unavailable"};

static bool refuses(const char *name)
{
	bool is = false;
	for (size_t i = 0; i < gw_countof(refusing); i++) {
		is |= strcmp(name, refusing[i]) == 0;
	}
	return is;
}

static size_t count_written(const struct bench *b, const bool *written)
{
	size_t n = 0;
	for (size_t i = 0; i < gw_plan_cap_count(b->plan); i++) {
		bool missed = gw_plan_cap(b->plan, i)->writable && !written[i];
		if (missed != (gw_plan_cap(b->plan, i)->writable && refuses(b->name))) {
			fail_msg("%s: %s was %swritten", b->name, gw_plan_cap(b->plan, i)->address,
				 missed ? "not " : "");
		}
		n += written[i];
	}
	return n;
}

static void report_once(struct bench *b)
{
	gw_twin_report(b->twin);
	deliver(b);
	both_see_the_same(b);
}

/* Returns how many capabilities were written. */
static size_t agree_on(const struct gw_node *c, size_t *ret_together)
{
	GW_AUTO(gw_library_free_auto) struct gw_library *l = NULL;
	GW_AUTO(gw_arena_free_auto) struct gw_arena *a = gw_arena_new(16u << 20);
	struct gw_vars vars = {0};
	struct bench b = {0};
	bool written[MAX_CAPS] = {false};
	assert_int_equal(gw_library_new(NULL, 0, &l), 0);
	gw_node_for(n, gw_node_get(c, "vars"))
	{
		assert_int_equal(gw_vars_set(&vars, n->key, n->text), 0);
	}
	play_as(&b, load_case(l, a, c), &vars);
	b.name = gw_node_text(c, "name");
	bind_as(&b, &vars);
	both_see_the_same(&b);
	write_all(&b, written);
	write_steps(&b, c, written);
	bool together = command_together(&b);
	report_once(&b);
	size_t n = count_written(&b, written);
	*ret_together += together && n > 0;
	stop(&b);
	gw_vars_fini(&vars);
	return n;
}

static void read_suite(struct gw_arena *a, const char *name, struct gw_node **ret_root)
{
	char path[512];
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(1024 * 1024);
	const struct gw_node_limits limits = {.max_bytes = 1024 * 1024, .max_depth = 64};
	(void)snprintf(path, sizeof(path), "%s%s", SUITE, name);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	char chunk[4096];
	for (size_t n; (n = fread(chunk, 1, sizeof(chunk), f)) > 0;) {
		gw_buf_add(&text, chunk, n);
	}
	fclose(f);
	assert_int_equal(gw_node_parse_yaml(a, gw_buf_str(&text), &limits, ret_root, NULL), 0);
}

static void conformance_cases(void **state)
{
	static const char *const files[] = {"01-syntax.yaml", "02-match.yaml", "03-points.yaml",
					    "04-bytes.yaml",  "05-forms.yaml", "06-writes.yaml"};
	size_t cases = 0, written = 0, together = 0;
	(void)state;
	for (size_t i = 0; i < gw_countof(files); i++) {
		GW_AUTO(gw_arena_free_auto) struct gw_arena *a = gw_arena_new(64u << 20);
		struct gw_node *root = NULL;
		read_suite(a, files[i], &root);
		gw_node_for(c, gw_node_get(root, "cases"))
		{
			if (!gw_node_get(c, "refuse")) {
				written += agree_on(c, &together);
				cases++;
			}
		}
	}
	print_message("%zu cases, %zu capabilities written, %zu whole states\n", cases, written,
		      together);
	assert_true(together > 50);
	assert_true(written > 80); /* of any: the cases were there */
}

/* --- construct by construct --- */

static const struct construct {
	const char *name, *profile;
	size_t written;	 /* capabilities that can be */
	size_t happened; /* symbols of events that can be raised */
} constructs[] = {
	{"cbor, both ways, with byte strings",
	 "{msgs: {m: {rx: s, tx: c, codec: cbor}}, points: {a: {io: m#/a}, t: {io: m#/t}}, caps: {x.t.a: {type: num, res: 0.5, point: a}, switch.on: {point: t}},"
	 " tests: [{name: a, rx: [{m: {a: 1.5, t: true, l: [1, null]}}]}]}",
	 2},
	{"cbor read, changed and written",
	 "{msgs: {m: {get: /cfg, put: /cfg, codec: cbor, mode: rmw}}, points: {a: {io: m#/n/a}}, caps: {x.t.a: {type: int, point: a}},"
	 " tests: [{name: a, rx: [{m: {n: {a: 1, b: 2}}}]}]}",
	 1},
	{"cbor without a body to learn from",
	 "{msgs: {m: {rx: s, tx: c, codec: cbor}}, points: {a: {io: m#/a}}, caps: {x.t.a: {type: int, point: a}}}",
	 1},
	{"form with types, in and out differing",
	 "{msgs: {r: {rx: s, codec: form}, w: {tx: c, codec: form, base: {cmd: set}}}, points: {a: {in: r#/temp, out: w#/t, as: num, div: 10, frac: true}, z: {in: r#/zone, out: w#/z, as: hm}},"
	 " caps: {x.t.a: {type: num, res: 0.1, point: a}, x.t.z: {type: int, point: z, range: [0, 3600, 60]}}, tests: [{name: a, rx: [{r: \"temp=215&zone=00%3A30\"}]}]}",
	 2},
	{"text both ways",
	 "{msgs: {r: {rx: s, codec: text}, w: {tx: c, codec: text}}, points: {a: {in: \"r#\", out: \"w#\", as: num, mul: 2}}, caps: {x.t.a: {type: int, point: a, range: [0, 100, 2]}}}",
	 1},
	{"text with a map",
	 "{msgs: {m: {rx: s, tx: c, codec: text}}, points: {a: {io: \"m#\", map: {ON: true, OFF: false}}}, caps: {switch.on: {point: a}}}",
	 1},
	{"text of seconds",
	 "{msgs: {m: {rx: s, tx: c, codec: text}}, points: {a: {io: \"m#\", as: hms}}, caps: {x.t.a: {type: int, point: a, range: [0, 7200]}}}",
	 1},
	{"tlv with types, from nothing",
	 "{msgs: {m: {rx: s, tx: c, codec: tlv, types: {32: u8, 33: u16le, 41: s16be}}}, points: {a: {io: m#/1, as: u16le}, b: {io: m#/2}, d: {io: m#/3, as: s16be, div: 10}},"
	 " caps: {x.t.a: {type: int, point: a}, x.t.b: {type: int, point: b, range: [0, 255]}, x.t.d: {type: num, res: 0.1, point: d, range: [-50, 50]}}}",
	 3},
	{"tlv with types, an item more than the body has",
	 "{msgs: {m: {rx: s, tx: c, codec: tlv, types: {32: u8, 33: u16le}}}, points: {a: {io: m#/1, as: u16le}, b: {io: m#/2}}, caps: {x.t.a: {type: int, point: a}, x.t.b: {type: int, point: b, range: [0, 255]}},"
	 " tests: [{name: a, rx: [{m: 01 21 05 00}]}]}",
	 2},
	{"tag length value, from nothing",
	 "{msgs: {m: {rx: s, tx: c, codec: tlv}}, points: {a: {io: m#/16, as: s16be}, b: {io: m#/17, as: \"ascii:4\"}}, caps: {x.t.a: {type: int, point: a}, x.t.b: {type: enum, enum: [ab, abcd], point: b}}}",
	 2},
	{"tag length value of another length",
	 "{msgs: {m: {rx: s, tx: c, codec: tlv}}, points: {a: {in: m#/16, out: m#/16, as: u32be}}, caps: {x.t.a: {type: int, point: a, range: [0, 70000]}}, tests: [{name: a, rx: [{m: 10 01 05 11 01 02}]}]}",
	 1},
	{"bytes of all kinds",
	 "{msgs: {m: {rx: s, tx: c, codec: bytes, fill: \"a0 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\", if_byte: {0: 0xa0}}},"
	 " points: {a: {io: \"m@1\", as: s16le}, b: {io: \"m@3.2:3\"}, d: {io: \"m@3.7\", map: {1: true, 0: false}}, e: {io: \"m@4\", as: f32be}, f: {io: \"m@8\", as: bcd2le}, g: {io: \"m@10\", as: u32be.ws}, h: {io: \"m@14\", as: \"ascii:2\"}},"
	 " caps: {x.t.a: {type: num, res: 0.1, point: a, range: [-100, 100], div: 10}, x.t.b: {type: int, point: b, range: [0, 7]}, x.t.d: {type: bool, point: d}, x.t.e: {type: num, res: 0.01, point: e, range: [0, 100]},"
	 " x.t.f: {type: int, point: f, range: [0, 9999]}, x.t.g: {type: int, point: g, range: [0, 1000000]}, x.t.h: {type: enum, enum: [ab, c], point: h}}}",
	 7},
	{"full frame that answers at other offsets",
	 "{msgs: {r: {rx: s, codec: bytes, if_byte: {0: [0xc0, 0xc1]}}, w: {tx: c, codec: bytes, fill: \"40 00 00 00\", reply: r}},"
	 " points: {a: {in: \"r@3\", out: \"w@1\"}, b: {in: \"r@2.4:4\", out: \"w@2.0:4\"}, beep: {out: \"w@3.0\", init: 0, oneshot: true}}, caps: {x.t.a: {type: int, point: a, range: [0, 255]}, x.t.b: {type: int, point: b, range: [0, 15]},"
	 " x.t.beep: {type: int, point: beep, range: [0, 1]}}, tests: [{name: a, rx: [{r: c1 00 50 07}]}]}",
	 3},
	{"read, change and write with a new head",
	 "{msgs: {r: {rx: s, codec: bytes}, w: {tx: c, codec: bytes, mode: rmw, reply: r, fill: \"40 -- --\"}}, points: {a: {in: \"r@2\", out: \"w@2\"}, b: {in: \"r@1.0:4\", out: \"w@1.0:4\"}},"
	 " caps: {x.t.a: {type: int, point: a, range: [0, 255]}, x.t.b: {type: int, point: b, range: [0, 15]}}, tests: [{name: a, rx: [{r: c0 55 66}]}]}",
	 2},
	{"json read, changed and written by another message",
	 "{msgs: {r: {rx: s}, w: {tx: c, mode: rmw, reply: r}}, points: {a: {in: r#/net/n, out: w#/net/n}}, caps: {x.t.a: {type: int, point: a}}, tests: [{name: a, rx: [{r: {net: {n: 1, k: [x]}}}]}]}",
	 1},
	{"whole json in every command",
	 "{msgs: {m: {rx: s, tx: c, mode: full, base: {id: 1}}}, points: {a: {io: m#/p/a}, b: {io: m#/p/b, init: 4}}, caps: {x.t.a: {type: int, point: a}, x.t.b: {type: int, point: b}}}",
	 2},
	{"elements of lists by key",
	 "{msgs: {m: {rx: s, tx: c}}, points: {a: {io: \"m#/[id:3]/v\"}, b: {io: \"m#/[id:4]/v\"}}, caps: {x.t.a: {type: int, point: a}, x.t.b: {type: int, point: b}}}",
	 2},
	{"elements of lists by position",
	 "{msgs: {r: {rx: s}, w: {tx: c}}, points: {a: {in: \"r#/G/[1=3101]/2\", out: w#/a}}, caps: {x.t.a: {type: int, point: a}}, tests: [{name: a, rx: [{r: {G: [[0, 3101, 5]]}}]}]}",
	 1},
	{"base64 layer of bytes, both ways",
	 "{msgs: {d: {rx: s, tx: c}, b: {from: d#/6, decode: base64, codec: bytes, mode: full, fill: \"00 00 00\"}}, points: {a: {io: \"b@0\", as: u16be}, f: {io: \"b@2\"}},"
	 " caps: {x.t.a: {type: int, point: a, range: [0, 1000]}, x.t.f: {type: list, point: f, rw: true, flags: {0: a, 3: b}}}, tests: [{name: a, rx: [{d: {\"6\": AQIJ}}], want: {x.t.f: [a, b]}}, {name: b, rx: [{d: {\"6\": AQIJ}}], write: {x.t.f: [b]}}]}",
	 2},
	{"hex layer of form, in a layer of json, in json",
	 "{msgs: {d: {rx: s, tx: c}, j: {from: d#/j, mode: full}, f: {from: j#/f, decode: hex, codec: form, mode: full}}, points: {a: {io: f#/a, as: num, init: 3}, b: {io: j#/b, init: 2}},"
	 " caps: {x.t.a: {type: int, point: a}, x.t.b: {type: int, point: b}}}",
	 2},
	{"utf16 layer of text, both ways",
	 "{msgs: {d: {rx: s, tx: c}, t: {from: d#/n, decode: utf16b64, codec: text}}, points: {a: {io: \"t#\"}}, caps: {x.t.a: {type: enum, enum: [\"Hi\", \"厨房\"], point: a}}, tests: [{name: a, rx: [{d: {n: AEgAaQ==}}]}]}",
	 1},
	{"json in the text of a form",
	 "{msgs: {d: {rx: s, tx: c, codec: form}, j: {from: d#/j, mode: full}}, points: {a: {io: j#/a, init: 1}}, caps: {x.t.a: {type: int, point: a}}}",
	 1},
	{"layer that comes as a tree and goes as a text",
	 "{msgs: {d: {rx: s, tx: c}, j: {from: d#/j, mode: full}}, points: {a: {io: j#/a}}, caps: {x.t.a: {type: int, point: a}}, tests: [{name: a, rx: [{d: {j: '{\"a\":4,\"k\":5}'}}]}]}",
	 1},
	{"bytes inside bytes",
	 "{msgs: {d: {rx: s, tx: c, codec: bytes, fill: \"aa 00 00 00 00 bb\"}, b: {from: \"d@2\", len: 3, codec: bytes, mode: full, fill: \"00 00 00\"}}, points: {a: {io: \"b@1\", as: u16be, init: 0}, k: {io: \"d@1\", init: 0}},"
	 " caps: {x.t.a: {type: int, point: a, range: [0, 1000]}, x.t.k: {type: int, point: k, range: [0, 255]}}, tests: [{name: a, rx: [{d: aa 07 00 01 02 bb}]}]}",
	 2},
	{"tlv inside hex",
	 "{msgs: {d: {rx: s, tx: c}, t: {from: d#/x, decode: hex, codec: tlv, types: {32: u8}, mode: full}}, points: {a: {io: t#/1, init: 0}, b: {io: t#/2, init: 0}}, caps: {x.t.a: {type: int, point: a, range: [0, 255]}, x.t.b: {type: int, point: b, range: [0, 255]}}}",
	 2},
	{"cbor inside base64",
	 "{msgs: {d: {rx: s, tx: c}, j: {from: d#/x, decode: base64, codec: cbor, mode: full}}, points: {a: {io: j#/a, init: 0}}, caps: {x.t.a: {type: int, point: a}}}",
	 1},
	{"list of records in a frame",
	 "{msgs: {m: {rx: s, tx: c, codec: bytes, fill: \"55 00 00 00 00 00 00\"}}, points: {l: {io: \"m@1\", list: {at: 0, stride: 3, count: 2, pad: 255, fields: {h: {at: 0}, t: {at: 1, as: u16be, div: 10}}}}}, caps: {x.t.l: {type: list, point: l}},"
	 " tests: [{name: a, rx: [{m: 55 06 00 c8 ff ff ff}], want: {x.t.l: [{h: 6, t: 20}]}}, {name: b, write: {x.t.l: [{h: 7, t: 21.5}, {h: 8, t: 1}]}}]}",
	 1},
	{"list packed into a text, read from its layer",
	 "{msgs: {d: {rx: s, tx: c}, b: {from: d#/65, decode: base64, codec: bytes}}, points: {l: {in: \"b@0\", out: d#/65, pack: base64, list: {at: 1, stride: 1, count: 4, head: {0: 9}, fields: {h: {at: 0, bit: 0, w: 5}, d: {at: 0, bit: 5, w: 3}}}}},"
	 " caps: {x.t.l: {type: list, point: l}}, tests: [{name: a, rx: [{d: {\"65\": CSE=}}], want: {x.t.l: [{h: 1, d: 1}]}}, {name: b, write: {x.t.l: [{h: 7, d: 2}, {h: 8, d: 1}]}}]}",
	 1},
	{"one value in two messages, another in one of them",
	 "{msgs: {r: {rx: s}, a: {tx: c}, b: {tx: d}}, points: {p: {in: r#/p, out: [a#/x, b#/y]}, q: {in: r#/q, out: b#/q, order: 3}}, caps: {x.t.p: {type: int, point: p}, x.t.q: {type: int, point: q}, x.t.both: {type: int, expr: p, set: {p: v, q: \"v + 1\"}}}}",
	 3},
	{"parts over fields of a frame, and another field outside of their range",
	 "{msgs: {m: {rx: s, tx: c, codec: bytes, fill: \"00 00\"}}, points: {i: {io: \"m@0.0:4\", init: 0}, h: {io: \"m@0.4\", init: 0}, w: {io: \"m@1.0:5\", init: 0}},"
	 " caps: {thermostat.setpoint: {res: 0.5, range: [13, 30, 0.5], select: [{if: {w: 0}, for: [17, 30], parts: {i: 1, h: 0.5}, add: 16, set: {w: 0}}, {parts: {w: 1, h: 0.5}, add: 12, set: {i: 0}}]}}}",
	 1},
	{"table over three columns with lists and any",
	 "{msgs: {m: {rx: s, tx: c}}, points: {p: {io: m#/p}, q: {io: m#/q}, r: {io: m#/r}}, caps: {x.t.m: {type: enum, table: [p, q, r], rows: [[false, any, any, \"off\"], [true, [1, 2], any, low], [true, 3, [a, b], mid], [true, 3, z, high]]}}}",
	 1},
	{"a value that has two spellings, and one that is only shown",
	 "{msgs: {m: {rx: s, tx: c}}, points: {p: {io: m#/p, map: {cold: cool, cool2: cool, heat: heat}, else: keep}}, caps: {x.t.m: {type: enum, enum: [cool, heat, dry], point: p}}}",
	 1},
	{"flags that keep other bits",
	 "{msgs: {r: {rx: s}, w: {tx: c}}, points: {p: {in: r#/f, out: w#/f}}, caps: {x.t.f: {type: list, point: p, rw: true, flags: {0: a, 1: b, 5: c}}}, tests: [{name: a, rx: [{r: {f: 66}}], write: {x.t.f: [a, c]}, tx: [{w: {f: 97}}]}]}",
	 1},
	{"side effects and limits by mode",
	 "{msgs: {m: {rx: s, tx: c}}, points: {on: {io: m#/on}, b: {io: m#/b}, e: {io: m#/e}, t: {io: m#/t, div: 10}}, caps: {switch.on: {point: on}, ac.boost: {point: b, also: {e: \"v ? false : e\"}}, ac.eco: {point: e, also: {b: \"v ? false : b\"}},"
	 " thermostat.setpoint: {point: t, range: [16, 30, 0.5], avail: {on: true}, limits: [{if: {b: true}, ro: true}, {if: {e: true}, range: [24, 28]}, {range: [16, 30]}]}}, tests: [{name: a, rx: [{m: {on: true, b: false, e: false, t: 200}}]}]}",
	 4},
	{"sentinels, absent and init",
	 "{msgs: {m: {rx: s, tx: c}}, points: {p: {io: m#/p, na: [255, -1]}, q: {io: m#/q, absent: 0}, r: {io: m#/r, init: 5}}, caps: {x.t.p: {type: int, point: p, range: [0, 254]}, x.t.q: {type: int, point: q}, x.t.r: {type: int, point: r}},"
	 " tests: [{name: a, rx: [{m: {p: 255, q: 3}}]}]}",
	 3},
	{"the unit of the device",
	 "{msgs: {m: {rx: s, tx: c}}, points: {u: {io: m#/u, init: c}, f: {io: m#/f, init: 70}, t: {io: m#/t, init: 20}}, caps: {display.unit: {table: [u], rows: [[c, celsius], [f, fahrenheit]]},"
	 " thermostat.setpoint: {range: [10, 30, 0.5], select: [{if: {u: f}, expr: \"(f - 32) / 1.8\", set: {f: \"round(v * 1.8 + 32)\"}}, {point: t}]}}}",
	 2},
	{"toggles of a bit, of a mapped text and of a number",
	 "{msgs: {m: {rx: s}, t1: {tx: c, body: {cmd: a}}, t2: {tx: c, body: {cmd: b}}, t3: {tx: d, codec: bytes, body: \"01 02\"}}, points: {a: {in: m#/a}, b: {in: m#/b, map: {ON: true, OFF: false}}, e: {in: m#/e}},"
	 " caps: {display.on: {point: a, toggle: t1}, switch.on: {point: b, toggle: t2}, child_lock.on: {expr: \"e == 1\", toggle: t3}}, tests: [{name: a, rx: [{m: {a: true, b: OFF, e: 0}}]}]}",
	 3},
	{"an option of the message",
	 "{msgs: {m: {rx: s}, w: {tx: c}}, points: {o: {in: \"m%3412\"}, p: {in: m#/p, out: w#/p}}, caps: {x.t.o: {type: int, point: o, ro: true}, x.t.p: {type: int, point: p}}, tests: [{name: a, rx: [{m: {$opt: {3412: 60}, $body: {p: 1}}}], want: {x.t.o: 60}}]}",
	 1},
	{"repeated components over one message",
	 "{msgs: {m: {rx: s, tx: c}}, repeat: [{for: {n: [1, 2, 3]}, points: {\"on_{n}\": {io: \"m#/r/{n}\"}}, components: {\"outlet_{n}\": {caps: {switch.on: {point: \"on_{n}\"}}}}}]}",
	 3},
	{"an event beside a state",
	 "{msgs: {m: {rx: s, tx: c}}, points: {k: {in: m#/k, map: {S: press, L: long}}, p: {io: m#/p}}, caps: {button.press: {event: {point: k}}, x.t.p: {type: int, point: p}}, tests: [{name: a, rx: [{m: {k: S, p: 1}}]}]}",
	 1, 2},
	{"an event by itself, only some of its values",
	 "{msgs: {m: {rx: s, codec: text}}, points: {k: {in: \"m#\"}}, caps: {button.press: {event: {point: k, only: [press, double]}}}}",
	 0, 2},
	{"an event in a frame with a state",
	 "{msgs: {m: {rx: s, tx: c, codec: bytes, fill: \"a0 00 00\"}}, points: {k: {in: \"m@1.0:2\", map: {1: press, 2: long}}, p: {io: \"m@2\"}}, caps: {button.press: {event: {point: k}}, x.t.p: {type: int, point: p, range: [0, 255]}}, tests: [{name: a, rx: [{m: a0 01 07}]}]}",
	 1, 2},
	{"an event in a block with a state",
	 "{msgs: {m: {rx: s, tx: c, codec: tlv}}, points: {k: {in: m#/1, map: {1: press, 2: long}}, p: {io: m#/2}}, caps: {button.press: {event: {point: k}}, x.t.p: {type: int, point: p, range: [0, 255]}}, tests: [{name: a, rx: [{m: 01 01 02 02 01 07}]}]}",
	 1, 2},
	{"an event in a layer",
	 "{msgs: {d: {rx: s}, j: {from: d#/j}}, points: {k: {in: j#/k}, p: {in: d#/p}}, caps: {button.press: {event: {point: k}}, x.t.p: {type: int, point: p, ro: true}}, tests: [{name: a, rx: [{d: {p: 1, j: '{\"k\":\"press\"}'}}]}]}",
	 0, 5},
	{"commands told apart by their base",
	 "{msgs: {m: {rx: s}, a: {tx: c, base: {cmd: a}}, b: {tx: c, base: {cmd: b, to: [1]}}}, points: {p: {in: m#/p, out: a#/v}, q: {in: m#/q, out: b#/v}}, caps: {x.t.p: {type: int, point: p}, x.t.q: {type: int, point: q}}}",
	 2},
};

static void construct_by_construct(void **state)
{
	(void)state;
	for (size_t i = 0; i < gw_countof(constructs); i++) {
		const struct construct *c = &constructs[i];
		struct gw_profile *p = NULL;
		struct gw_error e = {0};
		struct bench b = {0};
		bool written[MAX_CAPS] = {false};
		if (gw_profile_load_text(NULL, gw_str(c->profile), "test", GW_PROFILE_LAX, &p, &e) <
		    0) {
			fail_msg("%s: %s at %s: %s", c->name, e.code, e.at, e.text);
		}
		play_as(&b, p, &b.vars);
		b.name = c->name;
		bind_as(&b, NULL);
		both_see_the_same(&b);
		write_all(&b, written);
		if (!command_together(&b)) {
			fail_msg("%s: its own state cannot be written", c->name);
		}
		report_once(&b);
		size_t n = 0, happened = 0;
		for (size_t k = 0; k < gw_plan_cap_count(b.plan); k++) {
			bool event = gw_plan_cap(b.plan, k)->kind == GW_KIND_EVENT;
			happened += event ? happen(&b, k) : 0;
		}
		for (size_t k = 0; k < MAX_CAPS; k++) {
			n += written[k];
		}
		if (n != c->written || happened != c->happened) {
			fail_msg("%s: %zu written, %zu happened", c->name, n, happened);
		}
		stop(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(construct_by_construct),
		cmocka_unit_test(conformance_cases),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
