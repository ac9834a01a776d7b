/* hearth completion bash|zsh|fish: printed from the table of commands, so that it is never behind. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

static void bash_script(void)
{
	puts("# eval \"$(hearth completion bash)\"\n"
	     "_hearth() {\n"
	     "\tlocal cur=${COMP_WORDS[COMP_CWORD]} words=\n"
	     "\tcase ${COMP_CWORD}:${COMP_WORDS[1]} in");
	printf("\t1:*) words='");
	const struct cli_command *cmd;
	for (size_t i = 0; (cmd = cli_command_at(i)) != NULL; i++) {
		printf("%s ", cmd->name);
	}
	puts("--json --state --socket --profiles --lang --help --version' ;;");
	for (size_t i = 0; (cmd = cli_command_at(i)) != NULL; i++) {
		if (cmd->words) {
			printf("\t2:%s) words='", cmd->name);
			for (size_t k = 0; cmd->words[k]; k++) {
				printf("%s%s", k ? " " : "", cmd->words[k]);
			}
			puts("' ;;");
		}
	}
	puts("\t3:device | 2:trace) words=$(hearth --json device list 2>/dev/null | grep -o '\"id\":\"[^\"]*\"' | cut -d'\"' -f4) ;;\n"
	     "\tesac\n"
	     "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
	     "\t[ ${#COMPREPLY[@]} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	     "}\n"
	     "complete -F _hearth hearth");
}

static void zsh_script(void)
{
	puts("#compdef hearth\n_hearth() {\n\tlocal -a commands\n\tcommands=(");
	const struct cli_command *cmd;
	for (size_t i = 0; (cmd = cli_command_at(i)) != NULL; i++) {
		printf("\t\t'%s:%s'\n", cmd->name, cmd->help_en);
	}
	puts("\t)\n\tif ((CURRENT == 2)); then\n\t\t_describe command commands\n\t\treturn\n\tfi\n\tcase ${words[2]} in");
	for (size_t i = 0; (cmd = cli_command_at(i)) != NULL; i++) {
		if (cmd->words) {
			printf("\t%s) ((CURRENT == 3)) && compadd", cmd->name);
			for (size_t k = 0; cmd->words[k]; k++) {
				printf(" %s", cmd->words[k]);
			}
			puts(" ;;");
		}
	}
	puts("\tesac\n\t_files\n}\ncompdef _hearth hearth");
}

static void fish_script(void)
{
	const struct cli_command *cmd;
	for (size_t i = 0; (cmd = cli_command_at(i)) != NULL; i++) {
		printf("complete -c hearth -n __fish_use_subcommand -a %s -d '%s'\n", cmd->name,
		       cmd->help_en);
		for (size_t k = 0; cmd->words && cmd->words[k]; k++) {
			printf("complete -c hearth -n '__fish_seen_subcommand_from %s' -a %s\n",
			       cmd->name, cmd->words[k]);
		}
	}
}

static int run(struct cli *c, int argc, char **argv)
{
	static const struct {
		const char *shell;
		void (*print)(void);
	} rows[] = {{"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}};
	for (size_t i = 0; argc == 2 && i < gw_countof(rows); i++) {
		if (strcmp(rows[i].shell, argv[1]) == 0) {
			rows[i].print();
			return CLI_OK;
		}
	}
	return cli_usage(c, &cli_completion);
}

static const char *const words[] = {"bash", "zsh", "fish", NULL};
const struct cli_command cli_completion = {
	"completion",	    "bash|zsh|fish", "print the completion script of a shell",
	"输出命令补全脚本", words,	     run};
