/*
 * hearth profile new FILTER…: listens to a broker, and drafts a profile of the device that said most (gw/traffic.h). What was heard can be
 * kept as lines of JSON (--record) and drafted from again (--from), without the broker and the device.
 */
#include "cli/profile.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/broker.h"
#include "gw/loop.h"
#include "gw/mqtt_link.h"
#include "gw/topic.h"
#include "gw/traffic.h"

#define YAML_BYTES  ((size_t)4 << 20)
#define NOTES_SHOWN 20
#define MAX_SECONDS 86400

struct recorder {
	struct cli *c;
	struct gw_traffic *traffic;
	struct cli_broker broker;
	struct gw_loop *loop;
	struct gw_mqtt_link *link;
	struct gw_timer *second, *end;
	uv_signal_t signals[2];
	FILE *lines; /* --record, or NULL */
	bool up, full;
	int code;
	struct {
		const char *broker, *username, *password, *seconds, *vendor, *output, *from,
			*record;
	} given;
};

/* --- listening --- */

static void show_progress(struct recorder *r, const char *end)
{
	fprintf(stderr, TR(r->c, "%s%zu messages, %zu topics%s", "%s%zu 条消息，%zu 个主题%s"),
		isatty(STDERR_FILENO) ? "\r" : "", gw_traffic_messages(r->traffic),
		gw_traffic_topics(r->traffic), end);
}

static void on_second(void *ctx)
{
	show_progress(ctx, isatty(STDERR_FILENO) ? "" : "\n");
}

static void on_end(void *ctx)
{
	struct recorder *r = ctx;
	gw_loop_stop(r->loop);
}

static void on_signal(uv_signal_t *h, int number)
{
	(void)number;
	on_end(h->data);
}

static void keep_line(struct recorder *r, const struct gw_traffic_message *m)
{
	GW_AUTO(gw_buf_fini) struct gw_buf line = GW_BUF_INIT((size_t)GW_BODY_BYTES * 8);
	gw_traffic_write_line(m, &line);
	if (gw_buf_error(&line) || fprintf(r->lines, "%s\n", line.p) < 0) {
		cli_error(r->c, "%s: %s", r->given.record,
			  strerror(gw_buf_error(&line) ? -gw_buf_error(&line) : errno));
		r->code = CLI_FAILED;
		on_end(r);
	}
}

static void on_message(void *ctx, const struct gw_mqtt_message *m)
{
	struct recorder *r = ctx;
	const struct gw_traffic_message heard = {m->topic, m->payload, m->retained};
	int err = gw_traffic_add(r->traffic, &heard);
	if (err == 0 && r->lines) {
		keep_line(r, &heard);
	} else if (err == -ENOSPC) {
		r->full = true;
		on_end(r);
	} else if (err == -ENOMEM) {
		r->code = CLI_FAILED;
		on_end(r);
	} /* too long, or no topic that a profile could have: passed over */
}

static void on_state(void *ctx, enum gw_link_state state, const char *reason)
{
	struct recorder *r = ctx;
	if (state == GW_LINK_UP && !r->up) {
		r->up = true;
		fputs(TR(r->c,
			 "listening; use the device now: each button, each setting; Ctrl-C ends\n",
			 "正在监听；请操作设备的每个按键和设置；Ctrl-C 结束\n"),
		      stderr);
	} else if (state == GW_LINK_REFUSED) {
		cli_error(r->c, TR(r->c, "the broker refuses us: %s", "代理拒绝连接：%s"),
			  reason ? reason : "");
		r->code = CLI_DENIED;
		on_end(r);
	}
}

static const struct gw_mqtt_ops ops = {.state = on_state, .message = on_message};

static int subscribe(struct recorder *r, int n, char **filters)
{
	for (int i = 0; i < n; i++) {
		if (!gw_topic_is_filter(gw_str(filters[i]))) {
			cli_error(r->c, TR(r->c, "%s is not a topic filter", "%s 不是主题过滤器"),
				  filters[i]);
			return CLI_INVALID;
		}
		if (gw_mqtt_link_subscribe(r->link, gw_str(filters[i]), 0) < 0) {
			return CLI_FAILED;
		}
	}
	return CLI_OK;
}

