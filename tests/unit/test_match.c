#include "gw_test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gw/profile.h"

/* --- the conformance cases that need no engine: match steps and refusals of the front --- */

static struct gw_node *read_cases(struct gw_arena *a, const char *name)
{
	char path[512];
	snprintf(path, sizeof(path), HEARTH_SOURCE_DIR "/tests/golden/conformance/%s", name);
	static char text[256 * 1024];
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	size_t n = fread(text, 1, sizeof(text), f);
	fclose(f);
	struct gw_node *root = NULL;
	struct gw_error error = {0};
	if (gw_node_parse_yaml(a, (struct gw_str){text, n}, NULL, &root, &error) < 0) {
		fail_msg("%s:%u: %s", name, error.line, error.text);
	}
	return gw_node_get(root, "cases");
}

static struct gw_library *library_of(const struct gw_node *test)
{
	struct gw_library *l = NULL;
	struct gw_error error;
	assert_int_equal(gw_library_new(NULL, 0, &l), 0);
	gw_node_for(m, gw_node_get(test, "library"))
	{
		struct gw_buf b = GW_BUF_INIT(100000);
		gw_node_write(&b, m, true);
		assert_int_equal(gw_library_add_text(l, m->key, gw_buf_str(&b), m->key.p, &error),
				 0);
		gw_buf_fini(&b);
	}
	return l;
}

static void check_match(const struct gw_profile *p, const struct gw_node *step, const char *name)
{
	struct gw_vars vars = {0};
	int score = 0;
	assert_int_equal(gw_profile_match(p, gw_node_get(step, "match"), &score, &vars), 0);
	const struct gw_node *wanted = gw_node_get(step, "vars_out");
	size_t n = 0;
	bool same = (score >= 0) == (wanted->type == GW_NODE_MAP);
	if (wanted->type == GW_NODE_MAP) {
		gw_node_for(v, wanted)
		{
			const char *value = gw_vars_get(&vars, v->key.p);
			same = same && value && gw_str_is(v->text, value);
			n++;
		}
	}
	if (!same || n != vars.count) {
		fail_msg("%s: score %d, %zu variables", name, score, vars.count);
	}
	gw_vars_fini(&vars);
}

/* Is the refusal of this place the front's? The engine has the points, the capabilities and what they name. */
static bool is_front(const char *at)
{
	static const char *const others[] = {"/points", "/caps", "/moved"};
	for (size_t i = 0; i < gw_countof(others); i++) {
		if (gw_str_starts(gw_str(at), others[i])) {
			return false;
		}
	}
	return true;
}

static void check_case(const struct gw_node *test, size_t *steps, size_t *refused)
{
	const char *name = gw_node_text(test, "name");
	const struct gw_node *refuse = gw_node_get(test, "refuse");
	struct gw_library *l = library_of(test);
	struct gw_profile *p = NULL;
	struct gw_error error = {0};
	int r = gw_profile_load_node(l, gw_node_get(test, "profile"), name,
				     GW_PROFILE_LAX | GW_PROFILE_NO_TESTS, &p, &error);
	if (refuse && is_front(gw_node_text(refuse, "at"))) {
		if (r == 0 || !gw_node_is_text(gw_node_get(refuse, "code"), error.code) ||
		    !gw_node_is_text(gw_node_get(refuse, "at"), error.at)) {
			fail_msg("%s: %s at %s: %s", name, error.code, error.at, error.text);
		}
		(*refused)++;
	}
	if (!refuse && r < 0) {
		fail_msg("%s: %s at %s: %s", name, error.code, error.at, error.text);
	}
	gw_node_for(step, gw_node_get(test, "steps"))
	{
		if (gw_node_get(step, "match")) {
			check_match(p, step, name);
			(*steps)++;
		}
	}
	gw_profile_unref(p);
	gw_library_free(l);
}

static void conformance(void **state)
{
	(void)state;
	static const char *const files[] = {"01-syntax.yaml", "02-match.yaml"};
	size_t steps = 0, refused = 0;
	for (size_t i = 0; i < gw_countof(files); i++) {
		struct gw_arena *a = gw_arena_new(16 << 20);
		gw_node_for(test, read_cases(a, files[i]))
		{
			check_case(test, &steps, &refused);
		}
		gw_arena_free(a);
	}
	assert_int_equal(steps, 21);
	assert_int_equal(refused, 14);
}

