/*
 * The MQTT broker of the home: an external one by URL, or a private mosquitto that we configure, start and supervise.
 * Owned by the gateway; the mqtt adapter and the mqtt surface each connect with credentials of their own.
 *
 * The private broker: configuration, password and ACL files are written to <state_dir>/broker (0700, files 0600, replaced by rename);
 * no anonymous clients; persistence off (our store is the truth); set_tcp_nodelay. Accounts: "hearth-adapter" and "hearth-surface" with
 * passwords made anew at each start, "device" (appliances; may not touch hearth/#) and "home" (controllers; may read all of hearth/# and
 * write hearth/+/+/+/+/set) with passwords made once and kept. It is restarted with back-off when it ends, for ever, and is
 * stopped with us (also when we are killed: PR_SET_PDEATHSIG). A port that is taken is an error with the next step in its text.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gw/compiler.h"
#include "gw/error.h"
#include "gw/loop.h"
#include "gw/node.h"
#include "gw/option.h"

struct gw_broker;

struct gw_broker_endpoint {
	const char
		*host; /* name or address; a path beginning with '/' when port is 0 (UNIX socket) */
	uint16_t port;
	const char *username, *password; /* NULL: none */
	bool tls;
	const char *ca_file, *cert_file, *key_file; /* NULL: system CAs, no client certificate */
	bool tls_insecure; /* host name is not checked; warned about in `doctor` */
};

enum gw_broker_client { GW_BROKER_ADAPTER, GW_BROKER_SURFACE };

/* The `broker:` section of hearth.yaml: url (mqtt://, mqtts://), username, password, ca, cert, key, insecure; listen (private: address:port), program. */
extern const struct gw_option gw_broker_options[];

/* section NULL: defaults. state_dir exists. No I/O on the network yet. */
int gw_broker_new(struct gw_loop *l, const struct gw_node *section, const char *file,
		  const char *state_dir, struct gw_broker **ret_broker,
		  struct gw_error *reterr_) GW_MUST_USE;
/* Private: writes the files and starts mosquitto; the clients just retry until it answers. External: nothing to do. */
int gw_broker_start(struct gw_broker *b, struct gw_error *reterr_) GW_MUST_USE;
void gw_broker_stop(
	struct gw_broker *b); /* ends the child: SIGTERM, after 2 s SIGKILL; idempotent */
void gw_broker_free(struct gw_broker *b); /* after stop */
bool gw_broker_is_private(const struct gw_broker *b);
/* Borrowed; valid until gw_broker_free. */
const struct gw_broker_endpoint *gw_broker_endpoint(const struct gw_broker *b,
						    enum gw_broker_client client);
/* What an appliance or a controller must be told to connect: "device" or "home"; NULL with an external broker. */
const char *gw_broker_password(const struct gw_broker *b, const char *account);
const char *gw_broker_describe(const struct gw_broker *b); /* "mqtt://127.0.0.1:1883 (private)" */
/* Of the private broker: 0 not started; restarts counts unexpected ends. */
int gw_broker_pid(const struct gw_broker *b);
uint64_t gw_broker_restarts(const struct gw_broker *b);
