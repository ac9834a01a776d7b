/*
 * Entities of Home Assistant that show one capability. The platform, device class and state class come from the model's column ("sensor/energy
 * total_increasing", "number (config)"); what does not fit the capability as this device has it (read only, no range, an extension) falls
 * back to what its type allows.
 */
#include <stdio.h>
#include <string.h>

#include "gw/json.h"
#include "surfaces/mqtt/ha.h"

/* Device classes of Home Assistant 2024.11, sorted; a class that this version does not know would cost the whole entity. */
static const char *const sensor_classes[] = {
	"apparent_power",
	"atmospheric_pressure",
	"battery",
	"carbon_dioxide",
	"carbon_monoxide",
	"conductivity",
	"current",
	"distance",
	"duration",
	"energy",
	"energy_storage",
	"frequency",
	"gas",
	"humidity",
	"illuminance",
	"irradiance",
	"moisture",
	"nitrogen_dioxide",
	"ozone",
	"ph",
	"pm1",
	"pm10",
	"pm25",
	"power",
	"power_factor",
	"precipitation_intensity",
	"pressure",
	"reactive_power",
	"signal_strength",
	"sound_pressure",
	"speed",
	"temperature",
	"volatile_organic_compounds",
	"voltage",
	"volume_flow_rate",
	"volume_storage",
	"water",
	"weight",
	"wind_speed",
};
static const char *const binary_classes[] = {
	"battery",
	"battery_charging",
	"carbon_monoxide",
	"cold",
	"connectivity",
	"door",
	"garage_door",
	"gas",
	"heat",
	"light",
	"lock",
	"moisture",
	"motion",
	"occupancy",
	"opening",
	"plug",
	"power",
	"presence",
	"problem",
	"running",
	"safety",
	"smoke",
	"sound",
	"tamper",
	"vibration",
	"window",
};
static const char *const switch_classes[] = {"outlet", "switch"};
static const char *const button_classes[] = {"identify", "restart", "update"};
static const char *const event_classes[] = {"button", "doorbell", "motion"};

/* Classes whose numbers add up. */
static const char *const totals[] = {"energy", "gas", "water"};
/* Classes that have no unit; every other one is dropped when we have none. */
static const char *const unitless[] = {"ph", "power_factor"};

static const struct {
	const char *platform;
	const char *const *classes;
	size_t n;
} platforms[] = {
	{"sensor", sensor_classes, gw_countof(sensor_classes)},
	{"number", sensor_classes, gw_countof(sensor_classes)},
	{"binary_sensor", binary_classes, gw_countof(binary_classes)},
	{"switch", switch_classes, gw_countof(switch_classes)},
	{"button", button_classes, gw_countof(button_classes)},
	{"event", event_classes, gw_countof(event_classes)},
	{"select", NULL, 0},
	{"text", NULL, 0},
	{"light", NULL, 0},
};

/* A symbol that is shown as on or off. All others of the column "binary_sensor": on, unless they are one of the words of rest. */
static const struct {
	const char *id, *on; /* as a Jinja list; NULL: it stays a sensor */
} alarms[] = {
	{"battery.charging", "['charging']"},
	{"temperature.alarm", NULL},
};
#define REST "['ok', 'normal', 'closed', 'unknown']"

static bool is_in(const char *word, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(word, list[i]) == 0) {
			return true;
		}
	}
	return false;
}

/* --- the model's column --- */

struct column {
	char platform[32], class[32], state_class[32];
	bool config, diagnostic;
};

static void take_word(struct gw_str *rest, char *ret_word, size_t cap)
{
	size_t n = 0;
	while (n < rest->len && n + 1 < cap &&
	       strchr("abcdefghijklmnopqrstuvwxyz_0123456789", rest->p[n])) {
		n++;
	}
	memcpy(ret_word, rest->p, n);
	ret_word[n] = '\0';
	*rest = gw_str_sub(*rest, n, rest->len);
}

