/* The authorization table, row by row for every role, with and without step-up, list, scope, expiry (security-rules §2, R49). */
#include "gw/access.h"

#include <string.h>

#include "gw/clock.h"
#include "gw/home.h"
#include "gw_test.h"

/* What account.c and registry.c say in the gateway. */
static bool claimed, valid;
struct gw_device {
	const char *id;
};

bool gw_home_claimed(struct gw_gateway *g)
{
	(void)g;
	return claimed;
}

bool gw_principal_valid(struct gw_gateway *g, const struct gw_principal *p)
{
	(void)g;
	return p && valid;
}

void gw_device_info(const struct gw_device *d, struct gw_device_info *ret_info)
{
	*ret_info = (struct gw_device_info){.id = d->id};
}

static const struct gw_device lamp = {"lamp"}, door = {"door"};

static int setup(void **state)
{
	(void)state;
	claimed = valid = true;
	return 0;
}

/*
 * One letter for each action in the order of enum gw_action: what happens when everything speaks for it (fresh, listed, all scopes).
 * y done, s step-up without a fresh login, l only a listed device, k listed and fresh, c by scope, - denied, x conflict (claimed).
 */
static const struct {
	enum gw_role role;
	const char *answers;
} matrix[] = {
	{GW_ROLE_OWNER, "yxyyysyyys"}, {GW_ROLE_MEMBER, "y-yyysy-y-"},
	{GW_ROLE_GUEST, "y-l-lk----"}, {GW_ROLE_INSTALLER, "y-y-y--yy-"},
	{GW_ROLE_TOKEN, "y-cccc--c-"},
};

static enum gw_status ask(const struct gw_principal *p, int action, const struct gw_device *d)
{
	return gw_access_decide(NULL, p, (enum gw_action)action, d);
}

static void check_letter(struct gw_principal p, int action, char letter)
{
	p.fresh_until_ms = gw_clock_ms() + 1000;
	bool done = strchr("yslkc", letter) != NULL;
	assert_int_equal(ask(&p, action, &lamp), done		 ? GW_STATUS_DONE
						 : letter == 'x' ? GW_STATUS_CONFLICT
								 : GW_STATUS_DENIED);
	p.fresh_until_ms = gw_clock_ms();
	bool fresh = strchr("sk", letter) != NULL;
	if (done) {
		assert_int_equal(ask(&p, action, &lamp),
				 fresh ? GW_STATUS_STEP_UP : GW_STATUS_DONE);
	}
	if (letter == 'l' || letter == 'k') {
		assert_int_equal(ask(&p, action, &door), GW_STATUS_DENIED);
		assert_int_equal(ask(&p, action, NULL),
				 action == GW_DO_SEE ? GW_STATUS_DONE : GW_STATUS_DENIED);
		p.devices[0] = 0;
		assert_int_equal(ask(&p, action, &lamp), GW_STATUS_DENIED);
	}
}

static void test_every_role_and_action(void **state)
{
	(void)state;
	for (size_t r = 0; r < gw_countof(matrix); r++) {
		assert_int_equal(strlen(matrix[r].answers), GW_DO_COUNT);
		struct gw_principal p = {.role = matrix[r].role, .who = "x", .scope = 31};
		if (p.role == GW_ROLE_GUEST) {
			memcpy(p.devices, "fan lamp", 9);
		}
		for (int a = 0; a < GW_DO_COUNT; a++) {
			check_letter(p, a, matrix[r].answers[a]);
		}
	}
}

/* No principal, an invalid one and an impossible one are nobody: public things only. */
static void test_nobody(void **state)
{
	(void)state;
	struct gw_principal gone = {.role = GW_ROLE_OWNER, .who = "x", .fresh_until_ms = INT64_MAX};
	struct gw_principal absurd = gone;
	absurd.role = (enum gw_role)77;
	struct gw_principal none = {0};
	const struct gw_principal *who[] = {NULL, &none, &absurd, &gone};
	for (size_t i = 0; i < gw_countof(who); i++) {
		valid = who[i] != &gone;
		for (int a = 0; a < GW_DO_COUNT; a++) {
			claimed = true;
			assert_int_equal(ask(who[i], a, &lamp),
					 a == GW_DO_PUBLIC  ? GW_STATUS_DONE
					 : a == GW_DO_CLAIM ? GW_STATUS_CONFLICT
							    : GW_STATUS_UNAUTHENTICATED);
			claimed = false;
			assert_int_equal(ask(who[i], a, &lamp),
					 a <= GW_DO_CLAIM ? GW_STATUS_DONE : GW_STATUS_UNCLAIMED);
		}
	}
	struct gw_principal local;
	gw_principal_local(&local);
	valid = claimed = true;
	assert_int_equal(ask(&local, GW_DO_COUNT, NULL), GW_STATUS_DENIED);
	assert_int_equal(ask(&local, -1, NULL), GW_STATUS_DENIED);
}

/* R1: without an owner only the machine's own administrator is served. */
static void test_unclaimed(void **state)
{
	(void)state;
	claimed = false;
	struct gw_principal local, broker;
	gw_principal_local(&local);
	gw_principal_service(&broker, "mqtt", GW_SCOPE_SEE | GW_SCOPE_OPERATE);
	assert_int_equal(ask(&local, GW_DO_ADMINISTER, NULL), GW_STATUS_DONE);
	assert_int_equal(ask(&local, GW_DO_CLAIM, NULL), GW_STATUS_DONE);
	assert_int_equal(ask(&broker, GW_DO_OPERATE, &lamp), GW_STATUS_UNCLAIMED);
	claimed = true;
	assert_int_equal(ask(&broker, GW_DO_OPERATE, &lamp), GW_STATUS_DONE);
	assert_int_equal(ask(&broker, GW_DO_CRITICAL, &lamp), GW_STATUS_DENIED);
	assert_string_equal(broker.who, "mqtt");
}

