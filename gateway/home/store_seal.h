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

struct gw_seal;

/* Reads <dir>/store.key or, with make, makes it. -ENOENT: there is none. -EBADMSG: not 32 bytes in a regular file. */
int gw_seal_open(const char *dir, bool make, struct gw_seal **ret_seal) GW_MUST_USE;
void gw_seal_close(struct gw_seal *s); /* accepts NULL; wipes the key */
/* Appends nonce, ciphertext and tag to b. name binds the sealed bytes to their row. */
int gw_seal_vars(struct gw_seal *s, const char *name, const struct gw_vars *vars,
		 struct gw_buf *b) GW_MUST_USE;
/* -EBADMSG: another key, another name, or changed. Adds to ret_vars. */
int gw_unseal_vars(struct gw_seal *s, const char *name, struct gw_str sealed,
		   struct gw_vars *ret_vars) GW_MUST_USE;
