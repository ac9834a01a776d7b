#include "surfaces/mqtt/mqtt.h"

#include "gw/json.h"

static bool has_value(const struct gw_property *p)
{
	return p->value.type != GW_VALUE_NONE && p->cap->kind == GW_KIND_PROPERTY;
}

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
		if (!has_value(p)) {
			continue;
		}
		odd = odd || p->quality != GW_QUALITY_OK;
		/* Addresses are [a-z0-9_./]: nothing to escape. */
		gw_buf_add(b, ",\"", 2);
		gw_buf_puts(b, p->cap->address);
		gw_buf_add(b, "\":", 2);
		gw_value_write_json(b, &p->value, p->cap->domain.res);
	}
	if (odd) {
		const char *lead = ",\"$quality\":{\"";
		for (size_t i = 0; i < n; i++) {
			const struct gw_property *p = gw_device_property(d, i);
			if (has_value(p) && p->quality != GW_QUALITY_OK) {
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

bool mqtt_state_publish(struct mqtt_surface *s, struct mqtt_device *d)
{
	gw_buf_reset(&s->doc);
	mqtt_state_write(&s->doc, d->device);
	if (gw_buf_error(&s->doc)) {
		s->dropped++; /* larger than a message may be: nobody could read it */
		return true;
	}
	if (!mqtt_publish(s, gw_str(d->state_topic), gw_buf_str(&s->doc), /* retain= */ true)) {
		return false;
	}
	s->published++;
	return !d->vacuum_topic || mqtt_ha_vacuum_publish(s, d);
}
