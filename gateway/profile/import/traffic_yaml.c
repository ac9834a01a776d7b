/* A tree with comments as YAML: block for the first two levels and for what does not fit a line, flow below. */
#include "base/scalar.h"
#include "gw/json.h"
#include "profile/import/traffic.h"

#define LINE_CHARS  140
#define BLOCK_DEPTH 2

struct writer {
	struct gw_buf *b;
	const struct gw_yaml_note *notes;
};

/* --- scalars --- */

/* Letters and digits, and what is no indicator anywhere inside of a plain scalar, in block and in flow. */
static bool is_plain_char(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != 0 && strchr("_./+$^=~<>()-", c));
}

static bool is_plain(struct gw_str s)
{
	bool first = true;
	if (s.len == 0 || s.len > 128 || strchr("-=~<>.()", s.p[0]) || s.p[s.len - 1] == ' ') {
		return false;
	}
	for (size_t i = 0; i < s.len; i++, first = false) {
		if (!is_plain_char((unsigned char)s.p[i]) && (first || s.p[i] != ' ')) {
			return false;
		}
	}
	return true;
}

/* Can stand between single quotes: printable, on one line (libyaml breaks lines at U+0085, U+2028 and U+2029 too). */
static bool is_printable(struct gw_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c < 0x20 || c == 0x7f || c == 0xc2 || c == 0xe2 || c >= 0xef) {
			return false; /* with all that could be a control, a line end, a mark or beyond the plane */
		}
	}
	return true;
}

static void write_escaped(struct gw_buf *b, struct gw_str s)
{
	gw_buf_putc(b, '"');
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == '"' || c == '\\') {
			gw_buf_putc(b, '\\');
			gw_buf_putc(b, (char)c);
		} else if (c < 0x20 || c == 0x7f) {
			gw_buf_printf(b, "\\x%02x", (unsigned)c);
		} else if (c == 0xc2 && i + 1 < s.len && (unsigned char)s.p[i + 1] < 0xa0) {
			gw_buf_printf(b, "\\x%02x", (unsigned)(unsigned char)s.p[++i]);
		} else if (c == 0xe2 && i + 2 < s.len && (unsigned char)s.p[i + 1] == 0x80 &&
			   ((unsigned char)s.p[i + 2] & 0xfe) == 0xa8) {
			gw_buf_printf(b, "\\u20%02x", (unsigned)((unsigned char)s.p[i + 2] - 0x80));
			i += 2;
		} else if (c == 0xef && i + 2 < s.len && (unsigned char)s.p[i + 1] >= 0xbb) {
			unsigned code = 0xf000u |
					((unsigned)(unsigned char)s.p[i + 1] & 0x3f) << 6 |
					((unsigned)(unsigned char)s.p[i + 2] & 0x3f);
			gw_buf_printf(b, "\\u%04x", code);
			i += 2;
		} else {
			gw_buf_putc(b, (char)c);
		}
	}
	gw_buf_putc(b, '"');
}

/* Editors of YAML 1.1 take these for booleans. */
static bool is_old_word(struct gw_str s)
{
	static const char *const words[] = {"y",  "n",	  "on",	   "off", "yes",
					    "no", "true", "false", "null"};
	for (size_t i = 0; i < gw_countof(words); i++) {
		if (s.len == strlen(words[i]) && strncasecmp(s.p, words[i], s.len) == 0) {
			return true;
		}
	}
	return false;
}

static void write_text(struct gw_buf *b, struct gw_str s)
{
	struct gw_node as = {.type = GW_NODE_NULL};
	bool text = gw_scalar_set(&as, s) == 0 && as.type == GW_NODE_TEXT;
	if (text && is_plain(s) && !is_old_word(s)) {
		gw_buf_add_str(b, s);
	} else if (is_printable(s) && (!memchr(s.p ? s.p : "", '\'', s.len) || s.len > 64)) {
		bool bare =
			!memchr(s.p ? s.p : "", '"', s.len) && !memchr(s.p ? s.p : "", '\\', s.len);
		char quote = bare ? '"' : '\'';
		gw_buf_putc(b, quote);
		for (size_t i = 0; i < s.len; i++) {
			gw_buf_putc(b, s.p[i]);
			if (s.p[i] == '\'' && quote == '\'') {
				gw_buf_putc(b, '\'');
			}
		}
		gw_buf_putc(b, quote);
	} else {
		write_escaped(b, s);
	}
}

/* `on: [bind]` is a word of the language, on and off as keys of a map are words of the device. */
static void write_key(struct gw_buf *b, const struct gw_node *member)
{
	if (gw_str_is(member->key, "on") && member->type == GW_NODE_LIST) {
		gw_buf_puts(b, "on");
	} else {
		write_text(b, member->key);
	}
}

/* --- flow --- */

