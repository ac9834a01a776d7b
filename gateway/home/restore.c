/* The home after a start: what the store has becomes the registry. Blocks shortly, before anything listens. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/log.h"
#include "home/adapter_host.h"
#include "home/arrange.h"
#include "home/registry.h"

/* Descriptions are long and mostly equal: each text is loaded once. */
struct restoring {
	struct gw_gateway *gateway;
	struct gw_map *profiles; /* text → profile, each with a reference */
};

static void unref_profile(void *p)
{
	gw_profile_unref(p);
}

static int described_profile(struct restoring *re, const struct gw_device_record *rec,
			     struct gw_profile **ret_profile, struct gw_error *reterr_)
{
	struct gw_str text = gw_str(rec->profile_text);
	struct gw_profile *p = gw_map_find(re->profiles, text);

	if (!p) {
		int r = gw_profile_load_text(re->gateway->library, text, rec->id,
					     GW_PROFILE_IMPORTED, &p, reterr_);
		if (r < 0) {
			return r;
		}
		r = gw_map_put(re->profiles, text, p);
		if (r < 0) {
			gw_profile_unref(p);
			return r;
		}
	}
	*ret_profile = gw_profile_ref(p);
	return 0;
}

static int restore_device(void *ctx, const struct gw_device_record *rec)
{
	struct restoring *re = ctx;
	struct gw_profile *profile = NULL;
	struct gw_device *d = NULL;
	struct gw_error e = {0};

	int r = rec->profile_text
			? described_profile(re, rec, &profile, &e)
			: gw_library_get(re->gateway->library, gw_str(rec->profile), &profile, &e);
	if (r == -ENOMEM) {
		return r;
	}
	r = gw_registry_add(re->gateway, rec, profile, &d);
	gw_profile_unref(profile);
	if (r == -EEXIST) {
		gw_log_error("home", "GW-HOME-RESTORE",
			     "%s has the identity of another device, leaving it out", rec->id);
		return 0;
	}
	if (r < 0) {
		return r;
	}
	if (!profile) {
		char text[512];
		(void)snprintf(text, sizeof(text), "Its profile %s cannot be loaded: %s",
			       rec->profile, e.text[0] ? e.text : "it is not installed");
		gw_registry_set_problem(d, text);
		gw_log_error("home", "GW-HOME-RESTORE", "%s: %s", d->id, text);
	}
	r = gw_route_attach(d);
	return r == -ENOMEM ? r : 0; /* every other failure is the device's problem already */
}

static int restore_room(void *ctx, const char *id, const char *name)
{
	struct restoring *re = ctx;

	return gw_room_insert(re->gateway->registry, id, name);
}

static int restore_value(void *ctx, const char *device, const char *address, const char *json,
			 int64_t time_wall_ms)
{
	struct restoring *re = ctx;
	struct gw_device *d = gw_registry_find(re->gateway->registry, gw_str(device));

	if (!d || !d->binding) {
		return 0;
	}
	int cap = gw_plan_find_cap(gw_binding_plan(d->binding), gw_str(address));
	if (cap >= 0) {
		gw_registry_restore_value(d, (size_t)cap, gw_str(json), time_wall_ms);
	}
	return 0;
}

int gw_registry_restore(struct gw_gateway *g, struct gw_error *reterr_)
{
	struct restoring re = {.gateway = g, .profiles = gw_map_new(GW_DEVICES)};
	int r = re.profiles ? 0 : -ENOMEM;

	if (r == 0) {
		r = gw_store_each_room(g->store, restore_room, &re);
	}
	if (r == 0) {
		r = gw_store_each_device(g->store, restore_device, &re);
	}
	if (r == 0) {
		r = gw_store_each_value(g->store, restore_value, &re);
	}
	gw_map_free(re.profiles, unref_profile);
	return r < 0 ? gw_error_set(reterr_, r, "restore", "the stored home cannot be read: %s",
				    strerror(-r))
		     : 0;
}
