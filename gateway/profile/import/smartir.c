/* SmartIR: what its kinds of tables share. */
#include "profile/import/smartir.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "profile/import/file.h"
#include "profile/import/vocabulary.h"

#define ARENA_BYTES (32 * 1024 * 1024)

/* --- words --- */

int gw_smartir_find(const struct gw_smartir_words *w, struct gw_str word)
{
	for (size_t i = 0; i < w->n; i++) {
		if (gw_str_is(word, w->word[i])) {
			return (int)i;
		}
	}
	return -1;
}

int gw_smartir_word(struct gw_smartir *s, struct gw_smartir_words *w, struct gw_str word)
{
	int i = gw_smartir_find(w, word);
	if (i >= 0 || w->n == GW_SMARTIR_WORDS) {
		return i;
	}
	w->word[w->n] = gw_draft_printf(s->b, GW_STR_FMT, GW_STR_ARG(word));
	w->symbol[w->n] = NULL;
	return (int)w->n++;
}

/* Words for speeds beside those that all systems share. */
static const char *speed_of(const char *word)
{
	static const struct {
		const char *word, *symbol;
	} rows[] = {
		{"lowest", "silent"},
		{"mediumlow", "medium"},
		{"mediumhigh", "medium"},
		{"medium_low", "medium"},
		{"medium_high", "medium"},
		{"midlow", "medium"},
		{"midhigh", "medium"},
		{"mid_low", "medium"},
		{"mid_high", "medium"},
		{"lowmid", "medium"},
		{"highmid", "medium"},
		{"low_mid", "medium"},
		{"low_medium", "medium"},
		{"high_mid", "medium"},
		{"highest", "max"},
		{"superhigh", "max"},
		{"super_high", "max"},
		{"super", "max"},
		{"top", "max"},
		{"full", "max"},
		{"power", "max"},
		{"boost", "max"},
		{"very_high", "max"},
		{"breeze", "silent"},
		{"very_low", "silent"},
		{"mute", "silent"},
		{"sleep", "silent"},
		{"ultra_low", "silent"},
		{"night", "silent"},
		{"hi", "high"},
		{"lo", "low"},
		{"normal", "medium"},
		{"auto_high", "auto"},
		{"on", "auto"},
	};
	char folded[32];
	size_t n = 0;
	for (; word[n] && n + 1 < sizeof(folded); n++) {
		folded[n] = word[n] == ' ' || word[n] == '-'
				    ? '_'
				    : (char)tolower((unsigned char)word[n]);
	}
	folded[n] = 0;
	for (size_t i = 0; i < gw_countof(rows); i++) {
		if (strcmp(folded, rows[i].word) == 0) {
			return rows[i].symbol;
		}
	}
	return NULL;
}

/* "level3", "speed 3", "F3", "3": the step; 0: none. */
static unsigned step_of(const char *word)
{
	size_t n = strlen(word);
	bool digit = n > 0 && isdigit((unsigned char)word[n - 1]) &&
		     (n == 1 || !isdigit((unsigned char)word[n - 2]));
	return digit ? (unsigned)(word[n - 1] - '0') : 0;
}

/* Steps 1 to n of a choice, spread over the symbols. */
static const char *step_symbol(unsigned step, unsigned n)
{
	static const char *const symbols[5][5] = {
		{"medium"},
		{"low", "high"},
		{"low", "medium", "high"},
		{"low", "medium", "high", "max"},
		{"silent", "low", "medium", "high", "max"},
	};
	return n >= 1 && n <= 5 && step >= 1 && step <= n ? symbols[n - 1][step - 1] : NULL;
}

void gw_smartir_speeds(struct gw_smartir_words *w)
{
	const struct gw_capability *cap = gw_capability_find(GW_STR("fan.mode"));
	unsigned steps = 0;
	for (size_t i = 0; i < w->n; i++) {
		unsigned step = step_of(w->word[i]);
		steps = step > steps ? step : steps;
	}
	for (size_t i = 0; i < w->n; i++) {
		const char *symbol = cap ? gw_symbol_for(cap, gw_str(w->word[i])) : NULL;
		symbol = symbol ? symbol : speed_of(w->word[i]);
		w->symbol[i] = symbol ? symbol : step_symbol(step_of(w->word[i]), steps);
	}
}

