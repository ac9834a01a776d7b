#include "gw/import.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gw/alloc.h"
#include "profile/import/importer.h"

static const struct gw_importer_class *const classes[] = {
	&gw_importer_tasmota,
	&gw_importer_zigbee2mqtt,
	&gw_importer_homeassistant,
	&gw_importer_homie,
};

const struct gw_importer_class *gw_importer_class_at(size_t index)
{
	return index < gw_countof(classes) ? classes[index] : NULL;
}

struct gw_importer *gw_importer_new(const struct gw_importer_class *class)
{
	struct gw_importer *i = gw_new(struct gw_importer);
	if (i) {
		i->class = class;
		gw_list_init(&i->devices);
	}
	return i;
}

const struct gw_importer_class *gw_importer_class(const struct gw_importer *i)
{
	return i->class;
}

/* --- parts --- */

static struct gw_part_device *device_of(struct gw_list *l)
{
	return gw_container(l, struct gw_part_device, link);
}

static struct gw_part *part_of(struct gw_list *l)
{
	return gw_container(l, struct gw_part, link);
}

static void free_part(struct gw_importer *i, struct gw_part_device *d, struct gw_part *p)
{
	gw_list_remove(&p->link);
	d->n_parts--;
	i->bytes -= p->bytes;
	gw_free(p->key);
	gw_free(p->text);
	gw_free(p);
}

void gw_part_forget(struct gw_importer *i, struct gw_part_device *d)
{
	gw_list_for_safe(l, &d->parts)
	{
		free_part(i, d, part_of(l));
	}
	gw_list_remove(&d->link);
	i->n_devices--;
	gw_free(d);
}

void gw_importer_free(struct gw_importer *i)
{
	if (!i) {
		return;
	}
	gw_list_for_safe(l, &i->devices)
	{
		gw_part_forget(i, device_of(l));
	}
	gw_free(i);
}

struct gw_part_device *gw_part_find(struct gw_importer *i, const char *identity)
{
	gw_list_for(l, &i->devices)
	{
		if (strcmp(device_of(l)->identity, identity) == 0) {
			return device_of(l);
		}
	}
	return NULL;
}

static struct gw_part *find_part(const struct gw_part_device *d, struct gw_str key)
{
	gw_list_for(l, &d->parts)
	{
		if (gw_str_is(key, part_of(l)->key)) {
			return part_of(l);
		}
	}
	return NULL;
}

const struct gw_part *gw_part_get(const struct gw_part_device *d, struct gw_str key)
{
	return find_part(d, key);
}

struct gw_part_device *gw_part_find_key(struct gw_importer *i, struct gw_str key)
{
	gw_list_for(l, &i->devices)
	{
		if (find_part(device_of(l), key)) {
			return device_of(l);
		}
	}
	return NULL;
}

static struct gw_part_device *new_device(struct gw_importer *i, const char *identity)
{
	if (i->n_devices == GW_CANDIDATES) {
		gw_part_forget(i, device_of(i->devices.next));
	}
	struct gw_part_device *d = gw_new(struct gw_part_device);
	if (d) {
		gw_list_init(&d->link);
		gw_list_init(&d->parts);
		snprintf(d->identity, sizeof(d->identity), "%s", identity);
		gw_list_append(&i->devices, &d->link);
		i->n_devices++;
	}
	return d;
}

/* Behind the last part whose key is not greater, so that the order does not depend on arrival. */
static void insert_sorted(struct gw_part_device *d, struct gw_part *p)
{
	struct gw_list *before = d->parts.next;
	while (before != &d->parts && strcmp(part_of(before)->key, p->key) < 0) {
		before = before->next;
	}
	gw_list_append(before, &p->link);
	d->n_parts++;
}

int gw_part_put(struct gw_importer *i, const char *identity, struct gw_str key, struct gw_str text,
		struct gw_part_device **ret_device)
{
	struct gw_part_device *d = gw_part_find(i, identity);
	struct gw_part *old = d ? find_part(d, key) : NULL;
	if (!old && d && d->n_parts == GW_IMPORT_PARTS) {
		return -E2BIG;
	}
	d = d ? d : new_device(i, identity);
	struct gw_part *p = d ? gw_new(struct gw_part) : NULL;
	if (!p) {
		return -ENOMEM;
	}
	gw_list_init(&p->link);
	p->key = gw_strndup(key.p, key.len);
	p->text = gw_strndup(text.p, text.len);
	if (!p->key || !p->text) {
		gw_free(p->key);
		gw_free(p->text);
		gw_free(p);
		return -ENOMEM;
	}
	p->bytes = key.len + text.len + sizeof(*p);
	if (old) {
		free_part(i, d, old);
	}
	insert_sorted(d, p);
	i->bytes += p->bytes;
	gw_list_remove(&d->link); /* the most recent goes to the end */
	gw_list_append(&i->devices, &d->link);
	while (i->bytes > GW_IMPORT_BYTES && device_of(i->devices.next) != d) {
		gw_part_forget(i, device_of(i->devices.next));
	}
	*ret_device = d;
	return 0;
}

bool gw_part_remove(struct gw_importer *i, struct gw_part_device *d, struct gw_str key)
{
	struct gw_part *p = find_part(d, key);
	if (p) {
		free_part(i, d, p);
	}
	return p != NULL;
}

/* --- results --- */

int gw_part_removed(struct gw_part_device *d, struct gw_import_result *result)
{
	if (d->emitted == 0) {
		return 0;
	}
	struct gw_imported *out = gw_import_add(result);
	if (!out) {
		return -ENOMEM;
	}
	snprintf(out->identity, sizeof(out->identity), "%s", d->identity);
	d->emitted = 0;
	return 0;
}

static uint64_t add_to_hash(uint64_t h, const char *s)
{
	for (; *s; s++) {
		h = (h ^ (uint8_t)*s) * UINT64_C(0x100000001b3); /* FNV-1a */
	}
	return (h ^ 0xff) * UINT64_C(0x100000001b3); /* between texts */
}

void gw_part_emit(struct gw_part_device *d, struct gw_import_result *result)
{
	struct gw_imported *out = &result->devices[result->n_devices - 1];
	const char *texts[] = {out->profile, out->name, out->vendor, out->model, out->firmware};
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < gw_countof(texts); i++) {
		h = add_to_hash(h, texts[i]);
	}
	for (size_t i = 0; i < out->vars.count; i++) {
		h = add_to_hash(add_to_hash(h, out->vars.entry[i].name), out->vars.entry[i].value);
	}
	if (h == d->emitted) {
		gw_imported_fini(out);
		result->n_devices--;
	}
	d->emitted = h;
}
