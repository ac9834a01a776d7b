#include "home/arrange.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "home/bus.h"

enum gw_status gw_store_status(int r)
{
	switch (r) {
	case 0: return GW_STATUS_DONE;
	case -EROFS:
	case -ENOSPC:
	case -EIO: return GW_STATUS_READ_ONLY;
	default: return GW_STATUS_FAILED;
	}
}

bool gw_is_id(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return n > 0 && n < GW_ID_BYTES && s[n] == 0;
}

bool gw_clean_name(const char *name, char ret_name[GW_NAME_BYTES])
{
	struct gw_str text = gw_str_trim(gw_str(name));

	return gw_str_clean(text, GW_NAME_CHARS, ret_name, GW_NAME_BYTES) > 0;
}

/* Lower-case letters and digits of ASCII; runs of anything else between them become one hyphen. */
static size_t ascii_slug(const char *text, char *id, size_t cap)
{
	size_t n = 0;

	for (const char *p = text; *p && n + 1 < cap; p++) {
		char c = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_') {
			id[n++] = c;
		} else if (n > 0 && id[n - 1] != '-') {
			id[n++] = '-';
		}
	}
	while (n > 0 && id[n - 1] == '-') {
		n--;
	}
	id[n] = 0;
	return n;
}

void gw_slug(const char *text, const char *fallback, bool (*taken)(void *ctx, const char *id),
	     void *ctx, char ret_id[GW_ID_BYTES])
{
	char base[GW_ID_BYTES - 6]; /* room for "-4096" */
	bool own = ascii_slug(text, base, sizeof(base)) > 0;

	if (!own) {
		(void)snprintf(base, sizeof(base), "%s", fallback);
	}
	(void)snprintf(ret_id, GW_ID_BYTES, "%s%s", base, own ? "" : "-1");
	for (unsigned n = 2; taken(ctx, ret_id); n++) {
		(void)snprintf(ret_id, GW_ID_BYTES, "%s-%u", base, n);
	}
}

/* --- devices --- */

/* Stores the device as rec says, then counts the change. */
static enum gw_status put_device(struct gw_device *d, const struct gw_principal *p,
				 const char *what, const char *detail, const char *name,
				 const char *room)
{
	struct gw_device_record rec;
	char *text = NULL;
	const struct gw_audit_line audit = {
		.who = p->who, .via = p->via, .what = what, .object = d->id, .detail = detail};

	if (gw_registry_record(d, &rec, &text) < 0) {
		return GW_STATUS_FAILED;
	}
	rec.name = name;
	rec.room = room;
	rec.revision++;
	enum gw_status s = gw_store_status(gw_store_put_device(d->gateway->store, &rec, &audit));
	gw_free(text);
	if (s == GW_STATUS_DONE) {
		d->revision = rec.revision;
	}
	return s;
}

enum gw_status gw_device_rename(struct gw_gateway *g, const struct gw_principal *p,
				struct gw_device *d, const char *name)
{
	char clean[GW_NAME_BYTES];
	enum gw_status s = gw_access_decide(g, p, GW_DO_ARRANGE, d);

	if (s != GW_STATUS_DONE) {
		return s;
	}
	if (!gw_clean_name(name, clean)) {
		return GW_STATUS_INVALID;
	}
	char *copy = gw_strdup(clean);
	if (!copy) {
		return GW_STATUS_FAILED;
	}
	s = put_device(d, p, "device.rename", clean, clean, d->room);
	if (s != GW_STATUS_DONE) {
		gw_free(copy);
		return s;
	}
	gw_free(d->name);
	d->name = copy;
	gw_registry_changed(d);
	return s;
}

enum gw_status gw_device_set_room(struct gw_gateway *g, const struct gw_principal *p,
				  struct gw_device *d, const char *room)
{
	enum gw_status s = gw_access_decide(g, p, GW_DO_ARRANGE, d);

	if (s != GW_STATUS_DONE) {
		return s;
	}
	if (room[0] && !gw_room_known(g->registry, room)) {
		return GW_STATUS_NOT_FOUND;
	}
	char *copy = gw_strdup(room);
	if (!copy) {
		return GW_STATUS_FAILED;
	}
	s = put_device(d, p, "device.room", room, d->name, room);
	if (s != GW_STATUS_DONE) {
		gw_free(copy);
		return s;
	}
	gw_free(d->room);
	d->room = copy;
	gw_registry_changed(d);
	return s;
}

enum gw_status gw_device_remove(struct gw_gateway *g, const struct gw_principal *p,
				struct gw_device *d)
{
	enum gw_status s = gw_access_decide(g, p, GW_DO_ADOPT, d);

	if (s != GW_STATUS_DONE) {
		return s;
	}
	const struct gw_audit_line audit = {.who = p->who,
					    .via = p->via,
					    .what = "device.remove",
					    .object = d->id,
					    .detail = d->name};
	s = gw_store_status(gw_store_remove_device(g->store, d->id, &audit));
	if (s == GW_STATUS_DONE) {
		gw_registry_remove(d);
	}
	return s;
}

/* --- rooms --- */

static struct gw_room *find_room(const struct gw_registry *r, const char *id)
{
	for (size_t i = 0; i < r->n_rooms; i++) {
		if (strcmp(r->rooms[i].id, id) == 0) {
			return &r->rooms[i];
		}
	}
	return NULL;
}

