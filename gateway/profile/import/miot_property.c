/* MIoT: one property → capabilities. */
#include <math.h>
#include <stdio.h>

#include "profile/import/miot.h"
#include "profile/import/vocabulary.h"

/* The words of a value-list, with the numbers that stand for them. */
struct choice {
	const char *word[GW_MIOT_WORDS], *symbol[GW_MIOT_WORDS];
	double raw[GW_MIOT_WORDS];
	size_t n;
};

struct range {
	double min, max, step;
	bool there;
};

static void read_choice(struct gw_miot *m, const struct gw_node *property, struct choice *c)
{
	c->n = 0;
	gw_node_for(item, gw_node_get(property, "value-list"))
	{
		const struct gw_node *value = gw_node_get(item, "value");
		const char *text = gw_node_text(item, "description");
		if (!value || value->type != GW_NODE_NUMBER || c->n == GW_MIOT_WORDS) {
			continue;
		}
		bool again = false;
		for (size_t i = 0; i < c->n; i++) {
			again |= c->raw[i] == value->number;
		}
		if (again) { /* what is read is the first one */
			continue;
		}
		const char *word = gw_miot_word(m, text ? text : "");
		word = word[0] ? word : gw_draft_printf(m->b, "n%.15g", value->number);
		for (size_t i = 0; i < c->n; i++) {
			if (strcmp(c->word[i], word) == 0) {
				word = gw_draft_printf(m->b, "%s_%.15g", word, value->number);
			}
		}
		c->word[c->n] = word;
		c->symbol[c->n] = NULL;
		c->raw[c->n++] = value->number;
	}
}

static struct range read_range(const struct gw_node *property)
{
	const struct gw_node *list = gw_node_get(property, "value-range");
	double v[3] = {0, 0, 0};
	size_t n = 0;
	gw_node_for(item, list)
	{
		if (n < 3 && item->type == GW_NODE_NUMBER) {
			v[n++] = item->number;
		}
	}
	return (struct range){v[0], v[1], n == 3 && v[2] > 0 ? v[2] : 0, n >= 2 && v[0] < v[1]};
}

static const char *format_of(const struct gw_node *property)
{
	const char *format = gw_node_text(property, "format");
	return format ? format : "";
}

static bool is_number(const struct gw_node *property)
{
	const char *f = format_of(property);
	return strncmp(f, "int", 3) == 0 || strncmp(f, "uint", 4) == 0 ||
	       strncmp(f, "float", 5) == 0;
}

static bool is_whole(const struct gw_node *property)
{
	struct range r = read_range(property);
	bool fraction = r.there && r.step > 0 && r.step != floor(r.step);
	return strncmp(format_of(property), "float", 5) != 0 && !fraction;
}

/* The sign of its unit; "" for none. */
static struct gw_str unit_of(const struct gw_node *property)
{
	static const struct {
		const char *word, *unit;
	} units[] = {{"none", ""}, {"days", "d"}, {"litre", "L"}, {"rgb", ""}, {"kWh", "kWh"}};
	const char *text = gw_node_text(property, "unit");
	for (size_t i = 0; text && i < gw_countof(units); i++) {
		if (strcmp(units[i].word, text) == 0) {
			return gw_str(units[i].unit);
		}
	}
	return text ? gw_unit_word(gw_str(text)) : GW_STR("");
}

/* --- points --- */

/* The point of a property, made once; out: another property that takes what is written. */
static struct gw_node *point_of(struct gw_miot *m, const struct gw_miot_service *s,
				const struct gw_node *property, const struct gw_node *out,
				const char **ret_name)
{
	unsigned piid = gw_miot_iid(property);
	const char *hint = gw_draft_printf(m->b, "p%u_%u", s->siid, piid);
	struct gw_node *p = gw_node_get(m->b->points, hint);
	bool reads = gw_miot_access(property, "read") || gw_miot_access(property, "notify");
	if (p) {
		*ret_name = p->key.p;
		return p;
	}
	p = gw_draft_point(m->b, hint, ret_name);
	if (p && reads) {
		gw_draft_ref(m->b, p, "in", "state",
			     gw_draft_printf(m->b, "/%u.%u", s->siid, piid));
	}
	const struct gw_node *to = out ? out : property;
	if (p && gw_miot_access(to, "write")) {
		gw_draft_ref(m->b, p, "out", "state",
			     gw_draft_printf(m->b, "/%u.%u", s->siid, gw_miot_iid(to)));
		if (is_number(to) && !is_whole(to)) {
			gw_set_bool(m->b, p, "frac", true);
		}
	}
	return p;
}

