/* Command templates: what is sent for a wanted value. */
#include <errno.h>

#include "gw/alloc.h"
#include "gw/limits.h"
#include "profile/import/ha_template.h"

/* Stands for the value while the JSON around it is parsed: a control character that no template holds. */
#define MARK "\\u0001"

static int refuse(const char **ret_why, const char *why)
{
	*ret_why = why;
	return -ENOTSUP;
}

static size_t find(struct gw_str s, const char *token, size_t from)
{
	size_t n = strlen(token);
	for (size_t i = from; i + n <= s.len; i++) {
		if (memcmp(s.p + i, token, n) == 0) {
			return i;
		}
	}
	return s.len;
}

/* Where the marked text stands; counts how many there are. */
static void find_mark(const struct gw_node *n, struct gw_buf *path, struct gw_buf *found,
		      unsigned *count, unsigned depth)
{
	if (n->type == GW_NODE_TEXT && n->text.len == 1 && n->text.p[0] == 1) {
		gw_buf_reset(found);
		gw_buf_add_str(found, gw_buf_str(path));
		(*count)++;
	}
	if ((n->type != GW_NODE_MAP && n->type != GW_NODE_LIST) || depth == GW_BODY_DEPTH) {
		return;
	}
	size_t mark = path->len, index = 0;
	gw_node_for(child, n)
	{
		gw_buf_putc(path, '/');
		if (n->type == GW_NODE_LIST) {
			gw_buf_printf(path, "%zu", index++);
		}
		for (size_t i = 0; n->type == GW_NODE_MAP && i < child->key.len; i++) {
			char c = child->key.p[i];
			if (c == '~' || c == '/') {
				gw_buf_puts(path, c == '~' ? "~0" : "~1");
			} else {
				gw_buf_putc(path, c);
			}
		}
		find_mark(child, path, found, count, depth + 1);
		gw_buf_truncate(path, mark);
	}
}

/* Removes the member that pointer names, so that what is left is the fixed part. */
static void remove_at(struct gw_node *root, struct gw_str pointer)
{
	size_t last = pointer.len;
	while (last > 0 && pointer.p[last - 1] != '/') {
		last--;
	}
	struct gw_node *parent =
		gw_node_pointer(root, gw_str_sub(pointer, 0, last > 0 ? last - 1 : 0));
	if (!parent || parent->type != GW_NODE_MAP) {
		return;
	}
	gw_node_for(child, parent)
	{
		if (child->type == GW_NODE_TEXT && child->text.len == 1 && child->text.p[0] == 1) {
			(void)gw_node_remove(parent, child->key); /* it is there */
			return;
		}
	}
}

static int parse_around(struct gw_arena *a, struct gw_str json, struct gw_tpl_command *c,
			const char **ret_why)
{
	static const struct gw_node_limits limits = {.max_bytes = GW_BODY_BYTES,
						     .max_depth = GW_BODY_DEPTH,
						     .max_nodes = GW_BODY_NODES,
						     .max_text_bytes = GW_BODY_TEXT_BYTES};
	struct gw_node *root;
	int r = gw_node_parse_json(a, json, &limits, &root, /* reterr_= */ NULL);
	if (r == -ENOMEM) {
		*ret_why = "out of memory";
		return r;
	}
	if (r < 0 || root->type != GW_NODE_MAP) {
		return refuse(ret_why, "text around the value that is no JSON object");
	}
	GW_AUTO(gw_buf_fini) struct gw_buf path = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
	GW_AUTO(gw_buf_fini) struct gw_buf found = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
	unsigned count = 0;
	find_mark(root, &path, &found, &count, 0);
	if (count != 1 || gw_buf_error(&found)) {
		return refuse(ret_why, "a value that is part of a longer text");
	}
	struct gw_str pointer = gw_arena_text(a, gw_buf_str(&found));
	if (!pointer.p) {
		*ret_why = "out of memory";
		return -ENOMEM;
	}
	remove_at(root, pointer);
	c->json = true;
	c->pointer = pointer.p;
	c->base = root->count > 0 ? root : NULL;
	return 0;
}

int gw_tpl_command(struct gw_arena *a, struct gw_str text, struct gw_tpl_command *ret,
		   const char **ret_why)
{
	struct gw_str s = gw_str_trim(text);
	size_t open = find(s, "{{", 0), close = find(s, "}}", open);
	struct gw_tpl_command c = {.expression = s, .pointer = ""};
	/* {{ }} alone, or a {% %} text; a JSON text may begin with {" as well */
	if (gw_str_starts(s, "{%") || (open == 0 && close + 2 == s.len)) {
		*ret = c;
		return 0;
	}
	if (open == s.len || close == s.len || find(s, "{{", close) != s.len) {
		return refuse(ret_why, "not exactly one {{ }}");
	}
	struct gw_str before = gw_str_sub(s, 0, open);
	struct gw_str after = gw_str_sub(s, close + 2, s.len);
	c.expression = gw_str_sub(s, open, close + 2 - open);
	c.quoted = gw_str_ends(before, "\"") && gw_str_starts(after, "\"");
	GW_AUTO(gw_buf_fini) struct gw_buf json = GW_BUF_INIT(GW_BODY_BYTES);
	gw_buf_add_str(&json, before);
	gw_buf_puts(&json, c.quoted ? MARK : "\"" MARK "\"");
	gw_buf_add_str(&json, after);
	if (gw_buf_error(&json)) {
		*ret_why = "out of memory";
		return -ENOMEM;
	}
	int r = parse_around(a, gw_buf_str(&json), &c, ret_why);
	if (r == 0) {
		*ret = c;
	}
	return r;
}
