/*
 * The adapter host: makes the adapters of the configuration, attaches devices to them, and stands between them and the home. The
 * first accepted device owns its address: nobody else can be steered onto it.
 */
#pragma once

#include "gw/adapter.h"
#include "gw/home.h"
#include "gw/map.h"
#include "home/gateway.h"
#include "home/send_queue.h"

struct gw_adapter_host {
	struct gw_adapter adapter;
	struct gw_hosts *hosts;
	enum gw_link_state state;
	char *reason;
	bool started, stopped, ready; /* ready: init succeeded, fini is due */
	bool reachable;		      /* up, or down so shortly that nobody needs to know */
	struct gw_list routes;
	size_t n_routes;
	struct gw_deadline grace;
	uint64_t messages, sends, failures;
};

struct gw_hosts {
	struct gw_gateway *gateway;
	struct gw_adapter_host *hosts;
	size_t n_hosts;
	struct gw_map *claims; /* address → device id: who owns it */
	uint64_t random;
	bool stopping;
};

/* One device at one adapter. Freed with the adapter's device memory behind it. */
struct gw_route {
	struct gw_adapter_device ad;
	struct gw_adapter_host *host;
	struct gw_device *device;
	struct gw_list link; /* of the host */
	bool attached, doomed;
	unsigned busy; /* inside its callbacks: freed when the last one returns */
	struct gw_channel *channels;
	const uint16_t *msg_of; /* pairs (channel, message), sorted by channel */
	uint32_t *first;	/* n_rx + 1: where a channel's messages begin in msg_of */
	char *names;		/* texts of the channels */
	char **claims;		/* keys in hosts->claims */
	size_t n_claims;
	struct gw_queue queue;
	_Alignas(16) unsigned char impl[];
};

int gw_hosts_new(struct gw_gateway *g, const struct gw_node *section, struct gw_hosts **ret_hosts,
		 struct gw_error *reterr_) GW_MUST_USE;
int gw_hosts_start(struct gw_hosts *h, struct gw_error *reterr_) GW_MUST_USE;
void gw_hosts_stop(struct gw_hosts *h);
bool gw_hosts_stopped(const struct gw_hosts *h);
void gw_hosts_free(struct gw_hosts *h); /* after the registry: no routes are left */
struct gw_adapter_host *gw_hosts_find(struct gw_hosts *h, const char *name);
/* Gives the adapters the discovery filters of now. */
void gw_hosts_discover(struct gw_hosts *h);
enum gw_status gw_hosts_scan(struct gw_hosts *h, uint32_t seconds) GW_MUST_USE;
uint32_t gw_hosts_random(struct gw_hosts *h, uint32_t below); /* for jitter */

/*
 * Attaches the device by its adapter, profile and variables. A claim of another device or an unknown adapter becomes the device's
 * problem: then -EADDRINUSE or -ENOENT.
 */
int gw_route_attach(struct gw_device *d);
void gw_route_detach(struct gw_device *d);
/* Whose address this binding would take; NULL: nobody's (other than except's). */
const char *gw_route_conflict(struct gw_hosts *h, const char *adapter, struct gw_binding *b,
			      const struct gw_vars *vars, const char *except);
bool gw_route_reachable(const struct gw_route *r);
/* Between enter and leave the route's memory stays, even when it is detached meanwhile (doomed). */
void gw_route_enter(struct gw_route *r);
void gw_route_leave(struct gw_route *r);
