/* Forms of a Thing Description as channels (TD 1.1 §5.3.4.2, binding templates): operation, method, media type, subprotocol. */
#include <ctype.h>
#include <stdio.h>

#include "profile/import/td.h"

#define MAX_HOSTS 64

/* --- operations --- */

struct operation {
	const char *op;
	const char *verb; /* of HTTP and CoAP */
	bool sends;	  /* MQTT: published by us */
	bool pushed;	  /* the answer comes by itself */
};

static const struct operation operations[] = {
	{"readproperty", "get", false, false},
	{"writeproperty", "put", true, false},
	{"observeproperty", "get", false, true},
	{"invokeaction", "post", true, false},
	{"subscribeevent", "get", false, true},
	{"readallproperties", "get", false, false}, /* in forms of the thing */
};

static const struct operation *operation(const char *op)
{
	for (size_t i = 0; i < gw_countof(operations); i++) {
		if (strcmp(operations[i].op, op) == 0) {
			return &operations[i];
		}
	}
	return NULL;
}

static bool is_true(const struct gw_node *n, const char *key)
{
	const struct gw_node *flag = gw_node_get(n, key);
	return flag && flag->type == GW_NODE_BOOL && flag->flag;
}

/* §5.3.4.2: what a form without `op` is for. */
static bool is_default(const struct gw_node *affordance, const char *op)
{
	if (strcmp(op, "readproperty") == 0) {
		return !is_true(affordance, "writeOnly");
	}
	if (strcmp(op, "writeproperty") == 0) {
		return !is_true(affordance, "readOnly");
	}
	return strcmp(op, "invokeaction") == 0 || strcmp(op, "subscribeevent") == 0;
}

/* --- media types --- */

static const struct {
	const char *type, *codec;
} media[] = {
	{"application/json", "json"},
	{"application/*+json", "json"},
	{"application/cbor", "cbor"},
	{"application/*+cbor", "cbor"},
	{"application/x-www-form-urlencoded", "form"},
	{"text/plain", "text"},
};

static const char *codec_of(const struct gw_node *form)
{
	const char *type = gw_node_text(form, "contentType");
	struct gw_str rest = gw_str(type ? type : "application/json"), name;
	(void)gw_str_split(&rest, ';', &name); /* parameters do not change the codec */
	for (size_t i = 0; i < gw_countof(media); i++) {
		if (gw_str_glob(gw_str(media[i].type), gw_str_trim(name))) {
			return media[i].codec;
		}
	}
	return NULL;
}

/* --- the host --- */

static bool address(struct gw_td *t, const struct gw_node *form, const char **ret_host,
		    const char **ret_path)
{
	const char *href = gw_node_text(form, "href");
	return href && gw_td_resolve(t->b, t->base, href, ret_host, ret_path);
}

struct hosts {
	struct {
		const char *host;
		size_t n;
	} host[MAX_HOSTS];
	size_t n;
};

static size_t index_of(struct hosts *h, const char *host)
{
	size_t i = 0;
	while (i < h->n && strcmp(h->host[i].host, host) != 0) {
		i++;
	}
	if (i == h->n && h->n < MAX_HOSTS) {
		h->host[h->n++].host = host;
	}
	return i;
}

/* Each affordance counts once for each host on which it can be reached. */
static void count_affordance(struct gw_td *t, const struct gw_node *affordance, struct hosts *h)
{
	bool counted[MAX_HOSTS] = {false};
	const char *host, *path;
	gw_node_for(form, gw_node_get(affordance, "forms"))
	{
		const char *sub = gw_node_text(form, "subprotocol");
		bool carried = !sub || strcmp(sub, "sse") == 0 || strcmp(sub, "cov:observe") == 0;
		if (!carried || !address(t, form, &host, &path) || !gw_td_adapter(host)) {
			continue;
		}
		size_t i = index_of(h, host);
		if (i < MAX_HOSTS && !counted[i]) {
			counted[i] = true;
			h->host[i].n++;
		}
	}
}

void gw_td_choose_host(struct gw_td *t)
{
	static const char *const groups[] = {"properties", "actions", "events"};
	struct hosts h = {.n = 0};
	size_t best = 0;
	for (size_t g = 0; g < gw_countof(groups); g++) {
		gw_node_for(affordance, gw_node_get(t->root, groups[g]))
		{
			count_affordance(t, affordance, &h);
		}
	}
	for (size_t i = 1; i < h.n; i++) {
		best = h.host[i].n > h.host[best].n ? i : best;
	}
	t->host = h.n ? h.host[best].host : "";
	t->adapter = h.n ? gw_td_adapter(t->host) : "";
}

