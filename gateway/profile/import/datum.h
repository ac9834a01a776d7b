/*
 * One data point of a description that says what it is: its type, unit, range, words (Thing Description, Homie). It becomes the
 * capability that the description names by a semantic type, else the one its name and unit tell, else x.<vendor>.<name>.
 */
#pragma once

#include "profile/import/draft.h"
#include "profile/import/vocabulary.h"

enum gw_datum_type {
	GW_DATUM_BOOL,
	GW_DATUM_INTEGER,
	GW_DATUM_NUMBER,
	GW_DATUM_WORDS, /* one of words */
	GW_DATUM_TEXT,
	GW_DATUM_ANY, /* a scalar of unknown type */
	GW_DATUM_LIST,
	GW_DATUM_MAP,
};

struct gw_datum {
	const char *at;	   /* place in the description */
	const char *name;  /* as the description calls it: "batteryLevel" */
	const char *label; /* for people; NULL: none */
	const char *cap;   /* capability by semantic type; NULL: by name and unit */
	const char *part;  /* component that it belongs to: NULL: main, as long as that has room */
	const char *place; /* what a component is called that is made because main has no room */
	enum gw_datum_type type;
	struct gw_str unit;
	double min, max, step;	     /* NAN: not said */
	const struct gw_node *words; /* list of scalars */
	/* Messages and pointers; msg NULL: not read, not written. */
	const char *in, *in_pointer, *out, *out_pointer;
	const char *in_also; /* a second message that carries it at in_pointer, or NULL */
	bool plain;	     /* the body is text: numbers and booleans are spelled */
};

/* The fate is told. False: memory is out, or the profile has no room. */
bool gw_datum_add(struct gw_draft *b, const struct gw_datum *d);
/* What happens, without being a state: x.<vendor>.<name> or button.press. Uses at, name, label, cap, words, in, plain. */
bool gw_datum_event(struct gw_draft *b, const struct gw_datum *d);
/* "batteryLevel", "battery-level" → "battery_level" */
const char *gw_datum_word(struct gw_draft *b, const char *name);
/* The capability of an action without arguments by its name ("toggle", "reboot"), when it is free in main; NULL: none. */
const char *gw_datum_action(const struct gw_draft *b, const char *word);
