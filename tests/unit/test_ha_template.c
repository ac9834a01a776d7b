/* The subset of Jinja in Home Assistant's templates: what each form becomes, and that everything else is refused with a reason. */
#include "gw_test.h"

#include <errno.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/buf.h"
#include "profile/import/ha_template.h"

/* "/a/b*2/4+1" for a place with a linear form, "'x'" for a constant, "/a{1:x,2:y,*:z}" for a table. */
static void describe(struct gw_arena *a, const struct gw_tpl *t, struct gw_buf *b)
{
	gw_buf_reset(b);
	if (t->kind == GW_TPL_CONST) {
		gw_buf_printf(b, "'%s'", gw_tpl_print(a, t->constant).p);
		return;
	}
	gw_buf_puts(b, t->whole ? "value" : t->pointer);
	if (!gw_linear_is_none(t->linear)) {
		gw_buf_printf(b, "*%g/%g+%g", t->linear.mul, t->linear.div, t->linear.add);
	}
	if (t->kind == GW_TPL_TABLE) {
		gw_buf_putc(b, '{');
		gw_node_for(row, t->rows)
		{
			gw_buf_printf(b, "%s:%s,", row->key.p, gw_tpl_print(a, row).p);
		}
		gw_buf_printf(b, "*:%s}", t->other ? gw_tpl_print(a, t->other).p : "-");
	}
	gw_buf_puts(b, t->number ? " number" : "");
	gw_buf_puts(b, t->any_case ? " any_case" : "");
	if (t->absent) {
		gw_buf_printf(b, " absent %s", gw_tpl_print(a, t->absent).p);
	}
}

