#include "profile/expr.h"

#include <errno.h>
#include <stdio.h>

#include "gw/alloc.h"
#include "gw/limits.h"
#include "profile/expr_code.h"
#include "profile/suggest.h"

enum token_type { T_END, T_NUMBER, T_TEXT, T_NAME, T_SIGN, T_BAD };

struct token {
	enum token_type type;
	struct gw_str s; /* as written; TEXT without its quotes */
	double number;
};

struct parser {
	struct gw_str source;
	size_t pos; /* after tok */
	struct token tok;
	const struct gw_expr_scope *scope;
	struct gw_error *error;
	int status; /* the first refusal; nothing is emitted after it */
	unsigned depth, cost, stack, n_code, n_names;
	struct gw_instr code[GW_EXPR_CODE];
	struct gw_expr_name names[GW_EXPR_CODE];
};

/* --- refusing --- */

static void refuse(struct parser *p, const char *code, const char *fmt, ...) GW_PRINTF(3, 4);

static void refuse(struct parser *p, const char *code, const char *fmt, ...)
{
	if (p->status < 0) {
		return;
	}
	char text[200];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* a clipped text is still an error text */
	va_end(ap);
	size_t column = (size_t)(p->tok.s.p - p->source.p) + 1;
	p->status = gw_error_set(p->error, -EINVAL, code, "column %zu: %s", column, text);
}

static void expected(struct parser *p, const char *what)
{
	if (p->tok.type == T_END) {
		refuse(p, "expr", "expected %s, found the end", what);
	} else {
		refuse(p, "expr", "expected %s, found \"" GW_STR_FMT "\"", what,
		       GW_STR_ARG(gw_str_sub(p->tok.s, 0, 40)));
	}
}

/* --- tokens --- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static char peek(const struct parser *p, size_t i)
{
	return i < p->source.len ? p->source.p[i] : '\0';
}

static size_t digits(const struct parser *p, size_t i)
{
	while (is_digit(peek(p, i))) {
		i++;
	}
	return i;
}

static void scan_number(struct parser *p)
{
	size_t i = p->pos;
	uint64_t hex = 0;
	int r;
	if (peek(p, i) == '0' && peek(p, i + 1) == 'x' && is_hex(peek(p, i + 2))) {
		for (i += 2; is_hex(peek(p, i));) {
			i++;
		}
		p->tok.s = gw_str_sub(p->source, p->pos, i - p->pos);
		r = gw_parse_hex(p->tok.s, &hex);
		p->tok.number = (double)hex;
	} else {
		while (peek(p, p->pos) == '0' && is_digit(peek(p, p->pos + 1))) {
			p->pos++; /* the grammar allows leading zeros, the number parser does not */
		}
		i = digits(p, p->pos);
		if (peek(p, i) == '.' && is_digit(peek(p, i + 1))) {
			i = digits(p, i + 1);
		}
		if (peek(p, i) == 'e' || peek(p, i) == 'E') {
			size_t sign = peek(p, i + 1) == '+' || peek(p, i + 1) == '-';
			i = is_digit(peek(p, i + 1 + sign)) ? digits(p, i + 1 + sign) : i;
		}
		p->tok.s = gw_str_sub(p->source, p->pos, i - p->pos);
		r = gw_parse_double(p->tok.s, &p->tok.number);
	}
	p->tok.type = T_NUMBER;
	p->pos = i;
	if (r < 0 || p->tok.number >= 0x1p53) {
		refuse(p, "expr", "expected a number below 2^53, found " GW_STR_FMT,
		       GW_STR_ARG(gw_str_sub(p->tok.s, 0, 40)));
	}
}

static void scan_name(struct parser *p)
{
	size_t i = p->pos;
	for (;;) {
		while (is_letter(peek(p, i)) || is_digit(peek(p, i))) {
			i++;
		}
		if (peek(p, i) != '.' || !is_letter(peek(p, i + 1))) {
			break;
		}
		i++;
	}
	p->tok = (struct token){.type = T_NAME, .s = gw_str_sub(p->source, p->pos, i - p->pos)};
	p->pos = i;
}

