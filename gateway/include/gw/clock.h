/* Time. Intervals use the monotonic clock (ms, µs); wall time only for display and storage, and may jump. */
#pragma once

#include <stddef.h>
#include <stdint.h>

int64_t gw_clock_ms(void); /* monotonic */
int64_t gw_clock_us(void); /* monotonic */
int64_t gw_wall_ms(void);  /* since 1970, UTC */
/* RFC 3339 in UTC with milliseconds: 2026-11-25T02:30:00.000Z; cap ≥ 25. */
void gw_wall_format(int64_t wall_ms, char *ret_text, size_t cap);
/* Tests only: adds to the monotonic clock. */
void gw_clock_advance_ms(int64_t ms);
