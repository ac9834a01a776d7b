/* The MQTT surface, private to its folder: see mqtt.c for what it speaks. */
#pragma once

#include "gw/buf.h"
#include "gw/home.h"
#include "gw/list.h"
#include "gw/map.h"
#include "gw/mqtt_link.h"
#include "gw/surface.h"

#define MQTT_LOG	 "mqtt-surface"
#define MQTT_LEDGER_ROOT "$root" /* of what belongs to no device */
#define MQTT_DOC_BYTES	 (256u * 1024)

struct mqtt_homie;
struct mqtt_homie_device;
struct mqtt_ledger;

struct mqtt_surface {
	/* options */
	char *prefix, *rights, *discovery_prefix, *homie_domain;
	bool homeassistant, homie_on;

	struct gw_surface *surface;
	struct gw_gateway *gateway;
	struct gw_mqtt_link *link;
	struct gw_listener listener;
	struct gw_principal
		principal; /* of everybody who may publish commands: the broker decides who that is */
	struct gw_map *devices; /* id → struct mqtt_device */
	struct gw_list dirty;	/* devices whose state document is out of date */
	struct gw_list configs; /* devices whose Home Assistant document may be out of date */
	struct gw_buf doc; /* scratch of documents, kept so that publishing allocates nothing */
	struct mqtt_ledger *ledger;
	struct gw_timer *retry; /* the broker was choked: what is dirty goes out later */
	struct gw_timer *birth; /* Home Assistant has come up */
	char *status_topic, *birth_topic;
	size_t prefix_len;
	struct gw_list accepted; /* commands whose outcome is still to come, see command.c */
	size_t n_accepted;
	int64_t result_us;	  /* the token bucket of results that cost nothing */
	uint64_t rooms;		  /* digest of the names of the rooms */
	struct mqtt_homie *homie; /* NULL: off */
	uint64_t published, dropped;
	int parts; /* connections that have not ended yet */
	bool up, stopping;
	bool submitting; /* inside gw_command_submit: what is refused now has cost nothing */
};

struct mqtt_device {
	struct gw_list dirty;  /* in mqtt_surface.dirty */
	struct gw_list config; /* in mqtt_surface.configs */
	struct gw_device *device;
	char *state_topic;
	struct gw_plan *plan; /* of the last Home Assistant document; a reference, or NULL */
	uint64_t digest;      /* of that document; 0: not published in this connection */
	char *vacuum_topic;   /* Home Assistant's vacuum wants a document of its own, see ha.c */
	uint64_t vacuum_digest;
	struct mqtt_homie_device *homie;
	char id[GW_ID_BYTES];
};

/* component/group/name: the levels of a capability. "x.acme.mood" is x-acme/mood: no dot in a level, no '-' in an id. */
void mqtt_cap_levels(struct gw_buf *b, const struct gw_cap_info *cap);
/* May whoever publishes commands write or run it? */
bool mqtt_may_command(struct mqtt_surface *s, const struct gw_device *d,
		      const struct gw_cap_info *cap);
/* A digest for change detection among our own documents; never 0. */
uint64_t mqtt_digest(struct gw_str s);
/* False: down or choked; the caller keeps what it has to say. */
bool mqtt_publish(struct mqtt_surface *s, struct gw_str topic, struct gw_str payload, bool retain);

/* Documents and states of all devices, whether they have changed or not. */
void mqtt_say_everything(struct mqtt_surface *s);

/* --- state.c: the retained document of a device --- */

/* {"$online":true,"switch.on":true,…,"$quality":{"meter.power":"stale"}}: every property with a value; what is not "ok" is named. */
void mqtt_state_write(struct gw_buf *b, const struct gw_device *d);
/* False: try again later. */
bool mqtt_state_publish(struct mqtt_surface *s, struct mqtt_device *d);

/* --- command.c: hearth/<device>/<component>/<group>/<name>/set and hearth/<device>/set --- */

