/*
 * One connection.
 *
 *   HEAD ── complete ──► BODY ── complete ──► WORK ── reply ──► ANSWER ──► HEAD (keep-alive) or LINGER, then closed
 *     │        └─ no body ───────────────────►│        └ stream ► EVENTS
 *     └─ upgrade ──► SOCKET (socket.c)
 *
 * From WORK until the answer is out nothing is read: a second request waits in the kernel, not in our memory. Before anybody has logged in a connection
 * owns c->rx and c->head, each at most a head long, and a body of at most ANONYMOUS_BYTES (request.c).
 *
 * The API calls back from within its own loops; so its callbacks only note that something is due, and the work is done at the end of the
 * turn (gw_http_work), where a connection may be closed.
 */
#include <errno.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "surfaces/http/http.h"

#define CHUNK_BYTES (16 * 1024)
#define KEPT_BYTES  (16 * 1024) /* an idle connection keeps no larger buffer */
#define LINGER_MS   2000
#define PING_MS	    15000

/* --- life --- */

void gw_http_wipe(struct gw_buf *b)
{
	if (b->p) {
		explicit_bzero(b->p, b->len);
	}
	if (b->size > KEPT_BYTES) {
		gw_buf_fini(b);
	}
	gw_buf_reset(b);
}

void gw_http_conn_due(struct conn *c)
{
	c->due = true;
	gw_deferred_schedule(c->http->work);
}

static void on_io(void *ctx, int events);

void gw_http_conn_open(struct gw_http *h, int fd, const struct in6_addr *peer,
		       const struct in6_addr *local, bool tls)
{
	struct conn *c = gw_new(struct conn);
	if (!c) {
		(void)close(fd); /* nothing was said on it */
		return;
	}
	c->http = h;
	c->fd = fd;
	c->peer = *peer;
	gw_http_address_text(peer, c->source);
	gw_http_address_text(local, c->local);
	gw_buf_init(&c->rx, GW_HTTP_HEADER_BYTES + 2);
	gw_buf_init(&c->head, GW_HTTP_HEADER_BYTES);
	gw_buf_init(&c->body, GW_HTTP_BODY_BYTES);
	gw_buf_init(&c->out, GW_HTTP_OUT_BYTES);
	gw_buf_init(&c->message, GW_BODY_BYTES);
	gw_list_init(&c->link);
	gw_list_append(&h->conns, &c->link);
	h->n_conns++;
	c->deadline_ms = gw_clock_ms() + GW_HTTP_HEADER_MS;
	c->watch = gw_watch_new(gw_gateway_loop(h->surface->gateway), fd, on_io, c);
	c->events = UV_READABLE;
	if (!c->watch || gw_http_wire_open(c, tls ? h->ssl : NULL) ||
	    gw_watch_set(c->watch, c->events)) {
		gw_http_conn_close(c);
		return;
	}
	if (!gw_timer_active(h->sweep)) {
		gw_timer_start(h->sweep, 1000, 1000);
	}
}

void gw_http_conn_close(struct conn *c)
{
	struct gw_http *h = c->http;
	if (c->call) {
		gw_api_cancel(c->call);
	}
	gw_api_stream_close(c->stream);
	gw_http_socket_close(c);
	if (c->watch) {
		gw_watch_free(c->watch);
	}
	gw_http_wire_close(c);
	struct gw_buf *const buffers[] = {&c->rx, &c->head, &c->body, &c->out, &c->message};
	for (size_t i = 0; i < gw_countof(buffers); i++) {
		gw_http_wipe(buffers[i]);
		gw_buf_fini(buffers[i]);
	}
	gw_list_remove(&c->link);
	h->n_conns--;
	gw_free(c);
}

/* --- writing --- */

static void next_request(struct conn *c)
{
	gw_http_wipe(&c->head);
	gw_http_wipe(&c->body);
	gw_http_wipe(&c->out);
	c->sent = 0;
	c->state = CONN_HEAD;
	c->deadline_ms = gw_clock_ms() + (c->rx.len ? GW_HTTP_HEADER_MS : GW_HTTP_IDLE_MS);
}

static void linger(struct conn *c)
{
	gw_http_wire_finish(c);
	gw_http_wipe(&c->rx);
	gw_http_wipe(&c->head);
	gw_http_wipe(&c->body);
	gw_http_wipe(&c->out);
	c->sent = 0;
	c->state = CONN_LINGER;
	c->deadline_ms = gw_clock_ms() + LINGER_MS;
}

static void drained(struct conn *c)
{
	gw_http_wipe(&c->out);
	c->sent = 0;
	if (c->state == CONN_ANSWER) {
		c->close ? linger(c) : next_request(c);
	} else if (c->state == CONN_SOCKET && c->closing) {
		linger(c);
	} else if (c->state == CONN_EVENTS || c->state == CONN_SOCKET) {
		c->deadline_ms = 0;
	}
}

