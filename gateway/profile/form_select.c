/* select (profile-language §10): one of several forms, by condition; writing may choose by the wanted value (`for`). */
#include <errno.h>

#include "gw/alloc.h"
#include "profile/cost.h"
#include "profile/form.h"

struct entry {
	const struct gw_cond *cond; /* NULL: always */
	bool bounded;
	double low, high;
	struct gw_form *form;
	uint16_t n_sets;
	struct gw_set *sets;
};

struct select_form {
	struct gw_form form;
	uint16_t n;
	struct entry *entries;
};

static int compile_for(struct gw_compiler *c, const struct gw_node *n, struct entry *e)
{
	const struct gw_node *low = gw_node_at(n, 0), *high = gw_node_at(n, 1);
	if (n->type != GW_NODE_LIST || n->count != 2 || low->type != GW_NODE_NUMBER ||
	    high->type != GW_NODE_NUMBER || low->number > high->number) {
		return gw_refuse(c, n, "for", "range", "expected [lowest, highest]");
	}
	e->bounded = true;
	e->low = low->number;
	e->high = high->number;
	return 0;
}

static int compile_entry(struct gw_compiler *c, const struct gw_node *n, struct entry *e)
{
	const struct gw_node *cond = gw_node_get(n, "if"), *bounds = gw_node_get(n, "for"),
			     *set = gw_node_get(n, "set");
	int r = 0;
	if (cond) {
		size_t mark = gw_at(c, GW_STR("if"));
		r = gw_compile_cond(c, cond, &e->cond);
		if (r < 0) {
			return r;
		}
		gw_at_back(c, mark);
	}
	r = bounds ? compile_for(c, bounds, e) : 0;
	r = r < 0 ? r : gw_compile_form(c, n, GW_FORM_INNER, &e->form);
	if (r == 0 && set &&
	    e->form->ops != &gw_form_expr) { /* with expr, set is the write rule itself */
		size_t mark = gw_at(c, GW_STR("set"));
		c->wanted = true;
		r = gw_compile_sets(c, set, &e->sets, &e->n_sets);
		c->wanted = false;
		if (r == 0) {
			gw_at_back(c, mark);
		}
	}
	return r;
}

static int compile_select(struct gw_compiler *c, const struct gw_node *n, struct gw_form **ret_form)
{
	const struct gw_node *entries = gw_node_get(n, "select");
	struct select_form *f = gw_compile_array(c, struct select_form, 1);
	if (!f) {
		return -ENOMEM;
	}
	size_t mark = gw_at(c, GW_STR("select"));
	if (entries->type != GW_NODE_LIST || entries->count == 0) {
		return gw_refuse(c, entries, NULL, "schema", "expected a list of entries");
	}
	f->entries = gw_compile_array(c, struct entry, entries->count);
	if (!f->entries) {
		return -ENOMEM;
	}
	f->form.ops = &gw_form_select;
	gw_node_for(entry, entries)
	{
		size_t inner = gw_at_index(c, f->n);
		if (entry->type != GW_NODE_MAP) {
			return gw_refuse(c, entry, NULL, "schema",
					 "expected {if, for, <form>, set}");
		}
		int r = compile_entry(c, entry, &f->entries[f->n]);
		if (r < 0) {
			return r;
		}
		f->form.writable |= f->entries[f->n].form->writable;
		f->n++;
		gw_at_back(c, inner);
	}
	gw_at_back(c, mark);
	*ret_form = &f->form;
	return 0;
}

static int prove_select(const struct gw_form *form, struct gw_compiler *c,
			const struct gw_node *cap)
{
	const struct select_form *f = gw_container(form, const struct select_form, form);
	const struct gw_node *entries = gw_node_get(cap, "select");
	(void)gw_at(c, GW_STR("select"));
	for (uint16_t i = 0; i < f->n; i++) {
		const struct gw_form *inner = f->entries[i].form;
		size_t mark = gw_at_index(c, i);
		int r = inner->ops->prove ? inner->ops->prove(inner, c, gw_node_at(entries, i)) : 0;
		if (r < 0) {
			return r;
		}
		gw_at_back(c, mark);
	}
	return 0;
}

