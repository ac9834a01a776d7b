/* Commands: rights, checks, confirmation by the device itself, joining, expiry, idempotency, limits. */
#include "gw_test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "home/bus.h"
#include "home/command.h"
#include "home/registry.h"
#include "home/store.h"
#include "live_home.h"
#include "live_profiles.h"

static struct live_home h;

/* What became of the commands of a test, one line each: "status reason address". */
static char outcomes[4096];
static size_t n_outcomes;

static int setup(void **state)
{
	(void)state;
	live_home_open(&h, all_profiles, NULL);
	outcomes[0] = 0;
	n_outcomes = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	live_home_close(&h);
	return 0;
}

static void on_done(void *ctx, const struct gw_outcome *o)
{
	size_t len = strlen(outcomes);

	(void)snprintf(outcomes + len, sizeof(outcomes) - len, "%s%s%s%s%s%s%s", len ? "; " : "",
		       ctx ? (const char *)ctx : "", ctx ? ":" : "", gw_status_row(o->status)->name,
		       o->reason[0] ? " " : "", o->reason, "");
	assert_true(o->text[0] != 0);
	assert_true(o->command_id != 0);
	n_outcomes++;
}

static const char *outcome(void)
{
	static char text[sizeof(outcomes)];

	memcpy(text, outcomes, sizeof(text));
	outcomes[0] = 0;
	n_outcomes = 0;
	return text;
}

struct extra {
	const struct gw_principal *principal;
	const char *key, *tag;
	int64_t expire_ms;
};

/* body: {"switch.on": true} */
static uint64_t write_with(const char *device, const char *body, struct extra x)
{
	struct gw_arena *a = gw_arena_new(65536);
	static const struct gw_node_limits limits = {
		.max_bytes = 65536, .max_depth = 8, .max_nodes = 1000};
	struct gw_node *root;
	struct gw_wanted wanted[80];
	struct gw_error e;
	size_t n = 0;
	uint64_t id = 0;

	assert_int_equal(gw_node_parse_json(a, gw_str(body), &limits, &root, &e), 0);
	gw_node_for(m, root)
	{
		wanted[n++] = (struct gw_wanted){m->key, m};
	}
	const struct gw_command_request r = {
		.principal = x.principal ? x.principal : &h.owner,
		.origin = "test",
		.device = gw_str(device),
		.wanted = wanted,
		.n_wanted = n,
		.key = x.key,
		.expire_ms = x.expire_ms,
	};
	assert_int_equal(gw_command_submit(h.g, &r, on_done, (void *)(uintptr_t)x.tag, &id), 0);
	gw_arena_free(a);
	return id;
}

static uint64_t write_values(const char *device, const char *body)
{
	return write_with(device, body, (struct extra){0});
}

static void act_as(const struct gw_principal *p, const char *device, const char *action)
{
	const struct gw_command_request r = {.principal = p,
					     .origin = "test",
					     .device = gw_str(device),
					     .action = gw_str(action)};

	assert_int_equal(gw_command_submit(h.g, &r, on_done, NULL, NULL), 0);
}

#define assert_property(device, address, text)                                                     \
	assert_string_equal(live_home_property(&h, device, address), text)

static struct gw_device *plug(void)
{
	struct gw_device *d = live_home_add(&h, "p", "test.plug", "topic=a");

	live_home_up(&h);
	played_receive("lwt/a", "Online", true);
	live_home_settle(&h);
	played_receive("stat/a", "{\"on\":false}", false); /* answers the ask that it came online */
	(void)live_home_heard(&h);
	played_clear();
	return d;
}

static struct gw_device *lamp(void)
{
	struct gw_device *d = live_home_add(&h, "l", "test.lamp", "topic=x");

	live_home_up(&h);
	played_receive("lamp/x", "{\"on\":false,\"level\":10}", false);
	live_home_pass(&h, 1000);
	(void)live_home_heard(&h);
	played_clear();
	return d;
}

