/* A home at a real mosquitto with devices whose profiles are made for the test, and a plug ("plug"), which mqtt_home_settle asks. */
#pragma once

#include <stdio.h>
#include <string.h>

#include "gw/node.h"
#include "gw_test.h"
#include "live_profiles.h"
#include "made_profile.h"
#include "mqtt_home.h"

#define MADE_PROFILES 32

#define MADE(name, kind)                                                                           \
	{                                                                                          \
		.id = #name, .type = (kind), .caps = (name), .n_caps = gw_countof(name)            \
	}

struct made_home {
	struct mqtt_home m;
	struct gw_buf texts[MADE_PROFILES];
	const char *profiles[MADE_PROFILES + 2];
	size_t n_profiles;
	struct gw_arena *arena;
	char gateway[17]; /* its id, 16 hex digits, also while it is stopped */
};

/* The device says at once what is in its profile. It has the topic dev/<id>. */
static inline void made_home_add(struct made_home *h, const char *id, const struct made_profile *p)
{
	GW_AUTO(gw_buf_fini) struct gw_buf state = GW_BUF_INIT(4096);
	char profile[64], vars[64], topic[64];
	(void)snprintf(profile, sizeof(profile), "made.%s", p->id);
	(void)snprintf(vars, sizeof(vars), "topic=%s", id);
	(void)snprintf(topic, sizeof(topic), "dev/%s", id);
	(void)live_home_add_typed(&h->m.home, id, profile, vars, p->type);
	live_home_up(&h->m.home);
	made_state(p, &state);
	played_receive(topic, state.p, false);
}

/* With the plug; the others are added by the test. options: as for mqtt_home_open. */
static inline void made_home_open(struct made_home *h, const struct made_profile *made, size_t n,
				  const char *options)
{
	memset(h, 0, sizeof(*h));
	assert_true(n <= MADE_PROFILES);
	for (size_t i = 0; i < n; i++) {
		gw_buf_init(&h->texts[i], 65536);
		made_write(&made[i], &h->texts[i]);
		h->profiles[i] = h->texts[i].p;
	}
	h->profiles[n] = plug_profile;
	h->n_profiles = n;
	h->arena = gw_arena_new(16u << 20);
	assert_non_null(h->arena);
	mqtt_home_open(&h->m, h->profiles, options);
	(void)snprintf(h->gateway, sizeof(h->gateway), "%s", gw_gateway_id(h->m.home.g));
	(void)live_home_add(&h->m.home, "plug", "test.plug", "topic=p mac=001122334455");
	live_home_up(&h->m.home);
	played_receive("lwt/p", "Online", false);
}

static inline void made_home_close(struct made_home *h)
{
	mqtt_home_close(&h->m);
	gw_arena_free(h->arena);
	for (size_t i = 0; i < h->n_profiles; i++) {
		gw_buf_fini(&h->texts[i]);
	}
}

/* Of JSON; valid until the home is closed. */
static inline const struct gw_node *made_home_parse(struct made_home *h, const char *text)
{
	static const struct gw_node_limits limits = {256u << 10, 16, 20000, 16384};
	struct gw_node *root = NULL;
	struct gw_error e = {0};
	if (gw_node_parse_json(h->arena, gw_str(text), &limits, &root, &e) < 0) {
		fail_msg("%u:%u: %s in %s", e.line, e.column, e.text, text);
	}
	return root;
}
