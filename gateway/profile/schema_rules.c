/* Formats of texts, and what the key tables cannot say. */
#include <math.h>

#include "gw/topic.h"
#include "gw/value.h"
#include "profile/compose.h"
#include "profile/expr.h"
#include "profile/schema.h"
#include "profile/suggest.h"

/* --- formats --- */

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(struct gw_str s, size_t max, bool upper)
{
	if (s.len == 0 || s.len > max || is_digit(s.p[0])) {
		return false;
	}
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];
		bool letter = is_lower(c) || (upper && c >= 'A' && c <= 'Z');
		if (!letter && !is_digit(c) && c != '_') {
			return false;
		}
	}
	return upper || s.p[0] != '_';
}

static bool is_name(struct gw_str s)
{
	return is_word(s, 32, /* upper= */ false);
}

static bool is_point(struct gw_str s)
{
	static const char *const taken[] = {"v", "and", "or", "not", "true", "false", "null"};
	for (size_t i = 0; i < gw_countof(taken); i++) {
		if (gw_str_is(s, taken[i])) {
			return false;
		}
	}
	return is_name(s) && !gw_expr_is_function(s);
}

static bool is_variable(struct gw_str s)
{
	return is_word(s, 32, /* upper= */ true);
}

static bool is_id(struct gw_str s)
{
	bool ok = s.len > 0 && s.len <= 96;
	for (size_t i = 0; i < s.len && ok; i++) {
		ok = is_lower(s.p[i]) || is_digit(s.p[i]) || strchr("._-", s.p[i]);
	}
	return ok;
}

static bool is_version(struct gw_str s)
{
	struct gw_str piece;
	unsigned n = 0;
	while (gw_str_split(&s, '.', &piece)) {
		uint64_t value;
		if (gw_parse_u64(piece, &value) < 0 || ++n > 3) {
			return false;
		}
	}
	return n == 3;
}

static bool is_duration(struct gw_str s)
{
	int64_t ms;
	return gw_parse_duration_ms(s, &ms) == 0;
}

