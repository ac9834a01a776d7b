/* Semantic types of Thing Descriptions: iotschema.org, SAREF, WebThings. Tables from their words to capabilities. */
#include "profile/import/td.h"

/* Vocabularies by the prefix that people give them and by what the prefix stands for. */
static const struct {
	const char *prefix, *iri;
} vocabularies[] = {
	{"iot", "http://iotschema.org"},
	{"iot", "https://iotschema.org"},
	{"saref", "https://w3id.org/saref"},
	{"saref", "https://saref.etsi.org/core"},
	{"saref", "http://ontology.tno.nl/saref"},
	{"webthings", "https://webthings.io/schemas"},
	{"webthings", "https://iot.mozilla.org/schemas"},
	{"wot-home", "https://w3id.org/wot-home"},
};

struct word {
	const char *word, *cap; /* with "=true|false" symbols where a boolean becomes an enum */
};

/*
 * Local names. iotschema.org: the interaction patterns of its capabilities; SAREF: properties and functions; WebThings: property, action
 * and event types ("…Property").
 */
static const struct word words[] = {
	/* iotschema.org */
	{"AirQualityData", "air.quality"},
	{"BatteryLevelData", "battery.level"},
	{"BatteryPercentage", "battery.level"},
	{"CurrentColour", "color.hue"},
	{"CurrentDimmer", "level.value"},
	{"CurrentHumidity", "humidity.measured"},
	{"CurrentPosition", "covering.position"},
	{"CurrentTemperature", "temperature.measured"},
	{"DimmerData", "level.value"},
	{"HumidityData", "humidity.measured"},
	{"IlluminanceData", "illuminance.measured"},
	{"LevelData", "level.value"},
	{"LockStatus", "lock.state=locked|unlocked"},
	{"MotionDetected", "motion.detected"},
	{"OccupancyStatus", "occupancy.detected"},
	{"PowerData", "meter.power"},
	{"SetDimmer", "level.value"},
	{"SwitchStatus", "switch.on"},
	{"TargetTemperature", "thermostat.setpoint"},
	{"TemperatureData", "temperature.measured"},
	{"Toggle", "switch.toggle"},
	{"ToggleAction", "switch.toggle"},
	/* SAREF */
	{"Energy", "meter.energy"},
	{"Humidity", "humidity.measured"},
	{"Light", "illuminance.measured"},
	{"Motion", "motion.detected"},
	{"Occupancy", "occupancy.detected"},
	{"OnOffState", "switch.on"},
	{"OpenCloseState", "contact.open"},
	{"Power", "meter.power"},
	{"Pressure", "pressure.measured"},
	{"Smoke", "smoke.state=critical|normal"},
	{"Temperature", "temperature.measured"},
	{"ToggleCommand", "switch.toggle"},
	/* WebThings */
	{"BarometricPressureProperty", "pressure.measured"},
	{"BrightnessProperty", "level.value"},
	{"ColorModeProperty", "color.mode"},
	{"ColorTemperatureProperty", "color.temperature"},
	{"CurrentProperty", "meter.current"},
	{"DoubleTappedEvent", "button.press=double"},
	{"FrequencyProperty", "meter.frequency"},
	{"HeatingCoolingProperty", "thermostat.action"},
	{"HumidityProperty", "humidity.measured"},
	{"InstantaneousPowerFactorProperty", "meter.power_factor"},
	{"InstantaneousPowerProperty", "meter.power"},
	{"LeakProperty", "leak.detected"},
	{"LevelProperty", "level.value"},
	{"LockAction", "lock.lock"},
	{"LockedProperty", "lock.state"},
	{"LongPressedEvent", "button.press=long"},
	{"MotionProperty", "motion.detected"},
	{"OnOffProperty", "switch.on"},
	{"OpenProperty", "contact.open"},
	{"PressedEvent", "button.press=press"},
	{"SmokeProperty", "smoke.state=critical|normal"},
	{"TargetTemperatureProperty", "thermostat.setpoint"},
	{"TemperatureProperty", "temperature.measured"},
	{"ThermostatModeProperty", "thermostat.mode"},
	{"UnlockAction", "lock.unlock"},
	{"VoltageProperty", "meter.voltage"},
};

