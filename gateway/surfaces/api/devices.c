/* Devices, their state and what they can do. Every property passes gw_api_sees: presence is not for everybody. */
#include <errno.h>
#include <string.h>

#include "gw/alloc.h"
#include "surfaces/api/call.h"

/* --- who sees what --- */

bool gw_api_sees(struct gw_gateway *g, const struct gw_principal *p, const struct gw_device *d,
		 const struct gw_cap_info *cap)
{
	enum gw_action action = cap ? gw_access_read_action(cap) : GW_DO_SEE;
	return gw_access_decide(g, p, action, d) == GW_STATUS_DONE;
}

bool gw_api_word_in(const char *words, struct gw_str word)
{
	struct gw_str rest = gw_str(words), w;
	while (gw_str_split(&rest, ' ', &w)) {
		if (w.len && gw_str_eq(w, word)) {
			return true;
		}
	}
	return false;
}

bool gw_api_listed(const struct gw_principal *p, const char *device_id)
{
	bool confined = p->role == GW_ROLE_GUEST || p->devices[0];
	return !confined || gw_api_word_in(p->devices, gw_str(device_id));
}

/* --- writing --- */

static void write_info(struct gw_api_call *c, const struct gw_device_info *i)
{
	GW_AUTO(gw_buf_fini) struct gw_buf problem = GW_BUF_INIT(4096);
	struct gw_buf *b = &c->out;
	gw_api_write_detail(&problem, i->problem, c->chinese);
	gw_out_text(b, "id", i->id);
	gw_out_text(b, "name", i->name);
	gw_out_text(b, "room", i->room);
	gw_out_text(b, "type", i->type);
	gw_out_text(b, "vendor", i->vendor);
	gw_out_text(b, "model", i->model);
	gw_out_text(b, "firmware", i->firmware);
	gw_out_text(b, "identity", i->identity);
	gw_out_text(b, "profile", i->profile);
	gw_out_text(b, "profile_version", i->profile_version);
	gw_out_text(b, "adapter", i->adapter);
	gw_out_bool(b, "online", i->online);
	gw_out_bool(b, "reachable", i->reachable);
	gw_out_bool(b, "weak_identity", i->weak_identity);
	gw_out_time(b, "last_seen", i->last_seen_wall_ms);
	gw_out_time(b, "adopted", i->adopted_wall_ms);
	gw_out_u64(b, "revision", i->revision);
	gw_out_u64(b, "bad_messages", i->bad_messages);
	gw_out_str(b, "problem", gw_buf_str(&problem));
}

static void write_reading(struct gw_buf *b, const struct gw_property *p)
{
	gw_out_value(b, "value", &p->value, p->cap->domain.res);
	gw_out_text(b, "quality", gw_quality_name(p->quality));
	gw_out_time(b, "time", p->time_wall_ms);
}

static bool is_reading(const struct gw_property *p)
{
	return p->cap->kind == GW_KIND_PROPERTY && p->cap->readable;
}

static void write_state(struct gw_api_call *c, const struct gw_device *d)
{
	struct gw_buf *b = &c->out;
	gw_out_open(b, "state", '{');
	for (size_t i = 0; i < gw_device_property_count(d); i++) {
		const struct gw_property *p = gw_device_property(d, i);
		if (!is_reading(p) || !gw_api_sees(c->api->gateway, &c->principal, d, p->cap)) {
			continue;
		}
		gw_out_open(b, p->cap->address, '{');
		write_reading(b, p);
		gw_out_close(b, '}');
	}
	gw_out_close(b, '}');
}

static void write_domain(struct gw_buf *b, const struct gw_domain *d)
{
	gw_out_text(b, "type", gw_type_name(d->type));
	if (d->has_min) {
		gw_out_count(b, "min", true, d->min, d->res);
	}
	if (d->has_max) {
		gw_out_count(b, "max", true, d->max, d->res);
	}
	if (d->step) {
		gw_out_count(b, "step", true, d->step, d->res);
	}
	if (d->n_symbols) {
		gw_out_open(b, "symbols", '[');
		for (size_t i = 0; i < d->n_symbols; i++) {
			gw_out_text(b, NULL, d->symbols[i]);
		}
		gw_out_close(b, ']');
	}
}

