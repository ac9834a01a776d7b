#include "profile/import/datum.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>

#define WORD_BYTES 64
#define MAX_WORDS  256
#define MAX_BOUND  1e9

/* --- names --- */

/* Any of these types may have the name. */
#define BOOLS	(1u << GW_DATUM_BOOL)
#define NUMBERS (1u << GW_DATUM_INTEGER | 1u << GW_DATUM_NUMBER)
#define WORDS	(1u << GW_DATUM_WORDS)
#define TEXTS	(1u << GW_DATUM_TEXT)

struct typed_name {
	const char *name;
	unsigned types;
	const char *cap;
	const char *map; /* as in gw_name_row */
};

/* What people call things where a name alone would not do without the type. Others are gw_name_find's. */
static const struct typed_name typed_names[] = {
	{"active_power", NUMBERS, "meter.power", NULL},
	{"ambient_temperature", NUMBERS, "temperature.measured", NULL},
	{"atmospheric_pressure", NUMBERS, "pressure.measured", NULL},
	{"barometric_pressure", NUMBERS, "pressure.measured", NULL},
	{"battery_charge", NUMBERS, "battery.level", NULL},
	{"color_temp", NUMBERS, "color.temperature", NULL},
	{"color_temperature", NUMBERS, "color.temperature", NULL},
	{"colour_temperature", NUMBERS, "color.temperature", NULL},
	{"cooling_setpoint", NUMBERS, "thermostat.cool_setpoint", NULL},
	{"current_temperature", NUMBERS, "temperature.measured", NULL},
	{"desired_temperature", NUMBERS, "thermostat.setpoint", NULL},
	{"dim_level", NUMBERS, "level.value", NULL},
	{"dimmer", NUMBERS, "level.value", NULL},
	{"energy_consumption", NUMBERS, "meter.energy", NULL},
	{"fan_mode", WORDS, "fan.mode", NULL},
	{"fan_speed", NUMBERS, "fan.percent", NULL},
	{"fan_speed", WORDS, "fan.mode", NULL},
	{"firmware", TEXTS, "firmware.version", NULL},
	{"firmware_version", TEXTS, "firmware.version", NULL},
	{"frequency", NUMBERS, "meter.frequency", NULL},
	{"heating_setpoint", NUMBERS, "thermostat.heat_setpoint", NULL},
	{"hue", NUMBERS, "color.hue", NULL},
	{"hvac_mode", WORDS, "thermostat.mode", NULL},
	{"instantaneous_power", NUMBERS, "meter.power", NULL},
	{"is_on", BOOLS, "switch.on", NULL},
	{"lamp", BOOLS, "switch.on", NULL},
	{"level", NUMBERS, "level.value", NULL},
	{"light", BOOLS, "switch.on", NULL},
	{"light_level", NUMBERS, "illuminance.measured", NULL},
	{"lock", BOOLS, "lock.state", "locked|unlocked"},
	{"lock", WORDS, "lock.state", NULL},
	{"locked", BOOLS, "lock.state", "locked|unlocked"},
	{"luminance", NUMBERS, "illuminance.measured", NULL},
	{"lux", NUMBERS, "illuminance.measured", NULL},
	{"mute", BOOLS, "media.mute", NULL},
	{"muted", BOOLS, "media.mute", NULL},
	{"occupied", BOOLS, "occupancy.detected", NULL},
	{"on", BOOLS, "switch.on", NULL},
	{"on_off", BOOLS | WORDS, "switch.on", NULL},
	{"onoff", BOOLS | WORDS, "switch.on", NULL},
	{"open", BOOLS, "contact.open", NULL},
	{"outdoor_temperature", NUMBERS, "temperature.outdoor", NULL},
	{"output", BOOLS, "switch.on", NULL},
	{"outside_temperature", NUMBERS, "temperature.outdoor", NULL},
	{"pm2_5", NUMBERS, "air.pm2_5", NULL},
	{"power", BOOLS | WORDS, "switch.on", NULL},
	{"power_consumption", NUMBERS, "meter.power", NULL},
	{"powered", BOOLS, "switch.on", NULL},
	{"relative_humidity", NUMBERS, "humidity.measured", NULL},
	{"relay", BOOLS | WORDS, "switch.on", NULL},
	{"room_temperature", NUMBERS, "temperature.measured", NULL},
	{"saturation", NUMBERS, "color.saturation", NULL},
	{"set_temperature", NUMBERS, "thermostat.setpoint", NULL},
	{"setpoint", NUMBERS, "thermostat.setpoint", NULL},
	{"signal_strength", NUMBERS, "link.rssi", NULL},
	{"software_version", TEXTS, "firmware.version", NULL},
	{"state", BOOLS, "switch.on", NULL},
	{"switch", BOOLS | WORDS, "switch.on", NULL},
	{"target_humidity", NUMBERS, "humidity.setpoint", NULL},
	{"target_temperature", NUMBERS, "thermostat.setpoint", NULL},
	{"temperature_setpoint", NUMBERS, "thermostat.setpoint", NULL},
	{"thermostat_mode", WORDS, "thermostat.mode", NULL},
	{"total_energy", NUMBERS, "meter.energy", NULL},
	{"voltage", NUMBERS, "meter.voltage", NULL},
};

