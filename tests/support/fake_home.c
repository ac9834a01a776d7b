#include "fake_home.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gw/adapter.h"
#include "gw/broker.h"
#include "gw/surface.h"

static const struct gw_arg_info on_for_args[] = {
	{"seconds", {.type = GW_TYPE_INT, .res = {1, 1}, .has_min = true, .min = 1}},
};
static const struct gw_cap_info caps[FAKE_CAPS] = {
	[FAKE_SWITCH] = {.address = "switch.on",
			 .component = "main",
			 .id = "switch.on",
			 .domain = {.type = GW_TYPE_BOOL, .res = {1, 1}},
			 .unit = "",
			 .readable = true,
			 .writable = true,
			 .access = GW_ACCESS_READ | GW_ACCESS_WRITE},
	[FAKE_LEVEL] = {.address = "light/level.value",
			.component = "light",
			.id = "level.value",
			.domain = {.type = GW_TYPE_NUM,
				   .res = {1, 10},
				   .has_min = true,
				   .has_max = true,
				   .max = 1000},
			.unit = "%",
			.readable = true,
			.writable = true,
			.access = GW_ACCESS_READ | GW_ACCESS_WRITE},
	[FAKE_LOCK] = {.address = "x.fake.lock",
		       .component = "main",
		       .id = "x.fake.lock",
		       .domain = {.type = GW_TYPE_BOOL, .res = {1, 1}},
		       .unit = "",
		       .readable = true,
		       .writable = true,
		       .access = GW_ACCESS_READ | GW_ACCESS_WRITE | GW_ACCESS_SECURITY},
	[FAKE_PRESENCE] = {.address = "occupancy.detected",
			   .component = "main",
			   .id = "occupancy.detected",
			   .domain = {.type = GW_TYPE_BOOL, .res = {1, 1}},
			   .unit = "",
			   .readable = true,
			   .access = GW_ACCESS_READ},
	[FAKE_TOGGLE] = {.address = "switch.on_for",
			 .component = "main",
			 .id = "switch.on_for",
			 .kind = GW_KIND_ACTION,
			 .domain = {.type = GW_TYPE_NONE, .res = {1, 1}},
			 .unit = "",
			 .invokable = true,
			 .args = (void *)(uintptr_t)on_for_args,
			 .n_args = 1,
			 .access = GW_ACCESS_INVOKE},
	[FAKE_BUTTON] = {.address = "fault.raised",
			 .component = "main",
			 .id = "fault.raised",
			 .kind = GW_KIND_EVENT,
			 .domain = {.type = GW_TYPE_NONE, .res = {1, 1}},
			 .unit = "",
			 .access = GW_ACCESS_EMIT},
};

static void device_init(struct gw_device *d, const char *id, const char *room)
{
	snprintf(d->d.id, sizeof(d->d.id), "%s", id);
	snprintf(d->d.name, sizeof(d->d.name), "%s", id);
	snprintf(d->d.room, sizeof(d->d.room), "%s", room);
	d->d.revision = 1;
	for (uint16_t i = 0; i < FAKE_CAPS; i++) {
		d->d.property[i] = (struct gw_property){
			.cap = &caps[i],
			.index = i,
			.quality = GW_QUALITY_OK,
			.time_wall_ms = 1700000000000,
			.value = {.type = caps[i].domain.type == GW_TYPE_NUM ? GW_VALUE_NUMBER
									     : GW_VALUE_BOOL},
		};
	}
	d->d.property[FAKE_LEVEL].value.count = 215;
}

void fake_home_init(struct gw_gateway *g, struct gw_loop *loop)
{
	memset(g, 0, sizeof(*g));
	g->loop = loop;
	g->claimed = g->valid = true;
	g->epoch = 0xabc123;
	g->seq = 7;
	g->outcome = GW_STATUS_DONE;
	gw_list_init(&g->listeners);
	device_init(&g->devices[0], "plug", "kitchen");
	device_init(&g->devices[1], "lamp", "");
	g->n_devices = 2;
	snprintf(g->rooms[0].id, sizeof(g->rooms[0].id), "kitchen");
	snprintf(g->rooms[0].name, sizeof(g->rooms[0].name), "厨房");
	g->n_rooms = 1;
}

