/* Life: the numbers that a device only reports move a little, each in the way of its kind. */
#include <errno.h>
#include <math.h>

#include "gw/alloc.h"
#include "profile/twin.h"

enum motion {
	STAY,
	WANDER, /* around its base, at most span away */
	LOAD,	/* the same, and 0 while the component is switched off */
	GROW,	/* counts upwards, not while it is switched off */
};

/* By beginning of the capability id; the first that fits. start: what a device without tests shows. */
struct gw_twin_habit {
	const char *id;
	enum motion motion;
	double span; /* in the capability's unit, added to relative × base */
	double relative;
	double start;
};

static const struct gw_twin_habit habits[] = {
	{"temperature.", WANDER, 0.8, 0, 21.5},
	{"thermostat.current", WANDER, 0.8, 0, 21.5},
	{"humidity.", WANDER, 3, 0, 45},
	{"pressure.", WANDER, 2, 0, 1013},
	{"meter.power_factor", WANDER, 0.02, 0, 0.95},
	{"meter.power", LOAD, 0.5, 0.06, 40},
	{"meter.apparent_power", LOAD, 0.5, 0.06, 42},
	{"meter.current", LOAD, 0, 0.06, 0.18},
	{"meter.voltage", WANDER, 2, 0, 230},
	{"meter.frequency", WANDER, 0.03, 0, 50},
	{"meter.energy", GROW, 0, 0, 12},
	{"meter.water", GROW, 0, 0, 800},
	{"meter.gas", GROW, 0, 0, 300},
	{"device.uptime", GROW, 0, 0, 3600},
	{"link.rssi", WANDER, 4, 0, -60},
	{"illuminance.", WANDER, 5, 0.1, 120},
	{"air.co2", WANDER, 30, 0, 620},
	{"air.", WANDER, 1, 0.1, 8},
	{"solar.", WANDER, 5, 0.08, 500},
	{"wind.", WANDER, 0.5, 0.2, 3},
	{"battery.", STAY, 0, 0, 90},
	{"fault.", STAY, 0, 0, 0},
	{"filter.", STAY, 0, 0, 80},
	{"consumable.", STAY, 0, 0, 80},
	{"operation.", STAY, 0, 0, 0},
	{"firmware.", STAY, 0, 0, 0},
	{"level.", STAY, 0, 0, 0},
	{"", WANDER, 0, 0.02, 0},
};

static const struct gw_twin_habit *habit_of(const char *id)
{
	size_t i = 0;
	while (!gw_str_starts(gw_str(id), habits[i].id)) {
		i++; /* the last one fits all */
	}
	return &habits[i];
}

double gw_twin_chance(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return (double)((*seed * UINT64_C(0x2545F4914F6CDD1D)) >> 11) / 0x1p52 - 1;
}

/* --- capability ↔ raw --- */

/* What the capability reads while its point holds a raw; NAN when that is no number. */
static double read_at(struct gw_twin *t, const struct gw_pl_cap *cap, double raw)
{
	struct gw_slot *slot = &t->b->slots[cap->points[0]];
	struct gw_slot kept = *slot;
	*slot = (struct gw_slot){.raw = gw_raw_number(raw)};
	struct gw_view view = gw_view_reported(t->b);
	struct gw_reading reading = {.x = {.type = GW_RAW_NULL}};
	cap->form->ops->read(cap->form, &view, &reading);
	*slot = kept;
	return reading.x.type == GW_RAW_NUMBER ? reading.x.number : NAN;
}

static double round_to(double v, unsigned decimals)
{
	double scale = pow(10, decimals);
	return round(v * scale) / scale;
}

int gw_twin_solve(struct gw_twin *t, const struct gw_pl_cap *cap, double v, double *ret_raw)
{
	if (cap->n_points != 1 || !cap->form->ops->read) {
		return -EINVAL;
	}
	/* Every form of one number is a straight line in what we play; the check below finds those that are not. */
	double at_1 = read_at(t, cap, 1), at_2 = read_at(t, cap, 2);
	double slope = at_2 - at_1;
	if (!isfinite(slope) || slope == 0) {
		return -EINVAL;
	}
	double raw = round_to(1 + (v - at_1) / slope, 6);
	double res = (double)cap->info.domain.res.n / (double)cap->info.domain.res.d;
	double back = read_at(t, cap, raw);
	if (!isfinite(back) || fabs(back - v) > res) {
		return -EINVAL;
	}
	*ret_raw = raw;
	return 0;
}

