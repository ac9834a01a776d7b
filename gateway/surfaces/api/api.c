/* A call from request to reply: route, rights, body, handler, answer. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "surfaces/api/call.h"
#include "surfaces/api/schema.h"

GW_DEFINE_AUTO(struct gw_arena, gw_arena_free)

#define RETRY_AFTER_S 60 /* of TOO_MANY: login limits are counted by the minute */

struct gw_api *gw_api_new(struct gw_gateway *g, const struct gw_broker *broker, const char *origin)
{
	struct gw_api *a = gw_new(struct gw_api);
	if (a) {
		a->gateway = g;
		a->broker = broker;
		a->origin = origin;
		gw_list_init(&a->calls);
		gw_api_streams_init(a);
	}
	return a;
}

void gw_api_free(struct gw_api *a)
{
	if (!a) {
		return;
	}
	/* What the home still works on ends later, in gw_api_finish, and tells nobody. */
	gw_list_for_safe(pos, &a->calls)
	{
		struct gw_api_call *c = gw_container(pos, struct gw_api_call, link);
		gw_list_remove(&c->link);
		c->api = NULL;
		c->reply = NULL;
	}
	gw_api_streams_fini(a);
	gw_free(a);
}

struct gw_gateway *gw_api_gateway(const struct gw_api *a)
{
	return a->gateway;
}

/* --- what handlers use --- */

enum gw_status gw_api_fail(struct gw_api_call *c, enum gw_status s, const char *at, const char *fmt,
			   ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(c->error.text, sizeof(c->error.text), fmt, ap);
	va_end(ap);
	snprintf(c->error.at, sizeof(c->error.at), "%s", at);
	return s;
}

struct gw_str gw_api_query(const struct gw_api_call *c, const char *name)
{
	for (size_t i = 0; i < c->request->n_query; i++) {
		if (gw_str_is(c->request->query[i].name, name)) {
			return c->request->query[i].value;
		}
	}
	return (struct gw_str){0};
}

bool gw_api_may(const struct gw_api_call *c, enum gw_action action, const struct gw_device *d)
{
	return gw_access_decide(c->api->gateway, &c->principal, action, d) == GW_STATUS_DONE;
}

void gw_api_note_seq(struct gw_api_call *c)
{
	c->answer.has_seq = true;
	c->answer.seq = gw_bus_seq(c->api->gateway);
	c->answer.epoch = gw_bus_epoch(c->api->gateway);
	gw_out_id(&c->out, "epoch", c->answer.epoch);
	gw_out_u64(&c->out, "seq", c->answer.seq);
}

enum gw_status gw_api_expiry(struct gw_api_call *c, const char *key, int64_t *ret_wall_ms)
{
	const char *text = gw_node_text(c->body, key);
	int64_t ms = 0;
	if (text && gw_parse_duration_ms(gw_str(text), &ms)) {
		return gw_api_fail(c, GW_STATUS_INVALID, "/expires_in",
				   "expected a duration such as 8h or 30d");
	}
	*ret_wall_ms = ms > 0 ? gw_wall_ms() + ms : 0;
	return GW_STATUS_DONE;
}

static bool is_id(struct gw_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '-') {
			return false;
		}
	}
	return s.len > 0 && s.len < GW_ID_BYTES;
}

enum gw_status gw_api_param_id(struct gw_api_call *c, size_t index, char ret_id[GW_ID_BYTES])
{
	struct gw_str s = c->param[index];
	if (!is_id(s)) {
		return gw_api_fail(c, GW_STATUS_NOT_FOUND, "", "no such id");
	}
	memcpy(ret_id, s.p, s.len);
	ret_id[s.len] = '\0';
	return GW_STATUS_DONE;
}

enum gw_status gw_api_word_list(struct gw_api_call *c, const char *key, char *ret_words, size_t cap)
{
	size_t used = 0;
	gw_node_for(n, gw_node_get(c->body, key))
	{
		if (!is_id(n->text)) {
			return gw_api_fail(c, GW_STATUS_INVALID, key,
					   "an id consists of a-z, 0-9, _ and -");
		}
		if (used + n->text.len + 2 > cap) {
			return gw_api_fail(c, GW_STATUS_INVALID, key, "the list is too long");
		}
		if (used) {
			ret_words[used++] = ' ';
		}
		memcpy(ret_words + used, n->text.p, n->text.len);
		used += n->text.len;
	}
	ret_words[used] = '\0';
	return GW_STATUS_DONE;
}

/* --- answers --- */

