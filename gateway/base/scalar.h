/* Plain scalars of the YAML subset (profile-language.md §1): shared by the YAML front end and option defaults. */
#pragma once

#include "gw/compiler.h"
#include "gw/node.h"
#include "gw/str.h"

/*
 * Sets type and value of *n by the table of §1; TEXT borrows s. -ERANGE for a number of magnitude ≥ 2^53, and *n is
 * untouched.
 */
int gw_scalar_set(struct gw_node *n, struct gw_str s) GW_MUST_USE;
