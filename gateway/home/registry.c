#include "home/registry.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "gw/log.h"
#include "home/adapter_host.h"
#include "home/bus.h"
#include "home/command.h"

#define PROBLEM_BYTES 512

/* --- the registry --- */

static void on_save(struct gw_deadline *due)
{
	gw_registry_save(gw_container(due, struct gw_registry, save));
}

int gw_registry_new(struct gw_gateway *g, struct gw_registry **ret_registry)
{
	struct gw_registry *r = gw_new(struct gw_registry);

	if (!r) {
		return -ENOMEM;
	}
	r->gateway = g;
	gw_list_init(&r->dirty);
	r->save.fn = on_save;
	r->rate_interval_us = 1000000 / GW_DEVICE_RATE;
	r->rate_burst_us = r->rate_interval_us * (GW_DEVICE_BURST - 1);
	r->by_id = gw_map_new(GW_DEVICES);
	r->by_identity = gw_map_new(GW_DEVICES);
	if (!r->by_id || !r->by_identity || gw_deadlines_reserve(g->deadlines, 1) < 0) {
		gw_map_free(r->by_id, /* free_value= */ NULL);
		gw_map_free(r->by_identity, /* free_value= */ NULL);
		gw_free(r);
		return -ENOMEM;
	}
	*ret_registry = r;
	return 0;
}

/* Takes the device apart, down to what events and hops need of it: its id. */
static void strip(struct gw_device *d)
{
	struct gw_deadlines *ds = d->gateway->deadlines;

	gw_registry_forget_assumptions(d);
	gw_list_remove(&d->dirty);
	gw_deadline_clear(ds, &d->due);
	gw_deadline_clear(ds, &d->settle);
	for (size_t i = 0; i < d->n_props; i++) {
		gw_value_fini(&d->props[i].value);
	}
	gw_free(d->props);
	d->props = NULL;
	d->states = NULL;
	d->n_props = d->n_held = 0;
	gw_binding_free(d->binding);
	d->binding = NULL;
	gw_profile_unref(d->profile);
	d->profile = NULL;
}

void gw_registry_detach(struct gw_registry *r)
{
	for (size_t i = 0; i < r->n_devices; i++) {
		gw_commands_abort(r->devices[i], GW_STATUS_UNREACHABLE, "The gateway is stopping.");
		gw_route_detach(r->devices[i]);
	}
}

void gw_registry_free(struct gw_registry *r)
{
	if (!r) {
		return;
	}
	for (size_t i = 0; i < r->n_devices; i++) {
		r->devices[i]->removed = true;
		strip(r->devices[i]);
		gw_device_unref(r->devices[i]);
	}
	gw_deadline_clear(r->gateway->deadlines, &r->save);
	gw_deadlines_release(r->gateway->deadlines, 1);
	gw_free(r->devices);
	gw_map_free(r->by_id, /* free_value= */ NULL);
	gw_map_free(r->by_identity, /* free_value= */ NULL);
	for (size_t i = 0; i < r->n_rooms; i++) {
		gw_free(r->rooms[i].id);
		gw_free(r->rooms[i].name);
	}
	gw_free(r->rooms);
	gw_free(r);
}

struct gw_device *gw_registry_find(const struct gw_registry *r, struct gw_str id)
{
	return gw_map_find(r->by_id, id);
}

struct gw_device *gw_registry_find_identity(const struct gw_registry *r, struct gw_str identity)
{
	return gw_map_find(r->by_identity, identity);
}

/* --- one device --- */

struct gw_device *gw_device_ref(struct gw_device *d)
{
	d->refs++;
	return d;
}

void gw_device_unref(struct gw_device *d)
{
	if (!d || --d->refs > 0) {
		return;
	}
	strip(d);
	gw_deadlines_release(d->gateway->deadlines, 2);
	gw_free(d->texts);
	gw_free(d->name);
	gw_free(d->room);
	gw_free(d->firmware);
	gw_free(d->profile_id);
	gw_free(d->problem);
	gw_free(d->profile_text);
	gw_vars_fini(&d->vars);
	gw_free(d);
}

