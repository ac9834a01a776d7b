/*
 * SmartIR climate tables: commands[mode][fan][swing?][temperature] is a code, so the table of a profile is theirs, row by row
 * (profile-language §17, case 60). Rows with one code that differ in one column only are one row with a list. The first state of a
 * code is the one that is taken when the code itself is written; the others are read only.
 *
 * A mode that lacks a speed, a swing or a temperature moves the appliance to one that it has: thermostat.mode is a table over all
 * columns, whose cells are lists. Every other combination without a code is refused by the profile, and so is everything but the mode
 * while the appliance is off: there is no code for it.
 */
#include "profile/import/smartir_climate.h"

#include <errno.h>
#include <math.h>

#include "profile/import/vocabulary.h"

/* --- cells --- */

static struct gw_node *word_node(struct gw_smartir_climate *c, const char *word)
{
	/* The adapter gets back what it was sent, so the word may be changed where the language means something else by it. */
	return gw_text_node(c->s->b, gw_str(strcmp(word, "any") == 0 ? "any_" : word));
}

/* The first index is the one that a write takes. */
static size_t nth(size_t k, size_t first)
{
	return k == 0 ? first : k <= first ? k - 1 : k;
}

static void add_words_cell(struct gw_smartir_climate *c, struct gw_node *row,
			   const struct gw_smartir_words *w, uint64_t mask)
{
	size_t n = 0, first = 0;
	struct gw_node *list = gw_node_new(c->s->b->a, GW_NODE_LIST);
	for (size_t i = 0; i < w->n; i++) {
		first = w->symbol[i] && strcmp(w->symbol[i], "auto") == 0 ? i : first;
	}
	for (size_t k = 0; k < w->n; k++) {
		size_t i = nth(k, first);
		if (mask >> i & 1) {
			gw_add_node(c->s->b, list, word_node(c, w->word[i]));
			n++;
		}
	}
	if (n == w->n) {
		gw_add_text(c->s->b, row, GW_STR("any"));
	} else if (n == 1) {
		gw_add_node(c->s->b, row, list ? list->first : NULL);
	} else {
		gw_add_node(c->s->b, row, list);
	}
}

static void add_temps_cell(struct gw_smartir_climate *c, struct gw_node *row,
			   const struct gw_smartir_temps *t)
{
	size_t n = 0;
	struct gw_node *list = gw_node_new(c->s->b->a, GW_NODE_LIST);
	for (size_t k = 0; k < c->n_temps; k++) {
		size_t i = nth(k, c->first_temp);
		if (gw_smartir_has_temp(t, i)) {
			gw_add_number(c->s->b, list, c->temps[i]);
			n++;
		}
	}
	bool any = t->bits[gw_countof(t->bits) - 1] >> 63 && n == c->n_temps;
	if (any || (n == c->n_temps && c->complete)) {
		gw_add_text(c->s->b, row, GW_STR("any"));
	} else if (n == 1) {
		gw_add_node(c->s->b, row, list ? list->first : NULL);
	} else {
		gw_add_node(c->s->b, row, list);
	}
}

/* mode, and each column that exists. */
static void add_cells(struct gw_smartir_climate *c, struct gw_node *row,
		      const struct gw_smartir_row *r)
{
	gw_add_node(c->s->b, row, word_node(c, c->modes.word[r->mode]));
	if (c->fans.n) {
		add_words_cell(c, row, &c->fans, r->fan);
	}
	if (c->swings.n) {
		add_words_cell(c, row, &c->swings, r->swing);
	}
	if (c->n_temps) {
		add_temps_cell(c, row, &r->temp);
	}
}

static void add_columns(struct gw_smartir_climate *c, struct gw_node *cap)
{
	struct gw_node *table = gw_set_list(c->s->b, cap, "table");
	const struct {
		const char *name;
		bool there;
	} columns[] = {{"mode", true},
		       {"fan", c->fans.n > 0},
		       {"swing", c->swings.n > 0},
		       {"temp", c->n_temps > 0}};
	for (size_t i = 0; i < gw_countof(columns); i++) {
		if (columns[i].there) {
			gw_add_text(c->s->b, table, gw_str(columns[i].name));
		}
	}
}

static size_t n_columns(const struct gw_smartir_climate *c)
{
	return 1U + (c->fans.n > 0) + (c->swings.n > 0) + (c->n_temps > 0);
}