static struct gw_device *lock(void)
{
	struct gw_device *d = live_home_add(&h, "k", "test.lock", "topic=y");

	live_home_up(&h);
	played_receive("lock/y/lwt", "Online", true);
	live_home_settle(&h);
	(void)live_home_heard(&h);
	played_clear();
	return d;
}

static void done_when_the_device_itself_reports_it(void **state)
{
	(void)state;
	plug();
	uint64_t id = write_values("p", "{\"switch.on\":true}");
	assert_string_equal(played_sent(0), "cmnd/a/set {\"on\":true}");
	assert_string_equal(outcome(), "");
	assert_property("p", "switch.on", "true assumed");
	played_receive("stat/a", "{\"power\":3}", false); /* does not carry it */
	assert_int_equal(n_outcomes, 0);
	assert_property("p", "switch.on", "true assumed");
	played_receive("stat/a", "{\"on\":true}", false);
	assert_string_equal(outcome(), "done");
	assert_property("p", "switch.on", "true ok");
	const char *heard = live_home_heard(&h);
	assert_true(strstr(heard, "property p switch.on=true assumed\n") != NULL);
	assert_true(strstr(heard, "command p done \n") != NULL);
	assert_true(id > ((uint64_t)1 << 40));
	live_home_pass(&h, 60000);
	assert_int_equal(n_outcomes, 0); /* exactly once */
}

static void an_echo_before_the_adapter_is_done_counts(void **state)
{
	(void)state;
	plug();
	played.hold = true;
	write_values("p", "{\"switch.on\":true}");
	played_receive("stat/a", "{\"on\":true}", false);
	assert_int_equal(n_outcomes, 0);
	played_done(0, GW_STATUS_DONE);
	assert_string_equal(outcome(), "done");
	assert_property("p", "switch.on", "true ok");
}

static void what_was_true_before_does_not_confirm(void **state)
{
	(void)state;
	plug();
	played_receive("stat/a", "{\"on\":true}", false);
	write_values("p", "{\"switch.on\":true}");
	assert_int_equal(n_outcomes, 0);
	played_receive("stat/a", "{\"on\":true}", false);
	assert_string_equal(outcome(), "done");
}

static void unconfirmed_after_within_and_back_to_the_reported_value(void **state)
{
	(void)state;
	plug();
	write_values("p", "{\"switch.on\":true}");
	live_home_pass(&h, 1900);
	assert_int_equal(n_outcomes, 0);
	assert_property("p", "switch.on", "true assumed");
	live_home_pass(&h, 200);
	assert_string_equal(outcome(), "unconfirmed");
	assert_property("p", "switch.on", "false ok");
	played_receive("stat/a", "{\"on\":true}", false); /* late: news, not an outcome */
	assert_int_equal(n_outcomes, 0);
	assert_property("p", "switch.on", "true ok");
}

static void another_value_waits_on(void **state)
{
	(void)state;
	plug();
	write_values("p", "{\"switch.on\":true}");
	played_receive("stat/a", "{\"on\":false}", false);
	assert_int_equal(n_outcomes, 0);
	assert_property("p", "switch.on", "false ok"); /* what it says is shown */
	played_receive("stat/a", "{\"on\":true}", false);
	assert_string_equal(outcome(), "done");
}

static void resend_once(void **state)
{
	(void)state;
	lamp();
	write_values("l", "{\"switch.on\":true}");
	live_home_pass(&h, 150); /* coalesce */
	assert_string_equal(played_sent(0), "lamp/x/set {\"on\":true}");
	live_home_pass(&h, 1100);
	assert_string_equal(played_sent(1), "lamp/x/set {\"on\":true}");
	assert_int_equal(n_outcomes, 0);
	live_home_pass(&h, 1100);
	assert_string_equal(outcome(), "unconfirmed");
	assert_int_equal(played.n_sends, 2);
}

