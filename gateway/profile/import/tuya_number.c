/* Cases of a numeric dp → a number of the model: units, ranges, and one form or a choice among several. */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "profile/import/tuya.h"
#include "profile/import/tuya_form.h"

#define NEVER -1e9 /* a value that nobody wants */

/* --- words that are numbers --- */

static const struct {
	const char *word;
	double seconds;
} spans[] = {
	{"s", 1},     {"sec", 1},     {"secs", 1},     {"second", 1},  {"seconds", 1},
	{"m", 60},    {"min", 60},    {"mins", 60},    {"minute", 60}, {"minutes", 60},
	{"h", 3600},  {"hr", 3600},   {"hrs", 3600},   {"hour", 3600}, {"hours", 3600},
	{"d", 86400}, {"day", 86400}, {"days", 86400},
};

static const char *const nothing[] = {"cancel",	  "off",     "none",  "no",
				      "disabled", "disable", "close", "never"};

static bool span_of(struct gw_str word, double *ret)
{
	for (size_t i = 0; i < gw_countof(spans); i++) {
		if (gw_str_is(word, spans[i].word)) {
			*ret = spans[i].seconds;
			return true;
		}
	}
	return false;
}

/* "1h30m", "2 hours", "1_5h" (a point is no letter) → seconds */
static bool seconds_of(struct gw_str s, double *ret)
{
	double sum = 0;
	size_t i = 0;
	while (i < s.len) {
		size_t from = i, unit;
		double n = 0, span = 0;
		while (i < s.len && (isdigit((unsigned char)s.p[i]) || s.p[i] == '.')) {
			i++;
		}
		if (i == from || gw_parse_double(gw_str_sub(s, from, i - from), &n) < 0) {
			return false;
		}
		while (i < s.len && (s.p[i] == ' ' || s.p[i] == '_')) {
			i++;
		}
		unit = i;
		while (i < s.len && isalpha((unsigned char)s.p[i])) {
			i++;
		}
		if (!span_of(gw_str_sub(s, unit, i - unit), &span)) {
			return false;
		}
		while (i < s.len && (s.p[i] == ' ' || s.p[i] == '_')) {
			i++;
		}
		sum += n * span;
	}
	*ret = sum;
	return s.len > 0;
}

static const struct {
	const char *word;
	double rank;
} ranks[] = {
	{"very_low", 0}, {"verylow", 0}, {"off", 0}, {"low", 1},       {"normal", 2},
	{"medium", 2},	 {"middle", 2},	 {"mid", 2}, {"medlow", 2},    {"high", 3},
	{"medhigh", 3},	 {"strong", 3},	 {"max", 4}, {"very_high", 4}, {"veryhigh", 4},
	{"maximum", 4},	 {"ultra", 4},	 {"min", 0}, {"minimum", 0},
};

bool gw_tuya_number_word(struct gw_str word, const struct gw_tuya_want *w, double *ret)
{
	char low[64];
	if (gw_parse_double(word, ret) == 0) {
		return true;
	}
	if (!w->cap || word.len == 0 || word.len >= sizeof(low)) {
		return false;
	}
	for (size_t i = 0; i < word.len; i++) {
		low[i] = (char)tolower((unsigned char)word.p[i]);
	}
	struct gw_str s = {low, word.len};
	bool time = strcmp(w->cap->unit, "s") == 0;
	for (size_t i = 0; time && i < gw_countof(nothing); i++) {
		if (gw_str_is(s, nothing[i])) {
			*ret = 0;
			return true;
		}
	}
	if (time) {
		return seconds_of(s, ret);
	}
	for (size_t i = 0; strcmp(w->cap->id, "sensor.sensitivity") == 0 && i < gw_countof(ranks);
	     i++) {
		if (gw_str_is(s, ranks[i].word)) {
			*ret = ranks[i].rank;
			return true;
		}
	}
	return false;
}

/* --- units --- */

