/*
 * Homie 5 (homieiot/convention, 5.x): the home as a tree of devices that any Homie controller reads.
 *
 *   homie/5/hearth-<gateway>/$state, $description          the root: its children are the devices of the home
 *   homie/5/hearth-<device>/$state, $description           nodes are components, properties are group-name
 *   homie/5/hearth-<device>/<component>/<group>-<name>     a value, published when it changes
 *   …/set                                                  a command; the outcome is on hearth/<device>/result
 *
 * Ids are [a-z0-9-]: '_' and '.' are written '-'. Actions and events are properties that are not retained. A connection of its own, because its
 * last will is the root's $state: Homie calls the whole tree lost when the root is. QoS 0 throughout: everything is published anew after each
 * connect. $target is not used, commands are not answered before the device has done them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "gw/json.h"
#include "gw/log.h"
#include "surfaces/mqtt/mqtt.h"

#define RETRY_MS 250 /* after the broker was choked */

struct mqtt_homie {
	struct mqtt_surface *s;
	struct gw_mqtt_link *link;
	struct gw_map *devices; /* Homie id → struct mqtt_homie_device */
	struct gw_list dirty;	/* devices with something to say */
	struct gw_timer *retry;
	struct gw_buf text; /* scratch: a description, a value */
	char *base;	    /* "homie/5/hearth-" */
	char *root;	    /* "homie/5/hearth-<gateway>" */
	char *root_state;
	char root_id[GW_ID_BYTES]; /* "hearth-<gateway>" */
	int64_t version;	   /* of the last description: must increase */
	bool root_dirty;	   /* children were added or removed */
	bool up;
};

struct mqtt_homie_device {
	struct gw_list dirty;
	struct mqtt_device *d;
	struct gw_plan *plan; /* that the bits stand for; a reference, or NULL */
	uint64_t *bits;	      /* properties with a new value, one bit each */
	uint64_t *kept;	      /* properties that are published at all */
	size_t n_words;
	bool described; /* $description of this plan and name was published in this connection */
	bool stated;	/* $state too */
	uint64_t name;	/* digest of the name in the description */
	char id[GW_ID_BYTES];
};

/* --- names --- */

static void add_id(struct gw_buf *b, const char *text)
{
	for (const char *p = text; *p; p++) {
		gw_buf_putc(b, *p == '_' || *p == '.' ? '-' : *p);
	}
}

/* homie/5/hearth-<device>[/<component>/<group>-<name>] */
static void property_topic(const struct mqtt_homie *h, const struct mqtt_homie_device *x,
			   const struct gw_cap_info *cap, struct gw_buf *b)
{
	gw_buf_printf(b, "%s%s/", h->base, x->id);
	add_id(b, cap->component);
	gw_buf_putc(b, '/');
	add_id(b, cap->id);
}

static bool is_kept(const struct gw_cap_info *cap)
{
	return cap->kind == GW_KIND_PROPERTY && cap->readable;
}

static bool is_settable(const struct mqtt_homie *h, const struct mqtt_homie_device *x,
			const struct gw_cap_info *cap)
{
	return mqtt_may_command(h->s, x->d->device, cap);
}

static struct gw_plan *plan_of(const struct mqtt_homie_device *x)
{
	struct gw_binding *b = gw_device_binding(x->d->device);
	return b ? gw_binding_plan(b) : NULL;
}

/* False: down or choked. */
static bool publish(struct mqtt_homie *h, struct gw_str topic, struct gw_str payload, bool retain)
{
	int r = gw_mqtt_link_publish(h->link, topic, payload, 0, retain, NULL);
	if (r == -ENOBUFS || r == -ENOTCONN) {
		return false;
	}
	h->s->dropped += r < 0; /* too large for any broker */
	return true;
}

static bool publish_at(struct mqtt_homie *h, const char *base, const char *id,
		       const char *attribute, struct gw_str payload)
{
	char topic[GW_TOPIC_BYTES + 1];
	(void)snprintf(topic, sizeof(topic), "%s%s/%s", base, id, attribute);
	return publish(h, gw_str(topic), payload, /* retain= */ true);
}

