gw_unit_test(http ROOMS http SOURCES ${GW_FAKE_HOME})
