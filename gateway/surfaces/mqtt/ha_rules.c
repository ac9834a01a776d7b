/*
 * Entities of Home Assistant that are made of several capabilities of one component. A rule says when the entity is there; its rows say which
 * capability feeds which key. In texts <group.name> stands for the address of a capability in the same component, <!group.name> for its first
 * symbol that is not "off".
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/json.h"
#include "surfaces/mqtt/ha.h"

/* "group.name": it is there. "group.name=word": and has this symbol. */
#define V(cap)	   "value_json['<" cap ">']"
#define PLAIN(cap) "{{ " V(cap) " | default('') }}"
#define ON_OFF(cap)                                                                                \
	"{% if " V(cap) " is defined %}{{ 'ON' if " V(cap) " else 'OFF' }}{% else %}None{% endif %}"

enum what {
	/* A topic, or (key 0) only what is needed for the rows below it: those go with the nearest topic above. */
	STATE, /* the state document; when the capability is readable */
	PEEK,  /* the same, and the capability stays an entity of its own */
	COMMAND, /* of the capability; when it may be written, and not with an empty list in the next row */
	SETS,	/* the same, when it is readable too */
	WHOLE,	/* of the device; when the capability may be written */
	VACUUM, /* of the vacuum's document */
	/* What goes with a topic. */
	TEXT,
	RAW,	 /* JSON */
	SYMBOLS, /* the capability's, without the one in text */
	MODES,	 /* the same in words of a climate, and the one in text */
	MIN,
	MAX,
	STEP,
	PRECISION,
	MIREDS_MIN, /* of a range in kelvin */
	MIREDS_MAX,
	FEATURES,   /* "id=word …": the words of what may be used */
	DEVICE_SET, /* the topic of the device */
	/* Goes with nothing: the other rows say what it says. */
	TAKEN,
};

struct row {
	const char *cap;
	const char *with,
		*without; /* all, none of those: words with spaces between; 0: no matter */
	enum what what;
	const char *key, *text;
};

struct rule {
	const char *platform, *id; /* id: of the entity's key */
	const char *all[3];	   /* may be used: written, run */
	const char *any[6];	   /* the same, one of them; none named: no matter */
	const char *of_type; /* instead of one of any: the type or the component is seen as this */
	const char *shown;   /* is read only, must be there */
	bool main_only;
	const struct row *rows;
	size_t n_rows;
};

#define ROWS(a) .rows = (a), .n_rows = gw_countof(a)

/* clang-format off */
static const struct row light[] = {
	{"switch.on", 0, 0, COMMAND, "command_topic", 0},
	{"switch.on", 0, 0, STATE, "state_topic", 0},
	{"switch.on", 0, 0, TEXT, "state_value_template", ON_OFF("switch.on")},
	{"level.value", 0, 0, COMMAND, "brightness_command_topic", 0},
	{"level.value", 0, 0, RAW, "brightness_scale", "100"},
	{"level.value", 0, 0, STATE, "brightness_state_topic", 0},
	{"level.value", 0, 0, TEXT, "brightness_value_template", PLAIN("level.value")},
	{"color.temperature", 0, 0, COMMAND, "color_temp_command_topic", 0},
	{"color.temperature", 0, 0, TEXT, "color_temp_command_template", "{{ (1000000 / value) | round | int }}"},
	{"color.temperature", 0, 0, MIREDS_MIN, "min_mireds", 0},
	{"color.temperature", 0, 0, MIREDS_MAX, "max_mireds", 0},
	{"color.temperature", 0, 0, STATE, "color_temp_state_topic", 0},
	{"color.temperature", 0, 0, TEXT, "color_temp_value_template",
	 "{% if " V("color.temperature") " is defined %}{{ (1000000 / " V("color.temperature") ") | round | int }}{% endif %}"},
	{"color.hue", "color.saturation", 0, WHOLE, "hs_command_topic", 0},
	{"color.hue", "color.saturation", 0, TEXT, "hs_command_template",
	 "{\"set\":{\"<color.hue>\":{{ hue }},\"<color.saturation>\":{{ sat }}}}"},
	{"color.hue", "color.saturation", 0, STATE, "hs_state_topic", 0},
	{"color.hue", "color.saturation", 0, TEXT, "hs_value_template",
	 "{% if " V("color.hue") " is defined and " V("color.saturation") " is defined %}{{ " V("color.hue") " }},{{ " V("color.saturation") " }}{% endif %}"},
	{"color.saturation", "color.hue", 0, TAKEN, 0, 0},
	{"color.xy", 0, "color.hue", COMMAND, "xy_command_topic", 0},
	{"color.xy", 0, "color.hue", TEXT, "xy_command_template", "{\"value\":{\"x\":{{ x }},\"y\":{{ y }}}}"},
	{"color.xy", 0, "color.hue", STATE, "xy_state_topic", 0},
	{"color.xy", 0, "color.hue", TEXT, "xy_value_template",
	 "{% if " V("color.xy") " is defined %}{{ " V("color.xy") ".x }},{{ " V("color.xy") ".y }}{% endif %}"},
	{"color.mode", "color.hue", 0, STATE, "color_mode_state_topic", 0},
	{"color.mode", "color.hue", 0, TEXT, "color_mode_value_template",
	 "{{ {'hs': 'hs', 'xy': 'hs', 'ct': 'color_temp'}.get(" V("color.mode") " | default(''), '') }}"},
	{"color.mode", "color.xy", "color.hue", STATE, "color_mode_state_topic", 0},
	{"color.mode", "color.xy", "color.hue", TEXT, "color_mode_value_template",
	 "{{ {'hs': 'xy', 'xy': 'xy', 'ct': 'color_temp'}.get(" V("color.mode") " | default(''), '') }}"},
	{"color.effect", 0, 0, COMMAND, "effect_command_topic", 0},
	{"color.effect", 0, 0, STATE, "effect_state_topic", 0},
	{"color.effect", 0, 0, TEXT, "effect_value_template", PLAIN("color.effect")},
	{"color.effect", 0, 0, SYMBOLS, "effect_list", 0},
};

