/*
 * MIoT specifications (miot-spec.org, /instance?type=<urn>; vendor-protocols-cn.md §1.8): services with numbered properties, actions and
 * events. The profile talks JSON with the adapter "miio", which calls everything by "<siid>.<iid>", so that a whole device needs four
 * messages:
 *
 *   state   on "properties"  {"2.1": true, "2.4": 26.5}
 *           sent: set_properties, one object {did, siid, piid, value} for each member, in chunks of what the device takes
 *           arrives: the values of get_properties whose code is 0, and of properties_changed
 *   get     on "get"         ["2.1", "2.4"]: get_properties of these; the answer is state
 *   action  on "action"      {"7.1": true}, or {"7.2": {"1": 30}} with inputs by piid
 *           sent: action {did, siid, aiid, in: [{piid, value}]}, the inputs ascending by piid
 *   event   on "event"       {"event": "8.1", "8.1": {"3": 5}}: event_occured with siid, eiid and its arguments by piid
 *
 * An enumeration travels as its number. The model of the device ("xiaomi.aircondition.mc1") is the identity "miio_model"; the
 * specification names its maker and the last part only.
 */
#pragma once

#include "profile/import/draft.h"

struct gw_miot_row {
	const char *service, *name; /* "*": any service */
	const char *cap;	    /* NULL: not for people */
	const char *map; /* of a boolean into an enum, "true-symbol|false-symbol"; "!": inverted */
};

struct gw_miot {
	struct gw_draft *b;
	const struct gw_node *root;
	struct gw_error *error;
	const char *device; /* "air-conditioner" */
	struct gw_node *gets;
	bool polls; /* something must be asked for: the device does not tell it */
};

struct gw_miot_service {
	const struct gw_node *node;
	const char *name;
	unsigned siid, n, count; /* n-th of count with this name, from 1 */
	const char *component;	 /* NULL: main */
	const char *label;
};

/* --- tables (miot_words.c) --- */

const struct gw_miot_row *gw_miot_property_row(const char *service, const char *name);
const struct gw_miot_row *gw_miot_action_row(const char *service, const char *name);
/* The symbol of button.press for an event; NULL: it is something else. */
const char *gw_miot_press(const char *name);
const char *gw_miot_device_type(const char *device); /* NULL: by what it can do */
/* The symbols of an enum capability for the words of a value-list, by index; n at most GW_MIOT_WORDS. */
#define GW_MIOT_WORDS 64 /* as many as there are speeds */
void gw_miot_symbols(const struct gw_capability *cap, const char *const *words, size_t n,
		     const char **symbols);

/* --- parts of a specification --- */

#define GW_MIOT_TWICE "a number that another one has, too"

/* urn:<namespace>:<kind>:<name>:… → name; NULL: it is no such urn. */
const char *gw_miot_name(struct gw_miot *m, const struct gw_node *n, const char *kind);
unsigned gw_miot_iid(const struct gw_node *n); /* 0: none */
/* A property of the service by name, or by number; NULL: none. */
const struct gw_node *gw_miot_find(struct gw_miot *m, const struct gw_miot_service *s,
				   const char *name);
const struct gw_node *gw_miot_property(const struct gw_miot_service *s, unsigned piid);
bool gw_miot_access(const struct gw_node *property, const char *word);
const char *gw_miot_at(struct gw_miot *m, const struct gw_miot_service *s, const char *list,
		       unsigned iid, const char *name);
/* Where the capability is free: the service's component, else one called like the service. NULL with *ret_free false: nowhere. */
const char *gw_miot_place(struct gw_miot *m, const struct gw_miot_service *s, const char *id,
			  bool *ret_free);
void gw_miot_told(struct gw_miot *m, const char *at, const char *component, const char *id);
/* "State of Charge" → "state_of_charge" in the arena. */
const char *gw_miot_word(struct gw_miot *m, const char *text);
/* Type, range, words of a property for an extension or an argument. false: nothing fits. */
bool gw_miot_describe(struct gw_miot *m, const struct gw_node *property, struct gw_node *map,
		      bool numbers);
void gw_miot_add_property(struct gw_miot *m, const struct gw_miot_service *s,
			  const struct gw_node *property);