/* The texts that never change, packed into one block. */
static int pack_texts(struct gw_device *d, const struct gw_device_record *rec)
{
	const char *const from[] = {rec->id,	rec->type,     rec->vendor,
				    rec->model, rec->identity, rec->adapter};
	const char **const to[] = {&d->id,    &d->type,	    &d->vendor,
				   &d->model, &d->identity, &d->adapter};
	size_t bytes = 0;

	for (size_t i = 0; i < gw_countof(from); i++) {
		bytes += (from[i] ? strlen(from[i]) : 0) + 1;
	}
	char *p = d->texts = gw_alloc0(1, bytes);
	if (!p) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < gw_countof(from); i++) {
		size_t len = from[i] ? strlen(from[i]) : 0;
		if (len > 0) {
			memcpy(p, from[i], len);
		}
		*to[i] = p;
		p += len + 1;
	}
	return 0;
}

static char *copy_text(const char *s)
{
	return gw_strdup(s ? s : "");
}

static struct gw_device *new_device(struct gw_gateway *g, const struct gw_device_record *rec)
{
	struct gw_device *d = gw_new(struct gw_device);

	if (!d) {
		return NULL;
	}
	if (gw_deadlines_reserve(g->deadlines, 2) < 0) {
		gw_free(d);
		return NULL;
	}
	d->refs = 1;
	d->gateway = g;
	gw_list_init(&d->commands);
	gw_list_init(&d->dirty);
	d->due.fn = gw_property_due;
	d->weak_identity = rec->weak_identity;
	d->adopted_wall_ms = rec->adopted_wall_ms;
	d->revision = rec->revision;
	d->described = rec->profile_text != NULL;
	d->name = copy_text(rec->name);
	d->room = copy_text(rec->room);
	d->firmware = copy_text(rec->firmware);
	d->profile_id = copy_text(rec->profile);
	d->problem = copy_text(NULL);
	if (pack_texts(d, rec) < 0 || !d->name || !d->room || !d->firmware || !d->profile_id ||
	    !d->problem || (rec->vars && gw_vars_copy(&d->vars, rec->vars) < 0)) {
		gw_device_unref(d);
		return NULL;
	}
	return d;
}

/* Properties and their states in one block, parallel to the plan. */
static int make_properties(struct gw_plan *plan, struct gw_property **ret_props,
			   struct gw_property_state **ret_states, size_t *ret_n)
{
	size_t n = gw_plan_cap_count(plan);
	struct gw_property *props =
		gw_alloc0(n + 1, sizeof(struct gw_property) + sizeof(struct gw_property_state));

	if (!props) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		props[i].cap = gw_plan_cap(plan, i);
		props[i].index = (uint16_t)i;
	}
	*ret_props = props;
	*ret_states = (struct gw_property_state *)(void *)(props + n + 1);
	*ret_n = n;
	return 0;
}

/* A binding of the device's profile and variables; nothing of d is changed. */
static int make_binding(struct gw_profile *profile, struct gw_vars *vars,
			struct gw_binding **ret_binding, struct gw_error *reterr_)
{
	struct gw_plan *plan = NULL;

	int r = gw_profile_complete_vars(profile, vars, reterr_);
	if (r == 0) {
		r = gw_plan_get(profile, vars, &plan, reterr_);
	}
	if (r == 0) {
		r = gw_binding_new(plan, vars, ret_binding, reterr_);
	}
	gw_plan_unref(plan);
	return r;
}

static int bind_device(struct gw_device *d, struct gw_profile *profile)
{
	struct gw_error e = {0};

	d->generation = ++d->gateway->registry->generation;
	int r = make_binding(profile, &d->vars, &d->binding, &e);
	if (r == 0) {
		r = make_properties(gw_binding_plan(d->binding), &d->props, &d->states,
				    &d->n_props);
	}
	if (r < 0) {
		char text[PROBLEM_BYTES];
		gw_binding_free(d->binding);
		d->binding = NULL;
		if (r == -ENOMEM) {
			return r;
		}
		(void)snprintf(text, sizeof(text), "Its profile cannot be used: %s", e.text);
		gw_registry_set_problem(d, text);
		gw_log_error("home", "GW-HOME-BIND", "%s: %s", d->id, text);
		return 0;
	}
	d->profile = gw_profile_ref(profile);
	gw_registry_sync(d);
	return 0;
}

static int insert(struct gw_registry *r, struct gw_device *d)
{
	if (r->n_devices == GW_DEVICES) {
		return -ENOSPC;
	}
	if (r->n_devices == r->room_for) {
		size_t n = r->room_for * 2 + 16;
		struct gw_device **devices = gw_realloc(r->devices, n, sizeof(*devices));
		if (!devices) {
			return -ENOMEM;
		}
		r->devices = devices;
		r->room_for = n;
	}
	int e = gw_map_put(r->by_id, gw_str(d->id), d);
	if (e < 0) {
		return e;
	}
	e = d->identity[0] ? gw_map_put(r->by_identity, gw_str(d->identity), d) : 0;
	if (e < 0) {
		(void)gw_map_remove(r->by_id, gw_str(d->id));
		return e;
	}
	r->devices[r->n_devices++] = d;
	return 0;
}

