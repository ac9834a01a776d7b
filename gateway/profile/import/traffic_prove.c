/* The draft is loaded, what the checker refuses is taken out, and what the draft itself reads and sends become its tests. */
#include <errno.h>
#include <stdio.h>

#include "gw/alloc.h"
#include "gw/binding.h"
#include "gw/json.h"
#include "profile/import/traffic.h"

#define PARSE_ARENA ((size_t)GW_BODY_BYTES * 64)
#define TEST_BYTES  8192 /* of a body; a larger one is cut to what is drafted */
#define TRIES	    128

GW_DEFINE_AUTO(struct gw_arena, gw_arena_free)
GW_DEFINE_AUTO(struct gw_library, gw_library_free)
GW_DEFINE_AUTO(struct gw_profile, gw_profile_unref)
GW_DEFINE_AUTO(struct gw_plan, gw_plan_unref)
GW_DEFINE_AUTO(struct gw_binding, gw_binding_free)

/* --- what the checker refuses --- */

/* The next token of a pointer without its escapes: no name of ours has one. */
static bool token_is(struct gw_str *pointer, const char *wanted)
{
	struct gw_str token;
	return gw_str_split(pointer, '/', &token) && gw_str_is(token, wanted);
}

static bool is_at(const struct gw_traffic_point *p, struct gw_str at)
{
	struct gw_str rest = gw_str_sub(at, 1, at.len);
	if (p->component) {
		return token_is(&rest, "components") && token_is(&rest, p->component) &&
		       token_is(&rest, "caps") && token_is(&rest, p->address);
	}
	return token_is(&rest, "caps") && token_is(&rest, p->address);
}

static bool is_point_at(const struct gw_traffic_point *p, struct gw_str at)
{
	struct gw_str rest = gw_str_sub(at, 1, at.len);
	return token_is(&rest, "points") && token_is(&rest, p->name);
}

static struct gw_node *caps_of(const struct gw_traffic_draft *d, const struct gw_traffic_point *p)
{
	return p->component ? gw_node_get(gw_node_get(d->d.components, p->component), "caps")
			    : d->d.caps;
}

/* Takes the capability or the point at the place of a refusal out of the draft; false: there is none. */
static bool take_out(struct gw_traffic_draft *d, const struct gw_error *e)
{
	for (struct gw_traffic_point *p = d->points; p; p = p->next) {
		bool point = p->node && is_point_at(p, gw_str(e->at));
		if (!point && !(p->cap && is_at(p, gw_str(e->at)))) {
			continue;
		}
		if (p->cap) {
			(void)gw_node_remove(caps_of(d, p), gw_str(p->address));
		}
		if (p->presence) {
			(void)gw_node_remove(d->root, GW_STR("link"));
		}
		p->cap = NULL;
		if (point) {
			(void)gw_node_remove(d->d.points, gw_str(p->name));
			p->node = NULL;
		}
		gw_yaml_say(d, d->d.points, GW_YAML_END, "%s left out: %s", p->full + 1, e->text);
		return true;
	}
	return false;
}

static int load(struct gw_traffic_draft *d, struct gw_library *l, struct gw_profile **ret_profile,
		struct gw_error *reterr_)
{
	struct gw_error e = {0};
	int r = -EINVAL;
	for (unsigned i = 0; i < TRIES && r == -EINVAL; i++) {
		r = gw_profile_load_node(l, d->root, "draft", GW_PROFILE_LAX, ret_profile, &e);
		if (r == -EINVAL && !take_out(d, &e)) {
			break;
		}
	}
	if (r < 0 && reterr_) {
		*reterr_ = e;
	}
	return r;
}

/* --- bodies for tests --- */

static bool stays(const struct gw_traffic_msg *m, const char *pointer, bool drafted_only)
{
	for (size_t i = 0; i < m->n_leaves; i++) {
		const struct gw_traffic_leaf *l = &m->leaf[i];
		if (strcmp(l->pointer, pointer) == 0) {
			return l->point || (!drafted_only && !l->left_out);
		}
	}
	return false;
}

