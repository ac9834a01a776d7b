/* The gateway: everything hangs off it. Private to home/ and daemon/. Parts are made in this order and freed in reverse. */
#pragma once

#include "discovery/discovery.h"
#include "gw/broker.h"
#include "gw/home.h"
#include "gw/node.h"

struct gw_store;     /* store.h: SQLite */
struct gw_accounts;  /* account.h: people, tokens, claim */
struct gw_deadlines; /* deadline.h: one timer for all of them */
struct gw_registry;  /* registry.h: devices, rooms, properties */
struct gw_bus;	     /* bus.h: numbered events */
struct gw_commands;  /* command.h */
struct gw_journey;   /* journey.h */
struct gw_adopt;     /* adopt.h: candidates, discovery */
struct gw_hosts;     /* adapter_host.h: adapters and their queues */
struct gw_surfaces;  /* surface_host.h */

struct gw_gateway {
	struct gw_loop *loop;
	struct gw_arena *config_arena;
	const struct gw_node *config;  /* hearth.yaml, or NULL */
	char *config_file, *state_dir; /* config_file is "" when there is none */
	int64_t start_us;	       /* monotonic, of main() */
	int64_t ready_us;	       /* since start_us; 0 until ready */
	char id[17];
	uint64_t next_cause; /* of messages and commands; never the same in two lives */
	bool started, stopping, stopped;
	struct gw_timer *stop_timer;
	struct gw_deadlines *deadlines;
	struct gw_broker *broker;
	struct gw_library *library;
	struct gw_store *store;
	char store_note[256];
	struct gw_accounts *accounts;
	struct gw_bus *bus;
	struct gw_journey *journey;
	struct gw_registry *registry;
	struct gw_adopt *adopt;
	struct gw_discovery *discovery; /* made and freed by adopt */
	struct gw_commands *commands;
	struct gw_hosts *hosts;
	struct gw_surfaces *surfaces;
};

struct gw_gateway_options {
	const char *config_file; /* NULL: none; then defaults hold */
	const char *state_dir;
	const char *const *profile_dirs;
	size_t n_profile_dirs;
	int64_t start_us;
};

/* Opens the store, restores the home, makes adapters and surfaces. Blocks shortly (files, SQLite); nothing is listening yet. */
int gw_gateway_new(struct gw_loop *l, const struct gw_gateway_options *o,
		   struct gw_gateway **ret_gateway, struct gw_error *reterr_) GW_MUST_USE;
/* Starts adapters, then surfaces. */
int gw_gateway_start(struct gw_gateway *g, struct gw_error *reterr_) GW_MUST_USE;
/* Begins stopping in reverse; stops the loop when everything has stopped (at the latest after 5 s). */
void gw_gateway_stop(struct gw_gateway *g);
void gw_gateway_free(struct gw_gateway *g);
/* An adapter or surface has stopped: looks whether that was the last. */
void gw_gateway_part_stopped(struct gw_gateway *g);
/* Reads and checks a configuration as gw_gateway_new does, also the options of every part; changes nothing. */
int gw_gateway_check_config(struct gw_loop *l, const char *config_file,
			    struct gw_error *reterr_) GW_MUST_USE;
