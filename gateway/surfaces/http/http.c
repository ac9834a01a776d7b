/*
 * The http surface: REST, server-sent events, WebSocket, /health, /metrics, and a plain page at /.
 *
 * What it speaks: HTTP/1.1 (RFC 9110, 9112), server-sent events (WHATWG HTML §9.2), WebSocket (RFC 6455), over TLS 1.2 or newer with a certificate of
 * the gateway's own CA (tls.h). The API itself is surfaces/api.
 *
 * Parsing is our own and strict (security-rules R30: two lengths, bad chunks, bare line feeds are errors). libwebsockets 4.1.6 was tried: behind a request
 * with a body it loses the bounds of pipelined ones and turns in a circle, a bare line feed hides a header from it, and a connection that
 * waits for an answer while its peer has closed its side keeps the loop busy.
 *
 * Options (section `http:` of hearth.yaml):
 *   listen        address:port for plain HTTP; default 127.0.0.1:8480. Another than a loopback address needs allow_plain.
 *   https_listen  address:port for HTTPS; default 0.0.0.0:8443. "off": none.
 *   allow_plain   true: plain HTTP also on other interfaces (passwords can then be read on the network); default false
 *   names         host names under which clients reach the gateway, separated by spaces, beside the machine's own
 *
 * Who: `Authorization: Bearer <token>`, or the cookie that a login with {"cookie":true} sets; changes by cookie need the header X-Hearth-CSRF, whose value comes with
 * the answers to the login and to GET requests. No cross-origin requests.
 *
 * Limits: security-rules §3. No path of a request reaches the file system.
 */
#include <errno.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/log.h"
#include "surfaces/http/http.h"

#define UPKEEP_MS (60 * 1000)

extern const struct gw_surface_class gw_surface_http;

/* --- start --- */

static int http_init(struct gw_surface *s)
{
	struct gw_http *h = s->impl;
	h->surface = s;
	gw_list_init(&h->conns);
	for (size_t i = 0; i < gw_countof(h->listener); i++) {
		h->listener[i] = (struct gw_http_listener){.http = h, .fd = -1, .tls = i == 1};
	}
	struct sockaddr_storage addr;
	bool off = false;
	if (gw_http_address(h->https_listen, &addr, &off)) {
		gw_log_error("http", "GW-HTTP-ADDRESS",
			     "http: https_listen: \"%s\" is no address:port (0.0.0.0:8443, off)",
			     h->https_listen);
		return -EINVAL;
	}
	if (gw_http_address(h->listen, &addr, &off)) {
		gw_log_error("http", "GW-HTTP-ADDRESS",
			     "http: listen: \"%s\" is no address:port (127.0.0.1:8480, off)",
			     h->listen);
		return -EINVAL;
	}
	if (!off && !gw_http_is_loopback(&addr) && !h->allow_plain) { /* R4 */
		gw_log_error(
			"http", "GW-HTTP-PLAIN",
			"http: listen: %s would carry passwords unprotected; use https_listen, or "
			"set allow_plain: true",
			h->listen);
		return -EINVAL;
	}
	return 0;
}

static int listen_on(struct gw_http *h, size_t i, const char *text)
{
	struct gw_http_listener *l = &h->listener[i];
	struct sockaddr_storage addr;
	bool off = false;
	int r = gw_http_address(text, &addr, &off);
	if (r || off) {
		return r;
	}
	r = gw_http_listener_open(l, &addr);
	if (r) {
		gw_log_error("http", "GW-HTTP-LISTEN",
			     "cannot listen on %s: %s; set http: %s in hearth.yaml", text,
			     strerror(-r), gw_surface_http.options[i].name);
		return r;
	}
	gw_log_info("http", "listening on %s://%.*s:%u", l->tls ? "https" : "http",
		    (int)(strrchr(text, ':') - text), text, l->port);
	return 0;
}

void gw_http_upkeep(void *ctx)
{
	struct gw_http *h = ctx;
	bool renewed = false;
	gw_http_find_names(h); /* a router has its addresses later than its programs */
	int r = gw_tls_renew(h->tls, h->names, &renewed);
	r = r == 0 && renewed ? gw_tls_configure(h->tls, h->ssl) : r;
	if (r) {
		gw_log_error("http", "GW-HTTP-RENEW", "cannot renew the server certificate: %s",
			     strerror(-r));
	} else if (renewed) {
		gw_log_info("http", "the server certificate was renewed");
	}
}

