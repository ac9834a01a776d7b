/* Rows of a dp's mapping → a boolean, an enum, a list of faults; and where a capability stands. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "profile/import/tuya.h"
#include "profile/import/tuya_form.h"

/* --- fates, places, words --- */

void gw_tuya_fate(struct gw_tuya_dp *dp, const char *address, const char *construct)
{
	if (dp->told) {
		return;
	}
	dp->told = true;
	dp->address = address;
	const char *id = address ? strrchr(address, '/') : NULL;
	bool vendor = address && gw_draft_is_extension(id ? id + 1 : address);
	gw_import_fate(dp->entity->t->result, dp->at,
		       construct ? GW_FATE_UNMAPPED
		       : vendor	 ? GW_FATE_VENDOR
		       : address ? GW_FATE_STANDARD
				 : GW_FATE_HIDDEN,
		       address, construct);
}

static const char *address_of(struct gw_draft *b, const char *component, const char *id)
{
	return component ? gw_draft_printf(b, "%s/%s", component, id) : id;
}

struct gw_node *gw_tuya_cap(struct gw_tuya_entity *e, const char *hint, const char *label,
			    const char *id, bool main, const char **ret_address)
{
	struct gw_draft *b = e->t->b;
	const char *component = e->component;
	if (gw_draft_has(b, component, id)) {
		if (main) {
			return NULL;
		}
		const char *name = hint && hint[0] ? hint : e->kind;
		component = gw_draft_place(b, name, label, &id, 1);
	}
	struct gw_node *c = gw_draft_cap(b, component, id);
	if (c) {
		*ret_address = address_of(b, component, id);
	}
	return c;
}

/* "Position 1" → "position_1": what may be a symbol of a profile. */
static const char *fold(struct gw_draft *b, struct gw_str s)
{
	char word[64];
	size_t n = 0;
	for (size_t i = 0; i < s.len && n < sizeof(word) - 1; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (isalnum(c) || c >= 128) {
			word[n++] = (char)tolower(c);
		} else if (c == '+') {
			n += (size_t)snprintf(word + n, sizeof(word) - n, "%s", "plus");
			n = n < sizeof(word) ? n : sizeof(word) - 1;
		} else if (n > 0 && word[n - 1] != '_') {
			word[n++] = '_';
		}
	}
	while (n > 0 && word[n - 1] == '_') {
		n--;
	}
	word[n] = 0;
	return n > 0 && gw_str_is_utf8((struct gw_str){word, n}) ? gw_draft_printf(b, "%s", word)
								 : "none";
}

static struct gw_str text_of(struct gw_draft *b, const struct gw_node *n)
{
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
	if (n->type == GW_NODE_TEXT) {
		return n->text;
	}
	if (gw_node_text_form(n, &text) < 0 || gw_buf_error(&text)) {
		return GW_STR("");
	}
	return gw_str(gw_draft_printf(b, "%s", text.p ? text.p : ""));
}

const char *gw_tuya_symbol(struct gw_tuya *t, const struct gw_capability *cap,
			   const struct gw_node *value)
{
	struct gw_str word = text_of(t->b, value);
	const char *folded = fold(t->b, word);
	if (!cap || cap->profile_named) {
		return folded;
	}
	const char *own = gw_tuya_symbol_word(cap->id, gw_str(folded));
	return own ? own : gw_symbol_for(cap, gw_str(folded));
}

const char *gw_tuya_literal(struct gw_tuya *t, const struct gw_node *raw)
{
	switch (raw->type) {
	case GW_NODE_NULL: return "null";
	case GW_NODE_BOOL: return raw->flag ? "true" : "false";
	case GW_NODE_NUMBER:
		return gw_draft_printf(t->b, raw->number < 0 ? "(%.12g)" : "%.12g", raw->number);
	case GW_NODE_TEXT:
		return memchr(raw->text.p, '\'', raw->text.len)
			       ? NULL
			       : gw_draft_printf(t->b, "'" GW_STR_FMT "'", GW_STR_ARG(raw->text));
	case GW_NODE_LIST:
	case GW_NODE_MAP: break;
	}
	return NULL;
}

/* --- values of rows --- */

static struct gw_node *bool_value(struct gw_tuya *t, const struct gw_tuya_want *w, bool v)
{
	struct gw_draft *b = t->b;
	if (w->cap && w->cap->type == GW_TYPE_LIST) { /* faults */
		struct gw_node *list = gw_node_new(b->a, GW_NODE_LIST);
		if (v && list) {
			gw_add_text(b, list, GW_STR("problem"));
		}
		return list;
	}
	bool inverted = w->on && strcmp(w->on, "!") == 0;
	if (w->on && !inverted) {
		return gw_text_node(b, gw_str(v ? w->on : w->off));
	}
	return gw_bool_node(b, inverted ? !v : v);
}

