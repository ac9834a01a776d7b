/* The mapping of a dp: rows when it enumerates, cases when it is a number. As tuya-local's device_config reads it. */
#include <math.h>
#include <string.h>

#include "profile/import/tuya.h"

#define REDIRECTS 8 /* from dp to dp */

static bool flag(const struct gw_node *map, const char *key)
{
	const struct gw_node *n = gw_node_get(map, key);
	return n && n->type == GW_NODE_BOOL && n->flag;
}

static bool number(const struct gw_node *map, const char *key, double *ret)
{
	const struct gw_node *n = gw_node_get(map, key);
	if (!n || n->type != GW_NODE_NUMBER) {
		return false;
	}
	*ret = n->number;
	return true;
}

/* The dp that the conditions of a mapping look at: its constraint, else itself. */
static struct gw_tuya_dp *constraint(struct gw_tuya_dp *dp, const struct gw_node *m)
{
	const char *name = gw_node_text(m, "constraint");
	return name ? gw_tuya_dp(dp->entity, name) : dp;
}

static bool same_place(const struct gw_tuya_dp *a, const struct gw_tuya_dp *b)
{
	return strcmp(a->id, b->id) == 0 &&
	       strcmp(a->mask ? a->mask : "", b->mask ? b->mask : "") == 0;
}

/* Adds a cell; one of the same dp is replaced. False: no room. */
static bool put_cell(struct gw_tuya_cell *cells, size_t *n, struct gw_tuya_dp *dp,
		     const struct gw_node *raw, bool condition)
{
	size_t i = 0;
	while (i < *n && !same_place(cells[i].dp, dp)) {
		i++;
	}
	if (i == GW_TUYA_CELLS) {
		return false;
	}
	bool mask = !condition && dp->type == GW_TUYA_BITFIELD && raw->type == GW_NODE_NUMBER &&
		    raw->number != 0; /* any of the bits; a condition wants the whole */
	cells[i] = (struct gw_tuya_cell){.dp = dp, .raw = raw, .mask = mask};
	*n += i == *n;
	return true;
}

/* --- rows --- */

struct rows {
	struct gw_tuya *t;
	struct gw_tuya_rows *out;
	unsigned depth;
};

static bool grow(struct rows *r)
{
	size_t size = r->out->size ? r->out->size * 2 : 8;
	struct gw_tuya_row *more = gw_arena_alloc(r->t->b->a, size * sizeof(*more));
	if (!more) {
		r->t->b->failed = true;
		r->out->why = "out of memory";
		return false;
	}
	if (r->out->n > 0) {
		memcpy(more, r->out->row, r->out->n * sizeof(*more));
	}
	r->out->row = more;
	r->out->size = size;
	return true;
}

static struct gw_tuya_row *add_row(struct rows *r, const struct gw_tuya_row *from,
				   const struct gw_node *value, bool ro)
{
	if (r->out->n == GW_TUYA_ROWS) {
		r->out->why = "more than 512 rows";
		return NULL;
	}
	if (r->out->n == r->out->size && !grow(r)) {
		return NULL;
	}
	struct gw_tuya_row *row = &r->out->row[r->out->n++];
	*row = *from;
	row->value = value && value->type != GW_NODE_NULL ? value : NULL;
	row->ro |= ro || !row->value;
	return row;
}

static void expand(struct rows *r, struct gw_tuya_dp *dp, const struct gw_tuya_row *base);

static bool row_cell(struct rows *r, struct gw_tuya_row *row, struct gw_tuya_dp *dp,
		     const struct gw_node *dps_val, bool condition)
{
	const struct gw_node *raw = gw_tuya_raw(dp, dps_val);
	if (!raw) { /* never equal to what the device sends */
		return false;
	}
	if (!put_cell(row->cell, &row->n, dp, raw, condition)) {
		r->out->why = "more than 8 points decide one value";
		return false;
	}
	return true;
}

static void redirect(struct rows *r, struct gw_tuya_dp *dp, const char *name,
		     const struct gw_tuya_row *row)
{
	struct gw_tuya_dp *to = gw_tuya_dp(dp->entity, name);
	if (!to || r->depth == REDIRECTS) {
		r->out->why = "value_redirect to no dp of the entity";
		return;
	}
	r->depth++;
	expand(r, to, row);
	r->depth--;
}