/* --- description --- */

static void write_range(struct gw_buf *b, const struct gw_domain *d)
{
	if (!d->has_min && !d->has_max) {
		return;
	}
	struct gw_value v = {.type = GW_VALUE_NUMBER};
	gw_buf_puts(b, ",\"format\":\"");
	if (d->has_min) {
		v.count = d->min;
		gw_value_write_text(b, &v, d->res);
	}
	gw_buf_putc(b, ':');
	if (d->has_max) {
		v.count = d->max;
		gw_value_write_text(b, &v, d->res);
	}
	if (d->step > 1) {
		gw_buf_putc(b, ':');
		v.count = d->step;
		gw_value_write_text(b, &v, d->res);
	}
	gw_buf_putc(b, '"');
}

/* The format separates them with commas and knows no escape. */
static bool is_listable(const struct gw_domain *d)
{
	bool fits = d->n_symbols > 0;
	for (size_t i = 0; i < d->n_symbols; i++) {
		fits = fits && d->symbols[i][0] && !strchr(d->symbols[i], ',');
	}
	return fits;
}

static void write_symbols(struct gw_buf *b, const struct gw_domain *d)
{
	GW_AUTO(gw_buf_fini) struct gw_buf list = GW_BUF_INIT(MQTT_DOC_BYTES);
	for (size_t i = 0; i < d->n_symbols; i++) {
		gw_buf_printf(&list, "%s%s", i ? "," : "", d->symbols[i]);
	}
	b->error = b->error ? b->error : gw_buf_error(&list);
	gw_buf_puts(b, "\"enum\",\"format\":");
	gw_json_write_text(b, gw_buf_str(&list));
}

static void write_datatype(struct gw_buf *b, const struct gw_cap_info *cap)
{
	const struct gw_domain *d = &cap->domain;
	gw_buf_puts(b, ",\"datatype\":");
	if (cap->kind == GW_KIND_ACTION) {
		gw_buf_puts(b, cap->n_args ? "\"json\"" : "\"enum\",\"format\":\"run\"");
		return;
	}
	switch (d->type) {
	case GW_TYPE_BOOL: gw_buf_puts(b, "\"boolean\""); break;
	case GW_TYPE_INT:
	case GW_TYPE_NUM:
		gw_buf_puts(b, d->res.d == 1 ? "\"integer\"" : "\"float\"");
		write_range(b, d);
		break;
	case GW_TYPE_ENUM:
		if (is_listable(d)) {
			write_symbols(b, d);
		} else {
			gw_buf_puts(b, "\"string\"");
		}
		break;
	case GW_TYPE_TIME: gw_buf_puts(b, "\"datetime\""); break;
	case GW_TYPE_LIST:
	case GW_TYPE_REC: gw_buf_puts(b, "\"json\""); break;
	case GW_TYPE_STR: gw_buf_puts(b, "\"string\""); break;
	case GW_TYPE_NONE: gw_buf_puts(b, "\"enum\",\"format\":\"happened\""); break;
	}
}

static void write_property(const struct mqtt_homie *h, const struct mqtt_homie_device *x,
			   const struct gw_cap_info *cap, struct gw_buf *b)
{
	const char *label = cap->label ? cap->label : cap->model ? cap->model->label_en : cap->id;
	gw_buf_putc(b, '"');
	add_id(b, cap->id);
	gw_buf_puts(b, "\":{\"name\":");
	gw_json_write_text(b, gw_str(label));
	write_datatype(b, cap);
	if (cap->kind == GW_KIND_PROPERTY && cap->unit && cap->unit[0]) {
		gw_buf_puts(b, ",\"unit\":");
		gw_json_write_text(
			b, gw_str(strcmp(cap->unit, "1") == 0 ? "#" : gw_unit_symbol(cap->unit)));
	}
	if (is_settable(h, x, cap)) {
		gw_buf_puts(b, ",\"settable\":true");
	}
	if (!is_kept(cap)) {
		gw_buf_puts(b, ",\"retained\":false");
	}
	gw_buf_putc(b, '}');
}

