#include "fault_vfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gw/compiler.h"

/* A write that no sync has followed: what was there before. */
struct unsynced {
	struct unsynced *next;
	char name[NAME_MAX + 1];
	int64_t offset, old_size;
	int len;
	uint8_t old[];
};

struct file {
	sqlite3_file base;
	char path[PATH_MAX];
	sqlite3_file real[]; /* in the room behind */
};

/* Tests are the one place where a process-wide state is right: SQLite's list of VFS is one, too. */
static struct {
	sqlite3_vfs vfs, *real;
	pthread_mutex_t lock;
	int code;
	bool cut;
	char read_only[PATH_MAX]; /* a directory, or "" */
	uint64_t count, at;
	char dir[PATH_MAX], image[PATH_MAX];
	uint32_t seed;
	struct unsynced *unsynced; /* newest first */
	void (*on_cut)(void *ctx);
	void *ctx;
} f = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct file *file_of(sqlite3_file *p)
{
	return (struct file *)(void *)p;
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static uint32_t chance(void)
{
	f.seed = f.seed * 1664525u + 1013904223u;
	return f.seed >> 8;
}

static void copy_file(const char *from, const char *to)
{
	char bytes[16384];
	ssize_t n;
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	while (in >= 0 && out >= 0 && (n = read(in, bytes, sizeof(bytes))) > 0) {
		if (write(out, bytes, (size_t)n) != n) {
			abort();
		}
	}
	close(in);
	close(out);
}

static void undo(const struct unsynced *u)
{
	char path[2 * PATH_MAX];
	snprintf(path, sizeof(path), "%s/%s", f.image, u->name);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		return; /* gone since */
	}
	/* Whole sectors reach the disk, each by chance. */
	for (int done = 0; done < u->len;) {
		int n = 512 - (int)((u->offset + done) % 512);
		n = n > u->len - done ? u->len - done : n;
		if (chance() % 2 && pwrite(fd, u->old + done, (size_t)n, u->offset + done) != n) {
			abort();
		}
		done += n;
	}
	if (chance() % 4 == 0 && u->old_size < u->offset + u->len &&
	    ftruncate(fd, u->old_size) < 0) {
		abort();
	}
	close(fd);
}

static void cut(void)
{
	char from[2 * PATH_MAX], to[2 * PATH_MAX];
	DIR *d = opendir(f.dir);
	for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
		if (e->d_type == DT_REG) {
			snprintf(from, sizeof(from), "%s/%s", f.dir, e->d_name);
			snprintf(to, sizeof(to), "%s/%s", f.image, e->d_name);
			copy_file(from, to);
		}
	}
	closedir(d);
	for (const struct unsynced *u = f.unsynced; u; u = u->next) {
		undo(u);
	}
	f.cut = true;
	if (f.on_cut) {
		f.on_cut(f.ctx);
	}
}

/* One more write or sync. */
static void tick(void)
{
	f.count++;
	if (f.at > 0 && f.count == f.at) {
		cut();
	}
}

static void forget(const char *name)
{
	for (struct unsynced **u = &f.unsynced; *u;) {
		struct unsynced *gone = *u;
		if (name && strcmp(gone->name, name) != 0) {
			u = &gone->next;
			continue;
		}
		*u = gone->next;
		free(gone);
	}
}

static void note_write(struct file *file, int len, int64_t offset)
{
	struct unsynced *u = calloc(1, sizeof(*u) + (size_t)len);
	struct stat st;
	int fd = open(file->path, O_RDONLY | O_CLOEXEC);
	if (!u || fd < 0 || fstat(fd, &st) < 0 || pread(fd, u->old, (size_t)len, offset) < 0) {
		abort();
	}
	close(fd);
	int n = snprintf(u->name, sizeof(u->name), "%s", name_of(file->path));
	if (n < 0 || (size_t)n >= sizeof(u->name)) {
		abort();
	}
	u->offset = offset;
	u->len = len;
	u->old_size = st.st_size;
	u->next = f.unsynced;
	f.unsynced = u;
}

static int on_close(sqlite3_file *p)
{
	return file_of(p)->real->pMethods->xClose(file_of(p)->real);
}

static int on_read(sqlite3_file *p, void *buf, int n, sqlite3_int64 at)
{
	return file_of(p)->real->pMethods->xRead(file_of(p)->real, buf, n, at);
}

/*
 * Reading the file a second time and closing it would drop SQLite's POSIX locks; another process's lock is not what these tests look at.
 */
static int on_write(sqlite3_file *p, const void *buf, int n, sqlite3_int64 at)
{
	pthread_mutex_lock(&f.lock);
	int rc = f.code;
	if (rc == 0 && f.at > 0) {
		note_write(file_of(p), n, at);
	}
	if (rc == 0) {
		rc = file_of(p)->real->pMethods->xWrite(file_of(p)->real, buf, n, at);
		tick();
	}
	pthread_mutex_unlock(&f.lock);
	return rc;
}

