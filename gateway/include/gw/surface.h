/*
 * The surface contract: a module that shows the home to somebody. It knows gw/home.h and no adapter. It opens its port in start, which
 * the host calls only when the stored home is fully restored.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "gw/compiler.h"
#include "gw/home.h"
#include "gw/option.h"

struct gw_broker;
struct gw_surface_class;

struct gw_surface {
	const struct gw_surface_class *class;
	struct gw_gateway *gateway;
	void *impl;			/* instance_size bytes, zeroed, options filled in */
	const char *state_dir;		/* for keys, sockets; 0700 */
	const char *config_file;	/* path of hearth.yaml or "", for messages */
	const struct gw_broker *broker; /* gw/broker.h; NULL: the home has no broker */
	unsigned data_slot;		/* for gw_device_surface_data */
	void *host;
};

struct gw_surface_class {
	const char *name; /* section of hearth.yaml */
	size_t instance_size;
	const struct gw_option *options;
	int (*init)(struct gw_surface *s);  /* check options; no I/O */
	int (*start)(struct gw_surface *s); /* listen; never blocks */
	void (*stop)(struct gw_surface
			     *s); /* begin closing, idempotent; end with gw_surface_stopped() */
	void (*fini)(struct gw_surface *s);
};

void gw_surface_stopped(struct gw_surface *s);
const struct gw_surface_class *gw_surface_class_at(size_t index); /* NULL beyond the last */
