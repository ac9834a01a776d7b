/* SmartIR climate tables: from commands[mode][fan][swing?][temperature] to rows. */
#include <errno.h>
#include <math.h>

#include "profile/import/smartir_climate.h"

#define MAX_CODES 8192

/* Where a code stands in the commands. A text without bytes: any. */
struct place {
	struct gw_str mode, fan, swing;
	double temp;
	bool has_temp;
};

typedef int (*leaf_fn)(struct gw_smartir_climate *c, const struct place *p,
		       const struct gw_node *n);

/* --- walking the commands --- */

static const char *at_of(struct gw_smartir_climate *c, const struct place *p, struct gw_str key)
{
	return gw_draft_printf(
		c->s->b, "commands/" GW_STR_FMT "%s" GW_STR_FMT "%s" GW_STR_FMT "/" GW_STR_FMT,
		GW_STR_ARG(p->mode), p->fan.len ? "/" : "", GW_STR_ARG(p->fan),
		p->swing.len ? "/" : "", GW_STR_ARG(p->swing), GW_STR_ARG(key));
}

static double number_of(const struct gw_node *root, const char *key, double fallback)
{
	const struct gw_node *n = gw_node_get(root, key);
	return n && n->type == GW_NODE_NUMBER ? n->number : fallback;
}

/* minTemperature, and precision steps of it up to maxTemperature: others cannot be chosen. */
static bool offered_temp(const struct gw_smartir_climate *c, double temp)
{
	double min = number_of(c->s->root, "minTemperature", temp);
	double step = number_of(c->s->root, "precision", 0);
	double k = step > 0 ? (temp - min) / step : 0;
	return temp >= min && temp <= number_of(c->s->root, "maxTemperature", temp) &&
	       fabs(k - round(k)) < 1e-6;
}

/* Words that the file does not offer to people are none, whatever stands below them. */
static bool offered(const struct gw_smartir_climate *c, const char *list, struct gw_str word)
{
	const struct gw_node *declared = gw_node_get(c->s->root, list);
	if (!declared || declared->type != GW_NODE_LIST || declared->count == 0) {
		return word.len > 0 && word.p[0] != '_';
	}
	gw_node_for(n, declared)
	{
		if (n->type == GW_NODE_TEXT && gw_str_eq(n->text, word)) {
			return true;
		}
	}
	return false;
}

static void hide(struct gw_smartir_climate *c, const struct place *p, struct gw_str key)
{
	gw_import_fate(c->s->b->result, at_of(c, p, key), GW_FATE_HIDDEN, NULL, NULL);
}

static const char *const levels[] = {"fanModes", "swingModes"};

static int walk(struct gw_smartir_climate *c, struct place p, const struct gw_node *map,
		unsigned level, leaf_fn leaf)
{
	int r = 0;
	for (const struct gw_node *n = map->first; n && r == 0; n = n->next) {
		struct gw_str key = gw_str_trim(n->key);
		struct place below = p;
		bool number = gw_parse_double(key, &below.temp) == 0;
		bool word = level < gw_countof(levels) && offered(c, levels[level], key);
		if (n->type != GW_NODE_MAP && number && offered_temp(c, below.temp)) {
			below.has_temp = true;
			r = leaf(c, &below, n);
		} else if (word && !(number && n->type != GW_NODE_MAP)) {
			*(level == 0 ? &below.fan : &below.swing) = key;
			r = n->type == GW_NODE_MAP ? walk(c, below, n, level + 1, leaf)
						   : leaf(c, &below, n);
		} else if (c->rows) { /* told once */
			hide(c, &p, key);
		}
	}
	return r;
}