static int run_loop(struct recorder *r, uint64_t seconds)
{
	static const int numbers[] = {SIGINT, SIGTERM};
	r->second = gw_timer_new(r->loop, on_second, r);
	r->end = gw_timer_new(r->loop, on_end, r);
	if (!r->second || !r->end || gw_mqtt_link_start(r->link) < 0) {
		return CLI_FAILED;
	}
	for (size_t i = 0; i < gw_countof(numbers); i++) {
		uv_signal_init(gw_loop_uv(r->loop), &r->signals[i]);
		r->signals[i].data = r;
		uv_signal_start(&r->signals[i], on_signal, numbers[i]);
	}
	gw_timer_start(r->second, 1000, 1000);
	gw_timer_start(r->end, (int64_t)seconds * 1000, 0);
	int err = gw_loop_run(r->loop);
	for (size_t i = 0; i < gw_countof(numbers); i++) {
		uv_close((uv_handle_t *)&r->signals[i], NULL);
	}
	show_progress(r, "\n");
	if (err < 0 || r->code) {
		return r->code ? r->code : CLI_FAILED;
	}
	if (!r->up) {
		cli_error(r->c, TR(r->c, "no broker answers at %s:%u", "%s:%u 没有代理应答"),
			  r->broker.host, (unsigned)r->broker.endpoint.port);
		return CLI_UNREACHABLE;
	}
	if (r->full) {
		cli_error(r->c, TR(r->c, "the recording is full; a narrower filter hears less",
				   "录制已满；更窄的过滤器可减少消息"));
	}
	return CLI_OK;
}

static int listen_to(struct recorder *r, int n, char **filters)
{
	uint64_t seconds = 30;
	if (r->given.seconds && (gw_parse_u64(gw_str(r->given.seconds), &seconds) != 0 ||
				 seconds == 0 || seconds > MAX_SECONDS)) {
		cli_error(r->c,
			  TR(r->c, "--seconds takes a whole number from 1 to %d",
			     "--seconds 需要 1 到 %d 的整数"),
			  MAX_SECONDS);
		return CLI_USAGE;
	}
	int code = cli_broker_set(r->c, &r->broker, r->given.broker, r->given.username,
				  r->given.password);
	if (code) {
		return code;
	}
	r->lines = r->given.record ? fopen(r->given.record, "we") : NULL;
	if (r->given.record && !r->lines) {
		cli_error(r->c, "%s: %s", r->given.record, strerror(errno));
		return CLI_FAILED;
	}
	if (r->lines) {
		(void)setvbuf(r->lines, NULL, _IOLBF,
			      0); /* else it stays as it was: only slower to see */
	}
	r->loop = gw_loop_new();
	if (!r->loop || gw_mqtt_link_new(r->loop, &r->broker.endpoint, NULL, /* will= */ NULL, &ops,
					 r, &r->link) < 0) {
		return CLI_FAILED;
	}
	code = subscribe(r, n, filters);
	return code ? code : run_loop(r, seconds);
}

/* --- a recording in a file --- */

static int read_recording(struct recorder *r)
{
	struct gw_error e = {0};
	char *line = NULL;
	size_t size = 0;
	int err = 0;
	unsigned number = 0;
	FILE *f = strcmp(r->given.from, "-") == 0 ? stdin : fopen(r->given.from, "re");
	if (!f) {
		cli_error(r->c, "%s: %s", r->given.from, strerror(errno));
		return CLI_NOT_FOUND;
	}
	for (ssize_t n; err == 0 && (n = getline(&line, &size, f)) >= 0; number++) {
		err = gw_traffic_read_line(r->traffic, (struct gw_str){line, (size_t)n}, &e);
		err = err == -E2BIG && !e.text[0] ? 0 : err; /* such a body is passed over */
	}
	free(line);
	if (f != stdin) {
		fclose(f);
	}
	if (err < 0) {
		cli_error(r->c, "%s:%u: %s", r->given.from, number,
			  e.text[0] ? e.text : strerror(-err));
	}
	return err == 0 || err == -ENOSPC ? CLI_OK : err == -ENOMEM ? CLI_FAILED : CLI_INVALID;
}

