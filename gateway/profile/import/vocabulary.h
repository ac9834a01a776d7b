/* What other systems call things: units, symbols, names. Tables only. */
#pragma once

#include <stdbool.h>

#include "gw/model.h"
#include "gw/str.h"

/* value = given · mul / div + add */
struct gw_linear {
	double mul, div, add;
};
#define GW_LINEAR_NONE ((struct gw_linear){1, 1, 0})

bool gw_linear_is_none(struct gw_linear l);
struct gw_linear gw_linear_then(struct gw_linear first,
				struct gw_linear second); /* second after first */
struct gw_linear gw_linear_inverse(struct gw_linear l);
bool gw_linear_equal(struct gw_linear a, struct gw_linear b);
double gw_linear_apply(struct gw_linear l, double x);

/* From a unit as a description writes it ("kW", "°F", "µg/m³") to the unit of a capability. Empty: taken as is. */
bool gw_unit_to(struct gw_str given, const char *ucum, struct gw_linear *ret_linear);
/* The UCUM code for a unit of the model, when no conversion is needed; NULL: the model has no such unit. */
const char *gw_unit_code(struct gw_str given);

/* "degree celsius", "om:degree_Celsius", "percentage": the sign that stands for the word; the unit itself when it is no such word. */
struct gw_str gw_unit_word(struct gw_str unit);

/* The symbol of an enum capability for a foreign word ("turbo" → "max"), or NULL. Case, blanks and hyphens do not matter. */
const char *gw_symbol_for(const struct gw_capability *cap, struct gw_str word);

/* Capability by the name of a property that several systems share ("child_lock"), or NULL. */
struct gw_name_row {
	const char *name, *cap;
	const char
		*map; /* of a boolean into an enum or inverted: "true-symbol|false-symbol", "!" */
};
const struct gw_name_row *gw_name_find(struct gw_str name);
