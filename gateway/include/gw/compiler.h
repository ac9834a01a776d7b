/* Compiler extensions, in one place. */
#pragma once

#define GW_MUST_USE		      __attribute__((warn_unused_result))
#define GW_PRINTF(f, a)		      __attribute__((format(printf, f, a)))
#define GW_MALLOC		      __attribute__((malloc))
#define gw_likely(x)		      __builtin_expect(!!(x), 1)
#define gw_unlikely(x)		      __builtin_expect(!!(x), 0)
#define gw_countof(a)		      (sizeof(a) / sizeof((a)[0]))
#define gw_container(p, type, member) ((type *)(void *)((char *)(p)-offsetof(type, member)))

/* GW_AUTO(gw_buf_fini) struct gw_buf b = …: the function gets the address of the local at every exit of its scope. */
#define GW_AUTO(fn) __attribute__((cleanup(fn)))

/* For a GW_MUST_USE result that does not matter here; say why beside it. (A cast to void does not silence gcc.) */
#define gw_ignore(expr)                                                                            \
	do {                                                                                       \
		__typeof__(expr) gw_ignored = (expr);                                              \
		(void)gw_ignored;                                                                  \
	} while (0)

/* Moves a pointer out of a GW_AUTO local: the local becomes NULL, the value is the caller's. */
#define gw_steal(p)                                                                                \
	({                                                                                         \
		__typeof__(p) gw_stolen = (p);                                                     \
		(p) = NULL;                                                                        \
		gw_stolen;                                                                         \
	})

/* GW_DEFINE_AUTO(struct x, gw_x_free) makes gw_x_free_auto, for GW_AUTO on a pointer local. */
#define GW_DEFINE_AUTO(type, fn)                                                                   \
	static inline void fn##_auto(type **p)                                                     \
	{                                                                                          \
		fn(*p);                                                                            \
	}