static int on_truncate(sqlite3_file *p, sqlite3_int64 size)
{
	return f.code ? f.code : file_of(p)->real->pMethods->xTruncate(file_of(p)->real, size);
}

static int on_sync(sqlite3_file *p, int flags)
{
	pthread_mutex_lock(&f.lock);
	int rc = f.code;
	if (rc == 0) {
		tick(); /* before it is synced: the worst moment */
		forget(name_of(file_of(p)->path));
		rc = file_of(p)->real->pMethods->xSync(file_of(p)->real, flags);
	}
	pthread_mutex_unlock(&f.lock);
	return rc;
}

static int on_size(sqlite3_file *p, sqlite3_int64 *ret)
{
	return file_of(p)->real->pMethods->xFileSize(file_of(p)->real, ret);
}

static int on_lock(sqlite3_file *p, int lock)
{
	return file_of(p)->real->pMethods->xLock(file_of(p)->real, lock);
}

static int on_unlock(sqlite3_file *p, int lock)
{
	return file_of(p)->real->pMethods->xUnlock(file_of(p)->real, lock);
}

static int on_check_lock(sqlite3_file *p, int *ret)
{
	return file_of(p)->real->pMethods->xCheckReservedLock(file_of(p)->real, ret);
}

static int on_control(sqlite3_file *p, int op, void *arg)
{
	return file_of(p)->real->pMethods->xFileControl(file_of(p)->real, op, arg);
}

static int on_sector(sqlite3_file *p)
{
	return file_of(p)->real->pMethods->xSectorSize(file_of(p)->real);
}

static int on_traits(sqlite3_file *p)
{
	return file_of(p)->real->pMethods->xDeviceCharacteristics(file_of(p)->real);
}

/* Version 1: no shared memory, so a store that needs it would be seen. */
static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = on_close,
	.xRead = on_read,
	.xWrite = on_write,
	.xTruncate = on_truncate,
	.xSync = on_sync,
	.xFileSize = on_size,
	.xLock = on_lock,
	.xUnlock = on_unlock,
	.xCheckReservedLock = on_check_lock,
	.xFileControl = on_control,
	.xSectorSize = on_sector,
	.xDeviceCharacteristics = on_traits,
};

static int on_open(sqlite3_vfs *v, const char *name, sqlite3_file *p, int flags, int *ret_flags)
{
	(void)v;
	struct file *file = file_of(p);
	file->base.pMethods = NULL;
	if (f.read_only[0] && name && strncmp(name, f.read_only, strlen(f.read_only)) == 0) {
		struct stat st;
		if (stat(name, &st) < 0 || (flags & SQLITE_OPEN_WAL)) {
			return SQLITE_CANTOPEN;
		}
		flags = (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) |
			SQLITE_OPEN_READONLY;
	}
	int rc = f.real->xOpen(f.real, name, file->real, flags, ret_flags);
	if (rc == SQLITE_OK) {
		snprintf(file->path, sizeof(file->path), "%s", name ? name : "");
		file->base.pMethods = &methods;
	}
	return rc;
}

void fault_vfs_install(void)
{
	f.real = sqlite3_vfs_find(NULL);
	f.vfs = *f.real;
	f.vfs.zName = "fault";
	f.vfs.pNext = NULL;
	f.vfs.szOsFile = (int)sizeof(struct file) + f.real->szOsFile;
	f.vfs.xOpen = on_open;
	if (sqlite3_vfs_register(&f.vfs, 1) != SQLITE_OK) {
		abort();
	}
}

void fault_vfs_fail(int code)
{
	pthread_mutex_lock(&f.lock);
	f.code = code;
	pthread_mutex_unlock(&f.lock);
}

void fault_vfs_read_only(const char *dir)
{
	snprintf(f.read_only, sizeof(f.read_only), "%s", dir ? dir : "");
}

void fault_vfs_cut_at(uint64_t at, const char *dir, const char *image, uint32_t seed)
{
	pthread_mutex_lock(&f.lock);
	forget(/* name= */ NULL);
	f.at = at;
	f.count = 0;
	f.cut = false;
	f.seed = seed;
	snprintf(f.dir, sizeof(f.dir), "%s", dir ? dir : "");
	snprintf(f.image, sizeof(f.image), "%s", image ? image : "");
	pthread_mutex_unlock(&f.lock);
}

uint64_t fault_vfs_count(void)
{
	return f.count;
}

bool fault_vfs_was_cut(void)
{
	return f.cut;
}

void fault_vfs_on_cut(void (*fn)(void *ctx), void *ctx)
{
	f.on_cut = fn;
	f.ctx = ctx;
}
