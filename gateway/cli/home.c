/* hearth status, doctor, claim, candidate, room, token, trace: small commands over one request each. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "gw/str.h"

#define PATH_BYTES 1024

/* One table out of a list of objects: keys are the columns, texts[0/1] their headings. */
struct column {
	const char *key, *en, *zh;
};

static void print_list(struct cli *c, const json_t *answer, const char *key,
		       const struct column *columns, size_t n)
{
	if (c->json) {
		cli_print_json(answer);
		return;
	}
	struct cli_table *t = cli_table_new(n);
	for (size_t i = 0; i < n; i++) {
		cli_table_cell(t, TR(c, columns[i].en, columns[i].zh));
	}
	size_t k;
	json_t *o;
	json_array_foreach(json_object_get(answer, key), k, o)
	{
		for (size_t i = 0; i < n; i++) {
			GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(65536);
			const json_t *v = json_object_get(o, columns[i].key);
			gw_buf_puts(&b, "");
			if (!json_is_null(v)) {
				cli_add_value(&b, v);
			}
			cli_table_cell(t, gw_buf_str(&b).p ? gw_buf_str(&b).p : "");
		}
	}
	cli_table_print(t);
	cli_table_free(t);
}

static int get_list(struct cli *c, const char *path, const char *key, const struct column *columns,
		    size_t n)
{
	json_t *answer = NULL;
	int r = cli_call(c, "GET", path, NULL, &answer);
	if (r == CLI_OK) {
		print_list(c, answer, key, columns, n);
		json_decref(answer);
	}
	return r;
}

/* A request whose answer is only printed with --json, or its one telling member otherwise. */
static int do_call(struct cli *c, const char *method, const char *path, json_t *body,
		   const char *member)
{
	json_t *answer = NULL;
	int r = cli_call(c, method, path, body, &answer);
	if (r == CLI_OK && c->json && answer) {
		cli_print_json(answer);
	} else if (r == CLI_OK && member && cli_text(answer, member)[0]) {
		puts(cli_text(answer, member));
	}
	json_decref(answer);
	return r;
}

static const char *path_of(struct gw_buf *b, const char *base, const char *id, const char *tail)
{
	gw_buf_reset(b);
	gw_buf_puts(b, base);
	cli_add_encoded(b, id);
	gw_buf_puts(b, tail);
	return gw_buf_error(b) ? "/" : gw_buf_str(b).p;
}

/* --- status, doctor --- */

/* A command without arguments over one GET; with --json the answer is printed. */
static int ask(struct cli *c, const struct cli_command *cmd, int argc, char **argv,
	       const char *path, json_t **ret_answer)
{
	int r = cli_options(c, NULL, 0, &argc, argv);
	if (r || argc > 1) {
		return r ? r : cli_usage(c, cmd);
	}
	r = cli_call(c, "GET", path, NULL, ret_answer);
	if (r == CLI_OK && c->json) {
		cli_print_json(*ret_answer);
	}
	return r;
}

static void print_status(const struct cli *c, const json_t *h)
{
	printf("hearthd %s  %s\n", cli_text(h, "version"), cli_text(h, "id"));
	printf(TR(c, "  claimed: %s\n", "  已认领：%s\n"),
	       json_is_true(json_object_get(h, "claimed")) ? TR(c, "yes", "是")
							   : TR(c, "no", "否"));
	printf(TR(c, "  devices: %d, %d online; %d waiting to be adopted\n",
		  "  设备：%d，在线 %d；待接纳 %d\n"),
	       (int)json_integer_value(json_object_get(h, "devices")),
	       (int)json_integer_value(json_object_get(h, "online")),
	       (int)json_integer_value(json_object_get(h, "candidates")));
	printf(TR(c, "  broker: %s\n", "  代理：%s\n"), cli_text(h, "broker"));
	size_t i;
	json_t *a;
	json_array_foreach(json_object_get(h, "adapters"), i, a)
	{
		printf(TR(c, "  adapter %s: %s %s\n", "  适配器 %s：%s %s\n"), cli_text(a, "name"),
		       cli_text(a, "link"), cli_text(a, "reason"));
	}
	printf(TR(c, "  ready %.0f ms after its start\n", "  启动后 %.0f 毫秒就绪\n"),
	       json_number_value(json_object_get(h, "ready_ms")));
}

