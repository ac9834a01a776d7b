/* Text bodies: the whole body is one scalar (msg#). And the table of all codecs. */
#include <errno.h>

#include "gw/alloc.h"
#include "gw/limits.h"
#include "profile/state.h"

const struct gw_codec_ops *gw_codec_find(struct gw_str name)
{
	static const struct gw_codec_ops *const codecs[] = {&gw_codec_json,  &gw_codec_text,
							    &gw_codec_bytes, &gw_codec_tlv,
							    &gw_codec_form,  &gw_codec_cbor};
	for (size_t i = 0; i < gw_countof(codecs); i++) {
		if (gw_str_is(name, codecs[i]->name)) {
			return codecs[i];
		}
	}
	return NULL;
}

static int extract(struct gw_binding *b, const struct gw_pl_msg *m, const struct gw_body *body,
		   struct gw_found *found, struct gw_arena **a)
{
	(void)b;
	(void)a;
	if (body->bytes.len > GW_BODY_TEXT_BYTES || !gw_str_is_utf8(body->bytes)) {
		return -EBADMSG;
	}
	for (uint16_t i = 0; i < m->n_extracts; i++) {
		if (m->extracts[i].ref->kind == GW_REF_TREE) {
			found[i] = (struct gw_found){.kind = GW_FOUND_PLAIN, .text = body->bytes};
		}
	}
	return 0;
}

static int fixed_text(struct gw_composing *c, const struct gw_pl_msg *m, struct gw_str *ret_text)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
	int r = m->body ? gw_node_text_form(m->body, &b) : 0;
	if (r == -EINVAL) {
		return gw_write_refuse(c->w, "value", "the fixed body of \"%s\" is no text",
				       m->info.name);
	}
	*ret_text = gw_arena_text(c->w->arena, gw_buf_str(&b));
	return r < 0 ? r : ret_text->p ? 0 : -ENOMEM;
}

static int compose(struct gw_composing *c, const struct gw_pl_msg *m)
{
	size_t index = (size_t)(m - c->w->plan->msgs);
	if (m->n_outs == 0 || !gw_compose_wants(c, m, 0)) {
		return fixed_text(c, m, &c->bodies[index]);
	}
	struct gw_raw raw = {.type = GW_RAW_NULL};
	int r = gw_compose_current(c, m->outs[0].point, &raw);
	if (r < 0) {
		return r;
	}
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(GW_BODY_TEXT_BYTES);
	const struct gw_pl_point *p = &c->w->plan->points[m->outs[0].point];
	const char *code = NULL;
	if (p->has_as) {
		code = gw_as_write_scalar(&p->as, &raw, &b);
	} else {
		gw_raw_text_form(&raw, &b);
	}
	if (code) {
		return gw_write_refuse(c->w, code, "point \"%s\" does not fit its message",
				       p->name);
	}
	c->bodies[index] = gw_arena_text(c->w->arena, gw_buf_str(&b));
	return gw_buf_error(&b) || !c->bodies[index].p ? -ENOMEM : 0;
}

const struct gw_codec_ops gw_codec_text = {.name = "text",
					   .codec = GW_CODEC_TEXT,
					   .refs = GW_REF_TREE,
					   .mode = GW_MODE_PATCH,
					   .extract = extract,
					   .compose = compose};
