/* One Home Assistant device out of its entities. */
#pragma once

#include "profile/import/ha.h"

struct gw_ha_part {
	const char *platform, *object;
	const struct gw_node *config; /* long keys */
};

/* What the device is called, to find its level among the topics. */
struct gw_ha_names {
	const char *identity, *device;
};

bool gw_ha_is_platform(struct gw_str platform);
/* -ENOENT: none of the entities could be imported (the notes say why). */
int gw_ha_build(struct gw_draft *b, const struct gw_ha_names *names, const struct gw_ha_part *parts,
		size_t n, const struct gw_draft_head *head, struct gw_imported *ret) GW_MUST_USE;
