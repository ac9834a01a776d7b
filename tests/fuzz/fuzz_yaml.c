/* Whatever is accepted can be written as JSON, and that is read as the same tree by both front ends. */
#include <stdlib.h>

#include "gw/limits.h"
#include "gw/node.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct gw_node_limits limits = {GW_PROFILE_BYTES, GW_PROFILE_DEPTH,
						     GW_PROFILE_NODES, 0};
	struct gw_arena *a = gw_arena_new(64 << 20);
	struct gw_buf b = GW_BUF_INIT(16 << 20);
	struct gw_node *n, *again;
	struct gw_error e;
	if (a && gw_node_parse_yaml(a, (struct gw_str){(const char *)data, size}, &limits, &n,
				    &e) == 0) {
		gw_node_write(&b, n, /* source_order= */ true);
		if (gw_buf_error(&b) ||
		    gw_node_parse_json(a, gw_buf_str(&b), NULL, &again, &e) < 0 ||
		    !gw_node_equal(n, again)) {
			abort();
		}
	}
	gw_buf_fini(&b);
	gw_arena_free(a);
	return 0;
}
