#include "home/store_seal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gw/alloc.h"
#include "gw/limits.h"
#include "home/store_schema.h"

#define KEY_BYTES   32
#define NONCE_BYTES 12
#define TAG_BYTES   16
/* 64 variables of a name and a value of 256 bytes. */
#define PLAIN_BYTES (64 * 2 * 257)

struct gw_seal {
	EVP_CIPHER *cipher; /* looked up once: it costs more than the ciphering */
	EVP_CIPHER_CTX *ctx;
	uint8_t key[KEY_BYTES];
};

static int read_key(const char *path, uint8_t ret_key[KEY_BYTES])
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		return errno == ELOOP ? -EBADMSG : -errno;
	}
	int r = fstat(fd, &st) < 0 ? -errno : 0;
	if (r == 0 && (!S_ISREG(st.st_mode) || st.st_size != KEY_BYTES)) {
		r = -EBADMSG;
	}
	if (r == 0 && read(fd, ret_key, KEY_BYTES) != KEY_BYTES) {
		r = -EIO;
	}
	close(fd);
	return r;
}

static int make_key(const char *path, uint8_t key[KEY_BYTES])
{
	char temp[PATH_MAX];
	if (snprintf(temp, sizeof(temp), "%s.new", path) >= (int)sizeof(temp)) {
		return -ENAMETOOLONG;
	}
	if (getrandom(key, KEY_BYTES, 0) != KEY_BYTES) {
		return -EIO; /* no entropy, no key (R21) */
	}
	int r = gw_store_file_make(temp);
	if (r < 0) {
		return r;
	}
	int fd = open(temp, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	if (write(fd, key, KEY_BYTES) != KEY_BYTES) {
		r = -ENOSPC;
	}
	if (close(fd) < 0 && r == 0) {
		r = -errno;
	}
	if (r == 0) {
		r = gw_store_file_commit(temp, path);
	}
	if (r < 0) {
		(void)unlink(temp); /* half a key is of no use */
	}
	return r;
}

static int load_key(struct gw_seal *s, const char *dir, bool make)
{
	char path[PATH_MAX];
	if (snprintf(path, sizeof(path), "%s/store.key", dir) >= (int)sizeof(path)) {
		return -ENAMETOOLONG;
	}
	int r = read_key(path, s->key);
	return make && (r == -ENOENT || r == -EBADMSG) ? make_key(path, s->key) : r;
}

void gw_seal_close(struct gw_seal *s)
{
	if (s) {
		EVP_CIPHER_CTX_free(s->ctx);
		EVP_CIPHER_free(s->cipher);
		OPENSSL_cleanse(s->key, sizeof(s->key));
		gw_free(s);
	}
}

int gw_seal_open(const char *dir, bool make, struct gw_seal **ret_seal)
{
	struct gw_seal *s = gw_new(struct gw_seal);
	if (!s) {
		return -ENOMEM;
	}
	s->ctx = EVP_CIPHER_CTX_new();
	s->cipher = EVP_CIPHER_fetch(/* libctx= */ NULL, "AES-256-GCM", /* properties= */ NULL);
	int r = s->ctx && s->cipher ? load_key(s, dir, make) : -ENOMEM;
	if (r < 0) {
		gw_seal_close(s);
		return r;
	}
	*ret_seal = s;
	return 0;
}

/* encrypt: out gets the ciphertext, tag is written. Else tag is checked and out gets the plaintext. */
static int gcm(struct gw_seal *s, const uint8_t *nonce, const char *name, bool encrypt,
	       struct gw_str in, uint8_t *out, uint8_t *tag)
{
	int n = 0;
	bool ok = EVP_CipherInit_ex2(s->ctx, s->cipher, s->key, nonce, encrypt ? 1 : 0,
				     /* params= */ NULL) == 1 &&
		  EVP_CipherUpdate(s->ctx, /* out= */ NULL, &n, (const uint8_t *)name,
				   (int)strlen(name)) == 1;
	if (ok && !encrypt) {
		ok = EVP_CIPHER_CTX_ctrl(s->ctx, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) == 1;
	}
	ok = ok && EVP_CipherUpdate(s->ctx, out, &n, (const uint8_t *)in.p, (int)in.len) == 1 &&
	     EVP_CipherFinal_ex(s->ctx, out + n, &n) == 1;
	if (ok && encrypt) {
		ok = EVP_CIPHER_CTX_ctrl(s->ctx, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, tag) == 1;
	}
	return ok ? 0 : -EBADMSG;
}

/* name, zero, value, zero, … ; unbound ones are left out. In one place, so that it can be wiped. */
static int plain_of(const struct gw_vars *vars, char plain[PLAIN_BYTES], size_t *ret_len)
{
	size_t len = 0;
	for (size_t i = 0; vars && i < vars->count; i++) {
		const char *text[] = {vars->entry[i].name, vars->entry[i].value};
		for (size_t k = 0; text[1] && k < gw_countof(text); k++) {
			size_t n = strlen(text[k]) + 1;
			if (n > PLAIN_BYTES - len) {
				return -E2BIG;
			}
			memcpy(plain + len, text[k], n);
			len += n;
		}
	}
	*ret_len = len;
	return 0;
}

int gw_seal_vars(struct gw_seal *s, const char *name, const struct gw_vars *vars, struct gw_buf *b)
{
	uint8_t nonce[NONCE_BYTES], tag[TAG_BYTES], cipher[PLAIN_BYTES];
	char plain[PLAIN_BYTES];
	size_t len = 0;
	int r = plain_of(vars, plain, &len);
	if (r == 0 && getrandom(nonce, sizeof(nonce), 0) != sizeof(nonce)) {
		r = -EIO; /* no entropy, no ciphertext (R21) */
	}
	if (r == 0 && gcm(s, nonce, name, /* encrypt= */ true, (struct gw_str){plain, len}, cipher,
			  tag) < 0) {
		r = -EIO;
	}
	OPENSSL_cleanse(plain, sizeof(plain));
	if (r < 0) {
		return r;
	}
	gw_buf_add(b, nonce, sizeof(nonce));
	gw_buf_add(b, cipher, len);
	gw_buf_add(b, tag, sizeof(tag));
	return gw_buf_error(b);
}

static int vars_of(struct gw_str plain, struct gw_vars *ret_vars)
{
	while (plain.len > 0) {
		struct gw_str name, value;
		if (!gw_str_split(&plain, '\0', &name) || !gw_str_split(&plain, '\0', &value)) {
			return -EBADMSG;
		}
		int r = gw_vars_set(ret_vars, name, value);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

int gw_unseal_vars(struct gw_seal *s, const char *name, struct gw_str sealed,
		   struct gw_vars *ret_vars)
{
	uint8_t nonce[NONCE_BYTES], tag[TAG_BYTES], plain[PLAIN_BYTES];
	if (sealed.len < NONCE_BYTES + TAG_BYTES ||
	    sealed.len - NONCE_BYTES - TAG_BYTES > PLAIN_BYTES) {
		return -EBADMSG;
	}
	struct gw_str cipher =
		gw_str_sub(sealed, NONCE_BYTES, sealed.len - NONCE_BYTES - TAG_BYTES);
	memcpy(nonce, sealed.p, NONCE_BYTES);
	memcpy(tag, cipher.p + cipher.len, TAG_BYTES);
	int r = gcm(s, nonce, name, /* encrypt= */ false, cipher, plain, tag);
	if (r == 0) {
		r = vars_of((struct gw_str){(const char *)plain, cipher.len}, ret_vars);
	}
	OPENSSL_cleanse(plain, cipher.len);
	return r;
}
