#include "mqtt_home.h"

#include <stdio.h>
#include <string.h>

#include "gw/alloc.h"
#include "home/store.h"

extern const struct gw_surface_class gw_surface_mqtt;

static void on_state(void *ctx, enum gw_link_state state, const char *reason)
{
	struct mqtt_home *m = ctx;
	(void)reason;
	m->ear_up = state == GW_LINK_UP;
}

static void on_message(void *ctx, const struct gw_mqtt_message *in)
{
	struct mqtt_home *m = ctx;
	gw_free(gw_map_remove(m->last, in->topic));
	char *text = gw_strndup(in->payload.len ? in->payload.p : "", in->payload.len);
	assert_non_null(text);
	assert_int_equal(gw_map_put(m->last, in->topic, text), 0);
	if (m->watch[0] && gw_str_starts(in->topic, m->watch)) {
		gw_buf_printf(&m->log, GW_STR_FMT "=%.200s\n",
			      GW_STR_ARG(gw_str_sub(in->topic, strlen(m->watch), in->topic.len)),
			      text);
	}
	uintptr_t count = (uintptr_t)gw_map_remove(m->counts, in->topic);
	assert_int_equal(gw_map_put(m->counts, in->topic, (void *)(count + 1)), 0);
}

static bool ear_is_up(void *ctx)
{
	return ((struct mqtt_home *)ctx)->ear_up;
}

void mqtt_home_wait_ear(struct mqtt_home *m)
{
	assert_true(loop_until(m->loop, ear_is_up, m));
}

/* Its own message comes behind everything that is retained. */
static bool ear_has_caught_up(void *ctx)
{
	struct mqtt_home *m = ctx;
	if (m->ear_up) {
		mqtt_home_say(m, "ear/here", "1", false);
	}
	return mqtt_home_count(m, "ear/here") > 0;
}

/* On the loop of the home, so that one wait serves both. Nobody is there to listen to while the broker is away. */
static void open_ear(struct mqtt_home *m)
{
	static const struct gw_mqtt_ops ops = {.state = on_state, .message = on_message};
	if (!m->broker.pid) {
		return;
	}
	m->last = gw_map_new(100000);
	m->counts = gw_map_new(100000);
	m->ear_up = false;
	m->endpoint = (struct gw_broker_endpoint){.host = "127.0.0.1", .port = m->broker.port};
	assert_int_equal(gw_mqtt_link_new(m->loop, &m->endpoint, NULL, NULL, &ops, m, &m->ear), 0);
	assert_int_equal(gw_mqtt_link_subscribe(m->ear, GW_STR("#"), 0), 0);
	assert_int_equal(gw_mqtt_link_start(m->ear), 0);
	assert_true(loop_until(m->loop, ear_has_caught_up, m));
}

static void close_ear(struct mqtt_home *m)
{
	gw_mqtt_link_free(m->ear);
	gw_map_free(m->last, gw_free);
	gw_map_free(m->counts, NULL);
	m->ear = NULL;
	m->last = m->counts = NULL;
}

static void set_options(struct mqtt_home *m, const char *options)
{
	(void)snprintf(m->config, sizeof(m->config),
		       "broker: {url: \"mqtt://127.0.0.1:%u\"}\n"
		       "limits: {device_rate: 0}\n"
		       "surfaces: {mqtt: {%s}}\n",
		       m->broker.port, options);
}

void mqtt_home_start_broker(struct mqtt_home *m)
{
	char lines[128];
	(void)snprintf(lines, sizeof(lines),
		       "allow_anonymous true\npersistence true\npersistence_location %s/\n",
		       m->broker.dir);
	mosquitto_start(&m->broker, lines);
}

void mqtt_home_stop_broker(struct mqtt_home *m)
{
	mosquitto_stop(&m->broker);
	m->ear_up = false;
}

void mqtt_home_kill_broker(struct mqtt_home *m)
{
	char path[128];
	mosquitto_kill(&m->broker);
	(void)snprintf(path, sizeof(path), "%s/mosquitto.db", m->broker.dir);
	(void)unlink(path);
	m->ear_up = false;
}

