/* Shelly of the second generation and later: components "switch:0", each with a status topic, and calls over <prefix>/rpc. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "profile/import/shelly.h"

static const struct gw_shelly_field fields[] = {
	{"switch", "/output", "switch.on", 0, NULL, NULL, "Switch.Set", "/params/on"},
	{"light", "/output", "switch.on", 0, NULL, NULL, "Light.Set", "/params/on"},
	{"light", "/brightness", "level.value", 0, NULL, NULL, "Light.Set", "/params/brightness"},
	{"rgb", "/output", "switch.on", 0, NULL, NULL, "RGB.Set", "/params/on"},
	{"rgb", "/brightness", "level.value", 0, NULL, NULL, "RGB.Set", "/params/brightness"},
	{"rgb", "/rgb/0", "x.red", 0, NULL, NULL, "RGB.Set", "/params/rgb/0"},
	{"rgb", "/rgb/1", "x.green", 0, NULL, NULL, "RGB.Set", "/params/rgb/1"},
	{"rgb", "/rgb/2", "x.blue", 0, NULL, NULL, "RGB.Set", "/params/rgb/2"},
	{"rgbw", "/output", "switch.on", 0, NULL, NULL, "RGBW.Set", "/params/on"},
	{"rgbw", "/brightness", "level.value", 0, NULL, NULL, "RGBW.Set", "/params/brightness"},
	{"rgbw", "/white", "x.white", 0, NULL, NULL, "RGBW.Set", "/params/white"},
	{"rgbw", "/rgb/0", "x.red", 0, NULL, NULL, "RGBW.Set", "/params/rgb/0"},
	{"rgbw", "/rgb/1", "x.green", 0, NULL, NULL, "RGBW.Set", "/params/rgb/1"},
	{"rgbw", "/rgb/2", "x.blue", 0, NULL, NULL, "RGBW.Set", "/params/rgb/2"},
	{"cct", "/output", "switch.on", 0, NULL, NULL, "CCT.Set", "/params/on"},
	{"cct", "/brightness", "level.value", 0, NULL, NULL, "CCT.Set", "/params/brightness"},
	{"cct", "/ct", "color.temperature", 0, NULL, NULL, "CCT.Set", "/params/ct"},
	{"cover", "/state", "covering.moving", 0,
	 "open=stopped|closed=stopped|stopped=stopped|opening=opening|closing=closing", NULL, NULL,
	 NULL},
	{"cover", "/current_pos", "covering.position", 0, NULL, NULL, "Cover.GoToPosition",
	 "/params/pos"},
	{"cover", "/slat_pos", "covering.tilt", 0, NULL, NULL, "Cover.GoToPosition",
	 "/params/slat_pos"},
	{"cover", "/pos_control", NULL, 0, NULL, NULL, NULL, NULL},
	{"thermostat", "/target_C", "thermostat.setpoint", 0, NULL, NULL, "Thermostat.SetConfig",
	 "/params/config/target_C"},
	{"thermostat", "/current_C", "thermostat.current", 0, NULL, NULL, NULL, NULL},
	{"thermostat", "/enable", "thermostat.mode", 0, "false=off|true=heat", NULL,
	 "Thermostat.SetConfig", "/params/config/enable"},
	{"thermostat", "/output", "thermostat.action", 0, "false=idle|true=heating", NULL, NULL,
	 NULL},
	{"thermostat", "/current_humidity", "humidity.measured", 0, NULL, NULL, NULL, NULL},
	{"thermostat", "/target_humidity", "humidity.setpoint", 0, NULL, NULL,
	 "Thermostat.SetConfig", "/params/config/target_humidity"},
	{"thermostat", "/schedules/*", NULL, 0, NULL, NULL, NULL, NULL},
	{"temperature", "/tC", "temperature.measured", 0, NULL, NULL, NULL, NULL},
	{"humidity", "/rh", "humidity.measured", 0, NULL, NULL, NULL, NULL},
	{"illuminance", "/lux", "illuminance.measured", 0, NULL, NULL, NULL, NULL},
	{"illuminance", "/illumination", "x.illumination", 0, NULL, NULL, NULL, NULL},
	{"devicepower", "/battery/percent", "battery.level", 0, NULL, NULL, NULL, NULL},
	{"devicepower", "/battery/V", "battery.voltage", 0, NULL, NULL, NULL, NULL},
	{"devicepower", "/external/present", "x.external_power", 0, NULL, NULL, NULL, NULL},
	{"smoke", "/alarm", "smoke.state", 0, "true=critical|false=normal", NULL, NULL, NULL},
	{"smoke", "/mute", "alarm.muted", 0, NULL, NULL, NULL, NULL},
	{"flood", "/alarm", "leak.detected", 0, NULL, NULL, NULL, NULL},
	{"flood", "/mute", "alarm.muted", 0, NULL, NULL, NULL, NULL},
	{"presence", "/value", "occupancy.detected", 0, NULL, NULL, NULL, NULL},
	{"presencezone", "/value", "occupancy.detected", 0, NULL, NULL, NULL, NULL},
	{"presencezone", "/num_objects", "occupancy.count", 0, NULL, NULL, NULL, NULL},
	{"input", "/state", "x.input", 0, NULL, NULL, NULL, NULL},
	{"input", "/percent", "x.percent", 0, NULL, NULL, NULL, NULL},
	{"input", "/counts/by_minute", NULL, 0, NULL, NULL, NULL, NULL},
	{"input", "/counts/minute_ts", NULL, 0, NULL, NULL, NULL, NULL},
	{"boolean", "/value", "x.value", 0, NULL, NULL, "Boolean.Set", "/params/value"},
	{"number", "/value", "x.value", 0, NULL, NULL, "Number.Set", "/params/value"},
	{"text", "/value", "x.value", 0, NULL, NULL, "Text.Set", "/params/value"},
	{"enum", "/value", "x.value", 0, NULL, NULL, "Enum.Set", "/params/value"},
	{"em", "/total_act_power", "meter.power", 0, NULL, NULL, NULL, NULL},
	{"em", "/total_aprt_power", "meter.apparent_power", 0, NULL, NULL, NULL, NULL},
	{"em", "/total_current", "meter.current", 0, NULL, NULL, NULL, NULL},
	{"emdata", "/total_act", "meter.energy", 1000, NULL, NULL, NULL, NULL},
	{"emdata", "/total_act_ret", "meter.energy_export", 1000, NULL, NULL, NULL, NULL},
	{"emdata", "/total_act_energy", "meter.energy", 1000, NULL, NULL, NULL, NULL},
	{"emdata", "/total_act_ret_energy", "meter.energy_export", 1000, NULL, NULL, NULL, NULL},
	{"em", "/user_calibrated_phase", NULL, 0, NULL, NULL, NULL, NULL},
	{"em1", "/calibration", NULL, 0, NULL, NULL, NULL, NULL},
	{"em1data", "/total_act_energy", "meter.energy", 1000, NULL, NULL, NULL, NULL},
	{"em1data", "/total_act_ret_energy", "meter.energy_export", 1000, NULL, NULL, NULL, NULL},
	/* what several of them have */
	{"*", "/apower", "meter.power", 0, NULL, NULL, NULL, NULL},
	{"*", "/act_power", "meter.power", 0, NULL, NULL, NULL, NULL},
	{"*", "/aprt_power", "meter.apparent_power", 0, NULL, NULL, NULL, NULL},
	{"*", "/aprtpower", "meter.apparent_power", 0, NULL, NULL, NULL, NULL},
	{"*", "/voltage", "meter.voltage", 0, NULL, NULL, NULL, NULL},
	{"*", "/current", "meter.current", 0, NULL, NULL, NULL, NULL},
	{"*", "/freq", "meter.frequency", 0, NULL, NULL, NULL, NULL},
	{"*", "/pf", "meter.power_factor", 0, NULL, NULL, NULL, NULL},
	{"*", "/aenergy/total", "meter.energy", 1000, NULL, NULL, NULL, NULL},
	{"*", "/ret_aenergy/total", "meter.energy_export", 1000, NULL, NULL, NULL, NULL},
	{"*", "/temperature/tC", "temperature.measured", 0, NULL, NULL, NULL, NULL},
	{"*", "/errors", "x.errors", 0, NULL, NULL, NULL, NULL},
	/* twice the same, or nothing for people */
	{"*", "/aenergy/*", NULL, 0, NULL, NULL, NULL, NULL},
	{"*", "/ret_aenergy/*", NULL, 0, NULL, NULL, NULL, NULL},
	{"*", "/temperature/tF", NULL, 0, NULL, NULL, NULL, NULL},
	{"*", "/tF", NULL, 0, NULL, NULL, NULL, NULL},
	{"*", "/target_F", NULL, 0, NULL, NULL, NULL, NULL},
	{"*", "/current_F", NULL, 0, NULL, NULL, NULL, NULL},
	{"*", "/id", NULL, 0, NULL, NULL, NULL, NULL},
	{"*", "/source", NULL, 0, NULL, NULL, NULL, NULL},
	{"*", "/timer_*", NULL, 0, NULL, NULL, NULL, NULL},
	{"*", "/move_*", NULL, 0, NULL, NULL, NULL, NULL},
	{"*", "/target_pos", NULL, 0, NULL, NULL, NULL, NULL},
	{"*", "/last_direction", NULL, 0, NULL, NULL, NULL, NULL},
	{"*", "/last_updated_ts", NULL, 0, NULL, NULL, NULL, NULL},
	{"*", "/transition/*", NULL, 0, NULL, NULL, NULL, NULL},
	{"*", "/flags", NULL, 0, NULL, NULL, NULL, NULL},
};

