/* MIoT: its vocabulary in that of the model. Tables only. */
#include <ctype.h>

#include "profile/import/miot.h"
#include "profile/import/smartir.h"
#include "profile/import/vocabulary.h"

/* Rows of one service before those of any. */
static const struct gw_miot_row properties[] = {
	{"device-information", "firmware-revision", "firmware.version", NULL},
	{"device-information", "*", NULL, NULL},
	{"indicator-light", "on", "display.on", NULL},
	{"indicator-light", "brightness", "display.brightness", NULL},
	{"screen", "on", "display.on", NULL},
	{"screen", "brightness", "display.brightness", NULL},
	{"alarm", "alarm", "sound.keytone", NULL},
	{"alarm", "volume", "media.volume", NULL},
	{"speaker", "volume", "media.volume", NULL},
	{"speaker", "mute", "media.mute", NULL},
	{"physical-controls-locked", "physical-controls-locked", "child_lock.on", NULL},
	{"air-conditioner", "mode", "thermostat.mode", NULL},
	{"air-conditioner", "eco", "ac.eco", NULL},
	{"air-conditioner", "heater", "ac.aux_heat", NULL},
	{"air-conditioner", "sleep-mode", "ac.sleep", NULL},
	{"air-conditioner", "vertical-swing", "ac.vane_v", "swing|stop"},
	{"air-conditioner", "horizontal-swing", "ac.vane_h", "swing|stop"},
	{"air-conditioner", "fan-level", "fan.mode", NULL},
	{"fan-control", "vertical-swing", "ac.vane_v", "swing|stop"},
	{"fan-control", "horizontal-swing", "ac.vane_h", "swing|stop"},
	{"air-condition-outlet-matching", "*", NULL, NULL},
	{"thermostat", "mode", "thermostat.mode", NULL},
	{"thermostat", "temperature", "thermostat.current", NULL},
	{"heater", "mode", "x.mode", NULL},
	{"fan", "mode", "fan.wind", NULL},
	{"fan", "horizontal-angle", "x.horizontal_angle", NULL},
	{"air-purifier", "mode", "fan.mode", NULL},
	{"air-fresh", "mode", "fan.mode", NULL},
	{"humidifier", "mode", "humidifier.mode", NULL},
	{"humidifier", "water-level", "liquid.level", NULL},
	{"humidifier", "fan-level", "fan.mode", NULL},
	{"dehumidifier", "mode", "humidifier.mode", NULL},
	{"dehumidifier", "tank-full", "tank.state", "full|ok"},
	{"light", "mode", "color.effect", NULL},
	{"water-heater", "mode", "water_heater.mode", NULL},
	{"water-heater", "temperature", "thermostat.current", NULL},
	{"water-heater", "target-temperature", "thermostat.setpoint", NULL},
	{"vacuum", "mode", "robot.suction", NULL},
	{"vacuum", "suction-level", "robot.suction", NULL},
	{"vacuum", "status", "operation.state", NULL},
	{"vacuum", "sweep-type", "robot.clean_mode", NULL},
	{"vacuum", "sweep-mop-type", "robot.clean_mode", NULL},
	{"vacuum", "cleaning-area", "robot.cleaned_area", NULL},
	{"vacuum", "cleaning-time", "robot.cleaned_time", NULL},
	{"mop", "water-level", "robot.water", NULL},
	{"vacuum", "mop-water-output-level", "robot.water", NULL},
	{"vacuum", "water-level", "robot.water", NULL},
	{"brush-cleaner", "brush-life-level", "consumable.remaining", NULL},
	{"refrigerator-chamber", "target-temperature", "cabinet.setpoint", NULL},
	{"refrigerator", "mode", "fridge.mode", NULL},
	{"oven", "target-temperature", "cabinet.setpoint", NULL},
	{"washer", "spin-speed", "laundry.spin_speed", NULL},
	{"magnetic-sensor", "contact-state", "contact.open", "!"},
	{"motion-sensor", "motion-state", "motion.detected", NULL},
	{"occupancy-sensor", "occupancy-status", "occupancy.detected", NULL},
	{"submersion-sensor", "submersion-state", "leak.detected", NULL},
	{"smoke-sensor", "status", "smoke.state", NULL},
	{"gas-sensor", "status", "gas_alarm.state", NULL},
	{"gas-sensor", "gas-concentration", "gas_alarm.level", NULL},
	{"lock", "lock-state", "lock.state", NULL},
	{"door", "door-state", "lock.door", NULL},
	{"hood", "fan-level", "fan.mode", NULL},
	{"curtain", "motor-reverse", "covering.reversed", NULL},
	{"window-opener", "motor-reverse", "covering.reversed", NULL},
	{"airer", "motor-reverse", "covering.reversed", NULL},
	/* services that run a program */
	{"washer", "mode", "program.mode", NULL},
	{"dryer", "mode", "program.mode", NULL},
	{"dishwasher", "mode", "program.mode", NULL},
	{"oven", "mode", "program.mode", NULL},
	{"cooker", "mode", "program.mode", NULL},
	{"pressure-cooker", "mode", "program.mode", NULL},
	{"air-fryer", "mode", "program.mode", NULL},
	{"air-fryer", "target-temperature", "cabinet.setpoint", NULL},
	{"microwave-oven", "mode", "program.mode", NULL},
	{"washer", "status", "operation.state", NULL},
	{"dryer", "status", "operation.state", NULL},
	{"dishwasher", "status", "operation.state", NULL},
	{"oven", "status", "operation.state", NULL},
	{"cooker", "status", "operation.state", NULL},
	{"pressure-cooker", "status", "operation.state", NULL},
	{"air-fryer", "status", "operation.state", NULL},
	{"microwave-oven", "status", "operation.state", NULL},
	{"curtain", "status", "covering.moving", NULL},
	{"window-opener", "status", "covering.moving", NULL},
	{"airer", "status", "covering.moving", NULL},
	{"curtain", "current-position", "covering.position", NULL},
	{"*", "current-position", "covering.position", NULL},
	{"*", "target-position", "covering.position", NULL},
	/* any service */
	{"*", "on", "switch.on", NULL},
	{"*", "target-temperature", "thermostat.setpoint", NULL},
	{"*", "temperature", "temperature.measured", NULL},
	{"*", "indoor-temperature", "temperature.measured", NULL},
	{"*", "outdoor-temperature", "temperature.outdoor", NULL},
	{"*", "target-humidity", "humidity.setpoint", NULL},
	{"*", "relative-humidity", "humidity.measured", NULL},
	{"*", "pm2.5-density", "air.pm2_5", NULL},
	{"*", "pm10-density", "air.pm10", NULL},
	{"*", "pm1", "air.pm1", NULL},
	{"*", "co2-density", "air.co2", NULL},
	{"*", "co-density", "air.co", NULL},
	{"*", "tvoc-density", "air.tvoc", NULL},
	{"*", "hcho-density", "air.hcho", NULL},
	{"*", "air-quality", "air.quality", NULL},
	{"*", "illumination", "illuminance.measured", NULL},
	{"*", "atmospheric-pressure", "pressure.measured", NULL},
	{"*", "tds-in", "x.tds_in", NULL},
	{"*", "tds-out", "water.tds", NULL},
	{"*", "brightness", "level.value", NULL},
	{"*", "color-temperature", "color.temperature", NULL},
	{"*", "saturation", "color.saturation", NULL},
	{"*", "fan-level", "fan.mode", NULL},
	{"*", "speed-level", "fan.percent", NULL},
	{"*", "fan-percent", "fan.percent", NULL},
	{"*", "fan-speed", "fan.rpm", NULL},
	{"*", "motor-speed", "fan.rpm", NULL},
	{"*", "horizontal-swing", "fan.rock_lr", NULL},
	{"*", "vertical-swing", "fan.rock_ud", NULL},
	{"*", "wind-reverse", "fan.direction", "reverse|forward"},
	{"*", "anion", "ac.ionizer", NULL},
	{"*", "uv", "ac.uv", NULL},
	{"*", "off-delay-time", "timer.off", NULL},
	{"*", "off-delay", "timer.off", NULL},
	{"*", "countdown-time", "timer.off", NULL},
	{"*", "left-time", "operation.remaining", NULL},
	{"*", "filter-life-level", "filter.remaining", NULL},
	{"*", "filter-left-time", "filter.life_left", NULL},
	{"*", "brush-life-level", "consumable.remaining", NULL},
	{"*", "battery-level", "battery.level", NULL},
	{"*", "charging-state", "battery.charging", NULL},
	{"*", "voltage", "meter.voltage", NULL},
	{"*", "electric-current", "meter.current", NULL},
	{"*", "electric-power", "meter.power", NULL},
	{"*", "power-consumption", "meter.energy", NULL},
	{"*", "motion-state", "motion.detected", NULL},
	{"*", "contact-state", "contact.open", "!"},
	{"*", "tamper-alarm", "tamper.detected", NULL},
	{"*", "volume", "media.volume", NULL},
	{"*", "mute", "media.mute", NULL},
	{"*", "keep-warm", "keep_warm.on", NULL},
	{"*", "default-power-on-state", "switch.startup", NULL},
};

