#include "profile/import/vocabulary.h"

#include <ctype.h>
#include <math.h>

/* --- linear forms --- */

bool gw_linear_equal(struct gw_linear a, struct gw_linear b)
{
	return fabs(a.mul * b.div - b.mul * a.div) <= 1e-9 * fabs(a.mul * b.div) &&
	       fabs(a.add - b.add) <= 1e-9 * (1 + fabs(a.add));
}

bool gw_linear_is_none(struct gw_linear l)
{
	return gw_linear_equal(l, GW_LINEAR_NONE);
}

double gw_linear_apply(struct gw_linear l, double x)
{
	return x * l.mul / l.div + l.add;
}

struct gw_linear gw_linear_then(struct gw_linear first, struct gw_linear second)
{
	return (struct gw_linear){first.mul * second.mul, first.div * second.div,
				  gw_linear_apply(second, first.add)};
}

struct gw_linear gw_linear_inverse(struct gw_linear l)
{
	double add = -l.add * l.div / l.mul;
	return (struct gw_linear){l.div, l.mul, add == 0 ? 0 : add};
}

/* --- units --- */

struct unit_row {
	const char *given, *ucum;
	double mul, div, add;
};

/* device-model.md §4, with the spellings of Home Assistant, zigbee2mqtt and Tasmota. */
static const struct unit_row units[] = {
	{"°C", "Cel", 1, 1, 0},
	{"C", "Cel", 1, 1, 0},
	{"°F", "Cel", 5, 9, -160.0 / 9},
	{"F", "Cel", 5, 9, -160.0 / 9},
	{"K", "K", 1, 1, 0},
	{"%", "%", 1, 1, 0},
	{"%", "1", 1, 100, 0}, /* a factor */
	{"W", "W", 1, 1, 0},
	{"kW", "W", 1000, 1, 0},
	{"mW", "W", 1, 1000, 0},
	{"VA", "VA", 1, 1, 0},
	{"kVA", "VA", 1000, 1, 0},
	{"var", "var", 1, 1, 0},
	{"VAR", "var", 1, 1, 0},
	{"kvar", "var", 1000, 1, 0},
	{"kWh", "kW.h", 1, 1, 0},
	{"Wh", "kW.h", 1, 1000, 0},
	{"MWh", "kW.h", 1000, 1, 0},
	{"V", "V", 1, 1, 0},
	{"mV", "V", 1, 1000, 0},
	{"A", "A", 1, 1, 0},
	{"mA", "A", 1, 1000, 0},
	{"Hz", "Hz", 1, 1, 0},
	{"kHz", "Hz", 1000, 1, 0},
	{"lx", "lx", 1, 1, 0},
	{"lux", "lx", 1, 1, 0},
	{"W/m²", "W/m2", 1, 1, 0},
	{"W/m2", "W/m2", 1, 1, 0},
	{"µg/m³", "ug/m3", 1, 1, 0}, /* U+00B5 */
	{"μg/m³", "ug/m3", 1, 1, 0}, /* U+03BC */
	{"µg/m3", "ug/m3", 1, 1, 0},
	{"μg/m3", "ug/m3", 1, 1, 0}, /* U+03BC */
	{"ug/m3", "ug/m3", 1, 1, 0},
	{"ug/m³", "ug/m3", 1, 1, 0},
	{"mg/m³", "ug/m3", 1000, 1, 0},
	{"mg/m3", "ug/m3", 1000, 1, 0},
	{"ppm", "[ppm]", 1, 1, 0},
	{"ppb", "[ppm]", 1, 1000, 0},
	{"mg/L", "mg/L", 1, 1, 0},
	{"ppm", "mg/L", 1, 1, 0}, /* in water */
	{"Bq/m³", "Bq/m3", 1, 1, 0},
	{"pCi/L", "Bq/m3", 37, 1, 0},
	{"pH", "[pH]", 1, 1, 0},
	{"µS/cm", "uS/cm", 1, 1, 0},
	{"μS/cm", "uS/cm", 1, 1, 0},
	{"uS/cm", "uS/cm", 1, 1, 0},
	{"mS/cm", "uS/cm", 1000, 1, 0},
	{"hPa", "hPa", 1, 1, 0},
	{"mbar", "hPa", 1, 1, 0},
	{"kPa", "hPa", 10, 1, 0},
	{"Pa", "hPa", 1, 100, 0},
	{"bar", "hPa", 1000, 1, 0},
	{"psi", "hPa", 68.947573, 1, 0},
	{"inHg", "hPa", 33.863886, 1, 0},
	{"mmHg", "hPa", 1.33322, 1, 0},
	{"mmHg", "mm[Hg]", 1, 1, 0},
	{"m³/h", "m3/h", 1, 1, 0},
	{"m3/h", "m3/h", 1, 1, 0},
	{"L/min", "m3/h", 6, 100, 0},
	{"L/h", "m3/h", 1, 1000, 0},
	{"m³", "m3", 1, 1, 0},
	{"m3", "m3", 1, 1, 0},
	{"ft³", "m3", 0.0283168, 1, 0},
	{"L", "m3", 1, 1000, 0},
	{"L", "L", 1, 1, 0},
	{"m³", "L", 1000, 1, 0},
	{"m3", "L", 1000, 1, 0},
	{"gal", "L", 3.785412, 1, 0},
	{"mL", "L", 1, 1000, 0},
	{"mL", "mL", 1, 1, 0},
	{"kg", "kg", 1, 1, 0},
	{"g", "kg", 1, 1000, 0},
	{"lb", "kg", 0.45359237, 1, 0},
	{"s", "s", 1, 1, 0},
	{"sec", "s", 1, 1, 0},
	{"seconds", "s", 1, 1, 0},
	{"ms", "s", 1, 1000, 0},
	{"min", "s", 60, 1, 0},
	{"minutes", "s", 60, 1, 0},
	{"h", "s", 3600, 1, 0},
	{"hours", "s", 3600, 1, 0},
	{"d", "s", 86400, 1, 0},
	{"h", "h", 1, 1, 0},
	{"d", "h", 24, 1, 0},
	{"min", "h", 1, 60, 0},
	{"s", "h", 1, 3600, 0},
	{"ms", "ms", 1, 1, 0},
	{"°", "deg", 1, 1, 0},
	{"m", "m", 1, 1, 0},
	{"cm", "m", 1, 100, 0},
	{"mm", "m", 1, 1000, 0},
	{"ft", "m", 0.3048, 1, 0},
	{"m²", "m2", 1, 1, 0},
	{"m/s", "m/s", 1, 1, 0},
	{"km/h", "m/s", 10, 36, 0},
	{"mph", "m/s", 0.44704, 1, 0},
	{"kn", "m/s", 1852, 3600, 0},
	{"mm/h", "mm/h", 1, 1, 0},
	{"in/h", "mm/h", 25.4, 1, 0},
	{"rpm", "1/min", 1, 1, 0},
	{"bpm", "/min", 1, 1, 0},
	{"dB", "dB", 1, 1, 0},
	{"dBA", "dB", 1, 1, 0},
	{"dBm", "dBm", 1, 1, 0},
	{"mg/dL", "mmol/L", 1, 18.0156, 0},
	{"mmol/L", "mmol/L", 1, 1, 0},
	/* tuya-local writes units without signs */
	{"ugm3", "ug/m3", 1, 1, 0},
	{"mgm3", "ug/m3", 1000, 1, 0},
	{"m2", "m2", 1, 1, 0},
	{"RPM", "1/min", 1, 1, 0},
	{"% LEL", "%LEL", 1, 1, 0},
	{"hour", "s", 3600, 1, 0},
	{"gal/min", "m3/h", 227.12470704, 1000, 0},
};

