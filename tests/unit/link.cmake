# With a real mosquitto; it is the only thing these tests may skip for.
gw_unit_test(mqtt_link ROOMS link)
gw_unit_test(broker ROOMS link)
if(HEARTH_ADAPTER_MQTT)
	gw_unit_test(adapter_mqtt ROOMS adapters)
endif()
