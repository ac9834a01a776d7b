/* Announcements → candidates: matching, merging, ties, self-descriptions, eviction, what is malformed. */
#include "gw_test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "discovery/discovery.h"
#include "discovery/identity.h"
#include "gw/alloc.h"
#include "gw/clock.h"
#include "gw/limits.h"
#include "gw/log.h"
#include "gw/topic.h"

/* --- an importer of our own: "identity|name|label of the profile", an empty payload withdraws "fake:<level 1>" --- */

struct gw_importer {
	int unused;
};

static int fake_message(struct gw_importer *i, struct gw_str topic, struct gw_str payload,
			struct gw_import_result *ret_result, struct gw_error *reterr_)
{
	struct gw_str rest = payload, identity, name, label, level;
	(void)i;
	if (gw_str_is(payload, "broken")) {
		return gw_error_set(reterr_, -EBADMSG, "json", "broken on purpose");
	}
	struct gw_imported *m = gw_new(struct gw_imported);
	if (!m) {
		return -ENOMEM;
	}
	ret_result->devices = m;
	ret_result->n_devices = 1;
	assert_true(gw_topic_level(topic, 1, &level));
	if (payload.len == 0) {
		snprintf(m->identity, sizeof(m->identity), "fake:" GW_STR_FMT, GW_STR_ARG(level));
		return 0;
	}
	assert_true(gw_str_split(&rest, '|', &identity) && gw_str_split(&rest, '|', &name) &&
		    gw_str_split(&rest, '|', &label));
	char text[1024];
	snprintf(text, sizeof(text),
		 "{\"profile\":1,\"id\":\"described.lamp\",\"version\":\"1.0.0\",\"type\":\"plug\","
		 "\"name\":\"" GW_STR_FMT
		 "\",\"vars\":{\"topic\":{}},\"link\":{\"adapter\":\"mqtt\"},"
		 "\"msgs\":{\"s\":{\"rx\":\"{topic}/state\",\"codec\":\"text\"}},"
		 "\"points\":{\"p\":{\"in\":\"s#\",\"map\":{\"ON\":true,\"OFF\":false}}},"
		 "\"caps\":{\"switch.on\":{\"point\":\"p\",\"ro\":true}}}",
		 GW_STR_ARG(label));
	m->profile = gw_strdup(text);
	snprintf(m->identity, sizeof(m->identity), GW_STR_FMT, GW_STR_ARG(identity));
	snprintf(m->name, sizeof(m->name), GW_STR_FMT, GW_STR_ARG(name));
	snprintf(m->vendor, sizeof(m->vendor), "Fake");
	return m->profile ? gw_vars_set(&m->vars, GW_STR("topic"), level) : -ENOMEM;
}

static const char *const fake_filters[] = {"fake/+/config", "dup/+", NULL};
static const struct gw_importer_class fake = {"fake", fake_filters, fake_message};

const struct gw_importer_class *gw_importer_class_at(size_t index)
{
	return index == 0 ? &fake : NULL;
}

struct gw_importer *gw_importer_new(const struct gw_importer_class *class)
{
	(void)class;
	return gw_new(struct gw_importer);
}

void gw_importer_free(struct gw_importer *i)
{
	gw_free(i);
}

const struct gw_importer_class *gw_importer_class(const struct gw_importer *i)
{
	(void)i;
	return &fake;
}

void gw_import_result_fini(struct gw_import_result *r)
{
	for (size_t i = 0; i < r->n_devices; i++) {
		gw_free(r->devices[i].profile);
		gw_vars_fini(&r->devices[i].vars);
	}
	gw_free(r->devices);
}

/* --- profiles in a directory --- */

#define PROFILE(id, head, match, vars)                                                             \
	"profile: 1\nid: " id "\nversion: 1.2.0\ntype: plug\nname: {en: Name of " id "}\n" head    \
	"match:\n" match "vars: " vars                                                             \
	"\nmsgs:\n  s: {rx: \"{topic}/state\", codec: text}\npoints:\n"                            \
	"  p: {in: \"s#\", map: {\"ON\": true, \"OFF\": false}}\ncaps:\n"                          \
	"  switch.on: {point: p, ro: true}\ntests:\n"                                              \
	"  - {name: on, vars: {topic: t}, rx: [{s: \"ON\"}], want: {switch.on: true}}\n"

