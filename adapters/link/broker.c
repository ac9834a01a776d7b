/*
 * The broker of the home. External: an endpoint made from the section `broker:`. Private: mosquitto as a child, with one
 * listener for appliances and controllers and a UNIX socket for our own two connections.
 *
 *   broker:
 *     url: mqtts://broker.example:8883    # another broker; without it the private one is used
 *     username: hearth
 *     password: {file: /etc/hearth/broker.password}
 *     ca: /etc/hearth/ca.pem              # default: the CAs of the system
 *     listen: 192.168.1.2:1883            # private broker: where appliances find it; default 127.0.0.1:1883
 */
#include "gw/broker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gw/alloc.h"
#include "gw/clock.h"
#include "gw/log.h"
#include "link/broker_files.h"
#include "link/child.h"

#define LOG_TOPIC	"broker"
#define KILL_AFTER_MS	2000
#define RESTART_MIN_MS	200
#define RESTART_MAX_MS	30000
#define STEADY_MS	10000 /* a broker that ran so long begins the back-off anew */
#define HOST_BYTES	254
#define PORT_PLAIN	1883
#define PORT_TLS	8883
#define DEFAULT_LISTEN	"127.0.0.1:1883"
#define DEFAULT_PROGRAM "mosquitto"

struct settings {
	char *url, *username, *password, *ca, *cert, *key, *listen, *program;
	bool insecure;
};

struct gw_broker {
	struct gw_loop *loop;
	struct settings settings;
	char host[HOST_BYTES];
	char describe[HOST_BYTES + 32];
	struct gw_broker_endpoint endpoint[2]; /* by enum gw_broker_client */

	/* private only */
	bool is_private, running;
	struct gw_broker_files files;
	char conf[600], program[512], last_line[256];
	struct gw_child *child;
	struct gw_timer *timer; /* to the next start, or to SIGKILL */
	uint64_t restarts;
	unsigned failures;
	int64_t started_ms;
};

#define ROW(field, type, fallback, help)                                                           \
	{                                                                                          \
#field, type, offsetof(struct settings, field), fallback, 0, 0, 0, help            \
	}
const struct gw_option gw_broker_options[] = {
	ROW(url, GW_OPTION_TEXT, NULL,
	    "Broker to use, mqtt://host:port or mqtts://host:port; without it a private one is started."),
	ROW(username, GW_OPTION_TEXT, NULL, "User name at that broker."),
	ROW(password, GW_OPTION_SECRET, NULL, "Password at that broker."),
	ROW(ca, GW_OPTION_TEXT, NULL,
	    "File with the CA certificates to trust instead of the system's."),
	ROW(cert, GW_OPTION_TEXT, NULL, "File with our client certificate."),
	ROW(key, GW_OPTION_TEXT, NULL, "File with the key of the client certificate."),
	ROW(insecure, GW_OPTION_BOOL, "false",
	    "Accept a certificate that was made for another host name."),
	ROW(listen, GW_OPTION_TEXT, DEFAULT_LISTEN,
	    "Address and port on which the private broker waits for appliances."),
	ROW(program, GW_OPTION_TEXT, DEFAULT_PROGRAM,
	    "The mosquitto program of the private broker."),
	{0},
};
#undef ROW

/* --- what the section says --- */

static int refuse(const struct gw_node *section, const char *key, const char *file,
		  struct gw_error *reterr_, const char *what, const char *expected)
{
	const struct gw_node *n = section ? gw_node_get(section, key) : NULL;
	int r = gw_error_set(reterr_, -EINVAL, "value", "broker.%s: %s; expected %s", key, what,
			     expected);
	if (reterr_) {
		(void)snprintf(reterr_->file, sizeof(reterr_->file), "%s", file ? file : "");
		reterr_->line = n ? n->line : 0;
		reterr_->column = n ? n->column : 0;
	}
	return r;
}