int gw_registry_add(struct gw_gateway *g, const struct gw_device_record *rec,
		    struct gw_profile *profile, struct gw_device **ret_device)
{
	struct gw_device *d = new_device(g, rec);

	if (!d) {
		return -ENOMEM;
	}
	int r = profile ? bind_device(d, profile) : 0;
	if (r == 0 && !d->binding && rec->profile_text) {
		d->profile_text = gw_strdup(rec->profile_text);
		r = d->profile_text ? 0 : -ENOMEM;
	}
	if (r == 0) {
		r = insert(g->registry, d);
	}
	if (r < 0) {
		d->removed = true; /* an event about its problem may still hold it */
		strip(d);
		gw_device_unref(d);
		return r;
	}
	*ret_device = d;
	return 0;
}

static void take_out(struct gw_registry *r, struct gw_device *d)
{
	size_t i = 0;

	while (r->devices[i] != d) {
		i++;
	}
	r->n_devices--;
	memmove(&r->devices[i], &r->devices[i + 1], (r->n_devices - i) * sizeof(*r->devices));
	(void)gw_map_remove(r->by_id, gw_str(d->id));
	if (d->identity[0]) {
		(void)gw_map_remove(r->by_identity, gw_str(d->identity));
	}
}

void gw_registry_remove(struct gw_device *d)
{
	struct gw_gateway *g = d->gateway;
	const struct gw_emit e = {
		.type = GW_EVENT_DEVICE_REMOVED,
		.device = d,
		.time_wall_ms = gw_wall_ms(),
	};

	take_out(g->registry, d);
	d->removed = true;
	gw_commands_abort(d, GW_STATUS_NOT_FOUND, "The device was removed.");
	gw_route_detach(d);
	(void)gw_bus_emit(g, &e);
	strip(d);
	gw_device_unref(d);
}

/* What stays of the old properties: the values of capabilities that still exist and are of the same kind. */
static void carry_over(struct gw_device *d, const struct gw_property *old, size_t n_old,
		       struct gw_plan *plan)
{
	for (size_t i = 0; i < n_old; i++) {
		const struct gw_cap_info *was = old[i].cap;
		int k = gw_plan_find_cap(plan, gw_str(was->address));
		if (k < 0 || old[i].value.type == GW_VALUE_NONE ||
		    old[i].quality == GW_QUALITY_ASSUMED) {
			continue;
		}
		struct gw_property *p = &d->props[k];
		if (p->cap->kind != GW_KIND_PROPERTY || p->cap->domain.type != was->domain.type ||
		    p->cap->domain.res.n != was->domain.res.n ||
		    p->cap->domain.res.d != was->domain.res.d) {
			continue;
		}
		gw_value_set(&p->value, &old[i].value);
		p->quality = GW_QUALITY_STALE;
		p->time_wall_ms = old[i].time_wall_ms;
		p->cause = old[i].cause;
		gw_registry_mark_unsaved(d, (size_t)k);
	}
}

int gw_registry_rebind(struct gw_device *d, struct gw_profile *profile, struct gw_vars *vars,
		       struct gw_error *reterr_)
{
	struct gw_binding *binding = NULL;
	struct gw_property *props = NULL, *old_props = d->props;
	struct gw_property_state *states = NULL;
	size_t n = 0, n_old = d->n_props;

	int r = make_binding(profile, vars, &binding, reterr_);
	if (r == 0) {
		r = make_properties(gw_binding_plan(binding), &props, &states, &n);
	}
	char *id = r == 0 ? gw_strdup(gw_profile_id(profile)) : NULL;
	if (r < 0 || !id) {
		gw_binding_free(binding);
		gw_free(props);
		return r < 0 ? r : gw_error_set(reterr_, -ENOMEM, "memory", "out of memory");
	}
	/* From here on nothing fails. */
	struct gw_binding *old_binding = d->binding;
	gw_commands_abort(d, GW_STATUS_CONFLICT, "The device changed its description.");
	gw_route_detach(d);
	gw_registry_forget_assumptions(d);
	gw_list_remove(&d->dirty);
	d->generation = ++d->gateway->registry->generation;
	d->binding = binding;
	d->props = props;
	d->states = states;
	d->n_props = n;
	d->n_held = 0;
	gw_registry_sync(d);
	carry_over(d, old_props, n_old, gw_binding_plan(binding));
	for (size_t i = 0; i < n_old; i++) {
		gw_value_fini(&old_props[i].value);
	}
	gw_free(old_props);
	gw_binding_free(old_binding);
	gw_profile_ref(profile);
	gw_profile_unref(d->profile);
	d->profile = profile;
	gw_free(d->profile_id);
	d->profile_id = id;
	gw_free(d->profile_text);
	d->profile_text = NULL;
	gw_vars_fini(&d->vars);
	d->vars = *vars;
	*vars = (struct gw_vars){0};
	return 0;
}

