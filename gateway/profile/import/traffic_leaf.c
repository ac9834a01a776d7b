/* Values: what was seen at each place of a message, and which of them are no capabilities. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "gw/alloc.h"
#include "gw/json.h"
#include "profile/import/traffic.h"

#define BODY_ARENA ((size_t)GW_BODY_BYTES * 64)

GW_DEFINE_AUTO(struct gw_arena, gw_arena_free)

/* --- what was seen --- */

bool gw_seen_is_number(const struct gw_seen *s)
{
	return s->count > s->nulls && s->numbers + s->numeric == s->count - s->nulls &&
	       (s->numbers == 0 || s->numeric == 0);
}

bool gw_seen_is_text(const struct gw_seen *s)
{
	return s->count > s->nulls && s->texts == s->count - s->nulls;
}

bool gw_seen_is_bool(const struct gw_seen *s)
{
	return s->count > s->nulls && s->bools == s->count - s->nulls;
}

/* on and true are the same kind; 21.5 and "21.5" are not: one of them needs `as: num`. */
static unsigned kind_of(const struct gw_seen *s)
{
	if (gw_seen_is_number(s)) {
		return s->numeric ? 2 : 1;
	}
	return gw_seen_is_bool(s) || gw_seen_is_text(s) ? 3 : s->lists ? 4 : 0;
}

bool gw_seen_like(const struct gw_seen *a, const struct gw_seen *b)
{
	unsigned x = kind_of(a), y = kind_of(b);
	bool words = (x == 2 && y == 3) || (x == 3 && y == 2); /* "1" and "on" */
	return x != 0 && (x == y || words);
}

static void add_word(struct gw_seen *s, const char *word)
{
	for (unsigned i = 0; i < s->n_words; i++) {
		if (strcmp(s->word[i], word) == 0) {
			return;
		}
	}
	if (s->n_words == GW_TRAFFIC_WORDS) {
		s->many = true;
	} else {
		s->word[s->n_words++] = word;
	}
}

void gw_seen_merge(struct gw_seen *a, const struct gw_seen *b)
{
	bool had = a->numbers + a->numeric > 0, has = b->numbers + b->numeric > 0;
	if (has) {
		a->min = !had || b->min < a->min ? b->min : a->min;
		a->max = !had || b->max > a->max ? b->max : a->max;
		a->number = had ? a->number : b->number;
		a->changed |= a->min < a->max;
		a->decimals = b->decimals > a->decimals ? b->decimals : a->decimals;
	}
	a->changed |= b->changed || (a->bools && b->bools && a->flag != b->flag);
	a->flag = a->bools ? a->flag : b->flag;
	a->count += b->count;
	a->nulls += b->nulls;
	a->bools += b->bools;
	a->numbers += b->numbers;
	a->texts += b->texts;
	a->lists += b->lists;
	a->numeric += b->numeric;
	a->shrank |= b->shrank;
	a->many |= b->many;
	for (unsigned i = 0; i < b->n_words; i++) {
		add_word(a, b->word[i]);
	}
}

static unsigned decimals_of(double v)
{
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(64);
	gw_json_write_double(&text, v);
	const char *dot = text.p && !strchr(text.p, 'e') ? strchr(text.p, '.') : NULL;
	size_t n = dot ? strlen(dot + 1) : 0;
	return n > 6 ? 6 : (unsigned)n;
}

static void see_number(struct gw_seen *s, double v)
{
	unsigned decimals = decimals_of(v);
	bool first = s->numbers + s->numeric == 0;
	s->min = first || v < s->min ? v : s->min;
	s->max = first || v > s->max ? v : s->max;
	s->changed |= !first && v != s->last;
	s->shrank |= !first && v < s->last;
	s->number = first ? v : s->number;
	s->last = v;
	s->decimals = decimals > s->decimals ? decimals : s->decimals;
}

static void see_text(struct gw_traffic_draft *d, struct gw_seen *s, struct gw_str text)
{
	double v;
	if (gw_parse_double(text, &v) == 0) {
		see_number(s, v);
		s->numeric++;
	}
	s->texts++;
	if (text.len == 0 || text.len >= GW_TRAFFIC_WORD_BYTES) {
		s->many = true;
		return;
	}
	for (unsigned i = 0; i < s->n_words; i++) {
		if (gw_str_is(text, s->word[i])) {
			s->changed |= i > 0;
			return;
		}
	}
	struct gw_str copy = gw_arena_text(d->d.a, text);
	d->d.failed |= !copy.p;
	s->changed |= s->n_words > 0;
	if (copy.p) {
		add_word(s, copy.p);
	}
}

static void see(struct gw_traffic_draft *d, struct gw_seen *s, const struct gw_node *n)
{
	s->count++;
	switch (n->type) {
	case GW_NODE_NULL: s->nulls++; return;
	case GW_NODE_BOOL:
		s->changed |= s->bools > 0 && s->flag != n->flag;
		s->flag = s->bools ? s->flag : n->flag;
		s->bools++;
		return;
	case GW_NODE_NUMBER:
		see_number(s, n->number);
		s->numbers++;
		return;
	case GW_NODE_TEXT: see_text(d, s, n->text); return;
	case GW_NODE_LIST:
	case GW_NODE_MAP: s->lists++; return;
	}
}