void mqtt_home_open(struct mqtt_home *m, const char *const *profiles, const char *options)
{
	memset(m, 0, sizeof(*m));
	if (!mosquitto_is_there()) {
		skip();
	}
	gw_buf_init(&m->log, 1u << 20);
	mosquitto_prepare(&m->broker);
	mqtt_home_start_broker(m);
	set_options(m, options);
	live_surface = &gw_surface_mqtt;
	live_home_open(&m->home, profiles, m->config);
	m->loop = m->home.loop;
	/* Nobody may do anything in a home without an owner (R1). */
	assert_int_equal(gw_store_set_claimed(m->home.g->store), 0);
	open_ear(m);
	live_home_up(&m->home);
	mqtt_home_wait(m, "hearth/status", "online");
}

void mqtt_home_stop(struct mqtt_home *m)
{
	close_ear(m);
	live_home_stop(&m->home);
	m->loop = m->idle = gw_loop_new();
	assert_non_null(m->loop);
	open_ear(m);
}

static void leave_idle(struct mqtt_home *m)
{
	if (m->idle) {
		gw_loop_free(m->idle);
		m->idle = NULL;
	}
}

void mqtt_home_start(struct mqtt_home *m, const char *options)
{
	close_ear(m);
	leave_idle(m);
	if (options) {
		char text[1100];
		set_options(m, options);
		(void)snprintf(text, sizeof(text), "log: {level: error}\n%s", m->config);
		FILE *f = fopen(m->home.config, "w");
		assert_non_null(f);
		assert_true(fputs(text, f) >= 0);
		assert_int_equal(fclose(f), 0);
	}
	live_home_start(&m->home);
	m->loop = m->home.loop;
	open_ear(m);
	live_home_up(&m->home);
	if (m->broker.pid) {
		mqtt_home_wait(m, "hearth/status", "online");
	}
}

void mqtt_home_restart(struct mqtt_home *m, const char *options)
{
	mqtt_home_stop(m);
	mqtt_home_start(m, options);
}

void mqtt_home_close(struct mqtt_home *m)
{
	close_ear(m);
	live_home_close(&m->home);
	leave_idle(m);
	gw_buf_fini(&m->log);
	live_surface = NULL;
	mosquitto_end(&m->broker);
}

void mqtt_home_listen_again(struct mqtt_home *m)
{
	close_ear(m);
	open_ear(m);
}

void mqtt_home_cut(struct mqtt_home *m)
{
	int cut[8];
	size_t n = 0;
	close_ear(m);
	for (int fd = 3; fd < 1024 && n < gw_countof(cut); fd++) {
		struct sockaddr_in at = {0};
		socklen_t len = sizeof(at);
		if (getpeername(fd, (struct sockaddr *)&at, &len) == 0 &&
		    at.sin_family == AF_INET && ntohs(at.sin_port) == m->broker.port) {
			cut[n++] = fd;
		}
	}
	open_ear(m);
	assert_true(n > 0);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(shutdown(cut[i], SHUT_RDWR), 0);
	}
}

void mqtt_home_say(struct mqtt_home *m, const char *topic, const char *payload, bool retain)
{
	assert_int_equal(
		gw_mqtt_link_publish(m->ear, gw_str(topic), gw_str(payload), 0, retain, NULL), 0);
}

const char *mqtt_home_last(struct mqtt_home *m, const char *topic)
{
	const char *text = gw_map_find(m->last, gw_str(topic));
	return text && text[0] ? text : NULL;
}

size_t mqtt_home_count(struct mqtt_home *m, const char *topic)
{
	return (uintptr_t)gw_map_find(m->counts, gw_str(topic));
}

struct wait {
	struct mqtt_home *m;
	const char *topic, *text;
	size_t more_than;
};

