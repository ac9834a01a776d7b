/* Tables (profile-language §10): rows of cells and a value; the write is the table read backwards. */
#include <errno.h>

#include "gw/alloc.h"
#include "gw/limits.h"
#include "profile/cost.h"
#include "profile/form.h"

struct cell {
	bool any, list;
	uint16_t n;
	const struct gw_raw *values;
};

struct row {
	const struct cell *cells;
	struct gw_raw value;
	bool ro;
};

struct table_form {
	struct gw_form form;
	uint16_t n_columns, n_rows;
	uint16_t *columns; /* points */
	bool *out;	   /* by column: its point can be written */
	struct row *rows;
	struct gw_raw otherwise;
};

/* --- compiling --- */

static int columns(struct gw_compiler *c, const struct gw_node *n, struct table_form *f)
{
	const struct gw_node *points = gw_node_get(n, "table");
	size_t mark = gw_at(c, GW_STR("table"));
	if (points->type != GW_NODE_LIST || points->count < 1 || points->count > GW_TABLE_COLUMNS) {
		return gw_refuse(c, points, NULL, "schema", "expected a list of 1 to %d points",
				 GW_TABLE_COLUMNS);
	}
	f->columns = gw_compile_array(c, uint16_t, points->count);
	f->out = gw_compile_array(c, bool, points->count);
	if (!f->columns || !f->out) {
		return -ENOMEM;
	}
	gw_node_for(point, points)
	{
		size_t inner = gw_at_index(c, f->n_columns);
		int r = gw_compile_point_name(c, point, &f->columns[f->n_columns]);
		if (r < 0) {
			return r;
		}
		gw_at_back(c, inner);
		f->out[f->n_columns] = c->plan->points[f->columns[f->n_columns]].n_out > 0;
		f->form.writable |= f->out[f->n_columns];
		f->n_columns++;
	}
	gw_at_back(c, mark);
	return 0;
}

static int compile_cell(struct gw_compiler *c, const struct gw_node *n, uint16_t point,
			struct cell *cell)
{
	cell->any = gw_node_is_text(n, "any");
	cell->list = n->type == GW_NODE_LIST;
	int r = cell->any ? 0 : gw_compile_raws(c, n, &cell->values, &cell->n);
	for (uint16_t i = 0; r == 0 && i < cell->n; i++) {
		r = gw_compile_known(c, point, &cell->values[i]);
	}
	return r;
}

static int compile_row(struct gw_compiler *c, const struct gw_node *n, const struct table_form *f,
		       struct row *row)
{
	bool map = n->type == GW_NODE_MAP;
	const struct gw_node *cells = map ? gw_node_get(n, "cells") : n;
	const struct gw_node *value = map			? gw_node_get(n, "value")
				      : n->type == GW_NODE_LIST ? n->last
								: NULL;
	const struct gw_node *ro = gw_node_get(n, "ro");
	size_t width = f->n_columns + (map ? 0u : 1u);
	if (!cells || cells->type != GW_NODE_LIST || cells->count != width || !value) {
		return gw_refuse(c, n, NULL, "schema", "expected %u cells and a value",
				 f->n_columns);
	}
	struct cell *compiled = gw_compile_array(c, struct cell, f->n_columns);
	int r = compiled ? gw_compile_raw(c, value, &row->value) : -ENOMEM;
	uint16_t i = 0;
	for (const struct gw_node *cell = cells->first; r == 0 && i < f->n_columns;
	     cell = cell->next, i++) {
		r = compile_cell(c, cell, f->columns[i], &compiled[i]);
	}
	if (r < 0) {
		return r;
	}
	row->cells = compiled;
	row->ro = ro && ro->type == GW_NODE_BOOL && ro->flag;
	const char *code = gw_compile_fits(c->cap, &row->value);
	return code ? gw_refuse_unfit(c, value, NULL, code, &row->value) : 0;
}

