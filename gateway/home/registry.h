/*
 * The registry: the devices of the home, their properties, the rooms. The single writer of state. Made of registry.c (devices and
 * restoring), property.c (values and their quality, profile-language §5) and arrange.c (what people change).
 */
#pragma once

#include "gw/home.h"
#include "gw/map.h"
#include "home/deadline.h"
#include "home/gateway.h"
#include "home/store.h"

struct gw_route; /* adapter_host.h: how the device is reached */

enum gw_state_flag {
	GW_STATE_HELD = 1,    /* its event waits for the device's next token */
	GW_STATE_UNSAVED = 2, /* the store has an older value */
	GW_STATE_ASSUMED = 4, /* shows a sent value; struct gw_assumption has the reported one */
};

/* Beside each gw_property: what only the registry needs. */
struct gw_property_state {
	int64_t seen_ms; /* monotonic: the last message that carried it; 0: none in this life */
	uint16_t msg;	 /* that message */
	uint8_t flags;	 /* gw_state_flag */
};

/* The reported value behind an assumed one. */
struct gw_assumption {
	struct gw_assumption *next;
	int64_t until_ms; /* INT64_MAX: for ever */
	uint16_t index;
	struct gw_property before;
};

enum gw_presence { GW_PRESENCE_UNKNOWN, GW_PRESENCE_ONLINE, GW_PRESENCE_OFFLINE };

#define GW_SURFACE_SLOTS 4

struct gw_device {
	struct gw_gateway *gateway;
	uint32_t refs;	     /* the registry's, and those of kept events and hops */
	uint32_t generation; /* changes with each binding */
	bool removed;
	enum gw_presence presence;
	bool online; /* as shown: presence and link */
	bool weak_identity;
	/* Texts that do not change, in one block. */
	char *texts;
	const char *id, *type, *vendor, *model, *identity, *adapter;
	/* Texts that do; each owned. */
	char *name, *room, *firmware, *profile_id, *problem;
	char *profile_text; /* of a described device whose profile could not be loaded; else NULL */
	bool described;
	int64_t adopted_wall_ms, last_seen_wall_ms;
	uint64_t revision, bad_messages, dropped_events;
	uint64_t last_cause; /* of the last message */
	struct gw_vars vars;
	struct gw_profile *profile;
	struct gw_binding *binding;
	struct gw_property *props; /* parallel to the plan's capabilities */
	struct gw_property_state *states;
	size_t n_props, n_held;
	struct gw_assumption *assumptions;
	struct gw_route *route;	 /* NULL: not attached */
	struct gw_list commands; /* command.c: pending, in order of arrival */
	struct gw_deadline due;	 /* property.c: the earliest of all its times */
	struct gw_deadline
		settle;	      /* adopt.c: a changed description is applied when it has settled */
	struct gw_list dirty; /* in the registry's list while it has unsaved values */
	int64_t rx_ms;	      /* monotonic: its last message */
	int64_t rate_us;      /* when the token bucket is full again */
	void *surface_data[GW_SURFACE_SLOTS];
};

struct gw_room {
	char *id, *name;
};

struct gw_registry {
	struct gw_gateway *gateway;
	struct gw_device **devices; /* in order of adoption */
	size_t n_devices, room_for;
	struct gw_map *by_id, *by_identity;
	struct gw_room *rooms;
	size_t n_rooms;
	uint32_t generation;
	struct gw_list dirty;
	struct gw_deadline save;
	int64_t rate_interval_us, rate_burst_us; /* 0: no limit */
	uint64_t messages, bad_messages, events_held, events_dropped;
};

int gw_registry_new(struct gw_gateway *g, struct gw_registry **ret_registry) GW_MUST_USE;
void gw_registry_free(struct gw_registry *r);
/* Ends all commands and takes all devices from their adapters: before the adapters are freed. */
void gw_registry_detach(struct gw_registry *r);
/* Everything that the store has: rooms, devices (each attached to its route), last values as stale. */
int gw_registry_restore(struct gw_gateway *g, struct gw_error *reterr_) GW_MUST_USE;

struct gw_device *gw_registry_find(const struct gw_registry *r, struct gw_str id);
struct gw_device *gw_registry_find_identity(const struct gw_registry *r, struct gw_str identity);
struct gw_device *gw_device_ref(struct gw_device *d);
void gw_device_unref(struct gw_device *d); /* accepts NULL */

/*
 * Adds what a record describes; profile may be NULL (then the device has a problem). -EEXIST, -ENOSPC, -ENOMEM. The binding is made;
 * a refusal of the profile or the variables becomes the device's problem.
 */
int gw_registry_add(struct gw_gateway *g, const struct gw_device_record *rec,
		    struct gw_profile *profile, struct gw_device **ret_device) GW_MUST_USE;
/* Takes it out: its commands end, its route is detached, DEVICE_REMOVED. */
void gw_registry_remove(struct gw_device *d);
/* Replaces profile and variables (vars is moved out of); values of capabilities that stay are kept as stale. */
int gw_registry_rebind(struct gw_device *d, struct gw_profile *profile, struct gw_vars *vars,
		       struct gw_error *reterr_) GW_MUST_USE;
/* The record as it should be stored; *text (caller frees) backs profile_text. */
int gw_registry_record(const struct gw_device *d, struct gw_device_record *ret_record,
		       char **ret_text) GW_MUST_USE;
/* NULL or "" clears. Emits DEVICE_CHANGED when it differs. */
void gw_registry_set_problem(struct gw_device *d, const char *text);
void gw_registry_changed(struct gw_device *d); /* emits DEVICE_CHANGED */

/* --- property.c --- */

/*
 * A message of the device: decode, state, events, journey, and at the very end confirmations, whose callbacks may do anything, also
 * remove the device. False: it was malformed or not meant (if_json, if_byte).
 */
bool gw_registry_receive(struct gw_device *d, uint16_t msg, const char *channel,
			 struct gw_str bytes, bool retained);
/* A message that could not be one (too long). */
void gw_registry_bad(struct gw_device *d, uint16_t msg, const char *channel, struct gw_str bytes,
		     const char *why);
/* A sent value is shown as assumed until until_ms (INT64_MAX: for ever). */
void gw_registry_assume(struct gw_device *d, size_t cap, const struct gw_value *value,
			int64_t until_ms, uint64_t cause);
/* Evidence about the device; the link's state is added by gw_registry_update_online. */
void gw_registry_set_presence(struct gw_device *d, enum gw_presence presence);
/* Nothing speaks against sending to it now. */
bool gw_registry_sendable(const struct gw_device *d);
/* Looks again whether it is online: after presence or its link changed. */
void gw_registry_update_online(struct gw_device *d);
/* Takes over what the binding says by itself (constants, initial values) after it was made. */
void gw_registry_sync(struct gw_device *d);
/* A last known value from the store. */
void gw_registry_restore_value(struct gw_device *d, size_t cap, struct gw_str json,
			       int64_t time_wall_ms);
void gw_registry_forget_assumptions(struct gw_device *d);
void gw_property_due(struct gw_deadline *due); /* device.due */
void gw_registry_mark_unsaved(struct gw_device *d, size_t cap);
void gw_registry_save(struct gw_registry *r); /* hands unsaved values to the store */
/* A wanted value (already accepted) as the model has it: no bounds are checked. */
int gw_property_value(const struct gw_cap_info *cap, const struct gw_node *node,
		      struct gw_value *ret_value) GW_MUST_USE;
