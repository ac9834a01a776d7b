/* The translator of templates, shared by its two halves: jinja_value.c (what a value is) and jinja_choice.c (what is chosen). */
#pragma once

#include "profile/import/ha_template.h"

#define GW_JINJA_DEPTH 24 /* of an expression or of nested ifs */

/* What an expression means. COND, DEFINED, LIST and DICT exist only inside. */
enum gw_sym_kind {
	GW_SYM_CONST,
	GW_SYM_PATH,
	GW_SYM_TABLE,
	GW_SYM_COND,
	GW_SYM_DEFINED,
	GW_SYM_LIST,
	GW_SYM_DICT
};

struct gw_sym {
	enum gw_sym_kind kind;
	struct gw_tpl t; /* CONST, PATH, TABLE; COND and DEFINED: the place that is looked at */
	struct gw_node *values; /* COND: texts that make it true; LIST: items; DICT: members */
	bool negated;		/* COND, DEFINED */
	bool undefined;		/* CONST: the "" of a key that a dictionary does not have */
};

struct gw_jinja {
	struct gw_arena *a;
	const char *p, *end;
	const struct gw_node *value; /* what `value` is; NULL: not known, a place */
	struct gw_str set_name;	     /* {% set name = {…} %} */
	struct gw_node *set_dict;
	const char *why;
	unsigned depth;
	bool command; /* value_json does not exist */
};

int gw_jinja_refuse(struct gw_jinja *t, const char *why);
int gw_jinja_no_memory(struct gw_jinja *t);

/* --- text --- */
bool gw_jinja_take(struct gw_jinja *t, const char *token); /* behind blanks */
bool gw_jinja_take_word(struct gw_jinja *t, const char *word);
struct gw_str gw_jinja_name(struct gw_jinja *t);
char gw_jinja_peek(struct gw_jinja *t); /* behind blanks; 0 at the end */
/* The text form that a raw of the body has (profile-language §1): true, not True. */
struct gw_str gw_jinja_raw_form(struct gw_jinja *t, const struct gw_node *n);

/* --- constants --- */
int gw_jinja_text(struct gw_jinja *t, struct gw_str s, struct gw_sym *ret);
int gw_jinja_bool(struct gw_jinja *t, bool v, struct gw_sym *ret);

/* One member further into value_json. */
int gw_jinja_step(struct gw_jinja *t, struct gw_sym *s, struct gw_str token);

/* --- grammar: each half calls the other --- */
int gw_jinja_sum(struct gw_jinja *t, struct gw_sym *ret);	 /* without comparisons */
int gw_jinja_expression(struct gw_jinja *t, struct gw_sym *ret); /* with A if C else B */