/* --- extensions --- */

bool gw_miot_describe(struct gw_miot *m, const struct gw_node *property, struct gw_node *map,
		      bool numbers)
{
	struct choice c;
	struct range r = read_range(property);
	read_choice(m, property, &c);
	if (strcmp(format_of(property), "bool") == 0) {
		gw_set_text(m->b, map, "type", "bool");
	} else if (c.n > 0 && !numbers) {
		gw_set_text(m->b, map, "type", "enum");
		struct gw_node *list = gw_set_list(m->b, map, "enum");
		for (size_t i = 0; i < c.n; i++) {
			gw_add_text(m->b, list, gw_str(c.word[i]));
		}
	} else if (is_number(property)) {
		gw_set_text(m->b, map, "type", is_whole(property) ? "int" : "num");
		for (size_t i = 0; i < c.n; i++) {
			r.min = i == 0 ? c.raw[0] : fmin(r.min, c.raw[i]);
			r.max = i == 0 ? c.raw[0] : fmax(r.max, c.raw[i]);
			r.there = r.min < r.max;
			r.step = 0;
		}
		if (r.there) {
			struct gw_node *range = gw_set_list(m->b, map, "range");
			gw_add_number(m->b, range, r.min);
			gw_add_number(m->b, range, r.max);
		}
	} else if (strcmp(format_of(property), "string") == 0) {
		gw_set_text(m->b, map, "type", "str");
	} else {
		return false;
	}
	return true;
}

static struct gw_node *choice_rows(struct gw_miot *m, struct gw_node *cap, const char *point,
				   const struct choice *c, const char *const *values)
{
	gw_add_text(m->b, gw_set_list(m->b, cap, "table"), gw_str(point));
	struct gw_node *rows = gw_set_list(m->b, cap, "rows");
	for (size_t i = 0; i < c->n; i++) {
		if (values[i]) {
			struct gw_node *row = gw_node_new(m->b->a, GW_NODE_LIST);
			gw_add_number(m->b, row, c->raw[i]);
			gw_add_text(m->b, row, gw_str(values[i]));
			gw_add_node(m->b, rows, row);
		}
	}
	return rows;
}

static void set_enum(struct gw_miot *m, struct gw_node *cap, const char *const *values, size_t n)
{
	struct gw_node *list = gw_set_list(m->b, cap, "enum");
	for (size_t i = 0; i < n; i++) {
		bool again = !values[i];
		for (size_t k = 0; k < i && !again; k++) {
			again = values[k] && strcmp(values[k], values[i]) == 0;
		}
		if (!again) {
			gw_add_text(m->b, list, gw_str(values[i]));
		}
	}
}

static void extension(struct gw_miot *m, const struct gw_miot_service *s, const char *at,
		      const char *name, const struct gw_node *property)
{
	const char *point = NULL;
	struct choice c;
	const char *hint = gw_miot_word(m, name);
	bool own = strcmp(s->name, m->device) == 0 || s->component || strstr(name, s->name);
	hint = own ? hint : gw_draft_printf(m->b, "%s_%s", gw_miot_word(m, s->name), hint);
	const char *id = gw_draft_extension(m->b, s->component, hint);
	struct gw_node *cap = point_of(m, s, property, NULL, &point)
				      ? gw_draft_cap(m->b, s->component, id)
				      : NULL;
	if (!cap || !gw_miot_describe(m, property, cap, /* numbers= */ false)) {
		if (cap) {
			(void)gw_node_remove(
				s->component
					? gw_node_get(gw_node_get(m->b->components, s->component),
						      "caps")
					: m->b->caps,
				gw_str(id));
		}
		gw_import_fate(m->b->result, at, GW_FATE_UNMAPPED, NULL,
			       cap ? "a property of an unknown format"
				   : "more than a profile can have");
		return;
	}
	read_choice(m, property, &c);
	bool words = gw_node_is_text(gw_node_get(cap, "type"), "enum");
	if (words) {
		(void)choice_rows(m, cap, point, &c, c.word); /* failures are sticky */
	} else {
		gw_set_text(m->b, cap, "point", point);
	}
	const char *unit = gw_unit_code(unit_of(property));
	if (unit && is_number(property) && !words) {
		gw_set_text(m->b, cap, "unit", unit);
	}
	if (gw_node_is_text(gw_node_get(cap, "type"), "num")) {
		gw_set_number(m->b, cap, "res", 0.001);
	}
	const char *label = gw_node_text(property, "description");
	if (label && label[0]) {
		gw_set_text(m->b, cap, "name", label);
	}
	gw_import_fate(m->b->result, at, GW_FATE_VENDOR, id, NULL);
}