/* Two ids that are one in Homie's alphabet (only extensions can be like that): the first one has it. */
static bool is_shadowed(const struct gw_plan *plan, size_t i)
{
	const struct gw_cap_info *cap = gw_plan_cap(plan, i);
	GW_AUTO(gw_buf_fini) struct gw_buf a = GW_BUF_INIT(GW_TOPIC_BYTES);
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(GW_TOPIC_BYTES);
	add_id(&a, cap->address);
	for (size_t k = 0; !cap->model && k < gw_plan_cap_count(plan); k++) {
		const struct gw_cap_info *other = gw_plan_cap(plan, k);
		gw_buf_reset(&b);
		add_id(&b, other->address);
		if (k != i && (k < i || other->model) &&
		    gw_str_eq(gw_buf_str(&a), gw_buf_str(&b))) {
			return true;
		}
	}
	return false;
}

static void write_nodes(const struct mqtt_homie *h, const struct mqtt_homie_device *x,
			const struct gw_plan *plan, struct gw_buf *b)
{
	size_t n = gw_plan_cap_count(plan);
	const char *lead = "";
	for (size_t i = 0; i < n; i++) {
		const char *component = gw_plan_cap(plan, i)->component;
		bool seen = false;
		for (size_t k = 0; k < i; k++) {
			seen = seen || strcmp(gw_plan_cap(plan, k)->component, component) == 0;
		}
		if (seen) {
			continue;
		}
		gw_buf_printf(b, "%s\"", lead);
		add_id(b, component);
		gw_buf_puts(b, "\":{\"properties\":{");
		lead = "";
		for (size_t k = i; k < n; k++) {
			const struct gw_cap_info *cap = gw_plan_cap(plan, k);
			bool offered = is_kept(cap) || cap->kind == GW_KIND_EVENT ||
				       is_settable(h, x, cap);
			if (strcmp(cap->component, component) != 0 || !offered ||
			    is_shadowed(plan, k)) {
				continue;
			}
			gw_buf_puts(b, lead);
			write_property(h, x, cap, b);
			lead = ",";
		}
		gw_buf_puts(b, "}}");
		lead = ",";
	}
}

static long long next_version(struct mqtt_homie *h)
{
	int64_t now = gw_wall_ms();
	h->version = now > h->version ? now : h->version + 1;
	return h->version;
}

static void write_description(struct mqtt_homie *h, const struct mqtt_homie_device *x,
			      struct gw_buf *b)
{
	struct gw_device_info info;
	gw_device_info(x->d->device, &info);
	gw_buf_printf(b, "{\"homie\":\"5.0\",\"version\":%lld,\"name\":", next_version(h));
	gw_json_write_text(b, gw_str(info.name));
	gw_buf_printf(b, ",\"type\":\"%s\",\"root\":\"%s\",\"parent\":\"%s\",\"nodes\":{",
		      info.type, h->root_id, h->root_id);
	if (x->plan) {
		write_nodes(h, x, x->plan, b);
	}
	gw_buf_puts(b, "}}");
}

/* --- values --- */

static void write_time(struct gw_buf *b, const struct gw_value *v, struct gw_resolution res)
{
	char text[32];
	gw_wall_format((int64_t)gw_count_value(v->count, res), text, sizeof(text));
	gw_buf_puts(b, text);
}

static void write_value(struct gw_buf *b, const struct gw_cap_info *cap, const struct gw_value *v)
{
	if (v->type == GW_VALUE_NUMBER && cap->domain.type == GW_TYPE_TIME) {
		write_time(b, v, cap->domain.res);
	} else {
		gw_value_write_text(b, v, cap->domain.res);
	}
	if (v->type == GW_VALUE_TEXT && b->len == 0) {
		gw_buf_putc(b, '\0'); /* the empty string: an empty message would delete */
	}
}

