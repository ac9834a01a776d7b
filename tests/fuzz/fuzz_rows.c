/* The files are sound, but anybody may have written the rows. A line of the input is a digit, which says the table, and texts between tabs. */
#include <sqlite3.h>

#include "store.h"

static const char *const rows[] = {
	"INSERT INTO meta VALUES(?1, ?2) ON CONFLICT DO UPDATE SET value=?2",
	"INSERT INTO room(id, name) VALUES(?1, ?2)",
	"INSERT INTO device VALUES(NULL, ?1, ?2, ?3, ?4, ?5, ?5, ?5, ?6, 0, ?7, ?8)",
	"INSERT INTO route VALUES((SELECT max(number) FROM device), ?1, ?2, ?3, CAST(?4 AS BLOB))",
	"INSERT INTO account VALUES(?1, ?2, ?3, 1, ?4, ?5, zeroblob(16), zeroblob(32), ?6)",
	"INSERT INTO token VALUES(?1, ?2, ?3, ?4, 1, ?6, 1, ?5, randomblob(32), ?7)",
	"INSERT INTO audit VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	"INSERT INTO state.value VALUES(?1, ?2, ?3, ?4)",
};
static struct {
	const char *name;
	char bytes[1 << 17];
	size_t len;
} sound[] = {{.name = "home.db"}, {.name = "state.db"}};

static void make_sound(void)
{
	store_make_dir();
	store_read_all();
	for (size_t i = 0; i < gw_countof(sound); i++) {
		FILE *f = fopen(store_path(sound[i].name), "rb");
		sound[i].len = f ? fread(sound[i].bytes, 1, sizeof(sound[i].bytes), f) : 0;
		if (sound[i].len == 0 || fclose(f) != 0) {
			abort();
		}
	}
}

static void put_row(sqlite3 *db, struct gw_str line)
{
	sqlite3_stmt *st = NULL;
	struct gw_str text;
	size_t row = line.len ? (unsigned char)line.p[0] % gw_countof(rows) : 0; /* '0' is 48 */
	if (sqlite3_prepare_v2(db, rows[row], -1, &st, NULL) != SQLITE_OK) {
		abort();
	}
	line = gw_str_sub(line, 1, line.len);
	for (int i = 1; gw_str_split(&line, '\t', &text); i++) {
		(void)sqlite3_bind_text(st, i, text.p, (int)text.len, SQLITE_STATIC);
	}
	(void)sqlite3_step(st); /* what the table refuses cannot be in it */
	(void)sqlite3_finalize(st);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gw_str rest = {(const char *)data, size}, line;
	sqlite3 *db = NULL;
	char attach[128];
	if (!sound[0].len) {
		make_sound();
	}
	for (size_t i = 0; i < gw_countof(sound); i++) {
		store_put_file(sound[i].name, sound[i].bytes, sound[i].len);
	}
	snprintf(attach, sizeof(attach), "ATTACH '%s/state.db' AS state; BEGIN", store_dir);
	if (sqlite3_open(store_path("home.db"), &db) ||
	    sqlite3_exec(db, attach, NULL, NULL, NULL)) {
		abort();
	}
	for (int n = 0; n < 64 && gw_str_split(&rest, '\n', &line); n++) {
		put_row(db, line);
	}
	if (sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) || sqlite3_close(db)) {
		abort();
	}
	store_read_all();
	return 0;
}
