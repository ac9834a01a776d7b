/* Capabilities (profile-language §9): identity, domain, form, conditions, and the actions' arguments. */
#include <errno.h>
#include <math.h>

#include "gw/alloc.h"
#include "gw/limits.h"
#include "profile/compile.h"
#include "profile/source.h"

/* --- declaration: ids and kinds, so that expressions find them --- */

/* x.<vendor>.<name>, in letters that imitate no others. */
static bool is_extension(struct gw_str id)
{
	static const char known[] = "abcdefghijklmnopqrstuvwxyz0123456789_-.";
	for (size_t i = 0; i < id.len; i++) {
		if (!memchr(known, id.p[i], sizeof(known) - 1)) {
			return false;
		}
	}
	struct gw_str piece;
	size_t n = 0;
	for (struct gw_str rest = id; gw_str_split(&rest, '.', &piece); n++) {
		if (piece.len == 0 || (n == 0 && !gw_str_is(piece, "x"))) {
			return false;
		}
	}
	return n == 3;
}

static enum gw_kind extension_kind(const struct gw_node *n)
{
	if (gw_node_get(n, "event")) {
		return GW_KIND_EVENT;
	}
	return gw_node_get(n, "action") || gw_node_get(n, "send") ? GW_KIND_ACTION
								  : GW_KIND_PROPERTY;
}

static int declare(struct gw_compiler *c, const struct gw_node *n, uint16_t component)
{
	struct gw_plan *p = c->plan;
	size_t mark = gw_at(c, n->key);
	if (p->n_caps == GW_PROFILE_CAPS) {
		return gw_refuse(c, n, NULL, "size", "more than %d capabilities", GW_PROFILE_CAPS);
	}
	struct gw_pl_cap *cap = &p->caps[p->n_caps];
	cap->node = n;
	cap->component = component;
	cap->info.id = n->key.p;
	cap->info.component = p->components[component];
	cap->info.model = gw_capability_find(n->key);
	if (!cap->info.model && !is_extension(n->key)) {
		const char *near = gw_capability_suggest(n->key);
		return gw_refuse(c, n, NULL, "cap",
				 "the model has no capability \"" GW_STR_FMT
				 "\"%s%s%s; own ones are x.<vendor>.<name>",
				 GW_STR_ARG(n->key), near ? "; did you mean " : "",
				 near ? near : "", near ? "?" : "");
	}
	cap->info.kind = cap->info.model ? cap->info.model->kind : extension_kind(n);
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(1024);
	if (component > 0) {
		gw_buf_printf(&b, "%s/", p->components[component]);
	}
	gw_buf_add_str(&b, n->key);
	cap->address = gw_arena_text(c->arena, gw_buf_str(&b));
	cap->info.address = cap->address.p;
	if (gw_buf_error(&b) || !cap->address.p ||
	    gw_map_put(p->by_address, cap->address, cap) < 0) {
		return -ENOMEM;
	}
	p->n_caps++;
	gw_at_back(c, mark);
	return 0;
}

static int declare_all(struct gw_compiler *c, const struct gw_node *caps,
		       const struct gw_node *components)
{
	struct gw_plan *p = c->plan;
	size_t n_caps = caps ? caps->count : 0;
	gw_node_for(component, components)
	{
		const struct gw_node *inner = gw_node_get(component, "caps");
		n_caps += inner ? inner->count : 0;
	}
	p->by_address = gw_map_new(GW_PROFILE_CAPS);
	p->caps = gw_compile_array(c, struct gw_pl_cap, n_caps);
	p->components = gw_compile_array(c, const char *, 1 + (components ? components->count : 0));
	if (!p->by_address || !p->caps || !p->components) {
		return -ENOMEM;
	}
	p->components[p->n_components++] = "main";
	size_t mark = gw_at(c, GW_STR("caps"));
	gw_node_for(n, caps)
	{
		int r = declare(c, n, 0);
		if (r < 0) {
			return r;
		}
	}
	gw_at_back(c, mark);
	mark = gw_at(c, GW_STR("components"));
	gw_node_for(component, components)
	{
		p->components[p->n_components] = component->key.p;
		size_t inner = gw_at(c, component->key);
		if (gw_str_is(component->key, "main")) { /* its addresses are those of caps */
			return gw_refuse(c, component, NULL, "name",
					 "the component main is written as caps");
		}
		size_t innermost = gw_at(c, GW_STR("caps"));
		gw_node_for(n, gw_node_get(component, "caps"))
		{
			int r = declare(c, n, p->n_components);
			if (r < 0) {
				return r;
			}
		}
		(void)innermost;
		gw_at_back(c, inner);
		p->n_components++;
	}
	gw_at_back(c, mark);
	p->cap_words = gw_words(p->n_caps);
	return 0;
}

