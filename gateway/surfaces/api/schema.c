#include "surfaces/api/schema.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "gw/access.h"
#include "gw/limits.h"
#include "gw/model.h"
#include "gw/status.h"
#include "gw/value.h"

#define LIST_DEPTH 8 /* schemas within schemas; ours nest 3 deep */

#define REQ  GW_API_REQUIRED
#define NUL  GW_API_NULLABLE
#define TEXT GW_API_TYPE_TEXT
#define BOOL GW_API_TYPE_BOOL
#define INT  GW_API_TYPE_INT
#define NUM  GW_API_TYPE_NUMBER
#define TIME GW_API_TYPE_TIME
#define ANY  GW_API_TYPE_ANY
#define OBJ  GW_API_TYPE_OBJECT
#define LIST GW_API_TYPE_LIST
#define MAP  GW_API_TYPE_MAP

#define FIELDS static const struct gw_api_field

/* clang-format off */

/* --- requests --- */

FIELDS f_claim[] = {
	{"code", TEXT, REQ, .max = 64, .help = "The claim code that the gateway shows on its console and `hearth claim`"},
	{"account", TEXT, REQ, .max = GW_ID_BYTES - 1, .help = "Account id of the first owner: a–z, 0–9, _ and -"},
	{"password", TEXT, REQ, .max = 1024},
	{"cookie", BOOL, .help = "Give the session as an HttpOnly cookie instead of a token"},
	{0}};
FIELDS f_login[] = {
	{"account", TEXT, REQ, .max = GW_ID_BYTES - 1},
	{"password", TEXT, REQ, .max = 1024},
	{"cookie", BOOL, .help = "Give the session as an HttpOnly cookie instead of a token"},
	{0}};
FIELDS f_device_change[] = {
	{"name", TEXT, .max = GW_NAME_BYTES - 1},
	{"room", TEXT, .max = GW_ID_BYTES - 1, .help = "Room id; empty: no room"},
	{0}};
FIELDS f_property_put[] = {
	{"value", ANY, REQ, .help = "In the capability's unit"},
	{0}};
FIELDS f_command[] = {
	{"id", TEXT, .max = 128, .help = "Idempotency key: the same key within 10 minutes answers with the first outcome"},
	{"set", MAP, .help = "Capability address → value; carried out whole or not at all"},
	{"action", TEXT, .max = 128, .help = "Address of an action, instead of set"},
	{"args", MAP, .help = "Arguments of the action"},
	{"expire_ms", INT, .min = 1, .max = 600000},
	{0}};
FIELDS f_adopt[] = {
	{"device", TEXT, .max = GW_ID_BYTES - 1, .help = "Wanted device id; else made from the name"},
	{"name", TEXT, .max = GW_NAME_BYTES - 1},
	{"room", TEXT, .max = GW_ID_BYTES - 1},
	{"profile", TEXT, .max = 128, .help = "Profile id, when several match"},
	{"vars", MAP, .ref = "text", .help = "Answers to the candidate's asks"},
	{0}};
FIELDS f_scan[] = {
	{"seconds", INT, .min = 1, .max = 300},
	{0}};
FIELDS f_room_put[] = {
	{"name", TEXT, REQ, .max = GW_NAME_BYTES - 1},
	{0}};
FIELDS f_account_add[] = {
	{"id", TEXT, REQ, .max = GW_ID_BYTES - 1},
	{"name", TEXT, .max = GW_NAME_BYTES - 1},
	{"role", TEXT, REQ, "role"},
	{"password", TEXT, REQ, .max = 1024},
	{"expires_in", TEXT, .max = 24, .help = "Duration from now: 8h, 30d"},
	{"devices", LIST, .help = "Device ids that a guest may use"},
	{0}};
FIELDS f_account_change[] = {
	{"name", TEXT, .max = GW_NAME_BYTES - 1},
	{"role", TEXT, .ref = "role"},
	{"password", TEXT, .max = 1024},
	{"expires_in", TEXT, .max = 24, .help = "Duration from now; 0: never"},
	{"devices", LIST},
	{0}};