static void reread_asks_and_waits_once_more(void **state)
{
	(void)state;
	lock();
	played_receive("lock/y", "{\"state\":\"locked\",\"mode\":\"normal\",\"relock\":5}", false);
	write_values("k", "{\"lock.auto_relock\":6}");
	assert_string_equal(played_sent(0), "lock/y/set {\"mode\":\"normal\",\"relock\":6}");
	live_home_pass(&h, 1100);
	assert_string_equal(played_sent(1), "lock/y/get ?");
	assert_int_equal(n_outcomes, 0);
	played_receive("lock/y", "{\"state\":\"locked\",\"mode\":\"normal\",\"relock\":6}", false);
	assert_string_equal(outcome(), "done");
	/* And in vain. */
	write_values("k", "{\"lock.auto_relock\":7}");
	live_home_pass(&h, 2300);
	assert_string_equal(outcome(), "unconfirmed");
}

static void never_optimistic_with_assume_zero(void **state)
{
	(void)state;
	lock();
	played_receive("lock/y", "{\"mode\":\"normal\",\"relock\":5}", false);
	write_values("k", "{\"lock.mode\":\"privacy\"}");
	assert_property("k", "lock.mode", "\"normal\" ok");
}

static void what_nobody_reports_stays_assumed(void **state)
{
	(void)state;
	lock();
	write_values("k", "{\"lock.sound\":\"high\"}");
	assert_string_equal(outcome(), "unconfirmed");
	live_home_pass(&h, 3600 * 1000);
	assert_property("k", "lock.sound", "\"high\" assumed");
}

static void reads_first_what_must_be_known(void **state)
{
	(void)state;
	lock();
	write_values("k", "{\"lock.auto_relock\":6}"); /* the full message needs the mode */
	assert_string_equal(outcome(), "");
	live_home_settle(&h);
	assert_string_equal(played_sent(0), "lock/y/get ?");
	played_receive("lock/y", "{\"state\":\"locked\",\"mode\":\"vacation\",\"relock\":5}",
		       false);
	live_home_settle(&h);
	assert_string_equal(played_sent(1), "lock/y/set {\"mode\":\"vacation\",\"relock\":6}");
	played_receive("lock/y", "{\"relock\":6}", false);
	assert_string_equal(outcome(), "done");
}

static void refused_when_it_cannot_be_read(void **state)
{
	(void)state;
	lock();
	write_values("k", "{\"lock.auto_relock\":6}");
	live_home_pass(&h, 5500);
	assert_string_equal(outcome(), "refused state-unknown:mode");
}

static void refusals_name_the_reason(void **state)
{
	(void)state;
	plug();
	write_values("p", "{\"meter.power\":1}");
	assert_string_equal(outcome(), "refused readonly");
	write_values("p", "{\"switch.on\":3}");
	assert_string_equal(outcome(), "refused type");
	write_values("p", "{\"no.such\":3}");
	assert_string_equal(outcome(), "refused unknown-capability");
	lamp();
	write_values("l", "{\"level.value\":101}");
	live_home_pass(&h, 200);
	assert_string_equal(outcome(), "refused range");
	write_values("nobody", "{\"switch.on\":true}");
	assert_string_equal(outcome(), "not-found");
	write_values("p", "{}");
	assert_string_equal(outcome(), "invalid");
	act_as(&h.owner, "p", "switch.on");
	assert_string_equal(outcome(), "refused unknown-action");
	assert_int_equal(played.n_sends, 0);
}

static void joins_writes_within_coalesce(void **state)
{
	(void)state;
	lamp();
	write_with("l", "{\"switch.on\":true}", (struct extra){.tag = "1"});
	write_with("l", "{\"level.value\":20}", (struct extra){.tag = "2"});
	write_with("l", "{\"level.value\":30}", (struct extra){.tag = "3"});
	assert_int_equal(played.n_sends, 0);
	live_home_pass(&h, 150);
	assert_int_equal(played.n_sends, 1);
	assert_string_equal(played_sent(0), "lamp/x/set {\"level\":30,\"on\":true}");
	played_receive("lamp/x", "{\"on\":true,\"level\":30}", false);
	assert_string_equal(outcome(), "1:done; 2:done; 3:done");
}

