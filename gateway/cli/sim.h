/* hearth sim: what its two halves share. sim.c reads the command line and the files, sim_play.c plays. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "cli/broker.h"
#include "cli/cli.h"
#include "gw/list.h"
#include "gw/loop.h"
#include "gw/mqtt_link.h"
#include "gw/node.h"
#include "gw/profile.h"
#include "gw/twin.h"

#define SIM_APPLIANCES 4096
#define SIM_OPTIONS    64 /* values of an option that is given several times */

struct appliance {
	struct sim *sim;
	struct gw_twin *twin;
	struct gw_mqtt_link *link; /* NULL: switched off for a moment */
	char *topic;		   /* of its description; NULL: announces itself */
	char *description;
	const struct gw_node *set; /* how it begins */
	bool up, begun;
	bool plays; /* the scenario is of its kind */
	struct gw_scene_place place;
	struct gw_timer *scene, *back; /* the next scene; switched on again */
};

struct sim {
	struct cli *c;
	struct gw_loop *loop;
	struct gw_library *library;
	struct gw_arena *arena;
	struct cli_broker broker;
	struct appliance *list[SIM_APPLIANCES];
	size_t count, up;
	struct gw_timer *report, *end, *reboot;
	struct gw_list late; /* messages of slow appliances */
	size_t n_late;
	struct gw_watch *input;
	char line[256]; /* of standard input, so far */
	size_t line_len;
	uv_signal_t signals[2];
	int64_t every_ms, for_ms;
	uint64_t seed;
	const struct gw_node *scenario; /* NULL: none */
	bool verbose, announced;
	struct {
		const char *broker, *username, *password, *count, *every, *duration, *seed,
			*scenario;
		const char *vars[SIM_OPTIONS], *faults[SIM_OPTIONS];
		size_t n_vars, n_faults;
	} given;
};

/* The timers of a sim whose loop is there; false: no memory. Undone by sim_fini. */
bool sim_init(struct sim *s) GW_MUST_USE;
/* Of twins whose context is an appliance. */
void sim_emit(void *ctx, const struct gw_emission *e);
/* The appliance on the network, with its will and what it listens to; connects when it is started. */
int sim_connect(struct appliance *a, struct gw_error *reterr_) GW_MUST_USE;
void sim_free_appliance(struct appliance *a);
/* A fault of all appliances on or off, as people write it. */
int sim_fault(struct sim *s, struct gw_str text, bool on, struct gw_error *reterr_) GW_MUST_USE;
/* Until it is interrupted; returns an exit code. */
int sim_play(struct sim *s) GW_MUST_USE;
void sim_fini(
	struct sim *s); /* also of a sim with nothing in it yet but its list of late messages */
