#include "home/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "home/bus.h"
#include "home/journey.h"
#include "home/registry.h"

#define ARENA_BYTES   ((size_t)128 * 1024)
#define WAITERS_MAX   8
#define WANTED_MAX    64
#define EXPIRE_MAX_MS ((int64_t)24 * 3600 * 1000)

/* --- idempotency keys --- */

static void free_key(struct gw_commands *cs, struct gw_key_record *k)
{
	(void)gw_map_remove(cs->keys, gw_str(k->key));
	gw_list_remove(&k->link);
	if (k->pending) {
		k->pending->key = NULL;
	}
	gw_free(k->key);
	gw_free(k->reason);
	gw_free(k->text);
	gw_free(k->address);
	gw_free(k);
}

/* Forgets what is too old, and the oldest settled one when there are too many. */
static void age_keys(struct gw_commands *cs)
{
	int64_t now_ms = gw_clock_ms();

	gw_list_for_safe(pos, &cs->key_age)
	{
		struct gw_key_record *k = gw_container(pos, struct gw_key_record, link);
		bool old = now_ms - k->at_ms >= GW_COMMAND_KEY_MS;
		if (k->pending) {
			continue; /* at most GW_COMMANDS_PENDING of them */
		}
		if (!old && gw_map_count(cs->keys) < GW_COMMAND_KEYS) {
			break;
		}
		free_key(cs, k);
	}
}

static int key_text(const struct gw_command_request *r, struct gw_buf *b)
{
	gw_buf_printf(b, "%s %s", r->principal->who, r->key);
	return gw_buf_error(b);
}

static int remember_key(struct gw_commands *cs, struct gw_command *c, struct gw_str key)
{
	struct gw_key_record *k = gw_new(struct gw_key_record);

	if (!k) {
		return -ENOMEM;
	}
	gw_list_init(&k->link);
	k->key = gw_strndup(key.p, key.len);
	if (!k->key || gw_map_put(cs->keys, key, k) < 0) {
		gw_free(k->key);
		gw_free(k);
		return -ENOMEM;
	}
	gw_list_append(&cs->key_age, &k->link);
	k->at_ms = gw_clock_ms();
	k->pending = c;
	c->key = k;
	return 0;
}

static void settle_key(struct gw_key_record *k, const struct gw_outcome *o)
{
	k->pending = NULL;
	k->reason = gw_strdup(o->reason);
	k->text = gw_strdup(o->text);
	k->address = gw_strdup(o->address);
	k->outcome = *o;
	k->outcome.reason = k->reason ? k->reason : "";
	k->outcome.text = k->text ? k->text : "";
	k->outcome.address = k->address ? k->address : "";
}

static int add_waiter(struct gw_command *c, gw_command_done *done, void *ctx)
{
	struct gw_waiter *w = gw_new(struct gw_waiter);

	if (!w) {
		return -ENOMEM;
	}
	w->done = done;
	w->ctx = ctx;
	struct gw_waiter **end = &c->waiters;
	while (*end) {
		end = &(*end)->next;
	}
	*end = w;
	c->n_waiters++;
	return 0;
}

/* --- ending --- */

/* A hop of the command itself: its beginning, its end. */
static void note_hop(const struct gw_command *c, enum gw_hop_kind kind, enum gw_status status,
		     const struct gw_buf *text, int64_t total_us)
{
	const struct gw_hop_note hop = {
		.kind = kind,
		.status = status,
		.cause = c->id,
		.time_wall_ms = gw_wall_ms(),
		.device = c->device,
		.msg = UINT16_MAX,
		.raw = gw_buf_str(text),
		.who = c->principal.who,
		.origin = c->origin,
		.decode_us = -1,
		.state_us = -1,
		.total_us = total_us,
	};
	gw_journey_note(c->gateway->journey, &hop);
}

static void note_outcome(const struct gw_command *c, const struct gw_outcome *o)
{
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_JOURNEY_BYTES);

	gw_buf_puts(&text, gw_status_row(o->status)->name);
	gw_buf_puts(&text, o->reason[0] ? " " : "");
	gw_buf_puts(&text, o->reason);
	note_hop(c, GW_HOP_CONFIRMED, o->status, &text, o->elapsed_us);
}

static void emit_outcome(const struct gw_command *c, const struct gw_outcome *o)
{
	struct gw_text *reason = o->reason[0] ? gw_text_new(gw_str(o->reason)) : NULL;
	const struct gw_emit e = {
		.type = GW_EVENT_COMMAND,
		.device = c->device,
		.time_wall_ms = gw_wall_ms(),
		.cause = c->id,
		.status = o->status,
		.reason = reason,
	};

	(void)gw_bus_emit(c->gateway, &e);
	gw_text_unref(reason);
}

