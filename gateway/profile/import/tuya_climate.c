/* Entities of several dps: climate, water_heater, humidifier, fan. */
#include <string.h>

#include "profile/import/tuya.h"

/* --- parts of an entity --- */

/* Words that the standard enum does not have stay usable beside it. */
static void keep_all_words(struct gw_tuya_dp *dp)
{
	const char *address = NULL, *why = NULL;
	const struct gw_tuya_want w = {.type = GW_TYPE_ENUM, .id = dp->name, .label = dp->name};
	if (gw_tuya_as(dp, &w, &address, &why)) {
		gw_draft_note(dp->entity->t->b, "%s: words without a symbol are in %s", dp->name,
			      address);
	}
}

static bool take_part(struct gw_tuya_dp *dp, const struct gw_tuya_part *p,
		      struct gw_tuya_dp *unit_of)
{
	struct gw_tuya *t = dp->entity->t;
	const char *bar = p->map ? strchr(p->map, '|') : NULL, *address = NULL, *why = NULL;
	bool lost = false;
	struct gw_tuya_want w = {.cap = gw_capability_find(gw_str(p->cap)),
				 .ro = p->ro,
				 .partial = p->partial,
				 .unit = p->unit,
				 .unit_of = unit_of,
				 .lost = &lost};
	w.on = bar ? gw_draft_printf(t->b, "%.*s", (int)(bar - p->map), p->map) : p->map;
	w.off = bar ? bar + 1 : NULL;
	if (!w.cap || !gw_tuya_as(dp, &w, &address, &why)) {
		return false;
	}
	gw_tuya_fate(dp, address, NULL);
	if (lost) {
		keep_all_words(dp);
	}
	return true;
}

void gw_tuya_parts(struct gw_tuya_entity *e, const struct gw_tuya_part *parts, size_t n,
		   struct gw_tuya_dp *unit_of)
{
	for (size_t i = 0; i < n; i++) {
		struct gw_tuya_dp *dp = gw_tuya_dp(e, parts[i].dp);
		bool last = i + 1 == n || strcmp(parts[i].dp, parts[i + 1].dp) != 0;
		if (!dp || dp->told || dp->hidden || take_part(dp, &parts[i], unit_of)) {
			continue;
		}
		if (last) {
			gw_tuya_vendor(dp, dp->name, parts[i].ro);
		}
	}
}

/* --- climate, water heater --- */

static const struct gw_tuya_part climate[] = {
	{"hvac_mode", "thermostat.mode", NULL, false, true, NULL},
	{"temperature", "thermostat.setpoint", NULL, false, false, NULL},
	{"target_temperature", "thermostat.setpoint", NULL, false, false, NULL},
	{"target_temp_high", "thermostat.cool_setpoint", NULL, false, false, NULL},
	{"target_temp_low", "thermostat.heat_setpoint", NULL, false, false, NULL},
	{"current_temperature", "thermostat.current", NULL, true, false, NULL},
	{"hvac_action", "thermostat.action", NULL, true, true, NULL},
	{"preset_mode", "thermostat.preset", NULL, false, true, NULL},
	{"preset_mode", "mode.select", NULL, false, false, NULL},
	{"fan_mode", "fan.mode", NULL, false, true, NULL},
	{"swing_mode", "fan.rock_ud", NULL, false, false, NULL},
	{"swing_mode", "ac.vane_v", NULL, false, true, NULL},
	{"swing_horizontal_mode", "fan.rock_lr", NULL, false, false, NULL},
	{"swing_horizontal_mode", "ac.vane_h", NULL, false, true, NULL},
	{"temperature_unit", "display.unit", NULL, false, false, NULL},
	{"min_temperature", "thermostat.min", NULL, true, false, NULL},
	{"max_temperature", "thermostat.max", NULL, true, false, NULL},
	{"current_humidity", "humidity.measured", NULL, true, false, "%"},
	{"humidity", "humidity.setpoint", NULL, false, false, "%"},
	{"power", "switch.on", NULL, false, false, NULL},
};

static const struct gw_tuya_part water_heater[] = {
	{"operation_mode", "water_heater.mode", NULL, false, true, NULL},
	{"operation_mode", "mode.select", NULL, false, false, NULL},
	{"temperature", "thermostat.setpoint", NULL, false, false, NULL},
	{"target_temperature", "thermostat.setpoint", NULL, false, false, NULL},
	{"current_temperature", "thermostat.current", NULL, true, false, NULL},
	{"temperature_unit", "display.unit", NULL, false, false, NULL},
	{"min_temperature", "thermostat.min", NULL, true, false, NULL},
	{"max_temperature", "thermostat.max", NULL, true, false, NULL},
};

