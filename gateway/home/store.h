/*
 * home.db: what people configured, identities, audit (SQLite, WAL, synchronous=FULL). A put that returns 0 is durable. state.db beside it keeps the
 * last known values, written in batches on the pool every 60 s, or more seldom when the day's budget of written bytes (R43) says so; they
 * are shown as stale after a start.
 *
 * Opening treats the file as untrusted: application_id, user_version, quick_check, limits. A bad file is set aside as home.db.bad-<time> and the
 * last good snapshot home.db.snapshot is used; a newer schema is refused. A snapshot is made (online backup, temp, fsync, rename) after a
 * good start and 60 s after a change. The variables of devices are sealed with the key file store.key.
 *
 * The marker file `claimed` outlives a lost home.db: a home that had an owner is not open for claiming from the network because its store
 * is gone. A second process on the same directory is refused (-EBUSY).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gw/access.h"
#include "gw/error.h"
#include "gw/loop.h"
#include "gw/profile.h"
#include "gw/str.h"

struct gw_store;

struct gw_device_record {
	const char *id, *name;
	const char *room; /* of a stored room, or "" */
	const char *type, *vendor, *model, *firmware, *identity;
	bool weak_identity;
	int64_t adopted_wall_ms;
	uint64_t revision;
	/* its route */
	const char *adapter, *profile; /* profile id */
	const char *profile_text;      /* of a described device: the profile itself, else NULL */
	const struct gw_vars *vars;
};

struct gw_account_record {
	struct gw_account_info info;
	uint8_t salt[16], hash[32]; /* scrypt */
	uint64_t generation;
};

struct gw_token_record {
	struct gw_token_info info;
	char account[GW_ID_BYTES]; /* a login session's account; "" for client tokens */
	uint8_t hash[32];	   /* SHA-256 of the secret */
	uint64_t generation;
};

struct gw_audit_record {
	uint64_t number;
	int64_t time_wall_ms;
	const char *who, *via, *what, *object, *detail;
};

/* Opens or makes the files in state_dir (0700). *ret_note (cap 256) says what had to be repaired, or "". */
int gw_store_open(struct gw_loop *l, const char *state_dir, struct gw_store **ret_store,
		  char *ret_note, struct gw_error *reterr_) GW_MUST_USE;
void gw_store_close(struct gw_store *s); /* flushes the last values, checkpoints; blocks shortly */
bool gw_store_read_only(
	const struct gw_store *s); /* after disk full or an I/O error; tried again by itself */
const char *gw_store_problem(const struct gw_store *s);	  /* one sentence, or "" */
bool gw_store_claimed(const struct gw_store *s);	  /* the marker file is there */
int gw_store_set_claimed(struct gw_store *s) GW_MUST_USE; /* durable */

/* Iteration at start. fn returns non-zero to stop; its value is returned. Records are borrowed during the call. */
int gw_store_each_device(struct gw_store *s, int (*fn)(void *ctx, const struct gw_device_record *r),
			 void *ctx) GW_MUST_USE;
int gw_store_each_room(struct gw_store *s, int (*fn)(void *ctx, const char *id, const char *name),
		       void *ctx) GW_MUST_USE;
int gw_store_each_account(struct gw_store *s,
			  int (*fn)(void *ctx, const struct gw_account_record *r),
			  void *ctx) GW_MUST_USE;
int gw_store_each_token(struct gw_store *s, int (*fn)(void *ctx, const struct gw_token_record *r),
			void *ctx) GW_MUST_USE;
/* Newest first. */
int gw_store_each_audit(struct gw_store *s, int (*fn)(void *ctx, const struct gw_audit_record *r),
			void *ctx) GW_MUST_USE;
int gw_store_each_value(struct gw_store *s,
			int (*fn)(void *ctx, const char *device, const char *address,
				  const char *json, int64_t time_wall_ms),
			void *ctx) GW_MUST_USE;

/* Changes: each in one transaction with its audit line (NULL, or who NULL: none). 0 = durable; -EROFS, -ENOSPC, -EIO otherwise, and nothing changed. */
struct gw_audit_line {
	const char *who, *via, *what, *object, *detail;
};
int gw_store_put_device(struct gw_store *s, const struct gw_device_record *r,
			const struct gw_audit_line *audit) GW_MUST_USE;
int gw_store_remove_device(struct gw_store *s, const char *id,
			   const struct gw_audit_line *audit) GW_MUST_USE;
int gw_store_put_room(struct gw_store *s, const char *id, const char *name,
		      const struct gw_audit_line *audit) GW_MUST_USE;
int gw_store_remove_room(struct gw_store *s, const char *id,
			 const struct gw_audit_line *audit) GW_MUST_USE;
int gw_store_put_account(struct gw_store *s, const struct gw_account_record *r,
			 const struct gw_audit_line *audit) GW_MUST_USE;
int gw_store_remove_account(struct gw_store *s, const char *id,
			    const struct gw_audit_line *audit) GW_MUST_USE;
int gw_store_put_token(struct gw_store *s, const struct gw_token_record *r,
		       const struct gw_audit_line *audit) GW_MUST_USE;
int gw_store_remove_token(struct gw_store *s, const char *id,
			  const struct gw_audit_line *audit) GW_MUST_USE;
/* An audit line by itself. */
int gw_store_put_audit(struct gw_store *s, const struct gw_audit_line *audit) GW_MUST_USE;
int gw_store_put_meta(struct gw_store *s, const char *key, const char *value) GW_MUST_USE;
int gw_store_get_meta(struct gw_store *s, const char *key, char *ret_value,
		      size_t cap) GW_MUST_USE; /* -ENOENT */

/* Last known value, newest per address; buffered, never blocks. At most GW_VALUES_KEPT wait, further addresses are dropped. */
void gw_store_keep_value(struct gw_store *s, const char *device, const char *address,
			 struct gw_str json, int64_t time_wall_ms);
