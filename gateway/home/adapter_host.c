#include "home/adapter_host.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "gw/log.h"
#include "home/bus.h"
#include "home/config.h"
#include "home/registry.h"

#define GRACE_MS   5000 /* a link that is back so soon was never away, for the home */
#define CLAIMS_MAX ((size_t)GW_DEVICES * GW_PROFILE_MSGS)
#define HOST_TOPIC "adapter"

/* --- jitter: not a secret, but seeded per process --- */

uint32_t gw_hosts_random(struct gw_hosts *h, uint32_t below)
{
	/* xorshift64*, Vigna 2016 */
	h->random ^= h->random >> 12;
	h->random ^= h->random << 25;
	h->random ^= h->random >> 27;
	uint64_t x = h->random * 0x2545F4914F6CDD1Du;
	return below == 0 ? 0 : (uint32_t)(((x >> 32) * below) >> 32);
}

/* --- upcalls of the adapters --- */

static void routes_changed(struct gw_adapter_host *h, bool woken)
{
	gw_list_for(pos, &h->routes)
	{
		struct gw_route *r = gw_container(pos, struct gw_route, link);
		gw_registry_update_online(r->device);
		if (woken) {
			/* What they said meanwhile is lost: those that are online are asked. */
			gw_queue_wake(r, r->device->presence == GW_PRESENCE_ONLINE ? GW_ASK_ONLINE
										   : 0);
		}
		gw_bus_relieve(h->hosts->gateway);
	}
}

static void on_grace(struct gw_deadline *due)
{
	struct gw_adapter_host *h = gw_container(due, struct gw_adapter_host, grace);

	if (h->state != GW_LINK_UP && h->reachable) {
		h->reachable = false;
		routes_changed(h, /* woken= */ false);
	}
}

static void set_reason(struct gw_adapter_host *h, const char *reason)
{
	char *copy = reason ? gw_strdup(reason) : NULL;

	if (reason && !copy) {
		return; /* an older reason is better than none */
	}
	gw_free(h->reason);
	h->reason = copy;
}

void gw_adapter_link(struct gw_adapter *a, enum gw_link_state state, const char *reason)
{
	struct gw_adapter_host *h = a->host;
	enum gw_link_state before = h->state;

	set_reason(h, reason);
	h->state = state;
	if (state == before) {
		return;
	}
	if (state == GW_LINK_UP) {
		gw_log_info(HOST_TOPIC, "%s is connected", a->name);
		h->reachable = true;
		gw_deadline_clear(h->hosts->gateway->deadlines, &h->grace);
		routes_changed(h, /* woken= */ true);
	} else if (before == GW_LINK_UP) {
		gw_log_warning(HOST_TOPIC, "GW-ADAPTER-LINK", "%s lost its link: %s", a->name,
			       reason ? reason : "no reason given");
		gw_deadline_set(h->hosts->gateway->deadlines, &h->grace, gw_clock_ms() + GRACE_MS);
	} else if (state == GW_LINK_REFUSED) {
		gw_log_error(HOST_TOPIC, "GW-ADAPTER-AUTH", "%s is refused by its peer: %s",
			     a->name, reason ? reason : "no reason given");
	}
}

void gw_adapter_stopped(struct gw_adapter *a)
{
	a->host->stopped = true;
	gw_gateway_part_stopped(a->host->hosts->gateway);
}

void gw_adapter_receive(struct gw_adapter_device *ad, uint16_t channel_index, struct gw_str bytes,
			bool retained)
{
	struct gw_route *r = gw_container(ad, struct gw_route, ad);

	if (!r->attached || channel_index >= ad->n_rx) {
		return;
	}
	const char *channel = ad->rx[channel_index].name;
	uint32_t from = r->first[channel_index];
	uint32_t to = r->first[channel_index + 1];
	r->host->messages++;
	if (gw_unlikely(bytes.len > GW_BODY_BYTES)) {
		gw_registry_bad(r->device, r->msg_of[from], channel, bytes,
				"is longer than 64 KiB");
		return;
	}
	gw_route_enter(r);
	bool sleepy = gw_plan_link(gw_binding_plan(r->device->binding))->sleepy;
	for (uint32_t i = from; i < to && !r->doomed; i++) {
		uint16_t msg = r->msg_of[i];
		if (gw_registry_receive(r->device, msg, channel, bytes, retained) && !r->doomed) {
			gw_queue_received(r, msg);
		}
	}
	if (sleepy && !retained && !r->doomed) {
		gw_queue_wake(r, GW_ASK_WAKE);
	}
	gw_bus_relieve(r->host->hosts->gateway);
	gw_route_leave(r);
}

