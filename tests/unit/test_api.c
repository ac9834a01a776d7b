#include "gw_test.h"

#include <stdio.h>
#include <string.h>

#include "fake_home.h"
#include "gw/alloc.h"
#include "gw/clock.h"
#include "surfaces/api/call.h"
#include "surfaces/api/channel.h"
#include "surfaces/api/schema.h"

struct fixture {
	struct gw_loop *loop;
	struct gw_gateway g;
	struct gw_api *api;
	/* the last reply */
	int replies, http;
	char body[64 * 1024], allow[64], session[128], type[64];
	uint64_t etag, seq;
	struct gw_api_stream *stream;
	struct gw_api_call *call;
};

static int setup(void **state)
{
	struct fixture *f = gw_new(struct fixture);
	f->loop = gw_loop_new();
	fake_home_init(&f->g, f->loop);
	f->api = gw_api_new(&f->g, NULL, "test");
	*state = f;
	return f->api ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	gw_api_stream_close(f->stream);
	gw_api_free(f->api);
	fake_home_fini(&f->g);
	gw_loop_free(f->loop);
	gw_free(f);
	return 0;
}

static void on_reply(void *ctx, const struct gw_api_reply *r)
{
	struct fixture *f = ctx;
	f->replies++;
	f->http = r->http;
	f->etag = r->etag;
	f->seq = r->seq;
	snprintf(f->body, sizeof(f->body), "%s", r->body->p ? r->body->p : "");
	snprintf(f->allow, sizeof(f->allow), "%s", r->allow ? r->allow : "");
	snprintf(f->session, sizeof(f->session), "%s", r->session ? r->session : "(none)");
	snprintf(f->type, sizeof(f->type), "%s", r->content_type);
	if (r->stream) {
		gw_api_stream_close(f->stream);
		f->stream = r->stream;
	}
}

static int request(struct fixture *f, struct gw_api_request *r, const char *method,
		   const char *target, const char *body)
{
	struct gw_api_target t;
	assert_int_equal(gw_api_target_parse(gw_str(target), &t), 0);
	r->method = gw_str(method);
	r->path = t.path;
	r->query = t.query;
	r->n_query = t.n_query;
	r->body = gw_str(body ? body : "");
	r->source = "192.0.2.1";
	int before = f->replies;
	f->http = 0;
	assert_int_equal(gw_api_start(f->api, r, on_reply, f, &f->call), 0);
	assert_int_equal(f->replies, before + (f->call ? 0 : 1));
	return f->http;
}

static int as(struct fixture *f, enum gw_role role, const char *method, const char *target,
	      const char *body)
{
	struct gw_principal p = fake_principal(role, true);
	struct gw_api_request r = {.principal = role == GW_ROLE_NONE ? NULL : &p};
	return request(f, &r, method, target, body);
}

static int local(struct fixture *f, const char *method, const char *target, const char *body)
{
	struct gw_principal p;
	gw_principal_local(&p);
	struct gw_api_request r = {.principal = &p, .local = true};
	return request(f, &r, method, target, body);
}

#define assert_has(text, part)                                                                     \
	do {                                                                                       \
		if (!strstr(text, part)) {                                                         \
			fail_msg("%s\nis not in\n%s", part, text);                                 \
		}                                                                                  \
	} while (0)
#define assert_has_not(text, part) assert_null(strstr(text, part))

/* --- rights: every row for every role (R8, R49) --- */

/* security-rules §2 by hand, so that a slip in the product's table is seen: roles for whom a fresh login may do it on "plug" or in general. */
static const char *const allowed[GW_DO_COUNT] = {
	[GW_DO_PUBLIC] = "none owner member guest installer token",
	[GW_DO_CLAIM] = "",
	[GW_DO_SEE] = "owner member installer token",
	[GW_DO_SEE_PRESENCE] = "owner member",
	[GW_DO_OPERATE] = "owner member installer token",
	[GW_DO_CRITICAL] = "owner member",
	[GW_DO_ARRANGE] = "owner member",
	[GW_DO_ADOPT] = "owner installer",
	[GW_DO_DIAGNOSE] = "owner member installer",
	[GW_DO_ADMINISTER] = "owner",
};

static void example_path(const char *pattern, char *ret_path, size_t cap)
{
	static const char *const examples[][2] = {
		{"{device}", "plug"},	   {"{component}", "main"}, {"{capability}", "switch.on"},
		{"{candidate}", "c0ffee"}, {"{room}", "kitchen"},   {"{account}", "anna"},
		{"{token}", "t1"},
	};
	struct gw_buf b = GW_BUF_INIT(cap);
	struct gw_str rest = gw_str(pattern), piece;
	(void)gw_str_split(&rest, '/', &piece);
	while (gw_str_split(&rest, '/', &piece)) {
		gw_buf_putc(&b, '/');
		struct gw_str use = piece;
		for (size_t i = 0; i < gw_countof(examples); i++) {
			use = gw_str_is(piece, examples[i][0]) ? gw_str(examples[i][1]) : use;
		}
		gw_buf_add_str(&b, use);
	}
	snprintf(ret_path, cap, "%s", b.p);
	gw_buf_fini(&b);
}

static bool row_allows(const struct gw_api_route *r, enum gw_role role, bool confined_ok)
{
	if (role == GW_ROLE_GUEST && r->action == GW_DO_SEE) {
		return confined_ok;
	}
	return gw_api_word_in(allowed[r->action], gw_str(gw_role_name(role)));
}

static void each_row_refuses_whom_it_must(void **state)
{
	struct fixture *f = *state;
	const struct gw_api_route *r;
	for (size_t i = 0; (r = gw_api_route_at(i)); i++) {
		char path[160];
		example_path(r->path, path, sizeof(path));
		if (r->flags & GW_API_LOCAL) {
			assert_int_equal(as(f, GW_ROLE_OWNER, r->method, path, NULL), 404);
			continue;
		}
		for (int role = GW_ROLE_NONE; role < GW_ROLE_COUNT; role++) {
			/* Guests see lists (filtered), but not a device that is not theirs. */
			bool ok = row_allows(r, (enum gw_role)role, !strstr(r->path, "{device}"));
			unsigned calls = f->g.calls;
			int http = as(f, (enum gw_role)role, r->method, path, "[]");
			int refused = role == GW_ROLE_NONE ? 401 : 403;
			if (r->action == GW_DO_CLAIM) {
				assert_int_equal(http, role > GW_ROLE_OWNER ? 403 : 409);
			} else if (ok && http == refused) {
				fail_msg("%s %s refuses %s", r->method, r->path,
					 gw_role_name((enum gw_role)role));
			} else if (!ok && http != refused) {
				fail_msg("%s %s answers %d to %s", r->method, r->path, http,
					 gw_role_name((enum gw_role)role));
			}
			if (!ok) {
				assert_int_equal(f->g.calls, calls);
			}
		}
	}
}