static bool publish_value(struct mqtt_homie *h, struct mqtt_homie_device *x, size_t i)
{
	const struct gw_property *p = gw_device_property(x->d->device, i);
	GW_AUTO(gw_buf_fini) struct gw_buf topic = GW_BUF_INIT(GW_TOPIC_BYTES + 1);
	property_topic(h, x, p->cap, &topic);
	gw_buf_reset(&h->text);
	if (p->value.type != GW_VALUE_NONE) {
		write_value(&h->text, p->cap, &p->value);
	}
	if (gw_buf_error(&topic) || gw_buf_error(&h->text)) {
		h->s->dropped++;
		return true;
	}
	return publish(h, gw_buf_str(&topic), gw_buf_str(&h->text), /* retain= */ true);
}

/* --- what is to be said --- */

static void mark(struct mqtt_homie *h, struct mqtt_homie_device *x)
{
	if (gw_list_empty(&x->dirty)) {
		gw_list_append(&h->dirty, &x->dirty);
	}
}

/* Everything of the device is published anew. */
static void mark_all(struct mqtt_homie *h, struct mqtt_homie_device *x)
{
	x->described = x->stated = false;
	for (size_t w = 0; w < x->n_words; w++) {
		x->bits[w] = x->kept[w];
	}
	mark(h, x);
}

static int take_plan(struct mqtt_homie_device *x)
{
	struct gw_plan *plan = plan_of(x);
	size_t n = plan ? gw_plan_cap_count(plan) : 0, words = (n + 63) / 64;
	uint64_t *bits = gw_array(uint64_t, words * 2 + 1);
	if (!bits) {
		return -ENOMEM;
	}
	gw_free(x->bits);
	gw_plan_unref(x->plan);
	x->bits = bits;
	x->kept = bits + words;
	x->n_words = words;
	x->plan = plan ? gw_plan_ref(plan) : NULL;
	for (size_t i = 0; i < n; i++) {
		if (is_kept(gw_plan_cap(plan, i)) && !is_shadowed(plan, i)) {
			x->kept[i / 64] |= UINT64_C(1) << (i % 64);
		}
	}
	return 0;
}

int mqtt_homie_add(struct mqtt_homie *h, struct mqtt_device *d)
{
	struct mqtt_homie_device *x = gw_new(struct mqtt_homie_device);
	if (!x) {
		return -ENOMEM;
	}
	GW_AUTO(gw_buf_fini) struct gw_buf id = GW_BUF_INIT(GW_ID_BYTES);
	gw_list_init(&x->dirty);
	x->d = d;
	add_id(&id, d->id);
	int r = gw_buf_error(&id);
	if (r == 0) {
		(void)snprintf(x->id, sizeof(x->id), "%s", id.p);
		r = take_plan(x);
	}
	r = r ? r : gw_map_put(h->devices, gw_str(x->id), x);
	if (r) {
		gw_plan_unref(x->plan);
		gw_free(x->bits);
		gw_free(x);
		if (r == -EEXIST) {
			gw_log_warning(MQTT_LOG, "GW-MQTT-HOMIE-ID",
				       "%s is not on Homie: another device has the same id there",
				       d->id);
			return 0;
		}
		return r;
	}
	d->homie = x;
	h->root_dirty = true;
	mark_all(h, x);
	return 0;
}

static void free_device(void *p)
{
	struct mqtt_homie_device *x = p;
	gw_list_remove(&x->dirty);
	gw_plan_unref(x->plan);
	gw_free(x->bits);
	gw_free(x);
}

void mqtt_homie_remove(struct mqtt_homie *h, struct mqtt_device *d)
{
	if (d->homie) {
		gw_map_remove(h->devices, gw_str(d->homie->id));
		free_device(d->homie);
		d->homie = NULL;
		h->root_dirty = true;
	}
}

