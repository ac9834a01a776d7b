/*
 * Events on their way to clients. One listener on the bus for all streams of a surface; each event is written as JSON once, and copied
 * into the queue of every stream whose principal may see it. The check is made when the event happens and the queue is dropped when
 * the right ends, so nothing is delivered to somebody who lost it (R9, R10).
 *
 * A queue holds records of a head and the text, at most GW_WS_QUEUE_BYTES. One that overflows is emptied and the client told to
 * read the state anew: {"type":"resync"}; what happens after that follows as usual.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gw/alloc.h"
#include "surfaces/api/call.h"

#define RECHECK_MS   1000
#define EVENT_BYTES  (128 * 1024) /* a text value within GW_BODY_BYTES, escaped */
#define KEPT_BYTES   (16 * 1024)  /* an empty queue keeps no more memory than this */
#define DEVICE_BYTES 1024

struct gw_api_stream {
	struct gw_list link; /* of gw_api.streams */
	struct gw_api *api;
	struct gw_principal principal;
	char devices[DEVICE_BYTES]; /* only these, separated by spaces; empty: all */
	struct gw_buf queue;
	size_t head; /* bytes of the queue that were taken */
	bool resync; /* something was lost */
	bool ended, checked, woken;
	void (*wake)(void *ctx);
	void *ctx;
};

struct record {
	uint32_t len;
	uint64_t seq;
};

/* --- queue --- */

static void queue_drop(struct gw_api_stream *s)
{
	if (s->queue.size > KEPT_BYTES) {
		gw_buf_fini(&s->queue);
	}
	gw_buf_reset(&s->queue);
	s->head = 0;
}

/* Moves what is left to the front when the taken part is the larger one: each byte is moved at most once for each time it is queued. */
static void queue_compact(struct gw_api_stream *s)
{
	if (s->head && s->head >= s->queue.len - s->head) {
		size_t left = s->queue.len - s->head;
		memmove(s->queue.p, s->queue.p + s->head, left);
		gw_buf_truncate(&s->queue, left);
		s->head = 0;
	}
}

/* What is queued goes too: after the resync the client reads newer state, which older events must not overwrite. */
static void queue_lose(struct gw_api_stream *s)
{
	queue_drop(s);
	s->resync = true;
}

static void queue_add(struct gw_api_stream *s, uint64_t seq, const struct gw_buf *text)
{
	struct record r = {(uint32_t)text->len, seq};
	queue_compact(s);
	if (gw_buf_error(text) ||
	    s->queue.len - s->head + sizeof(r) + text->len > GW_WS_QUEUE_BYTES) {
		queue_lose(s);
		return;
	}
	gw_buf_add(&s->queue, &r, sizeof(r));
	gw_buf_add(&s->queue, text->p, text->len);
	if (gw_buf_error(&s->queue)) {
		queue_lose(s);
	}
}

/* --- events as JSON --- */

static const char *const type_names[] = {
	[GW_EVENT_PROPERTY] = "property",
	[GW_EVENT_HAPPENED] = "happened",
	[GW_EVENT_DEVICE_ADDED] = "device-added",
	[GW_EVENT_DEVICE_CHANGED] = "device-changed",
	[GW_EVENT_DEVICE_REMOVED] = "device-removed",
	[GW_EVENT_CANDIDATE] = "candidate",
	[GW_EVENT_COMMAND] = "command",
	[GW_EVENT_HOME] = "home",
};

static void write_event(struct gw_api *a, const struct gw_event *e)
{
	struct gw_buf *b = &a->text;
	gw_buf_reset(b);
	gw_out_open(b, NULL, '{');
	gw_out_text(b, "type", type_names[e->type]);
	gw_out_id(b, "epoch", gw_bus_epoch(a->gateway));
	gw_out_u64(b, "seq", e->seq);
	gw_out_time(b, "time", e->time_wall_ms);
	if (e->device_id && e->device_id[0]) {
		gw_out_text(b, "device", e->device_id);
	}
	if (e->cap && (e->type == GW_EVENT_PROPERTY || e->type == GW_EVENT_HAPPENED)) {
		gw_out_text(b, "component", e->cap->component);
		gw_out_text(b, "capability", e->cap->id);
		gw_out_text(b, "address", e->cap->address);
		gw_out_value(b, "value", &e->value, e->cap->domain.res);
		if (e->cap->unit && e->cap->unit[0]) {
			gw_out_text(b, "unit", e->cap->unit);
		}
		gw_out_text(b, "quality", gw_quality_name(e->quality));
	}
	if (e->cause) {
		gw_out_id(b, "cause", e->cause);
	}
	if (e->type == GW_EVENT_COMMAND) {
		gw_out_id(b, "command", e->command_id);
		gw_out_text(b, "status", gw_status_row(e->status)->name);
		gw_out_text(b, "reason", e->reason ? e->reason : "");
	}
	gw_out_close(b, '}');
}

