/*
 * Memory. Every allocation of the project goes through these, so that sizes cannot overflow and a test can make the
 * n-th one fail. All return NULL when out of memory; none blocks.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "gw/compiler.h"

void *gw_alloc0(size_t count,
		size_t size) GW_MUST_USE; /* zeroed; NULL also when count × size overflows */
void *gw_realloc(void *p, size_t count, size_t size) GW_MUST_USE; /* p stays valid on failure */
char *gw_strdup(const char *s) GW_MUST_USE;			  /* caller frees with gw_free */
char *gw_strndup(const char *s, size_t len) GW_MUST_USE; /* copies len bytes, adds a zero */
void gw_free(void *p);					 /* accepts NULL */

#define gw_new(type)	      ((type *)gw_alloc0(1, sizeof(type)))
#define gw_array(type, count) ((type *)gw_alloc0((count), sizeof(type)))

static inline void gw_free_auto(void *p)
{
	gw_free(*(void **)p);
}

/*
 * Test hook: the n-th allocation from now (1 = the next) returns NULL, once. 0 switches the hook off.
 * The counter is the one mutable global beside the log level; production code never sets it.
 */
void gw_alloc_fail_at(uint64_t n);
uint64_t gw_alloc_count(void); /* allocations since start */
