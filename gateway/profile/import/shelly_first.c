/*
 * Shelly of the first generation: one topic for each value below shellies/<id>, and all of /status in shellies/<id>/info from time to
 * time. What has no topic, or finds no room among the messages, comes with info.
 */
#include <errno.h>
#include <stdio.h>

#include "profile/import/shelly.h"

#define ON_OFF "on=true|off=false|overpower=false|true=true|false=false"

/* Lists of /status. In topics %u is the index, %s what it belongs to ("relay/0" for a meter). */
static const struct gw_shelly_field lists[] = {
	{"relays", "/ison", "switch.on", 0, ON_OFF, "relay/%u", "relay/%u/command", ""},
	{"relays", "/overpower", "x.overpower", 0, NULL, NULL, NULL, NULL},
	{"relays", "/overtemperature", "x.overtemperature", 0, NULL, NULL, NULL, NULL},
	{"rollers", "/current_pos", "covering.position", 0, NULL, "roller/%u/pos",
	 "roller/%u/command/pos", ""},
	{"rollers", "/state", "covering.moving", 0, "open=opening|close=closing|stop=stopped",
	 "roller/%u", NULL, NULL},
	{"rollers", "/power", "meter.power", 0, NULL, "roller/%u/power", NULL, NULL},
	{"rollers", "/stop_reason", "x.stop_reason", 0, NULL, NULL, NULL, NULL},
	{"rollers", "/overtemperature", "x.overtemperature", 0, NULL, NULL, NULL, NULL},
	{"rollers", "/*", NULL, 0, NULL, NULL, NULL, NULL},
	{"lights", "/ison", "switch.on", 0, ON_OFF, "%s/status", "%s/set", "/turn"},
	{"lights", "/brightness", "level.value", 0, NULL, "%s/status", "%s/set", "/brightness"},
	{"lights", "/gain", "level.value", 0, NULL, "%s/status", "%s/set", "/gain"},
	{"lights", "/temp", "color.temperature", 0, NULL, "%s/status", "%s/set", "/temp"},
	{"lights", "/red", "x.red", 0, NULL, "%s/status", "%s/set", "/red"},
	{"lights", "/green", "x.green", 0, NULL, "%s/status", "%s/set", "/green"},
	{"lights", "/blue", "x.blue", 0, NULL, "%s/status", "%s/set", "/blue"},
	{"lights", "/white", "x.white", 0, NULL, "%s/status", "%s/set", "/white"},
	{"lights", "/effect", "x.effect", 0, NULL, "%s/status", "%s/set", "/effect"},
	{"lights", "/power", "meter.power", 0, NULL, "%s/status", NULL, NULL},
	{"lights", "/overpower", "x.overpower", 0, NULL, NULL, NULL, NULL},
	{"lights", "/*", NULL, 0, NULL, NULL, NULL, NULL},
	{"meters", "/power", "meter.power", 0, NULL, "%s/power", NULL, NULL},
	{"meters", "/total", "meter.energy", 60000, NULL, "%s/energy", NULL, NULL},
	{"meters", "/*", NULL, 0, NULL, NULL, NULL, NULL},
	{"emeters", "/power", "meter.power", 0, NULL, "emeter/%u/power", NULL, NULL},
	{"emeters", "/reactive", "meter.reactive_power", 0, NULL, "emeter/%u/reactive_power", NULL,
	 NULL},
	{"emeters", "/voltage", "meter.voltage", 0, NULL, "emeter/%u/voltage", NULL, NULL},
	{"emeters", "/current", "meter.current", 0, NULL, "emeter/%u/current", NULL, NULL},
	{"emeters", "/pf", "meter.power_factor", 0, NULL, "emeter/%u/pf", NULL, NULL},
	{"emeters", "/total", "meter.energy", 1000, NULL, "emeter/%u/total", NULL, NULL},
	{"emeters", "/total_returned", "meter.energy_export", 1000, NULL,
	 "emeter/%u/total_returned", NULL, NULL},
	{"emeters", "/*", NULL, 0, NULL, NULL, NULL, NULL},
	{"inputs", "/input", "x.input", 0, "1=true|0=false", "input/%u", NULL, NULL},
	{"inputs", "/event_cnt", NULL, 0, NULL, NULL, NULL, NULL},
	{"thermostats", "/target_t/value", "thermostat.setpoint", 0, NULL, NULL,
	 "thermostat/%u/command/target_t", ""},
	{"thermostats", "/tmp/value", "thermostat.current", 0, NULL, NULL, NULL, NULL},
	{"thermostats", "/pos", "thermostat.valve", 0, NULL, NULL, NULL, NULL},
	{"thermostats", "/window_open", "thermostat.window_open", 0, NULL, NULL, NULL, NULL},
	{"thermostats", "/*", NULL, 0, NULL, NULL, NULL, NULL},
	{"adcs", "/voltage", "meter.voltage", 0, NULL, "adc/%u", NULL, NULL},
	{"valves", "/state", "x.valve", 0, NULL, NULL, NULL, NULL},
	{"*", "/has_timer", NULL, 0, NULL, NULL, NULL, NULL},
	{"*", "/timer_*", NULL, 0, NULL, NULL, NULL, NULL},
	{"*", "/source", NULL, 0, NULL, NULL, NULL, NULL},
	{"*", "/is_valid", NULL, 0, NULL, NULL, NULL, NULL},
};