/* "host", "host:port", "[v6]:port"; *ret_port is left alone when there is none. */
static bool parse_host_port(struct gw_str s, char *ret_host, size_t cap, uint16_t *ret_port)
{
	struct gw_str host = s, port = {NULL, 0};
	if (gw_str_starts(s, "[")) {
		const char *end = memchr(s.p, ']', s.len);
		if (!end) {
			return false;
		}
		host = (struct gw_str){s.p + 1, (size_t)(end - s.p) - 1};
		struct gw_str rest = gw_str_sub(s, host.len + 2, s.len);
		if (rest.len > 0 && rest.p[0] != ':') {
			return false;
		}
		port = gw_str_sub(rest, 1, rest.len);
	} else {
		const char *colon = memchr(s.p, ':', s.len);
		if (colon) {
			host.len = (size_t)(colon - s.p);
			port = gw_str_sub(s, host.len + 1, s.len);
		}
	}
	if (host.len == 0 || host.len >= cap || memchr(host.p, '/', host.len) ||
	    memchr(host.p, ' ', host.len)) {
		return false;
	}
	if (host.len < s.len && !(gw_str_starts(s, "[") && s.len == host.len + 2)) {
		uint64_t n;
		if (gw_parse_u64(port, &n) < 0 || n < 1 || n > UINT16_MAX) {
			return false;
		}
		*ret_port = (uint16_t)n;
	}
	memcpy(ret_host, host.p, host.len);
	ret_host[host.len] = '\0';
	return true;
}

static int use_url(struct gw_broker *b, const struct gw_node *section, const char *file,
		   struct gw_error *reterr_)
{
	const struct settings *s = &b->settings;
	struct gw_str rest = gw_str(s->url);
	bool tls = gw_str_starts(rest, "mqtts://");
	if (!tls && !gw_str_starts(rest, "mqtt://")) {
		return refuse(section, "url", file, reterr_, "unknown kind of address",
			      "mqtt://host:port or mqtts://host:port");
	}
	rest = gw_str_sub(rest, tls ? 8 : 7, rest.len);
	if (gw_str_ends(rest, "/")) {
		rest.len--;
	}
	if (memchr(rest.p, '@', rest.len)) {
		return refuse(section, "url", file, reterr_, "user name inside the address",
			      "broker.username and broker.password, so that no log shows them");
	}
	uint16_t port = tls ? PORT_TLS : PORT_PLAIN;
	if (!parse_host_port(rest, b->host, sizeof(b->host), &port)) {
		return refuse(section, "url", file, reterr_, "no valid host and port",
			      "mqtt://host:port or mqtts://host:port");
	}
	if (s->password && !s->username) {
		return refuse(section, "username", file, reterr_, "a password without a user name",
			      "both");
	}
	if (!s->cert != !s->key) {
		return refuse(section, s->cert ? "cert" : "key", file, reterr_,
			      "only one of cert and key", "both or none");
	}
	for (size_t i = 0; i < gw_countof(b->endpoint); i++) {
		b->endpoint[i] = (struct gw_broker_endpoint){
			.host = b->host,
			.port = port,
			.username = s->username,
			.password = s->password,
			.tls = tls,
			.ca_file = s->ca,
			.cert_file = s->cert,
			.key_file = s->key,
			.tls_insecure = s->insecure,
		};
	}
	bool v6 = strchr(b->host, ':') != NULL;
	(void)snprintf(b->describe, sizeof(b->describe), "mqtt%s://%s%s%s:%u", tls ? "s" : "",
		       v6 ? "[" : "", b->host, v6 ? "]" : "", port);
	return 0;
}

static bool parse_listen(const char *listen_at, char *ret_host, size_t cap, uint16_t *ret_port)
{
	struct in6_addr any;
	*ret_port = 0;
	return parse_host_port(gw_str(listen_at), ret_host, cap, ret_port) && *ret_port != 0 &&
	       (inet_pton(AF_INET, ret_host, &any) == 1 ||
		inet_pton(AF_INET6, ret_host, &any) == 1);
}

/* Where we ourselves reach a listener: 0.0.0.0 and :: are no addresses to connect to. */
static const char *own_host(const struct gw_broker *b)
{
	if (strcmp(b->host, "0.0.0.0") == 0) {
		return "127.0.0.1";
	}
	return strcmp(b->host, "::") == 0 ? "::1" : b->host;
}

static int use_private(struct gw_broker *b, const struct gw_node *section, const char *file,
		       const char *state_dir, struct gw_error *reterr_)
{
	b->is_private = true;
	if (!parse_listen(b->settings.listen, b->host, sizeof(b->host), &b->files.listen_port)) {
		return refuse(section, "listen", file, reterr_, "no address and port",
			      "an address of this machine and a port, like 192.168.1.2:1883");
	}
	b->files.listen_host = b->host;
	int r = gw_broker_files_open(&b->files, state_dir, reterr_);
	if (r < 0) {
		return r;
	}
	const enum gw_broker_account account[] = {
		[GW_BROKER_ADAPTER] = GW_BROKER_ACCOUNT_ADAPTER,
		[GW_BROKER_SURFACE] = GW_BROKER_ACCOUNT_SURFACE,
	};
	for (size_t i = 0; i < gw_countof(b->endpoint); i++) {
		bool local = b->files.socket[0] != '\0';
		b->endpoint[i] = (struct gw_broker_endpoint){
			.host = local ? b->files.socket : own_host(b),
			.port = local ? 0 : b->files.listen_port,
			.username = gw_broker_account_name(account[i]),
			.password = b->files.password[account[i]],
		};
	}
	bool v6 = strchr(b->host, ':') != NULL;
	(void)snprintf(b->describe, sizeof(b->describe), "mqtt://%s%s%s:%u (private)",
		       v6 ? "[" : "", b->host, v6 ? "]" : "", b->files.listen_port);
	return 0;
}

