#include "base/hash.h"

#include <sys/random.h>

#include "gw/clock.h"

struct gw_hash_key gw_hash_key_new(void)
{
	struct gw_hash_key k;
	/* Early in the boot there may be no entropy yet. A table may not wait for it: it needs a guess-resistant, not a secret key. */
	if (getrandom(&k, sizeof(k), GRND_NONBLOCK) != (ssize_t)sizeof(k)) {
		k.a = (uint64_t)gw_clock_us() * UINT64_C(0xa0761d6478bd642f) ^ (uintptr_t)&k;
		k.b = (uint64_t)gw_wall_ms() * UINT64_C(0xe7037ed1a0b428db) ^ k.a >> 29;
	}
	return k;
}
