/* MIoT: the specification of a device, its services, actions and events. */
#include "profile/import/miot.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "profile/import/file.h"

#define MAX_SERVICES 256

/* --- parts of a specification --- */

/* The n-th piece of a urn from 0; empty: there is none. */
static struct gw_str piece(struct gw_str urn, unsigned n)
{
	struct gw_str p = {"", 0};
	for (unsigned i = 0; i <= n; i++) {
		if (!gw_str_split(&urn, ':', &p)) {
			return GW_STR("");
		}
	}
	return p;
}

const char *gw_miot_name(struct gw_miot *m, const struct gw_node *n, const char *kind)
{
	const char *type = gw_node_text(n, "type");
	struct gw_str urn = gw_str(type ? type : ""), name = piece(urn, 3);
	if (!gw_str_is(piece(urn, 0), "urn") || !gw_str_is(piece(urn, 2), kind) || name.len == 0) {
		return NULL;
	}
	return gw_draft_printf(m->b, GW_STR_FMT, GW_STR_ARG(name));
}

unsigned gw_miot_iid(const struct gw_node *n)
{
	const struct gw_node *iid = gw_node_get(n, "iid");
	bool fits = iid && iid->type == GW_NODE_NUMBER && iid->number >= 1 &&
		    iid->number <= 65535 && iid->number == floor(iid->number);
	return fits ? (unsigned)iid->number : 0;
}

const struct gw_node *gw_miot_find(struct gw_miot *m, const struct gw_miot_service *s,
				   const char *name)
{
	gw_node_for(p, gw_node_get(s->node, "properties"))
	{
		const char *has = gw_miot_name(m, p, "property");
		if (has && gw_miot_iid(p) && strcmp(has, name) == 0) {
			return p;
		}
	}
	return NULL;
}

const struct gw_node *gw_miot_property(const struct gw_miot_service *s, unsigned piid)
{
	gw_node_for(p, gw_node_get(s->node, "properties"))
	{
		if (gw_miot_iid(p) == piid) {
			return p;
		}
	}
	return NULL;
}

bool gw_miot_access(const struct gw_node *property, const char *word)
{
	gw_node_for(n, gw_node_get(property, "access"))
	{
		if (gw_node_is_text(n, word)) {
			return true;
		}
	}
	return false;
}

const char *gw_miot_at(struct gw_miot *m, const struct gw_miot_service *s, const char *list,
		       unsigned iid, const char *name)
{
	return gw_draft_printf(m->b, "%s/%u.%u %s:%s", list, s->siid, iid, s->name, name);
}

const char *gw_miot_place(struct gw_miot *m, const struct gw_miot_service *s, const char *id,
			  bool *ret_free)
{
	*ret_free = true;
	if (!gw_draft_has(m->b, s->component, id)) {
		return s->component;
	}
	const char *spare =
		s->component ? gw_draft_printf(m->b, "%s_%u", s->name, s->siid) : s->name;
	const char *name = gw_draft_component(m->b, spare, s->label);
	*ret_free = !gw_draft_has(m->b, name, id);
	return name;
}

void gw_miot_told(struct gw_miot *m, const char *at, const char *component, const char *id)
{
	gw_import_fate(m->b->result, at, GW_FATE_STANDARD,
		       component ? gw_draft_printf(m->b, "%s/%s", component, id) : id, NULL);
}

const char *gw_miot_word(struct gw_miot *m, const char *text)
{
	return gw_draft_slug(m->b, gw_str(text));
}

/* Does one before it in its list have its number? */
static bool is_second(const struct gw_node *list, const struct gw_node *n)
{
	const struct gw_node *first = list->first;
	while (first != n && gw_miot_iid(first) != gw_miot_iid(n)) {
		first = first->next;
	}
	return first != n;
}

/* --- actions --- */

/* The message and what is set in it; NULL: there is no room. */
static const char *action_point(struct gw_miot *m, const char *hint, const char *pointer)
{
	const char *name = NULL;
	struct gw_node *p = gw_draft_point(m->b, hint, &name);
	if (!gw_draft_msg(m->b, "action")) {
		gw_set_text(m->b, gw_set_map(m->b, m->b->msgs, "action"), "tx", "action");
	}
	if (p) {
		gw_draft_ref(m->b, p, "out", "action", pointer);
	}
	return p ? name : NULL;
}

