/*
 * The one decision (security-rules §2, R8, R9): who, what, on which device, when. Everything that is not in the table is refused.
 */
#include "gw/access.h"

#include <stdio.h>
#include <string.h>

#include "gw/clock.h"
#include "gw/home.h"

enum verdict {
	NO,
	YES,
	FRESH,	/* step-up: a login at most GW_STEP_UP_MS old (R11) */
	LISTED, /* only devices in the list */
	LISTED_FRESH,
	SCOPED,	   /* the scope bit of the action, and the device list when there is one */
	UNCLAIMED, /* only while the home has no owner */
};

/* One argument for each action, so that a row cannot leave one out. */
#define ROW(public_, claim, see, presence, operate, critical, arrange, adopt, diagnose, admin)     \
	{                                                                                          \
		[GW_DO_PUBLIC] = public_, [GW_DO_CLAIM] = claim, [GW_DO_SEE] = see,                \
		[GW_DO_SEE_PRESENCE] = presence, [GW_DO_OPERATE] = operate,                        \
		[GW_DO_CRITICAL] = critical, [GW_DO_ARRANGE] = arrange, [GW_DO_ADOPT] = adopt,     \
		[GW_DO_DIAGNOSE] = diagnose, [GW_DO_ADMINISTER] = admin                            \
	}

/* clang-format off */
static const unsigned char table[][GW_DO_COUNT] = {
	/*                       public  claim    see     presence operate critical      arrange adopt diagnose admin */
	[GW_ROLE_NONE]      = ROW(YES, UNCLAIMED, NO,     NO,      NO,     NO,           NO,     NO,   NO,      NO),
	[GW_ROLE_OWNER]     = ROW(YES, UNCLAIMED, YES,    YES,     YES,    FRESH,        YES,    YES,  YES,     FRESH),
	[GW_ROLE_MEMBER]    = ROW(YES, NO,        YES,    YES,     YES,    FRESH,        YES,    NO,   YES,     NO),
	[GW_ROLE_GUEST]     = ROW(YES, NO,        LISTED, NO,      LISTED, LISTED_FRESH, NO,     NO,   NO,      NO),
	/* Time-boxed by the account. Operates to test; rooms and names come with the adoption. */
	[GW_ROLE_INSTALLER] = ROW(YES, NO,        YES,    NO,      YES,    NO,           NO,     YES,  YES,     NO),
	[GW_ROLE_TOKEN]     = ROW(YES, NO,        SCOPED, SCOPED,  SCOPED, SCOPED,       NO,     NO,   SCOPED,  NO),
};
/* clang-format on */

/* The scope bit that a token needs; 0: no token may. */
static const unsigned char scope_of[] = {
	[GW_DO_PUBLIC] = 0,
	[GW_DO_CLAIM] = 0,
	[GW_DO_SEE] = GW_SCOPE_SEE,
	[GW_DO_SEE_PRESENCE] = GW_SCOPE_PRESENCE,
	[GW_DO_OPERATE] = GW_SCOPE_OPERATE,
	[GW_DO_CRITICAL] = GW_SCOPE_CRITICAL,
	[GW_DO_ARRANGE] = 0,
	[GW_DO_ADOPT] = 0,
	[GW_DO_DIAGNOSE] = GW_SCOPE_DIAGNOSE,
	[GW_DO_ADMINISTER] = 0,
};

/* A new role or action without its row does not build (R8). */
_Static_assert(gw_countof(table) == GW_ROLE_COUNT, "every role needs its row");
_Static_assert(gw_countof(scope_of) == GW_DO_COUNT, "every action needs its scope");
_Static_assert(GW_DO_COUNT == 10, "a new action: give ROW its column and every role its answer");

/*
 * Capability groups that tell who is at home and what people do there: presence, location, doors, cameras, care (R6). Words of the
 * name of an extension (x.<vendor>.<name>) are looked up here too.
 */
static const char *const presence_groups[] = {
	"activity",  "bed",    "camera", "closure",  "contact",	 "door",       "doorbell",
	"fall",	     "gps",    "health", "location", "lock",	 "medication", "motion",
	"occupancy", "people", "person", "presence", "security", "sleep",      "sos",
};

void gw_principal_local(struct gw_principal *ret_principal)
{
	*ret_principal = (struct gw_principal){.role = GW_ROLE_OWNER,
					       .who = "local",
					       .via = "control",
					       .fresh_until_ms = INT64_MAX};
}