/* --- domain --- */

static int extension_type(struct gw_compiler *c, struct gw_pl_cap *cap)
{
	struct gw_domain *d = &cap->info.domain;
	const struct gw_node *type = gw_node_get(cap->node, "type");
	*d = (struct gw_domain){.type = GW_TYPE_NONE, .res = {1, 1}};
	if (!type) {
		return cap->info.kind != GW_KIND_PROPERTY
			       ? 0
			       : gw_refuse(c, cap->node, "type", "type",
					   "a capability of your own needs its type");
	}
	for (int t = GW_TYPE_BOOL; t < GW_TYPE_NONE; t++) {
		if (gw_node_is_text(type, gw_type_name((enum gw_type)t))) {
			d->type = (enum gw_type)t;
			return 0;
		}
	}
	return gw_refuse(c, type, "type", "type",
			 "expected bool, int, num, enum, str, time, list or rec");
}

static int resolution(struct gw_compiler *c, struct gw_pl_cap *cap)
{
	const struct gw_node *n = gw_node_get(cap->node, "res");
	struct gw_resolution res, model = cap->info.domain.res;
	if (!n) {
		return 0;
	}
	if (n->type != GW_NODE_NUMBER || gw_resolution_from(n->number, &res) < 0) {
		return gw_refuse(c, n, "res", "res",
				 "expected a decimal with at most 6 places, above 0");
	}
	/* res is a multiple of the model's: res.n/res.d ÷ model.n/model.d is whole */
	if (cap->info.model && (res.n * model.d) % (res.d * model.n) != 0) {
		return gw_refuse(c, n, "res", "res",
				 "finer than the model's %g, or no multiple of it",
				 (double)model.n / (double)model.d);
	}
	struct gw_domain *d = &cap->info.domain;
	double scale = (double)model.n / (double)model.d;
	if (d->has_min) {
		d->min = (int64_t)ceil((double)d->min * scale * (double)res.d / (double)res.n -
				       1e-9);
	}
	if (d->has_max) {
		d->max = (int64_t)floor((double)d->max * scale * (double)res.d / (double)res.n +
					1e-9);
	}
	d->res = res;
	return 0;
}

static int take_symbols(struct gw_compiler *c, struct gw_pl_cap *cap, const char *const *symbols,
			uint16_t n)
{
	cap->symbols = gw_compile_array(c, struct gw_text *, n);
	if (!cap->symbols) {
		return -ENOMEM;
	}
	for (uint16_t i = 0; i < n; i++) {
		cap->symbols[i] = gw_compile_text(c, gw_str(symbols[i]));
		if (!cap->symbols[i]) {
			return -ENOMEM;
		}
	}
	cap->n_symbols = n;
	cap->info.domain.symbols = symbols;
	cap->info.domain.n_symbols = n;
	return 0;
}

