/* Rows of home.db as records, both ways. What a row may hold is checked when it is read: a row that breaks it is left out (R39). */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "gw/limits.h"
#include "gw/log.h"
#include "home/store_impl.h"

#define TEXT_BYTES 256 /* of the short texts of a device */

bool gw_store_column(sqlite3_stmt *st, int column, size_t max, const char **ret_text)
{
	const unsigned char *text = sqlite3_column_text(st, column);
	if (!text || (size_t)sqlite3_column_bytes(st, column) > max ||
	    strlen((const char *)text) != (size_t)sqlite3_column_bytes(st, column)) {
		return false;
	}
	*ret_text = (const char *)text;
	return true;
}

static bool copy_column(sqlite3_stmt *st, int column, char *ret_text, size_t cap)
{
	const char *text;
	if (!gw_store_column(st, column, cap - 1, &text)) {
		return false;
	}
	memcpy(ret_text, text, strlen(text) + 1);
	return true;
}

static bool copy_blob(sqlite3_stmt *st, int column, uint8_t *ret_bytes, size_t len)
{
	const void *p = sqlite3_column_blob(st, column);
	if (!p || (size_t)sqlite3_column_bytes(st, column) != len) {
		return false;
	}
	memcpy(ret_bytes, p, len);
	return true;
}

/* --- iteration --- */

/* One row → the caller's fn. 0 goes on, -EBADMSG leaves the row out, anything else stops. */
struct each {
	struct gw_store *s;
	const char *table, *sql;
	int (*row)(struct each *e, sqlite3_stmt *st);
	void *ctx;
	union {
		int (*device)(void *ctx, const struct gw_device_record *r);
		int (*room)(void *ctx, const char *id, const char *name);
		int (*account)(void *ctx, const struct gw_account_record *r);
		int (*token)(void *ctx, const struct gw_token_record *r);
		int (*audit)(void *ctx, const struct gw_audit_record *r);
	} fn;
	int stopped; /* what fn said */
};

static int each_row(struct each *e)
{
	sqlite3 *db = e->s->db;
	sqlite3_stmt *st = NULL;
	unsigned bad = 0;
	int rc = db ? sqlite3_prepare_v2(db, e->sql, -1, &st, /* tail= */ NULL) : SQLITE_CANTOPEN;
	int r = 0;
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(st);
		if (rc != SQLITE_ROW) {
			break;
		}
		r = e->row(e, st);
		if (r == -EBADMSG && e->stopped == 0) {
			bad++;
			continue;
		}
		if (r != 0) {
			break;
		}
	}
	if (r == 0 || (r == -EBADMSG && e->stopped == 0)) {
		r = gw_store_errno(db, rc);
		r = r == -EBADMSG ? -EIO : r;
	}
	(void)sqlite3_finalize(st); /* repeats the error of the step */
	if (db) {		    /* the pages are not read again for a long time */
		(void)sqlite3_db_release_memory(db);
	}
	if (bad > 0) {
		gw_log_warning("store", "GW-STORE-ROW", "%u rows of %s are malformed, ignoring",
			       bad, e->table);
	}
	return e->stopped ? e->stopped : r;
}

/* The texts of a device in the order of the columns, for reading and for writing: what could not be read again is not written. */
static const struct {
	size_t offset, max;
} device_texts[] = {
	{offsetof(struct gw_device_record, id), GW_ID_BYTES - 1},
	{offsetof(struct gw_device_record, name), GW_NAME_BYTES - 1},
	{offsetof(struct gw_device_record, room), GW_ID_BYTES - 1},
	{offsetof(struct gw_device_record, type), TEXT_BYTES},
	{offsetof(struct gw_device_record, vendor), TEXT_BYTES},
	{offsetof(struct gw_device_record, model), TEXT_BYTES},
	{offsetof(struct gw_device_record, firmware), TEXT_BYTES},
	{offsetof(struct gw_device_record, identity), TEXT_BYTES},
	{offsetof(struct gw_device_record, adapter), TEXT_BYTES},
	{offsetof(struct gw_device_record, profile), TEXT_BYTES},
};