static void nobody_gets_in_with_what_is_over(void **state)
{
	struct fixture *f = *state;
	const struct gw_api_route *r;
	f->g.valid = false; /* expired, revoked, changed */
	for (size_t i = 0; (r = gw_api_route_at(i)); i++) {
		char path[160];
		example_path(r->path, path, sizeof(path));
		if (r->action == GW_DO_PUBLIC || r->action == GW_DO_CLAIM) {
			continue;
		}
		int want = r->flags & GW_API_LOCAL ? 404 : 401; /* not even told of */
		for (int role = GW_ROLE_OWNER; role < GW_ROLE_COUNT; role++) {
			assert_int_equal(as(f, (enum gw_role)role, r->method, path, NULL), want);
		}
	}
	assert_int_equal(f->g.calls, 0);
}

static void administration_needs_a_fresh_login(void **state)
{
	struct fixture *f = *state;
	struct gw_principal p = fake_principal(GW_ROLE_OWNER, false);
	struct gw_api_request r = {.principal = &p};
	assert_int_equal(request(f, &r, "GET", "/api/v1/accounts", NULL), 403);
	assert_has(f->body, "\"code\":\"step-up\"");
	assert_int_equal(request(f, &r, "GET", "/api/v1/devices", NULL), 200);
}

static void an_unclaimed_home_answers_health_and_claim_only(void **state)
{
	struct fixture *f = *state;
	f->g.claimed = false;
	assert_int_equal(as(f, GW_ROLE_NONE, "GET", "/health", NULL), 200);
	assert_has(f->body, "\"claimed\":false");
	assert_int_equal(as(f, GW_ROLE_NONE, "GET", "/api/v1/openapi.json", NULL), 403);
	assert_has(f->body, "\"code\":\"unclaimed\"");
	assert_int_equal(as(f, GW_ROLE_MEMBER, "GET", "/api/v1/devices", NULL), 403);
	assert_int_equal(local(f, "GET", "/api/v1/claim", NULL), 200);
	assert_string_equal(f->body, "{\"claimed\":false,\"code\":\"ABCD-EFGH\"}");
	assert_int_equal(local(f, "POST", "/api/v1/claim/open", NULL), 200);
	as(f, GW_ROLE_NONE, "POST", "/api/v1/claim",
	   "{\"code\":\"ABCD-EFGH\",\"account\":\"anna\",\"password\":\"correct horse\"}");
	assert_non_null(f->call);
	fake_home_login_end(&f->g);
	assert_int_equal(f->http, 201);
	assert_has(f->body, "\"token\":\"" FAKE_TOKEN "owner\"");
	f->g.claimed = true;
	assert_int_equal(local(f, "POST", "/api/v1/claim/open", NULL), 409);
}

/* --- answers have the shape that the document promises --- */

static void conforms(struct fixture *f, const char *schema)
{
	struct gw_arena *arena = gw_arena_new(64u << 20);
	static const struct gw_node_limits limits = {.max_depth = 32};
	struct gw_node *n = NULL;
	struct gw_error e = {0};
	assert_int_equal(gw_node_parse_json(arena, gw_str(f->body), &limits, &n, &e), 0);
	if (gw_api_schema_check(gw_api_schema_find(schema), n, &e)) {
		fail_msg("%s: %s at %s in\n%s", schema, e.text, e.at, f->body);
	}
	gw_arena_free(arena);
}

static void every_answer_conforms_to_its_schema(void **state)
{
	struct fixture *f = *state;
	static const char *const rows[][4] = {
		{"GET", "/health", NULL, "Health"},
		{"GET", "/api/v1/me", NULL, "Me"},
		{"GET", "/api/v1/home", NULL, "Home"},
		{"GET", "/api/v1/doctor", NULL, "Doctor"},
		{"GET", "/api/v1/journey", NULL, "Journey"},
		{"GET", "/api/v1/devices", NULL, "DeviceList"},
		{"GET", "/api/v1/devices/plug", NULL, "DeviceFull"},
		{"GET", "/api/v1/devices/plug/state", NULL, "DeviceState"},
		{"GET", "/api/v1/devices/plug/properties/light/level.value", NULL, "Property"},
		{"GET", "/api/v1/devices/plug/properties/main/switch.on_for", NULL, "Property"},
		{"PATCH", "/api/v1/devices/plug", "{\"name\":\"灯\",\"room\":\"\"}", "DeviceFull"},
		{"PUT", "/api/v1/devices/plug/properties/main/switch.on", "{\"value\":true}",
		 "Outcome"},
		{"POST", "/api/v1/devices/plug/commands", "{\"set\":{\"switch.on\":true}}",
		 "Outcome"},
		{"GET", "/api/v1/candidates", NULL, "CandidateList"},
		{"POST", "/api/v1/candidates/c0ffee/adopt", "{\"vars\":{\"key\":\"s\"}}",
		 "DeviceFull"},
		{"POST", "/api/v1/candidates/c0ffee/dismiss", NULL, "Empty"},
		{"POST", "/api/v1/scan", "{\"seconds\":5}", "Empty"},
		{"GET", "/api/v1/rooms", NULL, "RoomList"},
		{"POST", "/api/v1/rooms", "{\"name\":\"Attic\"}", "Room"},
		{"PATCH", "/api/v1/rooms/kitchen", "{\"name\":\"Kitchen\"}", "Room"},
		{"DELETE", "/api/v1/rooms/kitchen", NULL, "Empty"},
		{"POST", "/api/v1/accounts",
		 "{\"id\":\"bo\",\"role\":\"guest\",\"password\":\"correct horse\",\"expires_in\":\"8h\","
		 "\"devices\":[\"plug\",\"lamp\"]}",
		 "Account"},
		{"GET", "/api/v1/accounts", NULL, "AccountList"},
		{"PATCH", "/api/v1/accounts/bo", "{\"role\":\"member\"}", "Account"},
		{"POST", "/api/v1/tokens", "{\"name\":\"ha\",\"scope\":[\"see\",\"operate\"]}",
		 "TokenSecret"},
		{"GET", "/api/v1/tokens", NULL, "TokenList"},
		{"DELETE", "/api/v1/tokens/t1", NULL, "Empty"},
		{"GET", "/api/v1/model/capabilities", NULL, "ModelCapabilities"},
		{"GET", "/api/v1/model/device-types", NULL, "ModelTypes"},
		{"GET", "/api/v1/profiles", NULL, "ProfileList"},
		{"DELETE", "/api/v1/devices/plug", NULL, "Empty"},
	};
	for (size_t i = 0; i < gw_countof(rows); i++) {
		int http = as(f, GW_ROLE_OWNER, rows[i][0], rows[i][1], rows[i][2]);
		if (http != 200 && http != 201) {
			fail_msg("%s %s: %d %s", rows[i][0], rows[i][1], http, f->body);
		}
		if (strlen(f->body) + 1 < sizeof(f->body)) { /* the model is longer than we keep */
			conforms(f, rows[i][3]);
		}
	}
	assert_int_equal(as(f, GW_ROLE_OWNER, "DELETE", "/api/v1/accounts/bo", NULL), 409);
	conforms(f, "Error");
	f->g.outcome = GW_STATUS_REFUSED;
	assert_int_equal(as(f, GW_ROLE_OWNER, "PUT",
			    "/api/v1/devices/lamp/properties/main/switch.on", "{\"value\":3}"),
			 422);
	conforms(f, "Outcome");
}