static const struct {
	const char *text, *means;
} meanings[] = {
	{"{{ value }}", "value"},
	{"{{value}}", "value"},
	{"{{- value -}}", "value"},
	{"{{ value | float }}", "value number"},
	{"{{ value_json.a.b }}", "/a/b"},
	{"{{ value_json['a']['b'] }}", "/a/b"},
	{"{{ value_json[\"a b/c\"] }}", "/a b~1c"},
	{"{{ value_json.a[0].b }}", "/a/0/b"},
	{"{{ value_json.get('a') }}", "/a"},
	{"{{ value_json.get('a', 5) }}", "/a absent 5"},
	{"{{ value_json.a | default('off') }}", "/a absent off"},
	{"{{ value_json.a | is_defined }}", "/a"},
	{"{{ value_json.a | lower }}", "/a any_case"},
	{"{{ value_json.a | float(0) | round(2) }}", "/a number"},
	{"{{ float(value_json.a, 0) }}", "/a number"},
	{"{{ (value_json.a | float) * 0.1 }}", "/a*0.1/1+0 number"},
	{"{{ value_json.a / 10 + 5 }}", "/a*1/10+5 number"},
	{"{{ (value_json.a - 32) / 2 }}", "/a*1/2+-16 number"},
	{"{{ 100 - value_json.a }}", "/a*-1/1+100 number"},
	{"{{ -value_json.a }}", "/a*-1/1+0 number"},
	{"{{ 'ON' if value_json.a else 'OFF' }}", "/a{false:OFF,0:OFF,:OFF,*:ON}"},
	{"{{ 'ON' if not value_json.a else 'OFF' }}", "/a{false:ON,0:ON,:ON,*:OFF}"},
	{"{{ 'A' if value == 'x' else 'B' }}", "value{x:A,*:B}"},
	{"{{ 'A' if value != 'x' else 'B' }}", "value{x:B,*:A}"},
	{"{{ 'A' if value_json.a in ['x', 2] else 'B' }}", "/a{x:A,2:A,*:B}"},
	{"{{ 'A' if value_json.a not in ('x', 2) else 'B' }}", "/a{2:B,x:B,*:A}"},
	{"{{ 'A' if value == 'x' or value == 'y' else 'B' }}", "value{x:A,y:A,*:B}"},
	{"{{ 'A' if value == 'x' else 'B' if value == 'y' else 'C' }}", "value{x:A,y:B,*:C}"},
	{"{{ value_json.a == 'on' }}", "/a{on:True,*:False}"},
	{"{{ value_json.a if value_json.a is defined else 0 }}", "/a absent 0"},
	{"{{ value_json.a if value_json.a is not none else '' }}", "/a absent "},
	{"{{ 'A' if 'a' in value_json and value_json.a == 1 else 'B' }}", "/a{1:A,*:B}"},
	{"{{ {'0':'idle', '1':'busy'}[value] }}", "value{0:idle,1:busy,*:-}"},
	{"{{ {0:'idle'}.get(value_json.s, '?') }}", "/s{0:idle,*:?}"},
	{"{% set m = {'0':'a'} %}{{ m[value] if value in m else 'z' }}", "value{0:a,*:z}"},
	{"{% set m = {'0':'a'} %}{{ m[value] if value in m.keys() else 'z' }}", "value{0:a,*:z}"},
	{"{% if value_json.a == 1 %}x{% elif value_json.a == 2 %}y{% endif %}", "/a{1:x,2:y,*:}"},
	{"{%- if value == 'a' -%} x {%- else -%} {{ 'y' }} {%- endif -%}", "value{a:x,*:y}"},
	{"{{ 'it\\'s' }}", "'it's'"},
	{"{{ 2 + 3 * 4 }}", "'14'"},
	{"{{ true }}", "'True'"},
	/* constants are computed */
	{"{{ none }}", "'None'"},
	{"{{ False }}", "'False'"},
	{"{{ 1.5 }}", "'1.5'"},
	{"{{ 2 - 3 }}", "'-1'"},
	{"{{ 6 / 4 }}", "'1.5'"},
	{"{{ 5 -}}", "'5'"},
	{"{{ 5 - 3 -}}", "'2'"},
	{"{{ '3' | float }}", "'3'"},
	{"{{ '21.9' | int }}", "'21'"},
	{"{{ int('7', 0) }}", "'7'"},
	{"{{ 2 | string }}", "'2'"},
	{"{{ none | string }}", "'None'"},
	{"{{ 'x' | string }}", "'x'"},
	{"{{ value_json.a | string }}", "/a"},
	{"{{ not false }}", "'True'"},
	{"{{ not '' }}", "'True'"},
	{"{{ not 'x' }}", "'False'"},
	{"{{ not 0 }}", "'True'"},
	{"{{ not none }}", "'True'"},
	{"{{ not not true }}", "'True'"},
	{"{{ 'a' if true else 'b' }}", "'a'"},
	{"{{ 'a' if '' else 'b' }}", "'b'"},
	{"{{ 2 == 2 }}", "'True'"},
	{"{{ 2 != 2 }}", "'False'"},
	{"{{ 'a' in ['b', 'a'] }}", "'True'"},
	{"{{ 'a' not in {'a': 1} }}", "'False'"},
	{"{{ {'1':'x'}['1'] }}", "'x'"},
	{"{{ {'1':'x'}['2'] }}", "''"},
	{"{{ {'1':'x'}.get('2', 'y') }}", "'y'"},
	/* default() counts for what is not there, by either name */
	{"{{ {'1':'x'}['2'] | default('z') }}", "'z'"},
	{"{{ {'1':'x'}['1'] | d('z') }}", "'x'"},
	{"{{ '' | default('z') }}", "''"},
	{"{{ value_json.a | d(0) }}", "/a absent 0"},
	{"{{ value_json.a | default() }}", "/a"},
	{"{{ value_json.a | default }}", "/a"},
	{"{{ {'1':'x'}[value] | default('z') }}", "value{1:x,*:z}"},
	{"{{ {'1':'x'}[value] | d('z') }}", "value{1:x,*:z}"},
	{"{{ {'1':'x'}.get(value, 'y') | default('z') }}", "value{1:x,*:y}"},
	/* conditions */
	{"{{ 'x' == value }}", "value{x:True,*:False}"},
	{"{{ value != 'x' }}", "value{x:False,*:True}"},
	{"{{ value in (1,) }}", "value{1:True,*:False}"},
	{"{{ value == true }}", "value{true:True,*:False}"},
	{"{{ value == none }}", "value{null:True,*:False}"},
	{"{{ 'A' if value in {'x':1} else 'B' }}", "value{x:A,*:B}"},
	{"{{ 'A' if value|lower == 'on' else 'B' }}", "value{on:A,*:B} any_case"},
	{"{{ 'A' if value == 'x' or value in ['y'] else 'B' }}", "value{x:A,y:A,*:B}"},
	{"{{ 'A' if value == 'x' else 'B' if value == 'x' else 'C' }}", "value{x:A,*:C}"},
	{"{{ 'A' if value_json.a is undefined else value_json.a }}", "/a absent A"},
	{"{{ value_json.a if value_json.a is not None else none }}", "/a"},
	{"{{ 'A' if 'a' not in value_json else value_json.a }}", "/a absent A"},
	{"{{ {'1':'x'}[value_json.a] if value_json.a is defined else 'z' }}",
	 "/a{1:x,*:-} absent z"},
	{"{% set m = {'0':'a'} -%}{{ m[value] if value not in m else 'z' }}", "value{0:z,*:-}"},
	/* places and filters */
	{"{{ value_json['a~b'] }}", "/a~0b"},
	{"{{ value_json[\"it's\"] }}", "/it's"},
	{"{{ value_json['a'].b | upper | trim }}", "/a/b any_case"},
	{"{{ value_json.a | round(precision=1) }}", "/a number"},
	{"{{ value_json.a | round(1, 'floor') }}", "/a number"},
	{"{{ value_json.a - 5 }}", "/a*1/1+-5 number"},
	{"{{ value_json.a == 1.0 }}", "/a{1:True,*:False}"},
	/* statements */
	{"{% if true %}a{% else %}b{% endif %}", "'a'"},
	{"{% if value == 'a' %}x{% endif -%}", "value{a:x,*:}"},
	{"{% if value == 'a' %}{{- 'x' -}}{% else %}y{% endif %}", "value{a:x,*:y}"},
	{"{%if value%}1{%else%}0{%endif%}", "value{false:0,0:0,:0,*:1}"},
};