static const struct row cover[] = {
	{"covering.open", 0, 0, WHOLE, "command_topic", 0},
	{"covering.open", 0, 0, TEXT, "payload_open", "{\"action\":\"<covering.open>\"}"},
	{"covering.open", 0, "covering.close", RAW, "payload_close", "null"},
	{"covering.open", 0, "covering.stop", RAW, "payload_stop", "null"},
	{"covering.position", 0, "covering.open", WHOLE, "command_topic", 0},
	{"covering.position", 0, "covering.open", TEXT, "payload_open", "{\"set\":{\"<covering.position>\":100}}"},
	{"covering.position", 0, "covering.open", TEXT, "payload_close", "{\"set\":{\"<covering.position>\":0}}"},
	{"covering.position", 0, "covering.open covering.stop", RAW, "payload_stop", "null"},
	{"covering.close", 0, 0, WHOLE, 0, 0},
	{"covering.close", "covering.open", 0, TEXT, "payload_close", "{\"action\":\"<covering.close>\"}"},
	{"covering.stop", 0, 0, WHOLE, 0, 0},
	{"covering.stop", 0, 0, TEXT, "payload_stop", "{\"action\":\"<covering.stop>\"}"},
	{"covering.position", 0, 0, STATE, "position_topic", 0},
	{"covering.position", 0, 0, TEXT, "position_template", PLAIN("covering.position")},
	{"covering.position", 0, 0, SETS, "set_position_topic", 0},
	{"covering.moving", 0, 0, STATE, "state_topic", 0},
	{"covering.moving", 0, 0, TEXT, "value_template", PLAIN("covering.moving")},
	{"covering.tilt", 0, 0, COMMAND, "tilt_command_topic", 0},
	{"covering.tilt", 0, 0, STATE, "tilt_status_topic", 0},
	{"covering.tilt", 0, 0, TEXT, "tilt_status_template", PLAIN("covering.tilt")},
};

static const struct row garage[] = {
	{"closure.move", 0, 0, WHOLE, "command_topic", 0},
	{"closure.move", 0, 0, TEXT, "payload_open", "{\"action\":\"<closure.move>\",\"args\":{\"to\":\"open\"}}"},
	{"closure.move", 0, 0, TEXT, "payload_close", "{\"action\":\"<closure.move>\",\"args\":{\"to\":\"closed\"}}"},
	{"closure.move", 0, 0, RAW, "payload_stop", "null"},
	{"closure.state", 0, 0, STATE, "state_topic", 0},
	{"closure.state", 0, 0, TEXT, "value_template",
	 "{{ {'closed': 'closed', 'opening': 'opening', 'closing': 'closing', 'open': 'open', 'partial': 'open'}.get(" V("closure.state") " | default(''), 'None') }}"},
};

#define HVAC                                                                                       \
	"{'auto': 'heat_cool', 'sleep': 'cool', 'emergency_heat': 'heat'}.get(" V("thermostat.mode") ", " V("thermostat.mode") ")"