static int run_status(struct cli *c, int argc, char **argv)
{
	json_t *h = NULL;
	int r = ask(c, &cli_status, argc, argv, "/api/v1/home", &h);
	if (r == CLI_OK && !c->json) {
		print_status(c, h);
	}
	json_decref(h);
	return r;
}

static int run_doctor(struct cli *c, int argc, char **argv)
{
	json_t *answer = NULL;
	int r = ask(c, &cli_doctor, argc, argv, "/api/v1/doctor", &answer);
	if (r) {
		return r;
	}
	bool failed = false;
	size_t i;
	json_t *o;
	json_array_foreach(json_object_get(answer, "checks"), i, o)
	{
		const char *state = cli_text(o, "state");
		failed = failed || strcmp(state, "fail") == 0;
		if (!c->json) {
			printf("%-5s %-12s %s\n", state, cli_text(o, "id"), cli_text(o, "text"));
			if (cli_text(o, "next_step")[0]) {
				printf("                   → %s\n", cli_text(o, "next_step"));
			}
		}
	}
	json_decref(answer);
	return failed ? CLI_FAILED : CLI_OK;
}

/* --- claim --- */

static int read_password(struct cli *c, char *ret_text, size_t cap)
{
	struct termios old;
	bool terminal = tcgetattr(STDIN_FILENO, &old) == 0;
	if (terminal) {
		struct termios quiet = old;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		fputs(TR(c, "Password (at least 8 characters): ", "密码（至少 8 个字符）："),
		      stderr);
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	bool ok = fgets(ret_text, (int)cap, stdin) != NULL;
	if (terminal) {
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
		fputc('\n', stderr);
	}
	if (!ok) {
		return CLI_INVALID;
	}
	ret_text[strcspn(ret_text, "\r\n")] = '\0';
	return CLI_OK;
}

static int claim_now(struct cli *c, const char *account)
{
	json_t *state = NULL;
	int r = cli_call(c, "GET", "/api/v1/claim", NULL, &state);
	if (r) {
		return r;
	}
	const char *code = cli_text(state, "code");
	char password[256];
	if (json_is_true(json_object_get(state, "claimed"))) {
		cli_error(c, TR(c, "this home has an owner already", "这个家已经有主人"));
		r = CLI_CONFLICT;
	} else if (!code[0]) {
		cli_error(c, TR(c, "the claim window is closed; open it with: hearth claim open",
				"认领窗口已关闭；请用 hearth claim open 打开"));
		r = CLI_DENIED;
	} else {
		r = read_password(c, password, sizeof(password));
	}
	if (r == CLI_OK) {
		r = do_call(c, "POST", "/api/v1/claim",
			    json_pack("{s:s, s:s, s:s}", "code", code, "account", account,
				      "password", password),
			    NULL);
		explicit_bzero(password, sizeof(password));
	}
	if (r == CLI_OK && !c->json) {
		printf(TR(c, "%s is the owner of this home now.\n", "%s 现在是这个家的主人。\n"),
		       account);
	}
	json_decref(state);
	return r;
}

static int run_claim(struct cli *c, int argc, char **argv)
{
	const char *account = "owner";
	const struct cli_option options[] = {{"--account", &account, NULL, NULL, NULL, 0}};
	int r = cli_options(c, options, gw_countof(options), &argc, argv);
	if (r) {
		return r;
	}
	if (argc == 1) {
		return claim_now(c, account);
	}
	if (argc == 2 && strcmp(argv[1], "code") == 0) {
		return do_call(c, "GET", "/api/v1/claim", NULL, "code");
	}
	if (argc == 2 && strcmp(argv[1], "open") == 0) {
		return do_call(c, "POST", "/api/v1/claim/open", NULL, "code");
	}
	return cli_usage(c, &cli_claim);
}

/* --- candidate --- */

static const struct column candidate_columns[] = {
	{"id", "ID", "编号"},	    {"name", "NAME", "名称"}, {"vendor", "VENDOR", "厂商"},
	{"model", "MODEL", "型号"}, {"type", "TYPE", "类型"}, {"reason", "WHY", "理由"},
};

struct adopt_options {
	const char *device, *name, *room, *profile;
	const char *vars[64];
	size_t n_vars;
};

static int adopt_one(struct cli *c, const char *id, const struct adopt_options *o)
{
	json_t *body = json_object();
	const char *const members[][2] = {{"device", o->device},
					  {"name", o->name},
					  {"room", o->room},
					  {"profile", o->profile}};
	for (size_t i = 0; i < gw_countof(members); i++) {
		if (members[i][1]) {
			json_object_set_new(body, members[i][0], json_string(members[i][1]));
		}
	}
	json_t *vars = o->n_vars ? json_object() : NULL;
	for (size_t i = 0; i < o->n_vars; i++) {
		const char *equals = strchr(o->vars[i], '=');
		if (!equals) {
			cli_error(c, TR(c, "--var needs NAME=VALUE", "--var 需要 名称=值"));
			json_decref(body);
			json_decref(vars);
			return CLI_USAGE;
		}
		char name[40];
		(void)snprintf(name, sizeof(name), "%.*s", (int)(equals - o->vars[i]), o->vars[i]);
		json_object_set_new(vars, name, json_string(equals + 1));
	}
	if (vars) {
		json_object_set_new(body, "vars", vars);
	}
	GW_AUTO(gw_buf_fini) struct gw_buf path = GW_BUF_INIT(PATH_BYTES);
	return do_call(c, "POST", path_of(&path, "/api/v1/candidates/", id, "/adopt"), body, "id");
}

/* Everything that is neither adopted nor in need of an answer; the first failure is told, the rest goes on. */
static int adopt_all(struct cli *c, const struct adopt_options *o)
{
	json_t *answer = NULL;
	int r = cli_call(c, "GET", "/api/v1/candidates", NULL, &answer);
	if (r) {
		return r;
	}
	size_t good = 0;
	size_t bad = 0;
	size_t i;
	json_t *k;
	json_array_foreach(json_object_get(answer, "candidates"), i, k)
	{
		if (!json_is_true(json_object_get(k, "adopted")) && cli_text(k, "profile")[0]) {
			*(adopt_one(c, cli_text(k, "id"), o) == CLI_OK ? &good : &bad) += 1;
		}
	}
	json_decref(answer);
	return bad == 0 ? CLI_OK : good ? CLI_PARTIAL : CLI_FAILED;
}

static int run_candidate(struct cli *c, int argc, char **argv)
{
	struct adopt_options o = {0};
	bool all = false;
	const struct cli_option options[] = {
		{"--id", &o.device, NULL, NULL, NULL, 0},
		{"--name", &o.name, NULL, NULL, NULL, 0},
		{"--room", &o.room, NULL, NULL, NULL, 0},
		{"--profile", &o.profile, NULL, NULL, NULL, 0},
		{"--all", NULL, &all, NULL, NULL, 0},
		{"--var", NULL, NULL, o.vars, &o.n_vars, gw_countof(o.vars)},
	};
	int r = cli_options(c, options, gw_countof(options), &argc, argv);
	if (r) {
		return r;
	}
	const char *verb = argc > 1 ? argv[1] : "list";
	GW_AUTO(gw_buf_fini) struct gw_buf path = GW_BUF_INIT(PATH_BYTES);
	if (strcmp(verb, "list") == 0 && argc <= 2) {
		return get_list(c, "/api/v1/candidates", "candidates", candidate_columns,
				gw_countof(candidate_columns));
	}
	if (strcmp(verb, "adopt") == 0 && argc == 2 && all) {
		return adopt_all(c, &o);
	}
	if (strcmp(verb, "adopt") == 0 && argc == 3) {
		return adopt_one(c, argv[2], &o);
	}
	if (strcmp(verb, "dismiss") == 0 && argc == 3) {
		return do_call(c, "POST",
			       path_of(&path, "/api/v1/candidates/", argv[2], "/dismiss"), NULL,
			       NULL);
	}
	if (strcmp(verb, "scan") == 0 && argc == 2) {
		return do_call(c, "POST", "/api/v1/scan", json_pack("{s:i}", "seconds", 10), NULL);
	}
	return cli_usage(c, &cli_candidate);
}

/* --- room --- */

static const struct column room_columns[] = {{"id", "ID", "编号"}, {"name", "NAME", "名称"}};

static int run_room(struct cli *c, int argc, char **argv)
{
	int r = cli_options(c, NULL, 0, &argc, argv);
	if (r) {
		return r;
	}
	const char *verb = argc > 1 ? argv[1] : "list";
	GW_AUTO(gw_buf_fini) struct gw_buf path = GW_BUF_INIT(PATH_BYTES);
	if (strcmp(verb, "list") == 0 && argc <= 2) {
		return get_list(c, "/api/v1/rooms", "rooms", room_columns,
				gw_countof(room_columns));
	}
	if (strcmp(verb, "add") == 0 && argc == 3) {
		return do_call(c, "POST", "/api/v1/rooms", json_pack("{s:s}", "name", argv[2]),
			       "id");
	}
	if (strcmp(verb, "rename") == 0 && argc == 4) {
		return do_call(c, "PATCH", path_of(&path, "/api/v1/rooms/", argv[2], ""),
			       json_pack("{s:s}", "name", argv[3]), NULL);
	}
	if (strcmp(verb, "remove") == 0 && argc == 3) {
		return do_call(c, "DELETE", path_of(&path, "/api/v1/rooms/", argv[2], ""), NULL,
			       NULL);
	}
	return cli_usage(c, &cli_room);
}

/* --- token --- */

static const struct column token_columns[] = {
	{"id", "ID", "编号"},		{"name", "NAME", "名称"},
	{"scope", "SCOPE", "范围"},	{"devices", "DEVICES", "设备"},
	{"expires", "EXPIRES", "到期"}, {"used", "LAST USED", "最近使用"},
};

static int create_token(struct cli *c, const char *name, const char *scope, const char *expires,
			const char *const *devices, size_t n)
{
	json_t *scopes = json_array();
	struct gw_str rest = gw_str(scope);
	struct gw_str word;
	while (gw_str_split(&rest, ',', &word)) {
		json_array_append_new(scopes, json_stringn(word.p, word.len));
	}
	json_t *body = json_pack("{s:s, s:o}", "name", name, "scope", scopes);
	if (n > 0) {
		json_t *list = json_array();
		for (size_t i = 0; i < n; i++) {
			json_array_append_new(list, json_string(devices[i]));
		}
		json_object_set_new(body, "devices", list);
	}
	if (expires) {
		json_object_set_new(body, "expires_in", json_string(expires));
	}
	json_t *answer = NULL;
	int r = cli_call(c, "POST", "/api/v1/tokens", body, &answer);
	if (r == CLI_OK && c->json) {
		cli_print_json(answer);
	} else if (r == CLI_OK) {
		printf("%s\n", cli_text(answer, "secret"));
		fprintf(stderr,
			TR(c, "Token %s. The secret above is shown only once.\n",
			   "令牌 %s。上面的密钥只显示这一次。\n"),
			cli_text(answer, "id"));
	}
	json_decref(answer);
	return r;
}

static int run_token(struct cli *c, int argc, char **argv)
{
	const char *scope = "see,operate";
	const char *expires = NULL;
	const char *devices[64];
	size_t n_devices = 0;
	const struct cli_option options[] = {
		{"--scope", &scope, NULL, NULL, NULL, 0},
		{"--expires", &expires, NULL, NULL, NULL, 0},
		{"--device", NULL, NULL, devices, &n_devices, gw_countof(devices)},
	};
	int r = cli_options(c, options, gw_countof(options), &argc, argv);
	if (r) {
		return r;
	}
	const char *verb = argc > 1 ? argv[1] : "list";
	GW_AUTO(gw_buf_fini) struct gw_buf path = GW_BUF_INIT(PATH_BYTES);
	if (strcmp(verb, "list") == 0 && argc <= 2) {
		return get_list(c, "/api/v1/tokens", "tokens", token_columns,
				gw_countof(token_columns));
	}
	if (strcmp(verb, "create") == 0 && argc == 3) {
		return create_token(c, argv[2], scope, expires, devices, n_devices);
	}
	if (strcmp(verb, "revoke") == 0 && argc == 3) {
		return do_call(c, "DELETE", path_of(&path, "/api/v1/tokens/", argv[2], ""), NULL,
			       NULL);
	}
	return cli_usage(c, &cli_token);
}

/* --- trace --- */

static void print_time(const json_t *h, const char *key, const char *label)
{
	const json_t *us = json_object_get(h, key);
	if (json_is_integer(us)) {
		printf("  %s %lld µs", label, (long long)json_integer_value(us));
	} else if (strcmp(cli_text(h, "kind"), "received") == 0) {
		printf("  %s -", label); /* the other kinds do not have all the times */
	}
}

static void print_hop(const json_t *h)
{
	printf("%s  %s  %-9s %s  %s %s\n", cli_text(h, "time"), cli_text(h, "cause"),
	       cli_text(h, "kind"), cli_text(h, "device"), cli_text(h, "channel"),
	       cli_text(h, "message"));
	if (cli_text(h, "who")[0]) {
		printf("    %s %s  %s\n", cli_text(h, "origin"), cli_text(h, "who"),
		       cli_text(h, "status"));
	}
	if (cli_text(h, "raw")[0]) {
		printf("    %s\n", cli_text(h, "raw"));
	}
	size_t i;
	json_t *rule;
	json_array_foreach(json_object_get(h, "rules"), i, rule)
	{
		printf("      %s\n", json_string_value(rule));
	}
	static const char *const times[][2] = {{"decode_us", "decode"},
					       {"state_us", "state"},
					       {"publish_us", "publish"},
					       {"total_us", "total"}};
	for (size_t k = 0; k < gw_countof(times); k++) {
		print_time(h, times[k][0], times[k][1]);
	}
	putchar('\n');
}

static int run_trace(struct cli *c, int argc, char **argv)
{
	const char *limit = "20";
	const struct cli_option options[] = {{"--limit", &limit, NULL, NULL, NULL, 0}};
	int r = cli_options(c, options, gw_countof(options), &argc, argv);
	if (r || argc > 2) {
		return r ? r : cli_usage(c, &cli_trace);
	}
	GW_AUTO(gw_buf_fini) struct gw_buf path = GW_BUF_INIT(PATH_BYTES);
	gw_buf_puts(&path, "/api/v1/journey?limit=");
	cli_add_encoded(&path, limit);
	if (argc == 2) {
		gw_buf_puts(&path, "&device=");
		cli_add_encoded(&path, argv[1]);
	}
	json_t *answer = NULL;
	r = cli_call(c, "GET", gw_buf_str(&path).p, NULL, &answer);
	if (r) {
		return r;
	}
	if (c->json) {
		cli_print_json(answer);
	} else {
		/* Oldest first, as a story is told. */
		const json_t *hops = json_object_get(answer, "hops");
		for (size_t i = json_array_size(hops); i-- > 0;) {
			print_hop(json_array_get(hops, i));
		}
	}
	json_decref(answer);
	return CLI_OK;
}

static const char *const claim_words[] = {"code", "open", NULL};
static const char *const candidate_words[] = {"list", "adopt", "dismiss", "scan", NULL};
static const char *const room_words[] = {"list", "add", "rename", "remove", NULL};
static const char *const token_words[] = {"list", "create", "revoke", NULL};

const struct cli_command cli_status = {"status",     "",   "how the gateway is",
				       "网关的状况", NULL, run_status};
const struct cli_command cli_doctor = {
	"doctor", "",	     "what is wrong, and what to do about it", "哪里有问题，以及该怎么办",
	NULL,	  run_doctor};
const struct cli_command cli_claim = {"claim",
				      "[--account NAME] | code | open",
				      "become the owner of this home; show or renew the claim code",
				      "成为这个家的主人；显示或更新认领码",
				      claim_words,
				      run_claim};
const struct cli_command cli_candidate = {
	"candidate",
	"[list | adopt ID|--all [--id DEVICE] [--name NAME] [--room ROOM] [--profile ID] [--var NAME=VALUE]… | dismiss ID | scan]",
	"what was found and is not adopted yet",
	"已发现、尚未接纳的设备",
	candidate_words,
	run_candidate};
const struct cli_command cli_room = {"room",
				     "[list | add NAME | rename ID NAME | remove ID]",
				     "rooms of the home",
				     "家里的房间",
				     room_words,
				     run_room};
const struct cli_command cli_token = {
	"token",
	"[list | create NAME [--scope see,operate,…] [--device ID]… [--expires 30d] | revoke ID]",
	"tokens for other programs",
	"给其他程序用的令牌",
	token_words,
	run_token};
const struct cli_command cli_trace = {"trace",
				      "[DEVICE] [--limit N]",
				      "the journey of the last messages and commands, hop by hop",
				      "最近消息和命令的每一步",
				      NULL,
				      run_trace};