FIELDS f_me_change[] = {
	{"name", TEXT, .max = GW_NAME_BYTES - 1},
	{"password", TEXT, .max = 1024},
	{0}};
FIELDS f_token_add[] = {
	{"name", TEXT, REQ, .max = GW_NAME_BYTES - 1},
	{"scope", LIST, REQ, "scope"},
	{"devices", LIST, .help = "Device ids; absent: all"},
	{"expires_in", TEXT, .max = 24},
	{0}};

/* --- answers --- */

FIELDS f_empty[] = {{0}};
FIELDS f_error_body[] = {
	{"code", TEXT, REQ, "status"},
	{"text", TEXT, REQ, .help = "For people, in the language that was asked for"},
	{"at", TEXT, REQ, .help = "JSON Pointer into the body, or the parameter; else empty"},
	{0}};
FIELDS f_error[] = {{"error", OBJ, REQ, "ErrorBody"}, {0}};
FIELDS f_check_counts[] = {{"ok", INT, REQ}, {"warn", INT, REQ}, {"fail", INT, REQ}, {0}};
FIELDS f_health[] = {
	{"status", TEXT, REQ, "health"}, {"version", TEXT, REQ}, {"claimed", BOOL, REQ},
	{"ready_ms", NUM, REQ, .help = "From process start to ready"},
	{"checks", OBJ, REQ, "CheckCounts"},
	{0}};
FIELDS f_session[] = {
	{"token", TEXT, .help = "Bearer token; absent when a cookie was asked for"},
	{"account", TEXT, REQ}, {"role", TEXT, REQ, "role"}, {"expires", TIME, REQ | NUL},
	{0}};
FIELDS f_claim_state[] = {
	{"claimed", BOOL, REQ},
	{"code", TEXT, REQ | NUL, .help = "Null when claimed, or when the window is closed"},
	{0}};
FIELDS f_me[] = {
	{"who", TEXT, REQ}, {"role", TEXT, REQ, "role"}, {"via", TEXT, REQ},
	{"scope", LIST, REQ, "scope"}, {"devices", LIST, REQ},
	{"expires", TIME, REQ | NUL}, {"fresh", BOOL, REQ, .help = "A step-up is in force"},
	{0}};
FIELDS f_adapter[] = {
	{"name", TEXT, REQ}, {"class", TEXT, REQ}, {"link", TEXT, REQ, "link"},
	{"reason", TEXT, REQ}, {"devices", INT, REQ},
	{0}};
FIELDS f_home[] = {
	{"id", TEXT, REQ}, {"version", TEXT, REQ}, {"claimed", BOOL, REQ},
	{"devices", INT, REQ}, {"online", INT, REQ}, {"rooms", INT, REQ},
	{"candidates", INT, .help = "Waiting to be adopted; for those who may adopt"},
	{"epoch", TEXT, REQ}, {"seq", INT, REQ}, {"ready_ms", NUM, REQ},
	{"adapters", LIST, .ref = "Adapter", .help = "For those who may diagnose"},
	{"broker", TEXT, NUL},
	{0}};
FIELDS f_state_value[] = {
	{"value", ANY, REQ | NUL}, {"quality", TEXT, REQ, "quality"}, {"time", TIME, REQ | NUL},
	{0}};
#define DEVICE_FIELDS \
	{"id", TEXT, REQ}, {"name", TEXT, REQ}, {"room", TEXT, REQ}, {"type", TEXT, REQ, "device-type"}, \
	{"vendor", TEXT, REQ}, {"model", TEXT, REQ}, {"firmware", TEXT, REQ}, {"identity", TEXT, REQ}, \
	{"profile", TEXT, REQ}, {"profile_version", TEXT, REQ}, {"adapter", TEXT, REQ}, \
	{"online", BOOL, REQ}, {"reachable", BOOL, REQ}, {"weak_identity", BOOL, REQ}, \
	{"last_seen", TIME, REQ | NUL}, {"adopted", TIME, REQ | NUL}, {"revision", INT, REQ}, \
	{"bad_messages", INT, REQ}, {"problem", TEXT, REQ}, \
	{"state", MAP, REQ, "StateValue", .help = "Capability address → value"}