static int compile_rows(struct gw_compiler *c, const struct gw_node *n, struct table_form *f)
{
	const struct gw_node *rows = gw_node_get(n, "rows"), *otherwise = gw_node_get(n, "else");
	if (!rows || rows->type != GW_NODE_LIST) {
		return gw_refuse(c, rows ? rows : n, rows ? "rows" : NULL, "schema",
				 "a table needs a list of rows");
	}
	c->rows += rows->count;
	if (c->rows > GW_PROFILE_ROWS) {
		return gw_refuse(c, rows, "rows", "size", "more than %d rows in all tables",
				 GW_PROFILE_ROWS);
	}
	f->rows = gw_compile_array(c, struct row, rows->count);
	if (!f->rows) {
		return -ENOMEM;
	}
	size_t mark = gw_at(c, GW_STR("rows"));
	gw_node_for(row, rows)
	{
		size_t inner = gw_at_index(c, f->n_rows);
		int r = compile_row(c, row, f, &f->rows[f->n_rows]);
		if (r < 0) {
			return r;
		}
		gw_at_back(c, inner);
		f->n_rows++;
	}
	gw_at_back(c, mark);
	if (!otherwise) {
		return 0;
	}
	int r = gw_compile_raw(c, otherwise, &f->otherwise);
	const char *code = r < 0 ? NULL : gw_compile_fits(c->cap, &f->otherwise);
	return code ? gw_refuse_unfit(c, otherwise, "else", code, &f->otherwise) : r;
}

static int offer(struct gw_compiler *c, const struct table_form *f)
{
	struct gw_raw *values = gw_compile_array(c, struct gw_raw, f->n_rows);
	size_t n = 0;
	if (!values) {
		return -ENOMEM;
	}
	for (uint16_t i = 0; i < f->n_rows; i++) {
		if (!f->form.writable || !f->rows[i].ro) {
			values[n++] = f->rows[i].value;
		}
	}
	return gw_compile_offer(c, values, n);
}

static int compile_table(struct gw_compiler *c, const struct gw_node *n, struct gw_form **ret_form)
{
	struct table_form *f = gw_compile_array(c, struct table_form, 1);
	if (!f) {
		return -ENOMEM;
	}
	f->form.ops = &gw_form_table;
	int r = columns(c, n, f);
	r = r < 0 ? r : compile_rows(c, n, f);
	*ret_form = &f->form;
	return r < 0 || n != c->cap->node ? r : offer(c, f); /* not inside select */
}

/* --- the law: no row that a write chooses is hidden by an earlier row with another value --- */

static bool cells_meet(const struct cell *a, const struct cell *b)
{
	if (a->any || b->any) {
		return true;
	}
	for (uint16_t i = 0; i < a->n; i++) {
		if (gw_raw_in(&a->values[i], b->values, b->n)) {
			return true;
		}
	}
	return false;
}

static bool rows_meet(const struct table_form *f, const struct row *a, const struct row *b)
{
	for (uint16_t i = 0; i < f->n_columns; i++) {
		if (!cells_meet(&a->cells[i], &b->cells[i])) {
			return false;
		}
	}
	return true;
}

static int prove_table(const struct gw_form *form, struct gw_compiler *c, const struct gw_node *cap)
{
	const struct table_form *f = gw_container(form, const struct table_form, form);
	const struct gw_node *rows = gw_node_get(cap, "rows");
	for (uint16_t i = 0; form->writable && i < f->n_rows; i++) {
		for (uint16_t k = 0; k < i && !f->rows[i].ro; k++) {
			if (gw_raw_equal(&f->rows[k].value, &f->rows[i].value) ||
			    !rows_meet(f, &f->rows[k], &f->rows[i])) {
				continue;
			}
			GW_AUTO(gw_buf_fini) struct gw_buf wanted = GW_BUF_INIT(256);
			GW_AUTO(gw_buf_fini) struct gw_buf read = GW_BUF_INIT(256);
			gw_raw_text_form(&f->rows[i].value, &wanted);
			gw_raw_text_form(&f->rows[k].value, &read);
			(void)gw_at(c, GW_STR("rows"));
			(void)gw_at_index(c, i);
			return gw_refuse(
				c, gw_node_at(rows, i), NULL, "law",
				"set %s → row %u is written → row %u matches first → read %s",
				wanted.p, i, k, read.p);
		}
	}
	return 0;
}

/* --- reading --- */

static bool row_matches(const struct row *row, const struct gw_raw *now, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		const struct cell *cell = &row->cells[i];
		if (!cell->any && !gw_raw_in(&now[i], cell->values, cell->n)) {
			return false;
		}
	}
	return true;
}

static void read_columns(const struct table_form *f, const struct gw_view *v, struct gw_raw *now)
{
	for (uint16_t i = 0; i < f->n_columns; i++) {
		now[i] = gw_view_point(v, f->columns[i]);
	}
}

static void read_table(const struct gw_form *form, const struct gw_view *v, struct gw_reading *r)
{
	const struct table_form *f = gw_container(form, const struct table_form, form);
	struct gw_raw now[GW_TABLE_COLUMNS];
	read_columns(f, v, now);
	r->by = form;
	for (uint16_t i = 0; i < f->n_rows; i++) {
		if (row_matches(&f->rows[i], now, f->n_columns)) {
			r->x = f->rows[i].value;
			r->row = i;
			return;
		}
	}
	r->x = f->otherwise;
}

