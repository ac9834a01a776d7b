/* Expressions (profile-language §12): compiled once to a flat postfix program, evaluated on a fixed stack, no allocation. */
#pragma once

#include "gw/error.h"
#include "gw/node.h"
#include "profile/raw.h"

/* What a name means, decided by the compiler's caller; index is the caller's. */
enum gw_name_kind { GW_NAME_ARG, GW_NAME_WANTED /* v */, GW_NAME_POINT, GW_NAME_VAR, GW_NAME_CAP };

struct gw_expr_scope {
	/* 0 and *ret_kind, *ret_index; -ENOENT: unknown name (refusal "ref"). */
	int (*resolve)(void *ctx, struct gw_str name, enum gw_name_kind *ret_kind,
		       uint16_t *ret_index);
	void *ctx;
};

struct gw_expr_env {
	/* The current value; texts stay valid until the evaluation is over. */
	struct gw_raw (*fetch)(void *ctx, enum gw_name_kind kind, uint16_t index);
	void *ctx;
};

struct gw_expr; /* lives in the arena */

/* Refusal codes in reterr_: "expr" (grammar, limits, unknown function, arity), "ref". error->text names the column and what was expected. */
int gw_expr_compile(struct gw_arena *a, struct gw_str source, const struct gw_expr_scope *scope,
		    struct gw_expr **ret_expr, struct gw_error *reterr_) GW_MUST_USE;
struct gw_raw gw_expr_eval(const struct gw_expr *e, const struct gw_expr_env *env);
/* Text constants are gw_texts owned by the expression; frees them (the arena has the rest). */
void gw_expr_fini(struct gw_expr *e);
/* The names used, in order of appearance; false beyond the last. For dependencies and state-unknown:<first null point>. */
bool gw_expr_name(const struct gw_expr *e, size_t i, enum gw_name_kind *ret_kind,
		  uint16_t *ret_index);
/* Each place where a name stands, from *pos = 0 on: a name that stands twice is looked up twice. */
bool gw_expr_use(const struct gw_expr *e, size_t *pos, enum gw_name_kind *ret_kind,
		 uint16_t *ret_index);
bool gw_expr_is_function(struct gw_str name);	/* a point may not be called like one */
unsigned gw_expr_cost(const struct gw_expr *e); /* operators and calls */
