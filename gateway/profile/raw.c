#include "profile/raw.h"

#include <math.h>

bool gw_raw_equal(const struct gw_raw *a, const struct gw_raw *b)
{
	if (a->type != b->type) {
		return false;
	}
	switch (a->type) {
	case GW_RAW_NULL: return true;
	case GW_RAW_BOOL: return a->flag == b->flag;
	case GW_RAW_NUMBER: return a->number == b->number;
	case GW_RAW_TEXT:
		return a->text == b->text || gw_str_eq(gw_text_str(a->text), gw_text_str(b->text));
	case GW_RAW_TREE: return a->tree == b->tree || gw_node_equal(a->tree, b->tree);
	}
	return false;
}

struct gw_raw gw_raw_number(double x)
{
	if (!isfinite(x) || fabs(x) >= 0x1p53) {
		return (struct gw_raw){.type = GW_RAW_NULL};
	}
	return (struct gw_raw){.type = GW_RAW_NUMBER, .number = x == 0 ? 0 : x};
}