static const struct {
	const char *file, *text;
} files[] = {
	{"a.lamp.yaml",
	 PROFILE("a.lamp", "",
		 "  - {mqtt: a/+/config, json: {/kind: lamp, /n: 2}, set: {topic: /t, mac: /mac, model: /m}}\n",
		 "{topic: {}, mac: {}, model: {}}")},
	{"a.any.yaml",
	 PROFILE("a.any", "", "  - {mqtt: a/+/config, json: {/t: \"*\"}, set: {topic: /t}}\n",
		 "{topic: {}}")},
	{"b.one.yaml",
	 PROFILE("b.one", "",
		 "  - {mqtt: b/+, json: {/t: \"*\"}, set: {topic: /t, mac: /mac, x: /x}}\n",
		 "{topic: {}, mac: {}, x: {}}")},
	{"b.two.yaml",
	 PROFILE("b.two", "",
		 "  - {mqtt: b/+, json: {/t: \"*\"}, set: {topic: /t, mac: /mac, y: /y}}\n",
		 "{topic: {}, mac: {}, y: {}}")},
	{"c.word.yaml",
	 PROFILE("c.word", "", "  - {acme_model: [\"lamp-*\", \"bulb\"], set: {topic: id}}\n",
		 "{topic: {ask: true, identity: true}}")},
	{"c.mdns.yaml",
	 PROFILE("c.mdns", "",
		 "  - {mdns: {service: _acme._tcp, txt: {md: \"L*\"}}, set: {topic: \"txt:id\", mac: \"txt:mac\"}}\n",
		 "{topic: {}, mac: {}}")},
	{"d.text.yaml", PROFILE("d.text", "", "  - {mqtt: d/+/hello, set: {topic: \"topic:1\"}}\n",
				"{topic: {}}")},
	{"e.broken.yaml", PROFILE("e.broken", "no_such_key: 1\n",
				  "  - {mqtt: e/+, set: {topic: \"topic:1\"}}\n", "{topic: {}}")},
	{"e.syntax.yaml", "profile: 1\n  id: [\n"},
	{"e.match.yaml", "profile: 1\nid: e.match\nmatch:\n  - {mqtt: \"x/#/y\"}\n"},
	{"dup.yaml",
	 PROFILE("dup", "", "  - {mqtt: dup/+, set: {topic: \"topic:1\"}}\n", "{topic: {}}")},
};

struct fixture {
	char dir[40];
	struct gw_library *library;
	struct gw_discovery *d;
	unsigned changed, removed;
	char last[256], gone[256], gone_adapter[64];
};

static void on_changed(void *ctx, const struct gw_candidate *c)
{
	struct fixture *f = ctx;
	f->changed++;
	snprintf(f->last, sizeof(f->last), "%s", c->identity);
	assert_ptr_equal(gw_discovery_find(f->d, c->id), c);
}

static void on_removed(void *ctx, const char *identity, const char *adapter)
{
	struct fixture *f = ctx;
	f->removed++;
	snprintf(f->gone, sizeof(f->gone), "%s", identity);
	snprintf(f->gone_adapter, sizeof(f->gone_adapter), "%s", adapter);
	assert_null(gw_discovery_find_identity(f->d, identity));
}

static const struct gw_discovery_ops ops = {on_changed, on_removed};

static void index_all(struct fixture *f)
{
	unsigned steps = 0;
	while (!gw_discovery_index_step(f->d)) {
		assert_true(++steps < 100);
	}
	assert_true(steps > 1);			    /* a few files at a time */
	assert_true(gw_discovery_index_step(f->d)); /* and it stays so */
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char path[128];
	gw_log_set_level(GW_LOG_ERROR);
	snprintf(f->dir, sizeof(f->dir), "/tmp/hearth-discovery-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	for (size_t i = 0; i < gw_countof(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, files[i].file);
		FILE *file = fopen(path, "w");
		assert_true(fputs(files[i].text, file) >= 0);
		fclose(file);
	}
	const char *dirs[] = {f->dir};
	assert_int_equal(gw_library_new(dirs, 1, &f->library), 0);
	assert_int_equal(gw_discovery_new(f->library, &ops, f, &f->d), 0);
	*state = f;
	return 0;
}

