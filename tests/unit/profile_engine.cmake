foreach(module conformance vectors)
	gw_unit_test(${module} ROOMS profile)
endforeach()