static void write_flow(struct gw_buf *b, const struct gw_node *n, unsigned depth)
{
	bool map = n->type == GW_NODE_MAP;
	const char *between = "";
	switch (n->type) {
	case GW_NODE_NULL: gw_buf_puts(b, "null"); return;
	case GW_NODE_BOOL: gw_buf_puts(b, n->flag ? "true" : "false"); return;
	case GW_NODE_NUMBER: gw_json_write_double(b, n->number); return;
	case GW_NODE_TEXT: write_text(b, n->text); return;
	case GW_NODE_LIST:
	case GW_NODE_MAP: break;
	}
	gw_buf_putc(b, map ? '{' : '[');
	gw_node_for(m, depth < GW_PROFILE_DEPTH ? n : NULL)
	{
		gw_buf_puts(b, between);
		if (map) {
			write_key(b, m);
			gw_buf_puts(b, ": ");
		}
		write_flow(b, m, depth + 1);
		between = ", ";
	}
	gw_buf_putc(b, map ? '}' : ']');
}

static bool fits(const struct gw_node *n, size_t indent)
{
	GW_AUTO(gw_buf_fini) struct gw_buf line = GW_BUF_INIT(LINE_CHARS);
	write_flow(&line, n, 0);
	return gw_buf_error(&line) == 0 && indent + line.len <= LINE_CHARS;
}

/* --- block --- */

static bool is_noted(const struct writer *w, const struct gw_node *n, unsigned depth)
{
	for (const struct gw_yaml_note *note = w->notes; note; note = note->next) {
		if (note->at == n) {
			return true;
		}
	}
	gw_node_for(m, depth < GW_PROFILE_DEPTH ? n : NULL)
	{
		if (is_noted(w, m, depth + 1)) {
			return true;
		}
	}
	return false;
}

static bool has_noted_members(const struct writer *w, const struct gw_node *n)
{
	gw_node_for(m, n)
	{
		if (is_noted(w, m, 0)) {
			return true;
		}
	}
	return false;
}

static void write_indent(struct writer *w, unsigned indent)
{
	for (unsigned i = 0; i < indent; i++) {
		gw_buf_puts(w->b, "  ");
	}
}

static void write_notes(struct writer *w, const struct gw_node *n, int place, unsigned indent)
{
	const char *lead = place == GW_YAML_BESIDE ? "  # " : "";
	for (const struct gw_yaml_note *note = w->notes; note; note = note->next) {
		if (note->at != n || (int)note->place != place) {
			continue;
		}
		if (place == GW_YAML_BESIDE) {
			gw_buf_puts(w->b, lead);
			lead = "; ";
		} else {
			write_indent(w, indent);
			gw_buf_puts(w->b, "# ");
		}
		gw_buf_puts(w->b, note->text);
		gw_buf_puts(w->b, place == GW_YAML_BESIDE ? "" : "\n");
	}
}

static void write_block(struct writer *w, const struct gw_node *n, unsigned depth, bool in_list);

/* After "key:" or "-": the value on the same line, or as a block below. */
static void write_value(struct writer *w, const struct gw_node *n, unsigned depth, bool in_list)
{
	bool tree = (n->type == GW_NODE_MAP || n->type == GW_NODE_LIST) && n->first;
	bool block = tree && depth < GW_PROFILE_DEPTH &&
		     ((depth < BLOCK_DEPTH && !in_list) || has_noted_members(w, n) ||
		      !fits(n, (size_t)depth * 2 + n->key.len));
	if (!block) {
		gw_buf_putc(w->b, ' ');
		write_flow(w->b, n, depth);
		write_notes(w, n, GW_YAML_BESIDE, 0);
		gw_buf_putc(w->b, '\n');
	} else if (in_list && n->type == GW_NODE_MAP) {
		gw_buf_putc(w->b, ' ');
		write_block(w, n, depth, in_list); /* the first member beside the dash */
	} else {
		write_notes(w, n, GW_YAML_BESIDE, 0);
		gw_buf_putc(w->b, '\n');
		write_block(w, n, depth, /* in_list= */ false);
	}
}

static void write_block(struct writer *w, const struct gw_node *n, unsigned depth, bool in_list)
{
	bool map = n->type == GW_NODE_MAP, beside = in_list;
	gw_node_for(m, n)
	{
		if (!beside) {
			write_notes(w, m, GW_YAML_ABOVE, depth);
			write_indent(w, depth);
		}
		beside = false;
		if (map) {
			write_key(w->b, m);
			gw_buf_putc(w->b, ':');
			write_value(w, m, depth + 1, /* in_list= */ false);
		} else {
			gw_buf_putc(w->b, '-');
			write_value(w, m, depth + 1, /* in_list= */ true);
		}
	}
	write_notes(w, n, GW_YAML_END, depth);
}

void gw_yaml_write(struct gw_buf *b, const struct gw_node *root, const struct gw_yaml_note *notes)
{
	struct writer w = {b, notes};
	write_notes(&w, root, GW_YAML_ABOVE, 0);
	if ((root->type == GW_NODE_MAP || root->type == GW_NODE_LIST) && root->first) {
		write_block(&w, root, 0, /* in_list= */ false);
	} else {
		write_flow(b, root, 0);
		gw_buf_putc(b, '\n');
	}
}