static void state_is_written_in_units_and_with_its_place_in_time(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(as(f, GW_ROLE_OWNER, "GET", "/api/v1/devices/plug/state", NULL), 200);
	assert_string_equal(
		f->body,
		"{\"device\":\"plug\",\"online\":true,\"state\":{"
		"\"switch.on\":{\"value\":false,\"quality\":\"ok\",\"time\":\"2023-11-14T22:13:20.000Z\"},"
		"\"light/level.value\":{\"value\":21.5,\"quality\":\"ok\",\"time\":\"2023-11-14T22:13:20.000Z\"},"
		"\"x.fake.lock\":{\"value\":false,\"quality\":\"ok\",\"time\":\"2023-11-14T22:13:20.000Z\"},"
		"\"occupancy.detected\":{\"value\":false,\"quality\":\"ok\",\"time\":\"2023-11-14T22:13:20.000Z\"}},"
		"\"epoch\":\"abc123\",\"seq\":7}");
	assert_int_equal(f->seq, 7);
	assert_int_equal(as(f, GW_ROLE_OWNER, "GET", "/api/v1/devices?room=kitchen", NULL), 200);
	assert_has(f->body, "\"id\":\"plug\"");
	assert_has_not(f->body, "\"id\":\"lamp\"");
	assert_int_equal(as(f, GW_ROLE_OWNER, "GET", "/api/v1/devices?type=fan", NULL), 200);
	assert_has(f->body, "\"devices\":[]");
}

static void presence_is_not_for_everybody(void **state)
{
	struct fixture *f = *state;
	static const char *const paths[] = {"/api/v1/devices", "/api/v1/devices/lamp",
					    "/api/v1/devices/lamp/state"};
	for (size_t i = 0; i < gw_countof(paths); i++) {
		assert_int_equal(as(f, GW_ROLE_MEMBER, "GET", paths[i], NULL), 200);
		assert_has(f->body, "occupancy.detected");
		for (int role = GW_ROLE_GUEST; role <= GW_ROLE_TOKEN; role++) {
			assert_int_equal(as(f, (enum gw_role)role, "GET", paths[i], NULL), 200);
			assert_has_not(f->body, "occupancy.detected");
			assert_has_not(f->body, "x.fake.lock");
			assert_has(f->body, "switch.on");
		}
	}
	static const char one[] = "/api/v1/devices/lamp/properties/main/occupancy.detected";
	assert_int_equal(as(f, GW_ROLE_MEMBER, "GET", one, NULL), 200);
	assert_int_equal(as(f, GW_ROLE_INSTALLER, "GET", one, NULL), 404);
	/* The journey of such a device keeps its payload from the installer. */
	assert_int_equal(as(f, GW_ROLE_MEMBER, "GET", "/api/v1/journey?device=plug", NULL), 200);
	assert_has(f->body, "\"raw\":\"ON\xef\xbf\xbd\"");
	assert_has(f->body, "switch.on <- POWER: true");
	assert_int_equal(as(f, GW_ROLE_INSTALLER, "GET", "/api/v1/journey?device=plug", NULL), 200);
	assert_has(f->body, "\"raw\":\"\"");
	assert_has_not(f->body, "POWER: true");
}

static void guests_see_their_devices_only(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(as(f, GW_ROLE_GUEST, "GET", "/api/v1/devices", NULL), 200);
	assert_has(f->body, "\"id\":\"lamp\"");
	assert_has_not(f->body, "\"id\":\"plug\"");
	assert_int_equal(as(f, GW_ROLE_GUEST, "GET", "/api/v1/devices/plug", NULL), 403);
	/* What is not there looks the same as what is not theirs. */
	assert_int_equal(as(f, GW_ROLE_GUEST, "GET", "/api/v1/devices/nothing/state", NULL), 404);
	assert_int_equal(as(f, GW_ROLE_GUEST, "GET", "/api/v1/home", NULL), 200);
	assert_has(f->body, "\"devices\":1");
	assert_has_not(f->body, "adapters");
}

/* --- requests that are refused --- */

static void paths_methods_and_queries_are_closed_sets(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(as(f, GW_ROLE_OWNER, "GET", "/api/v1/nothing", NULL), 404);
	assert_int_equal(as(f, GW_ROLE_OWNER, "GET", "/api/v1/devices/", NULL), 404);
	assert_int_equal(as(f, GW_ROLE_OWNER, "GET", "/api/v1//devices", NULL), 404);
	assert_int_equal(as(f, GW_ROLE_OWNER, "PUT", "/api/v1/devices/plug", NULL), 405);
	assert_string_equal(f->allow, "GET, PATCH, DELETE");
	assert_int_equal(as(f, GW_ROLE_OWNER, "GET", "/api/v1/devices?rom=1", NULL), 400);
	assert_int_equal(as(f, GW_ROLE_OWNER, "GET", "/api/v1/journey?limit=0", NULL), 400);
	assert_int_equal(as(f, GW_ROLE_OWNER, "GET", "/api/v1/journey?limit=1025", NULL), 400);
	assert_int_equal(as(f, GW_ROLE_OWNER, "GET", "/api/v1/journey?limit=1", NULL), 200);
	assert_has_not(f->body, "\"lamp\"");
	assert_int_equal(as(f, GW_ROLE_OWNER, "GET", "/api/v1/devices/none", NULL), 404);
	assert_int_equal(as(f, GW_ROLE_OWNER, "PATCH", "/api/v1/rooms/UPPER", "{\"name\":\"x\"}"),
			 404);
}

