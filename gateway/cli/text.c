/* Printing: errors, tables, values, options. */
#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "gw/alloc.h"
#include "gw/str.h"

void cli_error(const struct cli *c, const char *fmt, ...)
{
	(void)c;
	fputs("hearth: ", stderr);
	va_list ap;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

int cli_read_file(const char *path, struct gw_buf *b)
{
	bool standard = strcmp(path, "-") == 0;
	char chunk[65536];
	FILE *f = standard ? stdin : fopen(path, "re");
	size_t n;
	if (!f) {
		return -errno;
	}
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0) {
		gw_buf_add(b, chunk, n);
	}
	int r = ferror(f) ? -EIO : gw_buf_error(b);
	if (!standard) {
		fclose(f);
	}
	return r;
}

void cli_print_json(const json_t *j)
{
	json_dumpf(j, stdout,
		   JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	putchar('\n');
}

const char *cli_text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));
	return s ? s : "";
}

void cli_add_value(struct gw_buf *b, const json_t *v)
{
	if (!v || json_is_null(v)) {
		gw_buf_puts(b, "—");
	} else if (json_is_string(v)) {
		gw_buf_puts(b, json_string_value(v));
	} else {
		char *s = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
		gw_buf_puts(b, s ? s : "?");
		free(s);
	}
}

void cli_add_encoded(struct gw_buf *b, const char *s)
{
	for (; *s; s++) {
		unsigned char ch = (unsigned char)*s;
		bool plain = (ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') ||
			     (ch >= 'a' && ch <= 'z') || strchr("-._~", ch);
		if (plain) {
			gw_buf_putc(b, (char)ch);
		} else {
			gw_buf_printf(b, "%%%02X", ch);
		}
	}
}

struct cli_table {
	size_t columns, count, size;
	char **cells;
};

struct cli_table *cli_table_new(size_t columns)
{
	struct cli_table *t = gw_new(struct cli_table);
	if (t) {
		t->columns = columns;
	}
	return t;
}

void cli_table_free(struct cli_table *t)
{
	if (!t) {
		return;
	}
	for (size_t i = 0; i < t->count; i++) {
		gw_free(t->cells[i]);
	}
	gw_free(t->cells);
	gw_free(t);
}

void cli_table_cell(struct cli_table *t, const char *text)
{
	if (!t) {
		return;
	}
	if (t->count == t->size) {
		size_t size = t->size ? t->size * 2 : 64;
		char **cells = gw_realloc(t->cells, size, sizeof(*cells));
		if (!cells) {
			return;
		}
		t->cells = cells;
		t->size = size;
	}
	char *copy = gw_strdup(text);
	if (copy) {
		t->cells[t->count++] = copy;
	}
}

static int width_of(const char *s)
{
	wchar_t w[512];
	size_t n = mbstowcs(w, s, gw_countof(w));
	if (n == (size_t)-1 || n >= gw_countof(w)) {
		return (int)strlen(s);
	}
	int width = wcswidth(w, n);
	return width < 0 ? (int)strlen(s) : width;
}

void cli_table_print(struct cli_table *t)
{
	if (!t) {
		return;
	}
	for (size_t row = 0; row * t->columns < t->count; row++) {
		for (size_t col = 0; col < t->columns; col++) {
			size_t i = row * t->columns + col;
			if (i >= t->count) {
				break;
			}
			fputs(t->cells[i], stdout);
			if (col + 1 == t->columns) {
				break;
			}
			int widest = 0;
			for (size_t k = col; k < t->count; k += t->columns) {
				int w = width_of(t->cells[k]);
				widest = w > widest ? w : widest;
			}
			printf("%*s", widest - width_of(t->cells[i]) + 2, "");
		}
		putchar('\n');
	}
}

static const struct cli_option *find_option(const struct cli_option *table, size_t n,
					    const char *name, size_t len)
{
	for (size_t i = 0; i < n; i++) {
		if (strlen(table[i].name) == len && memcmp(table[i].name, name, len) == 0) {
			return &table[i];
		}
	}
	return NULL;
}

static int take_value(struct cli *c, const struct cli_option *o, const char *value)
{
	if (o->value) {
		*o->value = value;
		return CLI_OK;
	}
	if (*o->n_values >= o->max) {
		cli_error(c, TR(c, "%s is given more than %zu times", "%s 给出超过 %zu 次"),
			  o->name, o->max);
		return CLI_USAGE;
	}
	o->values[(*o->n_values)++] = value;
	return CLI_OK;
}

int cli_options(struct cli *c, const struct cli_option *table, size_t n, int *argc, char **argv)
{
	int left = 0;
	bool plain = false; /* after "--" */
	for (int i = 0; i < *argc; i++) {
		const char *a = argv[i];
		if (plain || i == 0 || strncmp(a, "--", 2) != 0) {
			argv[left++] = argv[i];
			continue;
		}
		if (a[2] == '\0') {
			plain = true;
			continue;
		}
		if (strcmp(a, "--json") == 0) {
			c->json = true;
			continue;
		}
		const char *equals = strchr(a, '=');
		const struct cli_option *o =
			find_option(table, n, a, equals ? (size_t)(equals - a) : strlen(a));
		if (!o) {
			cli_error(c, TR(c, "unknown option %s", "未知选项 %s"), a);
			return CLI_USAGE;
		}
		if (o->flag) {
			*o->flag = true;
			continue;
		}
		if (!equals && i + 1 >= *argc) {
			cli_error(c, TR(c, "%s needs a value", "%s 需要一个值"), a);
			return CLI_USAGE;
		}
		int r = take_value(c, o, equals ? equals + 1 : argv[++i]);
		if (r) {
			return r;
		}
	}
	*argc = left;
	return CLI_OK;
}