/* Single members of /status. The rest of it is about the device, not about the home. */
static const struct gw_shelly_field singles[] = {
	{"room", "/tmp/tC", "temperature.measured", 0, NULL, "sensor/temperature", NULL, NULL},
	{"*", "/tmp/tC", "temperature.measured", 0, NULL, "temperature", NULL, NULL},
	{"*", "/hum/value", "humidity.measured", 0, NULL, "sensor/humidity", NULL, NULL},
	{"*", "/lux/value", "illuminance.measured", 0, NULL, "sensor/lux", NULL, NULL},
	{"*", "/lux/illumination", "x.illumination", 0, NULL, NULL, NULL, NULL},
	{"*", "/bat/value", "battery.level", 0, NULL, "sensor/battery", NULL, NULL},
	{"*", "/bat/voltage", "battery.voltage", 0, NULL, NULL, NULL, NULL},
	{"*", "/charger", "battery.charging", 0, "true=charging|false=not_charging",
	 "sensor/charger", NULL, NULL},
	{"*", "/sensor/state", "contact.open", 0, "open=true|close=false", "sensor/state", NULL,
	 NULL},
	{"*", "/sensor/motion", "motion.detected", 0, NULL, NULL, NULL, NULL},
	{"*", "/sensor/vibration", "vibration.detected", 0, NULL, NULL, NULL, NULL},
	{"*", "/accel/tilt", "x.tilt", 0, NULL, "sensor/tilt", NULL, NULL},
	{"*", "/accel/vibration", "vibration.detected", 0, "1=true|0=false", "sensor/vibration",
	 NULL, NULL},
	{"*", "/smoke", "smoke.state", 0, "true=critical|false=normal", "sensor/smoke", NULL, NULL},
	{"*", "/flood", "leak.detected", 0, "true=true|false=false", "sensor/flood", NULL, NULL},
	{"*", "/gas_sensor/alarm_state", "gas_alarm.state", 0,
	 "none=normal|test=normal|unknown=normal|mild=warning|heavy=critical", "sensor/gas", NULL,
	 NULL},
	{"*", "/gas_sensor/sensor_state", "x.sensor_state", 0, NULL, "sensor/operation", NULL,
	 NULL},
	{"*", "/gas_sensor/self_test_state", "x.self_test", 0, NULL, "sensor/self_test", NULL,
	 NULL},
	{"*", "/concentration/ppm", "x.concentration", 0, NULL, "sensor/concentration", NULL, NULL},
	{"*", "/overtemperature", "x.overtemperature", 0, "1=true|0=false|true=true|false=false",
	 "overtemperature", NULL, NULL},
	{"*", "/overload", "x.overload", 0, NULL, NULL, NULL, NULL},
	{"*", "/voltage", "meter.voltage", 0, NULL, "voltage", NULL, NULL},
	{"*", "/total_power", "meter.power", 0, NULL, NULL, NULL, NULL},
	{"*", "/ext_temperature/0/tC", "temperature.measured", 0, NULL, "ext_temperature/0", NULL,
	 NULL},
	{"*", "/ext_temperature/1/tC", "temperature.measured", 0, NULL, "ext_temperature/1", NULL,
	 NULL},
	{"*", "/ext_temperature/2/tC", "temperature.measured", 0, NULL, "ext_temperature/2", NULL,
	 NULL},
	{"*", "/ext_humidity/0/hum", "humidity.measured", 0, NULL, "ext_humidity/0", NULL, NULL},
	{"*", "/ext_switch/0/input", "x.ext_switch", 0, "1=true|0=false", "ext_switch/0", NULL,
	 NULL},
	{"*", "/wifi_sta/rssi", "link.rssi", 0, NULL, NULL, NULL, NULL},
	{"*", "/uptime", "device.uptime", 0, NULL, NULL, NULL, NULL},
	{"*", "/update/new_version", "firmware.available", 0, NULL, NULL, NULL, NULL},
	{"*", "/update/old_version", "firmware.version", 0, NULL, NULL, NULL, NULL},
};