FIELDS f_device[] = {DEVICE_FIELDS, {0}};
FIELDS f_device_list[] = {
	{"devices", LIST, REQ, "Device"}, {"epoch", TEXT, REQ}, {"seq", INT, REQ},
	{0}};
FIELDS f_arg[] = {
	{"name", TEXT, REQ}, {"type", TEXT, REQ, "type"}, {"min", NUM}, {"max", NUM}, {"step", NUM},
	{"symbols", LIST},
	{0}};
#define CAPABILITY_FIELDS \
	{"address", TEXT, REQ}, {"component", TEXT, REQ}, {"capability", TEXT, REQ, "capability"}, \
	{"kind", TEXT, REQ, "kind"}, {"type", TEXT, REQ, "type"}, {"unit", TEXT, REQ}, \
	{"min", NUM}, {"max", NUM}, {"step", NUM}, {"resolution", NUM}, {"symbols", LIST}, \
	{"readable", BOOL, REQ}, {"writable", BOOL, REQ}, {"invokable", BOOL, REQ}, \
	{"critical", BOOL, REQ, .help = "Writing or doing it needs a fresh login"}, \
	{"admin", BOOL, REQ}, {"label", TEXT, REQ}, {"args", LIST, .ref = "Arg"}, \
	{"value", ANY, NUL}, {"quality", TEXT, .ref = "quality"}, {"time", TIME, NUL}, \
	{"cause", TEXT}, {"seq", INT}
FIELDS f_capability[] = {CAPABILITY_FIELDS, {0}};
FIELDS f_property[] = {CAPABILITY_FIELDS, {"device", TEXT, REQ}, {"epoch", TEXT, REQ}, {0}};
FIELDS f_device_full[] = {
	DEVICE_FIELDS, {"capabilities", LIST, REQ, "Capability"},
	{"epoch", TEXT, REQ}, {"seq", INT, REQ},
	{0}};
FIELDS f_device_state[] = {
	{"device", TEXT, REQ}, {"online", BOOL, REQ}, {"state", MAP, REQ, "StateValue"},
	{"epoch", TEXT, REQ}, {"seq", INT, REQ},
	{0}};
FIELDS f_outcome[] = {
	{"id", TEXT, REQ, .help = "Number of the command, as in events and the journey"},
	{"status", TEXT, REQ, "status"}, {"reason", TEXT, REQ}, {"text", TEXT, REQ},
	{"address", TEXT, REQ, .help = "Capability that was refused"},
	{"elapsed_us", INT, REQ}, {"error", OBJ, .ref = "ErrorBody", .help = "When it was not carried out"},
	{0}};
FIELDS f_ask[] = {
	{"name", TEXT, REQ}, {"label", TEXT, REQ}, {"secret", BOOL, REQ},
	{0}};
FIELDS f_candidate[] = {
	{"id", TEXT, REQ}, {"identity", TEXT, REQ}, {"name", TEXT, REQ}, {"vendor", TEXT, REQ},
	{"model", TEXT, REQ}, {"type", TEXT, REQ}, {"profile", TEXT, REQ}, {"reason", TEXT, REQ},
	{"adapter", TEXT, REQ}, {"weak_identity", BOOL, REQ}, {"described", BOOL, REQ},
	{"adopted", BOOL, REQ}, {"first_seen", TIME, REQ | NUL}, {"last_seen", TIME, REQ | NUL},
	{"asks", LIST, REQ, "Ask"}, {"ties", LIST, REQ},
	{0}};
