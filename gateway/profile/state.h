/* The state of one device (gw/binding.h) and of one write on it. */
#pragma once

#include "profile/plan.h"

#define GW_PENDING_MIN_MS 3000 /* §11.5 */

/* Arrays lie in one allocation behind the struct, sized by the plan. */
struct gw_binding {
	struct gw_plan *plan;
	struct gw_slot *slots; /* by point: the raw last received, else init */
	struct gw_slot
		*pending; /* by point, valid where pending_set; allocated at the first write */
	int64_t *pending_until_ms;
	struct gw_value *values; /* by capability: reported */
	uint64_t *seen;		 /* points received ever */
	uint64_t *pending_set;
	uint64_t *touched;	/* points that the last receive set, also by absent */
	uint64_t *arrived;	/* points that it found */
	uint64_t *changed;	/* points whose raw it changed */
	uint64_t *dirty;	/* capabilities that depend on touched points */
	uint64_t *recompute;	/* capabilities that depend on changed points */
	struct gw_found *found; /* by extract of the message being received */
	struct gw_happened *events;
	struct gw_buf
		*kept; /* last accepted body of messages that rmw starts from; length 0: none */
	struct gw_text **vars;
	uint16_t *caps; /* of the last receive */
	uint8_t *quality;
	int8_t *wished; /* by toggle: −1 none, else the wanted value since its points were last received */
	uint16_t last_msg;
	struct gw_buf scratch;
};

struct gw_view gw_view_reported(const struct gw_binding *b);
/* Recomputes every property from the slots. */
int gw_binding_recompute(struct gw_binding *b) GW_MUST_USE;
/* A raw from what was found; the text is borrowed from the body or b->scratch, a tree from *a (made when needed). */
int gw_found_cook(struct gw_binding *b, const struct gw_found *f, const struct gw_ref *ref,
		  const struct gw_pl_point *p, struct gw_arena **a,
		  struct gw_cooked *ret_cooked) GW_MUST_USE;

/* One write while it is carried out. */
struct gw_writing {
	struct gw_binding *b;
	const struct gw_plan *plan;
	struct gw_view view; /* of the slots below */
	struct gw_slot *
		slots; /* write view: assigned, else pending, else received; owns only the assigned texts */
	uint64_t *assigned;
	uint64_t *by_also;
	bool also; /* assigning side effects now */
	struct gw_arena *arena;
	const char *address;
	struct gw_write_error *error;
	int64_t within_ms; /* longest confirm.within of what was written, at least 3 s */
	int16_t confirm_by;
	uint16_t n_written; /* capabilities */
	uint16_t n_fixed;
	uint16_t *fixed; /* messages to send without assignments, in order */
	uint16_t n_toggled;
	uint16_t *toggled; /* toggles sent, with their wish in the low bit */
	struct gw_buf scratch;
};

int gw_writing_init(struct gw_writing *w, struct gw_binding *b, int64_t now_ms, struct gw_arena *a,
		    struct gw_write_error *reterr_) GW_MUST_USE;
void gw_writing_fini(struct gw_writing *w);
int gw_write_refuse(struct gw_writing *w, const char *code, const char *fmt, ...) GW_PRINTF(3, 4);
/* state-unknown:<point> */
int gw_write_unknown(struct gw_writing *w, uint16_t point);
/* w(p) of §10 */
int gw_write_assign(struct gw_writing *w, uint16_t point, const struct gw_raw *value) GW_MUST_USE;
int gw_write_sets(struct gw_writing *w, const struct gw_set *sets, size_t n) GW_MUST_USE;
int gw_write_fixed(struct gw_writing *w, uint16_t msg) GW_MUST_USE;
/* One capability of a write without composing: checks 1–8 of §11. */
int gw_write_cap(struct gw_writing *w, uint16_t cap, const struct gw_node *value) GW_MUST_USE;

/* What a message becomes on its way out. */
struct gw_composing {
	struct gw_writing *w;
	bool single;		/* without assignments */
	struct gw_node **trees; /* by message, of tree codecs */
	struct gw_str *bodies;	/* by message: encoded */
	uint64_t *touched;	/* by message: has assigned points, or a layer that has */
	uint8_t *order;		/* by message: the smallest of its assigned points */
};

/* The raw that a message sends for a point: §6 current(p). 0, or state-unknown in w's error. */
int gw_compose_current(struct gw_composing *c, uint16_t point, struct gw_raw *ret_raw) GW_MUST_USE;
/* Is this out of the message set in its mode? */
bool gw_compose_wants(const struct gw_composing *c, const struct gw_pl_msg *m, size_t out);
/* The raw as a node (json, cbor) with `as` applied. */
int gw_compose_node(struct gw_composing *c, uint16_t point, const struct gw_raw *raw,
		    struct gw_node **ret_node) GW_MUST_USE;
int gw_compose_tree(struct gw_composing *c, const struct gw_pl_msg *m,
		    struct gw_node **ret_tree) GW_MUST_USE;
int gw_compose_layers(struct gw_composing *c, const struct gw_pl_msg *m, struct gw_node **tree,
		      uint8_t *frame, size_t len) GW_MUST_USE;
/* The last body that rmw starts from, NULL: none yet; and the refusal for that. */
const struct gw_buf *gw_compose_kept(const struct gw_composing *c, const struct gw_pl_msg *m);
int gw_compose_unknown(struct gw_composing *c, const struct gw_pl_msg *m);
int gw_send_all(struct gw_writing *w, struct gw_outgoing *ret_outgoing) GW_MUST_USE;
int gw_send_one(struct gw_writing *w, uint16_t msg, struct gw_outgoing *ret_outgoing) GW_MUST_USE;

/* *ret_expect stays NULL when no assigned point can be read. */
int gw_expect_new(const struct gw_writing *w, struct gw_expect **ret_expect) GW_MUST_USE;
