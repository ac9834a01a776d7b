/* Announcements come from anybody: the first line is the topic, the rest the payload; the shipped profiles and all importers listen. */
#include <stdlib.h>

#include "discovery/discovery.h"
#include "gw/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gw_discovery *d;
	static struct gw_library *l;
	static char path[512];
	const char *dirs[] = {path};
	const struct gw_discovery_ops ops = {NULL, NULL};
	if (!d) {
		size_t n = gw_path_profiles(path, sizeof(path)) == 0;
		if (gw_library_new(dirs, n, &l) < 0 || gw_discovery_new(l, &ops, NULL, &d) < 0) {
			abort();
		}
		while (!gw_discovery_index_step(d)) {
		}
	}
	struct gw_str rest = {(const char *)data, size}, topic;
	if (size > 0 && gw_str_split(&rest, '\n', &topic)) {
		gw_discovery_observe(d, "mqtt", "mqtt", topic, rest.p ? rest : GW_STR(""), 1);
		gw_discovery_observe(d, "lan", "mdns", topic, rest.p ? rest : GW_STR(""), 2);
	}
	return 0;
}
