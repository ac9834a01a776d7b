/* What somebody wants a capability to be: checked against its domain, in the order type, enum, range, step. */
#include <errno.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/json.h"
#include "gw/limits.h"
#include "gw/model.h"

#define SHOWN_CHARS 40 /* of a refused text, in the refusal */

static int refuse_type(const struct gw_node *n, const char *expected, struct gw_error *e)
{
	static const char *const kinds[] = {
		[GW_NODE_NULL] = "null",       [GW_NODE_BOOL] = "true or false",
		[GW_NODE_NUMBER] = "a number", [GW_NODE_TEXT] = "a text",
		[GW_NODE_LIST] = "a list",     [GW_NODE_MAP] = "a map",
	};
	if (n->type == GW_NODE_TEXT) {
		char shown[SHOWN_CHARS * 4 + 1];
		(void)gw_str_clean(n->text, SHOWN_CHARS, shown, sizeof(shown)); /* length unused */
		return gw_error_set(e, -EINVAL, "type", "expected %s, got the text \"%s\"",
				    expected, shown);
	}
	return gw_error_set(e, -EINVAL, "type", "expected %s, got %s", expected, kinds[n->type]);
}

/* "35 °C"; a buffer of its own, because some refusals name three amounts. */
static void format_amount(int64_t count, const struct gw_domain *d, char *ret_text, size_t cap)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(cap);
	struct gw_value v = {.type = GW_VALUE_NUMBER, .count = count};
	gw_value_write_text(&b, &v, d->res);
	const char *symbol = d->unit ? gw_unit_symbol(d->unit) : "";
	if (symbol[0]) {
		gw_buf_putc(&b, ' ');
		gw_buf_puts(&b, symbol);
	}
	struct gw_str s = gw_buf_str(&b);
	(void)gw_str_clean(s, cap, ret_text, cap); /* length unused */
}

#define AMOUNT_BYTES 64

static int refuse_bound(int64_t count, int64_t bound, const char *where, const struct gw_domain *d,
			struct gw_error *e)
{
	char wanted[AMOUNT_BYTES], allowed[AMOUNT_BYTES];
	format_amount(count, d, wanted, sizeof(wanted));
	format_amount(bound, d, allowed, sizeof(allowed));
	return gw_error_set(e, -EINVAL, "range", "%s is %s allowed %s", wanted, where, allowed);
}

static int check_count(int64_t count, const struct gw_domain *d, struct gw_error *e)
{
	if (d->has_min && count < d->min) {
		return refuse_bound(count, d->min, "below the lowest", d, e);
	}
	if (d->has_max && count > d->max) {
		return refuse_bound(count, d->max, "above the highest", d, e);
	}
	int64_t from = d->has_min ? d->min : 0;
	if (d->step > 0 && (count - from) % d->step != 0) {
		char wanted[AMOUNT_BYTES], step[AMOUNT_BYTES], first[AMOUNT_BYTES];
		format_amount(count, d, wanted, sizeof(wanted));
		format_amount(d->step, d, step, sizeof(step));
		format_amount(from, d, first, sizeof(first));
		return gw_error_set(e, -EINVAL, "step",
				    "%s is not a whole number of steps of %s from %s", wanted, step,
				    first);
	}
	return 0;
}

static int take_number(const struct gw_node *n, const struct gw_domain *d, struct gw_value *ret,
		       struct gw_error *e)
{
	int64_t count;
	if (n->type != GW_NODE_NUMBER) {
		return refuse_type(n, "a number", e);
	}
	if (gw_quantise(n->number, d->res, &count) < 0) {
		return gw_error_set(e, -EINVAL, "range", "the number is too large");
	}
	int r = check_count(count, d, e);
	if (r == 0) {
		*ret = (struct gw_value){.type = GW_VALUE_NUMBER, .count = count};
	}
	return r;
}

/* A domain without symbols is open: an enum whose symbols only the profile knows. */
static int check_symbol(struct gw_str s, const struct gw_domain *d, struct gw_error *e)
{
	for (size_t i = 0; i < d->n_symbols; i++) {
		if (gw_str_is(s, d->symbols[i])) {
			return 0;
		}
	}
	if (d->n_symbols == 0) {
		return 0;
	}
	char shown[SHOWN_CHARS * 4 + 1];
	(void)gw_str_clean(s, SHOWN_CHARS, shown, sizeof(shown)); /* length unused */
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(200);
	for (size_t i = 0; i < d->n_symbols; i++) {
		gw_buf_puts(&b, i ? ", " : "");
		gw_buf_puts(&b, d->symbols[i]);
	}
	struct gw_str list = gw_buf_str(&b);
	return gw_error_set(e, -EINVAL, "value", "\"%s\" is not one of " GW_STR_FMT "%s", shown,
			    GW_STR_ARG(list), gw_buf_error(&b) ? ", …" : "");
}

static int take_text(struct gw_str s, enum gw_value_type type, struct gw_value *ret,
		     struct gw_error *e)
{
	if (s.len > GW_BODY_TEXT_BYTES) {
		return gw_error_set(e, -EINVAL, "range", "a text has at most %d bytes",
				    GW_BODY_TEXT_BYTES);
	}
	struct gw_text *t = gw_text_new(s);
	if (!t) {
		return gw_error_set(e, -ENOMEM, "memory", "out of memory");
	}
	*ret = (struct gw_value){.type = type, .text = t};
	return 0;
}