/* --- bodies --- */

static struct gw_traffic_leaf *leaf_at(struct gw_traffic_draft *d, struct gw_traffic_msg *m,
				       struct gw_str pointer)
{
	for (size_t i = 0; i < m->n_leaves; i++) {
		if (gw_str_is(pointer, m->leaf[i].pointer)) {
			return &m->leaf[i];
		}
	}
	struct gw_str copy = gw_arena_text(d->d.a, pointer);
	if (m->n_leaves == GW_TRAFFIC_LEAVES || !copy.p) {
		m->more = true;
		return NULL;
	}
	struct gw_traffic_leaf *l = &m->leaf[m->n_leaves++];
	l->pointer = copy.p;
	return l;
}

static bool is_flat(const struct gw_node *list)
{
	gw_node_for(n, list)
	{
		if (n->type == GW_NODE_LIST || n->type == GW_NODE_MAP) {
			return false;
		}
	}
	return list->type == GW_NODE_LIST;
}

static void add_step(struct gw_buf *pointer, const struct gw_node *parent, const struct gw_node *n,
		     size_t index)
{
	if (parent->type == GW_NODE_LIST) {
		gw_buf_printf(pointer, "/%zu", index);
		return;
	}
	gw_buf_putc(pointer, '/');
	for (size_t i = 0; i < n->key.len; i++) { /* RFC 6901 */
		char c = n->key.p[i];
		gw_buf_puts(pointer, c == '~' ? "~0" : c == '/' ? "~1" : "");
		if (c != '~' && c != '/') {
			gw_buf_putc(pointer, c);
		}
	}
}

/* Depth is that of the parser: GW_BODY_DEPTH. */
static void flatten(struct gw_traffic_draft *d, struct gw_traffic_msg *m, const struct gw_node *n,
		    struct gw_buf *pointer)
{
	size_t index = 0, mark = pointer->len;
	bool tree = (n->type == GW_NODE_MAP || (n->type == GW_NODE_LIST && !is_flat(n)));
	if (!tree || !n->first) {
		/* A key that a reference cannot hold is no place for a point. */
		bool odd = gw_buf_error(pointer) || pointer->len > GW_TOPIC_BYTES ||
			   (pointer->p && strpbrk(pointer->p, "[]{}"));
		struct gw_traffic_leaf *l = odd ? NULL : leaf_at(d, m, gw_buf_str(pointer));
		if (l) {
			see(d, &l->seen, n);
		}
		m->more |= odd;
		return;
	}
	gw_node_for(member, n)
	{
		add_step(pointer, n, member, index++);
		flatten(d, m, member, pointer);
		gw_buf_truncate(pointer, mark);
	}
}

struct gw_node *gw_traffic_parse(struct gw_arena *a, struct gw_str body)
{
	const struct gw_node_limits limits = {
		.max_bytes = GW_BODY_BYTES, .max_depth = GW_BODY_DEPTH, .max_nodes = GW_BODY_NODES};
	struct gw_node *root = NULL;
	bool ok = gw_node_parse_json(a, body, &limits, &root, /* reterr_= */ NULL) == 0 &&
		  (root->type == GW_NODE_MAP || root->type == GW_NODE_LIST);
	return ok ? root : NULL;
}

int gw_traffic_observe(struct gw_traffic_draft *d, struct gw_traffic_msg *m, struct gw_str body)
{
	GW_AUTO(gw_arena_free_auto) struct gw_arena *a = gw_arena_new(BODY_ARENA);
	GW_AUTO(gw_buf_fini) struct gw_buf pointer = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
	struct gw_node text = {.type = GW_NODE_TEXT, .text = body};
	if (!a) {
		return -ENOMEM;
	}
	const struct gw_node *root =
		m->codec == GW_TRAFFIC_IN_JSON ? gw_traffic_parse(a, body) : &text;
	if (!root) {
		m->n_odd++;
		return 0;
	}
	m->n_bodies++;
	flatten(d, m, root, &pointer);
	return d->d.failed || gw_buf_error(&pointer) == -ENOMEM ? -ENOMEM : 0;
}

/* --- what is no capability --- */

