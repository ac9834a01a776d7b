/* A dp of a device map → a raw point: the value as it comes, or a field of a blob. */
#include "profile/import/tuya.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* A made point, by what it reads. */
struct gw_tuya_field {
	struct gw_tuya_field *next;
	const char *id, *key; /* key: mask, sign and order; "": the whole */
	const char *point, *ref;
	unsigned first, bits; /* its bits in the blob, from the start */
	bool out;
};

static const struct {
	const char *word;
	enum gw_tuya_type type;
} types[] = {
	{"boolean", GW_TUYA_BOOLEAN}, {"integer", GW_TUYA_INTEGER}, {"bitfield", GW_TUYA_BITFIELD},
	{"string", GW_TUYA_STRING},   {"base64", GW_TUYA_BASE64},   {"hex", GW_TUYA_HEX},
	{"utf16b64", GW_TUYA_UTF16},  {"unixtime", GW_TUYA_TIME},   {"json", GW_TUYA_JSON},
	{"float", GW_TUYA_INTEGER},
};

static bool flag(const struct gw_node *map, const char *key)
{
	const struct gw_node *n = gw_node_get(map, key);
	return n && n->type == GW_NODE_BOOL && n->flag;
}

static const char *scalar(struct gw_draft *b, const struct gw_node *n)
{
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
	if (!n || gw_node_text_form(n, &text) < 0 || gw_buf_error(&text)) {
		return NULL;
	}
	return gw_draft_printf(b, "%s", text.p ? text.p : "");
}

static bool is_blob(const struct gw_tuya_dp *dp)
{
	return dp->type == GW_TUYA_BASE64 || dp->type == GW_TUYA_HEX;
}

/* --- masks: hex digits, the last one least significant --- */

static int digit(char c)
{
	return isdigit((unsigned char)c)    ? c - '0'
	       : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
					    : -1;
}

static bool mask_bit(const char *mask, size_t len, unsigned bit)
{
	return digit(mask[len - 1 - bit / 4]) >> bit % 4 & 1;
}

/* Lowest bit and width; false when it is no mask, or has a gap. */
static bool mask_bits(const char *mask, unsigned *ret_low, unsigned *ret_width)
{
	size_t len = strlen(mask);
	unsigned n = 0, low = 0, high = 0;
	for (size_t i = 0; i < len; i++) {
		if (digit(mask[i]) < 0) {
			return false;
		}
	}
	for (unsigned i = 0; i < len * 4; i++) {
		if (mask_bit(mask, len, i)) {
			low = n ? low : i;
			high = i;
			n++;
		}
	}
	*ret_low = low;
	*ret_width = high - low + 1;
	return n > 0 && high - low + 1 == n;
}

bool gw_tuya_open_dp(struct gw_tuya_entity *e, const struct gw_node *node, struct gw_tuya_dp *ret)
{
	struct gw_draft *b = e->t->b;
	const char *type = gw_node_text(node, "type");
	const struct gw_node *mapping = gw_node_get(node, "mapping"),
			     *mask = gw_node_get(node, "mask");
	*ret = (struct gw_tuya_dp){.entity = e,
				   .node = node,
				   .id = scalar(b, gw_node_get(node, "id")),
				   .name = gw_node_text(node, "name"),
				   .mapping = mapping && mapping->type == GW_NODE_LIST ? mapping
										       : NULL,
				   .mask = mask ? scalar(b, mask) : NULL,
				   .readonly = flag(node, "readonly"),
				   .hidden = flag(node, "hidden")};
	bool known = false;
	for (size_t i = 0; type && i < gw_countof(types); i++) {
		if (strcmp(types[i].word, type) == 0) {
			ret->type = types[i].type;
			known = true;
		}
	}
	if (!known || !ret->id || !ret->id[0] || !ret->name) {
		return false;
	}
	if (ret->mask && !is_blob(ret)) {
		ret->bits = mask_bits(ret->mask, &ret->low, &ret->width) && ret->low <= 52 &&
			    ret->width <= 52;
	}
	return true;
}

