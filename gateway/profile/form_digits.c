/* Values spread over points and points spread over values (profile-language §10): parts and flags. */
#include <errno.h>
#include <math.h>

#include "gw/alloc.h"
#include "gw/json.h"
#include "profile/cost.h"
#include "profile/form.h"

#define GW_FLAG_BITS 53

/* --- parts --- */

struct part {
	uint16_t point;
	double weight;
};

struct parts_form {
	struct gw_form form;
	uint16_t n;
	struct part *parts;  /* as declared */
	uint16_t *by_weight; /* largest first */
	double add;
};

static void sort_parts(struct parts_form *f)
{
	for (uint16_t i = 0; i < f->n; i++) {
		uint16_t k = i;
		for (; k > 0 && f->parts[f->by_weight[k - 1]].weight < f->parts[i].weight; k--) {
			f->by_weight[k] = f->by_weight[k - 1];
		}
		f->by_weight[k] = i;
	}
}

static int compile_parts(struct gw_compiler *c, const struct gw_node *n, struct gw_form **ret_form)
{
	const struct gw_node *parts = gw_node_get(n, "parts"), *add = gw_node_get(n, "add");
	struct parts_form *f = gw_compile_array(c, struct parts_form, 1);
	if (!f) {
		return -ENOMEM;
	}
	size_t mark = gw_at(c, GW_STR("parts"));
	if (parts->type != GW_NODE_MAP || parts->count == 0) {
		return gw_refuse(c, parts, NULL, "schema", "expected {point: weight, …}");
	}
	f->parts = gw_compile_array(c, struct part, parts->count);
	f->by_weight = gw_compile_array(c, uint16_t, parts->count);
	if (!f->parts || !f->by_weight) {
		return -ENOMEM;
	}
	f->form = (struct gw_form){.ops = &gw_form_parts, .writable = true};
	gw_node_for(part, parts)
	{
		size_t inner = gw_at(c, part->key);
		int r = gw_compile_point_name(c, part, &f->parts[f->n].point);
		if (r == 0 && (part->type != GW_NODE_NUMBER || part->number <= 0)) {
			r = gw_refuse(c, part, NULL, "schema", "a weight is a number above 0");
		}
		if (r < 0) {
			return r;
		}
		f->parts[f->n].weight = part->number;
		f->form.writable &= c->plan->points[f->parts[f->n].point].n_out > 0;
		f->n++;
		gw_at_back(c, inner);
	}
	gw_at_back(c, mark);
	if (add && add->type != GW_NODE_NUMBER) {
		return gw_refuse(c, add, "add", "schema", "expected a number");
	}
	f->add = add ? add->number : 0;
	sort_parts(f);
	*ret_form = &f->form;
	return 0;
}

static int prove_parts(const struct gw_form *form, struct gw_compiler *c, const struct gw_node *cap)
{
	const struct parts_form *f = gw_container(form, const struct parts_form, form);
	for (uint16_t i = 0; form->writable && i + 1 < f->n; i++) {
		double large = f->parts[f->by_weight[i]].weight,
		       small = f->parts[f->by_weight[i + 1]].weight;
		double ratio = large / small;
		if (ratio < 2 - 1e-6 || fabs(ratio - gw_round(ratio)) > 1e-6) {
			return gw_refuse(
				c, gw_node_get(cap, "parts"), "parts", "law",
				"weight %g is no whole multiple (2 or more) of weight %g, so values do not split",
				large, small);
		}
	}
	return 0;
}

static void read_parts(const struct gw_form *form, const struct gw_view *v, struct gw_reading *r)
{
	const struct parts_form *f = gw_container(form, const struct parts_form, form);
	double sum = f->add;
	r->by = form;
	for (uint16_t i = 0; i < f->n; i++) {
		struct gw_raw x = gw_view_point(v, f->parts[i].point);
		if (x.type != GW_RAW_NUMBER && x.type != GW_RAW_BOOL) {
			return;
		}
		sum += (x.type == GW_RAW_BOOL ? (double)x.flag : x.number) * f->parts[i].weight;
	}
	r->x = gw_raw_number(sum);
}

