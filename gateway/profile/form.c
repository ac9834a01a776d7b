/* The forms of profile-language §10: which one stands under a capability, and the small ones. */
#include "profile/form.h"
#include "profile/cost.h"

#include <errno.h>
#include <math.h>

#include "gw/alloc.h"
#include "gw/json.h"

static const struct gw_form_ops
	*const
		forms
			[] =
				{
					&gw_form_flags,	 &gw_form_toggle,
					&gw_form_action, /* these have a companion: point, expr, send */
					&gw_form_point,	 &gw_form_table,
					&gw_form_select, &gw_form_parts,
					&gw_form_expr,	 &gw_form_const,
					&gw_form_event,	 &gw_form_send,
};

static const struct gw_form_ops *form_named(struct gw_str key)
{
	for (size_t i = 0; i < gw_countof(forms); i++) {
		if (gw_str_is(key, forms[i]->key)) {
			return forms[i];
		}
	}
	return NULL;
}

static bool is_companion(const struct gw_form_ops *form, const struct gw_form_ops *other)
{
	return (form == &gw_form_flags && other == &gw_form_point) ||
	       (form == &gw_form_toggle && (other == &gw_form_point || other == &gw_form_expr)) ||
	       (form == &gw_form_action && other == &gw_form_send);
}

int gw_compile_form(struct gw_compiler *c, const struct gw_node *n, unsigned place,
		    struct gw_form **ret_form)
{
	const struct gw_form_ops *form = NULL;
	const struct gw_node *first = NULL;
	for (size_t i = 0; i < gw_countof(forms) && !form; i++) {
		form = gw_node_get(n, forms[i]->key) ? forms[i] : NULL;
	}
	if (!form) {
		return gw_refuse(c, n, NULL, "form",
				 "expected one form: point, table, select, expr, …");
	}
	size_t count = 0;
	gw_node_for(member, n)
	{
		const struct gw_form_ops *other = form_named(member->key);
		if (other && !(other != form && is_companion(form, other))) {
			first = first ? first : member;
			count++;
		}
	}
	if (count > 1) {
		return gw_refuse(c, first, first->key.p, "form",
				 "two forms; a capability has exactly one");
	}
	if (!(form->place & place)) {
		if (place == GW_FORM_INNER) {
			return gw_refuse(c, n, form->key, "schema", "%s cannot stand inside select",
					 form->key);
		}
		return gw_refuse(c, n, NULL, "form", "%s is no form for this kind of capability",
				 form->key);
	}
	return form->compile(c, n, ret_form);
}

int gw_compile_offer(struct gw_compiler *c, const struct gw_raw *values, size_t n)
{
	struct gw_domain *d = &c->cap->info.domain;
	const char **symbols = gw_compile_array(c, const char *, n);
	uint16_t count = 0;
	if (!symbols) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		bool seen = values[i].type != GW_RAW_TEXT;
		for (uint16_t k = 0; k < count && !seen; k++) {
			seen = symbols[k] == values[i].text->s; /* of one pool */
		}
		if (!seen) {
			symbols[count++] = values[i].text->s;
		}
	}
	if (d->type == GW_TYPE_ENUM) {
		d->symbols = symbols;
		d->n_symbols = count;
	}
	return 0;
}

/* --- point --- */

struct point_form {
	struct gw_form form;
	uint16_t point;
	bool linear;
	double mul, div, add;
};

static int check_map(struct gw_compiler *c, const struct point_form *f)
{
	const struct gw_pl_point *p = &c->plan->points[f->point];
	for (uint16_t i = 0; i < p->n_map && !f->linear; i++) {
		const char *code = gw_compile_fits(c->cap, &p->map[i].value);
		if (code) {
			c->at[0] = 0;
			(void)gw_at(c, GW_STR("points"));
			(void)gw_at(c, gw_str(p->name));
			(void)gw_at(c, GW_STR("map"));
			return gw_refuse_unfit(
				c, gw_node_get(gw_node_get(p->node, "map"), p->map[i].key->s),
				p->map[i].key->s, code, &p->map[i].value);
		}
	}
	return 0;
}

/* Can be chosen: what the map writes. With `else: keep` everything else can be written too. */
static int offer_map(struct gw_compiler *c, const struct gw_pl_point *p)
{
	struct gw_raw *values = gw_compile_array(c, struct gw_raw, p->n_map);
	if (!values) {
		return -ENOMEM;
	}
	for (uint16_t i = 0; i < p->n_map; i++) {
		values[i] = p->map[i].value;
	}
	return gw_compile_offer(c, values, p->n_map);
}

