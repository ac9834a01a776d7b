/*
 * hearth profile check|test|compile|run (author.c: explain, diff, migrate; import.c: import; record.c: new): works on files, without the daemon.
 * A profile's `extends` and `use` are looked up in the folder of the file, then among the shipped profiles.
 */
#include "cli/profile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gw/alloc.h"
#include "gw/json.h"

#define EXIT_REFUSED 3 /* of `run`, profile-language §15 */

struct job {
	struct cli *c;
	size_t passed, failed; /* of test */
};

/* --- a file, and a device of it --- */

static int load(struct cli *c, struct cli_profile_file *f, const char *path, unsigned flags,
		struct gw_error *reterr_)
{
	char folder[1024];
	const char *slash = strrchr(path, '/');
	int n = slash ? snprintf(folder, sizeof(folder), "%.*s",
				 (int)(slash == path ? 1 : slash - path), path)
		      : snprintf(folder, sizeof(folder), ".");
	if (n < 0 || (size_t)n >= sizeof(folder)) {
		return gw_error_set(reterr_, -ENAMETOOLONG, "size",
				    "the path of the profile is too long");
	}
	const char *dirs[] = {folder, c->profiles};
	int r = gw_library_new(dirs, c->profiles ? 2 : 1, &f->library);
	if (r) {
		return gw_error_set(reterr_, r, "syntax", "cannot open the folders of profiles: %s",
				    strerror(-r));
	}
	return gw_profile_load_file(f->library, path, flags | (f->lax ? GW_PROFILE_LAX : 0u),
				    &f->profile, reterr_);
}

static int bind_vars(struct cli_profile_file *f, struct gw_error *e)
{
	struct gw_vars vars = {0};
	struct gw_plan *plan = NULL;
	int r = 0;
	for (size_t i = 0; i < f->n_vars && r == 0; i++) {
		const char *equals = strchr(f->vars[i], '=');
		r = !equals ? gw_error_set(e, -EINVAL, "ref", "--var needs name=value, not \"%s\"",
					   f->vars[i])
			    : gw_vars_set(
				      &vars,
				      (struct gw_str){f->vars[i], (size_t)(equals - f->vars[i])},
				      gw_str(equals + 1));
	}
	if (r == 0) {
		r = gw_profile_complete_vars(f->profile, &vars, e);
	}
	if (r == 0) {
		r = gw_plan_get(f->profile, &vars, &plan, e);
	}
	if (r == 0) {
		r = gw_binding_new(plan, &vars, &f->binding, e);
	}
	gw_plan_unref(plan);
	gw_vars_fini(&vars);
	return r;
}

static int print_refusal(const struct cli *c, const char *path, int r, const struct gw_error *e)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(4096);
	struct gw_error full = *e;
	if (!full.file[0]) {
		(void)snprintf(full.file, sizeof(full.file), "%s", path);
	}
	json_t *o =
		c->json ? json_pack("{s:s, s:b, s:{s:s, s:s, s:s, s:i, s:i}}", "file", path, "ok",
				    0, "refused", "code", full.code, "at", full.at, "text",
				    full.text, "line", (int)full.line, "column", (int)full.column)
			: NULL;
	if (o) {
		cli_print_json(o);
		json_decref(o);
	} else {
		gw_error_format(&full, &b);
		fprintf(stderr, GW_STR_FMT "\n", GW_STR_ARG(gw_buf_str(&b)));
	}
	return r == -ENOENT ? CLI_NOT_FOUND : CLI_INVALID;
}

int cli_profile_load(struct cli *c, struct cli_profile_file *f, const char *path)
{
	struct gw_error e = {0};
	int r = load(c, f, path, GW_PROFILE_NO_TESTS, &e);
	return r ? print_refusal(c, path, r, &e) : CLI_OK;
}

int cli_profile_open(struct cli *c, struct cli_profile_file *f, const char *path)
{
	struct gw_error e = {0};
	int code = cli_profile_load(c, f, path);
	int r = code ? 0 : bind_vars(f, &e);
	return r ? print_refusal(c, path, r, &e) : code;
}

void cli_profile_close(struct cli_profile_file *f)
{
	gw_binding_free(f->binding);
	gw_profile_unref(f->profile);
	gw_library_free(f->library);
	f->binding = NULL;
	f->profile = NULL;
	f->library = NULL;
}