/* What our own surfaces announce to others comes back over the same broker; it carries the random id of this gateway. */
static bool is_our_own(const struct gw_gateway *g, struct gw_str bytes)
{
	return bytes.len > 0 && memmem(bytes.p, bytes.len, g->id, strlen(g->id)) != NULL;
}

void gw_adapter_found(struct gw_adapter *a, const char *kind, struct gw_str channel,
		      struct gw_str bytes, bool retained)
{
	struct gw_gateway *g = a->host->hosts->gateway;

	(void)retained; /* an announcement counts either way */
	if (is_our_own(g, bytes)) {
		return;
	}
	gw_discovery_observe(g->discovery, a->name, kind, channel, bytes, gw_wall_ms());
}

void gw_adapter_flush(struct gw_adapter *a)
{
	gw_bus_flush(a->host->hosts->gateway);
}

/* --- adapters of the configuration --- */

static int init_host(struct gw_hosts *hs, struct gw_adapter_host *h,
		     const struct gw_adapter_class *class, const struct gw_node *section,
		     struct gw_error *reterr_)
{
	struct gw_gateway *g = hs->gateway;

	if (class->abi != GW_ADAPTER_ABI) {
		return gw_error_set(reterr_, -EINVAL, "abi",
				    "adapter %s was built for another version", class->name);
	}
	*h = (struct gw_adapter_host){.hosts = hs, .grace = {.fn = on_grace}};
	gw_list_init(&h->routes);
	h->adapter = (struct gw_adapter){
		.class = class,
		.name = class->name,
		.impl = gw_alloc0(1, class->instance_size),
		.loop = g->loop,
		.broker = g->broker,
		.host = h,
	};
	hs->n_hosts++;
	if (!h->adapter.impl || gw_deadlines_reserve(g->deadlines, 1) < 0) {
		return gw_error_set(reterr_, -ENOMEM, "memory", "out of memory");
	}
	int r = gw_options_apply(class->options, h->adapter.impl, section, g->config_file, reterr_);
	if (r < 0) {
		return r;
	}
	h->ready = true; /* fini is legal after a failed init */
	return class->init(&h->adapter);
}

static void free_host(struct gw_adapter_host *h)
{
	if (h->ready) {
		h->adapter.class->fini(&h->adapter);
	}
	if (h->adapter.impl) {
		gw_options_free(h->adapter.class->options, h->adapter.impl);
		gw_deadline_clear(h->hosts->gateway->deadlines, &h->grace);
	}
	gw_free(h->adapter.impl);
	gw_free(h->reason);
}

static int add_host(struct gw_hosts *hs, const struct gw_adapter_class *class,
		    const struct gw_node *section, struct gw_error *reterr_)
{
	struct gw_adapter_host *h = &hs->hosts[hs->n_hosts];
	struct gw_error e = {0};
	int r = init_host(hs, h, class, section, &e);

	if (r == -EINVAL && !e.text[0] && !section && !hs->gateway->broker) {
		/* Nobody asked for it, and it needs the broker that the home does not have. */
		free_host(h);
		hs->n_hosts--;
		return 0;
	}
	if (r < 0 && !e.text[0]) {
		(void)gw_error_set(&e, r, "config", "the adapter %s refuses its options",
				   class->name);
	}
	if (r < 0 && reterr_) {
		*reterr_ = e;
	}
	return r;
}

int gw_hosts_new(struct gw_gateway *g, const struct gw_node *section, struct gw_hosts **ret_hosts,
		 struct gw_error *reterr_)
{
	struct gw_hosts *hs = gw_new(struct gw_hosts);
	size_t n = 0;
	int r = -ENOMEM;

