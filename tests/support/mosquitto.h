/*
 * A real mosquitto for tests, on a port that the kernel hands out, with its files in a directory of its own.
 */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "until.h"

#define MOSQUITTO_SKIP 77

struct mosquitto_process {
	pid_t pid;
	uint16_t port;
	char dir[64];
};

static inline bool mosquitto_is_there(void)
{
	return access("/usr/sbin/mosquitto", X_OK) == 0 || access("/usr/bin/mosquitto", X_OK) == 0;
}

static inline int test_listen(uint16_t *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons(*port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

static inline int test_connect(uint16_t port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static inline void mosquitto_write(const struct mosquitto_process *m, const char *name,
				   const char *text)
{
	char path[128];
	(void)snprintf(path, sizeof(path), "%s/%s", m->dir, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* Makes the directory and chooses the port. */
static inline void mosquitto_prepare(struct mosquitto_process *m)
{
	*m = (struct mosquitto_process){0};
	(void)snprintf(m->dir, sizeof(m->dir), "/tmp/hearth-test-XXXXXX");
	assert_non_null(mkdtemp(m->dir));
	int fd = test_listen(&m->port);
	(void)close(fd);
}

/* Starts it with these lines of mosquitto.conf after "listener PORT 127.0.0.1", and waits until it answers. */
static inline void mosquitto_start(struct mosquitto_process *m, const char *lines)
{
	char text[2048], conf[128];
	(void)snprintf(text, sizeof(text),
		       "listener %u 127.0.0.1\n%s\nset_tcp_nodelay true\nmax_queued_messages 0\n%s",
		       m->port, lines, geteuid() == 0 ? "user root\n" : "");
	mosquitto_write(m, "mosquitto.conf", text);
	(void)snprintf(conf, sizeof(conf), "%s/mosquitto.conf", m->dir);
	m->pid = fork();
	assert_true(m->pid >= 0);
	if (m->pid == 0) {
		int null = open("/dev/null", O_RDWR);
		(void)dup2(null, 1);
		if (!getenv("HEARTH_TEST_VERBOSE")) {
			(void)dup2(null, 2);
		}
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)execl("/usr/sbin/mosquitto", "mosquitto", "-c", conf, (char *)NULL);
		(void)execlp("mosquitto", "mosquitto", "-c", conf, (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 2000; i++) {
		int fd = test_connect(m->port);
		if (fd >= 0) {
			(void)close(fd);
			return;
		}
		assert_int_equal(waitpid(m->pid, NULL, WNOHANG), 0);
		(void)usleep(5000);
	}
	fail_msg("mosquitto does not answer on port %u", m->port);
}

static inline void mosquitto_kill(struct mosquitto_process *m)
{
	if (m->pid > 0) {
		(void)kill(m->pid, SIGKILL);
		(void)waitpid(m->pid, NULL, 0);
		m->pid = 0;
	}
}

/* An orderly end: with persistence it keeps its memory. */
static inline void mosquitto_stop(struct mosquitto_process *m)
{
	if (m->pid > 0) {
		(void)kill(m->pid, SIGTERM);
		(void)waitpid(m->pid, NULL, 0);
		m->pid = 0;
	}
}

static inline void mosquitto_end(struct mosquitto_process *m)
{
	mosquitto_kill(m);
	static const char *const names[] = {"mosquitto.conf", "passwords",   "ca.pem",
					    "cert.pem",	      "key.pem",     "other.pem",
					    "input",	      "mosquitto.db"};
	for (size_t i = 0; i < gw_countof(names); i++) {
		char path[128];
		(void)snprintf(path, sizeof(path), "%s/%s", m->dir, names[i]);
		(void)unlink(path);
	}
	(void)rmdir(m->dir);
}