static void bodies_are_checked_before_anything_happens(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *method, *path, *body, *at;
	} rows[] = {
		{"PATCH", "/api/v1/devices/plug", "{", ""},
		{"PATCH", "/api/v1/devices/plug", "[]", ""},
		{"PATCH", "/api/v1/devices/plug", "{\"name\":1}", "/name"},
		{"PATCH", "/api/v1/devices/plug", "{\"name\":null}", "/name"},
		{"PATCH", "/api/v1/devices/plug", "{\"nam\":\"x\"}", "/nam"},
		{"PATCH", "/api/v1/devices/plug", "{\"name\":\"a\",\"name\":\"b\"}", "/name"},
		{"PATCH", "/api/v1/devices/plug", "{\"name\":\"a\\u0000b\"}", "/name"},
		{"DELETE", "/api/v1/devices/plug", "{\"force\":true}", ""},
		{"POST", "/api/v1/rooms", "{}", ""},
		{"POST", "/api/v1/rooms", NULL, ""},
		{"POST", "/api/v1/scan", "{\"seconds\":301}", "/seconds"},
		{"POST", "/api/v1/scan", "{\"seconds\":1.5}", "/seconds"},
		{"POST", "/api/v1/tokens", "{\"name\":\"x\",\"scope\":[\"all\"]}", "/scope/0"},
		{"POST", "/api/v1/tokens", "{\"name\":\"x\",\"scope\":[]}", "/scope"},
		{"POST", "/api/v1/tokens",
		 "{\"name\":\"x\",\"scope\":[\"see\"],\"expires_in\":\"soon\"}", "/expires_in"},
		{"POST", "/api/v1/tokens",
		 "{\"name\":\"x\",\"scope\":[\"see\"],\"devices\":[\"a b\"]}", "devices"},
		{"POST", "/api/v1/accounts",
		 "{\"id\":\"B o\",\"role\":\"guest\",\"password\":\"x\"}", "/id"},
		{"POST", "/api/v1/accounts", "{\"id\":\"bo\",\"role\":\"god\",\"password\":\"x\"}",
		 "/role"},
		{"POST", "/api/v1/accounts",
		 "{\"id\":\"bo\",\"role\":\"token\",\"password\":\"x\"}", "/role"},
		{"POST", "/api/v1/devices/plug/commands", "{}", ""},
		{"POST", "/api/v1/devices/plug/commands", "{\"set\":{}}", "/set"},
		{"POST", "/api/v1/devices/plug/commands",
		 "{\"set\":{\"switch.on\":1},\"action\":\"x\"}", ""},
		{"POST", "/api/v1/devices/plug/commands", "{\"set\":{\"switch.on\":1},\"args\":{}}",
		 ""},
	};
	for (size_t i = 0; i < gw_countof(rows); i++) {
		int http = as(f, GW_ROLE_OWNER, rows[i].method, rows[i].path, rows[i].body);
		char at[64];
		snprintf(at, sizeof(at), "\"at\":\"%s\"", rows[i].at);
		if (http != 400 || !strstr(f->body, at)) {
			fail_msg("%s %s: %d %s", rows[i].path, rows[i].body ? rows[i].body : "",
				 http, f->body);
		}
		conforms(f, "Error");
	}
	assert_int_equal(f->g.calls, 0);
}

static int set_with(struct fixture *f, const char *before, const char *fill, size_t n,
		    const char *after)
{
	struct gw_buf b = GW_BUF_INIT(2u << 20);
	gw_buf_puts(&b, before);
	for (size_t i = 0; i < n; i++) {
		gw_buf_puts(&b, fill);
	}
	gw_buf_puts(&b, after);
	int http = as(f, GW_ROLE_OWNER, "POST", "/api/v1/devices/plug/commands", b.p);
	gw_buf_fini(&b);
	return http;
}

/* security-rules §3: at the limit and above it. */
static void json_limits_hold(void **state)
{
	struct fixture *f = *state;
	static const char open[] = "{\"set\":{\"a\":";
	char lists[64];
	memset(lists, ']', sizeof(lists));
	snprintf(lists + GW_BODY_DEPTH - 2, 8, "}}");
	assert_int_equal(set_with(f, open, "[", GW_BODY_DEPTH - 2, lists), 200);
	memset(lists, ']', sizeof(lists));
	snprintf(lists + GW_BODY_DEPTH - 1, 8, "}}");
	assert_int_equal(set_with(f, open, "[", GW_BODY_DEPTH - 1, lists), 400);

	assert_int_equal(set_with(f, "{\"set\":{\"a\":\"", "x", GW_BODY_TEXT_BYTES, "\"}}"), 200);
	assert_int_equal(set_with(f, "{\"set\":{\"a\":\"", "x", GW_BODY_TEXT_BYTES + 1, "\"}}"),
			 400);

	/* Three nodes stand around the list, one more behind the repeated ones. */
	assert_int_equal(set_with(f, "{\"set\":{\"a\":[", "0,", GW_BODY_NODES - 4, "0]}}"), 200);
	assert_int_equal(set_with(f, "{\"set\":{\"a\":[", "0,", GW_BODY_NODES - 3, "0]}}"), 400);

	assert_int_equal(set_with(f, "{\"set\":{\"a\":1}", " ", GW_HTTP_BODY_BYTES - 15, "}"), 200);
	assert_int_equal(set_with(f, "{\"set\":{\"a\":1}", " ", GW_HTTP_BODY_BYTES - 14, "}"), 400);
}

static void lost_changes_are_noticed(void **state)
{
	struct fixture *f = *state;
	struct gw_principal p = fake_principal(GW_ROLE_OWNER, true);
	struct gw_api_request r = {.principal = &p};
	assert_int_equal(request(f, &r, "GET", "/api/v1/devices/plug", NULL), 200);
	assert_int_equal(f->etag, 1);
	static const struct {
		const char *tag;
		int http;
	} rows[] = {{"\"7\"", 409}, {"x", 409},	      {"\"\"", 409}, {"\"1\"", 200},
		    {"\"1\"", 409}, {"W/\"2\"", 200}, {"3", 200},    {"*", 200}};
	for (size_t i = 0; i < gw_countof(rows); i++) {
		r.if_match = gw_str(rows[i].tag);
		assert_int_equal(
			request(f, &r, "PATCH", "/api/v1/devices/plug", "{\"name\":\"Plug\"}"),
			rows[i].http);
	}
	/* A room that does not exist: nothing is changed. */
	r.if_match = (struct gw_str){0};
	assert_int_equal(request(f, &r, "PATCH", "/api/v1/devices/plug",
				 "{\"name\":\"Other\",\"room\":\"moon\"}"),
			 404);
	assert_string_equal(f->g.devices[0].d.name, "Plug");
}

/* --- commands --- */