static void a_joined_write_that_fails_is_tried_one_by_one(void **state)
{
	(void)state;
	lamp();
	write_with("l", "{\"switch.on\":true}", (struct extra){.tag = "1"});
	write_with("l", "{\"level.value\":30}", (struct extra){.tag = "2"});
	write_with("l", "{\"level.value\":101}", (struct extra){.tag = "3"});
	live_home_pass(&h, 700);
	assert_string_equal(outcome(), "3:refused range");
	assert_string_equal(played_sent(0), "lamp/x/set {\"on\":true}");
	assert_string_equal(played_sent(1), "lamp/x/set {\"level\":30}");
	played_receive("lamp/x", "{\"on\":true,\"level\":30}", false);
	assert_string_equal(outcome(), "1:done; 2:done");
}

static void waits_for_a_device_that_is_away_and_expires(void **state)
{
	(void)state;
	plug();
	played_receive("lwt/a", "Offline", false);
	write_values("p", "{\"switch.on\":true}");
	live_home_pass(&h, GW_COMMAND_EXPIRE_MS - 200);
	assert_int_equal(n_outcomes, 0);
	live_home_pass(&h, 400);
	assert_string_equal(outcome(), "expired");
	assert_int_equal(played.n_sends, 0);
	/* Back in time: it goes out. */
	write_values("p", "{\"switch.on\":true}");
	live_home_pass(&h, 1000);
	played_receive("lwt/a", "Online", false);
	live_home_settle(&h);
	played_receive("stat/a", "{\"on\":true}", false); /* answers the ask on coming online */
	live_home_settle(&h);
	played_receive("stat/a", "{\"on\":true}", false);
	assert_string_equal(outcome(), "done");
}

static void a_critical_action_never_waits(void **state)
{
	struct gw_device *d = lock();

	(void)state;
	act_as(&h.owner, "k", "lock.unlock");
	assert_string_equal(played_sent(0), "lock/y/open open");
	assert_string_equal(outcome(), "unconfirmed");
	played_receive("lock/y/lwt", "Offline", false);
	act_as(&h.owner, "k", "lock.unlock");
	assert_string_equal(outcome(), "unreachable");
	assert_int_equal(played.n_sends, 1);
	/* And needs a fresh login. */
	struct gw_principal tired = h.owner;
	tired.fresh_until_ms = 0;
	gw_registry_set_presence(d, GW_PRESENCE_ONLINE);
	act_as(&tired, "k", "lock.unlock");
	assert_string_equal(outcome(), "step-up");
	assert_int_equal(played.n_sends, 1);
}

static void a_critical_action_in_the_queue_does_not_wait_either(void **state)
{
	(void)state;
	lock();
	played.hold = true;
	act_as(&h.owner, "k", "lock.lock");
	act_as(&h.owner, "k", "lock.unlock"); /* behind the one in flight */
	assert_int_equal(played.n_sends, 1);
	played_receive("lock/y/lwt", "Offline", false);
	played_done(0, GW_STATUS_DONE);
	assert_string_equal(outcome(), "unconfirmed; unreachable");
	played_receive("lock/y/lwt", "Online", false);
	live_home_settle(&h);
	assert_int_equal(played.n_sends, 1);
}

