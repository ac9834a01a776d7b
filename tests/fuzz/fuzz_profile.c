/* Any text as a profile, through composition, all checks, compiling and the embedded tests; then it is recognised and played. */
#include <stddef.h>
#include <stdint.h>

#include "gw/twin.h"

static void emit(void *ctx, const struct gw_emission *e)
{
	*(size_t *)ctx += e->body.len;
}

static void play(struct gw_profile *p, struct gw_vars *vars)
{
	static const struct gw_twin_ops ops = {.emit = emit};
	struct gw_twin *t = NULL;
	size_t emitted = 0;
	if (gw_twin_new(p, vars, 1, &ops, &emitted, &t, /* reterr_= */ NULL) == 0) {
		gw_twin_announce(t);
		gw_twin_receive(t, GW_STR("c"), GW_STR("{\"a\":1,\"b\":[\"0\",{\"n\":1}]}"));
		gw_twin_receive(t, gw_str(gw_twin_filter(t, 0)), GW_STR("01 02"));
		gw_twin_report(t);
	}
	gw_twin_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char base[] =
		"{msgs: {m: {rx: s, tx: c}}, points: {p: {io: m#/a}}, caps: {switch.on: {point: p}}}";
	struct gw_library *l = NULL;
	struct gw_profile *p = NULL;
	struct gw_arena *a = gw_arena_new(1 << 16);
	struct gw_node *seen = NULL;
	struct gw_vars vars = {0};
	unsigned flags = size > 0 && data[0] == ' ' ? 0 : GW_PROFILE_LAX;
	int score;
	if (gw_library_new(/* dirs= */ NULL, 0, &l) == 0 &&
	    gw_library_add_text(l, GW_STR("base"), gw_str(base), "base", NULL) == 0 &&
	    gw_node_parse_json(a, GW_STR("{\"mqtt\":\"a/b\",\"json\":{\"t\":\"x\",\"n\":1}}"), NULL,
			       &seen, NULL) == 0 &&
	    gw_profile_load_text(l, (struct gw_str){(const char *)data, size}, "fuzz", flags, &p,
				 NULL) == 0 &&
	    gw_profile_match(p, seen, &score, &vars) == 0) {
		play(p, &vars);
	}
	gw_vars_fini(&vars);
	gw_profile_unref(p);
	gw_library_free(l);
	gw_arena_free(a);
	return 0;
}
