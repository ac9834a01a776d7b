/* What became of a command or request, and how each surface says it. One table (home/status.c) maps it. */
#pragma once

#include "gw/compiler.h"

enum gw_status {
	GW_STATUS_DONE,	       /* confirmed by the device */
	GW_STATUS_UNCONFIRMED, /* sent; the device did not confirm in time, or cannot */
	GW_STATUS_ACCEPTED,    /* in progress: the outcome follows as an event */
	GW_STATUS_REFUSED, /* by the profile or the model: reason says why (type, value, range, step, mode, …) */
	GW_STATUS_DENIED,	   /* by rights */
	GW_STATUS_UNAUTHENTICATED, /* nobody is logged in, or the login is over */
	GW_STATUS_STEP_UP,	   /* needs a fresh login */
	GW_STATUS_UNREACHABLE,
	GW_STATUS_TIMEOUT,
	GW_STATUS_EXPIRED, /* too old when its turn came */
	GW_STATUS_NOT_FOUND,
	GW_STATUS_CONFLICT,  /* already there, or changed meanwhile */
	GW_STATUS_INVALID,   /* malformed request */
	GW_STATUS_TOO_MANY,  /* a limit: try later */
	GW_STATUS_UNCLAIMED, /* the home has no owner yet */
	GW_STATUS_READ_ONLY, /* the store cannot be written now */
	GW_STATUS_FAILED,    /* our fault */
	GW_STATUS_COUNT,
};

struct gw_status_row {
	const char *name; /* stable word: "done", "not-found", … */
	int http, coap;	  /* 200, 205 … */
	int mqtt;	  /* MQTT 5 reason code */
	int exit_code; /* of the CLI: 0 ok, 1 failed, 2 usage, 3 not found, 4 refused by rights, 5 unreachable or timeout, 6 partial, 7 conflict, 8 daemon not running, 9 invalid input */
	const char *text_en, *text_zh; /* for people */
};
const struct gw_status_row *gw_status_row(enum gw_status s);
enum gw_status gw_status_find(const char *name); /* GW_STATUS_COUNT when unknown */
