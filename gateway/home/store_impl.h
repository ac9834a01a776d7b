/* Inside of the store: store.c (opening, transactions, health), store_record.c (rows), store_snapshot.c, store_values.c (state.db). */
#pragma once

#include <limits.h>
#include <sqlite3.h>

#include "gw/loop.h"
#include "home/store.h"
#include "home/store_schema.h"
#include "home/store_seal.h"

struct gw_store_values;
struct gw_store_snapshot;

/* Statements that are prepared once and kept. */
enum gw_store_sql {
	GW_SQL_BEGIN,
	GW_SQL_COMMIT,
	GW_SQL_ROLLBACK,
	GW_SQL_PUT_DEVICE,
	GW_SQL_PUT_ROUTE,
	GW_SQL_REMOVE_DEVICE,
	GW_SQL_HAS_DEVICE,
	GW_SQL_PUT_ROOM,
	GW_SQL_REMOVE_ROOM,
	GW_SQL_PUT_ACCOUNT,
	GW_SQL_REMOVE_ACCOUNT,
	GW_SQL_PUT_TOKEN,
	GW_SQL_REMOVE_TOKEN,
	GW_SQL_PUT_META,
	GW_SQL_GET_META,
	GW_SQL_PUT_AUDIT,
	GW_SQL_COUNT_AUDIT,
	GW_SQL_OLDEST_AUDIT,
	GW_SQL_TRIM_AUDIT,
	GW_SQL_COUNT,
};

struct gw_store {
	struct gw_loop *loop;
	char dir[PATH_MAX]; /* resolved */
	int lock_fd;
	sqlite3 *db;
	sqlite3_stmt *stmt[GW_SQL_COUNT];
	struct gw_seal *seal; /* NULL: the key cannot be read or made */
	bool claimed;
	/* Health: error is what writing answers until the next try. */
	int error;
	bool opened_read_only; /* the connection itself; it is opened anew */
	int64_t retry_ms;      /* wait before the next try */
	uint32_t probes;       /* tries so far */
	struct gw_timer *retry;
	char problem[320];
	int64_t audit_bytes; /* about; -1: not counted yet */
	struct gw_store_snapshot *snapshot;
	struct gw_store_values *values;
};

int gw_store_path(const struct gw_store *s, const char *name, char *ret_path,
		  size_t cap) GW_MUST_USE;

/* One parameter of a statement. */
struct gw_store_arg {
	enum { GW_ARG_INT, GW_ARG_TEXT, GW_ARG_BLOB } type;
	int64_t number;
	struct gw_str bytes; /* p NULL: SQL NULL */
};
#define GW_INT(v)  ((struct gw_store_arg){.type = GW_ARG_INT, .number = (int64_t)(v)})
#define GW_TEXT(s) ((struct gw_store_arg){.type = GW_ARG_TEXT, .bytes = gw_str(s)})
#define GW_BLOB(p_, n)                                                                             \
	((struct gw_store_arg){.type = GW_ARG_BLOB, .bytes = {(const char *)(p_), (n)}})
#define GW_ARGS(...)                                                                               \
	((const struct gw_store_arg[]){__VA_ARGS__}),                                              \
		sizeof((const struct gw_store_arg[]){__VA_ARGS__}) / sizeof(struct gw_store_arg)

int gw_store_bind(sqlite3_stmt *st, const struct gw_store_arg *args, size_t n) GW_MUST_USE;
/* The kept statement, reset and bound; NULL with *ret_err. gw_store_done resets it. */
sqlite3_stmt *gw_store_start(struct gw_store *s, enum gw_store_sql sql,
			     const struct gw_store_arg *args, size_t n, int *ret_err) GW_MUST_USE;
void gw_store_done(sqlite3_stmt *st);
/* Runs a kept statement that gives no rows that matter. */
int gw_store_run(struct gw_store *s, enum gw_store_sql sql, const struct gw_store_arg *args,
		 size_t n) GW_MUST_USE;

/* A change: begin, statements, end with their result and the audit line. end commits or takes everything back. */
int gw_store_begin(struct gw_store *s) GW_MUST_USE;
int gw_store_end(struct gw_store *s, int r, const struct gw_audit_line *audit) GW_MUST_USE;

/* A text column as bytes that are valid until the next step; false when it is NULL or longer than max. */
bool gw_store_column(sqlite3_stmt *st, int column, size_t max, const char **ret_text);

/* --- store_snapshot.c --- */

int gw_store_snapshot_new(struct gw_store *s) GW_MUST_USE;
void gw_store_snapshot_free(
	struct gw_store *s); /* makes the one that is due, unless the store is not well */
void gw_store_snapshot_due(struct gw_store *s); /* something changed */
/* Opens or restores home.db as the header says; *ret_note (cap 256) as gw_store_open. */
int gw_store_open_home(struct gw_store *s, char *ret_note, struct gw_error *reterr_) GW_MUST_USE;

/* --- store_values.c --- */

int gw_store_values_new(struct gw_store *s) GW_MUST_USE;
void gw_store_values_free(struct gw_store *s); /* writes what waits */
void gw_store_values_forget(struct gw_store *s, const char *device);
