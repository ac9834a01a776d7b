/* Compiling a profile tree into a plan: one file per section, in the order of refusals of §16. */
#pragma once

#include <stdarg.h>

#include "profile/plan.h"

struct gw_compiler {
	struct gw_profile *profile;
	struct gw_plan *plan;
	struct gw_arena *arena; /* of the plan */
	struct gw_map *pool;	/* text → gw_text */
	struct gw_error *error;
	char at[256]; /* JSON Pointer to what is being compiled */

	/* while a capability is compiled */
	struct gw_pl_cap *cap;
	const struct gw_node *args; /* names of an action's arguments */
	bool wanted;		    /* `v` is known */
	uint64_t *reads;      /* points that the current value depends on; NULL: not collected */
	uint64_t *reads_caps; /* capabilities likewise */
	uint64_t *cap_reads;  /* matrix by capability of reads_caps */
	uint64_t *cap_points; /* matrix by capability of reads */
	size_t rows;	      /* of all tables */
	struct gw_known {
		uint16_t point;
		struct gw_text *text;
	} * known;
	size_t n_known, known_size;
};

/* Path: mark = gw_at(c, key); … gw_at_back(c, mark). */
size_t gw_at(struct gw_compiler *c, struct gw_str token);
size_t gw_at_index(struct gw_compiler *c, size_t index);
void gw_at_back(struct gw_compiler *c, size_t mark);
/* Refusal at the current place, below it at child when that is not NULL; the place in the file comes from n (may be NULL). */
int gw_refuse(struct gw_compiler *c, const struct gw_node *n, const char *child, const char *code,
	      const char *fmt, ...) GW_PRINTF(5, 6);
/* Unknown names, with the nearest known one; a literal that is no value of the capability being compiled. */
int gw_refuse_point(struct gw_compiler *c, const struct gw_node *n, struct gw_str name);
int gw_refuse_msg(struct gw_compiler *c, const struct gw_node *n, struct gw_str name);
int gw_refuse_unfit(struct gw_compiler *c, const struct gw_node *n, const char *child,
		    const char *code, const struct gw_raw *found);
/* Like gw_refuse for a refusal that *c->error already holds, without its place. */
int gw_refuse_placed(struct gw_compiler *c, const struct gw_node *n, const char *child);

int gw_cost_check(struct gw_compiler *c) GW_MUST_USE; /* "size" beyond GW_COST_… */
#define GW_LAW_SAMPLES 1024			      /* evaluations of a sampled capability */

void *gw_compile_alloc(struct gw_compiler *c, size_t count, size_t size) GW_MUST_USE;
#define gw_compile_array(c, type, count) ((type *)gw_compile_alloc((c), (count), sizeof(type)))
struct gw_text *gw_compile_text(struct gw_compiler *c,
				struct gw_str s) GW_MUST_USE; /* of the pool */
/* Scalars share the pool's texts; a list or map is borrowed from the tree. */
int gw_compile_raw(struct gw_compiler *c, const struct gw_node *n,
		   struct gw_raw *ret_raw) GW_MUST_USE;
/* A value or a list of values. */
int gw_compile_raws(struct gw_compiler *c, const struct gw_node *n, const struct gw_raw **ret_raws,
		    uint16_t *ret_n) GW_MUST_USE;
/* Numbers are themselves, booleans too, texts are expressions. at must stand on the value. */
int gw_compile_expr(struct gw_compiler *c, const struct gw_node *n,
		    struct gw_expr **ret_expr) GW_MUST_USE;
int gw_compile_cond(struct gw_compiler *c, const struct gw_node *n,
		    const struct gw_cond **ret_cond) GW_MUST_USE;
/* {point: expression}; inverse: every target needs an out. */
int gw_compile_sets(struct gw_compiler *c, const struct gw_node *map, struct gw_set **ret_sets,
		    uint16_t *ret_n) GW_MUST_USE;
int gw_compile_duration(struct gw_compiler *c, const struct gw_node *map, const char *key,
			int64_t *ms) GW_MUST_USE;
/* The point named by a text node; marks it as read. "ref" at the current place. */
int gw_compile_point_name(struct gw_compiler *c, const struct gw_node *n,
			  uint16_t *ret_point) GW_MUST_USE;
int gw_compile_msg_name(struct gw_compiler *c, const struct gw_node *n,
			uint16_t *ret_msg) GW_MUST_USE;
/* The message that confirm.by of a link, message or capability names; GW_NO_INDEX: none. */
int gw_compile_confirm_by(struct gw_compiler *c, const struct gw_node *owner,
			  uint16_t *ret_msg) GW_MUST_USE;
uint16_t gw_find_point(const struct gw_plan *p, struct gw_str name); /* GW_NO_INDEX: none */
void gw_compile_reads_point(struct gw_compiler *c, uint16_t point);

/* "msg#/a", "msg@1.2:3", "msg%4". out: may be written. len 0 at @ in `from` means to the end. */
int gw_compile_ref(struct gw_compiler *c, const struct gw_node *n, bool out,
		   struct gw_ref *ret_ref) GW_MUST_USE;
bool gw_ref_overlaps(const struct gw_ref *a, uint32_t a_bytes, const struct gw_ref *b,
		     uint32_t b_bytes);

/* Does a literal fit the capability: NULL, "type" or "enum". */
const char *gw_compile_fits(const struct gw_pl_cap *cap, const struct gw_raw *v);
/* The form among the keys of n; place limits which forms may stand there. */
int gw_compile_form(struct gw_compiler *c, const struct gw_node *n, unsigned place,
		    struct gw_form **ret_form) GW_MUST_USE;
int gw_compile_range(struct gw_compiler *c, const struct gw_node *n,
		     struct gw_range *ret_range) GW_MUST_USE;

int gw_compile_msgs(struct gw_compiler *c) GW_MUST_USE;
int gw_compile_points(struct gw_compiler *c) GW_MUST_USE;
int gw_compile_extracts(struct gw_compiler *c) GW_MUST_USE; /* of all messages, after the points */
int gw_compile_caps(struct gw_compiler *c) GW_MUST_USE;
void gw_compile_go_to(struct gw_compiler *c, const struct gw_pl_cap *cap); /* sets the place */
/* The scaling of a form or point: mul, div, add. */
int gw_compile_linear(struct gw_compiler *c, const struct gw_node *n, double *mul, double *div,
		      double *add, bool *ret_linear) GW_MUST_USE;
/* A text that a point may carry: remembered, so that receiving it allocates nothing. */
int gw_compile_known(struct gw_compiler *c, uint16_t point, const struct gw_raw *raw) GW_MUST_USE;
int gw_compile_link(struct gw_compiler *c) GW_MUST_USE;
int gw_compile_moved(struct gw_compiler *c) GW_MUST_USE;
int gw_compile_order(struct gw_compiler *c) GW_MUST_USE; /* dependencies, cycles */
int gw_law_check(struct gw_compiler *c) GW_MUST_USE;	 /* §13 */

/* The whole tree → a plan with refs 0 that is not cached. */
int gw_compile(struct gw_profile *p, struct gw_node *tree, struct gw_arena *a, uint64_t choice,
	       struct gw_plan **ret_plan, struct gw_error *reterr_) GW_MUST_USE;
void gw_plan_free(struct gw_plan *p);