static void test_tokens_by_scope_and_list(void **state)
{
	static const struct {
		enum gw_action action;
		unsigned scope;
	} rows[] = {
		{GW_DO_SEE, GW_SCOPE_SEE},	     {GW_DO_SEE_PRESENCE, GW_SCOPE_PRESENCE},
		{GW_DO_OPERATE, GW_SCOPE_OPERATE},   {GW_DO_CRITICAL, GW_SCOPE_CRITICAL},
		{GW_DO_DIAGNOSE, GW_SCOPE_DIAGNOSE},
	};
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		struct gw_principal p = {.role = GW_ROLE_TOKEN, .who = "t", .scope = rows[i].scope};
		for (size_t k = 0; k < gw_countof(rows); k++) {
			assert_int_equal(ask(&p, (int)rows[k].action, &lamp),
					 k == i ? GW_STATUS_DONE : GW_STATUS_DENIED);
		}
		p.scope = 31 & ~rows[i].scope;
		assert_int_equal(ask(&p, (int)rows[i].action, &lamp), GW_STATUS_DENIED);
	}
	struct gw_principal p = {.role = GW_ROLE_TOKEN, .who = "t", .scope = 31};
	memcpy(p.devices, "lamp", 5);
	assert_int_equal(ask(&p, GW_DO_OPERATE, &lamp), GW_STATUS_DONE);
	assert_int_equal(ask(&p, GW_DO_OPERATE, &door), GW_STATUS_DENIED);
	assert_int_equal(ask(&p, GW_DO_OPERATE, NULL), GW_STATUS_DENIED);
	assert_int_equal(ask(&p, GW_DO_SEE_PRESENCE, NULL), GW_STATUS_DONE);
	assert_int_equal(ask(&p, GW_DO_SEE, &door), GW_STATUS_DENIED);
}

/* A listed id is a whole word: neither a prefix nor a piece of one. */
static void test_list_words(void **state)
{
	static const struct {
		const char *list;
		bool listed;
	} rows[] = {{"lamp", true},    {" lamp ", true},   {"a lamp", true}, {"lamp a", true},
		    {"lamp-2", false}, {"my-lamp", false}, {"lam p", false}, {"", false},
		    {"   ", false},    {"LAMP", false}};
	(void)state;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		struct gw_principal p = {.role = GW_ROLE_GUEST, .who = "g"};
		memcpy(p.devices, rows[i].list, strlen(rows[i].list) + 1);
		assert_int_equal(ask(&p, GW_DO_SEE, &lamp),
				 rows[i].listed ? GW_STATUS_DONE : GW_STATUS_DENIED);
	}
}

static void test_actions_of_capabilities(void **state)
{
	static const struct {
		uint8_t access;
		enum gw_action action;
	} writes[] = {
		{GW_ACCESS_WRITE, GW_DO_OPERATE},
		{GW_ACCESS_INVOKE, GW_DO_OPERATE},
		{GW_ACCESS_INVOKE | GW_ACCESS_SECURITY, GW_DO_CRITICAL},
		{GW_ACCESS_INVOKE | GW_ACCESS_ADMIN, GW_DO_ADMINISTER},
		{GW_ACCESS_INVOKE | GW_ACCESS_ADMIN | GW_ACCESS_SECURITY, GW_DO_ADMINISTER},
	};
	static const struct {
		const char *id;
		bool presence;
	} reads[] = {
		{"occupancy.detected", true}, {"motion.detected", true},
		{"contact.open", true},	      {"lock.state", true},
		{"closure.state", true},      {"camera.streaming", true},
		{"activity.state", true},     {"bed.occupied", true},
		{"sleep.stage", true},	      {"fall.event", true},
		{"health.steps", true},	      {"security.state", true},
		{"switch.on", false},	      {"meter.power", false},
		{"child_lock.on", false},     {"x.acme.eco", false},
		{"x.acme.door_count", true},  {"x.acme.lock", true},
		{"x.acme.blocked", false},    {"x.acme.sleep", true},
		{"covering.position", false},
	};
	(void)state;
	for (size_t i = 0; i < gw_countof(writes); i++) {
		struct gw_cap_info cap = {.id = "a.b", .access = writes[i].access};
		assert_int_equal(gw_access_action(&cap), writes[i].action);
	}
	for (size_t i = 0; i < gw_countof(reads); i++) {
		struct gw_cap_info cap = {.id = reads[i].id};
		assert_int_equal(gw_access_read_action(&cap),
				 reads[i].presence ? GW_DO_SEE_PRESENCE : GW_DO_SEE);
	}
}

static void test_role_names(void **state)
{
	(void)state;
	for (int r = 0; r < GW_ROLE_COUNT; r++) {
		assert_int_equal(gw_role_find(gw_role_name((enum gw_role)r)), r);
	}
	assert_int_equal(gw_role_find("root"), GW_ROLE_NONE);
	assert_int_equal(gw_role_find(NULL), GW_ROLE_NONE);
	assert_string_equal(gw_role_name((enum gw_role)99), "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_every_role_and_action, setup),
		cmocka_unit_test_setup(test_nobody, setup),
		cmocka_unit_test_setup(test_unclaimed, setup),
		cmocka_unit_test_setup(test_tokens_by_scope_and_list, setup),
		cmocka_unit_test_setup(test_list_words, setup),
		cmocka_unit_test(test_actions_of_capabilities),
		cmocka_unit_test(test_role_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