/* Quantities that mean one thing in a home, whatever they are called. Only what is measured, never what is set. */
static const struct {
	const char *unit, *cap;
} quantities[] = {
	{"W", "meter.power"},	      {"kW.h", "meter.energy"},	 {"V", "meter.voltage"},
	{"A", "meter.current"},	      {"Hz", "meter.frequency"}, {"lx", "illuminance.measured"},
	{"hPa", "pressure.measured"},
};

/* "min_temperature" is no temperature. */
static const char *const qualifiers[] = {"min",	   "max",     "minimum", "maximum",   "target",
					 "set",	   "desired", "alarm",	 "threshold", "limit",
					 "offset", "average", "previous"};

/* "battery_state", "co2_value": the noun alone tells. */
static const char *const endings[] = {"_value",	      "_state",	  "_status",   "_reading",
				      "_sensor",      "_current", "_measured", "_detected",
				      "_measurement", "_level"};

const char *gw_datum_word(struct gw_draft *b, const char *name)
{
	char word[WORD_BYTES * 2];
	size_t n = 0;
	for (size_t i = 0; name[i] && n + 2 < sizeof(word); i++) {
		unsigned char c = (unsigned char)name[i];
		unsigned char before = i ? (unsigned char)name[i - 1] : 0;
		bool starts =
			isupper(c) && (islower(before) ||
				       (isalnum(before) && islower((unsigned char)name[i + 1])));
		if ((starts || !isalnum(c)) && n > 0 && word[n - 1] != '_') {
			word[n++] = '_';
		}
		if (c < 128 && isalnum(c)) {
			word[n++] = (char)tolower(c);
		}
	}
	while (n > 0 && word[n - 1] == '_') {
		n--;
	}
	return gw_draft_printf(b, "%.*s", (int)n, word);
}

/* --- does it fit? --- */

/* Two words of a boolean, in any order. */
static const struct {
	const char *yes, *no;
} pairs[] = {{"on", "off"}, {"true", "false"},	    {"open", "closed"},	    {"yes", "no"},
	     {"1", "0"},    {"active", "inactive"}, {"enabled", "disabled"}};

static struct gw_str word_of(struct gw_draft *b, const struct gw_node *n)
{
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
	if (gw_node_text_form(n, &text) < 0 || gw_buf_error(&text)) {
		return (struct gw_str){NULL, 0};
	}
	return gw_arena_text(b->a, gw_buf_str(&text));
}

/* Which of two words is true: 0 or 1; -1: they are no pair. */
static int yes_of(struct gw_draft *b, const struct gw_node *words)
{
	if (!words || words->count != 2) {
		return -1;
	}
	struct gw_str first = word_of(b, words->first), second = word_of(b, words->last);
	for (size_t i = 0; first.p && second.p && i < gw_countof(pairs); i++) {
		struct gw_str yes = gw_str(pairs[i].yes), no = gw_str(pairs[i].no);
		if (gw_str_glob(yes, first) && gw_str_glob(no, second)) { /* without case */
			return 0;
		}
		if (gw_str_glob(no, first) && gw_str_glob(yes, second)) {
			return 1;
		}
	}
	return -1;
}

static bool all_known(struct gw_draft *b, const struct gw_node *words,
		      const struct gw_capability *cap)
{
	gw_node_for(n, words)
	{
		struct gw_str word = word_of(b, n);
		if (!word.p || !gw_symbol_for(cap, word)) {
			return false;
		}
	}
	return words && words->count > 0;
}

