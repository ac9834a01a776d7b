/* SmartIR tables of fans (commands[direction][speed]) and media players (named commands, and sources). */
#include <errno.h>
#include <stdio.h>

#include "profile/import/smartir.h"

/* An expression that is this text; NULL, told as not mapped, when no expression can hold it. */
static const char *constant(struct gw_smartir *s, const char *at, const char *code)
{
	if (!strchr(code, '\'')) {
		return gw_draft_printf(s->b, "'%s'", code);
	}
	gw_import_fate(s->b->result, at, GW_FATE_UNMAPPED, NULL, "a code with a quotation mark");
	return NULL;
}

/* The code of a command that there is, as an expression. */
static const char *command(struct gw_smartir *s, const struct gw_node *map, const char *key,
			   const char *parent)
{
	const struct gw_node *n = gw_node_get(map, key);
	const char *at = gw_draft_printf(s->b, "commands/%s%s", parent, key);
	const char *code = n ? gw_smartir_code(s, at, n) : NULL;
	return code && code[0] ? constant(s, at, code) : NULL;
}

static void add_row(struct gw_draft *b, struct gw_node *rows, const char *const *cells, size_t n)
{
	struct gw_node *row = gw_node_new(b->a, GW_NODE_LIST);
	for (size_t i = 0; i < n; i++) {
		gw_add_text(b, row, gw_str(cells[i]));
	}
	gw_add_node(b, rows, row);
}

/* The table of codes by state, which the other capabilities look up. */
static struct gw_node *code_table(struct gw_smartir *s, const char *const *columns, size_t n)
{
	struct gw_node *cap = gw_draft_cap(s->b, NULL, "x.smartir.code");
	if (!cap) {
		return NULL;
	}
	gw_set_text(s->b, cap, "type", "str");
	(void)gw_smartir_enum(s, cap, "table", columns, n); /* failures are sticky */
	gw_set_bool(s->b, cap, "ro", true);
	return gw_set_list(s->b, cap, "rows");
}

/* --- fan --- */

struct direction {
	const char *key, *symbol;
};
/* "default" is the key of a fan with one direction. */
static const struct direction directions[] = {
	{"forward", "forward"}, {"reverse", "reverse"}, {"default", "forward"}};

static void add_speeds(struct gw_smartir *s, struct gw_smartir_words *w)
{
	gw_node_for(n, gw_node_get(s->root, "speed"))
	{
		bool word = n->type == GW_NODE_TEXT && n->text.len > 0 &&
			    !gw_str_is(n->text, "off") && !gw_str_is(n->text, "any");
		if (!word || gw_smartir_word(s, w, n->text) < 0) {
			gw_import_fate(s->b->result, "speed", GW_FATE_UNMAPPED, NULL,
				       "a speed that is no word");
		}
	}
	gw_smartir_speeds(w);
}

/* The rows of one direction; how many. */
static size_t add_direction(struct gw_smartir *s, struct gw_node *rows,
			    const struct gw_smartir_words *w, const struct direction *d)
{
	const struct gw_node *map = gw_node_get(s->commands, d->key);
	size_t n = 0;
	gw_node_for(speed, map)
	{
		const char *at = gw_draft_printf(s->b, "commands/%s/%s", d->key, speed->key.p);
		int i = gw_smartir_find(w, speed->key);
		const char *code = i < 0 ? NULL : gw_smartir_code(s, at, speed);
		if (!code || !code[0]) {
			gw_import_fate(s->b->result, at, GW_FATE_HIDDEN, NULL, NULL);
			continue;
		}
		const char *cells[] = {w->word[i], d->symbol, "false", code};
		add_row(s->b, rows, cells, gw_countof(cells));
		n++;
	}
	return n;
}

static void add_fan_cap(struct gw_smartir *s, const char *id, const struct gw_smartir_words *w,
			const char *const *values, bool off)
{
	struct gw_draft *b = s->b;
	const char *texts[GW_SMARTIR_WORDS + 1] = {off ? "off" : NULL};
	struct gw_node *cap = gw_draft_cap(b, NULL, id);
	if (!cap) {
		return;
	}
	bool vendor = gw_draft_is_extension(id);
	if (vendor) {
		gw_set_text(b, cap, "type", "enum");
	}
	gw_add_text(b, gw_set_list(b, cap, "table"), GW_STR("fan"));
	struct gw_node *rows = gw_set_list(b, cap, "rows");
	for (size_t i = 0; i <= w->n; i++) {
		texts[i] = i == 0 ? texts[0] : values[i - 1];
		if (texts[i]) {
			add_row(b, rows,
				(const char *const[]){i == 0 ? "off" : w->word[i - 1], texts[i]},
				2);
		}
	}
	(void)gw_smartir_enum(s, cap, "enum", texts, w->n + 1); /* failures are sticky */
	gw_smartir_also(s, cap, NULL);
	gw_import_fate(b->result, "speed", vendor ? GW_FATE_VENDOR : GW_FATE_STANDARD, id, NULL);
}

