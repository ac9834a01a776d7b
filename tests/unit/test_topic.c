#include "gw_test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/buf.h"
#include "gw/topic.h"

static void validity(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool topic, filter;
	} rows[] = {
		{"a", true, true},	 {"a/b", true, true},	   {"/", true, true},
		{"//", true, true},	 {"a b", true, true},	   {"$SYS/x", true, true},
		{"灯/客厅", true, true}, {"", false, false},	   {"+", false, true},
		{"#", false, true},	 {"a/+/b", false, true},   {"+/+", false, true},
		{"a/#", false, true},	 {"/#", false, true},	   {"a+", false, false},
		{"+a", false, false},	 {"a/b+/c", false, false}, {"a#", false, false},
		{"#/a", false, false},	 {"a/#/b", false, false},  {"a/#b", false, false},
		{"##", false, false},	 {"a\x01", false, false},  {"a\x7f", false, false},
		{"a\xff", false, false},
	};
	for (size_t i = 0; i < gw_countof(rows); i++) {
		struct gw_str s = gw_str(rows[i].text);
		if (gw_topic_is_topic(s) != rows[i].topic ||
		    gw_topic_is_filter(s) != rows[i].filter) {
			fail_msg("%s", rows[i].text);
		}
	}
	assert_false(gw_topic_is_topic((struct gw_str){"a\0b", 3}));
	char text[GW_TOPIC_BYTES + 1];
	memset(text, 'x', sizeof(text));
	assert_true(gw_topic_is_topic((struct gw_str){text, GW_TOPIC_BYTES}));
	assert_false(gw_topic_is_topic((struct gw_str){text, GW_TOPIC_BYTES + 1}));
	memset(text, '/', GW_TOPIC_LEVELS);
	assert_true(gw_topic_is_filter((struct gw_str){text, GW_TOPIC_LEVELS - 1}));
	assert_false(gw_topic_is_filter((struct gw_str){text, GW_TOPIC_LEVELS}));
}

