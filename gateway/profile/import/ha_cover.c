/* Home Assistant platforms that move something: cover, valve, lock, vacuum, lawn_mower, siren, alarm_control_panel. */
#include "profile/import/ha.h"

static const struct gw_ha_write no_write = {.present = false};

static void read_only(struct gw_ha_entity *e, struct gw_node *cap)
{
	if (cap) {
		gw_set_bool(e->b, cap, "ro", true);
	}
}

/* key of the word, its default, what it means: a symbol. */
struct state_row {
	const char *key, *fallback, *symbol;
};

static void add_states(struct gw_ha_entity *e, struct gw_ha_choices *c,
		       const struct state_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct gw_str seen = gw_ha_word(e, rows[i].key, rows[i].fallback);
		if (seen.p) {
			gw_ha_choice_add(c, gw_text_node(e->b, gw_str(rows[i].symbol)),
					 (struct gw_str){NULL, 0}, seen);
		}
	}
}

/* A reported symbol. */
static void add_state(struct gw_ha_entity *e, const char *component, const char *id,
		      const struct gw_ha_read *r, const struct state_row *rows, size_t n)
{
	struct gw_ha_choices c = {.n = 0};
	add_states(e, &c, rows, n);
	if (r->present) {
		read_only(e,
			  gw_ha_cap(e, component, id, gw_ha_choice_point(e, id, r, &no_write, &c)));
	}
}

struct action_row {
	const char *id, *key, *fallback; /* fallback NULL: only when the key is given */
};

static void add_actions(struct gw_ha_entity *e, const char *component,
			const struct action_row *rows, size_t n, const char *template_key)
{
	for (size_t i = 0; i < n; i++) {
		gw_ha_action(e, component, rows[i].id, "command_topic", template_key,
			     gw_ha_word(e, rows[i].key, rows[i].fallback));
	}
}

/* --- cover --- */

/* 0 closed, 100 open with us (R5), whatever the ends are called there. */
static void add_position(struct gw_ha_entity *e, const char *component, const char *id,
			 const char *const keys[4], const char *closed_key, const char *open_key)
{
	struct gw_ha_read r;
	struct gw_ha_write w;
	double closed = gw_ha_double(e, closed_key, 0), open = gw_ha_double(e, open_key, 100);
	if (open == closed || !gw_ha_reads(e, keys[0], keys[1], &r) ||
	    !gw_ha_writes(e, keys[2], keys[3], &w) || (!r.present && !w.present)) {
		return;
	}
	e->unit = (struct gw_linear){100, open - closed, -closed * 100 / (open - closed)};
	(void)gw_ha_cap(e, component, id, gw_ha_number_point(e, id, &r, &w, /* whole= */ true));
	e->unit = GW_LINEAR_NONE;
}

static const struct state_row moving[] = {
	{"state_opening", "opening", "opening"}, {"state_closing", "closing", "closing"},
	{"state_stopped", "stopped", "stopped"}, {"state_open", "open", "stopped"},
	{"state_closed", "closed", "stopped"},
};

/* Without a position, open and closed are the two ends. */
static void ends_as_position(struct gw_ha_entity *e, const char *component,
			     const struct gw_ha_read *r)
{
	struct gw_ha_choices c = {.n = 0};
	struct gw_str none = {NULL, 0};
	gw_ha_choice_add(&c, gw_node_new_number(e->b->a, 100), none,
			 gw_ha_word(e, "state_open", "open"));
	gw_ha_choice_add(&c, gw_node_new_number(e->b->a, 0), none,
			 gw_ha_word(e, "state_closed", "closed"));
	read_only(e, gw_ha_cap(e, component, "covering.position",
			       gw_ha_choice_point(e, "ends", r, &no_write, &c)));
}

