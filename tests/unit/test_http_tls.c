#include "http_client.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/stat.h>

/* --- a client --- */

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

/* --- TLS and the listeners --- */

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

int main(void)
{
	(void)signal(SIGPIPE, SIG_IGN); /* as the daemon does; cannot fail for this signal */
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(tls_is_on_with_our_own_authority),
		T(certificates_survive_restarts_and_damage),
		T(listeners_refuse_what_is_unsafe_or_taken),
	};
	return cmocka_run_group_tests_name("http-tls", tests, NULL, NULL);
}
