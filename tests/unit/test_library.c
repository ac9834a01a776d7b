#include "gw_test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gw/alloc.h"
#include "gw/profile.h"

/* A folder of profiles in a temporary place. */
struct bench {
	char dir[64], second[80];
	struct gw_library *library;
	struct gw_error error;
};

static void write_file(const struct bench *b, const char *name, const char *text)
{
	char path[200];
	snprintf(path, sizeof(path), "%s/%s", b->dir, name);
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	fclose(f);
}

#define PLUG(id)                                                                                                                           \
	"profile: 1\nid: " id                                                                                                              \
	"\nversion: 1.2.3\ntype: plug\nname: {en: Plug, zh-CN: \xe6\x8f\x92}\n"                                                            \
	"match: [{mqtt: a/+}]\nvars: {t: {}}\n"                                                                                            \
	"msgs: {m: {rx: \"{t}/s\", tx: \"{t}/c\"}}\npoints: {p: {io: m#/on}}\ncaps: {switch.on: {point: p}, link.online: {const: true}}\n" \
	"tests:\n"                                                                                                                         \
	"  - {name: r, rx: [{m: {on: true}}], want: {switch.on: true}, write: {switch.on: false}, tx: [{m: {on: false}}]}\n"               \
	"  - {name: c, want: {link.online: true}}\n"

