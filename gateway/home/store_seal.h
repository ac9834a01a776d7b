/*
 * Variables of devices hold tokens and local keys, so they are sealed (AES-256-GCM) with a key that lies in a file beside the store:
 * a copy of home.db alone, or of its snapshot, tells nothing. Private to the store.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gw/buf.h"
#include "gw/compiler.h"
#include "gw/profile.h"
#include "gw/str.h"

#define GW_SEAL_KEY_BYTES 32

/* Reads <dir>/store.key or, with make, makes it. -ENOENT: there is none. -EBADMSG: not 32 bytes in a regular file. */
int gw_seal_key(const char *dir, bool make, uint8_t ret_key[GW_SEAL_KEY_BYTES]) GW_MUST_USE;
/* Appends nonce, ciphertext and tag to b. name binds the sealed bytes to their row. */
int gw_seal_vars(const uint8_t key[GW_SEAL_KEY_BYTES], const char *name, const struct gw_vars *vars,
		 struct gw_buf *b) GW_MUST_USE;
/* -EBADMSG: another key, another name, or changed. Adds to ret_vars. */
int gw_unseal_vars(const uint8_t key[GW_SEAL_KEY_BYTES], const char *name, struct gw_str sealed,
		   struct gw_vars *ret_vars) GW_MUST_USE;