static int walk_modes(struct gw_smartir_climate *c, leaf_fn leaf)
{
	int r = 0;
	for (const struct gw_node *n = c->s->commands->first; n && r == 0; n = n->next) {
		const struct place p = {.mode = n->key};
		if (gw_str_is(n->key, "off") || gw_str_is(n->key, "on")) {
			continue;
		}
		if (!offered(c, "operationModes", n->key)) {
			if (c->rows) {
				hide(c, &(struct place){{"", 0}}, n->key);
			}
		} else {
			r = n->type == GW_NODE_MAP ? walk(c, p, n, 0, leaf) : leaf(c, &p, n);
		}
	}
	return r;
}

/* --- words and temperatures --- */

static int temp_index(const struct gw_smartir_climate *c, double temp)
{
	for (size_t i = 0; i < c->n_temps; i++) {
		if (c->temps[i] == temp) {
			return (int)i;
		}
	}
	return -1;
}

static void add_temp(struct gw_smartir_climate *c, double temp)
{
	if (temp_index(c, temp) >= 0 || c->n_temps == GW_SMARTIR_TEMPERATURES) {
		return;
	}
	size_t i = c->n_temps++;
	for (; i > 0 && c->temps[i - 1] > temp; i--) {
		c->temps[i] = c->temps[i - 1];
	}
	c->temps[i] = temp;
}

static int see(struct gw_smartir_climate *c, const struct place *p, const struct gw_node *n)
{
	struct gw_smartir *s = c->s;
	(void)n;
	(void)gw_smartir_word(s, &c->modes, p->mode); /* too many: told when rows are made */
	if (p->fan.len) {
		(void)gw_smartir_word(s, &c->fans, p->fan);
	}
	if (p->swing.len) {
		(void)gw_smartir_word(s, &c->swings, p->swing);
	}
	if (p->has_temp) {
		add_temp(c, p->temp);
	}
	return ++c->n_rows > MAX_CODES ? -E2BIG : 0;
}

static void measure_temps(struct gw_smartir_climate *c)
{
	double gap = INFINITY, room = c->fahrenheit ? 75 : 24;
	bool regular = true;
	c->complete = true;
	for (size_t i = 1; i < c->n_temps; i++) {
		gap = fmin(gap, c->temps[i] - c->temps[i - 1]);
	}
	for (size_t i = 1; i < c->n_temps; i++) {
		double k = (c->temps[i] - c->temps[i - 1]) / gap;
		regular &= fabs(k - round(k)) < 1e-6;
		c->complete &= fabs(k - 1) < 1e-6;
	}
	for (size_t i = 0; i < c->n_temps; i++) {
		if (fabs(c->temps[i] - room) < fabs(c->temps[c->first_temp] - room)) {
			c->first_temp = i;
		}
	}
	c->step = regular && c->n_temps > 1 ? gap : 0;
}

/* --- rows --- */

static uint64_t hash_of(const char *text)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (; *text; text++) {
		h = (h ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
	}
	return h;
}

/* The bit of a word; all ones for any, 0: there were too many words. */
static uint64_t bit_of(const struct gw_smartir_words *w, struct gw_str word)
{
	int i = word.len ? gw_smartir_find(w, word) : 0;
	return word.len == 0 ? UINT64_MAX : i < 0 ? 0 : UINT64_C(1) << i;
}

static struct gw_smartir_temps bit_of_temp(const struct gw_smartir_climate *c,
					   const struct place *p)
{
	struct gw_smartir_temps t = {{0}};
	int i = p->has_temp ? temp_index(c, p->temp) : -1;
	for (size_t k = 0; k < gw_countof(t.bits); k++) {
		t.bits[k] = p->has_temp ? 0 : UINT64_MAX;
	}
	if (i >= 0) {
		t.bits[i / 64] = UINT64_C(1) << (i % 64);
	}
	return t;
}

bool gw_smartir_has_temp(const struct gw_smartir_temps *t, size_t i)
{
	return t->bits[i / 64] >> (i % 64) & 1;
}