/* --- the child --- */

static bool find_in(const char *dirs, const char *program, char *ret_path, size_t cap)
{
	struct gw_str rest = gw_str(dirs), dir;
	while (gw_str_split(&rest, ':', &dir)) {
		int n = snprintf(ret_path, cap, "%.*s/%s", (int)dir.len, dir.p, program);
		if (dir.len > 0 && n > 0 && (size_t)n < cap && access(ret_path, X_OK) == 0) {
			return true;
		}
	}
	return false;
}

static int find_program(struct gw_broker *b, struct gw_error *reterr_)
{
	const char *program = b->settings.program, *path = getenv("PATH");
	if (strchr(program, '/')) {
		(void)snprintf(b->program, sizeof(b->program), "%s", program);
		if (access(b->program, X_OK) == 0) {
			return 0;
		}
	} else if (find_in(path ? path : "", program, b->program, sizeof(b->program)) ||
		   /* Debian keeps it where the PATH of ordinary users does not go. */
		   find_in("/usr/sbin:/usr/local/sbin:/usr/bin", program, b->program,
			   sizeof(b->program))) {
		return 0;
	}
	return gw_error_set(reterr_, -ENOENT, "broker",
			    "the program %s is not there: install the package mosquitto, or set "
			    "broker.url to a broker that runs already",
			    program);
}

/* mosquitto would only say "Address already in use" and end; asking first gives the owner the next step. */
static int check_port(const struct gw_broker *b, struct gw_error *reterr_)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(b->files.listen_port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
				  .sin6_port = htons(b->files.listen_port)};
	bool is_v4 = inet_pton(AF_INET, b->host, &v4.sin_addr) == 1;
	if (!is_v4 && inet_pton(AF_INET6, b->host, &v6.sin6_addr) != 1) {
		return gw_error_set(reterr_, -EINVAL, "broker", "%s is no address", b->host);
	}
	const struct sockaddr *sa =
		is_v4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6;
	socklen_t len = is_v4 ? sizeof(v4) : sizeof(v6);
	int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int on = 1;
	int r = 0;
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, sa, len) < 0 || listen(fd, 1) < 0) {
		r = -errno;
	}
	if (fd >= 0) {
		(void)close(fd); /* nothing was written */
	}
	if (r == -EADDRINUSE) {
		return gw_error_set(
			reterr_, r, "broker",
			"port %u on %s is taken by another program. If it is an MQTT broker, use it "
			"with `broker: {url: mqtt://%s:%u}` in hearth.yaml; else give the private "
			"broker a free one with `broker: {listen: \"%s:%u\"}`",
			b->files.listen_port, b->host, own_host(b), b->files.listen_port, b->host,
			b->files.listen_port == UINT16_MAX ? 1883 : b->files.listen_port + 1);
	}
	if (r < 0) {
		return gw_error_set(reterr_, r, "broker",
				    "cannot listen on %s: %s. Set broker.listen to "
				    "an address of this machine",
				    b->describe, strerror(-r));
	}
	return 0;
}

static void on_line(void *ctx, struct gw_str line)
{
	struct gw_broker *b = ctx;
	(void)snprintf(b->last_line, sizeof(b->last_line), "%.*s", (int)line.len, line.p);
	gw_log_debug(LOG_TOPIC, "mosquitto: %s", b->last_line);
}

static void start_later(struct gw_broker *b)
{
	int64_t wait_ms = RESTART_MIN_MS;
	for (unsigned i = 0; i < b->failures && wait_ms < RESTART_MAX_MS; i++) {
		wait_ms *= 2;
	}
	b->failures++;
	gw_timer_start(b->timer, wait_ms < RESTART_MAX_MS ? wait_ms : RESTART_MAX_MS,
		       /* repeat_ms= */ 0);
}

