/* Passwords: what is good enough, and the hash. Private to the accounts. */
#pragma once

#include <stdint.h>

#include "gw/compiler.h"

#define GW_SALT_BYTES 16
#define GW_HASH_BYTES 32

/*
 * scrypt (RFC 7914) with N=2^14, r=8, p=1: 16 MiB for about 50 ms, so on the pool and one at a time; a router has no room for more.
 */
int gw_password_hash(const char *password, const uint8_t salt[GW_SALT_BYTES],
		     uint8_t ret_hash[GW_HASH_BYTES]) GW_MUST_USE;
