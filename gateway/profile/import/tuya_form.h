/* Inside tuya_form.c, tuya_number.c, tuya_as.c. */
#pragma once

#include "profile/import/tuya.h"

bool gw_tuya_is_identity(const struct gw_tuya_rows *rows, const struct gw_tuya_dp *dp);
/* The form of a boolean, an enum, a list of faults or a number that is enumerated, into cap. */
bool gw_tuya_discrete(struct gw_tuya_dp *dp, const struct gw_tuya_want *w, bool writable,
		      struct gw_node *cap, bool *ret_writable, const char **ret_why);
void gw_tuya_list_symbols(struct gw_tuya *t, struct gw_node *cap);
/* The form of a number, into cap. */
bool gw_tuya_numeric(struct gw_tuya_dp *dp, const struct gw_tuya_want *w, bool writable,
		     struct gw_node *cap, bool *ret_writable, const char **ret_why);
/* Rows of a dp that tells the unit of temperatures; its values are C and F. */
bool gw_tuya_unit_rows(struct gw_tuya_dp *by, struct gw_tuya_rows *ret);
/* "1h", "30 min", "cancel" → a number in the unit of the capability (a time), "3" → 3. */
bool gw_tuya_number_word(struct gw_str word, const struct gw_tuya_want *w, double *ret);
