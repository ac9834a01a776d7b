/*
 * Home Assistant MQTT discovery: one retained document in the device form (Home Assistant 2024.11 and later) for each device. Its entities read the state document
 * with templates and write to the topics of command.c, so nothing else is published for Home Assistant, with one exception: its vacuum knows no
 * templates (hearth/<device>/vacuum).
 *
 * Which capability becomes which entity is data: ha_rules.c has the entities that are made of several capabilities (light, cover, climate …), ha_entity.c
 * those of one, from the model's column for Home Assistant. Nothing is written that Home Assistant of any version since 2024.11 refuses: unknown device
 * classes are left out, bounds are checked, options are never empty.
 *
 * A document that has lost entities names them once with their platform only: leaving them out would keep them.
 */
#include "surfaces/mqtt/ha.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "gw/json.h"
#include "gw/log.h"

#define BIRTH_MIN_MS 1000 /* an answer that comes at once gets lost in its start */
#define BIRTH_MAX_MS 5000

/* --- pieces --- */

static void key_of(struct gw_buf *b, const char *component, const char *id)
{
	if (strcmp(component, "main") != 0) {
		gw_buf_printf(b, "%s-", component);
	}
	for (const char *p = id; *p; p++) {
		gw_buf_putc(b, *p == '.' ? '-' : *p);
	}
}

void ha_begin(struct ha_doc *doc, const char *component, const char *id, const char *platform,
	      const char *name)
{
	struct gw_buf *b = doc->out;
	GW_AUTO(gw_buf_fini) struct gw_buf key = GW_BUF_INIT(GW_TOPIC_BYTES);
	key_of(&key, component, id);
	if (gw_buf_error(&key)) {
		b->error = b->error ? b->error : gw_buf_error(&key);
		return;
	}
	doc->began(doc, key.p, platform);
	gw_buf_printf(b,
		      "%s\"%s\":{\"platform\":\"%s\",\"unique_id\":\"hearth_%s_%s_%s\",\"name\":",
		      b->len > 0 && b->p[b->len - 1] != '{' ? "," : "", key.p, platform,
		      gw_gateway_id(doc->s->gateway), doc->info->id, key.p);
	if (name) {
		gw_json_write_text(b, gw_str(name));
	} else {
		gw_buf_puts(b, "null");
	}
}

void ha_end(struct ha_doc *doc)
{
	gw_buf_putc(doc->out, '}');
}

void ha_raw(struct ha_doc *doc, const char *key, const char *json)
{
	gw_buf_printf(doc->out, ",\"%s\":%s", key, json);
}

void ha_text(struct ha_doc *doc, const char *key, const char *text)
{
	gw_buf_printf(doc->out, ",\"%s\":", key);
	gw_json_write_text(doc->out, gw_str(text));
}

void ha_number(struct ha_doc *doc, const char *key, double v)
{
	gw_buf_printf(doc->out, ",\"%s\":", key);
	gw_json_write_double(doc->out, v);
}

void ha_device_topic(struct ha_doc *doc, const char *key, const char *last_level)
{
	/* Prefix and id are [a-z0-9_-]: nothing to escape. */
	gw_buf_printf(doc->out, ",\"%s\":\"%s/%s/%s\"", key, doc->s->prefix, doc->info->id,
		      last_level);
}

void ha_state_topic(struct ha_doc *doc, const char *key)
{
	ha_device_topic(doc, key, "state");
}

void ha_command_topic(struct ha_doc *doc, const char *key, const struct gw_cap_info *cap)
{
	gw_buf_printf(doc->out, ",\"%s\":\"%s/%s/", key, doc->s->prefix, doc->info->id);
	mqtt_cap_levels(doc->out, cap);
	gw_buf_puts(doc->out, "/set\"");
}

