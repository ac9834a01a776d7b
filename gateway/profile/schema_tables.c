/* The key tables of the language (profile-language §2–§14). What stands here is refused nowhere else. */
#include <stddef.h>

#include "gw/limits.h"
#include "profile/schema.h"

#define END_OF_KEYS                                                                                \
	{                                                                                          \
		NULL, NULL, 0, NULL, GW_KNOWN_NOTHING                                              \
	}

/* --- simple values --- */

static const struct gw_shape any = {.what = "a value", .kinds = GW_SHAPE_ANY};
static const struct gw_shape boolean = {.what = "true or false", .kinds = GW_SHAPE_BOOL};
static const struct gw_shape number = {.what = "a number", .kinds = GW_SHAPE_NUMBER};
static const struct gw_shape text = {.what = "a text", .kinds = GW_SHAPE_TEXT};
static const struct gw_shape scalar = {.what = "a text, number or boolean",
				       .kinds = GW_SHAPE_SCALAR};
static const struct gw_shape scalar_or_null = {.what = "a text, number, boolean or null",
					       .kinds = GW_SHAPE_SCALAR | GW_SHAPE_NULL};
static const struct gw_shape texts = {
	.what = "a list of texts", .kinds = GW_SHAPE_LIST, .item = &text};
static const struct gw_shape text_or_texts = {.what = "a text or a list of texts",
					      .kinds = GW_SHAPE_TEXT | GW_SHAPE_LIST,
					      .item = &text,
					      .min_count = 1};
static const struct gw_shape byte = {
	.what = "a byte (0 to 255)", .kinds = GW_SHAPE_NUMBER, .whole = true, .min = 0, .max = 255};
static const struct gw_shape count = {.what = "a whole number from 0 to 65535",
				      .kinds = GW_SHAPE_NUMBER,
				      .whole = true,
				      .min = 0,
				      .max = 65535};
static const struct gw_shape positive = {.what = "a whole number from 1 to 65535",
					 .kinds = GW_SHAPE_NUMBER,
					 .whole = true,
					 .min = 1,
					 .max = 65535};
static const struct gw_shape duration = {.what = "a duration: 0, or an integer with ms s m h d",
					 .kinds = GW_SHAPE_TEXT | GW_SHAPE_NUMBER,
					 .whole = true,
					 .min = -0.5,
					 .max = 0.5, /* the number 0 */
					 .format = &gw_format_duration};
static const struct gw_shape duration_or_expression = {.what = "a duration or an expression",
						       .kinds = GW_SHAPE_TEXT | GW_SHAPE_NUMBER,
						       .whole = true,
						       .min = -0.5,
						       .max = 0.5};
static const struct gw_shape label = {.what = "a text, or texts by language",
				      .kinds = GW_SHAPE_TEXT | GW_SHAPE_MAP,
				      .member = &text,
				      .min_count = 1};
static const struct gw_shape message = {
	.what = "the name of a message", .kinds = GW_SHAPE_TEXT, .format = &gw_format_word};
static const struct gw_shape messages = {.what = "the name of a message or a list of them",
					 .kinds = GW_SHAPE_TEXT | GW_SHAPE_LIST,
					 .format = &gw_format_word,
					 .item = &message,
					 .min_count = 1};
static const struct gw_shape point = {
	.what = "the name of a point", .kinds = GW_SHAPE_TEXT, .format = &gw_format_word};
/* Every text in set, also and action is an expression; null, lists and maps are refused (§10). */
static const struct gw_shape expression_or_constant = {.what = "an expression, number or boolean",
						       .kinds = GW_SHAPE_SCALAR};
static const struct gw_shape expression = {
	.what = "an expression", .kinds = GW_SHAPE_TEXT | GW_SHAPE_NUMBER | GW_SHAPE_BOOL};
static const struct gw_shape assignments = {.what = "a map of points to expressions",
					    .kinds = GW_SHAPE_MAP,
					    .min_count = 1,
					    .member = &expression_or_constant};
static const struct gw_shape scalar_or_scalars = {.what = "a value or a list of values",
						  .kinds = GW_SHAPE_SCALAR | GW_SHAPE_NULL |
							   GW_SHAPE_LIST,
						  .item = &scalar_or_null};
static const struct gw_shape condition = {
	.what = "a condition: true, false, an expression or a map",
	.kinds = GW_SHAPE_BOOL | GW_SHAPE_TEXT | GW_SHAPE_MAP,
	.member = &scalar_or_scalars};

/* --- variables and their tests --- */

static const struct gw_schema_key var_keys[] = {
	{"default", &scalar_or_null, 0, "value when nothing else binds the variable"},
	{"identity", &boolean, 0, "this variable tells one device from another"},
	{"ask", &boolean, 0, "the owner is asked for it at pairing"},
	{"secret", &boolean, 0, "kept in the credential store, masked in logs"},
	{"label", &label, 0, "what the owner is asked for"},
	END_OF_KEYS,
};
static const struct gw_shape var = {.what = "a variable", .kinds = GW_SHAPE_MAP, .keys = var_keys};
static const struct gw_shape vars = {.what = "a map of variables",
				     .kinds = GW_SHAPE_MAP,
				     .max_count = 64,
				     .key = &gw_format_variable,
				     .member = &var};

