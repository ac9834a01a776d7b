/* Meaning: from the name of a value and what it was seen to be to a capability. Tables first. */
#include <ctype.h>
#include <stdio.h>

#include "gw/alloc.h"
#include "profile/import/traffic.h"

/* Beside gw_name_find: what devices call things in their messages. The first row that fits is taken. */
static const struct {
	const char *name, *cap;
	const char *unit;	/* of the device; NULL: of the capability, or told by the message */
	double lo, hi;		/* the largest number seen; 0, 0: any */
	struct gw_linear scale; /* mul 0: none */
	const char *why;
} rows[] = {
	{"apower", "meter.power"},
	{"watts", "meter.power"},
	{"power", "meter.power"},
	{"power", "switch.on"},
	{"relay", "switch.on"},
	{"output", "switch.on"},
	{"state", "switch.on"},
	{"ison", "switch.on"},
	{"on", "switch.on"},
	{"onoff", "switch.on"},
	{"switch", "switch.on"},
	{"turn", "switch.on"},
	{"aenergy_total", "meter.energy", "Wh"},
	{"energy_total", "meter.energy"},
	{"total_energy", "meter.energy"},
	{"factor", "meter.power_factor"},
	{"pf", "meter.power_factor"},
	{"freq", "meter.frequency"},
	{"frequency", "meter.frequency"},
	{"amps", "meter.current"},
	{"volts", "meter.voltage"},
	{"voltage", "battery.voltage", "mV", 1500, 6500, {0}, "mV of a battery assumed"},
	{"battery_voltage", "battery.voltage", "mV", 1000, 60000, {0}, "mV assumed"},
	{"voltage", "meter.voltage"},
	{"temp", "temperature.measured"},
	{"t", "temperature.measured"},
	{"hum", "humidity.measured"},
	{"humid", "humidity.measured"},
	{"rh", "humidity.measured"},
	{"h", "humidity.measured"},
	{"lux", "illuminance.measured"},
	{"light", "illuminance.measured"},
	{"bat", "battery.level"},
	{"batt", "battery.level"},
	{"battery_percent", "battery.level"},
	{"pm2_5", "air.pm2_5"},
	{"pm02", "air.pm2_5"},
	{"flood", "leak.detected"},
	{"water", "leak.detected"},
	{"pir", "motion.detected"},
	{"open", "contact.open"},
	{"wifi_signal", "link.rssi"},
	{"signal", "link.rssi"},
	{"wifi_rssi", "link.rssi"},
	{"signal_strength", "link.rssi"},
	{"setpoint", "thermostat.setpoint"},
	{"target_temperature", "thermostat.setpoint"},
	{"target_temp", "thermostat.setpoint"},
	{"target_t", "thermostat.setpoint"},
	{"current_heating_setpoint", "thermostat.setpoint"},
	{"occupied_heating_setpoint", "thermostat.setpoint"},
	{"mode", "thermostat.mode"},
	{"hvac_mode", "thermostat.mode"},
	{"system_mode", "thermostat.mode"},
	{"running_state", "thermostat.action"},
	{"preset", "thermostat.preset"},
	{"fan_mode", "fan.mode"},
	{"fan_speed", "fan.mode"},
	{"fan", "fan.mode"},
	{"rpm", "fan.rpm"},
	{"dimmer", "level.value"},
	{"brightness", "level.value", NULL, 255, 255, {100, 255, 0}, "0 to 255 assumed"},
	{"brightness", "level.value", NULL, 101, 254, {100, 254, 0}, "0 to 254 assumed"},
	{"brightness", "level.value", NULL, 0, 100, {0}, "percent assumed: never over 100"},
	{"color_temp", "color.temperature", "K", 1000, 10000},
	{"ct", "color.temperature", "K", 1000, 10000},
	{"pos", "covering.position"},
	{"current_pos", "covering.position"},
	{"action", "button.press"},
};