static const struct row climate[] = {
	/* The mode, and off: its own symbol, or the switch beside it (rule R4). */
	{"thermostat.mode=off", 0, 0, COMMAND, "mode_command_topic", 0},
	{"thermostat.mode=off", 0, 0, TEXT, "mode_command_template", "{{ 'auto' if value == 'heat_cool' else value }}"},
	{"thermostat.mode=off", 0, 0, STATE, "mode_state_topic", 0},
	{"thermostat.mode=off", 0, 0, TEXT, "mode_state_template", "{% if " V("thermostat.mode") " is defined %}{{ " HVAC " }}{% endif %}"},
	{"thermostat.mode=off", 0, 0, MODES, "modes", 0},
	{"thermostat.mode", 0, "thermostat.mode=off switch.on", COMMAND, "mode_command_topic", 0},
	{"thermostat.mode", 0, "thermostat.mode=off switch.on", TEXT, "mode_command_template", "{{ 'auto' if value == 'heat_cool' else value }}"},
	{"thermostat.mode", 0, "thermostat.mode=off switch.on", STATE, "mode_state_topic", 0},
	{"thermostat.mode", 0, "thermostat.mode=off switch.on", TEXT, "mode_state_template", "{% if " V("thermostat.mode") " is defined %}{{ " HVAC " }}{% endif %}"},
	{"thermostat.mode", 0, "thermostat.mode=off switch.on", MODES, "modes", 0},
	{"thermostat.mode", "switch.on", "thermostat.mode=off", WHOLE, "mode_command_topic", 0},
	{"thermostat.mode", "switch.on", "thermostat.mode=off", TEXT, "mode_command_template",
	 "{% if value == 'off' %}{\"set\":{\"<switch.on>\":false}}{% else %}"
	 "{\"set\":{\"<switch.on>\":true,\"<thermostat.mode>\":\"{{ 'auto' if value == 'heat_cool' else value }}\"}}{% endif %}"},
	{"thermostat.mode", "switch.on", "thermostat.mode=off", STATE, "mode_state_topic", 0},
	{"thermostat.mode", "switch.on", "thermostat.mode=off", TEXT, "mode_state_template",
	 "{% if " V("switch.on") " is defined and " V("thermostat.mode") " is defined %}"
	 "{{ (" HVAC ") if " V("switch.on") " else 'off' }}{% endif %}"},
	{"thermostat.mode", "switch.on", "thermostat.mode=off", MODES, "modes", "off"},
	{"switch.on", "thermostat.mode", 0, TAKEN, 0, 0},
	{"switch.on", 0, "thermostat.mode", COMMAND, "mode_command_topic", 0},
	{"switch.on", 0, "thermostat.mode", TEXT, "mode_command_template", "{{ 'OFF' if value == 'off' else 'ON' }}"},
	{"switch.on", 0, "thermostat.mode", STATE, "mode_state_topic", 0},
	{"switch.on", 0, "thermostat.mode", TEXT, "mode_state_template",
	 "{% if " V("switch.on") " is defined %}{{ 'heat' if " V("switch.on") " else 'off' }}{% endif %}"},
	{"switch.on", 0, "thermostat.mode", RAW, "modes", "[\"off\",\"heat\"]"},
	{"thermostat.setpoint", 0, "thermostat.mode switch.on", STATE, "mode_state_topic", 0},
	{"thermostat.setpoint", 0, "thermostat.mode switch.on", TEXT, "mode_state_template", "heat"},
	{"thermostat.setpoint", 0, "thermostat.mode switch.on", RAW, "modes", "[\"heat\"]"},
	{"thermostat.setpoint", 0, 0, COMMAND, "temperature_command_topic", 0},
	{"thermostat.setpoint", 0, 0, MIN, "min_temp", 0},
	{"thermostat.setpoint", 0, 0, MAX, "max_temp", 0},
	{"thermostat.setpoint", 0, 0, STEP, "temp_step", 0},
	{"thermostat.setpoint", 0, 0, PRECISION, "precision", 0},
	{"thermostat.setpoint", 0, 0, RAW, "temperature_unit", "\"C\""},
	{"thermostat.setpoint", 0, 0, STATE, "temperature_state_topic", 0},
	{"thermostat.setpoint", 0, 0, TEXT, "temperature_state_template", PLAIN("thermostat.setpoint")},
	{"thermostat.heat_setpoint", 0, 0, COMMAND, "temperature_low_command_topic", 0},
	{"thermostat.heat_setpoint", 0, "thermostat.setpoint", MIN, "min_temp", 0},
	{"thermostat.heat_setpoint", 0, "thermostat.setpoint", RAW, "temperature_unit", "\"C\""},
	{"thermostat.heat_setpoint", 0, 0, STATE, "temperature_low_state_topic", 0},
	{"thermostat.heat_setpoint", 0, 0, TEXT, "temperature_low_state_template", PLAIN("thermostat.heat_setpoint")},
	{"thermostat.cool_setpoint", 0, 0, COMMAND, "temperature_high_command_topic", 0},
	{"thermostat.cool_setpoint", 0, "thermostat.setpoint", MAX, "max_temp", 0},
	{"thermostat.cool_setpoint", 0, "thermostat.setpoint", STEP, "temp_step", 0},
	{"thermostat.cool_setpoint", 0, 0, STATE, "temperature_high_state_topic", 0},
	{"thermostat.cool_setpoint", 0, 0, TEXT, "temperature_high_state_template", PLAIN("thermostat.cool_setpoint")},
	{"thermostat.current", 0, 0, STATE, "current_temperature_topic", 0},
	{"thermostat.current", 0, 0, TEXT, "current_temperature_template", PLAIN("thermostat.current")},
	{"temperature.measured", 0, "thermostat.current", PEEK, "current_temperature_topic", 0},
	{"temperature.measured", 0, "thermostat.current", TEXT, "current_temperature_template", PLAIN("temperature.measured")},
	{"humidity.measured", 0, 0, PEEK, "current_humidity_topic", 0},
	{"humidity.measured", 0, 0, TEXT, "current_humidity_template", PLAIN("humidity.measured")},
	{"thermostat.action", 0, 0, STATE, "action_topic", 0},
	{"thermostat.action", 0, 0, TEXT, "action_template", PLAIN("thermostat.action")},
	{"thermostat.preset", 0, 0, COMMAND, "preset_mode_command_topic", 0},
	{"thermostat.preset", 0, 0, SYMBOLS, "preset_modes", "none"},
	{"thermostat.preset", 0, 0, STATE, "preset_mode_state_topic", 0},
	{"thermostat.preset", 0, 0, TEXT, "preset_mode_value_template", PLAIN("thermostat.preset")},
	{"fan.mode", 0, 0, COMMAND, "fan_mode_command_topic", 0},
	{"fan.mode", 0, 0, SYMBOLS, "fan_modes", 0},
	{"fan.mode", 0, 0, STATE, "fan_mode_state_topic", 0},
	{"fan.mode", 0, 0, TEXT, "fan_mode_state_template", PLAIN("fan.mode")},
	{"ac.vane_v", 0, 0, COMMAND, "swing_mode_command_topic", 0},
	{"ac.vane_v", 0, 0, SYMBOLS, "swing_modes", 0},
	{"ac.vane_v", 0, 0, STATE, "swing_mode_state_topic", 0},
	{"ac.vane_v", 0, 0, TEXT, "swing_mode_state_template", PLAIN("ac.vane_v")},
	{"fan.rock_ud", 0, "ac.vane_v", COMMAND, "swing_mode_command_topic", 0},
	{"fan.rock_ud", 0, "ac.vane_v", RAW, "swing_modes", "[\"on\",\"off\"]"},
	{"fan.rock_ud", 0, "ac.vane_v", STATE, "swing_mode_state_topic", 0},
	{"fan.rock_ud", 0, "ac.vane_v", TEXT, "swing_mode_state_template",
	 "{% if " V("fan.rock_ud") " is defined %}{{ 'on' if " V("fan.rock_ud") " else 'off' }}{% endif %}"},
};

