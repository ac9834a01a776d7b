/*
 * Adapter "mqtt": any MQTT dialect over the broker of the home (gw/broker.h). A channel is a topic; the channels on which
 * a device is heard may be filters. It has no options of its own: the section `broker:` says where the broker is.
 *
 * Several devices may listen to one topic (a bridge's availability). A message finds its devices through a trie, so it costs the same
 * among ten devices and among thousands. The devices of a message are noted before the first of them hears it, because what a device
 * says may make the host attach and detach.
 */
#include <errno.h>

#include "gw/adapter.h"
#include "gw/alloc.h"
#include "gw/broker.h"
#include "gw/limits.h"
#include "gw/list.h"
#include "gw/mqtt_link.h"
#include "gw/topic.h"

#define LISTEN_QOS                                                                                 \
	0 /* a newer reading follows; QoS 1 would cost the broker an acknowledgement each */
#define SENDS GW_COMMANDS_PENDING /* unacknowledged at a time */
#define TAG_DISCOVER                                                                               \
	UINT32_MAX /* this and the one below; a device's tag is the index of its channel */

struct hit {
	struct gw_adapter_device *device; /* NULL: detached meanwhile */
	uint16_t channel;
};

struct pending {
	struct gw_list node;
	struct gw_send *send;
	int mid;
};

struct mqtt_adapter {
	struct gw_adapter *self;
	struct gw_mqtt_link *link;
	struct gw_topic_trie *trie;
	struct gw_list pending; /* oldest first */
	size_t n_pending;
	bool stopping;

	char **discover; /* owned */
	size_t n_discover;
	uint32_t discover_tag;

	struct hit *hits; /* devices of the message that is being delivered */
	size_t n_hits, hits_size;
	bool hit_discovery;
	size_t n_entries; /* in the trie: no message can hit more */
};

/* --- the trie and the subscriptions --- */

static int reserve_hits(struct mqtt_adapter *m, size_t more)
{
	size_t want = m->n_entries + more;
	if (want <= m->hits_size) {
		return 0;
	}
	size_t size = want < 32 ? 64 : want * 2;
	struct hit *p = gw_realloc(m->hits, size, sizeof(*p));
	if (!p) {
		return -ENOMEM;
	}
	m->hits = p;
	m->hits_size = size;
	return 0;
}

static void forget(struct mqtt_adapter *m, struct gw_str filter, void *subscriber, uint32_t tag)
{
	bool last = false;
	if (gw_topic_trie_remove(m->trie, filter, subscriber, tag, &last) < 0) {
		return; /* attach had failed before it */
	}
	m->n_entries--;
	if (last) {
		(void)!gw_mqtt_link_unsubscribe(
			m->link, filter); /* was subscribed, else it would not be there */
	}
}

static int listen_to(struct mqtt_adapter *m, struct gw_str filter, void *subscriber, uint32_t tag)
{
	bool first = false;
	int r = reserve_hits(m, 1);
	if (r == 0) {
		r = gw_topic_trie_add(m->trie, filter, subscriber, tag, &first);
	}
	if (r < 0) {
		return r;
	}
	m->n_entries++;
	if (first) {
		r = gw_mqtt_link_subscribe(m->link, filter, LISTEN_QOS);
		if (r < 0) {
			forget(m, filter, subscriber, tag);
		}
	}
	return r;
}

static void note_hit(void *ctx, void *subscriber, uint32_t tag)
{
	struct mqtt_adapter *m = ctx;
	if (subscriber == m) {
		m->hit_discovery = true; /* several filters may match; it is one announcement */
	} else {
		m->hits[m->n_hits++] = (struct hit){subscriber, (uint16_t)tag};
	}
}

/* --- from the broker --- */

