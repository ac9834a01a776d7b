/* What was found: listing, adopting, dismissing, searching. */
#include <errno.h>
#include <string.h>

#include "surfaces/api/call.h"

#define SCAN_SECONDS 30

static void write_candidate(struct gw_buf *b, const struct gw_candidate_info *i)
{
	gw_out_open(b, NULL, '{');
	gw_out_text(b, "id", i->id);
	gw_out_text(b, "identity", i->identity);
	gw_out_text(b, "name", i->name);
	gw_out_text(b, "vendor", i->vendor);
	gw_out_text(b, "model", i->model);
	gw_out_text(b, "type", i->type);
	gw_out_text(b, "profile", i->profile);
	gw_out_text(b, "reason", i->reason);
	gw_out_text(b, "adapter", i->adapter);
	gw_out_bool(b, "weak_identity", i->weak_identity);
	gw_out_bool(b, "described", i->described);
	gw_out_bool(b, "adopted", i->adopted);
	gw_out_time(b, "first_seen", i->first_seen_wall_ms);
	gw_out_time(b, "last_seen", i->last_seen_wall_ms);
	gw_out_open(b, "asks", '[');
	for (size_t k = 0; i->asks && i->asks[k]; k++) {
		gw_out_open(b, NULL, '{');
		gw_out_text(b, "name", i->asks[k]->name);
		gw_out_text(b, "label", i->asks[k]->label);
		gw_out_bool(b, "secret", i->asks[k]->secret);
		gw_out_close(b, '}');
	}
	gw_out_close(b, ']');
	gw_out_open(b, "ties", '[');
	for (size_t k = 0; i->ties && i->ties[k]; k++) {
		gw_out_text(b, NULL, i->ties[k]);
	}
	gw_out_close(b, ']');
	gw_out_close(b, '}');
}

enum gw_status gw_api_candidates(struct gw_api_call *c)
{
	struct gw_candidate_info info;
	gw_out_open(&c->out, NULL, '{');
	gw_out_open(&c->out, "candidates", '[');
	for (size_t i = 0; gw_candidate_at(c->api->gateway, i, &info); i++) {
		write_candidate(&c->out, &info);
	}
	gw_out_close(&c->out, ']');
	gw_out_close(&c->out, '}');
	return GW_STATUS_DONE;
}

static enum gw_status read_vars(struct gw_api_call *c, struct gw_vars *vars)
{
	gw_node_for(v, gw_node_get(c->body, "vars"))
	{
		int err = gw_vars_set(vars, v->key, v->text);
		if (err) {
			return err == -ENOMEM ? GW_STATUS_FAILED
					      : gw_api_fail(c, GW_STATUS_INVALID, "/vars",
							    "too many variables, or too long");
		}
	}
	return GW_STATUS_DONE;
}

static void vars_wipe(struct gw_vars *vars)
{
	for (size_t i = 0; i < vars->count; i++) {
		if (vars->entry[i].value) {
			explicit_bzero(vars->entry[i].value, strlen(vars->entry[i].value));
		}
	}
	gw_vars_fini(vars);
}

enum gw_status gw_api_adopt(struct gw_api_call *c)
{
	char id[GW_ID_BYTES];
	GW_AUTO(vars_wipe) struct gw_vars vars = {0};
	enum gw_status s = gw_api_param_id(c, 0, id);
	s = s == GW_STATUS_DONE ? read_vars(c, &vars) : s;
	if (s != GW_STATUS_DONE) {
		return s;
	}
	struct gw_adoption a = {
		.candidate = id,
		.device = gw_node_text(c->body, "device"),
		.name = gw_node_text(c->body, "name"),
		.room = gw_node_text(c->body, "room"),
		.profile = gw_node_text(c->body, "profile"),
		.vars = &vars,
	};
	struct gw_device *d = NULL;
	s = gw_candidate_adopt(c->api->gateway, &c->principal, &a, &d, &c->error);
	if (s == GW_STATUS_DONE) {
		gw_api_write_device(c, d);
	}
	return s;
}

enum gw_status gw_api_dismiss(struct gw_api_call *c)
{
	char id[GW_ID_BYTES];
	enum gw_status s = gw_api_param_id(c, 0, id);
	return s == GW_STATUS_DONE ? gw_candidate_dismiss(c->api->gateway, &c->principal, id) : s;
}

enum gw_status gw_api_scan(struct gw_api_call *c)
{
	const struct gw_node *seconds = gw_node_get(c->body, "seconds");
	return gw_scan(c->api->gateway, &c->principal,
		       seconds ? (uint32_t)seconds->number : SCAN_SECONDS);
}
