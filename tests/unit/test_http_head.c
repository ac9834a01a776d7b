/* Request heads and what they must say, without a connection: each rule of RFC 9112 and of security-rules R4 and R30 from both sides. */
#include "gw_test.h"

#include <stdio.h>
#include <string.h>

#include "gw/limits.h"
#include "surfaces/http/check.h"

static void the_end_of_a_head(void **state)
{
	static const struct {
		const char *text;
		enum gw_http_end end;
		size_t len;
	} rows[] = {
		{"", GW_HTTP_MORE, 0},
		{"\r", GW_HTTP_MORE, 0},
		{"a", GW_HTTP_MORE, 0},
		{"a\r\n", GW_HTTP_MORE, 0},
		{"a\r\nb: c\r\n", GW_HTTP_MORE, 0},
		{"\r\n", GW_HTTP_COMPLETE, 2}, /* nothing before it */
		{"a\r\n\r\n", GW_HTTP_COMPLETE, 5},
		{"a\r\nb: c\r\n\r\nbody\n", GW_HTTP_COMPLETE, 11},
		{"\n", GW_HTTP_BAD, 0},
		{"a\n", GW_HTTP_BAD, 0},
		{"a\r\n\n", GW_HTTP_BAD, 0},
		{"a\r\nb\n\r\n", GW_HTTP_BAD, 0},
	};
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		struct gw_str text = gw_str(rows[i].text);
		size_t scanned = 0, len = 0, whole_len = 0, from = 0;
		enum gw_http_end end = GW_HTTP_MORE;
		assert_int_equal(gw_http_find_end(text, &from, &whole_len), rows[i].end);
		for (size_t n = 0; end == GW_HTTP_MORE && n <= text.len; n++) { /* byte by byte */
			end = gw_http_find_end(gw_str_sub(text, 0, n), &scanned, &len);
		}
		assert_int_equal(end, rows[i].end);
		assert_int_equal(len, rows[i].len);
		assert_int_equal(whole_len, rows[i].len);
	}
}

/* 0: understood. */
static int head_status(struct gw_str text, struct gw_http_head *h)
{
	struct gw_http_refusal refusal = {0};
	bool ok = gw_http_parse_head(text, h, &refusal);
	assert_true(ok == (refusal.http == 0));
	assert_true(ok || refusal.text[0]);
	return refusal.http;
}

static void lines_are_read_strictly(void **state)
{
	static const struct {
		const char *text; /* before the empty line */
		int http;
	} rows[] = {
		{"GET / HTTP/1.1\r\n", 0},
		{"GET / HTTP/1.0\r\n", 0},
		{"GET / HTTP/1.2\r\n", 505},
		{"GET / HTTP/2\r\n", 505},
		{"GET / http/1.1\r\n", 400},
		{"GET / HTTP/1.1 \r\n", 505},
		{"GET /\r\n", 400},
		{"GET\r\n", 400},
		{"", 400},
		{" / HTTP/1.1\r\n", 400},
		{"GET  / HTTP/1.1\r\n", 400},
		{"GET a HTTP/1.1\r\n", 400},
		{"GET http://localhost/ HTTP/1.1\r\n", 400},
		{"GET * HTTP/1.1\r\n", 400},
		{"GET /% HTTP/1.1\r\n", 400},
		/* methods are tokens */
		{"get / HTTP/1.1\r\n", 0},
		{"M-09!#$%&'*+.^_` / HTTP/1.1\r\n", 0},
		{"ABCDEFGHIJKLMNOP / HTTP/1.1\r\n", 0},
		{"ABCDEFGHIJKLMNOPQ / HTTP/1.1\r\n", 400},
		{"G/T / HTTP/1.1\r\n", 400},
		{"G:T / HTTP/1.1\r\n", 400},
		{"G@T / HTTP/1.1\r\n", 400},
		{"G[T / HTTP/1.1\r\n", 400},
		{"G{T / HTTP/1.1\r\n", 400},
		{"G\tT / HTTP/1.1\r\n", 400},
		{"G\x80T / HTTP/1.1\r\n", 400},
		/* headers */
		{"GET / HTTP/1.1\r\nHost: a\r\n", 0},
		{"GET / HTTP/1.1\r\nHost:a\r\n", 0},
		{"GET / HTTP/1.1\r\nhOST:\t a \t\r\n", 0},
		{"GET / HTTP/1.1\r\nX-1|~: a\tb \xc3\xa4\xff\r\n", 0},
		{"GET / HTTP/1.1\r\nHost\r\n", 400},
		{"GET / HTTP/1.1\r\n: a\r\n", 400},
		{"GET / HTTP/1.1\r\nHost : a\r\n", 400},
		{"GET / HTTP/1.1\r\n Host: a\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\n\tb\r\n", 400}, /* folded */
		{"GET / HTTP/1.1\r\nHo(st: a\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\x01\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\rb\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\x7f\r\n", 400},
	};
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		char text[256];
		struct gw_http_head h;
		int n = snprintf(text, sizeof(text), "%s\r\n", rows[i].text);
		int http = head_status((struct gw_str){text, (size_t)n}, &h);
		if (http != rows[i].http) {
			fail_msg("%s: %d", rows[i].text, http);
		}
	}
	static const char zeros[] = "G\0T / HTTP/1.1\r\n\r\n",
			  value[] = "G / HTTP/1.1\r\nA: \0\r\n\r\n";
	struct gw_http_head h;
	assert_int_equal(head_status((struct gw_str){zeros, sizeof(zeros) - 1}, &h), 400);
	assert_int_equal(head_status((struct gw_str){value, sizeof(value) - 1}, &h), 400);
}

