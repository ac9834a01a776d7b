/*
 * One SQLite file as what it is at start: untrusted input (security rule R39). Making, checking, opening and migrating it, and the
 * small file work around it (R38). Private to the store.
 */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#include "gw/compiler.h"
#include "gw/error.h"

struct gw_store_schema {
	const char *name; /* for messages: "home.db" */
	int application_id;
	int page_bytes;
	/* Step i leads from user_version i to i + 1, in one transaction, so that an interrupted migration goes on where it was (R42). */
	const char *const *steps;
	int n_steps;
	bool durable; /* synchronous=FULL; the whole file is checked before it is used */
};

extern const struct gw_store_schema gw_store_schema_home;  /* home.db */
extern const struct gw_store_schema gw_store_schema_state; /* state.db */

enum gw_store_open {
	GW_STORE_WRITE, /* migrates, WAL, exclusive */
	GW_STORE_READ, /* touches nothing beside it: a snapshot, or a file system that cannot be written now */
};

/*
 * -ENOENT: no file. -EBADMSG: not ours, damaged, too large, not a regular file. -ENOTSUP: written by a newer version. Other errors
 * say nothing about the content (-ENOSPC, -EROFS, -EIO, -EACCES, -EBUSY, -ENOMEM).
 */
int gw_store_schema_open(const struct gw_store_schema *sc, const char *path, enum gw_store_open how,
			 sqlite3 **ret_db, struct gw_error *reterr_) GW_MUST_USE;
/* Makes an empty store under another name and moves it to path, so that path is never half made. */
int gw_store_schema_create(const struct gw_store_schema *sc, const char *path,
			   struct gw_error *reterr_) GW_MUST_USE;
int gw_store_schema_migrate(const struct gw_store_schema *sc, sqlite3 *db,
			    struct gw_error *reterr_) GW_MUST_USE;

/* What an SQLite result means for us: 0 or -errno. db may be NULL. */
int gw_store_errno(sqlite3 *db, int rc);
int gw_store_exec(sqlite3 *db, const char *sql) GW_MUST_USE;
int gw_store_pragma_int(sqlite3 *db, const char *pragma, int *ret_value) GW_MUST_USE;

/* Makes an empty file of our own, mode 0600; an older one of that name is removed first. */
int gw_store_file_make(const char *path) GW_MUST_USE;
/* fsync temp, rename to path, fsync the directory. */
int gw_store_file_commit(const char *temp, const char *path) GW_MUST_USE;
int gw_store_file_copy(const char *from, const char *to) GW_MUST_USE; /* durable when it returns */
