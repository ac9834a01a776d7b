#include "surfaces/http/frame.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#define CONTROL_BYTES 125 /* §5.5 */

static bool is_control(uint8_t opcode)
{
	return opcode & 8;
}

/* §5.2: the order of frames, reserved bits and opcodes, masks. */
static bool is_allowed(const struct gw_ws *w, uint8_t first, uint8_t second)
{
	uint8_t opcode = first & 0x0f;
	bool fin = first & 0x80;
	if (first & 0x70 || !(second & 0x80)) {
		return false; /* no extension was agreed; a client masks */
	}
	if (is_control(opcode)) {
		return opcode <= GW_WS_PONG && fin && (second & 0x7f) <= CONTROL_BYTES;
	}
	return opcode <= GW_WS_BINARY && (opcode == GW_WS_CONTINUATION) == w->message;
}

/* Length of the head, 0: incomplete. The payload's length in its shortest form, or none. */
static long read_head(struct gw_ws *w, const uint8_t *p, size_t len, uint8_t *message_opcode)
{
	if (len < 2) {
		return 0;
	}
	if (!is_allowed(w, p[0], p[1])) {
		return -EPROTO;
	}
	size_t wide = (p[1] & 0x7f) == 126 ? 2 : (p[1] & 0x7f) == 127 ? 8 : 0;
	if (len < 2 + wide + 4) {
		return 0;
	}
	uint64_t payload = wide ? 0 : p[1] & 0x7f;
	for (size_t i = 0; i < wide; i++) {
		payload = payload << 8 | p[2 + i];
	}
	if ((wide == 2 && payload < 126) || (wide == 8 && payload < 65536) || payload >> 63) {
		return -EPROTO;
	}
	uint8_t opcode = p[0] & 0x0f;
	w->fin = p[0] & 0x80;
	w->left = payload;
	w->at = 0;
	memcpy(w->mask, p + 2 + wide, 4);
	if (opcode != GW_WS_CONTINUATION && !is_control(opcode)) {
		*message_opcode = opcode;
	}
	return (long)(2 + wide + 4);
}

static void unmask(struct gw_ws *w, char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		p[i] = (char)((uint8_t)p[i] ^ w->mask[w->at++ & 3]);
	}
}

long gw_ws_decode(struct gw_ws *w, char *p, size_t len, struct gw_ws_piece *ret_piece,
		  bool *ret_got)
{
	size_t used = 0;
	bool begins = false;
	*ret_got = false;
	if (!w->inside) {
		bool was_message = w->message;
		uint8_t opcode = len ? (uint8_t)p[0] & 0x0f : 0;
		long n = read_head(w, (const uint8_t *)p, len, &w->opcode);
		if (n <= 0) {
			return n;
		}
		used = (size_t)n;
		w->inside = true;
		w->control = is_control(opcode) ? opcode : 0;
		w->message |= !is_control(opcode);
		begins = is_control(opcode) || !was_message;
		/* A control frame is short: it is taken whole. */
		if (w->control && len - used < w->left) {
			w->inside = false;
			w->message = was_message;
			return 0;
		}
	}
	size_t n = len - used < w->left ? len - used : (size_t)w->left;
	if (n == 0 && w->left) {
		/* Only a head so far: its beginning is told with the first payload. */
		w->begins |= begins;
		return (long)used;
	}
	unmask(w, p + used, n);
	w->left -= n;
	bool done = w->left == 0;
	*ret_piece = (struct gw_ws_piece){
		.opcode = w->control ? w->control : w->opcode,
		.p = p + used,
		.len = n,
		.first = begins || w->begins,
		.last = done && w->fin,
	};
	*ret_got = true;
	w->begins = false;
	w->inside = !done;
	if (done && w->fin && !w->control) {
		w->message = false;
	}
	return (long)(used + n);
}

void gw_ws_encode(struct gw_buf *b, enum gw_ws_opcode opcode, struct gw_str payload)
{
	gw_buf_putc(b, (char)(0x80 | opcode));
	if (payload.len < 126) {
		gw_buf_putc(b, (char)payload.len);
	} else {
		size_t wide = payload.len < 65536 ? 2 : 8;
		gw_buf_putc(b, wide == 2 ? 126 : 127);
		for (size_t i = wide; i-- > 0;) {
			gw_buf_putc(b, (char)((uint64_t)payload.len >> (8 * i)));
		}
	}
	gw_buf_add_str(b, payload);
}

bool gw_ws_accept(struct gw_str key, char *ret_accept, size_t cap)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	unsigned char text[24 + sizeof(guid)], digest[EVP_MAX_MD_SIZE], raw[18];
	unsigned len = 0;
	if (key.len != 24 || cap < 29 ||
	    EVP_DecodeBlock(raw, (const unsigned char *)key.p, 24) != 18 || key.p[23] != '=' ||
	    key.p[22] != '=') {
		return false;
	}
	memcpy(text, key.p, 24);
	memcpy(text + 24, guid, sizeof(guid) - 1);
	if (EVP_Digest(text, 24 + sizeof(guid) - 1, digest, &len, EVP_sha1(), NULL) != 1) {
		return false;
	}
	(void)EVP_EncodeBlock((unsigned char *)ret_accept, digest, (int)len);
	return true;
}