/* Members of the device itself; everything else of these is for its makers. */
static const struct gw_shelly_field device_fields[] = {
	{"wifi", "/rssi", "link.rssi", 0, NULL, NULL, NULL, NULL},
	{"sys", "/uptime", "device.uptime", 0, NULL, NULL, NULL, NULL},
	{"sys", "/available_updates/stable/version", "firmware.available", 0, NULL, NULL, NULL,
	 NULL},
	{"*", "*", NULL, 0, NULL, NULL, NULL, NULL},
};

/* In this order: what is measured about the room before the heat of the device itself. */
static const char *const order[] = {
	"temperature", "humidity",   "illuminance", "switch", "light", "rgb",	  "rgbw", "cct",
	"cover",       "thermostat", "em",	    "emdata", "em1",   "em1data", "pm1"};

/* Components that are no thing of a home. */
static const char *const internal[] = {"script", "schedule",	 "group",  "service", "blutrv",
				       "camera", "bthomedevice", "object", "button",  "media"};

struct action {
	const char *type, *cap, *method;
};
static const struct action actions[] = {
	{"switch", "switch.toggle", "Switch.Toggle"}, {"light", "switch.toggle", "Light.Toggle"},
	{"rgb", "switch.toggle", "RGB.Toggle"},	      {"rgbw", "switch.toggle", "RGBW.Toggle"},
	{"cct", "switch.toggle", "CCT.Toggle"},	      {"cover", "covering.open", "Cover.Open"},
	{"cover", "covering.close", "Cover.Close"},   {"cover", "covering.stop", "Cover.Stop"},
};

