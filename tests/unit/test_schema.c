#include "gw_test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "profile/compose.h"

struct row {
	const char *profile, *part, *code, *at,
		*text; /* code NULL: nothing is refused; text: a part of the error's text */
	unsigned flags;
};

static void check_row(const struct row *row)
{
	struct gw_arena *a = gw_arena_new(1 << 20);
	struct gw_node *tree = NULL;
	struct gw_error error = {0};
	assert_int_equal(gw_node_parse_yaml(a, gw_str(row->profile), NULL, &tree, &error), 0);
	memset(&error, 0, sizeof(error));
	int r = gw_schema_check(tree, row->part, row->flags, &error);
	bool same = row->code ? r == -EINVAL && strcmp(error.code, row->code) == 0 &&
					strcmp(error.at, row->at) == 0 &&
					(!row->text || strstr(error.text, row->text))
			      : r == 0;
	if (!same) {
		print_error("%s\n%d %s at %s: %s\n", row->profile, r, error.code, error.at,
			    error.text);
	}
	assert_true(same);
	gw_arena_free(a);
}

#define LAX GW_PROFILE_LAX

static const struct row heads[] = {
	{"{profile: 1, id: a.b, version: 1.0.0, type: plug, name: A, tests: []}", "", NULL, NULL,
	 NULL, 0},
	{"{id: a.b, version: 1.0.0, type: plug, name: A, tests: []}", "", "schema", "/profile",
	 "needs \"profile\"", 0},
	{"{profile: 1, id: a.b, version: 1.0.0, type: plug, name: A}", "", "schema", "/tests", NULL,
	 0},
	{"{profile: 1, id: a.b, version: 1.0.0, type: plug, name: A}", "", NULL, NULL, NULL,
	 GW_PROFILE_IMPORTED},
	{"{profile: 1, id: a.b, version: 1.0.0, name: A}", "", "schema", "/type", NULL,
	 GW_PROFILE_IMPORTED},
	{"{profile: 1, id: a.b, version: 1.0.0, name: A, fragment: true}", "", NULL, NULL, NULL, 0},
	{"{}", "", NULL, NULL, NULL, LAX},
	{"{profile: 2}", "", "schema", "/profile", "language version 1, found 2", LAX},
	{"{id: A}", "", "schema", "/id", NULL, LAX},
	{"{version: 1.0}", "", "schema", "/version", "found 1", LAX},
	{"{version: \"1.0\"}", "", "schema", "/version", NULL, LAX},
	{"{capz: {}}", "", "schema", "/capz", "did you mean \"caps\"?", LAX},
	{"{name: {en: 1}}", "", "schema", "/name/en", "expected a text, found 1", LAX},
	{"{extends: [a]}", "", "schema", "/extends", NULL, LAX},
	{"{vars: {a b: {}}}", "", "name", "/vars/a b", NULL, LAX},
	{"{vars: {a: {secret: 1}}}", "", "schema", "/vars/a/secret", NULL, LAX},
	{"{vars: {a: {default: [1]}}}", "", "schema", "/vars/a/default", NULL, LAX},
	{"{link: {every: 5 s}}", "", "schema", "/link/every", "duration", LAX},
	{"{link: {every: 5}}", "", "schema", "/link/every", NULL, LAX},
	{"{link: {every: 0, min_gap: 150ms, confirm: {within: 3s, else: reread}, stale_after: \"a * 2\", con: true}}",
	 "", NULL, NULL, NULL, LAX},
	{"{link: {confirm: {else: retry}}}", "", "schema", "/link/confirm/else",
	 "none, reread or resend", LAX},
	{"{link: {presence: {point: p}}}", "", "schema", "/link/presence/is", NULL, LAX},
	{"{repeat: [{points: {}}]}", "", "schema", "/repeat/0/for", NULL, LAX},
	{"{repeat: [{for: {n: [1]}, vars: {}}]}", "", "schema", "/repeat/0/vars", NULL, LAX},
	{"{advice: [{if: {x: 1}, level: info, text: t}]}", "", "variant", "/advice/0/if/x", NULL,
	 LAX},
	{"{vars: {x: {}}, advice: [{if: {x: {ge: \"1.9\"}}, level: high, text: t}]}", "", "schema",
	 "/advice/0/level", NULL, LAX},
	{"{moved: {a: 1}}", "", "schema", "/moved/a", NULL, LAX},
	{"{no_test: [a/b], license: MIT}", "", NULL, NULL, NULL, LAX},
};

