/* hearth device: the appliances of the home. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "gw/model.h"
#include "gw/str.h"

#define PATH_BYTES 1024

static void add_path(struct gw_buf *b, const char *id)
{
	gw_buf_puts(b, "/api/v1/devices");
	if (id) {
		gw_buf_putc(b, '/');
		cli_add_encoded(b, id);
	}
}

static const char *path_of(struct gw_buf *b, const char *id, const char *tail)
{
	gw_buf_reset(b);
	add_path(b, id);
	gw_buf_puts(b, tail);
	return gw_buf_error(b) ? "/" : gw_buf_str(b).p;
}

/* The properties that say most about a device at a glance: the first three of its state. */
static void add_glance(struct gw_buf *b, const json_t *state)
{
	const char *address;
	json_t *v;
	size_t n = 0;
	json_object_foreach((json_t *)state, address, v)
	{
		const json_t *value = json_object_get(v, "value");
		if (n == 3 || json_is_null(value) || strncmp(address, "link.", 5) == 0) {
			continue;
		}
		gw_buf_puts(b, n++ ? ", " : "");
		gw_buf_puts(b, address);
		gw_buf_putc(b, '=');
		cli_add_value(b, value);
		if (strcmp(cli_text(v, "quality"), "ok") != 0) {
			gw_buf_putc(b, '?');
		}
	}
}

static int list(struct cli *c, const char *room, const char *type)
{
	GW_AUTO(gw_buf_fini) struct gw_buf path = GW_BUF_INIT(PATH_BYTES);
	gw_buf_puts(&path, "/api/v1/devices");
	const char *const filters[][2] = {{"room", room}, {"type", type}};
	char lead = '?';
	for (size_t i = 0; i < gw_countof(filters); i++) {
		if (filters[i][1]) {
			gw_buf_printf(&path, "%c%s=", lead, filters[i][0]);
			cli_add_encoded(&path, filters[i][1]);
			lead = '&';
		}
	}
	json_t *answer = NULL;
	int r = cli_call(c, "GET", gw_buf_str(&path).p, NULL, &answer);
	if (r) {
		return r;
	}
	if (c->json) {
		cli_print_json(answer);
		json_decref(answer);
		return CLI_OK;
	}
	struct cli_table *t = cli_table_new(5);
	static const char *const en[] = {"ID", "NAME", "ROOM", "STATE", ""};
	static const char *const zh[] = {"编号", "名称", "房间", "状态", ""};
	for (size_t i = 0; i < gw_countof(en); i++) {
		cli_table_cell(t, TR(c, en[i], zh[i]));
	}
	size_t i;
	json_t *d;
	json_array_foreach(json_object_get(answer, "devices"), i, d)
	{
		GW_AUTO(gw_buf_fini) struct gw_buf glance = GW_BUF_INIT(4096);
		gw_buf_puts(&glance, "");
		add_glance(&glance, json_object_get(d, "state"));
		cli_table_cell(t, cli_text(d, "id"));
		cli_table_cell(t, cli_text(d, "name"));
		cli_table_cell(t, cli_text(d, "room"));
		cli_table_cell(t, json_is_true(json_object_get(d, "online"))
					  ? TR(c, "online", "在线")
					  : TR(c, "offline", "离线"));
		cli_table_cell(t, gw_buf_str(&glance).p ? gw_buf_str(&glance).p : "");
	}
	cli_table_print(t);
	cli_table_free(t);
	json_decref(answer);
	return CLI_OK;
}

static void print_device(struct cli *c, const json_t *d)
{
	printf("%s  %s\n", cli_text(d, "id"), cli_text(d, "name"));
	static const struct {
		const char *key, *en, *zh;
	} heads[] = {
		{"type", "type", "类型"},	  {"room", "room", "房间"},
		{"vendor", "vendor", "厂商"},	  {"model", "model", "型号"},
		{"profile", "profile", "配置档"}, {"last_seen", "last seen", "最近出现"},
		{"problem", "problem", "问题"},
	};
	for (size_t i = 0; i < gw_countof(heads); i++) {
		const char *text = cli_text(d, heads[i].key);
		if (text[0]) {
			printf("  %s: %s\n", TR(c, heads[i].en, heads[i].zh), text);
		}
	}
	struct cli_table *t = cli_table_new(4);
	size_t i;
	json_t *p;
	json_array_foreach(json_object_get(d, "capabilities"), i, p)
	{
		GW_AUTO(gw_buf_fini) struct gw_buf value = GW_BUF_INIT(8192);
		if (strcmp(cli_text(p, "kind"), "property") == 0) {
			cli_add_value(&value, json_object_get(p, "value"));
			const char *unit = gw_unit_symbol(cli_text(p, "unit"));
			gw_buf_printf(&value, "%s%s", unit[0] ? " " : "", unit);
		} else {
			gw_buf_printf(&value, "(%s)", cli_text(p, "kind"));
		}
		GW_AUTO(gw_buf_fini) struct gw_buf address = GW_BUF_INIT(512);
		gw_buf_printf(&address, "  %s", cli_text(p, "address"));
		const char *quality = cli_text(p, "quality");
		cli_table_cell(t, gw_buf_str(&address).p);
		cli_table_cell(t, gw_buf_str(&value).p);
		cli_table_cell(t, strcmp(quality, "ok") == 0 ? "" : quality);
		cli_table_cell(t, cli_text(p, "label"));
	}
	cli_table_print(t);
	cli_table_free(t);
}