static void on_message(void *ctx, const struct gw_mqtt_message *in)
{
	struct mqtt_adapter *m = ctx;
	m->n_hits = 0;
	m->hit_discovery = false;
	(void)gw_topic_trie_match(m->trie, in->topic, note_hit, m);
	for (size_t i = 0; i < m->n_hits; i++) {
		const struct hit h = m->hits[i];
		if (h.device) {
			gw_adapter_receive(h.device, h.channel, in->payload, in->retained);
		}
	}
	m->n_hits = 0;
	if (m->hit_discovery) {
		gw_adapter_found(m->self, "mqtt", in->topic, in->payload, in->retained);
	}
}

static void on_flush(void *ctx)
{
	struct mqtt_adapter *m = ctx;
	gw_adapter_flush(m->self);
}

static void drop_pending(struct mqtt_adapter *m, struct pending *p)
{
	p->send->impl = NULL;
	gw_list_remove(&p->node);
	m->n_pending--;
	gw_free(p);
}

static void finish(struct mqtt_adapter *m, struct pending *p, enum gw_status status)
{
	struct gw_send *s = p->send;
	drop_pending(m, p);
	gw_send_done(s, status);
}

static void finish_all(struct mqtt_adapter *m, enum gw_status status)
{
	/* Not those that the host sends from within. */
	for (size_t n = m->n_pending; n > 0 && m->n_pending > 0; n--) {
		finish(m, gw_container(m->pending.next, struct pending, node), status);
	}
}

/* The oldest come first, and the broker acknowledges in order, so this looks at one or two. */
static void on_published(void *ctx, int mid)
{
	struct mqtt_adapter *m = ctx;
	gw_list_for(pos, &m->pending)
	{
		struct pending *p = gw_container(pos, struct pending, node);
		if (p->mid == mid) {
			finish(m, p, GW_STATUS_DONE);
			return;
		}
	}
}

static void on_state(void *ctx, enum gw_link_state state, const char *reason)
{
	struct mqtt_adapter *m = ctx;
	if (state != GW_LINK_UP) {
		/* Whether the broker had them is not known; the host finds out by the device's echo, or asks again. */
		finish_all(m, GW_STATUS_UNREACHABLE);
	}
	gw_adapter_link(m->self, state, reason);
}

/* --- the contract --- */

static int mqtt_init(struct gw_adapter *a)
{
	struct mqtt_adapter *m = a->impl;
	m->self = a;
	gw_list_init(&m->pending);
	if (!a->broker) {
		return -EINVAL;
	}
	m->trie = gw_topic_trie_new();
	if (!m->trie) {
		return -ENOMEM;
	}
	static const struct gw_mqtt_ops ops = {on_state, on_message, on_flush, on_published};
	return gw_mqtt_link_new(a->loop, gw_broker_endpoint(a->broker, GW_BROKER_ADAPTER),
				/* client_id= */ NULL, /* will= */ NULL, &ops, m, &m->link);
}

static int mqtt_start(struct gw_adapter *a)
{
	struct mqtt_adapter *m = a->impl;
	return gw_mqtt_link_start(m->link);
}

static void on_stopped(void *ctx)
{
	struct mqtt_adapter *m = ctx;
	gw_adapter_stopped(m->self);
}

static void mqtt_stop(struct gw_adapter *a)
{
	struct mqtt_adapter *m = a->impl;
	if (m->stopping) {
		return;
	}
	m->stopping = true;
	finish_all(m, GW_STATUS_UNREACHABLE);
	gw_mqtt_link_stop(m->link, on_stopped);
}

static void drop_discover(struct mqtt_adapter *m, char **filters, size_t n, uint32_t tag)
{
	for (size_t i = 0; i < n; i++) {
		forget(m, gw_str(filters[i]), m, tag);
		gw_free(filters[i]);
	}
	gw_free(filters);
}

static void mqtt_fini(struct gw_adapter *a)
{
	struct mqtt_adapter *m = a->impl;
	if (m->link) {
		drop_discover(m, m->discover, m->n_discover, m->discover_tag);
	}
	gw_mqtt_link_free(m->link);
	gw_topic_trie_free(m->trie);
	gw_free(m->hits);
	*m = (struct mqtt_adapter){.self = a};
}