static void add_fan_flag(struct gw_smartir *s, const char *id, const char *point,
			 const char *const *symbols, size_t n, const char *at)
{
	struct gw_node *cap = gw_draft_cap(s->b, NULL, id);
	if (!cap) {
		return;
	}
	if (symbols) {
		gw_set_text(s->b, cap, "point", point);
		(void)gw_smartir_enum(s, cap, "enum", symbols, n); /* failures are sticky */
	} else {
		gw_set_text(s->b, cap, "expr", gw_draft_printf(s->b, "%s == 'true'", point));
		gw_set_text(s->b, gw_set_map(s->b, cap, "set"), point, "v ? 'true' : 'false'");
	}
	gw_smartir_also(s, cap, "has(fan) ? x.smartir.code : null");
	gw_import_fate(s->b->result, at, GW_FATE_STANDARD, id, NULL);
}

int gw_smartir_fan(struct gw_smartir *s)
{
	static const char *const columns[] = {"fan", "direction", "oscillating"};
	static const char *const both[] = {"forward", "reverse"};
	struct gw_draft *b = s->b;
	struct gw_smartir_words w = {.n = 0};
	const struct gw_node *off = gw_node_get(s->commands, "off"),
			     *turn = gw_node_get(s->commands, "oscillate");
	const char *off_code = off ? gw_smartir_code(s, "commands/off", off) : NULL;
	const char *turn_code = turn ? gw_smartir_code(s, "commands/oscillate", turn) : NULL;
	bool has_off = off_code && off_code[0], turns = turn_code && turn_code[0];
	add_speeds(s, &w);
	(void)gw_smartir_msg(s, "full"); /* failures are sticky */
	(void)gw_smartir_point(s, "fan", true);
	struct gw_node *direction = gw_smartir_point(s, "direction", true);
	struct gw_node *oscillating = gw_smartir_point(s, "oscillating", true);
	(void)gw_smartir_point(s, "code", false);
	struct gw_node *rows = code_table(s, columns, gw_countof(columns));
	if (!direction || !oscillating || !rows) {
		return -ENOMEM;
	}
	gw_set_text(b, direction, "init", "forward");
	gw_set_text(b, oscillating, "init", "false");
	if (has_off) {
		add_row(b, rows, (const char *const[]){"off", "any", "any", off_code}, 4);
	}
	if (turns) {
		add_row(b, rows, (const char *const[]){"any", "any", "true", turn_code}, 4);
	}
	size_t n = 0;
	for (size_t i = 0; i < gw_countof(directions); i++) {
		bool doubled = i == 2 && gw_node_get(s->commands, "forward");
		n += doubled ? 0 : add_direction(s, rows, &w, &directions[i]);
	}
	if (n == 0) {
		return -ENOENT;
	}
	gw_import_fate(b->result, "commands", GW_FATE_VENDOR, "x.smartir.code", NULL);
	if (gw_smartir_any_symbol(&w)) {
		add_fan_cap(s, "fan.mode", &w, w.symbol, has_off);
	}
	if (!gw_smartir_exact(&w)) {
		add_fan_cap(s, "x.smartir.fan", &w, w.word, has_off);
	}
	if (gw_node_get(s->commands, "forward") && gw_node_get(s->commands, "reverse")) {
		add_fan_flag(s, "fan.direction", "direction", both, 2, "commands/reverse");
	}
	if (turns) {
		add_fan_flag(s, "fan.rock_lr", "oscillating", NULL, 0, "commands/oscillate");
	}
	return b->failed ? -ENOMEM : 0;
}

/* --- media player --- */

static void add_action(struct gw_smartir *s, const char *id, const char *key)
{
	const char *code = command(s, s->commands, key, "");
	struct gw_node *cap = code ? gw_draft_cap(s->b, NULL, id) : NULL;
	if (cap) {
		gw_set_text(s->b, gw_set_map(s->b, cap, "action"), "code", code);
		gw_import_fate(s->b->result, gw_draft_printf(s->b, "commands/%s", key),
			       gw_draft_is_extension(id) ? GW_FATE_VENDOR : GW_FATE_STANDARD, id,
			       NULL);
	}
}

