/*
 * hearth sim FILE…: plays products over real MQTT. FILE is a profile, or a home of appliances (JSON or YAML):
 *
 *   appliances:
 *     - {profile: tasmota.plug, vars: {topic: fridge, mac: DC4F22A1B2C3}}
 *     - {topic: homeassistant/device/hum1/config, description: {…}, set: {humidity.measured: 45}}
 *     - {topic: zigbee2mqtt/bridge/devices, description: […], set: {"leak kitchen": {leak.detected: false}}}
 *
 * Each appliance has a connection and a will of its own, as real ones have. A described appliance is what our importer makes of its
 * description, played backwards. Runs until it is interrupted, or for --for seconds.
 */
#include "cli/cli.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/import.h"
#include "gw/loop.h"
#include "gw/mqtt_link.h"
#include "gw/node.h"
#include "gw/profile.h"
#include "gw/topic.h"
#include "gw/twin.h"

#define APPLIANCES 4096

struct appliance {
	struct sim *sim;
	struct gw_twin *twin;
	struct gw_mqtt_link *link;
	char *topic; /* of its description; NULL: announces itself */
	char *description;
	const struct gw_node *set;
	bool up, described;
};

struct sim {
	struct cli *c;
	struct gw_loop *loop;
	struct gw_library *library;
	struct gw_arena *arena;
	struct gw_broker_endpoint endpoint;
	char host[256], password[256];
	struct appliance *list[APPLIANCES];
	size_t count, up;
	struct gw_timer *report, *end;
	uv_signal_t signals[2];
	int64_t every_ms, for_ms;
	uint64_t seed;
	bool verbose, announced;
	struct {
		const char *broker, *username, *password, *count, *every, *duration, *seed;
		const char *vars[64];
		size_t n_vars;
	} given;
};

static void emit(void *ctx, const struct gw_emission *e)
{
	struct appliance *a = ctx;
	if (a->sim->verbose) {
		printf("→ " GW_STR_FMT " " GW_STR_FMT "\n", GW_STR_ARG(e->channel),
		       GW_STR_ARG(e->body));
	}
	/* Down: the appliance is off the network; it reports again when it is back. */
	gw_ignore(gw_mqtt_link_publish(a->link, e->channel, e->body, e->qos, e->retain, NULL));
}

static void on_message(void *ctx, const struct gw_mqtt_message *m)
{
	struct appliance *a = ctx;
	if (m->retained) {
		return; /* a retained command would switch ghosts */
	}
	if (a->sim->verbose) {
		printf("← " GW_STR_FMT " " GW_STR_FMT "\n", GW_STR_ARG(m->topic),
		       GW_STR_ARG(m->payload));
	}
	gw_twin_receive(a->twin, m->topic, m->payload);
}

static void apply_set(struct appliance *a)
{
	gw_node_for(v, a->set)
	{
		struct gw_error e = {0};
		if (gw_twin_set(a->twin, v->key, v, &e) < 0) {
			cli_error(a->sim->c, GW_STR_FMT ": %s", GW_STR_ARG(v->key), e.text);
		}
	}
}

static void on_state(void *ctx, enum gw_link_state state, const char *reason)
{
	struct appliance *a = ctx;
	bool up = state == GW_LINK_UP;
	if (up && !a->up) {
		a->sim->up++;
		if (a->topic) {
			gw_ignore(gw_mqtt_link_publish(a->link, gw_str(a->topic),
						       gw_str(a->description), 0, true, NULL));
		}
		gw_twin_announce(a->twin);
		apply_set(a);
	} else if (!up && a->up) {
		a->sim->up--;
	}
	a->up = up;
	if (state == GW_LINK_REFUSED) {
		cli_error(a->sim->c,
			  TR(a->sim->c, "the broker refuses the appliance: %s",
			     "代理拒绝了该设备：%s"),
			  reason ? reason : "");
	}
	if (a->sim->up == a->sim->count && !a->sim->announced) {
		a->sim->announced = true;
		printf(TR(a->sim->c, "%zu appliances are connected\n", "%zu 台设备已连接\n"),
		       a->sim->count);
		fflush(stdout);
	}
}

static const struct gw_mqtt_ops link_ops = {.state = on_state, .message = on_message};
static const struct gw_twin_ops twin_ops = {.emit = emit};

static void free_appliance(struct appliance *a)
{
	if (a) {
		gw_mqtt_link_free(a->link);
		gw_twin_free(a->twin);
		gw_free(a->topic);
		gw_free(a->description);
		gw_free(a);
	}
}

