foreach(module cost forms law line receive vectors write)
	gw_unit_test(${module} ROOMS profile)
endforeach()
foreach(module conformance golden)
	gw_unit_test(${module} ROOMS profile SOURCES ${CMAKE_SOURCE_DIR}/tests/support/golden.c)
endforeach()

gw_fuzz(decode ROOMS profile)