static const struct gw_miot_row action_rows[] = {
	{"light", "toggle", "switch.toggle", NULL},
	{"*", "toggle", "switch.toggle", NULL},
	{"*", "start-sweep", "operation.start", NULL},
	{"*", "stop-sweeping", "operation.stop", NULL},
	{"*", "start-wash", "operation.start", NULL},
	{"*", "start-cook", "operation.start", NULL},
	{"*", "start-dry", "operation.start", NULL},
	{"*", "start", "operation.start", NULL},
	{"*", "stop", "operation.stop", NULL},
	{"*", "cancel-cooking", "operation.stop", NULL},
	{"*", "stop-wash", "operation.stop", NULL},
	{"*", "pause", "operation.pause", NULL},
	{"*", "pause-sweeping", "operation.pause", NULL},
	{"*", "continue-sweep", "operation.resume", NULL},
	{"*", "resume", "operation.resume", NULL},
	{"*", "start-charge", "robot.go_home", NULL},
	{"*", "stop-and-gocharge", "robot.go_home", NULL},
	{"*", "identify", "robot.locate", NULL},
	{"*", "find-device", "robot.locate", NULL},
	{"*", "reset-filter-life", "filter.reset", NULL},
	{"*", "reset-brush-life", "consumable.reset", NULL},
	{"*", "toggle-mute", "x.toggle_mute", NULL},
	{"speaker", "play", "media.play", NULL},
	{"play-control", "play", "media.play", NULL},
	{"play-control", "pause", "media.pause", NULL},
	{"play-control", "next", "media.next", NULL},
	{"play-control", "previous", "media.previous", NULL},
};

