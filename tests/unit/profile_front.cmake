foreach(module expr compose schema match library)
	gw_unit_test(${module} ROOMS profile)
endforeach()