/* A garage door or gate: moving it is a security matter, so it gets closure.move. */
static void add_closure(struct gw_ha_entity *e, const char *component, const struct gw_ha_read *r)
{
	static const struct state_row states[] = {
		{"state_open", "open", "open"},		 {"state_closed", "closed", "closed"},
		{"state_opening", "opening", "opening"}, {"state_closing", "closing", "closing"},
		{"state_stopped", "stopped", "partial"},
	};
	struct gw_ha_choices c = {.n = 0};
	struct gw_ha_read none = {.present = false};
	struct gw_ha_write w;
	struct gw_str unseen = {NULL, 0};
	add_state(e, component, "closure.state", r, states, gw_countof(states));
	gw_ha_choice_add(&c, gw_text_node(e->b, GW_STR("open")),
			 gw_ha_word(e, "payload_open", "OPEN"), unseen);
	gw_ha_choice_add(&c, gw_text_node(e->b, GW_STR("closed")),
			 gw_ha_word(e, "payload_close", "CLOSE"), unseen);
	if (!gw_ha_writes(e, "command_topic", NULL, &w) || !w.present) {
		return;
	}
	const char *point = gw_ha_choice_point(e, "move", &none, &w, &c);
	struct gw_node *cap = point ? gw_draft_cap(e->b, component, "closure.move") : NULL;
	if (!cap) {
		return;
	}
	gw_set_text(e->b, gw_set_map(e->b, cap, "action"), point, "to");
	struct gw_node *to = gw_set_map(e->b, gw_set_map(e->b, cap, "args"), "to");
	gw_set_text(e->b, to, "type", "enum");
	struct gw_node *symbols = gw_set_list(e->b, to, "enum");
	gw_add_text(e->b, symbols, GW_STR("open"));
	gw_add_text(e->b, symbols, GW_STR("closed"));
}

static void add_covering(struct gw_ha_entity *e, const char *component, const struct gw_ha_read *r)
{
	static const char *const position[] = {"position_topic", "position_template",
					       "set_position_topic", "set_position_template"};
	static const char *const tilt[] = {"tilt_status_topic", "tilt_status_template",
					   "tilt_command_topic", "tilt_command_template"};
	static const struct action_row actions[] = {
		{"covering.open", "payload_open", "OPEN"},
		{"covering.close", "payload_close", "CLOSE"},
		{"covering.stop", "payload_stop", "STOP"},
	};
	add_position(e, component, "covering.position", position, "position_closed",
		     "position_open");
	add_position(e, component, "covering.tilt", tilt, "tilt_closed_value", "tilt_opened_value");
	add_state(e, component, "covering.moving", r, moving, gw_countof(moving));
	if (r->present && !gw_draft_has(e->b, component, "covering.position")) {
		ends_as_position(e, component, r);
	}
	add_actions(e, component, actions, gw_countof(actions), NULL);
}

void gw_ha_cover(struct gw_ha_entity *e)
{
	static const char *const ids[] = {"covering.position", "covering.open", "closure.state"};
	const char *class = gw_ha_text(e, "device_class");
	struct gw_ha_read r;
	if (!gw_ha_reads(e, "state_topic", "value_template", &r)) {
		return;
	}
	const char *component = gw_draft_place(e->b, e->object, e->label, ids, gw_countof(ids));
	if (class && (strcmp(class, "garage") == 0 || strcmp(class, "gate") == 0 ||
		      strcmp(class, "door") == 0)) {
		add_closure(e, component, &r);
		return;
	}
	e->b->hints |= class && (strcmp(class, "blind") == 0 || strcmp(class, "shutter") == 0)
			       ? GW_HINT_BLIND
			       : 0;
	add_covering(e, component, &r);
}

/* --- valve --- */

void gw_ha_valve(struct gw_ha_entity *e)
{
	static const char *const level[] = {"state_topic", "value_template", "command_topic",
					    "command_template"};
	static const char *const ids[] = {"valve.open", "valve.level"};
	const char *component = gw_draft_place(e->b, e->object, e->label, ids, gw_countof(ids));
	struct gw_ha_read r;
	struct gw_ha_write w;
	struct gw_ha_choices c = {.n = 0};
	if (gw_ha_flag(e, "reports_position")) {
		add_position(e, component, "valve.level", level, "position_closed",
			     "position_open");
		return;
	}
	if (!gw_ha_reads(e, "state_topic", "value_template", &r) ||
	    !gw_ha_writes(e, "command_topic", "command_template", &w)) {
		return;
	}
	gw_ha_choice_add(&c, gw_bool_node(e->b, true), gw_ha_word(e, "payload_open", "OPEN"),
			 gw_ha_word(e, "state_open", "open"));
	gw_ha_choice_add(&c, gw_bool_node(e->b, false), gw_ha_word(e, "payload_close", "CLOSE"),
			 gw_ha_word(e, "state_closed", "closed"));
	(void)gw_ha_cap(e, component, "valve.open", gw_ha_choice_point(e, "valve", &r, &w, &c));
}

/* --- lock --- */

