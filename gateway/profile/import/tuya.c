/* Device maps of tuya-local: one file, one product of several brands. */
#include "profile/import/tuya.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gw/alloc.h"
#include "profile/import/file.h"

#define FILE_BYTES (64 * 1024 * 1024) /* of one profile while it is made */

static const struct {
	const char *kind;
	gw_tuya_kind *take;
} kinds[] = {
	{"sensor", gw_tuya_sensor},
	{"binary_sensor", gw_tuya_sensor},
	{"switch", gw_tuya_sensor},
	{"number", gw_tuya_sensor},
	{"select", gw_tuya_sensor},
	{"text", gw_tuya_sensor},
	{"button", gw_tuya_button},
	{"time", gw_tuya_time},
	{"event", gw_tuya_events},
	{"climate", gw_tuya_climate},
	{"water_heater", gw_tuya_climate},
	{"humidifier", gw_tuya_humidifier},
	{"fan", gw_tuya_fan},
	{"light", gw_tuya_light},
	{"cover", gw_tuya_cover},
	{"lock", gw_tuya_lock},
	{"vacuum", gw_tuya_vacuum},
	{"lawn_mower", gw_tuya_vacuum},
	{"alarm_control_panel", gw_tuya_alarm},
	{"remote", gw_tuya_remote},
	{"infrared", gw_tuya_remote},
	{"valve", gw_tuya_valve},
	{"siren", gw_tuya_siren},
	{"camera", gw_tuya_camera},
};

static const char *text_of(const struct gw_node *map, const char *key)
{
	const char *text = gw_node_text(map, key);
	return text ? text : "";
}

/* --- labels --- */

static const char *placeholder(struct gw_draft *b, const struct gw_node *entity)
{
	const struct gw_node *n = gw_node_get(gw_node_get(entity, "translation_placeholders"), "x");
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(256);
	if (!n || gw_node_text_form(n, &text) < 0 || gw_buf_error(&text)) {
		return NULL;
	}
	return gw_draft_printf(b, "%s", text.p ? text.p : "");
}

/* "energy_consumed_x" with x = A → "Energy consumed A" */
static const char *from_key(struct gw_draft *b, const char *key, const char *x)
{
	char label[128];
	size_t n = 0;
	for (size_t i = 0; key[i] && n < sizeof(label) - 1; i++) {
		char c = key[i] == '_' ? ' ' : key[i];
		label[n++] = i == 0 ? (char)toupper((unsigned char)c) : c;
	}
	label[n] = 0;
	if (x && n > 2 && strcmp(label + n - 2, " x") == 0) {
		label[n - 1] = 0;
		return gw_draft_printf(b, "%s%s", label, x);
	}
	return gw_draft_printf(b, "%s", label);
}

static const char *lower(struct gw_draft *b, const char *text)
{
	char word[128];
	size_t n = 0;
	for (; text[n] && n < sizeof(word) - 1; n++) {
		word[n] = (char)tolower((unsigned char)text[n]);
	}
	word[n] = 0;
	return gw_draft_printf(b, "%s", word);
}

static void set_labels(struct gw_tuya_entity *e)
{
	struct gw_draft *b = e->t->b;
	const char *name = text_of(e->node, "name"), *x = placeholder(b, e->node);
	e->label = name[0]	 ? name
		   : e->key[0]	 ? from_key(b, e->key, x)
		   : e->class[0] ? from_key(b, e->class, NULL)
				 : from_key(b, e->kind, NULL);
	e->word = lower(b, e->label);
	if (x && x[0]) {
		const char *hint = gw_draft_printf(b, "%s_%s", gw_tuya_prefix(e->key), x);
		e->component = gw_draft_component(b, hint, e->label);
	}
}

/* --- entities --- */

static bool says(const struct gw_node *map, const char *key)
{
	const struct gw_node *n = gw_node_get(map, key);
	return n && n->type == GW_NODE_BOOL && n->flag;
}