static void scan_text(struct parser *p)
{
	size_t i = p->pos + 1;
	while (i < p->source.len && p->source.p[i] != '\'') {
		i++;
	}
	p->tok = (struct token){.type = T_TEXT,
				.s = gw_str_sub(p->source, p->pos + 1, i - p->pos - 1)};
	if (i == p->source.len) {
		refuse(p, "expr", "expected ' at the end of the text");
	}
	p->pos = i + 1;
}

static void scan_sign(struct parser *p)
{
	static const char *const signs[] = {"==", "!=", "<=", ">=", "<<", ">>", "<",
					    ">",  "|",	"^",  "&",  "+",  "-",	"*",
					    "/",  "%",	"?",  ":",  "(",  ")",	","};
	struct gw_str rest = gw_str_sub(p->source, p->pos, p->source.len);
	p->tok = (struct token){.type = T_BAD, .s = gw_str_sub(rest, 0, 1)};
	for (size_t i = 0; i < gw_countof(signs); i++) {
		if (gw_str_starts(rest, signs[i])) {
			p->tok.type = T_SIGN;
			p->tok.s.len = strlen(signs[i]);
			break;
		}
	}
	p->pos += p->tok.s.len;
}

static void next(struct parser *p)
{
	while (p->pos < p->source.len && strchr(" \t\r\n", p->source.p[p->pos])) {
		p->pos++;
	}
	p->tok = (struct token){.type = T_END, .s = gw_str_sub(p->source, p->pos, 0)};
	char c = peek(p, p->pos);
	if (p->pos >= p->source.len) {
		return;
	}
	if (is_digit(c)) {
		scan_number(p);
	} else if (is_letter(c)) {
		scan_name(p);
	} else if (c == '\'') {
		scan_text(p);
	} else {
		scan_sign(p);
	}
}

static bool is_sign(const struct parser *p, const char *sign)
{
	return p->tok.type == T_SIGN && gw_str_is(p->tok.s, sign);
}

static bool is_word(const struct parser *p, const char *word)
{
	return p->tok.type == T_NAME && gw_str_is(p->tok.s, word);
}

/* --- code --- */

/* Appends; effect is what the instruction does to the height of the stack. Returns its place. */
static unsigned emit(struct parser *p, struct gw_instr i, int effect)
{
	if (p->status < 0) {
		return 0;
	}
	p->stack = (unsigned)((int)p->stack + effect);
	if (p->n_code == GW_EXPR_CODE || p->stack > GW_EXPR_STACK) {
		refuse(p, "expr", "expected a shorter expression");
		return 0;
	}
	p->code[p->n_code] = i;
	return p->n_code++;
}

static void land(struct parser *p, unsigned jump)
{
	if (p->status == 0) {
		p->code[jump].a = (uint16_t)p->n_code;
	}
}

static void count(struct parser *p)
{
	if (++p->cost > GW_EXPR_NODES) {
		refuse(p, "expr", "expected at most %d operators and calls", GW_EXPR_NODES);
	}
}

static bool enter(struct parser *p)
{
	if (++p->depth > GW_EXPR_DEPTH + 1) {
		refuse(p, "expr", "expected at most %d levels of nesting", GW_EXPR_DEPTH);
	}
	return p->status == 0;
}

static void leave(struct parser *p)
{
	p->depth--;
}

/* --- grammar, from the bottom --- */

static void parse_cond(struct parser *p);

static int find_function(struct gw_str name)
{
	for (unsigned i = 0; i < gw_expr_n_functions; i++) {
		if (gw_str_is(name, gw_expr_functions[i].name)) {
			return (int)i;
		}
	}
	return -ENOENT;
}

