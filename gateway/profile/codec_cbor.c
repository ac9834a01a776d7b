/* CBOR bodies (RFC 8949) as the same tree as JSON: map keys in text form, byte strings as lower-case hex text. */
#include <errno.h>
#include <math.h>

#include "gw/alloc.h"
#include "gw/limits.h"
#include "profile/state.h"

enum major { UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE };

struct reader {
	const uint8_t *p, *end;
	struct gw_arena *a;
	size_t nodes;
};

struct head {
	enum major major;
	uint8_t info;
	uint64_t value;
	bool indefinite;
};

static int read_head(struct reader *r, struct head *h)
{
	if (r->p == r->end) {
		return -EBADMSG;
	}
	*h = (struct head){.major = (enum major)(*r->p >> 5), .info = *r->p & 31};
	r->p++;
	h->indefinite = h->info == 31;
	if (h->info < 24 || h->indefinite) {
		h->value = h->info;
		return 0;
	}
	size_t n = h->info < 28 ? (size_t)1 << (h->info - 24) : 0;
	if (n == 0 || (size_t)(r->end - r->p) < n) {
		return -EBADMSG;
	}
	for (size_t i = 0; i < n; i++) {
		h->value = h->value << 8 | *r->p++;
	}
	return 0;
}

/* RFC 8949 appendix D */
static double half(uint64_t v)
{
	int exponent = (int)(v >> 10 & 31);
	double mantissa = (double)(v & 1023);
	double x = exponent == 0    ? ldexp(mantissa, -24)
		   : exponent != 31 ? ldexp(mantissa + 1024, exponent - 25)
		   : mantissa == 0  ? INFINITY
				    : NAN;
	return v & 0x8000 ? -x : x;
}

static struct gw_node *number_node(struct reader *r, double v)
{
	struct gw_raw raw = gw_raw_number(v);
	return raw.type == GW_RAW_NUMBER ? gw_node_new_number(r->a, raw.number)
					 : gw_node_new(r->a, GW_NODE_NULL);
}

static struct gw_node *simple_node(struct reader *r, const struct head *h)
{
	float f;
	double d;
	uint32_t word = (uint32_t)h->value;
	switch (h->info) {
	case 20:
	case 21: return gw_node_new_bool(r->a, h->info == 21);
	case 25: return number_node(r, half(h->value));
	case 26: memcpy(&f, &word, sizeof(f)); return number_node(r, (double)f);
	case 27: memcpy(&d, &h->value, sizeof(d)); return number_node(r, d);
	default: return gw_node_new(r->a, GW_NODE_NULL); /* null, undefined, unassigned */
	}
}

static int read_string(struct reader *r, const struct head *h, struct gw_node **ret)
{
	if (h->indefinite || h->value > (uint64_t)(r->end - r->p) ||
	    h->value > GW_BODY_TEXT_BYTES) {
		return -EBADMSG; /* in pieces: not used by the devices that we speak to */
	}
	struct gw_str s = {(const char *)r->p, (size_t)h->value};
	r->p += h->value;
	if (h->major == TEXT) {
		if (!gw_str_is_utf8(s)) {
			return -EBADMSG;
		}
		*ret = gw_node_new_text(r->a, s);
		return *ret ? 0 : -ENOMEM;
	}
	GW_AUTO(gw_buf_fini) struct gw_buf hex = GW_BUF_INIT(2 * GW_BODY_TEXT_BYTES);
	gw_layer_encode(GW_DECODE_HEX, s, &hex);
	*ret = gw_buf_error(&hex) ? NULL : gw_node_new_text(r->a, gw_buf_str(&hex));
	return *ret ? 0 : -ENOMEM;
}

static int read_item(struct reader *r, unsigned depth, struct gw_node **ret);

static bool at_break(struct reader *r)
{
	bool is = r->p < r->end && *r->p == 0xff;
	r->p += is;
	return is;
}

static int read_member(struct reader *r, unsigned depth, struct gw_node *map)
{
	struct gw_node *key, *value;
	int res = read_item(r, depth, &key);
	res = res < 0 ? res : read_item(r, depth, &value);
	if (res < 0) {
		return res;
	}
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(2 * GW_BODY_TEXT_BYTES);
	res = gw_node_text_form(key, &b);
	if (res < 0) {
		return res == -ENOMEM ? res : -EBADMSG;
	}
	struct gw_str text = gw_buf_str(&b);
	return gw_node_get_str(map, text) ? -EBADMSG : gw_node_set(r->a, map, text, value);
}

static int read_container(struct reader *r, const struct head *h, unsigned depth,
			  struct gw_node **ret)
{
	struct gw_node *n = gw_node_new(r->a, h->major == MAP ? GW_NODE_MAP : GW_NODE_LIST);
	if (!n) {
		return -ENOMEM;
	}
	for (uint64_t i = 0; h->indefinite ? !at_break(r) : i < h->value; i++) {
		struct gw_node *item;
		int res = h->major == MAP ? read_member(r, depth + 1, n)
					  : read_item(r, depth + 1, &item);
		if (res == 0 && h->major == ARRAY) {
			res = gw_node_append(n, item);
		}
		if (res < 0) {
			return res;
		}
	}
	*ret = n;
	return 0;
}

