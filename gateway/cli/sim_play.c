/*
 * The appliances of hearth sim on the network: their connections, reports, scenes and faults. Lines of standard input, when that is a
 * terminal or a pipe, switch faults while it runs: `fault KIND[=DURATION] on|off` and `reboot`.
 */
#include "cli/sim.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gw/alloc.h"
#include "gw/clock.h"

#define OFF_MS 2000 /* how long an appliance is away that boots again */
#define LATE   4096

/* --- messages of slow appliances --- */

struct late {
	struct gw_list list;
	struct appliance *appliance;
	struct gw_timer *timer;
	char *channel, *body;
	size_t channel_len, body_len;
	uint8_t qos;
	bool retain;
};

static void free_late(struct late *l)
{
	gw_timer_free(l->timer);
	gw_free(l->channel);
	gw_free(l->body);
	gw_free(l);
}

static void publish(struct appliance *a, struct gw_str channel, struct gw_str body, uint8_t qos,
		    bool retain)
{
	if (a->sim->verbose) {
		printf("→ " GW_STR_FMT " " GW_STR_FMT "\n", GW_STR_ARG(channel), GW_STR_ARG(body));
	}
	if (a->link) {
		/* Down: the appliance is off the network; it reports again when it is back. */
		gw_ignore(gw_mqtt_link_publish(a->link, channel, body, qos, retain, NULL));
	}
}

static void on_late(void *ctx)
{
	struct late *l = ctx;
	gw_list_remove(&l->list);
	l->appliance->sim->n_late--;
	publish(l->appliance, (struct gw_str){l->channel, l->channel_len},
		(struct gw_str){l->body, l->body_len}, l->qos, l->retain);
	free_late(l);
}

static void publish_late(struct appliance *a, const struct gw_emission *e)
{
	struct sim *s = a->sim;
	struct late *l = s->n_late < LATE ? gw_new(struct late) : NULL;
	if (!l) {
		return; /* lost, as on a real network */
	}
	*l = (struct late){.appliance = a,
			   .timer = gw_timer_new(s->loop, on_late, l),
			   .channel = gw_strndup(e->channel.p, e->channel.len),
			   .body = gw_strndup(e->body.p, e->body.len),
			   .channel_len = e->channel.len,
			   .body_len = e->body.len,
			   .qos = e->qos,
			   .retain = e->retain};
	if (!l->timer || !l->channel || !l->body) {
		free_late(l);
		return;
	}
	gw_list_append(&s->late, &l->list);
	s->n_late++;
	gw_timer_start(l->timer, e->delay_ms, /* repeat_ms= */ 0);
}

void sim_emit(void *ctx, const struct gw_emission *e)
{
	struct appliance *a = ctx;
	if (e->delay_ms > 0) {
		publish_late(a, e);
	} else {
		publish(a, e->channel, e->body, e->qos, e->retain);
	}
}

/* --- scenes --- */

static void play_scene(void *ctx)
{
	struct appliance *a = ctx;
	struct gw_error e = {0};
	int64_t wait_ms = -1;
	if (!a->plays) {
		return;
	}
	if (gw_scenario_play(a->sim->scenario, a->twin, gw_clock_ms(), &a->place, &wait_ms, &e) <
	    0) {
		cli_error(a->sim->c, "%s", e.text);
	}
	if (wait_ms >= 0) {
		gw_timer_start(a->scene, wait_ms, /* repeat_ms= */ 0);
	}
}

/* --- connections --- */

static void on_message(void *ctx, const struct gw_mqtt_message *m)
{
	struct appliance *a = ctx;
	if (m->retained) {
		return; /* a retained command would switch ghosts */
	}
	if (a->sim->verbose) {
		printf("← " GW_STR_FMT " " GW_STR_FMT "\n", GW_STR_ARG(m->topic),
		       GW_STR_ARG(m->payload));
	}
	gw_twin_receive(a->twin, m->topic, m->payload);
	play_scene(a);
}

static void begin(struct appliance *a)
{
	gw_node_for(v, a->begun ? NULL : a->set)
	{
		struct gw_error e = {0};
		if (gw_twin_set(a->twin, v->key, v, &e) < 0) {
			cli_error(a->sim->c, GW_STR_FMT ": %s", GW_STR_ARG(v->key), e.text);
		}
	}
	a->begun = true;
	play_scene(a);
}

static void came_up(struct appliance *a)
{
	a->sim->up++;
	if (a->topic) {
		gw_ignore(gw_mqtt_link_publish(a->link, gw_str(a->topic), gw_str(a->description), 0,
					       true, NULL));
	}
	gw_twin_announce(a->twin);
	begin(a);
}

