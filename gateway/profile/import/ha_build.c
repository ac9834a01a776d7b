/* From all entities of a device to its profile: which level of the topics is the device, availability, one platform after the other. */
#include "profile/import/ha_build.h"

#include <errno.h>
#include <strings.h>

#include "gw/topic.h"

/* --- which level of the topics names the device --- */

/* Levels that say what is sent, not who sends it; such a level is taken only when there is no other. */
static const char *const generic[] = {
	"tele",	   "stat",    "cmnd",	       "state",		"status",	"set",
	"get",	   "command", "cmd",	       "config",	"availability", "avail",
	"LWT",	   "online",  "sensor",	       "binary_sensor", "switch",	"light",
	"climate", "cover",   "fan",	       "number",	"select",	"button",
	"text",	   "event",   "homeassistant", "device",	"devices",	"sensors",
	"data",	   "value",   "homie",	       "home",		"zigbee2mqtt",	"ha",
	"mqtt",	   "debug",   "RESULT",	       "STATE",		"SENSOR",	"lock",
	"vacuum",  "valve",   "siren",	       "result",	"events",	"update",
};

struct level_count {
	struct gw_str level;
	size_t topics, last; /* last: index of the topic that counted it last */
	size_t place;	     /* deepest place */
	bool at_end;	     /* of some topic */
	int score;
};

#define MAX_LEVELS 256

struct level_counts {
	struct level_count row[MAX_LEVELS];
	size_t n;
	size_t topics;
};

static bool is_generic(struct gw_str level)
{
	for (size_t i = 0; i < gw_countof(generic); i++) {
		if (gw_str_is(level, generic[i])) {
			return true;
		}
	}
	return !gw_draft_is_level(level);
}

/* A last level that is called like an entity is a part of the device. */
static bool is_object(const struct gw_ha_part *parts, size_t n, struct gw_str level)
{
	for (size_t i = 0; i < n; i++) {
		if (gw_str_is(level, parts[i].object)) {
			return true;
		}
	}
	return false;
}

static void count_topic(struct level_counts *c, struct gw_str topic)
{
	struct gw_str level;
	c->topics++;
	for (size_t place = 0; gw_str_split(&topic, '/', &level); place++) {
		size_t i = 0;
		while (i < c->n && !gw_str_eq(c->row[i].level, level)) {
			i++;
		}
		if (i == MAX_LEVELS) {
			continue;
		}
		if (i == c->n) {
			c->row[c->n++] = (struct level_count){.level = level};
		}
		struct level_count *row = &c->row[i];
		row->topics += row->last != c->topics;
		row->last = c->topics;
		row->at_end |= topic.p == NULL;
		row->place = place > row->place ? place : row->place;
	}
}

/* Topics of one entity; availability is not the entity's own and may be a bridge's. */
static void count_entity(struct level_counts *c, const struct gw_node *config)
{
	gw_node_for(n, config)
	{
		if (n->type == GW_NODE_TEXT && n->text.len > 0 &&
		    (gw_str_ends(n->key, "_topic") || gw_str_is(n->key, "topic")) &&
		    !gw_str_is(n->key, "availability_topic")) {
			count_topic(c, n->text);
		}
	}
}

/* part of at least four letters is in text, whatever the case. */
static bool contains(struct gw_str text, struct gw_str part)
{
	for (size_t i = 0; part.len >= 4 && i + part.len <= text.len; i++) {
		if (strncasecmp(text.p + i, part.p, part.len) == 0) {
			return true;
		}
	}
	return false;
}

static bool is_called(const struct gw_ha_names *names, struct gw_str level)
{
	struct gw_str name = gw_str(names->device);
	return contains(gw_str(names->identity), level) || contains(name, level) ||
	       (level.len > 0 && level.len == name.len &&
		strncasecmp(name.p, level.p, level.len) == 0);
}

/*
 * A level in at least half of the topics that the device is called by; else the level that most topics share, and among equals
 * the deepest that is not generic. A shared prefix is worth less than a name: with it as identity, a description could reach others.
 */