static void read_column(const struct gw_cap_info *cap, struct column *c)
{
	*c = (struct column){0};
	struct gw_str rest = gw_str(cap->model ? cap->model->home_assistant : "");
	struct gw_str first, word;
	(void)gw_str_split(&rest, ',', &first); /* "sensor/enum, vacuum.activity": the first */
	take_word(&first, c->platform, sizeof(c->platform));
	if (gw_str_starts(first, "/")) {
		first = gw_str_sub(first, 1, first.len);
		take_word(&first, c->class, sizeof(c->class));
	}
	while (gw_str_split(&first, ' ', &word)) {
		if (gw_str_is(word, "measurement") || gw_str_is(word, "total") ||
		    gw_str_is(word, "total_increasing")) {
			(void)snprintf(c->state_class, sizeof(c->state_class), GW_STR_FMT,
				       GW_STR_ARG(word));
		}
		c->config = c->config || gw_str_is(word, "(config)");
		c->diagnostic = c->diagnostic || gw_str_is(word, "(diagnostic)");
	}
}

/* --- which platform --- */

struct entity {
	struct ha_doc *doc;
	const struct gw_cap_info *cap;
	struct column column;
	const char *platform;
	const char *class; /* NULL: none */
	bool command;	   /* may be written or run */
};

static bool has_range(const struct gw_domain *d)
{
	return d->has_min && d->has_max && d->min < d->max;
}

/* An action with one argument is a control for this argument. */
static const char *platform_of_action(const struct gw_cap_info *cap)
{
	if (cap->n_args == 0) {
		return "button";
	}
	const struct gw_domain *d = &cap->args[0].domain;
	if (cap->n_args > 1) {
		return NULL;
	}
	switch (d->type) {
	case GW_TYPE_INT:
	case GW_TYPE_NUM: return has_range(d) ? "number" : NULL;
	case GW_TYPE_ENUM: return d->n_symbols > 0 ? "select" : NULL;
	case GW_TYPE_STR: return "text";
	case GW_TYPE_BOOL:
	case GW_TYPE_TIME:
	case GW_TYPE_LIST:
	case GW_TYPE_REC:
	case GW_TYPE_NONE: break;
	}
	return NULL;
}

/* NULL: only to be seen. */
static const char *platform_of_control(const struct entity *e)
{
	const struct gw_domain *d = &e->cap->domain;
	switch (d->type) {
	case GW_TYPE_BOOL: return strcmp(e->column.platform, "light") == 0 ? "light" : "switch";
	case GW_TYPE_INT:
	case GW_TYPE_NUM: return has_range(d) ? "number" : NULL;
	case GW_TYPE_ENUM: return d->n_symbols > 0 ? "select" : NULL;
	case GW_TYPE_STR: return "text";
	case GW_TYPE_TIME:
	case GW_TYPE_LIST:
	case GW_TYPE_REC:
	case GW_TYPE_NONE: break;
	}
	return NULL;
}

static const char *platform_of_view(const struct entity *e)
{
	bool binary = strcmp(e->column.platform, "binary_sensor") == 0;
	switch (e->cap->domain.type) {
	case GW_TYPE_BOOL: return "binary_sensor";
	case GW_TYPE_ENUM:
		for (size_t i = 0; i < gw_countof(alarms); i++) {
			binary = binary && (alarms[i].on || strcmp(alarms[i].id, e->cap->id) != 0);
		}
		return binary ? "binary_sensor" : "sensor";
	case GW_TYPE_LIST: return binary ? "binary_sensor" : "sensor";
	case GW_TYPE_INT:
	case GW_TYPE_NUM:
	case GW_TYPE_STR:
	case GW_TYPE_TIME: return "sensor";
	case GW_TYPE_REC:
	case GW_TYPE_NONE: break;
	}
	return NULL;
}