int mqtt_command_subscribe(struct mqtt_surface *s) GW_MUST_USE;
void mqtt_command_receive(struct mqtt_surface *s, const struct gw_mqtt_message *m);
/* One capability, whatever the topic was: text as people write it, JSON, or {"value":…,"id":…}. */
void mqtt_command_single(struct mqtt_surface *s, const char *device, const struct gw_cap_info *cap,
			 struct gw_str payload);
/* The outcome of a command that was answered with "accepted" before. */
void mqtt_command_settled(struct mqtt_surface *s, const struct gw_event *e);
void mqtt_command_fini(struct mqtt_surface *s);

/* --- ledger.c: which retained topics are ours, also from earlier lives --- */

/*
 * Every topic that is kept in an earlier life starts as doubtful. What the home wants to publish is noted, and is not doubtful
 * any more; what is still doubtful when everything was noted is cleared at the broker and forgotten.
 */
int mqtt_ledger_open(const char *state_dir, struct mqtt_ledger **ret_ledger) GW_MUST_USE;
void mqtt_ledger_close(struct mqtt_ledger *l);
/* Out of memory: a topic may stay behind one day, nothing else. */
void mqtt_ledger_note(struct mqtt_ledger *l, struct gw_str device, struct gw_str topic);
void mqtt_ledger_doubt(struct mqtt_ledger *l, struct gw_str device);
/*
 * Calls fn for doubtful topics, those of a device in the order in which they were noted. fn answers the number of the message that clears the
 * topic, 0 when it cannot be cleared at all, negative when not now. A topic is forgotten when its message was acknowledged; few are under way at
 * a time, so that none of them waits inside libmosquitto and overtakes a value that is published later. False: fn said not now.
 */
bool mqtt_ledger_sweep(struct mqtt_ledger *l, int (*fn)(void *ctx, struct gw_str topic), void *ctx);
/* The message was acknowledged. True: it was one of the sweep's, and others may follow now. */
bool mqtt_ledger_cleared(struct mqtt_ledger *l, int message);
/* The connection has ended: what is not acknowledged is doubtful again. */
void mqtt_ledger_interrupted(struct mqtt_ledger *l);
void mqtt_ledger_flush(struct mqtt_ledger *l); /* writes the file when something has changed */

/* --- ha.c: Home Assistant discovery, one document per device --- */

int mqtt_ha_start(struct mqtt_surface *s) GW_MUST_USE;
/* Notes the topics of the device in the ledger. */
void mqtt_ha_note(struct mqtt_surface *s, struct mqtt_device *d);
/* Publishes the document when it is not what was published before. False: try again later. */
bool mqtt_ha_publish(struct mqtt_surface *s, struct mqtt_device *d);
bool mqtt_ha_vacuum_publish(struct mqtt_surface *s, struct mqtt_device *d);
void mqtt_ha_birth(struct mqtt_surface *s, const struct gw_mqtt_message *m);

/* --- homie.c: Homie 5, on a connection of its own because it needs a will of its own --- */

int mqtt_homie_new(struct mqtt_surface *s) GW_MUST_USE; /* → s->homie */
int mqtt_homie_start(struct mqtt_homie *h) GW_MUST_USE;
void mqtt_homie_stop(struct mqtt_homie *h); /* ends with mqtt_part_stopped */
void mqtt_homie_free(struct mqtt_homie *h);
int mqtt_homie_add(struct mqtt_homie *h, struct mqtt_device *d) GW_MUST_USE;
void mqtt_homie_remove(struct mqtt_homie *h, struct mqtt_device *d);
void mqtt_homie_note(struct mqtt_homie *h, struct mqtt_device *d);
void mqtt_homie_changed(struct mqtt_homie *h, struct mqtt_device *d);
void mqtt_homie_property(struct mqtt_homie *h, struct mqtt_device *d, uint16_t index);
void mqtt_homie_happened(struct mqtt_homie *h, struct mqtt_device *d, const struct gw_event *e);
void mqtt_homie_flush(struct mqtt_homie *h);
/* mqtt.c: one of the connections has ended. */
void mqtt_part_stopped(struct mqtt_surface *s);
