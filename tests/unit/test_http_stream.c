#include "http_client.h"

/* --- server-sent events --- */

static const char *event(struct fixture *f, int fd)
{
	size_t n = 0;
	while (n + 1 < sizeof(f->body)) {
		if (!take(f, fd, f->body + n, 1)) {
			return NULL;
		}
		f->body[++n] = '\0';
		if (n >= 2 && memcmp(f->body + n - 2, "\n\n", 2) == 0) {
			break;
		}
	}
	return f->body;
}

static void events_are_streamed_and_resumed(void **state)
{
	struct fixture *f = *state;
	int fd = open_client(f);
	say(f, fd, "GET /api/v1/events HTTP/1.1\r\n" HOST OWNER "\r\n");
	assert_int_equal(hear(f, fd, false), 200);
	assert_has(f->head, "Content-Type: text/event-stream\r\n");
	assert_string_equal(
		event(f, fd),
		"id: abc123:7\ndata: {\"type\":\"hello\",\"epoch\":\"abc123\",\"seq\":7}\n\n");
	fake_home_change(&f->g, 0, FAKE_SWITCH, true);
	assert_has(event(f, fd), "id: abc123:8\ndata: {\"type\":\"property\"");
	advance(f, 16000);
	assert_string_equal(event(f, fd), ":\n\n"); /* still there */
	close(fd);
	fake_home_change(&f->g, 0, FAKE_SWITCH, false);
	int64_t until = gw_clock_ms() + DEADLINE_MS;
	while (!gw_list_empty(&f->g.listeners) && gw_clock_ms() < until) {
		fake_home_change(&f->g, 0, FAKE_SWITCH, false); /* writing finds out that it left */
		turn(f);
	}
	assert_true(gw_list_empty(&f->g.listeners));
	uint64_t last = f->g.seq;
	fd = open_client(f);
	char request[256];
	snprintf(request, sizeof(request),
		 "GET /api/v1/events HTTP/1.1\r\n" HOST OWNER "Last-Event-ID: abc123:%llu\r\n\r\n",
		 (unsigned long long)last - 1);
	say(f, fd, request);
	assert_int_equal(hear(f, fd, false), 200);
	char id[64];
	snprintf(id, sizeof(id), "id: abc123:%llu\n", (unsigned long long)last);
	assert_has(event(f, fd), id);
	f->g.valid = false; /* the token is revoked */
	fake_home_event(&f->g, GW_EVENT_HOME, 0, 0);
	fake_home_flush(&f->g);
	assert_null(event(f, fd));
	close(fd);
	f->g.valid = true;
	assert_int_equal(ask(f, "HEAD /api/v1/events HTTP/1.1\r\n" HOST OWNER "\r\n"), 200);
	assert_has(f->head, "Content-Type: text/event-stream\r\n");
	assert_true(gw_list_empty(&f->g.listeners));
	assert_int_equal(ask(f, "GET /api/v1/events?after=x HTTP/1.1\r\n" HOST OWNER "\r\n"), 400);
	assert_int_equal(ask(f, "GET /api/v1/events HTTP/1.1\r\n" HOST "\r\n"), 401);
}