static int device_row(struct each *e, sqlite3_stmt *st)
{
	struct gw_device_record r = {0};
	struct gw_vars vars = {0};
	int n = gw_countof(device_texts);
	for (int i = 0; i < n; i++) {
		const char *text;
		if (!gw_store_column(st, i, device_texts[i].max, &text)) {
			return -EBADMSG;
		}
		*(const char **)(void *)((char *)&r + device_texts[i].offset) = text;
	}
	if (sqlite3_column_type(st, n) != SQLITE_NULL &&
	    !gw_store_column(st, n, GW_PROFILE_BYTES, &r.profile_text)) {
		return -EBADMSG;
	}
	r.weak_identity = sqlite3_column_int(st, n + 1) != 0;
	r.adopted_wall_ms = sqlite3_column_int64(st, n + 2);
	r.revision = (uint64_t)sqlite3_column_int64(st, n + 3);
	r.vars = &vars;
	const char *sealed = sqlite3_column_blob(st, n + 4);
	int err = -EBADMSG;
	if (e->s->seal && sealed) {
		struct gw_str bytes = {sealed, (size_t)sqlite3_column_bytes(st, n + 4)};
		err = gw_unseal_vars(e->s->seal, r.id, bytes, &vars);
	}
	if (err == -ENOMEM) {
		gw_vars_fini(&vars);
		return err;
	}
	if (err < 0) { /* the device is shown with the problem that they are missing */
		gw_vars_fini(&vars);
		gw_log_warning("store", "GW-STORE-VARS", "%s: its variables cannot be read", r.id);
	}
	e->stopped = e->fn.device(e->ctx, &r);
	gw_vars_fini(&vars);
	return e->stopped;
}

int gw_store_each_device(struct gw_store *s, int (*fn)(void *ctx, const struct gw_device_record *r),
			 void *ctx)
{
	struct each e = {
		.s = s,
		.table = "device",
		.sql = "SELECT d.id, d.name, ifnull(d.room, ''), d.type, d.vendor, d.model, d.firmware, d.identity,"
		       " r.adapter, r.profile, r.profile_text, d.weak, d.adopted, d.revision, r.vars"
		       " FROM device d JOIN route r ON r.device = d.number ORDER BY d.number",
		.row = device_row,
		.ctx = ctx,
		.fn.device = fn,
	};
	return each_row(&e);
}

static int room_row(struct each *e, sqlite3_stmt *st)
{
	const char *id, *name;
	if (!gw_store_column(st, 0, GW_ID_BYTES - 1, &id) ||
	    !gw_store_column(st, 1, GW_NAME_BYTES - 1, &name)) {
		return -EBADMSG;
	}
	e->stopped = e->fn.room(e->ctx, id, name);
	return e->stopped;
}

int gw_store_each_room(struct gw_store *s, int (*fn)(void *ctx, const char *id, const char *name),
		       void *ctx)
{
	struct each e = {.s = s,
			 .table = "room",
			 .sql = "SELECT id, name FROM room ORDER BY number",
			 .row = room_row,
			 .ctx = ctx,
			 .fn.room = fn};
	return each_row(&e);
}

static int account_row(struct each *e, sqlite3_stmt *st)
{
	struct gw_account_record r = {0};
	const char *role;
	if (!copy_column(st, 0, r.info.id, sizeof(r.info.id)) ||
	    !copy_column(st, 1, r.info.name, sizeof(r.info.name)) ||
	    !gw_store_column(st, 2, GW_ID_BYTES, &role) ||
	    !copy_column(st, 5, r.info.devices, sizeof(r.info.devices)) ||
	    !copy_blob(st, 6, r.salt, sizeof(r.salt)) ||
	    !copy_blob(st, 7, r.hash, sizeof(r.hash))) {
		return -EBADMSG;
	}
	r.info.role = gw_role_find(role);
	if (r.info.role == GW_ROLE_NONE || r.info.role == GW_ROLE_TOKEN) {
		return -EBADMSG;
	}
	r.info.created_wall_ms = sqlite3_column_int64(st, 3);
	r.info.expires_wall_ms = sqlite3_column_int64(st, 4);
	r.generation = (uint64_t)sqlite3_column_int64(st, 8);
	e->stopped = e->fn.account(e->ctx, &r);
	return e->stopped;
}

int gw_store_each_account(struct gw_store *s,
			  int (*fn)(void *ctx, const struct gw_account_record *r), void *ctx)
{
	struct each e = {
		.s = s,
		.table = "account",
		.sql = "SELECT id, name, role, created, expires, devices, salt, hash, generation"
		       " FROM account ORDER BY created, id",
		.row = account_row,
		.ctx = ctx,
		.fn.account = fn,
	};
	return each_row(&e);
}

