/* JSON Pointers with selectors on trees (profile-language §7): looking up, and setting with what is missing made. */
#include <errno.h>

#include "gw/alloc.h"
#include "profile/plan.h"

static bool has_text_form(const struct gw_node *n, const struct gw_text *want)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(4096);
	if (!n) {
		return false;
	}
	if (n->type == GW_NODE_TEXT) {
		return gw_str_eq(n->text, gw_text_str(want));
	}
	return gw_node_text_form(n, &b) == 0 && gw_str_eq(gw_buf_str(&b), gw_text_str(want));
}

static struct gw_node *select_element(const struct gw_node *list, const struct gw_step *s)
{
	gw_node_for(item, list)
	{
		const struct gw_node *m = s->positional && item->type == GW_NODE_LIST
						  ? gw_node_at(item, s->index)
						  : gw_node_get_str(item, gw_text_str(s->key));
		if (has_text_form(m, s->value)) {
			return item;
		}
	}
	return NULL;
}

static struct gw_node *step_into(const struct gw_node *n, const struct gw_step *s)
{
	if (s->select) {
		return n->type == GW_NODE_LIST ? select_element(n, s) : NULL;
	}
	if (n->type == GW_NODE_LIST) {
		return s->index == UINT32_MAX ? NULL : gw_node_at(n, s->index);
	}
	return gw_node_get_str(n, gw_text_str(s->key));
}

const struct gw_node *gw_path_get(const struct gw_node *root, const struct gw_ref *ref)
{
	const struct gw_node *n = root;
	for (uint16_t i = 0; n && i < ref->n_steps; i++) {
		n = step_into(n, &ref->steps[i]);
	}
	return n;
}

static struct gw_node *new_container(struct gw_arena *a, const struct gw_step *next)
{
	return gw_node_new(a, next->select ? GW_NODE_LIST : GW_NODE_MAP);
}

/* A missing element of a selector is appended as {k: v}. */
static struct gw_node *append_element(struct gw_arena *a, struct gw_node *list,
				      const struct gw_step *s)
{
	struct gw_node *item = gw_node_new(a, GW_NODE_MAP);
	double number;
	bool as_number = s->number && gw_parse_double(gw_text_str(s->value), &number) == 0;
	struct gw_node *v = as_number ? gw_node_new_number(a, number)
				      : gw_node_new_text(a, gw_text_str(s->value));
	if (!item || !v || gw_node_set(a, item, gw_text_str(s->key), v) < 0 ||
	    gw_node_append(list, item) < 0) {
		return NULL;
	}
	return item;
}

/* Overwrites a node in place, keeping its key and its neighbours. */
static void replace(struct gw_node *n, const struct gw_node *v)
{
	struct gw_node old = *n;
	*n = *v;
	n->key = old.key;
	n->next = old.next;
}

static int put(struct gw_arena *a, struct gw_node *parent, const struct gw_step *s,
	       struct gw_node *v)
{
	struct gw_node *old = step_into(parent, s);
	if (old) {
		replace(old, v);
		return 0;
	}
	if (parent->type == GW_NODE_LIST) {
		return s->index == parent->count ? gw_node_append(parent, v) : -EINVAL;
	}
	return parent->type == GW_NODE_MAP ? gw_node_set(a, parent, gw_text_str(s->key), v)
					   : -EINVAL;
}

int gw_path_set(struct gw_arena *a, struct gw_node **root, const struct gw_ref *ref,
		struct gw_node *v)
{
	if (ref->n_steps == 0) {
		*root = v;
		return 0;
	}
	if (!*root) {
		*root = new_container(a, &ref->steps[0]);
	}
	struct gw_node *n = *root;
	for (uint16_t i = 0; n && i + 1 < ref->n_steps; i++) {
		const struct gw_step *s = &ref->steps[i];
		struct gw_node *child = step_into(n, s);
		if (!child && s->select) {
			child = n->type == GW_NODE_LIST ? append_element(a, n, s) : NULL;
		} else if (!child || (child->type != GW_NODE_LIST && child->type != GW_NODE_MAP)) {
			struct gw_node *made = new_container(a, &ref->steps[i + 1]);
			int r = made ? put(a, n, s, made) : -ENOMEM;
			if (r < 0) {
				return r;
			}
			child = step_into(n, s);
		}
		if (!child) {
			return -EINVAL;
		}
		n = child;
	}
	const struct gw_step *last = &ref->steps[ref->n_steps - 1];
	if (!n || last->select) {
		return n ? -EINVAL : -ENOMEM;
	}
	return put(a, n, last, v);
}

void gw_extract_tree(const struct gw_pl_msg *m, const struct gw_node *tree, struct gw_found *found)
{
	for (uint16_t i = 0; i < m->n_extracts; i++) {
		const struct gw_ref *ref = m->extracts[i].ref;
		const struct gw_node *n = ref->kind == GW_REF_TREE ? gw_path_get(tree, ref) : NULL;
		if (n) {
			found[i] = (struct gw_found){
				.kind = n->type == GW_NODE_NULL ? GW_FOUND_NULL : GW_FOUND_NODE,
				.node = n};
		}
	}
}
