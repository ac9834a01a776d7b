/*
 * The subset of Jinja that device descriptions use, translated into what a point can say: a place in the body, a linear form,
 * a map. Nothing is executed later. What is not in the subset is refused with the reason.
 *
 *   {{ value }}   {{ value_json.a["b"][0] }}   | float int round default(x) is_defined lower upper trim string
 *   (value_json.x | float) * 0.1 + 2   'A' if value_json.x == 'y' else 'B'   {% if … %}A{% elif … %}B{% else %}C{% endif %}
 *   value_json.x in ['a', 'b']   value_json.x is defined   {'a': '1'}[value]   {% set m = {…} %}   m.get(value, 'x')
 */
#pragma once

#include "gw/node.h"
#include "profile/import/vocabulary.h"

enum gw_tpl_kind {
	GW_TPL_CONST, /* the same text whatever comes */
	GW_TPL_PATH,  /* a place in the body, perhaps with a linear form */
	GW_TPL_TABLE, /* a place in the body, whose text chooses another text */
};

struct gw_tpl {
	enum gw_tpl_kind kind;
	struct gw_node *constant; /* CONST */
	bool whole;		  /* the payload itself, not a member of it as JSON */
	const char *pointer;	  /* into the JSON; "" for whole */
	bool number;		  /* passed through float, int, round or arithmetic */
	bool any_case;		  /* passed through lower or upper */
	struct gw_linear linear;
	struct gw_node *absent; /* default(…): when the place is not there; NULL: nothing then */
	struct gw_node *rows;	/* TABLE: map of text form → constant */
	struct gw_node *other;	/* TABLE: what everything else gives; NULL: nothing */
};

/* A value template. *ret_why is a static text on -ENOTSUP (not in the subset) and -ENOMEM. */
int gw_tpl_read(struct gw_arena *a, struct gw_str text, struct gw_tpl *ret,
		const char **ret_why) GW_MUST_USE;

/* A command template: {{ … }} of `value`, alone or inside a JSON text. */
struct gw_tpl_command {
	struct gw_str expression; /* what stands between the braces, or the whole {% if … %} text */
	bool json;
	const char *pointer;  /* json: where the value goes */
	struct gw_node *base; /* json: everything else; NULL: nothing else */
	bool quoted;	      /* json: the value stands between quotes, it is sent as text */
};
int gw_tpl_command(struct gw_arena *a, struct gw_str text, struct gw_tpl_command *ret,
		   const char **ret_why) GW_MUST_USE;
/* What is sent for any value (CONST, PATH of `value`, TABLE of `value`). */
int gw_tpl_send(struct gw_arena *a, const struct gw_tpl_command *c, struct gw_tpl *ret,
		const char **ret_why) GW_MUST_USE;
/* What is sent for one value: a text in the arena. */
int gw_tpl_send_value(struct gw_arena *a, const struct gw_tpl_command *c, struct gw_str value,
		      struct gw_str *ret_text, const char **ret_why) GW_MUST_USE;
/* As Jinja prints it: True and False with capitals, numbers shortest. */
struct gw_str gw_tpl_print(struct gw_arena *a, const struct gw_node *n);