void ha_name(char *ret_name, size_t cap, const char *component, const char *label)
{
	if (strcmp(component, "main") == 0) {
		(void)snprintf(ret_name, cap, "%s", label);
		return;
	}
	int n = snprintf(ret_name, cap, "%s%s%s", component, label[0] ? " " : "", label);
	for (int i = 0; i < n && (size_t)i < cap && component[i]; i++) {
		if (ret_name[i] == '_') {
			ret_name[i] = ' ';
		}
	}
	if (ret_name[0] >= 'a' && ret_name[0] <= 'z') {
		ret_name[0] = (char)(ret_name[0] - 'a' + 'A');
	}
}

const char *ha_type_class(const struct ha_doc *doc, const char *platform, char *ret_class,
			  size_t cap)
{
	struct gw_str rest = gw_str(doc->type ? doc->type->home_assistant : ""), word;
	while (gw_str_split(&rest, ',', &word)) {
		struct gw_str name;
		word = gw_str_trim(word);
		if (gw_str_split(&word, '/', &name) && gw_str_is(name, platform)) {
			(void)snprintf(ret_class, cap, GW_STR_FMT, GW_STR_ARG(word));
			return ret_class;
		}
	}
	return NULL;
}

const struct gw_cap_info *ha_find(const struct ha_doc *doc, const char *component, const char *id)
{
	char address[GW_TOPIC_BYTES];
	(void)snprintf(address, sizeof(address), "%s/%s", component, id);
	int i = gw_plan_find_cap(doc->plan, gw_str(address));
	const struct gw_cap_info *cap = i < 0 ? NULL : gw_plan_cap(doc->plan, (size_t)i);
	return cap && strcmp(cap->id, id) == 0 ? cap : NULL; /* not by an old name */
}

/* --- the document --- */

static const char *room_name(struct mqtt_surface *s, const char *id, struct gw_room_info *room)
{
	for (size_t i = 0; id[0] && gw_room_at(s->gateway, i, room); i++) {
		if (strcmp(room->id, id) == 0) {
			return room->name;
		}
	}
	return "";
}

static void write_head(struct ha_doc *doc, struct gw_buf *b)
{
	const struct gw_device_info *info = doc->info;
	struct gw_room_info room;
	gw_buf_printf(b,
		      "{\"origin\":{\"name\":\"Hearth\",\"sw_version\":\"%s\"},\"device\":{"
		      "\"identifiers\":[\"hearth_%s_%s\"]",
		      gw_gateway_version(), gw_gateway_id(doc->s->gateway), info->id);
	const struct {
		const char *key, *text;
	} members[] = {
		{"name", info->name},
		{"manufacturer", info->vendor},
		{"model", info->model},
		{"sw_version", info->firmware},
		{"suggested_area", room_name(doc->s, info->room, &room)},
	};
	for (size_t i = 0; i < gw_countof(members); i++) {
		if (members[i].text && members[i].text[0]) {
			gw_buf_printf(b, ",\"%s\":", members[i].key);
			gw_json_write_text(b, gw_str(members[i].text));
		}
	}
	gw_buf_printf(b,
		      "},\"availability\":[{\"topic\":\"%s\"},{\"topic\":\"%s/%s/state\","
		      "\"value_template\":\"{{ 'online' if value_json['$online'] else 'offline' "
		      "}}\"}],\"availability_mode\":\"all\",\"components\":{",
		      doc->s->status_topic, doc->s->prefix, info->id);
}

/* Every entity of the plan, in one go. */
static int write_components(struct ha_doc *doc)
{
	GW_AUTO(gw_free_auto) bool *used = gw_array(bool, gw_plan_cap_count(doc->plan) + 1);
	if (!used) {
		return -ENOMEM;
	}
	doc->used = used;
	ha_write_composites(doc);
	ha_write_entities(doc);
	doc->used = NULL;
	return gw_buf_error(doc->out);
}

static void remember_key(struct ha_doc *doc, const char *key, const char *platform)
{
	(void)platform;
	int r = doc->keys ? gw_map_put(doc->keys, gw_str(key), /* any */ doc) : 0;
	if (r < 0 && !doc->out->error) {
		doc->out->error = r;
	}
}

static void note_lost(struct ha_doc *doc, const char *key, const char *platform)
{
	if (!gw_map_find(doc->keys, gw_str(key))) {
		gw_buf_printf(doc->stubs, ",\"%s\":{\"platform\":\"%s\"}", key, platform);
	}
}

