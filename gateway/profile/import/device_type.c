/* The device type of a product that does not say what it is: the first row whose capabilities it has. */
#include "profile/import/draft.h"

struct rule {
	const char *type;
	unsigned hint; /* needed; 0: none */
	uint8_t count; /* of the first capability, in different components; 0: one is enough */
	const char *caps[3]; /* all needed */
};

/* From what only one kind of product has, down to what many have. */
static const struct rule rules[] = {
	{"robot_vacuum", 0, 0, {"robot.go_home", "operation.state"}},
	{"robot_vacuum", 0, 0, {"robot.suction"}},
	{"lawn_mower", 0, 0, {"mower.activity"}},
	{"alarm_panel", 0, 0, {"security.state"}},
	{"door_lock", 0, 0, {"lock.state"}},
	{"door_lock", 0, 0, {"lock.unlock"}},
	{"garage_door", 0, 0, {"closure.state"}},
	{"garage_door", 0, 0, {"closure.move"}},
	{"gas_water_heater", 0, 0, {"water_heater.mode", "meter.gas"}},
	{"water_heater", 0, 0, {"water_heater.mode"}},
	{"room_air_conditioner", 0, 0, {"thermostat.mode", "thermostat.setpoint", "fan.mode"}},
	{"room_air_conditioner", GW_HINT_DRIES, 0, {"thermostat.mode", "thermostat.setpoint"}},
	{"radiator_valve", 0, 0, {"thermostat.setpoint", "thermostat.valve"}},
	{"radiator_valve", GW_HINT_BATTERY, 0, {"thermostat.setpoint"}},
	{"thermostat", 0, 0, {"thermostat.setpoint"}},
	{"thermostat", 0, 0, {"thermostat.mode"}},
	{"dehumidifier", GW_HINT_DEHUMIDIFIER, 0, {"humidity.setpoint"}},
	{"humidifier", 0, 0, {"humidity.setpoint"}},
	{"air_purifier", 0, 0, {"fan.mode", "air.pm2_5"}},
	{"air_purifier", 0, 0, {"fan.percent", "air.pm2_5"}},
	{"air_purifier", 0, 0, {"fan.percent", "filter.remaining"}},
	{"fan", 0, 0, {"fan.percent"}},
	{"fan", 0, 0, {"fan.mode"}},
	{"fan", 0, 0, {"fan.speed"}},
	{"blind", GW_HINT_BLIND, 0, {"covering.position"}},
	{"blind", 0, 0, {"covering.tilt"}},
	{"curtain", 0, 0, {"covering.position"}},
	{"curtain", 0, 0, {"covering.open"}},
	{"television", 0, 0, {"media.key"}},
	{"television", 0, 0, {"media.input"}},
	{"pet_feeder", 0, 0, {"feeder.feed"}},
	{"evse", 0, 0, {"evse.state"}},
	{"solar_inverter", 0, 0, {"solar.power"}},
	{"battery_storage", 0, 0, {"battery.power"}},
	{"water_valve", 0, 0, {"valve.open"}},
	{"water_valve", 0, 0, {"valve.level"}},
	{"light_color", 0, 0, {"color.hue"}},
	{"light_color", 0, 0, {"color.xy"}},
	{"light_white", 0, 0, {"color.temperature"}},
	{"dimmer", 0, 0, {"level.value", "meter.power"}},
	{"light_dimmable", 0, 0, {"level.value"}},
	{"siren", 0, 0, {"siren.active"}},
	{"smoke_alarm", 0, 0, {"smoke.state"}},
	{"co_alarm", 0, 0, {"co_alarm.state"}},
	{"gas_alarm", 0, 0, {"gas_alarm.state"}},
	{"light_on_off", GW_HINT_LIGHT, 0, {"switch.on"}},
	{"wall_switch", GW_HINT_GANGS, 2, {"switch.on"}},
	{"power_strip", 0, 2, {"switch.on", "meter.power"}},
	{"power_strip", GW_HINT_OUTLET, 2, {"switch.on"}},
	{"plug", GW_HINT_OUTLET, 0, {"switch.on"}},
	{"plug", 0, 0, {"switch.on", "meter.power"}},
	{"plug", 0, 0, {"switch.on", "meter.energy"}},
	{"wall_switch", 0, 0, {"switch.on"}},
	{"fall_radar", 0, 0, {"fall.detected"}},
	{"sos_button", 0, 0, {"sos.press"}},
	{"bed_sensor", 0, 0, {"bed.occupied"}},
	{"phone", GW_HINT_PHONE, 0, {"occupancy.detected"}},
	{"presence_sensor", 0, 0, {"occupancy.detected"}},
	{"motion_sensor", 0, 0, {"motion.detected"}},
	{"contact_sensor", 0, 0, {"contact.open"}},
	{"leak_sensor", 0, 0, {"leak.detected"}},
	{"vibration_sensor", 0, 0, {"vibration.detected"}},
	{"rain_sensor", 0, 0, {"rain.detected"}},
	{"freeze_sensor", 0, 0, {"freeze.detected"}},
	{"weather_station", 0, 0, {"wind.speed"}},
	{"soil_sensor", 0, 0, {"soil.moisture"}},
	{"water_quality_sensor", 0, 0, {"water.ph"}},
	{"water_quality_sensor", 0, 0, {"water.tds"}},
	{"air_quality_sensor", 0, 0, {"air.co2"}},
	{"air_quality_sensor", 0, 0, {"air.pm2_5"}},
	{"air_quality_sensor", 0, 0, {"air.tvoc"}},
	{"air_quality_sensor", 0, 0, {"air.hcho"}},
	{"air_quality_sensor", 0, 0, {"air.quality"}},
	{"pill_dispenser", 0, 0, {"medication.taken"}},
	{"scale", 0, 0, {"health.weight"}},
	{"blood_pressure_monitor", 0, 0, {"health.systolic"}},
	{"wearable", 0, 0, {"health.heart_rate"}},
	{"energy_meter", 0, 0, {"meter.power"}},
	{"energy_meter", 0, 0, {"meter.energy"}},
	{"climate_sensor", 0, 0, {"temperature.measured", "humidity.measured"}},
	{"temperature_sensor", 0, 0, {"temperature.measured"}},
	{"humidity_sensor", 0, 0, {"humidity.measured"}},
	{"pressure_sensor", 0, 0, {"pressure.measured"}},
	{"light_sensor", 0, 0, {"illuminance.measured"}},
	{"flow_sensor", 0, 0, {"flow.measured"}},
	{"flow_sensor", 0, 0, {"meter.water"}},
	{"scale", 0, 0, {"weight.measured"}},
	{"doorbell", 0, 0, {"doorbell.ring"}},
	{"remote", 0, 0, {"button.press"}},
	{"remote", 0, 0, {"x.z2m.action"}},
	{"ir_blaster", 0, 0, {"ir.send"}},
};

static bool holds(const struct gw_draft *b, const struct rule *r)
{
	if (r->hint && !(b->hints & r->hint)) {
		return false;
	}
	if (r->count && gw_draft_count(b, r->caps[0]) < r->count) {
		return false;
	}
	for (size_t i = 0; i < gw_countof(r->caps) && r->caps[i]; i++) {
		if (!gw_draft_anywhere(b, r->caps[i])) {
			return false;
		}
	}
	return true;
}

const char *gw_draft_type(const struct gw_draft *b)
{
	for (size_t i = 0; i < gw_countof(rules); i++) {
		if (holds(b, &rules[i])) {
			return rules[i].type;
		}
	}
	return "gateway"; /* the one type that promises nothing but to be there */
}