/* A list of symbols at key; each must be of the domain so far. */
static int symbol_list(struct gw_compiler *c, const struct gw_pl_cap *cap, const struct gw_node *n,
		       const char *const **ret_symbols, uint16_t *ret_n)
{
	if (n->type != GW_NODE_LIST || n->count == 0) {
		return gw_refuse(c, n, "enum", "schema", "expected a list of symbols");
	}
	const char **symbols = gw_compile_array(c, const char *, n->count);
	if (!symbols) {
		return -ENOMEM;
	}
	uint16_t count = 0;
	size_t mark = gw_at(c, GW_STR("enum"));
	gw_node_for(item, n)
	{
		struct gw_raw raw;
		size_t inner = gw_at_index(c, count);
		int r = gw_compile_raw(c, item, &raw);
		const char *code = r < 0 ? NULL : gw_compile_fits(cap, &raw);
		if (r < 0) {
			return r;
		}
		if (code || raw.type != GW_RAW_TEXT) {
			return gw_refuse(c, item, NULL, code ? code : "schema", "no symbol of %s",
					 cap->info.id);
		}
		symbols[count++] = raw.text->s;
		gw_at_back(c, inner);
	}
	gw_at_back(c, mark);
	*ret_symbols = symbols;
	*ret_n = count;
	return 0;
}

static int domain(struct gw_compiler *c, struct gw_pl_cap *cap)
{
	static const char *const only_own[] = {"type", "unit"};
	const struct gw_capability *model = cap->info.model;
	int r = 0;
	if (model) {
		gw_capability_domain(model, &cap->info.domain);
		cap->info.unit = model->unit;
		for (size_t i = 0; i < gw_countof(only_own); i++) {
			const struct gw_node *n = gw_node_get(cap->node, only_own[i]);
			if (n) {
				return gw_refuse(c, n, only_own[i], "type",
						 "%s comes from the model", only_own[i]);
			}
		}
		if (model->symbols && !model->profile_named) {
			r = take_symbols(c, cap, model->symbols, model->n_symbols);
		}
	} else {
		const char *unit = gw_node_text(cap->node, "unit");
		cap->info.unit = unit ? unit : "";
		r = extension_type(c, cap);
		cap->info.domain.unit = cap->info.unit;
	}
	if (cap->info.domain.type ==
	    GW_TYPE_NONE) { /* the datum of an event without a type is not rounded */
		cap->info.domain.res = (struct gw_resolution){1, 1000000};
	}
	r = r < 0 ? r : resolution(c, cap);
	const struct gw_node *symbols = gw_node_get(cap->node, "enum");
	if (r == 0 && symbols) {
		const char *const *list = NULL;
		uint16_t n = 0;
		r = symbol_list(c, cap, symbols, &list, &n);
		r = r < 0 ? r : take_symbols(c, cap, list, n);
	}
	return r;
}

const char *gw_compile_fits(const struct gw_pl_cap *cap, const struct gw_raw *v)
{
	enum gw_raw_type want = GW_RAW_NULL;
	switch (cap->info.domain.type) {
	case GW_TYPE_BOOL: want = GW_RAW_BOOL; break;
	case GW_TYPE_INT:
	case GW_TYPE_NUM:
	case GW_TYPE_TIME: want = GW_RAW_NUMBER; break;
	case GW_TYPE_ENUM:
	case GW_TYPE_STR: want = GW_RAW_TEXT; break;
	case GW_TYPE_LIST:
	case GW_TYPE_REC: want = GW_RAW_TREE; break;
	case GW_TYPE_NONE: return NULL;
	}
	if (v->type == GW_RAW_NULL) {
		return NULL;
	}
	if (v->type != want) {
		return "type";
	}
	if (cap->info.domain.type != GW_TYPE_ENUM || !cap->symbols) {
		return NULL;
	}
	for (uint16_t i = 0; i < cap->n_symbols; i++) {
		if (gw_str_eq(gw_text_str(cap->symbols[i]), gw_text_str(v->text))) {
			return NULL;
		}
	}
	return "enum";
}

/* --- range, limits --- */

static int bound(struct gw_compiler *c, const struct gw_node *range, size_t i, struct gw_bound *b)
{
	const struct gw_node *n = gw_node_at(range, i);
	b->point = GW_NO_INDEX;
	b->open = false;
	if (n->type == GW_NODE_NUMBER) {
		b->value = n->number;
		return 0;
	}
	size_t mark = gw_at_index(c, i);
	if (n->type == GW_NODE_TEXT) {
		int r = gw_compile_point_name(c, n, &b->point);
		if (r == 0) {
			gw_at_back(c, mark);
		}
		return r;
	}
	return gw_refuse(c, n, NULL, "range", "a bound is a number or the name of a point");
}

