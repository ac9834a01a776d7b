set(PROFILE_FRONT
	raw.c suggest.c
	expr.c expr_eval.c
	compose.c compose_bind.c
	schema.c schema_tables.c schema_json.c schema_rules.c
	library.c load.c vars.c match.c
	twin.c twin_change.c twin_body.c twin_state.c twin_drift.c twin_scene.c twin_fault.c)
