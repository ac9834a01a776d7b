foreach(module cost forms law line receive vectors write)
	gw_unit_test(${module} ROOMS profile)
endforeach()
gw_unit_test(midea_frames ROOMS profile)
foreach(module conformance golden)
	gw_unit_test(${module} ROOMS profile SOURCES ${CMAKE_SOURCE_DIR}/tests/support/golden.c)
endforeach()

gw_fuzz(decode ROOMS profile)