/* In this order: messages are few, and what acts comes first. */
static const struct {
	const char *list, *place;
} order[] = {{"relays", "gang"},      {"rollers", "cover"}, {"lights", "light"},
	     {"emeters", "emeter"},   {"meters", NULL},	    {"inputs", "input"},
	     {"thermostats", "zone"}, {"adcs", "adc"},	    {"valves", "valve"}};

/* Models whose lights have topics of another name, in both of their modes. */
static const struct {
	const char *type, *color, *white;
} light_topics[] = {
	{"SHRGBW2", "color", "white"}, {"SHCB-1", "color", "light"}, {"SHBLB-1", "color", "light"}};

struct item {
	const char *list;
	unsigned index, count;
	const char *owner; /* topic of what it belongs to: "relay/0" */
	const char *place, *label;
};

static const struct gw_node *list_of(const struct gw_node *map, const char *key)
{
	const struct gw_node *n = map ? gw_node_get(map, key) : NULL;
	return n && n->type == GW_NODE_LIST ? n : NULL;
}

static const char *light_topic(const struct gw_shelly *s)
{
	const char *mode = gw_shelly_text(s->config, "mode");
	const struct gw_node *device = s->config ? gw_node_get(s->config, "device") : NULL;
	for (size_t i = 0; i < gw_countof(light_topics); i++) {
		if (strcmp(light_topics[i].type, gw_shelly_text(device, "type")) == 0) {
			return strcmp(mode, "white") == 0 ? light_topics[i].white
							  : light_topics[i].color;
		}
	}
	return "light";
}

/* A meter belongs to the relay, roller or light with its number. */
static const char *owner_of(struct gw_shelly *s, const char *list, unsigned index,
			    const char **ret_place)
{
	const char *const owners[][3] = {{"relays", "relay", "gang"},
					 {"rollers", "roller", "cover"},
					 {"lights", light_topic(s), "light"}};
	bool meter = strcmp(list, "meters") == 0;
	for (size_t i = 0; i < gw_countof(owners); i++) {
		const struct gw_node *of = list_of(s->status, owners[i][0]);
		if (of && index < of->count && (meter || strcmp(list, owners[i][0]) == 0)) {
			*ret_place = owners[i][2];
			return gw_draft_printf(s->b, "%s/%u", owners[i][1], index);
		}
	}
	return NULL;
}

/* The first %u and %s filled in; NULL: it needs an owner, and there is none. */
static const char *topic_of(struct gw_shelly *s, const struct item *item, const char *how)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(GW_TOPIC_BYTES);
	for (const char *p = how; *p; p++) {
		bool owner = strncmp(p, "%s", 2) == 0, index = strncmp(p, "%u", 2) == 0;
		if (owner && !item->owner) {
			return NULL;
		}
		if (owner) {
			gw_buf_puts(&b, item->owner);
		} else if (index) {
			gw_buf_printf(&b, "%u", item->index);
		} else {
			gw_buf_putc(&b, *p);
		}
		p += owner || index;
	}
	return gw_draft_printf(s->b, GW_STR_FMT, GW_STR_ARG(gw_buf_str(&b)));
}

/* --- members --- */

static void listen(struct gw_shelly *s, struct gw_shelly_io *io, const char *topic,
		   const char *pointer)
{
	const char *codec = pointer[0] ? "json" : "text";
	const char *msg = topic ? gw_shelly_rx(s, topic, codec) : NULL;
	if (msg) {
		io->in[io->n_in].msg = msg;
		io->in[io->n_in++].pointer = pointer;
		io->plain |= !pointer[0];
		s->asked = s->asked ? s->asked : msg;
	}
}