static void write_point(struct gw_api *a, struct gw_buf *b, const char *type, uint64_t seq)
{
	gw_out_open(b, NULL, '{');
	gw_out_text(b, "type", type);
	gw_out_id(b, "epoch", gw_bus_epoch(a->gateway));
	gw_out_u64(b, "seq", seq);
	gw_out_close(b, '}');
}

/* --- who gets what --- */

static bool may_see(struct gw_api_stream *s, const struct gw_event *e)
{
	struct gw_gateway *g = s->api->gateway;
	const struct gw_principal *p = &s->principal;
	bool about_device = e->device_id && e->device_id[0];
	if (s->devices[0] && (!about_device || !gw_api_word_in(s->devices, gw_str(e->device_id)))) {
		return false;
	}
	if (e->type == GW_EVENT_CANDIDATE) {
		return gw_access_decide(g, p, GW_DO_ADOPT, NULL) == GW_STATUS_DONE;
	}
	if (about_device && !e->device) {
		return gw_api_sees(g, p, NULL, NULL) && gw_api_listed(p, e->device_id);
	}
	bool value = e->type == GW_EVENT_PROPERTY || e->type == GW_EVENT_HAPPENED;
	return gw_api_sees(g, p, e->device, value ? e->cap : NULL);
}

static void stream_end(struct gw_api_stream *s)
{
	s->ended = true;
	s->woken = true;
	queue_drop(s);
}

static void stream_check(struct gw_api_stream *s)
{
	if (!s->ended && !gw_principal_valid(s->api->gateway, &s->principal)) {
		stream_end(s);
	}
	s->checked = true;
}

/* wake may close its stream, and only that. */
static void wake_all(struct gw_api *a)
{
	gw_list_for_safe(pos, &a->streams)
	{
		struct gw_api_stream *s = gw_container(pos, struct gw_api_stream, link);
		bool woken = s->woken;
		s->woken = false;
		s->checked = false;
		if (woken && s->wake) {
			s->wake(s->ctx);
		}
	}
}

static void on_event(struct gw_listener *l, const struct gw_event *e)
{
	struct gw_api *a = gw_container(l, struct gw_api, listener);
	bool written = false;
	gw_list_for(pos, &a->streams)
	{
		struct gw_api_stream *s = gw_container(pos, struct gw_api_stream, link);
		if (!s->checked || e->type == GW_EVENT_HOME) {
			stream_check(s);
		}
		if (s->ended || !may_see(s, e)) {
			continue;
		}
		if (!written) {
			write_event(a, e);
			written = true;
		}
		queue_add(s, e->seq, &a->text);
		s->woken = true;
	}
}

static void on_flush(struct gw_listener *l)
{
	wake_all(gw_container(l, struct gw_api, listener));
}

static void on_recheck(void *ctx)
{
	struct gw_api *a = ctx;
	gw_list_for(pos, &a->streams)
	{
		stream_check(gw_container(pos, struct gw_api_stream, link));
	}
	wake_all(a);
}

/* --- the surface's side --- */

void gw_api_streams_init(struct gw_api *a)
{
	gw_list_init(&a->streams);
	gw_list_init(&a->listener.link);
	a->listener.event = on_event;
	a->listener.flush = on_flush;
	gw_buf_init(&a->text, EVENT_BYTES);
}

static void unlisten(struct gw_api *a)
{
	if (a->listening) {
		gw_bus_unlisten(&a->listener);
		a->listening = false;
	}
	gw_timer_free(a->recheck);
	a->recheck = NULL;
}

void gw_api_streams_fini(struct gw_api *a)
{
	unlisten(a);
	gw_buf_fini(&a->text);
}

static int listen_if_first(struct gw_api *a)
{
	if (a->listening) {
		return 0;
	}
	a->recheck = gw_timer_new(gw_gateway_loop(a->gateway), on_recheck, a);
	if (!a->recheck) {
		return -ENOMEM;
	}
	gw_timer_start(a->recheck, RECHECK_MS, RECHECK_MS);
	gw_bus_listen(a->gateway, &a->listener);
	a->listening = true;
	return 0;
}

static void on_replay(void *ctx, const struct gw_event *e)
{
	struct gw_api_stream *s = ctx;
	if (may_see(s, e)) {
		write_event(s->api, e);
		queue_add(s, e->seq, &s->api->text);
	}
}

