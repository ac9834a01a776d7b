#include "link/mqtt_tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "gw/alloc.h"

struct tls {
	char *name;   /* owned */
	bool literal; /* an address: no SNI (RFC 6066 §3) */
	char *refusal;
	size_t refusal_cap;
};

static bool is_literal(const char *host)
{
	struct in6_addr any;
	return inet_pton(AF_INET, host, &any) == 1 || inet_pton(AF_INET6, host, &any) == 1;
}

/* libmosquitto has set the address as SNI; this runs before the ClientHello is written. */
static void set_sni(const SSL *ssl, int where, int ret)
{
	(void)ret;
	if (!(where & SSL_CB_HANDSHAKE_START)) {
		return;
	}
	const struct tls *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	/* The callback's const is OpenSSL's habit, the object is ours. Without SNI most brokers still answer. */
	(void)SSL_set_tlsext_host_name((SSL *)(uintptr_t)ssl, t->literal ? NULL : t->name);
}

static int note_refusal(int ok, X509_STORE_CTX *store)
{
	if (!ok) {
		const SSL *ssl =
			X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
		const struct tls *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
		(void)snprintf(t->refusal, t->refusal_cap,
			       "the broker's certificate is refused: %s",
			       X509_verify_cert_error_string(X509_STORE_CTX_get_error(store)));
	}
	return ok;
}

static int check_name(SSL_CTX *ctx, const struct tls *t)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	int ok = t->literal ? X509_VERIFY_PARAM_set1_ip_asc(param, t->name)
			    : X509_VERIFY_PARAM_set1_host(param, t->name, /* namelen= */ 0);
	return ok == 1 ? 0 : -ENOMEM;
}

static int load_files(SSL_CTX *ctx, const struct gw_broker_endpoint *e, char *ret_reason,
		      size_t reason_cap)
{
	const char *what = NULL, *file = NULL;
	if (e->ca_file && SSL_CTX_load_verify_file(ctx, e->ca_file) != 1) {
		what = "CA certificates";
		file = e->ca_file;
	} else if (!e->ca_file && SSL_CTX_set_default_verify_paths(ctx) != 1) {
		what = "CA certificates";
		file = "the system's store";
	} else if (e->cert_file && SSL_CTX_use_certificate_chain_file(ctx, e->cert_file) != 1) {
		what = "client certificate";
		file = e->cert_file;
	} else if (e->key_file &&
		   (SSL_CTX_use_PrivateKey_file(ctx, e->key_file, SSL_FILETYPE_PEM) != 1 ||
		    SSL_CTX_check_private_key(ctx) != 1)) {
		what = "key of the client certificate";
		file = e->key_file;
	}
	if (!what) {
		return 0;
	}
	const char *why = ERR_reason_error_string(ERR_peek_last_error());
	(void)snprintf(ret_reason, reason_cap, "cannot use the %s from %s: %s", what, file,
		       why ? why : "not readable");
	ERR_clear_error();
	return -EINVAL;
}

int gw_mqtt_tls_new(const struct gw_broker_endpoint *e, char *refusal, size_t refusal_cap,
		    SSL_CTX **ret_ctx, char *ret_reason, size_t reason_cap)
{
	(void)snprintf(ret_reason, reason_cap, "out of memory");
	struct tls *t = gw_new(struct tls);
	SSL_CTX *ctx = t ? SSL_CTX_new(TLS_client_method()) : NULL;
	if (!ctx) {
		gw_free(t);
		return -ENOMEM;
	}
	*t = (struct tls){gw_strdup(e->host), is_literal(e->host), refusal, refusal_cap};
	SSL_CTX_set_app_data(ctx, t);
	SSL_CTX_set_info_callback(ctx, set_sni);
	/* Packets are freed and queued anew by libmosquitto, so a retried write may come from another address. */
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, note_refusal);
	int r = t->name && SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 ? 0 : -ENOMEM;
	if (r == 0 && !e->tls_insecure) {
		r = check_name(ctx, t);
	}
	if (r == 0) {
		r = load_files(ctx, e, ret_reason, reason_cap);
	}
	if (r < 0) {
		gw_mqtt_tls_free(ctx);
		return r;
	}
	*ret_ctx = ctx;
	return 0;
}

void gw_mqtt_tls_free(SSL_CTX *ctx)
{
	if (!ctx) {
		return;
	}
	struct tls *t = SSL_CTX_get_app_data(ctx);
	gw_free(t->name);
	gw_free(t);
	SSL_CTX_free(ctx);
}