/* --- check, test, compile --- */

static int check_one(struct job *j, const char *path, struct gw_profile *p)
{
	if (j->c->json) {
		json_t *o = json_pack("{s:s, s:b, s:s, s:s}", "file", path, "ok", 1, "id",
				      gw_profile_id(p), "version", gw_profile_version(p));
		if (o) {
			cli_print_json(o);
			json_decref(o);
		}
	} else {
		printf(TR(j->c, "%s: %s %s is well-formed, its laws hold and its tests pass\n",
			  "%s：%s %s 格式正确，规律成立，测试通过\n"),
		       path, gw_profile_id(p), gw_profile_version(p));
	}
	return CLI_OK;
}

static void report_test(void *ctx, const struct gw_test_report *r)
{
	struct job *j = ctx;
	*(r->passed ? &j->passed : &j->failed) += 1;
	if (j->c->json) {
		json_t *o = json_pack("{s:s, s:b, s:s}", "test", r->name, "passed", r->passed,
				      "text", r->text ? r->text : "");
		if (o) {
			cli_print_json(o);
			json_decref(o);
		}
	} else if (r->passed) {
		printf("  ok    %s\n", r->name);
	} else {
		printf("  FAIL  %s\n        %s\n", r->name, r->text ? r->text : "");
	}
}

static int test_one(struct job *j, const char *path, struct gw_profile *p)
{
	if (!j->c->json) {
		printf("%s\n", path);
	}
	j->passed = j->failed = 0;
	int failures = gw_profile_run_tests(p, report_test, j);
	if (failures < 0) {
		cli_error(j->c, "%s: %s", path, strerror(-failures));
		return CLI_FAILED;
	}
	if (!j->c->json) {
		printf("  %zu passed, %zu failed\n", j->passed, j->failed);
	}
	return failures ? CLI_FAILED : CLI_OK;
}

static int compile_one(struct job *j, const char *path, struct gw_profile *p)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(4u << 20);
	gw_profile_write_compiled(p, &b);
	if (gw_buf_error(&b)) {
		cli_error(j->c, "%s: %s", path, strerror(-gw_buf_error(&b)));
		return CLI_FAILED;
	}
	printf(GW_STR_FMT "\n", GW_STR_ARG(gw_buf_str(&b)));
	const uint8_t *digest = gw_profile_digest(p);
	fputs("sha256 ", stderr);
	for (size_t i = 0; i < 32; i++) {
		fprintf(stderr, "%02x", digest[i]);
	}
	fprintf(stderr, "  %s\n", path);
	return CLI_OK;
}

struct verb {
	const char *name;
	unsigned flags;
	int (*one)(struct job *j, const char *path, struct gw_profile *p);
};

static const struct verb verbs[] = {
	{"check", 0, check_one},
	{"test", GW_PROFILE_NO_TESTS, test_one},
	{"compile", GW_PROFILE_NO_TESTS, compile_one},
};

static int each_file(struct cli *c, bool lax, const struct verb *v, int argc, char **argv)
{
	int code = CLI_OK;
	for (int i = 0; i < argc; i++) {
		struct job j = {.c = c};
		struct cli_profile_file f = {.lax = lax};
		struct gw_error e = {0};
		int r = load(c, &f, argv[i], v->flags, &e);
		int one = r ? print_refusal(c, argv[i], r, &e) : v->one(&j, argv[i], f.profile);
		code = one ? one : code;
		cli_profile_close(&f);
	}
	return code;
}

/* --- run: the line protocol --- */

static void print_line_refusal(const struct gw_error *e)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(8192);
	gw_buf_puts(&b, "{\"refused\":{\"at\":");
	gw_json_write_text(&b, gw_str(e->at));
	gw_buf_puts(&b, ",\"code\":");
	gw_json_write_text(&b, gw_str(e->code));
	gw_buf_puts(&b, ",\"text\":");
	gw_json_write_text(&b, gw_str(e->text));
	gw_buf_puts(&b, "}}");
	printf(GW_STR_FMT "\n", GW_STR_ARG(gw_buf_str(&b)));
}