static const struct row matches[] = {
	{"{match: [{miio_model: a, tuya_product: b}]}", "match", "schema", "/match/0", "found 2",
	 0},
	{"{match: [{json: {/a: 1}}]}", "match", "schema", "/match/0", "found 0", 0},
	{"{match: [{mqtt: a/#/b}]}", "match", "schema", "/match/0/mqtt", "topic filter", 0},
	{"{match: [{mqtt: a/+, json: {a: 1}}]}", "match", "schema", "/match/0/json/a",
	 "JSON Pointer", 0},
	{"{match: [{mqtt: a/+, set: {x: topic}}]}", "match", "schema", "/match/0/set/x", NULL, 0},
	{"{match: [{mqtt: a/+, set: {x: \"topic:1\", y: /a/b, z: id, o: \"opt:3332:1\", q: \"opt:7\", n: \"name:0\", t: \"txt:md\"}}]}",
	 "match", NULL, NULL, NULL, 0},
	{"{match: [{mdns: {service: a, txtt: {}}}]}", "match", "schema", "/match/0/mdns/txtt",
	 "\"txt\"", 0},
	{"{match: [{coap: {rt: a, links: [\"</a>*\"], option: {3332: \"S*\"}}}]}", "match", NULL,
	 NULL, NULL, 0},
	{"{match: [{ssdp: {server: \"*Roku*\", headers: {a: \"*\"}}}]}", "match", NULL, NULL, NULL,
	 0},
	{"{match: [{ssdp: {server: {a: 1}}}]}", "match", "schema", "/match/0/ssdp/server", NULL, 0},
	{"{match: [{midea_type: 172}]}", "match", NULL, NULL, NULL, 0},
	{"{match: [{midea_type: []}]}", "match", "schema", "/match/0/midea_type", NULL, 0},
	{"{match: {}}", "match", "schema", "/match",
	 "expected a list of match entries, found a map", 0},
};

static const struct row messages[] = {
	{"{msgs: {M: {rx: s}}}", "msgs", "name", "/msgs/M", NULL, 0},
	{"{msgs: {m: {codec: json}}}", "msgs", "schema", "/msgs/m", "rx tx get put post from", 0},
	{"{msgs: {m: {rx: [], tx: c}}}", "msgs", "schema", "/msgs/m/rx", NULL, 0},
	{"{msgs: {m: {rx: s, codec: jsn}}}", "msgs", "schema", "/msgs/m/codec",
	 "did you mean \"json\"?", 0},
	{"{msgs: {m: {rx: s, codec: text, mode: rmw}}}", "msgs", "schema", "/msgs/m/mode", NULL, 0},
	{"{msgs: {m: {rx: s, fill: \"00\"}}}", "msgs", "schema", "/msgs/m/fill", "bytes", 0},
	{"{msgs: {m: {tx: s, codec: bytes, fill: \"0 0\"}}}", "msgs", "schema", "/msgs/m/fill",
	 "hex pairs", 0},
	{"{msgs: {m: {tx: s, codec: bytes, fill: \"00 --\"}}}", "msgs", "schema", "/msgs/m/fill",
	 "rmw", 0},
	{"{msgs: {m: {rx: s, tx: c, codec: bytes, fill: \"00 -- ff\", mode: rmw}}}", "msgs", NULL,
	 NULL, NULL, 0},
	{"{msgs: {m: {rx: s, codec: bytes, if_byte: {0: 0xC0, 10: [1, 2]}}}}", "msgs", NULL, NULL,
	 NULL, 0},
	{"{msgs: {m: {rx: s, codec: bytes, if_byte: {0: 256}}}}", "msgs", "schema",
	 "/msgs/m/if_byte/0", NULL, 0},
	{"{msgs: {m: {rx: s, if_byte: {0: 1}}}}", "msgs", "schema", "/msgs/m/if_byte", NULL, 0},
	{"{msgs: {m: {rx: s, qos: 3}}}", "msgs", "schema", "/msgs/m/qos", NULL, 0},
	{"{msgs: {m: {rx: s, on: [boot]}}}", "msgs", "schema", "/msgs/m/on/0", NULL, 0},
	{"{msgs: {m: {rx: s, decode: hex}}}", "msgs", "schema", "/msgs/m/decode", NULL, 0},
	{"{msgs: {m: {from: a#/b, decode: base64, codec: bytes, len: 4}}}", "msgs", NULL, NULL,
	 NULL, 0},
	{"{msgs: {m: {from: a#/b, tx: c}}}", "msgs", "schema", "/msgs/m/from", NULL, 0},
	{"{msgs: {m: {rx: s, codec: tlv, types: {33: u16le}}}}", "msgs", NULL, NULL, NULL, 0},
	{"{msgs: {m: {rx: s, types: {33: u16le}}}}", "msgs", "schema", "/msgs/m/types", NULL, 0},
	{"{msgs: {m: 1}}", "msgs", "schema", "/msgs/m", "expected a message, found 1", 0},
};

