#include "discovery/discovery.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "discovery/identity.h"
#include "discovery/index.h"
#include "discovery/recognise.h"
#include "gw/alloc.h"
#include "gw/limits.h"
#include "gw/log.h"
#include "gw/map.h"
#include "gw/topic.h"

#define MAX_IMPORTERS	  8
#define FINGERPRINT_BYTES 65536
#define KEY_BYTES	  (GW_TOPIC_BYTES + 68)

struct entry {
	struct gw_candidate c;			   /* made of both sides */
	struct gw_side *written, *described;	   /* owned; NULL: nothing is said */
	struct gw_profile *ties[GW_SIDE_TIES + 2]; /* borrowed from the sides; behind c.ties */
	char *channel;				   /* adapter and channel that matched, or NULL */
	uint8_t fingerprint[SHA256_DIGEST_LENGTH];
};

struct gw_discovery {
	struct gw_library *library;
	struct gw_discovery_ops ops;
	void *ctx;
	struct gw_index *index;
	struct gw_importer *importers[MAX_IMPORTERS];
	size_t n_importers;
	struct entry *entries[GW_CANDIDATES]; /* seen last first */
	size_t n;
	struct gw_map *by_identity, *by_channel;
	const char **filters; /* NULL: to be made */
	size_t n_filters;
	uint64_t bad;
	int64_t used;
};

/* --- entries --- */

static void entry_free(struct entry *e)
{
	gw_side_free(e->written);
	gw_side_free(e->described);
	gw_vars_fini(&e->c.vars);
	gw_free(e->channel);
	gw_free(e);
}

static void unlink_channel(struct gw_discovery *d, struct entry *e)
{
	if (e->channel) {
		(void)gw_map_remove(d->by_channel, gw_str(e->channel)); /* it is e */
		gw_free(e->channel);
		e->channel = NULL;
	}
}

static void drop(struct gw_discovery *d, struct entry *e)
{
	size_t i = 0;
	while (d->entries[i] != e) {
		i++;
	}
	memmove(&d->entries[i], &d->entries[i + 1], (--d->n - i) * sizeof(d->entries[0]));
	(void)gw_map_remove(d->by_identity, gw_str(e->c.identity)); /* it is e */
	unlink_channel(d, e);
	entry_free(e);
}

static void seen(struct gw_discovery *d, struct entry *e, int64_t wall_ms)
{
	size_t i = 0;
	while (d->entries[i] != e) {
		i++;
	}
	memmove(&d->entries[1], &d->entries[0], i * sizeof(d->entries[0]));
	d->entries[0] = e;
	e->c.last_seen_wall_ms = wall_ms;
	e->c.used = ++d->used;
}

static struct entry *find_or_make(struct gw_discovery *d, const char *identity, bool weak,
				  int64_t wall_ms)
{
	struct entry *e = gw_map_find(d->by_identity, gw_str(identity));
	if (e) {
		seen(d, e, wall_ms);
		return e;
	}
	if (d->n == GW_CANDIDATES) {
		drop(d, d->entries[d->n - 1]);
	}
	e = gw_new(struct entry);
	if (!e) {
		return NULL;
	}
	(void)snprintf(e->c.identity, sizeof(e->c.identity), "%s", identity); /* fits */
	if (gw_map_put(d->by_identity, gw_str(identity), e) < 0) {
		gw_free(e);
		return NULL;
	}
	gw_identity_id(identity, e->c.id);
	e->c.weak_identity = weak;
	e->c.first_seen_wall_ms = wall_ms;
	d->entries[d->n++] = e;
	seen(d, e, wall_ms);
	return e;
}

/* --- both sides → candidate --- */

/* What a device says of itself is better than what a profile says of it. */
#define TEXT_OF(e, member)                                                                         \
	((e)->described && (e)->described->member[0] ? (e)->described->member                      \
	 : (e)->written				     ? (e)->written->member                        \
						     : "")

