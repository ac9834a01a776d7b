/*
 * hearth profile explain|diff|migrate: what an author of profiles asks. Works on files, without the daemon.
 */
#include "cli/profile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/json.h"

#define TEXT_BYTES ((size_t)1 << 20)
#define MAX_SETS   64

/* --- explain --- */

static void print_channel(const struct gw_binding *b, const char *lead, const char *channel)
{
	GW_AUTO(gw_buf_fini) struct gw_buf name = GW_BUF_INIT(GW_TOPIC_BYTES * 4);
	if (channel) {
		printf("%s%s", lead,
		       gw_binding_channel(b, channel, &name) == 0 && name.p ? name.p : channel);
	}
}

static int answer(struct cli *c, struct gw_binding *b, json_t *request, json_t **ret_answer)
{
	GW_AUTO(gw_buf_fini) struct gw_buf out = GW_BUF_INIT(16 * TEXT_BYTES);
	char *line = request ? json_dumps(request, JSON_COMPACT) : NULL;
	int r = line ? gw_line_answer(b, gw_str(line), &out) : -ENOMEM;
	free(line);
	json_decref(request);
	if (r == 0) {
		*ret_answer = json_loadb(out.p, out.len, JSON_DECODE_ANY, NULL);
		r = *ret_answer ? 0 : -ENOMEM;
	}
	if (r < 0) {
		cli_error(c, "%s", strerror(-r));
	}
	return r;
}

static int print_error(struct cli *c, const json_t *reply)
{
	const char *code = cli_text(reply, "error");
	if (!code[0]) {
		return CLI_OK;
	}
	cli_error(c, TR(c, "refused: %s", "拒绝：%s"), code);
	return CLI_INVALID;
}

/* A tree as it is written, else the text itself. */
static json_t *body_of(const char *text)
{
	json_t *tree = json_loads(text, 0, NULL); /* lists and maps only */
	return tree ? tree : json_string(text);
}

static int explain_message(struct cli *c, struct gw_binding *b, const char *name, const char *body)
{
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(TEXT_BYTES);
	const struct gw_plan *plan = gw_binding_plan(b);
	int msg = gw_plan_find_msg(plan, gw_str(name));
	json_t *reply = NULL, *event;
	size_t i;
	if (msg < 0) {
		cli_error(c, TR(c, "the profile has no message \"%s\"", "配置档没有消息“%s”"),
			  name);
		return CLI_NOT_FOUND;
	}
	if (answer(c, b, json_pack("{s:[{s:o}]}", "rx", name, body_of(body)), &reply) < 0) {
		return CLI_FAILED;
	}
	const struct gw_msg_info *m = gw_plan_msg(plan, (size_t)msg);
	printf("%s", name);
	print_channel(b, "  ", m->n_rx ? m->rx[0] : m->get);
	putchar('\n');
	gw_binding_explain(b, (size_t)msg, &text);
	fputs(text.len ? text.p : TR(c, "no capability depends on it\n", "没有能力依赖它\n"),
	      stdout);
	json_array_foreach(json_object_get(reply, "events"), i, event)
	{
		char *s = json_dumps(event, JSON_COMPACT);
		printf(TR(c, "event %s\n", "事件 %s\n"), s ? s : "");
		free(s);
	}
	int code = print_error(c, reply);
	json_decref(reply);
	return code;
}

/* JSON where it is some (true, 21.5, "a", [1]), else the text itself. */
static const struct gw_node *value_of(struct gw_arena *a, const char *text)
{
	struct gw_node *n = NULL;
	return gw_node_parse_json(a, gw_str(text), NULL, &n, NULL) == 0
		       ? n
		       : gw_node_new_text(a, gw_str(text));
}

static int read_sets(struct cli *c, struct gw_arena *a, const char *const *sets, size_t n,
		     struct gw_wanted *ret_wanted)
{
	for (size_t i = 0; i < n; i++) {
		const char *equals = strchr(sets[i], '=');
		if (!equals) {
			cli_error(c,
				  TR(c, "--set needs capability=value, not \"%s\"",
				     "--set 需要“能力=值”，而不是“%s”"),
				  sets[i]);
			return CLI_USAGE;
		}
		ret_wanted[i] = (struct gw_wanted){
			{sets[i], (size_t)(equals - sets[i])},
			value_of(a, equals + 1),
		};
		if (!ret_wanted[i].value) {
			return CLI_FAILED;
		}
	}
	return CLI_OK;
}

static void print_body(const struct gw_msg_info *m, struct gw_str body)
{
	bool hex =
		m->codec == GW_CODEC_BYTES || m->codec == GW_CODEC_TLV || m->codec == GW_CODEC_CBOR;
	for (size_t i = 0; hex && i < body.len; i++) {
		printf("%s%02x", i ? " " : "", (unsigned)(unsigned char)body.p[i]);
	}
	printf(GW_STR_FMT "\n", GW_STR_ARG(hex ? GW_STR("") : body));
}

