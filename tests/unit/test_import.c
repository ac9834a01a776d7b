/*
 * Importers against tests/vectors/import/<importer>/NN-*.json. Keys of a case:
 *   messages: [{topic, payload}]   descriptions, in order; each but the last must be accepted
 *   refused: text                  the last one is refused as a whole, and the reason holds this
 *   nothing: true                  the last one changes no device
 *   notes: [text]                  notes of the last one that must be there
 *   device: {identity, name, vendor, model, firmware, type, vars, with: [address], without: [address], removed, same_as: index,
 *            only_topics: level}   what the last one says of this device (identity; else the last device)
 *   steps: [{rx: [[topic, body]], retained, want, events} | {write, tx, error} | {act, args, tx, error} | {ask: msg, tx}]
 * Every imported profile must load, compile and bind like a written one.
 */
#include "gw_test.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/binding.h"
#include "gw/import.h"
#include "gw/profile.h"

#define VECTORS	  HEARTH_SOURCE_DIR "/tests/vectors/import/"
#define MAX_CASES 128

static const char *current; /* file of the case that runs, for failures */

#define check(condition, ...)                                                                      \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s: ", current);                                          \
			fprintf(stderr, __VA_ARGS__);                                              \
			fprintf(stderr, "\n");                                                     \
			fail();                                                                    \
		}                                                                                  \
	} while (0)

struct bound {
	struct gw_profile *profile;
	struct gw_plan *plan;
	struct gw_binding *binding;
	struct gw_vars vars;
};

/* --- files --- */

static struct gw_node *read_case(struct gw_arena *a, const char *path)
{
	static char text[1 << 20];
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	size_t n = fread(text, 1, sizeof(text), f);
	fclose(f);
	static const struct gw_node_limits limits = {.max_bytes = sizeof(text), .max_depth = 32};
	struct gw_node *root = NULL;
	struct gw_error e = {.line = 0};
	int r = gw_node_parse_json(a, (struct gw_str){text, n}, &limits, &root, &e);
	check(r == 0, "line %u: %s", e.line, e.text);
	return root;
}

static void body_text(const struct gw_node *n, struct gw_buf *b)
{
	gw_buf_reset(b);
	if (n->type == GW_NODE_TEXT) {
		gw_buf_add_str(b, n->text);
	} else {
		gw_node_write(b, n, /* source_order= */ true);
	}
	assert_int_equal(gw_buf_error(b), 0);
}

/* --- one imported profile --- */

static void bind_profile(struct gw_library *l, const struct gw_imported *d, struct bound *ret)
{
	struct gw_error e = {.line = 0};
	*ret = (struct bound){.profile = NULL};
	int r = gw_profile_load_text(l, gw_str(d->profile), d->identity, GW_PROFILE_IMPORTED,
				     &ret->profile, &e);
	check(r == 0, "refused: %s at %s: %s\n%s", e.code, e.at, e.text, d->profile);
	assert_int_equal(gw_vars_copy(&ret->vars, &d->vars), 0);
	r = gw_profile_complete_vars(ret->profile, &ret->vars, &e);
	check(r == 0, "variables: %s", e.text);
	r = gw_plan_get(ret->profile, &ret->vars, &ret->plan, &e);
	check(r == 0, "plan: %s at %s", e.text, e.at);
	r = gw_binding_new(ret->plan, &ret->vars, &ret->binding, &e);
	check(r == 0, "binding: %s", e.text);
}

static void unbind(struct bound *b)
{
	gw_binding_free(b->binding);
	gw_plan_unref(b->plan);
	gw_profile_unref(b->profile);
	gw_vars_fini(&b->vars);
}

static bool channel_is(const struct bound *b, const char *channel, struct gw_str topic)
{
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(1000);
	assert_int_equal(gw_binding_channel(b->binding, channel, &text), 0);
	return gw_str_eq(gw_buf_str(&text), topic);
}

/* --- steps --- */

static void check_want(const struct bound *b, const struct gw_node *want)
{
	gw_node_for(n, want)
	{
		GW_AUTO(gw_buf_fini)
		struct gw_buf wanted = GW_BUF_INIT(10000), got = GW_BUF_INIT(10000);
		int cap = gw_plan_find_cap(b->plan, n->key);
		check(cap >= 0, "there is no %s", n->key.p);
		enum gw_quality quality;
		const struct gw_value *v = gw_binding_value(b->binding, (size_t)cap, &quality);
		gw_value_write_json(&got, v, gw_plan_cap(b->plan, (size_t)cap)->domain.res);
		gw_node_write(&wanted, n, /* source_order= */ false);
		check(strcmp(got.p, wanted.p) == 0, "%s is %s instead of %s", n->key.p, got.p,
		      wanted.p);
	}
}

