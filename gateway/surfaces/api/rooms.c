/* Rooms. */
#include <string.h>

#include "surfaces/api/call.h"

static void write_room(struct gw_buf *b, const struct gw_room_info *i)
{
	gw_out_open(b, NULL, '{');
	gw_out_text(b, "id", i->id);
	gw_out_text(b, "name", i->name);
	gw_out_close(b, '}');
}

enum gw_status gw_api_rooms(struct gw_api_call *c)
{
	struct gw_room_info info;
	gw_out_open(&c->out, NULL, '{');
	gw_out_open(&c->out, "rooms", '[');
	for (size_t i = 0; gw_room_at(c->api->gateway, i, &info); i++) {
		write_room(&c->out, &info);
	}
	gw_out_close(&c->out, ']');
	gw_out_close(&c->out, '}');
	return GW_STATUS_DONE;
}

/* The answer is what is stored now: the name may have been cleaned. */
static enum gw_status answer_room(struct gw_api_call *c, const char *id)
{
	struct gw_room_info info;
	for (size_t i = 0; gw_room_at(c->api->gateway, i, &info); i++) {
		if (strcmp(info.id, id) == 0) {
			write_room(&c->out, &info);
			return GW_STATUS_DONE;
		}
	}
	return GW_STATUS_NOT_FOUND;
}

enum gw_status gw_api_room_add(struct gw_api_call *c)
{
	char id[GW_ID_BYTES] = "";
	enum gw_status s = gw_room_add(c->api->gateway, &c->principal,
				       gw_node_text(c->body, "name"), id, sizeof(id));
	return s == GW_STATUS_DONE ? answer_room(c, id) : s;
}

enum gw_status gw_api_room_change(struct gw_api_call *c)
{
	char id[GW_ID_BYTES];
	enum gw_status s = gw_api_param_id(c, 0, id);
	if (s == GW_STATUS_DONE) {
		s = gw_room_rename(c->api->gateway, &c->principal, id,
				   gw_node_text(c->body, "name"));
	}
	return s == GW_STATUS_DONE ? answer_room(c, id) : s;
}

enum gw_status gw_api_room_remove(struct gw_api_call *c)
{
	char id[GW_ID_BYTES];
	enum gw_status s = gw_api_param_id(c, 0, id);
	return s == GW_STATUS_DONE ? gw_room_remove(c->api->gateway, &c->principal, id) : s;
}