static int token_row(struct each *e, sqlite3_stmt *st)
{
	struct gw_token_record r = {0};
	if (!copy_column(st, 0, r.info.id, sizeof(r.info.id)) ||
	    !copy_column(st, 1, r.account, sizeof(r.account)) ||
	    !copy_column(st, 2, r.info.name, sizeof(r.info.name)) ||
	    !copy_column(st, 7, r.info.devices, sizeof(r.info.devices)) ||
	    !copy_blob(st, 8, r.hash, sizeof(r.hash))) {
		return -EBADMSG;
	}
	r.info.scope = (unsigned)sqlite3_column_int(st, 3);
	r.info.created_wall_ms = sqlite3_column_int64(st, 4);
	r.info.expires_wall_ms = sqlite3_column_int64(st, 5);
	r.info.used_wall_ms = sqlite3_column_int64(st, 6);
	r.generation = (uint64_t)sqlite3_column_int64(st, 9);
	e->stopped = e->fn.token(e->ctx, &r);
	return e->stopped;
}

int gw_store_each_token(struct gw_store *s, int (*fn)(void *ctx, const struct gw_token_record *r),
			void *ctx)
{
	struct each e = {
		.s = s,
		.table = "token",
		.sql = "SELECT id, ifnull(account, ''), name, scope, created, expires, used, devices, hash, generation"
		       " FROM token ORDER BY created, id",
		.row = token_row,
		.ctx = ctx,
		.fn.token = fn,
	};
	return each_row(&e);
}

static int audit_row(struct each *e, sqlite3_stmt *st)
{
	struct gw_audit_record r = {
		.number = (uint64_t)sqlite3_column_int64(st, 0),
		.time_wall_ms = sqlite3_column_int64(st, 1),
	};
	const char **texts[] = {&r.who, &r.via, &r.what, &r.object, &r.detail};
	for (int i = 0; i < (int)gw_countof(texts); i++) {
		if (!gw_store_column(st, i + 2, GW_AUDIT_TEXT, texts[i])) {
			return -EBADMSG;
		}
	}
	e->stopped = e->fn.audit(e->ctx, &r);
	return e->stopped;
}

int gw_store_each_audit(struct gw_store *s, int (*fn)(void *ctx, const struct gw_audit_record *r),
			void *ctx)
{
	struct each e = {
		.s = s,
		.table = "audit",
		.sql = "SELECT number, time, who, via, what, object, detail FROM audit ORDER BY number DESC",
		.row = audit_row,
		.ctx = ctx,
		.fn.audit = fn,
	};
	return each_row(&e);
}

/* --- changes --- */

static bool fits(const struct gw_device_record *r)
{
	for (size_t i = 0; i < gw_countof(device_texts); i++) {
		const char *text = *(const char *const *)(const void *)((const char *)r +
									device_texts[i].offset);
		if (text && strlen(text) > device_texts[i].max) {
			return false;
		}
	}
	return r->id && r->id[0] &&
	       (!r->profile_text || strlen(r->profile_text) <= GW_PROFILE_BYTES);
}

static struct gw_store_arg text_or_empty(const char *s)
{
	return GW_TEXT(s ? s : "");
}

int gw_store_put_device(struct gw_store *s, const struct gw_device_record *r,
			const struct gw_audit_line *audit)
{
	GW_AUTO(gw_buf_fini) struct gw_buf sealed = GW_BUF_INIT(GW_PROFILE_BYTES);
	if (!fits(r)) {
		return -EINVAL;
	}
	if (!s->seal) {
		return s->error ? s->error : -EROFS;
	}
	int err = gw_seal_vars(s->seal, r->id, r->vars, &sealed);
	if (err == 0) {
		err = gw_store_begin(s);
	}
	if (err < 0) {
		return err;
	}
	err = gw_store_run(s, GW_SQL_PUT_DEVICE,
			   GW_ARGS(GW_TEXT(r->id), text_or_empty(r->name), text_or_empty(r->room),
				   text_or_empty(r->type), text_or_empty(r->vendor),
				   text_or_empty(r->model), text_or_empty(r->firmware),
				   text_or_empty(r->identity), GW_INT(r->weak_identity),
				   GW_INT(r->adopted_wall_ms), GW_INT(r->revision)));
	if (err == 0) {
		err = gw_store_run(s, GW_SQL_PUT_ROUTE,
				   GW_ARGS(GW_TEXT(r->id), text_or_empty(r->adapter),
					   text_or_empty(r->profile), GW_TEXT(r->profile_text),
					   GW_BLOB(sealed.p, sealed.len)));
	}
	return gw_store_end(s, err, audit);
}

