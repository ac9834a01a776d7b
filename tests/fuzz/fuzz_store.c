/* home.db is untrusted at start: whatever the file holds, the store opens (or says why not) and every row can be read. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "home/store.h"

static int see(void *ctx, const struct gw_device_record *r)
{
	return ctx == r->id; /* never */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gw_loop *loop;
	static char dir[] = "/dev/shm/hearth-fuzz-XXXXXX", path[64], note[256];
	struct gw_store *s = NULL;
	if (!loop && (!mkdtemp(dir) || !(loop = gw_loop_new()))) {
		abort();
	}
	snprintf(path, sizeof(path), "%s/home.db.snapshot", dir);
	unlink(path); /* of the input before */
	snprintf(path, sizeof(path), "%s/home.db", dir);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size) {
		abort();
	}
	close(fd);
	if (gw_store_open(loop, dir, &s, note, NULL) == 0) {
		(void)!gw_store_each_device(s, see, NULL);
		(void)!gw_store_put_meta(s, "fuzz", note);
	}
	gw_store_close(s);
	return 0;
}
