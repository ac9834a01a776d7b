/* The program that expr.c compiles and expr_eval.c runs: postfix, with forward jumps for ?:, and, or. */
#pragma once

#include <stdint.h>

#include "profile/expr.h"

#define GW_EXPR_CODE  640 /* 64 operators and calls with 8 arguments each, and their jumps */
#define GW_EXPR_STACK 256 /* checked when compiling */

/* The order matters: leaves, unary, comparisons, bits, shifts, arithmetic, logic, calls, jumps. */
enum gw_op {
	GW_OP_NULL,
	GW_OP_BOOL,   /* a: value */
	GW_OP_NUMBER, /* number */
	GW_OP_TEXT,   /* text: owned by the program */
	GW_OP_NAME,   /* a: gw_name_kind, b: index */
	GW_OP_NEG,
	GW_OP_NOT,
	GW_OP_EQ,
	GW_OP_NE,
	GW_OP_LT,
	GW_OP_LE,
	GW_OP_GT,
	GW_OP_GE,
	GW_OP_BOR,
	GW_OP_BXOR,
	GW_OP_BAND,
	GW_OP_SHL,
	GW_OP_SHR,
	GW_OP_ADD,
	GW_OP_SUB,
	GW_OP_MUL,
	GW_OP_DIV,
	GW_OP_MOD,
	GW_OP_AND,
	GW_OP_OR,
	GW_OP_CALL,	/* a: row of gw_expr_functions, b: number of arguments */
	GW_OP_AND_JUMP, /* a: target; jumps over the right side when the left is false */
	GW_OP_OR_JUMP,	/* a: target; the same when the left is true */
	GW_OP_BRANCH,	/* pops; false → a; null → leaves null, b; else goes on */
	GW_OP_JUMP,	/* a: target */
};

struct gw_instr {
	uint8_t op;
	uint16_t a, b;
	union {
		double number;
		struct gw_text *text;
	};
};

struct gw_expr_name {
	enum gw_name_kind kind;
	uint16_t index;
};

struct gw_expr {
	struct gw_instr *code;
	struct gw_expr_name *names;
	uint16_t n_code, n_names;
	uint16_t cost;
};

/* A function of numbers: null in gives null out, NAN is null. calc NULL: the function looks at nulls itself. */
struct gw_expr_function {
	const char *name;
	uint8_t min_args, max_args;
	double (*calc)(const double *x, unsigned n);
	struct gw_raw (*pick)(const struct gw_raw *x);
};
extern const struct gw_expr_function gw_expr_functions[];
extern const unsigned gw_expr_n_functions;