void gw_ha_lock(struct gw_ha_entity *e)
{
	static const struct state_row states[] = {
		{"state_locked", "LOCKED", "locked"},
		{"state_unlocked", "UNLOCKED", "unlocked"},
		{"state_jammed", "JAMMED", "not_fully_locked"},
	};
	static const struct action_row actions[] = {
		{"lock.lock", "payload_lock", "LOCK"},
		{"lock.unlock", "payload_unlock", "UNLOCK"},
		{"lock.unlatch", "payload_open", NULL},
	};
	static const char *const ids[] = {"lock.state", "lock.lock"};
	struct gw_ha_read r;
	if (!gw_ha_reads(e, "state_topic", "value_template", &r)) {
		return;
	}
	if (gw_ha_text(e, "code_format")) {
		gw_draft_note(e->b, "a lock that asks for a code");
	}
	const char *component = gw_draft_place(e->b, e->object, e->label, ids, gw_countof(ids));
	add_state(e, component, "lock.state", &r, states, gw_countof(states));
	add_actions(e, component, actions, gw_countof(actions), "command_template");
}

/* --- vacuum --- */

/* robot.run_mode is what operation.state says of cleaning; it is reported only. */
static void vacuum_run_mode(struct gw_ha_entity *e)
{
	const char *point = gw_node_text(gw_node_get(e->b->caps, "operation.state"), "point");
	struct gw_node *c = point ? gw_draft_cap(e->b, NULL, "robot.run_mode") : NULL;
	if (!c) {
		return;
	}
	struct gw_node *row = gw_node_new(e->b->a, GW_NODE_LIST);
	gw_add_text(e->b, gw_set_list(e->b, c, "table"), gw_str(point));
	gw_add_node(e->b, gw_set_list(e->b, c, "rows"), row);
	gw_add_text(e->b, row, GW_STR("running"));
	gw_add_text(e->b, row, GW_STR("cleaning"));
	gw_set_text(e->b, c, "else", "idle");
	gw_set_bool(e->b, c, "ro", true);
}

void gw_ha_vacuum(struct gw_ha_entity *e)
{
	static const struct state_row states[] = {
		{"", "cleaning", "running"}, {"", "docked", "docked"},
		{"", "paused", "paused"},    {"", "idle", "stopped"},
		{"", "error", "error"},	     {"", "returning", "seeking_charger"},
	};
	static const struct action_row actions[] = {
		{"operation.start", "payload_start", "start"},
		{"operation.pause", "payload_pause", "pause"},
		{"operation.stop", "payload_stop", "stop"},
		{"robot.go_home", "payload_return_to_base", "return_to_base"},
		{"robot.spot", "payload_clean_spot", "clean_spot"},
		{"robot.locate", "payload_locate", "locate"},
	};
	struct gw_ha_read r, speed, battery;
	struct gw_ha_write w;
	gw_ha_reads_json(e, "state_topic", "/state", &r);
	gw_ha_reads_json(e, "state_topic", "/fan_speed", &speed);
	gw_ha_reads_json(e, "state_topic", "/battery_level", &battery);
	add_state(e, NULL, "operation.state", &r, states, gw_countof(states));
	vacuum_run_mode(e);
	add_actions(e, NULL, actions, gw_countof(actions), NULL);
	const struct gw_node *list = gw_node_get(e->config, "fan_speed_list");
	if (list && list->type == GW_NODE_LIST &&
	    gw_ha_writes(e, "set_fan_speed_topic", NULL, &w)) {
		gw_ha_options(e, NULL, "robot.suction", "fan_speed", list, &speed, &w);
	}
	bool has_battery = false;
	gw_node_for(n, gw_node_get(e->config, "supported_features"))
	{
		has_battery |= gw_node_is_text(n, "battery");
	}
	if (has_battery && battery.present) {
		read_only(e,
			  gw_ha_cap(e, NULL, "battery.level",
				    gw_ha_number_point(e, "battery", &battery, &no_write, true)));
	}
}

/* --- lawn mower --- */

void gw_ha_lawn_mower(struct gw_ha_entity *e)
{
	static const struct state_row states[] = {
		{"", "mowing", "mowing"},	{"", "paused", "paused"}, {"", "docked", "docked"},
		{"", "returning", "returning"}, {"", "error", "error"},
	};
	static const struct {
		const char *id, *topic_key, *template_key, *payload;
	} actions[] = {
		{"operation.start", "start_mowing_command_topic", "start_mowing_command_template",
		 "start_mowing"},
		{"operation.pause", "pause_command_topic", "pause_command_template", "pause"},
		{"robot.go_home", "dock_command_topic", "dock_command_template", "dock"},
	};
	struct gw_ha_read r;
	if (gw_ha_reads(e, "activity_state_topic", "activity_value_template", &r)) {
		add_state(e, NULL, "mower.activity", &r, states, gw_countof(states));
	}
	for (size_t i = 0; i < gw_countof(actions); i++) {
		gw_ha_action(e, NULL, actions[i].id, actions[i].topic_key, actions[i].template_key,
			     gw_str(actions[i].payload));
	}
}