/*
 * The new filters are taken before the old are given up, under another tag, so that what is in both is not subscribed anew and its
 * retained messages do not come again.
 */
static int mqtt_discover(struct gw_adapter *a, const char *const *channels, size_t n)
{
	struct mqtt_adapter *m = a->impl;
	char **next = gw_array(char *, n + 1);
	if (!next) {
		return -ENOMEM;
	}
	uint32_t tag = m->discover_tag == TAG_DISCOVER ? TAG_DISCOVER - 1 : TAG_DISCOVER;
	size_t taken = 0;
	int r = 0;
	for (size_t i = 0; i < n && r == 0; i++) {
		next[taken] = gw_strdup(channels[i]);
		r = next[taken] ? listen_to(m, gw_str(channels[i]), m, tag) : -ENOMEM;
		if (r == 0) {
			taken++;
		} else {
			gw_free(next[taken]);
			r = r == -EEXIST ? 0 : r; /* twice in the set */
		}
	}
	if (r < 0) {
		drop_discover(m, next, taken, tag);
		return r;
	}
	drop_discover(m, m->discover, m->n_discover, m->discover_tag);
	m->discover = next;
	m->n_discover = taken;
	m->discover_tag = tag;
	return 0;
}

static void stop_listening(struct mqtt_adapter *m, struct gw_adapter_device *d, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		forget(m, gw_str(d->rx[i].name), d, d->rx[i].index);
	}
	for (size_t i = 0; i < m->n_hits; i++) {
		if (m->hits[i].device == d) {
			m->hits[i].device = NULL; /* of the message that is being delivered */
		}
	}
}

static int mqtt_attach(struct gw_adapter *a, struct gw_adapter_device *d)
{
	struct mqtt_adapter *m = a->impl;
	for (size_t i = 0; i < d->n_rx; i++) {
		int r = listen_to(m, gw_str(d->rx[i].name), d, d->rx[i].index);
		if (r < 0) {
			stop_listening(m, d, i);
			return r;
		}
	}
	return 0;
}

static void mqtt_detach(struct gw_adapter *a, struct gw_adapter_device *d)
{
	stop_listening(a->impl, d, d->n_rx);
}

static int mqtt_send(struct gw_adapter *a, struct gw_adapter_device *d, struct gw_send *s)
{
	(void)d;
	struct mqtt_adapter *m = a->impl;
	if (m->n_pending >= SENDS) {
		return -ENOBUFS;
	}
	struct pending *p = gw_new(struct pending);
	if (!p) {
		return -ENOMEM;
	}
	p->send = s;
	s->impl = p;
	gw_list_append(&m->pending, &p->node);
	m->n_pending++;
	/* QoS 0 is often written, reported and freed before this returns. */
	int r = gw_mqtt_link_publish(m->link, s->channel, s->body, s->qos > 0, s->retain, &p->mid);
	if (r < 0) {
		drop_pending(m, p);
	}
	return r;
}

static void mqtt_cancel(struct gw_adapter *a, struct gw_send *s)
{
	struct mqtt_adapter *m = a->impl;
	if (s->impl) {
		drop_pending(m, s->impl);
	}
}

static const struct gw_option options[] = {{0}};

const struct gw_adapter_class gw_adapter_mqtt = {
	.abi = GW_ADAPTER_ABI,
	.name = "mqtt",
	.instance_size = sizeof(struct mqtt_adapter),
	.options = options,
	.init = mqtt_init,
	.start = mqtt_start,
	.stop = mqtt_stop,
	.fini = mqtt_fini,
	.discover = mqtt_discover,
	.attach = mqtt_attach,
	.detach = mqtt_detach,
	.send = mqtt_send,
	.cancel = mqtt_cancel,
};
