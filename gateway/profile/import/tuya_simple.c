/* Entities with one value: sensor, binary_sensor, switch, number, select, text; buttons, times, events. */
#include <string.h>

#include "profile/import/tuya.h"

/* The dp that is the entity's value, by its kind. */
static const struct {
	const char *kind, *dp;
} mains[] = {
	{"sensor", "sensor"}, {"binary_sensor", "sensor"}, {"switch", "switch"},
	{"number", "value"},  {"select", "option"},	   {"text", "value"},
	{"event", "event"},   {"button", "button"},
};

static struct gw_tuya_dp *main_dp(const struct gw_tuya_entity *e)
{
	for (size_t i = 0; i < gw_countof(mains); i++) {
		if (strcmp(mains[i].kind, e->kind) == 0) {
			struct gw_tuya_dp *dp = gw_tuya_dp(e, mains[i].dp);
			return dp && !dp->hidden ? dp : NULL;
		}
	}
	return NULL;
}

/* What helps the main value shares its fate: its unit, its availability, its bounds. */
static void tell_helpers(struct gw_tuya_entity *e, const char *address)
{
	static const char *const helpers[] = {"available", "unit", "description"};
	for (size_t i = 0; address && i < e->n; i++) {
		for (size_t k = 0; k < gw_countof(helpers); k++) {
			if (!e->dp[i].hidden && strcmp(e->dp[i].name, helpers[k]) == 0) {
				gw_tuya_fate(&e->dp[i], address, NULL);
			}
		}
	}
}

/* Capabilities that only make sense beside an entity of a kind. */
static const struct {
	const char *cap, *kind;
} companions[] = {
	{"covering.*", "cover"},
	{"camera.status_light", "camera"},
	{"robot.*", "vacuum"},
};

static bool has_kind(const struct gw_tuya *t, const char *kind)
{
	for (size_t i = 0; i < t->n_entities; i++) {
		if (strcmp(t->entities[i].kind, kind) == 0) {
			return true;
		}
	}
	return false;
}

static bool in_company(const struct gw_tuya *t, const char *cap)
{
	for (size_t i = 0; i < gw_countof(companions); i++) {
		if (gw_str_glob(gw_str(companions[i].cap), gw_str(cap)) &&
		    !has_kind(t, companions[i].kind)) {
			return false;
		}
	}
	return true;
}

/* A number that starts something when it is written: the argument of an action. */
static bool number_action(struct gw_tuya_dp *dp, const struct gw_capability *cap,
			  const char **ret_address)
{
	struct gw_tuya_entity *e = dp->entity;
	struct gw_draft *b = e->t->b;
	struct gw_tuya_cases cases;
	const char *why = NULL;
	if (cap->n_args != 1 || strcmp(e->kind, "number") != 0 || !gw_tuya_cases(dp, &cases) ||
	    cases.n != 1 || cases.item[0].n != 0 || dp->type != GW_TUYA_INTEGER || dp->mask ||
	    !gw_linear_is_none(cases.item[0].linear) || dp->readonly) {
		return false;
	}
	const char *p = gw_tuya_point(dp, /* writable= */ true, &why);
	struct gw_node *c =
		p ? gw_tuya_cap(e, e->label, e->label, cap->id, false, ret_address) : NULL;
	if (!c) {
		return false;
	}
	gw_set_text(b, gw_set_map(b, c, "action"), p, cap->args[0]);
	struct gw_node *arg = gw_set_map(b, gw_set_map(b, c, "args"), cap->args[0]);
	gw_set_text(b, arg, "type", "int");
	if (cases.item[0].low <= cases.item[0].high) {
		struct gw_node *range = gw_set_list(b, arg, "range");
		gw_add_number(b, range, cases.item[0].low);
		gw_add_number(b, range, cases.item[0].high);
	}
	gw_tuya_avail(e, c);
	return true;
}

