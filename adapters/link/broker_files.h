/* The files of the private broker, in <state_dir>/broker (0700): configuration, password hashes, access rules, kept passwords. */
#pragma once

#include <stdint.h>

#include "gw/compiler.h"
#include "gw/error.h"

enum gw_broker_account {
	GW_BROKER_ACCOUNT_ADAPTER,
	GW_BROKER_ACCOUNT_SURFACE,
	GW_BROKER_ACCOUNT_DEVICE,
	GW_BROKER_ACCOUNT_HOME,
	GW_BROKER_ACCOUNTS
};

#define GW_BROKER_PASSWORD_BYTES 65 /* with the zero */

struct gw_broker_files {
	char dir[512];	  /* absolute */
	char socket[108]; /* sun_path; empty: the directory has no name for a UNIX socket */
	const char *listen_host;
	uint16_t listen_port;
	char password[GW_BROKER_ACCOUNTS][GW_BROKER_PASSWORD_BYTES];
};

const char *gw_broker_account_name(enum gw_broker_account account);
/* Sets dir, socket and the passwords: those of "device" and "home" are read, or made and kept; the others are made anew. */
int gw_broker_files_open(struct gw_broker_files *f, const char *state_dir,
			 struct gw_error *reterr_) GW_MUST_USE;
/* Writes mosquitto.conf, passwords and access rules; returns the path of the first in ret_conf (cap ≥ 600). */
int gw_broker_files_write(const struct gw_broker_files *f, char *ret_conf, size_t cap,
			  struct gw_error *reterr_) GW_MUST_USE;