static void understood(void **state)
{
	(void)state;
	for (size_t i = 0; i < gw_countof(meanings); i++) {
		struct gw_arena *a = gw_arena_new(1 << 20);
		struct gw_buf b = GW_BUF_INIT(10000);
		struct gw_tpl t;
		const char *why = "";
		if (gw_tpl_read(a, gw_str(meanings[i].text), &t, &why) != 0) {
			fail_msg("%s: %s", meanings[i].text, why);
		}
		describe(a, &t, &b);
		if (strcmp(b.p ? b.p : "", meanings[i].means) != 0) {
			fail_msg("%s: %s instead of %s", meanings[i].text, b.p, meanings[i].means);
		}
		gw_buf_fini(&b);
		gw_arena_free(a);
	}
}

static void refused(void **state)
{
	(void)state;
	static const char *const cases[] = {
		"",
		"text",
		"{{ value",
		"{{ value }} and {{ value }}",
		"{{ states('sensor.x') }}",
		"{{ value_json.a.split(',')[0] }}",
		"{{ value_json.a | regex_replace('x','y') }}",
		"{{ value_json.a * value_json.b }}",
		"{{ value_json.a + value_json.b }}",
		"{{ 1 / value_json.a }}",
		"{{ value_json.a / 0 }}",
		"{{ 1 / 0 }}",
		"{{ value_json.a * 0 }}",
		"{{ 'A' if value_json.a > 5 else 'B' }}",
		"{{ 'A' if value_json.a == 1 and value_json.b == 2 else 'B' }}",
		"{{ value_json.a if value_json.a is defined else value_json.b }}",
		"{{ value_json.a ~ 'x' }}",
		"{{ value[0] }}",
		"{{ [1, 2] }}",
		"{{ {'a': value} }}",
		"{{ 'unclosed }}",
		"{{ (value }}",
		"{{ value | }}",
		"{{ value_json. }}",
		"{% for x in value_json %}{{ x }}{% endfor %}",
		"{% set x = value_json.a %}{{ x }}",
		"{% if value %}a",
		"{% if value %}a{% else %}b",
		"{{ value_json[value_json.a] }}",
		"{{ value is odd }}",
		"{{ 'a' if value }}",
		/* what cannot be told from one value */
		"{{ not (value_json.a * 2) }}",
		"{{ 'A' if value_json.a * 2 else 'B' }}",
		"{{ not {'1':'x'}[value] }}",
		"{{ not [1] }}",
		"{{ (value_json.a * 2) == 4 }}",
		"{{ [1] == [2] }}",
		"{{ value == value_json.a }}",
		"{{ value in 'abc' }}",
		"{{ 'a' in value }}",
		"{{ 'a' is defined }}",
		"{{ value is defined }}",
		"{{ value == 'a' and true }}",
		"{{ value == 'a' or true }}",
		"{{ value == 'a' or value_json.b == 'a' }}",
		"{{ value != 'a' or value == 'b' }}",
		"{{ value == 'a' or value != 'b' }}",
		"{{ value is defined or value == 'a' }}",
		"{{ value is undefined and value == 1 }}",
		"{{ value is defined and true }}",
		"{{ 'a' if value is defined else 'b' }}",
		"{{ value if value is defined else [1] }}",
		"{{ 'a' if [1] else 'b' }}",
		"{{ value if value == 'x' else 'b' }}",
		"{{ 'a' if value == 'x' else value }}",
		"{{ 'A' if value == 'x' else ('B' if value_json.a == 1 else 'C') }}",
		"{{ {'1':'x'}[value_json.a] if value in {'1':2} else 'z' }}",
		"{{ {'1':'x'}[value] if value == 'a' else [1] }}",
		"{{ {'1':'x'}[value * 2] }}",
		"{{ {'1':'x'}[[1]] }}",
		"{{ value_json.a[-1] }}", /* the last of a list has no pointer */
		"{{ (value_json.a * 2).b }}",
		"{{ 'a'.b }}",
		"{{ value_json.get(value) }}",
		"{{ value_json.get('a', value) }}",
		/* malformed, each at another place */
		"{{ 'a\\n' }}",
		"{{ 'a\\",
		"{{ 1.2.3 }}",
		"{{ [1 2] }}",
		"{{ [value] }}",
		"{{ [[1]] }}",
		"{{ [ }}",
		"{{ (1, }}",
		"{{ {1} }}",
		"{{ {'a' 1} }}",
		"{{ {1:2 3:4} }}",
		"{{ {[1]:2} }}",
		"{{ {1:} }}",
		"{{ float( }}",
		"{{ float(value, }}",
		"{{ float(value }}",
		"{{ value_json.get( }}",
		"{{ value_json.get('a' }}",
		"{{ value_json.get('a', }}",
		"{{ {'a':1}.keys(1) }}",
		"{{ value_json.keys() }}",
		"{{ value_json['a' }}",
		"{{ value_json[ }}",
		"{{ value | round(1 2) }}",
		"{{ value | round(value) }}",
		"{{ value | round( }}",
		"{{ value + }}",
		"{{ value * }}",
		"{{ - }}",
		"{{ value == }}",
		"{{ value == 'a' or }}",
		"{{ not }}",
		"{{ 'a' if else 'b' }}",
		"{{ 'a' if value else }}",
		"{{ valuex }}",
		"{{ truex }}",
		/* numbers of what is none */
		"{{ 'x' | float }}",
		"{{ none | int }}",
		"{{ [1] | float }}",
		"{{ 'x' | lower }}",
		"{{ 'a' + 'b' }}",
		"{{ 'a' * 2 }}",
		/* statements */
		"{% set m {'a':1} %}{{ m[value] }}",
		"{% set m = {'a':1} {{ m[value] }}",
		"{% set m = [ %}{{ value }}",
		"{% set m = {'a':1} %}{% set n = {'b':1} %}{{ m[value] }}",
		"{% set m = {'a':1} %}",
		"{% if %}x{% endif %}",
		"{% if value == 'a' }x{% endif %}",
		"{% if value == 'a' %}{{ 'x' {% endif %}",
		"{% if value == 'a' %}x{{ 'y' }}{% endif %}",
		"{% if value == 'a' %}x{% endif }",
		"{% if value == 'a' %}x{% else }y{% endif %}",
		"{% if value == 'a' %}x{% else %}{{ 'y' {% endif %}",
		"{% if value == 'a' %}x{% else %}y{% endfor %}",
		"{% if value == 'a' %}x{% else %}y{% endif }",
		"{% if value == 'a' %}x{% else %}y",
		"{% if value == 'a' %}x{% elif %}y{% endif %}",
		"{% if value == 'a' %}x{% endif %} and more",
		"{% if value == 'a' %}x{% fi %}",
	};
	for (size_t i = 0; i < gw_countof(cases); i++) {
		struct gw_arena *a = gw_arena_new(1 << 20);
		struct gw_tpl t;
		const char *why = "";
		if (gw_tpl_read(a, gw_str(cases[i]), &t, &why) != -ENOTSUP || why[0] == 0) {
			fail_msg("%s was not refused", cases[i]);
		}
		gw_arena_free(a);
	}
}

