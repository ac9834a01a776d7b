/* A profile from a text and one device of it, for the tests of the engine. */
#pragma once

#include "gw_test.h"

#include <errno.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/binding.h"
#include "gw/profile.h"

struct profile_case {
	struct gw_library *library;
	struct gw_profile *profile;
	struct gw_plan *plan;
	struct gw_binding *b;
	struct gw_received received; /* of the last case_receive */
	struct gw_outgoing out;	     /* of the last case_write */
	struct gw_write_error refused;
	struct gw_buf text;
};

static inline int case_load(struct profile_case *c, const char *yaml, struct gw_error *e)
{
	*c = (struct profile_case){.text = GW_BUF_INIT(65536)};
	assert_int_equal(gw_library_new(NULL, 0, &c->library), 0);
	return gw_profile_load_text(c->library, gw_str(yaml), "case", GW_PROFILE_LAX, &c->profile,
				    e);
}

static inline void case_open(struct profile_case *c, const char *yaml)
{
	struct gw_error e = {0};
	struct gw_vars vars = {0};
	if (case_load(c, yaml, &e) < 0) {
		fail_msg("%u:%u %s: %s", e.line, e.column, e.at, e.text);
	}
	assert_int_equal(gw_profile_complete_vars(c->profile, &vars, &e), 0);
	assert_int_equal(gw_plan_get(c->profile, &vars, &c->plan, &e), 0);
	assert_int_equal(gw_binding_new(c->plan, &vars, &c->b, &e), 0);
	gw_vars_fini(&vars);
}

static inline void case_close(struct profile_case *c)
{
	gw_outgoing_fini(&c->out);
	gw_binding_free(c->b);
	gw_plan_unref(c->plan);
	gw_profile_unref(c->profile);
	gw_library_free(c->library);
	gw_buf_fini(&c->text);
}

/* The profile must be refused with this code at this place; returns the text, valid until the next call. */
static inline void case_refused(const char *yaml, const char *code, const char *at,
				const char *part_of_text)
{
	struct profile_case c;
	struct gw_error e = {0};
	assert_int_equal(case_load(&c, yaml, &e), -EINVAL);
	assert_string_equal(e.code, code);
	assert_string_equal(e.at, at);
	if (!strstr(e.text, part_of_text)) {
		fail_msg("\"%s\" is not in \"%s\"", part_of_text, e.text);
	}
	case_close(&c);
}

static inline int case_receive_at(struct profile_case *c, const char *msg, struct gw_str bytes,
				  bool retained)
{
	const struct gw_body body = {.bytes = bytes};
	int index = gw_plan_find_msg(c->plan, gw_str(msg));
	assert_true(index >= 0);
	return gw_binding_receive(c->b, (size_t)index, &body, retained, 0, &c->received);
}

static inline int case_receive(struct profile_case *c, const char *msg, const char *bytes)
{
	return case_receive_at(c, msg, gw_str(bytes), /* retained= */ false);
}

/* The same with a body of hex pairs. */
static inline int case_receive_hex(struct profile_case *c, const char *msg, const char *hex)
{
	GW_AUTO(gw_buf_fini) struct gw_buf bytes = GW_BUF_INIT(65536);
	for (; *hex; hex++) {
		uint64_t byte;
		if (*hex != ' ') {
			assert_int_equal(gw_parse_hex((struct gw_str){hex, 2}, &byte), 0);
			gw_buf_putc(&bytes, (char)byte);
			hex++;
		}
	}
	return case_receive_at(c, msg, gw_buf_str(&bytes), /* retained= */ false);
}

/* The reported value as JSON text, "null" when there is none; valid until the next call. */
static inline const char *case_value(struct profile_case *c, const char *address)
{
	int cap = gw_plan_find_cap(c->plan, gw_str(address));
	assert_true(cap >= 0);
	gw_buf_reset(&c->text);
	gw_value_write_json(&c->text, gw_binding_value(c->b, (size_t)cap, NULL),
			    gw_plan_cap(c->plan, (size_t)cap)->domain.res);
	return c->text.p;
}

static inline enum gw_quality case_quality(struct profile_case *c, const char *address)
{
	enum gw_quality quality;
	int cap = gw_plan_find_cap(c->plan, gw_str(address));
	assert_true(cap >= 0);
	(void)gw_binding_value(c->b, (size_t)cap, &quality);
	return quality;
}

/* Writes one value given as JSON at a time; 0 or -EINVAL with c->refused. */
static inline int case_write_at(struct profile_case *c, const char *address, const char *json,
				int64_t now_ms)
{
	const struct gw_node_limits limits = {.max_bytes = 65536, .max_depth = 16};
	struct gw_arena *a = gw_arena_new(1024 * 1024);
	struct gw_node *n = NULL;
	assert_int_equal(gw_node_parse_json(a, gw_str(json), &limits, &n, NULL), 0);
	const struct gw_wanted wanted = {.address = gw_str(address), .value = n};
	gw_outgoing_fini(&c->out);
	c->refused = (struct gw_write_error){0};
	int r = gw_binding_write(c->b, &wanted, 1, now_ms, &c->out, &c->refused);
	gw_arena_free(a);
	return r;
}

static inline int case_write(struct profile_case *c, const char *address, const char *json)
{
	return case_write_at(c, address, json, 0);
}

/* The bodies of what the last write sent, each "msg body", separated by "; ". */
static inline const char *case_sent(struct profile_case *c)
{
	gw_buf_reset(&c->text);
	for (size_t i = 0; i < c->out.n_msgs; i++) {
		gw_buf_printf(&c->text, "%s%s ", i ? "; " : "",
			      gw_plan_msg(c->plan, c->out.msgs[i].msg)->name);
		gw_buf_add_str(&c->text, c->out.msgs[i].body);
	}
	return c->text.p ? c->text.p : "";
}

/* The one body that the last write sent, as hex. */
static inline const char *case_sent_hex(struct profile_case *c)
{
	gw_buf_reset(&c->text);
	assert_int_equal(c->out.n_msgs, 1);
	for (size_t i = 0; i < c->out.msgs[0].body.len; i++) {
		gw_buf_printf(&c->text, "%02x", (unsigned char)c->out.msgs[0].body.p[i]);
	}
	return c->text.p ? c->text.p : "";
}
