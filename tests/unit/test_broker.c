#include "gw_test.h"

#include <sys/stat.h>

#include "gw/alloc.h"
#include "gw/broker.h"
#include "gw/limits.h"
#include "gw/mqtt_link.h"
#include "link/child.h"
#include "mosquitto.h"
#include "spawn.h"

struct fixture {
	struct gw_loop *loop;
	struct gw_arena *arena;
	struct gw_broker *broker;
	struct gw_error error;
	char dir[64];
	uint16_t port;
};

static int set_up(void **state)
{
	struct fixture *f = gw_new(struct fixture);
	f->loop = gw_loop_new();
	f->arena = gw_arena_new(65536);
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/hearth-test-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	int fd = test_listen(&f->port);
	(void)close(fd);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	gw_broker_free(f->broker);
	gw_arena_free(f->arena);
	gw_loop_free(f->loop);
	spawn_run((const char *const[]){"rm", "-r", f->dir, NULL}, /* input= */ NULL);
	gw_free(f);
	return 0;
}

static struct gw_node *parse(struct fixture *f, const char *yaml)
{
	const struct gw_node_limits limits = {65536, 8, 1000, 4096};
	struct gw_node *n = NULL;
	assert_int_equal(gw_node_parse_yaml(f->arena, gw_str(yaml), &limits, &n, &f->error), 0);
	return n;
}

/* {listen: 127.0.0.1:PORT} */
static void make_private(struct fixture *f)
{
	char yaml[64];
	(void)snprintf(yaml, sizeof(yaml), "listen: \"127.0.0.1:%u\"\n", f->port);
	assert_int_equal(gw_broker_new(f->loop, parse(f, yaml), "hearth.yaml", f->dir, &f->broker,
				       &f->error),
			 0);
}

static void start_private(struct fixture *f)
{
	make_private(f);
	assert_int_equal(gw_broker_start(f->broker, &f->error), 0);
	assert_true(gw_broker_pid(f->broker) > 0);
}

/* --- configuration --- */

static void test_external(void **state)
{
	static const struct {
		const char *yaml, *host;
		uint16_t port;
		bool tls;
		const char *describe;
	} cases[] = {
		{"url: mqtt://broker.example", "broker.example", 1883, false,
		 "mqtt://broker.example:1883"},
		{"url: mqtts://broker.example/", "broker.example", 8883, true,
		 "mqtts://broker.example:8883"},
		{"url: mqtt://10.0.0.1:1884", "10.0.0.1", 1884, false, "mqtt://10.0.0.1:1884"},
		{"url: \"mqtts://[2001:db8::1]:8884\"", "2001:db8::1", 8884, true,
		 "mqtts://[2001:db8::1]:8884"},
		{"url: \"mqtt://[::1]\"", "::1", 1883, false, "mqtt://[::1]:1883"},
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < gw_countof(cases); i++) {
		struct gw_broker *b = NULL;
		assert_int_equal(gw_broker_new(f->loop, parse(f, cases[i].yaml), "hearth.yaml",
					       f->dir, &b, &f->error),
				 0);
		const struct gw_broker_endpoint *e = gw_broker_endpoint(b, GW_BROKER_SURFACE);
		assert_string_equal(e->host, cases[i].host);
		assert_int_equal(e->port, cases[i].port);
		assert_int_equal(e->tls, cases[i].tls);
		assert_string_equal(gw_broker_describe(b), cases[i].describe);
		assert_false(gw_broker_is_private(b));
		assert_null(gw_broker_password(b, "device"));
		assert_int_equal(gw_broker_start(b, &f->error), 0);
		assert_int_equal(gw_broker_pid(b), 0);
		gw_broker_stop(b);
		gw_broker_free(b);
	}
	struct gw_node *n =
		parse(f, "url: mqtts://b\nusername: u\npassword: p\nca: /ca\ncert: /c\nkey: /k\n"
			 "insecure: true\n");
	assert_int_equal(gw_broker_new(f->loop, n, "hearth.yaml", f->dir, &f->broker, &f->error),
			 0);
	const struct gw_broker_endpoint *e = gw_broker_endpoint(f->broker, GW_BROKER_ADAPTER);
	assert_string_equal(e->username, "u");
	assert_string_equal(e->password, "p");
	assert_string_equal(e->ca_file, "/ca");
	assert_string_equal(e->cert_file, "/c");
	assert_string_equal(e->key_file, "/k");
	assert_true(e->tls_insecure);
}

