/* Files of what a broker holds: Homie, Home Assistant, zigbee2mqtt; each construct on its own, and several devices at once. */
#include "import_case.h"

#include "gw/alloc.h"

static void test_each_construct(void **state)
{
	(void)state;
	case_folder("homie");
	case_folder("homeassistant");
	case_folder("zigbee2mqtt");
}

/* Devices of one dump are told apart; what is described again is told once. */
static void test_several_devices(void **state)
{
	(void)state;
	static const char dump[] =
		"{\"homie/5/a/$description\": {\"homie\": \"5.0\", \"nodes\": {\"n\": {\"properties\": {"
		"\"humidity\": {\"datatype\": \"integer\", \"unit\": \"%\"}}}}},"
		"\"homie/b/$homie\": \"4.0\", \"homie/b/$nodes\": \"n\", \"homie/b/n/$properties\": \"humidity\","
		"\"homie/b/n/humidity/$datatype\": \"integer\", \"homie/b/n/humidity/$unit\": \"%\","
		"\"homie/b/n/humidity/$name\": \"H\", \"homie/b/$name\": \"B\"}";
	struct gw_import_result r = {.devices = NULL};
	struct gw_error e = {.text = ""};
	assert_int_equal(gw_file_import(case_kind("homie"), gw_str(dump), "case", &r, &e), 0);
	assert_int_equal(r.n_devices, 2);
	assert_string_equal(r.devices[0].identity, "homie:homie/5/a");
	assert_string_equal(r.devices[1].identity, "homie:homie/b");
	assert_string_equal(r.devices[1].name, "B");
	assert_int_equal(r.n_points, 2);
	assert_string_equal(r.points[0].at, "homie/5/a: n/humidity");
	assert_string_equal(r.points[1].at, "homie/b: n/humidity");
	gw_import_result_fini(&r);
}

/* The n-th allocation fails: -ENOMEM or a result, and nothing leaks. */
static void test_out_of_memory(void **state)
{
	(void)state;
	static const struct {
		const char *kind, *text;
	} cases[] = {
		{"homie",
		 "{\"homie\":\"5.0\",\"nodes\":{\"n\":{\"properties\":{\"on\":{\"datatype\":\"boolean\"},\"x\":{\"datatype\":\"m\"}}}}}"},
		{"homeassistant",
		 "{\"dev\":{\"ids\":\"x\"},\"o\":{\"name\":\"o\"},\"cmps\":{\"s\":{\"p\":\"switch\",\"cmd_t\":\"a/x/s\"}}}"},
		{"thing-description",
		 "{\"@context\":\"https://www.w3.org/2022/wot/td/v1.1\",\"title\":\"t\",\"security\":\"n\","
		 "\"securityDefinitions\":{\"n\":{\"scheme\":\"nosec\"}},\"properties\":{\"on\":{\"type\":\"boolean\","
		 "\"forms\":[{\"href\":\"http://h/{k}\"}],\"uriVariables\":{\"k\":{\"type\":\"string\"}}}}}"},
	};
	for (size_t k = 0; k < gw_countof(cases); k++) {
		int r = -ENOMEM;
		uint64_t nth = 0;
		while (r == -ENOMEM && nth < 5000) {
			struct gw_import_result result = {.devices = NULL};
			uint64_t before = gw_alloc_count();
			gw_alloc_fail_at(++nth);
			r = gw_file_import(case_kind(cases[k].kind), gw_str(cases[k].text), "case",
					   &result, NULL);
			gw_alloc_fail_at(0);
			if (r == 0 && gw_alloc_count() - before >= nth) {
				r = -ENOMEM; /* what failed was a note or a point: go on */
			}
			gw_import_result_fini(&result);
		}
		assert_int_equal(r, 0);
		assert_true(nth > 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_construct),
		cmocka_unit_test(test_several_devices),
		cmocka_unit_test(test_out_of_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
