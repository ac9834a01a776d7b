#include "gw_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_home.h"
#include "gw/alloc.h"
#include "gw/clock.h"
#include "gw/surface.h"
#include "surfaces/http/http.h"

extern const struct gw_surface_class gw_surface_http;

#define DEADLINE_MS 10000
#define OWNER	    "Authorization: Bearer " FAKE_TOKEN "owner\r\n"
#define HOST	    "Host: localhost\r\n"
#define UPGRADE                                                                                    \
	HOST "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"          \
	     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

struct fixture {
	struct gw_loop *loop;
	struct gw_gateway g;
	struct gw_surface s;
	char dir[64];
	uint16_t port, tls_port;
	/* the last response */
	int status;
	char head[8192], body[256 * 1024];
};

/* --- the surface --- */

static int surface_open(struct fixture *f, struct gw_surface *s, const char *yaml)
{
	*s = (struct gw_surface){.class = &gw_surface_http, .gateway = &f->g, .state_dir = f->dir};
	s->impl = gw_alloc0(1, gw_surface_http.instance_size);
	struct gw_arena *arena = gw_arena_new(65536);
	struct gw_node *map = NULL;
	struct gw_error e = {0};
	static const struct gw_node_limits limits = {.max_depth = 4};
	assert_int_equal(gw_node_parse_yaml(arena, gw_str(yaml), &limits, &map, &e), 0);
	assert_int_equal(gw_options_apply(gw_surface_http.options, s->impl, map, "t", &e), 0);
	gw_arena_free(arena);
	int r = gw_surface_http.init(s);
	return r ? r : gw_surface_http.start(s);
}

static void surface_close(struct fixture *f, struct gw_surface *s)
{
	int stopped = f->g.stopped;
	gw_surface_http.stop(s);
	gw_surface_http.stop(s); /* idempotent */
	int64_t until = gw_clock_ms() + DEADLINE_MS;
	while (f->g.stopped == stopped && gw_clock_ms() < until) {
		uv_run(gw_loop_uv(f->loop), UV_RUN_ONCE);
	}
	assert_int_equal(f->g.stopped, stopped + 1);
	gw_surface_http.fini(s);
	gw_options_free(gw_surface_http.options, s->impl);
	gw_free(s->impl);
}

