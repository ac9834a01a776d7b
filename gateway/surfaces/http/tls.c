#include "surfaces/http/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gw/alloc.h"
#include "gw/buf.h"
#include "gw/log.h"

#define DAY	    (24 * 60 * 60)
#define CA_DAYS	    3650
#define SERVER_DAYS 397 /* what browsers accept */
#define RENEW_DAYS  30
/* A router without a clock starts in 1970: nothing of ours is older than this day (2025-11-25). */
#define EARLIEST   1764028800
#define FILE_BYTES (64 * 1024)

struct pair {
	EVP_PKEY *key;
	X509 *cert;
};

struct gw_tls {
	char *dir, *names;
	struct pair ca, server;
};

static void pair_fini(struct pair *p)
{
	EVP_PKEY_free(p->key);
	X509_free(p->cert);
	*p = (struct pair){0};
}

static void bio_free(BIO **b)
{
	BIO_free_all(*b);
}

static time_t now_or_earliest(void)
{
	time_t now = time(NULL);
	return now < EARLIEST ? EARLIEST : now;
}

/* --- files: temporary file, fsync, rename, fsync of the directory (R38) --- */

static int write_all(int fd, const char *p, size_t len)
{
	while (len) {
		ssize_t n = write(fd, p, len);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return n < 0 ? -errno : -EIO;
		}
		p += n;
		len -= (size_t)n;
	}
	return fsync(fd) ? -errno : 0;
}

static int replace_file(const char *dir, const char *name, mode_t mode, const char *p, size_t len)
{
	char temp[64];
	snprintf(temp, sizeof(temp), "%s.new", name);
	int d = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d < 0) {
		return -errno;
	}
	(void)unlinkat(d, temp, 0); /* of a start that was cut short */
	int fd = openat(d, temp, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, mode);
	int r = fd < 0 ? -errno : write_all(fd, p, len);
	if (fd >= 0 && close(fd) && r == 0) {
		r = -errno;
	}
	if (r == 0 && renameat(d, temp, d, name)) {
		r = -errno;
	}
	if (r == 0 && fsync(d)) {
		r = -errno;
	}
	close(d);
	return r;
}

/* -ENOENT; -EBADMSG when it is not a private regular file of a sensible size. */
static int read_file(const char *dir, const char *name, struct gw_buf *b)
{
	int d = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d < 0) {
		return -errno;
	}
	int fd = openat(d, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	int r = fd < 0 ? -errno : 0;
	close(d);
	if (r) {
		return r == -ELOOP ? -EBADMSG : r;
	}
	struct stat st;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_mode & 077) {
		r = -EBADMSG;
	}
	char chunk[4096];
	ssize_t n;
	while (r == 0 && (n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0) {
			r = -errno;
		} else {
			gw_buf_add(b, chunk, (size_t)n);
			r = gw_buf_error(b) == -E2BIG ? -EBADMSG : gw_buf_error(b);
		}
	}
	explicit_bzero(chunk, sizeof(chunk));
	close(fd);
	return r;
}

static int pair_save(const struct pair *p, const char *dir, const char *name)
{
	GW_AUTO(bio_free) BIO *b = BIO_new(BIO_s_secmem());
	char *text = NULL;
	if (!b || !PEM_write_bio_PrivateKey(b, p->key, NULL, NULL, 0, NULL, NULL) ||
	    !PEM_write_bio_X509(b, p->cert)) {
		return -EIO;
	}
	long len = BIO_get_mem_data(b, &text);
	return replace_file(dir, name, 0600, text, (size_t)len);
}

static int pair_load(struct pair *p, const char *dir, const char *name)
{
	struct gw_buf text = GW_BUF_INIT(FILE_BYTES);
	int r = read_file(dir, name, &text);
	if (r == 0) {
		GW_AUTO(bio_free) BIO *b = BIO_new_mem_buf(text.p, (int)text.len);
		p->key = b ? PEM_read_bio_PrivateKey(b, NULL, NULL, NULL) : NULL;
		p->cert = b ? PEM_read_bio_X509(b, NULL, NULL, NULL) : NULL;
		if (!p->key || !p->cert || X509_check_private_key(p->cert, p->key) != 1) {
			pair_fini(p);
			r = -EBADMSG;
		}
	}
	if (text.p) {
		explicit_bzero(text.p, text.len);
	}
	gw_buf_fini(&text);
	return r;
}

/* --- making certificates --- */

static bool add_extension(X509 *cert, X509V3_CTX *ctx, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
	bool ok = e && X509_add_ext(cert, e, -1);
	X509_EXTENSION_free(e);
	return ok;
}