static int read_item(struct reader *r, unsigned depth, struct gw_node **ret)
{
	struct head h;
	int res = depth > GW_BODY_DEPTH || ++r->nodes > GW_BODY_NODES ? -EBADMSG : read_head(r, &h);
	while (res == 0 && h.major == TAG && !h.indefinite &&
	       ++r->nodes <= GW_BODY_NODES) { /* a tag says nothing to us */
		res = read_head(r, &h);
	}
	if (res < 0) {
		return res;
	}
	switch (h.major) {
	case UNSIGNED:
	case NEGATIVE:
		if (h.indefinite) {
			return -EBADMSG;
		}
		*ret = number_node(r, h.major == UNSIGNED ? (double)h.value : -1 - (double)h.value);
		break;
	case BYTES:
	case TEXT: return read_string(r, &h, ret);
	case ARRAY:
	case MAP: return read_container(r, &h, depth, ret);
	case TAG: return -EBADMSG;
	case SIMPLE:
		if (h.indefinite) {
			return -EBADMSG;
		}
		*ret = simple_node(r, &h);
		break;
	}
	return *ret ? 0 : -ENOMEM;
}

static int parse(struct gw_arena *a, struct gw_str bytes, struct gw_node **ret_tree)
{
	struct reader r = {
		.p = (const uint8_t *)bytes.p, .end = (const uint8_t *)bytes.p + bytes.len, .a = a};
	struct gw_node *tree = NULL;
	int res = read_item(&r, 0, &tree);
	if (res == 0 && r.p != r.end) {
		res = -EBADMSG;
	}
	if (res == 0) {
		*ret_tree = tree;
	}
	return res;
}

/* --- writing --- */

static void put_head(struct gw_buf *b, enum major major, uint64_t v)
{
	unsigned n = v < 24	       ? 0
		     : v <= UINT8_MAX  ? 1
		     : v <= UINT16_MAX ? 2
		     : v <= UINT32_MAX ? 4
				       : 8;
	unsigned info = n == 0 ? (unsigned)v : n == 1 ? 24 : n == 2 ? 25 : n == 4 ? 26 : 27;
	gw_buf_putc(b, (char)((unsigned)major << 5 | info));
	for (unsigned i = n; i-- > 0;) {
		gw_buf_putc(b, (char)(v >> (i * 8)));
	}
}

static void put_number(struct gw_buf *b, double v)
{
	if (v == floor(v) && fabs(v) < 9007199254740992.0) {
		put_head(b, v < 0 ? NEGATIVE : UNSIGNED, v < 0 ? (uint64_t)(-1 - v) : (uint64_t)v);
		return;
	}
	uint64_t bits;
	memcpy(&bits, &v, sizeof(bits));
	gw_buf_putc(b, (char)((unsigned)SIMPLE << 5 | 27));
	for (unsigned i = 8; i-- > 0;) {
		gw_buf_putc(b, (char)(bits >> (i * 8)));
	}
}

static int encode(const struct gw_node *n, unsigned depth, struct gw_buf *b)
{
	if (depth > GW_BODY_DEPTH) {
		return -E2BIG;
	}
	switch (n->type) {
	case GW_NODE_NULL: gw_buf_putc(b, (char)0xf6); break;
	case GW_NODE_BOOL: gw_buf_putc(b, (char)(n->flag ? 0xf5 : 0xf4)); break;
	case GW_NODE_NUMBER: put_number(b, n->number); break;
	case GW_NODE_TEXT:
		put_head(b, TEXT, n->text.len);
		gw_buf_add_str(b, n->text);
		break;
	case GW_NODE_LIST:
	case GW_NODE_MAP:
		put_head(b, n->type == GW_NODE_MAP ? MAP : ARRAY, n->count);
		gw_node_for(child, n)
		{
			if (n->type == GW_NODE_MAP) {
				put_head(b, TEXT, child->key.len);
				gw_buf_add_str(b, child->key);
			}
			int r = encode(child, depth + 1, b);
			if (r < 0) {
				return r;
			}
		}
		break;
	}
	return gw_buf_error(b);
}

static int print(const struct gw_node *tree, struct gw_buf *b)
{
	return encode(tree, 0, b);
}

const struct gw_codec_ops gw_codec_cbor = {.name = "cbor",
					   .codec = GW_CODEC_CBOR,
					   .tree = true,
					   .refs = GW_REF_TREE,
					   .mode = GW_MODE_PATCH,
					   .extract = gw_tree_extract,
					   .compose = gw_tree_compose,
					   .parse = parse,
					   .print = print};
