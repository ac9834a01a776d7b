/*
 * The ledger: one line "device topic" for each retained message that is ours, in <state_dir>/mqtt-ledger. It is only ever a list of what to clear, so a lost or
 * damaged line costs a stale topic and nothing else; lines that make no sense are passed over.
 */
#include "surfaces/mqtt/mqtt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gw/alloc.h"
#include "gw/log.h"
#include "gw/topic.h"

#define LEDGER_BYTES (8u << 20)

struct mqtt_ledger {
	char path[1024], folder[1000];
	struct gw_map *topics;	/* topic → device id, owned */
	struct gw_map *devices; /* device id → count of topics, as pointer-sized number */
	bool changed;
};

static int note(struct mqtt_ledger *l, struct gw_str device, struct gw_str topic)
{
	if (gw_map_find(l->topics, topic)) {
		return 0;
	}
	char *id = gw_strndup(device.p, device.len);
	int r = id ? gw_map_put(l->topics, topic, id) : -ENOMEM;
	if (r) {
		gw_free(id);
		return r;
	}
	uintptr_t count = (uintptr_t)gw_map_remove(l->devices, device);
	return gw_map_put(l->devices, device, (void *)(count + 1));
}

static void read_lines(struct mqtt_ledger *l, FILE *f)
{
	char *line = NULL;
	size_t size = 0;
	size_t total = 0;
	ssize_t n;
	while ((n = getline(&line, &size, f)) > 0 && (total += (size_t)n) < LEDGER_BYTES) {
		struct gw_str rest = gw_str_trim((struct gw_str){line, (size_t)n});
		struct gw_str device;
		if (gw_str_split(&rest, ' ', &device) && device.len > 0 &&
		    device.len < GW_ID_BYTES && rest.p && gw_topic_is_topic(rest)) {
			gw_ignore(note(l, device, rest)); /* out of memory: a stale topic stays */
		}
	}
	free(line);
}

int mqtt_ledger_open(const char *state_dir, struct mqtt_ledger **ret_ledger)
{
	struct mqtt_ledger *l = gw_new(struct mqtt_ledger);
	if (!l) {
		return -ENOMEM;
	}
	l->topics = gw_map_new(GW_DEVICES * 64u);
	l->devices = gw_map_new(GW_DEVICES * 2u);
	int n = snprintf(l->folder, sizeof(l->folder), "%s", state_dir);
	if (!l->topics || !l->devices || n < 0 || (size_t)n >= sizeof(l->folder)) {
		mqtt_ledger_close(l);
		return -ENOMEM;
	}
	(void)snprintf(l->path, sizeof(l->path), "%s/mqtt-ledger", l->folder);
	int fd = open(l->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	if (f) {
		read_lines(l, f);
		fclose(f);
	} else if (fd >= 0) {
		close(fd);
	}
	*ret_ledger = l;
	return 0;
}

void mqtt_ledger_close(struct mqtt_ledger *l)
{
	if (!l) {
		return;
	}
	if (l->topics && l->devices) {
		mqtt_ledger_flush(l);
	}
	gw_map_free(l->topics, gw_free);
	gw_map_free(l->devices, NULL);
	gw_free(l);
}

void mqtt_ledger_note(struct mqtt_ledger *l, struct gw_str device, struct gw_str topic)
{
	if (gw_map_find(l->topics, topic)) {
		return;
	}
	if (note(l, device, topic) == 0) {
		l->changed = true;
	}
}

void mqtt_ledger_forget(struct mqtt_ledger *l, struct gw_str device,
			void (*fn)(void *ctx, struct gw_str topic), void *ctx)
{
	size_t pos = 0;
	struct gw_str topic;
	void *id;
	while (gw_map_next(l->topics, &pos, &topic, &id)) {
		if (gw_str_is(device, id)) {
			fn(ctx, topic);
			gw_free(gw_map_remove(l->topics, topic));
		}
	}
	gw_map_remove(l->devices, device);
	l->changed = true;
}

void mqtt_ledger_each(const struct mqtt_ledger *l, void (*fn)(void *ctx, struct gw_str device),
		      void *ctx)
{
	size_t pos = 0;
	struct gw_str device;
	void *count;
	while (gw_map_next(l->devices, &pos, &device, &count)) {
		fn(ctx, device);
	}
}

static int write_file(const struct mqtt_ledger *l, const char *temp)
{
	int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f) {
		if (fd >= 0) {
			close(fd);
		}
		return -errno;
	}
	size_t pos = 0;
	struct gw_str topic;
	void *id;
	while (gw_map_next(l->topics, &pos, &topic, &id)) {
		fprintf(f, "%s " GW_STR_FMT "\n", (const char *)id, GW_STR_ARG(topic));
	}
	/* No fsync: losing the last lines costs a stale topic. */
	bool bad = fflush(f) != 0;
	return fclose(f) != 0 || bad ? -EIO : 0;
}

void mqtt_ledger_flush(struct mqtt_ledger *l)
{
	if (!l->changed) {
		return;
	}
	char temp[1040];
	(void)snprintf(temp, sizeof(temp), "%s.new", l->path);
	int r = write_file(l, temp);
	if (r == 0 && rename(temp, l->path) < 0) {
		r = -errno;
	}
	if (r) {
		gw_log_warning("mqtt-surface", "GW-MQTT-LEDGER", "cannot write %s: %s, ignoring",
			       l->path, strerror(-r));
	}
	l->changed = false;
}