int gw_registry_record(const struct gw_device *d, struct gw_device_record *ret_record,
		       char **ret_text)
{
	char *text = NULL;

	if (d->described) {
		GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(GW_PROFILE_BYTES * 2);
		if (d->profile) {
			gw_profile_write_compiled(d->profile, &b);
		} else {
			gw_buf_puts(&b, d->profile_text);
		}
		text = gw_buf_take(&b);
		if (!text) {
			return -ENOMEM;
		}
	}
	*ret_record = (struct gw_device_record){
		.id = d->id,
		.name = d->name,
		.room = d->room,
		.type = d->type,
		.vendor = d->vendor,
		.model = d->model,
		.firmware = d->firmware,
		.identity = d->identity,
		.weak_identity = d->weak_identity,
		.adopted_wall_ms = d->adopted_wall_ms,
		.revision = d->revision,
		.adapter = d->adapter,
		.profile = d->profile_id,
		.profile_text = text,
		.vars = &d->vars,
	};
	*ret_text = text;
	return 0;
}

void gw_registry_changed(struct gw_device *d)
{
	const struct gw_emit e = {
		.type = GW_EVENT_DEVICE_CHANGED,
		.device = d,
		.time_wall_ms = gw_wall_ms(),
	};

	(void)gw_bus_emit(d->gateway, &e);
}

void gw_registry_set_problem(struct gw_device *d, const char *text)
{
	if (strcmp(d->problem, text ? text : "") == 0) {
		return;
	}
	char *copy = copy_text(text);
	if (!copy) {
		return; /* the old sentence stays */
	}
	gw_free(d->problem);
	d->problem = copy;
	gw_registry_changed(d);
}

/* --- as surfaces see it --- */

size_t gw_device_count(struct gw_gateway *g)
{
	return g->registry->n_devices;
}

struct gw_device *gw_device_find(struct gw_gateway *g, struct gw_str id)
{
	return gw_registry_find(g->registry, id);
}

struct gw_device *gw_device_at(struct gw_gateway *g, size_t index)
{
	return index < g->registry->n_devices ? g->registry->devices[index] : NULL;
}

void gw_device_info(const struct gw_device *d, struct gw_device_info *ret_info)
{
	*ret_info = (struct gw_device_info){
		.id = d->id,
		.name = d->name,
		.room = d->room,
		.type = d->type,
		.vendor = d->vendor,
		.model = d->model,
		.firmware = d->firmware,
		.identity = d->identity,
		.profile = d->profile_id,
		.profile_version = d->profile ? gw_profile_version(d->profile) : "",
		.adapter = d->adapter,
		.online = d->online,
		.weak_identity = d->weak_identity,
		.reachable = d->route && gw_route_reachable(d->route),
		.last_seen_wall_ms = d->last_seen_wall_ms,
		.adopted_wall_ms = d->adopted_wall_ms,
		.revision = d->revision,
		.bad_messages = d->bad_messages,
		.problem = d->problem,
	};
}

struct gw_binding *gw_device_binding(struct gw_device *d)
{
	return d->binding;
}

size_t gw_device_property_count(const struct gw_device *d)
{
	return d->n_props;
}

const struct gw_property *gw_device_property(const struct gw_device *d, size_t index)
{
	return index < d->n_props ? &d->props[index] : NULL;
}

void *gw_device_surface_data(const struct gw_device *d, unsigned slot)
{
	return slot < GW_SURFACE_SLOTS ? d->surface_data[slot] : NULL;
}

void gw_device_set_surface_data(struct gw_device *d, unsigned slot, void *data)
{
	if (slot < GW_SURFACE_SLOTS) {
		d->surface_data[slot] = data;
	}
}
