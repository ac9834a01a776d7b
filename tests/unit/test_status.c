/* The table of outcomes is complete, and each surface's codes are ones that the surface may say. */
#include "gw/status.h"

#include <string.h>

#include "gw/str.h"
#include "gw_test.h"

static void test_every_status_has_a_whole_row(void **state)
{
	(void)state;
	for (int i = 0; i < GW_STATUS_COUNT; i++) {
		const struct gw_status_row *r = gw_status_row((enum gw_status)i);
		assert_non_null(r->name);
		assert_non_null(r->text_en);
		assert_non_null(r->text_zh);
		assert_true(strlen(r->name) > 0 && strlen(r->text_en) > 0);
		assert_true(gw_str_is_utf8(gw_str(r->text_zh)));
		assert_true((unsigned char)r->text_zh[0] >= 0x80 ||
			    strncmp(r->text_zh, "Hearth", 6) == 0);
		assert_int_equal(gw_status_find(r->name), i);
		for (int k = 0; k < i; k++) {
			assert_string_not_equal(gw_status_row((enum gw_status)k)->name, r->name);
		}
	}
}

static void test_codes_are_legal_where_they_are_sent(void **state)
{
	static const int puback[] = {0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99};
	(void)state;
	for (int i = 0; i < GW_STATUS_COUNT; i++) {
		const struct gw_status_row *r = gw_status_row((enum gw_status)i);
		bool good = i == GW_STATUS_DONE || i == GW_STATUS_UNCONFIRMED ||
			    i == GW_STATUS_ACCEPTED;
		assert_int_equal(r->http / 100 == 2, good);
		assert_true(r->http >= 200 && r->http < 600);
		assert_int_equal(r->coap / 100 == 2, good);
		assert_true(r->coap % 100 < 32); /* RFC 7252 §3: the detail has five bits */
		assert_int_equal(r->mqtt < 0x80, good);
		bool legal = false;
		for (size_t k = 0; k < gw_countof(puback); k++) {
			legal = legal || puback[k] == r->mqtt;
		}
		assert_true(legal);
		assert_true(r->exit_code >= 0 && r->exit_code <= 9);
		assert_true(good || r->exit_code != 0);
	}
}

static void test_unknown_words_and_numbers(void **state)
{
	(void)state;
	assert_int_equal(gw_status_find("nonsense"), GW_STATUS_COUNT);
	assert_int_equal(gw_status_find(NULL), GW_STATUS_COUNT);
	assert_string_equal(gw_status_row((enum gw_status)99)->name, "failed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_status_has_a_whole_row),
		cmocka_unit_test(test_codes_are_legal_where_they_are_sent),
		cmocka_unit_test(test_unknown_words_and_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