/* BTHome object ids (bthome.io/format) of "bthomesensor" components. */
static const struct {
	int id;
	struct gw_shelly_field field;
} bthome[] = {
	{0x01, {"bthomesensor", "/value", "battery.level", 0, NULL, NULL, NULL, NULL}},
	{0x02, {"bthomesensor", "/value", "temperature.measured", 0, NULL, NULL, NULL, NULL}},
	{0x03, {"bthomesensor", "/value", "humidity.measured", 0, NULL, NULL, NULL, NULL}},
	{0x05, {"bthomesensor", "/value", "illuminance.measured", 0, NULL, NULL, NULL, NULL}},
	{0x12, {"bthomesensor", "/value", "air.co2", 0, NULL, NULL, NULL, NULL}},
	{0x21, {"bthomesensor", "/value", "motion.detected", 0, NULL, NULL, NULL, NULL}},
	{0x2d, {"bthomesensor", "/value", "contact.open", 0, NULL, NULL, NULL, NULL}},
	{0x2e, {"bthomesensor", "/value", "humidity.measured", 0, NULL, NULL, NULL, NULL}},
	{0x45, {"bthomesensor", "/value", "temperature.measured", 0, NULL, NULL, NULL, NULL}},
};

struct component {
	const char *key, *type; /* "switch:0", "switch" */
	unsigned id, n, count;	/* n-th of count of its type, from 1 */
	const char *status;	/* message; NULL: no room */
	const char *place;	/* component of the profile; NULL: main */
	const char *label;
	const struct gw_node *config;
};

