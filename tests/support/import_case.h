/*
 * Importers of files against tests/vectors/import_file/<kind>/NN-*.yaml. Keys of a case:
 *   description: the file, as a tree; text: the file, as it stands
 *   refused: text [at: pointer]  it is refused as a whole, and the reason holds this
 *   type, name, identity         of the one device
 *   points: [[at, fate, address or construct]]   what became of data points; each must be told so once
 *   notes: [text]                that must be there
 *   with, without: [address]     capabilities
 *   tests: […]                   as in a profile (profile-language §14): they are run on the imported one, so values are read and
 *                                written through the engine
 */
#pragma once

#include "gw_test.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gw/import.h"
#include "gw/profile.h"

#define CASE_BYTES ((size_t)4 << 20)

#define case_check(condition, ...)                                                                 \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s: ", path);                                             \
			fprintf(stderr, __VA_ARGS__);                                              \
			fprintf(stderr, "\n");                                                     \
			fail();                                                                    \
		}                                                                                  \
	} while (0)

static inline const struct gw_file_importer *case_kind(const char *name)
{
	const struct gw_file_importer *k;
	for (size_t i = 0; (k = gw_file_importer_at(i)) && strcmp(k->name, name) != 0; i++) {
	}
	assert_non_null(k);
	return k;
}

static inline struct gw_buf case_read(const char *path)
{
	struct gw_buf b = GW_BUF_INIT(CASE_BYTES);
	char chunk[4096];
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	for (size_t n; (n = fread(chunk, 1, sizeof(chunk), f)) > 0;) {
		gw_buf_add(&b, chunk, n);
	}
	fclose(f);
	assert_int_equal(gw_buf_error(&b), 0);
	return b;
}

static inline const char *case_fate(enum gw_import_fate fate)
{
	static const char *const names[] = {"standard", "vendor", "unmapped", "hidden"};
	return names[fate];
}

static inline void case_points(const char *path, const struct gw_node *points,
			       const struct gw_import_result *r)
{
	gw_node_for(n, points)
	{
		const char *at = gw_node_at(n, 0)->text.p, *fate = gw_node_at(n, 1)->text.p;
		const struct gw_node *what = gw_node_at(n, 2);
		size_t found = 0;
		for (size_t i = 0; i < r->n_points; i++) {
			const struct gw_import_point *p = &r->points[i];
			bool same = strcmp(p->at, at) == 0 && strcmp(case_fate(p->fate), fate) == 0;
			same = same && (!what || gw_str_is(what->text, p->address) ||
					gw_str_is(what->text, p->construct));
			found += same;
		}
		for (size_t i = 0; found != 1 && i < r->n_points; i++) {
			fprintf(stderr, "  %s: %s %s%s\n", r->points[i].at,
				case_fate(r->points[i].fate), r->points[i].address,
				r->points[i].construct);
		}
		case_check(found == 1, "%s %s %s is told %zu times", at, fate,
			   what ? what->text.p : "", found);
	}
}

static inline void case_notes(const char *path, const struct gw_node *notes,
			      const struct gw_import_result *r)
{
	gw_node_for(n, notes)
	{
		bool found = false;
		for (size_t i = 0; i < r->n_notes; i++) {
			found |= strstr(r->notes[i].reason, n->text.p) != NULL;
		}
		case_check(found, "no note says \"%s\"", n->text.p);
	}
}

static inline void case_caps(const char *path, const struct gw_node *root, struct gw_profile *p,
			     const struct gw_imported *d)
{
	struct gw_plan *plan = NULL;
	struct gw_error e = {.text = ""};
	int r = gw_plan_get(p, &d->vars, &plan, &e);
	case_check(r == 0, "plan: %s at %s", e.text, e.at);
	gw_node_for(n, gw_node_get(root, "with"))
	{
		case_check(gw_plan_find_cap(plan, n->text) >= 0, "%s is missing\n%s", n->text.p,
			   d->profile);
	}
	gw_node_for(n, gw_node_get(root, "without"))
	{
		case_check(gw_plan_find_cap(plan, n->text) < 0, "there is %s", n->text.p);
	}
	gw_plan_unref(plan);
}