static const struct gw_miot_row *find(const struct gw_miot_row *rows, size_t n, const char *service,
				      const char *name)
{
	for (size_t i = 0; i < n; i++) {
		bool any = strcmp(rows[i].service, "*") == 0, all = strcmp(rows[i].name, "*") == 0;
		if ((any || strcmp(rows[i].service, service) == 0) &&
		    (all || strcmp(rows[i].name, name) == 0)) {
			return &rows[i];
		}
	}
	return NULL;
}

const struct gw_miot_row *gw_miot_property_row(const char *service, const char *name)
{
	return find(properties, gw_countof(properties), service, name);
}

const struct gw_miot_row *gw_miot_action_row(const char *service, const char *name)
{
	const struct gw_miot_row *play = NULL;
	if (strcmp(service, "play-control") == 0 || strcmp(service, "speaker") == 0) {
		for (size_t i = 0; i < gw_countof(action_rows) && !play; i++) {
			play = strcmp(action_rows[i].service, service) == 0 &&
					       strcmp(action_rows[i].name, name) == 0
				       ? &action_rows[i]
				       : NULL;
		}
	}
	return play ? play : find(action_rows, gw_countof(action_rows), service, name);
}

const char *gw_miot_press(const char *name)
{
	static const struct {
		const char *name, *symbol;
	} rows[] = {{"click", "press"},
		    {"single-click", "press"},
		    {"double-click", "double"},
		    {"triple-click", "triple"},
		    {"long-press", "long"},
		    {"long-click", "long"},
		    {"long-press-release", "release"}};
	for (size_t i = 0; i < gw_countof(rows); i++) {
		if (strcmp(rows[i].name, name) == 0) {
			return rows[i].symbol;
		}
	}
	return NULL;
}