/* Texts, names and numbers from outside are refused when they are too long, never cut. */
static void too_long(void **state)
{
	(void)state;
	static const struct {
		const char *head, *unit, *tail;
		unsigned fits, times;
	} cases[] = {
		{"{{ '", "x", "' }}", 4096, 4097},
		{"{{ value_json['", "x", "'] }}", 4095, 4096},
		{"{{ value_json.", "x", " }}", 4095, 4096},
		{"{{ value_json['", "~", "'] }}", 2047, 2048},
		{"{{ 1", "0", " * 1 }}", 308, 309},
		{"{{ 1", "0", " * 1000000000000 }}", 296, 297},
	};
	for (size_t i = 0; i < 2 * gw_countof(cases); i++) {
		GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(10000);
		struct gw_arena *a = gw_arena_new(1 << 20);
		struct gw_tpl t;
		const char *why = "";
		gw_buf_puts(&b, cases[i / 2].head);
		for (unsigned n = 0; n < (i % 2 ? cases[i / 2].times : cases[i / 2].fits); n++) {
			gw_buf_puts(&b, cases[i / 2].unit);
		}
		gw_buf_puts(&b, cases[i / 2].tail);
		if (gw_tpl_read(a, gw_buf_str(&b), &t, &why) != (i % 2 ? -ENOTSUP : 0)) {
			fail_msg("%s…: %s", cases[i / 2].head, why);
		}
		gw_arena_free(a);
	}
}

