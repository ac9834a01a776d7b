/* What flows inside the engine: a raw or point value (profile-language §8), before it becomes a capability's value. */
#pragma once

#include <stdbool.h>

#include "gw/node.h"
#include "gw/value.h"

enum gw_raw_type { GW_RAW_NULL, GW_RAW_BOOL, GW_RAW_NUMBER, GW_RAW_TEXT, GW_RAW_TREE };

/* Borrowed view; whoever keeps one takes references. NUMBER is finite and |x| < 2^53, never −0. */
struct gw_raw {
	enum gw_raw_type type;
	union {
		bool flag;
		double number;
		struct gw_text *text;	    /* TEXT */
		const struct gw_node *tree; /* TREE: list or map */
	};
};

bool gw_raw_equal(const struct gw_raw *a, const struct gw_raw *b); /* type and value (§1) */
/* A number as the language has it: not finite or too big → NULL, −0 → 0. */
struct gw_raw gw_raw_number(double x);
