/* What codecs have in common whose bodies are trees: json, cbor, form. */
#include <errno.h>

#include "gw/alloc.h"
#include "gw/limits.h"
#include "profile/compose.h"
#include "profile/state.h"

int gw_tree_extract(struct gw_binding *b, const struct gw_pl_msg *m, const struct gw_body *body,
		    struct gw_found *found, struct gw_arena **a)
{
	struct gw_node *tree = NULL;
	(void)b;
	if (body->tree) {
		gw_extract_tree(m, body->tree, found);
		return 0;
	}
	*a = gw_arena_new(GW_TREE_BYTES);
	if (!*a) {
		return -ENOMEM;
	}
	int r = m->codec->parse(*a, body->bytes, &tree);
	if (r < 0) {
		return r;
	}
	gw_extract_tree(m, tree, found);
	return 0;
}

int gw_tree_compose(struct gw_composing *c, const struct gw_pl_msg *m)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(GW_BODY_BYTES);
	struct gw_node *tree = NULL;
	int r = gw_compose_tree(c, m, &tree);
	if (r < 0) {
		return r;
	}
	r = m->codec->print(tree, &b);
	if (r == -EINVAL) {
		return gw_write_refuse(c->w, "value", "a %s body cannot hold this", m->codec->name);
	}
	size_t i = (size_t)(m - c->w->plan->msgs);
	c->trees[i] = m->codec->text ? NULL : tree;
	c->bodies[i] = gw_arena_text(c->w->arena, gw_buf_str(&b));
	return r < 0 ? r : c->bodies[i].p ? 0 : -ENOMEM;
}