static void commands_carry_values_keys_and_outcomes(void **state)
{
	struct fixture *f = *state;
	struct gw_principal p = fake_principal(GW_ROLE_OWNER, true);
	struct gw_api_request r = {.principal = &p, .key = GW_STR("k1")};
	assert_int_equal(request(f, &r, "POST", "/api/v1/devices/plug/commands",
				 "{\"set\":{\"switch.on\":true,\"light/level.value\":21.5}}"),
			 200);
	assert_string_equal(f->g.commands[0].text, "plug:switch.on=true;light/level.value=21.5;");
	assert_string_equal(f->g.commands[0].key, "1:owner:k1");
	assert_string_equal(f->body, "{\"id\":\"100\",\"status\":\"done\",\"reason\":\"\",\"text\":"
				     "\"Done.\",\"address\":\"\",\"elapsed_us\":1234}");
	r.key = (struct gw_str){0};
	assert_int_equal(
		request(f, &r, "POST", "/api/v1/devices/plug/commands",
			"{\"id\":\"k2\",\"action\":\"switch.on_for\",\"args\":{\"seconds\":5}}"),
		200);
	assert_string_equal(f->g.commands[1].text, "plug:switch.on_for({\"seconds\":5})");
	assert_string_equal(f->g.commands[1].key, "1:owner:k2");
	assert_int_equal(request(f, &r, "PUT", "/api/v1/devices/plug/properties/light/level.value",
				 "{\"value\":50}"),
			 200);
	assert_string_equal(f->g.commands[2].text, "plug:light/level.value=50;");

	f->g.outcome = GW_STATUS_REFUSED;
	f->g.reason = "range";
	f->g.text = "101 % is above the highest allowed, 100 %";
	assert_int_equal(request(f, &r, "PUT", "/api/v1/devices/plug/properties/main/switch.on",
				 "{\"value\":1}"),
			 422);
	assert_has(f->body, "\"reason\":\"range\",\"text\":\"The device cannot do this: 101 % is "
			    "above the highest allowed, 100 %\"");
	assert_has(f->body, "\"error\":{\"code\":\"refused\"");
	r.chinese = true;
	assert_int_equal(request(f, &r, "PUT", "/api/v1/devices/plug/properties/main/switch.on",
				 "{\"value\":1}"),
			 422);
	assert_has(f->body, "\"text\":\"设备不支持这个操作或数值：101 % 高于允许的最大值 100 %\"");
	f->g.text = "between 0 and 100 %"; /* nobody's words: as they are */
	assert_int_equal(request(f, &r, "PUT", "/api/v1/devices/plug/properties/main/switch.on",
				 "{\"value\":1}"),
			 422);
	assert_has(f->body, "\"text\":\"设备不支持这个操作或数值：between 0 and 100 %\"");
}

static void a_command_may_outlive_its_client(void **state)
{
	struct fixture *f = *state;
	f->g.hold = true;
	static const char path[] = "/api/v1/devices/plug/commands";
	static const char body[] = "{\"set\":{\"switch.on\":true}}";
	as(f, GW_ROLE_OWNER, "POST", path, body);
	assert_non_null(f->call);
	fake_home_outcome(&f->g, 0, GW_STATUS_TIMEOUT);
	assert_int_equal(f->http, 504);
	assert_int_equal(f->replies, 1);

	as(f, GW_ROLE_OWNER, "POST", path, body); /* the client leaves, the command ends */
	gw_api_cancel(f->call);
	fake_home_outcome(&f->g, 1, GW_STATUS_DONE);
	assert_int_equal(f->replies, 1);

	as(f, GW_ROLE_OWNER, "POST", path, body); /* the surface goes, the command ends */
	gw_api_free(f->api);
	f->api = NULL;
	fake_home_outcome(&f->g, 2, GW_STATUS_DONE);
	assert_int_equal(f->replies, 1);
}

static void logins_give_a_token_or_a_cookie(void **state)
{
	struct fixture *f = *state;
	as(f, GW_ROLE_NONE, "POST", "/api/v1/login",
	   "{\"account\":\"anna\",\"password\":\"correct horse\",\"cookie\":true}");
	assert_string_equal(f->g.login_source, "192.0.2.1");
	fake_home_login_end(&f->g);
	assert_int_equal(f->http, 200);
	assert_string_equal(f->session, FAKE_TOKEN "owner");
	assert_has_not(f->body, FAKE_TOKEN);
	conforms(f, "Session");
	as(f, GW_ROLE_NONE, "POST", "/api/v1/login",
	   "{\"account\":\"anna\",\"password\":\"wrong\"}");
	fake_home_login_end(&f->g);
	assert_int_equal(f->http, 401);
	struct gw_api_request r = {.token = FAKE_TOKEN "owner"};
	assert_int_equal(request(f, &r, "POST", "/api/v1/logout", NULL), 200);
	assert_string_equal(f->session, "");
	assert_int_equal(f->g.logouts, 1);
	assert_int_equal(as(f, GW_ROLE_NONE, "POST", "/api/v1/logout", NULL), 401);
}

static void metrics_are_prometheus_text(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(as(f, GW_ROLE_OWNER, "GET", "/metrics", NULL), 200);
	assert_string_equal(f->type, "text/plain; version=0.0.4; charset=utf-8");
	assert_string_equal(f->body, "# HELP hearth_devices Devices\n# TYPE hearth_devices gauge\n"
				     "hearth_devices 2\n"
				     "# HELP hearth_messages_total Messages\n"
				     "# TYPE hearth_messages_total counter\n"
				     "hearth_messages_total{adapter=\"mq\\\"tt\"} 10\n"
				     "hearth_messages_total{adapter=\"coap\"} 5\n");
}

/* --- targets and languages --- */

static void targets_are_decoded_strictly(void **state)
{
	(void)state;
	struct gw_api_target t;
	assert_int_equal(gw_api_target_parse(GW_STR("/a/b%20c?x=1%262&y=a+b&z"), &t), 0);
	assert_true(gw_str_is(t.path, "/a/b c"));
	assert_int_equal(t.n_query, 3);
	assert_true(gw_str_is(t.query[0].value, "1&2"));
	assert_true(gw_str_is(t.query[1].value, "a b"));
	assert_true(gw_str_is(t.query[2].name, "z"));
	assert_true(gw_str_is(t.query[2].value, ""));
	static const char *const bad[] = {
		"",	 "a",	 "/%",	  "/%2",   "/%zz",   "/a%2fb",	  "/a%00",
		"/a\nb", "/%ff", "/?a=%", "/?%0a", "/a%7f",  "/\xc3\x28", "/?a=\x01",
		"/%2g",	 "/%/2", "/%g2",  "/%:0",  "/?a%=1", "/?%ff=1",	  "a/b",
	};
	for (size_t i = 0; i < gw_countof(bad); i++) {
		assert_int_not_equal(gw_api_target_parse(gw_str(bad[i]), &t), 0);
	}
	assert_int_equal(gw_api_target_parse(GW_STR("/a+b?&%4A%6b+=1+&&c=%2F&"), &t), 0);
	assert_true(gw_str_is(t.path, "/a+b")); /* a plus is a space in parameters only */
	assert_int_equal(t.n_query, 2);
	assert_true(gw_str_is(t.query[0].name, "Jk "));
	assert_true(gw_str_is(t.query[0].value, "1 "));
	assert_true(gw_str_is(t.query[1].value, "/"));
	char many[256] = "/?";
	for (int i = 0; i < GW_API_PARAMS; i++) {
		snprintf(many + strlen(many), sizeof(many) - strlen(many), "a%d=1&", i);
	}
	assert_int_equal(gw_api_target_parse(gw_str(many), &t), 0);
	snprintf(many + strlen(many), sizeof(many) - strlen(many), "b=1");
	assert_int_not_equal(gw_api_target_parse(gw_str(many), &t), 0);
	char longest[sizeof(t.text) + 2];
	memset(longest, 'a', sizeof(longest));
	longest[0] = '/';
	assert_int_equal(gw_api_target_parse((struct gw_str){longest, sizeof(t.text)}, &t), 0);
	assert_int_not_equal(gw_api_target_parse((struct gw_str){longest, sizeof(t.text) + 1}, &t),
			     0);
}