static const struct gw_shape bound = {.what = "a number or a version text",
				      .kinds = GW_SHAPE_NUMBER | GW_SHAPE_TEXT};
static const struct gw_schema_key bound_keys[] = {
	{"ge", &bound, 0, "at least"},
	{"gt", &bound, 0, "more than"},
	{"le", &bound, 0, "at most"},
	{"lt", &bound, 0, "less than"},
	END_OF_KEYS,
};
static const struct gw_shape var_test = {.what = "a value, a list of values, or {ge, gt, le, lt}",
					 .kinds = GW_SHAPE_SCALAR | GW_SHAPE_LIST | GW_SHAPE_MAP,
					 .item = &scalar,
					 .keys = bound_keys,
					 .min_count = 1};
static const struct gw_shape var_condition = {.what = "a map of variables to tests",
					      .kinds = GW_SHAPE_MAP,
					      .member = &var_test,
					      .check = gw_schema_condition_names};

/* --- recognition --- */

static const struct gw_shape json_tests = {.what = "a map of JSON Pointers to tests",
					   .kinds = GW_SHAPE_MAP,
					   .key = &gw_format_pointer,
					   .member = &any};
static const struct gw_shape source = {
	.what = "a source", .kinds = GW_SHAPE_TEXT, .format = &gw_format_source};
static const struct gw_shape sources = {
	.what = "a map of variables to sources", .kinds = GW_SHAPE_MAP, .member = &source};
static const struct gw_shape filter = {
	.what = "an MQTT topic filter", .kinds = GW_SHAPE_TEXT, .format = &gw_format_filter};
static const struct gw_shape globs = {
	.what = "a map of fields to globs", .kinds = GW_SHAPE_MAP, .member = &scalar};
static const struct gw_shape links = {
	.what = "a list of globs", .kinds = GW_SHAPE_LIST, .item = &text};
static const struct gw_schema_key mdns_keys[] = {
	{"service", &scalar, 0, "service type, _http._tcp"},
	{"name", &scalar, 0, "instance name"},
	{"host", &scalar, 0, "host name"},
	{"txt", &globs, 0, "TXT keys"},
	END_OF_KEYS,
};
static const struct gw_shape mdns = {
	.what = "an mDNS match", .kinds = GW_SHAPE_MAP, .keys = mdns_keys};
static const struct gw_schema_key coap_keys[] = {
	{"rt", &scalar, 0, "resource type"},
	{"if", &scalar, 0, "interface"},
	{"code", &scalar, 0, "message code, as text: \"0.30\""},
	{"path", &scalar, 0, "request path"},
	{"links", &links, 0, "every glob needs one link that it matches"},
	{"option", &globs, 0, "options by number"},
	END_OF_KEYS,
};
static const struct gw_shape coap = {
	.what = "a CoAP match", .kinds = GW_SHAPE_MAP, .keys = coap_keys};
static const struct gw_schema_key headers_keys[] = {
	{"headers", &globs, 0, "headers by name"},
	END_OF_KEYS,
};
static const struct gw_shape datagram = {.what = "a map of fields to globs",
					 .kinds = GW_SHAPE_MAP,
					 .keys = headers_keys,
					 .member = &scalar};
static const struct gw_shape identity = {.what = "a glob or a list of globs",
					 .kinds = GW_SHAPE_TEXT | GW_SHAPE_NUMBER | GW_SHAPE_LIST,
					 .item = &scalar,
					 .min_count = 1};
static const struct gw_schema_key match_keys[] = {
	{"mqtt", &filter, 0, "topic filter"},
	{"mdns", &mdns, 0, "service found by mDNS"},
	{"coap", &coap, 0, "CoAP resource or message"},
	{"ssdp", &datagram, 0, "SSDP answer"},
	{"udp", &datagram, 0, "answer to a vendor's UDP probe"},
	{"json", &json_tests, 0, "tests on the JSON body"},
	{"set", &sources, 0, "where variables come from"},
	END_OF_KEYS,
};
static const struct gw_shape match_entry = {.what = "a match entry",
					    .kinds = GW_SHAPE_MAP,
					    .keys = match_keys,
					    .key = &gw_format_word,
					    .member = &identity,
					    .check = gw_schema_match_entry};
static const struct gw_shape match = {
	.what = "a list of match entries", .kinds = GW_SHAPE_LIST, .item = &match_entry};

/* --- link --- */

static const char *const else_words[] = {"none", "reread", "resend", NULL};
static const struct gw_shape confirm_else = {
	.what = "none, reread or resend", .kinds = GW_SHAPE_TEXT, .words = else_words};
static const struct gw_schema_key confirm_keys[] = {
	{"within", &duration, 0, "how long the device has to report the value"},
	{"by", &message, 0, "the message that confirms; default any"},
	{"else", &confirm_else, 0, "what to do after that"},
	END_OF_KEYS,
};
static const struct gw_shape confirm = {
	.what = "a confirmation", .kinds = GW_SHAPE_MAP, .keys = confirm_keys};
static const struct gw_schema_key presence_keys[] = {
	{"point", &point, GW_KEY_REQUIRED, "point that tells"},
	{"is", &scalar, GW_KEY_REQUIRED, "its value while the device is online"},
	END_OF_KEYS,
};
static const struct gw_shape presence = {
	.what = "a presence", .kinds = GW_SHAPE_MAP, .keys = presence_keys};