static void on_state(void *ctx, enum gw_link_state state, const char *reason)
{
	struct appliance *a = ctx;
	struct sim *s = a->sim;
	bool up = state == GW_LINK_UP;
	if (up && !a->up) {
		came_up(a);
	} else if (!up && a->up) {
		s->up--;
	}
	a->up = up;
	if (state == GW_LINK_REFUSED) {
		cli_error(s->c,
			  TR(s->c, "the broker refuses the appliance: %s", "代理拒绝了该设备：%s"),
			  reason ? reason : "");
	}
	if (s->up == s->count && !s->announced) {
		s->announced = true;
		printf(TR(s->c, "%zu appliances are connected, seed %llu\n",
			  "%zu 台设备已连接，随机种子 %llu\n"),
		       s->count, (unsigned long long)s->seed);
		fflush(stdout);
	}
}

int sim_connect(struct appliance *a, struct gw_error *reterr_)
{
	static const struct gw_mqtt_ops ops = {.state = on_state, .message = on_message};
	GW_AUTO(gw_buf_fini) struct gw_buf channel = GW_BUF_INIT(GW_TOPIC_BYTES + 1);
	GW_AUTO(gw_buf_fini) struct gw_buf body = GW_BUF_INIT(GW_BODY_BYTES);
	struct gw_mqtt_will will = {0};
	bool has_will = gw_twin_will(a->twin, &channel, &body);
	if (has_will) {
		will = (struct gw_mqtt_will){gw_buf_str(&channel), gw_buf_str(&body), 0, true};
	}
	int r = gw_mqtt_link_new(a->sim->loop, &a->sim->broker.endpoint, NULL,
				 has_will ? &will : NULL, &ops, a, &a->link);
	if (r) {
		return gw_error_set(reterr_, r, "size", "cannot make an MQTT connection: %s",
				    strerror(-r));
	}
	const char *filter;
	for (size_t i = 0; (filter = gw_twin_filter(a->twin, i)) != NULL; i++) {
		r = gw_mqtt_link_subscribe(a->link, gw_str(filter), 0);
		if (r) {
			return gw_error_set(reterr_, r, "containment", "cannot subscribe to %s",
					    filter);
		}
	}
	return 0;
}

void sim_free_appliance(struct appliance *a)
{
	if (a) {
		gw_mqtt_link_free(a->link);
		gw_timer_free(a->scene);
		gw_timer_free(a->back);
		gw_twin_free(a->twin);
		gw_free(a->topic);
		gw_free(a->description);
		gw_free(a);
	}
}

/* --- faults --- */

static void come_back(void *ctx)
{
	struct appliance *a = ctx;
	struct gw_error e = {0};
	int r = sim_connect(a, &e);
	if (r < 0 || gw_mqtt_link_start(a->link) < 0) {
		cli_error(a->sim->c, "%s", e.text);
		gw_mqtt_link_free(a->link);
		a->link = NULL;
	}
}

/* Without a word, so that the broker tells the will. */
static void reboot_all(void *ctx)
{
	struct sim *s = ctx;
	for (size_t i = 0; i < s->count; i++) {
		struct appliance *a = s->list[i];
		if (!a->up) {
			continue; /* not there yet, or just away */
		}
		gw_mqtt_link_free(a->link);
		a->link = NULL;
		a->up = false;
		s->up--;
		gw_timer_start(a->back, OFF_MS, /* repeat_ms= */ 0);
	}
}

int sim_fault(struct sim *s, struct gw_str text, bool on, struct gw_error *reterr_)
{
	enum gw_fault fault;
	int64_t ms;
	int r = gw_fault_parse(text, &fault, &ms, reterr_);
	if (r < 0) {
		return r;
	}
	for (size_t i = 0; i < s->count; i++) {
		gw_twin_fault(s->list[i]->twin, fault, ms, on);
	}
	if (fault == GW_FAULT_REBOOT && on) {
		gw_timer_start(s->reboot, ms, ms);
	} else if (fault == GW_FAULT_REBOOT) {
		gw_timer_stop(s->reboot);
	}
	return 0;
}

/* --- standard input --- */