static bool is_number(const struct gw_datum *d)
{
	return d->type == GW_DATUM_NUMBER || d->type == GW_DATUM_INTEGER;
}

static bool is_mired(const struct gw_datum *d)
{
	return gw_str_is(d->unit, "mired") || gw_str_is(d->unit, "mireds") ||
	       gw_str_is(d->unit, "MK⁻¹");
}

/* To the unit of cap. A level from 0 to 255 or 1 without a unit is a share. */
static bool to_unit(const struct gw_datum *d, const char *ucum, struct gw_linear *ret)
{
	bool share = strcmp(ucum, "%") == 0 && d->unit.len == 0 && d->min == 0 && d->max > 0 &&
		     d->max <= MAX_BOUND;
	if (share && d->max != 100) {
		*ret = (struct gw_linear){100, d->max, 0};
		return true;
	}
	return gw_unit_to(d->unit, ucum, ret) || gw_unit_to(gw_unit_word(d->unit), ucum, ret);
}

/* May d be cap? map: of a boolean, as in gw_name_row. */
static bool fits(struct gw_draft *b, const struct gw_datum *d, const struct gw_capability *cap,
		 const char *map)
{
	struct gw_linear l;
	if (!cap || cap->kind != GW_KIND_PROPERTY || (d->out && !(cap->access & GW_ACCESS_WRITE)) ||
	    (!d->in && !(cap->access & GW_ACCESS_WRITE))) {
		return false;
	}
	switch (d->type) {
	case GW_DATUM_BOOL:
		return (cap->type == GW_TYPE_BOOL && (!map || strcmp(map, "!") == 0)) ||
		       (cap->type == GW_TYPE_ENUM && map && strchr(map, '|'));
	case GW_DATUM_INTEGER:
	case GW_DATUM_NUMBER:
		return (cap->type == GW_TYPE_INT || cap->type == GW_TYPE_NUM) &&
		       ((strcmp(cap->unit, "K") == 0 && is_mired(d)) || to_unit(d, cap->unit, &l));
	case GW_DATUM_WORDS:
		return (cap->type == GW_TYPE_ENUM &&
			(cap->profile_named || all_known(b, d->words, cap))) ||
		       (cap->type == GW_TYPE_BOOL && yes_of(b, d->words) >= 0);
	case GW_DATUM_TEXT: return cap->type == GW_TYPE_STR;
	case GW_DATUM_ANY:
	case GW_DATUM_LIST:
	case GW_DATUM_MAP: return false;
	}
	return false;
}

struct choice {
	const struct gw_capability *cap; /* NULL: none */
	const char *map;
};

static bool choose(struct gw_draft *b, const struct gw_datum *d, const char *id, const char *map,
		   struct choice *ret)
{
	const struct gw_capability *cap = gw_capability_find(gw_str(id));
	if (!fits(b, d, cap, map)) {
		return false;
	}
	*ret = (struct choice){cap, map};
	return true;
}

/* "thermostat_setpoint", as another gateway of ours writes thermostat.setpoint */
static bool choose_own(struct gw_draft *b, const struct gw_datum *d, struct gw_str word,
		       struct choice *ret)
{
	const char *gap = word.len ? memchr(word.p, '_', word.len) : NULL;
	return gap && choose(b, d,
			     gw_draft_printf(b, "%.*s.%.*s", (int)(gap - word.p), word.p,
					     (int)(word.p + word.len - gap - 1), gap + 1),
			     NULL, ret);
}

/* As its name says: a typed name, one that all systems share, or one of ours. */
static bool choose_named(struct gw_draft *b, const struct gw_datum *d, struct gw_str word,
			 struct choice *ret)
{
	for (size_t i = 0; i < gw_countof(typed_names); i++) {
		const struct typed_name *n = &typed_names[i];
		if (gw_str_is(word, n->name) && (n->types & 1u << d->type) &&
		    choose(b, d, n->cap, n->map, ret)) {
			return true;
		}
	}
	const struct gw_name_row *row = gw_name_find(word);
	return (row && choose(b, d, row->cap, row->map, ret)) || choose_own(b, d, word, ret);
}

static bool choose_without_ending(struct gw_draft *b, const struct gw_datum *d, struct gw_str word,
				  struct choice *ret)
{
	for (size_t i = 0; i < gw_countof(endings); i++) {
		if (gw_str_ends(word, endings[i]) &&
		    choose_named(b, d, gw_str_sub(word, 0, word.len - strlen(endings[i])), ret)) {
			return true;
		}
	}
	return false;
}

