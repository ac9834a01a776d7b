/*
 * Commands (design §8): decide → check → profile inverse → the device's queue → the adapter → the device's own report → outcome,
 * exactly once. command.c takes them in and ends them, execute.c carries them out, renew.c repeats what a watchdog device forgets.
 */
#pragma once

#include "gw/home.h"
#include "gw/map.h"
#include "home/deadline.h"
#include "home/gateway.h"
#include "home/send_queue.h"

enum gw_command_phase {
	GW_PHASE_WAITING,    /* the device cannot be reached, or sleeps */
	GW_PHASE_JOINING,    /* further writes may join (coalesce) */
	GW_PHASE_READING,    /* a point that must be known was asked for */
	GW_PHASE_QUEUED,     /* in the device's queue, or on its way */
	GW_PHASE_CONFIRMING, /* sent; the device has not reported it yet */
	GW_PHASE_REREADING,  /* the same after `else` */
};

struct gw_waiter {
	struct gw_waiter *next;
	gw_command_done *done;
	void *ctx;
};

struct gw_key_record;

struct gw_command {
	struct gw_list link;	    /* commands->all, in order of arrival */
	struct gw_list device_link; /* device->commands */
	struct gw_gateway *gateway;
	struct gw_device *device;  /* a reference */
	struct gw_command *leader; /* goes out with this one; NULL: by itself */
	uint64_t id;
	int64_t start_us, expires_ms;
	struct gw_principal principal;
	char origin[16];
	struct gw_arena *arena; /* of wanted, action, args */
	struct gw_wanted *wanted;
	size_t n_wanted;
	struct gw_str action;
	const struct gw_node *args;
	enum gw_command_phase phase;
	bool internal;	   /* ours (renew): no rights to check, nobody to tell */
	bool critical;	   /* R11: never waits for a device that is away */
	bool alone;	   /* its joined write failed: now by itself */
	bool again;	   /* to be carried out now */
	bool asked;	   /* the read before the write was tried */
	bool second;	   /* the `else` of confirm was used up */
	bool met;	   /* the device has reported it */
	int64_t within_ms; /* confirm */
	enum gw_confirm_else otherwise;
	struct gw_deadline due;
	struct gw_job *job;
	struct gw_outgoing out; /* kept for else: resend */
	struct gw_expect *expect;
	struct gw_waiter *waiters;
	size_t n_waiters;
	struct gw_key_record *key;
};

/* An idempotency key and what came of it. */
struct gw_key_record {
	struct gw_list link; /* in order of arrival */
	char *key;	     /* "who key" */
	int64_t at_ms;
	struct gw_command *pending; /* NULL: the outcome below is final */
	struct gw_outcome outcome;
	char *reason, *text, *address; /* owned, of outcome */
};

struct gw_command_counts {
	uint64_t by_status[GW_STATUS_COUNT];
	size_t pending;
};

struct gw_commands {
	struct gw_gateway *gateway;
	struct gw_list all;
	struct gw_command_counts counts;
	struct gw_map *keys;
	struct gw_list key_age;
	struct gw_list renewals; /* renew.c */
};

int gw_commands_new(struct gw_gateway *g, struct gw_commands **ret_commands) GW_MUST_USE;
void gw_commands_free(struct gw_commands *c);
/* A message of the device was applied. */
void gw_commands_received(struct gw_device *d, uint16_t msg);
/* The device can be reached (again), or is awake: what waited goes out. */
void gw_commands_wake(struct gw_device *d);
/* The device is being removed or bound anew: its commands end. */
void gw_commands_abort(struct gw_device *d, enum gw_status status, const char *text);

/* --- between the three files --- */

/* reason, text, address may be NULL. Frees c, and ends what joined it in the same way. */
void gw_command_finish(struct gw_command *c, enum gw_status status, const char *reason,
		       const char *text, const char *address);
/* Does the principal still have every right that this command needs? */
enum gw_status gw_command_rights(const struct gw_command *c) GW_MUST_USE;
struct gw_command *gw_command_new(struct gw_device *d,
				  const struct gw_command_request *r) GW_MUST_USE;
void gw_command_begin(struct gw_command *c); /* may end it at once */
void gw_command_due(struct gw_deadline *due);
/* These values were sent: those with `renew` will be sent again. */
void gw_renew_note(struct gw_command *c);
void gw_renew_forget(struct gw_commands *c, const struct gw_device *d); /* NULL: all */
