/* One line per capability that a message touches: its value, and by which rule it came from which raws. */
#include "gw/alloc.h"
#include "gw/limits.h"
#include "profile/state.h"

static void add_deps(const struct gw_plan *p, uint16_t msg, uint64_t *points)
{
	for (uint16_t i = 0; i < p->n_msgs; i++) {
		const struct gw_pl_msg *m = &p->msgs[i];
		for (uint16_t k = 0; m->root == msg && k < m->n_points; k++) {
			gw_bit_set(points, m->points[k].point);
		}
	}
}

static bool depends(const struct gw_pl_cap *cap, const uint64_t *points)
{
	for (uint16_t i = 0; i < cap->n_points; i++) {
		if (gw_bit_test(points, cap->points[i])) {
			return true;
		}
	}
	return false;
}

static void explain_cap(const struct gw_view *v, const struct gw_pl_cap *cap, struct gw_buf *b)
{
	struct gw_reading r;
	enum gw_quality quality;
	struct gw_value value = {.type = GW_VALUE_NONE};
	GW_AUTO(gw_buf_fini) struct gw_buf scratch = GW_BUF_INIT(b->cap);
	gw_cap_read(v, cap, &r, &quality);
	gw_buf_printf(b, "%s = ", cap->info.address);
	if (quality == GW_QUALITY_OK && gw_cap_store(cap, &r, &scratch, &value) == 0) {
		gw_value_write_text(b, &value, cap->info.domain.res);
	} else {
		gw_buf_puts(b, gw_quality_name(quality));
	}
	gw_value_fini(&value);
	if (quality != GW_QUALITY_UNAVAILABLE) {
		gw_buf_puts(b, "  ");
		cap->form->ops->explain(cap->form, v, &r, b);
	}
	gw_buf_putc(b, '\n');
}

void gw_plan_explain(const struct gw_plan *p, size_t cap, struct gw_buf *ret_text)
{
	const struct gw_pl_cap *c = cap < p->n_caps ? &p->caps[cap] : NULL;
	if (!c || !c->form) {
		return;
	}
	gw_buf_printf(ret_text, "  by %s", c->form->ops->key);
	for (uint16_t i = 0; i < c->n_points; i++) {
		gw_buf_printf(ret_text, "%s%s", i ? ", " : " ", p->points[c->points[i]].name);
	}
}

void gw_binding_explain(const struct gw_binding *b, size_t msg, struct gw_buf *ret_text)
{
	const struct gw_plan *p = b->plan;
	const struct gw_view v = gw_view_reported(b);
	uint64_t points[GW_PROFILE_POINTS / 64] = {0};
	if (msg >= p->n_msgs) {
		return;
	}
	add_deps(p, (uint16_t)msg, points);
	for (uint16_t i = 0; i < p->n_caps; i++) {
		if (p->caps[i].info.kind == GW_KIND_PROPERTY && depends(&p->caps[i], points)) {
			explain_cap(&v, &p->caps[i], ret_text);
		}
	}
}
