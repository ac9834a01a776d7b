/*
 * The recorded frames of fabcoded/blaueis-libmidea (CC0 data) through tests/golden/profiles/midea-frames.yaml: each is taken by exactly one
 * message, and each field of its ground truth is the capability that a row names. A field without a row fails.
 */
#include "import_case.h"
#include "profile_case.h"

struct word {
	const char *truth, *value;
};

static const struct word bools[] = {
	{"false", "false"}, {"true", "true"}, {"0", "false"}, {"1", "true"}, {0}};
static const struct word winds[] = {{"false", "\"none\""}, {"true", "\"natural\""}, {0}};
static const struct word units[] = {{"false", "\"celsius\""}, {"true", "\"fahrenheit\""}, {0}};
static const struct word modes[] = {{"1", "\"auto\""},
				    {"2", "\"cool\""},
				    {"3", "\"dry\""},
				    {"4", "\"heat\""},
				    {"5", "\"fan_only\""},
				    {"6", "\"smart_dry\""},
				    {0}};
static const struct word fans[] = {{"20", "\"silent\""},
				   {"40", "\"low\""},
				   {"60", "\"medium\""},
				   {"80", "\"high\""},
				   {"100", "\"max\""},
				   {"102", "\"auto\""},
				   {0}};
static const struct word displays[] = {{"0", "true"}, {"7", "false"}, {0}};
static const struct word angles[] = {{"1", "\"position_1\""},	{"25", "\"position_2\""},
				     {"50", "\"position_3\""},	{"75", "\"position_4\""},
				     {"100", "\"position_5\""}, {0}};

