/* The names of the roles, as they are stored and shown. */
#include <string.h>

#include "gw/access.h"

static const char *const names[] = {
	[GW_ROLE_NONE] = "none",   [GW_ROLE_OWNER] = "owner",	      [GW_ROLE_MEMBER] = "member",
	[GW_ROLE_GUEST] = "guest", [GW_ROLE_INSTALLER] = "installer", [GW_ROLE_TOKEN] = "token",
};
_Static_assert(gw_countof(names) == GW_ROLE_COUNT, "every role needs its name");

const char *gw_role_name(enum gw_role r)
{
	return names[(unsigned)r < GW_ROLE_COUNT ? r : GW_ROLE_NONE];
}

enum gw_role gw_role_find(const char *name)
{
	for (size_t i = 0; name && i < GW_ROLE_COUNT; i++) {
		if (strcmp(names[i], name) == 0) {
			return (enum gw_role)i;
		}
	}
	return GW_ROLE_NONE;
}