/* The profile with the tests of the case: loading it runs them. */
static inline void case_profile(const char *path, const struct gw_node *root,
				const struct gw_imported *d)
{
	static const struct gw_node_limits limits = {.max_bytes = CASE_BYTES, .max_depth = 32};
	struct gw_arena *a = gw_arena_new((size_t)64 << 20);
	struct gw_library *l = NULL;
	struct gw_profile *p = NULL;
	struct gw_node *tree = NULL;
	struct gw_error e = {.text = ""};
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(CASE_BYTES);
	assert_int_equal(gw_library_new(NULL, 0, &l), 0);
	assert_int_equal(gw_node_parse_json(a, gw_str(d->profile), &limits, &tree, &e), 0);
	const struct gw_node *tests = gw_node_get(root, "tests");
	if (tests) {
		struct gw_node *copy = gw_node_copy(a, tests);
		assert_non_null(copy);
		assert_int_equal(gw_node_set(a, tree, GW_STR("tests"), copy), 0);
	}
	gw_node_write(&text, tree, /* source_order= */ true);
	int r = gw_profile_load_text(l, gw_buf_str(&text), path, GW_PROFILE_IMPORTED, &p, &e);
	case_check(r == 0, "%s at %s: %s\n%s", e.code, e.at, e.text, d->profile);
	const char *type = gw_node_text(root, "type");
	case_check(!type || strcmp(type, gw_profile_type(p)->id) == 0, "the type is %s",
		   gw_profile_type(p)->id);
	case_caps(path, root, p, d);
	gw_profile_unref(p);
	gw_library_free(l);
	gw_arena_free(a);
}

static inline void case_run(const struct gw_file_importer *kind, const char *path)
{
	static const struct gw_node_limits limits = {.max_bytes = CASE_BYTES, .max_depth = 32};
	GW_AUTO(gw_buf_fini)
	struct gw_buf file = case_read(path), text = GW_BUF_INIT(CASE_BYTES);
	struct gw_arena *a = gw_arena_new((size_t)64 << 20);
	struct gw_node *root = NULL;
	struct gw_error e = {.text = ""};
	struct gw_import_result result = {.devices = NULL};
	int r = gw_node_parse_yaml(a, gw_buf_str(&file), &limits, &root, &e);
	case_check(r == 0, "line %u: %s", e.line, e.text);
	const struct gw_node *description = gw_node_get(root, "description");
	if (description) {
		gw_node_write(&text, description, /* source_order= */ true);
	} else {
		gw_buf_add_str(&text, gw_node_get(root, "text")->text);
	}
	r = gw_file_import(kind, gw_buf_str(&text), "case", &result, &e);
	const char *refused = gw_node_text(root, "refused"), *at = gw_node_text(root, "at");
	if (refused) {
		case_check(r == -EBADMSG && strstr(e.text, refused), "%d: %s", r, e.text);
		case_check(!at || strcmp(at, e.at) == 0, "at %s", e.at);
		case_check(result.n_devices == 0, "the result is not empty");
	} else {
		case_check(r == 0, "%d: %s at %s", r, e.text, e.at);
		case_check(result.n_devices == 1, "%zu devices", result.n_devices);
		const struct gw_imported *d = &result.devices[0];
		const char *name = gw_node_text(root, "name"),
			   *identity = gw_node_text(root, "identity");
		case_check(!name || strcmp(name, d->name) == 0, "the name is %s", d->name);
		case_check(!identity || strcmp(identity, d->identity) == 0, "the identity is %s",
			   d->identity);
		case_points(path, gw_node_get(root, "points"), &result);
		case_notes(path, gw_node_get(root, "notes"), &result);
		case_profile(path, root, d);
	}
	gw_import_result_fini(&result);
	gw_arena_free(a);
}

