/* The home at a glance: health, metrics, checks, and the journey of the last messages. */
#include <stdio.h>
#include <string.h>

#include "surfaces/api/call.h"

#define JOURNEY_DEFAULT 100

/* --- health --- */

struct counts {
	int64_t n[3];
};

static void count_check(void *ctx, const struct gw_check *check)
{
	struct counts *k = ctx;
	k->n[check->state]++;
}

enum gw_status gw_api_health(struct gw_api_call *c)
{
	struct gw_gateway *g = c->api->gateway;
	struct gw_buf *b = &c->out;
	struct counts k = {0};
	gw_checks_each(g, count_check, &k);
	bool failing = k.n[GW_CHECK_FAIL] > 0;
	gw_out_open(b, NULL, '{');
	gw_out_text(b, "status", failing ? "failing" : k.n[GW_CHECK_WARN] ? "degraded" : "ok");
	gw_out_text(b, "version", gw_gateway_version());
	gw_out_bool(b, "claimed", gw_home_claimed(g));
	gw_out_double(b, "ready_ms", (double)gw_ready_us(g) / 1000);
	gw_out_open(b, "checks", '{');
	gw_out_i64(b, "ok", k.n[GW_CHECK_OK]);
	gw_out_i64(b, "warn", k.n[GW_CHECK_WARN]);
	gw_out_i64(b, "fail", k.n[GW_CHECK_FAIL]);
	gw_out_close(b, '}');
	gw_out_close(b, '}');
	/* For monitors that look at the code only. */
	c->answer.http = failing ? 503 : 200;
	return GW_STATUS_DONE;
}

static void write_check(void *ctx, const struct gw_check *check)
{
	static const char *const states[] = {"ok", "warn", "fail"};
	struct gw_buf *b = ctx;
	gw_out_open(b, NULL, '{');
	gw_out_text(b, "id", check->id);
	gw_out_text(b, "state", states[check->state]);
	gw_out_text(b, "text", check->text);
	gw_out_text(b, "next_step", check->next_step);
	gw_out_close(b, '}');
}

enum gw_status gw_api_doctor(struct gw_api_call *c)
{
	gw_out_open(&c->out, NULL, '{');
	gw_out_open(&c->out, "checks", '[');
	gw_checks_each(c->api->gateway, write_check, &c->out);
	gw_out_close(&c->out, ']');
	gw_out_close(&c->out, '}');
	return GW_STATUS_DONE;
}

/* --- metrics: Prometheus text exposition format 0.0.4 --- */

struct metrics {
	struct gw_buf *out;
	char last[96]; /* HELP and TYPE stand once before all samples of a name */
};

static void write_label_value(struct gw_buf *b, const char *text)
{
	for (const char *p = text; *p; p++) {
		if (*p == '\\' || *p == '"') {
			gw_buf_putc(b, '\\');
		}
		if (*p == '\n') {
			gw_buf_puts(b, "\\n");
		} else {
			gw_buf_putc(b, *p);
		}
	}
}

static void write_metric(void *ctx, const struct gw_metric *m)
{
	struct metrics *x = ctx;
	struct gw_buf *b = x->out;
	if (strcmp(x->last, m->name) != 0) {
		gw_buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name,
			      m->type);
		snprintf(x->last, sizeof(x->last), "%s", m->name);
	}
	gw_buf_puts(b, m->name);
	if (m->label) {
		gw_buf_printf(b, "{%s=\"", m->label);
		write_label_value(b, m->label_value ? m->label_value : "");
		gw_buf_puts(b, "\"}");
	}
	gw_buf_printf(b, " %.17g\n", m->value);
}

enum gw_status gw_api_metrics(struct gw_api_call *c)
{
	struct metrics x = {.out = &c->out};
	gw_metrics_each(c->api->gateway, write_metric, &x);
	if (c->out.len == 0) {
		gw_buf_putc(&c->out, '\n');
	}
	return GW_STATUS_DONE;
}

/* --- the home --- */

static void write_adapters(struct gw_api_call *c)
{
	struct gw_buf *b = &c->out;
	struct gw_adapter_info info;
	gw_out_open(b, "adapters", '[');
	for (size_t i = 0; gw_adapter_at(c->api->gateway, i, &info); i++) {
		static const char *const links[] = {"down", "connecting", "up", "refused"};
		bool known = info.state >= 0 && (size_t)info.state < gw_countof(links);
		gw_out_open(b, NULL, '{');
		gw_out_text(b, "name", info.name);
		gw_out_text(b, "class", info.class_name);
		gw_out_text(b, "link", links[known ? info.state : 0]);
		gw_out_text(b, "reason", info.reason ? info.reason : "");
		gw_out_u64(b, "devices", info.devices);
		gw_out_close(b, '}');
	}
	gw_out_close(b, ']');
	gw_out_text(b, "broker", c->api->broker ? gw_broker_describe(c->api->broker) : NULL);
}

static size_t count_rooms(struct gw_gateway *g)
{
	struct gw_room_info room;
	size_t n = 0;
	while (gw_room_at(g, n, &room)) {
		n++;
	}
	return n;
}

static size_t count_candidates(struct gw_gateway *g)
{
	size_t waiting = 0;
	struct gw_candidate_info info;
	for (size_t i = 0; gw_candidate_at(g, i, &info); i++) {
		waiting += !info.adopted;
	}
	return waiting;
}

