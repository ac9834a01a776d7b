/* `renew` (profile-language §9): devices with a watchdog get the last written value again at an interval. */
#include <errno.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "home/command.h"
#include "home/registry.h"

#define RENEWALS_MAX 256

struct renewal {
	struct gw_list link;
	struct gw_device *device; /* a reference */
	uint32_t generation;
	uint16_t cap;
	struct gw_value value;
	struct gw_deadline due;
};

static void drop(struct renewal *n)
{
	struct gw_deadlines *ds = n->device->gateway->deadlines;

	gw_list_remove(&n->link);
	gw_deadline_clear(ds, &n->due);
	gw_deadlines_release(ds, 1);
	gw_value_fini(&n->value);
	gw_device_unref(n->device);
	gw_free(n);
}

static struct gw_node *node_of(struct gw_arena *a, const struct gw_value *v,
			       struct gw_resolution res)
{
	switch (v->type) {
	case GW_VALUE_BOOL: return gw_node_new_bool(a, v->flag);
	case GW_VALUE_NUMBER: return gw_node_new_number(a, gw_count_value(v->count, res));
	case GW_VALUE_SYMBOL:
	case GW_VALUE_TEXT: return gw_node_new_text(a, gw_text_str(v->text));
	case GW_VALUE_TREE:
	case GW_VALUE_NONE: break;
	}
	return NULL;
}

static void write_again(struct renewal *n)
{
	const struct gw_cap_info *cap = n->device->props[n->cap].cap;
	struct gw_arena *a = gw_arena_new(4096);
	struct gw_node *value = a ? node_of(a, &n->value, cap->domain.res) : NULL;

	if (value) {
		const struct gw_wanted wanted = {gw_str(cap->address), value};
		const struct gw_command_request r = {
			.origin = "renew", .wanted = &wanted, .n_wanted = 1};
		struct gw_command *c = gw_command_new(n->device, &r);
		if (c) {
			c->expires_ms = gw_clock_ms() + GW_COMMAND_EXPIRE_MS;
			c->alone = true;
			gw_command_begin(c);
		}
	}
	gw_arena_free(a);
}

static void on_due(struct gw_deadline *due)
{
	struct renewal *n = gw_container(due, struct renewal, due);
	struct gw_device *d = n->device;

	if (d->removed || d->generation != n->generation) {
		drop(n);
		return;
	}
	const struct gw_property *p = &d->props[n->cap];
	/* R7: somebody used the appliance itself; what it says now is wanted. */
	if (p->quality == GW_QUALITY_OK && !gw_value_equal(&p->value, &n->value)) {
		drop(n);
		return;
	}
	gw_deadline_set(d->gateway->deadlines, &n->due, gw_clock_ms() + p->cap->renew_ms);
	if (gw_registry_sendable(d)) {
		write_again(n);
	}
}

static struct renewal *find(struct gw_commands *cs, const struct gw_device *d, size_t cap)
{
	gw_list_for(pos, &cs->renewals)
	{
		struct renewal *n = gw_container(pos, struct renewal, link);
		if (n->device == d && n->cap == cap && n->generation == d->generation) {
			return n;
		}
	}
	return NULL;
}

static size_t count(struct gw_commands *cs)
{
	size_t n = 0;

	gw_list_for(pos, &cs->renewals)
	{
		n++;
	}
	return n;
}

static struct renewal *new_renewal(struct gw_commands *cs, struct gw_device *d, size_t cap)
{
	struct renewal *n = count(cs) < RENEWALS_MAX ? gw_new(struct renewal) : NULL;

	if (!n) {
		return NULL;
	}
	if (gw_deadlines_reserve(d->gateway->deadlines, 1) < 0) {
		gw_free(n);
		return NULL;
	}
	n->device = gw_device_ref(d);
	n->generation = d->generation;
	n->cap = (uint16_t)cap;
	n->due.fn = on_due;
	gw_list_append(&cs->renewals, &n->link);
	return n;
}

void gw_renew_note(struct gw_command *c)
{
	struct gw_device *d = c->device;
	struct gw_plan *plan = gw_binding_plan(d->binding);

	for (size_t i = 0; i < c->n_wanted; i++) {
		struct gw_value v = {.type = GW_VALUE_NONE};
		int cap = gw_plan_find_cap(plan, c->wanted[i].address);
		const struct gw_cap_info *info = cap < 0 ? NULL : gw_plan_cap(plan, (size_t)cap);
		if (!info || info->renew_ms == 0 ||
		    gw_property_value(info, c->wanted[i].value, &v) < 0) {
			continue;
		}
		struct renewal *n = find(c->gateway->commands, d, (size_t)cap);
		n = n ? n : new_renewal(c->gateway->commands, d, (size_t)cap);
		if (n) {
			gw_value_set(&n->value, &v);
			gw_deadline_set(d->gateway->deadlines, &n->due,
					gw_clock_ms() + info->renew_ms);
		}
		gw_value_fini(&v);
	}
}

void gw_renew_forget(struct gw_commands *cs, const struct gw_device *d)
{
	gw_list_for_safe(pos, &cs->renewals)
	{
		struct renewal *n = gw_container(pos, struct renewal, link);
		if (!d || n->device == d) {
			drop(n);
		}
	}
}