void fake_home_fini(struct gw_gateway *g)
{
	for (size_t i = 0; i < g->n_commands; i++) {
		fake_home_outcome(g, i, GW_STATUS_EXPIRED);
	}
	fake_home_login_end(g);
}

struct gw_principal fake_principal(enum gw_role role, bool fresh)
{
	struct gw_principal p = {.role = role, .via = "test"};
	snprintf(p.who, sizeof(p.who), "%s", gw_role_name(role));
	p.fresh_until_ms = fresh ? INT64_MAX : 0;
	if (role == GW_ROLE_GUEST) {
		snprintf(p.devices, sizeof(p.devices), "lamp");
	}
	if (role == GW_ROLE_TOKEN) {
		p.scope = GW_SCOPE_SEE | GW_SCOPE_OPERATE;
	}
	return p;
}

/* --- the gateway --- */

struct gw_loop *gw_gateway_loop(struct gw_gateway *g)
{
	return g->loop;
}

const char *gw_gateway_version(void)
{
	return "0.1.0-fake";
}

const char *gw_gateway_id(struct gw_gateway *g)
{
	(void)g;
	return "0123456789abcdef";
}

int64_t gw_ready_us(struct gw_gateway *g)
{
	(void)g;
	return 12500;
}

/* --- devices --- */

size_t gw_device_count(struct gw_gateway *g)
{
	return g->n_devices;
}

struct gw_device *gw_device_at(struct gw_gateway *g, size_t index)
{
	return index < g->n_devices ? &g->devices[index] : NULL;
}

struct gw_device *gw_device_find(struct gw_gateway *g, struct gw_str id)
{
	for (size_t i = 0; i < g->n_devices; i++) {
		if (!g->devices[i].d.removed && gw_str_is(id, g->devices[i].d.id)) {
			return &g->devices[i];
		}
	}
	return NULL;
}

void gw_device_info(const struct gw_device *d, struct gw_device_info *ret_info)
{
	*ret_info = (struct gw_device_info){
		.id = d->d.id,
		.name = d->d.name,
		.room = d->d.room,
		.type = "light_on_off",
		.vendor = "Fake",
		.model = "One",
		.firmware = "1.0",
		.identity = "mac:001122334455",
		.profile = "fake.one",
		.profile_version = "1",
		.adapter = "mqtt",
		.online = true,
		.reachable = true,
		.last_seen_wall_ms = 1700000000000,
		.adopted_wall_ms = 1600000000000,
		.revision = d->d.revision,
		.problem = "",
	};
}

struct gw_binding *gw_device_binding(struct gw_device *d)
{
	(void)d;
	return NULL;
}

size_t gw_device_property_count(const struct gw_device *d)
{
	(void)d;
	return FAKE_CAPS;
}

const struct gw_property *gw_device_property(const struct gw_device *d, size_t index)
{
	return &d->d.property[index];
}

enum gw_status gw_device_rename(struct gw_gateway *g, const struct gw_principal *p,
				struct gw_device *d, const char *name)
{
	(void)p;
	g->calls++;
	snprintf(d->d.name, sizeof(d->d.name), "%s", name);
	d->d.revision++;
	return GW_STATUS_DONE;
}

enum gw_status gw_device_set_room(struct gw_gateway *g, const struct gw_principal *p,
				  struct gw_device *d, const char *room)
{
	(void)p;
	if (strcmp(room, "kitchen") != 0 && room[0]) {
		return GW_STATUS_NOT_FOUND;
	}
	g->calls++;
	snprintf(d->d.room, sizeof(d->d.room), "%s", room);
	d->d.revision++;
	return GW_STATUS_DONE;
}

enum gw_status gw_device_remove(struct gw_gateway *g, const struct gw_principal *p,
				struct gw_device *d)
{
	(void)p;
	g->calls++;
	d->d.removed = true;
	return GW_STATUS_DONE;
}

/* --- rooms --- */

