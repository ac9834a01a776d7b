# What moves in the home, driven through an adapter that the test plays.
set(GW_LIVE_HOME ${CMAKE_SOURCE_DIR}/tests/support/live_home.c)
gw_unit_test(deadline ROOMS home)
foreach(module bus registry command adapter_host journey gateway golden_home)
	gw_unit_test(${module} ROOMS home link SOURCES ${GW_LIVE_HOME})
endforeach()