/* Ends of names that are a unit: "power_w", "tF". */
static const struct {
	const char *end, *unit;
} unit_ends[] = {
	{"_c", "°C"},	   {"_f", "°F"},    {"_celsius", "°C"}, {"_fahrenheit", "°F"},
	{"_mv", "mV"},	   {"_v", "V"},	    {"_ma", "mA"},	{"_a", "A"},
	{"_w", "W"},	   {"_kw", "kW"},   {"_wh", "Wh"},	{"_kwh", "kWh"},
	{"_hpa", "hPa"},   {"_kpa", "kPa"}, {"_pa", "Pa"},	{"_lx", "lx"},
	{"_lux", "lx"},	   {"_ppm", "ppm"}, {"_ppb", "ppb"},	{"_pct", "%"},
	{"_percent", "%"}, {"_sec", "s"},   {"_s", "s"},	{"_ms", "ms"},
	{"_min", "min"},   {"_hz", "Hz"},   {"_db", "dB"},	{"_dbm", "dBm"},
	{"_rpm", "rpm"},
};

/* What two words of a switch, a contact, a sensor are: the first is true. */
static const char *const pairs[][2] = {
	{"on", "off"},
	{"true", "false"},
	{"1", "0"},
	{"yes", "no"},
	{"open", "closed"},
	{"open", "close"},
	{"opened", "closed"},
	{"active", "inactive"},
	{"enabled", "disabled"},
	{"detected", "clear"},
	{"motion", "clear"},
	{"alarm", "normal"},
	{"online", "offline"},
	{"connected", "disconnected"},
	{"connected", "lost"},
};
enum { FIRST_PRESENCE = 12 };

/* --- names --- */

void gw_traffic_fold(struct gw_str s, char *ret_word)
{
	size_t n = 0;
	for (size_t i = 0; i < s.len && n + 2 < GW_TRAFFIC_WORD_BYTES; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool hump = i > 0 && isupper(c) && islower((unsigned char)s.p[i - 1]);
		if (!isalnum(c) || c > 127) {
			c = '_';
		}
		if ((hump || c == '_') && n > 0 && ret_word[n - 1] != '_') {
			ret_word[n++] = '_';
		}
		if (c != '_') {
			ret_word[n++] = (char)tolower(c);
		}
	}
	n -= n > 0 && ret_word[n - 1] == '_';
	ret_word[n] = 0;
}

struct names {
	char name[8][GW_TRAFFIC_WORD_BYTES];
	struct gw_str unit[8]; /* that the name's end says */
	size_t n;
};

static void add_name(struct names *l, const char *name, struct gw_str unit)
{
	size_t len = strlen(name);
	if (len == 0 || l->n == gw_countof(l->name)) {
		return;
	}
	(void)snprintf(l->name[l->n], sizeof(l->name[0]), "%s", name);
	l->unit[l->n++] = unit;
}

/* The name, without the unit at its end, without the number at its end. */
static void add_forms(struct names *l, const char *name)
{
	char form[GW_TRAFFIC_WORD_BYTES];
	size_t len = strlen(name);
	add_name(l, name, GW_STR(""));
	for (size_t i = 0; i < gw_countof(unit_ends); i++) {
		if (gw_str_ends(gw_str(name), unit_ends[i].end)) {
			(void)snprintf(form, sizeof(form), "%.*s",
				       (int)(len - strlen(unit_ends[i].end)), name);
			add_name(l, form, gw_str(unit_ends[i].unit));
		}
	}
	while (len > 0 && (isdigit((unsigned char)name[len - 1]) || name[len - 1] == '_')) {
		len--;
	}
	if (len > 0 && name[len]) {
		(void)snprintf(form, sizeof(form), "%.*s", (int)len, name);
		add_name(l, form, GW_STR(""));
	}
}

/* A word that says nothing without the level before it. */
static bool is_generic(const char *name)
{
	static const char *const words[] = {"value",   "state",	   "status",
					    "reading", "measured", "level"};
	for (size_t i = 0; i < gw_countof(words); i++) {
		if (strcmp(words[i], name) == 0) {
			return true;
		}
	}
	return false;
}

