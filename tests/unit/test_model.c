#include "gw_test.h"

#include <errno.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/model.h"

static const struct gw_capability *cap(const char *id)
{
	const struct gw_capability *c = gw_capability_find(gw_str(id));
	assert_non_null(c);
	return c;
}

static bool in_list(const char *const *list, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i], text) == 0) {
			return true;
		}
	}
	return false;
}

static void every_id_is_found(void **state)
{
	(void)state;
	size_t n = 0;
	for (const struct gw_capability *c; (c = gw_capability_at(n)); n++) {
		assert_ptr_equal(gw_capability_find(gw_str(c->id)), c);
		assert_true(c->label_en[0] && c->label_zh[0] && c->group[0]);
		assert_true(c->res.n > 0 && c->res.d > 0);
		assert_true(!c->has_min || !c->has_max || c->min <= c->max);
	}
	assert_int_equal(n, 354);
	n = 0;
	for (const struct gw_device_type *t; (t = gw_device_type_at(n)); n++) {
		assert_ptr_equal(gw_device_type_find(gw_str(t->id)), t);
		assert_true(t->label_en[0] && t->label_zh[0] && t->n_mandatory > 0);
	}
	assert_int_equal(n, 119);
}

static void unknown_ids_are_not_found(void **state)
{
	(void)state;
	static const char *const wrong[] = {"",		 "switch",   "switch.o", "switch.onn",
					    "Switch.on", "x.acme.y", "plug"};
	for (size_t i = 0; i < gw_countof(wrong); i++) {
		assert_null(gw_capability_find(gw_str(wrong[i])));
	}
	assert_null(gw_capability_find((struct gw_str){"switch.on\0x", 11}));
	assert_null(gw_device_type_find(gw_str("switch.on")));
	assert_null(gw_device_type_find((struct gw_str){NULL, 0}));
}

static void columns_are_read(void **state)
{
	(void)state;
	const struct gw_capability *c = cap("thermostat.setpoint");
	assert_int_equal(c->kind, GW_KIND_PROPERTY);
	assert_int_equal(c->type, GW_TYPE_NUM);
	assert_int_equal(c->access, GW_ACCESS_READ | GW_ACCESS_WRITE | GW_ACCESS_NOTIFY);
	assert_string_equal(c->unit, "Cel");
	assert_int_equal(c->res.n, 1);
	assert_int_equal(c->res.d, 10);
	assert_int_equal(c->min, 50);
	assert_int_equal(c->max, 900);
	assert_string_equal(c->label_zh, "目标温度");

	c = cap("meter.power"); /* -1e6..1e6 /0.1 import > 0 */
	assert_int_equal(c->min, -10000000);
	assert_int_equal(c->max, 10000000);
	c = cap("pump.capacity"); /* 0..163 /0.005 */
	assert_int_equal(c->res.n, 5);
	assert_int_equal(c->res.d, 1000);
	assert_int_equal(c->max, 32600);
	c = cap("battery.level"); /* 0..100 /0.5 */
	assert_int_equal(c->res.n, 5);
	assert_int_equal(c->res.d, 10);
	assert_int_equal(c->max, 200);
	c = cap("meter.energy"); /* 0.. /0.001 */
	assert_true(c->has_min && !c->has_max);
	c = cap("meter.current"); /* /0.001 */
	assert_true(!c->has_min && !c->has_max);
	assert_int_equal(c->res.d, 1000);
	c = cap("lock.set_code");
	assert_int_equal(c->access, GW_ACCESS_INVOKE | GW_ACCESS_ADMIN);
	c = cap("lock.unlock");
	assert_int_equal(c->access, GW_ACCESS_INVOKE | GW_ACCESS_SECURITY);
	assert_string_equal(c->home_assistant, "lock.unlock");
	assert_string_equal(c->matter, "DoorLock!UnlockDoor");
}

static void kinds_of_types(void **state)
{
	(void)state;
	const struct gw_capability *c = cap("ac.vane_v"); /* stop,swing,position_1..position_5 */
	assert_int_equal(c->type, GW_TYPE_ENUM);
	assert_int_equal(c->n_symbols, 7);
	assert_string_equal(c->symbols[2], "position_1");
	assert_string_equal(c->symbols[6], "position_5");
	c = cap("program.mode");
	assert_true(c->type == GW_TYPE_ENUM && c->profile_named && c->n_symbols == 0);
	c = cap("operation.error");
	assert_true(c->type == GW_TYPE_ENUM && c->profile_named);
	c = cap("fault.active");
	assert_true(c->type == GW_TYPE_LIST && c->profile_named);
	c = cap("dishwasher.alarms");
	assert_true(c->type == GW_TYPE_LIST && c->n_symbols == 6 && !c->profile_named);
	assert_int_equal(cap("schedule.list")->type, GW_TYPE_LIST);
	assert_int_equal(cap("color.xy")->type, GW_TYPE_REC);
	assert_int_equal(cap("link.last_seen")->type, GW_TYPE_TIME);
}

