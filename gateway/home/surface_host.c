#include "home/surface_host.h"

#include <errno.h>
#include <string.h>

#include "gw/alloc.h"
#include "home/config.h"
#include "home/registry.h"

struct hosted {
	struct gw_surface surface;
	struct gw_surfaces *all;
	bool ready, started, stopped; /* ready: init was called, fini is due */
};

struct gw_surfaces {
	struct gw_gateway *gateway;
	struct hosted *hosted;
	size_t n;
};

void gw_surface_stopped(struct gw_surface *s)
{
	struct hosted *h = s->host;

	h->stopped = true;
	gw_gateway_part_stopped(h->all->gateway);
}

static int init_surface(struct gw_surfaces *all, const struct gw_surface_class *class,
			const struct gw_node *section, struct gw_error *reterr_)
{
	struct gw_gateway *g = all->gateway;
	struct hosted *h = &all->hosted[all->n];

	if (all->n == GW_SURFACE_SLOTS) {
		return gw_error_set(reterr_, -EINVAL, "config", "there are more than %d surfaces",
				    GW_SURFACE_SLOTS);
	}
	*h = (struct hosted){.all = all};
	h->surface = (struct gw_surface){
		.class = class,
		.gateway = g,
		.impl = gw_alloc0(1, class->instance_size),
		.state_dir = g->state_dir,
		.config_file = g->config_file,
		.broker = g->broker,
		.data_slot = (unsigned)all->n,
		.host = h,
	};
	all->n++;
	if (!h->surface.impl) {
		return gw_error_set(reterr_, -ENOMEM, "memory", "out of memory");
	}
	int r = gw_options_apply(class->options, h->surface.impl, section, g->config_file, reterr_);
	if (r < 0) {
		return r;
	}
	h->ready = true;
	r = class->init(&h->surface);
	return r < 0 ? gw_error_set(reterr_, r, "config", "surface %s refuses its options: %s",
				    class->name, strerror(-r))
		     : 0;
}

int gw_surfaces_new(struct gw_gateway *g, const struct gw_node *section,
		    struct gw_surfaces **ret_surfaces, struct gw_error *reterr_)
{
	struct gw_surfaces *all = gw_new(struct gw_surfaces);
	int r = -ENOMEM;

	if (!all || !(all->hosted = gw_array(struct hosted, GW_SURFACE_SLOTS + 1))) {
		(void)gw_error_set(reterr_, r, "memory", "out of memory");
		goto fail;
	}
	all->gateway = g;
	for (size_t i = 0; gw_surface_class_at(i); i++) {
		const struct gw_node *own;
		if (!gw_config_part(section, gw_surface_class_at(i)->name, &own)) {
			continue;
		}
		r = init_surface(all, gw_surface_class_at(i), own, reterr_);
		if (r < 0) {
			goto fail;
		}
	}
	*ret_surfaces = all;
	return 0;
fail:
	gw_surfaces_free(all);
	return r;
}

int gw_surfaces_start(struct gw_surfaces *all, struct gw_error *reterr_)
{
	for (size_t i = 0; i < all->n; i++) {
		struct gw_surface *s = &all->hosted[i].surface;
		int r = s->class->start(s);
		if (r < 0) {
			return gw_error_set(reterr_, r, "start", "surface %s cannot start: %s",
					    s->class->name, strerror(-r));
		}
		all->hosted[i].started = true;
	}
	return 0;
}

void gw_surfaces_stop(struct gw_surfaces *all)
{
	for (size_t i = 0; i < all->n; i++) {
		struct hosted *h = &all->hosted[i];
		if (h->started && !h->stopped) {
			h->surface.class->stop(&h->surface);
		}
	}
}

bool gw_surfaces_stopped(const struct gw_surfaces *all)
{
	for (size_t i = 0; i < all->n; i++) {
		if (all->hosted[i].started && !all->hosted[i].stopped) {
			return false;
		}
	}
	return true;
}

void gw_surfaces_free(struct gw_surfaces *all)
{
	if (!all) {
		return;
	}
	for (size_t i = 0; all->hosted && i < all->n; i++) {
		struct gw_surface *s = &all->hosted[i].surface;
		if (all->hosted[i].ready) {
			s->class->fini(s);
		}
		if (s->impl) {
			gw_options_free(s->class->options, s->impl);
		}
		gw_free(s->impl);
	}
	gw_free(all->hosted);
	gw_free(all);
}