/* --- siren --- */

/* Commands are JSON with the state; the state comes as plain text unless a template says otherwise. */
void gw_ha_siren(struct gw_ha_entity *e)
{
	struct gw_ha_read r, none = {.present = false};
	struct gw_ha_write w;
	struct gw_ha_choices c = {.n = 0};
	struct gw_str on = gw_ha_word(e, "payload_on", "ON"),
		      off = gw_ha_word(e, "payload_off", "OFF");
	if (gw_ha_text(e, "command_template") || gw_ha_text(e, "command_off_template")) {
		gw_draft_note(e->b, "a siren with a command template");
		return;
	}
	if (!gw_ha_reads(e, "state_topic", "state_value_template", &r)) {
		return;
	}
	gw_ha_writes_json(e, "command_topic", "/state", &w);
	gw_ha_choice_add(&c, gw_bool_node(e->b, true), on,
			 gw_ha_word(e, "state_on", on.p ? on.p : ""));
	gw_ha_choice_add(&c, gw_bool_node(e->b, false), off,
			 gw_ha_word(e, "state_off", off.p ? off.p : ""));
	(void)gw_ha_cap(e, NULL, "siren.active", gw_ha_choice_point(e, "siren", &r, &w, &c));
	const struct gw_node *tones = gw_node_get(e->config, "available_tones");
	if (tones && tones->type == GW_NODE_LIST) {
		gw_ha_writes_json(e, "command_topic", "/tone", &w);
		gw_ha_options(e, NULL, "siren.tone", "tone", tones, &none, &w);
	}
	const struct gw_node *duration = gw_node_get(e->config, "support_duration");
	if (!duration || gw_ha_flag(e, "support_duration")) {
		gw_ha_writes_json(e, "command_topic", "/duration", &w);
		(void)gw_ha_cap(e, NULL, "siren.duration",
				gw_ha_number_point(e, "duration", &none, &w, true));
	}
}

/* --- alarm_control_panel --- */

void gw_ha_alarm(struct gw_ha_entity *e)
{
	static const struct state_row states[] = {
		{"", "disarmed", "disarmed"},	    {"", "armed_home", "armed_home"},
		{"", "armed_away", "armed_away"},   {"", "armed_vacation", "armed_away"},
		{"", "armed_night", "armed_night"}, {"", "arming", "arming"},
		{"", "pending", "pending"},	    {"", "triggered", "triggered"},
	};
	static const struct state_row arms[] = {
		{"payload_arm_home", "ARM_HOME", "armed_home"},
		{"payload_arm_away", "ARM_AWAY", "armed_away"},
		{"payload_arm_night", "ARM_NIGHT", "armed_night"},
	};
	struct gw_ha_read r, none = {.present = false};
	struct gw_ha_write w;
	struct gw_ha_choices c = {.n = 0};
	if (!gw_ha_reads(e, "state_topic", "value_template", &r) ||
	    !gw_ha_writes(e, "command_topic", "command_template", &w)) {
		return;
	}
	add_state(e, NULL, "security.state", &r, states, gw_countof(states));
	gw_ha_action(e, NULL, "security.disarm", "command_topic", "command_template",
		     gw_ha_word(e, "payload_disarm", "DISARM"));
	for (size_t i = 0; i < gw_countof(arms); i++) {
		gw_ha_choice_add(&c, gw_text_node(e->b, gw_str(arms[i].symbol)),
				 gw_ha_word(e, arms[i].key, arms[i].fallback),
				 (struct gw_str){NULL, 0});
	}
	const char *point = gw_ha_choice_point(e, "arm", &none, &w, &c);
	struct gw_node *cap = point ? gw_draft_cap(e->b, NULL, "security.arm") : NULL;
	if (!cap) {
		return;
	}
	gw_set_text(e->b, gw_set_map(e->b, cap, "action"), point, "mode");
	struct gw_node *arg = gw_set_map(e->b, gw_set_map(e->b, cap, "args"), "mode");
	gw_set_text(e->b, arg, "type", "enum");
	struct gw_node *symbols = gw_set_list(e->b, arg, "enum");
	for (size_t i = 0; i < gw_countof(arms); i++) {
		gw_add_text(e->b, symbols, gw_str(arms[i].symbol));
	}
}