bool gw_room_at(struct gw_gateway *g, size_t index, struct gw_room_info *ret_info)
{
	if (index >= g->n_rooms) {
		return false;
	}
	*ret_info = (struct gw_room_info){g->rooms[index].id, g->rooms[index].name};
	return true;
}

enum gw_status gw_room_add(struct gw_gateway *g, const struct gw_principal *p, const char *name,
			   char *ret_id, size_t cap)
{
	(void)p;
	g->calls++;
	if (g->n_rooms == gw_countof(g->rooms)) {
		return GW_STATUS_TOO_MANY;
	}
	size_t i = g->n_rooms++;
	snprintf(g->rooms[i].id, sizeof(g->rooms[i].id), "room%zu", i);
	snprintf(g->rooms[i].name, sizeof(g->rooms[i].name), "%s", name);
	snprintf(ret_id, cap, "room%zu", i);
	return GW_STATUS_DONE;
}

enum gw_status gw_room_rename(struct gw_gateway *g, const struct gw_principal *p, const char *id,
			      const char *name)
{
	(void)p;
	for (size_t i = 0; i < g->n_rooms; i++) {
		if (strcmp(g->rooms[i].id, id) == 0) {
			g->calls++;
			snprintf(g->rooms[i].name, sizeof(g->rooms[i].name), "%s", name);
			return GW_STATUS_DONE;
		}
	}
	return GW_STATUS_NOT_FOUND;
}

enum gw_status gw_room_remove(struct gw_gateway *g, const struct gw_principal *p, const char *id)
{
	(void)p;
	(void)id;
	g->calls++;
	return GW_STATUS_DONE;
}

/* --- candidates --- */

static const struct gw_var_info ask = {
	.name = "key", .label = "Local key", .ask = true, .secret = true};

bool gw_candidate_at(struct gw_gateway *g, size_t index, struct gw_candidate_info *ret_info)
{
	static const struct gw_var_info *const asks[] = {&ask, NULL};
	static const char *const ties[] = {"fake.one", "fake.two", NULL};
	(void)g;
	if (index) {
		return false;
	}
	*ret_info = (struct gw_candidate_info){
		.id = "c0ffee",
		.identity = "mac:aabbccddeeff",
		.name = "Plug",
		.vendor = "Fake",
		.model = "One",
		.type = "",
		.profile = "",
		.reason = "two profiles match",
		.adapter = "mqtt",
		.asks = asks,
		.ties = ties,
	};
	return true;
}

enum gw_status gw_candidate_adopt(struct gw_gateway *g, const struct gw_principal *p,
				  const struct gw_adoption *a, struct gw_device **ret_device,
				  struct gw_error *reterr_)
{
	(void)p;
	if (strcmp(a->candidate, "c0ffee") != 0) {
		return GW_STATUS_NOT_FOUND;
	}
	if (!a->vars || !gw_vars_get(a->vars, "key")) {
		(void)gw_error_set(reterr_, -EINVAL, "var", "key is missing");
		return GW_STATUS_INVALID;
	}
	g->calls++;
	g->adopted++;
	device_init(&g->devices[2], a->device ? a->device : "new", a->room ? a->room : "");
	g->n_devices = 3;
	*ret_device = &g->devices[2];
	return GW_STATUS_DONE;
}

enum gw_status gw_candidate_dismiss(struct gw_gateway *g, const struct gw_principal *p,
				    const char *id)
{
	(void)p;
	g->calls++;
	return strcmp(id, "c0ffee") == 0 ? GW_STATUS_DONE : GW_STATUS_NOT_FOUND;
}

enum gw_status gw_scan(struct gw_gateway *g, const struct gw_principal *p, uint32_t seconds)
{
	(void)p;
	g->calls++;
	g->scans = (int)seconds;
	return GW_STATUS_DONE;
}

/* --- bus --- */

void gw_bus_listen(struct gw_gateway *g, struct gw_listener *l)
{
	gw_list_append(&g->listeners, &l->link);
}

void gw_bus_unlisten(struct gw_listener *l)
{
	gw_list_remove(&l->link);
}