static int add_appliance(struct sim *s, struct appliance *a, struct gw_profile *p,
			 const struct gw_vars *vars, struct gw_error *e)
{
	if (s->count >= APPLIANCES) {
		return gw_error_set(e, -E2BIG, "size", "at most %d appliances", APPLIANCES);
	}
	a->sim = s;
	int r = gw_twin_new(p, vars, s->seed + s->count, &twin_ops, a, &a->twin, e);
	if (r) {
		return r;
	}
	GW_AUTO(gw_buf_fini) struct gw_buf channel = GW_BUF_INIT(GW_TOPIC_BYTES + 1);
	GW_AUTO(gw_buf_fini) struct gw_buf body = GW_BUF_INIT(GW_BODY_BYTES);
	struct gw_mqtt_will will = {0};
	bool has_will = gw_twin_will(a->twin, &channel, &body);
	if (has_will) {
		will = (struct gw_mqtt_will){gw_buf_str(&channel), gw_buf_str(&body), 0, true};
	}
	r = gw_mqtt_link_new(s->loop, &s->endpoint, NULL, has_will ? &will : NULL, &link_ops, a,
			     &a->link);
	if (r) {
		return gw_error_set(e, r, "size", "cannot make an MQTT connection: %s",
				    strerror(-r));
	}
	const char *filter;
	for (size_t i = 0; (filter = gw_twin_filter(a->twin, i)) != NULL; i++) {
		r = gw_mqtt_link_subscribe(a->link, gw_str(filter), 0);
		if (r) {
			return gw_error_set(e, r, "containment", "cannot subscribe to %s", filter);
		}
	}
	s->list[s->count++] = a;
	return 0;
}

static int set_vars(struct gw_vars *vars, const struct gw_node *map)
{
	gw_node_for(v, map)
	{
		GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_VAR_BYTES + 1);
		int r = gw_node_text_form(v, &text);
		if (r == 0) {
			r = gw_vars_set(vars, v->key, gw_buf_str(&text));
		}
		if (r) {
			return r;
		}
	}
	return 0;
}

static int add_profile(struct sim *s, struct gw_profile *p, struct gw_vars *vars,
		       const struct gw_node *set, struct gw_error *e)
{
	struct appliance *a = gw_new(struct appliance);
	if (!a) {
		return -ENOMEM;
	}
	a->set = set;
	int r = gw_profile_complete_vars(p, vars, e);
	if (r == 0) {
		r = add_appliance(s, a, p, vars, e);
	}
	if (r) {
		free_appliance(a);
	}
	return r;
}

/* --- self-described appliances --- */

static const struct gw_importer_class *importer_for(struct gw_str topic)
{
	const struct gw_importer_class *class;
	for (size_t i = 0; (class = gw_importer_class_at(i)) != NULL; i++) {
		for (size_t k = 0; class->filters[k]; k++) {
			if (gw_topic_matches(gw_str(class->filters[k]), topic)) {
				return class;
			}
		}
	}
	return NULL;
}

static int add_imported(struct sim *s, const struct gw_imported *d, struct gw_str topic,
			struct gw_str text, const struct gw_node *set, struct gw_error *e)
{
	struct gw_profile *p = NULL;
	struct appliance *a = gw_new(struct appliance);
	if (!a || !d->profile) {
		gw_free(a);
		return a ? gw_error_set(e, -EINVAL, "syntax", "the description removes its device")
			 : -ENOMEM;
	}
	a->topic = gw_strndup(topic.p, topic.len);
	a->description = gw_strndup(text.p, text.len);
	const struct gw_node *own =
		gw_node_get_str(set, gw_str(d->name)); /* one description, several devices */
	a->set = own && own->type == GW_NODE_MAP ? own : set;
	int r = a->topic && a->description ? 0 : -ENOMEM;
	if (r == 0) {
		r = gw_profile_load_text(s->library, gw_str(d->profile), a->topic,
					 GW_PROFILE_IMPORTED, &p, e);
	}
	if (r == 0) {
		r = add_appliance(s, a, p, &d->vars, e);
	}
	gw_profile_unref(p);
	if (r) {
		free_appliance(a);
	}
	return r;
}

