/*
 * What the profile engine costs: `bench_profile [rounds]` prints CPU nanoseconds and allocations of one decode (values that change, and
 * that stay), of one encode, and the time to compile a profile of 5 KiB. Bars of the issue stand beside them; nothing is asserted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gw/alloc.h"
#include "gw/binding.h"
#include "gw/profile.h"

#define ROUNDS	   300000
#define TEXT_BYTES 65536

struct item {
	struct gw_library *library;
	struct gw_profile *profile;
	struct gw_plan *plan;
	struct gw_binding *b;
};

/* CPU time: other processes do not count. */
static double now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void die(const char *what, const char *why)
{
	fprintf(stderr, "bench_profile: %s: %s\n", what, why);
	exit(EXIT_FAILURE);
}

static void open_item(struct item *d, const char *yaml)
{
	struct gw_vars vars = {0};
	struct gw_error e = {0};
	*d = (struct item){0};
	int r = gw_library_new(NULL, 0, &d->library);
	r = r < 0 ? r
		  : gw_profile_load_text(d->library, gw_str(yaml), "bench", GW_PROFILE_LAX,
					 &d->profile, &e);
	r = r < 0 ? r : gw_plan_get(d->profile, &vars, &d->plan, &e);
	r = r < 0 ? r : gw_binding_new(d->plan, &vars, &d->b, &e);
	if (r < 0) {
		die(e.at, e.text);
	}
}

static void close_item(struct item *d)
{
	gw_binding_free(d->b);
	gw_plan_unref(d->plan);
	gw_profile_unref(d->profile);
	gw_library_free(d->library);
}

static void row(const char *title, double ns, double allocations, const char *bar)
{
	printf("%-44s %8.0f ns %7.2f allocations   bar %s\n", title, ns, allocations, bar);
}

/* --- decode --- */

static void decode(struct item *d, const char *title, struct gw_str one, struct gw_str two,
		   size_t rounds, const char *bar)
{
	struct gw_received received;
	const struct gw_body bodies[] = {{.bytes = one}, {.bytes = two}};
	for (size_t i = 0; i < 16; i++) { /* buffers find their sizes */
		if (gw_binding_receive(d->b, 0, &bodies[i % 2], false, 0, &received) < 0) {
			die(title, "refused");
		}
	}
	uint64_t before = gw_alloc_count();
	double start = now_ns();
	for (size_t i = 0; i < rounds; i++) {
		if (gw_binding_receive(d->b, 0, &bodies[i % 2], false, 0, &received) < 0) {
			die(title, "refused");
		}
	}
	row(title, (now_ns() - start) / (double)rounds,
	    (double)(gw_alloc_count() - before) / (double)rounds, bar);
}

/* --- encode --- */

static void encode(struct item *d, const char *title, size_t rounds, const char *bar)
{
	const struct gw_node numbers[] = {{.type = GW_NODE_NUMBER, .number = 41},
					  {.type = GW_NODE_NUMBER, .number = 42}};
	uint64_t before = gw_alloc_count();
	double start = now_ns();
	for (size_t i = 0; i < rounds; i++) {
		const struct gw_wanted wanted = {GW_STR("x.t.c0"), &numbers[i % 2]};
		struct gw_outgoing out = {0};
		struct gw_write_error e = {0};
		if (gw_binding_write(d->b, &wanted, 1, (int64_t)i, &out, &e) < 0) {
			die(title, e.code);
		}
		gw_outgoing_fini(&out);
	}
	row(title, (now_ns() - start) / (double)rounds,
	    (double)(gw_alloc_count() - before) / (double)rounds, bar);
}

/* --- the two products --- */

static void write_json_profile(struct gw_buf *b)
{
	gw_buf_puts(b, "msgs: {m: {rx: s, tx: c, mode: full}}\npoints:\n");
	for (unsigned i = 0; i < 10; i++) {
		gw_buf_printf(b, "  p%u: {io: m#/STATUS/field_%u, div: 10, init: 0}\n", i, i);
	}
	gw_buf_puts(b, "caps:\n");
	for (unsigned i = 0; i < 10; i++) {
		gw_buf_printf(b, "  x.t.c%u: {type: num, res: 0.1, range: [0, 999], point: p%u}\n",
			      i, i);
	}
}

static void write_json_body(struct gw_buf *b, unsigned seed)
{
	gw_buf_puts(b, "{\"Time\":\"2024-03-01T12:00:00\",\"STATUS\":{");
	for (unsigned i = 0; i < 10; i++) {
		gw_buf_printf(b, "%s\"field_%u\":%u", i ? "," : "", i, 1000 + i * 7 + seed);
	}
	gw_buf_puts(b, "}}");
}