struct gw_tuya_dp *gw_tuya_dp(const struct gw_tuya_entity *e, const char *name)
{
	for (size_t i = 0; i < e->n; i++) {
		if (strcmp(e->dp[i].name, name) == 0) {
			return &e->dp[i];
		}
	}
	return NULL;
}

bool gw_tuya_writes(const struct gw_tuya_dp *dp)
{
	static const char *const shown[] = {"sensor", "binary_sensor", "event"};
	for (size_t i = 0; i < gw_countof(shown); i++) {
		if (strcmp(dp->entity->kind, shown[i]) == 0) {
			return false;
		}
	}
	return !dp->readonly;
}

/* --- points --- */

static struct gw_tuya_field *made(struct gw_tuya *t, const char *id, const char *key)
{
	for (struct gw_tuya_field *f = t->fields; f; f = f->next) {
		if (strcmp(f->id, id) == 0 && strcmp(f->key, key) == 0) {
			return f;
		}
	}
	return NULL;
}

static struct gw_tuya_field *keep_field(struct gw_tuya *t, const char *id, const char *key,
					const char *point, const char *ref)
{
	struct gw_tuya_field *f = gw_arena_alloc(t->b->a, sizeof(*f));
	if (!f) {
		t->b->failed = true;
		return NULL;
	}
	*f = (struct gw_tuya_field){
		.next = t->fields, .id = id, .key = key, .point = point, .ref = ref};
	t->fields = f;
	return f;
}

/* Bytes of the blob: what the longest mask or the format says. */
static unsigned blob_bytes(const struct gw_tuya_dp *dp)
{
	const struct gw_node *n = gw_node_get(dp->entity->t->blobs, dp->id);
	return n && n->type == GW_NODE_NUMBER ? (unsigned)n->number : 0;
}

static const char *layer(struct gw_tuya_dp *dp, const char *decode, const char *codec)
{
	struct gw_draft *b = dp->entity->t->b;
	const char *name = gw_draft_slug(b, gw_str(gw_draft_printf(b, "dp%s", dp->id)));
	if (gw_node_get(b->msgs, name)) {
		return name;
	}
	if (b->msgs->count == GW_PROFILE_MSGS) {
		return NULL;
	}
	struct gw_node *m = gw_set_map(b, b->msgs, name);
	gw_set_text(b, m, "from",
		    gw_draft_printf(b, "dps#%s", gw_draft_pointer(b, "", gw_str(dp->id))));
	gw_set_text(b, m, "decode", decode);
	gw_set_text(b, m, "codec", codec);
	return name;
}

static const char *blob_layer(struct gw_tuya_dp *dp)
{
	return layer(dp, dp->type == GW_TUYA_HEX ? "hex" : "base64", "bytes");
}

/* Two points may not write the same bits (§7); the whole and its fields neither. */
static bool may_write(const struct gw_tuya *t, const struct gw_tuya_field *f)
{
	for (const struct gw_tuya_field *o = t->fields; o; o = o->next) {
		bool whole = !o->key[0] || !f->key[0];
		if (o != f && o->out && strcmp(o->id, f->id) == 0 &&
		    (whole || (f->first < o->first + o->bits && o->first < f->first + f->bits))) {
			return false;
		}
	}
	return true;
}

static const char *with_access(struct gw_tuya_dp *dp, struct gw_tuya_field *f, bool writable)
{
	struct gw_tuya *t = dp->entity->t;
	struct gw_node *p = f ? gw_node_get(t->b->points, f->point) : NULL;
	if (!p) {
		return NULL;
	}
	if (writable && !f->out && may_write(t, f)) {
		f->out = true;
		gw_set_text(t->b, p, "out", f->ref);
		if (f->key[0]) { /* the other bytes stay as they are */
			gw_set_text(t->b, gw_node_get(t->b->msgs, blob_layer(dp)), "mode", "rmw");
		}
	}
	return f->point;
}

static const char *new_point(struct gw_tuya_dp *dp, const char *key, const char *ref,
			     const char *as, unsigned first, unsigned bits, bool writable)
{
	struct gw_tuya *t = dp->entity->t;
	const char *name = NULL;
	struct gw_node *p = gw_draft_point(t->b, dp->name, &name);
	if (!p) {
		return NULL;
	}
	gw_set_text(t->b, p, "in", ref);
	if (as) {
		gw_set_text(t->b, p, "as", as);
	}
	struct gw_tuya_field *f = keep_field(t, dp->id, key, name, ref);
	if (f) {
		f->first = first;
		f->bits = bits;
	}
	return with_access(dp, f, writable);
}