/* The last level with its parent, alone, and the parent; levels that are a number are passed over. */
static void names_of(const char *full, struct names *ret)
{
	char own[GW_TRAFFIC_WORD_BYTES] = "", parent[GW_TRAFFIC_WORD_BYTES] = "";
	char both[GW_TRAFFIC_WORD_BYTES];
	struct gw_str rest = gw_str(full), level;
	ret->n = 0;
	while (gw_str_split(&rest, '/', &level)) {
		uint64_t index;
		if (level.len > 0 && gw_parse_u64(level, &index) < 0) {
			memcpy(parent, own, sizeof(parent));
			gw_traffic_fold(level, own);
		}
	}
	if (parent[0] && strlen(parent) + strlen(own) + 2 <= sizeof(both)) {
		(void)snprintf(both, sizeof(both), "%.31s_%.31s", parent, own);
		add_name(ret, both, GW_STR(""));
	}
	add_forms(ret, own);
	if (is_generic(own)) {
		add_forms(ret, parent);
	}
}

/* --- words --- */

static bool same_word(const char *a, const char *b)
{
	char x[GW_TRAFFIC_WORD_BYTES], y[GW_TRAFFIC_WORD_BYTES];
	gw_traffic_fold(gw_str(a), x);
	gw_traffic_fold(gw_str(b), y);
	return strcmp(x, y) == 0;
}

/* word spelled as like is: in capitals, with one, or without. */
static const char *spelled(struct gw_draft *d, const char *word, const char *like)
{
	bool first = isupper((unsigned char)like[0]) != 0;
	bool all = first && (!like[1] || isupper((unsigned char)like[1]));
	char text[GW_TRAFFIC_WORD_BYTES];
	size_t n = 0;
	for (; word[n] && n + 1 < sizeof(text); n++) {
		text[n] = (char)(all || (first && n == 0) ? toupper((unsigned char)word[n])
							  : word[n]);
	}
	text[n] = 0;
	return gw_draft_printf(d, "%s", text);
}

static void add_flag(struct gw_meaning *m, const char *word, bool flag)
{
	for (unsigned i = 0; i < m->n_map; i++) {
		if (strcmp(m->map[i].word, word) == 0) {
			return;
		}
	}
	if (m->n_map < gw_countof(m->map)) {
		m->map[m->n_map].word = word;
		m->map[m->n_map++].flag = flag;
	}
}

static bool map_pair(struct gw_draft *d, const char *const pair[2], const struct gw_seen *s,
		     struct gw_meaning *m)
{
	bool has[2] = {false, false};
	m->n_map = 0;
	for (unsigned i = 0; i < s->n_words; i++) {
		bool yes = same_word(s->word[i], pair[0]);
		if (!yes && !same_word(s->word[i], pair[1])) {
			return false;
		}
		has[yes ? 0 : 1] = true;
		add_flag(m, s->word[i], yes);
	}
	if (s->bools) { /* in another message */
		add_flag(m, "true", true);
		add_flag(m, "false", false);
		return true;
	}
	for (unsigned i = 0; i < 2; i++) {
		if (!has[i]) {
			add_flag(m, spelled(d, pair[i], s->word[0]), i == 0);
			m->why = gw_draft_printf(d, "%s was not seen", m->map[m->n_map - 1].word);
		}
	}
	return true;
}

/* Texts that are true and false. */
static bool map_words(struct gw_draft *d, const struct gw_seen *s, size_t from,
		      struct gw_meaning *m)
{
	if (s->many || s->n_words == 0) {
		return false;
	}
	for (size_t i = from; i < gw_countof(pairs); i++) {
		if (map_pair(d, pairs[i], s, m)) {
			return true;
		}
	}
	m->n_map = 0;
	return false;
}

/* Numbers that are true and false. */
static bool map_bits(const struct gw_seen *s, struct gw_meaning *m)
{
	if (!s->numbers || s->numeric || s->min < 0 || s->max > 1 || s->decimals) {
		return false;
	}
	add_flag(m, "1", true);
	add_flag(m, "0", false);
	return true;
}

/* --- does it fit? --- */

