/* hearthd: options, loop, gateway, run, unwind. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/notify.h"
#include "daemon/options.h"
#include "gw/clock.h"
#include "gw/path.h"
#include "home/gateway.h"

enum exit_code { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_CONFIG = 9 };

struct daemon {
	struct gw_loop *loop;
	struct gw_gateway *gateway;
	struct gw_timer *watchdog;
	uv_signal_t signals[3];
	size_t n_signals;
};

static void print_error(const struct gw_error *e)
{
	GW_AUTO(gw_buf_fini) struct gw_buf text = GW_BUF_INIT(2048);

	gw_error_format(e, &text);
	(void)fprintf(stderr, "hearthd: %s\n", text.p ? text.p : "failed");
}

static void on_signal(uv_signal_t *s, int number)
{
	struct daemon *d = s->data;

	(void)number;
	daemon_notify("STOPPING=1");
	gw_gateway_stop(d->gateway);
}

static int watch_signals(struct daemon *d)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};

	(void)signal(SIGPIPE, SIG_IGN); /* cannot fail for this signal */
	for (size_t i = 0; i < gw_countof(numbers); i++) {
		uv_signal_t *s = &d->signals[i];
		int r = uv_signal_init(gw_loop_uv(d->loop), s);
		if (r < 0) {
			return r;
		}
		d->n_signals++;
		s->data = d;
		r = uv_signal_start(s, on_signal, numbers[i]);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

static void on_watchdog(void *ctx)
{
	(void)ctx;
	daemon_notify("WATCHDOG=1");
}

static int start_watchdog(struct daemon *d)
{
	int64_t every_ms = daemon_watchdog_ms();

	d->watchdog = gw_timer_new(d->loop, on_watchdog, d);
	if (!d->watchdog) {
		return -ENOMEM;
	}
	if (every_ms > 0) {
		gw_timer_start(d->watchdog, every_ms, every_ms);
	}
	return 0;
}

/* What nobody else may read stays so: no core dumps, no ptrace, files for us alone. */
static void harden(void)
{
	const struct rlimit none = {0, 0};

	(void)umask(077);
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0) {
		(void)fprintf(stderr, "hearthd: core dumps cannot be switched off: %s\n",
			      strerror(errno));
	}
}

static int make_state_dir(const char *path)
{
	struct stat st;

	if (mkdir(path, 0700) < 0 && errno != EEXIST) {
		(void)fprintf(stderr, "hearthd: %s cannot be made: %s\n", path, strerror(errno));
		return -errno;
	}
	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid()) {
		(void)fprintf(stderr, "hearthd: %s is not a directory of this user\n", path);
		return -EPERM;
	}
	return chmod(path, 0700) < 0 ? -errno : 0;
}

static enum exit_code run(struct daemon *d, const struct gw_gateway_options *o,
			  const struct daemon_options *cli)
{
	struct gw_error e = {0};

	int r = gw_gateway_new(d->loop, o, &d->gateway, &e);
	if (r < 0) {
		print_error(&e);
		return e.line > 0 || r == -EINVAL ? EXIT_CONFIG : EXIT_FAILED;
	}
	if (cli->has_level) {
		gw_log_set_level(cli->level);
	}
	enum exit_code code = EXIT_OK;
	if (watch_signals(d) < 0 || start_watchdog(d) < 0 || gw_gateway_start(d->gateway, &e) < 0) {
		print_error(&e);
		code = EXIT_FAILED;
		gw_gateway_stop(d->gateway);
	} else {
		daemon_notify("READY=1");
	}
	return gw_loop_run(d->loop) < 0 ? EXIT_FAILED : code;
}

static enum exit_code check(struct daemon *d, const char *config)
{
	struct gw_error e = {0};

	if (gw_gateway_check_config(d->loop, config, &e) < 0) {
		print_error(&e);
		return EXIT_CONFIG;
	}
	(void)printf("The configuration is valid.\n");
	return EXIT_OK;
}

static void unwind(struct daemon *d)
{
	for (size_t i = 0; i < d->n_signals; i++) {
		uv_close((uv_handle_t *)&d->signals[i], NULL);
	}
	gw_timer_free(d->watchdog);
	gw_gateway_free(d->gateway);
	gw_loop_free(d->loop);
}

int main(int argc, char **argv)
{
	int64_t start_us = gw_clock_us();
	struct daemon_options cli = {0};
	struct daemon d = {0};
	char state_dir[1024], profiles[1024];
	const char *profile_dir = profiles;

	int code = daemon_options_parse(argc, argv, &cli);
	if (code >= 0) {
		return code;
	}
	harden();
	struct gw_gateway_options o = {.config_file = cli.config,
				       .state_dir = cli.state_dir ? cli.state_dir : state_dir,
				       .profile_dirs = &profile_dir,
				       .start_us = start_us};
	if (cli.profiles) {
		profile_dir = cli.profiles;
	}
	o.n_profile_dirs = cli.profiles || gw_path_profiles(profiles, sizeof(profiles)) == 0;
	d.loop = gw_loop_new();
	if (!d.loop || (!cli.state_dir && gw_path_state(state_dir, sizeof(state_dir)) < 0)) {
		(void)fprintf(stderr,
			      "hearthd: no memory, or no state directory: use --state-dir\n");
		code = EXIT_FAILED;
	} else if (cli.check) {
		code = (int)check(&d, cli.config);
	} else {
		code = make_state_dir(o.state_dir) < 0 ? EXIT_FAILED : (int)run(&d, &o, &cli);
	}
	unwind(&d);
	return code;
}