/* Entities of the plan before that the new document does not have. */
static int write_stubs(struct ha_doc *doc, const struct gw_plan *before)
{
	GW_AUTO(gw_buf_fini) struct gw_buf nowhere = GW_BUF_INIT(MQTT_DOC_BYTES);
	struct ha_doc old = *doc;
	old.plan = before;
	old.out = &nowhere;
	old.stubs = doc->out;
	old.began = note_lost;
	return write_components(&old);
}

static int write_doc(struct mqtt_surface *s, struct mqtt_device *d, struct gw_plan *plan,
		     struct gw_buf *b, bool *ret_empty)
{
	struct gw_device_info info;
	gw_device_info(d->device, &info);
	struct ha_doc doc = {
		.s = s,
		.device = d->device,
		.info = &info,
		.type = gw_device_type_find(gw_str(info.type)),
		.plan = plan,
		.out = b,
		.began = remember_key,
	};
	bool changed = d->plan && d->plan != plan;
	if (changed && !(doc.keys = gw_map_new(GW_PROFILE_CAPS * 2))) {
		return -ENOMEM;
	}
	write_head(&doc, b);
	size_t start = b->len;
	int r = write_components(&doc);
	*ret_empty = b->len == start;
	if (r == 0 && changed && !*ret_empty) {
		r = write_stubs(&doc, d->plan);
	}
	gw_map_free(doc.keys, NULL);
	gw_buf_puts(b, "}}");
	return r ? r : gw_buf_error(b);
}

static void config_topic(const struct mqtt_surface *s, const struct mqtt_device *d,
			 struct gw_buf *topic)
{
	gw_buf_printf(topic, "%s/device/hearth_%s/config", s->discovery_prefix, d->id);
}

bool mqtt_ha_publish(struct mqtt_surface *s, struct mqtt_device *d)
{
	struct gw_binding *binding = gw_device_binding(d->device);
	if (!binding) {
		return true; /* its profile is missing for now: what was announced stays */
	}
	GW_AUTO(gw_buf_fini) struct gw_buf topic = GW_BUF_INIT(GW_TOPIC_BYTES + 1);
	struct gw_plan *plan = gw_binding_plan(binding);
	bool empty = true;
	config_topic(s, d, &topic);
	gw_buf_reset(&s->doc);
	int r = write_doc(s, d, plan, &s->doc, &empty);
	r = r ? r : gw_buf_error(&topic);
	if (r) {
		gw_log_warning(MQTT_LOG, "GW-MQTT-HA-SIZE",
			       "%s is not announced to Home Assistant: %s, ignoring", d->id,
			       strerror(-r));
		return true;
	}
	if (empty) {
		gw_buf_reset(&s->doc); /* nothing to show: what was announced before goes */
	}
	uint64_t digest = mqtt_digest(gw_buf_str(&s->doc));
	if (digest == d->digest) {
		return true;
	}
	if (!mqtt_publish(s, gw_buf_str(&topic), gw_buf_str(&s->doc), /* retain= */ true)) {
		return false;
	}
	d->digest = digest;
	if (d->plan != plan) {
		gw_plan_unref(d->plan);
		d->plan = gw_plan_ref(plan);
	}
	return true;
}

void mqtt_ha_note(struct mqtt_surface *s, struct mqtt_device *d)
{
	GW_AUTO(gw_buf_fini) struct gw_buf topic = GW_BUF_INIT(GW_TOPIC_BYTES + 1);
	struct gw_binding *binding = gw_device_binding(d->device);
	struct gw_device_info info;
	config_topic(s, d, &topic);
	mqtt_ledger_note(s->ledger, gw_str(d->id), gw_buf_str(&topic));
	gw_device_info(d->device, &info);
	struct ha_doc doc = {
		.s = s,
		.device = d->device,
		.info = &info,
		.type = gw_device_type_find(gw_str(info.type)),
		.plan = binding ? gw_binding_plan(binding) : NULL,
	};
	gw_free(d->vacuum_topic);
	d->vacuum_topic = NULL;
	if (binding && ha_is_vacuum(&doc)) {
		gw_buf_reset(&topic);
		gw_buf_printf(&topic, "%s/%s/vacuum", s->prefix, d->id);
		mqtt_ledger_note(s->ledger, gw_str(d->id), gw_buf_str(&topic));
		d->vacuum_topic = gw_buf_take(&topic);
	}
}

