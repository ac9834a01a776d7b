/* A twin and the binding of the same profile, and the road between them: what one sends the other gets. */
#pragma once

#include "gw_test.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/binding.h"
#include "gw/topic.h"
#include "gw/twin.h"
#include "profile/twin.h"

#define MAX_EMISSIONS 256

struct bench {
	const char *name; /* for failures; NULL: the profile's id */
	struct gw_library *library;
	struct gw_profile *profile;
	struct gw_twin *twin;
	struct gw_vars vars; /* of the gateway's side */
	struct gw_plan *plan;
	struct gw_binding *binding;
	struct gw_expect *expect;
	bool met;
	int presence;
	bool tolerant;	 /* malformed bodies are counted, not failed for */
	size_t refused;	 /* in the last delivery */
	size_t happened; /* events in the last delivery, and the last of them */
	uint16_t happened_cap;
	char *happened_value;
	struct emitted {
		char *channel, *body;
		char *options; /* as JSON; empty: none */
		size_t len;
		bool retain;
		int64_t delay_ms;
	} list[MAX_EMISSIONS];
	size_t count;
};

/* Not of the memory that some tests let run out. */
static inline char *copy_of(struct gw_str s)
{
	char *p = malloc(s.len + 1);
	assert_non_null(p);
	memcpy(p, s.p, s.len);
	p[s.len] = '\0';
	return p;
}

static inline const char *name_of(const struct bench *b)
{
	return b->name ? b->name : gw_profile_id(b->profile);
}

static inline void on_emit(void *ctx, const struct gw_emission *e)
{
	struct bench *b = ctx;
	assert_true(b->count < MAX_EMISSIONS);
	struct emitted *m = &b->list[b->count++];
	struct gw_buf options = GW_BUF_INIT(65536);
	if (e->options) {
		gw_node_write(&options, e->options, /* source_order= */ true);
	}
	*m = (struct emitted){copy_of(e->channel), copy_of(e->body), copy_of(gw_buf_str(&options)),
			      e->body.len,	   e->retain,	     e->delay_ms};
	gw_buf_fini(&options);
}

static const struct gw_twin_ops ops = {.emit = on_emit};

static inline void drop_emissions(struct bench *b)
{
	for (size_t i = 0; i < b->count; i++) {
		free(b->list[i].channel);
		free(b->list[i].body);
		free(b->list[i].options);
	}
	b->count = 0;
}

/* --- the gateway's side --- */

static inline bool arrives_on(struct bench *b, const struct gw_msg_info *m, const char *channel)
{
	bool hit = false;
	for (uint16_t i = 0; i <= m->n_rx; i++) {
		const char *on = i < m->n_rx ? m->rx[i] : m->get;
		struct gw_buf filter = GW_BUF_INIT(GW_TOPIC_BYTES);
		if (on && gw_binding_channel(b->binding, on, &filter) == 0) {
			hit |= strcmp(filter.p, channel) == 0 ||
			       gw_topic_matches(gw_buf_str(&filter), gw_str(channel));
		}
		gw_buf_fini(&filter);
	}
	return hit;
}

static inline void note_events(struct bench *b, const struct gw_received *received)
{
	for (size_t i = 0; i < received->n_events; i++) {
		struct gw_buf text = GW_BUF_INIT(4096);
		const struct gw_happened *h = &received->events[i];
		gw_value_write_json(&text, &h->value, gw_plan_cap(b->plan, h->cap)->domain.res);
		free(b->happened_value);
		b->happened_value = copy_of(gw_buf_str(&text));
		b->happened_cap = h->cap;
		b->happened++;
		gw_buf_fini(&text);
	}
}

/* Everything that the twin said, to the binding; each must be understood. */
static inline void deliver(struct bench *b)
{
	b->happened = 0;
	b->refused = 0;
	for (size_t i = 0; i < b->count; i++) {
		const struct emitted *e = &b->list[i];
		struct gw_arena *a = gw_arena_new(1 << 20);
		struct gw_node *options = NULL;
		if (e->options[0]) {
			assert_int_equal(
				gw_node_parse_json(a, gw_str(e->options), NULL, &options, NULL), 0);
		}
		for (size_t m = 0; m < gw_plan_msg_count(b->plan); m++) {
			if (!arrives_on(b, gw_plan_msg(b->plan, m), e->channel)) {
				continue;
			}
			struct gw_body body = {.bytes = {e->body, e->len}, .options = options};
			struct gw_received received = {0};
			int r = gw_binding_receive(b->binding, m, &body, e->retain, 0, &received);
			if (r == -EBADMSG && b->tolerant) {
				b->refused++;
				continue;
			}
			if (r < 0) {
				fail_msg("%s: %s %s: %d", name_of(b), e->channel, e->body, r);
			}
			note_events(b, &received);
			b->presence = received.presence >= 0 && !received.ignored
					      ? received.presence
					      : b->presence;
			if (b->expect && !received.ignored) {
				b->met |= gw_expect_met(b->expect, b->binding, m);
			}
		}
		gw_arena_free(a);
	}
	drop_emissions(b);
}

