/*
 * hearth sim FILE…: plays products over real MQTT. FILE is a profile, or a home of appliances (JSON or YAML):
 *
 *   appliances:
 *     - {profile: tasmota.plug, vars: {topic: fridge, mac: DC4F22A1B2C3}}
 *     - {topic: homeassistant/device/hum1/config, description: {…}, set: {humidity.measured: 45}}
 *     - {topic: zigbee2mqtt/bridge/devices, description: […], set: {"leak kitchen": {leak.detected: false}}}
 *
 * Each appliance has a connection and a will of its own, as real ones have. A described appliance is what our importer makes of its
 * description, played backwards. Runs until it is interrupted, or for --for seconds. A scenario tells what appliances do by themselves, a
 * fault what they do on a bad day; faults can be switched while it runs, by lines of standard input (hearth(1)).
 */
#include "cli/sim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/import.h"
#include "gw/topic.h"

#define FILE_BYTES ((size_t)4 << 20) /* of a home, of a scenario */

static int add_appliance(struct sim *s, struct appliance *a, struct gw_profile *p,
			 const struct gw_vars *vars, struct gw_error *e)
{
	static const struct gw_twin_ops ops = {.emit = sim_emit};
	if (s->count >= SIM_APPLIANCES) {
		return gw_error_set(e, -E2BIG, "size", "at most %d appliances", SIM_APPLIANCES);
	}
	a->sim = s;
	int r = gw_twin_new(p, vars, s->seed + s->count, &ops, a, &a->twin, e);
	r = r < 0 ? r : sim_connect(a, e);
	if (r == 0) {
		s->list[s->count++] = a;
	}
	return r;
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
		sim_free_appliance(a);
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
		sim_free_appliance(a);
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

static int add_copies(struct sim *s, struct gw_profile *p, size_t copies, struct gw_error *e)
{
	int r = 0;
	for (size_t k = 0; k < copies && r == 0; k++) {
		struct gw_vars vars = {0};
		r = instance_vars(s, p, k, &vars);
		r = r ? r : add_profile(s, p, &vars, NULL, e);
		gw_vars_fini(&vars);
	}
	return r;
}

static int add_file(struct sim *s, const char *path, size_t copies, struct gw_error *e)
{
	struct gw_profile *p = NULL;
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(FILE_BYTES);
	int r = cli_read_file(path, &text);
	if (r == -ENOENT) {
		/* Not a file: the id of a shipped profile. */
		r = gw_library_get(s->library, gw_str(path), &p, e);
		r = r ? r : add_copies(s, p, copies, e);
		gw_profile_unref(p);
		return r;
	}
	if (r < 0) {
		return gw_error_set(e, r, "file", "%s", strerror(-r));
	}
	struct gw_node_limits limits = {FILE_BYTES, GW_PROFILE_DEPTH, 1u << 20, 0};
	struct gw_node *root = NULL;
	r = gw_node_parse_yaml(s->arena, gw_buf_str(&text), &limits, &root, e);
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
	r = gw_profile_load_file(s->library, path, 0, &p, e);
	r = r ? r : add_copies(s, p, copies, e);
	gw_profile_unref(p);
	return r;
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

/* Played by every appliance that has what it names. */
static int add_scenario(struct sim *s, const char *path, struct gw_error *e)
{
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(FILE_BYTES);
	int r = cli_read_file(path, &text);
	if (r < 0) {
		return gw_error_set(e, r, "file", "%s", strerror(-r));
	}
	const struct gw_node_limits limits = {FILE_BYTES, GW_PROFILE_DEPTH, 1u << 20, 0};
	struct gw_node *root = NULL;
	bool any = false;
	r = gw_node_parse_yaml(s->arena, gw_buf_str(&text), &limits, &root, e);
	r = r < 0 ? r : gw_scenario_check(root, e);
	for (size_t i = 0; i < s->count && r == 0; i++) {
		s->list[i]->plays = gw_scenario_fits(root, s->list[i]->twin, any ? NULL : e) == 0;
		any |= s->list[i]->plays;
	}
	s->scenario = root;
	return r < 0 ? r : any ? 0 : -EINVAL; /* e tells what an appliance lacks */
}

/* Prints what is wrong with a file or an option. */
static int refused(struct sim *s, const char *where, struct gw_error *e, int err)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(4096);
	if (!e->file[0]) {
		(void)snprintf(e->file, sizeof(e->file), "%s", where);
	}
	if (!e->text[0]) {
		const struct gw_error place = *e;
		(void)gw_error_set(e, err, "syntax", "%s", strerror(-err));
		memcpy(e->file, place.file, sizeof(e->file));
	}
	gw_error_format(e, &b);
	cli_error(s->c, GW_STR_FMT, GW_STR_ARG(gw_buf_str(&b)));
	return err == -ENOENT ? CLI_NOT_FOUND : CLI_INVALID;
}

static int simulate(struct sim *s, int argc, char **argv)
{
	struct gw_error e = {0};
	uint64_t copies = 1;
	uint64_t every = 10;
	uint64_t duration = 0;
	int r = number_option(s, "--count", s->given.count, 1, SIM_APPLIANCES, &copies);
	r = r ? r : number_option(s, "--every", s->given.every, 10, 86400, &every);
	r = r ? r : number_option(s, "--seed", s->given.seed, 1, UINT64_MAX, &s->seed);
	r = r ? r : number_option(s, "--for", s->given.duration, 0, 86400, &duration);
	r = r ? r
	      : cli_broker_set(s->c, &s->broker, s->given.broker, s->given.username,
			       s->given.password);
	if (r) {
		return r;
	}
	s->every_ms = (int64_t)every * 1000;
	s->for_ms = (int64_t)duration * 1000;
	for (int i = 1; i < argc; i++) {
		int err = add_file(s, argv[i], copies, &e);
		if (err) {
			return refused(s, argv[i], &e, err);
		}
	}
	int err = s->given.scenario ? add_scenario(s, s->given.scenario, &e) : 0;
	if (err) {
		return refused(s, s->given.scenario, &e, err);
	}
	for (size_t i = 0; i < s->given.n_faults; i++) {
		err = sim_fault(s, gw_str(s->given.faults[i]), true, &e);
		if (err) {
			return refused(s, "--fault", &e, err);
		}
	}
	return sim_play(s);
}

static int run(struct cli *c, int argc, char **argv)
{
	struct sim *s = gw_new(struct sim);
	if (!s) {
		return CLI_FAILED;
	}
	s->c = c;
	gw_list_init(&s->late);
	const struct cli_option options[] = {
		{"--broker", &s->given.broker, NULL, NULL, NULL, 0},
		{"--username", &s->given.username, NULL, NULL, NULL, 0},
		{"--password", &s->given.password, NULL, NULL, NULL, 0},
		{"--count", &s->given.count, NULL, NULL, NULL, 0},
		{"--every", &s->given.every, NULL, NULL, NULL, 0},
		{"--for", &s->given.duration, NULL, NULL, NULL, 0},
		{"--seed", &s->given.seed, NULL, NULL, NULL, 0},
		{"--verbose", NULL, &s->verbose, NULL, NULL, 0},
		{"--scenario", &s->given.scenario, NULL, NULL, NULL, 0},
		{"--fault", NULL, NULL, s->given.faults, &s->given.n_faults,
		 gw_countof(s->given.faults)},
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
		bool ok = s->loop && s->arena && sim_init(s) &&
			  gw_library_new(dirs, c->profiles ? 2 : 1, &s->library) == 0;
		r = ok ? simulate(s, argc, argv) : CLI_FAILED;
	}
	sim_fini(s);
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
		"[--scenario FILE] [--fault KIND[=DURATION]]… [--verbose] FILE|PROFILE…",
	.help_en = "play appliances from their profiles over real MQTT",
	.help_zh = "按配置档在真实的 MQTT 上模拟家电",
	.run = run,
};