/* --- capabilities of the model --- */

struct target {
	const struct gw_capability *cap;
	const struct gw_miot_row *row;
	const char *component, *at;
};

static bool add_bool(struct gw_miot *m, const struct gw_miot_service *s, const struct target *t,
		     const struct gw_node *property)
{
	const char *point = NULL, *map = t->row->map;
	bool is_enum = t->cap->type == GW_TYPE_ENUM;
	if (strcmp(format_of(property), "bool") != 0 || is_enum != (map && map[0] != '!') ||
	    (!is_enum && t->cap->type != GW_TYPE_BOOL) || !point_of(m, s, property, NULL, &point)) {
		return false;
	}
	struct gw_node *cap = gw_draft_cap(m->b, t->component, t->cap->id);
	if (!cap) {
		return false;
	}
	if (!map) {
		gw_set_text(m->b, cap, "point", point);
		return true;
	}
	gw_add_text(m->b, gw_set_list(m->b, cap, "table"), gw_str(point));
	struct gw_node *rows = gw_set_list(m->b, cap, "rows");
	struct gw_str rest = gw_str(map), word;
	const char *symbols[2] = {NULL, NULL};
	for (size_t i = 0; i < 2; i++) {
		struct gw_node *row = gw_node_new(m->b->a, GW_NODE_LIST);
		gw_add_node(m->b, row, gw_bool_node(m->b, i == 0));
		if (is_enum) {
			(void)gw_str_split(&rest, '|', &word); /* the tables have two */
			symbols[i] = gw_draft_printf(m->b, GW_STR_FMT, GW_STR_ARG(word));
			gw_add_text(m->b, row, word);
		} else {
			gw_add_node(m->b, row, gw_bool_node(m->b, i != 0));
		}
		gw_add_node(m->b, rows, row);
	}
	if (is_enum) {
		set_enum(m, cap, symbols, 2);
	}
	return true;
}

/* on and mode of one service are the mode of a thermostat. */
static void two_columns(struct gw_miot *m, struct gw_node *cap, const char *on, const char *mode,
			const struct choice *c)
{
	struct gw_node *table = gw_set_list(m->b, cap, "table");
	gw_add_text(m->b, table, gw_str(on));
	if (mode) {
		gw_add_text(m->b, table, gw_str(mode));
	}
	struct gw_node *rows = gw_set_list(m->b, cap, "rows");
	struct gw_node *row = gw_node_new(m->b->a, GW_NODE_LIST);
	gw_add_node(m->b, row, gw_bool_node(m->b, false));
	if (mode) {
		gw_add_text(m->b, row, GW_STR("any"));
	}
	gw_add_text(m->b, row, GW_STR("off"));
	gw_add_node(m->b, rows, row);
	for (size_t i = 0; i < c->n; i++) {
		if (c->symbol[i]) {
			row = gw_node_new(m->b->a, GW_NODE_LIST);
			gw_add_node(m->b, row, gw_bool_node(m->b, true));
			if (mode) {
				gw_add_number(m->b, row, c->raw[i]);
			}
			gw_add_text(m->b, row, gw_str(c->symbol[i]));
			gw_add_node(m->b, rows, row);
		}
	}
}

/* *ret_exact: each word has a symbol of its own, so that nothing is lost by them. */
static bool add_enum(struct gw_miot *m, const struct gw_miot_service *s, const struct target *t,
		     const struct gw_node *property, bool *ret_exact)
{
	struct choice c;
	const char *point = NULL, *on = NULL;
	const char *symbols[GW_MIOT_WORDS + 1];
	read_choice(m, property, &c);
	if (t->cap->type != GW_TYPE_ENUM || c.n == 0) {
		return false;
	}
	if (t->cap->profile_named) {
		memcpy(c.symbol, c.word, sizeof(c.symbol));
	} else {
		gw_miot_symbols(t->cap, c.word, c.n, c.symbol);
	}
	size_t known = 0;
	*ret_exact = true;
	for (size_t i = 0; i < c.n; i++) {
		known += c.symbol[i] != NULL;
		*ret_exact &= c.symbol[i] != NULL;
		for (size_t k = 0; k < i && c.symbol[i]; k++) {
			*ret_exact &= !c.symbol[k] || strcmp(c.symbol[k], c.symbol[i]) != 0;
		}
	}
	if (known == 0 || !point_of(m, s, property, NULL, &point)) {
		return false;
	}
	const struct gw_node *power =
		strcmp(t->cap->id, "thermostat.mode") == 0 ? gw_miot_find(m, s, "on") : NULL;
	bool both =
		power && strcmp(format_of(power), "bool") == 0 && point_of(m, s, power, NULL, &on);
	struct gw_node *cap = gw_draft_cap(m->b, t->component, t->cap->id);
	if (!cap) {
		return false;
	}
	if (both) {
		two_columns(m, cap, on, point, &c);
	} else {
		(void)choice_rows(m, cap, point, &c, c.symbol); /* failures are sticky */
	}
	symbols[0] = both ? "off" : NULL;
	memcpy(symbols + 1, c.symbol, c.n * sizeof(*symbols));
	set_enum(m, cap, symbols, c.n + 1);
	return true;
}