FIELDS f_candidate_list[] = {{"candidates", LIST, REQ, "Candidate"}, {0}};
FIELDS f_room[] = {{"id", TEXT, REQ}, {"name", TEXT, REQ}, {0}};
FIELDS f_room_list[] = {{"rooms", LIST, REQ, "Room"}, {0}};
FIELDS f_account[] = {
	{"id", TEXT, REQ}, {"name", TEXT, REQ}, {"role", TEXT, REQ, "role"},
	{"created", TIME, REQ | NUL}, {"expires", TIME, REQ | NUL}, {"devices", LIST, REQ},
	{0}};
FIELDS f_account_list[] = {{"accounts", LIST, REQ, "Account"}, {0}};
#define TOKEN_FIELDS \
	{"id", TEXT, REQ}, {"name", TEXT, REQ}, {"scope", LIST, REQ, "scope"}, {"devices", LIST, REQ}, \
	{"created", TIME, REQ | NUL}, {"expires", TIME, REQ | NUL}, {"used", TIME, REQ | NUL}
FIELDS f_token[] = {TOKEN_FIELDS, {0}};
FIELDS f_token_secret[] = {TOKEN_FIELDS, {"secret", TEXT, REQ, .help = "Shown once"}, {0}};
FIELDS f_token_list[] = {{"tokens", LIST, REQ, "Token"}, {0}};
FIELDS f_hop[] = {
	{"cause", TEXT, REQ}, {"kind", TEXT, REQ, "hop"}, {"time", TIME, REQ | NUL},
	{"device", TEXT, REQ}, {"channel", TEXT, REQ}, {"message", TEXT, REQ},
	{"raw", TEXT, REQ, .help = "Payload, clipped, secrets masked"}, {"length", INT, REQ},
	{"rules", LIST, REQ, .help = "One line for each capability that changed"},
	{"who", TEXT, REQ}, {"origin", TEXT, REQ},
	{"decode_us", INT, NUL}, {"state_us", INT, NUL},
	{"publish_us", INT, NUL, .help = "Null when the message changed nothing"},
	{"total_us", INT, NUL}, {"status", TEXT, REQ, "status"},
	{0}};
FIELDS f_journey[] = {{"hops", LIST, REQ, "Hop", .help = "Newest first"}, {0}};
FIELDS f_check[] = {
	{"id", TEXT, REQ}, {"state", TEXT, REQ, "check"}, {"text", TEXT, REQ}, {"next_step", TEXT, REQ},
	{0}};
FIELDS f_doctor[] = {{"checks", LIST, REQ, "Check"}, {0}};
FIELDS f_model_capability[] = {
	{"id", TEXT, REQ}, {"group", TEXT, REQ}, {"kind", TEXT, REQ, "kind"}, {"type", TEXT, REQ, "type"},
	{"unit", TEXT, REQ}, {"min", NUM}, {"max", NUM}, {"resolution", NUM}, {"symbols", LIST},
	{"args", LIST}, {"critical", BOOL, REQ}, {"admin", BOOL, REQ}, {"label", TEXT, REQ},
	{0}};
FIELDS f_model_capabilities[] = {{"capabilities", LIST, REQ, "ModelCapability"}, {0}};
FIELDS f_model_type[] = {
	{"id", TEXT, REQ}, {"group", TEXT, REQ}, {"components", TEXT, REQ}, {"mandatory", LIST, REQ},
	{"optional", LIST, REQ}, {"label", TEXT, REQ},
	{0}};
FIELDS f_model_types[] = {{"types", LIST, REQ, "ModelType"}, {0}};
FIELDS f_profile[] = {
	{"id", TEXT, REQ}, {"version", TEXT, REQ}, {"devices", INT, REQ},
	{0}};
FIELDS f_profile_list[] = {{"profiles", LIST, REQ, "Profile"}, {0}};
FIELDS f_event[] = {
	{"type", TEXT, REQ, "event"}, {"epoch", TEXT, REQ}, {"seq", INT, REQ}, {"time", TIME},
	{"device", TEXT}, {"component", TEXT}, {"capability", TEXT}, {"address", TEXT},
	{"value", ANY, NUL}, {"unit", TEXT}, {"quality", TEXT, .ref = "quality"}, {"cause", TEXT},
	{"command", TEXT}, {"status", TEXT, .ref = "status"}, {"reason", TEXT},
	{0}};

