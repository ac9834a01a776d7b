/* Recognition (profile-language §4), for the loader. */
#pragma once

#include "profile/source.h"

/* Fills p->matches from the checked tree. Codes: ref (set of an undeclared variable), schema. */
int gw_match_compile(struct gw_profile *p, struct gw_error *reterr_) GW_MUST_USE;
/* Fills p->vars, with in_channel from every channel of the tree, its variants and repeats. */
int gw_vars_compile(struct gw_profile *p, struct gw_error *reterr_) GW_MUST_USE;
/*
 * The channels of the messages of an expanded tree: unknown {name} ("ref"), the identity variable and wildcards of an MQTT
 * profile ("containment").
 */
int gw_match_check_channels(const struct gw_profile *p, const struct gw_node *expanded,
			    struct gw_error *reterr_) GW_MUST_USE;
/* 1–128 bytes, no / + #, no control characters, no leading $. */
bool gw_var_fits_channel(struct gw_str value);
const struct gw_var_info *gw_var_find(const struct gw_profile *p, struct gw_str name);