static void read_select(const struct gw_form *form, const struct gw_view *v, struct gw_reading *r)
{
	const struct select_form *f = gw_container(form, const struct select_form, form);
	for (uint16_t i = 0; i < f->n; i++) {
		if (gw_cond_holds(f->entries[i].cond, v)) {
			f->entries[i].form->ops->read(f->entries[i].form, v, r);
			r->entry = i;
			return;
		}
	}
}

static bool takes(const struct entry *e, const struct gw_view *v)
{
	if (!e->bounded) {
		return gw_cond_holds(e->cond, v);
	}
	return v->wanted.type == GW_RAW_NUMBER && v->wanted.number >= e->low &&
	       v->wanted.number <= e->high;
}

static int write_select(const struct gw_form *form, struct gw_writing *w)
{
	const struct select_form *f = gw_container(form, const struct select_form, form);
	for (uint16_t i = 0; i < f->n; i++) {
		const struct entry *e = &f->entries[i];
		if (!takes(e, &w->view)) {
			continue;
		}
		if (!e->form->writable) {
			return gw_write_refuse(w, "mode",
					       "cannot be set in the device's present state");
		}
		int r = e->form->ops->write(e->form, w);
		return r < 0 ? r : gw_write_sets(w, e->sets, e->n_sets);
	}
	return gw_write_refuse(w, "mode", "the device does not offer this in its present state");
}

/* Each entry counts as one set for its condition's terms, then those of its form. */
static bool names_of_select(const struct gw_form *form, uint16_t point, size_t k,
			    const struct gw_raw **ret_values, size_t *ret_n)
{
	const struct select_form *f = gw_container(form, const struct select_form, form);
	for (uint16_t i = 0; i < f->n; i++) {
		const struct entry *e = &f->entries[i];
		size_t terms = e->cond ? e->cond->n_terms : 0;
		if (k < terms) {
			const struct gw_cond_term *t = &e->cond->terms[k];
			*ret_values = t->values;
			*ret_n = t->kind == GW_NAME_POINT && t->index == point ? t->n_values : 0;
			return true;
		}
		k -= terms;
		size_t inner = 0;
		while (e->form->ops->names &&
		       e->form->ops->names(e->form, point, inner, ret_values, ret_n)) {
			if (inner++ == k) {
				return true;
			}
		}
		k -= inner;
	}
	return false;
}

static void explain_select(const struct gw_form *form, const struct gw_view *v,
			   const struct gw_reading *r, struct gw_buf *b)
{
	(void)form;
	if (r->entry < 0) {
		gw_buf_puts(b, "by select, no entry holds");
		return;
	}
	gw_buf_printf(b, "by select[%d] ", r->entry);
	r->by->ops->explain(r->by, v, r, b);
}

static uint64_t cost_select(const struct gw_form *form, const struct gw_costing *c)
{
	const struct select_form *f = gw_container(form, struct select_form, form);
	uint64_t sum = 0;
	for (uint16_t i = 0; i < f->n; i++) {
		const struct entry *e = &f->entries[i];
		sum = gw_cost_add(sum, gw_cost_cond(c, e->cond));
		sum = gw_cost_add(sum, e->form->ops->cost ? e->form->ops->cost(e->form, c) : 1);
		sum = gw_cost_add(sum, gw_cost_sets(c, e->sets, e->n_sets));
	}
	return sum;
}

const struct gw_form_ops gw_form_select = {.key = "select",
					   .place = GW_FORM_PROPERTY,
					   .sampled = true,
					   .compile = compile_select,
					   .read = read_select,
					   .cost = cost_select,
					   .write = write_select,
					   .prove = prove_select,
					   .names = names_of_select,
					   .explain = explain_select};
