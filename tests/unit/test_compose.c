#include "gw_test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "profile/compose.h"

/* A library of "id: text" pairs, and what becomes of a profile with it. */
struct bench {
	struct gw_library *library;
	struct gw_arena *arena;
	struct gw_error error;
	struct gw_buf text;
};

static int setup(void **state)
{
	static struct bench b;
	b = (struct bench){.arena = gw_arena_new(8 << 20), .text = GW_BUF_INIT(1 << 20)};
	*state = &b;
	return b.arena ? gw_library_new(NULL, 0, &b.library) : -1;
}

static int teardown(void **state)
{
	struct bench *b = *state;
	gw_library_free(b->library);
	gw_arena_free(b->arena);
	gw_buf_fini(&b->text);
	return 0;
}

static void add(struct bench *b, const char *id, const char *text)
{
	assert_int_equal(gw_library_add_text(b->library, gw_str(id), gw_str(text), id, &b->error),
			 0);
}

static struct gw_node *parse(struct bench *b, const char *text)
{
	struct gw_node *root = NULL;
	assert_int_equal(gw_node_parse_yaml(b->arena, gw_str(text), NULL, &root, &b->error), 0);
	return root;
}

/* The tree as JSON in source order, or "code at /pointer". */
static const char *answer(struct bench *b, int r, const struct gw_node *tree)
{
	gw_buf_reset(&b->text);
	if (r < 0) {
		gw_buf_printf(&b->text, "%s at %s", b->error.code, b->error.at);
	} else {
		gw_node_write(&b->text, tree, true);
	}
	return b->text.p;
}

static const char *load(struct bench *b, const char *text)
{
	struct gw_node *tree = NULL;
	struct gw_source *sources = NULL;
	memset(&b->error, 0, sizeof(b->error));
	int r = gw_compose_load(b->arena, b->library, parse(b, text), &tree, &sources, &b->error);
	return answer(b, r, tree);
}

static const char *bind(struct bench *b, const char *text, const char *model)
{
	struct gw_node *tree = NULL;
	struct gw_vars vars = {0};
	uint64_t choice = 0;
	if (model) {
		assert_int_equal(gw_vars_set(&vars, GW_STR("model"), gw_str(model)), 0);
	}
	memset(&b->error, 0, sizeof(b->error));
	int r = gw_compose_bind(b->arena, parse(b, text), &vars, &tree, &choice, &b->error);
	gw_vars_fini(&vars);
	return answer(b, r, tree);
}

static void merge_keeps_the_order(void **state)
{
	struct bench *b = *state;
	add(b, "base",
	    "{id: base, type: plug, match: [1], tests: [1], points: {p: {in: a, div: 10}, q: {in: b}, r: {in: c}}}");
	assert_string_equal(
		load(b,
		     "{id: c, extends: base, points: {s: {in: d}, q: {in: e, mul: 2}, p: {div: null}, r: null, t: null}}"),
		"{\"type\":\"plug\",\"points\":{\"p\":{\"in\":\"a\"},\"q\":{\"in\":\"e\",\"mul\":2},\"s\":{\"in\":\"d\"}},\"id\":\"c\",\"extends\":\"base\"}");
	/* Without composition nulls stay: they are values. */
	assert_string_equal(load(b, "{caps: {a: {const: null}}}"),
			    "{\"caps\":{\"a\":{\"const\":null}}}");
	/* Lists are replaced as a whole. */
	add(b, "l", "{points: {p: {in: [a, b]}}}");
	assert_string_equal(load(b, "{extends: l, points: {p: {in: [c]}}}"),
			    "{\"points\":{\"p\":{\"in\":[\"c\"]}},\"extends\":\"l\"}");
}

static void refusals_of_extends(void **state)
{
	struct bench *b = *state;
	add(b, "x", "{extends: y}");
	add(b, "y", "{extends: x}");
	assert_string_equal(load(b, "{extends: x}"), "cycle at /extends");
	assert_string_equal(load(b, "{id: me, extends: me2}"), "ref at /extends");
	add(b, "me2", "{extends: me}");
	assert_string_equal(load(b, "{id: me, extends: me2}"), "cycle at /extends");
	assert_string_equal(load(b, "{extends: nowhere}"), "ref at /extends");
	assert_string_equal(load(b, "{extends: [a]}"), "schema at /extends");
	assert_string_equal(load(b, "{use: a}"), "schema at /use");
	assert_string_equal(load(b, "[1]"), "schema at ");
	for (int i = 1; i <= 9; i++) {
		char id[16], text[64];
		snprintf(id, sizeof(id), "c%d", i);
		snprintf(text, sizeof(text), i == 1 ? "{type: plug}" : "{extends: c%d}", i - 1);
		add(b, id, text);
	}
	assert_string_equal(load(b, "{extends: c8}"), "{\"type\":\"plug\",\"extends\":\"c8\"}");
	assert_string_equal(load(b, "{extends: c9}"), "size at /extends");
	struct gw_error error = {0};
	assert_int_equal(gw_library_add_text(b->library, GW_STR("bad"), GW_STR("{a: 1, a: 2}"),
					     "bad", &error),
			 -EINVAL);
	assert_string_equal(error.code, "syntax");
}

