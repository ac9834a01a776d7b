/* The http surface without a listener, over the fake home, kept from one input to the next. */
#pragma once

#include "fake_home.h"
#include "gw/alloc.h"
#include "surfaces/api/call.h"
#include "surfaces/http/http.h"

extern const struct gw_surface_class gw_surface_http;

struct http_home {
	struct gw_loop *loop;
	struct gw_gateway g;
	struct gw_surface surface;
};

static void http_home_open(struct http_home *x)
{
	if (!x->loop) {
		x->loop = gw_loop_new();
		x->surface = (struct gw_surface){.class = &gw_surface_http, .gateway = &x->g};
		x->surface.impl = gw_alloc0(1, gw_surface_http.instance_size);
		fake_home_init(&x->g, x->loop);
		if (!x->loop || !x->surface.impl || gw_surface_http.init(&x->surface) ||
		    gw_surface_http.start(&x->surface)) {
			abort();
		}
	}
	fake_home_init(&x->g, x->loop);
}

static void http_home_accept(struct http_home *x, int fd)
{
	const struct in6_addr loopback = IN6ADDR_LOOPBACK_INIT;
	gw_http_conn_open(x->surface.impl, fd, &loopback, &loopback, /* tls= */ false);
}

/* As long as something comes back; events and logins happen meanwhile. */
static void http_home_turns(struct http_home *x, int fd)
{
	static char answer[64 * 1024];
	int quiet = 0;
	for (int i = 0; i < 64 && quiet < 3; i++) {
		uv_run(gw_loop_uv(x->loop), UV_RUN_NOWAIT);
		quiet = recv(fd, answer, sizeof(answer), 0) > 0 ? 0 : quiet + 1;
		fake_home_login_end(&x->g);
	}
	fake_home_change(&x->g, 0, FAKE_SWITCH, x->g.seq % 2);
	uv_run(gw_loop_uv(x->loop), UV_RUN_NOWAIT);
}

/* Also what waits for something; then nothing is left of the input. */
static void http_home_close(struct http_home *x)
{
	struct gw_http *h = x->surface.impl;
	gw_list_for_safe(pos, &h->conns)
	{
		gw_http_conn_close(gw_container(pos, struct conn, link));
	}
	fake_home_fini(&x->g);
	if (h->n_conns || h->n_sockets || !gw_list_empty(&x->g.listeners) ||
	    !gw_list_empty(&h->api->calls)) {
		abort();
	}
}