/* Too little memory, at each place where some is asked for: told as that, never as another template. */
static void without_memory(void **state)
{
	(void)state;
	for (size_t i = 0; i < gw_countof(meanings); i++) {
		int r = -ENOMEM;
		for (size_t cap = 0; r != 0; cap += 8) { /* of the arena */
			struct gw_arena *a = gw_arena_new(cap);
			struct gw_tpl t;
			const char *why = "";
			r = gw_tpl_read(a, gw_str(meanings[i].text), &t, &why);
			if (r != 0 && (r != -ENOMEM || strcmp(why, "out of memory") != 0)) {
				fail_msg("%s in %zu bytes: %d, %s", meanings[i].text, cap, r, why);
			}
			gw_arena_free(a);
		}
		r = -ENOMEM;
		for (uint64_t n = 1; r != 0; n++) { /* of everything else */
			struct gw_arena *a = gw_arena_new(1 << 20);
			struct gw_tpl t;
			const char *why = "";
			gw_alloc_fail_at(n);
			r = gw_tpl_read(a, gw_str(meanings[i].text), &t, &why);
			gw_alloc_fail_at(0);
			if (r != 0 && (r != -ENOMEM || strcmp(why, "out of memory") != 0)) {
				fail_msg("%s, allocation %d: %d, %s", meanings[i].text, (int)n, r,
					 why);
			}
			gw_arena_free(a);
		}
	}
}

/* Nesting from outside ends at the limit, not on the stack. */
static void deep(void **state)
{
	(void)state;
	static const struct {
		const char *unit, *tail;
	} cases[] = {
		{"(", ""}, {"{% if value %}", ""}, {"[", ""}, {"{'a':", ""}, {"- ", "value }}"}};
	for (size_t i = 0; i < gw_countof(cases); i++) {
		struct gw_arena *a = gw_arena_new(1 << 20);
		struct gw_buf b = GW_BUF_INIT(1 << 20);
		struct gw_tpl t;
		const char *why = "";
		gw_buf_puts(&b, cases[i].unit[0] == '{' && cases[i].unit[1] == '%' ? "" : "{{ ");
		for (unsigned n = 0; n < 20000; n++) {
			gw_buf_puts(&b, cases[i].unit);
		}
		gw_buf_puts(&b, cases[i].tail);
		assert_int_equal(gw_tpl_read(a, gw_buf_str(&b), &t, &why), -ENOTSUP);
		gw_buf_fini(&b);
		gw_arena_free(a);
	}
}