static int setup(void **state)
{
	struct fixture *f = gw_new(struct fixture);
	snprintf(f->dir, sizeof(f->dir), "/tmp/hearth-http-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->loop = gw_loop_new();
	fake_home_init(&f->g, f->loop);
	assert_int_equal(surface_open(f, &f->s,
				      "{listen: \"127.0.0.1:0\", https_listen: \"127.0.0.1:0\", "
				      "names: \"home.example\"}"),
			 0);
	f->port = gw_http_port(&f->s, 0);
	f->tls_port = gw_http_port(&f->s, 1);
	assert_true(f->port && f->tls_port);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	static const char *const files[] = {"ca.pem", "ca.crt", "server.pem"};
	struct fixture *f = *state;
	surface_close(f, &f->s);
	fake_home_fini(&f->g);
	for (size_t i = 0; i < gw_countof(files); i++) {
		char path[128];
		snprintf(path, sizeof(path), "%s/%s", f->dir, files[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(f->dir), 0);
	gw_loop_free(f->loop);
	gw_free(f);
	return 0;
}

/* --- a client --- */

static void turn(struct fixture *f)
{
	uv_run(gw_loop_uv(f->loop), UV_RUN_NOWAIT);
}

static int connect_from(struct fixture *f, const char *source)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in addr = {.sin_family = AF_INET};
	assert_int_equal(inet_pton(AF_INET, source, &addr.sin_addr), 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(inet_pton(AF_INET, "127.0.0.1", &addr.sin_addr), 1);
	addr.sin_port = htons(f->port);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	int on = 1; /* what is said arrives in the turn after it */
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static int open_client(struct fixture *f)
{
	return connect_from(f, "127.0.0.1");
}

static void put(struct fixture *f, int fd, const char *text, size_t len)
{
	int64_t until = gw_clock_ms() + DEADLINE_MS;
	while (len && gw_clock_ms() < until) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		} else if (errno != EAGAIN) {
			return; /* the other side closed: what it said counts */
		}
		turn(f);
	}
}

static void say(struct fixture *f, int fd, const char *text)
{
	put(f, fd, text, strlen(text));
}

/* Reads n more bytes; false when the peer closed before. */
static bool take(struct fixture *f, int fd, char *p, size_t n)
{
	int64_t until = gw_clock_ms() + DEADLINE_MS;
	while (n) {
		if (gw_clock_ms() > until) {
			fail_msg("nothing came");
		}
		ssize_t got = recv(fd, p, n, 0);
		if (got == 0 || (got < 0 && errno != EAGAIN)) {
			return false;
		}
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		} else {
			turn(f);
		}
	}
	return true;
}

static bool is_closed(struct fixture *f, int fd)
{
	char c;
	return !take(f, fd, &c, 1);
}

/* Turns until something has happened. */
#define await(f, happened)                                                                         \
	do {                                                                                       \
		int64_t until_ = gw_clock_ms() + DEADLINE_MS;                                      \
		while (!(happened)) {                                                              \
			assert_true(gw_clock_ms() < until_);                                       \
			turn(f);                                                                   \
		}                                                                                  \
	} while (0)

/* Time passes: the sweep, which comes once a second, comes now. */
static void advance(struct fixture *f, int64_t ms)
{
	struct gw_http *h = f->s.impl;
	turn(f);
	assert_true(gw_timer_active(h->sweep));
	gw_clock_advance_ms(ms);
	gw_http_sweep(h);
	turn(f);
}

/* One response; 0 when the peer closed without one. */
static int hear(struct fixture *f, int fd, bool has_body)
{
	size_t n = 0;
	f->status = 0;
	f->body[0] = '\0';
	while (n + 1 < sizeof(f->head)) {
		if (!take(f, fd, f->head + n, 1)) {
			f->head[n] = '\0';
			return 0;
		}
		f->head[++n] = '\0';
		if (n >= 4 && memcmp(f->head + n - 4, "\r\n\r\n", 4) == 0) {
			break;
		}
	}
	assert_int_equal(strncmp(f->head, "HTTP/1.1 ", 9), 0);
	f->status = (int)strtol(f->head + 9, NULL, 10);
	const char *length = strstr(f->head, "Content-Length: ");
	if (length && has_body) {
		size_t len = strtoul(length + 16, NULL, 10);
		assert_true(len + 1 < sizeof(f->body));
		assert_true(take(f, fd, f->body, len));
		f->body[len] = '\0';
	}
	return f->status;
}

static int ask(struct fixture *f, const char *request)
{
	int fd = open_client(f);
	say(f, fd, request);
	int status = hear(f, fd, strncmp(request, "HEAD", 4) != 0);
	close(fd);
	return status;
}

#define assert_has(text, part)                                                                     \
	do {                                                                                       \
		if (!strstr(text, part)) {                                                         \
			fail_msg("%s\nis not in\n%s", part, text);                                 \
		}                                                                                  \
	} while (0)

/* --- plain use --- */

static void answers_carry_their_headers(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(ask(f, "GET /health HTTP/1.1\r\n" HOST "\r\n"), 200);
	assert_has(f->body, "\"status\":\"degraded\"");
	static const char *const headers[] = {
		"Content-Type: application/json\r\n",
		"Content-Security-Policy: default-src 'self'; base-uri 'none'; form-action 'self'; ",
		"; frame-ancestors 'none'\r\n",
		"X-Content-Type-Options: nosniff\r\n",
		"X-Frame-Options: DENY\r\n",
		"Referrer-Policy: no-referrer\r\n",
		" GMT\r\n", /* Date */
		"Cache-Control: no-store\r\n",
	};
	for (size_t i = 0; i < gw_countof(headers); i++) {
		assert_has(f->head, headers[i]);
	}
	assert_int_equal(ask(f, "GET /api/v1/devices/plug HTTP/1.1\r\n" HOST OWNER "\r\n"), 200);
	assert_has(f->head, "ETag: \"1\"\r\n");
	assert_has(f->head, "X-Hearth-Seq: abc123:7\r\n");
	assert_int_equal(ask(f, "HEAD /api/v1/devices/plug HTTP/1.1\r\n" HOST OWNER "\r\n"), 200);
	assert_has(f->head, "ETag: \"1\"\r\n");
	assert_int_equal(ask(f, "GET /api/v1/devices HTTP/1.1\r\n" HOST "\r\n"), 401);
	assert_has(f->head, "WWW-Authenticate: Bearer\r\n");
	assert_int_equal(
		ask(f, "PUT /api/v1/devices HTTP/1.1\r\n" HOST OWNER "Content-Length: 0\r\n\r\n"),
		405);
	assert_has(f->head, "Allow: GET, HEAD\r\n");
	assert_int_equal(ask(f, "OPTIONS /api/v1/devices HTTP/1.1\r\n" HOST "\r\n"), 405);
	assert_has(f->head, "Allow: GET, HEAD\r\n");
	assert_null(strstr(f->head, "Access-Control-"));
	assert_int_equal(
		ask(f, "GET /x HTTP/1.1\r\n" HOST "Accept-Language: zh-CN,en;q=0.5\r\n\r\n"), 404);
	assert_has(f->body, "没有找到");
	assert_int_equal(ask(f, "GET /metrics HTTP/1.1\r\n" HOST OWNER "\r\n"), 200);
	assert_has(f->head, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
	assert_int_equal(
		ask(f, "GET /api/v1/devices?room=kitchen&type=fan HTTP/1.1\r\n" HOST OWNER "\r\n"),
		200);
	assert_has(f->body, "\"devices\":[]");
	/* More than one write's worth. */
	assert_int_equal(ask(f, "GET /api/v1/openapi.json HTTP/1.1\r\n" HOST OWNER "\r\n"), 200);
	assert_true(strlen(f->body) > 40000);
}

static void the_page_tells_how_to_begin(void **state)
{
	struct fixture *f = *state;
	f->g.claimed = false;
	assert_int_equal(ask(f, "GET / HTTP/1.1\r\n" HOST "\r\n"), 200);
	assert_has(f->head, "Content-Type: text/html; charset=utf-8\r\n");
	assert_has(f->body, "hearth claim");
	assert_null(strstr(f->body, "<script"));
	assert_null(strstr(f->body, "style="));
	assert_int_equal(ask(f, "GET / HTTP/1.1\r\n" HOST "Accept-Language: zh\r\n\r\n"), 200);
	assert_has(f->body, "这个家还没有主人");
	f->g.claimed = true;
	assert_int_equal(ask(f, "GET / HTTP/1.1\r\n" HOST "\r\n"), 200);
	assert_has(f->body, "has an owner");
	/* Nothing below it is a file. */
	assert_int_equal(ask(f, "GET /../../etc/passwd HTTP/1.1\r\n" HOST "\r\n"), 404);
	assert_int_equal(ask(f, "GET /index.html HTTP/1.1\r\n" HOST "\r\n"), 404);
}

#define COMMAND                                                                                    \
	"POST /api/v1/devices/plug/commands HTTP/1.1\r\n" HOST OWNER                               \
	"Content-Type: application/json\r\n"

static void a_change_is_made_of_a_complete_request_only(void **state)
{
	struct fixture *f = *state;
	int fd = open_client(f);
	say(f, fd, COMMAND "Idempotency-Key: k1\r\nContent-Length: 26\r\n\r\n{\"set\":{");
	for (int i = 0; i < 50; i++) {
		turn(f);
	}
	assert_int_equal(f->g.calls, 0);
	say(f, fd, "\"switch.on\":true}}");
	assert_int_equal(hear(f, fd, true), 200);
	assert_int_equal(f->g.calls, 1);
	assert_string_equal(f->g.commands[0].text, "plug:switch.on=true;");
	assert_string_equal(f->g.commands[0].key, "1:owner:k1");
	/* keep-alive: the same connection again, with other methods */
	say(f, fd,
	    "PUT /api/v1/devices/plug/properties/main/switch.on HTTP/1.1\r\n" HOST OWNER
	    "Content-Type: application/json; charset=utf-8\r\nContent-Length: 15\r\n\r\n"
	    "{\"value\":false}");
	assert_int_equal(hear(f, fd, true), 200);
	say(f, fd,
	    "PATCH /api/v1/devices/plug HTTP/1.1\r\n" HOST OWNER "If-Match: \"9\"\r\n"
	    "Content-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"name\":\"x\"}");
	assert_int_equal(hear(f, fd, true), 409);
	say(f, fd, "DELETE /api/v1/devices/lamp HTTP/1.1\r\n" HOST OWNER "\r\n");
	assert_int_equal(hear(f, fd, true), 200);
	close(fd);
	fd = open_client(f); /* it leaves in the middle: nothing happens */
	unsigned calls = f->g.calls;
	say(f, fd, COMMAND "Content-Length: 26\r\n\r\n{\"set\":{\"switch.on\":true}");
	close(fd);
	for (int i = 0; i < 50; i++) {
		turn(f);
	}
	assert_int_equal(f->g.calls, calls);
	/* Changes without a body: with a length of 0, and as curl -X POST sends it. */
	fd = open_client(f);
	say(f, fd, "POST /api/v1/scan HTTP/1.1\r\n" HOST OWNER "Content-Length: 0\r\n\r\n");
	assert_int_equal(hear(f, fd, true), 200);
	say(f, fd, "POST /api/v1/scan HTTP/1.1\r\n" HOST OWNER "\r\n");
	assert_int_equal(hear(f, fd, true), 200);
	say(f, fd, COMMAND "Expect: 100-continue\r\nContent-Length: 26\r\n\r\n");
	assert_int_equal(hear(f, fd, false), 100);
	say(f, fd, "{\"set\":{\"switch.on\":true}}");
	assert_int_equal(hear(f, fd, true), 200);
	say(f, fd, "GET /health HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
	assert_int_equal(hear(f, fd, true), 200);
	assert_has(f->head, "Connection: close\r\n");
	assert_true(is_closed(f, fd));
	close(fd);
}

static void requests_in_one_piece_are_answered_in_order(void **state)
{
	struct fixture *f = *state;
	int fd = open_client(f);
	say(f, fd,
	    "GET /health HTTP/1.1\r\n" HOST "\r\n"
	    "GET /x HTTP/1.1\r\n" HOST "\r\n" COMMAND
	    "Content-Length: 26\r\n\r\n{\"set\":{\"switch.on\":true}}"
	    "DELETE /api/v1/tokens/t2 HTTP/1.1\r\n" HOST OWNER "\r\n"
	    "GET /api/v1/me HTTP/1.1\r\n" HOST OWNER "\r\n");
	assert_int_equal(hear(f, fd, true), 200);
	assert_has(f->body, "\"version\"");
	assert_int_equal(hear(f, fd, true), 404);
	assert_int_equal(hear(f, fd, true), 200);
	assert_has(f->body, "\"status\":\"done\"");
	assert_int_equal(hear(f, fd, true), 404);
	assert_int_equal(hear(f, fd, true), 200);
	assert_has(f->body, "\"who\":\"owner\"");
	/* A second one waits for the first, which waits for its device. */
	f->g.hold = true;
	say(f, fd,
	    COMMAND "Content-Length: 26\r\n\r\n{\"set\":{\"switch.on\":true}}"
		    "GET /x HTTP/1.1\r\n" HOST "\r\n");
	await(f, f->g.n_commands == 2);
	fake_home_outcome(&f->g, 1, GW_STATUS_TIMEOUT);
	assert_int_equal(hear(f, fd, true), 504);
	assert_int_equal(hear(f, fd, true), 404);
	close(fd);
	/* One byte at a time is the same. */
	static const char text[] =
		COMMAND "Content-Length: 26\r\n\r\n{\"set\":{\"switch.on\":true}}";
	f->g.hold = false;
	fd = open_client(f);
	for (size_t i = 0; i + 1 < sizeof(text); i++) {
		put(f, fd, text + i, 1);
	}
	assert_int_equal(hear(f, fd, true), 200);
	close(fd);
	assert_int_equal(f->g.n_commands, 3);
}

/* A command waits for its device, its client has closed its side or sends more: the loop sleeps meanwhile. */
static void waiting_costs_nothing(void **state)
{
	struct fixture *f = *state;
	f->g.hold = true;
	for (int kind = 0; kind < 3; kind++) {
		int fd = open_client(f);
		size_t n = f->g.n_commands;
		if (kind == 2) {
			say(f, fd, "GET /api/v1/events HTTP/1.1\r\n" HOST OWNER "\r\nmore");
			assert_int_equal(hear(f, fd, false), 200);
			shutdown(fd, SHUT_WR);
		} else {
			say(f, fd,
			    COMMAND "Content-Length: 26\r\n\r\n{\"set\":{\"switch.on\":true}}");
			kind ? (void)shutdown(fd, SHUT_WR)
			     : say(f, fd, "GET /x HTTP/1.1\r\n" HOST "\r\n");
			await(f, f->g.n_commands > n);
		}
		for (int i = 0; i < 50; i++) {
			turn(f);
		}
		struct pollfd loop = {.fd = uv_backend_fd(gw_loop_uv(f->loop)), .events = POLLIN};
		assert_int_equal(poll(&loop, 1, 0), 0);
		assert_int_not_equal(uv_backend_timeout(gw_loop_uv(f->loop)), 0);
		if (kind < 2) {
			fake_home_outcome(&f->g, n, GW_STATUS_TIMEOUT);
			assert_int_equal(hear(f, fd, true), 504);
		}
		close(fd);
	}
}

#define CHUNKED COMMAND "Transfer-Encoding: chunked\r\n"
#define BODY	"1a\r\n{\"set\":{\"switch.on\":true}}\r\n0\r\n\r\n"

static void bodies_may_come_in_chunks(void **state)
{
	struct fixture *f = *state;
	static const char *const bodies[] = {
		BODY,
		"0000001A\r\n{\"set\":{\"switch.on\":true}}\r\n00000000\r\n\r\n",
		"1\r\n{\r\n14\r\n\"set\":{\"switch.on\":t\r\n5\r\nrue}}\r\n0\r\n\r\n",
	};
	int whole = open_client(f), bytes = open_client(f);
	for (size_t i = 0; i < gw_countof(bodies); i++) {
		char request[512];
		/* The next request begins where the body ends. */
		int n = snprintf(request, sizeof(request),
				 CHUNKED "\r\n%sGET /x HTTP/1.1\r\n" HOST "\r\n", bodies[i]);
		say(f, whole, request);
		for (int k = 0; k < n; k++) {
			put(f, bytes, request + k, 1);
		}
		int fd[] = {whole, bytes};
		for (size_t k = 0; k < 2; k++) {
			assert_int_equal(hear(f, fd[k], true), 200);
			assert_int_equal(hear(f, fd[k], true), 404);
			assert_string_equal(f->g.commands[2 * i + k].text, "plug:switch.on=true;");
		}
	}
	say(f, whole, CHUNKED "Expect: 100-continue\r\n\r\n");
	assert_int_equal(hear(f, whole, false), 100);
	say(f, whole, BODY);
	assert_int_equal(hear(f, whole, true), 200);
	assert_int_equal(f->g.n_commands, 7);
	close(whole);
	close(bytes);
}

/* --- hostile requests --- */

static void what_is_not_well_formed_changes_nothing(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *request;
		int status; /* 0: closed without an answer */
	} rows[] = {
		/* where does the body end? */
		{COMMAND
		 "Content-Length: 26\r\nContent-Length: 26\r\n\r\n{\"set\":{\"switch.on\":true}}",
		 400},
		{COMMAND
		 "Content-Length: 5\r\nContent-Length: 26\r\n\r\n{\"set\":{\"switch.on\":true}}",
		 400},
		{COMMAND "Content-Length: 26, 26\r\n\r\n{\"set\":{\"switch.on\":true}}", 400},
		{COMMAND "Content-Length: +26\r\n\r\n{\"set\":{\"switch.on\":true}}", 400},
		{COMMAND "Content-Length: -1\r\n\r\n{\"set\":{\"switch.on\":true}}", 400},
		{COMMAND "Content-Length: 0x1a\r\n\r\n{\"set\":{\"switch.on\":true}}", 400},
		{COMMAND "Content-Length:\r\n\r\n", 400},
		{COMMAND
		 "Content-Length:\r\nContent-Length: 26\r\n\r\n{\"set\":{\"switch.on\":true}}",
		 400},
		{COMMAND "Content-Length: 99999999999999999999999\r\n\r\n", 400},
		{CHUNKED "Content-Length: 26\r\n\r\n{\"set\":{\"switch.on\":true}}", 400},
		{CHUNKED "Content-Length: 0\r\n\r\n", 400},
		{CHUNKED "Transfer-Encoding: chunked\r\n\r\n" BODY, 400},
		{COMMAND "Transfer-Encoding: identity\r\n\r\n", 501},
		{COMMAND "Transfer-Encoding: gzip, chunked\r\n\r\n" BODY, 501},
		{COMMAND "Transfer-Encoding:\r\n\r\n" BODY, 501},
		{"POST /api/v1/scan HTTP/1.0\r\n" HOST OWNER
		 "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		 400},
		{"POST /api/v1/scan HTTP/1.1\r\n" HOST OWNER
		 "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		 415},
		{"GET /health HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		 400},
		{CHUNKED "\r\nzz\r\n", 400},
		{CHUNKED "\r\n\r\n", 400},
		{CHUNKED "\r\n+1a\r\n", 400},
		{CHUNKED "\r\n0x1a\r\n", 400},
		{CHUNKED "\r\n1a \r\n", 400},
		{CHUNKED "\r\n1a;name=value\r\n", 400},
		{CHUNKED "\r\n1a\n{\"set\":{\"switch.on\":true}}\n0\n\n", 400},
		{CHUNKED "\r\n00000001a\r\n", 400},
		{CHUNKED "\r\nffffffffffffffff\r\n", 400},
		{CHUNKED "\r\n1a\r\n{\"set\":{\"switch.on\":true}}}\r\n0\r\n\r\n", 400},
		{CHUNKED "\r\n1a\r\n{\"set\":{\"switch.on\":true}}\r\n0\r\nX-A: b\r\n\r\n", 400},
		{CHUNKED "\r\n1a\r\n{\"set\":{\"switch.on\":true}}\r\n", 0},
		{CHUNKED "\r\n1a\r\n{\"set\":{\"switch.on\":true}}\r\n0\r\n", 0},
		{"GET /health HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello", 400},
		{"DELETE /api/v1/devices/plug HTTP/1.1\r\n" HOST OWNER
		 "Content-Length: 2\r\nContent-Type: application/json\r\n\r\n{}",
		 400},
		/* whose host? */
		{"GET /health HTTP/1.1\r\n\r\n", 400},
		{"GET /health HTTP/1.0\r\n\r\n", 400},
		{"GET /health HTTP/1.1\r\nHost:\r\n\r\n", 421},
		{"GET /health HTTP/1.1\r\n" HOST HOST "\r\n", 400},
		{"GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421},
		{"GET /health HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n", 421},
		{"GET /health HTTP/1.1\r\nHost: 192.0.2.7\r\n\r\n", 421},
		{"GET /health HTTP/1.1\r\nHost: localhost:x\r\n\r\n", 421},
		{"GET /health HTTP/1.1\r\nHost: [::1\r\n\r\n", 421},
		{"GET /health HTTP/1.1\r\nHost: [::1]x\r\n\r\n", 421},
		{"GET /health HTTP/1.1\r\nHost: :80\r\n\r\n", 421},
		{"GET /health HTTP/1.1\r\nHost: localhost:65536\r\n\r\n", 421},
		/* whose page? */
		{COMMAND
		 "Origin: https://evil.example\r\nContent-Length: 26\r\n\r\n{\"set\":{\"switch.on\":true}}",
		 403},
		{COMMAND "Origin: null\r\nContent-Length: 26\r\n\r\n{\"set\":{\"switch.on\":true}}",
		 403},
		{COMMAND
		 "Origin: https://localhost\r\nContent-Length: 26\r\n\r\n{\"set\":{\"switch.on\":true}}",
		 403},
		{"GET /health HTTP/1.1\r\n" HOST "Origin: http://evil.example\r\n\r\n", 403},
		/* what kind of body? */
		{"POST /api/v1/scan HTTP/1.1\r\n" HOST OWNER "Content-Length: 2\r\n\r\n{}", 415},
		{"POST /api/v1/scan HTTP/1.1\r\n" HOST OWNER
		 "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
		 415},
		{"POST /api/v1/scan HTTP/1.1\r\n" HOST OWNER
		 "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 2\r\n\r\n{}",
		 415},
		{"POST /api/v1/scan HTTP/1.1\r\n" HOST OWNER
		 "Content-Type: application/jsonx\r\nContent-Length: 2\r\n\r\n{}",
		 415},
		{"POST /api/v1/scan HTTP/1.1\r\n" HOST OWNER
		 "Content-Type: application/json\r\nContent-Length: 1\r\n\r\n{",
		 400},
		/* lines and targets */
		{"GET /x?a=%01 HTTP/1.1\r\n" HOST "\r\n", 400},
		{"GET /x?a=%ff HTTP/1.1\r\n" HOST "\r\n", 400},
		{"GET /%zz HTTP/1.1\r\n" HOST "\r\n", 400},
		{"GET /a%2fb HTTP/1.1\r\n" HOST "\r\n", 400},
		{"GET http://localhost/health HTTP/1.1\r\n" HOST "\r\n", 400},
		{"GET  /health HTTP/1.1\r\n" HOST "\r\n", 400},
		{"GET /health  HTTP/1.1\r\n" HOST "\r\n", 400},
		{"GET /health HTTP/1.1 \r\n" HOST "\r\n", 505},
		{" GET /health HTTP/1.1\r\n" HOST "\r\n", 400},
		{"\r\nGET /health HTTP/1.1\r\n" HOST "\r\n", 400},
		{"GET /health HTTP/2.0\r\n" HOST "\r\n", 505},
		{"GET /health HTTP/1.12\r\n" HOST "\r\n", 505},
		{"GET /health\r\n" HOST "\r\n", 400},
		{"G\xc3\xa9T /health HTTP/1.1\r\n" HOST "\r\n", 400},
		{"CONNECT localhost:80 HTTP/1.1\r\n" HOST "\r\n", 400},
		{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
		{"\x16\x03\x01\x02\x01\x01", 0},
		{"GET /health HTTP/1.1\r\nGET /x HTTP/1.1\r\n" HOST "\r\n", 400},
		{"GET /health HTTP/1.1\r\n:path: /x\r\n" HOST "\r\n", 400},
		{"GET /health HTTP/1.1\r\nHost : localhost\r\n\r\n", 400},
		{"GET /health HTTP/1.1\r\n" HOST "X-A: b\r\n c\r\n\r\n", 400},
		{"GET /health HTTP/1.1\r\n" HOST "X-A: b\rc\r\n\r\n", 400},
		{"GET /health HTTP/1.1\r\n" HOST "X-A: \x01\r\n\r\n", 400},
		{"GET /health HTTP/1.1\r\n" HOST "X-A\r\n\r\n", 400},
		{"GET /health HTTP/1.1\r\n" HOST "Expect: magic\r\n\r\n", 417},
		/* bare line feeds */
		{"GET /health HTTP/1.1\n" HOST "\r\n", 400},
		{"GET /health HTTP/1.1\nHost: localhost\n\n", 400},
		{"GET /health HTTP/1.1\r\n" HOST "X-A: b\nHost: evil.example\r\n\r\n", 400},
		{"GET /health HTTP/1.1\r\n" HOST "\n", 400},
	};
	for (size_t i = 0; i < gw_countof(rows); i++) {
		int fd = open_client(f);
		say(f, fd, rows[i].request);
		shutdown(fd, SHUT_WR);
		int status = hear(f, fd, true);
		bool right = rows[i].status < 0 ? status == 0 || status >= 400
						: status == rows[i].status;
		if (!right) {
			fail_msg("%d for\n%s\n%s", status, rows[i].request, f->body);
		}
		assert_true(is_closed(f, fd));
		close(fd);
		assert_int_equal(f->g.calls, 0);
	}
	assert_int_equal(ask(f, "GET /health HTTP/1.1\r\n" HOST "\r\n"), 200);
}

static void our_own_hosts_and_origins_are_welcome(void **state)
{
	struct fixture *f = *state;
	static const char *const hosts[] = {
		"localhost",  "LOCALHOST:8480", "127.0.0.1:1",
		"[::1]:8480", "home.example",	"Home.Example.:80",
	};
	for (size_t i = 0; i < gw_countof(hosts); i++) {
		char request[256];
		snprintf(request, sizeof(request), "GET /health HTTP/1.1\r\nHost: %s\r\n\r\n",
			 hosts[i]);
		assert_int_equal(ask(f, request), 200);
		snprintf(request, sizeof(request),
			 "POST /api/v1/scan HTTP/1.1\r\nHost: %s\r\nOrigin: http://%s\r\n" OWNER
			 "Content-Length: 0\r\n\r\n",
			 hosts[i], hosts[i]);
		assert_int_equal(ask(f, request), 200);
	}
}

static int ask_with(struct fixture *f, const char *before, const char *fill, size_t n,
		    const char *after)
{
	struct gw_buf b = GW_BUF_INIT(4u << 20);
	gw_buf_puts(&b, before);
	for (size_t i = 0; i < n; i++) {
		gw_buf_puts(&b, fill);
	}
	gw_buf_puts(&b, after);
	int fd = open_client(f);
	put(f, fd, b.p, b.len);
	int status = hear(f, fd, true);
	close(fd);
	gw_buf_fini(&b);
	return status;
}

/* security-rules §3: at the limit and above it. */
static void heads_and_bodies_have_limits(void **state)
{
	struct fixture *f = *state;
	static const char line[] = "GET /health HTTP/1.1\r\n" HOST;
	/* one header of 8 KiB, and one more byte */
	assert_int_equal(
		ask_with(f, "GET /health HTTP/1.1\r\n" HOST "A: ", "x", 8192 - 3, "\r\n\r\n"), 200);
	assert_int_equal(
		ask_with(f, "GET /health HTTP/1.1\r\n" HOST "A: ", "x", 8193 - 3, "\r\n\r\n"), 431);
	/* the request line: 8 KiB are too much for a target, and more are not looked at */
	assert_int_equal(ask_with(f, "GET /", "x", 8192 - 14, " HTTP/1.1\r\n" HOST "\r\n"), 431);
	assert_int_equal(ask_with(f, "GET /", "x", 8193 - 14, " HTTP/1.1\r\n" HOST "\r\n"), 431);
	assert_has(f->body, "request line");
	/* 64 headers, Host among them */
	assert_int_equal(ask_with(f, line, "X-A: b\r\n", GW_HTTP_HEADERS - 1, "\r\n"), 200);
	assert_int_equal(ask_with(f, line, "X-A: b\r\n", GW_HTTP_HEADERS, "\r\n"), 431);
	/* all of it: 16 KiB; the line ends count */
	char half[8400];
	snprintf(half, sizeof(half), "%sA: %04080d\r\nB: %04080d\r\nC: ", line, 0, 0);
	size_t rest = GW_HTTP_HEADER_BYTES - strlen(half) - 4;
	assert_true(rest <= 8192 - 3);
	assert_int_equal(ask_with(f, half, "x", rest, "\r\n\r\n"), 200);
	assert_int_equal(ask_with(f, half, "x", rest + 1, "\r\n\r\n"), 431);
	/* 16 parameters */
	assert_int_equal(ask_with(f, "GET /x?", "a=1&", GW_API_PARAMS, " HTTP/1.1\r\n" HOST "\r\n"),
			 404);
	assert_int_equal(
		ask_with(f, "GET /x?", "a=1&", GW_API_PARAMS + 1, " HTTP/1.1\r\n" HOST "\r\n"),
		431);
	/* a body of 1 MiB */
	assert_int_equal(ask_with(f, COMMAND "Content-Length: 1048576\r\n\r\n{\"set\":{\"a\":1}",
				  " ", GW_HTTP_BODY_BYTES - 15, "}"),
			 200);
	unsigned calls = f->g.calls;
	assert_int_equal(ask_with(f, COMMAND "Content-Length: 1048577\r\n\r\n{\"set\":{\"a\":1}",
				  " ", GW_HTTP_BODY_BYTES - 14, "}"),
			 413);
	/* in chunks: what is announced counts, before it has come */
	assert_int_equal(ask_with(f, CHUNKED "\r\n100000\r\n{\"set\":{\"a\":1}", " ",
				  GW_HTTP_BODY_BYTES - 15, "}\r\n0\r\n\r\n"),
			 200);
	calls = f->g.calls;
	assert_int_equal(ask_with(f, CHUNKED "\r\n100001\r\n", "", 0, ""), 413);
	assert_int_equal(ask_with(f, CHUNKED "\r\n", "1\r\n \r\n", 1000, "ffc19\r\n"), 413);
	/* who has not logged in gets room for a login */
	static const char login[] =
		"POST /api/v1/login HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n";
	char head[256];
	snprintf(head, sizeof(head), "%sContent-Length: 4097\r\n\r\n", login);
	assert_int_equal(ask_with(f, head, " ", 4097, ""), 413);
	snprintf(head, sizeof(head), "%sContent-Length: 4096\r\n\r\n", login);
	assert_int_equal(ask_with(f, head, " ", 4096, ""), 400);
	snprintf(head, sizeof(head), "%sTransfer-Encoding: chunked\r\n\r\n", login);
	assert_int_equal(ask_with(f, head, "1001\r\n", 1, ""), 413);
	snprintf(head, sizeof(head), "%sTransfer-Encoding: chunked\r\n\r\n1000\r\n", login);
	assert_int_equal(ask_with(f, head, " ", 4096, "\r\n0\r\n\r\n"), 400);
	assert_int_equal(f->g.calls, calls);
}

/* --- time and number --- */

static bool is_open(struct fixture *f, int fd)
{
	char c;
	turn(f);
	return recv(fd, &c, 1, MSG_PEEK) < 0 && errno == EAGAIN;
}

/* security-rules §3: just before the deadline and just after it. */
static void slow_peers_lose_their_place(void **state)
{
	struct fixture *f = *state;
	int silent = open_client(f), slow = open_client(f), body = open_client(f),
	    idle = open_client(f);
	say(f, slow, "GET /health HTTP/1.1\r\nHost: lo");
	say(f, body, COMMAND "Content-Length: 26\r\n\r\n{\"set\"");
	say(f, idle, "GET /health HTTP/1.1\r\n" HOST OWNER "\r\n");
	assert_int_equal(hear(f, idle, true), 200);
	for (int i = 0; i < 4; i++) { /* one byte a second does not help */
		advance(f, GW_HTTP_HEADER_MS / 5);
		assert_true(is_open(f, silent) && is_open(f, slow) && is_open(f, body));
		say(f, slow, "c");
		say(f, body, ":");
	}
	advance(f, GW_HTTP_HEADER_MS / 5);
	assert_true(is_closed(f, silent));
	assert_true(is_closed(f, slow));
	assert_true(is_open(f, body));
	advance(f, GW_HTTP_BODY_MS - GW_HTTP_HEADER_MS - 1000);
	assert_true(is_open(f, body));
	advance(f, 1000);
	assert_true(is_closed(f, body));
	advance(f, GW_HTTP_IDLE_MS - GW_HTTP_BODY_MS - 1000);
	assert_true(is_open(f, idle));
	advance(f, 1000);
	assert_true(is_closed(f, idle));
	assert_int_equal(f->g.calls, 0);
	close(silent);
	close(slow);
	close(body);
	close(idle);
	/* Nobody is left: the sweep ends by itself. */
	assert_false(gw_timer_active(((struct gw_http *)f->s.impl)->sweep));
}

/* 100-continue gives nobody more time for the body. */
static void a_body_that_was_asked_for_has_its_deadline(void **state)
{
	struct fixture *f = *state;
	int fd = open_client(f);
	say(f, fd, COMMAND "Expect: 100-continue\r\nContent-Length: 26\r\n\r\n");
	assert_int_equal(hear(f, fd, false), 100);
	advance(f, GW_HTTP_BODY_MS - 1000);
	assert_true(is_open(f, fd));
	advance(f, 1000);
	assert_true(is_closed(f, fd));
	close(fd);
}

/* Who reads a byte now and then holds an answer, or events, no longer than who reads nothing. */
static void slow_readers_lose_their_place(void **state)
{
	struct fixture *f = *state;
	static const char *const requests[] = {
		"GET /api/v1/openapi.json HTTP/1.1\r\n" HOST OWNER "\r\n",
		"GET /api/v1/events HTTP/1.1\r\n" HOST OWNER "\r\n",
		"GET /api/v1/events/ws HTTP/1.1\r\n" UPGRADE OWNER "\r\n",
	};
	struct gw_http *h = f->s.impl;
	int size = 4096; /* of what the kernel keeps */
	setsockopt(h->listener[0].fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	for (size_t i = 0; i < gw_countof(requests); i++) {
		int fd = open_client(f);
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
		say(f, fd, requests[i]);
		assert_int_equal(hear(f, fd, false), i == 2 ? 101 : 200);
		for (int k = 0; i && k < 200; k++) {
			fake_home_change(&f->g, 0, FAKE_SWITCH, k % 2);
			turn(f);
		}
		int seconds = 0;
		for (char c; h->n_conns && seconds < 120; seconds++) {
			(void)recv(fd, &c, 1, 0);
			if (i == 2) {
				put(f, fd, "\x8a\x80\0\0\0\0", 6); /* a pong: it is alive */
			}
			advance(f, 1000);
		}
		if (seconds < GW_HTTP_IDLE_MS / 1000 - 1 || seconds > GW_HTTP_IDLE_MS / 1000 + 5) {
			fail_msg("%d s for\n%s", seconds, requests[i]);
		}
		close(fd);
	}
}

static void connections_are_counted(void **state)
{
	struct fixture *f = *state;
	int fd[GW_HTTP_CONNECTIONS + 2];
	int n = 0;
	for (; n < GW_HTTP_PER_SOURCE; n++) {
		fd[n] = open_client(f);
		turn(f);
	}
	int over = open_client(f);
	assert_true(is_closed(f, over)); /* the 17th of one source */
	close(over);
	for (; n < GW_HTTP_CONNECTIONS; n++) {
		char source[16];
		snprintf(source, sizeof(source), "127.0.0.%d", 2 + n / GW_HTTP_PER_SOURCE);
		fd[n] = connect_from(f, source);
		turn(f);
		assert_true(is_open(f, fd[n]));
	}
	over = connect_from(f, "127.0.0.99");
	assert_true(is_closed(f, over)); /* the 65th */
	close(over);
	say(f, fd[0], "GET /health HTTP/1.1\r\n" HOST "\r\n");
	assert_int_equal(hear(f, fd[0], true), 200);
	close(fd[0]);
	for (int i = 0; i < 20; i++) {
		turn(f);
	}
	fd[0] = open_client(f); /* its place is free again */
	say(f, fd[0], "GET /health HTTP/1.1\r\n" HOST "\r\n");
	assert_int_equal(hear(f, fd[0], true), 200);
	for (int i = 0; i < n; i++) {
		close(fd[i]);
	}
}

/* --- sessions --- */

static void cookies_need_their_other_half(void **state)
{
	struct fixture *f = *state;
	static const char login[] =
		"POST /api/v1/login HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
		"Content-Length: 64\r\n\r\n"
		"{\"account\":\"anna\",\"password\":\"correct horse\",\"cookie\":true     }";
	int fd = open_client(f);
	say(f, fd, login);
	await(f, f->g.login_done);
	assert_string_equal(f->g.login_source, "127.0.0.1");
	fake_home_login_end(&f->g);
	assert_int_equal(hear(f, fd, true), 200);
	assert_has(f->head, "Set-Cookie: hearth_session=" FAKE_TOKEN
			    "owner; Path=/; HttpOnly; SameSite=Strict\r\n");
	close(fd);
	const char *csrf = strstr(f->head, "X-Hearth-CSRF: ");
	char header[128];
	assert_non_null(csrf);
	snprintf(header, sizeof(header), "%.79s\r\n", csrf);
#define COOKIE "Cookie: theme=dark; hearth_session=" FAKE_TOKEN "owner\r\n"
	assert_int_equal(ask(f, "GET /api/v1/me HTTP/1.1\r\n" HOST COOKIE "\r\n"), 200);
	assert_has(f->head, header); /* it can be asked for again */
	assert_int_equal(
		ask(f, "POST /api/v1/scan HTTP/1.1\r\n" HOST COOKIE "Content-Length: 0\r\n\r\n"),
		403);
	assert_int_equal(
		ask(f,
		    "POST /api/v1/scan HTTP/1.1\r\n" HOST COOKIE
		    "X-Hearth-CSRF: 0000000000000000000000000000000000000000000000000000000000000000\r\n"
		    "Content-Length: 0\r\n\r\n"),
		403);
	assert_int_equal(f->g.scans, 0);
	char request[512];
	snprintf(request, sizeof(request),
		 "POST /api/v1/scan HTTP/1.1\r\n" HOST COOKIE "%sContent-Length: 0\r\n\r\n",
		 header);
	assert_int_equal(ask(f, request), 200);
	assert_int_equal(f->g.scans, 30);
	snprintf(request, sizeof(request),
		 "POST /api/v1/logout HTTP/1.1\r\n" HOST COOKIE "%sContent-Length: 0\r\n\r\n",
		 header);
	assert_int_equal(ask(f, request), 200);
	assert_has(f->head,
		   "Set-Cookie: hearth_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0\r\n");
	assert_int_equal(f->g.logouts, 1);
	/* A wrong or foreign scheme is nobody. */
	assert_int_equal(ask(f, "GET /api/v1/me HTTP/1.1\r\n" HOST
				"Authorization: Basic YTpi\r\n" COOKIE "\r\n"),
			 401);
	assert_int_equal(
		ask(f, "GET /api/v1/me HTTP/1.1\r\n" HOST "Authorization: Bearer x\r\n\r\n"), 401);
	assert_int_equal(
		ask(f, "GET /api/v1/me HTTP/1.1\r\n" HOST "Authorization: Bearer \r\n\r\n"), 401);
}

static void a_command_outlives_its_connection(void **state)
{
	struct fixture *f = *state;
	f->g.hold = true;
	int fd = open_client(f);
	say(f, fd, COMMAND "Content-Length: 26\r\n\r\n{\"set\":{\"switch.on\":true}}");
	await(f, f->g.n_commands > 0);
	struct linger hard = {1, 0};
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(fd); /* a reset */
	for (int i = 0; i < 20; i++) {
		turn(f);
	}
	fake_home_outcome(&f->g, 0, GW_STATUS_DONE);
	for (int i = 0; i < 20; i++) {
		turn(f);
	}
	assert_int_equal(ask(f, "GET /health HTTP/1.1\r\n" HOST "\r\n"), 200);
}

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

/* --- TLS and the listeners --- */

static SSL *tls_connect(struct fixture *f, SSL_CTX *ctx, const char *name, int *ret_fd)
{
	uint16_t port = f->port;
	f->port = f->tls_port;
	*ret_fd = open_client(f);
	f->port = port;
	SSL *ssl = SSL_new(ctx);
	SSL_set_fd(ssl, *ret_fd);
	SSL_set_tlsext_host_name(ssl, name);
	SSL_set1_host(ssl, name);
	int64_t until = gw_clock_ms() + DEADLINE_MS;
	int r = 0;
	while ((r = SSL_connect(ssl)) != 1 && gw_clock_ms() < until) {
		int e = SSL_get_error(ssl, r);
		if (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE) {
			SSL_free(ssl);
			close(*ret_fd);
			ERR_clear_error();
			return NULL;
		}
		turn(f);
	}
	return ssl;
}

static void tls_put(struct fixture *f, SSL *ssl, struct gw_str text)
{
	int64_t until = gw_clock_ms() + DEADLINE_MS;
	SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE);
	while (text.len) {
		assert_true(gw_clock_ms() < until);
		int n = SSL_write(ssl, text.p, (int)text.len);
		text = gw_str_sub(text, n > 0 ? (size_t)n : 0, text.len);
		turn(f);
	}
}

/* One response, head and body, in f->body. */
static void tls_hear(struct fixture *f, SSL *ssl)
{
	size_t n = 0, want = sizeof(f->body) - 1;
	f->body[0] = '\0';
	int64_t until = gw_clock_ms() + DEADLINE_MS;
	while (n < want) {
		assert_true(gw_clock_ms() < until);
		turn(f);
		int r = SSL_read(ssl, f->body + n, (int)(sizeof(f->body) - n - 1));
		n += r > 0 ? (size_t)r : 0;
		f->body[n] = '\0';
		const char *length = strstr(f->body, "Content-Length: "),
			   *end = strstr(f->body, "\r\n\r\n");
		if (length && end) {
			want = (size_t)(end - f->body) + 4 + strtoul(length + 16, NULL, 10);
		}
	}
}

static void tls_ask(struct fixture *f, SSL *ssl, const char *request)
{
	tls_put(f, ssl, gw_str(request));
	tls_hear(f, ssl);
}

static SSL_CTX *client_context(const struct fixture *f)
{
	char ca[128];
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	snprintf(ca, sizeof(ca), "%s/ca.crt", f->dir);
	assert_int_equal(SSL_CTX_load_verify_file(ctx, ca), 1);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	return ctx;
}

static void tls_is_on_with_our_own_authority(void **state)
{
	struct fixture *f = *state;
	int fd = -1;
	struct stat st;
	char path[128];
	snprintf(path, sizeof(path), "%s/ca.pem", f->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	SSL_CTX *ctx = client_context(f);
	SSL *ssl = tls_connect(f, ctx, "home.example", &fd);
	assert_non_null(ssl);
	assert_int_equal(SSL_get_verify_result(ssl), X509_V_OK);
	tls_ask(f, ssl, "GET /health HTTP/1.1\r\nHost: home.example\r\n\r\n");
	assert_has(f->body, "HTTP/1.1 200 OK");
	tls_ask(f, ssl, "GET /api/v1/devices/none HTTP/1.1\r\n" HOST OWNER "\r\n");
	assert_has(f->body, "HTTP/1.1 404 Not Found");
	SSL_free(ssl);
	close(fd);
	assert_null(tls_connect(f, ctx, "evil.example", &fd)); /* not in the certificate */
	SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION);
	assert_null(tls_connect(f, ctx, "localhost", &fd));
	SSL_CTX_free(ctx);
	/* A large body and a large answer, and the end is said. */
	ctx = client_context(f);
	ssl = tls_connect(f, ctx, "localhost", &fd);
	assert_non_null(ssl);
	struct gw_buf large = GW_BUF_INIT(2u << 20);
	gw_buf_printf(&large, COMMAND "Content-Length: %d\r\n\r\n{\"set\":{\"a\":1}%*s}",
		      GW_HTTP_BODY_BYTES, GW_HTTP_BODY_BYTES - 15, "");
	tls_put(f, ssl, gw_buf_str(&large));
	gw_buf_fini(&large);
	tls_hear(f, ssl);
	assert_has(f->body, "HTTP/1.1 200 OK");
	tls_ask(f, ssl,
		"GET /api/v1/openapi.json HTTP/1.1\r\n" HOST OWNER "Connection: close\r\n\r\n");
	assert_true(strlen(f->body) > 40000);
	int end = SSL_ERROR_WANT_READ;
	char c;
	await(f, (end = SSL_get_error(ssl, SSL_read(ssl, &c, 1))) != SSL_ERROR_WANT_READ);
	assert_int_equal(end, SSL_ERROR_ZERO_RETURN);
	SSL_free(ssl);
	close(fd);
	SSL_CTX_free(ctx);
	/* The cookie of a TLS session stays there. */
	ctx = client_context(f);
	ssl = tls_connect(f, ctx, "localhost", &fd);
	assert_non_null(ssl);
	tls_ask(f, ssl, "POST /api/v1/logout HTTP/1.1\r\n" HOST OWNER "Content-Length: 0\r\n\r\n");
	assert_has(f->body, "SameSite=Strict; Secure; Max-Age=0");
	SSL_free(ssl);
	close(fd);
	SSL_CTX_free(ctx);
	/* Plain text on the TLS port, and a handshake that never ends. */
	uint16_t port = f->port;
	f->port = f->tls_port;
	assert_int_equal(ask(f, "GET /health HTTP/1.1\r\n" HOST "\r\n"), 0);
	fd = open_client(f);
	f->port = port;
	say(f, fd, "\x16\x03\x01\x02");
	advance(f, 6000);
	assert_true(is_closed(f, fd));
	close(fd);
}

static void certificates_survive_restarts_and_damage(void **state)
{
	struct fixture *f = *state;
	char path[128], before[8192] = "", after[8192] = "";
	int fd = -1;
	SSL_CTX *ctx = client_context(f);
	snprintf(path, sizeof(path), "%s/server.pem", f->dir);
	FILE *file = fopen(path, "r");
	assert_true(fread(before, 1, sizeof(before) - 1, file) > 500);
	fclose(file);
	surface_close(f, &f->s);
	static const char yaml[] =
		"{listen: \"127.0.0.1:0\", https_listen: \"127.0.0.1:0\", names: \"home.example\"}";
	assert_int_equal(surface_open(f, &f->s, yaml), 0);
	file = fopen(path, "r");
	assert_true(fread(after, 1, sizeof(after) - 1, file) > 500);
	fclose(file);
	assert_string_equal(before, after);
	surface_close(f, &f->s);
	/* Truncated: made anew, by the same authority. */
	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(surface_open(f, &f->s, yaml), 0);
	f->tls_port = gw_http_port(&f->s, 1);
	SSL *ssl = tls_connect(f, ctx, "localhost", &fd);
	assert_non_null(ssl);
	SSL_free(ssl);
	close(fd);
	surface_close(f, &f->s);
	/* Another name of the machine: the certificate follows. */
	assert_int_equal(surface_open(f, &f->s,
				      "{listen: \"127.0.0.1:0\", https_listen: \"127.0.0.1:0\", "
				      "names: \"new.example\"}"),
			 0);
	f->tls_port = gw_http_port(&f->s, 1);
	ssl = tls_connect(f, ctx, "new.example", &fd);
	assert_non_null(ssl);
	SSL_free(ssl);
	close(fd);
	/* A name that comes later, without a restart. */
	struct gw_http *h = f->s.impl;
	char *option = h->names_option, later[] = "new.example later.example";
	gw_http_upkeep(h);
	assert_null(tls_connect(f, ctx, "later.example", &fd));
	h->names_option = later;
	gw_http_upkeep(h);
	h->names_option = option;
	ssl = tls_connect(f, ctx, "later.example", &fd);
	assert_non_null(ssl);
	tls_ask(f, ssl, "GET /health HTTP/1.1\r\nHost: later.example\r\n\r\n");
	assert_has(f->body, "HTTP/1.1 200 OK");
	SSL_free(ssl);
	close(fd);
	/* Nothing new: the file stays as it is. */
	struct stat was, is;
	assert_int_equal(stat(path, &was), 0);
	h->names_option = later;
	gw_http_upkeep(h);
	h->names_option = option;
	assert_int_equal(stat(path, &is), 0);
	assert_int_equal(is.st_ino, was.st_ino);
	SSL_CTX_free(ctx);
}

static void listeners_refuse_what_is_unsafe_or_taken(void **state)
{
	struct fixture *f = *state;
	static const char *const bad[] = {
		"{listen: \"0.0.0.0:0\", https_listen: off}",
		"{listen: \"[::]:0\"}",
		"{listen: \"8480\"}",
		"{listen: \"127.0.0.1:99999\"}",
		"{listen: \"localhost:80\"}",
		"{https_listen: \"*:443\"}",
	};
	for (size_t i = 0; i < gw_countof(bad); i++) {
		struct gw_surface s;
		assert_int_equal(surface_open(f, &s, bad[i]), -EINVAL);
		surface_close(f, &s);
	}
	struct gw_surface s;
	char yaml[96];
	snprintf(yaml, sizeof(yaml), "{listen: \"127.0.0.1:%u\", https_listen: off}", f->port);
	assert_int_equal(surface_open(f, &s, yaml), -EADDRINUSE);
	surface_close(f, &s);
	assert_int_equal(surface_open(f, &s, "{listen: off, https_listen: off}"), 0);
	surface_close(f, &s);
	assert_int_equal(
		surface_open(f, &s,
			     "{listen: \"0.0.0.0:0\", https_listen: off, allow_plain: true}"),
		0);
	surface_close(f, &s);
}

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

/* Without a free descriptor nobody is accepted, and the loop does not spin; a second later it is tried again. */
static void running_out_of_descriptors_passes(void **state)
{
	struct fixture *f = *state;
	struct rlimit was, none;
	int fd = open_client(f), spare = dup(fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = (struct rlimit){.rlim_cur = (rlim_t)spare, .rlim_max = was.rlim_max};
	close(spare);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	for (int i = 0; i < 20; i++) {
		turn(f);
	}
	struct pollfd loop = {.fd = uv_backend_fd(gw_loop_uv(f->loop)), .events = POLLIN};
	assert_int_equal(poll(&loop, 1, 0), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	advance(f, 1000);
	say(f, fd, "GET /health HTTP/1.1\r\n" HOST "\r\n");
	assert_int_equal(hear(f, fd, true), 200);
	close(fd);
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
	(void)signal(SIGPIPE, SIG_IGN); /* as the daemon does; cannot fail for this signal */
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(answers_carry_their_headers),
		T(the_page_tells_how_to_begin),
		T(a_change_is_made_of_a_complete_request_only),
		T(requests_in_one_piece_are_answered_in_order),
		T(bodies_may_come_in_chunks),
		T(waiting_costs_nothing),
		T(what_is_not_well_formed_changes_nothing),
		T(our_own_hosts_and_origins_are_welcome),
		T(heads_and_bodies_have_limits),
		T(slow_peers_lose_their_place),
		T(a_body_that_was_asked_for_has_its_deadline),
		T(slow_readers_lose_their_place),
		T(connections_are_counted),
		T(cookies_need_their_other_half),
		T(a_command_outlives_its_connection),
		T(events_are_streamed_and_resumed),
		T(a_client_that_does_not_read_gets_a_resync),
		T(a_websocket_takes_requests_and_gives_events),
		T(websockets_have_limits),
		T(frames_against_the_protocol_end_the_socket),
		T(silent_websockets_are_given_up),
		T(upgrades_are_checked_like_changes),
		T(tls_is_on_with_our_own_authority),
		T(certificates_survive_restarts_and_damage),
		T(listeners_refuse_what_is_unsafe_or_taken),
		T(stopping_ends_what_is_under_way),
		T(running_out_of_descriptors_passes),
		T(running_out_of_memory_ends_one_connection),
	};
	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