static void test_refused_configuration(void **state)
{
	static const struct {
		const char *yaml, *text;
		uint32_t line;
	} cases[] = {
		{"url: http://x", "broker.url: unknown kind of address; expected mqtt://", 1},
		{"username: u\nurl: mqtt://u:p@x", "broker.url: user name inside the address", 2},
		{"url: \"mqtt://\"", "broker.url: no valid host and port", 1},
		{"url: \"mqtt://x:0\"", "broker.url: no valid host and port", 1},
		{"url: \"mqtt://x:65536\"", "broker.url: no valid host and port", 1},
		{"url: \"mqtt://x:\"", "broker.url: no valid host and port", 1},
		{"url: \"mqtt://[::1\"", "broker.url: no valid host and port", 1},
		{"url: \"mqtt://[::1]x\"", "broker.url: no valid host and port", 1},
		{"url: \"mqtt://x/y\"", "broker.url: no valid host and port", 1},
		{"url: mqtt://x\npassword: p", "broker.username: a password without a user name",
		 0},
		{"url: mqtts://x\ncert: /c", "broker.cert: only one of cert and key", 2},
		{"listen: \"1883\"", "broker.listen: no address and port", 1},
		{"listen: \"127.0.0.1\"", "broker.listen: no address and port", 1},
		{"listen: \"localhost:1883\"", "broker.listen: no address and port", 1},
		{"listne: \"127.0.0.1:1883\"", "listen", 1},
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < gw_countof(cases); i++) {
		f->error = (struct gw_error){0};
		assert_int_equal(gw_broker_new(f->loop, parse(f, cases[i].yaml), "hearth.yaml",
					       f->dir, &f->broker, &f->error),
				 -EINVAL);
		assert_null(f->broker);
		if (!strstr(f->error.text, cases[i].text)) {
			fail_msg("%s: %s", cases[i].yaml, f->error.text);
		}
		assert_string_equal(f->error.file, "hearth.yaml");
		assert_int_equal(f->error.line, cases[i].line);
	}
}

/* --- the private broker --- */

static unsigned mode_of(const struct fixture *f, const char *name)
{
	char path[128];
	struct stat st;
	(void)snprintf(path, sizeof(path), "%s/broker/%s", f->dir, name);
	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 0777;
}

static void slurp(const struct fixture *f, const char *name, char *text, size_t cap)
{
	char path[128];
	(void)snprintf(path, sizeof(path), "%s/broker/%s", f->dir, name);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	text[fread(text, 1, cap - 1, file)] = '\0';
	assert_int_equal(fclose(file), 0);
}