/* "The device cannot do this." and a detail make one sentence. */
void gw_api_status_text(struct gw_buf *b, enum gw_status s, bool chinese, const char *detail)
{
	const struct gw_status_row *row = gw_status_row(s);
	struct gw_str text = gw_str(chinese ? row->text_zh : row->text_en);
	if (!detail || !detail[0] || strcmp(detail, row->text_en) == 0) {
		gw_buf_add_str(b, text);
		return;
	}
	const char *stop = chinese ? "。" : ".";
	if (gw_str_ends(text, stop)) {
		text.len -= strlen(stop);
	}
	gw_buf_add_str(b, text);
	gw_buf_puts(b, chinese ? "：" : ": ");
	gw_api_write_detail(b, detail, chinese);
}

void gw_api_write_error(struct gw_buf *b, enum gw_status s, bool chinese, const char *detail,
			const char *at)
{
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(4096);
	gw_api_status_text(&text, s, chinese, detail);
	gw_out_open(b, NULL, '{');
	gw_out_open(b, "error", '{');
	gw_out_text(b, "code", gw_status_row(s)->name);
	gw_out_str(b, "text", gw_buf_str(&text));
	gw_out_text(b, "at", at ? at : "");
	gw_out_close(b, '}');
	gw_out_close(b, '}');
}

static void call_free(struct gw_api_call *c)
{
	gw_list_remove(&c->link);
	gw_api_stream_close(c->answer.stream);
	explicit_bzero(c->session, sizeof(c->session));
	if (c->out.p) { /* a token may stand in it */
		explicit_bzero(c->out.p, c->out.len);
	}
	gw_buf_fini(&c->out);
	gw_free(c);
}

/* The status becomes code and body; a body that the handler wrote stands for DONE, and for commands always. */
static void answer(struct gw_api_call *c, enum gw_status s)
{
	unsigned flags = c->route ? c->route->flags : 0;
	struct gw_api_reply *r = &c->answer;
	if (gw_buf_error(&c->out)) {
		s = GW_STATUS_FAILED;
		r->stream = NULL;
		gw_buf_fini(&c->out);
	}
	if (!r->http) {
		r->http = gw_status_row(s)->http;
		if (s == GW_STATUS_DONE && flags & GW_API_CREATED) {
			r->http = 201;
		}
	}
	bool keep = s == GW_STATUS_DONE || flags & GW_API_COMMAND;
	if (!keep || (c->out.len == 0 && s != GW_STATUS_DONE)) {
		gw_buf_reset(&c->out);
		gw_api_write_error(&c->out, s, c->chinese, c->error.text, c->error.at);
	} else if (c->out.len == 0 && !r->stream) {
		gw_buf_puts(&c->out, "{}");
	}
	r->content_type = s == GW_STATUS_DONE && flags & GW_API_TEXT
				  ? "text/plain; version=0.0.4; charset=utf-8"
				  : "application/json";
	if (s == GW_STATUS_TOO_MANY) {
		r->retry_after_s = RETRY_AFTER_S;
	}
	r->body = &c->out;
	if (c->reply) {
		gw_api_reply_fn *reply = c->reply;
		c->reply = NULL;
		struct gw_api_stream *stream = r->stream;
		reply(c->ctx, r);
		if (stream) { /* the transport's now */
			r->stream = NULL;
		}
	}
	call_free(c);
}

void gw_api_finish(struct gw_api_call *c, enum gw_status s)
{
	if (c->in_handler) {
		c->finished = true;
		c->status = s;
		return;
	}
	answer(c, s);
}

void gw_api_cancel(struct gw_api_call *c)
{
	/* The home still holds c as its done's context: it stays on the list until that comes. */
	c->reply = NULL;
}

/* --- requests --- */

/* Existence is told only to those who may act on such things at all. */
static enum gw_status authorise(struct gw_api_call *c)
{
	struct gw_gateway *g = c->api->gateway;
	const char *brace = strstr(c->route->path, "{device}");
	if (brace) {
		c->device = gw_device_find(g, c->param[0]);
	}
	enum gw_status s = gw_access_decide(g, c->request->principal, c->route->action, c->device);
	if (s == GW_STATUS_DONE && brace && !c->device) {
		s = gw_api_fail(c, GW_STATUS_NOT_FOUND, "device", "no such device");
	}
	return s;
}

static bool is_query_known(const char *const *names, struct gw_str name)
{
	for (; names && *names; names++) {
		if (gw_str_is(name, *names)) {
			return true;
		}
	}
	return false;
}