/* The gateway finds the device by what it announced. */
static inline bool discover(struct bench *b)
{
	struct gw_arena *a = gw_arena_new(1 << 20);
	int score = -1;
	for (size_t i = 0; i < b->count && score < 0; i++) {
		struct gw_node *o = gw_node_new(a, GW_NODE_MAP), *json = NULL;
		if (gw_node_parse_json(a, gw_str(b->list[i].body), NULL, &json, NULL) < 0) {
			json = gw_node_new_text(a, gw_str(b->list[i].body));
		}
		assert_int_equal(gw_node_set(a, o, GW_STR("mqtt"),
					     gw_node_new_text(a, gw_str(b->list[i].channel))),
				 0);
		assert_int_equal(gw_node_set(a, o, GW_STR("json"), json), 0);
		assert_int_equal(gw_profile_match(b->profile, o, &score, &b->vars), 0);
	}
	gw_arena_free(a);
	return score >= 0;
}

static inline const struct gw_var_info *identity_of(const struct gw_profile *p)
{
	for (size_t i = 0; i < gw_profile_var_count(p); i++) {
		if (gw_profile_var(p, i)->identity) {
			return gw_profile_var(p, i);
		}
	}
	return gw_profile_var(p, 0);
}

/* The device side with these variables. The bench takes the reference. */
static inline void play_seeded(struct bench *b, struct gw_profile *p, const struct gw_vars *vars,
			       uint64_t seed)
{
	struct gw_error e = {0};
	*b = (struct bench){.library = b->library, .profile = p, .presence = -1};
	if (gw_twin_new(p, vars, seed, &ops, b, &b->twin, &e) < 0) {
		fail_msg("%s: %s", gw_profile_id(p), e.text);
	}
	gw_twin_announce(b->twin);
}

static inline void play_as(struct bench *b, struct gw_profile *p, const struct gw_vars *vars)
{
	play_seeded(b, p, vars, 7);
}

/* The gateway's side; vars NULL: those that were discovered. */
static inline void bind_as(struct bench *b, const struct gw_vars *vars)
{
	struct gw_error e = {0};
	if (vars) {
		assert_int_equal(gw_vars_copy(&b->vars, vars), 0);
	}
	assert_int_equal(gw_profile_complete_vars(b->profile, &b->vars, &e), 0);
	assert_int_equal(gw_plan_get(b->profile, &b->vars, &b->plan, &e), 0);
	assert_int_equal(gw_binding_new(b->plan, &b->vars, &b->binding, &e), 0);
	deliver(b);
}

static inline void play(struct bench *b, struct gw_profile *p)
{
	struct gw_vars vars = {0};
	const struct gw_var_info *identity = identity_of(p);
	if (identity) {
		assert_int_equal(gw_vars_set(&vars, gw_str(identity->name), GW_STR("twin_7")), 0);
	}
	play_as(b, p, &vars);
	bool mqtt = gw_profile_match_filter(p, 0) != NULL;
	if (discover(b) != mqtt) {
		fail_msg("%s: is not found by its announcement", gw_profile_id(p));
	}
	if (mqtt) {
		const char *found = gw_vars_get(&b->vars, identity->name);
		assert_non_null(found);
		assert_string_equal(found, "twin_7");
	}
	bind_as(b, mqtt ? NULL : &vars);
	gw_vars_fini(&vars);
}

static inline void stop(struct bench *b)
{
	drop_emissions(b);
	free(b->happened_value);
	gw_expect_free(b->expect);
	gw_binding_free(b->binding);
	gw_plan_unref(b->plan);
	gw_vars_fini(&b->vars);
	gw_twin_free(b->twin);
	gw_profile_unref(b->profile);
}

