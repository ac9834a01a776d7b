/*
 * A home with one device for each kind of entity that is announced to Home Assistant, and a plug ("plug") beside them.
 */
#pragma once

#include <stdio.h>

#include "made_home.h"

/* clang-format off */
static const struct made_cap light[] = {
	{"switch.on", "true", "false", 0},
	{"level.value", "40", "55", 0},
	{"color.temperature", "2700", "4000", "range: [2000, 6500]"},
	{"color.hue", "120", "240", 0},
	{"color.saturation", "50", "100", 0},
	{"color.mode", "\"hs\"", 0, "ro: true"},
	{"color.effect", "\"fire\"", "\"rainbow\"", "enum: [fire, rainbow]"},
};
static const struct made_cap lamp_xy[] = {
	{"switch.on", "true", "false", 0},
	{"color.xy", "{\"x\":0.3,\"y\":0.4}", "{\"x\":0.1,\"y\":0.2}", 0},
};
static const struct made_cap strip[] = {
	{"meter.power", "12.5", 0, 0},
	{"meter.energy", "3.25", 0, 0},
	{"link.rssi", "-60", 0, 0},
	{"outlet_1/switch.on", "true", "false", 0},
	{"outlet_2/switch.on", "false", "true", 0},
};
static const struct made_cap outlet[] = {
	{"switch.on", "true", "false", 0},
	{"child_lock.on", "false", "true", 0},
	{"switch.on_for", "60", "{seconds: 60}", "action: {switch_on_for: seconds}, args: {seconds: {type: int, range: [1, 6553]}}"},
	{"device.restart", 0, "{}", 0},
};
static const struct made_cap curtain[] = {
	{"covering.position", "30", "70", 0},
	{"covering.moving", "\"stopped\"", 0, 0},
	{"covering.tilt", "50", "20", 0},
	{"covering.open", 0, "{}", 0},
	{"covering.close", 0, "{}", 0},
	{"covering.stop", 0, "{}", 0},
};
static const struct made_cap blind[] = {
	{"covering.position", "30", "70", 0},
};
static const struct made_cap garage[] = {
	{"closure.state", "\"closed\"", 0, 0},
	{"closure.move", "\"open\"", "{to: open}", "action: {closure_move: to}, args: {to: {type: enum, enum: [open, closed]}}"},
};
static const struct made_cap thermostat[] = {
	{"thermostat.mode", "\"heat\"", "\"cool\"", "enum: [\"off\", auto, heat, cool]"},
	{"thermostat.setpoint", "21.5", "22", "range: [5, 30, 0.5]"},
	{"thermostat.current", "20.5", 0, 0},
	{"thermostat.action", "\"heating\"", 0, 0},
	{"thermostat.preset", "\"eco\"", "\"away\"", "enum: [none, eco, away]"},
	{"humidity.measured", "45", 0, 0},
};
static const struct made_cap aircon[] = {
	{"switch.on", "true", "false", 0},
	{"thermostat.mode", "\"cool\"", "\"heat\"", "enum: [auto, cool, heat, dry, fan_only]"},
	{"thermostat.setpoint", "24", "26", "range: [16, 30]"},
	{"temperature.measured", "25", 0, 0},
	{"fan.mode", "\"low\"", "\"high\"", "enum: [low, medium, high, auto]"},
	{"fan.rock_ud", "false", "true", 0},
};
static const struct made_cap heater[] = {
	{"switch.on", "true", "false", 0},
	{"thermostat.setpoint", "20", "21", "range: [5, 35]"},
	{"thermostat.current", "19", 0, 0},
};
static const struct made_cap humidifier[] = {
	{"switch.on", "true", "false", 0},
	{"humidity.setpoint", "50", "60", "range: [30, 80]"},
	{"humidity.measured", "41", 0, 0},
	{"humidifier.mode", "\"auto\"", "\"sleep\"", "enum: [auto, sleep]"},
	{"humidifier.action", "\"humidifying\"", 0, 0},
	{"fan.mode", "\"low\"", "\"high\"", "enum: [low, high]"},
	{"fan.percent", "30", "60", 0},
};
static const struct made_cap fan[] = {
	{"switch.on", "true", "false", 0},
	{"fan.percent", "30", "60", 0},
	{"fan.mode", "\"low\"", "\"auto\"", "enum: [\"off\", low, auto]"},
	{"fan.rock_lr", "false", "true", 0},
	{"fan.direction", "\"forward\"", "\"reverse\"", 0},
};
static const struct made_cap purifier[] = {
	{"fan.mode", "\"low\"", "\"high\"", "enum: [\"off\", low, high]"},
	{"fan.percent", "30", "60", 0},
	{"air.pm2_5", "12", 0, 0},
};
static const struct made_cap door[] = {
	{"lock.state", "\"locked\"", 0, 0},
	{"lock.lock", 0, "{}", 0},
	{"lock.unlock", 0, "{}", 0},
	{"lock.unlatch", 0, "{}", 0},
	{"lock.door", "\"closed\"", 0, 0},
	{"battery.level", "80", 0, 0},
};
static const struct made_cap valve[] = {
	{"valve.open", "true", "false", 0},
};
static const struct made_cap dosing[] = {
	{"valve.open", "true", "false", 0},
	{"valve.level", "30", "60", 0},
};
static const struct made_cap siren[] = {
	{"siren.active", "false", "true", 0},
	{"siren.tone", "\"fire\"", "\"bell\"", "enum: [fire, bell]"},
	{"siren.duration", "10", "20", 0},
};
static const struct made_cap vacuum[] = {
	{"operation.state", "\"docked\"", 0, 0},
	{"operation.error", "\"none\"", 0, 0},
	{"robot.run_mode", "\"idle\"", "\"cleaning\"", 0},
	{"robot.suction", "\"quiet\"", "\"max\"", "enum: [quiet, max]"},
	{"operation.start", 0, "{}", 0},
	{"operation.pause", 0, "{}", 0},
	{"robot.go_home", 0, "{}", 0},
	{"robot.locate", 0, "{}", 0},
};
static const struct made_cap mower[] = {
	{"mower.activity", "\"docked\"", 0, 0},
	{"operation.start", 0, "{}", 0},
	{"operation.pause", 0, "{}", 0},
	{"robot.go_home", 0, "{}", 0},
};
static const struct made_cap mixed[] = {
	{"switch.on", "true", "false", 0},
	{"firmware.version", "\"1.2\"", 0, 0},
	{"firmware.available", "\"1.3\"", 0, 0},
	{"link.last_seen", "1700000000000", 0, 0},
	{"contact.open", "true", 0, 0},
	{"smoke.state", "\"warning\"", 0, 0},
	{"battery.charging", "\"charging\"", 0, 0},
	{"temperature.alarm", "\"high\"", 0, 0},
	{"fault.active", "[\"pump\",\"filter\"]", 0, 0},
	{"lock.mode", "\"normal\"", "\"vacation\"", "enum: [normal, vacation]"},
	{"lock.auto_relock", "30", "60", "range: [0, 600, 5]"},
	{"media.app", "\"it's \\\"7\\\"\"", "\"b\"", 0},
	{"button.press", "\"double\"", 0, 0},
	{"x.acme.mood", "3", "4", "type: int, range: [0, 9]"},
	{"x.acme.shine", "true", "false", "type: bool"},
};
static const struct made_cap deaf[] = {
	{"cook.off", 0, "{}", 0},
};
/* clang-format on */

