/* The public SmartIR tables whole: in each state that a table offers, what is read and what is sent is the table's own code. */
#include "import_case.h"

#include <math.h>

#include "gw/binding.h"

struct leaf {
	const char *mode, *fan, *swing, *code;
	double temp;
};

/* The state on the wire, as the adapter reports it. */
static struct gw_node *body_of(struct gw_arena *a, const struct leaf *l)
{
	struct gw_node *n = gw_node_new(a, GW_NODE_MAP);
	const struct {
		const char *key, *text;
	} words[] = {{"mode", l->mode}, {"fan", l->fan}, {"swing", l->swing}};
	for (size_t i = 0; i < gw_countof(words); i++) {
		struct gw_node *word =
			words[i].text ? gw_node_new_text(a, gw_str(words[i].text)) : NULL;
		if (word) {
			assert_int_equal(gw_node_set(a, n, gw_str(words[i].key), word), 0);
		}
	}
	struct gw_node *temp = gw_node_new_number(a, l->temp);
	assert_non_null(temp);
	assert_int_equal(gw_node_set(a, n, GW_STR("temp"), temp), 0);
	return n;
}

/* In the state of the leaf, the code that is read and the one that is sent are the table's own. */
static void check_leaf(struct gw_plan *plan, const struct leaf *l)
{
	struct gw_binding *b = NULL;
	struct gw_error e = {.text = ""};
	struct gw_vars vars = {.entry = NULL};
	struct gw_arena *a = gw_arena_new(1 << 20);
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_BODY_BYTES);
	assert_int_equal(gw_binding_new(plan, &vars, &b, &e), 0);
	gw_node_write(&text, body_of(a, l), /* source_order= */ true);
	struct gw_body body = {.bytes = gw_buf_str(&text)};
	struct gw_received received;
	assert_int_equal(gw_binding_receive(b, 0, &body, false, 0, &received), 0);
	enum gw_quality quality;
	int cap = gw_plan_find_cap(plan, GW_STR("x.smartir.code"));
	assert_true(cap >= 0);
	const struct gw_value *v = gw_binding_value(b, (size_t)cap, &quality);
	assert_int_equal(quality, GW_QUALITY_OK);
	assert_string_equal(v->text->s, l->code);
	int setpoint = gw_plan_find_cap(plan, GW_STR("thermostat.setpoint"));
	const struct gw_value *now = gw_binding_value(b, (size_t)setpoint, &quality);
	struct gw_node *value = gw_node_new_number(
		a, gw_count_value(now->count, gw_plan_cap(plan, (size_t)setpoint)->domain.res));
	const struct gw_wanted wanted = {.address = GW_STR("thermostat.setpoint"), .value = value};
	struct gw_outgoing out = {.msgs = NULL};
	struct gw_write_error refused = {.code = ""};
	int r = gw_binding_write(b, &wanted, 1, 0, &out, &refused);
	if (r < 0) {
		fail_msg("%s %s %s %g: %s", l->mode, l->fan, l->swing, l->temp, refused.text);
	}
	assert_int_equal(out.n_msgs, 1);
	struct gw_node *sent = NULL;
	static const struct gw_node_limits limits = {.max_bytes = GW_BODY_BYTES, .max_depth = 4};
	assert_int_equal(gw_node_parse_json(a, out.msgs[0].body, &limits, &sent, &e), 0);
	assert_string_equal(gw_node_text(sent, "code"), l->code);
	assert_true(gw_node_get(sent, "temp")->number == l->temp);
	gw_outgoing_fini(&out);
	gw_binding_free(b);
	gw_arena_free(a);
}

static bool in_list(const struct gw_node *root, const char *list, const char *word)
{
	gw_node_for(n, gw_node_get(root, list))
	{
		if (gw_node_is_text(n, word)) {
			return true;
		}
	}
	return false;
}

static void check_temps(struct gw_plan *plan, const struct gw_node *root, struct leaf l,
			const struct gw_node *map)
{
	double min = gw_node_get(root, "minTemperature")->number,
	       max = gw_node_get(root, "maxTemperature")->number,
	       step = gw_node_get(root, "precision")->number;
	gw_node_for(n, map)
	{
		bool number = gw_parse_double(n->key, &l.temp) == 0;
		double k = number ? (l.temp - min) / step : 0.5;
		bool offered = number && l.temp >= min && l.temp <= max && k == round(k);
		if (offered && n->type == GW_NODE_TEXT && n->text.len > 0) {
			l.code = n->text.p;
			check_leaf(plan, &l);
		}
	}
}

/* Every state that the table offers. */
static void check_table(const struct gw_node *root, const struct gw_imported *d,
			struct gw_profile *p)
{
	struct gw_plan *plan = NULL;
	struct gw_error e = {.text = ""};
	assert_int_equal(gw_plan_get(p, &d->vars, &plan, &e), 0);
	assert_string_equal(gw_profile_type(p)->id, "room_air_conditioner");
	gw_node_for(mode, gw_node_get(root, "commands"))
	{
		gw_node_for(fan, mode)
		{
			struct leaf l = {.mode = mode->key.p, .fan = fan->key.p};
			if (!in_list(root, "operationModes", l.mode) ||
			    !in_list(root, "fanModes", l.fan)) {
				continue;
			}
			if (!gw_node_get(root, "swingModes")) {
				check_temps(plan, root, l, fan);
				continue;
			}
			gw_node_for(swing, fan)
			{
				l.swing = swing->key.p;
				check_temps(plan, root, l, swing);
			}
		}
	}
	gw_plan_unref(plan);
}

static void test_public_tables(void **state)
{
	(void)state;
	char path[4096];
	struct corpus_figures f = corpus_run(
		"smartir", corpus_folder("smartir-climate", path, sizeof(path)), check_table);
	assert_int_equal(f.files, 41);
	assert_int_equal(f.whole, 41); /* every one is a table that is read and written */
	assert_int_equal(f.points[GW_FATE_UNMAPPED], 0);
	assert_true(f.points[GW_FATE_STANDARD] * 100 >=
		    70 * (f.points[GW_FATE_STANDARD] + f.points[GW_FATE_VENDOR]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_public_tables)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