static int compile_point(struct gw_compiler *c, const struct gw_node *n, struct gw_form **ret_form)
{
	struct point_form *f = gw_compile_array(c, struct point_form, 1);
	if (!f) {
		return -ENOMEM;
	}
	size_t mark = gw_at(c, GW_STR("point"));
	int r = gw_compile_point_name(c, gw_node_get(n, "point"), &f->point);
	if (r < 0) {
		return r;
	}
	gw_at_back(c, mark);
	r = gw_compile_linear(c, n, &f->mul, &f->div, &f->add, &f->linear);
	r = r < 0 ? r : check_map(c, f);
	const struct gw_pl_point *p = &c->plan->points[f->point];
	if (r == 0 && n == c->cap->node && p->has_map && p->map_else != GW_ELSE_KEEP && p->n_out) {
		r = offer_map(c, p);
	}
	f->form = (struct gw_form){.ops = &gw_form_point,
				   .writable = c->plan->points[f->point].n_out > 0};
	*ret_form = &f->form;
	return r;
}

static void read_point(const struct gw_form *form, const struct gw_view *v, struct gw_reading *r)
{
	const struct point_form *f = gw_container(form, const struct point_form, form);
	r->by = form;
	r->x = gw_view_point(v, f->point);
	if (f->linear && r->x.type == GW_RAW_NUMBER) {
		r->x = gw_raw_number(r->x.number * f->mul / f->div + f->add);
	}
}

static int write_point(const struct gw_form *form, struct gw_writing *w)
{
	const struct point_form *f = gw_container(form, const struct point_form, form);
	struct gw_raw v = w->view.wanted;
	if (f->linear && v.type == GW_RAW_NUMBER) {
		v = gw_raw_number((v.number - f->add) * f->div / f->mul);
	}
	return gw_write_assign(w, f->point, &v);
}

static void explain_raw(const struct gw_view *v, uint16_t point, struct gw_buf *b)
{
	gw_raw_text_form(&v->slots[point].raw, b);
}

static void explain_point(const struct gw_form *form, const struct gw_view *v,
			  const struct gw_reading *r, struct gw_buf *b)
{
	const struct point_form *f = gw_container(form, const struct point_form, form);
	(void)r;
	gw_buf_printf(b, "by %s = ", v->plan->points[f->point].name);
	explain_raw(v, f->point, b);
}

static uint64_t cost_point(const struct gw_form *form, const struct gw_costing *c)
{
	return gw_cost_point(c, gw_container(form, struct point_form, form)->point);
}

const struct gw_form_ops gw_form_point = {.key = "point",
					  .place = GW_FORM_PROPERTY | GW_FORM_INNER,
					  .compile = compile_point,
					  .read = read_point,
					  .cost = cost_point,
					  .write = write_point,
					  .explain = explain_point};

/* --- expr --- */

struct expr_form {
	struct gw_form form;
	struct gw_expr *expr;
	struct gw_raw constant; /* when expr is NULL */
	uint16_t n_sets;
	struct gw_set *sets;
};

static int compile_expr_value(struct gw_compiler *c, const struct gw_node *n, struct expr_form *f)
{
	if (n->type == GW_NODE_TEXT) {
		return gw_compile_expr(c, n, &f->expr);
	}
	if (n->type == GW_NODE_NUMBER || n->type == GW_NODE_BOOL) {
		return gw_compile_raw(c, n, &f->constant);
	}
	return gw_refuse(c, n, NULL, "schema", "expected an expression");
}

static int compile_expr(struct gw_compiler *c, const struct gw_node *n, struct gw_form **ret_form)
{
	struct expr_form *f = gw_compile_array(c, struct expr_form, 1);
	const struct gw_node *set = gw_node_get(n, "set");
	if (!f) {
		return -ENOMEM;
	}
	size_t mark = gw_at(c, GW_STR("expr"));
	int r = compile_expr_value(c, gw_node_get(n, "expr"), f);
	if (r < 0) {
		return r;
	}
	gw_at_back(c, mark);
	if (set) {
		mark = gw_at(c, GW_STR("set"));
		c->wanted = true;
		r = gw_compile_sets(c, set, &f->sets, &f->n_sets);
		c->wanted = false;
		if (r < 0) {
			return r;
		}
		gw_at_back(c, mark);
	}
	f->form = (struct gw_form){.ops = &gw_form_expr, .writable = f->n_sets > 0};
	*ret_form = &f->form;
	return 0;
}

static void read_expr(const struct gw_form *form, const struct gw_view *v, struct gw_reading *r)
{
	const struct expr_form *f = gw_container(form, const struct expr_form, form);
	r->by = form;
	r->x = f->expr ? gw_view_expr(v, f->expr) : f->constant;
}

static int write_expr(const struct gw_form *form, struct gw_writing *w)
{
	const struct expr_form *f = gw_container(form, const struct expr_form, form);
	return gw_write_sets(w, f->sets, f->n_sets);
}

