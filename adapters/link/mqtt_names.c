#include "link/mqtt_names.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>

#include "gw/alloc.h"

/* Outlives the link: a look-up that has begun cannot be taken back. */
struct gw_mqtt_lookup {
	uv_getaddrinfo_t request;
	struct gw_mqtt_names *names; /* NULL: nobody waits any more */
	void (*done)(void *ctx, int status);
	void *ctx;
};

static void add_address(struct gw_mqtt_names *n, const struct addrinfo *ai)
{
	if (n->count < GW_MQTT_ADDRESSES &&
	    getnameinfo(ai->ai_addr, ai->ai_addrlen, n->address[n->count], GW_MQTT_ADDRESS_BYTES,
			/* service= */ NULL, /* servlen= */ 0, NI_NUMERICHOST) == 0) {
		n->count++;
	}
}

static void on_found(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
	struct gw_mqtt_lookup *l = request->data;
	struct gw_mqtt_names *n = l->names;
	if (n) {
		n->lookup = NULL;
		for (const struct addrinfo *ai = found; ai; ai = ai->ai_next) {
			add_address(n, ai);
		}
		l->done(l->ctx, status == 0 && n->count == 0 ? UV_EAI_NODATA : status);
	}
	uv_freeaddrinfo(found);
	gw_free(l);
}

static bool is_address(const char *host)
{
	struct in6_addr any;
	return host[0] == '/' || inet_pton(AF_INET, host, &any) == 1 ||
	       inet_pton(AF_INET6, host, &any) == 1;
}

int gw_mqtt_names_begin(struct gw_mqtt_names *n, struct gw_loop *l, const char *host,
			void (*done)(void *ctx, int status), void *ctx)
{
	gw_mqtt_names_abandon(n);
	n->count = n->next = 0;
	if (is_address(host)) {
		(void)snprintf(n->address[0], sizeof(n->address[0]), "%s", host);
		n->count = 1;
		return 1;
	}
	n->lookup = gw_new(struct gw_mqtt_lookup);
	if (!n->lookup) {
		return UV_ENOMEM;
	}
	n->lookup->names = n;
	n->lookup->done = done;
	n->lookup->ctx = ctx;
	n->lookup->request.data = n->lookup;
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	int r = uv_getaddrinfo(gw_loop_uv(l), &n->lookup->request, on_found, host,
			       /* service= */ NULL, &hints);
	if (r < 0) {
		gw_free(n->lookup);
		n->lookup = NULL;
	}
	return r;
}

void gw_mqtt_names_abandon(struct gw_mqtt_names *n)
{
	if (n->lookup) {
		n->lookup->names = NULL;
		n->lookup = NULL;
	}
}

const char *gw_mqtt_names_next(struct gw_mqtt_names *n)
{
	return n->next < n->count ? n->address[n->next++] : NULL;
}
