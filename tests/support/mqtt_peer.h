/* A peer of the link that is no broker: the test plays it by hand. */
#pragma once

#include "mqtt_client.h"

struct peer {
	int listener, fd;
	uint16_t port;
	uint8_t in[65536];
	size_t n, total; /* in the buffer; ever */
	bool closed;
	size_t expected;
};

static inline void peer_init(struct peer *p)
{
	*p = (struct peer){.fd = -1};
	p->listener = test_listen(&p->port);
}

static inline void peer_close(struct peer *p)
{
	if (p->fd >= 0) {
		(void)close(p->fd);
	}
	p->fd = -1;
	p->n = 0;
	p->closed = false;
}

static inline void peer_fini(struct peer *p)
{
	peer_close(p);
	(void)close(p->listener);
}

static inline void peer_step(struct peer *p)
{
	if (p->fd < 0) {
		p->fd = accept4(p->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	}
	if (p->fd >= 0 && p->n < sizeof(p->in)) {
		ssize_t n = read(p->fd, p->in + p->n, sizeof(p->in) - p->n);
		p->n += n > 0 ? (size_t)n : 0;
		p->total += n > 0 ? (size_t)n : 0;
		p->closed = p->closed || n == 0 || (n < 0 && errno != EAGAIN);
	}
}

static inline bool peer_has(void *ctx)
{
	struct peer *p = ctx;
	peer_step(p);
	return p->n >= p->expected;
}

static inline bool peer_is_left(void *ctx)
{
	struct peer *p = ctx;
	peer_step(p);
	return p->closed;
}

static inline void peer_send(struct peer *p, const void *bytes, size_t n)
{
	assert_int_equal(send(p->fd, bytes, n, MSG_NOSIGNAL), n);
}

static const uint8_t CONNACK[] = {0x20, 2, 0, 0};

static inline void peer_take_connect(struct peer *p, struct gw_loop *l)
{
	p->expected = 2;
	assert_true(loop_until(l, peer_has, p));
	assert_int_equal(p->in[0], 0x10);
	p->expected = 2u + p->in[1];
	assert_true(loop_until(l, peer_has, p));
	p->n = 0;
}