/* --- topics of MQTT --- */

/* In an address a topic is percent-encoded. */
static const char *decoded(struct gw_draft *b, const char *path)
{
	GW_AUTO(gw_buf_fini) struct gw_buf out = GW_BUF_INIT(GW_TOPIC_BYTES * 4);
	for (const char *p = path; *p; p++) {
		uint64_t v;
		if (*p == '%' && isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2]) &&
		    gw_parse_hex((struct gw_str){p + 1, 2}, &v) == 0) {
			gw_buf_putc(&out, (char)v);
			p += 2;
		} else {
			gw_buf_putc(&out, *p);
		}
	}
	return gw_draft_printf(b, "%s", gw_buf_error(&out) || !out.p ? "" : out.p);
}

static const char *topic_of(struct gw_td *t, const struct gw_node *form, const char *path)
{
	const char *topic = gw_node_text(form, "mqv:topic");
	topic = topic ? topic : gw_td_first_text(gw_node_get(form, "mqv:filter"));
	return topic ? topic : decoded(t->b, path + (path[0] == '/'));
}

/* Bytes of a that b begins with too, up to a whole level; a topic's last level is not shared. */
static size_t shared(struct gw_str a, const char *b)
{
	size_t n = 0, level = 0;
	for (; n < a.len && a.p[n] == b[n]; n++) {
		level = a.p[n] == '/' ? n : level;
	}
	return n == a.len && b[n] == '/' ? n : level;
}

static void share_topics(struct gw_td *t, const struct gw_node *holder, struct gw_str *prefix)
{
	const char *host, *path;
	gw_node_for(form, gw_node_get(holder, "forms"))
	{
		if (!address(t, form, &host, &path) || strcmp(host, t->host) != 0) {
			continue;
		}
		const char *topic = topic_of(t, form, path);
		if (!prefix->p) {
			const char *slash = strrchr(topic, '/');
			*prefix = (struct gw_str){topic,
						  slash ? (size_t)(slash - topic) : strlen(topic)};
		}
		prefix->len = shared(*prefix, topic);
	}
}

bool gw_td_share_topics(struct gw_td *t)
{
	static const char *const groups[] = {"properties", "actions", "events"};
	struct gw_str prefix = {NULL, 0};
	for (size_t g = 0; g < gw_countof(groups); g++) {
		gw_node_for(affordance, gw_node_get(t->root, groups[g]))
		{
			share_topics(t, affordance, &prefix);
		}
	}
	return prefix.len > 0 && gw_draft_prefix(t->b, prefix) == 0;
}

/* --- HTTP and CoAP --- */

static const char *method_of(const struct gw_node *form)
{
	static const char *const keys[] = {"htv:methodName", "http:methodName", "cov:method",
					   "cov:methodName"};
	for (size_t i = 0; i < gw_countof(keys); i++) {
		const char *method = gw_node_text(form, keys[i]);
		if (method) {
			return method;
		}
	}
	return NULL;
}

/* How an answer comes by itself: CoAP observes, HTTP has server-sent events. NULL: it does. */
static const char *pushed_why(struct gw_td *t, const struct gw_node *form)
{
	const char *sub = gw_node_text(form, "subprotocol");
	bool coap = strcmp(t->adapter, "coap") == 0;
	if (coap ? !sub || strcmp(sub, "cov:observe") == 0 : sub && strcmp(sub, "sse") == 0) {
		return NULL;
	}
	return sub ? gw_draft_printf(t->b, "subprotocol %.40s", sub)
		   : "an event over HTTP without a subprotocol";
}

static const char *request(struct gw_td *t, const struct gw_node *form, const struct operation *o,
			   struct gw_td_channel *c)
{
	static const struct {
		const char *method, *verb;
	} methods[] = {{"GET", "get"}, {"PUT", "put"}, {"POST", "post"}};
	const char *method = method_of(form);
	c->verb = method ? NULL : o->verb;
	for (size_t i = 0; method && i < gw_countof(methods); i++) {
		c->verb = strcmp(methods[i].method, method) == 0 ? methods[i].verb : c->verb;
	}
	if (!c->verb || o->sends == (strcmp(c->verb, "get") == 0)) {
		return gw_draft_printf(t->b, "method %.20s of %s", method ? method : "?", o->op);
	}
	const char *why = o->pushed ? pushed_why(t, form) : NULL;
	c->observe = o->pushed;
	return why;
}

