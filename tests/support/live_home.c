#include "live_home.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "gw/log.h"
#include "gw/surface.h"
#include "gw_test.h"
#include "home/adapter_host.h"
#include "home/bus.h"
#include "home/deadline.h"
#include "home/registry.h"
#include "home/store.h"

/* --- the adapter --- */

struct played played;

struct impl {
	int unused;
};

static const struct gw_option no_options[] = {{0}};

static int play_init(struct gw_adapter *a)
{
	played.adapter = a;
	return 0;
}

static int play_start(struct gw_adapter *a)
{
	gw_adapter_link(a, GW_LINK_CONNECTING, NULL);
	return 0;
}

static void play_stop(struct gw_adapter *a)
{
	played.stops++;
	gw_adapter_stopped(a);
}

static void play_fini(struct gw_adapter *a)
{
	(void)a;
	played.adapter = NULL;
}

static int play_discover(struct gw_adapter *a, const char *const *channels, size_t n)
{
	(void)a;
	played.discovers++;
	played.n_filters = 0;
	for (size_t i = 0; i < n && i < gw_countof(played.filters); i++) {
		(void)snprintf(played.filters[played.n_filters++], sizeof(played.filters[0]), "%s",
			       channels[i]);
	}
	return 0;
}

static int play_scan(struct gw_adapter *a, uint32_t seconds)
{
	(void)a;
	played.scans += seconds;
	return 0;
}

static int play_attach(struct gw_adapter *a, struct gw_adapter_device *d)
{
	(void)a;
	if (played.refuse_attach) {
		return played.refuse_attach;
	}
	assert_true(played.n_devices < gw_countof(played.devices));
	played.devices[played.n_devices++] = d;
	return 0;
}

static void play_detach(struct gw_adapter *a, struct gw_adapter_device *d)
{
	(void)a;
	for (size_t i = 0; i < played.n_devices; i++) {
		if (played.devices[i] == d) {
			played.devices[i] = played.devices[--played.n_devices];
			return;
		}
	}
	fail_msg("detached a device that was not attached");
}

static int play_send(struct gw_adapter *a, struct gw_adapter_device *d, struct gw_send *s)
{
	(void)a;
	(void)d;
	if (played.refuse) {
		return played.refuse;
	}
	assert_true(played.n_sends < PLAYED_SENDS);
	struct played_send *p = &played.sends[played.n_sends++];
	*p = (struct played_send){.send = s};
	(void)snprintf(p->channel, sizeof(p->channel), GW_STR_FMT, GW_STR_ARG(s->channel));
	(void)snprintf(p->body, sizeof(p->body), GW_STR_FMT, GW_STR_ARG(s->body));
	if (!played.hold) {
		p->done = true;
		gw_send_done(s, GW_STATUS_DONE);
	}
	return 0;
}

static void play_cancel(struct gw_adapter *a, struct gw_send *s)
{
	(void)a;
	for (size_t i = 0; i < played.n_sends; i++) {
		if (played.sends[i].send == s && !played.sends[i].done) {
			played.sends[i].done = played.sends[i].cancelled = true;
			return;
		}
	}
	fail_msg("cancelled a message that is not on its way");
}

static const struct gw_adapter_class play = {
	.abi = GW_ADAPTER_ABI,
	.name = "mqtt",
	.instance_size = sizeof(struct impl),
	.device_size = sizeof(struct impl),
	.options = no_options,
	.init = play_init,
	.start = play_start,
	.stop = play_stop,
	.fini = play_fini,
	.discover = play_discover,
	.scan = play_scan,
	.attach = play_attach,
	.detach = play_detach,
	.send = play_send,
	.cancel = play_cancel,
};

const struct gw_adapter_class *gw_adapter_class_at(size_t index)
{
	return index == 0 ? &play : NULL;
}

const struct gw_surface_class *live_surface;

const struct gw_surface_class *gw_surface_class_at(size_t index)
{
	return index == 0 ? live_surface : NULL;
}

void played_receive(const char *topic, const char *body, bool retained)
{
	for (size_t i = 0; i < played.n_devices; i++) {
		struct gw_adapter_device *d = played.devices[i];
		for (size_t k = 0; k < d->n_rx; k++) {
			if (strcmp(d->rx[k].name, topic) == 0) {
				gw_adapter_receive(d, d->rx[k].index, gw_str(body), retained);
				break;
			}
		}
	}
	gw_adapter_flush(played.adapter);
}

void played_announce(const char *topic, const char *body)
{
	gw_adapter_found(played.adapter, "mqtt", gw_str(topic), gw_str(body), true);
	gw_adapter_flush(played.adapter);
}

const char *played_sent(size_t n)
{
	static char text[1024];

	if (n >= played.n_sends) {
		return "";
	}
	(void)snprintf(text, sizeof(text), "%s %s", played.sends[n].channel, played.sends[n].body);
	return text;
}

