/* Numbers about the gateway for /metrics (Prometheus). Read when asked; nothing is counted only for this. */
#include <stdio.h>
#include <unistd.h>

#include "gw/clock.h"
#include "home/adapter_host.h"
#include "home/bus.h"
#include "home/command.h"
#include "home/registry.h"
#include "home/store.h"

struct giving {
	void (*fn)(void *ctx, const struct gw_metric *m);
	void *ctx;
};

static void give(const struct giving *to, const char *name, const char *type, const char *help,
		 double value)
{
	const struct gw_metric m = {.name = name, .type = type, .help = help, .value = value};

	to->fn(to->ctx, &m);
}

static void give_labelled(const struct giving *to, struct gw_metric m, const char *label,
			  const char *label_value, double value)
{
	m.label = label;
	m.label_value = label_value;
	m.value = value;
	to->fn(to->ctx, &m);
}

/* Pages of this process, from the kernel; 0 when it does not say. */
static double resident_bytes(void)
{
	unsigned long total = 0, resident = 0;
	char line[128];
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f) {
		return 0;
	}
	char *got = fgets(line, sizeof(line), f);
	(void)fclose(f); /* only read from */
	struct gw_str rest = gw_str(got ? line : ""), word;
	uint64_t number;
	if (gw_str_split(&rest, ' ', &word) && gw_parse_u64(word, &number) == 0) {
		total = (unsigned long)number;
	}
	if (total > 0 && gw_str_split(&rest, ' ', &word) && gw_parse_u64(word, &number) == 0) {
		resident = (unsigned long)number;
	}
	return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static void devices(struct gw_gateway *g, const struct giving *to)
{
	const struct gw_registry *r = g->registry;
	size_t online = 0, problems = 0;

	for (size_t i = 0; i < r->n_devices; i++) {
		online += r->devices[i]->online ? 1 : 0;
		problems += r->devices[i]->problem[0] ? 1 : 0;
	}
	give(to, "hearth_devices", "gauge", "Adopted devices.", (double)r->n_devices);
	give(to, "hearth_devices_online", "gauge", "Adopted devices that are online.",
	     (double)online);
	give(to, "hearth_devices_with_problem", "gauge", "Adopted devices with a problem.",
	     (double)problems);
	give(to, "hearth_candidates", "gauge", "Devices seen but not adopted.",
	     (double)gw_candidate_count(g));
	give(to, "hearth_messages_total", "counter", "Messages of devices that were decoded.",
	     (double)r->messages);
	give(to, "hearth_bad_messages_total", "counter", "Messages that could not be read.",
	     (double)r->bad_messages);
	give(to, "hearth_bad_announcements_total", "counter",
	     "Announcements that could not be read.", (double)gw_discovery_bad_count(g->discovery));
	give(to, "hearth_events_held_total", "counter",
	     "Changes that waited because their device sends too fast.", (double)r->events_held);
	give(to, "hearth_events_dropped_total", "counter",
	     "Momentary events lost because their device sends too fast.",
	     (double)r->events_dropped);
}

static void adapters(struct gw_gateway *g, const struct giving *to)
{
	static const struct gw_metric up = {.name = "hearth_adapter_up",
					    .type = "gauge",
					    .help = "1 while the adapter is connected."};
	static const struct gw_metric received = {.name = "hearth_adapter_messages_total",
						  .type = "counter",
						  .help = "Messages that the adapter delivered."};
	static const struct gw_metric sent = {.name = "hearth_adapter_sends_total",
					      .type = "counter",
					      .help = "Messages that the adapter sent."};
	static const struct gw_metric failed = {
		.name = "hearth_adapter_send_failures_total",
		.type = "counter",
		.help = "Messages that the adapter could not send."};

	for (size_t i = 0; i < g->hosts->n_hosts; i++) {
		const struct gw_adapter_host *h = &g->hosts->hosts[i];
		give_labelled(to, up, "adapter", h->adapter.name, h->state == GW_LINK_UP ? 1 : 0);
	}
	for (size_t i = 0; i < g->hosts->n_hosts; i++) {
		const struct gw_adapter_host *h = &g->hosts->hosts[i];
		give_labelled(to, received, "adapter", h->adapter.name, (double)h->messages);
	}
	for (size_t i = 0; i < g->hosts->n_hosts; i++) {
		const struct gw_adapter_host *h = &g->hosts->hosts[i];
		give_labelled(to, sent, "adapter", h->adapter.name, (double)h->sends);
	}
	for (size_t i = 0; i < g->hosts->n_hosts; i++) {
		const struct gw_adapter_host *h = &g->hosts->hosts[i];
		give_labelled(to, failed, "adapter", h->adapter.name, (double)h->failures);
	}
}

static void commands(struct gw_gateway *g, const struct giving *to)
{
	static const struct gw_metric outcome = {
		.name = "hearth_commands_total", .type = "counter", .help = "Commands by outcome."};
	const struct gw_command_counts *counts = &g->commands->counts;

	for (size_t i = 0; i < GW_STATUS_COUNT; i++) {
		give_labelled(to, outcome, "outcome", gw_status_row((enum gw_status)i)->name,
			      (double)counts->by_status[i]);
	}
	give(to, "hearth_commands_pending", "gauge", "Commands without an outcome yet.",
	     (double)counts->pending);
}

void gw_metrics_each(struct gw_gateway *g, void (*fn)(void *ctx, const struct gw_metric *m),
		     void *ctx)
{
	const struct giving to = {fn, ctx};

	devices(g, &to);
	adapters(g, &to);
	commands(g, &to);
	give(&to, "hearth_events_total", "counter", "Events on the bus.", (double)gw_bus_seq(g));
	give(&to, "hearth_events_lost_total", "counter", "Events that found the ring full.",
	     (double)gw_bus_lost(g->bus));
	if (g->broker) {
		give(&to, "hearth_broker_restarts_total", "counter",
		     "Unexpected ends of the private broker.",
		     (double)gw_broker_restarts(g->broker));
	}
	give(&to, "hearth_store_read_only", "gauge", "1 while the store cannot be written.",
	     gw_store_read_only(g->store) ? 1 : 0);
	give(&to, "hearth_ready_seconds", "gauge", "From the start of the process to ready.",
	     (double)g->ready_us / 1e6);
	give(&to, "hearth_uptime_seconds", "gauge", "Since the start of the process.",
	     (double)(gw_clock_us() - g->start_us) / 1e6);
	give(&to, "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.",
	     resident_bytes());
}
