/*
 * The unified model: const tables generated at build from gateway/model/capabilities.txt, device-types.txt, units.txt (a perfect
 * hash by id). Everything here is constant and may be kept for ever.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gw/buf.h"
#include "gw/compiler.h"
#include "gw/error.h"
#include "gw/node.h"
#include "gw/str.h"
#include "gw/value.h"

enum gw_kind { GW_KIND_PROPERTY, GW_KIND_ACTION, GW_KIND_EVENT };
enum gw_type {
	GW_TYPE_BOOL,
	GW_TYPE_INT,
	GW_TYPE_NUM,
	GW_TYPE_ENUM,
	GW_TYPE_STR,
	GW_TYPE_TIME,
	GW_TYPE_LIST,
	GW_TYPE_REC,
	GW_TYPE_NONE
};

enum gw_access_flag {
	GW_ACCESS_READ = 1 << 0,
	GW_ACCESS_WRITE = 1 << 1,
	GW_ACCESS_NOTIFY = 1 << 2,
	GW_ACCESS_INVOKE = 1 << 3,
	GW_ACCESS_EMIT = 1 << 4,
	GW_ACCESS_ADMIN = 1 << 5,    /* adm: owner only */
	GW_ACCESS_SECURITY = 1 << 6, /* sec: critical action, step-up */
};

struct gw_capability {
	const char *id;	   /* "thermostat.setpoint" */
	const char *group; /* heading of the source file: "Climate" */
	enum gw_kind kind;
	enum gw_type type; /* of a property or of the one datum of an event; NONE for actions */
	uint8_t access;	   /* gw_access_flag */
	const char *unit;  /* UCUM code or "" */
	struct gw_resolution res;
	bool has_min, has_max;
	int64_t min, max; /* counts of res */
	const char *const *
		symbols; /* domain of an enum (also of a symbol list or event); NULL: none or profile-named */
	uint16_t n_symbols;
	bool profile_named;	 /* the profile lists the symbols */
	const char *const *args; /* inputs of an action, data of an event: names */
	uint8_t n_args;
	const char *matter, *home_assistant; /* mapping columns as written */
	const char *label_en, *label_zh;     /* short label for people */
};

struct gw_device_type {
	const char *id; /* "room_air_conditioner" */
	const char *group, *matter, *home_assistant;
	const char *components; /* "main + outlet_1..n" as written */
	const char *const
		*mandatory;  /* "switch.on"; "outlet:switch.on" when it belongs to a component */
	uint8_t n_mandatory; /* alternatives are one entry: "water.ph|water.tds" */
	const char *const *optional;
	uint8_t n_optional;
	const char *label_en, *label_zh;
};

const struct gw_capability *gw_capability_find(struct gw_str id); /* NULL when unknown */
const struct gw_capability *gw_capability_at(size_t index);	  /* NULL beyond the last */
const struct gw_device_type *gw_device_type_find(struct gw_str id);
const struct gw_device_type *gw_device_type_at(size_t index);
const char *
gw_unit_symbol(const char *ucum); /* "Cel" → "°C"; the code itself when it has no other form */
const char *gw_type_name(enum gw_type t);

/* The nearest known id by edit distance, for "did you mean"; NULL when none is near. */
const char *gw_capability_suggest(struct gw_str id);
const char *gw_device_type_suggest(struct gw_str id);

/* What a value may be: of the model, or narrowed by a profile. Bounds are counts of res. */
struct gw_domain {
	enum gw_type type;
	struct gw_resolution res;
	bool has_min, has_max;
	int64_t min, max, step; /* step 0: none; counted from min, from 0 when min is open */
	const char *const *symbols;
	uint16_t n_symbols;
	const char *unit; /* UCUM code for error texts; NULL or "": none */
};
void gw_capability_domain(const struct gw_capability *c, struct gw_domain *ret_domain);

/*
 * A wanted value as JSON from a surface → gw_value, checked in the order type, enum, range, step (profile-language §11).
 * A number is first rounded to the resolution. On refusal code is "type", "value", "range" or "step" and the text names the
 * bounds in the unit. *ret_value owns a reference.
 */
int gw_value_from_node(const struct gw_node *n, const struct gw_domain *d,
		       struct gw_value *ret_value, struct gw_error *reterr_) GW_MUST_USE;
/* The same from the text of a CLI argument or an MQTT set payload: 21.5, on/true, cool, or JSON. */
int gw_value_parse(struct gw_str text, const struct gw_domain *d, struct gw_value *ret_value,
		   struct gw_error *reterr_) GW_MUST_USE;
