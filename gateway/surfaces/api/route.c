/* The route table, and finding a row of it. */
#include <string.h>

#include "surfaces/api/call.h"

static const char *const q_devices[] = {"room", "type", NULL};
static const char *const q_journey[] = {"device", "limit", NULL};
static const char *const q_events[] = {"device", "after", NULL};

#define V1 "/api/v1"

/* clang-format off */
static const struct gw_api_route routes[] = {
	/* open to everybody: these tell nothing about the home (R1) */
	{"GET", "/health", GW_DO_PUBLIC, 0, NULL, "Health", NULL, "Whether the gateway is well, without details", gw_api_health},
	{"POST", V1 "/claim", GW_DO_CLAIM, GW_API_CREATED | GW_API_SECRET, "ClaimRequest", "Session", NULL, "Become the first owner, with the claim code", gw_api_claim},
	{"POST", V1 "/login", GW_DO_PUBLIC, GW_API_SECRET, "LoginRequest", "Session", NULL, "Log in; a login also renews the step-up of the account", gw_api_login},
	{"POST", V1 "/logout", GW_DO_PUBLIC, 0, NULL, NULL, NULL, "End the session that the request came with", gw_api_logout},
	{"GET", V1 "/claim", GW_DO_PUBLIC, GW_API_LOCAL, NULL, "ClaimState", NULL, "The claim code, while there is one", gw_api_claim_code},
	{"POST", V1 "/claim/open", GW_DO_ADMINISTER, GW_API_LOCAL, NULL, "ClaimState", NULL, "Open the claim window again with a new code", gw_api_claim_open},

	{"GET", "/metrics", GW_DO_DIAGNOSE, GW_API_TEXT, NULL, NULL, NULL, "Metrics in the Prometheus text format", gw_api_metrics},
	{"GET", V1 "/openapi.json", GW_DO_SEE, 0, NULL, NULL, NULL, "This document", gw_api_openapi},
	{"GET", V1 "/me", GW_DO_SEE, 0, NULL, "Me", NULL, "Who the request comes from, and what they may do", gw_api_me},
	{"PATCH", V1 "/me", GW_DO_SEE, GW_API_SECRET, "MeChange", "Account", NULL, "Change one's own name or password", gw_api_me_change},
	{"GET", V1 "/home", GW_DO_SEE, 0, NULL, "Home", NULL, "The home at a glance", gw_api_home},
	{"GET", V1 "/doctor", GW_DO_DIAGNOSE, 0, NULL, "Doctor", NULL, "Every check with its next step", gw_api_doctor},
	{"GET", V1 "/journey", GW_DO_DIAGNOSE, 0, NULL, "Journey", q_journey, "The last messages and commands, hop by hop", gw_api_journey},

	{"GET", V1 "/devices", GW_DO_SEE, 0, NULL, "DeviceList", q_devices, "All devices with their state", gw_api_devices},
	{"GET", V1 "/devices/{device}", GW_DO_SEE, 0, NULL, "DeviceFull", NULL, "One device with everything it can do", gw_api_device},
	{"PATCH", V1 "/devices/{device}", GW_DO_ARRANGE, 0, "DeviceChange", "DeviceFull", NULL, "Rename a device or move it to another room; If-Match guards against lost changes", gw_api_device_change},
	{"DELETE", V1 "/devices/{device}", GW_DO_ADOPT, 0, NULL, NULL, NULL, "Remove a device from the home", gw_api_device_remove},
	{"GET", V1 "/devices/{device}/state", GW_DO_SEE, 0, NULL, "DeviceState", NULL, "The state of one device", gw_api_device_state},
	{"GET", V1 "/devices/{device}/properties/{component}/{capability}", GW_DO_SEE, 0, NULL, "Property", NULL, "One property", gw_api_property},
	{"PUT", V1 "/devices/{device}/properties/{component}/{capability}", GW_DO_OPERATE, GW_API_COMMAND, "PropertyPut", "Outcome", NULL, "Set one property and wait for the device's confirmation", gw_api_property_put},
	{"POST", V1 "/devices/{device}/commands", GW_DO_OPERATE, GW_API_COMMAND, "CommandRequest", "Outcome", NULL, "Set several properties at once, or do an action", gw_api_command},

	{"GET", V1 "/candidates", GW_DO_ADOPT, 0, NULL, "CandidateList", NULL, "What was found and is not adopted", gw_api_candidates},
	{"POST", V1 "/candidates/{candidate}/adopt", GW_DO_ADOPT, GW_API_CREATED | GW_API_SECRET, "AdoptRequest", "DeviceFull", NULL, "Take a candidate into the home", gw_api_adopt},
	{"POST", V1 "/candidates/{candidate}/dismiss", GW_DO_ADOPT, 0, NULL, NULL, NULL, "Hide a candidate until it describes itself differently", gw_api_dismiss},
	{"POST", V1 "/scan", GW_DO_ADOPT, 0, "ScanRequest", NULL, NULL, "Search actively", gw_api_scan},

	{"GET", V1 "/rooms", GW_DO_SEE, 0, NULL, "RoomList", NULL, "All rooms", gw_api_rooms},
	{"POST", V1 "/rooms", GW_DO_ARRANGE, GW_API_CREATED, "RoomPut", "Room", NULL, "Add a room", gw_api_room_add},
	{"PATCH", V1 "/rooms/{room}", GW_DO_ARRANGE, 0, "RoomPut", "Room", NULL, "Rename a room", gw_api_room_change},
	{"DELETE", V1 "/rooms/{room}", GW_DO_ARRANGE, 0, NULL, NULL, NULL, "Remove a room; its devices then have none", gw_api_room_remove},

	{"GET", V1 "/accounts", GW_DO_ADMINISTER, 0, NULL, "AccountList", NULL, "Everybody who may log in", gw_api_accounts},
	{"POST", V1 "/accounts", GW_DO_ADMINISTER, GW_API_CREATED | GW_API_SECRET, "AccountAdd", "Account", NULL, "Add an account", gw_api_account_add},
	{"PATCH", V1 "/accounts/{account}", GW_DO_ADMINISTER, GW_API_SECRET, "AccountChange", "Account", NULL, "Change an account", gw_api_account_change},
	{"DELETE", V1 "/accounts/{account}", GW_DO_ADMINISTER, 0, NULL, NULL, NULL, "Remove an account; the last owner stays", gw_api_account_remove},
	{"GET", V1 "/tokens", GW_DO_ADMINISTER, 0, NULL, "TokenList", NULL, "Access tokens of programs", gw_api_tokens},
	{"POST", V1 "/tokens", GW_DO_ADMINISTER, GW_API_CREATED, "TokenAdd", "TokenSecret", NULL, "Make a token; its secret is shown once", gw_api_token_add},
	{"DELETE", V1 "/tokens/{token}", GW_DO_ADMINISTER, 0, NULL, NULL, NULL, "Revoke a token", gw_api_token_remove},

	{"GET", V1 "/model/capabilities", GW_DO_SEE, 0, NULL, "ModelCapabilities", NULL, "The vocabulary: capabilities", gw_api_model_capabilities},
	{"GET", V1 "/model/device-types", GW_DO_SEE, 0, NULL, "ModelTypes", NULL, "The vocabulary: device types", gw_api_model_types},
	{"GET", V1 "/profiles", GW_DO_SEE, 0, NULL, "ProfileList", NULL, "Profiles in use", gw_api_profiles},

	{"GET", V1 "/events", GW_DO_SEE, GW_API_STREAM, NULL, "Event", q_events, "Events as they happen, as server-sent events; resumes after `epoch:seq`", gw_api_events},
	{"GET", V1 "/events/ws", GW_DO_SEE, GW_API_STREAM | GW_API_WEBSOCKET, NULL, "Event", q_events, "The same over a WebSocket, which also takes requests", gw_api_events},
};
/* clang-format on */

