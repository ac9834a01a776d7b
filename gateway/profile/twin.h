/* What the files of the twin share (profile-language §13). */
#pragma once

#include "gw/twin.h"
#include "profile/state.h"

#define GW_TWIN_ARENA_BYTES (GW_BODY_NODES * sizeof(struct gw_node) + 8 * GW_BODY_BYTES)
#define GW_TWIN_FILTERS	    64

/* A body of one message or layer on its way in or out. By codec: a tree, a frame, or a text. */
struct gw_twin_body {
	const struct gw_pl_msg *m;
	struct gw_node *tree;
	struct gw_str bytes;	 /* text, or a frame; in the arena */
	struct gw_node *options; /* {number: value}; NULL: none */
};

struct gw_twin_point {
	bool known;	  /* has a value: init, or from a test */
	bool event;	  /* feeds an event and no property: null unless something happens */
	uint8_t decimals; /* of the numbers in the test bodies */
};

struct gw_twin_drift {
	uint16_t cap, point;
	const struct gw_twin_habit *habit;
	double base; /* value around which it moves */
};

struct gw_twin {
	struct gw_profile *profile;
	struct gw_plan *plan;
	struct gw_binding *b; /* its slots are the state of the device */
	struct gw_vars vars;
	struct gw_arena *arena; /* of what lives as long as the twin */
	const struct gw_twin_ops *ops;
	void *ctx;
	uint64_t seed;
	uint64_t fault_seed; /* of its own, so that a fault does not change what drifts */
	unsigned faults;     /* bits of enum gw_fault */
	int64_t slow_ms;
	struct gw_raw wrong; /* a text that no number is */
	struct gw_twin_point *points;
	struct gw_twin_body *models; /* by message: the last test body; m NULL: none */
	char **sent,
		**heard; /* by message: expanded channel on which it is emitted, arrives; NULL: none */
	const char *filters[GW_TWIN_FILTERS + 1];
	size_t n_filters;
	struct gw_twin_drift *drifts;
	size_t n_drifts;
	struct gw_raw online, offline; /* raws of the presence point */
	bool has_presence;
};

/* --- reporting (twin.c) --- */

/* Does the message, or a layer of it, carry one of these points? */
bool gw_twin_carries(const struct gw_twin *t, const struct gw_pl_msg *m, const uint64_t *points);
/* The message as it is now, when it has a channel and its filters allow it. */
void gw_twin_emit(struct gw_twin *t, uint16_t msg);

/* --- bodies (twin_body.c) --- */

/* As it arrives. -EBADMSG: malformed. */
int gw_twin_body_parse(struct gw_arena *a, const struct gw_pl_msg *m, struct gw_str bytes,
		       struct gw_twin_body *ret_body) GW_MUST_USE;
/* As it stands in a test. */
int gw_twin_body_from_node(struct gw_arena *a, const struct gw_pl_msg *m, const struct gw_node *n,
			   struct gw_twin_body *ret_body) GW_MUST_USE;
/* An own copy, to be changed; of nothing: an empty one. */
int gw_twin_body_copy(struct gw_arena *a, const struct gw_pl_msg *m,
		      const struct gw_twin_body *from, struct gw_twin_body *ret_body) GW_MUST_USE;
/* What stands at ref as a raw into slot. -ENOENT: missing or null. p NULL: a filter. */
int gw_twin_body_get(struct gw_twin *t, const struct gw_twin_body *body, const struct gw_ref *ref,
		     const struct gw_pl_point *p, struct gw_slot *slot) GW_MUST_USE;
/* -EINVAL: the body has no such place. */
int gw_twin_body_set(struct gw_arena *a, struct gw_twin_body *body, const struct gw_ref *ref,
		     const struct gw_pl_point *p, const struct gw_raw *raw) GW_MUST_USE;
/* The layer m inside its parent's body. */
int gw_twin_layer_open(struct gw_arena *a, const struct gw_twin_body *parent,
		       const struct gw_pl_msg *m, struct gw_twin_body *ret_body) GW_MUST_USE;
int gw_twin_layer_close(struct gw_arena *a, struct gw_twin_body *parent,
			const struct gw_twin_body *layer) GW_MUST_USE;
void gw_twin_body_print(const struct gw_twin_body *body, struct gw_buf *b);

/* --- state (twin_state.c) --- */

/* Variables without value or default, from the observation that the tests show: a model name, a second topic level. */
int gw_twin_borrow_vars(struct gw_twin *t) GW_MUST_USE;
int gw_twin_learn(struct gw_twin *t) GW_MUST_USE; /* points and models from init and the tests */
int gw_twin_set_point(struct gw_twin *t, uint16_t point, const struct gw_raw *raw) GW_MUST_USE;
/* The observation that announces this instance, as topic and body. -ENOENT: no test has one. */
int gw_twin_announcement(const struct gw_twin *t, struct gw_arena *a, struct gw_buf *ret_topic,
			 struct gw_buf *ret_body) GW_MUST_USE;

/* --- faults (twin_fault.c) --- */

/* What a message shows for a point instead of raw; *ret_point NULL: as it is, without the point's type. */
const struct gw_raw *gw_twin_fault_raw(const struct gw_twin *t, const struct gw_pl_msg *m,
				       const struct gw_raw *raw,
				       const struct gw_pl_point **ret_point);
void gw_twin_fault_body(struct gw_twin *t, const struct gw_pl_msg *m, struct gw_buf *body);
unsigned gw_twin_fault_copies(const struct gw_twin *t); /* of each message that goes out */
bool gw_twin_lies(const struct gw_twin *t);		/* what it shows is not what it has */
/* xorshift64*: the next of a seed, −1 … 1 */
double gw_twin_chance(uint64_t *seed);

/* --- drifting (twin_drift.c) --- */

int gw_twin_drift_new(struct gw_twin *t) GW_MUST_USE;
void gw_twin_drift(struct gw_twin *t); /* changes points, emits nothing */
/* The raw of a read-only number's one point so that the capability reads v. -EINVAL: it does not follow from one. */
int gw_twin_solve(struct gw_twin *t, const struct gw_pl_cap *cap, double v,
		  double *ret_raw) GW_MUST_USE;
