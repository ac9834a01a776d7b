/*
 * SmartIR code tables (smartHomeHub/SmartIR, codes/{climate,fan,media_player}/<number>.json): an infrared remote control without a
 * way back. The profile talks JSON with the adapter "ir", on the channels "send" and "sent":
 *
 *   send  {"controller": "Broadlink", "encoding": "Base64", "mode": "cool", "fan": "low", "temp": 21, "code": "JgCM…"}
 *   sent  the same map, once the code has been emitted
 *
 * code is what the remote control sends, in the encoding (Base64, Hex, Pronto, Raw) and for the kind of emitter that the table was made
 * with; several codes stand one a line and are emitted one after another; "on", where a table has it, is emitted before a code whose
 * mode is not "off". The other members are the state that the code stands for: the adapter emits code, and what it
 * emitted comes back, so that the state is known as far as it can be.
 */
#pragma once

#include "profile/import/draft.h"

#define GW_SMARTIR_WORDS 64

struct gw_smartir {
	struct gw_draft *b;
	const struct gw_node *root, *commands;
	struct gw_error *error;
	bool narrow;	/* the codes of the first swing only, because all do not fit */
	bool has_swing; /* set by gw_smartir_climate: narrow would help */
};

/* The words of one choice of the remote control, in the order of the file, with the symbol of the model that fits; NULL: none does. */
struct gw_smartir_words {
	const char *word[GW_SMARTIR_WORDS], *symbol[GW_SMARTIR_WORDS];
	size_t n;
};

/* Index of the word, added when it is new; -1: there are too many. */
int gw_smartir_word(struct gw_smartir *s, struct gw_smartir_words *w, struct gw_str word);
int gw_smartir_find(const struct gw_smartir_words *w, struct gw_str word); /* -1: not there */
/* Fills the symbols of fan.mode. */
void gw_smartir_speeds(struct gw_smartir_words *w);
/* Are the words a choice of the standard capability alone: does each have a symbol of its own? */
bool gw_smartir_exact(const struct gw_smartir_words *w);
bool gw_smartir_any_symbol(const struct gw_smartir_words *w);

/* The text of a command, "" for none; NULL, told as not mapped, when it cannot be sent. */
const char *gw_smartir_code(struct gw_smartir *s, const char *at, const struct gw_node *n);
/* The message "state", mode patch or full. */
struct gw_node *gw_smartir_msg(struct gw_smartir *s, const char *mode);
/* A member of it that comes back; back false: only sent. */
struct gw_node *gw_smartir_point(struct gw_smartir *s, const char *name, bool back);
/* What else a write of the capability sends: the code. expr NULL: that of x.smartir.code. */
void gw_smartir_also(struct gw_smartir *s, struct gw_node *cap, const char *expr);
/* Each word once for itself. */
struct gw_node *gw_smartir_enum(struct gw_smartir *s, struct gw_node *cap, const char *key,
				const char *const *texts, size_t n);

int gw_smartir_climate(struct gw_smartir *s);
int gw_smartir_fan(struct gw_smartir *s);
int gw_smartir_media(struct gw_smartir *s);