/* --- what was written is what the device shows (laws L1, L2 of §13) --- */

/* Can the device report this raw at all? */
static inline bool can_report(const struct gw_pl_point *p, double raw)
{
	for (uint16_t i = 0; i < p->n_out; i++) {
		const struct gw_ref *ref = &p->out[i];
		uint8_t bytes[8];
		const struct gw_raw x = gw_raw_number(raw);
		if (ref->width && (raw < 0 || raw >= (double)(1u << ref->width))) {
			return false;
		}
		if (p->has_as && p->as.kind == GW_AS_HM && fmod(raw, 60) != 0) {
			return false;
		}
		if (!ref->width && ref->kind == GW_REF_BYTE && p->as.kind <= GW_AS_BCD &&
		    gw_as_write_bytes(&p->as, &x, bytes, p->as.size)) {
			return false;
		}
	}
	return true;
}

static inline double shown_number(struct bench *b, const struct gw_pl_cap *cap)
{
	struct gw_view view = gw_view_reported(b->twin->b);
	struct gw_reading r = {.x = {.type = GW_RAW_NULL}};
	enum gw_quality q;
	gw_cap_read(&view, cap, &r, &q);
	return r.x.type == GW_RAW_NUMBER ? r.x.number : NAN;
}

/* L2: no raw of the capability changed by one step reads nearer. */
static inline bool is_nearest(struct bench *b, const struct gw_pl_cap *cap, double wanted)
{
	const double off = fabs(shown_number(b, cap) - wanted);
	bool nearest = isfinite(off);
	for (uint16_t i = 0; i < cap->n_points && nearest; i++) {
		const struct gw_pl_point *p = &b->twin->plan->points[cap->points[i]];
		struct gw_raw *raw = &b->twin->b->slots[cap->points[i]].raw;
		for (int step = -1; step <= 1; step += 2) {
			if (raw->type == GW_RAW_NUMBER && p->n_out > 0 && !p->has_map &&
			    can_report(p, raw->number + step)) {
				raw->number += step;
				nearest &= !(fabs(shown_number(b, cap) - wanted) < off - 1e-9);
				raw->number -= step;
			}
		}
	}
	return nearest;
}

/* A point that acts once is forgotten; a toggle of something that is no bit is not understood (§13). */
static inline bool keeps_what_is_written(const struct bench *b, const struct gw_pl_cap *cap)
{
	for (uint16_t i = 0; i < cap->n_points; i++) {
		if (b->twin->plan->points[cap->points[i]].oneshot) {
			return false;
		}
	}
	if (cap->form->ops != &gw_form_toggle) {
		return true;
	}
	const struct gw_toggle_form *f = gw_container(cap->form, const struct gw_toggle_form, form);
	const struct gw_pl_point *p = &b->twin->plan->points[f->points[0]];
	return f->n_points == 1 && (p->n_in == 0 || p->in[0].width <= 1);
}

static inline void expect_shown(struct bench *b, size_t index, const struct gw_node *wanted)
{
	const struct gw_pl_cap *cap = &b->twin->plan->caps[index];
	const struct gw_value *v = gw_binding_value(b->twin->b, index, NULL);
	struct gw_buf shown = GW_BUF_INIT(65536), text = GW_BUF_INIT(65536);
	const struct gw_resolution res = cap->info.domain.res;
	int64_t count;
	bool holds;
	gw_value_write_json(&shown, v, res);
	gw_node_write(&text, wanted, /* source_order= */ false);
	if (wanted->type == GW_NODE_NUMBER) {
		assert_int_equal(gw_quantise(wanted->number, res, &count), 0);
		holds = v->type == GW_VALUE_NUMBER &&
			(v->count == count || is_nearest(b, cap, gw_count_value(count, res)));
	} else {
		holds = gw_str_eq(gw_buf_str(&shown), gw_buf_str(&text));
	}
	if (!holds && keeps_what_is_written(b, cap)) {
		fail_msg("%s: %s = %s, but the device shows %s", name_of(b), cap->info.address,
			 text.p, shown.p);
	}
	gw_buf_fini(&shown);
	gw_buf_fini(&text);
}

