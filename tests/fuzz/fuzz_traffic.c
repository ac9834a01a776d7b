/* A recording, one message a line: whatever devices say, a draft is made that the checker accepts, or none. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "gw/traffic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gw_traffic *t = gw_traffic_new();
	struct gw_import_result notes = {.devices = NULL};
	struct gw_buf yaml = GW_BUF_INIT(4u << 20);
	struct gw_str rest = {(const char *)data, size}, line;
	struct gw_error e = {0};
	while (t && gw_str_split(&rest, '\n', &line)) {
		gw_ignore(gw_traffic_read_line(t, line, &e)); /* bad lines are passed over here */
	}
	int r = t ? gw_traffic_draft(t, "acme", &yaml, &notes, &e) : -ENOMEM;
	if (r < 0 && r != -ENODATA && r != -ENOMEM && r != -E2BIG) {
		fprintf(stderr, "%d %s: %s\n%s\n", r, e.at, e.text, yaml.p ? yaml.p : "");
		abort();
	}
	gw_buf_fini(&yaml);
	gw_import_result_fini(&notes);
	gw_traffic_free(t);
	return 0;
}
