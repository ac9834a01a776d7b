/*
 * The home as surfaces see it: devices, rooms, candidates, events, commands, the journey. Surfaces read snapshots and submit
 * commands; only the registry writes state. Pointers are borrowed until the next loop turn; keep ids.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gw/access.h"
#include "gw/binding.h"
#include "gw/buf.h"
#include "gw/compiler.h"
#include "gw/limits.h"
#include "gw/list.h"
#include "gw/loop.h"
#include "gw/profile.h"
#include "gw/status.h"
#include "gw/value.h"

struct gw_gateway;
struct gw_device;

struct gw_loop *gw_gateway_loop(struct gw_gateway *g);
struct gw_library *gw_gateway_library(struct gw_gateway *g);
const char *gw_gateway_version(void);
const char *gw_gateway_id(struct gw_gateway *g); /* random, stored: 16 hex digits */

/* --- registry: devices and their properties --- */

struct gw_property {
	const struct gw_cap_info *cap;
	uint16_t index; /* in the device */
	enum gw_quality quality;
	struct gw_value value;
	int64_t time_wall_ms; /* when the value was reported (or sent, when assumed) */
	uint64_t cause;	      /* of the message or command that set it */
	uint64_t seq;	      /* bus number of its last change */
};

struct gw_device_info {
	const char *id;	  /* [a-z0-9_-]{1,64}, stable; from the name at adoption */
	const char *name; /* display text, cleaned */
	const char *room; /* room id, or "" */
	const char *type; /* device type id */
	const char *vendor, *model, *firmware, *identity;
	const char *profile, *profile_version;
	const char *adapter;
	bool online, weak_identity;
	bool reachable;		   /* the adapter's link is up */
	int64_t last_seen_wall_ms; /* 0: never */
	int64_t adopted_wall_ms;
	uint64_t revision; /* raised by each change of what a person configured */
	uint64_t bad_messages;
	const char *
		problem; /* one sentence when something is wrong (profile missing, address taken), else "" */
};

size_t gw_device_count(struct gw_gateway *g);
struct gw_device *gw_device_find(struct gw_gateway *g, struct gw_str id); /* NULL when unknown */
struct gw_device *gw_device_at(struct gw_gateway *g,
			       size_t index); /* in order of adoption; NULL beyond the last */
void gw_device_info(const struct gw_device *d, struct gw_device_info *ret_info);
struct gw_binding *
gw_device_binding(struct gw_device *d); /* NULL when its profile could not be loaded */
size_t gw_device_property_count(
	const struct gw_device
		*d); /* capabilities, events and actions included: index = plan's cap index */
const struct gw_property *gw_device_property(const struct gw_device *d, size_t index);
/* Opaque memory of one surface at a device (slot 0–3, given out at surface start); NULL until set. */
void *gw_device_surface_data(const struct gw_device *d, unsigned slot);
void gw_device_set_surface_data(struct gw_device *d, unsigned slot, void *data);

/* Configuration by people; DONE means durable. The principal was checked by the caller's route; these check again. */
enum gw_status gw_device_rename(struct gw_gateway *g, const struct gw_principal *p,
				struct gw_device *d, const char *name) GW_MUST_USE;
enum gw_status gw_device_set_room(struct gw_gateway *g, const struct gw_principal *p,
				  struct gw_device *d, const char *room) GW_MUST_USE;
enum gw_status gw_device_remove(struct gw_gateway *g, const struct gw_principal *p,
				struct gw_device *d) GW_MUST_USE;

struct gw_room_info {
	const char *id, *name;
};
bool gw_room_at(struct gw_gateway *g, size_t index, struct gw_room_info *ret_info);
enum gw_status gw_room_add(struct gw_gateway *g, const struct gw_principal *p, const char *name,
			   char *ret_id, size_t cap) GW_MUST_USE;
enum gw_status gw_room_rename(struct gw_gateway *g, const struct gw_principal *p, const char *id,
			      const char *name) GW_MUST_USE;
enum gw_status gw_room_remove(struct gw_gateway *g, const struct gw_principal *p,
			      const char *id) GW_MUST_USE; /* its devices then have no room */

