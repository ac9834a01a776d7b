/* Addresses of a Thing Description: references (RFC 3986 §5), templates (RFC 6570), and which adapter speaks a scheme. */
#include <ctype.h>
#include <stdio.h>

#include "profile/import/td.h"

#define URI_BYTES 2048

/* --- parts --- */

struct uri {
	struct gw_str scheme, authority, path, query; /* p NULL: absent */
};

static struct gw_str none(void)
{
	return (struct gw_str){NULL, 0};
}

static struct gw_str cut(struct gw_str *s, size_t n)
{
	struct gw_str head = gw_str_sub(*s, 0, n);
	*s = gw_str_sub(*s, n, s->len);
	return head;
}

static size_t run_of(struct gw_str s, const char *stop)
{
	size_t n = 0, depth = 0; /* a template's braces hold anything */
	for (; n < s.len; n++) {
		depth += s.p[n] == '{';
		depth -= s.p[n] == '}' && depth > 0;
		if (depth == 0 && s.p[n] && strchr(stop, s.p[n])) {
			break;
		}
	}
	return n;
}

static struct uri split(struct gw_str s)
{
	struct uri u = {none(), none(), none(), none()};
	size_t n = run_of(s, ":/?#");
	if (n > 0 && n < s.len && s.p[n] == ':' && isalpha((unsigned char)s.p[0])) {
		u.scheme = cut(&s, n);
		(void)cut(&s, 1); /* the colon */
	}
	if (gw_str_starts(s, "//")) {
		(void)cut(&s, 2);
		u.authority = cut(&s, run_of(s, "/?#"));
		const char *at =
			u.authority.len ? memrchr(u.authority.p, '@', u.authority.len) : NULL;
		if (at) { /* who asks is no part of where */
			(void)cut(&u.authority, (size_t)(at - u.authority.p) + 1);
		}
	}
	u.path = cut(&s, run_of(s, "?#"));
	if (s.len > 0 && s.p[0] == '?') {
		u.query = cut(&s, run_of(s, "#"));
	}
	return u;
}

/* RFC 3986 §5.2.4 */
static void without_dots(struct gw_str path, struct gw_buf *out)
{
	struct gw_str rest = path, segment;
	bool first = true;
	while (gw_str_split(&rest, '/', &segment)) {
		bool last = rest.p == NULL;
		bool up = gw_str_is(segment, ".."), here = gw_str_is(segment, ".");
		if (up) {
			size_t n = out->len;
			while (n > 0 && out->p[n - 1] != '/') {
				n--;
			}
			gw_buf_truncate(out, n > 0 ? n - 1 : 0);
		}
		if (up || here) {
			gw_buf_puts(out, last ? "/" : "");
		} else {
			gw_buf_puts(out, first ? "" : "/");
			gw_buf_add_str(out, segment);
		}
		first = false;
	}
}

static void lower(struct gw_buf *b, struct gw_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		gw_buf_putc(b, (char)tolower((unsigned char)s.p[i]));
	}
}

/* The path of a reference, seen from the path of its base. */
static void merge(const struct uri *base, const struct uri *r, struct gw_buf *out)
{
	GW_AUTO(gw_buf_fini) struct gw_buf path = GW_BUF_INIT(URI_BYTES * 2);
	struct gw_str query = r->query.p ? r->query : none();
	if (r->scheme.p || r->authority.p || gw_str_starts(r->path, "/")) {
		gw_buf_add_str(&path, r->path);
	} else if (r->path.len == 0) {
		gw_buf_add_str(&path, base->path);
		query = query.p ? query : base->query;
	} else {
		const char *slash =
			base->path.len ? memrchr(base->path.p, '/', base->path.len) : NULL;
		gw_buf_add_str(&path,
			       slash ? gw_str_sub(base->path, 0, (size_t)(slash - base->path.p) + 1)
				     : GW_STR("/"));
		gw_buf_add_str(&path, r->path);
	}
	gw_buf_puts(out, path.len > 0 && path.p[0] == '/' ? "" : "/");
	without_dots(gw_buf_str(&path), out);
	gw_buf_add_str(out, query.p ? query : GW_STR(""));
	out->error = out->error ? out->error : gw_buf_error(&path);
}

bool gw_td_resolve(struct gw_draft *b, const char *base, const char *href, const char **ret_host,
		   const char **ret_path)
{
	struct uri u = split(gw_str(href)), from = split(gw_str(base));
	struct gw_str scheme = u.scheme.p ? u.scheme : from.scheme;
	struct gw_str authority = u.scheme.p || u.authority.p ? u.authority : from.authority;
	GW_AUTO(gw_buf_fini)
	struct gw_buf host = GW_BUF_INIT(URI_BYTES), path = GW_BUF_INIT(URI_BYTES);
	if (!scheme.p || !authority.p || authority.len == 0) {
		return false;
	}
	lower(&host, scheme);
	gw_buf_puts(&host, "://");
	lower(&host, authority);
	merge(&from, &u, &path);
	if (gw_buf_error(&host) || gw_buf_error(&path)) {
		return false;
	}
	*ret_host = gw_draft_printf(b, "%s", host.p);
	*ret_path = gw_draft_printf(b, "%s", path.p);
	return !b->failed;
}