static size_t receive(const struct bound *b, struct gw_str topic, struct gw_str bytes,
		      bool retained, struct gw_buf *events)
{
	size_t taken = 0;
	for (size_t i = 0; i < gw_plan_msg_count(b->plan); i++) {
		const struct gw_msg_info *m = gw_plan_msg(b->plan, i);
		for (size_t k = 0; k < m->n_rx; k++) {
			if (!channel_is(b, m->rx[k], topic)) {
				continue;
			}
			struct gw_body body = {.bytes = bytes};
			struct gw_received r;
			taken++;
			if (gw_binding_receive(b->binding, i, &body, retained, 0, &r) < 0) {
				continue; /* a topic may have a text and a JSON reading */
			}
			for (size_t j = 0; j < r.n_events; j++) {
				gw_buf_printf(events, "%s=%s;",
					      gw_plan_cap(b->plan, r.events[j].cap)->address,
					      r.events[j].value.text->s);
			}
		}
	}
	return taken;
}

static void step_rx(const struct bound *b, const struct gw_node *step)
{
	GW_AUTO(gw_buf_fini) struct gw_buf events = GW_BUF_INIT(10000), wanted = GW_BUF_INIT(10000);
	const struct gw_node *retained = gw_node_get(step, "retained"),
			     *want = gw_node_get(step, "events");
	gw_node_for(pair, gw_node_get(step, "rx"))
	{
		struct gw_str topic = gw_node_at(pair, 0)->text;
		check(receive(b, topic, gw_node_at(pair, 1)->text, retained && retained->flag,
			      &events) > 0,
		      "no message arrives on %s", topic.p);
	}
	check_want(b, gw_node_get(step, "want"));
	gw_node_for(pair, want)
	{
		gw_buf_printf(&wanted, "%s=%s;", gw_node_at(pair, 0)->text.p,
			      gw_node_at(pair, 1)->text.p);
	}
	if (want) {
		check(strcmp(events.p ? events.p : "", wanted.p ? wanted.p : "") == 0,
		      "events %s instead of %s", events.p, wanted.p);
	}
}

static void check_tx(const struct bound *b, const struct gw_node *tx, const struct gw_outgoing *out)
{
	size_t i = 0;
	gw_node_for(pair, tx)
	{
		check(i < out->n_msgs, "only %zu messages were sent", out->n_msgs);
		const struct gw_msg_info *m = gw_plan_msg(b->plan, out->msgs[i].msg);
		struct gw_str body = out->msgs[i].body, wanted = gw_node_at(pair, 1)->text;
		check(channel_is(b, m->tx, gw_node_at(pair, 0)->text), "sent on %s instead of %s",
		      m->tx, gw_node_at(pair, 0)->text.p);
		check(gw_str_eq(body, wanted), "sent %.*s instead of %s", (int)body.len, body.p,
		      wanted.p);
		i++;
	}
	check(i == out->n_msgs, "%zu messages were sent", out->n_msgs);
}

static void step_write(const struct bound *b, const struct gw_node *step)
{
	const struct gw_node *write = gw_node_get(step, "write"), *args = gw_node_get(step, "args");
	const char *act = gw_node_text(step, "act"), *error = gw_node_text(step, "error");
	struct gw_outgoing out = {.msgs = NULL};
	struct gw_write_error e = {.code = ""};
	struct gw_wanted wanted[8];
	size_t n = 0;
	int r;
	gw_node_for(v, write)
	{
		assert_true(n < gw_countof(wanted));
		wanted[n++] = (struct gw_wanted){.address = v->key, .value = v};
	}
	if (write) {
		r = gw_binding_write(b->binding, wanted, n, 0, &out, &e);
	} else {
		r = gw_binding_act(b->binding, gw_str(act), args, 0, &out, &e);
	}
	if (error) {
		check(r < 0 && strcmp(e.code, error) == 0, "%d %s instead of %s: %s", r, e.code,
		      error, e.text);
		return;
	}
	check(r == 0, "refused: %s: %s", e.code, e.text);
	check_tx(b, gw_node_get(step, "tx"), &out);
	gw_outgoing_fini(&out);
}

static void step_ask(const struct bound *b, const struct gw_node *step)
{
	struct gw_outgoing out = {.msgs = NULL};
	int msg = gw_plan_find_msg(b->plan, gw_node_get(step, "ask")->text);
	check(msg >= 0, "no message to ask with");
	assert_int_equal(gw_binding_ask(b->binding, (size_t)msg, &out), 0);
	check_tx(b, gw_node_get(step, "tx"), &out);
	gw_outgoing_fini(&out);
}