/* Without what tells one product or one household from another. Returns false when n itself goes. */
static bool scrub(struct gw_traffic_draft *d, const struct gw_traffic_msg *m, struct gw_node *n,
		  const char *pointer, bool drafted_only)
{
	size_t index = 0;
	bool nested = n->type == GW_NODE_MAP;
	gw_node_for(item, n->type == GW_NODE_LIST ? n : NULL)
	{
		nested |= item->type == GW_NODE_MAP || item->type == GW_NODE_LIST;
	}
	if (!nested) {
		return stays(m, pointer, drafted_only);
	}
	for (struct gw_node *member = n->first, *next; member; member = next, index++) {
		next = member->next;
		const char *at = n->type == GW_NODE_MAP
					 ? gw_draft_pointer(&d->d, pointer, member->key)
					 : gw_draft_printf(&d->d, "%s/%zu", pointer, index);
		if (scrub(d, m, member, at, drafted_only)) {
			continue;
		}
		if (n->type == GW_NODE_MAP) {
			(void)gw_node_remove(n, member->key); /* it is there */
		} else {
			member->type = GW_NODE_NULL; /* the others keep their index */
			member->first = member->last = NULL;
			member->count = 0;
		}
	}
	return n->first != NULL;
}

/* The recorded body as text; NULL when nothing of it is left. */
static const char *body_of(struct gw_traffic_draft *d, const struct gw_traffic_msg *m)
{
	struct gw_str body = d->t->messages[m->at].payload;
	if (m->codec == GW_TRAFFIC_IN_TEXT) {
		return gw_draft_printf(&d->d, GW_STR_FMT, GW_STR_ARG(body));
	}
	GW_AUTO(gw_arena_free_auto) struct gw_arena *a = gw_arena_new(PARSE_ARENA);
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_BODY_BYTES * 2);
	struct gw_node *root = a ? gw_traffic_parse(a, body) : NULL;
	if (!root || !scrub(d, m, root, "", m->more || body.len > TEST_BYTES)) {
		return NULL;
	}
	gw_node_write(&text, root, /* source_order= */ true);
	struct gw_str copy = gw_arena_text(d->d.a, gw_buf_str(&text));
	d->d.failed |= !copy.p;
	return copy.p;
}

/* --- tests --- */

static const struct gw_node *ask(struct gw_traffic_draft *d, struct gw_binding *b,
				 const struct gw_buf *request)
{
	const struct gw_node_limits limits = {.max_bytes = 4u << 20, .max_depth = 64};
	GW_AUTO(gw_buf_fini) struct gw_buf answer = GW_BUF_INIT(4u << 20);
	struct gw_node *root = NULL;
	int r = gw_line_answer(b, gw_buf_str(request), &answer);
	r = r < 0 ? r
		  : gw_node_parse_json(d->d.a, gw_buf_str(&answer), &limits, &root,
				       /* reterr_= */ NULL);
	d->d.failed |= r < 0;
	return r < 0 ? NULL : root;
}

static const char *address_of(struct gw_traffic_draft *d, const struct gw_traffic_point *p)
{
	return p->component ? gw_draft_printf(&d->d, "%s/%s", p->component, p->address)
			    : p->address;
}

static bool is_heard_in(const struct gw_traffic_point *p, const struct gw_traffic_msg *m)
{
	for (size_t i = 0; i < p->n_in; i++) {
		if (p->in[i].msg == m) {
			return true;
		}
	}
	return false;
}

static struct gw_node *new_test(struct gw_traffic_draft *d, const char *name)
{
	struct gw_node *test = gw_node_new(d->d.a, GW_NODE_MAP);
	gw_add_node(&d->d, d->tests, test);
	gw_set_text(&d->d, test, "name", name);
	return test;
}

