/* zigbee2mqtt, generic exposes: binary, numeric, enum, text, list. */
#include "profile/import/z2m.h"

#include <math.h>

/* "current_l1", "water_leak_2" without an endpoint: a shared name and a part. False: the name is whole. */
static bool split_name(struct gw_z2m *z, const char *name, const char **ret_name,
		       const char **ret_component)
{
	size_t n = strlen(name), digits = n;
	while (digits > 0 && name[digits - 1] >= '0' && name[digits - 1] <= '9') {
		digits--;
	}
	size_t letter = digits > 0 && name[digits - 1] == 'l' ? digits - 1 : digits;
	if (digits == n || letter < 2 || name[letter - 1] != '_' || gw_name_find(gw_str(name))) {
		return false;
	}
	struct gw_str base = {name, letter - 1};
	if (!gw_name_find(base)) {
		return false;
	}
	*ret_name = gw_draft_printf(z->b, GW_STR_FMT, GW_STR_ARG(base));
	*ret_component = gw_draft_component(
		z->b, gw_draft_printf(z->b, "%s_%s", z->prefix, name + letter), name + letter);
	return true;
}

bool gw_z2m_open(struct gw_z2m *z, const struct gw_node *node, const char *parent,
		 const char *component, struct gw_z2m_expose *ret)
{
	const char *name = gw_node_text(node, "name"), *property = gw_node_text(node, "property");
	const struct gw_node *access = gw_node_get(node, "access");
	property = property && property[0] ? property : name;
	if (!name || !property || !property[0]) {
		return false;
	}
	if (!component && parent[0] == 0) {
		(void)split_name(z, name, &name, &component); /* false: both stay */
	}
	double bits = access && access->type == GW_NODE_NUMBER ? access->number : GW_Z2M_STATE;
	*ret = (struct gw_z2m_expose){
		.node = node,
		.name = name,
		.property = property,
		.label = gw_node_text(node, "label"),
		.pointer = gw_draft_pointer(z->b, parent, gw_str(property)),
		.component = component,
		.access = bits >= 0 && bits < 256 ? (unsigned)bits : 0,
	};
	if ((ret->access & GW_Z2M_GET) && parent[0] == 0 && !gw_node_get(z->gets, property)) {
		gw_set_text(z->b, z->gets, property, "");
	}
	return true;
}

struct gw_node *gw_z2m_point(struct gw_z2m *z, const struct gw_z2m_expose *x, const char *hint,
			     bool writable, const char **ret_name)
{
	const char *in = NULL, *out = NULL;
	bool sends = (x->access & GW_Z2M_SET) && writable;
	if (!(x->access & GW_Z2M_STATE) && !sends) {
		return NULL;
	}
	if (x->access & GW_Z2M_STATE) {
		in = gw_draft_rx(z->b, gw_str(z->state), "json");
	}
	if (sends) {
		out = gw_draft_tx(z->b, gw_str(z->set), "json", NULL, x->pointer, 0);
	}
	if (((x->access & GW_Z2M_STATE) && !in) || (sends && !out)) {
		return NULL;
	}
	struct gw_node *p = gw_draft_point(z->b, hint, ret_name);
	if (p && in) {
		gw_draft_ref(z->b, p, "in", in, x->pointer);
	}
	if (p && out) {
		gw_draft_ref(z->b, p, "out", out, x->pointer);
	}
	return p;
}

static const struct gw_capability *named(const struct gw_z2m *z, const struct gw_z2m_expose *x,
					 const struct gw_name_row **ret_row)
{
	const struct gw_name_row *row = gw_name_find(gw_str(x->name));
	const char *id = row ? row->cap : NULL;
	if (z->battery && strcmp(x->name, "voltage") == 0) {
		id = "battery.voltage";
	} else if (strcmp(x->name, "voltage") == 0) {
		id = "meter.voltage";
	}
	*ret_row = row;
	const struct gw_capability *cap = id ? gw_capability_find(gw_str(id)) : NULL;
	return cap && !gw_draft_has(z->b, x->component, id) ? cap : NULL;
}

static bool may_write(const struct gw_capability *cap)
{
	return !cap || (cap->access & GW_ACCESS_WRITE);
}