/* --- the draft --- */

static void print_notes(const struct recorder *r, const struct gw_import_result *notes)
{
	for (size_t i = 0; i < notes->n_notes && i < NOTES_SHOWN; i++) {
		fprintf(stderr, "  %s: %s\n", notes->notes[i].at, notes->notes[i].reason);
	}
	if (notes->n_notes > NOTES_SHOWN) {
		fprintf(stderr, TR(r->c, "  … and %zu more\n", "  …… 还有 %zu 条\n"),
			notes->n_notes - NOTES_SHOWN);
	}
}

/* A file that is there may hold corrections: it is never replaced. */
static int write_draft(const struct recorder *r, const char *yaml)
{
	FILE *f = r->given.output ? fopen(r->given.output, "wxe") : stdout;
	if (!f) {
		cli_error(r->c, "%s: %s", r->given.output, strerror(errno));
		return errno == EEXIST ? CLI_CONFLICT : CLI_FAILED;
	}
	bool bad = fputs(yaml, f) < 0;
	if (f != stdout) {
		bad = fclose(f) != 0 || bad;
	}
	if (bad) {
		cli_error(r->c, "%s: %s", r->given.output ? r->given.output : "-", strerror(errno));
	}
	return bad ? CLI_FAILED : CLI_OK;
}

static int draft(const struct recorder *r)
{
	GW_AUTO(gw_buf_fini) struct gw_buf yaml = GW_BUF_INIT(YAML_BYTES);
	GW_AUTO(gw_import_result_fini) struct gw_import_result notes = {.devices = NULL};
	struct gw_error e = {0};
	int err = gw_traffic_draft(r->traffic, r->given.vendor, &yaml, &notes, &e);
	print_notes(r, &notes);
	if (err == -ENODATA) {
		cli_error(r->c, TR(r->c, "nothing was heard that a profile could be drafted from",
				   "没有听到可用于起草配置档的内容"));
		return CLI_NOT_FOUND;
	}
	if (err < 0) {
		cli_error(r->c, "%s%s%s", e.text[0] ? e.text : strerror(-err),
			  e.at[0] ? " at " : "", e.at);
		return err == -EINVAL ? CLI_INVALID : CLI_FAILED;
	}
	return write_draft(r, yaml.p);
}

int cli_profile_new(struct cli *c, int argc, char **argv)
{
	struct recorder r = {.c = c};
	const struct cli_option options[] = {
		{"--broker", &r.given.broker, NULL, NULL, NULL, 0},
		{"--username", &r.given.username, NULL, NULL, NULL, 0},
		{"--password", &r.given.password, NULL, NULL, NULL, 0},
		{"--seconds", &r.given.seconds, NULL, NULL, NULL, 0},
		{"--vendor", &r.given.vendor, NULL, NULL, NULL, 0},
		{"--output", &r.given.output, NULL, NULL, NULL, 0},
		{"--from", &r.given.from, NULL, NULL, NULL, 0},
		{"--record", &r.given.record, NULL, NULL, NULL, 0},
	};
	int code = cli_options(c, options, gw_countof(options), &argc, argv);
	if (code) {
		return code;
	}
	if (r.given.from ? argc != 1 || r.given.record : argc < 2) {
		return cli_usage(c, &cli_profile);
	}
	r.traffic = gw_traffic_new();
	code = !r.traffic     ? CLI_FAILED
	       : r.given.from ? read_recording(&r)
			      : listen_to(&r, argc - 1, argv + 1);
	gw_mqtt_link_free(r.link);
	gw_timer_free(r.second);
	gw_timer_free(r.end);
	gw_loop_free(r.loop);
	if (r.lines && fclose(r.lines) != 0 && code == CLI_OK) {
		cli_error(c, "%s: %s", r.given.record, strerror(errno));
		code = CLI_FAILED;
	}
	code = code ? code : draft(&r);
	gw_traffic_free(r.traffic);
	return code;
}