static void test_files(void **state)
{
	struct fixture *f = *state;
	char text[8192], device[65], home[65], adapter[65];
	start_private(f);
	(void)snprintf(device, sizeof(device), "%s", gw_broker_password(f->broker, "device"));
	(void)snprintf(home, sizeof(home), "%s", gw_broker_password(f->broker, "home"));
	(void)snprintf(adapter, sizeof(adapter), "%s",
		       gw_broker_endpoint(f->broker, GW_BROKER_ADAPTER)->password);
	assert_null(gw_broker_password(f->broker, "hearth-adapter"));
	assert_null(gw_broker_password(f->broker, "nobody"));
	assert_int_equal(strlen(device), 26);
	assert_string_not_equal(device, home);
	assert_int_equal(mode_of(f, ""), 0700);
	static const char *const names[] = {"mosquitto.conf", "passwords", "acl", "device.password",
					    "home.password"};
	for (size_t i = 0; i < gw_countof(names); i++) {
		assert_int_equal(mode_of(f, names[i]), 0600);
	}
	slurp(f, "passwords", text, sizeof(text));
	assert_null(strstr(text, device)); /* hashes only */
	assert_non_null(strstr(text, "device:$7$"));
	(void)snprintf(text, sizeof(text), "/proc/%d/cmdline", gw_broker_pid(f->broker));
	FILE *file = fopen(text, "r");
	size_t n = fread(text, 1, sizeof(text), file);
	(void)fclose(file);
	assert_null(memmem(text, n, adapter, strlen(adapter))); /* R21: in no argv */
	gw_broker_free(f->broker);
	f->broker = NULL;

	/* The next life: appliances keep theirs, ours are new. */
	make_private(f);
	assert_string_equal(gw_broker_password(f->broker, "device"), device);
	assert_string_equal(gw_broker_password(f->broker, "home"), home);
	assert_string_not_equal(gw_broker_endpoint(f->broker, GW_BROKER_ADAPTER)->password,
				adapter);
	gw_broker_free(f->broker);
	f->broker = NULL;

	/* A damaged one is not replaced in silence: every appliance of the home would be locked out. */
	(void)snprintf(text, sizeof(text), "%s/broker/device.password", f->dir);
	file = fopen(text, "w");
	(void)fputs("short\n", file);
	(void)fclose(file);
	assert_int_equal(gw_broker_new(f->loop, NULL, NULL, f->dir, &f->broker, &f->error),
			 -EINVAL);
	assert_non_null(strstr(f->error.text, "holds no password"));
	assert_int_equal(unlink(text), 0);
	assert_int_equal(symlink("/etc/hostname", text), 0);
	assert_int_equal(gw_broker_new(f->loop, NULL, NULL, f->dir, &f->broker, &f->error), -ELOOP);
	assert_null(f->broker);
}

struct watcher {
	struct gw_broker *broker;
	int pid;
	uint64_t restarts;
};

static bool has_ended(void *ctx)
{
	return gw_broker_pid(((struct watcher *)ctx)->broker) == 0;
}

static bool has_restarted(void *ctx)
{
	struct watcher *w = ctx;
	int pid = gw_broker_pid(w->broker);
	return gw_broker_restarts(w->broker) == w->restarts && pid > 0 && pid != w->pid;
}

static bool port_answers(void *ctx)
{
	const struct fixture *f = ctx;
	int fd = test_connect(f->port);
	if (fd >= 0) {
		(void)close(fd);
	}
	return fd >= 0;
}

struct client {
	struct gw_mqtt_link *link;
	struct gw_broker_endpoint endpoint;
	enum gw_link_state state;
	unsigned ups, published;
	unsigned heard[3]; /* by topics[] */
};

static const char *const topics[] = {"tele/x/SENSOR", "hearth/x/state", "hearth/x/a/b/c/set"};

static void on_state(void *ctx, enum gw_link_state state, const char *reason)
{
	(void)reason;
	struct client *c = ctx;
	c->state = state;
	c->ups += state == GW_LINK_UP;
}

static void on_message(void *ctx, const struct gw_mqtt_message *m)
{
	struct client *c = ctx;
	for (size_t i = 0; i < gw_countof(topics); i++) {
		c->heard[i] += gw_str_is(m->topic, topics[i]);
	}
}

static void on_published(void *ctx, int mid)
{
	(void)mid;
	((struct client *)ctx)->published++;
}

static const struct gw_mqtt_ops ops = {on_state, on_message, NULL, on_published};

static bool is_up(void *ctx)
{
	return ((struct client *)ctx)->state == GW_LINK_UP;
}

static bool is_refused(void *ctx)
{
	return ((struct client *)ctx)->state == GW_LINK_REFUSED;
}

static bool is_up_twice(void *ctx)
{
	return ((struct client *)ctx)->ups == 2;
}

static void client_start(struct fixture *f, struct client *c)
{
	assert_int_equal(gw_mqtt_link_new(f->loop, &c->endpoint, NULL, NULL, &ops, c, &c->link), 0);
	assert_int_equal(gw_mqtt_link_start(c->link), 0);
}