const char *gw_miot_device_type(const char *device)
{
	static const struct {
		const char *device, *type;
	} rows[] = {
		{"air-conditioner", "room_air_conditioner"},
		{"air-condition-outlet", "room_air_conditioner"},
		{"thermostat", "thermostat"},
		{"heater", "space_heater"},
		{"fan", "fan"},
		{"air-purifier", "air_purifier"},
		{"air-fresh", "fresh_air"},
		{"humidifier", "humidifier"},
		{"dehumidifier", "dehumidifier"},
		{"bath-heater", "bath_heater"},
		{"water-heater", "water_heater"},
		{"water-purifier", "water_purifier"},
		{"vacuum", "robot_vacuum"},
		{"washer", "laundry_washer"},
		{"dryer", "laundry_dryer"},
		{"dishwasher", "dishwasher"},
		{"refrigerator", "refrigerator"},
		{"oven", "oven"},
		{"microwave-oven", "microwave_oven"},
		{"cooker", "rice_cooker"},
		{"pressure-cooker", "pressure_cooker"},
		{"air-fryer", "air_fryer"},
		{"kettle", "kettle"},
		{"coffee-machine", "coffee_machine"},
		{"hood", "extractor_hood"},
		{"curtain", "curtain"},
		{"airer", "clothes_airer"},
		{"window-opener", "curtain"},
		{"outlet", "plug"},
		{"switch", "wall_switch"},
		{"lock", "door_lock"},
		{"gateway", "gateway"},
		{"remote-control", "remote"},
		{"motion-sensor", "motion_sensor"},
		{"occupancy-sensor", "presence_sensor"},
		{"magnetic-sensor", "contact_sensor"},
		{"submersion-sensor", "leak_sensor"},
		{"smoke-sensor", "smoke_alarm"},
		{"gas-sensor", "gas_alarm"},
		{"temperature-humidity-sensor", "climate_sensor"},
		{"air-monitor", "air_quality_sensor"},
		{"pet-feeder", "pet_feeder"},
		{"pet-drinking-fountain", "pet_fountain"},
		{"speaker", "speaker"},
		{"television", "television"},
	};
	for (size_t i = 0; i < gw_countof(rows); i++) {
		if (strcmp(rows[i].device, device) == 0) {
			return rows[i].type;
		}
	}
	return NULL;
}

/* --- words of value-lists --- */

