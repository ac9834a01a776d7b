#include "link/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gw/alloc.h"

#define REAP_MS	   10
#define LINE_BYTES 512

struct gw_child {
	const struct gw_child_ops *ops;
	void *ctx;
	pid_t pid;
	int fd; /* its output; the end of it tells the end of the program */
	struct gw_watch *watch;
	struct gw_timer *timer; /* from the end of the output to the end of the process */
	char line[LINE_BYTES];
	size_t line_len;
	bool inside, freed; /* freed in its own callback */
};

/* Between fork and exec of a program with threads: async-signal-safe calls only. */
static void run(const char *program, char *const argv[], int output, pid_t parent)
{
	sigset_t none;
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, /* oldset= */ NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	bool ok = null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
		  dup2(output, STDERR_FILENO) >= 0;
	/* libmosquitto's sockets are born without CLOEXEC. Kernels before 5.9 do not know the call; nothing depends on it. */
#ifdef SYS_close_range
	(void)syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, /* flags= */ 0);
#endif
	/* SIGKILL: the program keeps nothing. The signal is only sent for a death after the call, so look whether it came first. */
	if (ok && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent) {
		(void)execv(program, argv);
	}
	static const char text[] = "cannot be executed\n";
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(127);
}

static void destroy(struct gw_child *c)
{
	gw_watch_free(c->watch);
	gw_timer_free(c->timer);
	if (c->fd >= 0) {
		(void)close(c->fd); /* a pipe that is only read */
	}
	if (c->pid > 0) {
		(void)kill(c->pid, SIGKILL);
		while (waitpid(c->pid, /* wstatus= */ NULL, 0) < 0 && errno == EINTR) {
		}
	}
	gw_free(c);
}

static void report_line(struct gw_child *c)
{
	if (c->line_len > 0 && !c->freed) {
		c->ops->line(c->ctx, (struct gw_str){c->line, c->line_len});
	}
	c->line_len = 0;
}

static void take_output(struct gw_child *c, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\n') {
			report_line(c);
		} else if (c->line_len <
			   sizeof(c->line)) { /* the rest of a longer line is dropped */
			c->line[c->line_len++] = p[i];
		}
	}
}

static void reap(void *ctx)
{
	struct gw_child *c = ctx;
	int status;
	pid_t r = waitpid(c->pid, &status, WNOHANG);
	if (r == 0 || (r < 0 && errno == EINTR)) {
		return;
	}
	gw_timer_stop(c->timer);
	c->pid = 0;
	c->inside = true;
	c->ops->ended(c->ctx, r > 0 ? status : 0);
	c->inside = false;
	if (c->freed) {
		destroy(c);
	}
}

static void on_output(void *ctx, int events)
{
	(void)events;
	struct gw_child *c = ctx;
	char chunk[2048];
	ssize_t n = read(c->fd, chunk, sizeof(chunk));
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		return;
	}
	c->inside = true;
	if (n > 0) {
		take_output(c, chunk, (size_t)n);
	} else {
		report_line(c);
		gw_watch_free(c->watch);
		c->watch = NULL;
		gw_timer_start(c->timer, /* after_ms= */ 0, REAP_MS);
	}
	c->inside = false;
	if (c->freed) {
		destroy(c);
	}
}

static int spawn(struct gw_child *c, const char *program, char *const argv[])
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) < 0) {
		return -errno;
	}
	pid_t parent = getpid();
	c->pid = fork();
	if (c->pid == 0) {
		run(program, argv, fds[1], parent);
	}
	int r = c->pid < 0 ? -errno : 0;
	(void)close(fds[1]);
	c->fd = fds[0];
	/* Only our end is non-blocking: the two ends are descriptions of their own. */
	if (r == 0 && fcntl(c->fd, F_SETFL, O_NONBLOCK) < 0) {
		r = -errno;
	}
	return r;
}

int gw_child_start(struct gw_loop *l, const char *program, char *const argv[],
		   const struct gw_child_ops *ops, void *ctx, struct gw_child **ret_child)
{
	struct gw_child *c = gw_new(struct gw_child);
	if (!c) {
		return -ENOMEM;
	}
	c->ops = ops;
	c->ctx = ctx;
	c->fd = -1;
	c->timer = gw_timer_new(l, reap, c);
	int r = c->timer ? spawn(c, program, argv) : -ENOMEM;
	if (r == 0) {
		c->watch = gw_watch_new(l, c->fd, on_output, c);
		r = c->watch ? gw_watch_set(c->watch, UV_READABLE) : -ENOMEM;
	}
	if (r < 0) {
		destroy(c);
		return r;
	}
	*ret_child = c;
	return 0;
}

int gw_child_pid(const struct gw_child *c)
{
	return c->pid;
}

void gw_child_signal(const struct gw_child *c, int signal)
{
	if (c->pid > 0) {
		(void)kill(c->pid, signal); /* not reaped yet, so the number is still its own */
	}
}

void gw_child_free(struct gw_child *c)
{
	if (!c || c->freed) {
		return;
	}
	c->freed = true;
	if (!c->inside) {
		destroy(c);
	}
}