/* A client of the listener for appliances and controllers. */
static void client_login(struct fixture *f, struct client *c, const char *account)
{
	*c = (struct client){.endpoint = {.host = "127.0.0.1",
					  .port = f->port,
					  .username = account,
					  .password = gw_broker_password(f->broker, account)}};
	client_start(f, c);
}

static void client_ours(struct fixture *f, struct client *c, enum gw_broker_client which)
{
	*c = (struct client){.endpoint = *gw_broker_endpoint(f->broker, which)};
	client_start(f, c);
}

static void test_supervision(void **state)
{
	struct fixture *f = *state;
	struct client c;
	start_private(f);
	client_ours(f, &c, GW_BROKER_ADAPTER); /* at once: it asks again until the child answers */
	assert_int_equal(c.endpoint.port, 0);  /* a UNIX socket */
	assert_true(loop_until(f->loop, is_up, &c));
	struct watcher w = {f->broker, gw_broker_pid(f->broker), 1};
	(void)kill(w.pid, SIGKILL);
	assert_true(loop_until(f->loop, has_restarted, &w));
	assert_true(loop_until(f->loop, is_up_twice, &c));
	assert_true(loop_until(f->loop, port_answers, f));
	gw_mqtt_link_free(c.link);

	w.pid = gw_broker_pid(f->broker);
	gw_broker_stop(f->broker);
	gw_broker_stop(f->broker);
	assert_true(loop_until(f->loop, has_ended, &w));
	assert_int_equal(kill(w.pid, 0), -1);
	assert_int_equal(gw_broker_restarts(f->broker), 1);
}

static bool has_published(void *ctx)
{
	return ((struct client *)ctx)->published > 0;
}

/* An acknowledgement follows on a connection whatever the broker did before it. */
static void barrier(struct fixture *f, struct client *const *all, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		all[i]->published = 0;
		assert_int_equal(gw_mqtt_link_publish(all[i]->link, GW_STR("barrier"), GW_STR("x"),
						      1, false, NULL),
				 0);
	}
	for (size_t i = 0; i < n; i++) {
		assert_true(loop_until(f->loop, has_published, all[i]));
	}
}

static void test_accounts(void **state)
{
	struct fixture *f = *state;
	struct client nobody = {0}, wrong = {0}, device, home, adapter, surface;
	start_private(f);
	assert_true(loop_until(f->loop, port_answers, f));
	client_login(f, &nobody, "nobody");
	client_login(f, &wrong, "device");
	wrong.endpoint.password = "00000000000000000000000000";
	assert_true(loop_until(f->loop, is_refused, &nobody));
	assert_true(loop_until(f->loop, is_refused, &wrong));
	client_login(f, &device, "device");
	client_login(f, &home, "home");
	client_ours(f, &adapter, GW_BROKER_ADAPTER);
	client_ours(f, &surface, GW_BROKER_SURFACE);
	struct client *const all[] = {&device, &home, &adapter, &surface};
	for (size_t i = 0; i < gw_countof(all); i++) {
		assert_true(loop_until(f->loop, is_up, all[i]));
		assert_int_equal(gw_mqtt_link_subscribe(all[i]->link, GW_STR("#"), 0), 0);
	}
	loop_turns(f->loop, 3);
	barrier(f, all, gw_countof(all)); /* SUBSCRIBE was carried out … */
	for (size_t i = 0; i < gw_countof(all); i++) {
		for (size_t k = 0; k < gw_countof(topics); k++) {
			assert_int_equal(gw_mqtt_link_publish(all[i]->link, gw_str(topics[k]),
							      GW_STR("x"), 0, false, NULL),
					 0);
		}
	}
	barrier(f, all, gw_countof(all)); /* … everything was written … */
	barrier(f, all, gw_countof(all)); /* … and arrived */
	/* Who hears how much of the four that each topic was published, by the rights of both ends. */
	static const unsigned wanted[][3] = {
		{3, 0, 0}, /* appliances: everything but ours */
		{0, 1, 2}, /* controllers: ours; they write commands only */
		{3, 0, 0},
		{3, 1, 2},
	};
	for (size_t i = 0; i < gw_countof(all); i++) {
		assert_memory_equal(all[i]->heard, wanted[i], sizeof(wanted[i]));
	}
	for (size_t i = 0; i < gw_countof(all); i++) {
		gw_mqtt_link_free(all[i]->link);
	}
	gw_mqtt_link_free(nobody.link);
	gw_mqtt_link_free(wrong.link);
}