/* --- which ones move --- */

static bool can_drift(const struct gw_twin *t, const struct gw_pl_cap *cap)
{
	enum gw_type type = cap->info.domain.type;
	if (cap->info.kind != GW_KIND_PROPERTY || cap->info.writable || cap->n_points != 1 ||
	    (type != GW_TYPE_NUM && type != GW_TYPE_INT)) {
		return false;
	}
	uint16_t point = cap->points[0];
	const struct gw_pl_point *p = &t->plan->points[point];
	return p->n_out == 0 && !p->has_map && point != t->plan->presence_point &&
	       point != t->plan->dedup_point && t->b->slots[point].raw.type == GW_RAW_NUMBER;
}

int gw_twin_drift_new(struct gw_twin *t)
{
	t->drifts = gw_array(struct gw_twin_drift, (size_t)t->plan->n_caps + 1);
	if (!t->drifts) {
		return -ENOMEM;
	}
	for (uint16_t i = 0; i < t->plan->n_caps; i++) {
		const struct gw_pl_cap *cap = &t->plan->caps[i];
		const struct gw_twin_habit *habit = habit_of(cap->info.id);
		double raw;
		if (!can_drift(t, cap)) {
			continue;
		}
		uint16_t point = cap->points[0];
		if (!t->points[point].known && gw_twin_solve(t, cap, habit->start, &raw) == 0) {
			struct gw_raw start = gw_raw_number(raw);
			int r = gw_twin_set_point(t, point, &start);
			if (r < 0) {
				return r;
			}
			t->points[point].decimals = 1;
		}
		double base = read_at(t, cap, t->b->slots[point].raw.number);
		if (habit->motion != STAY && isfinite(base)) {
			t->drifts[t->n_drifts++] = (struct gw_twin_drift){
				.cap = i, .point = point, .habit = habit, .base = base};
		}
	}
	return gw_binding_recompute(t->b);
}

/* --- moving --- */

/* switch.on of the same component; true without one. */
static bool is_on(const struct gw_twin *t, const struct gw_pl_cap *cap)
{
	for (uint16_t i = 0; i < t->plan->n_caps; i++) {
		const struct gw_pl_cap *other = &t->plan->caps[i];
		const struct gw_value *v = &t->b->values[i];
		if (other->component == cap->component &&
		    strcmp(other->info.id, "switch.on") == 0) {
			return v->type != GW_VALUE_BOOL || v->flag;
		}
	}
	return true;
}

static double clamp_to(const struct gw_domain *d, double v)
{
	double min = gw_count_value(d->min, d->res), max = gw_count_value(d->max, d->res);
	v = d->has_min && v < min ? min : v;
	return d->has_max && v > max ? max : v;
}

static void move(struct gw_twin *t, const struct gw_twin_drift *d)
{
	const struct gw_pl_cap *cap = &t->plan->caps[d->cap];
	struct gw_raw *now = &t->b->slots[d->point].raw;
	const unsigned decimals = t->points[d->point].decimals;
	bool on = d->habit->motion == WANDER || is_on(t, cap);
	double raw = now->type == GW_RAW_NUMBER ? now->number : 0;
	if (d->habit->motion == GROW) {
		/* One to three of the last digit that the device shows. */
		raw += on ? round(2 + gw_twin_chance(&t->seed)) * pow(10, -(double)decimals) : 0;
	} else {
		double span = d->habit->span + fabs(d->base) * d->habit->relative;
		double v =
			on ? clamp_to(&cap->info.domain, d->base + span * gw_twin_chance(&t->seed))
			   : 0;
		double seen = read_at(t, cap, raw);
		if (on && isfinite(seen) && seen != 0) {
			v = seen + (v - seen) * 0.4; /* on its way, without jumps */
		}
		if (gw_twin_solve(t, cap, v, &raw) < 0) {
			return;
		}
	}
	struct gw_raw next = gw_raw_number(round_to(raw, decimals));
	if (next.type == GW_RAW_NUMBER &&
	    !gw_raw_in(&next, t->plan->points[d->point].na, t->plan->points[d->point].n_na)) {
		gw_ignore(gw_twin_set_point(t, d->point, &next)); /* a number needs no memory */
	}
}

void gw_twin_drift(struct gw_twin *t)
{
	for (size_t i = 0; i < t->n_drifts; i++) {
		move(t, &t->drifts[i]);
	}
	gw_ignore(gw_binding_recompute(t->b)); /* without memory a list value stays as it was */
}
