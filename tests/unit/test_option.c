#include "gw_test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gw/alloc.h"
#include "gw/option.h"

struct thing {
	bool on;
	int64_t port, keepalive, free_number;
	char *host, *note, *password;
};

static const struct gw_option table[] = {
	{"host", GW_OPTION_TEXT, offsetof(struct thing, host), NULL, 0, 0, GW_OPTION_REQUIRED,
	 "Host name or address."},
	{"port", GW_OPTION_INT, offsetof(struct thing, port), "1883", 1, 65535, 0, "Port."},
	{"keepalive", GW_OPTION_DURATION, offsetof(struct thing, keepalive), "30s", 5000, 3600000,
	 GW_OPTION_LIVE, "Time between two signs of life."},
	{"on", GW_OPTION_BOOL, offsetof(struct thing, on), "true", 0, 0, 0, "Whether it works."},
	{"number", GW_OPTION_INT, offsetof(struct thing, free_number), NULL, 0, 0, 0,
	 "Any number."},
	{"note", GW_OPTION_TEXT, offsetof(struct thing, note), "12", 0, 0, 0, "A note."},
	{"password", GW_OPTION_SECRET, offsetof(struct thing, password), NULL, 0, 0, 0,
	 "Password."},
	{0},
};

static struct gw_arena *arena;
static struct thing thing;
static struct gw_error error;

static int setup(void **state)
{
	(void)state;
	arena = gw_arena_new(1 << 20);
	memset(&thing, 0, sizeof(thing));
	return arena ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	gw_options_free(table, &thing);
	gw_arena_free(arena);
	return 0;
}

static int apply_to(const struct gw_option *rows, const char *yaml)
{
	struct gw_node *n;
	memset(&error, 0, sizeof(error));
	assert_int_equal(gw_node_parse_yaml(arena, gw_str(yaml), NULL, &n, &error), 0);
	return gw_options_apply(rows, &thing, n, "hearth.yaml", &error);
}

static int apply(const char *yaml)
{
	return apply_to(table, yaml);
}

static void assert_refused_by(const struct gw_option *rows, const char *yaml, const char *want)
{
	struct gw_buf b = GW_BUF_INIT(1000);
	assert_int_equal(apply_to(rows, yaml), -EINVAL);
	gw_error_format(&error, &b);
	assert_string_equal(b.p, want);
	gw_buf_fini(&b);
}

static void assert_refused(const char *yaml, const char *want)
{
	assert_refused_by(table, yaml, want);
}

static void defaults_then_values(void **state)
{
	(void)state;
	assert_int_equal(apply("host: broker"), 0);
	assert_string_equal(thing.host, "broker");
	assert_int_equal(thing.port, 1883);
	assert_int_equal(thing.keepalive, 30000);
	assert_true(thing.on);
	assert_int_equal(thing.free_number, 0);
	assert_string_equal(thing.note, "12"); /* a text, although it looks like a number */
	assert_null(thing.password);
	assert_int_equal(apply("{host: other, port: 65535, keepalive: 1h, on: false, number: -7, "
			       "note: \"x\", password: \"geheim\"}"),
			 0);
	assert_string_equal(thing.host, "other");
	assert_int_equal(thing.port, 65535);
	assert_int_equal(thing.keepalive, 3600000);
	assert_false(thing.on);
	assert_int_equal(thing.free_number, -7);
	assert_string_equal(thing.note, "x");
	assert_string_equal(thing.password, "geheim");
	/* Applied again, what is no longer there goes back to its default. */
	assert_int_equal(apply("host: broker"), 0);
	assert_int_equal(thing.port, 1883);
	assert_string_equal(thing.note, "12");
	assert_null(thing.password);
	gw_options_free(table, &thing);
	assert_null(thing.host);
	gw_options_free(table, &thing);
}

static void without_a_map(void **state)
{
	(void)state;
	int r = gw_options_apply(table, &thing, NULL, NULL, &error);
	assert_int_equal(r, -EINVAL); /* host is required */
	assert_string_equal(error.text, "option \"host\" is missing");
	assert_int_equal(gw_options_apply(table + 1, &thing, NULL, NULL, &error), 0);
	assert_int_equal(thing.port, 1883);
}