/* What the thing is: words of the same vocabularies. */
static const struct {
	const char *word;
	unsigned hint;
} kinds[] = {
	{"Light", GW_HINT_LIGHT},
	{"ColorControl", GW_HINT_LIGHT},
	{"LightSwitch", GW_HINT_LIGHT},
	{"LightingDevice", GW_HINT_LIGHT},
	{"SmartPlug", GW_HINT_OUTLET},
	{"EnergyMonitor", GW_HINT_OUTLET},
	{"AirConditioner", GW_HINT_DRIES},
	{"AirConditioning", GW_HINT_DRIES},
	{"WindowCovering", GW_HINT_BLIND},
	{"Blinds", GW_HINT_BLIND},
	{"Dehumidifier", GW_HINT_DEHUMIDIFIER},
};

/* What a prefix of the description stands for; NULL: it does not say. */
static const char *meaning_of(const struct gw_td *t, struct gw_str prefix)
{
	gw_node_for(item, gw_node_get(t->root, "@context"))
	{
		const struct gw_node *n = gw_node_get_str(item, prefix);
		if (n && n->type == GW_NODE_TEXT) {
			return n->text.p;
		}
	}
	return NULL;
}

static bool is_vocabulary(const struct gw_td *t, struct gw_str prefix)
{
	const char *iri = meaning_of(t, prefix);
	for (size_t i = 0; i < gw_countof(vocabularies); i++) {
		if (iri ? gw_str_starts(gw_str(iri), vocabularies[i].iri)
			: gw_str_is(prefix, vocabularies[i].prefix)) {
			return true;
		}
	}
	return false;
}

/* "iot:SwitchStatus", "http://iotschema.org/SwitchStatus", "OnOffProperty" → the local name; empty: of a vocabulary that is not known. */
static struct gw_str local_name(const struct gw_td *t, struct gw_str type)
{
	struct gw_str rest = type, prefix;
	for (size_t i = 0; i < gw_countof(vocabularies); i++) {
		if (gw_str_starts(type, vocabularies[i].iri)) {
			rest = gw_str_sub(type, strlen(vocabularies[i].iri), type.len);
			while (rest.len > 0 && strchr("/#", rest.p[0])) {
				rest = gw_str_sub(rest, 1, rest.len);
			}
			return rest;
		}
	}
	(void)gw_str_split(&rest, ':', &prefix); /* without a colon nothing is left */
	if (!rest.p) {
		return type;
	}
	return is_vocabulary(t, prefix) ? rest : (struct gw_str){"", 0};
}

static const char *capability_of(const struct gw_td *t, struct gw_str type)
{
	struct gw_str name = local_name(t, type);
	for (size_t i = 0; i < gw_countof(words); i++) {
		if (gw_str_is(name, words[i].word)) {
			return words[i].cap;
		}
	}
	return NULL;
}

const char *gw_td_semantic(const struct gw_td *t, const struct gw_node *n)
{
	const struct gw_node *type = n ? gw_node_get(n, "@type") : NULL;
	const char *found = NULL;
	if (type && type->type == GW_NODE_TEXT) {
		return capability_of(t, type->text);
	}
	gw_node_for(item, type)
	{
		found = found || item->type != GW_NODE_TEXT ? found : capability_of(t, item->text);
	}
	return found;
}

static unsigned hint_of(const struct gw_td *t, const struct gw_node *type)
{
	struct gw_str name = type->type == GW_NODE_TEXT ? local_name(t, type->text) : GW_STR("");
	for (size_t i = 0; i < gw_countof(kinds); i++) {
		if (gw_str_is(name, kinds[i].word)) {
			return kinds[i].hint;
		}
	}
	return 0;
}

unsigned gw_td_hints(const struct gw_td *t)
{
	const struct gw_node *type = gw_node_get(t->root, "@type");
	unsigned hints = type ? hint_of(t, type) : 0;
	gw_node_for(item, type)
	{
		hints |= hint_of(t, item);
	}
	return hints;
}
