/* What one connection may bring: heads, bodies, chunks, pipelined requests, WebSocket frames; in two pieces, over a home that only answers. */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http_home.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_home home;
	const size_t pieces[] = {size / 2, size - size / 2};
	int fd[2];
	http_home_open(&home);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd)) {
		abort();
	}
	http_home_accept(&home, fd[0]);
	for (size_t i = 0; i < 2; i++) {
		(void)send(fd[1], data, pieces[i], MSG_NOSIGNAL); /* it may be closed already */
		data += pieces[i];
		http_home_turns(&home, fd[1]);
	}
	close(fd[1]);
	http_home_close(&home);
	return 0;
}
