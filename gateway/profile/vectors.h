/* Comparing what a step did with what a test expects of it; the conformance runner uses the same. */
#pragma once

#include "gw/binding.h"
#include "gw/node.h"

/*
 * Carries out a step (§14, §15) and compares its answer with want, events, tx, error and vars_out of the step. 0: as expected; 1: not,
 * *ret_text says what differed; -errno.
 */
int gw_vectors_step(struct gw_binding *b, const struct gw_node *step,
		    struct gw_buf *ret_text) GW_MUST_USE;