static bool try_word(struct gw_tuya_dp *dp, const struct gw_tuya_word *w, const char **ret_address)
{
	struct gw_tuya *t = dp->entity->t;
	const struct gw_capability *cap = gw_capability_find(gw_str(w->cap));
	const char *bar = w->map ? strchr(w->map, '|') : NULL, *why = NULL;
	struct gw_tuya_want want = {.cap = cap, .unit_of = gw_tuya_dp(dp->entity, "unit")};
	want.on = bar ? gw_draft_printf(t->b, "%.*s", (int)(bar - w->map), w->map) : w->map;
	want.off = bar ? bar + 1 : NULL;
	if (!cap || !in_company(t, cap->id)) {
		return false;
	}
	if (cap->kind == GW_KIND_ACTION) {
		return number_action(dp, cap, ret_address);
	}
	if (cap->type == GW_TYPE_LIST && strcmp(cap->id, "fault.active") == 0) {
		return gw_tuya_faults(dp, ret_address) != NULL;
	}
	/* What the product lets people set would be lost in a capability that only shows. */
	bool shown = !(cap->access & GW_ACCESS_WRITE) && gw_tuya_writes(dp);
	return cap->kind == GW_KIND_PROPERTY && !shown && gw_tuya_as(dp, &want, ret_address, &why);
}

static const char *by_words(struct gw_tuya_dp *dp)
{
	const struct gw_tuya_word *w;
	const char *address = NULL;
	for (size_t i = 0; (w = gw_tuya_word_at(i)); i++) {
		if (gw_tuya_word_is(w, dp->entity) && try_word(dp, w, &address)) {
			return address;
		}
	}
	return NULL;
}

/* What has no row of its own: a switch switches, a mode is chosen; unless it is a setting. */
static const char *by_kind(struct gw_tuya_dp *dp)
{
	static const struct {
		const char *kind, *cap;
	} general[] = {{"switch", "switch.on"}, {"select", "mode.select"}};
	struct gw_tuya_entity *e = dp->entity;
	const char *address = NULL, *why = NULL;
	for (size_t i = 0; i < gw_countof(general) && !e->config; i++) {
		const struct gw_tuya_want w = {.cap = gw_capability_find(gw_str(general[i].cap))};
		if (strcmp(general[i].kind, e->kind) == 0 && gw_tuya_as(dp, &w, &address, &why)) {
			e->t->b->hints |= strcmp(e->class, "outlet") == 0 ? GW_HINT_OUTLET : 0;
			return address;
		}
	}
	return NULL;
}

void gw_tuya_sensor(struct gw_tuya_entity *e)
{
	struct gw_tuya_dp *dp = main_dp(e);
	if (!dp) {
		return;
	}
	const char *address = by_words(dp);
	address = address ? address : by_kind(dp);
	if (address) {
		gw_tuya_fate(dp, address, NULL);
	} else {
		gw_tuya_vendor(dp, e->label, /* ro= */ false);
		address = "x.tuya.";
	}
	tell_helpers(e, address);
}

/* --- buttons --- */

/* The raw that presses it: of the mapping to true, else true. */
static const struct gw_node *press(struct gw_tuya_dp *dp)
{
	struct gw_tuya_rows rows;
	if (gw_tuya_rows(dp, &rows)) {
		for (size_t i = 0; i < rows.n; i++) {
			const struct gw_tuya_row *r = &rows.row[i];
			bool yes = r->value && r->value->type == GW_NODE_BOOL && r->value->flag;
			if (yes && r->n >= 1 && r->cell[0].raw->type != GW_NODE_LIST &&
			    r->cell[0].raw->type != GW_NODE_NULL && r->cell[0].dp == dp) {
				return r->cell[0].raw;
			}
		}
	}
	return dp->type == GW_TUYA_BOOLEAN   ? gw_bool_node(dp->entity->t->b, true)
	       : dp->type == GW_TUYA_INTEGER ? gw_node_new_number(dp->entity->t->b->a, 1)
					     : NULL;
}

