/* What the files of forms share. */
#pragma once

#include "profile/compile.h"
#include "profile/state.h"

/* Narrows what an enum offers to the symbols that its form can write (or read, when it cannot be written). */
int gw_compile_offer(struct gw_compiler *c, const struct gw_raw *values, size_t n) GW_MUST_USE;