/* What the device can report is in the gateway as the device has it. */
static inline void both_see_the_same(struct bench *b)
{
	for (size_t i = 0; i < gw_plan_cap_count(b->plan); i++) {
		const struct gw_value *device = gw_binding_value(b->twin->b, i, NULL);
		const struct gw_value *gateway = gw_binding_value(b->binding, i, NULL);
		const struct gw_pl_cap *cap = &b->twin->plan->caps[i];
		bool reported = true;
		for (uint16_t k = 0; k < cap->n_points; k++) {
			const struct gw_pl_point *p = &b->twin->plan->points[cap->points[k]];
			reported &= p->n_in > 0 && !p->oneshot;
		}
		if (cap->info.kind == GW_KIND_PROPERTY && reported &&
		    !gw_value_equal(device, gateway)) {
			struct gw_buf x = GW_BUF_INIT(65536), y = GW_BUF_INIT(65536);
			gw_value_write_json(&x, device, cap->info.domain.res);
			gw_value_write_json(&y, gateway, cap->info.domain.res);
			fail_msg("%s: %s is %s on the device, %s in the gateway", name_of(b),
				 cap->info.address, x.p, y.p);
		}
	}
}

/* --- one value --- */

static inline void send_all(struct bench *b, struct gw_outgoing *out)
{
	for (size_t i = 0; i < out->n_msgs; i++) {
		const struct gw_msg_info *m = gw_plan_msg(b->plan, out->msgs[i].msg);
		struct gw_buf channel = GW_BUF_INIT(GW_TOPIC_BYTES);
		assert_int_equal(gw_binding_channel(b->binding, m->tx, &channel), 0);
		gw_twin_receive(b->twin, gw_buf_str(&channel), out->msgs[i].body);
		gw_buf_fini(&channel);
	}
	gw_outgoing_fini(out);
}

/* Sends a command to the twin and waits for its echo. False: the state of the device does not allow it now. */
static inline bool command(struct bench *b, const struct gw_cap_info *cap,
			   const struct gw_node *value)
{
	struct gw_wanted wanted = {.address = gw_str(cap->address), .value = value};
	struct gw_outgoing out = {0};
	struct gw_write_error e = {0};
	static int64_t now = 0;
	now += 60000; /* nothing is pending any more */
	if (gw_binding_write(b->binding, &wanted, 1, now, &out, &e) < 0) {
		assert_true(strcmp(e.code, "type") != 0);
		return false;
	}
	b->expect = out.expect;
	out.expect = NULL;
	b->met = false;
	size_t sent = out.n_msgs;
	send_all(b, &out);
	expect_shown(b, (size_t)gw_plan_find_cap(b->plan, gw_str(cap->address)), value);
	deliver(b);
	both_see_the_same(b);
	if (b->expect && sent > 0 && !b->met) {
		struct gw_buf text = GW_BUF_INIT(1000);
		gw_node_write(&text, value, false);
		fail_msg("%s: %s = %s is not confirmed", name_of(b), cap->address, text.p);
	}
	gw_expect_free(b->expect);
	b->expect = NULL;
	return true;
}

static inline size_t command_all(struct bench *b, size_t index)
{
	const struct gw_cap_info *cap = gw_plan_cap(b->plan, index);
	struct gw_domain now, *d = &now;
	bool ro;
	gw_binding_limits(b->binding, index, d, &ro);
	struct gw_arena *a = gw_arena_new(1 << 16);
	size_t done = 0;
	if (d->type == GW_TYPE_BOOL) {
		done += command(b, cap, gw_node_new_bool(a, true));
		done += command(b, cap, gw_node_new_bool(a, false));
		done += command(b, cap, gw_node_new_bool(a, true));
	}
	for (uint16_t i = 0; d->type == GW_TYPE_ENUM && i < d->n_symbols; i++) {
		done += command(b, cap, gw_node_new_text(a, gw_str(d->symbols[i])));
	}
	if (d->type == GW_TYPE_NUM || d->type == GW_TYPE_INT) {
		int64_t min = d->has_min ? d->min : 0, max = d->has_max ? d->max : min + 100;
		int64_t step = d->step ? d->step : 1;
		for (int i = 0; i <= 4; i++) {
			int64_t count = min + (max - min) / 4 * i;
			count = min + (count - min) / step * step;
			done += command(b, cap,
					gw_node_new_number(a, gw_count_value(count, d->res)));
		}
	}
	/* Lists and texts: what the profile's own tests write. */
	gw_node_for(test, gw_node_get(gw_profile_tree(b->profile), "tests"))
	{
		const struct gw_node *value = gw_node_get(gw_node_get(test, "write"), cap->address);
		bool takes =
			d->type == GW_TYPE_LIST || d->type == GW_TYPE_STR || d->type == GW_TYPE_REC;
		done += value && takes && command(b, cap, value);
	}
	gw_arena_free(a);
	return done;
}