uint64_t gw_bus_seq(struct gw_gateway *g)
{
	return g->seq;
}

uint64_t gw_bus_epoch(struct gw_gateway *g)
{
	return g->epoch;
}

static void fill(struct gw_gateway *g, size_t slot, struct gw_event *e)
{
	struct gw_device *d = gw_device_find(g, gw_str(g->ring[slot].device));
	*e = (struct gw_event){
		.seq = g->ring[slot].seq,
		.type = g->ring[slot].type,
		.time_wall_ms = 1700000000000,
		.device_id = g->ring[slot].device,
		.device = d,
		.index = g->ring[slot].index,
		.cause = 0x2f,
		.status = GW_STATUS_DONE,
		.reason = "",
	};
	if (d && (e->type == GW_EVENT_PROPERTY || e->type == GW_EVENT_HAPPENED)) {
		e->cap = &caps[e->index];
		e->quality = GW_QUALITY_OK;
		e->value = d->d.property[e->index].value;
	}
}

int gw_bus_replay(struct gw_gateway *g, uint64_t after_seq,
		  void (*fn)(void *ctx, const struct gw_event *e), void *ctx)
{
	for (uint64_t seq = after_seq + 1; seq <= g->seq; seq++) {
		size_t slot = seq % gw_countof(g->ring);
		if (g->ring[slot].seq != seq) {
			return -ESTALE;
		}
		struct gw_event e;
		fill(g, slot, &e);
		fn(ctx, &e);
	}
	return 0;
}

void fake_home_event(struct gw_gateway *g, enum gw_event_type type, size_t device, uint16_t index)
{
	size_t slot = ++g->seq % gw_countof(g->ring);
	g->ring[slot].seq = g->seq;
	g->ring[slot].type = type;
	g->ring[slot].index = index;
	bool none = type == GW_EVENT_HOME || type == GW_EVENT_CANDIDATE;
	snprintf(g->ring[slot].device, sizeof(g->ring[slot].device), "%s",
		 none ? "" : g->devices[device].d.id);
	struct gw_event e;
	fill(g, slot, &e);
	gw_list_for_safe(pos, &g->listeners)
	{
		struct gw_listener *l = gw_container(pos, struct gw_listener, link);
		l->event(l, &e);
	}
}

void fake_home_flush(struct gw_gateway *g)
{
	gw_list_for_safe(pos, &g->listeners)
	{
		struct gw_listener *l = gw_container(pos, struct gw_listener, link);
		l->flush(l);
	}
}

void fake_home_change(struct gw_gateway *g, size_t device, size_t cap, bool on)
{
	g->devices[device].d.property[cap].value.flag = on;
	fake_home_event(g, GW_EVENT_PROPERTY, device, (uint16_t)cap);
	fake_home_flush(g);
}

/* --- commands --- */

void fake_home_outcome(struct gw_gateway *g, size_t command, enum gw_status s)
{
	struct fake_command *c = &g->commands[command];
	gw_command_done *done = c->done;
	struct gw_outcome o = {
		.command_id = 0x100 + command,
		.status = s,
		.reason = g->reason ? g->reason : "",
		.text = g->text ? g->text : "",
		.address = s == GW_STATUS_REFUSED ? "switch.on" : "",
		.elapsed_us = 1234,
	};
	c->done = NULL;
	if (done) {
		done(c->ctx, &o);
	}
}

static void describe(struct fake_command *c, const struct gw_command_request *r)
{
	struct gw_buf b = GW_BUF_INIT(sizeof(c->text) - 1);
	gw_buf_printf(&b, GW_STR_FMT ":", GW_STR_ARG(r->device));
	for (size_t i = 0; i < r->n_wanted; i++) {
		gw_buf_printf(&b, GW_STR_FMT "=", GW_STR_ARG(r->wanted[i].address));
		gw_node_write(&b, r->wanted[i].value, true);
		gw_buf_putc(&b, ';');
	}
	if (!r->n_wanted) {
		gw_buf_add_str(&b, r->action);
		gw_buf_putc(&b, '(');
		if (r->args) {
			gw_node_write(&b, r->args, true);
		}
		gw_buf_putc(&b, ')');
	}
	snprintf(c->text, sizeof(c->text), "%s", b.p ? b.p : "");
	gw_buf_fini(&b);
}

