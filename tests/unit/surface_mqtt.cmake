# The MQTT surface on a real home and a real mosquitto.
set(GW_MQTT_HOME ${CMAKE_SOURCE_DIR}/tests/support/live_home.c ${CMAKE_SOURCE_DIR}/tests/support/mqtt_home.c)
foreach(module surface_mqtt surface_ha ha_read_back surface_homie)
	gw_unit_test(${module} ROOMS surface_mqtt home link LIBS PkgConfig::JANSSON SOURCES ${GW_MQTT_HOME})
endforeach()
gw_unit_test(mqtt_ledger ROOMS surface_mqtt home link LIBS PkgConfig::JANSSON)
