/*
 * The control socket from the caller's side: one JSON object a line, answers matched by id. The CLI is a short-lived process, so it waits in
 * poll() with a deadline instead of running a loop.
 */
#include "cli/cli.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "gw/clock.h"

#define ANSWER_MS 40000 /* longer than any deadline of the daemon */

static int no_daemon(struct cli *c, int err)
{
	if (err == EACCES) {
		cli_error(c,
			  TR(c, "no access to %s: run as the user of hearthd or as root",
			     "无权访问 %s：请以 hearthd 的用户或 root 运行"),
			  c->socket);
		return -CLI_DENIED;
	}
	cli_error(
		c,
		TR(c,
		   "hearthd is not running (%s: %s); start it with ./packaging/run or systemctl start hearthd",
		   "hearthd 未运行（%s：%s）；请用 ./packaging/run 或 systemctl start hearthd 启动"),
		c->socket, strerror(err));
	return -CLI_NO_DAEMON;
}

static int connect_daemon(struct cli *c)
{
	if (c->fd >= 0) {
		return 0;
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return no_daemon(c, errno);
	}
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	memcpy(addr.sun_path, c->socket, strlen(c->socket));
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
		int err = errno;
		close(fd);
		return no_daemon(c, err);
	}
	c->fd = fd;
	gw_buf_reset(&c->in);
	return 0;
}

void cli_close(struct cli *c)
{
	if (c->fd >= 0) {
		close(c->fd);
		c->fd = -1;
	}
}

