/* Confirmation of a write (profile-language §5): done when the device itself has reported every assigned point. */
#include <errno.h>

#include "gw/alloc.h"
#include "profile/state.h"

struct gw_expect {
	int16_t by; /* message that confirms, −1: any */
	uint16_t n;
	struct awaited {
		struct gw_slot value; /* point value, not raw: what it means counts */
		uint16_t point;
		bool carried;
	} awaited[];
};

void gw_expect_free(struct gw_expect *e)
{
	if (!e) {
		return;
	}
	for (uint16_t i = 0; i < e->n; i++) {
		gw_slot_fini(&e->awaited[i].value);
	}
	gw_free(e);
}

int gw_expect_new(const struct gw_writing *w, struct gw_expect **ret_expect)
{
	const struct gw_plan *p = w->plan;
	size_t n = 0;
	for (uint16_t i = 0; i < p->n_points; i++) {
		n += gw_bit_test(w->assigned, i) && p->points[i].n_in > 0;
	}
	if (n == 0) {
		return 0;
	}
	struct gw_expect *e = gw_alloc0(1, sizeof(*e) + n * sizeof(e->awaited[0]));
	if (!e) {
		return -ENOMEM;
	}
	e->by = w->confirm_by;
	for (uint16_t i = 0; i < p->n_points; i++) {
		if (!gw_bit_test(w->assigned, i) || p->points[i].n_in == 0) {
			continue;
		}
		const struct gw_raw value = gw_view_point(&w->view, i);
		e->awaited[e->n].point = i;
		int r = gw_slot_set(&e->awaited[e->n++].value, &value);
		if (r < 0) {
			gw_expect_free(e);
			return r;
		}
	}
	*ret_expect = e;
	return 0;
}

bool gw_expect_met(struct gw_expect *e, const struct gw_binding *b, size_t msg_received)
{
	const struct gw_view v = gw_view_reported(b);
	bool met = true;
	if (msg_received >= b->plan->n_msgs || (e->by >= 0 && (size_t)e->by != msg_received)) {
		return false;
	}
	for (uint16_t i = 0; i < e->n; i++) {
		struct awaited *a = &e->awaited[i];
		a->carried |= gw_bit_test(b->touched, a->point);
		const struct gw_raw now = gw_view_point(&v, a->point);
		met &= a->carried && gw_raw_equal(&now, &a->value.raw);
	}
	return met;
}

static bool carries(const struct gw_plan *p, uint16_t msg, uint16_t point)
{
	const struct gw_pl_point *awaited = &p->points[point];
	for (uint16_t i = 0; i < awaited->n_in; i++) {
		if (p->msgs[awaited->in[i].msg].root == msg) {
			return true;
		}
	}
	return false;
}

size_t gw_expect_asks(const struct gw_expect *e, const struct gw_binding *b, uint16_t *ret_msgs,
		      size_t n)
{
	const struct gw_plan *p = b->plan;
	size_t found = 0;
	for (uint16_t m = 0; m < p->n_msgs && found < n; m++) {
		const struct gw_pl_msg *msg = &p->msgs[m];
		if (!msg->info.asks || (msg->n_outs > 0 && !msg->info.get)) {
			continue; /* a command is no question */
		}
		uint16_t answer = msg->info.get ? m : msg->reply;
		bool wanted = false;
		for (uint16_t i = 0; i < e->n; i++) {
			wanted |= carries(p, answer, e->awaited[i].point);
		}
		if (wanted) {
			ret_msgs[found++] = m;
		}
	}
	return found;
}