/* Each input is an argument, named like the property. */
static bool add_inputs(struct gw_miot *m, const struct gw_miot_service *s, unsigned aiid,
		       const struct gw_node *in, struct gw_node *cap)
{
	struct gw_node *set = gw_set_map(m->b, cap, "action"),
		       *args = gw_set_map(m->b, cap, "args");
	gw_node_for(n, in)
	{
		unsigned piid = n->type == GW_NODE_NUMBER && n->number >= 1 && n->number <= 65535
					? (unsigned)n->number
					: 0;
		const struct gw_node *property = piid ? gw_miot_property(s, piid) : NULL;
		const char *name = property ? gw_miot_name(m, property, "property") : NULL;
		const char *arg =
			name ? gw_draft_printf(m->b, "in_%u_%s", piid, gw_miot_word(m, name))
			     : NULL;
		if (!arg) {
			return false;
		}
		arg = gw_miot_word(m, arg);
		const char *point =
			action_point(m, gw_draft_printf(m->b, "a%u_%u_%u", s->siid, aiid, piid),
				     gw_draft_printf(m->b, "/%u.%u/%u", s->siid, aiid, piid));
		if (!point || !gw_miot_describe(m, property, gw_set_map(m->b, args, arg),
						/* numbers= */ true)) {
			return false;
		}
		gw_set_text(m->b, set, point, arg);
	}
	return true;
}

static struct gw_node *caps_of(struct gw_miot *m, const char *component)
{
	return component ? gw_node_get(gw_node_get(m->b->components, component), "caps")
			 : m->b->caps;
}

static void add_action(struct gw_miot *m, const struct gw_miot_service *s,
		       const struct gw_node *action)
{
	const char *name = gw_miot_name(m, action, "action");
	unsigned aiid = gw_miot_iid(action);
	const struct gw_node *in = gw_node_get(action, "in");
	bool bare = !in || in->type != GW_NODE_LIST || in->count == 0, is_free = false;
	if (!name || !aiid) {
		return;
	}
	const char *at = gw_miot_at(m, s, "actions", aiid, name), *component = s->component;
	if (is_second(gw_node_get(s->node, "actions"), action)) {
		gw_import_fate(m->b->result, at, GW_FATE_UNMAPPED, NULL, GW_MIOT_TWICE);
		return;
	}
	const struct gw_miot_row *row = gw_miot_action_row(s->name, name);
	const char *id = row && bare && !gw_draft_is_extension(row->cap) ? row->cap : NULL;
	if (id) {
		component = gw_miot_place(m, s, id, &is_free);
	}
	if (!is_free) {
		component = s->component;
		id = gw_draft_extension(m->b, component, gw_miot_word(m, name));
	}
	struct gw_node *cap = gw_draft_cap(m->b, component, id);
	const char *point =
		cap && bare ? action_point(m, gw_draft_printf(m->b, "a%u_%u", s->siid, aiid),
					   gw_draft_printf(m->b, "/%u.%u", s->siid, aiid))
			    : NULL;
	if (point) {
		gw_set_text(m->b, gw_set_map(m->b, cap, "action"), point, "true");
	} else if (!cap || bare || !add_inputs(m, s, aiid, in, cap)) {
		if (cap) {
			(void)gw_node_remove(caps_of(m, component), gw_str(id));
		}
		gw_import_fate(m->b->result, at, GW_FATE_UNMAPPED, NULL,
			       "an action with an input that is no property");
		return;
	}
	const char *label = gw_node_text(action, "description");
	if (!is_free && label && label[0]) {
		gw_set_text(m->b, cap, "name", label);
	}
	if (is_free) {
		gw_miot_told(m, at, component, id);
	} else {
		gw_import_fate(m->b->result, at, GW_FATE_VENDOR, id, NULL);
	}
}

/* --- events --- */

static void need_events(struct gw_miot *m)
{
	if (!gw_draft_msg(m->b, "event")) {
		gw_set_text(m->b, gw_set_map(m->b, m->b->msgs, "event"), "rx", "event");
	}
}

/* Clicks of one button are one event with several symbols. */
static bool add_press(struct gw_miot *m, const struct gw_miot_service *s, const char *word,
		      const char *symbol)
{
	const char *hint = gw_draft_printf(m->b, "press%u", s->siid), *name = NULL;
	struct gw_node *p = gw_node_get(m->b->points, hint);
	if (!p) {
		bool is_free;
		const char *component = gw_miot_place(m, s, "button.press", &is_free);
		struct gw_node *cap =
			is_free ? gw_draft_cap(m->b, component, "button.press") : NULL;
		p = cap ? gw_draft_point(m->b, hint, &name) : NULL;
		if (!p) {
			return false;
		}
		gw_draft_ref(m->b, p, "in", "event", "/event");
		(void)gw_set_map(m->b, p, "map"); /* filled below */
		gw_set_text(m->b, gw_set_map(m->b, cap, "event"), "point", name);
	}
	gw_set_text(m->b, gw_node_get(p, "map"), word, symbol);
	return true;
}

