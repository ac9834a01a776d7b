/* From what was built to the text of a profile. */
#include <errno.h>
#include <stdio.h>

#include "gw/alloc.h"
#include "profile/import/draft.h"

void gw_imported_fini(struct gw_imported *d)
{
	gw_free(d->profile);
	gw_vars_fini(&d->vars);
	*d = (struct gw_imported){.profile = NULL};
}

void gw_import_result_fini(struct gw_import_result *r)
{
	for (size_t i = 0; i < r->n_devices; i++) {
		gw_imported_fini(&r->devices[i]);
	}
	gw_free(r->devices);
	gw_free(r->notes);
	gw_free(r->points);
	*r = (struct gw_import_result){.devices = NULL};
}

struct gw_imported *gw_import_add(struct gw_import_result *r)
{
	if (r->n_devices == GW_CANDIDATES) {
		return NULL;
	}
	struct gw_imported *devices =
		gw_realloc(r->devices, r->n_devices + 1, sizeof(struct gw_imported));
	if (!devices) {
		return NULL;
	}
	r->devices = devices;
	devices[r->n_devices] = (struct gw_imported){.profile = NULL};
	return &devices[r->n_devices++];
}

static void clean(const char *from, char *to, size_t cap)
{
	(void)gw_str_clean(gw_str(from), cap - 1, to, cap); /* length unused */
}

/* "acme.x1": only what an id may hold. */
static const char *id_part(struct gw_draft *b, const char *text, const char *fallback)
{
	const char *slug = gw_draft_slug(b, gw_str(text));
	return slug[0] ? slug : fallback;
}

/* FNV-1a, 64 bit: tells profiles of one model apart; not a digest. */
static uint64_t fingerprint(struct gw_str s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < s.len; i++) {
		h = (h ^ (uint8_t)s.p[i]) * UINT64_C(0x100000001b3);
	}
	return h;
}

static void set_vars(struct gw_draft *b, struct gw_node *root)
{
	struct gw_node *vars = gw_set_map(b, root, "vars");
	for (size_t i = 0; i < b->n_levels; i++) {
		struct gw_node *v = gw_set_map(b, vars, b->level[i].name);
		if (i == b->identity) {
			gw_set_bool(b, v, "identity", true);
		}
		if (b->level[i].asked) {
			gw_set_bool(b, v, "ask", true);
			gw_set_text(b, v, "label", b->level[i].asked);
		}
		if (b->level[i].secret) {
			gw_set_bool(b, v, "secret", true);
		}
	}
}

static bool can_ask(const struct gw_draft *b)
{
	gw_node_for(m, b->msgs)
	{
		if (gw_node_get(m, "reply") || gw_node_get(m, "get")) {
			return true;
		}
	}
	return false;
}

static void set_link(struct gw_draft *b, struct gw_node *root)
{
	struct gw_node *link = gw_set_map(b, root, "link");
	gw_set_text(b, link, "adapter", "mqtt");
	struct gw_node *confirm = gw_set_map(b, link, "confirm");
	gw_set_text(b, confirm, "within", "3s");
	if (can_ask(b)) {
		gw_set_text(b, confirm, "else", "reread");
	}
	gw_node_for(n, b->link)
	{
		gw_set_node(b, link, n->key.p, gw_copy(b, n));
	}
}

static void set_sections(struct gw_draft *b, struct gw_node *root)
{
	set_link(b, root);
	gw_set_node(b, root, "msgs", b->msgs);
	gw_set_node(b, root, "points", b->points);
	gw_set_node(b, root, "caps", b->caps);
	if (b->components->count > 0) {
		gw_set_node(b, root, "components", b->components);
	}
}

/* The vocabulary of the description has no default for these: a product that can do nothing is none. */
static bool is_empty(const struct gw_draft *b)
{
	return !b->bare && b->caps->count == 0 && b->components->count == 0;
}