static enum gw_status check_query(struct gw_api_call *c)
{
	for (size_t i = 0; i < c->request->n_query; i++) {
		if (!is_query_known(c->route->query, c->request->query[i].name)) {
			return gw_api_fail(c, GW_STATUS_INVALID, "",
					   "there is no such query parameter here");
		}
	}
	return GW_STATUS_DONE;
}

static const struct gw_node empty_body = {.type = GW_NODE_MAP};

static enum gw_status check_body(struct gw_api_call *c, struct gw_arena **arena,
				 struct gw_node **ret_body)
{
	const struct gw_api_request *r = c->request;
	struct gw_node *body = r->tree;
	if (!body && r->body.len) {
		int err = gw_api_parse(r->body, arena, &body, &c->error);
		if (err) {
			return err == -ENOMEM ? GW_STATUS_FAILED : GW_STATUS_INVALID;
		}
	}
	*ret_body = body;
	if (!c->route->takes) {
		if (body && (body->type != GW_NODE_MAP || body->count)) {
			return gw_api_fail(c, GW_STATUS_INVALID, "", "no body is expected here");
		}
		return GW_STATUS_DONE;
	}
	c->body = body ? body : &empty_body;
	const struct gw_api_schema *s = gw_api_schema_find(c->route->takes);
	return gw_api_schema_check(s, c->body, &c->error) ? GW_STATUS_INVALID : GW_STATUS_DONE;
}

/* Passwords and adoption secrets stand in the body or one level below (R21). */
static void wipe(struct gw_node *body)
{
	gw_node_for(n, body && body->type == GW_NODE_MAP ? body : NULL)
	{
		if (n->type == GW_NODE_TEXT) {
			explicit_bzero((char *)(uintptr_t)n->text.p, n->text.len);
		} else if (n->type == GW_NODE_MAP) {
			gw_node_for(m, n)
			{
				if (m->type == GW_NODE_TEXT) {
					explicit_bzero((char *)(uintptr_t)m->text.p, m->text.len);
				}
			}
		}
	}
}

static enum gw_status find_route(struct gw_api_call *c, char *allow, size_t cap)
{
	const struct gw_api_request *r = c->request;
	c->route = gw_api_route_find(r->method, r->path, c->param, allow, cap);
	if (c->route && c->route->flags & GW_API_LOCAL && !r->local) {
		c->route = NULL;
		allow[0] = '\0';
	}
	if (c->route) {
		return GW_STATUS_DONE;
	}
	if (allow[0]) {
		c->answer.http = 405;
		c->answer.allow = allow;
		return gw_api_fail(c, GW_STATUS_INVALID, "", "this path takes %s", allow);
	}
	return gw_api_fail(c, GW_STATUS_NOT_FOUND, "", "no such path");
}

static enum gw_status run(struct gw_api_call *c, char *allow, size_t cap)
{
	GW_AUTO(gw_arena_free_auto) struct gw_arena *arena = NULL;
	struct gw_node *body = NULL;
	enum gw_status s = find_route(c, allow, cap);
	s = s == GW_STATUS_DONE ? authorise(c) : s;
	s = s == GW_STATUS_DONE ? check_query(c) : s;
	s = s == GW_STATUS_DONE ? check_body(c, &arena, &body) : s;
	s = s == GW_STATUS_DONE ? c->route->handler(c) : s;
	if (c->route && c->route->flags & GW_API_SECRET) {
		wipe(body);
	}
	if (s == GW_STATUS_ACCEPTED && c->finished) {
		return c->status;
	}
	return s;
}

int gw_api_start(struct gw_api *a, const struct gw_api_request *r, gw_api_reply_fn *reply,
		 void *ctx, struct gw_api_call **ret_call)
{
	struct gw_api_call *c = gw_new(struct gw_api_call);
	if (!c) {
		return -ENOMEM;
	}
	char allow[64] = "";
	gw_list_init(&c->link);
	gw_buf_init(&c->out, GW_API_REPLY_BYTES);
	c->api = a;
	c->request = r;
	c->reply = reply;
	c->ctx = ctx;
	c->chinese = r->chinese;
	if (r->principal) {
		c->principal = *r->principal;
	}
	c->in_handler = true;
	enum gw_status s = run(c, allow, sizeof(allow));
	c->in_handler = false;
	c->request = NULL;
	c->body = NULL;
	c->device = NULL;
	if (s == GW_STATUS_ACCEPTED && !c->finished) {
		gw_list_append(&a->calls, &c->link);
		*ret_call = c;
		return 0;
	}
	*ret_call = NULL;
	answer(c, s);
	return 0;
}