static void use_of_fragments(void **state)
{
	struct bench *b = *state;
	add(b, "f1",
	    "{fragment: true, type: plug, points: {p: {in: a}}, components: {o: {caps: {x: 1}}}}");
	add(b, "f2", "{points: {q: {in: b}}, components: {o: {caps: {y: 2}}}}");
	add(b, "f3", "{components: {o: {caps: {x: 3}}}}");
	assert_string_equal(
		load(b, "{use: [f1, f2], points: {p: {mul: 3}}}"),
		"{\"points\":{\"p\":{\"in\":\"a\",\"mul\":3},\"q\":{\"in\":\"b\"}},\"components\":{\"o\":{\"caps\":{\"x\":1,\"y\":2}}},\"use\":[\"f1\",\"f2\"]}");
	assert_string_equal(load(b, "{use: [f1, f2, f3]}"), "merge at /use/2");
	assert_string_equal(load(b, "{use: [f1, f1]}"), "merge at /use/1");
	assert_string_equal(load(b, "{use: [f1, none]}"), "ref at /use/1");
	assert_string_equal(load(b, "{use: [f1, 5]}"), "schema at /use/1");
}

static void variants_merge_in_order(void **state)
{
	struct bench *b = *state;
	const char *text =
		"{points: {p: {in: a}}, variants: [{if: {model: [B, 7]}, points: {p: {mul: 2}}},"
		" {if: {model: {ge: \"1.9\", lt: 2}}, points: {p: {mul: 3}}}, {if: {model: {gt: 5}}, points: {q: {}}}]}";
	assert_string_equal(bind(b, text, NULL), "{\"points\":{\"p\":{\"in\":\"a\"}}}");
	assert_string_equal(bind(b, text, "B"), "{\"points\":{\"p\":{\"in\":\"a\",\"mul\":2}}}");
	/* Text and number are equal when their text forms are. */
	assert_string_equal(bind(b, text, "7"),
			    "{\"points\":{\"p\":{\"in\":\"a\",\"mul\":2},\"q\":{}}}");
	/* 1.10 is after 1.9 as a version, and below 2 as a number. */
	assert_string_equal(bind(b, text, "1.10"), "{\"points\":{\"p\":{\"in\":\"a\",\"mul\":3}}}");
	assert_string_equal(bind(b, text, "1.8"), "{\"points\":{\"p\":{\"in\":\"a\"}}}");
	assert_string_equal(bind(b, text, "1.09.1"),
			    "{\"points\":{\"p\":{\"in\":\"a\",\"mul\":3}}}");
}

static void choice_is_a_set_of_bits(void **state)
{
	struct bench *b = *state;
	struct gw_vars vars = {0};
	uint64_t choice = 0;
	assert_int_equal(gw_vars_set(&vars, GW_STR("v"), GW_STR("2.0")), 0);
	const struct gw_node *tree = parse(
		b,
		"{variants: [{if: {v: {ge: \"2\"}}}, {if: {v: 2}}, 5, {if: 6}, {if: {v: \"2.0\"}}, {if: {w: 1}}, {if: {v: {about: 1}}}]}");
	assert_int_equal(gw_compose_choice(tree, &vars, &choice), 0);
	assert_int_equal(choice, 1 | 1 << 4);
	gw_vars_fini(&vars);
}

