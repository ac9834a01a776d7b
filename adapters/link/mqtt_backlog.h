/*
 * What was published and did not fit into the socket, oldest first, so that it has a cap in bytes. libmosquitto counts packets only.
 * A ring of ids; packets leave in the order of their ids.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gw/compiler.h"

struct gw_mqtt_backlog {
	struct gw_mqtt_waiting {
		uint16_t mid;
		uint32_t bytes;
	} * ring;		     /* owned */
	uint32_t size, first, count; /* size is a power of two */
	size_t bytes;
};

/* Room for one more. Asked before publishing, because what libmosquitto has taken cannot be taken back. -ENOBUFS over the cap, -ENOMEM. */
int gw_mqtt_backlog_reserve(struct gw_mqtt_backlog *b, size_t bytes) GW_MUST_USE;
void gw_mqtt_backlog_push(struct gw_mqtt_backlog *b, int mid, size_t bytes);
/* This one is out, and everything older. */
void gw_mqtt_backlog_pop(struct gw_mqtt_backlog *b, int mid);
void gw_mqtt_backlog_clear(struct gw_mqtt_backlog *b);
void gw_mqtt_backlog_fini(struct gw_mqtt_backlog *b);