static void on_ended(void *ctx, int status)
{
	struct gw_broker *b = ctx;
	gw_child_free(b->child);
	b->child = NULL;
	gw_timer_stop(b->timer);
	if (!b->running) {
		return;
	}
	b->restarts++;
	if (gw_clock_ms() - b->started_ms >= STEADY_MS) {
		b->failures = 0;
	}
	gw_log_error(LOG_TOPIC, "GW-BROKER-ENDED",
		     "mosquitto ended (%s %d; its last words: %s), starting it again",
		     WIFSIGNALED(status) ? "signal" : "status",
		     WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
		     b->last_line[0] ? b->last_line : "none");
	start_later(b);
}

static int start_child(struct gw_broker *b)
{
	static const struct gw_child_ops ops = {on_line, on_ended};
	char name[] = "mosquitto", option[] = "-c";
	char *const argv[] = {name, option, b->conf, NULL};
	b->last_line[0] = '\0';
	b->started_ms = gw_clock_ms();
	return gw_child_start(b->loop, b->program, argv, &ops, b, &b->child);
}

static void on_timer(void *ctx)
{
	struct gw_broker *b = ctx;
	if (!b->running) {
		if (b->child) {
			gw_child_signal(b->child, SIGKILL);
		}
		return;
	}
	int r = start_child(b);
	if (r < 0) {
		gw_log_error(LOG_TOPIC, "GW-BROKER-START", "cannot start %s: %s", b->program,
			     strerror(-r));
		start_later(b);
	}
}

/* --- the contract --- */

int gw_broker_new(struct gw_loop *l, const struct gw_node *section, const char *file,
		  const char *state_dir, struct gw_broker **ret_broker, struct gw_error *reterr_)
{
	struct gw_broker *b = gw_new(struct gw_broker);
	if (!b) {
		return gw_error_set(reterr_, -ENOMEM, "broker", "out of memory");
	}
	b->loop = l;
	int r = gw_options_apply(gw_broker_options, &b->settings, section, file, reterr_);
	if (r == 0) {
		r = b->settings.url ? use_url(b, section, file, reterr_)
				    : use_private(b, section, file, state_dir, reterr_);
	}
	if (r == 0 && b->is_private) {
		b->timer = gw_timer_new(l, on_timer, b);
		if (!b->timer) {
			r = gw_error_set(reterr_, -ENOMEM, "broker", "out of memory");
		}
	}
	if (r < 0) {
		gw_broker_free(b);
		return r;
	}
	*ret_broker = b;
	return 0;
}

int gw_broker_start(struct gw_broker *b, struct gw_error *reterr_)
{
	if (!b->is_private || b->running) {
		return 0;
	}
	int r = find_program(b, reterr_);
	if (r == 0) {
		r = check_port(b, reterr_);
	}
	if (r == 0) {
		r = gw_broker_files_write(&b->files, b->conf, sizeof(b->conf), reterr_);
	}
	if (r < 0) {
		return r;
	}
	r = start_child(b);
	if (r < 0) {
		return gw_error_set(reterr_, r, "broker", "cannot start %s: %s", b->program,
				    strerror(-r));
	}
	b->running = true;
	return 0;
}

void gw_broker_stop(struct gw_broker *b)
{
	if (!b->running) {
		return;
	}
	b->running = false;
	gw_timer_stop(b->timer);
	if (b->child) {
		gw_child_signal(b->child, SIGTERM);
		gw_timer_start(b->timer, KILL_AFTER_MS, /* repeat_ms= */ 0);
	}
}

void gw_broker_free(struct gw_broker *b)
{
	if (!b) {
		return;
	}
	gw_child_free(b->child);
	gw_timer_free(b->timer);
	gw_options_free(gw_broker_options, &b->settings);
	OPENSSL_cleanse(b->files.password, sizeof(b->files.password));
	gw_free(b);
}

bool gw_broker_is_private(const struct gw_broker *b)
{
	return b->is_private;
}

const struct gw_broker_endpoint *gw_broker_endpoint(const struct gw_broker *b,
						    enum gw_broker_client client)
{
	return &b->endpoint[client];
}

const char *gw_broker_password(const struct gw_broker *b, const char *account)
{
	if (!b->is_private) {
		return NULL;
	}
	for (enum gw_broker_account i = GW_BROKER_ACCOUNT_DEVICE; i < GW_BROKER_ACCOUNTS; i++) {
		if (strcmp(account, gw_broker_account_name(i)) == 0) {
			return b->files.password[i];
		}
	}
	return NULL;
}

const char *gw_broker_describe(const struct gw_broker *b)
{
	return b->describe;
}

int gw_broker_pid(const struct gw_broker *b)
{
	return b->child ? gw_child_pid(b->child) : 0;
}

uint64_t gw_broker_restarts(const struct gw_broker *b)
{
	return b->restarts;
}
