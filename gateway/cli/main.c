/* hearth: talks to hearthd over its control socket, and works on profiles without it. */
#include "cli/cli.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gw/path.h"

static const struct cli_command *const commands[] = {
	&cli_status, &cli_doctor,  &cli_claim, &cli_device, &cli_candidate,  &cli_room,
	&cli_token,  &cli_profile, &cli_trace, &cli_sim,    &cli_completion,
};

const struct cli_command *cli_command_at(size_t index)
{
	return index < gw_countof(commands) ? commands[index] : NULL;
}

static void print_help(const struct cli *c)
{
	puts(TR(c, "usage: hearth [OPTION]… COMMAND [ARGUMENT]…\n\nCommands:",
		"用法：hearth [选项]… 命令 [参数]…\n\n命令："));
	for (size_t i = 0; i < gw_countof(commands); i++) {
		printf("  %-11s %s\n", commands[i]->name,
		       TR(c, commands[i]->help_en, commands[i]->help_zh));
	}
	puts(TR(c,
		"\nOptions:\n"
		"  --json            answers as JSON, one object or list\n"
		"  --state DIR       state directory of the daemon (default: $HEARTH_STATE, or as hearthd has it)\n"
		"  --socket PATH     control socket (default: control.sock in the state directory)\n"
		"  --profiles DIR    shipped profiles (default: $HEARTH_PROFILES, or as installed)\n"
		"  --lang en|zh-CN   language (default: from LC_ALL, LC_MESSAGES, LANG)\n"
		"  --help, --version\n\n"
		"Exit codes: 0 ok, 1 failed, 2 usage, 3 not found, 4 refused by rights, 5 unreachable or timeout,\n"
		"6 partial, 7 conflict, 8 daemon not running, 9 invalid input.",
		"\n选项：\n"
		"  --json            以 JSON 回答\n"
		"  --state 目录      守护进程的状态目录（默认：$HEARTH_STATE，或与 hearthd 相同）\n"
		"  --socket 路径     控制套接字（默认：状态目录中的 control.sock）\n"
		"  --profiles 目录   随附的配置档（默认：$HEARTH_PROFILES，或安装位置）\n"
		"  --lang en|zh-CN   语言（默认取自 LC_ALL、LC_MESSAGES、LANG）\n"
		"  --help, --version\n\n"
		"退出码：0 成功，1 失败，2 用法错误，3 未找到，4 无权限，5 无法到达或超时，\n"
		"6 部分成功，7 冲突，8 守护进程未运行，9 输入无效。"));
}

static void print_usage(FILE *to, const struct cli *c, const struct cli_command *cmd)
{
	fprintf(to, "%s hearth %s%s%s\n", TR(c, "usage:", "用法："), cmd->name,
		cmd->usage[0] ? " " : "", cmd->usage);
}

int cli_usage(struct cli *c, const struct cli_command *cmd)
{
	print_usage(stderr, c, cmd);
	return CLI_USAGE;
}

static bool wants_chinese(void)
{
	static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
	for (size_t i = 0; i < gw_countof(names); i++) {
		const char *v = getenv(names[i]);
		if (v && v[0]) {
			return strncmp(v, "zh", 2) == 0;
		}
	}
	return false;
}

/* Global options stand before the command. Returns the index of the command, or a negative exit code − 1. */
static int global_options(struct cli *c, int argc, char **argv, const char **ret_socket)
{
	static const char *const with_value[] = {"--state", "--socket", "--profiles", "--lang"};
	int i = 1;
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			c->json = true;
			continue;
		}
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			print_help(c);
			return -1 - CLI_OK;
		}
		if (strcmp(argv[i], "--version") == 0) {
			puts("hearth " HEARTH_VERSION);
			return -1 - CLI_OK;
		}
		size_t k = 0;
		while (k < gw_countof(with_value) && strcmp(argv[i], with_value[k]) != 0) {
			k++;
		}
		if (k == gw_countof(with_value)) {
			cli_error(c,
				  TR(c, "unknown option %s; try hearth --help",
				     "未知选项 %s；请看 hearth --help"),
				  argv[i]);
			return -1 - CLI_USAGE;
		}
		if (i + 1 >= argc) {
			cli_error(c, TR(c, "%s needs a value", "%s 需要一个值"), argv[i]);
			return -1 - CLI_USAGE;
		}
		const char *value = argv[++i];
		const char **targets[] = {&c->state_dir, ret_socket, &c->profiles, NULL};
		if (targets[k]) {
			*targets[k] = value;
		} else {
			c->chinese = strncmp(value, "zh", 2) == 0;
		}
	}
	return i;
}

static int run(struct cli *c, int argc, char **argv)
{
	static char state[1024], profiles[1024];
	const char *socket_path = NULL;
	int i = global_options(c, argc, argv, &socket_path);
	if (i < 0) {
		return -1 - i;
	}
	if (i >= argc) {
		print_help(c);
		return CLI_USAGE;
	}
	if (!c->state_dir && gw_path_state(state, sizeof(state)) == 0) {
		c->state_dir = state;
	}
	if (!c->profiles && gw_path_profiles(profiles, sizeof(profiles)) == 0) {
		c->profiles = profiles;
	}
	int n = socket_path ? snprintf(c->socket, sizeof(c->socket), "%s", socket_path)
			    : snprintf(c->socket, sizeof(c->socket), "%s/control.sock",
				       c->state_dir ? c->state_dir : ".");
	if (n < 0 || (size_t)n >= sizeof(c->socket)) {
		cli_error(c,
			  TR(c, "the path of the control socket is too long (at most %zu bytes)",
			     "控制套接字的路径太长（最多 %zu 字节）"),
			  sizeof(c->socket) - 1);
		return CLI_INVALID;
	}
	for (size_t k = 0; k < gw_countof(commands); k++) {
		if (strcmp(argv[i], commands[k]->name) == 0) {
			if (i + 1 < argc && (strcmp(argv[i + 1], "--help") == 0 ||
					     strcmp(argv[i + 1], "-h") == 0)) {
				print_usage(stdout, c, commands[k]);
				puts(TR(c, commands[k]->help_en, commands[k]->help_zh));
				return CLI_OK;
			}
			return commands[k]->run(c, argc - i, argv + i);
		}
	}
	cli_error(c,
		  TR(c, "no command \"%s\"; try hearth --help", "没有命令“%s”；请看 hearth --help"),
		  argv[i]);
	return CLI_USAGE;
}

int main(int argc, char **argv)
{
	/* Only for the width of characters; numbers stay in the C locale. */
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	struct cli c = {.fd = -1, .chinese = wants_chinese(), .color = isatty(STDOUT_FILENO) == 1};
	gw_buf_init(&c.in, 16u << 20);
	int code = run(&c, argc, argv);
	cli_close(&c);
	gw_buf_fini(&c.in);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		return code ? code : CLI_FAILED;
	}
	return code;
}