#undef FIELDS
#undef DEVICE_FIELDS
#undef CAPABILITY_FIELDS
#undef TOKEN_FIELDS

static const struct gw_api_schema schemas[] = {
	{"ClaimRequest", f_claim}, {"LoginRequest", f_login}, {"DeviceChange", f_device_change},
	{"PropertyPut", f_property_put}, {"CommandRequest", f_command}, {"AdoptRequest", f_adopt},
	{"ScanRequest", f_scan}, {"RoomPut", f_room_put}, {"AccountAdd", f_account_add},
	{"AccountChange", f_account_change}, {"TokenAdd", f_token_add}, {"MeChange", f_me_change},
	{"Empty", f_empty, "Nothing to say"},
	{"ErrorBody", f_error_body}, {"Error", f_error}, {"CheckCounts", f_check_counts},
	{"Health", f_health}, {"Session", f_session}, {"ClaimState", f_claim_state}, {"Me", f_me},
	{"Adapter", f_adapter}, {"Home", f_home}, {"StateValue", f_state_value},
	{"Device", f_device}, {"DeviceList", f_device_list}, {"Arg", f_arg},
	{"Capability", f_capability}, {"Property", f_property}, {"DeviceFull", f_device_full},
	{"DeviceState", f_device_state}, {"Outcome", f_outcome}, {"Ask", f_ask},
	{"Candidate", f_candidate}, {"CandidateList", f_candidate_list}, {"Room", f_room},
	{"RoomList", f_room_list}, {"Account", f_account}, {"AccountList", f_account_list},
	{"Token", f_token}, {"TokenSecret", f_token_secret}, {"TokenList", f_token_list},
	{"Hop", f_hop}, {"Journey", f_journey}, {"Check", f_check}, {"Doctor", f_doctor},
	{"ModelCapability", f_model_capability}, {"ModelCapabilities", f_model_capabilities},
	{"ModelType", f_model_type}, {"ModelTypes", f_model_types}, {"Profile", f_profile},
	{"ProfileList", f_profile_list},
	{"Event", f_event, "One numbered event. `resync`: events were lost, read the state anew. `hello`: where the numbers stand"},
};
/* clang-format on */

const struct gw_api_schema *gw_api_schema_at(size_t index)
{
	return index < gw_countof(schemas) ? &schemas[index] : NULL;
}

const struct gw_api_schema *gw_api_schema_find(const char *name)
{
	for (size_t i = 0; i < gw_countof(schemas); i++) {
		if (strcmp(schemas[i].name, name) == 0) {
			return &schemas[i];
		}
	}
	return NULL;
}

/* --- vocabularies --- */

static const char *word_role(size_t i)
{
	return i + 1 < GW_ROLE_COUNT ? gw_role_name((enum gw_role)(i + 1)) : NULL;
}

static const char *word_status(size_t i)
{
	return i < GW_STATUS_COUNT ? gw_status_row((enum gw_status)i)->name : NULL;
}

static const char *word_quality(size_t i)
{
	return i <= GW_QUALITY_UNAVAILABLE ? gw_quality_name((enum gw_quality)i) : NULL;
}

static const char *word_type(size_t i)
{
	return i <= GW_TYPE_NONE ? gw_type_name((enum gw_type)i) : NULL;
}

static const char *word_capability(size_t i)
{
	const struct gw_capability *c = gw_capability_at(i);
	return c ? c->id : NULL;
}

static const char *word_device_type(size_t i)
{
	const struct gw_device_type *t = gw_device_type_at(i);
	return t ? t->id : NULL;
}

#define WORDS(name, ...)                                                                           \
	static const char *word_##name(size_t i)                                                   \
	{                                                                                          \
		static const char *const words[] = {__VA_ARGS__};                                  \
		return i < gw_countof(words) ? words[i] : NULL;                                    \
	}