static void read_only_unless(struct gw_z2m *z, struct gw_node *cap, const struct gw_z2m_expose *x,
			     const struct gw_capability *model)
{
	if (cap && (!(x->access & GW_Z2M_SET) || !may_write(model))) {
		gw_set_bool(z->b, cap, "ro", true);
	}
}

/* x.z2m.<property>, labelled as there. */
static struct gw_node *extension(struct gw_z2m *z, const struct gw_z2m_expose *x, const char *type,
				 const char *point)
{
	const char *id = gw_draft_extension(z->b, x->component, x->property);
	struct gw_node *c = point ? gw_draft_cap(z->b, x->component, id) : NULL;
	if (!c) {
		return NULL;
	}
	gw_set_text(z->b, c, "type", type);
	if (x->label) {
		gw_set_text(z->b, c, "name", x->label);
	}
	gw_set_text(z->b, c, "point", point);
	read_only_unless(z, c, x, NULL);
	return c;
}

/* --- binary --- */

static void map_value(struct gw_z2m *z, struct gw_node *map, const struct gw_node *raw,
		      struct gw_node *value)
{
	GW_AUTO(gw_buf_fini) struct gw_buf key = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
	if (raw && gw_node_text_form(raw, &key) == 0 && !gw_buf_error(&key)) {
		gw_set_node(z->b, map, key.p ? key.p : "", value);
	}
}

/* "critical|normal" → two symbols; NULL: booleans */
static void binary_map(struct gw_z2m *z, const struct gw_z2m_expose *x, struct gw_node *p,
		       const char *symbols)
{
	const struct gw_node *on = gw_node_get(x->node, "value_on");
	const struct gw_node *off = gw_node_get(x->node, "value_off");
	bool plain = on && off && on->type == GW_NODE_BOOL && on->flag && off->type == GW_NODE_BOOL;
	struct gw_str off_word = gw_str(symbols ? symbols : ""), on_word;
	if (!symbols && plain) {
		return; /* the booleans are ours */
	}
	struct gw_node *map = gw_set_map(z->b, p, "map");
	if (symbols && strcmp(symbols, "!") == 0) { /* true is closed, whatever value_on says */
		gw_set_bool(z->b, map, "true", false);
		gw_set_bool(z->b, map, "false", true);
		return;
	}
	(void)gw_str_split(&off_word, '|', &on_word); /* behind it the other word is left */
	map_value(z, map, on, symbols ? gw_text_node(z->b, on_word) : gw_bool_node(z->b, true));
	map_value(z, map, off, symbols ? gw_text_node(z->b, off_word) : gw_bool_node(z->b, false));
	if (on && on->type == GW_NODE_TEXT) {
		gw_set_text(z->b, p, "raw", "text");
	}
}

static void binary_as(struct gw_z2m *z, const struct gw_z2m_expose *x,
		      const struct gw_capability *cap, const char *symbols)
{
	const char *name = NULL;
	struct gw_node *p = gw_z2m_point(z, x, x->property, may_write(cap), &name);
	if (!p) {
		return;
	}
	binary_map(z, x, p, symbols);
	if (!cap) {
		(void)extension(z, x, "bool", name); /* NULL: noted */
		return;
	}
	read_only_unless(z, gw_draft_point_cap(z->b, x->component, cap->id, name), x, cap);
}

void gw_z2m_switch_as(struct gw_z2m *z, const struct gw_z2m_expose *x, const char *id)
{
	if (!gw_draft_has(z->b, x->component, id)) {
		binary_as(z, x, gw_capability_find(gw_str(id)), NULL);
	}
}

void gw_z2m_binary(struct gw_z2m *z, const struct gw_z2m_expose *x)
{
	const struct gw_name_row *row;
	const struct gw_capability *cap = named(z, x, &row);
	const char *symbols = row ? row->map : NULL;
	bool inverted = symbols && strcmp(symbols, "!") == 0;
	bool fits = cap &&
		    (cap->type == GW_TYPE_BOOL ? !symbols || inverted
					       : cap->type == GW_TYPE_ENUM && symbols && !inverted);
	if (!gw_node_get(x->node, "value_on") || !gw_node_get(x->node, "value_off")) {
		gw_draft_note(z->b, "%s: a binary without value_on and value_off", x->property);
		return;
	}
	binary_as(z, x, fits ? cap : NULL, fits ? symbols : NULL);
}