/* What was taken makes room when it is the larger part: for a peer that never takes all of it nothing piles up. */
static void compact(struct conn *c)
{
	size_t left = c->out.len - c->sent;
	if (c->sent >= CHUNK_BYTES && c->sent >= left) {
		memmove(c->out.p, c->out.p + c->sent, left);
		explicit_bzero(c->out.p + left, c->sent);
		gw_buf_truncate(&c->out, left);
		c->sent = 0;
	}
}

/* Writes what there is; false when the wire takes no more now. */
static bool flush(struct conn *c)
{
	while (c->sent < c->out.len) {
		size_t left = c->out.len - c->sent;
		long n = gw_http_wire_write(c, c->out.p + c->sent,
					    left < CHUNK_BYTES ? left : CHUNK_BYTES);
		int64_t now = gw_clock_ms();
		if (n == -EAGAIN) {
			if (!c->deadline_ms) {
				c->deadline_ms = now + GW_HTTP_IDLE_MS; /* to take it */
			}
			compact(c);
			return false;
		}
		if (n < 0) {
			c->broken = true;
			return false;
		}
		bool enough = c->sent / CHUNK_BYTES != (c->sent + (size_t)n) / CHUNK_BYTES;
		c->sent += (size_t)n;
		c->said_ms = now;
		if (enough) { /* not for each byte: a reader as slow as that holds what it does not read */
			c->deadline_ms = now + GW_HTTP_IDLE_MS;
		}
	}
	drained(c);
	return true;
}

/* Takes from the API what fits. */
static void refill(struct conn *c)
{
	if (c->sent < c->out.len || c->broken) {
		return;
	}
	if (c->state == CONN_EVENTS) {
		gw_http_fill_events(c, gw_clock_ms() - c->said_ms >= PING_MS);
	} else if (c->state == CONN_SOCKET) {
		gw_http_socket_fill(c);
	}
}

static void write_all(struct conn *c)
{
	do {
		if (gw_buf_error(&c->out)) {
			c->broken = true;
			return;
		}
		if (!flush(c)) {
			return;
		}
		refill(c);
	} while (c->out.len && !c->broken);
}

/* --- reading --- */

static bool wants_input(const struct conn *c)
{
	switch (c->state) {
	case CONN_HEAD:
	case CONN_BODY:
	case CONN_EVENTS:
	case CONN_LINGER: return true;
	case CONN_SOCKET: return gw_http_socket_may_read(c);
	case CONN_WORK:
	case CONN_ANSWER: break;
	}
	return false;
}

static void consume(struct conn *c, size_t n)
{
	size_t left = c->rx.len - n;
	memmove(c->rx.p, c->rx.p + n, left);
	explicit_bzero(c->rx.p + left, n);
	gw_buf_truncate(&c->rx, left);
}

static void read_head(struct conn *c)
{
	static const struct gw_http_refusal bare = {400, GW_STATUS_INVALID,
						    "a line feed without its carriage return"},
					    large = {431, GW_STATUS_INVALID,
						     "the head is larger than 16 KiB"};
	size_t len = 0;
	enum gw_http_end end = gw_http_find_end(gw_buf_str(&c->rx), &c->scanned, &len);
	if (end == GW_HTTP_MORE && c->rx.len <= GW_HTTP_HEADER_BYTES) {
		return;
	}
	c->csrf[0] = '\0';
	c->head_only = false;
	if (end != GW_HTTP_COMPLETE || len > GW_HTTP_HEADER_BYTES) {
		c->close = true;
		gw_http_answer_refusal(c, end == GW_HTTP_BAD ? &bare : &large, false);
		return;
	}
	gw_buf_add(&c->head, c->rx.p, len);
	consume(c, len);
	c->scanned = 0;
	if (gw_buf_error(&c->head)) {
		c->broken = true;
		return;
	}
	gw_http_request_head(c);
}

static void refuse_body(struct conn *c, const struct gw_http_refusal *refusal)
{
	c->close = true; /* where it ends is not known, or not waited for */
	gw_http_answer_refusal(c, refusal, c->chinese);
}

/* Every chunk that is here, and then what they leave is moved once. */
static void read_chunks(struct conn *c)
{
	static const struct gw_http_refusal bad = {400, GW_STATUS_INVALID,
						   "a chunk is not well-formed"},
					    large = {413, GW_STATUS_INVALID,
						     "the body is too large"};
	size_t used = 0;
	struct gw_str data;
	long n;
	while ((n = gw_http_chunk_decode(
			&c->chunks, gw_str_sub(gw_buf_str(&c->rx), used, c->rx.len), &data)) > 0) {
		used += (size_t)n;
		if ((uint64_t)c->chunks.left + data.len > c->body_max - c->body.len) {
			refuse_body(c, &large);
			return;
		}
		gw_buf_add_str(&c->body, data);
	}
	consume(c, used);
	if (n < 0) {
		refuse_body(c, &bad);
	} else if (gw_buf_error(&c->body)) {
		c->broken = true;
	} else if (c->chunks.state == GW_CHUNK_DONE) {
		gw_http_request_body(c);
	}
}

