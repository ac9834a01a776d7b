/* SmartIR climate tables: which movement of the vanes a word for the swing means. */
#include "profile/import/smartir_climate.h"

/* --- swing --- */

struct swing_word {
	const char *word, *v, *h; /* symbols of ac.vane_v and ac.vane_h; NULL: says nothing of it */
};

static const struct swing_word swing_words[] = {
	{"off", "stop", "stop"},
	{"swing off", "stop", "stop"},
	{"stop", "stop", "stop"},
	{"fixed", "stop", "stop"},
	{"fix", "stop", "stop"},
	{"none", "stop", "stop"},
	{"static", "stop", "stop"},
	{"on", "swing", NULL},
	{"auto", "swing", NULL},
	{"swing", "swing", "swing"},
	{"both", "swing", "swing"},
	{"full", "swing", NULL},
	{"vertical", "swing", "stop"},
	{"vertical swing", "swing", "stop"},
	{"up down", "swing", "stop"},
	{"updown", "swing", "stop"},
	{"swing vertical", "swing", "stop"},
	{"horizontal", "stop", "swing"},
	{"horizontal swing", "stop", "swing"},
	{"left right", "stop", "swing"},
	{"swing horizontal", "stop", "swing"},
	{"top", "position_1", NULL},
	{"highest", "position_1", NULL},
	{"upper", "position_2", NULL},
	{"high", "position_2", NULL},
	{"middle", "position_3", NULL},
	{"mid", "position_3", NULL},
	{"center", "position_3", NULL},
	{"lower", "position_4", NULL},
	{"low", "position_4", NULL},
	{"bottom", "position_5", NULL},
	{"lowest", "position_5", NULL},
};

static const struct swing_word *swing_word(const char *word)
{
	for (size_t i = 0; i < gw_countof(swing_words); i++) {
		if (gw_str_glob(gw_str(swing_words[i].word), gw_str(word))) {
			return &swing_words[i];
		}
	}
	return NULL;
}

/* The word for these two movements; NULL: the remote control has none. */
static const char *word_for(const struct gw_smartir_climate *c, bool v, bool h)
{
	for (size_t i = 0; i < c->swings.n; i++) {
		const struct swing_word *w = swing_word(c->swings.word[i]);
		if (w && w->v && w->h && (strcmp(w->v, "swing") == 0) == v &&
		    (strcmp(w->h, "swing") == 0) == h && !strchr(c->swings.word[i], '\'')) {
			return c->swings.word[i];
		}
	}
	return NULL;
}

/* Both movements in one word: each is written so that the other stays. */
static bool add_two_axes(struct gw_smartir_climate *c)
{
	struct gw_draft *b = c->s->b;
	const char *none = word_for(c, false, false), *v = word_for(c, true, false),
		   *h = word_for(c, false, true), *both = word_for(c, true, true);
	if (!none || !v || !h || !both || c->swings.n != 4) {
		return false;
	}
	const struct {
		const char *id, *only, *other;
	} axes[] = {{"ac.vane_v", v, h}, {"ac.vane_h", h, v}};
	for (size_t i = 0; i < gw_countof(axes); i++) {
		const char *only = axes[i].only, *other = axes[i].other;
		static const char *const symbols[] = {"stop", "swing"};
		struct gw_node *cap = gw_draft_cap(b, NULL, axes[i].id);
		if (!cap) {
			continue;
		}
		gw_set_text(b, cap, "expr",
			    gw_draft_printf(b, "swing == '%s' or swing == '%s' ? 'swing' : 'stop'",
					    only, both));
		const char *set = gw_draft_printf(
			b,
			"swing == '%s' or swing == '%s' ? (v == 'swing' ? '%s' : '%s') "
			": (v == 'swing' ? '%s' : '%s')",
			other, both, both, other, only, none);
		gw_set_text(b, gw_set_map(b, cap, "set"), "swing", set);
		(void)gw_smartir_enum(c->s, cap, "enum", symbols, 2); /* failures are sticky */
		gw_smartir_limits(c, cap);
		gw_import_fate(b->result, "swingModes", GW_FATE_STANDARD, axes[i].id, NULL);
	}
	return true;
}

void gw_smartir_swing(struct gw_smartir_climate *c)
{
	bool flat = false;
	if (c->swings.n == 0 || add_two_axes(c)) {
		return;
	}
	for (size_t i = 0; i < c->swings.n; i++) {
		const struct swing_word *w = swing_word(c->swings.word[i]);
		c->swings.symbol[i] = w ? w->v : NULL;
		flat |= w && w->h && strcmp(w->h, "swing") == 0 && strcmp(w->v, "stop") == 0;
	}
	for (size_t i = 0; flat && i < c->swings.n; i++) { /* to the left and right only */
		const struct swing_word *w = swing_word(c->swings.word[i]);
		c->swings.symbol[i] = w ? w->h : NULL;
	}
	if (gw_smartir_any_symbol(&c->swings)) {
		gw_smartir_choice(
			c, &(struct gw_smartir_choice){.words = &c->swings,
						       .values = c->swings.symbol,
						       .id = flat ? "ac.vane_h" : "ac.vane_v",
						       .point = "swing",
						       .list = "swingModes",
						       .swing = true});
	}
	if (!gw_smartir_exact(&c->swings)) {
		gw_smartir_choice(c, &(struct gw_smartir_choice){.words = &c->swings,
								 .values = c->swings.word,
								 .id = "x.smartir.swing",
								 .point = "swing",
								 .list = "swingModes",
								 .swing = true});
	}
}