WORDS(scope, "see", "operate", "critical", "presence", "diagnose")
WORDS(kind, "property", "action", "event")
WORDS(check, "ok", "warn", "fail")
WORDS(health, "ok", "degraded", "failing")
WORDS(link, "down", "connecting", "up", "refused")
WORDS(hop, "received", "command", "sent", "confirmed", "bad")
WORDS(event, "property", "happened", "device-added", "device-changed", "device-removed",
      "candidate", "command", "home", "hello", "resync")
#undef WORDS

const char *gw_api_word(const char *vocabulary, size_t index)
{
	static const struct {
		const char *name;
		const char *(*at)(size_t i);
	} rows[] = {
		{"role", word_role},
		{"status", word_status},
		{"quality", word_quality},
		{"type", word_type},
		{"capability", word_capability},
		{"device-type", word_device_type},
		{"scope", word_scope},
		{"kind", word_kind},
		{"check", word_check},
		{"health", word_health},
		{"link", word_link},
		{"hop", word_hop},
		{"event", word_event},
	};
	for (size_t i = 0; i < gw_countof(rows); i++) {
		if (strcmp(rows[i].name, vocabulary) == 0) {
			return rows[i].at(index);
		}
	}
	return NULL;
}

/* A capability may also be an extension of a profile (x.<vendor>.<name>); a device whose profile is missing has no type. */
static bool word_known(const char *vocabulary, struct gw_str word)
{
	if (strcmp(vocabulary, "device-type") == 0) {
		return word.len == 0 || gw_device_type_find(word);
	}
	if (strcmp(vocabulary, "capability") == 0) {
		return gw_capability_find(word) || gw_str_starts(word, "x.");
	}
	const char *w;
	for (size_t i = 0; (w = gw_api_word(vocabulary, i)); i++) {
		if (gw_str_is(word, w)) {
			return true;
		}
	}
	return false;
}

/* --- checking --- */

static int check_object(const struct gw_api_schema *s, const struct gw_node *n, struct gw_buf *at,
			int depth, struct gw_error *e);

static int refuse(struct gw_error *e, const struct gw_buf *at, const char *text, const char *arg)
{
	int r = gw_error_set(e, -EINVAL, "invalid", "%s%s", text, arg);
	if (e) {
		struct gw_str s = gw_str_sub(gw_buf_str(at), 0, sizeof(e->at) - 1);
		memcpy(e->at, s.p ? s.p : "", s.len);
		e->at[s.len] = '\0';
	}
	return r;
}

static int check_text(const struct gw_api_field *f, const struct gw_node *n, struct gw_buf *at,
		      struct gw_error *e)
{
	if (n->type != GW_NODE_TEXT) {
		return refuse(e, at, "expected a text", "");
	}
	size_t max = f->max ? (size_t)f->max : GW_BODY_TEXT_BYTES;
	if (n->text.len > max) {
		return refuse(e, at, "the text is too long", "");
	}
	if (memchr(n->text.p, '\0', n->text.len)) {
		return refuse(e, at, "the text holds a zero character", "");
	}
	if (f->ref && !word_known(f->ref, n->text)) {
		return refuse(e, at, "not one of the words for ", f->ref);
	}
	return 0;
}

static int check_number(const struct gw_api_field *f, const struct gw_node *n, struct gw_buf *at,
			struct gw_error *e)
{
	if (n->type != GW_NODE_NUMBER) {
		return refuse(e, at, "expected a number", "");
	}
	if (f->type == GW_API_TYPE_INT && n->number != floor(n->number)) {
		return refuse(e, at, "expected a whole number", "");
	}
	bool bounded = f->min || f->max;
	if (bounded && (n->number < (double)f->min || n->number > (double)f->max)) {
		return refuse(e, at, "out of bounds: ", f->help ? f->help : f->name);
	}
	return 0;
}

