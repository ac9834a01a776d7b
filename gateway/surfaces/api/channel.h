/*
 * The API as messages over a connection that stays: the control socket and the WebSocket speak this.
 *
 *   → {"id":1,"method":"GET","path":"/api/v1/devices?room=kitchen","body":{…},"language":"zh-CN","key":"…"}
 *   ← {"id":1,"status":200,"body":{…}}
 *   → {"id":2,"method":"GET","path":"/api/v1/events"}          a subscription …
 *   ← {"id":2,"status":200,"body":{}}
 *   ← {"id":2,"event":{…}}  …                                  … until
 *   → {"id":2,"cancel":true}
 *   ← {"id":2,"status":200,"body":{}}
 *
 * Short forms: {"id":3,"device":"plug","set":{"switch.on":true}}, {"id":4,"device":"plug","action":"switch.toggle","args":{}} are commands,
 * {"id":5,"subscribe":{"device":"plug,lamp","after":"epoch:seq"}} is a subscription. id is a number or a text that the caller chooses, unique among
 * what it has under way. At most GW_API_CHANNEL_CALLS requests and GW_API_CHANNEL_STREAMS subscriptions at a time: 429 beyond.
 * A message that is not understood is answered with status 400 and, when it had none, id null.
 */
#pragma once

#include "surfaces/api/api.h"

#define GW_API_CHANNEL_CALLS   16
#define GW_API_CHANNEL_STREAMS 4

struct gw_api_channel;

struct gw_api_channel_ops {
	/* One message; borrowed. The transport may close the connection later, not from within. */
	void (*send)(void *ctx, struct gw_str message);
	/* Events wait: call gw_api_channel_pump later, when the transport has room. May come from within any call. */
	void (*wake)(void *ctx);
};

/* principal is copied. local: control socket. */
struct gw_api_channel *gw_api_channel_new(struct gw_api *a, const struct gw_principal *principal,
					  bool local, const char *source,
					  const struct gw_api_channel_ops *ops,
					  void *ctx) GW_MUST_USE;
void gw_api_channel_free(struct gw_api_channel *ch); /* accepts NULL; cancels everything */
/* One message of the peer. -ENOMEM: the connection cannot go on. */
int gw_api_channel_receive(struct gw_api_channel *ch, struct gw_str message) GW_MUST_USE;
/* Adds a stream of the transport's own, whose events go out bare: the one that a WebSocket begins with. Takes s in any case. */
int gw_api_channel_adopt(struct gw_api_channel *ch, struct gw_api_stream *s) GW_MUST_USE;
/* Sends at most one event of each subscription; false when none is waiting. Ended ones are dropped with {"id":…,"status":401,…}. */
bool gw_api_channel_pump(struct gw_api_channel *ch);
/* True once a stream of the transport's own has ended: the connection is to be closed. */
bool gw_api_channel_ended(const struct gw_api_channel *ch);