static const struct row fan[] = {
	{"switch.on", 0, 0, COMMAND, "command_topic", 0},
	{"switch.on", 0, 0, STATE, "state_topic", 0},
	{"switch.on", 0, 0, TEXT, "state_value_template", ON_OFF("switch.on")},
	{"fan.mode=off", 0, "switch.on", COMMAND, "command_topic", 0},
	{"fan.mode=off", 0, "switch.on", TEXT, "command_template", "{{ 'off' if value == 'OFF' else '<!fan.mode>' }}"},
	{"fan.mode=off", 0, "switch.on", STATE, "state_topic", 0},
	{"fan.mode=off", 0, "switch.on", TEXT, "state_value_template",
	 "{% if " V("fan.mode") " is defined %}{{ 'OFF' if " V("fan.mode") " == 'off' else 'ON' }}{% else %}None{% endif %}"},
	{"fan.percent", 0, 0, COMMAND, "percentage_command_topic", 0},
	{"fan.percent", 0, 0, STATE, "percentage_state_topic", 0},
	{"fan.percent", 0, 0, TEXT, "percentage_value_template", PLAIN("fan.percent")},
	{"fan.speed", 0, "fan.percent", COMMAND, "percentage_command_topic", 0},
	{"fan.speed", 0, "fan.percent", MAX, "speed_range_max", 0},
	{"fan.speed", 0, "fan.percent", STATE, "percentage_state_topic", 0},
	{"fan.speed", 0, "fan.percent", TEXT, "percentage_value_template", PLAIN("fan.speed")},
	{"fan.mode", 0, 0, COMMAND, "preset_mode_command_topic", 0},
	{"fan.mode", 0, 0, SYMBOLS, "preset_modes", "off"},
	{"fan.mode", 0, 0, STATE, "preset_mode_state_topic", 0},
	{"fan.mode", 0, 0, TEXT, "preset_mode_value_template",
	 "{{ " V("fan.mode") " if " V("fan.mode") " is defined and " V("fan.mode") " != 'off' else 'None' }}"},
	{"fan.rock_lr", 0, 0, COMMAND, "oscillation_command_topic", 0},
	{"fan.rock_lr", 0, 0, RAW, "payload_oscillation_on", "\"ON\""},
	{"fan.rock_lr", 0, 0, RAW, "payload_oscillation_off", "\"OFF\""},
	{"fan.rock_lr", 0, 0, STATE, "oscillation_state_topic", 0},
	{"fan.rock_lr", 0, 0, TEXT, "oscillation_value_template", ON_OFF("fan.rock_lr")},
	{"fan.rock_round", 0, "fan.rock_lr", COMMAND, "oscillation_command_topic", 0},
	{"fan.rock_round", 0, "fan.rock_lr", RAW, "payload_oscillation_on", "\"ON\""},
	{"fan.rock_round", 0, "fan.rock_lr", RAW, "payload_oscillation_off", "\"OFF\""},
	{"fan.rock_round", 0, "fan.rock_lr", STATE, "oscillation_state_topic", 0},
	{"fan.rock_round", 0, "fan.rock_lr", TEXT, "oscillation_value_template", ON_OFF("fan.rock_round")},
	{"fan.direction", 0, 0, COMMAND, "direction_command_topic", 0},
	{"fan.direction", 0, 0, STATE, "direction_state_topic", 0},
	{"fan.direction", 0, 0, TEXT, "direction_value_template", PLAIN("fan.direction")},
};

static const struct row humidifier[] = {
	{"switch.on", 0, 0, COMMAND, "command_topic", 0},
	{"switch.on", 0, 0, STATE, "state_topic", 0},
	{"switch.on", 0, 0, TEXT, "state_value_template", ON_OFF("switch.on")},
	{"humidity.setpoint", 0, 0, COMMAND, "target_humidity_command_topic", 0},
	{"humidity.setpoint", 0, 0, MIN, "min_humidity", 0},
	{"humidity.setpoint", 0, 0, MAX, "max_humidity", 0},
	{"humidity.setpoint", 0, 0, STATE, "target_humidity_state_topic", 0},
	{"humidity.setpoint", 0, 0, TEXT, "target_humidity_state_template", PLAIN("humidity.setpoint")},
	{"humidifier.mode", 0, 0, COMMAND, "mode_command_topic", 0},
	{"humidifier.mode", 0, 0, SYMBOLS, "modes", 0},
	{"humidifier.mode", 0, 0, STATE, "mode_state_topic", 0},
	{"humidifier.mode", 0, 0, TEXT, "mode_state_template", PLAIN("humidifier.mode")},
	{"humidifier.action", 0, 0, STATE, "action_topic", 0},
	{"humidifier.action", 0, 0, TEXT, "action_template", PLAIN("humidifier.action")},
	{"humidity.measured", 0, 0, PEEK, "current_humidity_topic", 0},
	{"humidity.measured", 0, 0, TEXT, "current_humidity_template", PLAIN("humidity.measured")},
};