void gw_tuya_button(struct gw_tuya_entity *e)
{
	struct gw_tuya_dp *dp = main_dp(e);
	const struct gw_node *raw = dp ? press(dp) : NULL;
	const struct gw_tuya_word *w;
	const char *address = NULL;
	if (!dp) {
		return;
	}
	for (size_t i = 0; raw && (w = gw_tuya_word_at(i)); i++) {
		const struct gw_capability *cap = gw_capability_find(gw_str(w->cap));
		bool fits = cap && cap->kind == GW_KIND_ACTION && gw_tuya_word_is(w, e) &&
			    in_company(e->t, cap->id);
		if (fits && gw_tuya_action(dp, cap->id, raw, &address)) {
			break;
		}
	}
	if (!address && raw) {
		const char *id = gw_draft_extension(e->t->b, e->component, e->label);
		(void)gw_tuya_action(dp, id, raw, &address); /* false: told below */
	}
	gw_tuya_fate(dp, address, address ? NULL : "a button without a value to send");
	tell_helpers(e, address);
}

/* --- times: second, minute, hour are parts of one duration --- */

static const struct {
	const char *dp;
	double seconds;
} parts[] = {{"hour", 3600}, {"minute", 60}, {"second", 1}};

static struct gw_node *time_parts(struct gw_tuya_entity *e, const char *id,
				  const char **ret_address)
{
	struct gw_draft *b = e->t->b;
	struct gw_node *weights = gw_node_new(b->a, GW_NODE_MAP);
	for (size_t i = 0; i < gw_countof(parts); i++) {
		struct gw_tuya_dp *dp = gw_tuya_dp(e, parts[i].dp);
		const char *why = NULL, *p = dp ? gw_tuya_point(dp, !dp->readonly, &why) : NULL;
		if (dp && (!p || dp->mapping || dp->bits)) {
			return NULL;
		}
		if (p) {
			gw_set_number(b, weights, p, parts[i].seconds);
		}
	}
	struct gw_node *c = gw_tuya_cap(e, e->label, e->label, id, false, ret_address);
	if (c) {
		gw_set_node(b, c, "parts", weights);
		gw_tuya_avail(e, c);
	}
	return c;
}

static const char *time_as(struct gw_tuya_dp *dp, const char *id, const char *unit)
{
	const char *address = NULL, *why = NULL;
	struct gw_tuya_want w = {.cap = gw_capability_find(gw_str(id)), .unit = unit};
	return w.cap && w.cap->kind == GW_KIND_PROPERTY && strcmp(w.cap->unit, "s") == 0 &&
			       gw_tuya_as(dp, &w, &address, &why)
		       ? address
		       : NULL;
}

void gw_tuya_time(struct gw_tuya_entity *e)
{
	static const char *const units[] = {"h", "min", "s"};
	struct gw_tuya_dp *has[3] = {NULL, NULL, NULL}, *one = NULL;
	const char *unit = "s", *address = NULL;
	size_t n = 0;
	for (size_t i = 0; i < gw_countof(parts); i++) {
		has[i] = gw_tuya_dp(e, parts[i].dp);
		one = has[i] ? has[i] : one;
		unit = has[i] ? units[i] : unit;
		n += has[i] != NULL;
	}
	const struct gw_tuya_word *w;
	for (size_t i = 0; n > 0 && !address && (w = gw_tuya_word_at(i)); i++) {
		if (!gw_tuya_word_is(w, e)) {
			continue;
		}
		if (n == 1) {
			address = time_as(one, w->cap, unit);
		} else {
			(void)time_parts(e, w->cap, &address); /* NULL: told below */
		}
	}
	if (!address && n == 1) {
		gw_tuya_vendor(one, e->label, /* ro= */ false);
	} else if (!address && n > 1) {
		const char *id = gw_draft_extension(e->t->b, e->component, e->label);
		struct gw_node *c = time_parts(e, id, &address);
		if (c) {
			gw_set_text(e->t->b, c, "type", "int");
			gw_set_text(e->t->b, c, "unit", "s");
			gw_set_text(e->t->b, c, "name", e->label);
		}
	}
	for (size_t i = 0; i < gw_countof(has) && address; i++) {
		if (has[i]) {
			gw_tuya_fate(has[i], address, NULL);
		}
	}
	tell_helpers(e, address ? address : n > 0 ? "x.tuya." : NULL);
}