static void bar(struct rows *r, struct gw_tuya_dp *by, const struct gw_node *at,
		const struct gw_node *value)
{
	const struct gw_node *raw = gw_tuya_raw(by, at);
	if (!raw || !value || r->out->n_barred == GW_TUYA_BARRED) {
		return;
	}
	r->out->barred[r->out->n_barred++] =
		(struct gw_tuya_barred){.cell = {.dp = by, .raw = raw}, .value = value};
}

/* Values under one condition: cond.mapping by raw, then cond's or m's own. */
static void under_condition(struct rows *r, struct gw_tuya_dp *dp, const struct gw_node *m,
			    const struct gw_node *cond, const struct gw_tuya_row *base)
{
	struct gw_tuya_row row = *base;
	const struct gw_node *dps_val = gw_node_get(m, "dps_val"),
			     *value = gw_node_get(cond, "value"),
			     *at = gw_node_get(cond, "dps_val");
	const char *to = gw_node_text(cond, "value_redirect");
	struct gw_tuya_dp *by = constraint(dp, m);
	if (!by || !at) { /* it never holds */
		return;
	}
	if (flag(cond, "invalid")) { /* read as ever, but not to be set */
		bar(r, by, at,
		    value		      ? value
		    : gw_node_get(m, "value") ? gw_node_get(m, "value")
					      : dps_val);
		return;
	}
	if (!row_cell(r, &row, by, at, true)) {
		return;
	}
	gw_node_for(inner, gw_node_get(cond, "mapping"))
	{
		struct gw_tuya_row one = row;
		const struct gw_node *raw = gw_node_get(inner, "dps_val");
		if (raw && row_cell(r, &one, dp, raw, false)) {
			const struct gw_node *v = gw_node_get(inner, "value");
			(void)add_row(r, &one, v ? v : raw, flag(inner, "hidden"));
		}
	}
	to = to ? to : gw_node_text(m, "value_redirect");
	if (to) {
		redirect(r, dp, to, &row);
		return;
	}
	value = value ? value : gw_node_get(m, "value");
	value = value ? value : dps_val;
	if (value) {
		(void)add_row(r, &row, value, flag(cond, "hidden") || flag(m, "hidden"));
	}
}

static void add_known(struct rows *r, struct gw_node *list, struct gw_tuya_dp *by,
		      const struct gw_node *dps_val)
{
	const struct gw_node *raw = gw_tuya_raw(by, dps_val);
	const struct gw_node *first = raw && raw->type == GW_NODE_LIST ? raw->first : raw;
	for (const struct gw_node *n = first; n; n = n == raw ? NULL : n->next) {
		if (n->type != GW_NODE_NULL) {
			gw_add_node(r->t->b, list, gw_copy(r->t->b, n));
		}
	}
}

/* Raws that a dp of the file names for the point of by: in its own mapping, or as a condition. */
static void known_of(struct rows *r, struct gw_node *list, struct gw_tuya_dp *by,
		     struct gw_tuya_dp *dp)
{
	gw_node_for(m, dp->mapping)
	{
		struct gw_tuya_dp *on = constraint(dp, m);
		if (same_place(dp, by)) {
			add_known(r, list, by, gw_node_get(m, "dps_val"));
		}
		const struct gw_node *conditions =
			on && same_place(on, by) ? gw_node_get(m, "conditions") : NULL;
		gw_node_for(c, conditions)
		{
			add_known(r, list, by, gw_node_get(c, "dps_val"));
		}
	}
}