static void explain_expr(const struct gw_form *form, const struct gw_view *v,
			 const struct gw_reading *r, struct gw_buf *b)
{
	const struct expr_form *f = gw_container(form, const struct expr_form, form);
	enum gw_name_kind kind;
	uint16_t index;
	bool first = true;
	(void)r;
	gw_buf_puts(b, "by expr");
	for (size_t i = 0; f->expr && gw_expr_name(f->expr, i, &kind, &index); i++) {
		if (kind == GW_NAME_POINT) {
			gw_buf_printf(b, "%s%s = ", first ? " with " : ", ",
				      v->plan->points[index].name);
			explain_raw(v, index, b);
			first = false;
		}
	}
}

static uint64_t cost_expr(const struct gw_form *form, const struct gw_costing *c)
{
	const struct expr_form *f = gw_container(form, struct expr_form, form);
	return gw_cost_add(gw_cost_expr(c, f->expr), gw_cost_sets(c, f->sets, f->n_sets));
}

const struct gw_form_ops gw_form_expr = {.key = "expr",
					 .place = GW_FORM_PROPERTY | GW_FORM_INNER,
					 .sampled = true,
					 .compile = compile_expr,
					 .read = read_expr,
					 .cost = cost_expr,
					 .write = write_expr,
					 .explain = explain_expr};

/* --- const --- */

struct const_form {
	struct gw_form form;
	struct gw_raw value;
};

static int compile_const(struct gw_compiler *c, const struct gw_node *n, struct gw_form **ret_form)
{
	struct const_form *f = gw_compile_array(c, struct const_form, 1);
	const struct gw_node *value = gw_node_get(n, "const");
	int r = f ? gw_compile_raw(c, value, &f->value) : -ENOMEM;
	if (r < 0) {
		return r;
	}
	const char *code = gw_compile_fits(c->cap, &f->value);
	if (code) {
		return gw_refuse_unfit(c, value, "const", code, &f->value);
	}
	f->form = (struct gw_form){.ops = &gw_form_const};
	*ret_form = &f->form;
	return 0;
}

static void read_const(const struct gw_form *form, const struct gw_view *v, struct gw_reading *r)
{
	(void)v;
	r->by = form;
	r->x = gw_container(form, const struct const_form, form)->value;
}

static void explain_const(const struct gw_form *form, const struct gw_view *v,
			  const struct gw_reading *r, struct gw_buf *b)
{
	(void)form;
	(void)v;
	(void)r;
	gw_buf_puts(b, "by const");
}

const struct gw_form_ops gw_form_const = {.key = "const",
					  .place = GW_FORM_PROPERTY | GW_FORM_INNER,
					  .compile = compile_const,
					  .read = read_const,
					  .explain = explain_const};

/* --- event --- */

static int compile_event(struct gw_compiler *c, const struct gw_node *n, struct gw_form **ret_form)
{
	struct gw_event_form *f = gw_compile_array(c, struct gw_event_form, 1);
	const struct gw_node *event = gw_node_get(n, "event");
	const struct gw_node *point = gw_node_get(event, "point"),
			     *only = gw_node_get(event, "only"), *on = gw_node_get(event, "on");
	if (!f) {
		return -ENOMEM;
	}
	size_t mark = gw_at(c, GW_STR("event"));
	if (!point) {
		return gw_refuse(c, event, NULL, "schema",
				 "an event needs the point that carries it");
	}
	size_t inner = gw_at(c, GW_STR("point"));
	int r = gw_compile_point_name(c, point, &f->point);
	if (r < 0) {
		return r;
	}
	gw_at_back(c, inner);
	r = only ? gw_compile_raws(c, only, &f->only, &f->n_only) : 0;
	for (uint16_t i = 0; r == 0 && i < f->n_only; i++) {
		const char *code = gw_compile_fits(c->cap, &f->only[i]);
		r = code ? gw_refuse(c, only, "only", code, "no datum of %s", c->cap->info.id)
			 : gw_compile_known(c, f->point, &f->only[i]);
	}
	f->on_change = gw_node_is_text(on, "change");
	if (r == 0 && on && !f->on_change && !gw_node_is_text(on, "arrival")) {
		r = gw_refuse(c, on, "on", "schema", "expected arrival or change");
	}
	if (r == 0) {
		gw_at_back(c, mark);
	}
	f->form = (struct gw_form){.ops = &gw_form_event};
	*ret_form = &f->form;
	return r;
}

static void read_event(const struct gw_form *form, const struct gw_view *v, struct gw_reading *r)
{
	r->by = form;
	r->x = gw_view_point(v, gw_container(form, const struct gw_event_form, form)->point);
}

static uint64_t cost_event(const struct gw_form *form, const struct gw_costing *c)
{
	const struct gw_event_form *f = gw_container(form, struct gw_event_form, form);
	return gw_cost_add(gw_cost_point(c, f->point), f->n_only);
}

const struct gw_form_ops gw_form_event = {.key = "event",
					  .place = GW_FORM_EVENT,
					  .compile = compile_event,
					  .read = read_event,
					  .cost = cost_event};