/* The value of a row as the capability wants it; NULL: it has no such value. */
static struct gw_node *value_of(struct gw_tuya *t, const struct gw_tuya_want *w,
				const struct gw_node *value)
{
	enum gw_type type = w->cap ? w->cap->type : w->type;
	bool truth = type == GW_TYPE_BOOL || type == GW_TYPE_LIST || w->on;
	if (truth) {
		const char *own =
			w->cap ? gw_tuya_symbol_word(w->cap->id,
						     gw_str(fold(t->b, text_of(t->b, value))))
			       : NULL;
		struct gw_str word = own ? gw_str(own) : text_of(t->b, value);
		bool on = gw_str_is(word, "on") || gw_str_is(word, "true");
		bool off = gw_str_is(word, "off") || gw_str_is(word, "false");
		return on || off ? bool_value(t, w, on) : NULL;
	}
	if (type == GW_TYPE_ENUM) {
		const char *symbol = gw_tuya_symbol(t, w->cap, value);
		return symbol ? gw_text_node(t->b, gw_str(symbol)) : NULL;
	}
	double n = 0;
	if (value->type == GW_NODE_NUMBER) {
		n = value->number;
	} else if (!gw_tuya_number_word(text_of(t->b, value), w, &n)) {
		return NULL;
	}
	n = w->scale != 0 ? n * w->scale : n;
	return fabs(n) < 0x1p53 ? gw_node_new_number(t->b->a, n)
				: NULL; /* §1: a number of a profile */
}

/* Values in the capability's words. False: one has none (or, in part: fewer than two have). */
static bool convert(struct gw_tuya *t, const struct gw_tuya_want *w, struct gw_tuya_rows *rows)
{
	size_t known = 0, unknown = 0;
	bool merged = false; /* two words of theirs are one of ours */
	for (size_t i = 0; i < rows->n; i++) {
		struct gw_tuya_row *r = &rows->row[i];
		struct gw_node *v = r->value ? value_of(t, w, r->value) : NULL;
		r->given = r->value;
		for (size_t k = 0; w->lost && v && k < i && !merged; k++) {
			merged = rows->row[k].value && rows->row[k].given != r->given &&
				 gw_node_equal(rows->row[k].value, v) &&
				 !gw_node_equal(rows->row[k].given, r->given);
		}
		known += v != NULL;
		unknown += r->value && !v;
		r->value = v;
		r->ro |= !v;
	}
	if (w->lost) {
		*w->lost = unknown > 0 || merged;
	}
	return known > 0 && (unknown == 0 || (w->partial && known > 1));
}

/* --- law: a row that a write chooses must be the first that its raws match --- */

static bool raws_meet(const struct gw_node *a, const struct gw_node *b)
{
	const struct gw_node *first = a->type == GW_NODE_LIST ? a->first : a;
	for (const struct gw_node *n = first; n; n = n == a ? NULL : n->next) {
		const struct gw_node *other = b->type == GW_NODE_LIST ? b->first : b;
		for (const struct gw_node *m = other; m; m = m == b ? NULL : m->next) {
			if (gw_node_equal(n, m)) {
				return true;
			}
		}
	}
	return false;
}

static const struct gw_tuya_cell *cell_at(const struct gw_tuya_row *r, const struct gw_tuya_dp *dp)
{
	for (size_t i = 0; i < r->n; i++) {
		const char *a = r->cell[i].dp->mask, *b = dp->mask;
		if (strcmp(r->cell[i].dp->id, dp->id) == 0 && strcmp(a ? a : "", b ? b : "") == 0) {
			return &r->cell[i];
		}
	}
	return NULL;
}

static bool rows_meet(const struct gw_tuya_row *a, const struct gw_tuya_row *b)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct gw_tuya_cell *other = cell_at(b, a->cell[i].dp);
		if (other && !raws_meet(a->cell[i].raw, other->raw)) {
			return false;
		}
	}
	return true;
}

static bool same_value(const struct gw_node *a, const struct gw_node *b)
{
	return a == b || (a && b && gw_node_equal(a, b));
}