bool gw_unit_to(struct gw_str given, const char *ucum, struct gw_linear *ret_linear)
{
	for (size_t i = 0; given.len > 0 && i < gw_countof(units); i++) {
		if (gw_str_is(given, units[i].given) && strcmp(units[i].ucum, ucum) == 0) {
			*ret_linear = (struct gw_linear){units[i].mul, units[i].div, units[i].add};
			return true;
		}
	}
	if (given.len == 0 || strcmp(ucum, "1") == 0) {
		*ret_linear = GW_LINEAR_NONE;
		return true;
	}
	return false;
}

const char *gw_unit_code(struct gw_str given)
{
	for (size_t i = 0; i < gw_countof(units); i++) {
		if (gw_str_is(given, units[i].given) && units[i].mul == 1 && units[i].div == 1 &&
		    units[i].add == 0) {
			return units[i].ucum;
		}
	}
	return NULL;
}

/* Letters and digits of a unit's name in lower case. */
static const struct {
	const char *word, *unit;
} unit_words[] = {
	{"ampere", "A"},	 {"amperes", "A"},
	{"arcdegrees", "°"},	 {"celsius", "°C"},
	{"decibel", "dB"},	 {"degc", "°C"},
	{"degf", "°F"},		 {"degree", "°"},
	{"degreecelsius", "°C"}, {"degreefahrenheit", "°F"},
	{"degrees", "°"},	 {"degreescelsius", "°C"},
	{"fahrenheit", "°F"},	 {"hectopascal", "hPa"},
	{"hertz", "Hz"},	 {"hour", "h"},
	{"kelvin", "K"},	 {"kilowatthour", "kWh"},
	{"lux", "lx"},		 {"meter", "m"},
	{"metre", "m"},		 {"millisecond", "ms"},
	{"milliseconds", "ms"},	 {"minute", "min"},
	{"pascal", "Pa"},	 {"partspermillion", "ppm"},
	{"percent", "%"},	 {"percentage", "%"},
	{"second", "s"},	 {"unitless", ""},
	{"volt", "V"},		 {"volts", "V"},
	{"watt", "W"},		 {"watthour", "Wh"},
	{"watts", "W"},
};

