# The surfaces are driven over a home that only answers; the decision table and the statuses are the real ones.
set(GW_FAKE_HOME ${CMAKE_SOURCE_DIR}/tests/support/fake_home.c ${CMAKE_SOURCE_DIR}/gateway/home/access.c
	${CMAKE_SOURCE_DIR}/gateway/home/status.c)
gw_unit_test(api ROOMS api SOURCES ${GW_FAKE_HOME})
gw_unit_test(api_detail ROOMS api SOURCES ${GW_FAKE_HOME})
gw_unit_test(openapi ROOMS api SOURCES ${GW_FAKE_HOME})
