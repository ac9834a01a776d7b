/*
 * The API of the home, whatever carries it: HTTP, WebSocket, the control socket. One route table (route.c) says for each
 * request which action it is (R8), what it takes and what it answers; dispatch, the authorisation and the OpenAPI document
 * all read that table, so that they cannot differ. Private to surfaces/.
 *
 *   transport ── request ──► route ── gw_access_decide ──► handler ── reply ──► transport
 *   bus ── event ──► gw_api (filtered for each principal) ──► queue of the stream ── wake ──► transport pulls
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gw/broker.h"
#include "gw/home.h"

#define GW_API_PARAMS 16 /* of a query */
#define GW_API_REPLY_BYTES                                                                         \
	(32u * 1024 * 1024) /* GW_DEVICES devices with all their state, and room */

struct gw_api;
struct gw_api_call;
struct gw_api_stream;

/* broker may be NULL. One for each surface; it may be freed while calls are pending: they end in silence. */
struct gw_api *gw_api_new(struct gw_gateway *g, const struct gw_broker *broker,
			  const char *origin) GW_MUST_USE;
void gw_api_free(struct gw_api *a); /* accepts NULL; streams must be closed before */
struct gw_gateway *gw_api_gateway(const struct gw_api *a);

struct gw_api_param {
	struct gw_str name, value; /* decoded */
};

/* Everything is borrowed until gw_api_start returns. */
struct gw_api_request {
	struct gw_str method; /* "GET" */
	struct gw_str path;   /* decoded, without query */
	const struct gw_api_param *query;
	size_t n_query;
	struct gw_str body;   /* JSON text or empty … */
	struct gw_node *tree; /* … or already parsed by gw_api_parse; secrets in it are wiped */
	const struct gw_principal *principal; /* NULL: nobody */
	const char *source;		      /* address of the peer, for login limits */
	const char *token;	  /* the session or bearer token it came with; NULL: none */
	struct gw_str key;	  /* Idempotency-Key */
	struct gw_str if_match;	  /* as in the header: "3" or W/"3" */
	struct gw_str last_event; /* Last-Event-ID */
	bool chinese;
	bool local; /* control socket: may reach local routes */
};

struct gw_api_reply {
	int http; /* status code */
	const char *content_type;
	struct gw_buf *body; /* the callee may take its text (gw_buf_take) */
	uint64_t etag;	     /* revision; 0: none */
	bool has_seq;	     /* state was read: it is that of bus number seq */
	uint64_t seq, epoch;
	const char *allow; /* of 405 */
	int retry_after_s; /* 0: none */
	/* A login that asked for a cookie: its token, "" to end the session, NULL: nothing to do. */
	const char *session;
	/* GET …/events: the stream is the callee's from now on. */
	struct gw_api_stream *stream;
};
typedef void gw_api_reply_fn(void *ctx, const struct gw_api_reply *r);

/*
 * reply is called exactly once, maybe from within, unless the call is cancelled before. *ret_call is NULL when it was called from within.
 * -ENOMEM: nothing happened, no reply.
 */
int gw_api_start(struct gw_api *a, const struct gw_api_request *r, gw_api_reply_fn *reply,
		 void *ctx, struct gw_api_call **ret_call) GW_MUST_USE;
/* The peer is gone: what was begun is finished in silence. The call is gone after this. */
void gw_api_cancel(struct gw_api_call *c);

/* An error answer that a transport gives by itself: {"error":{"code","text","at"}}; detail may be NULL. */
void gw_api_write_error(struct gw_buf *b, enum gw_status s, bool chinese, const char *detail,
			const char *at);
/* JSON within the limits of security-rules §3; -EBADMSG, -E2BIG with *reterr_. The nodes live in *ret_arena. */
int gw_api_parse(struct gw_str text, struct gw_arena **ret_arena, struct gw_node **ret_root,
		 struct gw_error *reterr_) GW_MUST_USE;
/* Accept-Language: whether Chinese is wanted before English. */
bool gw_api_wants_chinese(struct gw_str accept_language);

/* --- targets: "/path?a=b&c=d" of a peer that sends them as one text --- */

struct gw_api_target {
	struct gw_str path;
	struct gw_api_param query[GW_API_PARAMS];
	size_t n_query;
	char text[2048]; /* where the decoded texts live */
};
/* -EINVAL: not beginning with '/', bad %XX, control characters; -E2BIG: too long, too many parameters. */
int gw_api_target_parse(struct gw_str s, struct gw_api_target *ret_target) GW_MUST_USE;

/* --- streams of events --- */

/* wake is called when there is something to take, or when the stream has ended; not from within gw_api_stream_*. */
void gw_api_stream_attach(struct gw_api_stream *s, void (*wake)(void *ctx), void *ctx);
/*
 * Takes the next event; the text is borrowed until the next call. *ret_id is "epoch:seq", the point from which to resume. False: none now.
 * A client that does not keep up gets one {"type":"resync"} in place of what it missed.
 */
bool gw_api_stream_next(struct gw_api_stream *s, struct gw_str *ret_text, char *ret_id,
			size_t id_cap);
bool gw_api_stream_ended(const struct gw_api_stream *s); /* the right to see it is gone (R10) */
void gw_api_stream_close(struct gw_api_stream *s);	 /* accepts NULL */
