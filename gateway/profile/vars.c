/* Variables of a profile and of a device (profile-language §4). */
#include <errno.h>
#include <stdio.h>

#include "gw/alloc.h"
#include "gw/topic.h"
#include "profile/compose.h"
#include "profile/match.h"

#define MAX_VARS 64

/* --- values --- */

void gw_vars_fini(struct gw_vars *v)
{
	for (size_t i = 0; i < v->count; i++) {
		gw_free(v->entry[i].name);
	}
	gw_free(v->entry);
	*v = (struct gw_vars){0};
}

/* Name and value in one piece of memory: a home has thousands of them. */
static int new_entry(struct gw_str name, struct gw_str value, struct gw_vars_entry *ret)
{
	char *text = gw_alloc0(1, name.len + 1 + (value.p ? value.len + 1 : 0));
	if (!text) {
		return -ENOMEM;
	}
	memcpy(text, name.p, name.len);
	*ret = (struct gw_vars_entry){.name = text};
	if (value.p) {
		ret->value = text + name.len + 1;
		memcpy(ret->value, value.p, value.len);
	}
	return 0;
}

int gw_vars_set(struct gw_vars *v, struct gw_str name, struct gw_str value)
{
	if (value.len > GW_VAR_BYTES || name.len > GW_VAR_BYTES) {
		return -E2BIG;
	}
	size_t i = 0;
	while (i < v->count && !gw_str_is(name, v->entry[i].name)) {
		i++;
	}
	if (i == MAX_VARS) {
		return -E2BIG;
	}
	struct gw_vars_entry new;
	if (new_entry(name, value, &new) < 0) {
		return -ENOMEM;
	}
	if (i < v->count) {
		gw_free(v->entry[i].name);
		v->entry[i] = new;
		return 0;
	}
	struct gw_vars_entry *grown = gw_realloc(v->entry, v->count + 1, sizeof(*grown));
	if (!grown) {
		gw_free(new.name);
		return -ENOMEM;
	}
	v->entry = grown;
	v->entry[v->count++] = new;
	return 0;
}

const char *gw_vars_get(const struct gw_vars *v, const char *name)
{
	for (size_t i = 0; i < v->count; i++) {
		if (strcmp(v->entry[i].name, name) == 0) {
			return v->entry[i].value;
		}
	}
	return NULL;
}

int gw_vars_copy(struct gw_vars *to, const struct gw_vars *from)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct gw_vars_entry *e = &from->entry[i];
		int r = gw_vars_set(to, gw_str(e->name), gw_str(e->value));
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

/* --- containment --- */

/* One level of a topic or path, so that no value leads to another device. */
bool gw_var_fits_channel(struct gw_str value)
{
	if (value.len == 0 || value.len > GW_VAR_CHANNEL_BYTES || value.p[0] == '$' ||
	    !gw_str_is_utf8(value)) {
		return false;
	}
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.p[i];
		if (c < 0x20 || c == 0x7f || c == '/' || c == '+' || c == '#') {
			return false;
		}
	}
	return true;
}

const struct gw_var_info *gw_var_find(const struct gw_profile *p, struct gw_str name)
{
	for (size_t i = 0; i < p->n_vars; i++) {
		if (gw_str_is(name, p->vars[i].name)) {
			return &p->vars[i];
		}
	}
	return NULL;
}

static int refuse_var(struct gw_error *e, const char *name, const char *code, const char *text)
{
	int r = gw_error_set(e, -EINVAL, code, "variable \"%.60s\": %s", name, text);
	if (e) {
		gw_at_push(e->at, sizeof(e->at), GW_STR("vars"));
		gw_at_push(e->at, sizeof(e->at), gw_str(name));
	}
	return r;
}

int gw_profile_complete_vars(const struct gw_profile *p, struct gw_vars *v,
			     struct gw_error *reterr_)
{
	for (size_t i = 0; i < v->count; i++) {
		const struct gw_vars_entry *e = &v->entry[i];
		const struct gw_var_info *info = gw_var_find(p, gw_str(e->name));
		if (!info) {
			return refuse_var(reterr_, e->name, "ref",
					  "the profile has none of this name");
		}
		if (e->value && info->in_channel && !gw_var_fits_channel(gw_str(e->value))) {
			return refuse_var(
				reterr_, e->name, "containment",
				"expected 1 to 128 bytes without / + #, control characters or a leading $");
		}
	}
	for (size_t i = 0; i < p->n_vars; i++) {
		const struct gw_var_info *info = &p->vars[i];
		if (info->fallback && !gw_vars_get(v, info->name)) {
			int r = gw_vars_set(v, gw_str(info->name), gw_str(info->fallback));
			if (r < 0) {
				return r;
			}
		}
	}
	return 0;
}

