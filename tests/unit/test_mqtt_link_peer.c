/* The MQTT link and what it is connected to: names, peers that are silent or hostile, a path that breaks without a word. */
#include "gw_test.h"

#include "mqtt_client.h"
#include "mqtt_peer.h"

/* --- names --- */

static bool lookup_runs(void *ctx)
{
	(void)ctx;
	return sem_trywait(&slow_lookup) == 0;
}

static bool ticked_100(void *ctx)
{
	return ((struct ticker *)ctx)->n >= 100;
}

/* R14: a loop turn stays under 100 ms while the resolver hangs. */
static void test_slow_lookup(void **state)
{
	struct fixture *f = *state;
	struct client c, gone;
	struct ticker ticker = {0};
	client_init(&c, f->loop, "slow.test", f->broker.port);
	client_start(&c);
	assert_true(loop_until(f->loop, lookup_runs, NULL));
	struct gw_timer *t = gw_timer_new(f->loop, on_tick, &ticker);
	gw_timer_start(t, 1, 1);
	assert_true(loop_until(f->loop, ticked_100, &ticker));
	assert_true(ticker.worst_ns < 100000000);
	assert_int_equal(c.state, GW_LINK_CONNECTING);
	gw_timer_free(t);

	client_init(&gone, f->loop, "slow.test", f->broker.port);
	client_start(&gone);
	assert_true(loop_until(f->loop, lookup_runs, NULL));
	drop(&gone); /* while its look-up hangs */
	(void)sem_post(&slow_release);
	(void)sem_post(&slow_release);
	assert_true(loop_until(f->loop, is_up, &c));
	drop(&c);
}

static void test_names(void **state)
{
	struct fixture *f = *state;
	struct client c;
	client_up(&c, f->loop, "two.test", f->broker.port); /* the second address */
	assert_int_equal(c.downs, 0);
	drop(&c);
	client_init(&c, f->loop, "none.test", f->broker.port);
	client_start(&c);
	assert_true(loop_until(f->loop, was_down, &c));
	assert_non_null(strstr(c.reason, "none.test"));
	assert_non_null(strstr(c.reason, "not found"));
	drop(&c);
}

/* --- peers that are not brokers, and one that is and refuses --- */

/* Plays the broker until the client is up, through as many attempts as that takes. */
struct service {
	struct peer *peer;
	struct client *client;
};

static bool is_served(void *ctx)
{
	struct service *s = ctx;
	struct peer *p = s->peer;
	peer_step(p);
	if (p->n >= 2 && p->n >= 2u + p->in[1]) {
		p->n = 0;
		(void)send(p->fd, CONNACK, sizeof(CONNACK), MSG_NOSIGNAL);
	}
	if (p->closed) {
		peer_close(p); /* an attempt that the client gave up before we came to it */
	}
	return is_up(s->client);
}

static void test_silent_peer(void **state)
{
	struct fixture *f = *state;
	struct peer p;
	struct client c;
	peer_init(&p);
	client_init(&c, f->loop, "127.0.0.1", p.port);
	client_start(&c);
	peer_take_connect(&p, f->loop);
	loop_turns(f->loop, 20);
	assert_int_equal(c.state, GW_LINK_CONNECTING);
	clock_ahead_s += 5;
	assert_true(loop_until(f->loop, is_down, &c));
	assert_non_null(strstr(c.reason, "no answer within 5 s"));
	assert_true(loop_until(f->loop, peer_is_left, &p));
	drop(&c);
	peer_fini(&p);
}

static void test_hostile_answers(void **state)
{
	static const struct {
		const char *name, *bytes;
		size_t n;
	} cases[] = {
		{"PUBLISH before CONNACK",
		 "\x30\x03\x00\x01"
		 "a",
		 5},
		{"closed within a packet", "\x20\x02", 2},
		{"remaining length of five bytes", "\x20\xff\xff\xff\xff\x7f", 6},
		{"not MQTT", "HTTP/1.1 400 Bad Request\r\n\r\n", 28},
		{"unknown code", "\x20\x02\x00\x63", 4},
		{"CONNACK, then half a PUBLISH",
		 "\x20\x02\x00\x00\x30\x7f\x00\x01"
		 "a",
		 9},
		{"CONNACK, then a topic longer than its packet",
		 "\x20\x02\x00\x00\x30\x03\xff\xff\x01", 9},
		{"CONNACK, then a wildcard topic", "\x20\x02\x00\x00\x30\x03\x00\x01#", 9},
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < gw_countof(cases); i++) {
		struct peer p;
		struct client c;
		peer_init(&p);
		client_init(&c, f->loop, "127.0.0.1", p.port);
		client_start(&c);
		peer_take_connect(&p, f->loop);
		peer_send(&p, cases[i].bytes, cases[i].n);
		loop_turns(f->loop, 5);
		(void)shutdown(p.fd, SHUT_WR);
		assert_true(loop_until(f->loop, was_down, &c));
		assert_true(c.reason[0] != '\0');
		/* It comes back. */
		peer_close(&p);
		clock_ahead_s += 2;
		assert_true(loop_until(f->loop, is_served, &(struct service){&p, &c}));
		drop(&c);
		peer_fini(&p);
	}
}