static const struct gw_schema_key link_keys[] = {
	{"adapter", &text, 0, "adapter that carries the messages"},
	{"every", &duration, 0, "poll interval after the last answer"},
	{"min_gap", &duration, 0, "least time between two sends"},
	{"coalesce", &duration, 0, "join writes within this time"},
	{"confirm", &confirm, 0, "confirmation of writes"},
	{"assume", &duration, 0, "how long a sent value is shown as assumed"},
	{"stale_after", &duration_or_expression, 0, "age after which a value is stale"},
	{"offline_after", &duration, 0, "silence after which the device is offline"},
	{"presence", &presence, 0, "the point that tells whether the device is online"},
	{"sleepy", &boolean, 0, "the device sleeps; writes wait for its next message"},
	{"dedup", &point, 0, "a message with an equal value of this point is dropped"},
	{"con", &boolean, 0, "CoAP: confirmable requests"},
	END_OF_KEYS,
};
static const struct gw_shape link = {.what = "the link", .kinds = GW_SHAPE_MAP, .keys = link_keys};

/* --- messages --- */

static const char *const codec_words[] = {"json", "text", "bytes", "tlv", "form", "cbor", NULL};
static const struct gw_shape codec = {.what = "a codec: json, text, bytes, tlv, form or cbor",
				      .kinds = GW_SHAPE_TEXT,
				      .words = codec_words};
static const char *const mode_words[] = {"patch", "full", "rmw", NULL};
static const struct gw_shape mode = {
	.what = "patch, full or rmw", .kinds = GW_SHAPE_TEXT, .words = mode_words};
static const char *const decode_words[] = {"none", "base64", "hex", "utf16b64", NULL};
static const struct gw_shape decode = {
	.what = "none, base64, hex or utf16b64", .kinds = GW_SHAPE_TEXT, .words = decode_words};
static const char *const on_words[] = {"bind", "online", "wake", "write", NULL};
static const struct gw_shape on_word = {
	.what = "bind, online, wake or write", .kinds = GW_SHAPE_TEXT, .words = on_words};
static const struct gw_shape on = {
	.what = "a list of bind, online, wake, write", .kinds = GW_SHAPE_LIST, .item = &on_word};
static const struct gw_shape qos = {
	.what = "0, 1 or 2", .kinds = GW_SHAPE_NUMBER, .whole = true, .min = 0, .max = 2};
static const struct gw_shape frame = {
	.what = "hex pairs", .kinds = GW_SHAPE_TEXT, .format = &gw_format_frame};
static const struct gw_shape tree = {
	.what = "a map or a list", .kinds = GW_SHAPE_MAP | GW_SHAPE_LIST, .member = &any};
static const struct gw_shape byte_or_bytes = {.what = "a byte or a list of bytes",
					      .kinds = GW_SHAPE_NUMBER | GW_SHAPE_LIST,
					      .whole = true,
					      .min = 0,
					      .max = 255,
					      .item = &byte};
static const struct gw_shape if_byte = {.what = "a map of byte offsets to values",
					.kinds = GW_SHAPE_MAP,
					.key = &gw_format_digits,
					.member = &byte_or_bytes};
static const struct gw_shape if_json = {.what = "a map of JSON Pointers to values",
					.kinds = GW_SHAPE_MAP,
					.key = &gw_format_pointer,
					.member = &scalar_or_scalars};
static const struct gw_shape types = {.what = "a map of type codes to byte types",
				      .kinds = GW_SHAPE_MAP,
				      .key = &gw_format_digits,
				      .member = &text};
static const struct gw_schema_key msg_keys[] = {
	{"rx", &text_or_texts, 0, "channels on which it arrives"},
	{"tx", &text, 0, "channel on which it is sent"},
	{"get", &text, 0, "request path whose answer it is"},
	{"put", &text, 0, "request path on which it is sent"},
	{"post", &text, 0, "request path on which it is sent"},
	{"observe", &boolean, 0, "keep the answer subscribed"},
	{"codec", &codec, 0, "how the body is coded; default json"},
	{"types", &types, 0, "tlv: byte types by type code"},
	{"ct", &count, 0, "CoAP content format"},
	{"qos", &qos, 0, "MQTT quality of service"},
	{"retain", &boolean, 0, "MQTT retain flag"},
	{"reply", &message, 0, "message that answers this one"},
	{"on", &on, 0, "when it is sent by itself"},
	{"mode", &mode, 0, "how the body is composed"},
	{"fill", &frame, 0, "bytes: the frame; -- takes the byte of the last body (rmw)"},
	{"base", &tree, 0, "tree into which points are set"},
	{"body", &any, 0, "fixed body of a message without out points"},
	{"if_byte", &if_byte, 0, "accept the frame only if all hold"},
	{"if_json", &if_json, 0, "accept the body only if all hold"},
	{"from", &text, 0, "reference to the parent's field that holds this layer"},
	{"decode", &decode, 0, "how the layer is coded in its parent"},
	{"len", &positive, 0, "bytes of the layer"},
	{"every", &duration, 0, "poll interval"},
	{"min_gap", &duration, 0, "least time between two sends"},
	{"coalesce", &duration, 0, "join writes within this time"},
	{"confirm", &confirm, 0, "confirmation of writes"},
	{"con", &boolean, 0, "CoAP: confirmable requests"},
	END_OF_KEYS,
};
static const struct gw_schema_rule msg_rules[] = {
	{GW_RULE_ANY_OF, NULL, "rx tx get put post from"},
	{GW_RULE_WITH, "decode", "from"},
	{GW_RULE_WITH, "len", "from"},
	{GW_RULE_WITH, "observe", "get rx"},
	{GW_RULE_WITHOUT, "from", "rx tx get put post reply on every observe"},
	{GW_RULE_CODEC, "types", "tlv"},
	{GW_RULE_CODEC, "fill", "bytes"},
	{GW_RULE_CODEC, "if_byte", "bytes"},
	{GW_RULE_CODEC, "base", "json cbor form"},
	{GW_RULE_CODEC, "if_json", "json cbor form"},
	{GW_RULE_END, NULL, NULL},
};
static const struct gw_shape msg = {.what = "a message",
				    .kinds = GW_SHAPE_MAP,
				    .keys = msg_keys,
				    .rules = msg_rules,
				    .check = gw_schema_message};
