/*
 * The control socket: the API for this machine. The CLI uses it; so can scripts (`socat - UNIX:/var/lib/hearth/control.sock`).
 *
 * What it speaks: one JSON object a line, in both directions; surfaces/api/channel.h has the messages. Lines end with LF and are at
 * most GW_CONTROL_LINE_BYTES long; a longer one ends the connection after an error.
 *
 * Who may: root and the user that hearthd runs as, by the credentials that the kernel gives (SO_PEERCRED). They are the
 * local owner: `who` is "local". Everybody else is refused, whatever the mode of the socket says. The socket has mode 0600 from birth.
 *
 * Options (section `control:` of hearth.yaml):
 *   path   path of the socket; default <state_dir>/control.sock
 *
 * Limits: GW_CONTROL_CLIENTS connections; a client that does not read is not read from either, and is dropped after a minute.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gw/alloc.h"
#include "gw/log.h"
#include "gw/loop.h"
#include "gw/surface.h"
#include "surfaces/api/channel.h"

#define CHUNK_BYTES (16 * 1024)
#define HIGH_BYTES  (1024 * 1024) /* unsent bytes above which a client is not read from */
#define STUCK_MS    60000
#define AGAIN_MS    100 /* until a client that there was no memory for is taken in */

struct client;

struct control {
	char *path_option;
	struct gw_surface *surface;
	struct gw_api *api;
	uv_pipe_t listener;
	bool listening, stopping;
	int handles; /* uv handles that are not closed yet */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct gw_list clients;
	size_t n_clients;
	struct gw_timer *again;
	struct gw_deferred
		*deferred;	 /* pumps events and closes what broke, outside of any callback */
	char chunk[CHUNK_BYTES]; /* what uv reads into; one read at a time */
};

struct client {
	struct gw_list link;
	struct control *control;
	uv_pipe_t pipe;
	struct gw_api_channel *channel;
	struct gw_buf in;
	size_t unsent;
	bool reading, events, broken, closing;
	struct gw_timer *stuck;
};

struct message {
	uv_write_t request;
	struct client *client;
	size_t len;
	char text[];
};

/* --- closing --- */

static void handle_closed(struct control *k)
{
	k->handles--;
	if (k->stopping && k->handles == 0) {
		gw_surface_stopped(k->surface);
	}
}

static void on_client_closed(uv_handle_t *h)
{
	struct client *c = h->data;
	struct control *k = c->control;
	gw_buf_fini(&c->in);
	gw_free(c);
	handle_closed(k);
}

/* Not from within a callback of its channel. */
static void client_close(struct client *c)
{
	if (c->closing) {
		return;
	}
	c->closing = true;
	gw_list_remove(&c->link);
	c->control->n_clients--;
	gw_api_channel_free(c->channel);
	c->channel = NULL;
	gw_timer_free(c->stuck);
	c->stuck = NULL;
	uv_close((uv_handle_t *)&c->pipe, on_client_closed);
}

static void client_break(struct client *c)
{
	c->broken = true;
	gw_deferred_schedule(c->control->deferred);
}

/* --- out --- */

static void client_work(struct client *c);

static void on_written(uv_write_t *request, int status)
{
	struct message *m = gw_container(request, struct message, request);
	struct client *c = m->client;
	c->unsent -= m->len;
	explicit_bzero(m->text, m->len); /* a token may stand in it */
	gw_free(m);
	if (c->closing) {
		return;
	}
	if (status < 0) {
		client_break(c);
	} else if (c->unsent < HIGH_BYTES) {
		gw_timer_stop(c->stuck);
		c->events = true;
		gw_deferred_schedule(c->control->deferred);
	} else {
		gw_timer_start(c->stuck, STUCK_MS, 0); /* it reads, slowly */
	}
}

static void on_send(void *ctx, struct gw_str text)
{
	struct client *c = ctx;
	struct message *m = NULL;
	if (text.len < SIZE_MAX - sizeof(*m) - 1) {
		m = gw_alloc0(1, sizeof(*m) + text.len + 1);
	}
	if (!m || c->closing) {
		gw_free(m);
		client_break(c);
		return;
	}
	m->client = c;
	m->len = text.len + 1;
	memcpy(m->text, text.p, text.len);
	m->text[text.len] = '\n';
	uv_buf_t buf = uv_buf_init(m->text, (unsigned)m->len);
	if (uv_write(&m->request, (uv_stream_t *)&c->pipe, &buf, 1, on_written)) {
		gw_free(m);
		client_break(c);
		return;
	}
	c->unsent += m->len;
	if (c->unsent >= HIGH_BYTES && !gw_timer_active(c->stuck)) {
		gw_timer_start(c->stuck, STUCK_MS, 0);
	}
}

