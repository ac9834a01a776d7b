/* Form bodies (profile-language §6): a=1&b=2, a map of texts. */
#include <errno.h>

#include "gw/alloc.h"
#include "gw/limits.h"
#include "profile/state.h"

static int percent_decode(struct gw_str s, struct gw_buf *b)
{
	for (size_t i = 0; i < s.len; i++) {
		uint64_t byte;
		if (s.p[i] == '+') {
			gw_buf_putc(b, ' ');
		} else if (s.p[i] != '%') {
			gw_buf_putc(b, s.p[i]);
		} else {
			if (i + 2 >= s.len || gw_parse_hex(gw_str_sub(s, i + 1, 2), &byte) < 0) {
				return -EBADMSG;
			}
			gw_buf_putc(b, (char)byte);
			i += 2;
		}
	}
	int r = gw_buf_error(b);
	return r == -ENOMEM ? r : r == 0 && gw_str_is_utf8(gw_buf_str(b)) ? 0 : -EBADMSG;
}

static int member(struct gw_arena *a, struct gw_node *map, struct gw_str pair)
{
	const char *equals = memchr(pair.p, '=', pair.len);
	size_t at = equals ? (size_t)(equals - pair.p) : pair.len;
	GW_AUTO(gw_buf_fini) struct gw_buf key = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
	GW_AUTO(gw_buf_fini) struct gw_buf value = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
	int r = percent_decode(gw_str_sub(pair, 0, at), &key);
	r = r < 0 ? r : percent_decode(gw_str_sub(pair, at + 1, pair.len), &value);
	if (r < 0) {
		return r;
	}
	struct gw_node *n = gw_node_new_text(a, gw_buf_str(&value));
	return n ? gw_node_set(a, map, gw_buf_str(&key), n) : -ENOMEM;
}

static int parse(struct gw_arena *a, struct gw_str text, struct gw_node **ret_tree)
{
	struct gw_node *map = gw_node_new(a, GW_NODE_MAP);
	struct gw_str pair;
	int r = map ? 0 : -ENOMEM;
	for (struct gw_str rest = text;
	     r == 0 && text.len > 0 && gw_str_split(&rest, '&', &pair);) {
		r = map->count < GW_BODY_NODES && pair.len > 0 ? member(a, map, pair) : -EBADMSG;
	}
	if (r == 0) {
		*ret_tree = map;
	}
	return r;
}

static void percent_encode(struct gw_buf *b, struct gw_str s)
{
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i], low = (char)(c | 0x20);
		if ((c >= '0' && c <= '9') || (low >= 'a' && low <= 'z') ||
		    (c && strchr("-._~", c))) {
			gw_buf_putc(b, c);
		} else {
			gw_buf_putc(b, '%');
			gw_buf_putc(b, digits[(uint8_t)c >> 4]);
			gw_buf_putc(b, digits[(uint8_t)c & 15]);
		}
	}
}

static int print(const struct gw_node *tree, struct gw_buf *b)
{
	if (tree->type == GW_NODE_TEXT) { /* a fixed body written as it goes out */
		gw_buf_add_str(b, tree->text);
	}
	gw_node_for(n, tree->type == GW_NODE_MAP ? tree : NULL)
	{
		GW_AUTO(gw_buf_fini) struct gw_buf value = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
		int r = gw_node_text_form(n, &value);
		if (r < 0) {
			return r == -ENOMEM ? r : -EINVAL; /* scalars only */
		}
		if (b->len > 0) {
			gw_buf_putc(b, '&');
		}
		percent_encode(b, n->key);
		gw_buf_putc(b, '=');
		percent_encode(b, gw_buf_str(&value));
	}
	return gw_buf_error(b);
}

const struct gw_codec_ops gw_codec_form = {.name = "form",
					   .codec = GW_CODEC_FORM,
					   .tree = true,
					   .text = true,
					   .refs = GW_REF_TREE,
					   .mode = GW_MODE_PATCH,
					   .extract = gw_tree_extract,
					   .compose = gw_tree_compose,
					   .parse = parse,
					   .print = print};