static const struct gw_shape msgs = {.what = "a map of messages",
				     .kinds = GW_SHAPE_MAP,
				     .max_count = GW_PROFILE_MSGS,
				     .key = &gw_format_name,
				     .member = &msg};
static const struct gw_shape map_of_any = {.what = "a map", .kinds = GW_SHAPE_MAP, .member = &any};

/* --- points --- */

static const struct gw_shape reference = {.what = "a reference or a list of references",
					  .kinds = GW_SHAPE_TEXT | GW_SHAPE_LIST,
					  .item = &text,
					  .min_count = 1};
static const struct gw_shape map = {
	.what = "a map of raws to values", .kinds = GW_SHAPE_MAP, .member = &any, .min_count = 1};
static const char *const raw_words[] = {"text", "num", "bool", NULL};
static const struct gw_shape raw = {
	.what = "text, num or bool", .kinds = GW_SHAPE_TEXT, .words = raw_words};
static const struct gw_shape order = {.what = "a whole number from 1 to 99",
				      .kinds = GW_SHAPE_NUMBER,
				      .whole = true,
				      .min = 1,
				      .max = 99};
static const char *const pack_words[] = {"base64", "hex", NULL};
static const struct gw_shape pack = {
	.what = "base64 or hex", .kinds = GW_SHAPE_TEXT, .words = pack_words};
static const struct gw_shape bit = {
	.what = "a bit (0 to 7)", .kinds = GW_SHAPE_NUMBER, .whole = true, .min = 0, .max = 7};
static const struct gw_shape width = {
	.what = "1 to 8 bits", .kinds = GW_SHAPE_NUMBER, .whole = true, .min = 1, .max = 8};
static const struct gw_schema_key field_keys[] = {
	{"at", &count, GW_KEY_REQUIRED, "byte of the record"},
	{"as", &text, 0, "type; default u8"},
	{"bit", &bit, 0, "first bit"},
	{"w", &width, 0, "number of bits"},
	{"mul", &number, 0, "value = raw·mul/div + add"},
	{"div", &number, 0, "value = raw·mul/div + add"},
	{"add", &number, 0, "value = raw·mul/div + add"},
	END_OF_KEYS,
};
static const struct gw_schema_rule field_rules[] = {
	{GW_RULE_WITH, "w", "bit"},
	{GW_RULE_END, NULL, NULL},
};
static const struct gw_shape field = {.what = "a field of a record",
				      .kinds = GW_SHAPE_MAP,
				      .keys = field_keys,
				      .rules = field_rules,
				      .check = gw_schema_point};
static const struct gw_shape fields = {.what = "a map of fields",
				       .kinds = GW_SHAPE_MAP,
				       .min_count = 1,
				       .max_count = 64,
				       .key = &gw_format_name,
				       .member = &field};
static const struct gw_shape head = {.what = "a map of offsets to bytes",
				     .kinds = GW_SHAPE_MAP,
				     .key = &gw_format_digits,
				     .member = &byte};
static const struct gw_schema_key list_keys[] = {
	{"at", &count, 0, "byte of the first record; default 0"},
	{"stride", &positive, GW_KEY_REQUIRED, "bytes from one record to the next"},
	{"count", &positive, GW_KEY_REQUIRED, "most records"},
	{"head", &head, 0, "fixed bytes before the records"},
	{"pad", &byte, 0, "a record of only these bytes ends the list"},
	{"fields", &fields, GW_KEY_REQUIRED, "what a record holds"},
	END_OF_KEYS,
};
static const struct gw_shape list = {
	.what = "a packed list", .kinds = GW_SHAPE_MAP, .keys = list_keys};