static bool offers(struct gw_tuya_entity *e, const char *name, const char *value)
{
	struct gw_tuya_dp *dp = gw_tuya_dp(e, name);
	struct gw_tuya_rows rows;
	for (size_t i = 0; dp && gw_tuya_rows(dp, &rows) && i < rows.n; i++) {
		if (rows.row[i].value && gw_node_is_text(rows.row[i].value, value)) {
			return true;
		}
	}
	return false;
}

void gw_tuya_climate(struct gw_tuya_entity *e)
{
	bool heater = strcmp(e->kind, "water_heater") == 0;
	struct gw_tuya_dp *unit = gw_tuya_dp(e, "temperature_unit");
	e->t->b->hints |= offers(e, "hvac_mode", "dry") ? GW_HINT_DRIES : 0;
	if (heater) {
		gw_tuya_parts(e, water_heater, gw_countof(water_heater), unit);
	} else {
		gw_tuya_parts(e, climate, gw_countof(climate), unit);
	}
}

/* --- humidifier, fan --- */

static const struct gw_tuya_part humidifier[] = {
	{"switch", "switch.on", NULL, false, false, NULL},
	{"humidity", "humidity.setpoint", NULL, false, false, "%"},
	{"current_humidity", "humidity.measured", NULL, true, false, "%"},
	{"mode", "humidifier.mode", NULL, false, false, NULL},
	{"mode", "mode.select", NULL, false, false, NULL},
	{"action", "humidifier.action", NULL, true, false, NULL},
	{"ionizer", "ac.ionizer", NULL, false, false, NULL},
};

static const struct gw_tuya_part fan[] = {
	{"switch", "switch.on", NULL, false, false, NULL},
	{"preset_mode", "fan.mode", NULL, false, false, NULL},
	{"preset_mode", "fan.wind", NULL, false, false, NULL},
	{"preset_mode", "mode.select", NULL, false, false, NULL},
	{"oscillate", "fan.rock_lr", NULL, false, false, NULL},
	{"direction", "fan.direction", NULL, false, false, NULL},
};

void gw_tuya_humidifier(struct gw_tuya_entity *e)
{
	bool dries = strcmp(e->class, "dehumidifier") == 0;
	e->t->b->hints |= dries ? GW_HINT_DEHUMIDIFIER : 0;
	gw_tuya_parts(e, humidifier, gw_countof(humidifier), NULL);
}

/* A direction without mapping has the words of Home Assistant. */
static bool bare_direction(struct gw_tuya_dp *dp)
{
	static const char *const words[] = {"forward", "reverse"};
	struct gw_tuya_entity *e = dp->entity;
	struct gw_draft *b = e->t->b;
	const char *why = NULL, *address = NULL;
	const char *p = gw_tuya_point(dp, !dp->readonly, &why);
	struct gw_node *c =
		p ? gw_tuya_cap(e, e->label, e->label, "fan.direction", false, &address) : NULL;
	if (!c) {
		return false;
	}
	gw_add_text(b, gw_set_list(b, c, "table"), gw_str(p));
	struct gw_node *rows = gw_set_list(b, c, "rows");
	for (size_t i = 0; i < gw_countof(words); i++) {
		struct gw_node *row = gw_node_new(b->a, GW_NODE_LIST);
		gw_add_text(b, row, gw_str(words[i]));
		gw_add_text(b, row, gw_str(words[i]));
		gw_add_node(b, rows, row);
	}
	gw_tuya_fate(dp, address, NULL);
	return true;
}

/* Steps become per cent of the highest; what the mapping lists is per cent already. */
static void speed(struct gw_tuya_dp *dp)
{
	const char *address = NULL, *why = NULL;
	const struct gw_tuya_want w = {.cap = gw_capability_find(GW_STR("fan.percent")),
				       .scale = 100 / gw_tuya_full(dp, 100),
				       .unit = "%"};
	if (gw_tuya_as(dp, &w, &address, &why)) {
		gw_tuya_fate(dp, address, NULL);
	} else {
		gw_tuya_vendor(dp, dp->name, /* ro= */ false);
	}
}

void gw_tuya_fan(struct gw_tuya_entity *e)
{
	struct gw_tuya_dp *steps = gw_tuya_dp(e, "speed");
	if (steps && !steps->hidden) {
		speed(steps);
	}
	struct gw_tuya_dp *direction = gw_tuya_dp(e, "direction");
	if (direction && !direction->mapping && direction->type == GW_TUYA_STRING) {
		(void)bare_direction(direction); /* false: a part as others */
	}
	gw_tuya_parts(e, fan, gw_countof(fan), NULL);
}
