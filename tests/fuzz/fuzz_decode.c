/* Bodies from devices, through every codec, layers, selectors and forms of one profile. The first byte chooses the message. */
#include <stdlib.h>

#include "gw/binding.h"

static const char profile[] =
	"msgs: {j: {rx: a, tx: b, mode: rmw, if_json: {/z: [0, 1]}}, s: {rx: c}, b: {rx: d, tx: e, codec: bytes, fill: '00 01 02 03', if_byte: {0: [0, 1]}},\n"
	"  v: {rx: f, codec: tlv, types: {1: u8, 2: u16le}}, w: {rx: g, codec: tlv}, f: {rx: h, codec: form}, c: {rx: i, codec: cbor}, t: {rx: k, codec: text},\n"
	"  l: {from: j#/l, codec: json}, h: {from: j#/h, decode: hex, codec: bytes}, x: {from: \"h@1\", codec: tlv}, u: {from: j#/u, decode: utf16b64, codec: text}}\n"
	"points: {a: {io: j#/a/b, map: {\"1\": true, \"ON\": false}}, n: {in: [j#/n, l#/n, c#/n, 's#/[k=1]/v', 's#/0/1'], mul: 3, absent: 1}, i: {in: j#/list/3},\n"
	"  r: {io: \"b@1\", as: s16be, init: 0}, q: {in: \"b@3.2:3\"}, y: {in: 'v#/1'}, g: {in: 'w#/2', as: 'ascii:2'}, o: {in: f#/o, as: hms}, p: {in: 't#', as: num},\n"
	"  k: {in: \"h@0\", list: {at: 0, stride: 2, count: 3, pad: 255, fields: {h: {at: 0}, m: {at: 1, bit: 2, w: 3}}}}, e: {in: x#/1}, m: {in: 'u#'}, d: {in: 'j%5'}}\n"
	"caps: {switch.on: {point: a}, x.t.n: {type: num, res: 0.01, point: n, ro: true}, x.t.k: {type: list, point: k, ro: true}, x.t.m: {type: str, point: m, ro: true},\n"
	"  x.t.f: {type: list, point: i, flags: {0: a, 5: b}}, x.t.e: {type: num, expr: \"r + or(q, 1) * n\"}, button.press: {event: {point: m}}, x.t.g: {type: str, point: g, ro: true}}\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gw_plan *plan; /* made once: compiling is fuzz_profile's business */
	const struct gw_vars none = {0};
	struct gw_binding *b;
	struct gw_received received;
	if (!plan) {
		struct gw_library *l;
		struct gw_profile *p;
		if (gw_library_new(NULL, 0, &l) < 0 ||
		    gw_profile_load_text(l, gw_str(profile), "fuzz", GW_PROFILE_LAX, &p, NULL) <
			    0 ||
		    gw_plan_get(p, &none, &plan, NULL) < 0) {
			abort();
		}
		gw_profile_unref(p);
		gw_library_free(l);
	}
	if (size > 0 && gw_binding_new(plan, &none, &b, NULL) == 0) {
		const struct gw_body body = {.bytes = {(const char *)data + 1, size - 1}};
		int r = 0;
		for (int i = 0; r == 0 && i < 2; i++) { /* onto nothing, then onto itself */
			r = gw_binding_receive(b, data[0] % 8, &body, false, 0, &received);
		}
		gw_binding_free(b);
	}
	return 0;
}