static const struct row lock[] = {
	{"lock.lock", 0, 0, WHOLE, "command_topic", 0},
	{"lock.lock", 0, 0, TEXT, "payload_lock", "{\"action\":\"<lock.lock>\"}"},
	{"lock.unlock", 0, 0, WHOLE, 0, 0},
	{"lock.unlock", 0, 0, TEXT, "payload_unlock", "{\"action\":\"<lock.unlock>\"}"},
	{"lock.unlatch", 0, 0, WHOLE, 0, 0},
	{"lock.unlatch", 0, 0, TEXT, "payload_open", "{\"action\":\"<lock.unlatch>\"}"},
	{"lock.state", 0, 0, STATE, "state_topic", 0},
	{"lock.state", 0, 0, TEXT, "value_template",
	 "{{ {'locked': 'LOCKED', 'unlocked': 'UNLOCKED', 'unlatched': 'UNLOCKED', 'not_fully_locked': 'JAMMED'}.get(" V("lock.state") " | default(''), 'None') }}"},
};

static const struct row valve_level[] = {
	{"valve.level", 0, 0, COMMAND, "command_topic", 0},
	{"valve.level", 0, 0, RAW, "reports_position", "true"},
	{"valve.level", 0, 0, STATE, "state_topic", 0},
	{"valve.level", 0, 0, TEXT, "value_template", PLAIN("valve.level")},
	{"valve.open", 0, 0, TAKEN, 0, 0},
};

static const struct row valve_open[] = {
	{"valve.open", 0, 0, COMMAND, "command_topic", 0},
	{"valve.open", 0, 0, RAW, "payload_open", "\"ON\""},
	{"valve.open", 0, 0, RAW, "payload_close", "\"OFF\""},
	{"valve.open", 0, 0, STATE, "state_topic", 0},
	{"valve.open", 0, 0, TEXT, "value_template",
	 "{% if " V("valve.open") " is defined %}{{ 'open' if " V("valve.open") " else 'closed' }}{% endif %}"},
};

static const struct row siren[] = {
	{"siren.active", 0, 0, WHOLE, "command_topic", 0},
	{"siren.active", 0, 0, TEXT, "command_template",
	 "{\"set\":{\"<siren.active>\":{{ 'true' if value == 'ON' else 'false' }}"
	 "{% if tone is defined %},\"<siren.tone>\":{{ tone | tojson }}{% endif %}"
	 "{% if duration is defined %},\"<siren.duration>\":{{ duration | int }}{% endif %}}}"},
	{"siren.active", 0, 0, RAW, "support_volume_set", "false"},
	{"siren.active", 0, "siren.duration", RAW, "support_duration", "false"},
	{"siren.active", 0, 0, STATE, "state_topic", 0},
	{"siren.active", 0, 0, TEXT, "state_value_template", ON_OFF("siren.active")},
	{"siren.tone", 0, 0, COMMAND, 0, 0},
	{"siren.tone", 0, 0, SYMBOLS, "available_tones", 0},
	{"siren.duration", 0, 0, COMMAND, 0, 0},
};

static const struct row vacuum[] = {
	{"operation.state", 0, 0, VACUUM, "state_topic", 0},
	{"operation.state", 0, 0, FEATURES, "supported_features",
	 "operation.start=start robot.run_mode=start operation.pause=pause operation.stop=stop robot.go_home=return_home robot.spot=clean_spot "
	 "robot.locate=locate robot.suction=fan_speed"},
	{"operation.state", 0, 0, DEVICE_SET, "command_topic", 0},
	{"operation.start", 0, 0, WHOLE, 0, 0},
	{"operation.start", 0, 0, TEXT, "payload_start", "{\"action\":\"<operation.start>\"}"},
	{"robot.run_mode", 0, "operation.start", WHOLE, 0, 0},
	{"robot.run_mode", 0, "operation.start", TEXT, "payload_start", "{\"set\":{\"<robot.run_mode>\":\"cleaning\"}}"},
	{"operation.pause", 0, 0, WHOLE, 0, 0},
	{"operation.pause", 0, 0, TEXT, "payload_pause", "{\"action\":\"<operation.pause>\"}"},
	{"operation.stop", 0, 0, WHOLE, 0, 0},
	{"operation.stop", 0, 0, TEXT, "payload_stop", "{\"action\":\"<operation.stop>\"}"},
	{"robot.go_home", 0, 0, WHOLE, 0, 0},
	{"robot.go_home", 0, 0, TEXT, "payload_return_to_base", "{\"action\":\"<robot.go_home>\"}"},
	{"robot.spot", 0, 0, WHOLE, 0, 0},
	{"robot.spot", 0, 0, TEXT, "payload_clean_spot", "{\"action\":\"<robot.spot>\"}"},
	{"robot.locate", 0, 0, WHOLE, 0, 0},
	{"robot.locate", 0, 0, TEXT, "payload_locate", "{\"action\":\"<robot.locate>\"}"},
	{"robot.suction", 0, 0, COMMAND, "set_fan_speed_topic", 0},
	{"robot.suction", 0, 0, SYMBOLS, "fan_speed_list", 0},
};