static int take_tree(const struct gw_node *n, struct gw_value *ret, struct gw_error *e)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(GW_BODY_TEXT_BYTES + 1);
	gw_node_write(&b, n, /* source_order= */ false);
	if (gw_buf_error(&b) == -ENOMEM) {
		return gw_error_set(e, -ENOMEM, "memory", "out of memory");
	}
	if (gw_buf_error(&b)) {
		return gw_error_set(e, -EINVAL, "range", "a list has at most %d bytes as JSON",
				    GW_BODY_TEXT_BYTES);
	}
	return take_text(gw_buf_str(&b), GW_VALUE_TREE, ret, e);
}

static int take_list(const struct gw_node *n, const struct gw_domain *d, struct gw_value *ret,
		     struct gw_error *e)
{
	if (n->type != GW_NODE_LIST) {
		return refuse_type(n, "a list", e);
	}
	if (d->n_symbols > 0) {
		gw_node_for(item, n)
		{
			if (item->type != GW_NODE_TEXT) {
				return refuse_type(item, "a list of symbols", e);
			}
			int r = check_symbol(item->text, d, e);
			if (r < 0) {
				return r;
			}
		}
	}
	return take_tree(n, ret, e);
}

int gw_value_from_node(const struct gw_node *n, const struct gw_domain *d,
		       struct gw_value *ret_value, struct gw_error *reterr_)
{
	int r;
	switch (d->type) {
	case GW_TYPE_BOOL:
		if (n->type != GW_NODE_BOOL) {
			return refuse_type(n, "true or false", reterr_);
		}
		*ret_value = (struct gw_value){.type = GW_VALUE_BOOL, .flag = n->flag};
		return 0;
	case GW_TYPE_INT:
	case GW_TYPE_NUM:
	case GW_TYPE_TIME: return take_number(n, d, ret_value, reterr_);
	case GW_TYPE_ENUM:
		if (n->type != GW_NODE_TEXT) {
			return refuse_type(n, "a symbol", reterr_);
		}
		r = check_symbol(n->text, d, reterr_);
		return r < 0 ? r : take_text(n->text, GW_VALUE_SYMBOL, ret_value, reterr_);
	case GW_TYPE_STR:
		if (n->type != GW_NODE_TEXT) {
			return refuse_type(n, "a text", reterr_);
		}
		return take_text(n->text, GW_VALUE_TEXT, ret_value, reterr_);
	case GW_TYPE_LIST: return take_list(n, d, ret_value, reterr_);
	case GW_TYPE_REC:
		if (n->type != GW_NODE_MAP) {
			return refuse_type(n, "a map", reterr_);
		}
		return take_tree(n, ret_value, reterr_);
	case GW_TYPE_NONE: return refuse_type(n, "nothing", reterr_);
	}
	return -EINVAL;
}

/* --- from text --- */

static bool read_switch(struct gw_str s, bool *ret_flag)
{
	static const struct {
		const char *word;
		bool flag;
	} words[] = {
		{"true", true}, {"false", false}, {"on", true}, {"off", false},
		{"yes", true},	{"no", false},	  {"1", true},	{"0", false},
	};
	for (size_t i = 0; i < gw_countof(words); i++) {
		/* The glob of a plain word is a comparison that ignores the case. */
		if (gw_str_glob(gw_str(words[i].word), s)) {
			*ret_flag = words[i].flag;
			return true;
		}
	}
	return false;
}

static int parse_json(struct gw_str text, const struct gw_domain *d, struct gw_value *ret_value,
		      struct gw_error *reterr_)
{
	static const struct gw_node_limits limits = {.max_bytes = GW_BODY_BYTES,
						     .max_depth = GW_BODY_DEPTH,
						     .max_nodes = GW_BODY_NODES,
						     .max_text_bytes = GW_BODY_TEXT_BYTES};
	struct gw_arena *a = gw_arena_new(GW_BODY_BYTES * 16);
	struct gw_node *n;
	if (!a) {
		return gw_error_set(reterr_, -ENOMEM, "memory", "out of memory");
	}
	int r = gw_node_parse_json(a, text, &limits, &n, /* reterr_= */ NULL);
	if (r == -ENOMEM) {
		r = gw_error_set(reterr_, r, "memory", "out of memory");
	} else if (r < 0) {
		r = gw_error_set(reterr_, -EINVAL, "type", "expected a %s as JSON",
				 gw_type_name(d->type));
	} else {
		r = gw_value_from_node(n, d, ret_value, reterr_);
	}
	gw_arena_free(a);
	return r;
}

int gw_value_parse(struct gw_str text, const struct gw_domain *d, struct gw_value *ret_value,
		   struct gw_error *reterr_)
{
	struct gw_str s = gw_str_trim(text);
	struct gw_node n = {.type = GW_NODE_TEXT, .text = s};
	bool flag;
	double number;
	switch (d->type) {
	case GW_TYPE_BOOL:
		if (read_switch(s, &flag)) {
			n = (struct gw_node){.type = GW_NODE_BOOL, .flag = flag};
		}
		break;
	case GW_TYPE_INT:
	case GW_TYPE_NUM:
	case GW_TYPE_TIME:
		if (gw_parse_double(s, &number) == 0) {
			n = (struct gw_node){.type = GW_NODE_NUMBER, .number = number};
		}
		break;
	case GW_TYPE_ENUM:
		if (gw_str_starts(s, "\"")) {
			return parse_json(s, d, ret_value, reterr_);
		}
		break;
	case GW_TYPE_STR: n.text = text; break;
	case GW_TYPE_LIST:
	case GW_TYPE_REC: return parse_json(s, d, ret_value, reterr_);
	case GW_TYPE_NONE: break;
	}
	return gw_value_from_node(&n, d, ret_value, reterr_);
}