/* --- the vacuum's own document --- */

static const struct gw_value *value_at(const struct gw_device *d, const char *id)
{
	size_t n = gw_device_property_count(d);
	for (size_t i = 0; i < n; i++) {
		const struct gw_property *p = gw_device_property(d, i);
		if (strcmp(p->cap->address, id) == 0) {
			return p->value.type == GW_VALUE_SYMBOL ? &p->value : NULL;
		}
	}
	return NULL;
}

bool mqtt_ha_vacuum_publish(struct mqtt_surface *s, struct mqtt_device *d)
{
	static const struct {
		const char *ours, *theirs;
	} activities[] = {
		{"stopped", "idle"},
		{"running", "cleaning"},
		{"paused", "paused"},
		{"error", "error"},
		{"seeking_charger", "returning"},
		{"charging", "docked"},
		{"docked", "docked"},
		{"emptying_bin", "docked"},
		{"washing_mop", "docked"},
		{"filling_tank", "docked"},
		{"updating_map", "cleaning"},
	};
	const struct gw_value *state = value_at(d->device, "operation.state");
	const struct gw_value *speed = value_at(d->device, "robot.suction");
	const char *activity = NULL;
	for (size_t i = 0; state && i < gw_countof(activities); i++) {
		if (strcmp(state->text->s, activities[i].ours) == 0) {
			activity = activities[i].theirs;
		}
	}
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(512);
	gw_buf_printf(&b, "{\"state\":%s%s%s", activity ? "\"" : "", activity ? activity : "null",
		      activity ? "\"" : "");
	if (speed) {
		gw_buf_puts(&b, ",\"fan_speed\":");
		gw_json_write_text(&b, gw_text_str(speed->text));
	}
	gw_buf_putc(&b, '}');
	uint64_t digest = mqtt_digest(gw_buf_str(&b));
	if (gw_buf_error(&b) || digest == d->vacuum_digest) {
		return true;
	}
	if (!mqtt_publish(s, gw_str(d->vacuum_topic), gw_buf_str(&b), /* retain= */ true)) {
		return false;
	}
	d->vacuum_digest = digest;
	return true;
}

/* --- Home Assistant's birth --- */

static void on_birth(void *ctx)
{
	struct mqtt_surface *s = ctx;
	if (s->up) {
		mqtt_say_everything(s);
	}
}

void mqtt_ha_birth(struct mqtt_surface *s, const struct gw_mqtt_message *m)
{
	/* Not the last will, and not a birth of yesterday that somebody retains: then we have just published everything anyway. */
	if (m->retained || !gw_str_is(m->payload, "online") || gw_timer_active(s->birth)) {
		return;
	}
	uint64_t spread = mqtt_digest(
		(struct gw_str){(const char *)&(int64_t){gw_clock_us()}, sizeof(int64_t)});
	gw_timer_start(s->birth,
		       BIRTH_MIN_MS + (int64_t)(spread % (BIRTH_MAX_MS - BIRTH_MIN_MS + 1)), 0);
}

int mqtt_ha_start(struct mqtt_surface *s)
{
	GW_AUTO(gw_buf_fini) struct gw_buf topic = GW_BUF_INIT(GW_TOPIC_BYTES);
	gw_buf_printf(&topic, "%s/status", s->discovery_prefix);
	s->birth_topic = gw_buf_take(&topic);
	s->birth = gw_timer_new(gw_gateway_loop(s->gateway), on_birth, s);
	return s->birth_topic && s->birth
		       ? gw_mqtt_link_subscribe(s->link, gw_str(s->birth_topic), 0)
		       : -ENOMEM;
}
