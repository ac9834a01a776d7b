/*
 * What one Tasmota SENSOR message costs: scan, slots, capabilities. `bench_decode [rounds]` prints nanoseconds and allocations per
 * message for messages whose values change and for repeated ones, and the bytes of one binding.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gw/alloc.h"
#include "gw/binding.h"
#include "gw/json.h"
#include "gw/profile.h"

#ifndef HEARTH_SOURCE_DIR
#define HEARTH_SOURCE_DIR "."
#endif
#define PROFILE HEARTH_SOURCE_DIR "/tests/golden/profiles/1-tasmota-plug.yaml"
#define ROUNDS	1000000

static const char *const sensor[] = {
	"{\"Time\":\"2024-03-01T12:00:00\",\"ENERGY\":{\"TotalStartTime\":\"2023-01-01T00:00:00\","
	"\"Total\":12.345,\"Yesterday\":0.512,\"Today\":0.201,\"Period\":3,\"Power\":87,"
	"\"ApparentPower\":94,\"ReactivePower\":35,\"Factor\":0.93,\"Voltage\":231,\"Current\":0.405}}",
	"{\"Time\":\"2024-03-01T12:05:00\",\"ENERGY\":{\"TotalStartTime\":\"2023-01-01T00:00:00\","
	"\"Total\":12.352,\"Yesterday\":0.512,\"Today\":0.208,\"Period\":7,\"Power\":91,"
	"\"ApparentPower\":99,\"ReactivePower\":38,\"Factor\":0.92,\"Voltage\":229,\"Current\":0.431}}",
};

/* CPU time: other processes do not count. */
static double now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int run(struct gw_binding *b, const char *title, size_t changing, size_t rounds)
{
	int msg = gw_plan_find_msg(gw_binding_plan(b), GW_STR("sensor"));
	uint64_t allocations = gw_alloc_count();
	double start = now_ns();
	size_t caps = 0;
	for (size_t i = 0; i < rounds; i++) {
		const struct gw_body body = {.bytes = gw_str(sensor[i % (changing + 1)])};
		struct gw_received received;
		if (gw_binding_receive(b, (size_t)msg, &body, false, 0, &received) < 0) {
			return EXIT_FAILURE;
		}
		caps += received.n_caps;
	}
	double each = (now_ns() - start) / (double)rounds;
	printf("%-9s %7.0f ns a message of %zu bytes, %.2f capabilities, %.4f allocations\n", title,
	       each, gw_str(sensor[0]).len, (double)caps / (double)rounds,
	       (double)(gw_alloc_count() - allocations) / (double)rounds);
	return EXIT_SUCCESS;
}

/* What reading the tokens alone costs on this machine, now. */
static int scan(size_t rounds)
{
	double start = now_ns();
	for (size_t i = 0; i < rounds; i++) {
		struct gw_json_reader r;
		gw_json_reader_init(&r, gw_str(sensor[0]), 16);
		if (!gw_json_skip(&r)) {
			return EXIT_FAILURE;
		}
	}
	printf("scan only %7.0f ns\n", (now_ns() - start) / (double)rounds);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct gw_library *l = NULL;
	struct gw_profile *p = NULL;
	struct gw_plan *plan = NULL;
	struct gw_binding *b = NULL;
	struct gw_vars vars = {0};
	struct gw_error e = {0};
	uint64_t rounds = ROUNDS;
	if (argc > 1 && gw_parse_u64(gw_str(argv[1]), &rounds) < 0) {
		return EXIT_FAILURE;
	}
	int r = gw_library_new(NULL, 0, &l);
	r = r < 0 ? r : gw_profile_load_file(l, PROFILE, 0, &p, &e);
	r = r < 0 ? r : gw_vars_set(&vars, GW_STR("topic"), GW_STR("plug1"));
	r = r < 0 ? r : gw_profile_complete_vars(p, &vars, &e);
	r = r < 0 ? r : gw_plan_get(p, &vars, &plan, &e);
	r = r < 0 ? r : gw_binding_new(plan, &vars, &b, &e);
	if (r < 0) {
		fprintf(stderr, "bench_decode: %s\n", e.text);
		return EXIT_FAILURE;
	}
	int failed = run(b, "changing", 1, (size_t)rounds) ||
		     run(b, "repeated", 0, (size_t)rounds) || scan((size_t)rounds);
	printf("binding   %7zu bytes\n", gw_binding_bytes(b));
	gw_binding_free(b);
	gw_plan_unref(plan);
	gw_vars_fini(&vars);
	gw_profile_unref(p);
	gw_library_free(l);
	return failed;
}