bool gw_room_known(const struct gw_registry *r, const char *id)
{
	return find_room(r, id) != NULL;
}

static bool room_taken(void *ctx, const char *id)
{
	return find_room(ctx, id) != NULL;
}

static void home_changed(struct gw_gateway *g)
{
	const struct gw_emit e = {.type = GW_EVENT_HOME};

	(void)gw_bus_emit(g, &e);
}

int gw_room_insert(struct gw_registry *r, const char *id, const char *name)
{
	if (r->n_rooms == GW_ROOMS) {
		return -ENOSPC;
	}
	struct gw_room *rooms = gw_realloc(r->rooms, r->n_rooms + 1, sizeof(*rooms));
	if (!rooms) {
		return -ENOMEM;
	}
	r->rooms = rooms;
	struct gw_room room = {gw_strdup(id), gw_strdup(name)};
	if (!room.id || !room.name) {
		gw_free(room.id);
		gw_free(room.name);
		return -ENOMEM;
	}
	rooms[r->n_rooms++] = room;
	return 0;
}

static void take_room_out(struct gw_registry *r, struct gw_room *room)
{
	size_t i = (size_t)(room - r->rooms);

	gw_free(room->id);
	gw_free(room->name);
	r->n_rooms--;
	memmove(room, room + 1, (r->n_rooms - i) * sizeof(*room));
}

bool gw_room_at(struct gw_gateway *g, size_t index, struct gw_room_info *ret_info)
{
	if (index >= g->registry->n_rooms) {
		return false;
	}
	*ret_info =
		(struct gw_room_info){g->registry->rooms[index].id, g->registry->rooms[index].name};
	return true;
}

enum gw_status gw_room_add(struct gw_gateway *g, const struct gw_principal *p, const char *name,
			   char *ret_id, size_t cap)
{
	char clean[GW_NAME_BYTES], id[GW_ID_BYTES];
	enum gw_status s = gw_access_decide(g, p, GW_DO_ARRANGE, /* device= */ NULL);

	if (s != GW_STATUS_DONE) {
		return s;
	}
	if (!gw_clean_name(name, clean)) {
		return GW_STATUS_INVALID;
	}
	if (g->registry->n_rooms == GW_ROOMS) {
		return GW_STATUS_TOO_MANY;
	}
	gw_slug(clean, "room", room_taken, g->registry, id);
	/* First in memory, where it can fail for want of memory; then durable, or out again. */
	if (gw_room_insert(g->registry, id, clean) < 0) {
		return GW_STATUS_FAILED;
	}
	const struct gw_audit_line audit = {
		.who = p->who, .via = p->via, .what = "room.add", .object = id, .detail = clean};
	s = gw_store_status(gw_store_put_room(g->store, id, clean, &audit));
	if (s != GW_STATUS_DONE) {
		take_room_out(g->registry, find_room(g->registry, id));
		return s;
	}
	(void)snprintf(ret_id, cap, "%s", id);
	home_changed(g);
	return s;
}

enum gw_status gw_room_rename(struct gw_gateway *g, const struct gw_principal *p, const char *id,
			      const char *name)
{
	char clean[GW_NAME_BYTES];
	struct gw_room *room = find_room(g->registry, id);
	enum gw_status s = gw_access_decide(g, p, GW_DO_ARRANGE, /* device= */ NULL);

	if (s != GW_STATUS_DONE) {
		return s;
	}
	if (!room) {
		return GW_STATUS_NOT_FOUND;
	}
	char *copy = gw_clean_name(name, clean) ? gw_strdup(clean) : NULL;
	if (!copy) {
		return GW_STATUS_INVALID;
	}
	const struct gw_audit_line audit = {
		.who = p->who, .via = p->via, .what = "room.rename", .object = id, .detail = clean};
	s = gw_store_status(gw_store_put_room(g->store, id, clean, &audit));
	if (s != GW_STATUS_DONE) {
		gw_free(copy);
		return s;
	}
	gw_free(room->name);
	room->name = copy;
	home_changed(g);
	return s;
}

/* Its devices first: a crash in between leaves a room without devices, never devices in a room that is gone. */
static enum gw_status empty_room(struct gw_gateway *g, const struct gw_principal *p, const char *id)
{
	struct gw_registry *r = g->registry;

	for (size_t i = 0; i < r->n_devices; i++) {
		if (strcmp(r->devices[i]->room, id) == 0) {
			enum gw_status s = gw_device_set_room(g, p, r->devices[i], "");
			if (s != GW_STATUS_DONE) {
				return s;
			}
		}
	}
	return GW_STATUS_DONE;
}

enum gw_status gw_room_remove(struct gw_gateway *g, const struct gw_principal *p, const char *id)
{
	enum gw_status s = gw_access_decide(g, p, GW_DO_ARRANGE, /* device= */ NULL);

	if (s != GW_STATUS_DONE) {
		return s;
	}
	if (!find_room(g->registry, id)) {
		return GW_STATUS_NOT_FOUND;
	}
	s = empty_room(g, p, id);
	if (s != GW_STATUS_DONE) {
		return s;
	}
	const struct gw_audit_line audit = {
		.who = p->who, .via = p->via, .what = "room.remove", .object = id};
	s = gw_store_status(gw_store_remove_room(g->store, id, &audit));
	if (s == GW_STATUS_DONE) {
		take_room_out(g->registry, find_room(g->registry, id));
		home_changed(g);
	}
	return s;
}
