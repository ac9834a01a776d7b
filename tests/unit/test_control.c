#include "gw_test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake_home.h"
#include "gw/alloc.h"
#include "gw/clock.h"
#include "gw/surface.h"
#include "until.h"

extern const struct gw_surface_class gw_surface_control;

#define DEADLINE_MS 10000

struct fixture {
	struct gw_loop *loop;
	struct gw_gateway g;
	struct gw_surface s;
	char dir[64], path[100];
	bool started;
	struct gw_buf in;
};

/* With options as they stand in hearth.yaml, NULL: none. */
static int surface_try(struct fixture *f, struct gw_surface *s, const char *options)
{
	const struct gw_node_limits limits = {.max_bytes = 1024, .max_depth = 4};
	struct gw_arena *a = gw_arena_new(8192);
	struct gw_node *n = NULL;
	assert_true(!options || gw_node_parse_json(a, gw_str(options), &limits, &n, NULL) == 0);
	*s = (struct gw_surface){
		.class = &gw_surface_control, .gateway = &f->g, .state_dir = f->dir};
	s->impl = gw_alloc0(1, gw_surface_control.instance_size);
	assert_non_null(s->impl);
	assert_int_equal(gw_options_apply(gw_surface_control.options, s->impl, n, "test", NULL), 0);
	gw_arena_free(a);
	return gw_surface_control.init(s);
}

static void surface_open(struct fixture *f, struct gw_surface *s)
{
	assert_int_equal(surface_try(f, s, NULL), 0);
}

static bool has_stopped(void *ctx)
{
	return *(const int *)ctx > 0;
}

static void surface_close(struct fixture *f, struct gw_surface *s)
{
	f->g.stopped = 0;
	gw_surface_control.stop(s);
	gw_surface_control.stop(s); /* idempotent */
	assert_true(loop_until(f->loop, has_stopped, &f->g.stopped));
	assert_int_equal(f->g.stopped, 1);
	gw_surface_control.fini(s);
	gw_options_free(gw_surface_control.options, s->impl);
	gw_free(s->impl);
}

static int setup(void **state)
{
	struct fixture *f = gw_new(struct fixture);
	snprintf(f->dir, sizeof(f->dir), "/tmp/hearth-control-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/control.sock", f->dir);
	f->loop = gw_loop_new();
	gw_buf_init(&f->in, 8u << 20);
	fake_home_init(&f->g, f->loop);
	surface_open(f, &f->s);
	assert_int_equal(gw_surface_control.start(&f->s), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	surface_close(f, &f->s);
	assert_int_equal(access(f->path, F_OK), -1);
	fake_home_fini(&f->g);
	rmdir(f->dir);
	gw_buf_fini(&f->in);
	gw_loop_free(f->loop);
	gw_free(f);
	return 0;
}

static int connect_to(struct fixture *f)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", f->path);
	assert_int_equal(connect(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	gw_buf_reset(&f->in);
	return fd;
}

static void turn(struct fixture *f)
{
	uv_run(gw_loop_uv(f->loop), UV_RUN_NOWAIT);
}

static void put(struct fixture *f, int fd, const char *text, size_t len)
{
	int64_t until = gw_clock_ms() + DEADLINE_MS;
	while (len && gw_clock_ms() < until) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		} else {
			assert_int_equal(errno, EAGAIN);
		}
		turn(f);
	}
	assert_int_equal(len, 0);
}

static void say(struct fixture *f, int fd, const char *text)
{
	put(f, fd, text, strlen(text));
}

/* The next line without its end; NULL when the peer closed. */
static const char *hear(struct fixture *f, int fd)
{
	static char line[16384];
	int64_t until = gw_clock_ms() + DEADLINE_MS;
	while (gw_clock_ms() < until) {
		char *end = f->in.len ? memchr(f->in.p, '\n', f->in.len) : NULL;
		if (end) {
			size_t len = (size_t)(end - f->in.p);
			snprintf(line, sizeof(line), "%.*s", (int)len, f->in.p);
			memmove(f->in.p, end + 1, f->in.len - len - 1);
			gw_buf_truncate(&f->in, f->in.len - len - 1);
			return line;
		}
		turn(f);
		char chunk[65536];
		ssize_t n = recv(fd, chunk, sizeof(chunk), 0);
		if (n == 0 || (n < 0 && errno == ECONNRESET)) {
			return NULL;
		}
		if (n > 0) {
			gw_buf_add(&f->in, chunk, (size_t)n);
		}
	}
	fail_msg("no line came");
	return NULL;
}

