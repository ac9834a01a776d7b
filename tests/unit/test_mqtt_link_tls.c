/* The MQTT link over TLS: which certificates it takes, a handshake that breaks, the name that it asks for. */
#include "gw_test.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "link/mqtt_tls.h"
#include "mqtt_client.h"
#include "mqtt_peer.h"

static EVP_PKEY *make_key(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	assert_non_null(key);
	return key;
}

static X509 *make_cert(EVP_PKEY *key, const char *name, const char *alt, X509 *issuer,
		       EVP_PKEY *signer)
{
	X509 *x = X509_new();
	assert_int_equal(X509_set_version(x, 2), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x), issuer ? 2 : 1), 1);
	(void)X509_gmtime_adj(X509_getm_notBefore(x), -60);
	(void)X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_NAME *n = X509_get_subject_name(x);
	assert_int_equal(X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC,
						    (const unsigned char *)name, -1, -1, 0),
			 1);
	assert_int_equal(X509_set_issuer_name(x, issuer ? X509_get_subject_name(issuer) : n), 1);
	assert_int_equal(X509_set_pubkey(x, key), 1);
	X509_EXTENSION *e =
		alt ? X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alt)
		    : X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
	assert_int_equal(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
	assert_true(X509_sign(x, signer, EVP_sha256()) > 0);
	return x;
}

static void write_pem(const char *dir, const char *name, X509 *x, EVP_PKEY *key)
{
	char path[128];
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(x ? PEM_write_X509(file, x)
			   : PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL),
			 1);
	assert_int_equal(fclose(file), 0);
}

/* A CA, a certificate for broker.test and 127.0.0.1, and a CA that signed nothing. */
static void make_pki(const char *dir)
{
	EVP_PKEY *ca_key = make_key(), *key = make_key(), *other_key = make_key();
	X509 *ca = make_cert(ca_key, "Test CA", NULL, NULL, ca_key);
	X509 *cert = make_cert(key, "broker", "DNS:broker.test,IP:127.0.0.1", ca, ca_key);
	X509 *other = make_cert(other_key, "Other CA", NULL, NULL, other_key);
	write_pem(dir, "ca.pem", ca, NULL);
	write_pem(dir, "cert.pem", cert, NULL);
	write_pem(dir, "key.pem", NULL, key);
	write_pem(dir, "other.pem", other, NULL);
	X509_free(ca);
	X509_free(cert);
	X509_free(other);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
}

static void test_tls(void **state)
{
	static const struct {
		const char *host, *ca;
		bool insecure, up;
		const char *reason;
	} cases[] = {
		{"broker.test", "ca.pem", false, true, NULL},
		{"127.0.0.1", "ca.pem", false, true, NULL}, /* an address in the certificate */
		{"other.test", "ca.pem", false, false, "hostname mismatch"},
		{"other.test", "ca.pem", true, true, NULL},
		{"broker.test", "other.pem", false, false, "certificate is refused"},
		{"broker.test", "other.pem", true, false, "certificate is refused"},
		{"broker.test", NULL, false, false,
		 "certificate is refused"}, /* the system's CAs */
		{"broker.test", "absent.pem", false, false, "cannot use the CA certificates from"},
	};
	struct fixture *f = *state;
	char lines[512], ca[128];
	make_pki(f->broker.dir);
	(void)snprintf(lines, sizeof(lines), ANONYMOUS "certfile %s/cert.pem\nkeyfile %s/key.pem\n",
		       f->broker.dir, f->broker.dir);
	mosquitto_start(&f->broker, lines);
	for (size_t i = 0; i < gw_countof(cases); i++) {
		struct client c;
		client_init(&c, f->loop, cases[i].host, f->broker.port);
		(void)snprintf(ca, sizeof(ca), "%s/%s", f->broker.dir,
			       cases[i].ca ? cases[i].ca : "");
		c.endpoint.tls = true;
		c.endpoint.ca_file = cases[i].ca ? ca : NULL;
		c.endpoint.tls_insecure = cases[i].insecure;
		client_start(&c);
		if (!cases[i].up) {
			assert_true(loop_until(f->loop, was_down, &c));
			assert_non_null(strstr(c.reason, cases[i].reason));
			drop(&c);
			continue;
		}
		assert_true(loop_until(f->loop, is_up, &c));
		/* A message larger than a TLS record, and several in one. */
		static char body[100000];
		memset(body, 'b', sizeof(body));
		subscribe(&c, "t");
		settle_subscriptions(&c);
		c.expected = 4;
		for (int k = 0; k < 4; k++) {
			size_t len = k == 1 ? sizeof(body) : 10;
			assert_int_equal(gw_mqtt_link_publish(c.link, GW_STR("t"),
							      (struct gw_str){body, len}, 0, false,
							      NULL),
					 0);
		}
		assert_true(loop_until(f->loop, has_messages, &c));
		drop(&c);
	}
}

/* A broker that is there on TCP and closes within the handshake: not a connection that needs more time. */
static void test_tls_closed(void **state)
{
	struct fixture *f = *state;
	struct peer p;
	struct client c;
	peer_init(&p);
	make_pki(f->broker.dir);
	char ca[128];
	(void)snprintf(ca, sizeof(ca), "%s/ca.pem", f->broker.dir);
	for (int reset = 0; reset < 2; reset++) {
		client_init(&c, f->loop, "127.0.0.1", p.port);
		c.endpoint.tls = true;
		c.endpoint.ca_file = ca;
		client_start(&c);
		p.expected = 5;
		assert_true(loop_until(f->loop, peer_has, &p));
		assert_int_equal(p.in[0], 0x16); /* ClientHello */
		if (reset) {
			const struct linger hard = {1, 0};
			assert_int_equal(
				setsockopt(p.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)), 0);
		}
		peer_close(&p);
		assert_true(loop_until(f->loop, was_down, &c));
		drop(&c);
	}
	peer_fini(&p);
}

/* libmosquitto sets what it connects to as SNI; the context must put the name there, and nothing for an address. */
static void test_tls_sni(void **state)
{
	(void)state;
	static const struct {
		const char *host;
		bool sni;
	} cases[] = {{"broker.example", true}, {"192.0.2.7", false}};
	for (size_t i = 0; i < gw_countof(cases); i++) {
		const struct gw_broker_endpoint e = {.host = cases[i].host, .tls = true};
		char refusal[64], reason[160];
		SSL_CTX *ctx = NULL;
		assert_int_equal(
			gw_mqtt_tls_new(&e, refusal, sizeof(refusal), &ctx, reason, sizeof(reason)),
			0);
		SSL *ssl = SSL_new(ctx);
		BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
		SSL_set_bio(ssl, in, out);
		assert_int_equal(SSL_set_tlsext_host_name(ssl, "198.51.100.1"), 1);
		assert_int_equal(SSL_connect(ssl), -1);
		char *hello;
		long n = BIO_get_mem_data(out, &hello);
		assert_true(n > 0);
		assert_int_equal(memmem(hello, (size_t)n, cases[i].host, strlen(cases[i].host)) !=
					 NULL,
				 cases[i].sni);
		assert_null(memmem(hello, (size_t)n, "198.51.100.1", 12));
		SSL_free(ssl);
		gw_mqtt_tls_free(ctx);
	}
}

int main(void)
{
	if (!mosquitto_is_there()) {
		return MOSQUITTO_SKIP;
	}
	const struct CMUnitTest tests[] = {
		WITHOUT_BROKER(test_tls),
		WITHOUT_BROKER(test_tls_closed),
		cmocka_unit_test(test_tls_sni),
	};
	return cmocka_run_group_tests(tests, set_up_edges, NULL);
}
