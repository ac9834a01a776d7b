/* The line protocol (profile-language §15): exact answers. */
#include "gw_test.h"

#include "profile_case.h"

static const char lamp[] =
	"vars: {id: {}}\nmatch: [{mdns: {name: \"lamp-*\"}, set: {id: \"name:1\"}}]\n"
	"msgs: {m: {rx: s, tx: c}, b: {tx: d, codec: bytes, fill: '0A FF'}, t: {rx: t, codec: text}}\n"
	"points: {on: {io: m#/on}, k: {in: \"t#\"}, lv: {in: m#/lv, div: 10}, x: {out: \"b@1\"}}\n"
	"caps: {switch.on: {point: on}, button.press: {event: {point: k}}, identify.run: {action: {x: 3}},\n"
	"  x.t.lv: {type: num, res: 0.1, point: lv, ro: true}}\n"
	"components: {side: {name: Side, caps: {switch.on: {point: on, ro: true}}}}\n";

static const struct {
	const char *request, *answer;
} dialogue[] = {
	{"{}",
	 "{\"error\":null,\"events\":[],\"tx\":[],\"vars_out\":null,\"want\":{\"side/switch.on\":null,\"switch.on\":null,\"x.t.lv\":null}}"},
	{"{\"rx\":[{\"m\":{\"on\":true,\"lv\":239}},{\"t\":\"press\"}]}",
	 "{\"error\":null,\"events\":[{\"button.press\":\"press\"}],\"tx\":[],\"vars_out\":null,\"want\":{\"side/switch.on\":true,\"switch.on\":true,\"x.t.lv\":23.9}}"},
	{"{\"write\":{\"switch.on\":false}}",
	 "{\"error\":null,\"events\":[],\"tx\":[{\"m\":{\"on\":false}}],\"vars_out\":null,\"want\":{\"side/switch.on\":true,\"switch.on\":true,\"x.t.lv\":23.9}}"},
	{"{\"act\":{\"identify.run\":{}}}",
	 "{\"error\":null,\"events\":[],\"tx\":[{\"b\":\"0a 03\"}],\"vars_out\":null,\"want\":{\"side/switch.on\":true,\"switch.on\":true,\"x.t.lv\":23.9}}"},
	{"{\"match\":{\"mdns\":{\"name\":\"lamp-7\"}}}",
	 "{\"error\":null,\"events\":[],\"tx\":[],\"vars_out\":{\"id\":\"7\"},\"want\":{\"side/switch.on\":true,\"switch.on\":true,\"x.t.lv\":23.9}}"},
	{"{\"rx\":[{\"m\":{\"on\":false}},{\"nope\":1},{\"m\":{\"lv\":1}}]}", /* the first error stops the rest */
	 "{\"error\":\"unknown-message\",\"events\":[],\"tx\":[],\"vars_out\":null,\"want\":{\"side/switch.on\":false,\"switch.on\":false,\"x.t.lv\":23.9}}"},
	{"{\"write\":{\"switch.on\":true,\"side/switch.on\":true}}",
	 "{\"error\":\"readonly\",\"events\":[],\"tx\":[],\"vars_out\":null,\"want\":{\"side/switch.on\":false,\"switch.on\":false,\"x.t.lv\":23.9}}"},
	{"[1]",
	 "{\"error\":\"line\",\"events\":[],\"tx\":[],\"vars_out\":null,\"want\":{\"side/switch.on\":false,\"switch.on\":false,\"x.t.lv\":23.9}}"},
	{"{\"reset\":true",
	 "{\"error\":\"line\",\"events\":[],\"tx\":[],\"vars_out\":null,\"want\":{\"side/switch.on\":false,\"switch.on\":false,\"x.t.lv\":23.9}}"},
	{"{\"write\":{\"switch.on\":true},\"rx\":[{\"m\":{\"lv\":5}}],\"reset\":true}", /* reset, rx, write, whatever the order */
	 "{\"error\":null,\"events\":[],\"tx\":[{\"m\":{\"on\":true}}],\"vars_out\":null,\"want\":{\"side/switch.on\":null,\"switch.on\":null,\"x.t.lv\":0.5}}"},
	{"{\"rx\":[{\"m\":\"{\"}]}",
	 "{\"error\":\"body\",\"events\":[],\"tx\":[],\"vars_out\":null,\"want\":{\"side/switch.on\":null,\"switch.on\":null,\"x.t.lv\":0.5}}"},
};

static void exact_answers(void **state)
{
	struct profile_case c;
	(void)state;
	case_open(&c, lamp);
	for (size_t i = 0; i < gw_countof(dialogue); i++) {
		gw_buf_reset(&c.text);
		assert_int_equal(gw_line_answer(c.b, gw_str(dialogue[i].request), &c.text), 0);
		assert_string_equal(c.text.p, dialogue[i].answer);
	}
	case_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(exact_answers)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