static int send_all(struct cli *c, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = send(c->fd, p, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return no_daemon(c, errno);
		}
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Takes one line out of c->in, reading until there is one. deadline_ms < 0: none. *ret_line is a new reference. */
static int read_line(struct cli *c, int64_t deadline_ms, json_t **ret_line)
{
	for (;;) {
		char *end = c->in.len ? memchr(c->in.p, '\n', c->in.len) : NULL;
		if (end) {
			size_t len = (size_t)(end - c->in.p);
			json_error_t e;
			json_t *j = json_loadb(c->in.p, len, JSON_REJECT_DUPLICATES, &e);
			size_t rest = c->in.len - len - 1;
			memmove(c->in.p, end + 1, rest);
			gw_buf_truncate(&c->in, rest);
			if (!j) {
				cli_error(c,
					  TR(c, "hearthd answered something that is not JSON: %s",
					     "hearthd 的回答不是 JSON：%s"),
					  e.text);
				return -CLI_FAILED;
			}
			*ret_line = j;
			return 0;
		}
		int64_t left = deadline_ms < 0 ? -1 : deadline_ms - gw_clock_ms();
		if (deadline_ms >= 0 && left <= 0) {
			return -CLI_UNREACHABLE;
		}
		struct pollfd p = {.fd = c->fd, .events = POLLIN};
		int n = poll(&p, 1, (int)left);
		if (n < 0 && errno != EINTR) {
			return no_daemon(c, errno);
		}
		if (n <= 0) {
			continue;
		}
		char chunk[16384];
		ssize_t got = recv(c->fd, chunk, sizeof(chunk), 0);
		if (got <= 0) {
			cli_error(c, TR(c, "hearthd closed the connection", "hearthd 关闭了连接"));
			return -CLI_NO_DAEMON;
		}
		gw_buf_add(&c->in, chunk, (size_t)got);
		if (gw_buf_error(&c->in)) {
			cli_error(c,
				  TR(c, "the answer of hearthd is too long", "hearthd 的回答过长"));
			return -CLI_FAILED;
		}
	}
}

static int send_request(struct cli *c, const char *method, const char *path, json_t *body,
			unsigned *ret_id)
{
	int r = connect_daemon(c);
	if (r) {
		json_decref(body);
		return r;
	}
	unsigned id = ++c->next_id;
	json_t *line = json_pack("{s:i, s:s, s:s, s:s}", "id", (int)id, "method", method, "path",
				 path, "language", c->chinese ? "zh-CN" : "en");
	if (line && body) {
		json_object_set(line, "body", body);
	}
	json_decref(body);
	char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
	json_decref(line);
	if (!text) {
		cli_error(c, TR(c, "out of memory", "内存不足"));
		return -CLI_FAILED;
	}
	size_t len = strlen(text);
	text[len] = '\n'; /* instead of the zero: the line with its end goes out in one piece */
	r = send_all(c, text, len + 1);
	free(text);
	*ret_id = id;
	return r;
}

int cli_request(struct cli *c, const char *method, const char *path, json_t *body,
		json_t **ret_body)
{
	unsigned id = 0;
	int r = send_request(c, method, path, body, &id);
	if (r) {
		return r;
	}
	int64_t deadline = gw_clock_ms() + ANSWER_MS;
	for (;;) {
		json_t *line = NULL;
		r = read_line(c, deadline, &line);
		if (r == -CLI_UNREACHABLE) {
			cli_error(c,
				  TR(c, "hearthd did not answer within %d s",
				     "hearthd 在 %d 秒内没有回答"),
				  ANSWER_MS / 1000);
		}
		if (r) {
			return r;
		}
		if (json_integer_value(json_object_get(line, "id")) != (json_int_t)id) {
			json_decref(line);
			continue;
		}
		int status = (int)json_integer_value(json_object_get(line, "status"));
		*ret_body = json_incref(json_object_get(line, "body"));
		json_decref(line);
		return status;
	}
}

struct code_row {
	int http;
	int code; /* enum cli_exit */
};

int cli_exit_for(int http, const char *code)
{
	enum gw_status s = code ? gw_status_find(code) : GW_STATUS_COUNT;
	if (s != GW_STATUS_COUNT) {
		return gw_status_row(s)->exit_code;
	}
	static const struct code_row rows[] = {
		{400, CLI_INVALID},   {401, CLI_DENIED},      {403, CLI_DENIED},
		{404, CLI_NOT_FOUND}, {409, CLI_CONFLICT},    {412, CLI_CONFLICT},
		{422, CLI_INVALID},   {503, CLI_UNREACHABLE}, {504, CLI_UNREACHABLE},
	};
	for (size_t i = 0; i < gw_countof(rows); i++) {
		if (rows[i].http == http) {
			return rows[i].code;
		}
	}
	return http >= 200 && http < 300 ? CLI_OK : CLI_FAILED;
}

int cli_call(struct cli *c, const char *method, const char *path, json_t *body, json_t **ret_body)
{
	json_t *answer = NULL;
	int status = cli_request(c, method, path, body, &answer);
	if (status < 0) {
		return -status;
	}
	if (status >= 200 && status < 300) {
		if (ret_body) {
			*ret_body = answer;
		} else {
			json_decref(answer);
		}
		return CLI_OK;
	}
	const json_t *error = json_object_get(answer, "error");
	const char *code = cli_text(error, "code");
	if (c->json && answer) {
		cli_print_json(answer);
	} else {
		const char *text = cli_text(error, "text");
		cli_error(c, "%s",
			  text[0]   ? text
			  : code[0] ? code
				    : TR(c, "the request failed", "请求失败"));
	}
	int exit_code = cli_exit_for(status, code[0] ? code : NULL);
	json_decref(answer);
	return exit_code ? exit_code : CLI_FAILED;
}

int cli_events(struct cli *c, const char *path, long timeout_ms,
	       bool (*fn)(struct cli *c, const json_t *event, void *ctx), void *ctx)
{
	unsigned id = 0;
	int r = send_request(c, "GET", path, NULL, &id);
	if (r) {
		return -r;
	}
	int64_t deadline = timeout_ms > 0 ? gw_clock_ms() + timeout_ms : -1;
	for (;;) {
		json_t *line = NULL;
		r = read_line(c, deadline, &line);
		if (r) {
			return -r;
		}
		const json_t *event = json_object_get(line, "event");
		bool more = true;
		int code = CLI_OK;
		if (json_integer_value(json_object_get(line, "id")) != (json_int_t)id) {
			event = NULL;
		} else if (!event) {
			int status = (int)json_integer_value(json_object_get(line, "status"));
			const json_t *error =
				json_object_get(json_object_get(line, "body"), "error");
			if (status >= 400) {
				cli_error(c, "%s", cli_text(error, "text"));
				code = cli_exit_for(status, cli_text(error, "code"));
				more = false;
			}
		}
		if (event) {
			more = fn(c, event, ctx);
		}
		json_decref(line);
		if (!more) {
			return code;
		}
	}
}
