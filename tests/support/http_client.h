/* The http surface over the fake home, in one process with its clients: they turn its loop while they wait. For tests/unit/test_http*.c. */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fake_home.h"
#include "gw/alloc.h"
#include "gw/clock.h"
#include "gw/surface.h"
#include "gw_test.h"
#include "surfaces/http/http.h"

extern const struct gw_surface_class gw_surface_http;

#define DEADLINE_MS 10000
#define OWNER	    "Authorization: Bearer " FAKE_TOKEN "owner\r\n"
#define HOST	    "Host: localhost\r\n"
#define COMMAND                                                                                    \
	"POST /api/v1/devices/plug/commands HTTP/1.1\r\n" HOST OWNER                               \
	"Content-Type: application/json\r\n"
#define CHUNKED COMMAND "Transfer-Encoding: chunked\r\n"
#define BODY	"1a\r\n{\"set\":{\"switch.on\":true}}\r\n0\r\n\r\n"
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

static inline int surface_open(struct fixture *f, struct gw_surface *s, const char *yaml)
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

static inline void surface_close(struct fixture *f, struct gw_surface *s)
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

static inline int setup(void **state)
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

static inline int teardown(void **state)
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

static inline void turn(struct fixture *f)
{
	uv_run(gw_loop_uv(f->loop), UV_RUN_NOWAIT);
}

static inline int connect_from(struct fixture *f, const char *source)
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

static inline int open_client(struct fixture *f)
{
	return connect_from(f, "127.0.0.1");
}

static inline void put(struct fixture *f, int fd, const char *text, size_t len)
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

static inline void say(struct fixture *f, int fd, const char *text)
{
	put(f, fd, text, strlen(text));
}

/* Reads n more bytes; false when the peer closed before. */
static inline bool take(struct fixture *f, int fd, char *p, size_t n)
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

static inline bool is_closed(struct fixture *f, int fd)
{
	char c;
	return !take(f, fd, &c, 1);
}

static inline bool is_open(struct fixture *f, int fd)
{
	char c;
	turn(f);
	return recv(fd, &c, 1, MSG_PEEK) < 0 && errno == EAGAIN;
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
static inline void advance(struct fixture *f, int64_t ms)
{
	struct gw_http *h = f->s.impl;
	turn(f);
	assert_true(gw_timer_active(h->sweep));
	gw_clock_advance_ms(ms);
	gw_http_sweep(h);
	turn(f);
}

/* One response; 0 when the peer closed without one. */
static inline int hear(struct fixture *f, int fd, bool has_body)
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

static inline int ask(struct fixture *f, const char *request)
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