static int setup(void **state)
{
	struct bench *b = test_calloc(1, sizeof(*b));
	snprintf(b->dir, sizeof(b->dir), "/tmp/hearth-library-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	snprintf(b->second, sizeof(b->second), "%s/second", b->dir);
	assert_int_equal(mkdir(b->second, 0700), 0);
	write_file(b, "vendor.plug.yaml", PLUG("vendor.plug"));
	char path[200];
	snprintf(path, sizeof(path), "%s/acme", b->second);
	assert_int_equal(mkdir(path, 0700), 0);
	write_file(b, "second/acme/plug.two.yaml", PLUG("acme.plug.two"));
	write_file(b, "second/vendor.plug.yaml", "never read");
	write_file(b, "second/other.json", "{\"profile\": 2}");
	write_file(b, "second/readme.txt", "no profile");
	const char *dirs[] = {b->dir, b->second};
	*state = b;
	return gw_library_new(dirs, 2, &b->library);
}

static int teardown(void **state)
{
	struct bench *b = *state;
	static const char *const names[] = {"vendor.plug.yaml",
					    "second/acme/plug.two.yaml",
					    "second/vendor.plug.yaml",
					    "second/other.json",
					    "second/readme.txt",
					    "second/acme",
					    "second"};
	gw_library_free(b->library);
	for (size_t i = 0; i < gw_countof(names); i++) {
		char path[200];
		snprintf(path, sizeof(path), "%s/%s", b->dir, names[i]);
		(void)remove(path);
	}
	assert_int_equal(rmdir(b->dir), 0);
	test_free(b);
	return 0;
}

static int get(struct bench *b, const char *id, struct gw_profile **ret_profile)
{
	memset(&b->error, 0, sizeof(b->error));
	int r = gw_library_get(b->library, gw_str(id), ret_profile, &b->error);
	if (r < 0 && r != -ENOENT) {
		print_message("%s:%u:%u: %s at %s: %s\n", b->error.file, b->error.line,
			      b->error.column, b->error.code, b->error.at, b->error.text);
	}
	return r;
}

static void found_by_id(void **state)
{
	struct bench *b = *state;
	struct gw_profile *p = NULL, *again = NULL, *other = NULL;
	assert_int_equal(get(b, "vendor.plug", &p), 0);
	assert_string_equal(gw_profile_id(p), "vendor.plug");
	assert_string_equal(gw_profile_version(p), "1.2.3");
	assert_string_equal(gw_profile_type(p)->id, "plug");
	assert_string_equal(gw_profile_name(p, "zh-CN"), "\xe6\x8f\x92");
	assert_string_equal(gw_profile_name(p, "fr"), "Plug");
	assert_string_equal(gw_profile_adapter(p), "mqtt");
	assert_int_equal(get(b, "vendor.plug", &again), 0);
	assert_ptr_equal(p, again);
	assert_int_equal(get(b, "acme.plug.two", &other), 0);
	assert_string_equal(gw_profile_id(other), "acme.plug.two");
	static const char *const absent[] = {"nowhere", "../vendor.plug", "",
					     ".",	"Vendor.plug",	  "readme"};
	for (size_t i = 0; i < gw_countof(absent); i++) {
		struct gw_profile *none = NULL;
		assert_int_equal(get(b, absent[i], &none), -ENOENT);
		assert_null(none);
		assert_string_equal(b->error.code, "ref");
	}
	gw_profile_unref(p);
	gw_profile_unref(again);
	gw_profile_unref(other);
}

static void added_text_hides_the_file(void **state)
{
	struct bench *b = *state;
	struct gw_profile *p = NULL;
	assert_int_equal(gw_library_add_text(b->library, GW_STR("vendor.plug"),
					     GW_STR(PLUG("acme.other")), "mine", &b->error),
			 0);
	assert_int_equal(get(b, "vendor.plug", &p), -EINVAL);
	assert_string_equal(b->error.at, "/id");
	assert_string_equal(b->error.file, "mine");
	assert_int_equal(b->error.line, 2);
	assert_int_equal(gw_library_add_text(b->library, GW_STR("vendor.plug"),
					     GW_STR(PLUG("vendor.plug")), "mine", &b->error),
			 0);
	assert_int_equal(get(b, "vendor.plug", &p), 0);
	gw_profile_unref(p);
}

static void equal_texts_are_one_profile(void **state)
{
	struct bench *b = *state;
	struct gw_profile *p = NULL, *same = NULL, *lax = NULL, *json = NULL;
	struct gw_buf text = GW_BUF_INIT(100000);
	assert_int_equal(get(b, "vendor.plug", &p), 0);
	assert_int_equal(gw_profile_load_text(b->library, GW_STR(PLUG("vendor.plug")), "elsewhere",
					      0, &same, &b->error),
			 0);
	assert_ptr_equal(p, same);
	/* The compiled form is the same profile again: YAML and JSON of one tree have one digest. */
	gw_profile_write_compiled(p, &text);
	assert_int_equal(
		gw_profile_load_text(b->library, gw_buf_str(&text), "json", 0, &json, &b->error),
		0);
	assert_ptr_equal(p, json);
	/* Other flags were other checks. */
	assert_int_equal(gw_profile_load_text(b->library, GW_STR(PLUG("vendor.plug")), "lax",
					      GW_PROFILE_LAX, &lax, &b->error),
			 0);
	assert_ptr_not_equal(p, lax);
	assert_memory_equal(gw_profile_digest(p), gw_profile_digest(lax), 32);
	gw_buf_fini(&text);
	gw_profile_unref(p);
	gw_profile_unref(same);
	gw_profile_unref(json);
	gw_profile_unref(lax);
}

static void digest_is_that_of_the_compiled_form(void **state)
{
	struct bench *b = *state;
	struct gw_profile *p = NULL;
	/* sha256 of {"fragment":true,"profile":1,"id":"a","version":"1.0.0","name":"A"} */
	static const uint8_t wanted[32] = {0x0f, 0x81, 0x9f, 0xa1, 0x19, 0x7b, 0x22, 0xfc,
					   0xd9, 0x18, 0x7e, 0xf8, 0xee, 0xf4, 0x53, 0x16,
					   0xfe, 0xce, 0x39, 0xc2, 0x90, 0xc6, 0xda, 0xc9,
					   0x76, 0x5b, 0x21, 0xd8, 0xa2, 0x45, 0x60, 0x8e};
	assert_int_equal(
		gw_profile_load_text(
			b->library,
			GW_STR("fragment: true\nprofile: 0x1\nid: a\nversion: 1.0.0\nname: 'A' # x\n"),
			"f", 0, &p, &b->error),
		0);
	assert_memory_equal(gw_profile_digest(p), wanted, 32);
	assert_true(gw_profile_is_fragment(p));
	gw_profile_unref(p);
}

static void profiles_outlive_the_library(void **state)
{
	struct bench *b = *state;
	struct gw_profile *p = NULL;
	assert_int_equal(get(b, "vendor.plug", &p), 0);
	gw_library_free(b->library);
	b->library = NULL;
	assert_string_equal(gw_profile_id(p), "vendor.plug");
	gw_profile_unref(gw_profile_ref(p));
	gw_profile_unref(p);
}

static int count_file(void *ctx, const char *path, const char *id)
{
	struct gw_buf *b = ctx;
	assert_int_equal(access(path, R_OK), 0);
	gw_buf_printf(b, "%s ", id);
	return strcmp(id, "stop") == 0;
}

static void every_file_in_order(void **state)
{
	struct bench *b = *state;
	struct gw_buf ids = GW_BUF_INIT(1000);
	assert_int_equal(gw_library_each_file(b->library, count_file, &ids), 0);
	/* The second folder lies in the first: its files are seen once as second.…, once as its own. */
	assert_string_equal(ids.p,
			    "second.other second.vendor.plug vendor.plug acme.plug.two other ");
	gw_buf_fini(&ids);
}

static void refusals_name_the_place(void **state)
{
	struct bench *b = *state;
	struct gw_profile *p = NULL;
	static const struct {
		const char *text, *code, *at;
		unsigned line, column;
	} rows[] = {
		{"a: 1\na: 2\n", "syntax", "/a", 2, 1},
		{"profile: 1\nid: x\nversion: 1.0.0\nname: n\ntype: plug\ntests: []\nmsgs:\n  m:\n    rx: s\n    cdoec: text\n",
		 "schema", "/msgs/m/cdoec", 10, 5},
		{"profile: 1\nid: x\nversion: 1.0.0\nname: n\ntype: plugg\ntests: []\n", "ref",
		 "/type", 5, 1},
		{"profile: 1\nid: x\nversion: 1.0.0\nname: n\ntests: []\n", "schema", "/type", 1,
		 1},
	};
	for (size_t i = 0; i < gw_countof(rows); i++) {
		memset(&b->error, 0, sizeof(b->error));
		assert_int_equal(gw_profile_load_text(b->library, gw_str(rows[i].text), "here.yaml",
						      0, &p, &b->error),
				 -EINVAL);
		assert_string_equal(b->error.code, rows[i].code);
		assert_string_equal(b->error.at, rows[i].at);
		assert_string_equal(b->error.file, "here.yaml");
		assert_int_equal(b->error.line, rows[i].line);
		assert_int_equal(b->error.column, rows[i].column);
	}
	/* What was inherited is shown in the file that has it. */
	assert_int_equal(gw_library_add_text(b->library, GW_STR("base"),
					     GW_STR("msgs:\n  m: {rx: s, cdec: text}\n"),
					     "base.yaml", &b->error),
			 0);
	assert_int_equal(gw_profile_load_text(b->library,
					      GW_STR("extends: base\nmsgs:\n  n: {rx: t}\n"),
					      "here.yaml", GW_PROFILE_LAX, &p, &b->error),
			 -EINVAL);
	assert_string_equal(b->error.at, "/msgs/m/cdec");
	assert_string_equal(b->error.file, "base.yaml");
	assert_int_equal(b->error.line, 2);
	assert_int_equal(b->error.column, 14);
	char path[200];
	snprintf(path, sizeof(path), "%s/none.yaml", b->dir);
	assert_int_equal(gw_profile_load_file(b->library, path, 0, &p, &b->error), -ENOENT);
	assert_string_equal(b->error.file, path);
	assert_int_equal(gw_profile_load_file(b->library, b->dir, 0, &p, &b->error), -EINVAL);
	assert_null(p);
}

static void too_large_files(void **state)
{
	struct bench *b = *state;
	struct gw_profile *p = NULL;
	struct gw_buf text = GW_BUF_INIT(1 << 20);
	while (text.len <= GW_PROFILE_BYTES) {
		gw_buf_puts(&text, "# nothing but a remark\n");
	}
	assert_int_equal(gw_profile_load_text(b->library, gw_buf_str(&text), "big", GW_PROFILE_LAX,
					      &p, &b->error),
			 -EINVAL);
	assert_string_equal(b->error.code, "size");
	write_file(b, "second/readme.txt", text.p);
	char path[200];
	snprintf(path, sizeof(path), "%s/readme.txt", b->second);
	assert_int_equal(gw_profile_load_file(b->library, path, GW_PROFILE_LAX, &p, &b->error),
			 -EINVAL);
	assert_string_equal(b->error.code, "size");
	gw_buf_reset(&text);
	gw_buf_puts(&text, "link: {");
	for (int i = 0; i < 2049; i++) {
		gw_buf_printf(&text, "k%d: 1, ", i);
	}
	gw_buf_puts(&text, "}\n");
	assert_int_equal(gw_profile_load_text(b->library, gw_buf_str(&text), "wide", GW_PROFILE_LAX,
					      &p, &b->error),
			 -EINVAL);
	assert_string_equal(b->error.code, "size");
	gw_buf_fini(&text);
}

static void out_of_memory(void **state)
{
	struct bench *b = *state;
	for (uint64_t n = 1;; n++) {
		struct gw_profile *p = NULL;
		gw_alloc_fail_at(n);
		int r = gw_profile_load_text(
			b->library,
			GW_STR("extends: base2\nvars: {t: {default: x}}\nmsgs: {m: {rx: \"{t}\"}}\n"),
			"oom", GW_PROFILE_LAX, &p, &b->error);
		gw_alloc_fail_at(0);
		if (n == 1) {
			assert_int_equal(gw_library_add_text(b->library, GW_STR("base2"),
							     GW_STR("points: {p: {in: m#/a}}\n"),
							     "base2", &b->error),
					 0);
		}
		gw_profile_unref(p);
		if (r == 0) {
			assert_true(n > 5);
			break;
		}
		assert_int_equal(r, -ENOMEM);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(found_by_id, setup, teardown),
		cmocka_unit_test_setup_teardown(added_text_hides_the_file, setup, teardown),
		cmocka_unit_test_setup_teardown(equal_texts_are_one_profile, setup, teardown),
		cmocka_unit_test_setup_teardown(digest_is_that_of_the_compiled_form, setup,
						teardown),
		cmocka_unit_test_setup_teardown(profiles_outlive_the_library, setup, teardown),
		cmocka_unit_test_setup_teardown(every_file_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(refusals_name_the_place, setup, teardown),
		cmocka_unit_test_setup_teardown(too_large_files, setup, teardown),
		cmocka_unit_test_setup_teardown(out_of_memory, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