static int setup_indexed(void **state)
{
	int r = setup(state);
	index_all(*state);
	return r;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char path[128];
	gw_discovery_free(f->d);
	gw_library_free(f->library);
	for (size_t i = 0; i < gw_countof(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, files[i].file);
		unlink(path);
	}
	rmdir(f->dir);
	free(f);
	gw_log_set_level(GW_LOG_INFO);
	return 0;
}

static void mqtt(struct fixture *f, const char *topic, const char *payload)
{
	static int64_t time = 1000;
	gw_discovery_observe(f->d, "mqtt", "mqtt", gw_str(topic), gw_str(payload), time++);
}

static const struct gw_candidate *only(struct fixture *f)
{
	assert_int_equal(gw_discovery_count(f->d), 1);
	assert_null(gw_discovery_at(f->d, 1));
	return gw_discovery_at(f->d, 0);
}

#define LAMP "{\"kind\":\"Lamp\",\"n\":2,\"t\":\"hall\",\"mac\":\"DC:4F:22:A1:B2:C3\",\"m\":\"L1\"}"

/* --- tests --- */

static void test_filters(void **state)
{
	struct fixture *f = *state;
	static const char *const expected[] = {"a/+/config", "b/+", "d/+/hello",
					       "dup/+",	     "e/+", "fake/+/config"};
	size_t n = 0;
	const char *const *filters = gw_discovery_filters(f->d, &n);
	assert_int_equal(n, 2); /* of the importer only: nothing is indexed yet */
	index_all(f);
	filters = gw_discovery_filters(f->d, &n);
	assert_int_equal(n, gw_countof(expected));
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(filters[i], expected[i]);
	}
	assert_null(filters[n]);
	assert_ptr_equal(gw_discovery_filters(f->d, &n), filters);
}

static void test_the_best_match(void **state)
{
	struct fixture *f = *state;
	mqtt(f, "a/x/config", LAMP);
	const struct gw_candidate *c = only(f);
	assert_string_equal(gw_profile_id(c->profile), "a.lamp");
	assert_null(c->ties);
	assert_string_equal(c->identity, "mac:dc4f22a1b2c3");
	assert_false(c->weak_identity);
	assert_false(c->described);
	assert_string_equal(c->adapter, "mqtt");
	assert_string_equal(c->name, "Name of a.lamp");
	assert_string_equal(c->model, "L1");
	assert_string_equal(gw_vars_get(&c->vars, "topic"), "hall");
	assert_string_equal(c->reason, "a.lamp 1.2.0: topic a/+/config, /kind, /n (score 3)");
	assert_int_equal(strlen(c->id), 16);
	assert_int_equal(f->changed, 1);
	assert_string_equal(f->last, c->identity);
	assert_ptr_equal(gw_discovery_find(f->d, c->id), c);
	assert_null(gw_discovery_find(f->d, "0123456789abcdef"));
	/* The same once more: seen, not different. */
	int64_t first = c->first_seen_wall_ms;
	mqtt(f, "a/x/config", LAMP);
	assert_int_equal(f->changed, 1);
	assert_int_equal(c->first_seen_wall_ms, first);
	assert_true(c->last_seen_wall_ms > first);
	/* It moves: the same candidate, told once. */
	mqtt(f, "a/x/config",
	     "{\"kind\":\"lamp\",\"n\":2,\"t\":\"bath\",\"mac\":\"dc4f22a1b2c3\"}");
	assert_int_equal(f->changed, 2);
	assert_string_equal(gw_vars_get(&only(f)->vars, "topic"), "bath");
	/* A lesser profile for what the best does not know. */
	mqtt(f, "a/y/config", "{\"kind\":\"lamp\",\"n\":3,\"t\":\"attic\"}");
	assert_int_equal(gw_discovery_count(f->d), 2);
	c = gw_discovery_at(f->d, 0); /* newest first */
	assert_string_equal(gw_profile_id(c->profile), "a.any");
	assert_string_equal(c->identity, "mqtt:a.any:attic");
	assert_true(c->weak_identity);
	assert_string_equal(c->reason, "a.any 1.2.0: topic a/+/config (score 1)");
	/* A variable that does not hold one level refuses the match (containment). */
	mqtt(f, "a/z/config", "{\"t\":\"a/b\"}");
	mqtt(f, "a/z/config", "{\"t\":\"#\"}");
	assert_int_equal(gw_discovery_count(f->d), 2);
	assert_int_equal(gw_discovery_bad_count(f->d), 0);
}

