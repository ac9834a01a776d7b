/* How one device is reached: its channels at an adapter, and the addresses that it owns there. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/log.h"
#include "home/adapter_host.h"
#include "home/registry.h"

#define CLAIM_BYTES (2 * GW_TOPIC_BYTES)

/* --- claims (profile-language §4): each topic prefix and address belongs to the first accepted device --- */

static const char *identity_variable(const struct gw_profile *p)
{
	for (size_t i = 0; i < gw_profile_var_count(p); i++) {
		if (gw_profile_var(p, i)->identity) {
			return gw_profile_var(p, i)->name;
		}
	}
	return gw_profile_var_count(p) > 0 ? gw_profile_var(p, 0)->name : NULL;
}

/*
 * What a sent channel claims: all of it up to the level with the identity variable ("cmnd/plug1" of "cmnd/plug1/POWER"); of a channel
 * without that variable, the variable's value, which is then the address.
 */
static int claim_key(const char *adapter, const struct gw_binding *b, const struct gw_vars *vars,
		     const char *channel, struct gw_buf *key)
{
	char prefix[GW_TOPIC_BYTES + 1], needle[64];
	const char *identity = identity_variable(gw_plan_profile(gw_binding_plan(b)));

	gw_buf_reset(key);
	gw_buf_printf(key, "%s ", adapter);
	if (!identity) {
		gw_buf_puts(key, channel);
		return gw_buf_error(key);
	}
	(void)snprintf(needle, sizeof(needle), "{%s}", identity);
	const char *at = strstr(channel, needle);
	if (!at) {
		const char *value = gw_vars_get(vars, identity);
		gw_buf_puts(key, value ? value : channel);
		return gw_buf_error(key);
	}
	const char *end = strchr(at, '/');
	size_t len = end ? (size_t)(end - channel) : strlen(channel);
	if (len >= sizeof(prefix)) {
		return -E2BIG;
	}
	memcpy(prefix, channel, len);
	prefix[len] = 0;
	return gw_binding_channel(b, prefix, key);
}

/* Calls fn with each claim of the binding; stops at the first answer that is not 0. */
static int each_claim(const char *adapter, const struct gw_binding *b, const struct gw_vars *vars,
		      int (*fn)(void *ctx, struct gw_str key), void *ctx)
{
	struct gw_plan *plan = gw_binding_plan(b);
	GW_AUTO(gw_buf_fini) struct gw_buf key = GW_BUF_INIT(CLAIM_BYTES);

	for (size_t i = 0; i < gw_plan_msg_count(plan); i++) {
		const struct gw_msg_info *m = gw_plan_msg(plan, i);
		const char *channel = m->tx ? m->tx : m->get;
		if (!channel) {
			continue;
		}
		int r = claim_key(adapter, b, vars, channel, &key);
		if (r == 0) {
			r = fn(ctx, gw_buf_str(&key));
		}
		if (r != 0) {
			return r;
		}
	}
	return 0;
}

struct conflict {
	struct gw_hosts *hosts;
	const char *except, *owner;
};

static int find_owner(void *ctx, struct gw_str key)
{
	struct conflict *c = ctx;
	const struct gw_device *owner = gw_map_find(c->hosts->claims, key);

	if (owner && (!c->except || strcmp(owner->id, c->except) != 0)) {
		c->owner = owner->id;
		return 1;
	}
	return 0;
}

const char *gw_route_conflict(struct gw_hosts *h, const char *adapter, struct gw_binding *b,
			      const struct gw_vars *vars, const char *except)
{
	struct conflict c = {.hosts = h, .except = except};

	(void)each_claim(adapter, b, vars, find_owner,
			 &c); /* a key that is too long owns nothing */
	return c.owner;
}

static int add_claim(void *ctx, struct gw_str key)
{
	struct gw_route *r = ctx;
	const struct gw_device *owner = gw_map_find(r->host->hosts->claims, key);

	if (owner) {
		return owner == r->device ? 0 : -EADDRINUSE;
	}
	char *copy = gw_strndup(key.p, key.len);
	if (!copy) {
		return -ENOMEM;
	}
	int e = gw_map_put(r->host->hosts->claims, key, r->device);
	if (e < 0) {
		gw_free(copy);
		return e;
	}
	r->claims[r->n_claims++] = copy;
	return 0;
}

