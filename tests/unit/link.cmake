# With a real mosquitto; it is the only thing these tests may skip for.
foreach(module mqtt_link mqtt_link_peer mqtt_link_tls)
	gw_unit_test(${module} ROOMS link)
endforeach()
gw_unit_test(broker ROOMS link)
if(HEARTH_ADAPTER_MQTT)
	gw_unit_test(adapter_mqtt ROOMS adapters)
endif()