static void test_a_tie_is_for_the_owner(void **state)
{
	struct fixture *f = *state;
	mqtt(f, "b/x", "{\"t\":\"hall\",\"mac\":\"dc4f22a1b2c3\",\"x\":1,\"y\":2}");
	const struct gw_candidate *c = only(f);
	assert_null(c->profile);
	assert_non_null(c->ties);
	assert_string_equal(gw_profile_id(c->ties[0]), "b.one");
	assert_string_equal(gw_profile_id(c->ties[1]), "b.two");
	assert_null(c->ties[2]);
	assert_string_equal(gw_vars_get(&c->vars, "x"), "1"); /* of both */
	assert_string_equal(gw_vars_get(&c->vars, "y"), "2");
	assert_string_equal(c->reason, "b.one and b.two match equally (score 1): choose one");
	/* Its own description is one more choice. */
	mqtt(f, "fake/q/config", "mac:dc4f22a1b2c3|Lamp|L");
	c = only(f);
	assert_null(c->profile);
	assert_string_equal(gw_profile_id(c->ties[2]), "described.lamp");
	assert_null(c->ties[3]);
	assert_false(c->described);
	assert_int_equal(f->changed, 2);
}

static void test_a_written_profile_is_trusted_more(void **state)
{
	struct fixture *f = *state;
	mqtt(f, "fake/q/config", "mac:dc4f22a1b2c3|Hall \x1b[1mlamp|L");
	const struct gw_candidate *c = only(f);
	assert_true(c->described);
	assert_false(c->weak_identity);
	assert_string_equal(gw_profile_id(c->profile), "described.lamp");
	assert_null(strchr(c->name, 0x1b));
	assert_string_equal(c->vendor, "Fake");
	assert_string_equal(c->reason, "its own description (fake: fake/q/config)");
	assert_string_equal(gw_vars_get(&c->vars, "topic"), "q");
	mqtt(f, "a/x/config", LAMP);
	assert_ptr_equal(only(f), c);
	assert_false(c->described);
	assert_string_equal(gw_profile_id(c->profile), "a.lamp");
	assert_string_equal(gw_vars_get(&c->vars, "topic"), "hall");
	assert_string_equal(c->vendor, "Fake"); /* what only the description knows */
	assert_int_equal(f->changed, 2);
	/* The written match is withdrawn: the description counts again. */
	mqtt(f, "a/x/config", "");
	assert_ptr_equal(only(f), c);
	assert_true(c->described);
	assert_int_equal(f->changed, 3);
	/* The same description with another text is another profile. */
	mqtt(f, "fake/q/config", "mac:dc4f22a1b2c3|Hall lamp|M");
	assert_int_equal(f->changed, 4);
	mqtt(f, "fake/q/config", "mac:dc4f22a1b2c3|Hall lamp|M");
	assert_int_equal(f->changed, 4);
	assert_int_equal(f->removed, 0);
}

static void test_withdrawn(void **state)
{
	struct fixture *f = *state;
	mqtt(f, "fake/q/config", "fake:q|Lamp|L");
	assert_true(only(f)->weak_identity);
	mqtt(f, "fake/q/config", "");
	assert_int_equal(gw_discovery_count(f->d), 0);
	assert_int_equal(f->removed, 1);
	assert_string_equal(f->gone, "fake:q");
	assert_string_equal(f->gone_adapter, "mqtt");
	mqtt(f, "fake/q/config", "");
	assert_int_equal(f->removed, 1);
	/* A channel that says something else: of another device, or of none. */
	mqtt(f, "a/x/config", LAMP);
	mqtt(f, "a/x/config",
	     "{\"kind\":\"lamp\",\"n\":2,\"t\":\"hall\",\"mac\":\"dc4f22000001\"}");
	assert_string_equal(only(f)->identity, "mac:dc4f22000001");
	assert_string_equal(f->gone, "mac:dc4f22a1b2c3");
	mqtt(f, "a/x/config", "{\"kind\":\"kettle\"}");
	assert_int_equal(gw_discovery_count(f->d), 0);
	assert_int_equal(f->removed, 3);
	/* An adapter of another name has channels of its own. */
	mqtt(f, "a/x/config", LAMP);
	gw_discovery_observe(f->d, "mqtt-2", "mqtt", GW_STR("a/x/config"), GW_STR(""), 1);
	assert_int_equal(gw_discovery_count(f->d), 1);
}