size_t gw_profile_var_count(const struct gw_profile *p)
{
	return p->n_vars;
}

const struct gw_var_info *gw_profile_var(const struct gw_profile *p, size_t i)
{
	return i < p->n_vars ? &p->vars[i] : NULL;
}

/* --- channels --- */

static const char *const channel_keys[] = {"rx", "tx", "get", "put", "post"};

/* The next {name} of a channel; *ret_name is empty when a brace is not closed. False at the end. */
static bool next_name(struct gw_str *rest, struct gw_str *ret_name)
{
	const char *open = rest->len ? memchr(rest->p, '{', rest->len) : NULL;
	if (!open) {
		return false;
	}
	struct gw_str tail = gw_str_sub(*rest, (size_t)(open - rest->p) + 1, rest->len);
	const char *close = tail.len ? memchr(tail.p, '}', tail.len) : NULL;
	size_t len = close ? (size_t)(close - tail.p) : 0;
	*ret_name = gw_str_sub(tail, 0, len);
	*rest = gw_str_sub(tail, close ? len + 1 : tail.len, tail.len);
	return true;
}

static void mark_channel(struct gw_profile *p, struct gw_str channel)
{
	struct gw_str name;
	while (next_name(&channel, &name)) {
		for (size_t i = 0; i < p->n_vars; i++) {
			p->vars[i].in_channel |= gw_str_is(name, p->vars[i].name);
		}
	}
}

/* A channel or a list of channels. */
static void mark_channels(struct gw_profile *p, const struct gw_node *channels)
{
	if (channels && channels->type == GW_NODE_TEXT) {
		mark_channel(p, channels->text);
	}
	gw_item_for(c, channels)
	{
		if (c->type == GW_NODE_TEXT) {
			mark_channel(p, c->text);
		}
	}
}

static void mark_messages(struct gw_profile *p, const struct gw_node *msgs)
{
	gw_member_for(msg, msgs)
	{
		for (size_t k = 0; k < gw_countof(channel_keys); k++) {
			mark_channels(p, gw_node_get(msg, channel_keys[k]));
		}
	}
}

static void mark_repeats(struct gw_profile *p, const struct gw_node *repeat)
{
	gw_item_for(block, repeat)
	{
		mark_messages(p, gw_node_get(block, "msgs"));
	}
}

static bool flag(const struct gw_node *map, const char *key)
{
	const struct gw_node *n = gw_node_get(map, key);
	return n && n->type == GW_NODE_BOOL && n->flag;
}

static const char *label(const struct gw_node *var)
{
	const struct gw_node *n = gw_node_get(var, "label");
	const char *text = n && n->type == GW_NODE_TEXT ? n->text.p : NULL;
	if (!text && n) {
		text = gw_node_text(n, "en");
	}
	return text ? text : var->key.p;
}

static int fill_var(struct gw_profile *p, const struct gw_node *var, struct gw_var_info *info)
{
	*info = (struct gw_var_info){.name = var->key.p,
				     .label = label(var),
				     .identity = flag(var, "identity"),
				     .ask = flag(var, "ask"),
				     .secret = flag(var, "secret")};
	const struct gw_node *fallback = gw_node_get(var, "default");
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(GW_PROFILE_BYTES);
	if (!fallback || fallback->type == GW_NODE_NULL || gw_node_text_form(fallback, &b) < 0) {
		return 0;
	}
	info->fallback = gw_arena_text(p->arena, gw_buf_str(&b)).p;
	return info->fallback ? 0 : -ENOMEM;
}

int gw_vars_compile(struct gw_profile *p, struct gw_error *reterr_)
{
	const struct gw_node *vars = gw_node_if(gw_node_get(p->tree, "vars"), GW_NODE_MAP);
	p->vars = gw_arena_alloc(p->arena, ((vars ? vars->count : 0) + 1) * sizeof(*p->vars));
	if (!p->vars) {
		return -ENOMEM;
	}
	gw_node_for(var, vars)
	{
		int r = fill_var(p, var, &p->vars[p->n_vars++]);
		if (r < 0) {
			return r;
		}
	}
	mark_messages(p, gw_node_get(p->tree, "msgs"));
	mark_repeats(p, gw_node_get(p->tree, "repeat"));
	gw_item_for(variant, gw_node_get(p->tree, "variants"))
	{
		mark_messages(p, gw_node_get(variant, "msgs"));
		mark_repeats(p, gw_node_get(variant, "repeat"));
	}
	for (size_t i = 0; i < p->n_vars; i++) {
		const struct gw_var_info *v = &p->vars[i];
		bool fits =
			!v->fallback || (v->in_channel ? gw_var_fits_channel(gw_str(v->fallback))
						       : strlen(v->fallback) <= GW_VAR_BYTES);
		if (!fits) {
			int r = refuse_var(reterr_, v->name, "containment",
					   "the default does not fit where the variable is used");
			if (reterr_) {
				gw_at_push(reterr_->at, sizeof(reterr_->at), GW_STR("default"));
			}
			return r;
		}
	}
	return 0;
}

