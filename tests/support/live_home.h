/*
 * A real gateway in a directory of its own, with one adapter that is played by the test: it takes the name mqtt, so that MQTT profiles bind to
 * it, keeps what is sent, and says what arrives. No network, no broker, no surfaces; time passes when the test says so.
 */
#pragma once

#include "gw/adapter.h"
#include "gw/home.h"
#include "gw/surface.h"
#include "home/gateway.h"

#define PLAYED_SENDS 256

struct played_send {
	char channel[GW_TOPIC_BYTES + 1], body[512];
	struct gw_send *send;
	bool done; /* gw_send_done was called, or it was cancelled */
	bool cancelled;
};

/* The adapter's side; one at a time, reset by live_home_open. */
struct played {
	struct gw_adapter *adapter;
	struct gw_adapter_device *devices[1100];
	size_t n_devices;
	struct played_send sends[PLAYED_SENDS];
	size_t n_sends;
	size_t done_upto;
	bool hold;  /* sends wait for played_done; else they are done at once */
	bool busy;  /* inside send */
	int refuse; /* answer of send, negative; 0: accept */
	int refuse_attach;
	char filters[64][GW_TOPIC_BYTES + 1];
	size_t n_filters;
	unsigned discovers, scans, stops;
};
extern struct played played;

struct live_home {
	struct gw_loop *loop;
	struct gw_gateway *g;
	char dir[64], profiles[80], state[80], config[80];
	struct gw_listener listener; /* writes what it hears into heard */
	char heard[32768];
	size_t n_heard, flushes;
	struct gw_principal owner;
};

/* The one surface of the home; NULL, as it is unless a test says otherwise: none. Set before live_home_open. */
extern const struct gw_surface_class *live_surface;

/* profiles: texts, NULL-terminated; each is stored under its `id:`. config: of hearth.yaml beyond `broker: false`, or with a broker: section first, or NULL. */
void live_home_open(struct live_home *h, const char *const *profiles, const char *config);
void live_home_close(struct live_home *h);
/* Ends the gateway; starts another one on the same directory; both. */
void live_home_stop(struct live_home *h);
void live_home_start(struct live_home *h);
void live_home_restart(struct live_home *h);
/* The link comes up and everything settles. */
void live_home_up(struct live_home *h);
/* As an adoption does, without a candidate: stored, registered, attached. vars: "name=value …". */
struct gw_device *live_home_add(struct live_home *h, const char *id, const char *profile,
				const char *vars);
struct gw_device *live_home_add_typed(struct live_home *h, const char *id, const char *profile,
				      const char *vars, const char *type);
/* The device speaks by another profile from now on. */
void live_home_rebind(struct live_home *h, const char *id, const char *profile, const char *vars);
/* Loop turns until nothing is left to do now; what was heard is complete. */
void live_home_settle(struct live_home *h);
/* Time passes, in steps of at most 50 ms, everything due on the way happens. */
void live_home_pass(struct live_home *h, int64_t ms);
/* "id/address=value quality" of a property, for comparison. */
const char *live_home_property(struct live_home *h, const char *device, const char *address);
const char *live_home_heard(struct live_home *h); /* since the last call */

/* A message on a topic, for every attached device with that channel; then the flush. */
void played_receive(const char *topic, const char *body, bool retained);
void played_announce(const char *topic, const char *body);
/* "channel body" of the n-th send since the last played_clear; "" beyond the last. */
const char *played_sent(size_t n);
void played_clear(void);
void played_done(size_t n, enum gw_status status);