static void unknown_function(struct parser *p, const struct token *name)
{
	struct gw_suggest s;
	char text[100];
	gw_suggest_init(&s, name->s);
	for (unsigned i = 0; i < gw_expr_n_functions; i++) {
		gw_suggest_offer(&s, gw_str(gw_expr_functions[i].name));
	}
	p->tok = *name;
	refuse(p, "expr", "expected a function, found \"" GW_STR_FMT "\"%s",
	       GW_STR_ARG(gw_str_sub(name->s, 0, 40)), gw_suggest_text(&s, text, sizeof(text)));
}

/* At "(" after the name. */
static void parse_call(struct parser *p, struct token name)
{
	int f = find_function(name.s);
	if (f < 0) {
		unknown_function(p, &name);
		return;
	}
	const struct gw_expr_function *fn = &gw_expr_functions[f];
	unsigned n = 0;
	count(p);
	next(p);
	while (p->status == 0 && !is_sign(p, ")")) {
		if (n == fn->max_args) {
			refuse(p, "expr", "expected at most %u arguments of %s()", fn->max_args,
			       fn->name);
		}
		parse_cond(p);
		n++;
		if (is_sign(p, ",")) {
			next(p);
			if (is_sign(p, ")")) {
				expected(p, "an argument");
			}
		} else if (!is_sign(p, ")")) {
			expected(p, "\",\" or \")\"");
		}
	}
	if (n < fn->min_args) {
		refuse(p, "expr", "expected %s %u argument%s of %s()",
		       fn->min_args == fn->max_args ? "exactly" : "at least", fn->min_args,
		       fn->min_args == 1 ? "" : "s", fn->name);
	}
	next(p);
	emit(p, (struct gw_instr){.op = GW_OP_CALL, .a = (uint16_t)f, .b = (uint16_t)n},
	     1 - (int)n);
}

static void use_name(struct parser *p, enum gw_name_kind kind, uint16_t index)
{
	emit(p, (struct gw_instr){.op = GW_OP_NAME, .a = (uint16_t)kind, .b = index}, 1);
	for (unsigned i = 0; i < p->n_names; i++) {
		if (p->names[i].kind == kind && p->names[i].index == index) {
			return;
		}
	}
	if (p->status == 0) { /* then emit found room, and so do we */
		p->names[p->n_names++] = (struct gw_expr_name){kind, index};
	}
}

static void parse_name(struct parser *p)
{
	struct token name = p->tok;
	next(p);
	if (is_sign(p, "(")) {
		parse_call(p, name);
		return;
	}
	enum gw_name_kind kind = GW_NAME_POINT;
	uint16_t index = 0;
	if (gw_str_is(name.s, "null")) {
		emit(p, (struct gw_instr){.op = GW_OP_NULL}, 1);
	} else if (gw_str_is(name.s, "true") || gw_str_is(name.s, "false")) {
		emit(p, (struct gw_instr){.op = GW_OP_BOOL, .a = name.s.p[0] == 't'}, 1);
	} else if (gw_str_is(name.s, "and") || gw_str_is(name.s, "or") ||
		   gw_str_is(name.s, "not")) {
		p->tok = name;
		expected(p, "an operand");
	} else if (p->scope->resolve(p->scope->ctx, name.s, &kind, &index) < 0) {
		p->tok = name;
		refuse(p, "ref", "unknown name \"" GW_STR_FMT "\"",
		       GW_STR_ARG(gw_str_sub(name.s, 0, 80)));
	} else {
		use_name(p, kind, index);
	}
}

static void parse_text(struct parser *p)
{
	struct gw_text *text = p->status == 0 ? gw_text_new(p->tok.s) : NULL;
	if (!text) {
		p->status = p->status < 0 ? p->status : -ENOMEM;
		return;
	}
	emit(p, (struct gw_instr){.op = GW_OP_TEXT, .text = text}, 1);
	if (p->status < 0) {
		gw_text_unref(text);
	}
	next(p);
}

