/* GET /api/v1/openapi.json: OpenAPI 3.1, printed from the route table, the schemas and the vocabularies of the model. */
#include <stdio.h>
#include <string.h>

#include "surfaces/api/call.h"
#include "surfaces/api/schema.h"

/* --- schemas --- */

static void write_ref(struct gw_buf *b, const char *name)
{
	char path[96];
	snprintf(path, sizeof(path), "#/components/schemas/%s", name);
	gw_out_text(b, "$ref", path);
}

/* Vocabularies are schemas of their own, so that a client generator makes one enumeration of each. */
static void vocabulary_name(const char *vocabulary, char *ret_name, size_t cap)
{
	size_t n = 0;
	bool upper = true;
	for (const char *p = vocabulary; *p && n + 5 < cap; p++) {
		if (*p == '-') {
			upper = true;
			continue;
		}
		ret_name[n++] = (char)(upper ? *p - 'a' + 'A' : *p);
		upper = false;
	}
	memcpy(ret_name + n, "Word", 5);
}

static bool is_schema(const char *ref)
{
	return gw_api_schema_find(ref) != NULL;
}

static void write_element(struct gw_buf *b, const char *key, const char *ref)
{
	gw_out_open(b, key, '{');
	if (!ref || strcmp(ref, "text") == 0) {
		gw_out_text(b, "type", "string");
	} else if (is_schema(ref)) {
		write_ref(b, ref);
	} else {
		char name[64];
		vocabulary_name(ref, name, sizeof(name));
		write_ref(b, name);
	}
	gw_out_close(b, '}');
}

static const char *json_type(enum gw_api_type t)
{
	switch (t) {
	case GW_API_TYPE_TEXT:
	case GW_API_TYPE_TIME: return "string";
	case GW_API_TYPE_BOOL: return "boolean";
	case GW_API_TYPE_INT: return "integer";
	case GW_API_TYPE_NUMBER: return "number";
	case GW_API_TYPE_LIST: return "array";
	case GW_API_TYPE_OBJECT:
	case GW_API_TYPE_MAP: return "object";
	case GW_API_TYPE_ANY: break;
	}
	return NULL;
}

static void write_type(struct gw_buf *b, const struct gw_api_field *f)
{
	const char *type = json_type(f->type);
	if (!type) { /* any value of the model */
		return;
	}
	if (f->flags & GW_API_NULLABLE) {
		gw_out_open(b, "type", '[');
		gw_out_text(b, NULL, type);
		gw_out_text(b, NULL, "null");
		gw_out_close(b, ']');
	} else {
		gw_out_text(b, "type", type);
	}
}

static void write_bounds(struct gw_buf *b, const struct gw_api_field *f)
{
	if (f->type == GW_API_TYPE_TIME) {
		gw_out_text(b, "format", "date-time");
	}
	if (f->type == GW_API_TYPE_TEXT && f->max) {
		gw_out_i64(b, "maxLength", f->max);
	}
	if (f->type == GW_API_TYPE_INT && (f->min || f->max)) {
		gw_out_i64(b, "minimum", f->min);
		gw_out_i64(b, "maximum", f->max);
	}
	if (f->type == GW_API_TYPE_LIST) {
		write_element(b, "items", f->ref);
	}
	if (f->type == GW_API_TYPE_MAP && f->ref) {
		write_element(b, "additionalProperties", f->ref);
	}
}

static void write_field(struct gw_buf *b, const struct gw_api_field *f)
{
	char name[64];
	gw_out_open(b, f->name, '{');
	if (f->type == GW_API_TYPE_OBJECT) {
		write_ref(b, f->ref);
	} else if (f->type == GW_API_TYPE_TEXT && f->ref) {
		vocabulary_name(f->ref, name, sizeof(name));
		write_ref(b, name);
	} else {
		write_type(b, f);
		write_bounds(b, f);
	}
	if (f->help) {
		gw_out_text(b, "description", f->help);
	}
	gw_out_close(b, '}');
}

static void write_schema(struct gw_buf *b, const struct gw_api_schema *s)
{
	bool required = false;
	gw_out_open(b, s->name, '{');
	gw_out_text(b, "type", "object");
	if (s->help) {
		gw_out_text(b, "description", s->help);
	}
	gw_out_open(b, "properties", '{');
	for (const struct gw_api_field *f = s->fields; f->name; f++) {
		write_field(b, f);
		required |= f->flags & GW_API_REQUIRED;
	}
	gw_out_close(b, '}');
	if (required) {
		gw_out_open(b, "required", '[');
		for (const struct gw_api_field *f = s->fields; f->name; f++) {
			if (f->flags & GW_API_REQUIRED) {
				gw_out_text(b, NULL, f->name);
			}
		}
		gw_out_close(b, ']');
	}
	gw_out_bool(b, "additionalProperties", false);
	gw_out_close(b, '}');
}