static int open_tls(struct gw_http *h)
{
	struct sockaddr_storage addr;
	bool off = false;
	int r = gw_http_address(h->https_listen, &addr, &off);
	if (r || off) {
		return r;
	}
	r = gw_tls_new(h->surface->state_dir, h->names, &h->tls);
	if (r) {
		gw_log_error("http", "GW-HTTP-TLS",
			     "cannot make or read the certificates in %s: %s",
			     h->surface->state_dir, strerror(-r));
		return r;
	}
	h->ssl = SSL_CTX_new(TLS_server_method());
	h->upkeep = gw_timer_new(gw_gateway_loop(h->surface->gateway), gw_http_upkeep, h);
	if (!h->ssl || !h->upkeep) {
		return -ENOMEM;
	}
	gw_timer_start(h->upkeep, UPKEEP_MS, UPKEEP_MS);
	return gw_tls_configure(h->tls, h->ssl);
}

static int http_start(struct gw_surface *s)
{
	struct gw_http *h = s->impl;
	struct gw_loop *loop = gw_gateway_loop(s->gateway);
	if (RAND_bytes(h->csrf_key, sizeof(h->csrf_key)) != 1) {
		return -EIO; /* no entropy: no key (R21) */
	}
	gw_http_find_names(h);
	h->api = gw_api_new(s->gateway, s->broker, "http");
	h->sweep = gw_timer_new(loop, gw_http_sweep, h);
	h->work = gw_deferred_new(loop, gw_http_work, h);
	int r = h->api && h->sweep && h->work ? open_tls(h) : -ENOMEM;
	r = r ? r : listen_on(h, 0, h->listen);
	return r ? r : listen_on(h, 1, h->https_listen);
}

/* --- stop --- */

static void http_stop(struct gw_surface *s)
{
	struct gw_http *h = s->impl;
	if (h->stopping) {
		return;
	}
	h->stopping = true;
	for (size_t i = 0; i < gw_countof(h->listener); i++) {
		gw_http_listener_close(&h->listener[i]);
	}
	gw_list_for_safe(pos, &h->conns)
	{
		gw_http_conn_close(gw_container(pos, struct conn, link));
	}
	gw_surface_stopped(s);
}

static void http_fini(struct gw_surface *s)
{
	struct gw_http *h = s->impl;
	gw_timer_free(h->sweep);
	gw_timer_free(h->upkeep);
	if (h->work) {
		gw_deferred_free(h->work);
	}
	gw_api_free(h->api);
	SSL_CTX_free(h->ssl);
	gw_tls_free(h->tls);
	explicit_bzero(h->csrf_key, sizeof(h->csrf_key));
}

uint16_t gw_http_port(const struct gw_surface *s, size_t i)
{
	const struct gw_http *h = s->impl;
	return i < gw_countof(h->listener) ? h->listener[i].port : 0;
}

static const struct gw_option http_options[] = {
	{.name = "listen",
	 .type = GW_OPTION_TEXT,
	 .offset = offsetof(struct gw_http, listen),
	 .fallback = "127.0.0.1:8480",
	 .help = "Address and port for plain HTTP, or off; another than a loopback address needs allow_plain."},
	{.name = "https_listen",
	 .type = GW_OPTION_TEXT,
	 .offset = offsetof(struct gw_http, https_listen),
	 .fallback = "0.0.0.0:8443",
	 .help = "Address and port for HTTPS with a certificate of the gateway's own CA, or off."},
	{.name = "allow_plain",
	 .type = GW_OPTION_BOOL,
	 .offset = offsetof(struct gw_http, allow_plain),
	 .fallback = "false",
	 .help = "Allow plain HTTP on other interfaces too; passwords can then be read on the network."},
	{.name = "names",
	 .type = GW_OPTION_TEXT,
	 .offset = offsetof(struct gw_http, names_option),
	 .fallback = "",
	 .help = "Host names under which clients reach the gateway beside the machine's own, separated by spaces."},
	{0},
};

const struct gw_surface_class gw_surface_http = {
	.name = "http",
	.instance_size = sizeof(struct gw_http),
	.options = http_options,
	.init = http_init,
	.start = http_start,
	.stop = http_stop,
	.fini = http_fini,
};