/* One code for on and off is a toggle: what it did cannot be known. */
static void add_power(struct gw_smartir *s)
{
	struct gw_draft *b = s->b;
	const char *on = command(s, s->commands, "on", ""),
		   *off = command(s, s->commands, "off", "");
	if (!on || !off || strcmp(on, off) == 0) {
		if (on && off) {
			add_action(s, "switch.toggle", "on");
			gw_import_fate(b->result, "commands/off", GW_FATE_STANDARD, "switch.toggle",
				       NULL);
		} else {
			add_action(s, "x.smartir.on", "on");
			add_action(s, "x.smartir.off", "off");
		}
		return;
	}
	struct gw_node *power = gw_smartir_point(s, "power", true);
	struct gw_node *cap = power ? gw_draft_point_cap(b, NULL, "switch.on", "power") : NULL;
	if (cap) {
		gw_smartir_also(s, cap, gw_draft_printf(b, "v ? %s : %s", on, off));
		gw_import_fate(b->result, "commands/on", GW_FATE_STANDARD, "switch.on", NULL);
		gw_import_fate(b->result, "commands/off", GW_FATE_STANDARD, "switch.on", NULL);
	}
}

static void add_keys(struct gw_smartir *s)
{
	static const struct {
		const char *command, *key;
	} keys[] = {{"volumeUp", "volume_up"}, {"volumeDown", "volume_down"}, {"mute", "mute"}};
	struct gw_draft *b = s->b;
	const char *names[gw_countof(keys)], *expr = "null";
	size_t n = 0;
	for (size_t i = 0; i < gw_countof(keys); i++) {
		const char *code = command(s, s->commands, keys[i].command, "");
		if (code) {
			expr = gw_draft_printf(b, "key == '%s' ? %s : (%s)", keys[i].key, code,
					       expr);
			names[n++] = keys[i].key;
		}
	}
	struct gw_node *cap = n ? gw_draft_cap(b, NULL, "media.key") : NULL;
	if (!cap) {
		return;
	}
	gw_set_text(b, gw_set_map(b, cap, "action"), "code", expr);
	struct gw_node *key = gw_set_map(b, gw_set_map(b, cap, "args"), "key");
	gw_set_text(b, key, "type", "enum");
	(void)gw_smartir_enum(s, key, "enum", names, n); /* failures are sticky */
	for (size_t i = 0; i < gw_countof(keys); i++) {
		if (gw_node_get(s->commands, keys[i].command)) {
			gw_import_fate(b->result,
				       gw_draft_printf(b, "commands/%s", keys[i].command),
				       GW_FATE_STANDARD, "media.key", NULL);
		}
	}
}

static void add_sources(struct gw_smartir *s)
{
	static const char *const columns[] = {"input"};
	struct gw_draft *b = s->b;
	const struct gw_node *sources = gw_node_get(s->commands, "sources");
	struct gw_node *cap = NULL, *rows = NULL, *words = NULL;
	gw_node_for(n, sources)
	{
		const char *at = gw_draft_printf(b, "commands/sources/%s", n->key.p);
		const char *code = gw_smartir_code(s, at, n);
		bool word = n->key.len > 0 && !gw_str_is(n->key, "any");
		if (!code || !code[0] || !word) {
			gw_import_fate(b->result, at, GW_FATE_HIDDEN, NULL, NULL);
			continue;
		}
		if (!cap) {
			(void)gw_smartir_point(s, "input", true); /* failures are sticky */
			rows = code_table(s, columns, 1);
			cap = gw_draft_point_cap(b, NULL, "media.input", "input");
			words = cap ? gw_set_list(b, cap, "enum") : NULL;
			gw_smartir_also(s, cap, NULL);
		}
		add_row(b, rows, (const char *const[]){n->key.p, code}, 2);
		gw_add_text(b, words, n->key);
		gw_import_fate(b->result, at, GW_FATE_STANDARD, "media.input", NULL);
	}
}

int gw_smartir_media(struct gw_smartir *s)
{
	static const char *const known[] = {"on",	   "off",    "volumeUp",
					    "volumeDown",  "mute",   "previousChannel",
					    "nextChannel", "sources"};
	(void)gw_smartir_msg(s, "patch"); /* failures are sticky */
	(void)gw_smartir_point(s, "code", false);
	add_power(s);
	add_keys(s);
	add_action(s, "media.previous", "previousChannel");
	add_action(s, "media.next", "nextChannel");
	add_sources(s);
	gw_node_for(n, s->commands)
	{
		bool other = n->type != GW_NODE_MAP;
		for (size_t i = 0; i < gw_countof(known); i++) {
			other &= !gw_str_is(n->key, known[i]);
		}
		if (other) {
			add_action(s, gw_draft_extension(s->b, NULL, n->key.p), n->key.p);
		}
	}
	return s->b->failed ? -ENOMEM : 0;
}