/* Raws that the dp is known to have, beside those of the conditions; NULL: not known. */
static struct gw_node *others(struct rows *r, struct gw_tuya_dp *by,
			      const struct gw_node *conditions)
{
	struct gw_node *list = gw_node_new(r->t->b->a, GW_NODE_LIST);
	bool both = by->type == GW_TUYA_BOOLEAN;
	for (int i = 0; list && both && i < 2; i++) {
		gw_add_node(r->t->b, list, gw_bool_node(r->t->b, i));
	}
	for (size_t e = 0; list && !both && e < r->t->n_entities; e++) {
		for (size_t i = 0; i < r->t->entities[e].n; i++) {
			known_of(r, list, by, &r->t->entities[e].dp[i]);
		}
	}
	struct gw_node *left = gw_node_new(r->t->b->a, GW_NODE_LIST);
	gw_node_for(raw, list)
	{
		bool taken = false;
		gw_node_for(c, conditions)
		{
			const struct gw_node *at = gw_tuya_raw(by, gw_node_get(c, "dps_val"));
			const struct gw_node *first =
				at && at->type == GW_NODE_LIST ? at->first : at;
			for (const struct gw_node *n = first; n; n = n == at ? NULL : n->next) {
				taken |= gw_node_equal(n, raw);
			}
		}
		gw_node_for(n, left)
		{
			taken |= gw_node_equal(n, raw);
		}
		if (!taken && left) {
			gw_add_node(r->t->b, left, gw_copy(r->t->b, raw));
		}
	}
	return left && left->count > 0 ? left : NULL;
}

static bool gives_values(const struct gw_node *conditions)
{
	gw_node_for(c, conditions)
	{
		if (gw_node_get(c, "value") || gw_node_get(c, "value_redirect")) {
			return true;
		}
	}
	return false;
}

/* The rest of m, when none of its conditions holds. */
static void unconditional(struct rows *r, struct gw_tuya_dp *dp, const struct gw_node *m,
			  const struct gw_tuya_row *base)
{
	struct gw_tuya_row row = *base;
	const struct gw_node *dps_val = gw_node_get(m, "dps_val"), *value = gw_node_get(m, "value"),
			     *conditions = gw_node_get(m, "conditions");
	const char *to = gw_node_text(m, "value_redirect");
	to = to ? to : gw_node_text(m, "value_mirror");
	bool speaks = false; /* a condition gives a value of its own */
	gw_node_for(c, conditions)
	{
		speaks |= !flag(c, "invalid");
	}
	struct gw_tuya_dp *by = speaks ? constraint(dp, m) : NULL;
	if (by && !same_place(by, dp)) { /* a write needs to know which state it makes */
		const struct gw_node *rest = others(r, by, conditions);
		if (rest) {
			(void)put_cell(row.cell, &row.n, by, rest, true);
		} else {
			row.ro = true;
		}
	}
	if (to) {
		row.ro |= gw_node_get(m, "value_mirror") != NULL;
		redirect(r, dp, to, &row);
		return;
	}
	bool null = dps_val && dps_val->type == GW_NODE_NULL;
	bool elsewhere = !value && gives_values(conditions);
	value = value ? value : dps_val;
	if (elsewhere) { /* in a state that no condition names it is nothing that people know */
		(void)add_row(r, &row, NULL, /* ro= */ true);
	} else if (value) {
		struct gw_tuya_row *made = add_row(r, &row, value, flag(m, "hidden") || null);
		if (made && !dps_val) {
			made->other = true;
			made->ro = true;
		}
	} else {
		r->out->open |= dp->type != GW_TUYA_BOOLEAN;
	}
}

/* An option that is offered only when another dp says so: a cell more, which a write cannot set. */
static void available(struct rows *r, struct gw_tuya_dp *dp, const struct gw_node *m,
		      struct gw_tuya_row *row)
{
	const char *name = gw_node_text(m, "available");
	struct gw_tuya_dp *by = name ? gw_tuya_dp(dp->entity, name) : NULL;
	if (by && by->type == GW_TUYA_BOOLEAN && !by->mapping && by->readonly) {
		(void)row_cell(r, row, by, gw_bool_node(r->t->b, true), true);
	}
}

static void one_mapping(struct rows *r, struct gw_tuya_dp *dp, const struct gw_node *m,
			const struct gw_tuya_row *base)
{
	struct gw_tuya_row row = *base;
	const struct gw_node *dps_val = gw_node_get(m, "dps_val");
	if (dps_val && !row_cell(r, &row, dp, dps_val, false)) {
		return;
	}
	available(r, dp, m, &row);
	gw_node_for(cond, gw_node_get(m, "conditions"))
	{
		under_condition(r, dp, m, cond, &row);
	}
	if (!flag(m, "invalid")) {
		unconditional(r, dp, m, &row);
	}
}