static void test_two_channels_of_one_device(void **state)
{
	struct fixture *f = *state;
	mqtt(f, "a/x/config", LAMP);
	/* Less telling: it stays as it is. */
	mqtt(f, "b/x", "{\"t\":\"hall\",\"mac\":\"dc4f22a1b2c3\"}");
	assert_string_equal(gw_profile_id(only(f)->profile), "a.lamp");
	assert_int_equal(f->changed, 1);
	mqtt(f, "b/x", "");
	assert_string_equal(gw_profile_id(only(f)->profile), "a.lamp");
	/* And the other way round. */
	mqtt(f, "a/x/config", "");
	assert_int_equal(gw_discovery_count(f->d), 0);
	mqtt(f, "b/x", "{\"t\":\"hall\",\"mac\":\"dc4f22a1b2c3\"}");
	assert_null(only(f)->profile);
	mqtt(f, "a/x/config", LAMP);
	assert_string_equal(gw_profile_id(only(f)->profile), "a.lamp");
	mqtt(f, "b/x", "");
	assert_string_equal(gw_profile_id(only(f)->profile), "a.lamp");
}

static void test_other_kinds(void **state)
{
	struct fixture *f = *state;
	gw_discovery_observe(f->d, "acme", "acme_model", GW_STR("lamp-7"), GW_STR(""), 1);
	assert_string_equal(only(f)->identity, "acme:c.word:lamp-7");
	assert_string_equal(gw_vars_get(&only(f)->vars, "topic"), "lamp-7");
	assert_string_equal(only(f)->reason, "c.word 1.2.0: acme_model (score 4)");
	gw_discovery_observe(f->d, "acme", "acme_model", GW_STR("kettle"), GW_STR(""), 2);
	gw_discovery_observe(f->d, "acme", "other_model", GW_STR("lamp-7"), GW_STR(""), 3);
	assert_int_equal(gw_discovery_count(f->d), 1);
	static const char mdns[] =
		"{\"service\":\"_acme._tcp\",\"name\":\"x\",\"txt\":{\"md\":\"L9\","
		"\"id\":\"hall\",\"mac\":\"dc-4f-22-a1-b2-c3\"}}";
	gw_discovery_observe(f->d, "lan", "mdns", GW_STR("x._acme._tcp"), gw_str(mdns), 4);
	assert_int_equal(gw_discovery_count(f->d), 2);
	assert_string_equal(gw_discovery_at(f->d, 0)->identity, "mac:dc4f22a1b2c3");
	assert_string_equal(gw_discovery_at(f->d, 0)->reason,
			    "c.mdns 1.2.0: mdns service, txt (score 2)");
	gw_discovery_observe(f->d, "lan", "mdns", GW_STR("y"), GW_STR("[1]"), 5);
	gw_discovery_observe(f->d, "lan", "mdns", GW_STR("y"), GW_STR(""), 6);
	assert_int_equal(gw_discovery_bad_count(f->d), 2);
	/* A text payload is an announcement, too. */
	mqtt(f, "d/hall/hello", "I am here");
	assert_string_equal(gw_discovery_at(f->d, 0)->identity, "mqtt:d.text:hall");
	/* The same hardware on two adapters is one candidate. */
	mqtt(f, "a/x/config", LAMP);
	assert_int_equal(gw_discovery_count(f->d), 3);
	assert_string_equal(gw_discovery_at(f->d, 0)->adapter, "mqtt");
}

