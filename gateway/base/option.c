#include "gw/option.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/scalar.h"
#include "gw/alloc.h"
#include "gw/json.h"

enum { SECRET_BYTES = 4096 };

/* One value on its way into one field; text_error is what the person reads. */
struct setting {
	const struct gw_option *option;
	const struct gw_node *value;
	void *field;
	const char *code; /* of the refusal */
	char reason[200];
};

static int refuse(struct setting *s, const char *code, const char *reason)
{
	s->code = code;
	(void)snprintf(s->reason, sizeof(s->reason), "%s", reason);
	return -EINVAL;
}

static int set_bool(struct setting *s)
{
	if (s->value->type != GW_NODE_BOOL) {
		return refuse(s, "type", "expected true or false");
	}
	*(bool *)s->field = s->value->flag;
	return 0;
}

static int set_bounded(struct setting *s, int64_t v, const char *unit)
{
	const struct gw_option *o = s->option;
	if ((o->min != 0 || o->max != 0) && (v < o->min || v > o->max)) {
		s->code = "range";
		(void)snprintf(s->reason, sizeof(s->reason),
			       "expected %" PRId64 "%s to %" PRId64 "%s", o->min, unit, o->max,
			       unit);
		return -EINVAL;
	}
	*(int64_t *)s->field = v;
	return 0;
}

static int set_int(struct setting *s)
{
	if (s->value->type != GW_NODE_NUMBER || s->value->number != floor(s->value->number)) {
		return refuse(s, "type", "expected an integer");
	}
	return set_bounded(s, (int64_t)s->value->number, "");
}

static int set_duration(struct setting *s)
{
	const struct gw_node *v = s->value;
	int64_t ms = 0;
	bool zero = v->type == GW_NODE_NUMBER && v->number == 0;
	if (!zero && (v->type != GW_NODE_TEXT || gw_parse_duration_ms(v->text, &ms) < 0)) {
		return refuse(s, "type",
			      "expected a duration: 0, or an integer with ms, s, m, h or d");
	}
	return set_bounded(s, ms, "ms");
}

static void free_secret(char *text)
{
	if (text) {
		explicit_bzero(text, strlen(text));
		gw_free(text);
	}
}

static int set_copy(struct setting *s, struct gw_str text)
{
	if (text.len > 0 && memchr(text.p, '\0', text.len)) {
		return refuse(s, "type", "expected a text without zero bytes");
	}
	char *copy = gw_strndup(text.p, text.len);
	if (!copy) {
		return -ENOMEM;
	}
	char **field = s->field;
	if (s->option->type == GW_OPTION_SECRET) {
		free_secret(*field);
	} else {
		gw_free(*field);
	}
	*field = copy;
	return 0;
}

static int set_text(struct setting *s)
{
	if (s->value->type != GW_NODE_TEXT) {
		return refuse(s, "type", "expected a text; put it in quotes");
	}
	return set_copy(s, s->value->text);
}

/* Reads at most cap bytes. The file must be the owner's alone (R21, R38). */
static int read_private(struct setting *s, const char *path, char *ret_data, size_t cap,
			size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		if (fd >= 0) {
			(void)close(fd); /* only read from */
		}
		return refuse(s, "file", "the file cannot be read");
	}
	int r = 0;
	size_t len = 0;
	if (st.st_mode & 077) {
		r = refuse(s, "file", "the file may be read by others; expected mode 0600");
	}
	while (r == 0 && len < cap) {
		ssize_t n = read(fd, ret_data + len, cap - len);
		if (n == 0) {
			break;
		}
		if (n < 0 && errno != EINTR) {
			r = refuse(s, "file", "the file cannot be read");
		}
		len += n > 0 ? (size_t)n : 0;
	}
	(void)close(fd); /* only read from */
	*ret_len = len;
	return r;
}