static const char *label(const struct gw_cap_info *cap, bool chinese)
{
	if (chinese && cap->model && cap->model->label_zh) {
		return cap->model->label_zh;
	}
	if (cap->label) {
		return cap->label;
	}
	return cap->model && cap->model->label_en ? cap->model->label_en : cap->id;
}

static void write_args(struct gw_buf *b, const struct gw_cap_info *cap)
{
	gw_out_open(b, "args", '[');
	for (size_t i = 0; i < cap->n_args; i++) {
		gw_out_open(b, NULL, '{');
		gw_out_text(b, "name", cap->args[i].name);
		write_domain(b, &cap->args[i].domain);
		gw_out_close(b, '}');
	}
	gw_out_close(b, ']');
}

/* The domain is the one in force: a mode may narrow it or forbid writing now. */
static void write_capability(struct gw_api_call *c, struct gw_device *d,
			     const struct gw_property *p)
{
	struct gw_buf *b = &c->out;
	const struct gw_cap_info *cap = p->cap;
	struct gw_domain domain = cap->domain;
	bool read_only = false;
	struct gw_binding *binding = gw_device_binding(d);
	if (binding && cap->limited) {
		gw_binding_limits(binding, p->index, &domain, &read_only);
	}
	gw_out_text(b, "address", cap->address);
	gw_out_text(b, "component", cap->component);
	gw_out_text(b, "capability", cap->id);
	static const char *const kinds[] = {"property", "action", "event"};
	gw_out_text(b, "kind", kinds[cap->kind]);
	gw_out_text(b, "unit", cap->unit ? cap->unit : "");
	write_domain(b, &domain);
	if (domain.type == GW_TYPE_INT || domain.type == GW_TYPE_NUM) {
		gw_out_count(b, "resolution", true, 1, domain.res);
	}
	gw_out_bool(b, "readable", cap->readable);
	gw_out_bool(b, "writable", cap->writable && !read_only);
	gw_out_bool(b, "invokable", cap->invokable);
	gw_out_bool(b, "critical", cap->access & GW_ACCESS_SECURITY);
	gw_out_bool(b, "admin", cap->access & GW_ACCESS_ADMIN);
	gw_out_text(b, "label", label(cap, c->chinese));
	if (cap->n_args) {
		write_args(b, cap);
	}
	if (is_reading(p)) {
		write_reading(b, p);
		gw_out_id(b, "cause", p->cause);
		gw_out_u64(b, "seq", p->seq);
	}
}

void gw_api_write_device(struct gw_api_call *c, struct gw_device *d)
{
	struct gw_buf *b = &c->out;
	struct gw_device_info info;
	gw_device_info(d, &info);
	gw_out_open(b, NULL, '{');
	write_info(c, &info);
	write_state(c, d);
	gw_out_open(b, "capabilities", '[');
	for (size_t i = 0; i < gw_device_property_count(d); i++) {
		const struct gw_property *p = gw_device_property(d, i);
		if (gw_api_sees(c->api->gateway, &c->principal, d, p->cap)) {
			gw_out_open(b, NULL, '{');
			write_capability(c, d, p);
			gw_out_close(b, '}');
		}
	}
	gw_out_close(b, ']');
	c->answer.etag = info.revision;
	gw_api_note_seq(c);
	gw_out_close(b, '}');
}

/* --- handlers --- */