/* --- names --- */

/* "switch:0"; false: it belongs to the device. */
static bool split_key(struct gw_shelly *s, struct gw_str key, const char **ret_type,
		      unsigned *ret_id)
{
	struct gw_str rest = key, type;
	uint64_t id = 0;
	if (!gw_str_split(&rest, ':', &type) || !rest.p || gw_parse_u64(rest, &id) < 0 ||
	    id > 100000) {
		return false;
	}
	*ret_type = gw_draft_printf(s->b, GW_STR_FMT, GW_STR_ARG(type));
	*ret_id = (unsigned)id;
	return true;
}

static bool is_type(struct gw_shelly *s, const struct gw_node *n, const char *type)
{
	const char *t;
	unsigned id;
	return n->type == GW_NODE_MAP && split_key(s, n->key, &t, &id) && strcmp(t, type) == 0;
}

static unsigned count_type(struct gw_shelly *s, const char *type)
{
	unsigned n = 0;
	gw_node_for(c, s->status)
	{
		n += is_type(s, c, type);
	}
	return n;
}

/* The data of an energy meter belong to the meter. */
static const char *place_type(const char *type)
{
	return strcmp(type, "em1data") == 0 ? "em1" : strcmp(type, "emdata") == 0 ? "em" : type;
}

/* Several of a kind are components; what else would be taken in main, too. */
static const char *place_of(struct gw_shelly *s, const struct component *c)
{
	const char *type = place_type(c->type);
	const char *word = strcmp(type, "switch") != 0	  ? type
			   : s->b->hints & GW_HINT_OUTLET ? "outlet"
							  : "gang";
	bool virtual = c->id >= 200;
	if (c->count < 2 && !virtual) {
		return NULL;
	}
	unsigned n = virtual || c->id >= 100 ? c->id : c->n;
	return gw_draft_component(s->b, gw_draft_printf(s->b, "%s_%u", word, n), c->label);
}

/* --- members --- */

static struct gw_node *call(struct gw_shelly *s, const char *method, unsigned id)
{
	struct gw_node *body = gw_node_new(s->b->a, GW_NODE_MAP);
	gw_set_number(s->b, body, "id", 1);
	gw_set_text(s->b, body, "src", "hearth");
	gw_set_text(s->b, body, "method", method);
	gw_set_number(s->b, gw_set_map(s->b, body, "params"), "id", id);
	return body;
}