static bool is_qualifier(struct gw_str word)
{
	for (size_t i = 0; i < gw_countof(qualifiers); i++) {
		if (gw_str_is(word, qualifiers[i])) {
			return true;
		}
	}
	return false;
}

/* "kitchen_temperature": the last words are what it is, as long as those before do not make it something else. */
static bool choose_by_last_words(struct gw_draft *b, const struct gw_datum *d, struct gw_str word,
				 struct choice *ret)
{
	struct gw_str first;
	bool decisive = d->type == GW_DATUM_BOOL || (is_number(d) && d->unit.len > 0);
	while (decisive && gw_str_split(&word, '_', &first) && word.p) {
		if (is_qualifier(first)) {
			return false;
		}
		if (choose_named(b, d, word, ret)) {
			return true;
		}
	}
	return false;
}

static bool choose_by_quantity(struct gw_draft *b, const struct gw_datum *d, struct choice *ret)
{
	struct gw_linear l;
	for (size_t i = 0; is_number(d) && !d->out && d->unit.len > 0 && i < gw_countof(quantities);
	     i++) {
		if (to_unit(d, quantities[i].unit, &l)) {
			return choose(b, d, quantities[i].cap, NULL, ret);
		}
	}
	return false;
}

static struct choice choice_of(struct gw_draft *b, const struct gw_datum *d)
{
	struct choice c = {NULL, NULL};
	struct gw_str word = gw_str(gw_datum_word(b, d->name));
	const char *map = d->cap ? strchr(d->cap, '=') : NULL; /* "lock.state=locked|unlocked" */
	const char *id = map ? gw_draft_printf(b, "%.*s", (int)(map - d->cap), d->cap) : d->cap;
	(void)((id && choose(b, d, id, map ? map + 1 : NULL, &c)) || choose_named(b, d, word, &c) ||
	       choose_without_ending(b, d, word, &c) || choose_by_last_words(b, d, word, &c) ||
	       choose_by_quantity(b, d, &c)); /* none: an extension */
	return c;
}

/* --- points --- */

static struct gw_node *point(struct gw_draft *b, const struct gw_datum *d, const char **ret_name)
{
	struct gw_node *p = gw_draft_point(b, gw_datum_word(b, d->name), ret_name);
	if (p && d->in) {
		gw_draft_ref(b, p, "in", d->in, d->in_pointer);
	}
	if (p && d->in_also) {
		gw_draft_ref(b, p, "in", d->in_also, d->in_pointer);
	}
	if (p && d->out) {
		gw_draft_ref(b, p, "out", d->out, d->out_pointer);
	}
	return p;
}

static bool is_whole(const struct gw_datum *d)
{
	return d->type == GW_DATUM_INTEGER || (d->step > 0 && d->step == floor(d->step) &&
					       (isnan(d->min) || d->min == floor(d->min)));
}

static void shape_number(struct gw_draft *b, const struct gw_datum *d, struct gw_node *p,
			 struct gw_linear l)
{
	if (d->plain) {
		gw_set_text(b, p, "as", "num");
	}
	if (l.mul != 1) {
		gw_set_number(b, p, "mul", l.mul);
	}
	if (l.div != 1) {
		gw_set_number(b, p, "div", l.div);
	}
	if (l.add != 0) {
		gw_set_number(b, p, "add", l.add);
	}
	if (d->out && !is_whole(d)) {
		gw_set_bool(b, p, "frac", true);
	}
}

static void shape_bool(struct gw_draft *b, const struct gw_datum *d, struct gw_node *p,
		       const char *symbols)
{
	struct gw_str off = gw_str(symbols ? symbols : ""), on;
	bool inverted = symbols && strcmp(symbols, "!") == 0;
	if (!symbols && !d->plain) {
		return; /* the booleans are ours */
	}
	struct gw_node *map = gw_set_map(b, p, "map");
	(void)gw_str_split(&off, '|', &on); /* behind it the other word is left */
	bool words = symbols && !inverted;
	gw_set_node(b, map, "true", words ? gw_text_node(b, on) : gw_bool_node(b, !inverted));
	gw_set_node(b, map, "false", words ? gw_text_node(b, off) : gw_bool_node(b, inverted));
	if (d->plain) {
		gw_set_text(b, p, "raw", "text");
	}
}