static void add_event(struct gw_miot *m, const struct gw_miot_service *s,
		      const struct gw_node *event)
{
	const char *name = gw_miot_name(m, event, "event"), *point = NULL;
	unsigned eiid = gw_miot_iid(event);
	if (!name || !eiid) {
		return;
	}
	need_events(m);
	const char *at = gw_miot_at(m, s, "events", eiid, name), *symbol = gw_miot_press(name);
	const char *word = gw_draft_printf(m->b, "%u.%u", s->siid, eiid);
	if (symbol && add_press(m, s, word, symbol)) {
		gw_miot_told(m, at, s->component, "button.press");
		return;
	}
	const char *id = gw_draft_extension(m->b, s->component, gw_miot_word(m, name));
	struct gw_node *p =
		gw_draft_point(m->b, gw_draft_printf(m->b, "e%u_%u", s->siid, eiid), &point);
	struct gw_node *cap = p ? gw_draft_cap(m->b, s->component, id) : NULL;
	if (!cap) {
		gw_import_fate(m->b->result, at, GW_FATE_UNMAPPED, NULL,
			       "more than a profile can have");
		return;
	}
	const struct gw_node *first = gw_node_at(gw_node_get(event, "arguments"), 0);
	if (first && first->type == GW_NODE_NUMBER && first->number >= 1 &&
	    first->number <= 65535) {
		gw_draft_ref(m->b, p, "in", "event",
			     gw_draft_printf(m->b, "/%s/%u", word, (unsigned)first->number));
		if (first->next) {
			gw_draft_note(m->b, "%s: an event has one value here, the first argument",
				      at);
		}
	} else {
		gw_draft_ref(m->b, p, "in", "event", "/event");
		gw_set_text(m->b, gw_set_map(m->b, p, "map"), word, gw_miot_word(m, name));
	}
	gw_set_text(m->b, gw_set_map(m->b, cap, "event"), "point", point);
	gw_import_fate(m->b->result, at, GW_FATE_VENDOR, id, NULL);
}

/* --- services --- */

static unsigned count_service(struct gw_miot *m, const char *name, const struct gw_node *until)
{
	unsigned n = 0;
	for (const struct gw_node *s = gw_node_get(m->root, "services")->first; s != until;
	     s = s->next) {
		const char *has = gw_miot_name(m, s, "service");
		n += has && strcmp(has, name) == 0;
	}
	return n;
}

static const char *component_of(struct gw_miot *m, const struct gw_miot_service *s)
{
	const char *word = strcmp(s->name, "switch") == 0 ? "gang" : s->name;
	return s->count < 2 ? NULL
			    : gw_draft_component(m->b, gw_draft_printf(m->b, "%s_%u", word, s->n),
						 s->label);
}

static void add_service(struct gw_miot *m, const struct gw_node *node, const char *name)
{
	struct gw_miot_service s = {.node = node,
				    .name = name,
				    .siid = gw_miot_iid(node),
				    .n = count_service(m, name, node) + 1,
				    .count = count_service(m, name, NULL),
				    .label = gw_node_text(node, "description")};
	if (!s.siid) {
		return;
	}
	if (is_second(gw_node_get(m->root, "services"), node)) {
		gw_import_fate(m->b->result, gw_draft_printf(m->b, "services/%u %s", s.siid, name),
			       GW_FATE_UNMAPPED, NULL, GW_MIOT_TWICE);
		return;
	}
	s.component = component_of(m, &s);
	gw_node_for(n, gw_node_get(node, "properties"))
	{
		gw_miot_add_property(m, &s, n);
	}
	gw_node_for(n, gw_node_get(node, "actions"))
	{
		add_action(m, &s, n);
	}
	gw_node_for(n, gw_node_get(node, "events"))
	{
		add_event(m, &s, n);
	}
}

/* What the device is comes first: it has the first choice of what main can have one of. */
static void add_services(struct gw_miot *m)
{
	for (unsigned pass = 0; pass < 2; pass++) {
		gw_node_for(n, gw_node_get(m->root, "services"))
		{
			const char *name = gw_miot_name(m, n, "service");
			bool first = name && strcmp(name, m->device) == 0;
			if (name && first == (pass == 0)) {
				add_service(m, n, name);
			}
		}
	}
}

/* --- messages --- */

static void add_messages(struct gw_miot *m)
{
	struct gw_node *state = gw_set_map(m->b, m->b->msgs, "state");
	gw_set_text(m->b, state, "rx", "properties");
	gw_set_text(m->b, state, "tx", "properties");
	gw_set_text(m->b, m->b->link, "adapter", "miio");
	gw_set_text(m->b, m->b->link, "coalesce", "50ms");
}

