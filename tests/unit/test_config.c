/* The page hearth.yaml(5) says what the tables of options say, no more and no less, and its examples are valid. */
#include "gw_test.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gw/adapter.h"
#include "gw/broker.h"
#include "gw/surface.h"
#include "home/config.h"
#include "home/gateway.h"

#define PAGE_BYTES 65536

struct fixture {
	char text[PAGE_BYTES]; /* of the page */
	char dir[32], config[64], password[64];
	struct gw_loop *loop;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	FILE *page = fopen(HEARTH_SOURCE_DIR "/gateway/man/hearth.yaml.5", "r");
	assert_true(f && page);
	assert_in_range(fread(f->text, 1, sizeof(f->text), page), 1000, sizeof(f->text) - 1);
	fclose(page);
	snprintf(f->dir, sizeof(f->dir), "/tmp/hearth-test-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->config, sizeof(f->config), "%s/hearth.yaml", f->dir);
	snprintf(f->password, sizeof(f->password), "%s/broker.password", f->dir);
	f->loop = gw_loop_new();
	assert_non_null(f->loop);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	unlink(f->config);
	unlink(f->password);
	rmdir(f->dir);
	gw_loop_free(f->loop);
	free(f);
	return 0;
}

/* One row of a table as the page has it: "section: name Pq type, default value". */
static void expect_row(struct gw_buf *b, const char *section, const struct gw_option *o)
{
	static const char *const types[] = {[GW_OPTION_BOOL] = "boolean",
					    [GW_OPTION_INT] = "integer",
					    [GW_OPTION_DURATION] = "duration",
					    [GW_OPTION_TEXT] = "text",
					    [GW_OPTION_SECRET] = "secret"};
	gw_buf_printf(b, "%s: %s Pq %s", section, o->name, types[o->type]);
	if (o->min != 0 || o->max != 0) {
		gw_buf_printf(b, " from %" PRId64 " to %" PRId64, o->min, o->max);
	}
	if (o->fallback) {
		gw_buf_printf(b, ", default %s", o->fallback[0] ? o->fallback : "empty");
	}
	gw_buf_puts(b, o->flags & GW_OPTION_REQUIRED ? ", required\n" : "\n");
}

static void expect_table(struct gw_buf *b, const char *part, const char *name,
			 const struct gw_option *table)
{
	char section[64];
	snprintf(section, sizeof(section), "%s%s%s", part, name ? "." : "", name ? name : "");
	for (const struct gw_option *o = table; o->name; o++) {
		expect_row(b, section, o);
	}
}

static void test_every_option_is_on_the_page_and_no_other(void **state)
{
	struct fixture *f = *state;
	struct gw_buf want = GW_BUF_INIT(PAGE_BYTES), have = GW_BUF_INIT(PAGE_BYTES);
	expect_table(&want, "broker", NULL, gw_broker_options);
	for (size_t i = 0; gw_adapter_class_at(i); i++) {
		expect_table(&want, "adapters", gw_adapter_class_at(i)->name,
			     gw_adapter_class_at(i)->options);
	}
	for (size_t i = 0; gw_surface_class_at(i); i++) {
		expect_table(&want, "surfaces", gw_surface_class_at(i)->name,
			     gw_surface_class_at(i)->options);
	}
	expect_table(&want, "limits", NULL, gw_limits_options);
	expect_table(&want, "log", NULL, gw_log_options);

	struct gw_str rest = gw_str(f->text), line, section = {0};
	bool options = false;
	while (gw_str_split(&rest, '\n', &line)) {
		if (gw_str_starts(line, ".Sh ")) {
			options = gw_str_is(line, ".Sh OPTIONS");
		} else if (gw_str_starts(line, ".Ss ")) {
			section = gw_str_sub(line, 4, line.len);
		} else if (options && gw_str_starts(line, ".It Cm ")) {
			gw_buf_printf(&have, GW_STR_FMT ": ", GW_STR_ARG(section));
			gw_buf_add_str(&have, gw_str_sub(line, 7, line.len));
			gw_buf_putc(&have, '\n');
		}
	}
	assert_string_equal(have.p, want.p);
	gw_buf_fini(&want);
	gw_buf_fini(&have);
}

static void write_file(const char *path, struct gw_str text)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text.p, 1, text.len, file), text.len);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

/* The directory of the example becomes that of the test. */
static void write_example(struct fixture *f, struct gw_str text)
{
	static const char etc[] = "/etc/hearth";
	struct gw_buf b = GW_BUF_INIT(PAGE_BYTES);
	const char *at;
	while ((at = memmem(text.p, text.len, etc, strlen(etc)))) {
		size_t n = (size_t)(at - text.p);
		gw_buf_add(&b, text.p, n);
		gw_buf_puts(&b, f->dir);
		text = gw_str_sub(text, n + strlen(etc), text.len);
	}
	gw_buf_add_str(&b, text);
	write_file(f->config, gw_buf_str(&b));
	gw_buf_fini(&b);
}

static void test_its_examples_are_valid(void **state)
{
	struct fixture *f = *state;
	unsigned n = 0;
	write_file(f->password, GW_STR("secret\n"));
	const char *at = f->text, *end;
	while ((at = strstr(at, "\n.Bd -literal")) && (end = strstr(at, "\n.Ed"))) {
		struct gw_error e = {0};
		at = strchr(at + 1, '\n') + 1;
		write_example(f, (struct gw_str){at, (size_t)(end + 1 - at)});
		if (gw_gateway_check_config(f->loop, f->config, &e) < 0) {
			fail_msg("%s:%u: %s", f->config, e.line, e.text);
		}
		n++;
	}
	assert_int_equal(n, 2);
}

/* What is not asked for stays as it is; a list in the place of the sections is still a mistake. */
static void test_a_file_may_say_nothing(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *text;
		int r;
	} rows[] = {
		{"", 0},
		{"\n# broker:\n#   listen: 0.0.0.0:1883\n", 0},
		{"- broker\n", -EINVAL},
	};
	for (size_t i = 0; i < gw_countof(rows); i++) {
		struct gw_error e = {0};
		write_file(f->config, gw_str(rows[i].text));
		assert_int_equal(gw_gateway_check_config(f->loop, f->config, &e), rows[i].r);
	}
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_every_option_is_on_the_page_and_no_other),
		T(test_its_examples_are_valid),
		T(test_a_file_may_say_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
