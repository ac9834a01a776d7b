/* What moves, locks, cleans, guards: covers, locks, vacuums, alarms; valves, sirens, cameras, remotes. */
#include <string.h>

#include "profile/import/tuya.h"

/* --- words of a dp that are actions --- */

struct act {
	const char *word, *cap;
};

static bool word_is(struct gw_tuya *t, const struct gw_node *value, const char *word)
{
	return value && strcmp(gw_tuya_symbol(t, NULL, value), word) == 0;
}

/* An action for each word that a row names. How many there are; *ret_address is the first. */
static size_t acts(struct gw_tuya_dp *dp, const struct act *list, size_t n,
		   const char **ret_address)
{
	struct gw_tuya *t = dp->entity->t;
	struct gw_tuya_rows rows;
	size_t made = 0;
	if (!gw_tuya_rows(dp, &rows)) {
		return 0;
	}
	for (size_t a = 0; a < n; a++) {
		for (size_t i = 0; i < rows.n; i++) {
			const struct gw_tuya_row *r = &rows.row[i];
			const char *address = NULL;
			if (r->ro || r->n == 0 || r->cell[r->n - 1].raw->type == GW_NODE_LIST ||
			    !word_is(t, r->value, list[a].word) || r->n != 1) {
				continue;
			}
			if (gw_draft_has(t->b, dp->entity->component, list[a].cap)) {
				break;
			}
			if (gw_tuya_action(dp, list[a].cap, r->cell[0].raw, &address)) {
				*ret_address = made++ ? *ret_address : address;
			}
			break;
		}
	}
	return made;
}

static struct gw_tuya_dp *visible(struct gw_tuya_entity *e, const char *name)
{
	struct gw_tuya_dp *dp = gw_tuya_dp(e, name);
	return dp && !dp->hidden && !dp->told ? dp : NULL;
}

/* --- covers --- */

static const struct act cover_acts[] = {
	{"open", "covering.open"}, {"close", "covering.close"}, {"stop", "covering.stop"}};

static const struct gw_tuya_part cover[] = {
	{"tilt_position", "covering.tilt", NULL, false, false, "%"},
	{"action", "covering.moving", NULL, true, true, NULL},
	{"work_state", "covering.moving", NULL, true, true, NULL},
	{"open", "contact.open", NULL, true, false, NULL},
	{"control_back_mode", "covering.reversed", NULL, false, false, NULL},
	{"control_back", "covering.reversed", NULL, false, false, NULL},
};

static bool same_mapping(const struct gw_tuya_dp *a, const struct gw_tuya_dp *b)
{
	bool both = a->mapping && b->mapping;
	return (!a->mapping && !b->mapping) || (both && gw_node_equal(a->mapping, b->mapping));
}

/* The position is where it is, and what is written where it shall go: one point, when both count alike. */
static void position(struct gw_tuya_entity *e)
{
	struct gw_tuya_dp *wanted = visible(e, "position"), *now = visible(e, "current_position");
	const char *address = NULL, *why = NULL;
	struct gw_tuya_want w = {.cap = gw_capability_find(GW_STR("covering.position")),
				 .unit = "%"};
	if (wanted && now && same_mapping(wanted, now) && !wanted->mask && !now->mask &&
	    gw_tuya_as(wanted, &w, &address, &why)) {
		struct gw_draft *b = e->t->b;
		struct gw_node *p = gw_node_get(b->points, gw_tuya_point(wanted, true, &why));
		if (strcmp(wanted->id, now->id) != 0) {
			struct gw_node *in = gw_set_list(b, p, "in");
			gw_add_text(b, in, gw_str(gw_draft_printf(b, "dps#/%s", now->id)));
			gw_add_text(b, in, gw_str(gw_draft_printf(b, "dps#/%s", wanted->id)));
		}
		gw_tuya_fate(wanted, address, NULL);
		gw_tuya_fate(now, address, NULL);
		return;
	}
	struct gw_tuya_dp *both[] = {wanted, now};
	for (size_t i = 0; i < 2; i++) {
		struct gw_tuya_dp *dp = both[i];
		w.ro = dp == now;
		w.main = true;
		if (dp && !dp->told && gw_tuya_as(dp, &w, &address, &why)) {
			gw_tuya_fate(dp, address, NULL);
		} else if (dp && !dp->told) {
			gw_tuya_vendor(dp, dp->name, dp == now);
		}
	}
}