enum gw_status gw_api_devices(struct gw_api_call *c)
{
	struct gw_gateway *g = c->api->gateway;
	struct gw_buf *b = &c->out;
	struct gw_str room = gw_api_query(c, "room"), type = gw_api_query(c, "type");
	gw_out_open(b, NULL, '{');
	gw_out_open(b, "devices", '[');
	struct gw_device *d;
	for (size_t i = 0; (d = gw_device_at(g, i)); i++) {
		struct gw_device_info info;
		gw_device_info(d, &info);
		if ((room.p && !gw_str_is(room, info.room)) ||
		    (type.p && !gw_str_is(type, info.type)) || !gw_api_may(c, GW_DO_SEE, d)) {
			continue;
		}
		gw_out_open(b, NULL, '{');
		write_info(c, &info);
		write_state(c, d);
		gw_out_close(b, '}');
	}
	gw_out_close(b, ']');
	gw_api_note_seq(c);
	gw_out_close(b, '}');
	return GW_STATUS_DONE;
}

enum gw_status gw_api_device(struct gw_api_call *c)
{
	gw_api_write_device(c, c->device);
	return GW_STATUS_DONE;
}

enum gw_status gw_api_device_state(struct gw_api_call *c)
{
	struct gw_device_info info;
	gw_device_info(c->device, &info);
	gw_out_open(&c->out, NULL, '{');
	gw_out_text(&c->out, "device", info.id);
	gw_out_bool(&c->out, "online", info.online);
	write_state(c, c->device);
	gw_api_note_seq(c);
	gw_out_close(&c->out, '}');
	return GW_STATUS_DONE;
}

/* "3", W/"3" or 3; '*' and absence match anything. */
static bool if_match_holds(struct gw_str want, uint64_t revision)
{
	struct gw_str s = gw_str_trim(want);
	if (s.len == 0 || gw_str_is(s, "*")) {
		return true;
	}
	if (gw_str_starts(s, "W/")) {
		s = gw_str_sub(s, 2, s.len);
	}
	if (s.len >= 2 && s.p[0] == '"' && s.p[s.len - 1] == '"') {
		s = gw_str_sub(s, 1, s.len - 2);
	}
	uint64_t have = 0;
	return gw_parse_u64(s, &have) == 0 && have == revision;
}

enum gw_status gw_api_device_change(struct gw_api_call *c)
{
	struct gw_gateway *g = c->api->gateway;
	struct gw_device_info info;
	gw_device_info(c->device, &info);
	if (!if_match_holds(c->request->if_match, info.revision)) {
		return gw_api_fail(c, GW_STATUS_CONFLICT, "If-Match",
				   "the device was changed meanwhile");
	}
	const char *name = gw_node_text(c->body, "name"), *room = gw_node_text(c->body, "room");
	enum gw_status s = GW_STATUS_DONE;
	/* The room first: it is the one that may not exist, and then nothing is changed. */
	if (room) {
		s = gw_device_set_room(g, &c->principal, c->device, room);
	}
	if (s == GW_STATUS_DONE && name) {
		s = gw_device_rename(g, &c->principal, c->device, name);
	}
	if (s == GW_STATUS_DONE) {
		gw_api_write_device(c, c->device);
	}
	return s;
}

enum gw_status gw_api_device_remove(struct gw_api_call *c)
{
	return gw_device_remove(c->api->gateway, &c->principal, c->device);
}

enum gw_status gw_api_property(struct gw_api_call *c)
{
	const struct gw_property *found = NULL;
	for (size_t i = 0; i < gw_device_property_count(c->device) && !found; i++) {
		const struct gw_property *p = gw_device_property(c->device, i);
		if (gw_str_is(c->param[1], p->cap->component) &&
		    gw_str_is(c->param[2], p->cap->id)) {
			found = p;
		}
	}
	if (!found || !gw_api_sees(c->api->gateway, &c->principal, c->device, found->cap)) {
		return gw_api_fail(c, GW_STATUS_NOT_FOUND, "capability", "no such property");
	}
	struct gw_device_info info;
	gw_device_info(c->device, &info);
	gw_out_open(&c->out, NULL, '{');
	gw_out_text(&c->out, "device", info.id);
	write_capability(c, c->device, found);
	if (!is_reading(found)) {
		gw_out_u64(&c->out, "seq", found->seq);
	}
	gw_out_id(&c->out, "epoch", gw_bus_epoch(c->api->gateway));
	gw_out_close(&c->out, '}');
	return GW_STATUS_DONE;
}
