#include "home/adopt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "gw/log.h"
#include "home/adapter_host.h"
#include "home/arrange.h"
#include "home/bus.h"
#include "home/registry.h"

#define SETTLE_MS                                                                                  \
	3000 /* descriptions that come in several messages are applied when they are complete */
#define INDEX_STEP_MS 5
#define SCRATCH_BYTES ((size_t)4 * 1024 * 1024)

struct gw_adopt {
	struct gw_gateway *gateway;
	struct gw_timer *index; /* idle steps after the start */
	bool indexed;
	/* Lists that gw_candidate_info borrows until the next turn. */
	struct gw_arena *scratch;
	struct gw_deferred *scratch_over;
};

/* --- announcements of what is a device already --- */

/* Every value of b is that of a. */
static bool same_vars(const struct gw_vars *a, const struct gw_vars *b)
{
	for (size_t i = 0; i < b->count; i++) {
		const char *value = gw_vars_get(a, b->entry[i].name);
		if (b->entry[i].value && (!value || strcmp(value, b->entry[i].value) != 0)) {
			return false;
		}
	}
	return true;
}

/* The device's variables with what the announcement says instead; what the owner gave stays. */
static int merge_vars(const struct gw_device *d, const struct gw_candidate *c,
		      const struct gw_profile *profile, struct gw_vars *ret)
{
	for (size_t i = 0; i < gw_profile_var_count(profile); i++) {
		const char *name = gw_profile_var(profile, i)->name;
		const char *value = gw_vars_get(&c->vars, name);
		value = value ? value : gw_vars_get(&d->vars, name);
		int r = value ? gw_vars_set(ret, gw_str(name), gw_str(value)) : 0;
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

static void store_changed(struct gw_device *d, const char *detail)
{
	struct gw_device_record rec;
	char *text = NULL;
	const struct gw_audit_line audit = {.who = "system",
					    .via = "discovery",
					    .what = "device.follow",
					    .object = d->id,
					    .detail = detail};

	if (gw_registry_record(d, &rec, &text) < 0) {
		return;
	}
	/* Not durable is not lost: the device announces itself again. */
	int r = gw_store_put_device(d->gateway->store, &rec, &audit);
	if (r < 0) {
		gw_log_warning("home", "GW-HOME-FOLLOW",
			       "the new description of %s is not stored: %s", d->id, strerror(-r));
	}
	gw_free(text);
}

static bool same_profile(const struct gw_device *d, const struct gw_profile *p)
{
	return d->profile && p &&
	       memcmp(gw_profile_digest(d->profile), gw_profile_digest(p), 32) == 0;
}

/*
 * Binds once on trial. *ret_owner: the device that owns an address which this binding would take (other than except), or NULL. A
 * refusal of the profile is negative.
 */
static int try_binding(struct gw_gateway *g, const char *adapter, struct gw_profile *profile,
		       const struct gw_vars *vars, const char *except, const char **ret_owner,
		       struct gw_error *reterr_)
{
	struct gw_plan *plan = NULL;
	struct gw_binding *b = NULL;

	int r = gw_plan_get(profile, vars, &plan, reterr_);
	if (r < 0) {
		return r;
	}
	r = gw_binding_new(plan, vars, &b, reterr_);
	gw_plan_unref(plan);
	if (r < 0) {
		return r;
	}
	*ret_owner = gw_route_conflict(g->hosts, adapter, b, vars, except);
	gw_binding_free(b);
	return 0;
}

/* The new variables, complete and of an address that is free; else the device keeps its old one, and says so. */
static int try_following(struct gw_device *d, struct gw_profile *profile, struct gw_vars *vars,
			 struct gw_error *reterr_)
{
	const char *owner = NULL;
	char text[256];

	int r = gw_profile_complete_vars(profile, vars, reterr_);
	if (r == 0) {
		r = try_binding(d->gateway, d->adapter, profile, vars, d->id, &owner, reterr_);
	}
	if (r < 0 || !owner) {
		return r;
	}
	(void)snprintf(text, sizeof(text),
		       "It announced the address of the device %s and keeps its old one.", owner);
	gw_registry_set_problem(d, text);
	return gw_error_set(reterr_, -EADDRINUSE, "address", "%s", text);
}

/* Binds the device to what its announcement says now; the old binding stays when that is refused. */
static void follow(struct gw_device *d, const struct gw_candidate *c)
{
	struct gw_profile *profile = c->described ? c->profile : d->profile;
	struct gw_vars vars = {0};
	struct gw_error e = {0};

	if (!profile || d->described != c->described ||
	    (!c->described &&
	     strcmp(d->profile_id, c->profile ? gw_profile_id(c->profile) : "") != 0)) {
		return; /* known by another profile: that is for the owner to change */
	}
	int r = merge_vars(d, c, profile, &vars);
	if (r == 0 && same_profile(d, profile) && same_vars(&d->vars, &vars)) {
		gw_vars_fini(&vars);
		gw_registry_set_problem(d, d->route ? NULL : d->problem);
		return;
	}
	r = r == 0 ? try_following(d, profile, &vars, &e) : r;
	r = r == 0 ? gw_registry_rebind(d, profile, &vars, &e) : r;
	gw_vars_fini(&vars);
	if (r < 0) {
		gw_log_warning(
			"home", "GW-HOME-FOLLOW",
			"%s announced a description that cannot be used, keeping the old one: %s",
			d->id, e.text);
		return;
	}
	gw_registry_set_problem(d, NULL);
	(void)gw_route_attach(d); /* a failure is the device's problem text */
	gw_log_info("home", "%s follows its new description", d->id);
	store_changed(d, gw_profile_id(profile));
	gw_registry_changed(d);
}

static void follow_firmware(struct gw_device *d, const struct gw_candidate *c)
{
	if (!c->firmware[0] || strcmp(c->firmware, d->firmware) == 0) {
		return;
	}
	char *copy = gw_strdup(c->firmware);
	if (copy) {
		gw_free(d->firmware);
		d->firmware = copy;
		store_changed(d, copy);
		gw_registry_changed(d);
	}
}

static void on_settled(struct gw_deadline *due)
{
	struct gw_device *d = gw_container(due, struct gw_device, settle);
	const struct gw_candidate *c =
		gw_discovery_find_identity(d->gateway->discovery, d->identity);

	if (c && strcmp(c->adapter, d->adapter) == 0) {
		follow_firmware(d, c);
		follow(d, c);
	}
}

static void candidates_changed(struct gw_gateway *g)
{
	const struct gw_emit e = {.type = GW_EVENT_CANDIDATE};

	(void)gw_bus_emit(g, &e);
}

static void on_changed(void *ctx, const struct gw_candidate *c)
{
	struct gw_adopt *a = ctx;
	struct gw_gateway *g = a->gateway;
	struct gw_device *d = gw_registry_find_identity(g->registry, gw_str(c->identity));

	candidates_changed(g);
	if (d) {
		d->settle.fn = on_settled;
		gw_deadline_set(g->deadlines, &d->settle, gw_clock_ms() + SETTLE_MS);
	}
}

static void on_removed(void *ctx, const char *identity, const char *adapter)
{
	struct gw_adopt *a = ctx;
	struct gw_device *d = gw_registry_find_identity(a->gateway->registry, gw_str(identity));

	candidates_changed(a->gateway);
	if (d && strcmp(d->adapter, adapter) == 0) {
		gw_deadline_clear(a->gateway->deadlines, &d->settle);
		gw_registry_set_problem(d, "Its system does not describe it any more.");
	}
}

/* --- the index of match entries --- */

static void on_index(void *ctx)
{
	struct gw_adopt *a = ctx;

	if (gw_discovery_index_step(a->gateway->discovery)) {
		gw_timer_stop(a->index);
		a->indexed = true;
		gw_hosts_discover(a->gateway->hosts);
	}
}

void gw_adopt_start(struct gw_adopt *a)
{
	gw_timer_start(a->index, INDEX_STEP_MS, INDEX_STEP_MS);
}

bool gw_adopt_indexed(const struct gw_adopt *a)
{
	return a->indexed;
}

/* --- candidates as surfaces see them --- */

static void on_scratch_over(void *ctx)
{
	struct gw_adopt *a = ctx;

	gw_arena_free(a->scratch);
	a->scratch = NULL;
}

static void *scratch(struct gw_adopt *a, size_t bytes)
{
	if (!a->scratch) {
		a->scratch = gw_arena_new(SCRATCH_BYTES);
		gw_deferred_schedule(a->scratch_over);
	}
	return a->scratch ? gw_arena_alloc(a->scratch, bytes) : NULL;
}

static const struct gw_var_info *const no_asks[] = {NULL};
static const char *const no_ties[] = {NULL};

/* What the owner must give: asked for, and not bound by the announcement. */
static bool must_give(const struct gw_var_info *v, const struct gw_vars *vars)
{
	return v->ask && !gw_vars_get(vars, v->name) && !v->fallback;
}

static const struct gw_var_info *const *asks_of(struct gw_adopt *a, const struct gw_candidate *c)
{
	size_t n = c->profile ? gw_profile_var_count(c->profile) : 0;
	const struct gw_var_info **asks = n > 0 ? scratch(a, (n + 1) * sizeof(*asks)) : NULL;
	size_t k = 0;

	if (!asks) {
		return no_asks;
	}
	for (size_t i = 0; i < n; i++) {
		const struct gw_var_info *v = gw_profile_var(c->profile, i);
		if (must_give(v, &c->vars)) {
			asks[k++] = v;
		}
	}
	return asks;
}

static const char *const *ties_of(struct gw_adopt *a, const struct gw_candidate *c)
{
	size_t n = 0;

	while (c->ties && c->ties[n]) {
		n++;
	}
	const char **ties = n > 0 ? scratch(a, (n + 1) * sizeof(*ties)) : NULL;
	for (size_t i = 0; ties && i < n; i++) {
		ties[i] = gw_profile_id(c->ties[i]);
	}
	return ties ? ties : no_ties;
}

static const char *type_of(const struct gw_candidate *c)
{
	const struct gw_profile *p = c->profile ? c->profile : c->ties ? c->ties[0] : NULL;
	const struct gw_device_type *t = p ? gw_profile_type(p) : NULL;

	return t ? t->id : "";
}

static void fill(struct gw_gateway *g, const struct gw_candidate *c,
		 struct gw_candidate_info *ret_info)
{
	*ret_info = (struct gw_candidate_info){
		.id = c->id,
		.identity = c->identity,
		.name = c->name,
		.vendor = c->vendor,
		.model = c->model,
		.type = type_of(c),
		.profile = c->profile ? gw_profile_id(c->profile) : "",
		.reason = c->reason,
		.adapter = c->adapter,
		.weak_identity = c->weak_identity,
		.described = c->described,
		.adopted = gw_registry_find_identity(g->registry, gw_str(c->identity)) != NULL,
		.first_seen_wall_ms = c->first_seen_wall_ms,
		.last_seen_wall_ms = c->last_seen_wall_ms,
		.asks = asks_of(g->adopt, c),
		.ties = ties_of(g->adopt, c),
	};
}

/* Dismissed ones are hidden: index counts the others. */
static const struct gw_candidate *visible_at(struct gw_gateway *g, size_t index)
{
	size_t n = gw_discovery_count(g->discovery);

	for (size_t i = 0; i < n; i++) {
		const struct gw_candidate *c = gw_discovery_at(g->discovery, i);
		if (!c->dismissed && index-- == 0) {
			return c;
		}
	}
	return NULL;
}

size_t gw_candidate_count(struct gw_gateway *g)
{
	size_t visible = 0;

	for (size_t i = 0; i < gw_discovery_count(g->discovery); i++) {
		visible += gw_discovery_at(g->discovery, i)->dismissed ? 0 : 1;
	}
	return visible;
}

bool gw_candidate_at(struct gw_gateway *g, size_t index, struct gw_candidate_info *ret_info)
{
	const struct gw_candidate *c = visible_at(g, index);

	if (c) {
		fill(g, c, ret_info);
	}
	return c != NULL;
}

bool gw_candidate_find(struct gw_gateway *g, const char *id, struct gw_candidate_info *ret_info)
{
	const struct gw_candidate *c = gw_discovery_find(g->discovery, id);

	if (c) {
		fill(g, c, ret_info);
	}
	return c != NULL;
}

enum gw_status gw_candidate_dismiss(struct gw_gateway *g, const struct gw_principal *p,
				    const char *id)
{
	enum gw_status s = gw_access_decide(g, p, GW_DO_ADOPT, /* device= */ NULL);

	if (s != GW_STATUS_DONE) {
		return s;
	}
	if (gw_discovery_dismiss(g->discovery, id) < 0) {
		return GW_STATUS_NOT_FOUND;
	}
	candidates_changed(g);
	return GW_STATUS_DONE;
}

enum gw_status gw_scan(struct gw_gateway *g, const struct gw_principal *p, uint32_t seconds)
{
	enum gw_status s = gw_access_decide(g, p, GW_DO_ADOPT, /* device= */ NULL);

	return s == GW_STATUS_DONE ? gw_hosts_scan(g->hosts, seconds) : s;
}

/* --- adoption --- */

/* Everything that an adoption needs to know before anything is changed. */
struct adopting {
	struct gw_gateway *gateway;
	const struct gw_candidate *candidate;
	struct gw_profile *profile; /* a reference */
	struct gw_vars vars;
	char id[GW_ID_BYTES], name[GW_NAME_BYTES], room[GW_ID_BYTES];
};

static enum gw_status no(struct gw_error *reterr_, enum gw_status s, const char *code,
			 const char *text)
{
	(void)gw_error_set(reterr_, -EINVAL, code, "%s", text);
	return s;
}

static enum gw_status choose_profile(struct adopting *ad, const char *wanted,
				     struct gw_error *reterr_)
{
	const struct gw_candidate *c = ad->candidate;

	if (c->profile && (!wanted || strcmp(wanted, gw_profile_id(c->profile)) == 0)) {
		ad->profile = gw_profile_ref(c->profile);
		return GW_STATUS_DONE;
	}
	if (!wanted) {
		return no(reterr_, GW_STATUS_INVALID, "profile",
			  c->ties ? "Several profiles fit equally well: choose one of them."
				  : "No profile fits: name one.");
	}
	for (size_t i = 0; c->ties && c->ties[i]; i++) {
		if (strcmp(wanted, gw_profile_id(c->ties[i])) == 0) {
			ad->profile = gw_profile_ref(c->ties[i]);
			return GW_STATUS_DONE;
		}
	}
	int r = gw_library_get(ad->gateway->library, gw_str(wanted), &ad->profile, reterr_);
	if (r < 0) {
		return r == -ENOMEM ? GW_STATUS_FAILED : GW_STATUS_INVALID;
	}
	if (strcmp(gw_profile_adapter(ad->profile), c->adapter) != 0) {
		return no(reterr_, GW_STATUS_INVALID, "profile",
			  "That profile speaks over another adapter than the device.");
	}
	return GW_STATUS_DONE;
}

static enum gw_status complete_vars(struct adopting *ad, const struct gw_vars *answers,
				    struct gw_error *reterr_)
{
	/* Of what was bound (by several profiles, in a tie) the chosen one takes what it declares. */
	for (size_t i = 0; i < gw_profile_var_count(ad->profile); i++) {
		const char *name = gw_profile_var(ad->profile, i)->name;
		const char *value = gw_vars_get(&ad->candidate->vars, name);
		if (value && gw_vars_set(&ad->vars, gw_str(name), gw_str(value)) < 0) {
			return GW_STATUS_FAILED;
		}
	}
	for (size_t i = 0; answers && i < answers->count; i++) {
		const struct gw_vars_entry *e = &answers->entry[i];
		if (e->value && gw_vars_set(&ad->vars, gw_str(e->name), gw_str(e->value)) < 0) {
			return no(
				reterr_, GW_STATUS_INVALID, "vars",
				"There are more than 64 variables, or one is longer than 256 bytes.");
		}
	}
	for (size_t i = 0; i < gw_profile_var_count(ad->profile); i++) {
		const struct gw_var_info *v = gw_profile_var(ad->profile, i);
		if (must_give(v, &ad->vars)) {
			(void)gw_error_set(reterr_, -EINVAL, "vars", "%s (%s) must be given.",
					   v->label, v->name);
			return GW_STATUS_INVALID;
		}
	}
	return gw_profile_complete_vars(ad->profile, &ad->vars, reterr_) < 0 ? GW_STATUS_INVALID
									     : GW_STATUS_DONE;
}

static bool device_taken(void *ctx, const char *id)
{
	struct gw_gateway *g = ctx;

	return gw_registry_find(g->registry, gw_str(id)) != NULL;
}

static enum gw_status choose_names(struct adopting *ad, const struct gw_adoption *a,
				   struct gw_error *reterr_)
{
	struct gw_gateway *g = ad->gateway;
	const struct gw_device_type *type = gw_profile_type(ad->profile);

	if (a->name && !gw_clean_name(a->name, ad->name)) {
		return no(reterr_, GW_STATUS_INVALID, "name", "The name is empty.");
	}
	if (!a->name && !gw_clean_name(ad->candidate->name, ad->name) &&
	    !gw_clean_name(gw_profile_name(ad->profile, "en"), ad->name)) {
		(void)snprintf(ad->name, sizeof(ad->name), "%s", ad->candidate->id);
	}
	if (a->room && a->room[0] && !gw_room_known(g->registry, a->room)) {
		return no(reterr_, GW_STATUS_INVALID, "room", "There is no such room.");
	}
	(void)snprintf(ad->room, sizeof(ad->room), "%s", a->room ? a->room : "");
	if (!a->device) {
		gw_slug(ad->name, type ? type->id : "device", device_taken, g, ad->id);
		return GW_STATUS_DONE;
	}
	if (!gw_is_id(a->device)) {
		return no(reterr_, GW_STATUS_INVALID, "device",
			  "A device id has 1 to 64 of the characters a-z 0-9 _ -.");
	}
	if (device_taken(g, a->device)) {
		return no(reterr_, GW_STATUS_CONFLICT, "device", "That device id is in use.");
	}
	(void)snprintf(ad->id, sizeof(ad->id), "%s", a->device);
	return GW_STATUS_DONE;
}

/* What is refused must be found out before anything is stored. */
static enum gw_status try_out(struct adopting *ad, struct gw_error *reterr_)
{
	const char *owner = NULL;

	if (try_binding(ad->gateway, ad->candidate->adapter, ad->profile, &ad->vars,
			/* except= */ NULL, &owner, reterr_) < 0) {
		return GW_STATUS_INVALID;
	}
	if (owner) {
		(void)gw_error_set(reterr_, -EADDRINUSE, "address",
				   "Its address belongs to the device %s already.", owner);
		return GW_STATUS_CONFLICT;
	}
	return GW_STATUS_DONE;
}

static enum gw_status prepare(struct adopting *ad, const struct gw_adoption *a,
			      struct gw_error *reterr_)
{
	struct gw_gateway *g = ad->gateway;

	ad->candidate = gw_discovery_find(g->discovery, a->candidate);
	if (!ad->candidate) {
		return no(reterr_, GW_STATUS_NOT_FOUND, "candidate", "There is no such candidate.");
	}
	if (gw_registry_find_identity(g->registry, gw_str(ad->candidate->identity))) {
		return no(reterr_, GW_STATUS_CONFLICT, "candidate", "It is a device already.");
	}
	if (g->registry->n_devices == GW_DEVICES) {
		return no(reterr_, GW_STATUS_TOO_MANY, "devices", "The home is full.");
	}
	enum gw_status s = choose_profile(ad, a->profile, reterr_);
	s = s == GW_STATUS_DONE ? complete_vars(ad, a->vars, reterr_) : s;
	s = s == GW_STATUS_DONE ? choose_names(ad, a, reterr_) : s;
	return s == GW_STATUS_DONE ? try_out(ad, reterr_) : s;
}

/* Durable first, then in the registry, then at its adapter. */
static enum gw_status carry_out(struct adopting *ad, const struct gw_principal *p,
				struct gw_device **ret_device, struct gw_error *reterr_)
{
	struct gw_gateway *g = ad->gateway;
	const struct gw_candidate *c = ad->candidate;
	const struct gw_device_type *type = gw_profile_type(ad->profile);
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_PROFILE_BYTES * 2);
	struct gw_device *d;

	if (c->described) {
		gw_profile_write_compiled(ad->profile, &text);
		if (gw_buf_error(&text)) {
			return no(reterr_, GW_STATUS_FAILED, "memory", "Out of memory.");
		}
	}
	const struct gw_device_record rec = {
		.id = ad->id,
		.name = ad->name,
		.room = ad->room,
		.type = type ? type->id : "",
		.vendor = c->vendor,
		.model = c->model,
		.firmware = c->firmware,
		.identity = c->identity,
		.weak_identity = c->weak_identity,
		.adopted_wall_ms = gw_wall_ms(),
		.revision = 1,
		.adapter = c->adapter,
		.profile = gw_profile_id(ad->profile),
		.profile_text = c->described ? text.p : NULL,
		.vars = &ad->vars,
	};
	const struct gw_audit_line audit = {.who = p->who,
					    .via = p->via,
					    .what = "device.adopt",
					    .object = ad->id,
					    .detail = c->identity};
	int r = gw_store_put_device(g->store, &rec, &audit);
	if (r < 0) {
		return no(reterr_, gw_store_status(r), "store", "The store cannot be written now.");
	}
	r = gw_registry_add(g, &rec, ad->profile, &d);
	if (r < 0) {
		const struct gw_audit_line undo = {.who = "system",
						   .what = "device.remove",
						   .object = ad->id,
						   .detail = "out of memory"};
		if (gw_store_remove_device(g->store, ad->id, &undo) < 0) {
			gw_log_warning("home", "GW-HOME-ADOPT", "%s will be there after a restart",
				       ad->id);
		}
		return no(reterr_, GW_STATUS_FAILED, "memory", "Out of memory.");
	}
	const struct gw_emit added = {
		.type = GW_EVENT_DEVICE_ADDED,
		.device = d,
		.time_wall_ms = gw_wall_ms(),
	};
	(void)gw_bus_emit(g, &added);
	(void)gw_route_attach(d); /* a failure is the device's problem text */
	*ret_device = d;
	return GW_STATUS_DONE;
}

enum gw_status gw_candidate_adopt(struct gw_gateway *g, const struct gw_principal *p,
				  const struct gw_adoption *a, struct gw_device **ret_device,
				  struct gw_error *reterr_)
{
	struct adopting ad = {.gateway = g};
	struct gw_device *d = NULL;
	enum gw_status s = gw_access_decide(g, p, GW_DO_ADOPT, /* device= */ NULL);

	if (s != GW_STATUS_DONE) {
		return no(reterr_, s, "denied", gw_status_row(s)->text_en);
	}
	s = prepare(&ad, a, reterr_);
	s = s == GW_STATUS_DONE ? carry_out(&ad, p, &d, reterr_) : s;
	gw_profile_unref(ad.profile);
	gw_vars_fini(&ad.vars);
	if (s != GW_STATUS_DONE) {
		return s;
	}
	candidates_changed(g);
	*ret_device = d;
	return s;
}

/* --- life --- */

int gw_adopt_new(struct gw_gateway *g, struct gw_adopt **ret_adopt)
{
	static const struct gw_discovery_ops ops = {.changed = on_changed, .removed = on_removed};
	struct gw_adopt *a = gw_new(struct gw_adopt);

	if (!a) {
		return -ENOMEM;
	}
	a->gateway = g;
	a->index = gw_timer_new(g->loop, on_index, a);
	a->scratch_over = gw_deferred_new(g->loop, on_scratch_over, a);
	if (!a->index || !a->scratch_over ||
	    gw_discovery_new(g->library, &ops, a, &g->discovery) < 0) {
		gw_adopt_free(a);
		return -ENOMEM;
	}
	*ret_adopt = a;
	return 0;
}

void gw_adopt_free(struct gw_adopt *a)
{
	if (!a) {
		return;
	}
	gw_discovery_free(a->gateway->discovery);
	a->gateway->discovery = NULL;
	gw_timer_free(a->index);
	gw_deferred_free(a->scratch_over);
	gw_arena_free(a->scratch);
	gw_free(a);
}
