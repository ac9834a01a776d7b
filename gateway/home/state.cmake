# What is kept and who may: store, people, the access decision, outcomes.
set(HOME_STATE status.c access.c)
