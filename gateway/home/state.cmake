# What is kept and who may: store, people, the access decision, outcomes.
set(HOME_STATE status.c role.c access.c
	account.c login.c password.c token.c
	store.c store_record.c store_schema.c store_seal.c store_snapshot.c store_values.c)