static void commands(void **state)
{
	(void)state;
	static const struct {
		const char *text, *pointer, *base;
		bool quoted;
		const char *value, *sent, *any;
	} cases[] = {
		{"{{ value }}", NULL, NULL, false, "x", "x", "value"},
		{"{{ value | int }}", NULL, NULL, false, "21.9", "21", "value number"},
		{"{{ (value | float * 10) | round(0) }}", NULL, NULL, false, "2", "20",
		 "value*10/1+0 number"},
		{"{\"t\": {{ value }} }", "/t", NULL, false, "5", "5", "value"},
		{"{\"a\": {\"t\": \"{{ value }}\"}, \"b\": 1}", "/a/t", "{\"a\":{},\"b\":1}", true,
		 "x", "x", "value"},
		{"{{ {'Eco':'0','Max':'1'}[value] }}", NULL, NULL, false, "Max", "1",
		 "value{Eco:0,Max:1,*:-}"},
		{"{{ {'Eco':'0'}[value] | default('9') }}", NULL, NULL, false, "Max", "9",
		 "value{Eco:0,*:9}"},
		{"{{ {'Eco':'0'}[value] }}", NULL, NULL, false, "Max", "", "value{Eco:0,*:-}"},
		{"{{ 'a' if value in ['x', 'y'] else 'b' }}", NULL, NULL, false, "y", "a",
		 "value{x:a,y:a,*:b}"},
		{"{{ 'a' if value != 'x' else 'b' }}", NULL, NULL, false, "x", "b",
		 "value{x:b,*:a}"},
		{"{{ 'a' if value else 'b' }}", NULL, NULL, false, "x", "a",
		 "value{false:b,0:b,:b,*:a}"},
		{"{{ tilt_position | int }}", NULL, NULL, false, "7", "7", "value number"},
		{"{% if value == 'on' %}1{% else %}0{% endif %}", NULL, NULL, false, "on", "1",
		 "value{on:1,*:0}"},
		{"{ \"position\": {{ position }} }", "/position", NULL, false, "40", "40", "value"},
	};
	for (size_t i = 0; i < gw_countof(cases); i++) {
		struct gw_arena *a = gw_arena_new(1 << 20);
		struct gw_buf b = GW_BUF_INIT(10000);
		struct gw_tpl_command c;
		struct gw_tpl t;
		struct gw_str sent;
		const char *why = "";
		if (gw_tpl_command(a, gw_str(cases[i].text), &c, &why) != 0) {
			fail_msg("%s: %s", cases[i].text, why);
		}
		assert_int_equal(c.json, cases[i].pointer != NULL);
		assert_string_equal(c.pointer, cases[i].pointer ? cases[i].pointer : "");
		assert_int_equal(c.quoted, cases[i].quoted);
		if (c.base) {
			gw_node_write(&b, c.base, /* source_order= */ false);
		}
		assert_string_equal(b.p ? b.p : "", cases[i].base ? cases[i].base : "");
		assert_int_equal(gw_tpl_send_value(a, &c, gw_str(cases[i].value), &sent, &why), 0);
		assert_string_equal(sent.p, cases[i].sent);
		assert_int_equal(gw_tpl_send(a, &c, &t, &why), 0);
		describe(a, &t, &b);
		assert_string_equal(b.p, cases[i].any);
		gw_buf_fini(&b);
		gw_arena_free(a);
	}
	static const char *const unsendable[] = {"{{ value_json.a }}", "{{ [value] }}",
						 "{{ value / 0 }}", "{{ value + 1 }}"};
	for (size_t i = 0; i < gw_countof(unsendable); i++) {
		struct gw_arena *a = gw_arena_new(1 << 20);
		struct gw_tpl_command c;
		struct gw_str sent;
		const char *why = "";
		assert_int_equal(gw_tpl_command(a, gw_str(unsendable[i]), &c, &why), 0);
		assert_string_equal(why, "");
		/* a text is no number */
		assert_int_equal(gw_tpl_send_value(a, &c, GW_STR("x"), &sent, &why), -ENOTSUP);
		assert_string_not_equal(why, "");
		gw_arena_free(a);
	}
	static const char *const wrong[] = {"OPEN",
					    "{\"a\": \"level {{ value }}\"}",
					    "{\"a\": {{ value }}, \"b\": {{ value }}}",
					    "{\"a\": {{ value }}",
					    "[{{ value }}]",
					    "set {{ value }}"};
	for (size_t i = 0; i < gw_countof(wrong); i++) {
		struct gw_arena *a = gw_arena_new(1 << 20);
		struct gw_tpl_command c;
		const char *why = "";
		if (gw_tpl_command(a, gw_str(wrong[i]), &c, &why) != -ENOTSUP) {
			fail_msg("%s was not refused", wrong[i]);
		}
		gw_arena_free(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(understood), cmocka_unit_test(refused),
		cmocka_unit_test(too_long),   cmocka_unit_test(without_memory),
		cmocka_unit_test(deep),	      cmocka_unit_test(commands),
	};
	return cmocka_run_group_tests_name("ha_template", tests, NULL, NULL);
}