void mqtt_homie_note(struct mqtt_homie *h, struct mqtt_device *d)
{
	static const char *const attributes[] = {"$state", "$description"};
	struct mqtt_homie_device *x = d->homie;
	GW_AUTO(gw_buf_fini) struct gw_buf topic = GW_BUF_INIT(GW_TOPIC_BYTES + 1);
	for (size_t i = 0; x && i < gw_countof(attributes); i++) {
		gw_buf_reset(&topic);
		gw_buf_printf(&topic, "%s%s/%s", h->base, x->id, attributes[i]);
		mqtt_ledger_note(h->s->ledger, gw_str(d->id), gw_buf_str(&topic));
	}
	for (size_t i = 0; x && x->plan && i < gw_plan_cap_count(x->plan); i++) {
		gw_buf_reset(&topic);
		property_topic(h, x, gw_plan_cap(x->plan, i), &topic);
		if (is_kept(gw_plan_cap(x->plan, i)) && !gw_buf_error(&topic)) {
			mqtt_ledger_note(h->s->ledger, gw_str(d->id), gw_buf_str(&topic));
		}
	}
}

void mqtt_homie_changed(struct mqtt_homie *h, struct mqtt_device *d)
{
	struct mqtt_homie_device *x = d->homie;
	if (!x) {
		return;
	}
	struct gw_device_info info;
	gw_device_info(d->device, &info);
	uint64_t name = mqtt_digest(gw_str(info.name));
	if (plan_of(x) != x->plan && take_plan(x) == 0) {
		mark_all(h, x);
	}
	x->described = x->described && name == x->name;
	x->name = name;
	x->stated = false;
	mark(h, x);
}

void mqtt_homie_property(struct mqtt_homie *h, struct mqtt_device *d, uint16_t index)
{
	struct mqtt_homie_device *x = d->homie;
	uint64_t bit = UINT64_C(1) << (index % 64);
	/* Another plan is noticed when the device is published. */
	if (x && index / 64u < x->n_words && (x->kept[index / 64u] & bit)) {
		x->bits[index / 64u] |= bit;
		mark(h, x);
	}
}

void mqtt_homie_happened(struct mqtt_homie *h, struct mqtt_device *d, const struct gw_event *e)
{
	struct mqtt_homie_device *x = d->homie;
	GW_AUTO(gw_buf_fini) struct gw_buf topic = GW_BUF_INIT(GW_TOPIC_BYTES + 1);
	if (!x || !h->up) {
		return;
	}
	property_topic(h, x, e->cap, &topic);
	gw_buf_reset(&h->text);
	if (e->value.type == GW_VALUE_NONE) {
		gw_buf_puts(&h->text, "happened");
	} else {
		write_value(&h->text, e->cap, &e->value);
	}
	if (gw_buf_error(&topic) || gw_buf_error(&h->text) ||
	    !publish(h, gw_buf_str(&topic), gw_buf_str(&h->text), /* retain= */ false)) {
		h->s->dropped++;
	}
}

/* --- publishing --- */

static bool publish_values(struct mqtt_homie *h, struct mqtt_homie_device *x)
{
	for (size_t w = 0; w < x->n_words; w++) {
		while (x->bits[w]) {
			size_t i = w * 64 + (size_t)__builtin_ctzll(x->bits[w]);
			if (!publish_value(h, x, i)) {
				return false;
			}
			x->bits[w] &= x->bits[w] - 1;
		}
	}
	return true;
}

/* A description changes only while the state is init; then the values, then the state. */
static bool publish_device(struct mqtt_homie *h, struct mqtt_homie_device *x)
{
	struct gw_device_info info;
	if (plan_of(x) != x->plan) {
		if (take_plan(x) < 0) {
			return false; /* its bits stand for capabilities that are not there any more */
		}
		mark_all(h, x);
	}
	if (!x->described) {
		gw_buf_reset(&h->text);
		write_description(h, x, &h->text);
		if (gw_buf_error(&h->text)) {
			h->s->dropped++;
			return true;
		}
		if (!publish_at(h, h->base, x->id, "$state", GW_STR("init")) ||
		    !publish_at(h, h->base, x->id, "$description", gw_buf_str(&h->text))) {
			return false;
		}
		x->described = true;
		x->stated = false;
	}
	if (!publish_values(h, x)) {
		return false;
	}
	gw_device_info(x->d->device, &info);
	if (!x->stated &&
	    !publish_at(h, h->base, x->id, "$state", gw_str(info.online ? "ready" : "lost"))) {
		return false;
	}
	x->stated = true;
	return true;
}