static int get(struct cli *c, const char *id, const char *address)
{
	GW_AUTO(gw_buf_fini) struct gw_buf path = GW_BUF_INIT(PATH_BYTES);
	json_t *d = NULL;
	int r = cli_call(c, "GET", path_of(&path, id, ""), NULL, &d);
	if (r) {
		return r;
	}
	if (!address) {
		if (c->json) {
			cli_print_json(d);
		} else {
			print_device(c, d);
		}
		json_decref(d);
		return CLI_OK;
	}
	r = CLI_NOT_FOUND;
	size_t i;
	json_t *p;
	json_array_foreach(json_object_get(d, "capabilities"), i, p)
	{
		if (strcmp(cli_text(p, "address"), address) == 0) {
			GW_AUTO(gw_buf_fini) struct gw_buf value = GW_BUF_INIT(65536);
			cli_add_value(&value, json_object_get(p, "value"));
			if (c->json) {
				cli_print_json(p);
			} else {
				puts(gw_buf_str(&value).p);
			}
			r = CLI_OK;
		}
	}
	if (r) {
		cli_error(c, TR(c, "%s has no capability %s", "%s 没有能力 %s"), id, address);
	}
	json_decref(d);
	return r;
}

/* --- writing --- */

static const json_t *find_capability(const json_t *device, const char *address)
{
	size_t i;
	json_t *p;
	json_array_foreach(json_object_get(device, "capabilities"), i, p)
	{
		if (strcmp(cli_text(p, "address"), address) == 0) {
			return p;
		}
	}
	return NULL;
}

/* "on" for a boolean capability is true; everything else is JSON where it reads as JSON, and text where not. */
static json_t *value_of(const json_t *capability, const char *text)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {{"on", true}, {"yes", true}, {"off", false}, {"no", false}};
	if (strcmp(cli_text(capability, "type"), "bool") == 0) {
		for (size_t i = 0; i < gw_countof(words); i++) {
			if (strcmp(words[i].word, text) == 0) {
				return json_boolean(words[i].value);
			}
		}
	}
	const char *type = cli_text(capability, "type");
	bool plain = strcmp(type, "enum") == 0 || strcmp(type, "str") == 0;
	json_t *j = plain ? NULL : json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	return j ? j : json_string(text);
}

static int assignments(struct cli *c, const json_t *device, const char *prefix, int argc,
		       char **argv, json_t *into)
{
	for (int i = 0; i < argc; i++) {
		const char *equals = strchr(argv[i], '=');
		if (!equals || equals == argv[i]) {
			cli_error(c, TR(c, "\"%s\": expected NAME=VALUE", "“%s”：应为 名称=值"),
				  argv[i]);
			return CLI_USAGE;
		}
		char name[160];
		int n = snprintf(name, sizeof(name), "%.*s", (int)(equals - argv[i]), argv[i]);
		if (n < 0 || (size_t)n >= sizeof(name)) {
			return CLI_INVALID;
		}
		const json_t *cap = prefix ? NULL : find_capability(device, name);
		json_object_set_new(into, name, value_of(cap, equals + 1));
	}
	return CLI_OK;
}

static int print_outcome(struct cli *c, int http, json_t *answer)
{
	const char *status = cli_text(answer, "status");
	const json_t *error = json_object_get(answer, "error");
	int code = cli_exit_for(http, status[0] ? status : cli_text(error, "code"));
	if (c->json) {
		cli_print_json(answer);
	} else if (status[0] && code == CLI_OK) {
		const enum gw_status s = gw_status_find(status);
		printf("%s  (%.1f ms)\n",
		       s == GW_STATUS_COUNT
			       ? status
			       : TR(c, gw_status_row(s)->text_en, gw_status_row(s)->text_zh),
		       (double)json_integer_value(json_object_get(answer, "elapsed_us")) / 1000.0);
	} else {
		const char *text = cli_text(answer, "text")[0] ? cli_text(answer, "text")
							       : cli_text(error, "text");
		const char *address = cli_text(answer, "address");
		cli_error(c, "%s%s%s", address, address[0] ? ": " : "", text[0] ? text : status);
	}
	json_decref(answer);
	return code;
}