static int open_entity(struct gw_tuya *t, const struct gw_node *node, struct gw_tuya_entity *e)
{
	const struct gw_node *dps = gw_node_get(node, "dps");
	const char *key = text_of(node, "translation_key");
	*e = (struct gw_tuya_entity){.t = t,
				     .node = node,
				     .kind = text_of(node, "entity"),
				     .class = text_of(node, "class"),
				     .key = key[0] ? key : text_of(node, "translation_only_key"),
				     .config = gw_node_get(node, "category") != NULL};
	if (!e->kind[0] || !dps || dps->type != GW_NODE_LIST) {
		return -EBADMSG;
	}
	e->dp = gw_arena_alloc(t->b->a, (dps->count + 1) * sizeof(*e->dp));
	if (!e->dp) {
		return -ENOMEM;
	}
	size_t at = 0;
	gw_node_for(n, dps)
	{
		const char *where =
			gw_draft_printf(t->b, "/entities/%zu/dps/%zu", t->n_entities, at++);
		if (!gw_tuya_open_dp(e, n, &e->dp[e->n])) {
			gw_import_fate(t->result, where, GW_FATE_UNMAPPED, NULL,
				       "a dp without id, name or a known type");
			continue;
		}
		e->dp[e->n++].at = where;
	}
	return 0;
}

/* How many bytes a blob has: its format, or its longest mask. */
static void measure(struct gw_tuya *t, const struct gw_tuya_dp *dp)
{
	const struct gw_node *has = gw_node_get(t->blobs, dp->id);
	double bytes = 0, known = has ? has->number : 0;
	gw_node_for(f, gw_node_get(dp->node, "format"))
	{
		const struct gw_node *n = gw_node_get(f, "bytes");
		bytes += n && n->type == GW_NODE_NUMBER ? n->number : 0;
	}
	if (dp->mask) {
		bytes = (double)((strlen(dp->mask) + 1) / 2);
	}
	if (bytes > known && bytes < 4096) {
		gw_set_number(t->b, t->blobs, dp->id, bytes);
	}
}

static void hide(struct gw_tuya_entity *e)
{
	for (size_t i = 0; i < e->n; i++) {
		gw_tuya_fate(&e->dp[i], NULL, NULL);
	}
}

static void take(struct gw_tuya_entity *e)
{
	e->t->b->at = e->label;
	if (says(e->node, "hidden") || gw_node_get(e->node, "deprecated")) {
		hide(e);
		return;
	}
	set_labels(e);
	e->t->b->at = e->label;
	for (size_t i = 0; i < gw_countof(kinds); i++) {
		if (strcmp(kinds[i].kind, e->kind) == 0) {
			kinds[i].take(e);
		}
	}
	gw_tuya_share(e);
	gw_tuya_rest(e);
}

/* --- the file --- */

/* Values that the device tells only when it is asked to measure. */
static void add_refresh(struct gw_tuya *t)
{
	struct gw_draft *b = t->b;
	struct gw_node *ids = gw_node_new(b->a, GW_NODE_LIST);
	for (size_t i = 0; ids && i < t->n_entities; i++) {
		for (size_t k = 0; k < t->entities[i].n; k++) {
			const struct gw_tuya_dp *dp = &t->entities[i].dp[k];
			double id = 0;
			bool known = !says(dp->node, "force") ||
				     gw_parse_double(gw_str(dp->id), &id) < 0;
			gw_node_for(n, ids)
			{
				known |= n->number == id;
			}
			if (!known) {
				gw_add_number(b, ids, id);
			}
		}
	}
	if (!ids || ids->count == 0 || b->msgs->count == GW_PROFILE_MSGS) {
		return;
	}
	struct gw_node *m = gw_set_map(b, b->msgs, "refresh");
	gw_set_text(b, m, "tx", "updatedps");
	gw_set_node(b, gw_set_map(b, m, "body"), "dpId", ids);
	gw_set_text(b, m, "reply", "dps");
	struct gw_node *on = gw_set_list(b, m, "on");
	gw_add_text(b, on, GW_STR("bind"));
	gw_add_text(b, on, GW_STR("online"));
	gw_set_text(b, b->link, "every", "30s");
}

static void add_link(struct gw_draft *b)
{
	struct gw_node *m = gw_set_map(b, b->msgs, "dps");
	gw_set_text(b, m, "rx", "status");
	gw_set_text(b, m, "tx", "control");
	gw_set_text(b, b->link, "adapter", "tuya");
	gw_set_text(b, b->link, "coalesce", "100ms");
	gw_set_text(b, b->link, "assume", "5s");
}