static const char *byte_type(struct gw_draft *b, unsigned bytes, bool is_signed, bool little)
{
	if (bytes == 5 || bytes == 7 || bytes > 8) {
		return NULL;
	}
	return gw_draft_printf(b, "%c%u%s", is_signed ? 's' : 'u', bytes * 8,
			       bytes == 1 ? ""
			       : little	  ? "le"
					  : "be");
}

static const char *field_point(struct gw_tuya_dp *dp, const char *key, unsigned at, unsigned bits,
			       unsigned bit, const char *as, bool writable)
{
	struct gw_draft *b = dp->entity->t->b;
	const char *msg = blob_layer(dp);
	if (!msg) {
		return NULL;
	}
	const char *ref = bits % 8 == 0 ? gw_draft_printf(b, "%s@%u", msg, at)
			  : bits == 1	? gw_draft_printf(b, "%s@%u.%u", msg, at, bit)
					: gw_draft_printf(b, "%s@%u.%u:%u", msg, at, bit, bits);
	unsigned first = at * 8 + (bits % 8 == 0 ? 0 : 7 - bit - (bits - 1));
	return new_point(dp, key, ref, bits % 8 == 0 ? as : NULL, first, bits, writable);
}

/* The field of a blob that the mask names. */
static const char *masked(struct gw_tuya_dp *dp, bool writable, const char **ret_why)
{
	struct gw_draft *b = dp->entity->t->b;
	const char *order = gw_node_text(dp->node, "endianness");
	bool little = order && strcmp(order, "little") == 0,
	     is_signed = flag(dp->node, "mask_signed");
	unsigned low = 0, width = 0, bytes = blob_bytes(dp);
	const char *key = gw_draft_printf(b, "%s %d%d", dp->mask, little, is_signed);
	struct gw_tuya_field *f = made(dp->entity->t, dp->id, key);
	if (f) {
		return with_access(dp, f, writable);
	}
	*ret_why = "a mask with gaps";
	if (!mask_bits(dp->mask, &low, &width)) {
		return NULL;
	}
	bool whole = width % 8 == 0 && low % 8 == 0;
	*ret_why = "a mask across bytes";
	if (!whole && (low % 8 + width > 8 || is_signed)) {
		return NULL;
	}
	const char *as = whole ? byte_type(b, width / 8, is_signed, little) : NULL;
	unsigned top = (low + width - 1) / 8; /* byte of the highest bit, from the least */
	if ((whole && !as) || top >= bytes) {
		return NULL;
	}
	*ret_why = "more than 31 blocks with fields";
	return field_point(dp, key, little ? low / 8 : bytes - 1 - top, width, low % 8, as,
			   writable);
}

const char *gw_tuya_blob_field(struct gw_tuya_dp *dp, const char *name, unsigned at, unsigned bytes,
			       unsigned all)
{
	struct gw_draft *b = dp->entity->t->b;
	const char *key = gw_draft_printf(b, "format %s", name);
	struct gw_tuya_field *f = made(dp->entity->t, dp->id, key);
	const char *as = byte_type(b, bytes, false, false);
	if (f || !as || at + bytes > all) {
		return f ? f->point : NULL;
	}
	const char *point = field_point(dp, key, at, bytes * 8, 0, as, !dp->readonly);
	struct gw_node *p = point ? gw_node_get(b->points, point) : NULL;
	if (p) {
		gw_set_number(b, p, "init", 0);
	}
	return point;
}

