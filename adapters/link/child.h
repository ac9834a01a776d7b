/*
 * A helper program that ends with us, however we end (PR_SET_PDEATHSIG). uv_spawn() has no place for the one system call that
 * this needs between fork and exec, setpriv --pdeathsig is missing on OpenWrt, and executing ourselves first would tie every
 * program that links this room to a hidden option; so fork and exec are here, in 20 lines of async-signal-safe calls.
 * No shell is involved, and no descriptor beyond the three standard ones is passed on.
 */
#pragma once

#include "gw/compiler.h"
#include "gw/loop.h"
#include "gw/str.h"

struct gw_child;

struct gw_child_ops {
	void (*line)(void *ctx,
		     struct gw_str line);	   /* of its standard output and error; borrowed */
	void (*ended)(void *ctx, int wait_status); /* last call; the child may be freed in it */
};

/* program is a path. argv ends with NULL and is borrowed during the call. */
int gw_child_start(struct gw_loop *l, const char *program, char *const argv[],
		   const struct gw_child_ops *ops, void *ctx,
		   struct gw_child **ret_child) GW_MUST_USE;
int gw_child_pid(const struct gw_child *c);
void gw_child_signal(const struct gw_child *c, int signal);
/* Accepts NULL. One that still runs is killed and waited for, which takes a moment of the kernel's, not of the program's. */
void gw_child_free(struct gw_child *c);
