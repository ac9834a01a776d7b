gw_unit_test(control ROOMS control SOURCES ${GW_FAKE_HOME})
gw_fuzz(control ROOMS api)
target_sources(fuzz_control PRIVATE ${GW_FAKE_HOME})