/* How many rows a write may choose. */
static size_t make_lawful(struct gw_tuya_rows *rows)
{
	size_t writable = 0;
	for (size_t i = 0; i < rows->n; i++) {
		struct gw_tuya_row *r = &rows->row[i];
		for (size_t k = 0; k < i && !r->ro; k++) {
			r->ro = !same_value(rows->row[k].value, r->value) &&
				rows_meet(&rows->row[k], r);
		}
		writable += !r->ro;
	}
	return writable;
}

/* --- table --- */

struct columns {
	size_t n;
	struct gw_tuya_dp *dp[GW_TUYA_CELLS];
};

static bool all_columns(const struct gw_tuya_rows *rows, struct columns *c)
{
	c->n = 0;
	for (size_t i = 0; i < rows->n; i++) {
		for (size_t k = 0; k < rows->row[i].n; k++) {
			size_t at = 0;
			struct gw_tuya_row probe = {.n = 1,
						    .cell = {{.dp = rows->row[i].cell[k].dp}}};
			while (at < c->n && !cell_at(&probe, c->dp[at])) {
				at++;
			}
			if (at == GW_TUYA_CELLS) {
				return false;
			}
			c->dp[at] = at == c->n ? rows->row[i].cell[k].dp : c->dp[at];
			c->n += at == c->n;
		}
	}
	return c->n > 0;
}

static void add_cells(struct gw_draft *b, struct gw_node *cells, const struct gw_tuya_row *r,
		      const struct columns *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct gw_tuya_cell *cell = cell_at(r, c->dp[i]);
		if (!cell) {
			gw_add_text(b, cells, GW_STR("any"));
		} else if (gw_node_is_text(cell->raw, "any")) { /* not the keyword */
			struct gw_node *list = gw_node_new(b->a, GW_NODE_LIST);
			gw_add_node(b, list, gw_copy(b, cell->raw));
			gw_add_node(b, cells, list);
		} else {
			gw_add_node(b, cells, gw_copy(b, cell->raw));
		}
	}
}

static void add_row(struct gw_draft *b, struct gw_node *list, const struct gw_tuya_row *r,
		    const struct columns *c, bool ro)
{
	struct gw_node *cells = gw_node_new(b->a, GW_NODE_LIST);
	struct gw_node *value = r->value ? gw_copy(b, r->value) : gw_node_new(b->a, GW_NODE_NULL);
	add_cells(b, cells, r, c);
	gw_draft_row(b, list, cells, value, r->ro && !ro);
}

static bool build_table(struct gw_tuya *t, struct gw_node *cap, const struct gw_tuya_rows *rows,
			bool writable, const char **ret_why)
{
	struct gw_draft *b = t->b;
	struct columns c;
	*ret_why = "more than 8 points decide one value";
	if (!all_columns(rows, &c)) {
		return false;
	}
	struct gw_node *points = gw_set_list(b, cap, "table");
	for (size_t i = 0; i < c.n; i++) {
		const char *p = gw_tuya_point(c.dp[i], writable, ret_why);
		if (!p) {
			return false;
		}
		gw_add_text(b, points, gw_str(p));
	}
	struct gw_node *list = gw_set_list(b, cap, "rows");
	const struct gw_tuya_row *last = &rows->row[rows->n - 1];
	if (last->other && last->n < c.n) { /* what is not known is not "other" */
		struct gw_tuya_row unknown = {.n = 1, .ro = true};
		unknown.cell[0] = (struct gw_tuya_cell){.dp = c.dp[0],
							.raw = gw_node_new(b->a, GW_NODE_NULL)};
		bool has = false;
		for (size_t i = 0; i < rows->n; i++) {
			const struct gw_tuya_cell *cell = cell_at(&rows->row[i], c.dp[0]);
			has |= cell && cell->raw->type == GW_NODE_NULL;
		}
		if (!has) {
			add_row(b, list, &unknown, &c, !writable);
		}
	}
	for (size_t i = 0; i < rows->n; i++) {
		add_row(b, list, &rows->row[i], &c, !writable);
	}
	return true;
}

/* --- by expressions: bits --- */

static bool by_expression(const struct gw_tuya_rows *rows, const struct gw_tuya_want *w)
{
	bool any = w->cap && w->cap->type == GW_TYPE_LIST;
	for (size_t i = 0; i < rows->n; i++) {
		for (size_t k = 0; k < rows->row[i].n; k++) {
			any |= rows->row[i].cell[k].mask || rows->row[i].cell[k].dp->bits;
		}
	}
	return any;
}