static int set_secret(struct setting *s)
{
	if (s->value->type == GW_NODE_TEXT) {
		return set_copy(s, s->value->text);
	}
	const char *path = gw_node_text(s->value, "file");
	if (!path || s->value->count != 1) {
		return refuse(s, "type", "expected a text in quotes, or {file: PATH}");
	}
	char data[SECRET_BYTES + 1];
	size_t len;
	int r = read_private(s, path, data, sizeof(data), &len);
	if (r == 0) {
		struct gw_str rest = {data, len}, line = {data, 0};
		(void)gw_str_split(&rest, '\n', &line); /* an empty file: an empty line */
		line = gw_str_trim(line);
		r = line.len == 0 || line.len > SECRET_BYTES
			    ? refuse(s, "file", "expected a first line of 1 to 4096 bytes")
			    : set_copy(s, line);
	}
	explicit_bzero(data, sizeof(data));
	return r;
}

static const struct type_row {
	const char *name;
	int (*set)(struct setting *s);
	bool plain_default; /* the default is read as a plain scalar, else it is the text itself */
	bool quoted;	    /* shown in quotes */
} types[] = {
	[GW_OPTION_BOOL] = {"true or false", set_bool, true, false},
	[GW_OPTION_INT] = {"integer", set_int, true, false},
	[GW_OPTION_DURATION] = {"duration", set_duration, true, false},
	[GW_OPTION_TEXT] = {"text", set_text, false, true},
	[GW_OPTION_SECRET] = {"secret", set_secret, false, true},
};

static void *field_of(const struct gw_option *o, void *instance)
{
	return (char *)instance + o->offset;
}

static void set_zero(const struct gw_option *o, void *field)
{
	switch (o->type) {
	case GW_OPTION_BOOL: *(bool *)field = false; break;
	case GW_OPTION_INT:
	case GW_OPTION_DURATION: *(int64_t *)field = 0; break;
	case GW_OPTION_TEXT:
		gw_free(*(char **)field);
		*(char **)field = NULL;
		break;
	case GW_OPTION_SECRET:
		free_secret(*(char **)field);
		*(char **)field = NULL;
		break;
	}
}

static int fail_at(struct gw_error *e, int err, const char *code, const char *file,
		   const struct gw_node *n, const char *name, const char *text)
{
	err = gw_error_set(e, err, code, "%s", text);
	if (e) {
		(void)snprintf(e->file, sizeof(e->file), "%s", file ? file : "");
		(void)snprintf(e->at, sizeof(e->at), "/%s", name);
		e->line = n ? n->line : 0;
		e->column = n ? n->column : 0;
	}
	return err;
}

static int set_default(const struct gw_option *o, void *field)
{
	set_zero(o, field);
	if (!o->fallback) {
		return 0;
	}
	struct gw_node value = {.type = GW_NODE_TEXT, .text = gw_str(o->fallback)};
	if (types[o->type].plain_default && gw_scalar_set(&value, gw_str(o->fallback)) < 0) {
		return -EINVAL;
	}
	struct setting s = {.option = o, .value = &value, .field = field};
	return types[o->type].set(&s);
}

static int set_from(const struct gw_option *o, void *field, const struct gw_node *value,
		    const char *file, struct gw_error *reterr_)
{
	struct setting s = {.option = o, .value = value, .field = field};
	int r = types[o->type].set(&s);
	if (r == -ENOMEM) {
		return fail_at(reterr_, r, "size", file, value, o->name, "out of memory");
	}
	if (r < 0) {
		char text[300];
		(void)snprintf(text, sizeof(text), "option \"%s\": %s", o->name, s.reason);
		return fail_at(reterr_, r, s.code, file, value, o->name, text);
	}
	return 0;
}

static const struct gw_option *find(const struct gw_option *table, struct gw_str name)
{
	for (const struct gw_option *o = table; o->name; o++) {
		if (gw_str_is(name, o->name)) {
			return o;
		}
	}
	return NULL;
}