static bool is_pointer(struct gw_str s)
{
	return s.len == 0 || s.p[0] == '/';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Hex pairs or --, with spaces between them or not. */
static bool is_frame(struct gw_str s)
{
	size_t i = 0;
	while (i < s.len) {
		if (s.p[i] == ' ') {
			i++;
			continue;
		}
		bool pair = i + 1 < s.len && ((is_hex(s.p[i]) && is_hex(s.p[i + 1])) ||
					      (s.p[i] == '-' && s.p[i + 1] == '-'));
		if (!pair) {
			return false;
		}
		i += 2;
	}
	return true;
}

static bool is_digits(struct gw_str s)
{
	uint64_t value;
	return gw_parse_u64(s, &value) == 0 && value <= 65535 && (s.len == 1 || s.p[0] != '0');
}

static bool is_filter(struct gw_str s)
{
	return gw_topic_is_filter(s);
}

/* /pointer, topic:N, opt:NUMBER, opt:NUMBER:I, txt:KEY, name:K, id (§4). */
static bool is_source(struct gw_str s)
{
	struct gw_str word, number;
	if (gw_str_starts(s, "/") || gw_str_is(s, "id")) {
		return true;
	}
	if (!gw_str_split(&s, ':', &word) || !s.p) {
		return false;
	}
	if (gw_str_is(word, "txt")) {
		return s.len > 0;
	}
	if (gw_str_is(word, "topic") || gw_str_is(word, "name")) {
		return is_digits(s);
	}
	if (!gw_str_is(word, "opt") || !gw_str_split(&s, ':', &number)) {
		return false;
	}
	return is_digits(number) && (!s.p || is_digits(s));
}

static bool is_some_word(struct gw_str s)
{
	return is_word(s, 64, /* upper= */ true);
}

const struct gw_format gw_format_name = {"a name ([a-z][a-z0-9_]{0,31})", "name", is_name,
					 "^[a-z][a-z0-9_]{0,31}$"};
const struct gw_format gw_format_point = {
	"a name ([a-z][a-z0-9_]{0,31}) that is no function and none of v and or not true false null",
	"name", is_point, "^[a-z][a-z0-9_]{0,31}$"};
const struct gw_format gw_format_variable = {"a name ([A-Za-z_][A-Za-z0-9_]{0,31})", "name",
					     is_variable, "^[A-Za-z_][A-Za-z0-9_]{0,31}$"};
const struct gw_format gw_format_id = {"an id ([a-z0-9._-]+)", "schema", is_id, "^[a-z0-9._-]+$"};
const struct gw_format gw_format_version = {"a version a.b.c", "schema", is_version,
					    "^[0-9]+\\.[0-9]+\\.[0-9]+$"};
const struct gw_format gw_format_duration = {"a duration: 0, or an integer with ms s m h d",
					     "schema", is_duration, "^(0|[0-9]+(ms|s|m|h|d))$"};
const struct gw_format gw_format_pointer = {"a JSON Pointer (/a/0/b)", "schema", is_pointer,
					    "^(/.*)?$"};
const struct gw_format gw_format_frame = {"hex pairs (\"0a ff --\")", "schema", is_frame,
					  "^ *(([0-9a-fA-F]{2}|--) *)*$"};
const struct gw_format gw_format_digits = {"a whole number up to 65535", "schema", is_digits,
					   "^(0|[1-9][0-9]{0,4})$"};
const struct gw_format gw_format_filter = {"an MQTT topic filter", "schema", is_filter,
					   /* pattern= */ NULL};
const struct gw_format gw_format_source = {
	"a source: /pointer, topic:N, opt:NUMBER[:I], txt:KEY, name:K or id", "schema", is_source,
	"^(/.*|topic:[0-9]+|opt:[0-9]+(:[0-9]+)?|txt:.+|name:[0-9]+|id)$"};
const struct gw_format gw_format_word = {"a word (letters, digits, _)", "schema", is_some_word,
					 "^[A-Za-z_][A-Za-z0-9_]{0,63}$"};

/* --- checks --- */

/* Exactly one kind, optionally json and set (§4). */
int gw_schema_match_entry(struct gw_schema_walk *w, const struct gw_node *n)
{
	size_t kinds = 0;
	gw_member_for(m, n)
	{
		kinds += !gw_str_is(m->key, "json") && !gw_str_is(m->key, "set");
	}
	return kinds == 1 ? 0
			  : gw_schema_refuse(w, /* key= */ NULL, "schema",
					     "expected exactly one kind, found %zu", kinds);
}

/* rmw needs a body whose parts can be changed; -- needs a body to take the byte from (§6). */
int gw_schema_message(struct gw_schema_walk *w, const struct gw_node *n)
{
	const char *codec = gw_node_text(n, "codec"), *mode = gw_node_text(n, "mode");
	const char *fill = gw_node_text(n, "fill");
	bool rmw = mode && strcmp(mode, "rmw") == 0;
	if (rmw && codec && strcmp(codec, "json") != 0 && strcmp(codec, "cbor") != 0 &&
	    strcmp(codec, "bytes") != 0) {
		return gw_schema_refuse(w, "mode", "schema",
					"rmw needs the codec json, cbor or bytes");
	}
	if (fill && strstr(fill, "--") && !rmw) {
		return gw_schema_refuse(w, "fill", "schema", "-- stands only in mode rmw");
	}
	return 0;
}

/* mul, div ≠ 0; oneshot needs init (§8). Also fields of packed records. */
int gw_schema_point(struct gw_schema_walk *w, const struct gw_node *n)
{
	static const char *const factors[] = {"mul", "div"};
	for (size_t i = 0; i < gw_countof(factors); i++) {
		const struct gw_node *f = gw_node_get(n, factors[i]);
		if (f && f->type == GW_NODE_NUMBER && f->number == 0) {
			return gw_schema_refuse(w, factors[i], "schema", "\"%s\" may not be 0",
						factors[i]);
		}
	}
	const struct gw_node *oneshot = gw_node_get(n, "oneshot");
	if (oneshot && oneshot->type == GW_NODE_BOOL && oneshot->flag && !gw_node_get(n, "init")) {
		return gw_schema_refuse(w, "oneshot", "schema", "\"oneshot\" needs \"init\"");
	}
	return 0;
}

/* Numbers in order, step above 0. Bounds that are points are known only at run time. */
int gw_schema_range(struct gw_schema_walk *w, const struct gw_node *n)
{
	const struct gw_node *min = n->first, *max = min->next, *step = max->next;
	if (min->type == GW_NODE_NUMBER && max->type == GW_NODE_NUMBER &&
	    min->number > max->number) {
		return gw_schema_refuse(w, /* key= */ NULL, "range", "the range is empty");
	}
	if (step && (step->type != GW_NODE_NUMBER || !(step->number > 0))) {
		return gw_schema_refuse(w, /* key= */ NULL, "range", "the step must be above 0");
	}
	return 0;
}

int gw_schema_resolution(struct gw_schema_walk *w, const struct gw_node *n)
{
	struct gw_resolution res;
	return gw_resolution_from(n->number, &res) == 0
		       ? 0
		       : gw_schema_refuse(w, /* key= */ NULL, "res",
					  "expected a resolution above 0 with at most 6 decimals");
}

static bool is_cell(const struct gw_node *n)
{
	if (n->type == GW_NODE_MAP) {
		return false;
	}
	gw_item_for(item, n)
	{
		if (item->type == GW_NODE_MAP || item->type == GW_NODE_LIST) {
			return false;
		}
	}
	return true;
}

static int check_row(struct gw_schema_walk *w, const struct gw_node *row, size_t columns)
{
	bool list = row->type == GW_NODE_LIST;
	const struct gw_node *cells = list ? row : gw_node_get(row, "cells");
	size_t n = cells ? cells->count : 0, wanted = columns + list, i = 0;
	if (n != wanted) {
		return gw_schema_refuse(
			w, /* key= */ NULL, "schema",
			list ? "expected %zu cells and a value (%zu in all), found %zu"
			     : "expected %zu cells (%zu), found %zu",
			columns, wanted, n);
	}
	gw_item_for(cell, cells)
	{
		if (i++ < columns && !is_cell(cell)) {
			return gw_schema_refuse(w, /* key= */ NULL, "schema",
						"a cell is a value, a list of values, or any");
		}
	}
	return 0;
}

/* Every row has one cell for each column (§10). mul and div of the form point are not 0. */
int gw_schema_table(struct gw_schema_walk *w, const struct gw_node *n)
{
	const struct gw_node *table = gw_node_get(n, "table"), *rows = gw_node_get(n, "rows");
	size_t stem = strlen(w->at), i = 0;
	gw_item_for(row, table ? rows : NULL)
	{
		gw_at_push(w->at, sizeof(w->at), GW_STR("rows"));
		gw_at_push_index(w->at, sizeof(w->at), i++);
		int r = check_row(w, row, table->count);
		w->at[stem] = '\0';
		if (r < 0) {
			return r;
		}
	}
	return gw_schema_point(w, n);
}

/* Only variables may be named, never state: the set of variants is fixed when the device is bound (§3). */
int gw_schema_condition_names(struct gw_schema_walk *w, const struct gw_node *n)
{
	const struct gw_node *vars = gw_node_get(w->tree, "vars");
	gw_member_for(test, n)
	{
		if (vars && gw_node_get_str(vars, test->key)) {
			continue;
		}
		struct gw_suggest s;
		char hint[100];
		gw_suggest_init(&s, test->key);
		gw_member_for(v, vars)
		{
			gw_suggest_offer(&s, v->key);
		}
		return gw_schema_refuse(w, test->key.p, "variant",
					"\"" GW_STR_FMT "\" is no variable%s",
					GW_STR_ARG(gw_str_sub(test->key, 0, 60)),
					gw_suggest_text(&s, hint, sizeof(hint)));
	}
	return 0;
}

int gw_schema_tests(struct gw_schema_walk *w, const struct gw_node *n)
{
	size_t i = 0;
	gw_item_for(test, n)
	{
		const char *name = gw_node_text(test, "name");
		gw_item_for(other, n)
		{
			if (other == test || !name) {
				break;
			}
			const char *earlier = gw_node_text(other, "name");
			if (earlier && strcmp(earlier, name) == 0) {
				gw_at_push_index(w->at, sizeof(w->at), i);
				return gw_schema_refuse(w, "name", "name",
							"two tests are called \"%.80s\"", name);
			}
		}
		i++;
	}
	return 0;
}