/* `fault KIND[=DURATION] on|off`, `reboot`; what was done is said again. */
static int obey(struct sim *s, struct gw_str line, struct gw_error *e)
{
	struct gw_str rest = line, word = {0}, kind = {0};
	if (gw_str_is(line, "reboot")) {
		reboot_all(s);
		return 0;
	}
	bool three = gw_str_split(&rest, ' ', &word) && gw_str_split(&rest, ' ', &kind);
	bool on = gw_str_is(rest, "on");
	if (!three || !gw_str_is(word, "fault") || (!on && !gw_str_is(rest, "off"))) {
		return gw_error_set(e, -EINVAL, "syntax", "%s",
				    TR(s->c, "expected: fault KIND[=DURATION] on|off, or reboot",
				       "应为：fault 类型[=时长] on|off，或 reboot"));
	}
	return sim_fault(s, kind, on, e);
}

static void take_line(struct sim *s)
{
	struct gw_error e = {0};
	struct gw_str line = gw_str_trim((struct gw_str){s->line, s->line_len});
	if (line.len == 0) {
		return;
	}
	if (obey(s, line, &e) < 0) {
		cli_error(s->c, "%s", e.text);
		return;
	}
	printf(GW_STR_FMT "\n", GW_STR_ARG(line));
	fflush(stdout);
}

static void on_input(void *ctx, int events)
{
	struct sim *s = ctx;
	char chunk[256];
	(void)events;
	ssize_t n = read(STDIN_FILENO, chunk, sizeof(chunk));
	if (n <= 0) { /* its end, or in the background of a terminal */
		gw_watch_free(s->input);
		s->input = NULL;
		return;
	}
	for (ssize_t i = 0; i < n; i++) {
		if (chunk[i] == '\n') {
			take_line(s);
			s->line_len = 0;
		} else if (s->line_len < sizeof(s->line)) {
			s->line[s->line_len++] = chunk[i]; /* what is too long is no command */
		}
	}
}

/* A file or /dev/null cannot be watched: nothing is read then. */
static void listen_to_input(struct sim *s)
{
	(void)signal(SIGTTIN, SIG_IGN); /* reading in the background fails instead of stopping us */
	s->input = gw_watch_new(s->loop, STDIN_FILENO, on_input, s);
	if (s->input && gw_watch_set(s->input, UV_READABLE) < 0) {
		gw_watch_free(s->input);
		s->input = NULL;
	}
}

/* --- running --- */

static void on_report(void *ctx)
{
	struct sim *s = ctx;
	for (size_t i = 0; i < s->count; i++) {
		if (s->list[i]->up) {
			gw_twin_report(s->list[i]->twin);
		}
	}
}

static void on_end(void *ctx)
{
	struct sim *s = ctx;
	for (size_t i = 0; i < s->count; i++) {
		if (s->list[i]->up) {
			gw_twin_leave(s->list[i]->twin);
		}
	}
	gw_loop_stop(s->loop);
}

static void on_signal(uv_signal_t *h, int number)
{
	(void)number;
	on_end(h->data);
}

int sim_play(struct sim *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct appliance *a = s->list[i];
		a->scene = gw_timer_new(s->loop, play_scene, a);
		a->back = gw_timer_new(s->loop, come_back, a);
		int r = a->scene && a->back ? gw_mqtt_link_start(a->link) : -ENOMEM;
		if (r) {
			cli_error(s->c, "%s", strerror(-r));
			return CLI_FAILED;
		}
	}
	static const int numbers[] = {SIGINT, SIGTERM};
	for (size_t i = 0; i < gw_countof(numbers); i++) {
		uv_signal_init(gw_loop_uv(s->loop), &s->signals[i]);
		s->signals[i].data = s;
		uv_signal_start(&s->signals[i], on_signal, numbers[i]);
	}
	gw_timer_start(s->report, s->every_ms, s->every_ms);
	if (s->for_ms > 0) {
		gw_timer_start(s->end, s->for_ms, 0);
	}
	listen_to_input(s);
	int r = gw_loop_run(s->loop);
	for (size_t i = 0; i < gw_countof(numbers); i++) {
		uv_close((uv_handle_t *)&s->signals[i], NULL);
	}
	return r < 0 ? CLI_FAILED : CLI_OK;
}

bool sim_init(struct sim *s)
{
	s->report = gw_timer_new(s->loop, on_report, s);
	s->end = gw_timer_new(s->loop, on_end, s);
	s->reboot = gw_timer_new(s->loop, reboot_all, s);
	return s->report && s->end && s->reboot;
}

void sim_fini(struct sim *s)
{
	while (!gw_list_empty(&s->late)) {
		struct late *l = gw_container(s->late.next, struct late, list);
		gw_list_remove(&l->list);
		free_late(l);
	}
	for (size_t i = 0; i < s->count; i++) {
		sim_free_appliance(s->list[i]);
	}
	gw_watch_free(s->input);
	gw_timer_free(s->report);
	gw_timer_free(s->end);
	gw_timer_free(s->reboot);
}
