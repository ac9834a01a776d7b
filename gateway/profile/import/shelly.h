/*
 * Shelly devices described by themselves: what GET /shelly, /settings and /status (first generation) or Shelly.GetDeviceInfo,
 * Shelly.GetConfig and Shelly.GetStatus (later ones) answer, together in one file {shelly, settings|config, status}, as aioshelly keeps
 * them. The profile speaks MQTT (open-protocols.md §A5). Later generations need "Status notifications" and "RPC over MQTT".
 */
#pragma once

#include "profile/import/draft.h"

/* What becomes of a member of a component. The first row that fits counts. */
struct gw_shelly_field {
	const char *type,
		*path; /* "switch", "/apower"; type "*": any. A path that ends with "*" is a beginning */
	const char *
		cap; /* "switch.on", "x.input": an extension of that name; NULL: nobody looks at it */
	double div;		 /* value = given / div; 0: as given */
	const char *map;	 /* "open=stopped|closing=closing": of texts and booleans */
	const char *how;	 /* topic on which it arrives (first generation) */
	const char *set, *param; /* method, or topic that takes it; pointer into what is sent */
};

struct gw_shelly {
	struct gw_draft *b;
	const struct gw_node *status, *config; /* config: the settings of the first generation */
	struct gw_error *error;
	const char *base;	    /* topics begin with it: "shellies/<id>", "<prefix>" */
	const char *notify, *event; /* messages of later generations */
	const char *info;	    /* message of the first */
	const char *asked; /* a message that answers when all is asked for; NULL: none yet */
	bool sleepy;
};

/* One member and how it travels. */
struct gw_shelly_io {
	const struct gw_shelly_field *field; /* NULL: unknown to the tables */
	const struct gw_node *leaf;
	const char *at, *name; /* for people and for names */
	const char *component; /* NULL: main */
	const char *spare;     /* component for what is taken in that one */
	const char *label;
	struct {
		const char *msg, *pointer;
	} in[3], out;
	size_t n_in;
	bool plain; /* one of them is text: numbers are spelled */
};

const struct gw_shelly_field *gw_shelly_find(const struct gw_shelly_field *rows, size_t n,
					     const char *type, const char *path);
/* The capability, made; NULL: none. The fate is told. */
struct gw_node *gw_shelly_add(struct gw_shelly *s, const struct gw_shelly_io *io);
/* Calls fn for each scalar and list below node, except for lists of which the rows know members. */
struct gw_shelly_walk {
	const struct gw_shelly_field *rows;
	size_t n_rows;
	const char *type;
	void (*fn)(struct gw_shelly *s, void *ctx, const char *path, const struct gw_node *leaf);
	void *ctx;
};
void gw_shelly_walk(struct gw_shelly *s, const struct gw_shelly_walk *w, const char *path,
		    const struct gw_node *node);
const char *gw_shelly_text(const struct gw_node *map, const char *key); /* "": none */
const char *gw_shelly_topic(struct gw_shelly *s, const char *rest);
/* A message that arrives, while there is room for more; else NULL. */
const char *gw_shelly_rx(struct gw_shelly *s, const char *rest, const char *codec);
/* An action with a fixed body. */
void gw_shelly_action(struct gw_shelly *s, const char *component, const char *cap,
		      const char *topic, const char *codec, const struct gw_node *body);
/* Presence by <base>/online, and the question for everything: word on <base>/command. */
void gw_shelly_link(struct gw_shelly *s, const char *word);

int gw_shelly_first(struct gw_shelly *s, const struct gw_node *shelly);
int gw_shelly_later(struct gw_shelly *s, const struct gw_node *shelly);