/* --- candidates: found, not adopted (quarantine: name and type only, no control) --- */

struct gw_candidate_info {
	const char *id;	      /* stable hash of the identity */
	const char *identity; /* "mac:…" */
	const char *name, *vendor, *model, *type;
	const char *profile; /* id of the best profile; "" when unknown or a tie */
	const char *reason;  /* why it matched: "tasmota.plug: topic, /ft, /rl/0 (score 4)" */
	const char *adapter;
	bool weak_identity, described; /* described: by its own self-description */
	bool adopted;		       /* its identity is a device already */
	int64_t first_seen_wall_ms, last_seen_wall_ms;
	/* Variables the owner must give (ask), NULL-terminated. */
	const struct gw_var_info *const *asks;
	/* Profiles that matched equally well; NULL-terminated ids, the owner chooses. */
	const char *const *ties;
};
size_t gw_candidate_count(struct gw_gateway *g);
bool gw_candidate_at(struct gw_gateway *g, size_t index, struct gw_candidate_info *ret_info);
bool gw_candidate_find(struct gw_gateway *g, const char *id, struct gw_candidate_info *ret_info);
struct gw_adoption {
	const char *candidate;		   /* id */
	const char *device;		   /* wanted device id, or NULL: from the name */
	const char *name, *room, *profile; /* NULL: as proposed */
	const struct gw_vars *vars;	   /* answers to asks, may be NULL */
};
/* DONE: durable, attached, *ret_device set. INVALID, CONFLICT, NOT_FOUND with *reterr_. */
enum gw_status gw_candidate_adopt(struct gw_gateway *g, const struct gw_principal *p,
				  const struct gw_adoption *a, struct gw_device **ret_device,
				  struct gw_error *reterr_) GW_MUST_USE;
/* Hides it until it is seen with another description. */
enum gw_status gw_candidate_dismiss(struct gw_gateway *g, const struct gw_principal *p,
				    const char *id) GW_MUST_USE;
/* Starts an active search on every adapter that has one. */
enum gw_status gw_scan(struct gw_gateway *g, const struct gw_principal *p,
		       uint32_t seconds) GW_MUST_USE;

/* --- bus: numbered events, sent in order at the end of the loop turn (or read batch) --- */

enum gw_event_type {
	GW_EVENT_PROPERTY, /* value or quality of device/index changed */
	GW_EVENT_HAPPENED, /* an event capability fired: device/index, value */
	GW_EVENT_DEVICE_ADDED,
	GW_EVENT_DEVICE_CHANGED, /* name, room, online, problem, or its description: then with other capabilities */
	GW_EVENT_DEVICE_REMOVED, /* only device_id is valid */
	GW_EVENT_CANDIDATE,	 /* candidates changed */
	GW_EVENT_COMMAND,	 /* outcome of a command */
	GW_EVENT_HOME,		 /* rooms, people, tokens changed */
	GW_EVENT_TYPES,
};

struct gw_event {
	uint64_t seq; /* starts at 1 in each life of the gateway; see gw_bus_epoch */
	enum gw_event_type type;
	int64_t time_wall_ms;
	const char *device_id;	  /* "" when none */
	struct gw_device *device; /* NULL when none or removed */
	uint16_t index;		  /* capability index for PROPERTY, HAPPENED */
	const struct gw_cap_info *cap;
	enum gw_quality quality;
	struct gw_value value; /* borrowed */
	uint64_t cause;
	/* COMMAND */
	uint64_t command_id;
	enum gw_status status;
	const char *reason;
};

struct gw_listener {
	struct gw_list link; /* the bus's */
	void (*event)(struct gw_listener *l,
		      const struct gw_event
			      *e); /* may submit commands and remove any listener; never blocks */
	void (*flush)(struct gw_listener *l); /* optional: the batch is complete */
};
void gw_bus_listen(
	struct gw_gateway *g,
	struct gw_listener *l); /* it first reads the registry itself, then gets events */
void gw_bus_unlisten(struct gw_listener *l);
uint64_t gw_bus_seq(struct gw_gateway *g); /* number of the last event */
uint64_t gw_bus_epoch(
	struct gw_gateway
		*g); /* random per life, so that a resumed number from an earlier life is noticed */
