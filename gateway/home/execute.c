/* Carrying out: joining (profile-language §11), composing, sending, and following the device's own report (§5). */
#include <errno.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "home/adapter_host.h"
#include "home/command.h"
#include "home/registry.h"

#define READ_FIRST_MS 5000
#define WITHIN_MIN_MS 100
#define ASKS_MAX      8

static void execute(struct gw_command *c);

static void set_due(struct gw_command *c, int64_t at_ms)
{
	gw_deadline_set(c->gateway->deadlines, &c->due, at_ms);
}

static void wait_in(struct gw_command *c, enum gw_command_phase phase, int64_t at_ms)
{
	c->phase = phase;
	set_due(c, at_ms);
}

static const struct gw_cap_info *cap_of(const struct gw_device *d, struct gw_str address)
{
	struct gw_plan *plan = gw_binding_plan(d->binding);
	int cap = gw_plan_find_cap(plan, address);

	return cap < 0 ? NULL : gw_plan_cap(plan, (size_t)cap);
}

/* --- confirming --- */

/* The longest wait and the first `else` of what was wanted. */
static void add_confirm(struct gw_command *c, struct gw_str address)
{
	const struct gw_cap_info *cap = cap_of(c->device, address);

	if (!cap) {
		return;
	}
	if (cap->confirm_within_ms > c->within_ms) {
		c->within_ms = cap->confirm_within_ms;
	}
	if (c->otherwise == GW_CONFIRM_NONE) {
		c->otherwise = cap->confirm_else;
	}
}

static bool goes_with(const struct gw_command *c, const struct gw_command *leader)
{
	return c == leader || c->leader == leader;
}

static void prepare_confirm(struct gw_command *leader)
{
	leader->within_ms = WITHIN_MIN_MS;
	leader->otherwise = GW_CONFIRM_NONE;
	gw_list_for(pos, &leader->device->commands)
	{
		struct gw_command *c = gw_container(pos, struct gw_command, device_link);
		for (size_t i = 0; goes_with(c, leader) && i < c->n_wanted; i++) {
			add_confirm(leader, c->wanted[i].address);
		}
	}
	if (leader->n_wanted == 0) {
		add_confirm(leader, leader->action);
	}
}

/* "write sent, assume > 0: assumed with the wanted value"; without readable points for ever. */
static void show_assumed(struct gw_command *c)
{
	struct gw_plan *plan = gw_binding_plan(c->device->binding);

	for (size_t i = 0; i < c->n_wanted; i++) {
		struct gw_value v = {.type = GW_VALUE_NONE};
		int cap = gw_plan_find_cap(plan, c->wanted[i].address);
		const struct gw_cap_info *info = cap < 0 ? NULL : gw_plan_cap(plan, (size_t)cap);
		if (!info || info->assume_ms == 0 ||
		    gw_property_value(info, c->wanted[i].value, &v) < 0) {
			continue;
		}
		bool for_ever = c->leader ? !c->leader->expect : !c->expect;
		gw_registry_assume(c->device, (size_t)cap, &v,
				   for_ever ? INT64_MAX : gw_clock_ms() + info->assume_ms, c->id);
		gw_value_fini(&v);
	}
}

static void show_all_assumed(struct gw_command *leader)
{
	gw_list_for(pos, &leader->device->commands)
	{
		struct gw_command *c = gw_container(pos, struct gw_command, device_link);
		if (goes_with(c, leader)) {
			show_assumed(c);
		}
	}
}

static void on_sent(struct gw_command *c)
{
	struct gw_route *r = c->device->route;

	gw_renew_note(c);
	gw_queue_ask_on(r, GW_ASK_WRITE);
	if (c->met) {
		gw_command_finish(c, GW_STATUS_DONE, NULL, NULL, NULL);
		return;
	}
	show_all_assumed(c);
	if (!c->expect) {
		gw_command_finish(c, GW_STATUS_UNCONFIRMED, NULL,
				  "It was sent; the device does not report this.", NULL);
		return;
	}
	wait_in(c, GW_PHASE_CONFIRMING, gw_clock_ms() + c->within_ms);
}

