/* The tables that generate.py writes. Private to the room: others see them through gw/model.h. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "gw/model.h"

/* Perfect hash by displacement; generate.py (perfect_hash) chose the displacements, model.c looks up. */
struct gw_model_hash {
	const uint16_t *displacements;
	const int16_t *slots; /* index into the table, -1: empty */
	uint16_t n_displacements, n_slots;
};

struct gw_model_unit {
	const char *code, *symbol, *name_en, *name_zh;
};

extern const size_t gw_model_n_capabilities, gw_model_n_types, gw_model_n_units;
extern const struct gw_capability gw_model_capabilities[];
extern const struct gw_device_type gw_model_types[];
extern const struct gw_model_unit gw_model_units[];
extern const struct gw_model_hash gw_model_capabilities_hash, gw_model_types_hash,
	gw_model_units_hash;