const char *gw_td_adapter(const char *host)
{
	static const struct {
		const char *scheme, *adapter;
	} schemes[] = {{"http://", "http"},  {"https://", "http"}, {"coap://", "coap"},
		       {"coaps://", "coap"}, {"mqtt://", "mqtt"},  {"mqtts://", "mqtt"}};
	for (size_t i = 0; i < gw_countof(schemes); i++) {
		if (gw_str_starts(gw_str(host), schemes[i].scheme)) {
			return schemes[i].adapter;
		}
	}
	return NULL;
}

/* --- templates --- */

static const struct gw_node *variable(const struct gw_node *holder, struct gw_str name)
{
	const struct gw_node *n = gw_node_get_str(gw_node_get(holder, "uriVariables"), name);
	return n && n->type == GW_NODE_MAP ? n : NULL;
}

/* Is it the name of a key that stands in the address? */
static bool is_key(const struct gw_td *t, struct gw_str name)
{
	gw_node_for(d, gw_node_get(t->root, "securityDefinitions"))
	{
		const char *in = gw_node_text(d, "in"), *key = gw_node_text(d, "name");
		if (in && key && strcmp(in, "uri") == 0 && gw_str_is(name, key)) {
			return true;
		}
	}
	return false;
}

/* The one value that a schema leaves, or its default; NULL: several. */
static const struct gw_node *only_value(const struct gw_node *schema)
{
	const struct gw_node *words = gw_node_get(schema, "enum");
	const struct gw_node *value = gw_node_get(schema, "const");
	value = value ? value : gw_node_get(schema, "default");
	return value ? value : words && words->count == 1 ? words->first : NULL;
}

/* RFC 3986 §2.3: what is not unreserved is percent-encoded, a brace too. */
static void put_encoded(struct gw_buf *out, struct gw_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c < 128 && (isalnum(c) || strchr("-._~", c))) {
			gw_buf_putc(out, (char)c);
		} else {
			gw_buf_printf(out, "%%%02X", c);
		}
	}
}

static const char *put_variable(struct gw_td *t, struct gw_buf *out, struct gw_str name,
				const struct gw_node *affordance, bool action)
{
	const struct gw_node *own = variable(affordance, name);
	const struct gw_node *schema = own ? own : variable(t->root, name);
	bool key = !schema && is_key(t, name);
	const struct gw_node *value = schema ? only_value(schema) : NULL;
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(GW_VAR_BYTES);
	if (!schema && !key) {
		return "a path variable that is not declared";
	}
	if (value && gw_node_text_form(value, &text) == 0 && !gw_buf_error(&text)) {
		put_encoded(out, gw_buf_str(&text));
		return NULL;
	}
	if (own && action) {
		return "a path variable of an action";
	}
	const char *word = gw_draft_printf(t->b, GW_STR_FMT, GW_STR_ARG(name));
	const char *var = gw_draft_asked(t->b, word, key);
	if (var) {
		gw_buf_printf(out, "{%s}", var);
	}
	return var ? NULL : "too many path variables";
}

/* The names between braces, with their separator. */
static const char *put_names(struct gw_td *t, struct gw_buf *out, struct gw_str names, char between,
			     const struct gw_node *affordance, bool action)
{
	struct gw_str name;
	bool first = true;
	while (gw_str_split(&names, ',', &name)) {
		if (name.len == 0 ||
		    strpbrk(gw_draft_printf(t->b, GW_STR_FMT, GW_STR_ARG(name)), "*:")) {
			return "a URI template that explodes or cuts";
		}
		if (!first || between == '/') {
			gw_buf_putc(out, between);
		}
		const char *why = put_variable(t, out, name, affordance, action);
		if (why) {
			return why;
		}
		first = false;
	}
	return NULL;
}

const char *gw_td_expand(struct gw_td *t, const char *path, const struct gw_node *affordance,
			 bool action, const char **ret_why)
{
	GW_AUTO(gw_buf_fini) struct gw_buf out = GW_BUF_INIT(URI_BYTES);
	struct gw_str rest = gw_str(path);
	const char *why = NULL;
	size_t asked = t->b->n_levels;
	while (rest.len > 0 && !why) {
		gw_buf_add_str(&out, cut(&rest, strcspn(rest.p, "{")));
		if (rest.len == 0) {
			break;
		}
		const char *close = memchr(rest.p, '}', rest.len);
		if (!close) {
			why = "a brace that is not closed";
			break;
		}
		struct gw_str inner = cut(&rest, (size_t)(close - rest.p) + 1);
		inner = gw_str_sub(inner, 1, inner.len - 2);
		char op =
			inner.len > 0 && inner.p[0] && strchr("?&#/+", inner.p[0]) ? inner.p[0] : 0;
		if (op == '?' || op == '&' || op == '#') {
			continue; /* §3.2.8: what has no value is left out */
		}
		struct gw_str names = op ? gw_str_sub(inner, 1, inner.len) : inner;
		why = put_names(t, &out, names, op == '/' ? '/' : ',', affordance, action);
	}
	if (!why && gw_buf_error(&out)) {
		why = "an address that is too long";
	}
	if (why) {
		t->b->n_levels = asked; /* nobody is asked for what leads nowhere */
	}
	*ret_why = why;
	return why ? NULL : gw_draft_printf(t->b, "%s", out.p ? out.p : "/");
}
