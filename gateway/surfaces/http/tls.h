/*
 * The gateway's own certificates (security-rules R3): a local CA and a server certificate that it signed, both on P-256, made at the first start and
 * kept in the state directory. The CA is what people may import; the server certificate follows the machine's names and is renewed
 * long before it ends. Private to surfaces/http.
 */
#pragma once

#include <openssl/ssl.h>
#include <stdbool.h>

#include "gw/compiler.h"

struct gw_tls;

/*
 * Loads or makes <dir>/ca.pem and server.pem (key and certificate in one file, so that they change together) and ca.crt, the part that people may
 * have. names: host names and addresses, separated by spaces. Blocks shortly: a key takes about a millisecond. A file that
 * cannot be used is replaced, with a warning. Other failures are -errno; -EIO also when OpenSSL refuses.
 */
int gw_tls_new(const char *dir, const char *names, struct gw_tls **ret_tls) GW_MUST_USE;
void gw_tls_free(struct gw_tls *t); /* accepts NULL */
/* Puts key, certificate, TLS 1.2 or newer and nothing superfluous into a server context. */
int gw_tls_configure(struct gw_tls *t, SSL_CTX *ctx) GW_MUST_USE;
/*
 * Makes the server certificate anew when it ends within 30 days, when the clock was set back before it, or when names are others than before and it
 * lacks one of them. *ret_renewed: configure again.
 */
int gw_tls_renew(struct gw_tls *t, const char *names, bool *ret_renewed) GW_MUST_USE;