static bool build_select(struct gw_tuya_dp *dp, struct gw_node *cap,
			 const struct gw_tuya_rows *rows, const char **ret_why)
{
	struct gw_tuya *t = dp->entity->t;
	const char *point = gw_tuya_point(dp, /* writable= */ false, ret_why);
	if (!point) {
		return false;
	}
	struct gw_node *list = gw_set_list(t->b, cap, "select");
	for (size_t i = 0; i < rows->n; i++) {
		const struct gw_tuya_row *r = &rows->row[i];
		const char *cond = gw_tuya_cells_expr(t, r->cell, r->n);
		if (!cond) {
			*ret_why = "a condition that cannot be told";
			return false;
		}
		struct gw_node *entry = gw_node_new(t->b->a, GW_NODE_MAP);
		gw_set_text(t->b, entry, "if",
			    r->n == 0 ? gw_draft_printf(t->b, "has(%s)", point) : cond);
		gw_set_node(t->b, entry, "const",
			    r->value ? gw_copy(t->b, r->value)
				     : gw_node_new(t->b->a, GW_NODE_NULL));
		gw_add_node(t->b, list, entry);
	}
	return true;
}

/* One bit of a number: read and written in its place. */
static bool build_bit(struct gw_tuya_dp *dp, struct gw_node *cap, bool writable,
		      const char **ret_why)
{
	struct gw_draft *b = dp->entity->t->b;
	const char *p = gw_tuya_point(dp, writable, ret_why);
	if (!p) {
		return false;
	}
	double weight = ldexp(1, (int)dp->low);
	gw_set_text(b, cap, "expr",
		    gw_draft_printf(b, "bits(%s, %u, %u) == 1", p, dp->low, dp->width));
	if (writable) {
		gw_set_text(b, gw_set_map(b, cap, "set"), p,
			    gw_draft_printf(b, "%s - bits(%s, %u, %u) * %.0f + (v ? %.0f : 0)", p,
					    p, dp->low, dp->width, weight, weight));
	}
	return true;
}

/* --- one dp --- */

static bool is_text(const struct gw_tuya_dp *dp)
{
	return dp->type == GW_TUYA_STRING || dp->type == GW_TUYA_BASE64 ||
	       dp->type == GW_TUYA_HEX || dp->type == GW_TUYA_UTF16 || dp->type == GW_TUYA_JSON;
}

/* Rows for a truth that has no mapping: a field or a number that is not 0. */
static bool truth_rows(struct gw_tuya_dp *dp, struct gw_tuya_rows *rows)
{
	struct gw_draft *b = dp->entity->t->b;
	if (is_text(dp) && !dp->mask) {
		return false;
	}
	for (int v = 1; v >= 0; v--) {
		struct gw_tuya_row *r = &rows->row[rows->n++];
		*r = (struct gw_tuya_row){.n = 1, .value = gw_bool_node(b, v)};
		r->cell[0] = (struct gw_tuya_cell){
			.dp = dp, .raw = gw_node_new_number(b->a, v), .mask = false};
	}
	if (!dp->bits && dp->type != GW_TUYA_BITFIELD) {
		struct gw_tuya_row *r = &rows->row[rows->n++];
		*r = (struct gw_tuya_row){
			.value = gw_bool_node(b, true), .ro = true, .other = true};
	}
	rows->why = NULL;
	return true;
}

static bool names_values(const struct gw_tuya_rows *rows)
{
	for (size_t i = 0; i < rows->n; i++) {
		if (rows->row[i].value && (rows->row[i].other || !rows->row[i].ro ||
					   rows->row[i].cell[0].raw->type != GW_NODE_NULL)) {
			return true;
		}
	}
	return false;
}

bool gw_tuya_is_identity(const struct gw_tuya_rows *rows, const struct gw_tuya_dp *dp)
{
	for (size_t i = 0; i < rows->n; i++) {
		const struct gw_tuya_row *r = &rows->row[i];
		if (r->n != 1 || r->cell[0].dp != dp || r->cell[0].raw->type != GW_NODE_BOOL ||
		    !r->value || !gw_node_equal(r->value, r->cell[0].raw)) {
			return false;
		}
	}
	return dp->type == GW_TUYA_BOOLEAN;
}