static const struct gw_schema_key point_keys[] = {
	{"in", &reference, 0, "where it is read"},
	{"out", &reference, 0, "where it is written"},
	{"io", &reference, 0, "both"},
	{"as", &text, 0, "type of the raw"},
	{"na", &scalar_or_scalars, 0, "raws that mean unknown"},
	{"map", &map, 0, "values by text form of the raw"},
	{"else", &any, 0, "value of a raw that is not in map; keep: the raw"},
	{"raw", &raw, 0, "type of the raws that map writes"},
	{"mul", &number, 0, "value = raw·mul/div + add"},
	{"div", &number, 0, "value = raw·mul/div + add"},
	{"add", &number, 0, "value = raw·mul/div + add"},
	{"frac", &boolean, 0, "the written raw keeps 6 decimals"},
	{"init", &any, 0, "raw before anything was received"},
	{"absent", &any, 0, "raw when its message arrives without it"},
	{"oneshot", &boolean, 0, "an assigned value is used for one send only"},
	{"order", &order, 0, "order of messages"},
	{"list", &list, 0, "packed records"},
	{"pack", &pack, 0, "how packed records are coded as text"},
	END_OF_KEYS,
};
static const struct gw_schema_rule point_rules[] = {
	{GW_RULE_ANY_OF, NULL, "in out io"},
	{GW_RULE_WITHOUT, "io", "in out"},
	{GW_RULE_WITHOUT, "map", "mul div add"},
	{GW_RULE_WITH, "else", "map"},
	{GW_RULE_WITH, "raw", "map"},
	{GW_RULE_WITH, "pack", "list"},
	{GW_RULE_WITHOUT, "list", "as map mul div add frac"},
	{GW_RULE_END, NULL, NULL},
};
static const struct gw_shape point_def = {.what = "a point",
					  .kinds = GW_SHAPE_MAP,
					  .keys = point_keys,
					  .rules = point_rules,
					  .check = gw_schema_point};
static const struct gw_shape points = {.what = "a map of points",
				       .kinds = GW_SHAPE_MAP,
				       .max_count = GW_PROFILE_POINTS,
				       .key = &gw_format_point,
				       .member = &point_def};

/* --- capabilities --- */

static const struct gw_shape range = {
	.what = "[min, max] or [min, max, step]",
	.code = "range",
	.kinds = GW_SHAPE_LIST,
	.min_count = 2,
	.max_count = 3,
	.item = &(const struct gw_shape){.what = "a number or the name of a point",
					 .code = "range",
					 .kinds = GW_SHAPE_NUMBER | GW_SHAPE_TEXT},
	.check = gw_schema_range};
static const struct gw_shape plain_range = {
	.what = "[lo, hi]",
	.code = "range",
	.kinds = GW_SHAPE_LIST,
	.min_count = 2,
	.max_count = 2,
	.item = &(const struct gw_shape){.what = "a number",
					 .code = "range",
					 .kinds = GW_SHAPE_NUMBER},
	.check = gw_schema_range};
static const struct gw_shape symbols = {
	.what = "a list of symbols", .kinds = GW_SHAPE_LIST, .min_count = 1, .item = &text};
static const struct gw_schema_key limit_keys[] = {
	{"if", &condition, 0, "when the rule holds; none: always"},
	{"range", &range, 0, "range while it holds"},
	{"enum", &symbols, 0, "symbols while it holds"},
	{"ro", &boolean, 0, "not written while it holds"},
	END_OF_KEYS,
};
static const struct gw_shape limit = {
	.what = "a limits rule", .kinds = GW_SHAPE_MAP, .keys = limit_keys};
static const struct gw_shape limits = {
	.what = "a list of limits rules", .kinds = GW_SHAPE_LIST, .min_count = 1, .item = &limit};

/* A cell: a literal (also null), a list of literals, or any. The value of a row: whatever the capability's type takes. */
static const struct gw_shape row = {.what = "a row: [cells…, value] or {cells, value, ro}",
				    .kinds = GW_SHAPE_LIST | GW_SHAPE_MAP,
				    .keys = (const struct gw_schema_key[]){
					    {"cells",
					     &(const struct gw_shape){.what = "a list of cells",
								      .kinds = GW_SHAPE_LIST,
								      .item = &scalar_or_scalars},
					     GW_KEY_REQUIRED, "one for each point of the table"},
					    {"value", &any, GW_KEY_REQUIRED, "what is read"},
					    {"ro", &boolean, 0, "never written"},
					    END_OF_KEYS,
				    }};
static const struct gw_shape rows = {.what = "a list of rows",
				     .kinds = GW_SHAPE_LIST,
				     .min_count = 1,
				     .max_count = GW_PROFILE_ROWS,
				     .item = &row};
static const struct gw_shape columns = {.what = "a list of 1 to 8 points",
					.code = "schema",
					.kinds = GW_SHAPE_LIST,
					.min_count = 1,
					.max_count = 8,
					.item = &point};
static const struct gw_shape parts = {.what = "a map of points to weights",
				      .kinds = GW_SHAPE_MAP,
				      .min_count = 1,
				      .member = &number};
static const struct gw_shape flags = {.what = "a map of bits to symbols",
				      .kinds = GW_SHAPE_MAP,
				      .min_count = 1,
				      .key = &gw_format_digits,
				      .member = &text};
static const char *const event_words[] = {"arrival", "change", NULL};
static const struct gw_shape event_on = {
	.what = "arrival or change", .kinds = GW_SHAPE_TEXT, .words = event_words};
static const struct gw_schema_key event_keys[] = {
	{"point", &point, GW_KEY_REQUIRED, "point whose arrival is the event"},
	{"only", &scalar_or_scalars, 0, "only these values"},
	{"on", &event_on, 0, "arrival, or only change"},
	END_OF_KEYS,
};
static const struct gw_shape event = {
	.what = "an event", .kinds = GW_SHAPE_MAP, .keys = event_keys};

