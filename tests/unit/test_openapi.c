#include "gw_test.h"

#include <stdio.h>
#include <string.h>

#include "fake_home.h"
#include "surfaces/api/call.h"
#include "surfaces/api/schema.h"

struct fixture {
	struct gw_loop *loop;
	struct gw_gateway g;
	struct gw_api *api;
	struct gw_arena *arena;
	struct gw_node *doc;
};

static void on_reply(void *ctx, const struct gw_api_reply *r)
{
	struct fixture *f = ctx;
	static const struct gw_node_limits limits = {.max_depth = 24};
	struct gw_error e = {0};
	assert_int_equal(r->http, 200);
	assert_string_equal(r->content_type, "application/json");
	if (gw_node_parse_json(f->arena, gw_buf_str(r->body), &limits, &f->doc, &e)) {
		fail_msg("%s at line %u column %u", e.text, e.line, e.column);
	}
}

static int setup(void **state)
{
	static struct fixture fixture;
	struct fixture *f = &fixture;
	*f = (struct fixture){.loop = gw_loop_new(), .arena = gw_arena_new(64u << 20)};
	fake_home_init(&f->g, f->loop);
	f->api = gw_api_new(&f->g, NULL, "test");
	struct gw_principal p = fake_principal(GW_ROLE_OWNER, true);
	struct gw_api_request r = {
		.method = GW_STR("GET"), .path = GW_STR("/api/v1/openapi.json"), .principal = &p};
	struct gw_api_call *call = NULL;
	assert_int_equal(gw_api_start(f->api, &r, on_reply, f, &call), 0);
	assert_non_null(f->doc);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	gw_api_free(f->api);
	gw_arena_free(f->arena);
	gw_loop_free(f->loop);
	return 0;
}

static void every_route_is_documented(void **state)
{
	struct fixture *f = *state;
	struct gw_node *paths = gw_node_get(f->doc, "paths");
	const struct gw_api_route *r;
	size_t operations = 0, n = 0;
	assert_true(gw_node_is_text(gw_node_get(f->doc, "openapi"), "3.1.0"));
	for (; (r = gw_api_route_at(n)); n++) {
		char method[8] = "";
		for (size_t i = 0; r->method[i]; i++) {
			method[i] = (char)(r->method[i] | 0x20);
		}
		struct gw_node *op = gw_node_get(gw_node_get(paths, r->path), method);
		assert_non_null(op);
		assert_string_equal(gw_node_text(op, "summary"), r->summary);
		assert_int_equal(!gw_node_get(op, "requestBody"), !r->takes);
		assert_true(!r->takes || gw_api_schema_find(r->takes));
		assert_true(!r->gives || gw_api_schema_find(r->gives));
		size_t params = 0;
		for (const char *p = r->path; (p = strchr(p, '{')); p++) {
			params++;
		}
		assert_true(gw_node_get(op, "parameters")->count >= params);
	}
	gw_node_for(path, paths)
	{
		operations += path->count;
	}
	assert_int_equal(operations, n); /* and nothing else */
}

/* Every $ref leads somewhere: an explicit stack, since documents nest. */
static void every_reference_resolves(void **state)
{
	struct fixture *f = *state;
	const struct gw_node *stack[2048]; /* the words of a vocabulary are siblings */
	size_t n = 0, refs = 0;
	stack[n++] = f->doc;
	while (n) {
		const struct gw_node *at = stack[--n];
		gw_node_for(child, at->type == GW_NODE_MAP || at->type == GW_NODE_LIST ? at : NULL)
		{
			if (gw_str_is(child->key, "$ref") && child->type == GW_NODE_TEXT) {
				refs++;
				if (!gw_node_pointer(f->doc,
						     gw_str_sub(child->text, 1, child->text.len))) {
					fail_msg("%s leads nowhere", child->text.p);
				}
			}
			assert_true(n < gw_countof(stack));
			stack[n++] = child;
		}
	}
	assert_true(refs > 100);
}

static void operation_ids_are_unique(void **state)
{
	struct fixture *f = *state;
	const char *ids[128];
	size_t n = 0;
	gw_node_for(path, gw_node_get(f->doc, "paths"))
	{
		gw_node_for(op, path)
		{
			assert_true(n < gw_countof(ids));
			ids[n++] = gw_node_text(op, "operationId");
		}
	}
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(ids[i], ids[k]);
		}
	}
}

static void vocabularies_are_those_of_the_model(void **state)
{
	struct fixture *f = *state;
	size_t capabilities = 0, types = 0;
	while (gw_capability_at(capabilities)) {
		capabilities++;
	}
	while (gw_device_type_at(types)) {
		types++;
	}
	const struct gw_node *caps =
		gw_node_pointer(f->doc, GW_STR("/components/schemas/CapabilityWord/anyOf/1/enum"));
	const struct gw_node *words =
		gw_node_pointer(f->doc, GW_STR("/components/schemas/DeviceTypeWord/enum"));
	assert_non_null(caps);
	assert_non_null(words);
	assert_int_equal(caps->count, capabilities);
	assert_int_equal(words->count, types + 1); /* and "" */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_route_is_documented),
		cmocka_unit_test(every_reference_resolves),
		cmocka_unit_test(operation_ids_are_unique),
		cmocka_unit_test(vocabularies_are_those_of_the_model),
	};
	return cmocka_run_group_tests_name("openapi", tests, setup, teardown);
}
