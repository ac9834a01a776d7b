#include "link/mqtt_filters.h"

#include <errno.h>
#include <stdint.h>

#include "gw/alloc.h"

#define FILTERS	    32768
#define PACKET_MOST 128 /* filters in one packet: at most 33 KiB */

struct filter {
	struct gw_list node; /* in subscribe or unsubscribe, else unlinked */
	uint8_t qos;
	char text[];
};

typedef int send_filters(struct mosquitto *m, int n, char *const *texts, int qos);

static int send_subscribe(struct mosquitto *m, int n, char *const *texts, int qos)
{
	return mosquitto_subscribe_multiple(m, /* mid= */ NULL, n, texts, qos, /* options= */ 0,
					    /* properties= */ NULL);
}

static int send_unsubscribe(struct mosquitto *m, int n, char *const *texts, int qos)
{
	(void)qos;
	return mosquitto_unsubscribe_multiple(m, /* mid= */ NULL, n, texts,
					      /* properties= */ NULL);
}

static void free_list(struct gw_list *head)
{
	gw_list_for_safe(pos, head)
	{
		gw_list_remove(pos);
		gw_free(gw_container(pos, struct filter, node));
	}
}

int gw_mqtt_filters_init(struct gw_mqtt_filters *f)
{
	gw_list_init(&f->subscribe);
	gw_list_init(&f->unsubscribe);
	f->all = gw_map_new_inside(FILTERS, offsetof(struct filter, text));
	return f->all ? 0 : -ENOMEM;
}

void gw_mqtt_filters_fini(struct gw_mqtt_filters *f)
{
	if (f->all) {
		free_list(&f->unsubscribe);
		gw_map_free(f->all, gw_free);
		f->all = NULL;
	}
}

static int send_later(struct filter *f, struct gw_list *head)
{
	gw_list_remove(&f->node);
	gw_list_append(head, &f->node);
	return 1;
}

int gw_mqtt_filters_add(struct gw_mqtt_filters *f, struct gw_str filter, uint8_t qos, bool session)
{
	struct filter *one = gw_map_find(f->all, filter);
	if (one) {
		bool same = one->qos == qos;
		one->qos = qos;
		return same || !session ? 0 : send_later(one, &f->subscribe);
	}
	one = (struct filter *)gw_alloc0(1, sizeof(*one) + filter.len + 1);
	if (!one) {
		return -ENOMEM;
	}
	gw_list_init(&one->node);
	one->qos = qos;
	memcpy(one->text, filter.p, filter.len);
	int r = gw_map_put(f->all, filter, one);
	if (r < 0) {
		gw_free(one);
		return r;
	}
	return session ? send_later(one, &f->subscribe) : 0;
}

int gw_mqtt_filters_remove(struct gw_mqtt_filters *f, struct gw_str filter, bool session)
{
	struct filter *one = gw_map_remove(f->all, filter);
	if (!one) {
		return -ENOENT;
	}
	if (session) {
		return send_later(one, &f->unsubscribe);
	}
	gw_free(one);
	return 0;
}

void gw_mqtt_filters_begin(struct gw_mqtt_filters *f)
{
	size_t pos = 0;
	struct gw_str key;
	void *value;
	while (gw_map_next(f->all, &pos, &key, &value)) {
		struct filter *one = value;
		(void)send_later(one, &f->subscribe); /* always 1 */
	}
}

void gw_mqtt_filters_end(struct gw_mqtt_filters *f)
{
	free_list(&f->unsubscribe);
	while (!gw_list_empty(&f->subscribe)) {
		gw_list_remove(f->subscribe.next);
	}
}

/* Sends the first filters of the list that have one QoS, in one packet, and takes them off. */
static int send_some(struct mosquitto *m, struct gw_list *head, send_filters *send, bool drop)
{
	char *texts[PACKET_MOST] = {0};
	struct filter *some[PACKET_MOST] = {0};
	int n = 0;
	gw_list_for(pos, head)
	{
		struct filter *one = gw_container(pos, struct filter, node);
		if (n == PACKET_MOST || (n > 0 && one->qos != some[0]->qos)) {
			break;
		}
		texts[n] = one->text;
		some[n++] = one;
	}
	int rc = send(m, n, texts, some[0]->qos);
	for (int i = 0; i < n; i++) {
		gw_list_remove(&some[i]->node);
		if (drop) {
			gw_free(some[i]);
		}
	}
	return rc;
}

int gw_mqtt_filters_send(struct gw_mqtt_filters *f, struct mosquitto *m)
{
	int rc = MOSQ_ERR_SUCCESS;
	/* Unsubscribing first: a filter that was given up and taken again in one turn stays subscribed. */
	while (rc == MOSQ_ERR_SUCCESS && !gw_list_empty(&f->unsubscribe)) {
		rc = send_some(m, &f->unsubscribe, send_unsubscribe, /* drop= */ true);
	}
	while (rc == MOSQ_ERR_SUCCESS && !gw_list_empty(&f->subscribe)) {
		rc = send_some(m, &f->subscribe, send_subscribe, /* drop= */ false);
	}
	return rc;
}