static bool choose_level(struct level_counts *c, const struct gw_ha_names *names,
			 const struct gw_ha_part *parts, size_t n, struct gw_str *ret_level)
{
	const struct level_count *best = NULL;
	bool best_called = false;
	for (size_t i = 0; i < c->n; i++) {
		struct level_count *row = &c->row[i];
		bool generic_level =
			is_generic(row->level) || (row->at_end && is_object(parts, n, row->level));
		bool called = is_called(names, row->level) && row->topics * 2 >= c->topics &&
			      !is_generic(row->level);
		row->score = (generic_level ? 0 : 1000) + (int)row->place;
		if (!gw_draft_is_level(row->level) || (best_called && !called)) {
			continue;
		}
		if (!best || (called && !best_called) || row->topics > best->topics ||
		    (row->topics == best->topics && row->score > best->score)) {
			best = row;
			best_called = called;
		}
	}
	/* A generic level in every topic is worth less than another in most of them. */
	for (size_t i = 0; best && !best_called && best->score < 1000 && i < c->n; i++) {
		if (c->row[i].score >= 1000 && c->row[i].topics * 2 > c->topics) {
			best = &c->row[i];
		}
	}
	*ret_level = best ? best->level : (struct gw_str){NULL, 0};
	return best != NULL;
}

/* --- availability --- */

struct availability {
	struct gw_ha_entity *e;
	struct gw_node *point, *map;
	const char *name;
	size_t topics;
	bool foreign; /* some topic is not the device's own */
};

/* One {topic, payload_available, …}: another reference of the presence point. */
static void add_availability(struct availability *a, const struct gw_node *config,
			     const char *topic_key, const char *template_key)
{
	struct gw_ha_entity e = *a->e;
	struct gw_ha_read r;
	e.config = config;
	if (!gw_ha_reads(&e, topic_key, template_key, &r) || !r.present ||
	    r.tpl.kind != GW_TPL_PATH) {
		return;
	}
	if (!gw_topic_has_level(r.topic, e.b->level[e.b->identity].value)) {
		a->foreign = true;
		return;
	}
	const char *msg = gw_draft_rx(e.b, r.topic, r.tpl.whole ? "text" : "json");
	if (!msg) {
		return;
	}
	const char *ref = gw_draft_printf(e.b, "%s#%s", msg, r.tpl.pointer);
	if (!a->point) {
		a->point = gw_draft_point(e.b, "online", &a->name);
		a->map = gw_set_map(e.b, a->point, "map");
		gw_set_list(e.b, a->point, "in");
	}
	gw_node_for(n, gw_node_get(a->point, "in"))
	{
		if (gw_node_is_text(n, ref)) {
			return;
		}
	}
	gw_add_text(e.b, gw_node_get(a->point, "in"), gw_str(ref));
	a->topics++;
	const struct {
		const char *key, *fallback;
		bool online;
	} words[] = {{"payload_available", "online", true},
		     {"payload_not_available", "offline", false}};
	for (size_t i = 0; i < gw_countof(words); i++) {
		struct gw_str word = gw_ha_word(&e, words[i].key, words[i].fallback);
		if (word.p && word.len > 0 && !gw_node_get_str(a->map, word)) {
			gw_set_node(e.b, a->map, word.p, gw_bool_node(e.b, words[i].online));
		}
	}
}

static void add_availabilities(struct availability *a, const struct gw_node *config)
{
	const struct gw_node *list = gw_node_get(config, "availability");
	add_availability(a, config, "availability_topic", "availability_template");
	if (list && list->type == GW_NODE_MAP) {
		add_availability(a, list, "topic", "value_template");
		return;
	}
	gw_node_for(item, list)
	{
		if (item->type == GW_NODE_MAP) {
			add_availability(a, item, "topic", "value_template");
		}
	}
}

static void add_presence(struct availability *a)
{
	struct gw_draft *b = a->e->b;
	if (a->foreign) {
		gw_draft_note(b,
			      "an availability topic that is not the device's own is not followed");
	}
	if (!a->point) {
		return;
	}
	if (a->topics > 1) {
		gw_draft_note(b, "availability of %zu topics: the last message decides", a->topics);
	}
	struct gw_node *presence = gw_set_map(b, b->link, "presence");
	gw_set_text(b, presence, "point", a->name);
	gw_set_bool(b, presence, "is", true);
	struct gw_node *cap = gw_draft_point_cap(b, NULL, "link.online", a->name);
	if (cap) {
		gw_set_bool(b, cap, "ro", true);
	}
}

/* --- platforms --- */