/* MQTT 3.1.1 §4.7 and its examples; used for the direct match and for the trie. */
static const struct row {
	const char *filter, *topic;
	bool match;
} rows[] = {
	{"sport/tennis/player1/#", "sport/tennis/player1", true},
	{"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
	{"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
	{"sport/#", "sport", true},
	{"sport/#", "sports", false},
	{"#", "a/b/c", true},
	{"#", "/", true},
	{"sport/tennis/+", "sport/tennis/player1", true},
	{"sport/tennis/+", "sport/tennis/player1/ranking", false},
	{"sport/+", "sport", false},
	{"sport/+", "sport/", true},
	{"+/+", "/finance", true},
	{"/+", "/finance", true},
	{"+", "/finance", false},
	{"+/tennis/#", "sport/tennis", true},
	{"#", "$SYS/broker", false},
	{"+/broker", "$SYS/broker", false},
	{"+/#", "$SYS", false},
	{"$SYS/#", "$SYS/broker", true},
	{"$SYS/+", "$SYS/broker", true},
	{"a/+", "a/$x", true}, /* only the first level is special */
	{"a/#", "a/$x", true},
	{"a/b", "a/b", true},
	{"a/b", "a/B", false},
	{"a/b", "a/b/", false},
	{"a/b/", "a/b", false},
	{"a", "a/b", false},
	{"a/b", "a", false},
	{"a//b", "a//b", true},
	{"a/+/b", "a//b", true},
	{"+/b/+", "a/b/c", true},
	{"/", "/", true},
};

static void direct(void **state)
{
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		if (gw_topic_matches(gw_str(rows[i].filter), gw_str(rows[i].topic)) !=
		    rows[i].match) {
			fail_msg("%s on %s", rows[i].filter, rows[i].topic);
		}
	}
}

static void level(void **state)
{
	(void)state;
	struct gw_str s = GW_STR("unset");
	assert_true(gw_topic_level(GW_STR("a/bc//d"), 1, &s));
	assert_true(gw_str_is(s, "bc"));
	assert_true(gw_topic_level(GW_STR("a/bc//d"), 2, &s));
	assert_true(gw_str_is(s, ""));
	assert_true(gw_topic_level(GW_STR("a/bc//d"), 3, &s));
	assert_false(gw_topic_level(GW_STR("a/bc//d"), 4, &s));
	assert_true(gw_str_is(s, "d"));
	assert_true(gw_topic_has_level(GW_STR("a/bc/d"), GW_STR("bc")));
	assert_true(gw_topic_has_level(GW_STR("a"), GW_STR("a")));
	assert_false(gw_topic_has_level(GW_STR("a/bc/d"), GW_STR("b")));
	assert_false(gw_topic_has_level(GW_STR("a/bc/d"), GW_STR("bc/d")));
}

struct hits {
	unsigned count[gw_countof(rows)];
	uint32_t last;
};

static void hit(void *ctx, void *subscriber, uint32_t tag)
{
	struct hits *h = ctx;
	assert_ptr_equal(subscriber, ctx);
	h->count[tag]++;
	h->last = tag;
}

static void trie_agrees_with_direct(void **state)
{
	(void)state;
	struct gw_topic_trie *t = gw_topic_trie_new();
	struct hits h;
	bool flag;
	for (uint32_t i = 0; i < gw_countof(rows); i++) {
		assert_int_equal(gw_topic_trie_add(t, gw_str(rows[i].filter), &h, i, &flag), 0);
	}
	for (uint32_t removed = 0; removed <= gw_countof(rows); removed++) {
		for (size_t i = 0; i < gw_countof(rows); i++) {
			memset(&h, 0, sizeof(h));
			struct gw_str topic = gw_str(rows[i].topic);
			size_t n = gw_topic_trie_match(t, topic, hit, &h), want = 0;
			for (uint32_t k = 0; k < gw_countof(rows); k++) {
				bool match = k >= removed &&
					     gw_topic_matches(gw_str(rows[k].filter), topic);
				assert_int_equal(h.count[k], match);
				want += match;
			}
			assert_int_equal(n, want);
		}
		if (removed < gw_countof(rows)) {
			assert_int_equal(gw_topic_trie_remove(t, gw_str(rows[removed].filter), &h,
							      removed, &flag),
					 0);
		}
	}
	gw_topic_trie_free(t);
	gw_topic_trie_free(NULL);
}

static void first_and_last(void **state)
{
	(void)state;
	struct gw_topic_trie *t = gw_topic_trie_new();
	struct hits h = {0};
	bool first = false, last = true;
	assert_int_equal(gw_topic_trie_add(t, GW_STR("a/+"), &h, 1, &first), 0);
	assert_true(first);
	assert_int_equal(gw_topic_trie_add(t, GW_STR("a/+"), &h, 2, &first), 0);
	assert_false(first);
	assert_int_equal(gw_topic_trie_add(t, GW_STR("a/+"), &h, 1, &first), -EEXIST);
	assert_int_equal(gw_topic_trie_add(t, GW_STR("a"), &h, 1, &first), 0);
	assert_true(first); /* only a level so far, now a filter */
	assert_int_equal(gw_topic_trie_add(t, GW_STR("a/#/b"), &h, 1, &first), -EINVAL);
	assert_int_equal(gw_topic_trie_match(t, GW_STR("a/x"), hit, &h), 2);
	assert_int_equal(h.last, 2); /* in the order of adding */
	assert_int_equal(gw_topic_trie_remove(t, GW_STR("a/+"), &h, 3, &last), -ENOENT);
	assert_int_equal(gw_topic_trie_remove(t, GW_STR("b"), &h, 1, &last), -ENOENT);
	assert_int_equal(gw_topic_trie_remove(t, GW_STR("a/+/c"), &h, 1, &last), -ENOENT);
	assert_true(last);
	assert_int_equal(gw_topic_trie_remove(t, GW_STR("a/+"), &h, 1, &last), 0);
	assert_false(last);
	assert_int_equal(gw_topic_trie_remove(t, GW_STR("a/+"), &h, 2, &last), 0);
	assert_true(last);
	assert_int_equal(gw_topic_trie_match(t, GW_STR("a/x"), hit, &h), 0);
	assert_int_equal(gw_topic_trie_match(t, GW_STR("a"), hit, &h), 1);
	/* What is no topic matches nothing. */
	assert_int_equal(gw_topic_trie_add(t, GW_STR("#"), &h, 1, &first), 0);
	assert_int_equal(gw_topic_trie_match(t, GW_STR(""), hit, &h), 0);
	assert_int_equal(gw_topic_trie_match(t, GW_STR("a/+"), hit, &h), 0);
	char deep[GW_TOPIC_LEVELS + 1];
	memset(deep, '/', sizeof(deep));
	assert_int_equal(
		gw_topic_trie_match(t, (struct gw_str){deep, GW_TOPIC_LEVELS - 1}, hit, &h), 1);
	assert_int_equal(gw_topic_trie_match(t, (struct gw_str){deep, GW_TOPIC_LEVELS}, hit, &h),
			 0);
	gw_topic_trie_free(t);
}

static struct gw_str filter_of(char *text, size_t cap, unsigned i)
{
	int n = snprintf(text, cap, i % 7 ? "zigbee2mqtt/device-%u/state/%u" : "tele/%u/+/%u",
			 i / 3, i % 5);
	return (struct gw_str){text, (size_t)n};
}

static void ignore(void *ctx, void *subscriber, uint32_t tag)
{
	(void)ctx;
	(void)subscriber;
	(void)tag;
}

static void count_filter(void *ctx, struct gw_str filter)
{
	assert_true(gw_topic_is_filter(filter));
	++*(unsigned *)ctx;
}

/* Add, remove and match in many orders against the plain list of filters. */
static void random_changes(void **state)
{
	(void)state;
	enum { N = 500 };
	struct gw_topic_trie *t = gw_topic_trie_new();
	static bool in[N];
	unsigned x = 1, owner[1];
	bool flag;
	char text[64], topic[64];
	for (unsigned step = 0; step < 20000; step++) {
		x = x * 1103515245 + 12345;
		unsigned i = (x >> 8) % N;
		struct gw_str f = filter_of(text, sizeof(text), i);
		int r = in[i] ? gw_topic_trie_remove(t, f, owner, i, &flag)
			      : gw_topic_trie_add(t, f, owner, i, &flag);
		assert_int_equal(r, 0);
		in[i] = !in[i];
	}
	unsigned filters = 0, want = 0;
	gw_topic_trie_each(t, count_filter, &filters);
	for (unsigned i = 0; i < N; i++) {
		bool seen = false;
		for (unsigned k = 0; k < i && !seen; k++) {
			char other[64];
			(void)filter_of(text, sizeof(text), i);
			(void)filter_of(other, sizeof(other), k);
			seen = in[k] && strcmp(text, other) == 0;
		}
		want += in[i] && !seen;
	}
	assert_int_equal(filters, want);
	for (unsigned i = 0; i < N; i++) {
		struct gw_str f = filter_of(text, sizeof(text), i);
		memcpy(topic, text, sizeof(topic));
		char *plus = strchr(topic, '+');
		if (plus) {
			*plus = 'x';
		}
		size_t n = 0;
		for (unsigned k = 0; k < N; k++) {
			char other[64];
			n += in[k] && gw_str_eq(f, filter_of(other, sizeof(other), k));
		}
		assert_int_equal(gw_topic_trie_match(t, gw_str(topic), ignore, NULL), n);
	}
	gw_topic_trie_free(t);
}

static void add_text(void *ctx, struct gw_str filter)
{
	gw_buf_printf(ctx, "<" GW_STR_FMT ">", GW_STR_ARG(filter));
}

static void each(void **state)
{
	(void)state;
	static const char *filters[] = {"a", "a/", "/", "+/#", "a//b", "#"};
	for (size_t i = 0; i < gw_countof(filters); i++) {
		struct gw_topic_trie *t = gw_topic_trie_new();
		struct gw_buf b = GW_BUF_INIT(400);
		bool first;
		assert_int_equal(gw_topic_trie_add(t, gw_str(filters[i]), &b, 0, &first), 0);
		assert_int_equal(gw_topic_trie_add(t, gw_str(filters[i]), &b, 1, &first), 0);
		gw_topic_trie_each(t, add_text, &b);
		char want[20];
		(void)snprintf(want, sizeof(want), "<%s>", filters[i]);
		assert_string_equal(b.p, want);
		gw_buf_fini(&b);
		gw_topic_trie_free(t);
	}
	/* The longest filter there can be. */
	struct gw_topic_trie *t = gw_topic_trie_new();
	struct gw_buf b = GW_BUF_INIT(400);
	bool first;
	char text[GW_TOPIC_BYTES];
	memset(text, 'x', sizeof(text));
	text[100] = text[200] = '/';
	assert_int_equal(gw_topic_trie_add(t, (struct gw_str){text, sizeof(text)}, &b, 0, &first),
			 0);
	gw_topic_trie_each(t, add_text, &b);
	assert_int_equal(b.len, GW_TOPIC_BYTES + 2);
	assert_memory_equal(b.p + 1, text, sizeof(text));
	gw_buf_fini(&b);
	gw_topic_trie_free(t);
}

static void cap(void **state)
{
	(void)state;
	struct gw_topic_trie *t = gw_topic_trie_new();
	bool flag;
	char text[32];
	for (unsigned i = 0; i < GW_TOPIC_SUBSCRIPTIONS; i++) {
		int n = snprintf(text, sizeof(text), "d/%u", i);
		assert_int_equal(
			gw_topic_trie_add(t, (struct gw_str){text, (size_t)n}, t, 0, &flag), 0);
	}
	assert_int_equal(gw_topic_trie_add(t, GW_STR("x"), t, 0, &flag), -ENOSPC);
	assert_int_equal(gw_topic_trie_remove(t, GW_STR("d/7"), t, 0, &flag), 0);
	assert_int_equal(gw_topic_trie_add(t, GW_STR("x"), t, 0, &flag), 0);
	gw_topic_trie_free(t);
}

static void out_of_memory(void **state)
{
	(void)state;
	for (uint64_t n = 1; n <= 3; n++) {
		gw_alloc_fail_at(n);
		assert_null(gw_topic_trie_new());
	}
	gw_alloc_fail_at(0);
	for (uint64_t n = 1;; n++) {
		struct gw_topic_trie *t = gw_topic_trie_new();
		bool flag;
		unsigned filters = 0;
		assert_int_equal(gw_topic_trie_add(t, GW_STR("a/b"), t, 0, &flag), 0);
		gw_alloc_fail_at(n);
		int r = gw_topic_trie_add(t, GW_STR("a/+/c/#"), t, 0, &flag);
		gw_alloc_fail_at(0);
		gw_topic_trie_each(t, count_filter, &filters);
		assert_int_equal(filters, r == 0 ? 2 : 1); /* nothing half-built stays */
		gw_alloc_fail_at(1); /* a second subscriber needs room, the first one did not */
		assert_int_equal(gw_topic_trie_add(t, GW_STR("a/b"), t, 1, &flag), -ENOMEM);
		gw_alloc_fail_at(0);
		assert_int_equal(gw_topic_trie_add(t, GW_STR("a/b"), t, 1, &flag), 0);
		assert_false(flag);
		gw_topic_trie_free(t);
		if (r == 0) {
			assert_int_equal(n, 4); /* one for each level that was new */
			return;
		}
		assert_int_equal(r, -ENOMEM);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(validity),	  cmocka_unit_test(direct),
		cmocka_unit_test(level),	  cmocka_unit_test(trie_agrees_with_direct),
		cmocka_unit_test(first_and_last), cmocka_unit_test(random_changes),
		cmocka_unit_test(each),		  cmocka_unit_test(cap),
		cmocka_unit_test(out_of_memory),
	};
	return cmocka_run_group_tests_name("topic", tests, NULL, NULL);
}