static bool publish_root(struct mqtt_homie *h)
{
	struct gw_buf *b = &h->text;
	const char *lead = "";
	size_t pos = 0;
	struct gw_str id;
	void *x;
	gw_buf_reset(b);
	gw_buf_printf(b, "{\"homie\":\"5.0\",\"version\":%lld,\"name\":\"Hearth\",\"children\":[",
		      next_version(h));
	while (gw_map_next(h->devices, &pos, &id, &x)) {
		gw_buf_printf(b, "%s\"hearth-" GW_STR_FMT "\"", lead, GW_STR_ARG(id));
		lead = ",";
	}
	gw_buf_puts(b, "]}");
	if (gw_buf_error(b)) {
		h->s->dropped++;
		return true;
	}
	return publish_at(h, h->root, "", "$state", GW_STR("init")) &&
	       publish_at(h, h->root, "", "$description", gw_buf_str(b)) &&
	       publish_at(h, h->root, "", "$state", GW_STR("ready"));
}

void mqtt_homie_flush(struct mqtt_homie *h)
{
	if (!h->up) {
		return;
	}
	while (!gw_list_empty(&h->dirty)) {
		struct mqtt_homie_device *x =
			gw_container(h->dirty.next, struct mqtt_homie_device, dirty);
		if (!publish_device(h, x)) {
			gw_timer_start(h->retry, RETRY_MS, 0);
			return;
		}
		gw_list_remove(&x->dirty);
	}
	if (h->root_dirty && publish_root(h)) {
		h->root_dirty = false;
	} else if (h->root_dirty) {
		gw_timer_start(h->retry, RETRY_MS, 0);
	}
}

static void on_retry(void *ctx)
{
	mqtt_homie_flush(ctx);
}

/* --- link --- */

static void on_link_state(void *ctx, enum gw_link_state state, const char *reason)
{
	struct mqtt_homie *h = ctx;
	bool up = state == GW_LINK_UP;
	(void)reason; /* the other connection has told it */
	if (up == h->up || h->s->stopping) {
		return;
	}
	h->up = up;
	if (!up) {
		return;
	}
	size_t pos = 0;
	struct gw_str id;
	void *x;
	while (gw_map_next(h->devices, &pos, &id, &x)) {
		mark_all(h, x);
	}
	h->root_dirty = true;
	mqtt_homie_flush(h);
}

static const struct gw_cap_info *find_cap(const struct mqtt_homie_device *x, struct gw_str path)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(GW_TOPIC_BYTES);
	for (size_t i = 0; x->plan && i < gw_plan_cap_count(x->plan); i++) {
		const struct gw_cap_info *cap = gw_plan_cap(x->plan, i);
		gw_buf_reset(&b);
		add_id(&b, cap->component);
		gw_buf_putc(&b, '/');
		add_id(&b, cap->id);
		if (gw_str_eq(gw_buf_str(&b), path) && !is_shadowed(x->plan, i)) {
			return cap;
		}
	}
	return NULL;
}

static void on_message(void *ctx, const struct gw_mqtt_message *m)
{
	struct mqtt_homie *h = ctx;
	size_t base = strlen(h->base);
	if (!gw_str_starts(m->topic, h->base) || m->payload.len == 0) {
		return; /* somebody else's device; or a retained command that was cleared */
	}
	if (m->retained) { /* R25 */
		(void)publish(h, m->topic, GW_STR(""), /* retain= */ true);
		return;
	}
	struct gw_str rest = gw_str_sub(m->topic, base, m->topic.len), id;
	if (!gw_str_split(&rest, '/', &id) || !gw_str_ends(rest, "/set")) {
		return;
	}
	struct mqtt_homie_device *x = gw_map_find(h->devices, id);
	const struct gw_cap_info *cap =
		x ? find_cap(x, gw_str_sub(rest, 0, rest.len - strlen("/set"))) : NULL;
	if (!cap) {
		return; /* Homie has no way to say that */
	}
	struct gw_str payload = m->payload;
	if (cap->domain.type == GW_TYPE_STR && payload.len == 1 && payload.p[0] == '\0') {
		payload = GW_STR("\"\"");
	}
	mqtt_command_single(h->s, x->d->id, cap, payload);
}

