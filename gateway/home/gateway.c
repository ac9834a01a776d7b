#include "home/gateway.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "gw/log.h"
#include "home/account.h"
#include "home/adapter_host.h"
#include "home/adopt.h"
#include "home/bus.h"
#include "home/command.h"
#include "home/config.h"
#include "home/journey.h"
#include "home/registry.h"
#include "home/store.h"
#include "home/surface_host.h"

#define CONFIG_ARENA_BYTES ((size_t)4 * 1024 * 1024)
#define STOP_MS		   5000

struct gw_loop *gw_gateway_loop(struct gw_gateway *g)
{
	return g->loop;
}

struct gw_library *gw_gateway_library(struct gw_gateway *g)
{
	return g->library;
}

const char *gw_gateway_version(void)
{
	return HEARTH_VERSION;
}

const char *gw_gateway_id(struct gw_gateway *g)
{
	return g->id;
}

int64_t gw_ready_us(struct gw_gateway *g)
{
	return g->ready_us;
}

/* --- making --- */

static int no_memory(struct gw_error *reterr_)
{
	return gw_error_set(reterr_, -ENOMEM, "memory", "out of memory");
}

static int read_config(struct gw_gateway *g, const struct gw_gateway_options *o,
		       struct gw_error *reterr_)
{
	g->config_arena = gw_arena_new(CONFIG_ARENA_BYTES);
	g->config_file = gw_strdup(o->config_file ? o->config_file : "");
	g->state_dir = gw_strdup(o->state_dir ? o->state_dir : "");
	if (!g->config_arena || !g->config_file || !g->state_dir) {
		return no_memory(reterr_);
	}
	return gw_config_read(g->config_arena, g->config_file, &g->config, reterr_);
}

static int apply_log(struct gw_gateway *g, struct gw_error *reterr_)
{
	struct gw_config_log log = {0};
	enum gw_log_level level;
	const struct gw_node *section = gw_node_get(g->config, "log");

	int r = gw_options_apply(gw_log_options, &log, section, g->config_file, reterr_);
	if (r == 0 && !gw_config_log_level(log.level, &level)) {
		r = gw_error_set(reterr_, -EINVAL, "value",
				 "log.level: expected error, warning, info or debug");
		if (reterr_) {
			(void)snprintf(reterr_->file, sizeof(reterr_->file), "%s", g->config_file);
			reterr_->line = section ? section->line : 0;
			reterr_->column = section ? section->column : 0;
		}
	}
	if (r == 0) {
		gw_log_set_level(level);
	}
	gw_options_free(gw_log_options, &log);
	return r;
}

static int apply_limits(struct gw_gateway *g, struct gw_error *reterr_)
{
	struct gw_config_limits limits;
	struct gw_registry *r = g->registry;

	int e = gw_options_apply(gw_limits_options, &limits, gw_node_get(g->config, "limits"),
				 g->config_file, reterr_);
	if (e < 0) {
		return e;
	}
	r->rate_interval_us = limits.device_rate > 0 ? 1000000 / limits.device_rate : 0;
	r->rate_burst_us = r->rate_interval_us * (limits.device_burst - 1);
	return 0;
}

/* Causes are numbers that JSON keeps exact, and no two lives give out the same. */
static uint64_t first_cause(void)
{
	return ((uint64_t)gw_wall_ms() / 1000) << 21;
}

static int identify(struct gw_gateway *g, struct gw_error *reterr_)
{
	uint64_t random;

	if (gw_store_get_meta(g->store, "gateway.id", g->id, sizeof(g->id)) == 0 &&
	    strlen(g->id) == 16) {
		return 0;
	}
	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
		return gw_error_set(reterr_, -EIO, "random", "the system gives no random numbers");
	}
	(void)snprintf(g->id, sizeof(g->id), "%016" PRIx64, random);
	int r = gw_store_put_meta(g->store, "gateway.id", g->id);
	if (r < 0) {
		gw_log_warning("home", "GW-HOME-ID", "the gateway's id is not stored: %s",
			       strerror(-r));
	}
	return 0;
}