bool gw_smartir_same_temps(const struct gw_smartir_temps *a, const struct gw_smartir_temps *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool gw_smartir_no_temp(const struct gw_smartir_temps *t)
{
	static const struct gw_smartir_temps none;
	return gw_smartir_same_temps(t, &none);
}

static bool meet(const struct gw_smartir_row *a, const struct gw_smartir_row *b)
{
	bool temp = false;
	for (size_t i = 0; i < gw_countof(a->temp.bits); i++) {
		temp |= (a->temp.bits[i] & b->temp.bits[i]) != 0;
	}
	return a->mode == b->mode && (a->fan & b->fan) && (a->swing & b->swing) && temp;
}

static int add_row(struct gw_smartir_climate *c, const struct place *p, const struct gw_node *n)
{
	const char *at = at_of(c, p, n->key);
	const char *code = gw_smartir_code(c->s, at, n);
	if (!code) {
		return 0;
	}
	int mode = gw_smartir_find(&c->modes, p->mode);
	struct gw_smartir_row row = {.fan = bit_of(&c->fans, p->fan),
				     .swing = bit_of(&c->swings, p->swing),
				     .temp = bit_of_temp(c, p),
				     .code = code,
				     .hash = hash_of(code),
				     .mode = (uint8_t)(mode < 0 ? 0 : mode)};
	if (mode < 0 || !row.fan || !row.swing || gw_smartir_no_temp(&row.temp)) {
		gw_import_fate(c->s->b->result, at, GW_FATE_UNMAPPED, NULL,
			       "more choices than a table can have");
		return 0;
	}
	if (c->s->narrow && row.swing != UINT64_MAX && row.swing != 1) {
		gw_import_fate(c->s->b->result, at, GW_FATE_UNMAPPED, NULL,
			       "more codes than the 256 KiB of a profile");
		return 0;
	}
	/* One state twice ("16" and " 16"): the first counts. Those of one mode follow each other. */
	for (size_t i = c->n_rows; code[0] && i > 0 && c->rows[i - 1].mode == row.mode; i--) {
		if (meet(&c->rows[i - 1], &row)) {
			code = "";
		}
	}
	if (!code[0]) {
		gw_import_fate(c->s->b->result, at, GW_FATE_HIDDEN, NULL, NULL);
		return 0;
	}
	c->rows[c->n_rows++] = row;
	return 0;
}

/* b into a, when they differ in one column. */
static bool merge(struct gw_smartir_row *a, const struct gw_smartir_row *b)
{
	bool fan = a->fan == b->fan, swing = a->swing == b->swing,
	     temp = gw_smartir_same_temps(&a->temp, &b->temp);
	if (fan + swing + temp != 2) {
		return false;
	}
	a->fan |= b->fan;
	a->swing |= b->swing;
	for (size_t i = 0; i < gw_countof(a->temp.bits); i++) {
		a->temp.bits[i] |= b->temp.bits[i];
	}
	return true;
}

/* Temperatures first, as they come; then what is left once or twice more, for speeds and swings. */
static void merge_rows(struct gw_smartir_climate *c)
{
	for (unsigned pass = 0; pass < 3; pass++) {
		size_t n = 0;
		for (size_t i = 0; i < c->n_rows; i++) {
			const struct gw_smartir_row *row = &c->rows[i];
			bool merged = false;
			for (size_t k = n; k > 0 && !merged && c->rows[k - 1].mode == row->mode;
			     k--) {
				struct gw_smartir_row *to = &c->rows[k - 1];
				merged = to->hash == row->hash &&
					 strcmp(to->code, row->code) == 0 && merge(to, row);
			}
			if (!merged) {
				c->rows[n++] = *row;
			}
		}
		c->n_rows = n;
	}
}

static void mark_doubles(struct gw_smartir_climate *c)
{
	size_t doubles = 0;
	for (size_t i = 0; i < c->n_rows; i++) {
		struct gw_smartir_row *row = &c->rows[i];
		row->ro = c->off && strcmp(row->code, c->off) == 0;
		for (size_t k = 0; k < i && !row->ro; k++) {
			row->ro = c->rows[k].hash == row->hash &&
				  strcmp(c->rows[k].code, row->code) == 0;
		}
		doubles += row->ro;
	}
	if (doubles > 0) {
		gw_draft_note(c->s->b,
			      "%zu codes stand for another state too, so that it is the first that "
			      "is taken when the code itself is written",
			      doubles);
	}
}

/* --- what a mode can do --- */

static void union_of(struct gw_smartir_temps *to, const struct gw_smartir_temps *t)
{
	for (size_t i = 0; i < gw_countof(to->bits); i++) {
		to->bits[i] |= t->bits[i];
	}
}

/* The temperatures of one speed with one swing, from the rows of the mode that begin at first. */
static struct gw_smartir_temps temps_of(const struct gw_smartir_climate *c, size_t first,
					uint64_t fan, uint64_t swing)
{
	struct gw_smartir_temps t = {{0}};
	for (size_t i = first; i < c->n_rows && c->rows[i].mode == c->rows[first].mode; i++) {
		if ((c->rows[i].fan & fan) && (c->rows[i].swing & swing)) {
			union_of(&t, &c->rows[i].temp);
		}
	}
	return t;
}

static void find_reach(struct gw_smartir_climate *c, size_t first)
{
	uint8_t mode = c->rows[first].mode;
	struct gw_smartir_row *all = &c->reach[mode];
	struct gw_smartir_temps common;
	memset(&common, 0xff, sizeof(common));
	for (size_t i = 0; i == 0 || i < c->fans.n; i++) {
		for (size_t k = 0; k == 0 || k < c->swings.n; k++) {
			uint64_t fan = UINT64_C(1) << i, swing = UINT64_C(1) << k;
			struct gw_smartir_temps t = temps_of(c, first, fan, swing);
			if (gw_smartir_no_temp(&t)) {
				continue;
			}
			for (size_t j = 0; j < gw_countof(t.bits); j++) {
				common.bits[j] &= t.bits[j];
			}
			all->fan |= fan;
			all->swing |= swing;
			union_of(&c->widest[mode], &t);
		}
	}
	all->mode = mode;
	all->temp = gw_smartir_no_temp(&common) ? c->widest[mode] : common;
}

static void find_all_reach(struct gw_smartir_climate *c)
{
	for (size_t i = 0; i < c->n_rows; i++) {
		if (i == 0 || c->rows[i].mode != c->rows[i - 1].mode) {
			find_reach(c, i);
		}
	}
}

static bool is_fahrenheit(const struct gw_smartir_climate *c)
{
	return number_of(c->s->root, "maxTemperature", 0) > 45 ||
	       (c->n_temps > 0 && c->temps[c->n_temps - 1] > 45);
}

int gw_smartir_rows(struct gw_smartir_climate *c)
{
	struct gw_smartir *s = c->s;
	const struct gw_node *off = gw_node_get(s->commands, "off");
	int r = walk_modes(c, see);
	if (r < 0) {
		return gw_error_set(s->error, -EBADMSG, "import", "found more than %d codes",
				    MAX_CODES);
	}
	c->rows = gw_arena_alloc(s->b->a, (c->n_rows + 1) * sizeof(*c->rows));
	c->n_rows = 0;
	r = c->rows ? walk_modes(c, add_row) : -ENOMEM;
	if (r < 0) {
		return r;
	}
	const char *code = off ? gw_smartir_code(s, "commands/off", off) : NULL;
	c->off = code && code[0] ? code : NULL;
	c->fahrenheit = is_fahrenheit(c);
	if (s->narrow && c->swings.n > 1) {
		c->swings.n = 1;
	}
	measure_temps(c);
	gw_smartir_speeds(&c->fans);
	merge_rows(c);
	mark_doubles(c);
	find_all_reach(c);
	return s->b->failed ? -ENOMEM : 0;
}