static void rights_are_asked_first_and_again(void **state)
{
	struct gw_principal service;

	(void)state;
	plug();
	const struct gw_command_request nobody = {.device = GW_STR("p"), .action = GW_STR("x")};
	assert_int_equal(gw_command_submit(h.g, &nobody, on_done, NULL, NULL), 0);
	assert_string_equal(outcome(), "unauthenticated");
	gw_principal_service(&service, "mqtt", GW_SCOPE_SEE);
	write_with("p", "{\"switch.on\":true}", (struct extra){.principal = &service});
	assert_true(strstr("denied unclaimed", outcome()) != NULL);
	/* The token is revoked while its command waits (R9, R10). */
	struct gw_token_info token = {.name = "wall panel",
				      .scope = GW_SCOPE_SEE | GW_SCOPE_OPERATE};
	struct gw_principal panel;
	char id[GW_ID_BYTES], secret[96];
	assert_int_equal(gw_store_set_claimed(h.g->store), 0);
	assert_int_equal(gw_token_create(h.g, &h.owner, &token, id, secret, sizeof(secret)),
			 GW_STATUS_DONE);
	assert_int_equal(gw_authenticate(h.g, secret, "http", &panel), GW_STATUS_DONE);
	played_receive("lwt/a", "Offline", false);
	write_with("p", "{\"switch.on\":true}", (struct extra){.principal = &panel});
	assert_int_equal(n_outcomes, 0);
	assert_int_equal(gw_token_revoke(h.g, &h.owner, id), GW_STATUS_DONE);
	played_receive("lwt/a", "Online", false);
	live_home_settle(&h);
	assert_string_equal(outcome(), "unauthenticated");
	for (size_t i = 0; i < played.n_sends; i++) {
		assert_string_equal(played_sent(i), "cmnd/a/get 1");
	}
}

static void a_key_is_carried_out_once(void **state)
{
	(void)state;
	plug();
	const struct extra x = {.key = "k1", .tag = "a"};
	uint64_t first = write_with("p", "{\"switch.on\":true}", x);
	uint64_t second = write_with("p", "{\"switch.on\":true}", x); /* while it runs */
	assert_int_equal(first, second);
	assert_int_equal(played.n_sends, 1);
	played_receive("stat/a", "{\"on\":true}", false);
	assert_string_equal(outcome(), "a:done; a:done");
	assert_int_equal(write_with("p", "{\"switch.on\":false}", x), first);
	assert_string_equal(outcome(), "a:done");
	assert_int_equal(played.n_sends, 1);
	/* Ten minutes later the key is free again. */
	gw_clock_advance_ms(GW_COMMAND_KEY_MS);
	write_with("p", "{\"switch.on\":false}", (struct extra){.key = "k2"});
	assert_true(write_with("p", "{\"switch.on\":false}", x) != first);
}

static void keys_are_bounded(void **state)
{
	char key[32];

	(void)state;
	plug();
	for (int i = 0; i < GW_COMMAND_KEYS + 50; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		write_with("p", "{\"meter.power\":1}", (struct extra){.key = key});
		outcomes[0] = 0;
	}
	assert_true(gw_map_count(h.g->commands->keys) <= GW_COMMAND_KEYS);
}

static void commands_are_bounded_for_each_device_and_in_all(void **state)
{
	char id[16], vars[32];

	(void)state;
	plug();
	played_receive("lwt/a", "Offline", false);
	for (int i = 0; i < GW_COMMANDS_PER_DEVICE; i++) {
		write_values("p", "{\"switch.on\":true}");
	}
	assert_int_equal(n_outcomes, 0); /* at the limit */
	write_values("p", "{\"switch.on\":true}");
	assert_string_equal(outcome(), "too-many"); /* above it */
	for (int i = 0; i < GW_COMMANDS_PENDING / GW_COMMANDS_PER_DEVICE - 1; i++) {
		(void)snprintf(id, sizeof(id), "q%d", i);
		(void)snprintf(vars, sizeof(vars), "topic=q%d", i);
		gw_registry_set_presence(live_home_add(&h, id, "test.plug", vars),
					 GW_PRESENCE_OFFLINE);
		for (int k = 0; k < GW_COMMANDS_PER_DEVICE; k++) {
			write_values(id, "{\"switch.on\":true}");
		}
	}
	assert_int_equal(n_outcomes, 0);
	gw_registry_set_presence(live_home_add(&h, "z", "test.plug", "topic=z"),
				 GW_PRESENCE_OFFLINE);
	write_values("z", "{\"switch.on\":true}");
	assert_string_equal(outcome(), "too-many");
	live_home_pass(&h, GW_COMMAND_EXPIRE_MS + 100);
	assert_int_equal(n_outcomes, GW_COMMANDS_PENDING);
	assert_int_equal(h.g->commands->counts.pending, 0);
}