static void add_anys(struct gw_smartir_climate *c, struct gw_node *row)
{
	for (size_t i = 1; i < n_columns(c); i++) {
		gw_add_text(c->s->b, row, GW_STR("any"));
	}
}

/* A row {cells, value, ro: true}, or [cells…, value]; the list that takes the cells is returned, finish_row adds the value. */
static struct gw_node *start_row(struct gw_smartir_climate *c)
{
	return gw_node_new(c->s->b->a, GW_NODE_LIST);
}

/* --- capabilities --- */

static void add_code(struct gw_smartir_climate *c)
{
	struct gw_draft *b = c->s->b;
	struct gw_node *cap = gw_draft_cap(b, NULL, "x.smartir.code");
	if (!cap) {
		return;
	}
	gw_set_text(b, cap, "type", "str");
	add_columns(c, cap);
	struct gw_node *rows = gw_set_list(b, cap, "rows");
	if (c->off) {
		struct gw_node *cells = start_row(c);
		gw_add_text(b, cells, GW_STR("off"));
		add_anys(c, cells);
		gw_draft_row(c->s->b, rows, cells, gw_text_node(c->s->b, gw_str(c->off)),
			     /* ro= */ false);
	}
	for (size_t i = 0; i < c->n_rows; i++) {
		struct gw_node *cells = start_row(c);
		add_cells(c, cells, &c->rows[i]);
		gw_draft_row(c->s->b, rows, cells, gw_text_node(c->s->b, gw_str(c->rows[i].code)),
			     c->rows[i].ro);
	}
	gw_smartir_also(c->s, cap, "v");
	gw_import_fate(b->result, "commands", GW_FATE_VENDOR, "x.smartir.code", NULL);
}

static void add_mode_rows(struct gw_smartir_climate *c, struct gw_node *rows, size_t mode,
			  const char *value)
{
	struct gw_draft *b = c->s->b;

	struct gw_node *cells = start_row(c);
	add_cells(c, cells, &c->reach[mode]);
	bool moves = false;
	for (const struct gw_node *n = cells ? cells->first->next : NULL; n; n = n->next) {
		moves |= !gw_node_is_text(n, "any");
	}
	gw_draft_row(c->s->b, rows, cells, gw_text_node(c->s->b, gw_str(value)), /* ro= */ false);
	if (moves) { /* what is read does not depend on them */
		cells = start_row(c);
		gw_add_node(b, cells, word_node(c, c->modes.word[mode]));
		add_anys(c, cells);
		gw_draft_row(c->s->b, rows, cells, gw_text_node(c->s->b, gw_str(value)),
			     /* ro= */ true);
	}
}

/* symbols NULL: the words themselves. */
static void add_mode(struct gw_smartir_climate *c, const char *id, const char *const *symbols)
{
	struct gw_draft *b = c->s->b;
	struct gw_node *cap = gw_draft_cap(b, NULL, id);
	if (!cap) {
		return;
	}
	if (gw_draft_is_extension(id)) {
		gw_set_text(b, cap, "type", "enum");
	}
	add_columns(c, cap);
	struct gw_node *rows = gw_set_list(b, cap, "rows");
	const char *texts[GW_SMARTIR_WORDS + 1] = {c->off ? "off" : NULL};
	if (c->off) {
		struct gw_node *cells = start_row(c);
		gw_add_text(b, cells, GW_STR("off"));
		add_anys(c, cells);
		gw_draft_row(c->s->b, rows, cells, gw_text_node(c->s->b, gw_str("off")),
			     /* ro= */ false);
	}
	for (size_t i = 0; i < c->modes.n; i++) {
		bool has_codes = c->reach[i].fan != 0;
		const char *value = symbols ? symbols[i] : c->modes.word[i];
		value = has_codes ? value : NULL;
		texts[i + 1] = value;
		if (value) {
			add_mode_rows(c, rows, i, value);
		}
	}
	(void)gw_smartir_enum(c->s, cap, "enum", texts, c->modes.n + 1); /* failures are sticky */
	gw_smartir_also(c->s, cap, NULL);
	gw_import_fate(b->result, "operationModes", symbols ? GW_FATE_STANDARD : GW_FATE_VENDOR, id,
		       NULL);
}

static struct gw_node *add_rule(struct gw_smartir_climate *c, struct gw_node *cap, const char *mode)
{
	struct gw_node *limits = gw_node_get(cap, "limits");
	limits = limits ? limits : gw_set_list(c->s->b, cap, "limits");
	struct gw_node *rule = gw_node_new(c->s->b->a, GW_NODE_MAP);
	gw_add_node(c->s->b, limits, rule);
	gw_set_node(c->s->b, gw_set_map(c->s->b, rule, "if"), "mode", word_node(c, mode));
	return rule;
}

