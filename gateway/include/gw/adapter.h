/*
 * The adapter contract: one transport or vendor protocol, moving native messages. An adapter knows no profile and no model, never
 * blocks, persists nothing and owns no time-out policy: the host (home/adapter_host.c) owns queues, gaps, deadlines and retries.
 * All calls happen on the loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gw/compiler.h"
#include "gw/loop.h"
#include "gw/option.h"
#include "gw/profile.h"
#include "gw/status.h"
#include "gw/str.h"

#define GW_ADAPTER_ABI 1

struct gw_adapter_class;
struct gw_broker;
struct gw_adapter_host; /* the host's side, opaque to adapters */

struct gw_adapter {
	const struct gw_adapter_class *class;
	const char *name; /* instance name: log topic, metric label */
	void *impl; /* instance_size bytes, zeroed, options filled in; the host's allocation */
	struct gw_loop *loop;
	const struct gw_broker *broker; /* gw/broker.h; NULL: the home has no broker */
	struct gw_adapter_host *host;
};

/* A channel on which a device's messages arrive; index is what gw_adapter_receive gives back. */
struct gw_channel {
	const char *name; /* topic or filter, path, adapter word */
	uint16_t index;
};

struct gw_adapter_device {
	struct gw_adapter *adapter;
	void *impl;		     /* device_size bytes, zeroed; the host's allocation */
	const char *id;		     /* for logs; valid while attached */
	const struct gw_channel *rx; /* valid while attached */
	size_t n_rx;
	const struct gw_vars *vars; /* addresses, ids, secrets by name; valid while attached */
};

/* One native message on its way down. Valid from send until gw_send_done or cancel. */
struct gw_send {
	struct gw_str channel, body;
	enum gw_verb verb;
	uint8_t qos;
	bool retain, con;
	int16_t ct;
	void *impl; /* for the adapter's own bookkeeping */
};

enum gw_link_state {
	GW_LINK_DOWN,
	GW_LINK_CONNECTING,
	GW_LINK_UP,
	GW_LINK_REFUSED /* credentials: waits for the owner */
};

struct gw_adapter_class {
	uint32_t abi;
	const char *name; /* section of hearth.yaml */
	size_t instance_size, device_size;
	const struct gw_option *options; /* offsets into impl */
	int (*init)(
		struct gw_adapter *
			a); /* options are parsed: check combinations; no I/O. -EINVAL refuses the configuration */
	int (*start)(struct gw_adapter *a); /* begin, never block; report with gw_adapter_link() */
	void (*stop)(struct gw_adapter
			     *a); /* begin closing, idempotent; end with gw_adapter_stopped() */
	void (*fini)(struct gw_adapter *a); /* free; legal after a failed init */
	/* Watch for announcements on these channels (MQTT discovery filters); replaces the former set. Optional. The array is borrowed. */
	int (*discover)(struct gw_adapter *a, const char *const *channels, size_t n);
	int (*scan)(struct gw_adapter *a, uint32_t seconds); /* active search; optional */
	int (*attach)(struct gw_adapter *a,
		      struct gw_adapter_device *
			      d); /* -EADDRINUSE: a channel or address is taken by another device */
	void (*detach)(struct gw_adapter *a,
		       struct gw_adapter_device *d); /* no reports after return */
	/* 0: accepted, gw_send_done follows exactly once (maybe from within). Negative: refused now, no done. */
	int (*send)(struct gw_adapter *a, struct gw_adapter_device *d, struct gw_send *s);
	void (*cancel)(struct gw_adapter *a, struct gw_send *s); /* s is gone after this; no done */
};

/* --- upcalls, implemented by the host --- */

/* reason: one English sentence for the owner, or NULL. */
void gw_adapter_link(struct gw_adapter *a, enum gw_link_state state, const char *reason);
void gw_adapter_stopped(struct gw_adapter *a);
/* A message of an attached device on its channel. bytes are borrowed. retained: was stored by the broker before. */
void gw_adapter_receive(struct gw_adapter_device *d, uint16_t channel_index, struct gw_str bytes,
			bool retained);
/* Something announced itself on a discover channel. */
void gw_adapter_found(struct gw_adapter *a, const char *kind, struct gw_str channel,
		      struct gw_str bytes, bool retained);
void gw_send_done(struct gw_send *s, enum gw_status status);
/* The transport has handed over everything it had: results may go out now. Called at the end of each read batch. */
void gw_adapter_flush(struct gw_adapter *a);

/* Static table of the adapters that the build enabled; NULL beyond the last. */
const struct gw_adapter_class *gw_adapter_class_at(size_t index);