static void add_heard(struct gw_traffic_draft *d, struct gw_binding *b,
		      const struct gw_traffic_msg *m)
{
	GW_AUTO(gw_buf_fini) struct gw_buf request = GW_BUF_INIT(1u << 20);
	const char *body = body_of(d, m);
	if (!body) {
		return;
	}
	gw_buf_printf(&request, "{\"reset\":true,\"rx\":[{\"%s\":", m->name);
	gw_json_write_text(&request, gw_str(body));
	gw_buf_puts(&request, "}]}");
	const struct gw_node *answer = ask(d, b, &request), *events = gw_node_get(answer, "events");
	struct gw_node *want = gw_node_new(d->d.a, GW_NODE_MAP);
	for (const struct gw_traffic_point *p = d->points; p && answer; p = p->next) {
		const char *address = p->cap && is_heard_in(p, m) ? address_of(d, p) : "";
		const struct gw_node *v = gw_node_get(gw_node_get(answer, "want"), address);
		if (v && v->type != GW_NODE_NULL) {
			gw_set_node(&d->d, want, address, gw_copy(&d->d, v));
		}
	}
	bool any = events && events->first;
	if (!answer || !want || (!want->first && !any)) {
		return;
	}
	struct gw_node *test = new_test(d, gw_draft_printf(&d->d, "recorded: %s", m->name));
	struct gw_node *rx = gw_set_list(&d->d, test, "rx"),
		       *item = gw_node_new(d->d.a, GW_NODE_MAP);
	gw_add_node(&d->d, rx, item);
	gw_set_text(&d->d, item, m->name, body);
	if (want->first) {
		gw_set_node(&d->d, test, "want", want);
	}
	if (any) {
		gw_set_node(&d->d, test, "events", gw_copy(&d->d, events));
	}
}

/* The value that the recorded command wanted; first, or the other one of a boolean. */
static struct gw_node *wanted(struct gw_traffic_draft *d, const struct gw_traffic_point *p)
{
	const struct gw_meaning *m = &p->meaning;
	const struct gw_capability *cap = m->cap ? gw_capability_find(gw_str(m->cap)) : NULL;
	int64_t count;
	double x;
	switch (m->type) {
	case GW_TYPE_BOOL: return gw_bool_node(&d->d, m->n_map ? m->map[0].flag : p->seen.flag);
	case GW_TYPE_INT:
	case GW_TYPE_NUM:
		x = gw_linear_apply(m->linear, p->seen.number);
		if (cap && gw_quantise(x, cap->res, &count) == 0) {
			x = gw_count_value(count, cap->res);
		}
		return gw_node_new_number(d->d.a, x);
	case GW_TYPE_ENUM: return m->n_map ? gw_text_node(&d->d, gw_str(m->map[0].value)) : NULL;
	case GW_TYPE_STR:
		return p->seen.n_words ? gw_text_node(&d->d, gw_str(p->seen.word[0])) : NULL;
	case GW_TYPE_TIME:
	case GW_TYPE_LIST:
	case GW_TYPE_REC:
	case GW_TYPE_NONE: break;
	}
	return NULL;
}

static void add_write(struct gw_traffic_draft *d, struct gw_binding *b, struct gw_traffic_point *p)
{
	GW_AUTO(gw_buf_fini) struct gw_buf request = GW_BUF_INIT(1u << 16);
	const char *address = address_of(d, p);
	struct gw_node *value = wanted(d, p);
	if (!value) {
		return;
	}
	gw_buf_printf(&request, "{\"reset\":true,\"write\":{\"%s\":", address);
	gw_node_write(&request, value, /* source_order= */ true);
	gw_buf_puts(&request, "}}");
	const struct gw_node *answer = ask(d, b, &request), *tx = gw_node_get(answer, "tx");
	const char *error = gw_node_text(answer, "error");
	if (error || !tx || !tx->first) {
		gw_yaml_say(d, p->cap, GW_YAML_BESIDE, "the recorded value cannot be written: %s",
			    error ? error : "nothing is sent");
		return;
	}
	struct gw_node *test = new_test(d, gw_draft_printf(&d->d, "set %s", address));
	gw_set_node(&d->d, gw_set_map(&d->d, test, "write"), address, value);
	gw_set_node(&d->d, test, "tx", gw_copy(&d->d, tx));
}