int gw_command_submit(struct gw_gateway *g, const struct gw_command_request *r,
		      gw_command_done *done, void *ctx, uint64_t *ret_id)
{
	size_t i = g->n_commands;
	if (i == gw_countof(g->commands)) {
		return -ENOMEM;
	}
	g->n_commands++;
	g->calls++;
	struct fake_command *c = &g->commands[i];
	c->done = done;
	c->ctx = ctx;
	c->principal = *r->principal;
	snprintf(c->key, sizeof(c->key), "%s", r->key ? r->key : "");
	describe(c, r);
	if (ret_id) {
		*ret_id = 0x100 + i;
	}
	if (!g->hold) {
		fake_home_outcome(g, i, g->outcome);
	}
	return 0;
}

/* --- journey, metrics, checks --- */

void gw_journey_each(struct gw_gateway *g, const char *device,
		     bool (*fn)(void *ctx, const struct gw_hop *h), void *ctx)
{
	(void)g;
	static const struct gw_hop hops[] = {
		{.cause = 0x2f,
		 .kind = GW_HOP_RECEIVED,
		 .time_wall_ms = 1700000000000,
		 .device = "plug",
		 .channel = "stat/plug/POWER",
		 .msg = "power",
		 .raw = "ON\xff",
		 .raw_len = 3,
		 .body_len = 3,
		 .rules = "switch.on <- POWER: true\nlevel.value: 21.5",
		 .decode_us = 12,
		 .state_us = 3,
		 .publish_us = -1,
		 .total_us = 20},
		{.cause = 0x30,
		 .kind = GW_HOP_SENT,
		 .device = "lamp",
		 .channel = "cmnd/lamp/POWER"},
	};
	for (size_t i = 0; i < gw_countof(hops); i++) {
		if ((!device || strcmp(device, hops[i].device) == 0) && !fn(ctx, &hops[i])) {
			return;
		}
	}
}

void gw_metrics_each(struct gw_gateway *g, void (*fn)(void *ctx, const struct gw_metric *m),
		     void *ctx)
{
	(void)g;
	static const struct gw_metric metrics[] = {
		{"hearth_devices", "Devices", "gauge", NULL, NULL, 2},
		{"hearth_messages_total", "Messages", "counter", "adapter", "mq\"tt", 10},
		{"hearth_messages_total", "Messages", "counter", "adapter", "coap", 5},
	};
	for (size_t i = 0; i < gw_countof(metrics); i++) {
		fn(ctx, &metrics[i]);
	}
}

void gw_checks_each(struct gw_gateway *g, void (*fn)(void *ctx, const struct gw_check *c),
		    void *ctx)
{
	(void)g;
	static const struct gw_check checks[] = {
		{"store", GW_CHECK_OK, "The store is open.", ""},
		{"broker", GW_CHECK_WARN, "No broker.", "Set broker: url."},
	};
	for (size_t i = 0; i < gw_countof(checks); i++) {
		fn(ctx, &checks[i]);
	}
}

bool gw_adapter_at(struct gw_gateway *g, size_t index, struct gw_adapter_info *ret_info)
{
	(void)g;
	*ret_info = (struct gw_adapter_info){"mqtt", "mqtt", NULL, GW_LINK_UP, 2};
	return index == 0;
}

const char *gw_broker_describe(const struct gw_broker *b)
{
	(void)b;
	return "mqtt://127.0.0.1:1883 (private)";
}

/* --- people --- */

bool gw_home_claimed(struct gw_gateway *g)
{
	return g->claimed;
}

const char *gw_claim_code(struct gw_gateway *g)
{
	return g->claimed ? NULL : "ABCD-EFGH";
}

int gw_claim_open(struct gw_gateway *g)
{
	if (g->claimed) {
		return -EEXIST;
	}
	g->calls++;
	return 0;
}

