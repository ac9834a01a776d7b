/* Listening sockets, and who gets a place. The limits are checked before anything is spent on a connection. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gw/log.h"
#include "surfaces/http/http.h"

#define BACKLOG	      64
#define ACCEPT_A_TURN 16

/* --- addresses --- */

int gw_http_address(const char *text, struct sockaddr_storage *ret_addr, bool *ret_off)
{
	struct gw_str s = gw_str(text ? text : "");
	if (s.len == 0 || gw_str_is(s, "off")) {
		*ret_off = true;
		return 0;
	}
	const char *colon = strrchr(text, ':');
	uint64_t port = 0;
	char host[INET6_ADDRSTRLEN + 2];
	size_t len = colon ? (size_t)(colon - text) : 0;
	if (!colon || len >= sizeof(host) || gw_parse_u64(gw_str(colon + 1), &port) ||
	    port > 65535) {
		return -EINVAL;
	}
	memcpy(host, text, len);
	host[len] = '\0';
	struct sockaddr_storage addr = {0};
	int r = -EINVAL;
	if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		r = uv_ip6_addr(host + 1, (int)port, (struct sockaddr_in6 *)&addr);
	} else {
		r = uv_ip4_addr(host, (int)port, (struct sockaddr_in *)&addr);
	}
	if (r) {
		return -EINVAL;
	}
	*ret_addr = addr;
	*ret_off = false;
	return 0;
}

static struct in6_addr mapped(const struct sockaddr_storage *addr)
{
	struct in6_addr a = {0};
	if (addr->ss_family == AF_INET6) {
		return ((const struct sockaddr_in6 *)addr)->sin6_addr;
	}
	a.s6_addr[10] = a.s6_addr[11] = 0xff;
	memcpy(&a.s6_addr[12], &((const struct sockaddr_in *)addr)->sin_addr, 4);
	return a;
}

static bool is_loopback(const struct in6_addr *a)
{
	return IN6_IS_ADDR_LOOPBACK(a) || (IN6_IS_ADDR_V4MAPPED(a) && a->s6_addr[12] == 127);
}

bool gw_http_is_loopback(const struct sockaddr_storage *addr)
{
	struct in6_addr a = mapped(addr);
	return is_loopback(&a);
}

void gw_http_address_text(const struct in6_addr *a, char *ret_text)
{
	if (IN6_IS_ADDR_V4MAPPED(a)) {
		(void)inet_ntop(AF_INET, &a->s6_addr[12], ret_text, INET6_ADDRSTRLEN);
	} else {
		(void)inet_ntop(AF_INET6, a, ret_text, INET6_ADDRSTRLEN);
	}
}

/* --- names of this machine --- */

static void add_name(struct gw_buf *b, const char *name)
{
	if (name[0]) {
		gw_buf_printf(b, "%s%s", b->len ? " " : "", name);
	}
}

static void add_addresses(struct gw_buf *b)
{
	uv_interface_address_t *list = NULL;
	int n = 0;
	if (uv_interface_addresses(&list, &n)) {
		return;
	}
	for (int i = 0; i < n; i++) {
		struct sockaddr_storage addr = {0};
		char text[INET6_ADDRSTRLEN];
		memcpy(&addr, &list[i].address, sizeof(list[i].address));
		struct in6_addr a = mapped(&addr);
		if (!is_loopback(&a) && !IN6_IS_ADDR_LINKLOCAL(&a)) {
			gw_http_address_text(&a, text);
			add_name(b, text);
		}
	}
	uv_free_interface_addresses(list, n);
}

void gw_http_find_names(struct gw_http *h)
{
	struct gw_buf b = GW_BUF_INIT(GW_HTTP_NAMES_BYTES - 1);
	char host[256] = "";
	add_name(&b, "localhost");
	if (gethostname(host, sizeof(host) - 1) == 0 && host[0] && strcmp(host, "localhost") != 0) {
		add_name(&b, host);
		if (!strchr(host, '.')) {
			gw_buf_printf(&b, " %s.local", host);
		}
	}
	add_name(&b, "127.0.0.1 ::1");
	add_name(&b, h->names_option ? h->names_option : "");
	size_t sure = b.len;
	add_addresses(&b);
	if (gw_buf_error(
		    &b)) { /* very many interfaces: each connection knows its own address besides */
		b.len = sure;
	}
	snprintf(h->names, sizeof(h->names), "%.*s", (int)b.len, b.p ? b.p : "");
	gw_buf_fini(&b);
}