static bool set_serial(X509 *cert)
{
	unsigned char bytes[16];
	bool ok = false;
	if (RAND_bytes(bytes, sizeof(bytes)) != 1) {
		return false;
	}
	bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40); /* positive, always 16 bytes */
	BIGNUM *n = BN_bin2bn(bytes, sizeof(bytes), NULL);
	if (n) {
		ok = BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert)) != NULL;
	}
	BN_free(n);
	return ok;
}

static bool set_name(X509_NAME *name, const char *common)
{
	return X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)"Hearth",
					  -1, -1, 0) &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common,
					  -1, -1, 0);
}

static bool set_times(X509 *cert, int days)
{
	time_t now = now_or_earliest();
	return ASN1_TIME_set(X509_getm_notBefore(cert), now - DAY) &&
	       ASN1_TIME_set(X509_getm_notAfter(cert), now + (time_t)days * DAY);
}

/* A key and a certificate for it, complete but for its extensions and signature. */
static int pair_begin(struct pair *p, const char *common, int days, const X509 *issuer)
{
	p->key = EVP_EC_gen("P-256");
	p->cert = X509_new();
	if (!p->key || !p->cert || !X509_set_version(p->cert, X509_VERSION_3) ||
	    !set_serial(p->cert) || !set_times(p->cert, days) ||
	    !X509_set_pubkey(p->cert, p->key) ||
	    !set_name(X509_get_subject_name(p->cert), common)) {
		return -EIO;
	}
	const X509_NAME *by = X509_get_subject_name(issuer ? issuer : p->cert);
	return X509_set_issuer_name(p->cert, by) ? 0 : -EIO;
}

static int make_ca(struct pair *ca)
{
	char common[64];
	unsigned char id[4];
	if (RAND_bytes(id, sizeof(id)) != 1) {
		return -EIO;
	}
	snprintf(common, sizeof(common), "Hearth home CA %02x%02x%02x%02x", id[0], id[1], id[2],
		 id[3]);
	int r = pair_begin(ca, common, CA_DAYS, NULL);
	if (r) {
		return r;
	}
	X509V3_CTX ctx;
	X509V3_set_ctx(&ctx, ca->cert, ca->cert, NULL, NULL, 0);
	bool ok = add_extension(ca->cert, &ctx, NID_basic_constraints,
				"critical,CA:TRUE,pathlen:0") &&
		  add_extension(ca->cert, &ctx, NID_key_usage, "critical,keyCertSign,cRLSign") &&
		  add_extension(ca->cert, &ctx, NID_subject_key_identifier, "hash") &&
		  X509_sign(ca->cert, ca->key, EVP_sha256());
	return ok ? 0 : -EIO;
}