/* --- life --- */

int mqtt_homie_new(struct mqtt_surface *s)
{
	static const struct gw_mqtt_ops ops = {.state = on_link_state, .message = on_message};
	struct mqtt_homie *h = gw_new(struct mqtt_homie);
	if (!h) {
		return -ENOMEM;
	}
	s->homie = h;
	h->s = s;
	gw_list_init(&h->dirty);
	gw_buf_init(&h->text, MQTT_DOC_BYTES);
	GW_AUTO(gw_buf_fini) struct gw_buf base = GW_BUF_INIT(GW_TOPIC_BYTES);
	GW_AUTO(gw_buf_fini) struct gw_buf root = GW_BUF_INIT(GW_TOPIC_BYTES);
	GW_AUTO(gw_buf_fini) struct gw_buf state = GW_BUF_INIT(GW_TOPIC_BYTES);
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_TOPIC_BYTES);
	(void)snprintf(h->root_id, sizeof(h->root_id), "hearth-%.32s", gw_gateway_id(s->gateway));
	gw_buf_printf(&base, "%s/5/hearth-", s->homie_domain);
	gw_buf_printf(&root, "%s/5/%s", s->homie_domain, h->root_id);
	gw_buf_printf(&state, "%s/$state", root.p);
	h->base = gw_buf_take(&base);
	h->root = gw_buf_take(&root);
	h->root_state = gw_buf_take(&state);
	h->devices = gw_map_new(GW_DEVICES);
	h->retry = gw_timer_new(gw_gateway_loop(s->gateway), on_retry, h);
	if (!h->base || !h->root || !h->root_state || !h->devices || !h->retry) {
		return -ENOMEM; /* the surface frees it */
	}
	mqtt_ledger_note(s->ledger, GW_STR(MQTT_LEDGER_ROOT), gw_str(h->root_state));
	gw_buf_printf(&text, "%s/$description", h->root);
	mqtt_ledger_note(s->ledger, GW_STR(MQTT_LEDGER_ROOT), gw_buf_str(&text));
	gw_buf_reset(&text);
	gw_buf_printf(&text, "%s/5/+/+/+/set", s->homie_domain);
	struct gw_mqtt_will will = {gw_str(h->root_state), GW_STR("lost"), 0, true};
	int r = gw_mqtt_link_new(gw_gateway_loop(s->gateway),
				 gw_broker_endpoint(s->surface->broker, GW_BROKER_SURFACE), NULL,
				 &will, &ops, h, &h->link);
	r = r ? r : gw_buf_error(&text);
	return r ? r : gw_mqtt_link_subscribe(h->link, gw_buf_str(&text), 0);
}

int mqtt_homie_start(struct mqtt_homie *h)
{
	return gw_mqtt_link_start(h->link);
}

static void on_stopped(void *ctx)
{
	struct mqtt_homie *h = ctx;
	mqtt_part_stopped(h->s);
}

void mqtt_homie_stop(struct mqtt_homie *h)
{
	gw_timer_stop(h->retry);
	if (h->up) {
		/* A clean DISCONNECT sends no will. */
		(void)publish_at(h, h->root, "", "$state", GW_STR("disconnected"));
	}
	h->up = false;
	gw_mqtt_link_stop(h->link, on_stopped);
}

void mqtt_homie_free(struct mqtt_homie *h)
{
	if (!h) {
		return;
	}
	gw_mqtt_link_free(h->link);
	gw_timer_free(h->retry);
	gw_map_free(h->devices, free_device);
	gw_buf_fini(&h->text);
	gw_free(h->base);
	gw_free(h->root);
	gw_free(h->root_state);
	gw_free(h);
}
