/* Bytes in and out of a connection. TLS is OpenSSL's over the same descriptor; it may want to write in order to read, and the other way
 * round. It cannot be told MSG_NOSIGNAL: the daemon ignores SIGPIPE. */
#include <errno.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include "surfaces/http/http.h"

int gw_http_wire_open(struct conn *c, SSL_CTX *ctx)
{
	if (!ctx) {
		return 0;
	}
	c->ssl = SSL_new(ctx);
	if (!c->ssl || SSL_set_fd(c->ssl, c->fd) != 1) {
		ERR_clear_error();
		return -ENOMEM;
	}
	SSL_set_accept_state(c->ssl); /* the first read shakes hands */
	return 0;
}

void gw_http_wire_close(struct conn *c)
{
	SSL_free(c->ssl);
	c->ssl = NULL;
	if (c->fd >= 0) {
		close(c->fd);
		c->fd = -1;
	}
}

static long tls_result(struct conn *c, int r)
{
	int e = SSL_get_error(c->ssl, r);
	ERR_clear_error();
	switch (e) {
	case SSL_ERROR_WANT_READ: return -EAGAIN;
	case SSL_ERROR_WANT_WRITE: c->tls_wants_write = true; return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN: return 0;
	default: return -EPIPE;
	}
}

static int clip(size_t len)
{
	return len < 1u << 30 ? (int)len : 1 << 30;
}

long gw_http_wire_read(struct conn *c, char *p, size_t cap)
{
	if (c->ssl) {
		c->tls_wants_write = false;
		int r = SSL_read(c->ssl, p, clip(cap));
		return r > 0 ? r : tls_result(c, r);
	}
	ssize_t n;
	do {
		n = recv(c->fd, p, cap, 0);
	} while (n < 0 && errno == EINTR);
	return n >= 0 ? n : -errno;
}

long gw_http_wire_write(struct conn *c, const char *p, size_t len)
{
	if (c->ssl) {
		c->tls_wants_write = false;
		int r = SSL_write(c->ssl, p, clip(len));
		long n = r > 0 ? r : tls_result(c, r);
		return n == 0 ? -EPIPE : n;
	}
	ssize_t n;
	do {
		n = send(c->fd, p, len, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n >= 0 ? n : -errno;
}

void gw_http_wire_finish(struct conn *c)
{
	if (c->ssl) {
		(void)SSL_shutdown(c->ssl); /* the answer is not waited for */
		ERR_clear_error();
	}
	(void)shutdown(c->fd, SHUT_WR); /* the peer may have gone */
}

bool gw_http_wire_pending(const struct conn *c)
{
	return c->ssl && SSL_pending(c->ssl) > 0;
}
