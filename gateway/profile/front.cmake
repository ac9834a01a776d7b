set(PROFILE_FRONT raw.c suggest.c expr.c expr_eval.c compose.c compose_bind.c)