/* The forms that also stand inside select. */
#define INNER_FORM_KEYS                                                                            \
	{"point", &point, 0, "read and write this point"},                                         \
		{"mul", &number, 0, "value·mul/div + add"},                                        \
		{"div", &number, 0, "value·mul/div + add"},                                        \
		{"add", &number, 0, "value·mul/div + add; of parts: added to the sum"},            \
		{"table", &columns, 0, "points of the columns"},                                   \
		{"rows", &rows, 0, "rows: cells, then the value"},                                 \
		{"else", &any, 0, "value when no row matches"},                                    \
		{"parts", &parts, 0, "sum of points by weight"},                                   \
		{"flags", &flags, 0, "symbols by bit"},                                            \
		{"rw", &boolean, 0, "flags can be written"},                                       \
		{"expr", &expression, 0, "expression"},                                            \
	{                                                                                          \
		"const", &any, 0, "constant"                                                       \
	}
#define INNER_FORM_RULES                                                                           \
	{GW_RULE_WITH, "rows", "table"}, {GW_RULE_WITH, "table", "rows"},                          \
		{GW_RULE_WITH, "else", "table"}, {GW_RULE_WITH, "mul", "point"},                   \
		{GW_RULE_WITH, "div", "point"}, {GW_RULE_WITH, "add", "point parts"},              \
		{GW_RULE_WITH, "flags", "point"},                                                  \
	{                                                                                          \
		GW_RULE_WITH, "rw", "flags"                                                        \
	}

static const struct gw_schema_key entry_keys[] = {
	{"if", &condition, 0, "when this entry is read"},
	{"for", &plain_range, 0, "wanted values that it writes"},
	INNER_FORM_KEYS,
	{"set", &assignments, 0, "what else a write assigns"},
	END_OF_KEYS,
};
static const struct gw_schema_rule entry_rules[] = {
	{GW_RULE_ANY_OF, NULL, "point table parts flags expr const"},
	INNER_FORM_RULES,
	{GW_RULE_END, NULL, NULL},
};
static const struct gw_shape entry = {.what = "a select entry",
				      .kinds = GW_SHAPE_MAP,
				      .keys = entry_keys,
				      .rules = entry_rules,
				      .check = gw_schema_table};
static const struct gw_shape select = {
	.what = "a list of select entries", .kinds = GW_SHAPE_LIST, .min_count = 1, .item = &entry};

static const char *const type_words[] = {"bool", "int",	 "num", "enum", "str",
					 "time", "list", "rec", NULL};
static const struct gw_shape type = {.what = "a type: bool, int, num, enum, str, time, list or rec",
				     .code = "type",
				     .kinds = GW_SHAPE_TEXT,
				     .words = type_words};
static const struct gw_shape resolution = {.what = "a resolution: above 0, at most 6 decimals",
					   .code = "res",
					   .kinds = GW_SHAPE_NUMBER,
					   .check = gw_schema_resolution};
static const struct gw_schema_key arg_keys[] = {
	{"type", &type, 0, "type; default the model's"},
	{"range", &range, 0, "range"},
	{"enum", &symbols, 0, "symbols"},
	{"default", &scalar_or_null, 0, "value when the argument is missing"},
	END_OF_KEYS,
};
static const struct gw_shape arg = {.what = "an argument", .kinds = GW_SHAPE_MAP, .keys = arg_keys};
static const struct gw_shape args = {.what = "a map of arguments",
				     .kinds = GW_SHAPE_MAP,
				     .key = &gw_format_variable,
				     .max_count = 32,
				     .member = &arg};
static const struct gw_shape safe = {
	.what = "a list of values", .kinds = GW_SHAPE_LIST, .item = &any};
static const struct gw_schema_key cap_keys[] = {
	INNER_FORM_KEYS,
	{"select", &select, 0, "the first entry that holds gives the form"},
	{"set", &assignments, 0, "what a write of expr assigns"},
	{"event", &event, 0, "event form"},
	{"toggle", &message, 0, "message that inverts the value"},
	{"send", &messages, 0, "action: messages to send"},
	{"action", &assignments, 0, "action: points to assign"},
	{"args", &args, 0, "action: arguments"},
	{"type", &type, 0, "x.: type"},
	{"unit", &text, 0, "x.: unit (UCUM)"},
	{"enum", &symbols, 0, "symbols; narrows the model's"},
	{"res", &resolution, 0, "resolution"},
	{"range", &range, 0, "range: numbers or points"},
	{"limits", &limits, 0, "ranges, symbols and writability by state"},
	{"avail", &condition, 0, "when the capability is there"},
	{"also", &assignments, 0, "side effects of a write"},
	{"ro", &boolean, 0, "never written"},
	{"safe", &safe, 0, "values that the compatibility test may write"},
	{"confirm", &confirm, 0, "confirmation of writes"},
	{"assume", &duration, 0, "how long a sent value is shown as assumed"},
	{"stale_after", &duration_or_expression, 0, "age after which the value is stale"},
	{"renew", &duration, 0, "the last written value is written again at this interval"},
	{"name", &label, 0, "label"},
	END_OF_KEYS,
};
static const struct gw_schema_rule cap_rules[] = {
	INNER_FORM_RULES,
	{GW_RULE_WITH, "set", "expr"},
	{GW_RULE_WITH, "toggle", "expr point"},
	{GW_RULE_WITH, "args", "action send"},
	{GW_RULE_END, NULL, NULL},
};
static const struct gw_shape cap = {.what = "a capability",
				    .kinds = GW_SHAPE_MAP,
				    .keys = cap_keys,
				    .rules = cap_rules,
				    .check = gw_schema_table};