static int add_tests(struct gw_traffic_draft *d, struct gw_profile *profile,
		     struct gw_error *reterr_)
{
	struct gw_vars vars = {0};
	GW_AUTO(gw_plan_unref_auto) struct gw_plan *plan = NULL;
	GW_AUTO(gw_binding_free_auto) struct gw_binding *b = NULL;
	int r = gw_profile_complete_vars(profile, &vars, reterr_);
	r = r < 0 ? r : gw_plan_get(profile, &vars, &plan, reterr_);
	r = r < 0 ? r : gw_binding_new(plan, &vars, &b, reterr_);
	gw_vars_fini(&vars);
	if (r < 0) {
		return r;
	}
	d->tests = gw_node_new(d->d.a, GW_NODE_LIST);
	for (size_t i = 0; i < d->n_msgs; i++) {
		const struct gw_traffic_msg *m = d->msgs[i];
		if (m->role == GW_TRAFFIC_HEARD && m->codec != GW_TRAFFIC_IN_BYTES && m->n_bodies) {
			add_heard(d, b, m);
		}
	}
	for (struct gw_traffic_point *p = d->points; p; p = p->next) {
		if (p->cap && p->n_out && !p->meaning.event) {
			add_write(d, b, p);
		}
	}
	if (d->tests && d->tests->first) {
		gw_set_node(&d->d, d->root, "tests", d->tests);
	}
	return d->d.failed ? -ENOMEM : 0;
}

int gw_traffic_prove(struct gw_traffic_draft *d, struct gw_error *reterr_)
{
	GW_AUTO(gw_library_free_auto) struct gw_library *l = NULL;
	GW_AUTO(gw_profile_unref_auto) struct gw_profile *p = NULL;
	int r = gw_library_new(NULL, 0, &l);
	r = r < 0 ? r : load(d, l, &p, reterr_);
	return r < 0 ? r : add_tests(d, p, reterr_);
}

/* --- the whole --- */

/* The text as an author will check it: with --lax it must pass; what it misses for the full check is a note. */
static int check(struct gw_str yaml, struct gw_import_result *notes, struct gw_error *reterr_)
{
	GW_AUTO(gw_library_free_auto) struct gw_library *lax = NULL, *full = NULL;
	GW_AUTO(gw_profile_unref_auto) struct gw_profile *p = NULL;
	GW_AUTO(gw_profile_unref_auto) struct gw_profile *strict = NULL;
	struct gw_error e = {0};
	int r = gw_library_new(NULL, 0, &lax);
	r = r < 0 ? r : gw_library_new(NULL, 0, &full);
	r = r < 0 ? r : gw_profile_load_text(lax, yaml, "draft", GW_PROFILE_LAX, &p, reterr_);
	if (r == 0 && gw_profile_load_text(full, yaml, "draft", 0, &strict, &e) == -EINVAL) {
		gw_import_note(notes, "profile check", "%s (%s at %s)", e.text, e.code, e.at);
	}
	return r;
}

int gw_traffic_draft(const struct gw_traffic *t, const char *vendor, struct gw_buf *ret_yaml,
		     struct gw_import_result *ret_notes, struct gw_error *reterr_)
{
	GW_AUTO(gw_arena_free_auto) struct gw_arena *a = gw_arena_new(64u << 20);
	struct gw_traffic_draft *d = a ? gw_arena_alloc(a, sizeof(*d)) : NULL;
	if (!d || gw_draft_init(&d->d, a, "vendor", ret_notes) < 0) {
		return -ENOMEM;
	}
	const char *slug = vendor ? gw_draft_slug(&d->d, gw_str(vendor)) : "";
	d->d.vendor = slug[0] ? slug : "vendor";
	d->t = t;
	d->notes_tail = &d->notes;
	int r = gw_traffic_collect(d);
	if (r == -ENODATA) {
		return gw_error_set(reterr_, r, "traffic",
				    "nothing in the recording can be drafted");
	}
	r = r < 0 ? r : gw_traffic_emit(d);
	r = r < 0 ? r : gw_traffic_prove(d, reterr_);
	if (r < 0) {
		return r;
	}
	gw_yaml_write(ret_yaml, d->root, d->notes);
	return gw_buf_error(ret_yaml) ? gw_buf_error(ret_yaml)
				      : check(gw_buf_str(ret_yaml), ret_notes, reterr_);
}
