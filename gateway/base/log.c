#include "gw/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gw/buf.h"
#include "gw/clock.h"
#include "gw/str.h"

enum { PER_WINDOW = 10, WINDOW_MS = 60000, IDS = 128, LINE_BYTES = 1024 };

static const char *const level_name[] = {
	[GW_LOG_ERROR] = "error",
	[GW_LOG_WARNING] = "warning",
	[GW_LOG_INFO] = "info",
	[GW_LOG_DEBUG] = "debug",
};

static _Atomic enum gw_log_level threshold = GW_LOG_INFO;

/* How often each id was written in its window. Ids are literals, so their number is small; the last row serves the rest. */
static struct {
	pthread_mutex_t lock;
	size_t count;
	int64_t next_report_ms; /* 0: nothing to report */
	struct rate {
		const char *topic, *id;
		int64_t since_ms;
		unsigned written, dropped;
	} row[IDS];
} rates = {.lock = PTHREAD_MUTEX_INITIALIZER};

void gw_log_set_level(enum gw_log_level level)
{
	threshold = level;
}

bool gw_log_enabled(enum gw_log_level level)
{
	return level <= atomic_load_explicit(&threshold, memory_order_relaxed);
}

static void write_line(enum gw_log_level level, const char *topic, const char *id, const char *text)
{
	char line[LINE_BYTES + 128];
	char time[32] = "";
	if (isatty(STDERR_FILENO)) {
		gw_wall_format(gw_wall_ms(), time, sizeof(time) - 1);
		time[strlen(time)] = ' ';
	}
	int n = snprintf(line, sizeof(line), "%s%s %s%s%s: %s\n", time, level_name[level], topic,
			 id ? " " : "", id ? id : "", text);
	size_t len = n < 0 ? 0 : (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1;
	/* One write a line keeps lines of threads whole. There is nobody to tell when standard error is gone. */
	ssize_t written = write(STDERR_FILENO, line, len);
	(void)written;
}

static void report_dropped(struct rate *r)
{
	char text[80];
	if (r->dropped > 0) {
		(void)snprintf(text, sizeof(text), "%u more of these in the last minute",
			       r->dropped);
		write_line(GW_LOG_WARNING, r->topic, r->id, text);
		r->dropped = 0;
	}
}

/* Windows that are over and dropped something get their line, also when their id stays silent from now on. */
static void report_overdue(int64_t now)
{
	if (rates.next_report_ms == 0 || now < rates.next_report_ms) {
		return;
	}
	rates.next_report_ms = 0;
	for (size_t i = 0; i < rates.count; i++) {
		struct rate *r = &rates.row[i];
		if (r->dropped == 0) {
			continue;
		}
		if (now - r->since_ms >= WINDOW_MS) {
			report_dropped(r);
		} else if (rates.next_report_ms == 0 ||
			   r->since_ms + WINDOW_MS < rates.next_report_ms) {
			rates.next_report_ms = r->since_ms + WINDOW_MS;
		}
	}
}

static struct rate *rate_of(const char *topic, const char *id)
{
	for (size_t i = 0; i < rates.count; i++) {
		if (rates.row[i].id == id || strcmp(rates.row[i].id, id) == 0) {
			return &rates.row[i];
		}
	}
	if (rates.count == IDS) {
		return &rates.row[IDS - 1];
	}
	struct rate *r = &rates.row[rates.count++];
	*r = (struct rate){.topic = topic, .id = id, .since_ms = gw_clock_ms()};
	return r;
}

static bool within_rate(const char *topic, const char *id, int64_t now)
{
	struct rate *r = rate_of(topic, id);
	if (now - r->since_ms >= WINDOW_MS) {
		r->since_ms = now;
		r->written = 0;
	}
	if (r->written < PER_WINDOW) {
		r->written++;
		return true;
	}
	r->dropped++;
	if (rates.next_report_ms == 0) {
		rates.next_report_ms = r->since_ms + WINDOW_MS;
	}
	return false;
}

void gw_log(enum gw_log_level level, const char *topic, const char *id, const char *fmt, ...)
{
	if (!gw_log_enabled(level)) {
		return;
	}
	char raw[LINE_BYTES], text[LINE_BYTES];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(raw, sizeof(raw), fmt, ap); /* a cut line is good enough */
	va_end(ap);
	(void)gw_str_clean(gw_str(raw), sizeof(text), text, sizeof(text));
	int64_t now = gw_clock_ms();
	(void)pthread_mutex_lock(&rates.lock); /* a plain mutex: cannot fail */
	report_overdue(now);
	if (!id || within_rate(topic, id, now)) {
		write_line(level, topic, id, text);
	}
	(void)pthread_mutex_unlock(&rates.lock);
}
