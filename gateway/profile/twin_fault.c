/* Faults on demand: one row says what each kind does to what a twin reports. */
#include <errno.h>
#include <math.h>

#include "profile/twin.h"

/* A sentinel, where the point has one. */
static const struct gw_raw *sentinel(const struct gw_twin *t, const struct gw_pl_msg *m,
				     const struct gw_raw *raw, const struct gw_pl_point **ret_point)
{
	(void)t;
	(void)m;
	return (*ret_point)->n_na > 0 ? &(*ret_point)->na[0] : raw;
}

static const struct gw_raw *other_type(const struct gw_twin *t, const struct gw_pl_msg *m,
				       const struct gw_raw *raw,
				       const struct gw_pl_point **ret_point)
{
	static const struct gw_raw number = {.type = GW_RAW_NUMBER, .number = -1};
	if (m->codec->bytes || raw->type == GW_RAW_NULL) {
		return raw;
	}
	*ret_point = NULL;
	return raw->type == GW_RAW_TEXT ? &number : &t->wrong;
}

/* A part of it, and behind a text a byte that no text has. */
static void cut_off(struct gw_twin *t, const struct gw_pl_msg *m, struct gw_buf *body)
{
	double part = fabs(gw_twin_chance(&t->fault_seed));
	size_t len = (size_t)floor(part * (double)body->len);
	body->len = len < body->len ? len : 0;
	if (!m->codec->bytes && m->codec->codec != GW_CODEC_CBOR) {
		gw_buf_putc(body, (char)0xff);
	}
}

static const struct fault {
	const char *name;
	bool timed; /* KIND=DURATION */
	bool lies;
	unsigned copies; /* of each message that goes out */
	const struct gw_raw *(*raw)(const struct gw_twin *t, const struct gw_pl_msg *m,
				    const struct gw_raw *raw, const struct gw_pl_point **ret_point);
	void (*body)(struct gw_twin *t, const struct gw_pl_msg *m, struct gw_buf *body);
} faults[GW_FAULT_COUNT] = {
	[GW_FAULT_SILENCE] = {.name = "silence", .copies = 0},
	[GW_FAULT_GARBAGE] = {.name = "garbage", .copies = 1, .body = cut_off},
	[GW_FAULT_WRONG_TYPE] = {.name = "wrong-type",
				 .lies = true,
				 .copies = 1,
				 .raw = other_type},
	[GW_FAULT_SLOW] = {.name = "slow", .timed = true, .copies = 1},
	[GW_FAULT_DUPLICATE] = {.name = "duplicate", .copies = 2},
	[GW_FAULT_REBOOT] = {.name = "reboot", .timed = true, .copies = 1},
	[GW_FAULT_NA] = {.name = "na", .lies = true, .copies = 1, .raw = sentinel},
};

int gw_fault_parse(struct gw_str text, enum gw_fault *ret_fault, int64_t *ret_ms,
		   struct gw_error *reterr_)
{
	GW_AUTO(gw_buf_fini) struct gw_buf names = GW_BUF_INIT(256);
	struct gw_str rest = text, name = {0};
	int64_t ms = 0;
	gw_ignore(gw_str_split(&rest, '=', &name)); /* at least one part */
	for (unsigned i = 0; i < GW_FAULT_COUNT; i++) {
		gw_buf_printf(&names, "%s%s%s", i ? ", " : "", faults[i].name,
			      faults[i].timed ? "=DURATION" : "");
		if (!gw_str_is(name, faults[i].name)) {
			continue;
		}
		if (faults[i].timed ? gw_parse_duration_ms(rest, &ms) < 0 || ms == 0
				    : rest.p != NULL) {
			return gw_error_set(reterr_, -EINVAL, "schema", "%s takes %s",
					    faults[i].name,
					    faults[i].timed ? "a duration, as 5s" : "no value");
		}
		*ret_fault = (enum gw_fault)i;
		*ret_ms = ms;
		return 0;
	}
	return gw_error_set(reterr_, -EINVAL, "ref", "no fault \"%.*s\"; there is %s",
			    GW_STR_ARG(gw_str_sub(name, 0, 40)), names.p ? names.p : "");
}

void gw_twin_fault(struct gw_twin *t, enum gw_fault fault, int64_t ms, bool on)
{
	t->faults = on ? t->faults | 1u << fault : t->faults & ~(1u << fault);
	t->slow_ms = fault != GW_FAULT_SLOW ? t->slow_ms : on ? ms : 0;
}

/* --- where messages are made --- */

#define each_fault(f, t)                                                                           \
	for (const struct fault *f = faults; f < faults + GW_FAULT_COUNT; f++)                     \
		if ((t)->faults & 1u << (f - faults))

const struct gw_raw *gw_twin_fault_raw(const struct gw_twin *t, const struct gw_pl_msg *m,
				       const struct gw_raw *raw,
				       const struct gw_pl_point **ret_point)
{
	each_fault(f, t)
	{
		if (f->raw && *ret_point) {
			raw = f->raw(t, m, raw, ret_point);
		}
	}
	return raw;
}

void gw_twin_fault_body(struct gw_twin *t, const struct gw_pl_msg *m, struct gw_buf *body)
{
	each_fault(f, t)
	{
		if (f->body) {
			f->body(t, m, body);
		}
	}
}

unsigned gw_twin_fault_copies(const struct gw_twin *t)
{
	unsigned copies = 1;
	each_fault(f, t)
	{
		copies *= f->copies;
	}
	return copies;
}

bool gw_twin_lies(const struct gw_twin *t)
{
	bool lies = false;
	each_fault(f, t)
	{
		lies |= f->lies;
	}
	return lies;
}
