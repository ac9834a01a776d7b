/* Canonical JSON is read back as itself; the reader and the tree agree on what is JSON. */
#include <stdlib.h>

#include "gw/json.h"
#include "gw/limits.h"
#include "gw/node.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gw_str text = {(const char *)data, size};
	struct gw_arena *a = gw_arena_new(64 << 20);
	struct gw_buf b = GW_BUF_INIT(16 << 20), c = GW_BUF_INIT(16 << 20);
	struct gw_node *n;
	struct gw_json_reader r;
	gw_json_reader_init(&r, text, 64);
	bool grammar = gw_json_skip(&r) && gw_json_next(&r) == GW_JSON_END;
	if (a && gw_node_parse_json(a, text, /* limits= */ NULL, &n, /* reterr_= */ NULL) == 0) {
		gw_node_write(&b, n, /* source_order= */ false);
		if (!grammar || gw_buf_error(&b) ||
		    gw_node_parse_json(a, gw_buf_str(&b), NULL, &n, NULL) < 0) {
			abort();
		}
		gw_node_write(&c, n, /* source_order= */ false);
		if (!gw_str_eq(gw_buf_str(&b), gw_buf_str(&c))) {
			abort();
		}
	}
	gw_buf_fini(&b);
	gw_buf_fini(&c);
	gw_arena_free(a);
	return 0;
}
