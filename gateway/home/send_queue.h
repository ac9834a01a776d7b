/*
 * What goes down to one device: jobs in order, one message in flight, at least min_gap between two, a reply awaited where the profile
 * names one, polls at their interval. Every wait has a deadline (security-rules §3: reply 5 s, total 30 s).
 */
#pragma once

#include "gw/adapter.h"
#include "gw/binding.h"
#include "gw/list.h"
#include "home/deadline.h"

struct gw_route;
struct gw_job;

/*
 * The job is over: every message was handed over (DONE), or why not. out is given back: take what it has (and zero it) or leave it.
 * Called once, only from gw_queue_pump and what calls it.
 */
typedef void gw_job_done(void *ctx, enum gw_status status, struct gw_outgoing *out);

struct gw_poll {
	uint16_t msg;
	bool queued;	 /* its ask is in the queue */
	int64_t next_ms; /* INT64_MAX: not by itself */
};

struct gw_queue {
	struct gw_list jobs;
	struct gw_send send; /* in flight */
	struct gw_buf channel;
	bool in_flight, replied, pumping;
	bool awaiting_ask;
	int32_t awaiting;      /* message whose arrival ends the wait, or -1 */
	int64_t flight_ms;     /* since when in flight */
	int64_t awaiting_ms;   /* until when */
	int64_t sent_ms;       /* last send, for min_gap */
	int64_t gap_ms;	       /* min_gap of that message */
	int64_t not_before_ms; /* back-off */
	unsigned
		wake; /* gw_ask_on that came up: asks and waiting commands follow in the next turn */
	uint8_t failures; /* in a row, for the back-off */
	uint8_t missed;	  /* asks without answer, in a row */
	struct gw_poll *polls;
	size_t n_polls;
	struct gw_deadline due;
};

int gw_queue_init(struct gw_route *r) GW_MUST_USE;
void gw_queue_fini(struct gw_route *r); /* jobs end with UNREACHABLE */
/*
 * out is moved out of. cause: of the command. The job is not begun after expires_ms; an urgent one does not wait for a device that is
 * away. Call gw_queue_pump next.
 */
struct gw_job *gw_queue_submit(struct gw_route *r, struct gw_outgoing *out, uint64_t cause,
			       int64_t expires_ms, bool urgent, gw_job_done *done,
			       void *ctx) GW_MUST_USE;
/* The submitter lost interest: done is not called. A job not begun is dropped. */
void gw_queue_abandon(struct gw_route *r, struct gw_job *job);
bool gw_job_begun(const struct gw_job *job);
/* Asks for the message's answer; asks of the same message are one. */
void gw_queue_ask(struct gw_route *r, uint16_t msg, int64_t after_ms);
/* All asks of the plan with one of these occasions (gw_ask_on). */
void gw_queue_ask_on(struct gw_route *r, unsigned on);
/* Everything that the profile can ask for; false when there is nothing. */
bool gw_queue_ask_all(struct gw_route *r);
void gw_queue_received(struct gw_route *r, uint16_t msg);
/* The device came online, woke up, was bound (gw_ask_on, or 0): its asks and waiting commands go out in the next turn. */
void gw_queue_wake(struct gw_route *r, unsigned on);
/* Looks whether something can go out now. */
void gw_queue_pump(struct gw_route *r);