static void drop_claims(struct gw_route *r)
{
	for (size_t i = 0; i < r->n_claims; i++) {
		(void)gw_map_remove(r->host->hosts->claims, gw_str(r->claims[i]));
		gw_free(r->claims[i]);
	}
	gw_free(r->claims);
	r->claims = NULL;
	r->n_claims = 0;
}

/* --- channels --- */

/* The channels of the plan in one list, expanded, each once; pairs of channel and message while it grows. */
struct gathering {
	struct gw_buf names;
	uint32_t at[GW_PROFILE_MSGS * 4]; /* where each channel's name begins */
	size_t n;
	struct pair {
		uint16_t channel, msg;
	} pairs[GW_PROFILE_MSGS * 4];
	size_t n_pairs;
};

static int gather(struct gathering *ga, const struct gw_binding *b, const char *channel,
		  uint16_t msg)
{
	size_t from = ga->names.len;
	size_t i = 0;

	if (ga->n == gw_countof(ga->at) || ga->n_pairs == gw_countof(ga->pairs)) {
		return -E2BIG;
	}
	int r = gw_binding_channel(b, channel, &ga->names);
	if (r < 0) {
		return r;
	}
	gw_buf_putc(&ga->names, 0);
	if (gw_buf_error(&ga->names)) {
		return gw_buf_error(&ga->names);
	}
	while (i < ga->n && strcmp(ga->names.p + ga->at[i], ga->names.p + from) != 0) {
		i++;
	}
	if (i < ga->n) {
		gw_buf_truncate(&ga->names, from);
	} else {
		ga->at[ga->n++] = (uint32_t)from;
	}
	ga->pairs[ga->n_pairs++] = (struct pair){(uint16_t)i, msg};
	return 0;
}