static const struct row lawn_mower[] = {
	{"mower.activity", 0, 0, STATE, "activity_state_topic", 0},
	{"mower.activity", 0, 0, TEXT, "activity_value_template", PLAIN("mower.activity")},
	{"operation.start", 0, 0, COMMAND, "start_mowing_command_topic", 0},
	{"operation.pause", 0, 0, COMMAND, "pause_command_topic", 0},
	{"robot.go_home", 0, 0, COMMAND, "dock_command_topic", 0},
};

static const struct row update[] = {
	{"firmware.version", 0, 0, STATE, "state_topic", 0},
	{"firmware.version", 0, 0, TEXT, "value_template", PLAIN("firmware.version")},
	{"firmware.available", 0, 0, STATE, "latest_version_topic", 0},
	{"firmware.available", 0, 0, TEXT, "latest_version_template", PLAIN("firmware.available")},
	{"firmware.update", 0, 0, COMMAND, "command_topic", 0},
	{"firmware.update", 0, 0, RAW, "payload_install", "\"INSTALL\""},
};

/* In this order: what an entity takes is not there for the next. */
static const struct rule rules[] = {
	{"light", "light", .all = {"switch.on"}, .any = {"level.value", "color.temperature", "color.hue", "color.xy", "color.effect"}, .of_type = "light", ROWS(light)},
	{"cover", "cover", .any = {"covering.position", "covering.open"}, ROWS(cover)},
	{"cover", "closure", .all = {"closure.move=open", "closure.move=closed"}, ROWS(garage)},
	{"climate", "climate", .any = {"thermostat.setpoint", "thermostat.mode", "thermostat.heat_setpoint", "thermostat.cool_setpoint"}, ROWS(climate)},
	{"humidifier", "humidifier", .all = {"switch.on", "humidity.setpoint"}, ROWS(humidifier)},
	{"fan", "fan", .all = {"switch.on"}, .any = {"fan.mode", "fan.percent", "fan.speed"}, ROWS(fan)},
	{"fan", "fan", .all = {"fan.mode=off"}, ROWS(fan)},
	{"lock", "lock", .all = {"lock.lock", "lock.unlock"}, ROWS(lock)},
	{"valve", "valve", .all = {"valve.level"}, ROWS(valve_level)},
	{"valve", "valve", .all = {"valve.open"}, ROWS(valve_open)},
	{"siren", "siren", .all = {"siren.active"}, ROWS(siren)},
	{"vacuum", "vacuum", .any = {"robot.go_home", "robot.suction", "robot.run_mode", "robot.spot"}, .shown = "operation.state", .main_only = true, ROWS(vacuum)},
	{"lawn_mower", "mower", .any = {"operation.start", "operation.pause", "robot.go_home"}, .shown = "mower.activity", ROWS(lawn_mower)},
	{"update", "firmware", .shown = "firmware.available", ROWS(update)},
};
/* clang-format on */

/* --- conditions --- */

static bool has_symbol(const struct gw_domain *d, struct gw_str word)
{
	for (size_t i = 0; i < d->n_symbols; i++) {
		if (gw_str_is(word, d->symbols[i])) {
			return true;
		}
	}
	return false;
}

static size_t index_of(const struct ha_doc *doc, const struct gw_cap_info *cap)
{
	return (size_t)gw_plan_find_cap(doc->plan, gw_str(cap->address));
}

/* "group.name" or "group.name=symbol" of the component; NULL: not there, or an entity before has it. */
static const struct gw_cap_info *look(const struct ha_doc *doc, const char *component,
				      struct gw_str spec)
{
	char id[GW_ID_BYTES];
	struct gw_str name;
	if (!gw_str_split(&spec, '=', &name) || name.len >= sizeof(id)) {
		return NULL;
	}
	memcpy(id, name.p, name.len);
	id[name.len] = '\0';
	const struct gw_cap_info *cap = ha_find(doc, component, id);
	if (!cap || (doc->used && doc->used[index_of(doc, cap)])) {
		return NULL;
	}
	if (!spec.p) {
		return cap;
	}
	/* Of an action: what its argument may be. */
	const struct gw_domain *d = cap->n_args == 1 ? &cap->args[0].domain : &cap->domain;
	return has_symbol(d, spec) ? cap : NULL;
}

static bool usable(const struct ha_doc *doc, const struct gw_cap_info *cap)
{
	return cap && mqtt_may_command(doc->s, doc->device, cap);
}

static bool is_of_type(const struct ha_doc *doc, const char *component, const char *word)
{
	struct gw_str first, rest = gw_str(doc->type ? doc->type->home_assistant : "");
	(void)gw_str_split(&rest, ',', &first);
	return gw_str_starts(gw_str(component), word) || gw_str_is(first, word);
}

static bool applies(const struct ha_doc *doc, const char *component, const struct rule *r)
{
	if (r->main_only && strcmp(component, "main") != 0) {
		return false;
	}
	for (size_t i = 0; i < gw_countof(r->all) && r->all[i]; i++) {
		if (!usable(doc, look(doc, component, gw_str(r->all[i])))) {
			return false;
		}
	}
	if (r->shown) {
		const struct gw_cap_info *cap = look(doc, component, gw_str(r->shown));
		if (!cap || !cap->readable) {
			return false;
		}
	}
	for (size_t i = 0; i < gw_countof(r->any) && r->any[i]; i++) {
		if (usable(doc, look(doc, component, gw_str(r->any[i])))) {
			return true;
		}
	}
	return !r->any[0] || (r->of_type && is_of_type(doc, component, r->of_type));
}