static int fail_unknown(const struct gw_option *table, const struct gw_node *member,
			const char *file, struct gw_error *reterr_)
{
	enum { NEAR = 3 };
	const char *nearest = NULL;
	size_t best = NEAR + 1;
	struct gw_buf known = GW_BUF_INIT(200);
	for (const struct gw_option *o = table; o->name; o++) {
		size_t d = gw_str_distance(member->key, gw_str(o->name), NEAR);
		if (d < best && d < strlen(o->name)) {
			best = d;
			nearest = o->name;
		}
		gw_buf_printf(&known, "%s%s", known.len ? ", " : "", o->name);
	}
	char text[400];
	if (nearest) {
		(void)snprintf(text, sizeof(text), "unknown option \"%.64s\"; did you mean \"%s\"?",
			       member->key.p, nearest);
	} else if (!table->name) {
		(void)snprintf(text, sizeof(text), "unknown option \"%.64s\"; there are none here",
			       member->key.p);
	} else {
		(void)snprintf(text, sizeof(text), "unknown option \"%.64s\"; expected one of: %s",
			       member->key.p, gw_buf_str(&known).p);
	}
	gw_buf_fini(&known);
	struct gw_node at_key = {.line = member->key_line, .column = member->key_column};
	return fail_at(reterr_, -EINVAL, "schema", file, &at_key, member->key.p, text);
}

int gw_options_apply(const struct gw_option *table, void *instance, const struct gw_node *map,
		     const char *file, struct gw_error *reterr_)
{
	if (map && map->type != GW_NODE_MAP) {
		return fail_at(reterr_, -EINVAL, "type", file, map, "",
			       "expected a map of options");
	}
	gw_node_for(m, map)
	{
		if (!find(table, m->key)) {
			return fail_unknown(table, m, file, reterr_);
		}
	}
	for (const struct gw_option *o = table; o->name; o++) {
		void *field = field_of(o, instance);
		const struct gw_node *value = gw_node_get(map, o->name);
		if (!value && (o->flags & GW_OPTION_REQUIRED)) {
			char text[200];
			(void)snprintf(text, sizeof(text), "option \"%s\" is missing", o->name);
			return fail_at(reterr_, -EINVAL, "schema", file, map, o->name, text);
		}
		int r = value ? set_from(o, field, value, file, reterr_) : set_default(o, field);
		if (r < 0) {
			return value ? r
				     : fail_at(reterr_, r, "size", file, map, o->name,
					       "the default cannot be set");
		}
	}
	return 0;
}

void gw_options_free(const struct gw_option *table, void *instance)
{
	for (const struct gw_option *o = table; o->name; o++) {
		if (o->type == GW_OPTION_TEXT || o->type == GW_OPTION_SECRET) {
			set_zero(o, field_of(o, instance));
		}
	}
}

/* As a fragment of hearth.yaml: every option with its default, commented out. */
void gw_options_help(const struct gw_option *table, const char *section, struct gw_buf *b)
{
	gw_buf_printf(b, "%s:\n", section);
	for (const struct gw_option *o = table; o->name; o++) {
		const struct type_row *t = &types[o->type];
		const char *unit = o->type == GW_OPTION_DURATION ? "ms" : "";
		gw_buf_printf(b, "  # %s (%s", o->help, t->name);
		if (o->min != 0 || o->max != 0) {
			gw_buf_printf(b, ", %" PRId64 "%s to %" PRId64 "%s", o->min, unit, o->max,
				      unit);
		}
		gw_buf_puts(b, o->flags & GW_OPTION_REQUIRED ? ", required" : "");
		gw_buf_puts(b, o->flags & GW_OPTION_LIVE ? ", changes without restart" : "");
		gw_buf_printf(b, ")\n  %s%s:", o->flags & GW_OPTION_REQUIRED ? "" : "#", o->name);
		if (o->fallback && t->quoted) {
			gw_buf_putc(b, ' ');
			gw_json_write_text(b, gw_str(o->fallback));
		} else if (o->fallback) {
			gw_buf_printf(b, " %s", o->fallback);
		}
		gw_buf_putc(b, '\n');
	}
}