/* --- numeric --- */

static double bound(const struct gw_z2m_expose *x, const char *key, double fallback)
{
	const struct gw_node *n = gw_node_get(x->node, key);
	return n && n->type == GW_NODE_NUMBER ? n->number : fallback;
}

static struct gw_str unit_of(const struct gw_z2m_expose *x)
{
	const char *unit = gw_node_text(x->node, "unit");
	return gw_str(unit ? unit : "");
}

static bool is_mired(const struct gw_z2m_expose *x)
{
	return gw_str_is(unit_of(x), "mired") || gw_str_is(unit_of(x), "mireds");
}

static void set_linear(struct gw_z2m *z, struct gw_node *p, struct gw_linear l)
{
	if (l.mul != 1) {
		gw_set_number(z->b, p, "mul", l.mul);
	}
	if (l.div != 1) {
		gw_set_number(z->b, p, "div", l.div);
	}
	if (l.add != 0) {
		gw_set_number(z->b, p, "add", l.add);
	}
}

/* [min, max] of the expose in our unit, inside the model's; only for what is written. */
static void set_range(struct gw_z2m *z, const struct gw_z2m_expose *x, struct gw_node *cap,
		      const struct gw_capability *model, struct gw_linear l)
{
	double low = gw_linear_apply(l, bound(x, "value_min", NAN));
	double high = gw_linear_apply(l, bound(x, "value_max", NAN));
	double step = bound(x, "value_step", 0) * l.mul / l.div;
	if (!cap || !(x->access & GW_Z2M_SET) || !(low < high)) {
		return;
	}
	if (model && model->has_min) {
		low = fmax(low, gw_count_value(model->min, model->res));
	}
	if (model && model->has_max) {
		high = fmin(high, gw_count_value(model->max, model->res));
	}
	struct gw_resolution res;
	struct gw_node *range = gw_set_list(z->b, cap, "range");
	gw_add_number(z->b, range, low);
	gw_add_number(z->b, range, high);
	bool counted = step > 0 && gw_resolution_from(step, &res) == 0 &&
		       (!model || (res.n * model->res.d) % (res.d * model->res.n) == 0);
	if (counted) {
		gw_add_number(z->b, range, step);
	}
}

/* What is written is whole unless the steps are not. */
static bool is_whole(const struct gw_z2m_expose *x)
{
	double step = bound(x, "value_step", 1), low = bound(x, "value_min", 0);
	return step == floor(step) && low == floor(low);
}

struct gw_node *gw_z2m_number_as(struct gw_z2m *z, const struct gw_z2m_expose *x, const char *id,
				 struct gw_linear l)
{
	const struct gw_capability *cap = gw_capability_find(gw_str(id));
	const char *name = NULL;
	if (gw_draft_has(z->b, x->component, id)) {
		return NULL;
	}
	struct gw_node *p = gw_z2m_point(z, x, x->property, may_write(cap), &name);
	if (!p) {
		return NULL;
	}
	set_linear(z, p, l);
	if (may_write(cap) && (x->access & GW_Z2M_SET) && !is_whole(x)) {
		gw_set_bool(z->b, p, "frac", true);
	}
	struct gw_node *c = gw_draft_point_cap(z->b, x->component, id, name);
	read_only_unless(z, c, x, cap);
	if (may_write(cap)) {
		set_range(z, x, c, cap, l);
	}
	return c;
}

void gw_z2m_mired_as(struct gw_z2m *z, const struct gw_z2m_expose *x, const char *id)
{
	const char *name = NULL;
	if (gw_draft_has(z->b, x->component, id)) {
		return;
	}
	struct gw_node *p = gw_z2m_point(z, x, x->property, /* writable= */ true, &name);
	struct gw_node *c = p ? gw_draft_cap(z->b, x->component, id) : NULL;
	if (!c) {
		return;
	}
	gw_set_text(z->b, c, "expr", gw_draft_printf(z->b, "1000000 / %s", name));
	if (x->access & GW_Z2M_SET) {
		double low = bound(x, "value_min", 153), high = bound(x, "value_max", 500);
		gw_set_text(z->b, gw_set_map(z->b, c, "set"), name, "round(1000000 / v)");
		double warm = high >= 100 ? fmax(1000, ceil(1e6 / high)) : 1000;
		double cold = low >= 100 ? fmin(10000, floor(1e6 / low)) : 10000;
		struct gw_node *range = warm < cold ? gw_set_list(z->b, c, "range") : NULL;
		if (range) {
			gw_add_number(z->b, range, warm);
			gw_add_number(z->b, range, cold);
		}
	}
}

