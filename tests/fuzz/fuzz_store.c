/* home.db is untrusted at start: whatever the file holds, the store opens (or says why not) and every row can be read. */
#include "store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool made;
	if (!made) {
		store_make_dir();
		made = true;
	}
	store_put_file("home.db", data, size);
	store_read_all();
	return 0;
}