static int gather_all(struct gathering *ga, const struct gw_binding *b)
{
	struct gw_plan *plan = gw_binding_plan(b);

	for (size_t i = 0; i < gw_plan_msg_count(plan); i++) {
		const struct gw_msg_info *m = gw_plan_msg(plan, i);
		for (uint16_t k = 0; k < m->n_rx; k++) {
			int r = gather(ga, b, m->rx[k], (uint16_t)i);
			if (r < 0) {
				return r;
			}
		}
		int r = m->get ? gather(ga, b, m->get, (uint16_t)i) : 0;
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

/* Everything in one block: channels, first, msg_of, names. */
static int make_channels(struct gw_route *r)
{
	struct gathering *ga = gw_new(struct gathering);
	int e = -ENOMEM;

	if (!ga) {
		return e;
	}
	gw_buf_init(&ga->names, (size_t)GW_PROFILE_MSGS * 4 * (GW_TOPIC_BYTES + 1));
	e = gather_all(ga, r->device->binding);
	if (e < 0) {
		goto out;
	}
	size_t bytes = ga->n * sizeof(struct gw_channel) + (ga->n + 1) * sizeof(uint32_t) +
		       ga->n_pairs * sizeof(uint16_t) + ga->names.len;
	r->channels = gw_alloc0(1, bytes);
	if (!r->channels) {
		e = -ENOMEM;
		goto out;
	}
	r->first = (uint32_t *)(void *)(r->channels + ga->n);
	uint16_t *msg_of = (uint16_t *)(void *)(r->first + ga->n + 1);
	char *names = (char *)(msg_of + ga->n_pairs);
	if (ga->names.len > 0) {
		memcpy(names, ga->names.p, ga->names.len);
	}
	uint32_t at = 0;
	for (size_t i = 0; i < ga->n; i++) {
		r->channels[i] = (struct gw_channel){names + ga->at[i], (uint16_t)i};
		r->first[i] = at;
		for (size_t k = 0; k < ga->n_pairs; k++) {
			if (ga->pairs[k].channel == i) {
				msg_of[at++] = ga->pairs[k].msg;
			}
		}
	}
	r->first[ga->n] = at;
	r->msg_of = msg_of;
	r->ad.rx = r->channels;
	r->ad.n_rx = ga->n;
out:
	gw_buf_fini(&ga->names);
	gw_free(ga);
	return e;
}

/* --- attach, detach --- */

static void free_route(struct gw_route *r)
{
	gw_deadlines_release(r->device->gateway->deadlines, 1);
	gw_device_unref(r->device);
	gw_free(r->channels);
	gw_free(r);
}

void gw_route_enter(struct gw_route *r)
{
	r->busy++;
}

void gw_route_leave(struct gw_route *r)
{
	if (--r->busy == 0 && r->doomed) {
		free_route(r);
	}
}

bool gw_route_reachable(const struct gw_route *r)
{
	return r->attached && r->host->reachable;
}

static struct gw_route *new_route(struct gw_device *d, struct gw_adapter_host *h)
{
	struct gw_route *r = gw_alloc0(1, sizeof(*r) + h->adapter.class->device_size);

	if (!r) {
		return NULL;
	}
	if (gw_deadlines_reserve(d->gateway->deadlines, 1) < 0) {
		gw_free(r);
		return NULL;
	}
	gw_list_init(&r->link);
	gw_list_init(&r->queue.jobs);
	r->host = h;
	r->device = gw_device_ref(d);
	r->ad.adapter = &h->adapter;
	r->ad.impl = r->impl;
	r->ad.id = d->id;
	r->ad.vars = &d->vars;
	return r;
}

static int attach(struct gw_route *r)
{
	struct gw_adapter_host *h = r->host;
	struct gw_device *d = r->device;

	int e = gw_queue_init(r);
	if (e < 0) {
		return e;
	}
	e = make_channels(r);
	if (e < 0) {
		return e;
	}
	r->claims = gw_array(char *, gw_plan_msg_count(gw_binding_plan(d->binding)) + 1);
	if (!r->claims) {
		return -ENOMEM;
	}
	e = each_claim(h->adapter.name, d->binding, &d->vars, add_claim, r);
	if (e < 0) {
		return e;
	}
	r->attached = true; /* messages may come from within attach */
	e = h->adapter.class->attach(&h->adapter, &r->ad);
	if (e < 0) {
		r->attached = false;
	}
	return e;
}

static void discard(struct gw_route *r)
{
	gw_list_remove(&r->link);
	gw_queue_fini(r);
	drop_claims(r);
	r->doomed = true;
	r->device->route = NULL;
	if (r->busy == 0) {
		free_route(r);
	}
}

static void explain_refusal(struct gw_device *d, int e)
{
	char text[256];
	const char *owner =
		gw_route_conflict(d->gateway->hosts, d->adapter, d->binding, &d->vars, d->id);

	if (owner) {
		(void)snprintf(text, sizeof(text), "Its address belongs to the device %s already.",
			       owner);
	} else if (e == -EADDRINUSE) {
		(void)snprintf(text, sizeof(text), "Its address is taken by another device.");
	} else {
		(void)snprintf(text, sizeof(text), "The adapter %s refuses it: %s.", d->adapter,
			       strerror(-e));
	}
	gw_log_warning("home", "GW-HOME-ATTACH", "%s is not connected: %s", d->id, text);
	gw_registry_set_problem(d, text);
}

int gw_route_attach(struct gw_device *d)
{
	struct gw_adapter_host *h = gw_hosts_find(d->gateway->hosts, d->adapter);

	if (!d->binding) {
		return -ENOENT;
	}
	if (!h) {
		char text[128];
		(void)snprintf(text, sizeof(text), "This build or configuration has no adapter %s.",
			       d->adapter);
		gw_registry_set_problem(d, text);
		return -ENOENT;
	}
	struct gw_route *r = new_route(d, h);
	if (!r) {
		return -ENOMEM;
	}
	d->route = r;
	gw_list_append(&h->routes, &r->link);
	gw_route_enter(r);
	int e = attach(r);
	if (e < 0) {
		explain_refusal(d, e);
		discard(r);
	} else {
		h->n_routes++;
		gw_queue_wake(r, GW_ASK_BIND);
		gw_registry_update_online(d);
	}
	gw_route_leave(r);
	return e;
}

void gw_route_detach(struct gw_device *d)
{
	struct gw_route *r = d->route;

	if (!r) {
		return;
	}
	gw_route_enter(r);
	gw_queue_fini(
		r); /* what is in flight is cancelled while the adapter still knows the device */
	if (r->attached) {
		r->attached = false;
		r->host->n_routes--;
		r->host->adapter.class->detach(&r->host->adapter, &r->ad);
	}
	discard(r);
	gw_route_leave(r);
}