static struct gw_node *product_ids(struct gw_draft *b, const struct gw_node *root)
{
	struct gw_node *ids = gw_node_new(b->a, GW_NODE_LIST);
	gw_node_for(p, gw_node_get(root, "products"))
	{
		const char *id = gw_node_text(p, "id");
		if (id && id[0] && ids) {
			gw_add_text(b, ids, gw_str(id));
		}
	}
	return ids && ids->count > 0 ? ids : NULL;
}

static int take_all(struct gw_tuya *t, const struct gw_node *entities, struct gw_error *reterr_)
{
	t->entities = gw_arena_alloc(t->b->a, (entities->count + 1) * sizeof(*t->entities));
	if (!t->entities) {
		return -ENOMEM;
	}
	gw_node_for(n, entities)
	{
		int r = open_entity(t, n, &t->entities[t->n_entities]);
		if (r == -EBADMSG) {
			(void)gw_error_set(
				reterr_, r, "import",
				"found an entity without its kind or list of dps; expected "
				"entity: and dps:");
			if (reterr_) {
				(void)snprintf(reterr_->at, sizeof(reterr_->at), "/entities/%zu",
					       t->n_entities);
			}
		}
		if (r < 0) {
			return r;
		}
		t->n_entities++;
	}
	for (size_t i = 0; i < t->n_entities; i++) {
		for (size_t k = 0; k < t->entities[i].n; k++) {
			measure(t, &t->entities[i].dp[k]);
		}
	}
	for (size_t i = 0; i < t->n_entities; i++) {
		take(&t->entities[i]);
	}
	add_refresh(t);
	return 0;
}

static int build(struct gw_draft *b, const struct gw_node *root, const char *file,
		 struct gw_import_result *result, struct gw_error *reterr_)
{
	const struct gw_node *entities = gw_node_get(root, "entities"),
			     *product = gw_node_at(gw_node_get(root, "products"), 0);
	struct gw_tuya t = {
		.b = b, .result = result, .root = root, .blobs = gw_node_new(b->a, GW_NODE_MAP)};
	struct gw_imported *out = gw_import_add(result);
	add_link(b);
	int r = out && t.blobs ? take_all(&t, entities, reterr_) : -ENOMEM;
	if (r < 0) {
		return r;
	}
	struct gw_node *ids = product_ids(b, root);
	const struct gw_draft_head head = {.source = "tuya",
					   .kind = ids ? "tuya_product" : "tuya_map",
					   .vendor = text_of(product, "manufacturer"),
					   .model = file,
					   .name = text_of(root, "name"),
					   .match = ids};
	(void)snprintf(out->identity, sizeof(out->identity), "tuya:%s", file);
	(void)gw_str_clean(gw_str(text_of(root, "name")), sizeof(out->name) - 1, out->name,
			   sizeof(out->name)); /* length unused */
	return gw_draft_finish(b, &head, out);
}

static int import(const struct gw_node *root, const char *file, struct gw_import_result *ret_result,
		  struct gw_error *reterr_)
{
	const struct gw_node *entities = gw_node_get(root, "entities");
	struct gw_draft b;
	if (!entities || entities->type != GW_NODE_LIST || entities->count == 0) {
		return gw_error_set(
			reterr_, -EBADMSG, "import",
			"found no list of entities; expected a device map with name: and "
			"entities:");
	}
	struct gw_arena *a = gw_arena_new(FILE_BYTES);
	int r = a ? gw_draft_init(&b, a, "tuya", ret_result) : -ENOMEM;
	r = r < 0 ? r : build(&b, root, file, ret_result, reterr_);
	gw_arena_free(a);
	if (r == -ENOENT) {
		return gw_error_set(reterr_, -EBADMSG, "import",
				    "found no dp that people see; expected at least one");
	}
	return r == -E2BIG ? gw_error_set(reterr_, -EBADMSG, "size",
					  "the profile would be larger than 256 KiB")
			   : r;
}

const struct gw_file_importer gw_import_tuya = {.name = "tuya-local", .import = import};