static int login(struct gw_gateway *g, bool good, const char *account, gw_login_done *done,
		 void *ctx)
{
	g->login_done = done;
	g->login_ctx = ctx;
	g->login_good = good;
	snprintf(g->login_account, sizeof(g->login_account), "%s", account);
	return 0;
}

int gw_claim(struct gw_gateway *g, const char *code, const char *account, const char *password,
	     gw_login_done *done, void *ctx)
{
	(void)password;
	g->calls++;
	return login(g, strcmp(code, "ABCD-EFGH") == 0, account, done, ctx);
}

int gw_login(struct gw_gateway *g, const char *source, const char *account, const char *password,
	     gw_login_done *done, void *ctx)
{
	snprintf(g->login_source, sizeof(g->login_source), "%s", source);
	return login(g, strcmp(password, "correct horse") == 0, account, done, ctx);
}

void fake_home_login_end(struct gw_gateway *g)
{
	gw_login_done *done = g->login_done;
	struct gw_principal p = fake_principal(GW_ROLE_OWNER, true);
	g->login_done = NULL;
	if (done) {
		done(g->login_ctx, g->login_good ? GW_STATUS_DONE : GW_STATUS_UNAUTHENTICATED,
		     g->login_good ? FAKE_TOKEN "owner" : NULL, g->login_good ? &p : NULL);
	}
}

void gw_logout(struct gw_gateway *g, const char *token)
{
	(void)token;
	g->logouts++;
}

enum gw_status gw_authenticate(struct gw_gateway *g, const char *token, const char *via,
			       struct gw_principal *ret_principal)
{
	size_t n = strlen(FAKE_TOKEN);
	enum gw_role role =
		strncmp(token, FAKE_TOKEN, n) == 0 ? gw_role_find(token + n) : GW_ROLE_NONE;
	if (!g->valid || role == GW_ROLE_NONE) {
		return GW_STATUS_UNAUTHENTICATED;
	}
	*ret_principal = fake_principal(role, true);
	ret_principal->via = via;
	return GW_STATUS_DONE;
}

bool gw_principal_valid(struct gw_gateway *g, const struct gw_principal *p)
{
	return g->valid && p->role != GW_ROLE_NONE;
}

bool gw_account_at(struct gw_gateway *g, size_t index, struct gw_account_info *ret_info)
{
	*ret_info = g->account;
	return index == 0 && g->has_account;
}

bool gw_token_at(struct gw_gateway *g, size_t index, struct gw_token_info *ret_info)
{
	*ret_info = g->token;
	return index == 0 && g->has_token;
}

int gw_account_put(struct gw_gateway *g, const struct gw_principal *by,
		   const struct gw_account_info *info, const char *password,
		   void (*done)(void *ctx, enum gw_status status), void *ctx)
{
	(void)by;
	(void)password;
	g->calls++;
	g->account = *info;
	g->has_account = true;
	done(ctx, GW_STATUS_DONE);
	return 0;
}

enum gw_status gw_account_remove(struct gw_gateway *g, const struct gw_principal *by,
				 const char *id)
{
	(void)by;
	(void)id;
	g->calls++;
	return GW_STATUS_CONFLICT;
}

enum gw_status gw_token_create(struct gw_gateway *g, const struct gw_principal *by,
			       const struct gw_token_info *info, char *ret_id, char *ret_secret,
			       size_t cap)
{
	(void)by;
	g->calls++;
	g->token = *info;
	g->has_token = true;
	snprintf(g->token.id, sizeof(g->token.id), "t1");
	snprintf(ret_id, GW_ID_BYTES, "t1");
	snprintf(ret_secret, cap, "secret-shown-once");
	return GW_STATUS_DONE;
}

enum gw_status gw_token_revoke(struct gw_gateway *g, const struct gw_principal *by, const char *id)
{
	(void)by;
	g->calls++;
	return strcmp(id, "t1") == 0 ? GW_STATUS_DONE : GW_STATUS_NOT_FOUND;
}

void gw_surface_stopped(struct gw_surface *s)
{
	s->gateway->stopped++;
	gw_loop_stop(s->gateway->loop);
}