static void free_command(struct gw_command *c)
{
	while (c->waiters) {
		struct gw_waiter *w = c->waiters;
		c->waiters = w->next;
		gw_free(w);
	}
	gw_expect_free(c->expect);
	gw_outgoing_fini(&c->out);
	gw_arena_free(c->arena);
	gw_deadlines_release(c->gateway->deadlines, 1);
	gw_device_unref(c->device);
	gw_free(c);
}

/* Tells everybody who waits; the waiters are gone afterwards. */
static void tell(struct gw_command *c, const struct gw_outcome *o)
{
	while (c->waiters) {
		struct gw_waiter *w = c->waiters;
		c->waiters = w->next;
		c->n_waiters--;
		w->done(w->ctx, o);
		gw_free(w);
	}
}

static void end_one(struct gw_command *c, const struct gw_outcome *template)
{
	struct gw_commands *cs = c->gateway->commands;
	struct gw_outcome o = *template;

	gw_list_remove(&c->link);
	gw_list_remove(&c->device_link);
	gw_deadline_clear(c->gateway->deadlines, &c->due);
	cs->counts.pending--;
	o.command_id = c->id;
	o.elapsed_us = gw_clock_us() - c->start_us;
	if (!c->internal) {
		cs->counts.by_status[o.status]++;
		emit_outcome(c, &o);
	}
	note_outcome(c, &o);
	if (c->key) {
		settle_key(c->key, &o);
		c->key = NULL;
	}
	tell(c, &o);
}

static struct gw_command *joined(const struct gw_command *leader)
{
	gw_list_for(pos, &leader->device->commands)
	{
		struct gw_command *c = gw_container(pos, struct gw_command, device_link);
		if (c->leader == leader) {
			return c;
		}
	}
	return NULL;
}

void gw_command_finish(struct gw_command *c, enum gw_status status, const char *reason,
		       const char *text, const char *address)
{
	const struct gw_outcome o = {
		.status = status,
		.reason = reason ? reason : "",
		.text = text && text[0] ? text : gw_status_row(status)->text_en,
		.address = address ? address : "",
	};

	if (c->job) {
		gw_queue_abandon(c->device->route, c->job);
		c->job = NULL;
	}
	end_one(c, &o);
	/* Whoever is told may do anything, but c and its device stay until here. */
	for (struct gw_command *f = joined(c); f; f = joined(c)) {
		end_one(f, &o);
		free_command(f);
	}
	free_command(c);
}

void gw_commands_abort(struct gw_device *d, enum gw_status status, const char *text)
{
	gw_renew_forget(d->gateway->commands, d);
	while (!gw_list_empty(&d->commands)) {
		struct gw_command *c =
			gw_container(d->commands.next, struct gw_command, device_link);
		gw_command_finish(c->leader ? c->leader : c, status, "", text, "");
	}
}

/* --- taking in --- */

static enum gw_action action_of(const struct gw_device *d, struct gw_str address)
{
	int cap = d->binding ? gw_plan_find_cap(gw_binding_plan(d->binding), address) : -ENOENT;

	return cap < 0 ? GW_DO_OPERATE
		       : gw_access_action(gw_plan_cap(gw_binding_plan(d->binding), (size_t)cap));
}

/* The right for each capability; *ret_critical: one of them is a critical action. */
static enum gw_status decide(const struct gw_device *d, const struct gw_principal *p,
			     const struct gw_wanted *wanted, size_t n_wanted, struct gw_str action,
			     bool *ret_critical)
{
	enum gw_status s = GW_STATUS_DONE;

	*ret_critical = false;
	for (size_t i = 0; i < n_wanted && s == GW_STATUS_DONE; i++) {
		enum gw_action what = action_of(d, wanted[i].address);
		*ret_critical |= what == GW_DO_CRITICAL;
		s = gw_access_decide(d->gateway, p, what, d);
	}
	if (n_wanted == 0) {
		enum gw_action what = action_of(d, action);
		*ret_critical = what == GW_DO_CRITICAL;
		s = gw_access_decide(d->gateway, p, what, d);
	}
	return s;
}

enum gw_status gw_command_rights(const struct gw_command *c)
{
	bool critical;

	if (c->internal) {
		return GW_STATUS_DONE;
	}
	if (!gw_principal_valid(c->gateway, &c->principal)) {
		return GW_STATUS_UNAUTHENTICATED;
	}
	return decide(c->device, &c->principal, c->wanted, c->n_wanted, c->action, &critical);
}