const struct gw_api_route *gw_api_route_at(size_t index)
{
	return index < gw_countof(routes) ? &routes[index] : NULL;
}

/* "{name}" takes one segment that is not empty. */
static bool match(const char *pattern, struct gw_str path, struct gw_str *params)
{
	struct gw_str want = gw_str(pattern), have = path, w, h;
	size_t n = 0;
	for (;;) {
		bool more_w = gw_str_split(&want, '/', &w);
		bool more_h = gw_str_split(&have, '/', &h);
		if (!more_w || !more_h) {
			return more_w == more_h;
		}
		if (w.len && w.p[0] == '{') {
			if (h.len == 0 || n == GW_API_PATH_PARAMS) {
				return false;
			}
			params[n++] = h;
		} else if (!gw_str_eq(w, h)) {
			return false;
		}
	}
}

const struct gw_api_route *gw_api_route_find(struct gw_str method, struct gw_str path,
					     struct gw_str *ret_params, char *ret_allow, size_t cap)
{
	struct gw_buf allow = GW_BUF_INIT(cap);
	const struct gw_api_route *found = NULL;
	for (size_t i = 0; i < gw_countof(routes) && !found; i++) {
		struct gw_str params[GW_API_PATH_PARAMS] = {0};
		if (!match(routes[i].path, path, params)) {
			continue;
		}
		if (gw_str_is(method, routes[i].method)) {
			memcpy(ret_params, params, sizeof(params));
			found = &routes[i];
		}
		gw_buf_printf(&allow, "%s%s", allow.len ? ", " : "", routes[i].method);
	}
	struct gw_str text = gw_str_sub(gw_buf_str(&allow), 0, cap - 1);
	memcpy(ret_allow, text.len ? text.p : "", text.len);
	ret_allow[text.len] = '\0';
	gw_buf_fini(&allow);
	return found;
}