static int explain_write(struct cli *c, struct gw_binding *b, const char *const *sets, size_t n)
{
	const struct gw_plan *plan = gw_binding_plan(b);
	struct gw_wanted wanted[MAX_SETS];
	struct gw_outgoing out = {0};
	struct gw_write_error e = {0};
	struct gw_arena *a = gw_arena_new(16 * TEXT_BYTES);
	int code = a ? read_sets(c, a, sets, n, wanted) : CLI_FAILED;
	int r = code ? 0 : gw_binding_write(b, wanted, n, /* now_ms= */ 0, &out, &e);
	if (r < 0) {
		cli_error(c, "%s: %s (%s)", e.address, e.text[0] ? e.text : strerror(-r), e.code);
		code = CLI_INVALID;
	} else if (code == CLI_OK && out.n_msgs == 0) {
		puts(TR(c, "nothing to send: it is so already", "无需发送：已经如此"));
	}
	for (size_t i = 0; i < out.n_msgs; i++) {
		const struct gw_msg_info *m = gw_plan_msg(plan, out.msgs[i].msg);
		printf("%zu. %s", i + 1, m->name);
		print_channel(b, "  ", m->tx);
		fputs("  ", stdout);
		print_body(m, out.msgs[i].body);
	}
	gw_outgoing_fini(&out);
	gw_arena_free(a);
	return code;
}

int cli_profile_explain(struct cli *c, int argc, char **argv)
{
	struct cli_profile_file f = {0};
	const char *sets[MAX_SETS];
	size_t n_sets = 0;
	const struct cli_option options[] = {
		{"--lax", NULL, &f.lax, NULL, NULL, 0},
		{"--var", NULL, NULL, f.vars, &f.n_vars, gw_countof(f.vars)},
		{"--set", NULL, NULL, sets, &n_sets, gw_countof(sets)},
	};
	GW_AUTO(gw_buf_fini) struct gw_buf in = GW_BUF_INIT(TEXT_BYTES);
	int code = cli_options(c, options, gw_countof(options), &argc, argv);
	if (code) {
		return code;
	}
	if (n_sets ? argc != 2 : argc != 3 && argc != 4) {
		return cli_usage(c, &cli_profile);
	}
	code = cli_profile_open(c, &f, argv[1]);
	if (code == CLI_OK && n_sets) {
		code = explain_write(c, f.binding, sets, n_sets);
	} else if (code == CLI_OK) {
		int r = argc == 3 ? cli_read_file("-", &in) : 0;
		if (r < 0) {
			cli_error(c, "%s", strerror(-r));
		}
		code = r < 0 ? CLI_INVALID
			     : explain_message(c, f.binding, argv[2],
					       argc == 4 ? argv[3]
					       : in.p	 ? in.p
							 : "");
	}
	cli_profile_close(&f);
	return code;
}

/* --- diff --- */

static void write_domain(struct gw_buf *b, const struct gw_cap_info *i)
{
	const struct gw_domain *d = &i->domain;
	gw_buf_puts(b, gw_type_name(d->type));
	if (d->has_min || d->has_max) {
		gw_buf_puts(b, " ");
		if (d->has_min) {
			gw_value_write_text(
				b, &(struct gw_value){.type = GW_VALUE_NUMBER, .count = d->min},
				d->res);
		}
		gw_buf_puts(b, "…");
		if (d->has_max) {
			gw_value_write_text(
				b, &(struct gw_value){.type = GW_VALUE_NUMBER, .count = d->max},
				d->res);
		}
	}
	gw_buf_puts(b, i->unit && i->unit[0] ? " " : "");
	gw_buf_puts(b, i->unit ? i->unit : "");
	for (uint16_t k = 0; k < d->n_symbols; k++) {
		gw_buf_puts(b, k ? " " : " {");
		gw_buf_puts(b, d->symbols[k]);
	}
	gw_buf_puts(b, d->n_symbols ? "}" : "");
	gw_buf_puts(b, i->kind != GW_KIND_PROPERTY ? ""
		       : i->writable		   ? ", writable"
						   : ", read only");
}

static const char *moved_to(const struct gw_profile *p, const char *address)
{
	return gw_node_text(gw_node_get(gw_profile_tree(p), "moved"), address);
}

