/* The public dumps of Shelly devices: their own status, arriving, gives every capability that the dump has a value for. */
#include "import_case.h"

#include "gw/binding.h"

static size_t n_values;

static void receive(struct gw_plan *plan, struct gw_binding *b, const char *msg,
		    const struct gw_node *body)
{
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(CASE_BYTES);
	int index = gw_plan_find_msg(plan, gw_str(msg));
	if (index < 0) {
		return;
	}
	gw_node_write(&text, body, /* source_order= */ true);
	const struct gw_body given = {.bytes = gw_buf_str(&text)};
	struct gw_received received;
	assert_int_equal(gw_binding_receive(b, (size_t)index, &given, false, 0, &received), 0);
}

static void check_dump(const struct gw_node *root, const struct gw_imported *d,
		       struct gw_profile *p)
{
	struct gw_plan *plan = NULL;
	struct gw_binding *b = NULL;
	struct gw_error e = {.text = ""};
	const struct gw_node *status = gw_node_get(root, "status");
	assert_int_equal(gw_plan_get(p, &d->vars, &plan, &e), 0);
	assert_int_equal(gw_binding_new(plan, &d->vars, &b, &e), 0);
	receive(plan, b, "info", status);
	gw_node_for(c, status)
	{
		char name[64];
		(void)snprintf(name, sizeof(name), "%.60s", c->key.p);
		if (strchr(name, ':')) {
			*strchr(name, ':') = '_';
		}
		receive(plan, b, name, c);
	}
	size_t known = 0, unknown = 0;
	for (size_t i = 0; i < gw_plan_cap_count(plan); i++) {
		enum gw_quality quality;
		const struct gw_cap_info *c = gw_plan_cap(plan, i);
		if (!c->readable || strcmp(c->id, "link.online") == 0) {
			continue;
		}
		(void)gw_binding_value(b, i, &quality);
		known += quality == GW_QUALITY_OK;
		unknown += quality != GW_QUALITY_OK;
	}
	assert_true(known > 0);
	assert_in_range(unknown, 0, 1); /* n_current is null in one of them */
	n_values += known;
	gw_binding_free(b);
	gw_plan_unref(plan);
}

static void test_public_dumps(void **state)
{
	(void)state;
	char path[4096];
	struct corpus_figures f =
		corpus_run("shelly", corpus_folder("shelly", path, sizeof(path)), check_dump);
	assert_int_equal(f.files, 6);
	assert_int_equal(f.whole, 6);
	assert_int_equal(f.points[GW_FATE_UNMAPPED], 0);
	assert_true(f.points[GW_FATE_STANDARD] * 100 >=
		    90 * (f.points[GW_FATE_STANDARD] + f.points[GW_FATE_VENDOR]));
	assert_true(n_values >= 70);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_public_dumps)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