static void on_wake(void *ctx)
{
	struct client *c = ctx;
	c->events = true;
	gw_deferred_schedule(c->control->deferred);
}

static void on_stuck(void *ctx)
{
	client_break(ctx);
}

/* --- in --- */

static bool take_line(struct client *c, size_t *start, struct gw_str *ret_line)
{
	const char *from = c->in.p + *start;
	const char *end = c->in.len > *start ? memchr(from, '\n', c->in.len - *start) : NULL;
	if (!end) {
		return false;
	}
	*ret_line = (struct gw_str){from, (size_t)(end - from)};
	*start += ret_line->len + 1;
	return true;
}

static void process_lines(struct client *c)
{
	size_t start = 0;
	struct gw_str line;
	while (!c->broken && c->unsent < HIGH_BYTES && take_line(c, &start, &line)) {
		struct gw_str text = gw_str_trim(line);
		if (text.len && gw_api_channel_receive(c->channel, text)) {
			client_break(c);
		}
	}
	if (start) {
		size_t left = c->in.len - start;
		memmove(c->in.p, c->in.p + start, left);
		explicit_bzero(c->in.p + left, start); /* passwords arrive here */
		gw_buf_truncate(&c->in, left);
	}
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *ret_buf)
{
	struct client *c = h->data;
	(void)suggested; /* only a hint */
	*ret_buf = uv_buf_init(c->control->chunk, CHUNK_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct client *c = stream->data;
	if (n == 0) {
		return;
	}
	if (n < 0) {
		client_break(c);
		return;
	}
	gw_buf_add(&c->in, buf->base, (size_t)n);
	explicit_bzero(buf->base, (size_t)n);
	if (gw_buf_error(&c->in)) {
		GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(4096);
		gw_buf_puts(&b, "{\"id\":null,\"status\":413,\"body\":");
		gw_api_write_error(&b, GW_STATUS_INVALID, /* chinese= */ false,
				   "the line is too long", "");
		gw_buf_putc(&b, '}');
		on_send(c, gw_buf_str(&b));
		client_break(c);
		return;
	}
	client_work(c);
}

/* Takes what was sent, then events, while there is room; reads from the socket only as long as that holds. */
static void client_work(struct client *c)
{
	process_lines(c);
	while (c->events && !c->broken && c->unsent < HIGH_BYTES) {
		c->events = gw_api_channel_pump(c->channel);
	}
	bool want = !c->broken && c->unsent < HIGH_BYTES;
	if (want && !c->reading) {
		want = uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read) == 0;
	} else if (!want && c->reading) {
		uv_read_stop((uv_stream_t *)&c->pipe);
	}
	c->reading = want;
}

static void on_deferred(void *ctx)
{
	struct control *k = ctx;
	gw_list_for_safe(pos, &k->clients)
	{
		struct client *c = gw_container(pos, struct client, link);
		if (!c->broken) {
			client_work(c);
		}
		if (c->broken) {
			client_close(c);
		}
	}
}

/* --- accepting --- */

static bool peer_is_local_owner(uv_pipe_t *pipe)
{
	uv_os_fd_t fd = -1;
	struct ucred cred = {0};
	socklen_t len = sizeof(cred);
	if (uv_fileno((uv_handle_t *)pipe, &fd) ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len)) {
		return false;
	}
	if (cred.uid == 0 || cred.uid == geteuid()) {
		return true;
	}
	gw_log_warning("control", "GW-CONTROL-PEER", "user %u may not use the control socket",
		       (unsigned)cred.uid);
	return false;
}

static const struct gw_api_channel_ops channel_ops = {on_send, on_wake};

static int client_open(struct client *c)
{
	struct gw_principal owner;
	gw_principal_local(&owner);
	struct control *k = c->control;
	c->stuck = gw_timer_new(gw_gateway_loop(k->surface->gateway), on_stuck, c);
	c->channel =
		gw_api_channel_new(k->api, &owner, /* local= */ true, "local", &channel_ops, c);
	if (!c->stuck || !c->channel) {
		return -ENOMEM;
	}
	client_work(c);
	return 0;
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct control *k = listener->data;
	if (status < 0) {
		return; /* out of descriptors: the peer sees it in its own time */
	}
	struct client *c = gw_new(struct client);
	if (!c || uv_pipe_init(listener->loop, &c->pipe, /* ipc= */ 0)) {
		gw_free(c); /* uv listens no more before this one is accepted */
		gw_timer_start(k->again, AGAIN_MS, 0);
		return;
	}
	c->control = k;
	c->pipe.data = c;
	gw_buf_init(&c->in, GW_CONTROL_LINE_BYTES + 1);
	gw_list_init(&c->link);
	gw_list_append(&k->clients, &c->link);
	k->n_clients++;
	k->handles++;
	if (uv_accept(listener, (uv_stream_t *)&c->pipe) || k->n_clients > GW_CONTROL_CLIENTS ||
	    !peer_is_local_owner(&c->pipe) || client_open(c)) {
		client_close(c);
	}
}