	while (gw_adapter_class_at(n)) {
		n++;
	}
	if (!hs || !(hs->hosts = gw_array(struct gw_adapter_host, n + 1)) ||
	    !(hs->claims = gw_map_new(CLAIMS_MAX)) ||
	    getrandom(&hs->random, sizeof(hs->random), 0) != (ssize_t)sizeof(hs->random)) {
		(void)gw_error_set(reterr_, r, "memory", "out of memory");
		goto fail;
	}
	hs->gateway = g;
	hs->random |= 1;
	for (size_t i = 0; i < n; i++) {
		const struct gw_adapter_class *class = gw_adapter_class_at(i);
		const struct gw_node *own;
		if (!gw_config_part(section, class->name, &own)) {
			continue;
		}
		r = add_host(hs, class, own, reterr_);
		if (r < 0) {
			goto fail;
		}
	}
	*ret_hosts = hs;
	return 0;
fail:
	gw_hosts_free(hs);
	return r;
}

int gw_hosts_start(struct gw_hosts *hs, struct gw_error *reterr_)
{
	for (size_t i = 0; i < hs->n_hosts; i++) {
		struct gw_adapter_host *h = &hs->hosts[i];
		int r = h->adapter.class->start(&h->adapter);
		if (r < 0) {
			return gw_error_set(reterr_, r, "start", "adapter %s cannot start: %s",
					    h->adapter.name, strerror(-r));
		}
		h->started = true;
	}
	return 0;
}

void gw_hosts_stop(struct gw_hosts *hs)
{
	hs->stopping = true;
	for (size_t i = 0; i < hs->n_hosts; i++) {
		struct gw_adapter_host *h = &hs->hosts[i];
		if (h->started && !h->stopped) {
			h->adapter.class->stop(&h->adapter);
		}
	}
}

bool gw_hosts_stopped(const struct gw_hosts *hs)
{
	for (size_t i = 0; i < hs->n_hosts; i++) {
		if (hs->hosts[i].started && !hs->hosts[i].stopped) {
			return false;
		}
	}
	return true;
}

void gw_hosts_free(struct gw_hosts *hs)
{
	if (!hs) {
		return;
	}
	for (size_t i = 0; i < hs->n_hosts; i++) {
		free_host(&hs->hosts[i]);
	}
	gw_free(hs->hosts);
	gw_map_free(hs->claims, /* free_value= */ NULL);
	gw_free(hs);
}

struct gw_adapter_host *gw_hosts_find(struct gw_hosts *hs, const char *name)
{
	for (size_t i = 0; i < hs->n_hosts; i++) {
		if (strcmp(hs->hosts[i].adapter.name, name) == 0) {
			return &hs->hosts[i];
		}
	}
	return NULL;
}

void gw_hosts_discover(struct gw_hosts *hs)
{
	size_t n;
	const char *const *filters = gw_discovery_filters(hs->gateway->discovery, &n);

	for (size_t i = 0; i < hs->n_hosts; i++) {
		struct gw_adapter *a = &hs->hosts[i].adapter;
		if (a->class->discover && a->class->discover(a, filters, n) < 0) {
			gw_log_warning(HOST_TOPIC, "GW-ADAPTER-DISCOVER",
				       "%s cannot watch for new devices", a->name);
		}
	}
}

enum gw_status gw_hosts_scan(struct gw_hosts *hs, uint32_t seconds)
{
	for (size_t i = 0; i < hs->n_hosts; i++) {
		struct gw_adapter *a = &hs->hosts[i].adapter;
		if (a->class->scan && a->class->scan(a, seconds) < 0) {
			gw_log_warning(HOST_TOPIC, "GW-ADAPTER-SCAN", "%s cannot search", a->name);
		}
	}
	return GW_STATUS_DONE;
}

bool gw_adapter_at(struct gw_gateway *g, size_t index, struct gw_adapter_info *ret_info)
{
	if (index >= g->hosts->n_hosts) {
		return false;
	}
	const struct gw_adapter_host *h = &g->hosts->hosts[index];
	*ret_info = (struct gw_adapter_info){
		.name = h->adapter.name,
		.class_name = h->adapter.class->name,
		.reason = h->reason ? h->reason : "",
		.state = (int)h->state,
		.devices = h->n_routes,
	};
	return true;
}