static inline void case_folder(const char *kind)
{
	char path[4096];
	(void)snprintf(path, sizeof(path), HEARTH_SOURCE_DIR "/tests/vectors/import_file/%s", kind);
	struct dirent **entries = NULL;
	int n = scandir(path, &entries, NULL, alphasort), ran = 0;
	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		if (gw_str_ends(gw_str(entries[i]->d_name), ".yaml")) {
			(void)snprintf(path, sizeof(path),
				       HEARTH_SOURCE_DIR "/tests/vectors/import_file/%s/%s", kind,
				       entries[i]->d_name);
			case_run(case_kind(kind), path);
			ran++;
		}
		free(entries[i]);
	}
	free(entries);
	assert_true(ran > 0);
}

/* --- public descriptions beside the project --- */

/* The folder; the test ends as skipped where it is absent. */
static inline const char *corpus_folder(const char *name, char *path, size_t cap)
{
	const char *all = getenv("HEARTH_CORPORA");
	(void)snprintf(path, cap, "%s/%s", all ? all : HEARTH_SOURCE_DIR "/../shared/corpora",
		       name);
	DIR *d = opendir(path);
	if (!d) {
		printf("no descriptions in %s: skipped\n", path);
		exit(77);
	}
	closedir(d);
	return path;
}

/* What the report of the command counts. */
struct corpus_figures {
	size_t files, whole, partial, refused; /* refused: by the importer or the checker */
	size_t points[4];
};

static inline void corpus_file(const struct gw_file_importer *kind, struct gw_library *l,
			       const char *path, struct corpus_figures *f,
			       void (*each)(const struct gw_node *root, const struct gw_imported *d,
					    struct gw_profile *p))
{
	GW_AUTO(gw_buf_fini) struct gw_buf text = case_read(path);
	struct gw_import_result result = {.devices = NULL};
	struct gw_error e = {.text = ""};
	int r = gw_file_import(kind, gw_buf_str(&text), "corpus", &result, &e);
	bool lost = false, bad = r < 0 || result.n_devices == 0;
	for (size_t i = 0; r == 0 && i < result.n_points; i++) {
		f->points[result.points[i].fate]++;
		lost |= result.points[i].fate == GW_FATE_UNMAPPED;
	}
	for (size_t i = 0; r == 0 && i < result.n_devices; i++) {
		struct gw_profile *p = NULL;
		const struct gw_imported *d = &result.devices[i];
		r = gw_profile_load_text(l, gw_str(d->profile), path, GW_PROFILE_IMPORTED, &p, &e);
		bad |= r < 0;
		if (r == 0 && each) {
			static const struct gw_node_limits limits = {.max_bytes = CASE_BYTES,
								     .max_depth = 32};
			struct gw_arena *a = gw_arena_new((size_t)64 << 20);
			struct gw_node *root = NULL;
			assert_int_equal(
				gw_node_parse_yaml(a, gw_buf_str(&text), &limits, &root, &e), 0);
			each(root, d, p);
			gw_arena_free(a);
		}
		gw_profile_unref(p);
	}
	f->files++;
	if (bad) {
		fprintf(stderr, "%s: %s at %s: %s\n", path, e.code, e.at, e.text);
	}
	*(bad ? &f->refused : lost ? &f->partial : &f->whole) += 1;
	gw_import_result_fini(&result);
}

static inline struct corpus_figures corpus_run(const char *kind, const char *folder,
					       void (*each)(const struct gw_node *root,
							    const struct gw_imported *d,
							    struct gw_profile *p))
{
	struct corpus_figures f = {.files = 0};
	struct gw_library *l = NULL;
	struct dirent **entries = NULL;
	char path[4096];
	int n = scandir(folder, &entries, NULL, alphasort);
	assert_true(n > 0);
	assert_int_equal(gw_library_new(NULL, 0, &l), 0);
	for (int i = 0; i < n; i++) {
		struct gw_str name = gw_str(entries[i]->d_name);
		if (gw_str_ends(name, ".json") || gw_str_ends(name, ".yaml")) {
			(void)snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
			corpus_file(case_kind(kind), l, path, &f, each);
		}
		free(entries[i]);
	}
	free(entries);
	gw_library_free(l);
	return f;
}