static int add_described(struct sim *s, const struct gw_node *entry, struct gw_error *e)
{
	const struct gw_node *topic = gw_node_get(entry, "topic");
	const struct gw_node *description = gw_node_get(entry, "description");
	if (!topic || topic->type != GW_NODE_TEXT || !description) {
		return gw_error_set(
			e, -EINVAL, "schema",
			"an appliance has a `profile`, or a `topic` and a `description`");
	}
	const struct gw_importer_class *class = importer_for(topic->text);
	if (!class) {
		return gw_error_set(e, -EINVAL, "ref",
				    "no importer reads descriptions on " GW_STR_FMT,
				    GW_STR_ARG(topic->text));
	}
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_DESCRIPTION_BYTES);
	gw_node_write(&text, description, /* source_order= */ true);
	struct gw_importer *importer = gw_importer_new(class);
	if (!importer || gw_buf_error(&text)) {
		gw_importer_free(importer);
		return -ENOMEM;
	}
	struct gw_import_result result = {0};
	int r = class->message(importer, topic->text, gw_buf_str(&text), &result, e);
	for (size_t i = 0; i < result.n_devices && r == 0; i++) {
		r = add_imported(s, &result.devices[i], topic->text, gw_buf_str(&text),
				 gw_node_get(entry, "set"), e);
	}
	if (r == 0 && result.n_devices == 0) {
		r = gw_error_set(e, -EINVAL, "syntax",
				 "the description on " GW_STR_FMT " describes no device",
				 GW_STR_ARG(topic->text));
	}
	gw_import_result_fini(&result);
	gw_importer_free(importer);
	return r;
}

static int add_entry(struct sim *s, const struct gw_node *entry, struct gw_error *e)
{
	const struct gw_node *id = gw_node_get(entry, "profile");
	if (gw_node_get(entry, "described_with")) {
		return 0; /* the description of another entry brings it */
	}
	if (!id) {
		return add_described(s, entry, e);
	}
	struct gw_profile *p = NULL;
	struct gw_vars vars = {0};
	int r = gw_library_get(s->library, id->text, &p, e);
	if (r == 0) {
		r = set_vars(&vars, gw_node_get(entry, "vars"));
	}
	if (r == 0) {
		r = add_profile(s, p, &vars, gw_node_get(entry, "set"), e);
	}
	gw_vars_fini(&vars);
	gw_profile_unref(p);
	return r;
}

/* --- files --- */

static char *read_file(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "re");
	if (!f) {
		return NULL;
	}
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(4u << 20);
	char chunk[16384];
	size_t n;
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0) {
		gw_buf_add(&b, chunk, n);
	}
	fclose(f);
	*ret_len = b.len;
	return gw_buf_take(&b);
}

/* Instance k of a profile that is played more than once: its identity gets "_k" at the end, its address is made. */
static int instance_vars(struct sim *s, const struct gw_profile *p, size_t k, struct gw_vars *vars)
{
	for (size_t i = 0; i < s->given.n_vars; i++) {
		const char *equals = strchr(s->given.vars[i], '=');
		if (!equals) {
			return -EINVAL;
		}
		int r = gw_vars_set(
			vars,
			(struct gw_str){s->given.vars[i], (size_t)(equals - s->given.vars[i])},
			gw_str(equals + 1));
		if (r) {
			return r;
		}
	}
	for (size_t i = 0; i < gw_profile_var_count(p); i++) {
		const struct gw_var_info *v = gw_profile_var(p, i);
		const char *value = gw_vars_get(vars, v->name);
		bool mac = strcmp(v->name, "mac") == 0;
		if (k == 0 || (!v->identity && !mac)) {
			continue; /* what is not given the twin takes from the profile's own test */
		}
		char text[GW_VAR_BYTES];
		int n = mac ? snprintf(text, sizeof(text), "02000000%04zX",
				       k) /* locally administered */
			    : snprintf(text, sizeof(text), "%s_%zu", value ? value : "sim", k + 1);
		int r = n < 0 || (size_t)n >= sizeof(text)
				? -E2BIG
				: gw_vars_set(vars, gw_str(v->name), gw_str(text));
		if (r) {
			return r;
		}
	}
	return 0;
}