static void write_vocabulary(struct gw_buf *b, const char *vocabulary)
{
	char name[64];
	bool capability = strcmp(vocabulary, "capability") == 0;
	vocabulary_name(vocabulary, name, sizeof(name));
	gw_out_open(b, name, '{');
	if (capability) { /* or an extension of a profile */
		gw_out_open(b, "anyOf", '[');
		gw_out_open(b, NULL, '{');
		gw_out_text(b, "type", "string");
		gw_out_text(b, "pattern", "^x\\.");
		gw_out_close(b, '}');
		gw_out_open(b, NULL, '{');
	}
	gw_out_text(b, "type", "string");
	gw_out_open(b, "enum", '[');
	const char *w;
	for (size_t i = 0; (w = gw_api_word(vocabulary, i)); i++) {
		gw_out_text(b, NULL, w);
	}
	if (strcmp(vocabulary, "device-type") == 0) { /* its profile is missing */
		gw_out_text(b, NULL, "");
	}
	gw_out_close(b, ']');
	if (capability) {
		gw_out_close(b, '}');
		gw_out_close(b, ']');
	}
	gw_out_close(b, '}');
}

static void write_components(struct gw_buf *b)
{
	static const char *const vocabularies[] = {
		"role", "status", "quality", "type", "capability", "device-type", "scope",
		"kind", "check",  "health",  "link", "hop",	   "event",
	};
	gw_out_open(b, "components", '{');
	gw_out_open(b, "securitySchemes", '{');
	gw_out_open(b, "bearer", '{');
	gw_out_text(b, "type", "http");
	gw_out_text(b, "scheme", "bearer");
	gw_out_close(b, '}');
	gw_out_open(b, "session", '{');
	gw_out_text(b, "type", "apiKey");
	gw_out_text(b, "in", "cookie");
	gw_out_text(b, "name", "hearth_session");
	gw_out_text(b, "description",
		    "Changes need the header X-Hearth-CSRF besides; login and /me answer with it");
	gw_out_close(b, '}');
	gw_out_close(b, '}');
	gw_out_open(b, "schemas", '{');
	const struct gw_api_schema *s;
	for (size_t i = 0; (s = gw_api_schema_at(i)); i++) {
		write_schema(b, s);
	}
	for (size_t i = 0; i < gw_countof(vocabularies); i++) {
		write_vocabulary(b, vocabularies[i]);
	}
	gw_out_close(b, '}');
	gw_out_close(b, '}');
}

/* --- paths --- */

static void write_parameter(struct gw_buf *b, struct gw_str name, const char *in, bool required)
{
	gw_out_open(b, NULL, '{');
	gw_out_str(b, "name", name);
	gw_out_text(b, "in", in);
	gw_out_bool(b, "required", required);
	gw_out_open(b, "schema", '{');
	gw_out_text(b, "type", "string");
	gw_out_close(b, '}');
	gw_out_close(b, '}');
}

static void write_parameters(struct gw_buf *b, const struct gw_api_route *r)
{
	gw_out_open(b, "parameters", '[');
	struct gw_str rest = gw_str(r->path), piece;
	while (gw_str_split(&rest, '/', &piece)) {
		if (piece.len > 2 && piece.p[0] == '{') {
			write_parameter(b, gw_str_sub(piece, 1, piece.len - 2), "path", true);
		}
	}
	for (const char *const *q = r->query; q && *q; q++) {
		write_parameter(b, gw_str(*q), "query", false);
	}
	if (r->flags & GW_API_COMMAND) {
		write_parameter(b, GW_STR("Idempotency-Key"), "header", false);
	}
	if (strcmp(r->method, "PATCH") == 0 && strstr(r->path, "{device}")) {
		write_parameter(b, GW_STR("If-Match"), "header", false);
	}
	if (r->flags & GW_API_STREAM) {
		write_parameter(b, GW_STR("Last-Event-ID"), "header", false);
	}
	gw_out_close(b, ']');
}

static void write_content(struct gw_buf *b, const char *media, const char *schema)
{
	gw_out_open(b, "content", '{');
	gw_out_open(b, media, '{');
	gw_out_open(b, "schema", '{');
	if (schema) {
		write_ref(b, schema);
	} else {
		gw_out_text(b, "type",
			    strcmp(media, "application/json") == 0 ? "object" : "string");
	}
	gw_out_close(b, '}');
	gw_out_close(b, '}');
	gw_out_close(b, '}');
}

