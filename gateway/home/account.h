/* People, tokens, the claim: the private side of gw/access.h. */
#pragma once

#include "gw/access.h"
#include "gw/error.h"

struct gw_accounts;
/* Reads accounts and tokens from g->store. With an unreadable store: nobody is authorised. Prints the claim code while unclaimed. */
int gw_accounts_new(struct gw_gateway *g, struct gw_accounts **ret_accounts,
		    struct gw_error *reterr_) GW_MUST_USE;
void gw_accounts_free(struct gw_accounts *a);