static void repeat_copies_blocks(void **state)
{
	struct bench *b = *state;
	assert_string_equal(
		bind(b,
		     "{repeat: [{for: {n: [1, 2], k: [{a: 1}, true]}, points: {\"on_{n}\": {io: \"m#/{n}\", x: \"{k}\", y: \"{other}\"}}}]}",
		     NULL),
		"{\"points\":{\"on_1\":{\"io\":\"m#/1\",\"x\":{\"a\":1},\"y\":\"{other}\"},\"on_2\":{\"io\":\"m#/2\",\"x\":true,\"y\":\"{other}\"}}}");
	assert_string_equal(bind(b, "{repeat: [{for: {n: [1, 2], k: [1]}, points: {}}]}", NULL),
			    "schema at /repeat/0/for");
	assert_string_equal(
		bind(b, "{points: {p_1: 1}, repeat: [{for: {n: [1]}, points: {\"p_{n}\": 2}}]}",
		     NULL),
		"name at /repeat/0/points");
	assert_string_equal(bind(b, "{repeat: [{for: {n: [1, 1]}, points: {\"p_{n}\": 2}}]}", NULL),
			    "name at /repeat/0/points");
	assert_string_equal(bind(b, "{vars: {n: {}}, repeat: [{for: {n: [1]}, points: {}}]}", NULL),
			    "name at /repeat/0/for/n");
	assert_string_equal(bind(b, "{repeat: [{for: {n: [[1]]}, points: {p: \"a{n}\"}}]}", NULL),
			    "schema at /repeat/0/for");
	assert_string_equal(bind(b, "{repeat: [{for: {n: [[1]]}, points: {p: \"{n}\"}}]}", NULL),
			    "{\"points\":{\"p\":[1]}}");
	assert_string_equal(
		bind(b, "{repeat: [{for: {n: [1.5, true]}, points: {\"p_{n}\": 2}}]}", NULL),
		"{\"points\":{\"p_1.5\":2,\"p_true\":2}}");
	assert_string_equal(bind(b, "{repeat: [{for: {}, points: {}}]}", NULL),
			    "schema at /repeat/0/for");
	assert_string_equal(bind(b, "{repeat: [{for: {n: []}, points: {a: 1}}]}", NULL), "{}");
	struct gw_buf text = GW_BUF_INIT(10000);
	gw_buf_puts(&text, "{repeat: [{for: {n: [");
	for (int i = 0; i < 65; i++) {
		gw_buf_printf(&text, "%d, ", i);
	}
	gw_buf_puts(&text, "]}, points: {}}]}");
	assert_string_equal(bind(b, text.p, NULL), "size at /repeat/0/for");
	gw_buf_fini(&text);
}

static void variants_append_their_repeats(void **state)
{
	struct bench *b = *state;
	const char *text =
		"{repeat: [{for: {n: [1]}, points: {\"p{n}\": 1}}], variants: [{if: {model: A}, repeat: [{for: {n: [2]}, points: {\"p{n}\": 2}}]}]}";
	assert_string_equal(bind(b, text, "A"), "{\"points\":{\"p1\":1,\"p2\":2}}");
	assert_string_equal(bind(b, text, "B"), "{\"points\":{\"p1\":1}}");
}

static void copies_keep_their_places(void **state)
{
	struct bench *b = *state;
	struct gw_node *tree = NULL;
	add(b, "base", "id: base\npoints:\n  p:\n    in: a\n");
	struct gw_source *sources = NULL;
	const struct gw_node *root = parse(
		b,
		"extends: base\npoints:\n  q:\n    in: b\nrepeat:\n - for: {n: [1]}\n   points:\n     \"r_{n}\": {in: c}\n");
	assert_int_equal(gw_compose_load(b->arena, b->library, root, &tree, &sources, &b->error),
			 0);
	assert_non_null(sources);
	assert_string_equal(sources->origin, "base");
	assert_null(sources->next);
	assert_int_equal(gw_compose_chosen(b->arena, tree, 0, &tree, &b->error), 0);
	const struct gw_node *p = gw_node_pointer(tree, GW_STR("/points/p/in"));
	const struct gw_node *q = gw_node_pointer(tree, GW_STR("/points/q/in"));
	const struct gw_node *r = gw_node_pointer(tree, GW_STR("/points/r_1/in"));
	assert_int_equal(p->line, 4);
	assert_int_equal(p->column, 9);
	assert_int_equal(q->key_line, 4);
	assert_int_equal(q->key_column, 5);
	assert_int_equal(r->line, 8);
}

static void pointers_are_escaped(void **state)
{
	(void)state;
	char at[16] = "";
	gw_at_push(at, sizeof(at), GW_STR("a/b~c"));
	assert_string_equal(at, "/a~1b~0c");
	gw_at_push_index(at, sizeof(at), 12);
	assert_string_equal(at, "/a~1b~0c/12");
	gw_at_push(at, sizeof(at), GW_STR("too long for it"));
	assert_true(strlen(at) < sizeof(at)); /* clipped */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(merge_keeps_the_order, setup, teardown),
		cmocka_unit_test_setup_teardown(refusals_of_extends, setup, teardown),
		cmocka_unit_test_setup_teardown(use_of_fragments, setup, teardown),
		cmocka_unit_test_setup_teardown(variants_merge_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(choice_is_a_set_of_bits, setup, teardown),
		cmocka_unit_test_setup_teardown(repeat_copies_blocks, setup, teardown),
		cmocka_unit_test_setup_teardown(variants_append_their_repeats, setup, teardown),
		cmocka_unit_test_setup_teardown(copies_keep_their_places, setup, teardown),
		cmocka_unit_test(pointers_are_escaped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