static void refusals(void **state)
{
	(void)state;
	assert_refused("host: a\nprot: 1", "hearth.yaml:2:1: unknown option \"prot\"; did you mean "
					   "\"port\"? (schema at /prot)");
	assert_refused("host: a\ncolour: red",
		       "hearth.yaml:2:1: unknown option \"colour\"; expected one of: host, port, "
		       "keepalive, on, number, note, password (schema at /colour)");
	assert_refused_by(table + gw_countof(table) - 1, "colour: red",
			  "hearth.yaml:1:1: unknown option \"colour\"; there are none here "
			  "(schema at /colour)");
	assert_refused("port: 1", "hearth.yaml:1:1: option \"host\" is missing (schema at /host)");
	assert_refused("host: 5",
		       "hearth.yaml:1:7: option \"host\": expected a text; put it in quotes "
		       "(type at /host)");
	assert_refused("host: a\nport: 0",
		       "hearth.yaml:2:7: option \"port\": expected 1 to 65535 (range at /port)");
	assert_refused("host: a\nport: 65536",
		       "hearth.yaml:2:7: option \"port\": expected 1 to 65535 (range at /port)");
	assert_refused("host: a\nport: 1.5",
		       "hearth.yaml:2:7: option \"port\": expected an integer (type at /port)");
	assert_refused("host: a\nport: \"80\"",
		       "hearth.yaml:2:7: option \"port\": expected an integer (type at /port)");
	assert_refused("host: a\non: yes",
		       "hearth.yaml:2:5: option \"on\": expected true or false (type at /on)");
	assert_refused(
		"host: a\nkeepalive: 30",
		"hearth.yaml:2:12: option \"keepalive\": expected a duration: 0, or an integer "
		"with ms, s, m, h or d (type at /keepalive)");
	assert_refused(
		"host: a\nkeepalive: 4999ms",
		"hearth.yaml:2:12: option \"keepalive\": expected 5000ms to 3600000ms (range at "
		"/keepalive)");
	assert_refused("host: a\nkeepalive: 0", "hearth.yaml:2:12: option \"keepalive\": expected "
						"5000ms to 3600000ms (range at /keepalive)");
	assert_refused("host: null", "hearth.yaml:1:7: option \"host\": expected a text; put it in "
				     "quotes (type at /host)");
	assert_refused("host: \"a\\0b\"",
		       "hearth.yaml:1:7: option \"host\": expected a text without "
		       "zero bytes (type at /host)");
	assert_refused("host: a\npassword: 5",
		       "hearth.yaml:2:11: option \"password\": expected a text "
		       "in quotes, or {file: PATH} (type at /password)");
	assert_refused("[a]", "hearth.yaml:1:1: expected a map of options (type at /)");
	assert_null(thing.password);
}

static char path[] = "/tmp/test_option.XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path); /* mode 0600 */
	if (fd < 0 || setup(state) < 0) {
		return -1;
	}
	close(fd);
	return 0;
}

static int remove_file(void **state)
{
	unlink(path);
	return teardown(state);
}

static void write_file(const char *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

static int apply_file(const char *file)
{
	char yaml[200];
	(void)snprintf(yaml, sizeof(yaml), "{host: a, password: {file: \"%s\"}}", file);
	return apply(yaml);
}

static void secret_file(void **state)
{
	(void)state;
	write_file("geheim \r\nsecond line\n", 21);
	assert_int_equal(apply_file(path), 0);
	assert_string_equal(thing.password, "geheim");
	write_file("no newline", 10);
	assert_int_equal(apply_file(path), 0);
	assert_string_equal(thing.password, "no newline");

	static char longest[4098];
	memset(longest, 'x', sizeof(longest));
	write_file(longest, 4096);
	assert_int_equal(apply_file(path), 0);
	assert_int_equal(strlen(thing.password), 4096);
	write_file(longest, 4097);
	assert_int_equal(apply_file(path), -EINVAL);
	write_file("\nx", 2);
	assert_int_equal(apply_file(path), -EINVAL);
	assert_string_equal(error.code, "file");
	write_file("", 0);
	assert_int_equal(apply_file(path), -EINVAL);

	write_file("geheim", 6);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(apply_file(path), -EINVAL);
	assert_non_null(strstr(error.text, "expected mode 0600"));
	assert_int_equal(chmod(path, 0400), 0);
	assert_int_equal(apply_file(path), 0);
	assert_int_equal(apply_file("/nowhere/at/all"), -EINVAL);
	assert_int_equal(apply_file("/dev/null"), -EINVAL);	 /* no regular file */
	assert_int_equal(apply_file("/proc/self/exe"), -EINVAL); /* a link */
	assert_int_equal(apply("{host: a, password: {file: \"/x\", more: 1}}"), -EINVAL);
	assert_string_equal(error.code, "type");
}

static void help(void **state)
{
	(void)state;
	struct gw_buf b = GW_BUF_INIT(4000);
	gw_options_help(table, "mqtt", &b);
	assert_string_equal(
		b.p, "mqtt:\n"
		     "  # Host name or address. (text, required)\n"
		     "  host:\n"
		     "  # Port. (integer, 1 to 65535)\n"
		     "  #port: 1883\n"
		     "  # Time between two signs of life. (duration, 5000ms to 3600000ms, changes "
		     "without restart)\n"
		     "  #keepalive: 30s\n"
		     "  # Whether it works. (true or false)\n"
		     "  #on: true\n"
		     "  # Any number. (integer)\n"
		     "  #number:\n"
		     "  # A note. (text)\n"
		     "  #note: \"12\"\n"
		     "  # Password. (secret)\n"
		     "  #password:\n");
	gw_buf_fini(&b);
}

static void out_of_memory(void **state)
{
	(void)state;
	for (uint64_t n = 1;; n++) {
		struct gw_node *map;
		assert_int_equal(gw_node_parse_yaml(arena, GW_STR("{host: a, password: \"b\"}"),
						    NULL, &map, &error),
				 0);
		gw_alloc_fail_at(n);
		int r = gw_options_apply(table, &thing, map, NULL, &error);
		gw_alloc_fail_at(0);
		gw_options_free(table, &thing);
		if (r == 0) {
			assert_int_equal(n, 4);
			return;
		}
		assert_int_equal(r, -ENOMEM);
		assert_string_equal(error.code, "size");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(defaults_then_values, setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_map, setup, teardown),
		cmocka_unit_test_setup_teardown(refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(secret_file, make_file, remove_file),
		cmocka_unit_test_setup_teardown(help, setup, teardown),
		cmocka_unit_test_setup_teardown(out_of_memory, setup, teardown),
	};
	return cmocka_run_group_tests_name("option", tests, NULL, NULL);
}