int gw_compile_range(struct gw_compiler *c, const struct gw_node *n, struct gw_range *ret_range)
{
	struct gw_range range = {.given = true};
	if (n->type != GW_NODE_LIST || n->count < 2 || n->count > 3) {
		return gw_refuse(c, n, NULL, "range", "expected [min, max] or [min, max, step]");
	}
	uint64_t *reads = gw_steal(c->reads);
	int r = bound(c, n, 0, &range.min);
	r = r < 0 ? r : bound(c, n, 1, &range.max);
	if (r < 0) {
		return r;
	}
	c->reads = reads;
	const struct gw_node *step = gw_node_at(n, 2);
	if (step && (step->type != GW_NODE_NUMBER || step->number <= 0)) {
		return gw_refuse(c, step, NULL, "range", "a step is a number above 0");
	}
	range.step = step ? step->number : 0;
	if (range.min.point == GW_NO_INDEX && range.max.point == GW_NO_INDEX &&
	    range.min.value > range.max.value) {
		return gw_refuse(c, n, NULL, "range", "the range from %g to %g is empty",
				 range.min.value, range.max.value);
	}
	*ret_range = range;
	return 0;
}

static int range_key(struct gw_compiler *c, const struct gw_node *map, struct gw_range *range)
{
	const struct gw_node *n = gw_node_get(map, "range");
	if (!n) {
		return 0;
	}
	size_t mark = gw_at(c, GW_STR("range"));
	int r = gw_compile_range(c, n, range);
	if (r == 0) {
		gw_at_back(c, mark);
	}
	return r;
}

static int rule(struct gw_compiler *c, struct gw_pl_cap *cap, const struct gw_node *n,
		struct gw_rule *rule)
{
	const struct gw_node *cond = gw_node_get(n, "if"), *ro = gw_node_get(n, "ro"),
			     *symbols = gw_node_get(n, "enum");
	int r = 0;
	if (cond) {
		size_t mark = gw_at(c, GW_STR("if"));
		r = gw_compile_cond(c, cond, &rule->cond);
		if (r < 0) {
			return r;
		}
		gw_at_back(c, mark);
	}
	r = range_key(c, n, &rule->range);
	if (r == 0 && symbols) {
		r = symbol_list(c, cap, symbols, &rule->symbols, &rule->n_symbols);
	}
	rule->has_ro = ro != NULL;
	rule->ro = ro && ro->type == GW_NODE_BOOL && ro->flag;
	return r;
}

static int limits(struct gw_compiler *c, struct gw_pl_cap *cap)
{
	const struct gw_node *n = gw_node_get(cap->node, "limits");
	if (!n) {
		return 0;
	}
	cap->rules = gw_compile_array(c, struct gw_rule, n->count);
	if (!cap->rules) {
		return -ENOMEM;
	}
	size_t mark = gw_at(c, GW_STR("limits"));
	gw_node_for(item, n)
	{
		size_t inner = gw_at_index(c, cap->n_rules);
		if (cap->n_rules > 0 && !cap->rules[cap->n_rules - 1].cond) {
			return gw_refuse(c, item, NULL, "total",
					 "never reached: the rule before has no `if`");
		}
		int r = rule(c, cap, item, &cap->rules[cap->n_rules]);
		if (r < 0) {
			return r;
		}
		cap->n_rules++;
		gw_at_back(c, inner);
	}
	bool number = cap->info.domain.type == GW_TYPE_NUM || cap->info.domain.type == GW_TYPE_INT;
	bool final = cap->n_rules == 0 || !cap->rules[cap->n_rules - 1].cond;
	if (number && cap->info.writable && !cap->range.given && !cap->info.domain.has_min &&
	    !cap->info.domain.has_max && !final) {
		return gw_refuse(
			c, n, NULL, "total",
			"no rule holds in some states, and neither the capability nor the model has a range");
	}
	gw_at_back(c, mark);
	return 0;
}