static void parse_unary(struct parser *p)
{
	if (is_sign(p, "-")) {
		if (enter(p)) {
			count(p);
			next(p);
			parse_unary(p);
			emit(p, (struct gw_instr){.op = GW_OP_NEG}, 0);
		}
		leave(p);
	} else if (is_sign(p, "(")) {
		next(p);
		parse_cond(p);
		if (!is_sign(p, ")")) {
			expected(p, "an operator or \")\"");
		}
		next(p);
	} else if (p->tok.type == T_NUMBER) {
		emit(p, (struct gw_instr){.op = GW_OP_NUMBER, .number = p->tok.number}, 1);
		next(p);
	} else if (p->tok.type == T_TEXT) {
		parse_text(p);
	} else if (p->tok.type == T_NAME) {
		parse_name(p);
	} else {
		expected(p, "an operand");
	}
}

struct sign {
	const char *sign;
	enum gw_op op;
	unsigned level;
};

static const struct sign operators[] = {
	{"|", GW_OP_BOR, 1},  {"^", GW_OP_BXOR, 2}, {"&", GW_OP_BAND, 3}, {"<<", GW_OP_SHL, 4},
	{">>", GW_OP_SHR, 4}, {"+", GW_OP_ADD, 5},  {"-", GW_OP_SUB, 5},  {"*", GW_OP_MUL, 6},
	{"/", GW_OP_DIV, 6},  {"%", GW_OP_MOD, 6},
};
static const struct sign comparisons[] = {
	{"==", GW_OP_EQ, 0}, {"!=", GW_OP_NE, 0}, {"<", GW_OP_LT, 0},
	{"<=", GW_OP_LE, 0}, {">", GW_OP_GT, 0},  {">=", GW_OP_GE, 0},
};

static const struct sign *find_operator(const struct parser *p, const struct sign *table, size_t n)
{
	for (size_t i = 0; i < n && p->tok.type == T_SIGN; i++) {
		if (gw_str_is(p->tok.s, table[i].sign)) {
			return &table[i];
		}
	}
	return NULL;
}

/* Operators of at least this level: | ^ & shifts + - * / % (precedence climbing; at most 6 deep). */
static void parse_binary(struct parser *p, unsigned level)
{
	parse_unary(p);
	while (p->status == 0) {
		const struct sign *o = find_operator(p, operators, gw_countof(operators));
		if (!o || o->level < level) {
			return;
		}
		count(p);
		next(p);
		parse_binary(p, o->level + 1);
		emit(p, (struct gw_instr){.op = (uint8_t)o->op}, -1);
	}
}

static void parse_cmp(struct parser *p)
{
	parse_binary(p, 1);
	const struct sign *o = find_operator(p, comparisons, gw_countof(comparisons));
	if (!o) {
		return;
	}
	count(p);
	next(p);
	parse_binary(p, 1);
	emit(p, (struct gw_instr){.op = (uint8_t)o->op}, -1);
	if (find_operator(p, comparisons, gw_countof(comparisons))) {
		expected(p, "\"and\" between two comparisons (they do not chain)");
	}
}

static void parse_not(struct parser *p)
{
	if (!is_word(p, "not")) {
		parse_cmp(p);
		return;
	}
	if (enter(p)) {
		count(p);
		next(p);
		parse_not(p);
		emit(p, (struct gw_instr){.op = GW_OP_NOT}, 0);
	}
	leave(p);
}

static void parse_and(struct parser *p)
{
	parse_not(p);
	while (p->status == 0 && is_word(p, "and")) {
		count(p);
		next(p);
		unsigned jump = emit(p, (struct gw_instr){.op = GW_OP_AND_JUMP}, 0);
		parse_not(p);
		emit(p, (struct gw_instr){.op = GW_OP_AND}, -1);
		land(p, jump);
	}
}