static void read_body(struct conn *c)
{
	if (c->chunked) {
		read_chunks(c);
		return;
	}
	size_t left = c->body_max - c->body.len, n = c->rx.len < left ? c->rx.len : left;
	gw_buf_add(&c->body, c->rx.p, n);
	consume(c, n);
	if (gw_buf_error(&c->body)) {
		c->broken = true;
	} else if (n == left) {
		gw_http_request_body(c);
	}
}

/* Uses what has arrived as far as the state allows. */
static void process(struct conn *c)
{
	while (c->rx.len && !c->broken && wants_input(c)) {
		size_t before = c->rx.len;
		enum conn_state state = c->state;
		switch (state) {
		case CONN_HEAD: read_head(c); break;
		case CONN_BODY: read_body(c); break;
		case CONN_SOCKET: gw_http_socket_read(c); break;
		case CONN_EVENTS:
		case CONN_LINGER: consume(c, c->rx.len); break;
		case CONN_WORK:
		case CONN_ANSWER: break;
		}
		write_all(c);
		if (c->rx.len == before && c->state == state) {
			break; /* more is needed */
		}
	}
}

/* Reads until there is nothing more, or the state wants nothing more. One turn reads a bounded number of bytes, so that others have theirs. */
static void read_all(struct conn *c)
{
	for (size_t total = 0; total < 8 * CHUNK_BYTES && !c->broken && wants_input(c);) {
		char chunk[CHUNK_BYTES];
		size_t room = c->rx.cap - c->rx.len;
		if (room == 0) {
			return; /* a WebSocket that has just become due again: process() is next */
		}
		long n = gw_http_wire_read(c, chunk, room < CHUNK_BYTES ? room : CHUNK_BYTES);
		if (n == -EAGAIN) {
			return;
		}
		if (n <= 0) {
			c->broken = true; /* whatever was begun is not complete */
			return;
		}
		int64_t now = gw_clock_ms();
		if (c->state == CONN_HEAD && c->rx.len == 0) {
			int64_t by = now + GW_HTTP_HEADER_MS; /* a head has begun */
			c->deadline_ms = by < c->deadline_ms ? by : c->deadline_ms;
		}
		c->heard_ms = now;
		total += (size_t)n;
		gw_buf_add(&c->rx, chunk, (size_t)n);
		explicit_bzero(chunk, (size_t)n);
		if (gw_buf_error(&c->rx)) {
			c->broken = true;
		}
		process(c);
	}
}

/* --- the loop's side --- */

static void settle(struct conn *c)
{
	bool writing = c->sent < c->out.len || c->tls_wants_write;
	int events = (wants_input(c) ? UV_READABLE : 0) | (writing ? UV_WRITABLE : 0);
	if (!c->broken && events != c->events) {
		c->broken = gw_watch_set(c->watch, events) != 0;
		c->events = events;
	}
	if (c->broken) {
		gw_http_conn_close(c);
	} else if (wants_input(c) && gw_http_wire_pending(c)) {
		gw_http_conn_due(c); /* no poll tells of what is here already */
	}
}

static void step(struct conn *c, int events)
{
	if (events & UV_WRITABLE || c->due) {
		write_all(c);
	}
	if (!c->broken) {
		process(c);
	}
	if (events & UV_READABLE || c->due || c->tls_wants_write) {
		read_all(c);
	}
	c->due = false;
	settle(c);
}

static void on_io(void *ctx, int events)
{
	step(ctx, events);
}

void gw_http_work(void *ctx)
{
	struct gw_http *h = ctx;
	gw_list_for_safe(pos, &h->conns)
	{
		struct conn *c = gw_container(pos, struct conn, link);
		if (c->due) {
			step(c, 0);
		}
	}
}

/* --- deadlines --- */

void gw_http_sweep(void *ctx)
{
	struct gw_http *h = ctx;
	int64_t now = gw_clock_ms();
	if (h->paused) {
		gw_http_listener_resume(h);
	}
	gw_list_for_safe(pos, &h->conns)
	{
		struct conn *c = gw_container(pos, struct conn, link);
		if (c->deadline_ms && now >= c->deadline_ms) {
			gw_http_conn_close(c);
		} else if (c->state == CONN_EVENTS && now - c->said_ms >= PING_MS) {
			gw_http_conn_due(c);
		} else if (c->state == CONN_SOCKET) {
			gw_http_socket_tick(c, now);
		}
	}
	if (h->n_conns == 0 && !h->paused) {
		gw_timer_stop(h->sweep);
	}
}
