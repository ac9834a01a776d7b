/*
 * The device side of a profile (profile-language §13): the same tables run backwards, so that a profile plays its product. Used by
 * `hearth sim`. No I/O: the caller moves the messages.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gw/buf.h"
#include "gw/compiler.h"
#include "gw/error.h"
#include "gw/node.h"
#include "gw/profile.h"

struct gw_twin;

/* What the twin emits: channel and body are borrowed until emit returns. */
struct gw_emission {
	struct gw_str channel, body;
	const struct gw_node *options; /* {number: value} of CoAP and the like; NULL: none */
	uint8_t qos;
	bool retain;
	int64_t delay_ms; /* of a slow one: to be sent so much later */
};

struct gw_twin_ops {
	void (*emit)(void *ctx, const struct gw_emission *e);
};

/*
 * vars: identity and channel variables of this instance. seed makes drifting values repeatable. State: one raw per point, from
 * `init`, else from the embedded tests' first body of its message, else 0, false or empty text.
 */
int gw_twin_new(struct gw_profile *p, const struct gw_vars *vars, uint64_t seed,
		const struct gw_twin_ops *ops, void *ctx, struct gw_twin **ret_twin,
		struct gw_error *reterr_) GW_MUST_USE;
void gw_twin_free(struct gw_twin *t);

/* Publishes what announces the product (the embedded `match` observation with this instance's variables), the presence and first state. */
void gw_twin_announce(struct gw_twin *t);
/* Presence goes to its offline value (what the broker would publish as will). will: the same as data, for MQTT wills; false when there is none. */
void gw_twin_leave(struct gw_twin *t);
bool gw_twin_will(struct gw_twin *t, struct gw_buf *ret_channel, struct gw_buf *ret_body);
/* Topic filters (expanded tx channels) on which the twin listens; NULL beyond the last. */
const char *gw_twin_filter(const struct gw_twin *t, size_t i);
/* A message for the device arrived: points change and the messages that carry them are emitted. */
void gw_twin_receive(struct gw_twin *t, struct gw_str channel, struct gw_str body);
/* Periodic report of every readable message; numbers that are not writable drift a little within their range. */
void gw_twin_report(struct gw_twin *t);
/* Sets a property as if somebody used the appliance itself; the change is emitted. */
int gw_twin_set(struct gw_twin *t, struct gw_str address, const struct gw_node *value,
		struct gw_error *reterr_) GW_MUST_USE;
/* The same for a map of several: one change, each message that carries some of it goes out once. */
int gw_twin_set_all(struct gw_twin *t, const struct gw_node *values,
		    struct gw_error *reterr_) GW_MUST_USE;

/* --- scenes: an appliance that goes through its programme by itself --- */

/*
 * A scenario is a map:
 *
 *   loop: true                                          # false: once
 *   scenes:
 *     - {when: {operation.state: running}, set: {operation.phase: washing}}
 *     - {after: 30m, set: {operation.phase: spinning}}
 *
 * Scenes are played in order. One waits until its capabilities have the values of `when`, then as long as `after` says, then sets.
 * Codes of a refusal: schema, with the place.
 */
int gw_scenario_check(const struct gw_node *scenario, struct gw_error *reterr_) GW_MUST_USE;
/* -ENOENT when it names a capability that the twin has not. */
int gw_scenario_fits(const struct gw_node *scenario, const struct gw_twin *t,
		     struct gw_error *reterr_) GW_MUST_USE;

/* Where one twin is in its scenario; begins as zero. */
struct gw_scene_place {
	size_t next;
	bool timed; /* due_ms holds: what it waited for is so */
	int64_t due_ms;
};
/*
 * Plays what is due; call it again after *ret_wait_ms and after each gw_twin_receive. *ret_wait_ms -1: it waits for a value, or is at its
 * end. An error is of what a scene sets: the scene is over, the others go on.
 */
int gw_scenario_play(const struct gw_node *scenario, struct gw_twin *t, int64_t now_ms,
		     struct gw_scene_place *place, int64_t *ret_wait_ms,
		     struct gw_error *reterr_) GW_MUST_USE;

/* --- faults on demand: what appliances do on a bad day --- */

/* Faults are of what the twin reports; its announcement and its will stay whole. The content of bad messages follows from the seed. */
enum gw_fault {
	GW_FAULT_SILENCE,    /* reports and answers nothing; still obeys */
	GW_FAULT_GARBAGE,    /* bodies are cut off, and no text where they are text */
	GW_FAULT_WRONG_TYPE, /* texts for numbers, numbers for texts; a frame has no types and stays */
	GW_FAULT_SLOW,	     /* everything comes late, by a duration */
	GW_FAULT_DUPLICATE, /* everything comes twice */
	GW_FAULT_REBOOT, /* off the network and back, every so often: the caller's, who has the connection */
	GW_FAULT_NA, /* points that have a sentinel show it */
	GW_FAULT_COUNT
};

/* KIND or KIND=DURATION, as people write it. A refusal names what there is; *ret_ms is 0 for one without duration. */
int gw_fault_parse(struct gw_str text, enum gw_fault *ret_fault, int64_t *ret_ms,
		   struct gw_error *reterr_) GW_MUST_USE;
void gw_twin_fault(struct gw_twin *t, enum gw_fault fault, int64_t ms, bool on);
