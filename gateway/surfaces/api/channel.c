#include "surfaces/api/channel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gw/alloc.h"
#include "surfaces/api/call.h"

#define ID_BYTES 72 /* as JSON */

GW_DEFINE_AUTO(struct gw_arena, gw_arena_free)

struct pending {
	struct gw_api_channel *channel;
	char id[ID_BYTES];	  /* JSON text; empty: free */
	struct gw_api_call *call; /* NULL while it is being started */
};

struct subscription {
	char id[ID_BYTES];	      /* empty: the transport's own, events go out bare */
	struct gw_api_stream *stream; /* NULL: free */
};

struct gw_api_channel {
	struct gw_api *api;
	struct gw_principal principal;
	bool local, ended;
	char source[64];
	const struct gw_api_channel_ops *ops;
	void *ctx;
	struct pending pending[GW_API_CHANNEL_CALLS];
	struct subscription subs[GW_API_CHANNEL_STREAMS];
};

struct gw_api_channel *gw_api_channel_new(struct gw_api *a, const struct gw_principal *principal,
					  bool local, const char *source,
					  const struct gw_api_channel_ops *ops, void *ctx)
{
	struct gw_api_channel *ch = gw_new(struct gw_api_channel);
	if (ch) {
		ch->api = a;
		ch->principal = *principal;
		ch->local = local;
		snprintf(ch->source, sizeof(ch->source), "%s", source);
		ch->ops = ops;
		ch->ctx = ctx;
	}
	return ch;
}

void gw_api_channel_free(struct gw_api_channel *ch)
{
	if (!ch) {
		return;
	}
	for (size_t i = 0; i < GW_API_CHANNEL_CALLS; i++) {
		if (ch->pending[i].call) {
			gw_api_cancel(ch->pending[i].call);
		}
	}
	for (size_t i = 0; i < GW_API_CHANNEL_STREAMS; i++) {
		gw_api_stream_close(ch->subs[i].stream);
	}
	gw_free(ch);
}

/* --- out --- */

static void send_reply(struct gw_api_channel *ch, const char *id, int http, struct gw_str body)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(GW_API_REPLY_BYTES + 256);
	gw_out_open(&b, NULL, '{');
	gw_out_key(&b, "id");
	gw_buf_puts(&b, id[0] ? id : "null");
	gw_out_i64(&b, "status", http);
	gw_out_key(&b, "body");
	gw_buf_add_str(&b, body);
	gw_out_close(&b, '}');
	if (!gw_buf_error(&b)) {
		ch->ops->send(ch->ctx, gw_buf_str(&b));
	}
	if (b.p) { /* a token may stand in it */
		explicit_bzero(b.p, b.len);
	}
}

static void send_error(struct gw_api_channel *ch, const char *id, enum gw_status s, bool chinese,
		       const char *detail)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(8192);
	gw_api_write_error(&b, s, chinese, detail, /* at= */ "");
	send_reply(ch, id, gw_status_row(s)->http, gw_buf_str(&b));
}

static void send_event(struct gw_api_channel *ch, const char *id, struct gw_str event)
{
	if (!id[0]) {
		ch->ops->send(ch->ctx, event);
		return;
	}
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(event.len + 256);
	gw_out_open(&b, NULL, '{');
	gw_out_key(&b, "id");
	gw_buf_puts(&b, id);
	gw_out_key(&b, "event");
	gw_buf_add_str(&b, event);
	gw_out_close(&b, '}');
	if (!gw_buf_error(&b)) {
		ch->ops->send(ch->ctx, gw_buf_str(&b));
	}
}

/* --- subscriptions --- */

static void on_wake(void *ctx)
{
	struct gw_api_channel *ch = ctx;
	ch->ops->wake(ch->ctx);
}

static int subscribe(struct gw_api_channel *ch, const char *id, struct gw_api_stream *s)
{
	for (size_t i = 0; i < GW_API_CHANNEL_STREAMS; i++) {
		struct subscription *sub = &ch->subs[i];
		if (!sub->stream) {
			sub->stream = s;
			snprintf(sub->id, sizeof(sub->id), "%s", id);
			gw_api_stream_attach(s, on_wake, ch);
			ch->ops->wake(ch->ctx); /* it may hold something already */
			return 0;
		}
	}
	gw_api_stream_close(s);
	return -EMFILE;
}