static const char *choose_platform(const struct entity *e)
{
	const char *column = e->column.platform;
	bool only_seen = strcmp(column, "sensor") == 0 || strcmp(column, "binary_sensor") == 0;
	switch (e->cap->kind) {
	case GW_KIND_EVENT: return "event";
	case GW_KIND_ACTION: return e->command ? platform_of_action(e->cap) : NULL;
	case GW_KIND_PROPERTY: break;
	}
	const char *p = e->command && !only_seen ? platform_of_control(e) : NULL;
	return p ? p : e->cap->readable ? platform_of_view(e) : NULL;
}

static const char *choose_class(const struct entity *e)
{
	for (size_t i = 0; i < gw_countof(platforms); i++) {
		if (strcmp(platforms[i].platform, e->platform) == 0 &&
		    is_in(e->column.class, platforms[i].classes, platforms[i].n)) {
			return e->column.class;
		}
	}
	return NULL;
}

/* --- members --- */

static bool is_number(const struct gw_domain *d)
{
	return d->type == GW_TYPE_INT || d->type == GW_TYPE_NUM;
}

/* How the value of the state document becomes the text that Home Assistant expects; %s is the address. */
static void write_template(const struct entity *e, const char *key)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(1024);
	const char *a = e->cap->address;
	const char *on = NULL;
	for (size_t i = 0; i < gw_countof(alarms); i++) {
		on = strcmp(alarms[i].id, e->cap->id) == 0 ? alarms[i].on : on;
	}
	bool binary = strcmp(e->platform, "binary_sensor") == 0;
	switch (e->cap->domain.type) {
	case GW_TYPE_BOOL:
		gw_buf_printf(
			&b,
			"{%% if value_json['%s'] is defined %%}{{ 'ON' if value_json['%s'] else "
			"'OFF' }}{%% else %%}None{%% endif %%}",
			a, a);
		break;
	case GW_TYPE_LIST:
		gw_buf_printf(&b,
			      binary ? "{{ 'ON' if value_json['%s'] | default([]) else 'OFF' }}"
				     : "{{ (value_json['%s'] | default([]) | join(', '))[:255] }}",
			      a);
		break;
	case GW_TYPE_TIME:
		gw_buf_printf(
			&b,
			"{%% if value_json['%s'] is defined %%}{{ (value_json['%s'] / 1000) | "
			"timestamp_utc }}{%% else %%}None{%% endif %%}",
			a, a);
		break;
	case GW_TYPE_ENUM:
		if (binary) {
			gw_buf_printf(
				&b,
				"{%% if value_json['%s'] is defined %%}{{ '%s' if value_json['%s'] in "
				"%s else '%s' }}{%% else %%}None{%% endif %%}",
				a, on ? "ON" : "OFF", a, on ? on : REST, on ? "OFF" : "ON");
			break;
		}
		gw_buf_printf(&b, "{{ value_json['%s'] | default(none) }}", a);
		break;
	case GW_TYPE_STR:
		gw_buf_printf(&b, "{{ (value_json['%s'] | default(''))[:255] }}", a);
		break;
	case GW_TYPE_INT:
	case GW_TYPE_NUM:
	case GW_TYPE_REC:
	case GW_TYPE_NONE: gw_buf_printf(&b, "{{ value_json['%s'] | default(none) }}", a); break;
	}
	if (gw_buf_error(&b)) {
		e->doc->out->error = gw_buf_error(&b);
		return;
	}
	ha_text(e->doc, key, b.p);
}

static void write_symbols(struct ha_doc *doc, const char *key, const struct gw_domain *d)
{
	gw_buf_printf(doc->out, ",\"%s\":[", key);
	for (size_t i = 0; i < d->n_symbols; i++) {
		gw_buf_puts(doc->out, i ? "," : "");
		gw_json_write_text(doc->out, gw_str(d->symbols[i]));
	}
	gw_buf_putc(doc->out, ']');
}