static int take_vars(struct entry *e, const struct gw_side *a, const struct gw_side *b)
{
	struct gw_vars vars = {0};
	int r = gw_vars_copy(&vars, &a->vars);
	for (size_t i = 0; r == 0 && b && i < b->vars.count; i++) {
		const struct gw_vars_entry *v = &b->vars.entry[i];
		if (v->value && !gw_vars_get(&vars, v->name)) {
			r = gw_vars_set(&vars, gw_str(v->name), gw_str(v->value));
		}
	}
	if (r < 0) {
		gw_vars_fini(&vars);
		return r;
	}
	gw_vars_fini(&e->c.vars);
	e->c.vars = vars;
	return 0;
}

/* A written profile is trusted more than what a device says of itself, unless several match equally: then the owner chooses. */
static int compose(struct entry *e)
{
	const struct gw_side *w = e->written, *s = e->described;
	bool tie = w && w->n > 1;
	const struct gw_side *main = w ? w : s;
	int r = take_vars(e, main, tie ? s : NULL);
	if (r < 0) {
		return r;
	}
	size_t n = 0;
	for (size_t i = 0; tie && i < w->n; i++) {
		e->ties[n++] = w->profiles[i];
	}
	if (tie && s) {
		e->ties[n++] = s->profiles[0];
	}
	e->ties[n] = NULL;
	e->c.ties = tie ? e->ties : NULL;
	e->c.profile = tie ? NULL : main->profiles[0];
	e->c.described = !w;
	e->c.name = TEXT_OF(e, name);
	e->c.vendor = TEXT_OF(e, vendor);
	e->c.model = TEXT_OF(e, model);
	e->c.firmware = TEXT_OF(e, firmware);
	e->c.reason = main->reason;
	(void)snprintf(e->c.adapter, sizeof(e->c.adapter), "%s", main->adapter);
	return 0;
}

/* Everything but the times. */
static int fingerprint(const struct entry *e, uint8_t ret[SHA256_DIGEST_LENGTH])
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(FINGERPRINT_BYTES);
	const char *texts[] = {e->c.name, e->c.vendor, e->c.model, e->c.firmware, e->c.adapter};
	for (size_t i = 0; i < gw_countof(texts); i++) {
		gw_buf_add(&b, texts[i], strlen(texts[i]) + 1);
	}
	if (e->c.profile) {
		gw_buf_add(&b, gw_profile_digest(e->c.profile), SHA256_DIGEST_LENGTH);
	}
	for (size_t i = 0; e->c.ties && e->c.ties[i]; i++) {
		gw_buf_add(&b, gw_profile_digest(e->c.ties[i]), SHA256_DIGEST_LENGTH);
	}
	for (size_t i = 0; i < e->c.vars.count; i++) {
		const struct gw_vars_entry *v = &e->c.vars.entry[i];
		gw_buf_add(&b, v->name, strlen(v->name) + 1);
		gw_buf_puts(&b, v->value ? v->value : "");
		gw_buf_putc(&b, '\0');
	}
	int r = gw_buf_error(&b);
	return r == 0 && EVP_Digest(b.p, b.len, ret, /* size= */ NULL, EVP_sha256(),
				    /* impl= */ NULL) != 1
		       ? -ENOMEM
		       : r;
}

/*
 * One side is new (NULL: no more): the candidate follows, and is told of when it differs. Without a side it is gone.
 */
static void update(struct gw_discovery *d, struct entry *e, struct gw_side **where,
		   struct gw_side *side)
{
	uint8_t print[SHA256_DIGEST_LENGTH];
	gw_side_free(*where);
	*where = side;
	if (!e->written && !e->described) {
		char identity[sizeof(e->c.identity)], adapter[sizeof(e->c.adapter)];
		memcpy(identity, e->c.identity, sizeof(identity));
		memcpy(adapter, e->c.adapter, sizeof(adapter));
		bool told = e->c.adapter[0] != '\0';
		drop(d, e);
		if (told && d->ops.removed) {
			d->ops.removed(d->ctx, identity, adapter);
		}
		return;
	}
	if (compose(e) < 0 || fingerprint(e, print) < 0) {
		gw_log_error("discovery", "GW-DISCOVERY-MEMORY",
			     "out of memory, ignoring an announcement");
		drop(d, e);
		return;
	}
	if (memcmp(print, e->fingerprint, sizeof(print)) != 0) {
		memcpy(e->fingerprint, print, sizeof(print));
		e->c.dismissed = false;
		if (d->ops.changed) {
			d->ops.changed(d->ctx, &e->c);
		}
	}
}

