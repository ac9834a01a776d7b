#include "gw/alloc.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The test hook of gw/alloc.h. Worker threads allocate too, hence atomic; size_t, because that is lock-free everywhere. */
static atomic_size_t count;
static atomic_size_t fail_at;

static bool permitted(void)
{
	atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
	if (gw_likely(atomic_load_explicit(&fail_at, memory_order_relaxed) == 0)) {
		return true;
	}
	return atomic_fetch_sub_explicit(&fail_at, 1, memory_order_relaxed) != 1;
}

void *gw_alloc0(size_t n, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(n, size, &bytes) || !permitted()) {
		return NULL;
	}
	return calloc(1, bytes ? bytes : 1);
}

void *gw_realloc(void *p, size_t n, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(n, size, &bytes) || !permitted()) {
		return NULL;
	}
	return realloc(p, bytes ? bytes : 1);
}

char *gw_strndup(const char *s, size_t len)
{
	size_t bytes;
	if (__builtin_add_overflow(len, 1, &bytes) || !permitted()) {
		return NULL;
	}
	char *copy = malloc(bytes);
	if (copy) {
		if (len > 0) {
			memcpy(copy, s, len);
		}
		copy[len] = '\0';
	}
	return copy;
}

char *gw_strdup(const char *s)
{
	return gw_strndup(s, strlen(s));
}

void gw_free(void *p)
{
	free(p);
}

void gw_alloc_fail_at(uint64_t n)
{
	atomic_store(&fail_at, (size_t)n);
}

uint64_t gw_alloc_count(void)
{
	return atomic_load(&count);
}
