/*
 * The parts of the http surface:
 *
 *   http.c     the surface: options, start, stop
 *   listen.c   listening sockets, who may connect (limits of security-rules §3)
 *   conn.c     one connection: states, deadlines, what is read and written when
 *   wire.c     its bytes, plain or through TLS
 *   request.c  from a complete request to the API
 *   answer.c   what goes out: heads, bodies, server-sent events
 *   socket.c   a connection that became a WebSocket
 *   head.c     parsing a request head                  (pure)
 *   chunk.c    taking a chunked body apart             (pure)
 *   check.c    what a head must say                    (pure)
 *   frame.c    WebSocket framing                       (pure)
 *   page.c     the page at /                           (pure)
 *   tls.c      local CA and server certificate
 *
 * Private to surfaces/http.
 */
#pragma once

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gw/buf.h"
#include "gw/list.h"
#include "gw/loop.h"
#include "gw/surface.h"
#include "surfaces/api/channel.h"
#include "surfaces/http/check.h"
#include "surfaces/http/chunk.h"
#include "surfaces/http/frame.h"
#include "surfaces/http/tls.h"

#define GW_HTTP_NAMES_BYTES 2048
#define GW_HTTP_TOKEN_BYTES 512
#define GW_HTTP_CSRF_BYTES  65
#define GW_HTTP_OUT_BYTES   (GW_API_REPLY_BYTES + 64 * 1024)

struct gw_http;

struct gw_http_listener {
	struct gw_http *http;
	struct gw_watch *watch;
	int fd; /* -1: off */
	bool tls;
	uint16_t port;
};

struct gw_http {
	/* options */
	char *listen, *https_listen, *names_option;
	bool allow_plain;

	struct gw_surface *surface;
	struct gw_api *api;
	struct gw_tls *tls;
	SSL_CTX *ssl; /* NULL: no HTTPS */
	struct gw_http_listener listener[2];
	struct gw_timer *sweep;	  /* deadlines, while there are connections */
	struct gw_timer *upkeep;  /* names and certificate */
	struct gw_deferred *work; /* connections that are due, outside of any callback of the API */
	struct gw_list conns;
	size_t n_conns, n_sockets;
	char names[GW_HTTP_NAMES_BYTES]; /* of this machine, for Host and the certificate */
	unsigned char csrf_key[32];
	bool stopping, paused;
};

enum conn_state {
	CONN_HEAD,   /* waits for a request head */
	CONN_BODY,   /* collects the body */
	CONN_WORK,   /* the API works on it */
	CONN_ANSWER, /* the answer goes out */
	CONN_EVENTS, /* server-sent events */
	CONN_SOCKET, /* WebSocket */
	CONN_LINGER, /* nothing more is said; what still comes is thrown away, so that the peer can read the answer (RFC 9112 §9.6) */
};

struct conn {
	struct gw_list link; /* of gw_http.conns */
	struct gw_http *http;
	struct gw_watch *watch;
	int fd, events;	      /* what is watched for */
	SSL *ssl;	      /* NULL: plain */
	bool tls_wants_write; /* to go on reading, or the other way round */
	enum conn_state state;
	struct in6_addr peer; /* IPv4 as mapped */
	char source[INET6_ADDRSTRLEN], local[INET6_ADDRSTRLEN];
	int64_t deadline_ms; /* monotonic; 0: none */
	bool due;	     /* something is to be written or taken from the API */
	bool broken;	     /* to be closed */

	/* in */
	struct gw_buf rx;   /* arrived, not yet used */
	size_t scanned;	    /* of it, for the end of a head */
	struct gw_buf head; /* of the request that is being served */
	struct gw_buf body;
	size_t body_max; /* it becomes no longer than this; of a chunked one: … */
	bool chunked;
	struct gw_http_chunks chunks;
	bool chinese; /* the language of refusals */
	struct gw_api_call *call;

	/* out */
	struct gw_buf out;
	size_t sent;
	bool close;		       /* after the answer */
	bool head_only;		       /* HEAD */
	char csrf[GW_HTTP_CSRF_BYTES]; /* that goes with the answer; empty: none */

