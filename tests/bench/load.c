/*
 * The load: N Tasmota plugs and a counting subscriber in one process, over libmosquitto.
 *
 *   bench_load announce PORT N [--first I]              retained discovery and LWT of N plugs from I, then ends
 *   bench_load max      PORT N SECONDS [options]        as fast as the window allows
 *   bench_load rate     PORT N SECONDS [options]        --rate a second, evenly spaced
 *   bench_load burst    PORT N ROUNDS  [options]        all N plugs report at once, ROUNDS times
 *   bench_load command  PORT N SECONDS [options]        --rate commands a second, the other way
 *
 *   --out FILTER   where the results come ("out/#" of the relay; "hearth/+/state")
 *   --key TEXT     what stands before the counter in a result ("\"Total\":" or "energy\":")
 *   --base K       first counter, so that a second run on the same gateway changes values, too
 *   --window W     messages on the way at a time (max; 200)
 *   --rate R       (1000; commands 200)
 *
 * Every message is a change. Nine in ten are tele/<plug>/SENSOR with a counter in ENERGY.Total that comes through any
 * translation; each tenth is stat/<plug>/POWER, which is told by its place: the counter did not move, or the topic says it.
 * A result covers every message of its plug up to its own; what is covered without a result of its own was merged, what is
 * never covered was lost. Prints one JSON line.
 */
#include <inttypes.h>
#include <mosquitto.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RING	 1024 /* messages of one plug on the way */
#define DRAIN_US 3000000

struct plug {
	uint32_t made, seen; /* next message to make, next result to come; counted from base */
	bool on;
	int64_t sent_us[RING];
};

struct load {
	const char *mode, *out, *key;
	uint16_t port;
	uint32_t n, amount, rate, window, base, first;
	struct plug *plugs;
	struct mosquitto *pub, *sub;
	int packets, subscribed;

	bool measuring;
	uint64_t sent, covered, results, merged, extra;
	uint64_t waiting; /* sent and not covered */
	int32_t *latency_us;
	size_t n_latency, cap_latency;
};