/* words: how the truth is written as a value; else it is a number, and the value is scale times it (0: the same). */
static const struct row {
	const char *field, *address;
	const struct word *words;
	double scale;
} rows[] = {
	{"power", "switch.on", bools, 0},
	{"run_status", "switch.on", bools, 0},
	{"operating_mode", "x.midea.mode", modes, 0},
	{"target_temperature", "thermostat.setpoint", NULL, 0},
	{"indoor_temperature", "temperature.measured", NULL, 0},
	{"outdoor_temperature", "temperature.outdoor", NULL, 0},
	{"fan_speed", "fan.mode", fans, 0},
	{"natural_wind", "fan.wind", winds, 0},
	{"swing_vertical", "fan.rock_ud", bools, 0},
	{"swing_horizontal", "fan.rock_lr", bools, 0},
	{"eco_mode", "ac.eco", bools, 0},
	{"sleep_mode", "ac.sleep", bools, 0},
	{"auxiliary_heat_level", "ac.aux_heat", bools, 0},
	{"frost_protection", "ac.frost_guard", bools, 0},
	{"humidity_setpoint", "humidity.setpoint", NULL, 0},
	{"screen_display", "display.on", displays, 0},
	{"temperature_unit", "display.unit", units, 0},
	{"error_code", "fault.code", NULL, 0},
	{"turbo_mode", "x.midea.turbo", bools, 0},
	{"strong_wind", "x.midea.strong_wind", bools, 0},
	{"cosy_sleep", "x.midea.cosy_sleep", NULL, 0},
	{"pmv_index", "x.midea.pmv", NULL, 0},
	{"resume", "x.midea.resume", bools, 0},
	{"in_error", "x.midea.in_error", bools, 0},
	{"alarm_sleep", "x.midea.alarm_sleep", bools, 0},
	{"power_save", "x.midea.power_save", bools, 0},
	{"low_frequency_fan", "x.midea.low_frequency_fan", bools, 0},
	{"energy_save", "x.midea.energy_save", bools, 0},
	{"follow_me", "x.midea.follow_me", bools, 0},
	{"dry_clean", "x.midea.dry_clean", bools, 0},
	{"local_body_sense", "x.midea.local_body_sense", bools, 0},
	{"night_light", "x.midea.night_light", bools, 0},
	{"catch_cold", "x.midea.catch_cold", bools, 0},
	{"dust_full", "x.midea.dust_full", bools, 0},
	{"clean_fan_time", "x.midea.clean_fan_time", bools, 0},
	{"silky_cool", "x.midea.silky_cool", bools, 0},
	{"power_on_days", "x.midea.power_on_days", NULL, 0},
	{"power_on_hours", "x.midea.power_on_hours", NULL, 0},
	{"power_on_minutes", "x.midea.power_on_minutes", NULL, 0},
	{"power_on_seconds", "x.midea.power_on_seconds", NULL, 0},
	{"total_worked_days", "x.midea.total_worked_days", NULL, 0},
	{"total_worked_hours", "x.midea.total_worked_hours", NULL, 0},
	{"total_worked_minutes", "x.midea.total_worked_minutes", NULL, 0},
	{"total_worked_seconds", "x.midea.total_worked_seconds", NULL, 0},
	{"current_session_days", "x.midea.current_session_days", NULL, 0},
	{"current_session_hours", "x.midea.current_session_hours", NULL, 0},
	{"current_session_minutes", "x.midea.current_session_minutes", NULL, 0},
	{"current_session_seconds", "x.midea.current_session_seconds", NULL, 0},
	/* in the truth the byte itself: eight revolutions, eight steps */
	{"outdoor_fan_speed", "x.midea.outdoor_fan", NULL, 8},
	{"eev_position", "x.midea.valve_steps", NULL, 8},
	{"outdoor_dc_bus_voltage", "x.midea.dc_bus_voltage", NULL, 0},
	{"outdoor_return_air_temp", "x.midea.return_air", NULL, 0},
	{"ipm_module_temp", "x.midea.power_module", NULL, 0},
	{"outdoor_target_compressor_freq", "x.midea.outdoor_target_hz", NULL, 0},
	{"vane_ud_status", "x.midea.vane_ud_status", NULL, 0},
	{"vane_lr_status", "x.midea.vane_lr_status", NULL, 0},
	{"vane_top_status", "x.midea.vane_top_status", NULL, 0},
	{"vane_ud_cool_upper", "x.midea.vane_ud_cool_upper", NULL, 0},
	{"vane_ud_cool_lower", "x.midea.vane_ud_cool_lower", NULL, 0},
	{"vane_ud_heat_upper", "x.midea.vane_ud_heat_upper", NULL, 0},
	{"vane_ud_heat_lower", "x.midea.vane_ud_heat_lower", NULL, 0},
	{"vane_ud_angle", "x.midea.vane_ud_angle", NULL, 0},
	{"vane_lr_upper", "x.midea.vane_lr_upper", NULL, 0},
	{"vane_lr_lower", "x.midea.vane_lr_lower", NULL, 0},
	{"vane_lr_angle", "x.midea.vane_lr_angle", NULL, 0},
	{"buzzer", "sound.keytone", bools, 0},
	{"self_clean", "x.midea.self_clean", bools, 0},
	{"breezeless", "x.midea.breezeless", NULL, 0},
	{"rate_select", "x.midea.rate", NULL, 0},
	{"wind_swing_ud_angle", "ac.vane_v", angles, 0},
	{"wind_swing_lr_angle", "ac.vane_h", angles, 0},
};

/*
 * Where the truth contradicts its bytes. Byte 12 is (v - 50) / 2 and the high half of byte 15 the decimal digit. The truth adds the digit to
 * 3.5, so that the half counts twice. But the digit holds the half: in every recorded state it is ≥ 5 exactly when byte 11 or 12 has a
 * half (the_digit_holds_the_half), which a digit that is to be added could not be. 0x39 and 8 are 3.8; the unit's own display said 3.
 */
static const struct contradiction {
	const char *field;
	unsigned byte_12, byte_15;
	const char *truth, *value;
} contradictions[] = {
	{"outdoor_temperature", 0x39, 0x82, "4.3", "3.8"},
	{"outdoor_temperature", 0x39, 0x84, "4.3", "3.8"},
	{"outdoor_temperature", 0x39, 0x74, "4.2", "3.7"},
	{"outdoor_temperature", 0x39, 0x92, "4.4", "3.9"},
};

