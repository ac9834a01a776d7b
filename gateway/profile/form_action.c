/* Forms that send fixed messages (profile-language §10): toggle, send, action. */
#include <errno.h>

#include "gw/alloc.h"
#include "gw/limits.h"
#include "profile/cost.h"
#include "profile/form.h"

/* --- toggle --- */

static int fixed_message(struct gw_compiler *c, const struct gw_node *n, uint16_t *ret_msg)
{
	int r = gw_compile_msg_name(c, n, ret_msg);
	if (r == 0 && !c->plan->msgs[*ret_msg].sendable) {
		return gw_refuse(c, n, NULL, "access", "message \"%s\" cannot be sent",
				 c->plan->msgs[*ret_msg].info.name);
	}
	return r;
}

static int compile_toggle(struct gw_compiler *c, const struct gw_node *n, struct gw_form **ret_form)
{
	struct gw_toggle_form *f = gw_compile_array(c, struct gw_toggle_form, 1);
	const struct gw_node *msg = gw_node_get(n, "toggle");
	if (!f) {
		return -ENOMEM;
	}
	const struct gw_form_ops *inner = gw_node_get(n, "expr") ? &gw_form_expr : &gw_form_point;
	if (!gw_node_get(n, inner->key)) {
		return gw_refuse(c, n, NULL, "form",
				 "toggle needs point or expr, to know the present value");
	}
	if (c->cap->info.domain.type != GW_TYPE_BOOL) {
		return gw_refuse(c, msg, "toggle", "type", "only a boolean can be toggled");
	}
	size_t mark = gw_at(c, GW_STR("toggle"));
	int r = fixed_message(c, msg, &f->msg);
	if (r < 0) {
		return r;
	}
	gw_at_back(c, mark);
	r = inner->compile(c, n, &f->inner);
	if (r < 0) {
		return r;
	}
	f->points = gw_compile_array(c, uint16_t, c->plan->n_points);
	if (!f->points) {
		return -ENOMEM;
	}
	for (uint16_t i = 0; i < c->plan->n_points; i++) {
		if (gw_bit_test(c->reads, i)) {
			f->points[f->n_points++] = i;
		}
	}
	if (!c->plan->toggles) {
		c->plan->toggles =
			gw_compile_array(c, const struct gw_toggle_form *, c->plan->n_caps);
	}
	if (!c->plan->toggles) {
		return -ENOMEM;
	}
	f->toggle = c->plan->n_toggles++;
	c->plan->toggles[f->toggle] = f;
	f->form = (struct gw_form){.ops = &gw_form_toggle, .writable = true};
	*ret_form = &f->form;
	return 0;
}

static void read_toggle(const struct gw_form *form, const struct gw_view *v, struct gw_reading *r)
{
	const struct gw_toggle_form *f = gw_container(form, const struct gw_toggle_form, form);
	f->inner->ops->read(f->inner, v, r);
}

static int write_toggle(const struct gw_form *form, struct gw_writing *w)
{
	const struct gw_toggle_form *f = gw_container(form, const struct gw_toggle_form, form);
	struct gw_reading r = {.x = {.type = GW_RAW_NULL}};
	read_toggle(form, &w->view, &r);
	int wished = w->b->wished[f->toggle];
	if (wished >= 0) {
		r.x = (struct gw_raw){.type = GW_RAW_BOOL, .flag = wished > 0};
	}
	if (r.x.type != GW_RAW_BOOL) {
		for (uint16_t i = 0; i < f->n_points; i++) {
			const struct gw_raw now = gw_view_point(&w->view, f->points[i]);
			if (now.type == GW_RAW_NULL) {
				return gw_write_unknown(w, f->points[i]);
			}
		}
		return gw_write_refuse(w, "value", "the present state is not known");
	}
	if (r.x.flag == w->view.wanted.flag) {
		return 0;
	}
	w->toggled[w->n_toggled++] =
		(uint16_t)((unsigned)f->toggle << 1 | (w->view.wanted.flag ? 1u : 0u));
	return gw_write_fixed(w, f->msg);
}