/* --- scores, sources, variables --- */

struct bench {
	struct gw_profile *profile;
	struct gw_arena *arena;
	struct gw_vars vars;
	int score;
};

static void load(struct bench *b, const char *text)
{
	struct gw_error error = {0};
	*b = (struct bench){.arena = gw_arena_new(1 << 20)};
	if (gw_profile_load_text(NULL, gw_str(text), "test", GW_PROFILE_LAX | GW_PROFILE_NO_TESTS,
				 &b->profile, &error) < 0) {
		fail_msg("%s at %s: %s", error.code, error.at, error.text);
	}
}

static void drop(struct bench *b)
{
	gw_vars_fini(&b->vars);
	gw_arena_free(b->arena);
	gw_profile_unref(b->profile);
}

static int observe(struct bench *b, const char *observation)
{
	struct gw_node *o = NULL;
	gw_vars_fini(&b->vars);
	assert_int_equal(gw_node_parse_yaml(b->arena, gw_str(observation), NULL, &o, NULL), 0);
	assert_int_equal(gw_profile_match(b->profile, o, &b->score, &b->vars), 0);
	return b->score;
}

static void scores(void **state)
{
	(void)state;
	struct bench b;
	load(&b,
	     "{vars: {k: {}}, match: [{mqtt: a/+, json: {/x: \"*\", /y: 1}}, {mdns: {service: s, name: \"*\", txt: {a: 1, b: \"c*\"}}},"
	     " {miio_model: \"*\"}, {tuya_product: [a, b?]}, {midea_type: 172}]}");
	assert_int_equal(observe(&b, "{mqtt: a/b, json: {x: 5, y: 1}}"), 2);
	assert_int_equal(observe(&b, "{mqtt: a/b, json: {x: [1], y: 1}}"), -1);
	assert_int_equal(observe(&b, "{mqtt: a/b}"), -1);
	assert_int_equal(observe(&b, "{mdns: {service: S, name: n, txt: {a: 1, b: CD}}}"), 3);
	assert_int_equal(observe(&b, "{mdns: {service: S, name: n, txt: {a: \"1\", b: CD}}}"), -1);
	assert_int_equal(observe(&b, "{mdns: {service: S, txt: {a: 1, b: CD}}}"), -1);
	assert_int_equal(observe(&b, "{miio_model: z}"), 0);
	assert_int_equal(observe(&b, "{tuya_product: B1}"), 4);
	assert_int_equal(observe(&b, "{midea_type: 172}"), 4);
	assert_int_equal(observe(&b, "{midea_type: 173}"), -1);
	assert_int_equal(observe(&b, "{mqtt: [1]}"), -1);
	assert_int_equal(observe(&b, "{}"), -1);
	assert_string_equal(gw_profile_match_filter(b.profile, 0), "a/+");
	assert_null(gw_profile_match_filter(b.profile, 1));
	drop(&b);
}