struct gw_str gw_unit_word(struct gw_str unit)
{
	char word[32];
	size_t n = 0, from = 0;
	bool iri = gw_str_starts(unit, "http");
	for (size_t i = 0; i < unit.len; i++) { /* of a vocabulary */
		char c = unit.p[i];
		from = c == ':' || c == '#' || (iri && c == '/') ? i + 1 : from;
	}
	for (size_t i = from; i < unit.len && n + 1 < sizeof(word); i++) {
		unsigned char c = (unsigned char)unit.p[i];
		if (c < 128 && isalnum(c)) {
			word[n++] = (char)tolower(c);
		}
	}
	for (size_t i = 0; i < gw_countof(unit_words); i++) {
		if (gw_str_is((struct gw_str){word, n}, unit_words[i].word)) {
			return gw_str(unit_words[i].unit);
		}
	}
	return unit;
}

/* --- symbols --- */

struct symbol_row {
	const char *cap, *word, *symbol;
};

/* Words of others that are not the model's own; lower case, with _ for blanks and hyphens. */
static const struct symbol_row symbols[] = {
	{"thermostat.mode", "heat_cool", "auto"},
	{"thermostat.mode", "fan", "fan_only"},
	{"thermostat.mode", "emergency_heating", "emergency_heat"},
	{"thermostat.mode", "none", "off"},
	{"thermostat.action", "heat", "heating"},
	{"thermostat.action", "cool", "cooling"},
	{"thermostat.action", "fan_only", "fan"},
	{"thermostat.action", "dry", "drying"},
	{"thermostat.action", "preheating", "heating"},
	{"thermostat.preset", "holiday", "away"},
	{"thermostat.preset", "vacation", "away"},
	{"thermostat.preset", "manual", "none"},
	{"thermostat.preset", "comfortable", "comfort"},
	{"fan.mode", "quiet", "silent"},
	{"fan.mode", "min", "low"},
	{"fan.mode", "minimum", "low"},
	{"fan.mode", "mid", "medium"},
	{"fan.mode", "middle", "medium"},
	{"fan.mode", "med", "medium"},
	{"fan.mode", "strong", "high"},
	{"fan.mode", "turbo", "max"},
	{"fan.mode", "maximum", "max"},
	{"fan.mode", "powerful", "max"},
	{"fan.mode", "automatic", "auto"},
	{"fan.direction", "backward", "reverse"},
	{"humidifier.mode", "manual", "normal"},
	{"humidifier.mode", "night", "sleep"},
	{"robot.suction", "min", "quiet"},
	{"robot.suction", "low", "quiet"},
	{"robot.suction", "silent", "quiet"},
	{"robot.suction", "gentle", "quiet"},
	{"robot.suction", "medium", "normal"},
	{"robot.suction", "standard", "normal"},
	{"robot.suction", "balanced", "normal"},
	{"robot.suction", "high", "strong"},
	{"robot.suction", "turbo", "strong"},
	{"operation.state", "cleaning", "running"},
	{"operation.state", "idle", "stopped"},
	{"operation.state", "returning", "seeking_charger"},
	{"water_heater.mode", "high_demand", "boost"},
	{"covering.moving", "open", "stopped"},
	{"covering.moving", "closed", "stopped"},
	{"covering.moving", "stop", "stopped"},
	{"covering.moving", "up", "opening"},
	{"covering.moving", "down", "closing"},
	{"covering.moving", "underway", "opening"},
	{"covering.moving", "idle", "stopped"},
	{"lock.state", "lock", "locked"},
	{"lock.state", "unlock", "unlocked"},
	{"lock.door", "error_jammed", "jammed"},
	{"lock.door", "error_forced_open", "forced"},
	{"lock.door", "error_unspecified", "error"},
	{"air.quality", "excellent", "good"},
	{"air.quality", "unhealthy", "poor"},
	{"air.quality", "hazardous", "extremely_poor"},
	{"air.quality", "out_of_range", "unknown"},
	{"switch.startup", "restore", "previous"},
	{"switch.startup", "memory", "previous"},
	{"switch.startup", "restore_memory", "previous"},
	{"display.unit", "°c", "celsius"},
	{"display.unit", "°f", "fahrenheit"},
	{"display.unit", "c", "celsius"},
	{"display.unit", "f", "fahrenheit"},
	{"battery.state", "normal", "ok"},
	{"battery.state", "low", "warning"},
	{"battery.state", "high", "ok"},
	{"battery.state", "medium", "ok"},
	{"activity.state", "none", "absent"},
	{"button.press", "single", "press"},
	{"button.press", "click", "press"},
	{"button.press", "pressed", "press"},
	{"button.press", "short", "press"},
	{"button.press", "short_press", "press"},
	{"button.press", "single_click", "press"},
	{"button.press", "button_short_press", "press"},
	{"button.press", "initial_press", "press"},
	{"button.press", "tap", "press"},
	{"button.press", "double_click", "double"},
	{"button.press", "double_press", "double"},
	{"button.press", "button_double_press", "double"},
	{"button.press", "triple_click", "triple"},
	{"button.press", "triple_press", "triple"},
	{"button.press", "button_triple_press", "triple"},
	{"button.press", "hold", "long"},
	{"button.press", "long_press", "long"},
	{"button.press", "long_click", "long"},
	{"button.press", "button_long_press", "long"},
	{"button.press", "hold_release", "release"},
	{"button.press", "long_release", "release"},
	{"button.press", "released", "release"},
	{"button.press", "button_long_release", "release"},
};

