# What only the whole daemon knows: every adapter and surface under one roof.
gw_unit_test(config ROOMS http control surface_mqtt home adapters link SOURCES ${CMAKE_SOURCE_DIR}/gateway/daemon/surfaces.c)