/* Lower case, with _ for everything but letters and digits. */
static const struct {
	const char *cap, *word, *symbol;
} words[] = {
	{"thermostat.mode", "wet", "dry"},
	{"thermostat.mode", "arefaction", "dry"},
	{"thermostat.mode", "dehumidify", "dry"},
	{"thermostat.mode", "wind", "fan_only"},
	{"thermostat.mode", "ventilate", "fan_only"},
	{"thermostat.mode", "ventilation", "fan_only"},
	{"thermostat.mode", "air_supply", "fan_only"},
	{"thermostat.mode", "heating", "heat"},
	{"thermostat.mode", "cooling", "cool"},
	{"fan.wind", "straight_wind", "none"},
	{"fan.wind", "direct_breeze", "none"},
	{"fan.wind", "normal", "none"},
	{"fan.wind", "basic", "none"},
	{"fan.wind", "natural_wind", "natural"},
	{"fan.wind", "natural_breeze", "natural"},
	{"fan.wind", "sleep_wind", "sleep"},
	{"fan.mode", "sleep", "silent"},
	{"humidifier.mode", "constant_humidity", "auto"},
	{"humidifier.mode", "smart", "auto"},
	{"humidifier.mode", "strong", "boost"},
	{"humidifier.mode", "close_to", "normal"},
	{"robot.suction", "slient", "quiet"},
	{"robot.suction", "basic", "normal"},
	{"robot.suction", "full_speed", "max"},
	{"robot.suction", "mop", "off"},
	{"robot.water", "level1", "low"},
	{"robot.water", "level2", "medium"},
	{"robot.water", "level3", "high"},
	{"robot.water", "mid", "medium"},
	{"robot.clean_mode", "sweep", "vacuum"},
	{"robot.clean_mode", "sweeping", "vacuum"},
	{"robot.clean_mode", "mopping", "mop"},
	{"robot.clean_mode", "sweep_and_mop", "vacuum_mop"},
	{"robot.clean_mode", "sweep_mop", "vacuum_mop"},
	{"robot.clean_mode", "sweeping_and_mopping", "vacuum_mop"},
	{"operation.state", "sweeping", "running"},
	{"operation.state", "mopping", "running"},
	{"operation.state", "sweeping_and_mopping", "running"},
	{"operation.state", "busy", "running"},
	{"operation.state", "working", "running"},
	{"operation.state", "cooking", "running"},
	{"operation.state", "washing", "running"},
	{"operation.state", "drying", "running"},
	{"operation.state", "rinsing", "running"},
	{"operation.state", "pause", "paused"},
	{"operation.state", "fault", "error"},
	{"operation.state", "standby", "stopped"},
	{"operation.state", "sleep", "stopped"},
	{"operation.state", "completed", "stopped"},
	{"operation.state", "finish", "stopped"},
	{"operation.state", "off", "stopped"},
	{"operation.state", "delay", "stopped"},
	{"operation.state", "go_charging", "seeking_charger"},
	{"operation.state", "back_to_dock", "seeking_charger"},
	{"operation.state", "fully_charged", "docked"},
	{"operation.state", "charging_completed", "docked"},
	{"battery.charging", "charging", "charging"},
	{"battery.charging", "not_charging", "not_charging"},
	{"battery.charging", "not_chargeable", "not_charging"},
	{"battery.charging", "charging_completed", "full"},
	{"battery.charging", "full", "full"},
	{"battery.charging", "go_charging", "not_charging"},
	{"water_heater.mode", "save_electricity", "eco"},
	{"water_heater.mode", "energy_saving", "eco"},
	{"water_heater.mode", "normal", "manual"},
	{"water_heater.mode", "quick_heat", "boost"},
	{"fridge.mode", "quick_cool", "rapid_cool"},
	{"fridge.mode", "quick_freeze", "rapid_freeze"},
	{"fridge.mode", "super_cool", "rapid_cool"},
	{"fridge.mode", "super_freeze", "rapid_freeze"},
	{"fridge.mode", "none", "normal"},
	{"fridge.mode", "holiday", "vacation"},
	{"covering.moving", "stop", "stopped"},
	{"covering.moving", "pause", "stopped"},
	{"smoke.state", "normal_monitoring", "normal"},
	{"smoke.state", "alarm", "critical"},
	{"smoke.state", "fire_alarm", "critical"},
	{"gas_alarm.state", "normal_monitoring", "normal"},
	{"gas_alarm.state", "alarm", "critical"},
	{"air.quality", "excellent", "good"},
	{"air.quality", "light_polluted", "moderate"},
	{"air.quality", "slightly_polluted", "moderate"},
	{"air.quality", "moderate_polluted", "poor"},
	{"air.quality", "serious_polluted", "very_poor"},
	{"air.quality", "heavy_polluted", "very_poor"},
	{"switch.startup", "default", "previous"},
};

static void fold(const char *text, char *word, size_t cap)
{
	size_t n = 0;
	for (const char *p = text; *p && n + 1 < cap; p++) {
		unsigned char c = (unsigned char)*p;
		if (c < 128 && isalnum(c)) {
			word[n++] = (char)tolower(c);
		} else if (n > 0 && word[n - 1] != '_') {
			word[n++] = '_';
		}
	}
	while (n > 0 && word[n - 1] == '_') {
		n--;
	}
	word[n] = 0;
}

static const char *symbol_of(const struct gw_capability *cap, const char *text)
{
	char word[64];
	fold(text, word, sizeof(word));
	for (size_t i = 0; i < gw_countof(words); i++) {
		if (strcmp(words[i].cap, cap->id) == 0 && strcmp(words[i].word, word) == 0) {
			return words[i].symbol;
		}
	}
	return gw_symbol_for(cap, gw_str(word));
}

void gw_miot_symbols(const struct gw_capability *cap, const char *const *texts, size_t n,
		     const char **symbols)
{
	struct gw_smartir_words speeds = {.n = n};
	for (size_t i = 0; i < n; i++) {
		speeds.word[i] = texts[i];
	}
	bool fan = strcmp(cap->id, "fan.mode") == 0;
	if (fan) { /* "Level 3", "Super high": as of any remote control */
		gw_smartir_speeds(&speeds);
	}
	for (size_t i = 0; i < n; i++) {
		const char *symbol = symbol_of(cap, texts[i]);
		symbols[i] = symbol ? symbol : fan ? speeds.symbol[i] : NULL;
	}
}