#define WORD_BYTES 64

/* Lower case with _ for blanks and hyphens; false when longer than any word of the tables. */
static bool fold(struct gw_str s, char word[WORD_BYTES])
{
	if (s.len >= WORD_BYTES) {
		return false;
	}
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];
		word[i] = c == ' ' || c == '-' ? '_' : (char)tolower((unsigned char)c);
	}
	word[s.len] = 0;
	return true;
}

const char *gw_symbol_for(const struct gw_capability *cap, struct gw_str word)
{
	char folded[WORD_BYTES];
	if (!fold(word, folded)) {
		return NULL;
	}
	for (size_t i = 0; i < cap->n_symbols; i++) {
		if (strcmp(cap->symbols[i], folded) == 0) {
			return cap->symbols[i];
		}
	}
	for (size_t i = 0; i < gw_countof(symbols); i++) {
		if (strcmp(symbols[i].cap, cap->id) == 0 && strcmp(symbols[i].word, folded) == 0) {
			return symbols[i].symbol;
		}
	}
	return NULL;
}

/* --- names of properties --- */

/* Names of zigbee2mqtt (device-model.md §7), which others copy for their entity ids. */
static const struct gw_name_row names[] = {
	{"ac_frequency", "meter.frequency", NULL},
	{"air_quality", "air.quality", NULL},
	{"alarm", "siren.active", NULL},
	{"anti_dismantle", "tamper.detected", NULL},
	{"apparent_power", "meter.apparent_power", NULL},
	{"auto_relock_time", "lock.auto_relock", NULL},
	{"battery", "battery.level", NULL},
	{"battery_level", "battery.level", NULL},
	{"battery_low", "battery.state", "warning|ok"},
	{"battery_percentage", "battery.level", NULL},
	{"battery_state", "battery.state", NULL},
	{"battery_voltage", "battery.voltage", NULL},
	{"brightness", "level.value", NULL},
	{"carbon_dioxide", "air.co2", NULL},
	{"carbon_monoxide", "co_alarm.state", "critical|normal"},
	{"charging", "battery.charging", "charging|not_charging"},
	{"charging_status", "battery.charging", "charging|not_charging"},
	{"child_lock", "child_lock.on", NULL},
	{"co", "air.co", NULL},
	{"co2", "air.co2", NULL},
	{"color_temp_startup", "color.startup_temperature", NULL},
	{"consumed_energy", "meter.energy", NULL},
	{"contact", "contact.open", "!"},
	{"countdown", "switch.countdown", NULL},
	{"current", "meter.current", NULL},
	{"do_not_disturb", "do_not_disturb.on", NULL},
	{"door", "contact.open", NULL},
	{"door_state", "lock.door", NULL},
	{"eco2", "air.co2", NULL},
	{"effect", "color.effect", NULL},
	{"energy", "meter.energy", NULL},
	{"feeding_size", "feeder.last_portions", NULL},
	{"filter_life", "filter.remaining", NULL},
	{"filter_life_remaining", "filter.remaining", NULL},
	{"flow", "flow.measured", NULL},
	{"formaldehyd", "air.hcho", NULL},
	{"formaldehyde", "air.hcho", NULL},
	{"frost_protection", "ac.frost_guard", NULL},
	{"gas", "gas_alarm.state", "critical|normal"},
	{"gas_value", "gas_alarm.level", NULL},
	{"hcho", "air.hcho", NULL},
	{"humidity", "humidity.measured", NULL},
	{"identify", "identify.run", NULL},
	{"illuminance", "illuminance.measured", NULL},
	{"illuminance_lux", "illuminance.measured", NULL},
	{"leak", "leak.detected", NULL},
	{"liquid_level_percent", "liquid.level", NULL},
	{"local_temperature", "thermostat.current", NULL},
	{"local_temperature_calibration", "thermostat.calibration", NULL},
	{"moisture", "leak.detected", NULL},
	{"motion", "motion.detected", NULL},
	{"motor_state", "covering.moving", NULL},
	{"moving", "covering.moving", NULL},
	{"noise", "sound.level", NULL},
	{"occupancy", "motion.detected", NULL},
	{"occupancy_timeout", "occupancy.hold_time", NULL},
	{"pi_heating_demand", "thermostat.valve", NULL},
	{"pm1", "air.pm1", NULL},
	{"pm10", "air.pm10", NULL},
	{"pm25", "air.pm2_5", NULL},
	{"position", "covering.position", NULL},
	{"power", "meter.power", NULL},
	{"power_factor", "meter.power_factor", NULL},
	{"power_on_behavior", "switch.startup", NULL},
	{"power_outage_memory", "switch.startup", NULL},
	{"presence", "occupancy.detected", NULL},
	{"pressure", "pressure.measured", NULL},
	{"produced_energy", "meter.energy_export", NULL},
	{"rain", "rain.detected", NULL},
	{"reactive_power", "meter.reactive_power", NULL},
	{"rssi", "link.rssi", NULL},
	{"smoke", "smoke.state", "critical|normal"},
	{"soil_moisture", "soil.moisture", NULL},
	{"tamper", "tamper.detected", NULL},
	{"target_distance", "occupancy.distance", NULL},
	{"temperature", "temperature.measured", NULL},
	{"temperature_unit", "display.unit", NULL},
	{"temperature_unit_convert", "display.unit", NULL},
	{"tilt", "covering.tilt", NULL},
	{"tvoc", "air.tvoc", NULL},
	{"uptime", "device.uptime", NULL},
	{"uv_index", "uv.index", NULL},
	{"valve_state", "valve.open", NULL},
	{"vibration", "vibration.detected", NULL},
	{"voc", "air.tvoc", NULL},
	{"volume", "media.volume", NULL},
	{"water_leak", "leak.detected", NULL},
	{"wind_direction", "wind.direction", NULL},
	{"wind_speed", "wind.speed", NULL},
	{"window", "thermostat.window_open", NULL},
	{"window_open", "thermostat.window_open", NULL},
};

const struct gw_name_row *gw_name_find(struct gw_str name)
{
	for (size_t i = 0; i < gw_countof(names); i++) {
		if (gw_str_is(name, names[i].name)) {
			return &names[i];
		}
	}
	return NULL;
}