/* Calls fn for every kept event after seq, in order. -ESTALE: some are gone, the client must read everything anew. */
int gw_bus_replay(struct gw_gateway *g, uint64_t after_seq,
		  void (*fn)(void *ctx, const struct gw_event *e), void *ctx) GW_MUST_USE;

/* --- commands (design §8) --- */

struct gw_outcome {
	uint64_t command_id;
	enum gw_status status;
	const char *reason;  /* code of the refusal ("range", "mode", "state-unknown:p") or "" */
	const char *text;    /* for people */
	const char *address; /* capability that was refused, or "" */
	int64_t elapsed_us;
};
typedef void gw_command_done(void *ctx, const struct gw_outcome *o);

struct gw_command_request {
	const struct gw_principal *principal;
	const char *origin; /* surface, for the journey: "http", "control", "mqtt" */
	struct gw_str device;
	/* A write: address → value, carried out whole or not at all. */
	const struct gw_wanted *wanted;
	size_t n_wanted;
	/* Or an action (n_wanted == 0). */
	struct gw_str action;
	const struct gw_node *args; /* map or NULL */
	/* Idempotency: a key seen within the last 10 minutes answers with the first outcome and does nothing. NULL: none. */
	const char *key;
	int64_t expire_ms; /* 0: GW_COMMAND_EXPIRE_MS */
};
/*
 * done is called exactly once, maybe from within; wanted and args are borrowed during the call only. *ret_id (may be NULL) is the command's
 * number. Refusals are outcomes too: the return value is negative only for -ENOMEM.
 */
int gw_command_submit(struct gw_gateway *g, const struct gw_command_request *r,
		      gw_command_done *done, void *ctx, uint64_t *ret_id) GW_MUST_USE;

/* --- journey: the last messages and commands, hop by hop --- */

enum gw_hop_kind { GW_HOP_RECEIVED, GW_HOP_COMMAND, GW_HOP_SENT, GW_HOP_CONFIRMED, GW_HOP_BAD };
struct gw_hop {
	uint64_t cause;
	enum gw_hop_kind kind;
	int64_t time_wall_ms;
	char device[GW_ID_BYTES];
	char channel[GW_TOPIC_BYTES + 1];
	char msg[33];		    /* profile message */
	char raw[GW_JOURNEY_BYTES]; /* payload, clipped, secrets masked */
	size_t raw_len, body_len;
	char rules[512];		   /* one line per capability that changed: rule, value */
	char who[GW_ID_BYTES], origin[16]; /* of commands */
	/* -1: not of this hop. What changed nothing, or is held back by the device's rate, has no publish_us. */
	int64_t decode_us, state_us, publish_us, total_us;
	enum gw_status status;
};
/* Newest first; device NULL: all. fn returns false to stop. */
void gw_journey_each(struct gw_gateway *g, const char *device,
		     bool (*fn)(void *ctx, const struct gw_hop *h), void *ctx);

/* --- health and metrics --- */

struct gw_metric {
	const char *name, *help, *type;	 /* Prometheus name, "counter" or "gauge" */
	const char *label, *label_value; /* NULL: none */
	double value;
};
void gw_metrics_each(struct gw_gateway *g, void (*fn)(void *ctx, const struct gw_metric *m),
		     void *ctx);
struct gw_check {	/* of `hearth doctor` and /health */
	const char *id; /* stable: "broker", "store", "claim", "profiles" */
	enum { GW_CHECK_OK, GW_CHECK_WARN, GW_CHECK_FAIL } state;
	char text[256], next_step[256];
};
void gw_checks_each(struct gw_gateway *g, void (*fn)(void *ctx, const struct gw_check *c),
		    void *ctx);
struct gw_adapter_info {
	const char *name, *class_name, *reason;
	int state; /* enum gw_link_state */
	size_t devices;
};
bool gw_adapter_at(struct gw_gateway *g, size_t index, struct gw_adapter_info *ret_info);
int64_t gw_ready_us(struct gw_gateway *g); /* from process start to ready */
