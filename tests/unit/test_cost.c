/* The worst case of a profile (profile-language §12, §16): counted, bounded, refused with its place before anything runs. */
#include "gw_test.h"

#include <stdio.h>

#include "profile_case.h"

#define TEXT_BYTES (256 * 1024)

static void what_a_message_costs(void **state)
{
	static const char profile[] =
		"msgs: {m: {rx: s}, n: {rx: t, if_json: {/a: [1, 2]}}}\n"
		"points: {p: {in: m#/p}, q: {in: m#/q, map: {a: true, b: false}}, r: {in: n#/r}}\n"
		"caps:\n"
		"  x.t.a: {type: num, expr: \"p * 2 + 1\"}\n"	  /* 2 operators, 1 name */
		"  x.t.b: {type: num, expr: \"x.t.a * x.t.a\"}\n" /* pays twice for a */
		"  switch.on: {point: q}\n";
	struct profile_case c;
	(void)state;
	case_open(&c, profile);
	uint64_t m = gw_plan_msg(c.plan, 0)->cost, n = gw_plan_msg(c.plan, 1)->cost;
	assert_true(m > 10 && m < 100);
	assert_true(n >= 4 && n < m); /* two values, one place, nothing that depends on it */
	case_close(&c);
}

/* x.t.c0 = p; x.t.c1 names c0 as often as an expression may; … */
static void chain(struct gw_buf *b, unsigned length)
{
	gw_buf_puts(b, "msgs: {m: {rx: s, tx: c}}\npoints: {p: {io: m#/p, init: 1}}\ncaps:\n"
		       "  x.t.c0: {type: num, point: p}\n");
	for (unsigned i = 1; i <= length; i++) {
		gw_buf_printf(b, "  x.t.c%u: {type: num, expr: \"x.t.c%u", i, i - 1);
		for (unsigned k = 0; k < 60; k++) {
			gw_buf_printf(b, " + x.t.c%u", i - 1);
		}
		gw_buf_puts(b, "\"}\n");
	}
}

static void a_chain_of_names(void **state)
{
	struct gw_buf b = GW_BUF_INIT(TEXT_BYTES);
	struct profile_case c;
	(void)state;
	chain(&b, 2);
	case_open(&c, b.p);
	case_close(&c);
	gw_buf_reset(&b);
	chain(&b, 3); /* 61³ evaluations */
	case_refused(b.p, "size", "/caps/x.t.c3", "steps, expected at most 200000");
	gw_buf_reset(&b);
	chain(&b, 12); /* no overflow hides it */
	case_refused(b.p, "size", "/caps/x.t.c3", "steps");
	gw_buf_fini(&b);
}

/* The largest table that the language admits is no reason to refuse; thirty expressions that read it in one message are. */
static void table(struct gw_buf *b, unsigned readers)
{
	gw_buf_puts(b, "msgs: {m: {rx: s}}\npoints: {p: {in: m#/p}, q: {in: m#/q}}\ncaps:\n"
		       "  x.t.t: {type: int, table: [p, q], rows: [");
	for (unsigned i = 0; i < 4096; i++) {
		gw_buf_printf(b, "%s[%u,any,%u]", i ? "," : "", i, i);
	}
	gw_buf_puts(b, "]}\n");
	for (unsigned i = 0; i < readers; i++) {
		gw_buf_printf(b, "  x.t.r%u: {type: int, expr: \"x.t.t + x.t.t\"}\n", i);
	}
}

static void many_readers_of_a_table(void **state)
{
	struct gw_buf b = GW_BUF_INIT(TEXT_BYTES);
	struct profile_case c;
	(void)state;
	table(&b, 10);
	case_open(&c, b.p);
	case_close(&c);
	gw_buf_reset(&b);
	table(&b, 30);
	case_refused(b.p, "size", "/msgs/m", "steps, expected at most 1000000");
	gw_buf_fini(&b);
}

/* Sampling the laws is what loading costs: a profile may not make it long. */
static void what_is_sampled(void **state)
{
	struct gw_buf b = GW_BUF_INIT(TEXT_BYTES);
	(void)state;
	gw_buf_puts(&b, "msgs: {m: {rx: s, tx: c}}\n"
			"points: {p: {io: m#/p, init: 1}, q: {io: m#/q, init: 1}}\ncaps:\n"
			"  x.t.t: {type: int, table: [p], rows: [");
	for (unsigned i = 0; i < 4096; i++) {
		gw_buf_printf(&b, "%s[%u,%u]", i ? "," : "", i, i);
	}
	gw_buf_puts(&b, "]}\n");
	for (unsigned i = 0; i < 20; i++) {
		gw_buf_printf(&b, "  x.t.s%u: {type: int, expr: q, set: {q: \"x.t.t * 0 + v\"}}\n",
			      i);
	}
	case_refused(b.p, "size", "/caps/x.t.s11", "steps, expected at most 200000000");
	gw_buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_message_costs),
		cmocka_unit_test(a_chain_of_names),
		cmocka_unit_test(many_readers_of_a_table),
		cmocka_unit_test(what_is_sampled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