/* A colour is sent whole. */
static const char *setter(struct gw_shelly *s, const struct component *c,
			  const struct gw_shelly_field *f)
{
	struct gw_node *base = call(s, f->set, c->id);
	bool colour = strstr(f->param, "/rgb/") != NULL;
	if (colour && base) {
		struct gw_node *rgb = gw_set_list(s->b, gw_node_get(base, "params"), "rgb");
		for (unsigned i = 0; i < 3; i++) {
			gw_add_number(s->b, rgb, 0);
		}
	}
	const char *msg =
		gw_draft_tx(s->b, gw_str(gw_shelly_topic(s, "rpc")), "json", base, f->param, 0);
	struct gw_node *m = msg ? gw_draft_msg(s->b, msg) : NULL;
	if (m && colour) {
		gw_set_text(s->b, m, "mode", "full");
	}
	if (m && c->status) {
		gw_set_text(s->b, m, "reply", c->status);
	}
	return msg;
}

static const struct gw_shelly_field *bthome_field(const struct component *c)
{
	const struct gw_node *id = c->config ? gw_node_get(c->config, "obj_id") : NULL;
	for (size_t i = 0; id && id->type == GW_NODE_NUMBER && i < gw_countof(bthome); i++) {
		if (id->number == bthome[i].id) {
			return &bthome[i].field;
		}
	}
	return NULL;
}

/* "a_act_power" of a meter with three phases: the row of a meter with one, and whose it is. */
static const struct gw_shelly_field *phase_field(struct gw_shelly *s, const struct component *c,
						 const char *path, const char **ret_place)
{
	static const struct {
		char letter;
		const char *name, *label;
	} phases[] = {{'a', "phase_a", "Phase A"},
		      {'b', "phase_b", "Phase B"},
		      {'c', "phase_c", "Phase C"},
		      {'n', "neutral", "Neutral"}};
	bool meter = strcmp(c->type, "em") == 0 || strcmp(c->type, "emdata") == 0;
	for (size_t i = 0; meter && i < gw_countof(phases); i++) {
		if (path[1] != phases[i].letter || path[2] != '_') {
			continue;
		}
		const char *name = gw_draft_printf(s->b, "/%s", path + 3);
		const struct gw_shelly_field *f =
			gw_shelly_find(fields, gw_countof(fields), c->type, name);
		if (f && f->cap) {
			const char *part =
				c->count > 1 ? gw_draft_printf(s->b, "%s_%u", phases[i].name, c->n)
					     : phases[i].name;
			*ret_place = gw_draft_component(s->b, part, phases[i].label);
		}
		return f;
	}
	return NULL;
}

static bool is_words(const struct gw_node *list)
{
	bool words = list->type == GW_NODE_LIST && list->count > 0;
	gw_node_for(n, list)
	{
		words &= n->type == GW_NODE_TEXT && n->text.len > 0;
	}
	return words;
}

static bool is_range(const struct gw_node *n)
{
	return n->type == GW_NODE_LIST && n->count == 2 && n->first->type == GW_NODE_NUMBER &&
	       n->last->type == GW_NODE_NUMBER && n->first->number < n->last->number;
}

static void refine(struct gw_shelly *s, const struct component *c, struct gw_node *cap,
		   const struct gw_shelly_field *f)
{
	const struct gw_node *range = c->config ? gw_node_get(c->config, "ct_range") : NULL;
	const struct gw_node *min = c->config ? gw_node_get(c->config, "min") : NULL,
			     *max = c->config ? gw_node_get(c->config, "max") : NULL,
			     *options = c->config ? gw_node_get(c->config, "options") : NULL;
	if (f->param && strstr(f->param, "/rgb/")) {
		struct gw_node *r = gw_set_list(s->b, cap, "range");
		gw_add_number(s->b, r, 0);
		gw_add_number(s->b, r, 255);
	} else if (strcmp(c->type, "cct") == 0 && strcmp(f->path, "/ct") == 0 && range &&
		   is_range(range)) {
		gw_set_node(s->b, cap, "range", gw_copy(s->b, range));
	} else if (strcmp(c->type, "number") == 0 && min && max && min->type == GW_NODE_NUMBER &&
		   max->type == GW_NODE_NUMBER && min->number < max->number) {
		struct gw_node *r = gw_set_list(s->b, cap, "range");
		gw_add_number(s->b, r, min->number);
		gw_add_number(s->b, r, max->number);
	} else if (strcmp(c->type, "enum") == 0 && options && is_words(options)) {
		gw_set_text(s->b, cap, "type", "enum");
		gw_set_node(s->b, cap, "enum", gw_copy(s->b, options));
	}
	if (c->label && gw_draft_is_extension(cap->key.p)) {
		gw_set_text(s->b, cap, "name", c->label);
	}
}

