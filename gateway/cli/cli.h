/* The command line `hearth`: one file per command, one row per command in main.c. Private to the room. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "gw/buf.h"
#include "gw/compiler.h"
#include "gw/error.h"
#include "gw/status.h"

/* Exit codes, fixed (documented in hearth(1)). */
enum cli_exit {
	CLI_OK = 0,
	CLI_FAILED = 1,
	CLI_USAGE = 2,
	CLI_NOT_FOUND = 3,
	CLI_DENIED = 4,
	CLI_UNREACHABLE = 5,
	CLI_PARTIAL = 6,
	CLI_CONFLICT = 7,
	CLI_NO_DAEMON = 8,
	CLI_INVALID = 9,
};

struct cli {
	const char *state_dir;
	char socket[108]; /* sun_path */
	const char *profiles;
	bool json, chinese, color;
	int fd;		  /* of the control connection; -1: not connected */
	struct gw_buf in; /* bytes received, not yet used */
	unsigned next_id;
};

/* Both texts are literals, so that the compiler checks either format. */
#define TR(cli, en, zh) ((cli)->chinese ? (zh) : (en))

struct cli_command {
	const char *name;
	const char *usage; /* arguments after "hearth <name>" */
	const char *help_en, *help_zh;
	const char *const *words; /* subcommands, for completion; NULL-terminated, may be NULL */
	int (*run)(struct cli *c, int argc,
		   char **argv); /* argv[0] is the command's name; returns an exit code */
};
const struct cli_command *cli_command_at(size_t index); /* NULL beyond the last */

extern const struct cli_command cli_status, cli_doctor, cli_claim, cli_device, cli_candidate,
	cli_room, cli_token, cli_profile, cli_trace, cli_sim, cli_completion;

/* --- options of a command: flags and values in any order, then positional arguments --- */

struct cli_option {
	const char *name;    /* "--room" */
	const char **value;  /* takes a value; may be given more than once when `values` is set */
	bool *flag;	     /* or a flag */
	const char **values; /* array of up to max values */
	size_t *n_values, max;
};
/* Takes the options out of argv; *argc is then the number of what is left. CLI_OK or CLI_USAGE (message printed). */
int cli_options(struct cli *c, const struct cli_option *table, size_t n, int *argc,
		char **argv) GW_MUST_USE;
int cli_usage(struct cli *c, const struct cli_command *cmd); /* prints it, returns CLI_USAGE */

/* --- talking to hearthd (control socket, one JSON object a line; see surfaces/control) --- */

/*
 * One request. body is stolen, may be NULL. *ret_body is a new reference (or NULL). Returns the HTTP status, or a negative
 * exit code (message printed): -CLI_NO_DAEMON, -CLI_UNREACHABLE, -CLI_FAILED.
 */
int cli_request(struct cli *c, const char *method, const char *path, json_t *body,
		json_t **ret_body) GW_MUST_USE;
/* As cli_request; an error answer is printed and turned into its exit code. CLI_OK only for 2xx. */
int cli_call(struct cli *c, const char *method, const char *path, json_t *body,
	     json_t **ret_body) GW_MUST_USE;
/* Subscribes; each event is given to fn until it returns false or the connection ends. timeout_ms 0: for ever. */
int cli_events(struct cli *c, const char *path, long timeout_ms,
	       bool (*fn)(struct cli *c, const json_t *event, void *ctx), void *ctx) GW_MUST_USE;
void cli_close(struct cli *c);
/* Exit code for an HTTP status and an error code word of an answer. */
int cli_exit_for(int http, const char *code);

/* Appends the whole file to b; "-": standard input. -errno, -E2BIG beyond the buffer's cap. */
int cli_read_file(const char *path, struct gw_buf *b) GW_MUST_USE;

/* --- printing --- */

/* One line to standard error: "hearth: …". */
void cli_error(const struct cli *c, const char *fmt, ...) GW_PRINTF(2, 3);
void cli_print_json(const json_t *j);			     /* compact, one line, sorted keys */
const char *cli_text(const json_t *object, const char *key); /* "" when absent */
/* JSON value as people read it: text without quotes. Appends to b. */
void cli_add_value(struct gw_buf *b, const json_t *v);

/* A table with aligned columns; East Asian wide characters count two. Cells are copied. */
struct cli_table;
struct cli_table *cli_table_new(size_t columns) GW_MUST_USE;
void cli_table_cell(struct cli_table *t,
		    const char *text); /* row by row; the first row is the heading */
void cli_table_print(struct cli_table *t);
void cli_table_free(struct cli_table *t);
/* Percent-encodes a path segment or query value into b. */
void cli_add_encoded(struct gw_buf *b, const char *s);