static const struct gw_shape caps = {.what = "a map of capabilities",
				     .kinds = GW_SHAPE_MAP,
				     .max_count = GW_PROFILE_CAPS,
				     .known = GW_KNOWN_CAPS,
				     .member = &cap};

static const struct gw_schema_key component_keys[] = {
	{"name", &label, 0, "label"},
	{"type", &text, 0, "device type of the component", GW_KNOWN_TYPES},
	{"caps", &caps, 0, "capabilities"},
	END_OF_KEYS,
};
static const struct gw_shape component = {
	.what = "a component", .kinds = GW_SHAPE_MAP, .keys = component_keys};
static const struct gw_shape components = {.what = "a map of components",
					   .kinds = GW_SHAPE_MAP,
					   .max_count = GW_PROFILE_CAPS,
					   .key = &gw_format_name,
					   .member = &component};

/* --- composition: the content is checked where it is put together --- */

static const struct gw_shape list_of_maps = {
	.what = "a list of maps", .kinds = GW_SHAPE_LIST, .item = &map_of_any};
static const struct gw_schema_key variant_keys[] = {
	{"if", &var_condition, GW_KEY_REQUIRED, "variables and their tests"},
	{"link", &map_of_any, 0, "merged into link"},
	{"msgs", &map_of_any, 0, "merged into msgs"},
	{"points", &map_of_any, 0, "merged into points"},
	{"caps", &map_of_any, 0, "merged into caps"},
	{"components", &map_of_any, 0, "merged into components"},
	{"repeat", &list_of_maps, 0, "appended to repeat"},
	END_OF_KEYS,
};
static const struct gw_shape variant = {
	.what = "a variant", .kinds = GW_SHAPE_MAP, .keys = variant_keys};
static const struct gw_shape variants = {
	.what = "a list of variants", .kinds = GW_SHAPE_LIST, .max_count = 64, .item = &variant};

static const struct gw_shape loop_list = {
	.what = "a list of values", .kinds = GW_SHAPE_LIST, .item = &any};
static const struct gw_shape loops = {.what = "a map of loop names to lists",
				      .kinds = GW_SHAPE_MAP,
				      .min_count = 1,
				      .key = &gw_format_variable,
				      .member = &loop_list};
static const struct gw_schema_key repeat_keys[] = {
	{"for", &loops, GW_KEY_REQUIRED, "loop names and their values, in parallel"},
	{"msgs", &map_of_any, 0, "copied for each round"},
	{"points", &map_of_any, 0, "copied for each round"},
	{"caps", &map_of_any, 0, "copied for each round"},
	{"components", &map_of_any, 0, "copied for each round"},
	END_OF_KEYS,
};
static const struct gw_shape block = {
	.what = "a repeat block", .kinds = GW_SHAPE_MAP, .keys = repeat_keys};
static const struct gw_shape repeat = {
	.what = "a list of repeat blocks", .kinds = GW_SHAPE_LIST, .item = &block};

/* --- tests --- */

static const struct gw_shape one_body = {.what = "{message: body}",
					 .kinds = GW_SHAPE_MAP,
					 .code = "schema",
					 .min_count = 1,
					 .max_count = 1,
					 .member = &any};
static const struct gw_shape bodies = {
	.what = "a list of {message: body}", .kinds = GW_SHAPE_LIST, .item = &one_body};
static const struct gw_shape one_event = {.what = "{address: value}",
					  .kinds = GW_SHAPE_MAP,
					  .code = "schema",
					  .min_count = 1,
					  .max_count = 1,
					  .member = &any};
static const struct gw_shape events = {
	.what = "a list of {address: value}", .kinds = GW_SHAPE_LIST, .item = &one_event};
static const struct gw_shape map_or_null = {
	.what = "a map or null", .kinds = GW_SHAPE_MAP | GW_SHAPE_NULL, .member = &any};
static const struct gw_shape act = {.what = "[address, {args}]",
				    .kinds = GW_SHAPE_LIST | GW_SHAPE_MAP,
				    .code = "schema",
				    .min_count = 1,
				    .max_count = 2,
				    .item = &any,
				    .member = &any};
static const struct gw_shape var_values = {
	.what = "a map of variables to values", .kinds = GW_SHAPE_MAP, .member = &scalar_or_null};

#define STEP_KEYS                                                                                  \
	{"match", &map_of_any, 0, "observation"},                                                  \
		{"vars_out", &map_or_null, 0, "variables that it binds; null: no match"},          \
		{"rx", &bodies, 0, "messages received, in order"},                                 \
		{"want", &map_of_any, 0, "values after rx"},                                       \
		{"events", &events, 0, "all events of rx"},                                        \
		{"write", &map_of_any, 0, "values to write"},                                      \
		{"act", &act, 0, "action: [address, {args}]"},                                     \
		{"tx", &bodies, 0, "all messages sent, in order"},                                 \
	{                                                                                          \
		"error", &text, 0, "code that is expected"                                         \
	}