static const struct row points[] = {
	{"{points: {p: {in: m#/a, scale: 10}}}", "points", "schema", "/points/p/scale", NULL, 0},
	{"{points: {v: {in: m#/a}}}", "points", "name", "/points/v", NULL, 0},
	{"{points: {bits: {in: m#/a}}}", "points", "name", "/points/bits", NULL, 0},
	{"{points: {not: {in: m#/a}}}", "points", "name", "/points/not", NULL, 0},
	{"{points: {p: {as: u8}}}", "points", "schema", "/points/p", "in out io", 0},
	{"{points: {p: {io: m#/a, in: m#/b}}}", "points", "schema", "/points/p/io", NULL, 0},
	{"{points: {p: {in: m#/a, map: {x: 1}, mul: 2}}}", "points", "schema", "/points/p/map",
	 NULL, 0},
	{"{points: {p: {in: m#/a, else: 1}}}", "points", "schema", "/points/p/else", NULL, 0},
	{"{points: {p: {in: m#/a, div: 0}}}", "points", "schema", "/points/p/div", NULL, 0},
	{"{points: {p: {out: m#/a, oneshot: true}}}", "points", "schema", "/points/p/oneshot", NULL,
	 0},
	{"{points: {p: {out: m#/a, oneshot: false}}}", "points", NULL, NULL, NULL, 0},
	{"{points: {p: {out: m#/a, order: 0}}}", "points", "schema", "/points/p/order", NULL, 0},
	{"{points: {p: {in: [m#/a, 1]}}}", "points", "schema", "/points/p/in/1", NULL, 0},
	{"{points: {p: {in: m@0, list: {stride: 2, count: 3, fields: {a: {at: 0, bit: 1, w: 2}}}}}}",
	 "points", NULL, NULL, NULL, 0},
	{"{points: {p: {in: m@0, list: {stride: 2, count: 3, fields: {a: {at: 0, w: 2}}}}}}",
	 "points", "schema", "/points/p/list/fields/a/w", NULL, 0},
	{"{points: {p: {in: m@0, list: {count: 3, fields: {a: {at: 0}}}}}}", "points", "schema",
	 "/points/p/list/stride", NULL, 0},
	{"{points: {p: {in: m#/a, na: [255, null]}}}", "points", NULL, NULL, NULL, 0},
};

static const struct row caps[] = {
	{"{caps: {x.t.a: {type: int, const: 1, colour: red}}}", "caps", "schema",
	 "/caps/x.t.a/colour", NULL, 0},
	{"{caps: {x.t.a: {type: integer, const: 1}}}", "caps", "type", "/caps/x.t.a/type",
	 "bool, int", 0},
	{"{caps: {x.t.a: {type: int, select: [{select: [{const: 1}]}]}}}", "caps", "schema",
	 "/caps/x.t.a/select/0/select", NULL, 0},
	{"{caps: {x.t.a: {type: enum, table: [p], rows: [[1, 2, a]]}}}", "caps", "schema",
	 "/caps/x.t.a/rows/0", "found 3", 0},
	{"{caps: {x.t.a: {type: enum, table: [p, q], rows: [[1, any, a], {cells: [1], value: b}]}}}",
	 "caps", "schema", "/caps/x.t.a/rows/1", "2 cells", 0},
	{"{caps: {x.t.a: {type: enum, table: [p], rows: [[{a: 1}, a]]}}}", "caps", "schema",
	 "/caps/x.t.a/rows/0", NULL, 0},
	{"{caps: {x.t.a: {type: enum, select: [{table: [p], rows: [[a]]}]}}}", "caps", "schema",
	 "/caps/x.t.a/select/0/rows/0", NULL, 0},
	{"{caps: {x.t.a: {type: int, point: p, range: [5, 1]}}}", "caps", "range",
	 "/caps/x.t.a/range", NULL, 0},
	{"{caps: {x.t.a: {type: int, point: p, range: [1]}}}", "caps", "range", "/caps/x.t.a/range",
	 NULL, 0},
	{"{caps: {x.t.a: {type: int, point: p, range: [1, 5, 0]}}}", "caps", "range",
	 "/caps/x.t.a/range", NULL, 0},
	{"{caps: {x.t.a: {type: int, point: p, range: [lo, hi]}}}", "caps", NULL, NULL, NULL, 0},
	{"{caps: {x.t.a: {type: int, select: [{for: [1], point: p}]}}}", "caps", "range",
	 "/caps/x.t.a/select/0/for", NULL, 0},
	{"{caps: {x.t.a: {type: num, point: p, res: 0}}}", "caps", "res", "/caps/x.t.a/res", NULL,
	 0},
	{"{caps: {x.t.a: {type: num, point: p, res: 0.0000001}}}", "caps", "res", "/caps/x.t.a/res",
	 NULL, 0},
	{"{caps: {x.t.a: {type: int, expr: p, set: {p: null}}}}", "caps", "schema",
	 "/caps/x.t.a/set/p", NULL, 0},
	{"{caps: {x.t.a: {type: int, expr: p, set: {p: [1]}}}}", "caps", "schema",
	 "/caps/x.t.a/set/p", NULL, 0},
	{"{caps: {x.t.a: {type: int, point: p, set: {p: v}}}}", "caps", "schema", "/caps/x.t.a/set",
	 "expr", 0},
	{"{caps: {x.t.a: {type: int, point: p, rows: [[1, 2]]}}}", "caps", "schema",
	 "/caps/x.t.a/rows", NULL, 0},
	{"{caps: {x.t.a: {type: int, point: p, limits: [{if: 5}]}}}", "caps", "schema",
	 "/caps/x.t.a/limits/0/if", NULL, 0},
	{"{caps: {x.t.a: {event: {point: p, on: rise}}}}", "caps", "schema", "/caps/x.t.a/event/on",
	 NULL, 0},
	{"{caps: {x.t.a: {action: {p: a}, args: {a: {type: int, range: [0, 5], default: 1}}, send: [m]}}}",
	 "caps", NULL, NULL, NULL, 0},
	{"{caps: {x.t.a: {toggle: m}}}", "caps", "schema", "/caps/x.t.a/toggle", NULL, 0},
	{"{caps: {x.t.a: {type: list, point: p, flags: {8: a, x: b}}}}", "caps", "schema",
	 "/caps/x.t.a/flags/x", NULL, 0},
	{"{components: {Outlet: {}}}", "components", "name", "/components/Outlet", NULL, 0},
	{"{components: {o: {caps: {switch.on: {point: p, confirm: {by: 1}}}}}}", "components",
	 "schema", "/components/o/caps/switch.on/confirm/by", NULL, 0},
};