static void run_steps(const struct bound *b, const struct gw_node *steps)
{
	gw_node_for(step, steps)
	{
		if (gw_node_get(step, "rx")) {
			step_rx(b, step);
		} else if (gw_node_get(step, "ask")) {
			step_ask(b, step);
		} else {
			step_write(b, step);
		}
	}
}

/* --- what a description gave --- */

static void check_texts(const struct gw_node *want, const struct gw_imported *d)
{
	const struct {
		const char *key, *got;
	} texts[] = {{"identity", d->identity},
		     {"name", d->name},
		     {"vendor", d->vendor},
		     {"model", d->model},
		     {"firmware", d->firmware}};
	for (size_t i = 0; i < gw_countof(texts); i++) {
		const char *wanted = gw_node_text(want, texts[i].key);
		check(!wanted || strcmp(wanted, texts[i].got) == 0, "%s is %s", texts[i].key,
		      texts[i].got);
	}
	gw_node_for(v, gw_node_get(want, "vars"))
	{
		const char *got = gw_vars_get(&d->vars, v->key.p);
		check(got && gw_str_is(v->text, got), "variable %s is %s", v->key.p,
		      got ? got : "(none)");
	}
}

static void check_caps(const struct gw_node *want, const struct bound *b)
{
	const char *type = gw_node_text(want, "type"), *level = gw_node_text(want, "only_topics");
	const char *got = gw_profile_type(b->profile)->id;
	check(!type || strcmp(type, got) == 0, "the type is %s", got);
	gw_node_for(n, gw_node_get(want, "with"))
	{
		check(gw_plan_find_cap(b->plan, n->text) >= 0, "%s is missing", n->text.p);
	}
	gw_node_for(n, gw_node_get(want, "without"))
	{
		check(gw_plan_find_cap(b->plan, n->text) < 0, "%s is still there", n->text.p);
	}
	for (size_t i = 0; level && i < gw_plan_msg_count(b->plan); i++) {
		GW_AUTO(gw_buf_fini) struct gw_buf topic = GW_BUF_INIT(1000);
		const struct gw_msg_info *m = gw_plan_msg(b->plan, i);
		assert_int_equal(gw_binding_channel(b->binding, m->tx ? m->tx : m->rx[0], &topic),
				 0);
		check(strstr(topic.p, level), "topic %s", topic.p);
	}
}

static const struct gw_imported *choose(const struct gw_import_result *r, const char *identity)
{
	for (size_t i = r->n_devices; i > 0; i--) {
		if (!identity || strcmp(r->devices[i - 1].identity, identity) == 0) {
			return &r->devices[i - 1];
		}
	}
	return NULL;
}

static void check_device(struct gw_library *l, const struct gw_node *root,
			 const struct gw_import_result *r)
{
	const struct gw_node *want = gw_node_get(root, "device");
	const struct gw_imported *d = choose(r, gw_node_text(want, "identity"));
	check(d, "the device is not in the result (%zu devices)", r->n_devices);
	check_texts(want, d);
	if (gw_node_get(want, "removed")) {
		check(!d->profile, "the device was not removed");
		return;
	}
	check(d->profile, "the device was removed");
	const struct gw_node *same = gw_node_get(want, "same_as");
	if (same) {
		assert_string_equal(d->profile, r->devices[(size_t)same->number].profile);
	}
	struct bound b;
	bind_profile(l, d, &b);
	check_caps(want, &b);
	run_steps(&b, gw_node_get(root, "steps"));
	unbind(&b);
}

static void check_notes(const struct gw_node *notes, const struct gw_import_result *r)
{
	gw_node_for(n, notes)
	{
		bool found = false;
		for (size_t i = 0; i < r->n_notes; i++) {
			found |= strstr(r->notes[i].reason, n->text.p) != NULL;
		}
		check(found, "no note says \"%s\" (%zu notes)", n->text.p, r->n_notes);
	}
}

static void check_last(struct gw_library *l, const struct gw_node *root, int r,
		       const struct gw_error *e, const struct gw_import_result *result)
{
	const char *refused = gw_node_text(root, "refused");
	if (refused) {
		check(r == -EBADMSG && strstr(e->text, refused), "%d: %s", r, e->text);
		return;
	}
	check(r == 0, "%d: %s", r, e->text);
	check_notes(gw_node_get(root, "notes"), result);
	if (gw_node_get(root, "nothing")) {
		check(result->n_devices == 0, "%zu devices changed", result->n_devices);
	}
	if (gw_node_get(root, "device")) {
		check_device(l, root, result);
	}
}

