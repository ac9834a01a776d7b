#include "home/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gw/adapter.h"
#include "gw/broker.h"
#include "gw/limits.h"
#include "gw/surface.h"

#define CONFIG_BYTES ((size_t)256 * 1024)

const struct gw_option gw_limits_options[] = {
	{"device_rate", GW_OPTION_INT, offsetof(struct gw_config_limits, device_rate), "20", 0,
	 100000, 0,
	 "Updates of one device a second; beyond them only the newest values go out. 0: no limit."},
	{"device_burst", GW_OPTION_INT, offsetof(struct gw_config_limits, device_burst), "100", 1,
	 100000, 0, "Updates of one device at once before the rate holds."},
	{0},
};

const struct gw_option gw_log_options[] = {
	{"level", GW_OPTION_TEXT, offsetof(struct gw_config_log, level), "info", 0, 0, 0,
	 "What is logged: error, warning, info or debug."},
	{0},
};

bool gw_config_log_level(const char *name, enum gw_log_level *ret_level)
{
	static const char *const names[] = {[GW_LOG_ERROR] = "error",
					    [GW_LOG_WARNING] = "warning",
					    [GW_LOG_INFO] = "info",
					    [GW_LOG_DEBUG] = "debug"};

	for (size_t i = 0; i < gw_countof(names); i++) {
		if (name && strcmp(name, names[i]) == 0) {
			*ret_level = (enum gw_log_level)i;
			return true;
		}
	}
	return false;
}

static int refuse(struct gw_error *e, const char *file, uint32_t line, uint32_t column,
		  const char *code, const char *text)
{
	int r = gw_error_set(e, -EINVAL, code, "%s", text);

	if (e) {
		(void)snprintf(e->file, sizeof(e->file), "%s", file);
		e->line = line;
		e->column = column;
	}
	return r;
}

/* --- which names a section may have --- */

static const char *section_name(size_t i)
{
	static const char *const names[] = {"broker", "adapters", "surfaces", "limits", "log"};

	return i < gw_countof(names) ? names[i] : NULL;
}

static const char *adapter_name(size_t i)
{
	const struct gw_adapter_class *c = gw_adapter_class_at(i);

	return c ? c->name : NULL;
}

static const char *surface_name(size_t i)
{
	const struct gw_surface_class *c = gw_surface_class_at(i);

	return c ? c->name : NULL;
}

static int refuse_name(const struct gw_node *m, const char *what, const char *(*name_at)(size_t i),
		       const char *file, struct gw_error *reterr_)
{
	const size_t near = 3;
	const char *nearest = NULL;
	size_t best = near + 1;
	char text[256];
	GW_AUTO(gw_buf_fini) struct gw_buf known = GW_BUF_INIT(160);

	for (size_t i = 0; name_at(i); i++) {
		size_t d = gw_str_distance(m->key, gw_str(name_at(i)), near);
		if (d < best) {
			best = d;
			nearest = name_at(i);
		}
		gw_buf_printf(&known, "%s%s", i ? ", " : "", name_at(i));
	}
	if (nearest) {
		(void)snprintf(text, sizeof(text), "unknown %s \"%.64s\"; did you mean \"%s\"?",
			       what, m->key.p, nearest);
	} else {
		(void)snprintf(text, sizeof(text), "unknown %s \"%.64s\"; expected one of: %s",
			       what, m->key.p, known.p ? known.p : "");
	}
	return refuse(reterr_, file, m->key_line, m->key_column, "schema", text);
}

static int check_names(const struct gw_node *map, const char *what,
		       const char *(*name_at)(size_t i), const char *file, struct gw_error *reterr_)
{
	if (!map) {
		return 0;
	}
	if (map->type != GW_NODE_MAP) {
		return refuse(reterr_, file, map->line, map->column, "type",
			      "expected a map of names");
	}
	gw_node_for(m, map)
	{
		size_t i = 0;
		while (name_at(i) && !gw_str_is(m->key, name_at(i))) {
			i++;
		}
		if (!name_at(i)) {
			return refuse_name(m, what, name_at, file, reterr_);
		}
	}
	return 0;
}

/* --- reading --- */

static int read_file(const char *file, struct gw_buf *b)
{
	char chunk[8192];
	struct stat st;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int r = 0;

	if (fd < 0) {
		return -errno;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		r = -EINVAL;
	}
	while (r == 0) {
		ssize_t n = read(fd, chunk, sizeof(chunk));
		if (n == 0) {
			break;
		}
		if (n < 0) {
			r = errno == EINTR ? 0 : -errno;
			continue;
		}
		gw_buf_add(b, chunk, (size_t)n);
		r = gw_buf_error(b);
	}
	(void)close(fd); /* only read from */
	return r;
}

int gw_config_read(struct gw_arena *a, const char *file, const struct gw_node **ret_root,
		   struct gw_error *reterr_)
{
	static const struct gw_node_limits limits = {
		.max_bytes = CONFIG_BYTES, .max_depth = 8, .max_nodes = 4096};
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(CONFIG_BYTES + 1);
	struct gw_node *root = NULL;

	if (!file || !file[0]) {
		*ret_root = NULL;
		return 0;
	}
	int r = read_file(file, &text);
	if (r < 0) {
		char why[128];
		(void)snprintf(why, sizeof(why), "the configuration cannot be read: %s",
			       strerror(-r));
		(void)refuse(reterr_, file, 0, 0, "file", why);
		return r;
	}
	r = gw_node_parse_yaml(a, gw_buf_str(&text), &limits, &root, reterr_);
	if (r == -ENODATA) { /* a file whose lines all wait behind their # */
		*ret_root = NULL;
		return 0;
	}
	if (r < 0) {
		if (reterr_) {
			(void)snprintf(reterr_->file, sizeof(reterr_->file), "%s", file);
		}
		return r;
	}
	r = check_names(root, "section", section_name, file, reterr_);
	if (r == 0) {
		r = check_names(gw_node_get(root, "adapters"), "adapter", adapter_name, file,
				reterr_);
	}
	if (r == 0) {
		r = check_names(gw_node_get(root, "surfaces"), "surface", surface_name, file,
				reterr_);
	}
	if (r == 0) {
		*ret_root = root;
	}
	return r;
}

bool gw_config_part(const struct gw_node *section, const char *name, const struct gw_node **ret_own)
{
	const struct gw_node *own = gw_node_get(section, name);

	*ret_own = NULL;
	if (own && own->type == GW_NODE_BOOL) {
		return own->flag;
	}
	*ret_own = own;
	return true;
}