static void write_sensor(const struct entity *e)
{
	const struct gw_domain *d = &e->cap->domain;
	const char *unit = e->cap->unit ? e->cap->unit : "";
	if (d->type == GW_TYPE_TIME) {
		ha_text(e->doc, "device_class", "timestamp");
	} else if (d->type == GW_TYPE_ENUM && d->n_symbols > 0) {
		ha_text(e->doc, "device_class", "enum");
		write_symbols(e->doc, "options", d);
	}
	if (!is_number(d)) {
		return;
	}
	const char *state_class = e->column.state_class[0] ? e->column.state_class : "measurement";
	if (e->class && !e->column.state_class[0] && is_in(e->class, totals, gw_countof(totals))) {
		state_class = "total_increasing";
	}
	ha_text(e->doc, "state_class", state_class);
	/* Home Assistant's money needs a currency code, and a count has no unit. */
	if (unit[0] && strcmp(unit, "1") != 0 && strcmp(unit, "currency") != 0) {
		ha_text(e->doc, "unit_of_measurement", gw_unit_symbol(unit));
	}
}

static void write_number(const struct entity *e, const struct gw_domain *d, const char *unit)
{
	double step = gw_count_value(d->step > 1 ? d->step : 1, d->res);
	ha_number(e->doc, "min", gw_count_value(d->min, d->res));
	ha_number(e->doc, "max", gw_count_value(d->max, d->res));
	ha_number(e->doc, "step", step < 0.001 ? 0.001 : step);
	if (unit && unit[0] && strcmp(unit, "1") != 0) {
		ha_text(e->doc, "unit_of_measurement", gw_unit_symbol(unit));
	}
}

static void write_event(const struct entity *e)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(1024);
	const char *a = e->cap->address;
	const char *name = strrchr(e->cap->id, '.') + 1;
	const struct gw_domain *d = &e->cap->domain;
	ha_device_topic(e->doc, "state_topic", "event");
	if (d->n_symbols > 0) {
		write_symbols(e->doc, "event_types", d);
		gw_buf_printf(
			&b,
			"{%% if value_json.address == '%s' %%}{{ {'event_type': value_json.value} | "
			"tojson }}{%% endif %%}",
			a);
	} else {
		gw_buf_printf(e->doc->out, ",\"event_types\":[\"%s\"]", name);
		gw_buf_printf(
			&b,
			"{%% if value_json.address == '%s' %%}{{ {'event_type': '%s', 'value': "
			"value_json.value} | tojson }}{%% endif %%}",
			a, name);
	}
	if (gw_buf_error(&b)) {
		e->doc->out->error = gw_buf_error(&b);
		return;
	}
	ha_text(e->doc, "value_template", b.p);
}

static void write_action(const struct entity *e)
{
	const struct gw_cap_info *cap = e->cap;
	char template[256];
	ha_command_topic(e->doc, "command_topic", cap);
	if (cap->n_args == 0) {
		return;
	}
	const struct gw_domain *d = &cap->args[0].domain;
	(void)snprintf(template, sizeof(template), "{{ {'args': {'%s': value}} | tojson }}",
		       cap->args[0].name);
	ha_text(e->doc, "command_template", template);
	if (is_number(d)) {
		write_number(e, d, d->unit && d->unit[0] ? d->unit : cap->unit);
	} else if (d->type == GW_TYPE_ENUM) {
		write_symbols(e->doc, "options", d);
	}
}

static void write_property(const struct entity *e)
{
	bool light = strcmp(e->platform, "light") == 0;
	if (e->cap->readable) {
		ha_state_topic(e->doc, "state_topic");
		write_template(e, light ? "state_value_template" : "value_template");
	}
	if (strcmp(e->platform, "sensor") == 0) {
		write_sensor(e);
	} else if (strcmp(e->platform, "binary_sensor") == 0) {
		if (e->cap->domain.type == GW_TYPE_LIST) { /* which ones they are */
			char template[256];
			(void)snprintf(template, sizeof(template),
				       "{{ {'active': value_json['%s'] | default([])} | tojson }}",
				       e->cap->address);
			ha_state_topic(e->doc, "json_attributes_topic");
			ha_text(e->doc, "json_attributes_template", template);
		}
	} else {
		ha_command_topic(e->doc, "command_topic", e->cap);
		if (strcmp(e->platform, "number") == 0) {
			write_number(e, &e->cap->domain, e->cap->unit);
		} else if (strcmp(e->platform, "select") == 0) {
			write_symbols(e->doc, "options", &e->cap->domain);
		}
	}
}

