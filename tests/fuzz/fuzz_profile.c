/* Any text as a profile, through composition, all checks, compiling and the embedded tests; then one observation. */
#include <stddef.h>
#include <stdint.h>

#include "gw/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char base[] =
		"{msgs: {m: {rx: s, tx: c}}, points: {p: {io: m#/a}}, caps: {switch.on: {point: p}}}";
	static const char seen[] = "{\"mqtt\":\"a/b\",\"json\":{\"t\":\"x\",\"n\":1}}";
	struct gw_library *l = NULL;
	struct gw_profile *p = NULL;
	struct gw_error error;
	struct gw_arena *a = gw_arena_new(1 << 16);
	struct gw_node *observation = NULL;
	struct gw_vars vars = {0};
	int score;
	if (!a || gw_library_new(/* dirs= */ NULL, 0, &l) < 0 ||
	    gw_library_add_text(l, GW_STR("base"), gw_str(base), "base", &error) < 0 ||
	    gw_node_parse_json(a, gw_str(seen), /* limits= */ NULL, &observation, &error) < 0) {
		return 0;
	}
	unsigned flags = size > 0 && data[0] == ' ' ? 0 : GW_PROFILE_LAX;
	if (gw_profile_load_text(l, (struct gw_str){(const char *)data, size}, "fuzz", flags, &p,
				 &error) == 0) {
		gw_ignore(gw_profile_match(p, observation, &score, &vars)); /* out of memory: nothing to see */
	}
	gw_vars_fini(&vars);
	gw_profile_unref(p);
	gw_library_free(l);
	gw_arena_free(a);
	return 0;
}
