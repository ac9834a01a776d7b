#include "profile/suggest.h"

#include <stdio.h>

#define WORD_BYTES 64 /* longer words get no suggestion */

void gw_suggest_init(struct gw_suggest *s, struct gw_str word)
{
	*s = (struct gw_suggest){.word = word, .distance = 1 + (unsigned)(word.len / 3)};
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;
	return m < c ? m : c;
}

/* Levenshtein distance, one row at a time. */
static unsigned distance(struct gw_str a, struct gw_str b)
{
	unsigned row[WORD_BYTES + 1];
	for (unsigned j = 0; j <= b.len; j++) {
		row[j] = j;
	}
	for (unsigned i = 0; i < a.len; i++) {
		unsigned diagonal = row[0];
		row[0] = i + 1;
		for (unsigned j = 0; j < b.len; j++) {
			unsigned change = diagonal + (a.p[i] != b.p[j]);
			diagonal = row[j + 1];
			row[j + 1] = min3(change, row[j + 1] + 1, row[j] + 1);
		}
	}
	return row[b.len];
}

void gw_suggest_offer(struct gw_suggest *s, struct gw_str candidate)
{
	if (s->word.len > WORD_BYTES || candidate.len > WORD_BYTES) {
		return;
	}
	unsigned d = distance(s->word, candidate);
	if (d < s->distance || (d == s->distance && !s->best.p)) {
		s->distance = d;
		s->best = candidate;
	}
}

const char *gw_suggest_text(const struct gw_suggest *s, char *text, size_t cap)
{
	if (!s->best.p) {
		return "";
	}
	snprintf(text, cap, "; did you mean \"" GW_STR_FMT "\"?", GW_STR_ARG(s->best));
	return text;
}
