#include "home/journey.h"

#include <errno.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "home/registry.h"

#define RING_BYTES ((size_t)256 * 1024)

/*
 * One hop in the byte ring: this head, n_values values, then the texts one behind the other. Records lie in one piece; a record that does
 * not fit before the end of the ring starts at its beginning.
 */
struct record {
	uint32_t bytes, body_len, generation;
	uint16_t raw_len, msg, n_values;
	uint8_t kind, status;
	uint8_t channel_len, who_len, origin_len; /* with zero */
	int32_t decode_us, state_us, publish_us, total_us;
	uint64_t cause;
	int64_t time_wall_ms, end_us;
	struct gw_device *device;
	struct gw_hop_value values[];
};

struct gw_journey {
	uint64_t head, tail; /* hops made, hops forgotten: the ring holds tail…head-1 */
	uint64_t published;  /* hops whose publish time is settled */
	size_t write;	     /* next byte */
	uint32_t at[GW_JOURNEY_RING];
	_Alignas(16) unsigned char bytes[RING_BYTES];
};

int gw_journey_new(struct gw_journey **ret_journey)
{
	struct gw_journey *j = gw_new(struct gw_journey);

	if (!j) {
		return -ENOMEM;
	}
	*ret_journey = j;
	return 0;
}

static struct record *record_at(struct gw_journey *j, uint64_t n)
{
	return (struct record *)(void *)(j->bytes + j->at[n % GW_JOURNEY_RING]);
}

static void forget_oldest(struct gw_journey *j)
{
	struct record *r = record_at(j, j->tail++);

	for (size_t i = 0; i < r->n_values; i++) {
		gw_value_fini(&r->values[i].value);
	}
	gw_device_unref(r->device);
	if (j->published < j->tail) {
		j->published = j->tail;
	}
}

void gw_journey_free(struct gw_journey *j)
{
	if (!j) {
		return;
	}
	while (j->tail < j->head) {
		forget_oldest(j);
	}
	gw_free(j);
}

/* Room for a record in one piece: everything that lies in its way is forgotten. */
static struct record *make_room(struct gw_journey *j, size_t bytes)
{
	if (j->head - j->tail == GW_JOURNEY_RING) {
		forget_oldest(j);
	}
	size_t from = j->write;
	if (from + bytes > RING_BYTES) {
		/* The rest of the ring stays empty; its records go first, they are the oldest. */
		while (j->tail < j->head && j->at[j->tail % GW_JOURNEY_RING] >= from) {
			forget_oldest(j);
		}
		from = 0;
	}
	while (j->tail < j->head && j->at[j->tail % GW_JOURNEY_RING] >= from &&
	       j->at[j->tail % GW_JOURNEY_RING] < from + bytes) {
		forget_oldest(j);
	}
	j->at[j->head % GW_JOURNEY_RING] = (uint32_t)from;
	j->head++;
	j->write = from + bytes;
	return (struct record *)(void *)(j->bytes + from);
}

static int32_t micros(int64_t us)
{
	return us > INT32_MAX ? INT32_MAX : (int32_t)us;
}

/* A text with its zero, at most cap bytes; 0 for none. */
static uint8_t text_len(const char *s, size_t cap)
{
	return s ? (uint8_t)(strnlen(s, cap - 1) + 1) : 0;
}

static unsigned char *put_text(unsigned char *p, const char *s, uint8_t len)
{
	if (len > 0) {
		memcpy(p, s, (size_t)len - 1);
		p[len - 1] = 0;
	}
	return p + len;
}

void gw_journey_note(struct gw_journey *j, const struct gw_hop_note *n)
{
	uint8_t channel_len = text_len(n->channel, 255);
	uint8_t who_len = text_len(n->who, GW_ID_BYTES);
	uint8_t origin_len = text_len(n->origin, 16);
	size_t raw_len = n->raw.len < GW_JOURNEY_BYTES ? n->raw.len : GW_JOURNEY_BYTES;
	size_t n_values = n->n_values < GW_JOURNEY_VALUES ? n->n_values : GW_JOURNEY_VALUES;
	size_t bytes = sizeof(struct record) + n_values * sizeof(struct gw_hop_value) +
		       channel_len + who_len + origin_len + raw_len;

	bytes = (bytes + 15) & ~(size_t)15;
	struct record *r = make_room(j, bytes);
	*r = (struct record){
		.bytes = (uint32_t)bytes,
		.body_len = (uint32_t)n->raw.len,
		.generation = n->device->generation,
		.raw_len = (uint16_t)raw_len,
		.msg = n->msg,
		.n_values = (uint16_t)n_values,
		.kind = (uint8_t)n->kind,
		.status = (uint8_t)n->status,
		.channel_len = channel_len,
		.who_len = who_len,
		.origin_len = origin_len,
		.decode_us = micros(n->decode_us),
		.state_us = micros(n->state_us),
		.publish_us = -1,
		.total_us = micros(n->total_us),
		.cause = n->cause,
		.time_wall_ms = n->time_wall_ms,
		.end_us = n->end_us,
		.device = gw_device_ref(n->device),
	};
	for (size_t i = 0; i < n_values; i++) {
		r->values[i] = (struct gw_hop_value){.cap = n->values[i].cap};
		gw_value_set(&r->values[i].value, &n->values[i].value);
	}
	unsigned char *p = (unsigned char *)&r->values[n_values];
	p = put_text(p, n->channel, channel_len);
	p = put_text(p, n->who, who_len);
	p = put_text(p, n->origin, origin_len);
	if (raw_len > 0) {
		memcpy(p, n->raw.p, raw_len);
	}
}

