/* Where the broker is, as options say it. */
#pragma once

#include "cli/cli.h"
#include "gw/broker.h"

struct cli_broker {
	struct gw_broker_endpoint endpoint;
	char host[256], password[256];
};

/*
 * url: mqtt://HOST:PORT, NULL for mqtt://127.0.0.1:1883. Without a username: the account of the appliances on the private broker,
 * when the state directory has it. CLI_OK, or CLI_INVALID (message printed).
 */
int cli_broker_set(struct cli *c, struct cli_broker *b, const char *url, const char *username,
		   const char *password) GW_MUST_USE;
