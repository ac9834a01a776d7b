/* The MQTT surface, private to its folder: see mqtt.c for what it speaks. */
#pragma once

#include "gw/buf.h"
#include "gw/home.h"
#include "gw/list.h"
#include "gw/map.h"
#include "gw/mqtt_link.h"
#include "gw/surface.h"

struct mqtt_ledger;

struct mqtt_surface {
	/* options */
	char *prefix, *rights;

	struct gw_surface *surface;
	struct gw_gateway *gateway;
	struct gw_mqtt_link *link;
	struct gw_listener listener;
	struct gw_principal
		principal; /* of everybody who may publish commands: the broker decides who that is */
	struct gw_map *devices; /* id → struct mqtt_device */
	struct gw_list dirty;	/* devices whose state document is out of date */
	struct gw_buf
		doc; /* scratch of the state document, kept so that publishing allocates nothing */
	struct mqtt_ledger *ledger;
	char *status_topic;
	size_t prefix_len;
	uint64_t published, dropped;
	bool up;
};

struct mqtt_device {
	struct gw_list dirty; /* in mqtt_surface.dirty */
	struct gw_device *device;
	char *state_topic;
	bool noted; /* the ledger knows the state topic */
	char id[GW_ID_BYTES];
};

/* --- state.c: the retained document of a device --- */

/* {"$online":true,"switch.on":true,…,"$quality":{"meter.power":"stale"}}: every property with a value; what is not "ok" is named. */
void mqtt_state_write(struct gw_buf *b, const struct gw_device *d);
void mqtt_state_publish(struct mqtt_surface *s, struct mqtt_device *d);

/* --- command.c: hearth/<device>/<component>/<group>/<name>/set and hearth/<device>/set --- */

int mqtt_command_subscribe(struct mqtt_surface *s) GW_MUST_USE;
void mqtt_command_receive(struct mqtt_surface *s, const struct gw_mqtt_message *m);

/* --- ledger.c: which retained topics are ours, also from earlier lives --- */

int mqtt_ledger_open(const char *state_dir, struct mqtt_ledger **ret_ledger) GW_MUST_USE;
void mqtt_ledger_close(struct mqtt_ledger *l);
/* Notes that topic holds a retained message of this device. The file is written when the batch is over. */
void mqtt_ledger_note(struct mqtt_ledger *l, struct gw_str device, struct gw_str topic);
/* Calls fn for each topic of the device and forgets them. */
void mqtt_ledger_forget(struct mqtt_ledger *l, struct gw_str device,
			void (*fn)(void *ctx, struct gw_str topic), void *ctx);
/* Calls fn for each device that the ledger knows; fn may not change it. */
void mqtt_ledger_each(const struct mqtt_ledger *l, void (*fn)(void *ctx, struct gw_str device),
		      void *ctx);
void mqtt_ledger_flush(struct mqtt_ledger *l);
