/* What is wrong with the home, and what to do about it: `hearth doctor`, /health. */
#include <stdio.h>
#include <string.h>

#include "gw/clock.h"
#include "home/adapter_host.h"
#include "home/adopt.h"
#include "home/registry.h"
#include "home/store.h"

#define CLOCK_PLAUSIBLE_MS 1735689600000 /* 2025-01-01: before this software existed */

struct checking {
	struct gw_gateway *gateway;
	void (*fn)(void *ctx, const struct gw_check *c);
	void *ctx;
};

static void say(const struct checking *to, const char *id, int state, const char *text,
		const char *next_step)
{
	struct gw_check c = {.id = id};

	c.state = state == 0 ? GW_CHECK_OK : state == 1 ? GW_CHECK_WARN : GW_CHECK_FAIL;
	(void)snprintf(c.text, sizeof(c.text), "%s", text);
	(void)snprintf(c.next_step, sizeof(c.next_step), "%s", next_step);
	to->fn(to->ctx, &c);
}

static void check_store(const struct checking *to)
{
	const struct gw_gateway *g = to->gateway;

	if (gw_store_read_only(g->store)) {
		say(to, "store", 2, gw_store_problem(g->store),
		    "Free some space or look at the disk; the gateway tries again by itself.");
	} else if (g->store_note[0]) {
		say(to, "store", 1, g->store_note,
		    "Check that devices and rooms are as they should be.");
	} else {
		say(to, "store", 0, "The store is sound and can be written.", "");
	}
}

static void check_claim(const struct checking *to)
{
	if (gw_home_claimed(to->gateway)) {
		say(to, "claim", 0, "The home has an owner.", "");
	} else {
		say(to, "claim", 1, "The home has no owner yet; nobody can use it.",
		    gw_claim_code(to->gateway)
			    ? "Run `hearth claim`, or open the web page with the code from `hearth claim code`."
			    : "Run `hearth claim`, or open the window again with `hearth claim open`.");
	}
}

static void check_broker(const struct checking *to)
{
	const struct gw_broker *b = to->gateway->broker;
	char text[256];

	if (!b) {
		say(to, "broker", 0, "The configuration switches the MQTT broker off.", "");
		return;
	}
	const struct gw_broker_endpoint *e = gw_broker_endpoint(b, GW_BROKER_ADAPTER);
	(void)snprintf(text, sizeof(text), "%s", gw_broker_describe(b));
	if (gw_broker_is_private(b) && gw_broker_pid(b) == 0) {
		say(to, "broker", 2, "The private broker does not run; it is being restarted.",
		    "Is mosquitto installed, and its port free? See the log for its own words.");
	} else if (e->tls && e->tls_insecure) {
		say(to, "broker", 1, "The broker's certificate is not checked against its name.",
		    "Remove `insecure` from the section broker when the certificate is right.");
	} else if (gw_broker_restarts(b) > 0) {
		(void)snprintf(text, sizeof(text),
			       "The private broker ended unexpectedly %llu times.",
			       (unsigned long long)gw_broker_restarts(b));
		say(to, "broker", 1, text, "See the log for its own words.");
	} else {
		say(to, "broker", 0, text, "");
	}
}

static void check_adapters(const struct checking *to)
{
	static const char *const states[] = {"is not connected", "is connecting", "is connected",
					     "is refused by its peer"};
	const struct gw_hosts *hs = to->gateway->hosts;

	for (size_t i = 0; i < hs->n_hosts; i++) {
		const struct gw_adapter_host *h = &hs->hosts[i];
		char id[64], text[256];
		bool up = h->state == GW_LINK_UP;
		(void)snprintf(id, sizeof(id), "adapter.%s", h->adapter.name);
		(void)snprintf(text, sizeof(text), "The adapter %s %s%s%s.", h->adapter.name,
			       states[h->state], h->reason && !up ? ": " : "",
			       h->reason && !up ? h->reason : "");
		say(to, id,
		    up				     ? 0
		    : h->state == GW_LINK_CONNECTING ? 1
						     : 2,
		    text,
		    up ? "" : "Check the address, the credentials and the cable to its peer.");
	}
}

static void check_devices(const struct checking *to)
{
	const struct gw_registry *r = to->gateway->registry;
	const struct gw_device *first = NULL;
	size_t problems = 0, away = 0;
	char text[256];

	for (size_t i = 0; i < r->n_devices; i++) {
		if (r->devices[i]->problem[0]) {
			first = first ? first : r->devices[i];
			problems++;
		}
		away += r->devices[i]->presence == GW_PRESENCE_OFFLINE ? 1 : 0;
	}
	if (first) {
		(void)snprintf(text, sizeof(text), "%zu of %zu devices have a problem; %s: %s",
			       problems, r->n_devices, first->id, first->problem);
		say(to, "devices", 1, text, "See `hearth device get ID` for each of them.");
		return;
	}
	(void)snprintf(text, sizeof(text), "%zu devices, %zu of them away.", r->n_devices, away);
	say(to, "devices", 0, text, "");
}

static int count_file(void *ctx, const char *path, const char *id)
{
	(void)path;
	(void)id;
	(*(size_t *)ctx)++;
	return 0;
}

static void check_profiles(const struct checking *to)
{
	size_t n = 0;
	char text[256];
	int r = gw_library_each_file(to->gateway->library, count_file, &n);

	if (r < 0 || n == 0) {
		say(to, "profiles", 1,
		    "No shipped profiles were found; only self-describing devices are known.",
		    "Name the directory with `hearthd --profiles DIR`, or install the profiles.");
		return;
	}
	(void)snprintf(text, sizeof(text), "%zu profiles%s.", n,
		       gw_adopt_indexed(to->gateway->adopt) ? "" : ", still being read");
	say(to, "profiles", 0, text, "");
}

static void check_clock(const struct checking *to)
{
	if (gw_wall_ms() < CLOCK_PLAUSIBLE_MS) {
		say(to, "clock", 1, "The clock of this machine is not set: times shown are wrong.",
		    "Switch on time synchronisation (systemd-timesyncd, chrony or ntpd).");
	} else {
		say(to, "clock", 0, "The clock is set.", "");
	}
}

void gw_checks_each(struct gw_gateway *g, void (*fn)(void *ctx, const struct gw_check *c),
		    void *ctx)
{
	const struct checking to = {g, fn, ctx};

	check_broker(&to);
	check_store(&to);
	check_claim(&to);
	check_profiles(&to);
	check_adapters(&to);
	check_devices(&to);
	check_clock(&to);
}