static void write_responses(struct gw_buf *b, const struct gw_api_route *r)
{
	const char *media = r->flags & GW_API_TEXT ? "text/plain" : "application/json";
	if (r->flags & GW_API_STREAM && !(r->flags & GW_API_WEBSOCKET)) {
		media = "text/event-stream";
	}
	const char *code = r->flags & GW_API_CREATED ? "201" : "200";
	if (r->flags & GW_API_WEBSOCKET) {
		code = "101";
	}
	gw_out_open(b, "responses", '{');
	gw_out_open(b, code, '{');
	gw_out_text(b, "description", "Done");
	write_content(b, media,
		      r->gives || r->flags & GW_API_TEXT || strstr(r->path, "openapi") ? r->gives
										       : "Empty");
	gw_out_close(b, '}');
	gw_out_open(b, "default", '{');
	gw_out_text(b, "description", "Not done; the error says why");
	write_content(b, "application/json", r->flags & GW_API_COMMAND ? "Outcome" : "Error");
	gw_out_close(b, '}');
	gw_out_close(b, '}');
}

/* "gw_…": method and the words of the path, which is unique: getDevicesState. */
static void write_operation_id(struct gw_buf *b, const struct gw_api_route *r)
{
	char id[128];
	size_t n = 0;
	for (const char *p = r->method; *p && n + 1 < sizeof(id); p++) {
		id[n++] = (char)(*p | 0x20);
	}
	const char *p = strncmp(r->path, "/api/v1", 7) == 0 ? r->path + 7 : r->path;
	bool upper = false;
	for (; *p && n + 1 < sizeof(id); p++) {
		bool letter = (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9');
		if (letter) {
			id[n++] = (char)(upper && *p >= 'a' ? *p - 'a' + 'A' : *p);
		}
		upper = !letter;
	}
	id[n] = '\0';
	gw_out_text(b, "operationId", id);
}

static void write_operation(struct gw_buf *b, const struct gw_api_route *r)
{
	static const char *const actions[GW_DO_COUNT] = {
		"public",   "claim",   "see",	"see-presence", "operate",
		"critical", "arrange", "adopt", "diagnose",	"administer",
	};
	char method[8];
	size_t n = 0;
	for (; r->method[n] && n + 1 < sizeof(method); n++) {
		method[n] = (char)(r->method[n] | 0x20);
	}
	method[n] = '\0';
	gw_out_open(b, method, '{');
	write_operation_id(b, r);
	gw_out_text(b, "summary", r->summary);
	gw_out_text(b, "x-hearth-action", actions[r->action]);
	if (r->flags & GW_API_LOCAL) {
		gw_out_bool(b, "x-hearth-local", true);
	}
	if (r->action == GW_DO_PUBLIC || r->action == GW_DO_CLAIM) {
		gw_out_open(b, "security", '[');
		gw_out_close(b, ']');
	}
	write_parameters(b, r);
	if (r->takes) {
		gw_out_open(b, "requestBody", '{');
		write_content(b, "application/json", r->takes);
		gw_out_close(b, '}');
	}
	write_responses(b, r);
	gw_out_close(b, '}');
}

/* Rows of one path need not stand together in the table. */
static void write_paths(struct gw_buf *b)
{
	const struct gw_api_route *r, *other;
	gw_out_open(b, "paths", '{');
	for (size_t i = 0; (r = gw_api_route_at(i)); i++) {
		size_t first = 0;
		while (strcmp(gw_api_route_at(first)->path, r->path) != 0) {
			first++;
		}
		if (first != i) {
			continue;
		}
		gw_out_open(b, r->path, '{');
		for (size_t k = i; (other = gw_api_route_at(k)); k++) {
			if (strcmp(other->path, r->path) == 0) {
				write_operation(b, other);
			}
		}
		gw_out_close(b, '}');
	}
	gw_out_close(b, '}');
}

enum gw_status gw_api_openapi(struct gw_api_call *c)
{
	struct gw_buf *b = &c->out;
	gw_out_open(b, NULL, '{');
	gw_out_text(b, "openapi", "3.1.0");
	gw_out_open(b, "info", '{');
	gw_out_text(b, "title", "Hearth");
	gw_out_text(
		b, "description",
		"The home gateway's API. Values are in the capability's unit; times are RFC 3339 in UTC; "
		"ids of commands, causes and epochs are hexadecimal text.");
	gw_out_text(b, "version", gw_gateway_version());
	gw_out_close(b, '}');
	gw_out_open(b, "security", '[');
	for (int i = 0; i < 2; i++) {
		gw_out_open(b, NULL, '{');
		gw_out_open(b, i ? "session" : "bearer", '[');
		gw_out_close(b, ']');
		gw_out_close(b, '}');
	}
	gw_out_close(b, ']');
	write_paths(b);
	write_components(b);
	gw_out_close(b, '}');
	return GW_STATUS_DONE;
}