void gw_tuya_cover(struct gw_tuya_entity *e)
{
	struct gw_tuya_dp *control = visible(e, "control");
	const char *address = NULL;
	e->t->b->hints |= strcmp(e->class, "blind") == 0 ? GW_HINT_BLIND : 0;
	position(e);
	if (control && acts(control, cover_acts, gw_countof(cover_acts), &address) > 0) {
		gw_tuya_fate(control, address, NULL);
	}
	gw_tuya_parts(e, cover, gw_countof(cover), NULL);
	if (control && !control->told) {
		gw_tuya_vendor(control, control->name, /* ro= */ false);
	}
}

/* --- locks --- */

/* A lock that a person would call a lock; others are the lock of the keys. */
static bool locks_keys(const struct gw_tuya_entity *e)
{
	return e->config || strcmp(e->key, "child_lock") == 0;
}

void gw_tuya_lock(struct gw_tuya_entity *e)
{
	static const struct gw_tuya_part keys[] = {
		{"lock", "child_lock.on", NULL, false, false, NULL}};
	static const struct gw_tuya_part door[] = {
		{"lock_state", "lock.state", "locked|unlocked", true, false, NULL},
		{"lock", "lock.state", "locked|unlocked", true, false, NULL},
		{"open", "contact.open", NULL, true, false, NULL},
		{"jammed", "lock.door", "jammed|closed", true, false, NULL},
	};
	static const struct act lock_acts[] = {{"true", "lock.lock"}, {"false", "lock.unlock"}};
	struct gw_tuya_dp *lock = visible(e, "lock"), *apart = visible(e, "lock_state");
	const char *address = NULL;
	if (locks_keys(e)) {
		gw_tuya_parts(e, keys, 1, NULL);
		return;
	}
	size_t made = lock ? acts(lock, lock_acts, gw_countof(lock_acts), &address) : 0;
	if (made > 0 && apart) {
		gw_tuya_fate(lock, address, NULL);
	}
	gw_tuya_parts(e, door, gw_countof(door), NULL);
	for (size_t i = 0; i < e->n; i++) { /* who opened, and how: told once */
		struct gw_tuya_dp *dp = &e->dp[i];
		bool numbered = dp->type == GW_TUYA_INTEGER &&
				gw_str_glob(GW_STR("unlock_*"), gw_str(dp->name));
		if (numbered && !dp->hidden && !dp->told) {
			const char *id = gw_draft_extension(e->t->b, e->component, dp->name);
			if (gw_tuya_event(dp, id, &address)) {
				gw_tuya_fate(dp, address, NULL);
			}
		}
	}
}

/* --- vacuums --- */

static const struct act vacuum_acts[] = {
	{"start", "operation.start"},	   {"smart", "operation.start"},
	{"clean", "operation.start"},	   {"auto", "operation.start"},
	{"auto_clean", "operation.start"}, {"pause", "operation.pause"},
	{"stop", "operation.stop"},	   {"return_to_base", "robot.go_home"},
	{"clean_spot", "robot.spot"},
};

static const struct act truth_acts[] = {{"true", NULL}, {"false", NULL}};

static const struct gw_tuya_part vacuum[] = {
	{"power", "switch.on", NULL, false, false, NULL},
	{"activate", "switch.on", NULL, false, false, NULL},
	{"status", "operation.state", NULL, true, true, NULL},
	{"fan_speed", "robot.suction", NULL, false, true, NULL},
	{"do_not_disturb", "do_not_disturb.on", NULL, false, false, NULL},
};

static void truth(struct gw_tuya_entity *e, const char *name, const char *yes, const char *no)
{
	struct gw_tuya_dp *dp = visible(e, name);
	struct act list[] = {{truth_acts[0].word, yes}, {truth_acts[1].word, no}};
	const char *address = NULL;
	if (dp && acts(dp, list, no ? 2 : 1, &address) > 0) {
		gw_tuya_fate(dp, address, NULL);
	}
}