static void the_language_is_the_one_preferred(void **state)
{
	(void)state;
	assert_true(gw_api_wants_chinese(GW_STR("zh-CN")));
	assert_true(gw_api_wants_chinese(GW_STR("fr, zh;q=0.9, en;q=0.8")));
	assert_false(gw_api_wants_chinese(GW_STR("en-GB, zh;q=0.9")));
	assert_false(gw_api_wants_chinese(GW_STR("zh;q=0")));
	assert_false(gw_api_wants_chinese(GW_STR("")));
	assert_false(gw_api_wants_chinese(GW_STR("zh;q=x")));
	/* of several ranges of one language the best counts, in whatever order */
	assert_true(gw_api_wants_chinese(GW_STR("zh-TW;q=0.5, zh;q=0.9, zh-HK;q=0.1, en;q=0.8")));
	assert_false(gw_api_wants_chinese(GW_STR("en;q=0.5, en-GB;q=0.9, en-US;q=0.1, zh;q=0.8")));
	assert_true(gw_api_wants_chinese(GW_STR(" zh ; level=1 , en;q=0.9")));
}

/* --- streams --- */

static int woken;
static void on_wake(void *ctx)
{
	(void)ctx;
	woken++;
}

static const char *next(struct fixture *f, char *ret_id)
{
	static char text[4096];
	struct gw_str s;
	if (!gw_api_stream_next(f->stream, &s, ret_id, 64)) {
		return NULL;
	}
	snprintf(text, sizeof(text), GW_STR_FMT, GW_STR_ARG(s));
	return text;
}

static void open_stream(struct fixture *f, enum gw_role role, const char *target)
{
	gw_api_stream_close(f->stream);
	f->stream = NULL;
	assert_int_equal(as(f, role, "GET", target, NULL), 200);
	assert_non_null(f->stream);
	gw_api_stream_attach(f->stream, on_wake, f);
	woken = 0;
}

static void events_come_in_order_with_their_ids(void **state)
{
	struct fixture *f = *state;
	char id[64];
	open_stream(f, GW_ROLE_OWNER, "/api/v1/events");
	assert_string_equal(next(f, id), "{\"type\":\"hello\",\"epoch\":\"abc123\",\"seq\":7}");
	assert_string_equal(id, "abc123:7");
	assert_null(next(f, id));
	fake_home_change(&f->g, 0, FAKE_SWITCH, true);
	assert_int_equal(woken, 1);
	const char *e = next(f, id);
	assert_string_equal(e, "{\"type\":\"property\",\"epoch\":\"abc123\",\"seq\":8,"
			       "\"time\":\"2023-11-14T22:13:20.000Z\",\"device\":\"plug\","
			       "\"component\":\"main\",\"capability\":\"switch.on\",\"address\":"
			       "\"switch.on\",\"value\":true,\"quality\":\"ok\",\"cause\":\"2f\"}");
	snprintf(f->body, sizeof(f->body), "%s", e);
	conforms(f, "Event");
	assert_string_equal(id, "abc123:8");
	static const enum gw_event_type types[] = {
		GW_EVENT_HAPPENED,	 GW_EVENT_DEVICE_ADDED, GW_EVENT_DEVICE_CHANGED,
		GW_EVENT_DEVICE_REMOVED, GW_EVENT_CANDIDATE,	GW_EVENT_COMMAND,
		GW_EVENT_HOME,
	};
	for (size_t i = 0; i < gw_countof(types); i++) {
		fake_home_event(&f->g, types[i], 0, FAKE_BUTTON);
	}
	fake_home_flush(&f->g);
	assert_int_equal(woken, 2); /* once for the batch */
	for (size_t i = 0; i < gw_countof(types); i++) {
		snprintf(f->body, sizeof(f->body), "%s", next(f, id));
		conforms(f, "Event");
	}
	assert_null(next(f, id));
}

static void events_go_only_to_those_who_may_see_them(void **state)
{
	struct fixture *f = *state;
	char id[64];
	open_stream(f, GW_ROLE_GUEST, "/api/v1/events"); /* lamp only, no presence */
	assert_non_null(next(f, id));
	fake_home_change(&f->g, 0, FAKE_SWITCH, true);
	fake_home_change(&f->g, 1, FAKE_PRESENCE, true);
	fake_home_event(&f->g, GW_EVENT_CANDIDATE, 0, 0);
	fake_home_change(&f->g, 1, FAKE_SWITCH, true);
	assert_has(next(f, id),
		   "\"device\":\"lamp\",\"component\":\"main\",\"capability\":\"switch.on\"");
	assert_string_equal(id, "abc123:11");
	assert_null(next(f, id));
	/* A device that is gone has no registry entry to ask: the list of the guest decides. */
	f->g.devices[0].d.removed = f->g.devices[1].d.removed = true;
	fake_home_event(&f->g, GW_EVENT_DEVICE_REMOVED, 0, 0);
	fake_home_event(&f->g, GW_EVENT_DEVICE_REMOVED, 1, 0);
	fake_home_flush(&f->g);
	assert_has(next(f, id), "\"device\":\"lamp\"");
	assert_null(next(f, id));
}