/* A unit dp without mapping has the letters themselves. */
bool gw_tuya_unit_rows(struct gw_tuya_dp *by, struct gw_tuya_rows *ret)
{
	static const char *const letters[][2] = {{"C", "c"}, {"F", "f"}};
	struct gw_draft *b = by->entity->t->b;
	if (gw_tuya_rows(by, ret)) {
		return true;
	}
	if (by->mapping || by->type != GW_TUYA_STRING) {
		return false;
	}
	*ret = (struct gw_tuya_rows){.row = gw_arena_alloc(b->a, 2 * sizeof(*ret->row))};
	for (size_t i = 0; ret->row && i < 2; i++) {
		struct gw_node *list = gw_node_new(b->a, GW_NODE_LIST);
		gw_add_text(b, list, gw_str(letters[i][0]));
		gw_add_text(b, list, gw_str(letters[i][1]));
		struct gw_tuya_row *r = &ret->row[ret->n++];
		*r = (struct gw_tuya_row){
			.n = 1, .value = gw_text_node(b, gw_str(letters[i][0])), .ro = true};
		r->cell[0] = (struct gw_tuya_cell){.dp = by, .raw = list};
	}
	return ret->n > 0;
}

/* Cases whose unit another dp tells are told apart by it. */
static void split_by_unit(struct gw_tuya_dp *by, struct gw_tuya_cases *cases)
{
	struct gw_tuya_rows rows;
	if (!gw_tuya_unit_rows(by, &rows)) {
		return;
	}
	size_t n = cases->n;
	for (size_t i = 0; i < n && cases->n < GW_TUYA_CASES; i++) {
		struct gw_tuya_case *c = &cases->item[i];
		const struct gw_tuya_row *match = NULL;
		for (size_t r = 0; r < rows.n && !c->unit; r++) {
			const struct gw_tuya_row *row = &rows.row[r];
			bool fahrenheit = row->value && gw_node_is_text(row->value, "F");
			if (row->n != 1 || row->cell[0].mask || row->cell[0].dp->bits) {
				continue;
			}
			for (size_t k = 0; k < c->n; k++) { /* the case is of one unit already */
				if (strcmp(c->cell[k].dp->id, by->id) == 0) {
					match = gw_node_equal(c->cell[k].raw, row->cell[0].raw)
							? row
							: match;
				}
			}
			if (match == row) {
				c->unit = fahrenheit ? "F" : "C";
			} else if (!match && fahrenheit && c->n < GW_TUYA_CELLS && c->dp) {
				/* before the case itself: the first that holds counts */
				struct gw_tuya_case hot = *c;
				hot.cell[hot.n++] = row->cell[0];
				hot.unit = "F";
				memmove(c + 1, c, (cases->n - i) * sizeof(*c));
				*c = hot;
				cases->n++;
				n++;
				i++;
				break;
			}
		}
	}
}

static bool is_temperature(const char *unit)
{
	return unit && (strcmp(unit, "C") == 0 || strcmp(unit, "F") == 0 ||
			strcmp(unit, "°C") == 0 || strcmp(unit, "°F") == 0);
}

/* The unit of an extension: that of its cases; degrees of both scales become Celsius. */
static const char *common_unit(const struct gw_tuya_cases *cases, const char *given)
{
	const char *unit = given;
	for (size_t i = 0; i < cases->n; i++) {
		const char *u = cases->item[i].unit;
		if (u && !unit) {
			unit = u;
		} else if (u && strcmp(u, unit) != 0) {
			unit = is_temperature(u) && is_temperature(unit) ? "C" : unit;
		}
	}
	return is_temperature(unit) ? "Cel" : unit ? unit : "";
}

static bool into_unit(struct gw_tuya_cases *cases, const struct gw_tuya_want *w, const char *ucum)
{
	for (size_t i = 0; i < cases->n; i++) {
		struct gw_tuya_case *c = &cases->item[i];
		const char *unit = c->unit ? c->unit : w->unit ? w->unit : "";
		struct gw_linear l = GW_LINEAR_NONE;
		bool known = gw_unit_to(gw_str(unit), ucum, &l) || strcmp(unit, ucum) == 0;
		if (!known && w->cap) {
			return false;
		}
		if (w->scale != 0) {
			l = gw_linear_then((struct gw_linear){w->scale, 1, 0}, l);
		}
		c->linear = gw_linear_then(c->linear, l);
		c->constant = gw_linear_apply(l, c->constant);
		c->step = fabs(c->step * l.mul / l.div);
		if (c->low <= c->high) {
			double a = gw_linear_apply(l, c->low), b = gw_linear_apply(l, c->high);
			c->low = fmin(a, b);
			c->high = fmax(a, b);
		}
	}
	return true;
}

/* --- ranges --- */

static double tidy(double v)
{
	return gw_round(v * 1e6) / 1e6;
}