static int copy_request(struct gw_command *c, const struct gw_command_request *r)
{
	c->arena = gw_arena_new(ARENA_BYTES);
	if (!c->arena) {
		return -ENOMEM;
	}
	c->n_wanted = r->n_wanted;
	c->wanted = gw_arena_alloc(c->arena, (r->n_wanted + 1) * sizeof(*c->wanted));
	if (!c->wanted) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < r->n_wanted; i++) {
		c->wanted[i].address = gw_arena_text(c->arena, r->wanted[i].address);
		c->wanted[i].value = gw_node_copy(c->arena, r->wanted[i].value);
		if (!c->wanted[i].address.p || !c->wanted[i].value) {
			return -ENOMEM;
		}
	}
	c->action = gw_arena_text(c->arena, r->action);
	c->args = r->args ? gw_node_copy(c->arena, r->args) : NULL;
	return (r->n_wanted == 0 && !c->action.p) || (r->args && !c->args) ? -ENOMEM : 0;
}

struct gw_command *gw_command_new(struct gw_device *d, const struct gw_command_request *r)
{
	struct gw_gateway *g = d->gateway;
	struct gw_command *c = gw_new(struct gw_command);

	if (!c) {
		return NULL;
	}
	if (gw_deadlines_reserve(g->deadlines, 1) < 0) {
		gw_free(c);
		return NULL;
	}
	c->gateway = g;
	c->device = gw_device_ref(d);
	c->start_us = gw_clock_us();
	c->due.fn = gw_command_due;
	gw_list_init(&c->link);
	gw_list_init(&c->device_link);
	c->internal = !r->principal;
	if (r->principal) {
		c->principal = *r->principal;
	}
	(void)snprintf(c->origin, sizeof(c->origin), "%s", r->origin ? r->origin : "");
	if (copy_request(c, r) < 0) {
		free_command(c);
		return NULL;
	}
	c->id = g->next_cause++;
	gw_list_append(&g->commands->all, &c->link);
	gw_list_append(&d->commands, &c->device_link);
	g->commands->counts.pending++;
	return c;
}

/* What ends a request before it becomes a command. */
static void refuse(struct gw_gateway *g, gw_command_done *done, void *ctx, enum gw_status status,
		   const char *text)
{
	const struct gw_outcome o = {
		.command_id = g->next_cause++,
		.status = status,
		.reason = "",
		.text = text ? text : gw_status_row(status)->text_en,
		.address = "",
	};

	g->commands->counts.by_status[status]++;
	done(ctx, &o);
}

/* A key that was seen: its first outcome, or a place among those who wait for it. True: answered. */
static bool answer_repeated(struct gw_gateway *g, struct gw_str key, gw_command_done *done,
			    void *ctx, uint64_t *ret_id, int *ret_result)
{
	struct gw_key_record *k = gw_map_find(g->commands->keys, key);

	if (!k) {
		return false;
	}
	*ret_result = 0;
	if (ret_id) {
		*ret_id = k->pending ? k->pending->id : k->outcome.command_id;
	}
	if (!k->pending) {
		const struct gw_outcome o = k->outcome;
		done(ctx, &o);
	} else if (k->pending->n_waiters >= WAITERS_MAX) {
		refuse(g, done, ctx, GW_STATUS_TOO_MANY, NULL);
	} else {
		*ret_result = add_waiter(k->pending, done, ctx);
	}
	return true;
}

static size_t pending_of(const struct gw_device *d)
{
	size_t n = 0;

	gw_list_for(pos, &d->commands)
	{
		n++;
	}
	return n;
}

/* What can be said without the profile; DONE: go on. */
static enum gw_status check(struct gw_gateway *g, const struct gw_command_request *r,
			    const struct gw_device *d, const char **ret_text)
{
	if (r->n_wanted > WANTED_MAX || (r->n_wanted == 0 && r->action.len == 0)) {
		*ret_text = "A command names 1 to 64 capabilities, or one action.";
		return GW_STATUS_INVALID;
	}
	if (!d->binding || !d->route) {
		*ret_text = d->problem[0] ? d->problem : NULL;
		return GW_STATUS_UNREACHABLE;
	}
	if (g->commands->counts.pending >= GW_COMMANDS_PENDING ||
	    pending_of(d) >= GW_COMMANDS_PER_DEVICE) {
		return GW_STATUS_TOO_MANY;
	}
	return GW_STATUS_DONE;
}

static void note_command(const struct gw_command *c)
{
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(4096);

	for (size_t i = 0; i < c->n_wanted; i++) {
		gw_buf_puts(&text, i ? ", " : "");
		gw_buf_add_str(&text, c->wanted[i].address);
		gw_buf_puts(&text, " = ");
		gw_node_write(&text, c->wanted[i].value, /* source_order= */ true);
	}
	if (c->n_wanted == 0) {
		gw_buf_add_str(&text, c->action);
		if (c->args) {
			gw_buf_putc(&text, ' ');
			gw_node_write(&text, c->args, /* source_order= */ true);
		}
	}
	note_hop(c, GW_HOP_COMMAND, GW_STATUS_ACCEPTED, &text, /* total_us= */ -1);
}