static bool all_text(const struct gw_node *words)
{
	gw_node_for(n, words)
	{
		if (n->type != GW_NODE_TEXT) {
			return false;
		}
	}
	return true;
}

static void set_raw(struct gw_draft *b, const struct gw_datum *d, struct gw_node *p)
{
	if (d->plain || all_text(d->words)) {
		gw_set_text(b, p, "raw", "text");
	}
}

/* Words of a boolean: the first of a pair is true, or the second. */
static void shape_pair(struct gw_draft *b, const struct gw_datum *d, struct gw_node *p)
{
	struct gw_node *map = gw_set_map(b, p, "map");
	int yes = yes_of(b, d->words), i = 0;
	gw_node_for(n, d->words)
	{
		gw_set_node(b, map, word_of(b, n).p, gw_bool_node(b, i++ == yes));
	}
	set_raw(b, d, p);
}

static bool holds_text(const struct gw_node *list, struct gw_str text)
{
	gw_node_for(n, list)
	{
		if (gw_str_eq(n->text, text)) {
			return true;
		}
	}
	return false;
}

/* The words as symbols of cap (NULL: as they are); the list of symbols. NULL: none is one. */
static struct gw_node *shape_words(struct gw_draft *b, const struct gw_datum *d,
				   const struct gw_capability *cap, struct gw_node *p)
{
	struct gw_node *map = gw_set_map(b, p, "map"), *symbols = gw_node_new(b->a, GW_NODE_LIST);
	b->failed |= !symbols;
	gw_node_for(n, d->words)
	{
		struct gw_str word = word_of(b, n);
		const char *known =
			cap && !cap->profile_named && word.p ? gw_symbol_for(cap, word) : NULL;
		struct gw_str symbol = known ? gw_str(known) : word;
		if (!map || !symbols || !symbol.p || gw_node_get_str(map, word)) {
			continue;
		}
		gw_set_node(b, map, word.p, gw_text_node(b, symbol));
		if (!holds_text(symbols, symbol)) {
			gw_add_text(b, symbols, symbol);
		}
	}
	set_raw(b, d, p);
	return symbols;
}

/* --- capabilities --- */

/* [min, max] or [min, max, step] in the unit of the capability and inside its own range. */
static void set_range(struct gw_draft *b, const struct gw_datum *d, struct gw_node *cap,
		      const struct gw_capability *model, struct gw_linear l)
{
	double low = gw_linear_apply(l, d->min), high = gw_linear_apply(l, d->max);
	double step = d->step * l.mul / l.div;
	if (model && model->has_min) {
		low = fmax(low, gw_count_value(model->min, model->res));
	}
	if (model && model->has_max) {
		high = fmin(high, gw_count_value(model->max, model->res));
	}
	if (isnan(d->min) || isnan(d->max) || !(low < high) || low < -MAX_BOUND ||
	    high > MAX_BOUND) {
		return;
	}
	struct gw_node *range = gw_set_list(b, cap, "range");
	gw_add_number(b, range, low);
	gw_add_number(b, range, high);
	struct gw_resolution res;
	if (step > 0 && gw_resolution_from(step, &res) == 0 &&
	    (!model || (res.n * model->res.d) % (res.d * model->res.n) == 0)) {
		gw_add_number(b, range, step);
	}
}

static void set_mired(struct gw_draft *b, const struct gw_datum *d, struct gw_node *cap,
		      const char *name)
{
	gw_set_text(b, cap, "expr", gw_draft_printf(b, "1000000 / %s", name));
	if (!d->out) {
		return;
	}
	gw_set_text(b, gw_set_map(b, cap, "set"), name, "round(1000000 / v)");
	double warm = d->max >= 100 ? fmax(1000, ceil(1e6 / d->max)) : 1000;
	double cold = d->min >= 100 ? fmin(10000, floor(1e6 / d->min)) : 10000;
	struct gw_node *range = warm < cold ? gw_set_list(b, cap, "range") : NULL;
	if (range) {
		gw_add_number(b, range, warm);
		gw_add_number(b, range, cold);
	}
}

/* Where id has room: its part, main, or a component of its own; *ret_part NULL: main. False: the part has it already. */
static bool find_room(struct gw_draft *b, const struct gw_datum *d, const char *id,
		      const char **ret_part)
{
	if (d->part) {
		*ret_part = d->part;
		return !gw_draft_has(b, d->part, id);
	}
	*ret_part = gw_draft_place(b, d->place ? d->place : gw_datum_word(b, d->name), d->label,
				   &id, 1);
	return true;
}

