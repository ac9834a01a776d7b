/* Homie 3, 4 and 5: one device as a tree, whatever version described it (open-protocols.md §A2). */
#pragma once

#include "profile/import/datum.h"

struct gw_homie {
	struct gw_draft *b;
	const char *prefix; /* topic of the device: "homie/5/lamp" */
	/*
	 * As in $description of Homie 5: {name, type, nodes: {id: {name, type, properties: {id: {name, datatype, format, unit, settable,
	 * retained}}}}}
	 */
	const struct gw_node *description;
};

/* homie_build.c. -ENOENT: nothing of it could be imported, -EINVAL: the topic cannot be a device's. */
int gw_homie_build(struct gw_homie *h, struct gw_imported *ret) GW_MUST_USE;
