/*
 * hearth profile import --from KIND FILE|DIR…: descriptions of other systems become profiles, each checked as a written one is.
 * One file: its profile goes to standard output. Several, or a folder: a report of what mapped and what did not, and why.
 */
#include "cli/profile.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gw/alloc.h"
#include "gw/import.h"

#define FILE_BYTES     ((size_t)GW_DESCRIPTION_BYTES * 4)
#define MAX_FILES      65536
#define MAX_CONSTRUCTS 1024

enum state { WHOLE, PARTIAL, REFUSED };
static const char *const state_names[] = {"whole", "partial", "refused"};

struct construct {
	char text[sizeof(((struct gw_import_point *)0)->construct)];
	size_t count;
};

struct import {
	struct cli *c;
	const struct gw_file_importer *kind;
	struct gw_library *library;
	const char *output; /* folder for profiles, or NULL */
	bool alone;	    /* one file: its profiles are printed */
	struct gw_buf text; /* of the file being read */
	size_t files[3];    /* by enum state */
	size_t profiles, refused_profiles;
	size_t points[4]; /* by enum gw_import_fate */
	struct construct *constructs;
	size_t n_constructs;
	json_t *items; /* of the report */
};

/* --- one file --- */

/* "tuya-local/kogan_heater.yaml" → "kogan_heater" */
static const char *stem(const char *path, char *ret_stem, size_t cap)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	const char *dot = strrchr(name, '.');
	(void)snprintf(ret_stem, cap, "%.*s", dot && dot > name ? (int)(dot - name) : 200, name);
	return ret_stem;
}

static void count_construct(struct import *m, const char *text)
{
	for (size_t i = 0; i < m->n_constructs; i++) {
		if (strcmp(m->constructs[i].text, text) == 0) {
			m->constructs[i].count++;
			return;
		}
	}
	if (m->n_constructs < MAX_CONSTRUCTS) {
		struct construct *k = &m->constructs[m->n_constructs++];
		(void)snprintf(k->text, sizeof(k->text), "%s", text);
		k->count = 1;
	}
}

static int write_profile(struct import *m, const char *id, const char *profile)
{
	char path[1024];
	int n = snprintf(path, sizeof(path), "%s/%s.json", m->output, id);
	FILE *f = n > 0 && (size_t)n < sizeof(path) ? fopen(path, "w") : NULL;
	if (!f) {
		cli_error(m->c, "%s/%s.json: %s", m->output, id, strerror(errno));
		return -EIO;
	}
	bool bad = fputs(profile, f) < 0 || fputc('\n', f) < 0;
	bad = fclose(f) != 0 || bad;
	if (bad) {
		cli_error(m->c, "%s: %s", path, strerror(errno));
	}
	return bad ? -EIO : 0;
}

/* The profile of one device goes through the same checks as a written one; its item says what became of it. */
static json_t *take_device(struct import *m, const struct gw_imported *d, const char *path,
			   bool *ret_bad)
{
	struct gw_profile *p = NULL;
	struct gw_error e = {0};
	int r = gw_profile_load_text(m->library, gw_str(d->profile), path, GW_PROFILE_IMPORTED, &p,
				     &e);
	json_t *item = json_pack("{s:s, s:s, s:s, s:b}", "name", d->name, "vendor", d->vendor,
				 "model", d->model, "accepted", r == 0);
	if (r == 0) {
		m->profiles++;
		json_object_set_new(item, "id", json_string(gw_profile_id(p)));
		if (m->output && write_profile(m, gw_profile_id(p), d->profile) < 0) {
			*ret_bad = true;
		}
		if (m->alone) {
			puts(d->profile);
		}
	} else {
		m->refused_profiles++;
		*ret_bad = true;
		json_object_set_new(
			item, "refused",
			json_pack("{s:s, s:s, s:s}", "code", e.code, "at", e.at, "text", e.text));
	}
	gw_profile_unref(p);
	return item;
}

static json_t *take_points(struct import *m, const struct gw_import_result *r, bool *ret_lost)
{
	json_t *list = json_array();
	for (size_t i = 0; i < r->n_points; i++) {
		const struct gw_import_point *p = &r->points[i];
		m->points[p->fate]++;
		if (p->fate == GW_FATE_UNMAPPED) {
			*ret_lost = true;
			count_construct(m, p->construct);
			json_array_append_new(list, json_pack("{s:s, s:s}", "at", p->at,
							      "construct", p->construct));
		}
	}
	return list;
}

static json_t *take_notes(const struct gw_import_result *r)
{
	json_t *list = json_array();
	for (size_t i = 0; i < r->n_notes; i++) {
		json_array_append_new(list, json_pack("{s:s, s:s}", "at", r->notes[i].at, "reason",
						      r->notes[i].reason));
	}
	return list;
}

