/*
 * A profile out of a list of capabilities: each property has a member of its own in the one state message ("switch.on" is /switch_on on
 * "dev/<topic>") and, when it is written, in the one set message; each action without arguments has a message of its own.
 */
#pragma once

#include <stdio.h>
#include <string.h>

#include "gw/buf.h"
#include "gw/model.h"
#include "gw_test.h"

struct made_cap {
	const char *address;
	/* A property: what is reported, what is written (NULL: never), both as JSON. An event: its value. An action: NULL, its arguments ("{}"). */
	const char *value, *write;
	const char *rule; /* further members; of an action with arguments all of them */
	const char *name; /* of its member in the messages; NULL: of the address */
};

struct made_profile {
	const char *id; /* of the device and its topic; the profile is made.<id> */
	const char *type;
	const struct made_cap *caps;
	size_t n_caps;
};

static inline const char *made_id(const struct made_cap *c)
{
	const char *slash = strchr(c->address, '/');
	return slash ? slash + 1 : c->address;
}

static inline enum gw_kind made_kind(const struct made_cap *c)
{
	const struct gw_capability *model = gw_capability_find(gw_str(made_id(c)));
	return model ? model->kind : GW_KIND_PROPERTY;
}

/* "outlet_1/switch.on" → outlet_1_switch_on */
static inline void made_name(const struct made_cap *c, struct gw_buf *b)
{
	for (const char *p = c->name ? c->name : c->address; *p; p++) {
		gw_buf_putc(b, *p == '.' || *p == '/' ? '_' : *p);
	}
}

static inline void made_point(const struct made_cap *c, const char **lead, struct gw_buf *b)
{
	bool action = made_kind(c) == GW_KIND_ACTION;
	if (action && !c->rule) {
		return;
	}
	gw_buf_puts(b, *lead);
	*lead = "";
	gw_buf_puts(b, "  ");
	made_name(c, b);
	gw_buf_puts(b, ": {frac: true");
	const struct {
		bool on;
		const char *key, *msg;
	} ends[] = {{!action, "in", "state"}, {c->write != NULL, "out", "set"}};
	for (size_t i = 0; i < gw_countof(ends); i++) {
		if (ends[i].on) {
			gw_buf_printf(b, ", %s: \"%s#/", ends[i].key, ends[i].msg);
			made_name(c, b);
			gw_buf_putc(b, '"');
		}
	}
	gw_buf_puts(b, "}\n");
}

static inline void made_capability(const struct made_cap *c, const char *indent, struct gw_buf *b)
{
	gw_buf_printf(b, "%s%s: {", indent, made_id(c));
	if (made_kind(c) == GW_KIND_EVENT) {
		gw_buf_puts(b, "event: {point: ");
		made_name(c, b);
		gw_buf_putc(b, '}');
	} else if (made_kind(c) == GW_KIND_PROPERTY) {
		gw_buf_puts(b, "point: ");
		made_name(c, b);
	} else if (!c->rule) {
		gw_buf_puts(b, "send: ");
		made_name(c, b);
	}
	if (c->rule) {
		gw_buf_printf(b, "%s%s", made_kind(c) == GW_KIND_ACTION ? "" : ", ", c->rule);
	}
	gw_buf_puts(b, "}\n");
}

static inline void made_caps(const struct made_profile *m, struct gw_buf *b)
{
	gw_buf_puts(b, "caps:\n");
	for (size_t i = 0; i < m->n_caps; i++) {
		if (!strchr(m->caps[i].address, '/')) {
			made_capability(&m->caps[i], "  ", b);
		}
	}
	const char *open = "components:\n", *before = "";
	for (size_t i = 0; i < m->n_caps; i++) {
		const char *a = m->caps[i].address, *slash = strchr(a, '/');
		if (!slash) {
			continue;
		}
		size_t len = (size_t)(slash - a);
		if (strncmp(a, before, len + 1) != 0) {
			gw_buf_printf(b, "%s  %.*s:\n    caps:\n", open, (int)len, a);
			open = "";
			before = a;
		}
		made_capability(&m->caps[i], "      ", b);
	}
}