/* 23 bytes and two halves of one. */
static void write_frame_profile(struct gw_buf *b)
{
	gw_buf_puts(b, "msgs: {m: {rx: s, tx: c, codec: bytes, mode: full, fill: \"");
	for (unsigned i = 0; i < 24; i++) {
		gw_buf_puts(b, i ? " 00" : "00");
	}
	gw_buf_puts(b, "\"}}\npoints:\n");
	for (unsigned i = 0; i < 25; i++) {
		const char *half = i == 23 ? ".0:4" : i == 24 ? ".4:4" : "";
		gw_buf_printf(b, "  p%u: {io: \"m@%u%s\", init: 0}\n", i, i < 23 ? i : 23, half);
	}
	gw_buf_puts(b, "caps:\n");
	for (unsigned i = 0; i < 25; i++) {
		gw_buf_printf(b, "  x.t.c%u: {type: int, range: [0, 99], point: p%u}\n", i, i);
	}
}

/* --- compile --- */

static void compile(size_t rounds)
{
	struct gw_buf b = GW_BUF_INIT(TEXT_BYTES);
	gw_buf_puts(&b, "msgs: {m: {rx: s, tx: c}}\npoints:\n");
	for (unsigned i = 0; b.len < 2400; i++) {
		gw_buf_printf(&b, "  p%u: {io: m#/path/to/value_%u, div: 10, na: [999]}\n", i, i);
	}
	unsigned n = 0;
	gw_buf_puts(&b, "caps:\n");
	for (; b.len < 5 * 1024; n++) {
		gw_buf_printf(
			&b, "  x.t.c%u: {type: num, res: 0.1, range: [0, 100, 0.5], point: p%u}\n",
			n, n % 40);
	}
	struct gw_library *l = NULL;
	double spent = 0;
	if (gw_library_new(NULL, 0, &l) < 0) {
		die("compile", "out of memory");
	}
	for (size_t i = 0; i < rounds; i++) {
		struct gw_profile *p = NULL;
		struct gw_error e = {0};
		size_t end = b.len;
		gw_buf_printf(&b, "# %zu\n", i); /* else the library knows it by its digest */
		double start = now_ns();
		if (gw_profile_load_text(l, gw_buf_str(&b), "bench", GW_PROFILE_LAX, &p, &e) < 0) {
			die(e.at, e.text);
		}
		spent += now_ns() - start;
		b.len = end;
		gw_profile_unref(p);
	}
	gw_library_free(l);
	row("5 KiB: parse, check, compile, prove", spent / (double)rounds, 0, "1,000,000 ns");
	gw_buf_fini(&b);
}

int main(int argc, char **argv)
{
	struct gw_buf profile = GW_BUF_INIT(TEXT_BYTES), one = GW_BUF_INIT(TEXT_BYTES),
		      two = GW_BUF_INIT(TEXT_BYTES);
	uint8_t frame[2][24];
	struct item d;
	uint64_t rounds = ROUNDS;
	if (argc > 1 && gw_parse_u64(gw_str(argv[1]), &rounds) < 0) {
		die("rounds", "expected a number");
	}
	write_json_profile(&profile);
	write_json_body(&one, 0);
	write_json_body(&two, 100);
	open_item(&d, profile.p);
	char title[64];
	(void)snprintf(title, sizeof(title), "decode JSON, %zu bytes, 10 of 11, all changed",
		       one.len);
	decode(&d, title, gw_buf_str(&one), gw_buf_str(&two), rounds, "2,000 ns");
	decode(&d, "the same, nothing changed", gw_buf_str(&one), gw_buf_str(&one), rounds, "-");
	encode(&d, "encode JSON, 10 fields", rounds, "2,000 ns");
	close_item(&d);

	gw_buf_reset(&profile);
	write_frame_profile(&profile);
	open_item(&d, profile.p);
	for (size_t i = 0; i < sizeof(frame[0]); i++) {
		frame[0][i] = (uint8_t)(i * 3 + 1);
		frame[1][i] = (uint8_t)(i * 5 + 2);
	}
	const struct gw_str frames[] = {{(const char *)frame[0], sizeof(frame[0])},
					{(const char *)frame[1], sizeof(frame[1])}};
	decode(&d, "decode a frame of 24 bytes, 25 fields changed", frames[0], frames[1], rounds,
	       "1,000 ns");
	decode(&d, "the same, nothing changed", frames[0], frames[0], rounds, "-");
	encode(&d, "encode a frame of 24 bytes, 25 fields", rounds, "1,000 ns");
	close_item(&d);
	compile(rounds / 1000 + 10);
	gw_buf_fini(&profile);
	gw_buf_fini(&one);
	gw_buf_fini(&two);
	return EXIT_SUCCESS;
}