static void run_case(const struct gw_importer_class *class, const struct gw_node *root)
{
	struct gw_importer *i = gw_importer_new(class);
	struct gw_library *l = NULL;
	assert_int_equal(gw_library_new(NULL, 0, &l), 0);
	assert_non_null(i);
	assert_ptr_equal(gw_importer_class(i), class);
	gw_node_for(m, gw_node_get(root, "messages"))
	{
		GW_AUTO(gw_buf_fini) struct gw_buf body = GW_BUF_INIT(1 << 20);
		struct gw_import_result result = {.devices = NULL};
		struct gw_error e = {.text = ""};
		body_text(gw_node_get(m, "payload"), &body);
		int r = class->message(i, gw_node_get(m, "topic")->text, gw_buf_str(&body), &result,
				       &e);
		if (m->next) {
			check(r == 0, "%d: %s", r, e.text);
			for (size_t k = 0; k < result.n_devices; k++) {
				struct bound b;
				if (result.devices[k].profile) {
					bind_profile(l, &result.devices[k], &b);
					unbind(&b);
				}
			}
		} else {
			check_last(l, root, r, &e, &result);
		}
		gw_import_result_fini(&result);
	}
	gw_importer_free(i);
	gw_library_free(l);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void run_folder(const char *name)
{
	const struct gw_importer_class *class = NULL;
	for (size_t i = 0; (class = gw_importer_class_at(i)) && strcmp(class->name, name) != 0;
	     i++) {
	}
	assert_non_null(class);
	char path[4096];
	snprintf(path, sizeof(path), VECTORS "%s", name);
	DIR *d = opendir(path);
	assert_non_null(d);
	char *files[MAX_CASES];
	size_t n = 0;
	for (struct dirent *e = readdir(d); e; e = readdir(d)) {
		if (gw_str_ends(gw_str(e->d_name), ".json")) {
			assert_true(n < MAX_CASES);
			files[n++] = gw_strdup(e->d_name);
		}
	}
	closedir(d);
	qsort(files, n, sizeof(files[0]), by_name);
	assert_true(n > 10);
	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), VECTORS "%s/%s", name, files[i]);
		current = path;
		struct gw_arena *a = gw_arena_new(16 << 20);
		assert_non_null(a);
		run_case(class, read_case(a, path));
		gw_arena_free(a);
		gw_free(files[i]);
	}
}

static void tasmota(void **state)
{
	(void)state;
	run_folder("tasmota");
}

static void homeassistant(void **state)
{
	(void)state;
	run_folder("homeassistant");
}

static void zigbee2mqtt(void **state)
{
	(void)state;
	run_folder("zigbee2mqtt");
}

static void homie(void **state)
{
	(void)state;
	run_folder("homie");
}

/* --- bounds and memory --- */

static int send_config(struct gw_importer *i, unsigned device, unsigned entity,
		       struct gw_import_result *r)
{
	char topic[128], payload[256];
	snprintf(topic, sizeof(topic), "homeassistant/switch/d%u/e%u/config", device, entity);
	snprintf(payload, sizeof(payload),
		 "{\"cmd_t\":\"x/dev%u/e%u\",\"dev\":{\"ids\":\"d%u\",\"mf\":\"A\",\"mdl\":\"B\"}}",
		 device, entity, device);
	return gw_importer_class(i)->message(i, gw_str(topic), gw_str(payload), r, NULL);
}

static const struct gw_importer_class *class_of(const char *name)
{
	const struct gw_importer_class *c;
	for (size_t i = 0; (c = gw_importer_class_at(i)); i++) {
		if (strcmp(c->name, name) == 0) {
			return c;
		}
	}
	return NULL;
}

