/* Any text as an expression: compiled, then evaluated with nulls, numbers and texts in turn. */
#include <stddef.h>
#include <stdint.h>

#include "profile/expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int resolve(void *ctx, struct gw_str name, enum gw_name_kind *ret_kind, uint16_t *ret_index)
{
	(void)ctx;
	*ret_kind = GW_NAME_POINT;
	*ret_index = (uint16_t)(name.len + (unsigned char)name.p[0]);
	return name.len < 12 ? 0 : -1;
}

static struct gw_raw fetch(void *ctx, enum gw_name_kind kind, uint16_t index)
{
	(void)kind;
	struct gw_raw raws[] = {{.type = GW_RAW_NULL},
				{.type = GW_RAW_TEXT, .text = ctx},
				{.type = GW_RAW_BOOL, .flag = true}};
	return index % 4 < 3 ? raws[index % 4] : gw_raw_number(index - 128.5);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gw_arena *a = gw_arena_new(1 << 20);
	struct gw_text *text = gw_text_new(GW_STR("on"));
	const struct gw_expr_scope scope = {.resolve = resolve};
	const struct gw_expr_env env = {.fetch = fetch, .ctx = text};
	struct gw_expr *e = NULL;
	if (gw_expr_compile(a, (struct gw_str){(const char *)data, size}, &scope, &e,
			    /* reterr_= */ NULL) == 0) {
		(void)gw_expr_eval(e, &env);
	}
	gw_expr_fini(e);
	gw_text_unref(text);
	gw_arena_free(a);
	return 0;
}