/* --- malformed ones --- */

static void bad(struct gw_discovery *d, const char *adapter, struct gw_str channel, const char *why)
{
	if (d->bad++ == 0) {
		char text[GW_TOPIC_BYTES + 1];
		(void)gw_str_clean(channel, GW_TOPIC_BYTES, text, sizeof(text));
		gw_log_warning(
			"discovery", "GW-DISCOVERY-BAD",
			"%s: a malformed announcement on %s (%s), ignoring; more are only counted",
			adapter, text, why);
	}
}

/* --- self-descriptions --- */

static bool importer_wants(const struct gw_importer *i, struct gw_str topic)
{
	const char *const *f = gw_importer_class(i)->filters;
	for (; f && *f; f++) {
		if (gw_topic_matches(gw_str(*f), topic)) {
			return true;
		}
	}
	return false;
}

static void withdraw_description(struct gw_discovery *d, const char *identity)
{
	struct entry *e = gw_map_find(d->by_identity, gw_str(identity));
	if (e && e->described) {
		update(d, e, &e->described, NULL);
	}
}

static void take_description(struct gw_discovery *d, const char *adapter, const char *importer,
			     struct gw_str topic, const struct gw_imported *m, int64_t wall_ms)
{
	char origin[GW_TOPIC_BYTES + 1], identity[GW_IDENTITY_BYTES];
	struct gw_error error = {0};
	struct gw_side s = {.n = 1};
	(void)gw_str_clean(topic, GW_TOPIC_BYTES, origin, sizeof(origin));
	gw_side_clean(m->identity, identity, sizeof(identity));
	if (identity[0] == '\0') {
		return;
	}
	if (!m->profile) {
		withdraw_description(d, identity);
		return;
	}
	if (gw_profile_load_text(d->library, gw_str(m->profile), origin, GW_PROFILE_IMPORTED,
				 &s.profiles[0], &error) < 0) {
		bad(d, adapter, topic, error.text);
		return;
	}
	struct entry *e =
		gw_vars_copy(&s.vars, &m->vars) == 0
			? find_or_make(d, identity, !gw_identity_is_strong(identity), wall_ms)
			: NULL;
	if (!e) {
		gw_side_fini(&s);
		return;
	}
	gw_side_clean(m->name, s.name, sizeof(s.name));
	gw_side_clean(m->vendor, s.vendor, sizeof(s.vendor));
	gw_side_clean(m->model, s.model, sizeof(s.model));
	gw_side_clean(m->firmware, s.firmware, sizeof(s.firmware));
	(void)snprintf(s.adapter, sizeof(s.adapter), "%s", adapter);
	(void)snprintf(s.reason, sizeof(s.reason), "its own description (%s: %.180s)", importer,
		       origin);
	struct gw_side *kept = gw_side_keep(&s);
	gw_side_fini(&s);
	if (kept || (!e->written && !e->described)) { /* no memory: what was known stays */
		update(d, e, &e->described, kept);
	}
}

/* Whether an importer knows the topic. */
static bool describe(struct gw_discovery *d, const char *adapter, struct gw_str topic,
		     struct gw_str bytes, int64_t wall_ms)
{
	bool known = false;
	for (size_t i = 0; i < d->n_importers; i++) {
		struct gw_importer *im = d->importers[i];
		struct gw_import_result result = {0};
		struct gw_error error = {0};
		if (!importer_wants(im, topic)) {
			continue;
		}
		known = true;
		int r = gw_importer_class(im)->message(im, topic, bytes, &result, &error);
		if (r == -EBADMSG) {
			bad(d, adapter, topic, error.text);
		} else if (r < 0) {
			gw_log_error("discovery", "GW-DISCOVERY-IMPORT",
				     "a description cannot be read: %s", strerror(-r));
		}
		for (size_t k = 0; r == 0 && k < result.n_devices; k++) {
			take_description(d, adapter, gw_importer_class(im)->name, topic,
					 &result.devices[k], wall_ms);
		}
		gw_import_result_fini(&result);
	}
	return known;
}

