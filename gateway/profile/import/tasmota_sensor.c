/* Tasmota: the SENSOR object; every leaf is a sensor, a list is one for each phase. */
#include "profile/import/tasmota.h"

struct sensor_row {
	const char *group; /* NULL: any */
	const char *leaf, *cap;
	const char
		*unit; /* as Tasmota reports; "" as ours; "@X": the text of the sibling X of sn */
};

static const struct sensor_row rows[] = {
	{"ENERGY", "Total", "meter.energy", "kWh"},
	{"ENERGY", "ExportActive", "meter.energy_export", "kWh"},
	{"ENERGY", "Power", "meter.power", "W"},
	{"ENERGY", "ApparentPower", "meter.apparent_power", "VA"},
	{"ENERGY", "ReactivePower", "meter.reactive_power", "var"},
	{"ENERGY", "Factor", "meter.power_factor", ""},
	{"ENERGY", "Voltage", "meter.voltage", "V"},
	{"ENERGY", "Current", "meter.current", "A"},
	{"ENERGY", "Frequency", "meter.frequency", "Hz"},
	{"ENERGY", "Today", NULL, "kWh"},
	{"ENERGY", "Yesterday", NULL, "kWh"},
	{"ANALOG", "Temperature", "temperature.measured", "@TempUnit"},
	{NULL, "Temperature", "temperature.measured", "@TempUnit"},
	{NULL, "Humidity", "humidity.measured", "%"},
	{NULL, "Pressure", "pressure.measured", "@PressureUnit"},
	{NULL, "Illuminance", "illuminance.measured", "lx"},
	{NULL, "CarbonDioxide", "air.co2", "ppm"},
	{NULL, "eCO2", "air.co2", "ppm"},
	{NULL, "CO2", "air.co2", "ppm"},
	{NULL, "PM1", "air.pm1", "µg/m³"},
	{NULL, "PM2.5", "air.pm2_5", "µg/m³"},
	{NULL, "PM10", "air.pm10", "µg/m³"},
	{NULL, "Moisture", "soil.moisture", "%"},
	{NULL, "UvIndex", "uv.index", ""},
	{NULL, "Weight", "weight.measured", "kg"},
	{NULL, "Battery", "battery.level", "%"},
};

static const struct sensor_row *row_of(const char *group, struct gw_str leaf)
{
	for (size_t i = 0; i < gw_countof(rows); i++) {
		if ((!rows[i].group || strcmp(rows[i].group, group) == 0) &&
		    gw_str_is(leaf, rows[i].leaf)) {
			return &rows[i];
		}
	}
	return NULL;
}

static struct gw_str unit_of(const struct gw_node *sn, const struct sensor_row *row)
{
	if (row->unit[0] != '@') {
		return gw_str(row->unit);
	}
	const char *unit = gw_node_text(sn, row->unit + 1);
	return gw_str(unit ? unit : "");
}

/* Names that say when, not what. */
static bool is_no_sensor(struct gw_str leaf)
{
	static const char *const words[] = {"Time",	    "TotalStartTime", "TempUnit",
					    "PressureUnit", "SpeedUnit",      "Id",
					    "Switch",	    "Period"};
	for (size_t i = 0; i < gw_countof(words); i++) {
		if (gw_str_is(leaf, words[i])) {
			return true;
		}
	}
	/* Switch1, Shutter1: made from the configuration */
	return gw_str_starts(leaf, "Switch") || gw_str_starts(leaf, "Shutter");
}

static struct gw_node *sensor_point(struct gw_tas *t, const char *hint, const char *pointer,
				    const char **ret_name)
{
	struct gw_node *p = gw_draft_point(t->b, hint, ret_name);
	if (p) {
		gw_draft_ref(t->b, p, "in", t->sensor, pointer);
	}
	if (p && t->status10) {
		gw_draft_ref(t->b, p, "in", t->status10,
			     gw_draft_printf(t->b, "/StatusSNS%s", pointer));
	}
	return p;
}