static void booleans(struct rows *r, struct gw_tuya_dp *dp, const struct gw_tuya_row *base)
{
	const bool both[] = {true, false};
	for (size_t i = 0; i < 2; i++) {
		struct gw_tuya_row row = *base;
		struct gw_node *v = gw_bool_node(r->t->b, both[i]);
		if (v && row_cell(r, &row, dp, v, false)) {
			(void)add_row(r, &row, v, false);
		}
	}
}

/* Is a raw of a boolean dp named by a mapping? */
static bool names_raw(struct gw_tuya_dp *dp, bool raw)
{
	gw_node_for(m, dp->mapping)
	{
		const struct gw_node *n = gw_tuya_raw(dp, gw_node_get(m, "dps_val"));
		if (n && n->type == GW_NODE_BOOL && n->flag == raw) {
			return true;
		}
	}
	return false;
}

static void expand(struct rows *r, struct gw_tuya_dp *dp, const struct gw_tuya_row *base)
{
	const struct gw_node *rest = NULL;
	bool named = false;
	gw_node_for(m, dp->mapping)
	{
		const struct gw_node *dps_val = gw_node_get(m, "dps_val");
		named |= dps_val && dps_val->type != GW_NODE_NULL;
		if (dps_val) {
			one_mapping(r, dp, m, base);
		} else {
			rest = rest ? rest : m;
		}
	}
	if (rest) {
		one_mapping(r, dp, rest, base);
	}
	bool valued = rest && (gw_node_get(rest, "value") || gw_node_get(rest, "value_redirect") ||
			       gw_node_get(rest, "value_mirror"));
	if (dp->type == GW_TUYA_BOOLEAN && !named && !valued) {
		booleans(r, dp, base);
	} else if (dp->type == GW_TUYA_BOOLEAN && !valued && named) {
		for (int raw = 0; raw < 2; raw++) { /* what is not named is itself */
			struct gw_tuya_row row = *base;
			struct gw_node *v = gw_bool_node(r->t->b, raw);
			if (v && !names_raw(dp, raw) && row_cell(r, &row, dp, v, false)) {
				(void)add_row(r, &row, v, /* ro= */ false);
			}
		}
	} else if (!rest && !named) {
		r->out->open = true;
	}
}

static const struct gw_tuya_rows *rows_of(struct gw_tuya_dp *dp)
{
	struct gw_tuya *t = dp->entity->t;
	const struct gw_tuya_row base = {.n = 0};
	struct gw_tuya_rows *all = gw_arena_alloc(t->b->a, sizeof(*all));
	if (!all) {
		t->b->failed = true;
		return NULL;
	}
	struct rows r = {.t = t, .out = all};
	expand(&r, dp, &base);
	return all;
}

bool gw_tuya_rows(struct gw_tuya_dp *dp, struct gw_tuya_rows *ret)
{
	dp->rows = dp->rows ? dp->rows : rows_of(dp);
	*ret = dp->rows ? *dp->rows : (struct gw_tuya_rows){.why = "out of memory"};
	if (ret->n == 0) {
		return false;
	}
	ret->row = gw_arena_alloc(dp->entity->t->b->a, ret->n * sizeof(*ret->row));
	if (!ret->row) {
		dp->entity->t->b->failed = true;
		ret->n = 0;
		return false;
	}
	memcpy(ret->row, dp->rows->row, ret->n * sizeof(*ret->row));
	ret->size = ret->n;
	return !ret->why;
}

/* --- cases --- */

struct cases {
	struct gw_tuya *t;
	struct gw_tuya_cases *out;
	unsigned depth;
};

static struct gw_tuya_case *add_case(struct cases *c, const struct gw_tuya_case *from)
{
	if (c->out->n == GW_TUYA_CASES) {
		c->out->why = "more than 32 cases of one number";
		return NULL;
	}
	struct gw_tuya_case *one = &c->out->item[c->out->n++];
	*one = *from;
	return one;
}

static void cases_of(struct cases *c, struct gw_tuya_dp *dp, const struct gw_tuya_case *base);