void gw_journey_published(struct gw_journey *j)
{
	if (j->published == j->head) {
		return;
	}
	int64_t now = gw_clock_us();
	while (j->published < j->head) {
		struct record *r = record_at(j, j->published++);
		if (r->end_us > 0) {
			r->publish_us = micros(now - r->end_us);
			r->total_us = micros(r->decode_us + r->state_us + r->publish_us);
		}
	}
}

/* --- reading --- */

/* Secret variables of the device never show: each occurrence becomes as many stars. */
static void mask_secrets(const struct gw_device *d, char *raw, size_t len, bool clipped)
{
	for (size_t i = 0; d->profile && i < gw_profile_var_count(d->profile); i++) {
		const struct gw_var_info *v = gw_profile_var(d->profile, i);
		const char *secret = v->secret ? gw_vars_get(&d->vars, v->name) : NULL;
		size_t n = secret ? strlen(secret) : 0;
		for (char *at = raw;
		     n > 0 && (at = memmem(at, len - (size_t)(at - raw), secret, n)); at += n) {
			memset(at, '*', n);
		}
		/* The last bytes before the clip may be the beginning of one. */
		for (size_t k = n < len ? n : len; clipped && k-- > 1;) {
			if (memcmp(raw + len - k, secret, k) == 0) {
				memset(raw + len - k, '*', k);
			}
		}
	}
}

/* What a capability became and by which rule, one line each; the raws too while the device still stands at this message. */
static void write_rules(const struct record *r, char *ret_text, size_t cap)
{
	struct gw_device *d = r->device;
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(64 * 1024);

	if (r->kind == GW_HOP_RECEIVED && r->cause == d->last_cause && r->msg != UINT16_MAX) {
		gw_binding_explain(d->binding, r->msg, &b);
	} else {
		for (size_t i = 0; i < r->n_values; i++) {
			const struct gw_cap_info *c = d->props[r->values[i].cap].cap;
			gw_buf_printf(&b, "%s = ", c->address);
			gw_value_write_json(&b, &r->values[i].value, c->domain.res);
			const char *unit = gw_unit_symbol(c->unit);
			gw_buf_printf(&b, "%s%s", unit[0] ? " " : "", unit);
			if (r->kind == GW_HOP_RECEIVED) {
				gw_plan_explain(gw_binding_plan(d->binding), r->values[i].cap, &b);
			}
			gw_buf_putc(&b, '\n');
		}
	}
	struct gw_str text = gw_str_sub(gw_buf_str(&b), 0, cap - 1);
	if (text.len > 0) {
		memcpy(ret_text, text.p, text.len);
	}
	ret_text[text.len] = 0;
}

static const unsigned char *take_text(const unsigned char *p, uint8_t len, char *ret_text,
				      size_t cap)
{
	size_t n = len > 0 ? (size_t)len - 1 : 0;

	if (n >= cap) {
		n = cap - 1;
	}
	memcpy(ret_text, p, n);
	ret_text[n] = 0;
	return p + len;
}

static void unfold(const struct record *r, struct gw_hop *ret)
{
	struct gw_device *d = r->device;
	/* After another binding the numbers mean something else. */
	bool same = d->generation == r->generation && d->binding;

	*ret = (struct gw_hop){
		.cause = r->cause,
		.kind = (enum gw_hop_kind)r->kind,
		.time_wall_ms = r->time_wall_ms,
		.raw_len = r->raw_len,
		.body_len = r->body_len,
		.decode_us = r->decode_us,
		.state_us = r->state_us,
		.publish_us = r->publish_us,
		.total_us = r->total_us,
		.status = (enum gw_status)r->status,
	};
	(void)take_text((const unsigned char *)d->id, text_len(d->id, GW_ID_BYTES), ret->device,
			sizeof(ret->device));
	const unsigned char *p = (const unsigned char *)&r->values[r->n_values];
	p = take_text(p, r->channel_len, ret->channel, sizeof(ret->channel));
	p = take_text(p, r->who_len, ret->who, sizeof(ret->who));
	p = take_text(p, r->origin_len, ret->origin, sizeof(ret->origin));
	memcpy(ret->raw, p, r->raw_len);
	mask_secrets(d, ret->raw, r->raw_len, r->body_len > r->raw_len);
	if (same && r->msg != UINT16_MAX) {
		const char *name = gw_plan_msg(gw_binding_plan(d->binding), r->msg)->name;
		(void)take_text((const unsigned char *)name, text_len(name, sizeof(ret->msg)),
				ret->msg, sizeof(ret->msg));
	}
	if (same) {
		write_rules(r, ret->rules, sizeof(ret->rules));
	}
}

void gw_journey_each(struct gw_gateway *g, const char *device,
		     bool (*fn)(void *ctx, const struct gw_hop *h), void *ctx)
{
	struct gw_journey *j = g->journey;
	struct gw_hop h;

	for (uint64_t n = j->head; n-- > j->tail;) {
		struct record *r = record_at(j, n);
		/* A removed device takes its hops with it: its secrets could not be masked any more. */
		if (r->device->removed || (device && strcmp(r->device->id, device) != 0)) {
			continue;
		}
		unfold(r, &h);
		if (!fn(ctx, &h)) {
			return;
		}
	}
}
