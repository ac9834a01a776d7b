/* The subset of Jinja in Home Assistant's templates: what each form becomes, and that everything else is refused with a reason. */
#include "gw_test.h"

#include <errno.h>
#include <string.h>

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

static void understood(void **state)
{
	(void)state;
	static const struct {
		const char *text, *means;
	} cases[] = {
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
		{"{{ 'A' if value == 'x' else 'B' if value == 'y' else 'C' }}",
		 "value{x:A,y:B,*:C}"},
		{"{{ value_json.a == 'on' }}", "/a{on:True,*:False}"},
		{"{{ value_json.a if value_json.a is defined else 0 }}", "/a absent 0"},
		{"{{ value_json.a if value_json.a is not none else '' }}", "/a absent "},
		{"{{ 'A' if 'a' in value_json and value_json.a == 1 else 'B' }}", "/a{1:A,*:B}"},
		{"{{ {'0':'idle', '1':'busy'}[value] }}", "value{0:idle,1:busy,*:-}"},
		{"{{ {0:'idle'}.get(value_json.s, '?') }}", "/s{0:idle,*:?}"},
		{"{% set m = {'0':'a'} %}{{ m[value] if value in m else 'z' }}", "value{0:a,*:z}"},
		{"{% set m = {'0':'a'} %}{{ m[value] if value in m.keys() else 'z' }}",
		 "value{0:a,*:z}"},
		{"{% if value_json.a == 1 %}x{% elif value_json.a == 2 %}y{% endif %}",
		 "/a{1:x,2:y,*:}"},
		{"{%- if value == 'a' -%} x {%- else -%} {{ 'y' }} {%- endif -%}",
		 "value{a:x,*:y}"},
		{"{{ 'it\\'s' }}", "'it's'"},
		{"{{ 2 + 3 * 4 }}", "'14'"},
		{"{{ true }}", "'True'"},
	};
	for (size_t i = 0; i < gw_countof(cases); i++) {
		struct gw_arena *a = gw_arena_new(1 << 20);
		struct gw_buf b = GW_BUF_INIT(10000);
		struct gw_tpl t;
		const char *why = "";
		if (gw_tpl_read(a, gw_str(cases[i].text), &t, &why) != 0) {
			fail_msg("%s: %s", cases[i].text, why);
		}
		describe(a, &t, &b);
		if (strcmp(b.p ? b.p : "", cases[i].means) != 0) {
			fail_msg("%s: %s instead of %s", cases[i].text, b.p, cases[i].means);
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
		cmocka_unit_test(understood),
		cmocka_unit_test(refused),
		cmocka_unit_test(deep),
		cmocka_unit_test(commands),
	};
	return cmocka_run_group_tests_name("ha_template", tests, NULL, NULL);
}