static void on_again(void *ctx)
{
	struct control *k = ctx;
	on_connection((uv_stream_t *)&k->listener, /* status= */ 0);
}

/* A socket that nobody answers was left behind by a crash. */
static int remove_stale(const struct sockaddr_un *addr)
{
	struct stat st;
	if (lstat(addr->sun_path, &st)) {
		return errno == ENOENT ? 0 : -errno;
	}
	if (!S_ISSOCK(st.st_mode)) {
		return -EEXIST;
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return -errno;
	}
	int r = connect(fd, (const struct sockaddr *)addr, sizeof(*addr));
	int err = r < 0 ? errno : 0;
	close(fd);
	if (err != ECONNREFUSED) {
		return -EADDRINUSE;
	}
	return unlink(addr->sun_path) ? -errno : 0;
}

static int open_socket(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	int r = remove_stale(&addr);
	if (r) {
		return r;
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return -errno;
	}
	/* Linux gives the mode of the descriptor to the file that bind makes: there is no moment with a wider one. */
	if (fchmod(fd, 0600) || bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) ||
	    listen(fd, GW_CONTROL_CLIENTS)) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

static int control_listen(struct control *k)
{
	int fd = open_socket(k->path);
	if (fd < 0) {
		gw_log_error("control", "GW-CONTROL-LISTEN", "cannot listen on %s: %s%s", k->path,
			     strerror(-fd),
			     fd == -EADDRINUSE ? "; is another hearthd running?" : "");
		return fd;
	}
	uv_loop_t *loop = gw_loop_uv(gw_gateway_loop(k->surface->gateway));
	int r = uv_pipe_init(loop, &k->listener, /* ipc= */ 0);
	if (r) {
		close(fd);
		return r;
	}
	k->handles++;
	k->listening = true;
	k->listener.data = k;
	r = uv_pipe_open(&k->listener, fd);
	if (r) {
		close(fd);
		return r;
	}
	return uv_listen((uv_stream_t *)&k->listener, GW_CONTROL_CLIENTS, on_connection);
}

/* --- the surface --- */

static int control_init(struct gw_surface *s)
{
	struct control *k = s->impl;
	k->surface = s;
	gw_list_init(&k->clients);
	int n = k->path_option && k->path_option[0]
			? snprintf(k->path, sizeof(k->path), "%s", k->path_option)
			: snprintf(k->path, sizeof(k->path), "%s/control.sock", s->state_dir);
	if (n < 0 || (size_t)n >= sizeof(k->path)) {
		gw_log_error(
			"control", "GW-CONTROL-PATH",
			"the path of the control socket is longer than %zu bytes; set control: path",
			sizeof(k->path) - 1);
		return -EINVAL;
	}
	return 0;
}

static int control_start(struct gw_surface *s)
{
	struct control *k = s->impl;
	k->api = gw_api_new(s->gateway, s->broker, "control");
	k->deferred = gw_deferred_new(gw_gateway_loop(s->gateway), on_deferred, k);
	k->again = gw_timer_new(gw_gateway_loop(s->gateway), on_again, k);
	if (!k->api || !k->deferred || !k->again) {
		return -ENOMEM;
	}
	return control_listen(k);
}

static void on_listener_closed(uv_handle_t *h)
{
	handle_closed(h->data);
}

static void control_stop(struct gw_surface *s)
{
	struct control *k = s->impl;
	if (k->stopping) {
		return;
	}
	k->stopping = true;
	gw_timer_free(k->again);
	k->again = NULL;
	gw_list_for_safe(pos, &k->clients)
	{
		client_close(gw_container(pos, struct client, link));
	}
	if (k->listening) {
		uv_close((uv_handle_t *)&k->listener,
			 on_listener_closed); /* unlinks only what uv bound */
		(void)unlink(k->path);	      /* else the next start does */
	}
	if (k->handles == 0) {
		gw_surface_stopped(s);
	}
}

static void control_fini(struct gw_surface *s)
{
	struct control *k = s->impl;
	gw_timer_free(k->again); /* of a start that failed */
	gw_deferred_free(k->deferred);
	gw_api_free(k->api);
}

static const struct gw_option control_options[] = {
	{.name = "path",
	 .type = GW_OPTION_TEXT,
	 .offset = offsetof(struct control, path_option),
	 .fallback = "",
	 .help = "Path of the control socket; empty: control.sock in the state directory."},
	{0},
};

const struct gw_surface_class gw_surface_control = {
	.name = "control",
	.instance_size = sizeof(struct control),
	.options = control_options,
	.init = control_init,
	.start = control_start,
	.stop = control_stop,
	.fini = control_fini,
};