/* One test per kind of thing, as the checker wants it: a profile is proved by its vectors. */
static inline void made_tests(const struct made_profile *m, struct gw_buf *b)
{
	gw_buf_puts(b, "tests:\n  - {name: state, rx: [{state: {");
	for (int part = 0; part < 2; part++) {
		const char *lead = "";
		for (size_t i = 0; i < m->n_caps; i++) {
			if (made_kind(&m->caps[i]) != GW_KIND_PROPERTY) {
				continue;
			}
			gw_buf_puts(b, lead);
			if (part == 0) {
				made_name(&m->caps[i], b);
			} else {
				gw_buf_puts(b, m->caps[i].address);
			}
			gw_buf_printf(b, ": %s", m->caps[i].value);
			lead = ", ";
		}
		gw_buf_puts(b, part == 0 ? "}}], want: {" : "}}\n");
	}
	for (size_t i = 0; i < m->n_caps; i++) {
		const struct made_cap *c = &m->caps[i];
		switch (made_kind(c)) {
		case GW_KIND_PROPERTY:
			if (!c->write) {
				continue;
			}
			gw_buf_printf(b, "  - {name: %s, write: {%s: %s}, tx: [{set: {", c->address,
				      c->address, c->write);
			made_name(c, b);
			gw_buf_printf(b, ": %s}}]}\n", c->write);
			break;
		case GW_KIND_ACTION:
			gw_buf_printf(b, "  - {name: %s, act: [%s, %s], tx: [{", c->address,
				      c->address, c->write);
			if (c->rule) {
				gw_buf_puts(b, "set: {");
				made_name(c, b);
				gw_buf_printf(b, ": %s}}]}\n", c->value);
			} else {
				made_name(c, b);
				gw_buf_puts(b, ": go}]}\n");
			}
			break;
		case GW_KIND_EVENT:
			gw_buf_printf(b, "  - {name: %s, rx: [{state: {", c->address);
			made_name(c, b);
			gw_buf_printf(b, ": %s}}], events: [{%s: %s}]}\n", c->value, c->address,
				      c->value);
			break;
		}
	}
}

/* The text of the profile; freed with gw_buf_fini. */
static inline void made_write(const struct made_profile *m, struct gw_buf *b)
{
	gw_buf_printf(
		b,
		"profile: 1\nid: made.%s\nversion: 1.0.0\ntype: %s\nname: Made %s\n"
		"match: [{mqtt: made/%s/+/config, set: {topic: \"topic:1\"}}]\n"
		"vars: {topic: {}}\nlink: {confirm: {within: 1s}}\nmsgs:\n"
		"  state: {rx: \"dev/{topic}\"}\n  set: {tx: \"dev/{topic}/set\", mode: patch}\n",
		m->id, m->type, m->id, m->id);
	for (size_t i = 0; i < m->n_caps; i++) {
		if (made_kind(&m->caps[i]) == GW_KIND_ACTION && !m->caps[i].rule) {
			gw_buf_puts(b, "  ");
			made_name(&m->caps[i], b);
			gw_buf_puts(b, ": {tx: \"dev/{topic}/");
			made_name(&m->caps[i], b);
			gw_buf_puts(b, "\", codec: text, body: go}\n");
		}
	}
	const char *lead = "points:\n"; /* none at all when there are only actions */
	for (size_t i = 0; i < m->n_caps; i++) {
		made_point(&m->caps[i], &lead, b);
	}
	made_caps(m, b);
	made_tests(m, b);
	assert_int_equal(gw_buf_error(b), 0);
}

/* What the device reports: every property, or one event. */
static inline void made_state(const struct made_profile *m, struct gw_buf *b)
{
	const char *lead = "{";
	for (size_t i = 0; i < m->n_caps; i++) {
		if (made_kind(&m->caps[i]) == GW_KIND_PROPERTY) {
			gw_buf_printf(b, "%s\"", lead);
			made_name(&m->caps[i], b);
			gw_buf_printf(b, "\":%s", m->caps[i].value);
			lead = ",";
		}
	}
	gw_buf_puts(b, lead[0] == '{' ? "{}" : "}");
	assert_int_equal(gw_buf_error(b), 0);
}