static int answer_lines(struct cli *c, struct gw_binding *binding)
{
	GW_AUTO(gw_buf_fini) struct gw_buf answer = GW_BUF_INIT(16u << 20);
	char *line = NULL;
	size_t size = 0;
	int code = CLI_OK;
	for (;;) {
		ssize_t n = getline(&line, &size, stdin);
		if (n < 0) {
			break;
		}
		while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r')) {
			n--;
		}
		gw_buf_reset(&answer);
		int r = gw_line_answer(binding, (struct gw_str){line, (size_t)n}, &answer);
		if (r || gw_buf_error(&answer)) {
			cli_error(c, "%s", strerror(r ? -r : -gw_buf_error(&answer)));
			code = CLI_FAILED;
			break;
		}
		printf(GW_STR_FMT "\n", GW_STR_ARG(gw_buf_str(&answer)));
		fflush(stdout);
	}
	free(line);
	return code;
}

static int run_lines(struct cli *c, struct cli_profile_file *f, const char *path)
{
	struct gw_error e = {0};
	int r = load(c, f, path, 0, &e);
	r = r ? r : bind_vars(f, &e);
	int code = EXIT_REFUSED;
	if (r == 0) {
		code = answer_lines(c, f->binding);
	} else if (r == -EINVAL) {
		print_line_refusal(&e);
	} else {
		cli_error(c, "%s: %s", path, e.text[0] ? e.text : strerror(-r));
		code = CLI_FAILED;
	}
	cli_profile_close(f);
	return code;
}

static int print_schema(struct cli *c, int argc, char **argv)
{
	GW_AUTO(gw_buf_fini) struct gw_buf b = GW_BUF_INIT(1u << 20);
	(void)argv;
	if (argc != 1) {
		return cli_usage(c, &cli_profile);
	}
	gw_profile_write_schema(&b);
	if (gw_buf_error(&b)) {
		cli_error(c, "%s", strerror(-gw_buf_error(&b)));
		return CLI_FAILED;
	}
	fputs(b.p, stdout);
	return CLI_OK;
}

/* Verbs that do not take files of profiles. */
static const struct {
	const char *name;
	int (*run)(struct cli *c, int argc, char **argv);
} elsewhere[] = {
	{"new", cli_profile_new},	  {"import", cli_profile_import},
	{"explain", cli_profile_explain}, {"diff", cli_profile_diff},
	{"migrate", cli_profile_migrate}, {"schema", print_schema},
};

static int run(struct cli *c, int argc, char **argv)
{
	struct cli_profile_file f = {0};
	for (size_t i = 0; i < gw_countof(elsewhere) && argc > 1; i++) {
		if (strcmp(argv[1], elsewhere[i].name) == 0) {
			return elsewhere[i].run(c, argc - 1, argv + 1);
		}
	}
	const struct cli_option options[] = {
		{"--lax", NULL, &f.lax, NULL, NULL, 0},
		{"--var", NULL, NULL, f.vars, &f.n_vars, gw_countof(f.vars)},
	};
	int r = cli_options(c, options, gw_countof(options), &argc, argv);
	if (r) {
		return r;
	}
	if (argc < 3) {
		return cli_usage(c, &cli_profile);
	}
	if (strcmp(argv[1], "run") == 0) {
		return argc == 3 ? run_lines(c, &f, argv[2]) : cli_usage(c, &cli_profile);
	}
	for (size_t i = 0; i < gw_countof(verbs); i++) {
		if (strcmp(argv[1], verbs[i].name) == 0) {
			return each_file(c, f.lax, &verbs[i], argc - 2, argv + 2);
		}
	}
	return cli_usage(c, &cli_profile);
}

static const char *const words[] = {"new",  "check",   "test",	 "compile", "run", "explain",
				    "diff", "migrate", "import", "schema",  NULL};
const struct cli_command cli_profile = {
	.name = "profile",
	.usage =
		"new [--broker mqtt://HOST:PORT] [--username U --password P] [--seconds 30] [--vendor V] [--record FILE] [--output FILE] FILTER… | new --from FILE | check|test|compile [--lax] FILE… | run FILE [--var NAME=VALUE]… | explain FILE MESSAGE [BODY] | explain FILE --set CAPABILITY=VALUE… | "
		"diff OLD NEW | migrate FILE [DOCUMENT] | import --from KIND [--report text|json] [--output DIR] FILE|DIR… | schema",
	.help_en = "draft, check, test, compare, explain or import profiles (without the daemon)",
	.help_zh = "起草、检查、测试、比较、解释或导入配置档（无需守护进程）",
	.words = words,
	.run = run,
};