static int write_parts(const struct gw_form *form, struct gw_writing *w)
{
	const struct parts_form *f = gw_container(form, const struct parts_form, form);
	double smallest = f->parts[f->by_weight[f->n - 1]].weight;
	if (w->view.wanted.type != GW_RAW_NUMBER) {
		return gw_write_refuse(w, "type", "expected a number");
	}
	const double t = gw_round((w->view.wanted.number - f->add) / smallest);
	if (t < 0) {
		return gw_write_refuse(w, "range", "below the smallest value of the parts, %g",
				       f->add);
	}
	for (uint16_t i = 0; i < f->n; i++) { /* assigned as declared */
		double rest = t, digit = 0;
		for (uint16_t k = 0; k < f->n; k++) {
			double unit = gw_round(f->parts[f->by_weight[k]].weight / smallest);
			digit = floor(rest / unit);
			if (f->by_weight[k] == i) {
				break;
			}
			rest -= digit * unit;
		}
		const struct gw_raw v = gw_raw_number(digit);
		int r = gw_write_assign(w, f->parts[i].point, &v);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

static void explain_parts(const struct gw_form *form, const struct gw_view *v,
			  const struct gw_reading *r, struct gw_buf *b)
{
	const struct parts_form *f = gw_container(form, const struct parts_form, form);
	(void)r;
	gw_buf_puts(b, "by parts ");
	for (uint16_t i = 0; i < f->n; i++) {
		const struct gw_raw now = gw_view_point(v, f->parts[i].point);
		gw_buf_printf(b, "%s%s = ", i ? ", " : "", v->plan->points[f->parts[i].point].name);
		gw_raw_text_form(&now, b);
	}
}

static uint64_t cost_parts(const struct gw_form *form, const struct gw_costing *c)
{
	const struct parts_form *f = gw_container(form, struct parts_form, form);
	uint64_t sum = 0;
	for (uint16_t i = 0; i < f->n; i++) {
		sum = gw_cost_add(sum, 2 * gw_cost_point(c, f->parts[i].point));
	}
	return sum;
}

const struct gw_form_ops gw_form_parts = {.key = "parts",
					  .place = GW_FORM_PROPERTY | GW_FORM_INNER,
					  .compile = compile_parts,
					  .read = read_parts,
					  .cost = cost_parts,
					  .write = write_parts,
					  .prove = prove_parts,
					  .explain = explain_parts};

/* --- flags --- */

struct flags_form {
	struct gw_form form;
	uint16_t point;
	uint64_t mask;
	struct gw_text *symbols[GW_FLAG_BITS]; /* NULL: unknown bit */
};

static int compile_bits(struct gw_compiler *c, const struct gw_node *flags, struct flags_form *f)
{
	size_t mark = gw_at(c, GW_STR("flags"));
	if (flags->type != GW_NODE_MAP || flags->count == 0) {
		return gw_refuse(c, flags, NULL, "schema", "expected {bit: symbol, …}");
	}
	gw_node_for(flag, flags)
	{
		size_t inner = gw_at(c, flag->key);
		uint64_t bit;
		if (gw_parse_u64(flag->key, &bit) < 0 || bit >= GW_FLAG_BITS ||
		    flag->type != GW_NODE_TEXT) {
			return gw_refuse(c, flag, NULL, "schema",
					 "expected a bit from 0 to 52 and its symbol");
		}
		f->symbols[bit] = gw_compile_text(c, flag->text);
		if (!f->symbols[bit]) {
			return -ENOMEM;
		}
		f->mask |= (uint64_t)1 << bit;
		gw_at_back(c, inner);
	}
	gw_at_back(c, mark);
	return 0;
}

static int compile_flags(struct gw_compiler *c, const struct gw_node *n, struct gw_form **ret_form)
{
	struct flags_form *f = gw_compile_array(c, struct flags_form, 1);
	const struct gw_node *point = gw_node_get(n, "point"), *rw = gw_node_get(n, "rw");
	if (!f) {
		return -ENOMEM;
	}
	if (!point) {
		return gw_refuse(c, n, NULL, "form", "flags need the point whose bits they are");
	}
	if (c->cap->info.domain.type != GW_TYPE_LIST) {
		return gw_refuse(c, gw_node_get(n, "flags"), "flags", "type",
				 "flags give a list; %s is %s", c->cap->info.id,
				 gw_type_name(c->cap->info.domain.type));
	}
	size_t mark = gw_at(c, GW_STR("point"));
	int r = gw_compile_point_name(c, point, &f->point);
	if (r < 0) {
		return r;
	}
	gw_at_back(c, mark);
	r = compile_bits(c, gw_node_get(n, "flags"), f);
	bool writable = rw && rw->type == GW_NODE_BOOL && rw->flag;
	if (r == 0 && writable && c->plan->points[f->point].n_out == 0) {
		r = gw_refuse(c, rw, "rw", "inverse", "point \"%s\" has no out",
			      c->plan->points[f->point].name);
	}
	f->form = (struct gw_form){.ops = &gw_form_flags, .writable = writable};
	*ret_form = &f->form;
	return r;
}

static bool whole_bits(const struct gw_raw *x)
{
	return x->type == GW_RAW_NUMBER && x->number >= 0 && x->number == floor(x->number);
}

static void read_flags(const struct gw_form *form, const struct gw_view *v, struct gw_reading *r)
{
	const struct flags_form *f = gw_container(form, const struct flags_form, form);
	const struct gw_raw x = gw_view_point(v, f->point);
	r->by = form;
	if (whole_bits(&x)) {
		r->x = gw_raw_number((double)((uint64_t)x.number & f->mask));
	}
}

static void list_flags(const struct gw_form *form, double bits, struct gw_buf *b)
{
	const struct flags_form *f = gw_container(form, const struct flags_form, form);
	bool first = true;
	gw_buf_putc(b, '[');
	for (uint64_t left = (uint64_t)bits; left; left &= left - 1) {
		if (!first) {
			gw_buf_putc(b, ',');
		}
		gw_json_write_text(b, gw_text_str(f->symbols[__builtin_ctzll(left)]));
		first = false;
	}
	gw_buf_putc(b, ']');
}

static bool bit_of(const struct flags_form *f, const struct gw_node *symbol, uint64_t *ret_bit)
{
	for (unsigned i = 0; symbol->type == GW_NODE_TEXT && i < GW_FLAG_BITS; i++) {
		if (f->symbols[i] && gw_str_eq(symbol->text, gw_text_str(f->symbols[i]))) {
			*ret_bit = (uint64_t)1 << i;
			return true;
		}
	}
	return false;
}

static int write_flags(const struct gw_form *form, struct gw_writing *w)
{
	const struct flags_form *f = gw_container(form, const struct flags_form, form);
	uint64_t bits = 0, bit;
	if (w->view.wanted.type != GW_RAW_TREE) {
		return gw_write_refuse(w, "type", "expected a list of symbols");
	}
	gw_node_for(symbol, w->view.wanted.tree)
	{
		if (!bit_of(f, symbol, &bit)) {
			return gw_write_refuse(w, "value", "a symbol of the list names no bit");
		}
		bits |= bit;
	}
	const struct gw_raw now = gw_view_point(&w->view, f->point);
	if (!whole_bits(&now)) {
		return gw_write_unknown(w, f->point);
	}
	const struct gw_raw v = gw_raw_number((double)(((uint64_t)now.number & ~f->mask) | bits));
	return gw_write_assign(w, f->point, &v);
}

static void explain_flags(const struct gw_form *form, const struct gw_view *v,
			  const struct gw_reading *r, struct gw_buf *b)
{
	const struct flags_form *f = gw_container(form, const struct flags_form, form);
	const struct gw_raw now = gw_view_point(v, f->point);
	(void)r;
	gw_buf_printf(b, "by flags of %s = ", v->plan->points[f->point].name);
	gw_raw_text_form(&now, b);
}

static uint64_t cost_flags(const struct gw_form *form, const struct gw_costing *c)
{
	const struct flags_form *f = gw_container(form, struct flags_form, form);
	return gw_cost_add(2 * GW_FLAG_BITS, gw_cost_point(c, f->point));
}

const struct gw_form_ops gw_form_flags = {.key = "flags",
					  .place = GW_FORM_PROPERTY | GW_FORM_INNER,
					  .compile = compile_flags,
					  .read = read_flags,
					  .cost = cost_flags,
					  .write = write_flags,
					  .list = list_flags,
					  .explain = explain_flags};