/* --- the entity --- */

static void write_category(const struct entity *e)
{
	static const char *const groups[] = {"battery.", "device.", "firmware.", "link."};
	bool seen = strcmp(e->platform, "sensor") == 0 || strcmp(e->platform, "binary_sensor") == 0;
	bool diagnostic = e->column.diagnostic || (seen && e->column.config);
	for (size_t i = 0; seen && i < gw_countof(groups); i++) {
		diagnostic = diagnostic || gw_str_starts(gw_str(e->cap->id), groups[i]);
	}
	/* "config" is for what can be changed. */
	const char *category = diagnostic ? "diagnostic" : e->column.config ? "config" : NULL;
	if (category) {
		ha_text(e->doc, "entity_category", category);
	}
}

/* Whether the device is on the line is worth knowing when it is not. */
static void write_availability(const struct entity *e)
{
	if (strcmp(e->cap->id, "link.online") == 0) {
		gw_buf_printf(e->doc->out, ",\"availability\":[{\"topic\":\"%s\"}]",
			      e->doc->s->status_topic);
	}
}

static void write_name(const struct entity *e)
{
	char name[GW_NAME_BYTES], class[GW_ID_BYTES];
	const struct gw_cap_info *cap = e->cap;
	const char *label = cap->label	 ? cap->label
			    : cap->model ? cap->model->label_en
					 : strrchr(cap->id, '.') + 1;
	bool switched = strcmp(cap->id, "switch.on") == 0;
	bool main = strcmp(cap->component, "main") == 0;
	bool itself = switched && main &&
		      ha_type_class(e->doc, e->platform, class, sizeof(class)) != NULL;
	ha_name(name, sizeof(name), cap->component, switched && !main ? "" : label);
	ha_begin(e->doc, cap->component, cap->id, e->platform, itself ? NULL : name);
}

static void write_entity(struct ha_doc *doc, const struct gw_cap_info *cap)
{
	struct entity e = {.doc = doc, .cap = cap};
	read_column(cap, &e.column);
	e.command = mqtt_may_command(doc->s, doc->device, cap);
	e.platform = choose_platform(&e);
	if (!e.platform) {
		return;
	}
	e.class = choose_class(&e);
	const char *unit = cap->unit ? cap->unit : "";
	if (e.class && is_number(&cap->domain) && (!unit[0] || strcmp(unit, "1") == 0) &&
	    !is_in(e.class, unitless, gw_countof(unitless))) {
		e.class = NULL;
	}
	if (e.class && cap->kind == GW_KIND_PROPERTY && strcmp(e.platform, "sensor") == 0 &&
	    !is_number(&cap->domain)) {
		e.class = NULL;
	}
	char class[GW_ID_BYTES];
	if (strcmp(e.platform, "switch") == 0 && strcmp(cap->id, "switch.on") == 0 &&
	    ha_type_class(doc, "switch", class, sizeof(class)) && class[0]) {
		e.class = class;
	}
	write_name(&e);
	if (e.class) {
		ha_text(doc, "device_class", e.class);
	}
	write_category(&e);
	write_availability(&e);
	switch (cap->kind) {
	case GW_KIND_EVENT: write_event(&e); break;
	case GW_KIND_ACTION: write_action(&e); break;
	case GW_KIND_PROPERTY: write_property(&e); break;
	}
	ha_end(doc);
}

void ha_write_entities(struct ha_doc *doc)
{
	for (size_t i = 0; i < gw_plan_cap_count(doc->plan); i++) {
		if (!doc->used[i]) {
			write_entity(doc, gw_plan_cap(doc->plan, i));
		}
	}
}
