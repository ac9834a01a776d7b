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

static void failed_allocations(void **state)
{
	struct profile_case c;
	(void)state;
	case_open(&c, ac);
	assert_int_equal(case_receive(&c, "m", "{\"1\":true,\"4\":\"cold\"}"), 0);
	const struct gw_node heat = {.type = GW_NODE_TEXT, .text = GW_STR("heat")};
	const struct gw_wanted wanted = {GW_STR("thermostat.mode"), &heat};
	for (uint64_t n = 1;; n++) {
		struct gw_outgoing out = {0};
		gw_alloc_fail_at(n);
		int r = gw_binding_write(c.b, &wanted, 1, 0, &out, &c.refused);
		gw_alloc_fail_at(0);
		if (r == 0) {
			assert_int_equal(out.n_msgs, 1);
			gw_outgoing_fini(&out);
			assert_true(n > 4);
			break;
		}
	}
	case_close(&c);
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
		cmocka_unit_test(failed_allocations),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
