#include "gw/model.h"

#include <string.h>

#include "model/tables.h"

/* --- looking up --- */

/* FNV-1a, 32 bit; as fnv1a in generate.py. */
static uint32_t hash_text(struct gw_str s)
{
	uint32_t h = 0x811C9DC5U;
	for (size_t i = 0; i < s.len; i++) {
		h = (h ^ (uint8_t)s.p[i]) * 0x01000193U;
	}
	return h;
}

/* As mix in generate.py. */
static uint32_t mix(uint32_t h, uint32_t displacement)
{
	uint32_t x = h + displacement * 0x9E3779B9U;
	x ^= x >> 16;
	x *= 0x85EBCA6BU;
	return x ^ x >> 13;
}

/* The only index that text can have, or -1; the caller compares. */
static int look_up(const struct gw_model_hash *hash, struct gw_str text)
{
	uint32_t h = hash_text(text);
	uint32_t displacement = hash->displacements[h % hash->n_displacements];
	return hash->slots[mix(h, displacement) % hash->n_slots];
}

const struct gw_capability *gw_capability_find(struct gw_str id)
{
	int i = look_up(&gw_model_capabilities_hash, id);
	return i >= 0 && gw_str_is(id, gw_model_capabilities[i].id) ? &gw_model_capabilities[i]
								    : NULL;
}

const struct gw_capability *gw_capability_at(size_t index)
{
	return index < gw_model_n_capabilities ? &gw_model_capabilities[index] : NULL;
}

const struct gw_device_type *gw_device_type_find(struct gw_str id)
{
	int i = look_up(&gw_model_types_hash, id);
	return i >= 0 && gw_str_is(id, gw_model_types[i].id) ? &gw_model_types[i] : NULL;
}

const struct gw_device_type *gw_device_type_at(size_t index)
{
	return index < gw_model_n_types ? &gw_model_types[index] : NULL;
}

const char *gw_unit_symbol(const char *ucum)
{
	int i = look_up(&gw_model_units_hash, gw_str(ucum));
	return i >= 0 && strcmp(ucum, gw_model_units[i].code) == 0 ? gw_model_units[i].symbol
								   : ucum;
}

const char *gw_type_name(enum gw_type t)
{
	static const char *const names[] = {
		[GW_TYPE_BOOL] = "bool", [GW_TYPE_INT] = "int", [GW_TYPE_NUM] = "num",
		[GW_TYPE_ENUM] = "enum", [GW_TYPE_STR] = "str", [GW_TYPE_TIME] = "time",
		[GW_TYPE_LIST] = "list", [GW_TYPE_REC] = "rec", [GW_TYPE_NONE] = "none",
	};
	return names[t];
}

void gw_capability_domain(const struct gw_capability *c, struct gw_domain *ret_domain)
{
	*ret_domain = (struct gw_domain){
		.type = c->type,
		.res = c->res,
		.has_min = c->has_min,
		.has_max = c->has_max,
		.min = c->min,
		.max = c->max,
		.symbols = c->symbols,
		.n_symbols = c->n_symbols,
		.unit = c->unit,
	};
}

/* --- did you mean --- */

#define ID_BYTES 64 /* as ID_BYTES in generate.py */

/* Levenshtein distance; ID_BYTES + 1 when a text is too long to be near any id. */
static unsigned distance(struct gw_str a, struct gw_str b)
{
	if (a.len > ID_BYTES || b.len > ID_BYTES) {
		return ID_BYTES + 1;
	}
	unsigned row[ID_BYTES + 1];
	for (unsigned j = 0; j <= b.len; j++) {
		row[j] = j;
	}
	for (unsigned i = 1; i <= a.len; i++) {
		unsigned diagonal = row[0];
		row[0] = i;
		for (unsigned j = 1; j <= b.len; j++) {
			unsigned best = diagonal + (a.p[i - 1] != b.p[j - 1]);
			best = row[j] + 1 < best ? row[j] + 1 : best;
			best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[b.len];
}

/* A third of the letters may differ; beyond that a suggestion misleads. */
static const char *suggest(struct gw_str id, const char *(*name_at)(size_t))
{
	const char *best = NULL;
	unsigned least = (unsigned)(id.len < ID_BYTES ? id.len : ID_BYTES) / 3 + 1;
	for (size_t i = 0; name_at(i); i++) {
		unsigned d = distance(id, gw_str(name_at(i)));
		if (d < least) {
			least = d;
			best = name_at(i);
		}
	}
	return best;
}

static const char *capability_name_at(size_t index)
{
	return index < gw_model_n_capabilities ? gw_model_capabilities[index].id : NULL;
}

static const char *type_name_at(size_t index)
{
	return index < gw_model_n_types ? gw_model_types[index].id : NULL;
}

const char *gw_capability_suggest(struct gw_str id)
{
	return suggest(id, capability_name_at);
}

const char *gw_device_type_suggest(struct gw_str id)
{
	return suggest(id, type_name_at);
}