static void on_job_done(void *ctx, enum gw_status status, struct gw_outgoing *out)
{
	struct gw_command *c = ctx;

	c->job = NULL;
	if (status != GW_STATUS_DONE) {
		gw_command_finish(c, status, NULL, NULL, NULL);
		return;
	}
	c->out = *out;
	*out = (struct gw_outgoing){0};
	on_sent(c);
}

/* Puts the message into the queue; c may be gone afterwards. */
static void send_out(struct gw_command *c, struct gw_outgoing *out)
{
	struct gw_route *r = c->device->route;

	c->job = gw_queue_submit(r, out, c->id, c->expires_ms, c->critical, on_job_done, c);
	if (!c->job) {
		gw_outgoing_fini(out);
		gw_command_finish(c, GW_STATUS_FAILED, NULL, "Out of memory.", NULL);
		return;
	}
	c->phase = GW_PHASE_QUEUED;
	gw_deadline_clear(c->gateway->deadlines, &c->due);
	gw_queue_pump(r);
}

/* Not confirmed in time: what the profile says comes next (§5). */
static void on_unconfirmed(struct gw_command *c)
{
	struct gw_route *r = c->device->route;
	uint16_t asks[ASKS_MAX];

	if (!c->second && c->otherwise == GW_CONFIRM_REREAD) {
		size_t n = gw_expect_asks(c->expect, c->device->binding, asks, ASKS_MAX);
		c->second = true;
		for (size_t i = 0; i < n; i++) {
			gw_queue_ask(r, asks[i], 0);
		}
		wait_in(c, GW_PHASE_REREADING, gw_clock_ms() + c->within_ms);
		return;
	}
	if (!c->second && c->otherwise == GW_CONFIRM_RESEND && c->out.n_msgs > 0) {
		struct gw_outgoing out = c->out;
		c->out = (struct gw_outgoing){0};
		c->second = true;
		c->expires_ms = gw_clock_ms() + GW_COMMAND_EXPIRE_MS;
		send_out(c, &out);
		return;
	}
	gw_command_finish(c, GW_STATUS_UNCONFIRMED, NULL, NULL, NULL);
}

/* --- composing --- */

/* Everything that goes out with leader, the later value of a capability winning. */
static size_t merge(const struct gw_command *leader, struct gw_wanted *all)
{
	size_t n = 0;

	gw_list_for(pos, &leader->device->commands)
	{
		const struct gw_command *c = gw_container(pos, struct gw_command, device_link);
		for (size_t i = 0; goes_with(c, leader) && i < c->n_wanted; i++) {
			const struct gw_cap_info *cap =
				cap_of(leader->device, c->wanted[i].address);
			size_t k = 0;
			while (k < n && (!cap || cap_of(leader->device, all[k].address) != cap)) {
				k++;
			}
			all[k] = c->wanted[i];
			n += k == n ? 1 : 0;
		}
	}
	return n;
}

static size_t count_wanted(const struct gw_command *leader)
{
	size_t n = 0;

	gw_list_for(pos, &leader->device->commands)
	{
		const struct gw_command *c = gw_container(pos, struct gw_command, device_link);
		n += goes_with(c, leader) ? c->n_wanted : 0;
	}
	return n;
}

static int compose(struct gw_command *c, struct gw_outgoing *out, struct gw_write_error *e)
{
	struct gw_binding *b = c->device->binding;
	int64_t now_ms = gw_clock_ms();

	if (c->n_wanted == 0) {
		return gw_binding_act(b, c->action, c->args, now_ms, out, e);
	}
	struct gw_wanted *all = gw_array(struct gw_wanted, count_wanted(c));
	if (!all) {
		return -ENOMEM;
	}
	int r = gw_binding_write(b, all, merge(c, all), now_ms, out, e);
	gw_free(all);
	return r;
}

static bool has_joined(const struct gw_command *leader)
{
	gw_list_for(pos, &leader->device->commands)
	{
		if (gw_container(pos, struct gw_command, device_link)->leader == leader) {
			return true;
		}
	}
	return false;
}