static enum state take_result(struct import *m, const char *path, const struct gw_import_result *r,
			      json_t *item)
{
	bool bad = false, lost = false, any = false;
	json_t *devices = json_array();
	for (size_t i = 0; i < r->n_devices; i++) {
		if (r->devices[i].profile) {
			any = true;
			json_array_append_new(devices, take_device(m, &r->devices[i], path, &bad));
		}
	}
	json_object_set_new(item, "devices", devices);
	json_object_set_new(item, "lost", take_points(m, r, &lost));
	json_object_set_new(item, "notes", take_notes(r));
	return !any || bad ? REFUSED : lost ? PARTIAL : WHOLE;
}

static void take_file(struct import *m, const char *path)
{
	struct gw_import_result result = {0};
	struct gw_error e = {0};
	char name[256];
	enum state state = REFUSED;
	json_t *item = json_pack("{s:s}", "file", path);
	gw_buf_reset(&m->text);
	int r = cli_read_file(path, &m->text);
	if (r < 0) {
		(void)gw_error_set(&e, r, "file", "cannot be read: %s", strerror(-r));
	} else {
		r = gw_file_import(m->kind, gw_buf_str(&m->text), stem(path, name, sizeof(name)),
				   &result, &e);
	}
	if (r == 0) {
		state = take_result(m, path, &result, item);
		gw_import_result_fini(&result);
	} else {
		GW_AUTO(gw_buf_fini) struct gw_buf why = GW_BUF_INIT(4096);
		(void)snprintf(e.file, sizeof(e.file), "%s", path);
		gw_error_format(&e, &why);
		json_object_set_new(item, "error", json_string(why.p ? why.p : ""));
	}
	m->files[state]++;
	json_object_set_new(item, "state", json_string(state_names[state]));
	json_array_append_new(m->items, item);
}

/* --- which files --- */

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_description(const struct dirent *e)
{
	struct gw_str name = gw_str(e->d_name);
	return name.p[0] != '.' && (gw_str_ends(name, ".yaml") || gw_str_ends(name, ".yml") ||
				    gw_str_ends(name, ".json") || gw_str_ends(name, ".jsonld"));
}

static int take_folder(struct import *m, const char *folder)
{
	struct dirent **entries = NULL;
	char path[1024];
	int n = scandir(folder, &entries, is_description, by_name);
	if (n < 0) {
		cli_error(m->c, "%s: %s", folder, strerror(errno));
		return CLI_NOT_FOUND;
	}
	for (int i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		if (i < MAX_FILES) {
			take_file(m, path);
		}
		free(entries[i]);
	}
	free(entries);
	return CLI_OK;
}