static struct gw_node *head_of(struct gw_draft *b, const struct gw_draft_head *head)
{
	char vendor[128], model[128];
	clean(head->vendor, vendor, sizeof(vendor));
	clean(head->model, model, sizeof(model));
	struct gw_node *root = gw_node_new(b->a, GW_NODE_MAP);
	gw_set_number(b, root, "profile", 1);
	gw_set_text(b, root, "id", "");
	gw_set_text(b, root, "version", "1.0.0");
	gw_set_text(b, root, "type", head->type ? head->type : gw_draft_type(b));
	const char *name =
		gw_draft_printf(b, "%s%s%s", vendor, vendor[0] && model[0] ? " " : "", model);
	const char *shown = head->name && head->name[0] ? head->name : name;
	gw_set_text(b, root, "name", shown[0] ? shown : head->source);
	struct gw_node *match = gw_set_list(b, root, "match");
	struct gw_node *entry = gw_node_new(b->a, GW_NODE_MAP);
	gw_add_node(b, match, entry);
	if (head->match) {
		gw_set_node(b, entry, head->kind, gw_copy(b, head->match));
	} else {
		gw_set_text(b, entry, head->kind, name[0] ? name : head->source);
	}
	set_vars(b, root);
	return root;
}

static void set_id(struct gw_draft *b, const struct gw_draft_head *head, struct gw_node *root,
		   struct gw_str body)
{
	const char *id = gw_draft_printf(
		b, "%s.%s.%s-%08x", head->source, id_part(b, head->vendor, "maker"),
		id_part(b, head->model, "product"), (unsigned)(fingerprint(body) & 0xffffffffU));
	gw_set_text(b, root, "id", id);
}

/* DEL, U+0080 to U+009F, byte order marks, U+FFFE and U+FFFF: no profile holds them (they are not YAML's). Bytes of one at s, or 0. */
static size_t unprintable(struct gw_str s)
{
	const unsigned char *u = (const unsigned char *)s.p;
	if (u[0] == 0x7f) {
		return 1;
	}
	if (s.len >= 2 && u[0] == 0xc2 && u[1] < 0xa0) {
		return 2;
	}
	bool mark = s.len >= 3 && u[0] == 0xef &&
		    ((u[1] == 0xbb && u[2] == 0xbf) || (u[1] == 0xbf && u[2] >= 0xbe));
	return mark ? 3 : 0;
}

/* A name from a wrong encoding keeps its other characters; a topic or a member called so is not found on the device. */
static void replace_unprintable(struct gw_buf *text)
{
	GW_AUTO(gw_buf_fini) struct gw_buf out = GW_BUF_INIT(GW_PROFILE_BYTES);
	struct gw_str s = gw_buf_str(text);
	size_t from = 0;
	for (size_t i = 0; i < s.len;) {
		size_t n = unprintable(gw_str_sub(s, i, s.len));
		if (n > 0) {
			gw_buf_add_str(&out, gw_str_sub(s, from, i - from));
			gw_buf_puts(&out, "\xef\xbf\xbd"); /* U+FFFD */
			from = i + n;
		}
		i += n ? n : 1;
	}
	if (from > 0) {
		gw_buf_add_str(&out, gw_str_sub(s, from, s.len));
		struct gw_buf old = *text;
		*text = out;
		out = old;
	}
}

int gw_draft_finish(struct gw_draft *b, const struct gw_draft_head *head, struct gw_imported *ret)
{
	if (is_empty(b)) {
		return b->failed ? -ENOMEM : -ENOENT;
	}
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_PROFILE_BYTES);
	struct gw_node *root = head_of(b, head);
	set_sections(b, root);
	if (b->failed) {
		return -ENOMEM;
	}
	gw_node_write(&text, root, /* source_order= */ true);
	set_id(b, head, root, gw_buf_str(&text));
	gw_buf_reset(&text);
	gw_node_write(&text, root, /* source_order= */ true);
	replace_unprintable(&text);
	for (size_t i = 0; i < b->n_levels; i++) {
		int r = b->level[i].asked ? 0
					  : gw_vars_set(&ret->vars, gw_str(b->level[i].name),
							b->level[i].value);
		if (r < 0) {
			return r;
		}
	}
	if (b->failed || gw_buf_error(&text)) {
		return gw_buf_error(&text) == -E2BIG ? -E2BIG : -ENOMEM;
	}
	clean(head->vendor, ret->vendor, sizeof(ret->vendor));
	clean(head->model, ret->model, sizeof(ret->model));
	ret->profile = gw_buf_take(&text);
	return ret->profile ? 0 : -ENOMEM;
}