static bool is_address(const char *name)
{
	unsigned char bytes[16];
	return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

/* names come from the kernel and the configuration; what could end a field of the extension's syntax is left out. */
static void alternative_names(const char *names, struct gw_buf *b)
{
	struct gw_str rest = gw_str(names), word;
	while (gw_str_split(&rest, ' ', &word)) {
		char name[256];
		if (word.len == 0 || word.len >= sizeof(name) || memchr(word.p, ',', word.len)) {
			continue;
		}
		memcpy(name, word.p, word.len);
		name[word.len] = '\0';
		gw_buf_printf(b, "%s%s:%s", b->len ? "," : "", is_address(name) ? "IP" : "DNS",
			      name);
	}
}

static int make_server(struct gw_tls *t)
{
	struct pair p = {0};
	GW_AUTO(gw_buf_fini) struct gw_buf names = GW_BUF_INIT(FILE_BYTES);
	alternative_names(t->names, &names);
	int r = gw_buf_error(&names);
	r = r ? r : pair_begin(&p, "Hearth", SERVER_DAYS, t->ca.cert);
	if (r == 0) {
		X509V3_CTX ctx;
		X509V3_set_ctx(&ctx, t->ca.cert, p.cert, NULL, NULL, 0);
		bool ok = add_extension(p.cert, &ctx, NID_basic_constraints, "critical,CA:FALSE") &&
			  add_extension(p.cert, &ctx, NID_key_usage, "critical,digitalSignature") &&
			  add_extension(p.cert, &ctx, NID_ext_key_usage, "serverAuth") &&
			  add_extension(p.cert, &ctx, NID_subject_key_identifier, "hash") &&
			  add_extension(p.cert, &ctx, NID_authority_key_identifier, "keyid") &&
			  add_extension(p.cert, &ctx, NID_subject_alt_name, names.p) &&
			  X509_sign(p.cert, t->ca.key, EVP_sha256());
		r = ok ? pair_save(&p, t->dir, "server.pem") : -EIO;
	}
	if (r) {
		pair_fini(&p);
		return r;
	}
	pair_fini(&t->server);
	t->server = p;
	return 0;
}

/* --- using them --- */

static bool covers(X509 *cert, const char *names)
{
	struct gw_str rest = gw_str(names), word;
	while (gw_str_split(&rest, ' ', &word)) {
		char name[256];
		if (word.len == 0 || word.len >= sizeof(name)) {
			continue;
		}
		memcpy(name, word.p, word.len);
		name[word.len] = '\0';
		int found = is_address(name) ? X509_check_ip_asc(cert, name, 0)
					     : X509_check_host(cert, name, 0, 0, NULL);
		if (found != 1) {
			return false;
		}
	}
	return true;
}

static bool server_is_current(const struct gw_tls *t)
{
	time_t now = now_or_earliest(), soon = now + RENEW_DAYS * (time_t)DAY;
	return X509_cmp_time(X509_get0_notBefore(t->server.cert), &now) < 0 &&
	       X509_cmp_time(X509_get0_notAfter(t->server.cert), &soon) > 0;
}

static int publish_ca(const struct gw_tls *t)
{
	GW_AUTO(bio_free) BIO *b = BIO_new(BIO_s_mem());
	char *text = NULL;
	if (!b || !PEM_write_bio_X509(b, t->ca.cert)) {
		return -EIO;
	}
	long len = BIO_get_mem_data(b, &text);
	return replace_file(t->dir, "ca.crt", 0644, text, (size_t)len);
}

static int load_ca(struct gw_tls *t)
{
	int r = pair_load(&t->ca, t->dir, "ca.pem");
	if (r != -ENOENT && r != -EBADMSG) {
		return r;
	}
	if (r == -EBADMSG) {
		gw_log_warning("http", "GW-HTTP-CA",
			       "%s/ca.pem cannot be used; a new local CA takes its place", t->dir);
	}
	r = make_ca(&t->ca);
	r = r ? r : pair_save(&t->ca, t->dir, "ca.pem");
	return r ? r : publish_ca(t);
}

static int load_server(struct gw_tls *t)
{
	int r = pair_load(&t->server, t->dir, "server.pem");
	if (r == 0 && server_is_current(t) && covers(t->server.cert, t->names) &&
	    X509_verify(t->server.cert, X509_get0_pubkey(t->ca.cert)) == 1) {
		return 0;
	}
	if (r && r != -ENOENT && r != -EBADMSG) {
		return r;
	}
	return make_server(t);
}

int gw_tls_new(const char *dir, const char *names, struct gw_tls **ret_tls)
{
	struct gw_tls *t = gw_new(struct gw_tls);
	if (!t) {
		return -ENOMEM;
	}
	t->dir = gw_strdup(dir);
	t->names = gw_strdup(names);
	int r = t->dir && t->names ? load_ca(t) : -ENOMEM;
	r = r ? r : load_server(t);
	if (r) {
		gw_tls_free(t);
		return r;
	}
	*ret_tls = t;
	return 0;
}

void gw_tls_free(struct gw_tls *t)
{
	if (!t) {
		return;
	}
	pair_fini(&t->ca);
	pair_fini(&t->server);
	gw_free(t->dir);
	gw_free(t->names);
	gw_free(t);
}

int gw_tls_configure(struct gw_tls *t, SSL_CTX *ctx)
{
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* tickets need no memory */
	/* Output may have grown and moved when a write is tried again. */
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	bool ok = SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) &&
		  SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") &&
		  SSL_CTX_use_certificate(ctx, t->server.cert) == 1 &&
		  SSL_CTX_use_PrivateKey(ctx, t->server.key) == 1 &&
		  SSL_CTX_clear_chain_certs(ctx) && SSL_CTX_add1_chain_cert(ctx, t->ca.cert);
	return ok ? 0 : -EIO;
}

int gw_tls_renew(struct gw_tls *t, const char *names, bool *ret_renewed)
{
	bool others = strcmp(names, t->names) != 0;
	if (server_is_current(t) && !(others && !covers(t->server.cert, names))) {
		*ret_renewed = false;
		return 0;
	}
	char *copy = gw_strdup(names), *old = t->names;
	if (!copy) {
		return -ENOMEM;
	}
	t->names = copy;
	int r = make_server(t);
	if (r) {
		t->names = old; /* so that the next time tries again */
		gw_free(copy);
		return r;
	}
	gw_free(old);
	*ret_renewed = true;
	return 0;
}
