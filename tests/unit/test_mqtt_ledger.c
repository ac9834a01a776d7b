#include "gw_test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gw/alloc.h"
#include "gw/log.h"
#include "surfaces/mqtt/mqtt.h"

struct ledger_case {
	char dir[64], file[96];
	struct mqtt_ledger *ledger;
	char swept[4096]; /* the topics, with a space behind each */
	size_t left;	  /* so many the broker takes before it is choked */
	int last;	  /* number of the last message */
};

static int set_up(void **state)
{
	struct ledger_case *c = test_calloc(1, sizeof(*c));
	gw_log_set_level(GW_LOG_ERROR);
	(void)snprintf(c->dir, sizeof(c->dir), "/tmp/hearth-ledger-XXXXXX");
	assert_non_null(mkdtemp(c->dir));
	(void)snprintf(c->file, sizeof(c->file), "%s/mqtt-ledger", c->dir);
	assert_int_equal(mqtt_ledger_open(c->dir, &c->ledger), 0);
	*state = c;
	return 0;
}

static int tear_down(void **state)
{
	struct ledger_case *c = *state;
	char path[112];
	mqtt_ledger_close(c->ledger);
	(void)unlink(c->file);
	(void)rmdir(c->file);
	(void)snprintf(path, sizeof(path), "%s.new", c->file);
	(void)unlink(path);
	assert_int_equal(rmdir(c->dir), 0);
	test_free(c);
	return 0;
}

static void reopen(struct ledger_case *c)
{
	mqtt_ledger_close(c->ledger);
	assert_int_equal(mqtt_ledger_open(c->dir, &c->ledger), 0);
}

static void note(struct ledger_case *c, const char *device, const char *topic)
{
	mqtt_ledger_note(c->ledger, gw_str(device), gw_str(topic));
}

static int take(void *ctx, struct gw_str topic)
{
	struct ledger_case *c = ctx;
	if (c->left == 0) {
		return -ENOBUFS;
	}
	c->left--;
	size_t n = strlen(c->swept);
	(void)snprintf(c->swept + n, sizeof(c->swept) - n, GW_STR_FMT " ", GW_STR_ARG(topic));
	return ++c->last;
}

/* What is sent; nothing is acknowledged. */
static const char *send_some(struct ledger_case *c, size_t at_most)
{
	c->swept[0] = '\0';
	c->left = at_most;
	bool taken = mqtt_ledger_sweep(c->ledger, take, c);
	assert_true(taken || c->left == 0);
	return c->swept;
}

static const char *sweep(struct ledger_case *c, size_t at_most)
{
	int next = c->last + 1;
	(void)send_some(c, at_most);
	while (next <= c->last) {
		assert_true(mqtt_ledger_cleared(c->ledger, next++));
		(void)mqtt_ledger_sweep(c->ledger, take, c);
	}
	return c->swept;
}

