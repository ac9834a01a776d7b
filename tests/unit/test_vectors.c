/* Complete profiles with embedded tests (tests/golden/profiles): loaded by the full checks, every vector in both directions. */
#include "gw_test.h"

#include <stdio.h>

#include "gw/profile.h"

#define DIR HEARTH_SOURCE_DIR "/tests/golden/profiles/"

GW_DEFINE_AUTO(struct gw_library, gw_library_free)
GW_DEFINE_AUTO(struct gw_profile, gw_profile_unref)

struct count {
	size_t passed, failed;
};

static void report(void *ctx, const struct gw_test_report *r)
{
	struct count *c = ctx;
	if (!r->passed) {
		printf("FAILED: %s: %s\n", r->name, r->text);
	}
	c->passed += r->passed;
	c->failed += !r->passed;
}

static void run(const char *name, unsigned flags, size_t n_tests)
{
	GW_AUTO(gw_library_free_auto) struct gw_library *l = NULL;
	GW_AUTO(gw_profile_unref_auto) struct gw_profile *p = NULL;
	struct gw_error e = {0};
	struct count c = {0};
	char path[512];
	assert_int_equal(gw_library_new(NULL, 0, &l), 0);
	(void)snprintf(path, sizeof(path), "%s%s", DIR, name);
	if (gw_profile_load_file(l, path, flags, &p, &e) < 0) {
		GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(4096);
		gw_error_format(&e, &text);
		fail_msg("%s", text.p);
	}
	assert_int_equal(gw_profile_run_tests(p, report, &c), 0);
	assert_int_equal(c.failed, 0);
	assert_int_equal(c.passed, n_tests);
}

static void tasmota_plug(void **state)
{
	(void)state;
	run("1-tasmota-plug.yaml", 0, 6);
}

static void lwm2m_ac(void **state)
{
	(void)state;
	run("2-lwm2m-ac.yaml", 0, 7);
}

static void tuya_ac(void **state)
{
	(void)state;
	run("3-tuya-ac.yaml", 0, 13);
}

static void midea_ac(void **state)
{
	(void)state;
	run("4-midea-ac.yaml", 0, 10);
}

static void shelly_ht(void **state)
{
	(void)state;
	run("5-shelly-ht.yaml", 0, 4);
}

static void blobs(void **state)
{
	(void)state;
	run("6-blobs.yaml", GW_PROFILE_LAX, 6); /* a thermostat without its mandatory mode */
	;
}

static void midea_frames(void **state)
{
	(void)state;
	run("midea-frames.yaml", 0, 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tasmota_plug), cmocka_unit_test(lwm2m_ac),
		cmocka_unit_test(tuya_ac),	cmocka_unit_test(midea_ac),
		cmocka_unit_test(shelly_ht),	cmocka_unit_test(blobs),
		cmocka_unit_test(midea_frames),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