static void add_item_member(struct gw_shelly *s, void *ctx, const char *path,
			    const struct gw_node *leaf)
{
	const struct item *item = ctx;
	const struct gw_shelly_field *f =
		gw_shelly_find(lists, gw_countof(lists), item->list, path);
	struct gw_shelly_io io = {
		.field = f,
		.leaf = leaf,
		.at = gw_draft_printf(s->b, "status/%s/%u%s", item->list, item->index, path),
		.name = gw_draft_printf(s->b, "%s%u%s", item->list, item->index, path),
		.component = item->place,
		.spare = gw_draft_printf(s->b, "%s_%u", item->list, item->index + 1),
		.label = item->label,
	};
	if (strcmp(item->list, "inputs") == 0 && strcmp(path, "/event") == 0) {
		return; /* it happens: add_event */
	}
	if (f && !f->cap) {
		(void)gw_shelly_add(s, &io); /* tells that it is hidden */
		return;
	}
	bool light = strcmp(item->list, "lights") == 0;
	const char *how = f && f->how ? topic_of(s, item, f->how) : NULL;
	listen(s, &io, how, light ? path : "");
	if (s->info) {
		io.in[io.n_in].msg = s->info;
		io.in[io.n_in++].pointer =
			gw_draft_printf(s->b, "/%s/%u%s", item->list, item->index, path);
	}
	const char *set = f && f->set ? topic_of(s, item, f->set) : NULL;
	if (set) {
		io.out.msg = gw_draft_tx(s->b, gw_str(gw_shelly_topic(s, set)),
					 f->param[0] ? "json" : "text", NULL, f->param, 0);
		io.out.pointer = f->param;
	}
	struct gw_node *cap = gw_shelly_add(s, &io);
	struct gw_node *point = cap ? gw_node_get(s->b->points, gw_node_text(cap, "point")) : NULL;
	if (point && f && f->map && set) {
		gw_set_text(s->b, point, "raw", "text");
	}
	if (point && strcmp(path, "/current_pos") == 0) {
		gw_set_number(s->b, point, "na", -1); /* not calibrated */
	}
	bool color = cap && f && f->cap && f->param && f->param[0] &&
		     strncmp(f->cap, "x.", 2) == 0 && strcmp(path, "/effect") != 0;
	if (color) {
		struct gw_node *range = gw_set_list(s->b, cap, "range");
		gw_add_number(s->b, range, 0);
		gw_add_number(s->b, range, 255);
	}
}

static void add_event(struct gw_shelly *s, const struct item *item)
{
	static const struct {
		const char *raw, *symbol;
	} words[] = {{"S", "press"}, {"SS", "double"}, {"SSS", "triple"}, {"L", "long"}};
	const char *at = gw_draft_printf(s->b, "status/inputs/%u/event", item->index), *point;
	const char *msg =
		gw_shelly_rx(s, gw_draft_printf(s->b, "input_event/%u", item->index), "json");
	struct gw_node *p =
		msg ? gw_draft_point(s->b, gw_draft_printf(s->b, "event%u", item->index), &point)
		    : NULL;
	struct gw_node *cap = p ? gw_draft_cap(s->b, item->place, "button.press") : NULL;
	if (!cap) {
		gw_import_fate(s->b->result, at, GW_FATE_UNMAPPED, NULL,
			       "more than a profile can have");
		return;
	}
	gw_draft_ref(s->b, p, "in", msg, "/event");
	struct gw_node *map = gw_set_map(s->b, p, "map");
	for (size_t i = 0; i < gw_countof(words); i++) {
		gw_set_text(s->b, map, words[i].raw, words[i].symbol);
	}
	gw_set_text(s->b, gw_set_map(s->b, cap, "event"), "point", point);
	gw_import_fate(s->b->result, at, GW_FATE_STANDARD, "button.press", NULL);
}

static void add_moves(struct gw_shelly *s, const struct item *item)
{
	static const struct {
		const char *cap, *word;
	} moves[] = {
		{"covering.open", "open"}, {"covering.close", "close"}, {"covering.stop", "stop"}};
	for (size_t i = 0; i < gw_countof(moves); i++) {
		gw_shelly_action(s, item->place, moves[i].cap,
				 gw_draft_printf(s->b, "roller/%u/command", item->index), "text",
				 gw_text_node(s->b, gw_str(moves[i].word)));
	}
}