bool gw_smartir_exact(const struct gw_smartir_words *w)
{
	for (size_t i = 0; i < w->n; i++) {
		if (!w->symbol[i]) {
			return false;
		}
		for (size_t k = 0; k < i; k++) {
			if (strcmp(w->symbol[i], w->symbol[k]) == 0) {
				return false;
			}
		}
	}
	return w->n > 0;
}

bool gw_smartir_any_symbol(const struct gw_smartir_words *w)
{
	for (size_t i = 0; i < w->n; i++) {
		if (w->symbol[i]) {
			return true;
		}
	}
	return false;
}

/* --- codes --- */

const char *gw_smartir_code(struct gw_smartir *s, const char *at, const struct gw_node *n)
{
	GW_AUTO(gw_buf_fini) struct gw_buf code = GW_BUF_INIT(GW_VALUE_BYTES);
	bool texts = n->type == GW_NODE_LIST && n->count > 0;
	gw_node_for(item, n)
	{
		texts &= item->type == GW_NODE_TEXT;
	}
	if (n->type == GW_NODE_TEXT) {
		gw_buf_add_str(&code, gw_str_trim(n->text));
	} else if (texts) {
		gw_node_for(item, n)
		{
			gw_buf_puts(&code, code.len ? "\n" : "");
			gw_buf_add_str(&code, gw_str_trim(item->text));
		}
	} else if (n->type == GW_NODE_LIST) { /* pulses */
		gw_node_write(&code, n, /* source_order= */ true);
	} else {
		gw_import_fate(s->b->result, at, GW_FATE_UNMAPPED, NULL, "a code that is no text");
		return NULL;
	}
	if (gw_buf_error(&code)) {
		s->b->failed |= gw_buf_error(&code) == -ENOMEM;
		gw_import_fate(s->b->result, at, GW_FATE_UNMAPPED, NULL,
			       "a code of more than 4096 bytes");
		return NULL;
	}
	return gw_draft_printf(s->b, GW_STR_FMT, GW_STR_ARG(gw_buf_str(&code)));
}

struct gw_node *gw_smartir_msg(struct gw_smartir *s, const char *mode)
{
	struct gw_node *m = gw_set_map(s->b, s->b->msgs, "state");
	const char *controller = gw_node_text(s->root, "supportedController");
	const char *encoding = gw_node_text(s->root, "commandsEncoding");
	gw_set_text(s->b, m, "rx", "sent");
	gw_set_text(s->b, m, "tx", "send");
	gw_set_text(s->b, m, "mode", mode);
	struct gw_node *base = gw_set_map(s->b, m, "base");
	if (controller) {
		gw_set_text(s->b, base, "controller", controller);
	}
	gw_set_text(s->b, base, "encoding", encoding);
	return base;
}

struct gw_node *gw_smartir_point(struct gw_smartir *s, const char *name, bool back)
{
	const char *made;
	struct gw_node *p = gw_draft_point(s->b, name, &made);
	if (p) {
		gw_set_text(s->b, p, back ? "io" : "out", gw_draft_printf(s->b, "state#/%s", name));
	}
	return p;
}

void gw_smartir_also(struct gw_smartir *s, struct gw_node *cap, const char *expr)
{
	if (cap) {
		gw_set_text(s->b, gw_set_map(s->b, cap, "also"), "code",
			    expr ? expr : "x.smartir.code");
	}
}

struct gw_node *gw_smartir_enum(struct gw_smartir *s, struct gw_node *cap, const char *key,
				const char *const *texts, size_t n)
{
	struct gw_node *list = cap ? gw_set_list(s->b, cap, key) : NULL;
	for (size_t i = 0; list && i < n; i++) {
		bool again = false;
		for (size_t k = 0; texts[i] && k < i; k++) {
			again |= texts[k] && strcmp(texts[i], texts[k]) == 0;
		}
		if (texts[i] && !again) {
			gw_add_text(s->b, list, gw_str(texts[i]));
		}
	}
	return list;
}

