foreach(module conformance)
	gw_unit_test(${module} ROOMS profile)
endforeach()