static void add_leaf(struct gw_tas *t, const struct gw_node *sn, const char *group,
		     const struct gw_node *leaf, struct gw_str leaf_name, const char *pointer,
		     const char *component)
{
	const struct sensor_row *row = row_of(group, leaf_name);
	struct gw_linear l = GW_LINEAR_NONE;
	const char *name = NULL;
	const char *hint = gw_draft_printf(t->b, "%s_" GW_STR_FMT, group, GW_STR_ARG(leaf_name));
	const struct gw_capability *cap =
		row && row->cap ? gw_capability_find(gw_str(row->cap)) : NULL;
	bool number = leaf->type == GW_NODE_NUMBER || leaf->type == GW_NODE_NULL;
	if (cap && (!number || !gw_unit_to(unit_of(sn, row), cap->unit, &l))) {
		cap = NULL;
	}
	if (!number && leaf->type != GW_NODE_TEXT) {
		return;
	}
	if (cap && !component) {
		component = gw_draft_place(t->b, group, group, &row->cap, 1);
	}
	struct gw_node *p = sensor_point(t, hint, pointer, &name);
	const char *id = cap ? cap->id : gw_draft_extension(t->b, component, hint);
	struct gw_node *c = p ? gw_draft_point_cap(t->b, component, id, name) : NULL;
	if (!c) {
		return;
	}
	if (l.mul != 1) {
		gw_set_number(t->b, p, "mul", l.mul);
	}
	if (l.div != 1) {
		gw_set_number(t->b, p, "div", l.div);
	}
	if (l.add != 0) {
		gw_set_number(t->b, p, "add", l.add);
	}
	gw_set_bool(t->b, c, "ro", true);
	if (!cap) {
		gw_set_text(t->b, c, "type", number ? "num" : "str");
		gw_set_text(t->b, c, "name",
			    gw_draft_printf(t->b, "%s " GW_STR_FMT, group, GW_STR_ARG(leaf_name)));
	}
	if (!cap && number) {
		const char *unit = row && !row->cap ? gw_unit_code(gw_str(row->unit)) : NULL;
		if (unit) {
			gw_set_text(t->b, c, "unit", unit);
		}
		gw_set_number(t->b, c, "res", 0.001);
	}
}

/* A list: one component for each phase. */
static void add_phases(struct gw_tas *t, const struct gw_node *sn, const char *group,
		       const struct gw_node *list, const char *pointer)
{
	size_t index = 0;
	gw_node_for(item, list)
	{
		const char *component = gw_draft_component(
			t->b, gw_draft_printf(t->b, "phase_%c", (char)('a' + index)), NULL);
		add_leaf(t, sn, group, item, list->key,
			 gw_draft_printf(t->b, "%s/%zu", pointer, index), component);
		if (++index == 3) {
			return;
		}
	}
}

static void add_group(struct gw_tas *t, const struct gw_node *sn, const struct gw_node *group)
{
	const char *at = gw_draft_pointer(t->b, "", group->key);
	gw_node_for(leaf, group)
	{
		const char *pointer = gw_draft_pointer(t->b, at, leaf->key);
		if (is_no_sensor(leaf->key)) {
			continue;
		}
		if (leaf->type == GW_NODE_LIST) {
			add_phases(t, sn, group->key.p, leaf, pointer);
		} else {
			add_leaf(t, sn, group->key.p, leaf, leaf->key, pointer, NULL);
		}
	}
}

void gw_tas_sensors(struct gw_tas *t, const struct gw_node *sn)
{
	t->b->at = "sn";
	gw_node_for(n, sn)
	{
		if (is_no_sensor(n->key)) {
			continue;
		}
		if (n->type == GW_NODE_MAP) {
			add_group(t, sn, n);
		} else if (n->type == GW_NODE_NUMBER) {
			add_leaf(t, sn, "sensor", n, n->key, gw_draft_pointer(t->b, "", n->key),
				 NULL);
		}
	}
}