	/* events */
	struct gw_api_stream *stream;
	int64_t heard_ms, said_ms; /* when something came, when something went */

	/* WebSocket */
	struct gw_api_channel *channel;
	struct gw_ws ws;
	struct gw_buf message; /* that is arriving */
	uint8_t message_opcode;
	int64_t window_ms; /* of the count of frames */
	unsigned frames;
	bool closing; /* our close frame is out */
};

/* listen.c */
/* "127.0.0.1:8480", "[::]:8443"; "off" and "": *ret_off. -EINVAL. */
int gw_http_address(const char *text, struct sockaddr_storage *ret_addr, bool *ret_off) GW_MUST_USE;
bool gw_http_is_loopback(const struct sockaddr_storage *addr);
int gw_http_listener_open(struct gw_http_listener *l,
			  const struct sockaddr_storage *addr) GW_MUST_USE;
void gw_http_listener_close(struct gw_http_listener *l);
void gw_http_listener_resume(struct gw_http *h); /* after there were no descriptors left */
/* Fills h->names: localhost, host name, addresses of the interfaces, the option's names. */
void gw_http_find_names(struct gw_http *h);
/* Text of an IPv4-mapped or IPv6 address; cap ≥ INET6_ADDRSTRLEN. */
void gw_http_address_text(const struct in6_addr *a, char *ret_text);

/* http.c */
/* Once a minute while HTTPS is on: the names of this machine, and the certificate that follows them. ctx: struct gw_http */
void gw_http_upkeep(void *ctx);

/* conn.c */
/* Takes fd in any case. */
void gw_http_conn_open(struct gw_http *h, int fd, const struct in6_addr *peer,
		       const struct in6_addr *local, bool tls);
void gw_http_conn_close(struct conn *c); /* c is gone; not from within a callback of the API */
void gw_http_conn_due(struct conn *c);	 /* it is worked on at the end of the turn */
void gw_http_sweep(void *ctx);		 /* ctx: struct gw_http */
void gw_http_work(void *ctx);
void gw_http_wipe(struct gw_buf *b); /* empties it; what stood in it may have been secret */

/* wire.c */
int gw_http_wire_open(struct conn *c, SSL_CTX *ctx) GW_MUST_USE; /* ctx NULL: plain */
void gw_http_wire_close(struct conn *c);
/* > 0 bytes; 0: the peer has finished; -EAGAIN; other errors. */
long gw_http_wire_read(struct conn *c, char *p, size_t cap) GW_MUST_USE;
long gw_http_wire_write(struct conn *c, const char *p, size_t len) GW_MUST_USE;
void gw_http_wire_finish(struct conn *c);	 /* says that nothing more follows */
bool gw_http_wire_pending(const struct conn *c); /* TLS holds bytes that no poll will tell of */

/* request.c */
void gw_http_request_head(struct conn *c); /* c->head is complete */
void gw_http_request_body(struct conn *c); /* and c->body too */

/* answer.c: each fills c->out and sets the state */
void gw_http_answer(struct conn *c, const struct gw_api_reply *r);
void gw_http_answer_refusal(struct conn *c, const struct gw_http_refusal *r, bool chinese);
void gw_http_answer_page(struct conn *c, bool chinese);
void gw_http_answer_events(struct conn *c, struct gw_api_stream *s);
void gw_http_fill_events(struct conn *c, bool ping);
void gw_http_csrf(const struct gw_http *h, const char *session, char ret_hex[GW_HTTP_CSRF_BYTES]);

/* socket.c */
void gw_http_socket_open(struct conn *c, const struct gw_http_head *h, const struct gw_principal *p,
			 struct gw_api_stream *s);
void gw_http_socket_read(struct conn *c); /* uses c->rx */
void gw_http_socket_fill(struct conn *c); /* events into c->out */
void gw_http_socket_tick(struct conn *c, int64_t now_ms);
bool gw_http_socket_may_read(const struct conn *c);
void gw_http_socket_close(struct conn *c);

/* page.c */
void gw_http_page(struct gw_gateway *g, bool chinese, struct gw_buf *b);

/* For tests: the port that the kernel gave to listener i. */
uint16_t gw_http_port(const struct gw_surface *s, size_t i);