void played_clear(void)
{
	played.n_sends = 0;
}

void played_done(size_t n, enum gw_status status)
{
	assert_true(n < played.n_sends && !played.sends[n].done);
	played.sends[n].done = true;
	gw_send_done(played.sends[n].send, status);
}

/* --- the home --- */

static void remove_tree(const char *dir)
{
	char path[512];
	DIR *d = opendir(dir);

	for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
		struct stat st;
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
			continue;
		}
		(void)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
			remove_tree(path);
		} else {
			(void)unlink(path);
		}
	}
	if (d) {
		closedir(d);
	}
	(void)rmdir(dir);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void write_profile(const struct live_home *h, const char *text)
{
	char id[64] = "", path[256];
	const char *at = strstr(text, "\nid: ");

	assert_non_null(at);
	assert_int_equal(sscanf(at, "\nid: %63[a-z0-9._-]", id), 1);
	(void)snprintf(path, sizeof(path), "%s/%s.yaml", h->profiles, id);
	write_file(path, text);
}

static void hear(struct gw_listener *l, const struct gw_event *e)
{
	struct live_home *h = gw_container(l, struct live_home, listener);
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(4096);
	static const char *const names[] = {"property", "happened",  "added",	"changed",
					    "removed",	"candidate", "command", "home"};

	gw_buf_printf(&b, "%s %s", names[e->type], e->device_id);
	if (e->type == GW_EVENT_PROPERTY || e->type == GW_EVENT_HAPPENED) {
		gw_buf_printf(&b, " %s=", e->cap->address);
		gw_value_write_json(&b, &e->value, e->cap->domain.res);
		gw_buf_printf(&b, " %s", gw_quality_name(e->quality));
	}
	if (e->type == GW_EVENT_COMMAND) {
		gw_buf_printf(&b, " %s %s", gw_status_row(e->status)->name, e->reason);
	}
	gw_buf_putc(&b, '\n');
	if (h->n_heard + b.len >= sizeof(h->heard)) {
		return; /* a flood: nobody compares that */
	}
	memcpy(h->heard + h->n_heard, b.p, b.len + 1);
	h->n_heard += b.len;
}

static void count_flush(struct gw_listener *l)
{
	gw_container(l, struct live_home, listener)->flushes++;
}

void live_home_start(struct live_home *h)
{
	const char *dir = h->profiles;
	const struct gw_gateway_options o = {
		.config_file = h->config,
		.state_dir = h->state,
		.profile_dirs = &dir,
		.n_profile_dirs = 1,
		.start_us = gw_clock_us(),
	};
	struct gw_error e = {0};

	memset(&played, 0, sizeof(played));
	h->loop = gw_loop_new();
	assert_non_null(h->loop);
	int r = gw_gateway_new(h->loop, &o, &h->g, &e);
	if (r < 0) {
		fail_msg("%s:%u: %s", e.file, e.line, e.text);
	}
	assert_int_equal(gw_gateway_start(h->g, &e), 0);
	h->listener = (struct gw_listener){.event = hear, .flush = count_flush};
	gw_bus_listen(h->g, &h->listener);
	h->n_heard = 0;
	h->heard[0] = 0;
}

void live_home_stop(struct live_home *h)
{
	gw_bus_unlisten(&h->listener);
	gw_gateway_stop(h->g);
	assert_int_equal(gw_loop_run(h->loop), 0);
	gw_gateway_free(h->g);
	gw_loop_free(h->loop);
	h->g = NULL;
	assert_int_equal(played.n_devices, 0);
}

void live_home_open(struct live_home *h, const char *const *profiles, const char *config)
{
	char text[1024];

	memset(h, 0, sizeof(*h));
	gw_log_set_level(GW_LOG_ERROR);
	(void)snprintf(h->dir, sizeof(h->dir), "/tmp/hearth-home-XXXXXX");
	assert_non_null(mkdtemp(h->dir));
	(void)snprintf(h->profiles, sizeof(h->profiles), "%s/profiles", h->dir);
	(void)snprintf(h->state, sizeof(h->state), "%s/state", h->dir);
	(void)snprintf(h->config, sizeof(h->config), "%s/hearth.yaml", h->dir);
	assert_int_equal(mkdir(h->profiles, 0700), 0);
	assert_int_equal(mkdir(h->state, 0700), 0);
	for (size_t i = 0; profiles && profiles[i]; i++) {
		write_profile(h, profiles[i]);
	}
	bool broker = config && strncmp(config, "broker:", strlen("broker:")) == 0;
	(void)snprintf(text, sizeof(text), "%slog: {level: error}\n%s",
		       broker ? "" : "broker: false\n", config ? config : "");
	write_file(h->config, text);
	gw_principal_local(&h->owner);
	live_home_start(h);
}