/* [low, high, step] inside the model's; NULL: none, or nothing is left of it. */
static struct gw_node *range_node(struct gw_draft *b, const struct gw_capability *cap, double low,
				  double high, double step, struct gw_resolution res)
{
	if (cap && cap->has_min) {
		low = fmax(low, gw_count_value(cap->min, cap->res));
	}
	if (cap && cap->has_max) {
		high = fmin(high, gw_count_value(cap->max, cap->res));
	}
	double unit = (double)res.n / (double)res.d;
	low = ceil(low / unit - 1e-6) * unit;
	high = floor(high / unit + 1e-6) * unit;
	if (!(low < high)) {
		return NULL;
	}
	struct gw_node *range = gw_node_new(b->a, GW_NODE_LIST);
	gw_add_number(b, range, tidy(low));
	gw_add_number(b, range, tidy(high));
	double steps = step / unit;
	if (step > 0 && fabs(steps - gw_round(steps)) < 1e-6 && gw_round(steps) > 1 &&
	    step <= high - low) {
		gw_add_number(b, range, tidy(step));
	}
	return range;
}

static struct gw_node *case_condition(struct gw_tuya *t, const struct gw_tuya_case *c)
{
	struct gw_node *map = gw_node_new(t->b->a, GW_NODE_MAP);
	for (size_t i = 0; i < c->n; i++) {
		const char *why = NULL,
			   *p = gw_tuya_point(c->cell[i].dp, /* writable= */ false, &why);
		if (c->cell[i].mask || c->cell[i].dp->bits || !p) {
			const char *expr = gw_tuya_cells_expr(t, c->cell, c->n);
			return expr ? gw_text_node(t->b, gw_str(expr)) : NULL;
		}
		gw_set_node(t->b, map, p, gw_copy(t->b, c->cell[i].raw));
	}
	return map;
}

static void add_limits(struct gw_tuya *t, const struct gw_tuya_want *w,
		       const struct gw_tuya_cases *cases, struct gw_node *cap,
		       struct gw_resolution res)
{
	struct gw_node *limits = gw_node_new(t->b->a, GW_NODE_LIST);
	for (size_t i = 0; i < cases->n; i++) {
		const struct gw_tuya_case *c = &cases->item[i];
		struct gw_node *range = range_node(t->b, w->cap, c->low, c->high, c->step, res);
		struct gw_node *cond = c->n > 0 ? case_condition(t, c) : NULL;
		if ((!range && !c->invalid) || (c->n > 0 && !cond)) {
			continue;
		}
		struct gw_node *rule = gw_node_new(t->b->a, GW_NODE_MAP);
		if (cond) {
			gw_set_node(t->b, rule, "if", cond);
		}
		if (c->invalid) {
			gw_set_bool(t->b, rule, "ro", true);
		} else {
			gw_set_node(t->b, rule, "range", range);
		}
		gw_add_node(t->b, limits, rule);
		if (!cond) {
			break; /* what comes behind would never hold */
		}
	}
	if (limits && limits->count > 0) {
		gw_set_node(t->b, cap, "limits", limits);
	}
}

static void set_ranges(struct gw_tuya *t, const struct gw_tuya_want *w,
		       const struct gw_tuya_cases *cases, struct gw_node *cap, bool writable,
		       struct gw_resolution res)
{
	double low = 1, high = 0, step = cases->item[0].step;
	bool any_limits = false;
	for (size_t i = 0; i < cases->n; i++) {
		const struct gw_tuya_case *c = &cases->item[i];
		any_limits |= c->n > 0 && (c->invalid || c->low <= c->high);
		if (c->low <= c->high) {
			low = low <= high ? fmin(low, c->low) : c->low;
			high = fmax(high, c->high);
		}
		step = c->step == step ? step : 0;
	}
	struct gw_node *range =
		low <= high ? range_node(t->b, w->cap, low, high, writable ? step : 0, res) : NULL;
	if (range && (writable || !w->cap)) {
		gw_set_node(t->b, cap, "range", range);
	}
	bool bounded = range || (w->cap && (w->cap->has_min || w->cap->has_max));
	if (writable && any_limits && bounded) {
		add_limits(t, w, cases, cap, res);
	}
}

/* --- forms --- */