static void write_file(const struct ledger_case *c, const char *text, size_t len)
{
	FILE *f = fopen(c->file, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static size_t file_bytes(const struct ledger_case *c)
{
	struct stat st;
	return stat(c->file, &st) == 0 ? (size_t)st.st_size : 0;
}

/* What is noted stays, what is not noted in the next life is swept, once. */
static void test_lives(void **state)
{
	struct ledger_case *c = *state;
	note(c, MQTT_LEDGER_ROOT, "hearth/status");
	note(c, "lamp", "hearth/lamp/state");
	note(c, "plug", "hearth/plug/state");
	note(c, "lamp", "homeassistant/device/hearth_lamp/config");
	note(c, "lamp", "hearth/lamp/state"); /* twice is once */
	assert_string_equal(sweep(c, 99), "");

	reopen(c);
	note(c, MQTT_LEDGER_ROOT, "hearth/status");
	note(c, "plug", "hearth/plug/state");
	assert_string_equal(sweep(c, 99),
			    "hearth/lamp/state homeassistant/device/hearth_lamp/config ");
	assert_string_equal(sweep(c, 99), "");

	reopen(c);
	note(c, MQTT_LEDGER_ROOT, "hearth/status");
	assert_string_equal(sweep(c, 99), "hearth/plug/state ");
}

/* A life in which the broker is away forgets nothing. */
static void test_life_without_broker(void **state)
{
	struct ledger_case *c = *state;
	note(c, "lamp", "hearth/lamp/state");
	note(c, "plug", "hearth/plug/state");
	for (int i = 0; i < 3; i++) {
		reopen(c);
		note(c, "plug", "hearth/plug/state");
		mqtt_ledger_flush(c->ledger);
	}
	assert_string_equal(sweep(c, 99), "hearth/lamp/state ");
}

/* Choked in the middle: the rest is still known, also to the next life. */
static void test_choked(void **state)
{
	struct ledger_case *c = *state;
	note(c, "a", "t/1");
	note(c, "a", "t/2");
	note(c, "a", "t/3");
	note(c, "a", "t/4");
	reopen(c);
	assert_string_equal(sweep(c, 2), "t/1 t/2 ");
	assert_string_equal(sweep(c, 1), "t/3 ");
	reopen(c);
	assert_string_equal(sweep(c, 99), "t/4 ");
	reopen(c);
	assert_string_equal(sweep(c, 99), "");
}

/* What was not acknowledged is sent again, in the same order; few are under way at a time. */
static void test_acknowledged(void **state)
{
	struct ledger_case *c = *state;
	char topic[16];
	for (int i = 0; i < 40; i++) {
		(void)snprintf(topic, sizeof(topic), "t/%02d", i);
		note(c, "a", topic);
	}
	mqtt_ledger_doubt(c->ledger, GW_STR("a"));
	(void)send_some(c, 99);
	assert_int_equal(c->last, 16);
	assert_string_equal(send_some(c, 99), ""); /* as long as none is acknowledged */
	assert_false(mqtt_ledger_cleared(c->ledger, 4711));
	assert_true(mqtt_ledger_cleared(c->ledger, 2));
	assert_false(mqtt_ledger_cleared(c->ledger, 2));
	assert_string_equal(send_some(c, 99), "t/16 ");
	mqtt_ledger_interrupted(c->ledger);
	assert_string_equal(send_some(c, 3), "t/00 t/02 t/03 ");
	/* Noted again while its message is under way: it stays, whatever is acknowledged. */
	note(c, "a", "t/02");
	assert_false(mqtt_ledger_cleared(c->ledger, c->last - 1));
	/* And the next life knows what was not acknowledged. */
	reopen(c);
	(void)sweep(c, 99);
	assert_int_equal(strlen(c->swept), 39 * strlen("t/00 "));
	assert_null(strstr(c->swept, "t/01 "));
	assert_ptr_equal(strstr(c->swept, "t/00 t/02 t/03 t/04 "), c->swept);
}

/* A device that changes doubts all it had, and notes again what it has. */
static void test_doubt(void **state)
{
	struct ledger_case *c = *state;
	note(c, "lamp", "t/state");
	note(c, "lamp", "t/color");
	note(c, "plug", "p/state");
	mqtt_ledger_doubt(c->ledger, GW_STR("lamp"));
	mqtt_ledger_doubt(c->ledger, GW_STR("lamp"));
	mqtt_ledger_doubt(c->ledger, GW_STR("nobody"));
	note(c, "lamp", "t/state");
	note(c, "lamp", "t/level");
	assert_string_equal(sweep(c, 99), "t/color ");
	mqtt_ledger_doubt(c->ledger, GW_STR("lamp"));
	assert_string_equal(sweep(c, 99), "t/state t/level ");
	/* Nothing is left of it; it may come again. */
	mqtt_ledger_doubt(c->ledger, GW_STR("lamp"));
	assert_string_equal(sweep(c, 99), "");
	note(c, "lamp", "t/state");
	reopen(c);
	const char *both = sweep(c, 99); /* the devices in any order */
	assert_true(strcmp(both, "t/state p/state ") == 0 || strcmp(both, "p/state t/state ") == 0);
}

/* The list is written before anything is published, and not again for nothing. */
static void test_flush(void **state)
{
	struct ledger_case *c = *state;
	struct stat st;
	mqtt_ledger_flush(c->ledger);
	assert_int_equal(access(c->file, F_OK), -1);
	note(c, "lamp", "t/state");
	mqtt_ledger_flush(c->ledger);
	assert_int_equal(file_bytes(c), strlen("lamp t/state\n"));
	assert_int_equal(stat(c->file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(unlink(c->file), 0);
	note(c, "lamp", "t/state");
	mqtt_ledger_flush(c->ledger);
	assert_int_equal(access(c->file, F_OK), -1);
}

/* Lines that make no sense are passed over; the others are read. */
static void test_damaged(void **state)
{
	static const char text[] =
		"lamp t/1\n"
		"\n"
		" \n"
		"alone\n"
		"lamp \n"
		"lamp t/#\n"
		"lamp t/+/x\n"
		"lamp t/1\n"
		"other t/1\n"
		"lamp t/\x01\n"
		"lamp t/\0hidden\n"
		"0123456789012345678901234567890123456789012345678901234567890123456789 t/long\n"
		"lamp t/2\r\n"
		"lamp t/3"; /* cut off: no newline, but whole */
	struct ledger_case *c = *state;
	write_file(c, text, sizeof(text) - 1);
	reopen(c);
	assert_string_equal(sweep(c, 99), "t/1 t/2 t/3 ");
	reopen(c);
	assert_string_equal(sweep(c, 99), "");
}

static void test_random(void **state)
{
	struct ledger_case *c = *state;
	char noise[4096];
	uint32_t x = 1;
	for (int round = 0; round < 50; round++) {
		for (size_t i = 0; i < sizeof(noise); i++) {
			x = x * 1664525 + 1013904223;
			noise[i] = (char)(x >> 24);
		}
		write_file(c, noise, sizeof(noise));
		reopen(c);
		note(c, "lamp", "t/state");
		reopen(c);
		(void)sweep(c, 9999);
		assert_non_null(strstr(c->swept, "t/state "));
	}
}

/* Neither a directory nor a link in its place is read or followed; noting goes on. */
static void test_no_file(void **state)
{
	struct ledger_case *c = *state;
	char other[96];
	(void)snprintf(other, sizeof(other), "%s/other", c->dir);
	FILE *f = fopen(other, "w");
	assert_non_null(f);
	assert_true(fputs("lamp t/1\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(symlink(other, c->file), 0);
	reopen(c);
	assert_string_equal(sweep(c, 99), "");
	note(c, "plug", "t/2");
	reopen(c); /* the link was replaced, what it pointed to was not written */
	assert_string_equal(sweep(c, 99), "t/2 ");
	struct stat st;
	assert_int_equal(stat(other, &st), 0);
	assert_int_equal(st.st_size, strlen("lamp t/1\n"));
	assert_int_equal(unlink(other), 0);

	mqtt_ledger_close(c->ledger);
	(void)unlink(c->file);
	assert_int_equal(mkdir(c->file, 0700), 0);
	assert_int_equal(mqtt_ledger_open(c->dir, &c->ledger), 0);
	note(c, "plug", "t/2");
	mqtt_ledger_flush(c->ledger); /* cannot be written: a warning, no more */
	mqtt_ledger_doubt(c->ledger, GW_STR("plug"));
	assert_string_equal(sweep(c, 99), "t/2 ");
}

/* A path that is too long is refused; nothing is cut off. */
static void test_long_path(void **state)
{
	(void)state;
	char dir[1100];
	struct mqtt_ledger *l = NULL;
	memset(dir, 'd', sizeof(dir) - 1);
	dir[sizeof(dir) - 1] = '\0';
	assert_true(mqtt_ledger_open(dir, &l) < 0);
	assert_null(l);
}

static int count_topic(void *ctx, struct gw_str topic)
{
	(void)topic;
	++*(size_t *)ctx;
	return 0; /* cannot be cleared: forgotten at once */
}

/* A file larger than any home's: read up to the cap, and no more topics than that are kept. */
static void test_caps(void **state)
{
	enum { LINES = 300000 };
	struct ledger_case *c = *state;
	FILE *f = fopen(c->file, "w");
	assert_non_null(f);
	for (int i = 0; i < LINES; i++) {
		assert_true(fprintf(f, "d%d t/%d\n", i % 50, i) > 0);
	}
	assert_int_equal(fclose(f), 0);
	reopen(c);
	size_t n = 0;
	assert_true(mqtt_ledger_sweep(c->ledger, count_topic, &n));
	assert_int_equal(n, GW_DEVICES * 64u);
	/* Now there is room again. */
	note(c, "lamp", "t/state");
	reopen(c);
	assert_string_equal(sweep(c, 99), "t/state ");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(test_lives),
		T(test_life_without_broker),
		T(test_choked),
		T(test_acknowledged),
		T(test_doubt),
		T(test_flush),
		T(test_damaged),
		T(test_random),
		T(test_no_file),
		T(test_caps),
		cmocka_unit_test(test_long_path),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