/* Beyond GW_CANDIDATES the oldest device is forgotten; beyond GW_PROFILE_MSGS topics an entity is noted. */
static void bounded(void **state)
{
	(void)state;
	struct gw_importer *i = gw_importer_new(class_of("homeassistant"));
	struct gw_import_result r;
	for (unsigned d = 0; d <= GW_CANDIDATES; d++) {
		assert_int_equal(send_config(i, d, 0, &r), 0);
		assert_int_equal(r.n_devices, 1);
		gw_import_result_fini(&r);
	}
	/* device 0 was forgotten: removing it says nothing; device 1 is still known */
	assert_int_equal(gw_importer_class(i)->message(i,
						       GW_STR("homeassistant/switch/d0/e0/config"),
						       GW_STR(""), &r, NULL),
			 0);
	assert_int_equal(r.n_devices, 0);
	gw_import_result_fini(&r);
	assert_int_equal(gw_importer_class(i)->message(i,
						       GW_STR("homeassistant/switch/d1/e0/config"),
						       GW_STR(""), &r, NULL),
			 0);
	assert_int_equal(r.n_devices, 1);
	assert_null(r.devices[0].profile);
	gw_import_result_fini(&r);
	for (unsigned e = 1; e <= GW_PROFILE_MSGS; e++) {
		assert_int_equal(send_config(i, 2, e, &r), 0);
		if (e == GW_PROFILE_MSGS) {
			assert_int_equal(r.n_notes, 1);
			assert_non_null(strstr(r.notes[0].reason, "more than 32 messages"));
		} else {
			assert_int_equal(r.n_notes, 0);
		}
		gw_import_result_fini(&r);
	}
	for (unsigned e = GW_PROFILE_MSGS + 1; e < GW_IMPORT_PARTS; e++) {
		assert_int_equal(send_config(i, 2, e, &r), 0);
		gw_import_result_fini(&r);
	}
	assert_int_equal(send_config(i, 2, GW_IMPORT_PARTS, &r), -EBADMSG);
	gw_importer_free(i);
}

/* The n-th allocation fails: -ENOMEM or the same result, and nothing leaks. */
static void out_of_memory(void **state)
{
	(void)state;
	static const struct {
		const char *class, *topic, *payload;
	} cases[] = {
		{"homeassistant", "homeassistant/device/x/config",
		 "{\"dev\":{\"ids\":\"x\"},\"o\":{\"name\":\"o\"},\"cmps\":{\"s\":{\"p\":\"switch\",\"cmd_t\":\"a/x/s\"},"
		 "\"t\":{\"p\":\"sensor\",\"stat_t\":\"a/x/t\",\"dev_cla\":\"temperature\",\"unit_of_meas\":\"C\","
		 "\"val_tpl\":\"{{ value_json.t * 2 }}\"}}}"},
		{"zigbee2mqtt", "z/bridge/devices",
		 "[{\"ieee_address\":\"0x1\",\"friendly_name\":\"f\",\"definition\":{\"model\":\"m\",\"exposes\":["
		 "{\"type\":\"numeric\",\"name\":\"temperature\",\"property\":\"temperature\",\"access\":1}]}}]"},
		{"tasmota", "tasmota/discovery/A00000000001/config",
		 "{\"mac\":\"A00000000001\",\"t\":\"t\",\"ft\":\"%topic%/%prefix%/\",\"tp\":[\"c\",\"s\",\"t\"],\"rl\":[1],"
		 "\"so\":{},\"state\":[],\"onln\":\"on\",\"ofln\":\"off\",\"ver\":1}"},
		{"homie", "homie/5/lamp/$description",
		 "{\"homie\":\"5.0\",\"name\":\"l\",\"nodes\":{\"a\":{\"properties\":{\"on\":{\"datatype\":\"boolean\","
		 "\"settable\":true},\"mode\":{\"datatype\":\"enum\",\"format\":\"a,b\"}}}}}"},
	};
	for (size_t k = 0; k < gw_countof(cases); k++) {
		int r = -ENOMEM;
		uint64_t nth = 0;
		while (r == -ENOMEM && nth < 5000) {
			struct gw_importer *i = gw_importer_new(class_of(cases[k].class));
			struct gw_import_result result = {.devices = NULL};
			uint64_t before = gw_alloc_count();
			gw_alloc_fail_at(++nth);
			r = gw_importer_class(i)->message(i, gw_str(cases[k].topic),
							  gw_str(cases[k].payload), &result, NULL);
			gw_alloc_fail_at(0);
			if (r == 0 && gw_alloc_count() - before < nth) {
				assert_int_equal(result.n_devices, 1); /* nothing failed any more */
			} else if (r == 0) {
				r = -ENOMEM; /* what failed was a note or a spare buffer: go on */
			}
			gw_import_result_fini(&result);
			gw_importer_free(i);
		}
		assert_int_equal(r, 0);
		assert_true(nth > 20);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tasmota),     cmocka_unit_test(homeassistant),
		cmocka_unit_test(zigbee2mqtt), cmocka_unit_test(homie),
		cmocka_unit_test(bounded),     cmocka_unit_test(out_of_memory),
	};
	return cmocka_run_group_tests_name("import", tests, NULL, NULL);
}