/* The commands of this device that are marked; whoever ends may change everything, so each look starts anew. */
static void run_marked(struct gw_device *d)
{
	bool found = true;

	gw_device_ref(d);
	while (found) {
		found = false;
		gw_list_for(pos, &d->commands)
		{
			struct gw_command *c = gw_container(pos, struct gw_command, device_link);
			if (c->again) {
				c->again = false;
				found = true;
				execute(c);
				break;
			}
		}
	}
	gw_device_unref(d);
}

/* "if the joined write fails, they are tried one by one in order of arrival" */
static void split(struct gw_command *leader)
{
	struct gw_device *d = leader->device;

	gw_list_for(pos, &d->commands)
	{
		struct gw_command *c = gw_container(pos, struct gw_command, device_link);
		if (goes_with(c, leader)) {
			c->leader = NULL;
			c->alone = true;
			c->again = true;
		}
	}
	run_marked(d);
}

/* A point that must be known first: asks for everything that can be asked for, once. */
static bool read_first(struct gw_command *c, const struct gw_write_error *e)
{
	if (strncmp(e->code, "state-unknown", strlen("state-unknown")) != 0) {
		return false;
	}
	if (c->asked) {
		/* Another message came first: as long as there is time the answer may still come. */
		return c->phase == GW_PHASE_READING && c->due.pos != 0;
	}
	c->asked = true;
	if (!gw_queue_ask_all(c->device->route)) {
		return false;
	}
	int64_t until = gw_clock_ms() + READ_FIRST_MS;
	wait_in(c, GW_PHASE_READING, until < c->expires_ms ? until : c->expires_ms);
	return true;
}

static void on_refused(struct gw_command *c, int r, const struct gw_write_error *e)
{
	if (r == -ENOMEM) {
		gw_command_finish(c, GW_STATUS_FAILED, NULL, "Out of memory.", NULL);
	} else if (has_joined(c)) {
		split(c);
	} else if (!read_first(c, e)) {
		gw_command_finish(c, GW_STATUS_REFUSED, e->code, e->text, e->address);
	}
}

/* R9: the rights again, at execution. Those who lost them end here; true: c goes on. */
static bool rights_hold(struct gw_command *c)
{
	enum gw_status s = gw_command_rights(c);

	if (s == GW_STATUS_DONE) {
		return true;
	}
	if (has_joined(c)) {
		split(c); /* each by itself: the others are not to suffer */
	} else {
		gw_command_finish(c, s, NULL, NULL, NULL);
	}
	return false;
}

static bool all_rights_hold(struct gw_command *leader)
{
	gw_list_for(pos, &leader->device->commands)
	{
		struct gw_command *c = gw_container(pos, struct gw_command, device_link);
		if (c->leader == leader && gw_command_rights(c) != GW_STATUS_DONE) {
			split(leader);
			return false;
		}
	}
	return rights_hold(leader);
}

/* Composes and sends c with what joined it. c may be gone afterwards. */
static void execute(struct gw_command *c)
{
	struct gw_outgoing out = {0};
	struct gw_write_error e = {0};

	if (!all_rights_hold(c)) {
		return;
	}
	if (!gw_registry_sendable(c->device) && c->critical) {
		gw_command_finish(c, GW_STATUS_UNREACHABLE, NULL, NULL, NULL);
		return;
	}
	if (!gw_registry_sendable(c->device)) {
		wait_in(c, GW_PHASE_WAITING, c->expires_ms);
		return;
	}
	int r = compose(c, &out, &e);
	if (r < 0) {
		on_refused(c, r, &e);
		return;
	}
	if (out.n_msgs == 0) {
		gw_outgoing_fini(&out);
		gw_command_finish(c, GW_STATUS_DONE, NULL, "It was so already.", NULL);
		return;
	}
	c->expect = out.expect;
	out.expect = NULL;
	prepare_confirm(c);
	send_out(c, &out);
}

/* --- joining --- */

