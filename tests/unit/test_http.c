#include "http_client.h"

#include <poll.h>
#include <sys/resource.h>

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
	assert_string_equal(
		f->body,
		"{\"error\":{\"code\":\"not-found\",\"text\":\"没有找到：没有这个路径\",\"at\":\"\"}}");
	assert_int_equal(ask(f, "GET /x HTTP/1.1\r\n" HOST "Accept-Language: zh-CN\r\n"
				"Expect: a-miracle\r\n\r\n"),
			 417);
	assert_string_equal(f->body, "{\"error\":{\"code\":\"invalid\",\"text\":\"请求的内容有误："
				     "只支持 100-continue\",\"at\":\"\"}}");
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

/* --- what runs out --- */

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

int main(void)
{
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
		T(running_out_of_descriptors_passes),
	};
	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