/* What may not be set while another point is so: the other symbols may, or none. */
static void bar_values(struct gw_tuya *t, const struct gw_tuya_want *w,
		       const struct gw_tuya_rows *rows, enum gw_type type, struct gw_node *cap)
{
	struct gw_draft *b = t->b;
	struct gw_node *limits = gw_node_new(b->a, GW_NODE_LIST);
	for (size_t i = 0; i < rows->n_barred; i++) {
		const struct gw_tuya_barred *barred = &rows->barred[i];
		const char *why = NULL, *p = gw_tuya_point(barred->cell.dp, false, &why);
		struct gw_node *rule = gw_node_new(b->a, GW_NODE_MAP),
			       *symbols = gw_node_new(b->a, GW_NODE_LIST);
		if (!p || !rule || !symbols || barred->cell.dp->bits) {
			continue;
		}
		gw_set_node(b, gw_set_map(b, rule, "if"), p, gw_copy(b, barred->cell.raw));
		for (size_t k = 0; k < rows->n && type == GW_TYPE_ENUM; k++) {
			const struct gw_node *v = rows->row[k].value;
			bool out = !v || v->type != GW_NODE_TEXT;
			for (size_t o = 0; o < rows->n_barred && !out; o++) {
				const struct gw_node *no = value_of(t, w, rows->barred[o].value);
				out = gw_node_equal(rows->barred[o].cell.raw, barred->cell.raw) &&
				      no && gw_node_equal(no, v);
			}
			gw_node_for(s, symbols)
			{
				out |= !out && gw_node_equal(s, v);
			}
			if (!out) {
				gw_add_text(b, symbols, v->text);
			}
		}
		if (symbols->count > 0) {
			gw_set_node(b, rule, "enum", symbols);
		} else {
			gw_set_bool(b, rule, "ro", true);
		}
		gw_add_node(b, limits, rule);
	}
	if (limits && limits->count > 0) {
		gw_set_node(b, cap, "limits", limits);
	}
}

bool gw_tuya_discrete(struct gw_tuya_dp *dp, const struct gw_tuya_want *w, bool writable,
		      struct gw_node *cap, bool *ret_writable, const char **ret_why)
{
	struct gw_tuya *t = dp->entity->t;
	struct gw_tuya_rows rows;
	enum gw_type type = w->cap ? w->cap->type : w->type;
	bool truth = type == GW_TYPE_BOOL || type == GW_TYPE_LIST || w->on;
	bool ok = gw_tuya_rows(dp, &rows) && names_values(&rows);
	if (!ok && w->cap && strcmp(w->cap->id, "display.unit") == 0) {
		ok = gw_tuya_unit_rows(dp, &rows);
	}
	bool bare = !ok && !rows.why && truth && (!dp->mapping || rows.n == 0);
	*ret_why = rows.why;
	if (bare) {
		rows.row = gw_arena_alloc(t->b->a, 3 * sizeof(*rows.row));
		rows.n = 0;
		ok = rows.row && truth_rows(dp, &rows);
	}
	if (!ok || !convert(t, w, &rows)) {
		return false;
	}
	*ret_writable = writable;
	if (gw_tuya_is_identity(&rows, dp)) {
		const char *p = gw_tuya_point(dp, writable, ret_why);
		gw_set_text(t->b, cap, "point", p ? p : "");
		return p != NULL;
	}
	if (bare && dp->bits && dp->width == 1 && type == GW_TYPE_BOOL && !w->on) {
		return build_bit(dp, cap, writable, ret_why);
	}
	if (by_expression(&rows, w)) {
		*ret_writable = false;
		return build_select(dp, cap, &rows, ret_why);
	}
	*ret_writable = make_lawful(&rows) > 0 && writable;
	if (!build_table(t, cap, &rows, *ret_writable, ret_why)) {
		return false;
	}
	if (*ret_writable) {
		bar_values(t, w, &rows, type, cap);
	}
	return true;
}

/* An enum that names its own symbols lists them. */
void gw_tuya_list_symbols(struct gw_tuya *t, struct gw_node *cap)
{
	struct gw_node *list = gw_node_new(t->b->a, GW_NODE_LIST);
	const struct gw_node *rows = gw_node_get(cap, "rows"), *select = gw_node_get(cap, "select");
	gw_node_for(row, rows ? rows : select)
	{
		const struct gw_node *v = row->type == GW_NODE_LIST ? row->last
					  : select		    ? gw_node_get(row, "const")
								    : gw_node_get(row, "value");
		bool known = !v || v->type != GW_NODE_TEXT;
		gw_node_for(s, list)
		{
			known |= !known && gw_node_equal(s, v);
		}
		if (!known) {
			gw_add_node(t->b, list, gw_copy(t->b, v));
		}
	}
	if (list && list->count > 0) {
		gw_set_node(t->b, cap, "enum", list);
	}
}