static int64_t coalesce_ms(struct gw_plan *plan)
{
	int64_t most = gw_plan_link(plan)->coalesce_ms;

	for (size_t i = 0; i < gw_plan_msg_count(plan); i++) {
		const struct gw_msg_info *m = gw_plan_msg(plan, i);
		if (m->tx && m->coalesce_ms > most) {
			most = m->coalesce_ms;
		}
	}
	return most;
}

/* A write of the same device that still waits for others. */
static struct gw_command *find_leader(const struct gw_command *c)
{
	gw_list_for(pos, &c->device->commands)
	{
		struct gw_command *l = gw_container(pos, struct gw_command, device_link);
		if (l != c && !l->leader && l->phase == GW_PHASE_JOINING) {
			return l;
		}
	}
	return NULL;
}

static void join_or_execute(struct gw_command *c)
{
	int64_t wait =
		c->n_wanted > 0 && !c->alone ? coalesce_ms(gw_binding_plan(c->device->binding)) : 0;

	if (wait == 0) {
		execute(c);
		return;
	}
	c->leader = find_leader(c);
	if (c->leader) {
		c->leader->critical |= c->critical;
		c->phase = GW_PHASE_JOINING;
		gw_deadline_clear(c->gateway->deadlines, &c->due);
	} else {
		wait_in(c, GW_PHASE_JOINING, gw_clock_ms() + wait);
	}
}

void gw_command_begin(struct gw_command *c)
{
	const struct gw_device *d = c->device;

	if (!gw_registry_sendable(d) || gw_plan_link(gw_binding_plan(d->binding))->sleepy) {
		wait_in(c, GW_PHASE_WAITING, c->expires_ms);
	} else {
		join_or_execute(c);
	}
}

void gw_command_due(struct gw_deadline *due)
{
	struct gw_command *c = gw_container(due, struct gw_command, due);

	switch (c->phase) {
	case GW_PHASE_WAITING: gw_command_finish(c, GW_STATUS_EXPIRED, NULL, NULL, NULL); break;
	case GW_PHASE_JOINING:
	case GW_PHASE_READING: execute(c); break;
	case GW_PHASE_CONFIRMING:
	case GW_PHASE_REREADING: on_unconfirmed(c); break;
	case GW_PHASE_QUEUED: break; /* the queue has the deadline */
	}
}

void gw_commands_wake(struct gw_device *d)
{
	struct gw_command *leader = NULL;
	bool sleepy = d->binding && gw_plan_link(gw_binding_plan(d->binding))->sleepy;

	if (!gw_registry_sendable(d)) {
		return;
	}
	gw_list_for(pos, &d->commands)
	{
		struct gw_command *c = gw_container(pos, struct gw_command, device_link);
		if (c->phase != GW_PHASE_WAITING || c->leader) {
			continue;
		}
		/* While it slept the newest value of each capability counts: all writes go out as one. */
		if (sleepy && c->n_wanted > 0 && !c->alone && leader) {
			c->leader = leader;
			c->phase = GW_PHASE_JOINING;
			gw_deadline_clear(c->gateway->deadlines, &c->due);
			continue;
		}
		c->again = true;
		if (sleepy && c->n_wanted > 0 && !c->alone) {
			leader = c;
		}
	}
	run_marked(d);
}

void gw_commands_received(struct gw_device *d, uint16_t msg)
{
	bool any = false;

	gw_device_ref(d);
	gw_list_for(pos, &d->commands)
	{
		struct gw_command *c = gw_container(pos, struct gw_command, device_link);
		bool sent = c->phase == GW_PHASE_CONFIRMING || c->phase == GW_PHASE_REREADING ||
			    (c->job && gw_job_begun(c->job));
		if (sent && c->expect && gw_expect_met(c->expect, d->binding, msg)) {
			c->met = any = true;
		}
		c->again |= c->phase == GW_PHASE_READING;
		any |= c->again;
	}
	while (any) {
		any = false;
		gw_list_for(pos, &d->commands)
		{
			struct gw_command *c = gw_container(pos, struct gw_command, device_link);
			if (c->met && !c->job) {
				gw_command_finish(c, GW_STATUS_DONE, NULL, NULL, NULL);
				any = true;
				break;
			}
		}
	}
	run_marked(d);
	gw_device_unref(d);
}
