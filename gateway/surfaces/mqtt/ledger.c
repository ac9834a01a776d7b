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

#define LEDGER_BYTES  (32u << 20)
#define LEDGER_TOPICS (GW_DEVICES * 64u)
#define UNDER_WAY     16 /* below the 20 that libmosquitto sends without waiting */

struct entry {
	struct gw_list in_device;
	struct gw_list in_doubt; /* in doubtful, or in clearing */
	struct owner *owner;
	int message; /* that clears it */
	char topic[];
};

struct owner {
	struct gw_list entries;
	char id[GW_ID_BYTES];
};

struct mqtt_ledger {
	char path[1024];
	struct gw_map *topics;	/* topic → struct entry, owned */
	struct gw_map *devices; /* device id → struct owner, owned */
	struct gw_list doubtful;
	struct gw_list clearing; /* in the order of their messages */
	bool changed;
};

static struct owner *owner_of(struct mqtt_ledger *l, struct gw_str device)
{
	struct owner *o = gw_map_find(l->devices, device);
	if (o || device.len >= GW_ID_BYTES) {
		return o;
	}
	o = gw_new(struct owner);
	if (!o) {
		return NULL;
	}
	gw_list_init(&o->entries);
	memcpy(o->id, device.p, device.len);
	if (gw_map_put(l->devices, device, o) < 0) {
		gw_free(o);
		return NULL;
	}
	return o;
}

static struct entry *add(struct mqtt_ledger *l, struct gw_str device, struct gw_str topic)
{
	struct owner *o = owner_of(l, device);
	struct entry *e = o ? gw_alloc0(1, sizeof(*e) + topic.len + 1) : NULL;
	if (!e) {
		return NULL;
	}
	gw_list_init(&e->in_device);
	gw_list_init(&e->in_doubt);
	e->owner = o;
	memcpy(e->topic, topic.p, topic.len);
	if (gw_map_put(l->topics, topic, e) < 0) {
		gw_free(e);
		return NULL;
	}
	gw_list_append(&o->entries, &e->in_device);
	return e;
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
		if (!gw_str_split(&rest, ' ', &device) || device.len == 0 || !rest.p ||
		    !gw_topic_is_topic(rest) || gw_map_find(l->topics, rest)) {
			continue;
		}
		struct entry *e = add(l, device, rest);
		if (e) {
			gw_list_append(&l->doubtful, &e->in_doubt);
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
	gw_list_init(&l->doubtful);
	gw_list_init(&l->clearing);
	l->topics = gw_map_new_inside(LEDGER_TOPICS, offsetof(struct entry, topic));
	l->devices = gw_map_new_inside(GW_DEVICES * 2u, offsetof(struct owner, id));
	int n = snprintf(l->path, sizeof(l->path), "%s/mqtt-ledger", state_dir);
	if (!l->topics || !l->devices || n < 0 || (size_t)n >= sizeof(l->path)) {
		mqtt_ledger_close(l);
		return -ENOMEM;
	}
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
	gw_map_free(l->devices, gw_free);
	gw_free(l);
}

void mqtt_ledger_note(struct mqtt_ledger *l, struct gw_str device, struct gw_str topic)
{
	struct entry *e = gw_map_find(l->topics, topic);
	if (e) {
		gw_list_remove(&e->in_doubt);
	} else if (add(l, device, topic)) {
		l->changed = true;
	}
}

void mqtt_ledger_doubt(struct mqtt_ledger *l, struct gw_str device)
{
	struct owner *o = gw_map_find(l->devices, device);
	if (!o) {
		return;
	}
	gw_list_for(pos, &o->entries)
	{
		struct entry *e = gw_container(pos, struct entry, in_device);
		if (gw_list_empty(&e->in_doubt)) {
			gw_list_append(&l->doubtful, &e->in_doubt);
		}
	}
}

static void forget(struct mqtt_ledger *l, struct entry *e)
{
	struct owner *o = e->owner;
	gw_list_remove(&e->in_doubt);
	gw_list_remove(&e->in_device);
	gw_map_remove(l->topics, gw_str(e->topic));
	gw_free(e);
	if (gw_list_empty(&o->entries)) {
		gw_map_remove(l->devices, gw_str(o->id));
		gw_free(o);
	}
	l->changed = true;
}

bool mqtt_ledger_sweep(struct mqtt_ledger *l, int (*fn)(void *ctx, struct gw_str topic), void *ctx)
{
	size_t n = 0;
	gw_list_for(pos, &l->clearing)
	{
		n++;
	}
	while (n < UNDER_WAY && !gw_list_empty(&l->doubtful)) {
		struct entry *e = gw_container(l->doubtful.next, struct entry, in_doubt);
		int message = fn(ctx, gw_str(e->topic));
		if (message < 0) {
			return false;
		}
		if (message == 0) {
			forget(l, e);
			continue;
		}
		e->message = message;
		gw_list_remove(&e->in_doubt);
		gw_list_append(&l->clearing, &e->in_doubt);
		n++;
	}
	return true;
}

bool mqtt_ledger_cleared(struct mqtt_ledger *l, int message)
{
	gw_list_for(pos, &l->clearing)
	{
		struct entry *e = gw_container(pos, struct entry, in_doubt);
		if (e->message == message) {
			forget(l, e);
			return true;
		}
	}
	return false;
}

void mqtt_ledger_interrupted(struct mqtt_ledger *l)
{
	while (!gw_list_empty(&l->clearing)) {
		struct gw_list *last = l->clearing.prev;
		gw_list_remove(last);
		gw_list_append(l->doubtful.next, last); /* before the first: the order stays */
	}
}

static int write_file(const struct mqtt_ledger *l, const char *temp)
{
	int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f) {
		int r = -errno;
		if (fd >= 0) {
			close(fd);
		}
		return r;
	}
	size_t pos = 0;
	struct gw_str id;
	void *owner;
	while (gw_map_next(l->devices, &pos, &id, &owner)) {
		const struct owner *o = owner;
		gw_list_for(p, &o->entries)
		{
			fprintf(f, "%s %s\n", o->id,
				gw_container(p, struct entry, in_device)->topic);
		}
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
		gw_log_warning(MQTT_LOG, "GW-MQTT-LEDGER", "cannot write %s: %s, ignoring", l->path,
			       strerror(-r));
	}
	l->changed = false;
}