void gw_principal_service(struct gw_principal *ret_principal, const char *via, unsigned scope)
{
	*ret_principal = (struct gw_principal){.role = GW_ROLE_TOKEN, .via = via, .scope = scope};
	(void)snprintf(ret_principal->who, sizeof(ret_principal->who), "%s", via);
}

static bool is_listed(const struct gw_principal *p, const char *device_id)
{
	struct gw_str rest = gw_str(p->devices), piece;
	struct gw_str id = gw_str(device_id);
	while (gw_str_split(&rest, ' ', &piece)) {
		if (piece.len > 0 && gw_str_eq(piece, id)) {
			return true;
		}
	}
	return false;
}

static bool may_device(const struct gw_principal *p, const struct gw_device *device)
{
	struct gw_device_info info;
	gw_device_info(device, &info);
	return is_listed(p, info.id);
}

/* Without a device: seeing is filtered later, for each device; everything else needs one. */
static enum gw_status in_list(const struct gw_principal *p, enum gw_action action,
			      const struct gw_device *device)
{
	bool ok = device ? may_device(p, device) : action == GW_DO_SEE;
	return ok ? GW_STATUS_DONE : GW_STATUS_DENIED;
}

static enum gw_status in_scope(const struct gw_principal *p, enum gw_action action,
			       const struct gw_device *device)
{
	if ((p->scope & scope_of[action]) == 0) {
		return GW_STATUS_DENIED;
	}
	if (p->devices[0] == '\0') {
		return GW_STATUS_DONE;
	}
	return in_list(p, action == GW_DO_SEE_PRESENCE ? GW_DO_SEE : action, device);
}

static enum gw_status need_fresh(const struct gw_principal *p)
{
	return p->fresh_until_ms > gw_clock_ms() ? GW_STATUS_DONE : GW_STATUS_STEP_UP;
}

enum gw_status gw_access_decide(struct gw_gateway *g, const struct gw_principal *p,
				enum gw_action action, const struct gw_device *device)
{
	if ((unsigned)action >= GW_DO_COUNT) {
		return GW_STATUS_DENIED;
	}
	enum gw_role role = GW_ROLE_NONE;
	if (p && (unsigned)p->role < GW_ROLE_COUNT && gw_principal_valid(g, p) &&
	    (p->role == GW_ROLE_OWNER || gw_home_claimed(g))) {
		role = p->role; /* without an owner nobody but the machine's administrator is served (R1) */
	}
	switch ((enum verdict)table[role][action]) {
	case YES: return GW_STATUS_DONE;
	case FRESH: return need_fresh(p);
	case LISTED: return in_list(p, action, device);
	case LISTED_FRESH:
		if (in_list(p, action, device) != GW_STATUS_DONE) {
			return GW_STATUS_DENIED;
		}
		return need_fresh(p);
	case SCOPED: return in_scope(p, action, device);
	case UNCLAIMED: return gw_home_claimed(g) ? GW_STATUS_CONFLICT : GW_STATUS_DONE;
	case NO: break;
	}
	if (role != GW_ROLE_NONE) {
		return GW_STATUS_DENIED;
	}
	return gw_home_claimed(g) ? GW_STATUS_UNAUTHENTICATED : GW_STATUS_UNCLAIMED;
}

enum gw_action gw_access_action(const struct gw_cap_info *cap)
{
	if (cap->access & GW_ACCESS_ADMIN) {
		return GW_DO_ADMINISTER;
	}
	return cap->access & GW_ACCESS_SECURITY ? GW_DO_CRITICAL : GW_DO_OPERATE;
}

static bool tells_presence(struct gw_str word)
{
	for (size_t i = 0; i < gw_countof(presence_groups); i++) {
		if (gw_str_is(word, presence_groups[i])) {
			return true;
		}
	}
	return false;
}

enum gw_action gw_access_read_action(const struct gw_cap_info *cap)
{
	struct gw_str rest = gw_str(cap->id), word;
	if (!gw_str_starts(rest, "x.")) {
		(void)gw_str_split(&rest, '.', &word); /* an id is never empty */
		return tells_presence(word) ? GW_DO_SEE_PRESENCE : GW_DO_SEE;
	}
	struct gw_str part;
	while (gw_str_split(&rest, '.', &part)) {
		while (gw_str_split(&part, '_', &word)) {
			if (tells_presence(word)) {
				return GW_DO_SEE_PRESENCE;
			}
		}
	}
	return GW_DO_SEE;
}