static void lines_and_headers_have_limits(void **state)
{
	static char text[4 * GW_HTTP_LINE_BYTES];
	struct gw_http_head h;
	(void)state;
	for (int above = 0; above < 2; above++) {
		/* The target has a smaller limit of its own. */
		int pad = GW_HTTP_LINE_BYTES - (int)strlen("GET / HTTP/1.1") + above;
		int n = snprintf(text, sizeof(text), "GET /%0*d HTTP/1.1\r\n\r\n", pad, 0);
		assert_int_equal(head_status((struct gw_str){text, (size_t)n}, &h), 431);
		pad = GW_HTTP_LINE_BYTES - (int)strlen("X: ") + above;
		n = snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nX: %0*d\r\n\r\n", pad, 0);
		assert_int_equal(head_status((struct gw_str){text, (size_t)n}, &h),
				 above ? 431 : 0);
		n = snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n");
		for (int i = 0; i < GW_HTTP_HEADERS + above; i++) {
			n += snprintf(text + n, sizeof(text) - (size_t)n, "X: a\r\n");
		}
		n += snprintf(text + n, sizeof(text) - (size_t)n, "\r\n");
		assert_int_equal(head_status((struct gw_str){text, (size_t)n}, &h),
				 above ? 431 : 0);
	}
}

static void what_a_connection_is_for(void **state)
{
	static const struct {
		const char *headers;
		bool close, upgrade;
	} rows[] = {
		{"", false, false},
		{"Connection: close\r\n", true, false},
		{"Connection: keep-alive, CLOSE\r\n", true, false},
		{"Connection: closed\r\n", false, false},
		{"Connection: upgrade\r\n", false, false},
		{"Upgrade: websocket\r\n", false, false},
		{"Connection: upgrade\r\nUpgrade: h2c\r\n", false, false},
		{"Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n", false, true},
		{"Connection: Upgrade\r\nUpgrade: h2c, websocket\r\n", false, true},
	};
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		char text[256];
		struct gw_http_head h;
		int n = snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n%s\r\n", rows[i].headers);
		assert_int_equal(head_status((struct gw_str){text, (size_t)n}, &h), 0);
		assert_int_equal(h.close, rows[i].close);
		assert_int_equal(h.upgrade, rows[i].upgrade);
		assert_false(h.http10);
	}
}