void gw_tuya_vacuum(struct gw_tuya_entity *e)
{
	struct gw_tuya_dp *command = visible(e, "command"), *move = visible(e, "direction_control");
	struct gw_tuya_dp *error = visible(e, "error");
	const char *address = NULL, *second = NULL;
	truth(e, "locate", "robot.locate", NULL);
	truth(e, "return_to_base", "robot.go_home", NULL);
	if (command && acts(command, vacuum_acts, gw_countof(vacuum_acts), &address) > 0) {
		const struct gw_tuya_want all = {
			.type = GW_TYPE_ENUM, .id = "command", .label = "Command"};
		const char *why = NULL;
		gw_tuya_fate(command, address, NULL);
		(void)gw_tuya_as(command, &all, &second, &why); /* the other words */
	}
	truth(e, "pause", "operation.pause", "operation.resume");
	if (move && gw_tuya_choice_action(move, "robot.move", "direction", &address)) {
		gw_tuya_fate(move, address, NULL);
	}
	if (error && gw_tuya_faults(error, &address)) {
		gw_tuya_fate(error, address, NULL);
	}
	gw_tuya_parts(e, vacuum, gw_countof(vacuum), NULL);
	if (command && !command->told) {
		gw_tuya_vendor(command, command->name, /* ro= */ false);
	}
}

/* --- alarms, remotes --- */

static const struct act alarm_acts[] = {{"disarmed", "security.disarm"}};

void gw_tuya_alarm(struct gw_tuya_entity *e)
{
	static const struct gw_tuya_part state[] = {
		{"alarm_state", "security.state", NULL, true, true, NULL}};
	struct gw_tuya_dp *dp = visible(e, "alarm_state");
	const char *address = NULL;
	if (dp) {
		(void)acts(dp, alarm_acts, 1, &address); /* 0: it cannot be written */
		(void)gw_tuya_choice_action(dp, "security.arm", "mode", &address);
	}
	gw_tuya_parts(e, state, 1, NULL);
}

void gw_tuya_remote(struct gw_tuya_entity *e)
{
	struct gw_tuya_dp *send = visible(e, "send");
	struct gw_draft *b = e->t->b;
	const char *why = NULL, *address = NULL;
	const char *p = send && send->type == GW_TUYA_STRING && !gw_draft_has(b, NULL, "ir.send")
				? gw_tuya_point(send, /* writable= */ true, &why)
				: NULL;
	struct gw_node *c =
		p ? gw_tuya_cap(e, e->label, e->label, "ir.send", true, &address) : NULL;
	if (c) {
		gw_set_text(b, gw_set_map(b, c, "action"), p, "code");
		gw_set_text(b, gw_set_map(b, gw_set_map(b, c, "args"), "code"), "type", "str");
		gw_tuya_fate(send, address, NULL);
	} else if (send && gw_draft_has(b, NULL, "ir.send")) {
		gw_tuya_fate(send, "ir.send", NULL); /* the same dp once more */
	}
}

/* --- valves, sirens, cameras --- */

void gw_tuya_valve(struct gw_tuya_entity *e)
{
	static const struct gw_tuya_part parts[] = {
		{"valve", "valve.open", NULL, false, false, NULL},
		{"valve", "valve.level", NULL, false, false, "%"},
	};
	struct gw_tuya_dp *dp = gw_tuya_dp(e, "valve");
	bool level = dp && !dp->mapping && gw_node_get(dp->node, "range");
	gw_tuya_parts(e, level ? &parts[1] : parts, level ? 1 : 2, NULL);
}

void gw_tuya_siren(struct gw_tuya_entity *e)
{
	static const struct gw_tuya_part parts[] = {
		{"switch", "siren.active", NULL, false, false, NULL},
		{"tone", "siren.tone", NULL, false, false, NULL},
		{"duration", "siren.duration", NULL, false, false, "s"},
	};
	struct gw_tuya_dp *volume = visible(e, "volume_level");
	const char *address = NULL, *why = NULL;
	const struct gw_tuya_want w = {
		.cap = gw_capability_find(GW_STR("media.volume")), .scale = 100, .unit = "%"};
	gw_tuya_parts(e, parts, gw_countof(parts), NULL);
	if (volume && gw_tuya_as(volume, &w, &address, &why)) { /* 0…1 there */
		gw_tuya_fate(volume, address, NULL);
	}
}

void gw_tuya_camera(struct gw_tuya_entity *e)
{
	static const struct gw_tuya_part parts[] = {
		{"record", "camera.recording", NULL, false, false, NULL},
		{"switch", "switch.on", NULL, false, false, NULL},
	};
	struct gw_tuya_dp *motion = visible(e, "motion_enable");
	gw_tuya_parts(e, parts, gw_countof(parts), NULL);
	if (motion) {
		gw_tuya_vendor(motion, "Motion detection", /* ro= */ false);
	}
}