static int64_t now_us(void)
{
	struct timespec ts;
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void die(const char *what)
{
	(void)fprintf(stderr, "bench_load: %s\n", what);
	exit(1);
}

/* --- results --- */

static void note_latency(struct load *l, int64_t us)
{
	if (l->measuring && l->n_latency < l->cap_latency) {
		l->latency_us[l->n_latency++] = (int32_t)us;
	}
}

static bool is_power(const struct load *l, uint32_t plug, uint32_t message)
{
	(void)l;
	return (message + plug) % 10 == 9; /* not all plugs at once */
}

/* "…plug-0042…" → 42 */
static struct plug *find_plug(struct load *l, const char *topic)
{
	const char *p = strstr(topic, "plug-");
	unsigned long i = p ? strtoul(p + 5, NULL, 10) : l->n;
	return i < l->n ? &l->plugs[i] : NULL;
}

/* The counter, or -1. Written with at most three decimals: 12.3 is 12300. */
static int64_t find_counter(const struct load *l, const struct mosquitto_message *m)
{
	size_t key = strlen(l->key);
	const char *p =
		m->payloadlen > 0 ? memmem(m->payload, (size_t)m->payloadlen, l->key, key) : NULL;
	if (!p) {
		return -1;
	}
	const char *end = (const char *)m->payload + m->payloadlen;
	int64_t v = 0;
	int decimals = -1;
	for (p += key; p < end; p++) {
		if (*p == '.') {
			decimals = 0;
		} else if (*p >= '0' && *p <= '9' && decimals < 3) {
			v = v * 10 + (*p - '0');
			decimals += decimals >= 0;
		} else if (*p != ' ') {
			break;
		}
	}
	for (int i = decimals < 0 ? 0 : decimals; i < 3; i++) {
		v *= 10;
	}
	return v;
}

static void cover(struct load *l, struct plug *p, uint32_t upto)
{
	uint32_t many = upto - p->seen;
	note_latency(l, now_us() - p->sent_us[(upto - 1) % RING]);
	l->results++;
	l->merged += many - 1;
	l->covered += many;
	l->waiting -= many;
	p->seen = upto;
}

static void on_result(struct load *l, const struct mosquitto_message *m)
{
	struct plug *p = find_plug(l, m->topic);
	if (!p || m->retain) {
		return;
	}
	uint32_t index = (uint32_t)(p - l->plugs);
	int64_t counter = find_counter(l, m);
	bool power = strstr(m->topic, "/POWER") != NULL;
	uint32_t message = counter < 0 ? 0 : (uint32_t)counter - l->base;
	if (!power && counter >= (int64_t)l->base && message >= p->seen && message < p->made) {
		cover(l, p, message + 1);
	} else if (p->seen < p->made && is_power(l, index, p->seen) &&
		   (power || message + 1 == p->seen || p->seen == 0)) {
		cover(l, p, p->seen + 1);
	} else {
		l->extra++;
	}
}

/* A command has arrived at its plug, which says so, as Tasmota does. */
static void on_command(struct load *l, const struct mosquitto_message *m)
{
	struct plug *p = find_plug(l, m->topic);
	if (!p || p->seen == p->made || !strstr(m->topic, "/POWER")) {
		l->extra++;
		return;
	}
	cover(l, p, p->seen + 1);
	p->on = !p->on;
}

static void echo(struct load *l, uint32_t index)
{
	char topic[64];
	const char *on = l->plugs[index].on ? "ON" : "OFF";
	(void)snprintf(topic, sizeof(topic), "stat/plug-%04u/RESULT", index);
	(void)mosquitto_publish(l->pub, NULL, topic, l->plugs[index].on ? 14 : 15,
				l->plugs[index].on ? "{\"POWER\":\"ON\"}" : "{\"POWER\":\"OFF\"}",
				0, false);
	(void)snprintf(topic, sizeof(topic), "stat/plug-%04u/POWER", index);
	(void)mosquitto_publish(l->pub, NULL, topic, (int)strlen(on), on, 0, false);
}

static void on_message(struct mosquitto *mosq, void *obj, const struct mosquitto_message *m)
{
	(void)mosq;
	struct load *l = obj;
	l->packets++;
	if (strncmp(m->topic, "cmnd/", 5) != 0) {
		on_result(l, m);
		return;
	}
	uint64_t before = l->covered;
	on_command(l, m);
	if (l->covered != before) {
		echo(l,
		     (uint32_t)(find_plug(l, m->topic) - l->plugs)); /* on the other connection */
	}
}

static void on_subscribe(struct mosquitto *mosq, void *obj, int mid, int n, const int *granted)
{
	(void)mosq;
	(void)mid;
	(void)n;
	(void)granted;
	struct load *l = obj;
	l->packets++;
	l->subscribed++;
}

/* --- messages --- */

static void send_one(struct load *l, uint32_t index)
{
	struct plug *p = &l->plugs[index];
	char topic[64], body[400];
	int len;
	uint32_t message = p->made++, total = l->base + message;
	if (is_power(l, index, message)) {
		p->on = !p->on;
		(void)snprintf(topic, sizeof(topic), "stat/plug-%04u/POWER", index);
		len = snprintf(body, sizeof(body), "%s", p->on ? "ON" : "OFF");
	} else {
		(void)snprintf(topic, sizeof(topic), "tele/plug-%04u/SENSOR", index);
		len = snprintf(
			body, sizeof(body),
			"{\"Time\":\"2026-11-25T02:30:00\",\"ENERGY\":{\"TotalStartTime\":"
			"\"2026-01-01T00:00:00\",\"Total\":%u.%03u,\"Yesterday\":0.120,\"Today\":0.045,"
			"\"Period\":1,\"Power\":%u,\"ApparentPower\":130,\"ReactivePower\":40,"
			"\"Factor\":0.95,\"Voltage\":230,\"Current\":0.535}}",
			total / 1000, total % 1000, message * 7 % 2000);
	}
	p->sent_us[message % RING] = now_us();
	l->sent++;
	l->waiting++;
	if (mosquitto_publish(l->pub, NULL, topic, len, body, 0, false) != MOSQ_ERR_SUCCESS) {
		die("cannot publish");
	}
}

static void send_command(struct load *l, uint32_t index)
{
	struct plug *p = &l->plugs[index];
	char topic[64];
	(void)snprintf(topic, sizeof(topic), "hearth/plug-%04u/main/switch/on/set", index);
	const char *body = p->on ? "false" : "true";
	p->sent_us[p->made++ % RING] = now_us();
	l->sent++;
	l->waiting++;
	if (mosquitto_publish(l->pub, NULL, topic, (int)strlen(body), body, 0, false) !=
	    MOSQ_ERR_SUCCESS) {
		die("cannot publish");
	}
}

/* --- the loop --- */

static void service(struct mosquitto *m, struct load *l, short revents)
{
	if ((revents & POLLOUT) || mosquitto_want_write(m)) {
		(void)mosquitto_loop_write(m, 1);
	}
	if (revents & POLLIN) {
		do {
			l->packets = 0;
			if (mosquitto_loop_read(m, 1) != MOSQ_ERR_SUCCESS) {
				die("the broker is gone");
			}
		} while (l->packets > 0);
	}
}

static void turn(struct load *l, int64_t until_us)
{
	struct pollfd p[2] = {{.fd = mosquitto_socket(l->pub), .events = POLLIN},
			      {.fd = mosquitto_socket(l->sub), .events = POLLIN}};
	p[0].events |= mosquitto_want_write(l->pub) ? POLLOUT : 0;
	int64_t wait = until_us - now_us();
	struct timespec ts = {.tv_sec = wait > 0 ? wait / 1000000 : 0,
			      .tv_nsec = wait > 0 ? wait % 1000000 * 1000 : 0};
	if (ppoll(p, 2, &ts, NULL) < 0) {
		die("poll");
	}
	service(l->pub, l, p[0].revents);
	service(l->sub, l, p[1].revents);
	static int64_t kept_us;
	if (now_us() - kept_us > 5000000) {
		kept_us = now_us();
		(void)mosquitto_loop_misc(l->pub);
		(void)mosquitto_loop_misc(l->sub);
	}
}

static void drain(struct load *l)
{
	int64_t end = now_us() + DRAIN_US;
	uint64_t before = l->waiting;
	while (l->waiting > 0 && now_us() < end) {
		turn(l, now_us() + 10000);
		if (l->waiting != before) {
			before = l->waiting;
			end = now_us() + DRAIN_US;
		}
	}
}

static void run_max(struct load *l, int64_t end_us)
{
	uint32_t next = 0;
	while (now_us() < end_us) {
		/* A plug whose ring is full waits; the window keeps that from happening. */
		for (int burst = 0; burst < 32 && l->waiting < l->window; burst++) {
			send_one(l, next);
			next = (next + 1) % l->n;
		}
		turn(l, l->waiting < l->window ? 0 : end_us);
	}
}

static void run_rate(struct load *l, int64_t begin_us, int64_t end_us,
		     void (*send)(struct load *, uint32_t))
{
	uint64_t k = 0;
	for (;;) {
		int64_t due = begin_us + (int64_t)(k * 1000000 / l->rate);
		if (due >= end_us) {
			return;
		}
		while (now_us() < due) {
			turn(l, due);
		}
		/* One on the way per plug for commands: a plug answers one after the other. */
		if (send != send_command || l->plugs[k % l->n].seen == l->plugs[k % l->n].made) {
			send(l, (uint32_t)(k % l->n));
		}
		k++;
	}
}

/* Settles what the gateway believes: every plug is OFF, and the counter stands at base. */
static void prime(struct load *l)
{
	for (uint32_t i = 0; i < l->n; i++) {
		char topic[64];
		(void)snprintf(topic, sizeof(topic), "stat/plug-%04u/POWER", i);
		(void)mosquitto_publish(l->pub, NULL, topic, 3, "OFF", 0, false);
		if (i % 50 == 0) {
			turn(l, now_us() + 1000);
		}
	}
	int64_t end = now_us() + 500000;
	while (now_us() < end) {
		turn(l, end);
	}
	l->extra = 0;
}

static int compare(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
	return (x > y) - (x < y);
}

static int32_t percentile(const struct load *l, double p)
{
	return l->n_latency ? l->latency_us[(size_t)((double)(l->n_latency - 1) * p)] : -1;
}

static void report(struct load *l, int64_t elapsed_us, uint64_t covered, const char *more)
{
	qsort(l->latency_us, l->n_latency, sizeof(*l->latency_us), compare);
	(void)printf("{\"mode\":\"%s\",\"n\":%u,\"sent\":%" PRIu64 ",\"covered\":%" PRIu64
		     ",\"results\":%" PRIu64 ",\"merged\":%" PRIu64 ",\"lost\":%" PRIu64
		     ",\"extra\":%" PRIu64
		     ",\"seconds\":%.3f,\"rate\":%.1f,\"p50_us\":%d,\"p90_us\":%d,"
		     "\"p99_us\":%d,\"max_us\":%d%s}\n",
		     l->mode, l->n, l->sent, l->covered, l->results, l->merged, l->waiting,
		     l->extra, (double)elapsed_us / 1e6, (double)covered * 1e6 / (double)elapsed_us,
		     percentile(l, 0.5), percentile(l, 0.9), percentile(l, 0.99), percentile(l, 1),
		     more);
}

/* --- modes --- */

static void mode_max(struct load *l)
{
	run_max(l, now_us() + 500000); /* warm-up */
	l->measuring = true;
	uint64_t covered = l->covered;
	int64_t begin = now_us();
	run_max(l, begin + (int64_t)l->amount * 1000000);
	int64_t end = now_us();
	covered = l->covered - covered;
	drain(l);
	report(l, end - begin, covered, "");
}

static void mode_rate(struct load *l)
{
	void (*send)(struct load *, uint32_t) =
		strcmp(l->mode, "command") == 0 ? send_command : send_one;
	int64_t begin = now_us();
	run_rate(l, begin, begin + 500000, send);
	drain(l);
	l->measuring = true;
	uint64_t covered = l->covered;
	begin = now_us();
	run_rate(l, begin, begin + (int64_t)l->amount * 1000000, send);
	drain(l);
	report(l, now_us() - begin, l->covered - covered, "");
}

static void mode_burst(struct load *l)
{
	int32_t *took = calloc(l->amount, sizeof(*took));
	char more[64];
	if (!took) {
		die("out of memory");
	}
	int64_t all = now_us();
	for (uint32_t round = 0; round <= l->amount; round++) { /* the first is a warm-up */
		l->measuring = round > 0;
		int64_t begin = now_us();
		for (uint32_t i = 0; i < l->n; i++) {
			send_one(l, i);
			if (i % 64 == 63) {
				turn(l, 0); /* the broker does not wait for us to read */
			}
		}
		drain(l);
		if (round > 0) {
			took[round - 1] = (int32_t)(now_us() - begin);
		}
		int64_t rest = now_us() + 200000;
		while (now_us() < rest) {
			turn(l, rest);
		}
	}
	qsort(took, l->amount, sizeof(*took), compare);
	(void)snprintf(more, sizeof(more), ",\"burst_ms\":%.2f", took[l->amount / 2] / 1e3);
	report(l, now_us() - all, l->covered, more);
	free(took);
}

/* tests/support/home.py and open-protocols.md §A1 have the whole capture; these are the members that matter. */
static void mode_announce(struct load *l)
{
	char topic[80], body[512];
	for (uint32_t i = l->first; i < l->first + l->n; i++) {
		(void)snprintf(topic, sizeof(topic), "tele/plug-%04u/LWT", i);
		(void)mosquitto_publish(l->pub, NULL, topic, 6, "Online", 0, true);
		int len = snprintf(
			body, sizeof(body),
			"{\"ip\":\"192.0.2.1\",\"dn\":\"plug-%04u\",\"fn\":[\"plug-%04u\",null],"
			"\"hn\":\"plug-%04u\",\"mac\":\"0200000%05X\",\"md\":\"Athom Plug V2\",\"ty\":0,"
			"\"if\":0,\"ofln\":\"Offline\",\"onln\":\"Online\",\"state\":[\"OFF\",\"ON\","
			"\"TOGGLE\",\"HOLD\"],\"sw\":\"10.1.0\",\"t\":\"plug-%04u\",\"ft\":"
			"\"%%prefix%%/%%topic%%/\",\"tp\":[\"cmnd\",\"stat\",\"tele\"],\"rl\":[1,0,0,0,0,"
			"0,0,0],\"so\":{\"4\":0},\"lk\":0,\"lt_st\":0,\"sho\":[0,0,0,0],\"ver\":1}",
			i, i, i, i, i);
		(void)snprintf(topic, sizeof(topic), "tasmota/discovery/0200000%05X/config", i);
		(void)mosquitto_publish(l->pub, NULL, topic, len, body, 0, true);
	}
	while (mosquitto_want_write(l->pub)) {
		turn(l, now_us() + 1000);
	}
	int64_t end = now_us() + 200000;
	while (now_us() < end) {
		turn(l, end);
	}
}

static struct mosquitto *client(struct load *l)
{
	struct mosquitto *m = mosquitto_new(NULL, true, l);
	if (!m) {
		die("out of memory");
	}
	(void)mosquitto_int_option(m, MOSQ_OPT_TCP_NODELAY, 1);
	mosquitto_message_callback_set(m, on_message);
	mosquitto_subscribe_callback_set(m, on_subscribe);
	if (mosquitto_connect(m, "127.0.0.1", l->port, 60) != MOSQ_ERR_SUCCESS) {
		die("cannot connect");
	}
	return m;
}

static uint32_t number(const char *text)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);
	if (*end || v > UINT32_MAX) {
		die("not a number");
	}
	return (uint32_t)v;
}

