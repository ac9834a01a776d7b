/*
 * The yardstick: a bare libmosquitto relay. It subscribes to what N plugs report and publishes each payload unchanged under
 * another topic, and commands the other way; nothing that translates through a broker can do less.
 *
 *   bench_relay PORT [--plain] [--retain]
 *
 * The default is the fast form: its own poll loop, reads until the socket is empty, publishes outside the callback.
 * --plain is what most programs do: mosquitto_loop_forever() and mosquitto_publish() inside the callback.
 */
#include <mosquitto.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct relay {
	bool plain, retain, up;
	int packets, waiting;
	char topic[300];
	char payload[65536];
	int len;
};

static void publish(struct mosquitto *m, const struct relay *r)
{
	bool command = strncmp(r->topic, "cmnd/", 5) == 0;
	(void)mosquitto_publish(m, NULL, r->topic, r->len, r->payload, 0, r->retain && !command);
}

static void on_connect(struct mosquitto *m, void *obj, int code)
{
	struct relay *r = obj;
	static const char *const filters[] = {"tele/+/SENSOR", "stat/+/POWER",
					      "hearth/+/+/switch/on/set"};
	r->packets++;
	if (code != 0) {
		exit(1);
	}
	(void)mosquitto_subscribe_multiple(m, NULL, 3, (char *const *)(void *)filters, 0, 0, NULL);
}

static void on_subscribe(struct mosquitto *m, void *obj, int mid, int n, const int *granted)
{
	(void)m;
	(void)mid;
	(void)n;
	(void)granted;
	struct relay *r = obj;
	r->packets++;
	if (!r->up) {
		r->up = true;
		puts("ready");
		(void)fflush(stdout);
	}
}

static void on_message(struct mosquitto *m, void *obj, const struct mosquitto_message *in)
{
	struct relay *r = obj;
	r->packets++;
	if (in->payloadlen > (int)sizeof(r->payload)) {
		return;
	}
	if (strncmp(in->topic, "hearth/", 7) ==
	    0) { /* hearth/<device>/…/set → cmnd/<device>/POWER */
		int len = (int)strcspn(in->topic + 7, "/");
		(void)snprintf(r->topic, sizeof(r->topic), "cmnd/%.*s/POWER", len, in->topic + 7);
	} else {
		(void)snprintf(r->topic, sizeof(r->topic), "out/%s", in->topic);
	}
	r->len = in->payloadlen;
	if (in->payloadlen > 0) {
		memcpy(r->payload, in->payload, (size_t)in->payloadlen);
	}
	if (r->plain) {
		publish(m, r);
	} else {
		r->waiting = 1;
	}
}

static int run(struct mosquitto *m, struct relay *r)
{
	for (;;) {
		struct pollfd p = {.fd = mosquitto_socket(m), .events = POLLIN};
		if (p.fd < 0) {
			return 1;
		}
		if (mosquitto_want_write(m)) {
			p.events |= POLLOUT;
		}
		if (poll(&p, 1, 5000) == 0) {
			(void)mosquitto_loop_misc(m);
		}
		if (p.revents & POLLOUT) {
			(void)mosquitto_loop_write(m, 1);
		}
		do {
			r->packets = 0;
			if (mosquitto_loop_read(m, 1) != MOSQ_ERR_SUCCESS) {
				return 1;
			}
			if (r->waiting) {
				r->waiting = 0;
				publish(m, r);
			}
		} while (r->packets > 0);
	}
}

int main(int argc, char **argv)
{
	static struct relay r;
	if (argc < 2) {
		(void)fputs("usage: bench_relay PORT [--plain] [--retain]\n", stderr);
		return 2;
	}
	for (int i = 2; i < argc; i++) {
		r.plain = r.plain || strcmp(argv[i], "--plain") == 0;
		r.retain = r.retain || strcmp(argv[i], "--retain") == 0;
	}
	(void)mosquitto_lib_init();
	struct mosquitto *m = mosquitto_new(NULL, true, &r);
	if (!m) {
		return 1;
	}
	(void)mosquitto_int_option(m, MOSQ_OPT_TCP_NODELAY, 1);
	mosquitto_connect_callback_set(m, on_connect);
	mosquitto_subscribe_callback_set(m, on_subscribe);
	mosquitto_message_callback_set(m, on_message);
	if (mosquitto_connect(m, "127.0.0.1", (int)strtoul(argv[1], NULL, 10), 60) !=
	    MOSQ_ERR_SUCCESS) {
		return 1;
	}
	return r.plain ? mosquitto_loop_forever(m, -1, 1) : run(m, &r);
}