static void a_stream_ends_with_the_right_to_it(void **state)
{
	struct fixture *f = *state;
	char id[64];
	open_stream(f, GW_ROLE_TOKEN, "/api/v1/events");
	fake_home_change(&f->g, 0, FAKE_SWITCH, true);
	f->g.valid = false;
	fake_home_event(&f->g, GW_EVENT_HOME, 0, 0); /* a token was revoked */
	fake_home_flush(&f->g);
	assert_true(gw_api_stream_ended(f->stream));
	assert_null(next(f, id)); /* not even what was queued before */
	f->g.valid = true;
	open_stream(f, GW_ROLE_TOKEN, "/api/v1/events");
	f->g.valid = false; /* it expired: nothing happens at the bus, the clock finds it */
	int64_t until = gw_clock_ms() + 5000;
	while (woken == 0 && gw_clock_ms() < until) {
		uv_run(gw_loop_uv(f->loop), UV_RUN_ONCE);
	}
	assert_true(gw_api_stream_ended(f->stream));
}

static void a_slow_client_gets_one_resync(void **state)
{
	struct fixture *f = *state;
	char id[64];
	open_stream(f, GW_ROLE_OWNER, "/api/v1/events");
	for (int i = 0; i < 3000; i++) {
		fake_home_change(&f->g, 0, FAKE_SWITCH, i % 2);
	}
	const char *e = next(f, id);
	assert_has(e, "\"type\":\"resync\"");
	uint64_t at = 0, last = 0;
	assert_int_equal(gw_parse_u64(gw_str(strchr(id, ':') + 1), &at), 0);
	size_t n = 0;
	while ((e = next(f, id))) {
		assert_has(e, "\"type\":\"property\"");
		assert_int_equal(gw_parse_u64(gw_str(strchr(id, ':') + 1), &last), 0);
		assert_int_equal(last,
				 at + ++n); /* without a gap from the point that resync named */
	}
	assert_int_equal(last, f->g.seq);
	assert_true(n < 3000 && n > 100);
	fake_home_change(&f->g, 0, FAKE_SWITCH, true);
	assert_has(next(f, id), "\"type\":\"property\"");
}

static void streams_resume_where_they_stood(void **state)
{
	struct fixture *f = *state;
	char id[64];
	for (int i = 0; i < 5; i++) {
		fake_home_change(&f->g, 0, FAKE_SWITCH, i % 2);
	}
	open_stream(f, GW_ROLE_OWNER, "/api/v1/events?after=abc123:10");
	assert_has(next(f, id), "\"seq\":11");
	assert_has(next(f, id), "\"seq\":12");
	assert_null(next(f, id));
	open_stream(f, GW_ROLE_OWNER, "/api/v1/events?after=abc124:10"); /* another life */
	assert_has(next(f, id), "\"type\":\"resync\"");
	assert_string_equal(id, "abc123:12");
	open_stream(f, GW_ROLE_OWNER, "/api/v1/events?after=abc123:3"); /* no longer kept */
	assert_has(next(f, id), "\"type\":\"resync\"");
	open_stream(f, GW_ROLE_OWNER, "/api/v1/events?after=abc123:99"); /* not yet happened */
	assert_has(next(f, id), "\"type\":\"resync\"");
	open_stream(f, GW_ROLE_OWNER, "/api/v1/events?device=lamp,plug&after=abc123:11");
	assert_has(next(f, id), "\"seq\":12");
	open_stream(f, GW_ROLE_OWNER, "/api/v1/events?device=lamp&after=abc123:9");
	assert_null(next(f, id));
	static const char *const bad[] = {"abc123", "x:1", "abc123:", "abc123:x", ":"};
	for (size_t i = 0; i < gw_countof(bad); i++) {
		char target[64];
		snprintf(target, sizeof(target), "/api/v1/events?after=%s", bad[i]);
		assert_int_equal(as(f, GW_ROLE_OWNER, "GET", target, NULL), 400);
	}
}

/* --- channels --- */

struct line {
	char text[8192];
};
static struct line lines[64];
static size_t n_lines;

static void on_send(void *ctx, struct gw_str message)
{
	(void)ctx;
	assert_true(n_lines < gw_countof(lines));
	snprintf(lines[n_lines++].text, sizeof(lines[0].text), GW_STR_FMT, GW_STR_ARG(message));
}

static const struct gw_api_channel_ops channel_ops = {on_send, on_wake};

static struct gw_api_channel *open_channel(struct fixture *f, enum gw_role role)
{
	struct gw_principal p = fake_principal(role, true);
	n_lines = 0;
	struct gw_api_channel *ch = gw_api_channel_new(f->api, &p, false, "test", &channel_ops, f);
	assert_non_null(ch);
	return ch;
}

static const char *say(struct gw_api_channel *ch, const char *message)
{
	size_t before = n_lines;
	assert_int_equal(gw_api_channel_receive(ch, gw_str(message)), 0);
	return n_lines > before ? lines[n_lines - 1].text : NULL;
}

static void a_channel_answers_by_id(void **state)
{
	struct fixture *f = *state;
	struct gw_api_channel *ch = open_channel(f, GW_ROLE_OWNER);
	assert_string_equal(
		say(ch, "{\"id\":1,\"method\":\"GET\",\"path\":\"/api/v1/rooms\"}"),
		"{\"id\":1,\"status\":200,\"body\":{\"rooms\":[{\"id\":\"kitchen\",\"name\":\"厨房\"}]}}");
	assert_has(
		say(ch, "{\"id\":\"a\",\"method\":\"GET\",\"path\":\"/x\",\"language\":\"zh-CN\"}"),
		"{\"id\":\"a\",\"status\":404,\"body\":{\"error\":{\"code\":\"not-found\",\"text\":\"没有找到");
	assert_has(say(ch,
		       "{\"id\":2,\"device\":\"plug\",\"set\":{\"switch.on\":true},\"key\":\"k\"}"),
		   "{\"id\":2,\"status\":200,\"body\":{\"id\":\"100\",\"status\":\"done\"");
	assert_string_equal(f->g.commands[0].text, "plug:switch.on=true;");
	assert_string_equal(f->g.commands[0].key, "1:owner:k");
	assert_has(
		say(ch, "{\"id\":3,\"device\":\"plug\",\"action\":\"switch.on_for\",\"args\":{}}"),
		"\"status\":200");
	assert_has(say(ch, "{\"id\":4,\"device\":\"a/b\",\"action\":\"x\"}"), "\"status\":404");
	/* what is not understood */
	assert_has(say(ch, "{"), "{\"id\":null,\"status\":400");
	assert_has(say(ch, "[]"), "{\"id\":null,\"status\":400");
	assert_has(say(ch, "{\"method\":\"GET\"}"), "{\"id\":null,\"status\":400");
	assert_has(say(ch, "{\"id\":{},\"method\":\"GET\"}"), "{\"id\":null,\"status\":400");
	assert_has(say(ch, "{\"id\":5}"), "{\"id\":5,\"status\":400");
	assert_has(say(ch, "{\"id\":5,\"method\":\"GET\",\"path\":\"x\"}"),
		   "{\"id\":5,\"status\":400");
	assert_has(say(ch, "{\"id\":6,\"cancel\":true}"), "{\"id\":6,\"status\":404");
	gw_api_channel_free(ch);
}