static void what_a_request_must_say(void **state)
{
	static const struct {
		const char *method, *headers;
		int http; /* 0: it may pass */
	} rows[] = {
		/* whose host */
		{"GET", "", 400},
		{"GET", "Host: hearth\r\n", 0},
		{"GET", "Host: HEARTH.local.:8080\r\n", 0},
		{"GET", "Host: 192.0.2.1:1\r\n", 0},
		{"GET", "Host: [192.0.2.1]\r\n", 0},
		{"GET", "Host: [192.0.2.1]:65535\r\n", 0},
		{"GET", "Host: [192.0.2.1]:65536\r\n", 421},
		{"GET", "Host: [192.0.2.1]:\r\n", 0},
		{"GET", "Host: [192.0.2.1]a\r\n", 421},
		{"GET", "Host: [192.0.2.1\r\n", 421},
		{"GET", "Host: []\r\n", 421},
		{"GET", "Host: .\r\n", 421},
		{"GET", "Host:\r\n", 421},
		{"GET", "Host: 192.0.2.2\r\n", 421},
		{"GET", "Host: hearth:a\r\n", 421},
		{"GET", "Host: hearth\r\nHost: hearth\r\n", 400},
		{"GET", "Host: hearth\r\nOrigin: https://hearth\r\nOrigin: https://hearth\r\n",
		 400},
		{"GET", "Host: hearth\r\nAuthorization: Bearer a\r\nAuthorization: Bearer a\r\n",
		 400},
		/* whose page */
		{"GET", "Host: hearth\r\nOrigin: https://hearth\r\n", 0},
		{"GET", "Host: hearth:8\r\nOrigin: https://hearth:8\r\n", 0},
		{"GET", "Host: hearth\r\nOrigin: HTTPS://Hearth\r\n", 0},
		{"GET", "Host: hearth\r\nOrigin: http://hearth\r\n", 403}, /* came over TLS */
		{"GET", "Host: hearth\r\nOrigin: https://hearth:8\r\n", 403},
		{"GET", "Host: hearth\r\nOrigin: null\r\n", 403},
		{"GET", "Host: hearth\r\nOrigin:\r\n", 403},
		/* what is expected */
		{"GET", "Host: hearth\r\nExpect: 100-Continue\r\n", 0},
		{"GET", "Host: hearth\r\nExpect: more\r\n", 417},
		/* which body */
		{"POST", "Host: hearth\r\nContent-Length: 0\r\n", 0},
		{"POST", "Host: hearth\r\nContent-Length: 1\r\n", 415},
		{"POST", "Host: hearth\r\nContent-Length: 1\r\nContent-Type:\r\n", 415},
		{"POST",
		 "Host: hearth\r\nContent-Length: 1\r\nContent-Type: Application/JSON ;a=b\r\n", 0},
		{"POST",
		 "Host: hearth\r\nContent-Length: 1\r\nContent-Type: application/json\r\n"
		 "Content-Type: application/json\r\n",
		 415},
		{"POST",
		 "Host: hearth\r\nContent-Length: 1048576\r\nContent-Type: application/json\r\n",
		 0},
		{"POST",
		 "Host: hearth\r\nContent-Length: 1048577\r\nContent-Type: application/json\r\n",
		 413},
		{"POST", "Host: hearth\r\nContent-Length: 1,1\r\n", 400},
		{"POST", "Host: hearth\r\nContent-Length: 1/1\r\n", 400},
		{"POST",
		 "Host: hearth\r\nTransfer-Encoding: CHUNKED\r\nContent-Type: application/json\r\n",
		 0},
		{"POST", "Host: hearth\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n",
		 400},
		{"POST", "Host: hearth\r\nTransfer-Encoding: gzip\r\n", 501},
		{"GET", "Host: hearth\r\nContent-Length: 1\r\n", 400},
		{"HEAD", "Host: hearth\r\nContent-Length: 1\r\n", 400},
		{"DELETE", "Host: hearth\r\nContent-Length: 1\r\n", 400},
		{"DELETE", "Host: hearth\r\nContent-Length: 0\r\n", 0},
	};
	const struct gw_http_place place = {
		.names = " hearth  hearth.local", .local = "192.0.2.1", .tls = true};
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		char text[512];
		struct gw_http_head h;
		struct gw_http_refusal refusal = {0};
		struct gw_http_framing framing;
		int n = snprintf(text, sizeof(text), "%s / HTTP/1.1\r\n%s\r\n", rows[i].method,
				 rows[i].headers);
		assert_int_equal(head_status((struct gw_str){text, (size_t)n}, &h), 0);
		bool ok = gw_http_check(&h, &place, &refusal, &framing);
		if (refusal.http != rows[i].http || ok != (rows[i].http == 0)) {
			fail_msg("%s %s: %d", rows[i].method, rows[i].headers, refusal.http);
		}
	}
}

static void whose_token(void **state)
{
	static const struct {
		const char *headers;
		enum gw_http_credential kind;
		const char *token;
	} rows[] = {
		{"", GW_HTTP_NOBODY, ""},
		{"Authorization: Bearer abc\r\n", GW_HTTP_BEARER, "abc"},
		{"Authorization: bearer  abc \r\n", GW_HTTP_BEARER, "abc"},
		{"Authorization: Bearer\r\n", GW_HTTP_NOBODY, ""},
		{"Authorization: Basic abc\r\n", GW_HTTP_NOBODY, ""},
		{"Cookie: hearth_session=abc\r\n", GW_HTTP_SESSION, "abc"},
		{"Cookie: a=b; hearth_session=a=c;d\r\n", GW_HTTP_SESSION, "a=c"},
		{"Cookie: hearth_session\r\n", GW_HTTP_NOBODY, ""},
		{"Cookie: hearth_session; hearth_session=abc\r\n", GW_HTTP_SESSION, "abc"},
		{"Cookie: hearth_session=\r\n", GW_HTTP_NOBODY, ""},
		{"Cookie: xhearth_session=abc; a\r\n", GW_HTTP_NOBODY, ""},
		{"Cookie:\r\n", GW_HTTP_NOBODY, ""},
		/* the header alone counts, also when it is none of ours */
		{"Authorization: Basic abc\r\nCookie: hearth_session=abc\r\n", GW_HTTP_NOBODY, ""},
	};
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		char text[256];
		struct gw_http_head h;
		struct gw_str token = {0};
		int n = snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n%s\r\n", rows[i].headers);
		assert_int_equal(head_status((struct gw_str){text, (size_t)n}, &h), 0);
		assert_int_equal(gw_http_token(&h, &token), rows[i].kind);
		assert_true(rows[i].kind == GW_HTTP_NOBODY || gw_str_is(token, rows[i].token));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_end_of_a_head),
		cmocka_unit_test(lines_are_read_strictly),
		cmocka_unit_test(lines_and_headers_have_limits),
		cmocka_unit_test(what_a_connection_is_for),
		cmocka_unit_test(what_a_request_must_say),
		cmocka_unit_test(whose_token),
	};
	return cmocka_run_group_tests_name("http_head", tests, NULL, NULL);
}