static void number_extension(struct gw_z2m *z, const struct gw_z2m_expose *x)
{
	const char *name = NULL, *code = gw_unit_code(unit_of(x));
	struct gw_node *p = gw_z2m_point(z, x, x->property, /* writable= */ true, &name);
	bool whole = is_whole(x), writes = x->access & GW_Z2M_SET;
	if (!p) {
		return;
	}
	if (writes && !whole) {
		gw_set_bool(z->b, p, "frac", true);
	}
	struct gw_node *c = extension(z, x, "num", name);
	if (!c) {
		return;
	}
	if (code) {
		gw_set_text(z->b, c, "unit", code);
	}
	struct gw_resolution res;
	double step = bound(x, "value_step", 1);
	bool counted = writes && step > 0 && gw_resolution_from(step, &res) == 0;
	gw_set_number(z->b, c, "res", !writes ? 0.001 : whole ? 1 : counted ? step : 0.001);
	set_range(z, x, c, NULL, GW_LINEAR_NONE);
}

void gw_z2m_numeric(struct gw_z2m *z, const struct gw_z2m_expose *x)
{
	const struct gw_name_row *row;
	const struct gw_capability *cap = named(z, x, &row);
	struct gw_linear l;
	bool number = cap && (cap->type == GW_TYPE_NUM || cap->type == GW_TYPE_INT);
	if (number && strcmp(cap->unit, "K") == 0 && is_mired(x)) {
		gw_z2m_mired_as(z, x, cap->id);
	} else if (number && gw_unit_to(unit_of(x), cap->unit, &l)) {
		(void)gw_z2m_number_as(z, x, cap->id, l); /* NULL: noted */
	} else {
		number_extension(z, x);
	}
}

/* --- enum --- */

static struct gw_str word_of(struct gw_z2m *z, const struct gw_node *n)
{
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
	if (gw_node_text_form(n, &text) < 0 || gw_buf_error(&text)) {
		return (struct gw_str){NULL, 0};
	}
	return gw_arena_text(z->b->a, gw_buf_str(&text));
}

/* Fills map and symbols; with cap only words that have a symbol there. The number of symbols. */
static size_t enum_rows(struct gw_z2m *z, const struct gw_z2m_expose *x,
			const struct gw_capability *cap, struct gw_node *map,
			struct gw_node *symbols)
{
	gw_node_for(n, gw_node_get(x->node, "values"))
	{
		struct gw_str word = word_of(z, n);
		const char *known = cap && word.p ? gw_symbol_for(cap, word) : NULL;
		struct gw_str symbol = cap && !cap->profile_named ? gw_str(known) : word;
		if (!symbol.p || symbol.len == 0) {
			gw_draft_note(z->b, "%s: nothing for \"" GW_STR_FMT "\"", x->property,
				      GW_STR_ARG(word));
			continue;
		}
		bool taken = false;
		gw_node_for(s, symbols)
		{
			taken |= gw_str_eq(s->text, symbol);
		}
		if (!gw_node_get_str(map, word)) {
			gw_set_node(z->b, map, word.p, gw_text_node(z->b, symbol));
		}
		if (!taken) {
			gw_add_text(z->b, symbols, symbol);
		}
	}
	return symbols->count;
}

static bool all_text(const struct gw_node *values)
{
	gw_node_for(n, values)
	{
		if (n->type != GW_NODE_TEXT) {
			return false;
		}
	}
	return true;
}

