/*
 * A disk that fails: an SQLite VFS over the system's. It lets writing fail as a full, broken or read-only disk does, and it cuts the
 * power: a copy of the directory in which writes that were not synced are there, or not, by chance.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* From now on it is the VFS that everybody gets. Once per process. */
void fault_vfs_install(void);
/* Every write and sync from now fails with this SQLite code (SQLITE_FULL, SQLITE_IOERR_FSYNC, SQLITE_READONLY); 0: well again. */
void fault_vfs_fail(int code);
/* Files below dir open for reading only and new ones not at all; NULL: well again. */
void fault_vfs_read_only(const char *dir);

/* Counts writes and syncs; when the count reaches `at`, *image is made from dir. at 0: only counts. */
void fault_vfs_cut_at(uint64_t at, const char *dir, const char *image, uint32_t seed);
uint64_t fault_vfs_count(void);
bool fault_vfs_was_cut(void);
/* Called at the moment of the cut, so that the test can note what was acknowledged until then. */
void fault_vfs_on_cut(void (*fn)(void *ctx), void *ctx);
