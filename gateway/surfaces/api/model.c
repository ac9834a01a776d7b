/* The vocabulary, for programs that want to show or check values, and the profiles in use. */
#include <string.h>

#include "gw/alloc.h"
#include "gw/map.h"
#include "surfaces/api/call.h"

static const char *pick(bool chinese, const char *en, const char *zh, const char *id)
{
	const char *label = chinese && zh && zh[0] ? zh : en;
	return label && label[0] ? label : id;
}

static void write_list(struct gw_buf *b, const char *key, const char *const *words, size_t n)
{
	gw_out_open(b, key, '[');
	for (size_t i = 0; i < n; i++) {
		gw_out_text(b, NULL, words[i]);
	}
	gw_out_close(b, ']');
}

static void write_capability(struct gw_buf *b, const struct gw_capability *k, bool chinese)
{
	static const char *const kinds[] = {"property", "action", "event"};
	gw_out_open(b, NULL, '{');
	gw_out_text(b, "id", k->id);
	gw_out_text(b, "group", k->group);
	gw_out_text(b, "kind", kinds[k->kind]);
	gw_out_text(b, "type", gw_type_name(k->type));
	gw_out_text(b, "unit", k->unit);
	if (k->has_min) {
		gw_out_count(b, "min", true, k->min, k->res);
	}
	if (k->has_max) {
		gw_out_count(b, "max", true, k->max, k->res);
	}
	if (k->type == GW_TYPE_INT || k->type == GW_TYPE_NUM) {
		gw_out_count(b, "resolution", true, 1, k->res);
	}
	if (k->n_symbols) {
		write_list(b, "symbols", k->symbols, k->n_symbols);
	}
	if (k->n_args) {
		write_list(b, "args", k->args, k->n_args);
	}
	gw_out_bool(b, "critical", k->access & GW_ACCESS_SECURITY);
	gw_out_bool(b, "admin", k->access & GW_ACCESS_ADMIN);
	gw_out_text(b, "label", pick(chinese, k->label_en, k->label_zh, k->id));
	gw_out_close(b, '}');
}

enum gw_status gw_api_model_capabilities(struct gw_api_call *c)
{
	gw_out_open(&c->out, NULL, '{');
	gw_out_open(&c->out, "capabilities", '[');
	const struct gw_capability *k;
	for (size_t i = 0; (k = gw_capability_at(i)); i++) {
		write_capability(&c->out, k, c->chinese);
	}
	gw_out_close(&c->out, ']');
	gw_out_close(&c->out, '}');
	return GW_STATUS_DONE;
}

enum gw_status gw_api_model_types(struct gw_api_call *c)
{
	struct gw_buf *b = &c->out;
	gw_out_open(b, NULL, '{');
	gw_out_open(b, "types", '[');
	const struct gw_device_type *t;
	for (size_t i = 0; (t = gw_device_type_at(i)); i++) {
		gw_out_open(b, NULL, '{');
		gw_out_text(b, "id", t->id);
		gw_out_text(b, "group", t->group);
		gw_out_text(b, "components", t->components);
		write_list(b, "mandatory", t->mandatory, t->n_mandatory);
		write_list(b, "optional", t->optional, t->n_optional);
		gw_out_text(b, "label", pick(c->chinese, t->label_en, t->label_zh, t->id));
		gw_out_close(b, '}');
	}
	gw_out_close(b, ']');
	gw_out_close(b, '}');
	return GW_STATUS_DONE;
}

/* --- profiles in use: counted over the devices that the caller sees --- */

struct use {
	const char *id, *version;
	size_t devices;
};

static enum gw_status count_use(struct gw_api_call *c, struct gw_map *map)
{
	struct gw_device *d;
	for (size_t i = 0; (d = gw_device_at(c->api->gateway, i)); i++) {
		struct gw_device_info info;
		gw_device_info(d, &info);
		if (!info.profile[0] || !gw_api_may(c, GW_DO_SEE, d)) {
			continue;
		}
		struct use *u = gw_map_find(map, gw_str(info.profile));
		if (!u) {
			u = gw_new(struct use);
			if (!u || gw_map_put(map, gw_str(info.profile), u)) {
				gw_free(u);
				return GW_STATUS_FAILED;
			}
			*u = (struct use){info.profile, info.profile_version, 0};
		}
		u->devices++;
	}
	return GW_STATUS_DONE;
}

enum gw_status gw_api_profiles(struct gw_api_call *c)
{
	struct gw_map *map = gw_map_new(GW_DEVICES);
	enum gw_status s = map ? count_use(c, map) : GW_STATUS_FAILED;
	if (s == GW_STATUS_DONE) {
		struct gw_buf *b = &c->out;
		size_t pos = 0;
		struct gw_str key;
		void *value;
		gw_out_open(b, NULL, '{');
		gw_out_open(b, "profiles", '[');
		while (gw_map_next(map, &pos, &key, &value)) {
			const struct use *u = value;
			gw_out_open(b, NULL, '{');
			gw_out_text(b, "id", u->id);
			gw_out_text(b, "version", u->version);
			gw_out_u64(b, "devices", u->devices);
			gw_out_close(b, '}');
		}
		gw_out_close(b, ']');
		gw_out_close(b, '}');
	}
	if (map) {
		gw_map_free(map, gw_free);
	}
	return s;
}