static const struct row rest[] = {
	{"{variants: [{if: {p: 1}, caps: {}}]}", "variants", "variant", "/variants/0/if/p", NULL,
	 0},
	{"{vars: {fw: {}}, variants: [{if: {fv: 1}}]}", "variants", "variant", "/variants/0/if/fv",
	 "\"fw\"", 0},
	{"{vars: {fw: {}}, variants: [{if: {fw: {ge: 1, above: 2}}}]}", "variants", "schema",
	 "/variants/0/if/fw/above", NULL, 0},
	{"{variants: [{caps: {}}]}", "variants", "schema", "/variants/0/if", NULL, 0},
	{"{vars: {fw: {}}, variants: [{if: {fw: 1}, vars: {}}]}", "variants", "schema",
	 "/variants/0/vars", NULL, 0},
	{"{tests: [{name: a, rx: [{m: 1, n: 2}]}]}", "tests", "schema", "/tests/0/rx/0", NULL, 0},
	{"{tests: [{name: a}, {name: a}]}", "tests", "name", "/tests/1/name", NULL, 0},
	{"{tests: [{rx: []}]}", "tests", "schema", "/tests/0/name", NULL, 0},
	{"{tests: [{name: a, vars_out: null}]}", "tests", "schema", "/tests/0/vars_out", NULL, 0},
	{"{tests: [{name: a, steps: [{reset: true}], want: {}}]}", "tests", "schema",
	 "/tests/0/steps", NULL, 0},
	{"{tests: [{name: a, match: {mqtt: a}, vars_out: null}, {name: b, act: [x, {a: 1}], tx: []}]}",
	 "tests", NULL, NULL, NULL, 0},
	{"{}", "tests", NULL, NULL, NULL, 0},
};

#define TEST_ROWS(name)                                                                            \
	static void check_##name(void **state)                                                     \
	{                                                                                          \
		(void)state;                                                                       \
		for (size_t i = 0; i < gw_countof(name); i++) {                                    \
			check_row(&name[i]);                                                       \
		}                                                                                  \
	}

TEST_ROWS(heads)
TEST_ROWS(matches)
TEST_ROWS(messages)
TEST_ROWS(points)
TEST_ROWS(caps)
TEST_ROWS(rest)

static void too_many_points(void **state)
{
	(void)state;
	struct gw_buf b = GW_BUF_INIT(1 << 20);
	for (int n = 512; n <= 513; n++) {
		gw_buf_reset(&b);
		gw_buf_puts(&b, "{points: {");
		for (int i = 0; i < n; i++) {
			gw_buf_printf(&b, "p%d: {in: m#/a}, ", i);
		}
		gw_buf_puts(&b, "}}");
		check_row(&(struct row){.profile = b.p,
					.part = "points",
					.code = n == 512 ? NULL : "size",
					.at = "/points"});
	}
	gw_buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_heads),	   cmocka_unit_test(check_matches),
		cmocka_unit_test(check_messages),  cmocka_unit_test(check_points),
		cmocka_unit_test(check_caps),	   cmocka_unit_test(check_rest),
		cmocka_unit_test(too_many_points),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
