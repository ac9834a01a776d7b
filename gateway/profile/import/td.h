/* W3C Web of Things Thing Description 1.0 and 1.1 (open-protocols.md §E4). */
#pragma once

#include "profile/import/datum.h"

/* --- td_check.c: what the specification's assertions demand of a description --- */

/* -EBADMSG: refused, *reterr_ says what was found and expected, and where. */
int gw_td_check(const struct gw_node *root, struct gw_error *reterr_) GW_MUST_USE;
/* The first (or only) text of a member that is a text or a list of texts; NULL: none. */
const char *gw_td_first_text(const struct gw_node *n);
/* Is word in a member that is a text or a list of texts? */
bool gw_td_has_text(const struct gw_node *n, const char *word);

/* --- td_form.c: forms as channels --- */

struct gw_td {
	struct gw_draft *b;
	const struct gw_node *root;
	const char *base; /* URI, "" when there is none */
	const char *
		adapter; /* that carries the chosen host: "http", "coap", "mqtt"; "" when no form can be carried */
	const char *host; /* scheme and authority: the device's own */
	const char *all;  /* message that has every property; NULL: none */
};

/* One form, for one operation. */
struct gw_td_channel {
	const char *path;  /* HTTP, CoAP: with its variables; MQTT: the topic */
	const char *verb;  /* "get", "put", "post"; MQTT: "rx", "tx" */
	const char *codec; /* "json", "text", "cbor", "form" */
	bool observe;
};

/* Chooses the device's host: the one on which most affordances can be reached, the first of several. */
void gw_td_choose_host(struct gw_td *t);
/* MQTT: the levels that all topics begin with are the device's. False: they have none in common, or it is no level. */
bool gw_td_share_topics(struct gw_td *t);
/*
 * The first form of the affordance that can carry op. False: none; *ret_why is the construct of the first form that would have it, or NULL
 * when no form has the operation.
 */
bool gw_td_channel(struct gw_td *t, const struct gw_node *affordance, const char *op,
		   struct gw_td_channel *ret, const char **ret_why);
/* The message of a channel, for a reference at pointer; NULL: no room (noted). fixed: its body, else NULL. */
const char *gw_td_message(struct gw_td *t, const struct gw_td_channel *c, const char *pointer,
			  const struct gw_node *fixed);

/* --- td_uri.c: addresses --- */

/* Scheme and authority without user ("http://host:80"), and path with query, of href seen from base. False: no absolute address. */
bool gw_td_resolve(struct gw_draft *b, const char *base, const char *href, const char **ret_host,
		   const char **ret_path);
/* "http" for http and https, …; NULL: nothing of ours speaks it. */
const char *gw_td_adapter(const char *host);
/*
 * The URI template with its variables as {name} of the profile, or as their only value. affordance: whose uriVariables come first;
 * action: those cannot be asked for. NULL: *ret_why.
 */
const char *gw_td_expand(struct gw_td *t, const char *path, const struct gw_node *affordance,
			 bool action, const char **ret_why);

/* --- td_words.c: semantic types --- */

/* Capability by "@type" of an affordance or schema ("lock.state=locked|unlocked": with the map of a boolean); NULL: not known. */
const char *gw_td_semantic(const struct gw_td *t, const struct gw_node *n);
/* Hints for the device type by the thing's "@type". */
unsigned gw_td_hints(const struct gw_td *t);