/* In the order in which they claim capabilities: what a product is for comes before what it measures. */
static const struct {
	const char *platform;
	gw_ha_import *import;
} platforms[] = {
	{"climate", gw_ha_climate},
	{"water_heater", gw_ha_water_heater},
	{"humidifier", gw_ha_humidifier},
	{"fan", gw_ha_fan},
	{"vacuum", gw_ha_vacuum},
	{"lawn_mower", gw_ha_lawn_mower},
	{"alarm_control_panel", gw_ha_alarm},
	{"lock", gw_ha_lock},
	{"cover", gw_ha_cover},
	{"valve", gw_ha_valve},
	{"light", gw_ha_light},
	{"switch", gw_ha_switch},
	{"siren", gw_ha_siren},
	{"binary_sensor", gw_ha_binary_sensor},
	{"sensor", gw_ha_sensor},
	{"event", gw_ha_event},
	{"device_automation", gw_ha_trigger},
	{"number", gw_ha_number},
	{"select", gw_ha_select},
	{"text", gw_ha_text_entity},
	{"button", gw_ha_button},
	{"scene", gw_ha_scene},
	{"update", gw_ha_update},
	{"device_tracker", gw_ha_device_tracker},
};

bool gw_ha_is_platform(struct gw_str platform)
{
	for (size_t i = 0; i < gw_countof(platforms); i++) {
		if (gw_str_is(platform, platforms[i].platform)) {
			return true;
		}
	}
	return false;
}

static bool is_config(const struct gw_node *config)
{
	const char *category = gw_node_text(config, "entity_category");
	return category && (strcmp(category, "config") == 0 || strcmp(category, "diagnostic") == 0);
}

static void import_entity(struct gw_draft *b, const struct gw_ha_part *part, gw_ha_import *import)
{
	double qos = 0;
	struct gw_ha_entity e = {.b = b,
				 .config = part->config,
				 .platform = part->platform,
				 .object = part->object,
				 .label = gw_node_text(part->config, "name"),
				 .config_category = is_config(part->config),
				 .unit = GW_LINEAR_NONE};
	qos = gw_ha_double(&e, "qos", 0);
	e.qos = qos == 1 || qos == 2 ? (uint8_t)qos : 0;
	b->at = part->object;
	import(&e);
}

/* Duplicate unique_id on one platform: the second is ignored (§A1.5 #8). */
static bool is_duplicate(const struct gw_ha_part *parts, size_t i)
{
	const char *id = gw_node_text(parts[i].config, "unique_id");
	for (size_t k = 0; id && k < i; k++) {
		const char *other = gw_node_text(parts[k].config, "unique_id");
		if (other && strcmp(id, other) == 0 &&
		    strcmp(parts[i].platform, parts[k].platform) == 0) {
			return true;
		}
	}
	return false;
}

static void import_all(struct gw_draft *b, const struct gw_ha_part *parts, size_t n)
{
	for (size_t k = 0; k < gw_countof(platforms); k++) {
		for (size_t i = 0; i < n; i++) {
			if (strcmp(parts[i].platform, platforms[k].platform) != 0) {
				continue;
			}
			if (is_duplicate(parts, i)) {
				b->at = parts[i].object;
				gw_draft_note(b, "its unique_id was used before");
			} else {
				import_entity(b, &parts[i], platforms[k].import);
			}
		}
	}
}

int gw_ha_build(struct gw_draft *b, const struct gw_ha_names *names, const struct gw_ha_part *parts,
		size_t n, const struct gw_draft_head *head, struct gw_imported *ret)
{
	struct level_counts *counts = gw_arena_alloc(b->a, sizeof(struct level_counts));
	struct gw_str level;
	if (!counts) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		count_entity(counts, parts[i].config);
	}
	if (!choose_level(counts, names, parts, n, &level)) {
		return -ENOENT;
	}
	gw_draft_identity(b, level);
	struct gw_ha_entity first = {.b = b, .object = "availability"};
	struct availability a = {.e = &first};
	b->at = "availability";
	for (size_t i = 0; i < n; i++) {
		add_availabilities(&a, parts[i].config);
	}
	import_all(b, parts, n);
	if (b->caps->count == 0 && b->components->count == 0) {
		return b->failed ? -ENOMEM : -ENOENT; /* presence alone is no device */
	}
	b->at = "availability";
	add_presence(&a);
	return gw_draft_finish(b, head, ret);
}