void live_home_restart(struct live_home *h)
{
	live_home_stop(h);
	live_home_start(h);
}

void live_home_close(struct live_home *h)
{
	if (h->g) {
		live_home_stop(h);
	}
	remove_tree(h->dir);
}

void live_home_settle(struct live_home *h)
{
	for (int i = 0; i < 5; i++) {
		gw_deadlines_run(h->g->deadlines);
		(void)uv_run(gw_loop_uv(h->loop), UV_RUN_NOWAIT);
	}
}

void live_home_pass(struct live_home *h, int64_t ms)
{
	live_home_settle(h);
	while (ms > 0) {
		int64_t step = ms > 50 ? 50 : ms;
		gw_clock_advance_ms(step);
		gw_deadlines_run(h->g->deadlines);
		gw_bus_flush(h->g);
		ms -= step;
	}
	live_home_settle(h);
}

void live_home_up(struct live_home *h)
{
	gw_adapter_link(played.adapter, GW_LINK_UP, NULL);
	live_home_pass(h, 100);
}

static void parse_vars(const char *text, struct gw_vars *vars)
{
	struct gw_str rest = gw_str(text), pair;

	while (gw_str_split(&rest, ' ', &pair)) {
		struct gw_str name;
		assert_true(gw_str_split(&pair, '=', &name));
		assert_int_equal(gw_vars_set(vars, name, pair), 0);
	}
}

static struct gw_profile *library_profile(struct live_home *h, const char *id)
{
	struct gw_profile *p = NULL;
	struct gw_error e = {0};

	if (gw_library_get(h->g->library, gw_str(id), &p, &e) < 0) {
		fail_msg("%s: %s (%s at %s)", id, e.text, e.code, e.at);
	}
	return p;
}

struct gw_device *live_home_add(struct live_home *h, const char *id, const char *profile,
				const char *vars)
{
	return live_home_add_typed(h, id, profile, vars, "plug");
}

struct gw_device *live_home_add_typed(struct live_home *h, const char *id, const char *profile,
				      const char *vars, const char *type)
{
	struct gw_profile *p = library_profile(h, profile);
	struct gw_vars v = {0};
	struct gw_device *d = NULL;
	char identity[96];

	parse_vars(vars, &v);
	(void)snprintf(identity, sizeof(identity), "test:%s", id);
	const struct gw_device_record rec = {
		.id = id,
		.name = id,
		.room = "",
		.type = type,
		.vendor = "Vendor",
		.model = "Model",
		.firmware = "1.0",
		.identity = identity,
		.adopted_wall_ms = gw_wall_ms(),
		.revision = 1,
		.adapter = "mqtt",
		.profile = profile,
		.vars = &v,
	};
	assert_int_equal(gw_store_put_device(h->g->store, &rec, NULL), 0);
	assert_int_equal(gw_registry_add(h->g, &rec, p, &d), 0);
	const struct gw_emit added = {.type = GW_EVENT_DEVICE_ADDED, .device = d};
	(void)gw_bus_emit(h->g, &added);
	(void)gw_route_attach(d);
	gw_profile_unref(p);
	gw_vars_fini(&v);
	live_home_settle(h);
	return d;
}

void live_home_rebind(struct live_home *h, const char *id, const char *profile, const char *vars)
{
	struct gw_device *d = gw_device_find(h->g, gw_str(id));
	struct gw_profile *p = library_profile(h, profile);
	struct gw_error e = {0};
	struct gw_vars v = {0};

	parse_vars(vars, &v);
	if (gw_registry_rebind(d, p, &v, &e) < 0) {
		fail_msg("%s as %s: %s", id, profile, e.text);
	}
	(void)gw_route_attach(d);
	gw_registry_changed(d);
	gw_vars_fini(&v);
	gw_profile_unref(p);
	live_home_settle(h);
}

const char *live_home_property(struct live_home *h, const char *device, const char *address)
{
	static char text[256];
	struct gw_device *d = gw_device_find(h->g, gw_str(device));

	if (!d) {
		return "no device";
	}
	int i = gw_plan_find_cap(gw_binding_plan(gw_device_binding(d)), gw_str(address));
	if (i < 0) {
		return "no capability";
	}
	const struct gw_property *p = gw_device_property(d, (size_t)i);
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(256);
	gw_value_write_json(&b, &p->value, p->cap->domain.res);
	(void)snprintf(text, sizeof(text), "%s %s", b.p, gw_quality_name(p->quality));
	return text;
}

const char *live_home_heard(struct live_home *h)
{
	static char text[sizeof(h->heard)];

	gw_bus_flush(h->g);
	memcpy(text, h->heard, h->n_heard + 1);
	h->n_heard = 0;
	h->heard[0] = 0;
	return text;
}
