/* zigbee2mqtt: exposes → capabilities (open-protocols.md §A4). */
#pragma once

#include "profile/import/draft.h"
#include "profile/import/vocabulary.h"

#define GW_Z2M_STATE 1 /* bits of access */
#define GW_Z2M_SET   2
#define GW_Z2M_GET   4

struct gw_z2m {
	struct gw_draft *b;
	struct gw_str topic;	 /* <base>/<friendly name> */
	const char *state, *set; /* topics of both messages, in the arena */
	const char *prefix;	 /* of components for endpoints: "gang", "outlet", "part" */
	struct gw_node *gets;	 /* body that asks for every gettable property */
	bool battery;
	bool colour_hs; /* a light with hue and saturation: then xy is the same again */
};

/* One expose of a generic kind: where it stands and what it may do. */
struct gw_z2m_expose {
	const struct gw_node *node;
	const char *name, *property, *label;
	const char *pointer;   /* in the state, and in set */
	const char *component; /* NULL: main */
	unsigned access;
};

/* z2m_value.c */
bool gw_z2m_open(struct gw_z2m *z, const struct gw_node *node, const char *parent,
		 const char *component, struct gw_z2m_expose *ret); /* false: malformed */
/* A point with the references that access allows; writable: only when the capability may be written too. */
struct gw_node *gw_z2m_point(struct gw_z2m *z, const struct gw_z2m_expose *x, const char *hint,
			     bool writable, const char **ret_name);
void gw_z2m_binary(struct gw_z2m *z, const struct gw_z2m_expose *x);
void gw_z2m_numeric(struct gw_z2m *z, const struct gw_z2m_expose *x);
void gw_z2m_enum(struct gw_z2m *z, const struct gw_z2m_expose *x);
void gw_z2m_text(struct gw_z2m *z, const struct gw_z2m_expose *x);
void gw_z2m_list(struct gw_z2m *z, const struct gw_z2m_expose *x);
/* As a given capability, scaled by l. */
struct gw_node *gw_z2m_number_as(struct gw_z2m *z, const struct gw_z2m_expose *x, const char *id,
				 struct gw_linear l);
void gw_z2m_mired_as(struct gw_z2m *z, const struct gw_z2m_expose *x, const char *id);
void gw_z2m_switch_as(struct gw_z2m *z, const struct gw_z2m_expose *x, const char *id);
/* As a standard enum; words without a symbol are noted and left out. False: none has one. */
bool gw_z2m_enum_as(struct gw_z2m *z, const struct gw_z2m_expose *x, const char *id);
/* An action that sends {property: value}. */
void gw_z2m_action(struct gw_z2m *z, const struct gw_z2m_expose *x, const char *id,
		   const char *value);

/* z2m_expose.c */
void gw_z2m_exposes(struct gw_z2m *z, const struct gw_node *exposes, const char *parent,
		    const char *component);
