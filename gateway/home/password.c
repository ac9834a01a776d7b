#include "home/password.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "gw/access.h"
#include "gw/limits.h"
#include "gw/str.h"

#define SCRYPT_N   (1 << 14)
#define SCRYPT_R   8
#define SCRYPT_P   1
#define SCRYPT_MEM (20 * 1024 * 1024)

/* The head of the lists of leaked passwords, as far as they have eight characters and are no mere sequence. Sorted. */
static const char *const common[] = {
	"11223344",	"112233445566", "12341234",   "123123123",   "123321123",     "12344321",
	"123456abc",	"1234qwer",	"123qweasd",  "147258369",   "159357456",     "1q2w3e4r",
	"1q2w3e4r5t",	"1qaz2wsx",	"31415926",   "5201314520",  "88888888a",     "a1234567",
	"a12345678",	"a123456789",	"aa123456",   "aa123456789", "abc12345",      "abc123456",
	"abcd1234",	"admin123",	"admin1234",  "admin888",    "administrator", "asd123456",
	"asdf1234",	"baseball",	"changeme",   "computer",    "football",      "hearth123",
	"hearthhearth", "iloveyou",	"iloveyou1",  "letmein1",    "letmein123",    "master123",
	"michelle",	"p@ssw0rd",	"passw0rd",   "password",    "password1",     "password12",
	"password123",	"princess",	"q1w2e3r4",   "qazwsxedc",   "qq123456",      "qwer1234",
	"qwerty12",	"qwerty123",	"starwars",   "sunshine",    "superman",      "trustno1",
	"welcome1",	"welcome123",	"woaini1314", "woaini520",   "woaini521",     "z1234567",
	"zaq12wsx",
};

static const char *const rows[] = {"01234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop",
				   "asdfghjkl", "zxcvbnm"};

static size_t count_characters(const char *s)
{
	size_t n = 0;
	for (; *s; s++) {
		n += ((unsigned char)*s & 0xc0) != 0x80;
	}
	return n;
}

static bool is_one_key(const char *s)
{
	return strspn(s, (const char[]){s[0], '\0'}) == strlen(s);
}

/* "12345678", "hgfedcba": a piece of a row, in either direction. */
static bool is_row(const char *s)
{
	size_t n = strlen(s);
	for (size_t i = 0; i < gw_countof(rows); i++) {
		const char *row = rows[i];
		size_t len = strlen(row);
		for (size_t at = 0; n <= len && at + n <= len; at++) {
			bool forwards = true, backwards = true;
			for (size_t k = 0; k < n; k++) {
				char c = s[k] >= 'A' && s[k] <= 'Z' ? (char)(s[k] + 32) : s[k];
				forwards = forwards && c == row[at + k];
				backwards = backwards && c == row[at + n - 1 - k];
			}
			if (forwards || backwards) {
				return true;
			}
		}
	}
	return false;
}

const char *gw_password_fault(const char *password, const char *account)
{
	const char *fault = NULL;
	size_t n = count_characters(password);
	bool weak = is_one_key(password) || is_row(password);
	for (size_t i = 0; i < gw_countof(common) && !weak; i++) {
		weak = strcasecmp(password, common[i]) == 0;
	}
	if (!gw_str_is_utf8(gw_str(password))) {
		fault = "the password is not valid UTF-8";
	} else if (n < GW_PASSWORD_MIN) {
		fault = "the password needs at least 8 characters";
	} else if (n > GW_PASSWORD_MAX) {
		fault = "the password may have at most 128 characters";
	} else if (strcasecmp(password, account) == 0) {
		fault = "the password may not be the name of the account";
	} else if (weak) {
		fault = "the password is one of the first that an attacker tries";
	}
	return fault;
}

int gw_password_hash(const char *password, const uint8_t salt[GW_SALT_BYTES],
		     uint8_t ret_hash[GW_HASH_BYTES])
{
	uint64_t n = SCRYPT_N, mem = SCRYPT_MEM;
	uint32_t r = SCRYPT_R, p = SCRYPT_P;
	uint8_t copy[GW_SALT_BYTES];
	memcpy(copy, salt, sizeof(copy));
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD,
						  (void *)(uintptr_t)password, strlen(password)),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, copy, sizeof(copy)),
		OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
		OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
		OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
		OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &mem),
		OSSL_PARAM_construct_end(),
	};
	uint8_t hash[GW_HASH_BYTES];
	EVP_KDF *kdf = EVP_KDF_fetch(/* libctx= */ NULL, "SCRYPT", /* properties= */ NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	bool ok = ctx && EVP_KDF_derive(ctx, hash, sizeof(hash), params) == 1;
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	if (ok) {
		memcpy(ret_hash, hash, sizeof(hash));
	}
	OPENSSL_cleanse(hash, sizeof(hash));
	return ok ? 0 : -ENOMEM; /* with these parameters the only reason */
}