/* The parts that only need memory, each on the shoulders of those before. */
static int make_core(struct gw_gateway *g, struct gw_error *reterr_)
{
	int r = gw_bus_new(g, &g->bus);

	if (r == 0) {
		r = gw_journey_new(&g->journey);
	}
	if (r == 0) {
		r = gw_registry_new(g, &g->registry);
	}
	if (r == 0) {
		r = gw_adopt_new(g, &g->adopt);
	}
	if (r == 0) {
		r = gw_commands_new(g, &g->commands);
	}
	return r < 0 ? no_memory(reterr_) : apply_limits(g, reterr_);
}

static int make_broker(struct gw_gateway *g, struct gw_error *reterr_)
{
	const struct gw_node *section;

	if (!gw_config_part(g->config, "broker", &section)) {
		return 0;
	}
	return gw_broker_new(g->loop, section, g->config_file, g->state_dir, &g->broker, reterr_);
}

static int make(struct gw_gateway *g, const struct gw_gateway_options *o, struct gw_error *reterr_)
{
	int r = read_config(g, o, reterr_);

	if (r == 0) {
		r = apply_log(g, reterr_);
	}
	if (r == 0) {
		r = make_broker(g, reterr_);
	}
	if (r == 0 && gw_library_new(o->profile_dirs, o->n_profile_dirs, &g->library) < 0) {
		r = no_memory(reterr_);
	}
	if (r == 0) {
		r = gw_store_open(g->loop, g->state_dir, &g->store, g->store_note, reterr_);
	}
	if (r == 0) {
		r = identify(g, reterr_);
	}
	if (r == 0) {
		r = gw_accounts_new(g, &g->accounts, reterr_);
	}
	if (r == 0) {
		r = make_core(g, reterr_);
	}
	if (r == 0) {
		r = gw_hosts_new(g, gw_node_get(g->config, "adapters"), &g->hosts, reterr_);
	}
	if (r == 0) {
		r = gw_registry_restore(g, reterr_);
	}
	if (r == 0) {
		r = gw_surfaces_new(g, gw_node_get(g->config, "surfaces"), &g->surfaces, reterr_);
	}
	return r;
}

static void finish_stop(void *ctx)
{
	struct gw_gateway *g = ctx;

	if (g->stopped) {
		return;
	}
	g->stopped = true;
	gw_timer_stop(g->stop_timer);
	if (g->broker) {
		gw_broker_stop(g->broker);
	}
	gw_loop_stop(g->loop);
}

static void on_stop_timeout(void *ctx)
{
	gw_log_warning("home", "GW-HOME-STOP", "some parts did not stop within 5 s, ending anyway");
	finish_stop(ctx);
}

int gw_gateway_new(struct gw_loop *l, const struct gw_gateway_options *o,
		   struct gw_gateway **ret_gateway, struct gw_error *reterr_)
{
	struct gw_gateway *g = gw_new(struct gw_gateway);
	int r;

	if (!g) {
		return no_memory(reterr_);
	}
	g->loop = l;
	g->start_us = o->start_us;
	g->next_cause = first_cause();
	g->stop_timer = gw_timer_new(l, on_stop_timeout, g);
	r = g->stop_timer && gw_deadlines_new(l, &g->deadlines) == 0 ? make(g, o, reterr_)
								     : no_memory(reterr_);
	if (r < 0) {
		if (reterr_ && !reterr_->text[0]) {
			(void)gw_error_set(reterr_, r, "start", "the home cannot be opened: %s",
					   strerror(-r));
		}
		gw_gateway_free(g);
		return r;
	}
	*ret_gateway = g;
	return 0;
}

/* --- checking a configuration --- */

static void remove_files(const char *dir)
{
	DIR *d = opendir(dir);

	for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
		(void)unlinkat(dirfd(d), e->d_name, 0); /* fails for . and .. */
	}
	if (d) {
		(void)closedir(d); /* only read from */
	}
	(void)rmdir(dir); /* what is left lies in the directory for temporary files */
}

/* Every part reads its options and checks them as at a start; a private broker writes its files into dir. */
static int try_parts(struct gw_gateway *g, const char *config_file, const char *dir,
		     struct gw_error *reterr_)
{
	const struct gw_gateway_options o = {.config_file = config_file, .state_dir = dir};
	int r = read_config(g, &o, reterr_);