static void test_port_taken(void **state)
{
	struct fixture *f = *state;
	int fd = test_listen(&f->port);
	make_private(f);
	assert_int_equal(gw_broker_start(f->broker, &f->error), -EADDRINUSE);
	assert_non_null(strstr(f->error.text, "is taken by another program"));
	assert_non_null(strstr(f->error.text, "hearth.yaml"));
	assert_int_equal(gw_broker_pid(f->broker), 0);
	(void)close(fd);
	assert_int_equal(gw_broker_start(f->broker, &f->error), 0);
}

static void test_no_program(void **state)
{
	struct fixture *f = *state;
	static const char *const yaml[] = {"program: no-such-broker", "program: /no/such/broker"};
	for (size_t i = 0; i < gw_countof(yaml); i++) {
		struct gw_broker *b = NULL;
		assert_int_equal(
			gw_broker_new(f->loop, parse(f, yaml[i]), NULL, f->dir, &b, &f->error), 0);
		assert_int_equal(gw_broker_start(b, &f->error), -ENOENT);
		assert_non_null(strstr(f->error.text, "install the package mosquitto"));
		gw_broker_free(b);
	}
}

/* A program that ends at once is started again, ever more slowly. */
static void test_crash_loop(void **state)
{
	struct fixture *f = *state;
	char yaml[128];
	(void)snprintf(yaml, sizeof(yaml), "program: /bin/false\nlisten: \"127.0.0.1:%u\"\n",
		       f->port);
	assert_int_equal(
		gw_broker_new(f->loop, parse(f, yaml), NULL, f->dir, &f->broker, &f->error), 0);
	assert_int_equal(gw_broker_start(f->broker, &f->error), 0);
	struct watcher w = {f->broker, 0, 2};
	assert_true(loop_until(f->loop, has_restarted, &w));
}

/* A state directory whose name a UNIX socket cannot have: our connections use the listener. */
static void test_odd_directories(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < 2; i++) {
		struct client c;
		char dir[256], yaml[64];
		(void)snprintf(dir, sizeof(dir), i == 0 ? "%s/%0120d" : "%s/with blank %d", f->dir,
			       0);
		assert_int_equal(mkdir(dir, 0700), 0);
		(void)snprintf(yaml, sizeof(yaml), "listen: \"0.0.0.0:%u\"\n", f->port);
		assert_int_equal(
			gw_broker_new(f->loop, parse(f, yaml), NULL, dir, &f->broker, &f->error),
			0);
		assert_int_equal(gw_broker_start(f->broker, &f->error), 0);
		client_ours(f, &c, GW_BROKER_SURFACE);
		assert_string_equal(c.endpoint.host, "127.0.0.1");
		assert_int_equal(c.endpoint.port, f->port);
		assert_true(loop_until(f->loop, is_up, &c));
		gw_mqtt_link_free(c.link);
		gw_broker_free(f->broker);
		f->broker = NULL;
	}
}

/* --- the child: it ends with us, however we end --- */

static bool is_dead(void *ctx)
{
	return kill(*(int *)ctx, 0) < 0 && errno == ESRCH;
}

static void ignore_line(void *ctx, struct gw_str line)
{
	(void)ctx;
	(void)line;
}

static void ignore_end(void *ctx, int status)
{
	(void)ctx;
	(void)status;
}