static void a_request_is_a_line(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	int fd = connect_to(f);
	say(f, fd, "{\"id\":1,\"method\":\"GET\",\"path\":\"/api/v1/me\"}\n");
	assert_string_equal(
		hear(f, fd),
		"{\"id\":1,\"status\":200,\"body\":{\"who\":\"local\",\"role\":\"owner\",\"via\":"
		"\"control\",\"scope\":[],\"devices\":[],\"expires\":null,\"fresh\":true}}");
	/* in pieces, several at once, empty lines, CRLF */
	say(f, fd, "{\"id\":2,\"method\":");
	say(f, fd,
	    "\"GET\",\"path\":\"/api/v1/claim\"}\r\n\n{\"id\":3,\"method\":\"GET\",\"path\":\"/health\"}\n{");
	assert_string_equal(hear(f, fd),
			    "{\"id\":2,\"status\":200,\"body\":{\"claimed\":true,\"code\":null}}");
	assert_non_null(strstr(hear(f, fd), "{\"id\":3,\"status\":200"));
	say(f, fd, "}\n");
	assert_non_null(strstr(hear(f, fd), "{\"id\":null,\"status\":400"));
	close(fd);
}

static void events_follow_until_cancelled(void **state)
{
	struct fixture *f = *state;
	int fd = connect_to(f);
	say(f, fd, "{\"id\":1,\"method\":\"GET\",\"path\":\"/api/v1/events\"}\n");
	assert_non_null(strstr(hear(f, fd), "\"status\":200"));
	assert_non_null(strstr(hear(f, fd), "{\"id\":1,\"event\":{\"type\":\"hello\""));
	fake_home_change(&f->g, 0, FAKE_SWITCH, true);
	assert_non_null(strstr(hear(f, fd), "{\"id\":1,\"event\":{\"type\":\"property\""));
	say(f, fd, "{\"id\":1,\"cancel\":true}\n");
	assert_non_null(strstr(hear(f, fd), "\"status\":200"));
	assert_true(gw_list_empty(&f->g.listeners));
	close(fd);
}

static void a_client_may_leave_at_any_time(void **state)
{
	struct fixture *f = *state;
	f->g.hold = true;
	int fd = connect_to(f);
	say(f, fd,
	    "{\"id\":1,\"device\":\"plug\",\"set\":{\"switch.on\":true}}\n"
	    "{\"id\":2,\"subscribe\":{}}\n{\"id\":3,");
	assert_non_null(strstr(hear(f, fd), "{\"id\":2,\"status\":200"));
	close(fd);
	int64_t until = gw_clock_ms() + DEADLINE_MS;
	while (!gw_list_empty(&f->g.listeners) && gw_clock_ms() < until) {
		turn(f);
	}
	assert_true(gw_list_empty(&f->g.listeners));
	fake_home_outcome(&f->g, 0, GW_STATUS_DONE); /* tells nobody */
}

static void a_line_has_a_limit(void **state)
{
	struct fixture *f = *state;
	char *line = malloc(GW_CONTROL_LINE_BYTES + 2);
	memset(line, ' ', GW_CONTROL_LINE_BYTES + 2);
	static const char request[] = "{\"id\":1,\"method\":\"GET\",\"path\":\"/health\"}";
	memcpy(line, request, sizeof(request) - 1);
	line[GW_CONTROL_LINE_BYTES] = '\n'; /* the limit is without the end */
	int fd = connect_to(f);
	put(f, fd, line, GW_CONTROL_LINE_BYTES + 1);
	assert_non_null(strstr(hear(f, fd), "{\"id\":1,\"status\":200"));
	memset(line, ' ', GW_CONTROL_LINE_BYTES + 2);
	size_t sent = 0;
	while (sent < GW_CONTROL_LINE_BYTES + 2) { /* the peer closes while we write */
		ssize_t n = send(fd, line + sent, GW_CONTROL_LINE_BYTES + 2 - sent, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN) {
			break;
		}
		sent += n > 0 ? (size_t)n : 0;
		turn(f);
	}
	assert_non_null(strstr(hear(f, fd), "{\"id\":null,\"status\":413"));
	assert_null(hear(f, fd));
	close(fd);
	free(line);
}