/* --- the file --- */

static const struct gw_node *list_of(const struct gw_node *root, const char *key)
{
	const struct gw_node *n = gw_node_get(root, key);
	return n && n->type == GW_NODE_LIST ? n : NULL;
}

/* "ACWM5 / ACWM7": as many as a name holds. */
static const char *models(struct gw_smartir *s)
{
	const struct gw_node *list = list_of(s->root, "supportedModels");
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
	gw_node_for(n, list)
	{
		GW_AUTO(gw_buf_fini) struct gw_buf model = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
		bool fits = gw_node_text_form(n, &model) == 0 && text.len + model.len < 100;
		if (fits && model.len > 0) {
			gw_buf_puts(&text, text.len ? ", " : "");
			gw_buf_add_str(&text, gw_buf_str(&model));
		}
	}
	return gw_draft_printf(s->b, GW_STR_FMT, GW_STR_ARG(gw_buf_str(&text)));
}

static int refuse(struct gw_smartir *s, const char *at, const char *text)
{
	int r = gw_error_set(s->error, -EBADMSG, "import", "%s", text);
	if (s->error) {
		(void)snprintf(s->error->at, sizeof(s->error->at), "%s", at);
	}
	return r;
}

static int build(struct gw_smartir *s)
{
	s->commands = gw_node_get(s->root, "commands");
	if (s->root->type != GW_NODE_MAP || !s->commands || s->commands->type != GW_NODE_MAP) {
		return refuse(s, "/commands", "found no map of commands, which a table must have");
	}
	if (!gw_node_text(s->root, "commandsEncoding")) {
		return refuse(s, "/commandsEncoding",
			      "found no text, expected Base64, Hex, Pronto or Raw");
	}
	gw_set_text(s->b, s->b->link, "adapter", "ir");
	gw_set_text(s->b, s->b->link, "min_gap", "300ms");
	gw_set_text(s->b, s->b->link, "coalesce", "200ms");
	return list_of(s->root, "operationModes") ? gw_smartir_climate(s)
	       : list_of(s->root, "speed")	  ? gw_smartir_fan(s)
						  : gw_smartir_media(s);
}

static int attempt(struct gw_smartir *s, const char *file, struct gw_imported *out)
{
	const char *maker = gw_node_text(s->root, "manufacturer");
	s->b->at = file;
	int r = build(s);
	if (r < 0) {
		return r;
	}
	const struct gw_draft_head head = {.source = "smartir",
					   .kind = "smartir_code",
					   .vendor = maker ? maker : "",
					   .model = models(s)};
	(void)gw_str_clean(gw_str(gw_draft_printf(s->b, "%s %s", head.vendor, head.model)), 100,
			   out->name, sizeof(out->name)); /* length unused */
	(void)gw_str_clean(gw_str(gw_draft_printf(s->b, "smartir:%s", file)), 100, out->identity,
			   sizeof(out->identity));
	return gw_draft_finish(s->b, &head, out);
}

static int import(const struct gw_node *root, const char *file, struct gw_import_result *ret_result,
		  struct gw_error *reterr_)
{
	struct gw_imported *out = gw_import_add(ret_result);
	struct gw_smartir s = {.root = root, .error = reterr_};
	int r = out ? -E2BIG : -ENOMEM;
	for (unsigned i = 0; i < 2 && r == -E2BIG && (i == 0 || s.has_swing); i++) {
		struct gw_draft b;
		struct gw_arena *a = gw_arena_new(ARENA_BYTES);
		ret_result->n_points = ret_result->n_notes = 0; /* of the attempt before */
		s.b = &b;
		s.narrow = i > 0;
		r = a ? gw_draft_init(&b, a, "smartir", ret_result) : -ENOMEM;
		r = r < 0 ? r : attempt(&s, file, out);
		gw_arena_free(a);
	}
	return r == -ENOENT  ? refuse(&s, "/commands", "found no command that can be sent")
	       : r == -E2BIG ? refuse(&s, "/commands",
				      "the codes need more than the 256 KiB of a profile")
			     : r;
}

const struct gw_file_importer gw_import_smartir = {.name = "smartir", .import = import};
