/* The recording: messages in their order, topics by name; and its lines of JSON. */
#include <errno.h>

#include "gw/alloc.h"
#include "gw/json.h"
#include "gw/map.h"
#include "gw/topic.h"
#include "profile/import/traffic.h"
#include "profile/plan.h"

#define ARENA_BYTES ((size_t)GW_TRAFFIC_BYTES * 2)     /* payloads and topics */
#define LINE_BYTES  ((size_t)GW_BODY_BYTES * 6 + 4096) /* every byte of a payload escaped */

GW_DEFINE_AUTO(struct gw_arena, gw_arena_free)

struct gw_traffic *gw_traffic_new(void)
{
	struct gw_traffic *t = gw_new(struct gw_traffic);
	if (!t) {
		return NULL;
	}
	t->arena = gw_arena_new(ARENA_BYTES);
	t->by_name = gw_map_new(GW_TRAFFIC_MESSAGES);
	t->topics = gw_array(struct gw_traffic_topic, GW_TRAFFIC_MESSAGES);
	t->messages = gw_array(struct gw_recorded, GW_TRAFFIC_MESSAGES);
	if (!t->arena || !t->by_name || !t->topics || !t->messages) {
		gw_traffic_free(t);
		return NULL;
	}
	return t;
}

void gw_traffic_free(struct gw_traffic *t)
{
	if (!t) {
		return;
	}
	gw_map_free(t->by_name, /* free_value= */ NULL);
	gw_arena_free(t->arena);
	gw_free(t->topics);
	gw_free(t->messages);
	gw_free(t);
}

size_t gw_traffic_messages(const struct gw_traffic *t)
{
	return t->n_messages;
}

size_t gw_traffic_topics(const struct gw_traffic *t)
{
	return t->n_topics;
}

static const char *importer_of(struct gw_str topic)
{
	const struct gw_importer_class *c;
	for (size_t i = 0; (c = gw_importer_class_at(i)) != NULL; i++) {
		for (size_t k = 0; c->filters[k]; k++) {
			if (gw_topic_matches(gw_str(c->filters[k]), topic)) {
				return c->name;
			}
		}
	}
	return NULL;
}

static struct gw_traffic_topic *topic_of(struct gw_traffic *t, struct gw_str name,
					 struct gw_str body)
{
	struct gw_traffic_topic *topic = gw_map_find(t->by_name, name);
	if (topic) {
		return topic;
	}
	struct gw_str copy = gw_arena_text(t->arena, name);
	topic = &t->topics[t->n_topics]; /* not more topics than messages */
	if (!copy.p || gw_map_put(t->by_name, copy, topic) < 0) {
		return NULL;
	}
	*topic = (struct gw_traffic_topic){.name = copy,
					   .importer = importer_of(copy),
					   .tree = gw_str_starts(gw_str_trim(body), "{")};
	t->n_topics++;
	return topic;
}

int gw_traffic_add(struct gw_traffic *t, const struct gw_traffic_message *m)
{
	if (!gw_topic_is_topic(m->topic)) {
		return -EINVAL;
	}
	if (m->payload.len > GW_BODY_BYTES) {
		return -E2BIG;
	}
	if (t->n_messages == GW_TRAFFIC_MESSAGES || t->bytes + m->payload.len > GW_TRAFFIC_BYTES) {
		return -ENOSPC;
	}
	struct gw_str payload = gw_arena_text(t->arena, m->payload);
	struct gw_traffic_topic *topic = payload.p ? topic_of(t, m->topic, payload) : NULL;
	if (!topic) {
		return -ENOMEM;
	}
	topic->messages++;
	topic->retained |= m->retained;
	t->bytes += payload.len;
	t->messages[t->n_messages++] = (struct gw_recorded){
		.topic = (uint32_t)(topic - t->topics),
		.retained = m->retained,
		.payload = payload,
	};
	return 0;
}

/* --- lines --- */

static bool is_text(struct gw_str s)
{
	return gw_str_is_utf8(s) && (s.len == 0 || !memchr(s.p, 0, s.len));
}

void gw_traffic_write_line(const struct gw_traffic_message *m, struct gw_buf *b)
{
	gw_buf_puts(b, "{\"topic\":");
	gw_json_write_text(b, m->topic);
	if (is_text(m->payload)) {
		gw_buf_puts(b, ",\"payload\":");
		gw_json_write_text(b, m->payload);
	} else {
		gw_buf_puts(b, ",\"hex\":\"");
		for (size_t i = 0; i < m->payload.len; i++) {
			gw_buf_printf(b, "%02x", (unsigned)(unsigned char)m->payload.p[i]);
		}
		gw_buf_putc(b, '"');
	}
	gw_buf_printf(b, ",\"retained\":%s}", m->retained ? "true" : "false");
}

static bool text_member(const struct gw_node *line, const char *key, struct gw_str *ret_text)
{
	const struct gw_node *n = gw_node_get(line, key);
	if (!n || n->type != GW_NODE_TEXT) {
		return false;
	}
	*ret_text = n->text;
	return true;
}

int gw_traffic_read_line(struct gw_traffic *t, struct gw_str line, struct gw_error *reterr_)
{
	const struct gw_node_limits limits = {
		.max_bytes = LINE_BYTES, .max_depth = 2, .max_nodes = 8};
	GW_AUTO(gw_arena_free_auto) struct gw_arena *a = gw_arena_new(4 * LINE_BYTES);
	GW_AUTO(gw_buf_fini) struct gw_buf bytes = GW_BUF_INIT(GW_BODY_BYTES + 1);
	struct gw_traffic_message m = {.topic = {NULL, 0}};
	struct gw_node *root = NULL;
	struct gw_str hex;
	line = gw_str_trim(line);
	if (line.len == 0) {
		return 0;
	}
	if (!a) {
		return -ENOMEM;
	}
	int r = gw_node_parse_json(a, line, &limits, &root, reterr_);
	if (r < 0) {
		return r;
	}
	const struct gw_node *retained = gw_node_get(root, "retained");
	m.retained = retained && retained->type == GW_NODE_BOOL && retained->flag;
	bool ok = text_member(root, "topic", &m.topic);
	if (ok && text_member(root, "hex", &hex)) {
		ok = gw_hex_decode(hex, &bytes) == 0;
		m.payload = gw_buf_str(&bytes);
	} else {
		ok = ok && text_member(root, "payload", &m.payload);
	}
	if (!ok) {
		return gw_error_set(
			reterr_, -EINVAL, "syntax",
			"expected {\"topic\":text, \"payload\":text, \"retained\":bool}");
	}
	r = gw_traffic_add(t, &m);
	return r == -EINVAL ? gw_error_set(reterr_, r, "syntax", "\"%.*s\" is no topic",
					   (int)(m.topic.len > 80 ? 80 : m.topic.len), m.topic.p)
			    : r;
}