static void actions_and_events(void **state)
{
	(void)state;
	const struct gw_capability *c = cap("evse.enable"); /* in: until, max current */
	assert_int_equal(c->type, GW_TYPE_NONE);
	assert_int_equal(c->n_args, 2);
	assert_string_equal(c->args[1], "max_current");
	assert_string_equal(cap("fan.step")->args[0], "direction"); /* in: up/down */
	assert_int_equal(cap("camera.stream")->n_args, 0);	    /* out: offer */
	c = cap("button.press");
	assert_int_equal(c->kind, GW_KIND_EVENT);
	assert_int_equal(c->type, GW_TYPE_ENUM);
	assert_int_equal(c->n_symbols, 5);
	assert_int_equal(c->n_args, 2);
	assert_string_equal(c->args[1], "position");
	c = cap("lock.alarm");
	assert_true(c->n_symbols == 5 && in_list(c->symbols, 5, "wrong_code"));
	c = cap("lock.operation"); /* what, source, user */
	assert_true(c->type == GW_TYPE_STR && c->n_args == 3);
	assert_int_equal(cap("doorbell.ring")->type, GW_TYPE_NONE);
}

static void mandatory_with_components(void **state)
{
	(void)state;
	const struct gw_device_type *t = gw_device_type_find(GW_STR("refrigerator"));
	assert_int_equal(t->n_mandatory, 2);
	assert_string_equal(t->mandatory[0], "link.online");
	assert_string_equal(t->mandatory[1], "cabinet:cabinet.setpoint|cabinet.level");
	t = gw_device_type_find(GW_STR("power_strip"));
	assert_string_equal(t->mandatory[0], "outlet:switch.on");
	t = gw_device_type_find(GW_STR("oven"));
	assert_string_equal(t->mandatory[1], "cavity:program.mode");
	t = gw_device_type_find(GW_STR("water_quality_sensor"));
	assert_string_equal(t->mandatory[0], "water.ph|water.tds");
	t = gw_device_type_find(GW_STR("washer_dryer")); /* all of …, without its mandatory ones */
	assert_true(in_list(t->optional, t->n_optional, "laundry.dryness"));
	assert_false(in_list(t->optional, t->n_optional, "program.mode"));
	t = gw_device_type_find(GW_STR("cooktop"));
	assert_true(in_list(t->optional, t->n_optional, "surface:timer.off"));
	assert_true(in_list(t->optional, t->n_optional, "child_lock.on"));
	t = gw_device_type_find(GW_STR("gateway")); /* "light through component" is a remark */
	assert_string_equal(t->optional[t->n_optional - 1], "siren.active");
}

static void names_and_suggestions(void **state)
{
	(void)state;
	assert_string_equal(gw_unit_symbol("Cel"), "°C");
	assert_string_equal(gw_unit_symbol("kW.h"), "kWh");
	assert_string_equal(gw_unit_symbol("1"), "");
	assert_string_equal(gw_unit_symbol("furlong"), "furlong");
	assert_string_equal(gw_type_name(GW_TYPE_ENUM), "enum");
	assert_string_equal(gw_type_name(GW_TYPE_NONE), "none");
	assert_string_equal(gw_capability_suggest(GW_STR("temperature.mesured")),
			    "temperature.measured");
	assert_string_equal(gw_device_type_suggest(GW_STR("dish_washer")), "dishwasher");
	assert_null(gw_capability_suggest(GW_STR("qqqqqqqqqqqq")));
	assert_null(gw_capability_suggest(GW_STR("")));
	char longer[200];
	memset(longer, 'a', sizeof(longer));
	assert_null(gw_capability_suggest((struct gw_str){longer, sizeof(longer)}));
}

/* --- wanted values --- */

static struct gw_domain domain(const char *id)
{
	struct gw_domain d;
	gw_capability_domain(cap(id), &d);
	return d;
}

static void accepts(const char *text, const struct gw_domain *d, const char *json)
{
	struct gw_value v = {.type = GW_VALUE_NONE};
	struct gw_error e;
	struct gw_buf b = GW_BUF_INIT(10000);
	if (gw_value_parse(gw_str(text), d, &v, &e) != 0) {
		fail_msg("%s: %s", text, e.text);
	}
	gw_value_write_json(&b, &v, d->res);
	assert_string_equal(b.p, json);
	gw_buf_fini(&b);
	gw_value_fini(&v);
}

static void refuses(const char *text, const struct gw_domain *d, const char *code, const char *said)
{
	struct gw_value v = {.type = GW_VALUE_BOOL, .flag = true};
	struct gw_error e;
	assert_int_equal(gw_value_parse(gw_str(text), d, &v, &e), -EINVAL);
	assert_string_equal(e.code, code);
	if (!strstr(e.text, said)) {
		fail_msg("%s: \"%s\" does not say \"%s\"", text, e.text, said);
	}
	assert_true(v.type == GW_VALUE_BOOL && v.flag); /* outputs stay untouched */
}

