#include "cli/broker.h"

#include <stdio.h>
#include <string.h>

#define DEFAULT_PORT 1883

/* The private broker of the gateway on this machine: the account of the appliances. */
static void use_private_account(const struct cli *c, struct cli_broker *b)
{
	char path[1200];
	(void)snprintf(path, sizeof(path), "%s/broker/device.password", c->state_dir);
	FILE *f = fopen(path, "re");
	if (!f) {
		return;
	}
	size_t n = fread(b->password, 1, sizeof(b->password) - 1, f);
	fclose(f);
	struct gw_str trimmed = gw_str_trim((struct gw_str){b->password, n});
	memmove(b->password, trimmed.p, trimmed.len);
	b->password[trimmed.len] = 0;
	b->endpoint.username = "device";
	b->endpoint.password = b->password;
}

int cli_broker_set(struct cli *c, struct cli_broker *b, const char *url, const char *username,
		   const char *password)
{
	struct gw_str rest = gw_str(url ? url : "mqtt://127.0.0.1:1883"), host = {NULL, 0};
	uint64_t port = DEFAULT_PORT;
	if (gw_str_starts(rest, "mqtt://")) {
		rest = gw_str_sub(rest, 7, rest.len);
	}
	(void)gw_str_split(&rest, ':', &host); /* no colon: all of it is the host */
	if (host.len == 0 || host.len >= sizeof(b->host) ||
	    (rest.p && (gw_parse_u64(rest, &port) != 0 || port == 0 || port > 65535))) {
		cli_error(c,
			  TR(c, "%s is not a broker address; expected mqtt://host:port",
			     "%s 不是代理地址；应为 mqtt://主机:端口"),
			  url ? url : "");
		return CLI_INVALID;
	}
	memcpy(b->host, host.p, host.len);
	b->host[host.len] = 0;
	b->endpoint = (struct gw_broker_endpoint){.host = b->host,
						  .port = (uint16_t)port,
						  .username = username,
						  .password = password};
	if (!username && c->state_dir) {
		use_private_account(c, b);
	}
	return CLI_OK;
}