int gw_api_channel_adopt(struct gw_api_channel *ch, struct gw_api_stream *s)
{
	return subscribe(ch, "", s);
}

static void drop_ended(struct gw_api_channel *ch, struct subscription *sub)
{
	gw_api_stream_close(sub->stream);
	sub->stream = NULL;
	if (sub->id[0]) {
		send_error(ch, sub->id, GW_STATUS_UNAUTHENTICATED, /* chinese= */ false, NULL);
	} else {
		ch->ended = true;
	}
}

bool gw_api_channel_pump(struct gw_api_channel *ch)
{
	bool more = false;
	for (size_t i = 0; i < GW_API_CHANNEL_STREAMS; i++) {
		struct subscription *sub = &ch->subs[i];
		struct gw_str event;
		char resume[64];
		if (!sub->stream) {
			continue;
		}
		if (gw_api_stream_next(sub->stream, &event, resume, sizeof(resume))) {
			send_event(ch, sub->id, event);
			more = true;
		} else if (gw_api_stream_ended(sub->stream)) {
			drop_ended(ch, sub);
		}
	}
	return more;
}

bool gw_api_channel_ended(const struct gw_api_channel *ch)
{
	return ch->ended;
}

/* --- in --- */

static void on_reply(void *ctx, const struct gw_api_reply *r)
{
	struct pending *p = ctx;
	struct gw_api_channel *ch = p->channel;
	char id[ID_BYTES];
	memcpy(id, p->id, sizeof(id));
	p->id[0] = '\0';
	p->call = NULL;
	if (!r->stream) {
		send_reply(ch, id, r->http, gw_buf_str(r->body));
		return;
	}
	if (subscribe(ch, id, r->stream)) {
		send_error(ch, id, GW_STATUS_TOO_MANY, /* chinese= */ false,
			   "too many subscriptions");
	} else {
		send_reply(ch, id, r->http, GW_STR("{}"));
	}
}

static bool is_busy(const struct gw_api_channel *ch, const char *id)
{
	for (size_t i = 0; i < GW_API_CHANNEL_CALLS; i++) {
		if (strcmp(ch->pending[i].id, id) == 0) {
			return true;
		}
	}
	for (size_t i = 0; i < GW_API_CHANNEL_STREAMS; i++) {
		if (ch->subs[i].stream && strcmp(ch->subs[i].id, id) == 0) {
			return true;
		}
	}
	return false;
}

static void cancel(struct gw_api_channel *ch, const char *id)
{
	for (size_t i = 0; i < GW_API_CHANNEL_STREAMS; i++) {
		struct subscription *sub = &ch->subs[i];
		if (sub->stream && strcmp(sub->id, id) == 0) {
			gw_api_stream_close(sub->stream);
			sub->stream = NULL;
			send_reply(ch, id, 200, GW_STR("{}"));
			return;
		}
	}
	send_error(ch, id, GW_STATUS_NOT_FOUND, /* chinese= */ false, "no such subscription");
}

static int start(struct gw_api_channel *ch, const char *id, struct gw_api_request *r)
{
	struct pending *p = NULL;
	for (size_t i = 0; i < GW_API_CHANNEL_CALLS && !p; i++) {
		p = ch->pending[i].id[0] ? NULL : &ch->pending[i];
	}
	if (!p) {
		send_error(ch, id, GW_STATUS_TOO_MANY, r->chinese, "too many requests under way");
		return 0;
	}
	p->channel = ch;
	snprintf(p->id, sizeof(p->id), "%s", id);
	struct gw_api_call *call = NULL;
	if (gw_api_start(ch->api, r, on_reply, p, &call)) {
		p->id[0] = '\0';
		return -ENOMEM;
	}
	if (call) {
		p->call = call;
	}
	return 0;
}