static bool enum_with(struct gw_z2m *z, const struct gw_z2m_expose *x,
		      const struct gw_capability *cap)
{
	const char *name = NULL;
	struct gw_node *map = gw_node_new(z->b->a, GW_NODE_MAP);
	struct gw_node *symbols = gw_node_new(z->b->a, GW_NODE_LIST);
	if (!map || !symbols || enum_rows(z, x, cap, map, symbols) == 0) {
		z->b->failed |= !map || !symbols;
		return false;
	}
	struct gw_node *p = gw_z2m_point(z, x, x->property, may_write(cap), &name);
	if (!p) {
		return false;
	}
	gw_set_node(z->b, p, "map", map);
	if (all_text(gw_node_get(x->node, "values"))) {
		gw_set_text(z->b, p, "raw", "text");
	}
	struct gw_node *c;
	if (cap) {
		c = gw_draft_point_cap(z->b, x->component, cap->id, name);
		read_only_unless(z, c, x, cap);
	} else {
		c = extension(z, x, "enum", name);
	}
	if (c) {
		gw_set_node(z->b, c, "enum", symbols);
	}
	return true;
}

bool gw_z2m_enum_as(struct gw_z2m *z, const struct gw_z2m_expose *x, const char *id)
{
	return !gw_draft_has(z->b, x->component, id) &&
	       enum_with(z, x, gw_capability_find(gw_str(id)));
}

static bool all_known(struct gw_z2m *z, const struct gw_z2m_expose *x,
		      const struct gw_capability *cap)
{
	gw_node_for(n, gw_node_get(x->node, "values"))
	{
		struct gw_str word = word_of(z, n);
		if (!word.p || !gw_symbol_for(cap, word)) {
			return false;
		}
	}
	return true;
}

void gw_z2m_enum(struct gw_z2m *z, const struct gw_z2m_expose *x)
{
	const struct gw_name_row *row;
	const struct gw_capability *cap = named(z, x, &row);
	const struct gw_node *values = gw_node_get(x->node, "values");
	if (x->access == GW_Z2M_SET && values && values->count == 1 && all_text(values)) {
		/* one word that can only be sent: a button */
		bool action = cap && cap->kind == GW_KIND_ACTION;
		gw_z2m_action(z, x,
			      action ? cap->id
				     : gw_draft_extension(z->b, x->component, x->property),
			      values->first->text.p);
		return;
	}
	bool fits =
		cap && cap->type == GW_TYPE_ENUM && (cap->profile_named || all_known(z, x, cap));
	(void)enum_with(z, x, fits ? cap : NULL); /* false: noted */
}

/* --- text, list, action --- */

void gw_z2m_text(struct gw_z2m *z, const struct gw_z2m_expose *x)
{
	const char *name = NULL;
	struct gw_node *p = gw_z2m_point(z, x, x->property, /* writable= */ true, &name);
	if (p) {
		(void)extension(z, x, "str", name); /* NULL: noted */
	}
}

/* Shown, not written: a list is sent whole and the exposes do not say what else it needs. */
void gw_z2m_list(struct gw_z2m *z, const struct gw_z2m_expose *x)
{
	const char *name = NULL;
	struct gw_z2m_expose shown = *x;
	shown.access &= GW_Z2M_STATE;
	struct gw_node *p = gw_z2m_point(z, &shown, x->property, /* writable= */ false, &name);
	if (p) {
		(void)extension(z, &shown, "list", name); /* NULL: noted */
	}
	if (x->access & GW_Z2M_SET) {
		gw_draft_note(z->b, "%s: a list that is written", x->property);
	}
}

void gw_z2m_action(struct gw_z2m *z, const struct gw_z2m_expose *x, const char *id,
		   const char *value)
{
	struct gw_node *body = gw_node_new(z->b->a, GW_NODE_MAP);
	if (gw_draft_has(z->b, x->component, id)) {
		return;
	}
	gw_set_text(z->b, body, x->property, value);
	const char *msg = body ? gw_draft_fixed(z->b, gw_str(z->set), "json", body, 0) : NULL;
	struct gw_node *c = msg ? gw_draft_cap(z->b, x->component, id) : NULL;
	if (!c) {
		return;
	}
	gw_set_text(z->b, c, "send", msg);
	if (gw_draft_is_extension(id) && x->label) {
		gw_set_text(z->b, c, "name", x->label);
	}
}
