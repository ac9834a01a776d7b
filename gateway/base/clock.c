#include "gw/clock.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

/* Added by tests; the pool's threads read the clock too. */
static _Atomic int32_t advanced_s;
static _Atomic int32_t advanced_ms;

int64_t gw_clock_us(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail with this clock */
	return ((int64_t)t.tv_sec + advanced_s) * 1000000 + t.tv_nsec / 1000 +
	       (int64_t)advanced_ms * 1000;
}

int64_t gw_clock_ms(void)
{
	return gw_clock_us() / 1000;
}

int64_t gw_wall_ms(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_REALTIME, &t); /* cannot fail with this clock */
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void gw_wall_format(int64_t wall_ms, char *ret_text, size_t cap)
{
	/* RFC 3339 knows the years 0000 to 9999. */
	const int64_t first = INT64_C(-62167219200000), last = INT64_C(253402300799999);
	wall_ms = wall_ms < first ? first : wall_ms > last ? last : wall_ms;
	int64_t ms = wall_ms % 1000;
	time_t s = (time_t)(wall_ms / 1000);
	if (ms < 0) {
		ms += 1000;
		s--;
	}
	struct tm t = {0};
	(void)gmtime_r(&s, &t); /* in range, see above */
	(void)snprintf(ret_text, cap, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", t.tm_year + 1900,
		       t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, (int)ms);
}

void gw_clock_advance_ms(int64_t ms)
{
	advanced_s += (int32_t)(ms / 1000);
	advanced_ms += (int32_t)(ms % 1000);
}