static void parse_or(struct parser *p)
{
	parse_and(p);
	while (p->status == 0 && is_word(p, "or")) {
		count(p);
		next(p);
		unsigned jump = emit(p, (struct gw_instr){.op = GW_OP_OR_JUMP}, 0);
		parse_and(p);
		emit(p, (struct gw_instr){.op = GW_OP_OR}, -1);
		land(p, jump);
	}
}

static void parse_cond(struct parser *p)
{
	if (!enter(p)) {
		return;
	}
	parse_or(p);
	if (is_sign(p, "?")) {
		count(p);
		next(p);
		unsigned branch = emit(p, (struct gw_instr){.op = GW_OP_BRANCH}, -1);
		parse_cond(p);
		unsigned over = emit(p, (struct gw_instr){.op = GW_OP_JUMP}, -1);
		if (!is_sign(p, ":")) {
			expected(p, "an operator or \":\"");
		}
		next(p);
		land(p, branch);
		parse_cond(p);
		land(p, over);
		if (p->status == 0) {
			p->code[branch].b = (uint16_t)p->n_code;
		}
	}
	leave(p);
}

/* --- the whole --- */

static void drop_texts(struct gw_instr *code, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (code[i].op == GW_OP_TEXT) {
			gw_text_unref(code[i].text);
			code[i].text = NULL;
		}
	}
}

static struct gw_expr *keep(struct gw_arena *a, const struct parser *p)
{
	struct gw_expr *e = gw_arena_alloc(a, sizeof(*e));
	struct gw_instr *code = gw_arena_alloc(a, p->n_code * sizeof(*code));
	struct gw_expr_name *names = gw_arena_alloc(a, (p->n_names + 1) * sizeof(*names));
	if (!e || !code || !names) {
		return NULL;
	}
	memcpy(code, p->code, p->n_code * sizeof(*code));
	memcpy(names, p->names, p->n_names * sizeof(*names));
	*e = (struct gw_expr){.code = code,
			      .names = names,
			      .n_code = (uint16_t)p->n_code,
			      .n_names = (uint16_t)p->n_names,
			      .cost = (uint16_t)p->cost};
	return e;
}

int gw_expr_compile(struct gw_arena *a, struct gw_str source, const struct gw_expr_scope *scope,
		    struct gw_expr **ret_expr, struct gw_error *reterr_)
{
	GW_AUTO(gw_free_auto) struct parser *p = gw_new(struct parser);
	if (!p) {
		return -ENOMEM;
	}
	p->source = source;
	p->scope = scope;
	p->error = reterr_;
	next(p);
	parse_cond(p);
	if (p->tok.type != T_END) {
		expected(p, "an operator or the end");
	}
	struct gw_expr *e = p->status == 0 ? keep(a, p) : NULL;
	if (!e) {
		drop_texts(p->code, p->n_code);
		return p->status < 0 ? p->status : -ENOMEM;
	}
	*ret_expr = e;
	return 0;
}

void gw_expr_fini(struct gw_expr *e)
{
	if (e) {
		drop_texts(e->code, e->n_code);
	}
}

bool gw_expr_name(const struct gw_expr *e, size_t i, enum gw_name_kind *ret_kind,
		  uint16_t *ret_index)
{
	if (i >= e->n_names) {
		return false;
	}
	*ret_kind = e->names[i].kind;
	*ret_index = e->names[i].index;
	return true;
}

bool gw_expr_use(const struct gw_expr *e, size_t *pos, enum gw_name_kind *ret_kind,
		 uint16_t *ret_index)
{
	while (*pos < e->n_code) {
		const struct gw_instr *i = &e->code[(*pos)++];
		if (i->op == GW_OP_NAME) {
			*ret_kind = (enum gw_name_kind)i->a;
			*ret_index = i->b;
			return true;
		}
	}
	return false;
}

bool gw_expr_is_function(struct gw_str name)
{
	return find_function(name) >= 0;
}

unsigned gw_expr_cost(const struct gw_expr *e)
{
	return e->cost;
}