static void add_member(struct gw_shelly *s, void *ctx, const char *path, const struct gw_node *leaf)
{
	const struct component *c = ctx;
	const char *place = c->place;
	const struct gw_shelly_field *f =
		strcmp(c->type, "bthomesensor") == 0 && strcmp(path, "/value") == 0
			? bthome_field(c)
			: NULL;
	f = f ? f : phase_field(s, c, path, &place);
	f = f ? f : gw_shelly_find(fields, gw_countof(fields), c->type, path);
	bool inside = strcmp(path, "/temperature/tC") == 0;
	struct gw_shelly_io io = {
		.field = f,
		.leaf = leaf,
		.at = gw_draft_printf(s->b, "status/%s%s", c->key, path),
		.name = gw_draft_printf(s->b, "%s%u%s", c->type, c->id, path),
		.component = place,
		.spare = inside ? "inside"
				: gw_draft_printf(s->b, "%s_%u", place_type(c->type),
						  c->id >= 100 ? c->id : c->n),
		.label = inside ? "Inside" : c->label,
	};
	if (strcmp(c->type, "input") == 0 && strcmp(path, "/state") == 0 &&
	    leaf->type == GW_NODE_NULL) {
		return; /* a push button: its events are what it has */
	}
	if (f && !f->cap) {
		(void)gw_shelly_add(s, &io); /* tells that it is hidden */
		return;
	}
	if (c->status) {
		io.in[io.n_in].msg = c->status;
		io.in[io.n_in++].pointer = path;
	}
	if (s->notify) {
		io.in[io.n_in].msg = s->notify;
		io.in[io.n_in++].pointer = gw_draft_printf(s->b, "/params/%s%s", c->key, path);
	}
	if (f && f->set) {
		io.out.msg = setter(s, c, f);
		io.out.pointer = f->param;
	}
	struct gw_node *cap = gw_shelly_add(s, &io);
	if (cap && f) {
		refine(s, c, cap, f);
	}
}

/* --- components --- */

static void add_actions(struct gw_shelly *s, const struct component *c)
{
	for (size_t i = 0; i < gw_countof(actions); i++) {
		if (strcmp(actions[i].type, c->type) == 0) {
			gw_shelly_action(s, c->place, actions[i].cap, "rpc", "json",
					 call(s, actions[i].method, c->id));
		}
	}
}

/* Inputs that are push buttons, and those of which the description does not say what they are. */
static void add_button(struct gw_shelly *s, const struct component *c, const struct gw_node *status)
{
	static const char map[] =
		"single_push=press|double_push=double|triple_push=triple|long_push=long";
	const char *type = gw_shelly_text(c->config, "type"), *point = NULL;
	const struct gw_node *state = gw_node_get(status, "state");
	bool button = strcmp(type, "button") == 0 ||
		      (!type[0] && (!state || state->type == GW_NODE_NULL));
	struct gw_node *p = button && s->event ? gw_draft_point(s->b, c->key, &point) : NULL;
	const char *at = gw_draft_printf(s->b, "status/%s", c->key);
	struct gw_node *cap = p ? gw_draft_cap(s->b, c->place, "button.press") : NULL;
	if (!cap) {
		return;
	}
	gw_draft_ref(s->b, p, "in", s->event,
		     gw_draft_printf(s->b, "/params/events/[component=%s]/event", c->key));
	struct gw_node *words = gw_set_map(s->b, p, "map");
	struct gw_str rest = gw_str(map), pair;
	while (gw_str_split(&rest, '|', &pair)) {
		struct gw_str value = pair, key;
		(void)gw_str_split(&value, '=', &key); /* as written above */
		gw_set_node(s->b, words, gw_draft_printf(s->b, GW_STR_FMT, GW_STR_ARG(key)),
			    gw_text_node(s->b, value));
	}
	gw_set_text(s->b, gw_set_map(s->b, cap, "event"), "point", point);
	gw_import_fate(s->b->result, at, GW_FATE_STANDARD,
		       c->place ? gw_draft_printf(s->b, "%s/button.press", c->place)
				: "button.press",
		       NULL);
}