static double nearest(double v, struct gw_resolution res)
{
	int64_t count;
	return gw_quantise(v, res, &count) == 0 ? gw_count_value(count, res) : v;
}

static void set_range(struct gw_miot *m, struct gw_node *cap, const struct gw_capability *model,
		      struct gw_linear l, struct range r)
{
	double low = gw_linear_apply(l, r.min), high = gw_linear_apply(l, r.max),
	       res = gw_count_value(1, model->res);
	double least = model->has_min ? gw_count_value(model->min, model->res) : -INFINITY,
	       most = model->has_max ? gw_count_value(model->max, model->res) : INFINITY;
	bool clipped = low < least;
	low = nearest(fmax(low, least), model->res);
	high = nearest(fmin(high, most), model->res);
	if (low >= high) {
		return;
	}
	struct gw_node *range = gw_set_list(m->b, cap, "range");
	gw_add_number(m->b, range, low);
	gw_add_number(m->b, range, high);
	if (r.step > 0 && !clipped && gw_linear_is_none(l) && r.step > res) {
		gw_add_number(m->b, range, r.step);
	}
}

static bool add_number(struct gw_miot *m, const struct gw_miot_service *s, const struct target *t,
		       const struct gw_node *property, const struct gw_node *out)
{
	bool numeric = t->cap->type == GW_TYPE_NUM || t->cap->type == GW_TYPE_INT;
	struct gw_linear l = GW_LINEAR_NONE;
	struct gw_str unit = unit_of(property);
	struct range r = read_range(property);
	const char *point = NULL;
	if (!numeric || !is_number(property) || gw_node_get(property, "value-list") ||
	    !gw_unit_to(unit, t->cap->unit, &l)) {
		return false;
	}
	/* A share of a range without a unit. */
	if (unit.len == 0 && strcmp(t->cap->unit, "%") == 0 && r.there && r.min >= 0 &&
	    r.max != 100) {
		l = (struct gw_linear){100, r.max, 0};
	}
	struct gw_node *p = point_of(m, s, property, out, &point);
	struct gw_node *cap = p ? gw_draft_point_cap(m->b, t->component, t->cap->id, point) : NULL;
	if (!cap) {
		return false;
	}
	if (l.mul != 1 || l.div != 1) {
		gw_set_number(m->b, cap, "mul", l.mul);
		gw_set_number(m->b, cap, "div", l.div);
	}
	if (l.add != 0) {
		gw_set_number(m->b, cap, "add", l.add);
	}
	if (r.there && gw_node_get(p, "out")) {
		set_range(m, cap, t->cap, l, r);
	}
	return true;
}

static bool add_text(struct gw_miot *m, const struct gw_miot_service *s, const struct target *t,
		     const struct gw_node *property)
{
	const char *point = NULL;
	return t->cap->type == GW_TYPE_STR && strcmp(format_of(property), "string") == 0 &&
	       point_of(m, s, property, NULL, &point) &&
	       gw_draft_point_cap(m->b, t->component, t->cap->id, point);
}

/* A level without words is a number of steps. */
static const struct gw_capability *model_of(const struct gw_miot_row *row,
					    const struct gw_node *property)
{
	const char *id = row->cap;
	if (strcmp(id, "fan.mode") == 0 && !gw_node_get(property, "value-list") &&
	    is_number(property)) {
		id = strcmp(format_of(property), "bool") != 0 && gw_str_is(unit_of(property), "%")
			     ? "fan.percent"
			     : "fan.speed";
	}
	return gw_draft_is_extension(id) ? NULL : gw_capability_find(gw_str(id));
}

