/* Tells the service manager how we are (sd_notify(3)), by its datagram socket: no library is needed for that. */
#pragma once

#include "gw/loop.h"

/* state: "READY=1", "STOPPING=1". Without $NOTIFY_SOCKET nothing happens. */
void daemon_notify(const char *state);
/* Milliseconds between two signs of life, from $WATCHDOG_USEC; 0: none are wanted. */
int64_t daemon_watchdog_ms(void);
