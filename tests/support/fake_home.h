/*
 * A home that only answers: the contract of gw/home.h and gw/access.h over a few arrays, so that a surface can be driven alone.
 * What it decides by itself (gw/access.h's table, the texts of statuses) is the real code, linked beside it.
 */
#pragma once

#include "gw/home.h"

#define FAKE_DEVICES 4
#define FAKE_CAPS    6
#define FAKE_TOKEN   "fake-token-of-" /* + role name: logs in as that role */

struct fake_device {
	char id[GW_ID_BYTES], name[GW_NAME_BYTES], room[GW_ID_BYTES];
	uint64_t revision;
	bool removed;
	struct gw_property property[FAKE_CAPS];
};
/* A device is what the contract names; the registry of the fake is an array of them. */
struct gw_device {
	struct fake_device d;
};

/* A command that waits for fake_home_outcome. */
struct fake_command {
	gw_command_done *done;
	void *ctx;
	char key[256], text[512]; /* "switch.on=true", or "action(args)" */
	struct gw_principal principal;
};

struct gw_gateway {
	struct gw_loop *loop;
	bool claimed, valid; /* valid: what gw_principal_valid says of everybody */
	bool hold;	     /* commands and logins wait; else they end at once, from within */
	struct gw_device devices[FAKE_DEVICES];
	size_t n_devices;
	struct {
		char id[GW_ID_BYTES], name[GW_NAME_BYTES];
	} rooms[4];
	size_t n_rooms;
	struct gw_account_info account;
	struct gw_token_info token;
	bool has_account, has_token;
	struct gw_list listeners;
	uint64_t seq, epoch;
	struct {
		char device[GW_ID_BYTES];
		uint16_t index;
		enum gw_event_type type;
		uint64_t seq;
	} ring[64]; /* of gw_bus_replay: the last events */
	struct fake_command commands[64];
	size_t n_commands;
	enum gw_status outcome; /* of commands that are not held */
	const char *reason, *text;
	/* a login that waits */
	gw_login_done *login_done;
	void *login_ctx;
	char login_account[GW_ID_BYTES], login_source[64];
	bool login_good;
	int adopted, scans, logouts;
	unsigned calls; /* of everything that changes something */
	int stopped;
};

void fake_home_init(struct gw_gateway *g, struct gw_loop *loop);
void fake_home_fini(struct gw_gateway *g);
/* Changes a boolean property and tells the bus, with its flush. */
void fake_home_change(struct gw_gateway *g, size_t device, size_t cap, bool on);
void fake_home_event(struct gw_gateway *g, enum gw_event_type type, size_t device, uint16_t index);
void fake_home_flush(struct gw_gateway *g);
void fake_home_outcome(struct gw_gateway *g, size_t command, enum gw_status s);
void fake_home_login_end(struct gw_gateway *g);
/* A principal with this role, fresh or not. */
struct gw_principal fake_principal(enum gw_role role, bool fresh);
/* Indices of the capabilities of every fake device. */
enum fake_cap { FAKE_SWITCH, FAKE_LEVEL, FAKE_LOCK, FAKE_PRESENCE, FAKE_TOGGLE, FAKE_BUTTON };