/* A capability that cannot be written now can in some state of the others. */
static inline size_t command_somewhere(struct bench *b, size_t index)
{
	size_t done = command_all(b, index);
	for (size_t i = 0; i < gw_plan_cap_count(b->plan) && done == 0; i++) {
		const struct gw_cap_info *other = gw_plan_cap(b->plan, i);
		for (uint16_t k = 0; other->writable && k < other->domain.n_symbols && done == 0;
		     k++) {
			struct gw_arena *a = gw_arena_new(1 << 16);
			bool there = command(b, other,
					     gw_node_new_text(a, gw_str(other->domain.symbols[k])));
			done = there ? command_all(b, index) : 0;
			gw_arena_free(a);
		}
	}
	return done;
}

/* All that the device shows and that can be written, in one command: nothing is different afterwards. False: refused as a whole. */
static inline bool command_together(struct bench *b)
{
	struct gw_wanted wanted[GW_PROFILE_CAPS];
	struct gw_outgoing out = {0};
	struct gw_write_error e = {0};
	struct gw_arena *a = gw_arena_new(1 << 20);
	size_t n = 0;
	for (size_t i = 0; i < gw_plan_cap_count(b->plan); i++) {
		const struct gw_cap_info *cap = gw_plan_cap(b->plan, i);
		const struct gw_value *v = gw_binding_value(b->twin->b, i, NULL);
		struct gw_buf text = GW_BUF_INIT(65536);
		struct gw_node *value = NULL;
		gw_value_write_json(&text, v, cap->domain.res);
		assert_int_equal(gw_node_parse_json(a, gw_buf_str(&text), NULL, &value, NULL), 0);
		if (cap->writable && v->type != GW_VALUE_NONE) {
			wanted[n++] = (struct gw_wanted){gw_str(cap->address), value};
		}
		gw_buf_fini(&text);
	}
	bool taken = gw_binding_write(b->binding, wanted, n, INT64_MAX / 2, &out, &e) == 0;
	if (taken) {
		send_all(b, &out);
		for (size_t i = 0; i < n; i++) {
			expect_shown(b, (size_t)gw_plan_find_cap(b->plan, wanted[i].address),
				     wanted[i].value);
		}
		deliver(b);
		both_see_the_same(b);
	}
	gw_arena_free(a);
	return taken;
}

/* --- happenings and actions --- */

/* Every symbol that an event has, made to happen on the device, is raised once; returns how many. */
static inline size_t happen(struct bench *b, size_t index)
{
	const struct gw_cap_info *cap = gw_plan_cap(b->plan, index);
	struct gw_arena *a = gw_arena_new(1 << 16);
	struct gw_buf text = GW_BUF_INIT(4096);
	struct gw_error e = {0};
	size_t done = 0;
	for (uint16_t i = 0; i < cap->domain.n_symbols; i++) {
		const struct gw_node *n = gw_node_new_text(a, gw_str(cap->domain.symbols[i]));
		if (gw_twin_set(b->twin, gw_str(cap->address), n, &e) < 0) {
			continue; /* this product has no such thing */
		}
		deliver(b);
		gw_buf_reset(&text);
		gw_node_write(&text, n, /* source_order= */ false);
		if (b->happened != 1 || b->happened_cap != index ||
		    strcmp(b->happened_value, text.p) != 0) {
			fail_msg("%s: %s %s was raised %zu times", name_of(b), cap->address, text.p,
				 b->happened);
		}
		gw_twin_report(b->twin);
		deliver(b);
		assert_int_equal(b->happened, 0);
		done++;
	}
	gw_buf_fini(&text);
	gw_arena_free(a);
	return done;
}

/* Acts without arguments; what the device makes of it is in the gateway. False: refused. */
static inline bool act(struct bench *b, size_t index)
{
	struct gw_outgoing out = {0};
	struct gw_write_error e = {0};
	const struct gw_node none = {.type = GW_NODE_MAP};
	const struct gw_str address = gw_str(gw_plan_cap(b->plan, index)->address);
	if (gw_binding_act(b->binding, address, &none, 0, &out, &e) < 0) {
		return false;
	}
	send_all(b, &out);
	deliver(b);
	both_see_the_same(b);
	return true;
}
