#include "gw_test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "gw/alloc.h"
#include "gw/map.h"

static struct gw_str key_of(char *text, size_t cap, int i)
{
	return (struct gw_str){text, (size_t)snprintf(text, cap, "key-%d", i)};
}

static void put_find_remove(void **state)
{
	(void)state;
	struct gw_map *m = gw_map_new(10);
	int a = 1, b = 2;
	assert_null(gw_map_find(m, GW_STR("a")));
	assert_null(gw_map_remove(m, GW_STR("a")));
	char key[] = "a";
	assert_int_equal(gw_map_put(m, gw_str(key), &a), 0);
	key[0] = 'z'; /* the key was copied */
	assert_int_equal(gw_map_put(m, GW_STR("a"), &b), -EEXIST);
	assert_int_equal(gw_map_put(m, GW_STR(""), &b), 0);
	assert_ptr_equal(gw_map_find(m, GW_STR("a")), &a);
	assert_ptr_equal(gw_map_find(m, GW_STR("")), &b);
	assert_null(gw_map_find(m, (struct gw_str){"a\0", 2}));
	assert_int_equal(gw_map_count(m), 2);
	assert_ptr_equal(gw_map_remove(m, GW_STR("a")), &a);
	assert_null(gw_map_find(m, GW_STR("a")));
	assert_int_equal(gw_map_count(m), 1);
	gw_map_free(m, NULL);
	gw_map_free(NULL, NULL);
}

/* Values that bring their key: nothing is copied, and an iteration sees the keys. */
static void keys_inside(void **state)
{
	(void)state;
	struct thing {
		int number;
		char name[16];
	};
	struct gw_map *m = gw_map_new_inside(1000, offsetof(struct thing, name));
	struct thing *things = gw_array(struct thing, 500);
	assert_non_null(things);
	for (int i = 0; i < 500; i++) {
		struct gw_str key = key_of(things[i].name, sizeof(things[i].name), i);
		things[i].number = i;
		assert_int_equal(gw_map_put(m, key, &things[i]), 0);
		assert_int_equal(gw_map_put(m, key, &things[i]), -EEXIST);
	}
	for (int i = 0; i < 500; i += 2) {
		assert_ptr_equal(gw_map_remove(m, gw_str(things[i].name)), &things[i]);
	}
	size_t pos = 0, seen = 0;
	struct gw_str key;
	void *value;
	while (gw_map_next(m, &pos, &key, &value)) {
		struct thing *t = value;
		assert_true(t->number % 2 == 1 && key.p == t->name);
		assert_ptr_equal(gw_map_find(m, key), t);
		seen++;
	}
	assert_int_equal(seen, 250);
	gw_map_free(m, NULL);
	gw_free(things);
}

static void cap(void **state)
{
	(void)state;
	struct gw_map *m = gw_map_new(3);
	char text[16];
	int v = 0;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(gw_map_put(m, key_of(text, sizeof(text), i), &v), 0);
	}
	assert_int_equal(gw_map_put(m, GW_STR("x"), &v), -ENOSPC);
	assert_int_equal(gw_map_put(m, GW_STR("key-1"), &v), -EEXIST);
	assert_ptr_equal(gw_map_remove(m, GW_STR("key-1")), &v);
	assert_int_equal(gw_map_put(m, GW_STR("x"), &v), 0);
	gw_map_free(m, NULL);
}

