/* Descriptions in files: the table of their kinds, and what became of each data point. */
#include <errno.h>
#include <stdio.h>

#include "gw/alloc.h"
#include "profile/import/file.h"

#define DRAFT_BYTES ((size_t)16 * 1024 * 1024)

static const struct gw_file_importer *const kinds[] = {
	&gw_import_smartir,	      &gw_import_shelly, &gw_import_miot,
	&gw_import_thing_description, &gw_import_homie,	 &gw_import_homeassistant,
	&gw_import_zigbee2mqtt,	      &gw_import_tuya,	 NULL,
};

const struct gw_file_importer *gw_file_importer_at(size_t index)
{
	for (size_t i = 0; kinds[i]; i++) {
		if (i == index) {
			return kinds[i];
		}
	}
	return NULL;
}

/*
 * JSON is a part of YAML and so has lines and columns for what is refused; what the YAML reader does not know of it (tabs, escapes of
 * characters beyond U+FFFF, large integers) its own reader does.
 */
static int parse(struct gw_arena *a, struct gw_str text, const struct gw_node_limits *limits,
		 struct gw_node **ret_root, struct gw_error *reterr_)
{
	struct gw_str start = gw_str_trim(text);
	bool json = gw_str_starts(start, "{") || gw_str_starts(start, "[");
	int r = gw_node_parse_yaml(a, text, limits, ret_root, reterr_);
	return r < 0 && json &&
			       gw_node_parse_json(a, text, limits, ret_root, /* reterr_= */ NULL) ==
				       0
		       ? 0
		       : r;
}

int gw_file_import(const struct gw_file_importer *i, struct gw_str text, const char *file,
		   struct gw_import_result *ret_result, struct gw_error *reterr_)
{
	static const struct gw_node_limits limits = {.max_bytes = GW_DESCRIPTION_BYTES * 4,
						     .max_depth = GW_BODY_DEPTH,
						     .max_nodes = GW_DESCRIPTION_NODES};
	struct gw_arena *a = gw_arena_new(
		2 * ((size_t)GW_DESCRIPTION_NODES * sizeof(struct gw_node) + limits.max_bytes));
	struct gw_node *root = NULL;
	if (!a) {
		return gw_error_set(reterr_, -ENOMEM, "size", "out of memory");
	}
	int r = parse(a, text, &limits, &root, reterr_);
	if (r == 0) {
		*ret_result = (struct gw_import_result){.devices = NULL};
		r = i->import(root, file, ret_result, reterr_);
		if (r < 0) {
			gw_import_result_fini(ret_result);
		}
		if (r == -ENOMEM) {
			(void)gw_error_set(reterr_, r, "memory", "out of memory");
		}
	} else if (r != -ENOMEM) {
		r = -EINVAL;
	}
	gw_arena_free(a);
	return r;
}

int gw_import_draft(const char *vendor, const char *file, struct gw_import_result *result,
		    int (*make)(void *ctx, struct gw_draft *b, struct gw_imported *ret), void *ctx)
{
	struct gw_draft b;
	struct gw_arena *a = gw_arena_new(DRAFT_BYTES);
	struct gw_imported *out = a ? gw_import_add(result) : NULL;
	int r = out ? gw_draft_init(&b, a, vendor, result) : -ENOMEM;
	if (r == 0) {
		b.at = file;
		r = make(ctx, &b, out);
	}
	gw_arena_free(a);
	return r;
}

static void copy(char *to, size_t cap, const char *from)
{
	(void)snprintf(to, cap, "%s", from ? from : "");
}

void gw_import_fate(struct gw_import_result *r, const char *at, enum gw_import_fate fate,
		    const char *address, const char *construct)
{
	if (r->n_points == GW_IMPORT_POINTS) {
		return;
	}
	if ((r->n_points & (r->n_points - 1)) == 0) { /* a power of two is full */
		struct gw_import_point *points =
			gw_realloc(r->points, r->n_points ? r->n_points * 2 : 1, sizeof(*points));
		if (!points) {
			return; /* a report with a line less */
		}
		r->points = points;
	}
	struct gw_import_point *p = &r->points[r->n_points++];
	*p = (struct gw_import_point){.fate = fate};
	copy(p->at, sizeof(p->at), at);
	copy(p->address, sizeof(p->address), address);
	copy(p->construct, sizeof(p->construct), construct);
}