static size_t count_found(const struct ha_doc *doc, const char *component, const char *words,
			  size_t *ret_n)
{
	struct gw_str rest = gw_str(words), word;
	size_t found = 0;
	*ret_n = 0;
	while (words && gw_str_split(&rest, ' ', &word)) {
		++*ret_n;
		found += look(doc, component, word) != NULL;
	}
	return found;
}

/* --- lists and numbers --- */

static bool is_listed(const struct row *row, const char *symbol)
{
	if (row->what == MODES) {
		return strcmp(symbol, "sleep") != 0 && strcmp(symbol, "emergency_heat") != 0;
	}
	return !row->text || strcmp(symbol, row->text) != 0;
}

static size_t count_listed(const struct row *row, const struct gw_domain *d)
{
	size_t n = 0;
	for (size_t i = 0; i < d->n_symbols; i++) {
		n += is_listed(row, d->symbols[i]);
	}
	return n;
}

static void write_list(struct ha_doc *doc, const struct row *row, const struct gw_domain *d)
{
	const char *lead = "";
	gw_buf_printf(doc->out, ",\"%s\":[", row->key);
	if (row->what == MODES && row->text) {
		gw_buf_printf(doc->out, "\"%s\"", row->text);
		lead = ",";
	}
	for (size_t i = 0; i < d->n_symbols; i++) {
		if (is_listed(row, d->symbols[i])) {
			bool both = row->what == MODES && strcmp(d->symbols[i], "auto") == 0;
			gw_buf_puts(doc->out, lead);
			gw_json_write_text(doc->out, gw_str(both ? "heat_cool" : d->symbols[i]));
			lead = ",";
		}
	}
	gw_buf_putc(doc->out, ']');
}

static void write_features(struct ha_doc *doc, const char *component, const struct row *row)
{
	struct gw_str rest = gw_str(row->text), pair, id, last = {0};
	const char *lead = "";
	gw_buf_printf(doc->out, ",\"%s\":[", row->key);
	while (gw_str_split(&rest, ' ', &pair)) {
		/* Two capabilities for one word stand side by side: it is named once. */
		if (gw_str_split(&pair, '=', &id) && !gw_str_eq(pair, last) &&
		    usable(doc, look(doc, component, id))) {
			gw_buf_printf(doc->out, "%s\"" GW_STR_FMT "\"", lead, GW_STR_ARG(pair));
			lead = ",";
			last = pair;
		}
	}
	gw_buf_putc(doc->out, ']');
}

/* Of the capability's range; a bound that is not there is not written. */
static void write_bound(struct ha_doc *doc, const struct row *row, const struct gw_domain *d)
{
	double min = gw_count_value(d->min, d->res), max = gw_count_value(d->max, d->res);
	double step = gw_count_value(d->step > 1 ? d->step : 1, d->res);
	bool range = d->has_min && d->has_max && min < max;
	if (row->what == MIN && range) {
		ha_number(doc, row->key, min);
	} else if (row->what == MAX && range && max > 1) {
		ha_number(doc, row->key, max);
	} else if (row->what == STEP) {
		ha_number(doc, row->key, step);
	} else if (row->what == PRECISION) {
		ha_number(doc, row->key, step >= 1 ? 1 : step >= 0.5 ? 0.5 : 0.1);
	} else if (row->what == MIREDS_MIN && range && min > 0) {
		ha_number(doc, row->key, ceil(1e6 / max));
	} else if (row->what == MIREDS_MAX && range && min > 0) {
		ha_number(doc, row->key, floor(1e6 / min));
	}
}

/* --- texts --- */

static void write_first_symbol(struct ha_doc *doc, const char *component, struct gw_str id,
			       struct gw_buf *b)
{
	const struct gw_cap_info *cap = look(doc, component, id);
	for (size_t i = 0; cap && i < cap->domain.n_symbols; i++) {
		if (strcmp(cap->domain.symbols[i], "off") != 0) {
			gw_buf_puts(b, cap->domain.symbols[i]);
			return;
		}
	}
}

/* Replaces <group.name> and <!group.name>. */
static void write_text(struct ha_doc *doc, const char *component, const struct row *row)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(4096);
	struct gw_str rest = gw_str(row->text), piece, id;
	bool main = strcmp(component, "main") == 0;
	while (gw_str_split(&rest, '<', &piece)) {
		gw_buf_add_str(&b, piece);
		if (!rest.p || !gw_str_split(&rest, '>', &id)) {
			break;
		}
		if (id.p[0] == '!') {
			write_first_symbol(doc, component, gw_str_sub(id, 1, id.len), &b);
		} else {
			gw_buf_printf(&b, "%s%s" GW_STR_FMT, main ? "" : component, main ? "" : "/",
				      GW_STR_ARG(id));
		}
	}
	if (gw_buf_error(&b)) {
		doc->out->error = gw_buf_error(&b);
		return;
	}
	ha_text(doc, row->key, b.p ? b.p : "");
}

/* --- rows --- */

static bool is_topic(enum what what)
{
	return what <= VACUUM;
}