static int send_command(struct cli *c, const char *id, json_t *body)
{
	GW_AUTO(gw_buf_fini) struct gw_buf path = GW_BUF_INIT(PATH_BYTES);
	json_t *answer = NULL;
	int http = cli_request(c, "POST", path_of(&path, id, "/commands"), body, &answer);
	return http < 0 ? -http : print_outcome(c, http, answer);
}

static int set(struct cli *c, const char *id, int argc, char **argv)
{
	GW_AUTO(gw_buf_fini) struct gw_buf path = GW_BUF_INIT(PATH_BYTES);
	json_t *device = NULL;
	int r = cli_call(c, "GET", path_of(&path, id, ""), NULL, &device);
	if (r) {
		return r;
	}
	json_t *values = json_object();
	r = assignments(c, device, NULL, argc, argv, values);
	json_decref(device);
	if (r) {
		json_decref(values);
		return r;
	}
	return send_command(c, id, json_pack("{s:o}", "set", values));
}

static int act(struct cli *c, const char *id, const char *action, int argc, char **argv)
{
	json_t *args = json_object();
	int r = assignments(c, NULL, action, argc, argv, args);
	if (r) {
		json_decref(args);
		return r;
	}
	return send_command(c, id, json_pack("{s:s, s:o}", "action", action, "args", args));
}

static int change(struct cli *c, const char *id, const char *key, const char *value)
{
	GW_AUTO(gw_buf_fini) struct gw_buf path = GW_BUF_INIT(PATH_BYTES);
	json_t *answer = NULL;
	int r = cli_call(c, "PATCH", path_of(&path, id, ""), json_pack("{s:s}", key, value),
			 &answer);
	if (r == CLI_OK && c->json) {
		cli_print_json(answer);
	}
	json_decref(answer);
	return r;
}

static bool print_event(struct cli *c, const json_t *e, void *ctx)
{
	const char *only = ctx;
	if (only && strcmp(cli_text(e, "device"), only) != 0) {
		return true;
	}
	if (c->json) {
		cli_print_json(e);
	} else {
		GW_AUTO(gw_buf_fini) struct gw_buf value = GW_BUF_INIT(65536);
		gw_buf_puts(&value, "");
		if (json_object_get(e, "value")) {
			cli_add_value(&value, json_object_get(e, "value"));
		}
		printf("%s  %-10s %s %s %s %s\n", cli_text(e, "time"), cli_text(e, "type"),
		       cli_text(e, "device"), cli_text(e, "address"),
		       gw_buf_str(&value).p ? gw_buf_str(&value).p : "", cli_text(e, "status"));
	}
	return fflush(stdout) == 0;
}

static int run(struct cli *c, int argc, char **argv)
{
	const char *room = NULL;
	const char *type = NULL;
	const struct cli_option options[] = {{"--room", &room, NULL, NULL, NULL, 0},
					     {"--type", &type, NULL, NULL, NULL, 0}};
	int r = cli_options(c, options, gw_countof(options), &argc, argv);
	if (r) {
		return r;
	}
	const char *verb = argc > 1 ? argv[1] : "list";
	const char *id = argc > 2 ? argv[2] : NULL;
	GW_AUTO(gw_buf_fini) struct gw_buf path = GW_BUF_INIT(PATH_BYTES);
	if (strcmp(verb, "list") == 0 && argc <= 2) {
		return list(c, room, type);
	}
	if (strcmp(verb, "get") == 0 && (argc == 3 || argc == 4)) {
		return get(c, id, argc == 4 ? argv[3] : NULL);
	}
	if (strcmp(verb, "set") == 0 && argc >= 4) {
		return set(c, id, argc - 3, argv + 3);
	}
	if (strcmp(verb, "act") == 0 && argc >= 4) {
		return act(c, id, argv[3], argc - 4, argv + 4);
	}
	if (strcmp(verb, "rename") == 0 && argc == 4) {
		return change(c, id, "name", argv[3]);
	}
	if (strcmp(verb, "room") == 0 && argc == 4) {
		return change(c, id, "room", argv[3]);
	}
	if (strcmp(verb, "remove") == 0 && argc == 3) {
		return cli_call(c, "DELETE", path_of(&path, id, ""), NULL, NULL);
	}
	if (strcmp(verb, "watch") == 0 && argc <= 3) {
		return cli_events(c, "/api/v1/events", 0, print_event,
				  (void *)(argc == 3 ? argv[2] : NULL));
	}
	return cli_usage(c, &cli_device);
}

static const char *const words[] = {"list", "get",    "set",   "act", "rename",
				    "room", "remove", "watch", NULL};
const struct cli_command cli_device = {
	.name = "device",
	.usage =
		"[list [--room R] [--type T] | get ID [ADDRESS] | set ID ADDRESS=VALUE… | act ID ACTION [NAME=VALUE]… | rename ID NAME | "
		"room ID ROOM | remove ID | watch [ID]]",
	.help_en = "list, read, control and arrange devices",
	.help_zh = "列出、读取、控制和整理设备",
	.words = words,
	.run = run,
};