static bool refused(void *ctx)
{
	return ((struct client *)ctx)->state == GW_LINK_REFUSED;
}

static void test_refused(void **state)
{
	struct fixture *f = *state;
	struct client c;
	mosquitto_start(&f->broker, "allow_anonymous false\n");
	client_init(&c, f->loop, "127.0.0.1", f->broker.port);
	c.endpoint.username = "hearth";
	c.endpoint.password = "wrong";
	client_start(&c);
	assert_true(loop_until(f->loop, refused, &c));
	assert_non_null(strstr(c.reason, "it does not let this user in"));
	mosquitto_kill(&f->broker);
	mosquitto_start(&f->broker, ANONYMOUS);
	clock_ahead_s += 14; /* it asks slowly … */
	loop_turns(f->loop, 20);
	assert_int_equal(c.state, GW_LINK_REFUSED);
	clock_ahead_s += 17; /* … but does not give up */
	assert_true(loop_until(f->loop, is_up, &c));
	drop(&c);
}

/* --- half-open: a path that stops carrying anything, without a word --- */

struct proxy {
	struct peer near;
	int far;
	bool dead;
	unsigned pings, pongs;
};

/* Returns the first byte: each packet of these tests comes alone. */
static int carry(int from, int to)
{
	uint8_t bytes[4096];
	ssize_t n = recv(from, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (n > 0 && to >= 0) {
		assert_int_equal(send(to, bytes, (size_t)n, MSG_NOSIGNAL), n);
	}
	return n > 0 ? bytes[0] : -1;
}

static void proxy_step(struct proxy *p, uint16_t port)
{
	if (p->near.fd < 0) {
		p->near.fd = accept4(p->near.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (p->near.fd >= 0) {
			p->far = test_connect(port);
			assert_true(p->far >= 0);
		}
	}
	if (p->near.fd >= 0) {
		p->pings += carry(p->near.fd, p->dead ? -1 : p->far) == 0xc0;
		p->pongs += !p->dead && carry(p->far, p->near.fd) == 0xd0;
	}
}

struct proxied {
	struct proxy proxy;
	struct client client;
	uint16_t port;
	enum gw_link_state wanted;
};

static bool proxied_is(void *ctx)
{
	struct proxied *p = ctx;
	proxy_step(&p->proxy, p->port);
	return p->client.state == p->wanted;
}

static bool proxied_pinged(void *ctx)
{
	struct proxied *p = ctx;
	proxy_step(&p->proxy, p->port);
	return p->client.state != GW_LINK_UP ||
	       (p->proxy.pings > 0 && (p->proxy.dead || p->proxy.pongs > 0));
}

static void test_half_open(void **state)
{
	struct fixture *f = *state;
	struct proxied p = {.port = f->broker.port, .wanted = GW_LINK_UP};
	peer_init(&p.proxy.near);
	client_init(&p.client, f->loop, "127.0.0.1", p.proxy.near.port);
	client_start(&p.client);
	assert_true(loop_until(f->loop, proxied_is, &p));
	/* A quiet hour on a healthy path: PINGREQ and PINGRESP keep it up. */
	for (int i = 0; i < 120; i++) {
		clock_ahead_s += 30;
		p.proxy.pings = p.proxy.pongs = 0;
		assert_true(loop_until(f->loop, proxied_pinged, &p));
		loop_turns(f->loop, 3); /* the answer was sent to our socket: it is read */
		assert_int_equal(p.client.state, GW_LINK_UP);
	}
	p.proxy.dead = true;
	clock_ahead_s += 31; /* PINGREQ goes out … */
	p.proxy.pings = 0;
	assert_true(loop_until(f->loop, proxied_pinged, &p));
	loop_turns(f->loop, 20);
	assert_int_equal(p.client.state, GW_LINK_UP);
	clock_ahead_s += 31; /* … and nobody answers */
	p.wanted = GW_LINK_DOWN;
	assert_true(loop_until(f->loop, proxied_is, &p));
	assert_non_null(strstr(p.client.reason, "does not answer any more"));
	/* The path is back. */
	p.proxy.dead = false;
	peer_close(&p.proxy.near);
	(void)close(p.proxy.far);
	clock_ahead_s += 2;
	p.wanted = GW_LINK_UP;
	assert_true(loop_until(f->loop, proxied_is, &p));
	drop(&p.client);
	peer_fini(&p.proxy.near);
	(void)close(p.proxy.far);
}

int main(void)
{
	if (!mosquitto_is_there()) {
		return MOSQUITTO_SKIP;
	}
	const struct CMUnitTest tests[] = {
		WITH_BROKER(test_slow_lookup),	  WITH_BROKER(test_names),
		WITHOUT_BROKER(test_silent_peer), WITHOUT_BROKER(test_hostile_answers),
		WITHOUT_BROKER(test_refused),	  WITH_BROKER(test_half_open),
	};
	return cmocka_run_group_tests(tests, set_up_edges, NULL);
}