/* "warning|ok": what true and false are; "!": the other way round. */
static bool fit_bool(struct gw_draft *d, const char *map, const struct gw_seen *s,
		     struct gw_meaning *m)
{
	bool inverted = map && map[0] == '!';
	if (!gw_seen_is_bool(s) && !map_words(d, s, 0, m) && !map_bits(s, m)) {
		return false;
	}
	if (inverted && m->n_map == 0) {
		add_flag(m, "true", true);
		add_flag(m, "false", false);
	}
	/* Words say what is: "open" is open however the value is called. */
	bool words = s->n_words && same_word(s->word[0], "open");
	for (unsigned i = 0; inverted && !words && i < m->n_map; i++) {
		m->map[i].flag = !m->map[i].flag;
	}
	return true;
}

static bool fit_enum(struct gw_draft *d, const struct gw_capability *cap, const char *map,
		     const struct gw_seen *s, struct gw_meaning *m)
{
	const char *bar = map ? strchr(map, '|') : NULL;
	if (bar && (gw_seen_is_bool(s) || map_words(d, s, 0, m))) {
		if (m->n_map == 0) {
			add_flag(m, "true", true);
			add_flag(m, "false", false);
		}
		for (unsigned i = 0; i < m->n_map; i++) {
			m->map[i].value =
				m->map[i].flag ? gw_draft_printf(d, "%.*s", (int)(bar - map), map)
					       : bar + 1;
		}
		return true;
	}
	m->n_map = 0;
	for (unsigned i = 0; i < s->n_words && !s->many; i++) {
		const char *symbol = gw_symbol_for(cap, gw_str(s->word[i]));
		if (!symbol) {
			return false;
		}
		m->map[m->n_map].word = s->word[i];
		m->map[m->n_map++].value = symbol;
	}
	return m->n_map > 0 && gw_seen_is_text(s);
}

static bool fit_number(const struct gw_capability *cap, struct gw_str unit,
		       const struct gw_linear *scale, const struct gw_seen *s, struct gw_meaning *m)
{
	struct gw_linear to = GW_LINEAR_NONE;
	if (!gw_seen_is_number(s) ||
	    (scale->mul == 0 && !gw_unit_to(gw_unit_word(unit), cap->unit, &to))) {
		return false;
	}
	m->linear = scale->mul != 0 ? *scale : to;
	m->as_num = s->numeric > 0;
	double lo = gw_linear_apply(m->linear, s->min), hi = gw_linear_apply(m->linear, s->max);
	return (!cap->has_min || lo >= gw_count_value(cap->min, cap->res) - 1e-9) &&
	       (!cap->has_max || hi <= gw_count_value(cap->max, cap->res) + 1e-9);
}

static bool fits(struct gw_draft *d, const char *id, struct gw_str unit, const char *map,
		 const struct gw_linear *scale, const struct gw_seen *s, struct gw_meaning *m)
{
	const struct gw_capability *cap = gw_capability_find(gw_str(id));
	if (!cap) {
		return false;
	}
	*m = (struct gw_meaning){.cap = cap->id, .type = cap->type, .linear = GW_LINEAR_NONE};
	if (cap->kind == GW_KIND_EVENT) {
		m->event = true;
		return cap->n_symbols && fit_enum(d, cap, map, s, m);
	}
	if (cap->kind != GW_KIND_PROPERTY) {
		return false;
	}
	switch (cap->type) {
	case GW_TYPE_BOOL: return fit_bool(d, map, s, m);
	case GW_TYPE_ENUM: return !cap->profile_named && fit_enum(d, cap, map, s, m);
	case GW_TYPE_INT:
	case GW_TYPE_NUM: return fit_number(cap, unit, scale, s, m);
	case GW_TYPE_STR: return gw_seen_is_text(s);
	case GW_TYPE_TIME:
	case GW_TYPE_LIST:
	case GW_TYPE_REC:
	case GW_TYPE_NONE: break;
	}
	return false;
}

