/* The topic filters of a link: remembered over connections, sent in few packets at the end of a turn. */
#pragma once

#include <mosquitto.h>

#include "gw/compiler.h"
#include "gw/list.h"
#include "gw/map.h"
#include "gw/str.h"

struct gw_mqtt_filters {
	struct gw_map *all;
	struct gw_list subscribe, unsubscribe; /* not sent yet; empty while there is no session */
};

int gw_mqtt_filters_init(struct gw_mqtt_filters *f) GW_MUST_USE;
void gw_mqtt_filters_fini(struct gw_mqtt_filters *f); /* accepts one that is zeroed */
/* 1: something is to be sent now (session true), 0: nothing is; -ENOMEM, -ENOSPC, -ENOENT. */
int gw_mqtt_filters_add(struct gw_mqtt_filters *f, struct gw_str filter, uint8_t qos,
			bool session) GW_MUST_USE;
int gw_mqtt_filters_remove(struct gw_mqtt_filters *f, struct gw_str filter,
			   bool session) GW_MUST_USE;
/* A session began, ended: all of them are to be sent, none is. */
void gw_mqtt_filters_begin(struct gw_mqtt_filters *f);
void gw_mqtt_filters_end(struct gw_mqtt_filters *f);
/* Returns libmosquitto's code. */
int gw_mqtt_filters_send(struct gw_mqtt_filters *f, struct mosquitto *m) GW_MUST_USE;
