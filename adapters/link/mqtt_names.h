/* The addresses of a broker's name, looked up on the loop's pool. */
#pragma once

#include <stddef.h>

#include "gw/compiler.h"
#include "gw/loop.h"

#define GW_MQTT_ADDRESSES     8
#define GW_MQTT_ADDRESS_BYTES 108 /* sun_path is the longest */

struct gw_mqtt_lookup;

struct gw_mqtt_names {
	char address[GW_MQTT_ADDRESSES][GW_MQTT_ADDRESS_BYTES];
	size_t count, next;
	struct gw_mqtt_lookup *lookup; /* that runs, or NULL */
};

/*
 * 1: the host is an address or the path of a socket, it is there at once, and the pool's threads need not even start. 0: done follows,
 * with 0 or libuv's error. The system's resolver has the time-outs.
 */
int gw_mqtt_names_begin(struct gw_mqtt_names *n, struct gw_loop *l, const char *host,
			void (*done)(void *ctx, int status), void *ctx) GW_MUST_USE;
void gw_mqtt_names_abandon(struct gw_mqtt_names *n);	 /* done is not called any more */
const char *gw_mqtt_names_next(struct gw_mqtt_names *n); /* NULL after the last */