/* Written while the appliance works only: the mode must be known, and not off. */
void gw_smartir_limits(struct gw_smartir_climate *c, struct gw_node *cap)
{
	if (c->off) {
		gw_set_bool(c->s->b, add_rule(c, cap, "off"), "ro", true);
	}
	gw_smartir_also(c->s, cap, "has(mode) ? x.smartir.code : null");
}

void gw_smartir_choice(struct gw_smartir_climate *c, const struct gw_smartir_choice *k)
{
	struct gw_draft *b = c->s->b;
	const struct gw_smartir_words *w = k->words;
	struct gw_node *cap = gw_draft_cap(b, NULL, k->id);
	if (!cap) {
		return;
	}
	if (gw_draft_is_extension(k->id)) {
		gw_set_text(b, cap, "type", "enum");
	}
	gw_add_text(b, gw_set_list(b, cap, "table"), gw_str(k->point));
	struct gw_node *rows = gw_set_list(b, cap, "rows");
	for (size_t i = 0; i < w->n; i++) {
		if (k->values[i]) {
			struct gw_node *row = start_row(c);
			gw_add_node(b, row, word_node(c, w->word[i]));
			gw_draft_row(c->s->b, rows, row,
				     gw_text_node(c->s->b, gw_str(k->values[i])), /* ro= */ false);
		}
	}
	(void)gw_smartir_enum(c->s, cap, "enum", k->values, w->n); /* failures are sticky */
	gw_smartir_limits(c, cap);
	for (size_t m = 0; m < c->modes.n; m++) {

		uint64_t mask = k->swing ? c->reach[m].swing : c->reach[m].fan;
		const char *texts[GW_SMARTIR_WORDS];
		size_t n = 0, all = 0;
		for (size_t i = 0; i < w->n; i++) {
			texts[i] = mask >> i & 1 ? k->values[i] : NULL;
			n += texts[i] != NULL;
			all += k->values[i] != NULL;
		}
		if (n < all && mask != 0) {
			struct gw_node *rule = add_rule(c, cap, c->modes.word[m]);
			if (n == 0) {
				gw_set_bool(b, rule, "ro", true);
			} else {
				(void)gw_smartir_enum(c->s, rule, "enum", texts, w->n);
			}
		}
	}
	gw_import_fate(b->result, k->list,
		       gw_draft_is_extension(k->id) ? GW_FATE_VENDOR : GW_FATE_STANDARD, k->id,
		       NULL);
}

static void add_fan(struct gw_smartir_climate *c)
{
	if (gw_smartir_any_symbol(&c->fans)) {
		gw_smartir_choice(c, &(struct gw_smartir_choice){.words = &c->fans,
								 .values = c->fans.symbol,
								 .id = "fan.mode",
								 .point = "fan",
								 .list = "fanModes"});
	}
	if (c->fans.n > 0 && !gw_smartir_exact(&c->fans)) {
		gw_smartir_choice(c, &(struct gw_smartir_choice){.words = &c->fans,
								 .values = c->fans.word,
								 .id = "x.smartir.fan",
								 .point = "fan",
								 .list = "fanModes"});
	}
}

/* --- setpoint --- */

static double celsius(const struct gw_smartir_climate *c, double temp)
{
	return c->fahrenheit ? round((temp - 32) / 1.8 * 10) / 10 : temp;
}

static void set_range(struct gw_smartir_climate *c, struct gw_node *map,
		      const struct gw_smartir_temps *t)
{
	struct gw_node *range = gw_set_list(c->s->b, map, "range");
	size_t low = c->n_temps, high = 0;
	for (size_t i = 0; i < c->n_temps; i++) {
		low = gw_smartir_has_temp(t, i) && low == c->n_temps ? i : low;
		high = gw_smartir_has_temp(t, i) ? i : high;
	}
	gw_add_number(c->s->b, range, celsius(c, c->temps[low == c->n_temps ? 0 : low]));
	gw_add_number(c->s->b, range, celsius(c, c->temps[high]));
	if (c->step > 0 && !c->fahrenheit) {
		gw_add_number(c->s->b, range, c->step);
	}
}