static void a_sleeping_device_gets_the_newest_when_it_wakes(void **state)
{
	(void)state;
	live_home_add(&h, "v", "test.valve", "topic=v");
	live_home_up(&h);
	write_with("v", "{\"switch.on\":true}", (struct extra){.tag = "1"});
	write_with("v", "{\"switch.on\":false}", (struct extra){.tag = "2"});
	assert_string_equal(outcome(), "1:accepted; 2:accepted");
	live_home_pass(&h, 10 * 60 * 1000);
	assert_int_equal(played.n_sends, 0);
	(void)live_home_heard(&h);
	played_receive("valve/v", "{\"on\":true}", false);
	live_home_settle(&h);
	assert_int_equal(played.n_sends, 1);
	assert_string_equal(played_sent(0), "valve/v/set {\"on\":false}");
	played_receive("valve/v", "{\"on\":false}", false);
	const char *heard = live_home_heard(&h);
	assert_int_equal(n_outcomes, 0); /* was answered; the event tells */
	const char *first = strstr(heard, "command v done");
	assert_non_null(first);
	assert_non_null(strstr(first + 1, "command v done"));
}

static void a_watchdog_device_gets_its_value_again(void **state)
{
	(void)state;
	live_home_add(&h, "v", "test.valve", "topic=v");
	live_home_up(&h);
	write_values("v", "{\"switch.on\":true}");
	played_receive("valve/v", "{\"on\":false}", false);
	live_home_settle(&h);
	assert_int_equal(played.n_sends, 1);
	played_receive("valve/v", "{\"on\":true}", false);
	live_home_pass(&h, 31000); /* sleeps: the repetition waits for its next message too */
	played_receive("valve/v", "{\"on\":true}", false);
	live_home_settle(&h);
	assert_int_equal(played.n_sends, 2);
	assert_string_equal(played_sent(1), "valve/v/set {\"on\":true}");
	/* Somebody uses the appliance itself: that holds. */
	played_receive("valve/v", "{\"on\":false}", false);
	live_home_pass(&h, 31000);
	played_receive("valve/v", "{\"on\":false}", false);
	live_home_settle(&h);
	assert_int_equal(played.n_sends, 2);
}

static void an_adapter_that_fails_is_an_outcome(void **state)
{
	(void)state;
	plug();
	played.hold = true;
	write_values("p", "{\"switch.on\":true}");
	played_done(0, GW_STATUS_TIMEOUT);
	assert_string_equal(outcome(), "timeout");
	assert_property("p", "switch.on", "false ok");
	played.refuse = -EINVAL;
	write_values("p", "{\"switch.on\":true}");
	assert_string_equal(outcome(), "failed");
	/* Not connected: tried again until it expires. */
	played.refuse = -ENOTCONN;
	write_values("p", "{\"switch.on\":true}");
	assert_int_equal(n_outcomes, 0);
	live_home_pass(&h, GW_COMMAND_EXPIRE_MS + 100);
	assert_string_equal(outcome(), "unreachable");
}

static void removal_ends_its_commands(void **state)
{
	struct gw_device *d = plug();

	(void)state;
	played.hold = true;
	write_with("p", "{\"switch.on\":true}", (struct extra){.tag = "1"});
	write_with("p", "{\"switch.on\":false}", (struct extra){.tag = "2"});
	gw_registry_remove(d);
	assert_string_equal(outcome(), "1:not-found; 2:not-found");
	assert_true(played.sends[0].cancelled);
}