static bool case_cell(struct cases *c, struct gw_tuya_case *one, struct gw_tuya_dp *dp,
		      const struct gw_node *dps_val, bool condition)
{
	const struct gw_node *raw = dp ? gw_tuya_raw(dp, dps_val) : NULL;
	if (!raw) { /* never equal to what the device sends */
		return false;
	}
	if (!put_cell(one->cell, &one->n, dp, raw, condition)) {
		c->out->why = "more than 8 points decide one value";
		return false;
	}
	return true;
}

static const struct gw_node *first_of(const struct gw_node *cond, const struct gw_node *m,
				      const char *key)
{
	const struct gw_node *n = gw_node_get(cond, key);
	return n ? n : gw_node_get(m, key);
}

/* raw → value: invert, target_range, scale, in this order. */
static struct gw_linear linear_of(const struct gw_node *dp, const struct gw_node *m,
				  const struct gw_node *cond, const struct gw_node *range)
{
	struct gw_linear l = GW_LINEAR_NONE;
	const struct gw_node *target = first_of(cond, m, "target_range"),
			     *scale = first_of(cond, m, "scale");
	double low = 0, high = 0, from = 0, to = 0;
	bool ranged = number(range, "max", &high);
	(void)number(range, "min", &low); /* 0 when absent */
	(void)dp;
	if (flag(m, "invert") && ranged) {
		l = (struct gw_linear){-1, 1, low + high};
	}
	if (target && ranged && high > low && number(target, "max", &to)) {
		(void)number(target, "min", &from); /* 0 when absent */
		double span = to - from;
		if (span != 0) {
			struct gw_linear r = {span, high - low, from - low * span / (high - low)};
			l = gw_linear_then(l, r);
		}
	}
	if (scale && scale->type == GW_NODE_NUMBER && scale->number != 0 && scale->number != 1) {
		l = gw_linear_then(l, (struct gw_linear){1, scale->number, 0});
	}
	return l;
}

static void linear_case(struct cases *c, struct gw_tuya_dp *dp, const struct gw_node *m,
			const struct gw_node *cond, const struct gw_tuya_case *base)
{
	struct gw_tuya_case one = *base;
	const struct gw_node *own = gw_node_get(dp->node, "range"),
			     *range = first_of(cond, m, "range");
	double low, high, step = 0;
	range = range ? range : own;
	one.dp = dp;
	one.linear = linear_of(dp->node, m, cond, own ? own : range);
	one.unit = gw_node_text(dp->node, "unit");
	one.invalid = flag(cond, "invalid") || flag(m, "invalid");
	one.low = 1;
	one.high = 0;
	if (number(range, "min", &low) && number(range, "max", &high) && low < high) {
		double a = gw_linear_apply(one.linear, low), b = gw_linear_apply(one.linear, high);
		one.low = fmin(a, b);
		one.high = fmax(a, b);
	}
	const struct gw_node *steps = first_of(cond, m, "step");
	if (steps && steps->type == GW_NODE_NUMBER) {
		step = steps->number;
	}
	one.step = fabs(step * one.linear.mul / one.linear.div);
	(void)add_case(c, &one);
}

static void case_redirect(struct cases *c, struct gw_tuya_dp *dp, const char *name,
			  const struct gw_tuya_case *base)
{
	struct gw_tuya_dp *to = gw_tuya_dp(dp->entity, name);
	if (!to || c->depth == REDIRECTS) {
		c->out->why = "value_redirect to no dp of the entity";
		return;
	}
	c->depth++;
	cases_of(c, to, base);
	c->depth--;
}