static const struct made_profile devices[] = {
	MADE(light, "light_color"),
	MADE(lamp_xy, "light_on_off"),
	MADE(strip, "power_strip"),
	MADE(outlet, "plug"),
	MADE(curtain, "curtain"),
	MADE(blind, "clothes_airer"),
	MADE(garage, "garage_door"),
	MADE(thermostat, "thermostat"),
	MADE(aircon, "room_air_conditioner"),
	MADE(heater, "gas_water_heater"),
	MADE(humidifier, "humidifier"),
	MADE(fan, "fan"),
	MADE(purifier, "air_purifier"),
	MADE(door, "door_lock"),
	MADE(valve, "water_valve"),
	MADE(dosing, "water_valve"),
	MADE(siren, "siren"),
	MADE(vacuum, "robot_vacuum"),
	MADE(mower, "lawn_mower"),
	MADE(mixed, "plug"),
	MADE(deaf, "cooktop"),
};

/* All of them are there, and what the surface says to that was heard. */
static inline void open_home(struct made_home *h, const char *options)
{
	made_home_open(h, devices, gw_countof(devices), options);
	for (size_t i = 0; i < gw_countof(devices); i++) {
		made_home_add(h, devices[i].id, &devices[i]);
	}
	mqtt_home_settle(&h->m);
}

static inline const char *document_topic(const char *device)
{
	static char topic[128];
	(void)snprintf(topic, sizeof(topic), "homeassistant/device/hearth_%s/config", device);
	return topic;
}

static inline const struct gw_node *document(struct made_home *h, const char *device)
{
	const char *text = mqtt_home_last(&h->m, document_topic(device));
	if (!text) {
		fail_msg("%s is not announced", device);
	}
	return made_home_parse(h, text);
}

static inline const struct gw_node *entity_of(const struct gw_node *doc, const char *key)
{
	const struct gw_node *entity = gw_node_get(gw_node_get(doc, "components"), key);
	if (!entity) {
		fail_msg("there is no entity %s", key);
	}
	return entity;
}

static inline bool is_announced(const struct gw_node *doc, const char *key)
{
	return gw_node_get(gw_node_get(doc, "components"), key) != NULL;
}