/* The static domain: bounds that are numbers, counted in the resolution. */
static void narrow(struct gw_pl_cap *cap)
{
	struct gw_domain *d = &cap->info.domain;
	const struct gw_range *r = &cap->range;
	double scale = (double)d->res.d / (double)d->res.n;
	if (!r->given) {
		return;
	}
	d->has_min = r->min.point == GW_NO_INDEX;
	d->has_max = r->max.point == GW_NO_INDEX;
	d->min = d->has_min ? (int64_t)ceil(r->min.value * scale - 1e-6) : 0;
	d->max = d->has_max ? (int64_t)floor(r->max.value * scale + 1e-6) : 0;
	d->step = (int64_t)gw_round(r->step * scale);
}

/* The place of a capability, for its own refusals and those found later. */
void gw_compile_go_to(struct gw_compiler *c, const struct gw_pl_cap *cap)
{
	c->at[0] = 0;
	if (cap->component > 0) {
		(void)gw_at(c, GW_STR("components"));
		(void)gw_at(c, gw_str(cap->info.component));
	}
	(void)gw_at(c, GW_STR("caps"));
	(void)gw_at(c, gw_str(cap->info.id));
}

/* --- pacing and confirmation (§5): link, then the message, then the capability --- */

int gw_compile_confirm_by(struct gw_compiler *c, const struct gw_node *owner, uint16_t *ret_msg)
{
	const struct gw_node *by = gw_node_get(gw_node_get(owner, "confirm"), "by");
	*ret_msg = GW_NO_INDEX;
	if (!by) {
		return 0;
	}
	size_t mark = gw_at(c, GW_STR("confirm"));
	(void)gw_at(c, GW_STR("by"));
	int r = gw_compile_msg_name(c, by, ret_msg);
	if (r == 0) {
		gw_at_back(c, mark);
	}
	return r;
}

static int confirm(struct gw_compiler *c, struct gw_pl_cap *cap, const struct gw_node *owner)
{
	static const char *const words[] = {"none", "reread", "resend"};
	struct gw_cap_info *i = &cap->info;
	const struct gw_node *n = gw_node_get(owner, "confirm");
	if (!n) {
		return 0;
	}
	uint16_t by;
	int r = gw_compile_duration(c, n, "within", &i->confirm_within_ms);
	r = r < 0 ? r : gw_compile_confirm_by(c, owner, &by);
	if (r == 0 && by != GW_NO_INDEX) {
		i->confirm_by = (int16_t)by;
	}
	const struct gw_node *otherwise = gw_node_get(n, "else");
	for (size_t k = 0; otherwise && k < gw_countof(words); k++) {
		if (gw_node_is_text(otherwise, words[k])) {
			i->confirm_else = (enum gw_confirm_else)k;
		}
	}
	return r;
}

static int stale_after(struct gw_compiler *c, struct gw_pl_cap *cap, const struct gw_node *from)
{
	const struct gw_node *n = gw_node_get(from, "stale_after");
	int64_t ms = 0;
	if (!n) {
		return 0;
	}
	if (n->type == GW_NODE_NUMBER || gw_parse_duration_ms(n->text, &ms) == 0) {
		cap->info.stale_after_ms = ms;
		cap->stale_after = NULL;
		return 0;
	}
	if (from != cap->node) {
		c->at[0] = 0;
		(void)gw_at(c, GW_STR("link"));
	}
	(void)gw_at(c, GW_STR("stale_after"));
	int r = gw_compile_expr(c, n, &cap->stale_after);
	if (r == 0) {
		gw_compile_go_to(c, cap);
	}
	return r;
}

static const struct gw_node *message_of(const struct gw_compiler *c, const struct gw_pl_cap *cap)
{
	for (uint16_t i = 0; i < c->plan->n_points; i++) {
		const struct gw_pl_point *p = &c->plan->points[i];
		if (c->reads && gw_bit_test(c->reads, i) && p->n_out) {
			return c->plan->msgs[p->out[0].msg].node;
		}
	}
	(void)cap;
	return NULL;
}

