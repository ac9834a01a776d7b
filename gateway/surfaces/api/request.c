/* What arrives as text and is understood before a route is known: the target, the language, the JSON body. */
#include <errno.h>

#include "gw/limits.h"
#include "gw/node.h"
#include "surfaces/api/api.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	char lower = (char)(c | 0x20);
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Decodes s behind what t->text already holds. A decoded '/' stays out of the path: no id holds one. */
static int decode(struct gw_api_target *t, size_t *used, struct gw_str s, bool form,
		  struct gw_str *ret)
{
	size_t start = *used;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];
		if (c == '%') {
			int hi = s.len - i > 2 ? hex_digit(s.p[i + 1]) : -1;
			int lo = s.len - i > 2 ? hex_digit(s.p[i + 2]) : -1;
			if (hi < 0 || lo < 0) {
				return -EINVAL;
			}
			c = (char)(hi << 4 | lo);
			i += 2;
			if (!form && c == '/') {
				return -EINVAL;
			}
		} else if (c == '+' && form) {
			c = ' ';
		}
		if ((unsigned char)c < 0x20 || c == 0x7f) {
			return -EINVAL;
		}
		if (*used == sizeof(t->text)) {
			return -E2BIG;
		}
		t->text[(*used)++] = c;
	}
	*ret = (struct gw_str){t->text + start, *used - start};
	return gw_str_is_utf8(*ret) ? 0 : -EINVAL;
}

int gw_api_target_parse(struct gw_str s, struct gw_api_target *ret_target)
{
	struct gw_api_target *t = ret_target;
	t->n_query = 0;
	size_t used = 0;
	struct gw_str rest = s, path;
	if (s.len == 0 || s.p[0] != '/' || !gw_str_split(&rest, '?', &path)) {
		return -EINVAL;
	}
	int r = decode(t, &used, path, /* form= */ false, &t->path);
	struct gw_str pair;
	while (r == 0 && rest.p && gw_str_split(&rest, '&', &pair)) {
		if (pair.len == 0) {
			continue;
		}
		if (t->n_query == GW_API_PARAMS) {
			return -E2BIG;
		}
		struct gw_api_param *p = &t->query[t->n_query++];
		struct gw_str name = {0};
		gw_str_split(&pair, '=', &name);
		r = decode(t, &used, name, /* form= */ true, &p->name);
		if (r == 0) {
			struct gw_str value = pair.p ? pair : GW_STR("");
			r = decode(t, &used, value, /* form= */ true, &p->value);
		}
	}
	return r;
}

/* RFC 9110 §12.5.4. Only the first of the two languages that we have counts; weights of 0 are honoured. */
bool gw_api_wants_chinese(struct gw_str accept_language)
{
	struct gw_str rest = accept_language, item;
	double best_zh = 0, best_en = 0;
	while (gw_str_split(&rest, ',', &item)) {
		struct gw_str parameter = item, range;
		if (!gw_str_split(&parameter, ';', &range)) {
			continue;
		}
		range = gw_str_trim(range);
		double q = 1;
		parameter = gw_str_trim(parameter.p ? parameter : GW_STR(""));
		if (gw_str_starts(parameter, "q=") &&
		    gw_parse_double(gw_str_sub(parameter, 2, 8), &q)) {
			continue;
		}
		if (gw_str_glob(GW_STR("zh*"), range)) {
			best_zh = best_zh < q ? q : best_zh;
		} else if (gw_str_glob(GW_STR("en*"), range)) {
			best_en = best_en < q ? q : best_en;
		}
	}
	return best_zh > best_en;
}

int gw_api_parse(struct gw_str text, struct gw_arena **ret_arena, struct gw_node **ret_root,
		 struct gw_error *reterr_)
{
	static const struct gw_node_limits limits = {
		.max_bytes = GW_HTTP_BODY_BYTES,
		.max_depth = GW_BODY_DEPTH,
		.max_nodes = GW_BODY_NODES,
		.max_text_bytes = GW_BODY_TEXT_BYTES,
	};
	/* Nodes are allocated as they are read: the cap is what 10,000 of them and 1 MiB of text can need. */
	struct gw_arena *arena = gw_arena_new(4u * 1024 * 1024);
	if (!arena) {
		return -ENOMEM;
	}
	int r = gw_node_parse_json(arena, text, &limits, ret_root, reterr_);
	if (r) {
		gw_arena_free(arena);
		return r;
	}
	*ret_arena = arena;
	return 0;
}