static void start(struct gw_command *c, const struct gw_command_request *r, bool critical)
{
	struct gw_device *d = c->device;
	bool sleepy = gw_plan_link(gw_binding_plan(d->binding))->sleepy;
	int64_t wait = r->expire_ms > 0	     ? r->expire_ms
		       : sleepy && !critical ? GW_COMMAND_SLEEPY_MS
					     : GW_COMMAND_EXPIRE_MS;

	c->expires_ms = gw_clock_ms() + (wait < EXPIRE_MAX_MS ? wait : EXPIRE_MAX_MS);
	c->critical = critical;
	note_command(c);
	if (critical && !gw_registry_sendable(d)) { /* R11: a critical action does not wait */
		gw_command_finish(c, GW_STATUS_UNREACHABLE, "", NULL, NULL);
		return;
	}
	if (sleepy && !critical) {
		const struct gw_outcome o = {
			.command_id = c->id,
			.status = GW_STATUS_ACCEPTED,
			.reason = "",
			.text = "The device sleeps; it gets this when it wakes up.",
			.address = "",
		};
		tell(c, &o);
	}
	gw_command_begin(c);
}

/* A new command for d, with its key and the one who waits; NULL: out of memory. */
static struct gw_command *take_in(struct gw_device *d, const struct gw_command_request *r,
				  struct gw_str key, gw_command_done *done, void *ctx)
{
	struct gw_commands *cs = d->gateway->commands;
	struct gw_command *c = gw_command_new(d, r);

	if (!c) {
		return NULL;
	}
	age_keys(cs);
	if (add_waiter(c, done, ctx) < 0 || (r->key && remember_key(cs, c, key) < 0)) {
		gw_list_remove(&c->link);
		gw_list_remove(&c->device_link);
		cs->counts.pending--;
		free_command(c);
		return NULL;
	}
	return c;
}

int gw_command_submit(struct gw_gateway *g, const struct gw_command_request *r,
		      gw_command_done *done, void *ctx, uint64_t *ret_id)
{
	struct gw_device *d = gw_registry_find(g->registry, r->device);
	GW_AUTO(gw_buf_fini) struct gw_buf key = GW_BUF_INIT(GW_ID_BYTES + 256);
	const char *text = NULL;
	bool critical = false;
	int result;

	if (ret_id) {
		*ret_id = g->next_cause;
	}
	/* Rights first, so that nobody learns from the other answers. */
	enum gw_status s = GW_STATUS_UNAUTHENTICATED;
	if (r->principal && d) {
		s = decide(d, r->principal, r->wanted, r->n_wanted, r->action, &critical);
	} else if (r->principal) {
		s = gw_access_decide(g, r->principal, GW_DO_OPERATE, /* device= */ NULL);
		s = s == GW_STATUS_DONE ? GW_STATUS_NOT_FOUND : s;
	}
	if (s != GW_STATUS_DONE) {
		refuse(g, done, ctx, s, text);
		return 0;
	}
	if (r->key && key_text(r, &key) < 0) {
		refuse(g, done, ctx, GW_STATUS_INVALID, "The idempotency key is too long.");
		return 0;
	}
	if (r->key && answer_repeated(g, gw_buf_str(&key), done, ctx, ret_id, &result)) {
		return result;
	}
	s = check(g, r, d, &text);
	if (s != GW_STATUS_DONE) {
		refuse(g, done, ctx, s, text);
		return 0;
	}
	struct gw_command *c = take_in(d, r, gw_buf_str(&key), done, ctx);
	if (!c) {
		return -ENOMEM;
	}
	if (ret_id) {
		*ret_id = c->id;
	}
	start(c, r, critical);
	return 0;
}

int gw_commands_new(struct gw_gateway *g, struct gw_commands **ret_commands)
{
	struct gw_commands *cs = gw_new(struct gw_commands);

	if (!cs) {
		return -ENOMEM;
	}
	cs->gateway = g;
	gw_list_init(&cs->all);
	gw_list_init(&cs->key_age);
	gw_list_init(&cs->renewals);
	cs->keys = gw_map_new(GW_COMMAND_KEYS + GW_COMMANDS_PENDING);
	if (!cs->keys) {
		gw_free(cs);
		return -ENOMEM;
	}
	*ret_commands = cs;
	return 0;
}

void gw_commands_free(struct gw_commands *cs)
{
	if (!cs) {
		return;
	}
	gw_renew_forget(cs, /* d= */ NULL);
	while (!gw_list_empty(&cs->key_age)) {
		free_key(cs, gw_container(cs->key_age.next, struct gw_key_record, link));
	}
	gw_map_free(cs->keys, /* free_value= */ NULL);
	gw_free(cs);
}
