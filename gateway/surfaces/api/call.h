/* What a handler of the API works with. Private to surfaces/api. */
#pragma once

#include "gw/access.h"
#include "gw/buf.h"
#include "gw/error.h"
#include "gw/home.h"
#include "gw/list.h"
#include "gw/node.h"
#include "surfaces/api/api.h"
#include "surfaces/api/out.h"

#define GW_API_PATH_PARAMS 3

struct gw_api_route;

struct gw_api {
	struct gw_gateway *gateway;
	const struct gw_broker *broker;
	const char *origin;
	struct gw_list calls; /* pending gw_api_call.link */
	/* stream.c */
	struct gw_list streams;
	struct gw_listener listener;
	bool listening;
	struct gw_timer *recheck; /* while there are streams: rights end within a second (R10) */
	struct gw_buf text; /* the event that is being delivered, written once for all streams */
};

struct gw_api_call {
	struct gw_list link; /* of gw_api.calls while pending */
	struct gw_api *api;  /* NULL once the surface is gone */
	const struct gw_api_route *route;
	gw_api_reply_fn *reply; /* NULL once cancelled */
	void *ctx;
	bool chinese, in_handler, finished;

	/* Borrowed; only while the handler runs. */
	const struct gw_api_request *request;
	struct gw_str param[GW_API_PATH_PARAMS]; /* in the order of the pattern */
	struct gw_device *device;		 /* of {device} */
	const struct gw_node *body;		 /* checked against the route's schema */

	struct gw_principal principal; /* a copy; role NONE: nobody */
	enum gw_status status;	       /* set by gw_api_finish */
	struct gw_buf out;
	struct gw_api_reply answer;
	struct gw_error error;	   /* text and place of a refusal */
	char session[128];	   /* token that becomes a cookie; wiped */
	char subject[GW_ID_BYTES]; /* the account that is being changed */
	bool cookie;		   /* the login asked for one */
};

/* A handler: writes to c->out and returns how it went. ACCEPTED: pending, gw_api_finish follows (or was called from within). */
typedef enum gw_status gw_api_handler(struct gw_api_call *c);

enum gw_api_flag {
	GW_API_LOCAL = 1,     /* control socket only */
	GW_API_STREAM = 2,    /* answers with a stream of events */
	GW_API_WEBSOCKET = 4, /* over HTTP only as an upgrade */
	GW_API_CREATED = 8,   /* DONE is 201 */
	GW_API_TEXT = 16,     /* answers with text/plain */
	GW_API_COMMAND = 32,  /* the answer of every status is its outcome */
	GW_API_SECRET = 64,   /* the body holds a secret: wiped after use */
};

struct gw_api_route {
	const char *method, *path; /* "/api/v1/devices/{device}" */
	enum gw_action action;	   /* R8 */
	unsigned flags;
	const char *takes;	  /* schema of the body; NULL: none is accepted */
	const char *gives;	  /* schema of the answer; NULL: empty object */
	const char *const *query; /* names of the parameters; NULL: none is accepted */
	const char *summary;
	gw_api_handler *handler;
};
const struct gw_api_route *gw_api_route_at(size_t index); /* NULL beyond the last */
/* NULL with *ret_allow ("GET, POST"; cap ≥ 48) empty: no such path; else no such method there. */
const struct gw_api_route *gw_api_route_find(struct gw_str method, struct gw_str path,
					     struct gw_str *ret_params, char *ret_allow,
					     size_t cap);

/* Ends a pending call; c is gone after this. From within the handler it only notes the status. */
void gw_api_finish(struct gw_api_call *c, enum gw_status s);
/* Notes why, and returns s. at: JSON Pointer into the body, or a parameter's name. */
enum gw_status gw_api_fail(struct gw_api_call *c, enum gw_status s, const char *at, const char *fmt,
			   ...) GW_PRINTF(4, 5);
/* A path parameter as an id; NOT_FOUND when it cannot be one. */
enum gw_status gw_api_param_id(struct gw_api_call *c, size_t index, char ret_id[GW_ID_BYTES]);
/* Query parameter; p == NULL when absent. */
struct gw_str gw_api_query(const struct gw_api_call *c, const char *name);
/* Whether c's principal may do this with the device (NULL: with none in particular). */
bool gw_api_may(const struct gw_api_call *c, enum gw_action action, const struct gw_device *d);
/* The answer holds state: the number of the last event goes with it. */
void gw_api_note_seq(struct gw_api_call *c);
/* In the caller's language; "text: detail" when there is a detail. */
void gw_api_status_text(struct gw_buf *b, enum gw_status s, bool chinese, const char *detail);
/* The detail in the caller's language: in Chinese when the table of detail.c knows the text, else as it is. */
void gw_api_write_detail(struct gw_buf *b, const char *detail, bool chinese);
/* "30d" of the body → wall time from now; absent: 0. INVALID when it is not a duration above 0. */
enum gw_status gw_api_expiry(struct gw_api_call *c, const char *key, int64_t *ret_wall_ms);
/* A list of texts of the body → words with spaces; every word matches [a-z0-9_-]. */
enum gw_status gw_api_word_list(struct gw_api_call *c, const char *key, char *ret_words,
				size_t cap);

/* --- devices.c, shared with stream.c --- */
bool gw_api_sees(struct gw_gateway *g, const struct gw_principal *p, const struct gw_device *d,
		 const struct gw_cap_info *cap);
/* Whether a principal that is confined to some devices has this one among them; for ids whose device is gone. */
bool gw_api_listed(const struct gw_principal *p, const char *device_id);
bool gw_api_word_in(const char *words, struct gw_str word); /* words separated by spaces */
void gw_api_write_device(struct gw_api_call *c, struct gw_device *d); /* as GET /devices/{device} */

/* --- stream.c --- */
int gw_api_stream_open(struct gw_api_call *c, struct gw_str devices, struct gw_str after,
		       struct gw_api_stream **ret_stream) GW_MUST_USE;
void gw_api_streams_init(struct gw_api *a);
void gw_api_streams_fini(struct gw_api *a);

/* --- handlers --- */
gw_api_handler gw_api_health, gw_api_metrics, gw_api_openapi, gw_api_home, gw_api_doctor,
	gw_api_journey;
gw_api_handler gw_api_claim, gw_api_claim_code, gw_api_claim_open, gw_api_login, gw_api_logout,
	gw_api_me, gw_api_me_change;
gw_api_handler gw_api_accounts, gw_api_account_add, gw_api_account_change, gw_api_account_remove;
gw_api_handler gw_api_tokens, gw_api_token_add, gw_api_token_remove;
gw_api_handler gw_api_devices, gw_api_device, gw_api_device_change, gw_api_device_remove,
	gw_api_device_state;
gw_api_handler gw_api_property, gw_api_property_put, gw_api_command;
gw_api_handler gw_api_candidates, gw_api_adopt, gw_api_dismiss, gw_api_scan;
gw_api_handler gw_api_rooms, gw_api_room_add, gw_api_room_change, gw_api_room_remove;
gw_api_handler gw_api_model_capabilities, gw_api_model_types, gw_api_profiles;
gw_api_handler gw_api_events;