/* --- accepting --- */

static size_t count_peer(const struct gw_http *h, const struct in6_addr *peer)
{
	size_t n = 0;
	gw_list_for(pos, &h->conns)
	{
		const struct conn *c = gw_container(pos, struct conn, link);
		n += memcmp(&c->peer, peer, sizeof(*peer)) == 0;
	}
	return n;
}

/* The reserved places are for this machine, so that a full house can still be looked after. */
static bool has_place(const struct gw_http *h, const struct in6_addr *peer)
{
	size_t max = GW_HTTP_CONNECTIONS - (is_loopback(peer) ? 0 : GW_HTTP_RESERVED);
	return h->n_conns < max && count_peer(h, peer) < GW_HTTP_PER_SOURCE;
}

static void greet(struct gw_http_listener *l, int fd, const struct in6_addr *peer)
{
	struct sockaddr_storage addr = {0};
	socklen_t len = sizeof(addr);
	int on = 1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* only slower without */
	if (getsockname(fd, (struct sockaddr *)&addr, &len)) {
		close(fd);
		return;
	}
	struct in6_addr local = mapped(&addr);
	gw_http_conn_open(l->http, fd, peer, &local, l->tls);
}

static void on_acceptable(void *ctx, int events)
{
	struct gw_http_listener *l = ctx;
	(void)events;
	for (int i = 0; i < ACCEPT_A_TURN; i++) {
		struct sockaddr_storage addr = {0};
		socklen_t len = sizeof(addr);
		int fd = accept4(l->fd, (struct sockaddr *)&addr, &len,
				 SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0) {
			/* Out of descriptors the socket stays readable: wait a second instead of spinning. */
			if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
			    errno == ENOBUFS) {
				gw_log_warning("http", "GW-HTTP-ACCEPT", "cannot accept: %s",
					       strerror(errno));
				l->http->paused = gw_watch_set(l->watch, 0) == 0;
				gw_timer_start(l->http->sweep, 1000, 1000);
			}
			return;
		}
		struct in6_addr peer = mapped(&addr);
		if (has_place(l->http, &peer)) {
			greet(l, fd, &peer);
		} else {
			close(fd);
		}
	}
}

void gw_http_listener_resume(struct gw_http *h)
{
	h->paused = false;
	for (size_t i = 0; i < gw_countof(h->listener); i++) {
		if (h->listener[i].watch && gw_watch_set(h->listener[i].watch, UV_READABLE)) {
			h->paused = true;
		}
	}
}

int gw_http_listener_open(struct gw_http_listener *l, const struct sockaddr_storage *addr)
{
	int on = 1, r = 0;
	struct sockaddr_storage bound = {0};
	socklen_t len = addr->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						    : sizeof(struct sockaddr_in);
	socklen_t bound_len = sizeof(bound);
	int fd = socket(addr->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return -errno;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (const struct sockaddr *)addr, len) || listen(fd, BACKLOG) ||
	    getsockname(fd, (struct sockaddr *)&bound, &bound_len)) {
		r = -errno;
		close(fd);
		return r;
	}
	l->fd = fd;
	l->port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
						    : ((struct sockaddr_in *)&bound)->sin_port);
	l->watch = gw_watch_new(gw_gateway_loop(l->http->surface->gateway), fd, on_acceptable, l);
	r = l->watch ? gw_watch_set(l->watch, UV_READABLE) : -ENOMEM;
	if (r) {
		gw_http_listener_close(l);
	}
	return r;
}

void gw_http_listener_close(struct gw_http_listener *l)
{
	if (l->watch) {
		gw_watch_free(l->watch);
		l->watch = NULL;
	}
	if (l->fd >= 0) {
		close(l->fd);
		l->fd = -1;
	}
}