static void a_client_that_does_not_read_gets_a_resync(void **state)
{
	struct fixture *f = *state;
	struct gw_http *h = f->s.impl;
	int size = 4096; /* of what the kernel keeps, so that few events fill it */
	setsockopt(h->listener[0].fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	int fd = open_client(f);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	say(f, fd, "GET /api/v1/events HTTP/1.1\r\n" HOST OWNER "\r\n");
	assert_int_equal(hear(f, fd, false), 200);
	for (int i = 0; i < 4000; i++) {
		fake_home_change(&f->g, 0, FAKE_SWITCH, i % 2);
		if (i % 64 == 0) {
			turn(f);
		}
	}
	int resyncs = 0;
	uint64_t seen = 0;
	while (seen < f->g.seq) {
		const char *e = event(f, fd);
		uint64_t seq = strtoull(strchr(e + 4, ':') + 1, NULL, 10);
		resyncs += strstr(e, "\"resync\"") != NULL;
		assert_true(seq > seen || strstr(e, "\"resync\""));
		seen = seq;
	}
	assert_int_equal(resyncs, 1);
	close(fd);
}

/* --- WebSocket --- */

static void ws_put(struct fixture *f, int fd, unsigned char first, const char *text, size_t len)
{
	unsigned char head[14] = {first, 0x80};
	size_t n = 2;
	if (len < 126) {
		head[1] |= (unsigned char)len;
	} else if (len < 65536) {
		head[1] |= 126;
		head[n++] = (unsigned char)(len >> 8);
		head[n++] = (unsigned char)len;
	} else {
		head[1] |= 127;
		for (int i = 7; i >= 0; i--) {
			head[n++] = (unsigned char)(len >> (8 * i));
		}
	}
	n += 4; /* a mask of zeros */
	put(f, fd, (const char *)head, n);
	put(f, fd, text, len);
}

static void ws_say(struct fixture *f, int fd, const char *text)
{
	ws_put(f, fd, 0x81, text, strlen(text));
}

/* Text of the next message; its opcode in *ret_op; NULL when the peer closed. */
static const char *ws_hear(struct fixture *f, int fd, int *ret_op)
{
	unsigned char head[4];
	size_t len = 0, at = 0;
	do {
		if (!take(f, fd, (char *)head, 2)) {
			return NULL;
		}
		if (at == 0) {
			*ret_op = head[0] & 0x0f;
		}
		len = head[1] & 0x7f;
		if (len == 126) {
			assert_true(take(f, fd, (char *)head + 2, 2));
			len = (size_t)head[2] << 8 | head[3];
		} else if (len == 127) {
			unsigned char wide[8];
			assert_true(take(f, fd, (char *)wide, 8));
			len = (size_t)wide[5] << 16 | (size_t)wide[6] << 8 | wide[7];
		}
		assert_true(at + len < sizeof(f->body));
		assert_true(take(f, fd, f->body + at, len));
		at += len;
		f->body[at] = '\0';
	} while (!(head[0] & 0x80));
	return f->body;
}

static int ws_open(struct fixture *f, const char *target)
{
	char request[512];
	int fd = open_client(f);
	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n" UPGRADE OWNER "\r\n", target);
	say(f, fd, request);
	assert_int_equal(hear(f, fd, false), 101);
	assert_has(f->head, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	return fd;
}

static void a_websocket_takes_requests_and_gives_events(void **state)
{
	struct fixture *f = *state;
	int op = 0;
	int fd = ws_open(f, "/api/v1/events/ws");
	assert_string_equal(ws_hear(f, fd, &op),
			    "{\"type\":\"hello\",\"epoch\":\"abc123\",\"seq\":7}");
	assert_int_equal(op, 1);
	fake_home_change(&f->g, 0, FAKE_SWITCH, true);
	assert_has(ws_hear(f, fd, &op), "{\"type\":\"property\"");
	ws_say(f, fd, "{\"id\":1,\"device\":\"plug\",\"set\":{\"switch.on\":false}}");
	assert_has(ws_hear(f, fd, &op), "{\"id\":1,\"status\":200,\"body\":{\"id\":\"100\"");
	ws_say(f, fd, "{\"id\":2,\"method\":\"GET\",\"path\":\"/api/v1/claim\"}");
	assert_has(ws_hear(f, fd, &op),
		   "{\"id\":2,\"status\":404"); /* of the control socket only */
	ws_say(f, fd, "{\"id\":3,\"method\":\"GET\",\"path\":\"/api/v1/openapi.json\"}");
	assert_true(strlen(ws_hear(f, fd, &op)) > 40000);
	/* a byte at a time, of a frame with a long length too */
	static const char slow[] =
		"\x81\xfe\0\x7e\0\0\0\0{\"id\":7,\"method\":\"GET\",\"path\":\"/x\"}";
	for (size_t i = 0; i < 8 + 126; i++) {
		put(f, fd, i < sizeof(slow) - 1 ? slow + i : " ", 1);
	}
	assert_has(ws_hear(f, fd, &op), "{\"id\":7,\"status\":404");
	/* in fragments */
	ws_put(f, fd, 0x01, "{\"id\":4,\"method\":\"GET\",", 23);
	ws_put(f, fd, 0x80, "\"path\":\"/health\"}", 17);
	assert_has(ws_hear(f, fd, &op), "{\"id\":4,\"status\":200");
	ws_put(f, fd, 0x89, "hi", 2); /* ping */
	assert_string_equal(ws_hear(f, fd, &op), "hi");
	assert_int_equal(op, 10);
	f->g.valid = false;
	fake_home_event(&f->g, GW_EVENT_HOME, 0, 0);
	fake_home_flush(&f->g);
	assert_non_null(ws_hear(f, fd, &op));
	assert_int_equal(op, 8);
	assert_int_equal((unsigned char)f->body[0] << 8 | (unsigned char)f->body[1], 1008);
	close(fd);
	f->g.valid = true;
	fd = ws_open(f, "/api/v1/events/ws?device=lamp&after=abc123:7");
	fake_home_change(&f->g, 1, FAKE_SWITCH, true);
	assert_has(ws_hear(f, fd, &op), "\"device\":\"lamp\"");
	close(fd);
}

static void websockets_have_limits(void **state)
{
	struct fixture *f = *state;
	int op = 0;
	char *text = malloc(GW_BODY_BYTES + 1);
	memset(text, ' ', GW_BODY_BYTES + 1);
	memcpy(text, "{\"id\":1,\"method\":\"GET\",\"path\":\"/health\"}", 40);
	int fd = ws_open(f, "/api/v1/events/ws");
	assert_non_null(ws_hear(f, fd, &op));
	ws_put(f, fd, 0x81, text, GW_BODY_BYTES);
	assert_has(ws_hear(f, fd, &op), "{\"id\":1,\"status\":200");
	ws_put(f, fd, 0x81, text, GW_BODY_BYTES + 1);
	assert_non_null(ws_hear(f, fd, &op));
	assert_int_equal(op, 8);
	assert_int_equal((unsigned char)f->body[0] << 8 | (unsigned char)f->body[1], 1009);
	close(fd);
	free(text);
	fd = ws_open(f, "/api/v1/events/ws");
	assert_non_null(ws_hear(f, fd, &op));
	ws_put(f, fd, 0x82, "x", 1);
	assert_non_null(ws_hear(f, fd, &op));
	assert_int_equal(op, 8);
	assert_int_equal((unsigned char)f->body[0] << 8 | (unsigned char)f->body[1], 1003);
	close(fd);
	/* 20 messages a second; the others come in the next one */
	fd = ws_open(f, "/api/v1/events/ws");
	assert_non_null(ws_hear(f, fd, &op));
	for (int i = 0; i < 2 * GW_WS_FRAMES_PER_S; i++) {
		ws_say(f, fd, "{\"id\":1,\"method\":\"GET\",\"path\":\"/health\"}");
	}
	for (int second = 0; second < 2; second++) {
		for (int i = 0; i < GW_WS_FRAMES_PER_S; i++) {
			assert_has(ws_hear(f, fd, &op), "{\"id\":1,\"status\":200");
		}
		for (int i = 0; i < 20; i++) {
			assert_true(is_open(f, fd)); /* no more in this one */
		}
		advance(f, 1000);
	}
	close(fd);
}

/* At most GW_WS_QUEUE_BYTES of answers and one more wait for a peer that reads too little, however long it goes on. */
static void answers_of_a_websocket_do_not_pile_up(void **state)
{
	struct fixture *f = *state;
	struct gw_http *h = f->s.impl;
	int op = 0, size = 4096;
	setsockopt(h->listener[0].fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	int fd = ws_open(f, "/api/v1/events/ws");
	assert_non_null(ws_hear(f, fd, &op));
	const struct conn *c = gw_container(h->conns.next, struct conn, link);
	for (int unread = 0, i = 0; i < 100; i++) {
		ws_say(f, fd, "{\"id\":1,\"method\":\"GET\",\"path\":\"/api/v1/openapi.json\"}");
		turn(f);
		advance(f, 1000);
		assert_true(c->out.len - c->sent < GW_WS_QUEUE_BYTES + 128 * 1024);
		assert_true(c->out.len < 3 * GW_WS_QUEUE_BYTES);
		if (++unread > 10) { /* one is read for each that is asked: never all of them */
			assert_has(ws_hear(f, fd, &op), "{\"id\":1,\"status\":200");
			unread--;
		}
	}
	close(fd);
}

/* RFC 6455 §5, §7.4: each ends with the status that says why. */
static void frames_against_the_protocol_end_the_socket(void **state)
{
	struct fixture *f = *state;
#define MASK "\0\0\0\0"
#define FRAME(text, status)                                                                        \
	{                                                                                          \
		text, sizeof(text) - 1, status                                                     \
	}
	static const struct {
		const char *bytes;
		size_t len;
		int status; /* 0: a close frame without one */
	} rows[] = {
		FRAME("\x81\x02{}", 1002),			     /* not masked */
		FRAME("\xc1\x82" MASK "{}", 1002),		     /* a reserved bit */
		FRAME("\x83\x80" MASK, 1002),			     /* a reserved opcode */
		FRAME("\x8b\x80" MASK, 1002),			     /* another one */
		FRAME("\x80\x82" MASK "{}", 1002),		     /* continues nothing */
		FRAME("\x01\x81" MASK "{\x81\x81" MASK "}", 1002),   /* a message inside another */
		FRAME("\x09\x80" MASK, 1002),			     /* a ping in fragments */
		FRAME("\x89\xfe\x00\x7e" MASK, 1002),		     /* a long ping */
		FRAME("\x81\xfe\x00\x02" MASK "{}", 1002),	     /* not the shortest length */
		FRAME("\x81\xff\0\0\0\0\0\0\0\x02" MASK "{}", 1002), /* the same */
		FRAME("\x81\xff\x80\0\0\0\0\0\0\0" MASK, 1002),	     /* 2^63 */
		FRAME("\x88\x81" MASK "\x03", 1002),		     /* half a status */
		FRAME("\x88\x83" MASK "\x03\xe8\xff", 1002),	     /* a reason that is no text */
		FRAME("\x81\x82" MASK "\xc3\x28", 1007),	     /* a message that is none */
		FRAME("\x88\x82" MASK "\x03\xe9", 1000),
		FRAME("\x88\x80" MASK, 0),
	};
	for (size_t i = 0; i < gw_countof(rows); i++) {
		int op = 0, fd = ws_open(f, "/api/v1/events/ws");
		assert_non_null(ws_hear(f, fd, &op));
		put(f, fd, rows[i].bytes, rows[i].len);
		put(f, fd, "\x89\x80" MASK, 6); /* nothing is answered after it */
		f->body[0] = f->body[1] = '\0';
		assert_non_null(ws_hear(f, fd, &op));
		int status = (unsigned char)f->body[0] << 8 | (unsigned char)f->body[1];
		if (op != 8 || status != rows[i].status) {
			fail_msg("row %zu: opcode %d, %d", i, op, status);
		}
		assert_true(is_closed(f, fd));
		close(fd);
	}
	/* A ping may come inside a message. */
	int op = 0, fd = ws_open(f, "/api/v1/events/ws");
	assert_non_null(ws_hear(f, fd, &op));
	static const char text[] = "\x01\x81" MASK "{\x89\x82" MASK "hi\x80\x81" MASK "}";
	put(f, fd, text, sizeof(text) - 1);
	assert_string_equal(ws_hear(f, fd, &op), "hi");
	assert_int_equal(op, 10);
	assert_has(ws_hear(f, fd, &op), "{\"id\":null,\"status\":400");
	/* Fragments count as frames. */
	for (int i = 0; i < GW_WS_FRAMES_PER_S - 3; i++) {
		put(f, fd, i ? "\x00\x80" MASK : "\x01\x80" MASK, 6);
	}
	ws_put(f, fd, 0x89, "late", 4);
	for (int i = 0; i < 20; i++) {
		assert_true(is_open(f, fd));
	}
	advance(f, 1000);
	assert_string_equal(ws_hear(f, fd, &op), "late");
	close(fd);
}

/* A silent one is asked, and given up; one that answers stays. */
static void silent_websockets_are_given_up(void **state)
{
	struct fixture *f = *state;
	int op = 0, silent = ws_open(f, "/api/v1/events/ws"),
	    alive = ws_open(f, "/api/v1/events/ws");
	assert_non_null(ws_hear(f, silent, &op));
	assert_non_null(ws_hear(f, alive, &op));
	advance(f, 30000);
	assert_string_equal(ws_hear(f, alive, &op), "");
	assert_int_equal(op, 9);
	ws_put(f, alive, 0x8a, "", 0);
	turn(f);
	turn(f);
	advance(f, 15000);
	assert_string_equal(ws_hear(f, silent, &op), "");
	assert_int_equal(op, 9);
	assert_true(is_closed(f, silent));
	assert_true(is_open(f, alive));
	close(silent);
	close(alive);
}

static void upgrades_are_checked_like_changes(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *request;
		int status;
	} rows[] = {
		{"GET /api/v1/events/ws HTTP/1.1\r\n" UPGRADE "\r\n", 401},
		{"GET /api/v1/events/ws HTTP/1.1\r\n" UPGRADE OWNER
		 "Origin: http://evil.example\r\n\r\n",
		 403},
		{"GET /api/v1/events/ws?after=x HTTP/1.1\r\n" UPGRADE OWNER "\r\n", 400},
		{"GET /api/v1/events HTTP/1.1\r\n" UPGRADE OWNER "\r\n", 404},
		{"POST /api/v1/events/ws HTTP/1.1\r\n" UPGRADE OWNER "\r\n", 400},
		{"GET /api/v1/events/ws HTTP/1.1\r\n" HOST OWNER "\r\n", 426},
		{"GET /api/v1/events/ws HTTP/1.1\r\n" HOST OWNER
		 "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 12\r\n"
		 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
		 426},
		{"GET /api/v1/events/ws HTTP/1.1\r\n" HOST OWNER
		 "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
		 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=\r\n\r\n",
		 400},
		{"HEAD /api/v1/events/ws HTTP/1.1\r\n" UPGRADE OWNER "\r\n", 400},
		{"GET /api/v1/events/ws HTTP/1.1\r\nHost: evil.example\r\nConnection: Upgrade\r\n"
		 "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
		 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" OWNER "\r\n",
		 421},
	};
	for (size_t i = 0; i < gw_countof(rows); i++) {
		int status = ask(f, rows[i].request);
		if (status != rows[i].status) {
			fail_msg("%d for\n%s", status, rows[i].request);
		}
	}
	assert_true(gw_list_empty(&f->g.listeners));
	int fd[GW_WS_CLIENTS];
	for (int i = 0; i < GW_WS_CLIENTS; i++) { /* 16 of each source */
		char source[16];
		snprintf(source, sizeof(source), "127.0.0.%d", 2 + i / 8);
		fd[i] = connect_from(f, source);
		say(f, fd[i],
		    "GET /api/v1/events/ws HTTP/1.1\r\n" UPGRADE OWNER
		    "Origin: http://localhost\r\n\r\n");
		assert_int_equal(hear(f, fd[i], false), 101);
	}
	assert_int_equal(ask(f, "GET /api/v1/events/ws HTTP/1.1\r\n" UPGRADE OWNER "\r\n"), 503);
	for (int i = 0; i < GW_WS_CLIENTS; i++) {
		close(fd[i]);
	}
}

/* --- the end --- */

static void stopping_ends_what_is_under_way(void **state)
{
	struct fixture *f = *state;
	f->g.hold = true;
	int op = 0, command = open_client(f), events = open_client(f), body = open_client(f);
	say(f, command, COMMAND "Content-Length: 26\r\n\r\n{\"set\":{\"switch.on\":true}}");
	say(f, events, "GET /api/v1/events HTTP/1.1\r\n" HOST OWNER "\r\n");
	say(f, body, COMMAND "Content-Length: 26\r\n\r\n{");
	int ws = ws_open(f, "/api/v1/events/ws");
	assert_non_null(ws_hear(f, ws, &op));
	ws_say(f, ws, "{\"id\":1,\"device\":\"plug\",\"set\":{\"switch.on\":false}}");
	await(f, f->g.n_commands == 2);
	surface_close(f, &f->s);
	assert_true(gw_list_empty(&f->g.listeners));
	fake_home_outcome(&f->g, 0, GW_STATUS_DONE);
	fake_home_outcome(&f->g, 1, GW_STATUS_DONE);
	close(command);
	close(events);
	close(body);
	close(ws);
	assert_int_equal(surface_open(f, &f->s, "{listen: off, https_listen: off}"), 0);
}

/* R54: every allocation of a conversation fails once; it ends with an answer or without, and the next one is served. */
static void running_out_of_memory_ends_one_connection(void **state)
{
	struct fixture *f = *state;
	static const char *const requests[] = {
		"GET /api/v1/devices/plug HTTP/1.1\r\n" HOST OWNER "\r\n",
		"GET / HTTP/1.1\r\n" HOST "\r\n",
		"GET /x%00 HTTP/1.1\r\n" HOST "\r\n",
		COMMAND "Content-Length: 26\r\n\r\n{\"set\":{\"switch.on\":true}}",
		CHUNKED "\r\n" BODY,
		"GET /api/v1/events HTTP/1.1\r\n" HOST OWNER "\r\n",
		"GET /api/v1/events/ws HTTP/1.1\r\n" UPGRADE OWNER "\r\n",
	};
	for (size_t i = 0; i < gw_countof(requests); i++) {
		bool failed = true;
		for (uint64_t n = 1; failed; n++) {
			assert_true(n < 1000);
			f->g.n_commands = 0;
			int fd = open_client(f);
			uint64_t used = gw_alloc_count();
			gw_alloc_fail_at(n);
			say(f, fd, requests[i]);
			if (i == gw_countof(requests) - 1) {
				ws_say(f, fd, "{\"id\":1,\"method\":\"GET\",\"path\":\"/health\"}");
			}
			fake_home_change(&f->g, 0, FAKE_SWITCH, n % 2);
			for (int k = 0; k < 10; k++) {
				turn(f);
			}
			gw_alloc_fail_at(0);
			failed = gw_alloc_count() - used >= n;
			close(fd);
			await(f, ((struct gw_http *)f->s.impl)->n_conns == 0);
		}
		assert_true(gw_list_empty(&f->g.listeners));
		assert_int_equal(ask(f, "GET /health HTTP/1.1\r\n" HOST "\r\n"), 200);
		await(f, ((struct gw_http *)f->s.impl)->n_conns == 0);
	}
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(events_are_streamed_and_resumed),
		T(a_client_that_does_not_read_gets_a_resync),
		T(a_websocket_takes_requests_and_gives_events),
		T(websockets_have_limits),
		T(answers_of_a_websocket_do_not_pile_up),
		T(frames_against_the_protocol_end_the_socket),
		T(silent_websockets_are_given_up),
		T(upgrades_are_checked_like_changes),
		T(stopping_ends_what_is_under_way),
		T(running_out_of_memory_ends_one_connection),
	};
	return cmocka_run_group_tests_name("http-stream", tests, NULL, NULL);
}
