#include "link/mqtt_backlog.h"

#include <errno.h>

#include "gw/alloc.h"

#define BYTES	(4U * 1024 * 1024)
#define ENTRIES 16384U /* well below half the message ids, which are compared modulo 2^16 */
#define FIRST	64U

int gw_mqtt_backlog_reserve(struct gw_mqtt_backlog *b, size_t bytes)
{
	if (b->bytes + bytes > BYTES || b->count >= ENTRIES) {
		return -ENOBUFS;
	}
	if (b->count < b->size) {
		return 0;
	}
	uint32_t size = b->size ? b->size * 2 : FIRST;
	struct gw_mqtt_waiting *p = gw_array(struct gw_mqtt_waiting, size);
	if (!p) {
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < b->count; i++) {
		p[i] = b->ring[(b->first + i) & (b->size - 1)];
	}
	gw_free(b->ring);
	b->ring = p;
	b->size = size;
	b->first = 0;
	return 0;
}

void gw_mqtt_backlog_push(struct gw_mqtt_backlog *b, int mid, size_t bytes)
{
	b->ring[(b->first + b->count) & (b->size - 1)] =
		(struct gw_mqtt_waiting){(uint16_t)mid, (uint32_t)bytes};
	b->count++;
	b->bytes += bytes;
}

void gw_mqtt_backlog_pop(struct gw_mqtt_backlog *b, int mid)
{
	while (b->count > 0) {
		const struct gw_mqtt_waiting *w = &b->ring[b->first];
		if ((int16_t)(uint16_t)(mid - w->mid) < 0) {
			break;
		}
		b->bytes -= w->bytes;
		b->first = (b->first + 1) & (b->size - 1);
		b->count--;
	}
}

void gw_mqtt_backlog_clear(struct gw_mqtt_backlog *b)
{
	b->first = b->count = 0;
	b->bytes = 0;
}

void gw_mqtt_backlog_fini(struct gw_mqtt_backlog *b)
{
	gw_free(b->ring);
	*b = (struct gw_mqtt_backlog){0};
}