/* Folded names of what tells one product from another, and never changes. */
static const char *const identities[] = {
	"mac",
	"macaddress",
	"mac_address",
	"ip",
	"ip_address",
	"ipaddress",
	"ssid",
	"ss_id",
	"bssid",
	"bss_id",
	"host",
	"hostname",
	"host_name",
	"hn",
	"fw",
	"fw_ver",
	"fw_id",
	"firmware",
	"ver",
	"version",
	"sw",
	"hw",
	"sw_version",
	"serial",
	"sn",
	"model",
	"md",
	"model_id",
	"id",
	"device_id",
	"dev_id",
	"device",
	"uid",
	"uuid",
	"unique_id",
	"ieee",
	"ieee_address",
	"name",
	"dn",
	"device_name",
	"friendly_name",
	"src",
	"dst",
	"client",
	"client_id",
	"gateway",
	"mask",
	"dns",
	"subnetmask",
	"manufacturer",
	"vendor",
	"product",
	"build",
	"app",
	"method",
	"jsonrpc",
	"gen",
};
static const char *const secrets[] = {"password", "passwd", "pass", "psk",     "token",
				      "secret",	  "key",    "auth", "api_key", "apikey"};
static const char *const clocks[] = {"time",	  "timestamp",	 "ts",	     "date",
				     "datetime",  "epoch",	 "unixtime", "minute_ts",
				     "last_seen", "last_update", "clock"};

static bool is_one_of(const char *const *words, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(words[i], name) == 0) {
			return true;
		}
	}
	return false;
}

/* "9" a digit, "a" a letter or digit, the rest itself; trailing text does not matter. */
static bool looks_like(const char *s, const char *pattern)
{
	for (; *pattern; pattern++, s++) {
		bool ok = *pattern == '9'   ? isdigit((unsigned char)*s) != 0
			  : *pattern == 'a' ? isxdigit((unsigned char)*s) != 0
					    : *pattern == *s;
		if (!ok) {
			return false;
		}
	}
	return true;
}

/* 2023-06-24T09:19:26, 0T00:40:09, 09:19:26 */
static bool is_clock(const char *s)
{
	const char *t = strchr(s, 'T');
	return looks_like(s, "9999-99-99") || looks_like(s, "99:99:99") ||
	       (t && t > s && isdigit((unsigned char)*s) && looks_like(t + 1, "99:99:99"));
}

/* Numbers with three dots or two: addresses and versions. */
static bool is_dotted(const char *s)
{
	size_t dots = 0;
	s += *s == 'v' || *s == 'V';
	if (!isdigit((unsigned char)*s)) {
		return false;
	}
	for (; *s && (isdigit((unsigned char)*s) || *s == '.'); s++) {
		dots += *s == '.';
	}
	return dots >= 2;
}

bool gw_traffic_is_envelope(const char *pointer)
{
	char name[GW_TRAFFIC_WORD_BYTES];
	const char *slash = strrchr(pointer, '/');
	gw_traffic_fold(gw_str(slash ? slash + 1 : ""), name);
	return is_one_of(identities, gw_countof(identities), name);
}

static bool is_identity(const struct gw_traffic_draft *d, const char *name, const struct gw_seen *s)
{
	if (s->changed) {
		return false;
	}
	if (is_one_of(identities, gw_countof(identities), name)) {
		return true;
	}
	const char *word = s->n_words ? s->word[0] : "";
	struct gw_str id = d->identity.level;
	return looks_like(word, "aa:aa:aa:aa:aa:aa") || is_dotted(word) ||
	       (s->numeric == 0 && gw_traffic_is_id(gw_str(word))) ||
	       (id.len > 3 && strstr(word, id.p) != NULL);
}

struct gw_str gw_traffic_unit(const char *name, const struct gw_seen *s)
{
	struct gw_linear any;
	bool one = gw_str_ends(gw_str(name), "unit") && gw_seen_is_text(s) && s->n_words == 1;
	struct gw_str unit = one ? gw_unit_word(gw_str(s->word[0])) : GW_STR("");
	bool known = unit.len && (gw_unit_code(unit) || gw_unit_to(unit, "Cel", &any));
	return known ? unit : (struct gw_str){NULL, 0};
}

const char *gw_traffic_left_out(const struct gw_traffic_draft *d, const struct gw_traffic_msg *m,
				const struct gw_traffic_leaf *l)
{
	char name[GW_TRAFFIC_WORD_BYTES];
	const struct gw_seen *s = &l->seen;
	const char *slash = strrchr(l->pointer[0] ? l->pointer : m->path, '/');
	gw_traffic_fold(gw_str(slash ? slash + 1 : ""), name);
	if (s->count == s->nulls) {
		return "was never anything but null";
	}
	if (is_one_of(secrets, gw_countof(secrets), name)) {
		return "looks like a secret";
	}
	if (is_one_of(clocks, gw_countof(clocks), name) ||
	    (gw_seen_is_text(s) && s->n_words && is_clock(s->word[0]))) {
		return "is a clock";
	}
	if (gw_traffic_unit(name, s).p) {
		return "tells a unit";
	}
	if (is_identity(d, name, s)) {
		return "never changed and looks like the identity of one product";
	}
	if (s->lists) {
		return s->lists == s->count ? "is a list" : "is a list at times";
	}
	if (gw_seen_is_text(s) && s->n_words == 0) {
		return "is a long or an empty text";
	}
	return gw_seen_is_bool(s) || gw_seen_is_number(s) || gw_seen_is_text(s)
		       ? NULL
		       : "is a number, a text or a boolean by turns";
}
