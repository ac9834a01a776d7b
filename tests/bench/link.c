/*
 * The relay once more, on our own link and loop (adapters/link): what the transport costs by itself, without gateway. Between it and
 * hearthd lies the translation.
 *
 *   bench_link PORT [--retain]
 */
#include <stdio.h>
#include <stdlib.h>

#include "gw/limits.h"
#include "gw/mqtt_link.h"

struct relay {
	struct gw_mqtt_link *link;
	bool retain, waiting;
	char topic[GW_TOPIC_BYTES + 8];
	char payload[GW_BODY_BYTES];
	size_t len;
};

static void on_state(void *ctx, enum gw_link_state state, const char *reason)
{
	(void)ctx;
	(void)reason;
	if (state == GW_LINK_UP) {
		puts("ready");
		(void)fflush(stdout);
	}
}

static void on_message(void *ctx, const struct gw_mqtt_message *m)
{
	struct relay *r = ctx;
	if (m->payload.len > sizeof(r->payload)) {
		return;
	}
	if (gw_str_starts(m->topic, "hearth/")) {
		struct gw_str device = {NULL, 0};
		struct gw_str rest = gw_str_sub(m->topic, 7, m->topic.len);
		(void)gw_str_split(&rest, '/', &device);
		(void)snprintf(r->topic, sizeof(r->topic), "cmnd/%.*s/POWER", GW_STR_ARG(device));
	} else {
		(void)snprintf(r->topic, sizeof(r->topic), "out/%.*s", GW_STR_ARG(m->topic));
	}
	r->len = m->payload.len;
	if (r->len > 0) {
		memcpy(r->payload, m->payload.p, r->len);
	}
	r->waiting = true;
}

static void on_flush(void *ctx)
{
	struct relay *r = ctx;
	if (r->waiting) {
		r->waiting = false;
		int e = gw_mqtt_link_publish(r->link, gw_str(r->topic),
					     (struct gw_str){r->payload, r->len}, 0,
					     r->retain && r->topic[0] == 'o', NULL);
		if (e < 0) {
			(void)fprintf(stderr, "bench_link: %s\n", strerror(-e));
		}
	}
}

int main(int argc, char **argv)
{
	static struct relay r;
	static const struct gw_mqtt_ops ops = {on_state, on_message, on_flush, NULL};
	if (argc < 2) {
		(void)fputs("usage: bench_link PORT [--retain]\n", stderr);
		return 2;
	}
	r.retain = argc > 2 && strcmp(argv[2], "--retain") == 0;
	const struct gw_broker_endpoint e = {.host = "127.0.0.1",
					     .port = (uint16_t)strtoul(argv[1], NULL, 10)};
	struct gw_loop *l = gw_loop_new();
	if (!l || gw_mqtt_link_new(l, &e, NULL, NULL, &ops, &r, &r.link) < 0 ||
	    gw_mqtt_link_subscribe(r.link, GW_STR("tele/+/SENSOR"), 0) < 0 ||
	    gw_mqtt_link_subscribe(r.link, GW_STR("stat/+/POWER"), 0) < 0 ||
	    gw_mqtt_link_subscribe(r.link, GW_STR("hearth/+/+/switch/on/set"), 0) < 0 ||
	    gw_mqtt_link_start(r.link) < 0) {
		return 1;
	}
	return gw_loop_run(l) < 0;
}