static void test_dies_with_us(void **state)
{
	struct fixture *f = *state;
	int fds[2], grandchild = 0;
	assert_int_equal(pipe(fds), 0);
	/* Orphans come to us, so that the dead one can be told from one that lives. */
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	pid_t gateway = fork();
	if (gateway == 0) {
		static const struct gw_child_ops child_ops = {ignore_line, ignore_end};
		struct gw_child *c = NULL;
		char name[] = "sleep", seconds[] = "60";
		char *const argv[] = {name, seconds, NULL};
		struct gw_loop *l = gw_loop_new();
		int pid = gw_child_start(l, "/bin/sleep", argv, &child_ops, NULL, &c) == 0
				  ? gw_child_pid(c)
				  : -1;
		(void)!write(fds[1], &pid, sizeof(pid));
		(void)kill(getpid(), SIGKILL);
	}
	assert_int_equal(read(fds[0], &grandchild, sizeof(grandchild)), sizeof(grandchild));
	assert_true(grandchild > 0);
	assert_int_equal(waitpid(gateway, NULL, 0), gateway);
	int status = 0;
	assert_int_equal(waitpid(grandchild, &status, 0), grandchild);
	assert_true(WIFSIGNALED(status));
	assert_true(loop_until(f->loop, is_dead, &grandchild));
	(void)close(fds[0]);
	(void)close(fds[1]);
}

struct told {
	struct gw_child *child;
	char lines[2048];
	unsigned n;
	bool ended;
	int status;
};

static void on_line(void *ctx, struct gw_str line)
{
	struct told *t = ctx;
	size_t n = strlen(t->lines);
	t->n++;
	(void)snprintf(t->lines + n, sizeof(t->lines) - n, "%.*s|", GW_STR_ARG(line));
}

static void on_ended(void *ctx, int status)
{
	struct told *t = ctx;
	t->ended = true;
	t->status = status;
	gw_child_free(t->child);
}

static bool told_end(void *ctx)
{
	return ((struct told *)ctx)->ended;
}

static void test_child(void **state)
{
	static const struct {
		const char *script, *lines;
		int status;
	} cases[] = {
		{"echo one; echo two >&2; exit 3", "one|two|", 3},
		{"printf 'no newline'; ls /proc/self/fd | wc -l", "no newline4|",
		 0}, /* 0 1 2 and ls's own */
		{"printf '%0600d\\nx\\n' 0; exit 1", NULL, 1},
	};
	static const struct gw_child_ops child_ops = {on_line, on_ended};
	struct fixture *f = *state;
	int leaked = open("/dev/null", O_RDONLY); /* without CLOEXEC, as libmosquitto's sockets */
	for (size_t i = 0; i < gw_countof(cases); i++) {
		struct told t = {0};
		char name[] = "sh", option[] = "-c", script[128];
		(void)snprintf(script, sizeof(script), "%s", cases[i].script);
		char *const argv[] = {name, option, script, NULL};
		assert_int_equal(gw_child_start(f->loop, "/bin/sh", argv, &child_ops, &t, &t.child),
				 0);
		assert_true(loop_until(f->loop, told_end, &t));
		assert_int_equal(WEXITSTATUS(t.status), cases[i].status);
		if (cases[i].lines) {
			assert_string_equal(t.lines, cases[i].lines);
		} else {
			assert_int_equal(strlen(t.lines),
					 512 + 1 + 2); /* cut, and the next line whole */
		}
	}
	(void)close(leaked);
	struct told t = {0};
	char name[] = "x";
	char *const argv[] = {name, NULL};
	assert_int_equal(
		gw_child_start(f->loop, "/no/such/program", argv, &child_ops, &t, &t.child), 0);
	assert_true(loop_until(f->loop, told_end, &t));
	assert_int_equal(WEXITSTATUS(t.status), 127);
	assert_string_equal(t.lines, "cannot be executed|");
}

int main(void)
{
	if (!mosquitto_is_there()) {
		return MOSQUITTO_SKIP;
	}
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_external),	    TEST(test_refused_configuration),
		TEST(test_files),	    TEST(test_supervision),
		TEST(test_accounts),	    TEST(test_port_taken),
		TEST(test_no_program),	    TEST(test_crash_loop),
		TEST(test_odd_directories), TEST(test_dies_with_us),
		TEST(test_child),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
