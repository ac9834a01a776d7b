#include "surfaces/mqtt/mqtt.h"

#include "gw/json.h"

/* The message path: one pass over the properties, no allocation once the buffer has grown. */
void mqtt_state_write(struct gw_buf *b, const struct gw_device *d)
{
	struct gw_device_info info;
	gw_device_info(d, &info);
	gw_buf_puts(b, info.online ? "{\"$online\":true" : "{\"$online\":false");
	size_t n = gw_device_property_count(d);
	bool odd = false; /* some quality is worth telling */
	for (size_t i = 0; i < n; i++) {
		const struct gw_property *p = gw_device_property(d, i);
		if (p->cap->kind != GW_KIND_PROPERTY || p->value.type == GW_VALUE_NONE) {
			continue;
		}
		odd = odd || p->quality != GW_QUALITY_OK;
		/* Addresses are [a-z0-9_./]: nothing to escape. */
		gw_buf_puts(b, ",\"");
		gw_buf_puts(b, p->cap->address);
		gw_buf_puts(b, "\":");
		gw_value_write_json(b, &p->value, p->cap->domain.res);
	}
	if (odd) {
		const char *lead = ",\"$quality\":{\"";
		for (size_t i = 0; i < n; i++) {
			const struct gw_property *p = gw_device_property(d, i);
			if (p->cap->kind == GW_KIND_PROPERTY && p->value.type != GW_VALUE_NONE &&
			    p->quality != GW_QUALITY_OK) {
				gw_buf_puts(b, lead);
				gw_buf_puts(b, p->cap->address);
				gw_buf_puts(b, "\":\"");
				gw_buf_puts(b, gw_quality_name(p->quality));
				gw_buf_putc(b, '"');
				lead = ",\"";
			}
		}
		gw_buf_putc(b, '}');
	}
	gw_buf_putc(b, '}');
}

void mqtt_state_publish(struct mqtt_surface *s, struct mqtt_device *d)
{
	gw_buf_reset(&s->doc);
	mqtt_state_write(&s->doc, d->device);
	if (gw_buf_error(&s->doc)) {
		s->dropped++;
		return;
	}
	if (gw_mqtt_link_publish(s->link, gw_str(d->state_topic), gw_buf_str(&s->doc), 0,
				 /* retain= */ true, NULL) < 0) {
		s->dropped++; /* down, or the broker is choked: the next connect publishes everything */
		return;
	}
	s->published++;
	if (!d->noted) {
		d->noted = true;
		mqtt_ledger_note(s->ledger, gw_str(d->id), gw_str(d->state_topic));
	}
}
