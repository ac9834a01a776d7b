/* Lines as they come from a client of the control socket or the WebSocket, one client over one home. */
#include <stdlib.h>

#include "fake_home.h"
#include "surfaces/api/channel.h"

static void ignore_message(void *ctx, struct gw_str message)
{
	(void)ctx;
	(void)message;
}

static void ignore_wake(void *ctx)
{
	(void)ctx;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct gw_api_channel_ops ops = {ignore_message, ignore_wake};
	static struct gw_gateway g;
	struct gw_loop *loop = gw_loop_new();
	fake_home_init(&g, loop);
	struct gw_api *api = gw_api_new(&g, NULL, "fuzz");
	struct gw_principal p = fake_principal(GW_ROLE_OWNER, true);
	struct gw_api_channel *ch = gw_api_channel_new(api, &p, true, "fuzz", &ops, NULL);
	if (!loop || !api || !ch) {
		abort();
	}
	g.hold = size % 2;
	struct gw_str rest = {(const char *)data, size}, line;
	while (rest.len && gw_str_split(&rest, '\n', &line)) {
		if (gw_api_channel_receive(ch, line)) {
			break;
		}
		fake_home_change(&g, 0, FAKE_SWITCH, line.len % 2);
		(void)gw_api_channel_pump(ch);
	}
	gw_api_channel_free(ch);
	gw_api_free(api);
	fake_home_fini(&g);
	gw_loop_free(loop);
	return 0;
}
