#include "discovery/identity.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

/* Hex digits of s in pairs, with one separator or none between pairs; exactly `bytes` of them. Lower case. */
static bool hex_pairs(struct gw_str s, size_t bytes, char *ret_hex)
{
	char separator = s.len > 2 && strchr(":-", s.p[2]) ? s.p[2] : '\0';
	size_t step = separator ? 3 : 2;
	if (s.len != bytes * step - (separator ? 1 : 0)) {
		return false;
	}
	for (size_t i = 0; i < bytes * 2; i++) {
		size_t at = i / 2 * step + i % 2;
		char c = s.p[at];
		c = c >= 'A' && c <= 'F' ? (char)(c + 32) : c;
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
			return false;
		}
		if (separator && i % 2 == 1 && at + 1 < s.len && s.p[at + 1] != separator) {
			return false;
		}
		ret_hex[i] = c;
	}
	ret_hex[bytes * 2] = '\0';
	/* All zeros, all ones: what devices say that have not read their address yet. */
	return strspn(ret_hex, "0") != bytes * 2 && strspn(ret_hex, "f") != bytes * 2;
}

static bool mac_of(struct gw_str s, char *ret_identity)
{
	char hex[13];
	if (!hex_pairs(s, 6, hex)) {
		return false;
	}
	(void)snprintf(ret_identity, GW_IDENTITY_BYTES, "mac:%s", hex);
	return true;
}

static bool ieee_of(struct gw_str s, char *ret_identity)
{
	char hex[17];
	if (gw_str_starts(s, "0x")) {
		s = gw_str_sub(s, 2, s.len);
	}
	if (!hex_pairs(s, 8, hex)) {
		return false;
	}
	(void)snprintf(ret_identity, GW_IDENTITY_BYTES, "ieee:0x%s", hex);
	return true;
}

/* xiaomi's number of a device, all vendors' together */
static bool did_of(struct gw_str s, char *ret_identity)
{
	uint64_t n;
	if (gw_parse_u64(s, &n) < 0 || n == 0) {
		return false;
	}
	(void)snprintf(ret_identity, GW_IDENTITY_BYTES, "did:%llu", (unsigned long long)n);
	return true;
}

/* RFC 4122 §3 */
static bool uuid_of(struct gw_str s, char *ret_identity)
{
	static const size_t groups[] = {8, 4, 4, 4, 12};
	char text[37];
	size_t at = 0;
	if (s.len != 36) {
		return false;
	}
	for (size_t g = 0; g < gw_countof(groups); g++) {
		for (size_t i = 0; i < groups[g]; i++, at++) {
			char c = s.p[at];
			c = c >= 'A' && c <= 'F' ? (char)(c + 32) : c;
			if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
				return false;
			}
			text[at] = c;
		}
		if (at < s.len && s.p[at] != '-') {
			return false;
		}
		text[at] = at < s.len ? '-' : '\0';
		at++;
	}
	(void)snprintf(ret_identity, GW_IDENTITY_BYTES, "uuid:%s", text);
	return strspn(text, "0-") != 36;
}

/* Names of variables that hold hardware identities, the best first. */
static const struct {
	const char *name;
	bool (*read)(struct gw_str s, char *ret_identity);
} names[] = {
	{"mac", mac_of},      {"mac_address", mac_of},	 {"macaddr", mac_of},
	{"wifi_mac", mac_of}, {"ethernet_mac", mac_of},	 {"ble_mac", mac_of},
	{"ieee", ieee_of},    {"ieee_address", ieee_of}, {"eui64", ieee_of},
	{"did", did_of},      {"uuid", uuid_of},	 {"udn", uuid_of},
};

/* The variable with `identity`, else the first declared (profile-language §4). */
static const char *identity_variable(const struct gw_profile *p, const struct gw_vars *vars)
{
	size_t n = gw_profile_var_count(p);
	for (size_t i = 0; i < n; i++) {
		if (gw_profile_var(p, i)->identity) {
			return gw_vars_get(vars, gw_profile_var(p, i)->name);
		}
	}
	return n > 0 ? gw_vars_get(vars, gw_profile_var(p, 0)->name) : NULL;
}

bool gw_identity_of(const struct gw_profile *p, const struct gw_vars *vars, const char *adapter,
		    struct gw_str channel, char ret_identity[GW_IDENTITY_BYTES])
{
	for (size_t i = 0; i < gw_countof(names); i++) {
		const char *value = gw_vars_get(vars, names[i].name);
		if (value && names[i].read(gw_str(value), ret_identity)) {
			return false;
		}
	}
	const char *value = identity_variable(p, vars);
	/* Twelve decimal digits are as likely a serial number. */
	if (value && strspn(value, "0123456789") != strlen(value) &&
	    mac_of(gw_str(value), ret_identity)) {
		return false;
	}
	char text[3 * GW_VAR_BYTES];
	if (value) {
		(void)snprintf(text, sizeof(text), "%s:%s:%s", adapter, gw_profile_id(p), value);
	} else {
		(void)snprintf(text, sizeof(text), "%s:%.*s", adapter,
			       GW_STR_ARG(gw_str_sub(channel, 0, GW_TOPIC_BYTES)));
	}
	(void)gw_str_clean(gw_str(text), GW_IDENTITY_BYTES - 1, ret_identity, GW_IDENTITY_BYTES);
	return true;
}

bool gw_identity_is_strong(const char *identity)
{
	static const char *const kinds[] = {"mac:", "ieee:", "did:", "uuid:"};
	for (size_t i = 0; i < gw_countof(kinds); i++) {
		if (gw_str_starts(gw_str(identity), kinds[i])) {
			return true;
		}
	}
	return false;
}

void gw_identity_id(const char *identity, char ret_id[17])
{
	uint8_t hash[SHA256_DIGEST_LENGTH] = {0};
	/* Fails only without memory; the same id for two is refused where ids are looked up. */
	(void)EVP_Digest(identity, strlen(identity), hash, /* size= */ NULL, EVP_sha256(),
			 /* impl= */ NULL);
	(void)snprintf(ret_id, 17, "%02x%02x%02x%02x%02x%02x%02x%02x", hash[0], hash[1], hash[2],
		       hash[3], hash[4], hash[5], hash[6], hash[7]);
}