static bool find(struct gw_draft *d, const char *name, struct gw_str unit, const struct gw_seen *s,
		 struct gw_meaning *m)
{
	for (size_t i = 0; i < gw_countof(rows); i++) {
		bool in = rows[i].hi <= 0 || (s->max >= rows[i].lo && s->max <= rows[i].hi);
		struct gw_str of = rows[i].unit ? gw_str(rows[i].unit) : unit;
		if (strcmp(rows[i].name, name) == 0 && in &&
		    fits(d, rows[i].cap, of, NULL, &rows[i].scale, s, m)) {
			m->why = rows[i].why ? rows[i].why : m->why;
			return true;
		}
	}
	const struct gw_linear none = {0, 0, 0};
	const struct gw_name_row *row = gw_name_find(gw_str(name));
	return row && fits(d, row->cap, unit, row->map, &none, s, m);
}

/* --- own capabilities --- */

static bool is_symbol(const char *s)
{
	for (size_t i = 0; s[i]; i++) {
		if (i >= 32 || !(isalnum((unsigned char)s[i]) || strchr(" _-", s[i]))) {
			return false;
		}
	}
	return isalpha((unsigned char)s[0]) != 0;
}

/* Few words that come again are the symbols of an enum. */
static bool own_enum(struct gw_draft *d, const struct gw_seen *s, struct gw_meaning *m)
{
	if (s->many || s->n_words < 2 || s->n_words > 8 || s->texts <= s->n_words) {
		return false;
	}
	for (unsigned i = 0; i < s->n_words; i++) {
		const char *symbol = gw_draft_slug(d, gw_str(s->word[i]));
		if (!is_symbol(s->word[i])) {
			return false;
		}
		for (unsigned k = 0; k < i; k++) { /* "On" and "on" would be one */
			if (strcmp(gw_draft_slug(d, gw_str(s->word[k])), symbol) == 0) {
				return false;
			}
		}
		m->map[i].word = s->word[i];
		m->map[i].value = symbol;
	}
	m->type = GW_TYPE_ENUM;
	m->n_map = s->n_words;
	return true;
}

static struct gw_meaning own(struct gw_draft *d, const struct gw_seen *s)
{
	struct gw_meaning m = {.type = GW_TYPE_STR, .linear = GW_LINEAR_NONE};
	bool numbers = gw_seen_is_number(s);
	if (gw_seen_is_bool(s)) {
		m.type = GW_TYPE_BOOL;
	} else if (!numbers && map_words(d, s, 0, &m)) {
		m.type = GW_TYPE_BOOL;
	} else if (numbers) {
		m.type = s->decimals ? GW_TYPE_NUM : GW_TYPE_INT;
		m.as_num = s->numeric > 0;
		m.why = s->changed && !s->shrank && s->count >= 4 ? "only grows: a counter" : NULL;
	} else {
		(void)own_enum(d, s, &m); /* else it stays a text */
	}
	return m;
}

struct gw_meaning gw_traffic_mean(struct gw_draft *d, const char *full, struct gw_str unit,
				  const struct gw_seen *seen)
{
	struct names names;
	struct gw_meaning m;
	names_of(full, &names);
	for (size_t i = 0; i < names.n; i++) {
		struct gw_str told = names.unit[i].len ? names.unit[i] : unit;
		if (find(d, names.name[i], told, seen, &m)) {
			return m;
		}
	}
	return own(d, seen);
}

bool gw_traffic_is_presence(struct gw_draft *d, const char *full, const struct gw_seen *seen,
			    struct gw_meaning *ret_meaning)
{
	static const char *const ends[] = {"lwt", "availability", "online", "connected",
					   "available"};
	struct gw_meaning m = {
		.cap = "link.online", .type = GW_TYPE_BOOL, .linear = GW_LINEAR_NONE};
	struct names names;
	bool called = false;
	names_of(full, &names);
	for (size_t i = 0; i < names.n; i++) {
		for (size_t k = 0; k < gw_countof(ends); k++) {
			called |= strcmp(names.name[i], ends[k]) == 0;
		}
	}
	bool words = map_words(d, seen, called ? 0 : FIRST_PRESENCE, &m);
	if (words || (called && gw_seen_is_bool(seen))) {
		*ret_meaning = m;
		return true;
	}
	return false;
}