static void the_number_of_clients_is_bounded(void **state)
{
	struct fixture *f = *state;
	int fd[GW_CONTROL_CLIENTS + 1];
	for (int i = 0; i <= GW_CONTROL_CLIENTS; i++) {
		fd[i] = connect_to(f);
		turn(f);
	}
	assert_null(hear(f, fd[GW_CONTROL_CLIENTS])); /* refused */
	say(f, fd[0], "{\"id\":1,\"method\":\"GET\",\"path\":\"/health\"}\n");
	assert_non_null(strstr(hear(f, fd[0]), "\"status\":200"));
	close(fd[1]);
	turn(f);
	turn(f);
	close(fd[GW_CONTROL_CLIENTS]);
	fd[1] = connect_to(f); /* a place became free */
	say(f, fd[1], "{\"id\":1,\"method\":\"GET\",\"path\":\"/health\"}\n");
	assert_non_null(strstr(hear(f, fd[1]), "\"status\":200"));
	for (int i = 0; i < GW_CONTROL_CLIENTS; i++) {
		close(fd[i]);
	}
}

/* Asks until hearthd does not take any more. */
static int ask_until_full(struct fixture *f, int fd)
{
	static const char ask[] =
		"{\"id\":1,\"method\":\"GET\",\"path\":\"/api/v1/model/capabilities\"}\n";
	int asked = 0, refused = 0;
	while (refused < 1000 && asked < 100000) {
		ssize_t n = send(fd, ask, sizeof(ask) - 1, MSG_NOSIGNAL);
		if (n == (ssize_t)sizeof(ask) - 1) {
			asked++;
			refused = 0;
		} else {
			assert_int_equal(
				n, -1); /* UNIX sockets take a small message whole or not at all */
			refused++;
		}
		turn(f);
	}
	assert_int_equal(refused, 1000); /* the socket is full: hearthd does not read */
	return asked;
}

/* Somebody who asks and does not read is not listened to until he does; nothing is lost, nothing piles up. */
static void who_does_not_read_is_not_read_from(void **state)
{
	struct fixture *f = *state;
	int fd = connect_to(f);
	int asked = ask_until_full(f, fd);
	for (int i = 0; i < asked; i++) {
		assert_non_null(strstr(hear(f, fd), "{\"id\":1,\"status\":200"));
	}
	/* The minute for a stuck reader is over only for those who never read again. */
	say(f, fd, "{\"id\":2,\"method\":\"GET\",\"path\":\"/health\"}\n");
	assert_non_null(strstr(hear(f, fd), "{\"id\":2,\"status\":200"));
	close(fd);
}

static void only_one_hearthd_has_the_socket(void **state)
{
	struct fixture *f = *state;
	struct gw_surface other;
	surface_open(f, &other);
	assert_int_equal(gw_surface_control.start(&other), -EADDRINUSE);
	surface_close(f, &other);
	int fd = connect_to(f); /* the first one still answers */
	say(f, fd, "{\"id\":1,\"method\":\"GET\",\"path\":\"/health\"}\n");
	assert_non_null(strstr(hear(f, fd), "\"status\":200"));
	close(fd);
}

static void what_a_crash_left_behind_is_replaced(void **state)
{
	struct fixture *f = *state;
	surface_close(f, &f->s);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", f->path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd); /* a socket file without a listener */
	surface_open(f, &f->s);
	assert_int_equal(gw_surface_control.start(&f->s), 0);
	surface_close(f, &f->s);
	fd = open(f->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600); /* not ours: never removed */
	assert_true(fd >= 0);
	close(fd);
	surface_open(f, &f->s);
	assert_int_equal(gw_surface_control.start(&f->s), -EEXIST);
	surface_close(f, &f->s);
	assert_int_equal(unlink(f->path), 0);
	surface_open(f, &f->s);
	assert_int_equal(gw_surface_control.start(&f->s), 0);
}

