/* Home Assistant MQTT discovery (open-protocols.md §A1). */
#pragma once

#include "profile/import/draft.h"
#include "profile/import/ha_template.h"

/* ha_keys.c: long keys, ~ replaced; *ret is a new map in the arena. -EBADMSG: availability is no list of maps. */
int gw_ha_expand(struct gw_arena *a, const struct gw_node *config,
		 struct gw_node **ret) GW_MUST_USE;

/* ha_check.c: what Home Assistant itself refuses (§A1.5). NULL: accepted, else the reason. */
const char *gw_ha_refusal(const char *platform, const struct gw_node *config);
/* Device and origin, shared by both forms. */
const char *gw_ha_head_refusal(const struct gw_node *config, bool device_form);

/* --- one entity (ha_entity.c) --- */

struct gw_ha_entity {
	struct gw_draft *b;
	const struct gw_node *config; /* long keys */
	const char *platform;
	const char *object; /* what its capabilities are called like */
	const char *label;  /* of the entity, for extensions and components; NULL: none */
	bool config_category; /* entity_category config or diagnostic: never the device's main function */
	uint8_t qos;
	struct gw_linear unit; /* from the given unit to ours, for gw_ha_number */
};

const char *gw_ha_text(const struct gw_ha_entity *e, const char *key); /* NULL: not a text */
/* A scalar as Home Assistant prints it; fallback when it is not given. In the arena. */
struct gw_str gw_ha_word(struct gw_ha_entity *e, const char *key, const char *fallback);
double gw_ha_double(const struct gw_ha_entity *e, const char *key, double fallback);
bool gw_ha_flag(const struct gw_ha_entity *e, const char *key);

/* Where a value comes from, and where it is sent. */
struct gw_ha_read {
	bool present;
	struct gw_str topic;
	struct gw_tpl tpl;
};
struct gw_ha_write {
	bool present;
	struct gw_str topic;
	bool templated;
	struct gw_tpl_command command;
};
/* False with a note when the template is not in the subset. No topic: true, not present. */
bool gw_ha_reads(struct gw_ha_entity *e, const char *topic_key, const char *template_key,
		 struct gw_ha_read *ret);
bool gw_ha_writes(struct gw_ha_entity *e, const char *topic_key, const char *template_key,
		  struct gw_ha_write *ret);
/* A member of the JSON of topic_key, for schemas that fix the form: present when the topic is. */
void gw_ha_reads_json(struct gw_ha_entity *e, const char *topic_key, const char *pointer,
		      struct gw_ha_read *ret);
void gw_ha_writes_json(struct gw_ha_entity *e, const char *topic_key, const char *pointer,
		       struct gw_ha_write *ret);

/* One value of a choice: what it is with us, what is sent for it, what is seen of it (p NULL: never). */
struct gw_ha_choice {
	struct gw_node *value;
	struct gw_str sent, seen;
};
#define GW_HA_CHOICES 128

struct gw_ha_choices {
	struct gw_ha_choice row[GW_HA_CHOICES];
	size_t n;
};
void gw_ha_choice_add(struct gw_ha_choices *c, struct gw_node *value, struct gw_str sent,
		      struct gw_str seen);

/* Points; NULL with a note. A point that cannot be written the way it is read becomes read-only, with a note. */
const char *gw_ha_choice_point(struct gw_ha_entity *e, const char *hint, const struct gw_ha_read *r,
			       const struct gw_ha_write *w, const struct gw_ha_choices *c);
/* whole: what is sent is an integer. */
const char *gw_ha_number_point(struct gw_ha_entity *e, const char *hint, const struct gw_ha_read *r,
			       const struct gw_ha_write *w, bool whole);
const char *gw_ha_text_point(struct gw_ha_entity *e, const char *hint, const struct gw_ha_read *r,
			     const struct gw_ha_write *w);

/* Capabilities. component NULL: main. NULL when it exists already. */
struct gw_node *gw_ha_cap(struct gw_ha_entity *e, const char *component, const char *id,
			  const char *point);
/* x.ha.<object>[_suffix] of the type, with the entity's label. */
struct gw_node *gw_ha_extension(struct gw_ha_entity *e, const char *suffix, const char *type,
				const char *point);
/* Text choices as a standard enum when every word has a symbol there, else as an extension. Options: list of texts. */
void gw_ha_options(struct gw_ha_entity *e, const char *component, const char *id,
		   const char *suffix, const struct gw_node *options, const struct gw_ha_read *r,
		   const struct gw_ha_write *w);
/* An action that sends payload on topic_key through template_key (may be NULL). Does nothing without the topic. */
void gw_ha_action(struct gw_ha_entity *e, const char *component, const char *id,
		  const char *topic_key, const char *template_key, struct gw_str payload);
/* [low, high, step] in our unit, inside the model's bounds of id. */
void gw_ha_range(struct gw_ha_entity *e, struct gw_node *cap, const char *id, double low,
		 double high, double step);

/* --- platforms: false with a note when nothing of the entity could be imported --- */

typedef void gw_ha_import(struct gw_ha_entity *e);
gw_ha_import gw_ha_sensor, gw_ha_binary_sensor, gw_ha_switch, gw_ha_number, gw_ha_select,
	gw_ha_button, gw_ha_text_entity, gw_ha_event, gw_ha_device_tracker, gw_ha_update,
	gw_ha_trigger, gw_ha_scene;					     /* ha_simple.c */
gw_ha_import gw_ha_light;						     /* ha_light.c */
gw_ha_import gw_ha_climate, gw_ha_water_heater, gw_ha_humidifier, gw_ha_fan; /* ha_climate.c */
gw_ha_import gw_ha_cover, gw_ha_valve, gw_ha_lock, gw_ha_vacuum, gw_ha_lawn_mower, gw_ha_siren,
	gw_ha_alarm; /* ha_cover.c */