static void sources(void **state)
{
	(void)state;
	struct bench b;
	load(&b,
	     "{vars: {a: {}, b: {}, c: {}, d: {}}, match: [{coap: {option: {3332: \"*#*#*\"}},"
	     " set: {a: \"opt:3332:2\", b: \"opt:3332\", c: \"opt:9:0\", d: \"opt:3332:3\"}}]}");
	assert_int_equal(observe(&b, "{coap: {option: {3332: \"S#A1#2\"}}}"), 1);
	assert_string_equal(gw_vars_get(&b.vars, "a"), "2");
	assert_string_equal(gw_vars_get(&b.vars, "b"), "S#A1#2");
	assert_null(gw_vars_get(&b.vars, "c"));
	assert_null(gw_vars_get(&b.vars, "d"));
	drop(&b);
	load(&b,
	     "{vars: {a: {}, b: {}, c: {}, d: {}, e: {}, f: {}}, match: [{udp: {name: \"x-*-*\", option: \"*\", headers: {h: \"*\"}},"
	     " set: {a: \"name:0\", b: \"name:2\", c: \"name:3\", d: /j/k, e: /l, f: /t}}, {tuya_product: \"*\", set: {a: id}}]}");
	assert_int_equal(
		observe(&b,
			"{udp: {name: x-1-22, option: o, headers: {h: 1}}, json: {j: {k: 5}, l: null, t: [1]}}"),
		1);
	assert_string_equal(gw_vars_get(&b.vars, "a"), "x-1-22");
	assert_string_equal(gw_vars_get(&b.vars, "b"), "22");
	assert_string_equal(gw_vars_get(&b.vars, "d"), "5");
	assert_null(gw_vars_get(&b.vars, "c"));
	assert_null(gw_vars_get(&b.vars, "e"));
	assert_null(gw_vars_get(&b.vars, "f"));
	assert_int_equal(observe(&b, "{tuya_product: 77}"), 0);
	assert_string_equal(gw_vars_get(&b.vars, "a"), "77");
	drop(&b);
}

static void a_refused_value_leaves_the_next_entry(void **state)
{
	(void)state;
	struct bench b;
	load(&b,
	     "{vars: {t: {}}, match: [{mqtt: d/+, json: {/t: \"*\", /k: 1}, set: {t: /t}}, {mqtt: d/+, set: {t: \"topic:1\"}}], msgs: {m: {rx: \"x/{t}\"}}}");
	assert_int_equal(observe(&b, "{mqtt: d/a, json: {t: \"..#\", k: 1}}"), 1);
	assert_string_equal(gw_vars_get(&b.vars, "t"), "a");
	assert_int_equal(observe(&b, "{mqtt: d/a, json: {t: good, k: 1}}"), 2);
	assert_string_equal(gw_vars_get(&b.vars, "t"), "good");
	drop(&b);
}

static void completing_variables(void **state)
{
	(void)state;
	struct bench b;
	struct gw_error e = {0};
	load(&b,
	     "{vars: {topic: {label: {en: Topic, zh-CN: x}}, base: {default: tele}, url: {ask: true}, key: {secret: true, default: 5}},"
	     " link: {adapter: mqtt}, msgs: {m: {rx: \"{base}/{topic}/x\"}}}");
	assert_int_equal(gw_profile_var_count(b.profile), 4);
	assert_true(gw_profile_var(b.profile, 0)->in_channel);
	assert_string_equal(gw_profile_var(b.profile, 0)->label, "Topic");
	assert_true(gw_profile_var(b.profile, 1)->in_channel);
	assert_string_equal(gw_profile_var(b.profile, 1)->fallback, "tele");
	assert_false(gw_profile_var(b.profile, 2)->in_channel);
	assert_true(gw_profile_var(b.profile, 2)->ask);
	assert_string_equal(gw_profile_var(b.profile, 2)->label, "url");
	assert_true(gw_profile_var(b.profile, 3)->secret);
	assert_null(gw_profile_var(b.profile, 4));
	assert_string_equal(gw_profile_adapter(b.profile), "mqtt");

	assert_int_equal(gw_vars_set(&b.vars, GW_STR("topic"), GW_STR("plug1")), 0);
	assert_int_equal(gw_vars_set(&b.vars, GW_STR("url"), GW_STR("http://a/b")), 0);
	assert_int_equal(gw_profile_complete_vars(b.profile, &b.vars, &e), 0);
	assert_string_equal(gw_vars_get(&b.vars, "base"), "tele");
	assert_string_equal(gw_vars_get(&b.vars, "key"), "5");
	static const char *const bad[] = {"", "a/b", "+", "a#", "$SYS", "a\nb", "\xff"};
	for (size_t i = 0; i < gw_countof(bad); i++) {
		assert_int_equal(gw_vars_set(&b.vars, GW_STR("topic"), gw_str(bad[i])), 0);
		assert_int_equal(gw_profile_complete_vars(b.profile, &b.vars, &e), -EINVAL);
		assert_string_equal(e.code, "containment");
		assert_string_equal(e.at, "/vars/topic");
	}
	assert_int_equal(gw_vars_set(&b.vars, GW_STR("topic"), GW_STR("ok")), 0);
	assert_int_equal(gw_vars_set(&b.vars, GW_STR("none"), GW_STR("x")), 0);
	assert_int_equal(gw_profile_complete_vars(b.profile, &b.vars, &e), -EINVAL);
	assert_string_equal(e.code, "ref");
	drop(&b);
}