static void add_component(struct gw_shelly *s, const struct gw_node *status, unsigned n)
{
	struct component c = {.key = status->key.p, .n = n};
	if (!split_key(s, status->key, &c.type, &c.id)) {
		return;
	}
	for (size_t i = 0; i < gw_countof(internal); i++) {
		if (strcmp(internal[i], c.type) == 0) {
			gw_import_fate(s->b->result, gw_draft_printf(s->b, "status/%s", c.key),
				       GW_FATE_HIDDEN, NULL, NULL);
			return;
		}
	}
	c.count = count_type(s, c.type);
	c.config = s->config ? gw_node_get(s->config, c.key) : NULL;
	c.label = c.config ? gw_node_text(c.config, "name") : NULL;
	c.place = place_of(s, &c);
	c.status = gw_shelly_rx(s, gw_draft_printf(s->b, "status/%s", c.key), "json");
	s->asked = s->asked ? s->asked : c.status;
	const struct gw_shelly_walk w = {.rows = fields,
					 .n_rows = gw_countof(fields),
					 .type = c.type,
					 .fn = add_member,
					 .ctx = &c};
	gw_shelly_walk(s, &w, "", status);
	add_actions(s, &c);
	if (strcmp(c.type, "input") == 0) {
		add_button(s, &c, status);
	}
}

static void add_type(struct gw_shelly *s, const char *type)
{
	unsigned n = 0;
	gw_node_for(c, s->status)
	{
		if (is_type(s, c, type)) {
			add_component(s, c, ++n);
		}
	}
}

static bool is_ordered(const char *type)
{
	for (size_t i = 0; i < gw_countof(order); i++) {
		if (strcmp(order[i], type) == 0) {
			return true;
		}
	}
	return false;
}

/* Types that the order does not name, in the order of the file. */
static void add_others(struct gw_shelly *s)
{
	gw_node_for(c, s->status)
	{
		const char *type;
		unsigned id, n = 1;
		bool ours = c->type == GW_NODE_MAP && split_key(s, c->key, &type, &id);
		if (!ours || is_ordered(type)) {
			continue;
		}
		for (const struct gw_node *before = s->status->first; before != c;
		     before = before->next) {
			n += is_type(s, before, type);
		}
		add_component(s, c, n);
	}
}

/* --- the device itself --- */

static void add_device_member(struct gw_shelly *s, void *ctx, const char *path,
			      const struct gw_node *leaf)
{
	const char *key = ctx;
	const struct gw_shelly_field *f =
		gw_shelly_find(device_fields, gw_countof(device_fields), key, path);
	if (!f || !f->cap) {
		return; /* told for the whole */
	}
	struct gw_shelly_io io = {.field = f,
				  .leaf = leaf,
				  .at = gw_draft_printf(s->b, "status/%s%s", key, path),
				  .name = gw_draft_printf(s->b, "%s%s", key, path)};
	const char *msg = gw_shelly_rx(s, gw_draft_printf(s->b, "status/%s", key), "json");
	if (msg) {
		io.in[io.n_in].msg = msg;
		io.in[io.n_in++].pointer = path;
	}
	if (s->notify) {
		io.in[io.n_in].msg = s->notify;
		io.in[io.n_in++].pointer = gw_draft_printf(s->b, "/params/%s%s", key, path);
	}
	(void)gw_shelly_add(s, &io); /* its fate is told */
}