static void tell(struct gw_draft *b, const struct gw_datum *d, const char *part, const char *id)
{
	char address[128];
	(void)snprintf(address, sizeof(address), "%s%s%s", part ? part : "", part ? "/" : "", id);
	gw_import_fate(b->result, d->at,
		       gw_draft_is_extension(id) ? GW_FATE_VENDOR : GW_FATE_STANDARD, address,
		       NULL);
}

static bool no_room(struct gw_draft *b, const struct gw_datum *d)
{
	gw_import_fate(b->result, d->at, GW_FATE_UNMAPPED, NULL, "the profile has no more room");
	return false;
}

static bool add_standard(struct gw_draft *b, const struct gw_datum *d, const struct choice *c)
{
	const char *part, *name = NULL;
	bool mired = is_number(d) && strcmp(c->cap->unit, "K") == 0 && is_mired(d);
	struct gw_linear l = GW_LINEAR_NONE;
	struct gw_node *symbols = NULL;
	if (!find_room(b, d, c->cap->id, &part)) {
		return false;
	}
	struct gw_node *p = point(b, d, &name);
	struct gw_node *cap = p ? gw_draft_cap(b, part, c->cap->id) : NULL;
	if (!cap) {
		return no_room(b, d);
	}
	if (is_number(d)) {
		(void)(mired || to_unit(d, c->cap->unit, &l)); /* it fits */
		shape_number(b, d, p, l);
	} else if (d->type == GW_DATUM_BOOL) {
		shape_bool(b, d, p, c->map);
	} else if (d->type == GW_DATUM_WORDS && c->cap->type == GW_TYPE_BOOL) {
		shape_pair(b, d, p);
	} else if (d->type == GW_DATUM_WORDS) {
		symbols = shape_words(b, d, c->cap, p);
	}
	if (mired) {
		set_mired(b, d, cap, name);
	} else {
		gw_set_text(b, cap, "point", name);
	}
	if (symbols) {
		gw_set_node(b, cap, "enum", symbols);
	}
	if (!d->out) {
		gw_set_bool(b, cap, "ro", true);
	} else if (is_number(d) && !mired) {
		set_range(b, d, cap, c->cap, l);
	}
	tell(b, d, part, c->cap->id);
	return true;
}

static const char *type_name(const struct gw_datum *d)
{
	switch (d->type) {
	case GW_DATUM_BOOL: return "bool";
	case GW_DATUM_INTEGER: return "int";
	case GW_DATUM_NUMBER: return "num";
	case GW_DATUM_WORDS: return "enum";
	case GW_DATUM_TEXT:
	case GW_DATUM_ANY: return "str";
	case GW_DATUM_LIST: return "list";
	case GW_DATUM_MAP: return "rec";
	}
	return "str";
}

static void shape_extension(struct gw_draft *b, const struct gw_datum *d, struct gw_node *p,
			    struct gw_node *cap)
{
	struct gw_resolution res;
	const char *code = gw_unit_code(d->unit);
	code = code ? code : gw_unit_code(gw_unit_word(d->unit));
	switch (d->type) {
	case GW_DATUM_BOOL: shape_bool(b, d, p, NULL); break;
	case GW_DATUM_INTEGER:
	case GW_DATUM_NUMBER:
		shape_number(b, d, p, GW_LINEAR_NONE);
		if (d->unit.len > 0 && d->unit.len < WORD_BYTES) {
			gw_set_text(b, cap, "unit",
				    code ? code
					 : gw_draft_printf(b, GW_STR_FMT, GW_STR_ARG(d->unit)));
		}
		if (!is_whole(d)) {
			bool counted = d->step > 0 && gw_resolution_from(d->step, &res) == 0;
			gw_set_number(b, cap, "res", counted ? d->step : 0.001);
		}
		set_range(b, d, cap, NULL, GW_LINEAR_NONE);
		break;
	case GW_DATUM_WORDS: gw_set_node(b, cap, "enum", shape_words(b, d, NULL, p)); break;
	case GW_DATUM_ANY: gw_set_text(b, p, "as", "text"); break;
	case GW_DATUM_TEXT:
	case GW_DATUM_LIST:
	case GW_DATUM_MAP: break;
	}
}