static void explain_toggle(const struct gw_form *form, const struct gw_view *v,
			   const struct gw_reading *r, struct gw_buf *b)
{
	const struct gw_toggle_form *f = gw_container(form, const struct gw_toggle_form, form);
	f->inner->ops->explain(f->inner, v, r, b);
}

static uint64_t cost_toggle(const struct gw_form *form, const struct gw_costing *c)
{
	const struct gw_form *inner = gw_container(form, struct gw_toggle_form, form)->inner;
	return gw_cost_add(1, inner->ops->cost(inner, c));
}

const struct gw_form_ops gw_form_toggle = {.key = "toggle",
					   .place = GW_FORM_PROPERTY,
					   .compile = compile_toggle,
					   .read = read_toggle,
					   .cost = cost_toggle,
					   .write = write_toggle,
					   .explain = explain_toggle};

/* --- send, action --- */

static int compile_sends(struct gw_compiler *c, const struct gw_node *n, struct gw_action_form *f)
{
	const struct gw_node *send = gw_node_get(n, "send");
	if (!send) {
		return 0;
	}
	bool many = send->type == GW_NODE_LIST;
	f->sends = gw_compile_array(c, uint16_t, many ? send->count : 1);
	if (!f->sends) {
		return -ENOMEM;
	}
	if (many && send->count > GW_PROFILE_MSGS) {
		return gw_refuse(c, send, "send", "size", "more than %d messages", GW_PROFILE_MSGS);
	}
	size_t mark = gw_at(c, GW_STR("send"));
	if (!many) {
		int r = fixed_message(c, send, &f->sends[f->n_sends++]);
		if (r < 0) {
			return r;
		}
	}
	for (const struct gw_node *item = many ? send->first : NULL; item; item = item->next) {
		size_t inner = gw_at_index(c, f->n_sends);
		int r = fixed_message(c, item, &f->sends[f->n_sends++]);
		if (r < 0) {
			return r;
		}
		gw_at_back(c, inner);
	}
	gw_at_back(c, mark);
	return 0;
}

static int compile_action(struct gw_compiler *c, const struct gw_node *n, struct gw_form **ret_form)
{
	struct gw_action_form *f = gw_compile_array(c, struct gw_action_form, 1);
	const struct gw_node *action = gw_node_get(n, "action");
	int r = f ? compile_sends(c, n, f) : -ENOMEM;
	if (r == 0 && action) {
		size_t mark = gw_at(c, GW_STR("action"));
		r = gw_compile_sets(c, action, &f->sets, &f->n_sets);
		if (r == 0) {
			gw_at_back(c, mark);
		}
	}
	if (r == 0) {
		f->form.ops = action ? &gw_form_action : &gw_form_send;
		*ret_form = &f->form;
	}
	return r;
}

static int write_action(const struct gw_form *form, struct gw_writing *w)
{
	const struct gw_action_form *f = gw_container(form, const struct gw_action_form, form);
	for (uint16_t i = 0; i < f->n_sends; i++) {
		int r = gw_write_fixed(w, f->sends[i]);
		if (r < 0) {
			return r;
		}
	}
	return gw_write_sets(w, f->sets, f->n_sets);
}

static uint64_t cost_action(const struct gw_form *form, const struct gw_costing *c)
{
	const struct gw_action_form *f = gw_container(form, struct gw_action_form, form);
	return gw_cost_add(f->n_sends, gw_cost_sets(c, f->sets, f->n_sets));
}

const struct gw_form_ops gw_form_send = {.key = "send",
					 .place = GW_FORM_ACTION,
					 .compile = compile_action,
					 .write = write_action,
					 .cost = cost_action};
const struct gw_form_ops gw_form_action = {.key = "action",
					   .place = GW_FORM_ACTION,
					   .compile = compile_action,
					   .write = write_action,
					   .cost = cost_action};