static bool is_folder(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* --- report --- */

static int by_count(const void *a, const void *b)
{
	const struct construct *x = a, *y = b;
	return x->count != y->count ? (x->count < y->count) - (x->count > y->count)
				    : strcmp(x->text, y->text);
}

static void report_json(struct import *m)
{
	json_t *constructs = json_array();
	for (size_t i = 0; i < m->n_constructs; i++) {
		json_array_append_new(constructs,
				      json_pack("{s:s, s:I}", "construct", m->constructs[i].text,
						"count", (json_int_t)m->constructs[i].count));
	}
	json_t *o = json_pack(
		"{s:s, s:{s:I, s:I, s:I}, s:{s:I, s:I}, s:{s:I, s:I, s:I, s:I}, s:o, s:O}", "from",
		m->kind->name, "files", "whole", (json_int_t)m->files[WHOLE], "partial",
		(json_int_t)m->files[PARTIAL], "refused", (json_int_t)m->files[REFUSED], "profiles",
		"accepted", (json_int_t)m->profiles, "refused", (json_int_t)m->refused_profiles,
		"points", "standard", (json_int_t)m->points[GW_FATE_STANDARD], "vendor",
		(json_int_t)m->points[GW_FATE_VENDOR], "unmapped",
		(json_int_t)m->points[GW_FATE_UNMAPPED], "hidden",
		(json_int_t)m->points[GW_FATE_HIDDEN], "constructs", constructs, "items", m->items);
	cli_print_json(o);
	json_decref(o);
}

static void report_item(const json_t *item, FILE *to)
{
	size_t i;
	json_t *v;
	const char *file = cli_text(item, "file");
	if (json_object_get(item, "error")) {
		fprintf(to, "  %s\n", cli_text(item, "error"));
	}
	json_array_foreach(json_object_get(item, "devices"), i, v)
	{
		const json_t *refused = json_object_get(v, "refused");
		if (refused) {
			fprintf(to, "  %s: %s: %s (%s)\n", file, cli_text(refused, "at"),
				cli_text(refused, "text"), cli_text(refused, "code"));
		}
	}
	json_array_foreach(json_object_get(item, "lost"), i, v)
	{
		fprintf(to, "  %s: %s: %s\n", file, cli_text(v, "at"), cli_text(v, "construct"));
	}
	json_array_foreach(json_object_get(item, "notes"), i, v)
	{
		fprintf(to, "  %s: %s: %s\n", file, cli_text(v, "at"), cli_text(v, "reason"));
	}
}

static unsigned percent(size_t part, size_t all)
{
	return all ? (unsigned)((part * 100 + all / 2) / all) : 0;
}

static void report_text(struct import *m, FILE *to)
{
	size_t i;
	json_t *item;
	size_t files = m->files[WHOLE] + m->files[PARTIAL] + m->files[REFUSED];
	size_t *p = m->points,
	       visible = p[GW_FATE_STANDARD] + p[GW_FATE_VENDOR] + p[GW_FATE_UNMAPPED];
	json_array_foreach(m->items, i, item)
	{
		report_item(item, to);
	}
	fprintf(to,
		TR(m->c, "%s: %zu files: %zu whole, %zu partial, %zu refused\n",
		   "%s：%zu 个文件：完整 %zu，部分 %zu，拒绝 %zu\n"),
		m->kind->name, files, m->files[WHOLE], m->files[PARTIAL], m->files[REFUSED]);
	fprintf(to,
		TR(m->c, "profiles: %zu accepted by the checker, %zu refused\n",
		   "配置档：通过检查 %zu，拒绝 %zu\n"),
		m->profiles, m->refused_profiles);
	fprintf(to,
		TR(m->c,
		   "data points: %zu visible: %zu standard (%u %%), %zu of the vendor (%u %%), "
		   "%zu not mapped\n",
		   "数据点：可见 %zu：标准 %zu（%u %%），厂商 %zu（%u %%），未映射 %zu\n"),
		visible, p[GW_FATE_STANDARD], percent(p[GW_FATE_STANDARD], visible),
		p[GW_FATE_VENDOR], percent(p[GW_FATE_VENDOR], visible), p[GW_FATE_UNMAPPED]);
	for (size_t k = 0; k < m->n_constructs; k++) {
		fprintf(to, "  %5zu  %s\n", m->constructs[k].count, m->constructs[k].text);
	}
}

/* --- the command --- */

static const struct gw_file_importer *find_kind(struct cli *c, const char *name)
{
	GW_AUTO(gw_buf_fini) struct gw_buf known = GW_BUF_INIT(1024);
	const struct gw_file_importer *k;
	for (size_t i = 0; (k = gw_file_importer_at(i)); i++) {
		if (name && strcmp(k->name, name) == 0) {
			return k;
		}
		gw_buf_printf(&known, "%s%s", i ? ", " : "", k->name);
	}
	cli_error(c, TR(c, "--from needs one of: %s", "--from 需要以下之一：%s"),
		  known.p ? known.p : "");
	return NULL;
}

static int run_all(struct import *m, int n, char **paths, bool json)
{
	int code = CLI_OK;
	m->alone = n == 1 && !is_folder(paths[0]) && !json && !m->output;
	for (int i = 0; i < n; i++) {
		if (is_folder(paths[i])) {
			int r = take_folder(m, paths[i]);
			code = r ? r : code;
		} else {
			take_file(m, paths[i]);
		}
	}
	if (m->n_constructs > 0) {
		qsort(m->constructs, m->n_constructs, sizeof(*m->constructs), by_count);
	}
	if (json) {
		report_json(m);
	} else {
		report_text(m, m->alone ? stderr : stdout);
	}
	if (code) {
		return code;
	}
	return m->files[REFUSED] ? CLI_INVALID : m->files[PARTIAL] ? CLI_PARTIAL : CLI_OK;
}

int cli_profile_import(struct cli *c, int argc, char **argv)
{
	const char *from = NULL, *report = NULL;
	struct import m = {.c = c, .text = GW_BUF_INIT(FILE_BYTES)};
	const struct cli_option options[] = {
		{"--from", &from, NULL, NULL, NULL, 0},
		{"--report", &report, NULL, NULL, NULL, 0},
		{"--output", &m.output, NULL, NULL, NULL, 0},
	};
	int r = cli_options(c, options, gw_countof(options), &argc, argv);
	if (r) {
		return r;
	}
	if (argc < 2 || (report && strcmp(report, "json") != 0 && strcmp(report, "text") != 0)) {
		return cli_usage(c, &cli_profile);
	}
	m.kind = find_kind(c, from);
	if (!m.kind) {
		return CLI_USAGE;
	}
	const char *dirs[] = {c->profiles};
	m.constructs = gw_array(struct construct, MAX_CONSTRUCTS);
	m.items = json_array();
	r = m.constructs && m.items ? gw_library_new(dirs, c->profiles ? 1 : 0, &m.library)
				    : -ENOMEM;
	int code = CLI_FAILED;
	if (r == 0) {
		code = run_all(&m, argc - 1, argv + 1,
			       c->json || (report && strcmp(report, "json") == 0));
	} else {
		cli_error(c, "%s", strerror(-r));
	}
	gw_library_free(m.library);
	json_decref(m.items);
	gw_free(m.constructs);
	gw_buf_fini(&m.text);
	return code;
}