static int add_file(struct sim *s, const char *path, size_t copies, struct gw_error *e)
{
	size_t len = 0;
	GW_AUTO(gw_free_auto) char *text = read_file(path, &len);
	if (!text) {
		/* Not a file: the id of a shipped profile. */
		struct gw_profile *p = NULL;
		int r = gw_library_get(s->library, gw_str(path), &p, e);
		for (size_t k = 0; k < copies && r == 0; k++) {
			struct gw_vars vars = {0};
			r = instance_vars(s, p, k, &vars);
			r = r ? r : add_profile(s, p, &vars, NULL, e);
			gw_vars_fini(&vars);
		}
		gw_profile_unref(p);
		return r;
	}
	struct gw_node_limits limits = {4u << 20, GW_PROFILE_DEPTH, 1u << 20, 0};
	struct gw_node *root = NULL;
	int r = gw_node_parse_yaml(s->arena, (struct gw_str){text, len}, &limits, &root, e);
	if (r) {
		return r;
	}
	const struct gw_node *home = gw_node_get(root, "appliances");
	if (home) {
		gw_node_for(entry, home)
		{
			r = add_entry(s, entry, e);
			if (r) {
				e->line = e->line ? e->line : entry->line;
				return r;
			}
		}
		return 0;
	}
	struct gw_profile *p = NULL;
	r = gw_profile_load_file(s->library, path, 0, &p, e);
	for (size_t k = 0; k < copies && r == 0; k++) {
		struct gw_vars vars = {0};
		r = instance_vars(s, p, k, &vars);
		r = r ? r : add_profile(s, p, &vars, NULL, e);
		gw_vars_fini(&vars);
	}
	gw_profile_unref(p);
	return r;
}

/* --- running --- */

static void on_report(void *ctx)
{
	struct sim *s = ctx;
	for (size_t i = 0; i < s->count; i++) {
		if (s->list[i]->up) {
			gw_twin_report(s->list[i]->twin);
		}
	}
}

static void on_end(void *ctx)
{
	struct sim *s = ctx;
	for (size_t i = 0; i < s->count; i++) {
		if (s->list[i]->up) {
			gw_twin_leave(s->list[i]->twin);
		}
	}
	gw_loop_stop(s->loop);
}

static void on_signal(uv_signal_t *h, int number)
{
	(void)number;
	on_end(h->data);
}

/* mqtt://host:port */
static int set_broker(struct sim *s)
{
	const char *url = s->given.broker ? s->given.broker : "mqtt://127.0.0.1:1883";
	struct gw_str rest = gw_str(url);
	if (gw_str_starts(rest, "mqtt://")) {
		rest = gw_str_sub(rest, 7, rest.len);
	}
	struct gw_str host = {0};
	(void)gw_str_split(&rest, ':', &host);
	uint64_t port = 1883;
	if (host.len == 0 || host.len >= sizeof(s->host) ||
	    (rest.p && (gw_parse_u64(rest, &port) != 0 || port == 0 || port > 65535))) {
		cli_error(s->c,
			  TR(s->c, "%s is not a broker address; expected mqtt://host:port",
			     "%s 不是代理地址；应为 mqtt://主机:端口"),
			  url);
		return CLI_INVALID;
	}
	memcpy(s->host, host.p, host.len);
	s->endpoint = (struct gw_broker_endpoint){.host = s->host,
						  .port = (uint16_t)port,
						  .username = s->given.username,
						  .password = s->given.password};
	if (!s->given.username && s->c->state_dir) {
		/* The private broker of the gateway on this machine: the account of the appliances. */
		char path[1200];
		size_t len = 0;
		(void)snprintf(path, sizeof(path), "%s/broker/device.password", s->c->state_dir);
		GW_AUTO(gw_free_auto) char *text = read_file(path, &len);
		if (text && len < sizeof(s->password)) {
			struct gw_str trimmed = gw_str_trim((struct gw_str){text, len});
			memcpy(s->password, trimmed.p, trimmed.len);
			s->endpoint.username = "device";
			s->endpoint.password = s->password;
		}
	}
	return CLI_OK;
}

static int number_option(struct sim *s, const char *name, const char *text, uint64_t fallback,
			 uint64_t max, uint64_t *ret)
{
	*ret = fallback;
	if (text && (gw_parse_u64(gw_str(text), ret) != 0 || *ret == 0 || *ret > max)) {
		cli_error(s->c,
			  TR(s->c, "%s takes a whole number from 1 to %llu",
			     "%s 需要 1 到 %llu 的整数"),
			  name, (unsigned long long)max);
		return CLI_USAGE;
	}
	return CLI_OK;
}