enum gw_status gw_api_home(struct gw_api_call *c)
{
	struct gw_gateway *g = c->api->gateway;
	struct gw_buf *b = &c->out;
	size_t devices = 0, online = 0;
	struct gw_device *d;
	for (size_t i = 0; (d = gw_device_at(g, i)); i++) {
		if (gw_api_may(c, GW_DO_SEE, d)) {
			struct gw_device_info info;
			gw_device_info(d, &info);
			devices++;
			online += info.online;
		}
	}
	gw_out_open(b, NULL, '{');
	gw_out_text(b, "id", gw_gateway_id(g));
	gw_out_text(b, "version", gw_gateway_version());
	gw_out_bool(b, "claimed", gw_home_claimed(g));
	gw_out_u64(b, "devices", devices);
	gw_out_u64(b, "online", online);
	gw_out_u64(b, "rooms", count_rooms(g));
	gw_out_double(b, "ready_ms", (double)gw_ready_us(g) / 1000);
	if (gw_api_may(c, GW_DO_ADOPT, NULL)) {
		gw_out_u64(b, "candidates", count_candidates(g));
	}
	if (gw_api_may(c, GW_DO_DIAGNOSE, NULL)) {
		write_adapters(c);
	}
	gw_api_note_seq(c);
	gw_out_close(b, '}');
	return GW_STATUS_DONE;
}

/* --- journey --- */

struct journey {
	struct gw_api_call *call;
	size_t left;
};

/* Whoever may not see presence gets no payload of a device that tells it. */
static bool may_see_payload(struct gw_api_call *c, const struct gw_device *d)
{
	if (!d || gw_api_may(c, GW_DO_SEE_PRESENCE, d)) {
		return true;
	}
	for (size_t i = 0; i < gw_device_property_count(d); i++) {
		if (gw_access_read_action(gw_device_property(d, i)->cap) != GW_DO_SEE) {
			return false;
		}
	}
	return true;
}

static void write_us(struct gw_buf *b, const char *key, int64_t us)
{
	if (us >= 0) {
		gw_out_i64(b, key, us);
	} else {
		gw_out_text(b, key, NULL);
	}
}

/* The payload as text; bytes that are none become U+FFFD (R32). */
static void write_raw(struct gw_buf *b, const struct gw_hop *h)
{
	struct gw_str raw = {h->raw, h->raw_len < sizeof(h->raw) ? h->raw_len : sizeof(h->raw)};
	if (gw_str_is_utf8(raw)) {
		gw_out_str(b, "raw", raw);
		return;
	}
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(sizeof(h->raw) * 3);
	for (size_t i = 0; i < raw.len; i++) {
		if ((unsigned char)raw.p[i] < 0x80) {
			gw_buf_putc(&text, raw.p[i]);
		} else {
			gw_buf_puts(&text, "\xef\xbf\xbd");
		}
	}
	gw_out_str(b, "raw", gw_buf_str(&text));
}

static void write_hop(struct gw_buf *b, const struct gw_hop *h, bool payload)
{
	static const char *const kinds[] = {"received", "command", "sent", "confirmed", "bad"};
	gw_out_open(b, NULL, '{');
	gw_out_id(b, "cause", h->cause);
	gw_out_text(b, "kind", kinds[h->kind]);
	gw_out_time(b, "time", h->time_wall_ms);
	gw_out_text(b, "device", h->device);
	gw_out_text(b, "channel", h->channel);
	gw_out_text(b, "message", h->msg);
	if (payload) {
		write_raw(b, h);
	} else {
		gw_out_text(b, "raw", "");
	}
	gw_out_u64(b, "length", h->body_len);
	gw_out_open(b, "rules", '[');
	struct gw_str rest = gw_str(payload ? h->rules : ""), line;
	while (gw_str_split(&rest, '\n', &line)) {
		if (line.len && gw_str_is_utf8(line)) {
			gw_out_str(b, NULL, line);
		}
	}
	gw_out_close(b, ']');
	gw_out_text(b, "who", h->who);
	gw_out_text(b, "origin", h->origin);
	write_us(b, "decode_us", h->decode_us);
	write_us(b, "state_us", h->state_us);
	write_us(b, "publish_us", h->publish_us);
	write_us(b, "total_us", h->total_us);
	gw_out_text(b, "status", gw_status_row(h->status)->name);
	gw_out_close(b, '}');
}

static bool each_hop(void *ctx, const struct gw_hop *h)
{
	struct journey *j = ctx;
	struct gw_api_call *c = j->call;
	const struct gw_device *d = gw_device_find(c->api->gateway, gw_str(h->device));
	bool seen = d ? gw_api_may(c, GW_DO_SEE, d) : gw_api_listed(&c->principal, h->device);
	if (seen) {
		write_hop(&c->out, h, may_see_payload(c, d));
		j->left--;
	}
	return j->left > 0;
}

enum gw_status gw_api_journey(struct gw_api_call *c)
{
	struct gw_str device = gw_api_query(c, "device"), limit = gw_api_query(c, "limit");
	uint64_t n = JOURNEY_DEFAULT;
	if (limit.p && (gw_parse_u64(limit, &n) || n == 0 || n > GW_JOURNEY_RING)) {
		return gw_api_fail(c, GW_STATUS_INVALID, "limit", "between 1 and %d",
				   GW_JOURNEY_RING);
	}
	char id[GW_ID_BYTES] = "";
	if (device.p) {
		if (device.len >= sizeof(id) || !gw_device_find(c->api->gateway, device)) {
			return gw_api_fail(c, GW_STATUS_NOT_FOUND, "device", "no such device");
		}
		memcpy(id, device.p, device.len);
	}
	struct journey j = {.call = c, .left = (size_t)n};
	gw_out_open(&c->out, NULL, '{');
	gw_out_open(&c->out, "hops", '[');
	gw_journey_each(c->api->gateway, id[0] ? id : NULL, each_hop, &j);
	gw_out_close(&c->out, ']');
	gw_out_close(&c->out, '}');
	return GW_STATUS_DONE;
}