static void test_malformed(void **state)
{
	struct fixture *f = *state;
	char *deep = calloc(1, 2000), *big = calloc(1, GW_DESCRIPTION_BYTES + 2);
	memset(deep, '[', 900);
	memset(big, 'x', GW_DESCRIPTION_BYTES + 1);
	const char *bad[] = {"{", "{\"t\":1,\"t\":2}", "[1,]", deep, big, "{\"t\":\"\xff\"}"};
	for (size_t i = 0; i < gw_countof(bad); i++) {
		mqtt(f, "a/x/config", bad[i]);
		assert_int_equal(gw_discovery_bad_count(f->d), i + 1);
	}
	mqtt(f, "a/#", "{}");
	mqtt(f, "", "{}");
	mqtt(f, "fake/x/config", "broken");
	assert_int_equal(gw_discovery_bad_count(f->d), gw_countof(bad) + 3);
	mqtt(f, "nobody/asked", "{");
	mqtt(f, "a/x/config", "no JSON at all");
	assert_int_equal(gw_discovery_bad_count(f->d), gw_countof(bad) + 3);
	assert_int_equal(gw_discovery_count(f->d), 0);
	free(deep);
	free(big);
}

/* Profiles that are refused when they are loaded, or whose match is none, hold nobody up. */
static void test_broken_profiles(void **state)
{
	struct fixture *f = *state;
	mqtt(f, "e/x", "hello");
	mqtt(f, "e/x", "hello");
	assert_int_equal(gw_discovery_count(f->d), 0);
	mqtt(f, "a/x/config", LAMP);
	assert_int_equal(gw_discovery_count(f->d), 1);
}

static void test_dismissed(void **state)
{
	struct fixture *f = *state;
	mqtt(f, "a/x/config", LAMP);
	const struct gw_candidate *c = only(f);
	assert_int_equal(gw_discovery_dismiss(f->d, "0123456789abcdef"), -ENOENT);
	assert_int_equal(gw_discovery_dismiss(f->d, c->id), 0);
	assert_true(c->dismissed);
	mqtt(f, "a/x/config", LAMP);
	assert_true(c->dismissed);
	mqtt(f, "a/x/config",
	     "{\"kind\":\"lamp\",\"n\":2,\"t\":\"hall\",\"mac\":\"dc4f22a1b2c3\",\"m\":\"L2\"}");
	assert_false(c->dismissed);
	assert_string_equal(c->model, "L2");
}

static void test_the_cap(void **state)
{
	struct fixture *f = *state;
	char payload[96];
	for (int i = 0; i < GW_CANDIDATES; i++) {
		char topic[32];
		snprintf(topic, sizeof(topic), "a/%d/config", i);
		snprintf(payload, sizeof(payload), "{\"t\":\"lamp-%d\"}", i);
		mqtt(f, topic, payload);
	}
	assert_int_equal(gw_discovery_count(f->d), GW_CANDIDATES);
	mqtt(f, "a/0/config", "{\"t\":\"lamp-0\"}"); /* seen again: no longer the oldest */
	mqtt(f, "a/new/config", "{\"t\":\"new\"}");
	assert_int_equal(gw_discovery_count(f->d), GW_CANDIDATES);
	assert_non_null(gw_discovery_find_identity(f->d, "mqtt:a.any:lamp-0"));
	assert_non_null(gw_discovery_find_identity(f->d, "mqtt:a.any:new"));
	assert_null(gw_discovery_find_identity(f->d, "mqtt:a.any:lamp-1"));
	assert_non_null(gw_discovery_find_identity(f->d, "mqtt:a.any:lamp-2"));
	assert_int_equal(f->removed, 0); /* it was not withdrawn */
	mqtt(f, "a/1/config", "");	 /* and its channel is forgotten */
	assert_int_equal(f->removed, 0);
}