/* The changes that are one statement. */
static int change(struct gw_store *s, enum gw_store_sql sql, const struct gw_store_arg *args,
		  size_t n, const struct gw_audit_line *audit)
{
	int r = gw_store_begin(s);
	if (r < 0) {
		return r;
	}
	return gw_store_end(s, gw_store_run(s, sql, args, n), audit);
}

int gw_store_remove_device(struct gw_store *s, const char *id, const struct gw_audit_line *audit)
{
	int r = change(s, GW_SQL_REMOVE_DEVICE, GW_ARGS(GW_TEXT(id)), audit);
	if (r == 0) {
		gw_store_values_forget(s, id);
	}
	return r;
}

int gw_store_put_room(struct gw_store *s, const char *id, const char *name,
		      const struct gw_audit_line *audit)
{
	if (strlen(id) >= GW_ID_BYTES || strlen(name) >= GW_NAME_BYTES) {
		return -EINVAL;
	}
	return change(s, GW_SQL_PUT_ROOM, GW_ARGS(GW_TEXT(id), GW_TEXT(name)), audit);
}

int gw_store_remove_room(struct gw_store *s, const char *id, const struct gw_audit_line *audit)
{
	return change(s, GW_SQL_REMOVE_ROOM, GW_ARGS(GW_TEXT(id)), audit);
}

int gw_store_put_account(struct gw_store *s, const struct gw_account_record *r,
			 const struct gw_audit_line *audit)
{
	return change(s, GW_SQL_PUT_ACCOUNT,
		      GW_ARGS(GW_TEXT(r->info.id), GW_TEXT(r->info.name),
			      GW_TEXT(gw_role_name(r->info.role)), GW_INT(r->info.created_wall_ms),
			      GW_INT(r->info.expires_wall_ms), GW_TEXT(r->info.devices),
			      GW_BLOB(r->salt, sizeof(r->salt)), GW_BLOB(r->hash, sizeof(r->hash)),
			      GW_INT(r->generation)),
		      audit);
}

int gw_store_remove_account(struct gw_store *s, const char *id, const struct gw_audit_line *audit)
{
	return change(s, GW_SQL_REMOVE_ACCOUNT, GW_ARGS(GW_TEXT(id)), audit);
}

int gw_store_put_token(struct gw_store *s, const struct gw_token_record *r,
		       const struct gw_audit_line *audit)
{
	return change(s, GW_SQL_PUT_TOKEN,
		      GW_ARGS(GW_TEXT(r->info.id), GW_TEXT(r->account), GW_TEXT(r->info.name),
			      GW_INT(r->info.scope), GW_INT(r->info.created_wall_ms),
			      GW_INT(r->info.expires_wall_ms), GW_INT(r->info.used_wall_ms),
			      GW_TEXT(r->info.devices), GW_BLOB(r->hash, sizeof(r->hash)),
			      GW_INT(r->generation)),
		      audit);
}

int gw_store_remove_token(struct gw_store *s, const char *id, const struct gw_audit_line *audit)
{
	return change(s, GW_SQL_REMOVE_TOKEN, GW_ARGS(GW_TEXT(id)), audit);
}

int gw_store_put_audit(struct gw_store *s, const struct gw_audit_line *audit)
{
	int r = gw_store_begin(s);
	return r < 0 ? r : gw_store_end(s, 0, audit);
}

int gw_store_put_meta(struct gw_store *s, const char *key, const char *value)
{
	return change(s, GW_SQL_PUT_META, GW_ARGS(GW_TEXT(key), GW_TEXT(value)), /* audit= */ NULL);
}

int gw_store_get_meta(struct gw_store *s, const char *key, char *ret_value, size_t cap)
{
	int r = 0;
	sqlite3_stmt *st = gw_store_start(s, GW_SQL_GET_META, GW_ARGS(GW_TEXT(key)), &r);
	if (!st) {
		return r;
	}
	int rc = sqlite3_step(st);
	r = gw_store_errno(s->db, rc);
	if (rc == SQLITE_ROW && !copy_column(st, 0, ret_value, cap)) {
		r = -E2BIG;
	}
	if (rc == SQLITE_DONE) {
		r = -ENOENT;
	}
	gw_store_done(st);
	return r;
}
