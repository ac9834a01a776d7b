/* SmartIR climate tables: the codes as rows, and what each mode can do. */
#pragma once

#include "profile/import/smartir.h"

#define GW_SMARTIR_TEMPERATURES 255

struct gw_smartir_temps {
	uint64_t bits[4]; /* by index in temps; all ones: any, also where there are none */
};

/* A set of states with one code. Masks of words and temperatures; all ones: any. */
struct gw_smartir_row {
	uint64_t fan, swing, hash;
	struct gw_smartir_temps temp;
	const char *code;
	uint8_t mode;
	bool ro;
};

struct gw_smartir_climate {
	struct gw_smartir *s;
	struct gw_smartir_words modes, fans, swings;
	double temps[GW_SMARTIR_TEMPERATURES]; /* ascending */
	size_t n_temps, first_temp;	       /* first_temp: nearest to room temperature */
	double step;			       /* 0: not regular */
	bool complete;			       /* the temperatures are all of their range */
	bool fahrenheit;
	struct gw_smartir_row *rows; /* those of one mode follow each other */
	size_t n_rows;
	/*
	 * By mode: the speeds and swings of any of its codes; as temperatures those that all of them have (of any, when none is in
	 * all), and those of any.
	 */
	struct gw_smartir_row reach[GW_SMARTIR_WORDS];
	struct gw_smartir_temps widest[GW_SMARTIR_WORDS];
	const char *off; /* its code; NULL: none */
};

bool gw_smartir_has_temp(const struct gw_smartir_temps *t, size_t i);
bool gw_smartir_no_temp(const struct gw_smartir_temps *t);
bool gw_smartir_same_temps(const struct gw_smartir_temps *a, const struct gw_smartir_temps *b);
/* Everything but s from its commands. n_rows is 0 when there is no code at all. */
int gw_smartir_rows(struct gw_smartir_climate *c);
/* ac.vane_v, ac.vane_h, x.smartir.swing; add makes the choice of one capability, limit what every one of them needs. */
struct gw_smartir_choice {
	const struct gw_smartir_words *words;
	const char *const *values;     /* of the capability, by word; NULL: not offered by it */
	const char *id, *point, *list; /* list: key in the file */
	bool swing;
};
void gw_smartir_choice(struct gw_smartir_climate *c, const struct gw_smartir_choice *k);
void gw_smartir_limits(struct gw_smartir_climate *c, struct gw_node *cap);
void gw_smartir_swing(struct gw_smartir_climate *c);