static void set_linear(struct gw_draft *b, struct gw_node *n, struct gw_linear l)
{
	if (l.mul != 1) {
		gw_set_number(b, n, "mul", l.mul);
	}
	if (l.div != 1) {
		gw_set_number(b, n, "div", l.div);
	}
	if (l.add != 0) {
		gw_set_number(b, n, "add", l.add);
	}
}

/* A field of a number: its bits by expression. */
static void bits_form(struct gw_draft *b, const struct gw_tuya_case *c, const char *point,
		      bool writable, struct gw_node *form)
{
	const struct gw_tuya_dp *dp = c->dp;
	double weight = ldexp(1, (int)dp->low);
	gw_set_text(b, form, "expr",
		    gw_draft_printf(b, "bits(%s, %u, %u) * (%.12g) / %.12g + (%.12g)", point,
				    dp->low, dp->width, c->linear.mul, c->linear.div,
				    c->linear.add));
	if (writable) {
		gw_set_text(b, gw_set_map(b, form, "set"), point,
			    gw_draft_printf(b,
					    "%s - bits(%s, %u, %u) * %.0f + "
					    "round((v - (%.12g)) * %.12g / (%.12g)) * %.0f",
					    point, point, dp->low, dp->width, weight, c->linear.add,
					    c->linear.div, c->linear.mul, weight));
	}
}

static bool case_form(struct gw_tuya *t, const struct gw_tuya_case *c, bool writable,
		      struct gw_node *form, const char **ret_why)
{
	struct gw_draft *b = t->b;
	if (!c->dp) {
		gw_set_number(b, form, "const", c->constant);
		return true;
	}
	const char *p = gw_tuya_point(c->dp, writable, ret_why);
	if (!p) {
		return false;
	}
	if (c->dp->bits) {
		bits_form(b, c, p, writable, form);
		return true;
	}
	gw_set_text(b, form, "point", p);
	set_linear(b, form, c->linear);
	return true;
}

/* May a raw that the case writes be the one that chooses another case? */
static bool may_write_raw(const struct gw_tuya_case *c, const struct gw_node *raw)
{
	struct gw_linear back = gw_linear_inverse(c->linear);
	double a = gw_linear_apply(back, c->low), b = gw_linear_apply(back, c->high);
	if (raw->type != GW_NODE_NUMBER) {
		return raw->type != GW_NODE_NULL;
	}
	return c->low > c->high ||
	       (raw->number >= fmin(a, b) - 0.5 && raw->number <= fmax(a, b) + 0.5);
}

/* Does the dp's own raw choose the case? Then a written number might fall into another one. */
static bool chooses_itself(const struct gw_tuya_cases *cases)
{
	for (size_t i = 0; i < cases->n; i++) {
		const struct gw_tuya_case *c = &cases->item[i];
		for (size_t k = 0; k < c->n; k++) {
			for (size_t o = 0; o < cases->n; o++) {
				const struct gw_tuya_case *other = &cases->item[o];
				if (other->dp && strcmp(other->dp->id, c->cell[k].dp->id) == 0 &&
				    may_write_raw(other, c->cell[k].raw)) {
					return true;
				}
			}
		}
	}
	return false;
}

/* The smallest step that a raw makes, as far as it can be told in six places. */
static struct gw_resolution resolution_of(const struct gw_tuya_cases *cases)
{
	struct gw_resolution res = {1, 1}, one;
	double least = 1;
	for (size_t i = 0; i < cases->n; i++) {
		const struct gw_linear l = cases->item[i].linear;
		double from = cases->item[i].dp ? l.add : cases->item[i].constant;
		double raw = cases->item[i].dp ? fabs(l.mul / l.div) : 1;
		raw = from * 10 == floor(from * 10) && from != floor(from) ? fmin(raw, 0.1) : raw;
		least = fmin(least, from * 10 == floor(from * 10) ? raw : 0.001);
	}
	if (least < 1) {
		res = (struct gw_resolution){1, 1000};
		double tens = pow(10, floor(log10(least) + 1e-9));
		if (gw_resolution_from(fmax(tidy(tens), 1e-6), &one) == 0) {
			res = one;
		}
	}
	return res;
}

static bool is_numeric(const struct gw_tuya_dp *dp)
{
	return dp->type == GW_TUYA_INTEGER || dp->type == GW_TUYA_BITFIELD ||
	       dp->type == GW_TUYA_TIME ||
	       (dp->mask && (dp->type == GW_TUYA_BASE64 || dp->type == GW_TUYA_HEX));
}