/* --- events --- */

void gw_tuya_events(struct gw_tuya_entity *e)
{
	struct gw_tuya_dp *dp = main_dp(e);
	const struct gw_tuya_word *w;
	const char *address = NULL;
	for (size_t i = 0; dp && !address && (w = gw_tuya_word_at(i)); i++) {
		const struct gw_capability *cap = gw_capability_find(gw_str(w->cap));
		if (cap && cap->kind == GW_KIND_EVENT && gw_tuya_word_is(w, e)) {
			(void)gw_tuya_event(dp, cap->id, &address); /* false: the next row */
		}
	}
	if (dp && !address) {
		const char *id = gw_draft_extension(e->t->b, e->component, e->label);
		(void)gw_tuya_event(dp, id, &address); /* false: told below */
	}
	if (dp) {
		gw_tuya_fate(dp, address, address ? NULL : "an event of no type");
	}
}

/* --- what is left --- */

static void share_names(struct gw_tuya_dp *dp, const struct gw_node *map)
{
	static const char *const keys[] = {"constraint", "value_redirect", "value_mirror",
					   "available"};
	for (size_t i = 0; i < gw_countof(keys); i++) {
		const char *name = gw_node_text(map, keys[i]);
		struct gw_tuya_dp *other = name ? gw_tuya_dp(dp->entity, name) : NULL;
		if (other && !other->hidden) {
			gw_tuya_fate(other, dp->address, NULL);
		}
	}
}

/* The dp `available` is the condition of all that the entity has. */
static void share_available(struct gw_tuya_entity *e)
{
	struct gw_tuya_dp *available = gw_tuya_dp(e, "available");
	for (size_t i = 0; available && !available->hidden && i < e->n; i++) {
		if (e->dp[i].address) {
			gw_tuya_fate(available, e->dp[i].address, NULL);
		}
	}
}

void gw_tuya_share(struct gw_tuya_entity *e)
{
	share_available(e);
	for (unsigned round = 0; round < 3; round++) { /* redirections of redirections */
		for (size_t i = 0; i < e->n; i++) {
			struct gw_tuya_dp *dp = &e->dp[i];
			gw_node_for(m, dp->address ? dp->mapping : NULL)
			{
				share_names(dp, m);
				gw_node_for(c, gw_node_get(m, "conditions"))
				{
					share_names(dp, c);
				}
			}
		}
	}
}

static bool attribute(struct gw_tuya_dp *dp)
{
	struct gw_tuya_entity as = *dp->entity;
	const struct gw_tuya_word *w;
	as.kind = "attribute";
	as.word = dp->name;
	for (size_t i = 0; (w = gw_tuya_word_at(i)); i++) {
		if (gw_tuya_word_is(w, &as) && gw_tuya_standard(dp, w->cap, true, w->map)) {
			return true;
		}
	}
	const struct gw_name_row *row = gw_name_find(gw_str(dp->name));
	return row && gw_tuya_standard(dp, row->cap, /* ro= */ true, row->map);
}

void gw_tuya_rest(struct gw_tuya_entity *e)
{
	for (size_t i = 0; i < e->n; i++) {
		struct gw_tuya_dp *dp = &e->dp[i];
		if (dp->told) {
			continue;
		}
		if (dp->hidden) {
			gw_tuya_fate(dp, NULL, NULL);
		} else if (!attribute(dp)) {
			gw_tuya_vendor(dp, dp->name, /* ro= */ true);
		}
	}
}
