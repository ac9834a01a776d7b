/*
 * One device as its profile sees it: the raws of its points, the values of its capabilities, the messages to send.
 * Receiving costs one scan of the body and touches only what depends on it; it allocates nothing while values keep their size.
 * No I/O, no timers: the caller passes the monotonic time.
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
#include "gw/value.h"

struct gw_binding;

/* vars must be complete (gw_profile_complete_vars). Takes its own reference of the plan. */
int gw_binding_new(struct gw_plan *plan, const struct gw_vars *vars,
		   struct gw_binding **ret_binding, struct gw_error *reterr_) GW_MUST_USE;
void gw_binding_free(struct gw_binding *b);
struct gw_plan *gw_binding_plan(const struct gw_binding *b); /* borrowed */
size_t gw_binding_bytes(
	const struct gw_binding *b); /* of the state itself, without texts that it alone holds */
void gw_binding_reset(struct gw_binding *b); /* as new: no raws, pending, bodies */
/* Expands {name} of a channel template from gw_msg_info. */
int gw_binding_channel(const struct gw_binding *b, const char *channel,
		       struct gw_buf *ret) GW_MUST_USE;

/* --- receiving --- */

struct gw_body {
	struct gw_str bytes;	       /* as it arrived: JSON or plain text, a frame */
	const struct gw_node *tree;    /* instead of bytes: json, cbor, form already parsed */
	const struct gw_node *options; /* {number: value} of CoAP and the like; NULL: none */
};

struct gw_received {
	bool ignored; /* if_json or if_byte did not hold, or dropped by dedup: nothing changed */
	const uint16_t *
		caps; /* properties that were recomputed, ascending; borrowed until the next call on this binding */
	size_t n_caps;
	const struct gw_happened {
		uint16_t cap;
		struct gw_value value; /* borrowed */
	} * events;
	size_t n_events;
	int presence; /* by link.presence: 1 online, 0 offline, -1: says nothing */
};

/*
 * One message. -EBADMSG: malformed, nothing changed. A retained message fills points but raises no event.
 * Values of recomputed capabilities are read with gw_binding_value; the caller compares them with what it had.
 */
int gw_binding_receive(struct gw_binding *b, size_t msg, const struct gw_body *body, bool retained,
		       int64_t now_ms, struct gw_received *ret_received) GW_MUST_USE;

/* Reported value of a property: NONE with *ret_quality unknown or unavailable, else ok. Never pending values. */
const struct gw_value *gw_binding_value(const struct gw_binding *b, size_t cap,
					enum gw_quality *ret_quality);
/* The domain that holds now: limits rule, ranges reported by the device, capability, model. *ret_ro: writing is refused by mode. */
void gw_binding_limits(struct gw_binding *b, size_t cap, struct gw_domain *ret_domain,
		       bool *ret_ro);
/* stale_after may be an expression: its value now, milliseconds, 0 never. */
int64_t gw_binding_stale_after_ms(struct gw_binding *b, size_t cap);

/* --- writing --- */

struct gw_wanted {
	struct gw_str address;
	const struct gw_node *value; /* borrowed; plain JSON value */
};

/* Messages to send, in order. All memory is the outgoing's; gw_outgoing_fini frees it. */
struct gw_outgoing {
	struct gw_out_msg {
		uint16_t msg;
		struct gw_str body;	    /* encoded as it goes out */
		const struct gw_node *tree; /* the same as tree for json, cbor; else NULL */
	} * msgs;
	size_t n_msgs;
	struct gw_expect *
		expect; /* what will confirm it; NULL: nothing to wait for (no readable point). Whoever takes it sets it to NULL here */
	struct gw_arena *arena;
};
void gw_outgoing_fini(struct gw_outgoing *o);

/* Word of profile-language §11: "readonly", "unavailable", "type", "mode", "value", "range", "step", "state-unknown:<point>", "unknown-capability", "unknown-action". */
struct gw_write_error {
	char code[64];
	char address[128]; /* of the capability that was refused */
	char text[256];	   /* for people, English; names the bounds in force */
};

/*
 * One write: whole or not at all. On success the assigned raws are pending until a message carries them or
 * max(confirm.within, 3 s) has passed. -EINVAL with *reterr_ on refusal. A write that needs no message (toggle already right) gives n_msgs 0.
 */
int gw_binding_write(struct gw_binding *b, const struct gw_wanted *wanted, size_t n, int64_t now_ms,
		     struct gw_outgoing *ret_outgoing, struct gw_write_error *reterr_) GW_MUST_USE;
int gw_binding_act(struct gw_binding *b, struct gw_str address, const struct gw_node *args,
		   int64_t now_ms, struct gw_outgoing *ret_outgoing,
		   struct gw_write_error *reterr_) GW_MUST_USE;
/* The fixed or empty message by itself (polls, asks). */
int gw_binding_ask(struct gw_binding *b, size_t msg, struct gw_outgoing *ret_outgoing) GW_MUST_USE;

/*
 * Confirmation (§5): after each receive of this binding, ask whether the expectation is met now: every assigned point that
 * can be read has been carried since by `by` (or any message) and equals. `carried` state lives in the expect.
 */
bool gw_expect_met(struct gw_expect *e, const struct gw_binding *b, size_t msg_received);
/* Messages whose replies carry the awaited points (for else: reread); fills at most n, returns the number. */
size_t gw_expect_asks(const struct gw_expect *e, const struct gw_binding *b, uint16_t *ret_msgs,
		      size_t n);
void gw_expect_free(struct gw_expect *e);

/* --- the journey and `explain`: what the last receive did, for people --- */

/* One line for each capability that depends on what the message carried: the rule, the raws, the value. */
void gw_binding_explain(const struct gw_binding *b, size_t msg, struct gw_buf *ret_text);
/* "  by point relay": the rule of a capability and the points it reads, for a message that is no more the last; nothing without a rule. */
void gw_plan_explain(const struct gw_plan *p, size_t cap, struct gw_buf *ret_text);

/* --- line protocol (§15): `hearth profile run`, embedded tests and conformance cases --- */

/* One request line (JSON) → one answer line without newline. The binding is replaced as needed by reset. */
int gw_line_answer(struct gw_binding *b, struct gw_str request,
		   struct gw_buf *ret_answer) GW_MUST_USE;