const char *gw_tuya_point(struct gw_tuya_dp *dp, bool writable, const char **ret_why)
{
	struct gw_tuya *t = dp->entity->t;
	if (dp->mask && is_blob(dp)) {
		return masked(dp, writable && !dp->readonly, ret_why);
	}
	*ret_why = "a mask with gaps";
	if (dp->mask && !dp->bits) {
		return NULL;
	}
	*ret_why = "more points or blocks than a profile holds";
	bool text16 = dp->type == GW_TUYA_UTF16;
	const char *key = text16 ? "utf16" : "";
	struct gw_tuya_field *f = made(t, dp->id, key);
	if (f) {
		return with_access(dp, f, writable && !dp->readonly && !text16);
	}
	const char *ref =
		gw_draft_printf(t->b, "dps#%s", gw_draft_pointer(t->b, "", gw_str(dp->id)));
	if (text16) {
		const char *msg = layer(dp, "utf16b64", "text");
		if (!msg) {
			return NULL;
		}
		ref = gw_draft_printf(t->b, "%s#", msg);
	}
	return new_point(dp, key, ref, /* as= */ NULL, 0, 0, writable && !dp->readonly && !text16);
}

struct gw_node *gw_tuya_own_point(struct gw_tuya_dp *dp, const char **ret_name)
{
	struct gw_draft *b = dp->entity->t->b;
	const char *why = NULL;
	const char *shared = gw_tuya_point(dp, /* writable= */ false, &why);
	const struct gw_node *from = shared ? gw_node_get(b->points, shared) : NULL;
	struct gw_node *p = from ? gw_draft_point(b, dp->name, ret_name) : NULL;
	if (!p) {
		return NULL;
	}
	gw_set_node(b, p, "in", gw_copy(b, gw_node_get(from, "in")));
	const struct gw_node *as = gw_node_get(from, "as");
	if (as) {
		gw_set_node(b, p, "as", gw_copy(b, as));
	}
	return p;
}

/* --- raw values --- */

static struct gw_node *raw_number(struct gw_draft *b, const struct gw_node *n)
{
	double v = 0;
	if (n->type == GW_NODE_TEXT && gw_parse_double(n->text, &v) < 0) {
		return NULL;
	}
	if (n->type == GW_NODE_TEXT) {
		return gw_node_new_number(b->a, v);
	}
	return n->type == GW_NODE_BOOL ? gw_node_new_number(b->a, n->flag ? 1 : 0) : gw_copy(b, n);
}

static struct gw_node *raw_scalar(struct gw_tuya_dp *dp, const struct gw_node *n)
{
	struct gw_draft *b = dp->entity->t->b;
	if (n->type == GW_NODE_NULL) {
		return gw_copy(b, n);
	}
	if (n->type == GW_NODE_LIST || n->type == GW_NODE_MAP) {
		return NULL;
	}
	bool number = dp->type == GW_TUYA_INTEGER || dp->type == GW_TUYA_BITFIELD ||
		      dp->type == GW_TUYA_TIME || (dp->mask && is_blob(dp));
	if (number) {
		return raw_number(b, n);
	}
	if (dp->type == GW_TUYA_BOOLEAN) {
		const char *text = scalar(b, n);
		struct gw_str word = gw_str(text ? text : "");
		bool yes =
			gw_str_is(word, "true") || gw_str_is(word, "True") || gw_str_is(word, "1");
		bool no = gw_str_is(word, "false") || gw_str_is(word, "False") ||
			  gw_str_is(word, "0");
		if (!yes && !no) {
			return NULL;
		}
		return gw_bool_node(b, yes);
	}
	if (n->type == GW_NODE_BOOL) { /* as Python prints it */
		return gw_text_node(b, n->flag ? GW_STR("True") : GW_STR("False"));
	}
	return gw_text_node(b, gw_str(scalar(b, n)));
}

struct gw_node *gw_tuya_raw(struct gw_tuya_dp *dp, const struct gw_node *dps_val)
{
	struct gw_draft *b = dp->entity->t->b;
	if (!dps_val || dps_val->type != GW_NODE_LIST) {
		return dps_val ? raw_scalar(dp, dps_val) : NULL;
	}
	struct gw_node *list = gw_node_new(b->a, GW_NODE_LIST);
	gw_node_for(n, dps_val)
	{
		struct gw_node *raw = raw_scalar(dp, n);
		if (raw && list) {
			gw_add_node(b, list, raw);
		}
	}
	return list && list->count > 0 ? list : NULL;
}