/* --- writing --- */

static bool fixed_match(const struct table_form *f, const struct row *row, const struct gw_raw *now)
{
	for (uint16_t i = 0; i < f->n_columns; i++) {
		const struct cell *cell = &row->cells[i];
		if (!f->out[i] && !cell->any && !gw_raw_in(&now[i], cell->values, cell->n)) {
			return false;
		}
	}
	return true;
}

static int write_row(const struct table_form *f, const struct row *row, struct gw_writing *w)
{
	for (uint16_t i = 0; i < f->n_columns; i++) {
		const struct cell *cell = &row->cells[i];
		if (!f->out[i] || cell->any || cell->n == 0) {
			continue;
		}
		if (cell->list) {
			const struct gw_raw now = gw_view_point(&w->view, f->columns[i]);
			if (gw_raw_in(&now, cell->values, cell->n)) {
				continue;
			}
		}
		int r = gw_write_assign(w, f->columns[i], &cell->values[0]);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

static int write_table(const struct gw_form *form, struct gw_writing *w)
{
	const struct table_form *f = gw_container(form, const struct table_form, form);
	struct gw_raw now[GW_TABLE_COLUMNS];
	bool candidate = false;
	read_columns(f, &w->view, now);
	for (uint16_t i = 0; i < f->n_rows; i++) {
		const struct row *row = &f->rows[i];
		if (row->ro || !gw_raw_equal(&row->value, &w->view.wanted)) {
			continue;
		}
		candidate = true;
		if (fixed_match(f, row, now)) {
			return write_row(f, row, w);
		}
	}
	return candidate ? gw_write_refuse(w, "mode",
					   "the device does not offer this in its present state")
			 : gw_write_refuse(w, "value", "no row of the table writes this value");
}

/* Cells of this point's columns, one after the other; an `any` cell names nothing. */
static bool names_of_table(const struct gw_form *form, uint16_t point, size_t k,
			   const struct gw_raw **ret_values, size_t *ret_n)
{
	const struct table_form *f = gw_container(form, const struct table_form, form);
	size_t column = k / (f->n_rows ? f->n_rows : 1u);
	if (column >= f->n_columns || f->n_rows == 0) {
		return false;
	}
	const struct cell *cell = &f->rows[k % f->n_rows].cells[column];
	*ret_values = cell->values;
	*ret_n = f->columns[column] == point ? cell->n : 0;
	return true;
}

static void explain_table(const struct gw_form *form, const struct gw_view *v,
			  const struct gw_reading *r, struct gw_buf *b)
{
	const struct table_form *f = gw_container(form, const struct table_form, form);
	gw_buf_puts(b, "by table[");
	for (uint16_t i = 0; i < f->n_columns; i++) {
		gw_buf_printf(b, "%s%s", i ? ", " : "", v->plan->points[f->columns[i]].name);
	}
	if (r->row < 0) {
		gw_buf_puts(b, "], no row [");
	} else {
		gw_buf_printf(b, "] row %d [", r->row);
	}
	for (uint16_t i = 0; i < f->n_columns; i++) {
		const struct gw_raw now = gw_view_point(v, f->columns[i]);
		gw_buf_puts(b, i ? ", " : "");
		gw_raw_text_form(&now, b);
	}
	gw_buf_puts(b, "]");
}

/* Read: every cell of every row; write: the same once more, and the columns. */
static uint64_t cost_table(const struct gw_form *form, const struct gw_costing *c)
{
	const struct table_form *f = gw_container(form, struct table_form, form);
	uint64_t sum = 0;
	for (uint16_t i = 0; i < f->n_columns; i++) {
		sum = gw_cost_add(sum, gw_cost_point(c, f->columns[i]));
	}
	for (uint16_t i = 0; i < f->n_rows; i++) {
		for (uint16_t k = 0; k < f->n_columns; k++) {
			sum = gw_cost_add(sum, 2 * (1U + f->rows[i].cells[k].n));
		}
	}
	return sum;
}

const struct gw_form_ops gw_form_table = {.key = "table",
					  .place = GW_FORM_PROPERTY | GW_FORM_INNER,
					  .compile = compile_table,
					  .read = read_table,
					  .cost = cost_table,
					  .write = write_table,
					  .prove = prove_table,
					  .names = names_of_table,
					  .explain = explain_table};