static void heads(struct gw_tuya *t, const struct gw_tuya_want *w, const char *unit,
		  struct gw_resolution res, struct gw_node *cap)
{
	if (w->cap) {
		return;
	}
	if (unit[0]) {
		gw_set_text(t->b, cap, "unit", unit);
	}
	if (w->type == GW_TYPE_NUM) {
		gw_set_number(t->b, cap, "res", (double)res.n / (double)res.d);
	}
}

static bool all_fit(const struct gw_tuya_cases *cases)
{
	for (size_t i = 0; i < cases->n; i++) {
		if (cases->item[i].dp && !is_numeric(cases->item[i].dp)) {
			return false;
		}
	}
	return true;
}

/* A constant that the number's own raw stands for: what is written is another raw. */
static bool by_own_raw(const struct gw_tuya_cases *cases, size_t at)
{
	const struct gw_tuya_case *c = &cases->item[at];
	for (size_t k = 0; !c->dp && k < c->n; k++) {
		for (size_t o = 0; o < cases->n; o++) {
			const struct gw_tuya_dp *dp = cases->item[o].dp;
			if (dp && strcmp(dp->id, c->cell[k].dp->id) == 0) {
				return true;
			}
		}
	}
	return false;
}

static bool all_alike(const struct gw_tuya_cases *cases)
{
	const struct gw_tuya_case *last = &cases->item[cases->n - 1];
	for (size_t i = 0; i + 1 < cases->n; i++) {
		const struct gw_tuya_case *c = &cases->item[i];
		if (c->dp != last->dp || !gw_linear_equal(c->linear, last->linear)) {
			return false;
		}
	}
	return last->n == 0 && last->dp;
}

bool gw_tuya_numeric(struct gw_tuya_dp *dp, const struct gw_tuya_want *w, bool writable,
		     struct gw_node *cap, bool *ret_writable, const char **ret_why)
{
	struct gw_tuya *t = dp->entity->t;
	struct gw_tuya_cases cases;
	if (!gw_tuya_cases(dp, &cases) || !all_fit(&cases)) {
		*ret_why = cases.why;
		return false;
	}
	if (w->unit_of) {
		split_by_unit(w->unit_of, &cases);
	}
	const char *code = gw_unit_code(gw_str(common_unit(&cases, w->unit)));
	const char *unit = w->cap ? w->cap->unit : code ? code : common_unit(&cases, w->unit);
	*ret_why = NULL;
	if (!into_unit(&cases, w, unit)) {
		return false;
	}
	writable = writable && !chooses_itself(&cases) && !cases.mirrored;
	struct gw_resolution res = w->cap ? w->cap->res : resolution_of(&cases);
	heads(t, w, unit, res, cap);
	bool ok = true;
	if (all_alike(&cases)) { /* the state only limits it */
		ok = case_form(t, &cases.item[0], writable, cap, ret_why);
	} else {
		struct gw_node *list = gw_set_list(t->b, cap, "select");
		for (size_t i = 0; ok && i < cases.n; i++) {
			struct gw_node *entry = gw_node_new(t->b->a, GW_NODE_MAP);
			struct gw_node *cond =
				cases.item[i].n ? case_condition(t, &cases.item[i]) : NULL;
			if (cond) {
				gw_set_node(t->b, entry, "if", cond);
			}
			if (writable && by_own_raw(&cases, i)) { /* a write passes it by */
				struct gw_node *never = gw_set_list(t->b, entry, "for");
				gw_add_number(t->b, never, NEVER);
				gw_add_number(t->b, never, NEVER);
			}
			ok = case_form(t, &cases.item[i], writable, entry, ret_why);
			gw_add_node(t->b, list, entry);
		}
	}
	*ret_writable = writable;
	if (ok) {
		set_ranges(t, w, &cases, cap, writable, res);
	}
	return ok;
}

double gw_tuya_full(struct gw_tuya_dp *dp, double fallback)
{
	struct gw_tuya_cases cases;
	double full = 0;
	bool text = dp->type == GW_TUYA_STRING || dp->type == GW_TUYA_BOOLEAN;
	for (size_t i = 0; !text && gw_tuya_cases(dp, &cases) && i < cases.n; i++) {
		if (cases.item[i].low <= cases.item[i].high) {
			full = fmax(full, cases.item[i].high);
		}
	}
	return full > 0 ? full : fallback;
}