/* Whether the topic of this row is there. */
static bool topic_is_there(struct ha_doc *doc, const struct row *row, const struct row *end,
			   const struct gw_cap_info *cap)
{
	bool lists = row + 1 < end && (row[1].what == SYMBOLS || row[1].what == MODES);
	switch (row->what) {
	case STATE:
	case PEEK: return cap->readable;
	case COMMAND:
		return usable(doc, cap) && (!lists || count_listed(&row[1], &cap->domain) > 0);
	case SETS: return usable(doc, cap) && cap->readable;
	case WHOLE: return usable(doc, cap);
	case VACUUM: return true;
	case TEXT:
	case RAW:
	case SYMBOLS:
	case MODES:
	case MIN:
	case MAX:
	case STEP:
	case PRECISION:
	case MIREDS_MIN:
	case MIREDS_MAX:
	case FEATURES:
	case DEVICE_SET:
	case TAKEN: break;
	}
	return false;
}

static void write_row(struct ha_doc *doc, const char *component, const struct row *row,
		      const struct gw_cap_info *cap)
{
	switch (row->what) {
	case STATE:
	case PEEK: ha_state_topic(doc, row->key); break;
	case COMMAND:
	case SETS: ha_command_topic(doc, row->key, cap); break;
	case WHOLE:
	case DEVICE_SET: ha_device_topic(doc, row->key, "set"); break;
	case VACUUM: ha_device_topic(doc, row->key, "vacuum"); break;
	case TEXT: write_text(doc, component, row); break;
	case RAW: ha_raw(doc, row->key, row->text); break;
	case SYMBOLS:
	case MODES: write_list(doc, row, &cap->domain); break;
	case MIN:
	case MAX:
	case STEP:
	case PRECISION:
	case MIREDS_MIN:
	case MIREDS_MAX: write_bound(doc, row, &cap->domain); break;
	case FEATURES: write_features(doc, component, row); break;
	case TAKEN: break;
	}
}

/* taken: what becomes a part of this entity; it is marked only afterwards, so that all rows see all capabilities. */
static void write_rows(struct ha_doc *doc, const char *component, const struct rule *r, bool *taken)
{
	const struct row *end = r->rows + r->n_rows;
	bool on = false;
	for (const struct row *row = r->rows; row < end; row++) {
		size_t n, with = count_found(doc, component, row->with, &n);
		bool there = with == n && count_found(doc, component, row->without, &n) == 0;
		const struct gw_cap_info *cap =
			there ? look(doc, component, gw_str(row->cap)) : NULL;
		if (is_topic(row->what)) {
			on = cap && topic_is_there(doc, row, end, cap);
		}
		if (!cap || (!on && row->what != TAKEN)) {
			continue;
		}
		if (row->key) {
			write_row(doc, component, row, cap);
		}
		if (row->what == TAKEN || (is_topic(row->what) && row->what != PEEK)) {
			taken[index_of(doc, cap)] = true;
		}
	}
}

static void write_class(struct ha_doc *doc, const struct rule *r)
{
	char class[GW_ID_BYTES];
	if (strcmp(doc->info->type, "dehumidifier") == 0 &&
	    strcmp(r->platform, "humidifier") == 0) {
		ha_text(doc, "device_class", "dehumidifier");
	} else if (ha_type_class(doc, r->platform, class, sizeof(class)) && class[0]) {
		ha_text(doc, "device_class", class);
	}
}

static void write_entity(struct ha_doc *doc, const char *component, const struct rule *r)
{
	size_t n = gw_plan_cap_count(doc->plan);
	GW_AUTO(gw_free_auto) bool *taken = gw_array(bool, n + 1);
	char name[GW_NAME_BYTES], class[GW_ID_BYTES];
	if (!taken) {
		doc->out->error = -ENOMEM;
		return;
	}
	bool main = strcmp(component, "main") == 0;
	bool itself = main && ha_type_class(doc, r->platform, class, sizeof(class));
	ha_name(name, sizeof(name), main ? r->id : component, "");
	ha_begin(doc, component, r->id, r->platform, itself ? NULL : name);
	write_class(doc, r);
	write_rows(doc, component, r, taken);
	ha_end(doc);
	for (size_t i = 0; i < n; i++) {
		doc->used[i] = doc->used[i] || taken[i];
	}
}

/* Capabilities stand in the order of the profile, components together or not: each component once, at its first capability. */
static bool is_first_of_component(const struct gw_plan *plan, size_t i)
{
	const char *component = gw_plan_cap(plan, i)->component;
	for (size_t k = 0; k < i; k++) {
		if (strcmp(gw_plan_cap(plan, k)->component, component) == 0) {
			return false;
		}
	}
	return true;
}

void ha_write_composites(struct ha_doc *doc)
{
	for (size_t i = 0; i < gw_plan_cap_count(doc->plan); i++) {
		if (!is_first_of_component(doc->plan, i)) {
			continue;
		}
		const char *component = gw_plan_cap(doc->plan, i)->component;
		for (size_t k = 0; k < gw_countof(rules); k++) {
			if (applies(doc, component, &rules[k])) {
				write_entity(doc, component, &rules[k]);
			}
		}
	}
}

bool ha_is_vacuum(const struct ha_doc *doc)
{
	for (size_t k = 0; k < gw_countof(rules); k++) {
		if (rules[k].rows == vacuum) {
			return applies(doc, "main", &rules[k]);
		}
	}
	return false;
}