/* One line for each capability that is not the same on both sides; returns their number. */
static size_t diff_caps(struct cli *c, const struct cli_profile_file *from,
			const struct cli_profile_file *to)
{
	const struct gw_plan *a = gw_binding_plan(from->binding), *b = gw_binding_plan(to->binding);
	size_t n = 0;
	for (size_t i = 0; i < gw_plan_cap_count(a); i++) {
		GW_AUTO(gw_buf_fini) struct gw_buf was = GW_BUF_INIT(TEXT_BYTES);
		GW_AUTO(gw_buf_fini) struct gw_buf is = GW_BUF_INIT(TEXT_BYTES);
		const struct gw_cap_info *old = gw_plan_cap(a, i);
		const char *moved = moved_to(to->profile, old->address);
		int k = gw_plan_find_cap(b, gw_str(old->address));
		write_domain(&was, old);
		if (k < 0) {
			printf("- %s  %s\n", old->address, was.p);
			n++;
			continue;
		}
		write_domain(&is, gw_plan_cap(b, (size_t)k));
		if (moved) {
			printf(TR(c, "> %s  moved to %s\n", "> %s  移至 %s\n"), old->address,
			       moved);
			n++;
		}
		if (strcmp(was.p, is.p) != 0) {
			printf("~ %s  %s → %s\n", old->address, was.p, is.p);
			n++;
		}
	}
	for (size_t i = 0; i < gw_plan_cap_count(b); i++) {
		GW_AUTO(gw_buf_fini) struct gw_buf is = GW_BUF_INIT(TEXT_BYTES);
		const struct gw_cap_info *new = gw_plan_cap(b, i);
		if (gw_plan_find_cap(a, gw_str(new->address)) < 0) {
			write_domain(&is, new);
			printf("+ %s  %s\n", new->address, is.p);
			n++;
		}
	}
	return n;
}

int cli_profile_diff(struct cli *c, int argc, char **argv)
{
	struct cli_profile_file from = {0}, to = {0};
	const struct cli_option options[] = {
		{"--lax", NULL, &from.lax, NULL, NULL, 0},
		{"--var", NULL, NULL, from.vars, &from.n_vars, gw_countof(from.vars)},
	};
	int code = cli_options(c, options, gw_countof(options), &argc, argv);
	if (code) {
		return code;
	}
	if (argc != 3) {
		return cli_usage(c, &cli_profile);
	}
	to = from;
	code = cli_profile_open(c, &from, argv[1]);
	code = code ? code : cli_profile_open(c, &to, argv[2]);
	if (code == CLI_OK && diff_caps(c, &from, &to) == 0) {
		puts(TR(c, "no capability differs", "能力没有差别"));
	}
	cli_profile_close(&from);
	cli_profile_close(&to);
	return code;
}

/* --- migrate --- */

/* Old addresses become new ones: keys of maps, and texts that are an address as a whole. Depth is jansson's limit (2048). */
static json_t *migrate(const struct gw_profile *p, const json_t *v, size_t *n)
{
	const char *key, *moved;
	json_t *member, *out;
	size_t i;
	if (json_is_object(v)) {
		out = json_object();
		json_object_foreach((json_t *)v, key, member)
		{
			moved = moved_to(p, key);
			*n += moved != NULL;
			json_object_set_new(out, moved ? moved : key, migrate(p, member, n));
		}
		return out;
	}
	if (json_is_array(v)) {
		out = json_array();
		json_array_foreach(v, i, member)
		{
			json_array_append_new(out, migrate(p, member, n));
		}
		return out;
	}
	moved = json_is_string(v) ? moved_to(p, json_string_value(v)) : NULL;
	*n += moved != NULL;
	return moved ? json_string(moved) : json_deep_copy(v);
}

int cli_profile_migrate(struct cli *c, int argc, char **argv)
{
	struct cli_profile_file f = {0};
	json_error_t e;
	size_t n = 0;
	const struct cli_option options[] = {{"--lax", NULL, &f.lax, NULL, NULL, 0}};
	int code = cli_options(c, options, gw_countof(options), &argc, argv);
	if (code) {
		return code;
	}
	if (argc != 2 && argc != 3) {
		return cli_usage(c, &cli_profile);
	}
	code = cli_profile_load(c, &f, argv[1]);
	json_t *in = code	 ? NULL
		     : argc == 3 ? json_load_file(argv[2], 0, &e)
				 : json_loadf(stdin, 0, &e);
	if (code == CLI_OK && !in) {
		cli_error(c, "%s:%d:%d: %s", argc == 3 ? argv[2] : "-", e.line, e.column, e.text);
		code = CLI_INVALID;
	}
	if (code == CLI_OK) {
		json_t *out = migrate(f.profile, in, &n);
		json_dumpf(out, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(out);
		fprintf(stderr, TR(c, "%zu addresses replaced\n", "替换了 %zu 个地址\n"), n);
	}
	json_decref(in);
	cli_profile_close(&f);
	return code;
}