/* --- written profiles --- */

/* The channel says something else now, or nothing: what it said before is over. */
static void forget_channel(struct gw_discovery *d, const char *key, const struct entry *except)
{
	struct entry *e = gw_map_find(d->by_channel, gw_str(key));
	if (e && e != except) {
		unlink_channel(d, e);
		update(d, e, &e->written, NULL);
	}
}

/* s is moved out of. Another channel of the same device counts when it says more. */
static void take_match(struct gw_discovery *d, const char *key, struct gw_side *s, struct entry *e)
{
	bool same = e->channel && strcmp(e->channel, key) == 0;
	if (e->written && !same && s->score <= e->written->score) {
		gw_side_fini(s);
		return;
	}
	if (!same) {
		unlink_channel(d, e);
		e->channel = gw_strdup(key);
		if (e->channel && gw_map_put(d->by_channel, gw_str(key), e) < 0) {
			gw_free(e->channel);
			e->channel = NULL;
		}
	}
	struct gw_side *kept = gw_side_keep(s);
	gw_side_fini(s);
	if (kept || (!e->written && !e->described)) { /* no memory: what was known stays */
		update(d, e, &e->written, kept);
	}
}

static void recognise(struct gw_discovery *d, const char *key, struct gw_str channel,
		      struct gw_side *s, int64_t wall_ms)
{
	char identity[GW_IDENTITY_BYTES];
	if (s->n == 0) {
		forget_channel(d, key, /* except= */ NULL);
		return;
	}
	bool weak = gw_identity_of(s->profiles[0], &s->vars, s->adapter, channel, identity);
	struct entry *e = find_or_make(d, identity, weak, wall_ms);
	if (!e) {
		gw_side_fini(s);
		return;
	}
	forget_channel(d, key, e);
	take_match(d, key, s, e);
}

void gw_discovery_observe(struct gw_discovery *d, const char *adapter, const char *kind,
			  struct gw_str channel, struct gw_str bytes, int64_t wall_ms)
{
	char key[KEY_BYTES];
	bool mqtt = strcmp(kind, "mqtt") == 0;
	if (channel.len == 0 || channel.len > GW_TOPIC_BYTES || bytes.len > GW_DESCRIPTION_BYTES ||
	    (mqtt && !gw_topic_is_topic(channel))) {
		bad(d, adapter, gw_str_sub(channel, 0, GW_TOPIC_BYTES), "its size or topic");
		return;
	}
	bool known = mqtt && describe(d, adapter, channel, bytes, wall_ms);
	if (mqtt && !gw_index_wants(d->index, channel)) {
		return;
	}
	(void)snprintf(key, sizeof(key), "%.31s\n%.31s\n%.*s", adapter, kind,
		       GW_STR_ARG(channel)); /* fits */
	if (mqtt && bytes.len == 0) {
		forget_channel(d, key, /* except= */ NULL);
		return;
	}
	struct gw_side s = {0};
	int r = gw_recognise(d->library, d->index, adapter, kind, channel, bytes, &s);
	if (r == 0) {
		recognise(d, key, channel, &s, wall_ms);
	} else if (r == -ENOMEM) {
		gw_log_error("discovery", "GW-DISCOVERY-MEMORY",
			     "out of memory, ignoring an announcement");
	} else if (!known) { /* an importer has other limits and has said what it thinks */
		bad(d, adapter, channel, "no JSON within the limits");
	}
}

/* --- filters --- */

