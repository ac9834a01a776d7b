gw_unit_test(http ROOMS http SOURCES ${GW_FAKE_HOME})
gw_fuzz(http ROOMS http)
target_sources(fuzz_http PRIVATE ${GW_FAKE_HOME})