static void add_ask(struct gw_miot *m)
{
	if (m->gets->count == 0) {
		return;
	}
	struct gw_node *get = gw_set_map(m->b, m->b->msgs, "get");
	gw_set_text(m->b, get, "tx", "get");
	gw_set_node(m->b, get, "body", m->gets);
	gw_set_text(m->b, get, "reply", "state");
	gw_set_text(m->b, get, "every", m->polls ? "30s" : "5m");
	struct gw_node *on = gw_set_list(m->b, get, "on");
	gw_add_text(m->b, on, GW_STR("bind"));
	gw_add_text(m->b, on, GW_STR("online"));
}

/* --- the file --- */

static int refuse(struct gw_miot *m, const char *at, const char *text)
{
	int r = gw_error_set(m->error, -EBADMSG, "import", "%s", text);
	if (m->error) {
		(void)snprintf(m->error->at, sizeof(m->error->at), "%s", at);
	}
	return r;
}

static int build(struct gw_miot *m)
{
	const struct gw_node *services = gw_node_get(m->root, "services");
	m->device = gw_miot_name(m, m->root, "device");
	if (!m->device) {
		return refuse(m, "/type", "expected a urn:miot-spec-v2:device:<name>:…");
	}
	if (!services || services->type != GW_NODE_LIST || services->count > MAX_SERVICES) {
		return refuse(m, "/services", "expected a list of at most 256 services");
	}
	m->gets = gw_node_new(m->b->a, GW_NODE_LIST);
	if (!m->gets) {
		return -ENOMEM;
	}
	m->b->hints |= strcmp(m->device, "dehumidifier") == 0 ? GW_HINT_DEHUMIDIFIER : 0;
	m->b->hints |= strcmp(m->device, "light") == 0 ? GW_HINT_LIGHT : 0;
	m->b->hints |= strcmp(m->device, "outlet") == 0 ? GW_HINT_OUTLET : 0;
	add_messages(m);
	add_services(m);
	add_ask(m);
	return m->b->failed ? -ENOMEM : 0;
}

/* "xiaomi-mc1": the maker, and the last part of the model, whose middle is not told. */
static int finish(struct gw_miot *m, struct gw_imported *out)
{
	const char *type = gw_node_text(m->root, "type"),
		   *about = gw_node_text(m->root, "description");
	struct gw_str rest = piece(gw_str(type), 5), maker, urn = rest;
	(void)gw_str_split(&rest, '-', &maker); /* without a dash all is the maker */
	const char *vendor = gw_draft_printf(m->b, GW_STR_FMT, GW_STR_ARG(maker));
	const char *model = rest.p ? gw_draft_printf(m->b, GW_STR_FMT, GW_STR_ARG(rest)) : "";
	const char *glob = gw_draft_printf(m->b, "%s.*.%s", vendor, model);
	struct gw_node *match = vendor[0] && model[0] ? gw_text_node(m->b, gw_str(glob)) : NULL;
	const char *name =
		gw_draft_printf(m->b, "%s (%s %s)", about ? about : m->device, vendor, model);
	const char *identity =
		gw_draft_printf(m->b, "miot:%s:" GW_STR_FMT ":" GW_STR_FMT, m->device,
				GW_STR_ARG(urn), GW_STR_ARG(piece(gw_str(type), 6)));
	(void)gw_str_clean(gw_str(name), 120, out->name, sizeof(out->name)); /* lengths unused */
	(void)gw_str_clean(gw_str(identity), 100, out->identity, sizeof(out->identity));
	const struct gw_draft_head head = {.source = "miot",
					   .kind = "miio_model",
					   .vendor = vendor,
					   .model = model,
					   .name = out->name,
					   .type = gw_miot_device_type(m->device),
					   .match = match};
	int r = gw_draft_finish(m->b, &head, out);
	return r == -ENOENT  ? refuse(m, "/services", "found no property that can be used")
	       : r == -E2BIG ? refuse(m, "/services",
				      "the properties need more than the 256 KiB of a profile")
			     : r;
}

static int make(void *ctx, struct gw_draft *b, struct gw_imported *out)
{
	struct gw_miot *m = ctx;
	m->b = b;
	int r = build(m);
	return r < 0 ? r : finish(m, out);
}

static int import(const struct gw_node *root, const char *file, struct gw_import_result *ret_result,
		  struct gw_error *reterr_)
{
	struct gw_miot m = {.root = root, .error = reterr_};
	return gw_import_draft("miot", file, ret_result, make, &m);
}

const struct gw_file_importer gw_import_miot = {.name = "miot", .import = import};
