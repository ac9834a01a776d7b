/*
 * A live home with the MQTT surface on a real mosquitto, and a client beside it that keeps what it hears. Waits are for conditions with a
 * deadline; that something does not happen is known from an answer to what was asked after it.
 */
#pragma once

#include "gw/map.h"
#include "gw/mqtt_link.h"
#include "live_home.h"
#include "mosquitto.h"

struct mqtt_home {
	struct mosquitto_process broker;
	struct live_home home;
	struct gw_broker_endpoint endpoint;
	struct gw_loop *loop,
		*idle;		  /* the home's; idle: instead of it, while the home is stopped */
	struct gw_mqtt_link *ear; /* NULL while the broker is away at start or stop */
	struct gw_map *last;	  /* topic → the newest payload, owned text; empty: cleared */
	struct gw_map *counts;	  /* topic → messages heard, as a number */
	char watch[128];	  /* empty: nothing is written down */
	struct gw_buf log;
	char config[1024];
	bool ear_up;
};

/* options: of the section surfaces.mqtt, in flow style, "homie: true, …". Skips the test when there is no mosquitto. */
void mqtt_home_open(struct mqtt_home *m, const char *const *profiles, const char *options);
void mqtt_home_close(struct mqtt_home *m);
/* The gateway ends and starts again, with other options when they are not NULL. Without a broker nobody listens. */
void mqtt_home_restart(struct mqtt_home *m, const char *options);
void mqtt_home_stop(struct mqtt_home *m);
void mqtt_home_start(struct mqtt_home *m, const char *options);
/* Every connection of the gateway breaks, as if it were killed; it comes back by itself. */
void mqtt_home_cut(struct mqtt_home *m);
/* The broker ends and comes back on the same port: with what it had retained, or killed, without. */
void mqtt_home_stop_broker(struct mqtt_home *m);
void mqtt_home_kill_broker(struct mqtt_home *m);
void mqtt_home_start_broker(struct mqtt_home *m);
/* Until the surface is at the broker again, whatever that has retained. Needs a device "plug"; listens anew. */
void mqtt_home_wait_up(struct mqtt_home *m);
/* Until the client beside the home is connected (again). */
void mqtt_home_wait_ear(struct mqtt_home *m);

void mqtt_home_say(struct mqtt_home *m, const char *topic, const char *payload, bool retain);
/* The newest payload; NULL: never heard, or cleared. */
const char *mqtt_home_last(struct mqtt_home *m, const char *topic);
size_t mqtt_home_count(struct mqtt_home *m, const char *topic);
/* Until the newest payload on the topic has this text in it (NULL: until it is cleared); fails the test after the deadline. */
const char *mqtt_home_wait(struct mqtt_home *m, const char *topic, const char *text);
/* From now on every message below this prefix is written down, "rest=payload" in a line each, clipped. */
void mqtt_home_watch(struct mqtt_home *m, const char *prefix);
const char *mqtt_home_watched(const struct mqtt_home *m);
const char *mqtt_home_wait_watched(struct mqtt_home *m, const char *text); /* until this is in it */
/* Until so many messages were heard on the topic. */
void mqtt_home_wait_count(struct mqtt_home *m, const char *topic, size_t count);
/* Sends, and returns the next message on the other topic. */
const char *mqtt_home_ask(struct mqtt_home *m, const char *topic, const char *payload,
			  const char *answer);
/* Until this, "channel body", was sent to a device; since the last played_clear. Time passes in the home. */
void mqtt_home_wait_sent(struct mqtt_home *m, const char *text);
/* What was heard so far is forgotten, except for the retained messages: those have come again when it returns. */
void mqtt_home_listen_again(struct mqtt_home *m);
/* All that was said to and by the surface until now was heard. Needs a device "plug". */
void mqtt_home_settle(struct mqtt_home *m);