static void a_channel_has_bounds(void **state)
{
	struct fixture *f = *state;
	struct gw_api_channel *ch = open_channel(f, GW_ROLE_OWNER);
	char message[128];
	f->g.hold = true;
	for (int i = 0; i < GW_API_CHANNEL_CALLS; i++) {
		snprintf(message, sizeof(message),
			 "{\"id\":%d,\"device\":\"plug\",\"set\":{\"switch.on\":true}}", i);
		assert_null(say(ch, message));
	}
	assert_has(say(ch, message), "\"status\":409"); /* the same id again */
	assert_has(say(ch, "{\"id\":99,\"method\":\"GET\",\"path\":\"/health\"}"),
		   "{\"id\":99,\"status\":429");
	fake_home_outcome(&f->g, 3, GW_STATUS_DONE);
	assert_has(lines[n_lines - 1].text, "{\"id\":3,\"status\":200");
	assert_has(say(ch, "{\"id\":99,\"method\":\"GET\",\"path\":\"/health\"}"),
		   "{\"id\":99,\"status\":200");
	gw_api_channel_free(ch); /* the others end in silence */
	size_t before = n_lines;
	fake_home_outcome(&f->g, 4, GW_STATUS_DONE);
	assert_int_equal(n_lines, before);
}

static void a_channel_subscribes_and_cancels(void **state)
{
	struct fixture *f = *state;
	struct gw_api_channel *ch = open_channel(f, GW_ROLE_OWNER);
	woken = 0;
	assert_string_equal(say(ch, "{\"id\":1,\"method\":\"GET\",\"path\":\"/api/v1/events\"}"),
			    "{\"id\":1,\"status\":200,\"body\":{}}");
	assert_int_equal(woken, 1);
	assert_true(gw_api_channel_pump(ch));
	assert_has(lines[n_lines - 1].text, "{\"id\":1,\"event\":{\"type\":\"hello\"");
	assert_has(say(ch, "{\"id\":2,\"subscribe\":{\"device\":\"lamp\"}}"), "\"status\":200");
	while (gw_api_channel_pump(ch)) {
	}
	fake_home_change(&f->g, 0, FAKE_SWITCH, true);
	size_t before = n_lines;
	while (gw_api_channel_pump(ch)) {
	}
	assert_int_equal(n_lines, before + 1); /* the plug is not the lamp */
	assert_has(lines[before].text, "{\"id\":1,\"event\":{\"type\":\"property\"");
	assert_has(say(ch, "{\"id\":2,\"subscribe\":{}}"), "\"status\":409");
	assert_has(say(ch, "{\"id\":3,\"subscribe\":{}}"), "\"status\":200");
	assert_has(say(ch, "{\"id\":4,\"subscribe\":{}}"), "\"status\":200");
	assert_has(say(ch, "{\"id\":5,\"subscribe\":{}}"), "{\"id\":5,\"status\":429");
	assert_string_equal(say(ch, "{\"id\":1,\"cancel\":true}"),
			    "{\"id\":1,\"status\":200,\"body\":{}}");
	assert_has(say(ch, "{\"id\":5,\"subscribe\":{\"x\":\"y\"}}"), "\"status\":400");
	assert_has(say(ch, "{\"id\":5,\"subscribe\":{\"after\":1}}"), "\"status\":400");
	f->g.valid = false;
	fake_home_event(&f->g, GW_EVENT_HOME, 0, 0);
	fake_home_flush(&f->g);
	gw_api_channel_pump(ch);
	assert_has(lines[n_lines - 1].text, "\"status\":401");
	gw_api_channel_free(ch);
}

/* --- out of memory: each allocation of a request fails once (R54) --- */

static void survives(struct fixture *f, const char *method, const char *target, const char *body)
{
	for (uint64_t n = 1;; n++) {
		struct gw_principal p = fake_principal(GW_ROLE_OWNER, true);
		struct gw_api_target t;
		assert_int_equal(gw_api_target_parse(gw_str(target), &t), 0);
		struct gw_api_request r = {.method = gw_str(method),
					   .path = t.path,
					   .query = t.query,
					   .n_query = t.n_query,
					   .body = gw_str(body ? body : ""),
					   .principal = &p,
					   .source = ""};
		int before = f->replies;
		uint64_t used = gw_alloc_count();
		gw_alloc_fail_at(n);
		int err = gw_api_start(f->api, &r, on_reply, f, &f->call);
		gw_alloc_fail_at(0);
		assert_int_equal(f->replies, before + (err ? 0 : 1));
		if (!err && gw_alloc_count() - used < n) {
			assert_true(f->http == 200 || f->http == 201);
			return;
		}
		assert_true(n < 1000);
	}
}

static void running_out_of_memory_is_an_answer(void **state)
{
	struct fixture *f = *state;
	survives(f, "GET", "/api/v1/devices", NULL);
	survives(f, "GET", "/api/v1/profiles", NULL);
	survives(f, "GET", "/api/v1/events?after=abc123:7", NULL);
	survives(f, "POST", "/api/v1/devices/plug/commands", "{\"set\":{\"switch.on\":true}}");
	survives(f, "POST", "/api/v1/candidates/c0ffee/adopt", "{\"vars\":{\"key\":\"s\"}}");
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(each_row_refuses_whom_it_must),
		T(nobody_gets_in_with_what_is_over),
		T(administration_needs_a_fresh_login),
		T(an_unclaimed_home_answers_health_and_claim_only),
		T(every_answer_conforms_to_its_schema),
		T(state_is_written_in_units_and_with_its_place_in_time),
		T(presence_is_not_for_everybody),
		T(guests_see_their_devices_only),
		T(paths_methods_and_queries_are_closed_sets),
		T(bodies_are_checked_before_anything_happens),
		T(json_limits_hold),
		T(lost_changes_are_noticed),
		T(commands_carry_values_keys_and_outcomes),
		T(a_command_may_outlive_its_client),
		T(logins_give_a_token_or_a_cookie),
		T(metrics_are_prometheus_text),
		T(targets_are_decoded_strictly),
		T(the_language_is_the_one_preferred),
		T(events_come_in_order_with_their_ids),
		T(events_go_only_to_those_who_may_see_them),
		T(a_stream_ends_with_the_right_to_it),
		T(a_slow_client_gets_one_resync),
		T(streams_resume_where_they_stood),
		T(a_channel_answers_by_id),
		T(a_channel_has_bounds),
		T(a_channel_subscribes_and_cancels),
		T(running_out_of_memory_is_an_answer),
	};
	return cmocka_run_group_tests_name("api", tests, NULL, NULL);
}
