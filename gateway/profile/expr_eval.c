#include <math.h>

#include "profile/expr_code.h"

/* --- operands --- */

static const struct gw_raw null_raw = {.type = GW_RAW_NULL};

static struct gw_raw raw_bool(bool v)
{
	return (struct gw_raw){.type = GW_RAW_BOOL, .flag = v};
}

/* Numbers, and booleans as 0 and 1; everything else counts as null, here NAN (no number of ours is one). */
static double as_number(const struct gw_raw *r)
{
	switch (r->type) {
	case GW_RAW_NUMBER: return r->number;
	case GW_RAW_BOOL: return r->flag ? 1 : 0;
	case GW_RAW_NULL:
	case GW_RAW_TEXT:
	case GW_RAW_TREE: return NAN;
	}
	return NAN;
}

static bool is_whole(double x)
{
	return x == trunc(x) && fabs(x) < 0x1p53;
}

/* Bit operators take whole numbers only; a boolean is none. */
static bool as_whole(const struct gw_raw *r, int64_t *ret_value)
{
	if (r->type != GW_RAW_NUMBER || !is_whole(r->number)) {
		return false;
	}
	*ret_value = (int64_t)r->number;
	return true;
}

/* 1 true, 0 false, -1 null (also texts, lists and maps). */
static int truth(const struct gw_raw *r)
{
	double x = as_number(r);
	return isnan(x) ? -1 : x != 0;
}

static struct gw_raw from_truth(int t)
{
	return t < 0 ? null_raw : raw_bool(t != 0);
}

/* --- functions --- */

static double f_abs(const double *x, unsigned n)
{
	(void)n;
	return fabs(x[0]);
}

static double f_floor(const double *x, unsigned n)
{
	(void)n;
	return floor(x[0]);
}

static double f_ceil(const double *x, unsigned n)
{
	(void)n;
	return ceil(x[0]);
}

static double f_trunc(const double *x, unsigned n)
{
	(void)n;
	return trunc(x[0]);
}

static double f_round(const double *x, unsigned n)
{
	(void)n;
	return gw_round(x[0]);
}

static double f_frac(const double *x, unsigned n)
{
	(void)n;
	return x[0] - floor(x[0]);
}

static double f_min(const double *x, unsigned n)
{
	double r = x[0];
	for (unsigned i = 1; i < n; i++) {
		r = x[i] < r ? x[i] : r;
	}
	return r;
}

static double f_max(const double *x, unsigned n)
{
	double r = x[0];
	for (unsigned i = 1; i < n; i++) {
		r = x[i] > r ? x[i] : r;
	}
	return r;
}

static double f_clamp(const double *x, unsigned n)
{
	(void)n;
	return fmin(x[2], fmax(x[1], x[0]));
}

static double f_bits(const double *x, unsigned n)
{
	(void)n;
	if (!is_whole(x[0]) || !is_whole(x[1]) || !is_whole(x[2]) || x[1] < 0 || x[1] > 52 ||
	    x[2] < 1 || x[2] > 52) {
		return NAN;
	}
	/* Two's complement: the mask makes the remainder that is not negative. */
	uint64_t shifted = (uint64_t)((int64_t)x[0] >> (int)x[1]);
	return (double)(shifted & ((UINT64_C(1) << (int)x[2]) - 1));
}

static double sign_extend(double x, unsigned bits)
{
	if (!is_whole(x)) {
		return NAN;
	}
	uint64_t sign = UINT64_C(1) << (bits - 1);
	uint64_t low = (uint64_t)(int64_t)x & ((sign << 1) - 1);
	return (double)((int64_t)(low ^ sign) - (int64_t)sign);
}

static double f_s8(const double *x, unsigned n)
{
	(void)n;
	return sign_extend(x[0], 8);
}

static double f_s16(const double *x, unsigned n)
{
	(void)n;
	return sign_extend(x[0], 16);
}

static double f_s24(const double *x, unsigned n)
{
	(void)n;
	return sign_extend(x[0], 24);
}

static double f_s32(const double *x, unsigned n)
{
	(void)n;
	return sign_extend(x[0], 32);
}

