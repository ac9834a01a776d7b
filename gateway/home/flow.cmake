# What moves: devices and their values, events, commands, adapters, surfaces, and the gateway that holds them.
set(HOME_FLOW
	deadline.c bus.c journey.c registry.c restore.c property.c arrange.c adapter_host.c route.c send_queue.c command.c execute.c
	renew.c adopt.c config.c surface_host.c gateway.c metrics.c checks.c)
set_source_files_properties(gateway.c PROPERTIES COMPILE_DEFINITIONS HEARTH_VERSION="${PROJECT_VERSION}")