static void add_device(struct gw_shelly *s)
{
	gw_node_for(c, s->status)
	{
		const char *type;
		unsigned id;
		if (c->type == GW_NODE_MAP && split_key(s, c->key, &type, &id)) {
			continue;
		}
		const struct gw_shelly_walk w = {.rows = device_fields,
						 .n_rows = 0,
						 .type = "",
						 .fn = add_device_member,
						 .ctx = (void *)c->key.p};
		gw_shelly_walk(s, &w, "", c);
		gw_import_fate(s->b->result, gw_draft_printf(s->b, "status/%s", c->key.p),
			       GW_FATE_HIDDEN, NULL, NULL);
	}
	struct gw_node *reboot = call(s, "Shelly.Reboot", 0);
	if (reboot && gw_node_remove(reboot, GW_STR("params"))) {
		gw_shelly_action(s, NULL, "device.restart", "rpc", "json", reboot);
	}
}

/* Two messages on one topic: changes, and what happened. */
static void add_notifications(struct gw_shelly *s)
{
	const char *topic = gw_shelly_topic(s, "events/rpc");
	s->notify = gw_draft_rx(s->b, gw_str(topic), "json");
	struct gw_node *m = s->notify ? gw_draft_msg(s->b, s->notify) : NULL;
	struct gw_node *rx = m ? gw_node_get(m, "rx") : NULL;
	if (!rx) {
		return;
	}
	struct gw_node *methods = gw_set_list(s->b, gw_set_map(s->b, m, "if_json"), "/method");
	gw_add_text(s->b, methods, GW_STR("NotifyStatus"));
	gw_add_text(s->b, methods, GW_STR("NotifyFullStatus"));
	if (count_type(s, "input") > 0) {
		s->event = "event";
		struct gw_node *e = gw_set_map(s->b, s->b->msgs, s->event);
		gw_set_node(s->b, e, "rx", gw_copy(s->b, rx));
		gw_set_text(s->b, gw_set_map(s->b, e, "if_json"), "/method", "NotifyEvent");
	}
}

static bool runs_on_battery(struct gw_shelly *s)
{
	gw_node_for(c, s->status)
	{
		const struct gw_node *external = gw_node_get(c, "external");
		const struct gw_node *present = external ? gw_node_get(external, "present") : NULL;
		if (is_type(s, c, "devicepower")) {
			return !present || present->type != GW_NODE_BOOL || !present->flag;
		}
	}
	return false;
}

int gw_shelly_later(struct gw_shelly *s, const struct gw_node *shelly)
{
	const struct gw_node *mqtt = s->config ? gw_node_get(s->config, "mqtt") : NULL;
	const char *prefix = gw_shelly_text(mqtt, "topic_prefix");
	s->base = prefix[0] ? prefix : gw_shelly_text(shelly, "id");
	int r = gw_draft_prefix(s->b, gw_str(s->base));
	if (r < 0) {
		return r;
	}
	s->sleepy = runs_on_battery(s);
	s->b->hints |= s->sleepy ? GW_HINT_BATTERY : 0;
	const char *app = gw_shelly_text(shelly, "app");
	s->b->hints |= strstr(app, "Plug") || strstr(app, "Strip") ? GW_HINT_OUTLET : GW_HINT_GANGS;
	add_notifications(s);
	for (size_t i = 0; i < gw_countof(order); i++) {
		add_type(s, order[i]);
	}
	add_others(s);
	if (s->status->count > 0) {
		add_device(s);
		gw_shelly_link(s, "status_update");
	}
	return s->b->failed ? -ENOMEM : 0;
}