static void the_path_may_be_given(void **state)
{
	struct fixture *f = *state;
	struct gw_surface other;
	char options[256], given[100];
	const size_t max = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;
	snprintf(given, sizeof(given), "%s/elsewhere", f->dir);
	snprintf(options, sizeof(options), "{\"path\":\"%s\"}", given);
	assert_int_equal(surface_try(f, &other, options), 0);
	assert_int_equal(gw_surface_control.start(&other), 0);
	assert_int_equal(access(given, F_OK), 0);
	surface_close(f, &other);
	assert_int_equal(access(given, F_OK), -1);
	/* The kernel's limit, and one byte above it; there is no such directory either. */
	for (size_t above = 0; above < 2; above++) {
		snprintf(options, sizeof(options), "{\"path\":\"/nowhere/%0*d\"}",
			 (int)(max + above - strlen("/nowhere/")), 0);
		int r = surface_try(f, &other, options);
		assert_int_equal(r, above ? -EINVAL : 0);
		if (r == 0) {
			assert_int_equal(gw_surface_control.start(&other), -ENOENT);
		}
		surface_close(f, &other);
	}
	char long_dir[200]; /* the same for the state directory */
	snprintf(long_dir, sizeof(long_dir), "/nowhere/%0150d", 0);
	other = (struct gw_surface){
		.class = &gw_surface_control, .gateway = &f->g, .state_dir = long_dir};
	other.impl = gw_alloc0(1, gw_surface_control.instance_size);
	assert_int_equal(
		gw_options_apply(gw_surface_control.options, other.impl, NULL, "test", NULL), 0);
	assert_int_equal(gw_surface_control.init(&other), -EINVAL);
	surface_close(f, &other);
}

static void expire(uv_handle_t *h, void *ctx)
{
	(void)ctx;
	if (h->type == UV_TIMER && uv_is_active(h)) {
		uv_timer_t *t = (uv_timer_t *)(void *)h;
		(void)uv_timer_start(t, t->timer_cb, 0, uv_timer_get_repeat(t));
	}
}

/* A client that never reads again is let go after the minute; one that leaves its answers behind, at once. */
static void who_never_reads_is_let_go(void **state)
{
	struct fixture *f = *state;
	for (int leaves = 0; leaves < 2; leaves++) {
		int fd = connect_to(f);
		int asked = ask_until_full(f, fd), heard = 0;
		if (leaves) {
			close(fd);
		} else {
			uv_walk(gw_loop_uv(f->loop), expire, NULL);
			while (hear(f, fd)) {
				heard++;
			}
			assert_true(heard < asked);
			close(fd);
		}
		fd = connect_to(f);
		say(f, fd, "{\"id\":1,\"method\":\"GET\",\"path\":\"/health\"}\n");
		assert_non_null(strstr(hear(f, fd), "\"status\":200"));
		close(fd);
	}
}