static int play(struct sim *s)
{
	for (size_t i = 0; i < s->count; i++) {
		int r = gw_mqtt_link_start(s->list[i]->link);
		if (r) {
			cli_error(s->c, "%s", strerror(-r));
			return CLI_FAILED;
		}
	}
	static const int numbers[] = {SIGINT, SIGTERM};
	for (size_t i = 0; i < gw_countof(numbers); i++) {
		uv_signal_init(gw_loop_uv(s->loop), &s->signals[i]);
		s->signals[i].data = s;
		uv_signal_start(&s->signals[i], on_signal, numbers[i]);
	}
	s->report = gw_timer_new(s->loop, on_report, s);
	s->end = gw_timer_new(s->loop, on_end, s);
	if (!s->report || !s->end) {
		return CLI_FAILED;
	}
	gw_timer_start(s->report, s->every_ms, s->every_ms);
	if (s->for_ms > 0) {
		gw_timer_start(s->end, s->for_ms, 0);
	}
	int r = gw_loop_run(s->loop);
	for (size_t i = 0; i < gw_countof(numbers); i++) {
		uv_close((uv_handle_t *)&s->signals[i], NULL);
	}
	return r < 0 ? CLI_FAILED : CLI_OK;
}

static int simulate(struct sim *s, int argc, char **argv)
{
	uint64_t copies = 1;
	uint64_t every = 10;
	uint64_t duration = 0;
	int r = number_option(s, "--count", s->given.count, 1, APPLIANCES, &copies);
	r = r ? r : number_option(s, "--every", s->given.every, 10, 86400, &every);
	r = r ? r : number_option(s, "--seed", s->given.seed, 1, UINT64_MAX, &s->seed);
	r = r ? r : number_option(s, "--for", s->given.duration, 0, 86400, &duration);
	r = r ? r : set_broker(s);
	if (r) {
		return r;
	}
	s->every_ms = (int64_t)every * 1000;
	s->for_ms = (int64_t)duration * 1000;
	for (int i = 1; i < argc; i++) {
		struct gw_error e = {0};
		int err = add_file(s, argv[i], copies, &e);
		if (err) {
			GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(4096);
			if (!e.file[0]) {
				(void)snprintf(e.file, sizeof(e.file), "%s", argv[i]);
			}
			if (!e.text[0]) {
				(void)gw_error_set(&e, err, "syntax", "%s", strerror(-err));
			}
			gw_error_format(&e, &b);
			cli_error(s->c, GW_STR_FMT, GW_STR_ARG(gw_buf_str(&b)));
			return err == -ENOENT ? CLI_NOT_FOUND : CLI_INVALID;
		}
	}
	return play(s);
}

static int run(struct cli *c, int argc, char **argv)
{
	struct sim *s = gw_new(struct sim);
	if (!s) {
		return CLI_FAILED;
	}
	s->c = c;
	const struct cli_option options[] = {
		{"--broker", &s->given.broker, NULL, NULL, NULL, 0},
		{"--username", &s->given.username, NULL, NULL, NULL, 0},
		{"--password", &s->given.password, NULL, NULL, NULL, 0},
		{"--count", &s->given.count, NULL, NULL, NULL, 0},
		{"--every", &s->given.every, NULL, NULL, NULL, 0},
		{"--for", &s->given.duration, NULL, NULL, NULL, 0},
		{"--seed", &s->given.seed, NULL, NULL, NULL, 0},
		{"--verbose", NULL, &s->verbose, NULL, NULL, 0},
		{"--var", NULL, NULL, s->given.vars, &s->given.n_vars, gw_countof(s->given.vars)},
	};
	int r = cli_options(c, options, gw_countof(options), &argc, argv);
	if (r == CLI_OK && argc < 2) {
		r = cli_usage(c, &cli_sim);
	}
	if (r == CLI_OK) {
		const char *dirs[] = {".", c->profiles};
		s->loop = gw_loop_new();
		s->arena = gw_arena_new(64u << 20);
		bool ok = s->loop && s->arena &&
			  gw_library_new(dirs, c->profiles ? 2 : 1, &s->library) == 0;
		r = ok ? simulate(s, argc, argv) : CLI_FAILED;
	}
	for (size_t i = 0; i < s->count; i++) {
		free_appliance(s->list[i]);
	}
	gw_timer_free(s->report);
	gw_timer_free(s->end);
	gw_loop_free(s->loop);
	gw_library_free(s->library);
	gw_arena_free(s->arena);
	gw_free(s);
	return r;
}

const struct cli_command cli_sim = {
	.name = "sim",
	.usage =
		"[--broker mqtt://HOST:PORT] [--username U --password P] [--count N] [--var NAME=VALUE]… [--every S] [--for S] [--seed N] "
		"[--verbose] FILE|PROFILE…",
	.help_en = "play appliances from their profiles over real MQTT",
	.help_zh = "按配置档在真实的 MQTT 上模拟家电",
	.run = run,
};