static void add_setpoint(struct gw_smartir_climate *c)
{
	struct gw_draft *b = c->s->b;
	struct gw_node *cap =
		c->n_temps ? gw_draft_point_cap(b, NULL, "thermostat.setpoint", "temp") : NULL;
	struct gw_smartir_temps all = {{0}};
	if (!cap) {
		return;
	}
	if (c->fahrenheit) {
		gw_set_number(b, cap, "mul", 5);
		gw_set_number(b, cap, "div", 9);
		gw_set_number(b, cap, "add", -160.0 / 9);
	}
	for (size_t i = 0; i < c->n_temps; i++) {
		all.bits[i / 64] |= UINT64_C(1) << (i % 64);
	}
	set_range(c, cap, &all);
	gw_smartir_limits(c, cap);
	for (size_t m = 0; m < c->modes.n; m++) {
		struct gw_smartir_temps t = c->widest[m];
		for (size_t k = 0; k < gw_countof(t.bits); k++) {
			t.bits[k] &= all.bits[k];
		}
		if (!gw_smartir_no_temp(&t) && !gw_smartir_same_temps(&t, &all)) {
			set_range(c, add_rule(c, cap, c->modes.word[m]), &t);
		}
	}
	gw_import_fate(b->result, "temperature", GW_FATE_STANDARD, "thermostat.setpoint", NULL);
}

/* --- the profile --- */

static void set_first(struct gw_smartir_climate *c, struct gw_node *point,
		      const struct gw_smartir_words *w)
{
	size_t first = 0;
	for (size_t i = w->n; i > 0; i--) {
		first = w->symbol[i - 1] && strcmp(w->symbol[i - 1], "auto") == 0 ? i - 1 : first;
	}
	if (point) {
		gw_set_node(c->s->b, point, "init", word_node(c, w->word[first]));
	}
}

/* Until something was sent, the first command takes what every table has: automatic speed and a mild temperature. */
static void add_points(struct gw_smartir_climate *c)
{
	struct gw_draft *b = c->s->b;
	struct gw_node *base = gw_smartir_msg(c->s, "full");
	const struct gw_node *on = gw_node_get(c->s->commands, "on");
	const char *code = on ? gw_smartir_code(c->s, "commands/on", on) : NULL;
	if (code && code[0]) {
		gw_set_text(b, base, "on", code);
	}
	(void)gw_smartir_point(c->s, "mode", true); /* failures are sticky */
	if (c->fans.n > 0) {
		set_first(c, gw_smartir_point(c->s, "fan", true), &c->fans);
	}
	if (c->swings.n > 0) {
		set_first(c, gw_smartir_point(c->s, "swing", true), &c->swings);
	}
	struct gw_node *temp = c->n_temps ? gw_smartir_point(c->s, "temp", true) : NULL;
	bool whole = true;
	for (size_t i = 0; i < c->n_temps; i++) {
		whole &= c->temps[i] == floor(c->temps[i]);
	}
	if (temp) {
		gw_set_number(b, temp, "init", c->temps[c->first_temp]);
	}
	if (temp && !whole) {
		gw_set_bool(b, temp, "frac", true);
	}
	(void)gw_smartir_point(c->s, "code", false);
}

static void add_modes(struct gw_smartir_climate *c)
{
	const struct gw_capability *model = gw_capability_find(GW_STR("thermostat.mode"));
	for (size_t i = 0; model && i < c->modes.n; i++) {
		c->modes.symbol[i] = gw_symbol_for(model, gw_str(c->modes.word[i]));
	}
	bool any = c->off != NULL;
	for (size_t i = 0; i < c->modes.n; i++) {
		any |= c->modes.symbol[i] && c->reach[i].fan != 0;
	}
	if (any) {
		add_mode(c, "thermostat.mode", c->modes.symbol);
	}
	if (!gw_smartir_exact(&c->modes)) {
		add_mode(c, "x.smartir.mode", NULL);
	}
}

int gw_smartir_climate(struct gw_smartir *s)
{
	struct gw_smartir_climate c = {.s = s};
	int r = gw_smartir_rows(&c);
	if (r < 0 || c.n_rows == 0) {
		return r; /* nothing: told at the end */
	}
	s->has_swing = c.swings.n > 1;
	if (c.n_rows + 1 > GW_PROFILE_ROWS) {
		return -E2BIG;
	}
	s->b->hints |= GW_HINT_DRIES;
	add_points(&c);
	add_modes(&c);
	add_setpoint(&c);
	add_fan(&c);
	gw_smartir_swing(&c);
	add_code(&c);
	return s->b->failed ? -ENOMEM : 0;
}