static int timing(struct gw_compiler *c, struct gw_pl_cap *cap)
{
	const struct gw_node *link = gw_node_get(c->plan->tree, "link");
	const struct gw_node *from[] = {link, message_of(c, cap), cap->node};
	cap->info.confirm_by = -1;
	cap->info.confirm_within_ms = 3000;
	int64_t assume = -1;
	uint64_t *reads = gw_steal(c->reads), *reads_caps = gw_steal(c->reads_caps);
	int r = 0;
	for (size_t i = 0; r == 0 && i < gw_countof(from); i++) {
		r = confirm(c, cap, from[i]);
		r = r < 0 || i == 1 ? r : gw_compile_duration(c, from[i], "assume", &assume);
		r = r < 0 || i == 1 ? r : stale_after(c, cap, from[i]);
	}
	cap->info.assume_ms = assume < 0 ? cap->info.confirm_within_ms : assume;
	r = r < 0 ? r : gw_compile_duration(c, cap->node, "renew", &cap->info.renew_ms);
	c->reads = reads;
	c->reads_caps = reads_caps;
	return r;
}

/* --- arguments of actions --- */

static int arg_domain(struct gw_compiler *c, const struct gw_node *n, struct gw_domain *d)
{
	struct gw_pl_cap arg = {.node = n, .info = {.kind = GW_KIND_PROPERTY, .id = n->key.p}};
	int r = extension_type(c, &arg);
	r = r < 0 ? r : resolution(c, &arg);
	r = r < 0 ? r : range_key(c, n, &arg.range);
	if (r < 0) {
		return r;
	}
	if (!gw_node_get(n, "res") && arg.info.domain.type == GW_TYPE_NUM) {
		arg.info.domain.res =
			(struct gw_resolution){1, 1000000}; /* arguments are not rounded */
	}
	narrow(&arg);
	const struct gw_node *symbols = gw_node_get(n, "enum");
	if (symbols) {
		r = symbol_list(c, &arg, symbols, &arg.info.domain.symbols,
				&arg.info.domain.n_symbols);
	}
	*d = arg.info.domain;
	return r;
}

static int args(struct gw_compiler *c, struct gw_pl_cap *cap)
{
	const struct gw_node *n = gw_node_get(cap->node, "args");
	if (!n) {
		return 0;
	}
	struct gw_arg_info *infos = gw_compile_array(c, struct gw_arg_info, n->count);
	cap->args = gw_compile_array(c, struct gw_pl_arg, n->count);
	if (!cap->args || !infos) {
		return -ENOMEM;
	}
	if (n->count > UINT8_MAX) {
		return gw_refuse(c, n, "args", "size", "more than 255 arguments");
	}
	size_t mark = gw_at(c, GW_STR("args"));
	gw_node_for(item, n)
	{
		struct gw_pl_arg *arg = &cap->args[cap->info.n_args];
		size_t inner = gw_at(c, item->key);
		const struct gw_node *fallback = gw_node_get(item, "default");
		arg->name = gw_compile_text(c, item->key);
		int r = arg->name ? arg_domain(c, item, &arg->domain) : -ENOMEM;
		r = r < 0 || !fallback ? r : gw_compile_raw(c, fallback, &arg->fallback);
		if (r < 0) {
			return r;
		}
		infos[cap->info.n_args++] =
			(struct gw_arg_info){.name = arg->name->s, .domain = arg->domain};
		gw_at_back(c, inner);
	}
	cap->info.args = infos;
	gw_at_back(c, mark);
	return 0;
}

/* --- one capability --- */

static int side_effects(struct gw_compiler *c, struct gw_pl_cap *cap)
{
	const struct gw_node *n = gw_node_get(cap->node, "also");
	if (!n) {
		return 0;
	}
	size_t mark = gw_at(c, GW_STR("also"));
	c->wanted = true;
	int r = gw_compile_sets(c, n, &cap->also, &cap->n_also);
	c->wanted = false;
	if (r == 0) {
		gw_at_back(c, mark);
	}
	return r;
}

static bool has_input(const struct gw_compiler *c)
{
	bool any = false;
	for (uint16_t i = 0; i < c->plan->n_points; i++) {
		if (gw_bit_test(c->reads, i)) {
			any = true;
			if (c->plan->points[i].n_in || c->plan->points[i].has_init) {
				return true;
			}
		}
	}
	return !any; /* constants */
}