struct run {
	struct profile_case device;
	const char *file;
	size_t files, others, frames, with_truth, fields, contradicted, failed, halves;
	bool used[gw_countof(rows)], seen[gw_countof(contradictions)];
};

static unsigned byte_of(const char *hex, size_t at)
{
	uint64_t byte = 0;
	for (; at > 0 || *hex == ' '; hex++) {
		if (*hex != ' ') {
			hex++;
			at--;
		}
	}
	assert_int_equal(gw_parse_hex((struct gw_str){hex, 2}, &byte), 0);
	return (unsigned)byte;
}

/* What the field should be, as JSON; NULL when its row has no word for it. */
static const char *expected(const struct row *row, const struct gw_node *truth, const char *text,
			    char *number, size_t cap)
{
	if (!row->words) {
		assert_int_equal(truth->type, GW_NODE_NUMBER);
		(void)snprintf(number, cap, "%.10g",
			       truth->number * (row->scale > 0 ? row->scale : 1));
		return number;
	}
	const struct word *w = row->words;
	while (w->truth && strcmp(w->truth, text) != 0) {
		w++;
	}
	return w->value;
}

static bool contradicted(struct run *r, const char *field, const char *hex, const char *truth,
			 const char *value)
{
	for (size_t i = 0; i < gw_countof(contradictions); i++) {
		const struct contradiction *c = &contradictions[i];
		if (strcmp(c->field, field) == 0 && strcmp(c->truth, truth) == 0 &&
		    strcmp(c->value, value) == 0 && byte_of(hex, 12) == c->byte_12 &&
		    byte_of(hex, 15) == c->byte_15) {
			printf("CONTRADICTION %s: %s is %s in the truth, %s by bytes 12 = %02x and 15 = %02x\n",
			       r->file, field, truth, value, c->byte_12, c->byte_15);
			r->seen[i] = true;
			return true;
		}
	}
	return false;
}

static void check_field(struct run *r, const char *hex, const struct gw_node *truth)
{
	const char *field = truth->key.p;
	char number[32];
	size_t i = 0;
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(256);
	while (i < gw_countof(rows) && strcmp(rows[i].field, field) != 0) {
		i++;
	}
	r->fields++;
	if (i == gw_countof(rows)) {
		print_error("%s:%u: %s has no row\n", r->file, truth->line, field);
		r->failed++;
		return;
	}
	r->used[i] = true;
	assert_int_equal(gw_node_text_form(truth, &text), 0);
	const char *wanted = expected(&rows[i], truth, text.p, number, sizeof(number));
	const char *value = case_value(&r->device, rows[i].address);
	if (wanted && strcmp(wanted, value) == 0) {
		return;
	}
	if (contradicted(r, field, hex, text.p, value)) {
		r->contradicted++;
		return;
	}
	print_error("%s:%u: %s is %s in the truth, %s is %s\n  %s\n", r->file, truth->line, field,
		    text.p, rows[i].address, value, hex);
	r->failed++;
}

/* The number of messages that take the frame. */
static size_t taken(struct run *r, const char *hex)
{
	size_t n = 0;
	for (size_t i = 0; i < gw_plan_msg_count(r->device.plan); i++) {
		assert_int_equal(
			case_receive_hex(&r->device, gw_plan_msg(r->device.plan, i)->name, hex), 0);
		n += !r->device.received.ignored;
	}
	return n;
}

static void frame(struct run *r, const struct gw_node *f)
{
	const char *hex = gw_node_text(f, "body_hex");
	assert_non_null(hex);
	gw_binding_reset(r->device.b);
	r->frames++;
	size_t n = taken(r, hex);
	if (n != 1) {
		print_error("%s:%u: %zu messages take %s\n", r->file, f->line, n, hex);
		r->failed++;
		return;
	}
	const struct gw_node *truth = gw_node_get(f, "ground_truth");
	r->with_truth += truth != NULL;
	gw_node_for(field, truth)
	{
		check_field(r, hex, field);
	}
}

static bool has_key(const struct gw_node *n, const char *key)
{
	if (gw_node_get(n, key)) {
		return true;
	}
	gw_node_for(child, n)
	{
		if (has_key(child, key)) {
			return true;
		}
	}
	return false;
}

