/*
 * libmosquitto on our loop (adapters/link/mqtt_link.c): the only code that touches it. Name look-up goes through the loop's pool
 * (never inside mosquitto_connect), connecting is non-blocking with a deadline of 5 s, reconnecting backs off from 1 s to 30 s with full jitter; the
 * socket is watched anew after every reconnect; keepalive 30 s and TCP_USER_TIMEOUT find half-open connections (security rule
 * R26). Reading goes on until the socket is empty, and flush is called after each message; publishing writes at once when called outside
 * message(), but what a turn of the loop publishes after its first packet shares TCP segments and leaves at the end of the turn.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gw/adapter.h"
#include "gw/broker.h"
#include "gw/compiler.h"
#include "gw/loop.h"
#include "gw/str.h"

struct gw_mqtt_link;

struct gw_mqtt_message {
	struct gw_str topic, payload; /* borrowed */
	uint8_t qos;
	bool retained;
};

struct gw_mqtt_ops {
	void (*state)(
		void *ctx, enum gw_link_state state,
		const char *reason); /* UP after CONNACK; re-subscribing is done by the link */
	void (*message)(void *ctx,
			const struct gw_mqtt_message
				*m); /* may publish: the packet goes out right after it returns */
	void (*flush)(
		void *ctx); /* optional: after each message the link calls flush once message() has returned, outside libmosquitto's callback */
	void (*published)(
		void *ctx,
		int mid); /* optional: QoS 1 acknowledged, QoS 0 written; often from within publish, after *ret_mid is set */
};

struct gw_mqtt_will {
	struct gw_str topic, payload;
	uint8_t qos;
	bool retain;
};

/* endpoint and its texts must outlive the link. client_id NULL: random. will may be NULL. Does not connect yet. */
int gw_mqtt_link_new(struct gw_loop *l, const struct gw_broker_endpoint *endpoint,
		     const char *client_id, const struct gw_mqtt_will *will,
		     const struct gw_mqtt_ops *ops, void *ctx,
		     struct gw_mqtt_link **ret_link) GW_MUST_USE;
int gw_mqtt_link_start(struct gw_mqtt_link *k) GW_MUST_USE;
/* Sends DISCONNECT, then calls stopped once on the loop. */
void gw_mqtt_link_stop(struct gw_mqtt_link *k, void (*stopped)(void *ctx));
void gw_mqtt_link_free(
	struct gw_mqtt_link
		*k); /* at any time, also inside its callbacks; no callbacks afterwards */
enum gw_link_state gw_mqtt_link_state(const struct gw_mqtt_link *k);

/* Remembered and renewed after each reconnect; many filters go out in few SUBSCRIBE packets. */
int gw_mqtt_link_subscribe(struct gw_mqtt_link *k, struct gw_str filter, uint8_t qos) GW_MUST_USE;
int gw_mqtt_link_unsubscribe(struct gw_mqtt_link *k, struct gw_str filter) GW_MUST_USE;
/*
 * -ENOTCONN while down (nothing is queued: the caller decides, newest value per property), -E2BIG over GW_BODY_BYTES × 4, -EINVAL for a bad
 * topic, -ENOBUFS when more than 4 MiB wait for the broker. ret_mid may be NULL.
 */
int gw_mqtt_link_publish(struct gw_mqtt_link *k, struct gw_str topic, struct gw_str payload,
			 uint8_t qos, bool retain, int *ret_mid) GW_MUST_USE;
