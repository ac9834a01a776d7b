/*
 * WebSocket framing, the server's side (RFC 6455 §5). Pure, fuzzed: the decoder takes what has arrived and gives payload back in pieces,
 * unmasked in place, so that nothing is collected before it is known to be wanted. Private to surfaces/http.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gw/buf.h"
#include "gw/compiler.h"

enum gw_ws_opcode {
	GW_WS_CONTINUATION = 0,
	GW_WS_TEXT = 1,
	GW_WS_BINARY = 2,
	GW_WS_CLOSE = 8,
	GW_WS_PING = 9,
	GW_WS_PONG = 10
};
/* Status codes of a close frame (§7.4.1). */
enum {
	GW_WS_NORMAL = 1000,
	GW_WS_PROTOCOL = 1002,
	GW_WS_UNACCEPTABLE = 1003,
	GW_WS_NOT_UTF8 = 1007,
	GW_WS_POLICY = 1008,
	GW_WS_TOO_BIG = 1009,
	GW_WS_OUR_FAULT = 1011
};

struct gw_ws {
	uint64_t left; /* payload of the frame that is still to come */
	uint8_t mask[4];
	uint8_t opcode;	  /* of the message */
	uint8_t control;  /* of the frame, when it is a control frame */
	bool fin, inside; /* inside a frame */
	bool message;	  /* inside a message: its last frame is still to come */
	bool begins;	  /* the head of its first frame has come, but no payload */
	unsigned at;	  /* position in the mask */
};

struct gw_ws_piece {
	uint8_t opcode; /* of the message: TEXT or BINARY also for continuations; or of a control frame */
	char *p;	/* unmasked, in the caller's buffer */
	size_t len;
	bool first; /* of a message or control frame */
	bool last;  /* it is complete with this piece */
};

/*
 * Consumes from p. > 0: bytes used, *ret_piece is set when `*ret_got`. 0: more bytes are needed. -EPROTO: against the protocol.
 */
long gw_ws_decode(struct gw_ws *w, char *p, size_t len, struct gw_ws_piece *ret_piece,
		  bool *ret_got) GW_MUST_USE;
/* Appends one frame. */
void gw_ws_encode(struct gw_buf *b, enum gw_ws_opcode opcode, struct gw_str payload);
/* §4.2.2: the answer to Sec-WebSocket-Key; false when the key is not 16 bytes in base64. cap ≥ 29. */
bool gw_ws_accept(struct gw_str key, char *ret_accept, size_t cap);