static void many(void **state)
{
	(void)state;
	enum { N = 20000 };
	static int values[N];
	struct gw_map *m = gw_map_new(N);
	char text[16];
	for (int i = 0; i < N; i++) {
		assert_int_equal(gw_map_put(m, key_of(text, sizeof(text), i), &values[i]), 0);
	}
	for (int i = 0; i < N; i++) {
		assert_ptr_equal(gw_map_find(m, key_of(text, sizeof(text), i)), &values[i]);
	}
	/* What iteration returns may be removed; each entry is seen once. */
	size_t pos = 0, seen = 0;
	struct gw_str key;
	void *value;
	while (gw_map_next(m, &pos, &key, &value)) {
		int *v = value;
		assert_int_equal(*v, 0);
		*v = 1;
		seen++;
		if ((v - values) % 2) {
			assert_ptr_equal(gw_map_remove(m, key), value);
		}
	}
	assert_int_equal(seen, N);
	assert_int_equal(gw_map_count(m), N / 2);
	for (int i = 0; i < N; i++) {
		void *v = gw_map_find(m, key_of(text, sizeof(text), i));
		assert_ptr_equal(v, i % 2 ? NULL : &values[i]);
	}
	gw_map_free(m, NULL);
}

/* Put and remove for ever: removed marks must neither fill the table nor slow it down. */
static void churn(void **state)
{
	(void)state;
	struct gw_map *m = gw_map_new(8);
	char text[16];
	int v;
	uint64_t before = gw_alloc_count();
	for (int i = 0; i < 100000; i++) {
		assert_int_equal(gw_map_put(m, key_of(text, sizeof(text), i), &v), 0);
		if (i >= 4) {
			assert_ptr_equal(gw_map_remove(m, key_of(text, sizeof(text), i - 4)), &v);
		}
	}
	assert_int_equal(gw_map_count(m), 4);
	assert_true(gw_alloc_count() - before < 200000); /* one a key, and few moves */
	gw_map_free(m, NULL);
}

static void frees_values(void **state)
{
	(void)state;
	struct gw_map *m = gw_map_new(100);
	char text[16];
	for (int i = 0; i < 100; i++) {
		assert_int_equal(gw_map_put(m, key_of(text, sizeof(text), i), gw_strdup(text)), 0);
	}
	gw_map_free(m, gw_free); /* the leak check sees what is forgotten */
}

static void out_of_memory(void **state)
{
	(void)state;
	gw_alloc_fail_at(1);
	assert_null(gw_map_new(4));
	for (uint64_t n = 1;; n++) {
		struct gw_map *m = gw_map_new(100);
		char text[16];
		int v, done = 0, r = 0;
		gw_alloc_fail_at(n);
		while (done < 20 &&
		       (r = gw_map_put(m, key_of(text, sizeof(text), done), &v)) == 0) {
			done++;
		}
		gw_alloc_fail_at(0);
		assert_int_equal(gw_map_count(m), done);
		if (r < 0) { /* whole as before, and usable */
			assert_int_equal(r, -ENOMEM);
			assert_null(gw_map_find(m, key_of(text, sizeof(text), done)));
			assert_int_equal(gw_map_put(m, key_of(text, sizeof(text), done), &v), 0);
		}
		gw_map_free(m, NULL);
		if (r == 0) {
			assert_true(n > 20);
			return;
		}
	}
}

/* Lengths around each way to read the bytes; every byte counts, and so does the key. */
static void hash_depends_on_every_byte(void **state)
{
	(void)state;
	struct gw_hash_key k = {0x1234567890abcdefU, 0xfedcba0987654321U}, other = {k.a + 1, k.b};
	char text[40] = {0};
	for (size_t len = 0; len < sizeof(text); len++) {
		struct gw_str s = {text, len};
		uint64_t h = gw_hash(&k, 0, s);
		assert_true(h != gw_hash(&other, 0, s));
		assert_true(h != gw_hash(&k, 1, s));
		assert_true(len == 0 || h != gw_hash(&k, 0, (struct gw_str){text, len - 1}));
		for (size_t i = 0; i < len; i++) {
			text[i] ^= 1;
			assert_true(h != gw_hash(&k, 0, s));
			text[i] ^= 1;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(put_find_remove),
		cmocka_unit_test(keys_inside),
		cmocka_unit_test(cap),
		cmocka_unit_test(many),
		cmocka_unit_test(churn),
		cmocka_unit_test(frees_values),
		cmocka_unit_test(out_of_memory),
		cmocka_unit_test(hash_depends_on_every_byte),
	};
	return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
