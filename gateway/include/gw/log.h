/*
 * Log lines to standard error (journald adds the time; with a terminal we do): level, topic, stable id, text.
 * Rate-limited per id: 10 a minute, then one line with the count. Never payloads at info, never secrets.
 */
#pragma once

#include <stdbool.h>

#include "gw/compiler.h"

enum gw_log_level { GW_LOG_ERROR, GW_LOG_WARNING, GW_LOG_INFO, GW_LOG_DEBUG };

void gw_log_set_level(enum gw_log_level level);
bool gw_log_enabled(enum gw_log_level level);
/* id is a literal like "GW-MQTT-AUTH", required for warnings and errors, NULL allowed below. */
void gw_log(enum gw_log_level level, const char *topic, const char *id, const char *fmt, ...)
	GW_PRINTF(4, 5);

#define gw_log_error(topic, id, ...)   gw_log(GW_LOG_ERROR, topic, id, __VA_ARGS__)
#define gw_log_warning(topic, id, ...) gw_log(GW_LOG_WARNING, topic, id, __VA_ARGS__)
#define gw_log_info(topic, ...)	       gw_log(GW_LOG_INFO, topic, /* id= */ NULL, __VA_ARGS__)
#define gw_log_debug(topic, ...)                                                                   \
	do {                                                                                       \
		if (gw_log_enabled(GW_LOG_DEBUG)) {                                                \
			gw_log(GW_LOG_DEBUG, topic, /* id= */ NULL, __VA_ARGS__);                  \
		}                                                                                  \
	} while (0)