#define STEP_RULES                                                                                 \
	{GW_RULE_WITHOUT, "write", "act"},                                                         \
	{                                                                                          \
		GW_RULE_WITH, "vars_out", "match"                                                  \
	}

static const struct gw_schema_key step_keys[] = {
	{"reset", &boolean, 0, "begin with a fresh device"},
	STEP_KEYS,
	END_OF_KEYS,
};
static const struct gw_schema_rule step_rules[] = {
	STEP_RULES,
	{GW_RULE_END, NULL, NULL},
};
static const struct gw_shape step = {
	.what = "a step", .kinds = GW_SHAPE_MAP, .keys = step_keys, .rules = step_rules};
static const struct gw_shape steps = {
	.what = "a list of steps", .kinds = GW_SHAPE_LIST, .min_count = 1, .item = &step};
static const struct gw_schema_key test_keys[] = {
	{"name", &text, GW_KEY_REQUIRED, "unique name"},
	{"vars", &var_values, 0, "variables of this test"},
	STEP_KEYS,
	{"steps", &steps, 0, "several steps on one device"},
	END_OF_KEYS,
};
static const struct gw_schema_rule test_rules[] = {
	STEP_RULES,
	{GW_RULE_WITHOUT, "steps", "match vars_out rx want events write act tx error"},
	{GW_RULE_END, NULL, NULL},
};
static const struct gw_shape test = {
	.what = "a test", .kinds = GW_SHAPE_MAP, .keys = test_keys, .rules = test_rules};
static const struct gw_shape tests = {
	.what = "a list of tests", .kinds = GW_SHAPE_LIST, .item = &test, .check = gw_schema_tests};

/* --- the file --- */

static const struct gw_shape language = {.what = "the language version 1",
					 .kinds = GW_SHAPE_NUMBER,
					 .whole = true,
					 .min = 0.5,
					 .max = 1.5};
static const struct gw_shape id = {
	.what = "an id", .kinds = GW_SHAPE_TEXT, .format = &gw_format_id};
static const struct gw_shape ids = {
	.what = "a list of profile ids", .kinds = GW_SHAPE_LIST, .item = &id};
static const struct gw_shape version = {
	.what = "a version a.b.c", .kinds = GW_SHAPE_TEXT, .format = &gw_format_version};
static const struct gw_shape moved = {
	.what = "a map of old addresses to new ones", .kinds = GW_SHAPE_MAP, .member = &text};
static const char *const level_words[] = {"info", "warn", "block", NULL};
static const struct gw_shape level = {
	.what = "info, warn or block", .kinds = GW_SHAPE_TEXT, .words = level_words};
static const struct gw_schema_key advice_keys[] = {
	{"if", &var_condition, 0, "when it is shown; none: always"},
	{"level", &level, GW_KEY_REQUIRED, "block prevents adoption"},
	{"text", &label, GW_KEY_REQUIRED, "what is shown"},
	END_OF_KEYS,
};
static const struct gw_shape advice = {.what = "a list of advice",
				       .kinds = GW_SHAPE_LIST,
				       .item = &(const struct gw_shape){.what = "a piece of advice",
									.kinds = GW_SHAPE_MAP,
									.keys = advice_keys}};

#define NOT_LAX (GW_KEY_REQUIRED | GW_KEY_LAX)

static const struct gw_schema_key top_keys[] = {
	{"profile", &language, NOT_LAX, "language version"},
	{"id", &id, NOT_LAX, "unique; the file name for extends and use"},
	{"version", &version, NOT_LAX, "version of the profile, a.b.c"},
	{"type", &text, NOT_LAX | GW_KEY_FRAGMENT, "device type of the model", GW_KNOWN_TYPES},
	{"name", &label, NOT_LAX, "label"},
	{"license", &text, 0, "SPDX id of the data"},
	{"fragment", &boolean, 0, "only for use; needs no match, type, tests"},
	{"extends", &id, 0, "profile whose content is inherited"},
	{"use", &ids, 0, "fragments whose content is merged"},
	{"repeat", &repeat, 0, "blocks that are copied with loop values"},
	{"variants", &variants, GW_KEY_LATER, "content that depends on variables"},
	{"match", &match, GW_KEY_LATER, "how the product is recognised"},
	{"vars", &vars, 0, "variables of a device"},
	{"link", &link, 0, "pacing, confirmation, presence"},
	{"msgs", &msgs, GW_KEY_LATER, "native messages"},
	{"points", &points, GW_KEY_LATER, "raw points"},
	{"caps", &caps, GW_KEY_LATER, "capabilities of main"},
	{"components", &components, GW_KEY_LATER, "further components"},
	{"moved", &moved, 0, "old addresses and what they act on now"},
	{"advice", &advice, 0, "what the owner should know"},
	{"no_test", &texts, 0, "never driven by the compatibility test"},
	{"tests", &tests, NOT_LAX | GW_KEY_FRAGMENT | GW_KEY_IMPORTED | GW_KEY_LATER, "vectors"},
	END_OF_KEYS,
};
const struct gw_shape gw_schema_top = {
	.what = "a profile", .kinds = GW_SHAPE_MAP, .keys = top_keys};