/* --- MQTT --- */

static const char *publication(struct gw_td *t, const struct gw_node *form, const char *path,
			       const struct operation *o, struct gw_td_channel *c)
{
	const char *packet = gw_node_text(form, "mqv:controlPacket");
	bool sends = packet ? strcmp(packet, "publish") == 0 || strcmp(packet, "mqv:publish") == 0
			    : o->sends;
	if (sends != o->sends) {
		return gw_draft_printf(t->b, "control packet %.20s of %s", packet, o->op);
	}
	c->path = topic_of(t, form, path);
	c->verb = sends ? "tx" : "rx";
	return strpbrk(c->path, "+#?") || !c->path[0] ? "a topic filter with wildcards" : NULL;
}

/* --- forms --- */

/* NULL: the form can carry the operation. */
static const char *try_form(struct gw_td *t, const struct gw_node *affordance,
			    const struct gw_node *form, const struct operation *o,
			    struct gw_td_channel *c)
{
	const char *host, *path, *why = NULL;
	const char *type = gw_node_text(form, "contentType");
	if (!address(t, form, &host, &path)) {
		return "an address without a host";
	}
	if (!gw_td_adapter(host)) {
		return gw_draft_printf(t->b, "scheme " GW_STR_FMT,
				       GW_STR_ARG(gw_str_sub(gw_str(host), 0, strcspn(host, ":"))));
	}
	if (strcmp(host, t->host) != 0) {
		return "a form on another host";
	}
	c->codec = codec_of(form);
	if (!c->codec) {
		return gw_draft_printf(t->b, "media type %.60s", type);
	}
	if (gw_node_text(form, "contentCoding")) {
		return "a content coding";
	}
	bool action = strcmp(o->op, "invokeaction") == 0;
	if (strcmp(t->adapter, "mqtt") == 0) {
		return publication(t, form, path, o, c);
	}
	why = request(t, form, o, c);
	c->path = why ? NULL : gw_td_expand(t, path, affordance, action, &why);
	return why;
}

bool gw_td_channel(struct gw_td *t, const struct gw_node *affordance, const char *op,
		   struct gw_td_channel *ret, const char **ret_why)
{
	const struct operation *o = operation(op);
	const char *first = NULL;
	gw_node_for(form, gw_node_get(affordance, "forms"))
	{
		const struct gw_node *ops = gw_node_get(form, "op");
		struct gw_td_channel c = {.observe = false};
		if (ops ? !gw_td_has_text(ops, op) : !is_default(affordance, op)) {
			continue;
		}
		const char *why = try_form(t, affordance, form, o, &c);
		if (!why) {
			*ret = c;
			return true;
		}
		first = first ? first : why;
	}
	*ret_why = first;
	return false;
}

/* --- messages --- */

/* The answer is asked for when the device is there, after a write, and from time to time. */
static void ask(struct gw_draft *b, const char *msg)
{
	static const char *const when[] = {"bind", "online", "write"};
	struct gw_node *m = gw_draft_msg(b, msg);
	if (!m || gw_node_get(m, "on")) {
		return;
	}
	struct gw_node *on = gw_set_list(b, m, "on");
	for (size_t i = 0; i < gw_countof(when); i++) {
		gw_add_text(b, on, gw_str(when[i]));
	}
	gw_set_text(b, m, "every", "30s");
}

const char *gw_td_message(struct gw_td *t, const struct gw_td_channel *c, const char *pointer,
			  const struct gw_node *fixed)
{
	struct gw_draft *b = t->b;
	if (strcmp(c->verb, "rx") == 0) {
		return gw_draft_rx(b, gw_str(c->path), c->codec);
	}
	if (strcmp(c->verb, "tx") == 0) {
		return fixed ? gw_draft_fixed(b, gw_str(c->path), c->codec, fixed, 0)
			     : gw_draft_tx(b, gw_str(c->path), c->codec, NULL, pointer, 0);
	}
	if (strcmp(c->verb, "get") == 0) {
		const char *msg = gw_draft_get(b, c->path, c->codec, c->observe);
		if (msg && !c->observe) {
			ask(b, msg);
		}
		return msg;
	}
	return fixed ? gw_draft_request_fixed(b, c->verb, c->path, c->codec, fixed)
		     : gw_draft_request(b, c->verb, c->path, c->codec, pointer);
}
