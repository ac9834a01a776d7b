/* "did you mean": the nearest of some known words by edit distance. */
#pragma once

#include "gw/str.h"

struct gw_suggest {
	struct gw_str word;
	unsigned distance; /* of best; more than a third of the word is no suggestion */
	struct gw_str best;
};

void gw_suggest_init(struct gw_suggest *s, struct gw_str word);
void gw_suggest_offer(struct gw_suggest *s, struct gw_str candidate); /* borrowed while s is used */
/* For error texts: "; did you mean 'x'?" or "" in text. */
const char *gw_suggest_text(const struct gw_suggest *s, char *text, size_t cap);
