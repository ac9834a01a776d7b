/* Tasmota: tasmota/discovery/<mac>/config and …/sensors (open-protocols.md §A3). */
#pragma once

#include "profile/import/draft.h"
#include "profile/import/vocabulary.h"

struct gw_tas {
	struct gw_draft *b;
	const struct gw_node *config;
	/* full topics up to the command word, with the last slash */
	const char *cmnd, *stat, *tele;
	const char *state, *result, *sensor; /* messages by name; NULL: could not be made */
	const char *status10;		     /* answer to `Status 10`: sensors */
};

/* Item of a list of numbers of the configuration; fallback beyond its end. Lists have as many items as the firmware has. */
double gw_tas_item(const struct gw_tas *t, const char *list, size_t index, double fallback);
bool gw_tas_option(const struct gw_tas *t, const char *number); /* so: SetOption */
/* A point that is read at /key of STATE and RESULT and written by the command word (NULL: not). */
struct gw_node *gw_tas_point(struct gw_tas *t, const char *hint, const char *pointer,
			     const char *command, const char **ret_name);
/* An action that sends word with payload. */
void gw_tas_action(struct gw_tas *t, const char *component, const char *id, const char *word,
		   const char *payload);

/* tasmota_sensor.c: every leaf of `sn`. */
void gw_tas_sensors(struct gw_tas *t, const struct gw_node *sn);
/* tasmota_parts.c: relays, light, shutters, fan, switches, buttons. */
void gw_tas_parts(struct gw_tas *t);