static bool add_extension(struct gw_draft *b, const struct gw_datum *d)
{
	const char *name = NULL;
	const char *id = gw_draft_extension(b, d->part, gw_datum_word(b, d->name));
	struct gw_node *p = point(b, d, &name);
	struct gw_node *cap = p ? gw_draft_cap(b, d->part, id) : NULL;
	if (!cap) {
		return no_room(b, d);
	}
	gw_set_text(b, cap, "type", type_name(d));
	if (d->label && d->label[0]) {
		gw_set_text(b, cap, "name", d->label);
	}
	gw_set_text(b, cap, "point", name);
	shape_extension(b, d, p, cap);
	if (!d->out) {
		gw_set_bool(b, cap, "ro", true);
	}
	tell(b, d, d->part, id);
	return true;
}

bool gw_datum_add(struct gw_draft *b, const struct gw_datum *d)
{
	struct gw_datum own = *d;
	if (own.type == GW_DATUM_WORDS &&
	    (!own.words || own.words->count == 0 || own.words->count > MAX_WORDS)) {
		own.type = GW_DATUM_TEXT;
	}
	struct choice c = choice_of(b, &own);
	if (c.cap && own.part && gw_draft_has(b, own.part, c.cap->id)) {
		c.cap = NULL; /* the part has one: two of a kind would be one address */
	}
	bool ok = c.cap ? add_standard(b, &own, &c) : add_extension(b, &own);
	return ok && !b->failed;
}

/* --- events --- */

bool gw_datum_event(struct gw_draft *b, const struct gw_datum *d)
{
	static const char *const press = "button.press";
	const struct gw_capability *button = gw_capability_find(gw_str(press));
	const char *word = gw_datum_word(b, d->name), *name = NULL, *part = d->part;
	bool words = d->type == GW_DATUM_WORDS && d->words && d->words->count <= MAX_WORDS;
	bool is_press = words && all_known(b, d->words, button);
	const char *equals = d->cap ? strchr(d->cap, '=') : NULL; /* "button.press=double" */
	const char *symbol = equals ? equals + 1 : gw_symbol_for(button, gw_str(word));
	const char *id = equals ? press : d->cap ? d->cap : is_press ? press : NULL;
	struct gw_node *p = point(b, d, &name);
	if (!id && !words && symbol) { /* the event itself is called so */
		id = press;
	}
	id = id ? id : gw_draft_extension(b, part, word);
	if (!gw_draft_is_extension(id) && !find_room(b, d, id, &part)) {
		id = gw_draft_extension(b, part, word);
	}
	struct gw_node *cap = p ? gw_draft_cap(b, part, id) : NULL;
	if (!cap) {
		return no_room(b, d);
	}
	if (words) {
		(void)shape_words(b, d, is_press ? button : NULL, p); /* an event has no list */
	} else if (strcmp(id, press) == 0) {
		const char *pressed = symbol ? symbol : "press";
		gw_set_text(b, gw_set_map(b, p, "map"), "", pressed);
		gw_set_text(b, p, "else", pressed);
	} else if (is_number(d)) {
		shape_number(b, d, p, GW_LINEAR_NONE);
	} else if (d->type == GW_DATUM_BOOL) {
		shape_bool(b, d, p, NULL);
	}
	if (d->label && d->label[0] && gw_draft_is_extension(id)) {
		gw_set_text(b, cap, "name", d->label);
	}
	gw_set_text(b, gw_set_map(b, cap, "event"), "point", name);
	tell(b, d, part, id);
	return !b->failed;
}

/* --- actions --- */

static const struct {
	const char *word, *cap;
} actions[] = {
	{"identify", "identify.run"},
	{"reboot", "device.restart"},
	{"restart", "device.restart"},
	{"toggle", "switch.toggle"},
	{"factory_reset", "device.reset_defaults"},
	{"update_firmware", "firmware.update"},
	{"go_home", "robot.go_home"},
	{"return_to_dock", "robot.go_home"},
	{"locate", "robot.locate"},
	{"flush", "toilet.flush"},
};

const char *gw_datum_action(const struct gw_draft *b, const char *word)
{
	for (size_t i = 0; i < gw_countof(actions); i++) {
		if (strcmp(actions[i].word, word) == 0 && !gw_draft_has(b, NULL, actions[i].cap)) {
			return actions[i].cap;
		}
	}
	return NULL;
}