static void remove_it(void *ctx, const struct gw_outcome *o)
{
	(void)ctx;
	(void)o;
	n_outcomes++;
	gw_registry_remove(gw_device_find(h.g, GW_STR("p")));
}

static void who_is_told_may_remove_the_device(void **state)
{
	struct gw_node on = {.type = GW_NODE_BOOL, .flag = true};
	const struct gw_wanted wanted = {GW_STR("switch.on"), &on};
	const struct gw_command_request r = {
		.principal = &h.owner, .device = GW_STR("p"), .wanted = &wanted, .n_wanted = 1};

	(void)state;
	plug();
	assert_int_equal(gw_command_submit(h.g, &r, remove_it, NULL, NULL), 0);
	played_receive("stat/a", "{\"on\":true}", false);
	assert_int_equal(n_outcomes, 1);
	assert_null(gw_device_find(h.g, GW_STR("p")));
	/* From within an adapter's refusal, too. */
	plug();
	played.refuse = -EINVAL;
	assert_int_equal(gw_command_submit(h.g, &r, remove_it, NULL, NULL), 0);
	assert_int_equal(n_outcomes, 2);
	assert_null(gw_device_find(h.g, GW_STR("p")));
}

static void out_of_memory(void **state)
{
	struct gw_node on = {.type = GW_NODE_BOOL, .flag = true};
	const struct gw_wanted wanted = {GW_STR("switch.on"), &on};
	const struct gw_command_request r = {.principal = &h.owner,
					     .device = GW_STR("p"),
					     .wanted = &wanted,
					     .n_wanted = 1,
					     .key = "key"};
	size_t failures = 0;

	(void)state;
	plug();
	for (uint64_t n = 1; n < 200; n++) {
		n_outcomes = 0;
		gw_alloc_fail_at(n);
		int e = gw_command_submit(h.g, &r, on_done, NULL, NULL);
		gw_alloc_fail_at(0);
		assert_true(e == 0 || e == -ENOMEM);
		failures += e == -ENOMEM ? 1 : 0;
		if (e == 0) {
			played_receive("stat/a", "{\"on\":true}", false);
			live_home_pass(&h, 2100);
			assert_int_equal(n_outcomes, 1);
			gw_clock_advance_ms(GW_COMMAND_KEY_MS);
		}
		outcomes[0] = 0;
		played_clear();
	}
	assert_true(failures > 2);
	assert_int_equal(h.g->commands->counts.pending, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(done_when_the_device_itself_reports_it),
		TEST(an_echo_before_the_adapter_is_done_counts),
		TEST(what_was_true_before_does_not_confirm),
		TEST(unconfirmed_after_within_and_back_to_the_reported_value),
		TEST(another_value_waits_on),
		TEST(resend_once),
		TEST(reread_asks_and_waits_once_more),
		TEST(never_optimistic_with_assume_zero),
		TEST(what_nobody_reports_stays_assumed),
		TEST(reads_first_what_must_be_known),
		TEST(refused_when_it_cannot_be_read),
		TEST(refusals_name_the_reason),
		TEST(joins_writes_within_coalesce),
		TEST(a_joined_write_that_fails_is_tried_one_by_one),
		TEST(waits_for_a_device_that_is_away_and_expires),
		TEST(a_critical_action_never_waits),
		TEST(a_critical_action_in_the_queue_does_not_wait_either),
		TEST(rights_are_asked_first_and_again),
		TEST(a_key_is_carried_out_once),
		TEST(keys_are_bounded),
		TEST(commands_are_bounded_for_each_device_and_in_all),
		TEST(a_sleeping_device_gets_the_newest_when_it_wakes),
		TEST(a_watchdog_device_gets_its_value_again),
		TEST(an_adapter_that_fails_is_an_outcome),
		TEST(removal_ends_its_commands),
		TEST(who_is_told_may_remove_the_device),
		TEST(out_of_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