static void wanted_numbers(void **state)
{
	(void)state;
	struct gw_domain d = domain("thermostat.setpoint");
	d.min = 160;
	d.max = 310;
	accepts("21.5", &d, "21.5");
	accepts(" 16\n", &d, "16");
	accepts("21.04", &d, "21"); /* rounded to the resolution first */
	accepts("31.04", &d, "31");
	refuses("35", &d, "range", "35 °C is above the highest allowed 31 °C");
	refuses("-3.25", &d, "range", "-3.3 °C is below the lowest allowed 16 °C");
	refuses("1e300", &d, "range", "too large");
	refuses("warm", &d, "type", "expected a number, got the text \"warm\"");
	refuses("", &d, "type", "a number");
	refuses("21,5", &d, "type", "a number");
	refuses("21.5°C", &d, "type", "a number");
	refuses("true", &d, "type", "a number");
	d.step = 5;
	accepts("21.5", &d, "21.5");
	refuses("21.3", &d, "step", "21.3 °C is not a whole number of steps of 0.5 °C from 16 °C");
	d.has_min = false;
	d.step = 4;
	accepts("-0.8", &d, "-0.8");
	refuses("-0.7", &d, "step", "from 0 °C");
	d = domain("fan.speed");
	accepts("3.4", &d, "3");
	refuses("101", &d, "range", "101 is above the highest allowed 100");
}

static void wanted_others(void **state)
{
	(void)state;
	struct gw_domain d = domain("switch.on");
	accepts("on", &d, "true");
	accepts("OFF", &d, "false");
	accepts("true", &d, "true");
	accepts("0", &d, "false");
	refuses("maybe", &d, "type", "expected true or false, got the text \"maybe\"");
	refuses("1.0", &d, "type", "true or false");

	d = domain("thermostat.mode");
	accepts("cool", &d, "\"cool\"");
	accepts("\"heat\"", &d, "\"heat\"");
	refuses("chill", &d, "value", "\"chill\" is not one of off, auto, cool");
	refuses("Cool", &d, "value", "\"Cool\"");
	refuses("\"cool", &d, "type", "JSON");
	d = domain("media.input"); /* the profile names them */
	accepts("hdmi_1", &d, "\"hdmi_1\"");

	d = domain("media.app");
	accepts(" a\"b", &d, "\" a\\\"b\"");
	accepts("", &d, "\"\"");
	char longer[5000];
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	refuses(longer, &d, "range", "4096");

	d = domain("dishwasher.alarms");
	accepts("[\"door\", \"drain\"]", &d, "[\"door\",\"drain\"]");
	accepts("[]", &d, "[]");
	refuses("[\"window\"]", &d, "value", "\"window\" is not one of inflow");
	refuses("[1]", &d, "type", "symbols");
	refuses("door", &d, "type", "expected a list as JSON");
	d = domain("color.xy");
	accepts("{\"y\":0.25,\"x\":0.5}", &d, "{\"x\":0.5,\"y\":0.25}");
	refuses("[0.5,0.25]", &d, "type", "expected a map, got a list");
	d = domain("switch.toggle");
	refuses("true", &d, "type", "expected nothing");
}

static void wanted_nodes(void **state)
{
	(void)state;
	struct gw_domain d = domain("thermostat.setpoint");
	struct gw_value v = {.type = GW_VALUE_NONE};
	struct gw_node number = {.type = GW_NODE_NUMBER, .number = 25.349999999999998};
	assert_int_equal(gw_value_from_node(&number, &d, &v, NULL), 0);
	assert_true(v.type == GW_VALUE_NUMBER && v.count == 254);
	struct gw_node null = {.type = GW_NODE_NULL};
	struct gw_error e;
	assert_int_equal(gw_value_from_node(&null, &d, &v, &e), -EINVAL);
	assert_string_equal(e.code, "type");
	d = domain("switch.on");
	number.number = 1; /* no silent conversion of JSON types */
	assert_int_equal(gw_value_from_node(&number, &d, &v, &e), -EINVAL);
	assert_string_equal(e.text, "expected true or false, got a number");
}

/* Each allocation fails once: the answer is out of memory, and nothing leaks. */
static void out_of_memory(void **state)
{
	(void)state;
	static const struct {
		const char *id, *text;
	} cases[] = {{"thermostat.mode", "cool"}, {"dishwasher.alarms", "[\"door\"]"}};
	for (size_t i = 0; i < gw_countof(cases); i++) {
		struct gw_domain d = domain(cases[i].id);
		struct gw_value v;
		int r = -ENOMEM;
		uint64_t nth;
		for (nth = 1; r == -ENOMEM && nth < 100; nth++) {
			gw_alloc_fail_at(nth);
			r = gw_value_parse(gw_str(cases[i].text), &d, &v, NULL);
		}
		gw_alloc_fail_at(0);
		assert_int_equal(r, 0);
		assert_true(nth > 2);
		gw_value_fini(&v);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_id_is_found),
		cmocka_unit_test(unknown_ids_are_not_found),
		cmocka_unit_test(columns_are_read),
		cmocka_unit_test(kinds_of_types),
		cmocka_unit_test(actions_and_events),
		cmocka_unit_test(mandatory_with_components),
		cmocka_unit_test(names_and_suggestions),
		cmocka_unit_test(wanted_numbers),
		cmocka_unit_test(wanted_others),
		cmocka_unit_test(wanted_nodes),
		cmocka_unit_test(out_of_memory),
	};
	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