/* A file without `frames` are tests of that project's code: it has `tests` or `steps`, and nowhere a body or a truth. */
static void recorded_or_not(struct run *r, const struct gw_node *root)
{
	const struct gw_node *frames = gw_node_get(root, "frames");
	r->files++;
	gw_node_for(f, frames)
	{
		frame(r, f);
	}
	if (!frames) {
		r->others++;
		assert_true(gw_node_get(root, "tests") || gw_node_get(root, "steps"));
		assert_false(has_key(root, "body_hex") || has_key(root, "ground_truth"));
	}
}

static void halves(struct run *r, const struct gw_node *root)
{
	gw_node_for(f, gw_node_get(root, "frames"))
	{
		const char *hex = gw_node_text(f, "body_hex");
		if (byte_of(hex, 0) != 0xC0) {
			continue;
		}
		unsigned digits = byte_of(hex, 15);
		assert_int_equal(byte_of(hex, 11) & 1, (digits & 15) >= 5);
		assert_int_equal(byte_of(hex, 12) & 1, digits >> 4 >= 5);
		r->halves += (byte_of(hex, 11) & 1) + (byte_of(hex, 12) & 1);
		r->frames++;
	}
}

static void each_file(struct run *r, void (*fn)(struct run *r, const struct gw_node *root))
{
	static const struct gw_node_limits limits = {.max_bytes = CASE_BYTES, .max_depth = 32};
	char folder[2048], path[4096];
	struct dirent **entries = NULL;
	int n = scandir(corpus_folder("midea-frames", folder, sizeof(folder)), &entries, NULL,
			alphasort);
	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		if (gw_str_ends(gw_str(entries[i]->d_name), ".yaml")) {
			struct gw_arena *a = gw_arena_new((size_t)64 << 20);
			struct gw_node *root = NULL;
			struct gw_error e = {.text = ""};
			r->file = entries[i]->d_name;
			(void)snprintf(path, sizeof(path), "%s/%s", folder, r->file);
			GW_AUTO(gw_buf_fini) struct gw_buf text = case_read(path);
			if (gw_node_parse_yaml(a, gw_buf_str(&text), &limits, &root, &e) < 0) {
				fail_msg("%s:%u: %s", path, e.line, e.text);
			}
			fn(r, root);
			gw_arena_free(a);
		}
		free(entries[i]);
	}
	free(entries);
}

static void every_truth_is_decoded(void **state)
{
	struct run r = {.files = 0};
	(void)state;
	GW_AUTO(gw_buf_fini)
	struct gw_buf profile =
		case_read(HEARTH_SOURCE_DIR "/tests/golden/profiles/midea-frames.yaml");
	gw_buf_putc(&profile, '\0');
	case_open(&r.device, profile.p);
	each_file(&r, recorded_or_not);
	case_close(&r.device);
	printf("%zu files, %zu of them tests of code; %zu frames, %zu with truth; %zu fields, %zu contradict their bytes, %zu failed\n",
	       r.files, r.others, r.frames, r.with_truth, r.fields, r.contradicted, r.failed);
	assert_int_equal(r.failed, 0);
	assert_int_equal(r.contradicted, 5);
	for (size_t i = 0; i < gw_countof(rows); i++) {
		if (!r.used[i]) {
			fail_msg("no frame has %s: its row is not needed", rows[i].field);
		}
	}
	for (size_t i = 0; i < gw_countof(contradictions); i++) {
		assert_true(r.seen[i]);
	}
	assert_int_equal(r.with_truth, 13);
}

static void the_digit_holds_the_half(void **state)
{
	struct run r = {.files = 0};
	(void)state;
	each_file(&r, halves);
	printf("%zu states, %zu temperatures with a half\n", r.frames, r.halves);
	assert_int_equal(r.frames, 89);
	assert_true(r.halves > 0 && r.halves < 2 * r.frames);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_truth_is_decoded),
		cmocka_unit_test(the_digit_holds_the_half),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