/* The digits of x in one base, put together again in another; NAN for a digit > 9. */
static double change_base(double x, uint64_t from, uint64_t to)
{
	if (!is_whole(x) || x < 0) {
		return NAN;
	}
	uint64_t value = 0, weight = 1;
	for (uint64_t rest = (uint64_t)x; rest > 0; rest /= from) {
		if (rest % from > 9) {
			return NAN;
		}
		value += rest % from * weight;
		weight *= to;
	}
	return (double)value;
}

static double f_bcd(const double *x, unsigned n)
{
	(void)n;
	return change_base(x[0], 16, 10);
}

static double f_tobcd(const double *x, unsigned n)
{
	(void)n;
	return change_base(x[0], 10, 16);
}

static double f_pow10(const double *x, unsigned n)
{
	(void)n;
	if (!is_whole(x[0]) || fabs(x[0]) > 15) {
		return NAN;
	}
	double r = 1;
	for (int i = 0; i < (int)fabs(x[0]); i++) {
		r *= 10; /* exact up to 10^22 */
	}
	return x[0] < 0 ? 1 / r : r;
}

static double f_log10(const double *x, unsigned n)
{
	(void)n;
	return x[0] > 0 ? log10(x[0]) : NAN;
}

static bool is_null(const struct gw_raw *r)
{
	return r->type == GW_RAW_NULL;
}

static struct gw_raw f_has(const struct gw_raw *x)
{
	return raw_bool(!is_null(&x[0]));
}

static struct gw_raw f_or(const struct gw_raw *x)
{
	return is_null(&x[0]) || x[0].type == GW_RAW_TREE ? x[1] : x[0];
}

const struct gw_expr_function gw_expr_functions[] = {
	{"abs", 1, 1, f_abs, NULL},	{"floor", 1, 1, f_floor, NULL},
	{"ceil", 1, 1, f_ceil, NULL},	{"trunc", 1, 1, f_trunc, NULL},
	{"round", 1, 1, f_round, NULL}, {"frac", 1, 1, f_frac, NULL},
	{"min", 2, 8, f_min, NULL},	{"max", 2, 8, f_max, NULL},
	{"clamp", 3, 3, f_clamp, NULL}, {"bits", 3, 3, f_bits, NULL},
	{"s8", 1, 1, f_s8, NULL},	{"s16", 1, 1, f_s16, NULL},
	{"s24", 1, 1, f_s24, NULL},	{"s32", 1, 1, f_s32, NULL},
	{"bcd", 1, 1, f_bcd, NULL},	{"tobcd", 1, 1, f_tobcd, NULL},
	{"pow10", 1, 1, f_pow10, NULL}, {"log10", 1, 1, f_log10, NULL},
	{"has", 1, 1, NULL, f_has},	{"or", 2, 2, NULL, f_or},
};
const unsigned gw_expr_n_functions = gw_countof(gw_expr_functions);

static struct gw_raw call(const struct gw_expr_function *f, const struct gw_raw *args, unsigned n)
{
	if (f->pick) {
		return f->pick(args);
	}
	double x[8];
	for (unsigned i = 0; i < n; i++) {
		x[i] = as_number(&args[i]);
		if (isnan(x[i])) {
			return null_raw;
		}
	}
	return gw_raw_number(f->calc(x, n));
}

/* --- operators --- */

static struct gw_raw compare(enum gw_op op, double a, double b)
{
	if (isnan(a) || isnan(b)) {
		return null_raw;
	}
	return raw_bool(op == GW_OP_LT	 ? a < b
			: op == GW_OP_LE ? a <= b
			: op == GW_OP_GT ? a > b
					 : a >= b);
}

static struct gw_raw bitwise(enum gw_op op, const struct gw_raw *l, const struct gw_raw *r)
{
	int64_t a, b;
	if (!as_whole(l, &a) || !as_whole(r, &b)) {
		return null_raw;
	}
	int64_t v = op == GW_OP_BOR ? a | b : op == GW_OP_BXOR ? a ^ b : a & b;
	return gw_raw_number((double)v);
}