bool gw_discovery_index_step(struct gw_discovery *d)
{
	gw_free(d->filters);
	d->filters = NULL;
	return gw_index_step(d->index);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *importer_filter(const struct gw_discovery *d, size_t i)
{
	for (size_t k = 0; k < d->n_importers; k++) {
		const char *const *f = gw_importer_class(d->importers[k])->filters;
		for (; f && *f; f++) {
			if (i-- == 0) {
				return *f;
			}
		}
	}
	return NULL;
}

const char *const *gw_discovery_filters(struct gw_discovery *d, size_t *ret_count)
{
	static const char *const none[] = {NULL};
	size_t a = 0, b = 0, n = 0;
	if (!d->filters) {
		while (gw_index_filter(d->index, a)) {
			a++;
		}
		while (importer_filter(d, b)) {
			b++;
		}
		const char **list = gw_array(const char *, a + b + 1);
		if (!list) {
			*ret_count = 0;
			return none;
		}
		for (size_t i = 0; i < a + b; i++) {
			list[i] = i < a ? gw_index_filter(d->index, i) : importer_filter(d, i - a);
		}
		qsort(list, a + b, sizeof(*list), compare);
		for (size_t i = 0; i < a + b; i++) {
			if (n == 0 || strcmp(list[n - 1], list[i]) != 0) {
				list[n++] = list[i];
			}
		}
		list[n] = NULL;
		d->filters = list;
		d->n_filters = n;
	}
	*ret_count = d->n_filters;
	return d->filters;
}

/* --- life and looking --- */

int gw_discovery_new(struct gw_library *l, const struct gw_discovery_ops *ops, void *ctx,
		     struct gw_discovery **ret_discovery)
{
	struct gw_discovery *d = gw_new(struct gw_discovery);
	if (!d) {
		return -ENOMEM;
	}
	d->library = l;
	d->ops = *ops;
	d->ctx = ctx;
	d->index = gw_index_new(l);
	d->by_identity = gw_map_new_inside(GW_CANDIDATES, offsetof(struct entry, c.identity));
	d->by_channel = gw_map_new(GW_CANDIDATES);
	bool ok = d->index && d->by_identity && d->by_channel;
	for (size_t i = 0; ok && i < MAX_IMPORTERS && gw_importer_class_at(i); i++) {
		d->importers[i] = gw_importer_new(gw_importer_class_at(i));
		ok = d->importers[i] != NULL;
		d->n_importers += ok;
	}
	if (!ok) {
		gw_discovery_free(d);
		return -ENOMEM;
	}
	*ret_discovery = d;
	return 0;
}

void gw_discovery_free(struct gw_discovery *d)
{
	if (!d) {
		return;
	}
	for (size_t i = 0; i < d->n; i++) {
		entry_free(d->entries[i]);
	}
	for (size_t i = 0; i < d->n_importers; i++) {
		gw_importer_free(d->importers[i]);
	}
	gw_map_free(d->by_identity, /* free_value= */ NULL);
	gw_map_free(d->by_channel, /* free_value= */ NULL);
	gw_index_free(d->index);
	gw_free(d->filters);
	gw_free(d);
}

size_t gw_discovery_count(const struct gw_discovery *d)
{
	return d->n;
}

const struct gw_candidate *gw_discovery_at(const struct gw_discovery *d, size_t i)
{
	return i < d->n ? &d->entries[i]->c : NULL;
}

const struct gw_candidate *gw_discovery_find(const struct gw_discovery *d, const char *id)
{
	for (size_t i = 0; i < d->n; i++) {
		if (strcmp(d->entries[i]->c.id, id) == 0) {
			return &d->entries[i]->c;
		}
	}
	return NULL;
}

const struct gw_candidate *gw_discovery_find_identity(const struct gw_discovery *d,
						      const char *identity)
{
	const struct entry *e = gw_map_find(d->by_identity, gw_str(identity));
	return e ? &e->c : NULL;
}

int gw_discovery_dismiss(struct gw_discovery *d, const char *id)
{
	for (size_t i = 0; i < d->n; i++) {
		if (strcmp(d->entries[i]->c.id, id) == 0) {
			d->entries[i]->c.dismissed = true;
			return 0;
		}
	}
	return -ENOENT;
}

uint64_t gw_discovery_bad_count(const struct gw_discovery *d)
{
	return d->bad;
}
