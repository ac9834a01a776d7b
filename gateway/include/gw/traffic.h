/*
 * What a device was heard to say, and the draft of a profile made from it (hearth profile new). The draft is a start for an
 * author: every assumption stands as a comment beside its line, and the embedded tests are recorded bodies.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "gw/buf.h"
#include "gw/compiler.h"
#include "gw/error.h"
#include "gw/import.h"
#include "gw/str.h"

struct gw_traffic;

struct gw_traffic_message {
	struct gw_str topic, payload;
	bool retained;
};

struct gw_traffic *gw_traffic_new(void) GW_MUST_USE;
void gw_traffic_free(struct gw_traffic *t); /* accepts NULL */
/* Copies the message. -EINVAL: no topic; -E2BIG: over GW_BODY_BYTES; -ENOSPC: the recording is full (GW_TRAFFIC_…); -ENOMEM. */
int gw_traffic_add(struct gw_traffic *t, const struct gw_traffic_message *m) GW_MUST_USE;
size_t gw_traffic_messages(const struct gw_traffic *t);
size_t gw_traffic_topics(const struct gw_traffic *t);

/*
 * One message as a line of JSON: {"topic":…,"payload":…,"retained":bool}; a payload that is no text stands as "hex". Without a newline.
 * Reading: blank lines are passed over; -EINVAL with *reterr_ for what is no such line, else as gw_traffic_add.
 */
void gw_traffic_write_line(const struct gw_traffic_message *m, struct gw_buf *b);
int gw_traffic_read_line(struct gw_traffic *t, struct gw_str line,
			 struct gw_error *reterr_) GW_MUST_USE;

/*
 * The draft as YAML: of the one device that said most; the others are in the notes, as is what the full check still misses. vendor: of
 * the id and of x.<vendor>.<name>. What is returned passes the check with GW_PROFILE_LAX. -ENODATA: nothing in the recording can
 * be drafted; -EINVAL: the draft is refused (*reterr_ says why); -ENOMEM. The notes are the caller's in every case.
 */
int gw_traffic_draft(const struct gw_traffic *t, const char *vendor, struct gw_buf *ret_yaml,
		     struct gw_import_result *ret_notes, struct gw_error *reterr_) GW_MUST_USE;
