/* Scenes: what an appliance does by itself, in the order and at the times that a scenario tells. */
#include <errno.h>

#include "profile/compose.h"
#include "profile/twin.h"

/* --- the file --- */

/* A refusal gets the place of the node. */
static int at(const struct gw_node *n, int r, struct gw_error *reterr_)
{
	if (reterr_) {
		reterr_->line = n->key_line ? n->key_line : n->line;
		reterr_->column = n->key_line ? n->key_column : n->column;
	}
	return r;
}

static int refuse(const struct gw_node *n, struct gw_error *reterr_, const char *expected)
{
	return at(n, gw_error_set(reterr_, -EINVAL, "schema", "%s", expected), reterr_);
}

static const struct member {
	const char *key;
	enum gw_node_type type;
	const char *expected;
} scene_members[] =
	{
		{"after", GW_NODE_TEXT, "`after` is a duration, as 30s"},
		{"when", GW_NODE_MAP, "`when` is a map of capabilities and their values"},
		{"set", GW_NODE_MAP, "`set` is a map of capabilities and their values"},
},
  scenario_members[] = {
	  {"loop", GW_NODE_BOOL, "`loop` is true or false"},
	  {"scenes", GW_NODE_LIST, "`scenes` is a list of {after, when, set}"},
};

static int check_members(const struct gw_node *map, const struct member *members, size_t n,
			 struct gw_error *reterr_)
{
	gw_node_for(m, map)
	{
		size_t i = 0;
		while (i < n && !gw_str_is(m->key, members[i].key)) {
			i++;
		}
		if (i == n) {
			return refuse(m, reterr_,
				      n == gw_countof(scene_members)
					      ? "a scene has after, when and set"
					      : "a scenario has loop and scenes");
		}
		if (m->type != members[i].type) {
			return refuse(m, reterr_, members[i].expected);
		}
	}
	return 0;
}

/* 0 without one. */
static int64_t duration_of(const struct gw_node *scene)
{
	const struct gw_node *after = gw_node_get(scene, "after");
	int64_t ms = 0;
	return after && gw_parse_duration_ms(after->text, &ms) < 0 ? -EINVAL : ms;
}

static int check_scene(const struct gw_node *scene, struct gw_error *reterr_)
{
	if (scene->type != GW_NODE_MAP) {
		return refuse(scene, reterr_, "a scene is a map with after, when and set");
	}
	int r = check_members(scene, scene_members, gw_countof(scene_members), reterr_);
	if (r == 0 && duration_of(scene) < 0) {
		r = refuse(gw_node_get(scene, "after"), reterr_, scene_members[0].expected);
	}
	return r;
}

int gw_scenario_check(const struct gw_node *scenario, struct gw_error *reterr_)
{
	const struct gw_node *loop = gw_node_get(scenario, "loop");
	int64_t length_ms = 0;
	if (scenario->type != GW_NODE_MAP || !gw_node_get(scenario, "scenes")) {
		return refuse(scenario, reterr_, "a scenario is a map with scenes");
	}
	int r = check_members(scenario, scenario_members, gw_countof(scenario_members), reterr_);
	gw_node_for(scene, r == 0 ? gw_node_get(scenario, "scenes") : NULL)
	{
		r = r < 0 ? r : check_scene(scene, reterr_);
		length_ms |= r < 0 ? 0 : duration_of(scene);
	}
	if (r == 0 && loop && loop->flag && length_ms == 0) {
		r = refuse(loop, reterr_, "scenes that loop need an `after`");
	}
	return r;
}

static int known(const struct gw_node *map, const struct gw_twin *t, struct gw_error *reterr_)
{
	gw_node_for(n, map)
	{
		if (gw_plan_find_cap(t->plan, n->key) < 0) {
			return at(n,
				  gw_error_set(reterr_, -ENOENT, "ref", "no capability \"%.*s\"",
					       GW_STR_ARG(gw_str_sub(n->key, 0, 80))),
				  reterr_);
		}
	}
	return 0;
}

int gw_scenario_fits(const struct gw_node *scenario, const struct gw_twin *t,
		     struct gw_error *reterr_)
{
	int r = 0;
	gw_node_for(scene, gw_node_get(scenario, "scenes"))
	{
		r = r < 0 ? r : known(gw_node_get(scene, "when"), t, reterr_);
		r = r < 0 ? r : known(gw_node_get(scene, "set"), t, reterr_);
	}
	return r;
}

/* --- playing --- */

static bool reads(struct gw_twin *t, const struct gw_node *wanted)
{
	GW_AUTO(gw_buf_fini) struct gw_buf shown = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
	int cap = gw_plan_find_cap(t->plan, wanted->key);
	if (cap < 0) {
		return false;
	}
	gw_value_write_json(&shown, gw_binding_value(t->b, (size_t)cap, /* ret_quality= */ NULL),
			    t->plan->caps[cap].info.domain.res);
	gw_node_write(&text, wanted, /* source_order= */ false);
	return gw_str_eq(gw_buf_str(&shown), gw_buf_str(&text));
}

static bool holds(struct gw_twin *t, const struct gw_node *when)
{
	gw_node_for(wanted, when)
	{
		if (!reads(t, wanted)) {
			return false;
		}
	}
	return true;
}

/* The scene that is next; from the beginning when the last one was played and they loop. */
static const struct gw_node *next_scene(const struct gw_node *scenario,
					struct gw_scene_place *place)
{
	const struct gw_node *scenes = gw_node_get(scenario, "scenes");
	const struct gw_node *loop = gw_node_get(scenario, "loop");
	if (place->next >= scenes->count && loop && loop->flag) {
		place->next = 0;
	}
	return gw_node_at(scenes, place->next);
}

int gw_scenario_play(const struct gw_node *scenario, struct gw_twin *t, int64_t now_ms,
		     struct gw_scene_place *place, int64_t *ret_wait_ms, struct gw_error *reterr_)
{
	int64_t wait_ms = -1;
	int r = 0;
	const struct gw_node *scene;
	while (wait_ms < 0 && (scene = next_scene(scenario, place)) != NULL) {
		if (!place->timed && !holds(t, gw_node_get(scene, "when"))) {
			break;
		}
		if (!place->timed) {
			place->timed = true;
			place->due_ms = now_ms + duration_of(scene);
		}
		if (now_ms < place->due_ms) {
			wait_ms = place->due_ms - now_ms;
			break;
		}
		place->timed = false;
		place->next++;
		const struct gw_node *set = gw_node_get(scene, "set");
		int e = set ? gw_twin_set_all(t, set, reterr_) : 0;
		r = r < 0 ? r : e;
	}
	*ret_wait_ms = wait_ms;
	return r;
}