static struct gw_raw shift(enum gw_op op, const struct gw_raw *l, const struct gw_raw *r)
{
	int64_t x, n;
	if (!as_whole(l, &x) || !as_whole(r, &n) || n < 0 || n > 63) {
		return null_raw;
	}
	return gw_raw_number(op == GW_OP_SHL ? ldexp((double)x, (int)n) : (double)(x >> n));
}

/* NAN operands and divisions by zero come out as NAN or infinity, which gw_raw_number makes null. */
static struct gw_raw arithmetic(enum gw_op op, double a, double b)
{
	return gw_raw_number(op == GW_OP_ADD   ? a + b
			     : op == GW_OP_SUB ? a - b
			     : op == GW_OP_MUL ? a * b
			     : op == GW_OP_DIV ? a / b
					       : fmod(a, b));
}

static struct gw_raw logic(enum gw_op op, const struct gw_raw *l, const struct gw_raw *r)
{
	int a = truth(l), b = truth(r), decides = op == GW_OP_OR;
	if (a == decides || b == decides) {
		return raw_bool(decides);
	}
	return a < 0 || b < 0 ? null_raw : raw_bool(!decides);
}

static struct gw_raw binary(enum gw_op op, const struct gw_raw *l, const struct gw_raw *r)
{
	if (op <= GW_OP_NE) {
		return raw_bool(gw_raw_equal(l, r) == (op == GW_OP_EQ));
	}
	if (op <= GW_OP_GE) {
		return compare(op, as_number(l), as_number(r));
	}
	if (op <= GW_OP_BAND) {
		return bitwise(op, l, r);
	}
	if (op <= GW_OP_SHR) {
		return shift(op, l, r);
	}
	return op <= GW_OP_MOD ? arithmetic(op, as_number(l), as_number(r)) : logic(op, l, r);
}

static struct gw_raw leaf(const struct gw_instr *i, const struct gw_expr_env *env)
{
	switch (i->op) {
	case GW_OP_BOOL: return raw_bool(i->a != 0);
	case GW_OP_NUMBER: return (struct gw_raw){.type = GW_RAW_NUMBER, .number = i->number};
	case GW_OP_TEXT: return (struct gw_raw){.type = GW_RAW_TEXT, .text = i->text};
	case GW_OP_NAME: return env->fetch(env->ctx, (enum gw_name_kind)i->a, i->b);
	}
	return null_raw;
}

/* A jump taken or not: the next instruction. *top is the condition. */
static unsigned jump(const struct gw_instr *i, unsigned next, struct gw_raw *stack, unsigned *sp)
{
	if (i->op == GW_OP_JUMP) {
		return i->a;
	}
	struct gw_raw *top = &stack[*sp - 1];
	int t = truth(top);
	if (i->op == GW_OP_BRANCH) {
		if (t < 0) {
			*top = null_raw;
			return i->b;
		}
		(*sp)--;
		return t ? next : i->a;
	}
	if (t != (i->op == GW_OP_OR_JUMP)) {
		return next;
	}
	*top = raw_bool(t != 0);
	return i->a;
}

struct gw_raw gw_expr_eval(const struct gw_expr *e, const struct gw_expr_env *env)
{
	struct gw_raw stack[GW_EXPR_STACK];
	unsigned sp = 0;
	for (unsigned pc = 0; pc < e->n_code;) {
		const struct gw_instr *i = &e->code[pc++];
		enum gw_op op = (enum gw_op)i->op;
		if (op <= GW_OP_NAME) {
			stack[sp++] = leaf(i, env);
		} else if (op == GW_OP_NEG) {
			stack[sp - 1] = gw_raw_number(-as_number(&stack[sp - 1]));
		} else if (op == GW_OP_NOT) {
			int t = truth(&stack[sp - 1]);
			stack[sp - 1] = from_truth(t < 0 ? t : !t);
		} else if (op <= GW_OP_OR) {
			sp--;
			stack[sp - 1] = binary(op, &stack[sp - 1], &stack[sp]);
		} else if (op == GW_OP_CALL) {
			sp -= i->b;
			stack[sp] = call(&gw_expr_functions[i->a], &stack[sp], i->b);
			sp++;
		} else {
			pc = jump(i, pc, stack, &sp);
		}
	}
	return stack[0];
}