/* --- checking channels --- */

struct channels {
	const struct gw_profile *p;
	const struct gw_var_info *identity; /* NULL: none declared */
	bool mqtt;
	struct gw_error *error;
};

/* Is s a filter or topic once every {name} stands for one level or a part of it? */
static bool is_topic_filter(struct gw_str s)
{
	char text[GW_TOPIC_BYTES + 1];
	size_t n = 0;
	bool inside = false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == '{') {
			inside = true;
		}
		if (!inside || s.p[i] == '}') {
			if (n == sizeof(text)) {
				return false;
			}
			text[n++] = s.p[i];
			if (inside) { /* at its closing brace */
				text[n - 1] = 'x';
			}
			inside = false;
		}
	}
	return gw_topic_is_filter((struct gw_str){text, n});
}

static int refuse_channel(const struct channels *c, const char *at, const char *code,
			  const char *fmt, struct gw_str what)
{
	char text[200];
	snprintf(text, sizeof(text), "%s", fmt);
	int r = what.len ? gw_error_set(c->error, -EINVAL, code, "%s \"" GW_STR_FMT "\"", text,
					GW_STR_ARG(gw_str_sub(what, 0, 100)))
			 : gw_error_set(c->error, -EINVAL, code, "%s", text);
	if (c->error) {
		snprintf(c->error->at, sizeof(c->error->at), "%s", at);
	}
	return r;
}

static int check_channel(const struct channels *c, const struct gw_node *channel, bool sent,
			 const char *at)
{
	if (channel->type != GW_NODE_TEXT) {
		return 0; /* the key tables say so */
	}
	struct gw_str rest = channel->text, name;
	bool identified = false;
	while (next_name(&rest, &name)) {
		const struct gw_var_info *v = gw_var_find(c->p, name);
		if (!v) {
			return refuse_channel(c, at, "ref", "no variable",
					      name.len ? name : GW_STR("{"));
		}
		identified |= v == c->identity;
	}
	if (!c->mqtt) {
		return 0;
	}
	if (!identified) {
		return refuse_channel(
			c, at, "containment",
			c->identity
				? "the channel must contain the identity variable"
				: "an MQTT profile needs a variable that identifies the device, in every channel",
			gw_str(c->identity ? c->identity->name : ""));
	}
	if (sent && (memchr(channel->text.p, '+', channel->text.len) ||
		     memchr(channel->text.p, '#', channel->text.len))) {
		return refuse_channel(c, at, "containment", "a channel that is sent has no + or #",
				      (struct gw_str){NULL, 0});
	}
	return is_topic_filter(channel->text)
		       ? 0
		       : refuse_channel(c, at, "schema", "not a topic filter:", channel->text);
}

static int check_message(const struct channels *c, const struct gw_node *msg)
{
	for (size_t k = 0; k < gw_countof(channel_keys); k++) {
		const struct gw_node *channel = gw_node_get(msg, channel_keys[k]);
		bool sent = k > 0; /* all but rx */
		char at[256] = "/msgs";
		gw_at_push(at, sizeof(at), msg->key);
		gw_at_push(at, sizeof(at), gw_str(channel_keys[k]));
		int r = channel ? check_channel(c, channel, sent, at) : 0;
		size_t i = 0;
		size_t stem = strlen(at);
		gw_item_for(item, channel)
		{
			at[stem] = '\0';
			gw_at_push_index(at, sizeof(at), i++);
			r = r < 0 ? r : check_channel(c, item, sent, at);
		}
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

static bool is_mqtt(const struct gw_profile *p)
{
	if (strcmp(p->adapter, "mqtt") == 0) {
		return true;
	}
	gw_item_for(entry, gw_node_get(p->tree, "match"))
	{
		if (gw_node_get(entry, "mqtt")) {
			return true;
		}
	}
	return false;
}

int gw_match_check_channels(const struct gw_profile *p, const struct gw_node *expanded,
			    struct gw_error *reterr_)
{
	struct channels c = {.p = p, .mqtt = is_mqtt(p), .error = reterr_};
	c.identity = p->n_vars ? &p->vars[0] : NULL;
	for (size_t i = 0; i < p->n_vars; i++) {
		if (p->vars[i].identity) {
			c.identity = &p->vars[i];
			break;
		}
	}
	gw_member_for(msg, gw_node_get(expanded, "msgs"))
	{
		int r = check_message(&c, msg);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}
