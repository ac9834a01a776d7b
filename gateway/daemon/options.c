#include "daemon/options.h"

#include <stdio.h>
#include <string.h>

#include "gw/home.h"
#include "home/config.h"

enum kind { VALUE, SWITCH };

static const struct row {
	const char *name;
	enum kind kind;
	int (*set)(struct daemon_options *o, const char *value);
	const char *value, *help;
} rows[];

static int set_config(struct daemon_options *o, const char *value)
{
	o->config = value;
	return -1;
}

static int set_state_dir(struct daemon_options *o, const char *value)
{
	o->state_dir = value;
	return -1;
}

static int set_profiles(struct daemon_options *o, const char *value)
{
	o->profiles = value;
	return -1;
}

static int set_level(struct daemon_options *o, const char *value)
{
	o->has_level = true;
	if (gw_config_log_level(value, &o->level)) {
		return -1;
	}
	(void)fprintf(stderr, "hearthd: --log-level is error, warning, info or debug\n");
	return 2;
}

static int set_check(struct daemon_options *o, const char *value)
{
	(void)value;
	o->check = true;
	return -1;
}

static int show_version(struct daemon_options *o, const char *value)
{
	(void)o;
	(void)value;
	(void)printf("hearthd %s\n", gw_gateway_version());
	return 0;
}

static int show_help(struct daemon_options *o, const char *value);

static const struct row rows[] = {
	{"--config", VALUE, set_config, "FILE",
	 "configuration, see hearth.yaml(5); none: the defaults hold"},
	{"--state-dir", VALUE, set_state_dir, "DIR",
	 "where the home is stored (default: $HEARTH_STATE, /var/lib/hearth for root,\n"
	 "                       else ~/.local/state/hearth)"},
	{"--profiles", VALUE, set_profiles, "DIR",
	 "shipped profiles (default: $HEARTH_PROFILES, or as installed)"},
	{"--log-level", VALUE, set_level, "LEVEL", "error, warning, info or debug"},
	{"--check", SWITCH, set_check, "", "reads the configuration, says what is wrong, and ends"},
	{"--version", SWITCH, show_version, "", "prints the version"},
	{"--help", SWITCH, show_help, "", "prints this"},
};

static int show_help(struct daemon_options *o, const char *value)
{
	(void)o;
	(void)value;
	(void)printf("usage: hearthd [OPTION]…\n\nThe home gateway.\n\n");
	for (size_t i = 0; i < gw_countof(rows); i++) {
		char left[32];
		(void)snprintf(left, sizeof(left), "%s %s", rows[i].name, rows[i].value);
		(void)printf("  %-20s %s\n", left, rows[i].help);
	}
	(void)printf(
		"\nExit codes: 0 ended cleanly, 1 failed, 2 usage, 9 invalid configuration.\n");
	return 0;
}

static const struct row *find_row(const char *name)
{
	for (size_t i = 0; i < gw_countof(rows); i++) {
		if (strcmp(rows[i].name, name) == 0) {
			return &rows[i];
		}
	}
	return NULL;
}

int daemon_options_parse(int argc, char **argv, struct daemon_options *ret_options)
{
	for (int i = 1; i < argc; i++) {
		const struct row *row = find_row(argv[i]);
		if (!row) {
			(void)fprintf(stderr, "hearthd: unknown option %s; try hearthd --help\n",
				      argv[i]);
			return 2;
		}
		if (row->kind == VALUE && i + 1 == argc) {
			(void)fprintf(stderr, "hearthd: %s needs a value: %s\n", row->name,
				      row->value);
			return 2;
		}
		int code = row->set(ret_options, row->kind == VALUE ? argv[++i] : NULL);
		if (code >= 0) {
			return code;
		}
	}
	return -1;
}