static void test_identities(void **state)
{
	static const struct {
		const char *name, *value, *identity; /* NULL: weak */
	} rows[] = {
		{"mac", "DC4F22A1B2C3", "mac:dc4f22a1b2c3"},
		{"mac", "dc-4f-22-a1-b2-c3", "mac:dc4f22a1b2c3"},
		{"wifi_mac", "dc:4f:22:a1:b2:c3", "mac:dc4f22a1b2c3"},
		{"mac", "dc:4f-22:a1:b2:c3", NULL},
		{"mac", "dc4f22a1b2c", NULL},
		{"mac", "000000000000", NULL},
		{"mac", "ff:ff:ff:ff:ff:ff", NULL},
		{"mac", "dc4f22a1b2cg", NULL},
		{"ieee", "0x00158d0001020304", "ieee:0x00158d0001020304"},
		{"ieee_address", "00:15:8D:00:01:02:03:04", "ieee:0x00158d0001020304"},
		{"did", "123456789", "did:123456789"},
		{"did", "0", NULL},
		{"uuid", "6BA7B810-9dad-11d1-80b4-00c04fd430c8",
		 "uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8"},
		{"uuid", "00000000-0000-0000-0000-000000000000", NULL},
		{"uuid", "6ba7b810x9dad-11d1-80b4-00c04fd430c8", NULL},
		{"topic", "dc4f22a1b2c3", "mac:dc4f22a1b2c3"}, /* the identity variable */
	};
	struct fixture *f = *state;
	struct gw_profile *p = NULL;
	char identity[GW_IDENTITY_BYTES], id[17];
	struct gw_error error = {0};
	if (gw_library_get(f->library, GW_STR("a.lamp"), &p, &error) < 0) {
		fail_msg("%s", error.text);
	}
	for (size_t i = 0; i < gw_countof(rows); i++) {
		struct gw_vars v = {0};
		assert_int_equal(gw_vars_set(&v, gw_str(rows[i].name), gw_str(rows[i].value)), 0);
		bool weak = gw_identity_of(p, &v, "mqtt", GW_STR("a/x"), identity);
		assert_int_equal(weak, rows[i].identity == NULL);
		assert_string_equal(identity, rows[i].identity ? rows[i].identity : "mqtt:a/x");
		assert_int_equal(gw_identity_is_strong(identity), !weak);
		gw_vars_fini(&v);
	}
	gw_profile_unref(p);
	/* printf 'mac:dc4f22a1b2c3' | sha256sum */
	gw_identity_id("mac:dc4f22a1b2c3", id);
	assert_string_equal(id, "cc8019b6aa350f34");
}

/* R54: no failing allocation leaks or crashes; what is out of memory is ignored. */
static void test_allocation_failures(void **state)
{
	struct fixture *f = *state;
	unsigned made = 0;
	for (uint64_t n = 1; n < 400; n += n < 60 ? 1 : 7) {
		struct gw_discovery *d = NULL;
		gw_alloc_fail_at(n);
		if (gw_discovery_new(f->library, &ops, f, &d) == 0) {
			struct gw_discovery *old = f->d;
			f->d = d;
			while (!gw_discovery_index_step(d)) {
			}
			mqtt(f, "a/x/config", LAMP);
			mqtt(f, "fake/q/config", "mac:dc4f22a1b2c3|Lamp|L");
			size_t k;
			(void)gw_discovery_filters(d, &k);
			gw_alloc_fail_at(0);
			mqtt(f, "a/x/config", LAMP);
			made += gw_discovery_count(d) > 0;
			f->d = old;
		}
		gw_alloc_fail_at(0);
		gw_discovery_free(d);
	}
	assert_true(made > 20);
}

/* The shipped profiles: how long indexing takes, and that none is refused as a match. */
static void test_the_shipped_profiles(void **state)
{
	struct fixture *f = *state;
	struct gw_library *l = NULL;
	struct gw_discovery *d = NULL;
	const char *dirs[] = {HEARTH_SOURCE_DIR "/profiles"};
	unsigned steps = 1;
	size_t n = 0;
	assert_int_equal(gw_library_new(dirs, 1, &l), 0);
	assert_int_equal(gw_discovery_new(l, &ops, f, &d), 0);
	int64_t t0 = gw_clock_us();
	while (!gw_discovery_index_step(d)) {
		steps++;
	}
	const char *const *filters = gw_discovery_filters(d, &n);
	print_message("shipped profiles: %u steps, %lld us, %zu filters\n", steps,
		      (long long)(gw_clock_us() - t0), n);
	assert_true(n > 2 && filters[0] != NULL);
	gw_discovery_free(d);
	gw_library_free(l);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup_indexed, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_filters, setup, teardown),
		T(test_the_best_match),
		T(test_a_tie_is_for_the_owner),
		T(test_a_written_profile_is_trusted_more),
		T(test_withdrawn),
		T(test_two_channels_of_one_device),
		T(test_other_kinds),
		T(test_malformed),
		T(test_broken_profiles),
		T(test_dismissed),
		T(test_the_cap),
		T(test_identities),
		T(test_allocation_failures),
		T(test_the_shipped_profiles),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