/* A command in its short form: the message itself is the body, without what addresses it. */
static int start_command(struct gw_api_channel *ch, const char *id, struct gw_node *m,
			 struct gw_api_request *r)
{
	char path[128];
	const char *device = gw_node_text(m, "device");
	int n = snprintf(path, sizeof(path), "/api/v1/devices/%s/commands", device ? device : "");
	if (!device || strchr(device, '/') || n < 0 || (size_t)n >= sizeof(path)) {
		send_error(ch, id, GW_STATUS_NOT_FOUND, r->chinese, "no such device");
		return 0;
	}
	gw_node_remove(m, GW_STR("id"));
	gw_node_remove(m, GW_STR("device"));
	gw_node_remove(m, GW_STR("language"));
	gw_node_remove(m, GW_STR("key"));
	r->method = GW_STR("POST");
	r->path = gw_str(path);
	r->tree = m;
	return start(ch, id, r);
}

static int start_subscribe(struct gw_api_channel *ch, const char *id, const struct gw_node *wish,
			   struct gw_api_request *r)
{
	struct gw_api_param query[2];
	r->method = GW_STR("GET");
	r->path = GW_STR("/api/v1/events");
	r->query = query;
	gw_node_for(n, wish->type == GW_NODE_MAP ? wish : NULL)
	{
		if (r->n_query == gw_countof(query) || n->type != GW_NODE_TEXT) {
			send_error(ch, id, GW_STATUS_INVALID, r->chinese,
				   "subscribe takes device and after");
			return 0;
		}
		query[r->n_query++] = (struct gw_api_param){n->key, n->text};
	}
	return start(ch, id, r);
}

static int start_request(struct gw_api_channel *ch, const char *id, const struct gw_node *m,
			 struct gw_api_request *r)
{
	const char *method = gw_node_text(m, "method"), *path = gw_node_text(m, "path");
	struct gw_api_target target;
	if (!method || !path || gw_api_target_parse(gw_str(path), &target)) {
		send_error(ch, id, GW_STATUS_INVALID, r->chinese,
			   "expected a method and a path, percent-encoded");
		return 0;
	}
	r->method = gw_str(method);
	r->path = target.path;
	r->query = target.query;
	r->n_query = target.n_query;
	r->tree = gw_node_get(m, "body");
	return start(ch, id, r);
}

/* A number or a short text, as it will stand in the answers. */
static bool read_id(const struct gw_node *m, char *ret_id)
{
	const struct gw_node *n = gw_node_get(m, "id");
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(ID_BYTES);
	if (!n || (n->type != GW_NODE_NUMBER && n->type != GW_NODE_TEXT)) {
		return false;
	}
	gw_node_write(&b, n, /* source_order= */ true);
	if (gw_buf_error(&b) || b.len == 0 || b.len >= ID_BYTES) {
		return false;
	}
	memcpy(ret_id, b.p, b.len);
	ret_id[b.len] = '\0';
	return true;
}

static int dispatch(struct gw_api_channel *ch, const char *id, struct gw_node *m)
{
	const char *language = gw_node_text(m, "language"), *key = gw_node_text(m, "key");
	const struct gw_node *wish = gw_node_get(m, "subscribe"), *stop = gw_node_get(m, "cancel");
	struct gw_api_request r = {
		.principal = &ch->principal,
		.source = ch->source,
		.key = gw_str(key),
		.chinese = language && gw_api_wants_chinese(gw_str(language)),
		.local = ch->local,
	};
	if (stop && stop->type == GW_NODE_BOOL && stop->flag) {
		cancel(ch, id);
		return 0;
	}
	if (is_busy(ch, id)) {
		send_error(ch, id, GW_STATUS_CONFLICT, r.chinese, "this id is under way");
		return 0;
	}
	if (wish) {
		return start_subscribe(ch, id, wish, &r);
	}
	if (gw_node_get(m, "set") || gw_node_get(m, "action")) {
		return start_command(ch, id, m, &r);
	}
	return start_request(ch, id, m, &r);
}

int gw_api_channel_receive(struct gw_api_channel *ch, struct gw_str message)
{
	GW_AUTO(gw_arena_free_auto) struct gw_arena *arena = NULL;
	struct gw_node *m = NULL;
	struct gw_error error = {0};
	char id[ID_BYTES] = "";
	int r = gw_api_parse(message, &arena, &m, &error);
	if (r == -ENOMEM) {
		return r;
	}
	if (r || m->type != GW_NODE_MAP || !read_id(m, id)) {
		send_error(ch, "", GW_STATUS_INVALID, /* chinese= */ false,
			   error.text[0] ? error.text : "expected an object with an id");
		return 0;
	}
	return dispatch(ch, id, m);
}