/* motor-control: words that are commands. */
static bool add_moves(struct gw_miot *m, const struct gw_miot_service *s, const char *at,
		      const struct gw_node *property)
{
	static const struct {
		const char *word, *cap;
	} moves[] = {{"open", "covering.open"},	  {"up", "covering.open"},
		     {"close", "covering.close"}, {"down", "covering.close"},
		     {"stop", "covering.stop"},	  {"pause", "covering.stop"}};
	struct choice c;
	const char *point = NULL;
	size_t made = 0;
	read_choice(m, property, &c);
	if (c.n == 0 || !point_of(m, s, property, NULL, &point)) {
		return false;
	}
	for (size_t i = 0; i < c.n; i++) {
		for (size_t k = 0; k < gw_countof(moves); k++) {
			struct gw_node *cap =
				strcmp(moves[k].word, c.word[i]) == 0
					? gw_draft_cap(m->b, s->component, moves[k].cap)
					: NULL;
			if (cap) {
				gw_set_text(m->b, gw_set_map(m->b, cap, "action"), point,
					    gw_draft_printf(m->b, "%.15g", c.raw[i]));
				made++;
			}
		}
	}
	if (made > 0) {
		gw_miot_told(m, at, s->component, "covering.open");
	}
	return made > 0;
}

/* A heater that is only switched is a thermostat with two modes, too. */
static void add_heat(struct gw_miot *m, const struct gw_miot_service *s, const char *on)
{
	const struct choice heat = {.symbol = {"heat"}, .n = 1};
	static const char *const symbols[] = {"off", "heat"};
	bool heater = strcmp(s->name, "heater") == 0 || strcmp(s->name, "thermostat") == 0 ||
		      strcmp(s->name, "water-heater") == 0;
	const struct gw_node *mode = gw_miot_find(m, s, "mode");
	if (!heater || (mode && strcmp(s->name, "thermostat") == 0)) {
		return;
	}
	struct gw_node *cap = gw_draft_cap(m->b, s->component, "thermostat.mode");
	if (cap) {
		two_columns(m, cap, on, NULL, &heat);
		set_enum(m, cap, symbols, 2);
	}
}

static bool add_standard(struct gw_miot *m, const struct gw_miot_service *s,
			 const struct gw_miot_row *row, const char *at,
			 const struct gw_node *property, bool *ret_exact)
{
	const struct gw_node *out = NULL;
	bool is_free;
	struct target t = {.cap = model_of(row, property), .row = row, .at = at};
	if (!t.cap) {
		return false;
	}
	t.component = gw_miot_place(m, s, t.cap->id, &is_free);
	bool position = strcmp(t.cap->id, "covering.position") == 0;
	if (position && gw_miot_find(m, s, "current-position")) {
		out = gw_miot_find(m, s, "target-position");
		if (out == property) { /* written by the other one */
			gw_miot_told(m, at, s->component, t.cap->id);
			return true;
		}
	}
	if (!is_free || !(add_bool(m, s, &t, property) || add_enum(m, s, &t, property, ret_exact) ||
			  add_number(m, s, &t, property, out) || add_text(m, s, &t, property))) {
		return false;
	}
	gw_miot_told(m, at, t.component, t.cap->id);
	if (strcmp(t.cap->id, "switch.on") == 0) {
		const char *point = NULL;
		if (point_of(m, s, property, NULL, &point)) {
			add_heat(m, s, point);
		}
	}
	return true;
}

void gw_miot_add_property(struct gw_miot *m, const struct gw_miot_service *s,
			  const struct gw_node *property)
{
	const char *name = gw_miot_name(m, property, "property");
	unsigned piid = gw_miot_iid(property);
	if (!name || !piid) {
		return;
	}
	const char *at = gw_miot_at(m, s, "properties", piid, name);
	if (gw_miot_property(s, piid) != property) {
		gw_import_fate(m->b->result, at, GW_FATE_UNMAPPED, NULL, GW_MIOT_TWICE);
		return;
	}
	const struct gw_miot_row *row = gw_miot_property_row(s->name, name);
	bool reads = gw_miot_access(property, "read"), tells = gw_miot_access(property, "notify"),
	     writes = gw_miot_access(property, "write"), exact = true;
	if ((row && !row->cap) || (!reads && !tells && !writes)) { /* an argument only */
		gw_import_fate(m->b->result, at, GW_FATE_HIDDEN, NULL, NULL);
		return;
	}
	if (reads) {
		gw_add_text(m->b, m->gets, gw_str(gw_draft_printf(m->b, "%u.%u", s->siid, piid)));
		m->polls |= !tells;
	}
	if (strcmp(name, "motor-control") == 0 && add_moves(m, s, at, property)) {
		return;
	}
	bool standard = row && add_standard(m, s, row, at, property, &exact);
	if (!standard || !exact) {
		extension(m, s, at, name, property);
	}
}
