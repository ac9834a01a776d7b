/*
 * TLS for the MQTT link. libmosquitto checks a certificate against the text it connects to, and it looks that text up with a
 * blocking getaddrinfo. We look names up on the pool and connect to the address, so the check of the name and the SNI are
 * ours: a context made here carries the name, whatever address the connection goes to.
 */
#pragma once

#include <openssl/ssl.h>
#include <stddef.h>

#include "gw/broker.h"
#include "gw/compiler.h"

/*
 * Loads certificates and keys (small files, read at once). On failure *ret_reason gets one English sentence. What the last handshake
 * was refused for is written to `refusal` (cap bytes; must outlive the context), and left alone when nothing was.
 */
int gw_mqtt_tls_new(const struct gw_broker_endpoint *e, char *refusal, size_t refusal_cap,
		    SSL_CTX **ret_ctx, char *ret_reason, size_t reason_cap) GW_MUST_USE;
void gw_mqtt_tls_free(SSL_CTX *ctx);