/* One mapping of a number, which holds for all raws or for one. */
static void number_mapping(struct cases *c, struct gw_tuya_dp *dp, const struct gw_node *m,
			   const struct gw_tuya_case *base)
{
	const struct gw_node *value = gw_node_get(m, "value");
	const char *to = gw_node_text(m, "value_redirect"),
		   *mirror = gw_node_text(m, "value_mirror");
	gw_node_for(cond, gw_node_get(m, "conditions"))
	{
		struct gw_tuya_case one = *base;
		const struct gw_node *v = gw_node_get(cond, "value");
		const char *there = gw_node_text(cond, "value_redirect");
		struct gw_tuya_dp *by = constraint(dp, m); /* NULL: it never holds */
		if (!by || !gw_node_get(cond, "dps_val") ||
		    !case_cell(c, &one, by, gw_node_get(cond, "dps_val"), true)) {
			continue;
		}
		there = there ? there : to;
		if (there) {
			case_redirect(c, dp, there, &one);
		} else if (v && v->type == GW_NODE_NUMBER) {
			one.constant = v->number;
			(void)add_case(c, &one);
		} else {
			linear_case(c, dp, m, cond, &one);
		}
	}
	if (to || mirror) {
		struct gw_tuya_case one = *base;
		one.ro |= !to;
		c->out->mirrored |= !to;
		case_redirect(c, dp, to ? to : mirror, &one);
	} else if (value && value->type == GW_NODE_NUMBER) {
		struct gw_tuya_case one = *base;
		one.constant = value->number;
		(void)add_case(c, &one);
	} else if (!value || value->type == GW_NODE_NULL) {
		if (!value) {
			linear_case(c, dp, m, NULL, base);
		}
	} else {
		c->out->why = "a number that is a text for some raws";
	}
}

static void cases_of(struct cases *c, struct gw_tuya_dp *dp, const struct gw_tuya_case *base)
{
	const struct gw_node *rest = NULL;
	gw_node_for(m, dp->mapping)
	{
		const struct gw_node *dps_val = gw_node_get(m, "dps_val");
		struct gw_tuya_case one = *base;
		if (!dps_val) {
			rest = rest ? rest : m;
		} else if (dps_val->type == GW_NODE_NULL && !gw_node_get(m, "value_redirect")) {
			continue; /* what is not known is unknown */
		} else if (case_cell(c, &one, dp, dps_val, false)) {
			number_mapping(c, dp, m, &one);
		}
	}
	if (rest) {
		number_mapping(c, dp, rest, base);
	} else {
		linear_case(c, dp, NULL, NULL, base);
	}
}

bool gw_tuya_cases(struct gw_tuya_dp *dp, struct gw_tuya_cases *ret)
{
	struct cases c = {.t = dp->entity->t, .out = ret};
	const struct gw_tuya_case base = {.n = 0};
	ret->n = 0;
	ret->why = NULL;
	ret->mirrored = false;
	cases_of(&c, dp, &base);
	return !ret->why && ret->n > 0;
}

/* --- cells as an expression --- */

static const char *equals(struct gw_tuya *t, const char *what, const struct gw_node *raw)
{
	const char *literal = gw_tuya_literal(t, raw);
	return literal ? gw_draft_printf(t->b, "%s == %s", what, literal) : NULL;
}

static const char *cell_expr(struct gw_tuya *t, const struct gw_tuya_cell *cell)
{
	const char *why = NULL, *point = gw_tuya_point(cell->dp, /* writable= */ false, &why);
	if (!point) {
		return NULL;
	}
	if (cell->mask) {
		return gw_draft_printf(t->b, "(%s & %.0f) > 0", point, cell->raw->number);
	}
	const char *what = cell->dp->bits ? gw_draft_printf(t->b, "bits(%s, %u, %u)", point,
							    cell->dp->low, cell->dp->width)
					  : point;
	if (cell->raw->type != GW_NODE_LIST) {
		return equals(t, what, cell->raw);
	}
	const char *all = NULL;
	gw_node_for(n, cell->raw)
	{
		const char *one = equals(t, what, n);
		if (!one) {
			return NULL;
		}
		all = all ? gw_draft_printf(t->b, "%s or %s", all, one) : one;
	}
	return all ? gw_draft_printf(t->b, "(%s)", all) : NULL;
}

const char *gw_tuya_cells_expr(struct gw_tuya *t, const struct gw_tuya_cell *cell, size_t n)
{
	const char *all = NULL;
	for (size_t i = 0; i < n; i++) {
		const char *one = cell_expr(t, &cell[i]);
		if (!one) {
			return NULL;
		}
		all = all ? gw_draft_printf(t->b, "%s and %s", all, one) : one;
	}
	return all ? all : "true";
}
