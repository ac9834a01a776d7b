/* Commands: from a body to gw_command_submit, and its outcome back. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gw/alloc.h"
#include "surfaces/api/call.h"

#define MAX_SET 256 /* capabilities in one write */

static void write_outcome(struct gw_api_call *c, const struct gw_outcome *o)
{
	struct gw_buf *b = &c->out;
	const char *name = gw_status_row(o->status)->name;
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(4096);
	gw_api_status_text(&text, o->status, c->chinese, o->text);
	gw_out_open(b, NULL, '{');
	gw_out_id(b, "id", o->command_id);
	gw_out_text(b, "status", name);
	gw_out_text(b, "reason", o->reason ? o->reason : "");
	gw_out_str(b, "text", gw_buf_str(&text));
	gw_out_text(b, "address", o->address ? o->address : "");
	gw_out_i64(b, "elapsed_us", o->elapsed_us);
	if (o->status != GW_STATUS_DONE && o->status != GW_STATUS_UNCONFIRMED &&
	    o->status != GW_STATUS_ACCEPTED) {
		gw_out_open(b, "error", '{');
		gw_out_text(b, "code", name);
		gw_out_str(b, "text", gw_buf_str(&text));
		gw_out_text(b, "at", o->address ? o->address : "");
		gw_out_close(b, '}');
	}
	gw_out_close(b, '}');
}

static void command_done(void *ctx, const struct gw_outcome *o)
{
	struct gw_api_call *c = ctx;
	if (c->reply) {
		write_outcome(c, o);
	}
	gw_api_finish(c, o->status);
}

static enum gw_status submit(struct gw_api_call *c, struct gw_command_request *r)
{
	struct gw_device_info info;
	gw_device_info(c->device, &info);
	r->principal = &c->principal;
	r->origin = c->api->origin;
	r->device = gw_str(info.id);
	if (gw_command_submit(c->api->gateway, r, command_done, c, /* ret_id= */ NULL)) {
		return GW_STATUS_FAILED;
	}
	return GW_STATUS_ACCEPTED;
}

/* The header, else the body's id. Keys of different people must not meet: the principal is part of it. */
static enum gw_status read_key(struct gw_api_call *c, char *ret_key, size_t cap)
{
	struct gw_str key = c->request->key;
	const char *id = gw_node_text(c->body, "id");
	if (key.len == 0 && id) {
		key = gw_str(id);
	}
	if (key.len > 128 || !gw_str_is_utf8(key)) {
		return gw_api_fail(c, GW_STATUS_INVALID, "Idempotency-Key",
				   "at most 128 bytes of text");
	}
	ret_key[0] = '\0';
	if (key.len) {
		snprintf(ret_key, cap, "%d:%s:" GW_STR_FMT, (int)c->principal.role,
			 c->principal.who, GW_STR_ARG(key));
	}
	return GW_STATUS_DONE;
}

enum gw_status gw_api_property_put(struct gw_api_call *c)
{
	char key[256], address[256];
	bool is_main = gw_str_is(c->param[1], "main");
	int len = snprintf(address, sizeof(address), GW_STR_FMT "%s" GW_STR_FMT,
			   GW_STR_ARG(is_main ? GW_STR("") : c->param[1]), is_main ? "" : "/",
			   GW_STR_ARG(c->param[2]));
	if (len < 0 || (size_t)len >= sizeof(address)) {
		return gw_api_fail(c, GW_STATUS_NOT_FOUND, "capability", "no such property");
	}
	enum gw_status s = read_key(c, key, sizeof(key));
	if (s != GW_STATUS_DONE) {
		return s;
	}
	struct gw_wanted wanted = {gw_str(address), gw_node_get(c->body, "value")};
	struct gw_command_request r = {
		.wanted = &wanted,
		.n_wanted = 1,
		.key = key[0] ? key : NULL,
	};
	return submit(c, &r);
}

static enum gw_status submit_set(struct gw_api_call *c, const struct gw_node *set,
				 struct gw_command_request *r)
{
	if (set->count == 0 || set->count > MAX_SET) {
		return gw_api_fail(c, GW_STATUS_INVALID, "/set", "between 1 and %d values",
				   MAX_SET);
	}
	struct gw_wanted *wanted = gw_array(struct gw_wanted, set->count);
	if (!wanted) {
		return GW_STATUS_FAILED;
	}
	size_t n = 0;
	gw_node_for(v, set)
	{
		wanted[n++] = (struct gw_wanted){v->key, v};
	}
	r->wanted = wanted;
	r->n_wanted = n;
	enum gw_status s = submit(c, r);
	gw_free(wanted);
	return s;
}

enum gw_status gw_api_command(struct gw_api_call *c)
{
	const struct gw_node *set = gw_node_get(c->body, "set"),
			     *expire = gw_node_get(c->body, "expire_ms"),
			     *args = gw_node_get(c->body, "args");
	const char *action = gw_node_text(c->body, "action");
	char key[256];
	if (!set == !action || (args && !action)) {
		return gw_api_fail(c, GW_STATUS_INVALID, "", "either set, or action with its args");
	}
	enum gw_status s = read_key(c, key, sizeof(key));
	if (s != GW_STATUS_DONE) {
		return s;
	}
	struct gw_command_request r = {
		.key = key[0] ? key : NULL,
		.expire_ms = expire ? (int64_t)expire->number : 0,
	};
	if (set) {
		return submit_set(c, set, &r);
	}
	r.action = gw_str(action);
	r.args = args;
	return submit(c, &r);
}