/* Elements of a LIST, members of a MAP: of a schema, of a vocabulary, texts, or anything. */
static int check_children(const struct gw_api_field *f, const struct gw_node *n, struct gw_buf *at,
			  int depth, struct gw_error *e)
{
	bool map = f->type == GW_API_TYPE_MAP;
	if (n->type != (map ? GW_NODE_MAP : GW_NODE_LIST)) {
		return refuse(e, at, map ? "expected an object" : "expected a list", "");
	}
	const struct gw_api_schema *s = f->ref ? gw_api_schema_find(f->ref) : NULL;
	struct gw_api_field text = {.name = f->name, .type = GW_API_TYPE_TEXT};
	if (f->ref && strcmp(f->ref, "text") != 0) {
		text.ref = f->ref;
	}
	if (map && !f->ref) {
		return 0;
	}
	size_t i = 0, len = at->len;
	gw_node_for(child, n)
	{
		if (map) {
			gw_buf_printf(at, "/" GW_STR_FMT, GW_STR_ARG(child->key));
		} else {
			gw_buf_printf(at, "/%zu", i++);
		}
		int r = s ? check_object(s, child, at, depth + 1, e)
			  : check_text(&text, child, at, e);
		if (r) {
			return r;
		}
		gw_buf_truncate(at, len);
	}
	return 0;
}

static int check_field(const struct gw_api_field *f, const struct gw_node *n, struct gw_buf *at,
		       int depth, struct gw_error *e)
{
	if (n->type == GW_NODE_NULL) {
		return f->flags & GW_API_NULLABLE ? 0 : refuse(e, at, "may not be null", "");
	}
	switch (f->type) {
	case GW_API_TYPE_TEXT: return check_text(f, n, at, e);
	case GW_API_TYPE_TIME:
		return n->type == GW_NODE_TEXT ? 0 : refuse(e, at, "expected a time", "");
	case GW_API_TYPE_BOOL:
		return n->type == GW_NODE_BOOL ? 0 : refuse(e, at, "expected true or false", "");
	case GW_API_TYPE_INT:
	case GW_API_TYPE_NUMBER: return check_number(f, n, at, e);
	case GW_API_TYPE_ANY: return 0;
	case GW_API_TYPE_OBJECT:
		return check_object(gw_api_schema_find(f->ref), n, at, depth + 1, e);
	case GW_API_TYPE_LIST:
	case GW_API_TYPE_MAP: return check_children(f, n, at, depth, e);
	}
	return -EINVAL;
}

static const struct gw_api_field *field_find(const struct gw_api_schema *s, struct gw_str name)
{
	for (const struct gw_api_field *f = s->fields; f->name; f++) {
		if (gw_str_is(name, f->name)) {
			return f;
		}
	}
	return NULL;
}

static int check_object(const struct gw_api_schema *s, const struct gw_node *n, struct gw_buf *at,
			int depth, struct gw_error *e)
{
	if (!s || depth > LIST_DEPTH || n->type != GW_NODE_MAP) {
		return refuse(e, at, "expected an object", "");
	}
	size_t len = at->len;
	gw_node_for(member, n)
	{
		const struct gw_api_field *f = field_find(s, member->key);
		gw_buf_printf(at, "/" GW_STR_FMT, GW_STR_ARG(member->key));
		int r = f ? check_field(f, member, at, depth, e)
			  : refuse(e, at, "no such member in ", s->name);
		if (r) {
			return r;
		}
		gw_buf_truncate(at, len);
	}
	for (const struct gw_api_field *f = s->fields; f->name; f++) {
		if (f->flags & GW_API_REQUIRED && !gw_node_get(n, f->name)) {
			return refuse(e, at, "missing: ", f->name);
		}
	}
	return 0;
}

int gw_api_schema_check(const struct gw_api_schema *s, const struct gw_node *n,
			struct gw_error *reterr_)
{
	GW_AUTO(gw_buf_fini) struct gw_buf at = GW_BUF_INIT(16 * 1024);
	return check_object(s, n, &at, 0, reterr_);
}