static bool is_there(void *ctx)
{
	struct wait *w = ctx;
	const char *last = mqtt_home_last(w->m, w->topic);
	return w->text ? last && strstr(last, w->text) : !last;
}

const char *mqtt_home_wait(struct mqtt_home *m, const char *topic, const char *text)
{
	struct wait w = {.m = m, .topic = topic, .text = text};
	if (!loop_until(m->loop, is_there, &w)) {
		const char *last = mqtt_home_last(m, topic);
		fail_msg("%s: expected %s, the newest is %s", topic, text ? text : "nothing",
			 last ? last : "nothing");
	}
	return mqtt_home_last(m, topic);
}

static bool has_more(void *ctx)
{
	struct wait *w = ctx;
	return mqtt_home_count(w->m, w->topic) > w->more_than;
}

void mqtt_home_wait_count(struct mqtt_home *m, const char *topic, size_t count)
{
	struct wait w = {.m = m, .topic = topic, .more_than = count - 1};
	if (!loop_until(m->loop, has_more, &w)) {
		fail_msg("%s: %zu messages instead of %zu", topic, mqtt_home_count(m, topic),
			 count);
	}
}

const char *mqtt_home_ask(struct mqtt_home *m, const char *topic, const char *payload,
			  const char *answer)
{
	size_t before = mqtt_home_count(m, answer);
	mqtt_home_say(m, topic, payload, false);
	mqtt_home_wait_count(m, answer, before + 1);
	return mqtt_home_last(m, answer);
}

static bool was_sent(void *ctx)
{
	struct wait *w = ctx;
	live_home_pass(&w->m->home, 20); /* the device's gap, joining */
	for (size_t i = 0; i < played.n_sends; i++) {
		if (strcmp(played_sent(i), w->text) == 0) {
			return true;
		}
	}
	return false;
}

void mqtt_home_wait_sent(struct mqtt_home *m, const char *text)
{
	struct wait w = {.m = m, .text = text};
	if (!loop_until(m->loop, was_sent, &w)) {
		fail_msg("expected %s to be sent, the first of %zu is %s", text, played.n_sends,
			 played_sent(0));
	}
}

void mqtt_home_watch(struct mqtt_home *m, const char *prefix)
{
	(void)snprintf(m->watch, sizeof(m->watch), "%s", prefix);
	gw_buf_reset(&m->log);
}

const char *mqtt_home_watched(const struct mqtt_home *m)
{
	assert_int_equal(gw_buf_error(&m->log), 0);
	return m->log.len ? m->log.p : "";
}

static bool does_answer(void *ctx)
{
	struct mqtt_home *m = ctx;
	mqtt_home_say(m, "hearth/plug/set", "{\"id\":\"up\"}", false);
	return mqtt_home_last(m, "hearth/plug/result") != NULL;
}

void mqtt_home_wait_up(struct mqtt_home *m)
{
	mqtt_home_listen_again(m);
	assert_true(loop_until(m->loop, does_answer, m));
}

static bool was_watched(void *ctx)
{
	struct wait *w = ctx;
	return strstr(mqtt_home_watched(w->m), w->text) != NULL;
}

const char *mqtt_home_wait_watched(struct mqtt_home *m, const char *text)
{
	struct wait w = {.m = m, .text = text};
	if (!loop_until(m->loop, was_watched, &w)) {
		fail_msg("\"%s\" did not come, but\n%s", text, mqtt_home_watched(m));
	}
	return mqtt_home_watched(m);
}

void mqtt_home_settle(struct mqtt_home *m)
{
	static unsigned number;
	char payload[64], id[32];
	live_home_settle(&m->home); /* a refusal is quicker than the end of the turn */
	(void)snprintf(id, sizeof(id), "settle-%u", ++number);
	(void)snprintf(payload, sizeof(payload), "{\"set\":{\"no.such\":1},\"id\":\"%s\"}", id);
	mqtt_home_say(m, "hearth/plug/set", payload, false);
	mqtt_home_wait(m, "hearth/plug/result", id);
}