static void limits_of_variables(void **state)
{
	(void)state;
	struct gw_vars v = {0}, copy = {0};
	char text[300];
	memset(text, 'x', sizeof(text));
	assert_int_equal(gw_vars_set(&v, GW_STR("a"), (struct gw_str){text, 256}), 0);
	assert_int_equal(gw_vars_set(&v, GW_STR("a"), (struct gw_str){text, 257}), -E2BIG);
	assert_int_equal(strlen(gw_vars_get(&v, "a")), 256);
	for (int i = 1; i < 64; i++) {
		snprintf(text, sizeof(text), "v%d", i);
		assert_int_equal(gw_vars_set(&v, gw_str(text), GW_STR("1")), 0);
	}
	assert_int_equal(gw_vars_set(&v, GW_STR("one.more"), GW_STR("1")), -E2BIG);
	assert_int_equal(gw_vars_set(&v, GW_STR("v5"), GW_STR("2")), 0);
	assert_int_equal(gw_vars_copy(&copy, &v), 0);
	assert_int_equal(copy.count, 64);
	assert_string_equal(gw_vars_get(&copy, "v5"), "2");
	gw_vars_fini(&v);
	gw_vars_fini(&copy);
}

static void refusals(void **state)
{
	(void)state;
	static const struct {
		const char *profile, *code, *at;
	} rows[] = {
		{"{vars: {t: {default: a/b}}, match: [{mqtt: a}], msgs: {m: {rx: \"x/{t}\"}}}",
		 "containment", "/vars/t/default"},
		{"{match: [{mqtt: a}], msgs: {m: {rx: x}}}", "containment", "/msgs/m/rx"},
		{"{vars: {a: {}, t: {identity: true}}, match: [{mqtt: a}], msgs: {m: {rx: [\"x/{t}\", \"x/{a}\"]}}}",
		 "containment", "/msgs/m/rx/1"},
		{"{vars: {t: {}}, match: [{mqtt: a}], msgs: {m: {rx: \"x/{t}/#/y\"}}}", "schema",
		 "/msgs/m/rx"},
		{"{vars: {t: {}}, link: {adapter: mqtt}, msgs: {m: {rx: \"x/{t}\", tx: \"x/{t}/#\"}}}",
		 "containment", "/msgs/m/tx"},
		{"{vars: {t: {}}, msgs: {m: {rx: \"x/{t\"}}}", "ref", "/msgs/m/rx"},
		{"{vars: {t: {}}, msgs: {m: {get: \"/x/{u}\"}}}", "ref", "/msgs/m/get"},
		{"{vars: {t: {}}, match: [{mqtt: a}], msgs: {m: {rx: \"{t}/x\"}}, variants: [{if: {t: a}, msgs: {n: {rx: y}}}]}",
		 "containment", "/variants/0"},
		{"{type: plugg}", "ref", "/type"},
	};
	for (size_t i = 0; i < gw_countof(rows); i++) {
		struct gw_profile *p = NULL;
		struct gw_error e = {0};
		int r = gw_profile_load_text(NULL, gw_str(rows[i].profile), "test",
					     GW_PROFILE_LAX | GW_PROFILE_NO_TESTS, &p, &e);
		if (r == 0 || strcmp(e.code, rows[i].code) != 0 || strcmp(e.at, rows[i].at) != 0) {
			fail_msg("%s: %d %s at %s: %s", rows[i].profile, r, e.code, e.at, e.text);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conformance),
		cmocka_unit_test(scores),
		cmocka_unit_test(sources),
		cmocka_unit_test(a_refused_value_leaves_the_next_entry),
		cmocka_unit_test(completing_variables),
		cmocka_unit_test(limits_of_variables),
		cmocka_unit_test(refusals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
