/* One Home Assistant device out of its entities. */
#pragma once

#include "profile/import/ha.h"

struct gw_ha_part {
	const char *platform, *object;
	const struct gw_node *config; /* long keys */
};

bool gw_ha_is_platform(struct gw_str platform);
/* -ENOENT: none of the entities could be imported (the notes say why). */
int gw_ha_build(struct gw_draft *b, const char *identity, const struct gw_ha_part *parts, size_t n,
		const struct gw_draft_head *head, struct gw_imported *ret) GW_MUST_USE;