/* "epoch:seq". Of an earlier life, or too long ago: a resync. */
static int resume(struct gw_api_stream *s, struct gw_str after)
{
	struct gw_gateway *g = s->api->gateway;
	struct gw_str rest = after, epoch;
	uint64_t e = 0, seq = 0;
	if (!gw_str_split(&rest, ':', &epoch) || gw_parse_hex(epoch, &e) || !rest.p ||
	    gw_parse_u64(rest, &seq)) {
		return -EINVAL;
	}
	if (e != gw_bus_epoch(g) || seq > gw_bus_seq(g)) {
		s->resync = true;
		return 0;
	}
	int r = gw_bus_replay(g, seq, on_replay, s);
	if (r == -ESTALE) {
		queue_lose(s);
		r = 0;
	}
	return r;
}

static int fill(struct gw_api_stream *s, struct gw_str after)
{
	struct gw_api *a = s->api;
	uint64_t seq = gw_bus_seq(a->gateway);
	gw_buf_reset(&a->text);
	write_point(a, &a->text, "hello", seq);
	/* Resuming begins where the client stood, so that a break in between is resumed from there again. */
	int r = after.len ? resume(s, after) : 0;
	if (r == 0 && after.len == 0) {
		queue_add(s, seq, &a->text);
	}
	return r;
}

int gw_api_stream_open(struct gw_api_call *c, struct gw_str devices, struct gw_str after,
		       struct gw_api_stream **ret_stream)
{
	if (devices.len >= DEVICE_BYTES || (devices.len && !gw_str_is_utf8(devices))) {
		return -EINVAL;
	}
	struct gw_api_stream *s = gw_new(struct gw_api_stream);
	if (!s) {
		return -ENOMEM;
	}
	gw_list_init(&s->link);
	/* The cap is over twice the limit: taken bytes stay until they are the larger part. */
	gw_buf_init(&s->queue, 2 * GW_WS_QUEUE_BYTES + EVENT_BYTES);
	s->api = c->api;
	s->principal = c->principal;
	for (size_t i = 0; i < devices.len; i++) {
		s->devices[i] = devices.p[i] == ',' ? ' ' : devices.p[i];
	}
	int r = listen_if_first(c->api);
	r = r ? r : fill(s, after);
	if (r) {
		gw_api_stream_close(s);
		return r;
	}
	gw_list_append(&c->api->streams, &s->link);
	*ret_stream = s;
	return 0;
}

enum gw_status gw_api_events(struct gw_api_call *c)
{
	struct gw_str after = gw_api_query(c, "after");
	if (!after.p) {
		after = c->request->last_event;
	}
	int r = gw_api_stream_open(c, gw_api_query(c, "device"), after, &c->answer.stream);
	if (r == -EINVAL) {
		return gw_api_fail(c, GW_STATUS_INVALID, "after",
				   "expected epoch:seq as in an event's id");
	}
	return r ? GW_STATUS_FAILED : GW_STATUS_DONE;
}

/* --- the transport's side --- */

void gw_api_stream_attach(struct gw_api_stream *s, void (*wake)(void *ctx), void *ctx)
{
	s->wake = wake;
	s->ctx = ctx;
}

bool gw_api_stream_next(struct gw_api_stream *s, struct gw_str *ret_text, char *ret_id,
			size_t id_cap)
{
	uint64_t epoch = gw_bus_epoch(s->api->gateway), seq = gw_bus_seq(s->api->gateway);
	if (s->ended) {
		return false;
	}
	if (s->resync) {
		/* What was queued after the loss comes after it: the point to resume from lies before. */
		struct record r = {0, seq + 1};
		if (s->head < s->queue.len) {
			memcpy(&r, s->queue.p + s->head, sizeof(r));
		}
		s->resync = false;
		gw_buf_reset(&s->api->text);
		write_point(s->api, &s->api->text, "resync", r.seq - 1);
		*ret_text = gw_buf_str(&s->api->text);
		snprintf(ret_id, id_cap, "%" PRIx64 ":%" PRIu64, epoch, r.seq - 1);
		return true;
	}
	if (s->head == s->queue.len) {
		queue_drop(s);
		return false;
	}
	struct record r;
	memcpy(&r, s->queue.p + s->head, sizeof(r));
	*ret_text = (struct gw_str){s->queue.p + s->head + sizeof(r), r.len};
	s->head += sizeof(r) + r.len;
	snprintf(ret_id, id_cap, "%" PRIx64 ":%" PRIu64, epoch, r.seq);
	return true;
}

bool gw_api_stream_ended(const struct gw_api_stream *s)
{
	return s->ended;
}

void gw_api_stream_close(struct gw_api_stream *s)
{
	if (!s) {
		return;
	}
	struct gw_api *a = s->api;
	gw_list_remove(&s->link);
	gw_buf_fini(&s->queue);
	gw_free(s);
	if (gw_list_empty(&a->streams)) {
		unlisten(a);
	}
}