static void add_list(struct gw_shelly *s, const char *key, const char *word)
{
	const struct gw_node *list = list_of(s->status, key), *config = list_of(s->config, key);
	struct item item = {.list = key, .count = list ? (unsigned)list->count : 0};
	gw_node_for(n, list)
	{
		const struct gw_node *c = config ? gw_node_at(config, item.index) : NULL;
		const char *owner_word = NULL;
		item.owner = owner_of(s, key, item.index, &owner_word);
		item.label = c ? gw_node_text(c, "name") : NULL;
		const char *place = word ? word : owner_word;
		item.place = item.count > 1 && place
				     ? gw_draft_component(s->b,
							  gw_draft_printf(s->b, "%s_%u", place,
									  item.index + 1),
							  item.label)
				     : NULL;
		const struct gw_shelly_walk w = {.rows = lists,
						 .n_rows = 0,
						 .type = key,
						 .fn = add_item_member,
						 .ctx = &item};
		gw_shelly_walk(s, &w, "", n);
		if (strcmp(key, "rollers") == 0) {
			add_moves(s, &item);
		}
		if (strcmp(key, "inputs") == 0 && gw_node_get(n, "event")) {
			add_event(s, &item);
		}
		item.index++;
	}
}

static void add_single(struct gw_shelly *s, void *ctx, const char *path, const struct gw_node *leaf)
{
	(void)ctx;
	const char *type =
		gw_node_get(s->status, "bat") || gw_node_get(s->status, "hum") ? "room" : "";
	const struct gw_shelly_field *f = gw_shelly_find(singles, gw_countof(singles), type, path);
	const char *at = gw_draft_printf(s->b, "status%s", path);
	if (!f) {
		gw_import_fate(s->b->result, at, GW_FATE_HIDDEN, NULL, NULL);
		return;
	}
	struct gw_shelly_io io = {.field = f,
				  .leaf = leaf,
				  .at = at,
				  .name = path + 1,
				  .spare = gw_draft_printf(s->b, "%s", path + 1),
				  .label = strncmp(path, "/ext_", 5) == 0 ? "External" : "Inside"};
	listen(s, &io, f->how, "");
	if (s->info) {
		io.in[io.n_in].msg = s->info;
		io.in[io.n_in++].pointer = path;
	}
	(void)gw_shelly_add(s, &io); /* its fate is told */
}

static bool is_list(const char *key)
{
	for (size_t i = 0; i < gw_countof(order); i++) {
		if (strcmp(order[i].list, key) == 0) {
			return true;
		}
	}
	return false;
}

static void add_singles(struct gw_shelly *s)
{
	struct gw_node *rest = gw_node_new(s->b->a, GW_NODE_MAP);
	gw_node_for(n, s->status)
	{
		if (!is_list(n->key.p)) {
			gw_set_node(s->b, rest, n->key.p, gw_copy(s->b, n));
		}
	}
	const struct gw_shelly_walk w = {
		.rows = singles, .n_rows = 0, .type = "", .fn = add_single, .ctx = NULL};
	if (rest) {
		gw_shelly_walk(s, &w, "", rest);
	}
}

int gw_shelly_first(struct gw_shelly *s, const struct gw_node *shelly)
{
	const struct gw_node *mqtt = gw_node_get(s->config, "mqtt"),
			     *device = gw_node_get(s->config, "device");
	const char *id = gw_shelly_text(mqtt, "id");
	id = id[0] ? id : gw_shelly_text(device, "hostname");
	if (!gw_draft_is_level(gw_str(id))) {
		return -EINVAL;
	}
	(void)shelly;
	gw_draft_identity(s->b, gw_str(id));
	s->base = gw_draft_printf(s->b, "shellies/%s", id);
	s->sleepy = gw_node_get(s->status, "bat") && !gw_node_get(s->status, "thermostats");
	s->b->hints |= gw_node_get(s->status, "bat") ? GW_HINT_BATTERY : 0;
	bool plug = strncmp(gw_shelly_text(device, "type"), "SHPLG", 5) == 0;
	s->b->hints |= plug ? GW_HINT_OUTLET : GW_HINT_GANGS;
	s->info = gw_draft_rx(s->b, gw_str(gw_shelly_topic(s, "info")), "json");
	for (size_t i = 0; i < gw_countof(order); i++) {
		add_list(s, order[i].list, order[i].place);
	}
	add_singles(s);
	if (s->b->caps->count > 0 || s->b->components->count > 0) {
		s->asked = s->asked ? s->asked : s->info;
		gw_shelly_link(s, "update");
	}
	return s->b->failed ? -ENOMEM : 0;
}
