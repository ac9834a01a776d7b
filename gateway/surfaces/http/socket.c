/*
 * GET /api/v1/events/ws: a WebSocket that begins with the events of the home and takes requests as well; surfaces/api/channel.h has the
 * messages. Events come bare ({"type":"property",…}), answers with the request's id. Only text messages, at most GW_BODY_BYTES long.
 *
 * A peer that sends more than GW_WS_FRAMES_PER_S frames in a second is not read from until the next one, nor is one that leaves GW_WS_QUEUE_BYTES
 * of its answers unread.
 */
#include <errno.h>
#include <string.h>

#include "gw/clock.h"
#include "surfaces/http/http.h"

#define PING_MS 30000 /* silence after which it is asked … */
#define DEAD_MS 45000 /* … and given up */

/* --- out --- */

static void on_wake(void *ctx)
{
	gw_http_conn_due(ctx);
}

static void on_send(void *ctx, struct gw_str text)
{
	struct conn *c = ctx;
	if (!c->closing) {
		gw_ws_encode(&c->out, GW_WS_TEXT, text);
		gw_http_conn_due(c);
	}
}

static const struct gw_api_channel_ops channel_ops = {on_send, on_wake};

/* The last thing we say; conn.c lingers when it is out. */
static void close_with(struct conn *c, unsigned status)
{
	char code[2] = {(char)(status >> 8), (char)status};
	if (!c->closing) {
		gw_ws_encode(&c->out, GW_WS_CLOSE, (struct gw_str){code, status ? 2 : 0});
		c->closing = true;
		gw_http_conn_due(c);
	}
}

void gw_http_socket_fill(struct conn *c)
{
	if (c->closing) {
		return;
	}
	(void)gw_api_channel_pump(c->channel); /* 0 or more messages into c->out */
	if (gw_api_channel_ended(c->channel)) {
		close_with(c, GW_WS_POLICY); /* the right to see them is gone (R10) */
	}
}

bool gw_http_socket_may_read(const struct conn *c)
{
	bool within = c->frames < GW_WS_FRAMES_PER_S || gw_clock_ms() - c->window_ms >= 1000;
	return within && c->out.len - c->sent < GW_WS_QUEUE_BYTES;
}

void gw_http_socket_tick(struct conn *c, int64_t now_ms)
{
	if (now_ms - c->heard_ms >= DEAD_MS && gw_http_socket_may_read(c)) {
		gw_http_conn_close(c);
		return;
	}
	if (!c->closing && now_ms - c->heard_ms >= PING_MS && now_ms - c->said_ms >= PING_MS / 3) {
		gw_ws_encode(&c->out, GW_WS_PING, GW_STR(""));
	}
	gw_http_conn_due(c); /* a new second has begun */
}

/* --- in --- */

static void take_message(struct conn *c)
{
	struct gw_str text = gw_buf_str(&c->message);
	if (!gw_str_is_utf8(text)) {
		close_with(c, GW_WS_NOT_UTF8);
	} else if (gw_api_channel_receive(c->channel, text)) {
		close_with(c, GW_WS_OUR_FAULT);
	}
	gw_http_wipe(&c->message);
}

static void take_text(struct conn *c, const struct gw_ws_piece *piece)
{
	if (piece->opcode == GW_WS_BINARY) {
		close_with(c, GW_WS_UNACCEPTABLE);
		return;
	}
	if (piece->first) {
		gw_buf_reset(&c->message);
	}
	gw_buf_add(&c->message, piece->p, piece->len);
	if (gw_buf_error(&c->message)) {
		close_with(c, GW_WS_TOO_BIG);
	} else if (piece->last) {
		take_message(c);
	}
}

/* RFC 6455 §5.5.1: a status and a reason, or nothing. */
static void take_close(struct conn *c, struct gw_str payload)
{
	bool formed = payload.len != 1 && gw_str_is_utf8(gw_str_sub(payload, 2, payload.len));
	close_with(c, !formed ? GW_WS_PROTOCOL : payload.len ? GW_WS_NORMAL : 0);
}

static void take_piece(struct conn *c, const struct gw_ws_piece *piece)
{
	int64_t now = gw_clock_ms();
	if (now - c->window_ms >= 1000) {
		c->window_ms = now;
		c->frames = 0;
	}
	c->frames += !c->ws.inside; /* it is complete; fragments count too */
	switch ((enum gw_ws_opcode)piece->opcode) {
	case GW_WS_PING:
		if (!c->closing) {
			gw_ws_encode(&c->out, GW_WS_PONG, (struct gw_str){piece->p, piece->len});
		}
		break;
	case GW_WS_CLOSE: take_close(c, (struct gw_str){piece->p, piece->len}); break;
	case GW_WS_TEXT:
	case GW_WS_BINARY: take_text(c, piece); break;
	case GW_WS_PONG: /* it lives: c->heard_ms */
	case GW_WS_CONTINUATION: break;
	}
}

void gw_http_socket_read(struct conn *c)
{
	size_t used = 0;
	while (used < c->rx.len && !c->closing && gw_http_socket_may_read(c)) {
		struct gw_ws_piece piece;
		bool got = false;
		long n = gw_ws_decode(&c->ws, c->rx.p + used, c->rx.len - used, &piece, &got);
		if (n < 0) {
			close_with(c, GW_WS_PROTOCOL);
			break;
		}
		if (n == 0) {
			break;
		}
		used += (size_t)n;
		if (got) {
			take_piece(c, &piece);
		}
	}
	if (c->closing) {
		used = c->rx.len; /* nothing is heard any more */
	}
	size_t left = c->rx.len - used;
	memmove(c->rx.p, c->rx.p + used, left);
	explicit_bzero(c->rx.p + left, used);
	gw_buf_truncate(&c->rx, left);
}

/* --- life --- */

void gw_http_socket_open(struct conn *c, const struct gw_http_head *h, const struct gw_principal *p,
			 struct gw_api_stream *s)
{
	char accept[32] = "";
	c->channel =
		gw_api_channel_new(c->http->api, p, /* local= */ false, c->source, &channel_ops, c);
	if (!c->channel || !gw_ws_accept(h->header[GW_HTTP_WS_KEY], accept, sizeof(accept))) {
		gw_api_stream_close(s);
		c->broken = true;
		return;
	}
	c->http->n_sockets++;
	gw_buf_printf(
		&c->out,
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Accept: %s\r\n\r\n",
		accept);
	c->state = CONN_SOCKET;
	c->deadline_ms = gw_clock_ms() + GW_HTTP_IDLE_MS;
	c->heard_ms = gw_clock_ms();
	gw_http_wipe(&c->head);
	if (gw_api_channel_adopt(c->channel, s)) {
		c->broken = true;
	}
}

void gw_http_socket_close(struct conn *c)
{
	if (c->channel) {
		gw_api_channel_free(c->channel);
		c->channel = NULL;
		c->http->n_sockets--;
	}
}