/* Every descriptor is in use: neither a surface nor a client comes in; later ones do. */
static void without_descriptors(void **state)
{
	struct fixture *f = *state;
	struct gw_surface other;
	struct rlimit before, few;
	int used[64], n_used = 0;
	int fd = connect_to(f);
	assert_int_equal(surface_try(f, &other, "{\"path\":\"/tmp/hearth-none.sock\"}"), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = gw_countof(used);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	while ((used[n_used] = dup(fd)) >= 0) {
		n_used++;
	}
	int r = gw_surface_control.start(&other);
	turn(f);
	while (n_used > 0) {
		close(used[--n_used]);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(r, -EMFILE);
	surface_close(f, &other);
	assert_null(hear(f, fd)); /* it was taken in to be let go */
	close(fd);
	fd = connect_to(f);
	say(f, fd, "{\"id\":1,\"method\":\"GET\",\"path\":\"/health\"}\n");
	assert_non_null(strstr(hear(f, fd), "\"status\":200"));
	close(fd);
	assert_int_equal(surface_try(f, &other, "{\"path\":\"/dev/null/control.sock\"}"), 0);
	assert_int_equal(gw_surface_control.start(&other), -ENOTDIR);
	surface_close(f, &other);
}

/* Stopping does not wait for what is still to be written. */
static void stopping_in_the_middle(void **state)
{
	struct fixture *f = *state;
	int fd = connect_to(f), idle = connect_to(f);
	assert_true(ask_until_full(f, fd) > 0);
	surface_close(f, &f->s);
	gw_buf_reset(&f->in);
	assert_null(hear(f, idle));
	close(fd);
	close(idle);
	surface_open(f, &f->s);
	assert_int_equal(gw_surface_control.start(&f->s), 0);
}

/* Every allocation fails once while a client comes, asks and listens: it is answered or let go, others are served. */
static void allocation_failures(void **state)
{
	struct fixture *f = *state;
	unsigned lost = 0;
	for (uint64_t n = 1; n < 60; n++) {
		int fd = connect_to(f);
		gw_alloc_fail_at(n);
		turn(f);
		(void)!send(fd, "{\"id\":1,\"subscribe\":{}}\n", 24, MSG_NOSIGNAL);
		for (int i = 0; i < 4; i++) {
			turn(f);
		}
		gw_alloc_fail_at(0);
		const char *answer = hear(f, fd);
		lost += !answer || strstr(answer, "\"status\":200") == NULL;
		close(fd);
		fd = connect_to(f);
		say(f, fd, "{\"id\":2,\"method\":\"GET\",\"path\":\"/health\"}\n");
		assert_non_null(strstr(hear(f, fd), "\"status\":200"));
		close(fd);
	}
	assert_true(lost > 3);
	for (uint64_t n = 1;; n++) { /* and while the surface starts */
		surface_close(f, &f->s);
		surface_open(f, &f->s);
		gw_alloc_fail_at(n);
		int r = gw_surface_control.start(&f->s);
		gw_alloc_fail_at(0);
		if (r == 0) {
			break;
		}
		assert_int_equal(r, -ENOMEM);
	}
}

/* The kernel's word counts, not the mode of the file: as root we can pretend to be somebody else. */
static void strangers_are_refused(void **state)
{
	struct fixture *f = *state;
	if (geteuid() != 0) {
		skip();
	}
	assert_int_equal(chmod(f->dir, 0755), 0);
	assert_int_equal(chmod(f->path, 0666), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		/* From its directory: what lies above may be closed to others. */
		struct sockaddr_un addr = {.sun_family = AF_UNIX, .sun_path = "control.sock"};
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (chdir(f->dir) || setgid(65534) || setuid(65534) ||
		    connect(fd, (const struct sockaddr *)&addr, sizeof(addr))) {
			_exit(2);
		}
		static const char ask[] = "{\"id\":1,\"method\":\"GET\",\"path\":\"/health\"}\n";
		(void)!send(fd, ask, sizeof(ask) - 1, MSG_NOSIGNAL);
		char c;
		_exit(recv(fd, &c, 1, 0) <= 0 ? 0 : 1);
	}
	int status = -1;
	int64_t until = gw_clock_ms() + DEADLINE_MS;
	while (waitpid(pid, &status, WNOHANG) == 0 && gw_clock_ms() < until) {
		turn(f);
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_request_is_a_line),
		T(events_follow_until_cancelled),
		T(a_client_may_leave_at_any_time),
		T(a_line_has_a_limit),
		T(the_number_of_clients_is_bounded),
		T(who_does_not_read_is_not_read_from),
		T(only_one_hearthd_has_the_socket),
		T(what_a_crash_left_behind_is_replaced),
		T(the_path_may_be_given),
		T(who_never_reads_is_let_go),
		T(without_descriptors),
		T(stopping_in_the_middle),
		T(allocation_failures),
		T(strangers_are_refused),
	};
	(void)signal(SIGPIPE, SIG_IGN); /* as in hearthd: clients leave with our answers unread */
	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