static void access_of(struct gw_compiler *c, struct gw_pl_cap *cap)
{
	struct gw_cap_info *i = &cap->info;
	const struct gw_node *ro = gw_node_get(cap->node, "ro");
	bool read_only = ro && ro->type == GW_NODE_BOOL && ro->flag;
	bool property = i->kind == GW_KIND_PROPERTY;
	i->readable = property && has_input(c);
	i->writable = property && !read_only && cap->form->writable &&
		      (!i->model || (i->model->access & GW_ACCESS_WRITE));
	i->invokable = i->kind == GW_KIND_ACTION;
	if (i->model) {
		i->access = i->model->access;
	} else {
		i->access = (uint8_t)((property ? GW_ACCESS_READ | GW_ACCESS_NOTIFY : 0) |
				      (i->writable ? GW_ACCESS_WRITE : 0) |
				      (i->invokable ? GW_ACCESS_INVOKE : 0) |
				      (i->kind == GW_KIND_EVENT ? GW_ACCESS_EMIT : 0));
	}
}

static int compile_cap(struct gw_compiler *c, struct gw_pl_cap *cap)
{
	static const unsigned places[] = {[GW_KIND_PROPERTY] = GW_FORM_PROPERTY,
					  [GW_KIND_EVENT] = GW_FORM_EVENT,
					  [GW_KIND_ACTION] = GW_FORM_ACTION};
	const struct gw_node *n = cap->node, *avail = gw_node_get(n, "avail"),
			     *name = gw_node_get(n, "name");
	c->args = gw_node_get(n, "args");
	int r = domain(c, cap);
	r = r < 0 ? r : args(c, cap);
	r = r < 0 ? r : gw_compile_form(c, n, places[cap->info.kind], &cap->form);
	c->args = NULL;
	if (r == 0 && avail) {
		size_t mark = gw_at(c, GW_STR("avail"));
		r = gw_compile_cond(c, avail, &cap->avail);
		if (r == 0) {
			gw_at_back(c, mark);
		}
	}
	if (r < 0) {
		return r;
	}
	access_of(c, cap);
	r = timing(c, cap);
	uint64_t *reads = gw_steal(c->reads), *reads_caps = gw_steal(c->reads_caps);
	r = r < 0 ? r : range_key(c, n, &cap->range);
	r = r < 0 ? r : limits(c, cap);
	r = r < 0 ? r : side_effects(c, cap);
	c->reads = reads;
	c->reads_caps = reads_caps;
	if (r < 0) {
		return r;
	}
	narrow(cap);
	cap->safe = gw_node_get(n, "safe");
	cap->info.limited =
		cap->n_rules > 0 || (cap->range.given && (cap->range.min.point != GW_NO_INDEX ||
							  cap->range.max.point != GW_NO_INDEX));
	cap->info.label =
		name && name->type == GW_NODE_TEXT ? name->text.p : gw_node_text(name, "en");
	if (cap->info.kind == GW_KIND_EVENT) {
		c->plan->n_events++;
	}
	return 0;
}

int gw_compile_caps(struct gw_compiler *c)
{
	struct gw_plan *p = c->plan;
	int r = declare_all(c, gw_node_get(p->tree, "caps"), gw_node_get(p->tree, "components"));
	if (r < 0) {
		return r;
	}
	c->cap_points = gw_compile_array(c, uint64_t, p->n_caps * p->point_words);
	c->cap_reads = gw_compile_array(c, uint64_t, p->n_caps * p->cap_words);
	if (!c->cap_points || !c->cap_reads) {
		return -ENOMEM;
	}
	for (uint16_t i = 0; i < p->n_caps; i++) {
		gw_compile_go_to(c, &p->caps[i]);
		c->cap = &p->caps[i];
		c->reads = c->cap_points + i * p->point_words;
		c->reads_caps = c->cap_reads + i * p->cap_words;
		r = compile_cap(c, &p->caps[i]);
		if (r < 0) {
			return r;
		}
	}
	c->cap = NULL;
	c->reads = c->reads_caps = NULL;
	return 0;
}