static void set_option(struct load *l, const char *name, const char *value)
{
	const struct {
		const char *name;
		uint32_t *number;
		const char **text;
	} known[] = {
		{"--out", NULL, &l->out},   {"--key", NULL, &l->key},
		{"--base", &l->base, NULL}, {"--window", &l->window, NULL},
		{"--rate", &l->rate, NULL}, {"--first", &l->first, NULL},
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (strcmp(name, known[i].name) != 0) {
			continue;
		}
		if (known[i].number) {
			*known[i].number = number(value);
		} else {
			*known[i].text = value;
		}
		return;
	}
	die("unknown option");
}

static void options(struct load *l, int argc, char **argv)
{
	bool announce = argc > 1 && strcmp(argv[1], "announce") == 0;
	int at = announce ? 4 : 5;
	if (argc < at || (argc - at) % 2 != 0) {
		die("usage: bench_load MODE PORT N AMOUNT [options]; see load.c");
	}
	l->mode = argv[1];
	l->port = (uint16_t)number(argv[2]);
	l->n = number(argv[3]);
	l->amount = announce ? 0 : number(argv[4]);
	l->out = "out/#";
	l->key = "\"Total\":";
	l->window = 200;
	l->rate = strcmp(l->mode, "command") == 0 ? 200 : 1000;
	for (int i = at; i + 1 < argc; i += 2) {
		set_option(l, argv[i], argv[i + 1]);
	}
	l->cap_latency = 4000000;
	l->plugs = calloc(l->n, sizeof(*l->plugs));
	l->latency_us = malloc(l->cap_latency * sizeof(*l->latency_us));
	if (!l->plugs || !l->latency_us || l->n == 0 || l->rate == 0) {
		die("bad sizes");
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(struct load *l);
	} modes[] = {{"announce", mode_announce},
		     {"max", mode_max},
		     {"rate", mode_rate},
		     {"burst", mode_burst},
		     {"command", mode_rate}};
	static struct load l;
	options(&l, argc, argv);
	(void)mosquitto_lib_init();
	l.pub = client(&l);
	l.sub = client(&l);
	int64_t end = now_us() + 200000; /* CONNACK of both */
	while (now_us() < end) {
		turn(&l, end);
	}
	bool command = strcmp(l.mode, "command") == 0, announce = strcmp(l.mode, "announce") == 0;
	if (!announce) {
		(void)mosquitto_subscribe(l.sub, NULL, command ? "cmnd/#" : l.out, 0);
		end = now_us() + DRAIN_US;
		while (l.subscribed == 0 && now_us() < end) {
			turn(&l, now_us() + 1000);
		}
		prime(&l);
	}
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		if (strcmp(modes[i].name, l.mode) == 0) {
			modes[i].run(&l);
			return 0;
		}
	}
	die("unknown mode");
}