	if (r == 0) {
		r = apply_log(g, reterr_);
	}
	if (r == 0) {
		r = make_broker(g, reterr_);
	}
	if (r == 0 && gw_library_new(/* dirs= */ NULL, 0, &g->library) < 0) {
		r = no_memory(reterr_);
	}
	if (r == 0) {
		r = make_core(g, reterr_);
	}
	if (r == 0) {
		r = gw_hosts_new(g, gw_node_get(g->config, "adapters"), &g->hosts, reterr_);
	}
	if (r == 0) {
		r = gw_surfaces_new(g, gw_node_get(g->config, "surfaces"), &g->surfaces, reterr_);
	}
	return r;
}

int gw_gateway_check_config(struct gw_loop *l, const char *config_file, struct gw_error *reterr_)
{
	char dir[] = "/tmp/hearth-check-XXXXXX", broker[sizeof(dir) + 8];
	struct gw_gateway *g = gw_new(struct gw_gateway);

	if (!g || gw_deadlines_new(l, &g->deadlines) < 0) {
		gw_free(g);
		return no_memory(reterr_);
	}
	g->loop = l;
	if (!mkdtemp(dir)) {
		gw_gateway_free(g);
		return gw_error_set(reterr_, -EIO, "file", "no temporary directory can be made");
	}
	(void)snprintf(broker, sizeof(broker), "%s/broker", dir);
	int r = try_parts(g, config_file, dir, reterr_);
	gw_gateway_free(g);
	remove_files(broker);
	remove_files(dir);
	return r;
}

/* --- life --- */

int gw_gateway_start(struct gw_gateway *g, struct gw_error *reterr_)
{
	int r = g->broker ? gw_broker_start(g->broker, reterr_) : 0;

	g->started = true;
	if (r == 0) {
		r = gw_hosts_start(g->hosts, reterr_);
	}
	if (r == 0) {
		r = gw_surfaces_start(g->surfaces, reterr_);
	}
	if (r < 0) {
		return r;
	}
	gw_adopt_start(g->adopt);
	g->ready_us = gw_clock_us() - g->start_us;
	gw_log_info("home", "ready after %" PRId64 " ms with %zu devices", g->ready_us / 1000,
		    g->registry->n_devices);
	return 0;
}

void gw_gateway_part_stopped(struct gw_gateway *g)
{
	if (!g->stopping || !gw_surfaces_stopped(g->surfaces)) {
		return;
	}
	/* Surfaces first: what they say last may need the adapters' broker. */
	if (!g->hosts->stopping) {
		gw_hosts_stop(g->hosts);
	}
	if (gw_hosts_stopped(g->hosts)) {
		finish_stop(g);
	}
}

void gw_gateway_stop(struct gw_gateway *g)
{
	if (g->stopping) {
		return;
	}
	g->stopping = true;
	gw_timer_start(g->stop_timer, STOP_MS, 0);
	gw_registry_save(g->registry);
	gw_surfaces_stop(g->surfaces);
	gw_gateway_part_stopped(g);
}

void gw_gateway_free(struct gw_gateway *g)
{
	if (!g) {
		return;
	}
	if (g->registry) {
		gw_registry_detach(g->registry); /* outcomes go to surfaces that still exist */
		if (g->store) {
			gw_registry_save(g->registry);
		}
	}
	gw_surfaces_free(g->surfaces);
	gw_hosts_free(g->hosts);
	gw_commands_free(g->commands);
	gw_adopt_free(g->adopt);
	gw_registry_free(g->registry);
	gw_journey_free(g->journey);
	gw_bus_free(g->bus);
	g->bus = NULL; /* accounts that end later tell nobody */
	gw_accounts_free(g->accounts);
	gw_store_close(g->store);
	gw_library_free(g->library);
	gw_broker_free(g->broker);
	gw_deadlines_free(g->deadlines);
	gw_timer_free(g->stop_timer);
	gw_arena_free(g->config_arena);
	gw_free(g->config_file);
	gw_free(g->state_dir);
	gw_free(g);
}
