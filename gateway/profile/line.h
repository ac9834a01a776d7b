/* One step of the line protocol on a tree; the embedded tests and the conformance cases use it. */
#pragma once

#include "gw/binding.h"

/* request NULL or no map: answered with error "line". */
int gw_line_step(struct gw_binding *b, const struct gw_node *request,
		 struct gw_buf *ret_answer) GW_MUST_USE;
